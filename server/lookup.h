/* How machines.c keeps its index, and asks it. What others ask is in machines.h. */
#ifndef LB_SERVER_LOOKUP_H
#define LB_SERVER_LOOKUP_H

#include "server/machines.h"

/* The machine is found by its name, its target, its card and its UUID from here on. */
void lb_lookup_add(struct lb_server_machines *machines, const struct lb_server_machine *machine);
/* Not any more: before one of these changes, or it goes. */
void lb_lookup_remove(struct lb_server_machines *machines, const struct lb_server_machine *machine);
/* The machine that boots with this card or this UUID (option 97's 16 bytes, or empty): a section
 * goes before what a machine without one has been, and else the earlier one. NULL: it is new. */
struct lb_server_machine *lb_lookup_known(struct lb_server_machines *machines, const uint8_t mac[6],
                                          struct lb_bytes uuid);

#endif
