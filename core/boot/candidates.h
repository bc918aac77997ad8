/* The candidates: portals of targets that may be booted from, the best first, and what came of
 * trying them. RFC 4173 6 leaves the order to the client; boot.h has ours.
 *
 *   engine                                   candidates
 *   lb_candidates_begin                 -->
 *   lb_candidates_add, of each found    -->
 *   loop: lb_candidates_next            -->  the choice: what is tried now
 *         lb_candidates_failed          -->
 *   lb_candidates_verdict               -->  the error: why none of them could be had
 *
 * The list is bounded, and keeps the best: of ten thousand answers the right one is among them. */
#ifndef LB_BOOT_CANDIDATES_H
#define LB_BOOT_CANDIDATES_H

#include "core/boot/choice.h"
#include "core/boot/network.h"

/* Candidates tried in one attempt. A false answer with sixty dead portals costs half a minute at
 * most; the next attempt asks anew and tries others. */
#define LB_BOOT_TRIES_MAX 16

struct lb_candidates {
    struct lb_common *common;
    const struct lb_network *network; /* its addresses: what is near */
    struct lb_rootpath wanted;        /* what configuration and network name; it may be blank */
    bool from_network;                /* its server is: no person named it */
    struct lb_candidate list[LB_CANDIDATES_MAX]; /* in their order */
    size_t count, dropped;
    size_t current;   /* the one that is tried, or LB_CANDIDATES_MAX */
    uint32_t targets; /* names heard so far */
    unsigned tries;   /* in this attempt */
};

/* Its start: there are none. What it is given outlives it. */
void lb_candidates_init(struct lb_candidates *candidates, struct lb_common *common,
                        const struct lb_network *network);
/* An attempt looks for this choice: former candidates are forgotten. */
void lb_candidates_begin(struct lb_candidates *candidates, const struct lb_choice *choice);
/* Forgets all of them, and which one is tried. */
void lb_candidates_clear(struct lb_candidates *candidates);
/* Adds a candidate and fills in the fields of its order; sets `refused` by the policy, unless it is
 * set. A second answer about the same portal is merged with the first. */
void lb_candidates_add(struct lb_candidates *candidates, uint64_t now_us,
                       const struct lb_candidate *found);
/* The best one that was not tried yet; NULL: none. Valid until the next call. */
const struct lb_candidate *lb_candidates_best(const struct lb_candidates *candidates);
/* Whether this one is tried at once, while better ones may still be found: its target is named, or
 * named for booting, or its server has told all it knows. */
bool lb_candidates_is_sure(const struct lb_candidates *candidates,
                           const struct lb_candidate *candidate);
/* Takes the best one: it is tried now, and is the choice. False: none, and *choice is untouched. */
bool lb_candidates_next(struct lb_candidates *candidates, struct lb_choice *choice);
/* The one that is being tried has failed for this reason; none is being tried then. False: there
 * was none, so the failure was not a candidate's. */
bool lb_candidates_failed(struct lb_candidates *candidates, const struct lb_error *why);
/* All have failed: *error is the most telling failure, with the others beside it. Without failures
 * *error stays as it is. */
void lb_candidates_verdict(const struct lb_candidates *candidates, struct lb_error *error);
/* Whether another attempt may end better for one of them. */
bool lb_candidates_may_pass(const struct lb_candidates *candidates);
/* Who named the one that is being tried, where discovery found it. */
struct lb_boot_servers lb_candidates_servers(const struct lb_candidates *candidates);

#endif
