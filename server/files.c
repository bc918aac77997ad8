#include "server/files.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const loaders[] = {"lunbootx64.efi", "lunbootaa64.efi", "lunboot.conf"};

/* ---- names ---- */

/* The byte at this place; 0: the name has ended. */
static uint8_t byte_at(struct lb_bytes name, size_t at) {
    uint8_t c = at < name.len ? name.p[at] : 0;
    return c == '\\' ? '/' : c;
}

struct lb_bytes lb_server_files_path(struct lb_bytes name, struct lb_span room) {
    struct lb_wr wr = lb_wr(room);
    bool at_start = true; /* of a part */
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = byte_at(name, i);
        bool is_here = c == '.' && byte_at(name, i + 1) == '/'; /* "./" */
        if (at_start && (c == '/' || is_here))
            continue;
        if (c < ' ' || c == 0x7f || (c == '.' && at_start))
            return lb_bytes(NULL, 0);
        at_start = c == '/';
        lb_wr_u8(&wr, c);
    }
    struct lb_bytes path = lb_wr_done(&wr);
    return path.len > 0 && path.p[path.len - 1] == '/' ? lb_bytes(NULL, 0) : path;
}

/* ---- the folder ---- */

static bool open_folder(struct lb_server_files *files, const char *path) {
    files->folder = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    lb_text_copy(files->path, sizeof files->path, lb_bytes_of_text(path));
    return files->folder >= 0;
}

/* Where the program itself lies: a build's folder, in which the loaders are beside it. */
static bool open_own_folder(struct lb_server_files *files) {
    char path[LB_SERVER_PATH_MAX + 1];
    ssize_t len = readlink("/proc/self/exe", path, sizeof path - 1);
    while (len > 1 && path[len - 1] != '/')
        len--;
    if (len <= 1)
        return false;
    path[len - 1] = '\0';
    return open_folder(files, path);
}

bool lb_server_files_open(struct lb_server_files *files, const char *folder,
                          struct lb_server_error *error) {
    *files = (struct lb_server_files){.folder = -1, .has_all = folder[0] != '\0'};
    lb_format(files->conf, sizeof files->conf, "# made by lunbootd\nenable = yes\n");
    if (files->has_all)
        return open_folder(files, folder) ||
               lb_server_fail(
                   error, "give the folder that has lunbootx64.efi, or leave --files out",
                   "the folder of boot files %s cannot be opened: %s", folder, strerror(errno));
    if (open_folder(files, LB_SERVER_FILES) && lb_server_files_has(files, loaders[0]))
        return true;
    if (files->folder >= 0)
        close(files->folder);
    open_own_folder(files);
    return true;
}

static bool is_loader(struct lb_bytes path) {
    for (size_t i = 0; i < LB_COUNT(loaders); i++)
        if (lb_text_is(path, loaders[i]))
            return true;
    return false;
}

static bool open_file(const struct lb_server_files *files, const char *path,
                      struct lb_server_file *file) {
    struct stat status;
    if (files->folder < 0)
        return false;
    file->fd = openat(files->folder, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (file->fd >= 0 && fstat(file->fd, &status) == 0 && S_ISREG(status.st_mode)) {
        file->bytes = (uint64_t)status.st_size;
        return true;
    }
    lb_server_file_close(file);
    return false;
}

bool lb_server_files_find(const struct lb_server_files *files, struct lb_bytes name,
                          struct lb_server_file *file, const char **why) {
    char room[LB_SERVER_PATH_MAX + 1];
    struct lb_bytes path = lb_server_files_path(name, lb_span(room, sizeof room - 1));
    *file = (struct lb_server_file){.fd = -1};
    *why = "no file can have this name";
    if (path.len == 0)
        return false;
    room[path.len] = '\0';
    *why = "there is no such file";
    if ((files->has_all || is_loader(path)) && open_file(files, room, file))
        return true;
    /* Beside whatever loader the client was told of. */
    if (!lb_text_is(path, "lunboot.conf") &&
        !(path.len > 13 && memcmp(room + path.len - 13, "/lunboot.conf", 13) == 0))
        return false;
    file->text = lb_bytes_of_text(files->conf);
    file->bytes = file->text.len;
    return true;
}

bool lb_server_files_has(const struct lb_server_files *files, const char *name) {
    struct lb_server_file file = {.fd = -1};
    bool has = open_file(files, name, &file);
    lb_server_file_close(&file);
    return has;
}

bool lb_server_file_read(const struct lb_server_file *file, uint64_t offset, void *to, size_t len) {
    if (len == 0)
        return true;
    if (file->fd >= 0)
        return pread(file->fd, to, len, (off_t)offset) == (ssize_t)len;
    if (offset > file->text.len || len > file->text.len - offset)
        return false;
    memcpy(to, file->text.p + offset, len);
    return true;
}

void lb_server_file_close(struct lb_server_file *file) {
    if (file->fd >= 0)
        close(file->fd);
    file->fd = -1;
}
