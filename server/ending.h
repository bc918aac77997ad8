/* lunbootd ends in time, also where a disk does not answer: a thread that waits for one can be
 * neither joined nor stopped. What was made durable is safe then, as after a kill -9. */
#ifndef LB_SERVER_ENDING_H
#define LB_SERVER_ENDING_H

#include "server/settings.h"

#define LB_SERVER_ENDING_S 10

/* Unless the process has ended within so many seconds, says why, closes all sockets, and ends it
 * with status 1. Without a thread for that it may last longer. */
void lb_server_ending_begin(unsigned seconds);

#endif
