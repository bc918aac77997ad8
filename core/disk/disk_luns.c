/* One question at a time: a target has a few LUNs, and its answers take a round trip each. */
#include "core/disk/disk_luns.h"

enum {
    RETRIES_MAX = 10,  /* at once: each of a target's UNIT ATTENTIONs costs one */
    DELAY_US = 250000, /* before a busy target is asked again */
};

static void ask(struct lb_disk_luns *luns, uint64_t now_us) {
    struct lb_initiator_task *task = &luns->task;
    size_t room = luns->has_list ? LB_SCSI_INQUIRY_BYTES : sizeof luns->reply;
    memset(task->lun, 0, sizeof task->lun); /* SPC-4 6.33: LUN 0 always answers REPORT LUNS */
    if (luns->has_list) {
        memcpy(task->lun, luns->luns[luns->next], sizeof task->lun);
        lb_scsi_cdb_inquiry(task->cdb, (uint16_t)room);
    } else {
        lb_scsi_cdb_report_luns(task->cdb, (uint32_t)room);
    }
    task->in = lb_span(luns->reply, room);
    task->out = lb_bytes(NULL, 0);
    task->is_alone = !luns->has_list; /* there is LUN 0 without the list */
    luns->retry_us = LB_NEVER;
    lb_initiator_submit(luns->session, now_us, task);
}

static void ask_anew(struct lb_disk_luns *luns, uint64_t now_us) {
    luns->first_us = now_us;
    luns->retries = 0;
    ask(luns, now_us);
}

void lb_disk_luns_start(struct lb_disk_luns *luns, uint64_t now_us, struct lb_initiator *session,
                        uint32_t ready_ms) {
    memset(luns, 0, sizeof *luns);
    luns->session = session;
    luns->ready_ms = ready_ms;
    ask_anew(luns, now_us);
}

/* ---- answers -------------------------------------------------------------------------------- */

static void end(struct lb_disk_luns *luns) {
    luns->is_over = true;
    luns->retry_us = LB_NEVER;
}

/* A target that does not know REPORT LUNS has LUN 0 at least. */
static void take_list(struct lb_disk_luns *luns, bool is_good) {
    size_t total;
    struct lb_bytes reply = lb_bytes(luns->reply, is_good ? luns->task.in_len : 0);
    luns->has_list = true;
    luns->next = 0;
    if (!lb_scsi_decode_luns(reply, luns->luns, LB_COUNT(luns->luns), &luns->count, &total))
        luns->count = 1;
}

static void take_inquiry(struct lb_disk_luns *luns, bool is_good) {
    struct lb_scsi_inquiry inquiry;
    struct lb_bytes reply = lb_bytes(luns->reply, is_good ? luns->task.in_len : 0);
    const uint8_t *lun = luns->luns[luns->next++];
    if (!lb_scsi_decode_inquiry(reply, &inquiry) || inquiry.qualifier != 0 ||
        (inquiry.type != 0x00 && inquiry.type != 0x14)) /* direct access, zoned */
        return;
    struct lb_disk_lun *disk = &luns->disks[luns->disk_count++];
    memcpy(disk->lun, lun, sizeof disk->lun);
    memcpy(disk->vendor, inquiry.vendor, sizeof disk->vendor);
    memcpy(disk->product, inquiry.product, sizeof disk->product);
}

/* True: it is asked again. */
static bool try_again(struct lb_disk_luns *luns, uint64_t now_us, enum lb_scsi_verdict verdict) {
    switch (verdict) {
    case LB_SCSI_RETRY_NOW:
    case LB_SCSI_RETRY_FEW:
    case LB_SCSI_VERIFY:
        if (luns->retries++ >= RETRIES_MAX)
            return false;
        ask(luns, now_us);
        return true;
    case LB_SCSI_RETRY_LATER:
    case LB_SCSI_START:
        if (now_us - luns->first_us > luns->ready_ms * LB_US_MS)
            return false;
        luns->retry_us = now_us + DELAY_US;
        return true;
    case LB_SCSI_OK:
    case LB_SCSI_FAIL:
        return false;
    }
    return false;
}

static void answered(struct lb_disk_luns *luns, uint64_t now_us) {
    const struct lb_initiator_task *task = &luns->task;
    if (task->state == LB_TASK_LOST) {
        const struct lb_error *why = lb_initiator_error(luns->session);
        lb_fail(&luns->error, lb_is_ok(why) ? LB_E_CANCELLED : why->code, "%s",
                lb_is_ok(why) ? "the session was logged out" : why->facts);
        end(luns);
        return;
    }
    struct lb_scsi_judgement judgement =
        lb_scsi_judge(task->status, lb_bytes(task->sense, task->sense_len));
    bool is_good =
        task->state == LB_TASK_DONE && task->response == 0 && judgement.verdict == LB_SCSI_OK;
    if (task->response == 0 && !is_good && try_again(luns, now_us, judgement.verdict))
        return;
    if (luns->has_list)
        take_inquiry(luns, is_good);
    else
        take_list(luns, is_good);
    if (luns->next < luns->count)
        ask_anew(luns, now_us);
    else
        end(luns);
}

uint64_t lb_disk_luns_poll(struct lb_disk_luns *luns, uint64_t now_us) {
    while (!luns->is_over && lb_initiator_completed(luns->session) != NULL)
        answered(luns, now_us);
    if (!luns->is_over && now_us >= luns->retry_us)
        ask(luns, now_us);
    return luns->retry_us;
}

bool lb_disk_luns_is_over(const struct lb_disk_luns *luns) {
    return luns->is_over;
}

const struct lb_error *lb_disk_luns_error(const struct lb_disk_luns *luns) {
    return &luns->error;
}
