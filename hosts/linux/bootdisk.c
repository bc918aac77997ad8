#include "hosts/linux/bootdisk.h"
#include "os/linux/files.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TEXT_BYTES (1 << 20) /* a grub.cfg of many kernels has 100 KiB */
#define ENV_BYTES  65536     /* GRUB makes an environment block of 1024 */
#define HEAD_BYTES 16384     /* of an image: all section headers */
#define NAMES_MAX  1000      /* of a folder that are looked at; an installation has a dozen */
#define MOUNT_AT   "/run/lunboot/disk"

/* ---- mounting -------------------------------------------------------------------------------- */

/* The kernel loads the module by itself, where there is a modprobe. */
static bool mount_any(const char *device, const char *path) {
    static const char *const types[] = {"vfat", "ext4", "xfs", "btrfs"};
    for (size_t i = 0; i < LB_COUNT(types); i++) {
        unsigned long flags = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_SILENT;
        if (mount(device, path, types[i], flags, NULL) == 0)
            return true;
    }
    return false;
}

static void try_partition(struct lb_bootdisk *disk, const char *name) {
    char device[96], path[64];
    size_t number = disk->count;
    int fd;
    if (number == LB_BOOTDISK_PARTITIONS_MAX)
        return;
    lb_format(device, sizeof(device), "/dev/%s", name);
    lb_format(path, sizeof(path), MOUNT_AT "/%u", (unsigned)number);
    mkdir(path, 0700);
    if (!mount_any(device, path)) {
        struct lb_text text = {disk->tried, strlen(disk->tried), sizeof(disk->tried), false};
        lb_text_add(&text, " %s", name);
        return;
    }
    fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    lb_bootdisk_add(disk, name, fd);
    lb_format(disk->partitions[number].path, sizeof(disk->partitions[number].path), "%s", path);
}

void lb_bootdisk_add(struct lb_bootdisk *disk, const char *device, int fd) {
    lb_assert(disk->count < LB_BOOTDISK_PARTITIONS_MAX);
    disk->partitions[disk->count].fd = fd;
    disk->partitions[disk->count].path[0] = 0;
    lb_format(disk->partitions[disk->count].device, sizeof(disk->partitions[0].device), "%s",
              device);
    disk->count++;
}

static int is_partition(const struct dirent *entry) {
    return strncmp(entry->d_name, "sd", 2) == 0;
}

static void try_all(struct lb_bootdisk *disk, const char *name) {
    char path[96];
    struct dirent **found = NULL;
    int count;
    lb_format(path, sizeof(path), "/sys/class/block/%s", name);
    count = scandir(path, &found, is_partition, versionsort);
    for (int i = 0; i < count; i++) {
        try_partition(disk, found[i]->d_name);
        free(found[i]);
    }
    free(found);
    if (count <= 0)
        try_partition(disk, name);
}

bool lb_bootdisk_open(struct lb_bootdisk *disk, const char *device, struct lb_error *error) {
    const char *name = strrchr(device, '/') + 1;
    *disk = (struct lb_bootdisk){0};
    mkdir("/run/lunboot", 0755);
    mkdir(MOUNT_AT, 0700);
    /* Where we may not have a namespace of our own, close unmounts all the same. */
    if (unshare(CLONE_NEWNS) == 0)
        (void)mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL);
    try_all(disk, name);
    if (disk->count > 0)
        return true;
    lb_fail(error, LB_E_NO_BOOT_ENTRY, "no file system could be mounted of%s", disk->tried);
    return false;
}

void lb_bootdisk_close(struct lb_bootdisk *disk) {
    for (size_t i = 0; i < disk->count; i++) {
        close(disk->partitions[i].fd);
        if (disk->partitions[i].path[0] && umount2(disk->partitions[i].path, 0) < 0)
            (void)umount2(disk->partitions[i].path, MNT_DETACH);
        rmdir(disk->partitions[i].path);
    }
    rmdir(MOUNT_AT);
    disk->count = 0;
}

/* ---- files ----------------------------------------------------------------------------------- */

/* An attacker may have made the disk: nothing is waited for, and no link leads out of it. */
static int open_in(int root, const char *path, uint64_t flags) {
    struct open_how how = {.flags = flags | O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
                           .resolve = RESOLVE_IN_ROOT};
    int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
    return fd < 0 ? -errno : fd;
}

/* A regular file of 1 to max bytes; else why not, as a negative number. */
static int open_file(int root, const char *path, uint64_t max) {
    int refused, fd = open_in(root, path, 0);
    if (fd < 0)
        return fd;
    refused = lb_file_check(fd, max);
    if (refused)
        close(fd);
    return refused ? -refused : fd;
}

int lb_bootdisk_file(const struct lb_bootdisk *disk, unsigned partition, const char *path) {
    int fd = -ENOENT;
    if (partition < disk->count)
        fd = open_file(disk->partitions[partition].fd, path, LB_BOOT_FILE_MAX);
    for (size_t i = 0; fd == -ENOENT && i < disk->count; i++)
        fd = open_file(disk->partitions[i].fd, path, LB_BOOT_FILE_MAX);
    return fd;
}

/* What is not there is no news. */
static void note_refused(struct lb_bootdisk *disk, size_t partition, const char *path, int why) {
    struct lb_text text = {disk->refused, strlen(disk->refused), sizeof(disk->refused), false};
    if (why != ENOENT && why != ENOTDIR)
        lb_text_add(&text, "%s%s:%s: %s", text.len > 0 ? "; " : "",
                    disk->partitions[partition].device, path, lb_file_reason(why));
}

/* A text file of one partition, into room; empty: none. */
static struct lb_bytes read_into(struct lb_bootdisk *disk, size_t partition, const char *path,
                                 struct lb_span room) {
    int fd = open_file(disk->partitions[partition].fd, path, room.len - 1);
    long len = fd < 0 ? fd : lb_file_read_all(fd, room);
    if (len < 0)
        note_refused(disk, partition, path, (int)-len);
    return lb_bytes(room.p, len < 0 ? 0 : (size_t)len);
}

/* The same into a buffer that the next call uses again. */
static struct lb_bytes read_text(struct lb_bootdisk *disk, size_t partition, const char *path) {
    static uint8_t room[TEXT_BYTES];
    return read_into(disk, partition, path, lb_span(room, sizeof(room)));
}

/* ---- entries --------------------------------------------------------------------------------- */

static void each_file(struct lb_bootdisk *disk, struct lb_entries *entries, size_t partition,
                      const char *folder,
                      void (*visit)(struct lb_bootdisk *, struct lb_entries *, size_t, const char *,
                                    const char *)) {
    int fd = open_in(disk->partitions[partition].fd, folder, O_DIRECTORY);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;
    if (!dir)
        return;
    for (unsigned i = 0; i < NAMES_MAX && (entry = readdir(dir)) != NULL; i++) {
        if (entry->d_name[0] != '.')
            visit(disk, entries, partition, folder, entry->d_name);
    }
    closedir(dir);
}

/* NAME without the suffix, whose letters may be of any case on a FAT. False: another file. */
static bool take_suffix(const char *name, const char *suffix, char *to, size_t cap) {
    size_t len = strlen(name), suffix_len = strlen(suffix);
    return len > suffix_len && strcasecmp(name + len - suffix_len, suffix) == 0 &&
           lb_text_copy(to, cap, lb_bytes(name, len - suffix_len));
}

static void visit_file(struct lb_bootdisk *disk, struct lb_entries *entries, size_t partition,
                       const char *folder, const char *name) {
    static struct lb_entry made;
    char path[512], id[256];
    struct lb_entry *entry;
    lb_format(path, sizeof(path), "%s/%s", folder, name);
    if (!take_suffix(name, ".conf", id, sizeof(id)) ||
        !lb_entry_parse(read_text(disk, partition, path), id, &entries->grub, &made))
        return;
    entry = lb_entries_add(entries);
    if (!entry)
        return;
    *entry = made;
    entry->partition = (unsigned)partition;
}

static struct lb_bytes read_part(int fd, const struct lb_image_part *part, uint8_t *room,
                                 size_t cap) {
    size_t len = LB_MIN(part->len, cap);
    ssize_t got = part->len > cap ? -1 : pread(fd, room, len, part->offset);
    while (got > 0 && room[got - 1] == 0) /* sections are padded */
        got--;
    return lb_bytes(room, got > 0 ? (size_t)got : 0);
}

/* False: its options do not fit, and half a command line may be worse than none. */
static bool take_image(struct lb_entry *entry, int fd, const struct lb_image *image) {
    uint8_t room[8192];
    struct lb_bytes options = read_part(fd, &image->options, room, sizeof(room));
    if ((image->options.len > 0 && options.len == 0) ||
        !lb_text_copy(entry->options, sizeof(entry->options), lb_bytes_trim(options)))
        return false;
    struct lb_bytes release = read_part(fd, &image->release, room, sizeof(room));
    lb_release_value(release, "PRETTY_NAME", entry->title, sizeof(entry->title));
    lb_release_value(release, "ID", entry->sort_key, sizeof(entry->sort_key));
    lb_release_value(release, "IMAGE_ID", entry->sort_key, sizeof(entry->sort_key));
    lb_release_value(release, "VERSION_ID", entry->version, sizeof(entry->version));
    lb_release_value(release, "IMAGE_VERSION", entry->version, sizeof(entry->version));
    return true;
}

static bool read_image(int fd, struct lb_image *image) {
    static uint8_t head[HEAD_BYTES];
    struct stat status;
    ssize_t got = pread(fd, head, sizeof(head), 0);
    return got > 0 && fstat(fd, &status) == 0 &&
           lb_image_parse(lb_bytes(head, (size_t)got), (uint64_t)status.st_size, image);
}

static void add_image(struct lb_bootdisk *disk, struct lb_entries *entries, size_t partition,
                      const char *path, const char *id, int fd) {
    static struct lb_entry made;
    struct lb_image image;
    struct lb_entry *entry;
    made = (struct lb_entry){.kind = LB_ENTRY_IMAGE, .partition = (unsigned)partition};
    (void)lb_text_copy(made.id, sizeof(made.id), lb_bytes_of_text(id));
    if (!lb_text_copy(made.kernel, sizeof(made.kernel), lb_bytes_of_text(path)) ||
        !read_image(fd, &image))
        return;
    if (!take_image(&made, fd, &image))
        note_refused(disk, partition, path, LB_FILE_LONG);
    else if ((entry = lb_entries_add(entries)) != NULL)
        *entry = made;
}

static void visit_image(struct lb_bootdisk *disk, struct lb_entries *entries, size_t partition,
                        const char *folder, const char *name) {
    char path[512], id[128];
    int fd;
    lb_format(path, sizeof(path), "%s/%s", folder, name);
    if (!take_suffix(name, ".efi", id, sizeof(id)))
        return;
    fd = open_file(disk->partitions[partition].fd, path, LB_BOOT_FILE_MAX);
    if (fd < 0) {
        note_refused(disk, partition, path, -fd);
        return;
    }
    add_image(disk, entries, partition, path, id, fd);
    close(fd);
}

/* The specification's folders lie at the root of the partition that is for them; without one they
 * lie in /boot. */
static void find_specified(struct lb_bootdisk *disk, struct lb_entries *entries, size_t partition) {
    each_file(disk, entries, partition, "/loader/entries", visit_file);
    each_file(disk, entries, partition, "/boot/loader/entries", visit_file);
    each_file(disk, entries, partition, "/EFI/Linux", visit_image);
    lb_entries_loader_conf(entries, read_text(disk, partition, "/loader/loader.conf"));
}

/* ---- GRUB ------------------------------------------------------------------------------------ */

/* Its environment block, into a buffer that the next call uses again. */
static struct lb_bytes read_block(struct lb_bootdisk *disk, size_t partition, const char *folder) {
    static uint8_t room[ENV_BYTES];
    char path[256];
    lb_format(path, sizeof(path), "%s/grubenv", folder);
    return read_into(disk, partition, path, lb_span(room, sizeof(room)));
}

/* Of another partition's folders below /EFI: RHEL 8 has a link to there beside its grub.cfg. */
static struct lb_bytes find_block(struct lb_bootdisk *disk, size_t partition, const char *folder) {
    static const char *const elsewhere[] = {"/EFI/redhat",    "/EFI/fedora", "/EFI/centos",
                                            "/EFI/almalinux", "/EFI/rocky",  "/EFI/BOOT"};
    struct lb_bytes block = read_block(disk, partition, folder);
    for (size_t i = 0; block.len == 0 && i < disk->count; i++) {
        for (size_t k = 0; block.len == 0 && k < LB_COUNT(elsewhere); k++)
            block = read_block(disk, i, elsewhere[k]);
    }
    return block;
}

/* A menu that has neither entries nor blscfg leads to another file. */
static bool is_menu(const struct lb_entries *entries) {
    return entries->count > 0 || entries->has_blscfg;
}

static void read_menu(struct lb_bootdisk *disk, struct lb_entries *entries, size_t partition,
                      const char *folder) {
    char path[256];
    struct lb_bytes text;
    if (is_menu(entries))
        return;
    lb_format(path, sizeof(path), "%s/grub.cfg", folder);
    text = read_text(disk, partition, path);
    if (text.len == 0)
        return;
    memset(entries, 0, sizeof(*entries));
    entries->grub.is_efi = access("/sys/firmware/efi", F_OK) == 0;
    entries->grub.block = find_block(disk, partition, folder);
    lb_entries_grub(entries, text, (unsigned)partition);
    entries->grub.block = lb_bytes(NULL, 0); /* its buffer is used again */
}

static void visit_vendor(struct lb_bootdisk *disk, struct lb_entries *entries, size_t partition,
                         const char *folder, const char *name) {
    char path[192];
    lb_format(path, sizeof(path), "%s/%s", folder, name);
    read_menu(disk, entries, partition, path);
}

static void find_menu(struct lb_bootdisk *disk, struct lb_entries *entries) {
    static const char *const folders[] = {"/grub", "/boot/grub", "/grub2", "/boot/grub2"};
    memset(entries, 0, sizeof(*entries));
    for (size_t i = 0; i < disk->count; i++) {
        for (size_t k = 0; k < LB_COUNT(folders); k++)
            read_menu(disk, entries, i, folders[k]);
    }
    for (size_t i = 0; i < disk->count; i++)
        each_file(disk, entries, i, "/EFI", visit_vendor);
}

/* What grub.cfg says of the specification's entries. */
static void take_grubs_words(struct lb_entries *entries, const struct lb_entries *menu) {
    entries->grub = menu->grub;
    entries->has_blscfg = menu->has_blscfg;
    entries->is_wanted_once = menu->is_wanted_once;
    memcpy(entries->wanted, menu->wanted, sizeof(menu->wanted));
}

void lb_bootdisk_entries(struct lb_bootdisk *disk, struct lb_entries *entries) {
    static struct lb_entries menu;
    find_menu(disk, &menu);
    memset(entries, 0, sizeof(*entries));
    if (menu.has_blscfg)
        take_grubs_words(entries, &menu);
    for (size_t i = 0; i < disk->count; i++)
        find_specified(disk, entries, i);
    if (entries->count == 0)
        *entries = menu;
    lb_entries_sort(entries);
}

void lb_bootdisk_fail(const struct lb_bootdisk *disk, const struct lb_entries *entries,
                      const char *wanted, struct lb_error *error) {
    const char *between = disk->refused[0] ? "; " : "";
    if (entries->count > 0)
        lb_fail(error, LB_E_NO_BOOT_ENTRY, "%u entries, none is boot-entry=%s%s%s",
                (unsigned)entries->count, wanted, between, disk->refused);
    else
        lb_fail(error, LB_E_NO_BOOT_ENTRY,
                "%u file systems, without loader/entries, EFI/Linux or grub.cfg%s%s",
                (unsigned)disk->count, between, disk->refused);
}
