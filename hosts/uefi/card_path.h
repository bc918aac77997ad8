/* What a device path says of a network card (UEFI 2.10 10.3). Paths are the bytes of all nodes but
 * the end. No EFI types: tested on Linux, test_card_path.c. */
#ifndef LB_UEFI_CARD_PATH_H
#define LB_UEFI_CARD_PATH_H

#include "core/base/bytes.h"

/* The handle is no card, but stands on one: the firmware's PXE and HTTP drivers put the card's
 * protocol on handles of their own as well, whose paths go on with an IPv4 or IPv6 node; a VLAN's
 * goes on with its node. */
bool card_path_is_child(struct lb_bytes path);
/* The device may be a card that is on no PCI bus: its path has hardware nodes alone (vendor,
 * memory-mapped, controller) and none of PCI, or it says its MAC. */
bool card_path_is_platform(struct lb_bytes path);

#endif
