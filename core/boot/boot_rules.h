/* What the policy allows, as functions of the configuration alone. The engine asks them
 * (policy.c), and so does whoever logs in after it without an engine, as Linux's keeper of a
 * session does: there is one list, and one reading of it. RFC 4173 8. */
#ifndef LB_BOOT_RULES_H
#define LB_BOOT_RULES_H

#include "core/base/config.h"
#include "core/initiator/initiator.h"

/* Whether a target of this name may be used: allow-target. */
bool lb_rules_target(const struct lb_config *config, const char *target);

/* Whether the network may give this machine this name: allow-initiator; without it, unless there
 * are lists of servers or targets, which a borrowed name would go round. */
bool lb_rules_initiator(const struct lb_config *config, const char *initiator);

/* Whether a server at this address may be used: allow-server, and an address that a machine can
 * have. by_person: an administrator gave the address, which may then be this machine's own. */
bool lb_rules_server(const struct lb_config *config, struct lb_addr addr, bool by_person);

/* Whether allow-server has this host name, in any case, with or without a dot at its end. */
bool lb_rules_host(const struct lb_config *config, const char *name);

/* Where a session is about to connect to, and how that was found. */
struct lb_rules_portal {
    struct lb_endpoint peer;
    const char *name;    /* that resolved to it; NULL: it was given as an address */
    bool was_redirected; /* a target led there */
    bool by_person;      /* an administrator named the server */
};
/* Whether a session may connect there: the address is one that a machine can have, and allow-server
 * has it or, unless a target led there, its name. */
bool lb_rules_portal(const struct lb_config *config, const struct lb_rules_portal *portal);

/* The word of the first protection that `require` asks for and the session does not have, such as
 * "mutual-chap"; NULL: it has all of them. */
const char *lb_rules_unmet(const struct lb_config *config,
                           const struct lb_initiator_agreed *agreed);

#endif
