#include "hosts/uefi/page.h"
#include "core/base/packed.h"
#include "core/base/report.h"

#define OFFER(name) LB_KEY_##name

/* tools/pack-texts finds these, and packs the sentences of their keys. */
static const uint8_t offered[] = {
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
        show_value(config, (enum lb_key)offered[i]);
    }
    show_learned(report);
    say("\nA letter changes a value, Enter boots, Esc goes back to the firmware.\n");
}

static unsigned next_key(void) {
    unsigned key;
    while ((key = key_wait(60000)) == 0)
        ;
    return key;
}

#define KEY_ENTER     '\r'
#define KEY_BACKSPACE '\b'
#define KEY_ESC       0x1017U

/* A line from the keyboard; false on Esc. */
static bool read_line(char *line, size_t cap, bool echo) {
    size_t len = 0;
    for (;;) {
        unsigned key = next_key();
        if (key == KEY_ESC || key == KEY_ENTER) {
            line[len] = '\0';
            say("\n");
            return key == KEY_ENTER;
        }
        if (key == KEY_BACKSPACE && len > 0) {
            len--;
            say("\b \b");
        } else if (key >= 0x20 && key < 0x7f && len + 1 < cap) {
            line[len++] = (char)key;
            say("%c", echo ? (char)key : '*');
        }
    }
}

static void change(struct lb_config *config, size_t chosen) {
    enum lb_key key = (enum lb_key)offered[chosen];
    const struct lb_key_info *info = lb_key_info(key);
    struct lb_error error = {.code = LB_OK};
    char line[300], form[160], sentence[300], explained[500];
    struct lb_text text = lb_text(form, sizeof form), why = lb_text(explained, sizeof explained);
    struct lb_text what = lb_text(sentence, sizeof sentence);
    lb_packed_add(&what, 2 * LB_CODE_COUNT + (unsigned)chosen);
    lb_key_form(&text, key);
    say("%s\n(%s)\n%s: ", sentence, form, info->word);
    if (read_line(line, sizeof line, info->type != LB_TYPE_SECRET) && line[0] != '\0' &&
        !lb_config_set(config, LB_SOURCE_PERSON, lb_bytes_of_text(info->word),
                       lb_bytes_of_text(line), &error)) {
        lb_error_format(&why, &error);
        say("%s\n", explained);
    }
    for (volatile char *at = line; at < line + sizeof line; at++)
        *at = 0; /* it may be a secret */
}

bool page_show(struct lb_config *config, const struct lb_report *report) {
    for (;;) {
        show(config, report);
        unsigned key = next_key();
        if (key == KEY_ESC)
            return false;
        if (key == KEY_ENTER)
            return lb_config_set(config, LB_SOURCE_PERSON, lb_bytes_of_text("enable"),
                                 lb_bytes_of_text("yes"), &(struct lb_error){.code = LB_OK});
        if (key >= 'a' && key < 'a' + LB_COUNT(offered))
            change(config, key - 'a');
    }
}
