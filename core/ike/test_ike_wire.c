/* Messages of IKEv2 as bytes: the protocol sheet's payloads, both ways, and what is malformed. */
#include "core/base/text.h"
#include "core/ike/ike_wire.h"
#include "tests/tap.h"

static uint8_t room[LB_IKE_MESSAGE_MAX];

static struct lb_ike_out begin(void) {
    struct lb_ike_header header = {.exchange = LB_IKE_SA_INIT, .flags = LB_IKE_FLAG_INITIATOR};
    return lb_ike_begin(lb_span(room, sizeof room), &header);
}

static void is_hex(struct lb_bytes bytes, const char *expected) {
    char text[300];
    struct lb_text wr = lb_text(text, sizeof text);
    lb_text_hex(&wr, bytes);
    CHECK_STR(text, expected);
}

static struct lb_bytes payload(const struct lb_ike_out *out, size_t at) {
    return lb_bytes(out->wr.start + at, out->wr.len - at);
}

static const struct lb_ipsec_selector selector = {
    .local = {.family = LB_V4, .bytes = {192, 0, 2, 100}},
    .remote = {.family = LB_V4, .bytes = {192, 0, 2, 3}},
    .protocol = 6,
    .local_last = 65535,
    .remote_first = 3260,
    .remote_last = 3260,
};

static void payloads_are_the_sheets(void) {
    struct lb_ike_choice ike = {.number = 1, .key_bytes = 32, .group = LB_DH_P256};
    struct lb_ike_out out = begin();
    size_t at = out.wr.len;
    lb_ike_put_choice(&out, LB_IKE_PROTO_IKE, lb_bytes(NULL, 0), &ike);
    is_hex(payload(&out, at), "0000002800000024010100030300000c01000014800e0100030000080200000500"
                              "00000804000013");
    out = begin();
    lb_ike_put_ts(&out, LB_IKE_P_TSI, &selector, true);
    is_hex(payload(&out, at), "0000001801000000070600100000ffffc0000264c0000264");
    out = begin();
    lb_ike_put_ts(&out, LB_IKE_P_TSR, &selector, false);
    is_hex(payload(&out, at), "0000001801000000070600100cbc0cbcc0000203c0000203");
    out = begin();
    lb_ike_put_notify(&out, LB_IKE_N_TRANSPORT, 0, lb_bytes(NULL, 0));
    is_hex(payload(&out, at), "0000000800004007");
}

static void what_is_written_is_read(void) {
    struct lb_ike_header header;
    struct lb_ike_parsed parsed;
    struct lb_ike_choice choice;
    struct lb_ike_out out = begin();
    uint8_t spi[4];
    lb_ike_put_offer(&out, LB_IKE_PROTO_ESP, lb_ike_spi(0xc0ffee02, spi), LB_DH_X25519);
    lb_ike_put(&out, LB_IKE_P_NONCE, lb_bytes("0123456789abcdef", 16));
    lb_ike_put_ts(&out, LB_IKE_P_TSI, &selector, true);
    lb_ike_put_ts(&out, LB_IKE_P_TSR, &selector, false);
    lb_ike_put_notify(&out, LB_IKE_N_REKEY_SA, 0x12345678, lb_bytes(NULL, 0));
    lb_wr_u32_at(&out.wr, 24, (uint32_t)out.wr.len);
    struct lb_bytes message = lb_wr_done(&out.wr);
    CHECK(lb_ike_read_header(message, &header));
    CHECK(lb_ike_parse(header.next, lb_bytes_after(message, LB_IKE_HEADER_BYTES), &parsed));
    CHECK_EQ(parsed.rekey_spi, 0x12345678);
    CHECK_EQ(parsed.nonce.len, 16);
    struct lb_ipsec_selector agreed = {.protocol = 0};
    CHECK(lb_ike_narrow_ts(parsed.ts_i, &selector, &selector, true, false, &agreed));
    CHECK_EQ(agreed.protocol, 6);
    CHECK_EQ(agreed.local_last, 65535);
    CHECK(!lb_ike_narrow_ts(parsed.ts_i, &selector, &selector, false, false, &agreed));
    CHECK(lb_ike_choose(parsed.sa, LB_IKE_PROTO_ESP, true, LB_DH_P256, false, &choice));
    CHECK_EQ(choice.group, LB_DH_P256);
    CHECK_EQ(choice.key_bytes, 32);
    CHECK(choice.has_esn && choice.spi_len == 4);
    /* An offer is no answer, and one of ESP is none for IKE. */
    CHECK(!lb_ike_choose(parsed.sa, LB_IKE_PROTO_ESP, true, 0, true, &choice));
    CHECK(!lb_ike_choose(parsed.sa, LB_IKE_PROTO_IKE, true, 0, false, &choice));
}

static void every_truncation_is_refused(void) {
    struct lb_ike_parsed parsed;
    struct lb_ike_choice choice;
    struct lb_ike_out out = begin();
    lb_ike_put_offer(&out, LB_IKE_PROTO_IKE, lb_bytes(NULL, 0), LB_DH_X25519);
    lb_ike_put(&out, LB_IKE_P_NONCE, lb_bytes("0123456789abcdef", 16));
    struct lb_bytes body = lb_bytes_after(lb_wr_done(&out.wr), LB_IKE_HEADER_BYTES);
    CHECK(lb_ike_parse(LB_IKE_P_SA, body, &parsed));
    for (size_t len = 0; len < body.len; len++)
        CHECK(!lb_ike_parse(LB_IKE_P_SA, lb_bytes(body.p, len), &parsed));
    struct lb_bytes sa = parsed.sa;
    for (size_t len = 0; len < sa.len; len++)
        CHECK(!lb_ike_choose(lb_bytes(sa.p, len), LB_IKE_PROTO_IKE, true, 0, false, &choice));
}

static void what_is_unknown_is_passed_over_unless_it_is_critical(void) {
    struct lb_ike_parsed parsed;
    uint8_t bytes[] = {LB_IKE_NONE, 0, 0, 6, 1, 2};
    CHECK(lb_ike_parse(LB_IKE_P_VENDOR, lb_bytes(bytes, 6), &parsed));
    CHECK(lb_ike_parse(99, lb_bytes(bytes, 6), &parsed));
    bytes[1] = 0x80;
    CHECK(!lb_ike_parse(99, lb_bytes(bytes, 6), &parsed));
}

static void a_payload_twice_is_malformed(void) {
    struct lb_ike_parsed parsed;
    struct lb_ike_out out = begin();
    lb_ike_put(&out, LB_IKE_P_IDI, lb_bytes("abcdefgh", 8));
    lb_ike_put(&out, LB_IKE_P_IDI, lb_bytes("abcdefgh", 8));
    CHECK(!lb_ike_parse(LB_IKE_P_IDI, lb_bytes_after(lb_wr_done(&out.wr), LB_IKE_HEADER_BYTES),
                        &parsed));
}

static void an_answer_has_one_transform_of_a_kind_and_none_beside(void) {
    struct lb_ike_choice ours = {.number = 1, .key_bytes = 16, .group = LB_DH_X25519}, choice;
    struct lb_ike_out out = begin();
    lb_ike_put_choice(&out, LB_IKE_PROTO_IKE, lb_bytes(NULL, 0), &ours);
    struct lb_bytes sa = lb_bytes_after(lb_wr_done(&out.wr), 32);
    CHECK(lb_ike_choose(sa, LB_IKE_PROTO_IKE, true, 0, true, &choice));
    CHECK_EQ(choice.key_bytes, 16);
    for (size_t at = 0; at < sa.len; at++) { /* a byte of it changed is another answer, or none */
        room[32 + at] ^= 0x40;
        CHECK(!lb_ike_choose(sa, LB_IKE_PROTO_IKE, true, 0, true, &choice) ||
              (at == 1 || at == 4 || at == 9 || at == 13 || at == 21 || at == 25 || at == 29 ||
               at == 33 || at == 8 || at == 20 || at == 28));
        room[32 + at] ^= 0x40;
    }
}

static void selectors_that_are_wider_are_ours_within(void) {
    static const uint8_t any[] = {1,    0,    0, 0, 7, 0, 0,   16,  0,   0,
                                  0xff, 0xff, 0, 0, 0, 0, 255, 255, 255, 255};
    struct lb_bytes wide = lb_bytes(any, sizeof any);
    struct lb_ipsec_selector agreed = selector;
    CHECK(lb_ike_has_ts(wide, &selector, true, false) &&
          lb_ike_has_ts(wide, &selector, false, false));
    CHECK(!lb_ike_narrow_ts(wide, &selector, &selector, true, false, &agreed));
    for (size_t len = 0; len < wide.len; len++)
        CHECK(!lb_ike_has_ts(lb_bytes(any, len), &selector, true, false));
}

/* It is left where it is, and read again and again, unless that is seen. */
static void an_attribute_that_runs_past_its_transform_comes_to_an_end(void) {
    static const uint8_t sa[] = {
        0, 0,    0, 24, 1, LB_IKE_PROTO_IKE, 0, 1, 0, 0, 0, 16, 1, 0, 0, 20, 0, 14, 1,
        0, 0x80, 0, 0,  0};
    struct lb_ike_choice choice;
    CHECK(!lb_ike_choose(lb_bytes(sa, sizeof sa), LB_IKE_PROTO_IKE, true, 0, false, &choice));
}

/* Of one transform: its type, its number and, for a cipher, the bits of its key; 0: none. */
struct offered {
    uint8_t type;
    uint16_t id, bits;
};

/* Whether we take this proposal. */
static bool takes(uint8_t protocol, bool needs_group, bool is_answer, const struct offered *list,
                  size_t count, struct lb_ike_choice *choice) {
    static uint8_t bytes[200];
    struct lb_wr wr = lb_wr(lb_span(bytes, sizeof bytes));
    lb_wr_u16(&wr, 0);
    lb_wr_u16(&wr, 0); /* the length, below */
    lb_wr_u8(&wr, 1);
    lb_wr_u8(&wr, protocol);
    lb_wr_u8(&wr, protocol == LB_IKE_PROTO_ESP ? 4 : 0);
    lb_wr_u8(&wr, (uint8_t)count);
    if (protocol == LB_IKE_PROTO_ESP)
        lb_wr_u32(&wr, 0xc0ffee02);
    for (size_t i = 0; i < count; i++) {
        lb_wr_u16(&wr, i + 1 < count ? 0x0300 : 0);
        lb_wr_u16(&wr, list[i].bits != 0 ? 12 : 8);
        lb_wr_u8(&wr, list[i].type);
        lb_wr_u8(&wr, 0);
        lb_wr_u16(&wr, list[i].id);
        if (list[i].bits != 0) {
            lb_wr_u16(&wr, 0x800e);
            lb_wr_u16(&wr, list[i].bits);
        }
    }
    lb_wr_u16_at(&wr, 2, (uint16_t)wr.len);
    return lb_ike_choose(lb_wr_done(&wr), protocol, needs_group, LB_DH_X25519, is_answer, choice);
}

#define TAKES(protocol, needs_group, is_answer, ...)                                               \
    takes(protocol, needs_group, is_answer, (const struct offered[]){__VA_ARGS__},                 \
          sizeof((const struct offered[]){__VA_ARGS__}) / sizeof(struct offered), &choice)

enum { ENCR = 1, PRF = 2, INTEG = 3, DH = 4, ESN = 5 };

/* RFC 7296 3.3.3: ESP needs a cipher and a word on long sequence numbers, IKE a PRF and a group. */
static void a_proposal_has_one_of_each_kind_that_is_needed(void) {
    struct lb_ike_choice choice;
    CHECK(TAKES(LB_IKE_PROTO_ESP, false, true, {ENCR, 20, 256}, {ESN, 0, 0}));
    CHECK(!choice.has_esn);
    CHECK_EQ(choice.key_bytes, 32);
    CHECK(TAKES(LB_IKE_PROTO_ESP, false, true, {ENCR, 20, 128}, {ESN, 1, 0}));
    CHECK(choice.has_esn);
    CHECK_EQ(choice.key_bytes, 16);
    CHECK(TAKES(LB_IKE_PROTO_ESP, false, false, {ENCR, 20, 128}, {ENCR, 20, 256}, {ESN, 0, 0}));
    CHECK_EQ(choice.key_bytes, 32); /* the longer one */
    CHECK(!TAKES(LB_IKE_PROTO_ESP, false, false, {ENCR, 20, 256}));
    CHECK(!TAKES(LB_IKE_PROTO_ESP, false, false, {ENCR, 20, 256}, {DH, 0, 0}));
    CHECK(!TAKES(LB_IKE_PROTO_ESP, false, false, {ENCR, 20, 256}, {INTEG, 0, 0}));
    CHECK(!TAKES(LB_IKE_PROTO_ESP, false, false, {ENCR, 20, 256}, {ESN, 2, 0}));
    CHECK(!TAKES(LB_IKE_PROTO_ESP, false, false, {ENCR, 20, 192}, {ESN, 0, 0}));
    CHECK(!TAKES(LB_IKE_PROTO_ESP, false, false, {ENCR, 12, 256}, {ESN, 0, 0}));
    CHECK(!TAKES(LB_IKE_PROTO_ESP, false, false, {PRF, 20, 256}, {ESN, 0, 0}));
    CHECK(!TAKES(LB_IKE_PROTO_ESP, false, false, {ENCR, 20, 256}, {ESN, 0, 0}, {6, 0, 0}));
    CHECK(!TAKES(LB_IKE_PROTO_ESP, false, false, {ENCR, 20, 256}, {ESN, 0, 0}, {0, 0, 0}));
    CHECK(TAKES(LB_IKE_PROTO_IKE, true, true, {ENCR, 20, 256}, {PRF, 5, 0}, {DH, 31, 0}));
    CHECK_EQ(choice.group, LB_DH_X25519);
    CHECK(!TAKES(LB_IKE_PROTO_IKE, true, false, {ENCR, 20, 256}, {PRF, 2, 0}, {DH, 31, 0}));
    CHECK(!TAKES(LB_IKE_PROTO_IKE, true, false, {ENCR, 20, 256}, {DH, 31, 0}, {ESN, 0, 0}));
    CHECK(!TAKES(LB_IKE_PROTO_IKE, true, false, {ENCR, 20, 256}, {PRF, 5, 0}, {DH, 14, 0}));
    CHECK(!TAKES(LB_IKE_PROTO_IKE, true, false, {ENCR, 20, 256}, {PRF, 5, 0}));
}

static void the_group_that_is_wanted_goes_before_the_first(void) {
    struct lb_ike_choice choice;
    CHECK(TAKES(LB_IKE_PROTO_IKE, true, false, {ENCR, 20, 256}, {PRF, 5, 0}, {DH, 19, 0},
                {DH, 31, 0}));
    CHECK_EQ(choice.group, LB_DH_X25519);
    CHECK(TAKES(LB_IKE_PROTO_IKE, true, false, {ENCR, 20, 256}, {PRF, 5, 0}, {DH, 14, 0},
                {DH, 19, 0}));
    CHECK_EQ(choice.group, LB_DH_P256);
}

static void an_answer_with_a_second_of_a_kind_is_none(void) {
    struct lb_ike_choice choice;
    CHECK(!TAKES(LB_IKE_PROTO_ESP, false, true, {ENCR, 20, 256}, {ENCR, 20, 128}, {ESN, 0, 0}));
    CHECK(!TAKES(LB_IKE_PROTO_ESP, false, true, {ENCR, 20, 256}, {ESN, 0, 0}, {ESN, 1, 0}));
    CHECK(!TAKES(LB_IKE_PROTO_ESP, false, true, {ENCR, 20, 256}, {ESN, 0, 0}, {DH, 31, 0}));
    CHECK(!TAKES(LB_IKE_PROTO_ESP, false, true, {ENCR, 20, 256}, {ESN, 0, 0}, {INTEG, 0, 0}));
    CHECK(!TAKES(LB_IKE_PROTO_ESP, false, true, {ENCR, 20, 256}, {ESN, 0, 0}, {PRF, 5, 0}));
    CHECK(!TAKES(LB_IKE_PROTO_IKE, true, true, {ENCR, 20, 256}, {PRF, 5, 0}, {PRF, 5, 0},
                 {DH, 31, 0}));
    CHECK(!TAKES(LB_IKE_PROTO_IKE, true, true, {ENCR, 20, 256}, {PRF, 5, 0}, {DH, 19, 0},
                 {DH, 31, 0}));
}

int main(void) {
    TEST(payloads_are_the_sheets);
    TEST(what_is_written_is_read);
    TEST(every_truncation_is_refused);
    TEST(what_is_unknown_is_passed_over_unless_it_is_critical);
    TEST(a_payload_twice_is_malformed);
    TEST(an_answer_has_one_transform_of_a_kind_and_none_beside);
    TEST(selectors_that_are_wider_are_ours_within);
    TEST(an_attribute_that_runs_past_its_transform_comes_to_an_end);
    TEST(a_proposal_has_one_of_each_kind_that_is_needed);
    TEST(the_group_that_is_wanted_goes_before_the_first);
    TEST(an_answer_with_a_second_of_a_kind_is_none);
    return tap_done();
}
