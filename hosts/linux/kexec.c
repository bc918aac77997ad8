#include "hosts/linux/kexec.h"
#include "hosts/linux/ibft_source.h"
#include "os/linux/files.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/reboot.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#define CONF_BYTES    7168 /* two lists, three secrets, four names */
#define ARCHIVE_BYTES 9216

/* What is loaded. */
struct next {
    int kernel_fd, initrd_fd; /* -1: none */
    char line[LB_COMMAND_LINE_MAX];
};

static bool refuse(struct lb_error *error, const char *what, const char *which, int number) {
    lb_fail(error, LB_E_KEXEC, "%s %s: %s", what, which, lb_file_reason(number));
    return false;
}

/* ---- files ----------------------------------------------------------------------------------- */

/* It lies in memory twice: here, and as the next kernel's. */
static bool fits_memory(uint64_t len) {
    struct sysinfo info;
    return sysinfo(&info) < 0 || len <= (uint64_t)info.totalram * info.mem_unit / 2;
}

static bool append(struct next *next, int fd, const char *path, struct lb_error *error) {
    off_t end = lseek(next->initrd_fd, 0, SEEK_END);
    struct stat status;
    if (end < 0 || fstat(fd, &status) < 0)
        return refuse(error, "reading", path, errno);
    if (!fits_memory((uint64_t)end + (uint64_t)status.st_size))
        return refuse(error, "the entry's initramfs", path, LB_FILE_LONG);
    if (!lb_kexec_append(next->initrd_fd, fd, 0, (uint64_t)status.st_size) ||
        !lb_kexec_pad(next->initrd_fd))
        return refuse(error, "reading", path, errno);
    return true;
}

static bool add_initrd(struct next *next, const struct lb_bootdisk *disk,
                       const struct lb_entry *entry, const char *path, struct lb_error *error) {
    int fd = lb_bootdisk_file(disk, entry->partition, path);
    bool good;
    if (fd < 0)
        return refuse(error, "the entry's initramfs", path, -fd);
    good = append(next, fd, path, error);
    close(fd);
    return good;
}

/* A unified image is taken apart: this kernel does not start one. */
static bool open_image(struct next *next, const struct lb_entry *entry, struct lb_error *error) {
    static uint8_t head[16384];
    struct lb_image image = {0};
    struct stat status;
    int fd = next->kernel_fd;
    ssize_t got = pread(fd, head, sizeof(head), 0);
    if (got <= 0 || fstat(fd, &status) < 0 ||
        !lb_image_parse(lb_bytes(head, (size_t)got), (uint64_t)status.st_size, &image))
        return refuse(error, "the unified kernel image", entry->kernel, ENOEXEC);
    if (!fits_memory((uint64_t)image.kernel.len + image.initrd.len))
        return refuse(error, "the unified kernel image", entry->kernel, LB_FILE_LONG);
    next->kernel_fd = memfd_create("kernel", MFD_CLOEXEC);
    bool good =
        next->kernel_fd >= 0 &&
        lb_kexec_append(next->kernel_fd, fd, (off_t)image.kernel.offset, image.kernel.len) &&
        lb_kexec_append(next->initrd_fd, fd, (off_t)image.initrd.offset, image.initrd.len) &&
        lb_kexec_pad(next->initrd_fd);
    if (!good)
        refuse(error, "reading", entry->kernel, errno);
    close(fd);
    return good;
}

static bool open_files(struct next *next, const struct lb_bootdisk *disk,
                       const struct lb_entry *entry, struct lb_error *error) {
    int fd = lb_bootdisk_file(disk, entry->partition, entry->kernel);
    next->initrd_fd = memfd_create("initrd", MFD_CLOEXEC);
    if (fd < 0)
        return refuse(error, "the entry's kernel", entry->kernel, -fd);
    next->kernel_fd = fd;
    if (next->initrd_fd < 0)
        return refuse(error, "memory for", "the initramfs", errno);
    if (entry->kind == LB_ENTRY_IMAGE)
        return open_image(next, entry, error);
    for (size_t i = 0; i < entry->initrd_count; i++) {
        if (!add_initrd(next, disk, entry, entry->initrds[i], error))
            return false;
    }
    return true;
}

/* ---- secrets and policy ---------------------------------------------------------------------- */

/* Nothing where there is nothing of the kind: all else is on the command line. */
static bool add_conf(struct next *next, const struct lb_run *run, struct lb_error *error) {
    char conf[CONF_BYTES];
    uint8_t room[ARCHIVE_BYTES];
    struct lb_text text = lb_text(conf, sizeof(conf));
    struct lb_bytes archive;
    struct lb_config config = run->config;
    bool good;
    lb_ibft_require(&config, lb_boot_target(&run->boot)->target, error);
    if (lb_is_ok(error))
        lb_kexec_conf(&text, &config, lb_boot_has_chap(&run->boot));
    lb_wipe(&config, sizeof(config));
    if (!lb_is_ok(error) || text.len == 0)
        return lb_is_ok(error);
    archive = lb_kexec_archive(lb_bytes(conf, text.len), lb_span(room, sizeof(room)));
    good = !text.cut && archive.len > 0 &&
           write(next->initrd_fd, archive.p, archive.len) == (ssize_t)archive.len;
    lb_wipe(conf, sizeof(conf));
    lb_wipe(room, sizeof(room));
    return good || refuse(error, "adding", "secrets and policy to the initramfs", ENOSPC);
}

/* ---- loading --------------------------------------------------------------------------------- */

static bool make_line(struct next *next, struct lb_run *run, const struct lb_entry *entry,
                      struct lb_error *error) {
    struct lb_text line = lb_text(next->line, sizeof(next->line));
    struct lb_next_boot from = {
        .options = entry->options,
        .more = lb_config_text(&run->config, LB_KEY_KERNEL_OPTIONS),
        .interface = run->iface.name,
        .net = run->loop.is_bound ? lb_boot_net(&run->boot) : NULL,
        .initiator = lb_boot_initiator(&run->boot),
        .target = lb_boot_target(&run->boot),
        .portal = lb_initiator_peer(lb_boot_session(&run->boot)),
    };
    memcpy(from.mac, run->iface.found.mac, sizeof(from.mac));
    if (lb_kexec_line(&line, &from))
        return true;
    lb_fail(
        error, LB_E_KEXEC,
        "the command line has more than %u bytes, a value that cannot be a word, or a quote that "
        "does not close",
        LB_COMMAND_LINE_MAX - 1);
    return false;
}

static bool load(const struct next *next, struct lb_error *error) {
    off_t initrd_len = lseek(next->initrd_fd, 0, SEEK_END);
    unsigned long flags = initrd_len > 0 ? 0 : 4; /* KEXEC_FILE_NO_INITRAMFS */
    if (syscall(SYS_kexec_file_load, next->kernel_fd, initrd_len > 0 ? next->initrd_fd : -1,
                strlen(next->line) + 1, next->line, flags) == 0)
        return true;
    return refuse(error, "loading", "the kernel", errno);
}

static void close_files(struct next *next) {
    if (next->kernel_fd >= 0)
        close(next->kernel_fd);
    if (next->initrd_fd >= 0)
        close(next->initrd_fd);
}

static bool load_entry(struct lb_run *run, const struct lb_bootdisk *disk,
                       const struct lb_entry *entry) {
    struct next next = {.kernel_fd = -1, .initrd_fd = -1};
    bool good = open_files(&next, disk, entry, &run->error) && add_conf(&next, run, &run->error) &&
                make_line(&next, run, entry, &run->error) && load(&next, &run->error);
    close_files(&next);
    if (good)
        lb_report_decided(lb_boot_report(&run->boot), lb_now_us(), LB_STAGE_KEXEC, "command-line",
                          lb_entry_kind_word(entry->kind), "%s", next.line);
    return good;
}

/* ---- choosing -------------------------------------------------------------------------------- */

static void configured(struct lb_entries *entries, const struct lb_config *config) {
    struct lb_entry *entry;
    memset(entries, 0, sizeof(*entries));
    entry = lb_entries_add(entries);
    entry->kind = LB_ENTRY_CONFIGURED;
    lb_format(entry->id, sizeof(entry->id), "%s", lb_entry_kind_word(entry->kind));
    lb_format(entry->kernel, sizeof(entry->kernel), "%s", lb_config_text(config, LB_KEY_KERNEL));
    lb_format(entry->initrds[0], sizeof(entry->initrds[0]), "%s",
              lb_config_text(config, LB_KEY_INITRD));
    entry->initrd_count = entry->initrds[0][0] ? 1 : 0;
}

/* GRUB forgets a next_entry when it has taken it. Here the disk is only read, so it stays. */
static void report_once(struct lb_run *run, const char *id) {
    static const char note[] = "it stays set, for the disk is only read here: remove it with "
                               "`grub-editenv - unset next_entry`";
    char name[512];
    struct lb_text text = lb_text(name, sizeof(name));
    lb_text_untrusted(&text, lb_bytes_of_text(id));
    fprintf(stderr, "lunboot: %s is the next_entry of grubenv; %s\n", name, note);
    lb_report_decided(lb_boot_report(&run->boot), lb_now_us(), LB_STAGE_KEXEC, "boot-entry",
                      "next_entry of grubenv", "%s", name);
}

static const struct lb_entry *choose(struct lb_run *run, struct lb_bootdisk *disk) {
    static struct lb_entries entries;
    const char *wanted = lb_config_text(&run->config, LB_KEY_BOOT_ENTRY);
    const struct lb_entry *entry;
    if (lb_config_is_set(&run->config, LB_KEY_KERNEL)) {
        configured(&entries, &run->config);
        return &entries.list[0];
    }
    lb_bootdisk_entries(disk, &entries);
    entry = lb_entries_choose(&entries, wanted);
    if (disk->refused[0])
        lb_report_learned(lb_boot_report(&run->boot), lb_now_us(), LB_STAGE_KEXEC, "passed-over",
                          "disk", "%s", disk->refused);
    if (!entry)
        lb_bootdisk_fail(disk, &entries, wanted, &run->error);
    else if (!wanted[0] && lb_entries_is_once(&entries, entry))
        report_once(run, entry->id);
    return entry;
}

static bool prepare(struct lb_run *run, const struct lb_attached *attached) {
    struct lb_report *report = lb_boot_report(&run->boot);
    size_t step = lb_report_begin(report, lb_now_us(), LB_STAGE_KEXEC, (struct lb_endpoint){0},
                                  "%s", attached->device);
    struct lb_bootdisk disk;
    const struct lb_entry *entry = NULL;
    bool good = lb_bootdisk_open(&disk, attached->device, &run->error) &&
                (entry = choose(run, &disk)) != NULL && load_entry(run, &disk, entry);
    lb_bootdisk_close(&disk);
    lb_report_end(report, lb_now_us(), step, good ? LB_DONE_OK : LB_DONE_FAILED, "%s",
                  entry ? (entry->title[0] ? entry->title : entry->id) : "no boot entry");
    return good;
}

void lb_kexec(struct lb_run *run, const struct lb_attached *attached) {
    bool is_loaded = prepare(run, attached);
    lb_takeover_end(attached);
    if (!is_loaded)
        return;
    fprintf(stderr, "lunboot: starting the kernel of %s\n", attached->device);
    sync();
    syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_KEXEC, NULL);
    refuse(&run->error, "starting", "the kernel", errno);
}
