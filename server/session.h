/* A session of the target, for the files that serve it. */
#ifndef LB_SERVER_SESSION_H
#define LB_SERVER_SESSION_H

#include "server/memory.h"
#include "server/say.h"
#include "server/target.h"

struct lb_server_session {
    struct lb_server_source source;
    struct lb_server_target *target;
    struct lb_server_session *next, **before;         /* of all */
    struct lb_server_session *due_next, **due_before; /* of those that have something to do, or are
                                                         new; due_before NULL: it is none of them */
    struct lb_endpoint client;
    uint64_t came_us, until_us;
    bool wants_write, is_gone;
    bool is_dropped;             /* the main thread wants it to end */
    struct lb_server_home *home; /* that counts it as a user; NULL: of the main thread */
    bool has_said_login, has_said_reading;
    bool has_said_trouble; /* the first is told; the others follow from it, or are the same */
    struct lb_server_machine *machine; /* once it has logged in to a target */
    uint32_t generation;               /* the machine's boot at that time */
    uint64_t bytes_read, bytes_written;
    struct lb_server_memory memory;
    struct lb_target_io *waiting, *last_waiting; /* for memory; `user` of each is the next one */
    struct lb_target_conn conn;
};

/* It has something to do, or may have: its thread's next poll looks. */
void lb_session_make_due(struct lb_server_session *session);
/* Into the list of its target, and due. */
void lb_session_enlist(struct lb_server_session *session);
/* Takes what its socket has. */
void lb_session_receive(struct lb_server_session *session, uint64_t now_us);
/* Closes and frees it. */
void lb_session_end(struct lb_server_session *session);

/* It wants to log in to this node, of which the machine has many sessions already, and few places
 * are left. Asked by the main thread, which holds the lock exclusively. node: NULL: of none. */
bool lb_session_is_one_too_many(const struct lb_server_session *session,
                                const struct lb_target *node);

/* An event of this session's machine. */
struct lb_event lb_session_event(const struct lb_server_session *session, enum lb_event_kind kind);
/* Two machines with one disk that they write destroy it. */
void lb_session_warn_of_sharing(const struct lb_server_session *session);
/* Its last line: how it ended. */
void lb_session_say_end(const struct lb_server_session *session);
/* An op on its disk failed with this errno. */
void lb_session_say_error(const struct lb_server_session *session, enum lb_storage_op op,
                          int error);

#endif
