/* Network addresses: IPv4, IPv6, and an address with a port. Zero is "none". */
#ifndef LB_BASE_ADDR_H
#define LB_BASE_ADDR_H

#include "core/base/text.h"

enum lb_family {
    LB_FAMILY_NONE = 0,
    LB_V4 = 4,
    LB_V6 = 6,
};

struct lb_addr {
    enum lb_family family;
    uint8_t bytes[16]; /* network order; IPv4 in the first four, the rest zero */
};

struct lb_endpoint {
    struct lb_addr addr;
    uint16_t port;
};

/* An address and the length of its network's prefix, 0..32 or 0..128. */
struct lb_prefix {
    struct lb_addr addr;
    uint8_t len;
};

/* The way to a network: `via` a router, or on the link itself where via is none or zero. */
struct lb_route {
    struct lb_prefix to; /* 0.0.0.0/0 and ::/0 are the default routes */
    struct lb_addr via;
};

/* The IPv4 address a.b.c.d. */
struct lb_addr lb_addr_v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d);
/* An IPv4 address from bytes in network order. */
struct lb_addr lb_addr_v4_bytes(const uint8_t bytes[4]);
/* An IPv6 address from bytes in network order. */
struct lb_addr lb_addr_v6_bytes(const uint8_t bytes[16]);
struct lb_addr lb_rd_v4(struct lb_rd *rd); /* none when the cursor is bad */
struct lb_addr lb_rd_v6(struct lb_rd *rd); /* reads 16 bytes; none when the cursor is bad */
/* Writes 4 or 16 bytes. An address of no family is written as four zero bytes. */
void lb_wr_addr(struct lb_wr *wr, struct lb_addr addr);

/* Same family and bytes; two of no family are equal. */
bool lb_addr_equal(struct lb_addr a, struct lb_addr b);
/* Same address and same port. */
bool lb_endpoint_equal(struct lb_endpoint a, struct lb_endpoint b);
bool lb_addr_is_set(struct lb_addr addr);        /* has a family */
bool lb_addr_is_zero(struct lb_addr addr);       /* none, 0.0.0.0 or :: */
bool lb_addr_is_loopback(struct lb_addr addr);   /* 127.0.0.0/8 or ::1 */
bool lb_addr_is_multicast(struct lb_addr addr);  /* and IPv4's limited broadcast */
bool lb_addr_is_link_local(struct lb_addr addr); /* 169.254.0.0/16 or fe80::/10 */
/* Something a host can have and be spoken to: not zero, loopback, multicast, broadcast, and no IPv4
 * address in the clothes of IPv6 (::ffff:0:0/96), which would pass by checks of either. */
bool lb_addr_is_host(struct lb_addr addr);
/* Whether addr has the prefix's family and the same first prefix.len bits. No family: false. */
bool lb_prefix_has(struct lb_prefix prefix, struct lb_addr addr);
struct lb_addr lb_addr_mask(struct lb_addr addr, uint8_t len); /* host bits cleared */
/* A contiguous IPv4 netmask's length; false for a mask with holes. */
bool lb_mask_len(struct lb_addr mask, uint8_t *len);

/* RFC 4291 2.2 text for IPv6 (also with a trailing dotted quad, no zone), four decimal octets
 * without leading zeros for IPv4. The whole text must be the address. False leaves *addr. */
bool lb_addr_parse(struct lb_bytes text, struct lb_addr *addr);
/* As lb_addr_parse, but IPv4 alone. */
bool lb_addr_parse_v4(struct lb_bytes text, struct lb_addr *addr);
/* As lb_addr_parse, but IPv6 alone. */
bool lb_addr_parse_v6(struct lb_bytes text, struct lb_addr *addr);
/* "ADDR/LEN"; without a length: 32 or 128. */
bool lb_prefix_parse(struct lb_bytes text, struct lb_prefix *prefix);
/* "NETWORK/LENGTH via ROUTER", or "NETWORK/LENGTH" for one on the link. No bits beyond the length,
 * a router of the same family. False leaves *route. */
bool lb_route_parse(struct lb_bytes text, struct lb_route *route);

/* A host name: labels of letters, digits, `_` and `-`, with dots between and maybe one at the end,
 * whose last label is no number (RFC 1123 2.1: so it is no address, nor one with a mistake). False:
 * *offset is the first wrong byte. */
bool lb_host_name_check(struct lb_bytes text, size_t *offset);
/* A name that a network, firmware or a person gives a machine or its domain: letters, digits, `-`,
 * `_` and `.`, and neither `-` nor `.` first. Nothing else goes into files, words or
 * environments. */
bool lb_host_name_is_plain(struct lb_bytes text);
/* The name of an interface, which becomes a part of paths, files and kernel words: letters, digits
 * and . _ : + @ -, but neither "." nor "..". */
bool lb_interface_name_is_plain(struct lb_bytes text);
/* Where its last label begins; a final dot does not count. */
size_t lb_host_name_last_label(struct lb_bytes text);

/* Text by value, for use as an argument: lb_addr_text(a).s. RFC 5952 for IPv6. */
struct lb_addr_text {
    char s[64];
};
/* "192.0.2.1", "2001:db8::1"; "none" for no family. */
struct lb_addr_text lb_addr_text(struct lb_addr addr);
struct lb_addr_text lb_endpoint_text(struct lb_endpoint endpoint); /* 192.0.2.1:3260, [::1]:3260 */
struct lb_addr_text lb_prefix_text(struct lb_prefix prefix); /* "192.0.2.0/24", "2001:db8::/64" */
struct lb_addr_text lb_mac_text(const uint8_t mac[6]); /* "02:00:5e:10:00:01", in lower case */
bool lb_mac_is_set(const uint8_t mac[6]);              /* false: zeros, which no card has */

#endif
