/* CHAP. The response vectors were computed by other programs from RFC 1994's formula; the malformed
 * values are those that CVE-2021-38575 (EDK2) and its fixes, a LIO fix for CHAP_I, and reports of
 * open-iscsi and libiscsi are about. */
#include "core/chap/chap.h"
#include "tests/tap.h"

static const struct lb_chap_alg md5 = {5, LB_HASH_MD5};
static const struct lb_chap_alg sha1 = {6, LB_HASH_SHA1};
static const struct lb_chap_alg sha256 = {7, LB_HASH_SHA256};
static const struct lb_chap_alg sha3_256 = {8, LB_HASH_SHA3_256};
static const struct lb_chap_alg tgt_sha1 = {7, LB_HASH_SHA1};

static struct lb_bytes text(const char *s) {
    return lb_bytes_of_text(s);
}

static struct lb_rand seeded(uint8_t byte) {
    uint8_t seed[LB_RAND_SEED_BYTES] = {byte};
    struct lb_rand r;
    lb_rand_init(&r, seed);
    return r;
}

static struct lb_bytes bytes_of(const struct lb_chap_response *r) {
    return lb_bytes(r->data, r->len);
}

/* ---- Algorithms ---- */

static const char *format(const struct lb_chap_algs *algs) {
    static char buffer[32];
    struct lb_text t = lb_text(buffer, sizeof(buffer));
    lb_chap_format_algs(&t, algs);
    return buffer;
}

static const char *parse_and_format(const char *list) {
    struct lb_chap_algs algs;
    return lb_chap_parse_algs(text(list), &algs) ? format(&algs) : "refused";
}

static void the_default_offer_is_strongest_first_and_has_md5(void) {
    CHECK_STR(format(&lb_chap_default_algs), "8,7,5");
}

static void a_configured_list_keeps_its_order(void) {
    CHECK_STR(parse_and_format("sha3-256,sha256,sha1,md5"), "8,7,6,5");
    CHECK_STR(parse_and_format("md5, sha256"), "5,7");
    CHECK_STR(parse_and_format("7,5"), "7,5");
    CHECK_STR(parse_and_format("md5"), "5");
}

static void tgts_private_seven_is_sha1(void) {
    struct lb_chap_algs algs;
    CHECK(lb_chap_parse_algs(text("tgt-sha1,md5"), &algs));
    CHECK_STR(format(&algs), "7,5");
    struct lb_chap_alg chosen;
    CHECK(lb_chap_accept_alg(&algs, text("7"), &chosen));
    CHECK_EQ(chosen.hash, LB_HASH_SHA1);
    CHECK_STR(lb_chap_alg_name(chosen), "tgt-sha1");
    CHECK(lb_chap_accept_alg(&lb_chap_default_algs, text("7"), &chosen));
    CHECK_EQ(chosen.hash, LB_HASH_SHA256);
    CHECK_STR(lb_chap_alg_name(chosen), "sha256");
}

static void a_configured_list_with_a_mistake_is_refused(void) {
    CHECK_STR(parse_and_format(""), "refused");
    CHECK_STR(parse_and_format("sha512"), "refused");
    CHECK_STR(parse_and_format("md5,,sha1"), "refused");
    CHECK_STR(parse_and_format("md5,5"), "refused");
    CHECK_STR(parse_and_format("sha256,tgt-sha1"), "refused"); /* 7 would mean both */
    CHECK_STR(parse_and_format("0"), "refused");
    CHECK_STR(parse_and_format("9"), "refused");
    CHECK_STR(parse_and_format("261"), "refused"); /* 5 + 256 */
    CHECK_STR(parse_and_format("MD5"), "refused");
    CHECK_STR(parse_and_format("md5,sha1,sha256,sha3-256,md5"), "refused");

    struct lb_chap_algs untouched = {.count = 77};
    CHECK(!lb_chap_parse_algs(text("md5,nonsense"), &untouched));
    CHECK_EQ(untouched.count, 77);
}

static void only_an_algorithm_that_we_offered_is_accepted(void) {
    struct lb_chap_algs offered;
    struct lb_chap_alg chosen = {0};
    CHECK(lb_chap_parse_algs(text("sha256,md5"), &offered));
    CHECK(!lb_chap_accept_alg(&offered, text("6"), &chosen));
    CHECK(!lb_chap_accept_alg(&offered, text("8"), &chosen));
    CHECK(!lb_chap_accept_alg(&offered, text(""), &chosen));
    CHECK(!lb_chap_accept_alg(&offered, text("5,7"), &chosen));
    CHECK(!lb_chap_accept_alg(&offered, text("md5"), &chosen));
    CHECK(!lb_chap_accept_alg(&offered, text("261"), &chosen));
    CHECK(!lb_chap_accept_alg(&offered, text("18446744073709551621"), &chosen)); /* 2^64 + 5 */
    CHECK_EQ(chosen.number, 0);
    CHECK(lb_chap_accept_alg(&offered, text("5"), &chosen));
    CHECK_EQ(chosen.hash, LB_HASH_MD5);
    CHECK(lb_chap_accept_alg(&offered, text("0x07"), &chosen));
    CHECK_EQ(chosen.hash, LB_HASH_SHA256);
}

static void the_asking_side_takes_the_first_it_knows_of_the_peers_order(void) {
    struct lb_chap_alg chosen = {0};
    CHECK(lb_chap_choose_alg(&lb_chap_default_algs, text("99,6,7,8,5"), &chosen));
    CHECK_EQ(chosen.number, 7);
    struct lb_chap_algs md5_only;
    CHECK(lb_chap_parse_algs(text("md5"), &md5_only));
    CHECK(lb_chap_choose_alg(&md5_only, text("8,7,6,5"), &chosen));
    CHECK_EQ(chosen.number, 5);
    CHECK(!lb_chap_choose_alg(&md5_only, text("8,7,6"), &chosen));
    CHECK(!lb_chap_choose_alg(&md5_only, text(""), &chosen));
    CHECK(!lb_chap_choose_alg(&md5_only, text(",,;5x"), &chosen));
}

static void algorithms_have_names(void) {
    CHECK_STR(lb_chap_alg_name(md5), "md5");
    CHECK_STR(lb_chap_alg_name(sha1), "sha1");
    CHECK_STR(lb_chap_alg_name(sha3_256), "sha3-256");
    CHECK_STR(lb_chap_alg_name((struct lb_chap_alg){0}), "none");
}

/* ---- Values ---- */

static int parsed_id(const char *value) {
    uint8_t id = 0;
    return lb_chap_parse_id(text(value), &id) ? id : -1;
}

static void an_identifier_is_0_to_255_in_decimal_or_hex(void) {
    CHECK_EQ(parsed_id("0"), 0);
    CHECK_EQ(parsed_id("42"), 42);
    CHECK_EQ(parsed_id("255"), 255);
    CHECK_EQ(parsed_id("0x2a"), 42); /* LIO sends it so */
    CHECK_EQ(parsed_id("0XfF"), 255);
}

static void an_identifier_out_of_bounds_is_refused(void) {
    static const char *const wrong[] = {"",   "256", "0x100", "-1",  "+1",         " 1",  "1 ",
                                        "0x", "0xg", "1.0",   "abc", "4294967296", "0b01"};
    for (size_t i = 0; i < LB_COUNT(wrong); i++) {
        if (!CHECK_EQ(parsed_id(wrong[i]), -1))
            tap_note("CHAP_I=%s", wrong[i]);
    }
}

static uint8_t room[LB_CHAP_BINARY_MAX + 16];

/* Decodes into cap bytes of room; what lies behind them must stay as it was. */
static enum lb_chap_binary parse(struct lb_bytes value, size_t cap, size_t *len) {
    memset(room, 0xee, sizeof(room));
    enum lb_chap_binary result = lb_chap_parse_binary(value, lb_span(room, cap), len);
    for (size_t i = cap; i < sizeof(room); i++) {
        if (!CHECK_EQ(room[i], 0xee))
            break;
    }
    return result;
}

static void check_decodes(const char *value, const char *expected) {
    size_t len = 999;
    struct lb_bytes bytes = tap_hex(expected);
    if (!CHECK_EQ(parse(text(value), bytes.len, &len), LB_CHAP_BINARY_OK))
        tap_note("%s", value);
    CHECK_BYTES(lb_bytes(room, len), bytes);
    /* One byte less of room, and it is too long; one more changes nothing. */
    CHECK_EQ(parse(text(value), bytes.len - 1, &len), LB_CHAP_BINARY_TOO_LONG);
    CHECK_EQ(parse(text(value), bytes.len + 1, &len), LB_CHAP_BINARY_OK);
    CHECK_EQ(len, bytes.len);
}

static void check_refused(const char *value, enum lb_chap_binary why) {
    size_t len = 999;
    enum lb_chap_binary result = parse(text(value), LB_CHAP_BINARY_MAX, &len);
    if (!CHECK_EQ(result, why))
        tap_note("%s", value);
    CHECK_EQ(len, 999);
}

static void hex_values_are_decoded_in_either_case(void) {
    check_decodes("0x00", "00");
    check_decodes("0xABcd0f", "abcd0f");
    check_decodes("0X9f", "9f");
}

static void base64_values_are_decoded(void) {
    /* RFC 4648 section 10: "f" to "foobar" */
    check_decodes("0bZg==", "66");
    check_decodes("0bZm8=", "666f");
    check_decodes("0bZm9v", "666f6f");
    check_decodes("0bZm9vYg==", "666f6f62");
    check_decodes("0BZm9vYmE=", "666f6f6261");
    check_decodes("0bZm9vYmFy", "666f6f626172");
    check_decodes("0b+/+/", "fbffbf");
}

static void base64_without_its_padding_is_decoded_too(void) {
    check_decodes("0bZg", "66");
    check_decodes("0bZm8", "666f");
}

static void a_value_without_prefix_is_refused(void) {
    check_refused("", LB_CHAP_BINARY_NO_PREFIX);
    check_refused("0", LB_CHAP_BINARY_NO_PREFIX);
    check_refused("x0", LB_CHAP_BINARY_NO_PREFIX);
    check_refused("abcd", LB_CHAP_BINARY_NO_PREFIX);
    check_refused("1x00", LB_CHAP_BINARY_NO_PREFIX);
    check_refused("12345678", LB_CHAP_BINARY_NO_PREFIX); /* decimal is for numbers */
}

static void a_prefix_with_nothing_after_it_is_refused(void) {
    check_refused("0x", LB_CHAP_BINARY_EMPTY);
    check_refused("0X", LB_CHAP_BINARY_EMPTY);
    check_refused("0b", LB_CHAP_BINARY_EMPTY);
}

static void half_a_byte_is_refused(void) {
    check_refused("0xABC", LB_CHAP_BINARY_BAD_END);
    check_refused("0x0", LB_CHAP_BINARY_BAD_END);
    check_refused("0bZ", LB_CHAP_BINARY_BAD_END);
    check_refused("0bZm9vY", LB_CHAP_BINARY_BAD_END);
}

static void left_over_bits_that_are_not_zero_are_refused(void) {
    check_refused("0bZh==", LB_CHAP_BINARY_BAD_END);
    check_refused("0bZm9=", LB_CHAP_BINARY_BAD_END);
    check_refused("0bZh", LB_CHAP_BINARY_BAD_END);
}

static void a_character_that_is_no_digit_is_refused(void) {
    check_refused("0x0g", LB_CHAP_BINARY_BAD_DIGIT);
    check_refused("0xg0", LB_CHAP_BINARY_BAD_DIGIT);
    check_refused("0x 0", LB_CHAP_BINARY_BAD_DIGIT);
    check_refused("0x0x00", LB_CHAP_BINARY_BAD_DIGIT);
    check_refused("0xab\xff\xff", LB_CHAP_BINARY_BAD_DIGIT);
    check_refused("0bZm9-", LB_CHAP_BINARY_BAD_DIGIT);
    check_refused("0bZm\n=", LB_CHAP_BINARY_BAD_DIGIT);
    size_t len = 999;
    CHECK_EQ(parse(lb_bytes("0xab\0\0", 6), 16, &len), LB_CHAP_BINARY_BAD_DIGIT);
}

static void padding_in_the_wrong_place_is_refused(void) {
    check_refused("0b=", LB_CHAP_BINARY_BAD_DIGIT);
    check_refused("0b==", LB_CHAP_BINARY_BAD_DIGIT);
    check_refused("0b====", LB_CHAP_BINARY_BAD_DIGIT);
    check_refused("0bZ===", LB_CHAP_BINARY_BAD_DIGIT);
    check_refused("0bZg=", LB_CHAP_BINARY_BAD_DIGIT);
    check_refused("0bZm9v=", LB_CHAP_BINARY_BAD_DIGIT);
    check_refused("0bZm=v", LB_CHAP_BINARY_BAD_DIGIT);
    check_refused("0bZg==Zg==", LB_CHAP_BINARY_BAD_DIGIT);
}

/* "0x" or "0b", then n digits. */
static struct lb_bytes digits(char prefix, char digit, size_t n) {
    static char buffer[4 * LB_CHAP_BINARY_MAX];
    memset(buffer, digit, sizeof(buffer));
    buffer[0] = '0';
    buffer[1] = prefix;
    return lb_bytes(buffer, 2 + n);
}

static void a_challenge_of_1024_bytes_fits_and_one_of_1025_does_not(void) {
    size_t len = 999;
    CHECK_EQ(parse(digits('x', '5', 2048), LB_CHAP_BINARY_MAX, &len), LB_CHAP_BINARY_OK);
    CHECK_EQ(len, 1024);
    CHECK_EQ(parse(digits('x', '5', 2050), LB_CHAP_BINARY_MAX, &len), LB_CHAP_BINARY_TOO_LONG);
    CHECK_EQ(parse(digits('x', '5', 2049), LB_CHAP_BINARY_MAX, &len), LB_CHAP_BINARY_BAD_END);
    /* 1364 digits are 1023 bytes, 1366 are 1024 and four bits, 1367 are 1025 and two bits. */
    CHECK_EQ(parse(digits('b', 'A', 1366), LB_CHAP_BINARY_MAX, &len), LB_CHAP_BINARY_OK);
    CHECK_EQ(len, 1024);
    CHECK_EQ(parse(digits('b', 'A', 1367), LB_CHAP_BINARY_MAX, &len), LB_CHAP_BINARY_TOO_LONG);
}

static void a_response_longer_than_any_digest_does_not_fit(void) {
    struct lb_chap_response r;
    size_t len = 999;
    CHECK_EQ(lb_chap_parse_binary(digits('x', 'a', 64), lb_span(r.data, sizeof(r.data)), &len),
             LB_CHAP_BINARY_OK);
    CHECK_EQ(len, 32);
    CHECK_EQ(lb_chap_parse_binary(digits('x', 'a', 66), lb_span(r.data, sizeof(r.data)), &len),
             LB_CHAP_BINARY_TOO_LONG);
}

static void each_way_to_be_malformed_has_its_own_words(void) {
    for (int a = LB_CHAP_BINARY_OK; a <= LB_CHAP_BINARY_TOO_LONG; a++) {
        for (int b = LB_CHAP_BINARY_OK; b < a; b++)
            CHECK(!lb_streq(lb_chap_binary_explain((enum lb_chap_binary)a),
                            lb_chap_binary_explain((enum lb_chap_binary)b)));
    }
    CHECK_HAS(lb_chap_binary_explain(LB_CHAP_BINARY_BAD_END), "whole byte");
}

static void bytes_are_written_as_hex_and_as_base64(void) {
    char buffer[32];
    struct lb_text t = lb_text(buffer, sizeof(buffer));
    lb_chap_format_hex(&t, tap_hex("00a5ff"));
    CHECK_STR(buffer, "0x00a5ff");
    static const char *const foobar[] = {"0bZg==",     "0bZm8=",     "0bZm9v",
                                         "0bZm9vYg==", "0bZm9vYmE=", "0bZm9vYmFy"};
    for (size_t len = 1; len <= 6; len++) {
        t = lb_text(buffer, sizeof(buffer));
        lb_chap_format_base64(&t, lb_bytes("foobar", len));
        CHECK_STR(buffer, foobar[len - 1]);
    }
}

static void what_is_written_reads_back_at_every_length(void) {
    static char buffer[2 + 2 * LB_CHAP_BINARY_MAX + 1];
    uint8_t data[LB_CHAP_BINARY_MAX];
    struct lb_rand r = seeded(1);
    lb_rand_fill(&r, lb_span(data, sizeof(data)));
    for (size_t n = 1; n <= sizeof(data); n += n < 100 ? 1 : 77) {
        size_t len = 0;
        struct lb_text t = lb_text(buffer, 2 + 2 * n + 1);
        lb_chap_format_hex(&t, lb_bytes(data, n));
        CHECK(!t.cut);
        CHECK_EQ(parse(lb_bytes(buffer, t.len), n, &len), LB_CHAP_BINARY_OK);
        CHECK_BYTES(lb_bytes(room, len), lb_bytes(data, n));
        t = lb_text(buffer, 2 + (n + 2) / 3 * 4 + 1);
        lb_chap_format_base64(&t, lb_bytes(data, n));
        CHECK(!t.cut);
        CHECK_EQ(parse(lb_bytes(buffer, t.len), n, &len), LB_CHAP_BINARY_OK);
        CHECK_BYTES(lb_bytes(room, len), lb_bytes(data, n));
    }
}

/* ---- Secrets, challenges, responses ---- */

static struct lb_chap_challenge known_challenge(void) {
    struct lb_chap_challenge c = {.id = 0x2a, .len = 16};
    for (uint8_t i = 0; i < 16; i++)
        c.data[i] = i;
    return c;
}

static void check_response(struct lb_chap_alg alg, const char *expected) {
    struct lb_chap_challenge c = known_challenge();
    struct lb_chap_response r;
    struct lb_bytes secret = text("boot-secret-0123");
    lb_chap_respond(alg, secret, &c, &r);
    CHECK_BYTES(bytes_of(&r), tap_hex(expected));
    CHECK_EQ(lb_chap_verify(alg, secret, text(""), &c, bytes_of(&r)), LB_CHAP_GOOD);
}

static void responses_match_what_other_programs_compute(void) {
    check_response(md5, "dd53008e50bde0952280cb3e230c6046");
    check_response(sha1, "777c40f14a553bb7f3b062d05f9af0e21c1f8ca7");
    check_response(sha256, "31cc0e7953a65a2a04959bfd93f76dc5d7bafb8e61b854260c56d62b315e5451");
    check_response(sha3_256, "9f34017286bd5ead61e6bfa16be660ff803582e7020e55797f5619fb247e0fda");
    check_response(tgt_sha1, "777c40f14a553bb7f3b062d05f9af0e21c1f8ca7");
}

static void a_response_with_any_bit_wrong_is_refused(void) {
    struct lb_chap_challenge c = known_challenge();
    struct lb_chap_response r;
    struct lb_bytes secret = text("boot-secret-0123");
    lb_chap_respond(sha256, secret, &c, &r);
    for (size_t bit = 0; bit < 8 * r.len; bit++) {
        r.data[bit / 8] ^= 1u << bit % 8;
        CHECK_EQ(lb_chap_verify(sha256, secret, text(""), &c, bytes_of(&r)), LB_CHAP_WRONG);
        r.data[bit / 8] ^= 1u << bit % 8;
    }
    CHECK_EQ(lb_chap_verify(sha256, secret, text(""), &c, bytes_of(&r)), LB_CHAP_GOOD);
}

static void a_response_depends_on_identifier_secret_and_challenge(void) {
    struct lb_chap_challenge c = known_challenge(), other = c;
    struct lb_chap_response r;
    struct lb_bytes secret = text("boot-secret-0123");
    lb_chap_respond(md5, secret, &c, &r);
    other.id ^= 1;
    CHECK_EQ(lb_chap_verify(md5, secret, text(""), &other, bytes_of(&r)), LB_CHAP_WRONG);
    other = c;
    other.data[15] ^= 1;
    CHECK_EQ(lb_chap_verify(md5, secret, text(""), &other, bytes_of(&r)), LB_CHAP_WRONG);
    other = c;
    other.len--;
    CHECK_EQ(lb_chap_verify(md5, secret, text(""), &other, bytes_of(&r)), LB_CHAP_WRONG);
    CHECK_EQ(lb_chap_verify(md5, text("boot-secret-0124"), text(""), &c, bytes_of(&r)),
             LB_CHAP_WRONG);
}

static void a_response_of_another_digests_length_is_told_apart(void) {
    struct lb_chap_challenge c = known_challenge();
    struct lb_chap_response r;
    struct lb_bytes secret = text("boot-secret-0123");
    lb_chap_respond(tgt_sha1, secret, &c, &r); /* 20 bytes, where 7 should give 32 */
    CHECK_EQ(lb_chap_verify(sha256, secret, text(""), &c, bytes_of(&r)), LB_CHAP_WRONG_LENGTH);
    CHECK_EQ(lb_chap_verify(sha1, secret, text(""), &c, lb_bytes(r.data, 19)),
             LB_CHAP_WRONG_LENGTH);
    CHECK_EQ(lb_chap_verify(sha1, secret, text(""), &c, lb_bytes(r.data, 21)),
             LB_CHAP_WRONG_LENGTH);
    CHECK_EQ(lb_chap_verify(sha1, secret, text(""), &c, text("")), LB_CHAP_WRONG_LENGTH);
}

static void a_response_that_our_own_secret_gives_is_a_reflection(void) {
    struct lb_chap_challenge c = known_challenge();
    struct lb_chap_response r;
    struct lb_bytes own = text("initiators-own-secret"), peer = text("the-targets-secret");
    lb_chap_respond(sha256, own, &c, &r);
    CHECK_EQ(lb_chap_verify(sha256, peer, own, &c, bytes_of(&r)), LB_CHAP_REFLECTED);
    /* Also where somebody set both secrets to the same: nothing is proved then. */
    CHECK_EQ(lb_chap_verify(sha256, own, own, &c, bytes_of(&r)), LB_CHAP_REFLECTED);
    lb_chap_respond(sha256, peer, &c, &r);
    CHECK_EQ(lb_chap_verify(sha256, peer, own, &c, bytes_of(&r)), LB_CHAP_GOOD);
}

static void an_empty_secret_proves_nothing(void) {
    struct lb_chap_challenge c = known_challenge();
    struct lb_chap_response r;
    lb_chap_respond(sha256, text(""), &c, &r);
    CHECK_EQ(lb_chap_verify(sha256, text(""), text(""), &c, bytes_of(&r)), LB_CHAP_WRONG);
}

static void our_own_challenge_sent_back_is_a_reflection(void) {
    struct lb_rand rand = seeded(1);
    struct lb_chap_challenge ours, theirs;
    lb_chap_issue(&ours, &rand, LB_CHAP_CHALLENGE_BYTES);
    theirs = ours;
    CHECK(lb_chap_is_reflected(&theirs, &ours));
    theirs.id++; /* another identifier hides nothing */
    CHECK(lb_chap_is_reflected(&theirs, &ours));
    theirs.data[31] ^= 0x80;
    CHECK(!lb_chap_is_reflected(&theirs, &ours));
    theirs = ours;
    theirs.len--;
    CHECK(!lb_chap_is_reflected(&theirs, &ours));
}

static void challenges_do_not_repeat_and_fill_their_length(void) {
    struct lb_rand rand = seeded(1);
    struct lb_chap_challenge all[20];
    for (size_t i = 0; i < LB_COUNT(all); i++) {
        lb_chap_issue(&all[i], &rand, LB_CHAP_CHALLENGE_MIN);
        CHECK_EQ(all[i].len, LB_CHAP_CHALLENGE_MIN);
        for (size_t k = 0; k < i; k++)
            CHECK(!lb_chap_is_reflected(&all[i], &all[k]));
    }
    lb_chap_issue(&all[0], &rand, LB_CHAP_BINARY_MAX);
    CHECK_EQ(all[0].len, LB_CHAP_BINARY_MAX);
    CHECK(all[0].data[1023] != 0 || all[0].data[1022] != 0 || all[0].data[1021] != 0);
}

static void mutual_authentication_works_both_ways(void) {
    struct lb_rand rand = seeded(9);
    struct lb_bytes user = text("initiator-secret"), back = text("target-secret-01");
    struct lb_chap_challenge from_target, from_initiator;
    struct lb_chap_response r;
    lb_chap_issue(&from_target, &rand, LB_CHAP_CHALLENGE_BYTES);
    lb_chap_issue(&from_initiator, &rand, LB_CHAP_CHALLENGE_BYTES);
    lb_chap_respond(sha3_256, user, &from_target, &r);
    CHECK_EQ(lb_chap_verify(sha3_256, user, back, &from_target, bytes_of(&r)), LB_CHAP_GOOD);
    lb_chap_respond(sha3_256, back, &from_initiator, &r);
    CHECK_EQ(lb_chap_verify(sha3_256, back, user, &from_initiator, bytes_of(&r)), LB_CHAP_GOOD);
}

static void a_secret_of_96_bits_is_long_enough(void) {
    CHECK(!lb_chap_secret_is_long_enough(text("")));
    CHECK(!lb_chap_secret_is_long_enough(text("elevenbytes")));
    CHECK(lb_chap_secret_is_long_enough(text("twelve-bytes")));
}

static void equal_secrets_are_seen(void) {
    CHECK(lb_chap_secrets_are_equal(text("twelve-bytes"), text("twelve-bytes")));
    CHECK(!lb_chap_secrets_are_equal(text("twelve-bytes"), text("twelve-bytez")));
    CHECK(!lb_chap_secrets_are_equal(text("twelve-bytes"), text("twelve-bytes!")));
}

int main(void) {
    TEST(the_default_offer_is_strongest_first_and_has_md5);
    TEST(a_configured_list_keeps_its_order);
    TEST(tgts_private_seven_is_sha1);
    TEST(a_configured_list_with_a_mistake_is_refused);
    TEST(only_an_algorithm_that_we_offered_is_accepted);
    TEST(the_asking_side_takes_the_first_it_knows_of_the_peers_order);
    TEST(algorithms_have_names);
    TEST(an_identifier_is_0_to_255_in_decimal_or_hex);
    TEST(an_identifier_out_of_bounds_is_refused);
    TEST(hex_values_are_decoded_in_either_case);
    TEST(base64_values_are_decoded);
    TEST(base64_without_its_padding_is_decoded_too);
    TEST(a_value_without_prefix_is_refused);
    TEST(a_prefix_with_nothing_after_it_is_refused);
    TEST(half_a_byte_is_refused);
    TEST(left_over_bits_that_are_not_zero_are_refused);
    TEST(a_character_that_is_no_digit_is_refused);
    TEST(padding_in_the_wrong_place_is_refused);
    TEST(a_challenge_of_1024_bytes_fits_and_one_of_1025_does_not);
    TEST(a_response_longer_than_any_digest_does_not_fit);
    TEST(each_way_to_be_malformed_has_its_own_words);
    TEST(bytes_are_written_as_hex_and_as_base64);
    TEST(what_is_written_reads_back_at_every_length);
    TEST(responses_match_what_other_programs_compute);
    TEST(a_response_with_any_bit_wrong_is_refused);
    TEST(a_response_depends_on_identifier_secret_and_challenge);
    TEST(a_response_of_another_digests_length_is_told_apart);
    TEST(a_response_that_our_own_secret_gives_is_a_reflection);
    TEST(an_empty_secret_proves_nothing);
    TEST(our_own_challenge_sent_back_is_a_reflection);
    TEST(challenges_do_not_repeat_and_fill_their_length);
    TEST(mutual_authentication_works_both_ways);
    TEST(a_secret_of_96_bits_is_long_enough);
    TEST(equal_secrets_are_seen);
    return tap_done();
}
