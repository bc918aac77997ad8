/* A configuration, and then requests, each with the seconds that pass before it, its length, its
 * bytes. A request whose first byte is even is taken as options behind a good header. */
#include "core/dhcp4/test_dhcp4.h"
#include "tests/fuzz.h"

#define BINDINGS  4
#define STEPS_MAX 200

static struct lb_dhcp4_server server;
static struct lb_binding bindings[BINDINGS];

/* No two clients have the same address, and none has ours. */
static void check_bindings(uint64_t now) {
    for (unsigned i = 0; i < BINDINGS; i++) {
        lb_assert(!lb_addr_equal(bindings[i].address, server.config.server));
        if (bindings[i].until_us <= now)
            continue;
        for (unsigned j = 0; j < i; j++)
            lb_assert(bindings[j].until_us <= now ||
                      !lb_addr_equal(bindings[i].address, bindings[j].address));
    }
}

static void check_reply(struct lb_dhcp4_reply reply) {
    static struct lb_dhcp4_message message;
    const char *why;
    if (reply.bytes.len == 0)
        return;
    lb_assert(lb_dhcp4_decode(reply.bytes, &message, &why));
    lb_assert(message.header.op == LB_BOOTREPLY);
    lb_assert(reply.to.port == LB_DHCP4_CLIENT_PORT || reply.to.port == LB_DHCP4_SERVER_PORT);
    lb_assert(!lb_addr_is_zero(reply.to.addr));
    if (message.type == LB_DHCP4_OFFER && !server.config.proxy_only)
        lb_assert(lb_addr_is_host(message.header.yiaddr));
}

/* A good header in front of what is given: machine and addresses by its first bytes. */
static struct lb_bytes dress(struct lb_bytes options, struct lb_span room) {
    struct lb_rd rd = lb_rd(options);
    uint8_t who = lb_rd_u8(&rd), flags = lb_rd_u8(&rd), address = lb_rd_u8(&rd);
    struct lb_wr wr = lb_wr(room);
    lb_wr_u32(&wr, 0x01010600);
    lb_wr_u32(&wr, 7);
    lb_wr_u32(&wr, flags & 1 ? LB_DHCP4_BROADCAST : 0);
    lb_wr_u32(&wr, flags & 2 ? 0xc0000200u + address : 0); /* ciaddr */
    lb_wr_zero(&wr, 8);
    lb_wr_u32(&wr, flags & 4 ? 0xc00002fau : 0); /* giaddr */
    lb_wr_zero(&wr, 5);
    lb_wr_u8(&wr, who & 0x0e);
    lb_wr_zero(&wr, LB_DHCP4_HEADER_BYTES - 34);
    lb_wr_u32(&wr, 0x63825363);
    lb_wr_bytes(&wr, lb_rd_rest(&rd));
    return lb_wr_done(&wr);
}

static void one_request(struct lb_rd *rd, uint64_t now) {
    static uint8_t room[LB_DHCP4_PACKET_MAX], request[LB_DHCP4_PACKET_MAX + 300];
    size_t len = lb_rd_u16(rd) % 1600;
    struct lb_bytes bytes = lb_rd_bytes(rd, LB_MIN(len, rd->left));
    if (bytes.len > 0 && bytes.p[0] % 2 == 0)
        bytes = dress(bytes, lb_span(request, sizeof request));
    check_reply(lb_dhcp4_server_input(&server, now, (struct lb_endpoint){.port = 68}, bytes,
                                      lb_span(room, sizeof room)));
    struct lb_endpoint from = {.addr = v4(192, 0, 2, 77), .port = LB_DHCP4_CLIENT_PORT};
    struct lb_dhcp4_reply reply =
        lb_dhcp4_server_input_boot(&server, now, from, bytes, lb_span(room, sizeof room));
    check_reply(reply);
    lb_assert(reply.changed == NULL);
    check_bindings(now);
}

/* keys: whether the server has any. */
static void live(const uint8_t *data, size_t size, const char *keys) {
    static struct lb_dhcp_seen seen;
    static struct lb_dhcp4_host hosts[] = {
        {.mac = {0, 0, 0, 0, 0, 2},
         .address = {.family = LB_V4, .bytes = {192, 0, 2, 102}},
         .hostname = "two"},
    };
    struct lb_rd rd = lb_rd(lb_bytes(data, size));
    uint8_t flags = lb_rd_u8(&rd);
    struct lb_dhcp4_server_config config = {
        .server = v4(192, 0, 2, 1),
        .network = {.addr = v4(192, 0, 2, 0), .len = 24},
        .first = v4(192, 0, 2, 100),
        .last = v4(192, 0, 2, 104),
        .authoritative = flags & 1,
        .rapid_commit = flags & 2,
        .bootp_only = flags & 4,
        .proxy_only = flags & 8,
        .overload = flags & 16,
        .hosts = hosts,
        .host_count = flags & 32 ? 1 : 0,
        .root_path = lb_bytes_of_text(TEST_ROOT_PATH),
        .keys = lb_bytes_of_text(keys),
        .seen = &seen,
    };
    uint64_t now = 1000 * LB_US_SEC;
    memset(&seen, 0, sizeof seen);
    lb_dhcp4_server_init(&server, &config, bindings, BINDINGS);
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
