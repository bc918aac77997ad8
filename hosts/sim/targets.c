/* The iSCSI targets: two portals before one disk, and what befalls them. */
#include "hosts/sim/sim.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POLLS_MAX   100000 /* of one end at one instant */
#define FULL_US     (100 * LB_US_MS)
#define TICK_MS_MAX 3000

/* ---- as they are ----------------------------------------------------------------------------- */

static void set_secret(struct lb_target_account *account, const char *name, const char *secret) {
    snprintf(account->name, sizeof account->name, "%s", name);
    account->secret_len = strlen(secret);
    memcpy(account->secret, secret, account->secret_len);
}

static void init_lun(struct sim *sim, struct lb_scsi_unit *lun) {
    struct sim_world *world = &sim->world;
    *lun = (struct lb_scsi_unit){
        .blocks = sim->disk.blocks,
        .block_bytes = sim->disk.block_bytes,
        .naa = UINT64_C(0x6001405000000001),
    };
    lun->no_capacity_16 = sim_one_in(world, 8);
    lun->max_transfer_blocks = sim_one_in(world, 3) ? sim_between(world, 1, 64) : 0;
    lun->is_busy = sim->plan.wrong == SIM_WRONG_BUSY;
    switch ((unsigned)sim->plan.wrong) {
    case SIM_WRONG_LUN_NOT_DISK:
        lun->type = 5;
        break;
    case SIM_WRONG_NO_MEDIUM:
        lun->state = LB_SCSI_UNIT_NO_MEDIUM;
        break;
    case SIM_WRONG_NOT_READY:
        lun->state = LB_SCSI_UNIT_BECOMING_READY;
        break;
    default:
        break;
    }
}

static void init_node(struct sim *sim, unsigned portal) {
    struct sim_world *world = &sim->world;
    const struct sim_plan *plan = &sim->plan;
    struct lb_target *node = &sim->portals[portal].node;
    snprintf(node->name, sizeof node->name, "%s", SIM_TARGET_NAME);
    node->initiators = sim->initiators;
    node->initiator_count = 1;
    node->accounts = &sim->account;
    node->account_count = plan->chap;
    if (plan->mutual)
        set_secret(&node->own, "target", sim->secrets[1]);
    if (plan->wrong == SIM_WRONG_CHAP_METHOD)
        lb_chap_parse_algs(lb_bytes_of_text("sha256"), &node->chap_algs);
    bool digests = plan->wrong != SIM_WRONG_REQUIRE_DIGEST;
    node->header_digest = node->data_digest = digests ? LB_DIGEST_PREFER : LB_DIGEST_NONE;
    node->window = sim_one_in(world, 2) ? sim_between(world, 1, LB_TARGET_WINDOW_MAX) : 0;
    node->max_recv_data = sim_one_in(world, 3) ? sim_between(world, 1, 64) * 512 : 0;
    node->max_burst = sim_one_in(world, 3) ? sim_between(world, 1, 128) * 512 : 0;
    node->first_burst = sim_one_in(world, 3) ? sim_between(world, 1, 64) * 512 : 0;
    node->refuse_immediate = sim_one_in(world, 3);
    node->insist_r2t = sim_one_in(world, 3);
    node->attention_at_start = sim_one_in(world, 2);
    sim->portals[portal].faults.silent = plan->silent;
    node->faults = &sim->portals[portal].faults;
    if (plan->silent != 0)
        sim_saw(world, SIM_SILENT_COMMAND);
    if (sim_aside(world, 41) % 4 == 0)
        node->time2wait_s = (uint16_t)(1 + sim_aside(world, 42) % 5);
    if (plan->wrong == SIM_WRONG_TARGET_REMOVED)
        node->login_status = LB_LOGIN_REMOVED;
    if (plan->wrong == SIM_WRONG_LOGIN_BUSY)
        node->login_status = LB_LOGIN_UNAVAILABLE;
    init_lun(sim, &sim->portals[portal].lun);
    node->luns[0] = &sim->portals[portal].lun;
}

static void redirect_to(struct sim *sim, unsigned from, unsigned to) {
    struct lb_target *node = &sim->portals[from].node;
    node->login_status =
        (uint16_t)(sim->plan.redirect ? sim->plan.redirect : LB_LOGIN_MOVED_TEMPORARILY);
    snprintf(node->redirect, sizeof node->redirect, "%s", lb_endpoint_text(sim->portals[to].at).s);
    sim_saw(&sim->world, SIM_REDIRECTED);
}

static void init_redirects(struct sim *sim) {
    switch ((unsigned)sim->plan.wrong) {
    case SIM_WRONG_REDIRECT_LOOP:
        redirect_to(sim, 0, 0);
        return;
    case SIM_WRONG_REDIRECT_PAIR:
        redirect_to(sim, 0, 1);
        redirect_to(sim, 1, 0);
        return;
    case SIM_WRONG_REDIRECT_FORBIDDEN:
        redirect_to(sim, 0, 1);
        return;
    case SIM_WRONG_REDIRECT_INVALID:
        redirect_to(sim, 0, 1);
        snprintf(sim->portals[0].node.redirect, sizeof sim->portals[0].node.redirect, "%s",
                 sim_one_in(&sim->world, 2) ? "10.0.0.11:99999" : "no host!");
        return;
    default:
        if (sim->plan.redirect)
            redirect_to(sim, 0, 1);
    }
}

/* ---- late ones ------------------------------------------------------------------------------- */

bool sim_targets_are_late(const struct sim *sim, enum sim_late how) {
    return sim->plan.late == how && sim->world.now_us < sim->plan.late_until_us;
}

/* As they are before they are there, and from then on. */
static void set_late(struct sim *sim, bool is_there) {
    for (unsigned i = 0; i < SIM_PORTALS; i++) {
        struct lb_target *node = &sim->portals[i].node;
        if (sim->plan.late == SIM_LATE_NAME)
            snprintf(node->name, sizeof node->name, "%s",
                     is_there ? SIM_TARGET_NAME : "iqn.2026-11.net.example:other");
        else if (sim->plan.late == SIM_LATE_LUN)
            node->luns[0] = is_there ? &sim->portals[i].lun : NULL;
        else if (sim->plan.late == SIM_LATE_READY)
            sim->portals[i].lun.state = is_there ? LB_SCSI_UNIT_READY : LB_SCSI_UNIT_BECOMING_READY;
    }
}

static void begin_late(struct sim *sim) {
    if (sim->plan.late == SIM_LATE_NOT)
        return;
    sim_saw(&sim->world, SIM_TARGET_LATE);
    set_late(sim, false);
    sim_at(&sim->world, sim->plan.late_until_us, SIM_THERE, 0, 0, (struct lb_bytes){NULL, 0});
}

/* ---- all of them ----------------------------------------------------------------------------- */

static void give_addresses(struct sim *sim, unsigned number) {
    uint8_t bytes[16] = {0xfd, [15] = (uint8_t)(0x10 + number)};
    struct lb_addr v6 = lb_addr_v6_bytes(bytes), v4 = lb_addr_v4(10, 0, 0, (uint8_t)(10 + number));
    struct sim_portal *portal = &sim->portals[number];
    portal->at.port = LB_ISCSI_PORT;
    portal->at.addr = sim->plan.uses_v6 ? v6 : v4;
    if (sim->plan.net4 && sim->plan.net6 && sim->plan.uses_name)
        portal->other = sim->plan.uses_v6 ? v4 : v6;
}

void sim_targets_init(struct sim *sim) {
    uint8_t seed[LB_RAND_SEED_BYTES];
    for (size_t i = 0; i < sizeof seed; i++)
        seed[i] = (uint8_t)sim_random(&sim->world);
    lb_rand_init(&sim->target_rand, seed);
    set_secret(&sim->account, "client", sim->secrets[0]);
    sim->initiators[0] = SIM_INITIATOR;
    for (unsigned i = 0; i < SIM_PORTALS; i++) {
        struct sim_portal *portal = &sim->portals[i];
        give_addresses(sim, i);
        portal->is_silent = sim->plan.wrong == SIM_WRONG_SILENT;
        init_node(sim, i);
        portal->server =
            (struct lb_target_server){.nodes = &portal->node,
                                      .node_count = 1,
                                      .io_max = sim_one_in(&sim->world, 3) ? 65536 : 0};
    }
    init_redirects(sim);
    begin_late(sim);
}

/* ---- ends of connections --------------------------------------------------------------------- */

/* A connection of ours. */
static bool is_open(const struct sim_conn *conn) {
    return conn->service == SIM_AT_TARGETS && conn->state == SIM_CONN_OPEN && conn->has_server;
}

void sim_targets_accept(struct sim *sim, unsigned conn) {
    struct sim_portal *portal = &sim->portals[sim->conns[conn].portal];
    if (sim->ends[conn] == NULL)
        sim->ends[conn] = malloc(sizeof *sim->ends[conn]);
    if (sim->end_rooms[conn] == NULL)
        sim->end_rooms[conn] = malloc(sizeof *sim->end_rooms[conn]);
    if (sim->ends[conn] == NULL || sim->end_rooms[conn] == NULL)
        abort();
    lb_target_conn_init(sim->ends[conn], sim->world.now_us, &portal->server, portal->at,
                        &sim->target_rand, NULL);
    sim->is_hung = false;
    sim_swap_accepted(sim, conn);
}

void sim_targets_end(struct sim *sim, unsigned i) {
    struct sim_conn *conn = &sim->conns[i];
    sim_say(&sim->world, "target", "connection %u ends: %s", conn->number,
            lb_target_reason(sim->ends[i]));
    sim_check_reason(sim, lb_target_reason(sim->ends[i]));
    sim_storage_end(sim, i);
    lb_target_conn_end(sim->ends[i]);
    conn->has_server = false;
    conn->down.is_finished = !conn->is_severed;
    if (!conn->has_client)
        conn->state = SIM_CONN_FREE;
}

static void alter(struct sim *sim, unsigned i, struct lb_span span) {
    const struct lb_target_conn *end = sim->ends[i];
    struct sim_world *world = &sim->world;
    bool digests = end->phase == LB_TARGET_FULL_FEATURE && end->stream.header_digest &&
                   end->stream.data_digest;
    if (span.len == 0)
        return;
    if (digests && sim_happens(world, SIM_FLIPPED))
        sim_flip(world, span);
    if (sim_happens(world, SIM_HOSTILE_INITIATOR))
        sim_spoil(world, span, 8);
}

static void lend(struct sim *sim, unsigned i, enum lb_target_role role) {
    lb_target_rooms_lend(sim->end_rooms[i], sim->ends[i], sim->world.now_us, role);
}

static bool pull(struct sim *sim, unsigned i) {
    struct sim_conn *conn = &sim->conns[i];
    struct lb_span spans[2];
    size_t ready = sim_pipe_readable(&conn->up, sim->world.now_us);
    if (ready > 0)
        lend(sim, i, LB_TARGET_STAGING);
    size_t count = ready > 0 ? lb_target_where(sim->ends[i], spans) : 0;
    size_t room = 0, done = 0;
    for (size_t k = 0; k < count; k++)
        room += spans[k].len;
    size_t part = sim_part(conn, &sim->world, LB_MIN(ready, room));
    if (part == 0)
        return false;
    for (size_t k = 0; k < count && done < part; k++) {
        size_t len = LB_MIN(spans[k].len, part - done);
        sim_pipe_read(&conn->up, spans[k].p, len);
        alter(sim, i, lb_span(spans[k].p, len));
        done += len;
    }
    lb_target_got(sim->ends[i], sim->world.now_us, part);
    sim->moved++;
    return true;
}

static bool push(struct sim *sim, unsigned i) {
    struct sim_conn *conn = &sim->conns[i];
    struct lb_bytes piece;
    size_t room = sim_pipe_room(conn, &conn->down);
    if (room == 0 || lb_target_gather(sim->ends[i], &piece, 1) == 0)
        return false;
    size_t part = piece.len; /* to nobody */
    if (conn->has_client)
        part = sim_part(conn, &sim->world, LB_MIN(piece.len, room));
    bool cut = false;
    if (conn->has_client)
        cut = sim_pipe_write(conn, &sim->world, &conn->down, lb_bytes(piece.p, part));
    lb_target_sent(sim->ends[i], sim->world.now_us, part);
    sim->moved++;
    if (cut)
        sim_network_sever(sim, conn, conn->manner.tells[0], conn->manner.tells[1]);
    return part > 0;
}

/* All that one end can do now. Gives when it wants to be polled again. */
static uint64_t turn(struct sim *sim, unsigned i) {
    for (unsigned polls = 0; polls < POLLS_MAX; polls++) {
        struct lb_target_action action = lb_target_poll(sim->ends[i], sim->world.now_us);
        switch (action.event) {
        case LB_TARGET_LEND:
            lend(sim, i, action.role);
            break;
        case LB_TARGET_WHO:
            sim_violation(&sim->world, "a target asks who logs in, and has a table of its own");
            return LB_NEVER;
        case LB_TARGET_IO:
            sim_storage_ask(sim, i, action.io);
            break;
        case LB_TARGET_SEND:
            if (!push(sim, i) && !pull(sim, i))
                return sim->world.now_us + FULL_US;
            break;
        case LB_TARGET_CLOSE:
            sim_targets_end(sim, i);
            return LB_NEVER;
        case LB_TARGET_WAIT:
            if (!pull(sim, i))
                return action.until_us;
            break;
        }
    }
    sim_violation(&sim->world, "a target's end wants to be polled without end");
    return LB_NEVER;
}

static bool is_silent(const struct sim *sim, unsigned portal) {
    const struct sim_portal *p = &sim->portals[portal];
    return p->is_silent || sim->world.now_us < p->silent_until_us;
}

void sim_targets_turn(struct sim *sim) {
    sim_storage_turn(sim);
    for (unsigned i = 0; i < SIM_CONNS; i++) {
        struct sim_conn *conn = &sim->conns[i];
        if (!is_open(conn))
            continue;
        if (is_silent(sim, conn->portal)) {
            conn->server_until_us = sim->portals[conn->portal].silent_until_us;
            continue;
        }
        conn->server_until_us = turn(sim, i);
        (void)lb_target_rooms_take_back(sim->ends[i]);
        if (conn->has_server && sim_pipe_is_over(&conn->up) && !conn->is_severed)
            sim_targets_end(sim, i);
    }
}

uint64_t sim_targets_next_us(const struct sim *sim) {
    uint64_t next_us = LB_NEVER;
    for (unsigned i = 0; i < SIM_CONNS; i++) {
        const struct sim_conn *conn = &sim->conns[i];
        if (is_open(conn) && conn->server_until_us > sim->world.now_us)
            next_us = LB_MIN(next_us, conn->server_until_us);
    }
    return next_us;
}

/* ---- what befalls them ----------------------------------------------------------------------- */

static int find_session(struct sim *sim) {
    uint32_t first = sim_below(&sim->world, SIM_CONNS);
    for (uint32_t k = 0; k < SIM_CONNS; k++) {
        uint32_t i = (first + k) % SIM_CONNS;
        if (is_open(&sim->conns[i]) && lb_target_is_full_feature(sim->ends[i]))
            return (int)i;
    }
    return -1;
}

/* The process is gone, with all its connections; what they had sent may still arrive. */
static void kill_ends(struct sim *sim, unsigned portal) {
    for (unsigned i = 0; i < SIM_CONNS; i++) {
        struct sim_conn *conn = &sim->conns[i];
        if (!is_open(conn) || conn->portal != portal)
            continue;
        bool tells = !sim_happens(&sim->world, SIM_HALF_OPEN);
        sim_targets_end(sim, i);
        conn->down.is_finished = false;
        if (conn->has_client)
            sim_network_sever(sim, conn, tells, false);
    }
}

static void restart(struct sim *sim) {
    if (sim->portals[0].is_down)
        return;
    for (unsigned i = 0; i < SIM_PORTALS; i++) {
        kill_ends(sim, i);
        sim->portals[i].is_down = true;
        sim->portals[i].node.attention_at_start = true;
        sim_swap_maybe(sim, i, 3);
        sim_after(&sim->world, sim_skewed(&sim->world, 1, 20000) * LB_US_MS, SIM_UP_AGAIN, i, 0);
    }
    sim_disk_power_cut(&sim->disk);
}

static void move(struct sim *sim) {
    unsigned from = sim->portals[0].node.login_status == LB_LOGIN_OK ? 0 : 1;
    if (sim->plan.wrong != SIM_WRONG_NONE)
        return;
    kill_ends(sim, from);
    sim_swap_maybe(sim, 1 - from, 2);
    sim->portals[1 - from].node.login_status = LB_LOGIN_OK;
    redirect_to(sim, from, 1 - from);
}

static void attention(struct sim *sim) {
    static const uint8_t causes[][2] = {{0x29, 0x03}, {0x2a, 0x01}, {0x3f, 0x0e}, {0x2a, 0x09}};
    const uint8_t *cause = causes[sim_below(&sim->world, LB_COUNT(causes))];
    for (unsigned i = 0; i < SIM_PORTALS; i++) {
        lb_target_attention(&sim->portals[i].server, &sim->portals[i].node, 0, cause[0], cause[1]);
        sim_swap_maybe(sim, i, 6);
    }
}

static void drop(struct sim *sim, unsigned conn) {
    lb_target_drop(sim->ends[conn]);
    sim_swap_maybe(sim, sim->conns[conn].portal, 3);
}

static void trouble_session(struct sim *sim) {
    struct sim_world *world = &sim->world;
    int i = find_session(sim);
    if (i < 0)
        return;
    struct lb_target_conn *end = sim->ends[i];
    if (sim_happens(world, SIM_DROPPED))
        drop(sim, (unsigned)i);
    else if (sim_happens(world, SIM_LOGOUT_ASKED))
        lb_target_ask_logout(end, world->now_us, (uint16_t)sim_below(world, 10));
    else if (sim_happens(world, SIM_PINGED))
        lb_target_ping(end, world->now_us);
}

static void toggle_node(struct sim *sim) {
    struct sim_world *world = &sim->world;
    bool busy = sim_happens(world, SIM_LOGIN_BUSY), unready = sim_happens(world, SIM_NOT_READY);
    for (unsigned i = 0; i < SIM_PORTALS; i++) {
        struct lb_target *node = &sim->portals[i].node;
        if (node->login_status == LB_LOGIN_OK && busy)
            node->login_status =
                sim_one_in(world, 2) ? LB_LOGIN_UNAVAILABLE : LB_LOGIN_NO_RESOURCES;
        else if (node->login_status >= LB_LOGIN_UNAVAILABLE &&
                 sim->plan.wrong != SIM_WRONG_LOGIN_BUSY)
            node->login_status = LB_LOGIN_OK;
        if (sim->plan.wrong == SIM_WRONG_NONE && !sim_targets_are_late(sim, SIM_LATE_READY))
            sim->portals[i].lun.state = !unready               ? LB_SCSI_UNIT_READY
                                        : sim_one_in(world, 2) ? LB_SCSI_UNIT_BECOMING_READY
                                                               : LB_SCSI_UNIT_STOPPED;
    }
}

static void trouble_link(struct sim *sim) {
    struct sim_world *world = &sim->world;
    bool can = sim->link_up && !sim->plan.uses_network;
    if (!can || !sim_happens(world, SIM_LINK_DOWN))
        return;
    uint64_t up_us = world->now_us + sim_skewed(world, 10, 10000) * LB_US_MS;
    world->dark_until_us = up_us;
    sim_after(world, 0, SIM_LINK, false, 0);
    sim_at(world, up_us, SIM_LINK, true, 0, (struct lb_bytes){NULL, 0});
}

static bool has_session(const struct sim *sim) {
    for (unsigned i = 0; i < SIM_CONNS; i++)
        if (is_open(&sim->conns[i]) && lb_target_is_full_feature(sim->ends[i]))
            return true;
    return false;
}

/* Until it is reset, or a new session begins. */
static void hang_lun(struct sim *sim) {
    if (sim->is_hung || !has_session(sim) || !sim_other_happens(&sim->world, SIM_LUN_HUNG))
        return;
    sim->is_hung = true;
    sim->hung_resets = sim->witness.resets;
}

/* The machine runs something else, or sleeps: the session is not polled, and what comes lies there.
 * A probe is waited for: an engine that hears nothing of it for seconds takes the address. */
static void leave_host(struct sim *sim) {
    struct sim_world *world = &sim->world;
    bool can =
        sim->is_ready && !sim->stop_told && sim->probes == 0 && world->now_us >= sim->away_until_us;
    if (!can || !sim_other_happens(world, SIM_HOST_AWAY))
        return;
    sim->away_until_us = world->now_us + sim_other_between(world, 100, 45000) * LB_US_MS;
    sim_at(world, sim->away_until_us, SIM_WORK, 0, 0, (struct lb_bytes){NULL, 0});
}

void sim_targets_tick(struct sim *sim) {
    struct sim_world *world = &sim->world;
    trouble_link(sim);
    toggle_node(sim);
    trouble_session(sim);
    if (sim_happens(world, SIM_ATTENTION))
        attention(sim);
    if (sim_happens(world, SIM_TARGET_SILENT)) {
        uint64_t until_us = world->now_us + sim_skewed(world, 10, 60000) * LB_US_MS;
        sim->portals[sim_below(world, SIM_PORTALS)].silent_until_us = until_us;
        sim_at(world, until_us, SIM_WORK, 0, 0, (struct lb_bytes){NULL, 0});
    }
    if (sim_happens(world, SIM_RESTARTED))
        restart(sim);
    if (sim_happens(world, SIM_MOVED))
        move(sim);
    hang_lun(sim);
    leave_host(sim);
    if (!sim_is_calm(world))
        sim_after(world, sim_skewed(world, 1, TICK_MS_MAX) * LB_US_MS, SIM_TICK, 0, 0);
}

void sim_targets_calm(struct sim *sim) {
    sim->is_hung = false;
    toggle_node(sim);
    for (unsigned i = 0; i < SIM_PORTALS; i++)
        sim->portals[i].silent_until_us = 0;
}

void sim_targets_event(struct sim *sim, const struct sim_event *event) {
    if (event->what == SIM_UP_AGAIN)
        sim->portals[event->a].is_down = false;
    else if (event->what == SIM_THERE)
        set_late(sim, true);
    else if (event->what == SIM_RESTART)
        restart(sim);
    else if (event->what == SIM_TICK)
        sim_targets_tick(sim);
}

void sim_targets_free(struct sim *sim) {
    for (unsigned i = 0; i < SIM_CONNS; i++) {
        if (is_open(&sim->conns[i]))
            sim_targets_end(sim, i);
        free(sim->ends[i]);
        free(sim->end_rooms[i]);
        sim_conn_free(&sim->conns[i]);
    }
}
