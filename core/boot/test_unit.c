/* A session's disk, without an engine: over a scripted target. */
#include "core/boot/test_stage.h"
#include "core/boot/unit.h"
#include "core/disk/test_disk.h"

static struct lb_report report;
static struct lb_common common;
static struct lb_unit unit;
static struct lb_unit_news news;

static void begin(void) {
    clear_plan();
    disk_init();
    peer_connect();
    peer_log_in_with(TEXT(DISK_KEYS));
    lb_report_init(&report, peer.now);
    common = (struct lb_common){.plan = &plan, .trace = &peer.trace, .report = &report};
    lb_unit_init(&unit, &common);
    lb_unit_begin(&unit);
    lb_unit_clear(&unit);
}

static void start(enum lb_lun_choice choice) {
    struct lb_rootpath target = {.lun = {0, 1}, .lun_choice = choice};
    lb_text_copy(target.target, sizeof target.target, lb_bytes_of_text(PEER_TARGET));
    lb_unit_start(&unit, peer.now, &peer.session, &target);
}

/* Turns of everybody, until the unit has news or a minute has passed. */
static enum lb_unit_event next_news(void) {
    uint64_t end_us = peer.now + 60 * SEC;
    news = (struct lb_unit_news){.what = LB_UNIT_SAME};
    while (peer.now < end_us && news.what == LB_UNIT_SAME) {
        common.until_us = LB_NEVER;
        lb_until(&common, disk_turn_session());
        enum lb_turn did = lb_unit_turn(&unit, peer.now, &news);
        if (!disk_serve() && did == LB_TURN_IDLE)
            peer.now = LB_MAX(peer.now + 1, LB_MIN(common.until_us, end_us));
    }
    return news.what;
}

static void without_a_start_there_is_no_disk(void) {
    begin();
    CHECK(!lb_unit_runs(&unit));
    CHECK_EQ(lb_unit_turn(&unit, peer.now, &news), LB_TURN_IDLE);
    CHECK_EQ(lb_unit_settle(&unit, peer.now), LB_NEVER);
    CHECK(lb_unit_completed(&unit) == NULL);
}

static void a_lun_that_is_named_comes_up_and_is_reported(void) {
    begin();
    start(LB_LUN_AS_GIVEN);
    CHECK(lb_unit_runs(&unit));
    CHECK_EQ(next_news(), LB_UNIT_UP);
    CHECK_EQ(report.step_count, 1);
    CHECK_EQ(report.steps[0].outcome, LB_DONE_OK);
    CHECK_STR(report.steps[0].note, "Big Disk");
    CHECK_EQ(lb_unit_turn(&unit, peer.now, &news), LB_TURN_IDLE); /* it is told once */
}

static void the_first_disk_is_taken_where_the_first_will_do(void) {
    begin();
    start(LB_LUN_FIRST);
    CHECK_EQ(next_news(), LB_UNIT_LUN);
    CHECK_EQ(news.lun[1], 0);
    CHECK_EQ(next_news(), LB_UNIT_UP);
    CHECK_STR(report.steps[0].note, "Big Disk, LUN 0");
}

static void of_two_disks_none_is_taken_by_chance(void) {
    begin();
    start(LB_LUN_ANY);
    CHECK_EQ(next_news(), LB_UNIT_FAILED);
    CHECK_EQ(news.error->code, LB_E_LUN_AMBIGUOUS);
    CHECK_HAS(news.error->facts, "LUN 0 (Acme Big Disk), LUN 1 (Acme Big Disk)");
    CHECK(!lb_unit_runs(&unit));
}

static void of_a_target_without_disks_its_luns_are_told(void) {
    begin();
    disk_reply(LB_ASK_INQUIRY, "0c 00 06 02 1f 00 00 00" /* an array's controller */
                               "41 63 6d 65 20 20 20 20"
                               "42 69 67 20 44 69 73 6b 20 20 20 20 20 20 20 20"
                               "31 2e 30 20");
    start(LB_LUN_ANY);
    CHECK_EQ(next_news(), LB_UNIT_FAILED);
    CHECK_EQ(news.error->code, LB_E_LUN_MISSING);
    CHECK_HAS(news.error->facts, "is a disk: 0 1");
}

static void a_disk_that_does_not_come_up_says_why(void) {
    begin();
    set("ready-timeout", "2s");
    disk_fails((struct ending){
        .op = LB_SCSI_TEST_UNIT_READY, .times = ALWAYS, .status = 2, .key = 2, .asc = 0x3a});
    start(LB_LUN_AS_GIVEN);
    CHECK_EQ(next_news(), LB_UNIT_FAILED);
    CHECK_EQ(news.error->code, LB_E_NO_MEDIUM);
    lb_unit_end_step(&unit, peer.now, "no-medium");
    CHECK_EQ(report.steps[0].outcome, LB_DONE_FAILED);
}

static void a_disk_that_is_not_ready_yet_is_told_at_once_and_once(void) {
    begin();
    disk_fails((struct ending){.op = LB_SCSI_TEST_UNIT_READY,
                               .times = 3,
                               .status = 2,
                               .key = 2,
                               .asc = 0x04,
                               .ascq = 0x01});
    start(LB_LUN_AS_GIVEN);
    CHECK_EQ(next_news(), LB_UNIT_UP);
    size_t told = 0;
    for (size_t i = 0; i < report.fact_count; i++) {
        const struct lb_fact *fact = &report.facts[i];
        if (!lb_streq(fact->key, "waits"))
            continue;
        told++;
        CHECK(fact->told != 0);
        CHECK_HAS(fact->value, "not-ready: ");
        CHECK_HAS(fact->value, "04/01");
    }
    CHECK_EQ(told, 1);
}

static void a_request_has_its_end_when_the_session_has_ended(void) {
    struct lb_disk_op op = {.kind = LB_DISK_READ, .blocks = 1, .buffer = d.buffer};
    struct lb_error why = {.code = LB_OK};
    begin();
    start(LB_LUN_AS_GIVEN);
    CHECK_EQ(next_news(), LB_UNIT_UP);
    lb_unit_submit(&unit, peer.now, &op);
    CHECK(lb_unit_completed(&unit) == NULL);
    lb_fail(&why, LB_E_CANCELLED, "by a test");
    lb_initiator_end(&peer.session, peer.now, &why);
    (void)lb_unit_settle(&unit, peer.now);
    CHECK(lb_unit_completed(&unit) == &op);
    CHECK_EQ(op.error.code, LB_E_CANCELLED);
    lb_unit_clear(&unit);
    CHECK(!lb_unit_runs(&unit));
}

int main(void) {
    TEST(without_a_start_there_is_no_disk);
    TEST(a_lun_that_is_named_comes_up_and_is_reported);
    TEST(the_first_disk_is_taken_where_the_first_will_do);
    TEST(of_two_disks_none_is_taken_by_chance);
    TEST(of_a_target_without_disks_its_luns_are_told);
    TEST(a_disk_that_does_not_come_up_says_why);
    TEST(a_disk_that_is_not_ready_yet_is_told_at_once_and_once);
    TEST(a_request_has_its_end_when_the_session_has_ended);
    return tap_done();
}
