/* Tasks: SCSI commands, their data and their answers (RFC 7143 4.2, 11.3, 11.4, 11.7, 11.8).
 *
 *   queued --window, depth--> in flight --status--> done --taken by the owner--> idle
 *      ^----- session lost, task aborted -----'
 *
 * Both lists stay in the order of CmdSN, so that what is issued again keeps its order. An ITT is a
 * slot and a generation: an answer finds its task without a search, a late one finds none. */
#include "core/initiator/initiator_session.h"
#include "core/scsi/scsi.h"

/* ---- lists ---------------------------------------------------------------------------------- */

static void append(struct lb_initiator_list *list, struct lb_initiator_task *task) {
    task->prev = list->last;
    task->next = NULL;
    *(list->last != NULL ? &list->last->next : &list->first) = task;
    list->last = task;
    list->count++;
}

static void detach(struct lb_initiator_list *list, struct lb_initiator_task *task) {
    *(task->prev != NULL ? &task->prev->next : &list->first) = task->next;
    *(task->next != NULL ? &task->next->prev : &list->last) = task->prev;
    task->prev = task->next = NULL;
    list->count--;
}

static void prepend(struct lb_initiator_list *list, struct lb_initiator_task *task) {
    task->prev = NULL;
    task->next = list->first;
    *(list->first != NULL ? &list->first->prev : &list->last) = task;
    list->first = task;
    list->count++;
}

void lb_initiator_tasks_init(struct lb_initiator *session) {
    session->free_count = LB_INITIATOR_TASKS_MAX;
    for (size_t i = 0; i < LB_INITIATOR_TASKS_MAX; i++)
        session->free_slots[i] = (uint16_t)(LB_INITIATOR_TASKS_MAX - 1 - i);
}

struct lb_initiator_task *lb_initiator_task_of(struct lb_initiator *session, uint32_t itt) {
    uint32_t slot = itt & ((1U << LB_SLOT_BITS) - 1);
    if (slot >= LB_INITIATOR_TASKS_MAX)
        return NULL;
    struct lb_initiator_task *task = session->slots[slot];
    return task != NULL && task->itt == itt ? task : NULL;
}

static void stop_sending(struct lb_initiator *session, struct lb_initiator_task *task) {
    struct lb_initiator_task *before = NULL, *at = session->sending;
    if (!task->is_sending)
        return;
    while (at != task) {
        before = at;
        at = at->next_sending;
    }
    *(before != NULL ? &before->next_sending : &session->sending) = task->next_sending;
    if (session->sending_last == task)
        session->sending_last = before;
    task->is_sending = false;
    task->next_sending = NULL;
}

static void start_sending(struct lb_initiator *session, struct lb_initiator_task *task) {
    task->is_sending = true;
    task->next_sending = NULL;
    *(session->sending != NULL ? &session->sending_last->next_sending : &session->sending) = task;
    session->sending_last = task;
}

static void leave_flight(struct lb_initiator *session, struct lb_initiator_task *task) {
    uint32_t slot = task->itt & ((1U << LB_SLOT_BITS) - 1);
    stop_sending(session, task);
    session->slots[slot] = NULL;
    session->free_slots[session->free_count++] = (uint16_t)slot;
    detach(&session->in_flight, task);
}

/* ---- out ------------------------------------------------------------------------------------ */

/* RFC 7143 4.2.5.2: unsolicited data, immediate and not, is at most FirstBurstLength. */
static size_t immediate_len(const struct lb_initiator *session,
                            const struct lb_initiator_task *task) {
    const struct lb_initiator_agreed *a = &session->agreed;
    if (!a->immediate_data)
        return 0;
    return LB_MIN(task->out.len, (size_t)LB_MIN(a->first_burst, a->max_send_data));
}

static void send_command(struct lb_initiator *session, struct lb_initiator_task *task) {
    const struct lb_initiator_agreed *a = &session->agreed;
    size_t immediate = immediate_len(session, task);
    size_t unsolicited = a->initial_r2t ? immediate : LB_MIN(task->out.len, (size_t)a->first_burst);
    struct lb_iscsi_pdu pdu = {
        .opcode = LB_OP_SCSI_COMMAND,
        .final = unsolicited <= immediate,
        .itt = task->itt,
        .command = {.read = task->in.len > 0,
                    .write = task->out.len > 0,
                    .attr = LB_ATTR_SIMPLE,
                    .edtl = (uint32_t)(task->in.len + task->out.len)},
    };
    memcpy(pdu.lun, task->lun, sizeof pdu.lun);
    memcpy(pdu.command.cdb, task->cdb, sizeof pdu.command.cdb);
    task->cmd_sn = session->cmd_sn;
    task->tx_end = lb_initiator_send(session, &pdu, lb_bytes(task->out.p, immediate));
    session->cmd_sn++;
    task->sent = (uint32_t)immediate;
    task->burst_end = (uint32_t)immediate;
    if (unsolicited > immediate) {
        task->burst_end = (uint32_t)unsolicited;
        task->ttt = LB_ISCSI_NO_TAG;
        task->data_out_sn = 0;
        start_sending(session, task);
    }
}

static void issue(struct lb_initiator *session, uint64_t now_us, struct lb_initiator_task *task) {
    uint16_t slot = session->free_slots[--session->free_count];
    detach(&session->queued, task);
    append(&session->in_flight, task);
    session->slots[slot] = task;
    task->itt = lb_initiator_new_tag(session, slot);
    task->state = LB_TASK_SENT;
    task->active_us = session->idle_us = now_us;
    task->data_sn = task->received = 0;
    task->has_next = false;
    send_command(session, task);
}

/* What an R2T asked for. */
static void next_burst(struct lb_initiator *session, struct lb_initiator_task *task) {
    task->has_next = false;
    task->ttt = task->next_ttt;
    task->sent = task->next_sent;
    task->burst_end = task->next_end;
    task->data_out_sn = 0;
    start_sending(session, task);
}

/* One Data-Out of the task's burst. */
static void send_data_out(struct lb_initiator *session, uint64_t now_us,
                          struct lb_initiator_task *task) {
    uint32_t len = LB_MIN(task->burst_end - task->sent, session->agreed.max_send_data);
    struct lb_iscsi_pdu pdu = {
        .opcode = LB_OP_DATA_OUT,
        .final = task->sent + len == task->burst_end,
        .itt = task->itt,
        .ttt = task->ttt,
        .data_out = {.data_sn = task->data_out_sn++, .buffer_offset = task->sent},
    };
    memcpy(pdu.lun, task->lun, sizeof pdu.lun);
    task->tx_end = lb_initiator_send(session, &pdu, lb_bytes(task->out.p + task->sent, len));
    task->sent += len;
    task->active_us = now_us;
    if (task->sent < task->burst_end)
        return;
    stop_sending(session, task);
    if (task->has_next)
        next_burst(session, task);
}

static bool has_tx_room(const struct lb_initiator *session) {
    return lb_stream_room(&session->stream) > LB_INITIATOR_TX_RESERVE;
}

/* While the session is held, a write that asks for its data waits, too: it may be at another
 * disk. */
static void send_bursts(struct lb_initiator *session, uint64_t now_us) {
    while (session->sending != NULL && !session->is_held && has_tx_room(session))
        send_data_out(session, now_us, session->sending);
}

struct lb_initiator_task *lb_initiator_next_task(const struct lb_initiator *session) {
    struct lb_initiator_task *task = session->queued.first;
    while (session->is_held && task != NULL && !task->goes_ahead)
        task = task->next;
    return task;
}

static bool may_issue(const struct lb_initiator *session) {
    return session->queued.count > 0 && session->in_flight.count < session->depth &&
           lb_sn_up_to(session->cmd_sn, session->max_cmd_sn) && !session->logout_asked &&
           !session->tmf.is_out;
}

void lb_initiator_pump(struct lb_initiator *session, uint64_t now_us) {
    if (session->state != LB_INITIATOR_FULL_FEATURE)
        return;
    send_bursts(session, now_us);
    struct lb_initiator_task *next;
    while (may_issue(session) && (session->sending == NULL || session->is_held) &&
           has_tx_room(session) && (next = lb_initiator_next_task(session)) != NULL) {
        issue(session, now_us, next);
        send_bursts(session, now_us);
    }
    bool idle = session->in_flight.count == 0 && !session->text_is_out;
    if (idle && (session->logout_asked || (session->logout_wanted && session->queued.count == 0)))
        lb_initiator_send_logout(session, now_us);
}

/* ---- in ------------------------------------------------------------------------------------- */

static struct lb_initiator_task *find_task(struct lb_initiator *session, uint64_t now_us) {
    const struct lb_iscsi_pdu *pdu = &session->pdu;
    struct lb_initiator_task *task = lb_initiator_task_of(session, pdu->itt);
    if (task == NULL)
        lb_initiator_break(session, now_us, LB_E_PROTOCOL,
                           "%s for tag 0x%08x, which no command has",
                           lb_iscsi_opcode_word(pdu->opcode), pdu->itt);
    return task;
}

bool lb_initiator_data_in_header(struct lb_initiator *session, uint64_t now_us,
                                 struct lb_span *to) {
    const struct lb_iscsi_pdu *pdu = &session->pdu;
    struct lb_initiator_task *task = find_task(session, now_us);
    if (task == NULL)
        return false;
    uint64_t end = (uint64_t)pdu->data_in.buffer_offset + pdu->data_len;
    if (end > task->in.len) {
        lb_initiator_break(session, now_us, LB_E_PROTOCOL,
                           "Data-In at offset %u with %u bytes, where %zu were asked for",
                           pdu->data_in.buffer_offset, pdu->data_len, task->in.len);
        return false;
    }
    /* RFC 7143 13.18, 13.19: we agreed on data in order, without gaps. */
    if ((pdu->data_in.buffer_offset != task->received && pdu->data_len > 0) ||
        pdu->data_in.data_sn != task->data_sn) {
        lb_initiator_break(session, now_us, LB_E_PROTOCOL,
                           "Data-In %u at offset %u, where %u at offset %u follows",
                           pdu->data_in.data_sn, pdu->data_in.buffer_offset, task->data_sn,
                           task->received);
        return false;
    }
    *to = lb_span(task->in.p + pdu->data_in.buffer_offset, pdu->data_len);
    return true;
}

static void finish(struct lb_initiator *session, uint64_t now_us, struct lb_initiator_task *task) {
    session->idle_us = session->answered_us = now_us;
    leave_flight(session, task);
    task->state = LB_TASK_DONE;
    task->in_len = task->received;
    task->out_len = task->sent;
    append(&session->done, task);
    lb_initiator_note_depth(session, task->response == 0 ? task->status : 0);
    lb_initiator_progress(session);
}

static void take_residual(struct lb_initiator_task *task, bool overflow, bool underflow,
                          uint32_t residual) {
    task->overflow = overflow;
    task->underflow = underflow;
    task->residual = overflow || underflow ? residual : 0;
}

void lb_initiator_data_in(struct lb_initiator *session, uint64_t now_us) {
    const struct lb_iscsi_pdu *pdu = &session->pdu;
    struct lb_initiator_task *task = lb_initiator_task_of(session, pdu->itt);
    lb_assert(task != NULL); /* its header found it; nothing comes between */
    task->received += pdu->data_len;
    task->data_sn++;
    task->active_us = now_us;
    if (!pdu->data_in.has_status)
        return;
    /* RFC 7143 11.7.3, 11.4.5.1: S comes with F; O and U exclude each other. */
    if (!pdu->final || (pdu->data_in.overflow && pdu->data_in.underflow)) {
        lb_initiator_break(session, now_us, LB_E_PROTOCOL,
                           "Data-In with flags that exclude each other");
        return;
    }
    task->response = 0;
    task->status = pdu->data_in.status;
    task->sense_len = 0;
    take_residual(task, pdu->data_in.overflow, pdu->data_in.underflow, pdu->data_in.residual);
    finish(session, now_us, task);
}

/* RFC 7143 11.4.7: two bytes of length, then the sense data; both may be cut short. */
static void take_sense(const struct lb_initiator *session, struct lb_initiator_task *task) {
    size_t staged = LB_MIN((size_t)session->pdu.data_len, sizeof session->scratch);
    struct lb_rd rd = lb_rd(lb_bytes(session->scratch, staged));
    size_t len = lb_rd_u16(&rd);
    struct lb_bytes rest = lb_rd_rest(&rd);
    task->sense_len = LB_MIN(LB_MIN(len, rest.len), sizeof task->sense);
    if (task->sense_len > 0)
        memcpy(task->sense, rest.p, task->sense_len);
}

void lb_initiator_response(struct lb_initiator *session, uint64_t now_us) {
    const struct lb_iscsi_pdu *pdu = &session->pdu;
    struct lb_initiator_task *task = find_task(session, now_us);
    if (task == NULL)
        return;
    if (pdu->response.overflow && pdu->response.underflow) {
        lb_initiator_break(session, now_us, LB_E_PROTOCOL, "SCSI Response with both O and U");
        return;
    }
    task->response = pdu->response.response;
    task->status = task->response == 0 ? pdu->response.status : 0;
    take_residual(task, pdu->response.overflow, pdu->response.underflow, pdu->response.residual);
    take_sense(session, task);
    finish(session, now_us, task);
}

static const char *wrong_r2t(const struct lb_initiator *session,
                             const struct lb_initiator_task *task) {
    const struct lb_iscsi_pdu *pdu = &session->pdu;
    uint64_t end = (uint64_t)pdu->r2t.buffer_offset + pdu->r2t.desired_len;
    if (task->out.len == 0)
        return "asks for data of a command that writes nothing";
    if (pdu->ttt == LB_ISCSI_NO_TAG)
        return "has the reserved tag";
    if (pdu->r2t.desired_len == 0)
        return "asks for no bytes";
    if (pdu->r2t.desired_len > session->agreed.max_burst)
        return "asks for more than MaxBurstLength";
    if (end > task->out.len)
        return "asks for data beyond the end";
    if (pdu->r2t.r2t_sn != task->data_sn)
        return "is out of order";
    if (task->has_next || (task->is_sending && task->ttt != LB_ISCSI_NO_TAG))
        return "comes while the one before is not answered, though MaxOutstandingR2T is 1";
    return NULL;
}

void lb_initiator_r2t(struct lb_initiator *session, uint64_t now_us) {
    const struct lb_iscsi_pdu *pdu = &session->pdu;
    struct lb_initiator_task *task = find_task(session, now_us);
    if (task == NULL)
        return;
    const char *wrong = wrong_r2t(session, task);
    if (wrong != NULL) {
        lb_initiator_break(session, now_us, LB_E_PROTOCOL, "R2T %u (offset %u, %u bytes) %s",
                           pdu->r2t.r2t_sn, pdu->r2t.buffer_offset, pdu->r2t.desired_len, wrong);
        return;
    }
    task->data_sn++;
    task->next_ttt = pdu->ttt;
    task->next_sent = pdu->r2t.buffer_offset;
    task->next_end = task->next_sent + pdu->r2t.desired_len;
    task->has_next = true;
    task->active_us = now_us;
    if (!task->is_sending)
        next_burst(session, task);
}

/* ---- again, or never ------------------------------------------------------------------------ */

/* Into the queue in the order of CmdSN, before all that was never issued. */
void lb_initiator_requeue(struct lb_initiator *session, struct lb_initiator_task *task) {
    leave_flight(session, task);
    task->state = LB_TASK_QUEUED;
    prepend(&session->queued, task);
}

void lb_initiator_requeue_all(struct lb_initiator *session) {
    while (session->in_flight.last != NULL) {
        session->in_flight.last->reissues++;
        lb_initiator_requeue(session, session->in_flight.last);
    }
    session->tmf.is_out = false;
}

void lb_initiator_requeue_lun(struct lb_initiator *session, const uint8_t lun[8]) {
    struct lb_initiator_task *task = session->in_flight.last;
    while (task != NULL) {
        struct lb_initiator_task *before = task->prev;
        if (memcmp(task->lun, lun, sizeof task->lun) == 0)
            lb_initiator_requeue(session, task);
        task = before;
    }
}

static void lose(struct lb_initiator *session, struct lb_initiator_task *task) {
    task->state = LB_TASK_LOST;
    append(&session->done, task);
}

void lb_initiator_silence(struct lb_initiator *session, struct lb_initiator_task *task) {
    if (task->state == LB_TASK_SENT)
        leave_flight(session, task);
    else
        detach(&session->queued, task);
    task->state = LB_TASK_SILENT;
    append(&session->done, task);
}

void lb_initiator_lose_all(struct lb_initiator *session) {
    lb_initiator_requeue_all(session);
    while (session->queued.first != NULL) {
        struct lb_initiator_task *task = session->queued.first;
        detach(&session->queued, task);
        lose(session, task);
    }
}

void lb_initiator_lose_held(struct lb_initiator *session) {
    struct lb_initiator_task *task = session->queued.first;
    lb_assert(session->is_held);
    while (task != NULL) {
        struct lb_initiator_task *next = task->next;
        if (!task->goes_ahead) {
            detach(&session->queued, task);
            lose(session, task);
        }
        task = next;
    }
}

/* ---- the owner's calls ---------------------------------------------------------------------- */

void lb_initiator_submit(struct lb_initiator *session, uint64_t now_us,
                         struct lb_initiator_task *task) {
    lb_assert(task->state != LB_TASK_QUEUED && task->state != LB_TASK_SENT);
    lb_assert(task->in.len == 0 || task->out.len == 0);
    lb_assert(task->in.len < UINT32_C(1) << 24 && task->out.len < UINT32_C(1) << 24);
    task->response = task->status = 0;
    task->overflow = task->underflow = false;
    task->residual = 0;
    task->sense_len = task->in_len = task->out_len = 0;
    task->received = 0;
    task->reissues = task->strikes = 0;
    task->tx_end = 0;
    task->is_sending = false;
    if (session->state == LB_INITIATOR_ENDED || session->logout_wanted) {
        lose(session, task);
        return;
    }
    if (session->queued.count == 0)
        session->idle_us = now_us;
    task->state = LB_TASK_QUEUED;
    append(&session->queued, task);
    lb_initiator_pump(session, now_us);
}

struct lb_initiator_task *lb_initiator_completed(struct lb_initiator *session) {
    struct lb_initiator_task *task = session->done.first;
    /* A target may answer before it has all the data; the send queue still points to it then. */
    if (task == NULL || !lb_stream_is_sent(&session->stream, task->tx_end))
        return NULL;
    detach(&session->done, task);
    return task;
}

size_t lb_initiator_room(const struct lb_initiator *session) {
    size_t waiting = session->queued.count + session->in_flight.count;
    size_t window = session->max_cmd_sn - session->cmd_sn + 1;
    if (session->state != LB_INITIATOR_FULL_FEATURE || session->logout_asked ||
        session->logout_wanted || session->tmf.is_out ||
        !lb_sn_up_to(session->cmd_sn, session->max_cmd_sn) || waiting >= session->depth ||
        session->queued.count >= window)
        return 0;
    return LB_MIN(window - session->queued.count, session->depth - waiting);
}

void lb_initiator_hold(struct lb_initiator *session) {
    session->is_held = true;
}

void lb_initiator_release(struct lb_initiator *session, uint64_t now_us) {
    session->is_held = false;
    lb_initiator_pump(session, now_us);
}

void lb_initiator_hold_logins(struct lb_initiator *session) {
    session->holds_logins = true;
}

unsigned lb_initiator_missed(const struct lb_initiator *session) {
    return session->missed;
}

/* SPC-4 5.14.5 (SAM-5 5.14): these are answered without one. */
bool lb_initiator_may_tell(const struct lb_initiator_task *task) {
    return task->cdb[0] != LB_SCSI_INQUIRY && task->cdb[0] != LB_SCSI_REPORT_LUNS &&
           task->cdb[0] != LB_SCSI_REQUEST_SENSE;
}

void lb_initiator_miss(struct lb_initiator *session) {
    session->missed++;
    session->is_held = session->is_held || session->holds_logins;
}

bool lb_initiator_is_held(const struct lb_initiator *session) {
    return session->is_held;
}
