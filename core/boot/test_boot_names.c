/* Names in a boot: whom the engine asks, and what it does with the answers. */
#include "core/boot/test_boot_host.h"

static struct {
    unsigned sends[2]; /* to the DNS slots, IPv4's and IPv6's */
    unsigned types[LB_DNS_AAAA + 1];
    char server[64];
} asked;

static void note_question(const struct lb_boot_action *action) {
    struct lb_dns_message query;
    asked.sends[action->slot == LB_BOOT_SLOT_DNS6]++;
    lb_format(asked.server, sizeof asked.server, "%s", lb_endpoint_text(action->to).s);
    if (CHECK(lb_dns_decode(action->bytes, &query)) && query.type < LB_COUNT(asked.types))
        asked.types[query.type]++;
}

/* A machine whose disk is at a name. */
static void named(void) {
    host_init();
    memset(&asked, 0, sizeof asked);
    host.on_question = note_question;
    host_set("rootpath", "iscsi:disk.example:::1:" HOST_TARGET);
}

static void the_name_of_the_server_is_looked_up_where_the_network_says(void) {
    named();
    host.dhcp[0].config.dns = v4(192, 0, 2, 7);
    host_begin();
    CHECK(host_until(LB_BOOT_READY));
    CHECK_STR(asked.server, "192.0.2.7:53");
    CHECK_EQ(host.opened & (UINT32_C(1) << LB_BOOT_SLOT_DNS4), 0); /* closed again */
}

static void a_persons_server_is_asked_instead_of_the_networks(void) {
    named();
    host.dhcp[0].config.dns = v4(192, 0, 2, 7);
    host_set("dns", "192.0.2.8");
    host_begin();
    CHECK(host_until(LB_BOOT_READY));
    CHECK_STR(asked.server, "192.0.2.8:53");
}

static void the_machines_own_server_is_asked_where_nobody_names_any(void) {
    named();
    host.dhcp[0].config.dns = (struct lb_addr){0};
    host.machine.dns[0] = v4(192, 0, 2, 54);
    host_begin();
    CHECK(host_until(LB_BOOT_READY));
    CHECK_STR(asked.server, "192.0.2.54:53");
}

static void the_hosts_file_is_read_before_anyone_is_asked(void) {
    named();
    host.machine.hosts = lb_bytes_of_text("192.0.2.1 disk.example\n");
    host_begin();
    CHECK(host_until(LB_BOOT_READY));
    CHECK_EQ(asked.sends[0] + asked.sends[1], 0);
}

static void a_machine_of_one_family_asks_for_that_family_alone(void) {
    named();
    host_begin();
    CHECK(host_until(LB_BOOT_READY));
    CHECK_EQ(asked.types[LB_DNS_A], 1);
    CHECK_EQ(asked.types[LB_DNS_AAAA], 0);
}

static void the_key_family_is_heeded(void) {
    named();
    host.setup.network_is_up = true;
    host_set("family", "4");
    host_begin();
    CHECK(host_until(LB_BOOT_READY));
    CHECK_EQ(asked.types[LB_DNS_AAAA], 0);
    named();
    host.setup.network_is_up = true;
    host_begin();
    CHECK(host_until(LB_BOOT_READY));
    CHECK_EQ(asked.types[LB_DNS_AAAA], 1);
}

static void the_error_says_who_was_asked_for_what(void) {
    named();
    host.resolved_count = 0;
    host_set("attempts", "1");
    host_fails(LB_E_RESOLVE, "disk.example; asked 192.0.2.53 (it knows no address)");
    named();
    host.dns_is_silent = true;
    host_set("attempts", "1");
    host_fails(LB_E_RESOLVE, "disk.example; asked 192.0.2.53 (no answer)");
    named();
    host.machine.dns_count = 0;
    host.dhcp[0].config.dns = (struct lb_addr){0};
    host_set("attempts", "1");
    host_fails(LB_E_RESOLVE, "there is no DNS server to ask");
}

static void a_silent_server_costs_five_seconds_an_attempt(void) {
    named();
    host.dns_is_silent = true;
    host_set("attempts", "1");
    host_begin();
    uint64_t start_us = host.now;
    host_until(LB_BOOT_FAILED);
    CHECK(host.now - start_us < 7 * SEC);
    CHECK(asked.sends[0] >= 3);
}

static void the_search_list_completes_a_short_name(void) {
    named();
    host_set("domain", "boot.example");
    host_set("rootpath", "iscsi:disk:::1:" HOST_TARGET);
    host_begin();
    CHECK(host_until(LB_BOOT_READY));
    CHECK_STR(host.name, "disk.boot.example");
}

/* ---- by TCP, where an answer is too long for a datagram -------------------------------------- */

enum { DNS_TCP_PIECE = 7 }; /* bytes that come at once */

static struct {
    unsigned connects;
    bool refuses, has_answer;
    uint8_t query[600], answer[600];
    size_t query_len, answer_len, given;
} tcp;

/* The server of 192.0.2.7 has more to say than fits; another says it all. */
static void answer_in_part(const struct lb_boot_action *action) {
    uint8_t room[600];
    note_question(action);
    host.dns_is_silent = lb_addr_equal(action->to.addr, v4(192, 0, 2, 7));
    if (!host.dns_is_silent)
        return;
    struct lb_wr wr = lb_wr(lb_span(room, sizeof room));
    lb_wr_bytes(&wr, action->bytes);
    lb_wr_u16_at(&wr, 2, 0x8380);
    lb_boot_datagram(&host.boot, host.now, action->slot, action->to, lb_wr_done(&wr));
}

static void connect_dns(const struct lb_boot_action *action) {
    CHECK_EQ(action->slot, LB_BOOT_SLOT_DNS_TCP);
    CHECK_STR(lb_endpoint_text(action->to).s, "192.0.2.7:53");
    tcp.connects++;
    if (tcp.refuses)
        lb_boot_lost(&host.boot, host.now, action->slot, LB_LOST_REFUSED);
    else
        lb_boot_connected(&host.boot, host.now, action->slot);
}

static void answer_by_tcp(void) {
    struct lb_wr wr = lb_wr(lb_span(tcp.answer, sizeof tcp.answer));
    lb_wr_u16(&wr, (uint16_t)(tcp.query_len - 2 + 16)); /* one record more */
    lb_wr_bytes(&wr, lb_bytes(tcp.query + 2, tcp.query_len - 2));
    lb_wr_u16_at(&wr, 4, 0x8180);
    lb_wr_u16_at(&wr, 8, 1);
    host_write_address(&wr, v4(192, 0, 2, 1));
    tcp.answer_len = lb_wr_done(&wr).len;
    tcp.has_answer = true;
}

static bool pump_dns(void) {
    struct lb_bytes pieces[2];
    struct lb_span spans[2];
    size_t sends = lb_boot_gather(&host.boot, LB_BOOT_SLOT_DNS_TCP, pieces, LB_COUNT(pieces));
    if (sends > 0) {
        size_t len = LB_MIN(pieces[0].len, (size_t)DNS_TCP_PIECE);
        memcpy(tcp.query + tcp.query_len, pieces[0].p, len);
        tcp.query_len += len;
        lb_boot_sent(&host.boot, host.now, LB_BOOT_SLOT_DNS_TCP, len);
        return true;
    }
    if (!tcp.has_answer && tcp.query_len > 2 && tcp.query_len == tcp.query[1] + 2u)
        answer_by_tcp();
    size_t rooms = lb_boot_where(&host.boot, LB_BOOT_SLOT_DNS_TCP, spans);
    if (rooms == 0 || tcp.given == tcp.answer_len)
        return false;
    size_t len = LB_MIN(LB_MIN(spans[0].len, tcp.answer_len - tcp.given), (size_t)DNS_TCP_PIECE);
    memcpy(spans[0].p, tcp.answer + tcp.given, len);
    tcp.given += len;
    lb_boot_got(&host.boot, host.now, LB_BOOT_SLOT_DNS_TCP, len);
    return true;
}

static void asked_in_part(bool refuses) {
    named();
    memset(&tcp, 0, sizeof tcp);
    tcp.refuses = refuses;
    host_set("dns", "192.0.2.7,192.0.2.8");
    host.on_question = answer_in_part;
    host.on_connect = connect_dns;
    host.on_pump = pump_dns;
    host_begin();
    CHECK(host_until(LB_BOOT_READY));
    CHECK_EQ(tcp.connects, 1);
    CHECK_EQ(host.opened & (UINT32_C(1) << LB_BOOT_SLOT_DNS_TCP), 0);
}

static void an_answer_that_does_not_fit_is_asked_for_by_tcp(void) {
    asked_in_part(false);
    CHECK_EQ(asked.sends[0], 1);
    CHECK(tcp.has_answer);
    CHECK_EQ(tcp.given, tcp.answer_len);
}

static void a_server_that_refuses_tcp_gives_way_to_the_next(void) {
    asked_in_part(true);
    CHECK_EQ(asked.sends[0], 2);
    CHECK_STR(asked.server, "192.0.2.8:53");
    CHECK(!tcp.has_answer);
}

int main(void) {
    TEST(the_name_of_the_server_is_looked_up_where_the_network_says);
    TEST(a_persons_server_is_asked_instead_of_the_networks);
    TEST(the_machines_own_server_is_asked_where_nobody_names_any);
    TEST(the_hosts_file_is_read_before_anyone_is_asked);
    TEST(a_machine_of_one_family_asks_for_that_family_alone);
    TEST(the_key_family_is_heeded);
    TEST(the_error_says_who_was_asked_for_what);
    TEST(a_silent_server_costs_five_seconds_an_attempt);
    TEST(the_search_list_completes_a_short_name);
    TEST(an_answer_that_does_not_fit_is_asked_for_by_tcp);
    TEST(a_server_that_refuses_tcp_gives_way_to_the_next);
    return tap_done();
}
