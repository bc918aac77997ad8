/* The file systems of an attached disk, mounted read-only for as long as it takes to find out what
 * it can boot, and to read that. The mounts are in a mount namespace of this process's own. */
#ifndef LB_LINUX_BOOTDISK_H
#define LB_LINUX_BOOTDISK_H

#include "core/base/error.h"
#include "hosts/linux/entries.h"

#define LB_BOOTDISK_PARTITIONS_MAX 16

struct lb_bootdisk {
    struct {
        char device[64]; /* "sda1" */
        int fd;          /* its root folder */
        char path[64];   /* where it is mounted */
    } partitions[LB_BOOTDISK_PARTITIONS_MAX];
    size_t count;
    char tried[160]; /* what could not be mounted, for a message */
};

/* device: "/dev/sda". Mounts each partition that a file system of the kernel's reads, or the bare
 * disk. False: NO_BOOT_ENTRY, when there is none. */
bool lb_bootdisk_open(struct lb_bootdisk *disk, const char *device, struct lb_error *error);
void lb_bootdisk_close(struct lb_bootdisk *disk);

/* What all of them have: entries of types 1 and 2, best first; where there are none, those of a
 * grub.cfg. */
void lb_bootdisk_entries(struct lb_bootdisk *disk, struct lb_entries *entries);
/* Opens a file of the disk for reading: on this partition, else on the others (a boot partition's
 * paths begin at its own root). Links stay within the partition. -1: there is none. */
int lb_bootdisk_file(const struct lb_bootdisk *disk, unsigned partition, const char *path);

/* The same over any folders, without mounting: for tests. fd is the caller's. */
void lb_bootdisk_add(struct lb_bootdisk *disk, const char *device, int fd);

#endif
