#include "hosts/uefi/smbios.h"
#include "core/base/text.h"

#define TYPE_SYSTEM  1
#define TYPE_END     127
#define HEADER_BYTES 4
#define UUID_AT      8

static bool is_plausible(const uint8_t uuid[16]) {
    bool zeros = true, ones = true;
    for (size_t i = 0; i < 16; i++) {
        zeros = zeros && uuid[i] == 0;
        ones = ones && uuid[i] == 0xff;
    }
    return !zeros && !ones;
}

static bool take_uuid(struct lb_bytes formatted, uint8_t uuid[16]) {
    uint8_t made[16];
    if (formatted.len < UUID_AT + sizeof made)
        return false;
    lb_uuid_swap(formatted.p + UUID_AT, made);
    if (!is_plausible(made))
        return false;
    memcpy(uuid, made, sizeof made);
    return true;
}

/* The strings behind a structure end in two NULs. */
static void skip_strings(struct lb_rd *rd) {
    while (rd->left >= 2 && (rd->at[0] != 0 || rd->at[1] != 0))
        lb_rd_skip(rd, 1);
    lb_rd_skip(rd, 2);
}

bool smbios_uuid(struct lb_bytes table, uint8_t uuid[16]) {
    struct lb_rd rd = lb_rd(table);
    while (rd.left >= HEADER_BYTES) {
        struct lb_rd peek = rd;
        uint8_t type = lb_rd_u8(&peek), size = lb_rd_u8(&peek);
        struct lb_bytes formatted = lb_rd_bytes(&rd, size);
        if (size < HEADER_BYTES || type == TYPE_END || !lb_rd_ok(&rd))
            return false;
        if (type == TYPE_SYSTEM)
            return take_uuid(formatted, uuid);
        skip_strings(&rd);
    }
    return false;
}

bool smbios_place(struct lb_bytes entry, struct smbios_place *place) {
    struct smbios_place made = {.len = 0};
    struct lb_rd rd = lb_rd(entry);
    if (lb_bytes_start_with(entry, lb_bytes_of_text("_SM3_"))) {
        lb_rd_skip(&rd, 12);
        made.len = lb_rd_u32le(&rd);
        made.address = lb_rd_u64le(&rd);
    } else if (lb_bytes_start_with(entry, lb_bytes_of_text("_SM_"))) {
        lb_rd_skip(&rd, 22);
        made.len = lb_rd_u16le(&rd);
        made.address = lb_rd_u32le(&rd);
    }
    made.len = LB_MIN(made.len, SMBIOS_MAX);
    if (!lb_rd_ok(&rd) || made.len == 0 || made.address == 0)
        return false;
    *place = made;
    return true;
}
