/* What the files of core/loader share. See loader.h. */
#ifndef LB_LOADER_INTERNAL_H
#define LB_LOADER_INTERNAL_H

#include "core/loader/loader.h"

/* A cursor over len bytes of the disk, which must be in the room (lb_loader_has). */
struct lb_rd lb_loader_view(const struct lb_loader *loader, uint64_t offset, size_t len);
/* Whether these bytes of the disk are in the room. */
bool lb_loader_has(const struct lb_loader *loader, uint64_t offset, size_t len);
/* Enters a state; nothing else writes loader->state. */
void lb_loader_enter(struct lb_loader *loader, enum lb_loader_state state);

/* What a state wants to see of the disk before its step can be taken. */
struct lb_loader_want {
    uint64_t offset;
    size_t len;     /* needed */
    uint64_t ahead; /* would be of use */
};

struct lb_loader_want
lb_loader_want_table(const struct lb_loader *loader); /* TABLE, ENTRIES, BACKUP */
/* TABLE: reads the MBR, then takes its partitions, a GPT's header or a FAT without a table. */
void lb_loader_step_table(struct lb_loader *loader);
/* ENTRIES: takes one GPT entry; after the last one it compares the checksum. */
void lb_loader_step_entry(struct lb_loader *loader);
void lb_loader_step_backup(
    struct lb_loader *loader); /* BACKUP: takes the GPT header in the last block */

struct lb_loader_want
lb_loader_want_fat(const struct lb_loader *loader); /* BOOT_SECTOR .. EXTENTS */
/* BOOT_SECTOR: mounts the FAT, or gives this partition up. */
void lb_loader_step_boot_sector(struct lb_loader *loader);
/* DIRECTORY: compares one entry with the component that is looked for. */
void lb_loader_step_directory(struct lb_loader *loader);
/* NEXT_CLUSTER: goes on to the directory's next cluster; at its end the file is missing. */
void lb_loader_step_next_cluster(struct lb_loader *loader);
/* EXTENTS: adds one cluster to the extents, until the file ends or the list is full. */
void lb_loader_step_extent(struct lb_loader *loader);
/* Is there a FAT at the beginning of these 512 bytes? Used for a disk without a table. */
bool lb_fat_is_boot_sector(struct lb_bytes sector);

#endif
