/* Debian's own: ifupdown, its units, and the variables of klibc's ipconfig. */
#include "hosts/linux/netfacts.h"
#include "hosts/linux/syntax.h"

void lb_netfiles_ifupdown(struct lb_text *text, const struct lb_netfiles *from) {
    const struct lb_boot_net *net = from->net;
    lb_text_add(text, LB_NETFILES_HEAD "auto %s\nno-auto-down %s\n", from->interface,
                from->interface);
    if (lb_netfacts_has_v4(net))
        lb_text_add(text, "iface %s inet %s\n", from->interface,
                    lb_netfacts_is_leased_v4(net) ? "dhcp" : "manual");
    if (net->addr6_count > 0)
        lb_text_add(text, "iface %s inet6 %s\n", from->interface,
                    lb_netfacts_is_advertised_v6(net) ? "auto" : "manual");
}

/* An interface that an installation configures itself (auto, allow-hotplug) would go down with
 * these units, and the root disk with it, while the system still needs it. */
void lb_netfiles_networking(struct lb_text *text, const struct lb_netfiles *from) {
    lb_text_add(text, LB_NETFILES_HEAD "[Service]\nExecStop=\n");
    lb_text_add(text, "ExecStop=/sbin/ifdown -a --read-environment --exclude=lo --exclude=%s\n",
                from->interface);
}

void lb_netfiles_ifup(struct lb_text *text) {
    lb_text_add(text, LB_NETFILES_HEAD "[Service]\nExecStop=\n");
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
    (void)lb_syntax_shell(text, "PROTO", lb_netfacts_is_leased_v4(net) ? "dhcp" : "none");
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
