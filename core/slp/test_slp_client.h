/* One SLP client and its host, for the tests: every call polls until there is nothing to do. */
#ifndef LB_TEST_SLP_CLIENT_H
#define LB_TEST_SLP_CLIENT_H

#include "core/slp/slp_client.h"
#include "core/slp/test_slp.h"
#include "tests/tap.h"

#define SEC       LB_US_SEC
#define MS        LB_US_MS
#define SENDS_MAX 64
#define FOUND_MAX 64

struct sent {
    struct lb_endpoint to;
    uint64_t at;
    struct lb_slp_header header;
    struct lb_slp_request request;
    uint8_t bytes[LB_SLP_DATAGRAM_MAX];
    size_t len;
};

static struct {
    struct lb_slp_client client;
    struct lb_rand rand;
    struct lb_trace trace;
    char ring[8192];
    uint64_t began, now, until;
    struct sent sends[SENDS_MAX];
    size_t send_count;
    struct lb_slp_found found[FOUND_MAX]; /* the first ones */
    size_t found_count;
    struct lb_endpoint connected_to;
    unsigned connects, closes;
    enum lb_slp_event end; /* WAIT: not yet */
} t;

static inline void note_send(const struct lb_slp_action *action) {
    struct sent *sent = &t.sends[t.send_count];
    struct lb_bytes body;
    const char *why;
    if (!CHECK(t.send_count < SENDS_MAX))
        return;
    t.send_count++;
    sent->to = action->to;
    sent->at = t.now;
    sent->len = action->bytes.len;
    memcpy(sent->bytes, action->bytes.p, action->bytes.len);
    CHECK(lb_slp_decode(lb_bytes(sent->bytes, sent->len), &sent->header, &body, &why));
    CHECK(lb_slp_decode_request(body, &sent->request));
}

static inline void note_found(const struct lb_slp_found *found) {
    if (t.found_count < FOUND_MAX)
        t.found[t.found_count] = *found;
    t.found_count++;
}

/* Polls until there is nothing to do, as a host does. */
static inline void run(void) {
    for (unsigned polls = 0; polls < 20000; polls++) {
        struct lb_slp_action action = lb_slp_client_poll(&t.client, t.now);
        switch (action.event) {
        case LB_SLP_WAIT:
            CHECK(action.until_us > t.now);
            t.until = action.until_us;
            return;
        case LB_SLP_SEND:
            note_send(&action);
            break;
        case LB_SLP_CONNECT:
            t.connects++;
            t.connected_to = action.to;
            break;
        case LB_SLP_CLOSE:
            t.closes++;
            break;
        case LB_SLP_FOUND:
            note_found(action.found);
            break;
        case LB_SLP_DONE:
        case LB_SLP_FAILED:
            t.end = action.event;
            t.until = LB_NEVER;
            return;
        }
    }
    bool polls_come_to_an_end = false;
    CHECK(polls_come_to_an_end);
}

static inline void start_with(struct lb_slp_config config, uint8_t seed) {
    memset(&t, 0, sizeof t);
    t.began = t.now = 1000 * SEC;
    t.rand = test_rand(seed);
    if (config.family == LB_FAMILY_NONE)
        config.family = LB_V4;
    if (config.query == 0)
        config.query = LB_SLP_BOOT_LIST;
    if (!config.initiator)
        config.initiator = TEST_INITIATOR;
    if (!config.target)
        config.target = TEST_TARGET;
    lb_trace_init(&t.trace, t.now, lb_span(t.ring, sizeof t.ring));
    lb_slp_client_init(&t.client, t.now, &config, &t.rand, &t.trace);
    run();
}

static inline void start(struct lb_slp_config config) {
    start_with(config, 1);
}

/* Time passes, with a stop at every deadline. */
static inline void advance(uint64_t us) {
    uint64_t to = t.now + us;
    while (t.until <= to && t.end == LB_SLP_WAIT) {
        t.now = t.until;
        run();
    }
    t.now = to;
    run();
}

/* To the end, whenever that is; gives how long it took from the start. */
static inline uint64_t run_out(void) {
    for (unsigned i = 0; i < 1000 && t.end == LB_SLP_WAIT; i++) {
        t.now = t.until;
        run();
    }
    CHECK(t.end != LB_SLP_WAIT);
    return t.now - t.began;
}

/* The last request for this type that was sent to this address; len 0: none. */
static inline const struct sent *sent_to(const char *to, const char *type) {
    for (size_t i = t.send_count; i-- > 0;) {
        if (lb_addr_equal(t.sends[i].to.addr, addr(to)) &&
            lb_text_is(t.sends[i].request.type, type))
            return &t.sends[i];
    }
    static const struct sent nothing;
    return &nothing;
}

static inline bool was_sent(const char *to, const char *type) {
    return sent_to(to, type)->len > 0;
}

#define GROUP "239.255.255.253"

static inline uint16_t xid_to(const char *to, const char *type) {
    const struct sent *sent = sent_to(to, type);
    CHECK(sent->len > 0);
    return sent->header.xid;
}

static inline bool give(const char *sender, struct lb_bytes bytes) {
    bool taken = lb_slp_client_input(&t.client, t.now, from(sender), bytes);
    run();
    return taken;
}

/* A SrvRply with up to three URLs. */
struct reply {
    uint16_t xid;
    unsigned flags;
    uint16_t error;
    const char *urls[3];
    unsigned more; /* said to be there, and not there */
};

static inline struct lb_bytes make_reply(struct reply reply, struct lb_span room) {
    struct lb_wr wr = lb_wr(room);
    unsigned count = 0;
    while (count < LB_COUNT(reply.urls) && reply.urls[count])
        count++;
    lb_slp_begin(&wr, LB_SLP_SRV_RPLY, reply.flags, reply.xid, text("en"));
    lb_wr_u16(&wr, reply.error);
    lb_wr_u16(&wr, (uint16_t)(count + reply.more));
    for (unsigned i = 0; i < count; i++)
        lb_slp_put_entry(&wr, 300, text(reply.urls[i]));
    return lb_slp_finish(&wr);
}

static inline bool give_reply(const char *sender, struct reply reply) {
    uint8_t room[LB_SLP_DATAGRAM_MAX];
    return give(sender, make_reply(reply, lb_span(room, sizeof room)));
}

/* The answer of a service agent to our multicast. */
#define ANSWER(sender, ...)                                                                        \
    give_reply(sender, (struct reply){.xid = xid_to(GROUP, TEST_TYPE), .urls = {__VA_ARGS__}})
/* The answer of a directory agent that was asked. */
#define AGENT_ANSWER(sender, ...)                                                                  \
    give_reply(sender, (struct reply){.xid = xid_to(sender, TEST_TYPE), .urls = {__VA_ARGS__}})

struct advert {
    uint16_t xid, error;
    bool goes_down;
    const char *url, *scopes;
};

static inline bool give_da_advert(const char *sender, struct advert advert) {
    uint8_t room[LB_SLP_DATAGRAM_MAX];
    struct lb_wr wr = lb_wr(lb_span(room, sizeof room));
    lb_slp_begin(&wr, LB_SLP_DA_ADVERT, 0, advert.xid, text("en"));
    lb_wr_u16(&wr, advert.error);
    lb_wr_u32(&wr, advert.goes_down ? 0 : 7);
    lb_slp_put_text(&wr, advert.url);
    lb_slp_put_text(&wr, advert.scopes ? advert.scopes : "DEFAULT");
    lb_slp_put_text(&wr, "");
    lb_slp_put_text(&wr, "");
    lb_wr_u8(&wr, 0);
    return give(sender, lb_slp_finish(&wr));
}

#define ADVERT(sender, ...)                                                                        \
    give_da_advert(sender, (struct advert){.xid = xid_to(GROUP, LB_SLP_TYPE_DIRECTORY),            \
                                           .url = "service:directory-agent://" sender,             \
                                           __VA_ARGS__})

/* Bytes come by TCP. */
static inline void receive(struct lb_bytes bytes, size_t step) {
    while (bytes.len > 0) {
        struct lb_span room = lb_slp_client_where(&t.client);
        size_t len = LB_MIN(LB_MIN(step, room.len), bytes.len);
        if (len == 0)
            return;
        memcpy(room.p, bytes.p, len);
        lb_slp_client_got(&t.client, t.now, len);
        bytes = lb_bytes_after(bytes, len);
        run();
    }
}

#endif
