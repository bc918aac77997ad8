/* Who logs in again when the session of the root file system is lost and no iscsid runs: between
 * the initramfs and iscsid's start, and for good on systems that have none.
 *
 * A process of its own, which needs nothing of any file system: its program is the initramfs's,
 * which stays in memory as long as it runs, and what it reads (/sys, /proc) it has opened before
 * the root is switched. It must go on when the disk that is lost is where memory would be freed to,
 * so all of its memory is locked and filled at the start, what the kernel allocates for it does not
 * wait for a disk (PR_SET_IO_FLUSHER), and it is not what is ended when memory runs out. Its name
 * begins with '@', by which systemd knows the processes that storage needs, at the switch and at
 * shutdown.
 *
 * It acts on the kernel's report of a lost connection, and looks at the session's state every two
 * seconds. It heeds what the target says on its own (RFC 7143 11.9): asked for a logout, it logs
 * out and in again; told that the connection goes, it waits as long as the target wants. It leaves
 * the session alone while a program that is none of ours listens to the kernel's reports, which is
 * iscsid; keepers of other sessions are ours. It ends when the session does. It logs what it does
 * in the kernel's log. */
#ifndef LB_LINUX_KEEPER_H
#define LB_LINUX_KEEPER_H

#include "hosts/linux/takeover.h"

/* The caller goes on, and may end. False: there is no such process; *error says why. */
bool lb_keeper_start(const struct lb_attached *attached, struct lb_error *error);

/* Whether this line of /proc/net/netlink (address, protocol, port, groups, ...) is of another
 * program that is told of lost connections, and none of ours. */
bool lb_keeper_has_other(struct lb_bytes line, uint32_t our_port);

/* What the target asks for in a PDU of its own. */
enum lb_keeper_ask {
    LB_KEEPER_NOTHING,
    LB_KEEPER_LOGOUT, /* within_s: to be logged out of, and into again */
    LB_KEEPER_AGAIN,  /* the connection is of no use any more; a login in wait_s, not sooner */
};
struct lb_keeper_asked {
    enum lb_keeper_ask ask;
    unsigned within_s, wait_s;
};
/* Reads the header of a PDU that the target sent on its own; NOTHING for all but Async Messages
 * that need an act. */
struct lb_keeper_asked lb_keeper_hear(const uint8_t bhs[LB_STREAM_BHS]);
/* The answer to a logout; then wait_s is its Time2Wait. */
bool lb_keeper_is_logged_out(const uint8_t bhs[LB_STREAM_BHS], unsigned *wait_s);

#endif
