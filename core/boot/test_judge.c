/* What the answers of the network are worth, without an engine. */
#include "core/boot/judge.h"
#include "core/boot/test_stage.h"

#define GOOD "iscsi:192.0.2.1::::iqn.2026-11.test:disk"

static struct lb_trace trace;
static struct lb_report report;
static struct lb_common common;
static struct lb_network network;
static struct lb_passed passed;
static struct lb_judge judge;

static void begin(void) {
    memset(&network, 0, sizeof network);
    clear_plan();
    lb_report_init(&report, 1);
    common = (struct lb_common){.plan = &plan, .trace = &trace, .report = &report};
    lb_passed_init(&passed, &common);
    lb_judge_init(&judge, &common, &network, &passed);
}

static struct lb_dhcp4_lease lease_of(uint8_t server, const char *root_path) {
    struct lb_dhcp4_lease lease = {.server = lb_addr_v4(192, 0, 2, server)};
    lease.root_path_len = lb_strlen(root_path);
    memcpy(lease.root_path, root_path, lease.root_path_len);
    return lease;
}

static enum lb_worth worth_of(const char *root_path) {
    const struct lb_dhcp4_lease lease = lease_of(2, root_path);
    return lb_judge_lease4(&judge, 1, &lease);
}

/* The lease of server `last`, beside another's offer. */
static void hold_lease(uint8_t last, enum lb_worth worth) {
    network.has_lease = network.dhcp_runs = true;
    network.dhcp.lease = lease_of(last, GOOD);
    network.dhcp.lease.worth = worth;
    network.dhcp.has_other_offers = true;
}

static void an_answer_is_worth_the_disk_that_it_names(void) {
    begin();
    CHECK_EQ(worth_of(GOOD), LB_WORTH_DISK);
    CHECK_EQ(worth_of(""), LB_WORTH_PLAIN);
    CHECK_EQ(worth_of("192.0.2.9:/export"), LB_WORTH_PLAIN); /* somebody else's */
    CHECK_EQ(passed.count, 0);
}

static void a_bad_one_is_passed_over_where_it_was_asked_for(void) {
    begin();
    CHECK_EQ(worth_of("iscsi:192.0.2.1::::no name"), LB_WORTH_BAD);
    CHECK_EQ(passed.count, 1);
    network.has_lease = true; /* a renewal */
    CHECK_EQ(worth_of("iscsi:192.0.2.1:::x:iqn.2026-11.test:disk"), LB_WORTH_BAD);
    CHECK_EQ(passed.count, 1);
}

static void the_policy_is_asked_before_an_answer_is_followed(void) {
    begin();
    set("allow-server", "198.51.100.0/24");
    CHECK_EQ(worth_of(GOOD), LB_WORTH_BAD);
    CHECK_EQ(passed.error.code, LB_E_SERVER_NOT_ALLOWED);
    CHECK_EQ(worth_of("iscsi:san.example::::iqn.2026-11.test:disk"), LB_WORTH_DOUBTFUL);
    set("allow-server", "san.example");
    CHECK_EQ(worth_of("iscsi:san.example::::iqn.2026-11.test:disk"), LB_WORTH_DISK);
}

static void a_root_path_that_is_cut_names_none(void) {
    struct lb_dhcp4_lease lease = lease_of(2, "");
    begin();
    lease.has_cut_root_path = true;
    CHECK_EQ(lb_judge_lease4(&judge, 1, &lease), LB_WORTH_BAD);
    CHECK_EQ(passed.error.code, LB_E_DHCP_UNUSABLE);
}

static void where_a_person_named_the_disk_any_answer_will_do(void) {
    begin();
    lb_judge_begin(&judge, true);
    CHECK_EQ(worth_of("iscsi:192.0.2.1::::no name"), LB_WORTH_DISK);
    CHECK_EQ(passed.count, 0);
}

static void what_is_missing_is_told_from_what_is_wrong(void) {
    struct lb_judged judged;
    struct lb_boot_answer answer = {.family = LB_V4, .from = "a test"};
    begin();
    set("discovery", "off");
    lb_judge_answer(&judge, &answer, &judged);
    CHECK(judged.is_open && !judged.leads_on && !judged.has_target);
    CHECK_EQ(judged.error.code, LB_OK);
    answer.root_path = lb_bytes_of_text(GOOD);
    lb_judge_answer(&judge, &answer, &judged);
    CHECK(!judged.is_open && judged.leads_on && judged.has_target);
    CHECK_STR(judged.target.target, "iqn.2026-11.test:disk");
    answer.root_path = lb_bytes_of_text("iscsi:192.0.2.1:x");
    lb_judge_answer(&judge, &answer, &judged);
    CHECK(!judged.is_open && !judged.leads_on);
    CHECK(!lb_is_ok(&judged.error));
}

static void a_server_that_was_followed_in_vain_is_not_preferred(void) {
    begin();
    hold_lease(2, LB_WORTH_DISK);
    CHECK(!lb_judge_doubts(&judge, LB_V4));
    lb_judge_failure(&judge, LB_E_CONNECT_REFUSED, LB_V4);
    CHECK(judge.has_blamed);
    CHECK(lb_judge_doubts(&judge, LB_V4));
    CHECK(lb_judge_may_pass(&judge, LB_E_TARGET_REMOVED));
    CHECK_EQ(worth_of(GOOD), LB_WORTH_DOUBTFUL);
    const struct lb_dhcp4_lease other = lease_of(3, GOOD);
    CHECK_EQ(lb_judge_lease4(&judge, 1, &other), LB_WORTH_DISK);
}

static void nobody_is_blamed_without_another_or_for_what_was_not_followed(void) {
    begin();
    hold_lease(2, LB_WORTH_DISK);
    network.dhcp.has_other_offers = false;
    lb_judge_failure(&judge, LB_E_CONNECT_REFUSED, LB_V4);
    CHECK(!judge.has_blamed);
    network.dhcp.has_other_offers = true;
    lb_judge_failure(&judge, LB_E_CONNECT_REFUSED, LB_V6);
    CHECK(!judge.has_blamed);
}

static void an_offer_that_came_in_the_pause_makes_another_server(void) {
    begin();
    hold_lease(2, LB_WORTH_DISK);
    network.dhcp.has_other_offers = false;
    lb_judge_failure(&judge, LB_E_CONNECT_REFUSED, LB_V4);
    network.dhcp.has_other_offers = true;
    lb_judge_failure(&judge, LB_OK, LB_V4);
    CHECK(lb_judge_doubts(&judge, LB_V4));
}

static void a_lease_beside_which_nobody_named_a_disk_is_asked_for_anew(void) {
    begin();
    hold_lease(2, LB_WORTH_PLAIN);
    network.dhcp.has_other_offers = false;
    CHECK(!lb_judge_doubts(&judge, LB_V4));
    lb_judge_failure(&judge, LB_E_NO_ROOT_PATH, LB_V4);
    CHECK(lb_judge_doubts(&judge, LB_V4));
    lb_judge_failure(&judge, LB_E_CONNECT_REFUSED, LB_V4);
    CHECK(!lb_judge_doubts(&judge, LB_V4));
}

static void another_attempt_may_find_more_where_a_server_was_silent(void) {
    begin();
    CHECK(!lb_judge_may_pass(&judge, LB_E_NO_ROOT_PATH));
    network.out6.code = LB_E_DHCP6_NO_ANSWER;
    CHECK(lb_judge_may_pass(&judge, LB_E_NO_ROOT_PATH));
    CHECK(!lb_judge_may_pass(&judge, LB_E_TARGET_REMOVED));
    plan.is_dry = true;
    CHECK(!lb_judge_may_pass(&judge, LB_E_NO_ROOT_PATH));
}

static void a_router_alone_does_not_end_the_wait_for_a_server(void) {
    begin();
    network.has_lease = false;
    network.dhcp_runs = network.nd6_runs = network.nd6.info.advertised = true;
    CHECK(lb_judge_may_pass(&judge, LB_E_NO_ROOT_PATH));
    CHECK(!lb_judge_may_pass(&judge, LB_E_TARGET_REMOVED));
    network.has_lease = true; /* and named no disk */
    CHECK(!lb_judge_may_pass(&judge, LB_E_NO_ROOT_PATH));
    network.has_lease = false;
    network.dhcp_runs = false;
    CHECK(!lb_judge_may_pass(&judge, LB_E_NO_ROOT_PATH));
    network.dhcp_runs = true;
    network.nd6.info.advertised = false; /* nobody has answered at all */
    CHECK(!lb_judge_may_pass(&judge, LB_E_NO_ROOT_PATH));
    network.nd6.info.advertised = true;
    network.dhcp6_runs = network.dhcp6.has_lease = true;
    CHECK(!lb_judge_may_pass(&judge, LB_E_NO_ROOT_PATH));
}

int main(void) {
    TEST(an_answer_is_worth_the_disk_that_it_names);
    TEST(a_bad_one_is_passed_over_where_it_was_asked_for);
    TEST(the_policy_is_asked_before_an_answer_is_followed);
    TEST(a_root_path_that_is_cut_names_none);
    TEST(where_a_person_named_the_disk_any_answer_will_do);
    TEST(what_is_missing_is_told_from_what_is_wrong);
    TEST(a_server_that_was_followed_in_vain_is_not_preferred);
    TEST(nobody_is_blamed_without_another_or_for_what_was_not_followed);
    TEST(an_offer_that_came_in_the_pause_makes_another_server);
    TEST(a_lease_beside_which_nobody_named_a_disk_is_asked_for_anew);
    TEST(another_attempt_may_find_more_where_a_server_was_silent);
    TEST(a_router_alone_does_not_end_the_wait_for_a_server);
    return tap_done();
}
