/* The connections between the engine and the targets. */
#include "hosts/sim/sim.h"
#include <stdio.h>
#include <string.h>

#define GREETINGS_MAX 60 /* of a connection that nobody answers */

/* ---- connections ----------------------------------------------------------------------------- */

static int find_conn(const struct sim *sim, uint32_t number) {
    for (int i = 0; i < SIM_CONNS; i++)
        if (sim->conns[i].state != SIM_CONN_FREE && sim->conns[i].number == number)
            return i;
    return -1;
}

static int free_conn(const struct sim *sim) {
    for (int i = 0; i < SIM_CONNS; i++)
        if (sim->conns[i].state == SIM_CONN_FREE)
            return i;
    return -1;
}

enum { WORKS = 0, NEVER = 100 };

static bool has_way(const struct sim *sim, struct lb_addr to) {
    if (to.family == LB_V6)
        return sim_ipv6_reaches(sim, to);
    return sim->address_set && lb_addr_is_set(sim->net.address.addr);
}

/* How an attempt to connect goes: works, 1 + enum lb_initiator_lost, or never an answer. */
static unsigned fate(struct sim *sim, const struct sim_conn *conn, struct lb_addr to) {
    struct sim_world *world = &sim->world;
    bool has_address = sim->plan.uses_network || sim->plan.is_probe || has_way(sim, to);
    if (conn->service == SIM_AT_NOBODY)
        return NEVER;
    if (!has_address || sim->plan.wrong == SIM_WRONG_UNREACHABLE ||
        sim_happens(world, SIM_UNREACHABLE))
        return 1 + LB_LOST_UNREACHABLE;
    if (sim->plan.wrong == SIM_WRONG_BLACKHOLE || sim_happens(world, SIM_BLACKHOLE))
        return NEVER;
    if (sim_service_is_down(sim, conn) || sim_happens(world, SIM_REFUSED))
        return 1 + LB_LOST_REFUSED;
    return WORKS;
}

static uint64_t connect_us(struct sim *sim, unsigned ends) {
    struct sim_world *world = &sim->world;
    uint64_t delay_us = sim_between(world, 50, 3000);
    if (sim_happens(world, SIM_CONNECT_SLOW))
        delay_us = sim_skewed(world, 10, 8000) * LB_US_MS;
    return ends == NEVER ? sim_between(world, 20, 130) * LB_US_SEC : delay_us;
}

/* The outcome comes as SIM_CONNECTED. */
void lb_host_connect(struct lb_host *host, uint64_t now_us, const struct lb_boot_action *action) {
    struct sim *sim = sim_of(host);
    struct sim_world *world = &sim->world;
    struct lb_endpoint to = action->to;
    uint32_t slot = action->slot;
    int i = free_conn(sim);
    sim_say(world, "network", "connection %u to %s", sim->conn_numbers + 1, lb_endpoint_text(to).s);
    (void)now_us;
    if (!lb_addr_is_host(to.addr))
        sim_violation(world, "CONNECT to %s, on the network's word", lb_endpoint_text(to).s);
    sim_impostor_check_connect(sim, to.addr);
    sim->slots[slot] = (struct sim_slot){.conn = i};
    if (i < 0)
        return; /* all are half open: as if nobody answered */
    struct sim_conn *conn = &sim->conns[i];
    sim_conn_open(conn, world, ++sim->conn_numbers);
    conn->slot = slot;
    sim_tunnel_connect(sim, conn, action);
    if (slot == LB_BOOT_SLOT_SESSION)
        sim_witness_connect(sim, conn->number);
    conn->service = sim_service_at(sim, to, &conn->portal);
    unsigned ends = fate(sim, conn, to.addr);
    sim_after(world, connect_us(sim, ends), SIM_CONNECTED, conn->number,
              ends == NEVER ? 1 + LB_LOST_TIMEOUT : ends);
}

static void release(struct sim_conn *conn) {
    if (!conn->has_client && !conn->has_server)
        conn->state = SIM_CONN_FREE;
}

static void client_loses(struct sim *sim, int i, enum lb_initiator_lost why) {
    sim->conns[i].has_client = false;
    release(&sim->conns[i]);
    struct sim_slot *slot = &sim->slots[sim->conns[i].slot];
    if (sim->pump.slots[sim->conns[i].slot] < LB_PUMP_CONNECTING || slot->conn != i)
        return;
    slot->conn = -1;
    sim->witness.wire.is_told |= sim->witness.wire.number == sim->conns[i].number;
    sim_say(&sim->world, "network", "connection %u is lost to the client", sim->conns[i].number);
    lb_pump_lost(&sim->pump, sim->world.now_us, sim->conns[i].slot, why);
}

static void connected(struct sim *sim, uint32_t number, uint32_t ends) {
    int i = find_conn(sim, number);
    if (i < 0)
        return;
    struct sim_conn *conn = &sim->conns[i];
    if (ends == WORKS && conn->has_client && conn->is_protected && !sim_tunnel_greets(sim, conn)) {
        /* its first packets are sent again; in the end the client gives up, or this does */
        bool is_over = conn->lost[0] + conn->lost[1] > GREETINGS_MAX;
        sim_after(&sim->world, LB_US_SEC, SIM_CONNECTED, number,
                  is_over ? 1 + LB_LOST_TIMEOUT : WORKS);
        return;
    }
    if (ends != WORKS || !conn->has_client) {
        conn->has_server = false;
        client_loses(sim, i, ends == WORKS ? LB_LOST_CLOSED : (enum lb_initiator_lost)(ends - 1));
        return;
    }
    conn->state = SIM_CONN_OPEN;
    sim_service_accept(sim, (unsigned)i);
    if (conn->slot == LB_BOOT_SLOT_SESSION)
        sim_witness_connected(sim);
    lb_pump_connected(&sim->pump, sim->world.now_us, conn->slot);
}

void sim_network_close(struct sim *sim, uint32_t slot) {
    int i = sim->slots[slot].conn;
    sim->slots[slot].conn = -1;
    if (i < 0)
        return;
    struct sim_conn *conn = &sim->conns[i];
    conn->has_client = false;
    conn->up.is_finished = true;
    sim_say(&sim->world, "network", "connection %u is closed by the client", conn->number);
    /* With unread bytes the kernel sends a reset: what is on its way is lost. */
    if (conn->state == SIM_CONN_OPEN && !conn->is_severed && sim_one_in(&sim->world, 3))
        sim_network_sever(sim, conn, false, true);
    release(conn);
}

void sim_network_sever(struct sim *sim, struct sim_conn *conn, bool tells_client,
                       bool tells_server) {
    struct sim_world *world = &sim->world;
    conn->is_severed = conn->up.is_cut = conn->down.is_cut = true;
    sim_say(world, "network", "connection %u is cut; told: %s%s", conn->number,
            tells_client ? "client " : "", tells_server ? "server" : "");
    if (tells_client)
        sim_after(world, sim_skewed(world, 0, 200000), SIM_SEVERED, conn->number, 0);
    if (tells_server)
        sim_after(world, sim_skewed(world, 0, 200000), SIM_SEVERED, conn->number, 1);
}

static void severed(struct sim *sim, uint32_t number, uint32_t end) {
    int i = find_conn(sim, number);
    if (i < 0)
        return;
    if (end == 0 && sim->conns[i].has_client)
        client_loses(sim, i, LB_LOST_CLOSED);
    else if (end == 1 && sim->conns[i].has_server)
        sim_service_end(sim, (unsigned)i);
}

void sim_network_event(struct sim *sim, const struct sim_event *event) {
    switch ((unsigned)event->what) {
    case SIM_CONNECTED:
        connected(sim, event->a, event->b);
        return;
    case SIM_SEVERED:
        severed(sim, event->a, event->b);
        return;
    default:
        return;
    }
}

/* ---- bytes ----------------------------------------------------------------------------------- */

/* A world with an enemy on the wire has no witness. */
static bool is_witnessed(const struct sim *sim, const struct sim_conn *conn) {
    return conn->number == sim->witness.wire.number && !sim->plan.is_hostile;
}

/* Under both digests each damaged byte must be found out. */
static void alter(struct sim *sim, const struct sim_conn *conn, struct lb_span span) {
    const struct lb_initiator *session = &sim->boot.path.session;
    struct sim_world *world = &sim->world;
    bool digests = conn->slot == LB_BOOT_SLOT_SESSION &&
                   session->state == LB_INITIATOR_FULL_FEATURE && session->stream.header_digest &&
                   session->stream.data_digest;
    if (span.len == 0)
        return;
    if (digests && sim_happens(world, SIM_FLIPPED)) {
        sim_flip(world, span);
        sim->witness.wire.is_spoiled = true;
        sim->witness.wire.forged = NULL; /* it may not be read any more */
    }
    if (!sim_happens(world, SIM_HOSTILE_TARGET))
        return;
    for (uint32_t n = sim_between(world, 1, 8); n > 0; n--) {
        static const uint8_t odd[] = {0, 1, 0x7f, 0x80, 0xff};
        uint8_t *at = &span.p[sim_below(world, (uint32_t)span.len)];
        *at = sim_one_in(world, 2) ? odd[sim_below(world, LB_COUNT(odd))]
                                   : (uint8_t)sim_random(world);
    }
}

size_t lb_host_read(struct lb_host *host, uint64_t now_us, uint32_t slot,
                    const struct lb_span *spans, size_t count) {
    struct sim *sim = sim_of(host);
    struct sim_conn *conn = &sim->conns[sim->slots[slot].conn];
    size_t ready = sim_pipe_readable(&conn->down, now_us), room = 0, done = 0;
    if (is_witnessed(sim, conn))
        ready = sim_forger_passes(sim, conn, ready);
    for (size_t i = 0; i < count; i++) {
        sim_check_where(sim, spans[i]);
        room += spans[i].len;
    }
    size_t part = sim_part(conn, &sim->world, LB_MIN(ready, room));
    if (conn->is_protected)
        part = sim_tunnel_down(sim, conn, part);
    for (size_t i = 0; i < count && done < part; i++) {
        size_t len = LB_MIN(spans[i].len, part - done);
        sim_pipe_read(&conn->down, spans[i].p, len);
        alter(sim, conn, lb_span(spans[i].p, len));
        if (is_witnessed(sim, conn))
            sim_witness_heard(sim, lb_bytes(spans[i].p, len));
        done += len;
    }
    sim->moved += done > 0;
    return done;
}

/* Whether bytes found no room to be sent. */
static void hold(struct sim *sim, const struct sim_conn *conn, bool is_held) {
    struct sim_wire *wire = &sim->witness.wire;
    if (is_witnessed(sim, conn))
        wire->is_held = is_held;
    if (is_held)
        wire->held_us = sim->world.now_us;
}

static size_t check_pieces(struct sim *sim, const struct sim_conn *conn,
                           const struct lb_bytes *pieces, size_t count) {
    size_t total = 0;
    for (size_t i = 0; i < count; i++) {
        sim_check_gather(sim, pieces[i]);
        if (conn->slot != LB_BOOT_SLOT_SESSION || lb_initiator_is_in_login(&sim->boot.path.session))
            sim_check_sent(sim, pieces[i]);
        total += pieces[i].len;
    }
    return total;
}

size_t lb_host_write(struct lb_host *host, uint64_t now_us, uint32_t slot,
                     const struct lb_bytes *pieces, size_t count) {
    struct sim *sim = sim_of(host);
    struct sim_conn *conn = &sim->conns[sim->slots[slot].conn];
    size_t room = sim_pipe_room(conn, &conn->up), done = 0;
    (void)now_us;
    hold(sim, conn, room == 0);
    if (room == 0)
        return 0;
    size_t total = check_pieces(sim, conn, pieces, count);
    size_t part = sim_part(conn, &sim->world, LB_MIN(total, room));
    bool cut = false;
    if (conn->is_protected)
        part = sim_tunnel_up(sim, conn, pieces, count, part);
    hold(sim, conn, part < total);
    for (size_t i = 0; i < count && done < part && !cut; i++) {
        size_t len = LB_MIN(pieces[i].len, part - done);
        if (sim_pipe_room(conn, &conn->up) < len)
            break;
        if (is_witnessed(sim, conn))
            sim_witness_said(sim, lb_bytes(pieces[i].p, len));
        cut = sim_pipe_write(conn, &sim->world, &conn->up, lb_bytes(pieces[i].p, len));
        done += len;
    }
    if (cut)
        sim_network_sever(sim, conn, conn->manner.tells[0], conn->manner.tells[1]);
    sim->moved += done > 0;
    return done;
}

/* Tells the engine of connections that have ended; all that came before was read. */
static bool tell_ends(struct sim *sim) {
    bool any = false;
    for (uint32_t slot = 0; slot < LB_BOOT_SLOTS_MAX; slot++) {
        if (sim->pump.slots[slot] != LB_PUMP_STREAM)
            continue;
        struct sim_conn *conn = &sim->conns[sim->slots[slot].conn];
        sim_forger_check(sim, conn);
        if (!sim_pipe_is_over(&conn->down))
            continue;
        client_loses(sim, sim->slots[slot].conn, LB_LOST_CLOSED);
        any = true;
    }
    return any;
}

bool sim_network_read(struct sim *sim) {
    bool any = tell_ends(sim);
    return lb_pump_read(&sim->pump, sim->world.now_us) || any;
}
