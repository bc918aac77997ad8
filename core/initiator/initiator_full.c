/* Full feature phase, apart from tasks: which PDU goes where, StatSN and the command window, NOP
 * both ways, asynchronous messages, rejects, logout (RFC 7143 4.2.2, 11.9, 11.14, 11.15, 11.17
 * to 11.19). */
#include "core/initiator/initiator_session.h"

void lb_initiator_full_start(struct lb_initiator *session, uint64_t now_us) {
    const struct lb_initiator_agreed *a = &session->agreed;
    lb_stream_set_digests(&session->stream, a->header_digest, a->data_digest);
    lb_stream_set_max_data(&session->stream, session->config.max_recv_data);
    session->ping_is_out = session->ping_off = session->logout_asked = false;
    session->tmf.is_out = session->text_is_out = false;
    lb_initiator_forget_orphans(session);
    session->is_held = session->is_held || session->holds_logins;
    session->idle_us = now_us;
    session->logins++;
    session->say_ready = true;
    lb_initiator_enter(session, now_us, LB_INITIATOR_FULL_FEATURE, LB_NEVER);
    lb_trace(session->trace, now_us, "iscsi",
             "session 0x%04x, window %u, send %u, burst %u/%u, InitialR2T %u, digests %u%u",
             a->tsih, session->max_cmd_sn - session->cmd_sn + 1, a->max_send_data, a->first_burst,
             a->max_burst, a->initial_r2t, a->header_digest, a->data_digest);
    if (session->targets != NULL)
        lb_initiator_text_start(session, now_us);
    lb_initiator_pump(session, now_us);
}

/* ---- numbers -------------------------------------------------------------------------------- */

/* RFC 7143 4.2.2.1: a window that ends before it begins is not one; neither edge moves back. */
static void take_window(struct lb_initiator *session) {
    const struct lb_iscsi_pdu *pdu = &session->pdu;
    if (lb_sn_before(pdu->max_cmd_sn, pdu->exp_cmd_sn - 1))
        return;
    if (lb_sn_before(session->exp_cmd_sn, pdu->exp_cmd_sn))
        session->exp_cmd_sn = pdu->exp_cmd_sn;
    if (lb_sn_before(session->max_cmd_sn, pdu->max_cmd_sn))
        session->max_cmd_sn = pdu->max_cmd_sn;
}

/* RFC 7143 4.2.2.2: R2T, and NOP-In that asks, carry the next StatSN; Data-In has one with S. */
static bool has_stat_sn(const struct lb_iscsi_pdu *pdu) {
    if (pdu->opcode == LB_OP_DATA_IN)
        return pdu->data_in.has_status;
    if (pdu->opcode == LB_OP_NOP_IN)
        return pdu->itt != LB_ISCSI_NO_TAG;
    return pdu->opcode >= LB_OP_NOP_IN && pdu->opcode != LB_OP_R2T; /* those below are not theirs */
}

/* An answer to a task that waits for one: some targets do not count all that they should. */
static bool answers_task(struct lb_initiator *session) {
    const struct lb_iscsi_pdu *pdu = &session->pdu;
    return (pdu->opcode == LB_OP_DATA_IN || pdu->opcode == LB_OP_SCSI_RESPONSE) &&
           lb_initiator_task_of(session, pdu->itt) != NULL;
}

static bool is_old(const struct lb_initiator *session) {
    return has_stat_sn(&session->pdu) && lb_sn_before(session->pdu.stat_sn, session->exp_stat_sn);
}

static bool is_duplicate(struct lb_initiator *session) {
    return is_old(session) && !answers_task(session);
}

/* It answers what nobody waits for any more. */
static bool is_orphan(const struct lb_initiator *session) {
    const struct lb_iscsi_pdu *pdu = &session->pdu;
    return (pdu->opcode == LB_OP_DATA_IN || pdu->opcode == LB_OP_SCSI_RESPONSE ||
            pdu->opcode == LB_OP_TMF_RESPONSE) &&
           lb_initiator_is_orphan(session, pdu->itt);
}

/* Counts it. False: an answer before it is missing, and the session was told. */
static bool take_stat_sn(struct lb_initiator *session, uint64_t now_us) {
    const struct lb_iscsi_pdu *pdu = &session->pdu;
    if (!has_stat_sn(pdu))
        return true;
    if (is_old(session)) {
        lb_trace(session->trace, now_us, "iscsi", "%s with the old StatSN %u: taken by its tag",
                 lb_iscsi_opcode_word(pdu->opcode), pdu->stat_sn);
        return true;
    }
    if (pdu->stat_sn != session->exp_stat_sn) {
        lb_initiator_break(session, now_us, LB_E_PROTOCOL, "%s with StatSN %u, where %u follows",
                           lb_iscsi_opcode_word(pdu->opcode), pdu->stat_sn, session->exp_stat_sn);
        return false;
    }
    session->exp_stat_sn++;
    return true;
}

/* ---- NOP ------------------------------------------------------------------------------------ */

static void send_ping(struct lb_initiator *session, uint64_t now_us) {
    session->ping_itt = lb_initiator_new_tag(session, LB_SLOT_PING);
    struct lb_iscsi_pdu pdu = {
        .opcode = LB_OP_NOP_OUT,
        .immediate = true,
        .final = true,
        .itt = session->ping_itt,
        .ttt = LB_ISCSI_NO_TAG,
    };
    session->ping_is_out = true;
    session->ping_us = now_us;
    lb_trace(session->trace, now_us, "iscsi", "ping");
    lb_initiator_send_control(session, now_us, &pdu, lb_bytes(NULL, 0));
}

static void nop_in(struct lb_initiator *session, uint64_t now_us) {
    const struct lb_iscsi_pdu *in = &session->pdu;
    if (session->ping_is_out && in->itt == session->ping_itt) {
        session->ping_is_out = false;
        if (session->queued.count + session->in_flight.count == 0)
            lb_initiator_progress(session);
    }
    if (in->ttt == LB_ISCSI_NO_TAG)
        return;
    /* 11.18: the target asks; TTT and LUN are given back. */
    struct lb_iscsi_pdu pdu = {
        .opcode = LB_OP_NOP_OUT,
        .immediate = true,
        .final = true,
        .itt = LB_ISCSI_NO_TAG,
        .ttt = in->ttt,
    };
    memcpy(pdu.lun, in->lun, sizeof pdu.lun);
    lb_initiator_send_control(session, now_us, &pdu, lb_bytes(NULL, 0));
}

static bool pings(const struct lb_initiator *session) {
    return session->config.ping_ms != UINT32_MAX && !session->ping_off;
}

static uint64_t ping_deadline(const struct lb_initiator *session) {
    uint64_t since = session->last_rx_us;
    if (!pings(session))
        return LB_NEVER;
    if (session->ping_is_out)
        since = LB_MAX(since, session->ping_us);
    return since + session->config.ping_ms * LB_US_MS;
}

static void ping_tick(struct lb_initiator *session, uint64_t now_us) {
    if (now_us < ping_deadline(session))
        return;
    if (session->ping_is_out)
        lb_initiator_break(session, now_us, LB_E_CONNECTION_LOST,
                           "a ping was not answered within %u ms", session->config.ping_ms);
    else
        send_ping(session, now_us);
}

/* ---- asynchronous messages, rejects --------------------------------------------------------- */

static void asked_to_log_out(struct lb_initiator *session, uint64_t now_us, uint16_t within_s) {
    if (session->logout_asked)
        return;
    session->logout_asked = true;
    /* What is in flight may end first; a quarter of the time is left for the logout itself. */
    session->logout_by_us = now_us + within_s * LB_US_SEC / 4 * 3;
}

static void async(struct lb_initiator *session, uint64_t now_us) {
    const struct lb_iscsi_pdu *pdu = &session->pdu;
    lb_trace(session->trace, now_us, "iscsi", "async event %u (%u, %u, %u)", pdu->async.event,
             pdu->async.parameter1, pdu->async.parameter2, pdu->async.parameter3);
    switch (pdu->async.event) {
    case LB_ASYNC_LOGOUT_REQUEST:
        asked_to_log_out(session, now_us, pdu->async.parameter3);
        return;
    case LB_ASYNC_CONNECTION_DROP:
    case LB_ASYNC_SESSION_DROP:
        session->wait_was_told = true;
        session->wait_us = pdu->async.parameter2 * LB_US_SEC;
        lb_initiator_reconnect(session, now_us,
                               "the target announced that it drops the connection");
        return;
    case LB_ASYNC_NEGOTIATE:
        if (!session->text_is_out)
            lb_initiator_text_start(session, now_us);
        return;
    case LB_ASYNC_TASKS_TERMINATED:
        lb_initiator_reconnect(session, now_us, "the target terminated the tasks");
        return;
    default: /* SCSI events are the disk's and come as UNIT ATTENTION, too; vendors have their own
              */
        return;
    }
}

/* The header that was rejected is the data. Most reasons mean that both sides do not agree on the
 * state of the session; a new one puts that right, or shows that nothing does. */
static void reject(struct lb_initiator *session, uint64_t now_us) {
    uint8_t reason = session->pdu.reject.reason;
    struct lb_iscsi_pdu bad = {.opcode = LB_OP_REJECT};
    if (session->pdu.data_len >= LB_ISCSI_BHS_BYTES)
        (void)lb_iscsi_decode(session->scratch, &bad);
    lb_trace(session->trace, now_us, "iscsi", "Reject of %s: %s", lb_iscsi_opcode_word(bad.opcode),
             lb_iscsi_reject_word(reason));
    if (bad.opcode == LB_OP_NOP_OUT) {
        session->ping_off |= reason == LB_REJECT_NOT_SUPPORTED;
        session->ping_is_out = false;
        return;
    }
    if (bad.opcode == LB_OP_TMF_REQUEST && lb_initiator_is_orphan(session, bad.itt)) {
        lb_initiator_orphan_answered(session, bad.itt);
        return;
    }
    if (bad.opcode == LB_OP_TMF_REQUEST && session->tmf.is_out && bad.itt == session->tmf.itt) {
        lb_initiator_ladder_climb(session, now_us);
        return;
    }
    if (reason == LB_REJECT_WAITING_LOGOUT) {
        asked_to_log_out(session, now_us, 0);
        return;
    }
    lb_initiator_break(session, now_us,
                       reason == LB_REJECT_DATA_DIGEST ? LB_E_DIGEST : LB_E_PROTOCOL,
                       "the target rejected our %s, reason 0x%02x (%s)",
                       lb_iscsi_opcode_word(bad.opcode), reason, lb_iscsi_reject_word(reason));
}

/* ---- logout --------------------------------------------------------------------------------- */

void lb_initiator_send_logout(struct lb_initiator *session, uint64_t now_us) {
    session->logout_itt = lb_initiator_new_tag(session, LB_SLOT_LOGOUT);
    struct lb_iscsi_pdu pdu = {
        .opcode = LB_OP_LOGOUT_REQUEST,
        .immediate = true,
        .final = true,
        .itt = session->logout_itt,
        .logout = {.reason = LB_LOGOUT_SESSION},
    };
    if (lb_initiator_send_control(session, now_us, &pdu, lb_bytes(NULL, 0)))
        lb_initiator_enter(session, now_us, LB_INITIATOR_LOGGING_OUT,
                           now_us + LB_INITIATOR_LOGOUT_MS * LB_US_MS);
}

static void logout_response(struct lb_initiator *session, uint64_t now_us) {
    const struct lb_iscsi_pdu *pdu = &session->pdu;
    if (session->state != LB_INITIATOR_LOGGING_OUT || pdu->itt != session->logout_itt) {
        lb_initiator_break(session, now_us, LB_E_PROTOCOL, "Logout Response without a request");
        return;
    }
    if (lb_initiator_may_end(session)) {
        lb_initiator_end(session, now_us, NULL);
        return;
    }
    session->wait_was_told = true;
    session->wait_us = pdu->logout_response.time2wait_s * LB_US_SEC;
    lb_initiator_reconnect(session, now_us, "the target asked us to log out");
}

/* ---- which PDU goes where ------------------------------------------------------------------- */

void lb_initiator_full_header(struct lb_initiator *session, uint64_t now_us) {
    const struct lb_iscsi_pdu *pdu = &session->pdu;
    struct lb_span to = lb_span(session->scratch, sizeof session->scratch);
    if (pdu->opcode == LB_OP_TEXT_RESPONSE) {
        lb_stream_keep(&session->stream);
        return;
    }
    if (is_duplicate(session) || is_orphan(session))
        to = lb_span(NULL, 0);
    else if (pdu->opcode == LB_OP_DATA_IN && !lb_initiator_data_in_header(session, now_us, &to))
        return;
    lb_stream_place(&session->stream, to);
}

static void dispatch(struct lb_initiator *session, uint64_t now_us) {
    switch (session->pdu.opcode) {
    case LB_OP_DATA_IN:
        lb_initiator_data_in(session, now_us);
        return;
    case LB_OP_SCSI_RESPONSE:
        lb_initiator_response(session, now_us);
        return;
    case LB_OP_R2T:
        lb_initiator_r2t(session, now_us);
        return;
    case LB_OP_NOP_IN:
        nop_in(session, now_us);
        return;
    case LB_OP_TMF_RESPONSE:
        lb_initiator_tmf_response(session, now_us);
        return;
    case LB_OP_TEXT_RESPONSE:
        lb_initiator_text_response(session, now_us);
        return;
    case LB_OP_LOGOUT_RESPONSE:
        logout_response(session, now_us);
        return;
    case LB_OP_ASYNC:
        async(session, now_us);
        return;
    case LB_OP_REJECT:
        reject(session, now_us);
        return;
    case LB_OP_LOGIN_RESPONSE:
    case LB_OP_NOP_OUT:
    case LB_OP_SCSI_COMMAND:
    case LB_OP_TMF_REQUEST:
    case LB_OP_LOGIN_REQUEST:
    case LB_OP_TEXT_REQUEST:
    case LB_OP_DATA_OUT:
    case LB_OP_LOGOUT_REQUEST:
    case LB_OP_SNACK:
        break;
    }
    lb_initiator_break(session, now_us, LB_E_PROTOCOL, "%s in full feature phase",
                       lb_iscsi_opcode_word(session->pdu.opcode));
}

void lb_initiator_full_pdu(struct lb_initiator *session, uint64_t now_us) {
    const struct lb_iscsi_pdu *pdu = &session->pdu;
    struct lb_span unused;
    if (is_duplicate(session)) {
        lb_trace(session->trace, now_us, "iscsi", "%s with the old StatSN %u: ignored",
                 lb_iscsi_opcode_word(pdu->opcode), pdu->stat_sn);
        return;
    }
    if (pdu->opcode == LB_OP_DATA_IN && pdu->data_len == 0 && !is_orphan(session) &&
        !lb_initiator_data_in_header(session, now_us, &unused))
        return;
    if (!take_stat_sn(session, now_us))
        return;
    take_window(session);
    if (is_orphan(session)) {
        lb_trace(session->trace, now_us, "iscsi", "%s for what was given up: ignored",
                 lb_iscsi_opcode_word(pdu->opcode));
        if (pdu->opcode == LB_OP_TMF_RESPONSE)
            lb_initiator_orphan_answered(session, pdu->itt);
        bool is_answer = pdu->opcode == LB_OP_TMF_RESPONSE || pdu->opcode == LB_OP_SCSI_RESPONSE;
        if (is_answer && session->orphans_may_tell)
            lb_initiator_miss(session);
        return;
    }
    dispatch(session, now_us);
}

/* ---- time ----------------------------------------------------------------------------------- */

static uint64_t text_deadline(const struct lb_initiator *session) {
    return session->text_is_out ? session->text_us + session->config.task_ms * LB_US_MS : LB_NEVER;
}

/* Only the oldest task was watched: behind it there may be some whose time was over before. Their
 * answers may have come since, too. */
static void forgive_task(const struct lb_initiator *session, uint64_t now_us, uint64_t late_us,
                         struct lb_initiator_task *task) {
    uint64_t least_us = now_us + LB_INITIATOR_LATE_MS * LB_US_MS;
    uint64_t patience_us = session->config.task_ms * LB_US_MS;
    task->active_us += late_us;
    if (task->active_us + patience_us < least_us)
        task->active_us = least_us - patience_us;
}

void lb_initiator_full_forgive(struct lb_initiator *session, uint64_t now_us, uint64_t late_us) {
    session->last_rx_us += late_us;
    session->ping_us += late_us;
    session->text_us += late_us;
    session->tmf.sent_us += late_us;
    session->idle_us += late_us;
    for (struct lb_initiator_task *task = session->in_flight.first; task != NULL; task = task->next)
        forgive_task(session, now_us, late_us, task);
}

uint64_t lb_initiator_full_deadline(const struct lb_initiator *session) {
    uint64_t deadline = LB_MIN(ping_deadline(session), lb_initiator_ladder_deadline(session));
    deadline = LB_MIN(deadline, text_deadline(session));
    return session->logout_asked ? LB_MIN(deadline, session->logout_by_us) : deadline;
}

void lb_initiator_full_tick(struct lb_initiator *session, uint64_t now_us) {
    if (now_us >= text_deadline(session)) {
        lb_initiator_break(session, now_us, LB_E_TASK_TIMEOUT, "a text request was not answered");
        return;
    }
    if (session->logout_asked && now_us >= session->logout_by_us) {
        lb_initiator_send_logout(session, now_us);
        return;
    }
    if (now_us - session->aborts_us >= LB_INITIATOR_ABORT_MS * LB_US_MS)
        session->aborts_out = 0;
    ping_tick(session, now_us);
    if (session->state == LB_INITIATOR_FULL_FEATURE)
        lb_initiator_ladder_tick(session, now_us);
}
