/* What is looked at before a frame of IPv6 reaches the stack. The stack takes a length or a sender
 * for granted here and there; whoever shares the link may send anything. So what a boot client has
 * no use for does not come in at all (redirects, fragments, source routes, neighbour discovery
 * behind extension headers: RFC 6980, RFC 7113), and what does is well formed: the checks of
 * RFC 4861 6.1, 7.1 and 8.1, option lengths, hop limits, checksums, no path MTU below 1280. */
#ifndef LB_UEFI_GUARD_H
#define LB_UEFI_GUARD_H

#include "core/base/addr.h"

struct guard_view {
    bool drop;              /* not for the stack */
    struct lb_bytes advert; /* a router advertisement from its type byte on; in the frame */
    struct lb_addr from;    /* its sender, a link-local address */
    struct lb_addr claimed; /* somebody else has or wants this address: RFC 4862 5.4.3, 5.4.4 */
};

/* Looks at an Ethernet frame without FCS; mac is our own. What is not IPv6 is passed on. */
struct guard_view guard_look(struct lb_bytes frame, const uint8_t mac[6]);

/* RFC 1071: the sum over the bytes, folded and not inverted, in the processor's byte order (little
 * endian). */
uint16_t guard_sum(const void *data, size_t len);

#endif
