#include "core/nd6/test_nd6.h"

static const struct lb_nd6_info *info(void) {
    return &t.client.info;
}

/* ---- the start ---- */

static void the_first_solicitation_and_the_first_probe_go_out_at_once(void) {
    begin();
    CHECK_EQ(seen.sends, 1);
    CHECK_EQ(seen.probes, 1);
    CHECK_STR(lb_addr_text(t.probes[0]).s, LINK_LOCAL);
    CHECK_STR(lb_addr_text(t.send.to).s, "ff02::2");
    CHECK(lb_addr_is_zero(t.send.from) && t.send.from.family == LB_V6);
    CHECK_EQ(t.send.bytes.len, 8); /* no link-layer address of nobody */
}

static void as_soon_as_there_is_an_address_routers_are_asked_from_there(void) {
    begin();
    clear_seen();
    probed(LINK_LOCAL, false);
    CHECK_EQ(seen.sends, 1);
    CHECK_STR(lb_addr_text(t.send.from).s, LINK_LOCAL);
    CHECK_EQ(t.send.bytes.len, 16);
    CHECK_EQ(seen.gots, 1);
    CHECK_STR(lb_addr_text(info()->link_local).s, LINK_LOCAL);
}

static void nobody_is_asked_again_when_a_router_has_spoken(void) {
    struct lb_nd6_ra ra = test_ra();
    begin();
    CHECK(hear(ROUTER, &ra));
    clear_seen();
    probed(LINK_LOCAL, false);
    CHECK_EQ(seen.sends, 0);
    probed(ADDRESS, false);
    advance(60 * SEC);
    CHECK_EQ(seen.sends, 0);
}

static void a_lost_solicitation_is_sent_again_after_a_second(void) {
    begin();
    clear_seen();
    advance(SEC * 8 / 10);
    CHECK_EQ(seen.sends, 0);
    advance(SEC * 3 / 10);
    CHECK_EQ(seen.sends, 1);
}

static void no_router_is_said_once_after_four_solicitations(void) {
    begin();
    for (unsigned i = 0; i < 100 && seen.no_routers == 0; i++)
        advance(SEC / 10);
    CHECK(t.now - 1000 * SEC > 35 * SEC / 10 && t.now - 1000 * SEC < 45 * SEC / 10);
    CHECK_EQ(seen.sends, 5); /* and the next one of those that go on */
    CHECK_EQ(t.client.state, LB_ND6_QUIET);
    advance(3600 * SEC);
    CHECK_EQ(seen.no_routers, 1);
}

static void solicitations_go_on_ever_slower(void) {
    begin();
    for (unsigned i = 0; i < 24 * 60; i++)
        advance(60 * SEC);
    CHECK(seen.sends > 15 && seen.sends < 50);
    CHECK(t.until - t.now <= 3960 * SEC);
}

static void a_router_that_comes_late_is_used(void) {
    struct lb_nd6_ra ra = test_ra();
    begin();
    probed(LINK_LOCAL, false);
    advance(3600 * SEC);
    clear_seen();
    CHECK(hear(ROUTER, &ra));
    CHECK_EQ(seen.gots, 1);
    CHECK_EQ(info()->router_count, 1);
}

static void giving_up_may_come_earlier(void) {
    t.config = (struct lb_nd6_config){.give_up_ms = 500};
    start();
    advance(SEC * 4 / 10);
    CHECK_EQ(seen.no_routers, 0);
    advance(SEC / 10);
    CHECK_EQ(seen.no_routers, 1);
}

static void the_number_and_the_pause_of_solicitations_are_configurable(void) {
    t.config = (struct lb_nd6_config){.retry_ms = 4000, .solicit_count = 2};
    start();
    probed(LINK_LOCAL, false);
    for (unsigned i = 0; i < 200 && seen.no_routers == 0; i++)
        advance(SEC / 10);
    CHECK(t.now - 1000 * SEC > 7 * SEC && t.now - 1000 * SEC < 9 * SEC);
}

/* ---- advertisements ---- */

static void an_advertisement_gives_an_address_when_nobody_else_has_it(void) {
    struct lb_nd6_ra ra = test_ra();
    begin();
    probed(LINK_LOCAL, false);
    clear_seen();
    CHECK(hear(ROUTER, &ra));
    CHECK_EQ(seen.probes, 1);
    CHECK_STR(lb_addr_text(t.probes[0]).s, ADDRESS);
    CHECK_EQ(info()->address_count, 0);
    CHECK_EQ(info()->pending, 1);
    probed(ADDRESS, false);
    CHECK_EQ(seen.gots, 2);
    CHECK_EQ(info()->pending, 0);
    CHECK_EQ(info()->address_count, 1);
    CHECK_STR(lb_prefix_text(info()->addresses[0].address).s, ADDRESS "/64");
    CHECK_EQ(info()->addresses[0].valid_until_us, t.now + 86400 * SEC);
    CHECK_EQ(info()->addresses[0].preferred_until_us, t.now + 3600 * SEC);
    CHECK_STR(lb_prefix_text(info()->on_link[0].prefix).s, "2001:db8:1::/64");
    CHECK_STR(lb_addr_text(info()->routers[0].addr).s, ROUTER);
}

static void a_probe_that_the_host_does_not_answer_ends_after_five_seconds(void) {
    struct lb_nd6_ra ra = test_ra();
    begin();
    CHECK(hear(ROUTER, &ra));
    CHECK_EQ(info()->pending, 1);
    advance(49 * SEC / 10);
    CHECK(lb_addr_is_zero(info()->link_local));
    CHECK_EQ(info()->address_count, 0);
    advance(SEC / 10);
    CHECK_STR(lb_addr_text(info()->link_local).s, LINK_LOCAL);
    if (CHECK_EQ(info()->address_count, 1))
        CHECK_STR(lb_addr_text(info()->addresses[0].address.addr).s, ADDRESS);
    CHECK_EQ(info()->pending, 0);
}

static struct lb_nd6_info full_info(void) {
    struct lb_nd6_info full = {.link_local = v6("fe80::1"), .mtu = 1400, .search = "a.example"};
    full.address_count = full.on_link_count = full.router_count = full.route_count = 2;
    full.dns_count = 2;
    for (unsigned i = 0; i < 2; i++) {
        struct lb_addr addr = v6(i == 0 ? "2001:db8:1::" : "2001:db8:2::");
        full.addresses[i].address = full.on_link[i].prefix = (struct lb_prefix){addr, 64};
        full.routers[i].addr = full.dns[i] = addr;
        full.routes[i].route.to = (struct lb_prefix){addr, 48};
        full.routes[i].route.via = v6("fe80::9");
    }
    return full;
}

static void information_is_the_same_where_every_part_of_it_is(void) {
    struct lb_nd6_info a = full_info(), b;
    b = a;
    CHECK(lb_nd6_info_is_same(&a, &b));
    b.addresses[2].address.len = b.on_link[2].prefix.len = 7; /* behind the last */
    b.routers[2].addr = b.routes[2].route.via = b.dns[2] = v6("fe80::7");
    CHECK(lb_nd6_info_is_same(&a, &b));
    for (unsigned i = 0; i < 2; i++) {
#define CHECK_OTHER(field, value) (b = a, b.field = (value), CHECK(!lb_nd6_info_is_same(&a, &b)))
        CHECK_OTHER(addresses[i].address.addr, v6("::5"));
        CHECK_OTHER(addresses[i].address.len, 63);
        CHECK_OTHER(on_link[i].prefix.addr, v6("::5"));
        CHECK_OTHER(on_link[i].prefix.len, 63);
        CHECK_OTHER(routers[i].addr, v6("::5"));
        CHECK_OTHER(routes[i].route.to.addr, v6("::5"));
        CHECK_OTHER(routes[i].route.to.len, 63);
        CHECK_OTHER(routes[i].route.via, v6("::5"));
        CHECK_OTHER(dns[i], v6("::5"));
    }
    CHECK_OTHER(link_local, v6("fe80::2"));
    CHECK_OTHER(pending, 1);
    CHECK_OTHER(mtu, 1500);
    CHECK_OTHER(advertised, true);
    CHECK_OTHER(managed, true);
    CHECK_OTHER(other, true);
    CHECK_OTHER(address_count, 1);
    CHECK_OTHER(on_link_count, 1);
    CHECK_OTHER(router_count, 1);
    CHECK_OTHER(route_count, 1);
    CHECK_OTHER(dns_count, 1);
    CHECK_OTHER(search[0], 'b');
}

static void several_addresses_are_probed_at_once(void) {
    begin();
    CHECK(hear_bytes(ROUTER, tap_hex(RADVD)));
    CHECK_EQ(seen.probes, 3); /* before any of them was answered */
    probed("2001:db8:2::ff:fe00:2", false);
    CHECK_EQ(info()->address_count, 1);
    CHECK_EQ(info()->addresses[0].valid_until_us, LB_NEVER);
    probed(ADDRESS, false);
    CHECK_EQ(info()->address_count, 2);
    CHECK(!lb_addr_is_set(info()->link_local)); /* which takes its own time */
}

static void show_domains(size_t last_len, struct lb_nd6_info *shown) {
    static struct lb_nd6_client client;
    const size_t lens[] = {200, 200, last_len, 1};
    memset(&client, 0, sizeof client);
    client.domain_count = LB_COUNT(lens);
    for (size_t i = 0; i < LB_COUNT(lens); i++)
        memset(client.domains[i].name, (int)('a' + i), lens[i]);
    lb_nd6_tables_show(&client, shown);
}

static void a_domain_that_has_no_room_is_left_out_whole(void) {
    static struct lb_nd6_info shown;
    show_domains(LB_SEARCH_MAX - 402, &shown); /* fits to the last byte */
    CHECK_EQ(lb_strlen(shown.search), LB_SEARCH_MAX);
    CHECK_EQ(shown.search[200], ' ');
    CHECK_EQ(shown.search[LB_SEARCH_MAX - 1], 'c');
    show_domains(LB_SEARCH_MAX - 401, &shown);
    CHECK_EQ(lb_strlen(shown.search), 403);
    CHECK_EQ(shown.search[402], 'd'); /* and the next, which has */
}

static void all_of_radvds_advertisement_is_known(void) {
    begin();
    CHECK(hear_bytes(ROUTER, tap_hex(RADVD)));
    CHECK(info()->advertised && info()->managed && info()->other);
    CHECK_EQ(info()->mtu, 1400);
    CHECK_EQ(info()->dns_count, 2);
    CHECK_STR(info()->search, "boot.example.org example.org");
    CHECK_EQ(info()->on_link_count, 1);
    CHECK_EQ(info()->route_count, 1);
    CHECK_STR(lb_addr_text(info()->routes[0].route.via).s, ROUTER);
}

static void only_a_link_local_neighbour_is_a_router(void) {
    struct lb_nd6_ra ra = test_ra();
    begin();
    CHECK(!hear("2001:db8:1::1", &ra));
    CHECK(!hear("::", &ra));
    CHECK(!lb_nd6_client_input(&t.client, t.now, lb_addr_v4(169, 254, 1, 1), tap_hex(DNSMASQ)));
    CHECK_EQ(t.client.ignored, 3);
    CHECK(!info()->advertised);
    CHECK_EQ(t.client.state, LB_ND6_SOLICITING);
}

static void malformed_advertisements_are_counted_and_change_nothing(void) {
    begin();
    CHECK(!hear_bytes(ROUTER, tap_hex("8600 0000 4000 0708 00000000 00000000 0100")));
    CHECK(!hear_bytes(ROUTER, (struct lb_bytes){0}));
    CHECK_EQ(t.client.ignored, 2);
    CHECK(t.client.ignored_why != NULL);
    CHECK_EQ(seen.gots, 0);
}

static void a_prefix_without_the_autonomous_flag_gives_no_address(void) {
    struct lb_nd6_ra ra = test_ra();
    ra.prefixes[0].autonomous = false;
    ra.managed = true;
    begin();
    CHECK(hear(ROUTER, &ra));
    CHECK_EQ(seen.probes, 1); /* the link-local one */
    CHECK_EQ(info()->on_link_count, 1);
}

static void a_prefix_whose_length_is_not_64_gives_no_address(void) {
    struct lb_nd6_ra ra = test_ra();
    ra.prefixes[0].prefix.len = 56;
    begin();
    CHECK(hear(ROUTER, &ra));
    CHECK_EQ(info()->pending, 0);
    CHECK_EQ(info()->on_link_count, 1);
    CHECK_EQ(info()->odd_prefix.len, 56);
}

static void a_prefix_that_is_preferred_longer_than_valid_gives_no_address(void) {
    struct lb_nd6_ra ra = test_ra();
    ra.prefixes[0].preferred_s = 86401;
    begin();
    CHECK(hear(ROUTER, &ra));
    CHECK_EQ(info()->pending, 0);
}

static void an_advertised_mtu_beyond_the_links_is_ignored(void) {
    struct lb_nd6_ra ra = test_ra();
    ra.mtu = 9000;
    begin();
    CHECK(hear(ROUTER, &ra));
    CHECK_EQ(info()->mtu, 0);
    ra.mtu = 1279; /* less than IPv6 asks for */
    CHECK(hear(ROUTER, &ra));
    CHECK_EQ(info()->mtu, 0);
    t.config = (struct lb_nd6_config){.link_mtu = 9000};
    start();
    ra.mtu = 9000;
    CHECK(hear(ROUTER, &ra));
    CHECK_EQ(info()->mtu, 9000);
}

static void more_prefixes_than_there_is_room_for_are_ignored(void) {
    struct lb_nd6_ra ra = test_ra();
    begin();
    for (uint8_t i = 1; i < 200; i++) {
        ra.prefixes[0].prefix.addr.bytes[5] = i;
        CHECK(hear(ROUTER, &ra));
    }
    CHECK_EQ(info()->pending, LB_ADDRS6_MAX);
    CHECK_EQ(info()->on_link_count, LB_ND6_PREFIXES_MAX);
    CHECK_EQ(seen.probes, 1 + LB_ADDRS6_MAX);
}

/* ---- lifetimes ---- */

static void a_prefix_that_runs_out_takes_its_address_with_it(void) {
    struct lb_nd6_ra ra = test_ra();
    ra.lifetime_s = 9000;
    ra.prefixes[0].valid_s = ra.prefixes[0].preferred_s = 600;
    set_up(&ra);
    advance(600 * SEC - 1);
    CHECK_EQ(seen.losts, 0);
    advance(1);
    CHECK_EQ(seen.losts, 1);
    CHECK_EQ(info()->address_count, 0);
    CHECK_EQ(info()->on_link_count, 0);
}

static void an_advertisement_renews_the_lifetimes(void) {
    struct lb_nd6_ra ra = test_ra();
    set_up(&ra);
    advance(1000 * SEC);
    CHECK(hear(ROUTER, &ra));
    CHECK_EQ(seen.gots, 1);
    CHECK_EQ(seen.probes, 0);
    CHECK_EQ(info()->addresses[0].valid_until_us, t.now + 86400 * SEC);
    CHECK_EQ(info()->routers[0].until_us, t.now + 1800 * SEC);
}

static void a_flood_of_advertisements_is_told_once_a_second(void) {
    struct lb_nd6_ra ra = test_ra();
    set_up(&ra);
    for (unsigned i = 0; i < 5000; i++) {
        CHECK(hear(ROUTER, &ra));
        advance(SEC / 1000);
    }
    CHECK(seen.gots >= 4 && seen.gots <= 6);
    advance(SEC);
    CHECK_EQ(info()->addresses[0].valid_until_us, t.now - SEC - SEC / 1000 + 86400 * SEC);
    clear_seen();
    ra.managed = true; /* something new is told at once */
    CHECK(hear(ROUTER, &ra));
    CHECK_EQ(seen.gots, 1);
}

/* RFC 4862 5.5.3 e, each of its three cases. */
static void the_two_hour_rule_1_more_than_two_hours_is_believed(void) {
    struct lb_nd6_ra ra = test_ra();
    set_up(&ra);
    ra.prefixes[0].valid_s = 7201;
    ra.prefixes[0].preferred_s = 10;
    CHECK(hear(ROUTER, &ra));
    CHECK_EQ(info()->addresses[0].valid_until_us, t.now + 7201 * SEC);
    CHECK_EQ(info()->addresses[0].preferred_until_us, t.now + 10 * SEC);
}

static void the_two_hour_rule_2_with_two_hours_left_less_is_ignored(void) {
    struct lb_nd6_ra ra = test_ra();
    ra.prefixes[0].valid_s = 7200;
    ra.prefixes[0].preferred_s = 3600;
    set_up(&ra);
    uint64_t until_us = info()->addresses[0].valid_until_us;
    advance(100 * SEC);
    ra.prefixes[0].valid_s = ra.prefixes[0].preferred_s = 0;
    CHECK(hear(ROUTER, &ra));
    CHECK_EQ(info()->addresses[0].valid_until_us, until_us);
    CHECK_EQ(info()->addresses[0].preferred_until_us, t.now); /* but it is deprecated */
    CHECK_EQ(seen.losts, 0);
}

static void the_two_hour_rule_2b_a_longer_lifetime_than_what_is_left_is_believed(void) {
    struct lb_nd6_ra ra = test_ra();
    ra.prefixes[0].valid_s = 7200;
    set_up(&ra);
    advance(7000 * SEC);
    ra.prefixes[0].valid_s = ra.prefixes[0].preferred_s = 300;
    CHECK(hear(ROUTER, &ra));
    CHECK_EQ(info()->addresses[0].valid_until_us, t.now + 300 * SEC);
}

static void the_two_hour_rule_3_an_address_of_a_day_keeps_two_hours(void) {
    struct lb_nd6_ra ra = test_ra();
    set_up(&ra);
    ra.prefixes[0].valid_s = ra.prefixes[0].preferred_s = 0;
    CHECK(hear(ROUTER, &ra));
    CHECK_EQ(info()->addresses[0].valid_until_us, t.now + 7200 * SEC);
    CHECK_EQ(info()->on_link_count, 0); /* which has no such rule: RFC 4861 6.3.4 */
    ra.prefixes[0].valid_s = LB_ND6_FOREVER;
    CHECK(hear(ROUTER, &ra));
    CHECK_EQ(info()->addresses[0].valid_until_us, LB_NEVER);
    ra.prefixes[0].valid_s = 60;
    CHECK(hear(ROUTER, &ra));
    CHECK_EQ(info()->addresses[0].valid_until_us, t.now + 7200 * SEC);
}

static void seconds_left_are_rounded_up(void) {
    CHECK_EQ(lb_nd6_left_s(5, 5), 0);
    CHECK_EQ(lb_nd6_left_s(5, 4), 0);
    CHECK_EQ(lb_nd6_left_s(5, 6), 1);
    CHECK_EQ(lb_nd6_left_s(5, 5 + 2 * SEC), 2);
    CHECK_EQ(lb_nd6_left_s(5, LB_NEVER), LB_ND6_FOREVER);
    CHECK_EQ(lb_nd6_left_s(5, LB_NEVER - 1), LB_ND6_FOREVER - 1);
}

/* ---- routers ---- */

static void several_routers_stand_in_the_order_of_their_preference(void) {
    struct lb_nd6_ra ra = test_ra();
    set_up(&ra);
    ra.preference = LB_ND6_LOW;
    CHECK(hear(ROUTER2, &ra));
    CHECK_STR(lb_addr_text(info()->routers[0].addr).s, ROUTER);
    CHECK_STR(lb_addr_text(info()->routers[1].addr).s, ROUTER2);
    ra.preference = LB_ND6_HIGH;
    CHECK(hear(ROUTER2, &ra));
    CHECK_EQ(info()->router_count, 2);
    CHECK_STR(lb_addr_text(info()->routers[0].addr).s, ROUTER2);
}

static void among_equals_the_first_that_spoke_stays_first(void) {
    struct lb_nd6_ra ra = test_ra();
    set_up(&ra);
    CHECK(hear(ROUTER2, &ra));
    CHECK(hear(ROUTER, &ra));
    CHECK_STR(lb_addr_text(info()->routers[0].addr).s, ROUTER);
}

static void a_router_that_takes_itself_back_is_no_default_router(void) {
    struct lb_nd6_ra ra = test_ra();
    set_up(&ra);
    CHECK(hear(ROUTER2, &ra));
    ra.lifetime_s = 0;
    CHECK(hear(ROUTER, &ra));
    CHECK_EQ(info()->router_count, 1);
    CHECK_STR(lb_addr_text(info()->routers[0].addr).s, ROUTER2);
    CHECK_EQ(info()->address_count, 1); /* the prefix has lost nothing */
}

static void when_the_last_router_has_run_out_they_are_asked_again(void) {
    struct lb_nd6_ra ra = test_ra();
    set_up(&ra);
    advance(1800 * SEC);
    CHECK_EQ(info()->router_count, 0);
    CHECK_EQ(seen.sends, 1);
    CHECK_EQ(seen.gots, 1);
    CHECK_EQ(seen.losts, 0);
    CHECK_EQ(info()->address_count, 1);
    advance(SEC * 12 / 10);
    CHECK_EQ(seen.sends, 2);
    CHECK(hear(ROUTER, &ra));
    clear_seen();
    advance(100 * SEC);
    CHECK_EQ(seen.sends, 0);
}

/* radvd with AdvDefaultLifetime 0: a router for DHCPv6's flags alone. */
static void flags_count_also_of_a_router_that_is_no_default_router(void) {
    struct lb_nd6_ra ra = {.managed = true};
    begin();
    CHECK(hear(ROUTER, &ra));
    CHECK_EQ(info()->router_count, 0);
    CHECK(info()->advertised && info()->managed && !info()->other);
    advance(1800 * SEC);
    CHECK(!info()->advertised && !info()->managed);
}

static void the_flags_are_those_of_any_router(void) {
    struct lb_nd6_ra ra = test_ra();
    set_up(&ra);
    ra.other = true;
    CHECK(hear(ROUTER2, &ra));
    CHECK(info()->other && !info()->managed);
    ra.other = false;
    CHECK(hear(ROUTER2, &ra));
    CHECK(!info()->other);
}

static void more_routers_than_there_is_room_for_are_ignored_unless_they_are_better(void) {
    struct lb_nd6_ra ra = test_ra();
    struct lb_addr from = v6(ROUTER);
    uint8_t room[LB_ND6_PACKET_MAX];
    set_up(&ra);
    for (uint8_t i = 2; i < 100; i++) {
        from.bytes[15] = i;
        lb_nd6_client_input(&t.client, t.now, from, lb_nd6_ra_encode(&ra, lb_span(room, 1500)));
        run();
    }
    CHECK_EQ(info()->router_count, LB_ROUTERS_MAX);
    ra.preference = LB_ND6_HIGH;
    CHECK(hear(ROUTER2, &ra));
    CHECK_EQ(info()->router_count, LB_ROUTERS_MAX);
    CHECK_STR(lb_addr_text(info()->routers[0].addr).s, ROUTER2);
}

static void of_two_routes_to_one_network_the_preferred_one_is_used(void) {
    struct lb_nd6_ra ra = test_ra();
    ra.routes[0] = (struct lb_nd6_ra_route){{v6("2001:db8:ff00::"), 40}, LB_ND6_LOW, 600};
    ra.route_count = 1;
    set_up(&ra);
    ra.routes[0].preference = LB_ND6_HIGH;
    CHECK(hear(ROUTER2, &ra));
    CHECK_EQ(info()->route_count, 1);
    CHECK_STR(lb_addr_text(info()->routes[0].route.via).s, ROUTER2);
    ra.routes[0].lifetime_s = 0; /* taken back: the other one is left */
    CHECK(hear(ROUTER2, &ra));
    CHECK_STR(lb_addr_text(info()->routes[0].route.via).s, ROUTER);
    advance(600 * SEC);
    CHECK_EQ(info()->route_count, 0);
}

static void names_run_out_and_are_taken_back(void) {
    struct lb_nd6_ra ra = test_ra();
    ra.dns[0] = (struct lb_nd6_ra_dns){v6("2001:db8:1::53"), 300};
    ra.dns[1] = (struct lb_nd6_ra_dns){v6("2001:db8:1::54"), LB_ND6_FOREVER};
    ra.domains[0] = (struct lb_nd6_ra_domain){"example.org", 300};
    ra.dns_count = 2;
    ra.domain_count = 1;
    set_up(&ra);
    CHECK_EQ(info()->dns_count, 2);
    advance(300 * SEC);
    CHECK_EQ(info()->dns_count, 1);
    CHECK_STR(info()->search, "");
    CHECK_STR(lb_addr_text(info()->dns[0]).s, "2001:db8:1::54");
    ra.dns[1].lifetime_s = 0;
    CHECK(hear(ROUTER, &ra));
    CHECK_STR(lb_addr_text(info()->dns[0]).s, "2001:db8:1::53");
    CHECK_EQ(info()->dns_count, 1);
}

/* ---- conflicts ---- */

static void an_address_that_somebody_has_gets_another_identifier(void) {
    struct lb_nd6_ra ra = test_ra();
    begin();
    probed(LINK_LOCAL, false);
    CHECK(hear(ROUTER, &ra));
    clear_seen();
    probed(ADDRESS, true);
    CHECK_EQ(seen.probes, 1);
    CHECK(!lb_addr_equal(t.probes[0], v6(ADDRESS)));
    CHECK(lb_prefix_has((struct lb_prefix){v6(ADDRESS), 64}, t.probes[0]));
    CHECK_EQ(t.probes[0].bytes[8] & 2, 0); /* of local scope */
    lb_nd6_client_probed(&t.client, t.now, t.probes[0], false);
    run();
    CHECK(lb_addr_equal(info()->addresses[0].address.addr, t.probes[0]));
    CHECK(hear(ROUTER, &ra)); /* renews that one, and makes no second one */
    CHECK_EQ(info()->address_count, 1);
    CHECK_EQ(info()->pending, 0);
}

static void a_link_local_address_that_somebody_has_gets_another_identifier(void) {
    begin();
    clear_seen();
    probed(LINK_LOCAL, true);
    CHECK_EQ(seen.probes, 1);
    CHECK(lb_addr_is_link_local(t.probes[0]));
    lb_nd6_client_probed(&t.client, t.now, t.probes[0], false);
    run();
    CHECK(lb_addr_equal(info()->link_local, t.probes[0]));
}

static void after_four_conflicts_a_prefix_is_left_alone(void) {
    struct lb_nd6_ra ra = test_ra();
    begin();
    probed(LINK_LOCAL, false);
    clear_seen();
    CHECK(hear(ROUTER, &ra));
    for (unsigned i = 0; i < 10; i++) {
        lb_nd6_client_probed(&t.client, t.now, t.probes[seen.probes - 1], true);
        run();
    }
    CHECK_EQ(seen.probes, 4);
    CHECK_EQ(info()->pending, 0);
    CHECK_EQ(info()->address_count, 0);
    CHECK_EQ(t.client.state, LB_ND6_HEARD);
}

static void a_link_that_comes_back_gives_such_a_prefix_another_chance(void) {
    struct lb_nd6_ra ra = test_ra();
    begin();
    probed(LINK_LOCAL, false);
    clear_seen();
    CHECK(hear(ROUTER, &ra));
    for (unsigned i = 0; i < 4; i++) {
        lb_nd6_client_probed(&t.client, t.now, t.probes[seen.probes - 1], true);
        run();
    }
    clear_seen();
    lb_nd6_client_link_up(&t.client, t.now);
    run();
    CHECK_EQ(seen.probes, 1);
    lb_nd6_client_probed(&t.client, t.now, t.probes[0], false);
    run();
    CHECK_EQ(info()->address_count, 1);
}

static void after_four_conflicts_of_the_link_local_address_it_is_the_end(void) {
    begin();
    for (unsigned i = 0; i < 10; i++) {
        lb_nd6_client_probed(&t.client, t.now, t.probes[seen.probes - 1], true);
        run();
    }
    CHECK_EQ(seen.probes, 4);
    CHECK_EQ(seen.losts, 1);
    CHECK_EQ(t.client.state, LB_ND6_STOPPED);
    CHECK_EQ(t.client.error.code, LB_E_ADDRESS_CONFLICT);
    CHECK_HAS(t.client.error.facts, LINK_LOCAL);
    CHECK_EQ(t.until, LB_NEVER);
    CHECK(!hear_bytes(ROUTER, tap_hex(RADVD)));
}

static void a_conflict_that_comes_later_takes_the_address_away(void) {
    struct lb_nd6_ra ra = test_ra();
    set_up(&ra);
    probed(ADDRESS, true);
    CHECK_EQ(seen.losts, 1);
    CHECK_EQ(seen.probes, 1);
    CHECK_EQ(info()->pending, 1);
}

static void a_host_that_never_answers_about_a_probe_is_not_waited_for(void) {
    begin();
    for (unsigned i = 0; i < 51; i++)
        advance(SEC / 10);
    CHECK_STR(lb_addr_text(info()->link_local).s, LINK_LOCAL);
}

static void answers_that_nobody_has_asked_for_change_nothing(void) {
    struct lb_nd6_ra ra = test_ra();
    set_up(&ra);
    probed(ADDRESS, false);
    probed("2001:db8:1::77", true);
    CHECK_EQ(seen.gots + seen.losts + seen.probes, 0);
}

static void when_the_link_comes_back_routers_are_asked_and_nothing_is_forgotten(void) {
    struct lb_nd6_ra ra = test_ra();
    set_up(&ra);
    lb_nd6_client_link_up(&t.client, t.now);
    run();
    CHECK_EQ(seen.sends, 1);
    CHECK_EQ(seen.probes, 0);
    CHECK_EQ(info()->address_count, 1);
}

static void when_the_link_comes_back_a_probe_begins_again(void) {
    begin();
    clear_seen();
    lb_nd6_client_link_up(&t.client, t.now);
    run();
    CHECK_EQ(seen.probes, 1);
    CHECK_STR(lb_addr_text(t.probes[0]).s, LINK_LOCAL);
}

static void each_router_runs_out_by_its_own_lifetime(void) {
    struct lb_nd6_ra ra = test_ra();
    set_up(&ra);
    ra.lifetime_s = 600;
    CHECK(hear(ROUTER2, &ra));
    CHECK_EQ(info()->router_count, 2);
    clear_seen();
    advance(600 * SEC - 1);
    CHECK_EQ(info()->router_count, 2);
    CHECK_EQ(seen.gots, 0);
    advance(1);
    CHECK_EQ(info()->router_count, 1);
    CHECK_STR(lb_addr_text(info()->routers[0].addr).s, ROUTER);
    CHECK_EQ(seen.gots, 1); /* which is news */
}

int main(void) {
    TEST(the_first_solicitation_and_the_first_probe_go_out_at_once);
    TEST(as_soon_as_there_is_an_address_routers_are_asked_from_there);
    TEST(nobody_is_asked_again_when_a_router_has_spoken);
    TEST(a_lost_solicitation_is_sent_again_after_a_second);
    TEST(no_router_is_said_once_after_four_solicitations);
    TEST(solicitations_go_on_ever_slower);
    TEST(a_router_that_comes_late_is_used);
    TEST(giving_up_may_come_earlier);
    TEST(the_number_and_the_pause_of_solicitations_are_configurable);
    TEST(an_advertisement_gives_an_address_when_nobody_else_has_it);
    TEST(several_addresses_are_probed_at_once);
    TEST(a_domain_that_has_no_room_is_left_out_whole);
    TEST(all_of_radvds_advertisement_is_known);
    TEST(only_a_link_local_neighbour_is_a_router);
    TEST(malformed_advertisements_are_counted_and_change_nothing);
    TEST(a_prefix_without_the_autonomous_flag_gives_no_address);
    TEST(a_prefix_whose_length_is_not_64_gives_no_address);
    TEST(a_prefix_that_is_preferred_longer_than_valid_gives_no_address);
    TEST(an_advertised_mtu_beyond_the_links_is_ignored);
    TEST(more_prefixes_than_there_is_room_for_are_ignored);
    TEST(a_prefix_that_runs_out_takes_its_address_with_it);
    TEST(an_advertisement_renews_the_lifetimes);
    TEST(a_flood_of_advertisements_is_told_once_a_second);
    TEST(the_two_hour_rule_1_more_than_two_hours_is_believed);
    TEST(the_two_hour_rule_2_with_two_hours_left_less_is_ignored);
    TEST(the_two_hour_rule_2b_a_longer_lifetime_than_what_is_left_is_believed);
    TEST(the_two_hour_rule_3_an_address_of_a_day_keeps_two_hours);
    TEST(seconds_left_are_rounded_up);
    TEST(several_routers_stand_in_the_order_of_their_preference);
    TEST(among_equals_the_first_that_spoke_stays_first);
    TEST(a_router_that_takes_itself_back_is_no_default_router);
    TEST(when_the_last_router_has_run_out_they_are_asked_again);
    TEST(flags_count_also_of_a_router_that_is_no_default_router);
    TEST(the_flags_are_those_of_any_router);
    TEST(more_routers_than_there_is_room_for_are_ignored_unless_they_are_better);
    TEST(of_two_routes_to_one_network_the_preferred_one_is_used);
    TEST(names_run_out_and_are_taken_back);
    TEST(an_address_that_somebody_has_gets_another_identifier);
    TEST(a_link_local_address_that_somebody_has_gets_another_identifier);
    TEST(after_four_conflicts_a_prefix_is_left_alone);
    TEST(a_link_that_comes_back_gives_such_a_prefix_another_chance);
    TEST(after_four_conflicts_of_the_link_local_address_it_is_the_end);
    TEST(a_conflict_that_comes_later_takes_the_address_away);
    TEST(a_host_that_never_answers_about_a_probe_is_not_waited_for);
    TEST(answers_that_nobody_has_asked_for_change_nothing);
    TEST(when_the_link_comes_back_routers_are_asked_and_nothing_is_forgotten);
    TEST(when_the_link_comes_back_a_probe_begins_again);
    TEST(a_probe_that_the_host_does_not_answer_ends_after_five_seconds);
    TEST(information_is_the_same_where_every_part_of_it_is);
    TEST(each_router_runs_out_by_its_own_lifetime);
    return tap_done();
}
