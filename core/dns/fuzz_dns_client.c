/* A configuration, and then a life: each step is a byte that says what happens, and what it needs.
 *
 *   0 N        N sixteenths of a second pass        4         the connection is lost
 *   1          up to the next deadline              5 LL ...  LL bytes come by TCP
 *   2 LL ...   a datagram of LL bytes               6 FF N .. an answer to the last query: flags,
 *   3          the connection is made                         records, and bytes up to the end */
#include "core/dns/test_dns.h"
#include "tests/fuzz.h"

#define STEPS_MAX 300
#define POLLS_MAX 100

static struct {
    struct lb_dns_client client;
    struct lb_rand rand;
    struct lb_trace trace;
    char ring[1024];
    uint64_t now, until;
    bool is_open;
    unsigned ends;
    uint8_t query[LB_DNS_QUERY_MAX];
    size_t query_len;
    struct lb_endpoint to;
} f;

static void check_end(enum lb_dns_event event) {
    size_t count;
    const struct lb_addr *addrs = lb_dns_client_addrs(&f.client, &count);
    lb_assert((event == LB_DNS_DONE) == (count > 0));
    for (size_t i = 0; i < count; i++)
        lb_assert(lb_addr_is_set(addrs[i]));
    lb_assert(!f.is_open);
    f.ends++;
}

static void run(void) {
    for (unsigned polls = 0;; polls++) {
        lb_assert(polls < POLLS_MAX);
        struct lb_dns_action action = lb_dns_client_poll(&f.client, f.now);
        switch (action.event) {
        case LB_DNS_WAIT:
            lb_assert(action.until_us > f.now);
            f.until = action.until_us;
            return;
        case LB_DNS_SEND:
            lb_assert(action.bytes.len > 0 && action.bytes.len <= sizeof f.query);
            memcpy(f.query, action.bytes.p, action.bytes.len);
            f.query_len = action.bytes.len;
            f.to = action.to;
            break;
        case LB_DNS_CONNECT:
            lb_assert(!f.is_open);
            f.is_open = true;
            break;
        case LB_DNS_CLOSE:
            lb_assert(f.is_open);
            f.is_open = false;
            break;
        case LB_DNS_DONE:
        case LB_DNS_FAILED:
            check_end(action.event);
            break;
        }
    }
}

static struct lb_bytes take(struct lb_rd *rd) {
    size_t len = lb_rd_u16(rd);
    return lb_rd_bytes(rd, LB_MIN(len, rd->left));
}

static void stream_bytes(struct lb_bytes bytes) {
    while (bytes.len > 0) {
        struct lb_span span = lb_dns_client_where(&f.client);
        size_t n = LB_MIN(span.len, bytes.len);
        if (n == 0)
            return;
        memcpy(span.p, bytes.p, n);
        lb_dns_client_got(&f.client, f.now, n);
        bytes = lb_bytes_after(bytes, n);
        run();
    }
}

static void answer(struct lb_rd *rd) {
    uint8_t room[2048];
    unsigned flags = lb_rd_u16(rd) | 0x8000;
    unsigned records = lb_rd_u8(rd);
    struct lb_wr wr =
        test_answer(lb_bytes(f.query, f.query_len), flags, records, lb_span(room, sizeof room));
    lb_wr_bytes(&wr, take(rd));
    lb_dns_client_input(&f.client, f.now, f.to, lb_wr_done(&wr));
}

static void step(struct lb_rd *rd) {
    switch (lb_rd_u8(rd) % 7) {
    case 0:
        f.now += lb_rd_u8(rd) * (LB_US_SEC / 16);
        break;
    case 1:
        f.now = f.until != LB_NEVER ? f.until : f.now;
        break;
    case 2:
        lb_dns_client_input(&f.client, f.now, f.to, take(rd));
        break;
    case 3:
        if (f.is_open)
            lb_dns_client_connected(&f.client, f.now);
        lb_dns_client_sent(&f.client, f.now, lb_dns_client_gather(&f.client).len);
        break;
    case 4:
        if (f.is_open)
            lb_dns_client_lost(&f.client, f.now);
        f.is_open = false;
        break;
    case 5:
        stream_bytes(take(rd));
        break;
    default:
        answer(rd);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct lb_rd rd = lb_rd(lb_bytes(data, size));
    uint8_t flags = lb_rd_u8(&rd);
    uint8_t seed[LB_RAND_SEED_BYTES] = {1};
    struct lb_dns_config config = {.server_count = flags & 3};
    for (size_t i = 0; i < config.server_count; i++)
        config.servers[i].addr = lb_addr_v4(192, 0, 2, (uint8_t)(53 + i));
    if (flags & 4)
        lb_text_copy(config.search, sizeof config.search, lb_bytes_of_text("a.x b.y"));
    config.family = flags & 8 ? LB_V6 : LB_FAMILY_NONE;
    memset(&f, 0, sizeof f);
    f.now = LB_US_SEC;
    lb_rand_init(&f.rand, seed);
    lb_trace_init(&f.trace, f.now, lb_span(f.ring, sizeof f.ring));
    lb_dns_client_init(&f.client, f.now, &config, flags & 16 ? "disk" : "disk.x", &f.rand,
                       &f.trace);
    run();
    for (unsigned i = 0; i < STEPS_MAX && rd.left > 0; i++) {
        step(&rd);
        run();
    }
    f.now += 6 * LB_US_SEC; /* it ends, whatever happened */
    run();
    lb_assert(f.ends == 1 && f.until == LB_NEVER);
    return 0;
}
