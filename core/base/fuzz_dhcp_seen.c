/* Replay values that were kept: what decodes is made again, and means the same. */
#include "core/base/dhcp_keys.h"
#include "tests/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct lb_dhcp_seen seen = {.next = 0};
    uint8_t room[LB_DHCP_SEEN_BYTES];
    if (!lb_dhcp_seen_decode(lb_bytes(data, size), &seen))
        return 0;
    lb_assert(seen.next < LB_DHCP_SEEN_MAX);
    size_t len = lb_dhcp_seen_encode(&seen, room);
    lb_assert(lb_bytes_equal(lb_bytes(room, len), lb_bytes(data, size)));
    return 0;
}
