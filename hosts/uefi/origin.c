#include "hosts/uefi/origin.h"
#include "core/dhcp4/dhcp4_wire.h"
#include "hosts/uefi/boot_url.h"
#include "hosts/uefi/tftp_error.h"

static EFI_GUID loaded_guid = EFI_LOADED_IMAGE_PROTOCOL_GUID;
static EFI_GUID path_guid = EFI_DEVICE_PATH_PROTOCOL_GUID;
static EFI_GUID pxe_guid = EFI_PXE_BASE_CODE_PROTOCOL_GUID;
static EFI_GUID shell_guid = {
    0x752f3136, 0x4e16, 0x4fdc, {0xa2, 0x2a, 0xe5, 0xf4, 0x68, 0x12, 0xf4, 0xca}};

#define MSG_URI_NODE   24 /* UEFI 2.10 10.3.4.24 */
#define OPTIONS6_AT    4  /* UEFI 2.10 24.3.2: EFI_PXE_BASE_CODE_DHCPV6_PACKET */
#define OPTIONS6_BYTES 1024

static EFI_LOADED_IMAGE *image(void) {
    EFI_LOADED_IMAGE *loaded = NULL;
    if (EFI_ERROR(bs->HandleProtocol(self, &loaded_guid, (void **)&loaded)))
        return NULL;
    return loaded;
}

static EFI_PXE_BASE_CODE *pxe(void) {
    EFI_PXE_BASE_CODE *found = NULL;
    EFI_LOADED_IMAGE *loaded = image();
    if (loaded == NULL || loaded->DeviceHandle == NULL ||
        EFI_ERROR(bs->HandleProtocol(loaded->DeviceHandle, &pxe_guid, (void **)&found)))
        return NULL;
    return found->Mode->Started && found->Mode->DhcpAckReceived ? found : NULL;
}

static bool has_uri(const EFI_DEVICE_PATH *path) {
    for (; path != NULL && !IsDevicePathEnd(path); path = NextDevicePathNode(path))
        if (DevicePathType(path) == MESSAGING_DEVICE_PATH &&
            DevicePathSubType(path) == MSG_URI_NODE)
            return true;
    return false;
}

enum origin origin_find(void) {
    EFI_LOADED_IMAGE *loaded = image();
    EFI_DEVICE_PATH *device = NULL;
    void *shell = NULL;
    if (!EFI_ERROR(bs->HandleProtocol(self, &shell_guid, &shell)))
        return ORIGIN_SHELL;
    if (loaded == NULL)
        return ORIGIN_DISK;
    bs->HandleProtocol(loaded->DeviceHandle, &path_guid, (void **)&device);
    if (has_uri(device) || has_uri(loaded->FilePath))
        return ORIGIN_HTTP;
    return pxe() != NULL ? ORIGIN_PXE : ORIGIN_DISK;
}

const char *origin_word(enum origin origin) {
    static const char *const words[] = {
        [ORIGIN_DISK] = "a disk",
        [ORIGIN_PXE] = "PXE",
        [ORIGIN_HTTP] = "HTTP Boot",
        [ORIGIN_SHELL] = "the shell",
    };
    return words[origin];
}

/* ---- what PXE holds -------------------------------------------------------------------------- */

/* The packet that named the boot file: a proxy's where there is one. */
static const EFI_PXE_BASE_CODE_PACKET *boot_packet(const EFI_PXE_BASE_CODE_MODE *mode) {
    return mode->ProxyOfferReceived ? &mode->ProxyOffer : &mode->DhcpAck;
}

/* The firmware does not keep the packet's length: the options end at code 255. */
static bool decode(const EFI_PXE_BASE_CODE_PACKET *packet, struct lb_dhcp4_message *message) {
    const char *why;
    return lb_dhcp4_decode(lb_bytes(packet, sizeof *packet), message, &why);
}

static bool read_lease(const EFI_PXE_BASE_CODE_PACKET *packet, struct lb_dhcp4_lease *lease) {
    struct lb_dhcp4_message *message = uefi_alloc(sizeof *message);
    bool ok = message != NULL && decode(packet, message);
    if (ok)
        lb_dhcp4_read_lease(message, lb_addr_v4_bytes(packet->Dhcpv4.BootpSiAddr), lease);
    uefi_free(message);
    return ok;
}

bool origin_lease(struct lb_dhcp4_lease *lease, uint8_t mac[6]) {
    EFI_PXE_BASE_CODE *found = pxe();
    if (found == NULL || found->Mode->UsingIpv6 || !read_lease(&found->Mode->DhcpAck, lease))
        return false;
    memcpy(mac, found->Mode->DhcpAck.Dhcpv4.BootpHwAddr, 6);
    return true;
}

/* ---- the directory we came from -------------------------------------------------------------- */

struct place {
    struct lb_addr server;
    char path[300];
};

static bool set_path(struct place *place, struct lb_bytes folder, const char *name) {
    struct lb_text text = lb_text(place->path, sizeof place->path);
    lb_text_add(&text, "%.*s%s", (int)folder.len, (const char *)folder.p, name);
    return !text.cut;
}

static bool place4(const EFI_PXE_BASE_CODE_PACKET *packet, const struct lb_dhcp4_lease *lease,
                   const char *name, struct place *place) {
    size_t dir = 0;
    for (size_t i = 0; lease->bootfile[i] != '\0'; i++)
        if (lease->bootfile[i] == '/')
            dir = i + 1;
    place->server = lb_addr_v4_bytes(packet->Dhcpv4.BootpSiAddr);
    /* option 66 as an address; a name is left to siaddr */
    lb_addr_parse(lb_bytes_of_text(lease->tftp_server), &place->server);
    if (lb_addr_is_zero(place->server))
        place->server = lease->server;
    return set_path(place, lb_bytes(lease->bootfile, dir), name);
}

static bool place6(const EFI_PXE_BASE_CODE_PACKET *packet, const char *name, struct place *place) {
    struct boot_url url;
    struct lb_bytes options = lb_bytes(packet->Raw + OPTIONS6_AT, OPTIONS6_BYTES);
    if (!boot_url_find(options, &url))
        return false;
    place->server = url.server;
    return set_path(place, url.folder, name);
}

/* The server's words are for the person who reads the error. */
static EFI_STATUS judge(const EFI_PXE_BASE_CODE_TFTP_ERROR *error) {
    char shown[100];
    struct lb_text text = lb_text(shown, sizeof shown);
    struct lb_bytes words = lb_bytes(error->ErrorString, sizeof error->ErrorString);
    if (tftp_error_is_no_file(error->ErrorCode, words))
        return EFI_NOT_FOUND;
    for (size_t i = 0; i < words.len; i++)
        if (words.p[i] == 0)
            words.len = i;
    lb_text_untrusted(&text, words);
    say("the TFTP server says: %s\n", shown);
    return EFI_TFTP_ERROR;
}

static EFI_STATUS ask(EFI_PXE_BASE_CODE *base, EFI_PXE_BASE_CODE_TFTP_OPCODE what,
                      struct place *place, struct lb_span room, UINT64 *size) {
    EFI_IP_ADDRESS ip = {0};
    memcpy(ip.v6.Addr, place->server.bytes, sizeof ip.v6.Addr); /* IPv4's are the first four */
    base->Mode->TftpErrorReceived = FALSE;
    *size = room.len;
    return base->Mtftp(base, what, room.p, FALSE, size, NULL, &ip, (UINT8 *)place->path, NULL,
                       FALSE);
}

/* EDK2 keeps the server's answer when it asks for a file's size, and not when it reads one. Where
 * the firmware keeps it nowhere, the server has answered, and most servers mean by an error that
 * there is no such file. */
static EFI_STATUS why_refused(EFI_PXE_BASE_CODE *base, struct place *place) {
    UINT64 size;
    if (base->Mode->TftpErrorReceived)
        return judge(&base->Mode->TftpError);
    EFI_STATUS status =
        ask(base, EFI_PXE_BASE_CODE_TFTP_GET_FILE_SIZE, place, lb_span(NULL, 0), &size);
    if (status != EFI_TFTP_ERROR)
        return EFI_ERROR(status) ? status : EFI_TFTP_ERROR; /* it is there, and was refused */
    if (base->Mode->TftpErrorReceived)
        return judge(&base->Mode->TftpError);
    say("the firmware does not tell what the TFTP server answered: no file, presumably\n");
    return EFI_NOT_FOUND;
}

/* iPXE leaves the size as it was: what fills the room ends with its last byte that is not 0. */
static EFI_STATUS fetch(EFI_PXE_BASE_CODE *base, struct place *place, uint8_t *room, size_t cap,
                        size_t *len) {
    UINT64 size;
    memset(room, 0, cap);
    EFI_STATUS status =
        ask(base, EFI_PXE_BASE_CODE_TFTP_READ_FILE, place, lb_span(room, cap), &size);
    while (size == cap && cap > 0 && room[cap - 1] == 0)
        size = --cap;
    *len = EFI_ERROR(status) ? 0 : (size_t)size;
    if (status == EFI_TFTP_ERROR)
        return why_refused(base, place);
    return !EFI_ERROR(status) && size > cap ? EFI_BUFFER_TOO_SMALL : status;
}

EFI_STATUS origin_load(const char *name, uint8_t *room, size_t cap, size_t *len) {
    EFI_PXE_BASE_CODE *found = pxe();
    struct lb_dhcp4_lease *lease = uefi_alloc(sizeof *lease);
    struct place place;
    bool is_known = false;
    *len = 0;
    if (found != NULL && found->Mode->UsingIpv6)
        is_known = place6(boot_packet(found->Mode), name, &place);
    else if (found != NULL && lease != NULL)
        is_known = read_lease(boot_packet(found->Mode), lease) &&
                   place4(boot_packet(found->Mode), lease, name, &place);
    uefi_free(lease);
    if (!is_known)
        return EFI_NOT_FOUND;
    say("%s from %s ...\n", place.path, lb_addr_text(place.server).s);
    return fetch(found, &place, room, cap, len);
}
