#include "hosts/uefi/local_end.h"

static void add_resolvers(struct local_end *end, const struct lb_boot_net *net, bool same_family,
                          size_t *count) {
    for (size_t i = 0; i < net->dns_count && *count < LB_COUNT(end->dns); i++)
        if ((net->dns[i].family == end->addr.family) == same_family)
            end->dns[(*count)++] = net->dns[i];
}

static void fill_v4(struct local_end *end, const struct lb_boot_net *net) {
    end->prefix_len = net->address.len;
    end->dhcp = net->dhcp_server;
    end->gateway = lb_boot_net_gateway(net, LB_V4);
    end->origin = LOCAL_DHCP;
}

/* An address of DHCPv6 is one of 128 bits: it is routers that tell what else is on the link. */
static uint8_t on_link_len(const struct lb_boot_net *net, struct lb_prefix address) {
    for (size_t i = 0; i < net->route6_count && address.len == 128; i++)
        if (lb_addr_is_zero(net->routes6[i].via) && lb_prefix_has(net->routes6[i].to, address.addr))
            return net->routes6[i].to.len;
    return address.len;
}

static void fill_v6(struct local_end *end, const struct lb_boot_net *net) {
    end->gateway = lb_boot_net_gateway(net, LB_V6);
    end->origin = LOCAL_ROUTER;
    end->prefix_len = 64; /* a link-local address */
    for (size_t i = 0; i < net->addr6_count; i++) {
        struct lb_prefix address = net->addrs6[i].address;
        if (!lb_addr_equal(address.addr, end->addr))
            continue;
        end->prefix_len = on_link_len(net, address);
        if (address.len != 128)
            return;
        end->origin = LOCAL_DHCP;
        end->dhcp = net->dhcp6_server;
    }
}

struct local_end local_end_of(const struct lb_boot_net *net, struct lb_addr local,
                              struct lb_addr configured) {
    struct local_end end = {.addr = local};
    size_t resolvers = 0;
    if (!lb_addr_is_set(local))
        end.addr = net->address.addr;
    if (!lb_addr_is_set(end.addr) && net->addr6_count > 0)
        end.addr = net->addrs6[0].address.addr;
    if (end.addr.family == LB_V6)
        fill_v6(&end, net);
    else
        fill_v4(&end, net);
    if (lb_addr_is_set(configured) && lb_addr_equal(configured, end.addr))
        end.origin = LOCAL_MANUAL;
    add_resolvers(&end, net, true, &resolvers);
    add_resolvers(&end, net, false, &resolvers);
    return end;
}
