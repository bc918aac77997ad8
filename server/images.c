#include "server/images.h"
#include "server/durable.h"
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- names ---- */

/* Only what lb_image_path writes: no blanks, no zeros in front. */
bool lb_image_parse(struct lb_bytes text, struct lb_image *image) {
    struct lb_bytes rest = text, name;
    char again[LB_IMAGE_NAME_MAX + 16];
    struct lb_image got;
    uint64_t version;
    if (!lb_list_next(&rest, '@', &name) || !lb_image_is_name(name) ||
        !lb_text_copy(got.name, sizeof got.name, name) ||
        !lb_parse_u64(rest, UINT32_MAX, &version) || version == 0)
        return false;
    got.version = (uint32_t)version;
    lb_format(again, sizeof again, "%s@%u", got.name, got.version);
    if (!lb_text_is(text, again))
        return false;
    *image = got;
    return true;
}

void lb_image_path(const char *state, const struct lb_image *image, char path[LB_IMAGE_PATH_MAX]) {
    lb_format(path, LB_IMAGE_PATH_MAX, "%s/images/%s@%u", state, image->name, image->version);
}

void lb_image_new_path(const char *state, const struct lb_image *image,
                       char path[LB_IMAGE_PATH_MAX]) {
    lb_format(path, LB_IMAGE_PATH_MAX, "%s/images/.%s@%u.new", state, image->name, image->version);
}

struct lb_image lb_image_of_path(const char *state, const char *path) {
    struct lb_image image = {0}, none = {0};
    char whole[LB_IMAGE_PATH_MAX];
    const char *base = strrchr(path, '/');
    if (base == NULL || !lb_image_parse(lb_bytes_of_text(base + 1), &image))
        return none;
    lb_image_path(state, &image, whole);
    return lb_streq(whole, path) ? image : none;
}

/* ---- the folder ---- */

static DIR *open_folder(const char *state) {
    char path[LB_IMAGE_PATH_MAX];
    lb_format(path, sizeof path, "%s/images", state);
    return opendir(path);
}

static bool is_before(const struct lb_image *a, const struct lb_image *b) {
    int order = strcmp(a->name, b->name);
    return order < 0 || (order == 0 && a->version < b->version);
}

bool lb_images_next(const char *state, struct lb_image *image) {
    DIR *folder = open_folder(state);
    struct dirent *entry;
    struct lb_image at, next = {0};
    while (folder != NULL && (entry = readdir(folder)) != NULL)
        if (lb_image_parse(lb_bytes_of_text(entry->d_name), &at) && is_before(image, &at) &&
            (next.version == 0 || is_before(&at, &next)))
            next = at;
    if (folder != NULL)
        closedir(folder);
    if (next.version > 0)
        *image = next;
    return next.version > 0;
}

uint32_t lb_images_newest(const char *state, const char *name) {
    struct lb_image at = {0};
    uint32_t newest = 0;
    while (lb_images_next(state, &at))
        if (lb_streq(at.name, name))
            newest = at.version;
    return newest;
}

bool lb_images_open(const char *state, struct lb_server_error *error) {
    char path[LB_IMAGE_PATH_MAX];
    struct dirent *entry;
    lb_format(path, sizeof path, "%s/images", state);
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return lb_server_fail(error, LB_SERVER_STATE_HINT, "images cannot be kept in %s: %s", path,
                              strerror(errno));
    DIR *folder = opendir(path);
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        size_t len = strlen(entry->d_name);
        if (entry->d_name[0] == '.' && len > 4 && lb_streq(entry->d_name + len - 4, ".new"))
            (void)unlinkat(dirfd(folder), entry->d_name, 0);
    }
    if (folder != NULL)
        closedir(folder);
    return true;
}

int lb_image_publish(const char *state, const struct lb_image *image) {
    char from[LB_IMAGE_PATH_MAX], to[LB_IMAGE_PATH_MAX], folder[LB_IMAGE_PATH_MAX];
    lb_image_new_path(state, image, from);
    lb_image_path(state, image, to);
    if (access(to, F_OK) == 0)
        return EEXIST;
    if (rename(from, to) < 0)
        return errno;
    lb_format(folder, sizeof folder, "%s/images", state);
    return lb_durable_folder(folder);
}
