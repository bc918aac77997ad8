/* Our end of the session: what the iBFT and the device path say of the address it uses. */
#ifndef LB_UEFI_LOCAL_END_H
#define LB_UEFI_LOCAL_END_H

#include "core/boot/boot.h"

enum local_origin {
    LOCAL_MANUAL, /* a person set it */
    LOCAL_DHCP,   /* of either version */
    LOCAL_ROUTER, /* made from a router's prefix: RFC 4862 */
};

struct local_end {
    struct lb_addr addr;
    uint8_t prefix_len; /* of the network on the link, where one is known that has the address */
    enum local_origin origin;
    struct lb_addr gateway, dhcp, dns[2]; /* family none: there is none; dns: of our family first */
};

/* local: the address that the session uses; none: any that `net` has, IPv4 first. configured: what
 * a person set, or none. */
struct local_end local_end_of(const struct lb_boot_net *net, struct lb_addr local,
                              struct lb_addr configured);

#endif
