/* Machines without a section that have asked for an address and never logged in. A client that
 * asks with a new MAC address each time makes many of them: before all places are taken, those that
 * asked longest ago are forgotten. A real machine gets a new place when it asks again. */
#ifndef LB_SERVER_UNUSED_H
#define LB_SERVER_UNUSED_H

#include "server/target.h"

#define LB_UNUSED_FREE 256 /* places that are free then */

/* Forgets some, if fewer places than that are free, and gives how many. target: whose sessions they
 * may have. The caller is its thread, and holds the lock exclusively. */
size_t lb_server_unused_forget(struct lb_server_machines *machines,
                               struct lb_server_target *target);

#endif
