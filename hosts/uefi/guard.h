/* What is looked at before a frame of IPv6 reaches the stack. The stack takes a length or a sender
 * for granted here and there; whoever shares the link may send anything. So what a boot client has
 * no use for does not come in at all (redirects, fragments, source routes, neighbour discovery
 * behind extension headers: RFC 6980, RFC 7113), and what does is well formed: the checks of
 * RFC 4861 6.1, 7.1 and 8.1, option lengths, hop limits, checksums, no path MTU below 1280.
 *
 * What it is there for, read in lwIP 2.2.1: nd6.c takes six bytes for a link-layer address also
 * where an option's length says nothing or something else; it takes any path MTU, a redirect from
 * anybody on the link, and a neighbour's word for it that one of our valid addresses is a
 * duplicate; a router advertisement makes its sender a router whatever the engine thinks of it. Of
 * lwIP's vulnerabilities with a number, CVE-2020-22283 (an ICMPv6 error longer than its room) is
 * mended in this version; CVE-2020-22284 and CVE-2020-8597 are in parts that are not built here
 * (ZEP, PPP). */
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
