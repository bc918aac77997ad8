/* The boot loader on the disk of a run: core/loader over lb_run_read, as a step of the report. */
#ifndef LB_LINUX_LOADER_H
#define LB_LINUX_LOADER_H

#include "core/loader/loader.h"
#include "hosts/linux/run.h"

/* The key `loader`, or else the path that UEFI gives to this architecture. */
const char *lb_run_loader_path(const struct lb_config *config);
/* Looks for the file. Then, or where it is not there, *loader has what was seen on the way. False:
 * run->error. */
bool lb_run_loader_find(struct lb_run *run, struct lb_loader *loader, const char *path);
/* FOUND with `more`: the next extents. */
bool lb_run_loader_more(struct lb_run *run, struct lb_loader *loader);

#endif
