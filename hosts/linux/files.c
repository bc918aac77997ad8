#include "hosts/linux/files.h"
#include "core/base/text.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_MAX_BYTES 4096

/* ---- reading ----------------------------------------------------------------------------------
 */

const char *lb_file_reason(int number) {
    switch (number) {
    case LB_FILE_ODD:
        return "it is not a regular file";
    case LB_FILE_EMPTY:
        return "it is empty";
    case LB_FILE_LONG:
        return "it is too long";
    default:
        return strerror(number);
    }
}

static int kind_of(int fd, struct stat *status) {
    if (fstat(fd, status) < 0)
        return errno;
    if (S_ISDIR(status->st_mode))
        return EISDIR;
    return S_ISREG(status->st_mode) ? 0 : LB_FILE_ODD;
}

int lb_file_check(int fd, uint64_t max_bytes) {
    struct stat status;
    int refused = kind_of(fd, &status);
    if (refused)
        return refused;
    if (status.st_size == 0)
        return LB_FILE_EMPTY;
    return (uint64_t)status.st_size > max_bytes ? LB_FILE_LONG : 0;
}

int lb_file_open(const char *path, struct stat *status) {
    struct stat here;
    int refused, fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return -errno;
    refused = kind_of(fd, status ? status : &here);
    if (refused)
        close(fd);
    return refused ? -refused : fd;
}

long lb_file_read_all(int fd, struct lb_span room) {
    size_t len = 0;
    ssize_t got = 1;
    int error;
    while (got > 0 && len < room.len) {
        got = read(fd, room.p + len, room.len - len);
        if (got > 0)
            len += (size_t)got;
        else if (got < 0 && errno == EINTR)
            got = 1;
    }
    error = errno;
    close(fd);
    if (got < 0)
        return -error;
    return len == room.len ? -LB_FILE_LONG : (long)len;
}

/* ---- writing ----------------------------------------------------------------------------------
 */

static int write_whole(int fd, struct lb_bytes bytes) {
    while (bytes.len > 0) {
        ssize_t written = write(fd, bytes.p, bytes.len);
        if (written < 0 && errno != EINTR)
            return errno;
        if (written > 0)
            bytes = lb_bytes(bytes.p + written, bytes.len - (size_t)written);
    }
    return 0;
}

/* Where one cannot be made, opening the file says why. */
static void make_folders(const char *path) {
    char folder[PATH_MAX_BYTES];
    lb_format(folder, sizeof(folder), "%s", path);
    for (char *p = folder + 1; (p = strchr(p, '/')) != NULL; p++) {
        *p = 0;
        mkdir(folder, 0755);
        *p = '/';
    }
}

int lb_file_write(const char *path, unsigned mode, struct lb_bytes bytes) {
    char temporary[PATH_MAX_BYTES];
    struct lb_text text = lb_text(temporary, sizeof(temporary));
    int fd, error;

    lb_text_add(&text, "%s.new", path);
    if (text.cut)
        return ENAMETOOLONG;
    make_folders(path);
    unlink(temporary); /* so that its mode is ours */
    fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0)
        return errno;
    error = write_whole(fd, bytes);
    if (close(fd) < 0 && error == 0)
        error = errno;
    if (error == 0 && rename(temporary, path) < 0)
        error = errno;
    if (error)
        unlink(temporary);
    return error;
}
