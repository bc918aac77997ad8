/* The small block functions against Mbed TLS's own, which the vectors of test_crypto.c judge. */
#include "core/crypto/crypto.h"
#include "core/crypto/small.h"
#include "mbedtls/md5.h"
#include "mbedtls/sha1.h"
#include "tests/tap.h"

static struct lb_rand source;

static void next_block(uint8_t block[64]) {
    lb_rand_fill(&source, lb_span(block, 64));
}

static void a_thousand_blocks_of_sha1_give_the_librarys_states(void) {
    mbedtls_sha1_context theirs = {0};
    mbedtls_sha1_starts(&theirs);
    uint32_t ours[5];
    memcpy(ours, theirs.MBEDTLS_PRIVATE(state), sizeof ours);
    for (int i = 0; i < 1000; i++) {
        uint8_t block[64];
        next_block(block);
        mbedtls_internal_sha1_process(&theirs, block);
        lb_small_sha1(ours, block);
        if (!CHECK(memcmp(ours, theirs.MBEDTLS_PRIVATE(state), sizeof ours) == 0))
            return;
    }
}

static void a_thousand_blocks_of_md5_give_the_librarys_states(void) {
    mbedtls_md5_context theirs = {0};
    mbedtls_md5_starts(&theirs);
    uint32_t ours[4];
    memcpy(ours, theirs.MBEDTLS_PRIVATE(state), sizeof ours);
    for (int i = 0; i < 1000; i++) {
        uint8_t block[64];
        next_block(block);
        mbedtls_internal_md5_process(&theirs, block);
        lb_small_md5(ours, block);
        if (!CHECK(memcmp(ours, theirs.MBEDTLS_PRIVATE(state), sizeof ours) == 0))
            return;
    }
}

static void a_thousand_lengths_of_crc32c_give_the_same_sum(void) {
    uint8_t bytes[1000];
    lb_rand_fill(&source, lb_span(bytes, sizeof bytes));
    for (size_t len = 0; len <= sizeof bytes; len++)
        if (!CHECK_EQ(~lb_small_crc32c(~7U, bytes, len), lb_crc32c_portable(7, bytes, len)))
            return;
}

int main(void) {
    lb_rand_init(&source, (const uint8_t[32]){1});
    TEST(a_thousand_blocks_of_sha1_give_the_librarys_states);
    TEST(a_thousand_blocks_of_md5_give_the_librarys_states);
    TEST(a_thousand_lengths_of_crc32c_give_the_same_sum);
    return tap_done();
}
