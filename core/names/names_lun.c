/* The LUN of a Root Path: up to four groups of up to four hex digits. RFC 4173 section 5. */
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
