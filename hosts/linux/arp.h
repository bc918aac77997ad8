/* The socket for ARP frames of an interface; what they say, and when to ask, is core/arp's. */
#ifndef LB_LINUX_ARP_H
#define LB_LINUX_ARP_H

#include "core/arp/arp.h"

struct lb_arp_socket {
    int fd; /* readable: ask again */
    int index;
    uint8_t mac[6];
    struct lb_arp_probe probe;
};

/* 0, or an errno. */
int lb_arp_socket_open(struct lb_arp_socket *arp, int index, const uint8_t mac[6]);
/* Closes the socket; harmless where it is not open. */
void lb_arp_socket_close(struct lb_arp_socket *arp);
/* Reads what came, and sends what is due: WAIT, FREE or TAKEN of the probe that was started
 * (lb_arp_start). WAIT: ask again at probe.until_us, or when fd is readable. */
enum lb_arp_event lb_arp_socket_poll(struct lb_arp_socket *arp, uint64_t now_us);
/* Tells the link that the address is ours, so that nobody goes on with an older answer. */
void lb_arp_socket_announce(struct lb_arp_socket *arp, struct lb_addr addr);

#endif
