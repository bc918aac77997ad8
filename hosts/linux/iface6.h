/* IPv6 on the interface of a boot.
 *
 * The engine hears the routers itself, so the kernel is told not to: accept_ra and autoconf are off
 * from before the interface is raised until it is given back, and the kernel makes no link-local
 * address of its own accord. Addresses are probed by the kernel (duplicate address detection, RFC
 * 4862 5.4), with two probes 50 ms apart, as for IPv4 in arp.h, and without the random delay: 0.1 s
 * instead of 1 to 2 s. A link-local address is used while it is probed (optimistic duplicate
 * address detection, RFC 4429), for nothing but to ask routers and DHCPv6 servers, which saves that
 * tenth of a second: half of what a boot takes. An address that a session is from has to be our own
 * first. `dad_transmits` of 0 or `accept_dad` of 0 leave it out. Where the settings cannot be
 * written the kernel's own pace is waited for. */
#ifndef LB_LINUX_IFACE6_H
#define LB_LINUX_IFACE6_H

#include "core/boot/boot.h"
#include "hosts/linux/routes.h"
#include "os/linux/sysctl.h"

#define LB_IFACE6_ADDRS_MAX (LB_ADDRS6_MAX + 4) /* and link-local ones, and those given up */
#define LB_IFACE6_SETTINGS  10

struct lb_iface6_addr {
    struct lb_prefix address;
    bool is_probing;
    bool is_told;     /* is_probing: said to be ours, optimistically */
    bool was_there;   /* before us: it stays, with the lifetime that it has */
    bool was_refused; /* could not be added */
};

struct lb_iface6 {
    const char *name; /* the interface's */
    int index;
    bool is_ours; /* taken over */
    struct lb_sysctl settings[LB_IFACE6_SETTINGS], pace;
    struct lb_iface6_addr addrs[LB_IFACE6_ADDRS_MAX];
    size_t count, probing;
    struct lb_routes routes;
    char remark[160]; /* what could not be done, though the boot can go on; may be empty */
};

/* Whether this kernel can do IPv6 on the interface. */
bool lb_iface6_is_possible(const char *name);
/* The kernel leaves the interface alone. The name is the caller's, and stays. */
void lb_iface6_take(struct lb_iface6 *iface, const char *name, int index);
/* Begins duplicate address detection; see lb_iface6_next. The length of the prefix is the one that
 * lb_iface6_configure is going to have: the kernel never changes it, and an address that is taken
 * away and added again is deaf for a moment. */
void lb_iface6_probe(struct lb_iface6 *iface, struct lb_netlink *netlink, struct lb_prefix address);
/* One of the addresses that were probed, and its answer; false: there is none. Ask again after each
 * LB_NETLINK_ADDRS6. A link-local address may be free, and a conflict a moment later. */
bool lb_iface6_next(struct lb_iface6 *iface, struct lb_netlink *netlink, struct lb_addr *addr,
                    bool *conflict);
/* Whether it may turn out to be another machine's: RFC 4429 3.2 has it told to nobody as ours. */
bool lb_iface6_is_optimistic(const struct lb_iface6 *iface, struct lb_addr addr);
/* Addresses and routes become net's: what is there stays, with new lifetimes. NULL, or what the
 * operating system refused. */
const char *lb_iface6_configure(struct lb_iface6 *iface, struct lb_netlink *netlink,
                                const struct lb_boot_net *net);
/* Takes addresses and routes away, but for the link-local one. */
void lb_iface6_clear(struct lb_iface6 *iface, struct lb_netlink *netlink);
/* The interface is the kernel's again. undo: without our addresses. */
void lb_iface6_give_back(struct lb_iface6 *iface, struct lb_netlink *netlink, bool undo);

#endif
