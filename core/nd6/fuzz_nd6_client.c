/* A life: each step is a byte that says what happens, and what that needs.
 *
 *   0 N       N + 1 times a sixteenth of a second pass     3 N        somebody has address N
 *   1 N       time passes up to the next deadline, N more  4 R LL ... router R says LL bytes
 *   2 N       nobody has address N (of those probed)       5          the link comes up */
#include "core/nd6/nd6_client.h"
#include "tests/fuzz.h"

#define STEPS_MAX 400
#define POLLS_MAX 64
#define PROBES    16

static struct {
    struct lb_nd6_client client;
    struct lb_rand rand;
    struct lb_trace trace;
    char ring[1024];
    uint64_t now, until;
    struct lb_addr probes[PROBES];
    unsigned probe_count;
} f;

static void check_info(void) {
    const struct lb_nd6_info *info = &f.client.info;
    lb_assert(info->address_count + info->pending <= LB_ADDRS6_MAX);
    for (size_t i = 0; i < info->address_count; i++) {
        lb_assert(lb_addr_is_host(info->addresses[i].address.addr));
        lb_assert(info->addresses[i].preferred_until_us <= info->addresses[i].valid_until_us);
        lb_assert(info->addresses[i].valid_until_us > f.now);
    }
    for (size_t i = 0; i < info->router_count; i++) {
        lb_assert(lb_addr_is_link_local(info->routers[i].addr));
        lb_assert(info->routers[i].until_us > f.now);
        lb_assert(i == 0 || info->routers[i].preference <= info->routers[i - 1].preference);
    }
    lb_assert(info->mtu == 0 || (info->mtu >= LB_ND6_MTU_LEAST && info->mtu <= 1500));
    lb_assert(info->advertised || (!info->managed && !info->other && info->router_count == 0));
    lb_assert(!f.client.error.code == (f.client.state != LB_ND6_STOPPED));
}

static void check_event(const struct lb_nd6_action *action) {
    const char *why;
    if (action->event == LB_ND6_SEND)
        lb_assert(lb_nd6_rs_decode(action->bytes, action->from, &why));
    if (action->event == LB_ND6_PROBE)
        f.probes[f.probe_count++ % PROBES] = action->probe;
}

static void run(void) {
    for (unsigned polls = 0;; polls++) {
        lb_assert(polls < POLLS_MAX);
        struct lb_nd6_action action = lb_nd6_client_poll(&f.client, f.now);
        check_event(&action);
        if (action.event == LB_ND6_WAIT) {
            lb_assert(action.until_us > f.now);
            f.until = action.until_us;
            break;
        }
    }
    check_info();
}

static void pass(uint64_t us) {
    if (us < LB_NEVER / 2 && f.now < LB_NEVER / 4)
        f.now += us;
}

static void hear(struct lb_rd *rd) {
    uint8_t from[16] = {0xfe, 0x80, [15] = lb_rd_u8(rd) & 7};
    struct lb_bytes bytes = lb_rd_bytes(rd, LB_MIN((size_t)lb_rd_u16(rd), rd->left));
    lb_nd6_client_input(&f.client, f.now, lb_addr_v6_bytes(from), bytes);
}

static void step(struct lb_rd *rd) {
    uint8_t what = lb_rd_u8(rd) % 6;
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
        lb_nd6_client_probed(&f.client, f.now, f.probes[lb_rd_u8(rd) % PROBES], what == 3);
        break;
    case 4:
        hear(rd);
        break;
    default:
        lb_nd6_client_link_up(&f.client, f.now);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const uint8_t seed[LB_RAND_SEED_BYTES] = {1};
    struct lb_rd rd = lb_rd(lb_bytes(data, size));
    uint8_t flags = lb_rd_u8(&rd);
    struct lb_nd6_config config = {
        .mac = {2, 0, 0, 0, 0, 2},
        .retry_ms = flags & 1 ? 10 : 0,
        .give_up_ms = flags & 2 ? 300 : 0,
        .solicit_count = flags & 4 ? 1 : 0,
    };
    memset(&f, 0, sizeof(f));
    f.now = LB_US_SEC;
    lb_rand_init(&f.rand, seed);
    lb_trace_init(&f.trace, f.now, lb_span(f.ring, sizeof(f.ring)));
    lb_nd6_client_init(&f.client, f.now, &config, &f.rand, &f.trace);
    run();
    for (unsigned i = 0; i < STEPS_MAX && rd.left > 0; i++) {
        step(&rd);
        run();
    }
    return 0;
}
