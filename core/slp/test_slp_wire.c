/* SLP bytes: vectors both ways, every truncation, and each rule about malformed messages. */
#include "core/slp/test_slp.h"
#include "tests/tap.h"

static struct lb_slp_header header;
static struct lb_bytes body;
static const char *why;

static bool decode(struct lb_bytes message) {
    why = NULL;
    return lb_slp_decode(message, &header, &body, &why);
}

static struct lb_bytes changed(const char *hex, size_t at, uint8_t value) {
    static uint8_t copy[512];
    struct lb_bytes bytes = tap_hex(hex);
    CHECK(bytes.len <= sizeof copy && at < bytes.len);
    memcpy(copy, bytes.p, bytes.len);
    copy[at] = value;
    return lb_bytes(copy, bytes.len);
}

/* ---- vectors ---- */

static void a_service_request_is_read(void) {
    struct lb_slp_request request;
    CHECK(decode(tap_hex(VECTOR_REQUEST)));
    CHECK_EQ(header.function, LB_SLP_SRV_RQST);
    CHECK_EQ(header.flags, LB_SLP_MCAST);
    CHECK_EQ(header.length, 96);
    CHECK_EQ(header.xid, 0x1234);
    CHECK_BYTES(header.language, text("en"));
    CHECK(lb_slp_decode_request(body, &request));
    CHECK_EQ(request.responders.len, 0);
    CHECK_BYTES(request.type, text(TEST_TYPE));
    CHECK_BYTES(request.scopes, text("DEFAULT"));
    CHECK_BYTES(request.predicate, text("(iscsi-name=" TEST_TARGET ")"));
    CHECK_EQ(request.spi.len, 0);
}

static void a_service_request_is_written(void) {
    uint8_t room[200];
    struct lb_wr wr = lb_wr(lb_span(room, sizeof room));
    struct lb_slp_request request = {
        .type = text(TEST_TYPE),
        .scopes = text("DEFAULT"),
        .predicate = text("(iscsi-name=" TEST_TARGET ")"),
    };
    lb_slp_begin(&wr, LB_SLP_SRV_RQST, LB_SLP_MCAST, 0x1234, text("en"));
    lb_slp_put_request(&wr, &request);
    CHECK_BYTES(lb_slp_finish(&wr), tap_hex(VECTOR_REQUEST));
}

static void a_service_reply_is_read(void) {
    CHECK(decode(tap_hex(VECTOR_REPLY)));
    CHECK_EQ(header.function, LB_SLP_SRV_RPLY);
    struct lb_rd rd = lb_rd(body);
    CHECK_EQ(lb_rd_u16(&rd), 0);
    CHECK_EQ(lb_rd_u16(&rd), 1);
    struct lb_slp_entry entry = lb_slp_rd_entry(&rd);
    CHECK(lb_rd_done(&rd));
    CHECK_EQ(entry.lifetime_s, 300);
    CHECK_BYTES(entry.url, text(TEST_URL));
}

static void a_service_reply_is_written(void) {
    uint8_t room[200];
    struct lb_wr wr = lb_wr(lb_span(room, sizeof room));
    lb_slp_begin(&wr, LB_SLP_SRV_RPLY, 0, 0x1234, text("en"));
    lb_wr_u16(&wr, 0);
    lb_wr_u16(&wr, 1);
    lb_slp_put_entry(&wr, 300, text(TEST_URL));
    CHECK_BYTES(lb_slp_finish(&wr), tap_hex(VECTOR_REPLY));
}

/* ---- malformed ---- */

static void every_truncation_is_refused(void) {
    static const char *const vectors[] = {VECTOR_REQUEST, VECTOR_REPLY};
    for (size_t i = 0; i < LB_COUNT(vectors); i++) {
        struct lb_bytes whole = tap_hex(vectors[i]);
        for (size_t len = 0; len < whole.len; len++) {
            CHECK(!decode(lb_bytes(whole.p, len)));
            CHECK(why != NULL);
        }
    }
}

static void a_length_other_than_that_of_the_datagram_is_refused(void) {
    CHECK(!decode(changed(VECTOR_REPLY, 4, 0x5d)));
    CHECK_STR(why, "not as long as it says");
    CHECK(!decode(changed(VECTOR_REPLY, 4, 0x5f)));
    CHECK(!decode(changed(VECTOR_REPLY, 2, 0xff)));
}

static void a_length_shorter_than_the_header_is_refused(void) {
    CHECK(!decode(changed(VECTOR_REPLY, 4, 15)));
    CHECK_STR(why, "length shorter than the header");
    CHECK(!decode(changed(VECTOR_REPLY, 4, 0)));
}

static void another_version_is_refused(void) {
    CHECK(!decode(changed(VECTOR_REPLY, 0, 1)));
    CHECK_STR(why, "not SLP version 2");
    CHECK(!decode(changed(VECTOR_REPLY, 0, 3)));
}

static void a_long_language_tag_is_refused(void) {
    CHECK(!decode(changed(VECTOR_REPLY, 12, 1)));
    CHECK_STR(why, "language tag too long");
    CHECK(!decode(changed(VECTOR_REPLY, 13, 65)));
    /* Within the bounds of tags, yet out of the message. */
    CHECK(!decode(tap_hex("020200001e 0000 000000 1234 0040 656e 0000 0000 00000000 00000000")));
}

static void a_string_that_runs_past_the_end_is_refused(void) {
    struct lb_slp_request request;
    for (size_t at = 16; at < 96; at++) {
        if (!decode(changed(VECTOR_REQUEST, at, 0xff)))
            continue;
        bool is_length = at == 16 || at == 18 || at == 40 || at == 49 || at == 94;
        if (is_length)
            CHECK(!lb_slp_decode_request(body, &request));
    }
}

static void bytes_behind_the_last_field_are_refused(void) {
    struct lb_slp_request request;
    struct lb_bytes longer = tap_hex("0201000019 0000 000000 1234 0002656e"
                                     "0000 0000 0000 0000 00");
    CHECK(decode(longer));
    CHECK(!lb_slp_decode_request(body, &request));
}

static void strings_that_are_not_utf8_are_refused(void) {
    struct lb_slp_request request;
    CHECK(decode(changed(VECTOR_REQUEST, 20, 0xc3)));
    CHECK(!lb_slp_decode_request(body, &request));
    CHECK(decode(changed(VECTOR_REQUEST, 60, 0x80)));
    CHECK(!lb_slp_decode_request(body, &request));
}

/* An AttrRply of 21 bytes with extensions behind it. */
#define REPLY_21(length, extension) "0207" length "0000" extension "1234 0002656e 0000 0000"

static void extensions_are_passed_over(void) {
    CHECK(decode(tap_hex(REPLY_21("00001c", "000015") "00 0001 000000 ffff")));
    CHECK(!header.must_understand);
    CHECK_EQ(body.len, 5);
    CHECK(decode(tap_hex(REPLY_21("000021", "000015") "00 8001 00001b ff 0002 000000 01")));
}

static void an_extension_that_has_to_be_understood_is_told(void) {
    CHECK(decode(tap_hex(REPLY_21("00001c", "000015") "00 4000 000000 ffff")));
    CHECK(header.must_understand);
    CHECK(decode(tap_hex(REPLY_21("000020", "000015") "00 0001 00001b ff 7fff 000000 ")));
    CHECK(header.must_understand);
}

static void extensions_that_run_in_circles_are_refused(void) {
    CHECK(!decode(tap_hex(REPLY_21("00001c", "000015") "00 0001 000015 ffff")));
    CHECK_STR(why, "a broken chain of extensions");
    CHECK(!decode(tap_hex(REPLY_21("00001c", "000015") "00 0001 000010 ffff")));
}

static void extensions_out_of_the_message_are_refused(void) {
    CHECK(!decode(tap_hex(REPLY_21("00001c", "00001c") "00 0001 000000 ffff")));
    CHECK_STR(why, "extension out of the message");
    CHECK(!decode(tap_hex(REPLY_21("00001c", "00000f") "00 0001 000000 ffff")));
    CHECK(!decode(tap_hex(REPLY_21("00001c", "00001b") "00 0001 000000 ffff")));
    CHECK(!decode(tap_hex(REPLY_21("00001c", "000015") "00 0001 00001c ffff")));
}

static void authentication_blocks_are_passed_over(void) {
    struct lb_rd rd = lb_rd(tap_hex("00 012c 0001 61 01 0002 000c 00000000 0000 ffff"));
    CHECK_BYTES(lb_slp_rd_entry(&rd).url, text("a"));
    CHECK(lb_rd_done(&rd));
    rd = lb_rd(tap_hex("00 012c 0001 61 02 0002 000a 00000000 0000 0002 000b 00000000 0000 ff"));
    lb_slp_rd_entry(&rd);
    CHECK(lb_rd_done(&rd));
}

static void an_authentication_block_shorter_than_its_header_is_refused(void) {
    struct lb_rd rd = lb_rd(tap_hex("00 012c 0001 61 01 0002 0009 00000000 0000 ffff"));
    lb_slp_rd_entry(&rd);
    CHECK(!lb_rd_ok(&rd));
    rd = lb_rd(tap_hex("00 012c 0001 61 01 0002 0000 00000000 0000 ffff"));
    lb_slp_rd_entry(&rd);
    CHECK(!lb_rd_ok(&rd));
}

static void an_authentication_block_past_the_end_is_refused(void) {
    struct lb_rd rd = lb_rd(tap_hex("00 012c 0001 61 01 0002 000d 00000000 0000 ffff"));
    lb_slp_rd_entry(&rd);
    CHECK(!lb_rd_ok(&rd));
    rd = lb_rd(tap_hex("00 012c 0001 61 ff"));
    lb_slp_rd_entry(&rd);
    CHECK(!lb_rd_ok(&rd));
}

static void an_error_needs_no_more_than_itself(void) {
    struct lb_slp_da_advert advert;
    struct lb_slp_attr_reply reply;
    uint16_t error;
    CHECK(lb_slp_decode_da_advert(tap_hex("0004"), &advert));
    CHECK_EQ(advert.error, LB_SLP_SCOPE_NOT_SUPPORTED);
    CHECK(lb_slp_decode_attr_reply(tap_hex("000b"), &reply));
    CHECK_EQ(reply.error, LB_SLP_BUSY);
    CHECK(lb_slp_decode_ack(tap_hex("000d"), &error));
    CHECK_EQ(error, LB_SLP_INVALID_UPDATE);
    CHECK(!lb_slp_decode_da_advert(tap_hex("00"), &advert));
    CHECK(!lb_slp_decode_attr_reply(tap_hex("0000"), &reply));
    CHECK(!lb_slp_decode_ack(tap_hex("00"), &error));
}

static void adverts_are_read_and_their_truncations_refused(void) {
    struct lb_slp_da_advert da;
    struct lb_slp_sa_advert sa;
    struct lb_bytes da_body = tap_hex("0000 00000007 0001 75 0002 7363 0003 283d29 0000 00");
    struct lb_bytes sa_body = tap_hex("0001 75 0002 7363 0000 00");
    CHECK(lb_slp_decode_da_advert(da_body, &da));
    CHECK_EQ(da.boot_s, 7);
    CHECK_BYTES(da.url, text("u"));
    CHECK_BYTES(da.scopes, text("sc"));
    CHECK(lb_slp_decode_sa_advert(sa_body, &sa));
    CHECK_BYTES(sa.scopes, text("sc"));
    for (size_t len = 0; len < da_body.len; len++)
        CHECK(!lb_slp_decode_da_advert(lb_bytes(da_body.p, len), &da));
    for (size_t len = 0; len < sa_body.len; len++)
        CHECK(!lb_slp_decode_sa_advert(lb_bytes(sa_body.p, len), &sa));
}

static void registrations_are_read_and_their_truncations_refused(void) {
    struct lb_slp_reg reg;
    struct lb_bytes reg_body = tap_hex("00 012c 0001 75 00 0001 74 0001 73 0002 2829 00");
    struct lb_bytes dereg_body = tap_hex("0001 73 00 012c 0001 75 00 0000");
    CHECK(lb_slp_decode_reg(reg_body, &reg));
    CHECK_BYTES(reg.entry.url, text("u"));
    CHECK_BYTES(reg.type, text("t"));
    CHECK_BYTES(reg.attributes, text("()"));
    CHECK(lb_slp_decode_dereg(dereg_body, &reg));
    CHECK_BYTES(reg.scopes, text("s"));
    for (size_t len = 0; len < reg_body.len; len++)
        CHECK(!lb_slp_decode_reg(lb_bytes(reg_body.p, len), &reg));
    for (size_t len = 0; len < dereg_body.len; len++)
        CHECK(!lb_slp_decode_dereg(lb_bytes(dereg_body.p, len), &reg));
}

static void a_header_in_pieces_is_waited_for(void) {
    struct lb_bytes whole = tap_hex(VECTOR_REPLY);
    for (size_t len = 0; len <= whole.len; len++) {
        enum lb_slp_peek peek = lb_slp_peek(lb_bytes(whole.p, len), &header, &why);
        CHECK_EQ(peek, len < 16 ? LB_SLP_PEEK_MORE : LB_SLP_PEEK_GOOD);
    }
    CHECK_EQ(lb_slp_peek(tap_hex("01"), &header, &why), LB_SLP_PEEK_BAD);
}

static void what_does_not_fit_is_not_written(void) {
    uint8_t room[40];
    struct lb_wr wr = lb_wr(lb_span(room, sizeof room));
    lb_slp_begin(&wr, LB_SLP_SRV_RPLY, 0, 1, text("en"));
    lb_slp_put_entry(&wr, 1, text(TEST_URL));
    CHECK_EQ(lb_slp_finish(&wr).len, 0);
}

/* ---- groups ---- */

static const char *group(enum lb_slp_function function, const char *type, uint8_t scope) {
    static struct lb_addr_text shown;
    shown = lb_addr_text(lb_slp_group(LB_V6, function, type, scope));
    return shown.s;
}

static void requests_go_to_the_groups_of_rfc_3111(void) {
    CHECK_STR(group(LB_SLP_SRV_RQST, LB_SLP_TYPE_TARGET, 5), "ff05::1:13e7");
    CHECK_STR(group(LB_SLP_SRV_RQST, LB_SLP_TYPE_SMS, 2), "ff02::1:12f3");
    CHECK_STR(group(LB_SLP_SRV_RQST, "service:iscsi", 5), "ff05::1:1246");
    CHECK_STR(group(LB_SLP_SRV_RQST, LB_SLP_TYPE_SERVICE, 1), "ff01::1:11d8");
    CHECK_STR(group(LB_SLP_SRV_RQST, LB_SLP_TYPE_DIRECTORY, 5), "ff05::123");
    CHECK_STR(group(LB_SLP_ATTR_RQST, LB_SLP_TYPE_TARGET, 2), "ff02::116");
    CHECK_STR(lb_addr_text(lb_slp_group(LB_V4, LB_SLP_SRV_RQST, LB_SLP_TYPE_TARGET, 5)).s,
              "239.255.255.253");
}

int main(void) {
    TEST(a_service_request_is_read);
    TEST(a_service_request_is_written);
    TEST(a_service_reply_is_read);
    TEST(a_service_reply_is_written);
    TEST(every_truncation_is_refused);
    TEST(a_length_other_than_that_of_the_datagram_is_refused);
    TEST(a_length_shorter_than_the_header_is_refused);
    TEST(another_version_is_refused);
    TEST(a_long_language_tag_is_refused);
    TEST(a_string_that_runs_past_the_end_is_refused);
    TEST(bytes_behind_the_last_field_are_refused);
    TEST(strings_that_are_not_utf8_are_refused);
    TEST(extensions_are_passed_over);
    TEST(an_extension_that_has_to_be_understood_is_told);
    TEST(extensions_that_run_in_circles_are_refused);
    TEST(extensions_out_of_the_message_are_refused);
    TEST(authentication_blocks_are_passed_over);
    TEST(an_authentication_block_shorter_than_its_header_is_refused);
    TEST(an_authentication_block_past_the_end_is_refused);
    TEST(an_error_needs_no_more_than_itself);
    TEST(adverts_are_read_and_their_truncations_refused);
    TEST(registrations_are_read_and_their_truncations_refused);
    TEST(a_header_in_pieces_is_waited_for);
    TEST(what_does_not_fit_is_not_written);
    TEST(requests_go_to_the_groups_of_rfc_3111);
    return tap_done();
}
