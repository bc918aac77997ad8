/* The engine's slots: what it may do with them, and what not. */
#include "hosts/sim/sim.h"

void sim_slot_check(struct sim *sim, const struct lb_boot_action *action) {
    uint32_t slot = action->slot;
    if (action->event == LB_BOOT_OPEN && sim->pump.slots[slot] != LB_PUMP_FREE)
        sim_violation(&sim->world, "OPEN of slot %u, which is open", slot);
    if (action->event == LB_BOOT_CONNECT && sim->pump.slots[slot] != LB_PUMP_FREE)
        sim_violation(&sim->world, "CONNECT on slot %u, which is open", slot);
    if (action->event == LB_BOOT_SEND && sim->pump.slots[slot] != LB_PUMP_DATAGRAM)
        sim_violation(&sim->world, "a datagram on slot %u, which is not open", slot);
}

bool lb_host_open(struct lb_host *host, uint64_t now_us, const struct lb_boot_action *action) {
    struct sim *sim = sim_of(host);
    (void)now_us;
    sim->slots[action->slot] =
        (struct sim_slot){.kind = action->kind, .from = action->from, .conn = -1};
    return true;
}

void lb_host_close(struct lb_host *host, uint32_t slot) {
    struct sim *sim = sim_of(host);
    if (sim->pump.slots[slot] >= LB_PUMP_CONNECTING)
        sim_network_close(sim, slot);
}

bool sim_slots_are_closed(const struct sim *sim) {
    for (size_t i = 0; i < LB_BOOT_SLOTS_MAX; i++)
        if (sim->pump.slots[i] != LB_PUMP_FREE)
            return false;
    return true;
}

/* ---- datagrams ------------------------------------------------------------------------------- */

/* A renewal is by unicast, and so is a release. While the other family is waited for, the lease is
 * not on the interface yet: then nobody can answer, and the server is asked by broadcast later
 * on. */
static bool is_from_nowhere(struct sim *sim, const struct lb_boot_action *action) {
    bool broadcast = lb_addr_equal(action->to.addr, lb_addr_v4(255, 255, 255, 255));
    if (broadcast || lb_addr_is_set(sim->net.address.addr)) /* set, or being set */
        return false;
    if (sim->boot.state != LB_AT_DHCP && sim->boot.state != LB_AT_CLOSING)
        sim_violation(&sim->world, "a unicast datagram without an address");
    return true;
}

static void check_dhcp4(struct sim *sim, const struct lb_boot_action *action) {
    bool broadcast = lb_addr_equal(action->to.addr, lb_addr_v4(255, 255, 255, 255));
    if (action->to.port != LB_DHCP4_SERVER_PORT)
        sim_violation(&sim->world, "a datagram to port %u", (unsigned)action->to.port);
    if (!broadcast && !lb_addr_is_host(action->to.addr))
        sim_violation(&sim->world, "a datagram to %s", lb_endpoint_text(action->to).s);
}

void lb_host_send(struct lb_host *host, const struct lb_boot_action *action) {
    struct sim *sim = sim_of(host);
    const struct sim_slot *slot = &sim->slots[action->slot];
    struct sim_packet packet = {.kind = slot->kind, .from = action->from, .to = action->to};
    if (sim->pump.slots[action->slot] != LB_PUMP_DATAGRAM)
        return;
    if (slot->kind == LB_KIND_DHCP4)
        check_dhcp4(sim, action);
    sim_tunnel_check_datagram(sim, action);
    if (slot->kind == LB_KIND_UDP && !sim_names_has_slot(action->slot) &&
        !sim_gate_is_slot(action->slot))
        sim_slp_check(sim, action);
    if (slot->kind == LB_KIND_DHCP6 && !sim_ipv6_has_link_local(sim) && !sim->plan.uses_network)
        sim_violation(&sim->world, "DHCPv6 before there is a link-local address");
    if (slot->kind != LB_KIND_DHCP4 || !is_from_nowhere(sim, action))
        sim_link_send(sim, action->slot, &packet, action->bytes);
}
