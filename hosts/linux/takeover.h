/* The boot's session becomes the kernel's: `lunboot boot --then=attach`.
 *
 * The disk's connection is handed to the kernel's initiator, which goes on with it: no second
 * login. Where the kernel refuses, or the connection does not live through it, a fresh login with
 * the same ISID is handed over in the same way, once; the report says so. */
#ifndef LB_LINUX_TAKEOVER_H
#define LB_LINUX_TAKEOVER_H

#include "hosts/linux/ike_keeper.h"
#include "hosts/linux/relogin.h"
#include "hosts/linux/run.h"

struct lb_attached {
    char device[64];    /* "/dev/sda" */
    uint32_t sid, host; /* of sysfs: session1, host2 */
    unsigned logins;    /* that the target has seen of this boot */

    /* Who it is with; where the kernel has SAs for it, all that keeps them. */
    struct lb_endpoint peer;
    struct lb_ike_handed ike;

    /* Of one that is kept; its portal has no address where none is known. */
    struct lb_login_again again;
};

/* Loads the modules that are missing, where there is a modprobe. run is READY. is_kept: somebody
 * will log in again should the connection be lost, so the kernel asks the target for signs of life.
 * True: the kernel has the disk, and *attached is set; run still has its lease and interface.
 * False: run->error. */
bool lb_takeover(struct lb_run *run, bool is_kept, struct lb_attached *attached);
/* Takes the disk away from the kernel again, and closes its connection. */
void lb_takeover_end(const struct lb_attached *attached);

#endif
