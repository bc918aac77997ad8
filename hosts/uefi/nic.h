/* A network card through the Simple Network Protocol, taken from the firmware's own drivers while
 * we use it, and given back after. Frames are Ethernet's, without FCS. */
#ifndef LB_UEFI_NIC_H
#define LB_UEFI_NIC_H

#include "hosts/uefi/uefi.h"

#define NIC_TX_MAX     64   /* frames handed to the card and not given back yet */
#define NIC_FRAME_MAX  1664 /* Ethernet frame with VLAN tag, rounded up */
#define NIC_GROUPS_MAX 24   /* multicast groups: of each of our addresses one, and a few */

struct nic {
    EFI_HANDLE handle;
    EFI_SIMPLE_NETWORK *snp;
    uint8_t mac[6];
    char name[8]; /* "net0" */
    bool hears_all_groups;
    EFI_MAC_ADDRESS groups[NIC_GROUPS_MAX];
    uint8_t *tx_room; /* NIC_TX_MAX frames */
    bool tx_busy[NIC_TX_MAX];
    unsigned tx_count; /* busy ones */
    uint64_t sent, received, tx_full;
};

/* All handles with the protocol; the caller frees *handles with uefi_free. */
size_t nic_find_all(EFI_HANDLE **handles);
/* Takes the card: drivers that use it are disconnected. */
EFI_STATUS nic_open(struct nic *nic, EFI_HANDLE handle, unsigned number);
/* Stops the card and lets the firmware's drivers come back. */
void nic_close(struct nic *nic);
/* True also where the card cannot tell. */
bool nic_has_link(struct nic *nic);
/* The groups' MAC addresses that the card is to let through, where it cannot let all through. */
void nic_hear_groups(struct nic *nic, const uint8_t (*groups)[6], size_t count);
bool nic_send(struct nic *nic, const uint8_t *frame, size_t len);
/* The next frame's length, 0 when there is none. */
size_t nic_receive(struct nic *nic, uint8_t *frame, size_t cap);

#endif
