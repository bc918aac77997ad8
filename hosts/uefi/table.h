/* The iBFT as an ACPI table, for the operating system that takes over. */
#ifndef LB_UEFI_TABLE_H
#define LB_UEFI_TABLE_H

#include "core/base/config.h"
#include "hosts/uefi/uefi.h"

/* Installs the table that tells of the engine's session. Without EFI_ACPI_TABLE_PROTOCOL there is
 * no way to: EFI_UNSUPPORTED, and the operating system must be configured itself. */
EFI_STATUS table_install(const struct lb_config *config);
/* Takes the table out of the firmware's again; harmless where there is none. */
void table_remove(void);

#endif
