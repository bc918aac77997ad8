/* SANITIZE: SBC-3 4.11, 5.32. BLOCK ERASE and OVERWRITE, where the owner can do them. There is no
 * key to forget, so CRYPTOGRAPHIC ERASE does not exist.
 *
 *   NONE --SANITIZE--> GOES_ON --all is written--> NONE
 *                         |
 *                         `--an error--> FAILED --another SANITIZE--> GOES_ON
 *                                           `--EXIT FAILURE MODE, if it was allowed--> NONE
 *
 * In GOES_ON every command but INQUIRY, REPORT LUNS and REQUEST SENSE is NOT READY 04/1B; in FAILED
 * it is MEDIUM ERROR 31/03, but for these and SANITIZE. The state is the unit's: neither the end of
 * a session nor a reset changes it. */
#include "core/scsi/scsi_device_state.h"

enum { HEADER_BYTES = 4 }; /* of the list of OVERWRITE: table 100 */

/* ---- what stands against other commands ---- */

bool lb_scsi_command_sanitize(struct lb_scsi_command *command, const struct lb_scsi_unit *unit) {
    switch (unit->sanitize.state) {
    case LB_SCSI_SANITIZE_NONE:
        return false;
    case LB_SCSI_SANITIZE_GOES_ON:
        lb_scsi_command_check(command, LB_SCSI_NOT_READY, 0x04, 0x1b);
        command->has_progress = true;
        command->progress = unit->sanitize.progress;
        return true;
    case LB_SCSI_SANITIZE_FAILED:
        lb_scsi_command_check(command, LB_SCSI_MEDIUM_ERROR, 0x31, 0x03);
        return true;
    }
    return false;
}

void lb_scsi_check_sanitize(struct lb_scsi_command *command, const struct lb_scsi_unit *unit) {
    bool has_failed = unit->sanitize.state == LB_SCSI_SANITIZE_FAILED;
    if (!has_failed || command->cdb[0] != LB_SCSI_SANITIZE)
        (void)lb_scsi_command_sanitize(command, unit);
}

/* ---- the command ---- */

/* The reserved bits of its CDB: byte 1's, and bytes 2 to 6. A list comes with OVERWRITE alone: its
 * header, and a pattern of 1 byte up to a block. */
static bool is_sound(const struct lb_scsi_unit *unit, const uint8_t cdb[16]) {
    bool has_list = (cdb[1] & 0x1f) == LB_SCSI_OVERWRITE_ACTION;
    uint32_t len = (uint32_t)cdb[7] << 8 | cdb[8];
    uint8_t bits = cdb[1] & 0x40;
    for (unsigned i = 2; i < 7; i++)
        bits |= cdb[i];
    if (bits != 0)
        return false;
    return has_list ? len > HEADER_BYTES && len <= HEADER_BYTES + lb_scsi_unit_block_bytes(unit)
                    : len == 0;
}

/* SBC-3 5.32.1: one that failed without AUSE is left by another that succeeds, and has none. */
static bool is_shut(const struct lb_scsi_unit *unit, const uint8_t cdb[16]) {
    bool is_exit = (cdb[1] & 0x1f) == LB_SCSI_EXIT_FAILURE_ACTION;
    return unit->sanitize.state == LB_SCSI_SANITIZE_FAILED && unit->sanitize.is_restricted &&
           (is_exit || cdb[1] & 0x20);
}

bool lb_scsi_begin_sanitize(const struct lb_scsi_unit *unit, struct lb_scsi_command *command) {
    uint8_t action = command->cdb[1] & 0x1f;
    command->is_immediate = command->cdb[1] & 0x80;
    command->sanitize = action == LB_SCSI_OVERWRITE_ACTION     ? LB_SCSI_OVERWRITE
                        : action == LB_SCSI_BLOCK_ERASE_ACTION ? LB_SCSI_BLOCK_ERASE
                                                               : LB_SCSI_EXIT_FAILURE;
    if (!is_sound(unit, command->cdb) || is_shut(unit, command->cdb)) {
        lb_scsi_invalid_field(command);
        return false;
    }
    if (command->sanitize == LB_SCSI_EXIT_FAILURE) {
        if (unit->sanitize.state == LB_SCSI_SANITIZE_FAILED)
            command->kind = LB_SCSI_KIND_SANITIZE;
        return false;
    }
    if (!lb_scsi_may_write(command, unit))
        return false;
    if (command->sanitize == LB_SCSI_BLOCK_ERASE)
        command->kind = LB_SCSI_KIND_SANITIZE;
    return command->sanitize == LB_SCSI_OVERWRITE;
}

bool lb_scsi_overwrite_read(struct lb_bytes list, uint32_t block_bytes,
                            struct lb_scsi_overwrite *overwrite) {
    struct lb_rd rd = lb_rd(list);
    uint8_t flags = lb_rd_u8(&rd), reserved = lb_rd_u8(&rd);
    uint16_t len = lb_rd_u16(&rd);
    struct lb_scsi_overwrite got = {.passes = flags & 0x1f, .inverts = flags & 0x80};
    got.pattern = lb_rd_bytes(&rd, len);
    /* TEST has no meaning of ours, and behind the pattern there is nothing. */
    if (!lb_rd_ok(&rd) || rd.left > 0 || (flags & 0x60) != 0 || reserved != 0 || got.passes == 0 ||
        len == 0 || len > block_bytes)
        return false;
    *overwrite = got;
    return true;
}

bool lb_scsi_overwrite_is_inverted(const struct lb_scsi_overwrite *overwrite, unsigned pass) {
    lb_assert(pass < overwrite->passes);
    return overwrite->inverts && (overwrite->passes - pass) % 2 == 0;
}

void lb_scsi_take_sanitize(const struct lb_scsi_unit *unit, struct lb_scsi_command *command,
                           struct lb_bytes list) {
    struct lb_scsi_overwrite overwrite;
    if (!lb_scsi_may_write(command, unit)) /* it may have changed since */
        return;
    if (unit->sanitize.state == LB_SCSI_SANITIZE_GOES_ON)
        (void)lb_scsi_command_sanitize(command, unit);
    else if (!lb_scsi_overwrite_read(list, lb_scsi_unit_block_bytes(unit), &overwrite))
        lb_scsi_invalid_parameter(command);
    else
        command->kind = LB_SCSI_KIND_SANITIZE;
}

/* ---- the owner's work ---- */

static void enter(struct lb_scsi_unit *unit, enum lb_scsi_sanitize_state state) {
    unit->sanitize.state = state;
    unit->sanitize.progress = 0;
}

void lb_scsi_sanitize_begin(struct lb_scsi_unit *unit, bool is_restricted) {
    unit->sanitize.is_restricted = is_restricted;
    enter(unit, LB_SCSI_SANITIZE_GOES_ON);
}

void lb_scsi_sanitize_progress(struct lb_scsi_unit *unit, uint64_t done, uint64_t total) {
    lb_assert(done <= total && total > 0);
    uint64_t progress = total >> 16 > 0 ? done / (total >> 16) : (done << 16) / total;
    unit->sanitize.progress = (uint16_t)LB_MIN(progress, UINT16_MAX);
}

void lb_scsi_sanitize_end(struct lb_scsi_unit *unit, bool is_done) {
    enter(unit, is_done ? LB_SCSI_SANITIZE_NONE : LB_SCSI_SANITIZE_FAILED);
}
