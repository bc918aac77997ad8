/* A session of the kernel's that lost its connection logs in again.
 *
 * The Login PDUs are core/iscsi's, and travel through the kernel, as iscsid's do: the session goes
 * on with the kernel's CmdSN, which nobody else knows, and only the kernel can write it into
 * them. */
#ifndef LB_LINUX_RELOGIN_H
#define LB_LINUX_RELOGIN_H

#include "core/boot/boot_rules.h"
#include "core/disk/disk_identity.h"
#include "hosts/linux/ike_keeper.h"
#include "hosts/linux/kernel_iscsi.h"

/* How. It has secrets: wipe it. */
struct lb_login_again {
    struct lb_initiator_config config; /* as the session was made; its portal an address */
    struct lb_kernel_iscsi_settings settings;
    int interface;             /* its index, for link-local portals */
    struct lb_config policy;   /* the administrator's, without secrets: core/boot/boot_rules.h */
    struct lb_guarded guarded; /* what alone may be connected to, and from where */
    uint32_t time2wait_s;      /* of the last login: RFC 7143 13.15 */
    uint8_t lun[8];
    struct lb_disk_identity identity; /* of the disk that the kernel has; not known: any will do */
};

/* One attempt, of a minute at most. room: staging for PDUs, LB_ISCSI_RX_MIN bytes. It goes to the
 * portal of the configuration, which the engine has judged, and to where a redirect leads if the
 * policy allows that; what `require` asks for is asked for again. The kernel gets no connection
 * before a login of our own has seen that the disk is the same. True: the disk's commands go on,
 * and time2wait_s is the new login's. False: error; the kernel's session waits for the next
 * attempt, until its own recovery time is over. */
bool lb_relogin(struct lb_kernel_iscsi *kernel, struct lb_login_again *again, struct lb_span room,
                struct lb_error *error);

/* The policy in each login, also in that of same_disk.h. False: *error. */
bool lb_relogin_may_connect(const struct lb_login_again *again, const struct lb_initiator *session,
                            struct lb_endpoint peer, struct lb_error *error);
/* Begins a connection: to what is guarded, from its own end, and to nothing else; to all where
 * nothing is. The socket; -1: errno. */
int lb_relogin_connect(const struct lb_login_again *again, struct lb_endpoint to);
/* Whether the login gave what `require` asks for; else REQUIRE_NOT_MET. */
bool lb_relogin_is_protected(const struct lb_login_again *again, const struct lb_initiator *session,
                             struct lb_error *error);

#endif
