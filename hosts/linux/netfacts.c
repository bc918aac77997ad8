#include "hosts/linux/netfacts.h"

bool lb_netfacts_has_v4(const struct lb_boot_net *net) {
    return lb_addr_is_set(net->address.addr);
}

bool lb_netfacts_is_leased_v4(const struct lb_boot_net *net) {
    return lb_netfacts_has_v4(net) && net->lease_s != 0;
}

bool lb_netfacts_is_leased_v6(const struct lb_boot_addr6 *one) {
    return one->address.len == 128 && one->valid_s != LB_FOREVER;
}

bool lb_netfacts_is_static_v6(const struct lb_boot_addr6 *one) {
    return one->valid_s == LB_FOREVER;
}

bool lb_netfacts_has_leased_v6(const struct lb_boot_net *net) {
    for (size_t i = 0; i < net->addr6_count; i++) {
        if (lb_netfacts_is_leased_v6(&net->addrs6[i]))
            return true;
    }
    return false;
}

bool lb_netfacts_has_static_v6(const struct lb_boot_net *net) {
    for (size_t i = 0; i < net->addr6_count; i++) {
        if (lb_netfacts_is_static_v6(&net->addrs6[i]))
            return true;
    }
    return false;
}

bool lb_netfacts_is_advertised_v6(const struct lb_boot_net *net) {
    return net->addr6_count > 0 && !lb_netfacts_has_static_v6(net);
}

bool lb_netfacts_has_router(const struct lb_route *route) {
    return lb_addr_is_set(route->via) && !lb_addr_is_zero(route->via);
}

void lb_netfacts_add_hex(struct lb_text *text, struct lb_bytes bytes) {
    for (size_t i = 0; i < bytes.len; i++)
        lb_text_add(text, "%s%02x", i > 0 ? ":" : "", bytes.p[i]);
}

const char *lb_netfacts_search(const struct lb_boot_net *net) {
    return net->search[0] ? net->search : net->domain;
}

void lb_netfacts_add_dns(struct lb_text *text, const struct lb_boot_net *net, bool v4, bool v6,
                         const char *between) {
    bool is_first = true;
    for (size_t i = 0; i < net->dns_count; i++) {
        if (net->dns[i].family == LB_V6 ? !v6 : !v4)
            continue;
        lb_text_add(text, "%s%s", is_first ? "" : between, lb_addr_text(net->dns[i]).s);
        is_first = false;
    }
}

bool lb_netfacts_has_kind(const struct lb_netfiles *from) {
    return from->kind && from->kind[0];
}

bool lb_netfacts_is_virtual(const struct lb_netfiles *from) {
    return lb_netfacts_has_kind(from) && !lb_streq(from->kind, "veth");
}
