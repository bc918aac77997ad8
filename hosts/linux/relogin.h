/* A session of the kernel's that lost its connection logs in again.
 *
 * The Login PDUs are core/iscsi's, and travel through the kernel, as iscsid's do: the session goes
 * on with the kernel's CmdSN, which nobody else knows, and only the kernel can write it into them.
 */
#ifndef LB_LINUX_RELOGIN_H
#define LB_LINUX_RELOGIN_H

#include "hosts/linux/kernel_iscsi.h"

/* How. It has secrets: wipe it. */
struct lb_login_again {
    struct lb_iscsi_config config; /* as the session was made; its portal an address */
    struct lb_kernel_iscsi_settings settings;
    int interface; /* its index, for link-local portals */
};

/* One attempt, of half a minute at most. room: staging for PDUs, LB_ISCSI_RX_MIN bytes. True: the
 * disk's commands go on. False: error; the kernel's session waits for the next attempt, until its
 * own recovery time is over. */
bool lb_relogin(struct lb_kernel_iscsi *kernel, const struct lb_login_again *again,
                struct lb_span room, struct lb_error *error);

#endif
