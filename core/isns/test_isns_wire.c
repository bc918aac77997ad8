/* iSNS bytes: written and read, cut off anywhere, and each rule of what is malformed. */
#include "core/isns/test_isns.h"
#include "tests/tap.h"

/* Written by hand from RFC 4171 5 and 6. */
#define NAME_ME                                                                                    \
    "00000020 00000028 69716e2e313939382d30332e636f6d2e6578616d706c653a686f737469642e303435613762" \
    "000000"
#define NAME_TARGET                                                                                \
    "00000020 00000020 69716e2e323030312d30342e636f6d2e6578616d706c653a6469736b 00000000"
#define DELIMITER   "00000000 00000000"
#define ASK_DOMAINS "0001 0002 0070 8c00 0001 0000" NAME_ME NAME_ME DELIMITER "00000811 00000000"
#define ASK_PORTALS                                                                                \
    "0001 0002 0088 8c00 0003 0000" NAME_ME NAME_TARGET DELIMITER "00000020 00000000"              \
    "00000021 00000000 00000010 00000000 00000011 00000000 00000033 00000000"
#define PORTALS                                                                                    \
    "0001 8002 0098 4c00 0003 0000 00000000" NAME_TARGET DELIMITER NAME_TARGET                     \
    "00000021 00000004 00000001 00000010 00000010 00000000000000000000ffffc0000203"                \
    "00000011 00000004 00000cbc 00000033 00000004 00000001"
#define HEARTBEAT                                                                                  \
    "0001 000e 0048 4c00 0001 0000 00000000000000000000ffffc0000209 0c85 0c85 0000000a 00000007"   \
    "0000 0002 00000000000000000000ffffc000020a 0c85 0000 20010db8000000000000000000000009 0c85 "  \
    "0c85"

static const char *const vectors[] = {ASK_DOMAINS, ASK_PORTALS, PORTALS};

/* Reads a message to its end or to what breaks it; *attributes is how many there were. */
static enum lb_isns_read read_all(struct lb_bytes bytes, struct lb_isns_reader *reader,
                                  unsigned *attributes) {
    enum lb_isns_read got;
    lb_isns_reader_init(reader);
    *attributes = 0;
    do {
        got = lb_isns_reader_next(reader, &bytes);
        *attributes += got == LB_ISNS_READ_ATTRIBUTE;
    } while (got == LB_ISNS_READ_MESSAGE || got == LB_ISNS_READ_ATTRIBUTE);
    return got;
}

static const char *why(const char *hex) {
    static struct lb_isns_reader reader;
    unsigned attributes;
    reader.why = NULL;
    if (read_all(tap_hex(hex), &reader, &attributes) != LB_ISNS_READ_BROKEN)
        return "nothing";
    return reader.why;
}

/* ---- written ---- */

static void the_question_for_our_domains_is_written(void) {
    static uint8_t room[200];
    struct lb_isns_writer writer =
        lb_isns_writer(lb_span(room, sizeof room), 0, LB_ISNS_DEV_ATTR_QRY, LB_ISNS_FROM_CLIENT, 1);
    lb_isns_put_text(&writer, LB_ISNS_NAME, ME);
    lb_isns_put_text(&writer, LB_ISNS_NAME, ME);
    lb_isns_put_empty(&writer, LB_ISNS_DELIMITER);
    lb_isns_put_empty(&writer, LB_ISNS_DOMAIN_ID);
    CHECK_BYTES(lb_isns_written(&writer), tap_hex(ASK_DOMAINS));
}

static void what_the_client_asks_is_what_the_rfc_writes(void) {
    test_server((struct lb_isns_server_config){0});
    lb_isns_client_init(&t.client, t.now, &t.config, &t.rand, NULL);
    struct lb_isns_request request = {.ask = LB_ISNS_ASK_DOMAINS, .xid = 1};
    CHECK_BYTES(lb_isns_request_write(&t.client, &request, lb_span(t.request, sizeof t.request)),
                tap_hex(ASK_DOMAINS));
    lb_isns_add_target(&t.client, TARGET, false);
    request = (struct lb_isns_request){.ask = LB_ISNS_ASK_PORTALS, .xid = 3};
    CHECK_BYTES(lb_isns_request_write(&t.client, &request, lb_span(t.request, sizeof t.request)),
                tap_hex("0001 0002 0098 8c00 0003 0000" NAME_ME NAME_TARGET DELIMITER
                        "00000020 00000000 00000021 00000000 00000022 00000000"
                        "00000010 00000000 00000011 00000000 0000001b 00000000"
                        "00000033 00000000"));
}

static void the_registration_is_entity_portal_node_in_that_order(void) {
    test_server((struct lb_isns_server_config){0});
    t.config.own_address = lb_addr_v4(192, 0, 2, 3);
    lb_isns_client_init(&t.client, t.now, &t.config, &t.rand, NULL);
    struct lb_isns_request request = {.ask = LB_ISNS_ASK_REGISTER, .xid = 2};
    CHECK_BYTES(lb_isns_request_write(&t.client, &request, lb_span(t.request, sizeof t.request)),
                tap_hex("0001 0001 00b4 8c00 0002 0000" NAME_ME "00000001 00000000" DELIMITER
                        "00000001 00000000 00000002 00000004 00000002"
                        "00000010 00000010 00000000000000000000ffffc0000203"
                        "00000011 00000004 00000000" NAME_ME "00000021 00000004 00000002"));
    request.ask = LB_ISNS_ASK_WITHDRAW;
    CHECK_BYTES(lb_isns_request_write(&t.client, &request, lb_span(t.request, sizeof t.request)),
                tap_hex("0001 0004 0068 8c00 0002 0000" NAME_ME DELIMITER NAME_ME));
}

static void the_server_answers_the_question_with_the_answer(void) {
    test_server((struct lb_isns_server_config){.no_domains = true});
    test_node(TARGET, LB_ISNS_TARGET, 3);
    CHECK_BYTES(lb_isns_server_input(&t.server, t.now, tap_hex(ASK_PORTALS),
                                     lb_span(t.answer, sizeof t.answer)),
                tap_hex(PORTALS));
}

static void strings_are_padded_with_their_nul_to_four_bytes(void) {
    static const struct {
        size_t len, padded;
    } lengths[] = {{28, 32}, {37, 40}, {223, 224}, {3, 4}};
    static uint8_t room[300];
    char text[224];
    for (size_t i = 0; i < LB_COUNT(lengths); i++) {
        memset(text, 'a', sizeof text);
        text[lengths[i].len] = 0;
        struct lb_isns_writer writer =
            lb_isns_writer(lb_span(room, sizeof room), 0, 1, LB_ISNS_FROM_CLIENT, 1);
        lb_isns_put_text(&writer, LB_ISNS_NAME, text);
        CHECK_EQ(lb_isns_written(&writer).len, LB_ISNS_HEADER_BYTES + 8 + lengths[i].padded);
        CHECK_EQ(room[19], lengths[i].padded);
    }
}

static void a_message_longer_than_a_pdu_becomes_several(void) {
    static uint8_t room[200];
    struct lb_isns_writer writer =
        lb_isns_writer(lb_span(room, sizeof room), 12, 0x8002, LB_ISNS_FROM_SERVER, 9);
    lb_isns_put_status(&writer, 0);
    lb_isns_put_u32(&writer, LB_ISNS_NODE_TYPE, 1);
    lb_isns_put_u32(&writer, LB_ISNS_GROUP_TAG, 2);
    CHECK_BYTES(lb_isns_written(&writer),
                tap_hex("0001 8002 000c 4400 0009 0000 00000000 00000021 00000004"
                        "0001 8002 000c 4000 0009 0001 00000001 00000033 00000004"
                        "0001 8002 0004 4800 0009 0002 00000002"));
}

static void a_message_that_does_not_fit_is_none(void) {
    static uint8_t room[100];
    for (size_t cap = 0; cap < 24; cap++) {
        struct lb_isns_writer writer =
            lb_isns_writer(lb_span(room, cap), 0, 1, LB_ISNS_FROM_CLIENT, 1);
        lb_isns_put_u32(&writer, LB_ISNS_NODE_TYPE, 1);
        CHECK_EQ(lb_isns_written(&writer).len, 0);
    }
}

/* ---- read ---- */

static void an_answer_is_read(void) {
    struct lb_bytes bytes = tap_hex(PORTALS);
    struct lb_isns_reader reader;
    char name[LB_NAME_MAX + 1];
    struct lb_addr addr;
    uint16_t port;
    bool is_udp;
    lb_isns_reader_init(&reader);
    CHECK_EQ(lb_isns_reader_next(&reader, &bytes), LB_ISNS_READ_MESSAGE);
    CHECK_EQ(reader.header.function, 0x8002);
    CHECK_EQ(reader.header.xid, 3);
    CHECK_EQ(reader.status, 0);
    CHECK_EQ(lb_isns_reader_next(&reader, &bytes), LB_ISNS_READ_ATTRIBUTE);
    CHECK_EQ(reader.attribute.tag, LB_ISNS_NAME);
    CHECK(lb_isns_value_name(reader.attribute, name));
    CHECK_STR(name, TARGET);
    for (unsigned i = 0; i < 4; i++)
        CHECK_EQ(lb_isns_reader_next(&reader, &bytes), LB_ISNS_READ_ATTRIBUTE);
    CHECK(lb_isns_value_address(reader.attribute, &addr));
    CHECK_STR(lb_addr_text(addr).s, "192.0.2.3");
    CHECK_EQ(lb_isns_reader_next(&reader, &bytes), LB_ISNS_READ_ATTRIBUTE);
    CHECK(lb_isns_value_port(reader.attribute, &port, &is_udp));
    CHECK_EQ(port, 3260);
    CHECK(!is_udp);
    CHECK_EQ(lb_isns_reader_next(&reader, &bytes), LB_ISNS_READ_ATTRIBUTE);
    CHECK_EQ(lb_isns_reader_next(&reader, &bytes), LB_ISNS_READ_END);
    CHECK_EQ(lb_isns_reader_next(&reader, &bytes), LB_ISNS_READ_MORE);
}

static void every_truncation_waits_for_more(void) {
    struct lb_isns_reader reader;
    unsigned attributes;
    for (size_t v = 0; v < LB_COUNT(vectors); v++) {
        struct lb_bytes bytes = tap_hex(vectors[v]);
        for (size_t len = 0; len < bytes.len; len++)
            CHECK_EQ(read_all(lb_bytes(bytes.p, len), &reader, &attributes), LB_ISNS_READ_MORE);
        CHECK_EQ(read_all(bytes, &reader, &attributes), LB_ISNS_READ_END);
    }
}

static void every_truncation_of_the_payload_is_broken(void) {
    struct lb_isns_reader reader;
    unsigned attributes, ends = 0;
    for (size_t v = 0; v < LB_COUNT(vectors); v++) {
        struct lb_bytes bytes = tap_hex(vectors[v]);
        size_t payload = bytes.len - LB_ISNS_HEADER_BYTES;
        for (size_t len = 0; len < payload; len += 4) {
            struct lb_wr wr = lb_wr(lb_span(t.answer, sizeof t.answer));
            lb_wr_bytes(&wr, lb_bytes(bytes.p, LB_ISNS_HEADER_BYTES + len));
            lb_wr_u16_at(&wr, 4, (uint16_t)len);
            enum lb_isns_read got = read_all(lb_wr_done(&wr), &reader, &attributes);
            ends += got == LB_ISNS_READ_END; /* between two attributes */
            CHECK(got == LB_ISNS_READ_END || got == LB_ISNS_READ_BROKEN);
        }
    }
    CHECK_EQ(ends, 4 + 8 + 7);
}

static void each_malformed_header_is_told(void) {
    CHECK_STR(why("0002 8002 0004 4c00 0001 0000 00000000"), "a version that is not 1");
    CHECK_STR(why("0001 8002 0006 4c00 0001 0000 00000000 0000"),
              "a PDU whose length is no multiple of 4");
    CHECK_STR(why("0001 8002 0004 6c00 0001 0000 00000000"),
              "a PDU with an authentication block, which only multicast has");
    CHECK_STR(why("0001 8002 0004 4800 0001 0000 00000000"), "a message without a beginning");
}

static void each_malformed_sequence_is_told(void) {
#define FIRST "0001 8002 0004 4400 0001 0000 00000000"
    CHECK_STR(why(FIRST FIRST), "a message that begins within another");
    CHECK_STR(why(FIRST "0001 8002 0000 4800 0001 0002"), "a gap between the PDUs of a message");
    CHECK_STR(why(FIRST "0001 8002 0000 4800 0001 0000"), "a gap between the PDUs of a message");
    CHECK_STR(why(FIRST "0001 8002 0000 4800 0002 0001"), "a PDU of another message between");
    CHECK_STR(why(FIRST "0001 8001 0000 4800 0001 0001"), "a PDU of another message between");
    CHECK_STR(why(FIRST "0001 8002 0000 4800 0001 0001"), "nothing");
    CHECK_STR(why("0001 8002 0004 4400 0001 0001 00000000 0001 8002 0000 4800 0001 0002"),
              "nothing"); /* counted from 1 */
}

static void each_malformed_attribute_is_told(void) {
    CHECK_STR(why("0001 8002 000c 4c00 0001 0000 00000000 00000021 00000003"),
              "an attribute whose length is no multiple of 4");
    CHECK_STR(why("0001 8002 0010 4c00 0001 0000 00000000 00000021 00000008 00000000"),
              "an attribute longer than its message");
    CHECK_STR(why("0001 8002 000c 4400 0001 0000 00000000 00000021 fffffffc"),
              "an attribute longer than its message");
    CHECK_STR(why("0001 8002 0008 4c00 0001 0000 00000000 00000021"),
              "a message that ends within an attribute");
    CHECK_STR(why("0001 8002 000c 4400 0001 0000 00000000 00000021 00000004"
                  "0001 8002 0000 4800 0001 0001"),
              "a message that ends within an attribute");
    CHECK_STR(why("0001 8002 0000 4c00 0001 0000"), "an answer without a status");
}

static void a_message_without_an_end_is_given_up(void) {
    static uint8_t pdu[LB_ISNS_HEADER_BYTES + LB_ISNS_PDU_MAX];
    struct lb_isns_reader reader;
    enum lb_isns_read got = LB_ISNS_READ_MORE;
    lb_isns_reader_init(&reader);
    for (uint32_t i = 0; i < 70000 && got == LB_ISNS_READ_MORE; i++) {
        struct lb_wr wr = lb_wr(lb_span(pdu, sizeof pdu));
        lb_wr_bytes(&wr, tap_hex(i == 0 ? "0001 0002 fffc 8400 0001" : "0001 0002 fffc 8000 0001"));
        lb_wr_u16(&wr, (uint16_t)i);
        if (i == 0)
            lb_wr_bytes(&wr, tap_hex("00000031 00fffffc")); /* a value of 16 MiB */
        struct lb_bytes input = lb_bytes(pdu, sizeof pdu);
        got = lb_isns_reader_next(&reader, &input);
        if (got == LB_ISNS_READ_MESSAGE)
            got = lb_isns_reader_next(&reader, &input);
    }
    CHECK_EQ(got, LB_ISNS_READ_BROKEN);
    CHECK_STR(reader.why, "a message of more than 16 MiB");
}

static void empty_pdus_without_an_end_are_given_up(void) {
    struct lb_isns_reader reader;
    enum lb_isns_read got = LB_ISNS_READ_MORE;
    lb_isns_reader_init(&reader);
    for (uint32_t i = 0; i < 70000 && got != LB_ISNS_READ_BROKEN; i++) {
        uint8_t pdu[LB_ISNS_HEADER_BYTES];
        struct lb_wr wr = lb_wr(lb_span(pdu, sizeof pdu));
        lb_wr_bytes(&wr, tap_hex(i == 0 ? "0001 0002 0000 8400 0001" : "0001 0002 0000 8000 0001"));
        lb_wr_u16(&wr, (uint16_t)i);
        struct lb_bytes input = lb_wr_done(&wr);
        do {
            got = lb_isns_reader_next(&reader, &input);
        } while (got == LB_ISNS_READ_MESSAGE);
    }
    CHECK_EQ(got, LB_ISNS_READ_BROKEN);
}

static void values_are_read_by_their_type(void) {
    static const uint8_t zero[16], any[16] = {1};
    struct lb_isns_attribute attribute = {.len = 8, .value = lb_bytes(zero, 8)};
    char name[LB_NAME_MAX + 1];
    struct lb_bytes text;
    struct lb_addr addr;
    uint32_t number;
    uint16_t port;
    bool is_udp;
    CHECK(!lb_isns_value_u32(attribute, &number));
    CHECK(!lb_isns_value_address(attribute, &addr));
    CHECK(!lb_isns_value_port(attribute, &port, &is_udp));
    CHECK(lb_isns_value_text(attribute, &text));
    CHECK_EQ(text.len, 0);
    CHECK(!lb_isns_value_name(attribute, name));
    attribute = (struct lb_isns_attribute){.len = 4, .value = tap_hex("00010cbc")};
    CHECK(lb_isns_value_port(attribute, &port, &is_udp));
    CHECK_EQ(port, 3260);
    CHECK(is_udp);
    attribute = (struct lb_isns_attribute){.len = 16, .value = lb_bytes(any, 16)};
    CHECK(lb_isns_value_address(attribute, &addr));
    CHECK_EQ(addr.family, LB_V6);
    attribute = (struct lb_isns_attribute){.len = 4, .value = lb_bytes_of_text("iqn.")};
    CHECK(lb_isns_value_text(attribute, &text)); /* no NUL */
    CHECK_EQ(text.len, 4);
    attribute = (struct lb_isns_attribute){.len = 300, .value = lb_bytes(zero, 16)};
    CHECK(!lb_isns_value_text(attribute, &text)); /* longer than what is kept */
}

static void names_are_kept_as_they_are_where_they_do_no_harm(void) {
    char name[LB_NAME_MAX + 1];
    CHECK(lb_isns_name(lb_bytes_of_text("IQN.2001-04.com.Example:Disk"), name));
    CHECK_STR(name, "IQN.2001-04.com.Example:Disk");
    CHECK(lb_isns_name(lb_bytes_of_text("EUI.02004567A425678D"), name));
    CHECK(lb_isns_name(lb_bytes_of_text("naa.52004567ba64678d"), name));
    CHECK(lb_isns_name(lb_bytes_of_text("kumo-img37"), name));
    CHECK(!lb_isns_name(lb_bytes_of_text("iqn.2026-11.test:a\";reboot;\""), name));
    CHECK(!lb_isns_name(lb_bytes_of_text("iqn.2026-11.test:$(reboot)"), name));
    CHECK(!lb_isns_name(lb_bytes_of_text("iqn.2026-11.test:`reboot`"), name));
    CHECK(!lb_isns_name(lb_bytes_of_text("iqn.2026-11.test:a'b"), name));
    CHECK(!lb_isns_name(lb_bytes_of_text("iqn.2026-11.test:a\xc2\xa0"
                                         "b"),
                        name));
    CHECK(!lb_isns_name(lb_bytes_of_text("iqn.2026-11.test:\xe2\x80\xae"
                                         "evil"),
                        name));
    CHECK(!lb_isns_name(lb_bytes_of_text("iqn.a b"), name));
    CHECK(!lb_isns_name(lb_bytes_of_text("iqn.a\x7f"), name));
    CHECK(!lb_isns_name(lb_bytes_of_text("iqn.\xff"), name));
    CHECK(!lb_isns_name(lb_bytes_of_text(""), name));
}

static void every_status_has_words(void) {
    CHECK_STR(lb_isns_status_word(6), "source unknown");
    CHECK_STR(lb_isns_status_word(12), "busy");
    CHECK_STR(lb_isns_status_word(23), "registration feature not supported");
    CHECK_STR(lb_isns_status_word(24), "a status that the RFC does not know");
    CHECK_STR(lb_isns_status_word(UINT32_MAX), "a status that the RFC does not know");
}

/* ---- heartbeat ---- */

static void a_heartbeat_names_the_active_server_and_its_backups(void) {
    struct lb_isns_heartbeat heartbeat;
    if (!CHECK(lb_isns_heartbeat_decode(tap_hex(HEARTBEAT), &heartbeat)))
        return;
    CHECK_STR(lb_endpoint_text(heartbeat.server).s, "192.0.2.9:3205");
    CHECK_EQ(heartbeat.udp_port, 3205);
    CHECK_EQ(heartbeat.interval_s, 10);
    CHECK_EQ(heartbeat.counter, 7);
    CHECK_EQ(heartbeat.backup_count, 2);
    CHECK_STR(lb_endpoint_text(heartbeat.backups[0]).s, "192.0.2.10:3205");
    CHECK_STR(lb_endpoint_text(heartbeat.backups[1]).s, "[2001:db8::9]:3205");
    CHECK(!heartbeat.is_signed);
}

static void a_heartbeat_cut_off_anywhere_is_none(void) {
    struct lb_bytes bytes = tap_hex(HEARTBEAT);
    struct lb_isns_heartbeat heartbeat = {.counter = 99};
    for (size_t len = 0; len < bytes.len; len++)
        CHECK(!lb_isns_heartbeat_decode(lb_bytes(bytes.p, len), &heartbeat));
    for (uint8_t len = 0; len < 72; len += 4) {
        memcpy(t.answer, bytes.p, bytes.len);
        t.answer[5] = len;
        CHECK(!lb_isns_heartbeat_decode(lb_bytes(t.answer, 12u + len), &heartbeat));
    }
    CHECK_EQ(heartbeat.counter, 99);
}

static void a_signed_heartbeat_is_told_from_one_with_a_tail(void) {
    struct lb_isns_heartbeat heartbeat;
    struct lb_bytes bytes = tap_hex(HEARTBEAT "00000002 00000010 0000000000000000");
    CHECK(!lb_isns_heartbeat_decode(bytes, &heartbeat));
    memcpy(t.answer, bytes.p, bytes.len);
    t.answer[6] |= 0x20;
    CHECK(lb_isns_heartbeat_decode(lb_bytes(t.answer, bytes.len), &heartbeat));
    CHECK(heartbeat.is_signed);
}

static void a_heartbeat_of_nobody_is_none(void) {
    struct lb_isns_heartbeat heartbeat;
    struct lb_bytes bytes = tap_hex(HEARTBEAT);
    memcpy(t.answer, bytes.p, bytes.len);
    memset(t.answer + 24, 0, 4); /* 0.0.0.0 */
    CHECK(!lb_isns_heartbeat_decode(lb_bytes(t.answer, bytes.len), &heartbeat));
    memcpy(t.answer, bytes.p, bytes.len);
    t.answer[24] = 127;
    CHECK(!lb_isns_heartbeat_decode(lb_bytes(t.answer, bytes.len), &heartbeat));
    memcpy(t.answer, bytes.p, bytes.len);
    t.answer[6] = 0x8c; /* of a client */
    CHECK(!lb_isns_heartbeat_decode(lb_bytes(t.answer, bytes.len), &heartbeat));
}

static void more_backups_than_there_is_room_for_are_cut(void) {
    struct lb_isns_heartbeat heartbeat;
    struct lb_bytes bytes = tap_hex(HEARTBEAT);
    memset(t.answer, 0, 512);
    memcpy(t.answer, bytes.p, bytes.len);
    t.answer[5] = 32 + 9 * 20;
    t.answer[43] = 9;
    CHECK(lb_isns_heartbeat_decode(lb_bytes(t.answer, 12 + 32 + 9 * 20), &heartbeat));
    CHECK_EQ(heartbeat.backup_count, LB_ISNS_BACKUPS_MAX);
}

int main(void) {
    TEST(the_question_for_our_domains_is_written);
    TEST(what_the_client_asks_is_what_the_rfc_writes);
    TEST(the_registration_is_entity_portal_node_in_that_order);
    TEST(the_server_answers_the_question_with_the_answer);
    TEST(strings_are_padded_with_their_nul_to_four_bytes);
    TEST(a_message_longer_than_a_pdu_becomes_several);
    TEST(a_message_that_does_not_fit_is_none);
    TEST(an_answer_is_read);
    TEST(every_truncation_waits_for_more);
    TEST(every_truncation_of_the_payload_is_broken);
    TEST(each_malformed_header_is_told);
    TEST(each_malformed_sequence_is_told);
    TEST(each_malformed_attribute_is_told);
    TEST(a_message_without_an_end_is_given_up);
    TEST(empty_pdus_without_an_end_are_given_up);
    TEST(values_are_read_by_their_type);
    TEST(names_are_kept_as_they_are_where_they_do_no_harm);
    TEST(every_status_has_words);
    TEST(a_heartbeat_names_the_active_server_and_its_backups);
    TEST(a_heartbeat_cut_off_anywhere_is_none);
    TEST(a_signed_heartbeat_is_told_from_one_with_a_tail);
    TEST(a_heartbeat_of_nobody_is_none);
    TEST(more_backups_than_there_is_room_for_are_cut);
    return tap_done();
}
