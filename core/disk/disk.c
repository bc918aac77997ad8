/* Requests to commands and back, and the retry ladder. */
#include "core/disk/disk_state.h"

/* ---- commands ------------------------------------------------------------------------------- */

void lb_disk_reset_task(struct lb_disk_task *task) {
    task->op = NULL;
    task->retries = task->delays = task->errors = 0;
    task->left = 0;
    task->first_us = LB_NEVER;
}

static struct lb_disk_task *take_task(struct lb_disk *disk) {
    struct lb_disk_task *task = disk->free_tasks;
    if (task != NULL) {
        disk->free_tasks = task->next;
        lb_disk_reset_task(task);
    }
    return task;
}

static void give_back(struct lb_disk *disk, struct lb_disk_task *task) {
    task->next = disk->free_tasks;
    disk->free_tasks = task;
}

void lb_disk_issue(struct lb_disk *disk, uint64_t now_us, struct lb_disk_task *task) {
    bool is_retry = task->first_us != LB_NEVER;
    unsigned strikes = is_retry ? task->task.strikes : 0;
    task->first_us = LB_MIN(task->first_us, now_us);
    lb_initiator_submit(disk->session, now_us, &task->task);
    /* UNIT ATTENTION after each reset is no answer to what the target is silent about. */
    task->task.strikes = strikes;
}

static void fill_piece(struct lb_disk *disk, struct lb_disk_task *task, struct lb_disk_op *op) {
    struct lb_initiator_task *command = &task->task;
    uint32_t block_bytes = disk->info.block_bytes;
    size_t offset = (size_t)(task->lba - op->lba) * block_bytes;
    size_t len = (size_t)task->blocks * block_bytes;
    command->is_alone = op->kind == LB_DISK_FLUSH;
    memcpy(command->lun, disk->lun, sizeof command->lun);
    command->in = lb_span(NULL, 0);
    command->out = lb_bytes(NULL, 0);
    switch (op->kind) {
    case LB_DISK_READ:
        lb_scsi_cdb_read(command->cdb, task->lba, task->blocks);
        command->in = lb_span(op->buffer + offset, len);
        break;
    case LB_DISK_WRITE:
        lb_scsi_cdb_write(command->cdb, task->lba, task->blocks, op->force_unit_access);
        command->out = lb_bytes(op->buffer + offset, len);
        break;
    case LB_DISK_FLUSH:
        lb_scsi_cdb_synchronize_cache(command->cdb, false);
        break;
    }
}

static bool is_all_issued(const struct lb_disk_op *op) {
    return op->kind == LB_DISK_FLUSH ? op->issued > 0 : op->issued == op->blocks;
}

/* ipxe 2733c4763: a target may refuse to read more than MaxBurstLength at once. */
static uint32_t piece_blocks(const struct lb_disk *disk) {
    uint32_t burst = lb_initiator_agreed(disk->session)->max_burst; /* 0: logging in */
    uint32_t most = LB_MAX(burst, (uint32_t)LB_DISK_PIECE_MIN) / disk->info.block_bytes;
    if (burst == 0 || most >= disk->piece_blocks)
        return disk->piece_blocks;
    return LB_MAX(most, 1U);
}

/* Issues pieces of the oldest request, then of the next, as long as there are tasks. */
static void issue_queued(struct lb_disk *disk, uint64_t now_us) {
    while (disk->queued != NULL) {
        struct lb_disk_op *op = disk->queued;
        struct lb_disk_task *task = take_task(disk);
        if (task == NULL)
            return;
        task->op = op;
        task->lba = op->lba + op->issued;
        task->blocks = LB_MIN(op->blocks - op->issued, piece_blocks(disk));
        fill_piece(disk, task, op);
        op->issued += op->kind == LB_DISK_FLUSH ? 1 : task->blocks;
        op->in_flight++;
        if (is_all_issued(op))
            disk->queued = op->next;
        lb_disk_issue(disk, now_us, task);
    }
}

/* ---- requests ------------------------------------------------------------------------------- */

static void complete(struct lb_disk *disk, struct lb_disk_op *op) {
    op->next = NULL;
    if (disk->done == NULL)
        disk->done = op;
    else
        disk->done_last->next = op;
    disk->done_last = op;
}

struct lb_disk_op *lb_disk_completed(struct lb_disk *disk) {
    struct lb_disk_op *op = disk->done;
    if (op != NULL)
        disk->done = op->next;
    return op;
}

/* It is the first: pieces are issued in order, so no other one is begun and not all issued. */
static void unqueue(struct lb_disk *disk, struct lb_disk_op *op) {
    lb_assert(disk->queued == op);
    disk->queued = op->next;
}

static unsigned earlier_login(unsigned a, unsigned b) {
    return a == 0 || (b != 0 && b < a) ? b : a;
}

/* A completed write is in the target's cache until a flush that was submitted after it; a session
 * that was made anew in between may have been with a target that restarted, and lost it. Then the
 * flush must not claim otherwise. */
static void note_durability(struct lb_disk *disk, struct lb_disk_op *op) {
    unsigned logins = lb_initiator_logins(disk->session);
    if (op->kind == LB_DISK_WRITE && lb_is_ok(&op->error))
        disk->cached_after = earlier_login(disk->cached_after, op->since);
    if (op->kind != LB_DISK_FLUSH || !lb_is_ok(&op->error))
        return;
    if (!lb_is_ok(&disk->lost_write)) {
        op->error = disk->lost_write;
        lb_error_clear(&disk->lost_write);
        return;
    }
    if (op->since != 0 && op->since != logins)
        lb_fail(&op->error, LB_E_WRITES_UNSURE, "%u login%s since the first of them",
                logins - op->since, logins - op->since == 1 ? "" : "s");
    if (op->flushes == disk->flushes) /* no other flush stands for these writes */
        disk->cached_before = 0;
}

static void begin_flush(struct lb_disk *disk, struct lb_disk_op *op) {
    disk->cached_before = earlier_login(disk->cached_before, disk->cached_after);
    disk->cached_after = 0;
    op->since = disk->cached_before;
    op->flushes = ++disk->flushes;
}

/* The rest of a task that was too large for the target. */
static void next_piece(struct lb_disk *disk, uint64_t now_us, struct lb_disk_task *task) {
    task->lba += task->blocks;
    task->blocks = LB_MIN(task->left, piece_blocks(disk));
    task->left -= task->blocks;
    task->retries = task->delays = task->errors = 0;
    task->first_us = LB_NEVER;
    fill_piece(disk, task, task->op);
    lb_disk_issue(disk, now_us, task);
}

/* A piece has its end: done, or failed with an error that the request keeps. */
static void piece_ended(struct lb_disk *disk, uint64_t now_us, struct lb_disk_task *task,
                        const struct lb_error *error) {
    struct lb_disk_op *op = task->op;
    if (lb_is_ok(error) && op->kind == LB_DISK_WRITE && op->since == 0)
        op->since = lb_initiator_logins(disk->session);
    if (lb_is_ok(error))
        op->done += task->blocks;
    else
        lb_fail(&op->error, error->code, "%s", error->facts);
    if (lb_is_ok(&op->error) && task->left > 0) {
        next_piece(disk, now_us, task);
        return;
    }
    op->in_flight--;
    give_back(disk, task);
    if (!lb_is_ok(&op->error) && !is_all_issued(op)) { /* the rest is not begun */
        unqueue(disk, op);
        op->issued = op->kind == LB_DISK_FLUSH ? 1 : op->blocks;
    }
    if (op->in_flight > 0 || !is_all_issued(op))
        return;
    note_durability(disk, op);
    complete(disk, op);
}

static bool has_ended(const struct lb_disk *disk) {
    return lb_initiator_state(disk->session) == LB_INITIATOR_ENDED;
}

void lb_disk_submit(struct lb_disk *disk, uint64_t now_us, struct lb_disk_op *op) {
    bool has_room = op->lba <= disk->info.blocks && op->blocks <= disk->info.blocks - op->lba;
    lb_assert(disk->state == LB_DISK_UP || disk->state == LB_DISK_PROVING ||
              disk->state == LB_DISK_CHANGED);
    lb_error_clear(&op->error);
    op->issued = op->done = op->in_flight = op->since = 0;
    op->next = NULL;
    if (op->kind == LB_DISK_FLUSH)
        begin_flush(disk, op);
    disk->has_writes = disk->has_writes || op->kind == LB_DISK_WRITE;
    if (op->kind != LB_DISK_FLUSH && !has_room)
        lb_fail(&op->error, LB_E_OUT_OF_RANGE, "%u blocks at %llu of %llu", op->blocks,
                (unsigned long long)op->lba, (unsigned long long)disk->info.blocks);
    /* A reader's flush asks for nothing, and there are targets that never answer it. */
    bool is_idle = op->kind == LB_DISK_FLUSH && op->since == 0 && lb_is_ok(&disk->lost_write) &&
                   !disk->has_writes && lb_disk_is_up(disk) && !has_ended(disk);
    if (is_idle || !lb_is_ok(&op->error) || (op->kind != LB_DISK_FLUSH && op->blocks == 0)) {
        complete(disk, op);
        return;
    }
    if (disk->queued == NULL)
        disk->queued = op;
    else
        disk->queued_last->next = op;
    disk->queued_last = op;
    issue_queued(disk, now_us);
}

/* ---- the ladder ----------------------------------------------------------------------------- */

static void wait(struct lb_disk *disk, uint64_t now_us, struct lb_disk_task *task,
                 uint64_t delay_us) {
    task->retry_us = now_us + delay_us;
    task->next = disk->waiting;
    disk->waiting = task;
}

static bool retry_now(struct lb_disk *disk, uint64_t now_us, struct lb_disk_task *task) {
    if (task->retries++ >= LB_DISK_RETRIES_MAX)
        return false;
    lb_disk_issue(disk, now_us, task);
    return true;
}

/* How long it may last. At first a portal on standby is left for another one, if there is one. */
static uint64_t patience_of(const struct lb_disk *disk, enum lb_code code) {
    if (code == LB_E_STANDBY && disk->state == LB_DISK_ASKING)
        return disk->session->config.has_others
                   ? 0
                   : LB_MIN(disk->ready_ms, (uint32_t)LB_DISK_STANDBY_MS);
    return code == LB_E_NOT_READY ? disk->ready_ms : LB_DISK_BUSY_MS;
}

static bool retry_later(struct lb_disk *disk, uint64_t now_us, struct lb_disk_task *task,
                        enum lb_code code) {
    uint64_t patience_ms = patience_of(disk, code);
    uint64_t delay_ms = lb_pace(LB_DISK_DELAY_MIN_MS, LB_DISK_DELAY_MAX_MS, task->delays);
    if (now_us - task->first_us + delay_ms * LB_US_MS > patience_ms * LB_US_MS)
        return false;
    task->delays++;
    wait(disk, now_us, task, delay_ms * LB_US_MS);
    return true;
}

/* At once, for each condition is told once; a target that has more and more of them, as it is just
 * being set up, is given time. A detail is not worth that time. */
static bool retry_soon(struct lb_disk *disk, uint64_t now_us, struct lb_disk_task *task,
                       enum lb_code code) {
    bool is_detail = lb_disk_is_question(task) && lb_disk_is_detail(task->lba);
    return retry_now(disk, now_us, task) || (!is_detail && retry_later(disk, now_us, task, code));
}

/* One error may be an array's that is just looking for its data elsewhere. */
static bool retry_few(struct lb_disk *disk, uint64_t now_us, struct lb_disk_task *task) {
    if (task->errors >= LB_DISK_ERRORS_MAX)
        return false;
    uint64_t delay_ms = lb_pace(LB_DISK_ERROR_DELAY_MS, LB_DISK_DELAY_MAX_MS, task->errors++);
    wait(disk, now_us, task, delay_ms * LB_US_MS);
    return true;
}

/* TASK SET FULL, BUSY: with fewer commands at once the answer to another one makes room. */
static bool retry_when_room(struct lb_disk *disk, uint64_t now_us, struct lb_disk_task *task) {
    uint8_t status = task->task.status;
    bool is_full = status == LB_SCSI_TASK_SET_FULL || status == LB_SCSI_BUSY;
    if (!is_full || !lb_initiator_is_draining(disk->session) ||
        now_us - task->first_us > LB_DISK_BUSY_MS * LB_US_MS)
        return false;
    lb_disk_issue(disk, now_us, task);
    return true;
}

/* The disk does not need this answer, and has waited long enough for it. */
static bool is_dispensable(const struct lb_disk *disk, uint64_t now_us,
                           const struct lb_disk_task *task) {
    return lb_disk_is_question(task) &&
           now_us >= lb_disk_optional_until(disk, (enum lb_disk_question)task->lba);
}

/* True: it will be issued again, nothing has ended. */
static bool climb(struct lb_disk *disk, uint64_t now_us, struct lb_disk_task *task,
                  const struct lb_scsi_judgement *judgement) {
    switch (judgement->verdict) {
    case LB_SCSI_RETRY_NOW:
        return judgement->sense.is_deferred ? retry_now(disk, now_us, task)
                                            : retry_soon(disk, now_us, task, judgement->code);
    case LB_SCSI_RETRY_FEW:
        return retry_few(disk, now_us, task);
    case LB_SCSI_RETRY_LATER:
        return !is_dispensable(disk, now_us, task) &&
               (retry_when_room(disk, now_us, task) ||
                retry_later(disk, now_us, task, judgement->code));
    case LB_SCSI_START:
        lb_disk_ask(disk, now_us, 1U << LB_ASK_START);
        return retry_later(disk, now_us, task, judgement->code);
    case LB_SCSI_VERIFY:
        lb_disk_doubt(disk, now_us);
        return retry_soon(disk, now_us, task, judgement->code);
    case LB_SCSI_OK:
    case LB_SCSI_FAIL:
        return false;
    }
    return false;
}

/* A LUN that was there comes back: a target that restarts may let us in before its LUNs are set up.
 * What comes back has to show that it is the same. */
static bool is_gone_for_now(const struct lb_disk *disk, const struct lb_disk_task *task,
                            const struct lb_scsi_judgement *judgement) {
    return judgement->code == LB_E_LUN_MISSING && !lb_disk_is_question(task) &&
           (disk->state == LB_DISK_UP || disk->state == LB_DISK_PROVING);
}

/* SPC-4 4.5.6: the target lost a write that it had answered with GOOD. The next flush says so. */
static void note_deferred(struct lb_disk *disk, const struct lb_scsi_judgement *judgement) {
    char answer[140];
    struct lb_text text = lb_text(answer, sizeof answer);
    if (!judgement->sense.is_deferred)
        return;
    lb_scsi_answer_format(&text, LB_SCSI_CHECK_CONDITION, &judgement->sense);
    lb_fail(&disk->lost_write, LB_E_MEDIUM, "of an earlier write: %s", answer);
}

static bool has_no_cache(const struct lb_disk_task *task,
                         const struct lb_scsi_judgement *judgement) {
    return task->op != NULL && task->op->kind == LB_DISK_FLUSH && judgement->sense.key == 5 &&
           judgement->sense.asc == 0x20; /* INVALID COMMAND OPERATION CODE */
}

static void explain(const struct lb_disk_task *task, const struct lb_scsi_judgement *judgement,
                    struct lb_error *error) {
    char answer[140];
    struct lb_text text = lb_text(answer, sizeof answer);
    lb_scsi_answer_format(&text, task->task.status, &judgement->sense);
    if (task->op != NULL && task->op->kind != LB_DISK_FLUSH)
        lb_fail(error, judgement->code, "%s of %u blocks at %llu: %s",
                task->op->kind == LB_DISK_READ ? "read" : "write", task->blocks,
                (unsigned long long)task->lba, answer);
    else
        lb_fail(error, judgement->code, "command %02x: %s", task->task.cdb[0], answer);
}

/* A disk that comes up and has to be waited for: the first reason is kept. */
static void note_wait(struct lb_disk *disk, const struct lb_disk_task *task,
                      const struct lb_scsi_judgement *judgement) {
    if (disk->state == LB_DISK_ASKING && task->delays > 0 && lb_is_ok(&disk->awaited))
        explain(task, judgement, &disk->awaited);
}

static void end(struct lb_disk *disk, uint64_t now_us, struct lb_disk_task *task,
                const struct lb_error *error) {
    if (task->op != NULL) {
        piece_ended(disk, now_us, task, error);
        return;
    }
    lb_disk_answered(disk, now_us, task, error);
}

/* TEST UNIT READY met a UNIT ATTENTION: that was its purpose. It is not asked again, a round trip
 * saved: the answer of READ CAPACITY right behind it says whether the disk is ready. Of a disk that
 * was up any answer will do: which disk it is does not depend on whether it is ready. */
static bool is_attention_only(const struct lb_disk *disk, const struct lb_disk_task *task,
                              const struct lb_scsi_judgement *judgement) {
    bool is_attention = task->task.status == LB_SCSI_CHECK_CONDITION && judgement->sense.key == 6;
    return lb_disk_is_question(task) && task->lba == LB_ASK_READY &&
           (is_attention || disk->state != LB_DISK_ASKING);
}

/* What was answered before the UNIT ATTENTION may be another disk's. */
static void heed_attention(struct lb_disk *disk, uint64_t now_us,
                           const struct lb_scsi_judgement *judgement) {
    if (judgement->verdict == LB_SCSI_VERIFY && lb_disk_has_answers(disk))
        lb_disk_doubt(disk, now_us);
}

/* Done, be it GOOD or a RECOVERED ERROR, but not with all that was asked for; or a write of which
 * the target never asked for the rest. Only questions may have short answers. */
static bool is_short(const struct lb_disk_task *task, enum lb_scsi_verdict verdict) {
    const struct lb_initiator_task *command = &task->task;
    size_t wanted = command->in.len + command->out.len;
    return !lb_disk_is_question(task) && verdict == LB_SCSI_OK && wanted > 0 &&
           ((command->underflow && command->residual > 0) ||
            (command->in.len > 0 && command->in_len != command->in.len) ||
            (command->out.len > 0 && command->out_len != command->out.len));
}

/* Why there is no answer, or none that can be believed. */
static struct lb_error why_lost(const struct lb_disk *disk) {
    struct lb_error error = {.code = LB_OK};
    if (disk->state == LB_DISK_CHANGED)
        return disk->error;
    if (disk->state == LB_DISK_PROVING && !has_ended(disk) && !lb_is_ok(&disk->unsure))
        return disk->unsure;
    if (!lb_is_ok(lb_initiator_error(disk->session)))
        return *lb_initiator_error(disk->session);
    lb_fail(&error, LB_E_CANCELLED, "the session was logged out");
    return error;
}

/* The answer of a request came from a disk that did not prove, and will not, that it is ours. */
static bool is_unbelievable(const struct lb_disk *disk, const struct lb_disk_task *task) {
    return !lb_disk_is_question(task) &&
           (disk->state == LB_DISK_CHANGED || (disk->state == LB_DISK_PROVING && has_ended(disk)));
}

static void bad_delivery(struct lb_disk *disk, uint64_t now_us, struct lb_disk_task *task) {
    const struct lb_initiator_task *command = &task->task;
    struct lb_error error = {.code = LB_OK};
    if (retry_now(disk, now_us, task))
        return;
    lb_fail(&error, LB_E_PROTOCOL, "command %02x: response %u, %zu of %zu bytes", command->cdb[0],
            (unsigned)command->response, command->in_len + command->out_len,
            command->in.len + command->out.len);
    end(disk, now_us, task, &error);
}

/* QNAP, Synology and Microsoft's target are known to refuse what is longer than they like, whatever
 * VPD B0 says (Linux: BLIST_MAX_1024). True: issued again, in smaller pieces from now on. */
static bool retry_smaller(struct lb_disk *disk, uint64_t now_us, struct lb_disk_task *task,
                          const struct lb_scsi_judgement *judgement) {
    const struct lb_scsi_sense *sense = &judgement->sense;
    bool is_of_length = sense->key == 5 && (sense->asc == 0x24 || sense->asc == 0x26);
    if (!is_of_length || lb_disk_is_question(task) || task->op->kind == LB_DISK_FLUSH ||
        task->blocks < 2)
        return false;
    uint32_t half = task->blocks / 2;
    if (half > 8)
        half -= half % 8;
    disk->piece_blocks = LB_MIN(disk->piece_blocks, half);
    lb_trace(disk->trace, now_us, "disk", "%u blocks at once were refused: %u from now on",
             task->blocks, half);
    task->left += task->blocks - half;
    task->blocks = half;
    fill_piece(disk, task, task->op);
    lb_disk_issue(disk, now_us, task);
    return true;
}

static void was_silent(struct lb_disk *disk, uint64_t now_us, struct lb_disk_task *task) {
    struct lb_error error = {.code = LB_OK};
    lb_fail(&error, LB_E_TASK_TIMEOUT, "%s: command %02x had no answer, others had",
            lb_endpoint_text(lb_initiator_peer(disk->session)).s, task->task.cdb[0]);
    end(disk, now_us, task, &error);
}

static struct lb_scsi_judgement judge_command(const struct lb_initiator_task *command) {
    return lb_scsi_judge(command->status, lb_bytes(command->sense, command->sense_len));
}

static void answered(struct lb_disk *disk, uint64_t now_us, struct lb_disk_task *task) {
    const struct lb_initiator_task *command = &task->task;
    struct lb_error error = {.code = LB_OK};
    if (command->state == LB_TASK_LOST || is_unbelievable(disk, task)) {
        error = why_lost(disk);
        end(disk, now_us, task, &error);
        return;
    }
    if (command->state == LB_TASK_SILENT) {
        was_silent(disk, now_us, task);
        return;
    }
    struct lb_scsi_judgement judgement = judge_command(command);
    if (command->response != 0 || is_short(task, judgement.verdict)) {
        bad_delivery(disk, now_us, task);
        return;
    }
    note_deferred(disk, &judgement);
    if (is_gone_for_now(disk, task, &judgement)) {
        lb_disk_doubt(disk, now_us);
        if (retry_later(disk, now_us, task, judgement.code))
            return;
    }
    if (is_attention_only(disk, task, &judgement)) {
        heed_attention(disk, now_us, &judgement);
        end(disk, now_us, task, &error);
        return;
    }
    if (climb(disk, now_us, task, &judgement)) {
        note_wait(disk, task, &judgement);
        return;
    }
    if (retry_smaller(disk, now_us, task, &judgement))
        return;
    if (judgement.code == LB_E_NO_MEDIUM && !lb_disk_is_question(task))
        lb_disk_doubt(disk, now_us); /* the next one may be another */
    if (judgement.verdict != LB_SCSI_OK && !has_no_cache(task, &judgement))
        explain(task, &judgement, &error);
    end(disk, now_us, task, &error);
}

/* ---- turns ---------------------------------------------------------------------------------- */

void lb_disk_end_waiting(struct lb_disk *disk, uint64_t now_us) {
    struct lb_disk_task *task, *waiting = disk->waiting;
    disk->waiting = NULL;
    while ((task = waiting) != NULL) {
        waiting = task->next;
        if (lb_disk_is_question(task))
            wait(disk, task->retry_us, task, 0);
        else
            end(disk, now_us, task, &disk->unsure);
    }
    lb_initiator_lose_held(disk->session); /* which come back as LOST */
    while (disk->queued != NULL) {
        struct lb_disk_op *op = disk->queued;
        unqueue(disk, op);
        lb_fail(&op->error, disk->unsure.code, "%s", disk->unsure.facts);
        op->issued = op->kind == LB_DISK_FLUSH ? 1 : op->blocks;
        if (op->in_flight == 0)
            complete(disk, op);
    }
}

/* Which disk gave this answer? That of a moment ago, or another one, and there may have been
 * several by the time that it is known: so it is not believed even then, and the command is issued
 * again. Whatever says that something changed is heeded, for it asks for a further look. */
static bool is_in_doubt(const struct lb_disk *disk, const struct lb_disk_task *task) {
    return disk->state == LB_DISK_PROVING && !lb_disk_is_question(task) && !has_ended(disk) &&
           task->task.state == LB_TASK_DONE && judge_command(&task->task).verdict != LB_SCSI_VERIFY;
}

static void take_answers(struct lb_disk *disk, uint64_t now_us) {
    struct lb_initiator_task *command;
    while ((command = lb_initiator_completed(disk->session)) != NULL) {
        struct lb_disk_task *task = &disk->tasks[command->user];
        if (is_in_doubt(disk, task))
            lb_disk_issue(disk, now_us, task);
        else
            answered(disk, now_us, task);
        issue_queued(disk, now_us);
    }
}

/* Issues what has waited long enough; gives the next deadline. */
static uint64_t retry_waiting(struct lb_disk *disk, uint64_t now_us) {
    uint64_t next_us = LB_NEVER;
    struct lb_disk_task *waiting = disk->waiting;
    disk->waiting = NULL;
    while (waiting != NULL) {
        struct lb_disk_task *task = waiting;
        waiting = task->next;
        if (task->retry_us <= now_us || has_ended(disk)) {
            lb_disk_issue(disk, now_us, task);
            continue;
        }
        next_us = LB_MIN(next_us, task->retry_us);
        task->next = disk->waiting;
        disk->waiting = task;
    }
    return next_us;
}

uint64_t lb_disk_poll(struct lb_disk *disk, uint64_t now_us) {
    uint64_t next_us = disk->waiting == NULL ? LB_NEVER : retry_waiting(disk, now_us);
    issue_queued(disk, now_us);
    take_answers(disk, now_us);
    uint64_t optional_us = lb_disk_optional_tick(disk, now_us);
    uint64_t proof_us = lb_disk_proof_tick(disk, now_us);
    next_us = LB_MIN(next_us, LB_MIN(optional_us, proof_us));
    take_answers(disk, now_us); /* of what was ended in this tick */
    if (disk->waiting != NULL && disk->waiting->retry_us < next_us)
        next_us = disk->waiting->retry_us; /* the newest stands first */
    return next_us;
}

/* ---- beginning ------------------------------------------------------------------------------ */

void lb_disk_init(struct lb_disk *disk, struct lb_initiator *session, const uint8_t lun[8],
                  uint32_t ready_ms, struct lb_trace *trace) {
    memset(disk, 0, sizeof *disk);
    disk->session = session;
    disk->trace = trace;
    disk->ready_ms = ready_ms;
    memcpy(disk->lun, lun, sizeof disk->lun);
    disk->again_us = disk->enough_us = LB_NEVER;
    for (size_t i = 0; i < LB_DISK_TASKS_MAX; i++) {
        disk->tasks[i].task.user = i;
        disk->tasks[i].task.goes_ahead = i >= LB_INITIATOR_TASKS_MAX;
        if (i < LB_INITIATOR_TASKS_MAX)
            give_back(disk, &disk->tasks[i]);
    }
}

void lb_disk_enter(struct lb_disk *disk, uint64_t now_us, enum lb_disk_state state) {
    static const char *const words[] = {"down", "asking", "up", "proving", "changed", "broken"};
    lb_trace(disk->trace, now_us, "disk", "%s -> %s", words[disk->state], words[state]);
    disk->state = state;
}

void lb_disk_start(struct lb_disk *disk, uint64_t now_us) {
    lb_assert(disk->state == LB_DISK_DOWN);
    lb_disk_enter(disk, now_us, LB_DISK_ASKING);
    lb_disk_start_asking(disk, now_us);
}

void lb_disk_start_as(struct lb_disk *disk, uint64_t now_us,
                      const struct lb_disk_identity *identity) {
    lb_assert(disk->state == LB_DISK_DOWN && identity->is_known);
    disk->identity = *identity;
    lb_disk_enter(disk, now_us, LB_DISK_UP);
    lb_disk_start_proving(disk, now_us);
}

bool lb_disk_is_up(const struct lb_disk *disk) {
    return disk->state == LB_DISK_UP || disk->state == LB_DISK_PROVING;
}

bool lb_disk_is_sure(const struct lb_disk *disk) {
    return disk->state == LB_DISK_UP && !lb_initiator_is_held(disk->session);
}

const struct lb_error *lb_disk_doubts(const struct lb_disk *disk) {
    return &disk->unsure;
}

const struct lb_disk_identity *lb_disk_identity(const struct lb_disk *disk) {
    return &disk->identity;
}

const struct lb_error *lb_disk_error(const struct lb_disk *disk) {
    return &disk->error;
}

const struct lb_error *lb_disk_awaited(const struct lb_disk *disk) {
    return &disk->awaited;
}

const struct lb_disk_info *lb_disk_info(const struct lb_disk *disk) {
    return &disk->info;
}
