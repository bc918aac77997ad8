/* A scripted disk behind the scripted target: a table of answers to the questions of the bring-up,
 * a queue of ends for other commands, and a memory. Every answer is a whole PDU made here. */
#ifndef LB_TEST_DISK_H
#define LB_TEST_DISK_H

#include "core/disk/disk_state.h"
#include "core/initiator/test_initiator_peer.h"

#define SEC LB_US_SEC
#define MS  LB_US_MS

enum { DISK_BYTES = 4 << 20, DISK_ENDS = 600, DISK_LOG = 1200, DISK_OPS = 400 };

/* How a command ends. GOOD with no more said is what a healthy disk gives. */
struct ending {
    uint8_t op; /* of the command that this is for */
    unsigned times;
    uint8_t response, status, key, asc, ascq;
    uint32_t missing; /* bytes of a READ that do not come, told as underflow */
    bool is_deferred, is_silent;
    bool of_vpd; /* for VPD pages, not for the plain INQUIRY */
};

struct said {
    uint8_t op;
    uint64_t lba, at;
    uint32_t blocks;
};

static struct {
    struct lb_disk disk;
    uint32_t ready_ms;
    const struct lb_disk_identity *expected;
    uint8_t lun; /* 0: 1 */
    struct lb_bytes replies[LB_ASK_COUNT];
    struct ending endings[8]; /* the first that fits is used */
    uint32_t block_bytes;
    uint8_t memory[DISK_BYTES];
    bool is_gone;         /* connections are refused */
    bool says_u;          /* Data-In has U, with a residual of 0 where nothing is missing */
    bool is_mute_on_vpd;  /* no VPD page is answered */
    bool asks;            /* InitialR2T=Yes, ImmediateData=No */
    bool is_managed;      /* task management functions are answered */
    unsigned most_blocks; /* a READ or WRITE of more is refused with 5/most_asc; 0: none is */
    uint8_t most_asc;

    unsigned count[256]; /* commands, by operation */
    struct said log[DISK_LOG];
    unsigned log_count;
    struct lb_disk_op ops[DISK_OPS];
    unsigned completions[DISK_OPS];
    uint8_t buffer[DISK_BYTES];
    uint64_t first_us, last_us; /* when the first and the last command came */
} d;

#define DISK_KEYS  DISK_KEYS_("No", "Yes")
#define DISK_ASKED DISK_KEYS_("Yes", "No") /* for each byte of a write */
#define DISK_KEYS_(r2t, immediate)                                                                 \
    "HeaderDigest=None\0DataDigest=None\0MaxRecvDataSegmentLength=262144\0"                        \
    "DefaultTime2Wait=0\0DefaultTime2Retain=0\0ErrorRecoveryLevel=0\0InitialR2T=" r2t              \
    "\0ImmediateData=" immediate                                                                   \
    "\0MaxBurstLength=262144\0FirstBurstLength=262144\0MaxOutstandingR2T=1\0"

/* ---- answers -------------------------------------------------------------------------------- */

static inline enum lb_disk_question disk_question(const uint8_t cdb[16]) {
    switch (cdb[0]) {
    case LB_SCSI_INQUIRY:
        if ((cdb[1] & 1) == 0)
            return LB_ASK_INQUIRY;
        return cdb[2] == LB_SCSI_VPD_SERIAL ? LB_ASK_SERIAL
               : cdb[2] == LB_SCSI_VPD_IDS  ? LB_ASK_IDS
                                            : LB_ASK_LIMITS;
    case LB_SCSI_REPORT_LUNS:
        return LB_ASK_LUNS;
    case LB_SCSI_TEST_UNIT_READY:
        return LB_ASK_READY;
    case LB_SCSI_SERVICE_ACTION_IN_16:
        return LB_ASK_CAPACITY_16;
    case LB_SCSI_READ_CAPACITY_10:
        return LB_ASK_CAPACITY_10;
    case LB_SCSI_MODE_SENSE_6:
        return LB_ASK_MODE;
    case LB_SCSI_START_STOP_UNIT:
        return LB_ASK_START;
    default:
        return LB_ASK_COUNT;
    }
}

static inline struct ending disk_ending(const uint8_t cdb[16]) {
    for (size_t i = 0; i < LB_COUNT(d.endings); i++) {
        if (d.endings[i].op != cdb[0] || d.endings[i].times == 0 ||
            (d.endings[i].of_vpd && (cdb[1] & 1) == 0))
            continue;
        d.endings[i].times--;
        return d.endings[i];
    }
    return (struct ending){.status = LB_SCSI_GOOD};
}

static inline void disk_respond(uint32_t itt, const struct ending *ending) {
    uint8_t sense[20] = {0, 18, ending->is_deferred ? 0x71 : 0x70, 0, ending->key};
    struct lb_iscsi_pdu pdu = {
        .opcode = LB_OP_SCSI_RESPONSE,
        .final = true,
        .itt = itt,
        .response = {.response = ending->response, .status = ending->status},
    };
    sense[9] = 10;
    sense[14] = ending->asc;
    sense[15] = ending->ascq;
    peer_give(&pdu, ending->status == LB_SCSI_CHECK_CONDITION && ending->key != 0
                        ? lb_bytes(sense, sizeof sense)
                        : lb_bytes(NULL, 0));
}

/* GOOD, with data; what is less than was asked for is an underflow. */
static inline void disk_give(uint32_t itt, uint32_t wanted, struct lb_bytes data) {
    data.len = LB_MIN(data.len, (size_t)wanted);
    struct lb_iscsi_pdu pdu = {
        .opcode = LB_OP_DATA_IN,
        .final = true,
        .itt = itt,
        .ttt = LB_ISCSI_NO_TAG,
        .data_in = {.has_status = true,
                    .underflow = data.len < wanted || d.says_u,
                    .residual = wanted - (uint32_t)data.len},
    };
    peer_give(&pdu, data);
}

static inline void disk_log(const uint8_t cdb[16]) {
    struct lb_rd rd = lb_rd(lb_bytes(cdb + 2, 14));
    bool is_long = cdb[0] == LB_SCSI_READ_16 || cdb[0] == LB_SCSI_WRITE_16;
    struct said said = {.op = cdb[0], .at = peer.now};
    said.lba = is_long ? lb_rd_u64(&rd) : lb_rd_u32(&rd);
    if (!is_long)
        lb_rd_u8(&rd);
    said.blocks = is_long ? lb_rd_u32(&rd) : lb_rd_u16(&rd);
    lb_assert(d.log_count < DISK_LOG);
    d.log[d.log_count++] = said;
    d.count[cdb[0]]++;
    d.first_us = d.log_count == 1 ? peer.now : d.first_us;
    d.last_us = peer.now;
}

/* Where a READ or WRITE of the script's small window is in memory: the rest of a big disk is one
 * block over and over. */
static inline uint8_t *disk_at(const struct said *said) {
    uint64_t at = said->lba * d.block_bytes;
    return d.memory + (at + (uint64_t)said->blocks * d.block_bytes <= DISK_BYTES ? at : 0);
}

static inline void disk_answer(void) {
    struct lb_iscsi_pdu command = peer.pdu;
    const uint8_t *cdb = command.command.cdb;
    enum lb_disk_question question = disk_question(cdb);
    disk_log(cdb);
    struct said said = d.log[d.log_count - 1];
    peer.exp_cmd_sn = command.cmd_sn + 1;
    struct ending ending = disk_ending(cdb);
    bool is_vpd = cdb[0] == LB_SCSI_INQUIRY && (cdb[1] & 1);
    if (ending.is_silent || (is_vpd && d.is_mute_on_vpd))
        return;
    if (d.most_blocks != 0 && question == LB_ASK_COUNT && said.blocks > d.most_blocks)
        ending = (struct ending){.status = 2, .key = 5, .asc = d.most_asc};
    if (ending.status != LB_SCSI_GOOD || ending.response != 0) {
        disk_respond(command.itt, &ending);
    } else if (command.command.write) {
        CHECK_EQ(peer.data.len, command.command.edtl);
        memcpy(disk_at(&said), peer.data.p, peer.data.len);
        disk_respond(command.itt, &ending);
    } else if (question == LB_ASK_COUNT && command.command.read) {
        disk_give(command.itt, command.command.edtl,
                  lb_bytes(disk_at(&said), command.command.edtl - ending.missing));
    } else if (command.command.read) {
        disk_give(command.itt, command.command.edtl, d.replies[question]);
    } else {
        disk_respond(command.itt, &ending);
    }
}

/* A function is complete, and says nothing of the task's own answer, where is_managed is set. */
static inline void disk_answer_tmf(void) {
    struct lb_iscsi_pdu pdu = {
        .opcode = LB_OP_TMF_RESPONSE,
        .final = true,
        .itt = peer.pdu.itt,
        .tmf_response = {.response = LB_TMF_COMPLETE},
    };
    if (d.is_managed)
        peer_give(&pdu, lb_bytes(NULL, 0));
}

/* Serves what the session sent. True: there was something. */
static inline bool disk_serve(void) {
    bool did = false;
    while (peer_take()) {
        did = true;
        if (peer.pdu.opcode == LB_OP_SCSI_COMMAND)
            disk_answer();
        else if (peer.pdu.opcode == LB_OP_LOGIN_REQUEST)
            peer_answer_login(true, LB_LOGIN_STAGE_FULL_FEATURE, TEXT(DISK_KEYS));
        else if (peer.pdu.opcode == LB_OP_TMF_REQUEST)
            disk_answer_tmf();
        else
            CHECK_EQ(peer.pdu.opcode, LB_OP_NOP_OUT);
    }
    return did;
}

/* ---- running -------------------------------------------------------------------------------- */

static inline uint64_t disk_turn_session(void) {
    for (unsigned polls = 0; polls < 30; polls++) {
        struct lb_initiator_action action = lb_initiator_poll(&peer.session, peer.now);
        if (action.event == LB_INITIATOR_WAIT)
            return action.until_us;
        if (action.event == LB_INITIATOR_CONNECT && d.is_gone)
            lb_initiator_lost(&peer.session, peer.now, LB_LOST_REFUSED);
        else if (action.event == LB_INITIATOR_CONNECT)
            peer_accept();
    }
    CHECK(false); /* polls are bounded */
    return LB_NEVER;
}

static inline unsigned disk_take_completed(void) {
    struct lb_disk_op *op;
    unsigned count = 0;
    while ((op = lb_disk_completed(&d.disk)) != NULL) {
        d.completions[op->user]++;
        count++;
    }
    return count;
}

/* A turn of everybody; when there is nothing to do the clock goes on, not beyond end_us. */
static inline void disk_turn(uint64_t end_us) {
    enum lb_disk_state before = d.disk.state;
    uint64_t until_us = disk_turn_session();
    uint64_t disk_us = lb_disk_poll(&d.disk, peer.now);
    bool has_news = disk_take_completed() > 0 || d.disk.state != before;
    if (disk_serve() || has_news)
        return;
    CHECK(until_us > peer.now && disk_us > peer.now);
    peer.now = LB_MAX(peer.now + 1, LB_MIN(LB_MIN(until_us, disk_us), end_us));
}

static inline void disk_pass(uint64_t us) {
    uint64_t end_us = peer.now + us;
    while (peer.now < end_us)
        disk_turn(end_us);
}

/* The connection breaks. */
static inline void disk_cut(void) {
    lb_initiator_lost(&peer.session, peer.now, LB_LOST_CLOSED);
}

/* ---- setting up ----------------------------------------------------------------------------- */

static inline void disk_reply(enum lb_disk_question question, const char *hex) {
    d.replies[question] = tap_hex(hex);
}

static inline void disk_fails(struct ending ending) {
    size_t i = 0;
    while (d.endings[i].times > 0)
        i++;
    d.endings[i] = ending;
}

/* The next READ(10) meets this UNIT ATTENTION. */
static inline void disk_attention(uint8_t asc, uint8_t ascq) {
    disk_fails((struct ending){
        .op = LB_SCSI_READ_10, .times = 1, .status = 2, .key = 6, .asc = asc, .ascq = ascq});
}

#define ALWAYS 100000

static inline void disk_capacity(uint64_t last, uint32_t block_bytes) {
    static uint8_t replies[16][40];
    static unsigned next;
    uint8_t *room = replies[next++ % 16];
    struct lb_wr wr = lb_wr(lb_span(room, 40));
    lb_wr_u64(&wr, last);
    lb_wr_u32(&wr, block_bytes);
    lb_wr_zero(&wr, 20);
    lb_wr_u32(&wr, last > UINT32_MAX ? UINT32_MAX : (uint32_t)last);
    lb_wr_u32(&wr, block_bytes);
    d.replies[LB_ASK_CAPACITY_16] = lb_bytes(room, 32);
    d.replies[LB_ASK_CAPACITY_10] = lb_bytes(room + 32, 8);
    d.block_bytes = block_bytes;
}

static inline void disk_init(void) {
    memset(&d, 0, sizeof d);
    d.ready_ms = 5000;
    peer_configure();
    peer.config.ping_ms = UINT32_MAX;
    disk_reply(LB_ASK_INQUIRY, "00 00 06 02 1f 00 00 00"
                               "41 63 6d 65 20 20 20 20"                         /* Acme */
                               "42 69 67 20 44 69 73 6b 20 20 20 20 20 20 20 20" /* Big Disk */
                               "31 2e 30 20");
    disk_reply(LB_ASK_LUNS, "00000010 00000000 0000000000000000 0001000000000000");
    disk_reply(LB_ASK_MODE, "03 00 00 00");
    disk_reply(LB_ASK_SERIAL, "00 80 0004 53 4e 30 37"); /* SN07 */
    disk_reply(LB_ASK_IDS, "00 83 000c 01 03 00 08 6001405000000001");
    disk_reply(LB_ASK_LIMITS, "00 b0 003c 00 00 0000 00000000 00000000");
    disk_capacity(DISK_BYTES / 512 - 1, 512);
    for (size_t i = 0; i < DISK_BYTES; i++)
        d.memory[i] = (uint8_t)(i / 512 * 7 + i % 512);
}

/* Logs in and asks; the answers come with disk_pass. */
static inline void disk_begin(void) {
    const uint8_t lun[8] = {0, d.lun != 0 ? d.lun : 1};
    peer_connect();
    peer_log_in_with(d.asks ? TEXT(DISK_ASKED) : TEXT(DISK_KEYS));
    lb_disk_init(&d.disk, &peer.session, lun, d.ready_ms, &peer.trace);
    if (d.expected != NULL)
        lb_disk_start_as(&d.disk, peer.now, d.expected);
    else
        lb_disk_start(&d.disk, peer.now);
}

static inline void disk_show(void) {
    char line[LB_TRACE_LINE_MAX];
    lb_trace_rewind(&peer.trace);
    for (unsigned i = 0; i < 40 && lb_trace_next(&peer.trace, line); i++)
        tap_note("%s", line);
}

/* Begins, and must come up within two minutes. */
static inline bool disk_comes_up(void) {
    disk_begin();
    uint64_t end_us = peer.now + 120 * SEC;
    while (peer.now < end_us && !lb_disk_is_up(&d.disk) && lb_is_ok(lb_disk_error(&d.disk)))
        disk_turn(end_us);
    if (CHECK(lb_disk_is_up(&d.disk)))
        return true;
    tap_note("%s: %s", lb_code_word(lb_disk_error(&d.disk)->code), lb_disk_error(&d.disk)->facts);
    disk_show();
    return false;
}

/* From here on, or false: it does not come up in this time. */
static inline bool disk_is_up_within(uint64_t us) {
    uint64_t end_us = peer.now + us;
    while (!lb_disk_is_up(&d.disk) && peer.now < end_us)
        disk_pass(100 * MS);
    return CHECK(lb_disk_is_up(&d.disk));
}

/* A disk that is up, with the commands of the bring-up not counted; false: it did not come up. */
static inline bool disk_bring_up(void) {
    disk_init();
    if (!disk_comes_up())
        return false;
    d.log_count = 0;
    memset(d.count, 0, sizeof d.count);
    return true;
}

/* Begins, and must fail in this way within two minutes. */
static inline void disk_stays_down(enum lb_code code, const char *facts) {
    disk_begin();
    uint64_t end_us = peer.now + 120 * SEC;
    while (peer.now < end_us && !lb_disk_is_up(&d.disk) && lb_is_ok(lb_disk_error(&d.disk)))
        disk_turn(end_us);
    CHECK(!lb_disk_is_up(&d.disk));
    if (!CHECK_STR(lb_code_word(lb_disk_error(&d.disk)->code), lb_code_word(code)) ||
        !CHECK_HAS(lb_disk_error(&d.disk)->facts, facts))
        disk_show();
}

/* ---- requests ------------------------------------------------------------------------------- */

static inline struct lb_disk_op *disk_submit(enum lb_disk_kind kind, uint64_t lba,
                                             uint32_t blocks) {
    static unsigned number;
    number = d.ops[0].buffer == NULL ? 0 : number + 1;
    lb_assert(number < DISK_OPS);
    d.ops[number] = (struct lb_disk_op){
        .kind = kind, .lba = lba, .blocks = blocks, .buffer = d.buffer, .user = number};
    lb_disk_submit(&d.disk, peer.now, &d.ops[number]);
    return &d.ops[number];
}

/* The request has had its end, once, and with this error. */
static inline bool disk_check_end(const struct lb_disk_op *op, enum lb_code code,
                                  const char *facts) {
    disk_take_completed();
    if (CHECK_EQ(d.completions[op->user], 1) &&
        CHECK_STR(lb_code_word(op->error.code), lb_code_word(code)) &&
        CHECK_HAS(op->error.facts, facts))
        return true;
    disk_show();
    return false;
}

/* Submits one, lets two minutes pass at the most, and looks at its end. */
static inline struct lb_disk_op *disk_run(enum lb_disk_kind kind, uint64_t lba, uint32_t blocks,
                                          enum lb_code code, const char *facts) {
    struct lb_disk_op *op = disk_submit(kind, lba, blocks);
    uint64_t end_us = peer.now + 120 * SEC;
    while (peer.now < end_us && d.completions[op->user] == 0)
        disk_turn(end_us);
    disk_check_end(op, code, facts);
    return op;
}

#endif
