/* Names, without an engine: what is looked up, in which order, and what is asked of the host. */
#include "core/boot/names.h"
#include "core/dns/test_dns.h"
#include "tests/tap.h"

#define SEC LB_US_SEC

static struct {
    struct lb_config config;
    struct lb_boot_setup setup;
    struct lb_boot_machine machine;
    struct lb_plan plan;
    struct lb_rand rand;
    struct lb_trace trace;
    struct lb_common common;
    struct lb_boot_net net;
    struct lb_names names;
    struct lb_names_answer answer;
    struct lb_boot_action action;
    bool has_answer;
} t;

static uint64_t now;

static void begin(void) {
    const uint8_t seed[LB_RAND_SEED_BYTES] = {1};
    now = 1000 * SEC;
    memset(&t, 0, sizeof t);
    t.setup.config = &t.config;
    t.plan = lb_plan_of(&t.setup);
    t.common = (struct lb_common){.plan = &t.plan, .rand = &t.rand, .trace = &t.trace};
    lb_rand_init(&t.rand, seed);
    t.machine.hosts = lb_bytes_of_text("192.0.2.7 disk.example\n2001:db8::7 disk.example\n");
    lb_names_init(&t.names, &t.common, &t.machine);
}

/* Turns until there is an answer, an action or nothing to do. */
static enum lb_turn turn(void) {
    for (;;) {
        t.has_answer = false;
        if (lb_ask_take(&t.common, &t.action))
            return LB_TURN_ACT;
        t.common.until_us = LB_NEVER;
        enum lb_turn did =
            lb_names_turn(&t.names, now, &t.net, &t.action, &t.answer, &t.has_answer);
        if (did != LB_TURN_AGAIN || t.has_answer)
            return did;
    }
}

static void the_hosts_file_answers_without_a_server(void) {
    begin();
    CHECK_EQ(turn(), LB_TURN_IDLE);
    lb_names_ask(&t.names, LB_REQUESTER_SESSION, "disk.example");
    CHECK_EQ(turn(), LB_TURN_AGAIN);
    CHECK(t.has_answer && t.answer.requester == LB_REQUESTER_SESSION);
    CHECK_EQ(t.answer.count, 2);
    CHECK_STR(lb_addr_text(t.answer.addrs[0]).s, "192.0.2.7");
    CHECK_STR(t.answer.why, "in the hosts file");
    CHECK_EQ(turn(), LB_TURN_IDLE);
}

static void names_are_looked_up_in_the_order_of_asking(void) {
    begin();
    lb_names_ask(&t.names, LB_REQUESTER_ISNS, "disk.example");
    lb_names_ask(&t.names, LB_REQUESTER_SESSION, "disk.example");
    turn();
    CHECK_EQ(t.answer.requester, LB_REQUESTER_ISNS);
    turn();
    CHECK_EQ(t.answer.requester, LB_REQUESTER_SESSION);
}

static void a_second_name_of_one_requester_replaces_the_first(void) {
    begin();
    lb_names_ask(&t.names, LB_REQUESTER_ISNS, "other.example");
    lb_names_ask(&t.names, LB_REQUESTER_ISNS, "disk.example");
    turn();
    CHECK_EQ(t.answer.count, 2);
    CHECK_EQ(turn(), LB_TURN_IDLE);
    CHECK(!t.has_answer);
}

static void the_network_s_server_is_asked_after_its_slot_was_opened(void) {
    begin();
    t.net.dns[0] = lb_addr_v4(192, 0, 2, 53);
    t.net.dns_count = 1;
    lb_names_ask(&t.names, LB_REQUESTER_SESSION, "far.example");
    CHECK_EQ(turn(), LB_TURN_ACT);
    CHECK_EQ(t.action.event, LB_BOOT_OPEN);
    CHECK_EQ(t.action.slot, LB_BOOT_SLOT_DNS4);
    CHECK_EQ(turn(), LB_TURN_ACT);
    CHECK_EQ(t.action.event, LB_BOOT_SEND);
    CHECK_STR(lb_addr_text(t.action.to.addr).s, "192.0.2.53");
    CHECK(lb_names_has_slot(t.action.slot));
}

static void a_name_that_is_given_up_closes_its_slot_and_has_no_answer(void) {
    the_network_s_server_is_asked_after_its_slot_was_opened();
    lb_names_cancel(&t.names, LB_REQUESTER_ISNS); /* which asked for nothing */
    CHECK_EQ(t.common.asks.count, 0);
    lb_names_cancel(&t.names, LB_REQUESTER_SESSION);
    CHECK_EQ(turn(), LB_TURN_ACT);
    CHECK_EQ(t.action.event, LB_BOOT_CLOSE);
    CHECK_EQ(t.action.slot, LB_BOOT_SLOT_DNS4);
    CHECK_EQ(turn(), LB_TURN_IDLE);
}

static void without_a_server_the_answer_says_so(void) {
    begin();
    lb_names_ask(&t.names, LB_REQUESTER_SESSION, "far.example");
    CHECK_EQ(turn(), LB_TURN_AGAIN);
    CHECK(t.has_answer && t.answer.count == 0 && t.answer.why[0] != '\0');
}

static void configure(const char *key, const char *value) {
    struct lb_error why = {.code = LB_OK};
    CHECK(lb_config_set(&t.config, LB_SOURCE_OPTION, lb_bytes_of_text(key), lb_bytes_of_text(value),
                        &why));
    t.plan = lb_plan_of(&t.setup);
}

/* The servers that are asked, with blanks between them. */
static const char *servers(void) {
    static char shown[200];
    struct lb_text text = lb_text(shown, sizeof shown);
    lb_names_ask(&t.names, LB_REQUESTER_SESSION, "far.example");
    while (turn() == LB_TURN_ACT && t.action.event == LB_BOOT_CLOSE)
        ;
    for (size_t i = 0; i < t.names.dns.config.server_count; i++)
        lb_text_add(&text, "%s%s", i > 0 ? " " : "",
                    lb_addr_text(t.names.dns.config.servers[i].addr).s);
    return shown;
}

static void a_persons_servers_are_asked_or_the_networks_or_the_machines(void) {
    begin();
    t.machine.dns[0] = lb_addr_v4(192, 0, 2, 5);
    t.machine.dns[1] = lb_addr_v4(192, 0, 2, 6);
    t.machine.dns_count = 2;
    CHECK_STR(servers(), "192.0.2.5 192.0.2.6");
    t.net.dns[0] = lb_addr_v4(192, 0, 2, 3);
    t.net.dns[1] = lb_addr_v4(192, 0, 2, 4);
    t.net.dns_count = 2;
    CHECK_STR(servers(), "192.0.2.3 192.0.2.4");
    configure("dns", "192.0.2.1,192.0.2.2");
    CHECK_STR(servers(), "192.0.2.1 192.0.2.2");
}

static void every_server_that_is_named_is_asked_where_those_before_are_silent(void) {
    bool was_asked[3] = {false};
    begin();
    for (uint8_t i = 0; i < 3; i++)
        t.net.dns[t.net.dns_count++] = lb_addr_v4(192, 0, 2, i);
    lb_names_ask(&t.names, LB_REQUESTER_SESSION, "far.example");
    for (unsigned i = 0; i < 200 && !t.has_answer; i++) {
        while (turn() == LB_TURN_ACT)
            if (t.action.event == LB_BOOT_SEND)
                was_asked[t.action.to.addr.bytes[3]] = true;
        now += SEC / 5;
    }
    CHECK(was_asked[0] && was_asked[1] && was_asked[2]);
    CHECK(t.has_answer && t.answer.count == 0);
}

static const char *search(void) {
    lb_names_ask(&t.names, LB_REQUESTER_SESSION, "far.example");
    turn();
    return t.names.dns.config.search;
}

static void domains_are_a_persons_or_the_networks_or_the_machines(void) {
    begin();
    CHECK_STR(search(), "");
    lb_text_copy(t.machine.search, sizeof t.machine.search, lb_bytes_of_text("machine.example"));
    CHECK_STR(search(), "machine.example");
    lb_text_copy(t.net.domain, sizeof t.net.domain, lb_bytes_of_text("net.example"));
    CHECK_STR(search(), "net.example");
    configure("domain", "person.example");
    CHECK_STR(search(), "person.example");
    lb_text_copy(t.net.search, sizeof t.net.search, lb_bytes_of_text("a.example b.example"));
    CHECK_STR(search(), "a.example b.example");
}

static enum lb_family wanted(const char *address, const char *address6) {
    begin();
    if (address != NULL)
        CHECK(lb_addr_parse(lb_bytes_of_text(address), &t.net.address.addr));
    if (address6 != NULL) {
        CHECK(lb_addr_parse(lb_bytes_of_text(address6), &t.net.addrs6[0].address.addr));
        t.net.addr6_count = 1;
    }
    lb_names_ask(&t.names, LB_REQUESTER_SESSION, "far.example");
    turn();
    return t.names.dns.config.family;
}

static void addresses_of_a_family_that_the_machine_has_not_are_not_asked_for(void) {
    CHECK_EQ(wanted("192.0.2.9", NULL), LB_V4);
    CHECK_EQ(wanted(NULL, "2001:db8::9"), LB_V6);
    CHECK_EQ(wanted("192.0.2.9", "2001:db8::9"), LB_FAMILY_NONE);
    CHECK_EQ(wanted(NULL, NULL), LB_FAMILY_NONE);
}

/* Gives the bytes in pieces as large as the stage wants them. */
static void give_stream(struct lb_bytes bytes) {
    struct lb_span spans[2];
    while (bytes.len > 0 && lb_names_where(&t.names, LB_BOOT_SLOT_DNS_TCP, spans) == 1) {
        size_t len = LB_MIN(bytes.len, spans[0].len);
        memcpy(spans[0].p, bytes.p, len);
        lb_names_got(&t.names, now, LB_BOOT_SLOT_DNS_TCP, len);
        bytes = lb_bytes_after(bytes, len);
    }
    CHECK_EQ(bytes.len, 0);
}

static void an_answer_that_was_cut_comes_by_tcp(void) {
    static uint8_t whole[70000];
    uint8_t room[600];
    struct lb_bytes pieces[1];
    struct lb_span spans[2];
    begin();
    t.net.address.addr = lb_addr_v4(192, 0, 2, 9);
    t.net.dns[0] = lb_addr_v4(192, 0, 2, 53);
    t.net.dns_count = 1;
    lb_names_ask(&t.names, LB_REQUESTER_SESSION, "far.example");
    while (turn() == LB_TURN_ACT && t.action.event != LB_BOOT_SEND)
        ;
    struct lb_wr wr = test_answer(t.action.bytes, 0x8380, 0, lb_span(room, sizeof room)); /* cut */
    lb_names_datagram(&t.names, now, t.action.to, lb_wr_done(&wr));
    CHECK_EQ(turn(), LB_TURN_ACT);
    CHECK_EQ(t.action.event, LB_BOOT_CONNECT);
    CHECK_EQ(t.action.slot, LB_BOOT_SLOT_DNS_TCP);
    lb_names_connected(&t.names, now, LB_BOOT_SLOT_DNS_TCP);
    CHECK_EQ(turn(), LB_TURN_IDLE);
    CHECK_EQ(lb_names_gather(&t.names, LB_BOOT_SLOT_DNS_TCP, pieces, 0), 0);
    CHECK_EQ(lb_names_gather(&t.names, LB_BOOT_SLOT_DNS4, pieces, 1), 0);
    if (!CHECK_EQ(lb_names_gather(&t.names, LB_BOOT_SLOT_DNS_TCP, pieces, 1), 1))
        return;
    wr = test_answer(lb_bytes_after(pieces[0], 2), 0x8180, 1, lb_span(room, sizeof room));
    lb_wr_bytes(&wr, tap_hex("c00c 0001 0001 0000003c 0004 c0000207"));
    size_t len = lb_wr_done(&wr).len, sent = pieces[0].len;
    lb_names_sent(&t.names, now, LB_BOOT_SLOT_DNS_TCP, sent);
    CHECK_EQ(lb_names_gather(&t.names, LB_BOOT_SLOT_DNS_TCP, pieces, 1), 0);
    /* It fills the room for it to the last byte. What is behind the records does not count. */
    CHECK_EQ(lb_names_where(&t.names, LB_BOOT_SLOT_DNS_TCP, spans), 1);
    wr = lb_wr(lb_span(whole, sizeof whole));
    lb_wr_u16(&wr, (uint16_t)(spans[0].len - 2));
    lb_wr_bytes(&wr, lb_bytes(room, len));
    lb_wr_zero(&wr, spans[0].len - 2 - len);
    give_stream(lb_wr_done(&wr));
    while (turn() == LB_TURN_ACT)
        ;
    CHECK(t.has_answer && t.answer.count == 1);
    CHECK_STR(lb_addr_text(t.answer.addrs[0]).s, "192.0.2.7");
}

/* As many as the answer has room for, and the first of them. */
static void an_answer_has_so_many_addresses_as_there_is_room_for(void) {
    char hosts[1000];
    for (size_t count = 1; count <= LB_PORTALS_MAX + 2; count++) {
        struct lb_text text = lb_text(hosts, sizeof hosts);
        for (size_t i = 0; i < count; i++)
            lb_text_add(&text, "192.0.2.%u disk.example\n", (unsigned)i + 1);
        begin();
        t.machine.hosts = lb_bytes_of_text(hosts);
        lb_names_ask(&t.names, LB_REQUESTER_SESSION, "disk.example");
        turn();
        CHECK_EQ(t.answer.count, LB_MIN(count, (size_t)LB_PORTALS_MAX));
        for (size_t i = 0; i < LB_PORTALS_MAX; i++)
            CHECK_EQ(t.answer.addrs[i].bytes[3], i < count ? i + 1 : 0);
    }
}

/* Each slot that was opened is closed, once, whatever became of the answer. */
static void a_lookup_that_ends_closes_each_slot_that_it_opened(void) {
    uint8_t room[600];
    unsigned closed[3] = {0};
    begin();
    t.net.dns[0] = lb_addr_v4(192, 0, 2, 53);
    CHECK(lb_addr_parse(lb_bytes_of_text("2001:db8::53"), &t.net.dns[1]));
    t.net.dns_count = 2;
    lb_names_ask(&t.names, LB_REQUESTER_SESSION, "far.example");
    for (unsigned i = 0; i < 50 && !(t.names.is_open4 && t.names.is_open6); i++, now += SEC / 5)
        while (turn() == LB_TURN_ACT)
            ;
    lb_names_cancel(&t.names, LB_REQUESTER_SESSION);
    while (turn() == LB_TURN_ACT)
        if (t.action.event == LB_BOOT_CLOSE)
            closed[t.action.slot == LB_BOOT_SLOT_DNS4 ? 0 : t.action.slot == LB_BOOT_SLOT_DNS6]++;
    CHECK_EQ(closed[0], 1);
    CHECK_EQ(closed[1], 1);
    t.net.dns_count = 1;
    lb_names_ask(&t.names, LB_REQUESTER_SESSION, "far.example");
    while (turn() == LB_TURN_ACT && t.action.event != LB_BOOT_SEND)
        ;
    struct lb_wr wr = test_answer(t.action.bytes, 0x8380, 0, lb_span(room, sizeof room)); /* cut */
    lb_names_datagram(&t.names, now, t.action.to, lb_wr_done(&wr));
    while (turn() == LB_TURN_ACT && t.action.event != LB_BOOT_CONNECT)
        ;
    CHECK(t.names.is_open_tcp);
    lb_names_cancel(&t.names, LB_REQUESTER_SESSION);
    while (turn() == LB_TURN_ACT)
        if (t.action.event == LB_BOOT_CLOSE)
            closed[2] += t.action.slot == LB_BOOT_SLOT_DNS_TCP;
    CHECK_EQ(closed[2], 1);
    CHECK(!t.names.is_open4 && !t.names.is_open6 && !t.names.is_open_tcp);
}

int main(void) {
    TEST(the_hosts_file_answers_without_a_server);
    TEST(names_are_looked_up_in_the_order_of_asking);
    TEST(a_second_name_of_one_requester_replaces_the_first);
    TEST(the_network_s_server_is_asked_after_its_slot_was_opened);
    TEST(a_name_that_is_given_up_closes_its_slot_and_has_no_answer);
    TEST(without_a_server_the_answer_says_so);
    TEST(a_persons_servers_are_asked_or_the_networks_or_the_machines);
    TEST(every_server_that_is_named_is_asked_where_those_before_are_silent);
    TEST(domains_are_a_persons_or_the_networks_or_the_machines);
    TEST(addresses_of_a_family_that_the_machine_has_not_are_not_asked_for);
    TEST(an_answer_that_was_cut_comes_by_tcp);
    TEST(an_answer_has_so_many_addresses_as_there_is_room_for);
    TEST(a_lookup_that_ends_closes_each_slot_that_it_opened);
    return tap_done();
}
