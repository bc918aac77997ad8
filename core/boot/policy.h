/* Policy: nothing boots unless an administrator said so, from nobody and to nothing that was not
 * allowed, and not without the protection that was required (RFC 4173 8). Pure functions of the
 * plan and of what is about to be done. Nothing is kept between the calls. */
#ifndef LB_BOOT_POLICY_H
#define LB_BOOT_POLICY_H

#include "core/boot/choice.h"
#include "core/initiator/initiator.h"

/* Whether booting is allowed: the key `enable`, which only the goal of a disk needs. False: *error
 * says who forbids it. */
bool lb_policy_enabled(const struct lb_plan *plan, struct lb_error *error);
/* Whether a candidate may be tried, as far as is known before its name is resolved; if not, *error
 * is set. wanted is the target's name where configuration or Root Path give one, else empty.
 * by_person: an administrator named the server, which may then be the machine itself. */
bool lb_policy_candidate(const struct lb_plan *plan, const struct lb_candidate *candidate,
                         const char *wanted, bool by_person, struct lb_error *error);

/* Whether the configured secrets may be used; else *error is set. *is_short: they may, but one can
 * be found by trying. */
bool lb_policy_secrets(const struct lb_plan *plan, bool *is_short, struct lb_error *error);

/* What the policy knows of a session. */
struct lb_policy_session {
    const struct lb_choice *choice; /* what is booted */
    bool was_redirected;            /* a target led it elsewhere */
};
/* Whether a connection to this address may be made; else *error is set. */
bool lb_policy_portal(const struct lb_plan *plan, const struct lb_policy_session *session,
                      struct lb_endpoint peer, struct lb_error *error);
/* Whether one of the addresses of the target's name may be used; else *error is set. */
bool lb_policy_address(const struct lb_plan *plan, const struct lb_policy_session *session,
                       struct lb_addr addr, struct lb_error *error);
/* Whether DNS alone gave the address that a session connects to: the network gave the server's
 * name, and no target redirected it. */
bool lb_policy_is_of_dns(const struct lb_policy_session *session);
/* Whether a redirect may lead to a host's name; else *error is set. */
bool lb_policy_redirect_name(const struct lb_plan *plan, const struct lb_policy_session *session,
                             const char *name, struct lb_error *error);

/* Whether this target is to be logged in to by CHAP, and whether it must prove itself: `require`
 * says so, or it is what the firmware booted in this way. */
bool lb_policy_requires_chap(const struct lb_plan *plan, const char *target, bool mutual);
/* Whether this key of CHAP counts for this target: the secrets of the firmware's table are for its
 * target alone. */
bool lb_policy_has_chap(const struct lb_plan *plan, const char *target, enum lb_key key);
/* The word of the first protection that this target's session must have and has not, such as
 * "chap"; NULL: it has all of them. is_shielded: IPsec protects it where it has to. */
const char *lb_policy_unmet(const struct lb_plan *plan, const char *target,
                            const struct lb_initiator_agreed *agreed, bool is_shielded);

#endif
