/* Where the configuration comes from in firmware; the later wins: lunboot.conf beside the program,
 * the variable LunbootConfig, load options, lunboot.conf with a signature, the program's section.
 */
#ifndef LB_UEFI_SETTINGS_H
#define LB_UEFI_SETTINGS_H

#include "core/base/config.h"
#include "hosts/uefi/uefi.h"

/* False: *error says which source is wrong, and where. *by_hand: the program was started by PXE,
 * HTTP or a person, not found on a disk by itself. */
bool settings_read(struct lb_config *config, struct lb_error *error);
/* Wipes the load options, in which there may be secrets: the operating system takes over. */
void settings_wipe(void);
/* What the firmware has under this name among its configuration tables; NULL: nothing. */
void *machine_table(const EFI_GUID *guid);
/* The machine's UUID from SMBIOS, or zeros. */
void machine_uuid(uint8_t uuid[16]);

#endif
