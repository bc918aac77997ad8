/* ARP packets for IPv4 over Ethernet: RFC 826, RFC 894. */
#include "core/arp/arp.h"

enum {
    TYPE_ARP = 0x0806,
    TYPE_IPV4 = 0x0800,
    HARDWARE_ETHERNET = 1,
    LENGTHS = 0x0604, /* of a MAC address, and of an IPv4 address */
    REQUEST = 1,
    REPLY = 2,
};

void lb_arp_build(uint8_t frame[LB_ARP_FRAME], const uint8_t mac[6], struct lb_addr from,
                  struct lb_addr addr) {
    struct lb_wr wr = lb_wr(lb_span(frame, LB_ARP_FRAME));
    for (unsigned i = 0; i < 6; i++)
        lb_wr_u8(&wr, 0xff);
    lb_wr_bytes(&wr, lb_bytes(mac, 6));
    lb_wr_u16(&wr, TYPE_ARP);
    lb_wr_u16(&wr, HARDWARE_ETHERNET);
    lb_wr_u16(&wr, TYPE_IPV4);
    lb_wr_u16(&wr, LENGTHS);
    lb_wr_u16(&wr, REQUEST);
    lb_wr_bytes(&wr, lb_bytes(mac, 6));
    lb_wr_addr(&wr, from);
    lb_wr_zero(&wr, 6);
    lb_wr_addr(&wr, addr);
    lb_assert(lb_wr_ok(&wr));
}

struct lb_addr lb_arp_claimed(struct lb_bytes frame, const uint8_t mac[6]) {
    const struct lb_addr nobody = {.family = LB_FAMILY_NONE};
    struct lb_rd rd = lb_rd(frame);
    lb_rd_skip(&rd, 12);
    uint16_t type = lb_rd_u16(&rd), hardware = lb_rd_u16(&rd), protocol = lb_rd_u16(&rd),
             lengths = lb_rd_u16(&rd), operation = lb_rd_u16(&rd);
    struct lb_bytes sender_mac = lb_rd_bytes(&rd, 6);
    struct lb_addr sender = lb_rd_v4(&rd);
    lb_rd_skip(&rd, 6);
    struct lb_addr target = lb_rd_v4(&rd);
    if (!lb_rd_ok(&rd) || type != TYPE_ARP || hardware != HARDWARE_ETHERNET ||
        protocol != TYPE_IPV4 || lengths != LENGTHS ||
        (operation != REQUEST && operation != REPLY) ||
        lb_bytes_equal(sender_mac, lb_bytes(mac, 6)))
        return nobody;
    if (!lb_addr_is_zero(sender))
        return sender;
    return operation == REQUEST ? target : nobody; /* a probe for it */
}
