/* SendTargets (RFC 7143 appendix C): a user of a session, as a disk is. The owner has the struct
 * and the room for what is found; a session asks and fills it.
 *
 *   struct lb_initiator_targets targets = {.found = room, .cap = LB_COUNT(room)};
 *   lb_initiator_send_targets(session, now_us, NULL, &targets)      in a discovery session
 *   lb_initiator_targets_count(&targets, &dropped)                  until it is not -1 any more */
#ifndef LB_INITIATOR_TARGETS_H
#define LB_INITIATOR_TARGETS_H

#include "core/initiator/initiator.h"

struct lb_initiator_found {
    char target[LB_NAME_MAX + 1];
    struct lb_endpoint portal; /* a name instead of an address: host is set */
    char host[LB_HOST_MAX + 1];
    int32_t tpgt; /* -1: not known */
};

struct lb_initiator_targets {
    /* The owner's, before it asks; the memory stays the owner's until the list is complete, or the
     * session has ended. */
    struct lb_initiator_found *found; /* filled in the order of the list, invalid names left out */
    size_t cap;
    /* Of a list that is longer than there is room for, half the room is kept for targets of these
     * names, as lb_list_has_name understands them. Empty: for all alike. */
    struct lb_bytes look_for;

    /* The list's own. */
    bool is_done;
    size_t count, dropped;
    size_t invalid;    /* names that are none */
    char bad_name[80]; /* the first of them, fit for a terminal */
    struct lb_endpoint peer;
    int32_t tpgt;
    struct lb_trace *trace;
    char target[LB_NAME_MAX + 1];
    bool has_target, had_address;
};

/* Once READY, or before: asks for all targets (or one). A session that is lost asks again after its
 * next login. */
void lb_initiator_send_targets(struct lb_initiator *session, uint64_t now_us,
                               const char *target_or_null, struct lb_initiator_targets *targets);
/* How many of `found` are filled; -1: the list is not complete yet. *dropped counts those without
 * room. */
int32_t lb_initiator_targets_count(const struct lb_initiator_targets *targets, size_t *dropped);
/* How many names were left out because they are none, and the first, fit for a terminal; it is the
 * struct's memory. */
size_t lb_initiator_targets_invalid(const struct lb_initiator_targets *targets, const char **first);

#endif
