/* The configuration's keys: what is accepted, who wins, what a wrong value is told. */
#include "core/base/config.h"
#include "tests/tap.h"

static struct lb_config config;
static struct lb_error error;

static struct lb_bytes text(const char *s) {
    return lb_bytes_of_text(s);
}

static bool set(const char *key, const char *value) {
    error = (struct lb_error){.code = LB_OK};
    return lb_config_set(&config, LB_SOURCE_OPTION, text(key), text(value), &error);
}

static void clear(void) {
    memset(&config, 0, sizeof config);
}

static void every_key_has_a_sentence_and_accepts_its_own_default(void) {
    for (size_t i = 0; i < LB_KEY_COUNT; i++) {
        const struct lb_key_info *info = lb_key_info((enum lb_key)i);
        size_t len = lb_strlen(lb_key_sentence(info));
        clear();
        CHECK(len > 10 && lb_key_sentence(info)[len - 1] == '.');
        if (lb_key_initial(info)[0] != '\0')
            CHECK(set(info->word, lb_key_initial(info)));
    }
}

static void nothing_is_set_in_a_zeroed_configuration(void) {
    clear();
    CHECK(!lb_config_bool(&config, LB_KEY_ENABLE));
    CHECK(lb_config_bool(&config, LB_KEY_ARP_PROBE));
    CHECK_EQ(lb_config_u32(&config, LB_KEY_OFFER_WAIT), 800);
    CHECK_EQ(lb_config_u32(&config, LB_KEY_RETRY_TIME), 300000);
    CHECK_EQ(lb_config_u32(&config, LB_KEY_MTU), 0);
    CHECK_STR(lb_config_text(&config, LB_KEY_CLIENT_ID), "mac");
    for (size_t i = 0; i < LB_KEY_COUNT; i++)
        CHECK(!lb_config_is_set(&config, (enum lb_key)i));
}

static void the_later_source_wins_in_either_order(void) {
    clear();
    CHECK(lb_config_set(&config, LB_SOURCE_OPTION, text("lun"), text("2"), &error));
    CHECK(lb_config_set(&config, LB_SOURCE_FILE, text("lun"), text("1"), &error));
    CHECK_STR(lb_config_text(&config, LB_KEY_LUN), "2");
    CHECK(lb_config_set(&config, LB_SOURCE_PERSON, text("lun"), text("3"), &error));
    CHECK_STR(lb_config_text(&config, LB_KEY_LUN), "3");
    CHECK_EQ(lb_config_source(&config, LB_KEY_LUN), LB_SOURCE_PERSON);
}

static void durations_take_units_and_bare_numbers_are_seconds(void) {
    clear();
    CHECK(set("retry-time", "500ms") && lb_config_u32(&config, LB_KEY_RETRY_TIME) == 500);
    CHECK(set("retry-time", "2m") && lb_config_u32(&config, LB_KEY_RETRY_TIME) == 120000);
    CHECK(set("retry-time", "7") && lb_config_u32(&config, LB_KEY_RETRY_TIME) == 7000);
    CHECK(set("retry-time", "9s") && lb_config_u32(&config, LB_KEY_RETRY_TIME) == 9000);
    CHECK(!set("retry-time", "ms"));
    CHECK(!set("retry-time", "4294967295m"));
    CHECK(!set("retry-time", "-1"));
    CHECK_EQ(lb_config_u32(&config, LB_KEY_RETRY_TIME), 9000);
}

static void a_wrong_value_names_the_key_and_the_form(void) {
    clear();
    CHECK(!set("port", "70000"));
    CHECK_EQ(error.code, LB_E_CONFIG_VALUE);
    CHECK_STR(error.facts, "port=70000, expected 1 to 65535");
    CHECK(!set("header-digest", "maybe"));
    CHECK_STR(error.facts, "header-digest=maybe, expected none|prefer|crc32c");
    CHECK(!set("address", "192.0.2.300/24"));
    CHECK(!set("dns", "192.0.2.1,nonsense"));
    CHECK(!set("require", "chap,tls"));
    CHECK(!set("isid", "0011"));
    CHECK(!set("hostname", "two\nlines"));
}

static void an_unknown_key_suggests_the_nearest(void) {
    clear();
    CHECK(!set("initator", "x"));
    CHECK_EQ(error.code, LB_E_CONFIG_KEY);
    CHECK_STR(error.facts, "`initator`; did you mean `initiator`?");
}

static void a_secret_is_never_in_an_error_and_is_wiped(void) {
    char seen[8] = "";
    clear();
    CHECK(!set("chap-secret", ""));
    CHECK(set("chap-secret", "tip-top-secret-1"));
    struct lb_bytes secret = lb_config_secret(&config, LB_KEY_CHAP_SECRET);
    CHECK_BYTES(secret, text("tip-top-secret-1"));
    lb_config_wipe_secrets(&config);
    CHECK_EQ(lb_config_secret(&config, LB_KEY_CHAP_SECRET).len, 0);
    for (size_t i = 0; i + 3 <= sizeof config.texts; i++)
        if (memcmp(config.texts + i, "tip", 3) == 0)
            memcpy(seen, "found", 6);
    CHECK_STR(seen, "");
    CHECK(!set("chap-secret", "0xabc"));
    CHECK(error.facts[0] != '\0' && memcmp(error.facts, "chap-secret=a secret", 20) == 0);
}

static bool config_holds(const char *part) {
    size_t len = lb_strlen(part);
    for (size_t i = 0; i + len <= sizeof config.texts; i++)
        if (memcmp(config.texts + i, part, len) == 0)
            return true;
    return false;
}

static void a_secret_that_another_replaced_is_gone(void) {
    clear();
    CHECK(set("chap-secret", "the-first-secret"));
    CHECK(set("chap-secret", "the-second-secret"));
    CHECK(!config_holds("the-first"));
    CHECK(lb_config_set(&config, LB_SOURCE_FILE, text("chap-secret"), text("weaker"), &error));
    CHECK(!config_holds("weaker"));
    CHECK_BYTES(lb_config_secret(&config, LB_KEY_CHAP_SECRET), text("the-second-secret"));
    lb_config_wipe_secrets(&config);
    CHECK(!config_holds("secret"));
}

static void a_secret_may_be_binary_as_hex(void) {
    clear();
    CHECK(set("chap-secret", "0x00ff10"));
    CHECK_BYTES(lb_config_secret(&config, LB_KEY_CHAP_SECRET), lb_bytes("\0\xff\x10", 3));
}

static void a_file_is_lines_of_key_and_value(void) {
    static const char file[] = "# a comment\n\nenable = yes\r\n  lun=1\nchap-secret = a = b # c\n"
                               "rootpath = iscsi:192.0.2.1::::iqn.2026-11.test:disk";
    clear();
    CHECK(lb_config_file(&config, LB_SOURCE_FILE, text(file), &error));
    CHECK(lb_config_bool(&config, LB_KEY_ENABLE));
    CHECK_STR(lb_config_text(&config, LB_KEY_LUN), "1");
    CHECK_BYTES(lb_config_secret(&config, LB_KEY_CHAP_SECRET), text("a = b # c"));
    CHECK_STR(lb_config_text(&config, LB_KEY_ROOTPATH), "iscsi:192.0.2.1::::iqn.2026-11.test:disk");
}

static void a_wrong_line_is_named_by_its_number(void) {
    clear();
    error = (struct lb_error){.code = LB_OK};
    CHECK(!lb_config_file(&config, LB_SOURCE_FILE, text("lun = 1\nnonsense\n"), &error));
    CHECK_EQ(error.code, LB_E_CONFIG_LINE);
    CHECK_STR(error.facts, "line 2");
    error = (struct lb_error){.code = LB_OK};
    CHECK(!lb_config_file(&config, LB_SOURCE_FILE, text("\n\nport = many\n"), &error));
    CHECK_EQ(error.code, LB_E_CONFIG_VALUE);
    CHECK_STR(error.facts, "line 3: port=many, expected 1 to 65535");
}

static void the_kernel_command_line_gives_our_words_alone(void) {
    clear();
    CHECK(lb_config_cmdline(&config,
                            text("root=/dev/sda quiet lunboot.enable lunboot.lun=5 "
                                 "lunboot.hostname=\"a b\" \"lunboot.domain=c d\" lunbootx=1\n"),
                            &error));
    CHECK(lb_config_bool(&config, LB_KEY_ENABLE));
    CHECK_STR(lb_config_text(&config, LB_KEY_LUN), "5");
    CHECK_STR(lb_config_text(&config, LB_KEY_HOSTNAME), "a b");
    CHECK_STR(lb_config_text(&config, LB_KEY_DOMAIN), "c d");
    error = (struct lb_error){.code = LB_OK};
    CHECK(!lb_config_cmdline(&config, text("lunboot.unknown-thing=1"), &error));
    CHECK_EQ(error.code, LB_E_CONFIG_KEY);
}

static void too_much_text_is_refused_and_changes_nothing(void) {
    static char longest[1025];
    clear();
    memset(longest, 'x', sizeof longest - 1);
    CHECK(set("rootpath", "kept"));
    unsigned accepted = 0;
    while (accepted < 100 && set("rootpath", longest))
        accepted++;
    CHECK(accepted >= 1 && accepted < 100);
    CHECK_EQ(lb_strlen(lb_config_text(&config, LB_KEY_ROOTPATH)), 1024);
}

static void requirements_are_words_of_a_list(void) {
    clear();
    CHECK(set("require", "mutual-chap, data-digest"));
    CHECK(lb_config_requires(&config, "mutual-chap"));
    CHECK(lb_config_requires(&config, "data-digest"));
    CHECK(!lb_config_requires(&config, "chap"));
}

int main(void) {
    TEST(every_key_has_a_sentence_and_accepts_its_own_default);
    TEST(nothing_is_set_in_a_zeroed_configuration);
    TEST(the_later_source_wins_in_either_order);
    TEST(durations_take_units_and_bare_numbers_are_seconds);
    TEST(a_wrong_value_names_the_key_and_the_form);
    TEST(an_unknown_key_suggests_the_nearest);
    TEST(a_secret_is_never_in_an_error_and_is_wiped);
    TEST(a_secret_that_another_replaced_is_gone);
    TEST(a_secret_may_be_binary_as_hex);
    TEST(a_file_is_lines_of_key_and_value);
    TEST(a_wrong_line_is_named_by_its_number);
    TEST(the_kernel_command_line_gives_our_words_alone);
    TEST(too_much_text_is_refused_and_changes_nothing);
    TEST(requirements_are_words_of_a_list);
    return tap_done();
}
