/* Device paths: what stands on what, and their end. */
#ifndef LB_UEFI_PATH_H
#define LB_UEFI_PATH_H

#include "core/base/bytes.h"
#include "hosts/uefi/uefi.h"

/* Bytes of all nodes but the end. */
size_t path_len(const EFI_DEVICE_PATH *path);
#define PATH_END_BYTES 4
/* The node that ends a device path. */
void path_put_end(struct lb_wr *wr);
/* Whether path is prefix, or goes on from it. */
bool path_begins_with(const EFI_DEVICE_PATH *path, const EFI_DEVICE_PATH *prefix);

#endif
