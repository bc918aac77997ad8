/* A bad answer does not end a boot: it is passed over and counted, and the good one boots. Only
 * when time is over is it the error. */
#include "core/base/console.h"
#include "core/boot/test_boot_host.h"
#include <string.h>

#define EVIL "iqn.2026-11.evil:disk"

static const char *const bad_paths[] = {
    "iscsi:x",
    "iscsi:192.0.2.1:::0x1:" HOST_TARGET,
    "iscsi:a_b::::" HOST_TARGET,
    "iscsi:192.0.2.1:17:::" HOST_TARGET,
    "iscsi:192.0.2.1::0::" HOST_TARGET,
    "iscsi:192.0.2.1::::disk",
    "iscsi:192.0.2.1::::iqn.2026-11.test:\xc3\x28",
    "iscsi:192.0.2.1:::1:" EVIL,
    "iscsi::::1:" EVIL,
    "iscsi:203.0.113.66:::1:" HOST_TARGET,
    "iscsi:[2001:db8:bad::1]:::1:" HOST_TARGET,
    "iscsi:evil.example.com:::1:" HOST_TARGET,
    "iscsi:127.0.0.1:::1:" HOST_TARGET,
    "iscsi:224.0.0.1:::1:" HOST_TARGET,
    "iscsi:0.0.0.0:::1:" HOST_TARGET,
    "iscsi:[ff02::1]:::1:" HOST_TARGET,
    "iscsi:[::ffff:192.0.2.1]:::1:" HOST_TARGET,
};

/* Server 0 is quick and bad; server 1 is good, and comes later. */
static void doubtful_first(const char *bad, uint64_t good_us) {
    host_init();
    host_set("allow-server", "192.0.2.0/24");
    host_set("allow-target", HOST_TARGET);
    host_offers(bad);
    host_dhcp(1, host_dhcp_config(3, HOST_ROOT_PATH));
    host.dhcp[1].config.first = host.dhcp[1].config.last = v4(192, 0, 2, 200);
    host.dhcp_us[1] = good_us;
}

static void rogue_first(const char *bad, uint64_t good_us) {
    doubtful_first(bad, good_us);
    host_set("require", "address");
}

static void check_good_boots(uint64_t good_us) {
    uint64_t start = host.now;
    if (!host_boots())
        return;
    CHECK(host.now - start <= good_us + good_us + 2 * SEC); /* an OFFER, and an ACK */
    CHECK_STR(lb_prefix_text(host.net.address).s, "192.0.2.200/24");
    CHECK_STR(lb_endpoint_text(host.connects[0]).s, "192.0.2.1:3260");
    CHECK_EQ(host.connect_count, 1);
}

static void a_good_offer_boots_though_a_bad_one_came_first(void) {
    for (size_t i = 0; i < LB_COUNT(bad_paths); i++) {
        rogue_first(bad_paths[i], 50 * LB_US_MS);
        check_good_boots(50 * LB_US_MS);
        CHECK_HAS(host_fact("passed-over").source, "DHCP server 192.0.2.2");
        if (host.connect_count != 1)
            tap_note("%s", bad_paths[i]);
    }
}

/* allow-server has addresses: those of a name are known only later, and DNS alone gives them. */
static void a_server_on_the_list_comes_before_a_name_that_is_on_none(void) {
    doubtful_first("iscsi:evil.example.com:::1:" HOST_TARGET, 50 * LB_US_MS);
    host.resolved[0] = v4(203, 0, 113, 66);
    check_good_boots(50 * LB_US_MS);
    CHECK_EQ(host.seen[LB_BOOT_SET_ADDRESS], 1); /* the other lease was never taken */
}

static void a_name_alone_boots_where_it_leads_to_a_server_on_the_list(void) {
    host_init();
    host_set("allow-server", "192.0.2.0/24");
    host_offers("iscsi:storage.example.com:::1:" HOST_TARGET);
    CHECK(host_boots());
    CHECK_STR(lb_endpoint_text(host.connects[0]).s, "192.0.2.1:3260");
}

/* The rogue answers first, each time otherwise; the good offer takes up to three seconds. */
static void a_hundred_boots_of_a_hundred(void) {
    unsigned booted = 0;
    for (uint8_t i = 0; i < 100; i++) {
        uint64_t good_us = (i * 31u % 100 + 1) * 30 * LB_US_MS, offer_us;
        rogue_first(bad_paths[i % LB_COUNT(bad_paths)], good_us);
        host.setup.seed[1] = i;
        host.dhcp[0].config.rapid_commit = i % 3 == 0;
        host_begin();
        offer_us = host.now + good_us;
        booted += host_until(LB_BOOT_READY);
        host.dhcp_us[1] = 0;
        CHECK(host.now <= offer_us + good_us + 2 * SEC);
    }
    CHECK_EQ(booted, 100);
}

static void an_offer_whose_root_path_is_cut_is_a_bad_one(void) {
    struct lb_dhcp4_lease lease = {.server = v4(192, 0, 2, 66), .has_cut_root_path = true};
    host_init();
    host_begin();
    CHECK_EQ(lb_judge_lease4(&host.boot.judge, host.now, &lease), LB_WORTH_BAD);
    CHECK_HAS(host_fact("passed-over").value, "option 17 runs past the end");
    host_init();
    host_set("rootpath", HOST_ROOT_PATH);
    host_begin();
    CHECK(lb_judge_lease4(&host.boot.judge, host.now, &lease) != LB_WORTH_BAD);
}

static void a_good_offer_is_waited_for(void) {
    rogue_first("iscsi:x", 3 * SEC);
    check_good_boots(3 * SEC);
    CHECK_EQ(host.seen[LB_BOOT_SET_ADDRESS], 1); /* nobody took the other lease */
}

static void a_good_offer_that_comes_much_later_boots_in_a_later_attempt(void) {
    rogue_first("iscsi:x", 9 * SEC);
    host_boots();
    CHECK_STR(lb_prefix_text(host.net.address).s, "192.0.2.200/24");
}

static void a_server_that_is_put_right_meanwhile_boots(void) {
    host_init();
    host_offers("iscsi:x");
    host_begin();
    host_pass(100 * SEC);
    CHECK(!host_is_over());
    host_offers(HOST_ROOT_PATH);
    CHECK(host_until(LB_BOOT_READY));
}

static void a_lease_that_names_no_disk_does_not_keep_others_from_being_asked(void) {
    host_init();
    host_offers("iscsi:x");
    host_dhcp(1, host_dhcp_config(3, ""));
    host_set("discovery", "off");
    host_begin();
    host_pass(SEC / 2);
    host.dhcp_hears[0][LB_DHCP4_DISCOVER] = false;
    host_pass(100 * SEC);
    CHECK(!host_is_over());
    host_offers(HOST_ROOT_PATH);
    CHECK(host_until(LB_BOOT_READY));
}

static void many_bad_servers_do_not_push_the_good_offer_out(void) {
    static const uint8_t bad_servers = 12;
    rogue_first("iscsi:x", 900 * LB_US_MS);
    host_begin();
    while (host.dhcp_sent[LB_DHCP4_DISCOVER] == 0)
        host_step(host.now + SEC);
    for (uint8_t i = 0; i < bad_servers; i++) {
        struct lb_dhcp4_server_config config = host_dhcp_config((uint8_t)(20 + i), "iscsi:x");
        struct lb_binding bindings[2] = {{.client_len = 0}};
        struct lb_dhcp4_server server;
        uint8_t memory[512], room[LB_DHCP4_PACKET_MAX], reply_room[LB_DHCP4_PACKET_MAX];
        struct lb_wr list = lb_wr(lb_span(memory, sizeof memory));
        struct lb_dhcp4_header header = host.dhcp_last.header;
        struct lb_dhcp4_layout layout = {.max_bytes = sizeof room};
        lb_dhcp4_server_init(&server, &config, bindings, 2);
        lb_dhcp4_put_u8(&list, LB_OPT_TYPE, LB_DHCP4_DISCOVER);
        struct lb_bytes discover =
            lb_dhcp4_encode(&header, &list, layout, lb_span(room, sizeof room));
        struct lb_dhcp4_reply reply =
            lb_dhcp4_server_input(&server, host.now, (struct lb_endpoint){v4(0, 0, 0, 0), 68},
                                  discover, lb_span(reply_room, sizeof reply_room));
        CHECK(reply.bytes.len > 0);
        lb_boot_datagram(&host.boot, host.now, LB_BOOT_SLOT_DHCP4,
                         (struct lb_endpoint){config.server, 67}, reply.bytes);
    }
    CHECK(host_until(LB_BOOT_READY));
    CHECK_STR(lb_prefix_text(host.net.address).s, "192.0.2.200/24");
}

static void while_there_are_bad_offers_alone_the_client_goes_on_asking(void) {
    host_init();
    host_offers("iscsi:x");
    host_set("discovery", "off");
    uint64_t start = host.now;
    host_fails(LB_E_ROOTPATH_FIELDS, "from DHCP server 192.0.2.2");
    CHECK_HAS(host_error()->facts, "passed over");
    CHECK(host.now - start > 200 * SEC); /* retry-time */
    CHECK(host.dhcp_sent[LB_DHCP4_DISCOVER] > 10);
    CHECK_EQ(host.dhcp_sent[LB_DHCP4_REQUEST], 0); /* no lease that nobody needs */
    CHECK_EQ(host_steps_running(), 0);
}

/* How long one attempt takes whose only answer is broken. */
static uint64_t one_attempt_us(void) {
    host_offers("iscsi:x");
    host_set("attempts", "1");
    uint64_t start = host.now;
    host_fails(LB_E_ROOTPATH_FIELDS, "1 answer passed over");
    return host.now - start;
}

static void host_silent_ipv6(void) {
    host_init();
    host_ipv6();
    host.has_router = false;
    host_dhcp6_is_silent();
}

static void the_error_of_the_only_answer_is_told_soon(void) {
    host_init();
    host_set("discovery", "off");
    CHECK(one_attempt_us() < SEC);
    host_silent_ipv6();
    host_set("discovery", "off");
    CHECK(one_attempt_us() < 3 * SEC);
}

static void discovery_beside_a_broken_answer_takes_three_seconds_at_first(void) {
    host_init();
    CHECK(one_attempt_us() < 4 * SEC);
    host_silent_ipv6(); /* which is waited for */
    CHECK(one_attempt_us() < 5 * SEC);
}

/* The waterfall blames each step for its own fault: of IPv6 nobody knows more than silence. */
static void the_fault_of_one_family_is_not_shown_as_the_others(void) {
    host_silent_ipv6();
    host_set("discovery", "off");
    (void)one_attempt_us();
    const struct lb_report *report = lb_boot_report(&host.boot);
    unsigned silent = 0;
    for (size_t i = 0; i < report->step_count; i++) {
        const char *note = report->steps[i].note;
        CHECK(strstr(note, "rootpath") == NULL || strstr(note, "DHCPv6") == NULL);
        CHECK(strstr(note, "rootpath") == NULL || strstr(note, "routers") == NULL);
        silent += strstr(note, "no answer so far") != NULL;
    }
    CHECK(silent >= 1);
}

static void a_console_says_at_once_what_is_broken(void) {
    struct lb_console console = {0};
    char line[256];
    struct lb_text text = lb_text(line, sizeof line);
    bool is_told = false, waits = false;
    host_init();
    host_offers("iscsi:x");
    host_begin();
    uint64_t start = host.now;
    host_pass(SEC / 10);
    while (lb_console_next(&console, lb_boot_report(&host.boot), host.now, false, &text)) {
        is_told = is_told || strstr(line, "passed-over: rootpath-fields: from DHCP server") != NULL;
        waits = waits || strstr(line, "waiting: up to 800 ms") != NULL;
        text = lb_text(line, sizeof line);
    }
    CHECK(is_told && waits);
    CHECK(host.now - start < SEC);
}

/* The OFFER of a server that takes nine seconds for each answer is taken in an attempt that ends
 * before the ACK comes. */
static void a_lease_that_came_in_the_pause_is_not_asked_for_anew(void) {
    rogue_first("iscsi:x", 9 * SEC);
    uint64_t start = host.now;
    if (host_boots())
        CHECK(host.now - start < 60 * SEC);
}

static void an_ack_that_says_something_else_than_the_offer_is_passed_over(void) {
    host_init();
    host_set("allow-target", HOST_TARGET);
    host_begin();
    while (host.dhcp_sent[LB_DHCP4_DISCOVER] == 0)
        host_step(host.now + SEC);
    host_offers("iscsi:192.0.2.1:::1:" EVIL); /* and from now on this */
    host_pass(2 * SEC);
    CHECK_EQ(host.connect_count, 0);
    host_offers(HOST_ROOT_PATH);
    CHECK(host_until(LB_BOOT_READY));
}

static void what_discovery_finds_boots_beside_a_bad_offer(void) {
    host_init();
    host_offers("iscsi:x");
    host_set("lun", "1");
    host_set("server", "192.0.2.1"); /* which is asked what it has */
    if (host_boots())
        CHECK_STR(lb_boot_target(&host.boot)->target, HOST_TARGET);
}

static void the_other_familys_disk_boots(void) {
    host_init();
    host_ipv6();
    host.ra.managed = true;
    host_offers("iscsi:x");
    host_offers6(HOST_ROOT_PATH6);
    host_portal(1, v6("2001:db8::1"), 3260);
    uint64_t start = host.now;
    host_boots();
    CHECK(host.now - start < 6 * SEC);
    host_init();
    host_ipv6();
    host.ra.managed = true;
    host_offers6("iscsi:x");
    start = host.now;
    host_boots();
    CHECK(host.now - start < 2 * SEC);
}

static void a_bad_answer_of_dhcpv6_is_passed_over(void) {
    host_init();
    host_ipv6();
    host_dhcp_is_silent();
    host.ra.managed = true;
    host_portal(1, v6("2001:db8::1"), 3260);
    host_set("allow-target", HOST_TARGET);
    host_set("discovery", "off");
    host_offers6("iscsi:[2001:db8::1]:::1:" EVIL);
    host_begin();
    host_pass(90 * SEC);
    CHECK(!host_is_over());
    CHECK_EQ(host.dhcp6_sent[LB_DHCP6_REQUEST], 0);
    CHECK_HAS(host_fact("passed-over").source, "DHCPv6 server");
    host_offers6(HOST_ROOT_PATH6);
    CHECK(host_until(LB_BOOT_READY));
    host_init();
    host_ipv6();
    host_dhcp_is_silent();
    host.ra.managed = true;
    host_set("discovery", "off");
    host_offers6("ISCSI:%zz");
    host_fails(LB_E_ROOTPATH_FIELDS, "from DHCPv6 server");
}

static void of_stateless_dhcpv6_too(void) {
    host_init();
    host_ipv6();
    host_dhcp_is_silent();
    host.ra.other = true;
    host.dhcp6.config.stateless = true;
    host_portal(1, v6("2001:db8::1"), 3260);
    host_set("discovery", "off");
    host_offers6("iscsi:x");
    host_begin();
    host_pass(60 * SEC);
    CHECK(!host_is_over());
    host_offers6(HOST_ROOT_PATH6);
    CHECK(host_until(LB_BOOT_READY));
}

static void a_flaw_in_the_network_ranks_below_none(void) {
    static const struct {
        struct lb_addr router;
    } cases[] = {{{LB_V4, {203, 0, 113, 254}}}, {{LB_V4, {10, 0, 0, 1}}}};
    for (size_t i = 0; i < LB_COUNT(cases); i++) {
        rogue_first(HOST_ROOT_PATH, 300 * LB_US_MS);
        host.dhcp[0].config.router = cases[i].router;
        check_good_boots(300 * LB_US_MS);
        host_init();
        host.dhcp[0].config.router = cases[i].router; /* alone, it is what there is */
        host_boots();
    }
}

static void lies_about_names_do_not_end_a_boot(void) {
    host_init();
    host_set("allow-server", "192.0.2.0/24");
    host_offers("iscsi:storage.example.com:::1:" HOST_TARGET);
    host.resolved[0] = v4(203, 0, 113, 66);
    host.resolved[1] = v4(127, 0, 0, 1);
    host.resolved[2] = v4(192, 0, 2, 1);
    host.resolved_count = 3;
    if (host_boots())
        CHECK_EQ(host.connect_count, 1);
    host_init();
    host_set("allow-server", "192.0.2.0/24");
    host_offers("iscsi:storage.example.com:::1:" HOST_TARGET);
    host.resolved[0] = v4(203, 0, 113, 66);
    host_begin();
    host_pass(60 * SEC);
    CHECK(!host_is_over());
    CHECK_EQ(host.connect_count, 0);
    host.resolved[0] = v4(192, 0, 2, 1);
    CHECK(host_until(LB_BOOT_READY));
}

static void a_server_that_led_nowhere_gives_way_to_another(void) {
    rogue_first("iscsi:192.0.2.9:::1:" HOST_TARGET, 20 * LB_US_MS);
    host_portal(1, v4(192, 0, 2, 9), 3260);
    host.portals[1].answer = REFUSES;
    host_boots();
    CHECK_STR(lb_prefix_text(host.net.address).s, "192.0.2.200/24");
}

/* Two servers of IPv4, and a disk of IPv6 that cannot be had yet: the lease of IPv4 stays, for the
 * way there may lead over it. */
static void a_server_that_was_not_followed_is_not_blamed(void) {
    host_init();
    host_ipv6();
    host.ra.managed = true;
    host_set("discovery", "off");
    host_dhcp(0, host_dhcp_config(2, ""));
    host_dhcp(1, host_dhcp_config(3, ""));
    host.dhcp[1].config.first = host.dhcp[1].config.last = v4(192, 0, 2, 200);
    host_offers6(HOST_ROOT_PATH6);
    host_portal(1, v6("2001:db8::1"), 3260);
    host.portals[1].answer = REFUSES;
    host_begin();
    host_pass(60 * SEC);
    CHECK(!host_is_over());
    CHECK(host.connect_count > 2);
    CHECK_EQ(host.dhcp_sent[LB_DHCP4_DISCOVER], 1);
}

static void names_of_the_network_are_refused_where_an_address_is_required(void) {
    host_init();
    host_set("require", "address");
    host_offers("iscsi:storage.example.com:::1:" HOST_TARGET);
    host_fails(LB_E_NAME_NOT_ALLOWED, "storage.example.com");
    CHECK_EQ(host.questions, 0);
    host_init();
    host_set("require", "address");
    host_set("server", "storage.example.com"); /* a person's word */
    host_boots();
    host_init();
    host_set("require", "address");
    host.portals[0].node.login_status = LB_LOGIN_MOVED_TEMPORARILY;
    lb_text_copy(host.portals[0].node.redirect, sizeof host.portals[0].node.redirect,
                 lb_bytes_of_text("other.example.com:3260"));
    host_fails(LB_E_NAME_NOT_ALLOWED, "other.example.com");
    CHECK_EQ(host.questions, 0);
}

static void a_named_disk_is_not_waited_for(void) {
    host_init();
    host_set("rootpath", HOST_ROOT_PATH);
    host_offers("");
    uint64_t start = host.now;
    host_boots();
    CHECK(host.now - start < 100 * LB_US_MS); /* no better offer is needed */
    host_init();
    host_set("server", "192.0.2.1"); /* as the words of dracut set it */
    host_set("target", HOST_TARGET);
    host_set("lun", "first");
    host_offers("");
    start = host.now;
    host_boots();
    CHECK(host.now - start < 100 * LB_US_MS);
}

/* ---- answers that prove who gave them ---- */

static struct lb_dhcp_seen seen_clients;

/* Server 0 is quick and proves nothing, server 1 has the key. */
static void impostor_first(const char *keys) {
    struct lb_dhcp4_server_config good = host_dhcp_config(3, HOST_ROOT_PATH);
    host_init();
    host_set("dhcp-keys", keys);
    host_set("family", "4");
    host_offers("iscsi:203.0.113.66:::1:" EVIL);
    good.first = good.last = v4(192, 0, 2, 200);
    good.keys = lb_bytes_of_text("1:0123456789abcdef");
    good.seen = &seen_clients;
    memset(&seen_clients, 0, sizeof seen_clients);
    host_dhcp(1, good);
    host.dhcp_us[1] = 50 * LB_US_MS;
}

static void only_the_server_that_has_our_key_is_heard(void) {
    impostor_first("1:0123456789abcdef");
    check_good_boots(50 * LB_US_MS);
    CHECK_HAS(host_fact("passed-over").value, "dhcp-auth: from 192.0.2.2: not authenticated");
    CHECK_STR(host_fact("authenticated").value, "by key 1");
}

static void a_firmware_lease_proves_nothing(void) {
    struct lb_dhcp4_lease lease = {.address = {v4(192, 0, 2, 50), 24},
                                   .server = v4(192, 0, 2, 2),
                                   .lease_s = 3600,
                                   .root_path_len = sizeof HOST_ROOT_PATH - 1};
    memcpy(lease.root_path, HOST_ROOT_PATH, lease.root_path_len);
    impostor_first("1:0123456789abcdef");
    host.setup.lease4 = &lease;
    check_good_boots(50 * LB_US_MS);
}

static void without_a_server_that_has_our_key_nothing_boots(void) {
    impostor_first("1:another-secret-16");
    host_set("retry-time", "0ms");
    host_set("dhcp-timeout", "3s");
    host_fails(LB_E_DHCP_AUTH, "answers that cannot be used");
    CHECK_EQ(host.connect_count, 0);
    CHECK_EQ(host.seen[LB_BOOT_SET_ADDRESS], 0);
}

/* What a server proved in one boot is old in the next, where the host has kept it. */
static void what_an_earlier_boot_has_heard_is_not_heard_again(void) {
    struct lb_dhcp_seen kept;
    impostor_first("1:0123456789abcdef");
    host_boots();
    kept = *lb_boot_seen(&host.boot);
    impostor_first("1:0123456789abcdef");
    check_good_boots(50 * LB_US_MS); /* the same values of the server, and nobody remembers */
    impostor_first("1:0123456789abcdef");
    host.setup.seen = &kept;
    host_set("retry-time", "0ms");
    host_set("dhcp-timeout", "3s");
    host_fails(LB_E_DHCP_AUTH, "played again");
}

int main(void) {
    TEST(a_good_offer_boots_though_a_bad_one_came_first);
    TEST(a_server_on_the_list_comes_before_a_name_that_is_on_none);
    TEST(a_name_alone_boots_where_it_leads_to_a_server_on_the_list);
    TEST(a_hundred_boots_of_a_hundred);
    TEST(an_offer_whose_root_path_is_cut_is_a_bad_one);
    TEST(a_good_offer_is_waited_for);
    TEST(a_good_offer_that_comes_much_later_boots_in_a_later_attempt);
    TEST(a_server_that_is_put_right_meanwhile_boots);
    TEST(a_lease_that_names_no_disk_does_not_keep_others_from_being_asked);
    TEST(many_bad_servers_do_not_push_the_good_offer_out);
    TEST(while_there_are_bad_offers_alone_the_client_goes_on_asking);
    TEST(the_error_of_the_only_answer_is_told_soon);
    TEST(discovery_beside_a_broken_answer_takes_three_seconds_at_first);
    TEST(the_fault_of_one_family_is_not_shown_as_the_others);
    TEST(a_console_says_at_once_what_is_broken);
    TEST(a_lease_that_came_in_the_pause_is_not_asked_for_anew);
    TEST(an_ack_that_says_something_else_than_the_offer_is_passed_over);
    TEST(what_discovery_finds_boots_beside_a_bad_offer);
    TEST(the_other_familys_disk_boots);
    TEST(a_bad_answer_of_dhcpv6_is_passed_over);
    TEST(of_stateless_dhcpv6_too);
    TEST(a_flaw_in_the_network_ranks_below_none);
    TEST(lies_about_names_do_not_end_a_boot);
    TEST(a_server_that_led_nowhere_gives_way_to_another);
    TEST(a_server_that_was_not_followed_is_not_blamed);
    TEST(names_of_the_network_are_refused_where_an_address_is_required);
    TEST(a_named_disk_is_not_waited_for);
    TEST(only_the_server_that_has_our_key_is_heard);
    TEST(a_firmware_lease_proves_nothing);
    TEST(without_a_server_that_has_our_key_nothing_boots);
    TEST(what_an_earlier_boot_has_heard_is_not_heard_again);
    return tap_done();
}
