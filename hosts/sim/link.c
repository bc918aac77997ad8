/* The client's side of the wire: datagrams, ARP, and the link itself. */
#include "hosts/sim/sim.h"

#define ALL_SERVERS ((1U << SIM_DHCP_SERVERS) - 1)

/* ---- damage ------------------------------------------------------------------------------------
 */

static struct lb_bytes damage(struct sim *sim, struct lb_bytes bytes, uint8_t room[1600]) {
    size_t len = LB_MIN(bytes.len, 1600);
    memcpy(room, bytes.p, len);
    if (len > 0 && sim_happens(&sim->world, SIM_CORRUPTED))
        for (uint32_t flips = sim_between(&sim->world, 1, 6); flips > 0; flips--)
            room[sim_below(&sim->world, (uint32_t)len)] = (uint8_t)sim_random(&sim->world);
    if (len > 0 && sim_happens(&sim->world, SIM_TRUNCATED))
        len = sim_below(&sim->world, (uint32_t)len);
    return lb_bytes(room, len);
}

static void carry(struct sim *sim, uint64_t delay_us, enum sim_what what, uint32_t to,
                  struct lb_bytes bytes) {
    struct sim_world *world = &sim->world;
    uint8_t room[1600];
    unsigned copies = sim_happens(world, SIM_DUPLICATED) ? 2 : 1;
    if (!sim->link_up || sim_happens(world, SIM_LOST))
        return;
    for (; copies > 0; copies--) {
        uint64_t at_us = world->now_us + delay_us + sim_between(world, 20, 500);
        if (sim_happens(world, SIM_REORDERED))
            at_us += sim_between(world, 1, 20) * LB_US_MS;
        if (sim_happens(world, SIM_DELAYED))
            at_us += sim_skewed(world, 10, 9000) * LB_US_MS;
        sim_at(world, at_us, what, to, 0, damage(sim, bytes, room));
    }
}

/* ---- to and from the servers -------------------------------------------------------------------
 */

void sim_link_send(struct sim *sim, const struct lb_boot_action *action) {
    uint32_t servers = ALL_SERVERS;
    if (!sim->dhcp_open)
        sim_violation(&sim->world, "a datagram on a slot that is not open");
    if (action->to.port != LB_DHCP4_SERVER_PORT)
        sim_violation(&sim->world, "a datagram to port %u", (unsigned)action->to.port);
    for (unsigned i = 0; i < SIM_DHCP_SERVERS; i++)
        if (lb_addr_equal(action->to.addr, sim_dhcp_address(i)))
            servers = 1U << i;
    bool broadcast = lb_addr_equal(action->to.addr, lb_addr_v4(255, 255, 255, 255));
    sim_say(&sim->world, "link", "%zu bytes to %s", action->bytes.len,
            lb_endpoint_text(action->to).s);
    if (servers == ALL_SERVERS && !broadcast)
        return;                                      /* nobody lives there */
    if (!broadcast && !lb_addr_is_set(sim->address)) /* set, or being set */
        sim_violation(&sim->world, "a unicast datagram without an address");
    carry(sim, 0, SIM_TO_SERVERS, servers, action->bytes);
}

void sim_link_reply(struct sim *sim, unsigned server, uint64_t delay_us, struct lb_bytes bytes) {
    carry(sim, delay_us, SIM_TO_CLIENT, server, bytes);
}

/* ---- ARP ---------------------------------------------------------------------------------------
 */

void sim_link_probe(struct sim *sim, struct lb_addr addr) {
    bool conflict = sim_happens(&sim->world, SIM_CONFLICT);
    sim->probe = addr;
    sim_say(&sim->world, "link", "who has %s?%s", lb_addr_text(addr).s,
            conflict ? " somebody" : "");
    sim_after(&sim->world, sim_between(&sim->world, 1, conflict ? 200 : 2000) * LB_US_MS,
              SIM_PROBED, conflict, 0);
}

/* ---- the link ----------------------------------------------------------------------------------
 */

void sim_link_bring_up(struct sim *sim) {
    struct sim_world *world = &sim->world;
    uint64_t delay_us = sim_between(world, 1, 3000);
    if (sim->plan.wrong == SIM_WRONG_LINK)
        return;
    if (sim_happens(world, SIM_LINK_LATE))
        delay_us = sim_skewed(world, 100, 40000) * LB_US_MS;
    sim_after(world, delay_us, SIM_LINK, true, 0);
}

void sim_link_event(struct sim *sim, const struct sim_event *event) {
    uint64_t now_us = sim->world.now_us;
    struct lb_endpoint from = {.port = LB_DHCP4_SERVER_PORT};
    switch ((unsigned)event->what) {
    case SIM_TO_SERVERS:
        sim_dhcp_input(sim, event->a, lb_bytes(event->data, event->len));
        return;
    case SIM_TO_CLIENT:
        from.addr = sim_dhcp_address(event->a);
        sim_say(&sim->world, "link", "%zu bytes from %s", event->len, lb_endpoint_text(from).s);
        if (sim->dhcp_open && sim->link_up)
            lb_boot_datagram(&sim->boot, now_us, 0, from, lb_bytes(event->data, event->len));
        return;
    case SIM_PROBED:
        lb_boot_probed(&sim->boot, now_us, sim->probe, event->a);
        return;
    case SIM_LINK:
        sim->link_up = event->a;
        sim_say(&sim->world, "link", "%s", sim->link_up ? "up" : "down");
        lb_boot_link(&sim->boot, now_us, sim->link_up);
        return;
    default:
        return;
    }
}
