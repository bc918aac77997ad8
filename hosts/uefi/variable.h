/* The firmware variable with the configuration.
 *
 * An operating system can only make variables that it can read, and Linux lets every user read
 * them. So it writes LunbootConfigNew; the next start of this program stores that as LunbootConfig,
 * which is for boot services alone, and deletes it. */
#ifndef LB_UEFI_VARIABLE_H
#define LB_UEFI_VARIABLE_H

#include "core/base/bytes.h"
#include "core/base/dhcp_keys.h"
#include "hosts/uefi/uefi.h"

#define VARIABLE_NAME     "LunbootConfig"
#define VARIABLE_NEW_NAME "LunbootConfigNew"

/* The lines that count: those of LunbootConfigNew, where there is one. EFI_NOT_FOUND: neither is
 * there. EFI_BUFFER_TOO_SMALL: longer than the room. *name is whose lines they are. */
EFI_STATUS variable_load(uint8_t *room, size_t cap, size_t *len, const char **name);
/* Where the operating system can read what variable_load gave, it is stored so that it cannot. The
 * lines are then in one of both variables at every moment, for the power may go away. */
void variable_hide(struct lb_bytes lines);

/* Replay values of DHCP servers that prove who they are: LunbootDhcpSeen, for boot services alone,
 * so that no operating system puts them back. None, or one of somebody else: *seen is zeros. */
void variable_load_seen(struct lb_dhcp_seen *seen);
/* Stores them, where they are others than those that were stored before. */
void variable_store_seen(const struct lb_dhcp_seen *seen);

#endif
