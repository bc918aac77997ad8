/* The file systems of an attached disk, mounted read-only for as long as it takes to find out what
 * it can boot, and to read that. The mounts are in a mount namespace of this process's own. */
#ifndef LB_LINUX_BOOTDISK_H
#define LB_LINUX_BOOTDISK_H

#include "core/base/error.h"
#include "hosts/linux/entries.h"

#define LB_BOOTDISK_PARTITIONS_MAX 16
#define LB_BOOT_FILE_MAX           (UINT64_C(4) << 30) /* kexec takes no file of more */

struct lb_bootdisk {
    struct {
        char device[64]; /* "sda1" */
        int fd;          /* its root folder */
        char path[64];   /* where it is mounted */
    } partitions[LB_BOOTDISK_PARTITIONS_MAX];
    size_t count;
    char tried[160];   /* what could not be mounted, for a message */
    char refused[200]; /* files that were passed over, and why, for a message; the first few */
};

/* device: "/dev/sda". Mounts each partition that a file system of the kernel's reads, or the bare
 * disk. False: NO_BOOT_ENTRY, when there is none. */
bool lb_bootdisk_open(struct lb_bootdisk *disk, const char *device, struct lb_error *error);
/* Unmounts all partitions, and removes the folders that they were mounted on. */
void lb_bootdisk_close(struct lb_bootdisk *disk);

/* What all of them have: entries of types 1 and 2, best first; where there are none, those of a
 * grub.cfg. A file that is none (a FIFO, a folder), is empty, too long or cannot be read is passed
 * over, and named in `refused`. */
void lb_bootdisk_entries(struct lb_bootdisk *disk, struct lb_entries *entries);
/* NO_BOOT_ENTRY: none of the entries is the one that is wanted, or there are none; with the files
 * that were passed over. */
void lb_bootdisk_fail(const struct lb_bootdisk *disk, const struct lb_entries *entries,
                      const char *wanted, struct lb_error *error);
/* Opens a file of the disk for reading: on this partition, else on the others (a boot partition's
 * paths begin at its own root). Links stay within the partition. It is a regular file of 1 byte to
 * LB_BOOT_FILE_MAX. Else: why not, as a negative number (lb_file_reason). */
int lb_bootdisk_file(const struct lb_bootdisk *disk, unsigned partition, const char *path);

/* The same over any folders, without mounting: for tests. fd is the caller's. */
void lb_bootdisk_add(struct lb_bootdisk *disk, const char *device, int fd);

#endif
