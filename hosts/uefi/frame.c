#include "hosts/uefi/frame.h"

#define TYPE_VLAN  0x8100 /* IEEE 802.1Q: a customer's tag */
#define TYPE_SVLAN 0x88a8 /* a provider's */
#define VLAN_ID    0x0fff
#define TAG_BYTES  4

static uint16_t type_of(const uint8_t *frame) {
    return (uint16_t)(frame[12] << 8 | frame[13]);
}

size_t frame_untag(uint8_t *frame, size_t len) {
    while (len >= FRAME_HEADER && (type_of(frame) == TYPE_VLAN || type_of(frame) == TYPE_SVLAN)) {
        if (len < FRAME_HEADER + TAG_BYTES || ((frame[14] << 8 | frame[15]) & VLAN_ID) != 0)
            return 0;
        memmove(frame + 12, frame + 12 + TAG_BYTES, len - 12 - TAG_BYTES);
        len -= TAG_BYTES;
    }
    return len < FRAME_HEADER ? 0 : len;
}
