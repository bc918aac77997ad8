#include "core/base/report.h"
#include "tests/tap.h"

static struct lb_report report;
static char buffer[65536];
static struct lb_text text;

static const struct lb_endpoint nobody = {.port = 0};

static struct lb_endpoint server(void) {
    return (struct lb_endpoint){.addr = lb_addr_v4(192, 0, 2, 1), .port = 3260};
}

static void begin(void) {
    lb_report_init(&report, 1000);
    text = lb_text(buffer, sizeof buffer);
}

/* A boot of 1 s: link 0..200 ms, DHCP bypassed, login 200..600 ms failed, login 600.. runs. */
static void a_boot(void) {
    begin();
    size_t step = lb_report_begin(&report, 1000, LB_STAGE_LINK, nobody, "eth0");
    lb_report_end(&report, 201000, step, LB_DONE_OK, "%s", "");
    step = lb_report_begin(&report, 201000, LB_STAGE_DHCP, nobody, "DHCPv4");
    lb_report_end(&report, 201000, step, LB_BYPASSED, "address is configured");
    step = lb_report_begin(&report, 201000, LB_STAGE_LOGIN, server(), "iqn.2026-11.test:a");
    lb_report_end(&report, 601000, step, LB_DONE_FAILED, "not-authorised");
    lb_report_begin(&report, 601000, LB_STAGE_LOGIN, server(), "iqn.2026-11.test:b");
    lb_report_learned(&report, 1001000, LB_STAGE_DISK, "blocks", "target 192.0.2.1", "%u", 77u);
}

static void a_waterfall_shows_each_step_on_a_common_time_line(void) {
    a_boot();
    lb_report_waterfall(&report, &text, 61, false);
    CHECK_STR(buffer, "           0         1.00 s\n"
                      "link       ===                 200 ms  eth0\n"
                      "dhcp          .                        bypassed: address is c\n"
                      "login         xxxxxx           400 ms  failed: not-authorised\n"
                      "login               >>>>>>>    400 ms  iqn.2026-11.test:b (19\n");
}

static unsigned longest_line(const char *lines) {
    unsigned longest = 0, columns = 0;
    for (; *lines; lines++) {
        columns = *lines == '\n' ? 0 : columns + 1;
        longest = LB_MAX(longest, columns);
    }
    return longest;
}

static void a_waterfall_keeps_to_its_width(void) {
    for (unsigned width = 0; width < 300; width++) {
        a_boot();
        lb_report_waterfall(&report, &text, width, false);
        CHECK(longest_line(buffer) <= LB_MIN(LB_MAX(width, 60u), 250u));
    }
}

static void colours_end_where_the_bar_ends(void) {
    a_boot();
    lb_report_waterfall(&report, &text, 80, true);
    CHECK_HAS(buffer, "\x1b[32m=");
    CHECK_HAS(buffer, "=\x1b[0m");
    CHECK_HAS(buffer, "\x1b[31mxxxx");
}

static void an_empty_report_has_renderings_too(void) {
    begin();
    lb_report_waterfall(&report, &text, 80, false);
    CHECK_HAS(buffer, "0.00 ms");
    text = lb_text(buffer, sizeof buffer);
    lb_report_facts(&report, &text);
    CHECK_STR(buffer, "");
    lb_report_json(&report, &text);
    CHECK_STR(buffer, "{\"steps\":[],\"facts\":[],\"dropped\":0,\"error\":null}");
}

static void a_step_without_time_still_has_a_bar(void) {
    begin();
    size_t step = lb_report_begin(&report, 1000, LB_STAGE_LINK, nobody, "eth0");
    lb_report_end(&report, 1000, step, LB_DONE_OK, "%s", "");
    lb_report_waterfall(&report, &text, 60, false);
    CHECK_HAS(buffer, "link       =  ");
    begin();
    lb_report_begin(&report, 1000, LB_STAGE_LINK, nobody, "eth0");
    step = lb_report_begin(&report, 9000, LB_STAGE_DISK, nobody, "last");
    lb_report_end(&report, 9000, step, LB_DONE_OK, "%s", "");
    lb_report_waterfall(&report, &text, 60, false);
    CHECK_HAS(buffer, " =   0.00 ms  last");
}

static void facts_say_who_said_so(void) {
    begin();
    lb_report_learned(&report, 2000, LB_STAGE_DHCP, "address", "DHCP server 192.0.2.1", "%s",
                      "192.0.2.10/24");
    lb_report_decided(&report, 3000, LB_STAGE_CONNECT, "lun", "command line", "%d", 1);
    lb_report_facts(&report, &text);
    CHECK_STR(buffer, "dhcp       address        192.0.2.10/24  [from: DHCP server 192.0.2.1]\n"
                      "connect    lun            1  [decided by: command line]\n");
}

static void json_has_every_field(void) {
    a_boot();
    lb_fail(&report.error, LB_E_NO_LINK, "interface \"eth0\"");
    lb_report_json(&report, &text);
    CHECK_HAS(buffer, "{\"stage\":\"link\",\"outcome\":\"ok\",\"start_us\":0,\"end_us\":200000,"
                      "\"note\":\"eth0\"}");
    CHECK_HAS(buffer, "{\"stage\":\"login\",\"outcome\":\"running\",\"start_us\":600000,"
                      "\"peer\":\"192.0.2.1:3260\",\"note\":\"iqn.2026-11.test:b\"}");
    CHECK_HAS(buffer,
              "{\"stage\":\"disk\",\"kind\":\"learned\",\"key\":\"blocks\",\"value\":\"77\","
              "\"source\":\"target 192.0.2.1\",\"at_us\":1000000}");
    CHECK_HAS(buffer, "\"error\":{\"code\":\"no-link\",\"stage\":\"link\",");
    CHECK_HAS(buffer, "\"facts\":\"interface \\\"eth0\\\"\"");
}

static void what_a_peer_said_cannot_drive_the_terminal(void) {
    begin();
    size_t step = lb_report_begin(&report, 1000, LB_STAGE_LOGIN, nobody, "%s", "a\x1b[2J");
    CHECK_STR(report.steps[step].note, "a\\x1b[2J");
    lb_report_end(&report, 1000, step, LB_DONE_FAILED, "%s", "b\n");
    CHECK_STR(report.steps[step].note, "b\\x0a");
    lb_report_learned(&report, 1000, LB_STAGE_LOGIN, "alias", "t\x07", "%s", "c\r");
    CHECK_STR(report.facts[0].value, "c\\x0d");
    CHECK_STR(report.facts[0].source, "t\\x07");
}

static void the_first_and_the_last_steps_are_kept(void) {
    begin();
    for (unsigned i = 0; i < LB_REPORT_STEPS_MAX + 20; i++) {
        size_t step = lb_report_begin(&report, 1000 + i, LB_STAGE_LOGIN, nobody, "%u", i);
        CHECK_EQ(step, i);
        lb_report_end(&report, 1000 + i, step, LB_DONE_OK, "%u has ended", i);
    }
    CHECK_EQ(report.step_count, LB_REPORT_STEPS_MAX);
    CHECK_EQ(report.dropped, 20);
    CHECK_STR(report.steps[LB_REPORT_STEPS_MAX / 2 - 1].note, "23 has ended");
    CHECK_STR(report.steps[LB_REPORT_STEPS_MAX / 2].note, "44 has ended");
    CHECK_STR(report.steps[LB_REPORT_STEPS_MAX - 1].note, "67 has ended");
    lb_report_waterfall(&report, &text, 80, false);
    CHECK_HAS(buffer, "(20 steps are left out here)");
    CHECK_HAS(buffer, "(20 more steps and facts were not kept)");
}

static void a_step_that_runs_is_kept(void) {
    begin();
    for (unsigned i = 0; i < LB_REPORT_STEPS_MAX / 2; i++)
        lb_report_end(&report, 1000, lb_report_begin(&report, 1000, LB_STAGE_LINK, nobody, "-"),
                      LB_DONE_OK, "%s", "");
    size_t running = lb_report_begin(&report, 2000, LB_STAGE_DHCP, nobody, "slow");
    for (unsigned i = 0; i < 100; i++)
        lb_report_end(&report, 3000, lb_report_begin(&report, 3000, LB_STAGE_LOGIN, nobody, "-"),
                      LB_DONE_OK, "%s", "");
    CHECK(lb_report_running(&report) && lb_report_running(&report)->number == running);
    lb_report_end(&report, 4000, running, LB_DONE_OK, "at last");
    CHECK_STR(report.steps[LB_REPORT_STEPS_MAX / 2].note, "at last");
    CHECK(!lb_report_running(&report));
}

static void what_is_not_kept_cannot_be_ended(void) {
    begin();
    lb_report_begin(&report, 1000, LB_STAGE_LINK, nobody, "stays");
    lb_report_end(&report, 2000, LB_NO_STEP, LB_DONE_OK, "nothing");
    lb_report_end(&report, 2000, 1, LB_DONE_OK, "nothing");
    CHECK_EQ(report.steps_ended, 0);
    CHECK_STR(report.steps[0].note, "stays");
}

static void the_first_and_the_last_facts_are_kept(void) {
    begin();
    for (unsigned i = 0; i < LB_REPORT_FACTS_MAX + 3; i++)
        lb_report_decided(&report, 1000, LB_STAGE_LOGIN, "n", "", "%u", i);
    CHECK_EQ(report.fact_count, LB_REPORT_FACTS_MAX);
    CHECK_EQ(report.dropped, 3);
    CHECK_STR(report.facts[LB_REPORT_FACTS_MAX / 2 - 1].value, "47");
    CHECK_STR(report.facts[LB_REPORT_FACTS_MAX / 2].value, "51");
    CHECK_STR(report.facts[LB_REPORT_FACTS_MAX - 1].value, "98");
}

static void a_step_ends_once(void) {
    begin();
    size_t step = lb_report_begin(&report, 1000, LB_STAGE_DISK, nobody, "disk");
    lb_report_end(&report, 2000, step, LB_DONE_OK, "%s", "");
    lb_report_end(&report, 9000, step, LB_DONE_FAILED, "late");
    CHECK_EQ(report.steps[step].outcome, LB_DONE_OK);
    CHECK_EQ(report.steps[step].end_us, 2000);
    CHECK_STR(report.steps[step].note, "disk");
}

static const char *line_of(size_t step) {
    text = lb_text(buffer, sizeof buffer);
    lb_step_line(&report, &report.steps[step], &text);
    return buffer;
}

static void a_console_line_says_when_and_how_long(void) {
    a_boot();
    CHECK_STR(line_of(0), "   0.200  link      eth0, 200 ms");
    CHECK_STR(line_of(1), "   0.200  dhcp      bypassed: address is configured");
    CHECK_STR(line_of(2), "   0.600  login     failed: not-authorised (192.0.2.1:3260), 400 ms");
    CHECK_STR(line_of(3), "   0.600  login     iqn.2026-11.test:b (192.0.2.1:3260) ...");
}

static void durations_have_three_digits(void) {
    static const struct {
        uint64_t us;
        const char *want;
    } durations[] = {
        {0, ", 0.00 ms"},     {1234, ", 1.23 ms"},   {45670, ", 45.6 ms"},   {812345, ", 812 ms"},
        {999999, ", 999 ms"}, {1000000, ", 1.00 s"}, {61500000, ", 61.5 s"}, {600000000, ", 600 s"},
    };
    for (size_t i = 0; i < LB_COUNT(durations); i++) {
        begin();
        lb_report_begin(&report, 1000, LB_STAGE_DISK, nobody, "d");
        lb_report_end(&report, 1000 + durations[i].us, 0, LB_DONE_OK, "%s", "");
        CHECK_HAS(line_of(0), durations[i].want);
    }
}

static void every_stage_has_a_word_of_its_own(void) {
    CHECK_STR(lb_stage_word(LB_STAGE_CONFIG), "config");
    CHECK_STR(lb_stage_word(LB_STAGE_HAND_OVER), "hand-over");
    for (unsigned i = 0; i < LB_STAGE_COUNT; i++) {
        CHECK(lb_stage_word((enum lb_stage)i)[0] != 0);
        for (unsigned j = 0; j < i; j++)
            CHECK(!lb_streq(lb_stage_word((enum lb_stage)i), lb_stage_word((enum lb_stage)j)));
    }
}

static void a_fact_is_a_line_with_its_time_and_stage(void) {
    a_boot();
    lb_fact_line(&report, &report.facts[0], &text);
    CHECK_STR(buffer, "   1.000  disk      blocks: 77");
}

/* All of the second half run: its oldest goes, and the others stay in their order. */
static void where_all_run_the_oldest_of_the_second_half_goes(void) {
    begin();
    for (unsigned i = 0; i < LB_REPORT_STEPS_MAX + 1; i++)
        lb_report_begin(&report, 1000 + i, LB_STAGE_LOGIN, nobody, "%u", i);
    CHECK_EQ(report.step_count, LB_REPORT_STEPS_MAX);
    CHECK_EQ(report.dropped, 1);
    CHECK_EQ(report.steps[LB_REPORT_STEPS_MAX / 2 - 1].number, LB_REPORT_STEPS_MAX / 2 - 1);
    CHECK_EQ(report.steps[LB_REPORT_STEPS_MAX / 2].number, LB_REPORT_STEPS_MAX / 2 + 1);
    CHECK_EQ(report.steps[LB_REPORT_STEPS_MAX - 2].number, LB_REPORT_STEPS_MAX - 1);
    CHECK_EQ(report.steps[LB_REPORT_STEPS_MAX - 1].number, LB_REPORT_STEPS_MAX);
}

static void of_steps_that_run_one_that_has_ended_goes_first(void) {
    begin();
    for (unsigned i = 0; i < LB_REPORT_STEPS_MAX; i++)
        lb_report_begin(&report, 1000 + i, LB_STAGE_LOGIN, nobody, "%u", i);
    lb_report_end(&report, 2000, LB_REPORT_STEPS_MAX - 1, LB_DONE_OK, "%s", "");
    lb_report_begin(&report, 3000, LB_STAGE_DISK, nobody, "new");
    CHECK_EQ(report.steps[LB_REPORT_STEPS_MAX / 2].number, LB_REPORT_STEPS_MAX / 2);
    CHECK_EQ(report.steps[LB_REPORT_STEPS_MAX - 2].number, LB_REPORT_STEPS_MAX - 2);
    CHECK_EQ(report.steps[LB_REPORT_STEPS_MAX - 1].number, LB_REPORT_STEPS_MAX);
}

static unsigned count_of(const char *words) {
    unsigned count = 0;
    for (const char *at = buffer; *at != 0; at++) {
        size_t len = 0;
        while (words[len] != 0 && at[len] == words[len])
            len++;
        count += words[len] == 0;
    }
    return count;
}

static void a_gap_is_told_once_and_only_where_there_is_one(void) {
    for (unsigned extra = 0; extra < 2; extra++) {
        begin();
        for (unsigned i = 0; i < LB_REPORT_STEPS_MAX + extra; i++)
            lb_report_begin(&report, 1000 + i, LB_STAGE_LOGIN, nobody, "%u", i);
        lb_report_waterfall(&report, &text, 80, false);
        CHECK_EQ(count_of("left out here"), extra);
        CHECK_EQ(count_of("were not kept"), extra);
    }
}

int main(void) {
    TEST(a_fact_is_a_line_with_its_time_and_stage);
    TEST(a_waterfall_shows_each_step_on_a_common_time_line);
    TEST(a_waterfall_keeps_to_its_width);
    TEST(colours_end_where_the_bar_ends);
    TEST(an_empty_report_has_renderings_too);
    TEST(a_step_without_time_still_has_a_bar);
    TEST(facts_say_who_said_so);
    TEST(json_has_every_field);
    TEST(what_a_peer_said_cannot_drive_the_terminal);
    TEST(the_first_and_the_last_steps_are_kept);
    TEST(a_step_that_runs_is_kept);
    TEST(what_is_not_kept_cannot_be_ended);
    TEST(the_first_and_the_last_facts_are_kept);
    TEST(a_step_ends_once);
    TEST(a_console_line_says_when_and_how_long);
    TEST(durations_have_three_digits);
    TEST(every_stage_has_a_word_of_its_own);
    TEST(where_all_run_the_oldest_of_the_second_half_goes);
    TEST(of_steps_that_run_one_that_has_ended_goes_first);
    TEST(a_gap_is_told_once_and_only_where_there_is_one);
    return tap_done();
}
