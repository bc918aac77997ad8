/* What the files that know lwIP share; nobody else includes this. */
#ifndef LB_UEFI_NET_LWIP_H
#define LB_UEFI_NET_LWIP_H

#include "hosts/uefi/guard.h"
#include "hosts/uefi/net.h"

#include "lwip/ip_addr.h"
#include "lwip/netif.h"

extern struct netif net_interface; /* the one there is */

struct lb_addr net_from_ip(const ip_addr_t *ip); /* lwIP's address as ours */
ip_addr_t net_to_ip(struct lb_addr addr);        /* of no family: IPv4's any */

#define NET_PORT_TRIES 32
/* A dynamic port by chance (RFC 6056). It may be in use: the caller binds it, and tries again. */
uint16_t net_random_port(void);

/* net_lwip.c. How many frames were taken from the card in one go, at most since this was asked
 * last. */
unsigned net_most_taken(void);
/* Acknowledgements are held for a quarter of the window at most. */
void net_hold_acks(uint64_t window);

/* net_stream.c */
/* Frames have come: looks at the window of each open stream. */
void net_stream_look(uint64_t now_us);
/* net_address.c: what a received frame says of addresses. */
void net_address_claimed(struct lb_addr addr); /* somebody else has it, or wants it */
void net_address_close(void);                  /* forgets all addresses, routes and probes */
/* Whether a route leads there. */
bool net_address_has_way(struct lb_addr to);
/* lwIP's output of IPv4: the next hop is that of the engine's routes. */
err_t net_address_output(struct netif *netif, struct pbuf *p, const ip4_addr_t *to);
/* A connection begins anew: the way to it is found anew, by another router if one was silent. */
void net_address_rethink(void);
/* net_datagram.c */
/* A router advertisement came: it is queued for the slots that listen to them. */
void net_datagram_advert(struct lb_addr from, struct lb_bytes message);

#endif
