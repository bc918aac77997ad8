#include "server/storage.h"
#include "server/atomic.h"
#include "server/blockfile.h"
#include "server/durable.h"
#include "server/live.h"
#include "server/lock.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK_BYTES       512
#define LARGE_BLOCK_BYTES 4096

/* ---- open ---- */

static bool fail_open(struct lb_server_error *error, const char *path, bool read_only) {
    int code = errno;
    const char *hint = "see the reason";
    if (code == ENXIO) /* a device that is not there */
        hint = "give a raw image or a block device";
    else if (code == ENOENT)
        hint = "check the path; a new empty disk is made by: truncate -s 20G PATH";
    else if (code == EROFS || (code == EACCES && !read_only))
        hint = "run as a user who may write it, or serve it with --read-only";
    else if (code == EACCES)
        hint = "run as a user who may read it";
    return lb_server_fail(error, hint, "the disk %s cannot be opened: %s", path, strerror(code));
}

/* Of this open file, not of this process: QEMU's locks and another lunbootd's are seen. */
static bool lock(int fd, bool read_only) {
    struct flock lock = {.l_type = read_only ? F_RDLCK : F_WRLCK, .l_whence = SEEK_SET};
    return fcntl(fd, F_OFD_SETLK, &lock) == 0 || (errno != EAGAIN && errno != EACCES);
}

/* A GPT's header is in block 1. */
static bool has_table(int fd, uint32_t block_bytes) {
    char signature[8];
    return pread(fd, signature, sizeof signature, block_bytes) == sizeof signature &&
           memcmp(signature, "EFI PART", sizeof signature) == 0;
}

static uint32_t find_block_bytes(int fd) {
    int bytes = 0;
    if (has_table(fd, BLOCK_BYTES))
        return BLOCK_BYTES;
    if (has_table(fd, LARGE_BLOCK_BYTES))
        return LARGE_BLOCK_BYTES;
    return ioctl(fd, BLKSSZGET, &bytes) == 0 && bytes == LARGE_BLOCK_BYTES ? LARGE_BLOCK_BYTES
                                                                           : BLOCK_BYTES;
}

static bool fail_kind(struct lb_server_error *error, const char *path) {
    return lb_server_fail(error, "give a raw image or a block device",
                          "the disk %s is neither a file nor a block device", path);
}

static bool is_disk(const struct stat *status) {
    return S_ISREG(status->st_mode) || S_ISBLK(status->st_mode);
}

static bool check(struct lb_storage *storage, const char *path, struct lb_server_error *error) {
    struct stat status;
    if (fstat(storage->fd, &status) < 0)
        return fail_open(error, path, storage->read_only);
    if (!is_disk(&status))
        return fail_kind(error, path);
    off_t end = lseek(storage->fd, 0, SEEK_END);
    if (end < 0)
        return fail_open(error, path, storage->read_only);
    storage->bytes = (uint64_t)end / BLOCK_BYTES * BLOCK_BYTES;
    storage->left_out = (uint32_t)((uint64_t)end % BLOCK_BYTES);
    storage->block_bytes = find_block_bytes(storage->fd);
    if (storage->bytes == 0)
        return lb_server_fail(error, "make it larger: truncate -s 20G PATH",
                              storage->left_out == 0 ? "the disk %s is empty"
                                                     : "the disk %s has less than one block",
                              path);
    if (!lock(storage->fd, storage->read_only))
        return lb_server_fail(error,
                              "end the other program (`fuser -v PATH` shows it): two that "
                              "write one disk destroy it",
                              "another program is using the disk %s", path);
    return true;
}

bool lb_storage_open(struct lb_storage *storage, const char *path, bool read_only,
                     struct lb_server_error *error) {
    *storage = (struct lb_storage){
        .read_only = read_only, .fd = -1, .data = -1, .map = -1, .journal = -1, .live = -1};
    struct stat status;
    if (stat(path, &status) == 0 && !is_disk(&status)) /* to open a FIFO may last for ever */
        return fail_kind(error, path);
    storage->fd = open(path, (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC);
    if (storage->fd < 0)
        return fail_open(error, path, read_only);
    if (check(storage, path, error)) {
        storage->window = lb_window_open(storage->fd, storage->bytes);
        return true;
    }
    lb_storage_close(storage);
    return false;
}

/* ---- overlays ---- */

static bool fail_overlay(struct lb_server_error *error, const char *path) {
    int code = errno;
    return lb_server_fail(error, "check --overlays=FOLDER: lunbootd must be able to write there",
                          "what a machine writes cannot be kept in %s: %s", path, strerror(code));
}

static int open_part(const char *folder, const char *name) {
    char path[LB_SERVER_PATH_MAX + 80];
    lb_format(path, sizeof path, "%s/%s", folder, name);
    return open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
}

bool lb_storage_check_folder(const char *folder, struct lb_server_error *error) {
    static const char name[] = ".written";
    char path[LB_SERVER_PATH_MAX + 80];
    if (mkdir(folder, 0700) < 0 && errno != EEXIST)
        return fail_overlay(error, folder);
    int fd = open_part(folder, name);
    if (fd < 0)
        return fail_overlay(error, folder);
    close(fd);
    lb_format(path, sizeof path, "%s/%s", folder, name);
    return unlink(path) == 0 || fail_overlay(error, folder);
}

static bool load_overlay(struct lb_storage *storage, const char *folder, uint64_t limit,
                         struct lb_server_error *error) {
    char boot[LB_OVERLAY_BOOT];
    if (storage->data < 0 || storage->map < 0 || storage->journal < 0 || storage->live < 0)
        return fail_overlay(error, folder);
    errno = lb_durable_folder(folder); /* the names of new files */
    if (errno != 0)
        return fail_overlay(error, folder);
    if (!lock(storage->map, false))
        return lb_server_fail(error, "end the other lunbootd, or give another --overlays=FOLDER",
                              "another program is using %s", folder);
    errno = lb_overlay_load(&storage->overlay, storage->fd, storage->data, storage->map,
                            storage->bytes, limit);
    lb_live_boot(boot);
    if (errno == 0)
        errno = lb_live_begin(&storage->overlay, storage->live, boot);
    if (errno == 0)
        errno = lb_atomic_recover(&storage->overlay, storage->journal);
    return errno == 0 || fail_overlay(error, folder);
}

static bool make_overlay(struct lb_storage *storage, const char *folder, uint64_t limit,
                         struct lb_server_error *error) {
    if (mkdir(folder, 0700) < 0 && errno != EEXIST)
        return fail_overlay(error, folder);
    storage->data = open_part(folder, "data");
    storage->map = open_part(folder, "map");
    storage->journal = open_part(folder, "atomic");
    storage->live = open_part(folder, "live");
    return load_overlay(storage, folder, limit, error);
}

bool lb_storage_open_overlay(struct lb_storage *storage, const struct lb_storage *base,
                             const char *folder, uint64_t limit, struct lb_server_error *error) {
    *storage = (struct lb_storage){
        .fd = base->fd,
        .bytes = base->bytes,
        .is_overlay = true,
        .data = -1,
        .map = -1,
        .journal = -1,
        .live = -1,
        .window = base->window,
    };
    bool is_paused = lb_lock_pause(); /* nobody has it yet */
    bool is_open = make_overlay(storage, folder, limit, error);
    lb_lock_resume(is_paused);
    if (!is_open)
        lb_storage_close(storage);
    return is_open;
}

static void close_part(int *fd) {
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void lb_storage_close(struct lb_storage *storage) {
    if (storage->is_overlay) {
        lb_overlay_free(&storage->overlay);
        close_part(&storage->data);
        close_part(&storage->map);
        close_part(&storage->journal);
        close_part(&storage->live);
    } else if (storage->fd >= 0) {
        close(storage->fd);
        lb_window_close(storage->window);
    }
    storage->fd = -1;
    storage->window = NULL;
}

/* ---- asks ---- */

static int flush(struct lb_storage *storage) {
    if (storage->is_overlay)
        return lb_overlay_flush(&storage->overlay);
    if (storage->broken == 0 && !storage->read_only)
        storage->broken = lb_blockfile_sync(storage->fd);
    return storage->broken;
}

static int write_out(struct lb_storage *storage, const struct lb_storage_ask *ask) {
    if (storage->read_only)
        return EROFS;
    if (!storage->is_overlay)
        return lb_blockfile_write(storage->fd, ask->memory, ask->len, ask->offset, ask->is_durable);
    if (ask->is_atomic)
        return lb_atomic_write(&storage->overlay, storage->journal, ask->memory, ask->len,
                               ask->offset);
    int error = lb_overlay_write(&storage->overlay, ask->memory, ask->len, ask->offset);
    return error == 0 && ask->is_durable ? flush(storage) : error;
}

int lb_storage_reset(struct lb_storage *storage) {
    int error = lb_atomic_forget(storage->journal);
    return error == 0 ? lb_overlay_reset(&storage->overlay) : error;
}

/* EOPNOTSUPP: a raw disk that cannot, and nothing has changed. */
static int unmap(struct lb_storage *storage, const struct lb_storage_ask *ask) {
    if (storage->read_only)
        return EROFS;
    int error = storage->is_overlay ? lb_overlay_unmap(&storage->overlay, ask->len, ask->offset)
                                    : lb_blockfile_punch(storage->fd, ask->len, ask->offset);
    if (error == EOPNOTSUPP && ask->op == LB_STORAGE_UNMAP)
        return 0; /* SBC-3 4.7.3.1: what is not given back stays as it is */
    return error == 0 && ask->is_durable ? flush(storage) : error;
}

uint64_t lb_storage_status(const struct lb_storage *storage, uint64_t len, uint64_t offset,
                           bool *is_unmapped) {
    *is_unmapped = false;
    return storage->is_overlay ? lb_overlay_status(&storage->overlay, len, offset, is_unmapped)
                               : len;
}

/* Whether all of these bytes are the disk's, or the base's. */
static bool is_windows(const struct lb_storage *storage, uint64_t offset, uint32_t len) {
    return storage->window != NULL && len > 0 &&
           (!storage->is_overlay || lb_overlay_is_base(&storage->overlay, offset, len));
}

const uint8_t *lb_storage_view(struct lb_storage *storage, uint64_t offset, uint32_t len) {
    return is_windows(storage, offset, len) ? lb_window_take(storage->window, offset, len) : NULL;
}

static int read_in(struct lb_storage *storage, const struct lb_storage_ask *ask) {
    int error = storage->is_overlay
                    ? lb_overlay_read(&storage->overlay, ask->memory, ask->len, ask->offset)
                    : lb_blockfile_read(storage->fd, ask->memory, ask->len, ask->offset);
    if (error == 0 && is_windows(storage, ask->offset, ask->len))
        lb_window_saw(storage->window, ask->offset, ask->len);
    return error;
}

bool lb_storage_submit(struct lb_storage *storage, struct lb_storage_ask *ask) {
    bool is_inside = ask->offset <= storage->bytes && ask->len <= storage->bytes - ask->offset;
    lb_assert(is_inside || ask->op == LB_STORAGE_FLUSH);
    switch (ask->op) {
    case LB_STORAGE_READ:
        ask->error = read_in(storage, ask);
        break;
    case LB_STORAGE_WRITE:
        ask->error = write_out(storage, ask);
        break;
    case LB_STORAGE_UNMAP:
    case LB_STORAGE_ZERO:
        ask->error = ask->len == 0 ? 0 : unmap(storage, ask);
        break;
    case LB_STORAGE_FLUSH:
        ask->error = flush(storage);
        break;
    }
    return true;
}
