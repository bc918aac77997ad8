#include "server/nets.h"
#include "core/dhcp4/dhcp4_wire.h"
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

/* ---- which ---- */

struct lb_server_net *lb_server_nets_at(struct lb_server_nets *nets, struct lb_addr address) {
    for (size_t i = 0; i < nets->count; i++)
        if (lb_prefix_has(nets->list[i].network, address))
            return &nets->list[i];
    return NULL;
}

struct lb_server_net *lb_server_nets_of(struct lb_server_nets *nets,
                                        const struct lb_dhcp4_message *request,
                                        struct lb_addr *at) {
    struct lb_server_net *first = &nets->list[0];
    if (first->server.config.proxy_only)
        return first;
    if (lb_dhcp4_link(request, at))
        return lb_server_nets_at(nets, *at);
    /* A machine that renews its lease asks from its own network, past the relay. */
    struct lb_server_net *own = lb_server_nets_at(nets, request->header.ciaddr);
    return own != NULL ? own : first;
}

/* ---- begin and end ---- */

/* The machines that have an address of their own in it; gives their count. */
static size_t list_hosts(struct lb_server_net *net, const struct lb_server_settings *settings) {
    size_t count = 0;
    for (size_t i = 0; i < settings->machine_count; i++) {
        const struct lb_server_machine_settings *machine = &settings->machines[i];
        if (!lb_addr_is_set(machine->address) || !lb_prefix_has(net->network, machine->address))
            continue;
        net->hosts[count] = (struct lb_dhcp4_host){.address = machine->address};
        memcpy(net->hosts[count++].mac, machine->mac, 6);
    }
    return count;
}

static bool begin(struct lb_server_net *net, struct lb_dhcp4_server_config *config,
                  const struct lb_server_settings *settings, struct lb_server_error *error) {
    struct lb_bytes keys = lb_bytes_of_text(settings->dhcp_keys.text);
    net->network = config->network;
    config->lease_s = settings->lease_s;
    config->authoritative = config->rapid_commit = true;
    if (lb_dhcp_keys_have(keys, false)) {
        config->keys = keys;
        config->require_auth = settings->dhcp_auth == LB_DHCP_AUTH_REQUIRE;
        config->replay = (uint64_t)time(NULL) << 32; /* RFC 3118 2: later after a restart */
    }
    config->hosts = net->hosts;
    config->host_count = list_hosts(net, settings);
    net->bindings = calloc(LB_SERVER_BINDINGS, sizeof *net->bindings);
    if (net->bindings == NULL ||
        getrandom(&config->hash_key, sizeof config->hash_key, 0) != sizeof config->hash_key)
        return lb_server_fail(error, "", "there is no memory for addresses");
    lb_dhcp4_server_init(&net->server, config, net->bindings, LB_SERVER_BINDINGS);
    return true;
}

/* Its first and last address are nobody's: they are the network itself and its broadcast. */
static bool check_ends(struct lb_server_range range, struct lb_prefix network, const char *whose,
                       struct lb_server_error *error) {
    struct lb_addr after = range.last;
    for (int i = 3; network.len <= 30 && i >= 0 && ++after.bytes[i] == 0; i--)
        continue;
    bool has_first = lb_addr_equal(range.first, network.addr);
    if (network.len > 30 || (!has_first && lb_prefix_has(network, after)))
        return true;
    return lb_server_fail(error, "leave out the first and the last address of the network",
                          "dhcp-range%s has %s, which no machine of %s can have", whose,
                          lb_addr_text(has_first ? range.first : range.last).s,
                          lb_prefix_text(network).s);
}

static bool choose_range(const struct lb_server_settings *settings,
                         const struct lb_server_link *link, struct lb_server_range *range,
                         struct lb_server_error *error) {
    *range = settings->dhcp_range;
    if (!lb_addr_is_set(range->first))
        *range = lb_server_link_range(link, LB_SERVER_BINDINGS / 4);
    if (!lb_addr_is_set(range->first))
        return lb_server_fail(error,
                              "give the interface an address with a shorter prefix, or use "
                              "--dhcp=off",
                              "the network %s has no addresses for machines",
                              lb_prefix_text(link->network).s);
    if (!lb_prefix_has(link->network, range->first) || !lb_prefix_has(link->network, range->last))
        return lb_server_fail(error, "give addresses of that network, as FIRST-LAST",
                              "dhcp-range is not within %s, the network of %s",
                              lb_prefix_text(link->network).s, link->name);
    return check_ends(*range, link->network, "", error);
}

static bool begin_link(struct lb_server_net *net, const struct lb_server_settings *settings,
                       const struct lb_server_link *link, struct lb_dhcp_seen *seen,
                       struct lb_server_error *error) {
    struct lb_server_range range = {0};
    bool is_proxy = settings->dhcp == LB_SERVER_DHCP_PROXY;
    if (!is_proxy && !choose_range(settings, link, &range, error))
        return false;
    struct lb_dhcp4_server_config config = {
        .server = link->address,
        .network = link->network,
        .first = range.first,
        .last = range.last,
        .router = settings->router,
        .dns = settings->dns,
        .proxy_only = is_proxy,
        .seen = seen,
    };
    return begin(net, &config, settings, error);
}

/* Its first address is most often its router's. */
static struct lb_server_range range_of(const struct lb_server_subnet_settings *subnet) {
    struct lb_server_link link = {.network = subnet->network, .address = subnet->network.addr};
    link.address.bytes[3]++;
    if (lb_addr_is_set(subnet->range.first))
        return subnet->range;
    return lb_server_link_range(&link, LB_SERVER_BINDINGS / 4);
}

static bool begin_subnet(struct lb_server_net *net, const struct lb_server_settings *settings,
                         const struct lb_server_subnet_settings *subnet,
                         const struct lb_server_link *link, struct lb_dhcp_seen *seen,
                         struct lb_server_error *error) {
    struct lb_server_range range = range_of(subnet);
    struct lb_dhcp4_server_config config = {
        .server = link->address,
        .network = subnet->network,
        .first = range.first,
        .last = range.last,
        .router = subnet->router,
        .dns = lb_addr_is_set(subnet->dns) ? subnet->dns : settings->dns,
        .seen = seen,
    };
    if (lb_prefix_has(subnet->network, link->address))
        return lb_server_fail(error, "its keys are those without a section",
                              "%s is the network of %s itself", subnet->name, link->name);
    char whose[80];
    lb_format(whose, sizeof whose, " of %s", subnet->name);
    if (lb_addr_is_set(range.first) && !check_ends(range, subnet->network, whose, error))
        return false;
    return begin(net, &config, settings, error);
}

bool lb_server_nets_check(struct lb_server_nets *nets,
                          const struct lb_server_machine_settings *machine,
                          const struct lb_server_link *link, struct lb_server_error *error) {
    struct lb_addr address = machine->address;
    return !lb_addr_is_set(address) || nets->list[0].server.config.proxy_only ||
           lb_server_link_check_machine(link, machine->name, address,
                                        lb_server_nets_at(nets, address) != NULL, error);
}

/* The networks are known only now. */
static bool check_hosts(struct lb_server_nets *nets, const struct lb_server_settings *settings,
                        const struct lb_server_link *link, struct lb_server_error *error) {
    for (size_t i = 0; i < settings->machine_count; i++) {
        struct lb_server_error why = {0};
        const struct lb_server_machine_settings *machine = &settings->machines[i];
        if (!lb_server_nets_check(nets, machine, link, &why) &&
            !lb_server_link_lets_added(machine, &why, error))
            return false;
    }
    return true;
}

bool lb_server_nets_open(struct lb_server_nets *nets, const struct lb_server_settings *settings,
                         const struct lb_server_link *link, struct lb_dhcp_seen *seen,
                         struct lb_server_error *error) {
    bool is_proxy = settings->dhcp == LB_SERVER_DHCP_PROXY;
    nets->list = calloc(1 + settings->subnet_count, sizeof *nets->list);
    if (nets->list == NULL)
        return lb_server_fail(error, "", "there is no memory for addresses");
    nets->count = 1;
    if (!begin_link(&nets->list[0], settings, link, seen, error))
        return false;
    for (size_t i = 0; !is_proxy && i < settings->subnet_count; i++) {
        const struct lb_server_subnet_settings *subnet = &settings->subnets[i];
        if (subnet->network.len > 0 &&
            !begin_subnet(&nets->list[nets->count++], settings, subnet, link, seen, error))
            return false;
    }
    return check_hosts(nets, settings, link, error);
}

void lb_server_nets_move(struct lb_server_nets *nets, const struct lb_server_nets *before,
                         uint64_t now_us) {
    for (size_t i = 0; i < before->count; i++) {
        const struct lb_server_net *old = &before->list[i];
        for (uint32_t k = 0; k < old->server.table.used; k++) {
            const struct lb_binding *binding = &old->bindings[k];
            struct lb_server_net *net = lb_server_nets_at(nets, binding->address);
            struct lb_dhcp4_kept kept = {
                .client = lb_bytes(binding->client, binding->client_len),
                .address = binding->address,
                .valid_s = lb_binding_valid_s(binding, now_us),
                .leased = binding->leased,
                .declined = binding->declined,
                .bootp = binding->bootp,
            };
            if (net != NULL)
                (void)lb_dhcp4_server_restore(&net->server, now_us, &kept);
        }
    }
}

void lb_server_nets_close(struct lb_server_nets *nets) {
    for (size_t i = 0; i < nets->count; i++)
        free(nets->list[i].bindings);
    free(nets->list);
    *nets = (struct lb_server_nets){.list = NULL};
}
