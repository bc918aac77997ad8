/* The machine's UUID, from the tables of SMBIOS. */
#include "hosts/uefi/settings.h"

static EFI_GUID smbios3_guid = {
    0xf2fd1544, 0x9794, 0x4a2c, {0x99, 0x2e, 0xe5, 0xbb, 0xcf, 0x20, 0xe3, 0x94}};
static EFI_GUID smbios_guid = {
    0xeb9d2d31, 0x2d88, 0x11d3, {0x9a, 0x16, 0x00, 0x90, 0x27, 0x3f, 0xc1, 0x4d}};

/* Walks the structures to type 1 (System Information); its UUID is at offset 8, with the first
 * three fields little-endian (SMBIOS 2.6): turned round here, so that text and bytes agree. */
static bool find_uuid(const uint8_t *table, size_t len, uint8_t uuid[16]) {
    struct lb_rd rd = lb_rd(lb_bytes(table, len));
    while (rd.left >= 4) {
        const uint8_t *start = rd.at;
        uint8_t type = start[0], size = start[1];
        if (size < 4 || type == 127)
            return false;
        if (type == 1 && size >= 24 && rd.left >= 24) {
            static const uint8_t order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
            for (size_t i = 0; i < 16; i++)
                uuid[i] = start[8 + order[i]];
            return true;
        }
        lb_rd_skip(&rd, size);
        while (rd.left >= 2 && (rd.at[0] != 0 || rd.at[1] != 0))
            lb_rd_skip(&rd, 1);
        lb_rd_skip(&rd, 2);
    }
    return false;
}

static bool is_plausible(const uint8_t uuid[16]) {
    bool zeros = true, ones = true;
    for (size_t i = 0; i < 16; i++) {
        zeros = zeros && uuid[i] == 0;
        ones = ones && uuid[i] == 0xff;
    }
    return !zeros && !ones;
}

void machine_uuid(uint8_t uuid[16]) {
    memset(uuid, 0, 16);
    for (UINTN i = 0; i < st->NumberOfTableEntries; i++) {
        const EFI_CONFIGURATION_TABLE *entry = &st->ConfigurationTable[i];
        const uint8_t *anchor = entry->VendorTable;
        bool found = false;
        if (guid_equal(&entry->VendorGuid, &smbios3_guid)) {
            struct lb_rd rd = lb_rd(lb_bytes(anchor, 24));
            lb_rd_skip(&rd, 12);
            size_t len = lb_rd_u32le(&rd);
            found = find_uuid((const uint8_t *)(uintptr_t)lb_rd_u64le(&rd), len, uuid);
        } else if (guid_equal(&entry->VendorGuid, &smbios_guid)) {
            struct lb_rd rd = lb_rd(lb_bytes(anchor, 31));
            lb_rd_skip(&rd, 22);
            size_t len = lb_rd_u16le(&rd);
            found = find_uuid((const uint8_t *)(uintptr_t)lb_rd_u32le(&rd), len, uuid);
        }
        if (found && is_plausible(uuid))
            return;
        memset(uuid, 0, 16);
    }
}
