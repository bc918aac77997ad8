/* Who answers the client's datagrams and connections. A new service is a case in each of these, and
 * a file of its own. */
#include "hosts/sim/sim.h"

void sim_service_datagram(struct sim *sim, uint32_t slot, const struct sim_packet *packet,
                          struct lb_bytes bytes) {
    if (sim_gate_is_slot(slot)) {
        sim_gate_datagram(sim, slot, packet, bytes);
        return;
    }
    sim_rogue_datagram(sim, slot, packet, bytes);
    sim_impostor_datagram(sim, slot, packet, bytes);
    switch (packet->kind) {
    case LB_KIND_DHCP4:
        sim_dhcp_input(sim, slot, packet->to, bytes);
        return;
    case LB_KIND_DHCP6:
        sim_dhcp6_input(sim, slot, packet->from, bytes);
        return;
    case LB_KIND_ND6:
        sim_ipv6_solicited(sim, packet->from.addr, bytes);
        return;
    case LB_KIND_UDP:
        if (sim_names_has_slot(slot))
            sim_names_datagram(sim, slot, packet->to, bytes);
        else
            sim_slp_datagram(sim, slot, packet->to, bytes);
        return;
    }
}

enum sim_service sim_service_at(const struct sim *sim, struct lb_endpoint to, unsigned *portal) {
    for (unsigned i = 0; i < SIM_PORTALS; i++) {
        const struct sim_portal *portal_at = &sim->portals[i];
        struct lb_endpoint other = {.addr = portal_at->other, .port = portal_at->at.port};
        if (lb_endpoint_equal(portal_at->at, to) ||
            (lb_addr_is_set(other.addr) && lb_endpoint_equal(other, to))) {
            *portal = i;
            return SIM_AT_TARGETS;
        }
    }
    if (sim->plan.isns != SIM_ISNS_NONE && lb_endpoint_equal(to, sim_isns_at()))
        return SIM_AT_ISNS;
    return sim_slp_is_at(sim, to, portal) ? SIM_AT_AGENTS : SIM_AT_NOBODY;
}

bool sim_service_is_down(const struct sim *sim, const struct sim_conn *conn) {
    switch (conn->service) {
    case SIM_AT_TARGETS:
        return sim_targets_are_late(sim, SIM_LATE_REFUSES) ||
               sim->plan.wrong == SIM_WRONG_REFUSED || sim->portals[conn->portal].is_down;
    case SIM_AT_AGENTS:
    case SIM_AT_ISNS:
    case SIM_AT_NOBODY:
        break;
    }
    return false;
}

void sim_service_accept(struct sim *sim, unsigned conn) {
    switch (sim->conns[conn].service) {
    case SIM_AT_TARGETS:
        sim_targets_accept(sim, conn);
        return;
    case SIM_AT_AGENTS:
        sim_slp_accept(sim, conn);
        return;
    case SIM_AT_ISNS:
        sim_isns_accept(sim, conn);
        return;
    case SIM_AT_NOBODY:
        return;
    }
}

void sim_service_end(struct sim *sim, unsigned conn) {
    switch (sim->conns[conn].service) {
    case SIM_AT_TARGETS:
        sim_targets_end(sim, conn);
        return;
    case SIM_AT_AGENTS:
        sim_slp_end(sim, conn);
        return;
    case SIM_AT_ISNS:
        sim_isns_end(sim, conn);
        return;
    case SIM_AT_NOBODY:
        return;
    }
}

void sim_service_turn(struct sim *sim) {
    sim_targets_turn(sim);
    sim_slp_turn(sim);
    sim_isns_turn(sim);
    sim_gate_turn(sim);
}

uint64_t sim_service_next_us(const struct sim *sim) {
    return LB_MIN(LB_MIN(sim_targets_next_us(sim), sim_isns_next_us(sim)), sim_gate_next_us(sim));
}
