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

/* net_ipsec.c */
/* Nothing passes to or from this port of the peer in clear from now on. False: there is no room, or
 * no IPsec, and it must not be spoken to. */
bool net_ipsec_guard(bool is_tcp, struct lb_endpoint peer);
/* What is left of the link's MTU for packets that may have to be sealed. */
uint16_t net_ipsec_mtu(uint16_t mtu);
/* lwIP's output of both families: what is for a guarded port is sealed. */
err_t net_ipsec_output4(struct netif *netif, struct pbuf *p, const ip4_addr_t *to);
/* The same of IPv6. */
err_t net_ipsec_output6(struct netif *netif, struct pbuf *p, const ip6_addr_t *to);
/* Acknowledgements of guarded ports are held, too (ack.h): for so many bytes at most. */
void net_ipsec_hold(uint32_t most);
void net_ipsec_flush(uint64_t now_us); /* one that is due goes out */
/* A received frame: the one that was in its ESP, in the same memory, or itself where it has none.
 * Empty: it is forged, or nobody's. */
struct lb_span net_ipsec_open(struct lb_span frame);
/* Whether the frame that the stack is looking at came out of ESP. */
bool net_ipsec_is_inside(void);

/* net_stream.c */
/* Frames have come: looks at the window of each open stream. */
void net_stream_look(uint64_t now_us);
/* net_probe.c */
void net_probe_claimed(struct lb_addr addr); /* a frame says that somebody has it, or wants it */
void net_probe_close(void);                  /* forgets all probes */
/* net_routes6.c */
void net_routes6_set(const struct lb_boot_net *config); /* the routes of IPv6 from now on */
bool net_routes6_have(struct lb_addr to);               /* whether one of them leads there */
/* A connection begins anew: the way to it is found anew, by another router if one was silent. */
void net_routes6_rethink(void);
void net_routes6_close(void); /* forgets all routes */
/* net_address.c */
void net_address_close(void); /* forgets all addresses, routes and probes */
/* Gives the interface an address of IPv6 that has passed its probe, or that a person has set; its
 * lifetimes in seconds, or LB_FOREVER. */
void net_address_add6(struct lb_addr addr, uint32_t preferred_s, uint32_t valid_s);
/* Whether a route leads there. */
bool net_address_has_way(struct lb_addr to);
/* lwIP's output of IPv4: the next hop is that of the engine's routes. */
err_t net_address_output(struct netif *netif, struct pbuf *p, const ip4_addr_t *to);
/* net_datagram.c */
/* A router advertisement came: it is queued for the slots that listen to them. */
void net_datagram_advert(struct lb_addr from, struct lb_bytes message);

#endif
