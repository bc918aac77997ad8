/* Boot files by TFTP and HTTP, and the thread that serves them.
 *
 * The disk of boot files may be slow, and a kernel is large. So they have a thread of their own,
 * beside the main one and the workers (workers.h): it shares nothing with the others but the link
 * and the folder, which nobody changes, and what it tells (say.h). Where sessions have no threads
 * (threads = 1), it has none either: then the main thread serves boot files between other things.
 */
#ifndef LB_SERVER_FETCH_H
#define LB_SERVER_FETCH_H

#include "server/http.h"
#include "server/tftp.h"
#include <pthread.h>
#include <stdatomic.h>

struct lb_server_target;

struct lb_server_fetch {
    struct lb_server_tftp tftp, tftp6;
    struct lb_server_http http, http6;
    int epoll;                      /* -1: none is served; else its own, or the main one's */
    bool has_thread;                /* its epoll is its own */
    bool is_begun;                  /* the thread runs */
    atomic_bool is_over;            /* it ends */
    struct lb_server_source wakeup; /* of the thread */
    struct lb_server_target *main;  /* whose thread shows what is told */
    pthread_t thread;
};

/* Nothing is served yet: what lb_server_fetch_close takes. */
void lb_server_fetch_init(struct lb_server_fetch *fetch);
/* Opens what the settings ask for, at each address that the link has. epoll: the main thread's,
 * which stays the caller's. has_thread: it is served by one of its own, from lb_server_fetch_begin
 * on. The pointers outlive it. */
bool lb_server_fetch_open(struct lb_server_fetch *fetch, int epoll, bool has_thread,
                          const struct lb_server_settings *settings,
                          const struct lb_server_link *link, const struct lb_server_files *files,
                          struct lb_server_error *error);
/* Begins its thread, where it has one. main outlives it. */
bool lb_server_fetch_begin(struct lb_server_fetch *fetch, struct lb_server_target *main,
                           struct lb_server_error *error);
/* One of its sources, by its kind, has something. False: it is none of them. */
bool lb_server_fetch_ready(struct lb_server_fetch *fetch, struct lb_server_source *source,
                           uint64_t now_us);
/* Does what is due, where it has no thread. Gives when it wants to be called again. */
uint64_t lb_server_fetch_poll(struct lb_server_fetch *fetch, uint64_t now_us);
/* Ends the thread; waits for what it reads just now. The caller does not hold the lock. Harmless
 * where it has ended. */
void lb_server_fetch_stop(struct lb_server_fetch *fetch);
/* The same, and closes all; harmless where it is closed. */
void lb_server_fetch_close(struct lb_server_fetch *fetch);

#endif
