/* The DHCP servers of the segment: 0 gives addresses and the root path, 1 gives addresses alone
 * (or, where a proxy has the root path, nothing more than 0), 2 is that proxy. */
#include "core/dhcp4/dhcp4_wire.h"
#include "hosts/sim/sim.h"

#define RENEWAL_US (2 * LB_US_SEC) /* for the renewal itself */

struct lb_addr sim_dhcp_address(unsigned server) {
    return lb_addr_v4(10, 0, 0, (uint8_t)(2 + server));
}

/* Option 78: a directory agent, which may be the only one that is asked. */
static struct lb_bytes slp_option(const struct sim *sim) {
    static const uint8_t may[] = {78, 5, 0, 10, 0, 0, 31}, must[] = {78, 5, 1, 10, 0, 0, 31};
    if (!sim->plan.slp_option)
        return lb_bytes(NULL, 0);
    return sim->plan.slp_mandatory ? lb_bytes(must, sizeof must) : lb_bytes(may, sizeof may);
}

/* Option 83 (RFC 4174), where the plan says so. */
static struct lb_bytes isns_option(const struct sim *sim) {
    static const uint8_t option[] = {LB_OPT_ISNS, 14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 10, 0, 0, 20};
    return lb_bytes(option, sim->plan.isns_by_dhcp ? sizeof option : 0);
}

static struct lb_dhcp4_server_config common(const struct sim *sim, unsigned server) {
    const struct sim_plan *plan = &sim->plan;
    return (struct lb_dhcp4_server_config){
        .server = sim_dhcp_address(server),
        .network = {.addr = lb_addr_v4(10, 0, 0, 0), .len = 24},
        .first = lb_addr_v4(10, 0, 0, (uint8_t)(100 + 60 * server)),
        .last = lb_addr_v4(10, 0, 0, (uint8_t)(150 + 60 * server)),
        .router = lb_addr_v4(10, 0, 0, 1),
        .dns = lb_addr_v4(10, 0, 0, 1),
        .lease_s = plan->lease_s,
        .authoritative = plan->authoritative && !plan->two_servers,
        .rapid_commit = plan->rapid,
        .bootp_only = plan->bootp,
        .overload = plan->overload,
        .options = plan->isns_by_dhcp ? isns_option(sim) : slp_option(sim),
    };
}

static void start(struct sim *sim, unsigned server, const struct lb_dhcp4_server_config *config) {
    lb_dhcp4_server_init(&sim->dhcp[server], config, sim->bindings[server], SIM_BINDINGS);
    sim->has_dhcp[server] = true;
}

void sim_dhcp_init(struct sim *sim) {
    struct sim_plan *plan = &sim->plan;
    struct sim_world *world = &sim->world;
    struct lb_bytes root_path = lb_bytes(plan->root_path, plan->root_path_len);
    if (!plan->net4)
        return;
    if (plan->uses_rootpath || !plan->root4)
        root_path.len = 0;
    struct lb_dhcp4_server_config config = common(sim, 0);
    if (!plan->proxy)
        config.root_path = root_path;
    start(sim, 0, &config);
    /* A server without root path that commits at once would win: that is not ours to cure. */
    if (plan->two_servers) {
        config = common(sim, 1);
        config.rapid_commit = false;
        start(sim, 1, &config);
    }
    if (plan->proxy) {
        config = common(sim, 2);
        config.proxy_only = true;
        config.root_path = root_path;
        start(sim, 2, &config);
        sim->dhcp[0].config.rapid_commit = false;
    }
    if (plan->uses_address || plan->uses_network)
        return;
    if (plan->two_servers)
        sim_saw(world, SIM_DHCP_TWO);
    if (plan->proxy)
        sim_saw(world, SIM_DHCP_PROXY);
    if (plan->bootp)
        sim_saw(world, SIM_DHCP_BOOTP);
    if (plan->slp_option)
        sim_saw(world, SIM_SLP_OPTION);
    if (plan->rapid)
        sim_saw(world, SIM_DHCP_RAPID);
    if (plan->overload)
        sim_saw(world, SIM_DHCP_OVERLOAD);
    if (plan->lease_s != 0)
        sim_saw(world, SIM_DHCP_SHORT_LEASE);
}

static struct lb_endpoint from_server(unsigned server) {
    return (struct lb_endpoint){.addr = sim_dhcp_address(server), .port = LB_DHCP4_SERVER_PORT};
}

/* A NAK, as a server sends it that knows better: RFC 2131 table 3. */
static bool refuse(struct sim *sim, uint32_t slot, unsigned server, struct lb_bytes request) {
    struct lb_dhcp4_message message;
    const char *why;
    uint8_t options[64], room[600];
    if (!lb_dhcp4_decode(request, &message, &why) || message.type != LB_DHCP4_REQUEST)
        return false;
    struct lb_dhcp4_header header = message.header;
    header.op = LB_BOOTREPLY;
    header.yiaddr = header.ciaddr = (struct lb_addr){.family = LB_V4};
    struct lb_wr list = lb_wr(lb_span(options, sizeof options));
    lb_dhcp4_put_u8(&list, LB_OPT_TYPE, LB_DHCP4_NAK);
    lb_dhcp4_put_addr(&list, LB_OPT_SERVER_ID, sim_dhcp_address(server));
    struct lb_dhcp4_layout layout = {.max_bytes = 576};
    sim_link_reply(sim, slot, LB_KIND_DHCP4, 0, from_server(server),
                   lb_dhcp4_encode(&header, &list, layout, lb_span(room, sizeof room)));
    return true;
}

/* What a root path may hold that was never meant well, or was typed late at night. */
struct lb_bytes sim_dhcp_lie(struct sim *sim, uint8_t room[300]) {
    static const char *const lies[] = {
        "iscsi:10.0.0.99::::" SIM_TARGET_NAME,
        "iscsi:10.0.0.10::::iqn.2026-11.net.example:\033[2J\033]0;owned\007",
        "iscsi:127.0.0.1::::" SIM_TARGET_NAME,
        "iscsi:255.255.255.255::::" SIM_TARGET_NAME,
        "iscsi:[::ffff:127.0.0.1]::::" SIM_TARGET_NAME,
        "iscsi:nowhere.example.net::::" SIM_TARGET_NAME,
        "iscsi:10.0.0.10:::4752-3A4F-6b7e-2F99-1:" SIM_TARGET_NAME,
        "iscsi:",
    };
    struct sim_world *world = &sim->world;
    if (!sim_one_in(world, 4))
        return lb_bytes_of_text(lies[sim_below(world, LB_COUNT(lies))]);
    size_t len = sim_between(world, 1, 299);
    for (size_t i = 0; i < len; i++)
        room[i] = (uint8_t)sim_random(world);
    if (len > 6 && sim_one_in(world, 2))
        memcpy(room, "iscsi:", 6);
    return lb_bytes(room, len);
}

static void note_lease(struct sim *sim, unsigned server, struct lb_bytes reply) {
    struct lb_dhcp4_message message;
    const char *why;
    if (server == 0 && lb_dhcp4_decode(reply, &message, &why) && message.type == LB_DHCP4_ACK)
        sim->leased_us = sim->world.now_us;
}

/* RFC 2131 4.4.5: a lease is renewed when half of its time is over. Where nothing goes wrong, it
 * is. */
void sim_dhcp_check_renewal(struct sim *sim) {
    const struct sim_plan *plan = &sim->plan;
    uint64_t half_us = plan->lease_s * LB_US_SEC / 2;
    bool is_known = plan->is_clean && !plan->two_servers && plan->lease_s > 0 && sim->is_ready &&
                    !sim->stop_told && sim->leased_us != 0;
    if (!is_known || sim->world.now_us <= sim->leased_us + half_us + RENEWAL_US)
        return;
    sim_violation(&sim->world, "a lease of %u s is not renewed when half of it is over",
                  plan->lease_s);
    sim->leased_us = 0;
}

static void answer(struct sim *sim, uint32_t slot, unsigned server, struct lb_bytes request) {
    struct sim_world *world = &sim->world;
    struct lb_endpoint from = {.addr = {.family = LB_V4}, .port = LB_DHCP4_CLIENT_PORT};
    uint8_t room[LB_DHCP4_PACKET_MAX];
    if (sim->plan.wrong == SIM_WRONG_DHCP || sim_happens(world, SIM_DHCP_SILENT))
        return;
    bool nak = sim->plan.wrong == SIM_WRONG_NAK || sim_happens(world, SIM_DHCP_NAK);
    if (nak && refuse(sim, slot, server, request))
        return;
    uint8_t made_up[300];
    struct lb_bytes *root_path = &sim->dhcp[server].config.root_path, truth = *root_path;
    if (sim_happens(world, SIM_DHCP_LIES))
        *root_path = sim_dhcp_lie(sim, made_up);
    struct lb_dhcp4_reply reply = lb_dhcp4_server_input(&sim->dhcp[server], world->now_us, from,
                                                        request, lb_span(room, sizeof room));
    *root_path = truth;
    if (reply.bytes.len == 0)
        return;
    note_lease(sim, server, reply.bytes);
    uint64_t delay_us = sim_between(world, 50, 3000);
    if (sim_happens(world, SIM_DHCP_SLOW))
        delay_us = sim_skewed(world, 100, 12000) * LB_US_MS;
    sim_link_reply(sim, slot, LB_KIND_DHCP4, delay_us, from_server(server), reply.bytes);
}

void sim_dhcp_input(struct sim *sim, uint32_t slot, struct lb_endpoint to, struct lb_bytes bytes) {
    bool is_for_all = lb_addr_equal(to.addr, lb_addr_v4(255, 255, 255, 255));
    for (unsigned i = 0; i < SIM_DHCP_SERVERS; i++)
        if (sim->has_dhcp[i] && (is_for_all || lb_addr_equal(to.addr, sim_dhcp_address(i))))
            answer(sim, slot, i, bytes);
}
