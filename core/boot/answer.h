/* What the network said of the disk and of us, of either family. */
#ifndef LB_BOOT_ANSWER_H
#define LB_BOOT_ANSWER_H

#include "core/boot/boot.h"

/* Its memory is the lease's. A zeroed one is an answer that says nothing. */
struct lb_boot_answer {
    enum lb_family family;
    char from[48];             /* whose it is: "DHCP server 192.0.2.2", "router fe80::1" */
    struct lb_bytes root_path; /* as received; empty: none */
    struct lb_bytes other_url; /* in the place of a Root Path of iSCSI: somebody else's */
    char root_path_from[48];   /* who gave it: not always the same (proxyDHCP) */
    unsigned root_path_option; /* its number: 17, or 59 of DHCPv6 */
    unsigned root_path_flags;  /* for lb_rootpath_parse: LB_ROOTPATH_URI of option 59 */
    const char *initiator;     /* option 203; NULL or empty: none */
    const char *elsewhere;     /* a disk is named there, where nobody looks for it; NULL: nowhere */
    const char *elsewhere_text;
    const struct lb_error *failed; /* of DHCPv6, where routers alone answered; NULL: of nobody */
};

/* What a DHCP lease says of the disk. It points into the lease, which must outlive it. */
struct lb_boot_answer lb_answer_of_lease4(const struct lb_dhcp4_lease *lease);
/* The same of a DHCPv6 lease: a boot URL (option 59) counts only if it is an iSCSI one. */
struct lb_boot_answer lb_answer_of_lease6(const struct lb_dhcp6_lease *lease);
/* Routers name no disk: the answer says only who answered. */
struct lb_boot_answer lb_answer_of_routers6(const struct lb_nd6_info *info);

#endif
