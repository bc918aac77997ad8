/* Files on the file systems that the firmware has. */
#ifndef LB_UEFI_FILE_H
#define LB_UEFI_FILE_H

#include "hosts/uefi/uefi.h"

/* The root directory of a volume; NULL: it has no file system. The caller closes it. */
EFI_FILE_HANDLE file_root(EFI_HANDLE volume);
/* For reading; NULL: there is no such file. The caller closes it. */
EFI_FILE_HANDLE file_open(EFI_FILE_HANDLE directory, const CHAR16 *name);
/* The file's first bytes, at most cap; 0: there is none. */
size_t file_read(EFI_HANDLE volume, const CHAR16 *name, uint8_t *room, size_t cap);
/* In bytes; 0: there is none. */
uint64_t file_size(EFI_HANDLE volume, const CHAR16 *name);

#endif
