#include "hosts/uefi/card_path.h"

enum {
    TYPE_HARDWARE = 1,
    HARDWARE_PCI = 1,
    TYPE_MESSAGING = 3,
    MESSAGING_MAC = 11,
    MESSAGING_IPV4 = 12,
    MESSAGING_IPV6 = 13,
    MESSAGING_VLAN = 20,
    HEADER_BYTES = 4,
};

struct node {
    uint8_t type, subtype;
};

/* The next node; false: there is none, or what is there is none. */
static bool next(struct lb_rd *rd, struct node *node) {
    node->type = lb_rd_u8(rd);
    node->subtype = lb_rd_u8(rd);
    uint16_t len = lb_rd_u16le(rd);
    if (!lb_rd_ok(rd) || len < HEADER_BYTES)
        return false;
    lb_rd_skip(rd, len - HEADER_BYTES);
    return lb_rd_ok(rd);
}

bool card_path_is_child(struct lb_bytes path) {
    struct lb_rd rd = lb_rd(path);
    struct node node;
    while (next(&rd, &node))
        if (node.type == TYPE_MESSAGING &&
            (node.subtype == MESSAGING_IPV4 || node.subtype == MESSAGING_IPV6 ||
             node.subtype == MESSAGING_VLAN))
            return true;
    return false;
}

bool card_path_is_platform(struct lb_bytes path) {
    struct lb_rd rd = lb_rd(path);
    struct node node;
    bool is_hardware = path.len > 0;
    while (rd.left > 0) {
        if (!next(&rd, &node))
            return false;
        if (node.type == TYPE_MESSAGING && node.subtype == MESSAGING_MAC)
            return true;
        is_hardware = is_hardware && node.type == TYPE_HARDWARE && node.subtype != HARDWARE_PCI;
    }
    return is_hardware;
}
