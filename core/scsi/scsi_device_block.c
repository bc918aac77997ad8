/* Commands that name blocks: SBC-3. */
#include "core/scsi/scsi_device_state.h"

struct extent {
    uint64_t lba;
    uint64_t blocks;
    uint8_t flags; /* byte 1; 0 in 6-byte commands */
};

/* The fields of a CDB by its length; COMPARE AND WRITE counts its blocks in a byte. */
static bool parse_extent(const uint8_t cdb[16], struct extent *extent) {
    struct lb_rd rd = lb_rd(lb_bytes(cdb + 1, 15));
    static const uint8_t lengths[8] = {6, 10, 10, 0, 16, 12, 0, 0};
    uint8_t len = lengths[cdb[0] >> 5];
    extent->flags = 0;
    if (len == 6) {
        extent->lba = lb_rd_u24(&rd) & 0x1fffff;
        extent->blocks = lb_rd_u8(&rd);
        if (extent->blocks == 0)
            extent->blocks = 256;
        return true;
    }
    extent->flags = lb_rd_u8(&rd);
    extent->lba = len == 16 ? lb_rd_u64(&rd) : lb_rd_u32(&rd);
    if (len == 10)
        lb_rd_skip(&rd, 1);
    if (cdb[0] == LB_SCSI_COMPARE_AND_WRITE) {
        lb_rd_skip(&rd, 3);
        extent->blocks = lb_rd_u8(&rd);
    } else if (cdb[0] == LB_SCSI_WRITE_ATOMIC_16) {
        lb_rd_skip(&rd, 2);
        extent->blocks = lb_rd_u16(&rd);
    } else {
        extent->blocks = len == 10 ? lb_rd_u16(&rd) : lb_rd_u32(&rd);
    }
    return len != 0;
}

static bool is_within(struct lb_scsi_command *command, const struct lb_scsi_unit *unit,
                      const struct extent *extent) {
    if (extent->lba <= unit->blocks && extent->blocks <= unit->blocks - extent->lba)
        return true;
    lb_scsi_command_check(command, LB_SCSI_ILLEGAL_REQUEST, 0x21, 0);
    return false;
}

/* No unit here has protection information, so nobody can ask for it; and a limit is a limit. */
static bool is_acceptable(struct lb_scsi_command *command, const struct lb_scsi_unit *unit,
                          const struct extent *extent, uint64_t limit) {
    if (extent->flags >> 5 != 0) {
        lb_scsi_invalid_field(command);
        return false;
    }
    if (!is_within(command, unit, extent))
        return false;
    if (limit != 0 && extent->blocks > limit) {
        lb_scsi_invalid_field(command);
        return false;
    }
    return true;
}

bool lb_scsi_may_write(struct lb_scsi_command *command, const struct lb_scsi_unit *unit) {
    if (lb_scsi_is_writable(unit))
        return true;
    lb_scsi_command_check(command, LB_SCSI_DATA_PROTECT, 0x27, unit->read_only ? 0 : 2);
    return false;
}

/* A READ that is flagged as a write, or as nothing, moves nothing: there is no room for it. */
static void begin_read(struct lb_scsi_command *command, const struct lb_scsi_unit *unit,
                       uint64_t blocks) {
    uint64_t wanted = blocks * lb_scsi_unit_block_bytes(unit);
    uint32_t room = command->reads ? command->expected : 0;
    command->kind = LB_SCSI_KIND_READ;
    command->total = (uint32_t)LB_MIN(wanted, room);
    command->overflow = wanted > room;
    command->underflow = wanted < room;
    command->residual =
        (uint32_t)LB_MIN(command->overflow ? wanted - room : room - wanted, UINT32_MAX);
}

/* Half a block cannot be written: what does not fill one is left out, and where there is nothing
 * else the command fails (0E/03: invalid field in command information unit). */
static void begin_write(struct lb_scsi_command *command, const struct lb_scsi_unit *unit,
                        const struct extent *extent) {
    uint32_t block_bytes = lb_scsi_unit_block_bytes(unit);
    uint64_t wanted = extent->blocks * block_bytes;
    if (!is_acceptable(command, unit, extent, unit->max_transfer_blocks) ||
        !lb_scsi_may_write(command, unit) || !lb_scsi_takes(command, wanted))
        return;
    command->kind = LB_SCSI_KIND_WRITE;
    command->total -= command->total % block_bytes;
    command->force_unit_access = extent->flags & 8 || unit->no_write_cache;
    if (wanted > 0 && command->total == 0 && command->expected > 0) {
        lb_scsi_command_check(command, LB_SCSI_ILLEGAL_REQUEST, 0x0e, 0x03);
        command->tells_residual = true;
        command->kind = LB_SCSI_KIND_REPLY;
    }
}

/* It takes exactly so many bytes. */
static bool takes_all(struct lb_scsi_command *command, uint64_t bytes) {
    if (!lb_scsi_takes(command, bytes))
        return false;
    if (command->expected >= bytes)
        return true;
    lb_scsi_command_check(command, LB_SCSI_ILLEGAL_REQUEST, 0x0e, 0x03);
    return false;
}

/* VERIFY: BYTCHK 0 compares nothing, 1 every block, 3 one block with each. */
static void begin_verify(struct lb_scsi_command *command, const struct lb_scsi_unit *unit,
                         const struct extent *extent) {
    uint32_t block_bytes = lb_scsi_unit_block_bytes(unit);
    uint8_t bytchk = extent->flags >> 1 & 3;
    if (bytchk == 2) {
        lb_scsi_invalid_field(command);
    } else if (bytchk == 0 || extent->blocks == 0) {
        (void)lb_scsi_takes(command, 0);
    } else if (bytchk == 3 && extent->blocks > lb_scsi_each_blocks(unit)) {
        lb_scsi_invalid_field(command);
    } else if (bytchk == 3 && takes_all(command, block_bytes)) {
        command->kind = LB_SCSI_KIND_COMPARE_EACH;
    } else if (bytchk == 1 && takes_all(command, extent->blocks * block_bytes)) {
        command->kind = LB_SCSI_KIND_COMPARE;
    }
}

static void begin_compare_and_write(struct lb_scsi_command *command,
                                    const struct lb_scsi_unit *unit, const struct extent *extent) {
    uint64_t bytes = 2 * extent->blocks * lb_scsi_unit_block_bytes(unit);
    /* More is as wrong as less: nobody knows which half is which. */
    if (command->expected > bytes) /* 256 blocks in the one byte of their number, for example */
        lb_scsi_invalid_field(command);
    else if (command->expected < bytes)
        lb_scsi_command_check(command, LB_SCSI_ILLEGAL_REQUEST, 0x0e, 0x03);
    else if (takes_all(command, bytes) && extent->blocks > 0)
        command->kind = LB_SCSI_KIND_COMPARE_AND_WRITE;
    command->force_unit_access = extent->flags & 8 || unit->no_write_cache;
}

/* SBC-4 5.46: all of it or nothing. No boundary is observed, so none can be asked for. */
static void begin_write_atomic(struct lb_scsi_command *command, const struct lb_scsi_unit *unit,
                               const struct extent *extent) {
    if (command->cdb[10] != 0 || command->cdb[11] != 0) {
        lb_scsi_invalid_field(command);
        command->field = 10;
    } else if (takes_all(command, extent->blocks * lb_scsi_unit_block_bytes(unit)) &&
               extent->blocks > 0) {
        command->kind = LB_SCSI_KIND_WRITE;
        command->is_atomic = command->force_unit_access = true;
    }
}

/* WRITE SAME: UNMAP is bit 3, ANCHOR bit 4; of the 16-byte form NDOB is bit 0. No blocks: to the
 * end. */
static void begin_write_same(struct lb_scsi_command *command, const struct lb_scsi_unit *unit,
                             struct extent *extent) {
    uint32_t block_bytes = lb_scsi_unit_block_bytes(unit);
    bool is_long = command->cdb[0] == LB_SCSI_WRITE_SAME_16;
    bool has_data = !(is_long && extent->flags & 1);
    bool unmaps = extent->flags & 8;
    if (extent->flags & (is_long ? 0x16 : 0x17) || (unmaps && !unit->is_thin)) {
        lb_scsi_invalid_field(command);
        return;
    }
    if (extent->blocks == 0)
        extent->blocks = unit->blocks - extent->lba;
    if (extent->blocks > (unmaps ? UINT32_MAX : lb_scsi_each_blocks(unit))) {
        lb_scsi_invalid_field(command);
        return;
    }
    if (!has_data && command->writes && command->expected > 0) {
        lb_scsi_invalid_field(command);
        return;
    }
    if (has_data && command->expected != block_bytes) {
        lb_scsi_command_check(command, LB_SCSI_ILLEGAL_REQUEST, 0x0e, 0x03);
        return;
    }
    if (takes_all(command, has_data ? block_bytes : 0) && extent->blocks > 0)
        command->kind = LB_SCSI_KIND_WRITE_EACH;
    command->unmaps = unmaps;
    command->force_unit_access = unit->no_write_cache;
}

static void begin_status(struct lb_scsi_command *command, const struct lb_scsi_unit *unit) {
    struct lb_rd rd = lb_rd(lb_bytes(command->cdb + 2, 8));
    command->lba = lb_rd_u64(&rd);
    command->blocks = command->lba < unit->blocks ? unit->blocks - command->lba : 0;
    command->kind = LB_SCSI_KIND_STATUS;
    if (command->writes)
        lb_scsi_invalid_field(command);
    else if (command->blocks == 0)
        lb_scsi_command_check(command, LB_SCSI_ILLEGAL_REQUEST, 0x21, 0);
}

static void begin_extent(struct lb_scsi_command *command, const struct lb_scsi_unit *unit,
                         struct extent *extent) {
    switch (command->cdb[0]) {
    case LB_SCSI_READ_6:
    case LB_SCSI_READ_10:
    case LB_SCSI_READ_12:
    case LB_SCSI_READ_16:
        if (is_acceptable(command, unit, extent, unit->max_transfer_blocks))
            begin_read(command, unit, extent->blocks);
        return;
    case LB_SCSI_WRITE_VERIFY_10:
    case LB_SCSI_WRITE_VERIFY_12:
    case LB_SCSI_WRITE_VERIFY_16:
        extent->flags = (uint8_t)((extent->flags & 0xe0) | 8); /* on the medium, or not verified */
        begin_write(command, unit, extent);
        return;
    case LB_SCSI_WRITE_6:
    case LB_SCSI_WRITE_10:
    case LB_SCSI_WRITE_12:
    case LB_SCSI_WRITE_16:
        begin_write(command, unit, extent);
        return;
    case LB_SCSI_WRITE_ATOMIC_16:
        if (is_acceptable(command, unit, extent, unit->atomic_blocks) &&
            lb_scsi_may_write(command, unit))
            begin_write_atomic(command, unit, extent);
        return;
    case LB_SCSI_ORWRITE_16:
        if (is_acceptable(command, unit, extent, unit->max_transfer_blocks) &&
            lb_scsi_may_write(command, unit) &&
            takes_all(command, extent->blocks * lb_scsi_unit_block_bytes(unit)) &&
            extent->blocks > 0)
            command->kind = LB_SCSI_KIND_OR;
        command->force_unit_access = extent->flags & 8 || unit->no_write_cache;
        return;
    case LB_SCSI_VERIFY_10:
    case LB_SCSI_VERIFY_12:
    case LB_SCSI_VERIFY_16:
        if (is_acceptable(command, unit, extent, 0))
            begin_verify(command, unit, extent);
        return;
    case LB_SCSI_COMPARE_AND_WRITE:
        if (is_acceptable(command, unit, extent, lb_scsi_caw_blocks(unit)) &&
            lb_scsi_may_write(command, unit))
            begin_compare_and_write(command, unit, extent);
        return;
    case LB_SCSI_WRITE_SAME_10:
    case LB_SCSI_WRITE_SAME_16:
        if (is_acceptable(command, unit, extent, 0) && lb_scsi_may_write(command, unit))
            begin_write_same(command, unit, extent);
        return;
    case LB_SCSI_SYNCHRONIZE_CACHE_10:
    case LB_SCSI_SYNCHRONIZE_CACHE_16:
        command->underflow = command->expected > 0;
        command->residual = command->expected;
        command->kind = LB_SCSI_KIND_FLUSH;
        if (command->writes)
            lb_scsi_invalid_field(command); /* it has no data */
        else
            (void)is_within(command, unit, extent);
        return;
    default: /* PRE-FETCH: what is in the page cache is */
        (void)is_within(command, unit, extent);
        (void)lb_scsi_takes(command, 0);
        return;
    }
}

uint32_t lb_scsi_caw_blocks(const struct lb_scsi_unit *unit) {
    return LB_MIN(LB_SCSI_CAW_BYTES_MAX / lb_scsi_unit_block_bytes(unit), 255);
}

uint32_t lb_scsi_each_blocks(const struct lb_scsi_unit *unit) {
    return LB_SCSI_EACH_BYTES_MAX / lb_scsi_unit_block_bytes(unit);
}

static bool names_blocks(uint8_t op) {
    static const uint8_t ops[] = {
        LB_SCSI_ORWRITE_16,
        LB_SCSI_READ_6,
        LB_SCSI_WRITE_6,
        LB_SCSI_READ_10,
        LB_SCSI_WRITE_10,
        LB_SCSI_WRITE_VERIFY_10,
        LB_SCSI_VERIFY_10,
        LB_SCSI_PREFETCH_10,
        LB_SCSI_SYNCHRONIZE_CACHE_10,
        LB_SCSI_WRITE_SAME_10,
        LB_SCSI_READ_16,
        LB_SCSI_WRITE_16,
        LB_SCSI_COMPARE_AND_WRITE,
        LB_SCSI_WRITE_VERIFY_16,
        LB_SCSI_VERIFY_16,
        LB_SCSI_PREFETCH_16,
        LB_SCSI_SYNCHRONIZE_CACHE_16,
        LB_SCSI_WRITE_SAME_16,
        LB_SCSI_WRITE_ATOMIC_16,
        LB_SCSI_READ_12,
        LB_SCSI_WRITE_12,
        LB_SCSI_WRITE_VERIFY_12,
        LB_SCSI_VERIFY_12,
    };
    for (size_t i = 0; i < sizeof ops; i++)
        if (ops[i] == op)
            return true;
    return false;
}

bool lb_scsi_begin_blocks(const struct lb_scsi_unit *unit, struct lb_scsi_command *command) {
    struct extent extent;
    if (lb_scsi_action_of(command->cdb) == LB_SCSI_GET_LBA_STATUS_ACTION &&
        command->cdb[0] == LB_SCSI_SERVICE_ACTION_IN_16) {
        begin_status(command, unit);
    } else if (names_blocks(command->cdb[0]) && parse_extent(command->cdb, &extent)) {
        begin_extent(command, unit, &extent);
        command->lba = extent.lba;
        command->blocks = extent.blocks;
    } else {
        return false;
    }
    if (command->has_failed)
        command->kind = LB_SCSI_KIND_REPLY;
    return true;
}

/* ---- UNMAP: SBC-3 5.38 ---- */

/* The ranges of a list, without its header; false: it is none. */
static bool ranges_of(struct lb_bytes list, struct lb_bytes *ranges) {
    struct lb_rd rd = lb_rd(list);
    if (list.len < 8)
        return false;
    lb_rd_skip(&rd, 2);
    size_t len = lb_rd_u16(&rd);
    lb_rd_skip(&rd, 4);
    *ranges = lb_rd_bytes(&rd, LB_MIN(len, rd.left) & ~(size_t)15);
    return len / 16 <= LB_SCSI_UNMAP_RANGES;
}

static struct extent range_at(struct lb_bytes ranges, uint32_t number) {
    struct lb_rd rd = lb_rd(lb_bytes_after(ranges, number * 16));
    struct extent extent = {.lba = lb_rd_u64(&rd)};
    extent.blocks = lb_rd_u32(&rd);
    return extent;
}

static bool check_ranges(const struct lb_scsi_unit *unit, struct lb_scsi_command *command,
                         struct lb_bytes ranges) {
    for (uint32_t i = 0; i < ranges.len / 16; i++) {
        struct extent extent = range_at(ranges, i);
        if (!is_within(command, unit, &extent))
            return false;
    }
    return lb_scsi_may_write(command, unit);
}

/* All of them are checked before the first is given back. */
void lb_scsi_take_unmap(const struct lb_scsi_unit *unit, struct lb_scsi_command *command,
                        struct lb_bytes list) {
    struct lb_bytes ranges = lb_bytes(NULL, 0);
    if (list.len == 0)
        return;
    if (!ranges_of(list, &ranges)) {
        lb_scsi_command_check(command, LB_SCSI_ILLEGAL_REQUEST, list.len < 8 ? 0x1a : 0x26, 0);
        return;
    }
    if (command->next_range == 0 && !check_ranges(unit, command, ranges))
        return;
    while (command->next_range < ranges.len / 16) {
        struct extent extent = range_at(ranges, command->next_range++);
        if (extent.blocks == 0)
            continue;
        command->lba = extent.lba;
        command->blocks = extent.blocks;
        command->kind = LB_SCSI_KIND_UNMAP;
        return;
    }
}
