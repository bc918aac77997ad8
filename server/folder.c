#include "server/folder.h"
#include "server/workers.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NAMES_MAX 8
#define WAIT_MS   20

/* One name is looked for at a time. */
struct lb_server_folder_watch {
    pthread_mutex_t mutex;
    pthread_cond_t asked, answered;
    int folder; /* its own: it outlives what it was made of */
    struct {
        const char *name;
        bool is_there; /* when it was looked for last */
    } names[NAMES_MAX];
    unsigned count;
    unsigned wanted;       /* a number; NAMES_MAX: none */
    bool is_late, is_over; /* the disk has not answered in time; nobody asks any more */
    pthread_t thread;
};

/* ---- the thread ---- */

static void release(struct lb_server_folder_watch *watch) {
    if (watch->folder >= 0)
        close(watch->folder);
    pthread_cond_destroy(&watch->asked);
    pthread_cond_destroy(&watch->answered);
    pthread_mutex_destroy(&watch->mutex);
    free(watch);
}

static bool look(const struct lb_server_folder_watch *watch, unsigned number) {
    const struct lb_server_files files = {.folder = watch->folder};
    return lb_server_files_has(&files, watch->names[number].name);
}

static void *serve(void *argument) {
    struct lb_server_folder_watch *watch = argument;
    pthread_mutex_lock(&watch->mutex);
    while (!watch->is_over) {
        unsigned number = watch->wanted;
        if (number == NAMES_MAX) {
            pthread_cond_wait(&watch->asked, &watch->mutex);
            continue;
        }
        pthread_mutex_unlock(&watch->mutex);
        bool is_there = look(watch, number);
        pthread_mutex_lock(&watch->mutex);
        watch->names[number].is_there = is_there;
        watch->wanted = NAMES_MAX;
        watch->is_late = false;
        pthread_cond_signal(&watch->answered);
    }
    pthread_mutex_unlock(&watch->mutex);
    release(watch);
    return NULL;
}

/* ---- who asks ---- */

/* Its number; NAMES_MAX: there are too many. */
static unsigned number_of(struct lb_server_folder_watch *watch, const char *name) {
    unsigned number = 0;
    while (number < watch->count && strcmp(watch->names[number].name, name) != 0)
        number++;
    if (number == watch->count && number < NAMES_MAX) {
        watch->names[number].name = name;
        watch->count++;
    }
    return number;
}

/* Until the thread has looked, or for WAIT_MS. */
static void await(struct lb_server_folder_watch *watch) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += WAIT_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    while (watch->wanted != NAMES_MAX && !watch->is_late)
        watch->is_late = pthread_cond_timedwait(&watch->answered, &watch->mutex, &until) != 0;
}

bool lb_server_folder_has(const struct lb_server_folder *folder, const char *name) {
    struct lb_server_folder_watch *watch = folder->watch;
    if (watch == NULL)
        return lb_server_files_has(folder->files, name);
    pthread_mutex_lock(&watch->mutex);
    unsigned number = number_of(watch, name);
    if (number < NAMES_MAX && !watch->is_late) {
        watch->wanted = number;
        pthread_cond_signal(&watch->asked);
        await(watch);
    }
    bool is_there = number < NAMES_MAX && watch->names[number].is_there;
    pthread_mutex_unlock(&watch->mutex);
    return is_there;
}

bool lb_server_folder_open(struct lb_server_folder *folder, const struct lb_server_files *files,
                           bool has_thread, struct lb_server_error *error) {
    *folder = (struct lb_server_folder){.files = files};
    struct lb_server_folder_watch *watch = has_thread ? calloc(1, sizeof *watch) : NULL;
    pthread_condattr_t clock;
    if (watch == NULL)
        return !has_thread || lb_server_fail(error, "", "there is no memory for boot files");
    watch->folder = files->folder < 0 ? -1 : fcntl(files->folder, F_DUPFD_CLOEXEC, 0);
    watch->wanted = NAMES_MAX;
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_mutex_init(&watch->mutex, NULL);
    pthread_cond_init(&watch->asked, &clock);
    pthread_cond_init(&watch->answered, &clock);
    pthread_condattr_destroy(&clock);
    if (!lb_server_workers_thread(&watch->thread, serve, watch, error)) {
        release(watch);
        return false;
    }
    folder->watch = watch;
    return true;
}

void lb_server_folder_close(struct lb_server_folder *folder) {
    struct lb_server_folder_watch *watch = folder->watch;
    if (watch == NULL)
        return;
    folder->watch = NULL;
    pthread_t thread = watch->thread;
    pthread_mutex_lock(&watch->mutex);
    bool is_busy = watch->wanted != NAMES_MAX;
    watch->is_over = true;
    pthread_cond_signal(&watch->asked);
    if (is_busy)
        pthread_detach(thread);
    pthread_mutex_unlock(&watch->mutex);
    if (!is_busy)
        pthread_join(thread, NULL);
}
