#include "hosts/linux/iface6.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PACE_MS     "50"
#define LOCAL_US    500 /* at most 20 ms of it; one is usual */
#define LOCAL_TRIES 40
#define GUESSED_LEN 64 /* of an address that is probed, until the engine says what it is */

static void remark(struct lb_iface6 *iface, const char *what, const char *value, int refused) {
    if (iface->remark[0] == 0)
        lb_format(iface->remark, sizeof(iface->remark), "%s %s: %s", what, value,
                  strerror(refused));
}

bool lb_iface6_is_possible(const char *name) {
    char path[128];
    int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    close(fd);
    lb_format(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s", name);
    return access("/proc/sys/net", F_OK) < 0 || access(path, F_OK) == 0; /* no /proc: it may be */
}

/* ---- whose it is ----------------------------------------------------------------------------- */

static const struct {
    const char *name, *value;
} settings[] = {
    {"disable_ipv6", "0"},
    {"accept_ra", "0"},
    {"autoconf", "0"},
    {"addr_gen_mode", "1"},             /* no link-local address before we ask for one */
    {"router_solicitation_delay", "0"}, /* also that of the first probe */
    {"dad_transmits", "2"},
    {"optimistic_dad", "1"}, /* not in every kernel */
    {"use_optimistic", "1"},
};

void lb_iface6_take(struct lb_iface6 *iface, const char *name, int index) {
    bool no_probes = lb_sysctl_is("ipv6/conf", name, "dad_transmits", "0");
    *iface = (struct lb_iface6){.name = name, .index = index, .is_ours = true};
    for (size_t i = 0; i < LB_COUNT(settings); i++) {
        int refused;
        if (no_probes && lb_streq(settings[i].name, "dad_transmits"))
            continue;
        refused = lb_sysctl_set(&iface->settings[i], "ipv6/conf", name, settings[i].name,
                                settings[i].value);
        if (refused && refused != ENOENT)
            remark(iface, "the kernel's own IPv6 autoconfiguration:", settings[i].name, refused);
    }
}

/* The pause between probes is also that between questions for a neighbour, so it is changed for no
 * longer than need be. */
static void set_pace(struct lb_iface6 *iface) {
    if (iface->probing > 0 && !iface->pace.path[0])
        lb_sysctl_set(&iface->pace, "ipv6/neigh", iface->name, "retrans_time_ms", PACE_MS);
    if (iface->probing == 0 && iface->pace.path[0]) {
        lb_sysctl_restore(&iface->pace);
        iface->pace.path[0] = 0;
    }
}

/* ---- addresses ------------------------------------------------------------------------------- */

static struct lb_iface6_addr *find(struct lb_iface6 *iface, struct lb_addr addr) {
    for (size_t i = 0; i < iface->count; i++) {
        if (lb_addr_equal(iface->addrs[i].address.addr, addr))
            return &iface->addrs[i];
    }
    return NULL;
}

static struct lb_iface6_addr *add(struct lb_iface6 *iface, struct lb_prefix address) {
    if (iface->count == LB_COUNT(iface->addrs))
        return NULL;
    iface->addrs[iface->count] = (struct lb_iface6_addr){.address = address};
    return &iface->addrs[iface->count++];
}

static void forget(struct lb_iface6 *iface, struct lb_iface6_addr *entry) {
    iface->probing -= entry->is_probing ? 1 : 0;
    *entry = iface->addrs[--iface->count];
}

static void take_away(struct lb_iface6 *iface, struct lb_netlink *netlink,
                      struct lb_iface6_addr *entry) {
    if (!entry->was_there)
        lb_netlink_del_address(netlink, iface->index, entry->address);
    forget(iface, entry);
}

void lb_iface6_probe(struct lb_iface6 *iface, struct lb_netlink *netlink,
                     struct lb_prefix address) {
    struct lb_iface6_addr *entry = find(iface, address.addr);
    enum lb_addr6_state state = lb_netlink_addr6_state(netlink, iface->index, address.addr);
    int refused;

    bool is_new = entry == NULL;
    if (is_new)
        entry = add(iface, address);
    if (!entry)
        return; /* unanswered, which ends the engine's patience with it some day */
    if (state == LB_ADDR6_DUPLICATE) { /* of old: it may be free by now */
        lb_netlink_del_address(netlink, iface->index, address);
        state = LB_ADDR6_ABSENT;
    }
    if (is_new)
        entry->was_there = state != LB_ADDR6_ABSENT;
    iface->probing += entry->is_probing ? 0 : 1;
    entry->is_probing = true;
    entry->is_told = false;
    set_pace(iface);
    if (state != LB_ADDR6_ABSENT)
        return;
    refused = lb_netlink_add_address6(netlink, iface->index, address, LB_FOREVER, LB_FOREVER, true);
    entry->was_refused = refused != 0;
    if (refused)
        remark(iface, "probing address", lb_addr_text(address.addr).s, refused);
}

static void end_probe(struct lb_iface6 *iface, struct lb_iface6_addr *entry) {
    iface->probing -= entry->is_probing ? 1 : 0;
    entry->is_probing = false;
    set_pace(iface);
}

/* Whether there is something to say about it. An address that is gone has been taken away as a
 * duplicate, as the kernel does to those with a lifetime. Where one could not be added, nobody is
 * known to have it. */
static bool is_answered(struct lb_iface6 *iface, struct lb_netlink *netlink,
                        struct lb_iface6_addr *entry, bool *conflict) {
    bool was_told = entry->is_told;
    *conflict = false;
    switch (lb_netlink_addr6_state(netlink, iface->index, entry->address.addr)) {
    case LB_ADDR6_TENTATIVE:
        return false;
    case LB_ADDR6_OPTIMISTIC:
        entry->is_told = true;
        return !was_told;
    case LB_ADDR6_READY:
        end_probe(iface, entry);
        return !was_told;
    case LB_ADDR6_ABSENT:
    case LB_ADDR6_DUPLICATE:
        *conflict = !entry->was_refused;
        end_probe(iface, entry);
        return true;
    }
    return false;
}

bool lb_iface6_next(struct lb_iface6 *iface, struct lb_netlink *netlink, struct lb_addr *addr,
                    bool *conflict) {
    for (size_t i = 0; i < iface->count && iface->probing > 0; i++) {
        struct lb_iface6_addr *entry = &iface->addrs[i];
        if (!entry->is_probing || !is_answered(iface, netlink, entry, conflict))
            continue;
        *addr = entry->address.addr;
        if (*conflict)
            take_away(iface, netlink, entry);
        return true;
    }
    return false;
}

bool lb_iface6_is_optimistic(const struct lb_iface6 *iface, struct lb_addr addr) {
    for (size_t i = 0; i < iface->count; i++) {
        if (lb_addr_equal(iface->addrs[i].address.addr, addr))
            return iface->addrs[i].is_probing;
    }
    return false;
}

static const struct lb_boot_addr6 *find_in(const struct lb_boot_net *net, struct lb_addr addr) {
    for (size_t i = 0; i < net->addr6_count; i++) {
        if (lb_addr_equal(net->addrs6[i].address.addr, addr))
            return &net->addrs6[i];
    }
    return NULL;
}

/* What is neither the engine's any more nor asked for. */
static void drop_addresses(struct lb_iface6 *iface, struct lb_netlink *netlink,
                           const struct lb_boot_net *net) {
    for (size_t i = iface->count; i > 0; i--) {
        struct lb_iface6_addr *entry = &iface->addrs[i - 1];
        if (!entry->is_probing && !lb_addr_is_link_local(entry->address.addr) &&
            !find_in(net, entry->address.addr))
            take_away(iface, netlink, entry);
    }
}

/* Without a probe, an address is deaf until the kernel has a moment for it: what a neighbour
 * answers to a question from it would be lost, and asked for again a second later. */
static void wait_until_local(struct lb_netlink *netlink, struct lb_addr addr) {
    for (unsigned tries = 0; tries < LOCAL_TRIES && !lb_netlink_is_local(netlink, addr); tries++)
        usleep(LOCAL_US);
}

static int set_address(struct lb_iface6 *iface, struct lb_netlink *netlink,
                       const struct lb_boot_addr6 *given) {
    struct lb_addr addr = given->address.addr;
    bool was_there = lb_netlink_addr6_state(netlink, iface->index, addr) != LB_ADDR6_ABSENT;
    struct lb_iface6_addr *entry = find(iface, addr);
    int refused;

    if (!entry && (entry = add(iface, given->address)))
        entry->was_there = was_there;
    if (was_there && entry && entry->was_there) /* another's, who has given it flags as well */
        return 0;
    refused = lb_netlink_add_address6(netlink, iface->index, given->address, given->preferred_s,
                                      given->valid_s, false);
    if (refused == 0 && !was_there)
        wait_until_local(netlink, addr);
    return refused;
}

/* ---- routes ---------------------------------------------------------------------------------- */

static void set_routes(struct lb_iface6 *iface, struct lb_netlink *netlink,
                       const struct lb_boot_net *net) {
    struct lb_route route;
    int refused = lb_routes_set(&iface->routes, netlink, iface->index, (struct lb_prefix){0},
                                net->routes6, net->route6_count, &route);
    if (refused)
        remark(iface, "route to", lb_prefix_text(route.to).s, refused);
}

const char *lb_iface6_configure(struct lb_iface6 *iface, struct lb_netlink *netlink,
                                const struct lb_boot_net *net) {
    iface->remark[0] = 0;
    drop_addresses(iface, netlink, net);
    for (size_t i = 0; i < net->addr6_count; i++) {
        int refused = set_address(iface, netlink, &net->addrs6[i]);
        if (refused)
            return strerror(refused);
    }
    set_routes(iface, netlink, net);
    return NULL;
}

void lb_iface6_clear(struct lb_iface6 *iface, struct lb_netlink *netlink) {
    static const struct lb_boot_net nothing;
    set_routes(iface, netlink, &nothing);
    drop_addresses(iface, netlink, &nothing);
}

void lb_iface6_give_back(struct lb_iface6 *iface, struct lb_netlink *netlink, bool undo) {
    if (!iface->is_ours)
        return;
    if (undo)
        lb_iface6_clear(iface, netlink);
    while (undo && iface->count > 0)
        take_away(iface, netlink, &iface->addrs[0]);
    iface->count = iface->probing = iface->routes.count = 0;
    set_pace(iface);
    for (size_t i = LB_COUNT(settings); i > 0; i--)
        lb_sysctl_restore(&iface->settings[i - 1]);
    iface->is_ours = false;
}
