/* An enemy between the target and the client who knows the protocol: he changes one field of a PDU,
 * so that it breaks a rule (RFC 7143) and would hurt whoever takes it. The client has to see it and
 * to leave the connection, without another word. What he cannot change is what the disk holds, so
 * the checks of reads and writes count in these worlds, too. */
#include "core/crypto/crypto.h"
#include "core/initiator/initiator_session.h"
#include "hosts/sim/sim.h"
#include <string.h>

#define TIGHT_BYTES 16384 /* a pipe with less room may not have room for a whole PDU */

/* ---- bytes of the pipe ----------------------------------------------------------------------- */

static void peek(const struct sim_pipe *pipe, uint64_t at, struct lb_span to) {
    for (size_t i = 0; i < to.len; i++)
        to.p[i] = pipe->ring[(at + i) % SIM_PIPE_BYTES];
}

static void poke(struct sim_pipe *pipe, uint64_t at, struct lb_bytes bytes) {
    for (size_t i = 0; i < bytes.len; i++)
        pipe->ring[(at + i) % SIM_PIPE_BYTES] = bytes.p[i];
}

static void poke_header(struct sim_pipe *pipe, const struct sim_wire *wire,
                        const struct lb_iscsi_pdu *pdu) {
    uint8_t bhs[LB_ISCSI_BHS_BYTES], digest[4];
    struct lb_wr wr = lb_wr(lb_span(digest, sizeof digest));
    lb_iscsi_encode(pdu, bhs);
    poke(pipe, wire->scan_at, lb_bytes(bhs, sizeof bhs));
    lb_wr_u32le(&wr, lb_crc32c(0, bhs, sizeof bhs));
    if (wire->is_full && wire->header_digest)
        poke(pipe, wire->scan_at + sizeof bhs, lb_bytes(digest, sizeof digest));
}

/* ---- one field of a header ---------------------------------------------------------------------
 * Each gives what was changed, in words; NULL: nothing. */

static uint32_t length_of(const struct sim *sim, uint32_t itt) {
    const struct sim_sents *sent = &sim->witness.wire.sent;
    for (size_t i = 0; i < sent->count; i++)
        if (sent->at[i].itt == itt)
            return sent->at[i].edtl;
    return 0;
}

/* An answer to this tag may come: the client has asked, or has given it up. */
static bool may_be_answered(const struct sim *sim, uint32_t itt) {
    const struct sim_wire *wire = &sim->witness.wire;
    for (size_t i = 0; i < wire->sent.count; i++)
        if (wire->sent.at[i].itt == itt)
            return true;
    for (size_t i = 0; i < wire->aborted_count; i++)
        if (wire->aborted[i].itt == itt)
            return true;
    return (wire->tmf_is_out && wire->tmf_itt == itt) ||
           lb_initiator_is_orphan(&sim->boot.path.session, itt);
}

static const char *forge_stat_sn(struct sim *sim, struct lb_iscsi_pdu *pdu) {
    pdu->stat_sn += sim_other_between(&sim->world, 1, 1000);
    return "a gap in StatSN";
}

static const char *forge_itt(struct sim *sim, struct lb_iscsi_pdu *pdu) {
    pdu->itt ^= UINT32_C(1) << sim_other_below(&sim->world, 32);
    return may_be_answered(sim, pdu->itt) ? NULL : "an answer of another tag";
}

static const char *forge_offset(struct sim *sim, struct lb_iscsi_pdu *pdu) {
    uint32_t len = length_of(sim, pdu->itt), at = pdu->data_in.buffer_offset;
    if (pdu->data_len == 0 || len < pdu->data_len)
        return NULL;
    uint32_t last = len - pdu->data_len;
    pdu->data_in.buffer_offset = sim_other_one_in(&sim->world, 4)
                                     ? last + sim_other_between(&sim->world, 1, 8192)
                                     : sim_other_between(&sim->world, 0, last);
    return pdu->data_in.buffer_offset != at ? "Data-In of another offset" : NULL;
}

static const char *forge_data_in(struct sim *sim, struct lb_iscsi_pdu *pdu) {
    switch (sim_other_below(&sim->world, 4)) {
    case 0:
        pdu->data_in.data_sn += sim_other_between(&sim->world, 1, 3);
        return "a gap in DataSN";
    case 1:
        return pdu->data_in.has_status ? forge_stat_sn(sim, pdu) : forge_offset(sim, pdu);
    case 2:
        return forge_itt(sim, pdu);
    default:
        return forge_offset(sim, pdu);
    }
}

static const char *forge_r2t(struct sim *sim, struct lb_iscsi_pdu *pdu) {
    switch (sim_other_below(&sim->world, 5)) {
    case 0:
        pdu->r2t.r2t_sn++;
        return "a gap in R2TSN";
    case 1:
        pdu->r2t.buffer_offset = length_of(sim, pdu->itt);
        return "R2T beyond the end";
    case 2:
        pdu->r2t.desired_len = 0;
        return "R2T for nothing";
    case 3:
        pdu->ttt = LB_ISCSI_NO_TAG;
        return "R2T with the reserved tag";
    default:
        return forge_itt(sim, pdu);
    }
}

static const char *forge_response(struct sim *sim, struct lb_iscsi_pdu *pdu) {
    switch (sim_other_below(&sim->world, 3)) {
    case 0:
        pdu->response.overflow = pdu->response.underflow = true;
        return "a response with both residuals";
    case 1:
        return forge_itt(sim, pdu);
    default:
        return forge_stat_sn(sim, pdu);
    }
}

static const char *forge_header(struct sim *sim, struct lb_iscsi_pdu *pdu) {
    switch ((unsigned)pdu->opcode) {
    case LB_OP_DATA_IN:
        return forge_data_in(sim, pdu);
    case LB_OP_R2T:
        return forge_r2t(sim, pdu);
    case LB_OP_SCSI_RESPONSE:
        return forge_response(sim, pdu);
    case LB_OP_TMF_RESPONSE:
        return sim_other_one_in(&sim->world, 4) ? forge_stat_sn(sim, pdu) : forge_itt(sim, pdu);
    case LB_OP_NOP_IN:
        return pdu->itt != LB_ISCSI_NO_TAG ? forge_stat_sn(sim, pdu) : NULL;
    case LB_OP_ASYNC:
    case LB_OP_TEXT_RESPONSE:
        return forge_stat_sn(sim, pdu);
    default:
        return NULL;
    }
}

/* ---- CHAP: RFC 7143 12.1.3 ------------------------------------------------------------------- */

/* Where the digits of this key begin in the text; SIZE_MAX: they are not there, or not so many. */
static size_t find_digits(struct lb_bytes text, const char *key, size_t count) {
    size_t key_len = strlen(key);
    for (size_t at = 0; at + key_len + count < text.len; at++)
        if (memcmp(text.p + at, key, key_len) == 0 && text.p[at + key_len + count] == '\0')
            return at + key_len;
    return SIZE_MAX;
}

static bool replace(struct lb_span text, const char *key, struct lb_bytes value) {
    char hex[2 + 2 * LB_CHAP_BINARY_MAX + 1];
    struct lb_text digits = lb_text(hex, sizeof hex);
    lb_chap_format_hex(&digits, value);
    size_t at = find_digits(lb_bytes(text.p, text.len), key, digits.len);
    if (value.len == 0 || at == SIZE_MAX)
        return false;
    memcpy(text.p + at, hex, digits.len);
    return true;
}

/* The client's own challenge, of this login or the one before, is given back to it; or is answered
 * with its own secret, which a peer may have been given by mistake. */
static const char *forge_chap(struct sim *sim, struct lb_span text) {
    const struct lb_initiator *session = &sim->boot.path.session;
    struct lb_bytes secret = lb_bytes_of_text(sim->secrets[0]);
    struct lb_chap_response response;
    if (session->issued.len == 0)
        return NULL;
    if (replace(text, "CHAP_C=", lb_bytes(session->issued.data, session->issued.len)))
        return "the client's own challenge";
    if (!session->login.has_alg)
        return NULL;
    lb_chap_respond(session->login.alg, secret, &session->issued, &response);
    return replace(text, "CHAP_R=", lb_bytes(response.data, response.len))
               ? "an answer with the client's own secret"
               : NULL;
}

/* ---- PDUs ------------------------------------------------------------------------------------ */

static void note(struct sim *sim, const char *what, uint64_t end, enum lb_code code) {
    struct sim_wire *wire = &sim->witness.wire;
    sim_saw(&sim->world, SIM_FORGED_PDU);
    sim_say(&sim->world, "forger", "%s", what);
    wire->forged = what;
    wire->forged_end = end;
    wire->forged_code = code;
    wire->forged_data = LB_ISCSI_NO_TAG;
    wire->is_spoiled = true;
}

static void forge_login(struct sim *sim, struct sim_pipe *pipe, const struct lb_iscsi_pdu *pdu,
                        size_t rest) {
    struct sim_wire *wire = &sim->witness.wire;
    uint8_t text[SIM_FORGER_BYTES];
    uint64_t at = wire->scan_at + LB_ISCSI_BHS_BYTES;
    if (pdu->ahs_len > 0 || pdu->data_len > sizeof text)
        return;
    peek(pipe, at, lb_span(text, pdu->data_len));
    const char *what = forge_chap(sim, lb_span(text, pdu->data_len));
    if (what == NULL)
        return;
    sim_saw(&sim->world, SIM_FORGED_CHAP);
    poke(pipe, at, lb_bytes(text, pdu->data_len));
    note(sim, what, at + rest, LB_E_AUTH_REFLECTED);
}

static void forge(struct sim *sim, struct sim_pipe *pipe, struct lb_iscsi_pdu *pdu, size_t rest) {
    struct sim_wire *wire = &sim->witness.wire;
    if (pdu->opcode == LB_OP_LOGIN_RESPONSE) {
        if (sim_other_one_in(&sim->world, 4))
            forge_login(sim, pipe, pdu, rest);
        return;
    }
    bool is_rare = pdu->opcode == LB_OP_TMF_RESPONSE && sim_other_one_in(&sim->world, 2);
    if (!wire->is_full || (!is_rare && !sim_other_happens(&sim->world, SIM_FORGED_PDU)))
        return;
    const char *what = forge_header(sim, pdu);
    if (what == NULL)
        return;
    poke_header(pipe, wire, pdu);
    note(sim, what, wire->scan_at + LB_ISCSI_BHS_BYTES + rest, LB_E_PROTOCOL);
    if (pdu->opcode == LB_OP_DATA_IN)
        wire->forged_data = pdu->itt;
}

/* Looks at the next PDU. False: it is not all there that has to be looked at. */
static bool look(struct sim *sim, struct sim_pipe *pipe) {
    struct sim_wire *wire = &sim->witness.wire;
    uint8_t bhs[LB_ISCSI_BHS_BYTES];
    struct lb_iscsi_pdu pdu;
    uint64_t there = pipe->readable - wire->scan_at;
    if (there < LB_ISCSI_BHS_BYTES)
        return false;
    peek(pipe, wire->scan_at, lb_span(bhs, sizeof bhs));
    size_t rest = sim_wire_rest(wire, bhs);
    bool is_known = lb_iscsi_decode(bhs, &pdu);
    bool is_login = is_known && pdu.opcode == LB_OP_LOGIN_RESPONSE;
    size_t digest = wire->is_full && wire->header_digest ? 4 : 0;
    if (there < LB_ISCSI_BHS_BYTES + (is_login ? rest : digest))
        return false;
    if (is_known)
        forge(sim, pipe, &pdu, rest);
    wire->scan_at += LB_ISCSI_BHS_BYTES + rest;
    return true;
}

static bool is_at_work(const struct sim *sim, const struct sim_conn *conn) {
    return sim->world.chance[SIM_FORGED_PDU] > 0 && conn->manner.room >= TIGHT_BYTES &&
           sim->witness.wire.forged == NULL && !sim->witness.wire.is_spoiled &&
           !sim_is_calm(&sim->world);
}

/* In full feature phase each PDU is read as soon as it is there, so the first of them is looked at
 * only when the login is known to be over. */
size_t sim_forger_passes(struct sim *sim, struct sim_conn *conn, size_t ready) {
    struct sim_wire *wire = &sim->witness.wire;
    if (wire->scan_at < conn->down.read || conn->down.is_finished || !is_at_work(sim, conn))
        return ready;
    while (wire->scan_at == conn->down.read || wire->is_full) {
        if (wire->scan_at >= conn->down.readable || !is_at_work(sim, conn) ||
            !look(sim, &conn->down))
            break;
    }
    if (wire->forged != NULL)
        return ready;
    uint64_t may = wire->scan_at - conn->down.read;
    return (size_t)LB_MIN(may, ready);
}

void sim_forger_check(struct sim *sim, const struct sim_conn *conn) {
    struct sim_wire *wire = &sim->witness.wire;
    if (wire->forged == NULL || conn->number != wire->number || conn->down.read < wire->forged_end)
        return;
    /* Data for a question that was given up is nobody's: what is wrong with it does no harm. */
    bool is_nobodys = wire->forged_data != LB_ISCSI_NO_TAG &&
                      lb_initiator_is_orphan(&sim->boot.path.session, wire->forged_data);
    if (!is_nobodys)
        sim_violation(&sim->world, "the session takes %s", wire->forged);
    wire->forged = NULL;
}
