#include "hosts/uefi/settings.h"
#include "hosts/uefi/file.h"
#include "hosts/uefi/origin.h"

#define CONF_MAX 16384

static EFI_GUID loaded_guid = EFI_LOADED_IMAGE_PROTOCOL_GUID;
/* Our vendor GUID, for variables. */
static EFI_GUID lunboot_guid = {
    0x6c756e62, 0x6f6f, 0x4474, {0x8a, 0x1e, 0x52, 0x46, 0x43, 0x34, 0x31, 0x37}};
static EFI_GUID smbios3_guid = {
    0xf2fd1544, 0x9794, 0x4a2c, {0x99, 0x2e, 0xe5, 0xbb, 0xcf, 0x20, 0xe3, 0x94}};
static EFI_GUID smbios_guid = {
    0xeb9d2d31, 0x2d88, 0x11d3, {0x9a, 0x16, 0x00, 0x90, 0x27, 0x3f, 0xc1, 0x4d}};

static bool from_file(struct lb_config *config, EFI_HANDLE volume, struct lb_error *error) {
    static const CHAR16 root_name[] = L"\\lunboot.conf",
                        boot_name[] = L"\\EFI\\lunboot\\lunboot.conf";
    uint8_t *room = uefi_alloc(CONF_MAX);
    if (room == NULL)
        return true;
    size_t len = file_read(volume, boot_name, room, CONF_MAX);
    if (len == 0)
        len = file_read(volume, root_name, room, CONF_MAX);
    if (len == 0)
        len = origin_read_file("lunboot.conf", room, CONF_MAX);
    bool ok = lb_config_file(config, LB_SOURCE_FILE, lb_bytes(room, len), error);
    memset(room, 0, CONF_MAX);
    uefi_free(room);
    return ok;
}

static bool from_variable(struct lb_config *config, struct lb_error *error) {
    static CHAR16 name[] = L"LunbootConfig";
    uint8_t *room = uefi_alloc(CONF_MAX);
    UINTN len = CONF_MAX;
    if (room == NULL)
        return true;
    if (EFI_ERROR(st->RuntimeServices->GetVariable(name, &lunboot_guid, NULL, &len, room)))
        len = 0;
    bool ok = lb_config_file(config, LB_SOURCE_FIRMWARE, lb_bytes(room, len), error);
    memset(room, 0, CONF_MAX);
    uefi_free(room);
    return ok;
}

/* `--key=value` or `key=value` words in UCS-2; the program's own name may come first. */
static bool from_options(struct lb_config *config, const EFI_LOADED_IMAGE *image,
                         struct lb_error *error) {
    char line[1024], word[1024];
    size_t len = 0, at = 0;
    const CHAR16 *options = image->LoadOptions;
    size_t chars = options == NULL ? 0 : image->LoadOptionsSize / 2;
    for (size_t i = 0; i < chars && options[i] != 0 && len + 1 < sizeof line; i++)
        line[len++] = options[i] >= 0x20 && options[i] < 0x7f ? (char)options[i] : '?';
    struct lb_bytes rest = lb_bytes(line, len), item;
    while (lb_list_next(&rest, ' ', &item)) {
        if (lb_bytes_start_with(item, lb_bytes_of_text("--")))
            item = lb_bytes_after(item, 2);
        for (at = 0; at < item.len && item.p[at] != '='; at++)
            word[at] = (char)item.p[at];
        if (at == item.len)
            continue; /* the program's name, or a word for somebody else */
        if (!lb_config_set(config, LB_SOURCE_OPTION, lb_bytes(word, at),
                           lb_bytes_after(item, at + 1), error))
            return false;
    }
    return true;
}

/* Whoever starts the program by hand, or names it in a DHCP server as boot file, says by that act
 * that this machine is to boot so. `enable = no` in any source still forbids it. */
static void enable_by_origin(struct lb_config *config, enum origin origin) {
    struct lb_error error = {.code = LB_OK};
    if (origin != ORIGIN_DISK && !lb_config_is_set(config, LB_KEY_ENABLE))
        lb_config_set(config, LB_SOURCE_START, lb_bytes_of_text("enable"), lb_bytes_of_text("yes"),
                      &error);
}

bool settings_read(struct lb_config *config, struct lb_error *error) {
    EFI_LOADED_IMAGE *image = NULL;
    enum origin origin = origin_find();
    say("started from %s\n", origin_word(origin));
    if (EFI_ERROR(bs->HandleProtocol(self, &loaded_guid, (void **)&image)))
        return true;
    if (!from_file(config, image->DeviceHandle, error) || !from_variable(config, error) ||
        !from_options(config, image, error))
        return false;
    enable_by_origin(config, origin);
    return true;
}

/* ---- SMBIOS ------------------------------------------------------------------------------------
 */

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
