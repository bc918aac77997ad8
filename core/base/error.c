#include "core/base/error.h"

/* In turn: a table of pointers would be longer than what it points to. */
static const char code_words[] = "ok\0"
#define LB_ERROR(code, word, stage, cure, tells, meaning, advice) word "\0"
#include "core/base/errors.def"
#undef LB_ERROR
    ;

/* What it means and what to try, in turn, too: together they are longer than a string may be. */
static const struct {
    char ok[2];
#define LB_ERROR(code, word, stage, cure, tells, meaning, advice)                                  \
    char what_##code[sizeof(meaning)], hint_##code[sizeof(advice)];
#include "core/base/errors.def"
#undef LB_ERROR
} causes = {
    .ok = "",
#define LB_ERROR(code, word, stage, cure, tells, meaning, advice)                                  \
    .what_##code = meaning, .hint_##code = advice,
#include "core/base/errors.def"
#undef LB_ERROR
};

static const char stage_words[] =
#define LB_STAGE(name, word) word "\0"
    LB_STAGES(LB_STAGE)
#undef LB_STAGE
    ;

static const uint8_t stages[LB_CODE_COUNT] = {
#define LB_ERROR(code, word, stage, cure, tells, meaning, advice) [LB_E_##code] = LB_STAGE_##stage,
#include "core/base/errors.def"
#undef LB_ERROR
};

static const uint8_t cures[LB_CODE_COUNT] = {
#define LB_ERROR(code, word, stage, cure, tells, meaning, advice) [LB_E_##code] = LB_CURE_##cure,
#include "core/base/errors.def"
#undef LB_ERROR
};

static const uint8_t told[LB_CODE_COUNT] = {
#define LB_ERROR(code, word, stage, cure, tells, meaning, advice) [LB_E_##code] = LB_TELLS_##tells,
#include "core/base/errors.def"
#undef LB_ERROR
};

static const char *word_at(const char *at, unsigned index) {
    for (; index > 0; index--)
        at += lb_strlen(at) + 1;
    return at;
}

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

void lb_error_clear(struct lb_error *error) {
    error->code = LB_OK;
    error->facts[0] = '\0';
}

bool lb_is_ok(const struct lb_error *error) {
    return error->code == LB_OK;
}

const char *lb_code_word(enum lb_code code) {
    lb_assert(code < LB_CODE_COUNT);
    return word_at(code_words, code);
}

const char *lb_stage_word(enum lb_stage stage) {
    lb_assert(stage < LB_STAGE_COUNT);
    return word_at(stage_words, stage);
}

enum lb_stage lb_code_stage(enum lb_code code) {
    lb_assert(code < LB_CODE_COUNT);
    return (enum lb_stage)stages[code];
}

const char *lb_code_what(enum lb_code code) {
    lb_assert(code < LB_CODE_COUNT);
    return word_at((const char *)&causes, 2 * code);
}

const char *lb_code_hint(enum lb_code code) {
    lb_assert(code < LB_CODE_COUNT);
    return word_at((const char *)&causes, 2 * code + 1);
}

enum lb_cure lb_code_cure(enum lb_code code) {
    lb_assert(code < LB_CODE_COUNT);
    return (enum lb_cure)cures[code];
}

bool lb_code_may_pass(enum lb_code code) {
    return lb_code_cure(code) >= LB_CURE_LATER;
}

bool lb_code_tells(enum lb_code code, enum lb_tells what) {
    lb_assert(code < LB_CODE_COUNT);
    return (told[code] & what) == what;
}

bool lb_code_find(struct lb_bytes word, enum lb_code *code) {
    for (unsigned i = LB_OK; i < LB_CODE_COUNT; i++) {
        if (lb_text_is(word, lb_code_word((enum lb_code)i))) {
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
    lb_text_add(text, "%s: %s (%s)\n", lb_stage_word(lb_code_stage(error->code)),
                lb_code_what(error->code), lb_code_word(error->code));
    if (error->facts[0])
        lb_text_add(text, "  %s\n", error->facts);
    if (lb_code_hint(error->code)[0])
        lb_text_add(text, "  try: %s\n", lb_code_hint(error->code));
}
