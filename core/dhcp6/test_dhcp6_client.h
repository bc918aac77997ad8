/* One DHCPv6 client and its host, for the tests: every call polls until there is nothing to do. */
#ifndef LB_TEST_DHCP6_CLIENT_H
#define LB_TEST_DHCP6_CLIENT_H

#include "core/dhcp6/test_dhcp6.h"
#include "tests/tap.h"

#define SEC LB_US_SEC

/* One client, its host, and what it did since `seen` was cleared. */
static struct {
    struct lb_dhcp6_client client;
    struct lb_rand rand;
    struct lb_trace trace;
    char ring[16384];
    uint64_t now;
    uint64_t until;              /* the last WAIT */
    struct lb_dhcp6_action send; /* the last SEND */
    uint8_t bytes[LB_DHCP6_PACKET_MAX];
    struct lb_dhcp6_message sent;
    struct lb_addr probes[LB_DHCP6_ADDRS_MAX]; /* since `seen` was cleared */
} t;

static struct { unsigned sends, probes, gots, losts, offers, failures; } seen;

static inline void clear_seen(void) {
    memset(&seen, 0, sizeof seen);
}

static inline void note_send(const struct lb_dhcp6_action *action) {
    const char *why;
    seen.sends++;
    t.send = *action;
    CHECK(action->bytes.len <= sizeof t.bytes);
    memcpy(t.bytes, action->bytes.p, action->bytes.len);
    CHECK(lb_dhcp6_decode(lb_bytes(t.bytes, action->bytes.len), &t.sent, &why));
}

/* Polls until there is nothing to do, as a host does. */
static inline void run(void) {
    for (unsigned polls = 0; polls < 12; polls++) {
        struct lb_dhcp6_action action = lb_dhcp6_client_poll(&t.client, t.now);
        switch (action.event) {
        case LB_DHCP6_WAIT:
            CHECK(action.until_us > t.now);
            t.until = action.until_us;
            return;
        case LB_DHCP6_SEND:
            note_send(&action);
            break;
        case LB_DHCP6_PROBE:
            CHECK(seen.probes < LB_COUNT(t.probes));
            t.probes[seen.probes++ % LB_COUNT(t.probes)] = action.probe;
            break;
        case LB_DHCP6_GOT:
            seen.gots++;
            break;
        case LB_DHCP6_LOST:
            seen.losts++;
            break;
        case LB_DHCP6_OFFERS:
            seen.offers++;
            break;
        case LB_DHCP6_FAILED:
            seen.failures++;
            break;
        }
    }
    bool polls_come_to_an_end = false;
    CHECK(polls_come_to_an_end);
}

static inline void advance_to(uint64_t now) {
    CHECK(now >= t.now);
    t.now = now;
    run();
}

static inline void advance(uint64_t us) {
    advance_to(t.now + us);
}

static inline void start(struct lb_dhcp6_config config) {
    memset(&t, 0, sizeof t);
    clear_seen();
    t.now = 1000 * SEC;
    t.rand = test_rand(1);
    if (config.duid.len == 0)
        config.duid = test_client_duid();
    config.iaid = TEST_IAID;
    lb_trace_init(&t.trace, t.now, lb_span(t.ring, sizeof t.ring));
    lb_dhcp6_client_init(&t.client, t.now, &config, &t.rand, &t.trace);
    run();
}

/* A server's message comes in; the transaction is filled in where not given. */
static inline bool give(struct made made) {
    uint8_t room[LB_DHCP6_PACKET_MAX];
    if (made.xid == 0)
        made.xid = t.client.xid;
    bool taken = lb_dhcp6_client_input(&t.client, t.now, test_from(),
                                       make(made, lb_span(room, sizeof room)));
    run();
    return taken;
}

static inline void answer_probe(const char *addr, bool conflict) {
    lb_dhcp6_client_probed(&t.client, t.now, v6(addr), conflict);
    run();
}

#define GIVE(...)              give((struct made){.type = __VA_ARGS__})
#define CHECK_STATE(name)      CHECK_STR(lb_dhcp6_state_word(t.client.state), name)
#define CHECK_SENT(name)       CHECK_STR(lb_dhcp6_type_word(t.sent.type), name)
#define CHECK_ADDR(addr, text) CHECK_STR(lb_addr_text(addr).s, text)
#define ISCSI                  .root_path = TEST_ROOT_PATH

static inline void reach_requesting(struct lb_dhcp6_config config) {
    start(config);
    CHECK(GIVE(LB_DHCP6_ADVERTISE, ISCSI));
    CHECK_STATE("REQUESTING");
}

static inline void reach_checking(void) {
    reach_requesting((struct lb_dhcp6_config){0});
    CHECK(GIVE(LB_DHCP6_REPLY, ISCSI));
    CHECK_STATE("CHECKING");
}

static inline void reach_bound_as(struct lb_dhcp6_config config, struct made reply) {
    config.no_probe = true;
    reach_requesting(config);
    reply.type = LB_DHCP6_REPLY;
    CHECK(give(reply));
    CHECK_STATE("BOUND");
    clear_seen();
}

static inline void reach_bound(struct made reply) {
    reach_bound_as((struct lb_dhcp6_config){0}, reply);
}

static inline void reach_informed(struct made reply) {
    start((struct lb_dhcp6_config){.stateless = true});
    reply.type = LB_DHCP6_REPLY;
    reply.no_ia = true;
    reply.root_path = TEST_ROOT_PATH;
    CHECK(give(reply));
    CHECK_STATE("INFORMED");
    clear_seen();
}

static inline bool has(uint16_t code) {
    struct lb_bytes value;
    return lb_dhcp6_find(t.sent.options, code, &value);
}

static inline bool asks_for(uint16_t code) {
    struct lb_bytes list;
    if (!lb_dhcp6_find(t.sent.options, LB_OPT6_ORO, &list))
        return false;
    for (struct lb_rd rd = lb_rd(list); rd.left > 0;) {
        if (lb_rd_u16(&rd) == code)
            return true;
    }
    return false;
}

/* The addresses in our IA_NA, "a b"; "no IA". */
static inline const char *sent_addrs(void) {
    static char text[200];
    struct lb_dhcp6_ia ia;
    struct lb_text list = lb_text(text, sizeof text);
    if (!lb_dhcp6_find_ia(t.sent.options, TEST_IAID, &ia))
        return "no IA";
    for (size_t i = 0; i < ia.addr_count; i++)
        lb_text_add(&list, "%s%s", i > 0 ? " " : "", lb_addr_text(ia.addrs[i].addr).s);
    return text;
}

static inline unsigned elapsed(void) {
    struct lb_bytes value;
    if (!lb_dhcp6_find(t.sent.options, LB_OPT6_ELAPSED, &value))
        return 99999999;
    struct lb_rd rd = lb_rd(value);
    return lb_rd_u16(&rd);
}

static inline bool is_sent_to(uint8_t server) {
    struct lb_duid duid, wanted = test_server_duid(server);
    return lb_dhcp6_find_duid(t.sent.options, LB_OPT6_SERVER_ID, &duid) &&
           lb_duid_equal(&duid, &wanted);
}

#endif
