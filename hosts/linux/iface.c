#include "hosts/linux/iface.h"
#include <errno.h>
#include <string.h>

bool lb_iface_open(struct lb_iface *iface, const char *name, const char *root,
                   struct lb_error *error) {
    int refused;

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
        lb_fail(error, LB_E_NO_INTERFACE, "%s", name);
    else
        lb_fail(error, LB_E_HOST_NETWORK, "looking for interface %s: %s", name, strerror(refused));
    lb_netlink_close(&iface->netlink);
    return false;
}

void lb_iface_close(struct lb_iface *iface) {
    lb_netlink_close(&iface->netlink);
}

bool lb_iface_raise(struct lb_iface *iface, struct lb_error *error) {
    int refused = 0;

    if (iface->has_ipv6 && !iface->v6.is_ours)
        lb_iface6_take(&iface->v6, iface->name, iface->link.index);
    if (!iface->link.is_up) {
        refused = lb_netlink_set_up(&iface->netlink, iface->link.index, true);
        iface->was_raised = refused == 0;
    }
    if (refused == 0)
        refused = lb_netlink_find(&iface->netlink, iface->name, &iface->link);
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

/* ---- configuration ----------------------------------------------------------------------------
 */

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
    iface->link.mtu = mtu;
}

static bool has_route(const struct lb_boot_net *net, const struct lb_route *route) {
    for (size_t i = 0; i < net->route_count; i++) {
        if (lb_addr_equal(net->routes[i].to.addr, route->to.addr) &&
            net->routes[i].to.len == route->to.len && lb_addr_equal(net->routes[i].via, route->via))
            return true;
    }
    return false;
}

static void set_routes(struct lb_iface *iface, const struct lb_boot_net *net) {
    for (size_t i = 0; i < iface->net.route_count; i++) {
        if (!has_route(net, &iface->net.routes[i]))
            lb_netlink_del_route(&iface->netlink, iface->link.index, &iface->net.routes[i], 0);
    }
    for (size_t i = 0; i < net->route_count; i++) {
        /* RFC 3442 and many a hosting network: the router may be outside our own prefix. */
        bool is_on_link = !lb_prefix_has(net->address, net->routes[i].via);
        int refused = lb_netlink_add_route(&iface->netlink, iface->link.index, &net->routes[i],
                                           is_on_link, 0);
        if (refused)
            remark(iface, "route to", lb_prefix_text(net->routes[i].to).s, refused);
    }
}

static bool has_address(const struct lb_iface *iface) {
    return lb_addr_is_set(iface->net.address.addr);
}

static bool is_another_address(const struct lb_iface *iface, struct lb_prefix address) {
    return !lb_addr_equal(iface->net.address.addr, address.addr) ||
           iface->net.address.len != address.len;
}

static void clear4(struct lb_iface *iface) {
    if (!has_address(iface))
        return;
    for (size_t i = 0; i < iface->net.route_count; i++)
        lb_netlink_del_route(&iface->netlink, iface->link.index, &iface->net.routes[i], 0);
    lb_netlink_del_address(&iface->netlink, iface->link.index, iface->net.address);
    iface->net.address = (struct lb_prefix){0};
    iface->net.route_count = 0;
}

/* 0, or the errno of what was refused. */
static int configure4(struct lb_iface *iface, const struct lb_boot_net *net) {
    int refused;
    if (is_another_address(iface, net->address))
        clear4(iface);
    if (!lb_addr_is_set(net->address.addr))
        return 0;
    refused =
        lb_netlink_add_address(&iface->netlink, iface->link.index, net->address, net->lease_s);
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

/* Where this is refused they end with the lease, as they would have. */
void lb_iface_hold(struct lb_iface *iface) {
    if (has_address(iface))
        (void)lb_netlink_add_address(&iface->netlink, iface->link.index, iface->net.address, 0);
    for (size_t i = 0; i < iface->net.addr6_count; i++)
        (void)lb_netlink_add_address6(&iface->netlink, iface->link.index,
                                      iface->net.addrs6[i].address, LB_FOREVER, LB_FOREVER, false);
}

void lb_iface_clear(struct lb_iface *iface) {
    clear4(iface);
    if (iface->v6.is_ours)
        lb_iface6_clear(&iface->v6, &iface->netlink);
    iface->net = (struct lb_boot_net){0};
}

void lb_iface_restore(struct lb_iface *iface) {
    lb_iface_clear(iface);
    lb_iface6_give_back(&iface->v6, &iface->netlink, true);
    lb_resolvconf_restore(&iface->resolvconf);
    if (iface->mtu_before)
        lb_netlink_set_mtu(&iface->netlink, iface->link.index, iface->mtu_before);
    if (iface->was_raised)
        lb_netlink_set_up(&iface->netlink, iface->link.index, false);
    iface->mtu_before = 0;
    iface->was_raised = false;
}

void lb_iface_keep(struct lb_iface *iface) {
    lb_resolvconf_keep(&iface->resolvconf);
    lb_iface6_give_back(&iface->v6, &iface->netlink, false);
    iface->net = (struct lb_boot_net){0};
    iface->mtu_before = 0;
    iface->was_raised = false;
}
