/* Datagram sockets on an interface: DHCPv6, routers, and services such as SLP and iSNS.
 *
 * All are bound to the interface, so that nothing of another network is heard. What cannot be sent
 * is as good as lost: the protocols send again. */
#ifndef LB_OS_DATAGRAM_H
#define LB_OS_DATAGRAM_H

#include "core/base/addr.h"

#define LB_DATAGRAM_MAX 65536

/* What came to a UDP socket of either family. */
struct lb_udp_received {
    struct lb_endpoint from;
    bool is_to_group; /* sent to a multicast group: known where lb_udp_tell_groups was called */
    struct lb_bytes payload; /* within the room; empty for one that did not fit */
};

/* Has lb_udp_receive say whether a datagram was sent to a group. False: see errno. */
bool lb_udp_tell_groups(int fd, enum lb_family family);
/* The next that came; false: none. Passes over what peers refused of what was sent. Never waits. */
bool lb_udp_receive(int fd, struct lb_span room, struct lb_udp_received *received);
/* index: of the interface that a link-local address is on. What cannot be sent is lost. */
void lb_udp_send(int fd, int index, struct lb_endpoint to, struct lb_bytes bytes);

struct lb_datagram {
    int fd;    /* -1: not open */
    int index; /* of the interface; 0: any */
    enum lb_family family;
    bool is_icmp;
    uint8_t mac[6];
};

/* UDP of the family, from this port (0: one of the kernel's choice). interface NULL: any. 0, or an
 * errno. */
int lb_datagram_open_udp(struct lb_datagram *socket, const char *interface, int index,
                         enum lb_family family, uint16_t port);
/* ICMPv6: Router Advertisements that came with hop limit 255 (RFC 4861 6.1.2) and a good checksum.
 * mac: the interface's, for what is sent while there is no address. */
int lb_datagram_open_routers(struct lb_datagram *socket, const char *interface, int index,
                             const uint8_t mac[6]);
void lb_datagram_close(struct lb_datagram *socket); /* harmless where it is not open */

/* From `from`, where it has an address, to `to`. A group is joined when something is sent to it, so
 * that what others send there is heard, too. ICMPv6 goes out with hop limit 255, also from ::. */
void lb_datagram_send(struct lb_datagram *socket, struct lb_endpoint from, struct lb_endpoint to,
                      struct lb_bytes bytes);
/* The next that came; false: none. The payload lies in room. */
bool lb_datagram_receive(struct lb_datagram *socket, struct lb_span room, struct lb_endpoint *from,
                         struct lb_bytes *payload);

#endif
