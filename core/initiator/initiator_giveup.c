/* How many tasks at once, and those that nobody waits for any more. */
#include "core/initiator/initiator_session.h"

enum {
    STATUS_BUSY = 0x08, /* SAM-5 5.3 */
    STATUS_TASK_SET_FULL = 0x28,
    DOUBTS_MAX = 5, /* the pause before the next try to grow doubles so often */
};

/* ---- depth ---------------------------------------------------------------------------------- */

/* The target refused a task because it has too many: those that are in flight are what it takes. */
static void shrink(struct lb_initiator *session) {
    uint32_t room = (uint32_t)LB_MAX(session->in_flight.count, (size_t)1);
    if (session->depth_grew)
        session->depth_doubts = LB_MIN(session->depth_doubts + 1, (unsigned)DOUBTS_MAX);
    session->depth_grew = false;
    session->depth = LB_MIN(session->depth, room);
    session->calm = 0;
}

/* Each step takes longer where the last one was too much. */
void lb_initiator_note_depth(struct lb_initiator *session, uint8_t status) {
    uint32_t most = session->config.queue_depth;
    if (status == STATUS_BUSY || status == STATUS_TASK_SET_FULL) {
        session->refusals++;
        shrink(session);
        return;
    }
    session->refusals = 0;
    if (session->depth >= most)
        return;
    if (++session->calm < session->depth * 2 << session->depth_doubts)
        return;
    if (session->depth_grew)
        session->depth_doubts = 0;
    session->depth_grew = true;
    session->depth = LB_MIN(session->depth + LB_MAX(session->depth / 4, 1U), most);
    session->calm = 0;
}

/* A target that refuses all, one after the other, is busy with something else. */
bool lb_initiator_is_draining(const struct lb_initiator *session) {
    return session->in_flight.count > 0 && session->refusals <= session->config.queue_depth;
}

/* ---- orphans -------------------------------------------------------------------------------- */

static uint32_t slot_of(uint32_t itt) {
    return itt & ((1U << LB_SLOT_BITS) - 1);
}

static unsigned find_owed(const struct lb_initiator *session, uint32_t itt) {
    unsigned i = 0;
    while (i < session->owed_count && session->owed[i] != itt)
        i++;
    return i;
}

bool lb_initiator_is_orphan(const struct lb_initiator *session, uint32_t itt) {
    uint32_t slot = slot_of(itt);
    if (slot < LB_INITIATOR_TASKS_MAX)
        return session->orphans[slot] == itt;
    return find_owed(session, itt) < session->owed_count;
}

void lb_initiator_orphan_answered(struct lb_initiator *session, uint32_t itt) {
    unsigned i = find_owed(session, itt);
    if (i == session->owed_count)
        return;
    session->owed[i] = session->owed[--session->owed_count];
    session->aborts_out -= session->aborts_out > 0;
}

/* The oldest go where there are too many: their answers are not to be expected any more. */
void lb_initiator_owe_abort(struct lb_initiator *session, uint64_t now_us, uint32_t itt) {
    if (session->owed_count == LB_INITIATOR_TASKS_MAX)
        memmove(session->owed, session->owed + 1, --session->owed_count * sizeof itt);
    session->owed[session->owed_count++] = itt;
    session->aborts_out++;
    session->aborts_us = now_us;
}

void lb_initiator_forget_orphans(struct lb_initiator *session) {
    session->owed_count = session->aborts_out = 0;
    session->orphans_may_tell = false;
    for (size_t i = 0; i < LB_INITIATOR_TASKS_MAX; i++)
        session->orphans[i] = LB_ISCSI_NO_TAG;
}

/* ---- giving up ------------------------------------------------------------------------------ */

/* A task management request for this task is out. */
static bool is_managed(const struct lb_initiator *session, const struct lb_initiator_task *task) {
    return session->tmf.is_out && session->tmf.task_itt == task->itt;
}

/* The answer to this is not waited for, nor to one that was sent before. */
static void send_abort(struct lb_initiator *session, uint64_t now_us,
                       const struct lb_initiator_task *task) {
    if (is_managed(session, task)) {
        session->tmf.is_out = false;
        lb_initiator_owe_abort(session, now_us, session->tmf.itt);
        return;
    }
    struct lb_iscsi_pdu pdu = {
        .opcode = LB_OP_TMF_REQUEST,
        .immediate = true,
        .final = true,
        .itt = lb_initiator_new_tag(session, LB_SLOT_TMF),
        .tmf = {.function = LB_TMF_ABORT_TASK,
                .ref_task_tag = task->itt,
                .ref_cmd_sn = task->cmd_sn},
    };
    memcpy(pdu.lun, task->lun, sizeof pdu.lun);
    lb_initiator_owe_abort(session, now_us, pdu.itt);
    lb_initiator_send_control(session, now_us, &pdu, lb_bytes(NULL, 0));
}

/* The LUN is being reset for it: that is of all its tasks. */
static bool is_reset(const struct lb_initiator *session, const struct lb_initiator_task *task) {
    return is_managed(session, task) && session->tmf.function == LB_TMF_LUN_RESET;
}

/* Its slot is the last one to be used again: a late answer is known by the tag. */
static void note_orphan(struct lb_initiator *session, const struct lb_initiator_task *task) {
    uint16_t slot = (uint16_t)slot_of(task->itt);
    lb_assert(session->free_slots[session->free_count - 1] == slot);
    memmove(session->free_slots + 1, session->free_slots, (session->free_count - 1) * sizeof slot);
    session->free_slots[0] = slot;
    session->orphans[slot] = task->itt;
    session->orphans_may_tell = session->orphans_may_tell || lb_initiator_may_tell(task);
}

bool lb_initiator_give_up(struct lb_initiator *session, uint64_t now_us,
                          struct lb_initiator_task *task) {
    bool is_within = session->stream.phase != LB_STREAM_IN_HEADER && session->pdu.itt == task->itt;
    lb_assert(task->out.len == 0);
    if (task->state != LB_TASK_SENT && task->state != LB_TASK_QUEUED)
        return true;
    if (task->state == LB_TASK_SENT && (is_within || is_reset(session, task)))
        return false;
    lb_trace(session->trace, now_us, "iscsi", "command 0x%02x is not answered: given up",
             task->cdb[0]);
    if (task->state == LB_TASK_SENT) {
        lb_initiator_silence(session, task);
        note_orphan(session, task);
        send_abort(session, now_us, task);
        session->idle_us = now_us;
        lb_initiator_pump(session, now_us);
        return true;
    }
    lb_initiator_silence(session, task);
    return true;
}
