#include "core/dns/test_dns.h"
#include "tests/tap.h"

/* Queries and answers of dnsmasq 2.90, captured on loopback: --host-record=storage.a.example with
 * two IPv4 addresses and one of IPv6, --cname=disk.a.example,storage.a.example,
 * --local=/example/. */
#define QUERY_A "1234 0100 0001 0000 0000 0000 0773746f726167650161076578616d706c6500 0001 0001"
#define ANSWER_A                                                                                   \
    "1234 8580 0001 0002 0000 0000 0773746f726167650161076578616d706c6500 0001 0001"               \
    "c00c 0001 0001 00000000 0004 c0000201 c00c 0001 0001 00000000 0004 c0000202"
#define ANSWER_ALIAS                                                                               \
    "1234 8580 0001 0002 0000 0000 046469736b0161076578616d706c6500 001c 0001"                     \
    "c00c 0005 0001 00000000 0013 0773746f726167650161076578616d706c6500"                          \
    "c02c 001c 0001 00000000 0010 20010db8000000000000000000000001"
#define ANSWER_NO_NAME                                                                             \
    "1234 8183 0001 0000 0000 0000 066e6f626f64790161076578616d706c6500 0001 0001"
#define ANSWER_REFUSED "1234 8185 0001 0000 0000 0000 03777777056f746865720474657374 00 0001 0001"

static struct lb_dns_message message;
static struct lb_dns_answer answer;
static uint8_t room[4096];

static bool read_bytes(struct lb_bytes bytes) {
    if (!lb_dns_decode(bytes, &message))
        return false;
    lb_dns_answer_read(&message, &answer);
    return true;
}

static struct lb_bytes query(const char *name, enum lb_dns_type type) {
    static uint8_t query_room[LB_DNS_QUERY_MAX];
    return lb_dns_query_encode(7, name, type, lb_span(query_room, sizeof query_room));
}

/* ---- queries ---- */

static void a_query_is_what_dnsmasq_was_asked(void) {
    struct lb_bytes bytes =
        lb_dns_query_encode(0x1234, "storage.a.example", LB_DNS_A, lb_span(room, LB_DNS_QUERY_MAX));
    CHECK_BYTES(bytes, tap_hex(QUERY_A));
    bytes = lb_dns_query_encode(0x1234, "storage.a.example.", LB_DNS_A,
                                lb_span(room, LB_DNS_QUERY_MAX));
    CHECK_BYTES(bytes, tap_hex(QUERY_A));
}

static void names_that_cannot_be_asked_for_are_told(void) {
    char label[70], name[300];
    memset(label, 'a', sizeof label);
    label[64] = '\0';
    CHECK(!lb_dns_name_is_valid(label));
    CHECK(lb_dns_name_is_valid(label + 1));
    lb_format(name, sizeof name, "%s.%s.%s.%s", label + 1, label + 1, label + 1, label + 3);
    CHECK_EQ(lb_strlen(name), LB_DNS_NAME_MAX);
    CHECK(lb_dns_name_is_valid(name));
    CHECK(query(name, LB_DNS_AAAA).len == LB_DNS_QUERY_MAX);
    lb_format(name, sizeof name, "%s.%s.%s.%s", label + 1, label + 1, label + 1, label + 2);
    CHECK(!lb_dns_name_is_valid(name));
    static const char *const bad[] = {"",    ".",   "..",   "a..b",    ".a",
                                      "a..", "a b", "a\tb", "\xc3\xa4"};
    for (size_t i = 0; i < LB_COUNT(bad); i++) {
        CHECK(!lb_dns_name_is_valid(bad[i]));
        CHECK_EQ(query(bad[i], LB_DNS_A).len, 0);
    }
    CHECK(lb_dns_name_is_valid("_storage.a.example."));
    CHECK_EQ(lb_dns_query_encode(7, "storage", LB_DNS_A, lb_span(room, 20)).len, 0);
}

/* ---- answers ---- */

static void addresses_are_taken_in_their_order(void) {
    CHECK(read_bytes(tap_hex(ANSWER_A)));
    CHECK_EQ(message.id, 0x1234);
    CHECK_STR(message.name, "storage.a.example");
    CHECK_EQ(answer.verdict, LB_DNS_FOUND);
    CHECK_EQ(answer.addr_count, 2);
    CHECK_STR(lb_addr_text(answer.addrs[0]).s, "192.0.2.1");
    CHECK_STR(lb_addr_text(answer.addrs[1]).s, "192.0.2.2");
}

static void an_alias_is_followed_within_the_answer(void) {
    CHECK(read_bytes(tap_hex(ANSWER_ALIAS)));
    CHECK_EQ(answer.verdict, LB_DNS_FOUND);
    CHECK_EQ(answer.addr_count, 1);
    CHECK_STR(lb_addr_text(answer.addrs[0]).s, "2001:db8::1");
    CHECK_STR(answer.alias, "storage.a.example");
}

static void a_name_that_does_not_exist_is_told_apart_from_a_refusal(void) {
    CHECK(read_bytes(tap_hex(ANSWER_NO_NAME)));
    CHECK_EQ(answer.verdict, LB_DNS_NO_NAME);
    CHECK(read_bytes(tap_hex(ANSWER_REFUSED)));
    CHECK_EQ(answer.verdict, LB_DNS_NO_ANSWER);
}

static void the_alias_without_its_address_is_what_to_ask_for_next(void) {
    struct lb_wr wr = test_answer(query("a.x", LB_DNS_A), RESPONSE, 2, lb_span(room, sizeof room));
    test_alias(&wr, "b.x", "c.x"); /* the order of the records does not matter */
    test_alias(&wr, "A.X", "b.x");
    CHECK(read_bytes(lb_wr_done(&wr)));
    CHECK_EQ(answer.verdict, LB_DNS_ALIAS);
    CHECK_STR(answer.alias, "c.x");
}

static void a_circle_of_aliases_ends(void) {
    struct lb_wr wr = test_answer(query("a.x", LB_DNS_A), RESPONSE, 2, lb_span(room, sizeof room));
    test_alias(&wr, "a.x", "b.x");
    test_alias(&wr, "b.x", "a.x");
    CHECK(read_bytes(lb_wr_done(&wr)));
    CHECK_EQ(answer.verdict, LB_DNS_EMPTY);
}

static void addresses_of_other_names_types_and_lengths_are_left_out(void) {
    struct lb_wr wr = test_answer(query("a.x", LB_DNS_A), RESPONSE, 4, lb_span(room, sizeof room));
    test_address(&wr, "b.x", "192.0.2.66");
    test_address(&wr, "a.x", "2001:db8::66");
    test_record(&wr, "a.x", LB_DNS_A, lb_bytes("\1\2\3\4\5", 5));
    test_address(&wr, "a.x", "192.0.2.1");
    CHECK(read_bytes(lb_wr_done(&wr)));
    CHECK_EQ(answer.verdict, LB_DNS_FOUND);
    CHECK_EQ(answer.addr_count, 1);
    CHECK_STR(lb_addr_text(answer.addrs[0]).s, "192.0.2.1");
}

static void more_addresses_than_there_is_room_for_are_left_out(void) {
    struct lb_wr wr = test_answer(query("a.x", LB_DNS_A), RESPONSE, 40, lb_span(room, sizeof room));
    for (unsigned i = 0; i < 40; i++)
        test_address(&wr, "a.x", "192.0.2.1");
    CHECK(read_bytes(lb_wr_done(&wr)));
    CHECK_EQ(answer.addr_count, LB_PORTALS_MAX);
}

static void a_record_that_runs_past_the_end_ends_the_reading(void) {
    struct lb_wr wr = test_answer(query("a.x", LB_DNS_A), RESPONSE, 2, lb_span(room, sizeof room));
    test_address(&wr, "a.x", "192.0.2.1");
    test_address(&wr, "a.x", "192.0.2.2");
    struct lb_bytes whole = lb_wr_done(&wr);
    CHECK(read_bytes(lb_bytes(whole.p, whole.len - 1)));
    CHECK_EQ(answer.addr_count, 1);
    CHECK_STR(lb_addr_text(answer.addrs[0]).s, "192.0.2.1");
}

static void what_is_cut_asks_for_tcp_and_nothing_asks_for_another_server(void) {
    struct lb_wr wr =
        test_answer(query("a.x", LB_DNS_A), RESPONSE | TRUNCATED, 0, lb_span(room, sizeof room));
    CHECK(read_bytes(lb_wr_done(&wr)));
    CHECK_EQ(answer.verdict, LB_DNS_CUT);
    wr = test_answer(query("a.x", LB_DNS_A), RESPONSE, 0, lb_span(room, sizeof room));
    CHECK(read_bytes(lb_wr_done(&wr)));
    CHECK_EQ(answer.verdict, LB_DNS_EMPTY);
    /* neither recursive nor an authority: it refers us to others */
    wr = test_answer(query("a.x", LB_DNS_A), 0x8100, 0, lb_span(room, sizeof room));
    CHECK(read_bytes(lb_wr_done(&wr)));
    CHECK_EQ(answer.verdict, LB_DNS_NO_ANSWER);
}

/* ---- abuse ---- */

static void every_truncation_fails_or_has_fewer_addresses(void) {
    struct lb_bytes whole = tap_hex(ANSWER_ALIAS);
    for (size_t len = 0; len < whole.len; len++) {
        bool is_read = read_bytes(lb_bytes(whole.p, len));
        CHECK_EQ(is_read, len >= 32);
        CHECK(!is_read || answer.verdict != LB_DNS_FOUND);
    }
}

static void a_pointer_to_itself_or_forward_is_refused(void) {
    CHECK(!read_bytes(tap_hex("1234 8180 0001 0000 0000 0000 c00c 0001 0001")));
    CHECK(!read_bytes(tap_hex("1234 8180 0001 0000 0000 0000 c00e 0161 00 0001 0001")));
    CHECK(!read_bytes(tap_hex("1234 8180 0001 0000 0000 0000 0161 c00c 0001 0001")));
    CHECK(
        !read_bytes(tap_hex("1234 8180 0001 0000 0000 0000 4161 00 0001 0001"))); /* 01: no kind */
}

static void a_label_is_of_63_bytes_at_most(void) {
    for (unsigned len = 62; len < 0xc0; len++) {
        struct lb_wr wr = lb_wr(lb_span(room, sizeof room));
        lb_wr_bytes(&wr, tap_hex("1234 8180 0001 0000 0000 0000"));
        lb_wr_u8(&wr, (uint8_t)len);
        for (unsigned i = 0; i < len; i++)
            lb_wr_u8(&wr, 'a');
        lb_wr_bytes(&wr, tap_hex("00 0001 0001"));
        CHECK_EQ(read_bytes(lb_wr_done(&wr)), len <= 63);
    }
}

static void addresses_of_another_class_are_left_out(void) {
    struct lb_wr wr = test_answer(query("a.x", LB_DNS_A), RESPONSE, 3, lb_span(room, sizeof room));
    size_t chaos_at = wr.len + 5 + 2; /* behind the owner's name and the type */
    test_address(&wr, "a.x", "192.0.2.66");
    size_t alias_at = wr.len + 5 + 2;
    test_alias(&wr, "a.x", "b.x");
    test_address(&wr, "a.x", "192.0.2.1");
    lb_wr_u16_at(&wr, chaos_at, 3);
    lb_wr_u16_at(&wr, alias_at, 3);
    CHECK(read_bytes(lb_wr_done(&wr)));
    CHECK_EQ(answer.addr_count, 1);
    CHECK_STR(lb_addr_text(answer.addrs[0]).s, "192.0.2.1");
}

static void bytes_that_no_host_name_has_equal_nothing_we_ask(void) {
    CHECK(read_bytes(tap_hex("1234 8180 0001 0000 0000 0000 03612e62 0178 00 0001 0001")));
    CHECK_STR(message.name, "a?b.x");
    CHECK(read_bytes(tap_hex("1234 8180 0001 0000 0000 0000 020a1b 0178 00 0001 0001")));
    CHECK_STR(message.name, "??.x");
}

static void a_message_without_one_question_of_class_in_is_none(void) {
    CHECK(!read_bytes(tap_hex("1234 8180 0000 0000 0000 0000")));
    CHECK(
        !read_bytes(tap_hex("1234 8180 0002 0000 0000 0000 0161 00 0001 0001 0161 00 0001 0001")));
    CHECK(!read_bytes(tap_hex("1234 8180 0001 0000 0000 0000 0161 00 0001 0003")));
}

int main(void) {
    TEST(a_query_is_what_dnsmasq_was_asked);
    TEST(names_that_cannot_be_asked_for_are_told);
    TEST(addresses_are_taken_in_their_order);
    TEST(an_alias_is_followed_within_the_answer);
    TEST(a_name_that_does_not_exist_is_told_apart_from_a_refusal);
    TEST(the_alias_without_its_address_is_what_to_ask_for_next);
    TEST(a_circle_of_aliases_ends);
    TEST(addresses_of_other_names_types_and_lengths_are_left_out);
    TEST(more_addresses_than_there_is_room_for_are_left_out);
    TEST(a_record_that_runs_past_the_end_ends_the_reading);
    TEST(what_is_cut_asks_for_tcp_and_nothing_asks_for_another_server);
    TEST(every_truncation_fails_or_has_fewer_addresses);
    TEST(a_pointer_to_itself_or_forward_is_refused);
    TEST(bytes_that_no_host_name_has_equal_nothing_we_ask);
    TEST(a_message_without_one_question_of_class_in_is_none);
    TEST(a_label_is_of_63_bytes_at_most);
    TEST(addresses_of_another_class_are_left_out);
    return tap_done();
}
