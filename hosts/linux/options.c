#include "hosts/linux/options.h"
#include <stdio.h>
#include <string.h>

bool lb_parse_bytes(const char *text, uint64_t *value) {
    static const char units[] = "KMGT";
    size_t len = strlen(text);
    const char *unit = len > 0 ? strchr(units, text[len - 1]) : NULL;
    unsigned shift = unit ? 10 * (unsigned)(unit - units + 1) : 0;
    uint64_t number;

    if (!lb_parse_u64(lb_bytes(text, len - (unit ? 1 : 0)), UINT64_MAX >> shift, &number))
        return false;
    *value = number << shift;
    return true;
}

static void print_help(const struct lb_usage *usage) {
    printf("usage: lunboot %s %s\n\n%s\n", usage->command, usage->synopsis, usage->purpose);
    if (usage->option_count > 0)
        printf("\noptions:\n");
    for (size_t i = 0; i < usage->option_count; i++) {
        const struct lb_option *option = &usage->options[i];
        char left[48];
        const char *form = option->form ? option->form : "";
        if (form[0] == '[')
            lb_format(left, sizeof(left), "--%s[=%.*s", option->name, (int)strlen(form) - 1,
                      form + 1);
        else
            lb_format(left, sizeof(left), "--%s%s%s", option->name, form[0] ? "=" : "", form);
        printf("  %-24s %s\n", left, option->meaning);
    }
    if (usage->takes_keys)
        printf("  %-24s %s\n", "--KEY=VALUE", "any key of the configuration: see `lunboot keys`");
}

void lb_complain(const char *before, const char *given, const char *after) {
    char shown[240];
    struct lb_text text = lb_text(shown, sizeof(shown));
    lb_text_given(&text, lb_bytes_of_text(given), 100);
    fprintf(stderr, "%s%s%s", before, shown, after);
}

/* Only as far as it may be a name: behind that a secret may stand, as in --chap-secret:... */
static enum lb_parsed wrong(const struct lb_usage *usage, const char *what, struct lb_bytes name) {
    size_t len = 0;
    while (len < name.len && len < 40 &&
           (name.p[len] == '-' || name.p[len] == '_' ||
            (name.p[len] >= '0' && name.p[len] <= '9') ||
            (lb_ascii_lower(name.p[len]) >= 'a' && lb_ascii_lower(name.p[len]) <= 'z')))
        len++;
    fprintf(stderr, "lunboot %s: %s: --%.*s%s\n  try: lunboot %s --help\n", usage->command, what,
            (int)len, (const char *)name.p, len < name.len ? "..." : "", usage->command);
    return LB_PARSED_WRONG;
}

static enum lb_parsed without_value(const struct lb_usage *usage, struct lb_bytes name) {
    fprintf(stderr,
            "lunboot %s: this option needs a value: --%.*s\n  try: write it as one word, "
            "--%.*s=VALUE; lunboot %s --help\n",
            usage->command, (int)name.len, (const char *)name.p, (int)name.len,
            (const char *)name.p, usage->command);
    return LB_PARSED_WRONG;
}

static enum lb_parsed take_own(const struct lb_usage *usage, const struct lb_option *option,
                               struct lb_bytes name, const char *value) {
    bool needs = option->form && option->form[0] != '[';
    if (needs && !value)
        return without_value(usage, name);
    if (!option->form && value)
        return wrong(usage, "this option takes no value", name);
    if (option->flag)
        *option->flag = true;
    if (option->value && value)
        *option->value = value;
    return LB_PARSED;
}

/* Of options that have been read: a secret is not for those who list processes. */
static void blank_out_secrets(int argc, char **argv) {
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        char *equals = strncmp(argv[i], "--", 2) == 0 ? strchr(argv[i], '=') : NULL;
        enum lb_key key;
        if (equals && lb_key_find(lb_bytes(argv[i] + 2, (size_t)(equals - argv[i] - 2)), &key) &&
            lb_key_info(key)->type == LB_TYPE_SECRET)
            memset(equals + 1, '*', strlen(equals + 1));
    }
}

static enum lb_parsed take_key(const struct lb_usage *usage, struct lb_bytes name, char *value,
                               struct lb_config *config, struct lb_config_seen *seen) {
    struct lb_error error = {0};
    char buffer[512];
    struct lb_text text = lb_text(buffer, sizeof(buffer));
    enum lb_key key;

    if (!lb_key_find(name, &key))
        return wrong(usage, "unknown option", name);
    if (!value && lb_key_info(key)->type != LB_TYPE_BOOL)
        return without_value(usage, name);
    if (lb_config_set_once(config, seen, LB_SOURCE_OPTION, 0, name,
                           lb_bytes_of_text(value ? value : "yes"), &error))
        return LB_PARSED;
    lb_error_format(&text, &error);
    fprintf(stderr, "%s", buffer);
    return LB_PARSED_WRONG;
}

static enum lb_parsed take_option(const struct lb_usage *usage, char *argument,
                                  struct lb_config *config, struct lb_config_seen *seen) {
    char *equals = strchr(argument, '='), *value = equals ? equals + 1 : NULL;
    struct lb_bytes name =
        lb_bytes(argument, equals ? (size_t)(equals - argument) : strlen(argument));

    for (size_t i = 0; i < usage->option_count; i++) {
        if (lb_text_is(name, usage->options[i].name))
            return take_own(usage, &usage->options[i], name, value);
    }
    if (lb_text_is(name, "help")) {
        print_help(usage);
        return LB_PARSED_HELP;
    }
    if (!usage->takes_keys)
        return wrong(usage, "unknown option", name);
    return take_key(usage, name, value, config, seen);
}

static enum lb_parsed parse(const struct lb_usage *usage, int argc, char **argv,
                            struct lb_config *config, const char **word) {
    struct lb_config_seen seen = {.line = {0}};
    bool only_words = false;
    for (int i = 1; i < argc; i++) {
        enum lb_parsed parsed = LB_PARSED;
        if (!only_words && strcmp(argv[i], "--") == 0) {
            only_words = true;
        } else if (!only_words && strncmp(argv[i], "--", 2) == 0) {
            parsed = take_option(usage, argv[i] + 2, config, &seen);
        } else if (word && !*word) {
            *word = argv[i];
        } else {
            fprintf(stderr, "lunboot %s: ", usage->command);
            lb_complain("unexpected argument: ", argv[i], "\n  try: --help\n");
            parsed = LB_PARSED_WRONG;
        }
        if (parsed != LB_PARSED)
            return parsed;
    }
    return LB_PARSED;
}

enum lb_parsed lb_options_parse(const struct lb_usage *usage, int argc, char **argv,
                                struct lb_config *config, const char **word) {
    enum lb_parsed parsed = parse(usage, argc, argv, config, word);
    blank_out_secrets(argc, argv);
    return parsed;
}
