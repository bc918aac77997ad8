#include "server/lock.h"
#include <errno.h>
#include <time.h>

#define WAY_NS 50000 /* for a thread that comes back, to take the mutex */

#ifdef PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP
/* Else the main thread would wait to answer DHCP as long as any worker has something to do. */
static pthread_rwlock_t lock = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;
#else
static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
#endif

static _Thread_local enum { NOT_HELD, SHARED, EXCLUSIVE } held, was_held; /* was: before a pause */
static _Thread_local unsigned lent;
static _Thread_local struct lb_lock_post *post; /* NULL: this thread has none */
static _Thread_local unsigned shift;            /* of the post, that is this thread's */

/* ---- the post ---- */

void lb_lock_post_init(struct lb_lock_post *fresh) {
    *fresh = (struct lb_lock_post){.shift = 0};
    (void)pthread_mutex_init(&fresh->mutex, NULL);
}

void lb_lock_post_destroy(struct lb_lock_post *old) {
    (void)pthread_mutex_destroy(&old->mutex);
}

void lb_lock_post_enter(struct lb_lock_post *mine) {
    post = mine;
    shift = 0; /* none has this one */
}

void lb_lock_post_relieve(void) {
    if (++post->shift == 0)
        post->shift++;
    shift = post->shift;
    atomic_store(&post->is_waiting, false);
}

bool lb_lock_is_relieved(void) {
    return post != NULL && shift != post->shift;
}

/* A mutex is not fair: who serves the post makes way for those that come back. */
static void make_way(void) {
    const struct timespec way = {.tv_nsec = WAY_NS};
    if (atomic_load_explicit(&post->returning, memory_order_relaxed) > 0)
        (void)nanosleep(&way, NULL);
}

static void take_post(void) {
    if (post != NULL) {
        make_way();
        (void)pthread_mutex_lock(&post->mutex);
    }
}

static void leave_post(void) {
    if (post != NULL)
        (void)pthread_mutex_unlock(&post->mutex);
}

/* The same around a call that may wait. */
static void pause_post(void) {
    if (post == NULL)
        return;
    if (shift == post->shift) {
        unsigned calls = atomic_load_explicit(&post->calls, memory_order_relaxed);
        atomic_store_explicit(&post->calls, calls + 1, memory_order_relaxed);
        atomic_store_explicit(&post->is_waiting, true, memory_order_relaxed);
    }
    leave_post();
}

static void resume_post(void) {
    if (post == NULL)
        return;
    if (pthread_mutex_trylock(&post->mutex) != 0) { /* relieved, or about to be */
        atomic_fetch_add(&post->returning, 1);
        (void)pthread_mutex_lock(&post->mutex);
        atomic_fetch_sub(&post->returning, 1);
    }
    if (shift == post->shift)
        atomic_store_explicit(&post->is_waiting, false, memory_order_relaxed);
}

/* ---- the lock ---- */

static void take_shared(void) {
    (void)pthread_rwlock_rdlock(&lock);
    held = SHARED;
}

static void take_exclusive(void) {
    (void)pthread_rwlock_wrlock(&lock);
    held = EXCLUSIVE;
}

static void give_up(void) {
    held = NOT_HELD;
    (void)pthread_rwlock_unlock(&lock);
}

void lb_lock_shared(void) {
    take_post();
    take_shared();
}

void lb_lock_exclusive(void) {
    take_post();
    take_exclusive();
}

bool lb_lock_shared_once(void) {
    if (held != NOT_HELD)
        return false;
    lb_lock_shared();
    return true;
}

void lb_lock_release(void) {
    give_up();
    leave_post();
}

bool lb_lock_upgrade(void) {
    if (held != SHARED)
        return false;
    give_up();
    take_exclusive();
    return true;
}

void lb_lock_downgrade(bool was_shared) {
    if (!was_shared)
        return;
    give_up();
    take_shared();
}

void lb_lock_lend(void) {
    lent++;
}

void lb_lock_unlend(void) {
    lent--;
}

bool lb_lock_pause(void) {
    if (held == NOT_HELD || (held == EXCLUSIVE && lent == 0))
        return false;
    was_held = held;
    give_up();
    pause_post();
    return true;
}

void lb_lock_resume(bool is_paused) {
    int code = errno;
    if (is_paused)
        resume_post();
    if (is_paused && was_held == EXCLUSIVE)
        take_exclusive();
    else if (is_paused)
        take_shared();
    errno = code;
}

bool lb_lock_pause_any(void) {
    lb_lock_lend();
    return lb_lock_pause();
}

void lb_lock_resume_any(bool is_paused) {
    lb_lock_resume(is_paused);
    lb_lock_unlend();
}

void lb_lock_yield(void) {
    lb_lock_resume_any(lb_lock_pause_any());
}
