/* From a disk to the loader on its EFI system partition. Start here.
 *
 * UEFI 2.10 chapters 5 (GPT) and 13.3 (the FAT of the system partition); Microsoft's FAT
 * specification 1.03. A pull machine over somebody's disk: it says which blocks it wants to see,
 * and ends with the size and the place of a file. It only ever reads.
 *
 *   lb_loader_init
 *   loop: lb_loader_poll   -->  READ blocks into a buffer | FOUND | FAILED
 *         lb_loader_input  <--  the READ is done, or why it could not be
 *
 * A GPT is believed when a protective MBR, the header's checksum and the checksum of the entries
 * agree; if not, the copy at the end of the disk is tried. Without a protective MBR the four
 * entries of the MBR count, and without those a FAT on the bare disk. Not looked for: logical
 * partitions of an MBR. Everything on the disk is untrusted: chains that run in circles, lengths
 * beyond the disk and broken names end in an error or in a file, never in a read outside the disk,
 * and always after a bounded number of reads. Files: loader.c (the machine), loader_table.c (MBR
 * and GPT), loader_fat.c. */
#ifndef LB_LOADER_H
#define LB_LOADER_H

#include "core/base/error.h"

/* Partitions kept; further ones are counted. System partitions come early. */
#define LB_LOADER_PARTITIONS_MAX 16
#define LB_LOADER_EXTENTS_MAX    32   /* handed out at a time; most have one or two */
#define LB_LOADER_ENTRY_MAX      4096 /* bytes of a GPT entry; 128 is what everybody writes */
#define LB_LOADER_ENTRIES_MAX    1024 /* GPT entries; 128 is what everybody writes */
#define LB_LOADER_LONG_NAME_MAX  255  /* UTF-16 units of a FAT long name */
#define LB_LOADER_DIRECTORY_MAX  (UINT32_C(65536) * 32) /* bytes of a directory: FAT's own limit */

/* The least room that lb_loader_init takes, in bytes; 64 KiB more save reads. */
#define LB_LOADER_ROOM_MIN(block_bytes) ((size_t)16384 + 2 * (size_t)(block_bytes))

enum lb_loader_table {
    LB_TABLE_NONE, /* no partition table: a FAT on the bare disk, or nothing */
    LB_TABLE_MBR,
    LB_TABLE_GPT,
    LB_TABLE_GPT_BACKUP, /* the copy at the end of the disk; the first is damaged */
};
const char *lb_loader_table_word(enum lb_loader_table table); /* "GPT", ... */

struct lb_partition {
    unsigned number; /* as the table counts, from 1; 0 for the bare disk */
    uint64_t lba;    /* its first block */
    uint64_t blocks;
    uint8_t type[16]; /* GPT: the type GUID as on the disk; MBR: the type in the first byte */
    bool is_esp;
    char name[109]; /* GPT: 36 UTF-16 units as UTF-8; else empty. Untrusted text. */
};

/* A run of bytes of the file, on the disk. */
struct lb_extent {
    uint64_t offset; /* bytes on the disk; a multiple of 512, perhaps not of a block */
    uint64_t len;    /* bytes; the file's end may be within a block */
};

enum lb_loader_event {
    LB_LOADER_READ,   /* read blocks at lba into buffer, then lb_loader_input */
    LB_LOADER_FOUND,  /* see lb_loader_file */
    LB_LOADER_FAILED, /* see error: DISK_EMPTY, GPT_BROKEN, BLOCK_MISMATCH, NO_ESP, ESP_BROKEN,
                      NO_LOADER */
};

struct lb_loader_action {
    enum lb_loader_event event;
    uint64_t lba;
    uint32_t blocks;
    uint8_t *buffer;
};

enum lb_loader_state {
    LB_LOADER_TABLE,
    LB_LOADER_ENTRIES,
    LB_LOADER_BACKUP,
    LB_LOADER_PARTITION, /* takes the next system partition */
    LB_LOADER_BOOT_SECTOR,
    LB_LOADER_DIRECTORY,
    LB_LOADER_NEXT_CLUSTER,
    LB_LOADER_EXTENTS,
    LB_LOADER_AT_FOUND,
    LB_LOADER_AT_FAILED,
};

/* A mounted FAT: all offsets are bytes from the disk's beginning. */
struct lb_fat {
    unsigned bits; /* 12, 16, 32 */
    uint32_t cluster_bytes;
    uint32_t cluster_count; /* clusters are 2 .. cluster_count + 1 */
    uint64_t table, table_len;
    uint64_t root, root_len; /* FAT12 and FAT16 */
    uint32_t root_cluster;   /* FAT32 */
    uint64_t data;           /* of cluster 2 */
};

struct lb_loader {
    /* What was found so far; for a report. */
    enum lb_loader_table table;
    struct lb_partition partitions[LB_LOADER_PARTITIONS_MAX];
    size_t partition_count;
    size_t partitions_dropped;
    size_t at;           /* FOUND: index of the partition that has the file */
    unsigned fat_bits;   /* of that partition's file system */
    uint64_t file_bytes; /* FOUND */
    struct lb_extent extents[LB_LOADER_EXTENTS_MAX];
    size_t extent_count;
    bool more;             /* FOUND: the file has more extents: see lb_loader_continue */
    struct lb_error error; /* FAILED */

    /* The machine's own. */
    enum lb_loader_state state;
    uint64_t disk_bytes;
    uint32_t block_bytes;
    const char *path;
    struct lb_span room;
    uint64_t room_offset; /* what part of the disk is in the room, bytes */
    size_t room_len;
    uint64_t read_offset; /* the READ under way */
    size_t read_len;
    struct {
        uint64_t header_lba, entries_offset;
        uint32_t count, entry_bytes, crc, expected_crc, next;
        bool is_backup;
    } gpt;
    uint32_t other_block_bytes; /* a good GPT header lies where these blocks would have it; or 0 */
    struct lb_fat fat;
    const char *component; /* of the path, being looked for */
    uint32_t cluster;      /* current one of the directory or file; 0: the fixed root directory */
    uint64_t position;     /* next directory entry, bytes on the disk */
    uint64_t run_end;      /* of the current cluster or fixed root */
    uint32_t walked;       /* bytes of this directory so far */
    uint64_t left;         /* bytes of the file that have no extent yet */
    struct {
        uint16_t units[LB_LOADER_LONG_NAME_MAX + 13];
        unsigned expected; /* sequence number that must come next; 0: the name is complete */
        size_t len;
        uint8_t checksum;
        bool is_valid;
    } long_name;
};

/* path: UTF-8, components joined by `\` or `/`, such as "\EFI\BOOT\BOOTX64.EFI"; compared without
 * regard to ASCII case. path and room stay the caller's and outlive the machine; the room's
 * contents are the machine's until it ends. */
void lb_loader_init(struct lb_loader *loader, uint64_t blocks, uint32_t block_bytes,
                    const char *path, struct lb_span room);
/* Works as far as the room goes; then the next READ, or the end, which is said again each time. */
struct lb_loader_action lb_loader_poll(struct lb_loader *loader);
/* The READ is done: NULL, or why it failed, which is then how the machine fails. */
void lb_loader_input(struct lb_loader *loader, const struct lb_error *error_or_null);
/* FOUND with `more`: forgets the extents so far and goes on to the next ones. */
void lb_loader_continue(struct lb_loader *loader);

/* CRC-32 of UEFI 2.10 5.3.1 (IEEE 802.3): 0 at first, then the result so far. */
uint32_t lb_loader_crc32(uint32_t crc, struct lb_bytes bytes);

#endif
