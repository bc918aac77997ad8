#include "server/threads.h"
#include "os/linux/clock.h"
#include "server/lock.h"
#include "server/workers.h"
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define SESSION_TICKS 3   /* on one session, in many calls */
#define QUIET_TICKS   100 /* without any work: then it sleeps until there is some */

struct lb_server_threads {
    struct lb_server_target *main;
    void (*serve)(struct lb_server_worker *worker);
    pthread_t watcher;
    bool is_begun;
    atomic_bool is_over, is_asleep;
    int wakeup; /* eventfd of the watcher */
    pthread_mutex_t mutex;
    pthread_cond_t has_ended;
    size_t alive; /* threads of workers; by mutex */
};

static _Thread_local struct lb_server_home *home_at; /* that this thread works for */

static atomic_uint disk_max = LB_THREADS_DISK_MIN; /* threads that may wait for one disk */

/* ---- who works for whom ---- */

void lb_server_threads_work_for(struct lb_server_target *target, struct lb_server_home *home,
                                struct lb_server_disk *disk) {
    unsigned moves = atomic_load_explicit(&target->moves, memory_order_relaxed);
    atomic_store_explicit(&target->moves, moves + 1, memory_order_relaxed);
    target->home_at = home_at = home;
    target->disk_at = disk;
}

bool lb_server_threads_is_waiting(const struct lb_server_home *home,
                                  const struct lb_server_disk *disk) {
    return (home != NULL && home->waits_since_us != 0) ||
           (disk != NULL && atomic_load_explicit(&disk->waiting, memory_order_relaxed) >= disk_max);
}

/* ---- a thread of a worker ---- */

/* If the owner still waits in that call, this thread becomes the owner. The lock is held
 * exclusively. */
static bool take_over(struct lb_server_worker *worker) {
    struct lb_server_target *target = &worker->target;
    if (worker->is_over || !atomic_load(&worker->owner.is_waiting) ||
        atomic_load(&target->moves) != worker->stuck_moves)
        return false;
    lb_lock_owner_become();
    if (target->home_at != NULL) {
        target->home_at->waits_since_us = lb_now_us();
        target->home_at->waits_for = target->disk_at;
        if (target->disk_at != NULL)
            atomic_fetch_add(&target->disk_at->waiting, 1);
    }
    lb_server_threads_work_for(target, NULL, NULL);
    return true;
}

/* The call of a replaced thread has returned, and its work is done: the machine's sessions go on,
 * and those of its disk. */
static void hand_back(struct lb_server_target *main) {
    if (home_at != NULL) {
        if (home_at->waits_for != NULL)
            atomic_fetch_sub(&home_at->waits_for->waiting, 1);
        home_at->waits_since_us = 0;
        home_at->waits_for = NULL;
        home_at = NULL;
    }
    (void)lb_lock_upgrade();
    for (size_t i = 0; i < main->worker_count; i++) {
        main->workers[i].target.server.stirred = true;
        lb_server_workers_wake(&main->workers[i].target);
    }
    lb_lock_downgrade(true);
}

static void end_thread(struct lb_server_threads *threads) {
    pthread_mutex_lock(&threads->mutex);
    threads->alive--;
    pthread_cond_signal(&threads->has_ended);
    pthread_mutex_unlock(&threads->mutex); /* the last that it does with it */
}

/* It holds the lock, shared. */
static void serve(struct lb_server_worker *worker) {
    struct lb_server_threads *threads = worker->main->threads;
    threads->serve(worker);
    if (lb_lock_is_replaced())
        hand_back(worker->main);
    lb_lock_release();
    lb_server_workers_show(worker->main);
    end_thread(threads);
}

static void *serve_first(void *argument) {
    struct lb_server_worker *worker = argument;
    lb_lock_owner_use(&worker->owner);
    lb_lock_shared();
    lb_lock_owner_become();
    serve(worker);
    return NULL;
}

static void *serve_next(void *argument) {
    struct lb_server_worker *worker = argument;
    lb_lock_owner_use(&worker->owner);
    lb_lock_exclusive();
    bool has_it = take_over(worker);
    atomic_store(&worker->is_being_replaced, false);
    if (has_it) {
        lb_lock_downgrade(true);
        serve(worker);
    } else {
        lb_lock_release();
        end_thread(worker->main->threads);
    }
    return NULL;
}

static bool begin_thread(struct lb_server_worker *worker, void *(*run)(void *),
                         struct lb_server_error *error) {
    struct lb_server_threads *threads = worker->main->threads;
    pthread_t thread;
    pthread_mutex_lock(&threads->mutex);
    bool is_begun = threads->alive < threads->main->worker_count + LB_THREADS_WAITING_MAX &&
                    lb_server_workers_thread(&thread, run, worker, error);
    threads->alive += is_begun;
    pthread_mutex_unlock(&threads->mutex);
    if (is_begun)
        pthread_detach(thread);
    return is_begun;
}

/* ---- the thread that watches ---- */

/* Whether the worker has done anything since the last tick, or waits. */
static bool look_at(struct lb_server_worker *worker) {
    unsigned moves = atomic_load(&worker->target.moves), calls = atomic_load(&worker->owner.calls);
    bool is_waiting = atomic_load(&worker->owner.is_waiting);
    struct lb_server_error unsaid = {0};
    bool is_same_call = calls == worker->seen_calls, is_same = moves == worker->seen_moves;
    worker->ticks = is_same ? worker->ticks + 1 : 0;
    worker->seen_moves = moves;
    worker->seen_calls = calls;
    bool is_stuck = is_waiting && is_same && (is_same_call || worker->ticks >= SESSION_TICKS);
    if (is_stuck && !atomic_load(&worker->is_being_replaced)) {
        worker->stuck_moves = moves;
        atomic_store(&worker->is_being_replaced, true);
        if (!begin_thread(worker, serve_next, &unsaid))
            atomic_store(&worker->is_being_replaced, false); /* at the next tick, perhaps */
    }
    return is_waiting || !is_same || !is_same_call;
}

static bool look_at_all(struct lb_server_threads *threads) {
    bool is_lively = false;
    for (size_t i = 0; i < threads->main->worker_count; i++)
        is_lively |= look_at(&threads->main->workers[i]);
    return is_lively;
}

static void *watch(void *argument) {
    struct lb_server_threads *threads = argument;
    unsigned quiet = 0;
    while (!atomic_load(&threads->is_over)) {
        struct pollfd wakeup = {.fd = threads->wakeup, .events = POLLIN};
        uint64_t count;
        if (quiet == QUIET_TICKS) /* a worker that begins from here on wakes it */
            atomic_store(&threads->is_asleep, true);
        if (look_at_all(threads))
            quiet = 0;
        else if (quiet < QUIET_TICKS)
            quiet++;
        (void)poll(&wakeup, 1,
                   atomic_load(&threads->is_asleep) && quiet > 0 ? -1 : LB_THREADS_TICK_MS);
        if (wakeup.revents != 0)
            (void)!read(threads->wakeup, &count, sizeof count);
        if (atomic_exchange(&threads->is_asleep, false))
            quiet = 0;
    }
    return NULL;
}

void lb_server_threads_watch(struct lb_server_worker *worker) {
    struct lb_server_threads *threads = worker->main->threads;
    atomic_fetch_add(&worker->target.moves, 1); /* before the look, as the watcher has it */
    if (atomic_load(&threads->is_asleep) && atomic_exchange(&threads->is_asleep, false))
        (void)eventfd_write(threads->wakeup, 1);
}

/* ---- open and close ---- */

static bool begin(struct lb_server_threads *threads, struct lb_server_error *error) {
    struct lb_server_target *main = threads->main;
    if (threads->wakeup < 0)
        return lb_server_fail(error, "", "a thread cannot be woken: %s", strerror(errno));
    for (size_t i = 0; i < main->worker_count; i++)
        if (!begin_thread(&main->workers[i], serve_first, error))
            return false;
    threads->is_begun = lb_server_workers_thread(&threads->watcher, watch, threads, error);
    return threads->is_begun;
}

bool lb_server_threads_open(struct lb_server_target *target,
                            void (*run)(struct lb_server_worker *worker),
                            struct lb_server_error *error) {
    struct lb_server_threads *threads = calloc(1, sizeof *threads);
    if (threads == NULL)
        return lb_server_fail(error, "give fewer: --threads=1", "there is no memory for threads");
    threads->main = target;
    threads->serve = run;
    threads->wakeup = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    (void)pthread_mutex_init(&threads->mutex, NULL);
    (void)pthread_cond_init(&threads->has_ended, NULL);
    target->threads = threads;
    atomic_store(&disk_max, (unsigned)LB_MAX(target->worker_count, LB_THREADS_DISK_MIN));
    return begin(threads, error);
}

void lb_server_threads_close(struct lb_server_target *target) {
    struct lb_server_threads *threads = target->threads;
    if (threads == NULL)
        return;
    atomic_store(&threads->is_over, true);
    (void)eventfd_write(threads->wakeup, 1);
    if (threads->is_begun)
        pthread_join(threads->watcher, NULL);
    pthread_mutex_lock(&threads->mutex);
    while (threads->alive > 0)
        pthread_cond_wait(&threads->has_ended, &threads->mutex);
    pthread_mutex_unlock(&threads->mutex);
    (void)pthread_cond_destroy(&threads->has_ended);
    (void)pthread_mutex_destroy(&threads->mutex);
    if (threads->wakeup >= 0)
        close(threads->wakeup);
    free(threads);
    target->threads = NULL;
}
