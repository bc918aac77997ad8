#include "core/rootpath/utf8.h"

/* How many bytes the first one announces, and its share of the value; 0 for none. */
static size_t leading(uint8_t byte, uint32_t *bits) {
    *bits = byte;
    if (byte < 0x80)
        return 1;
    if (byte >= 0xc2 && byte < 0xe0)
        return *bits = byte & 0x1f, 2;
    if (byte >= 0xe0 && byte < 0xf0)
        return *bits = byte & 0x0f, 3;
    if (byte >= 0xf0 && byte < 0xf5)
        return *bits = byte & 0x07, 4;
    return 0;
}

bool lb_utf8_first(struct lb_bytes text, uint32_t *code_point, size_t *len) {
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t value;
    size_t count = leading(text.p[0], &value);
    if (count == 0 || count > text.len)
        return false;
    for (size_t i = 1; i < count; i++) {
        if ((text.p[i] & 0xc0) != 0x80)
            return false;
        value = value << 6 | (text.p[i] & 0x3f);
    }
    if (value < least[count] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000))
        return false;
    *code_point = value;
    *len = count;
    return true;
}
