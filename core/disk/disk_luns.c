/* One question at a time: a target has a few LUNs, and its answers take a round trip each. */
#include "core/disk/disk_luns.h"
#include "core/disk/disk_state.h"

enum {
    RETRIES_MAX = 10,  /* at once: each of a target's UNIT ATTENTIONs costs one */
    DELAY_US = 250000, /* before a busy target is asked again */
    LIST_BYTES = 16 + 8 * LB_DISK_LUNS_MAX,
    CAPACITY_BYTES = 32,
    CAPACITY_10_BYTES = 8,
};

static const uint8_t *lun_of(const struct lb_disk_luns *luns) {
    static const uint8_t lun_0[8]; /* SPC-4 6.33: LUN 0 always answers REPORT LUNS */
    switch (luns->question) {
    case LB_LUNS_LIST:
        return lun_0;
    case LB_LUNS_INQUIRY:
        return luns->luns[luns->next];
    case LB_LUNS_CAPACITY:
    case LB_LUNS_CAPACITY_10:
    case LB_LUNS_READ:
        return luns->disks[luns->next].lun;
    }
    return lun_0;
}

/* Makes the command; gives the room for its answer in bytes. */
static size_t put_cdb(const struct lb_disk_luns *luns, uint8_t cdb[LB_SCSI_CDB_BYTES]) {
    uint64_t lba = 0;
    uint32_t blocks = 0;
    switch (luns->question) {
    case LB_LUNS_LIST:
        lb_scsi_cdb_report_luns(cdb, LIST_BYTES);
        return LIST_BYTES;
    case LB_LUNS_INQUIRY:
        lb_scsi_cdb_inquiry(cdb, LB_SCSI_INQUIRY_BYTES);
        return LB_SCSI_INQUIRY_BYTES;
    case LB_LUNS_CAPACITY:
        lb_scsi_cdb_read_capacity_16(cdb, CAPACITY_BYTES);
        return CAPACITY_BYTES;
    case LB_LUNS_CAPACITY_10:
        lb_scsi_cdb_read_capacity_10(cdb);
        return CAPACITY_10_BYTES;
    case LB_LUNS_READ:
        (void)lb_disk_root_where(&luns->root, &lba, &blocks);
        lb_scsi_cdb_read(cdb, lba, blocks);
        return (size_t)blocks * luns->root.block_bytes;
    }
    return 0;
}

static void ask(struct lb_disk_luns *luns, uint64_t now_us) {
    struct lb_initiator_task *task = &luns->task;
    memcpy(task->lun, lun_of(luns), sizeof task->lun);
    task->in = lb_span(luns->reply, put_cdb(luns, task->cdb));
    task->out = lb_bytes(NULL, 0);
    task->is_alone = luns->question == LB_LUNS_LIST; /* there is LUN 0 without the list */
    luns->retry_us = LB_NEVER;
    lb_initiator_submit(luns->session, now_us, task);
}

static void ask_anew(struct lb_disk_luns *luns, uint64_t now_us) {
    luns->first_us = now_us;
    luns->retries = 0;
    ask(luns, now_us);
}

void lb_disk_luns_start(struct lb_disk_luns *luns, uint64_t now_us, struct lb_initiator *session,
                        uint32_t ready_ms, const struct lb_disk_root *root) {
    memset(luns, 0, sizeof *luns);
    luns->root = *root;
    luns->session = session;
    luns->ready_ms = ready_ms;
    ask_anew(luns, now_us);
}

/* ---- answers -------------------------------------------------------------------------------- */

static void end(struct lb_disk_luns *luns) {
    luns->is_over = true;
    luns->retry_us = LB_NEVER;
}

/* False: there is nothing more to ask of this disk. */
static bool asks_contents(struct lb_disk_luns *luns) {
    uint64_t lba;
    uint32_t blocks;
    luns->question = LB_LUNS_READ;
    return lb_disk_root_where(&luns->root, &lba, &blocks);
}

/* The next question after one that is answered; false: it was the last. */
static bool goes_on(struct lb_disk_luns *luns) {
    switch (luns->question) {
    case LB_LUNS_LIST:
        luns->question = LB_LUNS_INQUIRY;
        luns->next = 0;
        break;
    case LB_LUNS_INQUIRY:
        luns->next++;
        break;
    case LB_LUNS_CAPACITY:
    case LB_LUNS_CAPACITY_10:
    case LB_LUNS_READ:
        if (asks_contents(luns))
            return true;
        if (lb_disk_root_holds(&luns->root)) {
            luns->holder = luns->next;
            return false;
        }
        luns->question = LB_LUNS_CAPACITY;
        return ++luns->next < luns->disk_count;
    }
    if (luns->next < luns->count)
        return true;
    luns->holder = luns->disk_count;
    luns->question = LB_LUNS_CAPACITY;
    luns->next = 0;
    return luns->root.kind != LB_ROOT_NONE && luns->disk_count > 1;
}

/* A target that does not know REPORT LUNS has LUN 0 at least. */
static void take_list(struct lb_disk_luns *luns, bool is_good) {
    size_t total;
    struct lb_bytes reply = lb_bytes(luns->reply, is_good ? luns->task.in_len : 0);
    if (!lb_scsi_decode_luns(reply, luns->luns, LB_COUNT(luns->luns), &luns->count, &total))
        luns->count = 1;
}

static void take_inquiry(struct lb_disk_luns *luns, bool is_good) {
    struct lb_scsi_inquiry inquiry;
    struct lb_bytes reply = lb_bytes(luns->reply, is_good ? luns->task.in_len : 0);
    const uint8_t *lun = luns->luns[luns->next];
    if (!lb_scsi_decode_inquiry(reply, &inquiry) || inquiry.qualifier != 0 ||
        (inquiry.type != 0x00 && inquiry.type != 0x14)) /* direct access, zoned */
        return;
    struct lb_disk_lun *disk = &luns->disks[luns->disk_count++];
    memcpy(disk->lun, lun, sizeof disk->lun);
    memcpy(disk->vendor, inquiry.vendor, sizeof disk->vendor);
    memcpy(disk->product, inquiry.product, sizeof disk->product);
}

/* True: the shorter form is to be asked. */
static bool take_capacity(struct lb_disk_luns *luns, bool is_good) {
    struct lb_scsi_capacity capacity = {0};
    bool is_long = luns->question == LB_LUNS_CAPACITY;
    struct lb_bytes reply = lb_bytes(luns->reply, is_good ? luns->task.in_len : 0);
    bool is_read = is_long ? lb_scsi_decode_capacity_16(reply, &capacity)
                           : lb_scsi_decode_capacity_10(reply, &capacity);
    if (!is_read && is_long) {
        luns->question = LB_LUNS_CAPACITY_10;
        return true;
    }
    lb_disk_root_begin(&luns->root, is_read ? capacity.blocks : 0, capacity.block_bytes);
    return false;
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

/* True: another question takes the place of this one. */
static bool take_answer(struct lb_disk_luns *luns, bool is_good) {
    switch (luns->question) {
    case LB_LUNS_LIST:
        take_list(luns, is_good);
        return false;
    case LB_LUNS_INQUIRY:
        take_inquiry(luns, is_good);
        return false;
    case LB_LUNS_CAPACITY:
    case LB_LUNS_CAPACITY_10:
        return take_capacity(luns, is_good);
    case LB_LUNS_READ:
        lb_disk_root_got(&luns->root, lb_bytes(luns->reply, is_good ? luns->task.in_len : 0));
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
    if (take_answer(luns, is_good) || goes_on(luns))
        ask_anew(luns, now_us);
    else
        end(luns);
}

/* Until when the answer is waited for, where there is a way without it: to the list, after an abort
 * of it. */
static uint64_t until_us(const struct lb_disk_luns *luns) {
    bool is_list = luns->question == LB_LUNS_LIST && luns->task.strikes > 0;
    bool is_optional = is_list || luns->question == LB_LUNS_CAPACITY;
    return is_optional && luns->task.state == LB_TASK_SENT
               ? luns->task.active_us + LB_DISK_OPTIONAL_MS * LB_US_MS
               : LB_NEVER;
}

uint64_t lb_disk_luns_poll(struct lb_disk_luns *luns, uint64_t now_us) {
    if (!luns->is_over && now_us >= until_us(luns) &&
        !lb_initiator_give_up(luns->session, now_us, &luns->task))
        return now_us + DELAY_US;
    while (!luns->is_over && lb_initiator_completed(luns->session) != NULL)
        answered(luns, now_us);
    if (!luns->is_over && now_us >= luns->retry_us)
        ask(luns, now_us);
    return LB_MIN(luns->retry_us, until_us(luns));
}

bool lb_disk_luns_is_over(const struct lb_disk_luns *luns) {
    return luns->is_over;
}

const struct lb_error *lb_disk_luns_error(const struct lb_disk_luns *luns) {
    return &luns->error;
}
