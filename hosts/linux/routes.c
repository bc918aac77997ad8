#include "hosts/linux/routes.h"
#include <errno.h>

#define METRIC       1024 /* the kernel's own for IPv6, and systemd-networkd's for DHCP */
#define METRIC_TRIES 16   /* others that have a route to the same place */

static bool is_same(const struct lb_route *a, const struct lb_route *b) {
    return a->to.len == b->to.len && lb_addr_equal(a->to.addr, b->to.addr) &&
           lb_addr_equal(a->via, b->via);
}

static void delete_from(struct lb_routes *routes, struct lb_netlink *netlink, int index,
                        size_t from) {
    for (size_t i = from; i < routes->count; i++) {
        const struct lb_made_route *made = &routes->made[i];
        if (made->metric != 0)
            lb_netlink_del_route(netlink, index, &made->route, made->metric);
    }
    routes->count = from;
}

static bool is_outside(struct lb_prefix own, struct lb_addr via) {
    return via.family == LB_V6 ? !lb_addr_is_link_local(via) : !lb_prefix_has(own, via);
}

/* The place in the list is the preference. */
static int make(struct lb_made_route *made, struct lb_netlink *netlink, int index, size_t place,
                bool is_on_link) {
    int refused = EEXIST;
    if (made->metric != 0) { /* ours; it may have gone with the link */
        refused = lb_netlink_add_route(netlink, index, &made->route, is_on_link, made->metric);
        return refused == EEXIST ? 0 : refused;
    }
    for (uint32_t i = 0; i < METRIC_TRIES && refused == EEXIST; i++) {
        uint32_t metric = METRIC + (uint32_t)place + i * LB_ROUTES_MAX;
        refused = lb_netlink_add_route(netlink, index, &made->route, is_on_link, metric);
        made->metric = refused == 0 ? metric : 0;
    }
    return refused;
}

int lb_routes_set(struct lb_routes *routes, struct lb_netlink *netlink, int index,
                  struct lb_prefix own, const struct lb_route *wanted, size_t count,
                  struct lb_route *refused) {
    size_t kept = 0;
    int first = 0;
    lb_assert(count <= LB_ROUTES_MAX);
    while (kept < routes->count && kept < count &&
           is_same(&routes->made[kept].route, &wanted[kept]))
        kept++;
    delete_from(routes, netlink, index, kept);
    for (size_t i = 0; i < count; i++) {
        if (i >= kept)
            routes->made[i] = (struct lb_made_route){.route = wanted[i]};
        int why = make(&routes->made[i], netlink, index, i, is_outside(own, wanted[i].via));
        if (why != 0 && first == 0) {
            first = why;
            *refused = wanted[i];
        }
    }
    routes->count = count;
    return first;
}

void lb_routes_clear(struct lb_routes *routes, struct lb_netlink *netlink, int index) {
    delete_from(routes, netlink, index, 0);
}
