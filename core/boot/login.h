/* How a session logs in: made of the plan and of the choice, by a pure function. */
#ifndef LB_BOOT_LOGIN_H
#define LB_BOOT_LOGIN_H

#include "core/boot/choice.h"
#include "core/initiator/initiator.h"

/* The configuration of a session that boots what is chosen, as this initiator. It holds secrets:
 * the caller wipes it. False: *error says which key of the configuration is wrong. */
bool lb_login_config(const struct lb_plan *plan, const struct lb_choice *choice,
                     const char *initiator, struct lb_initiator_config *out,
                     struct lb_error *error);

#endif
