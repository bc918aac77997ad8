/* Names in folders, and small files that are replaced whole, on stable storage. */
#ifndef LB_SERVER_DURABLE_H
#define LB_SERVER_DURABLE_H

#include "core/base/bytes.h"

/* What was made, renamed and removed in this folder before is durable. 0, or an errno. */
int lb_durable_folder(const char *folder);
/* The file `name` of this folder has this text from now on, durably; after a power cut it has
 * either that or what it had. It is its owner's alone. 0, or an errno. */
int lb_durable_replace(const char *folder, const char *name, struct lb_bytes text);
/* Removes this file durably; folder: its own. None is there: that is well. 0, or an errno. */
int lb_durable_remove(const char *folder, const char *name);
/* Makes this folder, if it is not there: its name is durable once lb_durable_folder has said so of
 * its own folder. *is_new: it was not. 0, or an errno. */
int lb_durable_make_folder(const char *folder, bool *is_new);

#endif
