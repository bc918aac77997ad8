/* A UDP payload. What was decoded into options can be laid out and decoded again. */
#include "core/dhcp4/dhcp4_wire.h"
#include "tests/fuzz.h"

static void check_text(const char *text, size_t cap) {
    size_t len = lb_strlen(text);
    lb_assert(len < cap);
    for (size_t i = 0; i < len; i++)
        lb_assert((uint8_t)text[i] >= 0x20 && text[i] != 0x7f);
}

static void check_lease(const struct lb_dhcp4_lease *lease) {
    lb_assert(lease->address.len >= 1 && lease->address.len <= 32);
    lb_assert(lease->root_path_len <= sizeof lease->root_path);
    lb_assert(lease->route_count <= LB_ROUTES_MAX && lease->router_count <= LB_ROUTERS_MAX);
    lb_assert(lease->dns_count <= LB_DNS_MAX && lease->slp_da_count <= LB_DNS_MAX);
    for (size_t i = 0; i < lease->route_count; i++) {
        struct lb_prefix to = lease->routes[i].to;
        lb_assert(to.len <= 32 && lb_addr_equal(to.addr, lb_addr_mask(to.addr, to.len)));
    }
    check_text(lease->hostname, sizeof lease->hostname);
    check_text(lease->domain, sizeof lease->domain);
    check_text(lease->search, sizeof lease->search);
    check_text(lease->initiator, sizeof lease->initiator);
    check_text(lease->bootfile, sizeof lease->bootfile);
    check_text(lease->tftp_server, sizeof lease->tftp_server);
    check_text(lease->vendor_class, sizeof lease->vendor_class);
    check_text(lease->slp_scopes, sizeof lease->slp_scopes);
}

/* Options that can be encoded: of some length, and not those the encoder adds by itself. */
static bool is_encodable(unsigned code, struct lb_bytes value) {
    bool is_framing = code == LB_OPT_PAD || code == LB_OPT_END || code == LB_OPT_OVERLOAD;
    return !is_framing && value.len > 0;
}

static void check_round_trip(const struct lb_dhcp4_message *message,
                             struct lb_dhcp4_layout layout) {
    static uint8_t memory[4 * LB_DHCP4_PACKET_MAX], room[LB_DHCP4_PACKET_MAX];
    static struct lb_dhcp4_message again;
    struct lb_wr list = lb_wr(lb_span(memory, sizeof memory));
    struct lb_bytes value, other;
    const char *why;
    for (unsigned code = 0; code < 256; code++) {
        if (lb_dhcp4_option(message, (uint8_t)code, &value) && is_encodable(code, value))
            lb_dhcp4_put(&list, (uint8_t)code, value);
    }
    struct lb_bytes bytes =
        lb_dhcp4_encode(&message->header, &list, layout, lb_span(room, sizeof room));
    if (bytes.len == 0)
        return; /* does not fit this layout */
    lb_assert(bytes.len <= layout.max_bytes);
    lb_assert(lb_dhcp4_decode(bytes, &again, &why));
    lb_assert(again.type == message->type && again.header.xid == message->header.xid);
    for (unsigned code = 0; code < 256; code++) {
        if (!lb_dhcp4_option(message, (uint8_t)code, &value) || !is_encodable(code, value))
            continue;
        lb_assert(lb_dhcp4_option(&again, (uint8_t)code, &other));
        lb_assert(lb_bytes_equal(value, other));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct lb_dhcp4_message message;
    static struct lb_dhcp4_lease lease;
    const char *why = NULL;
    if (!lb_dhcp4_decode(lb_bytes(data, size), &message, &why)) {
        lb_assert(why != NULL);
        return 0;
    }
    struct lb_dhcp4_proof proof;
    const char keys[] = "1:0123456789abcdef,2@boot.example:another-secret";
    why = lb_dhcp4_check_auth(lb_bytes(data, size), lb_bytes_of_text(keys), &proof);
    lb_assert(why != NULL || (proof.key_id == 1 && lb_dhcp4_asks_auth(lb_bytes(data, size))));
    lb_dhcp4_read_lease(&message, lb_addr_v4(192, 0, 2, 1), &lease);
    check_lease(&lease);
    check_round_trip(&message, (struct lb_dhcp4_layout){.max_bytes = LB_DHCP4_PACKET_MAX});
    check_round_trip(&message, (struct lb_dhcp4_layout){.max_bytes = 548, .overload = true});
    return 0;
}
