/* What the files of core/esp share. See esp.h. */
#ifndef LB_ESP_INTERNAL_H
#define LB_ESP_INTERNAL_H

#include "core/esp/esp.h"

/* A cursor over len bytes of the disk, which must be in the room (lb_esp_has). */
struct lb_rd lb_esp_view(const struct lb_esp *esp, uint64_t offset, size_t len);
/* Whether these bytes of the disk are in the room. */
bool lb_esp_has(const struct lb_esp *esp, uint64_t offset, size_t len);
/* Enters a state; nothing else writes esp->state. */
void lb_esp_enter(struct lb_esp *esp, enum lb_esp_state state);

/* What a state wants to see of the disk before its step can be taken. */
struct lb_esp_want {
    uint64_t offset;
    size_t len;     /* needed */
    uint64_t ahead; /* would be of use */
};

struct lb_esp_want lb_esp_want_table(const struct lb_esp *esp); /* TABLE, ENTRIES, BACKUP */
/* TABLE: reads the MBR, then takes its partitions, a GPT's header or a FAT without a table. */
void lb_esp_step_table(struct lb_esp *esp);
/* ENTRIES: takes one GPT entry; after the last one it compares the checksum. */
void lb_esp_step_entry(struct lb_esp *esp);
void lb_esp_step_backup(struct lb_esp *esp); /* BACKUP: takes the GPT header in the last block */

struct lb_esp_want lb_esp_want_fat(const struct lb_esp *esp); /* BOOT_SECTOR .. EXTENTS */
/* BOOT_SECTOR: mounts the FAT, or gives this partition up. */
void lb_esp_step_boot_sector(struct lb_esp *esp);
/* DIRECTORY: compares one entry with the component that is looked for. */
void lb_esp_step_directory(struct lb_esp *esp);
/* NEXT_CLUSTER: goes on to the directory's next cluster; at its end the file is missing. */
void lb_esp_step_next_cluster(struct lb_esp *esp);
/* EXTENTS: adds one cluster to the extents, until the file ends or the list is full. */
void lb_esp_step_extent(struct lb_esp *esp);
/* Is there a FAT at the beginning of these 512 bytes? Used for a disk without a table. */
bool lb_fat_is_boot_sector(struct lb_bytes sector);

#endif
