/* Which disk holds a file system or a partition that somebody named, such as root=UUID=... of a
 * kernel command line. Reads the partition table (MBR or GPT) and the beginnings of the partitions
 * (ext2 to ext4, XFS, Btrfs, FAT). It only chooses among disks: no checksum is verified, and what
 * is damaged holds nothing. Not looked for: logical partitions, LVM, encrypted volumes.
 *
 *   lb_disk_root_parse    the words; once
 *   lb_disk_root_begin    for each disk
 *   loop: lb_disk_root_where   -->  blocks to be read, until it is over
 *         lb_disk_root_got     <--  their bytes
 *   lb_disk_root_holds */
#ifndef LB_DISK_ROOT_H
#define LB_DISK_ROOT_H

#include "core/base/bytes.h"

enum {
    LB_DISK_ROOT_TEXT_MAX = 127, /* bytes of a name; a label of Btrfs may be longer */
    LB_DISK_ROOT_ROOM = 8192,    /* bytes of a read, at most */
    LB_DISK_ROOT_PARTS_MAX = 64, /* partitions whose beginnings are read */
};

enum lb_disk_root_kind {
    LB_ROOT_NONE,
    LB_ROOT_PARTUUID,  /* of a GPT, or SIGNATURE-NUMBER of an MBR */
    LB_ROOT_PARTLABEL, /* the name of a GPT's partition */
    LB_ROOT_UUID,      /* of a file system */
    LB_ROOT_LABEL,     /* of a file system */
};

enum lb_disk_root_state {
    LB_ROOT_AT_TABLE,
    LB_ROOT_AT_ENTRIES, /* of the GPT */
    LB_ROOT_AT_CONTENT, /* of a partition */
    LB_ROOT_AT_BTRFS,   /* of the same, 64 KiB further on */
    LB_ROOT_AT_END,
};

struct lb_disk_root {
    enum lb_disk_root_kind kind;
    char text[LB_DISK_ROOT_TEXT_MAX + 1]; /* what is looked for: the name alone */

    /* Of the disk that is being read. */
    enum lb_disk_root_state state;
    bool holds;
    uint64_t blocks;
    uint32_t block_bytes;
    uint64_t entries_lba;                   /* the next ones */
    uint32_t entry_bytes, entries_left;     /* of the GPT */
    uint64_t parts[LB_DISK_ROOT_PARTS_MAX]; /* first blocks; the first is the bare disk */
    size_t part_count, part_at;
};

/* Takes UUID=, PARTUUID=, LABEL=, PARTLABEL= and /dev/disk/by-uuid/ and its kin, the value with or
 * without quotes. False: the words name no such thing; *root is then of no kind. */
bool lb_disk_root_parse(struct lb_bytes words, struct lb_disk_root *root);
/* Begins with a disk of so many blocks. */
void lb_disk_root_begin(struct lb_disk_root *root, uint64_t blocks, uint32_t block_bytes);
/* The next read: *count blocks from *lba on, at most LB_DISK_ROOT_ROOM bytes. False: it is over. */
bool lb_disk_root_where(const struct lb_disk_root *root, uint64_t *lba, uint32_t *count);
/* The bytes of that read; empty: it failed. Untrusted; kept no longer than the call. */
void lb_disk_root_got(struct lb_disk_root *root, struct lb_bytes bytes);
/* It is over, and the disk has what was looked for. */
bool lb_disk_root_holds(const struct lb_disk_root *root);

#endif
