/* A UDP payload of a relay. What is wrapped again and read again is the same. */
#include "core/dhcp6/dhcp6_relay.h"
#include "core/dhcp6/dhcp6_wire.h"
#include "tests/fuzz.h"

/* A Relay-repl read as a Relay-forw: the types of the headers are changed. */
static void check_again(struct lb_bytes wrapped, const struct lb_dhcp6_relayed *was) {
    static uint8_t copy[70000];
    struct lb_dhcp6_relayed again;
    const char *why = NULL;
    lb_assert(wrapped.len <= sizeof copy && wrapped.p[0] == LB_DHCP6_RELAY_REPL);
    memcpy(copy, wrapped.p, wrapped.len);
    copy[0] = LB_DHCP6_RELAY_FORW;
    lb_assert(lb_dhcp6_unwrap(lb_bytes(copy, wrapped.len), &again, &why));
    lb_assert(again.hops[0].hops == was->hops[0].hops);
    lb_assert(lb_addr_equal(again.hops[0].link, was->hops[0].link));
    lb_assert(lb_addr_equal(again.hops[0].peer, was->hops[0].peer));
    lb_assert(again.hops[0].has_interface == was->hops[0].has_interface);
    if (was->hops[0].has_interface)
        lb_assert(lb_bytes_equal(again.hops[0].interface_id, was->hops[0].interface_id));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const uint8_t answer[] = {LB_DHCP6_ADVERTISE, 1, 2, 3};
    static uint8_t room[70000];
    struct lb_dhcp6_relayed relayed;
    const char *why = NULL;
    struct lb_bytes payload = lb_bytes(data, LB_MIN(size, 65000));
    if (!lb_dhcp6_unwrap(payload, &relayed, &why)) {
        lb_assert(why != NULL);
        return 0;
    }
    lb_assert(relayed.count > 0 && relayed.count <= LB_DHCP6_RELAYS_MAX);
    lb_assert(relayed.message.len < payload.len && !lb_dhcp6_is_relayed(relayed.message));
    lb_assert(relayed.message.p >= data && relayed.message.p + relayed.message.len <= data + size);
    struct lb_bytes wrapped =
        lb_dhcp6_wrap(&relayed, lb_bytes(answer, sizeof answer), lb_span(room, sizeof room));
    lb_assert(wrapped.len > sizeof answer);
    check_again(wrapped, &relayed);
    return 0;
}
