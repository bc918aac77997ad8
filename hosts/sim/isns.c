/* The iSNS server, where the plan has one: core/isns's server half behind connections. It knows the
 * target, another one that is not for us, and Discovery Domains that tell them apart. It may be
 * busy, late, silent, say things twice, break off, or lie. */
#include "hosts/sim/sim.h"
#include <string.h>

#define OTHER_TARGET "iqn.2026-11.org.elsewhere:disk"
#define LATE_MAX_MS  12000

struct lb_endpoint sim_isns_at(void) {
    return (struct lb_endpoint){.addr = lb_addr_v4(10, 0, 0, 20), .port = LB_ISNS_PORT};
}

/* ---- what it knows --------------------------------------------------------------------------- */

static uint32_t add_target(struct sim *sim, const char *id, const char *name) {
    struct lb_isns_server *server = &sim->isns.server;
    uint32_t entity = lb_isns_server_add_entity(server, id, LB_NEVER);
    lb_isns_server_add_node(server, entity, name, LB_ISNS_TARGET, "a \033[1mdisk");
    return entity;
}

static void add_portals(struct sim *sim, uint32_t entity) {
    struct lb_isns_server *server = &sim->isns.server;
    const struct sim_portal *portal = &sim->portals[0];
    struct lb_endpoint dead = {.addr = lb_addr_v4(10, 0, 0, 99), .port = 3260};
    struct lb_endpoint other = {.addr = portal->other, .port = portal->at.port};
    if (sim->plan.isns_dead_portal) {
        lb_isns_server_add_portal(server, entity, dead);
        sim_saw(&sim->world, SIM_ISNS_DEAD_PORTAL);
    }
    lb_isns_server_add_portal(server, entity, portal->at);
    if (lb_addr_is_set(other.addr))
        lb_isns_server_add_portal(server, entity, other);
}

static void add_domains(struct sim *sim) {
    struct lb_isns_server *server = &sim->isns.server;
    bool is_unknown = sim->plan.wrong == SIM_WRONG_ISNS_EMPTY;
    uint32_t boot = lb_isns_server_add_domain(server, 7, "boot", LB_ISNS_BOOT_LIST);
    uint32_t data = lb_isns_server_add_domain(server, 9, "data", 0);
    lb_isns_server_add_member(server, boot, is_unknown ? SIM_INITIATOR "9" : SIM_INITIATOR);
    lb_isns_server_add_member(server, boot, "iqn.2026-11.net.example:client2");
    lb_isns_server_add_member(server, boot, SIM_TARGET_NAME);
    lb_isns_server_add_member(server, data, SIM_INITIATOR);
    lb_isns_server_add_member(server, data, OTHER_TARGET);
}

void sim_isns_init(struct sim *sim) {
    struct sim_isns *isns = &sim->isns;
    struct sim_world *world = &sim->world;
    struct lb_isns_tables tables = {
        .entities = isns->entities,
        .nodes = isns->nodes,
        .portals = isns->portals,
        .domains = isns->domains,
        .members = isns->members,
        .entity_cap = SIM_ISNS_ROWS,
        .node_cap = SIM_ISNS_ROWS,
        .portal_cap = SIM_ISNS_ROWS,
        .domain_cap = SIM_ISNS_ROWS,
        .member_cap = SIM_ISNS_ROWS,
    };
    if (sim->plan.isns == SIM_ISNS_NONE)
        return;
    struct lb_isns_server_config config = {.knows_registered_only = sim_one_in(world, 3)};
    config.says_no_such_entry = sim_one_in(world, 2);
    config.period_s = sim_between(world, 60, 3600);
    config.pdu_max = sim_one_in(world, 2) ? 4 * (size_t)sim_between(world, 1, 60) : 0;
    lb_isns_server_init(&isns->server, &config, &tables);
    add_portals(sim, add_target(sim, "array", SIM_TARGET_NAME));
    add_target(sim, "elsewhere", OTHER_TARGET);
    add_domains(sim);
    sim_saw(world, sim->plan.isns == SIM_ISNS_BY_NAME ? SIM_ISNS_NAME : SIM_ISNS_LIST);
}

/* ---- what it says ---------------------------------------------------------------------------- */

/* Another portal than the true one, for this answer. */
static void lie_about_portal(struct sim *sim, struct lb_endpoint *truth) {
    static const uint8_t odd[][4] = {{127, 0, 0, 1},  {0, 0, 0, 0},   {224, 0, 0, 1},
                                     {10, 0, 0, 20},  {10, 0, 0, 99}, {255, 255, 255, 255},
                                     {10, 77, 77, 77}};
    *truth = sim->isns.portals[0].at;
    sim->isns.portals[0].at.addr =
        lb_addr_v4_bytes(odd[sim_below(&sim->world, (uint32_t)LB_COUNT(odd))]);
}

static void put_status(struct lb_span answer, uint8_t status) {
    if (answer.len >= LB_ISNS_HEADER_BYTES + 4)
        answer.p[LB_ISNS_HEADER_BYTES + 3] = status; /* in the first PDU, whatever follows */
}

/* Answers one request at the end of conn's output. */
static void answer(struct sim *sim, struct sim_isns_conn *conn, struct lb_bytes request) {
    struct sim_world *world = &sim->world;
    struct sim_isns *isns = &sim->isns;
    struct lb_endpoint truth = isns->portals[0].at;
    bool is_busy = sim_happens(world, SIM_ISNS_BUSY), lies = sim_happens(world, SIM_ISNS_LIES);
    bool is_wild = lies && sim_one_in(world, 2);
    if (sim->plan.wrong == SIM_WRONG_ISNS_SILENT || sim_happens(world, SIM_ISNS_SILENT))
        return;
    if (lies && !is_wild)
        lie_about_portal(sim, &truth);
    struct lb_span room = {conn->out + conn->out_len, sizeof conn->out - conn->out_len};
    struct lb_bytes said = lb_isns_server_input(&isns->server, world->now_us, request, room);
    struct lb_span made = {room.p, sim_impostor_isns(sim, room, said.len)};
    isns->portals[0].at = truth;
    if (is_busy)
        put_status(made, LB_ISNS_BUSY);
    if (sim->plan.wrong == SIM_WRONG_ISNS_REFUSES)
        put_status(made, LB_ISNS_SOURCE_UNAUTHORIZED);
    if (is_wild)
        sim_spoil(&sim->world, made, 6);
    if (sim_happens(world, SIM_ISNS_CUT) && said.len > 0) {
        made.len = sim_below(world, (uint32_t)said.len);
        conn->closes = true;
    }
    conn->out_len += made.len;
    if (!conn->closes && sim_happens(world, SIM_ISNS_TWICE) &&
        made.len <= sizeof conn->out - conn->out_len) {
        memcpy(conn->out + conn->out_len, made.p, made.len);
        conn->out_len += made.len;
    }
    if (sim_happens(world, SIM_ISNS_LATE))
        conn->late_until_us = world->now_us + sim_skewed(world, 1, LATE_MAX_MS) * LB_US_MS;
}

/* ---- connections ----------------------------------------------------------------------------- */

void sim_isns_accept(struct sim *sim, unsigned i) {
    sim->isns.conns[i] = (struct sim_isns_conn){0};
}

void sim_isns_end(struct sim *sim, unsigned i) {
    struct sim_conn *conn = &sim->conns[i];
    conn->has_server = false;
    conn->down.is_finished = !conn->is_severed;
    if (!conn->has_client)
        conn->state = SIM_CONN_FREE;
}

static bool pull(struct sim *sim, unsigned i) {
    struct sim_isns_conn *own = &sim->isns.conns[i];
    struct sim_conn *conn = &sim->conns[i];
    size_t ready = sim_pipe_readable(&conn->up, sim->world.now_us);
    size_t part = sim_part(conn, &sim->world, LB_MIN(ready, sizeof own->in - own->in_len));
    if (part == 0)
        return false;
    sim_pipe_read(&conn->up, own->in + own->in_len, part);
    own->in_len += part;
    for (;;) {
        size_t len = lb_isns_message_len(lb_bytes(own->in, own->in_len));
        if (len == SIZE_MAX) /* the client's bytes are never altered on the way here */
            sim_violation(&sim->world, "what was sent to the iSNS server is no iSNS");
        if (len == 0 || len == SIZE_MAX || own->closes)
            return true;
        answer(sim, own, lb_bytes(own->in, len));
        memmove(own->in, own->in + len, own->in_len - len);
        own->in_len -= len;
    }
}

static bool push(struct sim *sim, unsigned i) {
    struct sim_isns_conn *own = &sim->isns.conns[i];
    struct sim_conn *conn = &sim->conns[i];
    size_t left = own->out_len - own->out_at;
    if (own->late_until_us > sim->world.now_us)
        return false;
    size_t part = conn->has_client ? LB_MIN(left, sim_pipe_room(conn, &conn->down)) : left;
    if (part == 0)
        return false;
    bool cut = conn->has_client && sim_pipe_write(conn, &sim->world, &conn->down,
                                                  lb_bytes(own->out + own->out_at, part));
    own->out_at += part;
    if (own->out_at == own->out_len)
        own->out_at = own->out_len = 0;
    if (cut)
        sim_network_sever(sim, conn, conn->manner.tells[0], conn->manner.tells[1]);
    return true;
}

static bool is_open(const struct sim_conn *conn) {
    return conn->service == SIM_AT_ISNS && conn->state == SIM_CONN_OPEN && conn->has_server;
}

void sim_isns_turn(struct sim *sim) {
    for (unsigned i = 0; i < SIM_CONNS; i++) {
        struct sim_conn *conn = &sim->conns[i];
        if (!is_open(conn))
            continue;
        while (pull(sim, i) || push(sim, i))
            sim->moved++;
        bool is_over = sim_pipe_is_over(&conn->up) && !conn->is_severed;
        if (conn->has_server &&
            (is_over || (sim->isns.conns[i].closes && sim->isns.conns[i].out_len == 0)))
            sim_isns_end(sim, i);
    }
}

uint64_t sim_isns_next_us(const struct sim *sim) {
    uint64_t next_us = LB_NEVER;
    for (unsigned i = 0; i < SIM_CONNS; i++)
        if (is_open(&sim->conns[i]) && sim->isns.conns[i].late_until_us > sim->world.now_us)
            next_us = LB_MIN(next_us, sim->isns.conns[i].late_until_us);
    return next_us;
}
