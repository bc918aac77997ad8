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
    return tap_done();
}
