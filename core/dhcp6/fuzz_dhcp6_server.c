/* A configuration, and then requests, each with the time that passes before it, its length, its
 * bytes. A request whose first byte is over 15 is taken as options behind good identifiers. */
#include "core/dhcp6/test_dhcp6.h"
#include "tests/fuzz.h"

#define BINDINGS  4
#define STEPS_MAX 200

static struct lb_dhcp6_server server;
static struct lb_binding bindings[BINDINGS];

/* No two clients have the same address. */
static void check_bindings(uint64_t now) {
    for (unsigned i = 0; i < BINDINGS; i++) {
        if (bindings[i].until_us <= now)
            continue;
        lb_assert(lb_addr_is_host(bindings[i].address));
        for (unsigned j = 0; j < i; j++)
            lb_assert(bindings[j].until_us <= now ||
                      !lb_addr_equal(bindings[i].address, bindings[j].address));
    }
}

static void check_reply(struct lb_bytes reply) {
    struct lb_dhcp6_message message;
    struct lb_duid duid;
    const char *why;
    if (reply.len == 0)
        return;
    lb_assert(lb_dhcp6_decode(reply, &message, &why));
    lb_assert(message.type == LB_DHCP6_ADVERTISE || message.type == LB_DHCP6_REPLY);
    lb_assert(lb_dhcp6_find_duid(message.options, LB_OPT6_SERVER_ID, &duid));
    lb_assert(lb_duid_equal(&duid, &server.config.duid));
}

/* Type, client and whether to us by the first byte; the rest is options. */
static struct lb_bytes dress(struct lb_bytes options, struct lb_span room) {
    uint8_t how = options.p[0];
    struct lb_duid client = test_server_duid(100 + (how >> 4 & 3));
    struct lb_wr wr = lb_wr(room);
    lb_dhcp6_put_header(&wr, how & 15, 7);
    lb_dhcp6_put_duid(&wr, LB_OPT6_CLIENT_ID, &client);
    if (how & 0x80)
        lb_dhcp6_put_duid(&wr, LB_OPT6_SERVER_ID, &server.config.duid);
    lb_dhcp6_close(&wr, lb_dhcp6_open_ia(&wr, 1, 0, 0));
    lb_wr_bytes(&wr, lb_bytes_after(options, 1));
    return lb_wr_done(&wr);
}

static void one_request(struct lb_rd *rd, uint64_t now) {
    static uint8_t room[LB_DHCP6_PACKET_MAX], request[LB_DHCP6_PACKET_MAX + 300];
    size_t len = lb_rd_u16(rd) % 1600;
    struct lb_bytes bytes = lb_rd_bytes(rd, LB_MIN(len, rd->left));
    if (bytes.len > 0 && bytes.p[0] > 15)
        bytes = dress(bytes, lb_span(request, sizeof request));
    check_reply(
        lb_dhcp6_server_input(&server, now, test_from(), bytes, lb_span(room, sizeof room)).bytes);
    check_bindings(now);
}

/* keys: whether the server has any. */
static void live(const uint8_t *data, size_t size, const char *keys) {
    static struct lb_dhcp_seen seen;
    static const uint8_t key[LB_DHCP6_KEY_BYTES] = {1};
    struct lb_dhcp6_host host = {.duid = test_server_duid(101), .address = v6("2001:db8::101")};
    struct lb_rd rd = lb_rd(lb_bytes(data, size));
    uint8_t flags = lb_rd_u8(&rd);
    struct lb_dhcp6_server_config config = {
        .duid = test_server_duid(1),
        .network = {.addr = v6("2001:db8::"), .len = 64},
        .first = v6("2001:db8::100"),
        .last = v6("2001:db8::104"),
        .rapid_commit = flags & 1,
        .stateless = flags & 2,
        .no_addresses = flags & 4,
        .hosts = &host,
        .host_count = flags & 8 ? 1 : 0,
        .reconfigure_key = lb_bytes(key, flags & 16 ? sizeof key : 0),
        .root_path = lb_bytes_of_text(TEST_ROOT_PATH),
        .keys = lb_bytes_of_text(keys),
        .seen = &seen,
        .search = "example.com",
    };
    uint64_t now = 1000 * LB_US_SEC;
    memset(&seen, 0, sizeof seen);
    lb_dhcp6_server_init(&server, &config, bindings, BINDINGS);
    for (unsigned i = 0; i < STEPS_MAX && rd.left > 0; i++) {
        now += lb_rd_u8(&rd) * 20 * LB_US_SEC;
        one_request(&rd, now);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    live(data, size, "");
    live(data, size, "1:0123456789abcdef,2@boot.example:another-secret");
    return 0;
}
