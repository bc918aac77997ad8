/* Client and server against each other, over a wire in memory. */
#include "core/isns/test_isns.h"
#include "tests/tap.h"

/* One target at 192.0.2.1 that we share a domain with. */
static void simple(void) {
    test_server((struct lb_isns_server_config){0});
    test_node(TARGET, LB_ISNS_TARGET, 1);
    test_domain(7, LB_ISNS_BOOT_LIST, ME, TARGET);
}

static bool found_simple(void) {
    return CHECK_EQ(t.end, LB_ISNS_DONE) && CHECK_EQ(t.found_count, 1) &&
           CHECK_STR(t.found[0].target, TARGET) &&
           CHECK_STR(lb_endpoint_text(t.found[0].portal).s, "192.0.2.1:3260") &&
           CHECK_EQ(t.found[0].portal_group, 1);
}

static void a_target_is_found_by_name(void) {
    simple();
    test_target(TARGET);
    test_run();
    found_simple();
    CHECK(!t.found[0].in_boot_list);
    CHECK_EQ(t.connects, 1);
    CHECK_EQ(t.closes, 1);
    CHECK_EQ(t.client.counts.requests, 1);
}

static void a_boot_list_is_found_by_its_domain(void) {
    simple();
    test_run();
    found_simple();
    CHECK(t.found[0].in_boot_list);
    CHECK_EQ(t.client.counts.requests, 4);
    CHECK_EQ(t.client.counts.boot_domains, 1);
}

static void any_split_of_the_answers_gives_the_same(void) {
    for (size_t chunk = 1; chunk < 60; chunk++) {
        simple();
        t.chunk = chunk;
        test_run();
        found_simple();
    }
}

static void attributes_may_lie_across_pdus_anywhere(void) {
    for (size_t pdu_max = 4; pdu_max < 120; pdu_max += 4) {
        simple();
        t.server.config.pdu_max = pdu_max;
        t.chunk = pdu_max % 3 ? 7 : 0;
        test_run();
        found_simple();
    }
}

static void what_is_in_no_boot_list_is_not_booted(void) {
    test_server((struct lb_isns_server_config){0});
    test_node(TARGET, LB_ISNS_TARGET, 1);
    test_domain(7, 0, ME, TARGET);
    test_run();
    CHECK_EQ(t.end, LB_ISNS_DONE);
    CHECK_EQ(t.found_count, 0);
    CHECK_HAS(test_explain(), "in 1 Discovery Domain, none with the boot list enabled");
}

static void a_person_who_looks_sees_the_other_domains_too(void) {
    test_server((struct lb_isns_server_config){0});
    test_node(TARGET, LB_ISNS_TARGET, 1);
    test_node(OTHER, LB_ISNS_TARGET, 2);
    test_domain(7, 0, ME, TARGET);
    test_domain(8, LB_ISNS_BOOT_LIST, ME, OTHER);
    t.config.all_domains = true;
    test_run();
    if (!CHECK_EQ(t.found_count, 2))
        return;
    CHECK(!t.found[0].in_boot_list);
    CHECK(t.found[1].in_boot_list);
}

static void a_target_of_two_domains_is_given_once(void) {
    test_server((struct lb_isns_server_config){0});
    test_node(TARGET, LB_ISNS_TARGET, 1);
    test_domain(7, 0, ME, TARGET);
    test_domain(8, LB_ISNS_BOOT_LIST, ME, TARGET);
    t.config.all_domains = true;
    test_run();
    CHECK_EQ(t.found_count, 1);
    CHECK(t.found[0].in_boot_list);
}

static void a_source_that_shares_no_domain_finds_nothing_and_says_so(void) {
    for (unsigned quirk = 0; quirk < 2; quirk++) {
        test_server((struct lb_isns_server_config){.says_no_such_entry = quirk});
        test_node(TARGET, LB_ISNS_TARGET, 1);
        test_domain(7, LB_ISNS_BOOT_LIST, OTHER, TARGET);
        test_target(TARGET);
        test_run();
        CHECK_EQ(t.end, LB_ISNS_DONE);
        CHECK_EQ(t.found_count, 0);
        CHECK_HAS(test_explain(), "for " TARGET ": 0 portals, 1 not registered or not shown to us");
        test_target("");
        test_run();
        CHECK_EQ(t.end, LB_ISNS_DONE);
        CHECK_HAS(test_explain(), "asked as " ME " for a boot list: in no Discovery Domain");
    }
}

static void a_disabled_domain_is_not_seen(void) {
    simple();
    t.domains[0].is_disabled = true;
    test_run();
    CHECK_EQ(t.end, LB_ISNS_DONE);
    CHECK_EQ(t.found_count, 0);
}

static void initiators_and_unregistered_names_in_a_boot_list_are_passed_over(void) {
    simple();
    test_node("iqn.2001-04.com.example:host2", LB_ISNS_INITIATOR, 3);
    lb_isns_server_add_member(&t.server, 0, "iqn.2001-04.com.example:host2");
    lb_isns_server_add_member(&t.server, 0, "iqn.2001-04.com.example:gone");
    test_run();
    found_simple();
    CHECK_EQ(t.client.counts.not_targets, 1);
    CHECK_EQ(t.client.counts.unregistered, 1);
    CHECK_EQ(t.client.counts.members, 3);
    CHECK_HAS(test_explain(), "1 with the boot list enabled, 3 other members: 1 portal, 1 not "
                              "registered or not shown to us, 1 no target");
}

static void every_portal_of_a_target_is_given_in_the_servers_order(void) {
    simple();
    lb_isns_server_add_portal(&t.server, 0, test_at(2, 3261));
    struct lb_addr v6;
    lb_addr_parse(lb_bytes_of_text("2001:db8::5"), &v6);
    lb_isns_server_add_portal(&t.server, 0, (struct lb_endpoint){.addr = v6, .port = 860});
    test_run();
    CHECK_EQ(t.found_count, 3);
    CHECK_STR(lb_endpoint_text(t.found[1].portal).s, "192.0.2.2:3261");
    CHECK_STR(lb_endpoint_text(t.found[2].portal).s, "[2001:db8::5]:860");
}

static void portal_group_tags_are_given_and_null_bars_a_portal(void) {
    simple();
    lb_isns_server_add_portal(&t.server, 0, test_at(2, 3260));
    lb_isns_server_add_portal(&t.server, 0, test_at(3, 3260));
    lb_isns_server_add_group(&t.server, 0, 0, 0, false);
    lb_isns_server_add_group(&t.server, 0, 1, 0, true);
    lb_isns_server_add_group(&t.server, 0, 2, 700, false);
    test_run();
    if (!CHECK_EQ(t.found_count, 2))
        return;
    CHECK_EQ(t.found[0].portal_group, 0);
    CHECK_STR(lb_endpoint_text(t.found[1].portal).s, "192.0.2.3:3260");
    CHECK_EQ(t.found[1].portal_group, 700);
    CHECK_EQ(t.client.counts.unusable, 1);
    CHECK_HAS(test_explain(), "1 not to be used");
}

static void a_portal_of_udp_is_none_for_iscsi(void) {
    simple();
    t.portals[0].is_udp = true;
    test_run();
    CHECK_EQ(t.found_count, 0);
    CHECK_EQ(t.client.counts.unusable, 1);
}

static void alias_and_security_come_with_the_portal(void) {
    simple();
    lb_text_copy(t.nodes[0].alias, sizeof t.nodes[0].alias, lb_bytes_of_text("boot\x1b[2J"));
    t.portals[0].security = LB_ISNS_SECURITY_VALID | LB_ISNS_SECURITY_IPSEC;
    test_run();
    found_simple();
    CHECK_STR(t.found[0].alias, "boot\\x1b[2J");
    CHECK(t.found[0].has_security);
    CHECK_EQ(t.found[0].security, 3);
}

/* ---- registration ---- */

static void a_server_that_demands_registration_gets_one(void) {
    test_server((struct lb_isns_server_config){.knows_registered_only = true});
    test_node(TARGET, LB_ISNS_TARGET, 1);
    test_domain(7, LB_ISNS_BOOT_LIST, ME, TARGET);
    t.config.own_address = lb_addr_v4(192, 0, 2, 100);
    for (unsigned by_name = 0; by_name < 2; by_name++) {
        t.found_count = 0;
        test_target(by_name ? TARGET : "");
        test_run();
        found_simple();
        uint32_t me = lb_isns_server_find_node(&t.server, ME);
        if (!CHECK(me != LB_ISNS_NONE))
            return;
        CHECK_EQ(t.nodes[me].type, LB_ISNS_INITIATOR);
        CHECK_STR(lb_endpoint_text(t.portals[1].at).s, "192.0.2.100:3260");
        CHECK(lb_isns_client_is_registered(&t.client));
        lb_isns_client_withdraw(&t.client, t.now);
        test_go_on();
        CHECK_EQ(t.end, LB_ISNS_DONE);
        CHECK(!lb_isns_client_is_registered(&t.client));
        CHECK_EQ(lb_isns_server_find_node(&t.server, ME), LB_ISNS_NONE);
        CHECK(!lb_addr_is_set(t.portals[1].at.addr));
        CHECK_EQ(t.closes, t.connects);
    }
}

static void who_finds_nothing_takes_its_registration_along(void) {
    test_server((struct lb_isns_server_config){.knows_registered_only = true});
    test_run();
    CHECK_EQ(t.end, LB_ISNS_DONE);
    CHECK_EQ(t.server.requests, 5); /* refused, registered, asked, walked, withdrawn */
    CHECK_EQ(lb_isns_server_find_node(&t.server, ME), LB_ISNS_NONE);
    CHECK(!lb_isns_client_is_registered(&t.client));
}

static void without_leave_to_register_the_servers_demand_is_the_failure(void) {
    test_server((struct lb_isns_server_config){.knows_registered_only = true});
    t.config.registration = LB_ISNS_REGISTER_NEVER;
    test_run();
    CHECK_EQ(t.end, LB_ISNS_FAILED);
    CHECK_EQ(lb_isns_client_error(&t.client)->code, LB_E_ISNS_SOURCE);
    CHECK_HAS(lb_isns_client_error(&t.client)->facts, "source unknown");
    CHECK_EQ(t.closes, 1);
}

static void who_always_registers_does_so_first(void) {
    simple();
    t.config.registration = LB_ISNS_REGISTER_ALWAYS;
    test_target(TARGET);
    test_run();
    found_simple();
    CHECK_EQ(t.client.counts.requests, 2);
    CHECK(lb_isns_client_is_registered(&t.client));
}

/* ---- trouble ---- */

static void a_busy_server_is_asked_again_after_a_pause(void) {
    simple();
    t.busy = 3;
    uint64_t began = t.now;
    test_run();
    found_simple();
    CHECK_EQ(t.now - began, (250 + 500 + 1000) * LB_US_MS);
    CHECK_EQ(t.connects, 1);
}

static void a_server_that_stays_busy_is_given_up(void) {
    simple();
    t.busy = UINT32_MAX;
    uint64_t began = t.now;
    test_run();
    CHECK_EQ(t.end, LB_ISNS_FAILED);
    CHECK_EQ(lb_isns_client_error(&t.client)->code, LB_E_ISNS_BUSY);
    CHECK_EQ(t.now - began, 30 * LB_US_SEC);
}

static void a_server_that_closes_after_each_answer_is_asked_on(void) {
    simple();
    t.close_after = 2;
    test_run();
    found_simple();
    CHECK_EQ(t.connects, 2);
}

static void an_answer_cut_off_anywhere_is_asked_for_again(void) {
    for (size_t cut = 1; cut < 200; cut++) {
        simple();
        t.chunk = 1;
        t.cut_answer = cut;
        t.cuts = 2;
        test_run();
        found_simple();
    }
}

static void a_server_that_never_lets_finish_is_given_up(void) {
    simple();
    t.chunk = 1;
    t.cut_answer = 5;
    t.cuts = 100;
    test_run();
    CHECK_EQ(t.end, LB_ISNS_FAILED);
    CHECK_EQ(lb_isns_client_error(&t.client)->code, LB_E_ISNS_CLOSED);
    CHECK_EQ(t.connects, 3);
    CHECK_EQ(t.closes, 0);
}

static void nobody_listens(void) {
    simple();
    t.is_refused = true;
    test_run();
    CHECK_EQ(t.end, LB_ISNS_FAILED);
    CHECK_EQ(lb_isns_client_error(&t.client)->code, LB_E_ISNS_CONNECT);
    CHECK_STR(lb_isns_client_error(&t.client)->facts, "192.0.2.9:3205: refused");
    CHECK_EQ(t.closes, 0);
}

static void a_silent_server_is_given_up(void) {
    simple();
    t.is_silent = true;
    uint64_t began = t.now;
    test_run();
    CHECK_EQ(t.end, LB_ISNS_FAILED);
    CHECK_EQ(lb_isns_client_error(&t.client)->code, LB_E_ISNS_TIMEOUT);
    CHECK_EQ(t.now - began, 8 * LB_US_SEC);
    CHECK_EQ(t.closes, 1);
}

/* ---- UDP ---- */

static void everything_is_found_by_datagrams_too(void) {
    simple();
    t.config.udp = true;
    test_run();
    found_simple();
    CHECK_EQ(t.connects, 0);
    CHECK_EQ(t.datagrams, 4);
}

static void lost_datagrams_are_sent_again(void) {
    simple();
    t.config.udp = true;
    t.lose_datagrams = 2;
    uint64_t began = t.now;
    test_run();
    found_simple();
    CHECK_EQ(t.now - began, 3 * LB_US_SEC); /* 1 s, then 2 s */
    CHECK_EQ(t.client.counts.requests, 4);
}

static void silence_ends_a_question_by_datagrams(void) {
    simple();
    t.config.udp = true;
    t.is_silent = true;
    test_run();
    CHECK_EQ(t.end, LB_ISNS_FAILED);
    CHECK_EQ(lb_isns_client_error(&t.client)->code, LB_E_ISNS_TIMEOUT);
    CHECK_EQ(t.datagrams, 4);
    CHECK_EQ(t.closes, 0);
}

/* ---- size ---- */

static void many(size_t count, uint32_t type, bool in_our_list) {
    char name[64];
    uint32_t domain = lb_isns_server_add_domain(&t.server, 1000, "many", 0);
    lb_isns_server_add_member(&t.server, domain, ME);
    uint32_t entity = lb_isns_server_add_entity(&t.server, "many", LB_NEVER);
    lb_isns_server_add_portal(&t.server, entity, test_at(200, 3260));
    for (unsigned i = 0; i < count; i++) {
        lb_format(name, sizeof name, "iqn.2001-04.com.example:other.%u", i);
        lb_isns_server_add_node(&t.server, entity, name, type, "");
        lb_isns_server_add_member(&t.server, in_our_list ? 0 : domain, name);
    }
}

static void others_targets_cost_nothing(void) {
    uint64_t bytes[2];
    unsigned requests[2];
    for (unsigned i = 0; i < 2; i++) {
        simple();
        if (i == 1)
            many(TARGETS, LB_ISNS_TARGET, false);
        test_run();
        found_simple();
        bytes[i] = t.client.counts.answer_bytes;
        requests[i] = t.client.counts.requests;
    }
    /* The other domain, with its 10,000 targets, costs one question about its features. */
    CHECK_EQ(requests[1], requests[0] + 1);
    CHECK(bytes[1] < bytes[0] + 60);
    tap_note("%u bytes of answers with 1 target, %u with 10,001", (unsigned)bytes[0],
             (unsigned)bytes[1]);
    test_target(TARGET);
    t.found_count = 0;
    test_run();
    found_simple();
    CHECK_EQ(t.client.counts.requests, 1);
    CHECK(t.client.counts.answer_bytes < 200);
}

static void a_boot_list_of_ten_thousand_ends_in_what_can_be_tried(void) {
    test_server((struct lb_isns_server_config){0});
    test_domain(7, LB_ISNS_BOOT_LIST, ME, NULL);
    many(TARGETS, LB_ISNS_TARGET, true);
    test_run();
    CHECK_EQ(t.end, LB_ISNS_DONE);
    CHECK(t.found_count >= LB_ISNS_TARGETS_MAX);
    CHECK_EQ(t.client.counts.members, TARGETS);
    CHECK_EQ(t.client.counts.found + t.client.counts.dropped, TARGETS);
    tap_note("%u found, %u dropped, %u requests, %u bytes of answers, %u bytes of memory",
             t.client.counts.found, (unsigned)t.client.counts.dropped, t.client.counts.requests,
             (unsigned)t.client.counts.answer_bytes, (unsigned)sizeof t.client);
}

static void one_target_among_two_thousand_initiators_is_found(void) {
    test_server((struct lb_isns_server_config){0});
    test_domain(7, LB_ISNS_BOOT_LIST, ME, NULL);
    many(2000, LB_ISNS_INITIATOR, true);
    test_node(TARGET, LB_ISNS_TARGET, 1);
    lb_isns_server_add_member(&t.server, 0, TARGET);
    test_run();
    found_simple();
    CHECK_EQ(t.client.counts.not_targets, 2000);
    CHECK_EQ(t.client.counts.dropped, 0);
    tap_note("%u requests, %u bytes of answers", t.client.counts.requests,
             (unsigned)t.client.counts.answer_bytes);
}

static void more_domains_than_there_is_room_for_are_counted(void) {
    test_server((struct lb_isns_server_config){0});
    for (uint32_t i = 1; i <= 80; i++)
        test_domain(i, LB_ISNS_BOOT_LIST, ME, NULL);
    test_run();
    CHECK_EQ(t.end, LB_ISNS_DONE);
    CHECK_EQ(t.client.counts.domains, LB_ISNS_DOMAINS_MAX);
    CHECK_EQ(t.client.counts.dropped, 80 - LB_ISNS_DOMAINS_MAX);
    CHECK_HAS(test_explain(), "16 left out");
}

int main(void) {
    TEST(a_target_is_found_by_name);
    TEST(a_boot_list_is_found_by_its_domain);
    TEST(any_split_of_the_answers_gives_the_same);
    TEST(attributes_may_lie_across_pdus_anywhere);
    TEST(what_is_in_no_boot_list_is_not_booted);
    TEST(a_person_who_looks_sees_the_other_domains_too);
    TEST(a_target_of_two_domains_is_given_once);
    TEST(a_source_that_shares_no_domain_finds_nothing_and_says_so);
    TEST(a_disabled_domain_is_not_seen);
    TEST(initiators_and_unregistered_names_in_a_boot_list_are_passed_over);
    TEST(every_portal_of_a_target_is_given_in_the_servers_order);
    TEST(portal_group_tags_are_given_and_null_bars_a_portal);
    TEST(a_portal_of_udp_is_none_for_iscsi);
    TEST(alias_and_security_come_with_the_portal);
    TEST(a_server_that_demands_registration_gets_one);
    TEST(who_finds_nothing_takes_its_registration_along);
    TEST(without_leave_to_register_the_servers_demand_is_the_failure);
    TEST(who_always_registers_does_so_first);
    TEST(a_busy_server_is_asked_again_after_a_pause);
    TEST(a_server_that_stays_busy_is_given_up);
    TEST(a_server_that_closes_after_each_answer_is_asked_on);
    TEST(an_answer_cut_off_anywhere_is_asked_for_again);
    TEST(a_server_that_never_lets_finish_is_given_up);
    TEST(nobody_listens);
    TEST(a_silent_server_is_given_up);
    TEST(everything_is_found_by_datagrams_too);
    TEST(lost_datagrams_are_sent_again);
    TEST(silence_ends_a_question_by_datagrams);
    TEST(others_targets_cost_nothing);
    TEST(a_boot_list_of_ten_thousand_ends_in_what_can_be_tried);
    TEST(one_target_among_two_thousand_initiators_is_found);
    TEST(more_domains_than_there_is_room_for_are_counted);
    return tap_done();
}
