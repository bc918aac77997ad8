/* What is this LUN? All questions in one flight, then one judgement over all answers. */
#include "core/disk/disk_state.h"
#include "core/names/rootpath.h"

/* ---- asking --------------------------------------------------------------------------------- */

/* Whether a disk comes up without this answer. Later the names show that it is the same one. */
bool lb_disk_is_detail(uint64_t question) {
    return question == LB_ASK_LUNS || question == LB_ASK_MODE || question == LB_ASK_LIMITS ||
           question == LB_ASK_START;
}

/* The names show later that the disk is the same one: the first is worth a longer wait. */
static bool is_name(uint64_t question) {
    return question == LB_ASK_SERIAL || question == LB_ASK_IDS;
}

bool lb_disk_is_optional(const struct lb_disk *disk, uint64_t question) {
    return lb_disk_is_detail(question) || (is_name(question) && disk->state == LB_DISK_ASKING);
}

static void fill_question(struct lb_disk *disk, enum lb_disk_question question,
                          struct lb_initiator_task *command) {
    static const uint8_t pages[] = {LB_SCSI_VPD_SERIAL, LB_SCSI_VPD_IDS, LB_SCSI_VPD_BLOCK_LIMITS};
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
    case LB_ASK_IDS:
    case LB_ASK_LIMITS:
        room = question == LB_ASK_LIMITS ? 64 : 252;
        lb_scsi_cdb_vpd(command->cdb, pages[question - LB_ASK_SERIAL], (uint16_t)room);
        break;
    case LB_ASK_START:
        lb_scsi_cdb_start_unit(command->cdb, true);
        break;
    case LB_ASK_COUNT:
        lb_assert(false);
    }
    command->in = lb_span(answer->room, room);
    command->out = lb_bytes(NULL, 0);
    command->is_alone = lb_disk_is_optional(disk, question);
    memcpy(command->lun, disk->lun, sizeof command->lun);
    if (question == LB_ASK_LUNS)
        memset(command->lun, 0, sizeof command->lun); /* SPC-4 6.33: LUN 0 always answers this */
}

static void ask(struct lb_disk *disk, uint64_t now_us, enum lb_disk_question question) {
    struct lb_disk_answer *answer = &disk->answers[question];
    struct lb_disk_task *task = &disk->tasks[LB_INITIATOR_TASKS_MAX + question];
    answer->is_there = false;
    if (answer->is_out)
        return; /* the answer that is on its way will do */
    answer->is_out = true;
    lb_disk_reset_task(task);
    task->lba = question;
    fill_question(disk, question, &task->task);
    lb_disk_issue(disk, now_us, task);
}

void lb_disk_ask(struct lb_disk *disk, uint64_t now_us, uint32_t questions) {
    for (unsigned i = 0; i < LB_ASK_COUNT; i++)
        if (questions >> i & 1)
            ask(disk, now_us, (enum lb_disk_question)i);
}

/* ---- judging -------------------------------------------------------------------------------- */

static struct lb_bytes reply(const struct lb_disk *disk, enum lb_disk_question question) {
    const struct lb_disk_answer *answer = &disk->answers[question];
    return lb_bytes(answer->room, answer->is_there && answer->is_good ? answer->len : 0);
}

/* Administrators write LUNs in decimal, as their targets show them; a Root Path has hexadecimal. */
static void add_hint(const struct lb_disk *disk, struct lb_text *text) {
    char digits[24];
    struct lb_text digits_text = lb_text(digits, sizeof digits);
    uint64_t number;
    lb_lun_format(&digits_text, disk->lun);
    if (!lb_parse_u64(lb_bytes_of_text(digits), 16383, &number) || number < 10)
        return;
    for (size_t i = 0; i < disk->info.lun_count; i++) {
        char decimal[24];
        struct lb_text decimal_text = lb_text(decimal, sizeof decimal);
        lb_lun_format_number(&decimal_text, disk->info.luns[i]);
        if (!lb_streq(decimal, digits))
            continue;
        lb_text_add(text, "; these digits are hexadecimal: LUN %s (decimal) is written ", decimal);
        lb_lun_format(text, disk->info.luns[i]);
        return;
    }
}

static void list_luns(const struct lb_disk *disk, struct lb_text *text) {
    lb_text_add(text, "LUN ");
    const char *label = "Root Path: ";
    if (lb_lun_format_both(text, disk->lun, label))
        label = "";
    lb_text_add(text, disk->info.lun_count == 0 ? " (the target lists none)" : "; there are");
    for (size_t i = 0; i < disk->info.lun_count && i < 16; i++) {
        lb_text_add(text, " ");
        if (lb_lun_format_both(text, disk->info.luns[i], label))
            label = "";
    }
    if (disk->info.lun_count > 16)
        lb_text_add(text, " and more");
    add_hint(disk, text);
}

static void fail_with_luns(struct lb_disk *disk, enum lb_code code, const char *what) {
    char luns[LB_FACTS_MAX];
    struct lb_text text = lb_text(luns, sizeof luns);
    list_luns(disk, &text);
    lb_fail(&disk->error, code, "%s%s", luns, what);
}

static bool is_there(const struct lb_scsi_inquiry *inquiry) {
    return inquiry->qualifier == 0 && inquiry->type != 0x1f;
}

/* Direct access, optical, reduced, zoned: what Linux makes a disk of. */
static bool is_disk(const struct lb_scsi_inquiry *inquiry) {
    return inquiry->type == 0x00 || inquiry->type == 0x07 || inquiry->type == 0x0e ||
           inquiry->type == 0x14;
}

static bool is_listed(const struct lb_disk *disk) {
    for (size_t i = 0; i < disk->info.lun_count; i++)
        if (memcmp(disk->info.luns[i], disk->lun, sizeof disk->lun) == 0)
            return true;
    return false;
}

static bool judge_inquiry(struct lb_disk *disk, struct lb_scsi_inquiry *inquiry) {
    const struct lb_disk_answer *answer = &disk->answers[LB_ASK_INQUIRY];
    char what[80];
    *inquiry = (struct lb_scsi_inquiry){0};
    if (!answer->is_good && answer->error.code == LB_E_LUN_MISSING)
        fail_with_luns(disk, LB_E_LUN_MISSING, "");
    else if (!answer->is_good)
        lb_fail(&disk->error, answer->error.code, "%s", answer->error.facts);
    else if (!lb_scsi_decode_inquiry(reply(disk, LB_ASK_INQUIRY), inquiry) && answer->len > 0)
        lb_fail(&disk->error, LB_E_PROTOCOL, "INQUIRY: %zu bytes", answer->len);
    else if (inquiry->qualifier == 1) /* SPC-4 table 176; EMC's LUNZ, arrays that map nothing */
        fail_with_luns(disk, LB_E_LUN_MISSING, "; nothing is mapped to this initiator here");
    else if (!is_there(inquiry))
        fail_with_luns(disk, LB_E_LUN_MISSING,
                       is_listed(disk) ? "; it is listed, and not there yet" : "");
    else if (!is_disk(inquiry)) {
        const char *word = lb_scsi_type_word(inquiry->type);
        lb_format(what, sizeof what, "; this one is of type %02x%s%s%s", (unsigned)inquiry->type,
                  word[0] ? " (" : "", word, word[0] ? ")" : "");
        fail_with_luns(disk, LB_E_LUN_NOT_DISK, what);
    } else {
        memcpy(disk->info.vendor, inquiry->vendor, sizeof disk->info.vendor);
        memcpy(disk->info.product, inquiry->product, sizeof disk->info.product);
        memcpy(disk->info.revision, inquiry->revision, sizeof disk->info.revision);
    }
    return lb_is_ok(&disk->error);
}

/* The longer answer stands above the shorter one. */
static bool decode_capacity(const struct lb_disk *disk, struct lb_scsi_capacity *capacity) {
    return lb_scsi_decode_capacity_16(reply(disk, LB_ASK_CAPACITY_16), capacity) ||
           (lb_scsi_decode_capacity_10(reply(disk, LB_ASK_CAPACITY_10), capacity) &&
            !capacity->is_cut);
}

/* No bytes at all, or as many blocks as no disk has: 2^64, which is one more than -1. */
static bool has_no_size(const struct lb_disk *disk) {
    struct lb_bytes bytes = reply(disk, LB_ASK_CAPACITY_16);
    struct lb_rd rd = lb_rd(bytes);
    return disk->answers[LB_ASK_CAPACITY_16].is_good &&
           (bytes.len == 0 || (lb_rd_u64(&rd) == UINT64_MAX && lb_rd_ok(&rd)));
}

static void fail_empty(struct lb_disk *disk) {
    lb_fail(&disk->error, LB_E_LUN_EMPTY, "LUN %s, %s %s: READ CAPACITY(16) gives no %s",
            lb_lun_text(disk->lun).s, disk->info.vendor, disk->info.product,
            disk->answers[LB_ASK_CAPACITY_16].len == 0 ? "data" : "blocks");
}

/* The answer that says why there is no size: a disk without the longer form only refuses that. */
static const struct lb_disk_answer *why_no_capacity(const struct lb_disk *disk) {
    const struct lb_disk_answer *longer = &disk->answers[LB_ASK_CAPACITY_16];
    const struct lb_disk_answer *shorter = &disk->answers[LB_ASK_CAPACITY_10];
    bool is_refused = !longer->is_good && longer->error.code == LB_E_SCSI;
    return is_refused && shorter->is_there && !shorter->is_good ? shorter : longer;
}

static bool judge_capacity(struct lb_disk *disk, struct lb_scsi_capacity *capacity) {
    const struct lb_disk_answer *answer = why_no_capacity(disk);
    if (!decode_capacity(disk, capacity)) {
        if (!answer->is_good)
            lb_fail(&disk->error, answer->error.code, "%s", answer->error.facts);
        if (has_no_size(disk))
            fail_empty(disk);
        lb_fail(&disk->error, LB_E_PROTOCOL, "READ CAPACITY(16): %zu bytes", answer->len);
        return false;
    }
    uint32_t size = capacity->block_bytes;
    if (size == 0 || capacity->blocks == 0) {
        fail_empty(disk);
        return false;
    }
    if (size < 512 || size > 65536 || (size & (size - 1)) != 0) {
        lb_fail(&disk->error, LB_E_BLOCK_SIZE, "%u bytes", size);
        return false;
    }
    disk->info.blocks = capacity->blocks;
    disk->info.block_bytes = size;
    disk->info.physical_exponent = capacity->physical_exponent;
    return true;
}

static bool has_capacity(const struct lb_disk *disk) {
    struct lb_scsi_capacity capacity;
    return decode_capacity(disk, &capacity);
}

/* A controller on standby may also say that there is no LUN (PQ 1). */
static bool judge_standby(struct lb_disk *disk) {
    const struct lb_disk_answer *answer = &disk->answers[LB_ASK_READY];
    if (answer->error.code == LB_E_STANDBY)
        lb_fail(&disk->error, LB_E_STANDBY, "%s: %s",
                lb_endpoint_text(lb_initiator_peer(disk->session)).s, answer->error.facts);
    return lb_is_ok(&disk->error);
}

static bool judge_ready(struct lb_disk *disk) {
    const struct lb_disk_answer *answer = &disk->answers[LB_ASK_READY];
    /* libiscsi d5c5fb8: it may be refused alone, while reads are allowed; or not be known. */
    if ((answer->error.code == LB_E_RESERVED || answer->error.code == LB_E_SCSI) &&
        has_capacity(disk))
        return true;
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
        disk->info.granularity_blocks = limits.granularity_blocks;
    }
    disk->piece_blocks = LB_DISK_PIECE_BYTES / disk->info.block_bytes;
    if (disk->info.max_transfer_blocks != 0)
        disk->piece_blocks = LB_MIN(disk->piece_blocks, disk->info.max_transfer_blocks);
}

static struct lb_disk_answers answers_of(const struct lb_disk *disk,
                                         const struct lb_scsi_inquiry *inquiry,
                                         const struct lb_scsi_capacity *capacity) {
    return (struct lb_disk_answers){.inquiry = inquiry,
                                    .capacity = capacity,
                                    .names = reply(disk, LB_ASK_IDS),
                                    .serial = reply(disk, LB_ASK_SERIAL)};
}

static void note_known(struct lb_disk *disk) {
    for (unsigned i = 0; i < LB_ASK_START; i++)
        if (disk->answers[i].is_good)
            disk->known |= 1U << i;
}

/* What was answered before a change and after it may be the answers of two disks. */
static bool judge_change(struct lb_disk *disk) {
    if (disk->asks_again)
        lb_fail(&disk->error, LB_E_NOT_READY, "%s: %s",
                lb_endpoint_text(lb_initiator_peer(disk->session)).s, LB_DISK_TORN);
    return !disk->asks_again;
}

void lb_disk_judge(struct lb_disk *disk, uint64_t now_us) {
    struct lb_scsi_inquiry inquiry;
    struct lb_scsi_capacity capacity;
    size_t total;
    lb_scsi_decode_luns(reply(disk, LB_ASK_LUNS), disk->info.luns, LB_DISK_LUNS_MAX,
                        &disk->info.lun_count, &total);
    bool is_good = judge_standby(disk) && judge_inquiry(disk, &inquiry) && judge_ready(disk) &&
                   judge_capacity(disk, &capacity) && judge_change(disk);
    /* ipxe 57bab0ae4 (CLARiiON): the size is known once TEST UNIT READY has succeeded. */
    if (disk->error.code == LB_E_LUN_EMPTY && lb_disk_ask_once_more(disk, now_us)) {
        lb_error_clear(&disk->error);
        return;
    }
    if (!is_good) {
        lb_trace(disk->trace, now_us, "disk", "%s: %s", lb_code_word(disk->error.code),
                 disk->error.facts);
        lb_disk_enter(disk, now_us, LB_DISK_BROKEN);
        return;
    }
    struct lb_disk_answers answers = answers_of(disk, &inquiry, &capacity);
    lb_disk_identify(&answers, &disk->identity);
    take_details(disk);
    note_known(disk);
    lb_trace(disk->trace, now_us, "disk", "up: %s %s, %llu blocks of %u bytes", disk->info.vendor,
             disk->info.product, (unsigned long long)disk->info.blocks, disk->info.block_bytes);
    lb_disk_found_same(disk, now_us);
}

/* ---- judging a disk that was up ------------------------------------------------------------- */

void lb_disk_take_mode(struct lb_disk *disk) {
    bool read_only;
    if (lb_scsi_decode_mode_6(reply(disk, LB_ASK_MODE), &read_only))
        disk->info.read_only = read_only;
}

/* False: there is nothing, and the disk was told. */
static bool look_again(struct lb_disk *disk, uint64_t now_us, struct lb_scsi_inquiry *inquiry) {
    const struct lb_disk_answer *answer = &disk->answers[LB_ASK_INQUIRY];
    if (!answer->is_good)
        lb_disk_found_nothing(disk, now_us, answer->error.code, answer->error.facts);
    else if (!lb_scsi_decode_inquiry(reply(disk, LB_ASK_INQUIRY), inquiry))
        lb_disk_found_nothing(disk, now_us, LB_E_PROTOCOL, "INQUIRY is too short");
    else if (!is_there(inquiry))
        lb_disk_found_nothing(disk, now_us, LB_E_LUN_MISSING, "INQUIRY says that it is not there");
    else if (!is_disk(inquiry))
        lb_disk_found_other(disk, now_us, "it was a disk, and is something else");
    else
        return true;
    return false;
}

/* A disk that has a name needs not tell its size to be known: it may not be ready for that. */
static bool measure_again(struct lb_disk *disk, uint64_t now_us,
                          struct lb_scsi_capacity *capacity) {
    const struct lb_disk_answer *answer = why_no_capacity(disk);
    if (decode_capacity(disk, capacity))
        return true;
    if (disk->identity.name_len > 0 || disk->identity.serial_len > 0) {
        *capacity = (struct lb_scsi_capacity){.blocks = disk->identity.blocks,
                                              .block_bytes = disk->identity.block_bytes};
        return true;
    }
    if (answer->is_good || lb_is_ok(&answer->error))
        lb_disk_found_nothing(disk, now_us, LB_E_PROTOCOL, "READ CAPACITY is too short");
    else
        lb_disk_found_nothing(disk, now_us, answer->error.code, answer->error.facts);
    return false;
}

void lb_disk_judge_again(struct lb_disk *disk, uint64_t now_us) {
    struct lb_scsi_inquiry inquiry;
    struct lb_scsi_capacity capacity;
    char facts[LB_FACTS_MAX];
    struct lb_text text = lb_text(facts, sizeof facts);
    if (!look_again(disk, now_us, &inquiry) || !measure_again(disk, now_us, &capacity))
        return;
    struct lb_disk_answers answers = answers_of(disk, &inquiry, &capacity);
    switch (lb_disk_compare(&disk->identity, &answers, &text)) {
    case LB_DISK_SAME:
        disk->info.blocks = disk->identity.blocks = capacity.blocks;
        if (disk->answers[LB_ASK_MODE].is_there)
            lb_disk_take_mode(disk);
        lb_trace(disk->trace, now_us, "disk", "the same: %llu blocks%s",
                 (unsigned long long)disk->info.blocks, disk->info.read_only ? ", read-only" : "");
        lb_disk_found_same(disk, now_us);
        return;
    case LB_DISK_UNPROVEN:
        lb_disk_found_nothing(disk, now_us, LB_E_DISK_CHANGED, facts);
        return;
    case LB_DISK_OTHER:
        lb_disk_found_other(disk, now_us, facts);
        return;
    }
}

/* ---- what is not waited for ----------------------------------------------------------------- */

/* All that a disk cannot do without. One form of READ CAPACITY is enough where it says the size. */
static bool has_enough(const struct lb_disk *disk) {
    return disk->answers[LB_ASK_READY].is_there && disk->answers[LB_ASK_INQUIRY].is_there &&
           (has_capacity(disk) || (disk->answers[LB_ASK_CAPACITY_16].is_there &&
                                   disk->answers[LB_ASK_CAPACITY_10].is_there));
}

static bool is_capacity(enum lb_disk_question question) {
    return question == LB_ASK_CAPACITY_16 || question == LB_ASK_CAPACITY_10;
}

static bool is_first_name(const struct lb_disk *disk, enum lb_disk_question question) {
    return is_name(question) && (disk->silent & (1U << LB_ASK_SERIAL | 1U << LB_ASK_IDS)) == 0;
}

static bool may_go(const struct lb_disk *disk, enum lb_disk_question question) {
    return disk->answers[question].is_out &&
           (is_capacity(question) || lb_disk_is_optional(disk, question));
}

uint64_t lb_disk_optional_until(const struct lb_disk *disk, enum lb_disk_question question) {
    if (disk->enough_us == LB_NEVER || !may_go(disk, question))
        return LB_NEVER;
    return disk->enough_us +
           (is_first_name(disk, question) ? LB_DISK_NAME_MS : LB_DISK_OPTIONAL_MS) * LB_US_MS;
}

static const struct lb_initiator_task *command_of(const struct lb_disk *disk, unsigned question) {
    return &disk->tasks[LB_INITIATOR_TASKS_MAX + question].task;
}

/* What a disk cannot do without is queued behind other questions: the target takes few at once. */
static bool is_delayed(const struct lb_disk *disk) {
    const uint32_t needed = 1U << LB_ASK_READY | 1U << LB_ASK_INQUIRY | 1U << LB_ASK_CAPACITY_16 |
                            1U << LB_ASK_CAPACITY_10;
    for (unsigned i = 0; i < LB_ASK_START; i++)
        if (needed >> i & 1 && command_of(disk, i)->state == LB_TASK_QUEUED)
            return true;
    return false;
}

/* Is this question in flight for so long that it is not waited for any more? A name is aborted and
 * asked again first. */
static bool is_late(const struct lb_disk *disk, uint64_t now_us, enum lb_disk_question question) {
    const struct lb_initiator_task *task = command_of(disk, question);
    if (task->state != LB_TASK_SENT)
        return disk->enough_us != LB_NEVER && !is_name(question);
    return now_us >= task->active_us + LB_DISK_OPTIONAL_MS * LB_US_MS &&
           (task->strikes > 0 || disk->enough_us == LB_NEVER || !is_first_name(disk, question));
}

uint64_t lb_disk_optional_tick(struct lb_disk *disk, uint64_t now_us) {
    bool is_answering = lb_initiator_state(disk->session) == LB_INITIATOR_FULL_FEATURE;
    bool is_asking = disk->state == LB_DISK_ASKING && is_answering && disk->again_us == LB_NEVER;
    bool is_enough = is_asking && has_enough(disk);
    disk->enough_us = is_enough ? LB_MIN(disk->enough_us, now_us) : LB_NEVER;
    if (!is_asking || (!is_enough && !is_delayed(disk)))
        return LB_NEVER;
    if (is_enough && now_us < disk->enough_us + LB_DISK_OPTIONAL_MS * LB_US_MS)
        return disk->enough_us + LB_DISK_OPTIONAL_MS * LB_US_MS;
    for (unsigned i = 0; i < LB_ASK_START; i++) {
        enum lb_disk_question question = (enum lb_disk_question)i;
        struct lb_disk_task *task = &disk->tasks[LB_INITIATOR_TASKS_MAX + i];
        bool goes = may_go(disk, question) && is_late(disk, now_us, question) &&
                    (is_enough || is_delayed(disk)) &&
                    lb_initiator_give_up(disk->session, now_us, &task->task);
        if (goes && !is_enough && disk->postponements++ < LB_DISK_POSTPONED_MAX)
            disk->postponed |= 1U << i;
    }
    return now_us + 100 * LB_US_MS; /* where an answer was just coming */
}
