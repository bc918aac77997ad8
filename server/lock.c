#include "server/lock.h"
#include <errno.h>
#include <pthread.h>

#ifdef PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP
/* Else the main thread would wait to answer DHCP as long as any worker has something to do. */
static pthread_rwlock_t lock = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;
#else
static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
#endif

static _Thread_local enum { NOT_HELD, SHARED, EXCLUSIVE } held, was_held; /* was: before a pause */
static _Thread_local unsigned lent;

void lb_lock_shared(void) {
    (void)pthread_rwlock_rdlock(&lock);
    held = SHARED;
}

void lb_lock_exclusive(void) {
    (void)pthread_rwlock_wrlock(&lock);
    held = EXCLUSIVE;
}

bool lb_lock_shared_once(void) {
    if (held != NOT_HELD)
        return false;
    lb_lock_shared();
    return true;
}

void lb_lock_release(void) {
    held = NOT_HELD;
    (void)pthread_rwlock_unlock(&lock);
}

bool lb_lock_upgrade(void) {
    if (held != SHARED)
        return false;
    lb_lock_release();
    lb_lock_exclusive();
    return true;
}

void lb_lock_downgrade(bool was_shared) {
    if (!was_shared)
        return;
    lb_lock_release();
    lb_lock_shared();
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
    lb_lock_release();
    return true;
}

void lb_lock_resume(bool is_paused) {
    int code = errno;
    if (is_paused && was_held == EXCLUSIVE)
        lb_lock_exclusive();
    else if (is_paused)
        lb_lock_shared();
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
