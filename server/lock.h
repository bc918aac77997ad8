/* The lock between lunbootd's main thread and those that serve sessions (workers.h).
 *
 * It protects what all threads use: machines, their targets, images, the lists of sessions, the
 * board. Many threads may hold it shared, or one exclusively.
 *
 * A worker holds it shared while it runs: it reads what is common, and changes what belongs to its
 * own machines. The main thread holds it exclusively. So does a worker for what changes more than
 * its own machines, such as the first login of a boot.
 *
 * A thread that holds it shared releases it around each call that may wait, such as one of a disk
 * (blockfile.h, durable.h) or of a socket. Others may change what is common meanwhile. They do not
 * change a machine that has sessions. So does one that holds it exclusively for work on one machine
 * alone, which others leave alone for that time: see lb_lock_lend.
 *
 * A worker has one owner, too (below): the thread that serves it, which holds the worker's mutex as
 * long as it holds the lock. Where the owner waits too long in a call, another thread becomes the
 * owner.
 *
 * Without workers no thread takes it, and these functions do nothing. */
#ifndef LB_SERVER_LOCK_H
#define LB_SERVER_LOCK_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

/* Which thread serves a worker. The mutex is taken before the lock, and held with it: so what
 * belongs to a worker is used by one thread at a time, also after another one became the owner. */
struct lb_lock_owner {
    pthread_mutex_t mutex;
    unsigned generation;    /* of the owner; threads of those before were replaced */
    atomic_uint returning;  /* replaced threads that wait for the mutex: they get it first */
    atomic_bool is_waiting; /* the owner is in a call that may wait */
    atomic_uint calls;      /* how many of these have begun */
};

void lb_lock_owner_init(struct lb_lock_owner *owner);    /* no thread is the owner yet */
void lb_lock_owner_destroy(struct lb_lock_owner *owner); /* no thread holds the mutex */
/* This thread takes this mutex with the lock from now on, until the thread ends. */
void lb_lock_owner_use(struct lb_lock_owner *owner);
/* This thread, which holds the lock, is the owner from now on. The one before is replaced. */
void lb_lock_owner_become(void);
/* Whether this thread, which holds the lock, was replaced: it finishes what it has begun, and ends.
 * False where it serves no worker. */
bool lb_lock_is_replaced(void);

/* Takes it, shared. A thread that waits for lb_lock_exclusive is first. */
void lb_lock_shared(void);
/* Takes it, exclusively. */
void lb_lock_exclusive(void);
/* Takes it, shared, where this thread does not hold it. True: it has, and releases it later. */
bool lb_lock_shared_once(void);
/* Releases it, however it is held. */
void lb_lock_release(void);
/* Where it is held shared: releases it, and takes it exclusively. Others may have changed
 * everything in between. True: it was held shared. */
bool lb_lock_upgrade(void);
/* The way back; was_shared is what lb_lock_upgrade gave. */
void lb_lock_downgrade(bool was_shared);

/* From now on, until as many lb_lock_unlend, lb_lock_pause releases it where this thread holds it
 * exclusively, too: others may change all but the machine that this thread works on. */
void lb_lock_lend(void);
/* The end of it. */
void lb_lock_unlend(void);
/* In long work, where this thread holds it exclusively: others that wait for it come first. They
 * may change what is common. */
void lb_lock_yield(void);
/* Before a call that may wait: releases it where it is held shared, or lent. True: it has. */
bool lb_lock_pause(void);
/* After that call: takes it again as it was held. is_paused is what lb_lock_pause gave. errno
 * stays. */
void lb_lock_resume(bool is_paused);
/* The same for one call, however it is held: with lb_lock_lend before, and lb_lock_unlend after. */
bool lb_lock_pause_any(void);
void lb_lock_resume_any(bool is_paused); /* is_paused is what lb_lock_pause_any gave */

#endif
