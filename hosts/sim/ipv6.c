/* IPv6 on the segment: routers, and the servers of DHCPv6. Server 0 has the root path, 1 has
 * not. */
#include "core/dhcp6/dhcp6_wire.h"
#include "hosts/sim/sim.h"
#include <stdio.h>

#define LATE_US_MAX      (5 * LB_US_SEC)
#define PREFIX_LEN       64
#define SHORT_RA_S       200 /* lifetimes that end within a run, were they not told again */
#define RS_ANSWER_US_MAX (500 * LB_US_MS) /* RFC 4861 6.2.6 */

static struct lb_addr v6(uint8_t first, uint8_t second, uint8_t last) {
    uint8_t bytes[16] = {first, second, [15] = last};
    return lb_addr_v6_bytes(bytes);
}

struct lb_addr sim_ipv6_router(unsigned router) {
    return v6(0xfe, 0x80, (uint8_t)(1 + router));
}

static struct lb_endpoint server_endpoint(unsigned server) {
    return (struct lb_endpoint){.addr = v6(0xfe, 0x80, (uint8_t)(0x20 + server)),
                                .port = LB_DHCP6_SERVER_PORT};
}

/* ---- as they are ----------------------------------------------------------------------------- */

static struct lb_nd6_ra make_ra(struct sim *sim, unsigned router) {
    struct sim_world *world = &sim->world;
    const struct sim_plan *plan = &sim->plan;
    uint32_t valid_s = plan->short_ra ? SHORT_RA_S : 86400;
    bool has_mac = sim_one_in(world, 2);
    uint32_t mtu = sim_one_in(world, 3) ? sim_between(world, 1280, 1500) : 0;
    struct lb_nd6_ra ra = {
        .hop_limit = 64,
        .managed = plan->managed,
        .other = plan->other,
        .preference = router == 0 ? LB_ND6_MEDIUM : LB_ND6_LOW,
        .lifetime_s = plan->short_ra ? SHORT_RA_S : 1800,
        .has_mac = has_mac,
        .mac = {2, 0, 0x5e, 0, 0, (uint8_t)(router + 1)},
        .mtu = mtu,
        .prefixes[0] = {.prefix = {.addr = v6(0xfd, 0, 0), .len = PREFIX_LEN},
                        .on_link = true,
                        .autonomous = !plan->managed || plan->also_slaac,
                        .valid_s = valid_s,
                        .preferred_s = valid_s / 2},
        .prefix_count = 1,
    };
    if (sim_one_in(world, 2)) {
        ra.dns[0] = (struct lb_nd6_ra_dns){.addr = v6(0xfd, 0, 0x53), .lifetime_s = valid_s};
        ra.dns_count = 1;
        ra.domain_count = 1;
        snprintf(ra.domains[0].name, sizeof ra.domains[0].name, "example.net");
        ra.domains[0].lifetime_s = valid_s;
    }
    return ra;
}

static void init_routers(struct sim *sim) {
    const struct sim_plan *plan = &sim->plan;
    for (unsigned i = 0; i < plan->routers; i++)
        sim->routers[i] = make_ra(sim, i);
    if (plan->routers > 1)
        sim_saw(&sim->world, SIM_ROUTERS_TWO);
    for (unsigned i = 0; i < plan->routers; i++)
        sim_after(&sim->world, sim_between(&sim->world, 1, 60000) * LB_US_MS, SIM_ADVERTISE, i, 0);
}

static void init_server(struct sim *sim, unsigned server) {
    const struct sim_plan *plan = &sim->plan;
    uint8_t mac[6] = {2, 0, 0x5e, 0, 1, (uint8_t)server};
    struct lb_dhcp6_server_config config = {
        .duid = lb_duid_ll(mac),
        .network = {.addr = v6(0xfd, 0, 0), .len = PREFIX_LEN},
        .first = v6(0xfd, 0, (uint8_t)(100 + 60 * server)),
        .last = v6(0xfd, 0, (uint8_t)(150 + 60 * server)),
        .dns = {v6(0xfd, 0, 0x53)},
        .dns_count = 1,
        .search = "example.net",
        .preferred_s = plan->lease6_s,
        .valid_s = plan->lease6_s + plan->lease6_s / 2,
        .stateless = plan->routers > 0 && !plan->managed,
        .rapid_commit = plan->rapid && server == 0,
        .preference = server == 1 ? 7 : 0,
        .no_addresses = plan->wrong == SIM_WRONG_NO_ADDRESS6,
    };
    if (server == 0 && plan->root6)
        config.root_path = lb_bytes(plan->root_path, plan->root_path_len);
    else if (plan->plain_url)
        config.root_path = lb_bytes_of_text("http://[fd00::20]/boot.efi");
    lb_dhcp6_server_init(&sim->dhcp6[server], &config, sim->bindings6[server], SIM_BINDINGS);
    sim->has_dhcp6[server] = true;
}

void sim_ipv6_init(struct sim *sim) {
    const struct sim_plan *plan = &sim->plan;
    if (!plan->net6)
        return;
    sim_saw(&sim->world, plan->net4 ? SIM_DUAL_STACK : SIM_IPV6_ONLY);
    init_routers(sim);
    bool has_servers = plan->routers == 0 || plan->managed || plan->other;
    if (!has_servers || plan->wrong == SIM_WRONG_DHCP6)
        return;
    sim_saw(&sim->world,
            plan->routers > 0 && !plan->managed ? SIM_DHCP6_STATELESS : SIM_DHCP6_STATEFUL);
    init_server(sim, 0);
    if (plan->two_servers)
        init_server(sim, 1);
}

/* ---- routers --------------------------------------------------------------------------------- */

static struct lb_nd6_ra_prefix lie_about_prefix(struct sim_world *world, uint8_t number) {
    struct lb_nd6_ra_prefix lie = {.autonomous = true};
    lie.prefix.addr = v6((uint8_t)sim_random(world), number, 0);
    lie.prefix.len = (uint8_t)sim_below(world, 129);
    lie.on_link = sim_one_in(world, 2);
    lie.valid_s = sim_one_in(world, 2) ? sim_below(world, 100) : LB_ND6_FOREVER;
    lie.preferred_s = sim_below(world, 100);
    return lie;
}

/* What a machine says that is no router, or one whose keeper was tired. */
static struct lb_nd6_ra lie(struct sim *sim, unsigned router) {
    struct sim_world *world = &sim->world;
    struct lb_nd6_ra ra = sim->routers[router];
    ra.managed = sim_one_in(world, 2);
    ra.other = sim_one_in(world, 2);
    ra.lifetime_s = (uint16_t)(sim_one_in(world, 2) ? 0 : sim_random(world));
    ra.mtu = sim_one_in(world, 2) ? (uint32_t)sim_random(world) : sim_below(world, 1280);
    for (size_t i = 0; i < LB_ND6_PREFIXES_MAX; i++)
        ra.prefixes[i] = lie_about_prefix(world, (uint8_t)i);
    ra.prefix_count = sim_below(world, LB_ND6_PREFIXES_MAX + 1);
    return ra;
}

static void advertise(struct sim *sim, unsigned router) {
    struct sim_world *world = &sim->world;
    uint8_t room[LB_ND6_PACKET_MAX];
    struct lb_nd6_ra ra = sim->routers[router];
    if (sim->plan.wrong == SIM_WRONG_ROUTERS || sim_happens(world, SIM_RA_SILENT))
        return;
    if (sim_happens(world, SIM_RA_LIES))
        ra = lie(sim, router);
    uint64_t delay_us = sim_between(world, 50, (uint32_t)RS_ANSWER_US_MAX);
    if (sim_happens(world, SIM_RA_SLOW))
        delay_us = sim_skewed(world, 500, 20000) * LB_US_MS;
    struct lb_nd6_reply reply = lb_nd6_server_advertise(&ra, lb_span(room, sizeof room));
    sim_link_reply(sim, LB_BOOT_SLOT_ND6, LB_KIND_ND6, delay_us,
                   (struct lb_endpoint){.addr = sim_ipv6_router(router)}, reply.bytes);
}

void sim_ipv6_advertise(struct sim *sim, unsigned router) {
    if (router == SIM_IMPOSTOR_ROUTER) {
        sim_impostor_advertise(sim);
        return;
    }
    uint32_t most_s = sim->plan.short_ra ? SHORT_RA_S / 4 : 600;
    advertise(sim, router);
    sim_after(&sim->world, sim_between(&sim->world, most_s / 3, most_s) * LB_US_SEC, SIM_ADVERTISE,
              router, 0);
}

void sim_ipv6_solicited(struct sim *sim, struct lb_addr from, struct lb_bytes bytes) {
    uint8_t room[LB_ND6_PACKET_MAX];
    for (unsigned i = 0; i < sim->plan.routers; i++)
        if (lb_nd6_server_input(&sim->routers[i], from, bytes, lb_span(room, sizeof room))
                .bytes.len > 0)
            advertise(sim, i);
}

/* ---- DHCPv6 ---------------------------------------------------------------------------------- */

static void answer(struct sim *sim, uint32_t slot, unsigned server, struct lb_endpoint from,
                   struct lb_bytes request) {
    struct sim_world *world = &sim->world;
    struct lb_dhcp6_server_config *config = &sim->dhcp6[server].config, truth = *config;
    uint8_t room[LB_DHCP6_PACKET_MAX], made_up[300];
    if (sim_happens(world, SIM_DHCP6_SILENT))
        return;
    if (sim_happens(world, SIM_DHCP6_FORGETS))
        lb_bindings_clear(&sim->dhcp6[server].table);
    if (sim_happens(world, SIM_DHCP6_REFUSES))
        config->no_addresses = true;
    if (sim_happens(world, SIM_DHCP_LIES))
        config->root_path = sim_dhcp_lie(sim, made_up);
    struct lb_bytes reply = lb_dhcp6_server_input(&sim->dhcp6[server], world->now_us, from, request,
                                                  lb_span(room, sizeof room))
                                .bytes;
    *config = truth;
    uint64_t delay_us = sim_between(world, 50, 3000);
    if (sim_happens(world, SIM_DHCP_SLOW))
        delay_us = sim_skewed(world, 100, 12000) * LB_US_MS;
    if (reply.len > 0)
        sim_link_reply(sim, slot, LB_KIND_DHCP6, delay_us, server_endpoint(server), reply);
}

void sim_dhcp6_input(struct sim *sim, uint32_t slot, struct lb_endpoint from,
                     struct lb_bytes bytes) {
    for (unsigned i = 0; i < SIM_DHCP6_SERVERS; i++)
        if (sim->has_dhcp6[i])
            answer(sim, slot, i, from, bytes);
}

/* ---- addresses ---------------------------------------------------------------------------------
 * An address is the client's from when nobody had it. */

static size_t find_claim(const struct sim *sim, struct lb_addr addr) {
    size_t i = 0;
    while (i < sim->claim_count && !lb_addr_equal(sim->claims[i], addr))
        i++;
    return i;
}

void sim_ipv6_probed(struct sim *sim, struct lb_addr addr, bool conflict) {
    size_t i = find_claim(sim, addr);
    if (conflict && i < sim->claim_count)
        sim->claims[i] = sim->claims[--sim->claim_count];
    else if (!conflict && i == sim->claim_count && i < SIM_CLAIMS)
        sim->claims[sim->claim_count++] = addr;
}

bool sim_ipv6_has(const struct sim *sim, struct lb_addr addr) {
    return find_claim(sim, addr) < sim->claim_count;
}

bool sim_ipv6_has_link_local(const struct sim *sim) {
    for (size_t i = 0; i < sim->claim_count; i++)
        if (lb_addr_is_link_local(sim->claims[i]))
            return true;
    return false;
}

void sim_ipv6_check(struct sim *sim, const struct lb_boot_net *net) {
    for (size_t i = 0; i < net->addr6_count; i++) {
        const struct lb_boot_addr6 *addr = &net->addrs6[i];
        const char *text = lb_prefix_text(addr->address).s;
        bool leased = addr->address.len == 128;
        if (!lb_addr_is_host(addr->address.addr) || lb_addr_is_link_local(addr->address.addr))
            sim_violation(&sim->world, "SET_ADDRESS of %s, which no host can have", text);
        if (addr->valid_s == 0 || addr->preferred_s > addr->valid_s)
            sim_violation(&sim->world, "SET_ADDRESS of %s for %u of %u s", text, addr->preferred_s,
                          addr->valid_s);
        if (!sim_ipv6_has(sim, addr->address.addr) && !(leased && sim->plan.no_probe))
            sim_violation(&sim->world, "SET_ADDRESS of %s, which may be somebody's", text);
    }
}

/* No address stays on the interface when its time is over; the host may be late to poll. */
void sim_ipv6_check_lifetimes(struct sim *sim) {
    uint64_t since_us = sim->world.now_us - sim->net_us;
    if (!sim->has_net || sim->stop_told)
        return;
    for (size_t i = 0; i < sim->net.addr6_count; i++) {
        const struct lb_boot_addr6 *addr = &sim->net.addrs6[i];
        if (addr->valid_s != LB_FOREVER && since_us > addr->valid_s * LB_US_SEC + LATE_US_MAX) {
            sim_violation(&sim->world, "%s is still there, %llu s after its end",
                          lb_prefix_text(addr->address).s,
                          (unsigned long long)(since_us / LB_US_SEC - addr->valid_s));
            sim->net_us = sim->world.now_us; /* once is enough */
        }
    }
}

/* Whether the client can reach an address of the segment: it has an address, and a way. */
bool sim_ipv6_reaches(const struct sim *sim, struct lb_addr to) {
    const struct lb_boot_net *net = &sim->net;
    if (!sim->address_set || net->addr6_count == 0)
        return false;
    for (size_t i = 0; i < net->route6_count; i++)
        if (lb_prefix_has(net->routes6[i].to, to))
            return true;
    return false;
}
