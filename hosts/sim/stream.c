#include "hosts/sim/stream.h"
#include <stdlib.h>

#define CLOG_US_MAX (20 * LB_US_SEC)
#define SPLIT_BYTES 500000 /* after them a stream is not split any more: the run must end */

static void draw_manner(struct sim_conn *conn, struct sim_world *world) {
    struct sim_manner *manner = &conn->manner;
    *manner = (struct sim_manner){
        .part_max = SIM_PIPE_BYTES,
        .room = SIM_PIPE_BYTES,
        .tells = {true, true},
    };
    manner->delay_us = sim_skewed(world, 20, 20000);
    manner->jitter_us = sim_skewed(world, 1, 5000);
    if (sim_happens(world, SIM_SPLIT))
        manner->part_max = sim_skewed(world, 1, 4000);
    if (sim_happens(world, SIM_TIGHT)) {
        manner->room = sim_skewed(world, 1, 3000);
        manner->tight_until = sim_skewed(world, 100, 60000);
    }
}

static void draw_end(struct sim_conn *conn, struct sim_world *world) {
    conn->up.cut_at = conn->down.cut_at = LB_NEVER;
    if (!sim_happens(world, SIM_CUT))
        return;
    struct sim_pipe *pipe = sim_one_in(world, 2) ? &conn->up : &conn->down;
    pipe->cut_at = sim_skewed(world, 1, 1000000);
    if (!sim_happens(world, SIM_HALF_OPEN))
        return;
    uint32_t told = sim_below(world, 3); /* nobody, client, server */
    conn->manner.tells[0] = told == 1;
    conn->manner.tells[1] = told == 2;
}

static void open_pipe(struct sim_pipe *pipe) {
    uint8_t *ring = pipe->ring != NULL ? pipe->ring : malloc(SIM_PIPE_BYTES);
    if (ring == NULL)
        abort();
    memset(pipe, 0, sizeof *pipe);
    pipe->ring = ring;
}

void sim_conn_open(struct sim_conn *conn, struct sim_world *world, uint32_t number) {
    open_pipe(&conn->up);
    open_pipe(&conn->down);
    conn->state = SIM_CONN_ASKED;
    conn->number = number;
    conn->has_client = conn->has_server = true;
    conn->is_severed = false;
    draw_manner(conn, world);
    draw_end(conn, world);
}

void sim_conn_free(struct sim_conn *conn) {
    free(conn->up.ring);
    free(conn->down.ring);
    conn->up.ring = conn->down.ring = NULL;
}

size_t sim_pipe_room(const struct sim_conn *conn, const struct sim_pipe *pipe) {
    size_t unread = (size_t)(pipe->written - pipe->read);
    size_t room = pipe->written < conn->manner.tight_until ? conn->manner.room : SIM_PIPE_BYTES;
    if (pipe->count == SIM_PIPE_SEGMENTS || unread >= room)
        return 0;
    return room - unread;
}

static void plan_arrival(struct sim_conn *conn, struct sim_world *world, struct sim_pipe *pipe) {
    const struct sim_manner *manner = &conn->manner;
    uint64_t at_us = world->now_us + manner->delay_us + sim_below(world, manner->jitter_us);
    if (sim_happens(world, SIM_CLOGGED))
        at_us += sim_skewed(world, 1000, (uint32_t)CLOG_US_MAX);
    at_us = LB_MAX(at_us, world->dark_until_us + manner->delay_us);
    pipe->last_us = LB_MAX(at_us, pipe->last_us);
    size_t place = (pipe->first + pipe->count++) % SIM_PIPE_SEGMENTS;
    pipe->segments[place] = (struct sim_segment){.end = pipe->written, .at_us = pipe->last_us};
    sim_at(world, pipe->last_us, SIM_STREAM, conn->number, 0, (struct lb_bytes){NULL, 0});
}

/* At most SIM_PIPE_BYTES: two pieces, where the ring ends in between. */
static void put(struct sim_pipe *pipe, const uint8_t *from, size_t len) {
    size_t at = (size_t)(pipe->written % SIM_PIPE_BYTES);
    size_t first = LB_MIN(len, SIM_PIPE_BYTES - at);
    if (len == 0)
        return;
    memcpy(pipe->ring + at, from, first);
    memcpy(pipe->ring, from + first, len - first);
}

bool sim_pipe_write(struct sim_conn *conn, struct sim_world *world, struct sim_pipe *pipe,
                    struct lb_bytes bytes) {
    size_t len = bytes.len;
    if (pipe->is_cut) { /* into the void: the pipe fills up and stays full */
        pipe->written += len;
        return false;
    }
    bool cut = !sim_is_calm(world) && pipe->written + len >= pipe->cut_at;
    if (cut)
        len = (size_t)(pipe->cut_at > pipe->written ? pipe->cut_at - pipe->written : 0);
    put(pipe, bytes.p, len);
    pipe->written += len;
    if (len > 0)
        plan_arrival(conn, world, pipe);
    return cut;
}

size_t sim_pipe_readable(struct sim_pipe *pipe, uint64_t now_us) {
    while (pipe->count > 0 && pipe->segments[pipe->first].at_us <= now_us) {
        pipe->readable = pipe->segments[pipe->first].end;
        pipe->first = (pipe->first + 1) % SIM_PIPE_SEGMENTS;
        pipe->count--;
    }
    return (size_t)(pipe->readable - pipe->read);
}

void sim_pipe_peek(const struct sim_pipe *pipe, uint8_t *to, size_t len) {
    size_t at = (size_t)(pipe->read % SIM_PIPE_BYTES);
    size_t first = LB_MIN(len, SIM_PIPE_BYTES - at);
    if (len == 0)
        return;
    memcpy(to, pipe->ring + at, first);
    memcpy(to + first, pipe->ring, len - first);
}

void sim_pipe_read(struct sim_pipe *pipe, uint8_t *to, size_t len) {
    sim_pipe_peek(pipe, to, len);
    pipe->read += len;
}

bool sim_pipe_is_over(const struct sim_pipe *pipe) {
    return pipe->is_finished && pipe->read == pipe->written;
}

size_t sim_part(const struct sim_conn *conn, struct sim_world *world, size_t len) {
    bool is_split = conn->up.written + conn->down.written < SPLIT_BYTES;
    uint32_t most = (uint32_t)LB_MIN(len, is_split ? conn->manner.part_max : SIM_PIPE_BYTES);
    return most > 1 && is_split && conn->manner.part_max < SIM_PIPE_BYTES
               ? sim_between(world, 1, most)
               : most;
}

/* A part often begins with a header. */
void sim_flip(struct sim_world *world, struct lb_span span) {
    size_t len = sim_one_in(world, 2) ? LB_MIN(span.len, 48) : span.len;
    uint8_t bit = (uint8_t)(1U << sim_below(world, 8));
    span.p[sim_below(world, (uint32_t)len)] ^= bit;
}
