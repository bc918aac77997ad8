/* The memory of one session: what is lent to its connection, within the budget of all. */
#ifndef LB_SERVER_MEMORY_H
#define LB_SERVER_MEMORY_H

#include "core/target/target_state.h"
#include "server/budget.h"
#include "server/window.h"

/* What the initiator's data passes through: its bytes follow, or are in the window. */
struct lb_server_buffer {
    struct lb_server_buffer *next, **before;
    struct lb_window *window; /* NULL: of its own */
    bool is_read;
    struct lb_budget_grant grant; /* how much it is */
};

struct lb_server_memory {
    struct lb_budget_share share;
    struct lb_budget *budget;
    struct lb_server_buffer *buffers; /* that the connection has */
    uint32_t reads;                   /* of these, that are given back when they are sent */
    bool has_more;                    /* something came back since it found none */
    struct lb_budget_grant staging;   /* beyond the least */
};

static inline uint8_t *lb_server_buffer_bytes(struct lb_server_buffer *buffer) {
    return (uint8_t *)(buffer + 1);
}

/* What the connection needs while it has work. False: the computer has no memory at all. */
bool lb_server_memory_lend_room(struct lb_server_memory *memory, struct lb_target_conn *conn,
                                uint64_t now_us, enum lb_target_role role);
/* Takes back what of it is not in use. Gives whose memory waited, as lb_server_memory_take_back. */
struct lb_server_memory *lb_server_memory_take_back_rooms(struct lb_server_memory *memory,
                                                          struct lb_target_conn *conn);
/* The session goes to another budget with its rooms; it has nothing of what is common. */
void lb_server_memory_move(struct lb_server_memory *memory, const struct lb_target_conn *conn,
                           struct lb_budget *budget);
/* A buffer of len bytes, or fewer: see lb_budget_take. NULL: there is none, and has_more says when
 * it is worth while to ask again. */
struct lb_server_buffer *lb_server_memory_lend(struct lb_server_memory *memory, uint32_t len,
                                               bool is_piece, bool is_read);
/* One without bytes, for a part of this window. NULL: the computer has no memory at all; else it
 * gives the window back. */
struct lb_server_buffer *lb_server_memory_show(struct lb_server_memory *memory,
                                               struct lb_window *window);
/* Frees it. Gives the memory of a session that waited and may find some now; NULL: of nobody. */
struct lb_server_memory *lb_server_memory_take_back(struct lb_server_memory *memory,
                                                    struct lb_server_buffer *buffer);

#endif
