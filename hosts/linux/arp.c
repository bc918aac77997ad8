#include "hosts/linux/arp.h"
#include "os/linux/packet.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sys/socket.h>
#include <unistd.h>

#define REQUEST 1
#define REPLY   2

void lb_arp_build(uint8_t frame[LB_ARP_FRAME], const uint8_t mac[6], struct lb_addr from,
                  struct lb_addr addr) {
    struct lb_wr wr = lb_wr(lb_span(frame, LB_ARP_FRAME));
    for (unsigned i = 0; i < 6; i++)
        lb_wr_u8(&wr, 0xff);
    lb_wr_bytes(&wr, lb_bytes(mac, 6));
    lb_wr_u16(&wr, ETH_P_ARP);
    lb_wr_u16(&wr, 1); /* Ethernet */
    lb_wr_u16(&wr, ETH_P_IP);
    lb_wr_u8(&wr, 6);
    lb_wr_u8(&wr, 4);
    lb_wr_u16(&wr, REQUEST);
    lb_wr_bytes(&wr, lb_bytes(mac, 6));
    lb_wr_addr(&wr, from);
    lb_wr_zero(&wr, 6);
    lb_wr_addr(&wr, addr);
}

bool lb_arp_is_conflict(struct lb_bytes frame, const uint8_t mac[6], struct lb_addr addr) {
    struct lb_rd rd = lb_rd(frame);
    struct lb_bytes sender_mac;
    struct lb_addr sender, target;
    uint16_t hardware, protocol, operation;
    uint8_t hardware_len, protocol_len;

    lb_rd_skip(&rd, 14);
    hardware = lb_rd_u16(&rd);
    protocol = lb_rd_u16(&rd);
    hardware_len = lb_rd_u8(&rd);
    protocol_len = lb_rd_u8(&rd);
    operation = lb_rd_u16(&rd);
    sender_mac = lb_rd_bytes(&rd, 6);
    sender = lb_rd_v4(&rd);
    lb_rd_skip(&rd, 6);
    target = lb_rd_v4(&rd);
    if (!lb_rd_ok(&rd) || hardware != 1 || protocol != ETH_P_IP || hardware_len != 6 ||
        protocol_len != 4 || (operation != REQUEST && operation != REPLY))
        return false;
    if (lb_bytes_equal(sender_mac, lb_bytes(mac, 6)))
        return false; /* our own, come back */
    return lb_addr_equal(sender, addr) ||
           (operation == REQUEST && lb_addr_is_zero(sender) && lb_addr_equal(target, addr));
}

int lb_arp_open(struct lb_arp *arp, int index, const uint8_t mac[6]) {
    struct sockaddr_ll address = {
        .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ARP), .sll_ifindex = index};
    int error;

    *arp = (struct lb_arp){.index = index};
    memcpy(arp->mac, mac, sizeof(arp->mac));
    arp->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (arp->fd < 0)
        return errno;
    if (bind(arp->fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return 0;
    error = errno;
    lb_arp_close(arp);
    return error;
}

void lb_arp_close(struct lb_arp *arp) {
    if (arp->fd >= 0)
        close(arp->fd);
    arp->fd = -1;
}

static void send_frame(struct lb_arp *arp, struct lb_addr from, struct lb_addr addr) {
    struct sockaddr_ll address = {
        .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ARP), .sll_ifindex = arp->index};
    uint8_t frame[LB_ARP_FRAME];
    lb_arp_build(frame, arp->mac, from, addr);
    /* What is lost here is lost as on the wire: the next probe is the remedy. */
    (void)!sendto(arp->fd, frame, sizeof(frame), 0, (struct sockaddr *)&address, sizeof(address));
}

void lb_arp_start(struct lb_arp *arp, uint64_t now_us, struct lb_addr addr) {
    arp->addr = addr;
    arp->sent = 0;
    arp->until_us = now_us;
}

enum lb_arp_answer lb_arp_poll(struct lb_arp *arp, uint64_t now_us) {
    uint8_t frame[256];
    for (;;) {
        struct sockaddr_ll sender = {0};
        socklen_t sender_len = sizeof(sender);
        ssize_t got = recvfrom(arp->fd, frame, sizeof(frame), MSG_DONTWAIT,
                               (struct sockaddr *)&sender, &sender_len);
        if (got < 0)
            break;
        if (lb_packet_is_ours(&sender) && lb_addr_is_set(arp->addr) &&
            lb_arp_is_conflict(lb_bytes(frame, (size_t)got), arp->mac, arp->addr)) {
            arp->addr = (struct lb_addr){0};
            return LB_ARP_TAKEN;
        }
    }
    if (!lb_addr_is_set(arp->addr) || now_us < arp->until_us)
        return LB_ARP_WAIT;
    if (arp->sent == LB_ARP_PROBES) {
        arp->addr = (struct lb_addr){0};
        return LB_ARP_FREE;
    }
    send_frame(arp, lb_addr_v4(0, 0, 0, 0), arp->addr);
    arp->sent++;
    arp->until_us = now_us + LB_ARP_INTERVAL_US;
    return LB_ARP_WAIT;
}

void lb_arp_announce(struct lb_arp *arp, struct lb_addr addr) {
    if (addr.family == LB_V4)
        send_frame(arp, addr, addr);
}
