/* A network card through the Simple Network Protocol, taken from the firmware's own drivers while
 * we use it, and given back after. Frames are Ethernet's, without FCS. */
#ifndef LB_UEFI_NIC_H
#define LB_UEFI_NIC_H

#include "hosts/uefi/link.h"
#include "hosts/uefi/tx.h"
#include "hosts/uefi/uefi.h"

#define NIC_FRAME_MAX  TX_FRAME
#define NIC_LARGE_MAX  16384 /* a jumbo frame, which nobody asked for: taken out, and dropped */
#define NIC_GROUPS_MAX 24    /* multicast groups: of each of our addresses one, and a few */

struct nic {
    EFI_HANDLE handle;
    EFI_SIMPLE_NETWORK *snp;
    uint8_t mac[6];
    char name[8]; /* "net0" */
    bool hears_all_groups;
    EFI_MAC_ADDRESS groups[NIC_GROUPS_MAX];
    size_t group_count;
    uint8_t *memory; /* of tx, and for a large frame */
    struct tx tx;
    uint64_t sent, received, tx_full, starts;
    uint64_t heard_us;   /* when the last frame came; 0: none yet */
    uint64_t reclaim_us; /* when the card is asked next what it has sent */
    struct link link;
};

/* Whether its addresses have 6 bytes; InfiniBand's have 20. */
bool nic_is_ethernet(const EFI_SIMPLE_NETWORK *snp);
/* Takes the card: drivers that use it are disconnected. */
EFI_STATUS nic_open(struct nic *nic, EFI_HANDLE handle, unsigned number);
/* Stops the card and lets the firmware's drivers come back. */
void nic_close(struct nic *nic);
/* The card is started anew: what it holds is lost. Filters stay. False: it does not start. */
bool nic_restart(struct nic *nic);
/* Whether it has a link: link.h. The card is started anew where that is due: never LINK_START.
 * is_in_turn: the boot uses this card now. */
enum link_word nic_link(struct nic *nic, bool is_in_turn);
/* The groups' MAC addresses that the card is to let through, where it cannot let all through. */
void nic_hear_groups(struct nic *nic, const uint8_t (*groups)[6], size_t count);
/* Hands a frame to the card; false: it has no room, or the frame is too long, and it is lost. */
bool nic_send(struct nic *nic, const uint8_t *frame, size_t len);
/* The next frame's length, 0 when there is none. */
size_t nic_receive(struct nic *nic, uint8_t *frame, size_t cap);
/* Takes out what came while nobody wanted it: a ring that overflows stops some cards. */
void nic_drain(struct nic *nic);
/* Asks the card what it has sent, now and then. Some drivers do work in that call alone, so it is
 * wanted also where nothing was sent. */
void nic_tend(struct nic *nic, uint64_t now_us);

#endif
