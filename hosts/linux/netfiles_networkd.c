/* systemd-networkd: 05-lunboot.network. */
#include "hosts/linux/netfacts.h"
#include "hosts/linux/syntax.h"
#include <string.h>

/* networkd's client of DHCPv6 would lease an address of its own, which connections then come from,
 * and take it away when it is stopped: a root disk that was reconnected meanwhile would be cut off.
 * So ours stays as it is, and is not renewed. */
static const char *networkd_dhcp(const struct lb_boot_net *net) {
    return lb_netfacts_is_leased_v4(net) ? "ipv4" : "no";
}

static void networkd_route(struct lb_text *text, const struct lb_route *route, bool is_on_link) {
    lb_text_add(text, "\n[Route]\nDestination=%s\n", lb_prefix_text(route->to).s);
    if (lb_netfacts_has_router(route))
        lb_text_add(text, "Gateway=%s\n%s", lb_addr_text(route->via).s,
                    is_on_link ? "GatewayOnLink=yes\n" : "");
}

/* What a daemon would not learn again by itself. */
static void networkd_static(struct lb_text *text, const struct lb_boot_net *net) {
    for (size_t i = 0; !lb_netfacts_is_leased_v4(net) && i < net->route_count; i++)
        networkd_route(text, &net->routes[i], !lb_prefix_has(net->address, net->routes[i].via));
    for (size_t i = 0; lb_netfacts_has_static_v6(net) && i < net->route6_count; i++)
        networkd_route(text, &net->routes6[i], false);
}

static bool is_on_link(const struct lb_boot_net *net, const struct lb_route *route) {
    return route->via.family == LB_V4 && !lb_prefix_has(net->address, route->via);
}

/* The way to the target, where another interface has the default route. */
static void networkd_pins(struct lb_text *text, const struct lb_netfiles *from) {
    for (size_t i = 0; from->pins && i < from->pins->count; i++) {
        const struct lb_route *route = &from->pins->made[i].route;
        networkd_route(text, route, is_on_link(from->net, route));
    }
}

static void networkd_addresses(struct lb_text *text, const struct lb_boot_net *net) {
    if (lb_netfacts_has_v4(net) && !lb_netfacts_is_leased_v4(net))
        lb_text_add(text, "Address=%s\n", lb_prefix_text(net->address).s);
    for (size_t i = 0; i < net->addr6_count; i++) {
        if (lb_netfacts_is_static_v6(&net->addrs6[i]) || lb_netfacts_is_leased_v6(&net->addrs6[i]))
            lb_text_add(text, "Address=%s\n", lb_prefix_text(net->addrs6[i].address).s);
    }
}

/* The server gives the same address to the same identifier. RFC 4361: type 255, IAID, DUID. */
static void networkd_client_id(struct lb_text *text, struct lb_bytes id) {
    struct lb_rd rd = lb_rd(id);
    uint8_t type = lb_rd_u8(&rd);
    if (type == 1) {
        lb_text_add(text, "ClientIdentifier=mac\n");
    } else if (type == 255 && id.len > 7) {
        lb_text_add(text, "ClientIdentifier=duid\nIAID=%u\n", lb_rd_u32(&rd));
        lb_text_add(text, "DUIDType=%u\nDUIDRawData=", lb_rd_u16(&rd));
        lb_netfacts_add_hex(text, lb_rd_rest(&rd));
        lb_text_add(text, "\n");
    }
}

/* A VLAN, a bond or a bridge has the MAC address of a card below it, and the other way round: the
 * kind tells them apart, and of several VLANs of a card the name. systemd takes the name as a
 * pattern (systemd.network(5)); a character of patterns would match others as well. */
static void networkd_match(struct lb_text *text, const struct lb_netfiles *from) {
    lb_text_add(text, "[Match]\nMACAddress=%s\n", lb_mac_text(from->mac).s);
    if (!lb_netfacts_has_kind(from)) {
        lb_text_add(text, "Type=ether\nKind=!*\n");
        return;
    }
    lb_text_add(text, "Kind=%s\nName=", from->kind);
    for (const char *p = from->interface; *p; p++)
        lb_text_add(text, "%c", strchr("*?[]!\\\"' ", *p) ? '?' : *p);
    lb_text_add(text, "\n");
}

void lb_netfiles_networkd(struct lb_text *text, const struct lb_netfiles *from) {
    const struct lb_boot_net *net = from->net;
    lb_text_add(text, LB_NETFILES_HEAD);
    networkd_match(text, from);
    if (net->mtu)
        lb_text_add(text, "\n[Link]\nMTUBytes=%u\n", net->mtu);
    lb_text_add(text, "\n[Network]\nKeepConfiguration=yes\nIgnoreCarrierLoss=yes\n");
    lb_text_add(text, "DHCP=%s\nIPv6AcceptRA=%s\n", networkd_dhcp(net),
                lb_netfacts_is_advertised_v6(net) ? "yes" : "no");
    networkd_addresses(text, net);
    if (net->dns_count > 0) {
        lb_text_add(text, "DNS=");
        lb_netfacts_add_dns(text, net, true, true, " ");
        lb_text_add(text, "\n");
    }
    (void)lb_syntax_setting(text, "Domains", lb_netfacts_search(net));
    networkd_static(text, net);
    networkd_pins(text, from);
    if (lb_netfacts_has_leased_v6(net))
        lb_text_add(text, "\n[IPv6AcceptRA]\nDHCPv6Client=no\n");
    if (!lb_netfacts_is_leased_v4(net))
        return;
    lb_text_add(text, "\n[DHCPv4]\nSendRelease=no\n");
    networkd_client_id(text, from->client_id);
}
