/* One DHCPv4 client and its host, for the tests: every call polls until there is nothing to do. */
#ifndef LB_TEST_DHCP4_CLIENT_H
#define LB_TEST_DHCP4_CLIENT_H

#include "core/dhcp4/test_dhcp4.h"
#include "tests/tap.h"

#define SEC LB_US_SEC

/* One client, its host, and what it did since `seen` was cleared. */
static struct {
    struct lb_dhcp4_client client;
    struct lb_rand rand;
    struct lb_trace trace;
    char ring[16384];
    uint64_t now;
    uint64_t until;              /* the last WAIT */
    struct lb_dhcp4_action send; /* the last SEND */
    uint8_t bytes[LB_DHCP4_PACKET_MAX];
    struct lb_dhcp4_message sent;
    struct lb_addr probe;
} t;

static struct { unsigned sends, probes, gots, losts, offers, failures; } seen;

static inline void clear_seen(void) {
    memset(&seen, 0, sizeof seen);
}

static inline void note_send(const struct lb_dhcp4_action *action) {
    const char *why;
    seen.sends++;
    t.send = *action;
    CHECK(action->bytes.len <= sizeof t.bytes);
    memcpy(t.bytes, action->bytes.p, action->bytes.len);
    CHECK(lb_dhcp4_decode(lb_bytes(t.bytes, action->bytes.len), &t.sent, &why));
}

/* Polls until there is nothing to do, as a host does. */
static inline void run(void) {
    for (unsigned polls = 0; polls < 12; polls++) {
        struct lb_dhcp4_action action = lb_dhcp4_client_poll(&t.client, t.now);
        switch (action.event) {
        case LB_DHCP4_WAIT:
            CHECK(action.until_us > t.now);
            t.until = action.until_us;
            return;
        case LB_DHCP4_SEND:
            note_send(&action);
            break;
        case LB_DHCP4_PROBE:
            seen.probes++;
            t.probe = action.probe;
            break;
        case LB_DHCP4_GOT:
            seen.gots++;
            break;
        case LB_DHCP4_LOST:
            seen.losts++;
            break;
        case LB_DHCP4_OFFERS:
            seen.offers++;
            break;
        case LB_DHCP4_FAILED:
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

static inline void start(struct lb_dhcp4_config config) {
    memset(&t, 0, sizeof t);
    clear_seen();
    t.now = 1000 * SEC;
    t.rand = test_rand(1);
    memcpy(config.mac, test_mac, sizeof config.mac);
    lb_trace_init(&t.trace, t.now, lb_span(t.ring, sizeof t.ring));
    lb_dhcp4_client_init(&t.client, t.now, &config, &t.rand, &t.trace);
    run();
}

/* A server's message comes in; the transaction and an address are filled in where not given. */
static inline bool give(struct made made) {
    uint8_t room[LB_DHCP4_PACKET_MAX];
    struct lb_addr server = lb_addr_is_set(made.server) ? made.server : v4(192, 0, 2, 1);
    if (made.xid == 0)
        made.xid = t.client.xid;
    bool has_address =
        made.type == LB_DHCP4_OFFER || made.type == LB_DHCP4_ACK || made.type == LB_DHCP4_BOOTP;
    if (has_address && !lb_addr_is_set(made.yiaddr))
        made.yiaddr = v4(192, 0, 2, 100);
    if (has_address && made.lease_s == 0 && made.type != LB_DHCP4_BOOTP && !made.no_lease_time)
        made.lease_s = 3600;
    bool taken = lb_dhcp4_client_input(&t.client, t.now, test_from(server),
                                       make(made, lb_span(room, sizeof room)));
    run();
    return taken;
}

static inline bool trace_has(const char *part) {
    char line[LB_TRACE_LINE_MAX];
    struct lb_bytes wanted = lb_bytes_of_text(part);
    lb_trace_rewind(&t.trace);
    while (lb_trace_next(&t.trace, line)) {
        struct lb_bytes left = lb_bytes_of_text(line);
        for (; left.len >= wanted.len; left = lb_bytes_after(left, 1)) {
            if (lb_bytes_start_with(left, wanted))
                return true;
        }
    }
    return false;
}

#define GIVE(...)              give((struct made){.type = __VA_ARGS__})
#define CHECK_STATE(name)      CHECK_STR(lb_dhcp4_state_word(t.client.state), name)
#define CHECK_ADDR(addr, text) CHECK_STR(lb_addr_text(addr).s, text)
/* The server and the lack of an address of a proxyDHCP offer. */
#define PROXY .yiaddr = {.family = LB_V4}, .server = v4(192, 0, 2, 7)
#define ISCSI .root_path = TEST_ROOT_PATH

static inline void reach_requesting(struct lb_dhcp4_config config) {
    start(config);
    CHECK(GIVE(LB_DHCP4_OFFER, ISCSI));
    CHECK_STATE("REQUESTING");
}

/* The offer of a server that has refused: others are waited for first. */
static inline void offered_again(void) {
    CHECK(GIVE(LB_DHCP4_OFFER, ISCSI));
    if (t.client.state == LB_DHCP4_SELECTING)
        advance_to(t.until);
    CHECK_STATE("REQUESTING");
}

static inline void reach_checking(void) {
    reach_requesting((struct lb_dhcp4_config){0});
    CHECK(GIVE(LB_DHCP4_ACK, ISCSI));
    CHECK_STATE("CHECKING");
}

static inline void reach_bound(struct made ack) {
    reach_requesting((struct lb_dhcp4_config){.no_arp_probe = true});
    ack.type = LB_DHCP4_ACK;
    CHECK(give(ack));
    CHECK_STATE("BOUND");
    clear_seen();
}

static inline bool asks_for(uint8_t code) {
    struct lb_bytes list;
    if (!lb_dhcp4_option(&t.sent, LB_OPT_PARAMETERS, &list))
        return false;
    for (size_t i = 0; i < list.len; i++) {
        if (list.p[i] == code)
            return true;
    }
    return false;
}

static inline bool has(uint8_t code) {
    struct lb_bytes value;
    return lb_dhcp4_option(&t.sent, code, &value);
}

static inline const char *sent_addr(uint8_t code) {
    static struct lb_addr_text text;
    struct lb_addr addr;
    if (!lb_dhcp4_option_addr(&t.sent, code, &addr))
        return "absent";
    text = lb_addr_text(addr);
    return text.s;
}

static inline void give_up_after(struct lb_dhcp4_config config, enum lb_code code) {
    while (t.client.state != LB_DHCP4_STOPPED)
        advance_to(t.until);
    CHECK_EQ(t.now, 1000 * SEC + config.give_up_ms * LB_US_MS);
    CHECK_EQ(seen.failures, 1);
    CHECK_EQ(t.client.error.code, code);
    CHECK_EQ(t.until, LB_NEVER);
}

#endif
