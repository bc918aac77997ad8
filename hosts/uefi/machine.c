/* The machine's UUID, from where the firmware says that its SMBIOS tables are. */
#include "hosts/uefi/settings.h"
#include "hosts/uefi/smbios.h"

static EFI_GUID smbios3_guid = {
    0xf2fd1544, 0x9794, 0x4a2c, {0x99, 0x2e, 0xe5, 0xbb, 0xcf, 0x20, 0xe3, 0x94}};
static EFI_GUID smbios_guid = {
    0xeb9d2d31, 0x2d88, 0x11d3, {0x9a, 0x16, 0x00, 0x90, 0x27, 0x3f, 0xc1, 0x4d}};

void *machine_table(const EFI_GUID *guid) {
    for (UINTN i = 0; i < st->NumberOfTableEntries; i++)
        if (guid_equal(&st->ConfigurationTable[i].VendorGuid, guid))
            return st->ConfigurationTable[i].VendorTable;
    return NULL;
}

static bool take_uuid(const EFI_GUID *guid, size_t len, uint8_t uuid[16]) {
    const void *entry = machine_table(guid);
    struct smbios_place place;
    return entry != NULL && smbios_place(lb_bytes(entry, len), &place) &&
           smbios_uuid(lb_bytes((const void *)(uintptr_t)place.address, place.len), uuid);
}

void machine_uuid(uint8_t uuid[16]) {
    memset(uuid, 0, 16);
    if (!take_uuid(&smbios3_guid, 24, uuid))
        (void)take_uuid(&smbios_guid, 31, uuid);
}
