/* A boot by the interface that is named, or by whichever card can: cards.h. */
#ifndef LB_LINUX_TURNS_H
#define LB_LINUX_TURNS_H

#include "hosts/linux/choose.h"
#include "hosts/linux/run.h"

/* Opens the run for LB_GOAL_DISK, and runs it until READY, for as long as the configuration says
 * (retry-time, attempts); a link or an interface that comes late is waited for as long. False:
 * run->error; nothing is open then, unless the interface was named. */
bool lb_turns_boot(struct lb_run *run, const struct lb_card_choice *choice);

#endif
