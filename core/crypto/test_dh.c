/* X25519 by RFC 7748's vectors, P-256 by RFC 5903's, and both by agreement. */
#include "core/base/text.h"
#include "core/crypto/dh.h"
#include "tests/tap.h"

static void hex(const char *text, uint8_t *room, size_t cap) {
    size_t len = 0;
    CHECK(lb_parse_hex_bytes(lb_bytes_of_text(text), lb_span(room, cap), &len) && len == cap);
}

static struct lb_rand seeded(uint8_t seed) {
    uint8_t bytes[LB_RAND_SEED_BYTES] = {seed};
    struct lb_rand rand;
    lb_rand_init(&rand, bytes);
    return rand;
}

static void x25519_of_rfc_7748_5_2(void) {
    static const char *const vectors[][3] = {
        {"a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
         "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
         "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"},
        {"4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
         "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
         "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957"},
    };
    for (size_t i = 0; i < LB_COUNT(vectors); i++) {
        uint8_t scalar[32], point[32], expected[32], result[32];
        hex(vectors[i][0], scalar, 32);
        hex(vectors[i][1], point, 32);
        hex(vectors[i][2], expected, 32);
        lb_x25519(scalar, point, result);
        CHECK_BYTES(lb_bytes(result, 32), lb_bytes(expected, 32));
    }
}

static void x25519_a_thousand_times_over(void) {
    uint8_t k[32] = {9}, u[32] = {9}, next[32], expected[32];
    hex("684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51", expected, 32);
    for (unsigned i = 0; i < 1000; i++) {
        lb_x25519(k, u, next);
        memcpy(u, k, 32);
        memcpy(k, next, 32);
    }
    CHECK_BYTES(lb_bytes(k, 32), lb_bytes(expected, 32));
}

/* Values of p and more stand for what is left of them, and the highest bit does not count. */
static void x25519_of_numbers_that_are_not_reduced(void) {
    uint8_t scalar[32] = {0x5a, 1, 2, 3}, small[32] = {3}, large[32], a[32], b[32];
    memset(large, 0xff, sizeof large);
    large[0] = 0xed + 3; /* p + 3 */
    large[31] = 0x7f;
    lb_x25519(scalar, small, a);
    lb_x25519(scalar, large, b);
    CHECK_BYTES(lb_bytes(a, 32), lb_bytes(b, 32));
    small[31] = 0x80;
    lb_x25519(scalar, small, b);
    CHECK_BYTES(lb_bytes(a, 32), lb_bytes(b, 32));
}

/* RFC 5903 8.1. */
static void p256_of_rfc_5903(void) {
    struct lb_dh dh = {.group = LB_DH_P256, .value_len = 64};
    uint8_t theirs[64], expected[32], shared[32];
    hex("c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1433", dh.secret, 32);
    hex("d12dfb5289c8d4f81208b70270398c342296970a0bccb74c736fc7554494bf63"
        "56fbf3ca366cc23e8157854c13c58d6aac23f046ada30f8353e74f33039872ab",
        theirs, 64);
    hex("d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de", expected, 32);
    CHECK(lb_dh_agree(&dh, lb_bytes(theirs, 64), shared));
    CHECK_BYTES(lb_bytes(shared, 32), lb_bytes(expected, 32));
}

static void both_sides_agree(void) {
    static const enum lb_dh_group groups[] = {LB_DH_P256, LB_DH_X25519};
    for (size_t i = 0; i < LB_COUNT(groups); i++) {
        struct lb_rand rand = seeded(7);
        struct lb_dh a, b;
        uint8_t one[32], other[32];
        lb_dh_init(&a, groups[i], &rand);
        lb_dh_init(&b, groups[i], &rand);
        CHECK(lb_dh_agree(&a, lb_bytes(b.value, b.value_len), one));
        CHECK(lb_dh_agree(&b, lb_bytes(a.value, a.value_len), other));
        CHECK_BYTES(lb_bytes(one, 32), lb_bytes(other, 32));
        CHECK(!lb_dh_agree(&a, lb_bytes(b.value, b.value_len - 1), one));
    }
}

static void values_that_are_no_points_are_refused(void) {
    struct lb_rand rand = seeded(8);
    struct lb_dh dh;
    uint8_t value[64] = {0}, shared[32];
    lb_dh_init(&dh, LB_DH_X25519, &rand);
    CHECK(!lb_dh_agree(&dh, lb_bytes(value, 32), shared)); /* of small order: the secret is 0 */
    value[0] = 1;
    CHECK(!lb_dh_agree(&dh, lb_bytes(value, 32), shared));
    lb_dh_init(&dh, LB_DH_P256, &rand);
    CHECK(!lb_dh_agree(&dh, lb_bytes(value, 64), shared)); /* not on the curve */
    memcpy(value, dh.value, 64);
    for (size_t at = 0; at < 64; at++) {
        value[at] ^= 1;
        CHECK(!lb_dh_agree(&dh, lb_bytes(value, 64), shared));
        value[at] ^= 1;
    }
}

int main(void) {
    TEST(x25519_of_rfc_7748_5_2);
    TEST(x25519_a_thousand_times_over);
    TEST(x25519_of_numbers_that_are_not_reduced);
    TEST(p256_of_rfc_5903);
    TEST(both_sides_agree);
    TEST(values_that_are_no_points_are_refused);
    return tap_done();
}
