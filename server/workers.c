#include "server/workers.h"
#include "os/linux/clock.h"
#include "server/lock.h"
#include "server/sanitize.h"
#include "server/session.h"
#include "server/threads.h"
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define EVENTS_MAX   64
#define STACK_BYTES  (1 << 20)
#define COMMON_BYTES (4 << 20) /* of the memory, that a thread is worth while with */
#define SETTLE_US    100000    /* a worker whose disk is slow is not waited for */
#define AWAIT_US     1000000   /* nor one that writes a piece of a SANITIZE, for long */
#define PAUSE_US     50
#define PAUSE_MAX_US 5000

/* ---- waking a thread ---- */

bool lb_server_workers_wakeup(int epoll, struct lb_server_source *wakeup,
                              struct lb_server_error *error) {
    wakeup->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return (wakeup->fd >= 0 && lb_server_watch(epoll, wakeup, EPOLLIN)) ||
           lb_server_fail(error, "", "a thread cannot be woken: %s", strerror(errno));
}

void lb_server_workers_stir(const struct lb_server_source *wakeup) {
    uint64_t one = 1;
    if (wakeup->fd >= 0)
        (void)!write(wakeup->fd, &one, sizeof one);
}

void lb_server_workers_wake(struct lb_server_target *target) {
    lb_server_workers_stir(&target->wakeup);
}

void lb_server_workers_woken(struct lb_server_target *target) {
    uint64_t count;
    (void)!read(target->wakeup.fd, &count, sizeof count);
}

/* ---- a thread ---- */

void lb_server_workers_show(struct lb_server_target *main) {
    if (lb_server_has_stirred())
        lb_server_workers_wake(main);
}

static void dispatch(struct lb_server_worker *worker, const struct epoll_event *event,
                     uint64_t now_us) {
    struct lb_server_source *source = event->data.ptr;
    if (source == &worker->target.wakeup)
        lb_server_workers_woken(&worker->target);
    else
        lb_server_session_ready(source, event->events, now_us);
}

/* The events that are left belong to the next owner once this thread is replaced. */
static void dispatch_all(struct lb_server_worker *worker, const struct epoll_event *events,
                         int count, uint64_t now_us) {
    for (int i = 0; i < count && !lb_lock_is_replaced(); i++)
        dispatch(worker, &events[i], now_us);
}

/* Until it is over, or this thread is replaced; the lock is held shared. */
static void serve(struct lb_server_worker *worker) {
    struct epoll_event events[EVENTS_MAX];
    uint64_t now_us = lb_now_us(), seen = worker->done;
    while (!worker->is_over) {
        uint64_t until_us = lb_server_target_poll(&worker->target, now_us);
        if (lb_lock_is_replaced())
            return;
        worker->done = seen;
        uint64_t asked = worker->asked;
        lb_lock_release();
        lb_server_workers_show(worker->main);
        int wait = asked != seen ? 0 : lb_server_wait_ms(until_us, now_us);
        int count = epoll_wait(worker->target.epoll, events, EVENTS_MAX, wait);
        lb_server_threads_watch(worker);
        lb_lock_shared();
        now_us = lb_now_us();
        dispatch_all(worker, events, count, now_us);
        if (lb_lock_is_replaced())
            return;
        if (count < EVENTS_MAX)
            seen = asked;
    }
}

bool lb_server_workers_thread(pthread_t *thread, void *(*run)(void *), void *argument,
                              struct lb_server_error *error) {
    sigset_t all, before;
    pthread_attr_t attributes;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    int code = pthread_create(thread, &attributes, run, argument);
    pthread_attr_destroy(&attributes);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return code == 0 || lb_server_fail(error, "give fewer: --threads=1",
                                       "a thread cannot be had: %s", strerror(code));
}

static bool begin(struct lb_server_worker *worker, struct lb_server_target *main,
                  struct lb_server_error *error) {
    worker->main = main;
    lb_lock_owner_init(&worker->owner);
    if (!lb_server_target_begin(&worker->target, epoll_create1(EPOLL_CLOEXEC), main, error))
        return false;
    if (worker->target.epoll < 0)
        return lb_server_fail(error, "", "epoll cannot be had: %s", strerror(errno));
    return lb_server_workers_wakeup(worker->target.epoll, &worker->target.wakeup, error);
}

/* ---- all of them ---- */

static size_t count_cores(void) {
    cpu_set_t cores;
    return sched_getaffinity(0, sizeof cores, &cores) == 0 ? (size_t)CPU_COUNT(&cores) : 1;
}

bool lb_server_workers_open(struct lb_server_target *target, uint32_t threads,
                            struct lb_server_error *error) {
    size_t count =
        threads != 0 ? threads : LB_MIN(count_cores(), target->budget.common / COMMON_BYTES);
    uint64_t part = target->budget.common / LB_MAX(count, 1);
    count = LB_MIN(count, LB_SERVER_THREADS_MAX);
    if (count <= 1)
        return true;
    target->workers = calloc(count, sizeof *target->workers);
    if (target->workers == NULL)
        return lb_server_fail(error, "give fewer: --threads=1", "there is no memory for threads");
    if (!lb_server_workers_wakeup(target->epoll, &target->wakeup, error))
        return false;
    while (target->worker_count < count) {
        struct lb_server_worker *worker = &target->workers[target->worker_count++];
        if (!begin(worker, target, error))
            return false;
    }
    lb_lock_exclusive();
    for (size_t i = 0; i < count; i++)
        lb_budget_split(&target->budget, &target->workers[i].target.budget, part);
    lb_lock_release();
    return lb_server_threads_open(target, serve, error);
}

void lb_server_workers_resume(struct lb_server_target *target) {
    struct lb_server_target *first =
        target->worker_count > 0 ? &target->workers[0].target : target; /* as new homes say */
    if (target->worker_count > 0)
        lb_lock_exclusive();
    lb_server_sanitize_resume(&first->sanitizing, target->machines);
    if (target->worker_count > 0)
        lb_lock_release();
    lb_server_workers_wake(first);
}

void lb_server_workers_stop(struct lb_server_target *target) {
    lb_lock_exclusive();
    for (size_t i = 0; i < target->worker_count; i++) {
        target->workers[i].is_over = true;
        lb_server_workers_wake(&target->workers[i].target);
    }
    lb_lock_release();
    lb_server_threads_close(target);
}

void lb_server_workers_close(struct lb_server_target *target) {
    lb_server_workers_stop(target);
    for (size_t i = 0; i < target->worker_count; i++) {
        struct lb_server_target *worker = &target->workers[i].target;
        while (worker->sessions != NULL)
            lb_session_end(worker->sessions);
        lb_server_sanitize_unwatch(&worker->sanitizing);
        lb_server_source_close(&worker->wakeup);
        if (worker->epoll >= 0)
            close(worker->epoll);
        lb_lock_owner_destroy(&target->workers[i].owner);
    }
    free(target->workers);
    target->workers = NULL;
    target->worker_count = 0;
    lb_server_source_close(&target->wakeup);
}

/* ---- hand-over ---- */

static unsigned find_idlest(const struct lb_server_target *target) {
    unsigned idlest = 0;
    for (unsigned i = 1; i < target->worker_count; i++)
        if (target->workers[i].target.count < target->workers[idlest].target.count)
            idlest = i;
    return idlest;
}

static void move(struct lb_server_session *session, struct lb_server_target *to) {
    struct lb_server_target *from = session->target;
    (void)lb_server_watch(from->epoll, &session->source, 0);
    *session->before = session->next;
    if (session->next != NULL)
        session->next->before = session->before;
    from->count--;
    lb_target_move(&session->conn, &to->server, &to->rand);
    lb_server_memory_move(&session->memory, &session->conn, &to->budget);
    session->target = to;
    lb_session_enlist(session);
    lb_server_workers_wake(to);
}

static struct lb_server_home *home_of(const struct lb_server_session *session,
                                      const struct lb_target *node) {
    return lb_server_machine_home(lb_server_machines_of(session->target->machines, node));
}

bool lb_server_workers_refuses(const struct lb_server_session *session,
                               const struct lb_target *node) {
    uint64_t since_us = node == NULL ? 0 : home_of(session, node)->waits_since_us;
    return since_us != 0 && lb_now_us() >= since_us + LB_THREADS_LOGIN_US;
}

bool lb_server_workers_take(struct lb_server_session *session) {
    struct lb_server_target *target = session->target;
    const char *name = lb_target_who(&session->conn).target;
    const struct lb_target *node = target->worker_count > 0 && name[0] != '\0'
                                       ? lb_server_machines_node(target->machines, name)
                                       : NULL;
    if (node == NULL || lb_server_workers_refuses(session, node))
        return false;
    session->home = home_of(session, node);
    if (session->home->users++ == 0)
        session->home->worker = find_idlest(target);
    move(session, &target->workers[session->home->worker].target);
    return true;
}

bool lb_server_workers_fits(const struct lb_server_session *session, const struct lb_target *node) {
    return node == NULL || session->home == NULL || session->home == home_of(session, node);
}

static bool have_settled(const struct lb_server_target *target) {
    for (size_t i = 0; i < target->worker_count; i++)
        if (target->workers[i].done != target->workers[i].asked)
            return false;
    return true;
}

/* The caller holds the lock exclusively, and releases it for that time. Gives the next time. */
static long pause_for(long pause_us) {
    const struct timespec pause = {.tv_nsec = pause_us * 1000};
    lb_lock_release();
    (void)nanosleep(&pause, NULL);
    lb_lock_exclusive();
    return LB_MIN(2 * pause_us, PAUSE_MAX_US);
}

void lb_server_workers_settle(struct lb_server_target *target) {
    long waited_us = 0, pause_us = PAUSE_US;
    for (size_t i = 0; i < target->worker_count; i++) {
        target->workers[i].asked++;
        target->workers[i].target.is_quiet = true;
        lb_server_workers_wake(&target->workers[i].target);
    }
    while (!have_settled(target) && waited_us < SETTLE_US) {
        waited_us += pause_us;
        pause_us = pause_for(pause_us);
    }
}

bool lb_server_workers_await(const struct lb_server_target *target,
                             const struct lb_server_machine *machine) {
    long waited_us = 0, pause_us = PAUSE_US;
    while (machine->is_at_work && target->worker_count > 0 && waited_us < AWAIT_US) {
        waited_us += pause_us;
        pause_us = pause_for(pause_us);
    }
    return !machine->is_at_work;
}

void lb_server_workers_go_on(struct lb_server_target *target) {
    for (size_t i = 0; i < target->worker_count; i++) {
        target->workers[i].target.is_quiet = false;
        lb_server_workers_wake(&target->workers[i].target);
    }
}
