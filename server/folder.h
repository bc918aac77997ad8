/* Which files the folder of boot files has, for those who cannot wait for its disk: DHCP names a
 * loader only if it is there.
 *
 * A thread of its own looks. A caller waits 20 ms for it at most. When the disk has not answered in
 * that time, the last result is given, without a wait, until it answers. Without threads
 * (threads = 1) the caller looks itself. */
#ifndef LB_SERVER_FOLDER_H
#define LB_SERVER_FOLDER_H

#include "server/files.h"

struct lb_server_folder_watch;

struct lb_server_folder {
    const struct lb_server_files *files;
    struct lb_server_folder_watch *watch; /* NULL: it has no thread */
};

/* files stays the caller's, and outlives it. */
bool lb_server_folder_open(struct lb_server_folder *folder, const struct lb_server_files *files,
                           bool has_thread, struct lb_server_error *error);
/* Whether there is a file of this name, which is one of a few constants. By one thread alone. */
bool lb_server_folder_has(const struct lb_server_folder *folder, const char *name);
/* Ends the thread; one whose disk does not answer ends when it does. Harmless where it is closed.
 */
void lb_server_folder_close(struct lb_server_folder *folder);

#endif
