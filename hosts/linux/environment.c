#include "hosts/linux/environment.h"
#include "hosts/linux/syntax.h"
#include <stdlib.h>
#include <string.h>

#define VALUE_MAX 2048

extern char **environ;

static void set_number(const char *name, uint64_t value) {
    char text[24];
    lb_format(text, sizeof(text), "%llu", (unsigned long long)value);
    lb_syntax_environment(name, text);
}

/* What somebody else called so is not a result of ours. */
static void clear(void) {
    size_t at = 0;
    while (environ && environ[at]) {
        char name[64];
        size_t len = strcspn(environ[at], "=");
        bool is_ours = strncmp(environ[at], "LUNBOOT_", 8) == 0 &&
                       lb_text_copy(name, sizeof(name), lb_bytes(environ[at], len));
        if (!is_ours || unsetenv(name) < 0)
            at++;
    }
}

static void set_addr(const char *name, struct lb_addr addr) {
    if (lb_addr_is_set(addr) && !lb_addr_is_zero(addr))
        lb_syntax_environment(name, lb_addr_text(addr).s);
}

/* Default routes besides the gateway's are those of worse routers. */
static void set_routes(const struct lb_route *routes, size_t count, struct lb_addr gateway,
                       const char *routes_name) {
    char value[VALUE_MAX];
    struct lb_text text = lb_text(value, sizeof(value));
    bool is_named = false;

    for (size_t i = 0; i < count; i++) {
        const struct lb_route *route = &routes[i];
        if (route->to.len == 0 && !is_named && lb_addr_is_set(gateway) &&
            lb_addr_equal(route->via, gateway)) {
            is_named = true;
            continue;
        }
        lb_text_add(&text, "%s%s", text.len > 0 ? " " : "", lb_prefix_text(route->to).s);
        if (!lb_addr_is_zero(route->via))
            lb_text_add(&text, ",%s", lb_addr_text(route->via).s);
    }
    lb_syntax_environment(routes_name, value);
}

static void set_addresses6(const struct lb_boot_net *net) {
    char value[VALUE_MAX];
    struct lb_text text = lb_text(value, sizeof(value));
    for (size_t i = 0; i < net->addr6_count; i++)
        lb_text_add(&text, "%s%s", i ? " " : "", lb_prefix_text(net->addrs6[i].address).s);
    lb_syntax_environment("LUNBOOT_ADDRESS6", value);
}

static void set_net(const struct lb_run *run) {
    const struct lb_boot_net *net = lb_boot_net(&run->boot);
    char value[VALUE_MAX];
    struct lb_text text = lb_text(value, sizeof(value));

    lb_syntax_environment("LUNBOOT_INTERFACE", run->iface.name);
    lb_syntax_environment("LUNBOOT_MAC", lb_mac_text(run->iface.found.mac).s);
    if (lb_addr_is_set(net->address.addr))
        lb_syntax_environment("LUNBOOT_ADDRESS", lb_prefix_text(net->address).s);
    set_addr("LUNBOOT_GATEWAY", lb_boot_net_gateway(net, LB_V4));
    set_routes(net->routes, net->route_count, lb_boot_net_gateway(net, LB_V4), "LUNBOOT_ROUTES");
    set_addresses6(net);
    set_addr("LUNBOOT_GATEWAY6", lb_boot_net_gateway(net, LB_V6));
    set_routes(net->routes6, net->route6_count, lb_boot_net_gateway(net, LB_V6), "LUNBOOT_ROUTES6");
    for (size_t i = 0; i < net->dns_count; i++)
        lb_text_add(&text, "%s%s", i ? " " : "", lb_addr_text(net->dns[i]).s);
    lb_syntax_environment("LUNBOOT_DNS", value);
    lb_syntax_environment("LUNBOOT_HOSTNAME", net->hostname);
    lb_syntax_environment("LUNBOOT_DOMAIN", net->domain);
    lb_syntax_environment("LUNBOOT_SEARCH", net->search);
    if (net->mtu)
        set_number("LUNBOOT_MTU", net->mtu);
    set_addr("LUNBOOT_DHCP_SERVER", net->dhcp_server);
    set_addr("LUNBOOT_DHCP6_SERVER", net->dhcp6_server);
    if (net->lease_s)
        set_number("LUNBOOT_LEASE_SECONDS", net->lease_s);
}

static void set_target(const struct lb_run *run) {
    const struct lb_rootpath *target = lb_boot_target(&run->boot);
    struct lb_endpoint portal = lb_initiator_peer(&run->boot.path.session);
    char value[VALUE_MAX];
    struct lb_text text = lb_text(value, sizeof(value));

    lb_rootpath_format(&text, target);
    lb_syntax_environment("LUNBOOT_ROOTPATH", value);
    lb_syntax_environment("LUNBOOT_TARGET", target->target);
    lb_syntax_environment("LUNBOOT_INITIATOR", lb_boot_initiator(&run->boot));
    set_addr("LUNBOOT_SERVER", portal.addr);
    set_number("LUNBOOT_PORT", portal.port);
    text = lb_text(value, sizeof(value));
    lb_text_hex(&text, lb_bytes(target->lun, sizeof(target->lun)));
    lb_syntax_environment("LUNBOOT_LUN", value);
}

static void set_disk(const struct lb_run *run) {
    const struct lb_disk_info *disk = lb_boot_disk(&run->boot);
    set_number("LUNBOOT_BLOCKS", disk->blocks);
    set_number("LUNBOOT_BLOCK_BYTES", disk->block_bytes);
    lb_syntax_environment("LUNBOOT_READ_ONLY", disk->read_only ? "yes" : "no");
    lb_syntax_environment("LUNBOOT_VENDOR", disk->vendor);
    lb_syntax_environment("LUNBOOT_PRODUCT", disk->product);
    lb_syntax_environment("LUNBOOT_SERIAL", disk->serial);
    lb_syntax_environment("LUNBOOT_DISK_ID", disk->id);
}

void lb_environment_set(const struct lb_run *run) {
    clear();
    set_net(run);
    set_target(run);
    set_disk(run);
}
