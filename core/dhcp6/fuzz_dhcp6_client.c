/* A configuration and then a life: each step is a byte that says what happens, and what that needs.
 *
 *   0 N       N + 1 times a sixteenth of a second pass       5         the link comes up
 *   1 N       time passes up to the next deadline, N more    6         the lease is given back
 *   2, 3      nobody, or somebody, has the address probed    7 LL ...  LL bytes as they are
 *   4 K ...   a server's message of kind K                   8         the lease is confirmed
 *
 * It is lived three times: without keys; with keys, and a server that has them, too; with keys, and
 * one that has none and is not believed. */
#include "core/dhcp6/test_dhcp6.h"
#include "tests/fuzz.h"

#define STEPS_MAX 400
#define POLLS_MAX 12

static struct {
    struct lb_dhcp6_client client;
    struct lb_rand rand;
    struct lb_trace trace;
    char ring[1024];
    uint64_t now, until;
    bool has_lease;
    enum { NO_KEYS, SIGNED, UNSIGNED } keys; /* whether we have any, and the server its own */
    uint64_t replay;
    struct lb_dhcp_seen seen;
    struct lb_addr probe;
} f;

static void check_send(const struct lb_dhcp6_action *action) {
    struct lb_dhcp6_message message;
    struct lb_duid duid, ours = test_client_duid();
    const char *why;
    lb_assert(lb_dhcp6_decode(action->bytes, &message, &why));
    lb_assert(message.xid == f.client.xid);
    lb_assert(lb_dhcp6_find_duid(message.options, LB_OPT6_CLIENT_ID, &duid));
    lb_assert(lb_duid_equal(&duid, &ours));
    lb_assert(action->to.port == LB_DHCP6_SERVER_PORT && lb_addr_is_multicast(action->to.addr));
}

static void check_lease(const struct lb_dhcp6_lease *lease) {
    lb_assert(lease->stateless == (lease->addr_count == 0));
    lb_assert(lease->addr_count <= LB_DHCP6_ADDRS_MAX && lease->server_id.len >= 3);
    for (size_t i = 0; i < lease->addr_count; i++) {
        lb_assert(lb_addr_is_host(lease->addrs[i].addr));
        lb_assert(lease->addrs[i].valid_s >= lease->addrs[i].preferred_s);
    }
}

static void check_event(const struct lb_dhcp6_action *action) {
    switch (action->event) {
    case LB_DHCP6_SEND:
        check_send(action);
        return;
    case LB_DHCP6_PROBE:
        lb_assert(lb_addr_is_host(action->probe) && f.client.state == LB_DHCP6_CHECKING);
        f.probe = action->probe;
        return;
    case LB_DHCP6_GOT:
        lb_assert(f.client.has_lease);
        check_lease(&f.client.lease);
        f.has_lease = true;
        return;
    case LB_DHCP6_LOST:
        lb_assert(!f.client.has_lease);
        f.has_lease = false;
        return;
    case LB_DHCP6_OFFERS:
        lb_assert(f.client.config.offers_only && f.client.offer_count > 0);
        return;
    case LB_DHCP6_FAILED:
        lb_assert(f.client.error.code != LB_OK && !f.has_lease);
        return;
    case LB_DHCP6_WAIT:
        return;
    }
}

static void run(void) {
    for (unsigned polls = 0;; polls++) {
        lb_assert(polls < POLLS_MAX);
        struct lb_dhcp6_action action = lb_dhcp6_client_poll(&f.client, f.now);
        check_event(&action);
        if (action.event == LB_DHCP6_WAIT) {
            lb_assert(action.until_us > f.now);
            f.until = action.until_us;
            break;
        }
    }
    lb_assert(f.client.offer_count <= LB_DHCP6_OFFERS_MAX);
    lb_assert(f.client.state != LB_DHCP6_STOPPED || f.until == LB_NEVER);
    if (f.client.state != LB_DHCP6_STOPPED)
        lb_assert(f.has_lease == f.client.has_lease);
}

static const char *const addrs[] = {"2001:db8::1", "2001:db8::2", "2001:db8::3", "fe80::9"};

static const struct lb_bytes keys = {
    (const uint8_t *)"1:0123456789abcdef,2@boot.example:another-secret", 48};

static void server_message(struct lb_rd *rd) {
    static const uint8_t key[LB_DHCP6_KEY_BYTES] = {1};
    static uint8_t room[LB_DHCP6_PACKET_MAX], options[200];
    struct lb_wr wr = lb_wr(lb_span(options, sizeof options));
    uint8_t kind = lb_rd_u8(rd), more = lb_rd_u8(rd), times = lb_rd_u8(rd);
    struct made made = {
        .type = kind & 15,
        .xid = f.client.xid,
        .server = 1 + (more & 1),
        .rapid_commit = kind & 0x10,
        .root_path = kind & 0x20 ? TEST_ROOT_PATH : NULL,
        .no_ia = kind & 0x40,
        .status = kind & 0x80 ? more >> 5 : 0,
        .ia_status = kind & 0x80 ? 0 : (more & 2 ? more >> 5 : 0),
        .addr = addrs[more >> 2 & 3],
        .addr2 = more & 0x10 ? addrs[more >> 6 & 1] : NULL,
        .valid_s = times & 0x0f ? times : 0,
        .is_over = (times & 0xf0) == 0x10,
        .t1_s = times & 0x20 ? times / 2u : 0,
        .t2_s = times & 0x40 ? times : 0,
    };
    uint8_t extra = lb_rd_u8(rd);
    if (extra & 1)
        lb_dhcp6_put_key(&wr, extra, lb_bytes(key, sizeof key));
    else if (extra & 2)
        lb_dhcp6_put(&wr, extra, lb_rd_bytes(rd, LB_MIN(extra >> 2, rd->left)));
    made.options = lb_wr_done(&wr);
    struct lb_bytes bytes = make(made, lb_span(room, sizeof room));
    if (f.keys == SIGNED) {
        struct lb_dhcp_key two;
        struct lb_wr whole = {.start = room, .len = bytes.len, .cap = sizeof room};
        lb_assert(lb_dhcp_keys_find(keys, lb_bytes_of_text("boot.example"), 2, &two));
        lb_dhcp6_put_auth(&whole, ++f.replay - (more == 77), &two); /* now and then an old one */
        if (kind != 99)
            lb_dhcp6_sign(&whole, &two);
        bytes = lb_wr_done(&whole);
    }
    lb_dhcp6_client_input(&f.client, f.now, test_from(), bytes);
}

static void pass(uint64_t us) {
    if (us < LB_NEVER / 2 && f.now < LB_NEVER / 4)
        f.now += us;
}

static void step(struct lb_rd *rd) {
    struct lb_bytes bytes;
    uint8_t what = lb_rd_u8(rd) % 9;
    switch (what) {
    case 0:
        pass((lb_rd_u8(rd) + 1u) * (LB_US_SEC / 16));
        break;
    case 1:
        if (f.until != LB_NEVER)
            f.now = f.until;
        pass(lb_rd_u8(rd) * LB_US_SEC);
        break;
    case 2:
    case 3:
        lb_dhcp6_client_probed(&f.client, f.now, f.probe, what == 3);
        break;
    case 4:
        server_message(rd);
        break;
    case 5:
        lb_dhcp6_client_link_up(&f.client, f.now);
        break;
    case 6:
        lb_dhcp6_client_release(&f.client, f.now);
        f.has_lease = false;
        break;
    case 7:
        bytes = lb_rd_bytes(rd, LB_MIN(lb_rd_u16(rd), rd->left));
        lb_dhcp6_client_input(&f.client, f.now, test_from(), bytes);
        break;
    default:
        lb_dhcp6_client_confirm(&f.client, f.now);
        break;
    }
}

static void live(const uint8_t *data, size_t size, unsigned with_keys) {
    struct lb_rd rd = lb_rd(lb_bytes(data, size));
    uint8_t flags = lb_rd_u8(&rd);
    struct lb_dhcp6_config config = {
        .duid = test_client_duid(),
        .iaid = TEST_IAID,
        .stateless = flags & 1,
        .give_up_ms = flags & 2 ? 60000 : 0,
        .no_rapid_commit = flags & 4,
        .no_probe = flags & 8,
        .take_reconfigure = flags & 16,
        .offers_only = flags & 64,
        .retry_ms = flags & 128 ? 1 : 0,
    };
    memset(&f, 0, sizeof f);
    f.keys = with_keys;
    if (with_keys != NO_KEYS) {
        config.keys = keys;
        config.seen = &f.seen;
    }
    f.now = LB_US_SEC;
    f.rand = test_rand(1);
    lb_trace_init(&f.trace, f.now, lb_span(f.ring, sizeof f.ring));
    lb_dhcp6_client_init(&f.client, f.now, &config, &f.rand, &f.trace);
    run();
    for (unsigned i = 0; i < STEPS_MAX && rd.left > 0; i++) {
        step(&rd);
        run();
        lb_assert(f.keys != UNSIGNED || !f.has_lease);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    for (unsigned with_keys = NO_KEYS; with_keys <= UNSIGNED; with_keys++)
        live(data, size, with_keys);
    return 0;
}
