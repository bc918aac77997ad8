#include "server/settings.h"
#include "core/names/rootpath.h"
#include <stdarg.h>

bool lb_server_fail(struct lb_server_error *error, const char *hint, const char *format, ...) {
    va_list arguments;
    if (error->what[0] != '\0')
        return false;
    struct lb_text text = lb_text(error->what, sizeof error->what);
    va_start(arguments, format);
    lb_text_addv(&text, format, arguments);
    va_end(arguments);
    lb_format(error->hint, sizeof error->hint, "%s", hint);
    return false;
}

enum type { TEXT, BOOL, NUMBER, CHOICE, RANGE, ADDR4 };

struct key {
    const char *word;
    enum type type;
    size_t at; /* of its member */
    uint32_t least, most;
    const char *standard, *choices, *sentence;
};

#define LB_SERVER_KEY(type, member, word, least, most, standard, choices, sentence)                \
    {word,    type,    offsetof(struct lb_server_settings, member), least, most, standard,         \
     choices, sentence},
static const struct key keys[] = {
#include "server/keys.def"
};
#undef LB_SERVER_KEY

/* ---- values: each parser gives NULL, or what would be right ---- */

static const char *parse_text(const struct key *key, struct lb_bytes value, char *to) {
    if (value.len < key->least || !lb_text_is_fit(value))
        return "a text that is not empty, without control characters";
    return lb_text_copy(to, key->most + 1, value) ? NULL : "a shorter text";
}

static const char *parse_bool(struct lb_bytes value, bool *to) {
    bool is_yes = lb_text_is(value, "yes");
    if (!is_yes && !lb_text_is(value, "no"))
        return "yes or no";
    *to = is_yes;
    return NULL;
}

static const char *parse_number(const struct key *key, struct lb_bytes value, uint32_t *to) {
    static char form[64];
    uint64_t number;
    lb_format(form, sizeof form, "a number from %u to %u", key->least, key->most);
    if (!lb_parse_u64(value, key->most, &number) || number < key->least)
        return form;
    *to = (uint32_t)number;
    return NULL;
}

static const char *parse_choice(const struct key *key, struct lb_bytes value, uint32_t *to) {
    static char form[96];
    struct lb_bytes list = lb_bytes_of_text(key->choices), item;
    lb_format(form, sizeof form, "one of %s", key->choices);
    for (uint32_t i = 0; lb_list_next(&list, '|', &item); i++) {
        if (lb_bytes_equal(item, value)) {
            *to = i;
            return NULL;
        }
    }
    return form;
}

static const char *parse_address(struct lb_bytes value, struct lb_addr *to) {
    struct lb_addr addr;
    if (!lb_addr_parse_v4(value, &addr) || !lb_addr_is_host(addr))
        return "an IPv4 address of a machine";
    *to = addr;
    return NULL;
}

static const char *parse_range(struct lb_bytes value, struct lb_server_range *to) {
    struct lb_server_range range;
    struct lb_bytes first, last;
    if (!lb_list_next(&value, '-', &first) || !lb_list_next(&value, '-', &last) || value.len > 0 ||
        parse_address(first, &range.first) || parse_address(last, &range.last))
        return "two IPv4 addresses with - between them, such as 192.0.2.100-192.0.2.200";
    if (memcmp(range.first.bytes, range.last.bytes, 4) > 0)
        return "two addresses, the lower one first";
    *to = range;
    return NULL;
}

static const char *parse(const struct key *key, struct lb_bytes value, void *to) {
    switch (key->type) {
    case TEXT:
        return parse_text(key, value, to);
    case BOOL:
        return parse_bool(value, to);
    case NUMBER:
        return parse_number(key, value, to);
    case CHOICE:
        return parse_choice(key, value, to);
    case RANGE:
        return parse_range(value, to);
    case ADDR4:
        return parse_address(value, to);
    }
    return "nothing";
}

/* ---- keys ---- */

void lb_server_settings_init(struct lb_server_settings *settings) {
    *settings = (struct lb_server_settings){0};
    for (size_t i = 0; i < LB_COUNT(keys); i++) {
        struct lb_bytes standard = lb_bytes_of_text(keys[i].standard);
        if (standard.len > 0)
            lb_assert(parse(&keys[i], standard, (char *)settings + keys[i].at) == NULL);
    }
}

bool lb_server_settings_set(struct lb_server_settings *settings, struct lb_bytes word,
                            struct lb_bytes value, const char *where,
                            struct lb_server_error *error) {
    char given[100], hint[200];
    struct lb_text shown = lb_text(given, sizeof given);
    for (size_t i = 0; i < LB_COUNT(keys); i++) {
        if (!lb_text_is(word, keys[i].word))
            continue;
        const char *form = parse(&keys[i], value, (char *)settings + keys[i].at);
        if (form == NULL)
            return true;
        lb_text_given(&shown, value, 60);
        lb_format(hint, sizeof hint, "give %s", form);
        return lb_server_fail(error, hint, "%s: %s cannot be \"%s\"", where, keys[i].word, given);
    }
    lb_text_given(&shown, word, 60);
    return lb_server_fail(error, "lunbootd --help lists the keys", "%s: there is no key \"%s\"",
                          where, given);
}

static bool take_word(struct lb_server_settings *settings, const char *argument,
                      struct lb_server_error *error) {
    static const char where[] = "the command line";
    struct lb_bytes rest = lb_bytes_of_text(argument), word;
    if (!lb_bytes_start_with(rest, lb_bytes_of_text("--")))
        return lb_server_settings_set(settings, lb_bytes_of_text("disk"), rest, where, error);
    rest = lb_bytes_after(rest, 2);
    for (word.p = rest.p, word.len = 0; word.len < rest.len && rest.p[word.len] != '=';)
        word.len++;
    struct lb_bytes value =
        word.len == rest.len ? lb_bytes_of_text("yes") : lb_bytes_after(rest, word.len + 1);
    return lb_server_settings_set(settings, word, value, where, error);
}

bool lb_server_settings_take(struct lb_server_settings *settings, int argc, char **argv,
                             struct lb_server_error *error) {
    for (int i = 1; i < argc; i++)
        if (!take_word(settings, argv[i], error))
            return false;
    return true;
}

bool lb_server_settings_check(const struct lb_server_settings *settings,
                              struct lb_server_error *error) {
    char name[LB_NAME_MAX + 1];
    unsigned warnings;
    size_t offset;
    if (settings->interface[0] == '\0')
        return lb_server_fail(error, "give --interface=NAME; `ip address` lists them",
                              "nothing says which network interface is to be served");
    if (settings->disk[0] == '\0')
        return lb_server_fail(error, "lunbootd --interface=NAME DISK",
                              "nothing says which disk is to be served");
    if (settings->target[0] != '\0' &&
        !lb_iscsi_name_parse(lb_bytes_of_text(settings->target), 0, name, &warnings, &offset))
        return lb_server_fail(error, "give iqn.YYYY-MM.reversed.domain:anything, in lower case",
                              "the target's name \"%s\" is no iSCSI name", settings->target);
    return true;
}

static void add_key(struct lb_text *text, const struct key *key) {
    lb_text_add(text, "  --%s=%s\n      %s", key->word,
                key->type == BOOL     ? "yes|no"
                : key->choices[0]     ? key->choices
                : key->type == NUMBER ? "NUMBER"
                : key->type == RANGE  ? "FIRST-LAST"
                : key->type == ADDR4  ? "ADDRESS"
                                      : "TEXT",
                key->sentence);
    lb_text_add(text, key->standard[0] ? " Default: %s.\n" : "%s\n", key->standard);
}

void lb_server_settings_help(struct lb_text *text) {
    for (size_t i = 0; i < LB_COUNT(keys); i++)
        add_key(text, &keys[i]);
}
