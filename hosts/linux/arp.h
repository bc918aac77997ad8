/* Does anybody have this address already? ARP probes of RFC 5227, shortened for a boot.
 *
 * RFC 5227 waits 0 to 1 s, sends three probes 1 to 2 s apart, and listens 2 s more: five seconds of
 * a boot. Here two probes are sent 50 ms apart, and 50 ms after the second the address is taken to
 * be free: it is the longest part of a boot as it is. A machine on the link answers ARP within a
 * millisecond; one that sleeps is missed. `arp-probe=no` leaves it out. */
#ifndef LB_LINUX_ARP_H
#define LB_LINUX_ARP_H

#include "core/base/addr.h"

#define LB_ARP_PROBES      2
#define LB_ARP_INTERVAL_US (50 * LB_US_MS)

enum lb_arp_answer {
    LB_ARP_WAIT, /* nobody so far: ask again at until_us */
    LB_ARP_FREE,
    LB_ARP_TAKEN,
};

struct lb_arp {
    int fd; /* readable: ask again */
    int index;
    uint8_t mac[6];
    struct lb_addr addr; /* being asked for; zero: none */
    unsigned sent;
    uint64_t until_us;
};

/* 0, or an errno. */
int lb_arp_open(struct lb_arp *arp, int index, const uint8_t mac[6]);
void lb_arp_close(struct lb_arp *arp); /* closes the socket; harmless where it is not open */
/* Begins to ask for addr in place of the address before; the next lb_arp_poll sends. */
void lb_arp_start(struct lb_arp *arp, uint64_t now_us, struct lb_addr addr);
/* Reads what came, and sends what is due. */
enum lb_arp_answer lb_arp_poll(struct lb_arp *arp, uint64_t now_us);
/* Tells the link that the address is ours, so that nobody goes on with an older answer. */
void lb_arp_announce(struct lb_arp *arp, struct lb_addr addr);

#define LB_ARP_FRAME 42
/* The frame: who has addr? `from` is zero for a probe, addr for an announcement. */
void lb_arp_build(uint8_t frame[LB_ARP_FRAME], const uint8_t mac[6], struct lb_addr from,
                  struct lb_addr addr);
/* Whether this frame says that somebody else has addr, or is about to take it (RFC 5227 2.1.1). */
bool lb_arp_is_conflict(struct lb_bytes frame, const uint8_t mac[6], struct lb_addr addr);

#endif
