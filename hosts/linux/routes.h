/* Routes that we make beside those of others.
 *
 * No route is ever replaced: another interface's default route stays as it is and, having the lower
 * metric as a rule, stays in use. Ours has a metric of its own, and is deleted by it. Where the
 * place is taken, the next metric is. */
#ifndef LB_LINUX_ROUTES_H
#define LB_LINUX_ROUTES_H

#include "core/boot/boot.h"
#include "os/linux/netlink.h"

struct lb_made_route {
    struct lb_route route;
    uint32_t metric; /* 0: it could not be made */
};

/* Zeroed: none. */
struct lb_routes {
    struct lb_made_route made[LB_ROUTES_MAX];
    size_t count;
};

/* Makes them `wanted`, in this order of preference; what is there already stays. own: the network
 * of the interface, for routers outside of it (RFC 3442 and many a hosting network); zero for IPv6,
 * where a router that is not link-local is outside. refused: the first route that could not be
 * made, and its errno is the result; 0: all of them. */
int lb_routes_set(struct lb_routes *routes, struct lb_netlink *netlink, int index,
                  struct lb_prefix own, const struct lb_route *wanted, size_t count,
                  struct lb_route *refused);
/* Deletes them; those that others have deleted or replaced are left. */
void lb_routes_clear(struct lb_routes *routes, struct lb_netlink *netlink, int index);

#endif
