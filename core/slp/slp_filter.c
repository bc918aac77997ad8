/* Whether a service matches a predicate: RFC 2608 8.1, the LDAPv3 filter of RFC 2254 without
 * extensible matches. Depth is counted in an array, not in the processor's stack. */
#include "core/slp/slp_wire.h"

#define DEPTH_MAX 16   /* filters inside each other; those of RFC 4018 have two */
#define FOLD_MAX  1024 /* longest value compared */

/* What follows "(" is a combination, and this is how far it got. */
struct combination {
    uint8_t how; /* '&', '|', '!' */
    unsigned count;
    bool value;
};

struct evaluation {
    struct lb_bytes left;
    struct lb_bytes attributes;
    struct combination stack[DEPTH_MAX];
    size_t depth;
    bool is_done, result;
};

enum relation { EQUAL, AT_LEAST, AT_MOST };

struct folded {
    uint8_t bytes[FOLD_MAX];
    size_t len;
};

static bool fold(struct lb_bytes text, bool keep_ends, struct folded *to) {
    return lb_slp_fold(text, keep_ends, lb_span(to->bytes, sizeof to->bytes), &to->len);
}

/* RFC 2608 5: what is all digits is a number. */
static bool is_integer(const struct folded *value, int64_t *number) {
    struct lb_bytes digits = lb_bytes(value->bytes, value->len);
    bool is_negative = digits.len > 0 && digits.p[0] == '-';
    uint64_t magnitude;
    if (!lb_parse_u64(lb_bytes_after(digits, is_negative), INT64_MAX, &magnitude))
        return false;
    *number = is_negative ? -(int64_t)magnitude : (int64_t)magnitude;
    return true;
}

/* Negative, zero or positive, as a stands to b. */
static int compare_texts(const struct folded *a, const struct folded *b) {
    int order = memcmp(a->bytes, b->bytes, LB_MIN(a->len, b->len));
    return order ? order : (a->len > b->len) - (a->len < b->len);
}

static bool compare(const struct folded *value, enum relation relation,
                    const struct folded *wanted) {
    int64_t a, b;
    bool a_is_number = is_integer(value, &a), b_is_number = is_integer(wanted, &b);
    if (a_is_number != b_is_number)
        return false; /* RFC 2608 8.1: types have to agree */
    int order = a_is_number ? (a > b) - (a < b) : compare_texts(value, wanted);
    switch (relation) {
    case EQUAL:
        return order == 0;
    case AT_LEAST:
        return order >= 0;
    case AT_MOST:
        return order <= 0;
    }
    return false;
}

/* Where `piece` stands in value, at `from` or later; SIZE_MAX: nowhere. */
static size_t find_piece(const struct folded *value, size_t from, const struct folded *piece) {
    for (; from + piece->len <= value->len; from++) {
        if (memcmp(value->bytes + from, piece->bytes, piece->len) == 0)
            return from;
    }
    return SIZE_MAX;
}

/* first*middle*last: the first piece at the start, the last one at the end, the others in between,
 * each as early as it can be. */
static bool match_pieces(const struct folded *value, struct lb_bytes pattern) {
    struct folded piece;
    size_t at = 0;
    bool is_first = true;
    for (;;) {
        size_t len = 0;
        while (len < pattern.len && pattern.p[len] != '*')
            len++;
        if (!fold(lb_bytes(pattern.p, len), true, &piece))
            return false;
        bool is_last = len == pattern.len;
        if (is_last)
            return value->len - at >= piece.len &&
                   memcmp(value->bytes + value->len - piece.len, piece.bytes, piece.len) == 0;
        size_t found = find_piece(value, at, &piece);
        if (found == SIZE_MAX || (is_first && found != 0))
            return false;
        at = found + piece.len;
        is_first = false;
        pattern = lb_bytes_after(pattern, len + 1);
    }
}

static bool has_star(struct lb_bytes text) {
    for (size_t i = 0; i < text.len; i++) {
        if (text.p[i] == '*')
            return true;
    }
    return false;
}

/* RFC 2608 8.1: one of several values is enough. */
static bool match_values(struct lb_bytes values, enum relation relation, struct lb_bytes wanted) {
    struct folded value, folded_wanted = {.len = 0};
    struct lb_bytes one;
    bool is_pattern = relation == EQUAL && has_star(wanted);
    if (!is_pattern && !fold(wanted, false, &folded_wanted))
        return false;
    while (lb_list_next(&values, ',', &one)) {
        if (!fold(one, false, &value))
            continue;
        if (is_pattern ? match_pieces(&value, wanted) : compare(&value, relation, &folded_wanted))
            return true;
    }
    return false;
}

/* tag=value, tag>=value, tag<=value; tag~=value counts as equal. */
static enum lb_slp_match match_item(struct lb_bytes item, struct lb_bytes attributes) {
    struct lb_bytes tag, wanted;
    if (!lb_split_at(item, '=', &tag, &wanted) || tag.len == 0)
        return LB_SLP_MATCH_MALFORMED;
    enum relation relation = EQUAL;
    uint8_t before = tag.p[tag.len - 1];
    if (before == '>' || before == '<' || before == '~') {
        relation = before == '>' ? AT_LEAST : before == '<' ? AT_MOST : EQUAL;
        tag.len--;
    }
    tag = lb_bytes_trim(tag);
    wanted = lb_bytes_trim(wanted);
    if (tag.len == 0 || wanted.len == 0)
        return LB_SLP_MATCH_MALFORMED;
    struct lb_bytes one, values;
    while (lb_slp_attribute_next(&attributes, &one, &values)) {
        if (!lb_slp_same(one, tag))
            continue;
        bool is_presence = relation == EQUAL && lb_text_is(wanted, "*");
        if (is_presence || match_values(values, relation, wanted))
            return LB_SLP_MATCH_YES;
    }
    return LB_SLP_MATCH_NO;
}

/* A filter that is complete has this value. False where none may stand. */
static bool give_value(struct evaluation *e, bool value) {
    if (e->depth == 0) {
        e->is_done = true;
        e->result = value;
        return true;
    }
    struct combination *top = &e->stack[e->depth - 1];
    bool is_first = top->count++ == 0;
    if (top->how == '!') {
        top->value = !value;
        return is_first;
    }
    if (is_first)
        top->value = value;
    else
        top->value = top->how == '&' ? top->value && value : top->value || value;
    return true;
}

static void skip_blanks(struct lb_bytes *text) {
    while (text->len > 0 && (text->p[0] == ' ' || text->p[0] == '\t'))
        *text = lb_bytes_after(*text, 1);
}

/* Behind a "(". */
static bool open_filter(struct evaluation *e) {
    skip_blanks(&e->left);
    uint8_t c = e->left.len > 0 ? e->left.p[0] : 0;
    if (e->is_done)
        return false;
    if (c == '&' || c == '|' || c == '!') {
        if (e->depth == DEPTH_MAX)
            return false;
        e->stack[e->depth++] = (struct combination){.how = c};
        e->left = lb_bytes_after(e->left, 1);
        return true;
    }
    size_t end = 0;
    while (end < e->left.len && e->left.p[end] != ')' && e->left.p[end] != '(')
        end++;
    if (end == e->left.len || e->left.p[end] == '(')
        return false;
    enum lb_slp_match match = match_item(lb_bytes(e->left.p, end), e->attributes);
    e->left = lb_bytes_after(e->left, end + 1);
    return match != LB_SLP_MATCH_MALFORMED && give_value(e, match == LB_SLP_MATCH_YES);
}

static bool close_combination(struct evaluation *e) {
    if (e->depth == 0 || e->stack[e->depth - 1].count == 0)
        return false;
    return give_value(e, e->stack[--e->depth].value);
}

enum lb_slp_match lb_slp_filter(struct lb_bytes filter, struct lb_bytes attributes) {
    struct evaluation e = {.left = lb_bytes_trim(filter), .attributes = attributes};
    if (e.left.len == 0)
        return LB_SLP_MATCH_YES;
    while (e.left.len > 0) {
        uint8_t c = e.left.p[0];
        e.left = lb_bytes_after(e.left, 1);
        bool is_good = c == '('   ? open_filter(&e)
                       : c == ')' ? close_combination(&e)
                                  : c == ' ' || c == '\t';
        if (!is_good)
            return LB_SLP_MATCH_MALFORMED;
    }
    if (!e.is_done || e.depth > 0)
        return LB_SLP_MATCH_MALFORMED;
    return e.result ? LB_SLP_MATCH_YES : LB_SLP_MATCH_NO;
}
