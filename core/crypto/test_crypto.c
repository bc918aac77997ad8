/* Hashes, HMAC, secrets, random numbers. Vectors: RFC 1321 A.5; FIPS 180-4 and FIPS 202 examples of
 * NIST; RFC 2202, RFC 4231 and NIST's HMAC examples; RFC 8439 A.1. */
#include "core/crypto/crypto.h"
#include "tests/tap.h"

static const enum lb_hash_alg algs[] = {LB_HASH_MD5, LB_HASH_SHA1, LB_HASH_SHA256,
                                        LB_HASH_SHA3_256};

static void check_hash(enum lb_hash_alg alg, struct lb_bytes message, const char *expected) {
    uint8_t digest[LB_HASH_MAX_BYTES];
    size_t len = lb_hash_parts(alg, &message, 1, digest);
    CHECK_EQ(len, lb_hash_bytes(alg));
    CHECK_BYTES(lb_bytes(digest, len), tap_hex(expected));
}

static void the_empty_message_has_its_published_digests(void) {
    struct lb_bytes none = {0};
    check_hash(LB_HASH_MD5, none, "d41d8cd98f00b204e9800998ecf8427e");
    check_hash(LB_HASH_SHA1, none, "da39a3ee5e6b4b0d3255bfef95601890afd80709");
    check_hash(LB_HASH_SHA256, none,
               "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    check_hash(LB_HASH_SHA3_256, none,
               "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a");
}

static void abc_has_its_published_digests(void) {
    struct lb_bytes abc = lb_bytes_of_text("abc");
    check_hash(LB_HASH_MD5, abc, "900150983cd24fb0d6963f7d28e17f72");
    check_hash(LB_HASH_SHA1, abc, "a9993e364706816aba3e25717850c26c9cd0d89d");
    check_hash(LB_HASH_SHA256, abc,
               "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    check_hash(LB_HASH_SHA3_256, abc,
               "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532");
}

static void a_message_of_two_blocks_has_its_published_digests(void) {
    struct lb_bytes long_one =
        lb_bytes_of_text("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq");
    check_hash(LB_HASH_SHA1, long_one, "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
    check_hash(LB_HASH_SHA256, long_one,
               "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    check_hash(LB_HASH_SHA3_256, long_one,
               "41c0dba2a9d6240849100376a8235e2c82e1b9998a999e21db32dd97496d3376");
    check_hash(
        LB_HASH_MD5,
        lb_bytes_of_text("1234567890123456789012345678901234567890123456789012345678901234567"
                         "8901234567890"),
        "57edf4a22be3c955ac49da2e2107b67a");
}

static void check_million(enum lb_hash_alg alg, const char *expected) {
    uint8_t thousand[1000], digest[LB_HASH_MAX_BYTES];
    memset(thousand, 'a', sizeof(thousand));
    struct lb_hash h;
    lb_hash_init(&h, alg);
    for (int i = 0; i < 1000; i++)
        lb_hash_update(&h, lb_bytes(thousand, sizeof(thousand)));
    size_t len = lb_hash_finish(&h, digest);
    CHECK_BYTES(lb_bytes(digest, len), tap_hex(expected));
}

static void a_million_times_a_has_its_published_digests(void) {
    check_million(LB_HASH_SHA1, "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
    check_million(LB_HASH_SHA256,
                  "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    check_million(LB_HASH_SHA3_256,
                  "5c8875ae474a3634ba4fd55ec85bffd661f32aca75c6d699d0cdcb6c115891c1");
}

static void a_message_cut_anywhere_hashes_the_same(void) {
    uint8_t message[300], whole[LB_HASH_MAX_BYTES], cut[LB_HASH_MAX_BYTES];
    for (size_t i = 0; i < sizeof(message); i++)
        message[i] = (uint8_t)(i * 7);
    for (size_t a = 0; a < LB_COUNT(algs); a++) {
        struct lb_bytes all = lb_bytes(message, sizeof(message));
        size_t len = lb_hash_parts(algs[a], &all, 1, whole);
        for (size_t at = 0; at <= sizeof(message); at++) {
            struct lb_bytes parts[] = {lb_bytes(message, at), lb_bytes_after(all, at)};
            lb_hash_parts(algs[a], parts, 2, cut);
            if (!CHECK_BYTES(lb_bytes(cut, len), lb_bytes(whole, len)))
                return;
        }
    }
}

static void a_hash_copied_half_way_gives_two_endings(void) {
    for (size_t a = 0; a < LB_COUNT(algs); a++) {
        struct lb_bytes ab = lb_bytes_of_text("ab"), abc = lb_bytes_of_text("abc");
        uint8_t expected[LB_HASH_MAX_BYTES], got[LB_HASH_MAX_BYTES];
        struct lb_hash h, copy;
        lb_hash_init(&h, algs[a]);
        lb_hash_update(&h, ab);
        copy = h;
        lb_hash_update(&h, lb_bytes_of_text("c"));
        size_t len = lb_hash_finish(&h, got);
        lb_hash_parts(algs[a], &abc, 1, expected);
        CHECK_BYTES(lb_bytes(got, len), lb_bytes(expected, len));
        lb_hash_finish(&copy, got);
        lb_hash_parts(algs[a], &ab, 1, expected);
        CHECK_BYTES(lb_bytes(got, len), lb_bytes(expected, len));
    }
}

static void a_finished_hash_keeps_nothing_of_its_input(void) {
    for (size_t a = 0; a < LB_COUNT(algs); a++) {
        struct lb_hash h, zero;
        uint8_t digest[LB_HASH_MAX_BYTES];
        lb_hash_init(&h, algs[a]);
        lb_hash_update(&h, lb_bytes_of_text("boot-secret-0123"));
        lb_hash_finish(&h, digest);
        memset(&zero, 0, sizeof(zero));
        CHECK_BYTES(lb_bytes(&h, sizeof(h)), lb_bytes(&zero, sizeof(zero)));
    }
}

static void hashes_have_names(void) {
    CHECK_STR(lb_hash_name(LB_HASH_NONE), "none");
    CHECK_STR(lb_hash_name(LB_HASH_MD5), "md5");
    CHECK_STR(lb_hash_name(LB_HASH_SHA1), "sha1");
    CHECK_STR(lb_hash_name(LB_HASH_SHA256), "sha256");
    CHECK_STR(lb_hash_name(LB_HASH_SHA3_256), "sha3-256");
    CHECK_EQ(lb_hash_bytes(LB_HASH_NONE), 0);
}

static void check_hmac(enum lb_hash_alg alg, struct lb_bytes key, struct lb_bytes message,
                       const char *expected) {
    uint8_t mac[LB_HASH_MAX_BYTES];
    size_t len = lb_hmac(alg, key, &message, 1, mac);
    CHECK_BYTES(lb_bytes(mac, len), tap_hex(expected));
    struct lb_bytes halves[] = {lb_bytes(message.p, message.len / 2),
                                lb_bytes_after(message, message.len / 2)};
    lb_hmac(alg, key, halves, 2, mac);
    CHECK_BYTES(lb_bytes(mac, len), tap_hex(expected));
}

static struct lb_bytes repeated(uint8_t byte, size_t len) {
    static uint8_t room[200];
    memset(room, byte, sizeof(room));
    return lb_bytes(room, len);
}

static void hmac_md5_matches_rfc_2202(void) {
    check_hmac(LB_HASH_MD5, repeated(0x0b, 16), lb_bytes_of_text("Hi There"),
               "9294727a3638bb1c13f48ef8158bfc9d");
    check_hmac(LB_HASH_MD5, lb_bytes_of_text("Jefe"),
               lb_bytes_of_text("what do ya want for nothing?"),
               "750c783e6ab0b503eaa86e310a5db738");
    check_hmac(LB_HASH_MD5, repeated(0xaa, 80),
               lb_bytes_of_text("Test Using Larger Than Block-Size Key - Hash Key First"),
               "6b1ab7fe4bd7bf8f0b62e6ce61b9d0cd");
}

static void hmac_sha1_matches_rfc_2202(void) {
    check_hmac(LB_HASH_SHA1, repeated(0x0b, 20), lb_bytes_of_text("Hi There"),
               "b617318655057264e28bc0b6fb378c8ef146be00");
}

static void hmac_sha256_matches_rfc_4231(void) {
    check_hmac(LB_HASH_SHA256, repeated(0x0b, 20), lb_bytes_of_text("Hi There"),
               "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    check_hmac(LB_HASH_SHA256, lb_bytes_of_text("Jefe"),
               lb_bytes_of_text("what do ya want for nothing?"),
               "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    check_hmac(LB_HASH_SHA256, repeated(0xaa, 131),
               lb_bytes_of_text("Test Using Larger Than Block-Size Key - Hash Key First"),
               "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void hmac_sha3_matches_nist(void) {
    check_hmac(LB_HASH_SHA3_256,
               tap_hex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"),
               lb_bytes_of_text("Sample message for keylen<blocklen"),
               "4fe8e202c4f058e8dddc23d8c34e467343e23555e24fc2f025d598f558f67205");
}

static void hmac_takes_an_empty_key_and_message(void) {
    check_hmac(LB_HASH_SHA256, lb_bytes(NULL, 0), lb_bytes(NULL, 0),
               "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

static void secrets_are_equal_only_when_every_byte_is(void) {
    uint8_t a[40], b[40];
    for (size_t len = 0; len <= sizeof(a); len++) {
        memset(a, 0x5a, sizeof(a));
        memcpy(b, a, sizeof(a));
        CHECK(lb_equal_secret(lb_bytes(a, len), lb_bytes(b, len)));
        for (size_t i = 0; i < len; i++) {
            b[i] ^= 1u << i % 8;
            CHECK(!lb_equal_secret(lb_bytes(a, len), lb_bytes(b, len)));
            b[i] = a[i];
        }
        if (len > 0)
            CHECK(!lb_equal_secret(lb_bytes(a, len), lb_bytes(b, len - 1)));
    }
}

static void wiping_leaves_zeroes_and_no_more(void) {
    uint8_t a[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    lb_wipe(a + 2, 4);
    CHECK_BYTES(lb_bytes(a, sizeof(a)), tap_hex("0102 00000000 0708"));
    lb_wipe(NULL, 0);
}

/* ---- Random numbers ---- */

static struct lb_rand seeded(uint8_t byte) {
    uint8_t seed[LB_RAND_SEED_BYTES];
    struct lb_rand r;
    memset(seed, byte, sizeof(seed));
    lb_rand_init(&r, seed);
    return r;
}

static void random_bytes_are_chacha20s_after_the_next_key(void) {
    /* RFC 8439 A.1, vector 1: key, nonce and counter 0. */
    struct lb_rand r = seeded(0);
    uint8_t out[32];
    lb_rand_fill(&r, lb_span(out, sizeof(out)));
    CHECK_BYTES(lb_bytes(out, sizeof(out)),
                tap_hex("da41597c5157488d7724e03fb8d84a37 6a43b8f41518a11cc387b669b2ee6586"));
    CHECK_BYTES(lb_bytes(r.key, sizeof(r.key)),
                tap_hex("76b8e0ada0f13d90405d6ae55386bd28 bdd219b8a08ded1aa836efcc8b770dc7"));
}

static void random_bytes_do_not_depend_on_how_they_are_taken(void) {
    struct lb_rand r = seeded(7);
    uint8_t at_once[1000], in_pieces[1000];
    lb_rand_fill(&r, lb_span(at_once, sizeof(at_once)));
    for (size_t step = 1; step < 500; step += 13) {
        r = seeded(7);
        for (size_t i = 0; i < sizeof(in_pieces); i += step)
            lb_rand_fill(&r, lb_span(in_pieces + i, LB_MIN(step, sizeof(in_pieces) - i)));
        CHECK_BYTES(lb_bytes(in_pieces, sizeof(in_pieces)), lb_bytes(at_once, sizeof(at_once)));
    }
}

static void another_seed_gives_other_bytes(void) {
    struct lb_rand a = seeded(1), b = seeded(2);
    CHECK(lb_rand_u64(&a) != lb_rand_u64(&b));
    a = seeded(1);
    b = seeded(1);
    CHECK_EQ(lb_rand_u64(&a), lb_rand_u64(&b));
}

static void bytes_given_away_are_not_kept(void) {
    struct lb_rand r = seeded(3);
    uint8_t out[100], zero[100] = {0};
    lb_rand_fill(&r, lb_span(out, sizeof(out)));
    CHECK_EQ(r.used, 100);
    CHECK_BYTES(lb_bytes(r.pool, 100), lb_bytes(zero, 100));
}

static void a_number_below_n_is_below_n_and_any_of_them(void) {
    struct lb_rand r = seeded(4);
    unsigned seen[10] = {0};
    for (int i = 0; i < 10000; i++) {
        uint32_t n = lb_rand_below(&r, 10);
        if (!CHECK(n < 10))
            return;
        seen[n]++;
    }
    for (int i = 0; i < 10; i++) /* 1000 each; five standard deviations are 150 */
        CHECK(seen[i] > 850 && seen[i] < 1150);
    CHECK_EQ(lb_rand_below(&r, 1), 0);
}

static void a_number_below_a_large_n_is_not_lopsided(void) {
    /* 3/4 of the range: without the second draw the lowest third would come twice as often. */
    struct lb_rand r = seeded(5);
    unsigned third[3] = {0};
    for (int i = 0; i < 9000; i++)
        third[lb_rand_below(&r, 0xc0000000) / 0x40000000]++;
    for (int i = 0; i < 3; i++) /* 3000 each; five standard deviations are 224 */
        CHECK(third[i] > 2776 && third[i] < 3224);
}

int main(void) {
    TEST(the_empty_message_has_its_published_digests);
    TEST(abc_has_its_published_digests);
    TEST(a_message_of_two_blocks_has_its_published_digests);
    TEST(a_million_times_a_has_its_published_digests);
    TEST(a_message_cut_anywhere_hashes_the_same);
    TEST(a_hash_copied_half_way_gives_two_endings);
    TEST(a_finished_hash_keeps_nothing_of_its_input);
    TEST(hashes_have_names);
    TEST(hmac_md5_matches_rfc_2202);
    TEST(hmac_sha1_matches_rfc_2202);
    TEST(hmac_sha256_matches_rfc_4231);
    TEST(hmac_sha3_matches_nist);
    TEST(hmac_takes_an_empty_key_and_message);
    TEST(secrets_are_equal_only_when_every_byte_is);
    TEST(wiping_leaves_zeroes_and_no_more);
    TEST(random_bytes_are_chacha20s_after_the_next_key);
    TEST(random_bytes_do_not_depend_on_how_they_are_taken);
    TEST(another_seed_gives_other_bytes);
    TEST(bytes_given_away_are_not_kept);
    TEST(a_number_below_n_is_below_n_and_any_of_them);
    TEST(a_number_below_a_large_n_is_not_lopsided);
    return tap_done();
}
