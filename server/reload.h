/* The configuration read anew, while lunbootd runs: SIGHUP, and lunbootctl reload. */
#ifndef LB_SERVER_RELOAD_H
#define LB_SERVER_RELOAD_H

#include "server/serve.h"

/* Reads the command line and its configuration file again, and serves by them from here on:
 * machines that came are served, machines that went are no longer; sessions go on. False: see
 * error, and nothing has changed. */
bool lb_server_reload(struct lb_server *server, struct lb_server_error *error);

#endif
