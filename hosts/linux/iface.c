#include "hosts/linux/iface.h"
#include "hosts/linux/machine.h"
#include <errno.h>
#include <string.h>

bool lb_iface_open(struct lb_iface *iface, const char *name, const char *root,
                   struct lb_error *error) {
    char there[128];
    struct lb_text text = lb_text(there, sizeof(there));
    int refused;

    lb_machine_list_interfaces(&text);
    *iface = (struct lb_iface){.root = root};
    lb_format(iface->name, sizeof(iface->name), "%s", name);
    refused = lb_netlink_open(&iface->netlink);
    if (refused == 0)
        refused = lb_netlink_find(&iface->netlink, name, &iface->found);
    iface->link = iface->found;
    if (refused == 0 && iface->found.is_ethernet)
        return true;
    if (refused == 0)
        lb_fail(error, LB_E_NO_INTERFACE, "%s is not an Ethernet interface", name);
    else if (refused == ENODEV)
        lb_fail(error, LB_E_NO_INTERFACE, "%s; those that there are: %s", name, there);
    else
        lb_fail(error, LB_E_HOST_NETWORK, "looking for interface %s: %s", name, strerror(refused));
    lb_netlink_close(&iface->netlink);
    return false;
}

void lb_iface_close(struct lb_iface *iface) {
    lb_netlink_close(&iface->netlink);
}

/* Where another interface has the default route, the kernel's strict check of where packets come
 * from (RFC 3704 2.2) would throw away what a target behind our router says. */
static void loosen_filter(struct lb_iface *iface) {
    bool is_strict = lb_sysctl_is("ipv4/conf", iface->name, "rp_filter", "1") ||
                     (lb_sysctl_is("ipv4/conf", "all", "rp_filter", "1") &&
                      !lb_sysctl_is("ipv4/conf", iface->name, "rp_filter", "2"));
    if (is_strict && !iface->rp_filter.before[0])
        (void)lb_sysctl_set(&iface->rp_filter, "ipv4/conf", iface->name, "rp_filter", "2");
}

bool lb_iface_raise(struct lb_iface *iface, struct lb_error *error) {
    int refused = 0;

    if (iface->has_ipv6 && !iface->v6.is_ours)
        lb_iface6_take(&iface->v6, iface->name, iface->link.index);
    if (!iface->link.is_up) {
        iface->was_in_use = lb_netlink_is_in_use(&iface->netlink, iface->link.index);
        refused = lb_netlink_set_up(&iface->netlink, iface->link.index, true);
        iface->was_raised = refused == 0;
    }
    if (refused == 0)
        refused = lb_netlink_find(&iface->netlink, iface->name, &iface->link);
    loosen_filter(iface);
    if (refused == 0)
        return true;
    lb_fail(error, LB_E_HOST_NETWORK, "bringing up interface %s: %s", iface->name,
            strerror(refused));
    return false;
}

unsigned lb_iface_changed(struct lb_iface *iface) {
    unsigned changed = lb_netlink_changed(&iface->netlink, iface->link.index);
    if ((changed & LB_NETLINK_LINK) &&
        lb_netlink_find(&iface->netlink, iface->name, &iface->link) != 0)
        iface->link.has_carrier = false; /* it was taken out of the machine */
    return changed;
}

/* ---- configuration --------------------------------------------------------------------------- */

static void remark(struct lb_iface *iface, const char *what, const char *value, int refused) {
    if (iface->remark[0] == 0)
        lb_format(iface->remark, sizeof(iface->remark), "%s %s: %s", what, value,
                  strerror(refused));
}

static void set_mtu(struct lb_iface *iface, uint16_t mtu) {
    int refused;
    if (mtu == 0 || mtu == iface->link.mtu)
        return;
    refused = lb_netlink_set_mtu(&iface->netlink, iface->link.index, mtu);
    if (refused) {
        char value[8];
        lb_format(value, sizeof(value), "%u", mtu);
        remark(iface, "MTU", value, refused);
        return;
    }
    if (iface->mtu_before == 0)
        iface->mtu_before = iface->link.mtu;
    iface->link.mtu = iface->mtu_after = mtu;
}

static void set_routes(struct lb_iface *iface, const struct lb_boot_net *net) {
    struct lb_route route;
    int refused = lb_routes_set(&iface->routes, &iface->netlink, iface->link.index, net->address,
                                net->routes, net->route_count, &route);
    if (refused)
        remark(iface, "route to", lb_prefix_text(route.to).s, refused);
}

static bool has_address(const struct lb_iface *iface) {
    return lb_addr_is_set(iface->net.address.addr);
}

static bool is_another_address(const struct lb_iface *iface, struct lb_prefix address) {
    return !lb_addr_equal(iface->net.address.addr, address.addr) ||
           iface->net.address.len != address.len;
}

/* With the first address of a network the kernel takes away all others of it, be they another's,
 * unless it is told to promote one. */
static void delete_address(struct lb_iface *iface) {
    struct lb_sysctl promote;
    (void)lb_sysctl_set(&promote, "ipv4/conf", iface->name, "promote_secondaries", "1");
    lb_netlink_del_address(&iface->netlink, iface->link.index, iface->net.address);
    lb_sysctl_restore(&promote);
}

static void clear4(struct lb_iface *iface) {
    if (!has_address(iface))
        return;
    lb_routes_clear(&iface->routes, &iface->netlink, iface->link.index);
    if (!iface->address_was_there)
        delete_address(iface);
    iface->net.address = (struct lb_prefix){0};
    iface->address_was_there = false;
}

/* 0, or the errno of what was refused. */
static int configure4(struct lb_iface *iface, const struct lb_boot_net *net) {
    int index = iface->link.index, refused = 0;
    bool is_new = is_another_address(iface, net->address);
    struct lb_lifetime lifetime;
    if (is_new)
        clear4(iface);
    if (!lb_addr_is_set(net->address.addr))
        return 0;
    if (is_new)
        iface->address_was_there =
            lb_netlink_has_address(&iface->netlink, index, net->address, &lifetime);
    if (!iface->address_was_there)
        refused = lb_netlink_add_address(&iface->netlink, index, net->address, net->lease_s);
    if (refused == 0)
        set_routes(iface, net);
    return refused;
}

static const char *configure6(struct lb_iface *iface, const struct lb_boot_net *net) {
    const char *why;
    if (!iface->v6.is_ours)
        return NULL;
    why = lb_iface6_configure(&iface->v6, &iface->netlink, net);
    if (iface->v6.remark[0] && !iface->remark[0])
        lb_format(iface->remark, sizeof(iface->remark), "%s", iface->v6.remark);
    return why;
}

const char *lb_iface_configure(struct lb_iface *iface, const struct lb_boot_net *net) {
    const char *why;
    int refused;

    iface->remark[0] = 0;
    set_mtu(iface, net->mtu);
    refused = configure4(iface, net);
    if (refused)
        return strerror(refused);
    why = configure6(iface, net);
    iface->net = *net;
    if (why)
        return why;
    if (iface->root) {
        refused = lb_resolvconf_write(&iface->resolvconf, iface->root, iface->name, net);
        if (refused)
            remark(iface, "resolv.conf under", iface->root, refused);
    }
    return NULL;
}

static bool is_forever(struct lb_iface *iface, struct lb_prefix address) {
    struct lb_lifetime lifetime;
    return lb_netlink_has_address(&iface->netlink, iface->link.index, address, &lifetime) &&
           lifetime.valid_s == UINT32_MAX;
}

/* Where this is refused they end with the lease, as they would have. */
void lb_iface_hold(struct lb_iface *iface) {
    if (has_address(iface) && !is_forever(iface, iface->net.address))
        (void)lb_netlink_add_address(&iface->netlink, iface->link.index, iface->net.address, 0);
    for (size_t i = 0; i < iface->net.addr6_count; i++) {
        struct lb_prefix address = iface->net.addrs6[i].address;
        if (!is_forever(iface, address))
            (void)lb_netlink_add_address6(&iface->netlink, iface->link.index, address, LB_FOREVER,
                                          LB_FOREVER, false);
    }
}

static bool is_pinned(const struct lb_iface *iface, struct lb_addr to) {
    for (size_t i = 0; i < iface->pins.count; i++) {
        if (lb_addr_equal(iface->pins.made[i].route.to.addr, to))
            return true;
    }
    return false;
}

/* A router of IPv4 is pinned where ours is used as well, for another interface's default route may
 * come later. Of several routers of IPv6 the kernel chooses one that is alive, and would not, of a
 * pinned one. */
static bool needs_pin(struct lb_iface *iface, struct lb_addr to, struct lb_addr *via) {
    struct lb_way usual = {0}, ours = {0};
    bool is_usual;
    if (lb_netlink_way(&iface->netlink, to, iface->link.index, &ours) != 0)
        return false;
    *via = ours.via;
    is_usual = lb_netlink_way(&iface->netlink, to, 0, &usual) == 0;
    if (is_usual && usual.is_local)
        return false;
    return !is_usual || usual.index != iface->link.index ||
           (to.family == LB_V4 && !lb_addr_is_zero(ours.via));
}

void lb_iface_pin(struct lb_iface *iface, struct lb_addr to) {
    struct lb_route routes[LB_ROUTES_MAX], refused, *route = &routes[iface->pins.count];
    if (!lb_addr_is_set(to) || lb_addr_is_link_local(to) || iface->pins.count == LB_ROUTES_MAX ||
        is_pinned(iface, to))
        return;
    *route = (struct lb_route){.to = {to, to.family == LB_V6 ? 128 : 32}};
    if (!needs_pin(iface, to, &route->via))
        return;
    for (size_t i = 0; i < iface->pins.count; i++)
        routes[i] = iface->pins.made[i].route;
    (void)lb_routes_set(&iface->pins, &iface->netlink, iface->link.index, iface->net.address,
                        routes, iface->pins.count + 1, &refused);
}

void lb_iface_clear(struct lb_iface *iface) {
    lb_routes_clear(&iface->pins, &iface->netlink, iface->link.index);
    clear4(iface);
    if (iface->v6.is_ours)
        lb_iface6_clear(&iface->v6, &iface->netlink);
    iface->net = (struct lb_boot_net){0};
}

static void restore_mtu(struct lb_iface *iface) {
    struct lb_link now;
    if (iface->mtu_before && lb_netlink_find(&iface->netlink, iface->name, &now) == 0 &&
        now.mtu == iface->mtu_after)
        lb_netlink_set_mtu(&iface->netlink, iface->link.index, iface->mtu_before);
    iface->mtu_before = 0;
}

void lb_iface_restore(struct lb_iface *iface) {
    lb_iface_clear(iface);
    lb_iface6_give_back(&iface->v6, &iface->netlink, true);
    lb_resolvconf_restore(&iface->resolvconf);
    lb_sysctl_restore(&iface->rp_filter);
    restore_mtu(iface);
    if (iface->was_raised &&
        (iface->was_in_use || !lb_netlink_is_in_use(&iface->netlink, iface->link.index)))
        lb_netlink_set_up(&iface->netlink, iface->link.index, false);
    iface->was_raised = false;
}

void lb_iface_keep(struct lb_iface *iface) {
    lb_resolvconf_keep(&iface->resolvconf);
    lb_iface6_give_back(&iface->v6, &iface->netlink, false);
    lb_sysctl_restore(&iface->rp_filter);
    iface->net = (struct lb_boot_net){0};
    iface->routes.count = iface->pins.count = 0;
    iface->mtu_before = 0;
    iface->was_raised = false;
}
