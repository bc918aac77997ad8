/* The iSCSI target: core/target's sessions behind TCP, over storage. */
#ifndef LB_SERVER_TARGET_H
#define LB_SERVER_TARGET_H

#include "core/target/target.h"
#include "server/budget.h"
#include "server/link.h"
#include "server/machines.h"
#include "server/source.h"

#define LB_SERVER_SESSIONS_MAX 1024

struct lb_server_threads;
struct lb_server_session;
struct lb_server_worker;

/* What one thread has of it: the main one listens and lets in, the others serve those that are
 * logged in (workers.h). Where there are no others the main one does all. */
struct lb_server_target {
    struct lb_server_source source, source6; /* source6: of IPv6 */
    struct lb_server_source wakeup;          /* another thread has done something to it */
    int epoll;
    struct lb_endpoint portal, portal6; /* none: that family is not served */
    struct lb_target_server server;
    struct lb_server_machines *machines;
    struct lb_rand rand;
    struct lb_server_session *sessions; /* a list */
    unsigned count;
    struct lb_server_session *due, **due_end; /* those that have something to do */
    size_t due_count;
    uint64_t until_us; /* none of the others is due before */
    struct lb_budget budget;
    struct lb_server_sanitize *sanitizing; /* of its machines, a list: see sanitize.h */
    bool is_quiet;                    /* the main thread is about to change machines: they wait */
    struct lb_server_worker *workers; /* of the main one */
    size_t worker_count;
    struct lb_server_threads *threads; /* of the main one, where it has workers: their threads */
    atomic_uint moves;                 /* counts what its thread turns to, see threads.h */
    struct lb_server_home *home_at;    /* that it works for; NULL: nobody's */
    struct lb_server_disk *disk_at;    /* the same */
};

/* What a thread has, without a portal, machines or a budget; like: the main one's, whose machines
 * it serves; NULL: it is the main one. epoll stays the caller's. */
bool lb_server_target_begin(struct lb_server_target *target, int epoll,
                            const struct lb_server_target *like, struct lb_server_error *error);
/* Opens a portal of each family that the link has. The machines' targets are served, those too that
 * come later; machines stay the caller's and outlive it. */
bool lb_server_target_open(struct lb_server_target *target, int epoll,
                           const struct lb_server_link *link, uint16_t port,
                           struct lb_server_machines *machines, struct lb_server_error *error);
/* Connections wait to be accepted; source is that of a portal. */
void lb_server_target_ready(struct lb_server_target *target, const struct lb_server_source *source,
                            uint64_t now_us);
/* A session's socket is readable or writable; source is the session's. */
void lb_server_session_ready(struct lb_server_source *source, uint32_t events, uint64_t now_us);
/* Does what is due. Gives when it wants to be called again. */
uint64_t lb_server_target_poll(struct lb_server_target *target, uint64_t now_us);
/* What is known of a session of a machine. */
struct lb_server_session_info {
    struct lb_endpoint client;
    const char *initiator; /* valid until the next event of the loop */
    const struct lb_server_machine *machine;
    uint64_t bytes_read, bytes_written;
};
/* The next session of any machine after *at, which is NULL at the start. False: that was all. */
bool lb_server_target_next_of_all(const struct lb_server_target *target,
                                  const struct lb_server_session **at,
                                  struct lb_server_session_info *info);
/* The next session of this machine after *at, which is NULL at the start. False: that was all. */
bool lb_server_target_next(const struct lb_server_target *target,
                           const struct lb_server_machine *machine,
                           const struct lb_server_session **at,
                           struct lb_server_session_info *info);
/* Ends its sessions, and lets none log in until its next boot. One whose disk does not answer ends
 * when it does. */
void lb_server_target_eject(struct lb_server_target *target, struct lb_server_machine *machine);
/* Ends logins to a machine that nobody is logged in to, and that is about to be removed. */
void lb_server_target_forget(struct lb_server_target *target,
                             const struct lb_server_machine *machine);
/* Of all its threads: bytes of memory, of them those that are lent, how often a session had to wait
 * for some; connections, logged in or not. */
struct lb_server_target_use {
    uint64_t memory, memory_used, memory_waits;
    size_t connections;
};
/* As of now; the caller holds the lock exclusively. */
struct lb_server_target_use lb_server_target_use(const struct lb_server_target *target);
/* Ends the sessions and closes the portal; harmless where it is closed. */
void lb_server_target_close(struct lb_server_target *target);

/* How an answer of storage is told to the initiator: error is an errno, or 0. */
struct lb_target_answer lb_server_target_answer(int error, bool is_write);

#endif
