#include "hosts/uefi/connect.h"
#include "hosts/uefi/card_path.h"
#include "hosts/uefi/path.h"

/* PCI Code and ID Assignment Specification 1.3, 3 and 13. */
#define CLASS_AT      0x0a /* of the configuration space: subclass, then class */
#define CLASS_NETWORK 0x02
#define CLASS_SERIAL  0x0c
#define SUBCLASS_USB  0x03
#define CONNECT_DEEP  TRUE

static EFI_GUID pci_guid = EFI_PCI_IO_PROTOCOL_GUID;
static EFI_GUID path_guid = EFI_DEVICE_PATH_PROTOCOL_GUID;

static bool is_network_pci(EFI_HANDLE device) {
    EFI_PCI_IO_PROTOCOL *pci = NULL;
    UINT8 class[2] = {0};
    if (EFI_ERROR(bs->HandleProtocol(device, &pci_guid, (void **)&pci)) ||
        EFI_ERROR(pci->Pci.Read(pci, EfiPciIoWidthUint8, CLASS_AT, sizeof class, class)))
        return false;
    return class[1] == CLASS_NETWORK || (class[1] == CLASS_SERIAL && class[0] == SUBCLASS_USB);
}

static bool is_platform_device(EFI_HANDLE device) {
    EFI_DEVICE_PATH *path = NULL;
    return !EFI_ERROR(bs->HandleProtocol(device, &path_guid, (void **)&path)) &&
           card_path_is_platform(lb_bytes(path, path_len(path)));
}

static bool is_any(EFI_HANDLE device) {
    (void)device;
    return true;
}

void connect_wanted(EFI_GUID *protocol_or_null, bool (*is_wanted)(EFI_HANDLE)) {
    EFI_HANDLE *devices = NULL;
    UINTN count = 0;
    if (EFI_ERROR(bs->LocateHandleBuffer(protocol_or_null == NULL ? AllHandles : ByProtocol,
                                         protocol_or_null, NULL, &count, &devices)))
        return;
    for (UINTN i = 0; i < count; i++)
        if (is_wanted(devices[i]))
            bs->ConnectController(devices[i], NULL, NULL, CONNECT_DEEP);
    pool_free(devices);
}

void connect_network(void) {
    connect_wanted(&pci_guid, is_network_pci);
    connect_wanted(&path_guid, is_platform_device);
}

void connect_all(void) {
    connect_wanted(NULL, is_any);
}
