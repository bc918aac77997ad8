/* A scripted target for the tests of the initiator: PDUs made by hand, one at a time. It shares the
 * codec of headers with the session and nothing else; framing and digests are done anew here. */
#ifndef LB_TEST_INITIATOR_PEER_H
#define LB_TEST_INITIATOR_PEER_H

#include "core/initiator/initiator_session.h"
#include "tests/tap.h"

#define PEER_TARGET "iqn.2026-11.test:disk"
#define TEXT(s)     lb_bytes((s), sizeof(s) - 1) /* with embedded NULs, without the last one */

struct peer {
    struct lb_initiator session;
    struct lb_initiator_config config;
    struct lb_rand rand;
    struct lb_trace trace;
    char ring[65536];
    uint8_t rx[65536];
    uint64_t now;
    size_t split; /* bytes a read; 0: as many as there is room for */
    bool header_digest, data_digest;

    /* What the session sent, and the PDU taken last from it. */
    uint8_t wire[1 << 20];
    size_t wire_len, wire_at;
    struct lb_iscsi_pdu pdu;
    struct lb_bytes data;

    uint32_t stat_sn, window; /* of what we send; window: commands beyond ExpCmdSN */
    uint32_t exp_cmd_sn;
};

static struct peer peer;

/* Lets the session send everything. */
static inline void peer_drain(void) {
    struct lb_bytes pieces[8];
    size_t count;
    while ((count = lb_initiator_gather(&peer.session, pieces, 8)) > 0) {
        size_t len = 0;
        for (size_t i = 0; i < count; i++) {
            lb_assert(peer.wire_len + pieces[i].len <= sizeof peer.wire);
            memcpy(peer.wire + peer.wire_len, pieces[i].p, pieces[i].len);
            peer.wire_len += pieces[i].len;
            len += pieces[i].len;
        }
        lb_initiator_sent(&peer.session, peer.now, len);
    }
}

/* The next PDU of the session into peer.pdu and peer.data; false when there is none. */
static inline bool peer_take(void) {
    peer_drain();
    struct lb_rd rd = lb_rd(lb_bytes(peer.wire + peer.wire_at, peer.wire_len - peer.wire_at));
    struct lb_bytes bhs = lb_rd_bytes(&rd, 48);
    if (peer.header_digest) {
        uint32_t crc = lb_rd_u32le(&rd);
        CHECK_EQ(crc, lb_crc32c(0, bhs.p, bhs.len));
    }
    if (!lb_rd_ok(&rd) || !lb_iscsi_decode(bhs.p, &peer.pdu))
        return false;
    peer.data = lb_rd_bytes(&rd, peer.pdu.data_len);
    struct lb_bytes pad = lb_rd_bytes(&rd, -peer.pdu.data_len & 3);
    for (size_t i = 0; i < pad.len; i++)
        CHECK_EQ(pad.p[i], 0);
    if (peer.data_digest && peer.data.len > 0) {
        uint32_t crc = lb_rd_u32le(&rd);
        CHECK_EQ(crc, lb_crc32c(0, peer.data.p, peer.data.len + pad.len));
    }
    if (!lb_rd_ok(&rd))
        return false;
    peer.wire_at = peer.wire_len - rd.left;
    return true;
}

static inline bool peer_take_op(enum lb_iscsi_opcode opcode) {
    return CHECK(peer_take()) && CHECK_EQ(peer.pdu.opcode, opcode);
}

/* Bytes to the session, in reads of peer.split. */
static inline void peer_feed(struct lb_bytes bytes) {
    while (bytes.len > 0) {
        struct lb_span spans[2];
        size_t count = lb_initiator_where(&peer.session, spans), got = 0;
        size_t limit = peer.split > 0 ? LB_MIN(peer.split, bytes.len) : bytes.len;
        for (size_t i = 0; i < count && got < limit; i++) {
            size_t len = LB_MIN(spans[i].len, limit - got);
            memcpy(spans[i].p, bytes.p + got, len);
            got += len;
        }
        if (got == 0)
            return; /* the session has closed */
        lb_initiator_got(&peer.session, peer.now, got);
        bytes = lb_bytes_after(bytes, got);
    }
}

/* A PDU as bytes, with its padding and digests. */
static inline struct lb_bytes peer_make(const struct lb_iscsi_pdu *pdu, struct lb_bytes data) {
    static uint8_t room[1 << 20];
    static const uint8_t zero[3];
    struct lb_iscsi_pdu copy = *pdu;
    uint8_t bhs[48];
    copy.data_len = (uint32_t)data.len;
    lb_iscsi_encode(&copy, bhs);
    struct lb_wr wr = lb_wr(lb_span(room, sizeof room));
    lb_wr_bytes(&wr, lb_bytes(bhs, sizeof bhs));
    if (peer.header_digest)
        lb_wr_u32le(&wr, lb_crc32c(0, bhs, sizeof bhs));
    size_t pad = -data.len & 3;
    lb_wr_bytes(&wr, data);
    lb_wr_bytes(&wr, lb_bytes(zero, pad));
    if (peer.data_digest && data.len > 0)
        lb_wr_u32le(&wr, lb_crc32c(lb_crc32c(0, data.p, data.len), zero, pad));
    lb_assert(lb_wr_ok(&wr));
    return lb_wr_done(&wr);
}

/* Fills the counters and sends. StatSN goes on with every PDU that has one. */
static inline void peer_give(struct lb_iscsi_pdu *pdu, struct lb_bytes data) {
    bool counts = pdu->opcode != LB_OP_R2T &&
                  (pdu->opcode != LB_OP_DATA_IN || pdu->data_in.has_status) &&
                  (pdu->opcode != LB_OP_NOP_IN || pdu->itt != LB_ISCSI_NO_TAG);
    pdu->stat_sn = peer.stat_sn;
    pdu->exp_cmd_sn = peer.exp_cmd_sn;
    pdu->max_cmd_sn = peer.exp_cmd_sn + peer.window - 1;
    if (counts)
        peer.stat_sn++;
    peer_feed(peer_make(pdu, data));
}

/* Polls until there is nothing to do but wait; gives the last event that was not WAIT. */
static inline struct lb_initiator_action peer_poll(void) {
    struct lb_initiator_action last = {.event = LB_INITIATOR_WAIT};
    for (int i = 0; i < 20; i++) {
        struct lb_initiator_action action = lb_initiator_poll(&peer.session, peer.now);
        if (action.event == LB_INITIATOR_WAIT)
            return last;
        last = action;
    }
    CHECK(false); /* polls are bounded */
    return last;
}

/* Lets time pass up to the session's own deadline, which must come; gives what it says then. */
static inline struct lb_initiator_action peer_wait(void) {
    struct lb_initiator_action action = lb_initiator_poll(&peer.session, peer.now);
    if (action.event != LB_INITIATOR_WAIT)
        return action;
    if (!CHECK(action.until_us != LB_NEVER) || !CHECK(action.until_us > peer.now))
        return action;
    peer.now = action.until_us;
    return lb_initiator_poll(&peer.session, peer.now);
}

/* The configuration of most tests, to be changed before peer_connect. */
static inline void peer_configure(void) {
    static const uint8_t seed[LB_RAND_SEED_BYTES] = {7};
    memset(&peer, 0, sizeof peer);
    lb_rand_init(&peer.rand, seed);
    peer.now = 1000000;
    peer.window = 32;
    peer.stat_sn = 100;
    struct lb_initiator_config *c = &peer.config;
    lb_text_copy(c->initiator, sizeof c->initiator, TEXT("iqn.2026-11.test:me"));
    lb_text_copy(c->target, sizeof c->target, TEXT(PEER_TARGET));
    c->isid[0] = 0x80;
    c->isid[5] = 9;
    c->portal.addr = lb_addr_v4(192, 0, 2, 1);
    c->portal.port = 3260;
    c->recover = true;
    lb_trace_init(&peer.trace, peer.now, lb_span(peer.ring, sizeof peer.ring));
}

/* A new connection: no bytes of the old one. */
static inline void peer_accept(void) {
    peer.wire_len = peer.wire_at = 0;
    peer.header_digest = peer.data_digest = false;
    lb_initiator_connected(&peer.session, peer.now);
}

static inline void peer_connect(void) {
    lb_initiator_init(&peer.session, peer.now, &peer.config, lb_span(peer.rx, sizeof peer.rx),
                      &peer.rand, &peer.trace);
    lb_initiator_start(&peer.session, peer.now);
    CHECK_EQ(peer_poll().event, LB_INITIATOR_CONNECT);
    peer_accept();
}

/* An answer to the login request that was taken last. */
static inline void peer_answer_login(bool transition, uint8_t nsg, struct lb_bytes text) {
    struct lb_iscsi_pdu pdu = {
        .opcode = LB_OP_LOGIN_RESPONSE,
        .final = transition,
        .itt = peer.pdu.itt,
        .login = {.csg = peer.pdu.login.csg, .nsg = transition ? nsg : 0, .tsih = 0x1234},
    };
    memcpy(pdu.login.isid, peer.pdu.login.isid, sizeof pdu.login.isid);
    peer.exp_cmd_sn = peer.pdu.cmd_sn;
    peer_give(&pdu, text);
}

static inline void peer_refuse_login(uint16_t status, struct lb_bytes text) {
    struct lb_iscsi_pdu pdu = {
        .opcode = LB_OP_LOGIN_RESPONSE,
        .itt = peer.pdu.itt,
        .login = {.csg = peer.pdu.login.csg,
                  .status_class = (uint8_t)(status >> 8),
                  .status_detail = (uint8_t)status},
    };
    peer_give(&pdu, text);
}

#define PEER_KEYS                                                                                  \
    "TargetPortalGroupTag=1\0HeaderDigest=None\0DataDigest=None\0MaxRecvDataSegmentLength=8192\0"  \
    "DefaultTime2Wait=2\0DefaultTime2Retain=0\0ErrorRecoveryLevel=0\0InitialR2T=Yes\0"             \
    "ImmediateData=No\0MaxBurstLength=65536\0FirstBurstLength=16384\0MaxOutstandingR2T=1\0"        \
    "MaxConnections=1\0DataPDUInOrder=Yes\0DataSequenceInOrder=Yes\0"

/* Takes the one request and agrees to these keys. */
static inline void peer_log_in_with(struct lb_bytes keys) {
    if (!peer_take_op(LB_OP_LOGIN_REQUEST))
        return;
    peer_answer_login(true, LB_LOGIN_STAGE_FULL_FEATURE, keys);
    CHECK_EQ(peer_poll().event, LB_INITIATOR_READY);
}

/* The shortest way to full feature phase. */
static inline void peer_log_in(void) {
    peer_connect();
    peer_log_in_with(TEXT(PEER_KEYS));
}

/* The session has failed for good with this code; facts have this in them. */
static inline void peer_check_failed(enum lb_code code, const char *facts) {
    CHECK_EQ(peer_poll().event, LB_INITIATOR_FAILED);
    CHECK_EQ(lb_initiator_state(&peer.session), LB_INITIATOR_ENDED);
    CHECK_STR(lb_code_word(lb_initiator_error(&peer.session)->code), lb_code_word(code));
    CHECK_HAS(lb_initiator_error(&peer.session)->facts, facts);
}

/* Time2Wait passes, the session connects and logs in again. */
static inline void peer_come_back(void) {
    for (int i = 0; i < 10 && lb_initiator_state(&peer.session) != LB_INITIATOR_CONNECTING; i++)
        (void)peer_wait();
    CHECK_EQ(lb_initiator_state(&peer.session), LB_INITIATOR_CONNECTING);
    (void)peer_poll();
    peer_accept();
    peer_log_in_with(TEXT(PEER_KEYS));
}

/* ---- tasks ---- */

static inline void peer_read(struct lb_initiator_task *task, struct lb_span in) {
    memset(task, 0, sizeof *task);
    task->cdb[0] = 0x28;
    task->lun[1] = 1;
    task->in = in;
    lb_initiator_submit(&peer.session, peer.now, task);
}

static inline void peer_write(struct lb_initiator_task *task, struct lb_bytes out) {
    memset(task, 0, sizeof *task);
    task->cdb[0] = 0x2a;
    task->lun[1] = 1;
    task->out = out;
    lb_initiator_submit(&peer.session, peer.now, task);
}

static inline void peer_data_in(uint32_t itt, uint32_t data_sn, uint32_t offset, bool status,
                                struct lb_bytes data) {
    struct lb_iscsi_pdu pdu = {
        .opcode = LB_OP_DATA_IN,
        .final = status,
        .itt = itt,
        .ttt = LB_ISCSI_NO_TAG,
        .data_in = {.has_status = status, .data_sn = data_sn, .buffer_offset = offset},
    };
    peer_give(&pdu, data);
}

static inline void peer_respond(uint32_t itt, uint8_t status, struct lb_bytes sense) {
    struct lb_iscsi_pdu pdu = {
        .opcode = LB_OP_SCSI_RESPONSE,
        .final = true,
        .itt = itt,
        .response = {.status = status},
    };
    peer.exp_cmd_sn++;
    peer_give(&pdu, sense);
}

static inline void peer_r2t(uint32_t itt, uint32_t ttt, uint32_t r2t_sn, uint32_t offset,
                            uint32_t len) {
    struct lb_iscsi_pdu pdu = {
        .opcode = LB_OP_R2T,
        .final = true,
        .itt = itt,
        .ttt = ttt,
        .r2t = {.r2t_sn = r2t_sn, .buffer_offset = offset, .desired_len = len},
    };
    peer_give(&pdu, lb_bytes(NULL, 0));
}

#endif
