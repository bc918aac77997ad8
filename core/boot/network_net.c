/* The interface's configuration, made of all that is known of the network. */
#include "core/boot/boot_report.h"
#include "core/boot/network.h"

/* ---- pieces of the configuration ------------------------------------------------------------ */

static void take_lease4(struct lb_boot_net *net, const struct lb_dhcp4_lease *lease) {
    net->address = lease->address;
    net->route_count = lease->route_count;
    net->mtu = lease->mtu;
    net->dhcp_server = lease->server;
    net->lease_s = lease->bootp || lease->lease_s == LB_DHCP4_INFINITE ? 0 : lease->lease_s;
    memcpy(net->routes, lease->routes, sizeof net->routes);
    memcpy(net->hostname, lease->hostname, sizeof net->hostname);
    memcpy(net->domain, lease->domain, sizeof net->domain);
    memcpy(net->search, lease->search, sizeof net->search);
}

static void add_address6(struct lb_boot_net *net, struct lb_boot_addr6 address) {
    if (address.valid_s > 0 && net->addr6_count < LB_ADDRS6_MAX)
        net->addrs6[net->addr6_count++] = address;
}

static void add_route6(struct lb_boot_net *net, struct lb_prefix to, struct lb_addr via) {
    if (net->route6_count < LB_ROUTES_MAX)
        net->routes6[net->route6_count++] = (struct lb_route){.to = to, .via = via};
}

/* DHCPv6's addresses are first: they are given up when there are too many. */
static void take_lease6(struct lb_boot_net *net, uint64_t now_us,
                        const struct lb_dhcp6_lease *lease) {
    for (size_t i = 0; i < lease->addr_count; i++) {
        const struct lb_dhcp6_addr *from = &lease->addrs[i];
        add_address6(net, (struct lb_boot_addr6){
                              .address = {from->addr, 128},
                              .preferred_s = lb_dhcp6_left_s(lease, now_us, from->preferred_s),
                              .valid_s = lb_dhcp6_left_s(lease, now_us, from->valid_s),
                          });
    }
    net->dhcp6_server = lease->server;
}

static void take_addresses6(struct lb_boot_net *net, uint64_t now_us,
                            const struct lb_nd6_info *info) {
    for (size_t i = 0; i < info->address_count; i++) {
        const struct lb_nd6_address *from = &info->addresses[i];
        add_address6(net, (struct lb_boot_addr6){
                              .address = from->address,
                              .preferred_s = lb_nd6_left_s(now_us, from->preferred_until_us),
                              .valid_s = lb_nd6_left_s(now_us, from->valid_until_us),
                          });
    }
}

static void take_routers6(struct lb_boot_net *net, const struct lb_nd6_info *info) {
    static const struct lb_prefix everything = {.addr = {.family = LB_V6}};
    const struct lb_addr none = {.family = LB_FAMILY_NONE};
    for (size_t i = 0; i < info->on_link_count; i++)
        add_route6(net, info->on_link[i].prefix, none);
    for (size_t i = 0; i < info->router_count; i++)
        add_route6(net, everything, info->routers[i].addr);
    for (size_t i = 0; i < info->route_count; i++)
        add_route6(net, info->routes[i].route.to, info->routes[i].route.via);
    if (info->mtu != 0)
        net->mtu = net->mtu == 0 ? info->mtu : LB_MIN(net->mtu, info->mtu);
}

/* ---- names ---------------------------------------------------------------------------------- */

struct addr_list {
    struct lb_addr addrs[LB_DNS_MAX];
    size_t count;
};

static void add_each(struct addr_list *list, const struct lb_addr *addrs, size_t count) {
    for (size_t i = 0; i < count && list->count < LB_DNS_MAX; i++) {
        bool is_there = false;
        for (size_t j = 0; j < list->count; j++)
            is_there = is_there || lb_addr_equal(list->addrs[j], addrs[i]);
        if (!is_there)
            list->addrs[list->count++] = addrs[i];
    }
}

/* Resolvers of both families in turn, so that the room is not all one family's. */
static void take_resolvers(struct lb_boot_net *net, const struct addr_list *first,
                           const struct addr_list *second) {
    struct addr_list both = {.count = 0};
    for (size_t i = 0; i < LB_DNS_MAX; i++) {
        if (i < first->count)
            add_each(&both, &first->addrs[i], 1);
        if (i < second->count)
            add_each(&both, &second->addrs[i], 1);
    }
    memcpy(net->dns, both.addrs, sizeof net->dns);
    net->dns_count = both.count;
}

static bool has_word(const char *list, struct lb_bytes word) {
    struct lb_bytes rest = lb_bytes_of_text(list), item;
    while (lb_list_next(&rest, ' ', &item))
        if (lb_bytes_equal(item, word))
            return true;
    return false;
}

static void add_search(struct lb_boot_net *net, const char *names) {
    struct lb_bytes rest = lb_bytes_of_text(names), name;
    while (lb_list_next(&rest, ' ', &name)) {
        size_t len = lb_strlen(net->search);
        if (!lb_host_name_is_plain(name) || has_word(net->search, name) ||
            len + 1 + name.len >= sizeof net->search)
            continue;
        struct lb_text text = lb_text(net->search + len, sizeof net->search - len);
        if (len > 0)
            lb_text_add(&text, " ");
        lb_text_add(&text, "%.*s", (int)name.len, (const char *)name.p);
    }
}

static void take_names6(struct lb_network *network, enum lb_family first) {
    const struct lb_dhcp6_lease *lease6 = lb_network_lease6(network);
    struct lb_boot_net *net = &network->net;
    struct addr_list list4 = {.count = 0}, list6 = {.count = 0};
    if (network->has_lease)
        add_each(&list4, network->dhcp.lease.dns, network->dhcp.lease.dns_count);
    if (lease6 != NULL) {
        add_each(&list6, lease6->dns, lease6->dns_count);
        add_search(net, lease6->search);
    }
    add_each(&list6, network->nd6.info.dns, network->nd6.info.dns_count);
    add_search(net, network->nd6.info.search);
    if (first == LB_V6)
        take_resolvers(net, &list6, &list4);
    else
        take_resolvers(net, &list4, &list6);
}

/* What a person configured stands above what the network said: RFC 4173 3. */
static void take_config(const struct lb_config *config, struct lb_boot_net *net) {
    if (lb_config_is_set(config, LB_KEY_MTU))
        net->mtu = (uint16_t)lb_config_u32(config, LB_KEY_MTU);
    if (lb_config_is_set(config, LB_KEY_HOSTNAME))
        lb_text_copy(net->hostname, sizeof net->hostname,
                     lb_bytes_of_text(lb_config_text(config, LB_KEY_HOSTNAME)));
    if (lb_config_is_set(config, LB_KEY_DOMAIN))
        lb_text_copy(net->domain, sizeof net->domain,
                     lb_bytes_of_text(lb_config_text(config, LB_KEY_DOMAIN)));
    if (!lb_config_is_set(config, LB_KEY_DNS))
        return;
    struct lb_bytes list = lb_bytes_of_text(lb_config_text(config, LB_KEY_DNS)), item;
    net->dns_count = 0;
    while (net->dns_count < LB_DNS_MAX && lb_list_next(&list, ',', &item))
        if (lb_addr_parse(item, &net->dns[net->dns_count]))
            net->dns_count++;
}

/* One to the same network as a person's does not count. */
static void add_route(struct lb_route *routes, size_t *count, const struct lb_route *route) {
    size_t kept = 0;
    for (size_t i = 0; i < *count; i++) {
        if (routes[i].to.len != route->to.len || !lb_addr_equal(routes[i].to.addr, route->to.addr))
            routes[kept++] = routes[i];
    }
    kept = LB_MIN(kept, (size_t)LB_ROUTES_MAX - 1);
    routes[kept++] = *route;
    *count = kept;
}

static void take_config_routes(const struct lb_config *config, struct lb_boot_net *net) {
    struct lb_bytes list = lb_bytes_of_text(lb_config_text(config, LB_KEY_ROUTES)), item;
    struct lb_route route;
    while (lb_list_next(&list, ',', &item)) {
        if (!lb_route_parse(item, &route) || !lb_net_has_family(net, route.to.addr.family))
            continue;
        if (route.to.addr.family == LB_V6)
            add_route(net->routes6, &net->route6_count, &route);
        else
            add_route(net->routes, &net->route_count, &route);
    }
}

/* ---- the whole ------------------------------------------------------------------------------ */

static void take_static4(const struct lb_config *config, struct lb_boot_net *net) {
    struct lb_addr gateway = lb_config_addr(config, LB_KEY_GATEWAY);
    net->address = lb_config_prefix(config, LB_KEY_ADDRESS);
    if (!lb_addr_is_set(gateway))
        return;
    net->routes[0] = (struct lb_route){.to = {.addr = {.family = gateway.family}}, .via = gateway};
    net->route_count = 1;
}

/* Its network is on the link; so is a router that is not in it, for a person says so. */
static void take_static6(const struct lb_config *config, struct lb_boot_net *net) {
    struct lb_prefix address = lb_config_prefix(config, LB_KEY_ADDRESS);
    struct lb_addr gateway = lb_config_addr(config, LB_KEY_GATEWAY);
    const struct lb_addr none = {.family = LB_FAMILY_NONE};
    add_address6(net, (struct lb_boot_addr6){
                          .address = address, .preferred_s = LB_FOREVER, .valid_s = LB_FOREVER});
    if (address.len < 128)
        add_route6(
            net,
            (struct lb_prefix){.addr = lb_addr_mask(address.addr, address.len), .len = address.len},
            none);
    if (gateway.family == LB_V6)
        add_route6(net, (struct lb_prefix){.addr = {.family = LB_V6}}, gateway);
}

void lb_network_make(struct lb_network *network, uint64_t now_us, enum lb_family first) {
    const struct lb_config *config = network->common->plan->config;
    const struct lb_dhcp6_lease *lease6 = lb_network_lease6(network);
    struct lb_boot_net *net = &network->net;
    memset(net, 0, sizeof *net);
    if (lb_plan_is_static(network->common->plan, LB_V4))
        take_static4(config, net);
    else if (network->has_lease)
        take_lease4(net, &network->dhcp.lease);
    if (network->static6 == LB_STATIC6_OURS)
        take_static6(config, net);
    else if (lease6 != NULL)
        take_lease6(net, now_us, lease6);
    if (network->static6 == LB_STATIC6_NONE)
        take_addresses6(net, now_us, &network->nd6.info);
    take_routers6(net, &network->nd6.info);
    take_names6(network, first);
    take_config(config, net);
    take_config_routes(config, net);
    if (lb_net_has_family(&network->net, network->lost_family)) /* the lost address is back */
        lb_error_clear(&network->lost);
}

bool lb_net_has_family(const struct lb_boot_net *net, enum lb_family family) {
    return family == LB_V6 ? net->addr6_count > 0 : lb_addr_is_set(net->address.addr);
}

void lb_network_configure(struct lb_network *network, uint64_t now_us, enum lb_family first) {
    lb_network_make(network, now_us, first);
    lb_ask(network->common, LB_BOOT_SET_ADDRESS)->net = &network->net;
    network->is_configured = true;
}

bool lb_network_update(struct lb_network *network, uint64_t now_us, enum lb_family first) {
    lb_network_make(network, now_us, first);
    if (lb_net_has_family(&network->net, LB_V4) || lb_net_has_family(&network->net, LB_V6)) {
        lb_ask(network->common, LB_BOOT_SET_ADDRESS)->net = &network->net;
        network->is_configured = true;
    } else {
        lb_ask(network->common, LB_BOOT_CLEAR_ADDRESS);
        network->is_configured = false;
    }
    return network->is_configured;
}
