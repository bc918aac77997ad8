#include "server/storage.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define BLOCK_BYTES 512

/* ---- open ---- */

static bool fail_open(struct lb_server_error *error, const char *path, bool read_only) {
    int code = errno;
    const char *hint = "see the reason";
    if (code == ENOENT)
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

static bool check(struct lb_storage *storage, const char *path, struct lb_server_error *error) {
    struct stat status;
    off_t end = lseek(storage->fd, 0, SEEK_END);
    if (fstat(storage->fd, &status) < 0 || end < 0)
        return fail_open(error, path, storage->read_only);
    if (!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode))
        return lb_server_fail(error, "give a raw image or a block device",
                              "the disk %s is neither a file nor a block device", path);
    storage->bytes = (uint64_t)end / BLOCK_BYTES * BLOCK_BYTES;
    if (storage->bytes == 0)
        return lb_server_fail(error, "make it larger: truncate -s 20G PATH", "the disk %s is empty",
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
    *storage = (struct lb_storage){.read_only = read_only};
    storage->fd = open(path, (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC);
    if (storage->fd < 0)
        return fail_open(error, path, read_only);
    if (check(storage, path, error))
        return true;
    lb_storage_close(storage);
    return false;
}

void lb_storage_close(struct lb_storage *storage) {
    if (storage->fd >= 0)
        close(storage->fd);
    storage->fd = -1;
}

/* ---- asks ---- */

static int read_all(int fd, uint8_t *to, size_t len, uint64_t offset) {
    while (len > 0) {
        ssize_t n = pread(fd, to, len, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n == 0 ? EIO : errno; /* 0: the file has become shorter */
        to += n;
        offset += (uint64_t)n;
        len -= (size_t)n;
    }
    return 0;
}

static int write_all(int fd, const struct lb_storage_ask *ask) {
    size_t done = 0;
    while (done < ask->len) {
        struct iovec piece = {ask->memory + done, ask->len - done};
        ssize_t n =
            pwritev2(fd, &piece, 1, (off_t)(ask->offset + done), ask->is_durable ? RWF_DSYNC : 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n == 0 ? EIO : errno;
        done += (size_t)n;
    }
    return 0;
}

bool lb_storage_submit(struct lb_storage *storage, struct lb_storage_ask *ask) {
    switch (ask->op) {
    case LB_STORAGE_READ:
        lb_assert(ask->offset <= storage->bytes && ask->len <= storage->bytes - ask->offset);
        ask->error = read_all(storage->fd, ask->memory, ask->len, ask->offset);
        return true;
    case LB_STORAGE_WRITE:
        lb_assert(ask->offset <= storage->bytes && ask->len <= storage->bytes - ask->offset);
        ask->error = storage->read_only ? EROFS : write_all(storage->fd, ask);
        return true;
    case LB_STORAGE_FLUSH:
        ask->error = storage->read_only || fdatasync(storage->fd) == 0 ? 0 : errno;
        return true;
    }
    return true;
}
