/* Files on the file systems that the firmware has. */
#ifndef LB_UEFI_FILE_H
#define LB_UEFI_FILE_H

#include "hosts/uefi/uefi.h"

/* The root directory of a volume; NULL: it has no file system. The caller closes it. */
EFI_FILE_HANDLE file_root(EFI_HANDLE volume);
/* For reading; NULL: there is no such file. The caller closes it. */
EFI_FILE_HANDLE file_open(EFI_FILE_HANDLE directory, const CHAR16 *name);
/* Reads all of a file. EFI_NOT_FOUND: there is none, or no file system; EFI_BUFFER_TOO_SMALL: it is
 * longer than cap; any other error: there may be one, and it cannot be read. */
EFI_STATUS file_load(EFI_HANDLE volume, const CHAR16 *name, uint8_t *room, size_t cap, size_t *len);
#define FILE_NAME_MAX 256
/* The name of a file in the directory of that program; false: the path names none. */
bool file_beside(const EFI_DEVICE_PATH *program, const CHAR16 *name, CHAR16 out[FILE_NAME_MAX]);
/* The file's first bytes, at most cap; 0: there is none. */
size_t file_read(EFI_HANDLE volume, const CHAR16 *name, uint8_t *room, size_t cap);
/* In bytes; 0: there is none. */
uint64_t file_size(EFI_HANDLE volume, const CHAR16 *name);

#endif
