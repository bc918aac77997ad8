/* The kernel's own iSCSI initiator (iscsi_tcp), over its netlink interface: a session that was
 * logged in in user space becomes a session of the kernel, on the same connection.
 *
 *   lb_kernel_iscsi_open     the transport is there (modules scsi_transport_iscsi, iscsi_tcp)
 *   lb_kernel_iscsi_take     session, connection, socket, what was agreed; started
 *   lb_kernel_iscsi_undo     what was made is taken away again; the connection is closed by this
 *   lb_kernel_iscsi_close
 *
 * or, for a session of the kernel's that lost its connection:
 *
 *   lb_kernel_iscsi_open, _own   which session it is
 *   lb_kernel_iscsi_stop     what is left of the old connection
 *   lb_kernel_iscsi_bind     a new one
 *   lb_kernel_iscsi_send     Login PDUs; the answers come into *pdu
 *   lb_kernel_iscsi_resume   what was agreed; the commands that wait go on
 *
 * One request at a time; the kernel answers each before the next. What it learns of the session is
 * what iscsid reads from sysfs when it adopts the session: names, CHAP, portal, portal group, all
 * that was agreed. The interface is Linux's (scsi/iscsi_if.h); libopeniscsiusr needs a running
 * iscsid, which no initramfs of ours has. */
#ifndef LB_LINUX_KERNEL_ISCSI_H
#define LB_LINUX_KERNEL_ISCSI_H

#include "core/initiator/initiator.h"

/* A PDU that the kernel leaves to user space: those of a login, what the target says on its own
 * (Async Message), the answer to a logout. */
struct lb_kernel_pdu {
    bool is_there;
    uint8_t bhs[LB_STREAM_BHS];
    uint8_t data[LB_STREAM_LOGIN_DATA];
    size_t len; /* of data, without padding */
};

struct lb_kernel_iscsi {
    int fd;             /* netlink; readable when the kernel has to say something: _look */
    uint64_t transport; /* the kernel's handle of iscsi_tcp */
    uint32_t sid;       /* of /sys/class/iscsi_session/sessionSID */
    uint32_t host;      /* of /sys/class/scsi_host/hostHOST */
    bool has_session, has_connection, is_bound;
    uint32_t broken; /* the connection broke, with this error of the kernel's; 0: it did not */
    struct lb_kernel_pdu *pdu; /* where a PDU for user space goes, the caller's; NULL: dropped */
};

struct lb_kernel_iscsi_settings {
    uint32_t recovery_s;  /* how long the disk's users wait for a lost session to come back */
    uint32_t queue_depth; /* commands to the disk at once, 1..256 */
    uint32_t ping_s; /* the kernel's own pings after so much silence; 0: none. Where nobody logs
                        in again, a connection that only sleeps would be lost by them for good */
};

/* The kernel's number of a LUN, as it is in device names and in the scan file. */
uint64_t lb_kernel_lun(const uint8_t lun[8]);

/* sysfs: "/sys". False: HAND_OVER. */
bool lb_kernel_iscsi_open(struct lb_kernel_iscsi *kernel, const char *sysfs,
                          struct lb_error *error);
/* fd is the connection, at rest as standing says; the kernel keeps it open by itself, so that the
 * caller may close it. False: HAND_OVER; then undo what was done. */
bool lb_kernel_iscsi_take(struct lb_kernel_iscsi *kernel, int fd,
                          const struct lb_initiator_standing *standing,
                          const struct lb_kernel_iscsi_settings *settings, struct lb_error *error);
/* Reads what the kernel has to say on its own; false once the connection broke. */
bool lb_kernel_iscsi_look(struct lb_kernel_iscsi *kernel);
/* Takes the connection and the session out of the kernel, as far as they were made. */
void lb_kernel_iscsi_undo(struct lb_kernel_iscsi *kernel);
/* The session sid is what is spoken of from now on. */
void lb_kernel_iscsi_own(struct lb_kernel_iscsi *kernel, uint32_t sid);
/* Once the connection broke, or a new one is to be given up; the session waits. */
bool lb_kernel_iscsi_stop(struct lb_kernel_iscsi *kernel, struct lb_error *error);
/* fd is a TCP connection, which the kernel reads from now on; the caller may close it. */
bool lb_kernel_iscsi_bind(struct lb_kernel_iscsi *kernel, int fd, struct lb_error *error);
/* Whether this netlink port is that of a socket of lb_kernel_iscsi_open, in any process: its number
 * is a mark by which those of ours know each other. iscsid's is another. */
bool lb_kernel_iscsi_is_ours(uint32_t port);
/* A Login PDU, or a Logout once the session is logged in. The kernel puts its own CmdSN and task
 * tag into the header. data_len at most LB_STREAM_LOGIN_DATA, without padding. */
bool lb_kernel_iscsi_send(struct lb_kernel_iscsi *kernel, const uint8_t bhs[LB_STREAM_BHS],
                          struct lb_bytes data, struct lb_error *error);
/* The login is done, as standing says, but for its cmd_sn: the kernel has its own. */
bool lb_kernel_iscsi_resume(struct lb_kernel_iscsi *kernel,
                            const struct lb_initiator_standing *standing,
                            const struct lb_kernel_iscsi_settings *settings,
                            struct lb_error *error);
/* The session stays. */
void lb_kernel_iscsi_close(struct lb_kernel_iscsi *kernel);

#endif
