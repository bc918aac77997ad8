/* Which LUN is booted where none is named, and the disks that stand behind the first. */
#include "core/boot/test_boot_host.h"

static void host_lun(unsigned number, uint8_t type) {
    struct lb_scsi_unit *unit = &host.portals[0].units[number];
    *unit =
        (struct lb_scsi_unit){.type = type, .blocks = HOST_DISK_BYTES / 512, .block_bytes = 512};
    host.portals[0].node.luns[number] = unit;
}

/* A Root Path without a LUN, by a person, and LUNs beside LUN 1. */
static void begin(const char *lun) {
    host_init();
    host_set("rootpath", "iscsi:192.0.2.1::::" HOST_TARGET);
    if (lun[0] != '\0')
        host_set("lun", lun);
}

static unsigned booted_lun(void) {
    return lb_boot_target(&host.boot)->lun[1];
}

/* ---- the LUN -------------------------------------------------------------------------------- */

static void the_only_lun_that_is_a_disk_is_booted(void) {
    static const char *const words[] = {"any", "first"};
    for (size_t i = 0; i < LB_COUNT(words); i++) {
        begin(words[i]);
        host_lun(0, 0x0c); /* a controller, as tgt has it */
        host_lun(3, 0x05); /* a CD */
        if (!host_boots())
            continue;
        CHECK_EQ(booted_lun(), 1);
        CHECK_STR(host_fact("lun").value, "1, the only one of 1 that are disks");
    }
}

static void lun_0_is_one_like_others(void) {
    begin("any");
    host.portals[0].node.luns[1] = NULL;
    host_lun(0, 0);
    if (host_boots())
        CHECK_EQ(booted_lun(), 0);
}

static void of_several_any_is_explained_and_names_them(void) {
    begin("any");
    host_lun(2, 0);
    host_fails(LB_E_LUN_AMBIGUOUS, "2 are disks: LUN 1 (LUNBOOT DISK), LUN 2 (LUNBOOT DISK)");
}

static void of_several_first_takes_the_first(void) {
    begin("first");
    host_lun(2, 0);
    if (host_boots())
        CHECK_EQ(booted_lun(), 1);
}

/* Of LUNs 1 and 2, 2 is the disk of the host, and 1 has no capacity that could be read. */
static void an_mbr(void) {
    host.disk[440] = 0x78;
    host.disk[446 + 4] = 0x83;
    host.disk[446 + 8] = 64;
    host.disk[510] = 0x55;
    host.disk[511] = 0xaa;
}

static void of_several_the_one_that_holds_what_is_named_is_taken(void) {
    static const char *const words[] = {"any", "first"};
    for (size_t i = 0; i < LB_COUNT(words); i++) {
        begin(words[i]);
        host_set("lun-holds", "PARTUUID=00000078-01");
        host_lun(2, 0);
        host.portals[0].units[1].blocks = 1; /* no room for a table */
        an_mbr();
        if (!host_boots())
            continue;
        CHECK_EQ(booted_lun(), 2);
        CHECK_STR(host_fact("lun").value, "2, the one of 2 disks that holds PARTUUID=00000078-01");
    }
}

static void of_several_none_of_which_holds_it_any_is_explained(void) {
    begin("any");
    host_set("lun-holds", "UUID=1234-abcd");
    host_lun(2, 0);
    an_mbr();
    host_fails(LB_E_LUN_AMBIGUOUS, "2 are disks, and none holds UUID=1234-abcd: LUN 1 ");
}

static void of_several_none_of_which_holds_it_first_takes_the_first_and_says_so(void) {
    begin("first");
    host_set("lun-holds", "LABEL=root");
    host_lun(2, 0);
    if (!host_boots())
        return;
    CHECK_EQ(booted_lun(), 1);
    CHECK_STR(host_fact("lun").value, "1, the first of 2 that are disks; none holds LABEL=root");
}

static void the_only_disk_is_not_read_for_what_it_holds(void) {
    begin("any");
    host_set("lun-holds", "LABEL=root");
    if (!host_boots())
        return;
    CHECK_STR(host_fact("lun").value, "1, the only one of 1 that are disks");
}

static void what_names_nothing_that_a_disk_could_hold_is_an_error(void) {
    begin("any");
    host_fails_with("lun-holds", "/dev/sda2", LB_E_CONFIG_VALUE,
                    "lun-holds: `/dev/sda2`, expected UUID=");
}

static void no_disk_is_explained_with_what_there_is(void) {
    begin("any");
    host_set("attempts", "1");
    host.portals[0].node.luns[1] = NULL;
    host_lun(0, 0x0c);
    host_lun(4, 0x05);
    host_fails(LB_E_LUN_MISSING, "none of those that there are is a disk: 0 4");
}

static void a_disk_that_comes_later_is_waited_for(void) {
    begin("any");
    host.portals[0].node.luns[1] = NULL;
    host_lun(0, 0x0c);
    host_begin();
    host_pass(5 * SEC);
    host_lun(1, 0);
    CHECK(host_until(LB_BOOT_READY));
}

static void a_root_path_without_a_lun_means_lun_0(void) {
    begin("");
    host_lun(0, 0x0c);
    host_fails(LB_E_LUN_NOT_DISK, "there are 0 1");
}

static void a_lun_that_is_given_counts(void) {
    host_init();
    host_lun(2, 0);
    host_offers("iscsi:192.0.2.1:::2:" HOST_TARGET);
    host_set("lun", "any");
    if (host_boots())
        CHECK_EQ(booted_lun(), 2);
}

static void a_session_that_is_lost_during_the_search_is_gone_on_with(void) {
    begin("any");
    host_begin();
    for (unsigned i = 0; i < 200 && !host.boot.unit.searches; i++)
        host_step(host.now + SEC);
    CHECK(host.boot.unit.searches);
    host_cut();
    CHECK(host_until(LB_BOOT_READY));
}

/* ---- other disks ---------------------------------------------------------------------------- */

static void the_second_path_boots_where_the_first_is_down(void) {
    static const enum answer answers[] = {REFUSES, IS_SILENT, IS_UNREACHABLE};
    for (size_t i = 0; i < LB_COUNT(answers); i++) {
        host_init();
        host_set("rootpath", "iscsi:192.0.2.77:::1:" HOST_TARGET);
        host_set("other-rootpaths", "iscsi:192.0.2.1:::1:" HOST_TARGET);
        host_portal(1, v4(192, 0, 2, 77), 3260);
        host.portals[1].answer = answers[i];
        if (!host_boots())
            continue;
        CHECK_STR(lb_endpoint_text(host.connects[0]).s, "192.0.2.77:3260");
        CHECK_STR(lb_endpoint_text(host.connects[host.connect_count - 1]).s, "192.0.2.1:3260");
    }
}

static void they_are_tried_in_their_order_names_too(void) {
    static const char *const order[] = {"192.0.2.70:3260", "192.0.2.71:3261", "192.0.2.72:3260",
                                        "192.0.2.1:3260"};
    host_init();
    host_portal(1, v4(192, 0, 2, 70), 3260);
    host_portal(2, v4(192, 0, 2, 71), 3261);
    host_portal(3, v4(192, 0, 2, 72), 3260);
    for (unsigned i = 1; i < 4; i++)
        host.portals[i].answer = REFUSES;
    host.resolved[0] = v4(192, 0, 2, 72);
    host_set("rootpath", "iscsi:192.0.2.70:::1:" HOST_TARGET);
    host_set("other-rootpaths",
             "iscsi:192.0.2.71::3261:1:iqn.2026-11.test:b   "
             "iscsi:storage:::1:" HOST_TARGET " iscsi:192.0.2.1:::1:" HOST_TARGET);
    if (!host_boots() || !CHECK_EQ(host.connect_count, 4))
        return;
    for (size_t i = 0; i < LB_COUNT(order); i++)
        CHECK_STR(lb_endpoint_text(host.connects[i]).s, order[i]);
}

static void any_counts_for_those_without_a_lun(void) {
    host_init();
    host_set("rootpath", "iscsi:192.0.2.77::::" HOST_TARGET);
    host_set("lun", "any");
    host_set("other-rootpaths", "iscsi:192.0.2.1::::" HOST_TARGET);
    host_portal(1, v4(192, 0, 2, 77), 3260);
    host.portals[1].answer = REFUSES;
    if (host_boots())
        CHECK_EQ(booted_lun(), 1);
}

static void the_policy_holds_for_them(void) {
    host_init();
    host_set("rootpath", "iscsi:192.0.2.77:::1:" HOST_TARGET);
    host_set("other-rootpaths", "iscsi:192.0.2.1:::1:" HOST_TARGET);
    host_set("allow-server", "192.0.2.77");
    host_portal(1, v4(192, 0, 2, 77), 3260);
    host.portals[1].answer = REFUSES;
    host_set("attempts", "1");
    host_fails(LB_E_CONNECT_REFUSED, "also 192.0.2.1:3260 server-not-allowed");
    CHECK_EQ(host.connect_count, 1);
}

static void one_that_is_wrong_is_told_before_anything_is_sent(void) {
    host_init();
    host_set("rootpath", HOST_ROOT_PATH);
    host_set("other-rootpaths", "iscsi:192.0.2.1:::x:" HOST_TARGET);
    host_fails(LB_E_ROOTPATH_LUN, "other-rootpaths");
    host_init();
    host_set("rootpath", HOST_ROOT_PATH);
    host_set("other-rootpaths", "iscsi:::::" HOST_TARGET);
    host_fails(LB_E_NO_SERVER, "other-rootpaths");
    CHECK_EQ(host.connect_count, 0);
}

/* ---- routes --------------------------------------------------------------------------------- */

static bool has_route(const char *to, const char *via) {
    for (size_t i = 0; i < host.net.route_count; i++) {
        const struct lb_route *route = &host.net.routes[i];
        if (lb_streq(lb_prefix_text(route->to).s, to) &&
            (via == NULL ? lb_addr_is_zero(route->via) : lb_streq(lb_addr_text(route->via).s, via)))
            return true;
    }
    return false;
}

static void a_persons_routes_stand_beside_the_networks(void) {
    host_init();
    host_set("routes", "198.51.100.0/24 via 192.0.2.253, 203.0.113.0/24,2001:db8::/32 via fe80::1");
    if (!host_boots())
        return;
    CHECK(has_route("198.51.100.0/24", "192.0.2.253"));
    CHECK(has_route("203.0.113.0/24", NULL));
    CHECK(has_route("0.0.0.0/0", "192.0.2.254"));
    CHECK_EQ(host.net.route_count, 3);
}

static void and_take_the_place_of_one_to_the_same_network(void) {
    host_init();
    host_set("address", "192.0.2.60/24");
    host_set("gateway", "192.0.2.254");
    host_set("routes", "0.0.0.0/0 via 192.0.2.253");
    host_set("rootpath", HOST_ROOT_PATH);
    if (host_boots())
        CHECK(has_route("0.0.0.0/0", "192.0.2.253") && host.net.route_count == 1);
}

int main(void) {
    TEST(the_only_lun_that_is_a_disk_is_booted);
    TEST(lun_0_is_one_like_others);
    TEST(of_several_any_is_explained_and_names_them);
    TEST(of_several_first_takes_the_first);
    TEST(of_several_the_one_that_holds_what_is_named_is_taken);
    TEST(of_several_none_of_which_holds_it_any_is_explained);
    TEST(of_several_none_of_which_holds_it_first_takes_the_first_and_says_so);
    TEST(the_only_disk_is_not_read_for_what_it_holds);
    TEST(what_names_nothing_that_a_disk_could_hold_is_an_error);
    TEST(no_disk_is_explained_with_what_there_is);
    TEST(a_disk_that_comes_later_is_waited_for);
    TEST(a_root_path_without_a_lun_means_lun_0);
    TEST(a_lun_that_is_given_counts);
    TEST(a_session_that_is_lost_during_the_search_is_gone_on_with);
    TEST(the_second_path_boots_where_the_first_is_down);
    TEST(they_are_tried_in_their_order_names_too);
    TEST(any_counts_for_those_without_a_lun);
    TEST(the_policy_holds_for_them);
    TEST(one_that_is_wrong_is_told_before_anything_is_sent);
    TEST(a_persons_routes_stand_beside_the_networks);
    TEST(and_take_the_place_of_one_to_the_same_network);
    return tap_done();
}
