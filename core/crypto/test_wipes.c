/* What hashes, ciphers and keys leave behind: each wipe of theirs is counted. */
#include "core/crypto/gcm.h"
#include "tests/tap.h"
#include "tests/wipes.h"

static const uint8_t key[32] = {1, 2, 3};

static void a_hash_wipes_its_state_once(void) {
    uint8_t out[LB_HASH_MAX_BYTES];
    struct lb_bytes part = lb_bytes(key, sizeof key);
    take_wipes();
    lb_hash_parts(LB_HASH_SHA256, &part, 1, out);
    CHECK_EQ(take_wipes(), 1);
    lb_hmac(LB_HASH_SHA256, part, &part, 1, out); /* two states, the padded key, what is inside */
    CHECK_EQ(take_wipes(), 4);
}

static void a_cipher_wipes_its_stream_and_what_it_expected(void) {
    static struct lb_gcm gcm;
    uint8_t nonce[LB_GCM_NONCE_BYTES] = {0}, text[20] = {0}, tag[LB_GCM_TAG_BYTES];
    take_wipes();
    lb_gcm_init(&gcm, lb_bytes(key, sizeof key));
    CHECK_EQ(take_wipes(), 1);
    lb_gcm_seal(&gcm, nonce, lb_bytes(key, 4), lb_span(text, sizeof text), tag);
    CHECK_EQ(take_wipes(), 1);
    CHECK(lb_gcm_open(&gcm, nonce, lb_bytes(key, 4), lb_span(text, sizeof text), tag));
    CHECK_EQ(take_wipes(), 2);
    CHECK(!lb_gcm_open(&gcm, nonce, lb_bytes(key, 5), lb_span(text, sizeof text), tag));
    CHECK_EQ(take_wipes(), 2);
}

static void random_numbers_wipe_the_stream_that_they_were_taken_from(void) {
    static struct lb_rand rand;
    static uint8_t out[LB_RAND_POOL_BYTES];
    lb_rand_init(&rand, key);
    take_wipes();
    lb_rand_fill(&rand, lb_span(out, sizeof out));
    CHECK_EQ(take_wipes(), 1);
    lb_rand_fill(&rand, lb_span(out, 1)); /* the next one */
    CHECK_EQ(take_wipes(), 1);
    lb_rand_fill(&rand, lb_span(out, 1));
    CHECK_EQ(take_wipes(), 0);
}

int main(void) {
    TEST(a_hash_wipes_its_state_once);
    TEST(a_cipher_wipes_its_stream_and_what_it_expected);
    TEST(random_numbers_wipe_the_stream_that_they_were_taken_from);
    return tap_done();
}
