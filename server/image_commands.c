#include "server/image_commands.h"
#include "server/say.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PROGRESS_US (200 * LB_US_MS)

/* ---- begin ---- */

static bool is_free(struct lb_server_command *command) {
    const struct lb_server_job *job = &command->server->job;
    return job->source.fd < 0 ||
           lb_server_fail(&command->error, "wait until it is there: lunbootctl image list",
                          "%s@%u is being made", job->image.name, job->image.version);
}

/* Gives its length; 0: see the error. */
static uint64_t check_file(struct lb_server_command *command, int fd) {
    struct stat status;
    const char *format, *packer;
    off_t end = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
    if (end < 0 || fstat(fd, &status) < 0 || (!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode)))
        lb_server_fail(&command->error, "give a raw image or a block device",
                       "what is to become a version is neither a file nor a block device");
    else if (end < 512)
        lb_server_fail(&command->error, "give a disk with a system on it", "the file is empty");
    else if ((format = lb_image_format(fd)) != NULL)
        lb_server_fail(&command->error, "qemu-img convert -O raw FILE DISK.img",
                       "the file is no raw disk: it is a %s", format);
    else if ((packer = lb_image_packer(fd)) != NULL)
        lb_server_fail(&command->error, "unpack it first, and give the raw disk",
                       "the file is no raw disk: %s has compressed it", packer);
    else
        return (uint64_t)end / 512 * 512;
    return 0;
}

static bool begin(struct lb_server *server, struct lb_server_job *job,
                  struct lb_server_error *error) {
    server->job = *job;
    server->job.state = server->settings.state;
    return lb_server_job_begin(&server->job, server->epoll, error);
}

void lb_server_image_import(struct lb_server_command *command) {
    struct lb_server *server = command->server;
    struct lb_bytes name = command->request.words[0];
    bool is_new = command->request.verb == LB_REQUEST_IMAGE_ADD;
    struct lb_server_job job = {.client = command->client->serial,
                                .is_json = command->request.is_json,
                                .from = command->client->file};
    if (!lb_image_is_name(name) || !lb_text_copy(job.image.name, sizeof job.image.name, name)) {
        lb_server_fail(&command->error, "a name has small letters, digits, - and ., at most 40",
                       "the image's name cannot be used");
        return;
    }
    uint32_t newest = lb_images_newest(server->settings.state, job.image.name);
    job.bytes = job.work_bytes = check_file(command, job.from);
    job.image.version = newest + 1;
    if (job.bytes == 0 || !is_free(command))
        return;
    if (is_new && newest > 0)
        lb_server_fail(&command->error, "lunbootctl image update makes its next version",
                       "there is an image %s already", job.image.name);
    else if (!is_new && newest == 0)
        lb_server_fail(&command->error, "lunbootctl image list; lunbootctl image add makes one",
                       "there is no image %s", job.image.name);
    else {
        command->client->file = -1; /* it is the job's */
        command->is_waiting = begin(server, &job, &command->error);
    }
}

/* ---- commit ---- */

/* The next version of what the machine has; it is frozen. */
static bool begin_commit(struct lb_server *server, struct lb_server_machine *machine,
                         uint32_t version, uint64_t client, struct lb_server_error *error) {
    struct lb_server_job job = {
        .machine = machine,
        .client = client,
        .bytes = machine->disk->storage.bytes,
        .overlay = &machine->overlay.overlay,
        .image.version = version,
        .from = dup(machine->disk->storage.fd),
    };
    lb_format(job.image.name, sizeof job.image.name, "%s", machine->image);
    job.work_bytes = job.bytes + machine->overlay.overlay.here * LB_OVERLAY_BLOCK;
    if (begin(server, &job, error))
        return true;
    struct lb_server_error other = {0};
    (void)lb_server_machine_thaw(&server->machines, machine, false, &other);
    return false;
}

static bool may_commit(struct lb_server_command *command, const struct lb_server_machine *machine) {
    const char *state = command->server->settings.state;
    struct lb_image has = lb_image_of_path(state, machine->disk->path);
    char hint[160];
    lb_format(hint, sizeof hint, "lunbootctl maintain %s, boot it, and change what is to change",
              machine->name);
    if (machine->image[0] == '\0')
        return lb_server_fail(&command->error, "give it an image: see lunbootctl image add",
                              "%s has no image", machine->name[0] ? machine->name : "it");
    if (!machine->is_maintained && machine->writes != LB_WRITES_KEEP)
        return lb_server_fail(&command->error, hint, "%s drops what it writes", machine->name);
    if (!machine->head.is_used || machine->offered != machine->head.generation)
        return lb_server_fail(&command->error, hint, "%s has not booted since", machine->name);
    lb_format(hint, sizeof hint, "lunbootctl reset %s, and do the work again", machine->name);
    return has.version == lb_images_newest(state, has.name) ||
           lb_server_fail(
               &command->error, hint,
               "%s has %s@%u, which is not the newest: a commit would undo what is newer",
               machine->name, has.name, has.version);
}

void lb_server_image_commit(struct lb_server_command *command, struct lb_server_machine *machine) {
    struct lb_server *server = command->server;
    struct lb_store_work work = {0};
    if (!is_free(command) || !may_commit(command, machine) ||
        !lb_server_machine_freeze(&server->machines, machine, &command->error))
        return;
    memcpy(work.name, machine->name, sizeof work.name);
    memcpy(work.image, machine->image, sizeof machine->image);
    work.version = lb_images_newest(server->settings.state, machine->image) + 1;
    (void)lb_server_store_put_work(&server->store, &work);
    lb_server_store_flush(&server->store); /* a later lunbootd goes on from here */
    command->is_waiting =
        begin_commit(server, machine, work.version, command->client->serial, &command->error);
    server->job.is_json = command->request.is_json;
}

/* ---- go on after a restart ---- */

/* The version is there: what the machine wrote is in it. */
static bool finish_commit(struct lb_server *server, struct lb_server_machine *machine,
                          const struct lb_image *image, struct lb_server_error *error) {
    lb_server_say(machine->name, "is committed: %s@%u", image->name, image->version);
    return lb_server_machine_thaw(&server->machines, machine, true, error);
}

static bool resume_one(struct lb_server *server, const struct lb_store_work *work,
                       struct lb_server_error *error) {
    struct lb_server_machine *machine =
        lb_server_machines_named(&server->machines, lb_bytes_of_text(work->name));
    struct lb_image image = {.version = work->version};
    char path[LB_IMAGE_PATH_MAX];
    if (machine == NULL || !lb_streq(machine->image, work->image))
        return true; /* it is not served now; this waits until it is */
    memcpy(image.name, work->image, sizeof image.name);
    machine->is_maintained = machine->writes == LB_WRITES_DROP;
    if (work->version == 0)
        return true;
    lb_image_path(server->settings.state, &image, path);
    if (access(path, F_OK) == 0)
        return finish_commit(server, machine, &image, error);
    lb_server_say(machine->name, "is committed: lunbootd had ended before %s@%u was made",
                  image.name, image.version);
    return server->job.source.fd >= 0 || /* one at a time; the other is asked for again */
           (lb_server_machine_freeze(&server->machines, machine, error) &&
            begin_commit(server, machine, image.version, 0, error));
}

bool lb_server_image_resume(struct lb_server *server, struct lb_server_error *error) {
    struct lb_store_work works[16], work;
    size_t count = 0;
    while (lb_server_store_next_work(&server->store, &work, error) && count < LB_COUNT(works))
        works[count++] = work;
    for (size_t i = 0; i < count; i++) {
        struct lb_server_error why = {0};
        if (!resume_one(server, &works[i], &why))
            lb_server_say(works[i].name, "cannot be committed: %s", why.what);
    }
    lb_server_machines_free_versions(&server->machines);
    return error->what[0] == '\0';
}

/* ---- the end ---- */

static void note_end(struct lb_server *server, struct lb_server_error *error) {
    struct lb_server_job *job = &server->job;
    char version[LB_IMAGE_NAME_MAX + 16];
    lb_format(version, sizeof version, "%s@%u", job->image.name, job->image.version);
    if (job->error != 0) {
        const char *hint = job->error == ENOSPC ? "make room, and try again" : "see the reason";
        lb_server_fail(error, hint, "%s could not be made: %s", version, strerror(job->error));
        lb_server_say("", "%s", error->what);
        return;
    }
    lb_server_say("", "%s is there (%s): new boots get it", version, lb_size_text(job->bytes).s);
    lb_server_machines_refresh(&server->machines);
}

void lb_server_image_made(struct lb_server *server) {
    struct lb_server_job *job = &server->job;
    struct lb_server_error error = {0};
    lb_server_job_end(job);
    note_end(server, &error);
    if (job->machine != NULL && job->error == 0)
        (void)finish_commit(server, job->machine, &job->image, &error);
    else if (job->machine != NULL)
        (void)lb_server_machine_thaw(&server->machines, job->machine, false, &error);
    lb_server_machines_free_versions(&server->machines);
    struct lb_control_client *client = lb_server_control_find(&server->control, job->client);
    if (client == NULL)
        return;
    lb_control_say(client, '%', "%s", "");
    if (job->error == 0)
        lb_control_say(client, ' ', job->is_json ? "{\"image\":\"%s\",\"version\":%u}" : "%s@%u",
                       job->image.name, job->image.version);
    lb_control_end(&server->control, client, &error);
}

uint64_t lb_server_image_poll(struct lb_server *server, uint64_t now_us) {
    struct lb_server_job *job = &server->job;
    if (job->source.fd < 0)
        return LB_NEVER;
    struct lb_control_client *client = lb_server_control_find(&server->control, job->client);
    if (client != NULL && now_us >= server->told_us + PROGRESS_US) {
        uint64_t done = atomic_load(&job->progress.done);
        lb_control_say(client, '%', "%s@%u: %s of %s", job->image.name, job->image.version,
                       lb_size_text(done).s, lb_size_text(job->work_bytes).s);
        lb_control_flush(&server->control, client);
        server->told_us = now_us;
    }
    return client != NULL ? server->told_us + PROGRESS_US : LB_NEVER;
}

/* ---- list ---- */

void lb_server_image_list(struct lb_server_command *command) {
    struct lb_server *server = command->server;
    const char *state = server->settings.state;
    struct lb_image at = {0};
    if (!command->request.is_json)
        lb_control_say(command->client, ' ', "%-30s %10s  %8s", "IMAGE", "SIZE", "MACHINES");
    while (lb_images_next(state, &at)) {
        char path[LB_IMAGE_PATH_MAX], name[LB_IMAGE_NAME_MAX + 16];
        struct stat status = {0};
        size_t users = lb_server_machines_count_users(&server->machines, &at);
        bool is_newest = at.version == lb_images_newest(state, at.name);
        lb_image_path(state, &at, path);
        (void)stat(path, &status);
        lb_format(name, sizeof name, "%s@%u", at.name, at.version);
        if (command->request.is_json)
            lb_control_say(command->client, ' ',
                           "{\"image\":\"%s\",\"version\":%u,\"bytes\":%llu,\"machines\":%zu,"
                           "\"newest\":%s}",
                           at.name, at.version, (unsigned long long)status.st_size, users,
                           is_newest ? "true" : "false");
        else
            lb_control_say(command->client, ' ', "%-30s %10s  %8zu%s", name,
                           lb_size_text((uint64_t)status.st_size).s, users,
                           is_newest ? "  newest" : "");
    }
}

/* ---- remove ---- */

void lb_server_image_remove(struct lb_server_command *command) {
    struct lb_server *server = command->server;
    const char *state = server->settings.state;
    struct lb_bytes word = command->request.words[0];
    struct lb_image image = {.version = 0};
    char shown[64], path[LB_IMAGE_PATH_MAX];
    struct lb_text text = lb_text(shown, sizeof shown);
    struct stat status;
    lb_text_untrusted(&text, word);
    if (lb_image_is_name(word) && lb_text_copy(image.name, sizeof image.name, word))
        image.version = lb_images_newest(state, image.name);
    else
        (void)lb_image_parse(word, &image);
    lb_image_path(state, &image, path);
    if (image.version == 0 || stat(path, &status) < 0) {
        lb_server_fail(&command->error, "lunbootctl image list shows the images",
                       "there is no image %s", shown);
        return;
    }
    if (lb_server_machines_remove_version(&server->machines, &image, &command->error))
        lb_server_say("", "%s@%u is removed", image.name, image.version);
}
