/* Datagram sockets on an interface: DHCPv6, routers, and services such as SLP and iSNS.
 *
 * All are bound to the interface, so that nothing of another network is heard. What cannot be sent
 * is as good as lost: the protocols send again. */
#ifndef LB_OS_DATAGRAM_H
#define LB_OS_DATAGRAM_H

#include "core/base/addr.h"

#define LB_DATAGRAM_MAX 65536

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
