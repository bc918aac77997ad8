#include "core/base/console.h"
#include "tests/tap.h"

#define MINUTE (60 * LB_US_SEC)
#define DAY    (24 * 60 * MINUTE)

static struct lb_report report;
static struct lb_console console;
static char line[256];
static const struct lb_endpoint nobody = {.port = 0};

static void begin(void) {
    lb_report_init(&report, 0);
    console = (struct lb_console){0};
}

static struct lb_endpoint portal(uint8_t last) {
    return (struct lb_endpoint){.addr = lb_addr_v4(192, 0, 2, last), .port = 3260};
}

static bool next(uint64_t now_us, bool is_over) {
    struct lb_text text = lb_text(line, sizeof line);
    return lb_console_next(&console, &report, now_us, is_over, &text);
}

static unsigned lines(uint64_t now_us) {
    unsigned count = 0;
    while (next(now_us, false))
        count++;
    return count;
}

static void refused(uint64_t now_us, uint8_t last) {
    size_t step =
        lb_report_begin(&report, now_us, LB_STAGE_CONNECT, portal(last), "iqn.2026-11.test:a");
    lb_report_end(&report, now_us, step, LB_DONE_FAILED, "connect-refused");
}

static void a_step_is_shown_when_it_has_ended(void) {
    begin();
    size_t link = lb_report_begin(&report, 0, LB_STAGE_LINK, nobody, "eth0");
    CHECK_EQ(lines(1000), 0);
    lb_report_end(&report, 2000, link, LB_DONE_OK, "%s", "");
    CHECK(next(2000, false));
    CHECK_STR(line, "   0.002  link      eth0, 2.00 ms");
    CHECK_EQ(lines(2000), 0);
}

static void a_step_that_runs_does_not_hold_back_the_others(void) {
    begin();
    size_t dhcp = lb_report_begin(&report, 0, LB_STAGE_DHCP, nobody, "DHCPv4");
    size_t routers = lb_report_begin(&report, 0, LB_STAGE_DHCP, nobody, "routers");
    lb_report_end(&report, 1000, routers, LB_DONE_OK, "%s", "");
    CHECK(next(1000, false));
    CHECK_HAS(line, "routers");
    lb_report_end(&report, 3000, dhcp, LB_DONE_OK, "%s", "");
    CHECK(next(3000, false));
    CHECK_HAS(line, "DHCPv4");
}

/* A report that began anew keeps what it had behind its last step. */
static void steps_that_no_longer_count_are_neither_shown_nor_compared_with(void) {
    begin();
    refused(1000, 1);
    refused(2000, 2);
    report.step_count = 1;
    CHECK_EQ(lines(2000), 1);
    report.steps[1] = report.steps[0];
    report.steps[0].ended = 2;
    console = (struct lb_console){.looked_at = 1, .last_us = 2000};
    CHECK(next(2000, false)); /* it is the first of its kind: no pause */
}

/* A storage network after a power cut: two portals refuse for a day, once in 30 s. */
static void a_day_of_attempts_is_told_of_at_least_every_two_minutes(void) {
    unsigned shown = 0, shown_late = 0;
    uint64_t last_us = 0, longest_us = 0;
    begin();
    for (uint64_t now_us = LB_US_SEC; now_us < DAY; now_us += 30 * LB_US_SEC) {
        refused(now_us, 1);
        refused(now_us, 2);
        unsigned count = lines(now_us);
        shown += count;
        shown_late += now_us > 10 * MINUTE ? count : 0;
        if (count > 0) {
            longest_us = LB_MAX(longest_us, now_us - last_us);
            last_us = now_us;
        }
    }
    CHECK(longest_us <= 2 * MINUTE);
    CHECK(last_us >= DAY - 2 * MINUTE);
    CHECK(shown_late <= 24 * 60);
    CHECK(shown <= 24 * 60 + 20);
}

static void what_is_new_is_shown_at_once(void) {
    begin();
    for (unsigned i = 0; i < 200; i++) {
        refused(MINUTE + i * LB_US_SEC, 1);
        (void)lines(MINUTE + i * LB_US_SEC);
    }
    size_t step = lb_report_begin(&report, 5 * MINUTE, LB_STAGE_LOGIN, portal(1), "x");
    lb_report_end(&report, 5 * MINUTE, step, LB_DONE_FAILED, "login-busy");
    CHECK(next(5 * MINUTE, false));
    CHECK_HAS(line, "login-busy");
    CHECK_HAS(line, "repeated lines left out)");
}

static void the_pause_between_repeated_lines_grows(void) {
    begin();
    refused(0, 1);
    CHECK_EQ(lines(0), 1);
    refused(LB_US_SEC, 1);
    CHECK_EQ(lines(LB_US_SEC), 1);
    refused(LB_US_SEC + 1000, 1);
    CHECK_EQ(lines(LB_US_SEC + 1000), 0);
    refused(2 * LB_US_SEC, 1);
    CHECK(next(2 * LB_US_SEC, false));
    CHECK_HAS(line, "(1 repeated lines left out)");
}

static void the_last_step_is_shown_when_the_boot_ends(void) {
    begin();
    refused(100 * LB_US_SEC, 1);
    CHECK_EQ(lines(100 * LB_US_SEC), 1);
    refused(101 * LB_US_SEC, 1);
    refused(102 * LB_US_SEC, 1);
    CHECK_EQ(lines(102 * LB_US_SEC), 0);
    CHECK(next(102 * LB_US_SEC, true));
    CHECK_HAS(line, " 102.000  connect   failed: connect-refused (192.0.2.1:3260)");
    CHECK_HAS(line, "(1 repeated lines left out)");
    CHECK(!next(102 * LB_US_SEC, true));
}

/* 64 candidates are more than the report keeps. */
static void many_portals_in_turn_repeat_as_well(void) {
    unsigned shown = 0;
    begin();
    for (unsigned i = 0; i < 640; i++) {
        refused(MINUTE + i * LB_US_SEC, (uint8_t)(1 + i % 64));
        shown += lines(MINUTE + i * LB_US_SEC);
    }
    CHECK(shown <= LB_REPORT_STEPS_MAX + 30);
}

static void a_step_that_takes_long_is_told_of_once_a_minute(void) {
    begin();
    lb_report_begin(&report, 0, LB_STAGE_LINK, nobody, "eth0");
    CHECK_EQ(lines(59 * LB_US_SEC), 0);
    CHECK(next(61 * LB_US_SEC, false));
    CHECK_STR(line, "   0.000  link      eth0 ... for 61 s");
    CHECK_EQ(lines(62 * LB_US_SEC), 0);
    CHECK_EQ(lines(121 * LB_US_SEC), 1);
    CHECK(!next(300 * LB_US_SEC, true));
}

static void a_host_that_shows_no_running_step_says_what_it_waits_for(void) {
    begin();
    console.says_waits = true;
    size_t dhcp = lb_report_begin(&report, 0, LB_STAGE_DHCP, nobody, "DHCPv4 on net0");
    CHECK_EQ(lines(1900 * LB_US_MS), 0);
    CHECK(next(2 * LB_US_SEC, false));
    CHECK_STR(line, "   0.000  dhcp      DHCPv4 on net0 ... for 2 s");
    CHECK_EQ(lines(59 * LB_US_SEC), 0); /* once */
    lb_report_end(&report, 60 * LB_US_SEC, dhcp, LB_DONE_OK, "%s", "");
    CHECK_EQ(lines(60 * LB_US_SEC), 1);
    size_t disk = lb_report_begin(&report, 60 * LB_US_SEC, LB_STAGE_DISK, portal(1), "disk");
    CHECK_EQ(lines(61 * LB_US_SEC), 0);
    CHECK_EQ(lines(62 * LB_US_SEC), 1);
    lb_report_end(&report, 63 * LB_US_SEC, disk, LB_DONE_FAILED, "lun-missing");
    CHECK_EQ(lines(63 * LB_US_SEC), 1);
    (void)lb_report_begin(&report, 63 * LB_US_SEC, LB_STAGE_DISK, portal(2), "disk");
    CHECK_EQ(lines(75 * LB_US_SEC), 0); /* a quarter of the time since the boot began */
    CHECK_EQ(lines(85 * LB_US_SEC), 1);
}

static void a_host_that_shows_it_has_no_such_line(void) {
    begin();
    (void)lb_report_begin(&report, 0, LB_STAGE_DHCP, nobody, "DHCPv4 on net0");
    CHECK_EQ(lines(59 * LB_US_SEC), 0);
}

int main(void) {
    TEST(a_step_is_shown_when_it_has_ended);
    TEST(a_step_that_runs_does_not_hold_back_the_others);
    TEST(steps_that_no_longer_count_are_neither_shown_nor_compared_with);
    TEST(a_day_of_attempts_is_told_of_at_least_every_two_minutes);
    TEST(what_is_new_is_shown_at_once);
    TEST(the_pause_between_repeated_lines_grows);
    TEST(the_last_step_is_shown_when_the_boot_ends);
    TEST(many_portals_in_turn_repeat_as_well);
    TEST(a_step_that_takes_long_is_told_of_once_a_minute);
    TEST(a_host_that_shows_no_running_step_says_what_it_waits_for);
    TEST(a_host_that_shows_it_has_no_such_line);
    return tap_done();
}
