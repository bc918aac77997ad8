/* The kernel's network configuration over rtnetlink: link, address, routes.
 *
 * One request at a time, each answered before the call returns (the kernel answers at once). libmnl
 * would be the library for this; Debian has it as a shared library only, and lunboot is static.
 * Functions that give an int give 0, or the errno of what was refused. */
#ifndef LB_OS_NETLINK_H
#define LB_OS_NETLINK_H

#include "core/base/addr.h"

struct lb_netlink {
    int fd;        /* requests */
    int events_fd; /* readable when some link or IPv6 address changed: lb_netlink_changed */
    uint32_t seq;
};

struct lb_link {
    int index;
    bool is_up;       /* by an administrator */
    bool has_carrier; /* and packets can pass */
    bool is_ethernet;
    bool has_master; /* it is part of a bridge, a bond or a team */
    uint32_t mtu;
    uint8_t mac[6];
    char kind[16]; /* "bond", "vlan", "bridge", "veth", ...; empty: a card */
};

/* flags: IFF_; queue: the name of what is in front of the card, with its NUL. Packets pass as soon
 * as there is a carrier and such a queue ("noop" is none), which the kernel sees to at once.
 * IFF_RUNNING is not waited for: it comes with the kernel's link watch, which looks once a second,
 * so that a card raised just after it was found would lie idle for up to that (seen with
 * Linux 6.1). */
bool lb_link_passes(unsigned flags, struct lb_bytes queue);

/* Opens both sockets. After an error close what is open with lb_netlink_close. */
int lb_netlink_open(struct lb_netlink *netlink);
void lb_netlink_close(struct lb_netlink *netlink); /* harmless where they are not open */

/* The interface of this name; ENODEV when there is none. */
int lb_netlink_find(struct lb_netlink *netlink, const char *name, struct lb_link *link);
/* Puts the interface up or down. */
int lb_netlink_set_up(struct lb_netlink *netlink, int index, bool up);
/* In bytes; the kernel refuses what the card cannot do. */
int lb_netlink_set_mtu(struct lb_netlink *netlink, int index, uint32_t mtu);

/* Reads what events_fd has; what of this interface may have changed, of these: */
enum {
    LB_NETLINK_LINK = 1,
    LB_NETLINK_ADDRS6 = 2,
};
/* Gives the sum of what may have changed; all of it where the kernel lost messages. */
unsigned lb_netlink_changed(struct lb_netlink *netlink, int index);

/* Adds it, or gives it a new lifetime: lease_s seconds, 0 for ever. After that the kernel takes it
 * away, also when nobody is left to do so. */
int lb_netlink_add_address(struct lb_netlink *netlink, int index, struct lb_prefix address,
                           uint32_t lease_s);
/* Takes it away; EADDRNOTAVAIL: it was not there. */
int lb_netlink_del_address(struct lb_netlink *netlink, int index, struct lb_prefix address);

/* In seconds; UINT32_MAX: for ever. */
struct lb_lifetime {
    uint32_t preferred_s, valid_s;
};
/* Whether the interface has this very address (of IPv4 with this length, by which the kernel tells
 * two of them apart); then its lifetime is written. */
bool lb_netlink_has_address(struct lb_netlink *netlink, int index, struct lb_prefix address,
                            struct lb_lifetime *lifetime);
/* Whether it has any address but link-local ones of IPv6, or is part of a bridge or a bond. */
bool lb_netlink_is_in_use(struct lb_netlink *netlink, int index);

/* What has become of an IPv6 address. */
enum lb_addr6_state {
    LB_ADDR6_ABSENT,
    LB_ADDR6_TENTATIVE,  /* duplicate address detection is under way */
    LB_ADDR6_OPTIMISTIC, /* the same, but it may be used meanwhile: RFC 4429 */
    LB_ADDR6_DUPLICATE,  /* another machine has it */
    LB_ADDR6_READY,
};
/* Adds it, or gives it new lifetimes, in seconds: UINT32_MAX is for ever, a preferred one of 0
 * deprecates it. is_probed: by duplicate address detection, unless it is there; a link-local one is
 * used meanwhile where the kernel allows that. No route to its network comes with it, unless it is
 * a link-local one. */
int lb_netlink_add_address6(struct lb_netlink *netlink, int index, struct lb_prefix address,
                            uint32_t preferred_s, uint32_t valid_s, bool is_probed);
/* Asks the kernel now; ABSENT also where it cannot be asked. */
enum lb_addr6_state lb_netlink_addr6_state(struct lb_netlink *netlink, int index,
                                           struct lb_addr addr);

/* Whether packets to this address are taken in: a moment after an address was added without a
 * probe. */
bool lb_netlink_is_local(struct lb_netlink *netlink, struct lb_addr addr);

/* Adds a route beside those that are there; EEXIST: there is one to the same place with this
 * metric, be it another interface's. is_on_link: the router is reached directly, though it is in
 * none of the interface's networks. metric: 0 for the kernel's usual one; of several ways the one
 * with the least metric is used. */
int lb_netlink_add_route(struct lb_netlink *netlink, int index, const struct lb_route *route,
                         bool is_on_link, uint32_t metric);
/* Removes the interface's route of this metric; ESRCH: there is none. */
int lb_netlink_del_route(struct lb_netlink *netlink, int index, const struct lb_route *route,
                         uint32_t metric);

/* How the kernel would send to an address. */
struct lb_way {
    int index;          /* by this interface */
    struct lb_addr via; /* zero: directly */
    bool is_local;      /* the address is the machine's own */
};
/* index: as if sent by this interface; 0: as it is for whoever binds to none. */
int lb_netlink_way(struct lb_netlink *netlink, struct lb_addr to, int index, struct lb_way *way);
/* What messages of the kernel's say, as the functions above take them: the last link and address
 * flags among them, and LB_NETLINK_ of what changed of the interface. For tests. */
unsigned lb_netlink_read(struct lb_bytes messages, int index, struct lb_link *link,
                         uint32_t *addr_flags);

#endif
