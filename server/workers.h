/* The threads that serve sessions, one a core, beside the main one.
 *
 * The main thread accepts, and goes on with a login until it is known which target it is for. Then
 * it hands the session to the worker that has the other sessions of that disk, or else to the one
 * with the fewest, and it stays there. What a session needs is its worker's: its connection, its
 * part of the memory, its disk's overlay, reservations and unit attentions. What all threads use is
 * protected by a lock (lock.h). Sessions of discovery, and logins to targets that are not there,
 * stay on the main thread.
 *
 * Where there is one thread, there are no workers: nothing moves, and no lock is held. */
#ifndef LB_SERVER_WORKERS_H
#define LB_SERVER_WORKERS_H

#include "server/lock.h"
#include "server/target.h"
#include <pthread.h>

#define LB_SERVER_THREADS_MAX 64

struct lb_server_session;

struct lb_server_worker {
    struct lb_server_target target; /* first in it */
    struct lb_server_target *main;
    bool is_over;
    uint64_t asked, done; /* see lb_server_workers_settle */
    struct lb_lock_owner owner;
    atomic_bool is_being_replaced;          /* a thread has begun for that; see threads.c */
    unsigned stuck_moves;                   /* of the work that the owner is on */
    unsigned seen_moves, seen_calls, ticks; /* the watcher's */
};

/* Begins as many threads as this number says; 0: as many as there are cores, and memory for; 1:
 * none. They have a part each of what the main one's budget has in common. What has begun after a
 * failure is ended by lb_server_workers_close. */
bool lb_server_workers_open(struct lb_server_target *target, uint32_t threads,
                            struct lb_server_error *error);
/* Ends and joins them; their sessions stay. The caller does not hold the lock. Harmless where
 * they have ended. */
void lb_server_workers_stop(struct lb_server_target *target);
/* The same, and ends their sessions. */
void lb_server_workers_close(struct lb_server_target *target);

/* Hands a session that is asked who it is to its worker, once. False: it stays. */
bool lb_server_workers_take(struct lb_server_session *session);
/* Whether a node may be served where the session is; NULL: yes. */
bool lb_server_workers_fits(const struct lb_server_session *session, const struct lb_target *node);
/* Whether a login to this node (NULL: none) is refused, for its disk has not answered for a while:
 * who logs in again and again would wait in ever more sessions. */
bool lb_server_workers_refuses(const struct lb_server_session *session,
                               const struct lb_target *node);
/* Wakes the thread that has this. */
void lb_server_workers_wake(struct lb_server_target *target);
/* The thread of main is woken once for all that this thread has told since, for the board to show
 * it. It does not hold the lock. */
void lb_server_workers_show(struct lb_server_target *main);
/* It has been woken: the next lb_server_workers_wake wakes it again. */
void lb_server_workers_woken(struct lb_server_target *target);
/* SANITIZEs of an earlier run go on. Before anybody can log in. */
void lb_server_workers_resume(struct lb_server_target *target);
/* Waits until each worker has seen what has come to its sockets, or is slow: so that what somebody
 * did before, such as to end a session, is seen. From then on no SANITIZE goes on, until
 * lb_server_workers_go_on. The caller holds the lock exclusively, and releases it meanwhile. */
void lb_server_workers_settle(struct lb_server_target *target);
/* SANITIZEs go on. */
void lb_server_workers_go_on(struct lb_server_target *target);
/* After lb_server_workers_settle: waits a second at most until no piece of a SANITIZE of this
 * machine is being written. False: its disk is slow, and the machine may not be changed. */
bool lb_server_workers_await(const struct lb_server_target *target,
                             const struct lb_server_machine *machine);

/* ---- for other threads of lunbootd ---- */

/* Opens what wakes a thread that waits for this epoll. It stays the caller's. */
bool lb_server_workers_wakeup(int epoll, struct lb_server_source *wakeup,
                              struct lb_server_error *error);
/* Wakes it; harmless where it is closed. */
void lb_server_workers_stir(const struct lb_server_source *wakeup);
/* Begins a thread, which gets no signals. */
bool lb_server_workers_thread(pthread_t *thread, void *(*run)(void *), void *argument,
                              struct lb_server_error *error);

#endif
