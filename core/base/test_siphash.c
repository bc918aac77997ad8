/* Vectors: the reference implementation's (vectors.h of SipHash-2-4-64), key 00..0f, input
 * 00..n-1. */
#include "core/base/siphash.h"
#include "tests/tap.h"

static void the_reference_vectors_are_met(void) {
    static const struct {
        size_t len;
        uint64_t hash;
    } vectors[] = {{0, UINT64_C(0x726fdb47dd0e0e31)},
                   {1, UINT64_C(0x74f839c593dc67fd)},
                   {8, UINT64_C(0x93f5f5799a932462)},
                   {15, UINT64_C(0xa129ca6149be45e5)}};
    const struct lb_hash_key key = {UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)};
    uint8_t input[16];
    for (size_t i = 0; i < sizeof input; i++)
        input[i] = (uint8_t)i;
    for (size_t i = 0; i < LB_COUNT(vectors); i++)
        CHECK_EQ(lb_siphash(&key, lb_bytes(input, vectors[i].len)), vectors[i].hash);
}

static void another_key_gives_another_hash(void) {
    const struct lb_hash_key one = {1, 2}, two = {1, 3};
    struct lb_bytes text = lb_bytes_of_text("iqn.2026-11.test:a");
    CHECK(lb_siphash(&one, text) != lb_siphash(&two, text));
}

int main(void) {
    TEST(the_reference_vectors_are_met);
    TEST(another_key_gives_another_hash);
    return tap_done();
}
