/* The network interface of a boot: configured as the engine says, and put back as it was found. */
#ifndef LB_LINUX_IFACE_H
#define LB_LINUX_IFACE_H

#include "hosts/linux/iface6.h"
#include "hosts/linux/resolvconf.h"

struct lb_iface {
    char name[32];
    const char *root; /* where resolv.conf is written; NULL: nowhere */
    struct lb_netlink netlink;
    struct lb_link found;   /* as it was at first */
    struct lb_link link;    /* as it was seen last */
    struct lb_boot_net net; /* what is configured; no address: nothing is */
    bool address_was_there; /* of net, before us: it stays, with the lifetime that it has */
    struct lb_routes routes, pins;
    uint32_t mtu_before, mtu_after; /* before: 0: not changed */
    struct lb_sysctl rp_filter;
    bool was_raised; /* by us */
    bool was_in_use; /* was_raised: though it was down, others had configured it */
    bool has_ipv6;   /* the caller's choice, before lb_iface_raise: else it is left alone */
    struct lb_iface6 v6;
    struct lb_resolvconf resolvconf;
    char remark[160]; /* what could not be done, though the boot can go on; may be empty */
};

/* Finds the interface; its name is the caller's. False: NO_INTERFACE or HOST_NETWORK. */
bool lb_iface_open(struct lb_iface *iface, const char *name, const char *root,
                   struct lb_error *error);
/* Closes the sockets; the interface stays as it is. */
void lb_iface_close(struct lb_iface *iface);

/* Brings it up where it is down, and looks at the link. With has_ipv6, the kernel's own
 * autoconfiguration is off from here on. */
bool lb_iface_raise(struct lb_iface *iface, struct lb_error *error);
/* Reads the events that are there, and gives what may have changed, of LB_NETLINK_...; the link was
 * then looked at again. */
unsigned lb_iface_changed(struct lb_iface *iface);
/* Addresses, routes, MTU, resolv.conf. What is there of others, on this interface or another, is
 * added to and never replaced. Called again (a renewed or another lease) it changes what is
 * different. NULL, or what the operating system refused: then nothing is configured. */
const char *lb_iface_configure(struct lb_iface *iface, const struct lb_boot_net *net);
/* The addresses stay though the lease may end. */
void lb_iface_hold(struct lb_iface *iface);
/* Makes sure that whoever binds to no interface reaches this address by ours as well, also where
 * another has the default route, or will have: a route to the one address, through our router. It
 * stays with lb_iface_keep. */
void lb_iface_pin(struct lb_iface *iface, struct lb_addr to);
/* Takes the addresses away, and with them the routes; link-local ones stay, and what was there
 * before us. */
void lb_iface_clear(struct lb_iface *iface);
/* As it was found: no address of ours, the kernel's settings, MTU, resolv.conf, and down if it was
 * down. What others have changed meanwhile stays, and an interface that they use stays up. */
void lb_iface_restore(struct lb_iface *iface);
/* The configuration stays for whoever comes next; the kernel's settings are as they were found, so
 * that it hears the routers from now on. */
void lb_iface_keep(struct lb_iface *iface);

#endif
