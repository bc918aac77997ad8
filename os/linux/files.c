#include "os/linux/files.h"
#include "core/base/text.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PATH_MAX_BYTES 4096
#define NAME_MAX_BYTES 256

/* ---- reading --------------------------------------------------------------------------------- */

const char *lb_file_reason(int number) {
    switch (number) {
    case LB_FILE_ODD:
        return "it is not a regular file";
    case LB_FILE_EMPTY:
        return "it is empty";
    case LB_FILE_LONG:
        return "it is too long";
    case LB_FILE_LINK:
        return "it is a symbolic link";
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

long lb_file_read(const char *path, struct lb_span room) {
    int fd = lb_file_open(path, NULL);
    return fd < 0 ? fd : lb_file_read_all(fd, room);
}

/* ---- writing --------------------------------------------------------------------------------- */

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

/* Where one cannot be made, opening it says why. */
static void make_folders(const char *path) {
    char folder[PATH_MAX_BYTES];
    lb_format(folder, sizeof(folder), "%s/", path);
    for (char *p = folder + 1; (p = strchr(p, '/')) != NULL; p++) {
        *p = 0;
        mkdir(folder, 0755);
        *p = '/';
    }
}

/* A folder that is there: links within the root lead on, but never out of it. */
static int open_there(int root, int parent, const char *path, const char *name) {
    struct open_how how = {.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
                           .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
    if (fd < 0 && errno == ENOSYS) /* Linux before 5.6: no links at all */
        fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    return fd < 0 ? -errno : fd;
}

/* Its mode is ours, whatever the umask: others have to read what is in it. */
static int make_there(int parent, const char *name) {
    int fd, made = mkdirat(parent, name, 0755);
    if (made < 0 && errno != EEXIST)
        return -errno;
    fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return -errno;
    if (made == 0)
        (void)fchmod(fd, 0755);
    return fd;
}

/* Of the first `len` bytes of a path below the root, which are changed meanwhile. */
static int open_below(int root, char *path, bool makes) {
    int fd = dup(root), next;
    char *name = path;
    while (fd >= 0 && *name) {
        size_t len = strcspn(name, "/");
        char after = name[len];
        name[len] = 0;
        next = open_there(root, fd, path, name);
        if (next == -ENOENT && makes)
            next = make_there(fd, name);
        close(fd);
        fd = next;
        name[len] = after;
        name += len + (after ? 1 : 0);
    }
    return fd;
}

int lb_file_folder(const char *root, const char *path, bool makes) {
    char copy[PATH_MAX_BYTES];
    int fd, root_fd;
    if (!lb_text_copy(copy, sizeof(copy), lb_bytes_of_text(path)))
        return -ENAMETOOLONG;
    root_fd = open(root[0] ? root : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root_fd < 0)
        return -errno;
    fd = open_below(root_fd, copy, makes);
    close(root_fd);
    return fd;
}

int lb_file_write_at(int folder, const char *name, unsigned mode, struct lb_bytes bytes) {
    char temporary[NAME_MAX_BYTES];
    struct lb_text text = lb_text(temporary, sizeof(temporary));
    int fd, error;

    lb_text_add(&text, ".%s.lunboot", name);
    if (text.cut)
        return ENAMETOOLONG;
    unlinkat(folder, temporary, 0); /* so that it is ours */
    fd = openat(folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno;
    error = fchmod(fd, mode) < 0 ? errno : write_whole(fd, bytes);
    if (close(fd) < 0 && error == 0)
        error = errno;
    if (error == 0 && renameat(folder, temporary, folder, name) < 0)
        error = errno;
    if (error)
        unlinkat(folder, temporary, 0);
    return error;
}

int lb_file_write(const char *root, const char *path, unsigned mode, struct lb_bytes bytes) {
    char folders[PATH_MAX_BYTES];
    const char *name = strrchr(path, '/');
    int folder, error;
    if (!lb_text_copy(folders, sizeof(folders), lb_bytes(path, name ? (size_t)(name - path) : 0)))
        return ENAMETOOLONG;
    make_folders(root);
    folder = lb_file_folder(root, folders, true);
    if (folder < 0)
        return -folder;
    error = lb_file_write_at(folder, name ? name + 1 : path, mode, bytes);
    close(folder);
    return error;
}

/* ---- where a person wants a copy ------------------------------------------------------------- */

/* A device, a pipe, or a name of this process's own files. */
static bool is_passed_on(const char *path, const struct stat *status) {
    return strncmp(path, "/dev/", 5) == 0 || strncmp(path, "/proc/", 6) == 0 ||
           !(S_ISREG(status->st_mode) || S_ISLNK(status->st_mode));
}

static int begin_new(struct lb_output *output, mode_t mode) {
    struct lb_text text = lb_text(output->temporary, sizeof(output->temporary));
    const char *name = strrchr(output->path, '/');
    size_t folder_len = name ? (size_t)(name + 1 - output->path) : 0;
    lb_text_add(&text, "%.*s.%s.lunboot", (int)folder_len, output->path, output->path + folder_len);
    if (text.cut)
        return ENAMETOOLONG;
    unlink(output->temporary);
    output->fd =
        open(output->temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (output->fd >= 0 && fchmod(output->fd, mode) == 0)
        return 0;
    return errno;
}

int lb_output_open(struct lb_output *output, const char *path) {
    struct stat status;
    *output = (struct lb_output){.path = path, .fd = -1};
    if (lstat(path, &status) < 0)
        return errno == ENOENT ? begin_new(output, 0600) : errno;
    if (S_ISDIR(status.st_mode))
        return EISDIR;
    if (is_passed_on(path, &status)) {
        output->fd = open(path, O_WRONLY | O_CLOEXEC);
        return output->fd < 0 ? errno : 0;
    }
    return S_ISLNK(status.st_mode) ? LB_FILE_LINK : begin_new(output, status.st_mode & 0777);
}

int lb_output_close(struct lb_output *output, bool is_whole) {
    int error = 0;
    if (output->fd >= 0 && close(output->fd) < 0)
        error = errno;
    if (output->temporary[0] && is_whole && error == 0 &&
        rename(output->temporary, output->path) < 0)
        error = errno;
    if (output->temporary[0] && (!is_whole || error))
        unlink(output->temporary);
    output->fd = -1;
    return error;
}
