/* Writes the pages of docs/ that come from the tables, or checks that they are up to date.
 *
 *     lunboot-docs FOLDER            a TAP point a page: is what stands in FOLDER current?
 *     lunboot-docs --write FOLDER    writes them
 *
 * errors.md comes from core/base/errors.def; keys.md and lunboot.conf.5 from
 * core/base/config.def. */
#include "core/base/config.h"
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
        if (!lb_streq(stage, lb_code_stage(code))) {
            stage = lb_code_stage(code);
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
        return 0;
    }
    TEST(errors_md_is_up_to_date);
    TEST(keys_md_is_up_to_date);
    TEST(lunboot_conf_5_is_up_to_date);
    return tap_done();
}
