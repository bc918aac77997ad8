/* What is this LUN? All questions in one flight, then one judgement over all answers. */
#include "core/iscsi/iscsi_disk_state.h"

/* ---- asking ------------------------------------------------------------------------------------
 */

static void fill_question(struct lb_disk *disk, enum lb_disk_question question,
                          struct lb_iscsi_task *command) {
    struct lb_disk_answer *answer = &disk->answers[question];
    size_t room = 0;
    switch (question) {
    case LB_ASK_INQUIRY:
        lb_scsi_cdb_inquiry(command->cdb, LB_SCSI_INQUIRY_BYTES);
        room = LB_SCSI_INQUIRY_BYTES;
        break;
    case LB_ASK_LUNS:
        room = 16 + 8 * LB_DISK_LUNS_MAX;
        lb_scsi_cdb_report_luns(command->cdb, (uint32_t)room);
        break;
    case LB_ASK_READY:
        lb_scsi_cdb_test_unit_ready(command->cdb);
        break;
    case LB_ASK_CAPACITY_16:
        lb_scsi_cdb_read_capacity_16(command->cdb, LB_SCSI_CAPACITY_16_BYTES);
        room = LB_SCSI_CAPACITY_16_BYTES;
        break;
    case LB_ASK_CAPACITY_10:
        lb_scsi_cdb_read_capacity_10(command->cdb);
        room = LB_SCSI_CAPACITY_10_BYTES;
        break;
    case LB_ASK_MODE:
        room = 192;
        lb_scsi_cdb_mode_sense_6(command->cdb, 0x3f, (uint8_t)room);
        break;
    case LB_ASK_SERIAL:
        room = 252;
        lb_scsi_cdb_vpd(command->cdb, LB_SCSI_VPD_SERIAL, (uint16_t)room);
        break;
    case LB_ASK_IDS:
        room = 252;
        lb_scsi_cdb_vpd(command->cdb, LB_SCSI_VPD_IDS, (uint16_t)room);
        break;
    case LB_ASK_LIMITS:
        room = 64;
        lb_scsi_cdb_vpd(command->cdb, LB_SCSI_VPD_BLOCK_LIMITS, (uint16_t)room);
        break;
    case LB_ASK_START:
        lb_scsi_cdb_start_unit(command->cdb, true);
        break;
    case LB_ASK_COUNT:
        lb_assert(false);
    }
    command->in = lb_span(answer->room, room);
    command->out = lb_bytes(NULL, 0);
    memcpy(command->lun, disk->lun, sizeof command->lun);
    if (question == LB_ASK_LUNS)
        memset(command->lun, 0, sizeof command->lun); /* SPC-4 6.33: LUN 0 always answers this */
}

static void ask(struct lb_disk *disk, uint64_t now_us, enum lb_disk_question question) {
    struct lb_disk_answer *answer = &disk->answers[question];
    struct lb_disk_task *task = answer->is_out ? NULL : lb_disk_take_task(disk);
    if (task == NULL)
        return; /* the answer that is on its way, or the next change, will do */
    answer->is_out = true;
    answer->is_there = false;
    task->lba = question;
    fill_question(disk, question, &task->task);
    lb_disk_issue(disk, now_us, task);
}

void lb_disk_ask_all(struct lb_disk *disk, uint64_t now_us) {
    for (unsigned i = 0; i < LB_ASK_START; i++)
        ask(disk, now_us, (enum lb_disk_question)i);
}

void lb_disk_refresh(struct lb_disk *disk, uint64_t now_us) {
    if (disk->state != LB_DISK_UP)
        return; /* all is being asked */
    ask(disk, now_us, LB_ASK_CAPACITY_16);
    ask(disk, now_us, LB_ASK_CAPACITY_10);
    ask(disk, now_us, LB_ASK_MODE);
}

void lb_disk_start_unit(struct lb_disk *disk, uint64_t now_us) {
    ask(disk, now_us, LB_ASK_START);
}

/* ---- judging -----------------------------------------------------------------------------------
 */

static struct lb_bytes reply(const struct lb_disk *disk, enum lb_disk_question question) {
    const struct lb_disk_answer *answer = &disk->answers[question];
    return lb_bytes(answer->room, answer->is_good ? answer->len : 0);
}

static void list_luns(const struct lb_disk *disk, struct lb_text *text) {
    lb_text_add(text, "LUN ");
    lb_scsi_lun_format(text, disk->lun);
    lb_text_add(text, disk->info.lun_count == 0 ? " (the target lists none)" : "; there are");
    for (size_t i = 0; i < disk->info.lun_count && i < 16; i++) {
        lb_text_add(text, " ");
        lb_scsi_lun_format(text, disk->info.luns[i]);
    }
    if (disk->info.lun_count > 16)
        lb_text_add(text, " and more");
}

static void fail_with_luns(struct lb_disk *disk, enum lb_code code, const char *what) {
    char luns[200];
    struct lb_text text = lb_text(luns, sizeof luns);
    list_luns(disk, &text);
    lb_fail(&disk->error, code, "%s%s", luns, what);
}

static bool judge_inquiry(struct lb_disk *disk) {
    const struct lb_disk_answer *answer = &disk->answers[LB_ASK_INQUIRY];
    struct lb_scsi_inquiry inquiry;
    char what[40];
    if (!answer->is_good && answer->error.code == LB_E_LUN_MISSING)
        fail_with_luns(disk, LB_E_LUN_MISSING, "");
    else if (!answer->is_good)
        lb_fail(&disk->error, answer->error.code, "%s", answer->error.facts);
    else if (!lb_scsi_decode_inquiry(reply(disk, LB_ASK_INQUIRY), &inquiry))
        lb_fail(&disk->error, LB_E_PROTOCOL, "INQUIRY: %zu bytes", answer->len);
    else if (inquiry.qualifier != 0 || inquiry.type == 0x1f)
        fail_with_luns(disk, LB_E_LUN_MISSING, "");
    else if (inquiry.type != 0x00 && inquiry.type != 0x14) { /* direct access, zoned */
        lb_format(what, sizeof what, "; this one is of type %02x", (unsigned)inquiry.type);
        fail_with_luns(disk, LB_E_LUN_NOT_DISK, what);
    } else {
        memcpy(disk->info.vendor, inquiry.vendor, sizeof disk->info.vendor);
        memcpy(disk->info.product, inquiry.product, sizeof disk->info.product);
        memcpy(disk->info.revision, inquiry.revision, sizeof disk->info.revision);
    }
    return lb_is_ok(&disk->error);
}

static bool judge_capacity(struct lb_disk *disk) {
    struct lb_scsi_capacity capacity;
    const struct lb_disk_answer *answer = &disk->answers[LB_ASK_CAPACITY_16];
    if (!lb_scsi_decode_capacity_16(reply(disk, LB_ASK_CAPACITY_16), &capacity) &&
        (!lb_scsi_decode_capacity_10(reply(disk, LB_ASK_CAPACITY_10), &capacity) ||
         capacity.is_cut)) {
        if (!answer->is_good)
            lb_fail(&disk->error, answer->error.code, "%s", answer->error.facts);
        lb_fail(&disk->error, LB_E_PROTOCOL, "READ CAPACITY(16): %zu bytes", answer->len);
        return false;
    }
    uint32_t size = capacity.block_bytes;
    if (size < 512 || size > 65536 || (size & (size - 1)) != 0) {
        lb_fail(&disk->error, LB_E_BLOCK_SIZE, "%u bytes", size);
        return false;
    }
    disk->info.blocks = capacity.blocks;
    disk->info.block_bytes = size;
    disk->info.physical_exponent = capacity.physical_exponent;
    return true;
}

static bool judge_ready(struct lb_disk *disk) {
    const struct lb_disk_answer *answer = &disk->answers[LB_ASK_READY];
    if (!answer->is_good)
        lb_fail(&disk->error, answer->error.code, "%s", answer->error.facts);
    return answer->is_good;
}

/* What it is nice to know: a target that does not answer these is as good as another. */
static void take_details(struct lb_disk *disk) {
    struct lb_scsi_limits limits = {0};
    bool read_only = false;
    if (lb_scsi_decode_mode_6(reply(disk, LB_ASK_MODE), &read_only))
        disk->info.read_only = read_only;
    lb_scsi_decode_serial(reply(disk, LB_ASK_SERIAL), disk->info.serial, sizeof disk->info.serial);
    lb_scsi_decode_id(reply(disk, LB_ASK_IDS), disk->info.id, sizeof disk->info.id);
    if (lb_scsi_decode_limits(reply(disk, LB_ASK_LIMITS), &limits)) {
        disk->info.max_transfer_blocks = limits.max_transfer_blocks;
        disk->info.optimal_transfer_blocks = limits.optimal_transfer_blocks;
    }
    disk->piece_blocks = LB_DISK_PIECE_BYTES / disk->info.block_bytes;
    if (disk->info.max_transfer_blocks != 0)
        disk->piece_blocks = LB_MIN(disk->piece_blocks, disk->info.max_transfer_blocks);
}

static void judge(struct lb_disk *disk, uint64_t now_us) {
    size_t total;
    lb_scsi_decode_luns(reply(disk, LB_ASK_LUNS), disk->info.luns, LB_DISK_LUNS_MAX,
                        &disk->info.lun_count, &total);
    if (!judge_inquiry(disk) || !judge_ready(disk) || !judge_capacity(disk)) {
        lb_trace(disk->trace, now_us, "disk", "%s: %s", lb_code_word(disk->error.code),
                 disk->error.facts);
        lb_disk_enter(disk, now_us, LB_DISK_BROKEN);
        return;
    }
    take_details(disk);
    lb_disk_enter(disk, now_us, LB_DISK_UP);
    lb_trace(disk->trace, now_us, "disk", "up: %s %s, %llu blocks of %u bytes", disk->info.vendor,
             disk->info.product, (unsigned long long)disk->info.blocks, disk->info.block_bytes);
}

/* The disk grew or shrank, or became read-only, while in use. A changed block size would make
 * nonsense of every request: it is left as it was, and the target will refuse. */
static void take_change(struct lb_disk *disk, uint64_t now_us) {
    struct lb_scsi_capacity capacity;
    bool read_only;
    if ((lb_scsi_decode_capacity_16(reply(disk, LB_ASK_CAPACITY_16), &capacity) ||
         (lb_scsi_decode_capacity_10(reply(disk, LB_ASK_CAPACITY_10), &capacity) &&
          !capacity.is_cut)) &&
        capacity.block_bytes == disk->info.block_bytes)
        disk->info.blocks = capacity.blocks;
    if (lb_scsi_decode_mode_6(reply(disk, LB_ASK_MODE), &read_only))
        disk->info.read_only = read_only;
    lb_trace(disk->trace, now_us, "disk", "changed: %llu blocks%s",
             (unsigned long long)disk->info.blocks, disk->info.read_only ? ", read-only" : "");
}

void lb_disk_answered(struct lb_disk *disk, uint64_t now_us, struct lb_disk_task *task,
                      const struct lb_error *error) {
    struct lb_disk_answer *answer = &disk->answers[task->lba];
    answer->is_out = false;
    answer->is_there = true;
    answer->is_good = lb_is_ok(error);
    answer->error = *error;
    answer->len = task->task.in_len;
    if (disk->state == LB_DISK_UP && task->lba == LB_ASK_CAPACITY_10)
        take_change(disk, now_us);
    if (disk->state != LB_DISK_ASKING)
        return;
    for (unsigned i = 0; i < LB_ASK_START; i++)
        if (!disk->answers[i].is_there)
            return;
    judge(disk, now_us);
}
