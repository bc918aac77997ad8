/* The Discovery stage: the disk is found by SLP and iSNS, tried in turn, and an empty end is
 * explained. */
#include "core/boot/test_boot_discovery.h"

#define OTHER               "iqn.2026-11.test:other"
#define URL(x)              "service:iscsi:target://192.0.2." x "/" HOST_TARGET
#define IS_OURS             "(iscsi-name=" HOST_TARGET "),(portal-group=1)"
#define NO_SERVER_ROOT_PATH "iscsi:::::" HOST_TARGET

/* The Root Path has the target's name alone. */
static void named(void) {
    world_init();
    host_offers(NO_SERVER_ROOT_PATH);
}

static void with_isns(void) {
    host_set("isns-server", "192.0.2.9");
    world_node(HOST_TARGET, 1, 0);
    world_domain(7, LB_ISNS_BOOT_LIST, HOST_TARGET);
}

static void with_slp(void) {
    world_service(20, LB_SLP_TYPE_TARGET, URL("1"), IS_OURS);
}

static void check_found(const char *source) {
    CHECK_STR(lb_boot_target(&host.boot)->target, HOST_TARGET);
    CHECK_STR(lb_endpoint_text(host.connects[host.connect_count - 1]).s, "192.0.2.1:3260");
    CHECK_STR(host_fact("target").source, source);
    CHECK_EQ(host_steps_running(), 0);
    CHECK(!world.isns_open);
}

/* What the iBFT says; zero: nobody. */
static void check_servers(uint8_t isns, uint8_t slp) {
    struct lb_boot_servers servers = lb_boot_servers(&host.boot);
    CHECK(isns == 0 ? !lb_addr_is_set(servers.isns)
                    : lb_addr_equal(servers.isns, v4(192, 0, 2, isns)));
    CHECK(slp == 0 ? !lb_addr_is_set(servers.slp) : lb_addr_equal(servers.slp, v4(192, 0, 2, slp)));
}

/* ---- by name -------------------------------------------------------------------------------- */

static void a_target_is_found_by_its_name_through_isns(void) {
    named();
    with_isns();
    if (host_boots())
        check_found("iSNS server 192.0.2.9");
    check_servers(9, 0);
}

static void a_target_is_found_by_its_name_through_slp(void) {
    named();
    with_slp();
    if (!host_boots())
        return;
    check_found("SLP agent 192.0.2.20");
    check_servers(0, 20);
    CHECK_EQ(world.isns_connects, 0);
}

static void the_first_answer_is_enough(void) {
    named();
    with_slp();
    with_isns();
    world.isns_answer = IS_SILENT;
    uint64_t start = host.now;
    if (!host_boots())
        return;
    check_found("SLP agent 192.0.2.20");
    CHECK(host.now - start < 2 * SEC); /* DHCP's probing; nobody else was waited for */
}

static void a_server_of_option_83_is_asked(void) {
    static const uint8_t option[] = {83, 14, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 192, 0, 2, 9};
    named();
    with_isns();
    memset(&host.config.source[LB_KEY_ISNS_SERVER], 0, 1);
    host.dhcp[0].config.options = lb_bytes(option, sizeof option);
    if (host_boots())
        check_found("iSNS server 192.0.2.9");
    CHECK_STR(host_fact("isns-server").source, "DHCP option 83");
}

static void a_backup_of_option_83_that_is_zero_is_none(void) {
    static const uint8_t option[] = {83, 18, 0,   1, 0, 0, 0, 0, 0, 0,
                                     0,  0,  192, 0, 2, 9, 0, 0, 0, 0};
    named();
    with_isns();
    memset(&host.config.source[LB_KEY_ISNS_SERVER], 0, 1);
    host.dhcp[0].config.options = lb_bytes(option, sizeof option);
    CHECK(host_boots());
    CHECK_EQ(host.boot.finder.isns_count, 1);
    CHECK_STR(host_fact("isns-server").value, "192.0.2.9:3205");
}

static void a_server_that_slp_knows_is_asked(void) {
    named();
    with_isns();
    memset(&host.config.source[LB_KEY_ISNS_SERVER], 0, 1);
    world_service(21, LB_SLP_TYPE_SMS, "service:iscsi:sms://192.0.2.9", "(protocols=isns)");
    if (host_boots())
        check_found("iSNS server 192.0.2.9");
    CHECK_STR(host_fact("isns-server").source, "SLP agent 192.0.2.21");
    check_servers(9, 21);
}

static void no_server_of_discovery_stands_beside_a_disk_that_was_named(void) {
    world_init();
    host_offers(HOST_ROOT_PATH);
    with_isns();
    with_slp();
    CHECK(host_boots());
    check_servers(0, 0);
}

static void the_second_server_is_asked_when_the_first_does_not_answer(void) {
    named();
    with_isns();
    host_set("isns-server", "192.0.2.8,192.0.2.9:3205");
    if (host_boots())
        check_found("iSNS server 192.0.2.9");
    CHECK_EQ(world.isns_connects, 2);
}

/* IPv6 has an address at once, and IPv4 after that time. */
static void isns_over_late_ipv4(uint64_t late_us) {
    world_init();
    with_isns();
    host_ipv6();
    host.ra.managed = host.ra.other = false;
    host_dhcp6_is_silent();
    host_offers("");
    host_set("discovery", "isns");
    host.dhcp_us[0] = late_us / 2;
}

static void a_server_waits_for_an_address_of_its_family(void) {
    isns_over_late_ipv4(3 * SEC);
    if (!host_boots())
        return;
    CHECK_EQ(world.isns_connects, 1);
    CHECK_EQ(host.boot.attempts.begun, 1);
}

/* The server of IPv6 names a portal of IPv4. */
static void a_portal_waits_for_an_address_of_its_family(void) {
    isns_over_late_ipv4(3 * SEC);
    world.isns_at.addr = v6("2001:db8::9");
    host_set("isns-server", "[2001:db8::9]:3205");
    uint64_t start = host.now;
    if (!host_boots())
        return;
    CHECK(host.now - start >= 3 * SEC);
    CHECK_EQ(world.isns_connects, 1);
    CHECK_EQ(host.boot.attempts.begun, 1);
    CHECK_EQ(host.boot.candidates.tries, 1);
}

static void what_could_not_be_asked_is_asked_when_that_family_has_come(void) {
    isns_over_late_ipv4(16 * SEC); /* by then an attempt has failed */
    host_set("attempts", "9");
    uint64_t start = host.now;
    if (host_boots())
        CHECK(host.now - start < 20 * SEC);
}

static void discovery_asks_again_with_a_family_that_came_meanwhile(void) {
    isns_over_late_ipv4(9 * SEC);
    host_set("discovery", "isns,slp");
    host_set("trust-open-slp", "yes"); /* which takes its time */
    if (host_boots())
        CHECK_EQ(host.boot.attempts.begun, 1);
}

static void the_server_may_be_given_by_its_name(void) {
    named();
    with_isns();
    host_set("isns-server", "isns.example.com:3205");
    host.resolved[0] = v4(192, 0, 2, 9);
    if (host_boots())
        check_found("iSNS server 192.0.2.9");
    CHECK_STR(host.name, "isns.example.com");
}

static void a_server_whose_name_does_not_resolve_is_told_as_that(void) {
    named();
    with_isns();
    host_set("isns-server", "isns.example.com");
    host_set("discovery", "isns");
    host.resolved_count = 0;
    host_fails(LB_E_RESOLVE, "iSNS server isns.example.com");
    CHECK_HAS(host_fact("asked").value, "isns.example.com: does not resolve");
}

static void a_name_that_resolves_to_loopback_is_not_believed(void) {
    named();
    world_service(21, LB_SLP_TYPE_SMS, "service:iscsi:sms://isns.example.com", "(protocols=isns)");
    host.resolved[0] = v4(127, 0, 0, 1);
    host_fails(LB_E_RESOLVE, "isns.example.com");
    CHECK_EQ(world.isns_connects, 0);
}

static void a_portal_may_be_given_by_its_name(void) {
    named();
    world_service(20, LB_SLP_TYPE_TARGET,
                  "service:iscsi:target://san.example.com:3260/" HOST_TARGET, IS_OURS);
    if (host_boots())
        check_found("SLP agent 192.0.2.20");
    CHECK_STR(host.name, "san.example.com");
}

static void an_agent_that_answers_another_question_is_not_believed(void) {
    named();
    world_service(20, LB_SLP_TYPE_TARGET, "service:iscsi:target://192.0.2.66/" OTHER, IS_OURS);
    with_slp();
    world.services[1].delay_us = SEC;
    if (host_boots())
        check_found("SLP agent 192.0.2.20");
    CHECK_EQ(host.connect_count, 1);
}

static void the_name_is_compared_after_it_was_normalised(void) {
    world_init();
    host_offers("iscsi:::::iqn.2026-11.TEST:Disk");
    with_slp();
    if (host_boots())
        check_found("SLP agent 192.0.2.20");
}

static void a_target_for_somebody_else_is_not_tried(void) {
    named();
    world_service(20, LB_SLP_TYPE_TARGET, URL("1") "/iqn.2026-11.test:somebody", IS_OURS);
    host_fails(LB_E_NOT_OFFERED, "for iqn.2026-11.test:somebody");
    CHECK_EQ(host.connect_count, 0);
}

/* ---- in turn -------------------------------------------------------------------------------- */

static void dead_portals(enum answer first) {
    named();
    host_set("isns-server", "192.0.2.9");
    host_set("discovery", "isns");
    world_node(HOST_TARGET, 1, 3);
    world_domain(7, 0, HOST_TARGET);
    host_portal(1, v4(192, 0, 2, 3), 3260);
    for (size_t i = 0; i < 2; i++)
        host.portals[i].answer = first;
}

static void when_a_portal_is_dead_the_next_one_boots(void) {
    for (unsigned dead = 0; dead < 2; dead++) {
        dead_portals(ACCEPTS);
        host.portals[dead].answer = REFUSES;
        host.setup.seed[1] = (uint8_t)dead;
        if (!host_boots())
            return;
        CHECK_EQ(host.boot.attempts.begun, 1);
        CHECK(host.connects[host.connect_count - 1].addr.bytes[3] == (dead == 0 ? 3 : 1));
    }
}

static void a_dead_portal_does_not_cost_the_whole_timeout(void) {
    unsigned waited = 0;
    for (unsigned seed = 0; seed < 8; seed++) {
        dead_portals(ACCEPTS);
        host.portals[1].answer = IS_SILENT;
        host.setup.seed[1] = (uint8_t)seed;
        host_set("connect-timeout", "30s");
        uint64_t start = host.now;
        if (!host_boots())
            return;
        waited += host.connect_count == 2;
        CHECK(host.now - start < 4 * SEC);
    }
    CHECK(waited > 0 && waited < 8); /* by chance */
}

static void the_last_portal_has_the_whole_timeout(void) {
    dead_portals(IS_SILENT);
    uint64_t start = host.now;
    host_fails(LB_E_CONNECT_TIMEOUT, "connect-timeout");
    CHECK(host.now - start >= 7 * SEC); /* 2 s and 5 s */
    CHECK_EQ(host.connect_count, 2);
    CHECK_HAS(host_error()->facts, "192.0.2.1:3260");
    CHECK_HAS(host_error()->facts, "192.0.2.3:3260");
}

static void each_portal_has_its_steps(void) {
    unsigned failed = 0;
    dead_portals(REFUSES);
    host_fails(LB_E_CONNECT_REFUSED, "");
    const struct lb_report *report = lb_boot_report(&host.boot);
    for (size_t i = 0; i < report->step_count; i++)
        failed += report->steps[i].stage == LB_STAGE_CONNECT &&
                  report->steps[i].outcome == LB_DONE_FAILED;
    CHECK_EQ(failed, 2);
    CHECK_EQ(host_steps_running(), 0);
}

static void an_answer_that_comes_later_is_tried_when_the_first_has_failed(void) {
    named();
    world_service(20, LB_SLP_TYPE_TARGET, URL("66"), IS_OURS);
    world_service(21, LB_SLP_TYPE_TARGET, URL("1"), IS_OURS);
    world.services[1].delay_us = SEC;
    if (!host_boots())
        return;
    check_found("SLP agent 192.0.2.21");
    CHECK_EQ(host.connect_count, 2);
    CHECK_EQ(host.boot.attempts.begun, 1);
}

static void a_dead_portal_is_left_when_another_is_heard_of(void) {
    named();
    world_service(20, LB_SLP_TYPE_TARGET, URL("3"), IS_OURS);
    world_service(21, LB_SLP_TYPE_TARGET, URL("1"), IS_OURS);
    world.services[1].delay_us = SEC;
    host_portal(1, v4(192, 0, 2, 3), 3260);
    host.portals[1].answer = IS_SILENT;
    host_set("connect-timeout", "30s");
    uint64_t start = host.now;
    if (host_boots())
        check_found("SLP agent 192.0.2.21");
    CHECK(host.now - start >= 2 * SEC && host.now - start < 4 * SEC);
}

static void a_slow_portal_has_its_time_while_it_is_the_only_one(void) {
    named();
    with_slp();
    host.portals[0].answer = IS_SILENT;
    uint64_t start = host.now;
    host_begin();
    CHECK(host_until(LB_BOOT_CONNECT));
    host_ends(LB_E_CONNECT_TIMEOUT, "192.0.2.1:3260");
    CHECK_EQ(host.connect_count, 1);
    CHECK(host.now - start >= 5 * SEC);
}

static void each_attempt_asks_anew(void) {
    dead_portals(REFUSES);
    host_set("attempts", "3");
    host_begin();
    CHECK(host_until(LB_BOOT_CONNECT));
    host_ends(LB_E_CONNECT_REFUSED, "");
    CHECK_EQ(host.boot.attempts.begun, 3);
    CHECK_EQ(world.isns_connects, 3);
    CHECK_EQ(host.connect_count, 6);
}

static void the_ports_of_root_path_and_service_are_both_tried(void) {
    world_init();
    host_offers("iscsi:::3261::" HOST_TARGET);
    with_slp();
    host_portal(0, v4(192, 0, 2, 1), 3261);
    if (!host_boots())
        return;
    CHECK_EQ(host.connect_count, 2);
    CHECK_STR(lb_endpoint_text(host.connects[0]).s, "192.0.2.1:3260");
    CHECK_STR(lb_endpoint_text(host.connects[1]).s, "192.0.2.1:3261");
}

/* ---- with nothing but our own name ---------------------------------------------------------- */

static void the_boot_list_of_isns_is_booted(void) {
    world_init();
    with_isns();
    if (!host_boots())
        return;
    check_found("iSNS server 192.0.2.9");
    CHECK_EQ(world.slp_sent[LB_BOOT_SLOT_SLP4], 0); /* there is nothing to ask it */
}

static void what_is_in_no_boot_list_is_not_booted(void) {
    world_init();
    host_set("isns-server", "192.0.2.9");
    world_node(HOST_TARGET, 1, 0);
    world_domain(7, 0, HOST_TARGET);
    host_fails(LB_E_DISCOVERY_EMPTY, "boot list");
    CHECK_HAS(host_error()->facts, "iSNS server 192.0.2.9:3205");
    CHECK_EQ(host.connect_count, 0);
}

static void open_slp_is_not_asked_what_to_boot(void) {
    world_init();
    world_service(20, LB_SLP_TYPE_TARGET, URL("1"), IS_OURS ",(boot-list=any),(auth-name=any)");
    host_fails(LB_E_NO_ROOT_PATH, "192.0.2.2");
    CHECK_EQ(host.connect_count, 0);
    CHECK_HAS(world.last_predicate, "protocols=isns");
}

static void it_is_where_a_person_trusts_it_and_the_report_says_so(void) {
    world_init();
    host_set("trust-open-slp", "yes");
    world_service(20, LB_SLP_TYPE_TARGET, URL("1"), IS_OURS ",(boot-list=" WORLD_ME ")");
    if (!host_boots())
        return;
    check_found("SLP agent 192.0.2.20");
    CHECK_HAS(host_fact("trust-open-slp").value, "without proof");
    CHECK_STR(host_fact("trust-open-slp").source, "command line");
}

static void what_lets_us_in_is_asked_for_when_nothing_is_named_for_booting(void) {
    world_init();
    host_set("trust-open-slp", "yes");
    world_service(20, LB_SLP_TYPE_TARGET, URL("1"), IS_OURS ",(auth-name=any)");
    if (host_boots())
        check_found("SLP agent 192.0.2.20");
}

static void everything_is_asked_for_where_a_person_said_what_may_be_used(void) {
    world_init();
    host_set("allow-target", HOST_TARGET);
    world_service(20, LB_SLP_TYPE_TARGET, "service:iscsi:target://192.0.2.1/" OTHER,
                  "(iscsi-name=" OTHER ")");
    world_service(21, LB_SLP_TYPE_TARGET, URL("1"), IS_OURS);
    if (host_boots())
        check_found("SLP agent 192.0.2.21");
}

static void a_family_of_targets_is_not_a_word_about_this_machine(void) {
    world_init();
    host_set("allow-target", "iqn.2026-11.test:*");
    host_set("isns-server", "192.0.2.9");
    world_node(HOST_TARGET, 1, 0);
    world_domain(7, 0, HOST_TARGET); /* in no boot list */
    world_service(21, LB_SLP_TYPE_TARGET, URL("1"), IS_OURS);
    host_fails(LB_E_DISCOVERY_EMPTY, "boot list");
    CHECK_EQ(host.connect_count, 0);
}

/* ---- policy --------------------------------------------------------------------------------- */

static void what_is_found_has_to_be_allowed(void) {
    named();
    with_slp();
    host_set("allow-server", "198.51.100.0/24");
    host_fails(LB_E_SERVER_NOT_ALLOWED, "192.0.2.1:3260 for " HOST_TARGET ", named by SLP agent");
    CHECK_EQ(host.connect_count, 0);
}

static void loopback_is_not_believed(void) {
    named();
    world_service(20, LB_SLP_TYPE_TARGET, "service:iscsi:target://127.0.0.1/" HOST_TARGET, IS_OURS);
    world_service(21, LB_SLP_TYPE_SMS, "service:iscsi:sms://127.0.0.1", "(protocols=isns)");
    host_fails(LB_E_SERVER_NOT_ALLOWED, "127.0.0.1");
    CHECK_EQ(host.connect_count, 0);
    CHECK_EQ(world.isns_connects, 0);
}

/* ---- empty ends ----------------------------------------------------------------------------- */

static void silence_is_told_with_whom_was_asked(void) {
    named();
    host_fails(LB_E_NO_SERVER, HOST_TARGET ", named by DHCP server 192.0.2.2");
    CHECK_HAS(host_error()->facts, "SLP (by target) over IPv4: no answer");
    CHECK_HAS(host_error()->facts, "SLP (iSNS servers) over IPv4: no answer");
    CHECK_HAS(host_fact("asked").value, "everybody by IPv4 multicast");
    CHECK_EQ(host_last_step(LB_STAGE_DISCOVERY).outcome, LB_DONE_FAILED);
    CHECK_EQ(host_steps_running(), 0);
}

static void silence_takes_no_longer_than_it_may(void) {
    named();
    host_set("discovery-timeout", "3s");
    uint64_t start = host.now;
    host_fails(LB_E_NO_SERVER, "");
    CHECK(host.now - start < 5 * SEC);
    CHECK_EQ(host_steps_running(), 0);
}

static void a_directory_that_knows_nothing_is_told_as_that(void) {
    named();
    host_set("isns-server", "192.0.2.9");
    host_fails(LB_E_DISCOVERY_EMPTY, "iSNS server 192.0.2.9:3205");
}

static void a_server_that_was_named_and_is_silent_is_told_as_that(void) {
    named();
    host_set("isns-server", "192.0.2.9");
    host_set("discovery", "isns");
    world.isns_answer = REFUSES;
    host_set("attempts", "2");
    host_fails(LB_E_ISNS_CONNECT, "192.0.2.9");
    CHECK_EQ(host.boot.attempts.begun, 2);
}

static void directory_agents_that_were_named_and_are_silent_are_told_as_that(void) {
    named();
    host_set("slp-agent", "192.0.2.30");
    host_set("discovery", "slp");
    host_fails(LB_E_DISCOVERY_SILENT, "192.0.2.30");
}

static void discovery_that_is_off_asks_nobody(void) {
    named();
    with_isns();
    with_slp();
    host_set("discovery", "off");
    host_fails(LB_E_NO_SERVER, HOST_TARGET);
    CHECK_EQ(world.isns_connects, 0);
    CHECK_EQ(world.slp_sent[LB_BOOT_SLOT_SLP4], 0);
}

static void one_service_alone_may_be_chosen(void) {
    named();
    with_isns();
    with_slp();
    host_set("discovery", "isns");
    host_boots();
    CHECK_EQ(world.slp_sent[LB_BOOT_SLOT_SLP4], 0);
}

static void a_stop_in_the_middle_is_an_end(void) {
    named();
    host_begin();
    CHECK(host_until(LB_BOOT_SET_ADDRESS));
    host_pass(SEC);
    lb_boot_stop(&host.boot, host.now, true);
    host_until(LB_BOOT_OUT);
    CHECK_EQ(host.seen[LB_BOOT_OUT], 1);
    CHECK_EQ(host_steps_running(), 0);
}

/* ---- looking around ------------------------------------------------------------------------- */

static void explore(void) {
    world_init();
    memset(&host.config, 0, sizeof host.config); /* not enabled: nothing is booted */
    host.setup.goal = LB_GOAL_DISCOVER;
    host.setup.network_is_up = true;
    host.setup.interface = NULL;
}

static void a_person_who_looks_sees_all_and_what_would_be_booted(void) {
    size_t count, dropped;
    explore();
    with_isns();
    world_service(20, LB_SLP_TYPE_TARGET, "service:iscsi:target://192.0.2.5/" OTHER,
                  "(iscsi-name=" OTHER ")");
    host_boots();
    const struct lb_candidate *candidates = lb_boot_candidates(&host.boot, &count, &dropped);
    if (!CHECK_EQ(count, 2))
        return;
    CHECK_STR(candidates[0].at.target, HOST_TARGET);
    CHECK_EQ(candidates[0].refused, LB_OK);
    CHECK(candidates[0].boot_list);
    CHECK_STR(candidates[1].at.target, OTHER);
    CHECK_EQ(candidates[1].refused, LB_E_NOT_OFFERED);
    CHECK_EQ(host.connect_count, 0);
    CHECK_EQ(host_steps_running(), 0);
}

static void a_person_who_looks_where_nobody_is_hears_whom_was_asked(void) {
    explore();
    host_set("attempts", "1");
    host_fails(LB_E_DISCOVERY_SILENT, "SLP (everything) over IPv4: no answer");
}

static const uint8_t option83[] = {83, 14, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 192, 0, 2, 9};

static void offers_are_asked_for_and_none_is_taken(void) {
    size_t count, dropped;
    explore();
    host.setup.interface = "net0";
    with_isns();
    memset(&host.config, 0, sizeof host.config);
    host.dhcp[0].config.options = lb_bytes(option83, sizeof option83);
    host_offers("iscsi:192.0.2.5:::1:" OTHER);
    host_boots();
    const struct lb_candidate *candidates = lb_boot_candidates(&host.boot, &count, &dropped);
    if (CHECK_EQ(count, 1)) /* the Root Path names it: nobody has to be asked for more */
        CHECK_STR(candidates[0].at.target, OTHER);
    CHECK_EQ(host.dhcp_sent[LB_DHCP4_REQUEST], 0);
    CHECK_EQ(host.seen[LB_BOOT_SET_ADDRESS], 0);
    host_offers("");
    host_begin();
    CHECK(host_until(LB_BOOT_READY));
    candidates = lb_boot_candidates(&host.boot, &count, &dropped);
    if (CHECK_EQ(count, 1))
        CHECK_STR(candidates[0].source, "iSNS server 192.0.2.9");
}

static void who_looks_around_leaves_no_registration_behind(void) {
    size_t count, dropped;
    explore();
    host_set("isns-server", "192.0.2.9");
    host_set("isns-register", "always");
    world_node(HOST_TARGET, 1, 0);
    world_domain(7, LB_ISNS_BOOT_LIST, HOST_TARGET);
    host_boots();
    lb_boot_candidates(&host.boot, &count, &dropped);
    CHECK_EQ(count, 1);
    CHECK(lb_isns_server_find_node(&world.isns, HOST_TARGET) != LB_ISNS_NONE);
    CHECK_EQ(lb_isns_server_find_node(&world.isns, WORLD_ME), LB_ISNS_NONE);
    CHECK(!world.isns_open);
}

static void a_boot_keeps_its_registration_for_the_operating_system(void) {
    world_init();
    with_isns();
    host_set("isns-register", "always");
    host_boots();
    CHECK(lb_isns_server_find_node(&world.isns, WORLD_ME) != LB_ISNS_NONE);
}

static void who_looks_around_needs_no_dhcp_server(void) {
    explore();
    host.setup.interface = "net0";
    with_isns();
    host_dhcp_is_silent();
    uint64_t start = host.now;
    host_boots();
    CHECK(host.now - start < 15 * SEC);
    CHECK_EQ(host_steps_running(), 0);
}

int main(void) {
    TEST(a_target_is_found_by_its_name_through_isns);
    TEST(a_target_is_found_by_its_name_through_slp);
    TEST(the_first_answer_is_enough);
    TEST(a_server_of_option_83_is_asked);
    TEST(a_backup_of_option_83_that_is_zero_is_none);
    TEST(a_server_that_slp_knows_is_asked);
    TEST(no_server_of_discovery_stands_beside_a_disk_that_was_named);
    TEST(the_second_server_is_asked_when_the_first_does_not_answer);
    TEST(a_server_waits_for_an_address_of_its_family);
    TEST(what_could_not_be_asked_is_asked_when_that_family_has_come);
    TEST(discovery_asks_again_with_a_family_that_came_meanwhile);
    TEST(the_server_may_be_given_by_its_name);
    TEST(a_server_whose_name_does_not_resolve_is_told_as_that);
    TEST(a_name_that_resolves_to_loopback_is_not_believed);
    TEST(a_portal_may_be_given_by_its_name);
    TEST(an_agent_that_answers_another_question_is_not_believed);
    TEST(the_name_is_compared_after_it_was_normalised);
    TEST(a_target_for_somebody_else_is_not_tried);
    TEST(when_a_portal_is_dead_the_next_one_boots);
    TEST(a_dead_portal_does_not_cost_the_whole_timeout);
    TEST(the_last_portal_has_the_whole_timeout);
    TEST(each_portal_has_its_steps);
    TEST(an_answer_that_comes_later_is_tried_when_the_first_has_failed);
    TEST(a_dead_portal_is_left_when_another_is_heard_of);
    TEST(a_slow_portal_has_its_time_while_it_is_the_only_one);
    TEST(each_attempt_asks_anew);
    TEST(the_ports_of_root_path_and_service_are_both_tried);
    TEST(the_boot_list_of_isns_is_booted);
    TEST(what_is_in_no_boot_list_is_not_booted);
    TEST(open_slp_is_not_asked_what_to_boot);
    TEST(it_is_where_a_person_trusts_it_and_the_report_says_so);
    TEST(what_lets_us_in_is_asked_for_when_nothing_is_named_for_booting);
    TEST(everything_is_asked_for_where_a_person_said_what_may_be_used);
    TEST(a_family_of_targets_is_not_a_word_about_this_machine);
    TEST(what_is_found_has_to_be_allowed);
    TEST(loopback_is_not_believed);
    TEST(silence_is_told_with_whom_was_asked);
    TEST(silence_takes_no_longer_than_it_may);
    TEST(a_directory_that_knows_nothing_is_told_as_that);
    TEST(a_server_that_was_named_and_is_silent_is_told_as_that);
    TEST(directory_agents_that_were_named_and_are_silent_are_told_as_that);
    TEST(discovery_that_is_off_asks_nobody);
    TEST(one_service_alone_may_be_chosen);
    TEST(a_stop_in_the_middle_is_an_end);
    TEST(a_person_who_looks_sees_all_and_what_would_be_booted);
    TEST(a_person_who_looks_where_nobody_is_hears_whom_was_asked);
    TEST(offers_are_asked_for_and_none_is_taken);
    TEST(who_looks_around_leaves_no_registration_behind);
    TEST(a_boot_keeps_its_registration_for_the_operating_system);
    TEST(who_looks_around_needs_no_dhcp_server);
    TEST(a_portal_waits_for_an_address_of_its_family);
    return tap_done();
}
