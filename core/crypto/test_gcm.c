/* AES-GCM: vectors of its inventors (McGrew and Viega, appendix B) and of NIST, each by
 * the processor's instructions and in plain C. */
#include "core/base/text.h"
#include "core/crypto/gcm.h"
#include "tests/tap.h"
#include <stdio.h>

static size_t hex(const char *text, uint8_t *room, size_t cap) {
    size_t len = 0;
    CHECK(lb_parse_hex_bytes(lb_bytes_of_text(text), lb_span(room, cap), &len));
    return len;
}

static const struct vector {
    const char *key, *nonce, *extra, *text, *sealed, *tag;
} vectors[] = {
    {"00000000000000000000000000000000", "000000000000000000000000", "", "", "",
     "58e2fccefa7e3061367f1d57a4e7455a"},
    {"00000000000000000000000000000000", "000000000000000000000000", "",
     "00000000000000000000000000000000", "0388dace60b6a392f328c2b971b2fe78",
     "ab6e47d42cec13bdf53a67b21257bddf"},
    {"feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
     "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6"
     "b525b16aedf5aa0de657ba637b39",
     "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84"
     "aa051ba30b396a0aac973d58e091",
     "5bc94fbc3221a5db94fae95ae7121a47"},
    {"0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000",
     "", "", "", "530f8afbc74536b9a963b4f1c4cb738b"},
    {"feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
     "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6"
     "b525b16aedf5aa0de657ba637b39",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b105682"
     "8838c5f61e6393ba7a0abcc9f662",
     "76fc6ece0f4e1768cddf8853bb2d551b"},
};

static void init(struct lb_gcm *gcm, struct lb_bytes key, bool is_portable) {
    if (is_portable)
        lb_gcm_init_portable(gcm, key);
    else
        lb_gcm_init(gcm, key);
}

static void the_vectors_are_met_both_ways(void) {
    for (size_t i = 0; i < 2 * LB_COUNT(vectors); i++) {
        const struct vector *v = &vectors[i / 2];
        uint8_t key[32], nonce[12], extra[32], text[64], plain[64], sealed[64], tag[16],
            expected[16];
        struct lb_gcm gcm;
        init(&gcm, lb_bytes(key, hex(v->key, key, sizeof key)), i % 2 == 1);
        hex(v->nonce, nonce, sizeof nonce);
        struct lb_bytes more = lb_bytes(extra, hex(v->extra, extra, sizeof extra));
        size_t len = hex(v->text, text, sizeof text);
        memcpy(plain, text, sizeof plain);
        hex(v->sealed, sealed, sizeof sealed);
        hex(v->tag, expected, sizeof expected);
        lb_gcm_seal(&gcm, nonce, more, lb_span(text, len), tag);
        CHECK_BYTES(lb_bytes(text, len), lb_bytes(sealed, len));
        CHECK_BYTES(lb_bytes(tag, 16), lb_bytes(expected, 16));
        CHECK(lb_gcm_open(&gcm, nonce, more, lb_span(text, len), tag));
        CHECK_BYTES(lb_bytes(text, len), lb_bytes(plain, len));
    }
}

/* The counter's lowest byte comes round twice. The tags are OpenSSL's. */
static void a_long_text_counts_past_a_byte(void) {
    static const char *const expected[] = {"c0e21d279a9ed5741f018a3088db7503",
                                           "469a643bb5fafc5fabecf8a71ff67e74"};
    static uint8_t text[8200], again[8200];
    for (size_t i = 0; i < 4; i++) {
        uint8_t key[32], nonce[12], tag[16];
        struct lb_gcm gcm;
        hex(vectors[4].key, key, sizeof key);
        hex(vectors[4].nonce, nonce, sizeof nonce);
        for (size_t k = 0; k < sizeof text; k++)
            again[k] = text[k] = (uint8_t)(k * 7 + (k >> 8));
        init(&gcm, lb_bytes(key, i < 2 ? 16 : 32), i % 2 == 1);
        lb_gcm_seal(&gcm, nonce, lb_bytes(NULL, 0), lb_span(text, sizeof text), tag);
        CHECK_BYTES(lb_bytes(tag, sizeof tag), tap_hex(expected[i / 2]));
        CHECK(lb_gcm_open(&gcm, nonce, lb_bytes(NULL, 0), lb_span(text, sizeof text), tag));
        CHECK_BYTES(lb_bytes(text, sizeof text), lb_bytes(again, sizeof again));
    }
}

static void what_lay_in_the_memory_before_does_not_matter(void) {
    uint8_t key[16] = {0}, nonce[12] = {0}, tag[16];
    struct lb_gcm gcm;
    memset(&gcm, 0xa5, sizeof gcm);
    lb_gcm_init(&gcm, lb_bytes(key, sizeof key));
    lb_gcm_seal(&gcm, nonce, lb_bytes(NULL, 0), lb_span(nonce, 0), tag);
    CHECK_BYTES(lb_bytes(tag, sizeof tag), tap_hex(vectors[0].tag));
}

static void each_byte_changed_is_noticed_and_nothing_is_given_out(void) {
    uint8_t key[32] = {1}, nonce[12] = {2}, extra[5] = {3}, text[21], tag[16], zeros[21] = {0};
    struct lb_gcm gcm;
    lb_gcm_init(&gcm, lb_bytes(key, sizeof key));
    for (size_t at = 0; at < sizeof text + sizeof tag + sizeof extra + sizeof nonce; at++) {
        memset(text, 7, sizeof text);
        lb_gcm_seal(&gcm, nonce, lb_bytes(extra, sizeof extra), lb_span(text, sizeof text), tag);
        uint8_t *parts[] = {text, tag, extra, nonce};
        size_t lens[] = {sizeof text, sizeof tag, sizeof extra, sizeof nonce}, part = 0, in = at;
        while (in >= lens[part])
            in -= lens[part++];
        parts[part][in] ^= 1;
        CHECK(!lb_gcm_open(&gcm, nonce, lb_bytes(extra, sizeof extra), lb_span(text, sizeof text),
                           tag));
        CHECK_BYTES(lb_bytes(text, sizeof text), lb_bytes(zeros, sizeof zeros));
        parts[part][in] ^= part >= 2;
    }
}

/* Of all lengths of text and of what is beside it: the ends of blocks, and of several at once. */
static void instructions_give_what_plain_c_gives(void) {
    static uint8_t noise[700], one[400], other[400];
    uint8_t seed[LB_RAND_SEED_BYTES] = {9}, tags[2][16];
    struct lb_rand rand;
    struct lb_gcm fast, plain;
    lb_rand_init(&rand, seed);
    for (size_t len = 0; len < 400; len++) {
        lb_rand_fill(&rand, lb_span(noise, sizeof noise));
        struct lb_bytes key = lb_bytes(noise, len % 2 == 0 ? 16 : 32);
        struct lb_bytes extra = lb_bytes(noise + 44, len % 150);
        lb_gcm_init(&fast, key);
        lb_gcm_init_portable(&plain, key);
        memcpy(one, noise + 200, len);
        memcpy(other, noise + 200, len);
        lb_gcm_seal(&fast, noise + 32, extra, lb_span(one, len), tags[0]);
        lb_gcm_seal(&plain, noise + 32, extra, lb_span(other, len), tags[1]);
        if (!CHECK_BYTES(lb_bytes(one, len), lb_bytes(other, len)) ||
            !CHECK_BYTES(lb_bytes(tags[0], 16), lb_bytes(tags[1], 16)))
            return;
        CHECK(lb_gcm_open(&fast, noise + 32, extra, lb_span(other, len), tags[1]));
        CHECK(lb_gcm_open(&plain, noise + 32, extra, lb_span(one, len), tags[0]));
        CHECK_BYTES(lb_bytes(one, len), lb_bytes(noise + 200, len));
        CHECK_BYTES(lb_bytes(other, len), lb_bytes(noise + 200, len));
    }
    printf("# by %s\n", lb_gcm_method());
}

int main(void) {
    TEST(the_vectors_are_met_both_ways);
    TEST(a_long_text_counts_past_a_byte);
    TEST(instructions_give_what_plain_c_gives);
    TEST(each_byte_changed_is_noticed_and_nothing_is_given_out);
    TEST(what_lay_in_the_memory_before_does_not_matter);
    return tap_done();
}
