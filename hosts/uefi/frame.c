#include "hosts/uefi/frame.h"

#define TYPE_ARP   0x0806
#define TYPE_VLAN  0x8100 /* IEEE 802.1Q: a customer's tag */
#define TYPE_SVLAN 0x88a8 /* a provider's */
#define VLAN_ID    0x0fff
#define TAG_BYTES  4

enum { /* of ARP: RFC 826 */
       REQUEST = 1,
       REPLY = 2,
};

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

struct lb_addr frame_claimed(struct lb_bytes frame, const uint8_t mac[6]) {
    const struct lb_addr nobody = {.family = LB_FAMILY_NONE};
    struct lb_rd rd = lb_rd(frame);
    lb_rd_skip(&rd, 12);
    uint16_t type = lb_rd_u16(&rd), hardware = lb_rd_u16(&rd), protocol = lb_rd_u16(&rd),
             lengths = lb_rd_u16(&rd), operation = lb_rd_u16(&rd);
    struct lb_bytes sender_mac = lb_rd_bytes(&rd, 6);
    struct lb_addr sender = lb_rd_v4(&rd);
    lb_rd_skip(&rd, 6);
    struct lb_addr target = lb_rd_v4(&rd);
    if (!lb_rd_ok(&rd) || type != TYPE_ARP || hardware != 1 || protocol != 0x0800 ||
        lengths != 0x0604 || (operation != REQUEST && operation != REPLY) ||
        memcmp(sender_mac.p, mac, 6) == 0)
        return nobody;
    if (!lb_addr_is_zero(sender))
        return sender;
    return operation == REQUEST ? target : nobody; /* a probe for it */
}
