/* Which family names the disk, without an engine and without servers. */
#include "core/boot/families.h"
#include "core/boot/test_stage.h"

#define DISK4 "iscsi:192.0.2.1::::iqn.2026-11.test:disk"
#define DISK6 "iscsi:[2001:db8::1]::::iqn.2026-11.test:disk"

static struct lb_rand rand_;
static struct lb_trace trace;
static struct lb_report report;
static struct lb_common common;
static struct lb_network network;
static struct lb_passed passed;
static struct lb_judge judge;
static struct lb_attempts attempts;
static struct lb_families families;
static struct lb_choice choice;
static struct lb_families_news news;
static uint64_t now;

/* Both families are being asked. */
static void begin(void) {
    now = 1000 * LB_US_SEC;
    memset(&network, 0, sizeof network);
    plan_setup = (struct lb_boot_setup){.config = &config, .interface = "eth0", .has_ipv6 = true};
    clear_plan();
    lb_report_init(&report, now);
    common = (struct lb_common){
        .plan = &plan, .interface = "eth0", .rand = &rand_, .trace = &trace, .report = &report};
    network.common = &common;
    network.dhcp_runs = network.nd6_runs = true;
    choice = (struct lb_choice){.has_target = false};
    lb_passed_init(&passed, &common);
    lb_judge_init(&judge, &common, &network, &passed);
    lb_attempts_init(&attempts, now, &common);
    lb_attempts_begin(&attempts);
    lb_families_init(&families, &common, &network, &judge, &attempts);
    lb_families_begin(&families, &choice);
    lb_families_ask(&families, now);
    lb_families_await(&families, now + 60 * LB_US_SEC);
}

static enum lb_families_event turn(void) {
    news = (struct lb_families_news){.what = LB_FAMILIES_SAME};
    common.until_us = LB_NEVER;
    enum lb_turn did = lb_families_turn(&families, now, &news);
    CHECK_EQ(did == LB_TURN_AGAIN, news.what != LB_FAMILIES_SAME);
    return news.what;
}

static void answer4(const char *root_path) {
    struct lb_dhcp4_lease *lease = &network.dhcp.lease;
    network.has_lease = true;
    lease->server = lb_addr_v4(192, 0, 2, 2);
    lease->root_path_len = lb_strlen(root_path);
    memcpy(lease->root_path, root_path, lease->root_path_len);
}

/* A router's prefix, and DHCPv6 for the rest. */
static void answer6(const char *root_path) {
    struct lb_dhcp6_lease *lease = &network.dhcp6.lease;
    network.nd6.info.advertised = network.nd6.info.other = true;
    network.nd6.info.address_count = 1;
    network.dhcp6_runs = network.dhcp6.has_lease = true;
    lease->root_path_len = lb_strlen(root_path);
    memcpy(lease->root_path, root_path, lease->root_path_len);
}

static bool follow(bool *was_saved) {
    struct lb_error error = {.code = LB_OK};
    return lb_families_follow(&families, news.status, was_saved, &error);
}

static void while_both_are_asked_the_boot_waits(void) {
    begin();
    CHECK_EQ(turn(), LB_FAMILIES_SAME);
    CHECK_EQ(common.until_us, now + 60 * LB_US_SEC);
}

static void the_first_that_names_a_disk_is_followed_at_once(void) {
    begin();
    answer4(DISK4);
    CHECK_EQ(turn(), LB_FAMILIES_FOLLOW);
    CHECK_EQ(news.status->family, LB_V4);
    CHECK_EQ(news.status->names, LB_NAMES_DISK);
    CHECK_STR(news.status->target.target, "iqn.2026-11.test:disk");
    CHECK_STR(news.why, "the first to name a disk");
    begin();
    answer6(DISK6);
    CHECK_EQ(turn(), LB_FAMILIES_FOLLOW);
    CHECK_EQ(news.status->family, LB_V6);
}

/* The disk is behind a router of IPv6, and DHCPv6 is faster than the routers. */
static void a_way_to_the_disk_is_waited_for_as_its_address_is(void) {
    begin();
    answer4(DISK6);
    network.dhcp6_runs = network.dhcp6.has_lease = true;
    network.dhcp6.lease.addr_count = 1;
    CHECK_EQ(turn(), LB_FAMILIES_SAME);
    network.nd6.info.advertised = network.nd6.info.managed = true;
    CHECK_EQ(turn(), LB_FAMILIES_FOLLOW);
    CHECK_EQ(news.status->family, LB_V4);
    begin();
    answer4(DISK6);
    network.dhcp6_runs = network.dhcp6.has_lease = true;
    network.dhcp6.lease.addr_count = 1;
    CHECK_EQ(turn(), LB_FAMILIES_SAME);
    CHECK_EQ(common.until_us, now + LB_SILENT_TIMEOUT_US);
    now += LB_SILENT_TIMEOUT_US; /* there is no router */
    CHECK_EQ(turn(), LB_FAMILIES_FOLLOW);
}

static void the_preferred_family_is_waited_for(void) {
    begin();
    set("prefer-family", "6");
    set("family-wait", "500ms");
    answer4(DISK4);
    CHECK_EQ(turn(), LB_FAMILIES_SAME);
    CHECK_EQ(common.until_us, now + 500 * LB_US_MS);
    now += 500 * LB_US_MS;
    CHECK_EQ(turn(), LB_FAMILIES_FOLLOW);
    CHECK_STR(news.why, "the preferred family named no disk in time");
    begin();
    set("prefer-family", "6");
    answer4(DISK4);
    answer6(DISK6);
    CHECK_EQ(turn(), LB_FAMILIES_FOLLOW);
    CHECK_EQ(news.status->family, LB_V6);
}

static void a_disk_of_the_other_family_waits_for_an_address_there(void) {
    begin();
    answer4(DISK6);
    CHECK_EQ(turn(), LB_FAMILIES_SAME);
    network.nd6.info.advertised = true; /* and addresses of its prefix */
    network.nd6.info.address_count = 1;
    CHECK_EQ(turn(), LB_FAMILIES_FOLLOW);
    CHECK_EQ(news.status->family, LB_V4);
}

/* The disk may be in the prefix of the address that is still being probed. */
static void all_addresses_of_the_routers_are_waited_for_at_first(void) {
    begin();
    set("prefer-family", "6");
    answer6(DISK6);
    network.nd6.info.pending = 1;
    CHECK_EQ(turn(), LB_FAMILIES_SAME);
    network.nd6.info.pending = 0;
    network.nd6.info.address_count = 2;
    CHECK_EQ(turn(), LB_FAMILIES_FOLLOW);
    CHECK_EQ(news.status->family, LB_V6);
    const struct lb_network_need need = {.is_named = false};
    network.nd6.info.pending = 1; /* a prefix that comes later takes nothing away */
    network.is_set = true;
    CHECK_EQ(lb_network_progress(&network, LB_V6, &need), LB_ANSWERED);
}

static void discovery_begins_beside_a_family_that_is_silent(void) {
    bool was_saved = true;
    struct lb_error nothing = {.code = LB_E_DISCOVERY_SILENT};
    const struct lb_family_status *other;
    begin();
    answer4("");
    CHECK_EQ(turn(), LB_FAMILIES_FOLLOW);
    CHECK_STR(news.why, "nobody names a disk");
    CHECK(follow(&was_saved));
    CHECK(!was_saved);
    CHECK(lb_families_reconsider(&families, now) == NULL);
    answer6(DISK6); /* late */
    other = lb_families_reconsider(&families, now);
    CHECK(other != NULL && other->family == LB_V6);
    CHECK(!lb_families_save(&families, &nothing)); /* it has done so */
}

static void discovery_that_failed_early_is_saved_by_the_other_family_or_is_the_error(void) {
    bool was_saved = false;
    struct lb_error nothing = {.code = LB_E_DISCOVERY_SILENT}, error = {.code = LB_OK};
    begin();
    set("discovery", "slp");
    answer4("");
    CHECK_EQ(turn(), LB_FAMILIES_FOLLOW);
    CHECK(follow(&was_saved));
    network.net.address = (struct lb_prefix){lb_addr_v4(192, 0, 2, 100), 24};
    lb_families_search(&families);
    CHECK(lb_families_save(&families, &nothing));
    now += LB_SILENT_TIMEOUT_US; /* and IPv6 stays silent */
    CHECK_EQ(turn(), LB_FAMILIES_FOLLOW);
    CHECK(!lb_families_follow(&families, news.status, &was_saved, &error));
    CHECK_EQ(error.code, LB_E_DISCOVERY_SILENT);
    CHECK(was_saved);
}

static void where_a_root_path_is_broken_the_other_family_does_not_hide_it(void) {
    begin();
    set("discovery", "off");
    answer4("iscsi:192.0.2.1:x");
    answer6("");
    CHECK_EQ(turn(), LB_FAMILIES_FOLLOW);
    CHECK_EQ(news.status->family, LB_V4);
    CHECK_EQ(news.status->names, LB_NAMES_BROKEN);
}

static void when_no_family_can_answer_nobody_is_left(void) {
    begin();
    now += 60 * LB_US_SEC;
    CHECK_EQ(turn(), LB_FAMILIES_NOBODY);
    struct lb_error error = lb_families_why_out(&families);
    CHECK_EQ(error.code, LB_E_DHCP_NO_OFFER);
    CHECK_STR(error.facts, "on eth0; IPv6: no-ipv6");
    set("family", "6");
    error = lb_families_why_out(&families);
    CHECK_EQ(error.code, LB_E_NO_IPV6);
}

static void the_other_family_may_name_another_way(void) {
    bool was_saved;
    const struct lb_family_status *other;
    begin();
    answer4(DISK4);
    CHECK_EQ(turn(), LB_FAMILIES_FOLLOW);
    CHECK(lb_families_another(&families, now) == NULL); /* none is chosen */
    CHECK(follow(&was_saved));
    CHECK(lb_families_another(&families, now) == NULL);
    answer6(DISK6);
    other = lb_families_another(&families, now);
    CHECK(other != NULL && other->target.addr.family == LB_V6);
    judge.is_named = true; /* by a person: nobody else's word counts */
    CHECK(lb_families_another(&families, now) == NULL);
    judge.is_named = false;
    families.chosen = LB_FAMILY_NONE;
    CHECK(lb_families_another(&families, now) == NULL);
}

static void a_dry_run_waits_for_the_offers_of_both(void) {
    static struct lb_dhcp4_lease offer;
    begin();
    plan_setup.goal = LB_GOAL_PROBE;
    make_plan();
    offer = (struct lb_dhcp4_lease){.server = lb_addr_v4(192, 0, 2, 2)};
    network.dhcp.offers[0] = offer;
    network.dhcp.offer_count = 1;
    network.dhcp_runs = false; /* it has collected them */
    news = (struct lb_families_news){.what = LB_FAMILIES_SAME};
    CHECK_EQ(lb_families_dry_turn(&families, now, &news), LB_TURN_IDLE);
    now += 2500 * LB_US_MS;
    CHECK_EQ(lb_families_dry_turn(&families, now, &news), LB_TURN_AGAIN);
    CHECK_EQ(news.what, LB_FAMILIES_FOLLOW);
    CHECK(news.has_answer[0] && !news.has_answer[1]);
}

static void a_names_addresses_take_turns_the_chosen_family_first(void) {
    struct lb_addr addrs[3] = {lb_addr_v4(192, 0, 2, 1), lb_addr_v4(192, 0, 2, 2)};
    begin();
    CHECK(lb_addr_parse(lb_bytes_of_text("2001:db8::1"), &addrs[2]));
    families.chosen = LB_V6;
    CHECK_EQ(lb_families_sort(&families, addrs, 3), 3);
    CHECK_STR(lb_addr_text(addrs[0]).s, "2001:db8::1");
    CHECK_STR(lb_addr_text(addrs[2]).s, "192.0.2.2");
    network.is_set = true; /* by IPv4 alone */
    network.net.address = (struct lb_prefix){lb_addr_v4(192, 0, 2, 100), 24};
    CHECK_EQ(lb_families_sort(&families, addrs, 3), 3);
    CHECK_STR(lb_addr_text(addrs[2]).s, "2001:db8::1");
}

int main(void) {
    TEST(while_both_are_asked_the_boot_waits);
    TEST(the_first_that_names_a_disk_is_followed_at_once);
    TEST(a_way_to_the_disk_is_waited_for_as_its_address_is);
    TEST(the_preferred_family_is_waited_for);
    TEST(a_disk_of_the_other_family_waits_for_an_address_there);
    TEST(all_addresses_of_the_routers_are_waited_for_at_first);
    TEST(discovery_begins_beside_a_family_that_is_silent);
    TEST(discovery_that_failed_early_is_saved_by_the_other_family_or_is_the_error);
    TEST(where_a_root_path_is_broken_the_other_family_does_not_hide_it);
    TEST(when_no_family_can_answer_nobody_is_left);
    TEST(the_other_family_may_name_another_way);
    TEST(a_dry_run_waits_for_the_offers_of_both);
    TEST(a_names_addresses_take_turns_the_chosen_family_first);
    return tap_done();
}
