#include "hosts/linux/netfiles.h"
#include "hosts/linux/syntax.h"
#include "os/linux/files.h"
#include <string.h>

#define TEXT_BYTES 16384

#define HEAD "# Written by lunboot. This interface carries the root disk: it must stay up.\n"

/* ---- what is known --------------------------------------------------------------------------- */

static bool has_v4(const struct lb_boot_net *net) {
    return lb_addr_is_set(net->address.addr);
}

static bool is_leased_v4(const struct lb_boot_net *net) {
    return has_v4(net) && net->lease_s != 0;
}

/* Addresses of DHCPv6 have no prefix; those of router advertisements have one, and an end. */
static bool is_leased_v6(const struct lb_boot_addr6 *one) {
    return one->address.len == 128 && one->valid_s != LB_FOREVER;
}

static bool is_static_v6(const struct lb_boot_addr6 *one) {
    return one->valid_s == LB_FOREVER;
}

static bool has_leased_v6(const struct lb_boot_net *net) {
    for (size_t i = 0; i < net->addr6_count; i++) {
        if (is_leased_v6(&net->addrs6[i]))
            return true;
    }
    return false;
}

static bool has_static_v6(const struct lb_boot_net *net) {
    for (size_t i = 0; i < net->addr6_count; i++) {
        if (is_static_v6(&net->addrs6[i]))
            return true;
    }
    return false;
}

/* Anything but addresses that a person gave comes from router advertisements, or by their leave. */
static bool is_advertised_v6(const struct lb_boot_net *net) {
    return net->addr6_count > 0 && !has_static_v6(net);
}

static bool is_default(const struct lb_route *route) {
    return route->to.len == 0;
}

static bool has_router(const struct lb_route *route) {
    return lb_addr_is_set(route->via) && !lb_addr_is_zero(route->via);
}

static void add_hex(struct lb_text *text, struct lb_bytes bytes) {
    for (size_t i = 0; i < bytes.len; i++)
        lb_text_add(text, "%s%02x", i > 0 ? ":" : "", bytes.p[i]);
}

static const char *search(const struct lb_boot_net *net) {
    return net->search[0] ? net->search : net->domain;
}

/* The name servers of a family, or of both (LB_NONE), with what stands between them. */
static void add_dns(struct lb_text *text, const struct lb_boot_net *net, bool v4, bool v6,
                    const char *between) {
    bool is_first = true;
    for (size_t i = 0; i < net->dns_count; i++) {
        if (net->dns[i].family == LB_V6 ? !v6 : !v4)
            continue;
        lb_text_add(text, "%s%s", is_first ? "" : between, lb_addr_text(net->dns[i]).s);
        is_first = false;
    }
}

static bool has_dns(const struct lb_boot_net *net, bool is_v6) {
    for (size_t i = 0; i < net->dns_count; i++) {
        if ((net->dns[i].family == LB_V6) == is_v6)
            return true;
    }
    return false;
}

/* ---- systemd-networkd ------------------------------------------------------------------------ */

/* networkd's client of DHCPv6 would lease an address of its own, which connections then come from,
 * and take it away when it is stopped: a root disk that was reconnected meanwhile would be cut off.
 * So ours stays as it is, and is not renewed. */
static const char *networkd_dhcp(const struct lb_boot_net *net) {
    return is_leased_v4(net) ? "ipv4" : "no";
}

static void networkd_route(struct lb_text *text, const struct lb_route *route, bool is_on_link) {
    lb_text_add(text, "\n[Route]\nDestination=%s\n", lb_prefix_text(route->to).s);
    if (has_router(route))
        lb_text_add(text, "Gateway=%s\n%s", lb_addr_text(route->via).s,
                    is_on_link ? "GatewayOnLink=yes\n" : "");
}

/* What a daemon would not learn again by itself. */
static void networkd_static(struct lb_text *text, const struct lb_boot_net *net) {
    for (size_t i = 0; !is_leased_v4(net) && i < net->route_count; i++)
        networkd_route(text, &net->routes[i], !lb_prefix_has(net->address, net->routes[i].via));
    for (size_t i = 0; has_static_v6(net) && i < net->route6_count; i++)
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
    if (has_v4(net) && !is_leased_v4(net))
        lb_text_add(text, "Address=%s\n", lb_prefix_text(net->address).s);
    for (size_t i = 0; i < net->addr6_count; i++) {
        if (is_static_v6(&net->addrs6[i]) || is_leased_v6(&net->addrs6[i]))
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
        add_hex(text, lb_rd_rest(&rd));
        lb_text_add(text, "\n");
    }
}

static bool has_kind(const struct lb_netfiles *from) {
    return from->kind && from->kind[0];
}

/* The end of a virtual cable is as good as a card to those who manage networks. */
static bool is_virtual(const struct lb_netfiles *from) {
    return has_kind(from) && !lb_streq(from->kind, "veth");
}

/* A VLAN, a bond or a bridge has the MAC address of a card below it, and the other way round: the
 * kind tells them apart, and of several VLANs of a card the name. systemd takes the name as a
 * pattern (systemd.network(5)); a character of patterns would match others as well. */
static void networkd_match(struct lb_text *text, const struct lb_netfiles *from) {
    lb_text_add(text, "[Match]\nMACAddress=%s\n", lb_mac_text(from->mac).s);
    if (!has_kind(from)) {
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
    lb_text_add(text, HEAD);
    networkd_match(text, from);
    if (net->mtu)
        lb_text_add(text, "\n[Link]\nMTUBytes=%u\n", net->mtu);
    lb_text_add(text, "\n[Network]\nKeepConfiguration=yes\nIgnoreCarrierLoss=yes\n");
    lb_text_add(text, "DHCP=%s\nIPv6AcceptRA=%s\n", networkd_dhcp(net),
                is_advertised_v6(net) ? "yes" : "no");
    networkd_addresses(text, net);
    if (net->dns_count > 0) {
        lb_text_add(text, "DNS=");
        add_dns(text, net, true, true, " ");
        lb_text_add(text, "\n");
    }
    (void)lb_syntax_setting(text, "Domains", search(net));
    networkd_static(text, net);
    networkd_pins(text, from);
    if (has_leased_v6(net))
        lb_text_add(text, "\n[IPv6AcceptRA]\nDHCPv6Client=no\n");
    if (!is_leased_v4(net))
        return;
    lb_text_add(text, "\n[DHCPv4]\nSendRelease=no\n");
    networkd_client_id(text, from->client_id);
}

/* ---- NetworkManager -------------------------------------------------------------------------- */

/* The same at each boot: a name made of the MAC address, in UUID's form 8 (RFC 9562 5.8). */
static void add_uuid(struct lb_text *text, const uint8_t mac[6]) {
    lb_text_add(text, "6c756e62-6f6f-8400-8000-%02x%02x%02x%02x%02x%02x", mac[0], mac[1], mac[2],
                mac[3], mac[4], mac[5]);
}

static void manager_route(struct lb_text *text, unsigned number, const struct lb_route *route) {
    lb_text_add(text, "route%u=%s", number, lb_prefix_text(route->to).s);
    if (has_router(route))
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
        if (!is_default(&routes[i]) || !has_router(&routes[i]))
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
        add_dns(text, net, !is_v6, is_v6, ";");
        lb_text_add(text, ";\n");
    }
    struct lb_bytes names = lb_bytes_of_text(search(net)), name;
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
    if (!has_v4(net)) {
        lb_text_add(text, "\n[ipv4]\nmethod=disabled\n");
        return;
    }
    if (is_leased_v4(net)) {
        lb_text_add(text, "\n[ipv4]\nmethod=auto\nmay-fail=false\ndhcp-timeout=2147483647\n");
        if (from->client_id.len > 0) {
            lb_text_add(text, "dhcp-client-id=");
            add_hex(text, from->client_id);
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
    if (is_advertised_v6(net)) {
        lb_text_add(text, "\n[ipv6]\nmethod=auto\naddr-gen-mode=eui64\n%s",
                    has_v4(net) ? "" : "may-fail=false\n");
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
    lb_text_add(text, HEAD "[connection]\nid=lunboot\nuuid=");
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
    if (is_virtual(from)) {
        lb_text_add(text, "[device]\nmanaged=false\n");
        return;
    }
    lb_text_add(text, "[device]\nmanaged=true\nconnection-uuid=");
    add_uuid(text, from->mac);
    lb_text_add(text, "\nnm-owned=false\n");
    (void)lb_syntax_setting(text, "root-path", from->rootpath);
}

/* ---- ifupdown and klibc ---------------------------------------------------------------------- */

void lb_netfiles_ifupdown(struct lb_text *text, const struct lb_netfiles *from) {
    const struct lb_boot_net *net = from->net;
    lb_text_add(text, HEAD "auto %s\nno-auto-down %s\n", from->interface, from->interface);
    if (has_v4(net))
        lb_text_add(text, "iface %s inet %s\n", from->interface,
                    is_leased_v4(net) ? "dhcp" : "manual");
    if (net->addr6_count > 0)
        lb_text_add(text, "iface %s inet6 %s\n", from->interface,
                    is_advertised_v6(net) ? "auto" : "manual");
}

/* An interface that an installation configures itself (auto, allow-hotplug) would go down with
 * these units, and the root disk with it, while the system still needs it. */
void lb_netfiles_networking(struct lb_text *text, const struct lb_netfiles *from) {
    lb_text_add(text, HEAD "[Service]\nExecStop=\n");
    lb_text_add(text, "ExecStop=/sbin/ifdown -a --read-environment --exclude=lo --exclude=%s\n",
                from->interface);
}

void lb_netfiles_ifup(struct lb_text *text) {
    lb_text_add(text, HEAD "[Service]\nExecStop=\n");
}

void lb_netfiles_escape(struct lb_text *text, const char *name) {
    for (; *name; name++) {
        uint8_t c = (uint8_t)*name, lower = lb_ascii_lower(c);
        bool is_plain = (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == ':' ||
                        c == '_' || c == '.';
        lb_text_add(text, is_plain ? "%c" : "\\x%02x", c);
    }
}

static struct lb_addr netmask(const struct lb_boot_net *net) {
    struct lb_addr all = lb_addr_v4(255, 255, 255, 255);
    return lb_addr_mask(all, net->address.len);
}

static struct lb_addr gateway(const struct lb_boot_net *net) {
    struct lb_addr router = lb_boot_net_gateway(net, LB_V4);
    return lb_addr_is_set(router) ? router : lb_addr_v4(0, 0, 0, 0);
}

static struct lb_addr dns_v4(const struct lb_boot_net *net, size_t number) {
    for (size_t i = 0; i < net->dns_count; i++) {
        if (net->dns[i].family != LB_V6 && number-- == 0)
            return net->dns[i];
    }
    return lb_addr_v4(0, 0, 0, 0);
}

void lb_netfiles_klibc(struct lb_text *text, const struct lb_netfiles *from) {
    const struct lb_boot_net *net = from->net;
    char lease[16];
    (void)lb_syntax_shell(text, "DEVICE", from->interface);
    (void)lb_syntax_shell(text, "PROTO", is_leased_v4(net) ? "dhcp" : "none");
    (void)lb_syntax_shell(text, "IPV4ADDR", lb_addr_text(net->address.addr).s);
    (void)lb_syntax_shell(text, "IPV4NETMASK", lb_addr_text(netmask(net)).s);
    (void)lb_syntax_shell(text, "IPV4GATEWAY", lb_addr_text(gateway(net)).s);
    (void)lb_syntax_shell(text, "IPV4DNS0", lb_addr_text(dns_v4(net, 0)).s);
    (void)lb_syntax_shell(text, "IPV4DNS1", lb_addr_text(dns_v4(net, 1)).s);
    (void)lb_syntax_shell(text, "HOSTNAME", net->hostname);
    (void)lb_syntax_shell(text, "DNSDOMAIN", net->domain);
    (void)lb_syntax_shell(text, "DOMAINSEARCH", net->search);
    if (lb_addr_is_set(net->dhcp_server))
        (void)lb_syntax_shell(text, "ROOTSERVER", lb_addr_text(net->dhcp_server).s);
    lb_format(lease, sizeof(lease), "%u", net->lease_s);
    (void)lb_syntax_shell(text, "DHCPLEASETIME", lease);
}

/* ---- files ----------------------------------------------------------------------------------- */

static char buffer[TEXT_BYTES];

static bool write_text(const char *folder, const char *name, unsigned mode,
                       const struct lb_text *text, struct lb_error *error) {
    int refused = text->cut ? LB_FILE_LONG : 0;
    if (refused == 0)
        refused = lb_file_write(folder, name, mode, lb_bytes(text->at, text->len));
    if (refused)
        lb_fail(error, LB_E_OUTPUT, "%s/%s: %s", folder, name, lb_file_reason(refused));
    return refused == 0;
}

static bool write_manager(const struct lb_netfiles *from, const char *folder,
                          struct lb_error *error) {
    struct lb_text text = lb_text(buffer, sizeof(buffer));
    char name[64];
    lb_netfiles_manager(&text, from);
    if (!is_virtual(from) &&
        !write_text(folder, "NetworkManager/system-connections/lunboot.nmconnection", 0600, &text,
                    error))
        return false;
    text = lb_text(buffer, sizeof(buffer));
    lb_netfiles_manager_device(&text, from);
    lb_format(name, sizeof(name), "NetworkManager/devices/%d", from->index);
    return write_text(folder, name, 0644, &text, error);
}

static bool write_units(const struct lb_netfiles *from, const char *folder,
                        struct lb_error *error) {
    struct lb_text text = lb_text(buffer, sizeof(buffer)), path;
    char name[256];
    lb_netfiles_networking(&text, from);
    if (!write_text(folder, "systemd/system.control/networking.service.d/lunboot.conf", 0644, &text,
                    error))
        return false;
    path = lb_text(name, sizeof(name));
    lb_text_add(&path, "systemd/system.control/ifup@");
    lb_netfiles_escape(&path, from->interface);
    lb_text_add(&path, ".service.d/lunboot.conf");
    text = lb_text(buffer, sizeof(buffer));
    lb_netfiles_ifup(&text);
    return write_text(folder, name, 0644, &text, error);
}

/* Debian's own initramfs scripts and open-iscsi read these. */
static bool write_debian(const struct lb_netfiles *from, const char *folder,
                         struct lb_error *error) {
    struct lb_text text = lb_text(buffer, sizeof(buffer));
    char name[64];
    lb_netfiles_klibc(&text, from);
    lb_format(name, sizeof(name), "net-%s.conf", from->interface);
    if (has_v4(from->net) && !write_text(folder, name, 0644, &text, error))
        return false;
    text = lb_text(buffer, sizeof(buffer));
    lb_text_add(&text, "%s\n", from->interface);
    return write_text(folder, "initramfs/open-iscsi.interface", 0644, &text, error);
}

bool lb_netfiles_write(const struct lb_netfiles *from, const char *folder, struct lb_error *error) {
    struct lb_text text = lb_text(buffer, sizeof(buffer));
    if (!lb_interface_name_is_plain(lb_bytes_of_text(from->interface))) {
        lb_fail(error, LB_E_OUTPUT, "%s: no name of an interface for a file", from->interface);
        return false;
    }
    lb_netfiles_networkd(&text, from);
    if (!write_text(folder, "systemd/network/05-lunboot.network", 0644, &text, error))
        return false;
    text = lb_text(buffer, sizeof(buffer));
    lb_netfiles_ifupdown(&text, from);
    return write_text(folder, "network/interfaces.d/lunboot", 0644, &text, error) &&
           write_units(from, folder, error) && write_manager(from, folder, error) &&
           write_debian(from, folder, error);
}
