#include "server/blockfile.h"
#include "server/lock.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

static int read_whole(int fd, uint8_t *to, size_t len, uint64_t offset) {
    while (len > 0) {
        ssize_t n = pread(fd, to, len, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n == 0 ? EIO : errno;
        to += n;
        offset += (uint64_t)n;
        len -= (size_t)n;
    }
    return 0;
}

static int write_whole(int fd, const uint8_t *from, size_t len, uint64_t offset, bool is_durable) {
    while (len > 0) {
        struct iovec piece = {(void *)(uintptr_t)from, len};
        ssize_t n = pwritev2(fd, &piece, 1, (off_t)offset, is_durable ? RWF_DSYNC : 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n == 0 ? EIO : errno;
        from += n;
        offset += (uint64_t)n;
        len -= (size_t)n;
    }
    return 0;
}

/* ---- what may wait: without the lock ---- */

int lb_blockfile_read(int fd, uint8_t *to, size_t len, uint64_t offset) {
    bool is_paused = lb_lock_pause();
    int error = read_whole(fd, to, len, offset);
    lb_lock_resume(is_paused);
    return error;
}

int lb_blockfile_write(int fd, const uint8_t *from, size_t len, uint64_t offset, bool is_durable) {
    bool is_paused = lb_lock_pause();
    int error = write_whole(fd, from, len, offset, is_durable);
    lb_lock_resume(is_paused);
    return error;
}

int lb_blockfile_sync(int fd) {
    bool is_paused = lb_lock_pause();
    int error = fdatasync(fd) == 0 ? 0 : errno;
    lb_lock_resume(is_paused);
    return error;
}

int lb_blockfile_clear(int fd, uint64_t bytes) {
    bool is_paused = lb_lock_pause();
    int error = ftruncate(fd, 0) == 0 && ftruncate(fd, (off_t)bytes) == 0 ? 0 : errno;
    lb_lock_resume(is_paused);
    return error;
}

int lb_blockfile_punch(int fd, uint64_t len, uint64_t offset) {
    int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
    bool is_paused = lb_lock_pause();
    int error = fallocate(fd, mode, (off_t)offset, (off_t)len) == 0 ? 0 : errno;
    lb_lock_resume(is_paused);
    return error;
}

int lb_blockfile_allocate(int fd, uint64_t len, uint64_t offset) {
    bool is_paused = lb_lock_pause();
    int error = fallocate(fd, FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)len) == 0 ? 0 : errno;
    lb_lock_resume(is_paused);
    return error == EOPNOTSUPP || error == ENOSYS ? 0 : error;
}
