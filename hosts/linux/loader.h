/* The boot loader on the disk of a run: core/esp over lb_run_read, as a step of the report. */
#ifndef LB_LINUX_LOADER_H
#define LB_LINUX_LOADER_H

#include "core/esp/esp.h"
#include "hosts/linux/run.h"

/* The key `loader`, or else the path that UEFI gives to this architecture. */
const char *lb_loader_path(const struct lb_config *config);
/* Looks for the file. Then, or where it is not there, *esp has what was seen on the way. False:
 * run->error. */
bool lb_loader_find(struct lb_run *run, struct lb_esp *esp, const char *path);
/* FOUND with `more`: the next extents. */
bool lb_loader_more(struct lb_run *run, struct lb_esp *esp);

#endif
