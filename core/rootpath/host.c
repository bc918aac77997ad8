/* The servername of a Root Path: RFC 2396 3.2.2 names and IPv4 addresses, RFC 2732 [IPv6]. */
#include "core/rootpath/rootpath.h"

#define LABEL_MAX 63 /* RFC 1035 2.3.4: a longer one can never resolve */

static bool is_digit(uint8_t c) {
    return c >= '0' && c <= '9';
}

static bool is_letter(uint8_t c) {
    uint8_t lower = lb_ascii_lower(c);
    return lower >= 'a' && lower <= 'z';
}

/* The end of the label that begins at start: the next dot, or the end of the text. */
static size_t label_end(struct lb_bytes text, size_t start) {
    while (start < text.len && text.p[start] != '.')
        start++;
    return start;
}

/* Where the last label begins; a final dot does not count. */
static size_t last_label(struct lb_bytes text) {
    size_t at = text.len;
    if (at > 0 && text.p[at - 1] == '.')
        at--;
    while (at > 0 && text.p[at - 1] != '.')
        at--;
    return at;
}

/* Four decimal octets. False sets *offset to the octet or the byte that spoils them. */
static bool check_v4(struct lb_bytes text, size_t *offset) {
    size_t at = 0;
    for (unsigned octet = 0;; octet++, at++) {
        unsigned value = 0;
        size_t start = at;
        for (; at < text.len && is_digit(text.p[at]) && at - start < 3; at++)
            value = value * 10 + (text.p[at] - '0');
        bool is_octet = value <= 255 && !(at - start > 1 && text.p[start] == '0');
        *offset = at == start || is_octet ? at : start;
        if (at == start || !is_octet)
            return false;
        if (octet == 3)
            return at == text.len;
        if (at == text.len || text.p[at] != '.')
            return false;
    }
}

/* One label; *offset is moved past it or to the first wrong byte. */
static bool check_label(struct lb_bytes text, size_t end, size_t *offset) {
    const size_t start = *offset;
    for (; *offset < end; (*offset)++) {
        uint8_t c = text.p[*offset];
        bool is_edge = *offset == start || *offset + 1 == end;
        bool fits = is_letter(c) || is_digit(c) || (c == '-' && !is_edge);
        if (!fits || *offset - start == LABEL_MAX)
            return false;
    }
    return end > start;
}

static bool check_name(struct lb_bytes text, size_t *offset) {
    *offset = 0;
    for (;;) {
        if (!check_label(text, label_end(text, *offset), offset))
            return false;
        if (*offset == text.len)
            return true;
        if (*offset + 1 == text.len)
            return true; /* one final dot */
        (*offset)++;
    }
}

/* The first byte that stands in no IPv6 address, else where it begins. */
static size_t wrong_v6(struct lb_bytes text) {
    for (size_t at = 0; at < text.len; at++) {
        uint8_t c = text.p[at];
        if (lb_hex_digit(c) < 0 && c != ':' && c != '.')
            return at;
    }
    return 0;
}

static bool parse_v6(struct lb_bytes text, enum lb_host_kind *kind, struct lb_addr *addr,
                     size_t *offset) {
    if (!lb_addr_parse_v6(text, addr)) {
        *offset = wrong_v6(text);
        return false;
    }
    *kind = LB_HOST_ADDR;
    return true;
}

static bool parse_bracketed(struct lb_bytes text, enum lb_host_kind *kind, struct lb_addr *addr,
                            size_t *offset) {
    size_t end = 0;
    while (end < text.len && text.p[end] != ']')
        end++;
    *offset = end == text.len ? 0 : end + 1; /* no bracket that closes, or something after it */
    if (end + 1 != text.len)
        return false;
    if (parse_v6(lb_bytes(text.p + 1, end - 1), kind, addr, offset))
        return true;
    *offset += 1;
    return false;
}

static size_t find_colon(struct lb_bytes text) {
    size_t at = 0;
    while (at < text.len && text.p[at] != ':')
        at++;
    return at;
}

bool lb_host_parse(struct lb_bytes text, bool bare, enum lb_host_kind *kind, struct lb_addr *addr,
                   char name[LB_HOST_MAX + 1], size_t *offset) {
    if (text.len == 0) {
        *kind = LB_HOST_NONE;
        return true;
    }
    if (text.p[0] == '[')
        return parse_bracketed(text, kind, addr, offset);
    *offset = find_colon(text);
    if (*offset < text.len)
        return bare && parse_v6(text, kind, addr, offset);
    /* RFC 2396: a name's last label begins with a letter, so that it is no address. */
    size_t last = last_label(text);
    if (last < text.len && is_digit(text.p[last])) {
        if (!check_v4(text, offset) || !lb_addr_parse_v4(text, addr))
            return false;
        *kind = LB_HOST_ADDR;
        return true;
    }
    if (!check_name(text, offset))
        return false;
    if (text.len > LB_HOST_MAX) {
        *offset = LB_HOST_MAX;
        return false;
    }
    lb_text_copy(name, LB_HOST_MAX + 1, text);
    *kind = LB_HOST_NAME;
    return true;
}
