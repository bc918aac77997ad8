/* NetworkManager: a profile, and its state of the device. */
#include "hosts/linux/netfacts.h"
#include "hosts/linux/syntax.h"

static bool is_default(const struct lb_route *route) {
    return route->to.len == 0;
}

static bool has_dns(const struct lb_boot_net *net, bool is_v6) {
    for (size_t i = 0; i < net->dns_count; i++) {
        if ((net->dns[i].family == LB_V6) == is_v6)
            return true;
    }
    return false;
}

/* The same at each boot: a name made of the MAC address, in UUID's form 8 (RFC 9562 5.8). */
static void add_uuid(struct lb_text *text, const uint8_t mac[6]) {
    lb_text_add(text, "6c756e62-6f6f-8400-8000-%02x%02x%02x%02x%02x%02x", mac[0], mac[1], mac[2],
                mac[3], mac[4], mac[5]);
}

static void manager_route(struct lb_text *text, unsigned number, const struct lb_route *route) {
    lb_text_add(text, "route%u=%s", number, lb_prefix_text(route->to).s);
    if (lb_netfacts_has_router(route))
        lb_text_add(text, ",%s", lb_addr_text(route->via).s);
    lb_text_add(text, "\n");
}

/* A connection has one gateway: of several such lines the last would count. */
static void manager_routes(struct lb_text *text, const struct lb_boot_net *net,
                           enum lb_family family) {
    const struct lb_route *routes = family == LB_V6 ? net->routes6 : net->routes;
    size_t count = family == LB_V6 ? net->route6_count : net->route_count;
    struct lb_addr router = lb_boot_net_gateway(net, family);
    unsigned number = 0;
    if (lb_addr_is_set(router))
        lb_text_add(text, "gateway=%s\n", lb_addr_text(router).s);
    for (size_t i = 0; i < count; i++) {
        if (!is_default(&routes[i]) || !lb_netfacts_has_router(&routes[i]))
            manager_route(text, ++number, &routes[i]);
    }
}

static void manager_pins(struct lb_text *text, const struct lb_netfiles *from,
                         enum lb_family family) {
    for (size_t i = 0; from->pins && i < from->pins->count; i++) {
        const struct lb_route *route = &from->pins->made[i].route;
        if (route->to.addr.family == family)
            manager_route(text, LB_ROUTES_MAX + 1 + (unsigned)i, route);
    }
}

static void manager_dns(struct lb_text *text, const struct lb_boot_net *net, bool is_v6) {
    if (has_dns(net, is_v6)) {
        lb_text_add(text, "dns=");
        lb_netfacts_add_dns(text, net, !is_v6, is_v6, ";");
        lb_text_add(text, ";\n");
    }
    struct lb_bytes names = lb_bytes_of_text(lb_netfacts_search(net)), name;
    char list[LB_SEARCH_MAX + 2];
    struct lb_text list_text = lb_text(list, sizeof(list));
    while (lb_list_next(&names, ' ', &name)) {
        if (lb_host_name_is_plain(name))
            lb_text_add(&list_text, "%.*s;", (int)name.len, (const char *)name.p);
    }
    if (!list_text.cut)
        (void)lb_syntax_setting(text, "dns-search", list);
}

static void manager_v4(struct lb_text *text, const struct lb_netfiles *from) {
    const struct lb_boot_net *net = from->net;
    if (!lb_netfacts_has_v4(net)) {
        lb_text_add(text, "\n[ipv4]\nmethod=disabled\n");
        return;
    }
    if (lb_netfacts_is_leased_v4(net)) {
        lb_text_add(text, "\n[ipv4]\nmethod=auto\nmay-fail=false\ndhcp-timeout=2147483647\n");
        if (from->client_id.len > 0) {
            lb_text_add(text, "dhcp-client-id=");
            lb_netfacts_add_hex(text, from->client_id);
            lb_text_add(text, "\n");
        }
    } else {
        lb_text_add(text, "\n[ipv4]\nmethod=manual\naddress1=%s\n", lb_prefix_text(net->address).s);
        manager_routes(text, net, LB_V4);
    }
    manager_pins(text, from, LB_V4);
    manager_dns(text, net, false);
}

static void manager_v6(struct lb_text *text, const struct lb_netfiles *from) {
    const struct lb_boot_net *net = from->net;
    unsigned number = 0;
    if (net->addr6_count == 0) {
        lb_text_add(text, "\n[ipv6]\nmethod=ignore\n");
        return;
    }
    if (lb_netfacts_is_advertised_v6(net)) {
        lb_text_add(text, "\n[ipv6]\nmethod=auto\naddr-gen-mode=eui64\n%s",
                    lb_netfacts_has_v4(net) ? "" : "may-fail=false\n");
    } else {
        lb_text_add(text, "\n[ipv6]\nmethod=manual\n");
        for (size_t i = 0; i < net->addr6_count; i++)
            lb_text_add(text, "address%u=%s\n", ++number, lb_prefix_text(net->addrs6[i].address).s);
        manager_routes(text, net, LB_V6);
    }
    manager_pins(text, from, LB_V6);
    manager_dns(text, net, true);
}

void lb_netfiles_manager(struct lb_text *text, const struct lb_netfiles *from) {
    lb_text_add(text, LB_NETFILES_HEAD "[connection]\nid=lunboot\nuuid=");
    add_uuid(text, from->mac);
    lb_text_add(text, "\ntype=ethernet\nautoconnect-priority=999\nautoconnect-retries=0\n");
    lb_text_add(text, "\n[ethernet]\nmac-address=%s\n", lb_mac_text(from->mac).s);
    if (from->net->mtu)
        lb_text_add(text, "mtu=%u\n", from->net->mtu);
    manager_v4(text, from);
    manager_v6(text, from);
}

/* A virtual interface is left as it is: a profile for its kind would have to make it anew. */
void lb_netfiles_manager_device(struct lb_text *text, const struct lb_netfiles *from) {
    if (lb_netfacts_is_virtual(from)) {
        lb_text_add(text, "[device]\nmanaged=false\n");
        return;
    }
    lb_text_add(text, "[device]\nmanaged=true\nconnection-uuid=");
    add_uuid(text, from->mac);
    lb_text_add(text, "\nnm-owned=false\n");
    (void)lb_syntax_setting(text, "root-path", from->rootpath);
}
