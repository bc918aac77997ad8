/* A configuration and then a life: each step is a byte that says what happens, and what that needs.
 *
 *   0 N       N + 1 times a sixteenth of a second pass       4 K ...   a server's message of kind K
 *   1 N       time passes up to the next deadline, N more    5         the link comes up
 *   2         nobody has the address                         6         the lease is given back
 *   3         somebody has it                                7 LL ...  LL bytes as they are
 *
 * It is lived three times: without keys; with keys, and a server that has them, too; with keys, and
 * one that has none and is not believed. */
#include "core/dhcp4/test_dhcp4.h"
#include "tests/fuzz.h"

#define STEPS_MAX 400
#define POLLS_MAX 12

static struct {
    struct lb_dhcp4_client client;
    struct lb_rand rand;
    struct lb_trace trace;
    char ring[1024];
    uint64_t now, until;
    bool has_address, stopped;
    enum { NO_KEYS, SIGNED, UNSIGNED } keys; /* whether we have any, and the server its own */
    uint64_t replay;
    struct lb_dhcp_seen seen;
    unsigned sends;
} f;

static void check_send(const struct lb_dhcp4_action *action) {
    static struct lb_dhcp4_message message;
    const char *why;
    lb_assert(action->bytes.len >= LB_DHCP4_BOOTP_BYTES);
    lb_assert(lb_dhcp4_decode(action->bytes, &message, &why));
    lb_assert(message.header.op == LB_BOOTREQUEST && message.header.xid == f.client.xid);
    lb_assert(action->to.port == LB_DHCP4_SERVER_PORT && action->from.port == LB_DHCP4_CLIENT_PORT);
    lb_assert(lb_addr_is_zero(action->from.addr) || lb_addr_is_host(action->from.addr));
    lb_assert(!lb_addr_is_zero(action->to.addr));
    f.sends++;
}

static void check_event(const struct lb_dhcp4_action *action) {
    switch (action->event) {
    case LB_DHCP4_SEND:
        check_send(action);
        return;
    case LB_DHCP4_PROBE:
        lb_assert(lb_addr_is_host(action->probe));
        return;
    case LB_DHCP4_GOT:
        lb_assert(f.client.has_lease && lb_addr_is_host(f.client.lease.address.addr));
        f.has_address = true;
        return;
    case LB_DHCP4_LOST:
        f.has_address = false;
        return;
    case LB_DHCP4_OFFERS:
        lb_assert(f.client.config.offers_only && f.client.offer_count + f.client.has_proxy > 0);
        return;
    case LB_DHCP4_FAILED:
        lb_assert(f.client.error.code != LB_OK && !f.has_address);
        return;
    case LB_DHCP4_WAIT:
        return;
    }
}

static void run(void) {
    for (unsigned polls = 0;; polls++) {
        lb_assert(polls < POLLS_MAX);
        struct lb_dhcp4_action action = lb_dhcp4_client_poll(&f.client, f.now);
        check_event(&action);
        if (action.event == LB_DHCP4_WAIT) {
            lb_assert(action.until_us > f.now);
            f.until = action.until_us;
            break;
        }
    }
    lb_assert(f.client.offer_count <= LB_DHCP4_OFFERS_MAX);
    lb_assert(f.client.state != LB_DHCP4_STOPPED || f.until == LB_NEVER);
    if (f.client.state != LB_DHCP4_STOPPED)
        lb_assert(f.has_address == f.client.has_lease);
}

static const struct lb_bytes keys = {
    (const uint8_t *)"1:0123456789abcdef,2@boot.example:another-secret", 48};

static void server_message(struct lb_rd *rd) {
    static uint8_t room[LB_DHCP4_PACKET_MAX];
    uint8_t kind = lb_rd_u8(rd), more = lb_rd_u8(rd);
    struct made made = {
        .type = kind % (LB_DHCP4_FORCERENEW + 1),
        .xid = f.client.xid + (kind >> 7),
        .yiaddr = v4(192, 0, 2, more & 0x0f),
        .server = v4(192, 0, 2, (uint8_t)(200 + (more >> 4))),
        .rapid_commit = kind & 0x10,
        .root_path = kind & 0x20 ? TEST_ROOT_PATH : NULL,
        .lease_s = kind & 0x40 ? 1 + more : 0,
    };
    if ((more & 0x0f) == 0)
        made.yiaddr = v4(0, 0, 0, 0); /* a proxy */
    size_t len = lb_rd_u8(rd) & 0x3f;
    uint8_t options[64 + 2] = {kind, (uint8_t)len};
    lb_rd_copy(rd, options + 2, LB_MIN(len, rd->left));
    made.options = lb_bytes(options, len + 2);
    if (options[0] == LB_OPT_PAD || options[0] == LB_OPT_END || len == 0)
        made.options = lb_bytes(options, 0);
    uint8_t both[128];
    struct lb_wr wr = lb_wr(lb_span(both, sizeof both));
    struct lb_dhcp_key one;
    lb_assert(lb_dhcp_keys_find(keys, lb_bytes("", 0), 1, &one));
    lb_wr_bytes(&wr, lb_bytes("\x5a\x1f\x01\x01", 5)); /* option 90, and RDM 0 */
    lb_wr_u64(&wr, ++f.replay - (more == 77));         /* now and then an old one */
    lb_wr_u32(&wr, one.id);
    lb_wr_zero(&wr, 16);
    lb_wr_bytes(&wr, made.options);
    if (f.keys == SIGNED)
        made.options = lb_wr_done(&wr);
    struct lb_bytes bytes = make(made, lb_span(room, sizeof room));
    if (f.keys == SIGNED && kind != 99)
        lb_dhcp4_sign(lb_span(room, bytes.len), &one);
    lb_dhcp4_client_input(&f.client, f.now, test_from(made.server), bytes);
}

static void pass(uint64_t us) {
    if (us < LB_NEVER / 2 && f.now < LB_NEVER / 4)
        f.now += us;
}

static void step(struct lb_rd *rd) {
    struct lb_bytes bytes;
    switch (lb_rd_u8(rd) % 8) {
    case 0:
        pass((lb_rd_u8(rd) + 1u) * (LB_US_SEC / 16));
        break;
    case 1:
        if (f.until != LB_NEVER)
            f.now = f.until;
        pass(lb_rd_u8(rd) * LB_US_SEC);
        break;
    case 2:
        lb_dhcp4_client_probed(&f.client, f.now, false);
        break;
    case 3:
        lb_dhcp4_client_probed(&f.client, f.now, true);
        break;
    case 4:
        server_message(rd);
        break;
    case 5:
        lb_dhcp4_client_link_up(&f.client, f.now);
        break;
    case 6:
        lb_dhcp4_client_release(&f.client, f.now);
        f.has_address = false;
        break;
    default:
        bytes = lb_rd_bytes(rd, LB_MIN(lb_rd_u16(rd), rd->left));
        lb_dhcp4_client_input(&f.client, f.now, test_from(v4(192, 0, 2, 1)), bytes);
        break;
    }
}

static void live(const uint8_t *data, size_t size, unsigned with_keys) {
    struct lb_rd rd = lb_rd(lb_bytes(data, size));
    uint8_t flags = lb_rd_u8(&rd);
    struct lb_dhcp4_config config = {
        .hostname = flags & 1 ? "host1" : NULL,
        .give_up_ms = flags & 2 ? 60000 : 0,
        .no_rapid_commit = flags & 4,
        .no_arp_probe = flags & 8,
        .no_bootp = flags & 16,
        .ask_bootp = flags & 32,
        .offers_only = flags & 64,
        .retry_ms = flags & 128 ? 1 : 0,
    };
    memset(&f, 0, sizeof f);
    f.keys = with_keys;
    if (with_keys != NO_KEYS) {
        config.keys = keys;
        config.seen = &f.seen;
        config.ask_bootp = false; /* which the configuration does not allow beside keys */
    }
    f.now = LB_US_SEC;
    f.rand = test_rand(1);
    memcpy(config.mac, test_mac, sizeof config.mac);
    lb_trace_init(&f.trace, f.now, lb_span(f.ring, sizeof f.ring));
    lb_dhcp4_client_init(&f.client, f.now, &config, &f.rand, &f.trace);
    run();
    for (unsigned i = 0; i < STEPS_MAX && rd.left > 0; i++) {
        step(&rd);
        run();
        lb_assert(f.keys != UNSIGNED || !f.has_address);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    for (unsigned with_keys = NO_KEYS; with_keys <= UNSIGNED; with_keys++)
        live(data, size, with_keys);
    return 0;
}
