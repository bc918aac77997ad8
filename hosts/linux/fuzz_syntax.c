/* Writers of syntaxes: the first byte chooses one, the rest is a value. What was written is read
 * back by a small reader of that syntax, and is the value; or it was refused, and the text is as
 * before. */
#include "core/base/addr.h"
#include "core/base/config.h"
#include "hosts/linux/syntax.h"
#include "tests/fuzz.h"
#include <string.h>

static char room[16384], value[4096], back[8192];

static struct lb_text begin(void) {
    struct lb_text text = lb_text(room, sizeof(room));
    lb_text_add(&text, "before\n");
    return text;
}

static void check_refused(const struct lb_text *text) {
    lb_assert(text->len == 7 && strcmp(room, "before\n") == 0 && !text->cut);
}

/* A shell's word: quotes are taken away, and outside of them nothing has a meaning of its own but a
 * backslash. Gives what follows the word. */
static const char *read_shell(const char *at) {
    size_t len = 0;
    bool is_quoted = false;
    for (; *at && (is_quoted || *at != '\n'); at++) {
        if (*at == '\'') {
            is_quoted = !is_quoted;
            continue;
        }
        lb_assert(is_quoted || *at == '\\');
        if (!is_quoted)
            at++;
        back[len++] = *at;
    }
    lb_assert(!is_quoted);
    back[len] = 0;
    return at;
}

static void check_shell(void) {
    struct lb_text text = begin();
    if (!lb_syntax_shell(&text, "NAME", value)) {
        check_refused(&text);
        return;
    }
    lb_assert(strncmp(room + 7, "NAME=", 5) == 0);
    lb_assert(strcmp(read_shell(room + 12), "\n") == 0 && strcmp(back, value) == 0);
    text = begin();
    if (!lb_syntax_shell(&text, value, "x"))
        check_refused(&text);
    else
        lb_assert(
            strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789") ==
            strlen(value));
}

/* One line, whose value a reader takes after the first =, without blanks at its ends. */
static void check_setting(void) {
    struct lb_text text = begin();
    if (!lb_syntax_setting(&text, "Key", value)) {
        check_refused(&text);
        return;
    }
    lb_assert(strchr(room + 7, '\n') == room + text.len - 1);
    struct lb_bytes line = lb_bytes(room + 11, text.len - 12);
    lb_assert(lb_text_is(lb_bytes_trim(line), value) && !strpbrk(value, "\\\"'$%"));
}

static void check_search(void) {
    struct lb_text text = begin();
    struct lb_bytes line, name, wanted = lb_bytes_of_text(value), one;
    if (!lb_syntax_search(&text, value)) {
        check_refused(&text);
        return;
    }
    lb_assert(strchr(room + 7, '\n') == room + text.len - 1);
    line = lb_bytes(room + 7, text.len - 8);
    lb_assert(lb_list_next(&line, ' ', &name) && lb_text_is(name, "search"));
    while (lb_list_next(&line, ' ', &name)) {
        do
            lb_assert(lb_list_next(&wanted, ' ', &one));
        while (!lb_host_name_is_plain(one));
        lb_assert(lb_bytes_equal(name, one));
    }
}

/* As lib/cmdline.c of Linux: a word ends at a blank outside of quotes; quotes around the value are
 * taken away. */
static bool is_blank(uint8_t c) {
    return c == ' ' || (c >= '\t' && c <= '\r') || c == 0xa0;
}

static void check_kernel_word(void) {
    struct lb_text text = begin();
    bool is_quoted = false;
    size_t len = 0, at = 8;
    if (!lb_syntax_kernel_word(&text, "key=", value)) {
        check_refused(&text);
        return;
    }
    lb_assert(room[7] == ' ');
    lb_text_add(&text, " after");
    for (; is_quoted || !is_blank((uint8_t)room[at]); at++) {
        if (room[at] == '"')
            is_quoted = !is_quoted;
        back[len++] = room[at];
    }
    back[len] = 0;
    lb_assert(strcmp(room + at, " after") == 0 && lb_syntax_kernel_words_are_whole(room));
    struct lb_bytes rest = lb_bytes(room + 7, text.len - 7), word;
    lb_assert(lb_config_next_word(&rest, &word));
    struct lb_bytes found = lb_config_unquote(lb_bytes_after(word, 4));
    lb_assert(lb_text_is(word, back) && lb_text_is(found, value));
}

static void check_conf(void) {
    static struct lb_config config;
    struct lb_error error = {.code = LB_OK};
    struct lb_text text = begin();
    if (!lb_syntax_conf(&text, "chap-name", value)) {
        check_refused(&text);
        return;
    }
    memset(&config, 0, sizeof(config));
    if (strlen(value) == 0 || strlen(value) > 255)
        return;
    lb_assert(lb_config_file(&config, LB_SOURCE_FILE, lb_bytes(room + 7, text.len - 7), &error));
    lb_assert(strcmp(lb_config_text(&config, LB_KEY_CHAP_NAME), value) == 0);
}

/* RFC 8259: escapes are read back; nothing in it is more than a terminal can bear. */
static void check_json(struct lb_bytes bytes) {
    struct lb_text text = lb_text(room, sizeof(room));
    size_t at = 1;
    lb_text_json(&text, bytes);
    lb_assert(!text.cut && room[0] == '"' && room[text.len - 1] == '"');
    lb_assert(lb_text_is_fit(lb_bytes(room, text.len)));
    for (; at < text.len - 1; at++) {
        lb_assert(room[at] != '"' && (uint8_t)room[at] >= 0x20);
        if (room[at] != '\\')
            continue;
        at++;
        lb_assert(strchr("\"\\nrtu", room[at]));
        if (room[at] != 'u')
            continue;
        for (size_t i = 1; i <= 4; i++)
            lb_assert(lb_hex_digit((uint8_t)room[at + i]) >= 0);
        at += 4;
    }
    lb_assert(at == text.len - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct lb_bytes bytes = lb_bytes_after(lb_bytes(data, size), 1);
    if (size > 0 && data[0] == 'j') {
        check_json(lb_bytes(bytes.p, LB_MIN(bytes.len, 1000)));
        return 0;
    }
    if (bytes.len >= 2000 || !lb_text_copy(value, sizeof(value), bytes))
        return 0;
    switch (size > 0 ? data[0] : 0) {
    case 'i':
        check_setting();
        break;
    case 'r':
        check_search();
        break;
    case 'k':
        check_kernel_word();
        break;
    case 'c':
        check_conf();
        break;
    default:
        check_shell();
    }
    return 0;
}
