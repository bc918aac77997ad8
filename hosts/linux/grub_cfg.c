/* The menu of a grub.cfg: menuentry and submenu with their braces, the linux and initrd commands in
 * them, and which entry is the default. Conditions are followed where what they ask is known
 * (grub.h); other commands are passed over. */
#include "hosts/linux/entries.h"
#include "hosts/linux/syntax.h"
#include <string.h>

#define SUBMENUS_MAX 16
#define NUMBER_MAX   64

/* An item of a menu, for the default that names it. */
struct submenu {
    char number[NUMBER_MAX]; /* "1", or "1>2" in another */
    char title[128], id[128];
};

struct parser {
    struct lb_entries *entries;
    unsigned partition;
    struct lb_entry *entry; /* that we are in; its braces are at entry_depth */
    unsigned depth, entry_depth;
    unsigned function_depth; /* 1 + the depth of the function that we are in: it is not called */
    unsigned numbers[4];     /* of the next entry or submenu at each level of submenus */
    char path[NUMBER_MAX];   /* "1>" in the second item, a submenu */
    unsigned submenu_depths[3];
    size_t submenus;
    struct lb_grub_blocks blocks;
    struct lb_grub_command command;
    char entry_numbers[LB_ENTRIES_MAX][NUMBER_MAX];
    struct submenu known[SUBMENUS_MAX];
    size_t known_count;
};

/* ---- commands -------------------------------------------------------------------------------- */

static bool is_command(const struct lb_grub_command *command, const char *name) {
    size_t len = strlen(name);
    const char *word = command->words[0];
    return strncmp(word, name, len) == 0 &&
           (word[len] == 0 || strcmp(word + len, "16") == 0 || strcmp(word + len, "efi") == 0);
}

/* "(hd0,gpt2)/vmlinuz": the path. One that needs a variable without a value is none. */
static bool take_path(char *to, size_t cap, const char *word) {
    static const char marks[] = {LB_GRUB_UNSET, LB_GRUB_UNKNOWN, 0};
    if (word[0] == '(' && strchr(word, ')'))
        word = strchr(word, ')') + 1;
    return word[0] == '/' && !strpbrk(word, marks) && lb_text_copy(to, cap, lb_bytes_of_text(word));
}

static void take_linux(struct lb_entry *entry, struct lb_grub_command *command) {
    struct lb_text options = lb_text(entry->options, sizeof(entry->options));
    bool is_whole = true;
    entry->kernel[0] = 0;
    entry->initrd_count = 0; /* as GRUB forgets them */
    if (command->count < 2 || command->is_cut ||
        !take_path(entry->kernel, sizeof(entry->kernel), command->words[1]))
        return;
    for (size_t i = 2; i < command->count; i++) {
        char *word = command->words[i];
        lb_grub_strip(word);
        if (word[0] != 0)
            is_whole = lb_syntax_kernel_word(&options, "", word) && is_whole;
    }
    if (!is_whole)
        entry->is_left_out = true; /* half a command line may be worse than none */
}

/* A word of variables without a value is empty. An entry with an initramfs that does not fit, or
 * whose name is not known, would start without it, so it is left out. */
static void take_initrds(struct lb_entry *entry, const struct lb_grub_command *command) {
    static const char marks[] = {LB_GRUB_UNSET, LB_GRUB_UNKNOWN, 0};
    bool fits = !command->is_cut;
    for (size_t i = 1; i < command->count; i++) {
        const char *word = command->words[i];
        if (word[0] == 0 || strpbrk(word, marks))
            continue;
        fits = fits && entry->initrd_count < LB_ENTRY_INITRDS_MAX &&
               take_path(entry->initrds[entry->initrd_count], sizeof(entry->initrds[0]), word);
        entry->initrd_count += fits ? 1 : 0;
    }
    entry->is_left_out = entry->is_left_out || !fits;
}

/* NAME=VALUE: of `set`, or a command of its own. */
static void take_value(struct lb_grub_env *env, char *word) {
    char *value = strchr(word, '=');
    if (!value)
        return;
    *value++ = 0;
    if (strchr(value, LB_GRUB_UNKNOWN)) {
        lb_grub_env_forget(env, word);
        return;
    }
    lb_grub_strip(value);
    (void)lb_grub_env_set(env, word, value);
}

/* `search --set=NAME`, `probe --set NAME`, `regexp -s NAME`: what it gives is not known. */
static void forget_set(struct lb_grub_env *env, const struct lb_grub_command *command) {
    static const char option[] = "--set=";
    for (size_t i = 1; i < command->count; i++) {
        const char *word = command->words[i];
        if (strncmp(word, option, strlen(option)) == 0)
            lb_grub_env_forget(env, word + strlen(option));
        else if ((strcmp(word, "--set") == 0 || strcmp(word, "-s") == 0) && i + 1 < command->count)
            lb_grub_env_forget(env, command->words[i + 1]);
    }
}

/* --id ID; grub-mkconfig writes $menuentry_id_option. */
static const char *id_of(const struct lb_grub_command *command) {
    for (size_t i = 2; i + 1 < command->count; i++) {
        if (strcmp(command->words[i], "--id") == 0)
            return command->words[i + 1];
    }
    return NULL;
}

/* ---- menus ----------------------------------------------------------------------------------- */

/* The number of an item, as grub writes it: "0", "1>2". */
static void item_number(struct parser *p, char *to, size_t cap) {
    lb_format(to, cap, "%s%u", p->path, p->numbers[p->submenus]++);
}

static void begin_entry(struct parser *p) {
    char number[NUMBER_MAX];
    const char *id = id_of(&p->command);
    struct lb_entry *entry;
    item_number(p, number, sizeof(number));
    entry = lb_entries_add(p->entries);
    if (!entry)
        return;
    memcpy(p->entry_numbers[p->entries->count - 1], number, sizeof(number));
    entry->kind = LB_ENTRY_GRUB;
    entry->partition = p->partition;
    entry->is_left_out =
        !lb_text_copy(entry->id, sizeof(entry->id), lb_bytes_of_text(id ? id : number));
    lb_format(entry->title, sizeof(entry->title), "%s",
              p->command.count > 1 ? p->command.words[1] : "");
    p->entry = entry;
    p->entry_depth = p->depth;
}

static void keep_submenu(struct parser *p, const char *number) {
    struct submenu *kept = &p->known[p->known_count];
    const char *id = id_of(&p->command);
    if (p->known_count == SUBMENUS_MAX)
        return;
    p->known_count++;
    lb_format(kept->number, sizeof(kept->number), "%s", number);
    lb_format(kept->id, sizeof(kept->id), "%s", id ? id : "");
    lb_format(kept->title, sizeof(kept->title), "%s",
              p->command.count > 1 ? p->command.words[1] : "");
}

static void begin_submenu(struct parser *p) {
    char number[NUMBER_MAX - 1];
    item_number(p, number, sizeof(number));
    keep_submenu(p, number);
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
    if (p->entry->kernel[0] == 0 || p->entry->is_left_out)
        p->entries->count--; /* it is the last one: a memory test, the firmware's setup */
    p->entry = NULL;
}

static void close_brace(struct parser *p) {
    if (p->depth > 0)
        p->depth--;
    if (p->function_depth == p->depth + 1)
        p->function_depth = 0;
    if (p->entry && p->depth == p->entry_depth)
        end_entry(p);
    else if (p->submenus > 0 && p->depth == p->submenu_depths[p->submenus - 1])
        end_submenu(p);
}

static void take_in_entry(struct parser *p) {
    if (is_command(&p->command, "linux"))
        take_linux(p->entry, &p->command);
    else if (is_command(&p->command, "initrd"))
        take_initrds(p->entry, &p->command);
}

static void take_in_menu(struct parser *p, bool opens) {
    char *word = p->command.words[0];
    if (opens && strcmp(word, "menuentry") == 0)
        begin_entry(p);
    else if (opens && strcmp(word, "submenu") == 0)
        begin_submenu(p);
    else if (opens && strcmp(word, "function") == 0)
        p->function_depth = p->depth + 1;
    else if (strcmp(word, "set") == 0 && p->command.count > 1 && !p->command.is_cut)
        take_value(&p->entries->grub, p->command.words[1]);
    else if (strchr(word, '=') && p->command.count == 1 && !p->command.is_cut)
        take_value(&p->entries->grub, word);
    else if (strcmp(word, "load_env") == 0)
        (void)lb_grub_env_load(&p->entries->grub);
    else if (strcmp(word, "blscfg") == 0)
        p->entries->has_blscfg = true;
    else
        forget_set(&p->entries->grub, &p->command);
}

static void take_command(struct parser *p) {
    struct lb_grub_command *command = &p->command;
    bool opens;
    if (!lb_grub_branch(&p->blocks, &p->entries->grub, command))
        return;
    opens = strcmp(command->words[command->count - 1], "{") == 0;
    if (strcmp(command->words[0], "}") == 0)
        close_brace(p);
    else if (!lb_grub_runs(&p->blocks) || p->function_depth > 0)
        ;
    else if (p->entry)
        take_in_entry(p);
    else
        take_in_menu(p, opens);
    if (opens)
        p->depth++;
}

/* ---- the default ----------------------------------------------------------------------------- */

/* Takes the first item off "SUBMENU>ENTRY"; `>>` is a > of a title. */
static void take_item(const char **path, char *item, size_t cap) {
    struct lb_text text = lb_text(item, cap);
    const char *at = *path;
    for (; *at && (at[0] != '>' || at[1] == '>'); at++) {
        lb_text_add(&text, "%c", *at);
        at += at[0] == '>';
    }
    *path = *at ? at + 1 : at;
}

static bool is_in(const char *number, const char *menu) {
    return strncmp(number, menu, strlen(menu)) == 0 && !strchr(number + strlen(menu), '>');
}

/* Whether that item of this menu ("", or "1>") is called so: by its number in it, its id or its
 * title. */
static bool is_item(const char *menu, const char *item, const char *number, const char *id,
                    const char *title) {
    return is_in(number, menu) && (strcmp(number + strlen(menu), item) == 0 ||
                                   strcmp(id, item) == 0 || strcmp(title, item) == 0);
}

/* Goes into the submenu that is called so. */
static bool enter_submenu(const struct parser *p, char *menu, size_t cap, const char *item) {
    for (size_t i = 0; i < p->known_count; i++) {
        const struct submenu *known = &p->known[i];
        if (is_item(menu, item, known->number, known->id, known->title)) {
            lb_format(menu, cap, "%s>", known->number);
            return true;
        }
    }
    return false;
}

/* The place of the entry that `wanted` names, as GRUB finds it; where its menu has none of that
 * name, in all menus. -1: there is none. */
static int find_default(const struct parser *p, const char *wanted) {
    char menu[NUMBER_MAX + 1] = "", item[LB_GRUB_DEFAULT_MAX];
    take_item(&wanted, item, sizeof(item));
    while (*wanted) {
        (void)enter_submenu(p, menu, sizeof(menu), item);
        take_item(&wanted, item, sizeof(item));
    }
    for (size_t i = 0; i < p->entries->count; i++) {
        const struct lb_entry *entry = &p->entries->list[i];
        if (is_item(menu, item, p->entry_numbers[i], entry->id, entry->title))
            return (int)i;
    }
    for (size_t i = 0; i < p->entries->count; i++) {
        const struct lb_entry *entry = &p->entries->list[i];
        if (strcmp(entry->id, item) == 0 || strcmp(entry->title, item) == 0)
            return (int)i;
    }
    return -1;
}

static void choose_default(struct parser *p) {
    struct lb_entries *entries = p->entries;
    const char *wanted = lb_grub_env_get(&entries->grub, "default");
    char once[LB_GRUB_DEFAULT_MAX];
    int found;
    if (!wanted ||
        !lb_text_copy(entries->wanted, sizeof(entries->wanted), lb_bytes_of_text(wanted)))
        return;
    entries->is_wanted_once =
        lb_grub_block_value(&entries->grub, "next_entry", once, sizeof(once)) &&
        strcmp(once, wanted) == 0;
    found = find_default(p, entries->wanted);
    entries->preferred = found < 0 ? 0 : (size_t)found + 1;
}

void lb_entries_grub(struct lb_entries *entries, struct lb_bytes text, unsigned partition) {
    static struct parser p; /* its command is large */
    p = (struct parser){.entries = entries, .partition = partition};
    while (lb_grub_next(&text, &entries->grub, &p.command))
        take_command(&p);
    if (p.entry) /* it never ended */
        end_entry(&p);
    choose_default(&p);
}
