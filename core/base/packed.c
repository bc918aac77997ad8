#include "core/base/packed.h"

void lb_unpack(struct lb_text *text, const uint8_t *packed, const uint8_t *pairs, unsigned index) {
    while (index > 0)
        if (*packed++ == 0)
            index--;
    uint8_t later[LB_PACKED_DEPTH_MAX + 1]; /* second halves, the next one last */
    for (size_t count = 0;;) {
        uint8_t byte = count > 0 ? later[--count] : *packed++;
        if (byte == 0)
            return;
        while (byte < 0x20 || byte >= 0x80) {
            const uint8_t *pair = &pairs[2 * (uint8_t)(byte + 128)];
            lb_assert(count < sizeof later);
            later[count++] = pair[1];
            byte = pair[0];
        }
        lb_text_add(text, "%c", byte);
    }
}

#ifdef LB_SMALL
#include "texts_packed.h"
_Static_assert(TEXTS_PACKED_DEPTH <= LB_PACKED_DEPTH_MAX, "pairs within pairs");

void lb_packed_add(struct lb_text *text, unsigned index) {
    lb_unpack(text, texts_packed, texts_pairs, index);
}
#endif
