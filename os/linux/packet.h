/* DHCP before there is an address: UDP over IPv4 over Ethernet, in a packet socket. And ICMPv6 over
 * IPv6, for what is sent before there is an address of that.
 *
 * The frames are made and read here: RFC 894, 791, 768. The kernel hands over only what a filter
 * has let through: unfragmented UDP to the port asked for. */
#ifndef LB_OS_PACKET_H
#define LB_OS_PACKET_H

#include "core/base/addr.h"

#define LB_PACKET_HEADERS (14 + 20 + 8)
#define LB_PACKET_MAX     (LB_PACKET_HEADERS + 1500)

/* UDP in an IPv4 packet, as it follows the Ethernet header. Empty when it does not fit. */
struct lb_bytes lb_packet_build_ipv4(struct lb_endpoint from, struct lb_endpoint to,
                                     struct lb_bytes payload, struct lb_span room);
/* A frame from mac to everybody on the link. Empty when it does not fit into the room. */
struct lb_bytes lb_packet_build(const uint8_t mac[6], struct lb_endpoint from,
                                struct lb_endpoint to, struct lb_bytes payload,
                                struct lb_span room);
/* An ICMPv6 message (its checksum is filled in) to a group: RFC 2460, 2464. Hop limit 255. */
struct lb_bytes lb_packet_build_icmp6(const uint8_t mac[6], struct lb_addr from, struct lb_addr to,
                                      struct lb_bytes message, struct lb_span room);
/* A received frame. is_checked: UDP's checksum is there to be checked; on a virtual link it may
 * have been left to a hardware that does not exist. False: not an intact UDP datagram to this
 * port. */
bool lb_packet_parse(struct lb_bytes frame, bool is_checked, uint16_t port,
                     struct lb_endpoint *from, struct lb_bytes *payload);

/* A packet socket on the interface that gives UDP to this port. 0, or an errno. */
int lb_packet_open(int index, uint16_t port, int *fd);
/* Sends an Ethernet frame whole by this interface. 0, or an errno. */
int lb_packet_send(int fd, int index, struct lb_bytes frame);
/* The next datagram, its payload within room (LB_PACKET_MAX bytes or more). False: none is
 * there. */
bool lb_packet_receive(int fd, uint16_t port, struct lb_span room, struct lb_endpoint *from,
                       struct lb_bytes *payload);

struct sockaddr_ll;
/* False: the frame is for another machine, or of another VLAN on the same cable. The kernel says
 * the latter, too, by the packet's type; whether the frame still has a tag depends on the kernel. A
 * tag of VLAN 0 is a priority and nothing else. */
bool lb_packet_is_ours(const struct sockaddr_ll *from);

#endif
