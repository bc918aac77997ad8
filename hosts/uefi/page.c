#include "hosts/uefi/page.h"
#include "core/base/report.h"
#include "core/crypto/crypto.h"
#include "hosts/uefi/keys.h"

/* In firmware core/base/config.c has no sentences. Of these the linker keeps those of the keys
 * that the page offers. */
#define LB_KEY(name, word, type, initial, min, max, form, sentence)                                \
    static const char sentence_##name[] = sentence;
#include "core/base/config.def"
#undef LB_KEY
#define OFFER(name)                                                                                \
    { LB_KEY_##name, sentence_##name }

static const struct offer {
    enum lb_key key;
    const char *sentence;
} offered[] = {
    OFFER(ADDRESS),
    OFFER(GATEWAY),
    OFFER(DNS),
    OFFER(SERVER),
    OFFER(PORT),
    OFFER(TARGET),
    OFFER(LUN),
    OFFER(INITIATOR),
    OFFER(CHAP_NAME),
    OFFER(CHAP_SECRET),
    OFFER(CHAP_TARGET_SECRET),
    OFFER(LOADER),
    OFFER(ISNS_SERVER),
};

static void show_value(const struct lb_config *config, enum lb_key key) {
    const struct lb_key_info *info = lb_key_info(key);
    char shown[100] = "";
    struct lb_text text = lb_text(shown, sizeof shown);
    if (info->type == LB_TYPE_SECRET)
        lb_text_add(&text, "%s", lb_config_is_set(config, key) ? "(set)" : "");
    else if (info->type == LB_TYPE_NUMBER)
        lb_text_add(&text, "%u", lb_config_u32(config, key));
    else
        lb_text_untrusted(&text, lb_bytes_of_text(lb_config_text(config, key)));
    say("%-20s %s", info->word, shown);
    if (lb_config_is_set(config, key))
        say("  [%s]", lb_config_source_word(lb_config_source(config, key)));
    say("\n");
}

/* What the stages of the last attempt learned from the network. */
static void show_learned(const struct lb_report *report) {
    if (report == NULL || report->fact_count == 0)
        return;
    say("\nFrom the network, where nothing is set above:\n");
    for (size_t i = 0; i < report->fact_count; i++) {
        const struct lb_fact *fact = &report->facts[i];
        if (!fact->decided && (fact->stage == LB_STAGE_DHCP || fact->stage == LB_STAGE_DISCOVERY))
            say("     %-20s %s  [%s]\n", fact->key, fact->value, fact->source);
    }
}

static void show(const struct lb_config *config, const struct lb_report *report) {
    say("\n\nlunboot: what will be used\n\n");
    for (size_t i = 0; i < LB_COUNT(offered); i++) {
        say("  %c  ", (char)('a' + i));
        show_value(config, offered[i].key);
    }
    show_learned(report);
    say("\nA letter changes a value, Enter boots, Esc goes back to the firmware. Without a key the "
        "boot "
        "goes on as it was after %u s.\n",
        (unsigned)(PATIENCE_IDLE_US / LB_US_SEC));
}

/* ---- keys ---- */

#define KEYS_AT_ONCE 64 /* then the boot has its turn again */

static struct keys keys;
static struct patience patience;

static bool next_burst(const uint16_t **burst, size_t *count) {
    unsigned key;
    for (unsigned i = 0; i < KEYS_AT_ONCE && key_read(&key); i++)
        keys_input(&keys, clock_us(), key);
    return keys_burst(&keys, clock_us(), burst, count);
}

/* False: nobody is there. */
static bool wait_burst(const uint16_t **burst, size_t *count) {
    while (!next_burst(burst, count)) {
        if (patience_is_over(&patience, clock_us()))
            return false;
        watchdog_feed();
        bs->Stall(1000);
    }
    return true;
}

static bool may_open(const struct lb_config *config) {
    return lb_config_bool(config, LB_KEY_PAGE) && !lb_config_is_locked(config, LB_SOURCE_PERSON);
}

void page_begin(const struct lb_config *config) {
    keys_discard();
    keys = (struct keys){0};
    if (may_open(config))
        say(KEY_PAGE_WORD " opens a page for values\n");
}

bool page_is_wanted(const struct lb_config *config, uint32_t wait_ms) {
    uint64_t until_us = clock_us() + wait_ms * LB_US_MS;
    const uint16_t *burst;
    size_t count;
    if (!may_open(config))
        return false;
    for (;;) {
        if (next_burst(&burst, &count) && keys_only(burst, count) == KEY_PAGE)
            return true;
        if (clock_us() >= until_us)
            return false;
        watchdog_feed();
        bs->Stall(1000);
    }
}

enum line { LINE_OPEN, LINE_DONE, LINE_NONE };

static enum line type(char *line, size_t cap, size_t *len, bool echo, unsigned key) {
    if (key == KEY_ENTER || key == KEY_LINE_FEED)
        return LINE_DONE;
    if ((key == KEY_BACKSPACE || key == KEY_DELETE) && *len > 0) {
        (*len)--;
        say("\b \b");
    } else if (key >= 0x20 && key < 0x7f && *len + 1 < cap) {
        line[(*len)++] = (char)key;
        say("%c", echo ? (char)key : '*');
    }
    return LINE_OPEN;
}

/* A terminal's sequence of bytes that the firmware did not understand, or noise. */
static bool is_text(const uint16_t *burst, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (burst[i] == KEY_ESC || burst[i] == KEY_PAGE)
            return false;
    return true;
}

/* A line from the keyboard; NONE on Esc, or where nobody is there any more. */
static enum line read_line(char *line, size_t cap, bool echo) {
    enum line state = LINE_OPEN;
    const uint16_t *burst;
    size_t len = 0, count;
    while (state == LINE_OPEN) {
        if (!wait_burst(&burst, &count) || keys_only(burst, count) == KEY_ESC) {
            state = LINE_NONE;
        } else if (is_text(burst, count)) {
            patience_key(&patience, clock_us());
            for (size_t i = 0; i < count && state == LINE_OPEN; i++)
                state = type(line, cap, &len, echo, burst[i]);
        }
    }
    line[len] = '\0';
    say("\n");
    return state;
}

/* ---- the page ---- */

static void show_why(const struct lb_error *error) {
    char explained[500];
    struct lb_text why = lb_text(explained, sizeof explained);
    lb_error_format(&why, error);
    say("%s\n", explained);
}

static void change(struct lb_config *config, size_t chosen) {
    enum lb_key key = offered[chosen].key;
    const struct lb_key_info *info = lb_key_info(key);
    struct lb_error error = {.code = LB_OK};
    char line[300], form[160];
    struct lb_text text = lb_text(form, sizeof form);
    if (lb_config_source(config, key) > LB_SOURCE_PERSON ||
        !lb_config_may_set(config, LB_SOURCE_PERSON, key)) {
        say("%s is locked\n", info->word);
        return;
    }
    lb_key_form(&text, key);
    say("%s\n(%s)\n%s: ", offered[chosen].sentence, form, info->word);
    if (read_line(line, sizeof line, info->type != LB_TYPE_SECRET) == LINE_DONE) {
        patience_value(&patience, clock_us());
        if (line[0] != '\0' &&
            !lb_config_set(config, LB_SOURCE_PERSON, lb_bytes_of_text(info->word),
                           lb_bytes_of_text(line), &error))
            show_why(&error);
    }
    lb_wipe(line, sizeof line); /* it may be a secret */
}

/* A person at the keyboard wants this machine to boot. False: a source forbids it, or half of what
 * belongs together is missing. */
static bool enable(struct lb_config *config) {
    struct lb_error error = {.code = LB_OK};
    lb_config_set(config, LB_SOURCE_PERSON, lb_bytes_of_text("enable"), lb_bytes_of_text("yes"),
                  &error);
    if (!lb_config_bool(config, LB_KEY_ENABLE))
        lb_fail(&error, LB_E_NOT_ENABLED, "enable is no [%s]",
                lb_config_source_word(lb_config_source(config, LB_KEY_ENABLE)));
    if (lb_is_ok(&error))
        lb_config_check(config, &error);
    if (!lb_is_ok(&error))
        show_why(&error);
    return lb_is_ok(&error);
}

static enum page_end run(struct lb_config *draft, const struct lb_report *report) {
    const uint16_t *burst;
    size_t count;
    show(draft, report);
    while (wait_burst(&burst, &count)) {
        unsigned key = keys_only(burst, count);
        if (key == KEY_ESC)
            return PAGE_FIRMWARE;
        if (key == KEY_ENTER && enable(draft))
            return PAGE_BOOT;
        if (key < 'a' || key >= 'a' + LB_COUNT(offered))
            continue;
        patience_key(&patience, clock_us());
        change(draft, key - 'a');
        show(draft, report);
    }
    say("nobody is there: the boot goes on as it was\n");
    return PAGE_LEFT;
}

/* What is typed counts when the person boots with it. */
enum page_end page_show(struct lb_config *config, const struct lb_report *report) {
    static struct lb_config draft;
    draft = *config;
    patience_begin(&patience, clock_us());
    enum page_end end = run(&draft, report);
    if (end == PAGE_BOOT)
        *config = draft;
    lb_wipe(&draft, sizeof draft);
    lb_wipe(&keys, sizeof keys); /* a secret may have been pasted */
    return end;
}
