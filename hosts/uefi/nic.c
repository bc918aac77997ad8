#include "hosts/uefi/nic.h"

static EFI_GUID snp_guid = EFI_SIMPLE_NETWORK_PROTOCOL_GUID;

#define RECLAIM_US      100             /* between two questions, while frames are on their way */
#define RECLAIM_IDLE_US (10 * LB_US_MS) /* while none is */
#define DRAIN_MAX       256

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

static void hear_groups(struct nic *nic) {
    if (nic->hears_all_groups)
        return;
    if (nic->group_count > NIC_GROUPS_MAX ||
        !set_filters(nic, EFI_SIMPLE_NETWORK_RECEIVE_MULTICAST, nic->group_count))
        nic->hears_all_groups = set_filters(nic, EFI_SIMPLE_NETWORK_RECEIVE_PROMISCUOUS, 0);
}

void nic_hear_groups(struct nic *nic, const uint8_t (*groups)[6], size_t count) {
    nic->group_count = count;
    for (size_t i = 0; i < count && i < NIC_GROUPS_MAX; i++)
        memcpy(nic->groups[i].Addr, groups[i], 6);
    hear_groups(nic);
}

static EFI_STATUS start(struct nic *nic) {
    EFI_SIMPLE_NETWORK *snp = nic->snp;
    EFI_STATUS status = EFI_SUCCESS;
    if (snp->Mode->State == EfiSimpleNetworkInitialized)
        snp->Shutdown(snp); /* with another's filters and buffers */
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

bool nic_restart(struct nic *nic) {
    bool ok = !EFI_ERROR(start(nic));
    tx_init(&nic->tx, nic->tx.room);
    nic->starts++;
    if (ok)
        hear_groups(nic);
    return ok;
}

bool nic_is_ethernet(const EFI_SIMPLE_NETWORK *snp) {
    return snp->Mode->HwAddressSize == 6; /* InfiniBand's have 20 bytes */
}

EFI_STATUS nic_open(struct nic *nic, EFI_HANDLE handle, unsigned number) {
    memset(nic, 0, sizeof *nic);
    nic->handle = handle;
    lb_format(nic->name, sizeof nic->name, "net%u", number);
    EFI_STATUS status = bs->OpenProtocol(handle, &snp_guid, (void **)&nic->snp, self, NULL,
                                         EFI_OPEN_PROTOCOL_EXCLUSIVE);
    if (EFI_ERROR(status)) {
        nic->snp = NULL;
        return status;
    }
    nic->memory = uefi_alloc(TX_FRAMES * TX_FRAME + NIC_LARGE_MAX);
    status = nic->memory == NULL ? EFI_OUT_OF_RESOURCES : start(nic);
    if (EFI_ERROR(status)) {
        nic_close(nic);
        return status;
    }
    tx_init(&nic->tx, nic->memory);
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
    uefi_free(nic->memory);
    memset(nic, 0, sizeof *nic);
}

enum link_word nic_link(struct nic *nic, bool is_in_turn) {
    const EFI_SIMPLE_NETWORK_MODE *mode = nic->snp->Mode;
    struct link_signs signs = {.is_in_turn = is_in_turn, .heard_us = nic->heard_us};
    UINT32 interrupts;
    if (mode->MediaPresentSupported)
        nic->snp->GetStatus(nic->snp, &interrupts, NULL); /* refreshes Mode */
    for (;;) {
        signs.is_told = mode->MediaPresentSupported;
        signs.is_present = mode->MediaPresent;
        enum link_word word = link_judge(&nic->link, clock_us(), &signs);
        if (word != LINK_START)
            return word;
        if (!nic_restart(nic))
            return LINK_DOWN;
    }
}

/* Takes back the buffers that the card has sent. To ask is dear, for drivers ask the card whether
 * there is a link each time. */
static void reclaim(struct nic *nic) {
    UINT32 interrupts;
    for (unsigned i = 0; i <= TX_FRAMES; i++) {
        void *done = NULL;
        if (EFI_ERROR(nic->snp->GetStatus(nic->snp, &interrupts, &done)) || done == NULL)
            return;
        tx_given(&nic->tx, done);
    }
}

void nic_tend(struct nic *nic, uint64_t now_us) {
    if (now_us < nic->reclaim_us)
        return;
    reclaim(nic);
    tx_expire(&nic->tx, now_us);
    nic->reclaim_us = now_us + (nic->tx.busy > 0 ? RECLAIM_US : RECLAIM_IDLE_US);
}

bool nic_send(struct nic *nic, const uint8_t *frame, size_t len) {
    uint8_t *room = tx_take(&nic->tx, clock_us(), frame, &len);
    if (room == NULL) {
        nic->tx_full++;
        return false; /* lost, as on a wire: TCP sends it again */
    }
    EFI_STATUS status = nic->snp->Transmit(nic->snp, 0, len, room, NULL, NULL, NULL);
    if (status == EFI_NOT_READY) {
        reclaim(nic);
        status = nic->snp->Transmit(nic->snp, 0, len, room, NULL, NULL, NULL);
    }
    if (EFI_ERROR(status)) {
        tx_given(&nic->tx, room);
        nic->tx_full++;
        return false;
    }
    nic->sent++;
    nic->reclaim_us = 0;
    return true;
}

size_t nic_receive(struct nic *nic, uint8_t *frame, size_t cap) {
    EFI_SIMPLE_NETWORK *snp = nic->snp;
    UINTN len = cap;
    EFI_STATUS status = snp->Receive(snp, NULL, &len, frame, NULL, NULL, NULL);
    if (status == EFI_BUFFER_TOO_SMALL) { /* the driver keeps it, and what is behind it */
        len = NIC_LARGE_MAX;
        snp->Receive(snp, NULL, &len, nic->memory + TX_FRAMES * TX_FRAME, NULL, NULL, NULL);
        return 0;
    }
    if (EFI_ERROR(status))
        return 0;
    nic->received++;
    nic->heard_us = clock_us();
    return len;
}

void nic_drain(struct nic *nic) {
    uint8_t frame[NIC_FRAME_MAX];
    for (unsigned i = 0; i < DRAIN_MAX && nic_receive(nic, frame, sizeof frame) > 0; i++)
        continue;
    nic_tend(nic, clock_us());
}
