#include "core/base/error.h"
#include "tests/tap.h"

static void the_first_failure_is_kept(void) {
    struct lb_error error = {0};
    CHECK(lb_is_ok(&error));
    lb_fail(&error, LB_E_NO_LINK, "interface %s", "eth0");
    lb_fail(&error, LB_E_INTERNAL, "something that came of it");
    CHECK(!lb_is_ok(&error));
    CHECK_EQ(error.code, LB_E_NO_LINK);
    CHECK_STR(error.facts, "interface eth0");
}

static void facts_are_made_fit_for_a_terminal(void) {
    struct lb_error error = {0};
    lb_fail(&error, LB_E_LOGIN_REJECTED, "target \"%s\"", "a\x1b[31m\nb");
    CHECK_STR(error.facts, "target \"a\\x1b[31m\\x0ab\"");
}

static void facts_that_are_too_long_are_cut(void) {
    struct lb_error error = {0};
    lb_fail(&error, LB_E_PROTOCOL, "%0500d", 1);
    CHECK_EQ(lb_strlen(error.facts), LB_FACTS_MAX - 1);
}

static void an_error_has_four_parts(void) {
    char buffer[512];
    struct lb_text text = lb_text(buffer, sizeof(buffer));
    struct lb_error error = {0};
    lb_fail(&error, LB_E_NO_LINK, "interface eth0");
    lb_error_format(&text, &error);
    CHECK_STR(buffer, "link: the network interface has no link (no-link)\n"
                      "  interface eth0\n"
                      "  try: check the cable, the switch port and its speed setting\n");
}

static void empty_parts_take_no_line(void) {
    char buffer[512];
    struct lb_text text = lb_text(buffer, sizeof(buffer));
    struct lb_error error = {.code = LB_E_CANCELLED};
    lb_error_format(&text, &error);
    CHECK_STR(buffer, "boot: stopped by the user (cancelled)\n");
    text = lb_text(buffer, sizeof(buffer));
    lb_error_format(&text, &(struct lb_error){0});
    CHECK_STR(buffer, "ok\n");
}

static void every_code_is_found_by_its_word(void) {
    for (unsigned i = 0; i < LB_CODE_COUNT; i++) {
        enum lb_code found = LB_CODE_COUNT;
        CHECK(lb_code_find(lb_bytes_of_text(lb_code_word((enum lb_code)i)), &found));
        CHECK_EQ(found, i); /* also: no word stands twice */
    }
    enum lb_code untouched = LB_E_DIGEST;
    CHECK(!lb_code_find(lb_bytes_of_text("no-such-word"), &untouched));
    CHECK(!lb_code_find(lb_bytes_of_text(""), &untouched));
    CHECK_EQ(untouched, LB_E_DIGEST);
}

static void a_failure_that_was_cleared_makes_room_for_the_next(void) {
    struct lb_error error = {.code = LB_OK};
    lb_fail(&error, LB_E_DIGEST, "the first");
    lb_error_clear(&error);
    CHECK(lb_is_ok(&error));
    CHECK_STR(error.facts, "");
    lb_fail(&error, LB_E_RESOLVE, "the next");
    CHECK_EQ(error.code, LB_E_RESOLVE);
    CHECK_STR(error.facts, "the next");
}

static void the_table_says_what_a_code_tells_besides(void) {
    static const enum lb_tells kinds[] = {LB_TELLS_STARTING, LB_TELLS_SILENCE, LB_TELLS_NO_DISK,
                                          LB_TELLS_ALONE};
    static const struct {
        enum lb_code code;
        enum lb_tells tells;
    } cases[] = {
        {LB_OK, LB_TELLS_ITSELF},
        {LB_E_CONFIG_VALUE, LB_TELLS_ITSELF},
        {LB_E_CONNECT_REFUSED, LB_TELLS_STARTING},
        {LB_E_STANDBY, LB_TELLS_STARTING},
        {LB_E_LUN_NOT_DISK, LB_TELLS_ITSELF},
        {LB_E_CONNECT_TIMEOUT, LB_TELLS_SILENCE},
        {LB_E_TASK_TIMEOUT, LB_TELLS_SILENCE},
        {LB_E_DHCP_EXPIRED, LB_TELLS_SILENCE},
        {LB_E_NO_ROOT_PATH, LB_TELLS_NO_DISK},
        {LB_E_DHCP6_AUTH, LB_TELLS_NO_DISK},
        {LB_E_DHCP_NO_ACK, LB_TELLS_NO_REPLY},
        {LB_E_DHCP_NO_OFFER, LB_TELLS_NOBODY},
        {LB_E_DISCOVERY_SILENT, LB_TELLS_NOBODY},
    };
    for (size_t i = 0; i < LB_COUNT(cases); i++)
        for (size_t k = 0; k < LB_COUNT(kinds); k++)
            CHECK_EQ(lb_code_tells(cases[i].code, kinds[k]), (cases[i].tells & kinds[k]) != 0);
    CHECK(!lb_code_tells(LB_E_DHCP_NO_ACK, LB_TELLS_NOBODY)); /* a part is not the whole */
}

static void the_table_says_what_may_pass_without_a_person(void) {
    static const struct {
        enum lb_code code;
        enum lb_cure cure;
    } cases[] = {
        {LB_OK, LB_CURE_PERSON},
        {LB_E_CONFIG_VALUE, LB_CURE_PERSON},
        {LB_E_AUTH_FAILED, LB_CURE_PERSON},
        {LB_E_LOGIN_REJECTED, LB_CURE_LOGIN},
        {LB_E_PROTOCOL, LB_CURE_LOGIN},
        {LB_E_TARGET_NOT_FOUND, LB_CURE_LATER},
        {LB_E_DHCP_NO_OFFER, LB_CURE_LATER},
        {LB_E_CONNECT_REFUSED, LB_CURE_CONNECTION},
        {LB_E_CONNECTION_LOST, LB_CURE_CONNECTION},
    };
    for (size_t i = 0; i < LB_COUNT(cases); i++) {
        CHECK_EQ(lb_code_cure(cases[i].code), cases[i].cure);
        CHECK_EQ(lb_code_may_pass(cases[i].code), cases[i].cure >= LB_CURE_LATER);
    }
}

static bool is_word(const char *text) {
    for (const char *c = text; *c; c++) {
        if (!(*c >= 'a' && *c <= 'z') && !(*c >= '0' && *c <= '9') && *c != '-')
            return false;
    }
    return text[0] != 0;
}

/* A sentence without a full stop, on one line of a terminal. */
static bool is_phrase(const char *text, size_t max) {
    size_t len = lb_strlen(text);
    if (len == 0 || len > max || text[len - 1] == '.' || text[0] == ' ')
        return false;
    return lb_ascii_lower((uint8_t)text[0]) == (uint8_t)text[0] || text[1] == ' ';
}

static void every_code_has_a_word_a_stage_a_meaning_and_a_hint(void) {
    for (unsigned i = 1; i < LB_CODE_COUNT; i++) {
        enum lb_code code = (enum lb_code)i;
        bool fine = CHECK(is_word(lb_code_word(code))) &&
                    CHECK(is_word(lb_stage_word(lb_code_stage(code)))) &&
                    CHECK(is_phrase(lb_code_what(code), 100)) &&
                    CHECK(code == LB_E_CANCELLED || is_phrase(lb_code_hint(code), 140));
        if (!fine)
            tap_note("of: %s", lb_code_word(code));
    }
}

static void each_code_has_the_texts_of_its_line(void) {
    CHECK_STR(lb_code_what(LB_OK), "");
    CHECK_STR(lb_code_hint(LB_OK), "");
#define LB_ERROR(code, word, stage, cure, tells, meaning, advice)                                  \
    CHECK_STR(lb_code_what(LB_E_##code), meaning);                                                 \
    CHECK_STR(lb_code_hint(LB_E_##code), advice);
#include "core/base/errors.def"
#undef LB_ERROR
}

int main(void) {
    TEST(each_code_has_the_texts_of_its_line);
    TEST(the_first_failure_is_kept);
    TEST(facts_are_made_fit_for_a_terminal);
    TEST(facts_that_are_too_long_are_cut);
    TEST(an_error_has_four_parts);
    TEST(empty_parts_take_no_line);
    TEST(every_code_is_found_by_its_word);
    TEST(the_table_says_what_may_pass_without_a_person);
    TEST(a_failure_that_was_cleared_makes_room_for_the_next);
    TEST(the_table_says_what_a_code_tells_besides);
    TEST(every_code_has_a_word_a_stage_a_meaning_and_a_hint);
    return tap_done();
}
