/* The targets of a server, as SendTargets lists them over a session. For the goal TARGETS, which
 * shows them, and for the finder, which takes its candidates from them. */
#ifndef LB_BOOT_LISTING_H
#define LB_BOOT_LISTING_H

#include "core/boot/stage.h"
#include "core/initiator/initiator_session.h"

#define LB_BOOT_TARGETS_MAX 32 /* portals of targets that are listed; a person reads them */

struct lb_listing {
    struct lb_common *common;
    size_t step; /* of the report */
    struct lb_initiator_targets targets;
    struct lb_initiator_found found[LB_BOOT_TARGETS_MAX]; /* its room */
};

/* Its start: nothing is listed. common outlives it. */
void lb_listing_init(struct lb_listing *listing, struct lb_common *common);
/* A new session begins: the list is empty. */
void lb_listing_clear(struct lb_listing *listing);
/* Asks for the list. Where it is too long, targets that are allowed have a place in it. */
void lb_listing_ask(struct lb_listing *listing, uint64_t now_us, struct lb_initiator *session);
/* Asks for all of it, to be shown, as a step of the report. */
void lb_listing_show(struct lb_listing *listing, uint64_t now_us, struct lb_initiator *session);
/* Whether what is shown is there; its step ends then. */
bool lb_listing_is_shown(struct lb_listing *listing, uint64_t now_us);
/* No step of the report is left running: it failed with this word. */
void lb_listing_end_step(struct lb_listing *listing, uint64_t now_us, const char *why);

#endif
