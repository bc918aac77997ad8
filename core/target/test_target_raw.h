/* The target alone, against an initiator whose PDUs are made one by one, most of them against the
 * rules. For test_target*.c. RFC 7143 sections there are of the rule that is broken. */
#ifndef LB_TEST_TARGET_RAW_H
#define LB_TEST_TARGET_RAW_H

#include "core/target/target_memory.h"
#include "core/target/target_rooms.h"
#include "tests/tap.h"

#define TEXT(s) lb_bytes((s), sizeof(s) - 1)
#define NAMES                                                                                      \
    "InitiatorName=iqn.2026-11.test:me\0SessionType=Normal\0TargetName=iqn.2026-11.test:disk\0"

enum { DISK_BYTES = 1 << 20, WIRE = 1 << 20 };

struct raw {
    uint64_t now;
    struct lb_target_server server;
    struct lb_target node;
    struct lb_scsi_unit unit; /* its LUN 0 */
    struct lb_target_account account;
    struct lb_target_conn conn;
    struct lb_target_conn *to; /* the connection at hand: `conn`, or another one */
    struct lb_target_rooms rooms, *to_rooms;
    struct lb_rand rand;
    uint8_t disk[DISK_BYTES];
    bool holds; /* ios are kept in `held` */
    struct lb_target_io *held[64];
    size_t held_count;
    bool is_closed;
    bool lends_late;                          /* memory is not lent as soon as it is asked for */
    const struct lb_target_admission *admits; /* the answer to WHO; NULL: none */
    uint8_t apart[DISK_BYTES];                /* room that is not the disk */
    struct lb_scsi_unit second;               /* of a test that has a LUN 1 */
    uint8_t second_disk[DISK_BYTES];          /* of that */
    bool fails_copies;                        /* COPY ends with DATA PROTECT */
    bool goes_on, fails_sanitize, refuses_sanitize;
    struct lb_target_io sanitized; /* the last SANITIZE */
    unsigned copies;
    unsigned releases, keeps, flushes, fua_writes, atomic_writes;

    uint8_t wire[WIRE]; /* what the target sent */
    size_t wire_len, wire_at;
    struct lb_iscsi_pdu pdu; /* the one taken last */
    struct {
        const struct lb_target_conn *of; /* NULL: of none yet */
        uint32_t stat_sn, exp_cmd_sn, max_cmd_sn;
    } numbers; /* that follow it */
    struct lb_bytes data;
    uint32_t cmd_sn, itt;
};

static struct raw raw;

/* ---- the host ---- */

static inline uint8_t *disk_of(const struct lb_scsi_unit *unit) {
    return unit == &raw.unit ? raw.disk : raw.second_disk;
}

static inline struct lb_target_answer copy(const struct lb_target_io *io) {
    lb_assert(io->source_lba * 512 <= DISK_BYTES);
    lb_assert(io->blocks * 512 <= DISK_BYTES - io->source_lba * 512);
    raw.copies++;
    if (raw.fails_copies)
        return (struct lb_target_answer){
            .status = LB_SCSI_CHECK_CONDITION, .key = 7, .asc = 0x27, .ascq = 7};
    return lb_target_memory_copy(io, disk_of(io->lun), disk_of(io->source));
}

/* At once, unless it is to go on. */
static inline struct lb_target_answer sanitize(const struct lb_target_io *io) {
    raw.sanitized = *io;
    if (raw.refuses_sanitize)
        return (struct lb_target_answer){
            .status = LB_SCSI_CHECK_CONDITION, .key = 7, .asc = 0x27, .ascq = 7};
    if (io->sanitize != LB_SCSI_EXIT_FAILURE)
        lb_scsi_sanitize_begin(io->lun, io->is_restricted);
    if (raw.goes_on && io->sanitize != LB_SCSI_EXIT_FAILURE)
        return (struct lb_target_answer){0};
    if (io->sanitize != LB_SCSI_EXIT_FAILURE)
        lb_target_memory_sanitize(io, raw.disk);
    lb_scsi_sanitize_end(io->lun, !raw.fails_sanitize);
    return (struct lb_target_answer){0};
}

static inline void answer(struct lb_target_io *io) {
    struct lb_target_answer answer = {0};
    if (io->kind == LB_IO_RELEASE) {
        raw.releases++;
        return;
    }
    lb_assert(io->lba * 512 <= DISK_BYTES && io->blocks * 512 <= DISK_BYTES - io->lba * 512);
    if (io->kind == LB_IO_READ || io->kind == LB_IO_BUFFER)
        answer.memory = lb_span(io->is_apart ? raw.apart : raw.disk + io->lba * 512, io->len);
    else if (io->kind == LB_IO_COPY)
        answer = copy(io);
    else if (io->kind == LB_IO_SANITIZE)
        answer = sanitize(io);
    else if (io->kind != LB_IO_WRITE || io->is_repeated)
        answer = lb_target_memory_do(io, raw.disk + io->lba * 512);
    else if (io->is_apart)
        memcpy(raw.disk + io->lba * 512, io->buffer.p, io->len);
    raw.keeps += io->kind == LB_IO_KEEP;
    raw.flushes += io->kind == LB_IO_FLUSH;
    raw.atomic_writes += io->kind == LB_IO_WRITE && io->is_atomic;
    raw.fua_writes += io->kind == LB_IO_WRITE && io->force_unit_access;
    lb_target_io_done(raw.to, raw.now, io, answer);
}

static inline void send_out(void) {
    struct lb_bytes pieces[8];
    size_t count = lb_target_gather(raw.to, pieces, 8), len = 0;
    for (size_t i = 0; i < count; i++) {
        lb_assert(raw.wire_len + pieces[i].len <= WIRE);
        memcpy(raw.wire + raw.wire_len, pieces[i].p, pieces[i].len);
        raw.wire_len += pieces[i].len;
        len += pieces[i].len;
    }
    lb_target_sent(raw.to, raw.now, len);
}

static inline void serve(void) {
    for (int i = 0; i < 10000; i++) {
        struct lb_target_action action = lb_target_poll(raw.to, raw.now);
        raw.is_closed = action.event == LB_TARGET_CLOSE;
        if (action.event == LB_TARGET_SEND)
            send_out();
        else if (action.event == LB_TARGET_LEND && raw.lends_late)
            return;
        else if (action.event == LB_TARGET_LEND)
            lb_target_rooms_lend(raw.to_rooms, raw.to, raw.now, action.role);
        else if (action.event == LB_TARGET_WHO && raw.admits)
            lb_target_admit(raw.to, raw.now, raw.admits);
        else if (action.event != LB_TARGET_IO)
            return;
        else if (raw.holds)
            raw.held[raw.held_count++] = action.io;
        else
            answer(action.io);
    }
    tap_check(__FILE__, __LINE__, "polls are bounded", false);
}

static inline void release_held(void) {
    for (size_t i = 0; i < raw.held_count; i++)
        answer(raw.held[i]);
    raw.held_count = 0;
    raw.holds = false;
    serve();
}

/* ---- the initiator ---- */

static inline void give_bytes(struct lb_bytes bytes) {
    while (bytes.len > 0) {
        struct lb_span spans[2];
        lb_target_rooms_lend(raw.to_rooms, raw.to, raw.now, LB_TARGET_STAGING);
        if (lb_target_where(raw.to, spans) == 0)
            return;
        size_t len = LB_MIN(spans[0].len, bytes.len);
        memcpy(spans[0].p, bytes.p, len);
        bytes = lb_bytes_after(bytes, len);
        lb_target_got(raw.to, raw.now, len);
        serve();
    }
}

static inline void give(struct lb_iscsi_pdu pdu, struct lb_bytes data) {
    static const uint8_t padding[3];
    uint8_t bhs[LB_ISCSI_BHS_BYTES];
    pdu.data_len = (uint32_t)data.len;
    lb_iscsi_encode(&pdu, bhs);
    give_bytes(lb_bytes(bhs, sizeof bhs));
    give_bytes(data);
    give_bytes(lb_bytes(padding, -data.len & 3));
}

/* RFC 7143 4.2.2.2, 11.8.1, 11.19.3: those that have a StatSN and use it up. */
static inline bool uses_stat_sn(const struct lb_iscsi_pdu *pdu) {
    if (pdu->opcode == LB_OP_NOP_IN)
        return pdu->itt != LB_ISCSI_NO_TAG;
    return pdu->opcode != LB_OP_R2T && (pdu->opcode != LB_OP_DATA_IN || pdu->data_in.has_status);
}

/* What every PDU of a target obeys: StatSN without a gap, a window that does not shrink (4.2.2.1),
 * and the bit that is always 1. */
static inline void check_numbers(void) {
    const struct lb_iscsi_pdu *pdu = &raw.pdu;
    bool has_stat_sn = pdu->opcode != LB_OP_DATA_IN || pdu->data_in.has_status;
    bool may_go_on = pdu->opcode == LB_OP_DATA_IN || pdu->opcode == LB_OP_TEXT_RESPONSE ||
                     pdu->opcode == LB_OP_LOGIN_RESPONSE;
    CHECK(pdu->final || may_go_on);
    if (raw.numbers.of == raw.to) {
        if (has_stat_sn)
            CHECK_EQ(pdu->stat_sn, raw.numbers.stat_sn);
        CHECK(!lb_sn_before(pdu->exp_cmd_sn, raw.numbers.exp_cmd_sn));
        CHECK(!lb_sn_before(pdu->max_cmd_sn, raw.numbers.max_cmd_sn));
    } else if (!has_stat_sn) {
        return;
    } else {
        raw.numbers.stat_sn = pdu->stat_sn;
    }
    raw.numbers.of = raw.to;
    raw.numbers.exp_cmd_sn = pdu->exp_cmd_sn;
    raw.numbers.max_cmd_sn = pdu->max_cmd_sn;
    raw.numbers.stat_sn += uses_stat_sn(pdu);
}

/* The target's next PDU; false when there is none. */
static inline bool take(void) {
    struct lb_rd rd = lb_rd(lb_bytes(raw.wire + raw.wire_at, raw.wire_len - raw.wire_at));
    struct lb_bytes bhs = lb_rd_bytes(&rd, LB_ISCSI_BHS_BYTES);
    if (!lb_rd_ok(&rd) || !lb_iscsi_decode(bhs.p, &raw.pdu))
        return false;
    raw.data = lb_rd_bytes(&rd, raw.pdu.data_len);
    lb_rd_skip(&rd, -raw.pdu.data_len & 3);
    raw.wire_at = raw.wire_len - rd.left;
    check_numbers();
    return CHECK(lb_rd_ok(&rd));
}

static inline bool take_op(enum lb_iscsi_opcode opcode) {
    return CHECK(take()) && CHECK_EQ(raw.pdu.opcode, opcode);
}

/* A connection comes, and is the one at hand. */
static inline void accept_at(struct lb_target_conn *conn, struct lb_target_rooms *rooms) {
    struct lb_endpoint local = {lb_addr_v4(192, 0, 2, 1), 3260};
    raw.to = conn;
    raw.numbers.of = NULL;
    raw.to_rooms = rooms;
    raw.is_closed = false;
    lb_target_conn_init(conn, raw.now, &raw.server, local, &raw.rand, NULL);
}

static inline void connect(void) {
    static const uint8_t seed[LB_RAND_SEED_BYTES] = {3};
    memset(&raw, 0, sizeof raw);
    raw.now = LB_US_SEC;
    raw.server =
        (struct lb_target_server){.nodes = &raw.node, .node_count = 1, .keeps_memory = true};
    lb_text_copy(raw.node.name, LB_NAME_MAX, TEXT("iqn.2026-11.test:disk"));
    raw.node.window = 4;
    raw.unit = (struct lb_scsi_unit){.blocks = DISK_BYTES / 512};
    raw.node.luns[0] = &raw.unit;
    for (size_t i = 0; i < DISK_BYTES; i++)
        raw.disk[i] = (uint8_t)(i / 512);
    lb_rand_init(&raw.rand, seed);
    accept_at(&raw.conn, &raw.rooms);
}

static inline struct lb_iscsi_pdu login_pdu(uint8_t csg, uint8_t nsg, bool transit) {
    return (struct lb_iscsi_pdu){.opcode = LB_OP_LOGIN_REQUEST,
                                 .immediate = true,
                                 .final = transit,
                                 .cmd_sn = 7,
                                 .login = {.csg = csg, .nsg = nsg, .isid = {0x80, 1, 2, 3, 4, 5}}};
}

/* Takes the login's answer; gives its status. */
static inline unsigned login_status(void) {
    if (!take_op(LB_OP_LOGIN_RESPONSE))
        return 0xffff;
    return (unsigned)raw.pdu.login.status_class << 8 | raw.pdu.login.status_detail;
}

static inline void log_in_with(struct lb_bytes keys) {
    give(login_pdu(1, 3, true), keys);
    CHECK_EQ(login_status(), LB_LOGIN_OK);
    CHECK(raw.pdu.final && raw.pdu.login.tsih != 0);
    CHECK(lb_target_is_full_feature(raw.to));
    raw.cmd_sn = 7;
}

static inline void log_in(void) {
    connect();
    log_in_with(TEXT(NAMES "InitialR2T=No\0ImmediateData=Yes\0MaxBurstLength=8192\0"
                           "FirstBurstLength=4096\0MaxRecvDataSegmentLength=2048\0"));
}

static inline struct lb_iscsi_pdu command(bool is_write, uint32_t lba, uint16_t blocks) {
    struct lb_iscsi_pdu pdu = {
        .opcode = LB_OP_SCSI_COMMAND,
        .final = true,
        .itt = ++raw.itt,
        .cmd_sn = raw.cmd_sn++,
        .command = {.read = !is_write, .write = is_write, .edtl = blocks * 512u},
    };
    if (is_write)
        lb_scsi_cdb_write(pdu.command.cdb, lba, blocks, false);
    else
        lb_scsi_cdb_read(pdu.command.cdb, lba, blocks);
    return pdu;
}

static inline struct lb_iscsi_pdu data_out(uint32_t ttt, uint32_t data_sn, uint32_t offset,
                                           bool final) {
    return (struct lb_iscsi_pdu){.opcode = LB_OP_DATA_OUT,
                                 .final = final,
                                 .itt = raw.itt,
                                 .ttt = ttt,
                                 .data_out = {.data_sn = data_sn, .buffer_offset = offset}};
}

static inline struct lb_iscsi_pdu tmf(enum lb_iscsi_tmf function, uint32_t itt) {
    return (struct lb_iscsi_pdu){.opcode = LB_OP_TMF_REQUEST,
                                 .immediate = true,
                                 .final = true,
                                 .itt = 0x1000,
                                 .cmd_sn = raw.cmd_sn,
                                 .tmf = {.function = (uint8_t)function, .ref_task_tag = itt}};
}

static const uint8_t pattern[16384];
static const struct lb_bytes nothing;

static inline bool took_check(uint8_t key, uint8_t asc) {
    if (!take_op(LB_OP_SCSI_RESPONSE))
        return false;
    struct lb_scsi_sense sense = lb_scsi_decode_sense(lb_bytes_after(raw.data, 2));
    return CHECK_EQ(raw.pdu.response.status, LB_SCSI_CHECK_CONDITION) && CHECK_EQ(sense.key, key) &&
           CHECK_EQ(sense.asc, asc);
}

/* It was rejected, with its own header in the Reject, and the connection is over. */
static inline void was_a_violation(const char *why) {
    if (take_op(LB_OP_REJECT)) {
        CHECK_EQ(raw.pdu.reject.reason, LB_REJECT_PROTOCOL);
        CHECK_EQ(raw.data.len, LB_ISCSI_BHS_BYTES);
    }
    CHECK(raw.is_closed);
    CHECK_STR(lb_target_reason(&raw.conn), why);
    for (size_t i = 0; i < DISK_BYTES; i++)
        if (!CHECK_EQ(raw.disk[i], (uint8_t)(i / 512)))
            return;
}

#endif
