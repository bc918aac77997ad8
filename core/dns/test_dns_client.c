#include "core/dns/test_dns.h"
#include "tests/tap.h"

#define SENDS_MAX 64

/* A client, and what it did. Servers 192.0.2.53 and .54. */
static struct {
    struct lb_dns_client client;
    struct lb_dns_config config;
    struct lb_rand rand;
    struct lb_trace trace;
    char ring[2000];
    uint64_t now, until;
    struct {
        uint8_t bytes[LB_DNS_QUERY_MAX];
        size_t len;
        unsigned type, to;
        char name[LB_DNS_NAME_MAX + 1];
        uint64_t at_us;
    } sends[SENDS_MAX];
    size_t send_count;
    unsigned connects, closes, ends;
    struct lb_endpoint connect_to;
    enum lb_dns_event end;
    uint64_t end_us;
} t;

static void note_send(const struct lb_dns_action *action) {
    struct lb_dns_message message;
    if (!CHECK(t.send_count < SENDS_MAX) || !CHECK(lb_dns_decode(action->bytes, &message)))
        return;
    memcpy(t.sends[t.send_count].bytes, action->bytes.p, action->bytes.len);
    t.sends[t.send_count].len = action->bytes.len;
    t.sends[t.send_count].type = message.type;
    t.sends[t.send_count].to = action->to.addr.bytes[3];
    t.sends[t.send_count].at_us = t.now;
    lb_text_copy(t.sends[t.send_count].name, sizeof t.sends[0].name,
                 lb_bytes_of_text(message.name));
    CHECK_EQ(action->to.port, LB_DNS_PORT);
    t.send_count++;
}

static void run(void) {
    for (;;) {
        struct lb_dns_action action = lb_dns_client_poll(&t.client, t.now);
        switch (action.event) {
        case LB_DNS_WAIT:
            CHECK(action.until_us > t.now);
            t.until = action.until_us;
            return;
        case LB_DNS_SEND:
            note_send(&action);
            break;
        case LB_DNS_CONNECT:
            t.connects++;
            t.connect_to = action.to;
            break;
        case LB_DNS_CLOSE:
            t.closes++;
            break;
        case LB_DNS_DONE:
        case LB_DNS_FAILED:
            t.ends++;
            t.end = action.event;
            t.end_us = t.now;
            break;
        }
    }
}

static void begin_with(unsigned servers, const char *search, const char *name) {
    uint8_t seed[LB_RAND_SEED_BYTES] = {1};
    struct lb_dns_config config = t.config;
    memset(&t, 0, sizeof t);
    for (unsigned i = 0; i < servers; i++)
        config.servers[i].addr = lb_addr_v4(192, 0, 2, (uint8_t)(53 + i));
    config.server_count = servers;
    lb_text_copy(config.search, sizeof config.search, lb_bytes_of_text(search));
    t.now = 1000 * LB_US_SEC;
    lb_rand_init(&t.rand, seed);
    lb_trace_init(&t.trace, t.now, lb_span(t.ring, sizeof t.ring));
    lb_dns_client_init(&t.client, t.now, &config, name, &t.rand, &t.trace);
    run();
}

static void begin(unsigned servers) {
    begin_with(servers, "", "disk.x");
}

static void advance_ms(unsigned ms) {
    uint64_t end = t.now + ms * LB_US_MS;
    while (t.until <= end) {
        t.now = t.until;
        run();
    }
    t.now = end;
    run();
}

static unsigned lasted_ms(void) {
    return (unsigned)((t.end_us - 1000 * LB_US_SEC) / LB_US_MS);
}

/* The last query of this type that went to this server. */
static struct lb_bytes last_query(unsigned type, unsigned to) {
    for (size_t i = t.send_count; i-- > 0;)
        if (t.sends[i].type == type && t.sends[i].to == to)
            return lb_bytes(t.sends[i].bytes, t.sends[i].len);
    CHECK(false);
    return (struct lb_bytes){0};
}

static bool deliver(unsigned from, struct lb_bytes bytes) {
    struct lb_endpoint server = {lb_addr_v4(192, 0, 2, (uint8_t)from), LB_DNS_PORT};
    bool is_taken = lb_dns_client_input(&t.client, t.now, server, bytes);
    run();
    return is_taken;
}

static bool answer_address(unsigned from, const char *owner, const char *address) {
    uint8_t room[600];
    struct lb_addr addr;
    lb_addr_parse(lb_bytes_of_text(address), &addr);
    struct lb_bytes query = last_query(addr.family == LB_V4 ? LB_DNS_A : LB_DNS_AAAA, from);
    struct lb_wr wr = test_answer(query, RESPONSE, 1, lb_span(room, sizeof room));
    test_address(&wr, owner, address);
    return deliver(from, lb_wr_done(&wr));
}

static bool answer_code(unsigned from, unsigned type, unsigned flags) {
    uint8_t room[600];
    struct lb_wr wr =
        test_answer(last_query(type, from), RESPONSE | flags, 0, lb_span(room, sizeof room));
    return deliver(from, lb_wr_done(&wr));
}

static const char *addr_at(size_t index) {
    static struct lb_addr_text text;
    size_t count;
    const struct lb_addr *addrs = lb_dns_client_addrs(&t.client, &count);
    if (index >= count)
        return "none";
    text = lb_addr_text(addrs[index]);
    return text.s;
}

static const char *explained(void) {
    static char room[400];
    struct lb_text text = lb_text(room, sizeof room);
    lb_dns_client_explain(&t.client, &text);
    return room;
}

/* ---- both families ---- */

static void a_and_aaaa_are_asked_at_once_with_ids_of_their_own(void) {
    begin(2);
    CHECK_EQ(t.send_count, 2);
    CHECK_EQ(t.sends[0].type + t.sends[1].type, LB_DNS_A + LB_DNS_AAAA);
    CHECK_EQ(t.sends[0].to, 53);
    CHECK_EQ(t.sends[1].to, 53);
    CHECK(memcmp(t.sends[0].bytes, t.sends[1].bytes, 2) != 0);
}

static void both_answers_end_it_at_once_with_ipv6_first(void) {
    begin(1);
    CHECK(answer_address(53, "disk.x", "192.0.2.1"));
    CHECK_EQ(t.ends, 0);
    CHECK(answer_address(53, "disk.x", "2001:db8::1"));
    CHECK_EQ(t.ends, 1);
    CHECK_EQ(t.end, LB_DNS_DONE);
    CHECK_STR(addr_at(0), "2001:db8::1");
    CHECK_STR(addr_at(1), "192.0.2.1");
    CHECK_EQ(lasted_ms(), 0);
    CHECK_EQ(t.until, LB_NEVER);
}

static void an_aaaa_that_is_never_answered_costs_50_ms(void) {
    begin(1);
    answer_address(53, "disk.x", "192.0.2.1");
    advance_ms(49);
    CHECK_EQ(t.ends, 0);
    advance_ms(1);
    CHECK_EQ(t.end, LB_DNS_DONE);
    CHECK_EQ(lasted_ms(), 50);
    CHECK_STR(addr_at(0), "192.0.2.1");
    CHECK_STR(addr_at(1), "none");
}

static void an_a_that_is_never_answered_costs_50_ms_too(void) {
    begin(1);
    answer_address(53, "disk.x", "2001:db8::1");
    advance_ms(50);
    CHECK_EQ(t.end, LB_DNS_DONE);
    CHECK_STR(addr_at(0), "2001:db8::1");
}

static void beside_an_address_that_no_host_has_the_other_family_is_waited_for(void) {
    static const char *const none[] = {"::", "::1", "ff02::1", "::ffff:192.0.2.66"};
    for (size_t i = 0; i < LB_COUNT(none); i++) {
        begin(1);
        CHECK(answer_address(53, "disk.x", none[i]));
        advance_ms(200);
        CHECK_EQ(t.ends, 0);
        CHECK(answer_address(53, "disk.x", "192.0.2.1"));
        CHECK_EQ(t.end, LB_DNS_DONE);
        CHECK_STR(addr_at(1), "192.0.2.1");
    }
    begin(1);
    CHECK(answer_address(53, "disk.x", "0.0.0.0"));
    advance_ms(200);
    CHECK_EQ(t.ends, 0);
    answer_code(53, LB_DNS_AAAA, 0);
    CHECK_EQ(t.end, LB_DNS_DONE); /* that it was told is for the policy to judge */
    CHECK_STR(addr_at(0), "0.0.0.0");
}

static void a_family_without_an_address_is_not_waited_for(void) {
    begin(1);
    answer_code(53, LB_DNS_AAAA, 0);
    answer_address(53, "disk.x", "192.0.2.1");
    CHECK_EQ(t.end, LB_DNS_DONE);
    CHECK_EQ(lasted_ms(), 0);
}

static void one_family_alone_is_asked_for_where_that_is_wanted(void) {
    t.config.family = LB_V4;
    begin(1);
    CHECK_EQ(t.send_count, 1);
    CHECK_EQ(t.sends[0].type, LB_DNS_A);
    answer_address(53, "disk.x", "192.0.2.1");
    CHECK_EQ(t.end, LB_DNS_DONE);
    t.config.family = LB_V6;
    begin(1);
    CHECK_EQ(t.send_count, 1);
    CHECK_EQ(t.sends[0].type, LB_DNS_AAAA);
    t.config.family = LB_FAMILY_NONE;
}

/* RFC 4074 4.2: some servers say that the name does not exist, and mean its AAAA. */
static void a_name_that_does_not_exist_for_one_type_may_have_the_other(void) {
    begin(1);
    answer_code(53, LB_DNS_AAAA, LB_DNS_NXDOMAIN);
    CHECK_EQ(t.ends, 0);
    advance_ms(900); /* the server asks others for A */
    CHECK(answer_address(53, "disk.x", "192.0.2.1"));
    CHECK_EQ(t.end, LB_DNS_DONE);
    CHECK_STR(addr_at(0), "192.0.2.1");
}

static void of_a_name_that_does_not_exist_the_other_type_is_asked_for_twice(void) {
    begin_with(1, "a.example", "disk");
    answer_code(53, LB_DNS_A, LB_DNS_NXDOMAIN); /* and nothing about AAAA */
    advance_ms(1000);
    CHECK_EQ(t.send_count, 3);
    advance_ms(400);
    CHECK_EQ(t.send_count, 5);
    CHECK_STR(t.sends[4].name, "disk");
    answer_address(53, "disk", "192.0.2.1");
    advance_ms(50);
    CHECK_EQ(t.end, LB_DNS_DONE);
}

/* ---- servers ---- */

static void a_silent_server_is_not_waited_for_alone_longer_than_half_a_second(void) {
    begin(2);
    advance_ms(451);
    CHECK_EQ(t.sends[2].to, 54);
    answer_address(54, "disk.x", "192.0.2.1");
    answer_code(54, LB_DNS_AAAA, 0);
    CHECK_EQ(t.end, LB_DNS_DONE);
    CHECK(lasted_ms() <= 451);
}

static void a_late_answer_of_the_first_server_counts(void) {
    begin(2);
    advance_ms(1000);
    CHECK(answer_address(53, "disk.x", "192.0.2.1"));
    advance_ms(50);
    CHECK_EQ(t.end, LB_DNS_DONE);
}

static void a_refusing_server_sends_us_to_the_next_at_once(void) {
    static const unsigned codes[] = {LB_DNS_FORMERR, LB_DNS_SERVFAIL, LB_DNS_NOTIMP, LB_DNS_REFUSED,
                                     9};
    for (size_t i = 0; i < LB_COUNT(codes); i++) {
        begin(2);
        answer_code(53, LB_DNS_A, codes[i]);
        CHECK_EQ(t.sends[2].to, 54);
        CHECK_EQ(t.sends[2].type, LB_DNS_A);
        answer_address(54, "disk.x", "192.0.2.1");
        advance_ms(50);
        CHECK_EQ(t.end, LB_DNS_DONE);
    }
}

static bool answer_header_alone(unsigned from, unsigned type, unsigned flags) {
    uint8_t room[12] = {0};
    struct lb_bytes query = last_query(type, from);
    struct lb_wr wr = lb_wr(lb_span(room, sizeof room));
    lb_wr_bytes(&wr, lb_bytes(query.p, 2));
    lb_wr_u16(&wr, (uint16_t)(RESPONSE | flags));
    lb_wr_zero(&wr, 8);
    return deliver(from, lb_wr_done(&wr));
}

static void a_failure_needs_no_question(void) {
    static const unsigned codes[] = {LB_DNS_FORMERR, LB_DNS_SERVFAIL, LB_DNS_NXDOMAIN,
                                     LB_DNS_NOTIMP, LB_DNS_REFUSED};
    for (size_t i = 0; i < LB_COUNT(codes); i++) {
        begin(2);
        CHECK(!answer_header_alone(53, LB_DNS_A, LB_DNS_NOERROR));
        CHECK(answer_header_alone(53, LB_DNS_A, codes[i]));
        CHECK_EQ(t.sends[2].to, 54);
        CHECK_EQ(t.sends[2].type, LB_DNS_A);
        CHECK_EQ(t.ends, 0);
    }
}

static void when_all_servers_refuse_it_fails_at_once_and_says_who(void) {
    begin(2);
    for (unsigned server = 53; server <= 54; server++) {
        answer_code(server, LB_DNS_A, LB_DNS_REFUSED);
        answer_code(server, LB_DNS_AAAA, LB_DNS_REFUSED);
    }
    CHECK_EQ(t.end, LB_DNS_FAILED);
    CHECK_EQ(lasted_ms(), 0);
    CHECK_STR(explained(), "disk.x; asked 192.0.2.53 (it failed), 192.0.2.54 (it failed)");
}

static void a_server_that_was_not_asked_is_not_named(void) {
    begin(2);
    answer_code(53, LB_DNS_A, LB_DNS_NXDOMAIN);
    answer_code(53, LB_DNS_AAAA, LB_DNS_NXDOMAIN);
    CHECK_EQ(t.end, LB_DNS_FAILED);
    CHECK_STR(explained(), "disk.x; asked 192.0.2.53 (it knows no address)");
}

static void when_all_are_silent_it_fails_after_five_seconds(void) {
    begin(2);
    advance_ms(4999);
    CHECK_EQ(t.ends, 0);
    CHECK(t.send_count >= 8 && t.send_count <= 20);
    advance_ms(1);
    CHECK_EQ(t.end, LB_DNS_FAILED);
    CHECK_STR(explained(), "disk.x; asked 192.0.2.53 (no answer), 192.0.2.54 (no answer)");
}

static void without_a_server_or_a_name_it_fails_at_once(void) {
    begin(0);
    CHECK_EQ(t.end, LB_DNS_FAILED);
    CHECK_STR(explained(), "there is no DNS server to ask");
    begin_with(1, "", "a..b");
    CHECK_EQ(t.end, LB_DNS_FAILED);
    CHECK_EQ(t.send_count, 0);
    CHECK_STR(explained(), "this cannot be a host name");
}

/* ---- names ---- */

static void a_name_without_a_dot_is_searched_for_in_the_domains_first(void) {
    begin_with(1, "a.example  b.example", "disk");
    CHECK_STR(t.sends[0].name, "disk.a.example");
    answer_code(53, LB_DNS_A, LB_DNS_NXDOMAIN);
    answer_code(53, LB_DNS_AAAA, LB_DNS_NXDOMAIN);
    CHECK_STR(t.sends[2].name, "disk.b.example");
    answer_code(53, LB_DNS_A, 0);
    answer_code(53, LB_DNS_AAAA, 0);
    CHECK_STR(t.sends[4].name, "disk");
    answer_code(53, LB_DNS_AAAA, LB_DNS_NXDOMAIN);
    answer_code(53, LB_DNS_A, LB_DNS_NXDOMAIN);
    CHECK_EQ(t.end, LB_DNS_FAILED);
    CHECK_EQ(t.send_count, 6);
    CHECK_STR(explained(),
              "disk.a.example, disk.b.example, disk; asked 192.0.2.53 (it knows no address)");
}

static void a_name_with_a_dot_is_tried_as_it_is_first(void) {
    begin_with(1, "a.example", "disk.x");
    CHECK_STR(t.sends[0].name, "disk.x");
    answer_code(53, LB_DNS_A, LB_DNS_NXDOMAIN);
    answer_code(53, LB_DNS_AAAA, LB_DNS_NXDOMAIN);
    CHECK_STR(t.sends[2].name, "disk.x.a.example");
    answer_address(53, "disk.x.a.example", "192.0.2.1");
    advance_ms(50);
    CHECK_EQ(t.end, LB_DNS_DONE);
}

static void a_name_that_ends_in_a_dot_is_tried_alone(void) {
    begin_with(1, "a.example", "disk.");
    CHECK_STR(t.sends[0].name, "disk");
    answer_code(53, LB_DNS_A, LB_DNS_NXDOMAIN);
    answer_code(53, LB_DNS_AAAA, LB_DNS_NXDOMAIN);
    CHECK_EQ(t.end, LB_DNS_FAILED);
    CHECK_EQ(t.send_count, 2);
}

static void a_server_that_fails_for_one_name_is_asked_for_the_next(void) {
    begin_with(1, "a.example", "disk");
    answer_code(53, LB_DNS_A, LB_DNS_SERVFAIL);
    answer_code(53, LB_DNS_AAAA, LB_DNS_SERVFAIL);
    CHECK_STR(t.sends[2].name, "disk");
    answer_address(53, "disk", "192.0.2.1");
    advance_ms(50);
    CHECK_EQ(t.end, LB_DNS_DONE);
}

static void an_alias_without_its_address_is_asked_for(void) {
    uint8_t room[600];
    begin(1);
    struct lb_wr wr =
        test_answer(last_query(LB_DNS_A, 53), RESPONSE, 1, lb_span(room, sizeof room));
    test_alias(&wr, "disk.x", "storage.y");
    CHECK(deliver(53, lb_wr_done(&wr)));
    CHECK_STR(t.sends[2].name, "storage.y");
    answer_address(53, "storage.y", "192.0.2.1");
    advance_ms(50);
    CHECK_EQ(t.end, LB_DNS_DONE);
    CHECK_STR(addr_at(0), "192.0.2.1");
}

static void aliases_without_an_end_are_given_up(void) {
    uint8_t room[600];
    char target[16];
    t.config.family = LB_V4;
    begin(1);
    for (unsigned i = 0; i < 20 && t.ends == 0; i++) {
        struct lb_bytes query = last_query(LB_DNS_A, 53);
        struct lb_wr wr = test_answer(query, RESPONSE, 1, lb_span(room, sizeof room));
        lb_format(target, sizeof target, "a%u.x", i);
        test_alias(&wr, t.sends[t.send_count - 1].name, target);
        deliver(53, lb_wr_done(&wr));
    }
    t.config.family = LB_FAMILY_NONE;
    CHECK_EQ(t.end, LB_DNS_FAILED);
    CHECK_EQ(t.send_count, 1 + LB_DNS_ALIASES_MAX);
}

/* ---- forged answers ---- */

static void what_was_not_asked_is_not_believed(void) {
    uint8_t room[600];
    begin(1);
    struct lb_bytes query = last_query(LB_DNS_A, 53);
    struct lb_wr wr = test_answer(query, RESPONSE, 1, lb_span(room, sizeof room));
    test_address(&wr, "disk.x", "192.0.2.66");
    struct lb_bytes good = lb_wr_done(&wr);
    CHECK(!deliver(66, good)); /* another server */
    room[1] ^= 1;
    CHECK(!deliver(53, good)); /* another id */
    room[1] ^= 1;
    room[13] ^= 1;
    CHECK(!deliver(53, good)); /* another name */
    room[13] ^= 1;
    room[2] &= 0x7f;
    CHECK(!deliver(53, good)); /* a query */
    room[2] |= 0x80 | 0x08;
    CHECK(!deliver(53, good)); /* another operation */
    CHECK_EQ(t.client.ignored, 5);
    CHECK_EQ(t.ends, 0);
    room[2] &= (uint8_t)~0x08;
    room[13] ^= 0x20; /* D for d: the case does not count */
    CHECK(deliver(53, good));
}

static void an_answer_after_the_end_changes_nothing(void) {
    begin(1);
    answer_address(53, "disk.x", "192.0.2.1");
    advance_ms(50);
    CHECK(!answer_address(53, "disk.x", "2001:db8::1"));
    CHECK_EQ(t.ends, 1);
    CHECK_STR(addr_at(1), "none");
}

/* ---- TCP ---- */

static void begin_tcp(unsigned servers) {
    t.config.family = LB_V4;
    begin(servers);
    t.config.family = LB_FAMILY_NONE;
    answer_code(53, LB_DNS_A, TRUNCATED);
    CHECK_EQ(t.connects, 1);
    CHECK_STR(lb_addr_text(t.connect_to.addr).s, "192.0.2.53");
    CHECK_EQ(t.connect_to.port, LB_DNS_PORT);
}

static void of_an_answer_that_was_cut_is_taken_what_there_is_if_the_rest_is_not_to_be_had(void) {
    uint8_t room[600];
    t.config.family = LB_V4;
    begin(2);
    t.config.family = LB_FAMILY_NONE;
    struct lb_wr wr =
        test_answer(last_query(LB_DNS_A, 53), RESPONSE | TRUNCATED, 1, lb_span(room, sizeof room));
    test_address(&wr, "disk.x", "192.0.2.1");
    CHECK(deliver(53, lb_wr_done(&wr)));
    CHECK_EQ(t.connects, 1);
    lb_dns_client_lost(&t.client, t.now);
    run();
    CHECK_EQ(t.ends, 0); /* another server may have all */
    CHECK_EQ(t.sends[1].to, 54);
    answer_code(54, LB_DNS_A, LB_DNS_SERVFAIL);
    CHECK_EQ(t.end, LB_DNS_DONE);
    CHECK_STR(addr_at(0), "192.0.2.1");
    CHECK_STR(addr_at(1), "none");
}

static struct lb_bytes tcp_answer(struct lb_span room) {
    struct lb_bytes query = lb_bytes_after(lb_dns_client_gather(&t.client), 2);
    struct lb_wr wr = test_answer(query, RESPONSE, 30, lb_span(room.p + 2, room.len - 2));
    for (unsigned i = 0; i < 30; i++)
        test_address(&wr, "disk.x", "192.0.2.1");
    struct lb_wr length = lb_wr(lb_span(room.p, 2));
    lb_wr_u16(&length, (uint16_t)wr.len);
    return lb_bytes(room.p, wr.len + 2);
}

static void tcp_bytes(struct lb_bytes bytes, size_t chunk) {
    while (bytes.len > 0) {
        struct lb_span span = lb_dns_client_where(&t.client);
        size_t n = LB_MIN(LB_MIN(span.len, bytes.len), chunk);
        if (n == 0)
            return;
        memcpy(span.p, bytes.p, n);
        lb_dns_client_got(&t.client, t.now, n);
        bytes = lb_bytes_after(bytes, n);
        run();
    }
}

static void an_answer_that_was_cut_comes_by_tcp_in_any_pieces(void) {
    static uint8_t room[4096];
    for (size_t chunk = 1; chunk < 300; chunk += 7) {
        begin_tcp(1);
        CHECK_EQ(lb_dns_client_gather(&t.client).len, 0); /* not yet connected */
        lb_dns_client_connected(&t.client, t.now);
        struct lb_bytes query = lb_dns_client_gather(&t.client);
        CHECK_EQ(query.len, 2 + t.sends[0].len);
        CHECK_BYTES(lb_bytes_after(query, 2), lb_bytes(t.sends[0].bytes, t.sends[0].len));
        struct lb_bytes answer = tcp_answer(lb_span(room, sizeof room));
        lb_dns_client_sent(&t.client, t.now, 5);
        lb_dns_client_sent(&t.client, t.now, query.len - 5);
        CHECK_EQ(lb_dns_client_gather(&t.client).len, 0);
        tcp_bytes(answer, chunk);
        CHECK_EQ(t.end, LB_DNS_DONE);
        CHECK_EQ(t.closes, 1);
        CHECK_STR(addr_at(LB_PORTALS_MAX - 1), "192.0.2.1");
    }
}

static void a_connection_that_fails_sends_us_to_the_next_server(void) {
    begin_tcp(2);
    lb_dns_client_lost(&t.client, t.now);
    run();
    CHECK_EQ(t.closes, 0);
    CHECK_EQ(t.sends[1].to, 54);
    answer_address(54, "disk.x", "192.0.2.1");
    CHECK_EQ(t.end, LB_DNS_DONE);
}

static void a_connection_that_is_silent_is_given_up(void) {
    begin_tcp(1);
    lb_dns_client_connected(&t.client, t.now);
    advance_ms(1999);
    CHECK_EQ(t.ends, 0);
    advance_ms(1);
    CHECK_EQ(t.closes, 1);
    CHECK_EQ(t.end, LB_DNS_FAILED);
}

static void an_answer_by_tcp_that_is_too_long_or_another_ones_is_a_failure(void) {
    begin_tcp(1);
    lb_dns_client_connected(&t.client, t.now);
    tcp_bytes(lb_bytes("\xff\xff", 2), 2);
    CHECK_EQ(t.end, LB_DNS_FAILED);
    begin_tcp(1);
    lb_dns_client_connected(&t.client, t.now);
    tcp_bytes(lb_bytes("\0\2ab", 4), 4);
    CHECK_EQ(t.end, LB_DNS_FAILED);
    CHECK_EQ(t.closes, 1);
}

static void two_answers_that_were_cut_have_the_connection_in_turn(void) {
    static uint8_t room[4096];
    begin(1);
    answer_code(53, LB_DNS_AAAA, TRUNCATED);
    answer_code(53, LB_DNS_A, TRUNCATED);
    CHECK_EQ(t.connects, 1);
    lb_dns_client_lost(&t.client, t.now); /* AAAA has failed */
    run();
    CHECK_EQ(t.connects, 2);
    lb_dns_client_connected(&t.client, t.now);
    tcp_bytes(tcp_answer(lb_span(room, sizeof room)), 4096);
    CHECK_EQ(t.end, LB_DNS_DONE);
    CHECK_EQ(t.closes, 1);
}

int main(void) {
    TEST(a_and_aaaa_are_asked_at_once_with_ids_of_their_own);
    TEST(both_answers_end_it_at_once_with_ipv6_first);
    TEST(an_aaaa_that_is_never_answered_costs_50_ms);
    TEST(an_a_that_is_never_answered_costs_50_ms_too);
    TEST(beside_an_address_that_no_host_has_the_other_family_is_waited_for);
    TEST(a_family_without_an_address_is_not_waited_for);
    TEST(one_family_alone_is_asked_for_where_that_is_wanted);
    TEST(a_name_that_does_not_exist_for_one_type_may_have_the_other);
    TEST(of_a_name_that_does_not_exist_the_other_type_is_asked_for_twice);
    TEST(a_failure_needs_no_question);
    TEST(of_an_answer_that_was_cut_is_taken_what_there_is_if_the_rest_is_not_to_be_had);
    TEST(a_silent_server_is_not_waited_for_alone_longer_than_half_a_second);
    TEST(a_late_answer_of_the_first_server_counts);
    TEST(a_refusing_server_sends_us_to_the_next_at_once);
    TEST(when_all_servers_refuse_it_fails_at_once_and_says_who);
    TEST(when_all_are_silent_it_fails_after_five_seconds);
    TEST(without_a_server_or_a_name_it_fails_at_once);
    TEST(a_name_without_a_dot_is_searched_for_in_the_domains_first);
    TEST(a_name_with_a_dot_is_tried_as_it_is_first);
    TEST(a_name_that_ends_in_a_dot_is_tried_alone);
    TEST(a_server_that_fails_for_one_name_is_asked_for_the_next);
    TEST(an_alias_without_its_address_is_asked_for);
    TEST(aliases_without_an_end_are_given_up);
    TEST(what_was_not_asked_is_not_believed);
    TEST(an_answer_after_the_end_changes_nothing);
    TEST(an_answer_that_was_cut_comes_by_tcp_in_any_pieces);
    TEST(a_connection_that_fails_sends_us_to_the_next_server);
    TEST(a_connection_that_is_silent_is_given_up);
    TEST(an_answer_by_tcp_that_is_too_long_or_another_ones_is_a_failure);
    TEST(two_answers_that_were_cut_have_the_connection_in_turn);
    TEST(a_server_that_was_not_asked_is_not_named);
    return tap_done();
}
