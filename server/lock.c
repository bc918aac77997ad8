#include "server/lock.h"
#include <errno.h>
#include <time.h>

#define YIELD_NS 50000 /* for a thread that was replaced, to take the mutex */

#ifdef PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP
/* Else the main thread would wait to answer DHCP as long as any worker has something to do. */
static pthread_rwlock_t lock = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;
#else
static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
#endif

static _Thread_local enum { NOT_HELD, SHARED, EXCLUSIVE } held, was_held; /* was: before a pause */
static _Thread_local unsigned lent;
static _Thread_local struct lb_lock_owner *owner; /* NULL: this thread has none */
static _Thread_local unsigned generation;         /* of the owner, that is this thread */

/* ---- the owner of a worker ---- */

void lb_lock_owner_init(struct lb_lock_owner *fresh) {
    *fresh = (struct lb_lock_owner){.generation = 0};
    (void)pthread_mutex_init(&fresh->mutex, NULL);
}

void lb_lock_owner_destroy(struct lb_lock_owner *old) {
    (void)pthread_mutex_destroy(&old->mutex);
}

void lb_lock_owner_use(struct lb_lock_owner *mine) {
    owner = mine;
    generation = 0; /* no owner has this one */
}

void lb_lock_owner_become(void) {
    if (++owner->generation == 0)
        owner->generation++;
    generation = owner->generation;
    atomic_store(&owner->is_waiting, false);
}

bool lb_lock_is_replaced(void) {
    return owner != NULL && generation != owner->generation;
}

/* A mutex is not fair: the owner lets threads that were replaced have it first. */
static void yield(void) {
    const struct timespec pause = {.tv_nsec = YIELD_NS};
    if (atomic_load_explicit(&owner->returning, memory_order_relaxed) > 0)
        (void)nanosleep(&pause, NULL);
}

static void take_owner(void) {
    if (owner != NULL) {
        yield();
        (void)pthread_mutex_lock(&owner->mutex);
    }
}

static void leave_owner(void) {
    if (owner != NULL)
        (void)pthread_mutex_unlock(&owner->mutex);
}

/* The same around a call that may wait. */
static void pause_owner(void) {
    if (owner == NULL)
        return;
    if (generation == owner->generation) {
        unsigned calls = atomic_load_explicit(&owner->calls, memory_order_relaxed);
        atomic_store_explicit(&owner->calls, calls + 1, memory_order_relaxed);
        atomic_store_explicit(&owner->is_waiting, true, memory_order_relaxed);
    }
    leave_owner();
}

static void resume_owner(void) {
    if (owner == NULL)
        return;
    if (pthread_mutex_trylock(&owner->mutex) != 0) { /* replaced, or about to be */
        atomic_fetch_add(&owner->returning, 1);
        (void)pthread_mutex_lock(&owner->mutex);
        atomic_fetch_sub(&owner->returning, 1);
    }
    if (generation == owner->generation)
        atomic_store_explicit(&owner->is_waiting, false, memory_order_relaxed);
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
    take_owner();
    take_shared();
}

void lb_lock_exclusive(void) {
    take_owner();
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
    leave_owner();
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
    pause_owner();
    return true;
}

void lb_lock_resume(bool is_paused) {
    int code = errno;
    if (is_paused)
        resume_owner();
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
