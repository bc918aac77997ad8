/* Looks which disk a target has, in a login of our own, before a session of the kernel's goes on
 * with it: in the kernel's login nobody but the kernel can issue commands, and it issues at once
 * those that wait. */
#ifndef LB_LINUX_SAME_DISK_H
#define LB_LINUX_SAME_DISK_H

#include "hosts/linux/relogin.h"

/* Logs in, looks, and logs out, with the ISID of the session that is lost: at the target there is
 * no session beside it. The policy holds here as in the kernel's login. room: staging for PDUs,
 * LB_ISCSI_RX_MIN bytes. True: it is the disk of again->identity, and *portal is where it was seen,
 * which a redirect may have named. False: *error says why; DISK_CHANGED where it is another one. It
 * takes half a minute at most. */
bool lb_same_disk(const struct lb_login_again *again, struct lb_span room,
                  struct lb_endpoint *portal, struct lb_error *error);

#endif
