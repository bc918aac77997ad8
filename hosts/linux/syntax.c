#include "hosts/linux/syntax.h"
#include "core/base/addr.h"
#include <stdlib.h>
#include <string.h>

static bool is_variable(const char *name) {
    size_t i = 0;
    for (; name[i]; i++) {
        uint8_t lower = lb_ascii_lower((uint8_t)name[i]);
        bool is_digit = name[i] >= '0' && name[i] <= '9';
        if (!(lower >= 'a' && lower <= 'z') && name[i] != '_' && !(is_digit && i > 0))
            return false;
    }
    return i > 0;
}

/* Back to what it was, unless all of it fitted. */
static bool settle(struct lb_text *text, const struct lb_text *before, bool is_good) {
    if (is_good && !text->cut)
        return true;
    *text = *before;
    text->at[text->len] = 0;
    return false;
}

/* Within single quotes a shell takes everything as it is, but for the quote itself. */
bool lb_syntax_shell(struct lb_text *text, const char *name, const char *value) {
    struct lb_text before = *text;
    lb_text_add(text, "%s='", name);
    for (; *value; value++)
        lb_text_add(text, *value == '\'' ? "'\\%c'" : "%c", *value);
    lb_text_add(text, "'\n");
    return settle(text, &before, is_variable(name));
}

static bool has_edge_blank(const char *value) {
    struct lb_bytes bytes = lb_bytes_of_text(value);
    return lb_bytes_trim(bytes).len != bytes.len;
}

bool lb_syntax_setting(struct lb_text *text, const char *key, const char *value) {
    struct lb_text before = *text;
    lb_text_add(text, "%s=%s\n", key, value);
    return settle(text, &before,
                  value[0] && !has_edge_blank(value) && !strpbrk(value, "\\\"'$%") &&
                      lb_text_is_fit(lb_bytes_of_text(value)));
}

bool lb_syntax_search(struct lb_text *text, const char *names) {
    struct lb_text before = *text;
    struct lb_bytes rest = lb_bytes_of_text(names), name;
    size_t count = 0;
    lb_text_add(text, "search");
    while (lb_list_next(&rest, ' ', &name)) {
        if (!lb_host_name_is_plain(name))
            continue;
        lb_text_add(text, " %.*s", (int)name.len, (const char *)name.p);
        count++;
    }
    lb_text_add(text, "\n");
    return settle(text, &before, count > 0);
}

/* As the kernel's ctype has it: Latin-1, so that a byte of UTF-8 may be one, too. */
static bool is_kernel_blank(uint8_t c) {
    return c == ' ' || (c >= '\t' && c <= '\r') || c == 0xa0;
}

static bool needs_quotes(const char *value) {
    for (; *value; value++) {
        if (is_kernel_blank((uint8_t)*value))
            return true;
    }
    return false;
}

bool lb_syntax_kernel_word(struct lb_text *text, const char *key, const char *value) {
    struct lb_text before = *text;
    const char *quote = needs_quotes(value) ? "\"" : "";
    bool is_good = !strchr(value, '"');
    for (const char *c = value; *c; c++)
        is_good = is_good && (uint8_t)*c >= 0x20 && *c != 0x7f;
    lb_text_add(text, "%s%s%s%s%s", text->len > 0 ? " " : "", key, quote, value, quote);
    return settle(text, &before, is_good);
}

bool lb_syntax_kernel_words_are_whole(const char *words) {
    bool is_open = false;
    for (; *words; words++)
        is_open = is_open != (*words == '"');
    return !is_open;
}

bool lb_syntax_conf(struct lb_text *text, const char *key, const char *value) {
    struct lb_text before = *text;
    lb_text_add(text, "%s = %s\n", key, value);
    return settle(text, &before, !has_edge_blank(value) && lb_text_is_fit(lb_bytes_of_text(value)));
}

void lb_syntax_environment(const char *name, const char *value) {
    if (value[0] && lb_text_is_fit(lb_bytes_of_text(value)))
        setenv(name, value, 1);
    else
        unsetenv(name);
}
