/* What the target sends for its tasks: Data-In, R2T, SCSI Response. RFC 7143 11.4, 11.7, 11.8.
 * Tasks that have something to send wait in the list `out`, and are served in its order as long as
 * the stream takes PDUs. */
#include "core/target/target_state.h"

static bool can_queue(const struct lb_target_conn *conn) {
    return lb_stream_can_queue(&conn->stream);
}

/* RFC 7143 11.4.7: two bytes of length before the sense data. */
static struct lb_bytes encode_sense(const struct lb_target_task *task,
                                    uint8_t room[2 + LB_SCSI_SENSE_MAX]) {
    struct lb_bytes sense = lb_scsi_command_sense(&task->scsi, room + 2);
    struct lb_wr wr = lb_wr(lb_span(room, 2));
    if (sense.len == 0)
        return sense;
    lb_wr_u16(&wr, (uint16_t)sense.len);
    return lb_bytes(room, 2 + sense.len);
}

static void send_response(struct lb_target_conn *conn, struct lb_target_task *task) {
    uint8_t bhs[LB_ISCSI_BHS_BYTES], sense[2 + LB_SCSI_SENSE_MAX];
    struct lb_iscsi_pdu pdu = {.opcode = LB_OP_SCSI_RESPONSE, .final = true, .itt = task->itt};
    pdu.response.status = task->scsi.status;
    pdu.response.exp_data_sn = task->scsi.writes ? task->r2t_sn : task->data_sn;
    if (!task->scsi.has_failed || task->scsi.tells_residual) {
        pdu.response.overflow = task->scsi.overflow;
        pdu.response.underflow = task->scsi.underflow;
        pdu.response.residual = task->scsi.residual;
    }
    lb_target_task_answered(conn, task);
    lb_target_number(conn, &pdu, true, bhs);
    lb_stream_queue_copy(&conn->stream, bhs, encode_sense(task, sense));
    lb_target_task_rest(conn, task);
}

/* A Data-In; with `is_last` it carries status GOOD in place of a SCSI Response. */
static void number_data_in(struct lb_target_conn *conn, struct lb_target_task *task, bool is_last,
                           bool ends_sequence, uint32_t offset, uint8_t bhs[LB_ISCSI_BHS_BYTES]) {
    struct lb_iscsi_pdu pdu = {
        .opcode = LB_OP_DATA_IN,
        .final = ends_sequence || is_last,
        .itt = task->itt,
        .ttt = LB_ISCSI_NO_TAG,
    };
    pdu.data_in.data_sn = task->data_sn++;
    pdu.data_in.buffer_offset = offset;
    pdu.data_in.has_status = is_last;
    if (is_last) {
        pdu.data_in.overflow = task->scsi.overflow;
        pdu.data_in.underflow = task->scsi.underflow;
        pdu.data_in.residual = task->scsi.residual;
        lb_target_task_answered(conn, task);
    }
    lb_target_number(conn, &pdu, is_last, bhs);
}

/* The reply of a command that moves no blocks; at most 512 bytes, so one PDU to everybody. */
static void send_reply(struct lb_target_conn *conn, struct lb_target_task *task) {
    uint8_t bhs[LB_ISCSI_BHS_BYTES], reply[LB_SCSI_REPLY_MAX];
    struct lb_scsi_device device = lb_target_device(conn);
    size_t len = task->scsi.kind == LB_SCSI_KIND_STATUS
                     ? lb_scsi_device_status(&device, &task->scsi, task->scsi.blocks,
                                             !task->scsi.unmaps, reply)
                     : lb_scsi_device_reply(&device, &task->scsi, lb_span(reply, sizeof reply));
    if (len == 0) {
        send_response(conn, task);
        return;
    }
    number_data_in(conn, task, true, true, 0, bhs);
    lb_stream_queue_copy(&conn->stream, bhs, lb_bytes(reply, len));
    lb_target_task_rest(conn, task);
}

static void send_answer(struct lb_target_conn *conn, struct lb_target_task *task) {
    bool has_reply =
        task->scsi.kind == LB_SCSI_KIND_REPLY || task->scsi.kind == LB_SCSI_KIND_STATUS;
    if (has_reply && !task->is_taken && !task->scsi.has_failed)
        send_reply(conn, task);
    else
        send_response(conn, task);
}

static void send_r2t(struct lb_target_conn *conn, struct lb_target_task *task) {
    uint8_t bhs[LB_ISCSI_BHS_BYTES];
    uint32_t len = LB_MIN(task->piece_end - task->moved, conn->max_burst);
    if (conn->next_ttt == LB_ISCSI_NO_TAG)
        conn->next_ttt = 0;
    task->ttt = conn->next_ttt++;
    task->burst_end = task->moved + len;
    task->wants_r2t = false;
    struct lb_iscsi_pdu pdu = {
        .opcode = LB_OP_R2T, .final = true, .itt = task->itt, .ttt = task->ttt};
    memcpy(pdu.lun, task->lun, sizeof pdu.lun);
    pdu.r2t.r2t_sn = task->r2t_sn++;
    pdu.r2t.buffer_offset = task->moved;
    pdu.r2t.desired_len = len;
    lb_target_number(conn, &pdu, false, bhs);
    lb_stream_queue(&conn->stream, bhs, lb_bytes(NULL, 0));
}

/* Queues Data-In for the piece that the host gave. False when the stream is full before its end. */
static bool send_piece(struct lb_target_conn *conn, struct lb_target_task *task) {
    uint8_t bhs[LB_ISCSI_BHS_BYTES];
    while (task->moved < task->piece_end) {
        if (!can_queue(conn))
            return false;
        uint32_t offset = task->moved;
        uint32_t len = LB_MIN(task->piece_end - offset, conn->max_send_data);
        len = LB_MIN(len, conn->max_burst - task->in_sequence);
        task->moved += len;
        task->in_sequence += len;
        bool ends_sequence = task->in_sequence == conn->max_burst;
        number_data_in(conn, task, task->moved == task->scsi.total, ends_sequence, offset, bhs);
        if (ends_sequence)
            task->in_sequence = 0;
        task->sent_at = lb_stream_queue(&conn->stream, bhs,
                                        lb_bytes(task->io.buffer.p + (offset - task->piece), len));
    }
    return true;
}

void lb_target_take_memory(struct lb_target_task *task, struct lb_span memory) {
    uint32_t len = (uint32_t)LB_MIN(memory.len, task->io.len), least = task->io.len;
    if (task->io.is_piece)
        least = LB_MIN(least, 65536);
    lb_assert(memory.p != NULL && len >= least);
    task->io.buffer = memory;
    task->has_memory = true;
    if (len == task->io.len)
        return;
    task->piece_end = task->piece + len;
    task->io.blocks = len / lb_scsi_unit_block_bytes(task->io.lun);
    task->io.len = len;
}

/* Its memory is in use until the stream has sent it, unless it stays anyway. */
static void end_piece(struct lb_target_conn *conn, struct lb_target_task *task) {
    bool stays = conn->server->keeps_memory && !task->io.is_apart;
    if (stays || lb_stream_is_sent(&conn->stream, task->sent_at)) {
        lb_target_task_rest(conn, task);
        return;
    }
    task->state = LB_TTASK_UNSENT;
    lb_target_list_add(conn, &conn->unsent, task);
}

/* False when the stream is full and the task must stay at the head. */
static bool serve(struct lb_target_conn *conn, struct lb_target_task *task) {
    if (task->state == LB_TTASK_SENDING && !task->is_aborted) {
        if (!send_piece(conn, task))
            return false;
        (void)lb_target_list_take(conn, &conn->out);
        end_piece(conn, task);
        return true;
    }
    (void)lb_target_list_take(conn, &conn->out);
    if (task->is_aborted && task->state == LB_TTASK_SENDING)
        end_piece(conn, task); /* some of it may be queued */
    else if (task->is_aborted)
        lb_target_task_rest(conn, task);
    else if (task->state == LB_TTASK_RECEIVING)
        send_r2t(conn, task);
    else
        send_answer(conn, task);
    return true;
}

void lb_target_pump(struct lb_target_conn *conn) {
    while (conn->out.first != LB_TTASK_NONE && can_queue(conn))
        if (!serve(conn, &conn->work->tasks[conn->out.first]))
            return;
}

void lb_target_reap(struct lb_target_conn *conn) {
    while (conn->unsent.first != LB_TTASK_NONE &&
           lb_stream_is_sent(&conn->stream, conn->work->tasks[conn->unsent.first].sent_at))
        lb_target_task_rest(conn, lb_target_list_take(conn, &conn->unsent));
}
