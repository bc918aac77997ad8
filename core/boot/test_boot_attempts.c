/* Further attempts: which failures are worth one, the pauses between them, what is asked anew, and
 * how the end is told. Then the dry run. */
#include "core/boot/test_boot_host.h"

/* ---- what may pass -------------------------------------------------------------------------- */

static struct portal *portal(void) {
    return &host.portals[0];
}

static void refusing(void) {
    portal()->answer = REFUSES;
}

static void silent(void) {
    portal()->answer = IS_SILENT;
}

static void unreachable(void) {
    portal()->answer = IS_UNREACHABLE;
}

static void nameless(void) {
    host_offers("iscsi:storage.example.com:::1:" HOST_TARGET);
    host.resolved_count = 0;
}

static void out_of_resources(void) {
    portal()->node.login_status = LB_LOGIN_NO_RESOURCES;
}

static void becoming_ready(void) {
    portal()->units[1].state = LB_SCSI_UNIT_BECOMING_READY;
    host_set("ready-timeout", "2s");
}

static void unknown(void) {
    lb_text_copy(portal()->node.name, sizeof portal()->node.name,
                 lb_bytes_of_text("iqn.2026-11.test:other"));
}

static void not_authorised(void) {
    static const char *const others[] = {"iqn.2026-11.test:somebody"};
    portal()->node.initiators = others;
    portal()->node.initiator_count = 1;
}

static void removed(void) {
    portal()->node.login_status = LB_LOGIN_REMOVED;
}

static void without_lun(void) {
    portal()->node.luns[1] = NULL;
}

static void with_a_tape(void) {
    portal()->units[1].type = 1;
}

static void without_medium(void) {
    portal()->units[1].state = LB_SCSI_UNIT_NO_MEDIUM;
}

static void with_odd_blocks(void) {
    portal()->units[1].block_bytes = 520;
}

static void wanting_chap(void) {
    static const struct lb_target_account account = {.name = "me", .secret_len = 3};
    portal()->node.accounts = &account;
    portal()->node.account_count = 1;
}

static void in_a_loop(void) {
    portal()->node.login_status = LB_LOGIN_MOVED_TEMPORARILY;
    lb_text_copy(portal()->node.redirect, sizeof portal()->node.redirect,
                 lb_bytes_of_text("192.0.2.1:3260"));
}

struct failure {
    void (*arrange)(void);
    enum lb_code code;
    const char *facts;
};

/* One connection attempt, or one name asked for, is one attempt. */
static void check_once(const struct failure *failure, const char *attempts) {
    host_init();
    failure->arrange();
    host_set("attempts", attempts);
    if (!host_fails(failure->code, failure->facts))
        tap_note("%s", lb_code_word(failure->code));
    CHECK_EQ(host_steps_running(), 0);
    CHECK(host.peer == NULL);
}

static void what_may_pass_is_tried_again(void) {
    static const struct failure cases[] = {
        {refusing, LB_E_CONNECT_REFUSED, "192.0.2.1:3260"},
        {silent, LB_E_CONNECT_TIMEOUT, "192.0.2.1:3260"},
        {unreachable, LB_E_CONNECT_UNREACHABLE, "192.0.2.1:3260"},
        {nameless, LB_E_RESOLVE, "storage.example.com"},
        {out_of_resources, LB_E_TARGET_BUSY, "0x0302"},
        {becoming_ready, LB_E_NOT_READY, "04/01"},
        /* Storage that starts: its portal is there before its targets, access lists and LUNs. */
        {unknown, LB_E_TARGET_NOT_FOUND, HOST_TARGET},
        {not_authorised, LB_E_NOT_AUTHORISED, "iqn.2026-11.org.lunboot:mac:020000000001"},
        {without_lun, LB_E_LUN_MISSING, "LUN 1"},
        {without_medium, LB_E_NO_MEDIUM, "3a/00"},
    };
    for (size_t i = 0; i < LB_COUNT(cases); i++) {
        check_once(&cases[i], "3");
        CHECK_EQ(host.boot.attempts.begun, 3);
    }
}

/* After a power cut the steps of storage that starts take seconds each. */
static void while_storage_starts_the_pauses_stay_short(void) {
    host_init();
    unknown();
    host_begin();
    host_pass(100 * SEC);
    CHECK(host.boot.attempts.begun >= 20); /* 1, 2, 4, 4, 4, ... s, and up to a quarter more */
    host_pass(100 * SEC);
    uint64_t seen = host.boot.attempts.begun;
    CHECK(seen >= 30 && seen <= 36); /* then they grow */
    host_init();
    unknown();
    host_set("retry-delay", "20s");
    host_begin();
    host_pass(100 * SEC);
    CHECK(host.boot.attempts.begun <= 6);
}

static void what_needs_a_person_is_told_at_once(void) {
    static const struct failure cases[] = {
        {removed, LB_E_TARGET_REMOVED, "0x0204"},
        {wanting_chap, LB_E_AUTH_NEEDED, "0x0201"},
        {in_a_loop, LB_E_REDIRECT_LOOP, "192.0.2.1:3260"},
        {with_a_tape, LB_E_LUN_NOT_DISK, "type 01"},
        {with_odd_blocks, LB_E_BLOCK_SIZE, "520 bytes"},
    };
    for (size_t i = 0; i < LB_COUNT(cases); i++) {
        check_once(&cases[i], "5");
        CHECK_EQ(host.boot.attempts.begun, 1);
    }
}

static void every_address_of_a_name_is_tried_in_one_attempt(void) {
    host_init();
    host_offers("iscsi:storage.example.com:::1:" HOST_TARGET);
    host.resolved[0] = v4(192, 0, 2, 11);
    host.resolved[1] = v4(192, 0, 2, 12);
    host.resolved[2] = v4(192, 0, 2, 1);
    host.resolved_count = 3;
    host_boots();
    CHECK_EQ(host.boot.attempts.begun, 1);
    CHECK_EQ(host.connect_count, 3);
}

/* ---- pauses and limits ---------------------------------------------------------------------- */

static void the_pause_doubles_up_to_thirty_seconds(void) {
    uint64_t before = 0, pause_us = SEC;
    host_init();
    silent();
    host_set("connect-timeout", "100ms");
    host_set("retry-delay", "1s");
    host_set("retry-time", "300s");
    host_begin();
    for (unsigned i = 0; i < 9 && CHECK(host_until(LB_BOOT_CONNECT)); i++) {
        if (i > 0) { /* and up to a quarter more by chance */
            CHECK(host.connect_us - before >= pause_us + SEC / 10);
            CHECK(host.connect_us - before <= pause_us + pause_us / 4 + SEC / 10);
            pause_us = LB_MIN(2 * pause_us, 30 * SEC);
        }
        before = host.connect_us;
    }
}

static void machines_do_not_knock_in_step(void) {
    uint64_t at[2];
    for (unsigned i = 0; i < 2; i++) {
        host_init();
        refusing();
        host.setup.seed[1] = (uint8_t)(i + 1);
        host_begin();
        CHECK(host_until(LB_BOOT_CONNECT) && host_until(LB_BOOT_CONNECT));
        at[i] = host.connect_us;
    }
    CHECK(at[0] != at[1]);
}

static void attempts_are_a_limit(void) {
    static const char *const limits[] = {"1", "2", "4"};
    for (unsigned i = 0; i < LB_COUNT(limits); i++) {
        host_init();
        refusing();
        host_set("attempts", limits[i]);
        host_fails(LB_E_CONNECT_REFUSED, "");
        CHECK_EQ(host.connect_count, 1u << i);
    }
}

static void retry_time_is_a_limit_that_is_kept(void) {
    host_init();
    refusing();
    host_set("retry-time", "40s");
    uint64_t start = host.now;
    host_fails(LB_E_CONNECT_REFUSED, "");
    CHECK(host.now - start <= 40 * SEC);
    CHECK(host.now - start >= 10 * SEC);
}

static void without_retry_time_there_is_one_attempt(void) {
    host_init();
    refusing();
    host_set("retry-time", "0");
    host_fails(LB_E_CONNECT_REFUSED, "");
    CHECK_EQ(host.connect_count, 1);
}

static void a_target_that_comes_later_is_booted(void) {
    host_init();
    refusing();
    host_begin();
    host_pass(20 * SEC);
    portal()->answer = ACCEPTS;
    CHECK(host_until(LB_BOOT_READY));
    CHECK(lb_is_ok(host_error()));
    CHECK_EQ(host.dhcp_sent[LB_DHCP4_DISCOVER], 1); /* the lease was kept */
}

static void the_last_attempts_error_is_told(void) {
    host_init();
    refusing();
    host_set("attempts", "2");
    host_begin();
    CHECK(host_until(LB_BOOT_CONNECT));
    portal()->answer = ACCEPTS;
    unknown();
    host_ends(LB_E_TARGET_NOT_FOUND, HOST_TARGET);
}

/* ---- what is asked anew --------------------------------------------------------------------- */

static void a_root_path_that_was_corrected_is_used_by_the_next_attempt(void) {
    host_init();
    host_offers("iscsi:192.0.2.77:::1:" HOST_TARGET);
    host_begin();
    CHECK(host_until(LB_BOOT_CONNECT));
    host_offers(HOST_ROOT_PATH);
    CHECK(host_until(LB_BOOT_READY));
    CHECK_EQ(host.connect_count, 2);
    CHECK_EQ(host.boot.attempts.begun, 2);
    CHECK_EQ(host.dhcp_sent[LB_DHCP4_DISCOVER], 1); /* the lease was confirmed, and kept */
    CHECK_STR(host_fact("server").value, "192.0.2.1");
}

static void a_server_that_is_silent_then_leaves_us_the_old_answer(void) {
    host_init();
    refusing();
    host_begin();
    CHECK(host_until(LB_BOOT_CONNECT));
    host_dhcp_is_silent();
    host_pass(20 * SEC);
    portal()->answer = ACCEPTS;
    CHECK(host_until(LB_BOOT_READY));
    CHECK(host.has_address);
}

static void a_lease_that_is_refused_then_is_asked_for_anew(void) {
    host_init();
    refusing();
    host_begin();
    CHECK(host_until(LB_BOOT_CONNECT));
    lb_bindings_clear(&host.dhcp[0].table); /* the server has forgotten us */
    host.dhcp[0].config.first = host.dhcp[0].config.last = v4(192, 0, 2, 160);
    portal()->answer = ACCEPTS;
    CHECK(host_until(LB_BOOT_READY));
    CHECK_EQ(host.seen[LB_BOOT_CLEAR_ADDRESS], 1);
    CHECK_STR(lb_prefix_text(host.net.address).s, "192.0.2.160/24");
}

static void bootp_is_asked_in_each_attempt(void) {
    host_init();
    host.dhcp[0].config.bootp_only = true;
    host_offers("iscsi:192.0.2.77:::1:" HOST_TARGET);
    host_begin();
    CHECK(host_until(LB_BOOT_CONNECT));
    host_offers(HOST_ROOT_PATH);
    CHECK(host_until(LB_BOOT_READY));
    CHECK_EQ(host.dhcp_sent[LB_DHCP4_DISCOVER], 2);
}

static void a_bootp_server_that_is_silent_then_is_asked_again(void) {
    host_init();
    host.dhcp[0].config.bootp_only = true;
    refusing();
    host_set("dhcp-timeout", "20s");
    host_begin();
    CHECK(host_until(LB_BOOT_CONNECT));
    host_dhcp_is_silent();
    portal()->answer = ACCEPTS;
    host_pass(30 * SEC); /* the second attempt ends without an answer */
    memset(host.dhcp_hears, true, sizeof host.dhcp_hears);
    CHECK(host_until(LB_BOOT_READY));
}

static void a_configured_address_is_kept_and_nobody_asked(void) {
    host_init();
    refusing();
    host_set("address", "192.0.2.33/24");
    host_set("rootpath", HOST_ROOT_PATH);
    host_set("attempts", "3");
    host_fails(LB_E_CONNECT_REFUSED, "");
    CHECK_EQ(host.connect_count, 3);
    CHECK_EQ(host.seen[LB_BOOT_SET_ADDRESS], 1);
    CHECK_EQ(host.seen[LB_BOOT_SEND], 0);
}

/* ---- the report of all this ----------------------------------------------------------------- */

static void each_attempt_has_its_steps(void) {
    unsigned connects = 0;
    host_init();
    refusing();
    host_set("attempts", "3");
    host_fails(LB_E_CONNECT_REFUSED, "");
    const struct lb_report *report = lb_boot_report(&host.boot);
    for (size_t i = 0; i < report->step_count; i++)
        connects += report->steps[i].stage == LB_STAGE_CONNECT &&
                    report->steps[i].outcome == LB_DONE_FAILED;
    CHECK_EQ(connects, 3);
    CHECK_STR(host_last_step(LB_STAGE_CONNECT).note, "connect-refused");
    CHECK_EQ(report->error.code, LB_E_CONNECT_REFUSED);
}

static void a_boot_that_went_well_has_no_error(void) {
    host_init();
    if (!host_boots())
        return;
    CHECK(lb_is_ok(host_error()));
    CHECK_EQ(host_steps_running(), 0);
    CHECK_EQ(host_last_step(LB_STAGE_DISK).outcome, LB_DONE_OK);
    CHECK_HAS(host_fact("size").value, "2048 blocks of 512 bytes");
    CHECK_STR(host_fact("portal").value, "192.0.2.1:3260");
    CHECK_STR(host_fact("authentication").value, "none");
}

/* ---- the dry run ---------------------------------------------------------------------------- */

static void probe(bool with_network) {
    host_init();
    memset(&host.config, 0, sizeof host.config); /* not enabled: nothing is changed */
    host.setup.goal = LB_GOAL_PROBE;
    host.setup.network_is_up = with_network;
}

static void a_dry_run_takes_no_lease(void) {
    size_t count;
    probe(false);
    host_dhcp(1, host_dhcp_config(3, ""));
    host_begin();
    CHECK(host_until(LB_BOOT_OFFERS));
    const struct lb_dhcp4_lease *offers = lb_boot_offers(&host.boot, &count);
    CHECK_EQ(count, 2);
    CHECK_STR(lb_addr_text(offers[0].server).s, "192.0.2.2");
    host_pass(10 * SEC);
    CHECK_EQ(host.seen[LB_BOOT_OUT], 1);
    CHECK_EQ(host.dhcp_sent[LB_DHCP4_REQUEST], 0);
    CHECK_EQ(host.seen[LB_BOOT_SET_ADDRESS], 0);
    CHECK_EQ(host.seen[LB_BOOT_CONNECT], 0);
    CHECK(lb_is_ok(host_error()));
    CHECK_STR(lb_boot_target(&host.boot)->target, HOST_TARGET);
}

static void a_dry_run_goes_on_to_the_disk_where_there_is_a_network(void) {
    probe(true);
    host_begin();
    CHECK(host_until(LB_BOOT_OFFERS));
    CHECK(host_until(LB_BOOT_READY));
    CHECK_EQ(host.seen[LB_BOOT_SET_ADDRESS], 0);
}

static void a_dry_run_of_a_configured_disk_asks_no_dhcp_server(void) {
    probe(true);
    host.setup.interface = NULL;
    host_set("rootpath", HOST_ROOT_PATH);
    host_boots();
    CHECK_EQ(host.seen[LB_BOOT_SEND], 0);
}

static void a_dry_run_tells_of_a_bad_root_path(void) {
    probe(false);
    host_offers("iscsi:192.0.2.1:::0x1:" HOST_TARGET);
    host_fails(LB_E_ROOTPATH_LUN, "192.0.2.2");
    CHECK_EQ(host.seen[LB_BOOT_OFFERS], 1); /* and shows it */
}

static void a_server_is_asked_for_its_targets(void) {
    size_t count, dropped;
    probe(true);
    host.setup.goal = LB_GOAL_TARGETS;
    host.setup.interface = NULL;
    host_set("server", "192.0.2.1");
    host_set("allow-target", "iqn.2026-11.test:other"); /* what is listed is not used */
    host_boots();
    const struct lb_initiator_found *found = lb_boot_targets(&host.boot, &count, &dropped);
    if (CHECK_EQ(count, 1))
        CHECK_STR(found[0].target, HOST_TARGET);
    CHECK_EQ(dropped, 0);
    CHECK_EQ(host.seen[LB_BOOT_SEND], 0);
}

static void a_list_of_targets_needs_a_server(void) {
    probe(true);
    host.setup.goal = LB_GOAL_TARGETS;
    host.setup.interface = NULL;
    host_fails(LB_E_NO_ROOT_PATH, "configured");
}

static void a_dry_run_keeps_to_the_lists(void) {
    probe(true);
    host_set("allow-server", "198.51.100.1");
    host_fails(LB_E_SERVER_NOT_ALLOWED, "192.0.2.1");
}

static void a_dry_run_without_offers_says_so(void) {
    probe(false);
    host_dhcp_is_silent();
    host_set("attempts", "1");
    host_fails(LB_E_DHCP_NO_OFFER, "");
}

static void a_dry_run_that_hears_a_proxy_alone_says_so(void) {
    struct lb_dhcp4_server_config config = host_dhcp_config(2, HOST_ROOT_PATH);
    probe(false);
    config.proxy_only = true;
    host_dhcp(0, config);
    host_set("attempts", "1");
    host_fails(LB_E_DHCP_NO_OFFER, "only 192.0.2.2, a proxyDHCP server without addresses");
}

static void a_dry_run_asks_anew_in_each_attempt(void) {
    probe(true);
    refusing();
    host_set("attempts", "2");
    host_fails(LB_E_CONNECT_REFUSED, "");
    CHECK_EQ(host.dhcp_sent[LB_DHCP4_DISCOVER], 2);
}

int main(void) {
    TEST(what_may_pass_is_tried_again);
    TEST(while_storage_starts_the_pauses_stay_short);
    TEST(what_needs_a_person_is_told_at_once);
    TEST(every_address_of_a_name_is_tried_in_one_attempt);
    TEST(the_pause_doubles_up_to_thirty_seconds);
    TEST(machines_do_not_knock_in_step);
    TEST(attempts_are_a_limit);
    TEST(retry_time_is_a_limit_that_is_kept);
    TEST(without_retry_time_there_is_one_attempt);
    TEST(a_target_that_comes_later_is_booted);
    TEST(the_last_attempts_error_is_told);
    TEST(a_root_path_that_was_corrected_is_used_by_the_next_attempt);
    TEST(a_server_that_is_silent_then_leaves_us_the_old_answer);
    TEST(a_lease_that_is_refused_then_is_asked_for_anew);
    TEST(bootp_is_asked_in_each_attempt);
    TEST(a_bootp_server_that_is_silent_then_is_asked_again);
    TEST(a_configured_address_is_kept_and_nobody_asked);
    TEST(each_attempt_has_its_steps);
    TEST(a_boot_that_went_well_has_no_error);
    TEST(a_dry_run_takes_no_lease);
    TEST(a_dry_run_goes_on_to_the_disk_where_there_is_a_network);
    TEST(a_dry_run_of_a_configured_disk_asks_no_dhcp_server);
    TEST(a_dry_run_tells_of_a_bad_root_path);
    TEST(a_server_is_asked_for_its_targets);
    TEST(a_list_of_targets_needs_a_server);
    TEST(a_dry_run_keeps_to_the_lists);
    TEST(a_dry_run_without_offers_says_so);
    TEST(a_dry_run_that_hears_a_proxy_alone_says_so);
    TEST(a_dry_run_asks_anew_in_each_attempt);
    return tap_done();
}
