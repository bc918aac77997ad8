/* The machine's UUID in the SMBIOS tables of the firmware. */
#ifndef LB_UEFI_SMBIOS_H
#define LB_UEFI_SMBIOS_H

#include "core/base/bytes.h"

#define SMBIOS_MAX (UINT32_C(1) << 20) /* a server's tables have 10 KiB */

/* Walks the structures to type 1 (System Information), whose UUID is at offset 8 with its first
 * three fields little-endian (SMBIOS 2.6 7.2.1): turned round, so that text and bytes agree. False:
 * there is none, or one that stands for none (all zeros, all ones); *uuid is then untouched. */
bool smbios_uuid(struct lb_bytes table, uint8_t uuid[16]);

/* Where the structures are. */
struct smbios_place {
    uint64_t address;
    uint32_t len;
};
/* From an entry point: 24 bytes of one of version 3 ("_SM3_"), or 31 of an older one ("_SM_").
 * False: it is neither, or names no structures. */
bool smbios_place(struct lb_bytes entry, struct smbios_place *place);

#endif
