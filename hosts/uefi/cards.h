/* Which network cards are tried, and in what order. */
#ifndef LB_UEFI_CARDS_H
#define LB_UEFI_CARDS_H

#include "core/base/config.h"
#include "core/dhcp4/dhcp4.h"
#include "hosts/uefi/uefi.h"

#define CARDS_MAX 16 /* ports; a server has two to eight */

struct card {
    EFI_HANDLE handle;
    unsigned number; /* in the firmware's order: net0, net1 */
    uint8_t mac[6];
    bool has_link;                      /* or it cannot tell */
    const struct lb_dhcp4_lease *lease; /* PXE's, where the program came by this card; else NULL */
};

/* Those that `cards` names, in its order; else all: first the one we came by, then those with a
 * link. */
size_t cards_find(const struct lb_config *config, struct card cards[CARDS_MAX]);

#endif
