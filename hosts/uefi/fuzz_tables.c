/* What the firmware holds: the first byte chooses SMBIOS structures, an entry point of theirs, the
 * options of DHCPv6 that PXE kept, or its packet of DHCPv4. */
#include "core/dhcp4/dhcp4_wire.h"
#include "hosts/uefi/boot_url.h"
#include "hosts/uefi/smbios.h"
#include "tests/fuzz.h"

static void take_url(struct lb_bytes bytes) {
    struct boot_url url;
    if (!boot_url_find(bytes, &url))
        return;
    lb_assert(url.server.family == LB_V6);
    lb_assert(url.folder.len == 0 ||
              (url.folder.p >= bytes.p && url.folder.p + url.folder.len <= bytes.p + bytes.len));
}

static void take_packet(struct lb_bytes bytes) {
    static struct lb_dhcp4_message message;
    static struct lb_dhcp4_lease lease;
    const char *why;
    if (lb_dhcp4_decode(bytes, &message, &why))
        lb_dhcp4_read_lease(&message, lb_addr_v4(192, 0, 2, 1), &lease);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct lb_bytes bytes = lb_bytes_after(lb_bytes(data, size), 1);
    struct smbios_place place;
    uint8_t uuid[16];
    switch (size > 0 ? data[0] : 0) {
    case 'u':
        take_url(bytes);
        break;
    case 'p':
        take_packet(bytes);
        break;
    case 'e':
        if (smbios_place(bytes, &place))
            lb_assert(place.len > 0 && place.len <= SMBIOS_MAX && place.address != 0);
        break;
    default:
        (void)smbios_uuid(bytes, uuid);
    }
    return 0;
}
