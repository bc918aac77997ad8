/* SANITIZE: SBC-3 4.11, 5.32. BLOCK ERASE alone, where the owner can do it: the unit has it at
 * once, so there is no time in which it goes on, and no failure that stays. To overwrite the blocks
 * would not reach what a file system keeps elsewhere, and there is no key to forget. */
#include "core/scsi/scsi_device_state.h"

/* The reserved bits of its CDB: byte 1's, and bytes 2 to 6. No list comes with either action. */
static bool is_sound(const uint8_t cdb[16]) {
    uint8_t bits = cdb[1] & 0x40;
    for (unsigned i = 2; i < 9; i++)
        bits |= cdb[i];
    return bits == 0;
}

void lb_scsi_begin_sanitize(const struct lb_scsi_unit *unit, struct lb_scsi_command *command) {
    bool erases = (command->cdb[1] & 0x1f) == LB_SCSI_BLOCK_ERASE_ACTION;
    if (!is_sound(command->cdb)) {
        lb_scsi_invalid_field(command);
    } else if (!erases || !lb_scsi_may_write(command, unit)) {
        return; /* EXIT FAILURE MODE: it is in none */
    } else {
        command->kind = LB_SCSI_KIND_SANITIZE;
        command->blocks = unit->blocks;
    }
}
