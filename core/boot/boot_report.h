/* The facts of each stage, as they are told: each function adds them to a report. */
#ifndef LB_BOOT_REPORT_H
#define LB_BOOT_REPORT_H

#include "core/boot/choice.h"

/* A DHCP or BOOTP lease: address, lease time, routers, DNS and what else it gives. */
void lb_report_lease(struct lb_report *report, uint64_t now_us, const struct lb_dhcp4_lease *lease);
/* What the IPv6 routers say: routers, networks on the link, DNS, MTU, whether DHCPv6 is used. */
void lb_report_routers6(struct lb_report *report, uint64_t now_us, const struct lb_nd6_info *info);
/* The addresses that we made of the routers' prefixes. */
void lb_report_addresses6(struct lb_report *report, uint64_t now_us,
                          const struct lb_nd6_info *info);
/* A DHCPv6 lease: addresses and their lifetimes, DNS, boot URL. */
void lb_report_lease6(struct lb_report *report, uint64_t now_us,
                      const struct lb_dhcp6_lease *lease);
/* The decision which target, LUN and server are tried. */
void lb_report_target(struct lb_report *report, uint64_t now_us, const struct lb_choice *choice);
/* What the last login passed over. */
void lb_report_warnings(struct lb_report *report, uint64_t now_us,
                        const struct lb_initiator *session);
/* What the login agreed on: portal, authentication, digests. */
void lb_report_session(struct lb_report *report, uint64_t now_us,
                       const struct lb_initiator *session);
/* The disk's names, size and identity. */
void lb_report_disk(struct lb_report *report, uint64_t now_us, const struct lb_disk *disk);

#endif
