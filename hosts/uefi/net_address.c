/* Addresses, routes and probes. */
#include "core/arp/arp.h"
#include "hosts/uefi/net_lwip.h"

#include "lwip/etharp.h"
#include "lwip/inet_chksum.h"
#include "lwip/ip6.h"
#include "lwip/mld6.h"
#include "lwip/nd6.h"
#include "lwip/priv/nd6_priv.h"
#include "lwip/prot/icmp6.h"
#include "lwip/prot/nd6.h"

/* As core/arp has it: an address counts as free when two questions, 50 ms apart, had no answer for
 * a tenth of a second. IPv6 goes on listening for the whole second of RFC 4861's RETRANS_TIMER: a
 * machine that answers late has the address all the same. */
#define FREE_US   (LB_ARP_PROBES * LB_ARP_INTERVAL_US)
#define AGAIN_US  LB_ARP_INTERVAL_US
#define WATCH_US  LB_US_SEC
#define SILENT_US LB_US_SEC /* a router that has not answered by then is silent */

struct probe {
    struct lb_addr addr;       /* none: a free entry */
    bool is_repeated, is_told; /* asked for a second time; said to be free */
    bool conflict;
    uint64_t since_us;
};

static struct {
    const struct lb_boot_net *net; /* the engine's, as it is in use; NULL: none yet */
    struct probe probes[NET_PROBES_MAX];
    struct lb_route routes6[LB_ROUTES_MAX];
    size_t route6_count;
    struct lb_addr router; /* the last one that was chosen */
    uint64_t router_us;    /* since when */
    unsigned turn;         /* how often one was silent */
} address;

/* ---- IPv4 ------------------------------------------------------------------------------------ */

static struct lb_addr mask_of(uint8_t len) {
    uint32_t mask = len == 0 ? 0 : UINT32_MAX << (32 - len);
    return lb_addr_v4((uint8_t)(mask >> 24), (uint8_t)(mask >> 16), (uint8_t)(mask >> 8),
                      (uint8_t)mask);
}

static void set_address4(const struct lb_boot_net *config) {
    ip_addr_t addr = net_to_ip(config->address.addr),
              mask = net_to_ip(mask_of(config->address.len));
    netif_set_addr(&net_interface, ip_2_ip4(&addr), ip_2_ip4(&mask), NULL);
}

/* What lwIP takes for its next hop is on the link: it has a default router and no other routes. */
err_t net_address_output(struct netif *netif, struct pbuf *p, const ip4_addr_t *to) {
    struct lb_addr way;
    if (ip4_addr_isbroadcast(to, netif) || ip4_addr_ismulticast(to))
        return etharp_output(netif, p, to);
    if (address.net == NULL ||
        !lb_boot_net_next_hop4(address.net, lb_addr_v4_bytes((const uint8_t *)&to->addr), &way))
        return ERR_RTE;
    ip_addr_t hop = net_to_ip(way);
    return etharp_output(netif, p, ip_2_ip4(&hop));
}

/* ---- IPv6 ------------------------------------------------------------------------------------ */

/* An address without a lifetime would be one of lwIP's static ones, which stand for a whole /64. */
static void set_lifetimes(s8_t index, uint32_t preferred_s, uint32_t valid_s) {
    netif_ip6_addr_set_valid_life(&net_interface, index, valid_s);
    netif_ip6_addr_set_pref_life(&net_interface, index, preferred_s);
    netif_ip6_addr_set_state(&net_interface, index,
                             preferred_s == 0 ? IP6_ADDR_DEPRECATED : IP6_ADDR_PREFERRED);
}

/* It has passed its probe, or a person has set it. */
static void add_address6(struct lb_addr addr, uint32_t preferred_s, uint32_t valid_s) {
    ip_addr_t ip = net_to_ip(addr);
    s8_t index = -1;
    if (valid_s > 0 && netif_add_ip6_address(&net_interface, ip_2_ip6(&ip), &index) == ERR_OK)
        set_lifetimes(index, preferred_s, valid_s);
}

static bool is_in(const struct lb_boot_net *config, struct lb_addr addr) {
    for (size_t i = 0; i < config->addr6_count; i++)
        if (lb_addr_equal(config->addrs6[i].address.addr, addr))
            return true;
    return false;
}

static void remove_addresses6(const struct lb_boot_net *keep) {
    for (s8_t i = 0; i < LWIP_IPV6_NUM_ADDRESSES; i++) {
        struct lb_addr addr = net_from_ip(netif_ip_addr6(&net_interface, i));
        if (!ip6_addr_isinvalid(netif_ip6_addr_state(&net_interface, i)) &&
            !lb_addr_is_link_local(addr) && !is_in(keep, addr))
            netif_ip6_addr_set_state(&net_interface, i, IP6_ADDR_INVALID);
    }
}

static void set_addresses6(const struct lb_boot_net *config) {
    remove_addresses6(config);
    for (size_t i = 0; i < config->addr6_count; i++) {
        const struct lb_boot_addr6 *addr = &config->addrs6[i];
        add_address6(addr->address.addr, addr->preferred_s, addr->valid_s);
    }
    memcpy(address.routes6, config->routes6, sizeof address.routes6);
    address.route6_count = config->route6_count;
    net_address_rethink();
}

/* ---- routes of IPv6 -------------------------------------------------------------------------- */

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
    for (size_t i = 0; i < address.route6_count; i++) {
        const struct lb_route *route = &address.routes6[i];
        if (route->to.len != best->to.len || !lb_addr_equal(route->to.addr, best->to.addr))
            continue;
        if (answers(route->via))
            return route;
        equals[count++] = route;
    }
    return equals[address.turn % count];
}

static struct lb_addr choose_router(const struct lb_route *best) {
    struct lb_addr router = choose(best)->via;
    if (!lb_addr_equal(router, address.router))
        address.router_us = clock_us();
    address.router = router;
    return router;
}

static const struct lb_route *best_route6(struct lb_addr dest) {
    const struct lb_route *best = NULL;
    for (size_t i = 0; i < address.route6_count; i++)
        if (is_better(&address.routes6[i], best, dest))
            best = &address.routes6[i];
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

bool net_address_has_way(struct lb_addr to) {
    struct lb_addr hop;
    if (to.family == LB_V6)
        return lb_addr_is_link_local(to) || best_route6(to) != NULL;
    return address.net != NULL && lb_boot_net_next_hop4(address.net, to, &hop);
}

void net_address_rethink(void) {
    if (lb_addr_is_set(address.router) && !answers(address.router) &&
        clock_us() - address.router_us > SILENT_US)
        address.turn++;
    nd6_clear_destination_cache();
}

/* ---- both ------------------------------------------------------------------------------------ */

void net_set_address(const struct lb_boot_net *config) {
    address.net = config;
    set_address4(config);
    set_addresses6(config);
    net_interface.mtu = config->mtu >= 576 && config->mtu < 1500 ? config->mtu : 1500;
}

void net_clear_address(void) {
    static struct lb_boot_net nothing; /* not const: zeros that a file need not hold */
    net_set_address(&nothing);
}

/* ---- probes ---------------------------------------------------------------------------------- */

static ip_addr_t group_of(struct lb_addr addr) {
    ip_addr_t ip = net_to_ip(addr), group = {0};
    ip6_addr_set_solicitednode(ip_2_ip6(&group), ip_2_ip6(&ip)->addr[3]);
    IP_SET_TYPE_VAL(group, IPADDR_TYPE_V6);
    return group;
}

/* RFC 4862 5.4.2: from the unspecified address, to the group of those that might have it. */
static void solicit(struct lb_addr addr) {
    ip_addr_t group = group_of(addr);
    struct pbuf *p = pbuf_alloc(PBUF_IP, sizeof(struct ns_header), PBUF_RAM);
    if (p == NULL)
        return;
    struct lb_wr wr = lb_wr(lb_span(p->payload, p->len));
    lb_wr_u8(&wr, ICMP6_TYPE_NS);
    lb_wr_zero(&wr, 7);
    lb_wr_addr(&wr, addr);
    ((struct ns_header *)p->payload)->chksum =
        ip6_chksum_pseudo(p, IP6_NEXTH_ICMP6, p->len, IP6_ADDR_ANY6, ip_2_ip6(&group));
    ip6_output_if_src(p, IP6_ADDR_ANY6, ip_2_ip6(&group), ND6_HOPLIM, 0, IP6_NEXTH_ICMP6,
                      &net_interface);
    pbuf_free(p);
}

static struct probe *find_probe(struct lb_addr addr) {
    for (size_t i = 0; i < NET_PROBES_MAX; i++)
        if (address.probes[i].addr.family == addr.family &&
            lb_addr_equal(address.probes[i].addr, addr))
            return &address.probes[i];
    return NULL;
}

static bool is_ours(struct lb_addr addr) {
    ip_addr_t ip = net_to_ip(addr);
    return netif_get_ip6_addr_match(&net_interface, ip_2_ip6(&ip)) >= 0;
}

static void begin_probe6(struct probe *probe) {
    ip_addr_t group = group_of(probe->addr);
    if (is_ours(probe->addr)) { /* it has passed before */
        probe->is_repeated = true;
        probe->since_us -= WATCH_US;
        return;
    }
    mld6_joingroup_netif(&net_interface, ip_2_ip6(&group));
    solicit(probe->addr);
}

static void ask4(struct lb_addr addr) {
    ip_addr_t ip = net_to_ip(addr);
    etharp_request(&net_interface, ip_2_ip4(&ip)); /* from 0.0.0.0: there is no address yet */
}

void net_address_claimed(struct lb_addr addr) {
    struct probe *probe = find_probe(addr);
    if (probe != NULL)
        probe->conflict = true;
}

/* The group was joined for the probe; an address that the interface has joins it once more. */
static void leave_group(const struct probe *probe) {
    ip_addr_t group = group_of(probe->addr);
    mld6_leavegroup_netif(&net_interface, ip_2_ip6(&group));
}

static void found_free(struct probe *probe) {
    bool is_new = probe->addr.family == LB_V6 && !is_ours(probe->addr);
    probe->is_told = true;
    if (!is_new)
        return;
    add_address6(probe->addr, LB_FOREVER, LB_FOREVER);
    leave_group(probe);
}

static void end_probe(struct probe *probe) {
    ip_addr_t ip = net_to_ip(probe->addr);
    s8_t index =
        probe->addr.family == LB_V6 ? netif_get_ip6_addr_match(&net_interface, ip_2_ip6(&ip)) : -1;
    if (index >= 0 && probe->is_told && probe->conflict)
        netif_ip6_addr_set_state(&net_interface, index, IP6_ADDR_INVALID);
    else if (index < 0 && probe->addr.family == LB_V6 && !probe->is_told)
        leave_group(probe);
    *probe = (struct probe){0};
}

/* A free one, or the oldest, which may be of an answer that the engine has dropped since. */
static struct probe *take_probe(void) {
    struct probe *oldest = &address.probes[0];
    for (size_t i = 0; i < NET_PROBES_MAX; i++) {
        struct probe *probe = &address.probes[i];
        if (!lb_addr_is_set(probe->addr))
            return probe;
        if (probe->since_us < oldest->since_us)
            oldest = probe;
    }
    oldest->conflict = false; /* nothing is known of it */
    end_probe(oldest);
    return oldest;
}

void net_probe(struct lb_addr addr) {
    struct probe *probe = find_probe(addr);
    if (probe != NULL && !probe->is_told)
        return; /* it is being asked for */
    if (probe == NULL)
        probe = take_probe();
    *probe = (struct probe){.addr = addr, .since_us = clock_us()};
    if (addr.family == LB_V6)
        begin_probe6(probe);
    else
        ask4(addr);
}

/* Whether there is something to say about it. */
static bool has_news(struct probe *probe) {
    uint64_t age_us = clock_us() - probe->since_us;
    if (!probe->is_repeated && age_us >= AGAIN_US) {
        probe->is_repeated = true;
        if (probe->addr.family == LB_V6)
            solicit(probe->addr);
        else
            ask4(probe->addr);
    }
    if (probe->conflict)
        return true;
    if (probe->is_told && (probe->addr.family == LB_V4 || age_us >= WATCH_US))
        end_probe(probe);
    return lb_addr_is_set(probe->addr) && !probe->is_told && age_us >= FREE_US;
}

bool net_probe_result(struct lb_addr *addr, bool *conflict) {
    for (size_t i = 0; i < NET_PROBES_MAX; i++) {
        struct probe *probe = &address.probes[i];
        if (!lb_addr_is_set(probe->addr) || !has_news(probe))
            continue;
        *addr = probe->addr;
        *conflict = probe->conflict;
        if (probe->conflict)
            end_probe(probe);
        else
            found_free(probe);
        return true;
    }
    return false;
}

void net_address_close(void) {
    memset(&address, 0, sizeof address);
}
