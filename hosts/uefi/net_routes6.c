/* The way of IPv6: which router a packet goes to. lwIP knows one default router; the engine has
 * learned of prefixes and routers, and which of them answer is known here. */
#include "hosts/uefi/net_lwip.h"

#include "lwip/nd6.h"
#include "lwip/priv/nd6_priv.h"

#define SILENT_US LB_US_SEC /* a router that has not answered by then is silent */

static struct {
    struct lb_route all[LB_ROUTES_MAX];
    size_t count;
    struct lb_addr router; /* the last one that was chosen */
    uint64_t router_us;    /* since when */
    unsigned turn;         /* how often one was silent */
} routes;

static bool is_better(const struct lb_route *route, const struct lb_route *best,
                      struct lb_addr dest) {
    return lb_prefix_has(route->to, dest) && (best == NULL || route->to.len > best->to.len);
}

/* RFC 4861 6.3.6: a router that is known to answer is preferred. */
static bool answers(struct lb_addr router) {
    for (size_t i = 0; i < LWIP_ND6_NUM_NEIGHBORS; i++) {
        const struct nd6_neighbor_cache_entry *entry = &neighbor_cache[i];
        if (entry->state >= ND6_REACHABLE && entry->state != ND6_PROBE &&
            memcmp(entry->next_hop_address.addr, router.bytes, 16) == 0)
            return true;
    }
    return false;
}

/* Of those that lead as far as the best one, in the engine's order: one that answers, else the
 * first; the next after each that was silent. */
static const struct lb_route *choose(const struct lb_route *best) {
    const struct lb_route *equals[LB_ROUTES_MAX];
    size_t count = 0;
    for (size_t i = 0; i < routes.count; i++) {
        const struct lb_route *route = &routes.all[i];
        if (route->to.len != best->to.len || !lb_addr_equal(route->to.addr, best->to.addr))
            continue;
        if (answers(route->via))
            return route;
        equals[count++] = route;
    }
    return equals[routes.turn % count];
}

static struct lb_addr choose_router(const struct lb_route *best) {
    struct lb_addr router = choose(best)->via;
    if (!lb_addr_equal(router, routes.router))
        routes.router_us = clock_us();
    routes.router = router;
    return router;
}

static const struct lb_route *best_route6(struct lb_addr dest) {
    const struct lb_route *best = NULL;
    for (size_t i = 0; i < routes.count; i++)
        if (is_better(&routes.all[i], best, dest))
            best = &routes.all[i];
    return best;
}

/* lwIP asks for the next hop: what the engine has learned of prefixes and routers decides. */
const ip6_addr_t *net_next_hop(struct netif *netif, const ip6_addr_t *ip) {
    static ip_addr_t hop;
    struct lb_addr dest = lb_addr_v6_bytes((const uint8_t *)ip->addr);
    const struct lb_route *best = best_route6(dest);
    (void)netif;
    if (best == NULL)
        return NULL;
    hop = net_to_ip(lb_addr_is_zero(best->via) ? dest : choose_router(best));
    return ip_2_ip6(&hop);
}

bool net_routes6_have(struct lb_addr to) {
    return best_route6(to) != NULL;
}

void net_routes6_rethink(void) {
    if (lb_addr_is_set(routes.router) && !answers(routes.router) &&
        clock_us() - routes.router_us > SILENT_US)
        routes.turn++;
    nd6_clear_destination_cache();
}

void net_routes6_set(const struct lb_boot_net *config) {
    memcpy(routes.all, config->routes6, sizeof routes.all);
    routes.count = config->route6_count;
    net_routes6_rethink();
}

void net_routes6_close(void) {
    memset(&routes, 0, sizeof routes);
}
