#include "hosts/linux/files.h"
#include "core/base/text.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_MAX_BYTES 4096

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
