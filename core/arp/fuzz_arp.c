/* A frame: what it claims is an address of IPv4, and is none of ours. */
#include "core/arp/arp.h"
#include "tests/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};
    struct lb_bytes frame = lb_bytes(data, size);
    struct lb_addr claimed = lb_arp_claimed(frame, mac);
    struct lb_arp_probe probe;
    lb_assert(claimed.family == LB_FAMILY_NONE || claimed.family == LB_V4);
    lb_assert(claimed.family == LB_FAMILY_NONE || (size >= LB_ARP_FRAME && data[12] == 8));
    lb_arp_start(&probe, 0, lb_addr_v4(192, 0, 2, 77));
    lb_assert(lb_arp_poll(&probe, 0) == LB_ARP_SEND);
    lb_arp_heard(&probe, frame, mac);
    lb_assert(probe.is_taken == lb_addr_equal(claimed, lb_addr_v4(192, 0, 2, 77)));
    return 0;
}
