/* Who speaks IKE when the boot is over and the kernel has the SAs of its session (xfrm.h).
 *
 * A process of its own (alone.h) beside the session's keeper: it renews keys, answers the peer, and
 * negotiates anew when the peer has lost the association, while the session's keeper may be waiting
 * for a login that needs it. Connections need neither process: ESP goes on without, until the keys
 * are used up or the peer takes them away, and nothing goes in clear then. Only behind a NAT the
 * kernel finds ESP in this process's socket.
 *
 * A second process (spare.h) steps in when it dies: the kernel's SAs serve until it has agreed on
 * others.
 *
 * While an IKE daemon runs (one that has UDP port 500), it leaves port 4500 and the SAs to it.
 * Guards that anybody takes away it puts back.
 *
 * It ends when nothing is left to protect: no session to the peer, and no connection to its port,
 * for ten seconds. Then it tells the peer, and removes SAs and guards but for that port, to which
 * nothing goes in clear as long as the kernel runs. Ended in another way, it removes nothing. It
 * logs what it does in the kernel's log. */
#ifndef LB_LINUX_IKE_KEEPER_H
#define LB_LINUX_IKE_KEEPER_H

#include "core/ike/ike.h"
#include "hosts/linux/run.h"

/* The two ends that the kernel protects; family none: there are none. */
struct lb_guarded {
    struct lb_addr local, remote;
};

/* What the boot hands over. Holds keys: wipe it. */
struct lb_ike_handed {
    bool has_ike; /* else it has to be made anew */
    struct lb_ike ike;
    struct lb_xfrm xfrm;     /* what the kernel has of the peer; not open */
    struct lb_endpoint peer; /* what the session is with */
    struct lb_config config; /* the administrator's: key and identities */
    int port_fd;             /* of IKE's UDP port; -1: none */
};

/* Takes the peer from a boot, which goes on without it: from then on the kernel guards it for good,
 * unless lb_ike_keeper_start's process ends that. False: the boot does not guard it. */
bool lb_ike_keeper_take(struct lb_run *run, struct lb_endpoint peer, struct lb_ike_handed *handed);
/* Starts the process for the session of this number, but where another one has the keys, which
 * serves all sessions to the peer; the caller goes on, and may end; what was
 * handed is wiped. False: there is no such process; *error says why. */
bool lb_ike_keeper_start(struct lb_ike_handed *handed, uint32_t sid, struct lb_error *error);

/* The two ends. */
struct lb_guarded lb_ike_keeper_guarded(const struct lb_ike_handed *handed);

#endif
