/* What lunboot-ike sees of the system that it lives in: whether there is anything left to protect,
 * whether an IKE daemon runs, and what somebody took away of the kernel's IPsec.
 *
 * All files are opened at the start, for the root is switched later. */
#ifndef LB_LINUX_IKE_WATCH_H
#define LB_LINUX_IKE_WATCH_H

#include "hosts/linux/xfrm.h"
#include <dirent.h>

struct lb_ike_watch {
    int session_fd;      /* the session's state in sysfs */
    int udp_fd, udp6_fd; /* /proc/net/udp; -1: none */
    int tcp_fd, tcp6_fd; /* /proc/net/tcp; -1: none */
    int names_fd;        /* of all who speak IKE here (ike_names.h); -1: none */
    DIR *connections;    /* of iSCSI, in sysfs */
    int taken_fd;        /* the kernel's reports (lb_xfrm_watch) */
};

/* For the session of this number. False: one of them cannot be opened; the process ends then. */
bool lb_ike_watch_open(struct lb_ike_watch *watch, uint32_t sid);

/* Whether the kernel still has the session. */
bool lb_ike_watch_has_session(const struct lb_ike_watch *watch);
/* Whether any iSCSI session, or a TCP connection to this endpoint, still speaks to the peer: also
 * one that is being begun or ended, and one that waits for a login. */
bool lb_ike_watch_has_speaker(const struct lb_ike_watch *watch, struct lb_endpoint peer);
/* Whether an IKE daemon runs: one that has UDP port 500. */
bool lb_ike_watch_has_daemon(const struct lb_ike_watch *watch);

/* Whether this line of /proc/net/udp or udp6 is of a socket of IKE's port, 500. */
bool lb_ike_watch_is_daemon(struct lb_bytes line);
/* Whether this line of /proc/net/tcp or tcp6 is of a connection to peer that may still send.
 * TIME-WAIT and CLOSE say nothing of their own. */
bool lb_ike_watch_is_speaker(struct lb_bytes line, struct lb_endpoint peer);

#endif
