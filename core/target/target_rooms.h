/* For hosts of few connections: memory of each one's own, lent when it is wanted. A host of many
 * has a pool instead, and takes back what is not in use. */
#ifndef LB_TARGET_ROOMS_H
#define LB_TARGET_ROOMS_H

#include "core/target/target_state.h"

#define LB_TARGET_ROOMS_STAGING 65536

struct lb_target_rooms {
    uint64_t work[(LB_TARGET_WORK_MAX + 7) / 8];
    struct lb_target_text text;
    uint8_t staging[LB_TARGET_ROOMS_STAGING];
};

/* Lends the memory of this role, if the connection has none. */
static inline void lb_target_rooms_lend(struct lb_target_rooms *rooms, struct lb_target_conn *conn,
                                        uint64_t now_us, enum lb_target_role role) {
    const struct lb_span spans[LB_TARGET_ROLES] = {
        [LB_TARGET_STAGING] = {rooms->staging, sizeof rooms->staging},
        [LB_TARGET_WORK] = {(uint8_t *)rooms->work, sizeof rooms->work},
        [LB_TARGET_TEXT] = {(uint8_t *)&rooms->text, sizeof rooms->text},
    };
    if (!lb_target_has(conn, role))
        lb_target_lend(conn, now_us, role, spans[role]);
}

/* Takes back all that is not in use. Gives how many roles it still has memory for. */
static inline unsigned lb_target_rooms_take_back(struct lb_target_conn *conn) {
    unsigned lent = 0;
    for (int role = 0; role < LB_TARGET_ROLES; role++) {
        (void)lb_target_take_back(conn, (enum lb_target_role)role);
        lent += lb_target_has(conn, (enum lb_target_role)role);
    }
    return lent;
}

#endif
