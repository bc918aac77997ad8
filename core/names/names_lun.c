/* LUNs: as a Root Path has them (RFC 4173 5, up to four groups of up to four hex digits), and as
 * people count them. */
#include "core/names/rootpath.h"

#define GROUPS       4
#define GROUP_DIGITS 4

/* One group; *offset is moved past it, or to its first wrong byte. */
static bool parse_group(struct lb_bytes text, size_t *offset, uint8_t *out) {
    unsigned value = 0, digits = 0;
    for (; *offset < text.len && text.p[*offset] != '-'; (*offset)++, digits++) {
        int digit = lb_hex_digit(text.p[*offset]);
        if (digit < 0 || digits == GROUP_DIGITS)
            return false;
        value = value << 4 | (unsigned)digit;
    }
    if (digits == 0)
        return false;
    out[0] = (uint8_t)(value >> 8);
    out[1] = (uint8_t)value;
    return true;
}

bool lb_lun_parse(struct lb_bytes text, uint8_t lun[8], size_t *offset) {
    uint8_t out[8] = {0};
    *offset = 0;
    for (unsigned group = 0;; group++) {
        if (!parse_group(text, offset, out + 2 * group))
            return false;
        if (*offset == text.len)
            break;
        if (group == GROUPS - 1)
            return false; /* a `-` after the fourth group */
        (*offset)++;
    }
    memcpy(lun, out, sizeof out);
    return true;
}

void lb_lun_format(struct lb_text *text, const uint8_t lun[8]) {
    unsigned last = GROUPS - 1;
    while (last > 0 && lun[2 * last] == 0 && lun[2 * last + 1] == 0)
        last--;
    for (unsigned group = 0; group <= last; group++)
        lb_text_add(text, "%s%x", group == 0 ? "" : "-",
                    (unsigned)lun[2 * group] << 8 | lun[2 * group + 1]);
}

void lb_lun_format_number(struct lb_text *text, const uint8_t lun[8]) {
    static const uint8_t none[6];
    unsigned first = (unsigned)lun[0] << 8 | lun[1];
    if (memcmp(lun + 2, none, sizeof none) != 0)
        lb_text_hex(text, lb_bytes(lun, 8));
    else if (first <= 0xff || first >> 14 == 1) /* peripheral on bus 0, or flat space: SAM-5 4.7 */
        lb_text_add(text, "%u", first & 0x3fff);
    else
        lb_text_add(text, "0x%04x", first);
}

bool lb_lun_format_both(struct lb_text *text, const uint8_t lun[8], const char *label) {
    char number[32], groups[32];
    struct lb_text number_text = lb_text(number, sizeof number);
    struct lb_text groups_text = lb_text(groups, sizeof groups);
    lb_lun_format(&groups_text, lun);
    lb_lun_format_number(&number_text, lun);
    lb_text_add(text, "%s", number);
    if (lb_streq(number, groups))
        return false;
    lb_text_add(text, " (%s%s)", label, groups);
    return true;
}

struct lb_lun_text lb_lun_text(const uint8_t lun[8]) {
    struct lb_lun_text out;
    struct lb_text text = lb_text(out.s, sizeof out.s);
    lb_lun_format_both(&text, lun, "Root Path: ");
    return out;
}
