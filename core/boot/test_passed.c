/* Answers that were passed over, without an engine. */
#include "core/boot/passed.h"
#include "tests/tap.h"

static struct lb_trace trace;
static struct lb_report report;
static struct lb_common common;
static struct lb_passed passed;

static void begin(void) {
    lb_report_init(&report, 1);
    common = (struct lb_common){.trace = &trace, .report = &report};
    lb_passed_init(&passed, &common);
}

static void note(enum lb_code code, const char *facts) {
    struct lb_error why = {.code = LB_OK};
    lb_fail(&why, code, "%s", facts);
    lb_passed_note(&passed, 1, "DHCP server 192.0.2.2", &why);
}

static struct lb_error explained(enum lb_code code, const char *facts) {
    struct lb_error error = {.code = LB_OK};
    lb_fail(&error, code, "%s", facts);
    lb_passed_explain(&passed, &error);
    return error;
}

static void one_is_counted_and_told_with_who_gave_it(void) {
    begin();
    note(LB_E_ROOTPATH_PREFIX, "from 192.0.2.2: nfs:");
    CHECK_EQ(passed.count, 1);
    CHECK_EQ(report.fact_count, 1);
    CHECK_STR(report.facts[0].key, "passed-over");
    CHECK_STR(report.facts[0].source, "DHCP server 192.0.2.2");
    CHECK_STR(report.facts[0].value, "rootpath-prefix: from 192.0.2.2: nfs:");
}

static void the_answer_to_a_question_that_was_asked_again_counts_once_in_an_attempt(void) {
    begin();
    lb_passed_begin(&passed);
    CHECK(!lb_passed_has_any(&passed));
    note(LB_E_ROOTPATH_PREFIX, "nfs:");
    note(LB_E_ROOTPATH_PREFIX, "nfs:");
    CHECK_EQ(passed.count, 1);
    CHECK(lb_passed_has_any(&passed));
    note(LB_E_ROOTPATH_PREFIX, "http:");
    CHECK_EQ(passed.count, 2);
    lb_passed_begin(&passed);
    CHECK(!lb_passed_has_any(&passed));
    note(LB_E_ROOTPATH_PREFIX, "http:");
    CHECK_EQ(passed.count, 3);
}

static void the_report_shows_a_few(void) {
    char facts[16];
    begin();
    for (unsigned i = 0; i < 20; i++) {
        lb_format(facts, sizeof facts, "%u", i);
        note(LB_E_ROOTPATH_PREFIX, facts);
    }
    CHECK_EQ(passed.count, 20);
    CHECK_EQ(report.fact_count, LB_PASSED_SHOWN_MAX);
}

static void that_nothing_was_found_is_explained_by_what_was_passed_over(void) {
    begin();
    note(LB_E_ROOTPATH_PREFIX, "nfs:");
    struct lb_error error = explained(LB_E_DISCOVERY_SILENT, "nobody");
    CHECK_EQ(error.code, LB_E_ROOTPATH_PREFIX);
    CHECK_STR(error.facts, "nfs:; 1 answer passed over, and then discovery-silent");
}

static void another_failure_keeps_its_word(void) {
    begin();
    note(LB_E_ROOTPATH_PREFIX, "nfs:");
    note(LB_E_ROOTPATH_PREFIX, "http:");
    struct lb_error error = explained(LB_E_CONNECT_TIMEOUT, "192.0.2.1:3260");
    CHECK_EQ(error.code, LB_E_CONNECT_TIMEOUT);
    CHECK_STR(error.facts, "192.0.2.1:3260; 2 answers passed over (rootpath-prefix)");
}

static void without_any_or_with_the_same_word_there_is_nothing_to_explain(void) {
    begin();
    CHECK_STR(explained(LB_E_DISCOVERY_SILENT, "nobody").facts, "nobody");
    note(LB_E_DHCP_AUTH, "from 192.0.2.2");
    CHECK_STR(explained(LB_E_DHCP_AUTH, "no proof").facts, "no proof");
}

int main(void) {
    TEST(one_is_counted_and_told_with_who_gave_it);
    TEST(the_answer_to_a_question_that_was_asked_again_counts_once_in_an_attempt);
    TEST(the_report_shows_a_few);
    TEST(that_nothing_was_found_is_explained_by_what_was_passed_over);
    TEST(another_failure_keeps_its_word);
    TEST(without_any_or_with_the_same_word_there_is_nothing_to_explain);
    return tap_done();
}
