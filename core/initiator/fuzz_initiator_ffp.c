/* The initiator in full feature phase, with commands of all kinds in flight. The first byte chooses
 * the configuration, the second the size of reads; the rest are records:
 *
 *   00 LEN BYTES        bytes as they are
 *   01 WHO BHS LEN DATA a PDU: 20 bytes of header (0-3, 20-27 of the numbers are filled in, 36-47),
 *                       for the WHO-th command in flight or the ping, TMF, text or logout that is
 *                       out; StatSN and the window are right unless WHO has its top bits; DATA of
 *                       LEN * 8 bytes, digests as agreed
 *   02 N                time passes, N * 100 ms
 *   03                  the connection closes
 *   04 KIND LEN         a command is submitted: reads LEN * 64 bytes (KIND even) or writes them
 *   05 LEN              LEN * 16 bytes are taken from the send queue
 *   06                  the owner logs out
 *
 * What must hold: no byte outside of the readers' buffers; every command comes back exactly once;
 * polls end, and no deadline is in the past. */
#include "core/initiator/initiator_session.h"
#include "core/initiator/initiator_targets.h"
#include "tests/fuzz.h"

enum {
    TASKS = 24,
    GUARD = 64,
    BUFFER = 255 * 64,
};

static struct lb_initiator session;
static struct lb_initiator_task tasks[TASKS];
static bool is_out[TASKS];
static uint8_t buffers[TASKS][GUARD + BUFFER + GUARD];
static uint8_t rx[LB_ISCSI_RX_MIN];
static uint8_t wire[8192];
static uint64_t now;
static size_t split;
static bool is_connected;
static uint8_t choice;
static struct lb_initiator_found found[4];
static struct lb_initiator_targets targets;

static void feed(struct lb_bytes bytes) {
    while (bytes.len > 0) {
        struct lb_span spans[2];
        size_t count = lb_initiator_where(&session, spans), got = 0;
        size_t limit = LB_MIN(split, bytes.len);
        for (size_t i = 0; i < count && got < limit; i++) {
            size_t len = LB_MIN(spans[i].len, limit - got);
            memcpy(spans[i].p, bytes.p + got, len);
            got += len;
        }
        if (got == 0)
            return;
        lb_initiator_got(&session, now, got);
        bytes = lb_bytes_after(bytes, got);
    }
}

/* Reads every byte that goes out, so that ASan sees a pointer to nowhere. */
static void drain(size_t limit) {
    struct lb_bytes pieces[4];
    size_t count;
    static volatile uint8_t sum;
    while (limit > 0 && (count = lb_initiator_gather(&session, pieces, 4)) > 0) {
        size_t len = 0;
        for (size_t i = 0; i < count && len < limit; i++) {
            size_t take = LB_MIN(pieces[i].len, limit - len);
            for (size_t at = 0; at < take; at++)
                sum = (uint8_t)(sum + pieces[i].p[at]);
            len += take;
        }
        limit -= len;
        lb_initiator_sent(&session, now, len);
    }
}

static void log_in(void) {
    static const char keys[] = "InitialR2T=No\0ImmediateData=Yes\0MaxRecvDataSegmentLength=1024\0"
                               "FirstBurstLength=2048\0MaxBurstLength=4096\0DefaultTime2Wait=0\0";
    static const char digests[] = "HeaderDigest=CRC32C\0DataDigest=CRC32C\0";
    struct lb_wr wr = lb_wr(lb_span(wire, sizeof wire));
    struct lb_iscsi_pdu pdu = {
        .opcode = LB_OP_LOGIN_RESPONSE,
        .final = true,
        .itt = session.login.itt,
        .stat_sn = 0xfffffff0,
        .exp_cmd_sn = session.cmd_sn,
        .max_cmd_sn = session.cmd_sn + (choice & 0x3f),
        .login = {.csg = 1, .nsg = 3, .tsih = 1},
    };
    drain(SIZE_MAX);
    lb_wr_zero(&wr, 48);
    lb_wr_bytes(&wr, lb_bytes(keys, sizeof keys - 1));
    if (choice & 0x40)
        lb_wr_bytes(&wr, lb_bytes(digests, sizeof digests - 1));
    pdu.data_len = (uint32_t)wr.len - 48;
    lb_iscsi_encode(&pdu, wire);
    lb_wr_zero(&wr, -wr.len & 3);
    feed(lb_wr_done(&wr));
}

static void act(void) {
    for (int i = 0; i < 64; i++) {
        struct lb_initiator_action action = lb_initiator_poll(&session, now);
        if (action.event == LB_INITIATOR_WAIT) {
            lb_assert(action.until_us > now);
            return;
        }
        if (action.event == LB_INITIATOR_CLOSE)
            is_connected = false;
        if (action.event == LB_INITIATOR_CONNECT) {
            lb_assert(!is_connected);
            is_connected = true;
            lb_initiator_connected(&session, now);
            log_in();
        }
    }
    lb_assert(false); /* polls end */
}

static void collect(void) {
    struct lb_initiator_task *task;
    while ((task = lb_initiator_completed(&session)) != NULL) {
        size_t i = (size_t)(task - tasks);
        lb_assert(i < TASKS && is_out[i]);
        lb_assert(task->state == LB_TASK_DONE || task->state == LB_TASK_LOST);
        lb_assert(task->in_len <= task->in.len && task->sense_len <= sizeof task->sense);
        is_out[i] = false;
        for (size_t at = 0; at < GUARD; at++)
            lb_assert(buffers[i][at] == 0xee);
        if (task->in.len > 0)
            for (size_t at = GUARD + task->in.len; at < sizeof buffers[i]; at++)
                lb_assert(buffers[i][at] == 0xee);
    }
}

static void submit(uint8_t kind, size_t len) {
    for (size_t i = 0; i < TASKS; i++) {
        if (is_out[i])
            continue;
        is_out[i] = true;
        memset(&tasks[i], 0, sizeof tasks[i]);
        memset(buffers[i], 0xee, sizeof buffers[i]);
        tasks[i].lun[1] = kind >> 6;
        if (kind & 1)
            tasks[i].out = lb_bytes(buffers[i] + GUARD, len);
        else
            tasks[i].in = lb_span(buffers[i] + GUARD, len);
        lb_initiator_submit(&session, now, &tasks[i]);
        return;
    }
}

static uint32_t tag_of(uint8_t who) {
    const struct lb_initiator_task *task = session.in_flight.first;
    if (who == 60)
        return session.ping_itt;
    if (who == 61)
        return session.tmf.itt;
    if (who == 62)
        return session.text_itt;
    if (who == 63)
        return session.logout_itt;
    for (uint8_t i = 0; i < who && task != NULL; i++)
        task = task->next;
    return task != NULL ? task->itt : LB_ISCSI_NO_TAG;
}

static void put_digest(struct lb_wr *wr, bool on, size_t from) {
    if (on)
        lb_wr_u32le(wr, lb_crc32c(0, wire + from, wr->len - from));
}

static void pdu(struct lb_rd *rd) {
    uint8_t who = lb_rd_u8(rd);
    struct lb_wr wr = lb_wr(lb_span(wire, sizeof wire));
    lb_wr_bytes(&wr, lb_rd_bytes(rd, 4));
    lb_wr_zero(&wr, 4);
    lb_wr_zero(&wr, 8);
    lb_wr_u32(&wr, tag_of(who & 0x3f));
    lb_wr_bytes(&wr, lb_rd_bytes(rd, 4));
    lb_wr_u32(&wr, session.exp_stat_sn + (who >> 6 == 3) - (who >> 6 == 2));
    lb_wr_u32(&wr, session.cmd_sn);
    lb_wr_u32(&wr, session.cmd_sn + (who >> 6 == 1 ? 0 : 16));
    lb_wr_bytes(&wr, lb_rd_bytes(rd, 12));
    size_t len = LB_MIN((size_t)lb_rd_u8(rd) * 8, rd->left);
    if (!lb_wr_ok(&wr) || rd->bad)
        return;
    lb_wr_u8_at(&wr, 6, (uint8_t)(len >> 8));
    lb_wr_u8_at(&wr, 7, (uint8_t)len);
    put_digest(&wr, session.stream.header_digest, 0);
    size_t from = wr.len;
    lb_wr_bytes(&wr, lb_rd_bytes(rd, len));
    lb_wr_zero(&wr, -len & 3);
    if (len > 0)
        put_digest(&wr, session.stream.data_digest, from);
    feed(lb_wr_done(&wr));
}

static void setup(uint8_t reads) {
    static const uint8_t seed[LB_RAND_SEED_BYTES] = {1};
    static struct lb_rand rand;
    static struct lb_initiator_config c;
    memset(&c, 0, sizeof c);
    memset(is_out, 0, sizeof is_out);
    now = 1000;
    split = reads == 0 ? SIZE_MAX : reads;
    is_connected = false;
    lb_rand_init(&rand, seed);
    lb_format(c.initiator, sizeof c.initiator, "iqn.2026-11.test:me");
    lb_format(c.target, sizeof c.target, "iqn.2026-11.test:disk");
    c.portal = (struct lb_endpoint){.addr = lb_addr_v4(192, 0, 2, 1), .port = 3260};
    c.recover = choice & 0x80;
    c.header_digest = c.data_digest = choice & 0x40 ? LB_DIGEST_PREFER : LB_DIGEST_NONE;
    c.task_ms = 5000;
    targets = (struct lb_initiator_targets){.found = found, .cap = LB_COUNT(found)};
    lb_initiator_init(&session, now, &c, lb_span(rx, sizeof rx), &rand, NULL);
    lb_initiator_start(&session, now);
    act();
}

static void record(struct lb_rd *rd, uint8_t kind) {
    if (kind == 0)
        feed(lb_rd_bytes(rd, LB_MIN((size_t)lb_rd_u8(rd), rd->left)));
    else if (kind == 1)
        pdu(rd);
    else if (kind == 2)
        now += lb_rd_u8(rd) * 100 * LB_US_MS;
    else if (kind == 3 && is_connected) {
        is_connected = false;
        lb_initiator_lost(&session, now, LB_LOST_CLOSED);
    } else if (kind == 4) {
        uint8_t what = lb_rd_u8(rd);
        submit(what, (size_t)lb_rd_u8(rd) * 64);
    } else if (kind == 5)
        drain((size_t)lb_rd_u8(rd) * 16);
    else if (kind == 6)
        lb_initiator_logout(&session, now);
    else if (kind == 7 && !session.text_is_discovery)
        lb_initiator_send_targets(&session, now, NULL, &targets);
}

/* The end: whatever the target did, every command comes back. */
static void finish(void) {
    drain(SIZE_MAX);
    lb_initiator_drop(&session, now);
    session.config.recover = false;
    for (int i = 0; i < 8 && lb_initiator_state(&session) != LB_INITIATOR_ENDED; i++) {
        act();
        lb_initiator_drop(&session, now);
        now += 1000 * LB_US_SEC;
    }
    act();
    collect();
    lb_assert(lb_initiator_state(&session) == LB_INITIATOR_ENDED);
    for (size_t i = 0; i < TASKS; i++)
        lb_assert(!is_out[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct lb_rd rd = lb_rd(lb_bytes(data, size));
    choice = lb_rd_u8(&rd);
    setup(lb_rd_u8(&rd));
    submit(0, 512);
    submit(1, 512);
    while (rd.left > 0 && !rd.bad) {
        record(&rd, lb_rd_u8(&rd) & 7);
        act();
        collect();
    }
    finish();
    return 0;
}
