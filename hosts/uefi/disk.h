/* The network disk as the firmware sees it: EFI_BLOCK_IO and EFI_BLOCK_IO2 on a handle with the
 * standard iSCSI device path (UEFI specification 2.10, 10.3.4.17 and 13.9). */
#ifndef LB_UEFI_DISK_H
#define LB_UEFI_DISK_H

#include "hosts/uefi/uefi.h"

/* Installs the protocols and lets the firmware's partition and file system drivers come. */
EFI_STATUS disk_install(EFI_HANDLE *handle);
void disk_remove(void);
/* Bytes read so far, for the progress bar. */
uint64_t disk_bytes_read(void);
/* Our device path, to recognise the handles that stand on the disk. */
EFI_DEVICE_PATH *disk_path(void);

#endif
