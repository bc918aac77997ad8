/* The threads of the workers: a disk that does not answer delays its own machines, and no others.
 *
 * The worker's owner (lock.h) itself does the work on a disk, because this costs least. The kernel
 * may block it for a long time in any call: a read, a write, a flush, or a send of pages of a
 * mapped disk. No call says so beforehand. So one thread watches all workers. If an owner has been
 * in the same call for LB_THREADS_TICK_MS, or on the same session for three times as long, a new
 * thread becomes the owner, and serves the worker's epoll, sessions and memory.
 *
 * Meanwhile the sessions of the machine whose disk is waited for are not served: what they send
 * stays in their sockets. The replaced thread finishes what it has begun when its call returns,
 * tells the worker that these sessions go on, and ends.
 *
 * At most LB_THREADS_WAITING_MAX replaced threads wait, and for one disk at most as many as there
 * are workers, but LB_THREADS_DISK_MIN at least: then the other machines of that disk wait, too,
 * and delay nobody. With the highest number in all, an owner waits as its disk does.
 *
 * Where there are no workers, their one thread waits. */
#ifndef LB_SERVER_THREADS_H
#define LB_SERVER_THREADS_H

#include "server/machines.h"
#include "server/target.h"

#define LB_THREADS_TICK_MS     10
#define LB_THREADS_WAITING_MAX 64
#define LB_THREADS_DISK_MIN    2
#define LB_THREADS_LOGIN_US    (5 * LB_US_SEC) /* that a login waits; then it is refused */

struct lb_server_threads;

/* ---- for workers.c ---- */

/* Begins a thread for each worker of this target, and one that watches them. A thread calls
 * `serve`, with the lock held shared, which returns so when the worker is over, or the thread
 * was replaced. What has begun after a failure is ended by lb_server_threads_close. */
bool lb_server_threads_open(struct lb_server_target *target,
                            void (*serve)(struct lb_server_worker *worker),
                            struct lb_server_error *error);
/* Waits until all these threads have ended. The caller does not hold the lock, and has told the
 * workers that it is over. Harmless where there are none. */
void lb_server_threads_close(struct lb_server_target *target);
/* The worker has woken up: it is watched. */
void lb_server_threads_watch(struct lb_server_worker *worker);

/* ---- for those that do the work, who hold the lock ---- */

/* From now on this thread works for this home, on this disk; NULL: for nobody. */
void lb_server_threads_work_for(struct lb_server_target *target, struct lb_server_home *home,
                                struct lb_server_disk *disk);
/* Whether who has this home has to wait for its disk. NULL: no. */
bool lb_server_threads_is_waiting(const struct lb_server_home *home,
                                  const struct lb_server_disk *disk);

#endif
