/* The SLP user agent's TCP connection: what did not fit into a datagram. */
#include "core/slp/test_slp_client.h"

#define URL(host)   "service:iscsi:target://" host "/" TEST_TARGET
#define CONFIG(...) ((struct lb_slp_config){__VA_ARGS__})
#define AGENT(a)    .agents = {addr(a)}, .agent_count = 1
#define DA          "192.0.2.5"

/* The directory agent's datagram was not enough. */
static void reach_overflow(void) {
    start(CONFIG(AGENT(DA), .agents_only = true));
    CHECK(give_reply(DA, (struct reply){.xid = xid_to(DA, TEST_TYPE),
                                        .flags = LB_SLP_OVERFLOW,
                                        .urls = {URL("192.0.2.9")}}));
}

static void reach_open(void) {
    reach_overflow();
    lb_slp_client_connected(&t.client, t.now);
    run();
}

static struct lb_bytes whole_reply(void) {
    static uint8_t room[1000];
    return make_reply(
        (struct reply){.xid = xid_to(DA, TEST_TYPE),
                       .urls = {URL("192.0.2.9"), URL("192.0.2.10"), URL("192.0.2.11")}},
        lb_span(room, sizeof room));
}

static void overflow_is_followed_by_tcp(void) {
    reach_overflow();
    CHECK_EQ(t.found_count, 1); /* what did come is used at once */
    CHECK_EQ(t.connects, 1);
    CHECK_STR(lb_endpoint_text(t.connected_to).s, DA ":427");
    CHECK_EQ(lb_slp_client_gather(&t.client).len, 0);
    CHECK_EQ(t.end, LB_SLP_WAIT);
}

static void the_same_request_goes_by_tcp(void) {
    struct lb_slp_header header;
    struct lb_slp_request request;
    struct lb_bytes body;
    const char *why;
    start(CONFIG(0));
    give_reply("192.0.2.9", (struct reply){.xid = xid_to(GROUP, TEST_TYPE),
                                           .flags = LB_SLP_OVERFLOW,
                                           .urls = {URL("192.0.2.9")}});
    lb_slp_client_connected(&t.client, t.now);
    run();
    struct lb_bytes sent = lb_slp_client_gather(&t.client);
    CHECK(lb_slp_decode(sent, &header, &body, &why));
    CHECK_EQ(header.xid, xid_to(GROUP, TEST_TYPE));
    CHECK_EQ(header.flags, 0);
    CHECK(lb_slp_decode_request(body, &request));
    CHECK_EQ(request.responders.len, 0);
    CHECK_BYTES(request.predicate, sent_to(GROUP, TEST_TYPE)->request.predicate);
    lb_slp_client_sent(&t.client, 10);
    CHECK_EQ(lb_slp_client_gather(&t.client).len, sent.len - 10);
}

static void a_reply_is_read_in_any_pieces(void) {
    for (size_t step = 1; step < 300; step++) {
        reach_open();
        receive(whole_reply(), step);
        CHECK_EQ(t.found_count, 3);
        CHECK_EQ(t.closes, 1);
        CHECK_EQ(t.end, LB_SLP_DONE);
    }
}

static void a_connection_that_fails_leaves_what_came_by_udp(void) {
    reach_overflow();
    lb_slp_client_lost(&t.client, t.now);
    run();
    CHECK_EQ(t.end, LB_SLP_DONE);
    CHECK_EQ(t.found_count, 1);
    CHECK_EQ(t.closes, 0);
}

static void a_connection_that_breaks_leaves_what_came(void) {
    struct lb_bytes reply = whole_reply();
    for (size_t len = 0; len < reply.len; len++) {
        reach_open();
        receive(lb_bytes(reply.p, len), 1000);
        lb_slp_client_lost(&t.client, t.now);
        run();
        CHECK_EQ(t.end, LB_SLP_DONE);
        size_t at = reply.len - len;
        size_t entry_bytes = lb_slp_entry_bytes(text(URL("192.0.2.10")));
        CHECK_EQ(t.found_count, at > 2 * entry_bytes ? 1 : at > entry_bytes ? 1 : 2);
    }
}

static void an_agent_that_says_nothing_by_tcp_is_left(void) {
    reach_open();
    CHECK_EQ(run_out(), 15 * SEC);
    CHECK_EQ(t.closes, 1);
    CHECK_EQ(t.end, LB_SLP_DONE);
    reach_overflow(); /* nor does the connection come about */
    CHECK_EQ(run_out(), 15 * SEC);
    CHECK_EQ(t.closes, 1);
}

static void refused_by_tcp(const char *hex) {
    uint8_t bytes[300];
    struct lb_bytes reply = tap_hex(hex);
    reach_open();
    memcpy(bytes, reply.p, reply.len);
    bytes[10] = (uint8_t)(xid_to(DA, TEST_TYPE) >> 8);
    bytes[11] = (uint8_t)xid_to(DA, TEST_TYPE);
    receive(lb_bytes(bytes, reply.len), 7);
    if (!CHECK_EQ(t.closes, 1))
        tap_note("%s", hex);
    CHECK_EQ(t.end, LB_SLP_DONE);
    CHECK_EQ(t.found_count, 1);
}

static void malformed_replies_by_tcp_end_the_connection(void) {
    refused_by_tcp("01");
    refused_by_tcp("48545450 2f312e31 20323030 204f4b0d");
    refused_by_tcp("0201000014 0000 000000 0000 0002656e 0000 0000"); /* a request */
    refused_by_tcp("0202000010 0000 000000 0000 0002656e 0000 0000"); /* too short for its count */
    refused_by_tcp("0202000005 0000 000000 0000 0002656e 0000 0000");
    refused_by_tcp("0202000100 0000 000000 0000 ffff656e 0000 0000");
    refused_by_tcp("0202000100 0000 000014 0000 0002656e 0000 0001"); /* extensions */
    refused_by_tcp("0202000012 0000 000000 0000 0002656e 0004");      /* an error */
    /* An entry that is longer than what is left, or than any buffer. */
    refused_by_tcp("0202000019 0000 000000 0000 0002656e 0000 0001 00 012c 0044 00");
    refused_by_tcp("0202000014 0000 000000 0000 0002656e 0000 ffff");
}

static void the_answer_to_another_question_ends_the_connection(void) {
    uint8_t room[1000];
    reach_open();
    receive(make_reply((struct reply){.xid = (uint16_t)(xid_to(DA, TEST_TYPE) + 1),
                                      .urls = {URL("192.0.2.10")}},
                       lb_span(room, sizeof room)),
            1000);
    CHECK_EQ(t.found_count, 1);
    CHECK_EQ(t.closes, 1);
}

static void an_entry_longer_than_the_buffer_ends_the_connection(void) {
    uint8_t bytes[6000] = {0};
    struct lb_wr wr = lb_wr(lb_span(bytes, sizeof bytes));
    reach_open();
    lb_slp_begin(&wr, LB_SLP_SRV_RPLY, 0, xid_to(DA, TEST_TYPE), text("en"));
    lb_wr_u16(&wr, 0);
    lb_wr_u16(&wr, 1);
    lb_wr_u8(&wr, 0);
    lb_wr_u16(&wr, 300);
    lb_wr_u16(&wr, 5900);
    lb_wr_zero(&wr, 5900);
    lb_wr_u8(&wr, 0);
    receive(lb_slp_finish(&wr), 1000);
    CHECK_EQ(t.closes, 1);
    CHECK_EQ(t.client.ignored, 1);
    CHECK_STR(t.client.ignored_why, "a URL entry is too long");
}

static void a_count_beyond_the_end_is_not_believed(void) {
    uint8_t room[1000];
    reach_open();
    receive(make_reply((struct reply){.xid = xid_to(DA, TEST_TYPE),
                                      .urls = {URL("192.0.2.10")},
                                      .more = 60000},
                       lb_span(room, sizeof room)),
            1000);
    CHECK_EQ(t.found_count, 2);
    CHECK_EQ(t.closes, 1);
    CHECK_EQ(t.end, LB_SLP_DONE);
}

static void several_who_overflow_are_asked_one_after_another(void) {
    start(CONFIG(.linger_ms = 0));
    uint16_t xid = xid_to(GROUP, TEST_TYPE);
    static const char *const agents[] = {"192.0.2.9", "192.0.2.10", "192.0.2.11"};
    for (size_t i = 0; i < LB_COUNT(agents); i++)
        give_reply(agents[i], (struct reply){.xid = xid, .flags = LB_SLP_OVERFLOW});
    for (unsigned i = 1; i <= LB_COUNT(agents); i++) {
        CHECK_EQ(t.connects, i);
        CHECK_STR(lb_addr_text(t.connected_to.addr).s, agents[i - 1]);
        lb_slp_client_connected(&t.client, t.now);
        uint8_t room[1000];
        run();
        receive(make_reply((struct reply){.xid = xid, .urls = {URL("192.0.2.20")}},
                           lb_span(room, sizeof room)),
                1000);
        CHECK_EQ(t.closes, i);
    }
    CHECK_EQ(t.found_count, 1);
}

static void many_who_overflow_are_not_all_asked(void) {
    start(CONFIG(0));
    for (uint8_t i = 1; i <= 100; i++) {
        struct lb_addr_text who = lb_addr_text(lb_addr_v4(192, 0, 2, i));
        give_reply(who.s,
                   (struct reply){.xid = xid_to(GROUP, TEST_TYPE), .flags = LB_SLP_OVERFLOW});
    }
    CHECK_EQ(t.client.overflow_count, LB_SLP_AGENTS_MAX);
    CHECK(run_out() <= 60 * SEC);
}

static void a_request_too_long_for_a_datagram_goes_by_tcp(void) {
    start(CONFIG(AGENT(DA), .agents_only = true, .mtu = 100));
    CHECK_EQ(t.send_count, 0);
    CHECK_EQ(t.connects, 1);
    lb_slp_client_connected(&t.client, t.now);
    run();
    struct lb_slp_header header;
    const char *why;
    CHECK_EQ(lb_slp_peek(lb_slp_client_gather(&t.client), &header, &why), LB_SLP_PEEK_GOOD);
    CHECK(header.length > 100);
    uint8_t room[1000];
    receive(make_reply((struct reply){.xid = header.xid, .urls = {URL("192.0.2.10")}},
                       lb_span(room, sizeof room)),
            1000);
    CHECK_EQ(t.found_count, 1);
    CHECK_EQ(t.end, LB_SLP_DONE);
    CHECK_EQ(t.client.responder_count, 1);
}

static void a_request_too_long_that_gets_no_connection_fails(void) {
    start(CONFIG(AGENT(DA), .agents_only = true, .mtu = 100));
    lb_slp_client_lost(&t.client, t.now);
    run();
    CHECK_EQ(t.end, LB_SLP_FAILED);
}

static void calls_out_of_place_do_no_harm(void) {
    start(CONFIG(0));
    lb_slp_client_connected(&t.client, t.now);
    lb_slp_client_lost(&t.client, t.now);
    lb_slp_client_got(&t.client, t.now, 0);
    CHECK_EQ(lb_slp_client_where(&t.client).len, 0);
    CHECK_EQ(lb_slp_client_gather(&t.client).len, 0);
    run();
    CHECK_EQ(t.end, LB_SLP_WAIT);
}

/* Its whole answer, by the connection that is open. */
static void give_all_by_tcp(uint16_t xid) {
    uint8_t room[1000];
    lb_slp_client_connected(&t.client, t.now);
    run();
    receive(make_reply((struct reply){.xid = xid, .urls = {URL("192.0.2.20"), URL("192.0.2.21")}},
                       lb_span(room, sizeof room)),
            1000);
}

static void an_agent_that_answers_twice_is_fetched_once(void) {
    for (unsigned tcp_is_over_first = 0; tcp_is_over_first <= 1; tcp_is_over_first++) {
        start(CONFIG(0));
        uint16_t xid = xid_to(GROUP, TEST_TYPE);
        ADVERT(DA, .error = 0);
        uint16_t agent_xid = xid_to(DA, TEST_TYPE);
        CHECK(give_reply(DA, (struct reply){.xid = xid, .flags = LB_SLP_OVERFLOW}));
        if (tcp_is_over_first)
            give_all_by_tcp(xid);
        CHECK(give_reply(DA, (struct reply){.xid = agent_xid, .flags = LB_SLP_OVERFLOW}));
        if (!tcp_is_over_first)
            give_all_by_tcp(xid);
        run_out();
        CHECK_EQ(t.connects, 1);
        CHECK_EQ(t.found_count, 2);
        CHECK_EQ(t.end, LB_SLP_DONE);
    }
}

static struct lb_bytes many_urls(uint16_t xid, unsigned flags, struct lb_span room) {
    struct lb_wr wr = lb_wr(room);
    lb_slp_begin(&wr, LB_SLP_SRV_RPLY, flags, xid, text("en"));
    lb_wr_u16(&wr, 0);
    lb_wr_u16(&wr, 16);
    for (unsigned i = 0; i < 16; i++) {
        char url[100];
        lb_format(url, sizeof url, "service:iscsi:target://192.0.2.%u/" TEST_TARGET, 100 + i);
        lb_slp_put_entry(&wr, 300, text(url));
    }
    return lb_slp_finish(&wr);
}

/* Found by slp-overflow.sh, with one seed in ten: two answers shared a place to be remembered
 * in. */
static void what_comes_again_by_tcp_is_given_out_once(void) {
    for (uint8_t seed = 1; seed <= 100; seed++) {
        uint8_t room[2000];
        start_with(CONFIG(AGENT(DA), .agents_only = true), seed);
        uint16_t xid = xid_to(DA, TEST_TYPE);
        CHECK(give(DA, many_urls(xid, LB_SLP_OVERFLOW, lb_span(room, LB_SLP_DATAGRAM_MAX))));
        CHECK_EQ(t.found_count, 16);
        lb_slp_client_connected(&t.client, t.now);
        run();
        receive(many_urls(xid, 0, lb_span(room, sizeof room)), 1000);
        CHECK_EQ(t.end, LB_SLP_DONE);
        CHECK_EQ(t.found_count, 16);
    }
}

int main(void) {
    TEST(overflow_is_followed_by_tcp);
    TEST(the_same_request_goes_by_tcp);
    TEST(a_reply_is_read_in_any_pieces);
    TEST(a_connection_that_fails_leaves_what_came_by_udp);
    TEST(a_connection_that_breaks_leaves_what_came);
    TEST(an_agent_that_says_nothing_by_tcp_is_left);
    TEST(malformed_replies_by_tcp_end_the_connection);
    TEST(the_answer_to_another_question_ends_the_connection);
    TEST(an_entry_longer_than_the_buffer_ends_the_connection);
    TEST(a_count_beyond_the_end_is_not_believed);
    TEST(several_who_overflow_are_asked_one_after_another);
    TEST(many_who_overflow_are_not_all_asked);
    TEST(a_request_too_long_for_a_datagram_goes_by_tcp);
    TEST(a_request_too_long_that_gets_no_connection_fails);
    TEST(an_agent_that_answers_twice_is_fetched_once);
    TEST(what_comes_again_by_tcp_is_given_out_once);
    TEST(calls_out_of_place_do_no_harm);
    return tap_done();
}
