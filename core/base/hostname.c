/* Host names: RFC 952, RFC 1123 2.1; and with `_`, which people's have, and which DNS and all peers
 * resolve. */
#include "core/base/addr.h"
#include "core/base/limits.h"

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

/* One label; *offset is moved past it or to the first wrong byte. */
static bool check_label(struct lb_bytes text, size_t end, size_t *offset) {
    const size_t start = *offset;
    for (; *offset < end; (*offset)++) {
        uint8_t c = text.p[*offset];
        bool is_edge = *offset == start || *offset + 1 == end;
        bool fits = is_letter(c) || is_digit(c) || c == '_' || (c == '-' && !is_edge);
        if (!fits || *offset - start == LABEL_MAX)
            return false;
    }
    return end > start;
}

static bool check_labels(struct lb_bytes text, size_t *offset) {
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

size_t lb_host_name_last_label(struct lb_bytes text) {
    size_t at = text.len;
    if (at > 0 && text.p[at - 1] == '.')
        at--;
    while (at > 0 && text.p[at - 1] != '.')
        at--;
    return at;
}

static bool is_digits(struct lb_bytes text) {
    for (size_t i = 0; i < text.len; i++)
        if (!is_digit(text.p[i]))
            return false;
    return true;
}

/* What every resolver takes for an address, or who wrote it: digits at the end, 0x, or digits in
 * front and one at the beginning of the end (`192.0.2.1x`). */
static bool is_like_address(struct lb_bytes text, size_t last) {
    struct lb_bytes end = lb_bytes(text.p + last, label_end(text, last) - last);
    if (!is_digit(end.p[0]))
        return false;
    return is_digits(end) || (end.p[0] == '0' && lb_ascii_lower(end.p[1]) == 'x') ||
           (last > 0 && is_digits(lb_bytes(text.p, label_end(text, 0))));
}

bool lb_host_name_check(struct lb_bytes text, size_t *offset) {
    size_t last = lb_host_name_last_label(text);
    if (!check_labels(text, offset))
        return false;
    if (is_like_address(text, last)) {
        *offset = last;
        return false;
    }
    if (text.len > LB_HOST_MAX) {
        *offset = LB_HOST_MAX;
        return false;
    }
    return true;
}

bool lb_host_name_is_plain(struct lb_bytes text) {
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.p[i];
        if (!is_letter(c) && !is_digit(c) && c != '-' && c != '_' && c != '.')
            return false;
    }
    return text.len > 0 && text.len <= LB_HOST_MAX && text.p[0] != '-' && text.p[0] != '.';
}

bool lb_interface_name_is_plain(struct lb_bytes text) {
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.p[i];
        if (!is_letter(c) && !is_digit(c) && c != '.' && c != '_' && c != ':' && c != '+' &&
            c != '@' && c != '-')
            return false;
    }
    return text.len > 0 && !lb_text_is(text, ".") && !lb_text_is(text, "..");
}
