/* Another initiator on our card. iPXE keeps its session when it runs a program: each read of its
 * disk would take our card, and its packets would come to us, which ends both connections. */
#ifndef LB_UEFI_RIVAL_H
#define LB_UEFI_RIVAL_H

#include "hosts/uefi/uefi.h"

/* Takes away the disks that stand on this card, and the tables (iBFT) of other initiators, so that
 * the operating system reads ours. Only once our disk is there: they do not come back. */
void rival_end(EFI_HANDLE card);

#endif
