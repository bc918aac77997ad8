/* Finds the boot loader on the network disk and starts it. */
#ifndef LB_UEFI_LAUNCH_H
#define LB_UEFI_LAUNCH_H

#include "core/base/error.h"
#include "hosts/uefi/uefi.h"

/* Looks for `loader` (empty: the default of this architecture) on the file systems of the disk
 * whose device path is `disk`, loads it (the firmware verifies it under Secure Boot) and runs it.
 * Comes back when the loader returns (*returned is its word), or with *error when there is none
 * that runs. */
void launch(const EFI_DEVICE_PATH *disk, const char *loader, struct lb_error *error,
            EFI_STATUS *returned);

#endif
