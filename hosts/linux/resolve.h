/* Names to addresses, by c-ares: A and AAAA at once, /etc/hosts included.
 *
 * The name servers are those of the boot (its lease or its configuration), or, where it has none,
 * those of the machine's resolv.conf. */
#ifndef LB_LINUX_RESOLVE_H
#define LB_LINUX_RESOLVE_H

#include "core/boot/boot.h"

struct lb_resolve {
    struct ares_channeldata *channel; /* NULL: nothing is being looked up */
    int epoll_fd;                     /* one descriptor for all sockets of c-ares */
    bool is_done;
    struct lb_addr addrs[LB_PORTALS_MAX]; /* IPv6 and IPv4 in the order c-ares gives (RFC 6724) */
    size_t addr_count;
};

/* 0, or an errno. */
int lb_resolve_open(struct lb_resolve *resolve);
void lb_resolve_close(struct lb_resolve *resolve);
/* Looks the name up; interface NULL: any. False: it could not begin. A lookup under way is given
 * up. */
bool lb_resolve_start(struct lb_resolve *resolve, const char *name, const struct lb_boot_net *net,
                      const char *interface);
/* Takes what came and looks at timers; true once, when the lookup has ended: see addrs. */
bool lb_resolve_poll(struct lb_resolve *resolve);
/* How long until lb_resolve_poll must be called anyway; LB_NEVER: no lookup is under way. */
uint64_t lb_resolve_wait_us(const struct lb_resolve *resolve);

#endif
