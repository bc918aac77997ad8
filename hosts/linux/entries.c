#include "hosts/linux/entries.h"
#include "core/base/config.h"
#include <stdlib.h>
#include <string.h>

const char *lb_entry_kind_word(enum lb_entry_kind kind) {
    switch (kind) {
    case LB_ENTRY_FILE:
        return "boot loader entry";
    case LB_ENTRY_IMAGE:
        return "unified kernel image";
    case LB_ENTRY_GRUB:
        return "grub.cfg";
    case LB_ENTRY_CONFIGURED:
        return "configuration";
    }
    return "";
}

struct lb_entry *lb_entries_add(struct lb_entries *entries) {
    if (entries->count == LB_ENTRIES_MAX) {
        entries->dropped++;
        return NULL;
    }
    entries->list[entries->count] = (struct lb_entry){0};
    return &entries->list[entries->count++];
}

/* The next line, without blanks around it. */
static bool next_line(struct lb_bytes *text, struct lb_bytes *line) {
    return lb_list_next(text, '\n', line);
}

/* Takes the first word off a line. */
static struct lb_bytes take_word(struct lb_bytes *line) {
    size_t len = 0;
    while (len < line->len && line->p[len] != ' ' && line->p[len] != '\t')
        len++;
    struct lb_bytes word = lb_bytes(line->p, len);
    *line = lb_bytes_trim(lb_bytes_after(*line, len));
    return word;
}

static bool append(char *to, size_t cap, const char *between, struct lb_bytes value) {
    struct lb_text text = {.at = to, .len = strlen(to), .cap = cap};
    lb_text_add(&text, "%s%.*s", text.len > 0 ? between : "", (int)value.len,
                (const char *)value.p);
    return !text.cut;
}

/* ---- type 1 ---------------------------------------------------------------------------------- */

static bool is_our_architecture(struct lb_bytes word) {
#if defined(__x86_64__)
    return lb_text_is(word, "x64");
#elif defined(__aarch64__)
    return lb_text_is(word, "aa64");
#else
    return word.len == 0;
#endif
}

/* NAME+LEFT or NAME+LEFT-DONE: boot counting. */
static void take_name(struct lb_entry *entry, const char *name) {
    const char *plus = strrchr(name, '+');
    size_t len = plus ? (size_t)(plus - name) : strlen(name);
    entry->is_bad = plus && plus[1] == '0' && (plus[2] == 0 || plus[2] == '-');
    (void)lb_text_copy(entry->id, sizeof(entry->id), lb_bytes(name, len));
}

static bool add_initrd(struct lb_entry *entry, struct lb_bytes path) {
    return entry->initrd_count < LB_ENTRY_INITRDS_MAX && path.len > 0 &&
           lb_text_copy(entry->initrds[entry->initrd_count++], sizeof(entry->initrds[0]), path);
}

/* One path, which may have blanks; GRUB takes several, and variables among them. */
static bool take_initrds(struct lb_entry *entry, const struct lb_grub_env *grub,
                         struct lb_bytes value) {
    char text[LB_GRUB_WORD_MAX];
    struct lb_bytes list, word;
    if (value.len == 0)
        return false; /* as GRUB has it, a command without its file */
    if (!memchr(value.p, '$', value.len) && !memmem(value.p, value.len, " /", 2))
        return add_initrd(entry, value);
    if (!lb_grub_expand(grub, value, text, sizeof(text)))
        return false;
    list = lb_bytes_of_text(text);
    while (lb_list_next(&list, ' ', &word)) {
        if (word.len > 0 && !add_initrd(entry, word))
            return false;
    }
    return true;
}

/* With single blanks between the words. */
static bool take_options(struct lb_entry *entry, const struct lb_grub_env *grub,
                         struct lb_bytes value) {
    char text[LB_ENTRY_OPTIONS_MAX];
    struct lb_bytes list, word;
    if (!lb_grub_expand(grub, value, text, sizeof(text)))
        return false;
    list = lb_bytes_of_text(text);
    while (lb_config_next_word(&list, &word)) {
        if (!append(entry->options, sizeof(entry->options), " ", word))
            return false;
    }
    return true;
}

/* False: not for us. */
static bool take_key(struct lb_entry *entry, const struct lb_grub_env *grub, struct lb_bytes key,
                     struct lb_bytes value) {
    if (lb_text_is(key, "title"))
        return lb_text_copy(entry->title, sizeof(entry->title), value);
    if (lb_text_is(key, "version"))
        return lb_text_copy(entry->version, sizeof(entry->version), value);
    if (lb_text_is(key, "sort-key"))
        return lb_text_copy(entry->sort_key, sizeof(entry->sort_key), value);
    if (lb_text_is(key, "machine-id"))
        return lb_text_copy(entry->machine_id, sizeof(entry->machine_id), value);
    if (lb_text_is(key, "linux"))
        return lb_text_copy(entry->kernel, sizeof(entry->kernel), value);
    if (lb_text_is(key, "options"))
        return take_options(entry, grub, value);
    if (lb_text_is(key, "architecture"))
        return is_our_architecture(value);
    if (!lb_text_is(key, "initrd"))
        return true; /* what is not known is passed over */
    return take_initrds(entry, grub, value);
}

/* Fedora's GRUB has these where an entry has no options (blscfg.c). */
static bool add_default_options(struct lb_entry *entry, const struct lb_grub_env *grub) {
    const char *options = lb_grub_env_get(grub, "default_kernelopts");
    return !options || take_options(entry, grub, lb_bytes_of_text(options));
}

bool lb_entry_parse(struct lb_bytes text, const char *name, const struct lb_grub_env *grub,
                    struct lb_entry *entry) {
    struct lb_entry made = {.kind = LB_ENTRY_FILE};
    bool has_options = false;
    struct lb_bytes line;
    take_name(&made, name);
    while (next_line(&text, &line)) {
        struct lb_bytes key;
        if (line.len == 0 || line.p[0] == '#')
            continue;
        key = take_word(&line);
        has_options = has_options || lb_text_is(key, "options");
        if (!take_key(&made, grub, key, line))
            return false;
    }
    if (made.kernel[0] == 0 || made.id[0] == 0)
        return false;
    if (!has_options && !add_default_options(&made, grub))
        return false;
    *entry = made;
    return true;
}

/* It stands above what a grub.cfg says. */
static void take_loaders_default(struct lb_entries *entries, struct lb_bytes value) {
    (void)lb_text_copy(entries->wanted, sizeof(entries->wanted), value);
    entries->is_wanted_once = false;
}

void lb_entries_loader_conf(struct lb_entries *entries, struct lb_bytes text) {
    struct lb_bytes line;
    while (next_line(&text, &line)) {
        struct lb_bytes key = take_word(&line);
        if (lb_text_is(key, "default") && line.len > 0 && line.p[0] != '@')
            take_loaders_default(entries, line);
    }
}

/* ---- order ----------------------------------------------------------------------------------- */

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* A run of digits compares as a number of any length. */
static int compare_numbers(const char **a, const char **b) {
    size_t len_a = 0, len_b = 0;
    int order;
    while (**a == '0')
        ++*a;
    while (**b == '0')
        ++*b;
    while (is_digit((*a)[len_a]))
        len_a++;
    while (is_digit((*b)[len_b]))
        len_b++;
    order = len_a != len_b ? (len_a < len_b ? -1 : 1) : memcmp(*a, *b, len_a);
    *a += len_a;
    *b += len_b;
    return order;
}

static int compare_letters(const char **a, const char **b) {
    while (is_letter(**a) && is_letter(**b) && **a == **b) {
        ++*a;
        ++*b;
    }
    if (!is_letter(**a) && !is_letter(**b))
        return 0;
    return is_letter(**a) && (!is_letter(**b) || **a > **b) ? 1 : -1;
}

/* The Version Format Specification, as far as kernels' names need it: runs of digits and letters
 * are compared one by one, `~` is before everything, also before the end. */
int lb_version_compare(const char *a, const char *b) {
    while (*a || *b) {
        int order;
        while (*a && !is_digit(*a) && !is_letter(*a) && *a != '~')
            a++;
        while (*b && !is_digit(*b) && !is_letter(*b) && *b != '~')
            b++;
        if (*a == '~' || *b == '~') {
            if (*a != *b)
                return *a == '~' ? -1 : 1;
            a++;
            b++;
            continue;
        }
        if (!*a || !*b)
            return *a ? 1 : *b ? -1 : 0;
        if (is_digit(*a) != is_digit(*b))
            return is_digit(*a) ? 1 : -1;
        order = is_digit(*a) ? compare_numbers(&a, &b) : compare_letters(&a, &b);
        if (order)
            return order;
    }
    return 0;
}

/* <0: a comes first. */
static int compare(const void *left, const void *right) {
    const struct lb_entry *a = left, *b = right;
    bool has_a = a->sort_key[0] != 0, has_b = b->sort_key[0] != 0;
    int order;
    if (a->is_bad != b->is_bad)
        return a->is_bad ? 1 : -1;
    if (has_a != has_b)
        return has_a ? -1 : 1;
    if (has_a) {
        order = strcmp(a->sort_key, b->sort_key);
        if (order == 0)
            order = strcmp(a->machine_id, b->machine_id);
        if (order == 0)
            order = -lb_version_compare(a->version, b->version);
        if (order)
            return order;
    }
    return -lb_version_compare(a->id, b->id);
}

void lb_entries_sort(struct lb_entries *entries) {
    if (entries->count > 0 && entries->list[0].kind != LB_ENTRY_GRUB)
        qsort(entries->list, entries->count, sizeof(entries->list[0]), compare);
}

/* In time that grows with the product of the lengths: the pattern may be the disk's. */
bool lb_pattern_matches(const char *pattern, const char *text) {
    const char *star = NULL, *retry = NULL;
    while (*text) {
        if (*pattern == '*') {
            star = pattern++;
            retry = text;
        } else if (*pattern == '?' || *pattern == *text) {
            pattern++;
            text++;
        } else if (star) {
            pattern = star + 1;
            text = ++retry;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == 0;
}

static bool is_wanted(const struct lb_entry *entry, const char *wanted) {
    char name[160];
    /* loader.conf says "NAME.conf", people say NAME, or read the title from a screen. */
    lb_format(name, sizeof(name), "%s.%s", entry->id,
              entry->kind == LB_ENTRY_IMAGE ? "efi" : "conf");
    return lb_pattern_matches(wanted, entry->id) || lb_pattern_matches(wanted, name) ||
           strcmp(wanted, entry->title) == 0;
}

static const struct lb_entry *find(const struct lb_entries *entries, const char *wanted) {
    for (size_t i = 0; wanted[0] && i < entries->count; i++) {
        if (is_wanted(&entries->list[i], wanted))
            return &entries->list[i];
    }
    return NULL;
}

/* GRUB's default for a menu of the specification's entries may be a number. */
static const struct lb_entry *find_number(const struct lb_entries *entries) {
    uint64_t number;
    if (!entries->has_blscfg || !lb_parse_u64(lb_bytes_of_text(entries->wanted), SIZE_MAX, &number))
        return NULL;
    return number < entries->count ? &entries->list[number] : NULL;
}

static const struct lb_entry *find_default(const struct lb_entries *entries) {
    const struct lb_entry *found;
    if (entries->preferred > 0)
        return &entries->list[entries->preferred - 1];
    found = find(entries, entries->wanted);
    return found ? found : find_number(entries);
}

bool lb_entries_is_once(const struct lb_entries *entries, const struct lb_entry *entry) {
    return entries->is_wanted_once && entry == find_default(entries);
}

const struct lb_entry *lb_entries_choose(const struct lb_entries *entries, const char *wanted) {
    const struct lb_entry *found = wanted[0] ? find(entries, wanted) : find_default(entries);
    if (found || wanted[0] || entries->count == 0)
        return found;
    return &entries->list[0];
}

/* ---- os-release ------------------------------------------------------------------------------ */

void lb_release_value(struct lb_bytes text, const char *key, char *to, size_t cap) {
    struct lb_bytes line, name;
    char value[LB_ENTRY_OPTIONS_MAX];
    while (lb_list_next(&text, '\n', &line)) {
        struct lb_bytes rest = line;
        if (!lb_list_next(&rest, '=', &name) || !lb_text_is(name, key))
            continue;
        if (rest.len >= 2 && (rest.p[0] == '"' || rest.p[0] == '\''))
            rest = lb_bytes(rest.p + 1, rest.len - 2);
        if (rest.len < cap && lb_text_copy(value, LB_MIN(cap, sizeof(value)), rest))
            (void)lb_text_copy(to, cap, rest);
    }
}

/* ---- type 2 ---------------------------------------------------------------------------------- */

static void take_section(struct lb_image *image, struct lb_rd rd, uint64_t file_len) {
    struct lb_bytes name = lb_rd_bytes(&rd, 8);
    uint32_t size = lb_rd_u32le(&rd), len, offset;
    lb_rd_skip(&rd, 4); /* address */
    len = lb_rd_u32le(&rd);
    offset = lb_rd_u32le(&rd);
    len = LB_MIN(len, size); /* the file's part is padded */
    if (!lb_rd_ok(&rd) || offset > file_len || len > file_len - offset)
        return;
    const struct {
        const char *name;
        struct lb_image_part *part;
    } known[] = {{".linux\0", &image->kernel},
                 {".initrd\0", &image->initrd},
                 {".cmdline", &image->options},
                 {".osrel\0", &image->release}};
    for (size_t i = 0; i < LB_COUNT(known); i++) {
        if (strncmp((const char *)name.p, known[i].name, 8) == 0)
            *known[i].part = (struct lb_image_part){.offset = offset, .len = len};
    }
}

bool lb_image_parse(struct lb_bytes head, uint64_t file_len, struct lb_image *image) {
    struct lb_image made = {0};
    struct lb_rd rd = lb_rd(head);
    uint32_t at;
    uint16_t count, optional_len;
    if (lb_rd_u16le(&rd) != 0x5a4d) /* MZ */
        return false;
    lb_rd_skip(&rd, 58);
    at = lb_rd_u32le(&rd);
    rd = lb_rd(head);
    lb_rd_skip(&rd, at);
    if (lb_rd_u32le(&rd) != 0x4550) /* PE */
        return false;
    lb_rd_skip(&rd, 2);
    count = lb_rd_u16le(&rd);
    lb_rd_skip(&rd, 12);
    optional_len = lb_rd_u16le(&rd);
    lb_rd_skip(&rd, 2 + (size_t)optional_len);
    for (unsigned i = 0; i < count && lb_rd_ok(&rd); i++)
        take_section(&made, lb_rd(lb_rd_bytes(&rd, 40)), file_len);
    if (!lb_rd_ok(&rd) || made.kernel.len == 0)
        return false;
    *image = made;
    return true;
}
