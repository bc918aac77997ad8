/* IPv6 under the disk: leases and routers that change, names, a configured address, the dry run. */
#include "core/boot/test_boot_host.h"

/* A managed network of IPv6 alone, whose server names the disk. */
static void managed(void) {
    host_init();
    host_ipv6();
    host_dhcp_is_silent();
    host_portal(1, v6("2001:db8::1"), 3260);
    host.ra.managed = true;
    host.ra.prefixes[0].autonomous = false;
    host_offers6(HOST_ROOT_PATH6);
}

/* A network of stateless addresses; the disk is configured. */
static void stateless(void) {
    managed();
    host.ra.managed = false;
    host.ra.prefixes[0].autonomous = true;
    host_set("rootpath", HOST_ROOT_PATH6);
}

static void both(void) {
    managed();
    host_dhcp(0, host_dhcp_config(2, HOST_ROOT_PATH));
}

static unsigned logins(void) {
    return lb_initiator_logins(lb_boot_session(&host.boot));
}

/* ---- the lease under the disk --------------------------------------------------------------- */

static void a_renewal_of_dhcpv6_is_not_noticed_by_the_session(void) {
    managed();
    host.dhcp6.config.preferred_s = 600;
    host.dhcp6.config.valid_s = 1200;
    if (!host_boots())
        return;
    host_pass(400 * SEC);
    CHECK_EQ(host.dhcp6_sent[LB_DHCP6_RENEW], 1);
    CHECK(host.net.addrs6[0].valid_s > 1100); /* the host is told of the new lifetime */
    CHECK_EQ(logins(), 1);
}

static void a_lease_of_dhcpv6_that_runs_out_takes_the_address_and_then_the_disk(void) {
    managed();
    host.dhcp6.config.preferred_s = 600;
    host.dhcp6.config.valid_s = 1200;
    if (!host_boots())
        return;
    host_dhcp6_is_silent();
    host_pass(1190 * SEC);
    CHECK(host.has_address);
    host_pass(15 * SEC);
    CHECK(!host.has_address);
    host_ends(LB_E_DHCP6_EXPIRED, "of DHCPv6 server fe80::9");
}

static void a_lease_that_is_lost_beside_the_session_is_not_noticed(void) {
    both();
    host.dhcp6.config.preferred_s = 600;
    host.dhcp6.config.valid_s = 1200;
    if (!host_boots())
        return;
    host_pass(10 * SEC);
    CHECK(host_has6("2001:db8::100"));
    CHECK_STR(host_fact("portal").value, "192.0.2.1:3260");
    host_dhcp6_is_silent();
    host_pass(1200 * SEC);
    CHECK(!host_has6("2001:db8::100"));
    CHECK(host.has_address);
    CHECK_EQ(host.seen[LB_BOOT_CLEAR_ADDRESS], 0);
    CHECK_EQ(logins(), 1);
}

static void ipv4_that_is_lost_beside_the_session_is_not_noticed(void) {
    both();
    host.dhcp[0].config.lease_s = 600;
    host_set("prefer-family", "6");
    host_set("family-wait", "5s");
    if (!host_boots())
        return;
    host_dhcp_is_silent();
    host_pass(700 * SEC);
    CHECK(!lb_addr_is_set(host.net.address.addr));
    CHECK(host_has6("2001:db8::100"));
    CHECK_EQ(logins(), 1);
}

static void the_session_goes_over_to_another_ipv6_address(void) {
    managed();
    host.dhcp6.config.preferred_s = 600;
    host.dhcp6.config.valid_s = 1200;
    if (!host_boots())
        return;
    host.ra.prefixes[0].autonomous = true; /* now there are stateless addresses, too */
    host_advertise();
    host_dhcp6_is_silent();
    host_pass(1210 * SEC);
    CHECK(host_has6("2001:db8::ff:fe00:1"));
    CHECK(!host_has6("2001:db8::100"));
    CHECK_EQ(logins(), 2);
    CHECK(!host_is_over());
}

/* ---- routers -------------------------------------------------------------------------------- */

static void a_router_that_changes_its_word_is_followed(void) {
    stateless();
    if (!host_boots())
        return;
    unsigned before = host.seen[LB_BOOT_SET_ADDRESS];
    host.ra.mtu = 1300;
    host.ra.prefixes[1] = host_prefix("2001:db8:1::");
    host.ra.prefix_count = 2;
    host_advertise();
    host_pass(2 * SEC);
    CHECK(host.seen[LB_BOOT_SET_ADDRESS] > before);
    CHECK_EQ(host.net.mtu, 1300);
    CHECK(host_has6("2001:db8:1::ff:fe00:1"));
    CHECK_EQ(logins(), 1);
}

/* DHCPv6 gives an address at once, a router answers up to half a second later (RFC 4861 6.2.6). */
static void without_a_route_a_configured_disk_waits_for_the_router(void) {
    managed();
    host_set("rootpath", HOST_ROOT_PATH6);
    host_set("arp-probe", "no");
    host_set("attempts", "1");
    host.router_us = 2 * SEC;
    if (!host_boots())
        return;
    CHECK_EQ(host.seen[LB_BOOT_CONNECT], 1);
    CHECK(host.net.route6_count > 0);
    CHECK(host.now >= 2 * SEC);
}

/* RFC 2462 5.5.3: what is under way goes on. */
static void a_router_that_takes_its_word_back_does_not_end_dhcpv6(void) {
    managed();
    host.dhcp6_hears[LB_DHCP6_REQUEST] = false;
    host_begin();
    host_pass(2 * SEC);
    CHECK(host.dhcp6_sent[LB_DHCP6_REQUEST] > 0);
    host.ra.managed = false;
    host_advertise();
    host_pass(SEC);
    host.dhcp6_hears[LB_DHCP6_REQUEST] = true;
    CHECK(host_until(LB_BOOT_READY));
    CHECK(host_has6("2001:db8::100"));
}

static void a_router_that_goes_takes_its_route(void) {
    stateless();
    if (!host_boots())
        return;
    CHECK_EQ(host.net.route6_count, 2);
    host.ra.lifetime_s = 0;
    host.ra.prefix_count = 0;
    host_advertise();
    host_pass(SEC);
    CHECK_EQ(host.net.route6_count, 1);
    CHECK_STR(lb_prefix_text(host.net.routes6[0].to).s, "2001:db8::/64");
    CHECK_EQ(logins(), 1);
}

static void a_link_that_comes_back_has_everybody_asked(void) {
    managed();
    if (!host_boots())
        return;
    unsigned solicited = host.solicitations;
    lb_boot_link(&host.boot, host.now, false);
    host_pass(SEC);
    lb_boot_link(&host.boot, host.now, true);
    host_pass(5 * SEC);
    CHECK(host.solicitations > solicited);
    CHECK_EQ(host.dhcp6_sent[LB_DHCP6_CONFIRM], 1);
    CHECK_EQ(logins(), 1);
}

/* ---- attempts ------------------------------------------------------------------------------- */

static void after_a_failed_attempt_the_lease_is_confirmed(void) {
    managed();
    host.portals[1].answer = REFUSES;
    host_begin();
    host_pass(2500 * LB_US_MS);
    CHECK_EQ(host.dhcp6_sent[LB_DHCP6_SOLICIT], 1);
    CHECK_EQ(host.dhcp6_sent[LB_DHCP6_RENEW], 1);
    host.portals[1].answer = ACCEPTS;
    CHECK(host_until(LB_BOOT_READY));
    CHECK_EQ(host.dhcp6_sent[LB_DHCP6_SOLICIT], 1);
}

/* A router that advertised a network of others, by mistake, would else be believed for hours. */
static void after_a_failed_attempt_routers_are_asked_again(void) {
    stateless();
    struct lb_nd6_ra truth = host.ra;
    host.ra.prefixes[0].prefix.addr = v6("2001:db8:99::");
    host.portals[1].answer = REFUSES;
    host_begin();
    host_pass(2 * SEC);
    CHECK(!host_is_over());
    CHECK(!host_has6("2001:db8::ff:fe00:1"));
    host.ra = truth;
    host_pass(5 * SEC); /* another attempt */
    host.portals[1].answer = ACCEPTS;
    CHECK(host_until(LB_BOOT_READY));
    CHECK(host_has6("2001:db8::ff:fe00:1"));
}

static void a_root_path_that_was_corrected_is_used_by_the_next_attempt(void) {
    managed();
    host_offers6("iscsi:[2001:db8::77]:::1:" HOST_TARGET);
    host_begin();
    host_pass(2100 * LB_US_MS);
    CHECK_EQ(host.connect_count, 1);
    host_offers6(HOST_ROOT_PATH6);
    CHECK(host_until(LB_BOOT_READY));
}

static void a_family_that_was_silent_is_asked_again_by_the_next_attempt(void) {
    managed();
    host.has_router = false;
    host.dhcp6_hears[LB_DHCP6_SOLICIT] = false;
    host_set("dhcp-timeout", "10s");
    host_begin();
    host_pass(10500 * LB_US_MS);
    CHECK(!host_is_over());
    host.has_router = true;
    host.dhcp6_hears[LB_DHCP6_SOLICIT] = true;
    uint64_t start = host.now;
    CHECK(host_until(LB_BOOT_READY));
    CHECK(host.now - start < 5 * SEC);
}

/* Whether a Reconfigure of the server's makes us renew. */
static bool is_reconfigured(const char *word) {
    static const uint8_t key[LB_DHCP6_KEY_BYTES] = {7};
    struct lb_endpoint server = {.addr = v6("fe80::9"), .port = LB_DHCP6_SERVER_PORT};
    uint8_t room[400];
    managed();
    host_set("reconfigure", word);
    host.dhcp6.config.reconfigure_key = lb_bytes(key, sizeof key);
    if (!host_boots())
        return false;
    lb_boot_datagram(&host.boot, host.now, LB_BOOT_SLOT_DHCP6, server,
                     lb_dhcp6_server_reconfigure(&host.dhcp6, &host.boot.network.dhcp6.config.duid,
                                                 LB_DHCP6_RENEW, lb_span(room, sizeof room)));
    host_pass(SEC);
    CHECK_EQ(logins(), 1);
    return host.dhcp6_sent[LB_DHCP6_RENEW] == 1;
}

static void the_server_can_have_a_lease_renewed_where_a_person_allows_it(void) {
    CHECK(is_reconfigured("yes"));
    CHECK(!is_reconfigured("no"));
}

static void both_leases_are_given_back(void) {
    both();
    if (!host_boots())
        return;
    host_pass(5 * SEC);
    lb_boot_stop(&host.boot, host.now, true);
    host_until(LB_BOOT_OUT);
    CHECK_EQ(host.dhcp_sent[LB_DHCP4_RELEASE], 1);
    CHECK_EQ(host.dhcp6_sent[LB_DHCP6_RELEASE], 1);
    CHECK(!host.has_address);
}

/* ---- a configured address ------------------------------------------------------------------- */

static void a_configured_ipv6_address_bypasses_dhcp(void) {
    managed();
    host_set("address", "2001:db8::33/64");
    host_set("gateway", "fe80::7");
    host_set("rootpath", HOST_ROOT_PATH6);
    host.has_router = false;
    if (!host_boots())
        return;
    CHECK_EQ(host.dhcp6_first_us, 0);
    CHECK_EQ(host.dhcp_sent[LB_DHCP4_DISCOVER], 0);
    CHECK(host_has6("2001:db8::33"));
    CHECK_EQ(host.net.addrs6[0].address.len, 64);
    CHECK_EQ(host.net.addrs6[0].valid_s, LB_FOREVER);
    CHECK_EQ(host.net.route6_count, 2);
    CHECK_STR(lb_addr_text(host.net.routes6[1].via).s, "fe80::7");
    CHECK_STR(host_fact("address").source, "command line");
}

static void it_is_probed_beside_the_link_local_one(void) {
    managed();
    host_set("address", "2001:db8::33/64");
    host_set("rootpath", HOST_ROOT_PATH6);
    uint64_t start = host.now;
    if (host_boots())
        CHECK_EQ(host.now - start, HOST_DAD_US);
}

/* The disk is on the link: no router is needed, and none is waited for. */
static void a_configured_ipv6_address_needs_no_router_for_its_own_network(void) {
    managed();
    host_set("address", "2001:db8::33/64");
    host_set("rootpath", HOST_ROOT_PATH6);
    host.has_router = false;
    uint64_t start = host.now;
    if (host_boots())
        CHECK_EQ(host.now - start, HOST_DAD_US);
}

/* RFC 4862 5.5.3: the interface identifier has 64 bits, so a prefix of 60 makes no address. */
static void a_prefix_that_makes_no_address_is_told_with_its_length(void) {
    managed();
    host.ra.managed = host.ra.other = false;
    host.ra.prefixes[0].autonomous = true;
    host.ra.prefixes[0].prefix.len = 60;
    memset(host.dhcp6_hears, 0, sizeof host.dhcp6_hears);
    host_set("family", "6");
    host_set("attempts", "1");
    host_fails(LB_E_NO_IPV6, "/60 for addresses");
}

static void where_there_is_no_ipv6_it_is_told_at_once(void) {
    managed();
    host.setup.has_ipv6 = false;
    host_set("address", "2001:db8::33/64");
    host_set("rootpath", HOST_ROOT_PATH6);
    host_fails(LB_E_CONFIG_VALUE, "without IPv6 on net0");
    managed();
    host.setup.has_ipv6 = false;
    host_fails_with("family", "6", LB_E_CONFIG_VALUE, "without IPv6 on net0");
}

static void a_server_that_was_given_up_is_asked_again_when_the_link_comes_back(void) {
    both();
    host.dhcp6_hears[LB_DHCP6_SOLICIT] = false;
    host_set("dhcp-timeout", "10s");
    if (!host_boots())
        return;
    host_pass(20 * SEC);
    CHECK_EQ(host.net.addr6_count, 0);
    host.dhcp6_hears[LB_DHCP6_SOLICIT] = true;
    lb_boot_link(&host.boot, host.now, false);
    lb_boot_link(&host.boot, host.now, true);
    host_pass(5 * SEC);
    CHECK(host_has6("2001:db8::100"));
    CHECK_EQ(logins(), 1);
}

static void without_a_gateway_the_routers_word_is_taken(void) {
    managed();
    host.ra.prefixes[0].autonomous = true;
    host_set("address", "2001:db8::33/64");
    host_set("rootpath", HOST_ROOT_PATH6);
    if (!host_boots())
        return;
    CHECK_EQ(host.net.addr6_count, 1); /* and not its prefix for another address */
    CHECK_STR(lb_addr_text(host.net.routes6[host.net.route6_count - 1].via).s, "fe80::1");
}

static void a_configured_address_that_another_machine_has_is_told(void) {
    managed();
    host.taken6 = v6("2001:db8::33");
    host_set("address", "2001:db8::33/64");
    host_set("rootpath", HOST_ROOT_PATH6);
    host_set("attempts", "1");
    host_fails(LB_E_ADDRESS_CONFLICT, "2001:db8::33, which is configured");
}

static void nobody_lets_us_have_a_link_local_address(void) {
    managed();
    host_set("family", "6");
    host_set("attempts", "1");
    host.takes_all6 = true;
    host_fails(LB_E_ADDRESS_CONFLICT, "link-local");
}

/* ---- names ---------------------------------------------------------------------------------- */

static void by_name(void) {
    both();
    host_set("rootpath", "iscsi:disk.example:::1:" HOST_TARGET);
    host_set("family-wait", "5s");
    host.resolved[0] = v6("2001:db8::1");
    host.resolved[1] = v6("2001:db8::2");
    host.resolved[2] = v4(192, 0, 2, 1);
    host.resolved[3] = v4(192, 0, 2, 7);
    host.resolved_count = 4;
    host_portal(0, v4(192, 0, 2, 7), 3260);
    host.portals[1].answer = REFUSES;
}

static void addresses_of_a_name_are_tried_family_by_family(void) {
    by_name();
    host_set("prefer-family", "6");
    if (!host_boots() || !CHECK_EQ(host.connect_count, 4))
        return;
    CHECK_STR(lb_endpoint_text(host.connects[0]).s, "[2001:db8::1]:3260");
    CHECK_STR(lb_endpoint_text(host.connects[1]).s, "192.0.2.1:3260");
    CHECK_STR(lb_endpoint_text(host.connects[2]).s, "[2001:db8::2]:3260");
    CHECK_STR(lb_endpoint_text(host.connects[3]).s, "192.0.2.7:3260");
}

static void a_family_without_an_address_comes_last(void) {
    by_name();
    if (!host_boots()) /* IPv4 was the first to be there */
        return;
    CHECK_STR(lb_endpoint_text(host.connects[0]).s, "192.0.2.1:3260");
    CHECK_STR(lb_endpoint_text(host.connects[1]).s, "192.0.2.7:3260");
}

static void resolvers_of_both_families_are_configured(void) {
    both();
    host_set("prefer-family", "6");
    host_set("family-wait", "5s");
    if (!host_boots())
        return;
    CHECK_EQ(host.net.dns_count, 2);
    CHECK_STR(lb_addr_text(host.net.dns[0]).s, "2001:db8::53");
    CHECK_STR(lb_addr_text(host.net.dns[1]).s, "192.0.2.53");
}

/* Whose name is asked for next; the slots that are opened on the way are passed over. */
static const char *name_asked_for(void) {
    static struct lb_dns_message query;
    struct lb_boot_action action;
    struct lb_names_answer answer;
    bool has_answer;
    for (unsigned i = 0; i < 10; i++) {
        if (lb_names_turn(&host.boot.names, host.now, &host.boot.network.net, &action, &answer,
                          &has_answer) == LB_TURN_ACT &&
            action.event == LB_BOOT_SEND && lb_dns_decode(action.bytes, &query))
            return query.name;
    }
    return "nothing";
}

static void names_are_looked_up_one_at_a_time(void) {
    host_init();
    host_begin();
    lb_names_ask(&host.boot.names, LB_REQUESTER_SLP, "slp.example");
    lb_names_ask(&host.boot.names, LB_REQUESTER_ISNS, "isns.example");
    CHECK_STR(name_asked_for(), "slp.example");
    CHECK_STR(name_asked_for(), "slp.example"); /* its other family */
    CHECK_STR(name_asked_for(), "nothing");
    lb_names_cancel(&host.boot.names, LB_REQUESTER_SLP);
    CHECK_STR(name_asked_for(), "isns.example");
    lb_names_cancel(&host.boot.names, LB_REQUESTER_ISNS);
    CHECK_STR(name_asked_for(), "nothing");
    CHECK_EQ(host.boot.names.lookup_count, 0);
}

/* ---- the dry run ---------------------------------------------------------------------------- */

static void a_dry_run_shows_the_offers_of_both(void) {
    size_t count, count6;
    both();
    host.setup.goal = LB_GOAL_PROBE;
    uint64_t start = host.now;
    host_begin();
    CHECK(host_until(LB_BOOT_OFFERS));
    (void)lb_boot_offers(&host.boot, &count);
    const struct lb_dhcp6_lease *offers = lb_boot_offers6(&host.boot, &count6);
    CHECK_EQ(count, 1);
    if (CHECK_EQ(count6, 1))
        CHECK_STR(lb_addr_text(offers[0].addrs[0].addr).s, "2001:db8::100");
    CHECK(host.now - start < 2 * SEC);
    CHECK_EQ(host.dhcp6_sent[LB_DHCP6_REQUEST], 0);
    CHECK_EQ(host.seen[LB_BOOT_SET_ADDRESS], 0);
}

static void a_dry_run_on_a_network_that_is_up_probes_nothing(void) {
    size_t count6;
    both();
    host.ra.prefixes[0].autonomous = true;
    host.setup.goal = LB_GOAL_PROBE;
    host.setup.network_is_up = true;
    host_begin();
    CHECK(host_until(LB_BOOT_OFFERS));
    (void)lb_boot_offers6(&host.boot, &count6);
    CHECK_EQ(count6, 1);
    CHECK_EQ(host.seen[LB_BOOT_PROBE], 0);
    CHECK(host_until(LB_BOOT_READY));
}

static void a_dry_run_waits_for_a_silent_family_no_longer_than_a_person_does(void) {
    both();
    host.has_router = false;
    host_dhcp6_is_silent();
    host.setup.goal = LB_GOAL_PROBE;
    uint64_t start = host.now;
    host_begin();
    CHECK(host_until(LB_BOOT_OFFERS));
    CHECK_EQ(host.now - start, 2500 * LB_US_MS);
}

int main(void) {
    TEST(a_renewal_of_dhcpv6_is_not_noticed_by_the_session);
    TEST(a_lease_of_dhcpv6_that_runs_out_takes_the_address_and_then_the_disk);
    TEST(a_lease_that_is_lost_beside_the_session_is_not_noticed);
    TEST(ipv4_that_is_lost_beside_the_session_is_not_noticed);
    TEST(the_session_goes_over_to_another_ipv6_address);
    TEST(a_router_that_changes_its_word_is_followed);
    TEST(without_a_route_a_configured_disk_waits_for_the_router);
    TEST(a_router_that_takes_its_word_back_does_not_end_dhcpv6);
    TEST(a_router_that_goes_takes_its_route);
    TEST(a_link_that_comes_back_has_everybody_asked);
    TEST(after_a_failed_attempt_the_lease_is_confirmed);
    TEST(after_a_failed_attempt_routers_are_asked_again);
    TEST(a_root_path_that_was_corrected_is_used_by_the_next_attempt);
    TEST(a_family_that_was_silent_is_asked_again_by_the_next_attempt);
    TEST(the_server_can_have_a_lease_renewed_where_a_person_allows_it);
    TEST(both_leases_are_given_back);
    TEST(a_configured_ipv6_address_bypasses_dhcp);
    TEST(it_is_probed_beside_the_link_local_one);
    TEST(a_configured_ipv6_address_needs_no_router_for_its_own_network);
    TEST(a_prefix_that_makes_no_address_is_told_with_its_length);
    TEST(where_there_is_no_ipv6_it_is_told_at_once);
    TEST(a_server_that_was_given_up_is_asked_again_when_the_link_comes_back);
    TEST(without_a_gateway_the_routers_word_is_taken);
    TEST(a_configured_address_that_another_machine_has_is_told);
    TEST(nobody_lets_us_have_a_link_local_address);
    TEST(addresses_of_a_name_are_tried_family_by_family);
    TEST(a_family_without_an_address_comes_last);
    TEST(resolvers_of_both_families_are_configured);
    TEST(names_are_looked_up_one_at_a_time);
    TEST(a_dry_run_shows_the_offers_of_both);
    TEST(a_dry_run_on_a_network_that_is_up_probes_nothing);
    TEST(a_dry_run_waits_for_a_silent_family_no_longer_than_a_person_does);
    return tap_done();
}
