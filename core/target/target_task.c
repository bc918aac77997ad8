/* The life of a command on the target's side: SCSI Command, Data-Out, ios at the host. RFC 7143
 * 11.3, 11.7; task management is in target_manage.c, and what is sent back in target_data.c.
 *
 *   IDLE --read----> ASK --> AT_HOST --> SENDING --> UNSENT --> IDLE
 *     |               ^____________next piece__________|
 *     |--write-----> ASK --> AT_HOST --> RECEIVING --> ASK --> AT_HOST --> ANSWERING --> IDLE
 *     |             (BUFFER)  ^_________next piece_____________(WRITE, COMPARE, UNMAP, ...)
 *     |--long reply> ASK --> AT_HOST --> SENDING --> UNSENT --> IDLE
 *     |             (BUFFER)
 *     |--SANITIZE--> ASK --> AT_HOST --> AT_UNIT -----------------------> ANSWERING --> IDLE
 *     `--others--------------------------------------------------------> ANSWERING --> IDLE
 *
 * RECEIVING is also the state of a command that failed while its unsolicited data is still to come:
 * the initiator sends it to the end, and gets the status then (11.4.2). */
#include "core/target/target_state.h"

/* ---- lists, and finding a task ---- */

uint8_t lb_target_index_of(const struct lb_target_conn *conn, const struct lb_target_task *task) {
    return (uint8_t)(task - conn->work->tasks);
}

void lb_target_list_add(struct lb_target_conn *conn, struct lb_target_list *list,
                        struct lb_target_task *task) {
    uint8_t index = lb_target_index_of(conn, task);
    task->next = LB_TTASK_NONE;
    if (list->first == LB_TTASK_NONE)
        list->first = index;
    else
        conn->work->tasks[list->last].next = index;
    list->last = index;
}

struct lb_target_task *lb_target_list_take(struct lb_target_conn *conn,
                                           struct lb_target_list *list) {
    if (list->first == LB_TTASK_NONE)
        return NULL;
    struct lb_target_task *task = &conn->work->tasks[list->first];
    list->first = task->next;
    return task;
}

/* Initiators number their tags upwards, or by index, often with a pattern in the upper bits. */
static uint8_t hash(uint32_t itt) {
    return (uint8_t)(itt ^ itt >> 8 ^ itt >> 16 ^ itt >> 24);
}

struct lb_target_task *lb_target_find_task(struct lb_target_conn *conn, uint32_t itt) {
    uint8_t at = conn->work->by_itt[hash(itt)];
    while (at != LB_TTASK_NONE && conn->work->tasks[at].itt != itt)
        at = conn->work->tasks[at].hash_next;
    return at == LB_TTASK_NONE ? NULL : &conn->work->tasks[at];
}

static void forget_itt(struct lb_target_conn *conn, const struct lb_target_task *task) {
    uint8_t *at = &conn->work->by_itt[hash(task->itt)];
    while (&conn->work->tasks[*at] != task)
        at = &conn->work->tasks[*at].hash_next;
    *at = task->hash_next;
}

void lb_target_tasks_init(struct lb_target_conn *conn) {
    static const struct lb_target_list empty = {LB_TTASK_NONE, LB_TTASK_NONE};
    conn->asks = conn->out = conn->unsent = empty;
    conn->receiving = conn->stalled = LB_TTASK_NONE;
    conn->awaits_unit = false;
}

void lb_target_tasks_lend(struct lb_target_conn *conn, struct lb_span memory) {
    struct lb_target_work *work = (struct lb_target_work *)(void *)memory.p;
    lb_assert(memory.len >= LB_TARGET_WORK_BYTES(0));
    lb_assert((uintptr_t)memory.p % sizeof(uint64_t) == 0);
    size_t cap = (memory.len - sizeof *work) / sizeof work->tasks[0];
    memset(work->by_itt, LB_TTASK_NONE, sizeof work->by_itt);
    work->free_task = LB_TTASK_NONE;
    work->fresh = 0;
    work->cap = (uint8_t)LB_MIN(cap, LB_TARGET_TASKS);
    conn->work = work;
    conn->work_len = memory.len;
}

bool lb_target_has_free_task(const struct lb_target_conn *conn) {
    const struct lb_target_work *work = conn->work;
    return work != NULL && (work->free_task != LB_TTASK_NONE || work->fresh < work->cap);
}

static struct lb_target_task *take_free_task(struct lb_target_conn *conn) {
    struct lb_target_work *work = conn->work;
    uint8_t index = work->free_task;
    if (index == LB_TTASK_NONE)
        index = work->fresh++;
    else
        work->free_task = work->tasks[index].next;
    conn->tasks_used++;
    return &work->tasks[index];
}

/* ---- states ---- */

static void enter_ask(struct lb_target_conn *conn, struct lb_target_task *task,
                      enum lb_io_kind kind) {
    task->io.kind = kind;
    task->state = LB_TTASK_ASK;
    lb_target_list_add(conn, &conn->asks, task);
}

static void enter_idle(struct lb_target_conn *conn, struct lb_target_task *task) {
    task->state = LB_TTASK_IDLE;
    conn->tasks_used--;
    task->next = conn->work->free_task;
    conn->work->free_task = lb_target_index_of(conn, task);
}

static void enter_answering(struct lb_target_conn *conn, struct lb_target_task *task) {
    const struct lb_scsi_command *scsi = &task->scsi;
    if (scsi->kind == LB_SCSI_KIND_SANITIZE && !scsi->has_failed && !scsi->is_immediate)
        (void)lb_scsi_command_sanitize(&task->scsi, task->io.lun); /* it may have failed since */
    task->state = LB_TTASK_ANSWERING;
    lb_target_list_add(conn, &conn->out, task);
}

/* Whether the initiator's data goes into a buffer. */
static bool takes_data(const struct lb_scsi_command *scsi) {
    enum lb_scsi_kind kind = scsi->kind;
    bool takes = kind == LB_SCSI_KIND_PARAMETERS || kind == LB_SCSI_KIND_WRITE ||
                 kind == LB_SCSI_KIND_OR || kind == LB_SCSI_KIND_COMPARE ||
                 kind == LB_SCSI_KIND_COMPARE_EACH || kind == LB_SCSI_KIND_COMPARE_AND_WRITE ||
                 kind == LB_SCSI_KIND_WRITE_EACH;
    return takes && scsi->total > 0;
}

/* Whether its data is that of blocks, one after the other. */
static bool is_of_blocks(const struct lb_scsi_command *scsi) {
    return scsi->kind == LB_SCSI_KIND_READ || scsi->kind == LB_SCSI_KIND_WRITE ||
           scsi->kind == LB_SCSI_KIND_COMPARE || scsi->kind == LB_SCSI_KIND_OR;
}

/* A range of blocks, without regard to what is in the buffer. */
static void set_range(struct lb_target_task *task) {
    task->io.lba = task->scsi.lba;
    task->io.blocks = (uint32_t)LB_MIN(task->scsi.blocks, UINT32_MAX);
    task->io.force_unit_access = task->scsi.force_unit_access;
    task->io.unmaps = task->scsi.unmaps;
}

/* Room for what is not of blocks: all of it at once. */
static void enter_room(struct lb_target_conn *conn, struct lb_target_task *task, uint32_t len) {
    task->io.is_apart = conn->server->keeps_memory;
    task->io.is_piece = false;
    task->piece = task->moved = 0;
    task->piece_end = len;
    set_range(task);
    task->io.len = len;
    enter_ask(conn, task, LB_IO_BUFFER);
}

/* Asks for the disk's part of the next piece: all that is left, or io_max. */
static void enter_piece(struct lb_target_conn *conn, struct lb_target_task *task) {
    uint32_t block_bytes = lb_scsi_unit_block_bytes(task->io.lun);
    uint32_t io_max = conn->server->io_max;
    bool is_write = takes_data(&task->scsi);
    bool is_atomic = task->scsi.is_atomic;
    bool is_apart = task->scsi.kind != LB_SCSI_KIND_WRITE || conn->data_digest || is_atomic;
    task->io.is_apart = is_write && conn->server->keeps_memory && is_apart;
    if (io_max == 0)
        io_max = conn->server->keeps_memory && !task->io.is_apart ? UINT32_MAX & ~UINT32_C(0xffff)
                                                                  : 1u << 20;
    uint32_t len = is_atomic ? task->scsi.total : LB_MIN(task->scsi.total - task->moved, io_max);
    task->io.is_piece = !is_atomic;
    task->io.is_atomic = is_atomic;
    task->piece = task->moved;
    task->piece_end = task->moved + len;
    task->io.lba = task->scsi.lba + task->piece / block_bytes;
    task->io.blocks = (uint32_t)(((uint64_t)len + block_bytes - 1) / block_bytes);
    task->io.len = task->io.blocks * block_bytes;
    task->io.force_unit_access = task->scsi.force_unit_access;
    enter_ask(conn, task, is_write ? LB_IO_BUFFER : LB_IO_READ);
}

void lb_target_task_answered(struct lb_target_conn *conn, struct lb_target_task *task) {
    if (task->is_answered)
        return;
    task->is_answered = true;
    forget_itt(conn, task);
    if (task->is_immediate)
        conn->urgent_used--;
    else
        conn->window_used--;
}

/* A SANITIZE that goes on, and is to be answered when it is over. */
static bool is_at_unit(const struct lb_target_task *task) {
    return !task->is_answered && !task->scsi.has_failed &&
           task->scsi.kind == LB_SCSI_KIND_SANITIZE && !task->scsi.is_immediate &&
           task->io.lun->sanitize.state == LB_SCSI_SANITIZE_GOES_ON;
}

static void enter_at_unit(struct lb_target_conn *conn, struct lb_target_task *task) {
    task->state = LB_TTASK_AT_UNIT;
    conn->awaits_unit = true;
}

void lb_target_task_rest(struct lb_target_conn *conn, struct lb_target_task *task) {
    bool goes_on = !task->is_aborted && !task->scsi.has_failed &&
                   task->scsi.kind == LB_SCSI_KIND_READ && task->moved < task->scsi.total;
    if (task->has_memory && (!conn->server->keeps_memory || task->io.is_apart)) {
        task->has_memory = false;
        enter_ask(conn, task, LB_IO_RELEASE);
        return;
    }
    task->has_memory = false;
    if (goes_on)
        enter_piece(conn, task);
    else if (is_at_unit(task))
        enter_at_unit(conn, task);
    else if (!task->is_answered)
        enter_answering(conn, task);
    else
        enter_idle(conn, task);
}

bool lb_target_leave_unit(struct lb_target_conn *conn) {
    bool has_left = false;
    conn->awaits_unit = false;
    for (unsigned i = 0; i < conn->work->fresh; i++) {
        struct lb_target_task *task = &conn->work->tasks[i];
        if (task->state != LB_TTASK_AT_UNIT)
            continue;
        if (is_at_unit(task)) {
            conn->awaits_unit = true;
            continue;
        }
        enter_answering(conn, task);
        has_left = true;
    }
    return has_left;
}

/* ---- the host's answers ---- */

static void fail_as(struct lb_target_task *task, const struct lb_target_answer *answer) {
    task->scsi.status = answer->status;
    task->scsi.key = answer->key;
    task->scsi.asc = answer->asc;
    task->scsi.ascq = answer->ascq;
    task->scsi.is_deferred = answer->is_deferred;
    task->scsi.has_failed = true;
    if (answer->key == 2 && answer->asc == 0x04 && answer->ascq == 0x1b && task->io.lun != NULL)
        (void)lb_scsi_command_sanitize(&task->scsi, task->io.lun); /* with its progress */
}

static void enter_copy(struct lb_target_conn *conn, struct lb_target_task *task) {
    task->io.source = conn->node->luns[task->scsi.source];
    task->io.source_lba = task->scsi.source_lba;
    task->io.lun = conn->node->luns[task->scsi.destination];
    enter_ask(conn, task, LB_IO_COPY);
}

static void enter_sanitize(struct lb_target_conn *conn, struct lb_target_task *task) {
    task->io.sanitize = task->scsi.sanitize;
    task->io.is_restricted = !(task->scsi.cdb[1] & 0x20); /* AUSE */
    enter_ask(conn, task, LB_IO_SANITIZE);
}

/* A parameter list is here, or a part of what it asks for is done: what comes next. */
static void take_parameters(struct lb_target_conn *conn, struct lb_target_task *task) {
    struct lb_scsi_device device = lb_target_device(conn);
    for (unsigned i = 0; task->scsi.cdb[0] == LB_SCSI_EXTENDED_COPY && i < LB_TARGET_LUNS_MAX; i++)
        lb_target_attach(conn, i); /* it may name any */
    lb_scsi_device_take(&device, &task->scsi, lb_bytes(task->io.buffer.p, task->scsi.total));
    task->is_taken = true;
    if (task->scsi.aborts)
        lb_target_abort_preempted(conn, task);
    if (task->scsi.has_failed || task->scsi.kind == LB_SCSI_KIND_REPLY) {
        lb_target_task_rest(conn, task);
        return;
    }
    set_range(task);
    if (task->scsi.kind == LB_SCSI_KIND_COPY)
        enter_copy(conn, task);
    else if (task->scsi.kind == LB_SCSI_KIND_SANITIZE)
        enter_sanitize(conn, task);
    else
        enter_ask(conn, task, task->scsi.kind == LB_SCSI_KIND_KEEP ? LB_IO_KEEP : LB_IO_UNMAP);
}

/* All that belongs into the buffer is there. */
static void use_buffer(struct lb_target_conn *conn, struct lb_target_task *task) {
    if (task->scsi.kind == LB_SCSI_KIND_PARAMETERS) {
        take_parameters(conn, task);
        return;
    }
    task->io.is_repeated =
        task->scsi.kind == LB_SCSI_KIND_WRITE_EACH || task->scsi.kind == LB_SCSI_KIND_COMPARE_EACH;
    if (task->scsi.kind == LB_SCSI_KIND_OR)
        enter_ask(conn, task, LB_IO_OR);
    else if (task->scsi.kind == LB_SCSI_KIND_COMPARE_AND_WRITE)
        enter_ask(conn, task, LB_IO_COMPARE_AND_WRITE);
    else if (task->scsi.kind == LB_SCSI_KIND_COMPARE ||
             task->scsi.kind == LB_SCSI_KIND_COMPARE_EACH)
        enter_ask(conn, task, LB_IO_COMPARE);
    else
        enter_ask(conn, task, LB_IO_WRITE);
}

/* Goes on with a write (or a failed command) after data came, or its memory. */
static void advance(struct lb_target_conn *conn, struct lb_target_task *task) {
    task->state = LB_TTASK_RECEIVING;
    if (task->is_aborted) {
        lb_target_task_rest(conn, task);
    } else if (task->unsolicited) {
        return; /* more of it is on its way */
    } else if (task->scsi.has_failed || !takes_data(&task->scsi)) {
        lb_target_task_rest(conn, task);
    } else if (task->moved >= task->piece_end) {
        task->io.buffer.len = task->piece_end - task->piece;
        use_buffer(conn, task);
    } else {
        task->wants_r2t = true;
        lb_target_list_add(conn, &conn->out, task);
    }
}

/* Where Data-Out for the offset `moved` goes; what lies beyond the piece is thrown away. */
static struct lb_span data_span(const struct lb_target_task *task) {
    if (!task->has_memory || task->scsi.has_failed || task->is_aborted ||
        task->moved >= task->piece_end)
        return lb_span(NULL, 0);
    return lb_span(task->io.buffer.p + (task->moved - task->piece), task->piece_end - task->moved);
}

/* The room for a long reply is here, or was refused. */
static void make_reply(struct lb_target_conn *conn, struct lb_target_task *task) {
    struct lb_scsi_device device = lb_target_device(conn);
    size_t len = 0;
    task->state = LB_TTASK_RECEIVING;
    if (!task->scsi.has_failed)
        len = lb_scsi_device_reply(&device, &task->scsi, task->io.buffer);
    task->scsi.total = task->piece_end = (uint32_t)len;
    task->is_taken = true;
    if (len == 0) {
        lb_target_task_rest(conn, task);
        return;
    }
    task->state = LB_TTASK_SENDING;
    lb_target_list_add(conn, &conn->out, task);
}

static void buffer_came(struct lb_target_conn *conn, struct lb_target_task *task,
                        const struct lb_target_answer *answer) {
    static const struct lb_target_answer full = {.status = LB_SCSI_TASK_SET_FULL};
    bool is_refused = answer->status != LB_SCSI_GOOD || answer->memory.p == NULL;
    if (is_refused)
        fail_as(task, answer->status != LB_SCSI_GOOD ? answer : &full);
    else
        lb_target_take_memory(task, answer->memory);
    if (task->scsi.kind == LB_SCSI_KIND_LONG_REPLY) {
        make_reply(conn, task);
        return;
    }
    if (conn->stalled != lb_target_index_of(conn, task)) {
        advance(conn, task);
        return;
    }
    task->state = LB_TTASK_RECEIVING;
    conn->stalled = LB_TTASK_NONE;
    if (conn->has_pdu)
        lb_stream_place(&conn->stream, data_span(task));
    else
        lb_target_data_came(conn); /* a Data-Out without data */
}

static void read_came(struct lb_target_conn *conn, struct lb_target_task *task,
                      const struct lb_target_answer *answer) {
    if (answer->status != LB_SCSI_GOOD) {
        fail_as(task, answer);
        enter_answering(conn, task);
        return;
    }
    lb_target_take_memory(task, answer->memory);
    task->state = LB_TTASK_SENDING;
    lb_target_list_add(conn, &conn->out, task);
}

static void write_done(struct lb_target_conn *conn, struct lb_target_task *task,
                       const struct lb_target_answer *answer) {
    if (answer->status != LB_SCSI_GOOD)
        fail_as(task, answer);
    task->has_memory = false; /* WRITE gave it back */
    if (!task->scsi.has_failed && task->moved < task->scsi.total)
        enter_piece(conn, task);
    else
        enter_answering(conn, task);
}

static void compare_done(struct lb_target_conn *conn, struct lb_target_task *task,
                         const struct lb_target_answer *answer) {
    task->scsi.has_information = answer->key == 0x0e;
    task->scsi.information = answer->differs_at + task->piece;
    write_done(conn, task, answer);
}

/* The end of a range of UNMAP, of a piece of EXTENDED COPY, or of KEEP. */
static void range_done(struct lb_target_conn *conn, struct lb_target_task *task,
                       const struct lb_target_answer *answer) {
    struct lb_scsi_device device = lb_target_device(conn);
    task->state = LB_TTASK_RECEIVING;
    if (answer->status != LB_SCSI_GOOD)
        fail_as(task, answer);
    if (task->io.kind != LB_IO_KEEP && !task->scsi.has_failed) {
        take_parameters(conn, task);
        return;
    }
    lb_scsi_device_stopped(&device, &task->scsi);
    lb_target_task_rest(conn, task);
}

/* A SANITIZE has begun, or is over already. */
static void sanitize_came(struct lb_target_conn *conn, struct lb_target_task *task,
                          const struct lb_target_answer *answer) {
    task->state = LB_TTASK_RECEIVING;
    if (answer->status != LB_SCSI_GOOD)
        fail_as(task, answer);
    lb_target_task_rest(conn, task);
}

static void status_came(struct lb_target_conn *conn, struct lb_target_task *task,
                        const struct lb_target_answer *answer) {
    if (answer->status != LB_SCSI_GOOD)
        fail_as(task, answer);
    if (answer->blocks != 0)
        task->scsi.blocks = LB_MIN(task->scsi.blocks, answer->blocks);
    task->scsi.unmaps = answer->is_unmapped;
    enter_answering(conn, task);
}

/* With its answer the buffer is the host's again. */
static bool uses_up(enum lb_io_kind kind) {
    return kind == LB_IO_WRITE || kind == LB_IO_OR || kind == LB_IO_COMPARE ||
           kind == LB_IO_COMPARE_AND_WRITE;
}

/* The io of an aborted task is back. */
static void aborted_came(struct lb_target_conn *conn, struct lb_target_task *task,
                         const struct lb_target_answer *answer) {
    if (task->io.kind == LB_IO_READ || task->io.kind == LB_IO_BUFFER) {
        task->io.buffer = answer->memory;
        task->has_memory = answer->status == LB_SCSI_GOOD && answer->memory.p != NULL;
    } else if (uses_up(task->io.kind)) {
        task->has_memory = false;
    }
    if (conn->stalled == lb_target_index_of(conn, task)) {
        task->state = LB_TTASK_RECEIVING;
        conn->stalled = LB_TTASK_NONE;
        if (conn->has_pdu)
            lb_stream_place(&conn->stream, lb_span(NULL, 0));
        else
            lb_target_data_came(conn);
    } else {
        lb_target_task_rest(conn, task);
    }
}

struct lb_target_io *lb_target_next_ask(struct lb_target_conn *conn) {
    static const struct lb_target_answer nothing = {.status = LB_SCSI_TASK_ABORTED};
    struct lb_target_task *task;
    while ((task = lb_target_list_take(conn, &conn->asks)) != NULL) {
        if (task->io.kind == LB_IO_RELEASE) {
            conn->released = task->io; /* the task may ask for more at once */
            lb_target_task_rest(conn, task);
            return &conn->released;
        }
        if (!task->is_aborted) {
            task->state = LB_TTASK_AT_HOST;
            return &task->io;
        }
        bool has_buffer = task->has_memory;
        task->state = LB_TTASK_RECEIVING;
        if (has_buffer)
            lb_target_task_rest(conn, task);
        else
            aborted_came(conn, task, &nothing);
    }
    return NULL;
}

void lb_target_io_came(struct lb_target_conn *conn, struct lb_target_io *io,
                       const struct lb_target_answer *answer) {
    struct lb_target_task *task = (struct lb_target_task *)io; /* its first member */
    lb_assert(task >= conn->work->tasks && lb_target_index_of(conn, task) < conn->work->fresh);
    lb_assert(task->state == LB_TTASK_AT_HOST);
    if (task->is_aborted) {
        task->state = LB_TTASK_RECEIVING;
        aborted_came(conn, task, answer);
        return;
    }
    switch (io->kind) {
    case LB_IO_READ:
        read_came(conn, task, answer);
        return;
    case LB_IO_BUFFER:
        buffer_came(conn, task, answer);
        return;
    case LB_IO_WRITE:
    case LB_IO_OR:
        write_done(conn, task, answer);
        return;
    case LB_IO_SANITIZE:
        sanitize_came(conn, task, answer);
        return;
    case LB_IO_FLUSH:
        if (answer->status != LB_SCSI_GOOD)
            fail_as(task, answer);
        enter_answering(conn, task);
        return;
    case LB_IO_COMPARE:
    case LB_IO_COMPARE_AND_WRITE:
        compare_done(conn, task, answer);
        return;
    case LB_IO_UNMAP:
    case LB_IO_COPY:
    case LB_IO_KEEP:
        range_done(conn, task, answer);
        return;
    case LB_IO_STATUS:
        status_came(conn, task, answer);
        return;
    case LB_IO_RELEASE:
        lb_assert(io->kind != LB_IO_RELEASE); /* it has no answer */
        return;
    }
}

/* ---- SCSI Command ---- */

/* What 11.3 forbids, in words; NULL for a good one. */
static const char *command_violation(struct lb_target_conn *conn) {
    const struct lb_iscsi_pdu *pdu = &conn->pdu;
    if (pdu->itt == LB_ISCSI_NO_TAG)
        return "a command with the reserved tag";
    if (lb_target_find_task(conn, pdu->itt) != NULL)
        return "a command with a tag in use";
    if (!pdu->command.write && (!pdu->final || pdu->data_len > 0))
        return "a command that does not write, with data to come";
    if (pdu->data_len > 0 && !conn->immediate_data)
        return "immediate data, which was not agreed on";
    if (!pdu->final && conn->initial_r2t)
        return "unsolicited data announced, which was not agreed on";
    if (pdu->data_len > conn->first_burst)
        return "more immediate data than FirstBurstLength";
    if (pdu->data_len > pdu->command.edtl)
        return "more immediate data than the command's length";
    return NULL;
}

static struct lb_target_task *init_task(struct lb_target_conn *conn) {
    const struct lb_iscsi_pdu *pdu = &conn->pdu;
    struct lb_target_task *task = take_free_task(conn);
    *task = (struct lb_target_task){
        .itt = pdu->itt,
        .is_immediate = pdu->immediate,
        .unsolicited = !pdu->final,
        .burst_end = LB_MIN(conn->first_burst, pdu->command.edtl),
        .state = LB_TTASK_RECEIVING,
        .scsi = {.expected = pdu->command.edtl,
                 .reads = pdu->command.read,
                 .writes = pdu->command.write},
    };
    memcpy(task->lun, pdu->lun, sizeof task->lun);
    memcpy(task->scsi.cdb, pdu->command.cdb, sizeof task->scsi.cdb);
    if (task->is_immediate)
        conn->urgent_used++;
    else
        conn->window_used++;
    task->hash_next = conn->work->by_itt[hash(task->itt)];
    conn->work->by_itt[hash(task->itt)] = lb_target_index_of(conn, task);
    return task;
}

/* The first memory for the data that comes. */
static void enter_data(struct lb_target_conn *conn, struct lb_target_task *task) {
    if (is_of_blocks(&task->scsi))
        enter_piece(conn, task);
    else
        enter_room(conn, task, task->scsi.total);
}

/* The host may have mapped another unit, or the first, to this LUN. */
void lb_target_attach(struct lb_target_conn *conn, unsigned lun_index) {
    struct lb_scsi_unit *unit = conn->node->luns[lun_index];
    if (conn->nexuses[lun_index].unit != unit)
        lb_scsi_nexus_begin(&conn->nexuses[lun_index], unit, &conn->port, conn);
}

uint8_t lb_target_find_lun(struct lb_target_conn *conn, const struct lb_scsi_device *device,
                           const uint8_t lun[8]) {
    uint8_t index = lb_scsi_device_find(device, lun);
    if (index != LB_SCSI_NO_UNIT)
        lb_target_attach(conn, index);
    return index;
}

struct lb_span lb_target_command(struct lb_target_conn *conn) {
    const char *violation = command_violation(conn);
    if (violation != NULL) {
        lb_target_violation(conn, violation);
        return lb_span(NULL, 0);
    }
    if (conn->pdu.immediate && conn->urgent_used >= LB_TARGET_URGENT_MAX) {
        lb_target_reject(conn, LB_REJECT_IMMEDIATE);
        conn->is_ignored = true;
        return lb_span(NULL, 0);
    }
    struct lb_target_task *task = init_task(conn);
    struct lb_scsi_device device = lb_target_device(conn);
    task->scsi.unit = lb_target_find_lun(conn, &device, task->lun);
    task->io.target = conn->node;
    if (task->scsi.unit != LB_SCSI_NO_UNIT)
        task->io.lun = conn->node->luns[task->scsi.unit];
    lb_scsi_device_begin(&device, &task->scsi);
    conn->receiving = lb_target_index_of(conn, task);
    if (takes_data(&task->scsi)) {
        enter_data(conn, task);
        if (conn->pdu.data_len > 0)
            conn->stalled = conn->receiving;
    }
    return lb_span(NULL, 0);
}

/* What the host does to a range of blocks, without a buffer. */
static void enter_range(struct lb_target_conn *conn, struct lb_target_task *task,
                        enum lb_io_kind kind) {
    set_range(task);
    task->io.is_repeated = kind == LB_IO_WRITE;
    enter_ask(conn, task, kind);
}

/* By order of a test. It stays in the window until it is aborted. */
static bool is_silent(const struct lb_target_conn *conn, const struct lb_target_task *task) {
    uint8_t op = task->scsi.cdb[0];
    uint8_t silent = conn->node->faults == NULL ? 0 : conn->node->faults->silent;
    bool is_mode = op == LB_SCSI_MODE_SENSE_6 || op == LB_SCSI_MODE_SENSE_10;
    bool is_vpd = op == LB_SCSI_INQUIRY && task->scsi.cdb[1] & 1;
    return (is_mode && silent & LB_SILENT_MODE_SENSE) || (is_vpd && silent & LB_SILENT_VPD) ||
           (task->scsi.kind == LB_SCSI_KIND_FLUSH && silent & LB_SILENT_FLUSH);
}

/* The command and its immediate data are here. */
static void start(struct lb_target_conn *conn, struct lb_target_task *task) {
    if (is_silent(conn, task))
        return;
    if (task->scsi.kind == LB_SCSI_KIND_FLUSH)
        enter_ask(conn, task, LB_IO_FLUSH);
    else if (task->scsi.kind == LB_SCSI_KIND_SANITIZE)
        enter_sanitize(conn, task);
    else if (task->scsi.kind == LB_SCSI_KIND_LONG_REPLY)
        enter_room(conn, task, task->scsi.room);
    else if (task->scsi.kind == LB_SCSI_KIND_STATUS)
        enter_range(conn, task, LB_IO_STATUS);
    else if (task->scsi.kind == LB_SCSI_KIND_WRITE_EACH && task->scsi.total == 0)
        enter_range(conn, task, LB_IO_WRITE); /* zeros */
    else if (task->state == LB_TTASK_RECEIVING)
        advance(conn, task);
}

/* ---- Data-Out ---- */

static struct lb_target_task *find_data_out(struct lb_target_conn *conn) {
    const struct lb_iscsi_pdu *pdu = &conn->pdu;
    struct lb_target_task *task = lb_target_find_task(conn, pdu->itt);
    if (task == NULL || task->is_aborted)
        return NULL;
    if (pdu->ttt == LB_ISCSI_NO_TAG)
        return task->unsolicited ? task : NULL;
    bool is_solicited = task->state == LB_TTASK_RECEIVING && !task->wants_r2t &&
                        !task->unsolicited && task->ttt == pdu->ttt;
    return is_solicited ? task : NULL;
}

/* DataPDUInOrder and DataSequenceInOrder are always Yes: 13.18, 13.19. */
static const char *data_out_violation(const struct lb_iscsi_pdu *pdu,
                                      const struct lb_target_task *task) {
    if (pdu->data_out.data_sn != task->data_sn)
        return "Data-Out out of order";
    if (pdu->data_out.buffer_offset != task->moved)
        return "Data-Out at a wrong offset";
    if (pdu->data_len > task->burst_end - task->moved)
        return "more Data-Out than was asked for";
    if (!task->unsolicited && !pdu->final && pdu->data_len == task->burst_end - task->moved)
        return "the last Data-Out without F";
    return NULL;
}

struct lb_span lb_target_data_out(struct lb_target_conn *conn) {
    struct lb_target_task *task = find_data_out(conn);
    if (task == NULL) {
        conn->is_ignored = true; /* of a task that was aborted or is over: 11.5.5 */
        return lb_span(NULL, 0);
    }
    const char *violation = data_out_violation(&conn->pdu, task);
    if (violation != NULL) {
        lb_target_violation(conn, violation);
        return lb_span(NULL, 0);
    }
    conn->receiving = lb_target_index_of(conn, task);
    if (task->state != LB_TTASK_RECEIVING)
        conn->stalled = conn->receiving; /* unsolicited, and no BUFFER yet */
    return data_span(task);
}

static void data_out_came(struct lb_target_conn *conn, struct lb_target_task *task) {
    bool is_short = !task->unsolicited && conn->pdu.final && task->moved < task->burst_end;
    if (is_short && !task->scsi.has_failed)
        lb_scsi_command_check(&task->scsi, 0x0b, 0x0c,
                              0x0d); /* 11.4.7.2: incorrect amount of data */
    task->data_sn++;
    if (!conn->pdu.final)
        return;
    task->unsolicited = false;
    task->data_sn = 0;
    advance(conn, task);
}

void lb_target_data_came(struct lb_target_conn *conn) {
    struct lb_target_task *task = &conn->work->tasks[conn->receiving];
    conn->receiving = LB_TTASK_NONE;
    task->moved += conn->pdu.data_len;
    if (task->is_aborted)
        lb_target_task_rest(conn, task);
    else if (conn->pdu.opcode == LB_OP_DATA_OUT)
        data_out_came(conn, task);
    else
        start(conn, task);
}
