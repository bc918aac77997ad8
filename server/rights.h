/* What lunbootd may do is given up once its sockets are open: another user, no capabilities, no new
 * rights (PR_SET_NO_NEW_PRIVS), and a filter of system calls. */
#ifndef LB_SERVER_RIGHTS_H
#define LB_SERVER_RIGHTS_H

#include "server/settings.h"

/* Makes a folder that is not there yet, and gives it to that user. Where this cannot be done, who
 * opens the folder says so. */
void lb_server_rights_make_folder(const char *folder, const char *user);
/* Of a process of root: becomes `user`, with that user's groups, and keeps no capability. Without a
 * user lunbootd in the system, or with "root", it stays root and keeps CAP_DAC_OVERRIDE alone, for
 * disks of other users. A process that is not root's keeps its user and no capability. To be called
 * while there is one thread. False: see error; nothing may be served then. */
bool lb_server_rights_drop(const char *user, struct lb_server_error *error);
/* From here on, for this thread and those that it makes: system calls that lunbootd never needs end
 * it (execve, ptrace, mount and their kind), and others that it does not need fail with EPERM.
 * Without libseccomp it does nothing. False: see error. */
bool lb_server_rights_filter(struct lb_server_error *error);
/* How far that went, for a log: "user lunbootd, system calls are filtered". */
const char *lb_server_rights_text(void);

#endif
