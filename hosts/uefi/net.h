/* The TCP/IP stack inside the program, over one card: IPv4 and IPv6. lwIP is named in the files
 * that begin with net_ alone.
 *
 * Nothing here blocks: net_receive and net_timers move frames and time, and what came of it is
 * asked for. Services and streams have the engine's slot numbers, below LB_BOOT_SLOTS_MAX. */
#ifndef LB_UEFI_NET_H
#define LB_UEFI_NET_H

#include "core/base/addr.h"
#include "core/boot/boot.h"
#include "core/crypto/crypto.h"
#include "hosts/uefi/nic.h"

/* The card and the random numbers stay the caller's until net_close. */
bool net_open(struct nic *nic, struct lb_rand *rand);
/* Closes all slots, takes the interface away and wipes the secret. Harmless where it is not
 * open. */
void net_close(void);
void net_wipe(void); /* its secret of numbers.h; nothing is sent after that */
/* Receives at most a bounded number of frames. True when one came. */
bool net_receive(uint64_t now_us);
void net_timers(void); /* runs lwIP's timers that are due */
/* At the end of a turn: an acknowledgement that was held goes out when it is due. */
void net_flush(uint64_t now_us);

/* net_ipsec.c. What this engine's shield has keys for is sealed and opened by it; NULL: nothing is
 * to be protected. Before addresses are set. */
void net_ipsec_begin(struct lb_boot *engine_or_null);
/* Our address for packets to `to`; family none: there is no way. */
struct lb_addr net_source(struct lb_addr to);

/* net_datagram.c. Opens slot as the kind says (core/boot/boot.h); false: no memory. A group of IPv6
 * in `to` is joined; groups of IPv4 can be sent to, and nothing asks for more. is_protected: what
 * it sends goes by ESP or not at all, and what came in clear is not received. */
bool net_datagram_open(uint32_t slot, enum lb_boot_kind kind, struct lb_endpoint from,
                       struct lb_endpoint to, bool is_protected);
/* Sends on an open slot; where there is no memory the datagram is lost, as on a wire. */
void net_datagram_send(uint32_t slot, struct lb_bytes bytes, struct lb_endpoint from,
                       struct lb_endpoint to);
void net_datagram_close(uint32_t slot); /* harmless if it is none */
/* The next datagram that came, on any slot; false when there is none. */
bool net_datagram_receive(struct lb_span room, uint32_t *slot, size_t *len,
                          struct lb_endpoint *from);

/* net_address.c. The interface becomes as `net` says: what it has already stays as it is, and so do
 * the streams that use it. Link-local addresses are the probe's affair. */
void net_set_address(const struct lb_boot_net *net);
void net_clear_address(void); /* all but the link-local address */

/* At a time: of each address that routers let us make, of DHCPv6's, of a link-local, of a
 * configured and of an IPv4 one. */
#define NET_PROBES_MAX 16
/* Asks whether anyone has addr. IPv4: by ARP. IPv6: by duplicate address detection, RFC 4862 5.4;
 * the interface has the address when nobody had it. Several may be asked for at a time; one more
 * than there is room for takes the place of the oldest, of which nothing is heard any more. */
void net_probe(struct lb_addr addr);
/* The next answer; false: none. An address of IPv6 may be free, and a conflict within the
 * second. */
bool net_probe_result(struct lb_addr *addr, bool *conflict);

/* net_stream.c */
enum net_stream {
    NET_CLOSED, /* or never opened; net_lost says why */
    NET_CONNECTING,
    NET_OPEN,
};
/* Begins a connection; net_stream_state tells how it goes. What was open on slot is closed.
 * is_protected: it is from `from`, and each packet of it is in ESP. */
void net_connect(uint32_t slot, struct lb_addr from, struct lb_endpoint to, bool is_protected);
/* The state now; *why says how it was lost where it is CLOSED. What was received is read first. */
enum net_stream net_stream_state(uint32_t slot, enum lb_initiator_lost *why);
/* What has come, copied into the spans in order; 0: nothing now. */
size_t net_stream_read(uint32_t slot, const struct lb_span *spans, size_t count);
/* How much of the pieces was taken; 0: no room now. They are copied. */
size_t net_stream_write(uint32_t slot, const struct lb_bytes *pieces, size_t count);
/* Our address of it; none while there is no connection. */
struct lb_addr net_stream_local(uint32_t slot);
/* How many bytes are worth having asked for ahead (pace.h). */
uint64_t net_stream_pace(uint32_t slot);
/* Asks the peer for a sign of life, which says nothing to its program; RFC 9293 3.8.4. */
void net_stream_poke(uint32_t slot);
/* The card has stopped and was started anew: less is asked of it from now on. */
void net_stream_stopped(uint32_t slot);
void net_stream_close(uint32_t slot); /* harmless if it is none */

#endif
