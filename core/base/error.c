#include "core/base/error.h"

static const struct {
    const char *word, *stage, *what, *hint;
} causes[LB_CODE_COUNT] = {
    [LB_OK] = {.word = "ok", .stage = "", .what = "", .hint = ""},
#define LB_ERROR(code, w, s, meaning, advice)                                                      \
    [LB_E_##code] = {.word = w, .stage = s, .what = meaning, .hint = advice},
#include "core/base/errors.def"
#undef LB_ERROR
};

void lb_fail(struct lb_error *error, enum lb_code code, const char *facts, ...) {
    lb_assert(code != LB_OK && code < LB_CODE_COUNT);
    if (error->code != LB_OK)
        return;
    error->code = code;
    char raw[LB_FACTS_MAX];
    struct lb_text text = lb_text(raw, sizeof(raw));
    va_list arguments;
    va_start(arguments, facts);
    lb_text_addv(&text, facts, arguments);
    va_end(arguments);
    text = lb_text(error->facts, sizeof(error->facts));
    lb_text_untrusted(&text, lb_bytes_of_text(raw));
}

bool lb_is_ok(const struct lb_error *error) {
    return error->code == LB_OK;
}

const char *lb_code_word(enum lb_code code) {
    lb_assert(code < LB_CODE_COUNT);
    return causes[code].word;
}

const char *lb_code_stage(enum lb_code code) {
    lb_assert(code < LB_CODE_COUNT);
    return causes[code].stage;
}

const char *lb_code_what(enum lb_code code) {
    lb_assert(code < LB_CODE_COUNT);
    return causes[code].what;
}

const char *lb_code_hint(enum lb_code code) {
    lb_assert(code < LB_CODE_COUNT);
    return causes[code].hint;
}

bool lb_code_find(struct lb_bytes word, enum lb_code *code) {
    for (unsigned i = LB_OK; i < LB_CODE_COUNT; i++) {
        if (lb_text_is(word, causes[i].word)) {
            *code = (enum lb_code)i;
            return true;
        }
    }
    return false;
}

void lb_error_format(struct lb_text *text, const struct lb_error *error) {
    if (error->code == LB_OK) {
        lb_text_add(text, "ok\n");
        return;
    }
    lb_text_add(text, "%s: %s (%s)\n", lb_code_stage(error->code), lb_code_what(error->code),
                lb_code_word(error->code));
    if (error->facts[0])
        lb_text_add(text, "  %s\n", error->facts);
    if (lb_code_hint(error->code)[0])
        lb_text_add(text, "  try: %s\n", lb_code_hint(error->code));
}
