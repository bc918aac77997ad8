#include "hosts/uefi/variable.h"

#define HIDDEN (EFI_VARIABLE_NON_VOLATILE | EFI_VARIABLE_BOOTSERVICE_ACCESS)

/* Our vendor GUID. */
static EFI_GUID lunboot_guid = {
    0x6c756e62, 0x6f6f, 0x4474, {0x8a, 0x1e, 0x52, 0x46, 0x43, 0x34, 0x31, 0x37}};
static CHAR16 name_of[] = L"LunbootConfig", new_name[] = L"LunbootConfigNew";

static EFI_STATUS load(CHAR16 *name, uint8_t *room, size_t cap, size_t *len, UINT32 *attributes) {
    UINTN size = cap;
    EFI_STATUS status =
        st->RuntimeServices->GetVariable(name, &lunboot_guid, attributes, &size, room);
    *len = EFI_ERROR(status) ? 0 : size;
    return status;
}

static EFI_STATUS store(CHAR16 *name, UINT32 attributes, struct lb_bytes lines) {
    return st->RuntimeServices->SetVariable(name, &lunboot_guid, attributes, lines.len,
                                            (void *)(uintptr_t)lines.p);
}

EFI_STATUS variable_load(uint8_t *room, size_t cap, size_t *len, const char **name) {
    UINT32 attributes = 0;
    EFI_STATUS status = load(new_name, room, cap, len, &attributes);
    *name = VARIABLE_NEW_NAME;
    if (status != EFI_NOT_FOUND)
        return status;
    *name = VARIABLE_NAME;
    return load(name_of, room, cap, len, &attributes);
}

/* Whether the variable is there; its attributes. */
static bool has(CHAR16 *name, UINT32 *attributes) {
    UINTN size = 0;
    uint8_t nothing;
    *attributes = 0;
    EFI_STATUS status =
        st->RuntimeServices->GetVariable(name, &lunboot_guid, attributes, &size, &nothing);
    return status == EFI_BUFFER_TOO_SMALL || !EFI_ERROR(status);
}

/* Attributes of a variable cannot be changed: it is deleted and made anew. */
static EFI_STATUS replace(CHAR16 *name, struct lb_bytes lines, UINT32 before, bool was_there) {
    if (was_there && before != HIDDEN) {
        EFI_STATUS status = store(name, before, lb_bytes(NULL, 0));
        if (EFI_ERROR(status))
            return status;
    }
    return store(name, HIDDEN, lines);
}

/* Not every firmware tells the attributes with EFI_BUFFER_TOO_SMALL. */
static UINT32 attributes_of(CHAR16 *name, bool *is_there) {
    UINT32 attributes;
    *is_there = has(name, &attributes);
    if (*is_there && attributes == 0) {
        size_t len, cap = 16384;
        uint8_t *room = uefi_alloc(cap);
        if (room != NULL)
            load(name, room, cap, &len, &attributes);
        uefi_free(room);
    }
    return attributes;
}

void variable_hide(struct lb_bytes lines) {
    bool is_there, new_is_there;
    UINT32 attributes = attributes_of(name_of, &is_there);
    UINT32 new_attributes = attributes_of(new_name, &new_is_there);
    EFI_STATUS status = EFI_SUCCESS;
    if (!new_is_there && attributes == HIDDEN)
        return;
    if (!new_is_there) {
        status = store(new_name, HIDDEN, lines);
        new_attributes = HIDDEN;
    }
    if (!EFI_ERROR(status))
        status = replace(name_of, lines, attributes, is_there);
    if (!EFI_ERROR(status))
        status = store(new_name, new_attributes, lb_bytes(NULL, 0));
    if (EFI_ERROR(status))
        say("the operating system can read " VARIABLE_NAME ": storing it: %s\n",
            status_word(status));
    else
        say(VARIABLE_NAME " is stored, and the operating system cannot read it\n");
}

/* ---- replay values ---- */

static CHAR16 seen_name[] = L"LunbootDhcpSeen";

/* The struct as it is: any bytes are one that can be used. */
static bool load_seen(struct lb_dhcp_seen *seen) {
    UINT32 attributes = 0;
    size_t len;
    EFI_STATUS status = load(seen_name, (uint8_t *)seen, sizeof *seen, &len, &attributes);
    return !EFI_ERROR(status) && len == sizeof *seen && attributes == HIDDEN;
}

void variable_load_seen(struct lb_dhcp_seen *seen) {
    if (!load_seen(seen))
        *seen = (struct lb_dhcp_seen){.next = 0};
}

void variable_store_seen(const struct lb_dhcp_seen *seen) {
    struct lb_dhcp_seen before;
    UINT32 attributes;
    if (load_seen(&before) && memcmp(seen, &before, sizeof before) == 0)
        return;
    bool is_there = has(seen_name, &attributes);
    EFI_STATUS status = replace(seen_name, lb_bytes(seen, sizeof *seen), attributes, is_there);
    if (EFI_ERROR(status))
        say("storing LunbootDhcpSeen: %s\n", status_word(status));
}
