/* The lock between lunbootd's main thread and those that serve sessions (workers.h).
 *
 * What all share is the house: machines, their targets, images, the sessions' lists, the board. A
 * worker holds it together with the others while it thinks, and looks at what is shared without
 * changing it; what belongs to one machine alone its worker changes, too. The main thread, which
 * makes, changes and shows everything, holds it alone; so does a worker for what changes more than
 * its own machines, such as the first login of a boot.
 *
 * Nobody waits in it: who holds it together lets it go for the time of a call that may wait, such
 * as one of a disk (blockfile.h, durable.h) or of a socket. What was looked up before is then only
 * as good as what keeps it there: a machine that has sessions is not changed by others.
 *
 * Without workers nobody holds it, and all of this does nothing. */
#ifndef LB_SERVER_HOUSE_H
#define LB_SERVER_HOUSE_H

#include <stdbool.h>

/* Holds it together with others. Who waits to be alone comes first. */
void lb_house_enter(void);
/* Holds it alone. */
void lb_house_enter_alone(void);
/* Lets it go, however it is held. */
void lb_house_leave(void);
/* Held together: lets it go, and waits to have it alone. Others may have changed everything in
 * between. True: it was held so, and lb_house_together is the way back. */
bool lb_house_alone(void);
void lb_house_together(bool was_together); /* what lb_house_alone gave */

/* Around a call that may wait: lets it go where it is held together, and takes it again. */
bool lb_house_step_out(void);
void lb_house_step_in(bool was_out); /* what lb_house_step_out gave; errno stays */

#endif
