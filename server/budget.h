/* One budget for the memory that sessions of the target work with. Who finds none waits: its socket
 * is not read, and TCP holds the initiator back.
 *
 * Each session has a part of its own, which nobody else can take: the rooms that its connection
 * needs to go on at all (lb_budget_room), and a piece of data. So each of them gets ahead, whatever
 * the others hold. What is left is common. Of that a session may hold an eighth of what is free:
 * those whose readers do not read leave enough for the others, however many they are. */
#ifndef LB_SERVER_BUDGET_H
#define LB_SERVER_BUDGET_H

#include "core/base/mem.h"

#define LB_BUDGET_OWN 65536 /* bytes of data that a session has for itself */
/* What is reserved for a session: its own piece, its rooms and its struct, rounded up. */
#define LB_BUDGET_EACH (LB_BUDGET_OWN + 108 * 1024)
#define LB_BUDGET_PART 8 /* a session may hold this part of what is free and common */

/* What one session holds. Zero at its start. */
struct lb_budget_share {
    uint64_t own, common;                   /* bytes of each */
    struct lb_budget_share *next, **before; /* of those who wait; before NULL: it does not */
};

struct lb_budget {
    uint64_t bytes;        /* in all, that is reserved or common */
    uint64_t common, free; /* bytes of what is common, and of it that nobody has */
    uint64_t used;         /* bytes that are lent now: rooms, own pieces, common ones */
    uint64_t waits;        /* how often somebody had to wait, since the start */
    size_t sessions_max;   /* for whom it is enough */
    struct lb_budget_share *first, **end; /* who waits, in their order */
};

/* What was taken, and is given back so. */
struct lb_budget_grant {
    uint32_t bytes; /* 0: nothing was to be had */
    bool is_common;
};

/* bytes: in all. sessions_max is at most so many. */
void lb_budget_init(struct lb_budget *budget, uint64_t bytes, size_t sessions_max);
/* A part of what is common, for the sessions of another thread; bytes of it, which nobody has. */
void lb_budget_split(struct lb_budget *budget, struct lb_budget *part, uint64_t bytes);
/* A session that holds nothing common, and does not wait, goes to another one with what was
 * reserved for it; rooms: bytes of them. */
void lb_budget_move(struct lb_budget *from, struct lb_budget *to,
                    const struct lb_budget_share *share, uint64_t rooms);
/* Memory for `bytes` bytes of data. Where there is not enough, and it is a piece of something
 * longer: for LB_BUDGET_OWN of them, if the session has its own part whole. */
struct lb_budget_grant lb_budget_take(struct lb_budget *budget, struct lb_budget_share *share,
                                      uint32_t bytes, bool is_piece);
/* The same, of what is common alone: it leaves the session its own part. All of it, or nothing. */
struct lb_budget_grant lb_budget_borrow(struct lb_budget *budget, struct lb_budget_share *share,
                                        uint32_t bytes);
/* Gives it back; empty: nothing. Gives who waits and may find something now; NULL: nobody. It waits
 * no more, until it says so again. */
struct lb_budget_share *lb_budget_give_back(struct lb_budget *budget, struct lb_budget_share *share,
                                            struct lb_budget_grant grant);
/* Rooms, which were reserved with the session: bytes more of them, or fewer. */
void lb_budget_room(struct lb_budget *budget, int64_t bytes);
/* It waits until lb_budget_give_back gives it, or lb_budget_leave. Harmless where it waits. */
void lb_budget_wait(struct lb_budget *budget, struct lb_budget_share *share);
/* It waits no more. Harmless where it does not. */
void lb_budget_leave(struct lb_budget *budget, struct lb_budget_share *share);

#endif
