/* A configuration and then a search: each step is a byte that says what happens, and what that
 * needs.
 *
 *   0 N       N + 1 times a sixteenth of a second pass     4 F LL ...  a reply of LL bytes, its
 * header 1         time passes up to the next deadline                      made to fit request F
 *   2         the TCP connection is there                  5 LL ...    bytes by TCP, as they are
 *   3         it is lost                                   6 F LL ...  a reply by TCP, as for 4
 *                                                          7 S LL ...  LL bytes as they are, from S
 */
#include "core/slp/slp_client.h"
#include "core/slp/test_slp.h"
#include "tests/fuzz.h"

#define STEPS_MAX 300
#define POLLS_MAX 4000

static struct {
    struct lb_slp_client client;
    struct lb_rand rand;
    uint64_t now, began, until;
    bool is_over, is_connecting, is_open;
    struct lb_endpoint peer;
    struct {
        struct lb_endpoint to;
        uint16_t xid;
        uint8_t function;
    } asked[8]; /* the last ones */
    unsigned asked_count;
    unsigned founds;
} f;

static void check_send(const struct lb_slp_action *action) {
    struct lb_slp_header header;
    struct lb_slp_request request;
    struct lb_bytes body;
    const char *why;
    lb_assert(action->bytes.len <= LB_SLP_MTU);
    lb_assert(lb_slp_decode(action->bytes, &header, &body, &why));
    lb_assert(lb_slp_decode_request(body, &request));
    lb_assert(header.xid != 0 && action->to.port == LB_SLP_PORT);
    lb_assert(action->to.addr.family == f.client.config.family);
    bool is_multicast = lb_addr_is_multicast(action->to.addr);
    lb_assert(is_multicast == !!(header.flags & LB_SLP_MCAST));
    lb_assert(!is_multicast || !f.client.config.agents_only);
    f.asked[f.asked_count % 8].to = action->to;
    f.asked[f.asked_count % 8].xid = header.xid;
    f.asked[f.asked_count++ % 8].function = header.function;
}

static void check_found(const struct lb_slp_found *found) {
    lb_assert(found->isns == (f.client.config.query == LB_SLP_ISNS));
    lb_assert(found->port > 0 && lb_addr_is_host(found->agent));
    lb_assert(found->portal_group >= -1 && found->portal_group <= UINT16_MAX);
    lb_assert(f.client.config.query != LB_SLP_BY_TARGET ||
              lb_iscsi_names_equal(found->target, TEST_TARGET));
    f.founds++;
}

/* False: nothing more to do now. */
static bool check_action(const struct lb_slp_action *action) {
    switch (action->event) {
    case LB_SLP_WAIT:
        lb_assert(action->until_us > f.now && !f.is_over);
        f.until = action->until_us;
        return false;
    case LB_SLP_SEND:
        check_send(action);
        return true;
    case LB_SLP_CONNECT:
        lb_assert(!f.is_connecting && !f.is_open && !lb_addr_is_multicast(action->to.addr));
        f.is_connecting = true;
        return true;
    case LB_SLP_CLOSE:
        lb_assert(f.is_connecting || f.is_open);
        f.is_connecting = f.is_open = false;
        return true;
    case LB_SLP_FOUND:
        check_found(action->found);
        return true;
    case LB_SLP_DONE:
    case LB_SLP_FAILED:
        lb_assert((action->event == LB_SLP_FAILED) == !lb_is_ok(&f.client.error));
        lb_assert(!f.is_connecting && !f.is_open);
        f.is_over = true;
        return false;
    }
    return false;
}

static void run(void) {
    for (unsigned polls = 0;; polls++) {
        lb_assert(polls < POLLS_MAX);
        struct lb_slp_action action = lb_slp_client_poll(&f.client, f.now);
        if (!check_action(&action))
            break;
    }
    lb_assert(f.founds == f.client.found_count);
    lb_assert(f.client.listed_count <= LB_SLP_RESPONDERS_MAX);
}

/* A reply to one of the last requests; its function fits or is the next byte. */
static struct lb_bytes make_reply(struct lb_rd *rd, struct lb_endpoint *sender,
                                  struct lb_span room) {
    uint8_t which = lb_rd_u8(rd);
    uint8_t function = which & 0x40   ? LB_SLP_DA_ADVERT
                       : which & 0x20 ? LB_SLP_SA_ADVERT
                                      : LB_SLP_SRV_RPLY;
    uint16_t len = lb_rd_u16(rd);
    struct lb_wr wr = lb_wr(room);
    unsigned i = which % 8;
    if (f.asked[i].function == LB_SLP_ATTR_RQST)
        function = LB_SLP_ATTR_RPLY;
    *sender = f.asked[i].to;
    if (!lb_addr_is_host(sender->addr))
        sender->addr =
            f.client.config.family == LB_V4 ? lb_addr_v4(192, 0, 2, which) : addr("2001:db8::9");
    lb_slp_begin(&wr, (enum lb_slp_function)function, which & 0x80 ? LB_SLP_OVERFLOW : 0,
                 f.asked[i].xid, text("en"));
    lb_wr_bytes(&wr, lb_rd_bytes(rd, LB_MIN(len, rd->left)));
    return lb_slp_finish(&wr);
}

static void receive(struct lb_bytes bytes) {
    while (bytes.len > 0 && f.is_open) {
        struct lb_span room = lb_slp_client_where(&f.client);
        size_t len = LB_MIN(LB_MIN(bytes.len, room.len), 100);
        lb_assert(len > 0);
        memcpy(room.p, bytes.p, len);
        lb_slp_client_got(&f.client, f.now, len);
        bytes = lb_bytes_after(bytes, len);
        run();
    }
}

static void step(struct lb_rd *rd) {
    static uint8_t room[4096];
    struct lb_endpoint sender = from("192.0.2.9");
    uint8_t kind = lb_rd_u8(rd) % 8;
    switch (kind) {
    case 0:
        f.now += (lb_rd_u8(rd) + 1u) * (LB_US_SEC / 16);
        break;
    case 1:
        if (!f.is_over)
            f.now = LB_MAX(f.now, f.until);
        break;
    case 2:
        if (f.is_connecting) {
            lb_slp_client_connected(&f.client, f.now);
            lb_slp_client_sent(&f.client, lb_slp_client_gather(&f.client).len);
            f.is_open = true;
            f.is_connecting = false;
        }
        break;
    case 3:
        if (f.is_connecting || f.is_open)
            lb_slp_client_lost(&f.client, f.now);
        f.is_connecting = f.is_open = false;
        break;
    case 5:
        receive(lb_rd_bytes(rd, LB_MIN(lb_rd_u16(rd), rd->left)));
        break;
    case 4:
    case 6: {
        struct lb_bytes reply = make_reply(rd, &sender, lb_span(room, sizeof room));
        if (kind == 6)
            receive(reply);
        else
            lb_slp_client_input(&f.client, f.now, sender, reply);
        break;
    }
    default:
        sender.addr.bytes[3] = lb_rd_u8(rd);
        lb_slp_client_input(&f.client, f.now, sender,
                            lb_rd_bytes(rd, LB_MIN(lb_rd_u16(rd), rd->left)));
        break;
    }
}

/* However it went: it ends, in time. */
static void run_out(void) {
    for (unsigned i = 0; !f.is_over; i++) {
        lb_assert(i < STEPS_MAX);
        f.now = LB_MAX(f.now, f.until);
        run();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct lb_rd rd = lb_rd(lb_bytes(data, size));
    uint8_t flags = lb_rd_u8(&rd);
    struct lb_slp_config config = {
        .family = flags & 1 ? LB_V6 : LB_V4,
        .query = (enum lb_slp_query)(1 + lb_rd_u8(&rd) % 9),
        .initiator = TEST_INITIATOR,
        .target = TEST_TARGET,
        .chap_user = "user",
        .agents = {flags & 1 ? addr("2001:db8::5") : addr("192.0.2.5")},
        .agent_count = !!(flags & 2),
        .agents_only = flags & 4,
        .scopes = flags & 8 ? "" : NULL,
        .mtu = flags & 16 ? 150 : 0,
        .linger_ms = flags & 32 ? 100 : 0,
        .ask_portal_group = flags & 64,
        .start_wait_ms = flags & 128 ? 3000 : 0,
    };
    memset(&f, 0, sizeof f);
    f.now = f.began = LB_US_SEC;
    f.rand = test_rand(1);
    lb_slp_client_init(&f.client, f.now, &config, &f.rand, NULL);
    run();
    for (unsigned i = 0; i < STEPS_MAX && rd.left > 0; i++) {
        step(&rd);
        run();
    }
    run_out();
    return 0;
}
