/* The kernel's device events: the block device of a LUN is waited for, not polled for. */
#ifndef LB_LINUX_UEVENT_H
#define LB_LINUX_UEVENT_H

#include "core/base/bytes.h"

struct lb_uevent {
    const char *action, *path, *subsystem, *name, *type; /* "" where an event does not have it */
};

/* A descriptor that is readable when there are events, from now on; -1: errno. */
int lb_uevent_open(void);
/* The next event that is there; its strings are in room. False when there is none. Some may have
 * been lost when the kernel had more than the socket could hold: *lost is set then. */
bool lb_uevent_next(int fd, struct lb_span room, struct lb_uevent *event, bool *lost);
/* One message of the kernel's: "add@/devices/...", then KEY=value, each with a NUL. */
bool lb_uevent_decode(struct lb_bytes bytes, struct lb_uevent *event);
/* Whether it says that the disk of this LUN of this session has appeared. */
bool lb_uevent_is_disk(const struct lb_uevent *event, uint32_t sid, uint32_t host, uint64_t lun);

#endif
