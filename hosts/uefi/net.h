/* The TCP/IP stack inside the program, over one card. lwIP is named in net_lwip.c alone.
 *
 * Nothing here blocks: net_poll moves frames and timers, and what came of it is asked for. */
#ifndef LB_UEFI_NET_H
#define LB_UEFI_NET_H

#include "core/base/addr.h"
#include "core/boot/boot.h"
#include "core/crypto/crypto.h"
#include "hosts/uefi/nic.h"

/* The card and the random numbers stay the caller's until net_close. */
bool net_open(struct nic *nic, struct lb_rand *rand);
void net_close(void);
/* Receives at most a bounded number of frames and runs the timers. True when a frame came. */
bool net_poll(void);
/* At the end of a turn: the acknowledgement that waited for it goes out. */
void net_flush(void);

/* DHCP: datagrams of port 68, also without an address. */
bool net_dhcp_open(void);
void net_dhcp_close(void);
void net_dhcp_send(struct lb_bytes bytes, struct lb_endpoint from, struct lb_endpoint to);
/* The next datagram that came; false when there is none. */
bool net_dhcp_receive(struct lb_span room, size_t *len, struct lb_endpoint *from);

void net_set_address(const struct lb_boot_net *net);
void net_clear_address(void);

/* ARP: asks for addr; whether anyone answered is in net_probe_answered until the next probe. */
void net_probe(struct lb_addr addr);
bool net_probe_answered(void);

enum net_resolved {
    NET_RESOLVING,
    NET_RESOLVED,
    NET_NO_SUCH_NAME,
};
void net_resolve(const char *name);
enum net_resolved net_resolve_result(struct lb_addr *addr);

enum net_stream {
    NET_CLOSED, /* or never opened; net_lost says why */
    NET_CONNECTING,
    NET_OPEN,
};
void net_connect(struct lb_endpoint to);
enum net_stream net_stream_state(enum lb_iscsi_lost *why);
/* What has come, copied into the spans in order; 0: nothing now. */
size_t net_stream_read(const struct lb_span *spans, size_t count);
/* How much of the pieces was taken; 0: no room now. They are copied. */
size_t net_stream_write(const struct lb_bytes *pieces, size_t count);
void net_stream_close(void);

#endif
