/* IPv4 and IPv6 at once: what each network looks like, whose word is followed, and what it
 * costs. */
#include "core/boot/test_boot_host.h"

/* The servers of HOST_ROOT_PATH and HOST_ROOT_PATH6. */
static void both_portals(void) {
    host_portal(0, v4(192, 0, 2, 1), 3260);
    host_portal(1, v6("2001:db8::1"), 3260);
}

/* A network of IPv6 alone, with the flags of its router. */
static void ipv6_only(bool managed, bool other, const char *root_path) {
    host_init();
    host_ipv6();
    host_dhcp_is_silent();
    both_portals();
    host.ra.managed = managed;
    host.ra.other = other;
    host_offers6(root_path);
}

/* A network of IPv4 alone. */
static void ipv4_only(void) {
    host_init();
    host_ipv6();
    host.has_router = false;
    host_dhcp6_is_silent();
}

static void both_families(void) {
    host_init();
    host_ipv6();
    both_portals();
    host.ra.managed = true;
    host_offers6(HOST_ROOT_PATH6);
}

static uint64_t boot_us(void) {
    uint64_t start = host.now;
    return host_boots() ? host.now - start : 0;
}

/* ---- networks of IPv6 ----------------------------------------------------------------------- */

static void a_managed_network_gives_address_and_disk_by_dhcpv6(void) {
    ipv6_only(true, false, HOST_ROOT_PATH6);
    host.ra.prefixes[0].autonomous = false;
    host.ra.mtu = 1400;
    if (!host_boots())
        return;
    CHECK(host_has6("2001:db8::100"));
    CHECK_EQ(host.net.addr6_count, 1);
    CHECK_EQ(host.net.addrs6[0].address.len, 128);
    CHECK_EQ(host.net.addrs6[0].valid_s, 7199); /* the answer's, less its probe */
    CHECK_EQ(host.net.route6_count, 2);
    CHECK_STR(lb_prefix_text(host.net.routes6[0].to).s, "2001:db8::/64");
    CHECK(!lb_addr_is_set(host.net.routes6[0].via));
    CHECK_STR(lb_prefix_text(host.net.routes6[1].to).s, "::/0");
    CHECK_STR(lb_addr_text(host.net.routes6[1].via).s, "fe80::1");
    CHECK_EQ(host.net.mtu, 1400);
    CHECK_STR(lb_addr_text(host.net.dns[0]).s, "2001:db8::53");
    CHECK_STR(lb_addr_text(host.net.dhcp6_server).s, "fe80::9");
    CHECK(!lb_addr_is_set(host.net.address.addr));
    CHECK_STR(host_fact("server").source, "DHCPv6 server fe80::9");
    CHECK_STR(host_fact("portal").value, "[2001:db8::1]:3260");
    CHECK(lb_boot_lease6(&host.boot) != NULL && lb_boot_lease4(&host.boot) == NULL);
}

static void with_o_alone_only_information_is_asked_for(void) {
    ipv6_only(false, true, HOST_ROOT_PATH6);
    if (!host_boots())
        return;
    CHECK_EQ(host.dhcp6_sent[LB_DHCP6_REQUEST], 0);
    CHECK_EQ(host.dhcp6_sent[LB_DHCP6_INFORMATION_REQUEST], 1);
    CHECK(host_has6("2001:db8::ff:fe00:1"));
    CHECK_EQ(host.net.addrs6[0].address.len, 64);
    CHECK(lb_boot_lease6(&host.boot)->stateless);
}

/* RFC 4173 5: the DHCP stage may be prohibited. */
static void without_m_and_o_dhcpv6_is_not_asked(void) {
    ipv6_only(false, false, HOST_ROOT_PATH6);
    host_set("rootpath", HOST_ROOT_PATH6);
    if (!host_boots())
        return;
    CHECK_EQ(host.dhcp6_first_us, 0);
    CHECK(host_has6("2001:db8::ff:fe00:1"));
}

static void a_router_that_advertises_neither_and_no_target_is_explained(void) {
    ipv6_only(false, false, HOST_ROOT_PATH6);
    host_fails(LB_E_NO_ROOT_PATH, "router fe80::1");
}

static void without_a_router_dhcpv6_is_tried_all_the_same(void) {
    ipv6_only(false, false, HOST_ROOT_PATH6);
    host.has_router = false;
    if (!host_boots())
        return;
    CHECK(host_has6("2001:db8::100"));
}

/* The first address takes its probe, and then all is asked for at once. */
static void a_routers_word_is_not_waited_for(void) {
    ipv6_only(true, false, HOST_ROOT_PATH6);
    host.router_us = 1500 * LB_US_MS;
    uint64_t start = host.now;
    if (!host_boots())
        return;
    CHECK_EQ(host.dhcp6_first_us - start, HOST_DAD_US);
    CHECK_EQ(host.dhcp6_sent[LB_DHCP6_SOLICIT], 1);
}

static void a_router_that_speaks_late_corrects_what_was_asked(void) {
    ipv6_only(false, true, HOST_ROOT_PATH6);
    host.router_us = 1500 * LB_US_MS;
    host.dhcp6_us = 600 * LB_US_MS; /* the Advertise comes after the router */
    if (!host_boots())
        return;
    CHECK_EQ(host.dhcp6_sent[LB_DHCP6_SOLICIT], 1);
    CHECK_EQ(host.dhcp6_sent[LB_DHCP6_REQUEST], 0);
    CHECK_EQ(host.dhcp6_sent[LB_DHCP6_INFORMATION_REQUEST], 1);
}

static void an_address_that_another_machine_has_is_declined_and_another_taken(void) {
    ipv6_only(true, false, HOST_ROOT_PATH6);
    host.taken6 = v6("2001:db8::100");
    if (!host_boots())
        return;
    CHECK_EQ(host.dhcp6_sent[LB_DHCP6_DECLINE], 1);
    CHECK(host_has6("2001:db8::101") && !host_has6("2001:db8::100"));
}

static void a_url_that_is_not_iscsis_is_somebody_elses(void) {
    ipv6_only(true, false, "http://[2001:db8::1]/boot.efi");
    host_fails(LB_E_NO_ROOT_PATH, "from DHCPv6 server fe80::9");
}

static void a_root_path_of_dhcpv6_is_a_uri(void) {
    ipv6_only(true, false, "ISCSI:%5B2001:db8::1%5D:::1:" HOST_TARGET);
    host_boots();
}

static void several_routers_and_their_routes_are_configured(void) {
    ipv6_only(true, false, HOST_ROOT_PATH6);
    host.ra.routes[0] = (struct lb_nd6_ra_route){.to = {v6("2001:db8:7::"), 48}, .lifetime_s = 600};
    host.ra.route_count = 1;
    if (!host_boots())
        return;
    CHECK_EQ(host.net.route6_count, 3);
    CHECK_STR(lb_prefix_text(host.net.routes6[2].to).s, "2001:db8:7::/48");
}

/* ---- what it costs -------------------------------------------------------------------------- */

static void an_ipv4_network_costs_no_wait_for_ipv6(void) {
    host_init();
    uint64_t alone = boot_us();
    ipv4_only();
    CHECK_EQ(boot_us(), alone);
    ipv4_only();
    host.dhcp[0].config.rapid_commit = true;
    host_set("prefer-family", "4");
    CHECK_EQ(boot_us(), alone);
}

static void an_ipv6_network_costs_no_wait_for_ipv4(void) {
    ipv6_only(true, false, HOST_ROOT_PATH6);
    host_set("family", "6");
    uint64_t alone = boot_us();
    CHECK_EQ(host.dhcp_sent[LB_DHCP4_DISCOVER], 0);
    CHECK_EQ(alone, 2 * HOST_DAD_US); /* of the link-local address, and of the server's */
    ipv6_only(true, false, HOST_ROOT_PATH6);
    CHECK_EQ(boot_us(), alone);
    CHECK_STR(host_fact("family").value, "IPv6: the first to name a disk");
}

static void a_network_of_both_boots_as_fast_as_its_faster_one(void) {
    host_init();
    uint64_t alone = boot_us();
    both_families();
    CHECK_EQ(boot_us(), alone);
    CHECK_STR(host_fact("family").value, "IPv4: the first to name a disk");
    CHECK_STR(host_fact("family").source, "DHCP server 192.0.2.2");
}

static void ipv6_is_not_spoken_where_it_is_switched_off(void) {
    both_families();
    host_set("family", "4");
    host_boots();
    host_pass(10 * SEC);
    CHECK_EQ(host.solicitations, 0);
    CHECK_EQ(host.dhcp6_first_us, 0);
    CHECK_EQ(host.net.addr6_count, 0);
}

static void a_family_without_an_answer_is_not_shown_as_what_failed(void) {
    ipv4_only();
    host.portals[0].answer = REFUSES;
    host_set("attempts", "1");
    host_fails(LB_E_CONNECT_REFUSED, "192.0.2.1");
    CHECK_EQ(host_last_step(LB_STAGE_DHCP).outcome, LB_BYPASSED);
    CHECK_HAS(host_last_step(LB_STAGE_DHCP).note, "IPv6 routers: no answer so far");
    CHECK_EQ(host_steps_running(), 0);
}

/* ---- whose word ----------------------------------------------------------------------------- */

static void the_preferred_family_is_given_family_wait(void) {
    both_families();
    host_set("prefer-family", "6");
    host_set("family-wait", "5s");
    uint64_t took = boot_us();
    CHECK_EQ(took, 2 * HOST_DAD_US);
    CHECK_STR(host_fact("family").value, "IPv6: the preferred family");
    CHECK_STR(host_fact("portal").value, "[2001:db8::1]:3260");
    CHECK_STR(lb_prefix_text(host.net.address).s, "192.0.2.100/24"); /* both stay configured */
    CHECK(host_has6("2001:db8::100"));
}

static void and_no_more(void) {
    both_families();
    host_set("prefer-family", "6");
    host.router_us = host.dhcp6_us = 5 * SEC;
    uint64_t took = boot_us();
    CHECK_EQ(took, 300 * LB_US_MS);
    CHECK_STR(host_fact("family").value, "IPv4: the preferred family named no disk in time");
}

static void with_a_sign_of_life_it_is_given_three_seconds(void) {
    both_families();
    host_set("prefer-family", "6");
    if (host_boots())
        CHECK_STR(host_fact("family").value, "IPv6: the preferred family");
    both_families();
    host_set("prefer-family", "6");
    host.dhcp6_us = 5 * SEC;
    CHECK_EQ(boot_us(), 3 * SEC);
    CHECK_STR(host_fact("family").value, "IPv4: the preferred family named no disk in time");
    both_families();
    host_set("prefer-family", "6");
    host_set("family-wait", "0ms");
    CHECK_EQ(boot_us(), 0);
}

/* Both are there, and the first one's server is not. */
static void what_the_other_family_names_is_tried_next(void) {
    both_families();
    host_set("prefer-family", "6");
    host.portals[1].answer = REFUSES;
    if (!host_boots())
        return;
    CHECK_EQ(host.connect_count, 2);
    CHECK_EQ(host.boot.attempts.begun, 1);
    CHECK_STR(host_fact("portal").value, "192.0.2.1:3260");
    CHECK_STR(host_fact("server").source, "DHCP server 192.0.2.2");
}

/* The first one's server is silent; meanwhile the other family has an answer. */
static void also_where_it_comes_later(void) {
    both_families();
    host.portals[0].answer = IS_SILENT;
    if (!host_boots())
        return;
    CHECK_EQ(host.connect_count, 2);
    CHECK_EQ(host.boot.attempts.begun, 1);
    CHECK_STR(host_fact("portal").value, "[2001:db8::1]:3260");
}

static void a_family_that_comes_later_is_configured_beside_the_disk(void) {
    both_families();
    if (!host_boots())
        return;
    CHECK_EQ(host.net.addr6_count, 0);
    host_pass(5 * SEC);
    CHECK(host_has6("2001:db8::100"));
    CHECK(host_has6("2001:db8::ff:fe00:1"));
    CHECK_EQ(lb_initiator_logins(lb_boot_session(&host.boot)), 1);
}

static void the_family_that_names_the_disk_is_waited_for(void) {
    both_families();
    host_offers("");
    if (!host_boots())
        return;
    CHECK_STR(host_fact("portal").value, "[2001:db8::1]:3260");
    both_families();
    host_offers6("");
    host.dhcp_hears[0][LB_DHCP4_DISCOVER] = false;
    host_begin();
    host_pass(3 * SEC); /* IPv6 has spoken, and has no disk */
    CHECK_EQ(host.connect_count, 0);
    host.dhcp_hears[0][LB_DHCP4_DISCOVER] = true;
    CHECK(host_until(LB_BOOT_READY));
    CHECK_STR(host_fact("portal").value, "192.0.2.1:3260");
}

static void a_disk_whose_server_has_an_ipv6_address_waits_for_ipv6(void) {
    both_families();
    host_offers(HOST_ROOT_PATH6);
    host_offers6("");
    if (!host_boots())
        return;
    CHECK_STR(host_fact("server").source, "DHCP server 192.0.2.2");
    CHECK_STR(host_fact("portal").value, "[2001:db8::1]:3260");
}

static void a_configured_disk_needs_an_address_of_its_servers_family_alone(void) {
    both_families();
    host_set("rootpath", HOST_ROOT_PATH6);
    uint64_t took = boot_us();
    if (!CHECK_EQ(took, HOST_DAD_US))
        host_show_trace(); /* and not the server's answer: the router's prefix will do */
    CHECK(host_has6("2001:db8::ff:fe00:1"));
    host_init();
    uint64_t alone = boot_us();
    both_families();
    host_offers6("");
    host_set("rootpath", HOST_ROOT_PATH);
    CHECK_EQ(boot_us(), alone);
}

static void a_family_that_fails_ends_nothing(void) {
    both_families();
    host.takes_all6 = true; /* no address is ours */
    if (!host_boots())
        return;
    host_pass(300 * SEC);
    CHECK(!host_is_over());
    CHECK_EQ(lb_initiator_logins(lb_boot_session(&host.boot)), 1);
}

static void what_the_other_family_says_is_the_error_then(void) {
    both_families();
    host.takes_all6 = true;
    host_offers("");
    host_fails(LB_E_NO_ROOT_PATH, "DHCP server 192.0.2.2");
}

/* ---- and discovery -------------------------------------------------------------------------- */

static uint64_t discovery_us; /* when it first asked somebody */

static void note_discovery(const struct lb_boot_action *action) {
    if (action->event == LB_BOOT_SEND && discovery_us == 0)
        discovery_us = host.now;
}

/* IPv6 names the disk, 5 s after the start, and shows no sign of life for 2 s. */
static void ipv6_is_late(const char *discovery) {
    both_families();
    host_offers("");
    host.router_us = 4 * SEC;
    host.dhcp6_us = 1500 * LB_US_MS;
    host_set("discovery", discovery);
    discovery_us = 0;
    host.on_send = note_discovery;
}

static void a_broken_root_path_is_told_though_the_other_family_names_no_disk(void) {
    both_families();
    host_offers("");
    host_offers6("iscsi:[2001:db8::1]::");
    host_fails(LB_E_ROOTPATH_FIELDS, "DHCPv6 server fe80::9");
}

static void discovery_does_not_wait_for_a_silent_family(void) {
    ipv6_is_late("auto");
    uint64_t start = host.now;
    if (!host_boots())
        return;
    CHECK_EQ(discovery_us - start, 800 * LB_US_MS); /* offer-wait */
    CHECK_STR(host_fact("family").value, "IPv6: it named a disk while others were asked for one");
    CHECK_STR(host_fact("portal").value, "[2001:db8::1]:3260");
    CHECK_EQ(host.boot.attempts.begun, 1);
}

static void when_discovery_finds_nothing_the_other_family_is_waited_for(void) {
    ipv6_is_late("isns"); /* of whom nobody has named one */
    if (!host_boots())
        return;
    CHECK_STR(host_fact("portal").value, "[2001:db8::1]:3260");
    CHECK_EQ(host.boot.attempts.begun, 1);
}

static void and_when_that_has_no_disk_either_discoverys_end_is_told(void) {
    ipv6_is_late("isns");
    host_offers6("");
    host_begin();
    CHECK(host_until(LB_BOOT_FAILED));
    CHECK(host_error()->code != LB_OK);
    CHECK_HAS(host_error()->facts, "DHCP server 192.0.2.2");
    CHECK_EQ(host_steps_running(), 0);
}

/* What the Root Path names stands above what a service may have found first. */
static void a_family_with_a_sign_of_life_is_waited_for_before_discovery(void) {
    both_families();
    host_offers("");
    discovery_us = 0;
    host.on_send = note_discovery;
    host_boots();
    CHECK_EQ(discovery_us, 0);
}

static void an_ipv4_answer_without_disk_is_an_error_when_ipv6_was_waited_for(void) {
    ipv4_only();
    host_offers("");
    host_set("discovery", "off");
    uint64_t start = host.now;
    host_fails(LB_E_NO_ROOT_PATH, "from DHCP server 192.0.2.2");
    CHECK_EQ(host.now - start, 4 * SEC);
}

static void when_both_are_out_both_are_told(void) {
    ipv4_only();
    host_dhcp_is_silent();
    host_set("attempts", "1");
    host_set("dhcp-timeout", "20s");
    uint64_t start = host.now;
    host_fails(LB_E_DHCP_NO_OFFER, "in 20 s; IPv6: ");
    CHECK_EQ(host.now - start, 20 * SEC);
    CHECK_EQ(host_steps_running(), 0);
}

static void of_two_failures_the_one_with_a_sign_of_life_is_told(void) {
    ipv6_only(true, false, "");
    host.ra.prefixes[0].autonomous = false;
    host.dhcp6.config.no_addresses = true;
    host_set("attempts", "1");
    host_set("dhcp-timeout", "10s");
    host_fails(LB_E_DHCP6_REFUSED, "IPv4: dhcp-no-offer");
}

static void without_router_and_server_there_is_no_ipv6(void) {
    ipv4_only();
    host_set("family", "6");
    host_set("attempts", "1");
    host_set("dhcp-timeout", "5s");
    host_fails(LB_E_NO_IPV6, "");
    CHECK_EQ(host.dhcp_sent[LB_DHCP4_DISCOVER], 0);
}

int main(void) {
    TEST(a_managed_network_gives_address_and_disk_by_dhcpv6);
    TEST(with_o_alone_only_information_is_asked_for);
    TEST(without_m_and_o_dhcpv6_is_not_asked);
    TEST(a_router_that_advertises_neither_and_no_target_is_explained);
    TEST(without_a_router_dhcpv6_is_tried_all_the_same);
    TEST(a_routers_word_is_not_waited_for);
    TEST(a_router_that_speaks_late_corrects_what_was_asked);
    TEST(an_address_that_another_machine_has_is_declined_and_another_taken);
    TEST(a_url_that_is_not_iscsis_is_somebody_elses);
    TEST(a_root_path_of_dhcpv6_is_a_uri);
    TEST(several_routers_and_their_routes_are_configured);
    TEST(an_ipv4_network_costs_no_wait_for_ipv6);
    TEST(an_ipv6_network_costs_no_wait_for_ipv4);
    TEST(a_network_of_both_boots_as_fast_as_its_faster_one);
    TEST(a_family_without_an_answer_is_not_shown_as_what_failed);
    TEST(ipv6_is_not_spoken_where_it_is_switched_off);
    TEST(the_preferred_family_is_given_family_wait);
    TEST(and_no_more);
    TEST(with_a_sign_of_life_it_is_given_three_seconds);
    TEST(what_the_other_family_names_is_tried_next);
    TEST(also_where_it_comes_later);
    TEST(a_family_that_comes_later_is_configured_beside_the_disk);
    TEST(the_family_that_names_the_disk_is_waited_for);
    TEST(a_disk_whose_server_has_an_ipv6_address_waits_for_ipv6);
    TEST(a_configured_disk_needs_an_address_of_its_servers_family_alone);
    TEST(a_family_that_fails_ends_nothing);
    TEST(what_the_other_family_says_is_the_error_then);
    TEST(a_broken_root_path_is_told_though_the_other_family_names_no_disk);
    TEST(discovery_does_not_wait_for_a_silent_family);
    TEST(when_discovery_finds_nothing_the_other_family_is_waited_for);
    TEST(and_when_that_has_no_disk_either_discoverys_end_is_told);
    TEST(a_family_with_a_sign_of_life_is_waited_for_before_discovery);
    TEST(an_ipv4_answer_without_disk_is_an_error_when_ipv6_was_waited_for);
    TEST(when_both_are_out_both_are_told);
    TEST(of_two_failures_the_one_with_a_sign_of_life_is_told);
    TEST(without_router_and_server_there_is_no_ipv6);
    return tap_done();
}
