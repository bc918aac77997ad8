/* The SLP agents of the segment: 0 knows the disk, as a directory agent or a service agent; 1 knows
 * other disks; 2 lies whenever it can. */
#include "hosts/sim/sim.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIES_MAX    8
#define REPEATS_MAX 30

struct lb_endpoint sim_slp_endpoint(enum lb_family family, unsigned agent) {
    uint8_t bytes[16] = {0xfd, [15] = (uint8_t)(0x31 + agent)};
    return (struct lb_endpoint){
        .addr =
            family == LB_V4 ? lb_addr_v4(10, 0, 0, (uint8_t)(31 + agent)) : lb_addr_v6_bytes(bytes),
        .port = LB_SLP_PORT,
    };
}

/* ---- what they know -------------------------------------------------------------------------- */

static void add(struct sim_agent *agent, const char *host, const char *target) {
    size_t i = agent->count++;
    snprintf(agent->text[i].url, sizeof agent->text[i].url, "service:iscsi:target://%s:3260/%s",
             host, target);
    snprintf(agent->text[i].attributes, sizeof agent->text[i].attributes,
             "(iscsi-name=%s),(portal-group=1)", target);
    agent->services[i] = (struct lb_slp_registration){
        .url = lb_bytes_of_text(agent->text[i].url),
        .type = lb_bytes_of_text("service:iscsi:target"),
        .scopes = lb_bytes_of_text("DEFAULT"),
        .attributes = lb_bytes_of_text(agent->text[i].attributes),
    };
}

/* The portals of our target: the true one may stand behind some that are dead. */
static void add_disk(struct sim *sim, struct sim_agent *agent, const char *host) {
    unsigned dead = sim->plan.is_clean ? 0 : sim_aside(&sim->world, 21) % 3;
    for (unsigned i = 0; i < dead; i++)
        add(agent, i ? "10.0.0.97" : "[fd00::97]", SIM_TARGET_NAME);
    add(agent, host, SIM_TARGET_NAME);
}

void sim_slp_init(struct sim *sim, const char *host) {
    if (!sim->plan.by_slp)
        return;
    sim_saw(&sim->world, sim->plan.slp_directory ? SIM_SLP_DIRECTORY : SIM_SLP_SERVICE);
    add_disk(sim, &sim->agents[0], host);
    for (unsigned i = 1; i < sim->plan.agents; i++) {
        add(&sim->agents[i], "10.0.0.96", "iqn.2026-11.net.example:other1");
        add(&sim->agents[i], "[fd00::96]", "iqn.2026-11.net.example:other2");
    }
    for (unsigned i = 0; i < sim->plan.agents; i++) {
        struct sim_agent *agent = &sim->agents[i];
        struct lb_slp_server_config config = {
            .is_directory = i == 0 && sim->plan.slp_directory,
            .boot_s = 1,
            .mtu = (uint16_t)(sim_aside(&sim->world, 22) % 2 ? 130 + sim->plan.agents : 0),
            .services = agent->services,
            .service_count = agent->count,
        };
        config.address = sim_slp_endpoint(LB_V4, i).addr;
        lb_slp_server_init(&agent->servers[0], &config, NULL, 0);
        config.address = sim_slp_endpoint(LB_V6, i).addr;
        lb_slp_server_init(&agent->servers[1], &config, NULL, 0);
    }
}

/* ---- lies ------------------------------------------------------------------------------------ */

/* A reply that says what nobody should believe, in the form of a true one. */
static struct lb_bytes made_up_reply(struct sim *sim, struct lb_bytes request,
                                     struct lb_span room) {
    static const char *const urls[LIES_MAX] = {
        "service:iscsi:target://127.0.0.1:3260/" SIM_TARGET_NAME,
        "service:iscsi:target://224.0.0.1:3260/" SIM_TARGET_NAME,
        "service:iscsi:target://[::ffff:10.0.0.10]:3260/" SIM_TARGET_NAME,
        "service:iscsi:target://10.0.0.10:3260/iqn.2026-11.net.example:\033[2J",
        "service:iscsi:target://10.0.0.95:3260/" SIM_TARGET_NAME,
        "service:iscsi:target://10.0.0.10:3260/" SIM_TARGET_NAME "/iqn.2026-11.net.example:you",
        "service:iscsi:sms://10.0.0.94",
        "http://10.0.0.10/",
    };
    struct sim_world *world = &sim->world;
    struct lb_slp_header header;
    struct lb_bytes body;
    const char *why;
    struct lb_wr wr = lb_wr(room);
    uint16_t count = (uint16_t)sim_between(world, 1, LIES_MAX);
    if (!lb_slp_decode(request, &header, &body, &why))
        return lb_bytes(NULL, 0);
    unsigned flags = sim_one_in(world, 4) ? LB_SLP_OVERFLOW : 0;
    lb_slp_begin(&wr, sim_one_in(world, 8) ? LB_SLP_DA_ADVERT : LB_SLP_SRV_RPLY, flags, header.xid,
                 lb_bytes_of_text("en"));
    lb_wr_u16(&wr, sim_one_in(world, 6) ? (uint16_t)sim_below(world, 17) : LB_SLP_OK);
    lb_wr_u16(&wr, sim_one_in(world, 6) ? UINT16_MAX : count);
    for (uint16_t i = 0; i < count; i++)
        lb_slp_put_entry(&wr, 300, lb_bytes_of_text(urls[sim_below(world, LIES_MAX)]));
    return lb_slp_finish(&wr);
}

/* ---- datagrams ------------------------------------------------------------------------------- */

/* An agent that is named among the previous responders answers all the same. */
static struct lb_bytes say_again(struct sim *sim, struct sim_agent *agent, struct lb_bytes request,
                                 struct lb_bytes reply) {
    struct lb_slp_header asked, said;
    struct lb_bytes body;
    const char *why;
    if (reply.len > 0) {
        memcpy(agent->said, reply.p, reply.len);
        agent->said_len = reply.len;
        return reply;
    }
    if (!lb_slp_decode(request, &asked, &body, &why) ||
        !lb_slp_decode(lb_bytes(agent->said, agent->said_len), &said, &body, &why) ||
        asked.xid != said.xid)
        return reply;
    sim_saw(&sim->world, SIM_SLP_REPEATED);
    return lb_bytes(agent->said, agent->said_len);
}

static void answer(struct sim *sim, uint32_t slot, unsigned number, struct lb_endpoint to,
                   struct lb_bytes request) {
    struct sim_world *world = &sim->world;
    enum lb_family family = to.addr.family;
    struct lb_slp_server *server = &sim->agents[number].servers[family == LB_V6];
    uint8_t room[LB_SLP_MTU];
    if (sim_happens(world, SIM_SLP_SILENT))
        return;
    struct lb_bytes reply = lb_slp_server_input(
        server, world->now_us, request, lb_addr_is_multicast(to.addr), lb_span(room, sizeof room));
    if (sim->plan.has_impostor && lb_addr_is_multicast(to.addr))
        reply = say_again(sim, &sim->agents[number], request, reply);
    bool lies = number > 0 && sim_happens(world, SIM_SLP_LIES);
    if (lies)
        reply = made_up_reply(sim, request, lb_span(room, sizeof room));
    uint64_t delay_us = sim_between(world, 50, 3000);
    if (sim_happens(world, SIM_SLP_SLOW))
        delay_us = sim_skewed(world, 100, 12000) * LB_US_MS;
    unsigned copies = lies && sim_one_in(world, 4) ? sim_between(world, 2, REPEATS_MAX) : 1;
    for (; copies > 0 && reply.len > 0; copies--)
        sim_link_reply(sim, slot, LB_KIND_UDP, delay_us, sim_slp_endpoint(family, number), reply);
}

/* Whether the client is on the network, as far as this family goes. */
static bool is_connected(const struct sim *sim, enum lb_family family) {
    const struct sim_plan *plan = &sim->plan;
    if (plan->uses_network)
        return true;
    if (family == LB_V6)
        return plan->net6 && sim->address_set && sim->net.addr6_count > 0;
    return plan->net4 && sim->address_set && lb_addr_is_set(sim->net.address.addr);
}

void sim_slp_datagram(struct sim *sim, uint32_t slot, struct lb_endpoint to,
                      struct lb_bytes bytes) {
    if (!sim->plan.by_slp || !is_connected(sim, to.addr.family))
        return;
    sim_impostor_slp(sim, slot, to.addr.family, bytes);
    for (unsigned i = 0; i < sim->plan.agents; i++)
        if (lb_addr_is_multicast(to.addr) ||
            lb_endpoint_equal(to, sim_slp_endpoint(to.addr.family, i)))
            answer(sim, slot, i, to, bytes);
}

/* ---- rounds: RFC 2608 6.3 -------------------------------------------------------------------- */

/* Directory agents make multicasts rest and begin anew; lies and damage may be anything. */
static bool has_diary(const struct sim *sim) {
    const uint16_t *chance = sim->world.chance;
    return sim->plan.by_slp && !sim->plan.slp_directory && !sim->plan.slp_option &&
           chance[SIM_SLP_LIES] + chance[SIM_CORRUPTED] + chance[SIM_TRUNCATED] == 0;
}

static struct sim_cast *find_cast(struct sim *sim, enum lb_family family, uint16_t xid) {
    for (size_t i = 0; i < sim->cast_count; i++)
        if (sim->casts[i].xid == xid && sim->casts[i].family == family &&
            sim->casts[i].attempt == sim->boot.attempts.begun)
            return &sim->casts[i];
    return NULL;
}

void sim_slp_heard(struct sim *sim, struct lb_endpoint from, struct lb_bytes bytes) {
    struct lb_slp_header header;
    struct lb_bytes body;
    const char *why;
    unsigned agent = 0;
    if (!has_diary(sim) || !lb_slp_decode(bytes, &header, &body, &why) ||
        header.function != LB_SLP_SRV_RPLY)
        return;
    struct sim_cast *cast = find_cast(sim, from.addr.family, header.xid);
    while (agent < SIM_AGENTS &&
           !lb_endpoint_equal(from, sim_slp_endpoint(from.addr.family, agent)))
        agent++;
    struct lb_rd rd = lb_rd(body);
    bool is_answer = lb_rd_u16(&rd) == LB_SLP_OK && lb_rd_u16(&rd) > 0;
    if (cast == NULL || agent == SIM_AGENTS || !is_answer)
        return;
    cast->is_new |= !(cast->heard & 1U << agent);
    cast->heard |= 1U << agent;
}

static bool is_named(enum lb_family family, unsigned agent, struct lb_bytes responders) {
    struct lb_addr_text name = lb_addr_text(sim_slp_endpoint(family, agent).addr);
    struct lb_bytes one;
    while (lb_list_next(&responders, ',', &one))
        if (lb_text_is(one, name.s))
            return true;
    return false;
}

/* The list holds addresses of IPv4 alone. */
static void check_round(struct sim *sim, const struct sim_cast *cast,
                        const struct lb_slp_request *request) {
    if (cast->heard != 0 && !cast->is_new)
        sim_violation(&sim->world, "round %u of SLP, though the one before brought nobody new",
                      cast->rounds + 1);
    for (unsigned i = 0; i < SIM_AGENTS && cast->family == LB_V4; i++)
        if (cast->heard & 1U << i && !is_named(cast->family, i, request->responders))
            sim_violation(&sim->world, "SLP agent %u has answered, and is not named", i);
}

static void check_cast(struct sim *sim, const struct lb_boot_action *action) {
    struct lb_slp_header header;
    struct lb_slp_request request;
    struct lb_bytes body;
    const char *why;
    if (!has_diary(sim) || !lb_slp_decode(action->bytes, &header, &body, &why) ||
        header.function != LB_SLP_SRV_RQST || !lb_slp_decode_request(body, &request))
        return;
    struct sim_cast *cast = find_cast(sim, action->to.addr.family, header.xid);
    if (cast == NULL && sim->cast_count < SIM_CASTS) {
        cast = &sim->casts[sim->cast_count++];
        *cast = (struct sim_cast){.xid = header.xid,
                                  .family = action->to.addr.family,
                                  .attempt = sim->boot.attempts.begun};
    }
    if (cast == NULL)
        return;
    check_round(sim, cast, &request);
    cast->rounds++;
    cast->is_new = false;
}

/* What the engine may send there: to the groups of SLP, and to agents. */
void sim_slp_check(struct sim *sim, const struct lb_boot_action *action) {
    bool is_group = lb_addr_is_multicast(action->to.addr);
    struct lb_addr all = lb_addr_v4(239, 255, 255, 253);
    if (is_group)
        check_cast(sim, action);
    if (action->to.port != LB_SLP_PORT)
        sim_violation(&sim->world, "a datagram to port %u", (unsigned)action->to.port);
    if (!is_group && !lb_addr_is_host(action->to.addr))
        sim_violation(&sim->world, "a datagram to %s", lb_endpoint_text(action->to).s);
    if (is_group && action->to.addr.family == LB_V4 && !lb_addr_equal(action->to.addr, all))
        sim_violation(&sim->world, "a datagram to %s", lb_endpoint_text(action->to).s);
}

/* ---- connections ----------------------------------------------------------------------------- */

bool sim_slp_is_at(const struct sim *sim, struct lb_endpoint to, unsigned *agent) {
    for (unsigned i = 0; sim->plan.by_slp && i < sim->plan.agents; i++) {
        if (lb_endpoint_equal(to, sim_slp_endpoint(to.addr.family, i))) {
            *agent = 2 * i + (to.addr.family == LB_V6);
            return true;
        }
    }
    return false;
}

static bool is_open(const struct sim_conn *conn) {
    return conn->service == SIM_AT_AGENTS && conn->state == SIM_CONN_OPEN && conn->has_server;
}

void sim_slp_accept(struct sim *sim, unsigned conn) {
    if (sim->agent_ends[conn] == NULL)
        sim->agent_ends[conn] = malloc(sizeof *sim->agent_ends[conn]);
    if (sim->agent_ends[conn] == NULL)
        abort();
    sim_saw(&sim->world, SIM_SLP_TCP);
    lb_slp_connection_init(sim->agent_ends[conn]);
}

void sim_slp_end(struct sim *sim, unsigned i) {
    struct sim_conn *conn = &sim->conns[i];
    sim_say(&sim->world, "agent", "connection %u ends", conn->number);
    conn->has_server = false;
    conn->down.is_finished = !conn->is_severed;
    if (!conn->has_client)
        conn->state = SIM_CONN_FREE;
}

static bool pull(struct sim *sim, unsigned i) {
    struct sim_conn *conn = &sim->conns[i];
    struct lb_span room = lb_slp_connection_where(sim->agent_ends[i]);
    size_t ready = sim_pipe_readable(&conn->up, sim->world.now_us);
    size_t part = sim_part(conn, &sim->world, LB_MIN(ready, room.len));
    if (part == 0)
        return false;
    sim_pipe_read(&conn->up, room.p, part);
    lb_slp_connection_got(sim->agent_ends[i], part);
    return true;
}

static bool push(struct sim *sim, unsigned i) {
    struct sim_conn *conn = &sim->conns[i];
    struct lb_slp_server *server = &sim->agents[conn->portal / 2].servers[conn->portal % 2];
    struct lb_bytes piece = lb_slp_connection_gather(sim->agent_ends[i], sim->world.now_us, server);
    size_t part = piece.len; /* to nobody */
    bool cut = false;
    if (conn->has_client) {
        size_t room = sim_pipe_room(conn, &conn->down);
        part = sim_part(conn, &sim->world, LB_MIN(piece.len, room));
    }
    if (part > 0 && conn->has_client)
        cut = sim_pipe_write(conn, &sim->world, &conn->down, lb_bytes(piece.p, part));
    lb_slp_connection_sent(sim->agent_ends[i], part);
    if (cut)
        sim_network_sever(sim, conn, conn->manner.tells[0], conn->manner.tells[1]);
    return part > 0;
}

void sim_slp_turn(struct sim *sim) {
    for (unsigned i = 0; i < SIM_CONNS; i++) {
        struct sim_conn *conn = &sim->conns[i];
        bool moved = is_open(conn);
        while (moved && is_open(conn)) {
            moved = pull(sim, i);
            moved = push(sim, i) || moved;
            sim->moved += moved;
        }
        bool is_over = is_open(conn) && (sim->agent_ends[i]->is_over ||
                                         (sim_pipe_is_over(&conn->up) && !conn->is_severed));
        if (is_over)
            sim_slp_end(sim, i);
    }
}

void sim_slp_free(struct sim *sim) {
    for (unsigned i = 0; i < SIM_CONNS; i++)
        free(sim->agent_ends[i]);
}
