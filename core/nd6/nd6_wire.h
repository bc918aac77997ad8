/* Neighbour discovery's messages of routers: struct <-> bytes. No state. RFC 4861 4.1, 4.2, 4.6;
 * RFC 4191 2; RFC 8106 5.
 *
 * Bytes are an ICMPv6 message from its type byte on. The checksum is the host's: it is zero in what
 * is encoded, and not looked at in what is decoded. */
#ifndef LB_ND6_WIRE_H
#define LB_ND6_WIRE_H

#include "core/nd6/nd6.h"

#define LB_ND6_RS_BYTES  8
#define LB_ND6_RA_BYTES  16 /* what comes before the options */
#define LB_ND6_MTU_LEAST 1280

enum lb_nd6_type {
    LB_ND6_ROUTER_SOLICITATION = 133,
    LB_ND6_ROUTER_ADVERTISEMENT = 134,
};

enum lb_nd6_code {
    LB_ND6_OPT_SOURCE_MAC = 1,
    LB_ND6_OPT_PREFIX = 3,
    LB_ND6_OPT_MTU = 5,
    LB_ND6_OPT_ROUTE = 24,
    LB_ND6_OPT_DNS = 25,
    LB_ND6_OPT_SEARCH = 31,
};

/* False, with *why a constant and *ra untouched: the whole message is to be ignored (RFC 4861
 * 6.1.2). An option that is unknown, or makes no sense by itself, is left out; so is what there is
 * no room for. Prefixes have no host bits, DNS servers are addresses of hosts, domains are made of
 * letters, digits, `-`, `_` and `.`. */
bool lb_nd6_ra_decode(struct lb_bytes message, struct lb_nd6_ra *ra, const char **why);
/* Empty when it does not fit into the room. */
struct lb_bytes lb_nd6_ra_encode(const struct lb_nd6_ra *ra, struct lb_span room);

/* mac: NULL when it is sent from ::, as RFC 4861 4.1 asks. Empty when it does not fit. */
struct lb_bytes lb_nd6_rs_encode(const uint8_t mac[6], struct lb_span room);
/* A router's check of what it is asked: RFC 4861 6.1.1. */
bool lb_nd6_rs_decode(struct lb_bytes message, struct lb_addr from, const char **why);

#endif
