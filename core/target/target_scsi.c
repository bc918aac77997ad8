/* SCSI commands on the target's side: what a command is, and the answers that move no blocks.
 * SPC-4, SBC-3; everything that is not here is ILLEGAL REQUEST, invalid command (20/00). */
#include "core/target/target_state.h"

enum {
    KEY_NOT_READY = 2,
    KEY_ILLEGAL_REQUEST = 5,
    KEY_UNIT_ATTENTION = 6,
    KEY_DATA_PROTECT = 7,
    NO_SUCH_DEVICE = 0x7f, /* INQUIRY byte 0: qualifier 3, type 1f */
    SENSE_BYTES = 18,
    INQUIRY_BYTES = 96, /* up to the end of the version descriptors */
};

void lb_target_check(struct lb_target_task *task, uint8_t key, uint8_t asc, uint8_t ascq) {
    task->status = LB_SCSI_CHECK_CONDITION;
    task->key = key;
    task->asc = asc;
    task->ascq = ascq;
    task->has_failed = true;
}

static void invalid_field(struct lb_target_task *task) {
    lb_target_check(task, KEY_ILLEGAL_REQUEST, 0x24, 0);
}

static struct lb_target_lun *lun_of(const struct lb_target_conn *conn,
                                    const struct lb_target_task *task) {
    return task->lun_index == LB_TTASK_NONE ? NULL : &conn->node->luns[task->lun_index];
}

static uint32_t block_bytes(const struct lb_target_lun *lun) {
    return lun->block_bytes == 0 ? 512 : lun->block_bytes;
}

/* ---- what a command is ---- */

struct extent {
    uint64_t lba;
    uint32_t blocks;
    bool is_write;
    uint8_t protect; /* RDPROTECT, WRPROTECT: protection information, which no LUN here has */
    bool force_unit_access;
};

/* READ and WRITE of 6, 10 and 16 bytes: SBC-3 5.10 to 5.13, 5.31 to 5.34. */
static bool parse_extent(const uint8_t cdb[16], struct extent *extent) {
    struct lb_rd rd = lb_rd(lb_bytes(cdb, 16));
    enum lb_scsi_op op = (enum lb_scsi_op)lb_rd_u8(&rd);
    uint8_t flags = 0;
    if (op == LB_SCSI_READ_6 || op == LB_SCSI_WRITE_6) {
        extent->lba = lb_rd_u24(&rd) & 0x1fffff;
        extent->blocks = lb_rd_u8(&rd);
        if (extent->blocks == 0)
            extent->blocks = 256;
    } else if (op == LB_SCSI_READ_10 || op == LB_SCSI_WRITE_10) {
        flags = lb_rd_u8(&rd);
        extent->lba = lb_rd_u32(&rd);
        lb_rd_skip(&rd, 1);
        extent->blocks = lb_rd_u16(&rd);
    } else if (op == LB_SCSI_READ_16 || op == LB_SCSI_WRITE_16) {
        flags = lb_rd_u8(&rd);
        extent->lba = lb_rd_u64(&rd);
        extent->blocks = lb_rd_u32(&rd);
    } else {
        return false;
    }
    extent->protect = flags >> 5;
    extent->force_unit_access = flags & 8;
    extent->is_write = op == LB_SCSI_WRITE_6 || op == LB_SCSI_WRITE_10 || op == LB_SCSI_WRITE_16;
    return true;
}

static bool is_always_answered(uint8_t op) {
    return op == LB_SCSI_INQUIRY || op == LB_SCSI_REPORT_LUNS || op == LB_SCSI_REQUEST_SENSE;
}

static bool needs_medium(uint8_t op) {
    struct extent extent;
    uint8_t cdb[16] = {op};
    return parse_extent(cdb, &extent) || op == LB_SCSI_TEST_UNIT_READY ||
           op == LB_SCSI_READ_CAPACITY_10 || op == LB_SCSI_SERVICE_ACTION_IN_16 ||
           op == LB_SCSI_SYNCHRONIZE_CACHE_10 || op == LB_SCSI_SYNCHRONIZE_CACHE_16;
}

static void check_ready(struct lb_target_task *task, enum lb_lun_state state) {
    switch (state) {
    case LB_LUN_READY:
        return;
    case LB_LUN_BECOMING_READY:
        lb_target_check(task, KEY_NOT_READY, 0x04, 0x01);
        return;
    case LB_LUN_STOPPED:
        lb_target_check(task, KEY_NOT_READY, 0x04, 0x02);
        return;
    case LB_LUN_NO_MEDIUM:
        lb_target_check(task, KEY_NOT_READY, 0x3a, 0x00);
        return;
    }
}

/* What stands against any command, in SAM-5's order: no LUN, unit attention, busy, not ready. */
static void check_obstacles(struct lb_target_conn *conn, struct lb_target_task *task) {
    struct lb_target_lun *lun = lun_of(conn, task);
    uint8_t op = task->cdb[0];
    if (is_always_answered(op))
        return;
    if (lun == NULL) {
        lb_target_check(task, KEY_ILLEGAL_REQUEST, 0x25, 0x00);
        return;
    }
    uint16_t attention = conn->attention[task->lun_index];
    if (attention != 0) {
        conn->attention[task->lun_index] = 0;
        lb_target_check(task, KEY_UNIT_ATTENTION, (uint8_t)(attention >> 8), (uint8_t)attention);
        return;
    }
    if (conn->node->is_busy) {
        task->status = LB_SCSI_BUSY;
        task->has_failed = true;
        return;
    }
    if (needs_medium(op))
        check_ready(task, lun->state);
}

static void classify_extent(struct lb_target_task *task, const struct lb_target_lun *lun,
                            const struct extent *extent) {
    uint64_t wanted = (uint64_t)extent->blocks * block_bytes(lun);
    bool is_allowed =
        extent->is_write ? task->data == LB_TDATA_WRITE : task->data != LB_TDATA_WRITE;
    if ((!is_allowed && wanted > 0) || extent->protect != 0)
        invalid_field(task); /* the CDB and the R and W bits disagree */
    else if (extent->lba > lun->blocks || extent->blocks > lun->blocks - extent->lba)
        lb_target_check(task, KEY_ILLEGAL_REQUEST, 0x21, 0);
    else if (lun->max_transfer_blocks != 0 && extent->blocks > lun->max_transfer_blocks)
        invalid_field(task);
    else if (extent->is_write && lun->read_only)
        lb_target_check(task, KEY_DATA_PROTECT, 0x27, 0);
    if (task->has_failed)
        return;
    task->lba = extent->lba;
    task->data = extent->is_write ? LB_TDATA_WRITE : LB_TDATA_READ;
    task->io.force_unit_access = extent->is_write && extent->force_unit_access;
    task->total = (uint32_t)LB_MIN(wanted, task->edtl);
    if (extent->is_write)
        task->total -= task->total % block_bytes(lun); /* half a block cannot be written */
    task->overflow = wanted > task->edtl;
    task->underflow = wanted < task->edtl;
    task->residual =
        (uint32_t)LB_MIN(task->overflow ? wanted - task->edtl : task->edtl - wanted, UINT32_MAX);
}

/* task->data is WRITE on entry if the command has the W bit, READ with R, else NONE. */
void lb_target_classify(struct lb_target_conn *conn, struct lb_target_task *task) {
    struct extent extent;
    bool has_both = conn->pdu.command.read && conn->pdu.command.write;
    if (has_both)
        invalid_field(task); /* bidirectional commands are not for disks */
    else
        check_obstacles(conn, task);
    const struct lb_target_lun *lun = lun_of(conn, task);
    if (!task->has_failed && lun != NULL && parse_extent(task->cdb, &extent)) {
        classify_extent(task, lun, &extent);
        if (!task->has_failed)
            return;
    }
    bool is_flush = task->cdb[0] == LB_SCSI_SYNCHRONIZE_CACHE_10 ||
                    task->cdb[0] == LB_SCSI_SYNCHRONIZE_CACHE_16;
    if (!task->has_failed && is_flush && task->data == LB_TDATA_WRITE)
        invalid_field(task); /* it has no data */
    task->data = !task->has_failed && is_flush ? LB_TDATA_FLUSH : LB_TDATA_NONE;
    task->total = 0;
    task->residual = task->edtl;
    task->underflow = task->edtl > 0;
}

/* ---- INQUIRY ---- */

/* Left-justified, filled with spaces. */
static void put_field(struct lb_wr *wr, const char *value, const char *otherwise, size_t width) {
    const char *text = value[0] != 0 ? value : otherwise;
    size_t len = LB_MIN(lb_strlen(text), width);
    lb_wr_bytes(wr, lb_bytes(text, len));
    for (; len < width; len++)
        lb_wr_u8(wr, ' ');
}

static void put_inquiry(struct lb_wr *wr, const struct lb_target_lun *lun) {
    /* SPC-4 table 175: SAM-5, iSCSI, SPC-4, SBC-3, no version claimed of each. */
    static const uint16_t versions[] = {0x00a0, 0x0960, 0x0460, 0x04c0};
    lb_wr_u8(wr, lun == NULL ? NO_SUCH_DEVICE : lun->type);
    lb_wr_u8(wr, 0);
    lb_wr_u8(wr, 6);    /* SPC-4 */
    lb_wr_u8(wr, 0x12); /* HiSup, response data format 2 */
    lb_wr_u8(wr, INQUIRY_BYTES - 5);
    lb_wr_u8(wr, 0);
    lb_wr_u8(wr, 0);
    lb_wr_u8(wr, 2); /* CmdQue */
    put_field(wr, lun == NULL ? "" : lun->vendor, "LUNBOOT", 8);
    put_field(wr, lun == NULL ? "" : lun->product, "DISK", 16);
    put_field(wr, lun == NULL ? "" : lun->revision, "1", 4);
    lb_wr_zero(wr, 22);
    for (size_t i = 0; i < LB_COUNT(versions); i++)
        lb_wr_u16(wr, versions[i]);
    lb_wr_zero(wr, INQUIRY_BYTES - wr->len);
}

/* 64-bit NAA 3h (locally assigned): from the target's name and the LUN, so that it stays. */
static uint64_t naa_of(const struct lb_target *node, const struct lb_target_lun *lun,
                       uint8_t index) {
    if (lun->naa != 0)
        return lun->naa;
    uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
    for (size_t i = 0; node->name[i] != 0; i++)
        hash = (hash ^ (uint8_t)node->name[i]) * UINT64_C(0x100000001b3);
    hash = (hash ^ index) * UINT64_C(0x100000001b3);
    return UINT64_C(3) << 60 | hash >> 4;
}

static void put_ids(struct lb_wr *wr, const struct lb_target_conn *conn,
                    const struct lb_target_task *task) {
    const struct lb_target *node = conn->node;
    size_t name_len = lb_strlen(node->name);
    size_t padded =
        (name_len + 1 + 3) & ~(size_t)3; /* NUL-ended, a multiple of 4: SPC-4 7.8.6.11 */
    lb_wr_u8(wr, 1);                     /* binary */
    lb_wr_u8(wr, 3);                     /* NAA of the logical unit */
    lb_wr_u8(wr, 0);
    lb_wr_u8(wr, 8);
    lb_wr_u64(wr, naa_of(node, &node->luns[task->lun_index], task->lun_index));
    lb_wr_u8(wr, 0x53); /* iSCSI, UTF-8 */
    lb_wr_u8(wr, 0xa8); /* SCSI name of the target device */
    lb_wr_u8(wr, 0);
    lb_wr_u8(wr, (uint8_t)padded);
    lb_wr_text(wr, node->name);
    lb_wr_zero(wr, padded - name_len);
}

static void put_serial(struct lb_wr *wr, const struct lb_target_lun *lun, uint8_t index) {
    char number[8];
    lb_format(number, sizeof number, "%u", (unsigned)index);
    lb_wr_text(wr, lun->serial[0] != 0 ? lun->serial : number);
}

static void put_limits(struct lb_wr *wr, const struct lb_target_lun *lun) {
    lb_wr_zero(wr, 2);
    lb_wr_u16(wr, (uint16_t)(1u << lun->physical_exponent)); /* optimal granularity */
    lb_wr_u32(wr, lun->max_transfer_blocks);
    lb_wr_u32(wr, lun->optimal_transfer_blocks);
    lb_wr_zero(wr, 48);
}

/* False for a page that there is not. */
static bool put_vpd(struct lb_wr *wr, const struct lb_target_conn *conn,
                    const struct lb_target_task *task, uint8_t page) {
    static const uint8_t pages[] = {LB_SCSI_VPD_PAGES,        LB_SCSI_VPD_SERIAL,
                                    LB_SCSI_VPD_IDS,          LB_SCSI_VPD_BLOCK_LIMITS,
                                    LB_SCSI_VPD_BLOCK_DEVICE, LB_SCSI_VPD_PROVISIONING};
    const struct lb_target_lun *lun = &conn->node->luns[task->lun_index];
    lb_wr_u8(wr, lun->type);
    lb_wr_u8(wr, page);
    lb_wr_u16(wr, 0); /* the length, below */
    switch (page) {
    case LB_SCSI_VPD_PAGES:
        lb_wr_bytes(wr, lb_bytes(pages, sizeof pages));
        break;
    case LB_SCSI_VPD_SERIAL:
        put_serial(wr, lun, task->lun_index);
        break;
    case LB_SCSI_VPD_IDS:
        put_ids(wr, conn, task);
        break;
    case LB_SCSI_VPD_BLOCK_LIMITS:
        put_limits(wr, lun);
        break;
    case LB_SCSI_VPD_BLOCK_DEVICE:
        lb_wr_u16(wr, 1); /* not rotating */
        lb_wr_zero(wr, 58);
        break;
    case LB_SCSI_VPD_PROVISIONING:
        lb_wr_zero(wr, 4); /* fully provisioned */
        break;
    default:
        return false;
    }
    lb_wr_u16_at(wr, 2, (uint16_t)(wr->len - 4));
    return true;
}

static void inquiry(struct lb_target_conn *conn, struct lb_target_task *task, struct lb_wr *wr) {
    bool is_vpd = task->cdb[1] & 1;
    if (!is_vpd && task->cdb[2] == 0)
        put_inquiry(wr, lun_of(conn, task));
    else if (!is_vpd || lun_of(conn, task) == NULL || !put_vpd(wr, conn, task, task->cdb[2]))
        invalid_field(task);
}

/* ---- the others ---- */

static void report_luns(const struct lb_target_conn *conn, struct lb_target_task *task,
                        struct lb_wr *wr) {
    if (task->cdb[2] > 2) {
        invalid_field(task);
        return;
    }
    lb_wr_u32(wr, 0); /* the length, below */
    lb_wr_u32(wr, 0);
    for (unsigned i = 0; i < LB_TARGET_LUNS_MAX && task->cdb[2] != 1; i++) {
        if (!conn->node->luns[i].is_present)
            continue;
        lb_wr_u16(wr, (uint16_t)i);
        lb_wr_zero(wr, 6);
    }
    lb_wr_u32_at(wr, 0, (uint32_t)(wr->len - 8));
}

static void read_capacity_10(const struct lb_target_lun *lun, struct lb_wr *wr) {
    uint64_t last = lun->blocks == 0 ? 0 : lun->blocks - 1;
    lb_wr_u32(wr, (uint32_t)LB_MIN(last, UINT32_MAX));
    lb_wr_u32(wr, block_bytes(lun));
}

static void read_capacity_16(const struct lb_target_lun *lun, struct lb_target_task *task,
                             struct lb_wr *wr) {
    if (lun->no_capacity_16) {
        lb_target_check(task, KEY_ILLEGAL_REQUEST, 0x20, 0);
        return;
    }
    if ((task->cdb[1] & 0x1f) != LB_SCSI_READ_CAPACITY_16_ACTION) {
        invalid_field(task);
        return;
    }
    lb_wr_u64(wr, lun->blocks == 0 ? 0 : lun->blocks - 1);
    lb_wr_u32(wr, block_bytes(lun));
    lb_wr_u8(wr, 0);
    lb_wr_u8(wr, lun->physical_exponent & 0x0f);
    lb_wr_zero(wr, 18);
}

enum { PAGE_CACHING = 0x08, PAGE_CONTROL = 0x0a, PAGE_ALL = 0x3f };

/* SBC-3 6.5.5. Writes may be cached until they are flushed. */
static void put_caching_page(struct lb_wr *wr) {
    lb_wr_u8(wr, PAGE_CACHING);
    lb_wr_u8(wr, 0x12);
    lb_wr_u8(wr, 0x04); /* WCE */
    lb_wr_zero(wr, 17);
}

/* SPC-4 7.5.8: fixed sense, unrestricted reordering. */
static void put_control_page(struct lb_wr *wr) {
    lb_wr_u8(wr, PAGE_CONTROL);
    lb_wr_u8(wr, 0x0a);
    lb_wr_u8(wr, 0);
    lb_wr_u8(wr, 0x10);
    lb_wr_zero(wr, 8);
}

static void mode_sense(const struct lb_target_lun *lun, struct lb_target_task *task,
                       struct lb_wr *wr) {
    bool is_long = task->cdb[0] == LB_SCSI_MODE_SENSE_10;
    uint8_t page = task->cdb[2] & 0x3f;
    uint8_t device = (lun->read_only ? 0x80 : 0) | 0x10; /* WP, DPOFUA */
    if (page != PAGE_CACHING && page != PAGE_CONTROL && page != PAGE_ALL && page != 0) {
        invalid_field(task);
        return;
    }
    if (is_long) {
        lb_wr_u16(wr, 0);
        lb_wr_u8(wr, 0);
        lb_wr_u8(wr, device);
        lb_wr_u32(wr, 0);
    } else {
        lb_wr_u8(wr, 0);
        lb_wr_u8(wr, 0);
        lb_wr_u8(wr, device);
        lb_wr_u8(wr, 0);
    }
    if (page == PAGE_CACHING || page == PAGE_ALL)
        put_caching_page(wr);
    if (page == PAGE_CONTROL || page == PAGE_ALL)
        put_control_page(wr);
    if (is_long)
        lb_wr_u16_at(wr, 0, (uint16_t)(wr->len - 2));
    else
        lb_wr_u8_at(wr, 0, (uint8_t)(wr->len - 1));
}

/* START STOP UNIT with a power condition, or load and eject, changes nothing here. */
static void start_stop(struct lb_target_lun *lun, const struct lb_target_task *task) {
    if ((task->cdb[4] & 0xf2) != 0)
        return;
    if ((task->cdb[4] & 1) != 0 && lun->state == LB_LUN_STOPPED)
        lun->state = LB_LUN_READY;
    else if ((task->cdb[4] & 1) == 0 && lun->state == LB_LUN_READY)
        lun->state = LB_LUN_STOPPED;
}

static void request_sense(struct lb_target_conn *conn, const struct lb_target_task *task,
                          struct lb_wr *wr) {
    uint8_t key = 0;
    uint16_t code = 0;
    if (lun_of(conn, task) == NULL) {
        key = KEY_ILLEGAL_REQUEST;
        code = 0x2500;
    } else if (conn->attention[task->lun_index] != 0) {
        key = KEY_UNIT_ATTENTION;
        code = conn->attention[task->lun_index];
        conn->attention[task->lun_index] = 0;
    }
    lb_wr_u8(wr, 0x70);
    lb_wr_u8(wr, 0);
    lb_wr_u8(wr, key);
    lb_wr_u32(wr, 0);
    lb_wr_u8(wr, SENSE_BYTES - 8);
    lb_wr_u32(wr, 0);
    lb_wr_u16(wr, code);
    lb_wr_u32(wr, 0);
}

/* The room that the initiator has for the reply, as the CDB says. */
static size_t allocation(const uint8_t cdb[16]) {
    struct lb_rd rd = lb_rd(lb_bytes(cdb, 16));
    switch (cdb[0]) {
    case LB_SCSI_INQUIRY:
        lb_rd_skip(&rd, 3);
        return lb_rd_u16(&rd);
    case LB_SCSI_REPORT_LUNS:
        lb_rd_skip(&rd, 6);
        return lb_rd_u32(&rd);
    case LB_SCSI_SERVICE_ACTION_IN_16:
        lb_rd_skip(&rd, 10);
        return lb_rd_u32(&rd);
    case LB_SCSI_MODE_SENSE_10:
        lb_rd_skip(&rd, 7);
        return lb_rd_u16(&rd);
    case LB_SCSI_MODE_SENSE_6:
    case LB_SCSI_REQUEST_SENSE:
        return cdb[4];
    default:
        return SIZE_MAX;
    }
}

/* Those that need a LUN; the others were taken before. */
static void carry_out_on(struct lb_target_lun *lun, struct lb_target_task *task, struct lb_wr *wr) {
    switch (task->cdb[0]) {
    case LB_SCSI_TEST_UNIT_READY:
        return;
    case LB_SCSI_READ_CAPACITY_10:
        read_capacity_10(lun, wr);
        return;
    case LB_SCSI_SERVICE_ACTION_IN_16:
        read_capacity_16(lun, task, wr);
        return;
    case LB_SCSI_MODE_SENSE_6:
    case LB_SCSI_MODE_SENSE_10:
        mode_sense(lun, task, wr);
        return;
    case LB_SCSI_START_STOP_UNIT:
        start_stop(lun, task);
        return;
    default:
        lb_target_check(task, KEY_ILLEGAL_REQUEST, 0x20, 0);
        return;
    }
}

static void carry_out(struct lb_target_conn *conn, struct lb_target_task *task, struct lb_wr *wr) {
    struct lb_target_lun *lun = lun_of(conn, task);
    if (task->cdb[0] == LB_SCSI_INQUIRY)
        inquiry(conn, task, wr);
    else if (task->cdb[0] == LB_SCSI_REPORT_LUNS)
        report_luns(conn, task, wr);
    else if (task->cdb[0] == LB_SCSI_REQUEST_SENSE)
        request_sense(conn, task, wr);
    else if (lun != NULL)
        carry_out_on(lun, task, wr);
}

size_t lb_target_scsi(struct lb_target_conn *conn, struct lb_target_task *task,
                      uint8_t reply[512]) {
    struct lb_wr wr = lb_wr(lb_span(reply, 512));
    carry_out(conn, task, &wr);
    lb_assert(lb_wr_ok(&wr)); /* the longest is VPD 83: 16 + 4 + 224 */
    if (task->has_failed)
        return 0;
    size_t wanted = LB_MIN(wr.len, allocation(task->cdb));
    size_t len = LB_MIN(wanted, task->edtl);
    task->overflow = wanted > task->edtl;
    task->underflow = wanted < task->edtl;
    task->residual = (uint32_t)(task->overflow ? wanted - task->edtl : task->edtl - wanted);
    return len;
}
