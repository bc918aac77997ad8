/* What the writers of netfiles.h ask of the interface's configuration, and what they share. */
#ifndef LB_LINUX_NETFACTS_H
#define LB_LINUX_NETFACTS_H

#include "hosts/linux/netfiles.h"

/* The first line of each file that takes comments. */
#define LB_NETFILES_HEAD                                                                           \
    "# Written by lunboot. This interface carries the root disk: it must stay up.\n"

/* It has an IPv4 address; and that address is leased. */
bool lb_netfacts_has_v4(const struct lb_boot_net *net);
bool lb_netfacts_is_leased_v4(const struct lb_boot_net *net); /* see above */

/* Where an IPv6 address is from: those of DHCPv6 have no prefix; those of router advertisements
 * have one, and an end; those of a person have no end. */
bool lb_netfacts_is_leased_v6(const struct lb_boot_addr6 *one);
bool lb_netfacts_is_static_v6(const struct lb_boot_addr6 *one); /* a person's */
bool lb_netfacts_has_leased_v6(const struct lb_boot_net *net);  /* one of them is leased */
bool lb_netfacts_has_static_v6(const struct lb_boot_net *net);  /* one of them is a person's */
/* All of them come from router advertisements, or by their leave. */
bool lb_netfacts_is_advertised_v6(const struct lb_boot_net *net);

/* The route has a router: it does not say what is on the link. */
bool lb_netfacts_has_router(const struct lb_route *route);
/* The interface is of a kind of its own: a VLAN, a bond, a bridge, a virtual cable. */
bool lb_netfacts_has_kind(const struct lb_netfiles *from);
/* The same, but for the end of a virtual cable, which is as good as a card to those who manage
 * networks. */
bool lb_netfacts_is_virtual(const struct lb_netfiles *from);
/* The domains to search, or else the machine's own; "" where there is none. */
const char *lb_netfacts_search(const struct lb_boot_net *net);

/* Adds bytes in hex, with colons. */
void lb_netfacts_add_hex(struct lb_text *text, struct lb_bytes bytes);
/* Adds the name servers of one family, or of both, with what stands between them. */
void lb_netfacts_add_dns(struct lb_text *text, const struct lb_boot_net *net, bool v4, bool v6,
                         const char *between);

#endif
