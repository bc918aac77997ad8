#include "hosts/linux/arp.h"
#include "os/linux/packet.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sys/socket.h>
#include <unistd.h>

int lb_arp_socket_open(struct lb_arp_socket *arp, int index, const uint8_t mac[6]) {
    struct sockaddr_ll address = {
        .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ARP), .sll_ifindex = index};
    int error;

    *arp = (struct lb_arp_socket){.index = index};
    memcpy(arp->mac, mac, sizeof(arp->mac));
    arp->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (arp->fd < 0)
        return errno;
    if (bind(arp->fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return 0;
    error = errno;
    lb_arp_socket_close(arp);
    return error;
}

void lb_arp_socket_close(struct lb_arp_socket *arp) {
    if (arp->fd >= 0)
        close(arp->fd);
    arp->fd = -1;
}

static void send_frame(struct lb_arp_socket *arp, struct lb_addr from, struct lb_addr addr) {
    struct sockaddr_ll address = {
        .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ARP), .sll_ifindex = arp->index};
    uint8_t frame[LB_ARP_FRAME];
    lb_arp_build(frame, arp->mac, from, addr);
    /* What is lost here is lost as on the wire: the next probe is the remedy. */
    (void)!sendto(arp->fd, frame, sizeof(frame), 0, (struct sockaddr *)&address, sizeof(address));
}

enum lb_arp_event lb_arp_socket_poll(struct lb_arp_socket *arp, uint64_t now_us) {
    enum lb_arp_event event;
    uint8_t frame[256];
    for (;;) {
        struct sockaddr_ll sender = {0};
        socklen_t sender_len = sizeof(sender);
        ssize_t got = recvfrom(arp->fd, frame, sizeof(frame), MSG_DONTWAIT,
                               (struct sockaddr *)&sender, &sender_len);
        if (got < 0)
            break;
        if (lb_packet_is_ours(&sender))
            lb_arp_heard(&arp->probe, lb_bytes(frame, (size_t)got), arp->mac);
    }
    while ((event = lb_arp_poll(&arp->probe, now_us)) == LB_ARP_SEND)
        send_frame(arp, lb_addr_v4(0, 0, 0, 0), arp->probe.addr);
    return event;
}

void lb_arp_socket_announce(struct lb_arp_socket *arp, struct lb_addr addr) {
    if (addr.family == LB_V4)
        send_frame(arp, addr, addr);
}
