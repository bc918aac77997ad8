/* What the client's session says and hears: numbers (RFC 7143 4.2.2), commands and their order,
 * task management, pings, Time2Wait. */
#include "core/initiator/initiator_session.h"
#include "hosts/sim/sim.h"

/* ---- framing --------------------------------------------------------------------------------- */

size_t sim_wire_rest(const struct sim_wire *wire, const uint8_t bhs[LB_ISCSI_BHS_BYTES]) {
    size_t ahs = (size_t)bhs[4] * 4, data = (size_t)bhs[5] << 16 | (size_t)bhs[6] << 8 | bhs[7];
    size_t digests = wire->is_full ? 4 * (size_t)wire->header_digest : 0;
    if (wire->is_full && wire->data_digest && data > 0)
        digests += 4;
    return ahs + data + (-data & 3) + digests;
}

static void skip(size_t len, struct lb_bytes *bytes) {
    *bytes = lb_bytes_after(*bytes, len);
}

/* Goes on to the end of the next header. False: the bytes end before. */
static bool next_header(const struct sim_wire *wire, struct sim_framer *framer,
                        struct lb_bytes *bytes) {
    size_t rest = (size_t)LB_MIN(framer->left, bytes->len);
    skip(rest, bytes);
    framer->left -= rest;
    if (framer->left > 0)
        return false;
    size_t len = LB_MIN(LB_ISCSI_BHS_BYTES - framer->have, bytes->len);
    memcpy(framer->bhs + framer->have, bytes->p, len);
    skip(len, bytes);
    framer->have += len;
    if (framer->have < LB_ISCSI_BHS_BYTES)
        return false;
    framer->have = 0;
    framer->left = sim_wire_rest(wire, framer->bhs);
    return true;
}

/* The same to the end of the next PDU. */
static bool next_pdu(const struct sim_wire *wire, struct sim_framer *framer,
                     struct lb_bytes *bytes) {
    bool is_in_data = framer->left > 0;
    if (!is_in_data && !next_header(wire, framer, bytes))
        return false;
    size_t rest = (size_t)LB_MIN(framer->left, bytes->len);
    skip(rest, bytes);
    framer->left -= rest;
    return framer->left == 0;
}

/* ---- commands without an answer -------------------------------------------------------------- */

static size_t find_sent(const struct sim_sents *list, uint32_t itt) {
    size_t i = 0;
    while (i < list->count && list->at[i].itt != itt)
        i++;
    return i;
}

static void forget_sent(struct sim_sents *list, uint32_t itt) {
    size_t i = find_sent(list, itt);
    if (i == list->count)
        return;
    memmove(&list->at[i], &list->at[i + 1], (--list->count - i) * sizeof list->at[0]);
}

static void add_sent(struct sim_sents *list, const struct sim_sent *sent) {
    if (list->count < SIM_SENT_MAX)
        list->at[list->count++] = *sent;
}

static bool is_same(const struct sim_sent *a, const struct sim_sent *b) {
    return a->edtl == b->edtl && memcmp(a->cdb, b->cdb, sizeof a->cdb) == 0 &&
           memcmp(a->lun, b->lun, sizeof a->lun) == 0;
}

static bool is_aborted(const struct sim_wire *wire, uint32_t itt) {
    for (size_t i = 0; i < wire->aborted_count; i++)
        if (wire->aborted[i].ref == itt)
            return true;
    return false;
}

/* What was in flight is issued again before what was not issued again yet, each in its order. */
static void lose_sent(struct sim *sim, const uint8_t *lun) {
    struct sim_witness *witness = &sim->witness;
    struct sim_sents *sent = &witness->wire.sent, before = witness->again, rest = {.count = 0};
    witness->again.count = witness->again_next = 0;
    for (size_t i = 0; i < sent->count; i++) {
        sent->at[i].is_again = false;
        sent->at[i].is_aborted = is_aborted(&witness->wire, sent->at[i].itt);
        bool is_lost = lun == NULL || memcmp(sent->at[i].lun, lun, 8) == 0;
        add_sent(is_lost ? &witness->again : &rest, &sent->at[i]);
    }
    for (size_t i = 0; i < before.count; i++)
        if (!before.at[i].is_again)
            add_sent(&witness->again, &before.at[i]);
    *sent = rest;
}

/* Of the disk's user. All others ask which disk it is. */
static bool is_of_user(const uint8_t *cdb) {
    return cdb[0] == LB_SCSI_READ_10 || cdb[0] == LB_SCSI_READ_16 || cdb[0] == LB_SCSI_WRITE_10 ||
           cdb[0] == LB_SCSI_WRITE_16 || cdb[0] == LB_SCSI_SYNCHRONIZE_CACHE_10 ||
           cdb[0] == LB_SCSI_SYNCHRONIZE_CACHE_16;
}

/* A command that was lost is not overtaken by one that was issued after it; but by the questions
 * which disk it is, for none is issued again before that is known. */
static void check_again(struct sim *sim, const struct sim_sent *sent) {
    struct sim_witness *witness = &sim->witness;
    struct sim_sents *again = &witness->again;
    size_t first = again->count, behind = again->count;
    if (!is_of_user(sent->cdb))
        return;
    for (size_t i = 0; i < again->count; i++)
        if (again->at[i].is_aborted && is_same(&again->at[i], sent))
            return;
    for (size_t i = again->count; i-- > 0;) {
        if (again->at[i].is_again || !is_same(&again->at[i], sent))
            continue;
        if (i < witness->again_next)
            behind = i;
        else
            first = i;
    }
    /* One flush is like another: it may be a new one, or one that was aborted before. */
    bool is_flush = sent->cdb[0] == LB_SCSI_SYNCHRONIZE_CACHE_10;
    if (is_flush && first < again->count && first > witness->again_next)
        return;
    if (first < again->count) {
        again->at[first].is_again = true;
        witness->again_next = first + 1;
    } else if (behind < again->count) {
        again->at[behind].is_again = true;
        if (is_flush)
            return; /* later it covers more */
        sim_violation(&sim->world, "command 0x%02x is issued again after one that followed it",
                      sent->cdb[0]);
    }
}

/* ---- what the client says -------------------------------------------------------------------- */

static bool has_cmd_sn(enum lb_iscsi_opcode opcode) {
    return opcode == LB_OP_NOP_OUT || opcode == LB_OP_SCSI_COMMAND || opcode == LB_OP_TMF_REQUEST ||
           opcode == LB_OP_TEXT_REQUEST || opcode == LB_OP_LOGOUT_REQUEST;
}

static void check_cmd_sn(struct sim *sim, const struct lb_iscsi_pdu *pdu) {
    struct sim_wire *wire = &sim->witness.wire;
    const char *word = lb_iscsi_opcode_word(pdu->opcode);
    if (!has_cmd_sn(pdu->opcode))
        return;
    if (pdu->cmd_sn != wire->cmd_sn)
        sim_violation(&sim->world, "%s has CmdSN %u, where %u follows", word, pdu->cmd_sn,
                      wire->cmd_sn);
    if (!pdu->immediate && !wire->is_spoiled && lb_sn_before(wire->max_cmd_sn, pdu->cmd_sn))
        sim_violation(&sim->world, "%s has CmdSN %u, beyond MaxCmdSN %u", word, pdu->cmd_sn,
                      wire->max_cmd_sn);
    wire->cmd_sn = pdu->cmd_sn + !pdu->immediate;
}

static void check_exp_stat_sn(struct sim *sim, const struct lb_iscsi_pdu *pdu) {
    const struct sim_wire *wire = &sim->witness.wire;
    if (wire->has_stat_sn && !wire->is_spoiled && lb_sn_before(wire->stat_sn, pdu->exp_stat_sn))
        sim_violation(&sim->world, "%s has ExpStatSN %u, where %u follows",
                      lb_iscsi_opcode_word(pdu->opcode), pdu->exp_stat_sn, wire->stat_sn);
}

static void command(struct sim *sim, const struct lb_iscsi_pdu *pdu) {
    struct sim_sent sent = {
        .itt = pdu->itt, .edtl = pdu->command.edtl, .active_us = sim->world.now_us};
    memcpy(sent.lun, pdu->lun, sizeof sent.lun);
    memcpy(sent.cdb, pdu->command.cdb, sizeof sent.cdb);
    if (find_sent(&sim->witness.wire.sent, pdu->itt) < sim->witness.wire.sent.count)
        sim_violation(&sim->world, "a command has the tag of one that is not answered");
    check_again(sim, &sent);
    add_sent(&sim->witness.wire.sent, &sent);
}

static void task_management(struct sim *sim, const struct lb_iscsi_pdu *pdu) {
    struct sim_wire *wire = &sim->witness.wire;
    sim_cause_of_management(sim, pdu);
    wire->tmf_is_out = true;
    wire->tmf_was_refused = false;
    wire->tmf_function = pdu->tmf.function;
    wire->tmf_itt = pdu->itt;
    if (pdu->tmf.function == LB_TMF_ABORT_TASK && wire->aborted_count < SIM_SENT_MAX)
        wire->aborted[wire->aborted_count++] =
            (struct sim_aborted){.itt = pdu->itt, .ref = pdu->tmf.ref_task_tag};
    wire->tmf_us = sim->world.now_us;
    sim->witness.resets += pdu->tmf.function == LB_TMF_LUN_RESET;
}

static void touch(struct sim *sim, uint32_t itt) {
    struct sim_sents *sent = &sim->witness.wire.sent;
    size_t i = find_sent(sent, itt);
    if (i < sent->count)
        sent->at[i].active_us = sim->world.now_us;
}

static void said(struct sim *sim, const struct lb_iscsi_pdu *pdu) {
    struct sim_wire *wire = &sim->witness.wire;
    if (pdu->opcode == LB_OP_LOGIN_REQUEST) {
        wire->cmd_sn = pdu->cmd_sn;
        wire->max_cmd_sn = pdu->cmd_sn;
        return;
    }
    check_cmd_sn(sim, pdu);
    check_exp_stat_sn(sim, pdu);
    if (pdu->opcode == LB_OP_SCSI_COMMAND)
        command(sim, pdu);
    else if (pdu->opcode == LB_OP_TMF_REQUEST)
        task_management(sim, pdu);
    else if (pdu->opcode == LB_OP_DATA_OUT)
        touch(sim, pdu->itt);
    else if (pdu->opcode == LB_OP_NOP_OUT && pdu->itt != LB_ISCSI_NO_TAG) {
        wire->ping_is_out = true;
        wire->ping_us = sim->world.now_us;
    }
}

void sim_witness_said(struct sim *sim, struct lb_bytes bytes) {
    struct sim_wire *wire = &sim->witness.wire;
    struct lb_iscsi_pdu pdu;
    while (next_header(wire, &wire->up, &bytes))
        if (lb_iscsi_decode(wire->up.bhs, &pdu))
            said(sim, &pdu);
}

/* ---- what it hears --------------------------------------------------------------------------- */

/* Several may be out: what was given up is aborted, and nobody waits for that. */
static bool take_aborted(struct sim_wire *wire, uint32_t itt, uint32_t *ref) {
    size_t i = 0;
    while (i < wire->aborted_count && wire->aborted[i].itt != itt)
        i++;
    if (i == wire->aborted_count)
        return false;
    *ref = wire->aborted[i].ref;
    wire->aborted[i] = wire->aborted[--wire->aborted_count];
    return true;
}

static void management_response(struct sim *sim, const struct lb_iscsi_pdu *pdu) {
    struct sim_wire *wire = &sim->witness.wire;
    uint8_t response = pdu->tmf_response.response;
    uint32_t ref;
    bool is_abort = take_aborted(wire, pdu->itt, &ref);
    bool is_done = response == LB_TMF_COMPLETE || (response == LB_TMF_NO_TASK && is_abort);
    if (is_done && is_abort)
        forget_sent(&wire->sent, ref);
    if (!wire->tmf_is_out || pdu->itt != wire->tmf_itt)
        return;
    wire->tmf_is_out = false;
    wire->tmf_was_refused = !is_done;
    if (is_done && !is_abort && wire->sent.count > 0) {
        uint8_t lun[8];
        memcpy(lun, wire->sent.at[0].lun, sizeof lun); /* there is but one */
        lose_sent(sim, lun);
    }
}

static void login_response(struct sim *sim, const struct lb_iscsi_pdu *pdu) {
    struct sim_witness *witness = &sim->witness;
    struct sim_wire *wire = &witness->wire;
    int conn = sim->slots[LB_BOOT_SLOT_SESSION].conn;
    bool is_last =
        pdu->final && pdu->login.nsg == LB_LOGIN_STAGE_FULL_FEATURE && pdu->login.status_class == 0;
    if (!is_last || conn < 0 || sim->ends[conn] == NULL)
        return;
    wire->is_full = true;
    wire->header_digest = sim->ends[conn]->header_digest;
    wire->data_digest = sim->ends[conn]->data_digest;
    witness->lost_us = LB_NEVER;
}

static bool has_stat_sn(const struct lb_iscsi_pdu *pdu) {
    if (pdu->opcode == LB_OP_DATA_IN)
        return pdu->data_in.has_status;
    return pdu->opcode != LB_OP_R2T && (pdu->opcode != LB_OP_NOP_IN || pdu->itt != LB_ISCSI_NO_TAG);
}

static void heard(struct sim *sim, const struct lb_iscsi_pdu *pdu) {
    struct sim_wire *wire = &sim->witness.wire;
    if (has_stat_sn(pdu)) {
        wire->stat_sn = pdu->stat_sn + 1;
        wire->has_stat_sn = true;
    }
    if (lb_sn_before(wire->max_cmd_sn, pdu->max_cmd_sn))
        wire->max_cmd_sn = pdu->max_cmd_sn;
    if (pdu->opcode == LB_OP_LOGIN_RESPONSE)
        login_response(sim, pdu);
    else if (pdu->opcode == LB_OP_SCSI_RESPONSE ||
             (pdu->opcode == LB_OP_DATA_IN && pdu->data_in.has_status))
        forget_sent(&wire->sent, pdu->itt);
    else if (pdu->opcode == LB_OP_DATA_IN || pdu->opcode == LB_OP_R2T)
        touch(sim, pdu->itt);
    else if (pdu->opcode == LB_OP_TMF_RESPONSE)
        management_response(sim, pdu);
    else if (pdu->opcode == LB_OP_NOP_IN && pdu->itt != LB_ISCSI_NO_TAG)
        wire->ping_is_out = false;
    else if (pdu->opcode == LB_OP_ASYNC && pdu->async.event == LB_ASYNC_LOGOUT_REQUEST)
        wire->was_asked_out = true;
}

void sim_witness_heard(struct sim *sim, struct lb_bytes bytes) {
    struct sim_wire *wire = &sim->witness.wire;
    struct lb_iscsi_pdu pdu;
    wire->heard_us = sim->world.now_us;
    while (!wire->is_spoiled && next_pdu(wire, &wire->down, &bytes))
        if (lb_iscsi_decode(wire->down.bhs, &pdu))
            heard(sim, &pdu);
}

/* ---- connections ----------------------------------------------------------------------------- */

/* RFC 7143 13.15: no login before Time2Wait is over, unless the time for recovery is. */
static void check_time2wait(struct sim *sim) {
    const struct lb_initiator *session = &sim->boot.path.session;
    uint64_t now_us = sim->world.now_us, wait_us = session->agreed.time2wait_s * LB_US_SEC;
    uint64_t last_us = session->outage_us + session->config.recovery_ms * LB_US_MS;
    if (sim->witness.lost_us == LB_NEVER || session->logins == 0)
        return;
    if (now_us < sim->witness.lost_us + wait_us && now_us < last_us)
        sim_violation(&sim->world, "a login %llu ms after the session was lost, with Time2Wait %u",
                      (unsigned long long)((now_us - sim->witness.lost_us) / LB_US_MS),
                      session->agreed.time2wait_s);
    sim->witness.lost_us = LB_NEVER;
}

void sim_witness_connect(struct sim *sim, uint32_t number) {
    struct sim_witness *witness = &sim->witness;
    check_time2wait(sim);
    /* Nothing is issued again by another session; and it is not known what was heard of this
     * one. */
    if (sim->boot.path.session.logins == 0 || witness->wire.is_spoiled)
        witness->again.count = witness->wire.sent.count = 0;
    lose_sent(sim, NULL);
    memset(&witness->wire, 0, sizeof witness->wire);
    witness->wire.number = number;
}

void sim_witness_connected(struct sim *sim) {
    sim->witness.wire.connected_us = sim->witness.wire.heard_us = sim->world.now_us;
}
