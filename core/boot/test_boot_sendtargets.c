/* Discovery by SendTargets: a server is configured and no target; and how several candidates are
 * tried in turn. */
#include "core/boot/test_boot_host.h"

static struct lb_target nodes[200];

static void add_node(struct portal *portal, const char *name, bool has_disk) {
    struct lb_target *node = &nodes[portal->server.node_count++];
    *node = host.portals[0].node;
    lb_text_copy(node->name, sizeof node->name, lb_bytes_of_text(name));
    node->luns[1] = has_disk ? &host.portals[0].units[1] : NULL;
}

/* A server with no targets yet, which is all that is configured. */
static struct portal *server(void) {
    host_init();
    host_offers("");
    host_set("discovery", "sendtargets");
    host_set("server", "192.0.2.1");
    host_set("lun", "1");
    memset(nodes, 0, sizeof nodes);
    host.portals[0].server.nodes = nodes;
    host.portals[0].server.node_count = 0;
    return &host.portals[0];
}

static void a_server_alone_is_asked_for_its_targets(void) {
    add_node(server(), HOST_TARGET, true);
    if (!host_boots())
        return;
    CHECK_EQ(host.connect_count, 2); /* to ask, and to boot */
    CHECK_STR(lb_boot_target(&host.boot)->target, HOST_TARGET);
    CHECK_STR(host_fact("target").source, "SendTargets of 192.0.2.1:3260");
    CHECK_EQ(host_last_step(LB_STAGE_DISCOVERY).outcome, LB_DONE_OK);
    CHECK_STR(host_last_step(LB_STAGE_DISCOVERY).note, "1 found");
    CHECK_EQ(host_steps_running(), 0);
    /* Between the two there was a logout, and its answer. */
    CHECK(host.connect_us - host_last_step(LB_STAGE_DISCOVERY).end_us < SEC);
}

static void a_target_without_the_lun_is_passed_over(void) {
    struct portal *portal = server();
    add_node(portal, "iqn.2026-11.test:empty", false);
    add_node(portal, HOST_TARGET, true);
    if (!host_boots())
        return;
    CHECK_EQ(host.boot.attempts.begun, 1);
    CHECK_STR(lb_boot_target(&host.boot)->target, HOST_TARGET);
    CHECK_EQ(host.connect_count, 3);
    CHECK_EQ(host_steps_running(), 0);
}

static void a_target_that_does_not_let_us_in_is_passed_over(void) {
    struct portal *portal = server();
    add_node(portal, "iqn.2026-11.test:full", true);
    add_node(portal, HOST_TARGET, true);
    nodes[0].login_status = LB_LOGIN_NO_RESOURCES;
    if (host_boots())
        CHECK_STR(lb_boot_target(&host.boot)->target, HOST_TARGET);
}

static void when_all_have_failed_the_attempt_has(void) {
    size_t count, dropped;
    struct portal *portal = server();
    add_node(portal, "iqn.2026-11.test:full", true);
    add_node(portal, HOST_TARGET, true);
    nodes[0].login_status = LB_LOGIN_REMOVED;
    portal->units[1].type = 1;
    host_set("attempts", "3");
    host_fails(LB_E_LUN_NOT_DISK, "also 192.0.2.1:3260 target-removed");
    CHECK_EQ(host.boot.attempts.begun, 1); /* neither may pass */
    const struct lb_candidate *candidates = lb_boot_candidates(&host.boot, &count, &dropped);
    if (!CHECK_EQ(count, 2))
        return;
    CHECK_EQ(candidates[0].failed.code, LB_E_TARGET_REMOVED);
    CHECK_EQ(candidates[1].failed.code, LB_E_LUN_NOT_DISK);
    CHECK_EQ(host_steps_running(), 0);
}

static void what_may_pass_for_one_of_them_is_tried_again(void) {
    struct portal *portal = server();
    add_node(portal, "iqn.2026-11.test:full", true);
    add_node(portal, HOST_TARGET, false);
    nodes[0].login_status = LB_LOGIN_NO_RESOURCES;
    host_set("attempts", "3");
    host_fails(LB_E_LUN_MISSING, "also 192.0.2.1:3260 target-busy");
    CHECK_EQ(host.boot.attempts.begun, 3);
    CHECK_EQ(host.connect_count, 9); /* each attempt asks anew */
}

static void one_of_several_is_not_taken_at_random(void) {
    struct portal *portal = server();
    host_set("discovery", "auto");
    add_node(portal, "iqn.2026-11.test:somebody-elses", true);
    add_node(portal, HOST_TARGET, true);
    host_fails(LB_E_NOT_OFFERED, "one of 2 in SendTargets of 192.0.2.1:3260");
    CHECK_EQ(host.connect_count, 1); /* to ask */
}

static void the_only_one_is_taken(void) {
    struct portal *portal = server();
    host_set("discovery", "auto");
    host_set("allow-target", "iqn.2026-11.test:d*");
    add_node(portal, "iqn.2026-11.test:somebody-elses", true);
    add_node(portal, HOST_TARGET, true);
    if (host_boots())
        CHECK_STR(lb_boot_target(&host.boot)->target, HOST_TARGET);
}

static void the_list_of_targets_chooses_among_those_of_a_server(void) {
    struct portal *portal = server();
    add_node(portal, "iqn.2026-11.test:other", true);
    add_node(portal, HOST_TARGET, true);
    host_set("allow-target", HOST_TARGET);
    if (!host_boots())
        return;
    CHECK_STR(lb_boot_target(&host.boot)->target, HOST_TARGET);
    CHECK_EQ(host.connect_count, 2);
    CHECK_EQ(host.boot.candidates.list[1].refused, LB_E_TARGET_NOT_ALLOWED);
}

static void of_many_targets_the_one_that_may_be_used_is_found(void) {
    struct portal *portal = server();
    for (unsigned i = 0; i < 199; i++) {
        char name[64];
        lb_format(name, sizeof name, "iqn.2026-11.test:other-%u", i);
        add_node(portal, name, true);
    }
    add_node(portal, HOST_TARGET, true);
    host_set("allow-target", "iqn.2026-11.TEST:disk");
    if (host_boots())
        CHECK_STR(lb_boot_target(&host.boot)->target, HOST_TARGET);
    CHECK_STR(host_last_step(LB_STAGE_DISCOVERY).note, "200 found");
}

static void a_name_that_is_left_out_is_counted_and_named(void) {
    add_node(server(), "data_disk", true);
    host_fails(LB_E_NAME_INVALID, "data_disk, named by SendTargets of 192.0.2.1:3260");
    CHECK_STR(host_fact("asked").value,
              "SendTargets of 192.0.2.1:3260: 1 found; 1 left out: its name "
              "is not valid: data_disk");
    struct portal *portal = server();
    add_node(portal, "kumo-img37", true);
    add_node(portal, "data disk", true);
    add_node(portal, HOST_TARGET, true);
    host_set("discovery", "auto");
    if (host_boots()) /* the only one that has a name */
        CHECK_STR(lb_boot_target(&host.boot)->target, HOST_TARGET);
    CHECK_STR(host_fact("asked").value, "SendTargets of 192.0.2.1:3260: 2 found; 2 left out: their "
                                        "names are not valid: data disk and others");
}

static void an_odd_name_of_a_list_is_booted_where_that_is_allowed(void) {
    add_node(server(), "data_disk", true);
    host_set("accept-names", "lenient");
    if (host_boots())
        CHECK_STR(lb_boot_target(&host.boot)->target, "data_disk");
    add_node(server(), "data_disk", true);
    host_set("target", "DATA_disk");
    if (host_boots())
        CHECK_STR(lb_boot_target(&host.boot)->target, "DATA_disk");
}

static void a_server_without_targets_for_us_is_an_explained_end(void) {
    server();
    host_set("attempts", "2");
    host_fails(LB_E_DISCOVERY_EMPTY, "SendTargets of 192.0.2.1:3260: 0 found");
    CHECK_EQ(host.boot.attempts.begun, 2); /* the target may come up later */
}

static void a_server_that_cannot_be_asked_is_told_as_that(void) {
    server()->answer = REFUSES;
    host_set("attempts", "1");
    host_fails(LB_E_CONNECT_REFUSED, "SendTargets: 192.0.2.1:3260");
    CHECK_EQ(host_last_step(LB_STAGE_DISCOVERY).outcome, LB_DONE_FAILED);
    CHECK_EQ(host_steps_running(), 0);
}

static void a_server_that_is_silent_is_given_up_in_time(void) {
    server()->answer = IS_SILENT;
    host_set("attempts", "1");
    uint64_t start = host.now;
    host_fails(LB_E_CONNECT_TIMEOUT, "192.0.2.1:3260");
    CHECK(host.now - start < 12 * SEC);
}

static void discovery_that_is_off_asks_nobody(void) {
    add_node(server(), HOST_TARGET, true);
    host_set("discovery", "off");
    host_fails(LB_E_NO_ROOT_PATH, "192.0.2.2");
    CHECK_EQ(host.connect_count, 0);
}

static void a_service_that_is_not_listed_is_not_asked(void) {
    add_node(server(), HOST_TARGET, true);
    host_set("discovery", "isns");
    host_set("attempts", "1");
    host_fails(LB_E_DISCOVERY_SILENT, "");
    CHECK_EQ(host.connect_count, 0);
}

static void a_stop_while_targets_are_listed_is_an_end(void) {
    server();
    host.portals[0].answer = IS_SILENT;
    host_begin();
    CHECK(host_until(LB_BOOT_CONNECT));
    lb_boot_stop(&host.boot, host.now, false);
    host_until(LB_BOOT_OUT);
    CHECK_EQ(host.seen[LB_BOOT_OUT], 1);
    CHECK_EQ(host_steps_running(), 0);
}

static void secrets_that_cannot_be_used_end_the_attempt_at_once(void) {
    add_node(server(), HOST_TARGET, true);
    host_fails_with("chap-algorithms", "md5,5", LB_E_CONFIG_VALUE, "md5,5");
}

int main(void) {
    TEST(a_server_alone_is_asked_for_its_targets);
    TEST(a_target_without_the_lun_is_passed_over);
    TEST(a_target_that_does_not_let_us_in_is_passed_over);
    TEST(when_all_have_failed_the_attempt_has);
    TEST(what_may_pass_for_one_of_them_is_tried_again);
    TEST(one_of_several_is_not_taken_at_random);
    TEST(the_only_one_is_taken);
    TEST(the_list_of_targets_chooses_among_those_of_a_server);
    TEST(of_many_targets_the_one_that_may_be_used_is_found);
    TEST(a_name_that_is_left_out_is_counted_and_named);
    TEST(an_odd_name_of_a_list_is_booted_where_that_is_allowed);
    TEST(a_server_without_targets_for_us_is_an_explained_end);
    TEST(a_server_that_cannot_be_asked_is_told_as_that);
    TEST(a_server_that_is_silent_is_given_up_in_time);
    TEST(discovery_that_is_off_asks_nobody);
    TEST(a_service_that_is_not_listed_is_not_asked);
    TEST(a_stop_while_targets_are_listed_is_an_end);
    TEST(secrets_that_cannot_be_used_end_the_attempt_at_once);
    return tap_done();
}
