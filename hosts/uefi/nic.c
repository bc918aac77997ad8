#include "hosts/uefi/nic.h"

static EFI_GUID snp_guid = EFI_SIMPLE_NETWORK_PROTOCOL_GUID;

/* A firmware that starts fast has connected only what its boot option needs. */
static void connect_drivers(void) {
    EFI_GUID pci_guid = EFI_PCI_IO_PROTOCOL_GUID;
    EFI_HANDLE *devices = NULL;
    UINTN count = 0;
    if (bs->LocateHandleBuffer(ByProtocol, &pci_guid, NULL, &count, &devices) != EFI_SUCCESS)
        return;
    for (UINTN i = 0; i < count; i++)
        bs->ConnectController(devices[i], NULL, NULL, TRUE);
    pool_free(devices);
}

size_t nic_find_all(EFI_HANDLE **handles) {
    UINTN count = 0;
    connect_drivers();
    *handles = NULL;
    if (bs->LocateHandleBuffer(ByProtocol, &snp_guid, NULL, &count, handles) != EFI_SUCCESS)
        return 0;
    return count;
}

#define ALWAYS (EFI_SIMPLE_NETWORK_RECEIVE_UNICAST | EFI_SIMPLE_NETWORK_RECEIVE_BROADCAST)
#define EVER                                                                                       \
    (ALWAYS | EFI_SIMPLE_NETWORK_RECEIVE_MULTICAST | EFI_SIMPLE_NETWORK_RECEIVE_PROMISCUOUS |      \
     EFI_SIMPLE_NETWORK_RECEIVE_PROMISCUOUS_MULTICAST)

/* Our own and broadcast frames, where the card can tell them, and those of `more`; false if it
 * cannot, or will not. */
static bool set_filters(struct nic *nic, UINT32 more, size_t group_count) {
    EFI_SIMPLE_NETWORK *snp = nic->snp;
    UINT32 enable = (ALWAYS & snp->Mode->ReceiveFilterMask) | more;
    UINT32 disable = EVER & snp->Mode->ReceiveFilterMask & ~enable;
    if ((more & ~snp->Mode->ReceiveFilterMask) != 0 || group_count > snp->Mode->MaxMCastFilterCount)
        return false;
    return !EFI_ERROR(snp->ReceiveFilters(snp, enable, disable, group_count == 0, group_count,
                                          group_count == 0 ? NULL : nic->groups));
}

void nic_hear_groups(struct nic *nic, const uint8_t (*groups)[6], size_t count) {
    if (nic->hears_all_groups)
        return;
    for (size_t i = 0; i < count && i < NIC_GROUPS_MAX; i++)
        memcpy(nic->groups[i].Addr, groups[i], 6);
    if (count > NIC_GROUPS_MAX || !set_filters(nic, EFI_SIMPLE_NETWORK_RECEIVE_MULTICAST, count))
        nic->hears_all_groups = set_filters(nic, EFI_SIMPLE_NETWORK_RECEIVE_PROMISCUOUS, 0);
}

static EFI_STATUS start(struct nic *nic) {
    EFI_SIMPLE_NETWORK *snp = nic->snp;
    EFI_STATUS status = EFI_SUCCESS;
    if (snp->Mode->State == EfiSimpleNetworkInitialized) {
        snp->Shutdown(snp); /* with another's filters and buffers */
    }
    if (snp->Mode->State == EfiSimpleNetworkStopped)
        status = snp->Start(snp);
    if (!EFI_ERROR(status))
        status = snp->Initialize(snp, 0, 0);
    if (EFI_ERROR(status))
        return status;
    /* IPv6 lives by multicast, and a list of groups is what drivers most often get wrong. */
    nic->hears_all_groups = set_filters(nic, EFI_SIMPLE_NETWORK_RECEIVE_PROMISCUOUS_MULTICAST, 0);
    return nic->hears_all_groups || set_filters(nic, 0, 0) ? EFI_SUCCESS : EFI_DEVICE_ERROR;
}

EFI_STATUS nic_open(struct nic *nic, EFI_HANDLE handle, unsigned number) {
    memset(nic, 0, sizeof *nic);
    nic->handle = handle;
    lb_format(nic->name, sizeof nic->name, "net%u", number);
    EFI_STATUS status = bs->OpenProtocol(handle, &snp_guid, (void **)&nic->snp, self, NULL,
                                         EFI_OPEN_PROTOCOL_EXCLUSIVE);
    if (EFI_ERROR(status))
        return status;
    nic->tx_room = uefi_alloc((size_t)NIC_TX_MAX * NIC_FRAME_MAX);
    status = nic->tx_room == NULL ? EFI_OUT_OF_RESOURCES : start(nic);
    if (EFI_ERROR(status)) {
        nic_close(nic);
        return status;
    }
    memcpy(nic->mac, nic->snp->Mode->CurrentAddress.Addr, sizeof nic->mac);
    return EFI_SUCCESS;
}

void nic_close(struct nic *nic) {
    if (nic->snp == NULL)
        return;
    nic->snp->Shutdown(nic->snp);
    nic->snp->Stop(nic->snp);
    bs->CloseProtocol(nic->handle, &snp_guid, self, NULL);
    bs->ConnectController(nic->handle, NULL, NULL, TRUE);
    uefi_free(nic->tx_room);
    memset(nic, 0, sizeof *nic);
}

bool nic_has_link(struct nic *nic) {
    UINT32 interrupts;
    if (!nic->snp->Mode->MediaPresentSupported)
        return true;
    nic->snp->GetStatus(nic->snp, &interrupts, NULL); /* refreshes Mode */
    return nic->snp->Mode->MediaPresent;
}

static void give_back(struct nic *nic, size_t at) {
    nic->tx_count -= nic->tx_busy[at];
    nic->tx_busy[at] = false;
}

/* Takes back the buffers that the card has sent. To ask is dear, for drivers ask the card whether
 * there is a link each time. */
static void reclaim(struct nic *nic) {
    UINT32 interrupts;
    for (unsigned i = 0; i < NIC_TX_MAX && nic->tx_count > 0; i++) {
        void *done = NULL;
        if (EFI_ERROR(nic->snp->GetStatus(nic->snp, &interrupts, &done)) || done == NULL)
            return;
        size_t at = (size_t)((uint8_t *)done - nic->tx_room) / NIC_FRAME_MAX;
        if ((uint8_t *)done >= nic->tx_room && at < NIC_TX_MAX)
            give_back(nic, at);
    }
}

static uint8_t *free_frame(struct nic *nic, size_t *at) {
    for (*at = 0; *at < NIC_TX_MAX; (*at)++)
        if (!nic->tx_busy[*at])
            return nic->tx_room + *at * NIC_FRAME_MAX;
    return NULL;
}

bool nic_send(struct nic *nic, const uint8_t *frame, size_t len) {
    size_t at;
    if (nic->tx_count >= NIC_TX_MAX / 2)
        reclaim(nic);
    uint8_t *room = free_frame(nic, &at);
    if (room == NULL || len > NIC_FRAME_MAX) {
        nic->tx_full++;
        return false; /* lost, as on a wire: TCP sends it again */
    }
    memcpy(room, frame, len);
    nic->tx_busy[at] = true;
    nic->tx_count++;
    EFI_STATUS status = nic->snp->Transmit(nic->snp, 0, len, room, NULL, NULL, NULL);
    if (status == EFI_NOT_READY) {
        reclaim(nic);
        status = nic->snp->Transmit(nic->snp, 0, len, room, NULL, NULL, NULL);
    }
    if (EFI_ERROR(status)) {
        give_back(nic, at);
        nic->tx_full++;
        return false;
    }
    nic->sent++;
    return true;
}

size_t nic_receive(struct nic *nic, uint8_t *frame, size_t cap) {
    UINTN len = cap;
    if (EFI_ERROR(nic->snp->Receive(nic->snp, NULL, &len, frame, NULL, NULL, NULL)))
        return 0;
    nic->received++;
    return len;
}
