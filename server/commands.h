/* What each command of lunbootctl does. */
#ifndef LB_SERVER_COMMANDS_H
#define LB_SERVER_COMMANDS_H

#include "server/serve.h"

/* The client's request is whole: it is carried out, and answered. */
void lb_server_command(struct lb_server *server, struct lb_control_client *client);

#endif
