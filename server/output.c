#include "server/output.h"
#include "server/workers.h"
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define WRITE_BYTES 4096 /* at once: room is there again as soon as they are written */

/* A ring: the bytes that wait begin at `first`. The thread writes them without the mutex, for they
 * stay where they are until it has counted them off. */
static char ring[LB_OUTPUT_BYTES];
static size_t first, waiting;
static int out_fd = STDOUT_FILENO;
static bool has_thread, is_idle, is_over;
static pthread_t thread;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t more = PTHREAD_COND_INITIALIZER, less;

/* How many are written, one at least; what cannot be written is gone. */
static size_t write_some(struct lb_bytes bytes) {
    for (;;) {
        ssize_t n = write(out_fd, bytes.p, bytes.len);
        struct pollfd wait = {.fd = out_fd, .events = POLLOUT};
        if (n > 0)
            return (size_t)n;
        if (n < 0 && errno == EAGAIN)
            (void)poll(&wait, 1, -1);
        else if (n == 0 || errno != EINTR)
            return bytes.len;
    }
}

static void *write_all(void *unused) {
    (void)unused;
    pthread_mutex_lock(&mutex);
    while (!is_over) {
        size_t len = LB_MIN(LB_MIN(waiting, sizeof ring - first), WRITE_BYTES);
        if (len == 0) {
            is_idle = true;
            pthread_cond_wait(&more, &mutex);
            continue;
        }
        pthread_mutex_unlock(&mutex);
        len = write_some(lb_bytes(ring + first, len));
        pthread_mutex_lock(&mutex);
        first = (first + len) % sizeof ring;
        waiting -= len;
        if (waiting == 0)
            pthread_cond_broadcast(&less);
    }
    pthread_mutex_unlock(&mutex);
    return NULL;
}

static void copy_in(struct lb_bytes bytes) {
    size_t end = (first + waiting) % sizeof ring, len = LB_MIN(bytes.len, sizeof ring - end);
    memcpy(ring + end, bytes.p, len);
    memcpy(ring, bytes.p + len, bytes.len - len);
    waiting += bytes.len;
}

bool lb_output_begin(int fd, struct lb_server_error *error) {
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&less, &attributes);
    pthread_condattr_destroy(&attributes);
    out_fd = fd;
    is_over = is_idle = false;
    first = waiting = 0;
    has_thread = lb_server_workers_thread(&thread, write_all, NULL, error);
    return has_thread;
}

bool lb_output_has_room(size_t bytes) {
    pthread_mutex_lock(&mutex);
    bool has_room = !has_thread || bytes <= sizeof ring - waiting;
    pthread_mutex_unlock(&mutex);
    return has_room;
}

bool lb_output_add(struct lb_bytes bytes) {
    if (!has_thread) {
        while (bytes.len > 0)
            bytes = lb_bytes_after(bytes, write_some(bytes));
        return true;
    }
    pthread_mutex_lock(&mutex);
    bool has_room = bytes.len <= sizeof ring - waiting;
    if (has_room)
        copy_in(bytes);
    if (is_idle)
        pthread_cond_signal(&more);
    is_idle = false;
    pthread_mutex_unlock(&mutex);
    return has_room;
}

bool lb_output_settle(unsigned wait_ms) {
    struct timespec until;
    if (!has_thread)
        return true;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += wait_ms / 1000;
    until.tv_nsec += (long)(wait_ms % 1000) * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&mutex);
    while (waiting > 0 && pthread_cond_timedwait(&less, &mutex, &until) == 0)
        ;
    bool is_written = waiting == 0;
    pthread_mutex_unlock(&mutex);
    return is_written;
}

void lb_output_end(unsigned wait_ms) {
    if (!has_thread)
        return;
    bool is_written = lb_output_settle(wait_ms);
    pthread_mutex_lock(&mutex);
    is_over = true;
    pthread_cond_signal(&more);
    pthread_mutex_unlock(&mutex);
    if (is_written)
        pthread_join(thread, NULL);
    else
        pthread_detach(thread);
    has_thread = false;
}
