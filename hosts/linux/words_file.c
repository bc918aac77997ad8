/* open-iscsi's files: iscsi.initramfs, which its script has a shell read, and
 * initiatorname.iscsi. */
#include "hosts/linux/words_parts.h"
#include <string.h>

/* ---- a shell's words ------------------------------------------------------------------------- */

static bool is_blank(uint8_t c) {
    return c == ' ' || c == '\t' || c == '\r';
}

static bool is_end(uint8_t c) {
    return c == '\n' || c == ';';
}

static bool is_name(uint8_t c) {
    uint8_t lower = lb_ascii_lower(c);
    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

static uint8_t next(struct lb_bytes *text) {
    uint8_t c = text->p[0];
    *text = lb_bytes_after(*text, 1);
    return c;
}

/* The rest of a line; a quote may reach over it, and then the line is no assignment of ours. */
static void skip_line(struct lb_bytes *text) {
    while (text->len > 0 && next(text) != '\n')
        ;
}

struct value {
    char *at;
    size_t len, cap;
    bool is_worked_out; /* by a shell: $ or ` */
    bool is_open;       /* a quote does not close, or it does not fit */
};

static void put(struct value *value, uint8_t c) {
    if (value->len == value->cap)
        value->is_open = true;
    else
        value->at[value->len++] = (char)c;
}

static void take_single(struct lb_bytes *text, struct value *value) {
    while (text->len > 0) {
        uint8_t c = next(text);
        if (c == '\'')
            return;
        put(value, c);
    }
    value->is_open = true;
}

/* POSIX 2.2.3: a backslash counts before $ ` " \ and the end of a line alone. */
static void take_double(struct lb_bytes *text, struct value *value) {
    while (text->len > 0) {
        uint8_t c = next(text);
        if (c == '"')
            return;
        value->is_worked_out = value->is_worked_out || c == '$' || c == '`';
        if (c == '\\' && text->len > 0 && strchr("$`\"\\\n", text->p[0]) && text->p[0] != 0) {
            c = next(text);
            if (c == '\n')
                continue;
        }
        put(value, c);
    }
    value->is_open = true;
}

static void take_value(struct lb_bytes *text, struct value *value) {
    while (text->len > 0 && !is_blank(text->p[0]) && !is_end(text->p[0])) {
        uint8_t c = next(text);
        if (c == '\'') {
            take_single(text, value);
        } else if (c == '"') {
            take_double(text, value);
        } else if (c == '\\' && text->len > 0) {
            c = next(text);
            if (c != '\n')
                put(value, c);
        } else {
            value->is_worked_out = value->is_worked_out || c == '$' || c == '`';
            put(value, c);
        }
    }
}

/* NAME= at the beginning; the text then begins behind it. */
static bool take_name(struct lb_bytes *text, struct lb_bytes *name) {
    size_t len = 0;
    while (len < text->len && is_name(text->p[len]))
        len++;
    if (len == 0 || len == text->len || text->p[len] != '=')
        return false;
    *name = lb_bytes(text->p, len);
    *text = lb_bytes_after(*text, len + 1);
    return true;
}

static void skip_blanks(struct lb_bytes *text) {
    while (text->len > 0 && (is_blank(text->p[0]) || is_end(text->p[0])))
        next(text);
}

void lb_words_read_file(struct lb_words *words, struct lb_bytes file) {
    static const char *const marks = "iscsi.initramfs";
    struct lb_bytes name;
    for (skip_blanks(&file); file.len > 0; skip_blanks(&file)) {
        if (file.p[0] == '#') {
            skip_line(&file);
            continue;
        }
        if (lb_words_start_with(file, "export ") || lb_words_start_with(file, "export\t")) {
            file = lb_bytes_after(file, 7);
            continue;
        }
        if (!take_name(&file, &name)) {
            lb_words_note(words, "a line of %s that is no assignment is passed over", marks);
            skip_line(&file);
            continue;
        }
        struct value value = {.at = words->file + words->file_used,
                              .cap = sizeof(words->file) - words->file_used};
        take_value(&file, &value);
        if (value.is_worked_out || value.is_open) {
            lb_words_note(words, "%.*s in %s is passed over: lunboot is no shell",
                          (int)LB_MIN(name.len, 32), (const char *)name.p, marks);
            continue;
        }
        struct lb_bytes given = lb_bytes(value.at, value.len);
        words->file_used += value.len;
        if (lb_words_start_with(name, "ISCSI_"))
            (void)lb_words_take(words, name, &given, LB_SOURCE_OPEN_ISCSI);
    }
}

/* ---- the initiator's name -------------------------------------------------------------------- */

static struct lb_bytes unquoted(struct lb_bytes text) {
    bool has = text.len >= 2 && (text.p[0] == '"' || text.p[0] == '\'') &&
               text.p[text.len - 1] == text.p[0];
    return has ? lb_bytes(text.p + 1, text.len - 2) : text;
}

struct lb_bytes lb_words_initiator_name(struct lb_bytes file) {
    static const char key[] = "InitiatorName";
    struct lb_bytes line, name = lb_bytes("", 0);
    while (lb_list_next(&file, '\n', &line)) {
        struct lb_bytes rest;
        if (!lb_words_start_with(line, key))
            continue;
        rest = lb_bytes_trim(lb_bytes_after(line, sizeof(key) - 1));
        if (rest.len > 0 && rest.p[0] == '=')
            name = unquoted(lb_bytes_trim(lb_bytes_after(rest, 1)));
    }
    return name;
}

bool lb_words_loader_partition(struct lb_bytes variable, char holds[LB_WORDS_HOLDS_BYTES]) {
    struct lb_text text = lb_text(holds, LB_WORDS_HOLDS_BYTES);
    struct lb_rd rd = lb_rd(variable);
    lb_rd_skip(&rd, 4);
    lb_text_add(&text, "PARTUUID=");
    for (unsigned i = 0; i < 36; i++) {
        unsigned unit = lb_rd_u16le(&rd);
        bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
        bool is_digit = (unit >= '0' && unit <= '9') || (unit >= 'a' && unit <= 'f') ||
                        (unit >= 'A' && unit <= 'F');
        if (is_dash ? unit != '-' : !is_digit)
            return false;
        lb_text_add(&text, "%c", (int)lb_ascii_lower((uint8_t)unit));
    }
    return lb_rd_ok(&rd) && (rd.left == 0 || lb_rd_u16le(&rd) == 0);
}
