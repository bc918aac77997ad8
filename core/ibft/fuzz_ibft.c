/* A table from anywhere: what decodes also encodes, and decodes to the same again. */
#include "core/ibft/ibft.h"
#include "tests/fuzz.h"

static struct lb_ibft once, again;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static uint8_t room[LB_IBFT_MAX];
    size_t len = 0;
    if (!lb_ibft_decode(lb_bytes(data, size), &once))
        return 0;
    const struct lb_ibft_target *target = lb_ibft_boot_target(&once);
    const struct lb_ibft_nic *nic = target ? lb_ibft_nic_of(&once, target) : NULL;
    lb_assert(!nic || nic->index == target->nic || nic->is_selected || once.nic_count == 1);
    if (!lb_ibft_encode(&once, lb_span(room, sizeof room), &len))
        return 0;
    lb_assert(lb_ibft_decode(lb_bytes(room, len), &again));
    lb_assert(once.nic_count == again.nic_count && once.target_count == again.target_count);
    lb_assert(lb_streq(once.initiator, again.initiator));
    lb_assert(once.policy.is_there == again.policy.is_there);
    lb_assert(lb_streq(once.policy.require, again.policy.require));
    lb_assert(lb_streq(once.policy.allow_server, again.policy.allow_server));
    return 0;
}
