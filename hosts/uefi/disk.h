/* The network disk as the firmware sees it: EFI_BLOCK_IO and EFI_BLOCK_IO2 on a handle with the
 * standard iSCSI device path (UEFI specification 2.10, 10.3.4.17 and 13.9). */
#ifndef LB_UEFI_DISK_H
#define LB_UEFI_DISK_H

#include "hosts/uefi/uefi.h"

/* Installs the protocols and lets the firmware's partition and file system drivers come. */
EFI_STATUS disk_install(EFI_HANDLE *handle);
/* Takes them away again. What the firmware does not give back ends in a restart of the machine, for
 * it would go on calling code that is gone. */
void disk_remove(void);
/* What is called when the operating system takes over, after the last write. */
void wipe_everything(void);     /* main.c */
uint64_t disk_bytes_read(void); /* bytes that came from the target so far */
/* From now on, while the disk is waited for, a bar shows how much of `total` bytes came; 0 ends it.
 * It appears only when that takes longer than a moment. */
void disk_show_progress(uint64_t total);
/* Our device path, to recognise the handles that stand on the disk. */
EFI_DEVICE_PATH *disk_path(void);

#endif
