/* What a command is, and what stands against it. A command that is not in the table is ILLEGAL
 * REQUEST, invalid command operation code (20/00). */
#include "core/scsi/scsi_device_state.h"

/* ---- sense ---- */

void lb_scsi_command_check(struct lb_scsi_command *command, uint8_t key, uint8_t asc,
                           uint8_t ascq) {
    command->status = LB_SCSI_CHECK_CONDITION;
    command->key = key;
    command->asc = asc;
    command->ascq = ascq;
    command->has_failed = true;
}

void lb_scsi_invalid_field(struct lb_scsi_command *command) {
    lb_scsi_command_check(command, LB_SCSI_ILLEGAL_REQUEST, 0x24, 0);
}

void lb_scsi_invalid_parameter(struct lb_scsi_command *command) {
    lb_scsi_command_check(command, LB_SCSI_ILLEGAL_REQUEST, 0x26, 0);
}

/* Fixed format: SPC-4 4.5.3. */
struct lb_bytes lb_scsi_command_sense(const struct lb_scsi_command *command,
                                      uint8_t room[LB_SCSI_SENSE_MAX]) {
    struct lb_wr wr = lb_wr(lb_span(room, LB_SCSI_SENSE_MAX));
    if (command->status != LB_SCSI_CHECK_CONDITION)
        return lb_bytes(NULL, 0);
    uint8_t code = command->is_deferred ? 0x71 : 0x70;
    lb_wr_u8(&wr, command->has_information ? code | 0x80 : code);
    lb_wr_u8(&wr, 0);
    lb_wr_u8(&wr, command->key);
    lb_wr_u32(&wr, command->has_information ? command->information : 0);
    lb_wr_u8(&wr, LB_SCSI_SENSE_MAX - 8);
    lb_wr_u32(&wr, 0);
    lb_wr_u8(&wr, command->asc);
    lb_wr_u8(&wr, command->ascq);
    lb_wr_u8(&wr, 0);
    lb_wr_u8(&wr, command->has_progress ? 0x80 /* SKSV; C/D: SPC-4 4.5.2.4.2 */
                  : command->field != 0 ? 0xc0
                                        : 0);
    lb_wr_u16(&wr, command->has_progress ? command->progress : command->field);
    return lb_wr_done(&wr);
}

/* ---- units ---- */

struct lb_scsi_unit *lb_scsi_unit_of(const struct lb_scsi_device *device,
                                     const struct lb_scsi_command *command) {
    return command->unit == LB_SCSI_NO_UNIT ? NULL : device->units[command->unit];
}

uint32_t lb_scsi_unit_block_bytes(const struct lb_scsi_unit *unit) {
    return unit->block_bytes == 0 ? 512 : unit->block_bytes;
}

bool lb_scsi_is_writable(const struct lb_scsi_unit *unit) {
    return !unit->read_only && !unit->write_protected;
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

/* ---- who reaches a unit ---- */

static void enter_started(struct lb_scsi_unit *unit) {
    if (unit->state == LB_SCSI_UNIT_STOPPED)
        unit->state = LB_SCSI_UNIT_READY;
}

/* What only those who are logged in can hold. */
static void let_go(struct lb_scsi_unit *unit, struct lb_scsi_nexus *nexus) {
    nexus->prevents_removal = false;
    if (unit->reserved == nexus)
        unit->reserved = NULL;
    unit->holds_medium = false;
    for (const struct lb_scsi_nexus *n = unit->nexuses; n != NULL; n = n->next)
        unit->holds_medium = unit->holds_medium || n->prevents_removal;
}

/* A disk that somebody stopped would never start again where firmware, which asks for no start,
 * boots from it: it is stopped for as long as a session lasts that reaches it. */
void lb_scsi_nexus_end(struct lb_scsi_nexus *nexus) {
    struct lb_scsi_unit *unit = nexus->unit;
    if (unit == NULL)
        return;
    struct lb_scsi_nexus **at = &unit->nexuses;
    while (*at != nexus)
        at = &(*at)->next;
    *at = nexus->next;
    nexus->unit = NULL;
    let_go(unit, nexus);
    if (nexus->has_stopped)
        enter_started(unit);
    nexus->has_stopped = false;
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

void lb_scsi_nexus_attention(struct lb_scsi_nexus *nexus, uint8_t asc, uint8_t ascq) {
    uint16_t code = (uint16_t)(asc << 8 | ascq);
    if (asc == 0x29)
        nexus->attention_count = 0;
    for (unsigned i = 0; i < nexus->attention_count; i++)
        if (nexus->attentions[i] == code)
            return;
    if (nexus->attention_count == LB_SCSI_ATTENTIONS)
        nexus->attention_count--;
    nexus->attentions[nexus->attention_count++] = code;
}

void lb_scsi_unit_attention(struct lb_scsi_unit *unit, const struct lb_scsi_nexus *but, uint8_t asc,
                            uint8_t ascq) {
    for (struct lb_scsi_nexus *n = unit->nexuses; n != NULL; n = n->next)
        if (n != but)
            lb_scsi_nexus_attention(n, asc, ascq);
}

uint16_t lb_scsi_take_attention(struct lb_scsi_nexus *nexus) {
    if (nexus->attention_count == 0)
        return 0;
    uint16_t code = nexus->attentions[0];
    nexus->attention_count--;
    memmove(nexus->attentions, nexus->attentions + 1,
            nexus->attention_count * sizeof nexus->attentions[0]);
    return code;
}

void lb_scsi_device_untold(const struct lb_scsi_device *device,
                           const struct lb_scsi_command *command) {
    if (!command->has_failed || command->status != LB_SCSI_CHECK_CONDITION ||
        command->key != LB_SCSI_UNIT_ATTENTION || command->unit == LB_SCSI_NO_UNIT)
        return;
    struct lb_scsi_nexus *nexus = &device->nexuses[command->unit];
    size_t kept = LB_MIN(nexus->attention_count, LB_SCSI_ATTENTIONS - 1);
    memmove(nexus->attentions + 1, nexus->attentions, kept * sizeof nexus->attentions[0]);
    nexus->attentions[0] = (uint16_t)(command->asc << 8 | command->ascq);
    nexus->attention_count = (uint8_t)(kept + 1);
}

void lb_scsi_unit_reset(struct lb_scsi_unit *unit) {
    for (struct lb_scsi_nexus *n = unit->nexuses; n != NULL; n = n->next)
        n->prevents_removal = n->has_stopped = false;
    unit->reserved = NULL;
    unit->holds_medium = false;
    enter_started(unit);
}

/* ---- the table ---- */

enum { A = LB_SCSI_ALWAYS, M = LB_SCSI_MEDIUM, R = LB_SCSI_READS, W = LB_SCSI_WRITES };
enum { O = LB_SCSI_OLD };

#define LBA_10 "ffffffff"
#define LBA_16 "ffffffffffffffff"

/* By operation code and service action, as REPORT SUPPORTED OPERATION CODES lists them. */
static const struct lb_scsi_row rows[] = {
    {LB_SCSI_TEST_UNIT_READY, -1, 6, M | O, "000000000000"},
    {LB_SCSI_REQUEST_SENSE, -1, 6, A, "00010000ff00"},
    {LB_SCSI_READ_6, -1, 6, M | R | O, "001fffffff00"},
    {LB_SCSI_WRITE_6, -1, 6, M | W | O, "001fffffff00"},
    {LB_SCSI_INQUIRY, -1, 6, A, "0001ffffff00"},
    {LB_SCSI_MODE_SELECT_6, -1, 6, W | O, "00110000ff00"},
    {LB_SCSI_RESERVE_6, -1, 6, O, "000000000000"},
    {LB_SCSI_RELEASE_6, -1, 6, 0, "000000000000"},
    {LB_SCSI_MODE_SENSE_6, -1, 6, R | O, "0008ffffff00"},
    {LB_SCSI_START_STOP_UNIT, -1, 6, W | O, "00010000f300"},
    {LB_SCSI_SEND_DIAGNOSTIC, -1, 6, W | O, "0004ffff0000"},
    {LB_SCSI_PREVENT_ALLOW, -1, 6, W | O, "000000000300"},
    {LB_SCSI_READ_CAPACITY_10, -1, 10, M, "00000000000000000000"},
    {LB_SCSI_READ_10, -1, 10, M | R | O, "00f8" LBA_10 "00ffff00"},
    {LB_SCSI_WRITE_10, -1, 10, M | W | O, "00f8" LBA_10 "00ffff00"},
    {LB_SCSI_WRITE_VERIFY_10, -1, 10, M | W | O, "00f6" LBA_10 "00ffff00"},
    {LB_SCSI_VERIFY_10, -1, 10, M | R | O, "00f6" LBA_10 "00ffff00"},
    {LB_SCSI_PREFETCH_10, -1, 10, M | R | O, "0002" LBA_10 "00ffff00"},
    {LB_SCSI_SYNCHRONIZE_CACHE_10, -1, 10, M | W | O, "0002" LBA_10 "00ffff00"},
    {LB_SCSI_READ_DEFECT_DATA_10, -1, 10, M | R | O, "00001f00000000ffff00"},
    {LB_SCSI_WRITE_SAME_10, -1, 10, M | W | O, "00f8" LBA_10 "00ffff00"},
    {LB_SCSI_UNMAP, -1, 10, M | W | O, "00010000000000ffff00"},
    {LB_SCSI_SANITIZE, 0x01, 10, M | W | O, "00bf0000000000ffff00"},
    {LB_SCSI_SANITIZE, 0x02, 10, M | W | O, "00bf0000000000ffff00"},
    {LB_SCSI_SANITIZE, 0x1f, 10, M | W | O, "00bf0000000000ffff00"},
    {LB_SCSI_LOG_SENSE, -1, 10, 0, "0000ffff00ffffffff00"},
    {LB_SCSI_MODE_SELECT_10, -1, 10, W | O, "00110000000000ffff00"},
    {LB_SCSI_MODE_SENSE_10, -1, 10, R | O, "0018ffff000000ffff00"},
    {LB_SCSI_PERSISTENT_RESERVE_IN, 0, 10, O, "001f0000000000ffff00"},
    {LB_SCSI_PERSISTENT_RESERVE_IN, 1, 10, O, "001f0000000000ffff00"},
    {LB_SCSI_PERSISTENT_RESERVE_IN, 2, 10, O, "001f0000000000ffff00"},
    {LB_SCSI_PERSISTENT_RESERVE_IN, 3, 10, O, "001f0000000000ffff00"},
    {LB_SCSI_PERSISTENT_RESERVE_OUT, 0, 10, O, "001fff0000ffffffff00"},
    {LB_SCSI_PERSISTENT_RESERVE_OUT, 1, 10, O, "001fff0000ffffffff00"},
    {LB_SCSI_PERSISTENT_RESERVE_OUT, 2, 10, O, "001fff0000ffffffff00"},
    {LB_SCSI_PERSISTENT_RESERVE_OUT, 3, 10, O, "001fff0000ffffffff00"},
    {LB_SCSI_PERSISTENT_RESERVE_OUT, 4, 10, O, "001fff0000ffffffff00"},
    {LB_SCSI_PERSISTENT_RESERVE_OUT, 5, 10, O, "001fff0000ffffffff00"},
    {LB_SCSI_PERSISTENT_RESERVE_OUT, 6, 10, O, "001fff0000ffffffff00"},
    {LB_SCSI_EXTENDED_COPY, 0, 16, M | W | O, "001f0000000000000000ffffffff0000"},
    {LB_SCSI_RECEIVE_COPY_RESULTS, 0, 16, R | O, "001fff00000000000000ffffffff0000"},
    {LB_SCSI_RECEIVE_COPY_RESULTS, 3, 16, 0, "001f0000000000000000ffffffff0000"},
    {LB_SCSI_READ_16, -1, 16, M | R | O, "00f8" LBA_16 "ffffffff0000"},
    {LB_SCSI_COMPARE_AND_WRITE, -1, 16, M | W | O, "00f8" LBA_16 "000000ff0000"},
    {LB_SCSI_WRITE_16, -1, 16, M | W | O, "00f8" LBA_16 "ffffffff0000"},
    {LB_SCSI_ORWRITE_16, -1, 16, M | W | O, "00f8" LBA_16 "ffffffff0000"},
    {LB_SCSI_WRITE_VERIFY_16, -1, 16, M | W | O, "00f6" LBA_16 "ffffffff0000"},
    {LB_SCSI_VERIFY_16, -1, 16, M | R | O, "00f6" LBA_16 "ffffffff0000"},
    {LB_SCSI_PREFETCH_16, -1, 16, M | R | O, "0002" LBA_16 "ffffffff0000"},
    {LB_SCSI_SYNCHRONIZE_CACHE_16, -1, 16, M | W | O, "0002" LBA_16 "ffffffff0000"},
    {LB_SCSI_WRITE_SAME_16, -1, 16, M | W | O, "00f9" LBA_16 "ffffffff0000"},
    {LB_SCSI_WRITE_ATOMIC_16, -1, 16, M | W | O, "00f8" LBA_16 "0000ffff0000"},
    {LB_SCSI_SERVICE_ACTION_IN_16, 0x10, 16, M, "001f0000000000000000ffffffff0000"},
    {LB_SCSI_SERVICE_ACTION_IN_16, 0x12, 16, M | R, "001f" LBA_16 "ffffffff0000"},
    {LB_SCSI_REPORT_LUNS, -1, 12, A, "0000ff000000ffffffff0000"},
    {LB_SCSI_MAINTENANCE_IN, 0x0a, 12, 0, "00ff00000000ffffffff0000"},
    {LB_SCSI_MAINTENANCE_IN, 0x0c, 12, 0, "001f87ffffffffffffff0000"},
    {LB_SCSI_MAINTENANCE_IN, 0x0d, 12, 0, "001f80000000ffffffff0000"},
    {LB_SCSI_READ_12, -1, 12, M | R | O, "00f8" LBA_10 "ffffffff0000"},
    {LB_SCSI_WRITE_12, -1, 12, M | W | O, "00f8" LBA_10 "ffffffff0000"},
    {LB_SCSI_WRITE_VERIFY_12, -1, 12, M | W | O, "00f6" LBA_10 "ffffffff0000"},
    {LB_SCSI_VERIFY_12, -1, 12, M | R | O, "00f6" LBA_10 "ffffffff0000"},
    {LB_SCSI_READ_DEFECT_DATA_12, -1, 12, M | R | O, "001f00000000ffffffff0000"},
};

/* Commands that a unit has only with what they are about. */
static bool has_row(const struct lb_scsi_unit *unit, const struct lb_scsi_row *row) {
    switch (row->op) {
    case LB_SCSI_PERSISTENT_RESERVE_IN:
        return unit->registration_cap > 0;
    case LB_SCSI_PERSISTENT_RESERVE_OUT:
        return unit->registration_cap > 0 && !unit->is_for_all;
    case LB_SCSI_RESERVE_6:
    case LB_SCSI_RELEASE_6:
    case LB_SCSI_MODE_SELECT_6:
    case LB_SCSI_MODE_SELECT_10:
        return !unit->is_for_all;
    case LB_SCSI_UNMAP:
        return unit->is_thin;
    case LB_SCSI_EXTENDED_COPY:
    case LB_SCSI_RECEIVE_COPY_RESULTS:
        return unit->can_copy;
    case LB_SCSI_WRITE_ATOMIC_16:
        return unit->atomic_blocks > 0;
    case LB_SCSI_SANITIZE:
        return unit->can_sanitize;
    case LB_SCSI_PREVENT_ALLOW:
        return unit->is_removable;
    case LB_SCSI_SERVICE_ACTION_IN_16:
        return row->action == LB_SCSI_GET_LBA_STATUS_ACTION || !unit->no_capacity_16;
    default:
        return true;
    }
}

const struct lb_scsi_row *lb_scsi_row_at(const struct lb_scsi_unit *unit, size_t number) {
    for (size_t i = 0; i < LB_COUNT(rows); i++)
        if (has_row(unit, &rows[i]) && number-- == 0)
            return &rows[i];
    return NULL;
}

const struct lb_scsi_row *lb_scsi_find_row(const struct lb_scsi_unit *unit, uint8_t op,
                                           int action) {
    for (size_t i = 0; i < LB_COUNT(rows); i++)
        if (rows[i].op == op && rows[i].action == action &&
            (unit == NULL || has_row(unit, &rows[i])))
            return &rows[i];
    return NULL;
}

int lb_scsi_action_of(const uint8_t cdb[16]) {
    bool has = cdb[0] == LB_SCSI_PERSISTENT_RESERVE_IN ||
               cdb[0] == LB_SCSI_PERSISTENT_RESERVE_OUT || cdb[0] == LB_SCSI_SERVICE_ACTION_IN_16 ||
               cdb[0] == LB_SCSI_MAINTENANCE_IN || cdb[0] == LB_SCSI_EXTENDED_COPY ||
               cdb[0] == LB_SCSI_RECEIVE_COPY_RESULTS || cdb[0] == LB_SCSI_SANITIZE;
    return has ? cdb[1] & 0x1f : -1;
}

/* Whether the operation code is known, if not with this service action. */
static bool has_op(const struct lb_scsi_unit *unit, uint8_t op) {
    for (size_t i = 0; i < LB_COUNT(rows); i++)
        if (rows[i].op == op && has_row(unit, &rows[i]))
            return true;
    return false;
}

/* ---- what stands against a command ---- */

/* Bits of the CONTROL byte, the CDB's last, that ask for what is not here: NACA (SAM-5 5.2, SPC-4
 * 4.3.4), and LINK and FLAG of former times (SAM-3 5.3), whose initiators wait for an INTERMEDIATE
 * status. By groups of operation codes; 0: the length is not known. */
static bool has_unsupported_control(const uint8_t cdb[16]) {
    static const uint8_t controls[8] = {5, 9, 9, 0, 15, 11, 0, 0};
    uint8_t at = controls[cdb[0] >> 5];
    return at != 0 && cdb[at] & 7;
}

static void check_ready(struct lb_scsi_command *command, enum lb_scsi_unit_state state) {
    switch (state) {
    case LB_SCSI_UNIT_READY:
        return;
    case LB_SCSI_UNIT_BECOMING_READY:
        lb_scsi_command_check(command, LB_SCSI_NOT_READY, 0x04, 0x01);
        return;
    case LB_SCSI_UNIT_STOPPED:
        lb_scsi_command_check(command, LB_SCSI_NOT_READY, 0x04, 0x02);
        return;
    case LB_SCSI_UNIT_NO_MEDIUM:
        lb_scsi_command_check(command, LB_SCSI_NOT_READY, 0x3a, 0x00);
        return;
    }
}

static void conflict(struct lb_scsi_command *command) {
    command->status = LB_SCSI_RESERVATION_CONFLICT;
    command->has_failed = true;
}

/* What stands against any command, in SAM-5's order: no LUN, unit attention, busy, not known,
 * reserved, not ready. */
static void check_obstacles(const struct lb_scsi_device *device, struct lb_scsi_command *command) {
    const struct lb_scsi_unit *unit = lb_scsi_unit_of(device, command);
    uint8_t op = command->cdb[0];
    const struct lb_scsi_row *row = lb_scsi_find_row(unit, op, lb_scsi_action_of(command->cdb));
    if (row != NULL && row->flags & LB_SCSI_ALWAYS)
        return;
    if (unit == NULL) {
        lb_scsi_command_check(command, LB_SCSI_ILLEGAL_REQUEST, 0x25, 0x00);
        return;
    }
    struct lb_scsi_nexus *nexus = &device->nexuses[command->unit];
    uint16_t attention = lb_scsi_take_attention(nexus);
    if (attention != 0) {
        lb_scsi_command_check(command, LB_SCSI_UNIT_ATTENTION, (uint8_t)(attention >> 8),
                              (uint8_t)attention);
    } else if (unit->is_busy) {
        command->status = LB_SCSI_BUSY;
        command->has_failed = true;
    } else if (row == NULL && has_op(unit, op)) {
        lb_scsi_invalid_field(command);
        command->field = 1; /* the service action */
    } else if (row == NULL) {
        lb_scsi_command_check(command, LB_SCSI_ILLEGAL_REQUEST, 0x20, 0);
    } else if (lb_scsi_is_reserved(unit, nexus, row, command->cdb)) {
        conflict(command);
    } else if (unit->sanitize.state != LB_SCSI_SANITIZE_NONE) {
        lb_scsi_check_sanitize(command, unit);
    } else if (row->flags & LB_SCSI_MEDIUM) {
        check_ready(command, unit->state);
    }
}

/* ---- what it is ---- */

bool lb_scsi_takes(struct lb_scsi_command *command, uint64_t wanted) {
    if (!command->writes && wanted > 0) {
        lb_scsi_invalid_field(command); /* the CDB and the R and W bits disagree */
        return false;
    }
    command->total = (uint32_t)LB_MIN(wanted, command->expected);
    command->overflow = wanted > command->expected;
    command->underflow = wanted < command->expected;
    command->residual = (uint32_t)LB_MIN(
        command->overflow ? wanted - command->expected : command->expected - wanted, UINT32_MAX);
    return true;
}

/* The length of the list that comes with a command; SIZE_MAX: none comes. */
static size_t list_len(const uint8_t cdb[16]) {
    switch (cdb[0]) {
    case LB_SCSI_MODE_SELECT_6:
        return cdb[4];
    case LB_SCSI_MODE_SELECT_10:
    case LB_SCSI_UNMAP:
    case LB_SCSI_SANITIZE:
        return (size_t)cdb[7] << 8 | cdb[8];
    case LB_SCSI_PERSISTENT_RESERVE_OUT: {
        struct lb_rd rd = lb_rd(lb_bytes(cdb + 5, 4));
        return lb_rd_u32(&rd);
    }
    case LB_SCSI_EXTENDED_COPY: {
        struct lb_rd rd = lb_rd(lb_bytes(cdb + 10, 4));
        return lb_rd_u32(&rd);
    }
    default:
        return SIZE_MAX;
    }
}

static void begin_list(struct lb_scsi_command *command, size_t len) {
    if (command->cdb[0] == LB_SCSI_UNMAP && command->cdb[1] & 1)
        lb_scsi_invalid_field(command); /* ANCHOR: nothing is anchored here */
    else if (len > LB_SCSI_PARAMETERS_MAX && command->cdb[0] == LB_SCSI_UNMAP)
        lb_scsi_invalid_parameter(command); /* SBC-3 5.38: more ranges than VPD B0 says */
    else if (len > LB_SCSI_PARAMETERS_MAX)
        lb_scsi_invalid_field(command);
    else if (len > command->expected)
        lb_scsi_command_check(command, LB_SCSI_ILLEGAL_REQUEST, 0x1a, 0);
    else if (lb_scsi_takes(command, len) && len > 0)
        command->kind = LB_SCSI_KIND_PARAMETERS;
}

/* Whether its reply may be longer than LB_SCSI_REPLY_MAX, and how long. */
static uint32_t long_reply(const struct lb_scsi_unit *unit, const uint8_t cdb[16]) {
    if (cdb[0] == LB_SCSI_MAINTENANCE_IN)
        return 4096;
    if (cdb[0] == LB_SCSI_PERSISTENT_RESERVE_IN)
        return 512 + 276 * unit->registration_count;
    return 0;
}

static void begin_other(const struct lb_scsi_unit *unit, struct lb_scsi_command *command) {
    size_t len = list_len(command->cdb);
    command->total = 0;
    command->residual = command->expected;
    command->underflow = command->expected > 0;
    if (command->has_failed || unit == NULL)
        return;
    command->room = long_reply(unit, command->cdb);
    if (command->cdb[0] == LB_SCSI_SANITIZE && !lb_scsi_begin_sanitize(unit, command))
        return;
    if (len != SIZE_MAX)
        begin_list(command, len);
    else if (command->room > 0 && command->writes)
        lb_scsi_invalid_field(command);
    else if (command->room > 0 && command->expected > 0)
        command->kind = LB_SCSI_KIND_LONG_REPLY;
}

void lb_scsi_device_begin(const struct lb_scsi_device *device, struct lb_scsi_command *command) {
    command->kind = LB_SCSI_KIND_REPLY;
    if (command->reads && command->writes)
        lb_scsi_invalid_field(command); /* bidirectional commands are not for disks */
    else if (has_unsupported_control(command->cdb))
        lb_scsi_invalid_field(command); /* neither auto contingent allegiance nor linked commands */
    else
        check_obstacles(device, command);
    const struct lb_scsi_unit *unit = lb_scsi_unit_of(device, command);
    if (!command->has_failed && unit != NULL && lb_scsi_begin_blocks(unit, command) &&
        !command->has_failed)
        return;
    if (command->tells_residual)
        return;
    begin_other(unit, command);
}

/* ---- what moves no blocks ---- */

/* START STOP UNIT with a power condition, or a load, changes nothing here. */
static void start_stop(struct lb_scsi_unit *unit, struct lb_scsi_nexus *nexus,
                       struct lb_scsi_command *command) {
    bool starts = command->cdb[4] & 1, ejects = (command->cdb[4] & 3) == 2;
    if ((command->cdb[4] & 0xf0) != 0 || unit->is_for_all)
        return;
    if ((command->cdb[4] & 2) != 0 && unit->is_removable && unit->holds_medium)
        lb_scsi_command_check(command, LB_SCSI_ILLEGAL_REQUEST, 0x53, 0x02);
    else if (ejects && unit->is_removable)
        unit->state = LB_SCSI_UNIT_NO_MEDIUM;
    else if ((command->cdb[4] & 3) == 3 && unit->is_removable)
        unit->state = LB_SCSI_UNIT_READY;
    else if ((command->cdb[4] & 2) != 0)
        return;
    else if (starts && unit->state == LB_SCSI_UNIT_STOPPED)
        unit->state = LB_SCSI_UNIT_READY;
    else if (!starts && unit->state == LB_SCSI_UNIT_READY) {
        unit->state = LB_SCSI_UNIT_STOPPED;
        nexus->has_stopped = true;
    }
}

/* SPC-4 6.28: of a self-test there is nothing to test. */
static void send_diagnostic(struct lb_scsi_command *command) {
    if ((command->cdb[1] & 0xe3) != 0 || command->cdb[3] != 0 || command->cdb[4] != 0)
        lb_scsi_invalid_field(command);
}

static void prevent_allow(struct lb_scsi_unit *unit, struct lb_scsi_nexus *nexus,
                          const struct lb_scsi_command *command) {
    nexus->prevents_removal = command->cdb[4] & 1;
    unit->holds_medium = false;
    for (const struct lb_scsi_nexus *n = unit->nexuses; n != NULL; n = n->next)
        unit->holds_medium = unit->holds_medium || n->prevents_removal;
}

/* The room that the initiator has for the reply, as the CDB says. */
static size_t allocation(const uint8_t cdb[16]) {
    struct lb_rd rd = lb_rd(lb_bytes(cdb, 16));
    switch (cdb[0]) {
    case LB_SCSI_INQUIRY:
        lb_rd_skip(&rd, 3);
        return lb_rd_u16(&rd);
    case LB_SCSI_REPORT_LUNS:
    case LB_SCSI_READ_DEFECT_DATA_12:
    case LB_SCSI_MAINTENANCE_IN:
        lb_rd_skip(&rd, 6);
        return lb_rd_u32(&rd);
    case LB_SCSI_RECEIVE_COPY_RESULTS:
    case LB_SCSI_SERVICE_ACTION_IN_16:
        lb_rd_skip(&rd, 10);
        return lb_rd_u32(&rd);
    case LB_SCSI_MODE_SENSE_10:
    case LB_SCSI_LOG_SENSE:
    case LB_SCSI_READ_DEFECT_DATA_10:
    case LB_SCSI_PERSISTENT_RESERVE_IN:
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
static void carry_out_on(struct lb_scsi_unit *unit, struct lb_scsi_nexus *nexus,
                         struct lb_scsi_command *command, struct lb_wr *wr) {
    switch (command->cdb[0]) {
    case LB_SCSI_READ_CAPACITY_10:
        lb_scsi_read_capacity_10(unit, command, wr);
        return;
    case LB_SCSI_SERVICE_ACTION_IN_16:
        lb_scsi_read_capacity_16(unit, command, wr);
        return;
    case LB_SCSI_MODE_SENSE_6:
    case LB_SCSI_MODE_SENSE_10:
        lb_scsi_mode_sense(unit, command, wr);
        return;
    case LB_SCSI_LOG_SENSE:
        lb_scsi_log_sense(unit, command, wr);
        return;
    case LB_SCSI_READ_DEFECT_DATA_10:
    case LB_SCSI_READ_DEFECT_DATA_12:
        lb_scsi_read_defects(command, wr);
        return;
    case LB_SCSI_START_STOP_UNIT:
        start_stop(unit, nexus, command);
        return;
    case LB_SCSI_SEND_DIAGNOSTIC:
        send_diagnostic(command);
        return;
    case LB_SCSI_PREVENT_ALLOW:
        prevent_allow(unit, nexus, command);
        return;
    case LB_SCSI_RESERVE_6:
    case LB_SCSI_RELEASE_6:
        lb_scsi_reserve(unit, nexus, command);
        return;
    case LB_SCSI_PERSISTENT_RESERVE_IN:
        lb_scsi_persistent_in(unit, command, wr);
        return;
    case LB_SCSI_PERSISTENT_RESERVE_OUT: /* without its list */
        lb_scsi_command_check(command, LB_SCSI_ILLEGAL_REQUEST, 0x1a, 0);
        return;
    case LB_SCSI_RECEIVE_COPY_RESULTS:
        lb_scsi_copy_results(nexus, command, wr);
        return;
    case LB_SCSI_PREFETCH_10:
    case LB_SCSI_PREFETCH_16:
        command->status = LB_SCSI_CONDITION_MET;
        return;
    default: /* TEST UNIT READY; and what names no blocks though it could */
        return;
    }
}

static void carry_out(const struct lb_scsi_device *device, struct lb_scsi_command *command,
                      struct lb_wr *wr) {
    struct lb_scsi_unit *unit = lb_scsi_unit_of(device, command);
    if (command->cdb[0] == LB_SCSI_INQUIRY)
        lb_scsi_inquiry(device, command, wr);
    else if (command->cdb[0] == LB_SCSI_REPORT_LUNS)
        lb_scsi_report_luns(device, command, wr);
    else if (command->cdb[0] == LB_SCSI_REQUEST_SENSE)
        lb_scsi_request_sense(device, command, wr);
    else if (unit == NULL) /* it went away since the command began */
        lb_scsi_command_check(command, LB_SCSI_ILLEGAL_REQUEST, 0x25, 0x00);
    else if (command->cdb[0] == LB_SCSI_MAINTENANCE_IN)
        lb_scsi_maintenance_in(device, command, wr);
    else
        carry_out_on(unit, &device->nexuses[command->unit], command, wr);
}

/* Cuts the reply to what the CDB and the initiator have room for. */
static size_t cut_reply(struct lb_scsi_command *command, size_t len) {
    size_t wanted = LB_MIN(len, allocation(command->cdb));
    command->overflow = wanted > command->expected;
    command->underflow = wanted < command->expected;
    command->residual =
        (uint32_t)(command->overflow ? wanted - command->expected : command->expected - wanted);
    return LB_MIN(wanted, command->expected);
}

size_t lb_scsi_device_reply(const struct lb_scsi_device *device, struct lb_scsi_command *command,
                            struct lb_span reply) {
    struct lb_wr wr = lb_wr(reply);
    bool has_residual = command->overflow; /* of blocks that were not to be moved */
    carry_out(device, command, &wr);
    if (command->kind == LB_SCSI_KIND_LONG_REPLY && !lb_wr_ok(&wr) && !command->has_failed)
        command->status = LB_SCSI_BUSY, command->has_failed = true; /* more came meanwhile */
    if (command->has_failed)
        return 0;
    lb_assert(lb_wr_ok(&wr));
    if (wr.len == 0 && has_residual)
        return 0;
    return cut_reply(command, wr.len);
}

size_t lb_scsi_device_status(const struct lb_scsi_device *device, struct lb_scsi_command *command,
                             uint64_t blocks, bool is_mapped, uint8_t reply[LB_SCSI_REPLY_MAX]) {
    struct lb_wr wr = lb_wr(lb_span(reply, LB_SCSI_REPLY_MAX));
    (void)device;
    lb_wr_u32(&wr, 20);
    lb_wr_u32(&wr, 0);
    lb_wr_u64(&wr, command->lba);
    lb_wr_u32(&wr, (uint32_t)LB_MIN(blocks, UINT32_MAX));
    lb_wr_u8(&wr, is_mapped ? 0 : 1); /* SBC-3 table 40: deallocated */
    lb_wr_zero(&wr, 3);
    return cut_reply(command, wr.len);
}

void lb_scsi_device_take(const struct lb_scsi_device *device, struct lb_scsi_command *command,
                         struct lb_bytes parameters) {
    struct lb_scsi_unit *unit = lb_scsi_unit_of(device, command);
    command->kind = LB_SCSI_KIND_REPLY;
    if (unit == NULL)
        lb_scsi_command_check(command, LB_SCSI_ILLEGAL_REQUEST, 0x25, 0x00);
    else if (command->cdb[0] == LB_SCSI_UNMAP)
        lb_scsi_take_unmap(unit, command, parameters);
    else if (command->cdb[0] == LB_SCSI_EXTENDED_COPY)
        lb_scsi_take_copy(device, command, parameters);
    else if (command->cdb[0] == LB_SCSI_SANITIZE)
        lb_scsi_take_sanitize(unit, command, parameters);
    else if (command->cdb[0] == LB_SCSI_PERSISTENT_RESERVE_OUT)
        lb_scsi_persistent_out(unit, &device->nexuses[command->unit], command, parameters);
    else
        lb_scsi_mode_select(unit, &device->nexuses[command->unit], command, parameters);
}
