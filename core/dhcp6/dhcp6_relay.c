#include "core/dhcp6/dhcp6_relay.h"
#include "core/dhcp6/dhcp6_wire.h"

enum { HARDWARE_ETHERNET = 1, MAC_BYTES = 6 };

bool lb_dhcp6_is_relayed(struct lb_bytes payload) {
    return payload.len > 0 && payload.p[0] == LB_DHCP6_RELAY_FORW;
}

/* RFC 6939 4: the relay next to the client alone knows its card. */
static void take_mac(struct lb_bytes value, uint8_t mac[MAC_BYTES]) {
    struct lb_rd rd = lb_rd(value);
    if (value.len == 2 + MAC_BYTES && lb_rd_u16(&rd) == HARDWARE_ETHERNET)
        lb_rd_copy(&rd, mac, MAC_BYTES);
}

/* A relay that does not route says no address, or one of the link itself: RFC 6221 5.3.2. */
static bool says_link(struct lb_addr link) {
    return !lb_addr_is_zero(link) && !lb_addr_is_link_local(link) && !lb_addr_is_multicast(link);
}

/* One header and its options; *inside is what it was put around. */
static const char *take_hop(struct lb_bytes payload, struct lb_dhcp6_relay_hop *hop,
                            struct lb_bytes *inside, uint8_t mac[MAC_BYTES]) {
    struct lb_rd rd = lb_rd(payload);
    struct lb_bytes value;
    uint16_t code;
    bool has_inside = false;
    *hop = (struct lb_dhcp6_relay_hop){.has_interface = false};
    lb_rd_skip(&rd, 1);
    hop->hops = lb_rd_u8(&rd);
    hop->link = lb_rd_v6(&rd);
    hop->peer = lb_rd_v6(&rd);
    while (lb_dhcp6_next(&rd, &code, &value)) {
        if (code == LB_OPT6_RELAY_MESSAGE && !has_inside) {
            has_inside = true;
            *inside = value;
        } else if (code == LB_OPT6_INTERFACE_ID) {
            hop->has_interface = true;
            hop->interface_id = value;
        } else if (code == LB_OPT6_LINK_LAYER) {
            take_mac(value, mac);
        }
    }
    if (!lb_rd_done(&rd))
        return "a relay's message is cut short";
    return has_inside ? NULL : "a relay's message without a client's in it";
}

bool lb_dhcp6_unwrap(struct lb_bytes payload, struct lb_dhcp6_relayed *relayed, const char **why) {
    struct lb_dhcp6_relayed read = {.message = payload};
    while (lb_dhcp6_is_relayed(read.message)) {
        if (read.count == LB_DHCP6_RELAYS_MAX) {
            *why = "over too many relays";
            return false;
        }
        struct lb_dhcp6_relay_hop *hop = &read.hops[read.count++];
        memset(read.mac, 0, sizeof read.mac);
        *why = take_hop(read.message, hop, &read.message, read.mac);
        if (*why)
            return false;
        if (says_link(hop->link))
            read.link = hop->link;
        read.client = hop->peer;
    }
    if (read.count == 0) {
        *why = "not of a relay";
        return false;
    }
    *relayed = read;
    return true;
}

static void put_hop(struct lb_wr *wr, const struct lb_dhcp6_relay_hop *hop) {
    lb_wr_u8(wr, LB_DHCP6_RELAY_REPL);
    lb_wr_u8(wr, hop->hops);
    lb_wr_addr(wr, hop->link);
    lb_wr_addr(wr, hop->peer);
    if (hop->has_interface)
        lb_dhcp6_put(wr, LB_OPT6_INTERFACE_ID, hop->interface_id);
}

struct lb_bytes lb_dhcp6_wrap(const struct lb_dhcp6_relayed *relayed, struct lb_bytes answer,
                              struct lb_span room) {
    struct lb_wr wr = lb_wr(room);
    size_t opened[LB_DHCP6_RELAYS_MAX];
    if (answer.len == 0)
        return lb_bytes(room.p, 0);
    for (size_t i = 0; i < relayed->count; i++) {
        put_hop(&wr, &relayed->hops[i]);
        opened[i] = lb_dhcp6_open(&wr, LB_OPT6_RELAY_MESSAGE);
    }
    lb_wr_bytes(&wr, answer);
    for (size_t i = relayed->count; i > 0; i--)
        lb_dhcp6_close(&wr, opened[i - 1]);
    return lb_wr_done(&wr);
}
