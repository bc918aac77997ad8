/* Machines without a section that have asked for an address and never logged in. Whoever asks in
 * the name of ever new cards makes many of them: the first ones are forgotten before there is no
 * place for another. One that is real is there again when it asks again. */
#ifndef LB_SERVER_CROWD_H
#define LB_SERVER_CROWD_H

#include "server/target.h"

#define LB_CROWD_LEAST 256 /* places that are free then */

/* Forgets some, where fewer places than that are free. target: whose sessions they may have; its
 * thread is the caller's, which holds the lock exclusively. Gives how many. */
size_t lb_server_crowd_thin(struct lb_server_machines *machines, struct lb_server_target *target);

#endif
