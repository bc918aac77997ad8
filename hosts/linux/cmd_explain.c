/* lunboot explain: an error code in full. lunboot keys: the keys of the configuration, and what is
 * wrong in a lunboot.conf. */
#include "core/boot/choice.h"
#include "core/boot/policy.h"
#include "hosts/linux/commands.h"
#include "hosts/linux/options.h"
#include "hosts/linux/run.h"
#include "hosts/linux/secrets.h"
#include <stdio.h>
#include <sys/stat.h>

static const struct lb_usage explain_usage = {
    .command = "explain",
    .synopsis = "[CODE]",
    .purpose = "Says what an error code means and what to try; without a code, lists them all.",
};

static const char *checked; /* a lunboot.conf */

static const struct lb_option keys_options[] = {
    {"check", "FILE", "say what is wrong in this lunboot.conf, in place of the keys", NULL,
     &checked},
};

static const struct lb_usage keys_usage = {
    .command = "keys",
    .synopsis = "[KEY | --check=FILE]",
    .options = keys_options,
    .option_count = LB_COUNT(keys_options),
    .purpose = "Lists the keys of the configuration: in lunboot.conf `key = value`, on the kernel\n"
               "command line `lunboot.key=value`, on the command line `--key=value`.",
};

static void list_codes(void) {
    for (int code = 1; code < LB_CODE_COUNT; code++)
        printf("%-20s %s: %s\n", lb_code_word(code), lb_stage_word(lb_code_stage(code)),
               lb_code_what(code));
}

int lb_cmd_explain(int argc, char **argv) {
    const char *word = NULL;
    enum lb_parsed parsed = lb_options_parse(&explain_usage, argc, argv, NULL, &word);
    enum lb_code code;

    if (parsed != LB_PARSED)
        return parsed == LB_PARSED_HELP ? LB_EXIT_OK : LB_EXIT_USAGE;
    if (!word) {
        list_codes();
        return LB_EXIT_OK;
    }
    if (!lb_code_find(lb_bytes_of_text(word), &code)) {
        lb_complain("lunboot explain: there is no error code ", word, "\n  try: lunboot explain\n");
        return LB_EXIT_FAILED;
    }
    printf("%s\n  stage: %s\n  what:  %s\n", lb_code_word(code), lb_stage_word(lb_code_stage(code)),
           lb_code_what(code));
    if (lb_code_hint(code)[0])
        printf("  try:   %s\n", lb_code_hint(code));
    return LB_EXIT_OK;
}

static void print_key(enum lb_key key) {
    const struct lb_key_info *info = lb_key_info(key);
    char form[256];
    struct lb_text text = lb_text(form, sizeof(form));

    lb_key_form(&text, key);
    printf("%s\n    %s\n    %s%s%s\n", info->word, lb_key_sentence(info), form,
           lb_key_initial(info)[0] ? "; default: " : "", lb_key_initial(info));
}

static bool read_config(struct lb_config *config, const char *path, struct lb_error *error) {
    static uint8_t room[LB_RUN_CONFIG_MAX];
    struct stat status;
    struct lb_bytes text;
    struct lb_error wrong = {0};
    if (!lb_run_read_config(path, lb_span(room, sizeof room), &status, &text, error))
        return false;
    bool is_short, is_good = lb_config_file(config, LB_SOURCE_FILE, text, &wrong);
    const struct lb_boot_setup setup = {.config = config};
    struct lb_plan plan = lb_plan_of(&setup);
    struct lb_choice choice;
    is_good = is_good && lb_policy_secrets(&plan, &is_short, &wrong) &&
              lb_choice_of_config(&plan, &choice, &wrong) &&
              lb_choice_own_name_is_valid(&plan, &wrong);
    lb_wipe(room, sizeof room);
    if (!is_good)
        lb_fail(error, wrong.code, "%s: %s", path, wrong.facts);
    return is_good;
}

/* A secret is taken as it stands: what other files have round a value, or behind it, is a part of
 * it here. */
static bool is_odd_secret(struct lb_bytes secret) {
    bool is_odd = lb_bytes_unquote_any(secret).len != secret.len;
    for (size_t i = 0; i + 1 < secret.len && !is_odd; i++)
        is_odd = secret.p[i] == ' ' && (secret.p[i + 1] == '#' || secret.p[i + 1] == ';');
    return is_odd;
}

static void warn_of_secrets(const struct lb_config *config, const char *path) {
    for (unsigned i = 0; i < LB_KEY_COUNT; i++) {
        const struct lb_key_info *info = lb_key_info((enum lb_key)i);
        if (info->type == LB_TYPE_SECRET && is_odd_secret(lb_config_secret(config, (enum lb_key)i)))
            fprintf(
                stderr,
                "lunboot: %s, line %u: the quotes, or what stands behind a #, are a part of %s\n",
                path, config->line[i], info->word);
    }
}

/* As a boot would read it that has no other configuration. */
static int check(const char *path) {
    static struct lb_config config;
    struct lb_error error = {0};
    char room[512];
    struct lb_text text = lb_text(room, sizeof room);
    lb_secrets_guard_memory(&config, sizeof config);
    bool is_good = read_config(&config, path, &error);
    bool is_enabled = lb_config_bool(&config, LB_KEY_ENABLE);
    if (is_good)
        warn_of_secrets(&config, path);
    lb_wipe(&config, sizeof config);
    if (!is_good) {
        lb_error_format(&text, &error);
        fprintf(stderr, "lunboot: %s", room);
        return LB_EXIT_FAILED;
    }
    if (!is_enabled)
        fprintf(stderr, "lunboot: %s does not say enable = yes: with it alone, nothing boots\n",
                path);
    return LB_EXIT_OK;
}

int lb_cmd_keys(int argc, char **argv) {
    const char *word = NULL;
    enum lb_parsed parsed = lb_options_parse(&keys_usage, argc, argv, NULL, &word);
    enum lb_key key;

    if (parsed != LB_PARSED)
        return parsed == LB_PARSED_HELP ? LB_EXIT_OK : LB_EXIT_USAGE;
    if (checked)
        return check(checked);
    if (!word) {
        for (int i = 0; i < LB_KEY_COUNT; i++)
            print_key(i);
        return LB_EXIT_OK;
    }
    if (!lb_key_find(lb_bytes_of_text(word), &key)) {
        lb_complain("lunboot keys: there is no key ", word, "\n  try: lunboot keys\n");
        return LB_EXIT_FAILED;
    }
    print_key(key);
    return LB_EXIT_OK;
}
