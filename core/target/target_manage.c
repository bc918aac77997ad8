/* Task management: RFC 7143 11.5, 11.6; SAM-5 7. What it ends of a command's life, and for whom. */
#include "core/target/target_state.h"

/* Whether an aborted task may be forgotten now: nobody else holds it. */
static bool is_free_standing(const struct lb_target_conn *conn, const struct lb_target_task *task) {
    uint8_t index = lb_target_index_of(conn, task);
    if (task->state == LB_TTASK_AT_UNIT)
        return true; /* what the unit does goes on: SBC-3 4.11.1 */
    return task->state == LB_TTASK_RECEIVING && !task->wants_r2t && conn->receiving != index &&
           conn->stalled != index;
}

static bool has_aborted_at_host(const struct lb_target_conn *conn) {
    for (unsigned i = 0; conn->work != NULL && i < conn->work->fresh; i++)
        if (conn->work->tasks[i].is_aborted && conn->work->tasks[i].state == LB_TTASK_AT_HOST)
            return true;
    return false;
}

static void abort_task(struct lb_target_conn *conn, struct lb_target_task *task) {
    struct lb_scsi_device device = lb_target_device(conn);
    lb_scsi_device_untold(&device, &task->scsi);
    lb_scsi_device_stopped(&device, &task->scsi);
    task->is_aborted = true;
    lb_target_task_answered(conn, task);
    if (is_free_standing(conn, task))
        lb_target_task_rest(conn, task);
}

/* Aborts the connection's tasks on a LUN of the node. */
static void abort_tasks(struct lb_target_conn *conn, uint8_t lun_index) {
    for (unsigned i = 0; conn->work != NULL && i < conn->work->fresh; i++) {
        struct lb_target_task *task = &conn->work->tasks[i];
        if (task->state != LB_TTASK_IDLE && !task->is_answered && task->scsi.unit == lun_index)
            abort_task(conn, task);
    }
}

/* Those of all who reach this unit; the others learn it by UNIT ATTENTION. */
static void abort_everybodys(struct lb_target_conn *conn, uint8_t lun_index, uint16_t attention) {
    struct lb_scsi_nexus *own = &conn->nexuses[lun_index];
    abort_tasks(conn, lun_index);
    if (own->unit->is_for_all)
        return;
    for (struct lb_scsi_nexus *n = own->unit->nexuses; n != NULL; n = n->next) {
        struct lb_target_conn *other = n->owner;
        if (other == conn || other->phase != LB_TARGET_FULL_FEATURE)
            continue;
        abort_tasks(other, (uint8_t)(n - other->nexuses));
        lb_scsi_nexus_attention(n, (uint8_t)(attention >> 8), (uint8_t)attention);
        conn->server->stirred = true;
    }
}

void lb_target_abort_preempted(struct lb_target_conn *conn, const struct lb_target_task *task) {
    for (struct lb_scsi_nexus *n = task->io.lun->nexuses; n != NULL; n = n->next) {
        struct lb_target_conn *other = n->owner;
        if (other == conn || other->phase != LB_TARGET_FULL_FEATURE ||
            lb_scsi_is_registered(task->io.lun, n))
            continue;
        abort_tasks(other, (uint8_t)(n - other->nexuses));
        conn->server->stirred = true;
    }
}

/* SAM-5 6.2, 6.3.3: a reset is told to every nexus, also to the one that asked for it. */
static void reset_unit(struct lb_target_conn *conn, uint8_t lun_index) {
    struct lb_scsi_nexus *own = &conn->nexuses[lun_index];
    abort_everybodys(conn, lun_index, 0x2903);
    lb_scsi_nexus_attention(own, 0x29, 0x03);
    lb_scsi_unit_reset(own->unit);
}

/* Each unit of the target that this session reaches. */
static void reset_all(struct lb_target_conn *conn) {
    for (unsigned i = 0; i < LB_TARGET_LUNS_MAX; i++) {
        lb_target_attach(conn, i);
        if (conn->nexuses[i].unit != NULL)
            reset_unit(conn, (uint8_t)i);
    }
}

/* Nobody ends the sessions of others at a unit that is for all. */
static bool has_unit_for_all(const struct lb_target *node) {
    for (unsigned i = 0; i < LB_TARGET_LUNS_MAX; i++)
        if (node->luns[i] != NULL && node->luns[i]->is_for_all)
            return true;
    return false;
}

static uint8_t abort_one(struct lb_target_conn *conn) {
    struct lb_target_task *task = lb_target_find_task(conn, conn->pdu.tmf.ref_task_tag);
    if (task == NULL || memcmp(task->lun, conn->pdu.lun, sizeof task->lun) != 0)
        return LB_TMF_NO_TASK;
    abort_task(conn, task);
    return LB_TMF_COMPLETE;
}

static uint8_t manage(struct lb_target_conn *conn) {
    struct lb_scsi_device device = lb_target_device(conn);
    uint8_t lun_index = lb_target_find_lun(conn, &device, conn->pdu.lun);
    switch ((enum lb_iscsi_tmf)conn->pdu.tmf.function) {
    case LB_TMF_ABORT_TASK:
        return abort_one(conn);
    case LB_TMF_ABORT_TASK_SET:
        if (lun_index == LB_SCSI_NO_UNIT)
            return LB_TMF_NO_LUN;
        abort_tasks(conn, lun_index);
        return LB_TMF_COMPLETE;
    case LB_TMF_CLEAR_TASK_SET:
        if (lun_index == LB_SCSI_NO_UNIT)
            return LB_TMF_NO_LUN;
        abort_everybodys(conn, lun_index, 0x2f00);
        return LB_TMF_COMPLETE;
    case LB_TMF_LUN_RESET:
        if (lun_index == LB_SCSI_NO_UNIT)
            return LB_TMF_NO_LUN;
        reset_unit(conn, lun_index);
        return LB_TMF_COMPLETE;
    case LB_TMF_TARGET_WARM_RESET:
        reset_all(conn);
        return LB_TMF_COMPLETE;
    case LB_TMF_TASK_REASSIGN:
        return LB_TMF_NO_REASSIGNMENT;
    case LB_TMF_TARGET_COLD_RESET:
        if (has_unit_for_all(conn->node))
            return LB_TMF_NOT_SUPPORTED;
        reset_all(conn);
        conn->node->was_reset = conn->tmf_closes = true;
        return LB_TMF_COMPLETE;
    case LB_TMF_CLEAR_ACA:
        return LB_TMF_NOT_SUPPORTED;
    }
    return LB_TMF_REJECTED;
}

/* 11.5.1: after a cold reset every session of the target ends, with what is queued for it. */
static void close_all(struct lb_target_conn *conn) {
    struct lb_target_server *server = conn->server;
    for (unsigned i = 0; i < LB_TARGET_BUCKETS; i++)
        for (struct lb_target_conn *c = server->sessions[i]; c != NULL; c = c->next)
            if (c->node == conn->node)
                lb_target_close(c, "an initiator has reset the target");
    server->stirred = true;
}

void lb_target_task_management(struct lb_target_conn *conn) {
    conn->tmf_response = manage(conn);
    conn->tmf_itt = conn->pdu.itt;
    conn->tmf_waits = true;
    lb_target_end_task_management(conn);
}

void lb_target_end_task_management(struct lb_target_conn *conn) {
    uint8_t bhs[LB_ISCSI_BHS_BYTES];
    if (!conn->tmf_waits || has_aborted_at_host(conn) || !lb_stream_can_queue(&conn->stream))
        return;
    struct lb_iscsi_pdu pdu = {.opcode = LB_OP_TMF_RESPONSE, .final = true, .itt = conn->tmf_itt};
    pdu.tmf_response.response = conn->tmf_response;
    conn->tmf_waits = false;
    lb_target_number(conn, &pdu, true, bhs);
    lb_stream_queue(&conn->stream, bhs, lb_bytes(NULL, 0));
    if (conn->tmf_closes)
        close_all(conn);
}
