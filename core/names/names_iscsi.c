/* iSCSI names: RFC 7143 4.2.7, RFC 3722 (stringprep profile for iSCSI). */
#include "core/names/rootpath.h"

#define EUI_DIGITS       16
#define NAA_DIGITS       16
#define NAA_DIGITS_LONG  32
#define DESIGNATOR_BYTES 4 /* "iqn.", "eui.", "naa." */

/* RFC 3722 6.2 beyond ASCII: U+3002 and RFC 3454's C.1.2, C.2.2, C.3, C.4, C.6 to C.9. Surrogates
 * (C.5) are no UTF-8; the last two code points of each plane (C.4) are checked by is_prohibited. */
static const struct {
    uint32_t first, last;
} prohibited[] = {
    {0x0080, 0x00a0},   {0x0340, 0x0341},     {0x06dd, 0x06dd},   {0x070f, 0x070f},
    {0x1680, 0x1680},   {0x180e, 0x180e},     {0x2000, 0x200f},   {0x2028, 0x202f},
    {0x205f, 0x2063},   {0x206a, 0x206f},     {0x2ff0, 0x2ffb},   {0x3000, 0x3000},
    {0x3002, 0x3002},   {0xe000, 0xf8ff},     {0xfdd0, 0xfdef},   {0xfeff, 0xfeff},
    {0xfff9, 0xfffd},   {0x1d173, 0x1d17a},   {0xe0001, 0xe0001}, {0xe0020, 0xe007f},
    {0xf0000, 0xffffd}, {0x100000, 0x10fffd},
};

static bool is_prohibited(uint32_t code_point) {
    if ((code_point & 0xfffe) == 0xfffe)
        return true;
    for (size_t i = 0; i < LB_COUNT(prohibited); i++) {
        if (code_point >= prohibited[i].first && code_point <= prohibited[i].last)
            return true;
    }
    return false;
}

static bool is_digit(uint8_t c) {
    return c >= '0' && c <= '9';
}

/* RFC 3722 6.2 leaves these of ASCII, with the upper case that is mapped to lower. */
static bool is_name_ascii(uint8_t c) {
    uint8_t lower = lb_ascii_lower(c);
    return (lower >= 'a' && lower <= 'z') || (c >= '-' && c <= ':' && c != '/');
}

/* What else targets have in their names. None of it means anything to a shell, to a list, to the
 * kernel's command line or in a path; a name does not begin with it. */
static bool is_odd_ascii(uint8_t c, size_t at) {
    return at > 0 && (c == '+' || c == '=' || c == '@');
}

/* Whether every character may stand in an iSCSI name; else *offset is the first that may not. */
static bool check_characters(struct lb_bytes text, unsigned flags, unsigned *warnings,
                             size_t *offset) {
    for (size_t at = 0, len; at < text.len; at += len) {
        uint32_t code_point;
        *offset = at;
        len = lb_utf8_next(lb_bytes_after(text, at), &code_point);
        if (len == 0)
            return false;
        if (code_point >= 0x80) {
            /* RFC 3454 knows Unicode 3.2: isolates (U+2066 to U+2069) came later. */
            if (is_prohibited(code_point) || !lb_text_is_fit(lb_bytes(text.p + at, len)))
                return false;
            *warnings |= LB_WARN_NON_ASCII;
        } else if (code_point == '_' && !(flags & LB_ROOTPATH_STRICT_NAMES)) {
            *warnings |= LB_WARN_UNDERSCORE;
        } else if ((flags & LB_ROOTPATH_ANY_NAMES) && is_odd_ascii((uint8_t)code_point, at)) {
            *warnings |= LB_WARN_NAME_FORM;
        } else if (!is_name_ascii((uint8_t)code_point)) {
            return false;
        } else if (lb_ascii_lower((uint8_t)code_point) != code_point) {
            *warnings |= LB_WARN_UPPER_CASE;
        }
    }
    return true;
}

/* "yyyy-mm." at *offset, which is moved past it or to the first wrong byte. */
static bool check_date(struct lb_bytes text, size_t *offset) {
    static const char pattern[] = "9999-99."; /* a 9 stands for any digit */
    const size_t start = *offset;
    for (size_t i = 0; i < sizeof pattern - 1; i++, (*offset)++) {
        if (*offset == text.len)
            return false;
        uint8_t c = text.p[*offset];
        if (pattern[i] == '9' ? !is_digit(c) : c != (uint8_t)pattern[i])
            return false;
    }
    const uint8_t *month = text.p + start + 5;
    bool in_year = (month[0] == '0' && month[1] != '0') || (month[0] == '1' && month[1] <= '2');
    if (!in_year)
        *offset = start + 5;
    return in_year;
}

/* RFC 7143 4.2.7.4: date, a reversed domain of at least one label, and anything after a colon. The
 * RFC is silent on nothing after the colon: accepted. */
static bool check_iqn(struct lb_bytes text, size_t *offset) {
    if (!check_date(text, offset))
        return false;
    bool label_is_empty = true;
    for (; *offset < text.len && text.p[*offset] != ':'; (*offset)++) {
        if (text.p[*offset] == '.' && label_is_empty)
            return false;
        label_is_empty = text.p[*offset] == '.';
    }
    return !label_is_empty;
}

/* From *offset to the end: hex digits, `some` or `more` of them. */
static bool check_digits(struct lb_bytes text, size_t some, size_t more, size_t *offset) {
    const size_t start = *offset;
    for (; *offset < text.len; (*offset)++) {
        if (*offset - start == more || lb_hex_digit(text.p[*offset]) < 0)
            return false;
    }
    return text.len - start == some || text.len - start == more;
}

static bool check_form(struct lb_bytes text, size_t *offset) {
    *offset = DESIGNATOR_BYTES;
    if (lb_text_begins(text, "iqn."))
        return check_iqn(text, offset);
    if (lb_text_begins(text, "eui."))
        return check_digits(text, EUI_DIGITS, EUI_DIGITS, offset);
    if (lb_text_begins(text, "naa."))
        return check_digits(text, NAA_DIGITS, NAA_DIGITS_LONG, offset);
    *offset = 0;
    return false;
}

/* A name of no form begins with a letter or a digit, so that it is never an option or a path. What
 * has a name of the right form inside is a Root Path with a field too many. */
static bool check_odd(struct lb_bytes text, size_t *offset) {
    uint8_t first = text.len > 0 ? lb_ascii_lower(text.p[0]) : 0;
    *offset = 0;
    if (!is_digit(first) && !(first >= 'a' && first <= 'z') && first < 0x80)
        return false;
    for (size_t at = 1; at < text.len; at++) {
        struct lb_bytes rest = lb_bytes_after(text, at);
        bool is_inside =
            text.p[at - 1] == ':' && (lb_text_begins(rest, "iqn.") ||
                                      lb_text_begins(rest, "eui.") || lb_text_begins(rest, "naa."));
        if (is_inside && !lb_text_begins(text, "iqn.")) {
            *offset = at;
            return false;
        }
    }
    return true;
}

bool lb_iscsi_name_parse(struct lb_bytes text, unsigned flags, char name[LB_NAME_MAX + 1],
                         unsigned *warnings, size_t *offset) {
    size_t wrong = text.len > LB_NAME_MAX ? LB_NAME_MAX : SIZE_MAX, at = 0;
    unsigned found = 0;
    if (!check_characters(text, flags, &found, &at))
        wrong = LB_MIN(wrong, at);
    if (!check_form(text, &at)) {
        bool may_be_odd = (flags & LB_ROOTPATH_ANY_NAMES) && check_odd(text, &at);
        wrong = may_be_odd ? wrong : LB_MIN(wrong, at);
        found |= LB_WARN_NAME_FORM;
    }
    if (wrong != SIZE_MAX) {
        *offset = wrong;
        return false;
    }
    if (text.len > 0)
        memcpy(name, text.p, text.len);
    name[text.len] = 0;
    *warnings |= found;
    return true;
}

bool lb_iscsi_names_equal(const char *a, const char *b) {
    size_t i = 0;
    while (a[i] != '\0' && lb_ascii_lower((uint8_t)a[i]) == lb_ascii_lower((uint8_t)b[i]))
        i++;
    return a[i] == '\0' && b[i] == '\0';
}

static bool is_real_uuid(const uint8_t uuid[16]) {
    /* Boards without one report all zeros or all ones. */
    uint8_t all_or = 0, all_and = 0xff;
    for (size_t i = 0; uuid && i < 16; i++) {
        all_or |= uuid[i];
        all_and &= uuid[i];
    }
    return all_or != 0 && all_and != 0xff;
}

void lb_iscsi_name_default(char name[LB_NAME_MAX + 1], const uint8_t uuid[16],
                           const uint8_t mac[6]) {
    struct lb_text text = lb_text(name, LB_NAME_MAX + 1);
    lb_text_add(&text, "iqn.2026-11.org.lunboot:");
    if (is_real_uuid(uuid)) {
        lb_text_add(&text, "uuid:");
        lb_text_hex(&text, lb_bytes(uuid, 16));
    } else {
        lb_text_add(&text, "mac:");
        lb_text_hex(&text, lb_bytes(mac, 6));
    }
}
