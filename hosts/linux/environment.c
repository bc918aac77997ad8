#include "hosts/linux/environment.h"
#include <stdlib.h>

#define VALUE_MAX 2048

static void set(const char *name, const char *value) {
    if (value[0])
        setenv(name, value, 1);
}

static void set_number(const char *name, uint64_t value) {
    char text[24];
    lb_format(text, sizeof(text), "%llu", (unsigned long long)value);
    setenv(name, text, 1);
}

static void set_addr(const char *name, struct lb_addr addr) {
    if (lb_addr_is_set(addr) && !lb_addr_is_zero(addr))
        setenv(name, lb_addr_text(addr).s, 1);
}

/* The first default route is the gateway; of IPv6 the further ones are those of worse routers. */
static void set_routes(const struct lb_route *routes, size_t count, const char *gateway_name,
                       const char *routes_name) {
    char value[VALUE_MAX];
    struct lb_text text = lb_text(value, sizeof(value));
    bool has_gateway = false;

    for (size_t i = 0; i < count; i++) {
        const struct lb_route *route = &routes[i];
        if (route->to.len == 0 && !lb_addr_is_zero(route->via) && !has_gateway) {
            set_addr(gateway_name, route->via);
            has_gateway = true;
            continue;
        }
        lb_text_add(&text, "%s%s", text.len > 0 ? " " : "", lb_prefix_text(route->to).s);
        if (!lb_addr_is_zero(route->via))
            lb_text_add(&text, ",%s", lb_addr_text(route->via).s);
    }
    set(routes_name, value);
}

static void set_addresses6(const struct lb_boot_net *net) {
    char value[VALUE_MAX];
    struct lb_text text = lb_text(value, sizeof(value));
    for (size_t i = 0; i < net->addr6_count; i++)
        lb_text_add(&text, "%s%s", i ? " " : "", lb_prefix_text(net->addrs6[i].address).s);
    set("LUNBOOT_ADDRESS6", value);
}

static void set_net(const struct lb_run *run) {
    const struct lb_boot_net *net = lb_boot_net(&run->boot);
    char value[VALUE_MAX];
    struct lb_text text = lb_text(value, sizeof(value));

    set("LUNBOOT_INTERFACE", run->iface.name);
    set("LUNBOOT_MAC", lb_mac_text(run->iface.found.mac).s);
    if (lb_addr_is_set(net->address.addr))
        set("LUNBOOT_ADDRESS", lb_prefix_text(net->address).s);
    set_routes(net->routes, net->route_count, "LUNBOOT_GATEWAY", "LUNBOOT_ROUTES");
    set_addresses6(net);
    set_routes(net->routes6, net->route6_count, "LUNBOOT_GATEWAY6", "LUNBOOT_ROUTES6");
    for (size_t i = 0; i < net->dns_count; i++)
        lb_text_add(&text, "%s%s", i ? " " : "", lb_addr_text(net->dns[i]).s);
    set("LUNBOOT_DNS", value);
    set("LUNBOOT_HOSTNAME", net->hostname);
    set("LUNBOOT_DOMAIN", net->domain);
    set("LUNBOOT_SEARCH", net->search);
    if (net->mtu)
        set_number("LUNBOOT_MTU", net->mtu);
    set_addr("LUNBOOT_DHCP_SERVER", net->dhcp_server);
    set_addr("LUNBOOT_DHCP6_SERVER", net->dhcp6_server);
    if (net->lease_s)
        set_number("LUNBOOT_LEASE_SECONDS", net->lease_s);
}

static void set_target(const struct lb_run *run) {
    const struct lb_rootpath *target = lb_boot_target(&run->boot);
    struct lb_endpoint portal = lb_iscsi_peer(&run->boot.session);
    char value[VALUE_MAX];
    struct lb_text text = lb_text(value, sizeof(value));

    lb_rootpath_format(&text, target);
    set("LUNBOOT_ROOTPATH", value);
    set("LUNBOOT_TARGET", target->target);
    set("LUNBOOT_INITIATOR", lb_boot_initiator(&run->boot));
    set_addr("LUNBOOT_SERVER", portal.addr);
    set_number("LUNBOOT_PORT", portal.port);
    text = lb_text(value, sizeof(value));
    lb_text_hex(&text, lb_bytes(target->lun, sizeof(target->lun)));
    set("LUNBOOT_LUN", value);
}

static void set_disk(const struct lb_run *run) {
    const struct lb_disk_info *disk = lb_boot_disk(&run->boot);
    set_number("LUNBOOT_BLOCKS", disk->blocks);
    set_number("LUNBOOT_BLOCK_BYTES", disk->block_bytes);
    set("LUNBOOT_READ_ONLY", disk->read_only ? "yes" : "no");
    set("LUNBOOT_VENDOR", disk->vendor);
    set("LUNBOOT_PRODUCT", disk->product);
    set("LUNBOOT_SERIAL", disk->serial);
    set("LUNBOOT_DISK_ID", disk->id);
}

void lb_environment_set(const struct lb_run *run) {
    set_net(run);
    set_target(run);
    set_disk(run);
}
