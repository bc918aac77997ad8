/* grub.cfg, as far as grub-mkconfig writes it: menuentry and submenu with their braces, the linux
 * and initrd commands in them, and `set default`. It is a script, and this runs none of it. */
#include "hosts/linux/entries.h"
#include <string.h>

#define WORDS_MAX 64
#define WORD_MAX  512

struct line {
    char words[WORDS_MAX][WORD_MAX];
    size_t count;
    bool too_much;
};

struct parser {
    struct lb_entries *entries;
    unsigned partition;
    struct lb_entry *entry; /* that we are in; its braces are at entry_depth */
    unsigned depth, entry_depth;
    unsigned numbers[4]; /* of the next entry or submenu at each level of submenus */
    char path[64];       /* "1>" in the second item, a submenu */
    unsigned submenu_depths[3];
    size_t submenus;
    struct line line;
};

/* ---- words ------------------------------------------------------------------------------------
 */

static void put(struct line *line, size_t *len, char c) {
    if (*len + 1 < WORD_MAX)
        line->words[line->count][(*len)++] = c;
    else
        line->too_much = true;
}

static size_t quoted(struct line *line, struct lb_bytes text, size_t at, size_t *len) {
    char quote = (char)text.p[at++];
    while (at < text.len && text.p[at] != (uint8_t)quote) {
        if (text.p[at] == '\\' && quote == '"' && at + 1 < text.len)
            at++;
        put(line, len, (char)text.p[at++]);
    }
    return at + 1;
}

/* One word from `at` on; gives where it ends. Quotes may begin within it. */
static size_t take_word(struct line *line, struct lb_bytes text, size_t at) {
    size_t len = 0;
    while (at < text.len && text.p[at] != ' ' && text.p[at] != '\t') {
        if (text.p[at] == '\'' || text.p[at] == '"') {
            at = quoted(line, text, at, &len);
            continue;
        }
        if (text.p[at] == '\\' && at + 1 < text.len)
            at++;
        put(line, &len, (char)text.p[at++]);
    }
    line->words[line->count++][len] = 0;
    return at;
}

static void split(struct line *line, struct lb_bytes text) {
    size_t at = 0;
    line->count = 0;
    line->too_much = false;
    while (at < text.len) {
        if (text.p[at] == ' ' || text.p[at] == '\t') {
            at++;
            continue;
        }
        if (text.p[at] == '#')
            return;
        if (line->count == WORDS_MAX) {
            line->too_much = true;
            return;
        }
        at = take_word(line, text, at);
    }
}

/* ---- commands ---------------------------------------------------------------------------------
 */

static bool is_command(const struct line *line, const char *name) {
    size_t len = strlen(name);
    const char *word = line->words[0];
    return strncmp(word, name, len) == 0 &&
           (word[len] == 0 || strcmp(word + len, "16") == 0 || strcmp(word + len, "efi") == 0);
}

/* "(hd0,gpt2)/vmlinuz": the path. */
static bool take_path(char *to, size_t cap, const char *word) {
    if (word[0] == '(' && strchr(word, ')'))
        word = strchr(word, ')') + 1;
    return word[0] == '/' && !strchr(word, '$') && lb_text_copy(to, cap, lb_bytes_of_text(word));
}

static void take_linux(struct lb_entry *entry, const struct line *line) {
    struct lb_text options = lb_text(entry->options, sizeof(entry->options));
    if (line->count < 2 || line->too_much ||
        !take_path(entry->kernel, sizeof(entry->kernel), line->words[1]))
        return;
    for (size_t i = 2; i < line->count; i++) {
        const char *word = line->words[i];
        bool has_space = strpbrk(word, " \t") != NULL;
        if (word[0] != '$' && word[0] != 0)
            lb_text_add(&options, "%s%s%s%s", options.len > 0 ? " " : "", has_space ? "\"" : "",
                        word, has_space ? "\"" : "");
    }
    if (options.cut)
        entry->kernel[0] = 0; /* half a command line may be worse than none */
}

static void take_initrds(struct lb_entry *entry, const struct line *line) {
    for (size_t i = 1; i < line->count; i++) {
        char *to = entry->initrds[entry->initrd_count];
        if (entry->initrd_count < LB_ENTRY_INITRDS_MAX &&
            take_path(to, sizeof(entry->initrds[0]), line->words[i]))
            entry->initrd_count++;
    }
}

/* `set default="0"`: the last one that is no variable. */
static void take_default(struct lb_entries *entries, const struct line *line) {
    static const char name[] = "default=";
    const char *word = line->count == 2 ? line->words[1] : "";
    if (strncmp(word, name, strlen(name)) == 0 && word[strlen(name)] && !strchr(word, '$'))
        (void)lb_text_copy(entries->wanted, sizeof(entries->wanted),
                           lb_bytes_of_text(word + strlen(name)));
}

/* --id ID, or what grub-mkconfig writes: $menuentry_id_option 'ID'. */
static const char *id_of(const struct line *line) {
    for (size_t i = 2; i + 1 < line->count; i++) {
        if (strcmp(line->words[i], "--id") == 0 ||
            strcmp(line->words[i], "$menuentry_id_option") == 0)
            return line->words[i + 1];
    }
    return NULL;
}

/* ---- menus ------------------------------------------------------------------------------------
 */

/* The number of an item, as grub writes it: "0", "1>2". */
static void item_number(struct parser *p, char *to, size_t cap) {
    lb_format(to, cap, "%s%u", p->path, p->numbers[p->submenus]++);
}

static void begin_entry(struct parser *p) {
    char number[LB_GRUB_DEFAULT_MAX];
    const char *id = id_of(&p->line);
    struct lb_entry *entry;
    item_number(p, number, sizeof(number));
    /* The default may be told by number; the entry is then known by it. */
    if (strcmp(p->entries->wanted, number) == 0)
        (void)lb_text_copy(p->entries->wanted, sizeof(p->entries->wanted),
                           lb_bytes_of_text(id ? id : number));
    entry = lb_entries_add(p->entries);
    if (!entry)
        return;
    entry->kind = LB_ENTRY_GRUB;
    entry->partition = p->partition;
    lb_format(entry->id, sizeof(entry->id), "%s", id ? id : number);
    lb_format(entry->title, sizeof(entry->title), "%s", p->line.count > 1 ? p->line.words[1] : "");
    p->entry = entry;
    p->entry_depth = p->depth;
}

static void begin_submenu(struct parser *p) {
    char number[sizeof(p->path)];
    item_number(p, number, sizeof(number));
    if (p->submenus == LB_COUNT(p->submenu_depths))
        return; /* its entries are as those of the menu around it */
    p->submenu_depths[p->submenus++] = p->depth;
    p->numbers[p->submenus] = 0;
    lb_format(p->path, sizeof(p->path), "%s>", number);
}

/* Without its last item. */
static void end_submenu(struct parser *p) {
    char *end = strrchr(p->path, '>');
    if (end)
        *end = 0;
    end = strrchr(p->path, '>');
    if (end)
        end[1] = 0;
    else
        p->path[0] = 0;
    p->submenus--;
}

static void end_entry(struct parser *p) {
    if (p->entry->kernel[0] == 0)
        p->entries->count--; /* it is the last one: a memory test, the firmware's setup */
    p->entry = NULL;
}

static void close_brace(struct parser *p) {
    if (p->depth > 0)
        p->depth--;
    if (p->entry && p->depth == p->entry_depth)
        end_entry(p);
    else if (p->submenus > 0 && p->depth == p->submenu_depths[p->submenus - 1])
        end_submenu(p);
}

static void take_line(struct parser *p) {
    struct line *line = &p->line;
    bool opens = line->count > 0 && strcmp(line->words[line->count - 1], "{") == 0;
    if (line->count == 0)
        return;
    if (strcmp(line->words[0], "}") == 0)
        close_brace(p);
    else if (p->entry && is_command(line, "linux"))
        take_linux(p->entry, line);
    else if (p->entry && is_command(line, "initrd"))
        take_initrds(p->entry, line);
    else if (!p->entry && opens && strcmp(line->words[0], "menuentry") == 0)
        begin_entry(p);
    else if (!p->entry && opens && strcmp(line->words[0], "submenu") == 0)
        begin_submenu(p);
    else if (!p->entry && strcmp(line->words[0], "set") == 0)
        take_default(p->entries, line);
    if (opens)
        p->depth++;
}

/* "SUBMENU>ENTRY", by ids or titles: entries are looked for in all menus. */
static void keep_last_item(char *wanted) {
    const char *last = strrchr(wanted, '>');
    if (last)
        memmove(wanted, last + 1, strlen(last));
}

void lb_entries_grub(struct lb_entries *entries, struct lb_bytes text, unsigned partition) {
    static struct parser p; /* its line is large */
    struct lb_bytes line;
    p = (struct parser){.entries = entries, .partition = partition};
    while (lb_list_next(&text, '\n', &line)) {
        split(&p.line, line);
        take_line(&p);
    }
    if (p.entry) /* it never ended */
        end_entry(&p);
    keep_last_item(entries->wanted);
}
