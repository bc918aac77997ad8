/* Which way a packet leaves, where a host has no routing table of an operating system, and which
 * router the default route names. */
#include "core/boot/boot.h"

static bool has_router(const struct lb_route *route) {
    return lb_addr_is_set(route->via) && !lb_addr_is_zero(route->via);
}

struct lb_addr lb_boot_net_gateway(const struct lb_boot_net *net, enum lb_family family) {
    const struct lb_route *routes = family == LB_V6 ? net->routes6 : net->routes;
    size_t count = family == LB_V6 ? net->route6_count : net->route_count;
    for (size_t i = 0; i < count; i++)
        if (routes[i].to.len == 0 && has_router(&routes[i]))
            return routes[i].via;
    return (struct lb_addr){0};
}

/* RFC 3927 2.6.2: what has a link-local address is on the link, unless a route of its own says
 * otherwise. */
static bool is_on_link(const struct lb_boot_net *net, struct lb_addr dest, uint8_t *len) {
    *len = net->address.len;
    if (lb_prefix_has(net->address, dest))
        return true;
    *len = 16;
    return lb_prefix_has((struct lb_prefix){lb_addr_v4(169, 254, 0, 0), 16}, dest);
}

bool lb_boot_net_next_hop4(const struct lb_boot_net *net, struct lb_addr dest,
                           struct lb_addr *hop) {
    uint8_t best = 0;
    bool found = is_on_link(net, dest, &best);
    struct lb_addr way = dest;
    for (size_t i = 0; i < net->route_count; i++) {
        const struct lb_route *route = &net->routes[i];
        if (!lb_prefix_has(route->to, dest) || (found && route->to.len <= best))
            continue;
        found = true;
        best = route->to.len;
        way = has_router(route) ? route->via : dest;
    }
    if (found)
        *hop = way;
    return found;
}

static bool has_way6(const struct lb_boot_net *net, struct lb_addr dest) {
    bool found = lb_addr_is_link_local(dest);
    for (size_t i = 0; i < net->addr6_count; i++)
        found = found || lb_prefix_has(net->addrs6[i].address, dest);
    for (size_t i = 0; i < net->route6_count; i++)
        found = found || lb_prefix_has(net->routes6[i].to, dest);
    return found;
}

bool lb_boot_net_has_way(const struct lb_boot_net *net, struct lb_addr dest) {
    struct lb_addr hop;
    if (dest.family == LB_V6)
        return has_way6(net, dest);
    return dest.family == LB_V4 && lb_boot_net_next_hop4(net, dest, &hop);
}
