/* The probe for an address:
 *
 *   start --> SEND --50 ms--> SEND --50 ms--> FREE
 *               \               \
 *                +--- claimed ---+--> TAKEN */
#include "core/arp/arp.h"

void lb_arp_start(struct lb_arp_probe *probe, uint64_t now_us, struct lb_addr addr) {
    *probe = (struct lb_arp_probe){.addr = addr, .until_us = now_us};
}

void lb_arp_heard(struct lb_arp_probe *probe, struct lb_bytes frame, const uint8_t mac[6]) {
    struct lb_addr claimed = lb_arp_claimed(frame, mac);
    if (lb_addr_is_set(probe->addr) && lb_addr_is_set(claimed) &&
        lb_addr_equal(claimed, probe->addr))
        probe->is_taken = true;
}

enum lb_arp_event lb_arp_poll(struct lb_arp_probe *probe, uint64_t now_us) {
    const struct lb_arp_probe none = {.until_us = LB_NEVER};
    if (!lb_addr_is_set(probe->addr)) {
        *probe = none;
        return LB_ARP_WAIT;
    }
    if (probe->is_taken) {
        *probe = none;
        return LB_ARP_TAKEN;
    }
    if (now_us < probe->until_us)
        return LB_ARP_WAIT;
    if (probe->sent == LB_ARP_PROBES) {
        *probe = none;
        return LB_ARP_FREE;
    }
    probe->sent++;
    probe->until_us = now_us + LB_ARP_INTERVAL_US;
    return LB_ARP_SEND;
}
