/* Choosing what is booted, and as whom: pure functions of the plan and of what the network
 * answered. A person's configuration stands above the network's word, field by field (RFC 4173 3).
 * Nothing is kept between the calls. */
#ifndef LB_BOOT_CHOICE_H
#define LB_BOOT_CHOICE_H

#include "core/boot/answer.h"
#include "core/boot/plan.h"

struct lb_choice {
    struct lb_rootpath target; /* its name and its server may be blank */
    bool has_target;           /* nothing is missing: the name and the server are known */
    bool from_network;         /* the server is: no person named it */
    char source[80];           /* "configuration", "DHCP server 192.0.2.1" */
    struct lb_error unnamed;   /* why the target, or its server, is not known; LB_OK: it is */
};

/* The target as far as the configuration names it. Checks all of the configuration's keys about it.
 * False: *error says which of them is wrong, and the choice may be half made. */
bool lb_choice_of_config(const struct lb_plan *plan, struct lb_choice *choice,
                         struct lb_error *error);
/* The configuration's target, with the answer's Root Path for what the configuration leaves open.
 * False: what is named cannot be used, or something is missing that discovery may not look for. */
bool lb_choice_make(const struct lb_plan *plan, const struct lb_boot_answer *answer,
                    struct lb_choice *choice, struct lb_error *error);
/* One of the key other-rootpaths. False: *error is set. */
bool lb_choice_parse_other(const struct lb_plan *plan, struct lb_bytes string,
                           struct lb_rootpath *target, struct lb_error *error);

/* Whether SendTargets may be asked: the server is known and the target is not. */
bool lb_choice_may_list(const struct lb_plan *plan, const struct lb_rootpath *target);
/* Whether anything may be done to find what this target leaves open. */
bool lb_choice_may_search(const struct lb_plan *plan, const struct lb_rootpath *target);

/* Our own iSCSI name. */
struct lb_own_name {
    char name[LB_NAME_MAX + 1];
    const char *source; /* a constant: who gave it */
    const char
        *unused; /* a constant: why the answer's name is not used; NULL: it is, or has none */
};
/* Configured, else of DHCP option 203, else made from the machine's identity. False: the configured
 * one is none, and *error says so. */
bool lb_choice_own_name(const struct lb_plan *plan, const struct lb_boot_answer *answer_or_null,
                        struct lb_own_name *own, struct lb_error *error);
/* Whether a configured name is one; else *error says where it is wrong. */
bool lb_choice_own_name_is_valid(const struct lb_plan *plan, struct lb_error *error);

#endif
