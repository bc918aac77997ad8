/* ARP (RFC 826), as far as a boot needs it: does anybody have this address (RFC 5227)? Start here.
 *
 *   lb_arp_start
 *   loop: lb_arp_heard   <--  each ARP frame that came
 *         lb_arp_poll    -->  SEND a frame | WAIT | FREE | TAKEN
 *
 * RFC 5227 waits 0 to 1 s, sends three probes 1 to 2 s apart, and listens 2 s more: five seconds of
 * a boot. Here two probes are sent 50 ms apart, and 50 ms after the second the address is taken to
 * be free: it is the longest part of a boot as it is. A machine on the link answers ARP within a
 * millisecond; one that sleeps is missed. `arp-probe=no` leaves it out. */
#ifndef LB_ARP_H
#define LB_ARP_H

#include "core/base/addr.h"

#define LB_ARP_PROBES      2
#define LB_ARP_INTERVAL_US (50 * LB_US_MS)
#define LB_ARP_FRAME       42 /* bytes of an Ethernet frame with ARP, without padding and FCS */

/* Writes the frame: who has addr? `from` is zero (0.0.0.0) for a probe, addr for an
 * announcement. */
void lb_arp_build(uint8_t frame[LB_ARP_FRAME], const uint8_t mac[6], struct lb_addr from,
                  struct lb_addr addr);
/* The address that an Ethernet frame shows to be in use by somebody else, or that somebody else is
 * about to use (RFC 5227 2.1.1). Family none: it shows nothing of the kind. mac is our own. */
struct lb_addr lb_arp_claimed(struct lb_bytes frame, const uint8_t mac[6]);

enum lb_arp_event {
    LB_ARP_WAIT, /* nobody so far: poll again at until_us, or when a frame came */
    LB_ARP_SEND, /* send the probe (lb_arp_build, from 0.0.0.0), then poll again */
    LB_ARP_FREE,
    LB_ARP_TAKEN,
};

struct lb_arp_probe {
    struct lb_addr addr; /* being asked for; family none: nothing, which polls as WAIT */
    unsigned sent;
    bool is_taken;
    uint64_t until_us; /* LB_NEVER while nothing is asked for */
};

/* Begins to ask for addr (of IPv4), in place of the address before. */
void lb_arp_start(struct lb_arp_probe *probe, uint64_t now_us, struct lb_addr addr);
/* A frame that came. Whatever is no ARP, or our own, is passed over. */
void lb_arp_heard(struct lb_arp_probe *probe, struct lb_bytes frame, const uint8_t mac[6]);
/* FREE and TAKEN are said once, and end the probe. */
enum lb_arp_event lb_arp_poll(struct lb_arp_probe *probe, uint64_t now_us);

#endif
