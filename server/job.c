#include "server/job.h"
#include "server/lock.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

static int make(struct lb_server_job *job, int to) {
    int error = lb_copy_disk(job->from, to, job->bytes, &job->progress);
    if (error == 0 && fchmod(to, 0444) < 0)
        error = errno;
    return error == 0 ? lb_copy_finish(job->overlay, to, &job->progress) : error;
}

static void *work(void *argument) {
    struct lb_server_job *job = argument;
    char path[LB_IMAGE_PATH_MAX];
    lb_image_new_path(job->state, &job->image, path);
    (void)unlink(path);
    int to = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    job->error = to < 0 ? errno : make(job, to);
    if (to >= 0)
        close(to);
    if (job->error == 0)
        job->error = lb_image_publish(job->state, &job->image);
    if (job->error != 0)
        (void)unlink(path);
    (void)eventfd_write(job->source.fd, 1);
    return NULL;
}

static int start(struct lb_server_job *job) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&job->thread, NULL, work, job);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

bool lb_server_job_begin(struct lb_server_job *job, int epoll, struct lb_server_error *error) {
    atomic_store(&job->progress.done, 0);
    atomic_store(&job->progress.is_cancelled, false);
    job->source = (struct lb_server_source){.kind = LB_SOURCE_JOB,
                                            .fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    if (job->source.fd >= 0 && lb_server_watch(epoll, &job->source, EPOLLIN)) {
        errno = start(job);
        if (errno == 0)
            return true;
    }
    lb_server_fail(error, "try again", "a version cannot be made now: %s", strerror(errno));
    lb_server_source_close(&job->source);
    close(job->from);
    return false;
}

void lb_server_job_end(struct lb_server_job *job) {
    bool is_paused = lb_lock_pause_any();
    pthread_join(job->thread, NULL);
    lb_lock_resume_any(is_paused);
    lb_server_source_close(&job->source);
    close(job->from);
}

void lb_server_job_cancel(struct lb_server_job *job) {
    if (job->source.fd < 0)
        return;
    atomic_store(&job->progress.is_cancelled, true);
    lb_server_job_end(job);
}
