/* The kernel's network configuration over rtnetlink: link, address, routes.
 *
 * One request at a time, each answered before the call returns (the kernel answers at once). libmnl
 * would be the library for this; Debian has it as a shared library only, and lunboot is static.
 * Functions that give an int give 0, or the errno of what was refused. */
#ifndef LB_LINUX_NETLINK_H
#define LB_LINUX_NETLINK_H

#include "core/boot/boot.h"

struct lb_netlink {
    int fd;        /* requests */
    int events_fd; /* readable when some link changed: lb_netlink_changed */
    uint32_t seq;
};

struct lb_link {
    int index;
    bool is_up;       /* by an administrator */
    bool has_carrier; /* and packets can pass */
    bool is_ethernet;
    uint32_t mtu;
    uint8_t mac[6];
};

int lb_netlink_open(struct lb_netlink *netlink);
void lb_netlink_close(struct lb_netlink *netlink);

/* The interface of this name; ENODEV when there is none. */
int lb_netlink_find(struct lb_netlink *netlink, const char *name, struct lb_link *link);
int lb_netlink_set_up(struct lb_netlink *netlink, int index, bool up);
int lb_netlink_set_mtu(struct lb_netlink *netlink, int index, uint32_t mtu);
/* Reads what events_fd has; true when one of them was about this interface. */
bool lb_netlink_changed(struct lb_netlink *netlink, int index);

/* Adds it, or gives it a new lifetime: lease_s seconds, 0 for ever. After that the kernel takes it
 * away, also when nobody is left to do so. */
int lb_netlink_add_address(struct lb_netlink *netlink, int index, struct lb_prefix address,
                           uint32_t lease_s);
int lb_netlink_del_address(struct lb_netlink *netlink, int index, struct lb_prefix address);
/* is_on_link: the router is reached directly, though it is in none of the interface's networks. */
int lb_netlink_add_route(struct lb_netlink *netlink, int index, const struct lb_route *route,
                         bool is_on_link);
int lb_netlink_del_route(struct lb_netlink *netlink, int index, const struct lb_route *route);

#endif
