/* EXTENDED COPY by list identifier of one byte (LID1), and what became of it: SPC-4 5.17, 6.4 to
 * 6.6, 6.24, 7.8.17. Blocks to blocks, between units that this initiator port sees. */
#include "core/scsi/scsi_device_state.h"

enum {
    HEADER_BYTES = 16,
    TARGETS_MAX = 16,
    TARGET_BYTES = 32,
    SEGMENTS_MAX = 64,
    LIST_MAX = TARGETS_MAX * TARGET_BYTES + SEGMENTS_MAX * 28, /* 28: of a segment BLOCKS */
    SEGMENT_BYTES_MAX = 16 << 20,
    COPIES_MAX = 64, /* at once: as many as commands */
};

enum { TARGET_ID = 0xe4 };                            /* by a designator of VPD page 83 */
enum { SEGMENT_BLOCKS = 0x02, SEGMENT_BYTES = 0x0a }; /* blocks to blocks; with byte offsets */
enum { USAGE_HOLD = 0, USAGE_NO_ID = 3 };             /* LIST ID USAGE: table 110 */

struct list {
    uint8_t id, usage;
    struct lb_bytes targets, segments;
};

struct segment {
    uint16_t source, destination; /* by number in the list of targets */
    uint64_t source_lba, lba;
    uint64_t bytes;   /* type 0A */
    uint64_t blocks;  /* type 02 */
    uint32_t offsets; /* both of type 0A, ORed: only 0 is taken */
    bool counts_bytes;
};

/* COPY ABORTED. */
static void abort_copy(struct lb_scsi_command *command, uint8_t asc, uint8_t ascq) {
    lb_scsi_command_check(command, LB_SCSI_COPY_ABORTED, asc, ascq);
}

static bool refuse(struct lb_scsi_command *command, uint8_t asc, uint8_t ascq) {
    lb_scsi_command_check(command, LB_SCSI_ILLEGAL_REQUEST, asc, ascq);
    return false;
}

/* ---- the list ---- */

/* Takes one segment descriptor off the list; false: it is none of ours, or is cut. */
static bool next_segment(struct lb_bytes *list, struct segment *segment,
                         struct lb_scsi_command *command) {
    struct lb_rd rd = lb_rd(*list);
    uint8_t type = lb_rd_u8(&rd);
    if (type != SEGMENT_BLOCKS && type != SEGMENT_BYTES)
        return refuse(command, 0x26, 0x09);
    lb_rd_skip(&rd, 1); /* DC counts the destination's blocks, which are as long as the source's */
    uint16_t len = lb_rd_u16(&rd);
    *segment = (struct segment){.counts_bytes = type == SEGMENT_BYTES};
    segment->source = lb_rd_u16(&rd);
    segment->destination = lb_rd_u16(&rd);
    if (segment->counts_bytes) {
        segment->bytes = lb_rd_u32(&rd);
    } else {
        lb_rd_skip(&rd, 2);
        segment->blocks = lb_rd_u16(&rd);
    }
    segment->source_lba = lb_rd_u64(&rd);
    segment->lba = lb_rd_u64(&rd);
    if (segment->counts_bytes)
        segment->offsets = lb_rd_u32(&rd);
    if (!lb_rd_ok(&rd))
        return refuse(command, 0x1a, 0);
    if (len != list->len - rd.left - 4)
        return refuse(command, 0x26, 0);
    *list = lb_bytes_after(*list, list->len - rd.left);
    return true;
}

/* What is in it, and that no length goes beyond it. */
static bool read_list(struct lb_scsi_command *command, struct lb_bytes bytes, struct list *list) {
    struct lb_rd rd = lb_rd(bytes);
    list->id = lb_rd_u8(&rd);
    list->usage = lb_rd_u8(&rd) >> 3 & 3;
    size_t targets = lb_rd_u16(&rd);
    lb_rd_skip(&rd, 4);
    uint64_t segments = lb_rd_u32(&rd);
    uint32_t inline_bytes = lb_rd_u32(&rd);
    if (!lb_rd_ok(&rd) || segments > LIST_MAX || targets + segments > LIST_MAX ||
        targets + segments > rd.left)
        return refuse(command, 0x1a, 0);
    if (inline_bytes > 0)
        return refuse(command, 0x26, 0x0b);
    list->targets = lb_rd_bytes(&rd, targets);
    list->segments = lb_rd_bytes(&rd, (size_t)segments);
    return list->usage != USAGE_NO_ID || list->id == 0 || refuse(command, 0x26, 0);
}

static bool check_targets(struct lb_scsi_command *command, struct lb_bytes targets) {
    if (targets.len % TARGET_BYTES != 0)
        return refuse(command, 0x26, 0);
    if (targets.len > (size_t)TARGETS_MAX * TARGET_BYTES)
        return refuse(command, 0x26, 0x06);
    for (size_t at = 0; at < targets.len; at += TARGET_BYTES)
        if (targets.p[at] != TARGET_ID)
            return refuse(command, 0x26, 0x07);
    return true;
}

static bool check_segments(struct lb_scsi_command *command, struct lb_bytes segments) {
    struct segment segment;
    for (unsigned count = 0; segments.len > 0; count++) {
        if (count == SEGMENTS_MAX)
            return refuse(command, 0x26, 0x08);
        if (!next_segment(&segments, &segment, command))
            return false;
    }
    return true;
}

/* ---- which units ---- */

/* The unit with this designator; NULL: this initiator port sees none. */
static struct lb_scsi_unit *find_target(const struct lb_scsi_device *device,
                                        struct lb_bytes targets, unsigned number, uint8_t *index) {
    struct lb_rd rd = lb_rd(lb_bytes_after(targets, (size_t)number * TARGET_BYTES));
    lb_rd_skip(&rd, 1);
    uint8_t type = lb_rd_u8(&rd) & 0x1f;
    lb_rd_skip(&rd, 2);
    uint8_t code_set = lb_rd_u8(&rd) & 0x0f, kind = lb_rd_u8(&rd) & 0x3f;
    lb_rd_skip(&rd, 1);
    uint8_t len = lb_rd_u8(&rd);
    uint64_t naa = lb_rd_u64(&rd);
    if (type != 0 || code_set != 1 || kind != 3 || len != 8)
        return NULL;
    for (uint8_t i = 0; i < device->count; i++) {
        struct lb_scsi_unit *unit = device->units[i];
        *index = i;
        if (unit != NULL && lb_scsi_naa_of(device->name, unit, i) == naa)
            return unit;
    }
    return NULL;
}

/* Whether it can be read, or written, by this initiator port now. */
static bool may_use(const struct lb_scsi_device *device, struct lb_scsi_command *command,
                    const struct lb_scsi_unit *unit, uint8_t index, bool is_write) {
    const uint8_t cdb[16] = {is_write ? LB_SCSI_WRITE_16 : LB_SCSI_READ_16};
    const struct lb_scsi_row *row = lb_scsi_find_row(unit, cdb[0], -1);
    const struct lb_scsi_nexus *nexus = &device->nexuses[index];
    if (unit->state != LB_SCSI_UNIT_READY || unit->is_busy ||
        unit->sanitize.state != LB_SCSI_SANITIZE_NONE || nexus->unit != unit)
        abort_copy(command, 0x0d, 0x02);
    else if (lb_scsi_is_reserved(unit, nexus, row, cdb))
        abort_copy(command, 0x0d, 0x01);
    else if (is_write)
        (void)lb_scsi_may_write(command, unit);
    return !command->has_failed;
}

static bool is_within(const struct lb_scsi_unit *unit, uint64_t lba, uint64_t blocks) {
    return lba <= unit->blocks && blocks <= unit->blocks - lba;
}

/* ---- one segment after the other, in pieces ---- */

/* The number of blocks of a segment; false: the command has failed. */
static bool count_blocks(struct lb_scsi_command *command, const struct lb_scsi_unit *unit,
                         struct segment *segment) {
    uint32_t block_bytes = lb_scsi_unit_block_bytes(unit);
    uint64_t bytes =
        segment->counts_bytes ? segment->bytes : segment->blocks * (uint64_t)block_bytes;
    if (bytes > SEGMENT_BYTES_MAX || bytes % block_bytes != 0 || segment->offsets != 0)
        return refuse(command, 0x26, 0);
    segment->blocks = bytes / block_bytes;
    return true;
}

/* The next piece of a segment: what is asked for is checked each time, as it may have changed. */
static void begin_piece(const struct lb_scsi_device *device, struct lb_scsi_command *command,
                        const struct list *list, struct segment *segment) {
    unsigned count = (unsigned)(list->targets.len / TARGET_BYTES);
    if (segment->source >= count || segment->destination >= count) {
        abort_copy(command, 0x08, 0x04);
        return;
    }
    const struct lb_scsi_unit *from =
        find_target(device, list->targets, segment->source, &command->source);
    const struct lb_scsi_unit *to =
        find_target(device, list->targets, segment->destination, &command->destination);
    if (from == NULL || to == NULL)
        abort_copy(command, 0x0d, 0x02);
    else if (lb_scsi_unit_block_bytes(from) != lb_scsi_unit_block_bytes(to))
        abort_copy(command, 0x0d, 0x03);
    if (command->has_failed || !count_blocks(command, to, segment) ||
        !may_use(device, command, from, command->source, false) ||
        !may_use(device, command, to, command->destination, true))
        return;
    if (!is_within(from, segment->source_lba, segment->blocks) ||
        !is_within(to, segment->lba, segment->blocks)) {
        abort_copy(command, 0x0d, 0x02);
        return;
    }
    uint64_t piece_max = LB_SCSI_COPY_BYTES / lb_scsi_unit_block_bytes(to);
    command->source_lba = segment->source_lba + command->copied;
    command->lba = segment->lba + command->copied;
    command->blocks = LB_MIN(segment->blocks - command->copied, piece_max);
    command->force_unit_access = to->no_write_cache;
}

static struct lb_scsi_copy *copy_of(const struct lb_scsi_device *device,
                                    const struct lb_scsi_command *command) {
    return &device->nexuses[command->unit].copy;
}

static bool begin_copy(const struct lb_scsi_device *device, struct lb_scsi_command *command,
                       const struct list *list) {
    struct lb_scsi_copy *copy = copy_of(device, command);
    if (!check_targets(command, list->targets) || !check_segments(command, list->segments))
        return false;
    if (list->usage != USAGE_NO_ID && copy->status == LB_SCSI_COPY_GOES_ON &&
        copy->list_id == list->id)
        return refuse(command, 0x00, 0x16); /* operation in progress */
    command->holds_result = list->usage == USAGE_HOLD;
    command->list_id = list->id;
    if (command->holds_result)
        *copy = (struct lb_scsi_copy){.list_id = list->id, .status = LB_SCSI_COPY_GOES_ON};
    command->has_begun = true;
    return true;
}

/* What is kept of it; NULL: nothing, or a later one has taken its place. */
static struct lb_scsi_copy *result_of(const struct lb_scsi_device *device,
                                      const struct lb_scsi_command *command) {
    struct lb_scsi_copy *copy = copy_of(device, command);
    bool is_its = command->holds_result && copy->status == LB_SCSI_COPY_GOES_ON &&
                  copy->list_id == command->list_id;
    return is_its ? copy : NULL;
}

/* The piece that was asked for before is done. */
static void end_piece(const struct lb_scsi_device *device, struct lb_scsi_command *command) {
    const struct lb_scsi_unit *to = device->units[command->destination];
    struct lb_scsi_copy *copy = result_of(device, command);
    if (copy != NULL && to != NULL)
        copy->bytes += command->blocks * lb_scsi_unit_block_bytes(to);
    command->copied += (uint32_t)command->blocks;
    command->blocks = 0;
}

static void next_piece(const struct lb_scsi_device *device, struct lb_scsi_command *command,
                       const struct list *list) {
    struct lb_bytes left = list->segments;
    struct segment segment;
    for (uint32_t i = 0; left.len > 0 && next_segment(&left, &segment, command); i++) {
        if (i < command->next_range)
            continue;
        begin_piece(device, command, list, &segment);
        if (command->has_failed || command->blocks > 0)
            return;
        command->next_range++;
        command->copied = 0;
    }
}

/* Called first with the list, and then after each piece. */
void lb_scsi_take_copy(const struct lb_scsi_device *device, struct lb_scsi_command *command,
                       struct lb_bytes bytes) {
    struct list list;
    if (!read_list(command, bytes, &list) ||
        (!command->has_begun && !begin_copy(device, command, &list)))
        return;
    end_piece(device, command);
    next_piece(device, command, &list);
    struct lb_scsi_copy *copy = result_of(device, command);
    if (copy != NULL)
        copy->segments = (uint16_t)command->next_range;
    if (command->blocks > 0 && !command->has_failed)
        command->kind = LB_SCSI_KIND_COPY;
    if (copy != NULL && command->has_failed)
        copy->status = LB_SCSI_COPY_FAILED;
    else if (copy != NULL && command->blocks == 0)
        copy->status = LB_SCSI_COPY_DONE;
}

void lb_scsi_device_stopped(const struct lb_scsi_device *device,
                            const struct lb_scsi_command *command) {
    bool is_copy = command->has_begun && command->unit != LB_SCSI_NO_UNIT;
    struct lb_scsi_copy *copy = is_copy ? result_of(device, command) : NULL;
    if (copy != NULL)
        copy->status = LB_SCSI_COPY_FAILED;
}

/* ---- what is told of it ---- */

static const uint8_t descriptor_types[] = {SEGMENT_BLOCKS, SEGMENT_BYTES, TARGET_ID};

/* SPC-4 6.24.4 */
static void put_parameters(struct lb_wr *wr) {
    lb_wr_u32(wr, 40 + sizeof descriptor_types);
    lb_wr_u32(wr, 0); /* SNLID 0 */
    lb_wr_u16(wr, TARGETS_MAX);
    lb_wr_u16(wr, SEGMENTS_MAX);
    lb_wr_u32(wr, LIST_MAX);
    lb_wr_u32(wr, SEGMENT_BYTES_MAX);
    lb_wr_zero(wr, 12); /* no inline data, no held data, no streams */
    lb_wr_u16(wr, 0);
    lb_wr_u16(wr, COPIES_MAX);
    lb_wr_u8(wr, 1); /* with a list identifier, by one initiator port */
    lb_wr_u8(wr, 9); /* granularity: 512 bytes */
    lb_wr_u8(wr, 0);
    lb_wr_u8(wr, 0);
    lb_wr_zero(wr, 3);
    lb_wr_u8(wr, sizeof descriptor_types);
    lb_wr_bytes(wr, lb_bytes(descriptor_types, sizeof descriptor_types));
}

/* SPC-4 6.24.2: what is over is told once. */
static void put_status(struct lb_wr *wr, struct lb_scsi_copy *copy) {
    lb_wr_u32(wr, 8);
    lb_wr_u8(wr, (uint8_t)(copy->status - LB_SCSI_COPY_GOES_ON));
    lb_wr_u16(wr, copy->segments);
    lb_wr_u8(wr, 1); /* KiB */
    lb_wr_u32(wr, (uint32_t)LB_MIN(copy->bytes >> 10, UINT32_MAX));
    if (copy->status != LB_SCSI_COPY_GOES_ON)
        copy->status = LB_SCSI_COPY_NONE;
}

void lb_scsi_copy_results(struct lb_scsi_nexus *nexus, struct lb_scsi_command *command,
                          struct lb_wr *wr) {
    if ((command->cdb[1] & 0x1f) == LB_SCSI_COPY_PARAMETERS_ACTION)
        put_parameters(wr);
    else if (nexus->copy.status == LB_SCSI_COPY_NONE || nexus->copy.list_id != command->cdb[2])
        lb_scsi_invalid_field(command);
    else
        put_status(wr, &nexus->copy);
}

/* A descriptor of the page: its type, and its length, which is a multiple of 4. */
static void begin_descriptor(struct lb_wr *wr, uint16_t type, uint16_t len) {
    lb_wr_u16(wr, type);
    lb_wr_u16(wr, len);
}

void lb_scsi_put_third_party(struct lb_wr *wr) {
    static const uint8_t commands[] = {7,
                                       LB_SCSI_EXTENDED_COPY,
                                       1,
                                       0,
                                       LB_SCSI_RECEIVE_COPY_RESULTS,
                                       2,
                                       LB_SCSI_COPY_STATUS_ACTION,
                                       LB_SCSI_COPY_PARAMETERS_ACTION};
    begin_descriptor(wr, 0x0001, sizeof commands); /* 7.8.17.4: commands */
    lb_wr_bytes(wr, lb_bytes(commands, sizeof commands));
    begin_descriptor(wr, 0x0004, 28); /* 7.8.17.5: parameter data */
    lb_wr_u32(wr, 0);
    lb_wr_u16(wr, TARGETS_MAX);
    lb_wr_u16(wr, SEGMENTS_MAX);
    lb_wr_u32(wr, LIST_MAX);
    lb_wr_zero(wr, 16);
    begin_descriptor(wr, 0x0008, 4); /* 7.8.17.6: descriptors */
    lb_wr_u8(wr, sizeof descriptor_types);
    lb_wr_bytes(wr, lb_bytes(descriptor_types, sizeof descriptor_types));
    begin_descriptor(wr, 0x8001, 32); /* 7.8.17.10: general copy operations */
    lb_wr_u32(wr, COPIES_MAX);
    lb_wr_u32(wr, 1);
    lb_wr_u32(wr, SEGMENT_BYTES_MAX);
    lb_wr_u8(wr, 9);
    lb_wr_zero(wr, 19);
}
