/* A command that is not here is ILLEGAL REQUEST, invalid command operation code (20/00). */
#include "core/scsi/scsi_device.h"

enum {
    KEY_NOT_READY = 2,
    KEY_ILLEGAL_REQUEST = 5,
    KEY_UNIT_ATTENTION = 6,
    KEY_DATA_PROTECT = 7,
    NO_SUCH_DEVICE = 0x7f, /* INQUIRY byte 0: qualifier 3, type 1f */
    INQUIRY_BYTES = 96,    /* up to the end of the version descriptors */
};

void lb_scsi_command_check(struct lb_scsi_command *command, uint8_t key, uint8_t asc,
                           uint8_t ascq) {
    command->status = LB_SCSI_CHECK_CONDITION;
    command->key = key;
    command->asc = asc;
    command->ascq = ascq;
    command->has_failed = true;
}

static void invalid_field(struct lb_scsi_command *command) {
    lb_scsi_command_check(command, KEY_ILLEGAL_REQUEST, 0x24, 0);
}

static struct lb_scsi_unit *unit_of(const struct lb_scsi_device *device,
                                    const struct lb_scsi_command *command) {
    return command->unit == LB_SCSI_NO_UNIT ? NULL : device->units[command->unit];
}

uint32_t lb_scsi_unit_block_bytes(const struct lb_scsi_unit *unit) {
    return unit->block_bytes == 0 ? 512 : unit->block_bytes;
}

/* ---- who reaches a unit ---- */

void lb_scsi_nexus_end(struct lb_scsi_nexus *nexus) {
    if (nexus->unit == NULL)
        return;
    struct lb_scsi_nexus **at = &nexus->unit->nexuses;
    while (*at != nexus)
        at = &(*at)->next;
    *at = nexus->next;
    nexus->unit = NULL;
}

void lb_scsi_nexus_begin(struct lb_scsi_nexus *nexus, struct lb_scsi_unit *unit,
                         const struct lb_scsi_port *port, void *owner) {
    lb_scsi_nexus_end(nexus);
    nexus->port = port;
    nexus->owner = owner;
    nexus->unit = unit;
    if (unit == NULL)
        return;
    nexus->next = unit->nexuses;
    unit->nexuses = nexus;
}

void lb_scsi_unit_attention(struct lb_scsi_unit *unit, const struct lb_scsi_nexus *but, uint8_t asc,
                            uint8_t ascq) {
    for (struct lb_scsi_nexus *n = unit->nexuses; n != NULL; n = n->next)
        if (n != but)
            n->attention = (uint16_t)(asc << 8 | ascq);
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

/* SYNCHRONIZE CACHE of 10 and 16 bytes: SBC-3 5.39, 5.40. False: another command. */
static bool parse_flush(const uint8_t cdb[16], uint64_t *lba, uint32_t *blocks) {
    struct lb_rd rd = lb_rd(lb_bytes(cdb + 2, 14));
    if (cdb[0] == LB_SCSI_SYNCHRONIZE_CACHE_10) {
        *lba = lb_rd_u32(&rd);
        lb_rd_skip(&rd, 1);
        *blocks = lb_rd_u16(&rd);
        return true;
    }
    *lba = lb_rd_u64(&rd);
    *blocks = lb_rd_u32(&rd);
    return cdb[0] == LB_SCSI_SYNCHRONIZE_CACHE_16;
}

/* The NACA bit of the CONTROL byte, the CDB's last: SAM-5 5.2, SPC-4 4.3.4 (lengths by group). */
static bool has_naca(const uint8_t cdb[16]) {
    static const uint8_t lengths[8] = {6, 10, 10, 0, 16, 12, 0, 0};
    uint8_t len = lengths[cdb[0] >> 5];
    return len > 0 && cdb[len - 1] & 4;
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

static void check_ready(struct lb_scsi_command *command, enum lb_scsi_unit_state state) {
    switch (state) {
    case LB_SCSI_UNIT_READY:
        return;
    case LB_SCSI_UNIT_BECOMING_READY:
        lb_scsi_command_check(command, KEY_NOT_READY, 0x04, 0x01);
        return;
    case LB_SCSI_UNIT_STOPPED:
        lb_scsi_command_check(command, KEY_NOT_READY, 0x04, 0x02);
        return;
    case LB_SCSI_UNIT_NO_MEDIUM:
        lb_scsi_command_check(command, KEY_NOT_READY, 0x3a, 0x00);
        return;
    }
}

/* What stands against any command, in SAM-5's order: no LUN, unit attention, busy, not ready. */
static void check_obstacles(const struct lb_scsi_device *device, struct lb_scsi_command *command) {
    struct lb_scsi_unit *unit = unit_of(device, command);
    uint8_t op = command->cdb[0];
    if (is_always_answered(op))
        return;
    if (unit == NULL) {
        lb_scsi_command_check(command, KEY_ILLEGAL_REQUEST, 0x25, 0x00);
        return;
    }
    uint16_t attention = device->nexuses[command->unit].attention;
    if (attention != 0) {
        device->nexuses[command->unit].attention = 0;
        lb_scsi_command_check(command, KEY_UNIT_ATTENTION, (uint8_t)(attention >> 8),
                              (uint8_t)attention);
        return;
    }
    if (unit->is_busy) {
        command->status = LB_SCSI_BUSY;
        command->has_failed = true;
        return;
    }
    if (needs_medium(op))
        check_ready(command, unit->state);
}

void lb_scsi_device_untold(const struct lb_scsi_device *device,
                           const struct lb_scsi_command *command) {
    if (!command->has_failed || command->status != LB_SCSI_CHECK_CONDITION ||
        command->key != KEY_UNIT_ATTENTION || command->unit == LB_SCSI_NO_UNIT)
        return;
    uint16_t *attention = &device->nexuses[command->unit].attention;
    if (*attention == 0)
        *attention = (uint16_t)(command->asc << 8 | command->ascq);
}

static void classify_extent(struct lb_scsi_command *command, const struct lb_scsi_unit *unit,
                            const struct extent *extent) {
    uint64_t wanted = (uint64_t)extent->blocks * lb_scsi_unit_block_bytes(unit);
    bool is_allowed = extent->is_write == command->writes;
    if ((!is_allowed && wanted > 0) || extent->protect != 0)
        invalid_field(command); /* the CDB and the R and W bits disagree */
    else if (extent->lba > unit->blocks || extent->blocks > unit->blocks - extent->lba)
        lb_scsi_command_check(command, KEY_ILLEGAL_REQUEST, 0x21, 0);
    else if (unit->max_transfer_blocks != 0 && extent->blocks > unit->max_transfer_blocks)
        invalid_field(command);
    else if (extent->is_write && unit->read_only)
        lb_scsi_command_check(command, KEY_DATA_PROTECT, 0x27, 0);
    if (command->has_failed)
        return;
    command->lba = extent->lba;
    command->kind = extent->is_write ? LB_SCSI_KIND_WRITE : LB_SCSI_KIND_READ;
    command->force_unit_access = extent->is_write && extent->force_unit_access;
    command->total = (uint32_t)LB_MIN(wanted, command->expected);
    if (extent->is_write)
        command->total -=
            command->total % lb_scsi_unit_block_bytes(unit); /* half a block cannot be written */
    command->overflow = wanted > command->expected;
    command->underflow = wanted < command->expected;
    command->residual = (uint32_t)LB_MIN(
        command->overflow ? wanted - command->expected : command->expected - wanted, UINT32_MAX);
}

/* SAM-5 4.7. */
uint8_t lb_scsi_device_find(const struct lb_scsi_device *device, const uint8_t lun[8]) {
    static const uint8_t none[6];
    unsigned number = (unsigned)(lun[0] & 0x3f) << 8 | lun[1];
    unsigned method = lun[0] >> 6;
    if (method > 1 || (method == 0 && lun[0] != 0) || memcmp(lun + 2, none, sizeof none) != 0 ||
        number >= device->count || device->units[number] == NULL)
        return LB_SCSI_NO_UNIT;
    return (uint8_t)number;
}

void lb_scsi_device_begin(const struct lb_scsi_device *device, struct lb_scsi_command *command) {
    struct extent extent;
    uint64_t lba;
    uint32_t blocks;
    if (command->reads && command->writes)
        invalid_field(command); /* bidirectional commands are not for disks */
    else if (has_naca(command->cdb))
        invalid_field(command); /* there is no auto contingent allegiance here */
    else
        check_obstacles(device, command);
    const struct lb_scsi_unit *unit = unit_of(device, command);
    if (!command->has_failed && unit != NULL && parse_extent(command->cdb, &extent)) {
        classify_extent(command, unit, &extent);
        if (!command->has_failed)
            return;
    }
    bool is_flush = parse_flush(command->cdb, &lba, &blocks);
    if (!command->has_failed && is_flush && command->writes)
        invalid_field(command); /* it has no data */
    else if (!command->has_failed && is_flush &&
             (lba > unit->blocks || blocks > unit->blocks - lba))
        lb_scsi_command_check(command, KEY_ILLEGAL_REQUEST, 0x21, 0);
    command->kind = !command->has_failed && is_flush ? LB_SCSI_KIND_FLUSH : LB_SCSI_KIND_REPLY;
    command->total = 0;
    command->residual = command->expected;
    command->underflow = command->expected > 0;
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

static void put_inquiry(struct lb_wr *wr, const struct lb_scsi_unit *unit) {
    /* SPC-4 table 175: SAM-5, iSCSI, SPC-4, SBC-3, no version claimed of each. */
    static const uint16_t versions[] = {0x00a0, 0x0960, 0x0460, 0x04c0};
    lb_wr_u8(wr, unit == NULL ? NO_SUCH_DEVICE : unit->type);
    lb_wr_u8(wr, 0);
    lb_wr_u8(wr, 6);    /* SPC-4 */
    lb_wr_u8(wr, 0x12); /* HiSup, response data format 2 */
    lb_wr_u8(wr, INQUIRY_BYTES - 5);
    lb_wr_u8(wr, 0);
    lb_wr_u8(wr, 0);
    lb_wr_u8(wr, 2); /* CmdQue */
    put_field(wr, unit == NULL ? "" : unit->vendor, "LUNBOOT", 8);
    put_field(wr, unit == NULL ? "" : unit->product, "DISK", 16);
    put_field(wr, unit == NULL ? "" : unit->revision, "1", 4);
    lb_wr_zero(wr, 22);
    for (size_t i = 0; i < LB_COUNT(versions); i++)
        lb_wr_u16(wr, versions[i]);
    lb_wr_zero(wr, INQUIRY_BYTES - wr->len);
}

/* 64-bit NAA 3h (locally assigned): from the target's name and the LUN, so that it stays. */
static uint64_t naa_of(const char *name, const struct lb_scsi_unit *unit, uint8_t index) {
    if (unit->naa != 0)
        return unit->naa;
    uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
    for (size_t i = 0; name[i] != 0; i++)
        hash = (hash ^ (uint8_t)name[i]) * UINT64_C(0x100000001b3);
    hash = (hash ^ index) * UINT64_C(0x100000001b3);
    return UINT64_C(3) << 60 | hash >> 4;
}

static void put_ids(struct lb_wr *wr, const struct lb_scsi_device *device,
                    const struct lb_scsi_command *command) {
    size_t name_len = lb_strlen(device->name);
    size_t padded =
        (name_len + 1 + 3) & ~(size_t)3; /* NUL-ended, a multiple of 4: SPC-4 7.8.6.11 */
    lb_wr_u8(wr, 1);                     /* binary */
    lb_wr_u8(wr, 3);                     /* NAA of the logical unit */
    lb_wr_u8(wr, 0);
    lb_wr_u8(wr, 8);
    lb_wr_u64(wr, naa_of(device->name, device->units[command->unit], command->unit));
    lb_wr_u8(wr, 0x53); /* iSCSI, UTF-8 */
    lb_wr_u8(wr, 0xa8); /* SCSI name of the target device */
    lb_wr_u8(wr, 0);
    lb_wr_u8(wr, (uint8_t)padded);
    lb_wr_text(wr, device->name);
    lb_wr_zero(wr, padded - name_len);
}

static void put_serial(struct lb_wr *wr, const struct lb_scsi_device *device, uint8_t index) {
    const struct lb_scsi_unit *unit = device->units[index];
    char number[17];
    uint64_t naa = naa_of(device->name, unit, index);
    lb_format(number, sizeof number, "%08x%08x", (unsigned)(naa >> 32), (unsigned)naa);
    lb_wr_text(wr, unit->serial[0] != 0 ? unit->serial : number);
}

static void put_limits(struct lb_wr *wr, const struct lb_scsi_unit *unit) {
    lb_wr_zero(wr, 2);
    lb_wr_u16(wr, (uint16_t)(1u << unit->physical_exponent)); /* optimal granularity */
    lb_wr_u32(wr, unit->max_transfer_blocks);
    lb_wr_u32(wr, unit->optimal_transfer_blocks);
    lb_wr_zero(wr, 48);
}

/* False for a page that there is not. */
static bool put_vpd(struct lb_wr *wr, const struct lb_scsi_device *device,
                    const struct lb_scsi_command *command, uint8_t page) {
    static const uint8_t pages[] = {LB_SCSI_VPD_PAGES,        LB_SCSI_VPD_SERIAL,
                                    LB_SCSI_VPD_IDS,          LB_SCSI_VPD_BLOCK_LIMITS,
                                    LB_SCSI_VPD_BLOCK_DEVICE, LB_SCSI_VPD_PROVISIONING};
    const struct lb_scsi_unit *unit = device->units[command->unit];
    lb_wr_u8(wr, unit->type);
    lb_wr_u8(wr, page);
    lb_wr_u16(wr, 0); /* the length, below */
    switch (page) {
    case LB_SCSI_VPD_PAGES:
        lb_wr_bytes(wr, lb_bytes(pages, sizeof pages));
        break;
    case LB_SCSI_VPD_SERIAL:
        put_serial(wr, device, command->unit);
        break;
    case LB_SCSI_VPD_IDS:
        put_ids(wr, device, command);
        break;
    case LB_SCSI_VPD_BLOCK_LIMITS:
        put_limits(wr, unit);
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

static void inquiry(const struct lb_scsi_device *device, struct lb_scsi_command *command,
                    struct lb_wr *wr) {
    bool is_vpd = command->cdb[1] & 1;
    if (!is_vpd && command->cdb[2] == 0)
        put_inquiry(wr, unit_of(device, command));
    else if (!is_vpd || unit_of(device, command) == NULL ||
             !put_vpd(wr, device, command, command->cdb[2]))
        invalid_field(command);
}

/* ---- the others ---- */

static void report_luns(const struct lb_scsi_device *device, struct lb_scsi_command *command,
                        struct lb_wr *wr) {
    if (command->cdb[2] > 2) {
        invalid_field(command);
        return;
    }
    lb_wr_u32(wr, 0); /* the length, below */
    lb_wr_u32(wr, 0);
    for (unsigned i = 0; i < device->count && command->cdb[2] != 1; i++) {
        if (device->units[i] == NULL)
            continue;
        lb_wr_u16(wr, (uint16_t)i);
        lb_wr_zero(wr, 6);
    }
    lb_wr_u32_at(wr, 0, (uint32_t)(wr->len - 8));
}

static void read_capacity_10(const struct lb_scsi_unit *unit, struct lb_wr *wr) {
    uint64_t last = unit->blocks == 0 ? 0 : unit->blocks - 1;
    lb_wr_u32(wr, (uint32_t)LB_MIN(last, UINT32_MAX));
    lb_wr_u32(wr, lb_scsi_unit_block_bytes(unit));
}

static void read_capacity_16(const struct lb_scsi_unit *unit, struct lb_scsi_command *command,
                             struct lb_wr *wr) {
    if (unit->no_capacity_16) {
        lb_scsi_command_check(command, KEY_ILLEGAL_REQUEST, 0x20, 0);
        return;
    }
    if ((command->cdb[1] & 0x1f) != LB_SCSI_READ_CAPACITY_16_ACTION) {
        invalid_field(command);
        return;
    }
    lb_wr_u64(wr, unit->blocks == 0 ? 0 : unit->blocks - 1);
    lb_wr_u32(wr, lb_scsi_unit_block_bytes(unit));
    lb_wr_u8(wr, 0);
    lb_wr_u8(wr, unit->physical_exponent & 0x0f);
    lb_wr_zero(wr, 18);
}

enum { PAGE_CACHING = 0x08, PAGE_CONTROL = 0x0a, PAGE_ALL = 0x3f, SUBPAGE_ALL = 0xff };

/* What is asked for: SPC-4 6.13.1, the page control field. */
enum { MODE_CURRENT, MODE_CHANGEABLE, MODE_DEFAULT, MODE_SAVED };

/* SBC-3 6.5.5. Writes may be cached until they are flushed. Nothing can be changed. */
static void put_caching_page(struct lb_wr *wr, uint8_t control) {
    lb_wr_u8(wr, PAGE_CACHING);
    lb_wr_u8(wr, 0x12);
    lb_wr_u8(wr, control == MODE_CHANGEABLE ? 0 : 0x04); /* WCE */
    lb_wr_zero(wr, 17);
}

/* SPC-4 7.5.8: fixed sense, unrestricted reordering. */
static void put_control_page(struct lb_wr *wr, uint8_t control) {
    lb_wr_u8(wr, PAGE_CONTROL);
    lb_wr_u8(wr, 0x0a);
    lb_wr_u8(wr, 0);
    lb_wr_u8(wr, control == MODE_CHANGEABLE ? 0 : 0x10);
    lb_wr_zero(wr, 8);
}

/* Whether there is this page; subpage FF stands for all of a page. */
static bool has_mode_page(uint8_t page, uint8_t subpage) {
    bool is_page = page == PAGE_CACHING || page == PAGE_CONTROL || page == PAGE_ALL || page == 0;
    return is_page && (subpage == 0 || (subpage == SUBPAGE_ALL && page != 0));
}

static void mode_sense(const struct lb_scsi_unit *unit, struct lb_scsi_command *command,
                       struct lb_wr *wr) {
    bool is_long = command->cdb[0] == LB_SCSI_MODE_SENSE_10;
    uint8_t page = command->cdb[2] & 0x3f, control = command->cdb[2] >> 6;
    uint8_t device = (unit->read_only ? 0x80 : 0) | 0x10; /* WP, DPOFUA */
    if (!has_mode_page(page, command->cdb[3])) {
        invalid_field(command);
        return;
    }
    if (control == MODE_SAVED) {
        lb_scsi_command_check(command, KEY_ILLEGAL_REQUEST, 0x39, 0); /* nothing is saved */
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
        put_caching_page(wr, control);
    if (page == PAGE_CONTROL || page == PAGE_ALL)
        put_control_page(wr, control);
    if (is_long)
        lb_wr_u16_at(wr, 0, (uint16_t)(wr->len - 2));
    else
        lb_wr_u8_at(wr, 0, (uint8_t)(wr->len - 1));
}

/* START STOP UNIT with a power condition, or load and eject, changes nothing here. */
static void start_stop(struct lb_scsi_unit *unit, const struct lb_scsi_command *command) {
    if ((command->cdb[4] & 0xf2) != 0)
        return;
    if ((command->cdb[4] & 1) != 0 && unit->state == LB_SCSI_UNIT_STOPPED)
        unit->state = LB_SCSI_UNIT_READY;
    else if ((command->cdb[4] & 1) == 0 && unit->state == LB_SCSI_UNIT_READY)
        unit->state = LB_SCSI_UNIT_STOPPED;
}

/* Fixed format: SPC-4 4.5.3. */
static void put_sense(struct lb_wr *wr, uint8_t response, uint8_t key, uint16_t code) {
    lb_wr_u8(wr, response);
    lb_wr_u8(wr, 0);
    lb_wr_u8(wr, key);
    lb_wr_u32(wr, 0);
    lb_wr_u8(wr, LB_SCSI_SENSE_MAX - 8);
    lb_wr_u32(wr, 0);
    lb_wr_u16(wr, code);
    lb_wr_u32(wr, 0);
}

/* Descriptor format, without a descriptor: SPC-4 4.5.2. */
static void put_descriptor_sense(struct lb_wr *wr, uint8_t key, uint16_t code) {
    lb_wr_u8(wr, 0x72);
    lb_wr_u8(wr, key);
    lb_wr_u16(wr, code);
    lb_wr_u32(wr, 0);
}

static void request_sense(const struct lb_scsi_device *device,
                          const struct lb_scsi_command *command, struct lb_wr *wr) {
    uint8_t key = 0;
    uint16_t code = 0;
    if (unit_of(device, command) == NULL) {
        key = KEY_ILLEGAL_REQUEST;
        code = 0x2500;
    } else if (device->nexuses[command->unit].attention != 0) {
        key = KEY_UNIT_ATTENTION;
        code = device->nexuses[command->unit].attention;
        device->nexuses[command->unit].attention = 0;
    }
    if (command->cdb[1] & 1)
        put_descriptor_sense(wr, key, code);
    else
        put_sense(wr, 0x70, key, code);
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
static void carry_out_on(struct lb_scsi_unit *unit, struct lb_scsi_command *command,
                         struct lb_wr *wr) {
    switch (command->cdb[0]) {
    case LB_SCSI_TEST_UNIT_READY:
        return;
    case LB_SCSI_READ_CAPACITY_10:
        read_capacity_10(unit, wr);
        return;
    case LB_SCSI_SERVICE_ACTION_IN_16:
        read_capacity_16(unit, command, wr);
        return;
    case LB_SCSI_MODE_SENSE_6:
    case LB_SCSI_MODE_SENSE_10:
        mode_sense(unit, command, wr);
        return;
    case LB_SCSI_START_STOP_UNIT:
        start_stop(unit, command);
        return;
    default:
        lb_scsi_command_check(command, KEY_ILLEGAL_REQUEST, 0x20, 0);
        return;
    }
}

static void carry_out(const struct lb_scsi_device *device, struct lb_scsi_command *command,
                      struct lb_wr *wr) {
    struct lb_scsi_unit *unit = unit_of(device, command);
    if (command->cdb[0] == LB_SCSI_INQUIRY)
        inquiry(device, command, wr);
    else if (command->cdb[0] == LB_SCSI_REPORT_LUNS)
        report_luns(device, command, wr);
    else if (command->cdb[0] == LB_SCSI_REQUEST_SENSE)
        request_sense(device, command, wr);
    else if (unit != NULL)
        carry_out_on(unit, command, wr);
    else /* it went away since the command began */
        lb_scsi_command_check(command, KEY_ILLEGAL_REQUEST, 0x25, 0x00);
}

size_t lb_scsi_device_reply(const struct lb_scsi_device *device, struct lb_scsi_command *command,
                            uint8_t reply[LB_SCSI_REPLY_MAX]) {
    struct lb_wr wr = lb_wr(lb_span(reply, LB_SCSI_REPLY_MAX));
    carry_out(device, command, &wr);
    lb_assert(lb_wr_ok(&wr)); /* the longest is VPD 83: 16 + 4 + 224 */
    if (command->has_failed)
        return 0;
    size_t wanted = LB_MIN(wr.len, allocation(command->cdb));
    size_t len = LB_MIN(wanted, command->expected);
    command->overflow = wanted > command->expected;
    command->underflow = wanted < command->expected;
    command->residual =
        (uint32_t)(command->overflow ? wanted - command->expected : command->expected - wanted);
    return len;
}

struct lb_bytes lb_scsi_command_sense(const struct lb_scsi_command *command,
                                      uint8_t room[LB_SCSI_SENSE_MAX]) {
    struct lb_wr wr = lb_wr(lb_span(room, LB_SCSI_SENSE_MAX));
    if (command->status != LB_SCSI_CHECK_CONDITION)
        return lb_bytes(NULL, 0);
    put_sense(&wr, command->is_deferred ? 0x71 : 0x70, command->key,
              (uint16_t)(command->asc << 8 | command->ascq));
    return lb_wr_done(&wr);
}
