/* A grub.cfg as commands of words, and the conditions between them. */
#include "core/base/text.h"
#include "hosts/linux/grub.h"
#include <string.h>

/* ---- words ----------------------------------------------------------------------------------- */

/* The word that is being read. */
struct word {
    struct lb_grub_command *command;
    const struct lb_grub_env *env;
    size_t len;
    bool has_begun; /* also by quotes around nothing */
};

static void put(struct word *word, char c) {
    struct lb_grub_command *command = word->command;
    word->has_begun = true;
    if (command->count == LB_GRUB_WORDS_MAX || word->len + 1 == LB_GRUB_WORD_MAX)
        command->is_cut = true;
    else
        command->words[command->count][word->len++] = c;
}

/* Bytes of the text: the marks of variables are ours alone. */
static void put_text(struct word *word, uint8_t byte) {
    if (byte >= ' ')
        put(word, (char)byte);
}

static void end_word(struct word *word) {
    if (word->has_begun && word->command->count < LB_GRUB_WORDS_MAX)
        word->command->words[word->command->count++][word->len] = 0;
    word->len = 0;
    word->has_begun = false;
}

/* Outside of quotes a value with blanks makes several words. */
static size_t put_variable(struct word *word, struct lb_bytes from, bool is_quoted) {
    char name[64];
    size_t len = lb_grub_variable(from, name, sizeof(name));
    const char *value = lb_grub_env_get(word->env, name);
    if (name[0] == 0) {
        put(word, '$');
        return len;
    }
    if (!value)
        put(word, lb_grub_is_unknown(word->env, name) ? LB_GRUB_UNKNOWN : LB_GRUB_UNSET);
    for (; value && *value; value++) {
        if (*value == ' ' && !is_quoted)
            end_word(word);
        else
            put(word, *value);
    }
    return len;
}

/* What is between quotes; gives where it ends. */
static size_t put_quoted(struct word *word, struct lb_bytes text, size_t at) {
    uint8_t quote = text.p[at++];
    word->has_begun = true;
    while (at < text.len && text.p[at] != quote) {
        if (text.p[at] == '$' && quote == '"') {
            at += put_variable(word, lb_bytes(text.p + at, text.len - at), true);
            continue;
        }
        if (text.p[at] == '\\' && quote == '"' && at + 1 < text.len)
            at++;
        put_text(word, text.p[at++]);
    }
    return LB_MIN(at + 1, text.len);
}

static bool is_blank(uint8_t byte) {
    return byte == ' ' || byte == '\t' || byte == '\r';
}

static bool is_end(uint8_t byte) {
    return byte == '\n' || byte == ';';
}

/* One word from `at` on, in pieces with and without quotes; gives where it ends. */
static size_t take_word(struct word *word, struct lb_bytes text, size_t at) {
    while (at < text.len && !is_blank(text.p[at]) && !is_end(text.p[at])) {
        if (text.p[at] == '\'' || text.p[at] == '"') {
            at = put_quoted(word, text, at);
        } else if (text.p[at] == '$') {
            at += put_variable(word, lb_bytes(text.p + at, text.len - at), false);
        } else if (text.p[at] == '\\' && at + 1 < text.len) {
            if (text.p[at + 1] != '\n') /* else the line goes on */
                put_text(word, text.p[at + 1]);
            at += 2;
        } else {
            put_text(word, text.p[at++]);
        }
    }
    end_word(word);
    return at;
}

/* A brace that is a word of its own. */
static bool is_brace(struct lb_bytes text, size_t at, char brace) {
    return text.p[at] == (uint8_t)brace &&
           (at + 1 == text.len || is_blank(text.p[at + 1]) || is_end(text.p[at + 1]));
}

static size_t skip_comment(struct lb_bytes text, size_t at) {
    while (at < text.len && text.p[at] != '\n')
        at++;
    return at;
}

/* The words of one command; gives where the next one begins. */
static size_t take_command(struct word *word, struct lb_bytes text) {
    size_t at = 0;
    while (at < text.len && !is_end(text.p[at])) {
        if (is_blank(text.p[at])) {
            at++;
        } else if (text.p[at] == '#') {
            at = skip_comment(text, at);
        } else if (is_brace(text, at, '}') && word->command->count > 0) {
            return at;
        } else if (is_brace(text, at, '{') || is_brace(text, at, '}')) {
            put_text(word, text.p[at]);
            end_word(word);
            return at + 1;
        } else {
            at = take_word(word, text, at);
        }
    }
    return LB_MIN(at + 1, text.len);
}

bool lb_grub_next(struct lb_bytes *text, const struct lb_grub_env *env,
                  struct lb_grub_command *command) {
    struct word word = {.command = command, .env = env};
    command->count = 0;
    command->is_cut = false;
    while (text->len > 0 && command->count == 0) {
        size_t at = take_command(&word, *text);
        *text = lb_bytes(text->p + at, text->len - at);
    }
    return command->count > 0;
}

void lb_grub_strip(char *word) {
    char *to = word;
    for (const char *from = word; *from; from++) {
        if (*from != LB_GRUB_UNSET && *from != LB_GRUB_UNKNOWN)
            *to++ = *from;
    }
    *to = 0;
}

/* ---- conditions ------------------------------------------------------------------------------ */

/* The words of a test that are left. */
struct test {
    const struct lb_grub_env *env;
    struct lb_grub_command *command;
    size_t at, end;
};

static enum lb_grub_verdict verdict(bool is_true) {
    return is_true ? LB_GRUB_YES : LB_GRUB_NO;
}

static enum lb_grub_verdict opposite(enum lb_grub_verdict of) {
    return of == LB_GRUB_UNSURE ? of : verdict(of == LB_GRUB_NO);
}

static enum lb_grub_verdict both(enum lb_grub_verdict a, enum lb_grub_verdict b) {
    if (a == LB_GRUB_NO || b == LB_GRUB_NO)
        return LB_GRUB_NO;
    return a == LB_GRUB_YES ? b : LB_GRUB_UNSURE;
}

static enum lb_grub_verdict either(enum lb_grub_verdict a, enum lb_grub_verdict b) {
    return opposite(both(opposite(a), opposite(b)));
}

/* The next word, NULL at the end. *is_known: its variables are. */
static const char *next(struct test *test, bool *is_known) {
    char *word;
    if (test->at >= test->end)
        return NULL;
    word = test->command->words[test->at++];
    *is_known = *is_known && !strchr(word, LB_GRUB_UNKNOWN);
    lb_grub_strip(word);
    return word;
}

static bool next_is(const struct test *test, const char *word) {
    return test->at < test->end && strcmp(test->command->words[test->at], word) == 0;
}

static bool compare(const char *a, const char *operator, const char * b, bool *is_known) {
    uint64_t left, right;
    bool are_numbers = lb_parse_u64(lb_bytes_of_text(a), UINT32_MAX, &left) &&
                       lb_parse_u64(lb_bytes_of_text(b), UINT32_MAX, &right);
    if (strcmp(operator, "=") == 0 || strcmp(operator, "==") == 0)
        return strcmp(a, b) == 0;
    if (strcmp(operator, "!=") == 0)
        return strcmp(a, b) != 0;
    *is_known = *is_known && are_numbers;
    if (!are_numbers)
        return false;
    if (strcmp(operator, "-eq") == 0)
        return left == right;
    if (strcmp(operator, "-ne") == 0)
        return left != right;
    if (strcmp(operator, "-lt") == 0)
        return left < right;
    if (strcmp(operator, "-le") == 0)
        return left <= right;
    if (strcmp(operator, "-gt") == 0)
        return left > right;
    return left >= right; /* -ge */
}

static bool is_comparison(const char *word) {
    static const char *const known[] = {"=", "==", "!=", "-eq", "-ne", "-lt", "-le", "-gt", "-ge"};
    for (size_t i = 0; i < LB_COUNT(known); i++) {
        if (strcmp(word, known[i]) == 0)
            return true;
    }
    return false;
}

/* -f FILE and its kin: of files, only grubenv is known. */
static enum lb_grub_verdict test_file(const struct lb_grub_env *env, const char *path) {
    static const char name[] = "/grubenv";
    size_t len = strlen(path), name_len = strlen(name);
    if (len < name_len || strcmp(path + len - name_len, name) != 0)
        return LB_GRUB_UNSURE;
    return verdict(env->block.len > 0);
}

/* "-z WORD", "-n WORD", "-f FILE", "WORD OPERATOR WORD", "WORD". */
static enum lb_grub_verdict test_one(struct test *test) {
    bool is_known = true;
    const char *word = next(test, &is_known), *other;
    if (!word)
        return LB_GRUB_NO;
    if (test->at + 1 < test->end && is_comparison(test->command->words[test->at])) {
        const char *operator= next(test, &is_known);
        bool holds = compare(word, operator, next(test, &is_known), &is_known);
        return is_known ? verdict(holds) : LB_GRUB_UNSURE;
    }
    if (word[0] != '-' || word[1] == 0 || word[2] != 0 || test->at == test->end)
        return is_known ? verdict(word[0] != 0) : LB_GRUB_UNSURE;
    other = next(test, &is_known);
    if (word[1] != 'z' && word[1] != 'n')
        return test_file(test->env, other);
    return is_known ? verdict((other[0] == 0) == (word[1] == 'z')) : LB_GRUB_UNSURE;
}

static enum lb_grub_verdict test_negated(struct test *test) {
    bool is_negated = false;
    while (next_is(test, "!")) {
        is_negated = !is_negated;
        test->at++;
    }
    return is_negated ? opposite(test_one(test)) : test_one(test);
}

static enum lb_grub_verdict test_all(struct test *test) {
    enum lb_grub_verdict result = test_negated(test);
    while (next_is(test, "-a")) {
        test->at++;
        result = both(result, test_negated(test));
    }
    return result;
}

static enum lb_grub_verdict test_any(struct test *test) {
    enum lb_grub_verdict result = test_all(test);
    while (next_is(test, "-o")) {
        test->at++;
        result = either(result, test_all(test));
    }
    /* Parentheses, and what else is not understood. */
    return test->at == test->end ? result : LB_GRUB_UNSURE;
}

enum lb_grub_verdict lb_grub_test(const struct lb_grub_env *env, struct lb_grub_command *command) {
    size_t count = command->count;
    const char *name = count > 0 ? command->words[0] : "";
    struct test test = {.env = env, .command = command, .at = 1, .end = count};
    if (strcmp(name, "true") == 0 || strcmp(name, "false") == 0)
        return verdict(name[0] == 't');
    if (strcmp(name, "[") == 0 && count > 1 && strcmp(command->words[count - 1], "]") == 0)
        test.end--;
    else if (strcmp(name, "test") != 0)
        return LB_GRUB_UNSURE;
    return test_any(&test);
}

/* ---- branches -------------------------------------------------------------------------------- */

bool lb_grub_runs(const struct lb_grub_blocks *blocks) {
    for (size_t i = 0; i < LB_MIN(blocks->depth, LB_GRUB_BLOCKS_MAX); i++) {
        if (blocks->at[i].is_left_out)
            return false;
    }
    return true;
}

/* A branch whose condition gave this. */
static void branch(struct lb_grub_blocks *blocks, enum lb_grub_verdict condition) {
    size_t i = blocks->depth - 1;
    if (blocks->depth == 0 || i >= LB_GRUB_BLOCKS_MAX)
        return;
    blocks->at[i].is_left_out = blocks->at[i].taken == LB_GRUB_YES || condition == LB_GRUB_NO;
    blocks->at[i].taken = either(blocks->at[i].taken, condition);
}

static void drop_words(struct lb_grub_command *command, size_t count) {
    count = LB_MIN(count, command->count);
    memmove(command->words[0], command->words[count],
            (command->count - count) * sizeof(command->words[0]));
    command->count -= count;
}

static void begin_if(struct lb_grub_blocks *blocks) {
    if (blocks->depth < LB_GRUB_BLOCKS_MAX) {
        blocks->at[blocks->depth].taken = LB_GRUB_NO;
        blocks->at[blocks->depth].is_left_out = false;
    }
    blocks->depth++;
}

/* The condition is the command itself: nothing is left of it. */
static void take_condition(struct lb_grub_blocks *blocks, const struct lb_grub_env *env,
                           struct lb_grub_command *command) {
    drop_words(command, 1);
    branch(blocks, lb_grub_test(env, command));
    command->count = 0;
}

bool lb_grub_branch(struct lb_grub_blocks *blocks, const struct lb_grub_env *env,
                    struct lb_grub_command *command) {
    while (command->count > 0) {
        const char *word = command->words[0];
        if (strcmp(word, "if") == 0) {
            begin_if(blocks);
            take_condition(blocks, env, command);
        } else if (strcmp(word, "elif") == 0) {
            take_condition(blocks, env, command);
        } else if (strcmp(word, "else") == 0) {
            branch(blocks, LB_GRUB_YES);
            drop_words(command, 1);
        } else if (strcmp(word, "fi") == 0) {
            blocks->depth -= blocks->depth > 0;
            command->count = 0;
        } else if (strcmp(word, "then") == 0 || strcmp(word, "do") == 0 ||
                   strcmp(word, "done") == 0) {
            drop_words(command, 1);
        } else {
            return true;
        }
    }
    return false;
}
