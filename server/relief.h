/* A disk that does not answer delays its own machines, and no others.
 *
 * Work on a disk is done by the worker's own thread, for that costs least. The kernel may keep this
 * thread for long in any call: a read, a write, a flush, or one that sends pages of a mapped disk.
 * Nobody can know before. So one thread watches all workers. Where one has been in the same call
 * for LB_RELIEF_TICK_MS, or on the same session for three times as long, a new thread takes over
 * its post (lock.h) with all that belongs to it: epoll, sessions, memory.
 *
 * The machine whose disk is waited for is left alone meanwhile: its sessions wait, what they send
 * stays in their sockets. The thread that was relieved finishes what it has begun as soon as its
 * call returns, tells the worker that these sessions go on, and ends.
 *
 * Threads that wait are bounded: LB_RELIEF_MAX in all, and of one disk as many as there are
 * workers, LB_RELIEF_DISK_MIN or more. So a disk of many machines does not take all, nor delay the
 * others by a tick for each of its machines; these wait then. Where all threads are taken a worker
 * waits as its disk does.
 *
 * Where there are no workers nothing of this happens: that one thread waits. */
#ifndef LB_SERVER_RELIEF_H
#define LB_SERVER_RELIEF_H

#include "server/machines.h"
#include "server/target.h"

#define LB_RELIEF_TICK_MS  10
#define LB_RELIEF_MAX      64
#define LB_RELIEF_DISK_MIN 2
#define LB_RELIEF_LOGIN_US (5 * LB_US_SEC) /* that a login waits; then it is refused */

struct lb_server_relief;

/* ---- for workers.c ---- */

/* Begins a thread for each worker of this target, and one that watches them. A thread calls
 * `serve`, with the lock held shared, which returns so when the worker is over, or the thread
 * relieved. What has begun after a failure is ended by lb_server_relief_close. */
bool lb_server_relief_open(struct lb_server_target *target,
                           void (*serve)(struct lb_server_worker *worker),
                           struct lb_server_error *error);
/* Waits until all these threads have ended. The caller does not hold the lock, and has told the
 * workers that it is over. Harmless where there are none. */
void lb_server_relief_close(struct lb_server_target *target);
/* The worker has woken up: it is watched. */
void lb_server_relief_stir(struct lb_server_worker *worker);

/* ---- for those that do the work, who hold the lock ---- */

/* From now on this thread works for this home, on this disk; NULL: for nobody. */
void lb_server_relief_begin(struct lb_server_target *target, struct lb_server_home *home,
                            struct lb_server_disk *disk);
/* Whether who has this home has to wait for its disk. NULL: no. */
bool lb_server_relief_is_waiting(const struct lb_server_home *home,
                                 const struct lb_server_disk *disk);

#endif
