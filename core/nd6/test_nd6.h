/* What the tests of nd6 share: advertisements of others, and one client with its host. */
#ifndef LB_TEST_ND6_H
#define LB_TEST_ND6_H

#include "core/nd6/nd6_client.h"
#include "tests/tap.h"

#define SEC LB_US_SEC

/* radvd 2.19 (Debian 12), captured: prefixes 2001:db8:1::/64 (L, A, 86400 s, 14400 s) and
 * 2001:db8:2::/64 (A, for ever), a route, two resolvers, two domains, MTU 1400; M, O, High. */
#define RADVD                                                                                      \
    "8600 8cae 40c8 0708 0000 0000 0000 0000"                                                      \
    "0304 40c0 0001 5180 0000 3840 0000 0000 2001 0db8 0001 0000 0000 0000 0000 0000"              \
    "0304 4040 ffff ffff ffff ffff 0000 0000 2001 0db8 0002 0000 0000 0000 0000 0000"              \
    "1803 2818 0000 0258 2001 0db8 ff00 0000 0000 0000 0000 0000"                                  \
    "1905 0000 0000 012c 2001 0db8 0001 0000 0000 0000 0000 0053"                                  \
    "                    2001 0db8 0001 0000 0000 0000 0000 0054"                                  \
    "1f05 0000 0000 012c 0462 6f6f 7407 6578 616d 706c 6503 6f72 6700 0765 7861 6d70"              \
    "                    6c65 036f 7267 0000"                                                      \
    "0501 0000 0000 0578 0101 0200 0000 0001"

/* dnsmasq 2.90 (Debian 12), captured: 2001:db8:1::/64 (L, A, 3600 s), MTU 1500, a domain, a
 * resolver; M, O. */
#define DNSMASQ                                                                                    \
    "8600 47e3 40c0 0708 0000 0000 0000 0000"                                                      \
    "0304 40c0 0000 0e10 0000 0e10 0000 0000 2001 0db8 0001 0000 0000 0000 0000 0000"              \
    "0501 0000 0000 05dc 0101 0200 0000 0001"                                                      \
    "1f03 0000 0000 0e10 0765 7861 6d70 6c65 036f 7267 0000 0000"                                  \
    "1903 0000 0000 0e10 2001 0db8 0001 0000 0000 0000 0000 0053"

static const uint8_t test_mac[6] = {2, 0, 0, 0, 0, 2};

static inline struct lb_addr v6(const char *text) {
    struct lb_addr addr = {0};
    lb_assert(lb_addr_parse_v6(lb_bytes_of_text(text), &addr));
    return addr;
}

static inline struct lb_nd6_ra_prefix test_prefix(const char *text, uint32_t valid_s,
                                                  uint32_t preferred_s) {
    return (struct lb_nd6_ra_prefix){.prefix = {v6(text), 64},
                                     .on_link = true,
                                     .autonomous = true,
                                     .valid_s = valid_s,
                                     .preferred_s = preferred_s};
}

/* One prefix, a day and an hour; a router of half an hour. */
static inline struct lb_nd6_ra test_ra(void) {
    return (struct lb_nd6_ra){.lifetime_s = 1800,
                              .prefixes = {test_prefix("2001:db8:1::", 86400, 3600)},
                              .prefix_count = 1};
}

/* One client, and what it did since `seen` was cleared. */
static struct {
    struct lb_nd6_client client;
    struct lb_nd6_config config;
    struct lb_rand rand;
    uint64_t now, until;
    struct lb_nd6_action send; /* the last */
    uint8_t bytes[16];
    struct lb_addr probes[16];
} t;

static struct { unsigned sends, probes, gots, losts, no_routers; } seen;

static inline void note(const struct lb_nd6_action *action) {
    switch (action->event) {
    case LB_ND6_SEND:
        seen.sends++;
        t.send = *action;
        CHECK(action->bytes.len <= sizeof(t.bytes));
        memcpy(t.bytes, action->bytes.p, action->bytes.len);
        t.send.bytes.p = t.bytes;
        return;
    case LB_ND6_PROBE:
        CHECK(seen.probes < LB_COUNT(t.probes));
        t.probes[seen.probes++ % LB_COUNT(t.probes)] = action->probe;
        return;
    case LB_ND6_GOT:
        seen.gots++;
        return;
    case LB_ND6_LOST:
        seen.losts++;
        return;
    case LB_ND6_NO_ROUTER:
        seen.no_routers++;
        return;
    case LB_ND6_WAIT:
        return;
    }
}

/* Polls until there is nothing to do, as a host does. */
static inline void run(void) {
    for (unsigned polls = 0; polls < 32; polls++) {
        struct lb_nd6_action action = lb_nd6_client_poll(&t.client, t.now);
        if (action.event == LB_ND6_WAIT) {
            CHECK(action.until_us > t.now);
            t.until = action.until_us;
            return;
        }
        note(&action);
    }
    bool polls_come_to_an_end = false;
    CHECK(polls_come_to_an_end);
}

static inline void clear_seen(void) {
    memset(&seen, 0, sizeof(seen));
}

static inline void advance(uint64_t us) {
    t.now += us;
    run();
}

static inline void start(void) {
    static const uint8_t seed[LB_RAND_SEED_BYTES] = {6};
    memset(&t.client, 0, sizeof(t.client));
    clear_seen();
    t.now = 1000 * SEC;
    memcpy(t.config.mac, test_mac, sizeof(test_mac));
    lb_rand_init(&t.rand, seed);
    lb_nd6_client_init(&t.client, t.now, &t.config, &t.rand, NULL);
    run();
}

static inline void begin(void) {
    t.config = (struct lb_nd6_config){0};
    start();
}

static inline bool hear_bytes(const char *from, struct lb_bytes bytes) {
    bool taken = lb_nd6_client_input(&t.client, t.now, v6(from), bytes);
    run();
    return taken;
}

static inline bool hear(const char *from, const struct lb_nd6_ra *ra) {
    uint8_t room[LB_ND6_PACKET_MAX];
    struct lb_bytes bytes = lb_nd6_ra_encode(ra, lb_span(room, sizeof(room)));
    CHECK(bytes.len > 0);
    return hear_bytes(from, bytes);
}

static inline void probed(const char *addr, bool conflict) {
    lb_nd6_client_probed(&t.client, t.now, v6(addr), conflict);
    run();
}

#define LINK_LOCAL "fe80::ff:fe00:2"
#define ADDRESS    "2001:db8:1::ff:fe00:2"
#define ROUTER     "fe80::ff:fe00:1"
#define ROUTER2    "fe80::ff:fe00:9"

/* Up to a link-local address and one of ADDRESS. */
static inline void set_up(const struct lb_nd6_ra *ra) {
    begin();
    probed(LINK_LOCAL, false);
    CHECK(hear(ROUTER, ra));
    probed(ADDRESS, false);
    clear_seen();
}

#endif
