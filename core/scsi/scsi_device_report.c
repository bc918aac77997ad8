/* What a target says of itself: LUNs, capacity, sense, operation codes, port groups. */
#include "core/scsi/scsi_device_state.h"

void lb_scsi_report_luns(const struct lb_scsi_device *device, struct lb_scsi_command *command,
                         struct lb_wr *wr) {
    if (command->cdb[2] > 2) {
        lb_scsi_invalid_field(command);
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

/* ---- capacity: SBC-3 5.15, 5.16 ---- */

void lb_scsi_read_capacity_10(const struct lb_scsi_unit *unit, struct lb_scsi_command *command,
                              struct lb_wr *wr) {
    static const uint8_t no_lba[4];
    uint64_t last = unit->blocks == 0 ? 0 : unit->blocks - 1;
    if (!(command->cdb[8] & 1) && memcmp(command->cdb + 2, no_lba, sizeof no_lba) != 0) {
        lb_scsi_invalid_field(command); /* an LBA without PMI */
        return;
    }
    lb_wr_u32(wr, (uint32_t)LB_MIN(last, UINT32_MAX));
    lb_wr_u32(wr, lb_scsi_unit_block_bytes(unit));
}

void lb_scsi_read_capacity_16(const struct lb_scsi_unit *unit, struct lb_scsi_command *command,
                              struct lb_wr *wr) {
    (void)command;
    lb_wr_u64(wr, unit->blocks == 0 ? 0 : unit->blocks - 1);
    lb_wr_u32(wr, lb_scsi_unit_block_bytes(unit));
    lb_wr_u8(wr, 0);
    lb_wr_u8(wr, unit->physical_exponent & 0x0f);
    lb_wr_u16(wr, unit->is_thin ? 0xc000 : 0); /* LBPME, LBPRZ; aligned at 0 */
    lb_wr_zero(wr, 16);
}

/* SBC-3 5.18, 5.19: no block is known to be bad. */
void lb_scsi_read_defects(const struct lb_scsi_command *command, struct lb_wr *wr) {
    bool is_long = command->cdb[0] == LB_SCSI_READ_DEFECT_DATA_12;
    lb_wr_u8(wr, 0);
    lb_wr_u8(wr, command->cdb[is_long ? 1 : 2] & 0x1f); /* which lists, and their format */
    lb_wr_zero(wr, is_long ? 6 : 2);
}

/* ---- REQUEST SENSE ---- */

/* Fixed format: SPC-4 4.5.3; and descriptor format, without a descriptor: 4.5.2. */
static void put_sense(struct lb_wr *wr, bool has_descriptors, const struct lb_scsi_command *sense) {
    uint16_t code = (uint16_t)(sense->asc << 8 | sense->ascq);
    if (has_descriptors) {
        lb_wr_u8(wr, 0x72);
        lb_wr_u8(wr, sense->key);
        lb_wr_u16(wr, code);
        lb_wr_u24(wr, 0);
        lb_wr_u8(wr, sense->has_progress ? 8 : 0);
        if (!sense->has_progress)
            return;
        lb_wr_u32(wr, 0x02060000); /* sense key specific: 4.5.2.4.1 */
        lb_wr_u8(wr, 0x80);
        lb_wr_u16(wr, sense->progress);
        lb_wr_u8(wr, 0);
        return;
    }
    lb_wr_u8(wr, 0x70);
    lb_wr_u8(wr, 0);
    lb_wr_u8(wr, sense->key);
    lb_wr_u32(wr, 0);
    lb_wr_u8(wr, LB_SCSI_SENSE_MAX - 8);
    lb_wr_u32(wr, 0);
    lb_wr_u16(wr, code);
    lb_wr_u8(wr, 0);
    lb_wr_u8(wr, sense->has_progress ? 0x80 : 0);
    lb_wr_u16(wr, sense->progress);
}

void lb_scsi_request_sense(const struct lb_scsi_device *device, struct lb_scsi_command *command,
                           struct lb_wr *wr) {
    const struct lb_scsi_unit *unit = lb_scsi_unit_of(device, command);
    struct lb_scsi_command sense = {0};
    uint16_t code = unit != NULL ? lb_scsi_take_attention(&device->nexuses[command->unit]) : 0;
    if (unit == NULL)
        lb_scsi_command_check(&sense, LB_SCSI_ILLEGAL_REQUEST, 0x25, 0x00);
    else if (code != 0)
        lb_scsi_command_check(&sense, LB_SCSI_UNIT_ATTENTION, (uint8_t)(code >> 8), (uint8_t)code);
    else
        (void)lb_scsi_command_sanitize(&sense, unit);
    put_sense(wr, command->cdb[1] & 1, &sense);
}

/* ---- MAINTENANCE IN ---- */

enum { NOMINAL_S = 30, RECOMMENDED_S = 60 };
/* Of OVERWRITE: a pass at a usual pace; and as many as there can be, at a slow one. */
enum { PACE_MIB_S = 64, SLOW_MIB_S = 8, PASSES_MAX = 31 };

/* SPC-4 6.35.4: how long a command may take; ours are all alike, but for OVERWRITE. */
static void put_timeouts(struct lb_wr *wr, const struct lb_scsi_unit *unit,
                         const struct lb_scsi_row *row) {
    bool is_long = row->op == LB_SCSI_SANITIZE && row->action == LB_SCSI_OVERWRITE_ACTION;
    uint64_t mib = is_long ? unit->blocks / ((1 << 20) / lb_scsi_unit_block_bytes(unit)) : 0;
    uint64_t recommended = RECOMMENDED_S + mib / SLOW_MIB_S * PASSES_MAX;
    lb_wr_u16(wr, 10);
    lb_wr_u16(wr, 0);
    lb_wr_u32(wr, (uint32_t)LB_MIN(NOMINAL_S + mib / PACE_MIB_S, UINT32_MAX));
    lb_wr_u32(wr, (uint32_t)LB_MIN(recommended, UINT32_MAX));
}

static void put_all_codes(struct lb_wr *wr, const struct lb_scsi_unit *unit, bool has_timeouts) {
    const struct lb_scsi_row *row;
    lb_wr_u32(wr, 0); /* the length, below */
    for (size_t i = 0; (row = lb_scsi_row_at(unit, i)) != NULL; i++) {
        bool has_action = row->action >= 0;
        lb_wr_u8(wr, row->op);
        lb_wr_u8(wr, 0);
        lb_wr_u16(wr, has_action ? (uint16_t)row->action : 0);
        lb_wr_u8(wr, 0);
        lb_wr_u8(wr, (has_timeouts ? 2 : 0) | (has_action ? 1 : 0)); /* CTDP, SERVACTV */
        lb_wr_u16(wr, row->cdb_len);
        if (has_timeouts)
            put_timeouts(wr, unit, row);
    }
    lb_wr_u32_at(wr, 0, (uint32_t)(wr->len - 4));
}

static uint8_t digit(char c) {
    return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static void put_one_code(struct lb_wr *wr, const struct lb_scsi_unit *unit,
                         const struct lb_scsi_row *row, bool has_timeouts) {
    lb_wr_u8(wr, 0);
    lb_wr_u8(wr, row == NULL ? 1 : (has_timeouts ? 0x83 : 3)); /* not supported; by a standard */
    lb_wr_u16(wr, row == NULL ? 0 : row->cdb_len);
    if (row == NULL)
        return;
    for (size_t i = 0; i < row->cdb_len; i++) {
        uint8_t usage = (uint8_t)(digit(row->usage[2 * i]) << 4 | digit(row->usage[2 * i + 1]));
        if (i == 0)
            usage = row->op;
        else if (i == 1 && row->action >= 0) /* the service action as it is: 6.35.3 */
            usage = (uint8_t)((usage & 0xe0) | row->action);
        lb_wr_u8(wr, usage);
    }
    if (has_timeouts)
        put_timeouts(wr, unit, row);
}

/* Reporting options: 0 all; 1 an operation code without service actions, 2 one with, 3 either. */
static void supported_codes(const struct lb_scsi_unit *unit, struct lb_scsi_command *command,
                            struct lb_wr *wr) {
    uint8_t options = command->cdb[2] & 7, op = command->cdb[3];
    int action = command->cdb[4] << 8 | command->cdb[5];
    bool has_timeouts = command->cdb[2] & 0x80;
    const uint8_t probe[16] = {op};
    bool has_actions = lb_scsi_action_of(probe) >= 0;
    if (options > 3 || (options == 1 && has_actions) || (options == 2 && !has_actions)) {
        lb_scsi_invalid_field(command);
        command->field = 2;
    } else if (options == 0)
        put_all_codes(wr, unit, has_timeouts);
    else
        put_one_code(wr, unit, lb_scsi_find_row(unit, op, has_actions ? action : -1), has_timeouts);
}

/* SPC-4 6.37: one group, active and optimised, with the port that this came to. */
static void port_groups(const struct lb_scsi_device *device, const struct lb_scsi_command *command,
                        struct lb_wr *wr) {
    uint16_t group = device->port_group == 0 ? 1 : device->port_group;
    lb_wr_u32(wr, 0); /* the length, below */
    if (command->cdb[1] >> 5 == 1)
        lb_wr_u32(wr, 0x10000000); /* extended format; no time for transitions */
    lb_wr_u8(wr, 0);               /* active/optimised; not preferred to another, as none is */
    lb_wr_u8(wr, 0x01);            /* no other state is known */
    lb_wr_u16(wr, group);
    lb_wr_u8(wr, 0);
    lb_wr_u8(wr, 0);
    lb_wr_u8(wr, 0);
    lb_wr_u8(wr, 1); /* port */
    lb_wr_u16(wr, 0);
    lb_wr_u16(wr, group);
    lb_wr_u32_at(wr, 0, (uint32_t)(wr->len - 4));
}

/* SPC-4 6.36: what core/target carries out of RFC 7143's functions. A query, and the reset of a
 * nexus, are not among them (RFC 7144); a reset of the target has no bit any more. */
static void supported_management(struct lb_scsi_command *command, struct lb_wr *wr) {
    static const uint8_t abort_task = 0x80, abort_task_set = 0x40, clear_task_set = 0x10,
                         lun_reset = 0x08;
    bool is_extended = command->cdb[2] & 0x80;
    struct lb_rd length = lb_rd(lb_bytes(command->cdb + 6, 4));
    if (lb_rd_u32(&length) < 4) {
        lb_scsi_invalid_field(command);
        command->field = 6;
        return;
    }
    lb_wr_u8(wr, abort_task | abort_task_set | clear_task_set | lun_reset);
    lb_wr_u16(wr, 0);
    lb_wr_u8(wr, is_extended ? 12 : 0);
    lb_wr_zero(wr, is_extended ? 12 : 0); /* no timeouts are known: they end with what they abort */
}

void lb_scsi_maintenance_in(const struct lb_scsi_device *device, struct lb_scsi_command *command,
                            struct lb_wr *wr) {
    if ((command->cdb[1] & 0x1f) == 0x0a)
        port_groups(device, command, wr);
    else if ((command->cdb[1] & 0x1f) == 0x0d)
        supported_management(command, wr);
    else
        supported_codes(lb_scsi_unit_of(device, command), command, wr);
}
