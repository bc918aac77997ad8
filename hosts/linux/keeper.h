/* Who logs in again when the session of the root file system is lost and no iscsid runs: between
 * the initramfs and iscsid's start, and for good on systems that have none.
 *
 * A process of its own, which needs nothing of any file system: its program is the initramfs's,
 * which stays in memory as long as it runs, and what it reads (/sys, /proc) it has opened before
 * the root is switched. Its name begins with '@', by which systemd knows the processes that storage
 * needs, at the switch and at shutdown. It acts on the kernel's report of a lost connection, and
 * looks at the session's state every two seconds; it leaves the session alone while another program
 * listens to the kernel's reports, which is iscsid. It ends when the session does. What it does it
 * says in the kernel's log. */
#ifndef LB_LINUX_KEEPER_H
#define LB_LINUX_KEEPER_H

#include "hosts/linux/takeover.h"

/* The caller goes on, and may end. False: there is no such process; *error says why. */
bool lb_keeper_start(const struct lb_attached *attached, struct lb_error *error);

/* Whether this line of /proc/net/netlink (address, protocol, port, groups, ...) is of another
 * program that is told of lost connections. */
bool lb_keeper_has_rival(struct lb_bytes line, uint32_t our_port);

#endif
