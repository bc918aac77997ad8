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
    uefi_free(devices);
}

size_t nic_find_all(EFI_HANDLE **handles) {
    UINTN count = 0;
    connect_drivers();
    *handles = NULL;
    if (bs->LocateHandleBuffer(ByProtocol, &snp_guid, NULL, &count, handles) != EFI_SUCCESS)
        return 0;
    return count;
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
    UINT32 wanted = EFI_SIMPLE_NETWORK_RECEIVE_UNICAST | EFI_SIMPLE_NETWORK_RECEIVE_BROADCAST |
                    EFI_SIMPLE_NETWORK_RECEIVE_PROMISCUOUS_MULTICAST;
    wanted &= snp->Mode->ReceiveFilterMask;
    return snp->ReceiveFilters(snp, wanted, 0, FALSE, 0, NULL);
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

/* Takes back the buffers that the card has sent. */
static void reclaim(struct nic *nic) {
    UINT32 interrupts;
    for (unsigned i = 0; i < NIC_TX_MAX; i++) {
        void *done = NULL;
        if (EFI_ERROR(nic->snp->GetStatus(nic->snp, &interrupts, &done)) || done == NULL)
            return;
        size_t at = (size_t)((uint8_t *)done - nic->tx_room) / NIC_FRAME_MAX;
        if ((uint8_t *)done >= nic->tx_room && at < NIC_TX_MAX)
            nic->tx_busy[at] = false;
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
    reclaim(nic);
    uint8_t *room = free_frame(nic, &at);
    if (room == NULL || len > NIC_FRAME_MAX) {
        nic->tx_full++;
        return false; /* lost, as on a wire: TCP sends it again */
    }
    memcpy(room, frame, len);
    nic->tx_busy[at] = true;
    EFI_STATUS status = nic->snp->Transmit(nic->snp, 0, len, room, NULL, NULL, NULL);
    if (status == EFI_NOT_READY) {
        reclaim(nic);
        status = nic->snp->Transmit(nic->snp, 0, len, room, NULL, NULL, NULL);
    }
    if (EFI_ERROR(status)) {
        nic->tx_busy[at] = false;
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
