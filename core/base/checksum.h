/* The Internet checksum (RFC 1071), of IPv4's header and of what is inside of IP. */
#ifndef LB_BASE_CHECKSUM_H
#define LB_BASE_CHECKSUM_H

#include "core/base/addr.h"

/* Of these bytes, with a zero after an odd last one. 0: they hold a checksum that is right. */
uint16_t lb_checksum(struct lb_bytes bytes);
/* The same of a payload of IP with its pseudo header: addresses of one family, the protocol and the
 * length (RFC 768; RFC 8200 8.1). UDP sends 0xffff for a 0, which is the caller's to do. */
uint16_t lb_checksum_payload(struct lb_addr from, struct lb_addr to, uint8_t protocol,
                             struct lb_bytes payload);

#endif
