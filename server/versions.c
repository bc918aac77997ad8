/* Which versions of images machines have, and those that go. */
#include "server/lock.h"
#include "server/machines.h"
#include "server/say.h"
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool has_version(const char *path, const struct lb_server_machine *machine) {
    return !machine->is_gone && machine->disk != NULL && lb_streq(machine->disk->path, path) &&
           (machine->is_open || machine->is_at_work || machine->head.is_used);
}

/* Also of machines that are not served now, but have written over it. */
static size_t count_heads(const struct lb_server_machines *machines, const char *path) {
    DIR *folder = opendir(machines->settings->overlays);
    struct dirent *entry;
    size_t count = 0;
    lb_lock_lend();
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        char whose[LB_SERVER_PATH_MAX + 264];
        struct lb_server_head head;
        const struct lb_server_machine *machine = lb_server_machines_named(
            (struct lb_server_machines *)(uintptr_t)machines, lb_bytes_of_text(entry->d_name));
        lb_format(whose, sizeof whose, "%s/%s", machines->settings->overlays, entry->d_name);
        if (entry->d_name[0] != '.' && (machine == NULL || !has_version(path, machine)))
            count += lb_server_head_load(whose, &head) && head.is_used && lb_streq(head.base, path);
    }
    lb_lock_unlend();
    if (folder != NULL)
        closedir(folder);
    return count;
}

static size_t count_served(const struct lb_server_machines *machines, const char *path) {
    size_t count = 0;
    for (size_t i = 0; i < machines->count; i++)
        count += has_version(path, &machines->list[i]);
    return count;
}

/* In memory first: heads are files. Others may begin to use it while those are read. */
static bool is_used(const struct lb_server_machines *machines, const char *path) {
    return count_served(machines, path) > 0 || count_heads(machines, path) > 0 ||
           count_served(machines, path) > 0;
}

size_t lb_server_machines_count_users(const struct lb_server_machines *machines,
                                      const struct lb_image *image) {
    char path[LB_IMAGE_PATH_MAX];
    lb_image_path(machines->settings->state, image, path);
    size_t heads = count_heads(machines, path);
    return heads + count_served(machines, path);
}

/* A large file goes slowly. First it gets a name that is none of a version, which lb_images_open
 * removes after a power cut. False: errno. */
static bool hide_file(const char *state, const struct lb_image *image) {
    char path[LB_IMAGE_PATH_MAX], hidden[LB_IMAGE_PATH_MAX];
    lb_image_path(state, image, path);
    lb_image_new_path(state, image, hidden);
    return rename(path, hidden) == 0;
}

/* Then it goes, without the lock. */
static void drop_hidden(const char *state, const struct lb_image *image) {
    char hidden[LB_IMAGE_PATH_MAX];
    lb_image_new_path(state, image, hidden);
    bool is_paused = lb_lock_pause_any();
    (void)unlink(hidden);
    lb_lock_resume_any(is_paused);
}

void lb_server_machines_free_versions(struct lb_server_machines *machines) {
    struct lb_image at = {0};
    const char *state = machines->settings->state;
    while (lb_images_next(state, &at)) {
        char path[LB_IMAGE_PATH_MAX];
        lb_image_path(state, &at, path);
        if (at.version == lb_images_newest(state, at.name) || is_used(machines, path))
            continue;
        lb_server_machines_close_version(machines, path);
        if (!hide_file(state, &at))
            continue;
        drop_hidden(state, &at);
        lb_server_say("", "%s@%u is removed: no machine has it any more", at.name, at.version);
    }
}

/* A section, or all machines without one, boot from this image. */
static bool is_named(const struct lb_server_settings *settings, const char *name) {
    bool is_named = lb_streq(settings->image, name);
    for (size_t i = 0; i < settings->machine_count; i++)
        is_named = is_named || lb_streq(settings->machines[i].image, name);
    return is_named;
}

static size_t count_versions(const char *state, const char *name) {
    struct lb_image at = {0};
    size_t count = 0;
    while (lb_images_next(state, &at))
        count += lb_streq(at.name, name);
    return count;
}

bool lb_server_machines_remove_version(struct lb_server_machines *machines,
                                       const struct lb_image *image,
                                       struct lb_server_error *error) {
    const char *state = machines->settings->state;
    size_t users = lb_server_machines_count_users(machines, image);
    char path[LB_IMAGE_PATH_MAX];
    if (users > 0)
        return lb_server_fail(error,
                              "lunbootctl list shows them; shut each down, and lunbootctl reset it",
                              "%s@%u is in use: %zu %s it", image->name, image->version, users,
                              users == 1 ? "machine has" : "machines have");
    if (is_named(machines->settings, image->name) && count_versions(state, image->name) == 1)
        return lb_server_fail(error, "take image out of lunbootd.conf, and restart lunbootd",
                              "machines boot from %s, and it has no other version", image->name);
    lb_image_path(state, image, path);
    if (!hide_file(state, image))
        return lb_server_fail(error, "lunbootctl image list", "%s@%u cannot be removed: %s",
                              image->name, image->version, strerror(errno));
    lb_server_machines_close_version(machines, path);
    drop_hidden(state, image);
    return true;
}
