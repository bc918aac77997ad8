/* Device paths, as far as telling what stands on what. */
#ifndef LB_UEFI_PATH_H
#define LB_UEFI_PATH_H

#include "hosts/uefi/uefi.h"

/* Bytes of all nodes but the end. */
size_t path_len(const EFI_DEVICE_PATH *path);
/* Whether path is prefix, or goes on from it. */
bool path_begins_with(const EFI_DEVICE_PATH *path, const EFI_DEVICE_PATH *prefix);

#endif
