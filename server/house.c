#include "server/house.h"
#include <errno.h>
#include <pthread.h>

#ifdef PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP
/* Else a main thread that wants to answer DHCP would wait while any worker has something to do. */
static pthread_rwlock_t lock = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;
#else
static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
#endif

static _Thread_local enum { OUTSIDE, TOGETHER, ALONE } held;

void lb_house_enter(void) {
    (void)pthread_rwlock_rdlock(&lock);
    held = TOGETHER;
}

void lb_house_enter_alone(void) {
    (void)pthread_rwlock_wrlock(&lock);
    held = ALONE;
}

void lb_house_leave(void) {
    held = OUTSIDE;
    (void)pthread_rwlock_unlock(&lock);
}

bool lb_house_alone(void) {
    if (held != TOGETHER)
        return false;
    lb_house_leave();
    lb_house_enter_alone();
    return true;
}

void lb_house_together(bool was_together) {
    if (!was_together)
        return;
    lb_house_leave();
    lb_house_enter();
}

bool lb_house_step_out(void) {
    if (held != TOGETHER)
        return false;
    lb_house_leave();
    return true;
}

void lb_house_step_in(bool was_out) {
    int code = errno;
    if (was_out)
        lb_house_enter();
    errno = code;
}
