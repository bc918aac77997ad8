/* How the program was started, and what its starter left behind: PXE's DHCP answer and TFTP
 * server. */
#ifndef LB_UEFI_ORIGIN_H
#define LB_UEFI_ORIGIN_H

#include "core/dhcp4/dhcp4.h"
#include "hosts/uefi/uefi.h"

enum origin {
    ORIGIN_DISK, /* found on a disk by the firmware: does nothing until its configuration says so */
    ORIGIN_PXE,  /* the administrator's DHCP server named it */
    ORIGIN_HTTP, /* the same, by UEFI HTTP Boot */
    ORIGIN_SHELL, /* a person typed its name */
};

enum origin origin_find(void);               /* asks the firmware how this program was loaded */
const char *origin_word(enum origin origin); /* for people: "PXE", ...; a constant */

/* PXE: reads a file from the directory the program came from, over the firmware's own TFTP, by IPv4
 * or IPv6; before the card is taken. EFI_NOT_FOUND: the server says that there is none, or the
 * program did not come from one. Silence and any other answer are errors: whoever drops the packets
 * would otherwise take the policy away. Some firmware (iPXE) does not say how long the file is:
 * zeros at its end then do not count. */
EFI_STATUS origin_load(const char *name, uint8_t *room, size_t cap, size_t *len);
/* PXE: the DHCP answer that the firmware holds, and the card it came by. False: there is none. */
bool origin_lease(struct lb_dhcp4_lease *lease, uint8_t mac[6]);

#endif
