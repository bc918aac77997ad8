/* The initiator and the target of core/ joined in memory: two byte pipes, a disk, a clock. For
 * tests of both together. Both share a codec, so what they misread alike is not seen here: vectors
 * and other people's programs are for that. */
#ifndef LB_TEST_TARGET_PAIR_H
#define LB_TEST_TARGET_PAIR_H

#include "core/disk/disk_state.h"
#include "core/initiator/initiator_session.h"
#include "core/initiator/initiator_targets.h"
#include "core/target/target_rooms.h"
#include "tests/tap.h"

#define PAIR_TARGET  "iqn.2026-11.test:disk"
#define PAIR_TEXT(s) lb_bytes((s), sizeof(s) - 1)

enum {
    PAIR_PIPE = 1 << 20,
    PAIR_DISK = 4 << 20, /* bytes of the disk that exist: from pair.first_byte on */
    PAIR_IOS = 200,
};

struct pair_pipe {
    uint8_t bytes[PAIR_PIPE];
    size_t len;
};

struct pair {
    uint64_t now;
    size_t split; /* bytes a read; 0: as many as there is room for */
    bool lazy;    /* ios are answered one a turn, the newest first */
    bool copies;  /* the disk is behind buffers of the host's: RELEASE counts */
    bool is_poor; /* with copies: long pieces are answered with as little as is allowed */
    bool is_deaf; /* bytes to the target are held back */
    struct lb_rand rand;
    struct lb_trace trace;
    char ring[1 << 16];

    struct lb_initiator session;
    struct lb_initiator_config config;
    struct lb_disk disk;
    uint8_t initiator_rx[65536];
    enum lb_initiator_event last; /* of the session, other than WAIT */
    unsigned connects;
    struct lb_endpoint connect_to;

    struct lb_target_server server;
    struct lb_target nodes[2];
    struct lb_scsi_unit units[2]; /* LUN 1 of the first node, LUN 0 of the other */
    struct lb_target_conn conn;
    struct lb_target_rooms rooms;
    bool keeps_rooms; /* what was lent stays */
    bool is_open;
    uint8_t memory[PAIR_DISK];
    uint64_t first_byte;
    uint64_t flushes, fua_writes;
    int64_t buffers_out;
    struct lb_target_answer fault; /* for the next faults READs, WRITEs and FLUSHes */
    unsigned faults;
    struct lb_target_io *waiting[PAIR_IOS];
    size_t waiting_count;

    struct pair_pipe to_target, to_initiator;
};

static struct pair pair;

/* ---- the disk ---- */

static inline uint8_t *pair_at(const struct lb_target_io *io) {
    uint32_t block_bytes = io->lun->block_bytes == 0 ? 512 : io->lun->block_bytes;
    uint64_t at = io->lba * block_bytes - pair.first_byte;
    lb_assert(at <= PAIR_DISK && io->len <= PAIR_DISK - at);
    return pair.memory + at;
}

static inline uint32_t pair_len(const struct lb_target_io *io) {
    return pair.is_poor && io->is_piece ? LB_MIN(io->len, 65536) : io->len;
}

/* Buffers of the host's: one for each io at once, found again by `user`. */
static uint8_t pair_buffers[PAIR_IOS][1 << 16];
static bool pair_buffer_used[PAIR_IOS];
static uint8_t pair_apart[PAIR_DISK]; /* room of what is not on the disk yet */

static inline uint8_t *pair_take_buffer(struct lb_target_io *io) {
    if (io->is_apart)
        return pair_apart + (pair_at(io) - pair.memory);
    for (size_t i = 0; i < PAIR_IOS; i++) {
        if (pair_buffer_used[i])
            continue;
        lb_assert(pair_len(io) <= sizeof pair_buffers[i]);
        pair_buffer_used[i] = true;
        pair.buffers_out++;
        io->user = i;
        return pair_buffers[i];
    }
    return NULL;
}

static inline void pair_free_buffer(const struct lb_target_io *io) {
    if (io->is_apart)
        return;
    lb_assert(pair_buffer_used[io->user] && io->buffer.p == pair_buffers[io->user]);
    pair_buffer_used[io->user] = false;
    memset(pair_buffers[io->user], 0xdd, sizeof pair_buffers[0]); /* nobody may need it any more */
    pair.buffers_out--;
}

static inline struct lb_target_answer pair_read(struct lb_target_io *io) {
    uint8_t *buffer = pair.copies ? pair_take_buffer(io) : pair_at(io);
    if (pair.copies)
        memcpy(buffer, pair_at(io), pair_len(io));
    return (struct lb_target_answer){.memory = lb_span(buffer, pair_len(io))};
}

static inline struct lb_target_answer pair_write(struct lb_target_io *io) {
    pair.fua_writes += io->force_unit_access;
    if (pair.copies || io->is_apart) {
        memcpy(pair_at(io), io->buffer.p, io->len);
        pair_free_buffer(io);
    }
    return (struct lb_target_answer){0};
}

static inline struct lb_target_answer pair_do_io(struct lb_target_io *io) {
    bool can_fail = io->kind != LB_IO_BUFFER && io->kind != LB_IO_RELEASE;
    if (can_fail && pair.faults > 0) {
        pair.faults--;
        if (io->kind == LB_IO_WRITE && (pair.copies || io->is_apart))
            pair_free_buffer(io);
        return pair.fault;
    }
    switch (io->kind) {
    case LB_IO_READ:
        return pair_read(io);
    case LB_IO_BUFFER:
        return (struct lb_target_answer){
            .memory = lb_span(pair.copies || io->is_apart ? pair_take_buffer(io) : pair_at(io),
                              pair_len(io))};
    case LB_IO_WRITE:
        return pair_write(io);
    case LB_IO_FLUSH:
        pair.flushes++;
        break;
    case LB_IO_RELEASE:
        break;
    case LB_IO_OR:
    case LB_IO_COMPARE:
    case LB_IO_COMPARE_AND_WRITE:
    case LB_IO_UNMAP:
    case LB_IO_STATUS:
    case LB_IO_KEEP:
    case LB_IO_COPY:
    case LB_IO_SANITIZE:
        CHECK(false); /* our initiator asks for none of it */
        break;
    }
    return (struct lb_target_answer){0};
}

static inline void pair_take_io(struct lb_target_io *io) {
    if (io->kind == LB_IO_RELEASE) {
        lb_assert(pair.copies || io->is_apart);
        pair_free_buffer(io);
    } else if (pair.lazy) {
        lb_assert(pair.waiting_count < PAIR_IOS);
        pair.waiting[pair.waiting_count++] = io;
    } else {
        lb_target_io_done(&pair.conn, pair.now, io, pair_do_io(io));
    }
}

/* ---- the pipes ---- */

static inline void pair_put(struct pair_pipe *pipe, const struct lb_bytes *pieces, size_t count,
                            size_t *taken) {
    *taken = 0;
    for (size_t i = 0; i < count; i++) {
        size_t len = LB_MIN(pieces[i].len, PAIR_PIPE - pipe->len);
        if (len == 0)
            return;
        memcpy(pipe->bytes + pipe->len, pieces[i].p, len);
        pipe->len += len;
        *taken += len;
    }
}

/* Fills the spans from the pipe, at most pair.split bytes; gives how many. */
static inline size_t pair_get(struct pair_pipe *pipe, const struct lb_span *spans, size_t count) {
    size_t limit = pair.split > 0 ? LB_MIN(pair.split, pipe->len) : pipe->len, got = 0;
    for (size_t i = 0; i < count && got < limit; i++) {
        size_t len = LB_MIN(spans[i].len, limit - got);
        memcpy(spans[i].p, pipe->bytes + got, len);
        got += len;
    }
    memmove(pipe->bytes, pipe->bytes + got, pipe->len - got);
    pipe->len -= got;
    return got;
}

/* ---- the ends ---- */

static inline void pair_open(void) {
    struct lb_endpoint local = {lb_addr_v4(192, 0, 2, 1), 3260};
    pair.to_target.len = pair.to_initiator.len = 0;
    pair.waiting_count = 0;
    memset(pair_buffer_used, 0, sizeof pair_buffer_used);
    pair.buffers_out = 0;
    lb_target_conn_init(&pair.conn, pair.now, &pair.server, local, &pair.rand, &pair.trace);
    pair.is_open = true;
    pair.connects++;
    lb_initiator_connected(&pair.session, pair.now);
}

static inline void pair_close(void) {
    if (!pair.is_open)
        return;
    lb_target_conn_end(&pair.conn);
    pair.is_open = false;
}

static inline uint64_t pair_turn_target(void) {
    struct lb_span spans[2];
    struct lb_bytes pieces[16];
    size_t taken;
    if (!pair.is_open)
        return LB_NEVER;
    if (!pair.is_deaf && pair.to_target.len > 0) {
        lb_target_rooms_lend(&pair.rooms, &pair.conn, pair.now, LB_TARGET_STAGING);
        size_t got = pair_get(&pair.to_target, spans, lb_target_where(&pair.conn, spans));
        if (got > 0)
            lb_target_got(&pair.conn, pair.now, got);
    }
    if (pair.waiting_count > 0) {
        struct lb_target_io *io = pair.waiting[--pair.waiting_count];
        lb_target_io_done(&pair.conn, pair.now, io, pair_do_io(io));
    }
    for (;;) {
        struct lb_target_action action = lb_target_poll(&pair.conn, pair.now);
        if (action.event == LB_TARGET_IO) {
            pair_take_io(action.io);
            continue;
        }
        if (action.event == LB_TARGET_LEND) {
            lb_target_rooms_lend(&pair.rooms, &pair.conn, pair.now, action.role);
            continue;
        }
        pair_put(&pair.to_initiator, pieces, lb_target_gather(&pair.conn, pieces, 16), &taken);
        if (taken > 0) {
            lb_target_sent(&pair.conn, pair.now, taken);
            continue;
        }
        if (action.event != LB_TARGET_CLOSE) {
            if (!pair.keeps_rooms)
                (void)lb_target_rooms_take_back(&pair.conn);
            return action.until_us;
        }
        pair_close();
        return LB_NEVER;
    }
}

static inline uint64_t pair_turn_session(void) {
    struct lb_span spans[2];
    struct lb_bytes pieces[16];
    size_t taken;
    if (pair.to_initiator.len > 0) {
        size_t got = pair_get(&pair.to_initiator, spans, lb_initiator_where(&pair.session, spans));
        if (got > 0)
            lb_initiator_got(&pair.session, pair.now, got);
        else
            pair.to_initiator.len = 0;
    } else if (!pair.is_open && pair.connects > 0 && pair.last != LB_INITIATOR_CLOSE &&
               pair.last != LB_INITIATOR_FAILED) {
        pair.last = LB_INITIATOR_CLOSE;
        lb_initiator_lost(&pair.session, pair.now, LB_LOST_CLOSED);
    }
    for (int polls = 0; polls < 100; polls++) {
        uint64_t until_us = lb_disk_poll(&pair.disk, pair.now);
        struct lb_initiator_action action = lb_initiator_poll(&pair.session, pair.now);
        if (action.event != LB_INITIATOR_WAIT)
            pair.last = action.event;
        if (action.event == LB_INITIATOR_CONNECT) {
            pair.connect_to = action.peer;
            pair_close();
            pair_open();
        } else if (action.event == LB_INITIATOR_CLOSE) {
            pair_close();
            pair.to_initiator.len = 0;
        } else if (action.event == LB_INITIATOR_WAIT || action.event == LB_INITIATOR_FAILED ||
                   action.event == LB_INITIATOR_OUT) {
            pair_put(&pair.to_target, pieces, lb_initiator_gather(&pair.session, pieces, 16),
                     &taken);
            if (taken == 0)
                return LB_MIN(until_us, action.until_us);
            lb_initiator_sent(&pair.session, pair.now, taken);
        }
    }
    CHECK(false); /* the session's polls are bounded */
    return LB_NEVER;
}

/* A turn of each; when nothing moves, the clock goes on to the next deadline. */
static inline void pair_turn(void) {
    uint64_t session_until = pair_turn_session();
    uint64_t target_until = pair_turn_target();
    bool is_idle =
        pair.to_initiator.len == 0 && pair.waiting_count == 0 &&
        (pair.is_deaf || pair.to_target.len == 0) &&
        (pair.is_open || pair.last == LB_INITIATOR_CLOSE || pair.last == LB_INITIATOR_FAILED);
    uint64_t until = LB_MIN(session_until, target_until);
    if (is_idle && until != LB_NEVER && until > pair.now)
        pair.now = until;
    else
        pair.now += 10;
}

/* ---- set up ---- */

static inline void pair_configure(void) {
    static const uint8_t seed[LB_RAND_SEED_BYTES] = {9};
    memset(&pair, 0, sizeof pair);
    pair.now = 5 * LB_US_SEC;
    lb_rand_init(&pair.rand, seed);
    lb_trace_init(&pair.trace, pair.now, lb_span(pair.ring, sizeof pair.ring));
    struct lb_initiator_config *c = &pair.config;
    lb_text_copy(c->initiator, sizeof c->initiator, PAIR_TEXT("iqn.2026-11.test:me"));
    lb_text_copy(c->target, sizeof c->target, PAIR_TEXT(PAIR_TARGET));
    c->isid[0] = 0x80;
    c->isid[5] = 1;
    c->portal.addr = lb_addr_v4(192, 0, 2, 1);
    c->portal.port = 3260;
    c->recover = true;
    pair.server =
        (struct lb_target_server){.nodes = pair.nodes, .node_count = 2, .keeps_memory = true};
    lb_text_copy(pair.nodes[0].name, LB_NAME_MAX, PAIR_TEXT(PAIR_TARGET));
    lb_text_copy(pair.nodes[1].name, LB_NAME_MAX, PAIR_TEXT("iqn.2026-11.test:other"));
    pair.units[0] = pair.units[1] =
        (struct lb_scsi_unit){.blocks = PAIR_DISK / 512, .block_bytes = 512};
    pair.nodes[0].luns[1] = &pair.units[0];
    pair.nodes[1].luns[0] = &pair.units[1];
    for (size_t i = 0; i < PAIR_DISK; i++)
        pair.memory[i] = (uint8_t)(i * 7 + i / 512 * 13 + i / 65536);
}

/* A disk behind 64 KiB buffers of the host's, instead of one in memory. */
static inline void pair_configure_copies(void) {
    pair.copies = true;
    pair.server.keeps_memory = false;
    pair.server.io_max = 1 << 16; /* so that long commands come in pieces */
}

static inline void pair_begin(void) {
    static const uint8_t lun[8] = {0, 1};
    lb_initiator_init(&pair.session, pair.now, &pair.config,
                      lb_span(pair.initiator_rx, sizeof pair.initiator_rx), &pair.rand,
                      &pair.trace);
    lb_disk_init(&pair.disk, &pair.session, lun, 5000, &pair.trace);
    lb_initiator_start(&pair.session, pair.now);
}

static inline bool pair_has_failed(void) {
    return !lb_is_ok(lb_initiator_error(&pair.session)) || !lb_is_ok(lb_disk_error(&pair.disk));
}

/* Logs in and brings the disk up. False when either fails. */
static inline bool pair_up(void) {
    bool is_started = false;
    pair_begin();
    for (int i = 0; i < 200000 && !pair_has_failed(); i++) {
        pair_turn();
        if (!is_started && lb_initiator_state(&pair.session) == LB_INITIATOR_FULL_FEATURE) {
            is_started = true;
            lb_disk_start(&pair.disk, pair.now);
        }
        if (lb_disk_is_up(&pair.disk))
            return true;
    }
    return false;
}

/* The trace, when something is not as it should be. */
static inline void pair_show(void) {
    char line[LB_TRACE_LINE_MAX];
    lb_trace_rewind(&pair.trace);
    while (lb_trace_next(&pair.trace, line))
        tap_note("%s", line);
    tap_note("session: %s", lb_initiator_error(&pair.session)->facts);
    tap_note("disk: %s", lb_disk_error(&pair.disk)->facts);
    tap_note("target: %s", lb_target_reason(&pair.conn));
}

static inline bool pair_must_be_up(void) {
    bool is_up = pair_up();
    if (!CHECK(is_up))
        pair_show();
    return is_up;
}

/* Submits `count` requests at once, and takes them back. Gives how many went well. */
static inline unsigned pair_run(struct lb_disk_op *ops, unsigned count) {
    unsigned done = 0, good = 0;
    for (unsigned i = 0; i < count; i++)
        lb_disk_submit(&pair.disk, pair.now, &ops[i]);
    for (int i = 0; i < 2000000 && done < count; i++) {
        struct lb_disk_op *op;
        while ((op = lb_disk_completed(&pair.disk)) != NULL) {
            done++;
            good += lb_is_ok(&op->error);
        }
        if (done < count)
            pair_turn();
    }
    if (!CHECK_EQ(done, count))
        pair_show();
    return good;
}

/* ---- checks ---- */

static uint8_t pair_buffer[2][PAIR_DISK];

/* Reads a part of the disk in `ops` requests, and compares. */
static inline void pair_check_read(uint64_t lba, uint32_t blocks, unsigned count) {
    static struct lb_disk_op ops[64];
    uint32_t block_bytes = lb_disk_info(&pair.disk)->block_bytes;
    lb_assert(count <= LB_COUNT(ops) && (uint64_t)blocks * count * block_bytes <= PAIR_DISK);
    memset(ops, 0, sizeof ops);
    memset(pair_buffer[0], 0xee, (size_t)blocks * count * block_bytes);
    for (unsigned i = 0; i < count; i++)
        ops[i] = (struct lb_disk_op){
            .kind = LB_DISK_READ,
            .lba = lba + (uint64_t)i * blocks,
            .blocks = blocks,
            .buffer = pair_buffer[0] + (size_t)i * blocks * block_bytes,
        };
    CHECK_EQ(pair_run(ops, count), count);
    CHECK(memcmp(pair_buffer[0], pair.memory + (lba * block_bytes - pair.first_byte),
                 (size_t)blocks * count * block_bytes) == 0);
}

/* Writes another pattern, and looks at the disk; what is around it must stay as it was. */
static inline void pair_check_write(uint64_t lba, uint32_t blocks, unsigned count) {
    static struct lb_disk_op ops[64];
    uint32_t block_bytes = lb_disk_info(&pair.disk)->block_bytes;
    size_t len = (size_t)blocks * count * block_bytes;
    size_t at = (size_t)(lba * block_bytes - pair.first_byte);
    lb_assert(count <= LB_COUNT(ops) && len <= PAIR_DISK - at);
    memset(ops, 0, sizeof ops);
    memcpy(pair_buffer[1], pair.memory, PAIR_DISK);
    lb_rand_fill(&pair.rand, lb_span(pair_buffer[1] + at, len));
    for (unsigned i = 0; i < count; i++)
        ops[i] = (struct lb_disk_op){
            .kind = LB_DISK_WRITE,
            .lba = lba + (uint64_t)i * blocks,
            .blocks = blocks,
            .buffer = pair_buffer[1] + at + (size_t)i * blocks * block_bytes,
        };
    CHECK_EQ(pair_run(ops, count), count);
    CHECK(memcmp(pair.memory, pair_buffer[1], PAIR_DISK) == 0);
}

#endif
