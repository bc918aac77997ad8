#include "server/nets6.h"
#include "core/names/rootpath.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

/* ---- which ---- */

struct lb_server_net6 *lb_server_nets6_at(struct lb_server_nets6 *nets, struct lb_addr address) {
    for (size_t i = 0; i < nets->count; i++)
        if (lb_prefix_has(nets->list[i].network, address))
            return &nets->list[i];
    return NULL;
}

const struct lb_dhcp6_host *lb_server_net6_host(struct lb_server_net6 *net, const char *name) {
    if (net->server.config.host_count == 0)
        return NULL;
    struct lb_bytes text = lb_bytes_of_text(name);
    uint32_t at = lb_index_first(&net->index, LB_INDEX_NAME, text);
    while (at != LB_INDEX_NONE && !lb_text_is(text, net->names[at]))
        at = lb_index_next(&net->index, LB_INDEX_NAME, at);
    return at != LB_INDEX_NONE ? &net->hosts[at] : NULL;
}

/* ---- begin and end ---- */

/* The machines that have an address of their own here; the DUID is what most of them say. Gives
 * their count. */
static size_t list_hosts(struct lb_server_net6 *net, const struct lb_server_settings *settings) {
    size_t count = 0;
    for (size_t i = 0; i < settings->machine_count; i++) {
        const struct lb_server_machine_settings *machine = &settings->machines[i];
        if (!lb_prefix_has(net->network, machine->address6))
            continue;
        memcpy(net->names[count], machine->name, sizeof machine->name);
        lb_index_add(&net->index, LB_INDEX_NAME, lb_bytes_of_text(machine->name), (uint32_t)count);
        net->hosts[count].address = machine->address6;
        if (lb_mac_is_set(machine->mac)) {
            net->hosts[count++].duid = lb_duid_ll(machine->mac);
        } else {
            uint8_t uuid[16];
            lb_uuid_swap(machine->uuid, uuid);
            net->hosts[count++].duid = lb_duid_uuid(uuid);
        }
    }
    return count;
}

static bool begin(struct lb_server_net6 *net, struct lb_dhcp6_server_config *config,
                  const struct lb_server_settings *settings, struct lb_dhcp_seen *seen,
                  struct lb_server_error *error) {
    struct lb_bytes keys = lb_bytes_of_text(settings->dhcp_keys.text);
    net->network = config->network;
    net->hosts = calloc(LB_SERVER_SECTIONS_MAX, sizeof *net->hosts);
    net->names = calloc(LB_SERVER_SECTIONS_MAX, sizeof *net->names);
    net->bindings = calloc(LB_SERVER_BINDINGS6, sizeof *net->bindings);
    if (net->hosts == NULL || net->names == NULL || net->bindings == NULL ||
        !lb_index_open(&net->index, LB_SERVER_SECTIONS_MAX))
        return lb_server_fail(error, "", "there is no memory for IPv6 addresses");
    config->preferred_s = config->valid_s = settings->lease_s;
    config->stateless = settings->dhcp6 == LB_SERVER_DHCP6_STATELESS;
    config->rapid_commit = true;
    config->hosts = net->hosts;
    config->host_count = list_hosts(net, settings);
    if (lb_dhcp_keys_have(keys, true)) {
        config->keys = keys;
        config->require_auth = settings->dhcp_auth == LB_DHCP_AUTH_REQUIRE;
        config->replay = (uint64_t)time(NULL) << 32; /* RFC 3315 21.3: later after a restart */
        config->seen = seen;
    }
    if (getrandom(&config->hash_key, sizeof config->hash_key, 0) != sizeof config->hash_key)
        return lb_server_fail(error, "", "the kernel gives no random numbers: %s", strerror(errno));
    lb_dhcp6_server_init(&net->server, config, net->bindings, LB_SERVER_BINDINGS6);
    return true;
}

/* `given`, or some of the link's network; none where no addresses are given. */
static bool choose_range(const struct lb_server_settings *settings,
                         const struct lb_server_link *link, struct lb_server_range given,
                         struct lb_server_range *range, struct lb_server_error *error) {
    *range = given;
    if (settings->dhcp6 != LB_SERVER_DHCP6_SERVER || lb_addr_is_set(range->first))
        return true;
    *range = lb_server_link_range6(link, LB_SERVER_BINDINGS6 / 4);
    return lb_addr_is_set(range->first) ||
           lb_server_fail(error, "give dhcp6-range = FIRST-LAST",
                          "the network %s is too small to choose addresses of it",
                          lb_prefix_text(link->network6).s);
}

/* Sections were checked with the settings; the network of the link is known only now. */
static bool is_of_link(const struct lb_server_link *link, const struct lb_server_range *range,
                       struct lb_server_error *error) {
    if (!lb_addr_is_set(range->first) ||
        (lb_prefix_has(link->network6, range->first) && lb_prefix_has(link->network6, range->last)))
        return true;
    return lb_server_fail(error, "give addresses of that network, as FIRST-LAST",
                          "dhcp6-range is not within %s, the network of %s",
                          lb_prefix_text(link->network6).s, link->name);
}

static bool begin_link(struct lb_server_net6 *net, const struct lb_server_settings *settings,
                       const struct lb_server_link *link, struct lb_dhcp_seen *seen,
                       struct lb_server_error *error) {
    struct lb_server_range range;
    if (!choose_range(settings, link, settings->dhcp6_range, &range, error) ||
        !is_of_link(link, &range, error))
        return false;
    struct lb_dhcp6_server_config config = {
        .duid = lb_duid_ll(link->mac),
        .network = link->network6,
        .first = range.first,
        .last = range.last,
        .dns = {settings->dns6},
        .dns_count = lb_addr_is_set(settings->dns6),
    };
    return begin(net, &config, settings, seen, error);
}

static bool begin_subnet(struct lb_server_net6 *net, const struct lb_server_settings *settings,
                         const struct lb_server_subnet_settings *subnet,
                         const struct lb_server_link *link, struct lb_dhcp_seen *seen,
                         struct lb_server_error *error) {
    struct lb_server_link there = {.network6 = subnet->network6};
    struct lb_addr dns = lb_addr_is_set(subnet->dns6) ? subnet->dns6 : settings->dns6;
    struct lb_server_range range;
    if (lb_prefix_has(subnet->network6, link->address6))
        return lb_server_fail(error, "its keys are those without a section",
                              "%s is the IPv6 network of %s itself", subnet->name, link->name);
    if (!choose_range(settings, &there, subnet->range6, &range, error))
        return false;
    struct lb_dhcp6_server_config config = {
        .duid = lb_duid_ll(link->mac),
        .network = subnet->network6,
        .first = range.first,
        .last = range.last,
        .dns = {dns},
        .dns_count = lb_addr_is_set(dns),
    };
    return begin(net, &config, settings, seen, error);
}

bool lb_server_nets6_check(struct lb_server_nets6 *nets,
                           const struct lb_server_machine_settings *machine,
                           const struct lb_server_link *link, struct lb_server_error *error) {
    struct lb_addr address = machine->address6;
    return !lb_addr_is_set(address) || nets->list[0].server.config.stateless ||
           lb_server_link_check_machine(link, machine->name, address,
                                        lb_server_nets6_at(nets, address) != NULL, error);
}

/* The networks are known only now. */
static bool check_hosts(struct lb_server_nets6 *nets, const struct lb_server_settings *settings,
                        const struct lb_server_link *link, struct lb_server_error *error) {
    for (size_t i = 0; i < settings->machine_count; i++) {
        struct lb_server_error why = {0};
        const struct lb_server_machine_settings *machine = &settings->machines[i];
        if (!lb_server_nets6_check(nets, machine, link, &why) &&
            !lb_server_link_lets_added(machine, &why, error))
            return false;
    }
    return true;
}

bool lb_server_nets6_open(struct lb_server_nets6 *nets, const struct lb_server_settings *settings,
                          const struct lb_server_link *link, struct lb_dhcp_seen *seen,
                          struct lb_server_error *error) {
    *nets = (struct lb_server_nets6){
        .list = calloc(1 + settings->subnet_count, sizeof *nets->list),
        .count = 1,
    };
    if (nets->list == NULL)
        return lb_server_fail(error, "", "there is no memory for IPv6 addresses");
    if (!begin_link(&nets->list[0], settings, link, seen, error))
        return false;
    for (size_t i = 0; i < settings->subnet_count; i++) {
        const struct lb_server_subnet_settings *subnet = &settings->subnets[i];
        if (subnet->network6.len > 0 &&
            !begin_subnet(&nets->list[nets->count++], settings, subnet, link, seen, error))
            return false;
    }
    return check_hosts(nets, settings, link, error);
}

/* One that is over is known still: its client gets the same. */
void lb_server_nets6_restore(struct lb_server_nets6 *nets, uint64_t now_us,
                             const struct lb_store_lease *lease) {
    struct lb_dhcp6_kept kept = {
        .client = lb_bytes(lease->client, lease->client_len),
        .address = lease->address,
        .valid_s = lb_server_lease_left_s(lease, time(NULL)),
        .leased = lease->leased,
        .declined = lease->declined,
    };
    struct lb_server_net6 *net = lb_server_nets6_at(nets, lease->address);
    if (net != NULL)
        (void)lb_dhcp6_server_restore(&net->server, now_us, &kept);
}

void lb_server_nets6_move(struct lb_server_nets6 *nets, const struct lb_server_nets6 *before,
                          uint64_t now_us) {
    for (size_t i = 0; i < before->count; i++) {
        const struct lb_server_net6 *old = &before->list[i];
        for (uint32_t k = 0; k < old->server.table.used; k++) {
            struct lb_store_lease lease = lb_server_lease_of(&old->bindings[k], now_us, time(NULL));
            lb_server_nets6_restore(nets, now_us, &lease);
        }
    }
}

void lb_server_nets6_close(struct lb_server_nets6 *nets) {
    for (size_t i = 0; i < nets->count && nets->list != NULL; i++) {
        lb_index_close(&nets->list[i].index);
        free(nets->list[i].hosts);
        free(nets->list[i].names);
        free(nets->list[i].bindings);
    }
    free(nets->list);
    *nets = (struct lb_server_nets6){.list = NULL};
}
