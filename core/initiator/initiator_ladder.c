/* Tasks that the target is silent about for task_ms (RFC 7143 4.2.1.5, 11.5, 11.6), step by step:
 *
 *   ABORT TASK -> issued again -> LU RESET -> all of the LUN issued again -> new session -> the end
 *
 * A task that is_alone is given up after the first step where the target answers others, and after
 * the second where there are none: its silence is no reason to lose the session. A step that the
 * target refuses leads to the next at once. A target whose ExpCmdSN is beyond our next CmdSN
 * ignores all that we issue (4.2.2.1): there the new session is the first step. Only the oldest
 * task is watched: behind it the others have waited for less long, or will be the oldest soon. */
#include "core/initiator/initiator_session.h"

static uint64_t patience_us(const struct lb_initiator *session) {
    return session->config.task_ms * LB_US_MS;
}

/* A closed window with nothing in flight opens never, unless the target is reminded. */
static bool is_stalled(const struct lb_initiator *session) {
    return session->in_flight.count == 0 && lb_initiator_next_task(session) != NULL;
}

uint64_t lb_initiator_ladder_deadline(const struct lb_initiator *session) {
    if (session->tmf.is_out)
        return session->tmf.sent_us + patience_us(session);
    if (session->in_flight.first != NULL)
        return session->in_flight.first->active_us + patience_us(session);
    return is_stalled(session) ? session->idle_us + patience_us(session) : LB_NEVER;
}

static void send_tmf(struct lb_initiator *session, uint64_t now_us, uint8_t function,
                     const struct lb_initiator_task *task) {
    struct lb_initiator_tmf_out *tmf = &session->tmf;
    *tmf = (struct lb_initiator_tmf_out){
        .is_out = true,
        .function = function,
        .itt = lb_initiator_new_tag(session, LB_SLOT_TMF),
        .task_itt = task->itt,
        .sent_us = now_us,
    };
    memcpy(tmf->lun, task->lun, sizeof tmf->lun);
    struct lb_iscsi_pdu pdu = {
        .opcode = LB_OP_TMF_REQUEST,
        .immediate = true,
        .final = true,
        .itt = tmf->itt,
        .tmf = {.function = function, .ref_task_tag = LB_ISCSI_NO_TAG},
    };
    memcpy(pdu.lun, task->lun, sizeof pdu.lun);
    if (function == LB_TMF_ABORT_TASK) {
        pdu.tmf.ref_task_tag = task->itt;
        pdu.tmf.ref_cmd_sn = task->cmd_sn;
    }
    lb_trace(session->trace, now_us, "iscsi", "command 0x%02x is not answered: %s", task->cdb[0],
             function == LB_TMF_ABORT_TASK ? "abort" : "LU reset");
    lb_initiator_send_control(session, now_us, &pdu, lb_bytes(NULL, 0));
}

static void give_up_session(struct lb_initiator *session, uint64_t now_us) {
    lb_initiator_break(session, now_us, LB_E_TASK_TIMEOUT, "a command had no answer within %u ms",
                       session->config.task_ms);
}

static bool answers_others(const struct lb_initiator *session, uint64_t now_us) {
    return now_us - session->answered_us < patience_us(session);
}

static bool expects_later_ones(const struct lb_initiator *session) {
    return lb_sn_before(session->cmd_sn, session->exp_cmd_sn);
}

static void climb(struct lb_initiator *session, uint64_t now_us, struct lb_initiator_task *task) {
    task->strikes++;
    task->active_us = now_us;
    if (expects_later_ones(session)) {
        lb_initiator_break(session, now_us, LB_E_TASK_TIMEOUT,
                           "the target expects command %u, and our next one is %u",
                           (unsigned)session->exp_cmd_sn, (unsigned)session->cmd_sn);
        return;
    }
    if (task->is_alone &&
        (task->strikes > 2 || (task->strikes > 1 && answers_others(session, now_us)))) {
        if (!lb_initiator_give_up(session, now_us, task))
            task->strikes--; /* its answer is coming */
        return;
    }
    if (task->strikes == 1)
        send_tmf(session, now_us, LB_TMF_ABORT_TASK, task);
    else if (task->strikes == 2)
        send_tmf(session, now_us, LB_TMF_LUN_RESET, task);
    else
        give_up_session(session, now_us);
}

void lb_initiator_ladder_climb(struct lb_initiator *session, uint64_t now_us) {
    struct lb_initiator_task *task = lb_initiator_task_of(session, session->tmf.task_itt);
    session->tmf.is_out = false;
    if (task != NULL)
        climb(session, now_us, task);
}

void lb_initiator_ladder_tick(struct lb_initiator *session, uint64_t now_us) {
    if (now_us < lb_initiator_ladder_deadline(session))
        return;
    const struct lb_initiator_task *task = lb_initiator_task_of(session, session->tmf.task_itt);
    if (session->tmf.is_out && task != NULL && task->is_alone) {
        lb_initiator_owe_abort(session, now_us, session->tmf.itt);
        lb_initiator_ladder_climb(session, now_us);
    } else if (session->tmf.is_out)
        give_up_session(session, now_us);
    else if (session->in_flight.first != NULL)
        climb(session, now_us, session->in_flight.first);
    else
        lb_initiator_break(session, now_us, LB_E_TASK_TIMEOUT,
                           "the command window was closed for %u ms", session->config.task_ms);
}

/* Whether an answer that is not seen now may have been a UNIT ATTENTION. */
static bool may_miss(const struct lb_initiator *session, const struct lb_initiator_tmf_out *tmf) {
    const struct lb_initiator_task *task = session->in_flight.first;
    for (; task != NULL; task = task->next) {
        bool is_meant = tmf->function == LB_TMF_ABORT_TASK
                            ? task->itt == tmf->task_itt
                            : memcmp(task->lun, tmf->lun, sizeof task->lun) == 0;
        if (is_meant && lb_initiator_may_tell(task))
            return true;
    }
    return false;
}

void lb_initiator_tmf_response(struct lb_initiator *session, uint64_t now_us) {
    struct lb_initiator_tmf_out *tmf = &session->tmf;
    uint8_t response = session->pdu.tmf_response.response;
    if (!tmf->is_out || session->pdu.itt != tmf->itt) {
        lb_initiator_break(session, now_us, LB_E_PROTOCOL,
                           "Task Management Response without a request");
        return;
    }
    lb_trace(session->trace, now_us, "iscsi", "task management response %u", response);
    /* No such task: its answer came before this one, or it never got there. */
    bool is_done = response == LB_TMF_COMPLETE ||
                   (response == LB_TMF_NO_TASK && tmf->function == LB_TMF_ABORT_TASK);
    if (!is_done) {
        lb_initiator_ladder_climb(session, now_us);
        return;
    }
    tmf->is_out = false;
    struct lb_initiator_task *task = lb_initiator_task_of(session, tmf->task_itt);
    if (may_miss(session, tmf))
        lb_initiator_miss(session);
    if (tmf->function == LB_TMF_LUN_RESET)
        lb_initiator_requeue_lun(session, tmf->lun);
    else if (task != NULL)
        lb_initiator_requeue(session, task);
}
