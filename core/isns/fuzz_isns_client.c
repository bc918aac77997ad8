/* A configuration, and then a life: each step is a byte that says what happens, and what that
 * needs.
 *
 *   0 N        time passes: N sixteenths of a second     5 LL ...  LL bytes come, as they are
 *   1          up to the next deadline                   6 K LL .. an answer of kind K to the last
 *   2          the connection is made                              request, with LL bytes of
 * content 3          it is lost                                7         the registration is taken
 * back 4 LL ...   a datagram of LL bytes */
#include "core/isns/test_isns.h"
#include "tests/fuzz.h"

#define STEPS_MAX 300
#define POLLS_MAX 2000

static struct {
    struct lb_isns_client client;
    struct lb_rand rand;
    struct lb_trace trace;
    char ring[1024];
    uint64_t now, until;
    unsigned ends, opens;
    bool withdraws;
    uint16_t xid, function;
} f;

/* LL, and as many bytes, or what is left. */
static struct lb_bytes take(struct lb_rd *rd) {
    size_t len = lb_rd_u16(rd);
    return lb_rd_bytes(rd, LB_MIN(len, rd->left));
}

static void take_sent(struct lb_bytes bytes) {
    struct lb_rd rd = lb_rd(bytes);
    lb_assert(lb_isns_message_len(bytes) != 0 && lb_isns_message_len(bytes) != SIZE_MAX);
    lb_rd_u16(&rd);
    f.function = lb_rd_u16(&rd);
    lb_rd_u32(&rd);
    f.xid = lb_rd_u16(&rd);
}

static void take_out(void) {
    struct lb_bytes bytes = lb_isns_client_gather(&f.client);
    while (bytes.len > 0) {
        size_t len = lb_isns_message_len(bytes);
        take_sent(bytes);
        bytes = lb_bytes_after(bytes, len);
    }
    lb_isns_client_sent(&f.client, f.now, lb_isns_client_gather(&f.client).len);
}

static void check_found(const struct lb_isns_found *found) {
    char name[LB_NAME_MAX + 1];
    lb_assert(lb_isns_name(lb_bytes_of_text(found->target), name));
    lb_assert(lb_streq(name, found->target));
    lb_assert(lb_addr_is_set(found->portal.addr));
    lb_assert(!f.client.config.target[0] || lb_iscsi_names_equal(name, f.client.config.target));
}

static void run(void) {
    for (unsigned polls = 0;; polls++) {
        lb_assert(polls < POLLS_MAX);
        struct lb_isns_action action = lb_isns_client_poll(&f.client, f.now);
        switch (action.event) {
        case LB_ISNS_WAIT:
            lb_assert(action.until_us > f.now);
            f.until = action.until_us;
            take_out();
            return;
        case LB_ISNS_CONNECT:
            lb_assert(f.opens == 0);
            f.opens = 1;
            break;
        case LB_ISNS_CLOSE:
            lb_assert(f.opens == 1);
            f.opens = 0;
            break;
        case LB_ISNS_SEND:
            take_sent(action.bytes);
            break;
        case LB_ISNS_FOUND:
            check_found(action.found);
            break;
        case LB_ISNS_DONE:
        case LB_ISNS_FAILED:
            lb_assert(f.opens == 0);
            lb_assert((action.event == LB_ISNS_DONE) == lb_is_ok(lb_isns_client_error(&f.client)));
            f.ends++;
            break;
        }
    }
}

static void bytes_come(struct lb_bytes bytes) {
    while (bytes.len > 0) {
        struct lb_span span = lb_isns_client_where(&f.client);
        size_t n = LB_MIN(span.len, bytes.len);
        if (n == 0)
            return;
        memcpy(span.p, bytes.p, n);
        lb_isns_client_got(&f.client, f.now, n);
        bytes = lb_bytes_after(bytes, n);
        run();
    }
}

static void deliver(struct lb_bytes bytes) {
    if (f.client.config.udp)
        lb_isns_client_input(&f.client, f.now, f.client.config.server, bytes);
    else
        bytes_come(bytes);
}

static void answer_last(struct lb_rd *rd) {
    static uint8_t room[70000];
    uint8_t kind = lb_rd_u8(rd);
    struct lb_wr wr = lb_wr(lb_span(room, sizeof room));
    struct lb_bytes content = take(rd);
    content.len &= ~(size_t)3;
    lb_wr_u16(&wr, 1);
    lb_wr_u16(&wr, (uint16_t)(f.function | LB_ISNS_ANSWER));
    lb_wr_u16(&wr, (uint16_t)(LB_MIN(content.len, 65528u) + 4));
    lb_wr_u16(&wr, 0x4c00);
    lb_wr_u16(&wr, (uint16_t)(f.xid + (kind >> 7)));
    lb_wr_u16(&wr, 0);
    lb_wr_u32(&wr, kind & 0x1f);
    lb_wr_bytes(&wr, lb_bytes(content.p, LB_MIN(content.len, 65528u)));
    deliver(lb_wr_done(&wr));
}

static void step(struct lb_rd *rd) {
    struct lb_bytes bytes;
    switch (lb_rd_u8(rd) % 8) {
    case 0:
        f.now += lb_rd_u8(rd) * (LB_US_SEC / 16);
        break;
    case 1:
        if (f.until != LB_NEVER)
            f.now = LB_MAX(f.until, f.now);
        break;
    case 2:
        lb_isns_client_connected(&f.client, f.now);
        break;
    case 3:
        f.opens = 0;
        lb_isns_client_lost(&f.client, f.now, NULL);
        break;
    case 4:
        bytes = take(rd);
        lb_isns_client_input(&f.client, f.now, f.client.config.server, bytes);
        break;
    case 5:
        deliver(take(rd));
        break;
    case 6:
        answer_last(rd);
        break;
    default:
        if (f.ends == 1 && !f.withdraws)
            lb_isns_client_withdraw(&f.client, f.now);
        f.withdraws = f.ends == 1;
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct lb_rd rd = lb_rd(lb_bytes(data, size));
    uint8_t flags = lb_rd_u8(&rd);
    struct lb_isns_config config = {
        .server = test_at(9, 0),
        .own_address = flags & 1 ? lb_addr_v4(192, 0, 2, 3) : (struct lb_addr){0},
        .udp = flags & 2,
        .all_domains = flags & 4,
        .registration = (flags >> 3 & 3) % 3,
        .answer_ms = flags & 32 ? 1 : 0,
    };
    lb_text_copy(config.initiator, sizeof config.initiator, lb_bytes_of_text(ME));
    if (flags & 64)
        lb_text_copy(config.target, sizeof config.target, lb_bytes_of_text(TARGET));
    memset(&f, 0, sizeof f);
    f.now = LB_US_SEC;
    f.rand = test_rand(1);
    lb_trace_init(&f.trace, f.now, lb_span(f.ring, sizeof f.ring));
    lb_isns_client_init(&f.client, f.now, &config, &f.rand, &f.trace);
    run();
    for (unsigned i = 0; i < STEPS_MAX && rd.left > 0; i++) {
        step(&rd);
        run();
    }
    f.now += 100 * LB_US_SEC; /* whatever happened, it ends */
    run();
    lb_assert(f.ends >= 1 && f.until == LB_NEVER);
    return 0;
}
