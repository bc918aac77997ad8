/* Which network cards are tried, and in what order. */
#ifndef LB_UEFI_CARDS_H
#define LB_UEFI_CARDS_H

#include "core/base/config.h"
#include "core/dhcp4/dhcp4.h"
#include "hosts/uefi/nic.h"

#define CARDS_MAX 16 /* ports; a server has two to eight */

struct card {
    EFI_HANDLE handle;
    unsigned number; /* in the firmware's order: net0, net1 */
    uint8_t mac[6];
    bool has_link;                      /* or it cannot tell */
    const struct lb_dhcp4_lease *lease; /* PXE's, where the program came by this card; else NULL */
    EFI_STATUS open_status;             /* why it is not open */
    struct nic nic;                     /* open from its first turn to the end of all turns */
};

/* Those that `cards` names, in its order; else all: first the one we came by, then those with a
 * link. */
size_t cards_find(const struct lb_config *config, struct card cards[CARDS_MAX]);

/* All cards are open while they take turns: a link takes up to 8 s to come up (10GBASE-T), and the
 * switch may hold the port for 30 s after that (IEEE 802.1D). A start begins both anew. */
void cards_open(struct card *cards, size_t count);
/* While one of them has its turn, or none (NULL): what comes to the others is dropped. */
void cards_tend(struct card *cards, size_t count, const struct card *in_turn);
/* Gives all back to the firmware, but one (or NULL). */
void cards_close(struct card *cards, size_t count, const struct card *but);

#endif
