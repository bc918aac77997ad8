#include "server/durable.h"
#include "core/base/text.h"
#include "server/lock.h"
#include "server/settings.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static int sync_folder(const char *folder) {
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int error = fd < 0 || fsync(fd) < 0 ? errno : 0;
    if (fd >= 0)
        close(fd);
    return error;
}

static int write_new(const char *path, struct lb_bytes text) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno;
    ssize_t n = write(fd, text.p, text.len);
    int error = n < 0 ? errno : n != (ssize_t)text.len ? ENOSPC : 0;
    if (error == 0 && fsync(fd) < 0)
        error = errno;
    close(fd);
    return error;
}

/* ---- what may wait: without the lock ---- */

int lb_durable_folder(const char *folder) {
    bool is_paused = lb_lock_pause();
    int error = sync_folder(folder);
    lb_lock_resume(is_paused);
    return error;
}

int lb_durable_replace(const char *folder, const char *name, struct lb_bytes text) {
    char path[LB_SERVER_PATH_MAX + 80], new_path[LB_SERVER_PATH_MAX + 84];
    lb_format(path, sizeof path, "%s/%s", folder, name);
    lb_format(new_path, sizeof new_path, "%s.new", path);
    bool is_paused = lb_lock_pause();
    int error = write_new(new_path, text);
    if (error == 0 && rename(new_path, path) < 0)
        error = errno;
    error = error != 0 ? error : sync_folder(folder);
    lb_lock_resume(is_paused);
    return error;
}

int lb_durable_remove(const char *folder, const char *name) {
    char path[LB_SERVER_PATH_MAX + 80];
    lb_format(path, sizeof path, "%s/%s", folder, name);
    bool is_paused = lb_lock_pause();
    int error = unlink(path) < 0 ? errno : sync_folder(folder);
    lb_lock_resume(is_paused);
    return error == ENOENT ? 0 : error;
}

int lb_durable_make_folder(const char *folder, bool *is_new) {
    bool is_paused = lb_lock_pause();
    *is_new = mkdir(folder, 0700) == 0;
    int error = *is_new || errno == EEXIST ? 0 : errno;
    lb_lock_resume(is_paused);
    return error;
}
