/* Link, address and lease: until the interface has an address, and as long as it is kept. */
#include "core/boot/test_boot_host.h"

/* ---- link ----------------------------------------------------------------------------------- */

static void without_link_the_boot_ends_after_link_timeout(void) {
    host_init();
    host.has_link = false;
    host_set("attempts", "1");
    host_set("link-timeout", "7s");
    uint64_t start = host.now;
    host_fails(LB_E_NO_LINK, "interface net0");
    CHECK_EQ(host.now - start, 7 * SEC);
    CHECK_EQ(host.seen[LB_BOOT_SEND], 0);
    CHECK_EQ(host_last_step(LB_STAGE_LINK).outcome, LB_DONE_FAILED);
}

static void a_link_that_comes_later_is_used_at_once(void) {
    host_init();
    host.has_link = false;
    host_begin();
    host_pass(4 * SEC);
    CHECK_EQ(host.seen[LB_BOOT_SEND], 0);
    lb_boot_link(&host.boot, host.now, true);
    uint64_t link = host.now;
    CHECK(host_until(LB_BOOT_READY));
    CHECK(host.now - link < SEC);
}

static void a_link_is_waited_for_in_each_attempt(void) {
    host_init();
    host.has_link = false;
    host_set("link-timeout", "5s");
    host_begin();
    host_pass(8 * SEC); /* the second attempt has begun */
    CHECK_EQ(host.seen[LB_BOOT_LINK], 2);
    CHECK(!host_is_over());
    host.has_link = true;
    CHECK(host_until(LB_BOOT_READY));
}

static void a_link_that_comes_during_the_pause_counts(void) {
    host_init();
    host.has_link = false;
    host_set("link-timeout", "1s");
    host_set("retry-delay", "20s");
    host_begin();
    host_pass(5 * SEC);
    lb_boot_link(&host.boot, host.now, true);
    CHECK(host_until(LB_BOOT_READY));
    CHECK_EQ(host.seen[LB_BOOT_LINK], 1); /* nobody needed to ask again */
}

static void silence_after_the_link_has_gone_is_the_links(void) {
    host_init();
    host_dhcp_is_silent();
    host_set("attempts", "1");
    host_set("dhcp-timeout", "20s");
    host_begin();
    host_pass(4 * SEC);
    lb_boot_link(&host.boot, host.now, false);
    host.has_link = false;
    CHECK(host_ends(LB_E_NO_LINK, "the link of interface net0 has gone; dhcp-no-offer: "));
}

static void silence_after_the_link_came_back_is_the_servers(void) {
    host_init();
    host_dhcp_is_silent();
    host_set("attempts", "1");
    host_set("dhcp-timeout", "20s");
    host_begin();
    host_pass(4 * SEC);
    lb_boot_link(&host.boot, host.now, false);
    lb_boot_link(&host.boot, host.now, true);
    CHECK(host_ends(LB_E_DHCP_NO_OFFER, ""));
}

/* ---- DHCP fails ----------------------------------------------------------------------------- */

static void silence_is_no_offer(void) {
    host_init();
    host_dhcp_is_silent();
    host_set("attempts", "1");
    host_set("dhcp-timeout", "20s");
    uint64_t start = host.now;
    host_fails(LB_E_DHCP_NO_OFFER, "in 20 s");
    CHECK_EQ(host.now - start, 20 * SEC);
    CHECK(host.dhcp_sent[LB_DHCP4_DISCOVER] >= 3);
    CHECK_EQ(host_last_step(LB_STAGE_DHCP).outcome, LB_DONE_FAILED);
}

static void a_server_that_never_confirms_is_told_as_such(void) {
    host_init();
    host.dhcp_hears[0][LB_DHCP4_REQUEST] = false;
    host_set("attempts", "1");
    host_fails(LB_E_DHCP_NO_ACK, "192.0.2.100, offered by 192.0.2.2");
}

static void a_server_that_always_refuses_is_told_as_such(void) {
    host_init();
    host.dhcp_naks = true;
    host_set("attempts", "1");
    host_fails(LB_E_DHCP_NAK, "by 192.0.2.2");
}

static void an_address_that_others_have_is_declined_and_another_taken(void) {
    host_init();
    host.conflicts = 1;
    if (!host_boots())
        return;
    CHECK_EQ(host.dhcp_sent[LB_DHCP4_DECLINE], 1);
    CHECK_STR(lb_prefix_text(host.net.address).s, "192.0.2.101/24");
}

static void addresses_that_others_always_have_are_a_conflict(void) {
    host_init();
    host.conflicts = 1000;
    host_set("attempts", "1");
    host_fails(LB_E_ADDRESS_CONFLICT, "offered by 192.0.2.2");
    CHECK_EQ(host.seen[LB_BOOT_SET_ADDRESS], 0);
}

static void without_arp_probe_nobody_is_asked(void) {
    host_init();
    host.conflicts = 1000;
    host_set("arp-probe", "no");
    host_boots();
    CHECK_EQ(host.seen[LB_BOOT_PROBE], 0);
}

static void what_the_operating_system_refuses_is_told_with_its_words(void) {
    host_init();
    host.address_error = "Operation not permitted";
    host_fails(LB_E_HOST_NETWORK, "192.0.2.100/24 on net0: Operation not permitted");
    CHECK_EQ(host.connect_count, 0);
}

static void a_host_that_fails_ends_the_boot_at_once(void) {
    struct lb_error error = {.code = LB_OK};
    host_init();
    host.has_link = false;
    lb_fail(&error, LB_E_NO_INTERFACE, "net7");
    host_begin();
    host_pass(SEC);
    lb_boot_host_failed(&host.boot, host.now, &error);
    host_ends(LB_E_NO_INTERFACE, "net7");
    lb_boot_host_failed(&host.boot, host.now, &error); /* once is enough */
    host_pass(100 * SEC);
    CHECK_EQ(host.seen[LB_BOOT_FAILED], 1);
}

/* ---- what is sent --------------------------------------------------------------------------- */

static void check_client_id(const char *key, const char *hex) {
    struct lb_bytes id;
    host_init();
    if (key != NULL)
        host_set("client-id", key);
    if (host_boots() && CHECK(lb_dhcp4_option(&host.dhcp_last, LB_OPT_CLIENT_ID, &id)))
        CHECK_BYTES(id, tap_hex(hex));
}

static void the_client_identifier_is_made_of_the_mac(void) {
    check_client_id(NULL, "01 02:00:00:00:00:01");
    check_client_id("mac", "01 02:00:00:00:00:01");
}

static void or_is_a_duid_of_the_mac_when_there_is_no_uuid(void) {
    check_client_id("duid", "ff 00000001 0003 0001 02:00:00:00:00:01");
}

static void or_is_a_duid_of_the_uuid(void) {
    struct lb_bytes id;
    host_init();
    memset(host.setup.uuid, 0x5a, 16);
    host_set("client-id", "duid");
    if (host_boots() && CHECK(lb_dhcp4_option(&host.dhcp_last, LB_OPT_CLIENT_ID, &id)))
        CHECK_BYTES(id, tap_hex("ff 00000001 0004 5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a"));
}

static void or_is_given_as_bytes(void) {
    check_client_id("00:64:69:73:6b", "00 6469736b");
}

static void anything_else_is_no_client_identifier(void) {
    host_init();
    host_fails_with("client-id", "disk", LB_E_CONFIG_VALUE, "client-id=disk");
    CHECK_EQ(host.seen[LB_BOOT_SEND], 0);
}

static void host_name_and_vendor_class_are_sent(void) {
    struct lb_bytes value;
    host_init();
    host_set("hostname", "node7");
    host_set("vendor-class", "rack");
    if (!host_boots())
        return;
    CHECK(lb_dhcp4_option(&host.dhcp_last, LB_OPT_HOSTNAME, &value) && lb_text_is(value, "node7"));
    CHECK(lb_dhcp4_option(&host.dhcp_last, LB_OPT_VENDOR_CLASS, &value) &&
          lb_text_is(value, "rack"));
}

static void rapid_commit_saves_a_round_trip_unless_switched_off(void) {
    host_init();
    host.dhcp[0].config.rapid_commit = true;
    if (host_boots())
        CHECK_EQ(host.dhcp_sent[LB_DHCP4_REQUEST], 0);
    host_init();
    host.dhcp[0].config.rapid_commit = true;
    host_set("rapid-commit", "no");
    if (host_boots())
        CHECK_EQ(host.dhcp_sent[LB_DHCP4_REQUEST], 1);
}

static void bootp_is_asked_where_it_is_configured(void) {
    host_init();
    host.dhcp[0].config.bootp_only = true;
    host_set("bootp", "yes");
    if (!host_boots())
        return;
    CHECK_EQ(host.dhcp_sent[LB_DHCP4_BOOTP], 1);
    CHECK_EQ(host.net.lease_s, 0);
    CHECK_STR(host_fact("lease").value, "without end");
}

static void of_two_servers_the_one_with_a_disk_is_chosen(void) {
    host_init();
    host_offers("");
    host_dhcp(1, host_dhcp_config(3, HOST_ROOT_PATH));
    host.dhcp[1].config.first = host.dhcp[1].config.last = v4(192, 0, 2, 200);
    uint64_t start = host.now;
    if (!host_boots())
        return;
    CHECK_STR(lb_prefix_text(host.net.address).s, "192.0.2.200/24");
    CHECK(host.now - start < 100 * LB_US_MS); /* a good offer ends the wait */
}

static void an_offer_without_disk_is_given_offer_wait(void) {
    host_init();
    host_offers("");
    host_set("offer-wait", "3s");
    host_set("discovery", "off");
    uint64_t start = host.now;
    host_fails(LB_E_NO_ROOT_PATH, "192.0.2.2");
    CHECK(host.now - start >= 3 * SEC && host.now - start < 4 * SEC);
}

/* ---- what is configured --------------------------------------------------------------------- */

static void the_lease_configures_the_interface(void) {
    host_init();
    host.dhcp[0].config.mtu = 1400;
    if (!host_boots())
        return;
    CHECK_STR(lb_prefix_text(host.net.address).s, "192.0.2.100/24");
    CHECK_EQ(host.net.route_count, 1);
    CHECK_EQ(host.net.routes[0].to.len, 0);
    CHECK_STR(lb_addr_text(host.net.routes[0].via).s, "192.0.2.254");
    CHECK_STR(lb_addr_text(host.net.dns[0]).s, "192.0.2.53");
    CHECK_EQ(host.net.mtu, 1400);
    CHECK_EQ(host.net.lease_s, 3600);
    CHECK_STR(lb_addr_text(host.net.dhcp_server).s, "192.0.2.2");
    CHECK(lb_boot_lease4(&host.boot) != NULL);
}

static void a_persons_word_stands_above_the_lease(void) {
    host_init();
    host.dhcp[0].config.mtu = 1400;
    host_set("mtu", "9000");
    host_set("dns", "198.51.100.1, 2001:db8::53");
    host_set("hostname", "node7");
    host_set("domain", "example.com");
    if (!host_boots())
        return;
    CHECK_EQ(host.net.mtu, 9000);
    CHECK_EQ(host.net.dns_count, 2);
    CHECK_STR(lb_addr_text(host.net.dns[1]).s, "2001:db8::53");
    CHECK_STR(host.net.hostname, "node7");
    CHECK_STR(host.net.domain, "example.com");
}

static void a_configured_address_bypasses_dhcp(void) {
    host_init();
    host_set("address", "192.0.2.33/25");
    host_set("gateway", "192.0.2.126");
    host_set("rootpath", HOST_ROOT_PATH);
    if (!host_boots())
        return;
    CHECK_EQ(host.seen[LB_BOOT_SEND] + host.seen[LB_BOOT_OPEN], 0);
    CHECK_EQ(host_last_step(LB_STAGE_DHCP).outcome, LB_BYPASSED);
    CHECK_STR(lb_prefix_text(host.net.address).s, "192.0.2.33/25");
    CHECK_STR(lb_addr_text(host.net.routes[0].via).s, "192.0.2.126");
    CHECK_STR(host_fact("address").source, "command line");
    CHECK(lb_boot_lease4(&host.boot) == NULL);
}

static void a_configured_address_without_disk_is_not_enough(void) {
    host_init();
    host_set("address", "192.0.2.33/25");
    host_fails(LB_E_NO_ROOT_PATH, "DHCP was not asked");
    host_init();
    host_set("address", "192.0.2.33/25");
    host_set("target", HOST_TARGET);
    host_fails(LB_E_NO_SERVER, "DHCP was not asked");
}

static void the_machines_own_network_bypasses_all_of_it(void) {
    host_init();
    host.setup.network_is_up = true;
    host.setup.interface = NULL;
    host_set("rootpath", HOST_ROOT_PATH);
    if (!host_boots())
        return;
    CHECK_EQ(host.seen[LB_BOOT_LINK] + host.seen[LB_BOOT_SEND] + host.seen[LB_BOOT_SET_ADDRESS], 0);
}

/* ---- the lease under the disk --------------------------------------------------------------- */

static void a_renewal_is_not_noticed_by_the_session(void) {
    host_init();
    host.dhcp[0].config.lease_s = 600;
    if (!host_boots())
        return;
    host_pass(400 * SEC);
    CHECK_EQ(host.dhcp_sent[LB_DHCP4_REQUEST], 2);
    CHECK_EQ(host.seen[LB_BOOT_SET_ADDRESS], 2);
    CHECK_EQ(lb_initiator_logins(lb_boot_session(&host.boot)), 1);
    CHECK_EQ(host.connect_count, 1);
}

static void what_a_renewal_changes_is_configured(void) {
    host_init();
    host.dhcp[0].config.lease_s = 600;
    if (!host_boots())
        return;
    host.dhcp[0].config.router = v4(192, 0, 2, 253);
    host_pass(400 * SEC);
    CHECK_STR(lb_addr_text(host.net.routes[0].via).s, "192.0.2.253");
    CHECK_EQ(lb_initiator_logins(lb_boot_session(&host.boot)), 1);
}

static void the_session_goes_over_to_another_address(void) {
    host_init();
    host.dhcp[0].config.lease_s = 600;
    if (!host_boots())
        return;
    lb_bindings_clear(&host.dhcp[0].table);
    host.dhcp[0].config.first = v4(192, 0, 2, 150);
    host.dhcp[0].config.last = v4(192, 0, 2, 157);
    host_pass(400 * SEC);
    CHECK_EQ(host.seen[LB_BOOT_CLEAR_ADDRESS], 1);
    CHECK_STR(lb_prefix_text(host.net.address).s, "192.0.2.150/24");
    CHECK(host.has_address);
    CHECK_EQ(lb_initiator_logins(lb_boot_session(&host.boot)), 2);
    CHECK(!host_is_over());
}

static void a_lease_that_runs_out_takes_the_address_and_then_the_disk(void) {
    host_init();
    host.dhcp[0].config.lease_s = 600;
    if (!host_boots())
        return;
    uint64_t start = host.now;
    host_dhcp_is_silent();
    host_pass(599 * SEC);
    CHECK(host.has_address);
    host_pass(2 * SEC);
    CHECK(!host.has_address);
    host_ends(LB_E_DHCP_EXPIRED, "192.0.2.100 of DHCP server 192.0.2.2");
    CHECK(host.now - start >= 700 * SEC && host.now - start < 740 * SEC); /* recovery-time */
}

static void a_lease_that_is_refused_takes_the_address_at_once(void) {
    host_init();
    host.dhcp[0].config.lease_s = 600;
    if (!host_boots())
        return;
    host.dhcp_naks = true;
    host_pass(301 * SEC);
    CHECK(!host.has_address);
    host_ends(LB_E_DHCP_NAK, "192.0.2.100");
}

static void a_lease_that_comes_back_late_brings_the_disk_back(void) {
    host_init();
    host.dhcp[0].config.lease_s = 600;
    if (!host_boots())
        return;
    host_dhcp_is_silent();
    host_pass(690 * SEC); /* dhcp-timeout has passed, recovery-time has not */
    CHECK(!host.has_address);
    CHECK(!host_is_over());
    host_dhcp(0, host_dhcp_config(2, HOST_ROOT_PATH));
    host_pass(70 * SEC); /* DISCOVER is repeated after 64 s at the latest */
    CHECK(host.has_address);
    CHECK(!host_is_over());
    CHECK(lb_initiator_state(lb_boot_session(&host.boot)) == LB_INITIATOR_FULL_FEATURE);
}

static void a_link_that_comes_back_has_the_lease_confirmed(void) {
    host_init();
    if (!host_boots())
        return;
    lb_boot_link(&host.boot, host.now, false);
    host_pass(SEC);
    lb_boot_link(&host.boot, host.now, true);
    host_pass(SEC);
    CHECK_EQ(host.dhcp_sent[LB_DHCP4_REQUEST], 2);
    CHECK_EQ(lb_initiator_logins(lb_boot_session(&host.boot)), 1);
}

int main(void) {
    TEST(without_link_the_boot_ends_after_link_timeout);
    TEST(a_link_that_comes_later_is_used_at_once);
    TEST(a_link_is_waited_for_in_each_attempt);
    TEST(a_link_that_comes_during_the_pause_counts);
    TEST(silence_after_the_link_has_gone_is_the_links);
    TEST(silence_after_the_link_came_back_is_the_servers);
    TEST(silence_is_no_offer);
    TEST(a_server_that_never_confirms_is_told_as_such);
    TEST(a_server_that_always_refuses_is_told_as_such);
    TEST(an_address_that_others_have_is_declined_and_another_taken);
    TEST(addresses_that_others_always_have_are_a_conflict);
    TEST(without_arp_probe_nobody_is_asked);
    TEST(what_the_operating_system_refuses_is_told_with_its_words);
    TEST(a_host_that_fails_ends_the_boot_at_once);
    TEST(the_client_identifier_is_made_of_the_mac);
    TEST(or_is_a_duid_of_the_mac_when_there_is_no_uuid);
    TEST(or_is_a_duid_of_the_uuid);
    TEST(or_is_given_as_bytes);
    TEST(anything_else_is_no_client_identifier);
    TEST(host_name_and_vendor_class_are_sent);
    TEST(rapid_commit_saves_a_round_trip_unless_switched_off);
    TEST(bootp_is_asked_where_it_is_configured);
    TEST(of_two_servers_the_one_with_a_disk_is_chosen);
    TEST(an_offer_without_disk_is_given_offer_wait);
    TEST(the_lease_configures_the_interface);
    TEST(a_persons_word_stands_above_the_lease);
    TEST(a_configured_address_bypasses_dhcp);
    TEST(a_configured_address_without_disk_is_not_enough);
    TEST(the_machines_own_network_bypasses_all_of_it);
    TEST(a_renewal_is_not_noticed_by_the_session);
    TEST(what_a_renewal_changes_is_configured);
    TEST(the_session_goes_over_to_another_address);
    TEST(a_lease_that_runs_out_takes_the_address_and_then_the_disk);
    TEST(a_lease_that_is_refused_takes_the_address_at_once);
    TEST(a_lease_that_comes_back_late_brings_the_disk_back);
    TEST(a_link_that_comes_back_has_the_lease_confirmed);
    return tap_done();
}
