/* Load options, as the EFI shell, efibootmgr and firmware itself make them. */
#include "core/base/mem.h"
#include "hosts/uefi/options.h"
#include "tests/tap.h"

static uint8_t room[OPTIONS_MAX], raw[3 * OPTIONS_MAX];
static struct lb_bytes line;
static struct lb_config config;
static struct lb_error error;

static enum options_kind read_ascii(const char *text, size_t nuls) {
    size_t len = lb_strlen(text);
    memset(raw, 0, sizeof raw);
    memcpy(raw, text, len);
    return options_read(lb_bytes(raw, len + nuls), lb_span(room, sizeof room), &line);
}

static enum options_kind read_wide(const char *text, size_t nuls) {
    size_t len = lb_strlen(text);
    memset(raw, 0, sizeof raw);
    for (size_t i = 0; i < len; i++)
        raw[2 * i] = (uint8_t)text[i];
    return options_read(lb_bytes(raw, 2 * (len + nuls)), lb_span(room, sizeof room), &line);
}

static bool set(const char *text) {
    config = (struct lb_config){0};
    error = (struct lb_error){.code = LB_OK};
    return options_set(&config, lb_bytes_of_text(text), &error);
}

static void both_codings_are_read_with_their_nul_and_without(void) {
    for (size_t nuls = 0; nuls < 3; nuls++) {
        CHECK_EQ(read_ascii("enable=yes", nuls), OPTIONS_TEXT);
        CHECK_BYTES(line, lb_bytes_of_text("enable=yes"));
        CHECK_EQ(read_wide("enable=yes", nuls), OPTIONS_TEXT);
        CHECK_BYTES(line, lb_bytes_of_text("enable=yes"));
        CHECK_EQ(read_ascii("x", nuls), OPTIONS_TEXT);
        CHECK_BYTES(line, lb_bytes_of_text("x"));
        CHECK_EQ(read_wide("x", nuls), OPTIONS_TEXT);
        CHECK_BYTES(line, lb_bytes_of_text("x"));
    }
}

static void nothing_is_nothing(void) {
    CHECK_EQ(options_read(lb_bytes(NULL, 0), lb_span(room, sizeof room), &line), OPTIONS_NONE);
    CHECK_EQ(read_ascii("", 1), OPTIONS_NONE);
    CHECK_EQ(read_ascii(" \r\n", 1), OPTIONS_NONE);
    CHECK_EQ(read_wide("", 1), OPTIONS_NONE);
    CHECK_EQ(read_wide("  ", 1), OPTIONS_NONE);
}

/* mBmAutoCreateBootOptionGuid of EDK2, which is in each entry that it makes by itself. */
static void firmwares_own_mark_is_passed_over(void) {
    static const uint8_t guid[] = {0x4e, 0xac, 0x08, 0x81, 0x11, 0x9f, 0x59, 0x4d,
                                   0x85, 0x0e, 0xe2, 0x1a, 0x52, 0x2c, 0x59, 0xb2};
    CHECK_EQ(options_read(lb_bytes(guid, sizeof guid), lb_span(room, sizeof room), &line),
             OPTIONS_FOREIGN);
    for (size_t len = 1; len < sizeof guid; len++)
        CHECK(options_read(lb_bytes(guid, len), lb_span(room, sizeof room), &line) !=
              OPTIONS_DAMAGED);
}

static void a_policy_that_cannot_be_read_is_not_passed_over(void) {
    CHECK_EQ(read_ascii("allow-server=192.0.2.1\xff", 0), OPTIONS_DAMAGED);
    CHECK_EQ(read_ascii("\x01--enable=no", 0), OPTIONS_DAMAGED);
    read_wide("target=iqn.2026-11.test:x", 1);
    raw[2 * 20 + 1] = 0x01; /* a letter of another script */
    CHECK_EQ(options_read(lb_bytes(raw, 52), lb_span(room, sizeof room), &line), OPTIONS_DAMAGED);
    read_ascii("enable=yes", 0);
    raw[12] = 'x'; /* behind the NUL */
    CHECK_EQ(options_read(lb_bytes(raw, 13), lb_span(room, sizeof room), &line), OPTIONS_DAMAGED);
}

static void too_many_are_not_cut(void) {
    static char text[OPTIONS_MAX + 2];
    memset(text, 'a', sizeof text - 1);
    memcpy(text, "enable=", 7);
    CHECK_EQ(read_ascii(text, 1), OPTIONS_LONG);
    CHECK_EQ(read_wide(text, 1), OPTIONS_LONG);
    text[OPTIONS_MAX] = '\0';
    CHECK_EQ(read_ascii(text, 1), OPTIONS_TEXT);
    CHECK_EQ(line.len, OPTIONS_MAX);
    CHECK_EQ(read_wide(text, 1), OPTIONS_TEXT);
}

static void words_set_keys_in_either_form(void) {
    CHECK(set("lunbootx64.efi --enable=yes lun=2 \"chap-name=a b\" --trace"));
    CHECK(lb_config_bool(&config, LB_KEY_ENABLE));
    CHECK(lb_config_bool(&config, LB_KEY_TRACE));
    CHECK_STR(lb_config_text(&config, LB_KEY_LUN), "2");
    CHECK_STR(lb_config_text(&config, LB_KEY_CHAP_NAME), "a b");
    CHECK_EQ(lb_config_source(&config, LB_KEY_LUN), LB_SOURCE_OPTION);
}

static void a_word_that_is_not_understood_is_an_error(void) {
    CHECK(!set("lunbootx64.efi enabled"));
    CHECK_EQ(error.code, LB_E_CONFIG_LINE);
    CHECK_HAS(error.facts, "enabled");
    CHECK(!set("enabled=yes"));
    CHECK_EQ(error.code, LB_E_CONFIG_KEY);
    CHECK(!set("--pagee"));
    CHECK_EQ(error.code, LB_E_CONFIG_KEY);
    CHECK(!set("lun=1 lun=2"));
    CHECK_EQ(error.code, LB_E_CONFIG_TWICE);
}

/* What is no text is ours where it sets a key of ours, and else anybody's. */
static void what_is_no_text_is_ours_by_its_keys_alone(void) {
    static const struct {
        const char *text;
        enum options_kind kind;
    } rows[] = {
        {"\x01"
         "lun=2",
         OPTIONS_DAMAGED},
        {"\x01"
         "--lun=2",
         OPTIONS_DAMAGED},
        {"\x01"
         "xlun=",
         OPTIONS_DAMAGED},
        {"\x01"
         "a lun=2",
         OPTIONS_DAMAGED},
        {"\x01"
         "lun",
         OPTIONS_FOREIGN},
        {"\x01"
         "lun 2=",
         OPTIONS_FOREIGN},
        {"\x01"
         "lu=2",
         OPTIONS_FOREIGN},
        {"\x01"
         "=lun",
         OPTIONS_FOREIGN},
        {"\x01"
         "root=/dev/sda",
         OPTIONS_FOREIGN},
        {"\x01"
         "LUN=2",
         OPTIONS_FOREIGN},
        {"\x01"
         "==",
         OPTIONS_FOREIGN},
        {"\x01", OPTIONS_FOREIGN},
    };
    for (size_t i = 0; i < LB_COUNT(rows); i++) {
        if (!CHECK_EQ(read_ascii(rows[i].text, 0), rows[i].kind))
            tap_note("%s", rows[i].text + 1);
    }
}

int main(void) {
    TEST(both_codings_are_read_with_their_nul_and_without);
    TEST(nothing_is_nothing);
    TEST(firmwares_own_mark_is_passed_over);
    TEST(a_policy_that_cannot_be_read_is_not_passed_over);
    TEST(too_many_are_not_cut);
    TEST(words_set_keys_in_either_form);
    TEST(a_word_that_is_not_understood_is_an_error);
    TEST(what_is_no_text_is_ours_by_its_keys_alone);
    return tap_done();
}
