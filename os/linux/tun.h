/* A TUN interface: whole IP packets to and from the kernel's own network, for IPsec in user space.
 *
 * No route leads to it: only sockets that are bound to it use it, so nothing else of the
 * machine is changed. It is gone when it is closed. */
#ifndef LB_OS_TUN_H
#define LB_OS_TUN_H

#include "core/base/addr.h"

struct lb_tun {
    int fd; /* -1: not open */
    char name[16];
};

/* Opens one, up, with this MTU in bytes. 0, or an errno. */
int lb_tun_open(struct lb_tun *tun, unsigned mtu);
void lb_tun_close(struct lb_tun *tun); /* harmless where it is not open */
/* The next packet that the kernel sends; empty: none. It lies in room. */
struct lb_bytes lb_tun_read(struct lb_tun *tun, struct lb_span room);
/* A packet for the kernel; one that it does not take is lost. */
void lb_tun_write(struct lb_tun *tun, struct lb_bytes packet);
/* Makes a socket's packets go through it alone, from this address (family none: of none yet), and
 * lets nothing else reach it. IPv6 needs a route as well, which is made here: the host `to`. 0, or
 * an errno. */
int lb_tun_bind(const struct lb_tun *tun, int fd, struct lb_addr from, struct lb_addr to);

#endif
