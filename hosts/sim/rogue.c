/* Servers of DHCP and DHCPv6 that answer in all form, before the good ones, and name a disk that
 * cannot be had: the Root Path is malformed, leads nowhere, or is off the lists of the
 * administrator. They are passed over, and the good answer boots. */
#include "hosts/sim/sim.h"

#define NOWHERE_MAX 8

static struct lb_endpoint address(enum lb_family family) {
    uint8_t bytes[16] = {0xfe, 0x80, [15] = 0x67};
    return (struct lb_endpoint){
        .addr = family == LB_V4 ? lb_addr_v4(10, 0, 0, 67) : lb_addr_v6_bytes(bytes),
        .port = family == LB_V4 ? LB_DHCP4_SERVER_PORT : LB_DHCP6_SERVER_PORT,
    };
}

/* What nobody can boot from, whatever the configuration. */
static const char *unusable(struct sim *sim, enum lb_family family) {
    static const char *const paths[2][NOWHERE_MAX] = {
        {
            "iscsi:",
            "iscsi:10.0.0.10:17:::" SIM_TARGET_NAME,
            "iscsi:10.0.0.10::65536::" SIM_TARGET_NAME,
            "iscsi:10.0.0.10::::disk",
            "iscsi:10.0.0.10:::0x1:" SIM_TARGET_NAME,
            "iscsi:127.0.0.1::::" SIM_TARGET_NAME,
            "iscsi:224.0.0.1::::" SIM_TARGET_NAME,
            "iscsi:0.0.0.0::::" SIM_TARGET_NAME,
        },
        {
            "iscsi:",
            "iscsi:[fd00::10]:17:::" SIM_TARGET_NAME,
            "iscsi:[fd00::10]::65536::" SIM_TARGET_NAME,
            "iscsi:[fd00::10]::::disk",
            "iscsi:[fd00::10::::" SIM_TARGET_NAME,
            "iscsi:[::1]::::" SIM_TARGET_NAME,
            "iscsi:[ff02::1]::::" SIM_TARGET_NAME,
            "iscsi:[::]::::" SIM_TARGET_NAME,
        },
    };
    return paths[family == LB_V6][sim_other_below(&sim->world, NOWHERE_MAX)];
}

static struct lb_bytes root_path(struct sim *sim, enum lb_family family) {
    const struct sim_plan *plan = &sim->plan;
    uint32_t kind = sim_other_below(&sim->world, 3);
    if (kind == 0 && plan->has_allow_server)
        return lb_bytes_of_text(family == LB_V4 ? "iscsi:10.77.0.1::::" SIM_TARGET_NAME
                                                : "iscsi:[2001:db8::1]::::" SIM_TARGET_NAME);
    if (kind == 1 && plan->has_allow_target)
        return lb_bytes_of_text(family == LB_V4
                                    ? "iscsi:10.0.0.10::::iqn.2001-04.org.elsewhere:disk"
                                    : "iscsi:[fd00::10]::::iqn.2001-04.org.elsewhere:disk");
    return lb_bytes_of_text(unusable(sim, family));
}

static void init4(struct sim *sim) {
    struct lb_dhcp4_server_config config = {
        .server = address(LB_V4).addr,
        .network = {.addr = lb_addr_v4(10, 0, 0, 0), .len = 24},
        .first = lb_addr_v4(10, 0, 0, 240),
        .last = lb_addr_v4(10, 0, 0, 249),
        .router = lb_addr_v4(10, 0, 0, 1),
        .root_path = root_path(sim, LB_V4),
    };
    lb_dhcp4_server_init(&sim->rogue.dhcp, &config, sim->rogue.bindings, SIM_ROGUE_BINDINGS);
}

static void init6(struct sim *sim) {
    static const uint8_t mac[6] = {2, 0, 0x5e, 0, 6, 7};
    uint8_t first[16] = {0xfd, [15] = 240}, last[16] = {0xfd, [15] = 249};
    struct lb_dhcp6_server_config config = {
        .duid = lb_duid_ll(mac),
        .network = {.addr = lb_addr_v6_bytes(first), .len = 64},
        .first = lb_addr_v6_bytes(first),
        .last = lb_addr_v6_bytes(last),
        .stateless = sim->plan.routers > 0 && !sim->plan.managed,
        .root_path = root_path(sim, LB_V6),
    };
    lb_dhcp6_server_init(&sim->rogue.dhcp6, &config, sim->rogue.bindings6, SIM_ROGUE_BINDINGS);
}

void sim_rogue_init(struct sim *sim) {
    if (!sim->plan.has_rogue)
        return;
    init4(sim);
    init6(sim);
}

static void dhcp4(struct sim *sim, uint32_t slot, struct lb_bytes request) {
    struct lb_endpoint client = {.addr = {.family = LB_V4}, .port = LB_DHCP4_CLIENT_PORT};
    uint8_t room[LB_DHCP4_PACKET_MAX];
    struct lb_dhcp4_reply reply = lb_dhcp4_server_input(&sim->rogue.dhcp, sim->world.now_us, client,
                                                        request, lb_span(room, sizeof room));
    if (reply.bytes.len == 0)
        return;
    sim_saw(&sim->world, SIM_ROGUE_DHCP);
    sim_link_reply_at_once(sim, slot, LB_KIND_DHCP4, address(LB_V4), reply.bytes);
}

static void dhcp6(struct sim *sim, uint32_t slot, struct lb_endpoint client,
                  struct lb_bytes request) {
    uint8_t room[LB_DHCP6_PACKET_MAX];
    struct lb_bytes reply = lb_dhcp6_server_input(&sim->rogue.dhcp6, sim->world.now_us, client,
                                                  request, lb_span(room, sizeof room))
                                .bytes;
    if (reply.len == 0)
        return;
    sim_saw(&sim->world, SIM_ROGUE_DHCP6);
    sim_link_reply_at_once(sim, slot, LB_KIND_DHCP6, address(LB_V6), reply);
}

void sim_rogue_datagram(struct sim *sim, uint32_t slot, const struct sim_packet *packet,
                        struct lb_bytes bytes) {
    if (!sim->plan.has_rogue)
        return;
    bool is_heard = lb_addr_equal(packet->to.addr, lb_addr_v4(255, 255, 255, 255)) ||
                    lb_addr_equal(packet->to.addr, address(LB_V4).addr);
    if (packet->kind == LB_KIND_DHCP4 && sim->plan.root4 && is_heard)
        dhcp4(sim, slot, bytes);
    else if (packet->kind == LB_KIND_DHCP6 && sim->plan.root6)
        dhcp6(sim, slot, packet->from, bytes);
}
