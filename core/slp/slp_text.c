/* The strings inside SLP messages: escapes, comparison, scope lists, attribute lists, groups. */
#include "core/slp/slp_wire.h"

#define GROUP_BASE 0x1000
#define GROUP_MASK 0x3ff /* RFC 3111 4.1: 1024 groups */

static bool is_blank(uint8_t c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* RFC 2608 5, 6.4.1 and RFC 2254 4: all that stands for something somewhere. */
static bool is_reserved(uint8_t c) {
    static const char reserved[] = "(),\\!<=>~;*+";
    for (size_t i = 0; i < sizeof reserved - 1; i++) {
        if (c == (uint8_t)reserved[i])
            return true;
    }
    return c < 0x20 || c == 0x7f;
}

void lb_slp_escape(struct lb_text *text, struct lb_bytes value) {
    for (size_t i = 0; i < value.len; i++) {
        if (is_reserved(value.p[i]))
            lb_text_add(text, "\\%02x", value.p[i]);
        else
            lb_text_add(text, "%c", value.p[i]);
    }
}

/* Takes one byte off, an escape decoded; -1 where there is none. */
static int next_byte(struct lb_bytes *value) {
    uint8_t c = value->p[0];
    if (c != '\\') {
        *value = lb_bytes_after(*value, 1);
        return c;
    }
    if (value->len < 3)
        return -1;
    int high = lb_hex_digit(value->p[1]), low = lb_hex_digit(value->p[2]);
    *value = lb_bytes_after(*value, 3);
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

bool lb_slp_unescape(struct lb_bytes value, struct lb_span room, size_t *len) {
    size_t at = 0;
    while (value.len > 0) {
        int byte = next_byte(&value);
        if (byte < 0 || at == room.len)
            return false;
        room.p[at++] = (uint8_t)byte;
    }
    *len = at;
    return true;
}

bool lb_slp_fold(struct lb_bytes value, bool keep_ends, struct lb_span room, size_t *len) {
    size_t at = 0;
    bool was_blank = !keep_ends; /* blanks at the start go */
    while (value.len > 0) {
        int byte = next_byte(&value);
        if (byte < 0)
            return false;
        bool blank = is_blank((uint8_t)byte);
        if (blank && was_blank)
            continue;
        if (at == room.len)
            return false;
        room.p[at++] = blank ? ' ' : lb_ascii_lower((uint8_t)byte);
        was_blank = blank;
    }
    if (!keep_ends && at > 0 && was_blank)
        at--;
    *len = at;
    return true;
}

/* A string on its way through lb_slp_fold, byte by byte: two that differ are told apart at once. */
struct folding {
    struct lb_bytes left;
    bool has_begun, has_held;
    uint8_t held; /* comes behind the blank that was given */
};

enum { END = -1, MALFORMED = -2 };

static int next_folded(struct folding *f) {
    bool skipped = false;
    if (f->has_held) {
        f->has_held = false;
        return f->held;
    }
    while (f->left.len > 0) {
        int byte = next_byte(&f->left);
        if (byte < 0)
            return MALFORMED;
        if (is_blank((uint8_t)byte)) {
            skipped = true;
            continue;
        }
        f->held = lb_ascii_lower((uint8_t)byte);
        f->has_held = skipped && f->has_begun;
        f->has_begun = true;
        return f->has_held ? ' ' : f->held;
    }
    return END;
}

bool lb_slp_same(struct lb_bytes a, struct lb_bytes b) {
    struct folding x = {.left = a}, y = {.left = b};
    for (;;) {
        int from_a = next_folded(&x), from_b = next_folded(&y);
        if (from_a != from_b || from_a == MALFORMED)
            return false;
        if (from_a == END)
            return true;
    }
}

/* One of blanks alone is none, also where they are written as "\20". */
static bool is_scope_in(struct lb_bytes scope, struct lb_bytes list) {
    struct lb_bytes one;
    if (lb_slp_same(scope, lb_bytes(NULL, 0)))
        return false;
    while (lb_list_next(&list, ',', &one)) {
        if (lb_slp_same(one, scope))
            return true;
    }
    return false;
}

bool lb_slp_scopes_meet(struct lb_bytes a, struct lb_bytes b) {
    struct lb_bytes scope;
    while (lb_list_next(&a, ',', &scope)) {
        if (is_scope_in(scope, b))
            return true;
    }
    return false;
}

bool lb_slp_is_listed(struct lb_bytes responders, struct lb_addr addr) {
    struct lb_bytes one;
    while (lb_list_next(&responders, ',', &one)) {
        struct lb_addr listed;
        if (lb_addr_parse(one, &listed) && lb_addr_equal(listed, addr))
            return true;
    }
    return false;
}

const char *lb_slp_choose_scopes(const char *configured, const char *option79, bool mandatory) {
    if (option79 && mandatory)
        return option79;
    return configured ? configured : option79;
}

/* ---- attribute lists ---- */

/* The first of the given characters, or the end. */
static size_t find_any(struct lb_bytes text, const char *wanted) {
    size_t at = 0;
    for (; at < text.len; at++) {
        for (const char *c = wanted; *c; c++) {
            if (text.p[at] == (uint8_t)*c)
                return at;
        }
    }
    return at;
}

/* Past the comma behind an attribute. False where something else stands there. */
static bool skip_comma(struct lb_bytes *list) {
    while (list->len > 0 && is_blank(list->p[0]))
        *list = lb_bytes_after(*list, 1);
    if (list->len == 0)
        return true;
    if (list->p[0] != ',' || list->len == 1)
        return false;
    *list = lb_bytes_after(*list, 1);
    return true;
}

bool lb_slp_attribute_next(struct lb_bytes *list, struct lb_bytes *tag, struct lb_bytes *values) {
    struct lb_bytes left = *list;
    while (left.len > 0 && is_blank(left.p[0]))
        left = lb_bytes_after(left, 1);
    if (left.len == 0) {
        *list = left;
        return false;
    }
    if (left.p[0] != '(') {
        size_t end = find_any(left, ",()=");
        *tag = lb_bytes_trim(lb_bytes(left.p, end));
        *values = lb_bytes(NULL, 0);
        left = lb_bytes_after(left, end);
    } else {
        size_t equals = find_any(left, "="), end = find_any(left, ")");
        if (end == left.len || equals > end)
            return false;
        *tag = lb_bytes_trim(lb_bytes(left.p + 1, equals - 1));
        *values = lb_bytes(left.p + equals + 1, end - equals - 1);
        left = lb_bytes_after(left, end + 1);
    }
    if (tag->len == 0 || !skip_comma(&left))
        return false;
    *list = left;
    return true;
}

bool lb_slp_attribute_find(struct lb_bytes list, const char *tag, struct lb_bytes *values) {
    struct lb_bytes one;
    while (lb_slp_attribute_next(&list, &one, values)) {
        if (lb_slp_same(one, lb_bytes_of_text(tag)))
            return true;
    }
    return false;
}

/* ---- groups ---- */

/* RFC 3111 4.1, appendix: over the service type as it is sent. */
static unsigned type_hash(const char *type) {
    unsigned hash = 0;
    for (; *type; type++)
        hash = hash * 33 + (uint8_t)*type;
    return hash & GROUP_MASK;
}

struct lb_addr lb_slp_group(enum lb_family family, enum lb_slp_function function, const char *type,
                            uint8_t scope) {
    uint8_t bytes[16] = {0xff, scope};
    if (family == LB_V4)
        return lb_addr_v4(239, 255, 255, 253);
    struct lb_wr wr = lb_wr(lb_span(bytes + 12, 4));
    if (function == LB_SLP_ATTR_RQST || function == LB_SLP_SRV_TYPE_RQST)
        lb_wr_u32(&wr, 0x116);
    else if (lb_streq(type, LB_SLP_TYPE_DIRECTORY))
        lb_wr_u32(&wr, 0x123);
    else
        lb_wr_u32(&wr, 0x10000 | GROUP_BASE | type_hash(type));
    return lb_addr_v6_bytes(bytes);
}

/* ---- queries ---- */

const char *lb_slp_query_word(enum lb_slp_query query) {
    switch (query) {
    case LB_SLP_BY_TARGET:
        return "by target";
    case LB_SLP_BY_INITIATOR:
        return "by initiator";
    case LB_SLP_ANYBODYS:
        return "anybody's";
    case LB_SLP_OURS:
        return "ours";
    case LB_SLP_BY_CHAP_USER:
        return "by CHAP user";
    case LB_SLP_BY_ALL:
        return "by initiator, address and CHAP user";
    case LB_SLP_BOOT_LIST:
        return "boot list";
    case LB_SLP_EVERYTHING:
        return "everything";
    case LB_SLP_ISNS:
        return "iSNS servers";
    }
    return "?";
}

bool lb_slp_query_is_policy(enum lb_slp_query query) {
    return query >= LB_SLP_BY_INITIATOR && query <= LB_SLP_BOOT_LIST;
}

/* (tag=PREFIXvalue) */
static void put_item(struct lb_text *text, const char *tag, const char *prefix, const char *value) {
    lb_text_add(text, "(%s=%s", tag, prefix);
    lb_slp_escape(text, lb_bytes_of_text(value));
    lb_text_add(text, ")");
}

/* (|(tag=PREFIXvalue)(tag=any)); without a value (tag=any) alone. */
static void put_or_any(struct lb_text *text, const char *tag, const char *prefix,
                       const char *value) {
    if (value) {
        lb_text_add(text, "(|");
        put_item(text, tag, prefix, value);
    }
    lb_text_add(text, "(%s=any)%s", tag, value ? ")" : "");
}

/* RFC 4018 5.2 prints this and query 4 without the outer parentheses, and with `&` where its words
 * say "or". */
static void put_by_all(struct lb_text *text, const struct lb_slp_config *config) {
    struct lb_addr_text address = lb_addr_text(config->address);
    lb_text_add(text, "(&");
    put_or_any(text, "auth-name", "", config->initiator);
    put_or_any(text, "auth-addr", "", lb_addr_is_set(config->address) ? address.s : NULL);
    put_or_any(text, "auth-cred", "chap/", config->chap_user);
    lb_text_add(text, ")");
}

void lb_slp_predicate(struct lb_text *text, const struct lb_slp_config *config) {
    switch (config->query) {
    case LB_SLP_BY_TARGET:
        put_item(text, "iscsi-name", "", config->target);
        return;
    case LB_SLP_BY_INITIATOR:
        put_item(text, "auth-name", "", config->initiator);
        return;
    case LB_SLP_ANYBODYS:
        put_or_any(text, "auth-name", "", NULL);
        return;
    case LB_SLP_OURS:
        put_or_any(text, "auth-name", "", config->initiator);
        return;
    case LB_SLP_BY_CHAP_USER:
        put_item(text, "auth-cred", "chap/", config->chap_user);
        return;
    case LB_SLP_BY_ALL:
        put_by_all(text, config);
        return;
    case LB_SLP_BOOT_LIST:
        /* The template's word for everybody is "iscsi" here, and "any" in auth-name: both. */
        lb_text_add(text, "(|");
        put_item(text, "boot-list", "", config->initiator);
        lb_text_add(text, "(boot-list=iscsi)(boot-list=any))");
        return;
    case LB_SLP_EVERYTHING:
        return;
    case LB_SLP_ISNS:
        lb_text_add(text, "(protocols=isns)");
        return;
    }
}
