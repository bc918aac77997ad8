/* The client's side of the wire: datagrams, probes, and the link itself. */
#include "hosts/sim/sim.h"

#define DATAGRAM_MAX 1600

/* ---- damage ---------------------------------------------------------------------------------- */

static struct lb_bytes damage(struct sim *sim, struct lb_bytes bytes, uint8_t *room) {
    size_t len = LB_MIN(bytes.len, DATAGRAM_MAX);
    memcpy(room, bytes.p, len);
    if (len > 0 && sim_happens(&sim->world, SIM_CORRUPTED))
        sim_spoil(&sim->world, lb_span(room, len), 6);
    if (len > 0 && sim_happens(&sim->world, SIM_TRUNCATED))
        len = sim_below(&sim->world, (uint32_t)len);
    return lb_bytes(room, len);
}

/* The datagram arrives as its packet with its bytes behind it. */
static void carry(struct sim *sim, uint64_t delay_us, enum sim_what what, uint32_t slot,
                  const struct sim_packet *packet, struct lb_bytes bytes) {
    struct sim_world *world = &sim->world;
    uint8_t room[sizeof *packet + DATAGRAM_MAX];
    unsigned copies = sim_happens(world, SIM_DUPLICATED) ? 2 : 1;
    if (!sim->link_up || sim_happens(world, SIM_LOST))
        return;
    for (; copies > 0; copies--) {
        uint64_t at_us = world->now_us + delay_us + sim_between(world, 20, 500);
        if (sim_happens(world, SIM_REORDERED))
            at_us += sim_between(world, 1, 20) * LB_US_MS;
        if (sim_happens(world, SIM_DELAYED))
            at_us += sim_skewed(world, 10, 9000) * LB_US_MS;
        memcpy(room, packet, sizeof *packet);
        size_t len = damage(sim, bytes, room + sizeof *packet).len;
        sim_at(world, at_us, what, slot, 0, lb_bytes(room, sizeof *packet + len));
    }
}

void sim_link_send(struct sim *sim, uint32_t slot, const struct sim_packet *packet,
                   struct lb_bytes bytes) {
    sim_say(&sim->world, "link", "%zu bytes to %s", bytes.len, lb_endpoint_text(packet->to).s);
    carry(sim, 0, SIM_TO_SERVERS, slot, packet, bytes);
}

void sim_link_reply(struct sim *sim, uint32_t slot, enum lb_boot_kind kind, uint64_t delay_us,
                    struct lb_endpoint from, struct lb_bytes bytes) {
    struct sim_packet packet = {.kind = kind, .from = from};
    carry(sim, delay_us, SIM_TO_CLIENT, slot, &packet, bytes);
}

/* From somebody who is nearer than all others, whom no fault befalls. */
void sim_link_reply_at_once(struct sim *sim, uint32_t slot, enum lb_boot_kind kind,
                            struct lb_endpoint from, struct lb_bytes bytes) {
    struct sim_packet packet = {.kind = kind, .from = from};
    uint8_t room[sizeof packet + DATAGRAM_MAX];
    size_t len = LB_MIN(bytes.len, DATAGRAM_MAX);
    memcpy(room, &packet, sizeof packet);
    memcpy(room + sizeof packet, bytes.p, len);
    sim_at(&sim->world, sim->world.now_us + sim_other_between(&sim->world, 5, 15), SIM_TO_CLIENT,
           slot, 0, lb_bytes(room, sizeof packet + len));
}

static void to_client(struct sim *sim, uint32_t slot, const struct sim_packet *packet,
                      struct lb_bytes bytes) {
    const struct sim_slot *to = &sim->slots[slot];
    sim_say(&sim->world, "link", "%zu bytes from %s", bytes.len, lb_endpoint_text(packet->from).s);
    if (sim->pump.slots[slot] != LB_PUMP_DATAGRAM || to->kind != packet->kind || !sim->link_up)
        return;
    if (sim_gate_is_slot(slot))
        sim_gate_heard(sim, slot, packet, bytes);
    else if (packet->kind == LB_KIND_UDP && !sim_names_has_slot(slot))
        sim_slp_heard(sim, packet->from, bytes);
    lb_boot_datagram(&sim->boot, sim->world.now_us, slot, packet->from, bytes);
}

/* ---- who has this address? ------------------------------------------------------------------- */

/* The answer comes as SIM_PROBED. */
void lb_host_probe(struct lb_host *host, uint64_t now_us, const struct lb_boot_action *action) {
    struct sim *sim = sim_of(host);
    struct lb_addr addr = action->probe;
    bool conflict = sim_happens(&sim->world, SIM_CONFLICT);
    sim->probes++;
    sim_say(&sim->world, "link", "who has %s?%s", lb_addr_text(addr).s,
            conflict ? " somebody" : "");
    uint64_t wait_us = sim_between(&sim->world, 1, conflict ? 200 : 2000) * LB_US_MS;
    sim_at(&sim->world, now_us + wait_us, SIM_PROBED, conflict, 0, lb_bytes(&addr, sizeof addr));
}

/* ---- the link -------------------------------------------------------------------------------- */

/* The link comes up after a while, which may be long, or never. */
void lb_host_link(struct lb_host *host, uint64_t now_us) {
    struct sim *sim = sim_of(host);
    struct sim_world *world = &sim->world;
    (void)now_us;
    uint64_t delay_us = sim_between(world, 1, 3000);
    if (sim->plan.wrong == SIM_WRONG_LINK)
        return;
    if (sim_happens(world, SIM_LINK_LATE))
        delay_us = sim_skewed(world, 100, 40000) * LB_US_MS;
    sim_after(world, delay_us, SIM_LINK, true, 0);
}

static void probed(struct sim *sim, const struct sim_event *event) {
    struct lb_addr addr;
    memcpy(&addr, event->data, sizeof addr);
    sim->probes--;
    if (addr.family == LB_V6)
        sim_ipv6_probed(sim, addr, event->a);
    lb_boot_probed(&sim->boot, sim->world.now_us, addr, event->a);
}

void sim_link_event(struct sim *sim, const struct sim_event *event) {
    struct sim_packet packet;
    struct lb_bytes bytes = lb_bytes_after(lb_bytes(event->data, event->len), sizeof packet);
    switch ((unsigned)event->what) {
    case SIM_TO_SERVERS:
        memcpy(&packet, event->data, sizeof packet);
        sim_service_datagram(sim, event->a, &packet, bytes);
        return;
    case SIM_TO_CLIENT:
        memcpy(&packet, event->data, sizeof packet);
        to_client(sim, event->a, &packet, bytes);
        return;
    case SIM_PROBED:
        probed(sim, event);
        return;
    case SIM_LINK:
        sim->link_up = event->a;
        sim_say(&sim->world, "link", "%s", sim->link_up ? "up" : "down");
        lb_boot_link(&sim->boot, sim->world.now_us, sim->link_up);
        return;
    default:
        return;
    }
}
