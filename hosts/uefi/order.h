/* The boot order that operating systems leave on an EFI system partition: \EFI\NAME\BOOTX64.CSV
 * (BOOTAA64.CSV), the files from which shim's fallback makes boot entries on a machine that has
 * none. */
#ifndef LB_UEFI_ORDER_H
#define LB_UEFI_ORDER_H

#include "hosts/uefi/uefi.h"

#define ORDER_PATH_MAX 260 /* characters with the NUL: FAT's longest path */

/* The loader that the first line of the first such file names, as a path on the volume; its length
 * in characters, 0 when there is none. */
size_t order_find(EFI_HANDLE volume, CHAR16 path[ORDER_PATH_MAX]);

#endif
