/* Writes the pages of docs/ that come from the tables, or checks that they are up to date.
 *
 *     lunboot-docs FOLDER            a TAP point a page: is what stands in FOLDER current?
 *     lunboot-docs --write FOLDER    writes them
 *
 * errors.md comes from core/base/errors.def; keys.md and lunboot.conf.5 from
 * core/base/config.def. Of other pages, and of the completions for bash beside FOLDER, the parts
 * between lines with `begin: WORD` and `end: WORD` come from server/keys.def and
 * core/base/config.def. */
#include "core/base/config.h"
#include "server/request.h"
#include "server/settings.h"
#include "tests/tap.h"
#include <stdio.h>
#include <stdlib.h>

static char page[262144];
static struct lb_text out;

/* ---- errors.md ------------------------------------------------------------------------------- */

static void write_errors(void) {
    lb_text_add(&out,
                "# Errors\n\n"
                "What each error means and what to try. `lunboot explain WORD` says the same. "
                "This page is generated\nfrom `core/base/errors.def` by `lunboot-docs`.\n");
    const char *stage = "";
    for (unsigned i = 1; i < LB_CODE_COUNT; i++) {
        enum lb_code code = (enum lb_code)i;
        if (!lb_streq(stage, lb_stage_word(lb_code_stage(code)))) {
            stage = lb_stage_word(lb_code_stage(code));
            lb_text_add(&out, "\n## %s\n", stage);
        }
        lb_text_add(&out, "\n`%s`: %s.\n", lb_code_word(code), lb_code_what(code));
        if (lb_code_hint(code)[0])
            lb_text_add(&out, "Try: %s.\n", lb_code_hint(code));
    }
}

/* ---- keys ------------------------------------------------------------------------------------ */

/* The table with its sections: a title, or a key. */
static const struct {
    const char *title;
    enum lb_key key;
} rows[] = {
#define LB_KEY_GROUP(heading)                        {.title = heading},
#define LB_KEY(name, word, type, i, lo, hi, form, s) {.key = LB_KEY_##name},
#include "core/base/config.def"
#undef LB_KEY
};

/* The pages are Markdown or roff; both have characters of their own. */
static void add_escaped(const char *text, const char *special) {
    for (; *text; text++) {
        if (lb_bytes_start_with(lb_bytes_of_text(special), lb_bytes(text, 1)) ||
            (special[0] && special[1] == *text))
            lb_text_add(&out, "\\");
        lb_text_add(&out, "%c", *text);
    }
}

static void add_form(enum lb_key key, const char *special) {
    char form[256];
    struct lb_text text = lb_text(form, sizeof form);
    lb_key_form(&text, key);
    add_escaped(form, special);
}

static void write_keys(void) {
    lb_text_add(
        &out,
        "# Configuration keys\n\n"
        "The same keys stand in `lunboot.conf` (`key = value`), on the kernel command line\n"
        "(`lunboot.key=value`) and among the options of `lunboot` (`--key=value`); the later\n"
        "of these wins. What a person sets wins over what the network says. `lunboot keys`\n"
        "shows this list. This page is generated from `core/base/config.def` by\n"
        "`lunboot-docs`.\n");
    for (size_t i = 0; i < LB_COUNT(rows); i++) {
        const struct lb_key_info *info = lb_key_info(rows[i].key);
        if (rows[i].title) {
            lb_text_add(&out, "\n## %s\n\n| key | value | default | |\n|---|---|---|---|\n",
                        rows[i].title);
            continue;
        }
        lb_text_add(&out, "| `%s` | ", info->word);
        add_form(rows[i].key, "|");
        lb_text_add(&out, " | %s%s%s | ", lb_key_initial(info)[0] ? "`" : "", lb_key_initial(info),
                    lb_key_initial(info)[0] ? "`" : "");
        add_escaped(lb_key_sentence(info), "|*");
        lb_text_add(&out, " |\n");
    }
}

static void write_man_page(void) {
    lb_text_add(&out, ".\\\" Generated from core/base/config.def by lunboot-docs.\n"
                      ".TH LUNBOOT.CONF 5 \"\" \"lunboot\" \"File formats\"\n"
                      ".SH NAME\nlunboot.conf \\- configuration of the iSCSI network boot client\n"
                      ".SH DESCRIPTION\nLines of\n.IR key \" = \" value .\n"
                      "Empty lines and lines that start with # are passed over.\n"
                      "Quotes round a value are taken away, but those of a secret belong to it.\n"
                      "Keys, and words that are a choice, count in any case.\n"
                      "The same keys stand on the kernel command line as\n"
                      ".BI lunboot. key = value\nand among the options of\n.BR lunboot (8)\nas\n"
                      ".BI \\-\\- key = value\\fR;\nthe later of these wins.\n"
                      "What is set here wins over what the network says.\n");
    for (size_t i = 0; i < LB_COUNT(rows); i++) {
        const struct lb_key_info *info = lb_key_info(rows[i].key);
        if (rows[i].title) {
            lb_text_add(&out, ".SH \"%s\"\n", rows[i].title);
            continue;
        }
        lb_text_add(&out, ".TP\n.B ");
        add_escaped(info->word, "-");
        lb_text_add(&out, "\n");
        add_escaped(lb_key_sentence(info), "-\\");
        lb_text_add(&out, "\nValue: ");
        add_form(rows[i].key, "-");
        if (lb_key_initial(info)[0]) {
            lb_text_add(&out, "; default ");
            add_escaped(lb_key_initial(info), "-");
        }
        lb_text_add(&out, ".\n");
    }
    lb_text_add(&out, ".SH SEE ALSO\n.BR lunboot (8)\n");
}

/* ---- lunbootd -------------------------------------------------------------------------------- */

/* For man pages: options (--word=FORM) or lines of lunbootd.conf. */
static void write_server_roff(enum lb_server_keys of, bool as_options) {
    struct lb_server_key_info key;
    for (size_t i = 0; lb_server_settings_key(of, i, &key); i++) {
        lb_text_add(&out, ".TP\n.B %s", as_options ? "\\-\\-" : "");
        add_escaped(key.word, "-\\");
        lb_text_add(&out, as_options ? "=" : " = ");
        add_escaped(key.form, "-\\");
        lb_text_add(&out, "\n");
        add_escaped(key.sentence, "-\\");
        if (key.standard[0] != '\0') {
            lb_text_add(&out, " Default: ");
            add_escaped(key.standard, "-\\");
            lb_text_add(&out, ".");
        }
        lb_text_add(&out, "\n");
    }
}

static void write_server_options(void) {
    write_server_roff(LB_KEYS_OF_SERVER, true);
}

static void write_server_lines(void) {
    write_server_roff(LB_KEYS_OF_SERVER, false);
}

static void write_machine_lines(void) {
    write_server_roff(LB_KEYS_OF_MACHINE, false);
}

static void write_subnet_lines(void) {
    write_server_roff(LB_KEYS_OF_SUBNET, false);
}

static void write_commands(void) {
    struct lb_request_info info;
    for (size_t i = 0; lb_request_info(i, &info); i++) {
        lb_text_add(&out, ".TP\n.B ");
        add_escaped(info.words, "-\\");
        if (info.form[0] != '\0')
            lb_text_add(&out, " \\fI%s\\fR", info.form);
        lb_text_add(&out, "\n");
        add_escaped(info.sentence, "-\\");
        lb_text_add(&out, "\n");
    }
}

static void write_server_table(enum lb_server_keys of) {
    struct lb_server_key_info key;
    lb_text_add(&out, "\n| key | value | default | |\n|---|---|---|---|\n");
    for (size_t i = 0; lb_server_settings_key(of, i, &key); i++) {
        const char *quote = key.standard[0] != '\0' ? "`" : "";
        lb_text_add(&out, "| `%s` | ", key.word);
        add_escaped(key.form, "|");
        lb_text_add(&out, " | %s%s%s | ", quote, key.standard, quote);
        add_escaped(key.sentence, "|*");
        lb_text_add(&out, " |\n");
    }
    lb_text_add(&out, "\n");
}

static void write_server_keys(void) {
    write_server_table(LB_KEYS_OF_SERVER);
}

static void write_machine_keys(void) {
    write_server_table(LB_KEYS_OF_MACHINE);
}

static void write_subnet_keys(void) {
    write_server_table(LB_KEYS_OF_SUBNET);
}

/* ---- completion for bash --------------------------------------------------------------------- */

/* One line of a case: the choices of --word, or what it names. */
static void add_values(const char *word, const char *values) {
    lb_text_add(&out, "    --%s) echo ", word);
    for (; *values; values++)
        lb_text_add(&out, "%c", *values == '|' ? ' ' : *values);
    lb_text_add(&out, " ;;\n");
}

static void begin_completion(const char *program) {
    lb_text_add(&out, "_%s_values() {\n    case $1 in\n", program);
}

static void end_completion(void) {
    lb_text_add(&out, "    --interface) echo INTERFACE ;;\n    esac\n}\n");
}

static void write_server_completion(void) {
    struct lb_server_key_info key;
    lb_text_add(&out, "_lunbootd_keys='");
    for (size_t i = 0; lb_server_settings_key(LB_KEYS_OF_SERVER, i, &key); i++)
        lb_text_add(&out, "--%s=\n", key.word);
    lb_text_add(&out, "'\n");
    begin_completion("lunbootd");
    for (size_t i = 0; lb_server_settings_key(LB_KEYS_OF_SERVER, i, &key); i++) {
        if (key.is_path)
            add_values(key.word, "FILE");
        else if (key.choices[0] != '\0' || lb_streq(key.form, "yes|no"))
            add_values(key.word, key.form);
    }
    end_completion();
}

static void write_control_completion(void) {
    struct lb_request_info info;
    struct lb_server_key_info key;
    lb_text_add(&out, "_lunbootctl_commands='");
    for (size_t i = 0; lb_request_info(i, &info); i++)
        lb_text_add(&out, "%s%s%s\n", info.words, info.form[0] ? " " : "", info.form);
    lb_text_add(&out, "'\n_lunbootctl_keys='");
    for (size_t i = 0; lb_server_settings_key(LB_KEYS_OF_MACHINE, i, &key); i++)
        if (!lb_streq(key.form, "SECRET"))
            lb_text_add(&out, "%s=\n", key.word);
    lb_text_add(&out, "'\n");
}

static void write_client_completion(void) {
    lb_text_add(&out, "_lunboot_keys='");
    for (size_t i = 0; i < LB_COUNT(rows); i++)
        if (!rows[i].title)
            lb_text_add(&out, "--%s=\n", lb_key_info(rows[i].key)->word);
    lb_text_add(&out, "'\n");
    begin_completion("lunboot");
    for (size_t i = 0; i < LB_COUNT(rows); i++) {
        const struct lb_key_info *info = rows[i].title ? NULL : lb_key_info(rows[i].key);
        if (info && (enum lb_key_type)info->type == LB_TYPE_BOOL)
            add_values(info->word, "yes|no");
        else if (info && (enum lb_key_type)info->type == LB_TYPE_CHOICE)
            add_values(info->word, lb_key_choices(info));
    }
    end_completion();
}

/* ---- pages ----------------------------------------------------------------------------------- */

static const char *folder;

static void page_path(char *path, size_t cap, const char *name) {
    lb_format(path, cap, "%s/%s", folder, name);
}

static void write_page(const char *name) {
    char path[4096];
    page_path(path, sizeof path, name);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(page, 1, out.len, file) != out.len || fclose(file) != 0) {
        perror(path);
        exit(1);
    }
    printf("%s\n", path);
}

static void check_page(const char *name) {
    static char found[sizeof page];
    char path[4096];
    page_path(path, sizeof path, name);
    FILE *file = fopen(path, "rb");
    size_t len = file ? fread(found, 1, sizeof found, file) : 0;
    if (file)
        fclose(file);
    if (!CHECK(len == out.len && memcmp(found, page, len) == 0))
        tap_note("%s is not up to date: run `build/tools/lunboot-docs --write docs`", path);
}

static void (*finish)(const char *name) = check_page;

/* Reads a page whole; gives its length. */
static size_t read_page(const char *name, char *room, size_t cap) {
    char path[4096];
    page_path(path, sizeof path, name);
    FILE *file = fopen(path, "rb");
    size_t len = file ? fread(room, 1, cap, file) : 0;
    if (file)
        fclose(file);
    return len;
}

/* Where in the page the line with that mark begins (or, with after, where the next one does). */
static size_t find_line(struct lb_bytes text, const char *mark, bool after) {
    struct lb_bytes looked = lb_bytes_of_text(mark);
    for (size_t line = 0, next; line < text.len; line = next) {
        bool is_found = false;
        for (next = line; next < text.len && text.p[next] != '\n'; next++)
            is_found = is_found || lb_bytes_start_with(lb_bytes_after(text, next), looked);
        next += next < text.len;
        if (is_found)
            return after ? next : line;
    }
    fprintf(stderr, "lunboot-docs: there is no line with `%s`\n", mark);
    exit(1);
}

static void add_text(struct lb_bytes text) {
    lb_text_add(&out, "%.*s", (int)text.len, (const char *)text.p);
}

/* The page as it is, with what write says between its marks. */
static void splice(const char *name, const char *word, void (*write)(void)) {
    static char before[sizeof page];
    char mark[64];
    struct lb_bytes text = lb_bytes(before, read_page(name, before, sizeof before));
    out = lb_text(page, sizeof page);
    lb_format(mark, sizeof mark, "begin: %s ", word);
    add_text(lb_bytes(text.p, find_line(text, mark, true)));
    write();
    lb_format(mark, sizeof mark, "end: %s", word);
    add_text(lb_bytes_after(text, find_line(text, mark, false)));
    finish(name);
}

static void errors_md_is_up_to_date(void) {
    out = lb_text(page, sizeof page);
    write_errors();
    finish("errors.md");
}

static void keys_md_is_up_to_date(void) {
    out = lb_text(page, sizeof page);
    write_keys();
    finish("keys.md");
}

static void lunboot_conf_5_is_up_to_date(void) {
    out = lb_text(page, sizeof page);
    write_man_page();
    finish("lunboot.conf.5");
}

static void lunbootd_8_has_the_keys(void) {
    splice("lunbootd.8", "keys", write_server_options);
}

static void lunbootctl_8_has_the_commands(void) {
    splice("lunbootctl.8", "commands", write_commands);
}

static void lunbootd_conf_5_has_the_keys(void) {
    splice("lunbootd.conf.5", "keys", write_server_lines);
    splice("lunbootd.conf.5", "machine-keys", write_machine_lines);
    splice("lunbootd.conf.5", "subnet-keys", write_subnet_lines);
}

static void server_md_has_the_keys(void) {
    splice("server.md", "keys", write_server_keys);
    splice("server.md", "machine-keys", write_machine_keys);
    splice("server.md", "subnet-keys", write_subnet_keys);
}

static void completions_have_the_keys(void) {
    splice("../integration/bash-completion/lunbootd", "keys", write_server_completion);
    splice("../integration/bash-completion/lunboot", "keys", write_client_completion);
    splice("../integration/bash-completion/lunbootctl", "commands", write_control_completion);
}

int main(int argc, char **argv) {
    bool write = argc == 3 && lb_streq(argv[1], "--write");
    if (argc != 2 && !write) {
        fputs("usage: lunboot-docs [--write] FOLDER\n", stderr);
        return 2;
    }
    folder = argv[argc - 1];
    if (write) {
        finish = write_page;
        errors_md_is_up_to_date();
        keys_md_is_up_to_date();
        lunboot_conf_5_is_up_to_date();
        lunbootd_8_has_the_keys();
        lunbootctl_8_has_the_commands();
        lunbootd_conf_5_has_the_keys();
        server_md_has_the_keys();
        completions_have_the_keys();
        return 0;
    }
    TEST(errors_md_is_up_to_date);
    TEST(keys_md_is_up_to_date);
    TEST(lunboot_conf_5_is_up_to_date);
    TEST(lunbootd_8_has_the_keys);
    TEST(lunbootctl_8_has_the_commands);
    TEST(lunbootd_conf_5_has_the_keys);
    TEST(server_md_has_the_keys);
    TEST(completions_have_the_keys);
    return tap_done();
}
