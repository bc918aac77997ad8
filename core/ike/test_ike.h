/* Two machines of core/ike and the network between them, for tests and the fuzz target: one is the
 * initiator, the other the responder. What comes up is tried by ESP in both directions. */
#ifndef LB_TEST_IKE_H
#define LB_TEST_IKE_H

#include "core/ike/ike_state.h"

enum { PAIR_FLIGHT = 16, PAIR_PAIRS = 8 };

struct end {
    struct lb_ike ike;
    struct lb_rand rand;
    struct lb_ipsec pairs[PAIR_PAIRS]; /* in use, the newest last */
    size_t pair_count;
    unsigned ups, gones, failures, sends;
};

struct flight {
    uint64_t at_us; /* 0: none */
    int to;
    size_t len;
    struct lb_endpoint from, dest;
    uint8_t bytes[4 + LB_IKE_MESSAGE_MAX];
};

static struct pair {
    struct end ends[2];
    struct lb_rand chance;
    struct lb_trace trace;
    char ring[16384];
    uint64_t now;
    struct flight flight[PAIR_FLIGHT];
    unsigned lose_percent, double_percent, late_percent;
    bool has_nat;        /* the responder sees the initiator at another address */
    size_t message;      /* of all that were sent */
    size_t change;       /* this one of them is changed, counted from 1; 0: none */
    size_t change_at;    /* at this byte */
    uint8_t change_bits; /* by these bits */
    size_t changed_len;  /* how long it was */
} pair;

static inline struct lb_addr pair_addr(const char *text) {
    struct lb_addr addr = {.family = LB_FAMILY_NONE};
    bool is_address = lb_addr_parse(lb_bytes_of_text(text), &addr);
    lb_assert(is_address);
    return addr;
}

/* As the initiator is told; the responder's is turned round. */
static inline struct lb_ike_config pair_config(bool is_responder) {
    struct lb_addr client = pair_addr("192.0.2.100"), server = pair_addr("192.0.2.3");
    struct lb_ike_config config = {
        .psk = lb_bytes_of_text("a secret of the pair"),
        .id = is_responder ? "server.example" : "client.example",
        .peer_id = is_responder ? "client.example" : "server.example",
        .is_responder = is_responder,
        .local = is_responder ? server : client,
        .remote = is_responder ? (struct lb_addr){.family = LB_FAMILY_NONE} : server,
        .selector = {.local = client,
                     .remote = server,
                     .protocol = 6,
                     .local_last = 65535,
                     .remote_first = 3260,
                     .remote_last = 3260},
    };
    if (is_responder)
        config.selector = (struct lb_ipsec_selector){.local = server,
                                                     .remote = client,
                                                     .protocol = 6,
                                                     .local_first = 3260,
                                                     .local_last = 3260,
                                                     .remote_last = 65535};
    return config;
}

static inline void pair_start(struct lb_ike_config client, struct lb_ike_config server) {
    memset(&pair, 0, sizeof pair);
    pair.now = 1000 * LB_US_SEC;
    lb_trace_init(&pair.trace, pair.now, lb_span(pair.ring, sizeof pair.ring));
    for (uint8_t i = 0; i < 2; i++) {
        uint8_t seed[LB_RAND_SEED_BYTES] = {(uint8_t)(i + 1)};
        lb_rand_init(&pair.ends[i].rand, seed);
        seed[0] = 3;
        lb_rand_init(&pair.chance, seed);
        lb_ike_init(&pair.ends[i].ike, pair.now, i == 0 ? &client : &server, &pair.ends[i].rand,
                    &pair.trace);
    }
}

static inline bool pair_chance(unsigned percent) {
    return percent > 0 && lb_rand_below(&pair.chance, 100) < percent;
}

static inline void pair_post(int to, const struct lb_ike_action *action) {
    for (size_t i = 0; i < PAIR_FLIGHT; i++) {
        struct flight *f = &pair.flight[i];
        if (f->at_us != 0)
            continue;
        uint64_t delay_us = pair_chance(pair.late_percent) ? 700 * LB_US_MS : LB_US_MS;
        *f = (struct flight){.at_us = pair.now + delay_us,
                             .to = to,
                             .len = action->bytes.len,
                             .from = action->from,
                             .dest = action->to};
        memcpy(f->bytes, action->bytes.p, action->bytes.len);
        if (pair.has_nat && to == 1)
            f->from.addr = pair_addr("203.0.113.9");
        if (pair.has_nat && to == 0)
            f->dest.addr = pair_addr("192.0.2.100");
        if (pair.change != 0 && pair.message == pair.change) {
            pair.changed_len = f->len;
            if (pair.change_at < f->len)
                f->bytes[pair.change_at] ^= pair.change_bits;
        }
        return;
    }
}

static inline void pair_send(int from, const struct lb_ike_action *action) {
    pair.ends[from].sends++;
    pair.message++;
    if (pair_chance(pair.lose_percent))
        return;
    pair_post(!from, action);
    if (pair_chance(pair.double_percent))
        pair_post(!from, action);
}

static inline void pair_up(struct end *end, const struct lb_ipsec_terms *terms) {
    lb_assert(end->pair_count < PAIR_PAIRS);
    lb_ipsec_begin(&end->pairs[end->pair_count++], terms);
    end->ups++;
}

static inline void pair_gone(struct end *end, uint32_t spi) {
    size_t kept = 0;
    for (size_t i = 0; i < end->pair_count; i++)
        if (end->pairs[i].in.spi != spi)
            end->pairs[kept++] = end->pairs[i];
    end->pair_count = kept;
    end->gones++;
}

/* Polls one end until there is nothing to do; gives when it is to be polled again. */
static inline uint64_t pair_poll(int which) {
    struct end *end = &pair.ends[which];
    for (unsigned polls = 0;; polls++) {
        lb_assert(polls < 20);
        struct lb_ike_action action = lb_ike_poll(&end->ike, pair.now);
        switch (action.event) {
        case LB_IKE_WAIT:
            lb_assert(action.until_us > pair.now);
            return action.until_us;
        case LB_IKE_SEND:
            pair_send(which, &action);
            break;
        case LB_IKE_UP:
            pair_up(end, action.terms);
            break;
        case LB_IKE_GONE:
            pair_gone(end, action.spi);
            break;
        case LB_IKE_FAILED:
            end->failures++;
            end->pair_count = 0;
            break;
        }
    }
}

static inline void pair_deliver(struct flight *f) {
    f->at_us = 0;
    lb_ike_input(&pair.ends[f->to].ike, pair.now, f->from, f->dest, lb_span(f->bytes, f->len));
}

/* From event to event, until a time. */
static inline void pair_run(uint64_t us) {
    uint64_t end_us = pair.now + us;
    for (;;) {
        uint64_t next = end_us, a = pair_poll(0), b = pair_poll(1);
        struct flight *first = NULL;
        next = LB_MIN(next, LB_MIN(a, b));
        for (size_t i = 0; i < PAIR_FLIGHT; i++)
            if (pair.flight[i].at_us != 0 && pair.flight[i].at_us <= next) {
                first = &pair.flight[i];
                next = first->at_us;
            }
        pair.now = LB_MAX(next, pair.now);
        if (first != NULL)
            pair_deliver(first);
        else if (pair.now >= end_us)
            return;
    }
}

/* Whether what one end seals by its newest pair, the other opens by one of its own. */
static inline bool pair_passes(int from) {
    struct end *a = &pair.ends[from], *b = &pair.ends[!from];
    uint8_t room[128];
    if (a->pair_count == 0)
        return false;
    struct lb_bytes esp = lb_ipsec_seal_payload(&a->pairs[a->pair_count - 1], lb_bytes("data", 4),
                                                6, lb_span(room, sizeof room));
    for (size_t i = 0; i < b->pair_count; i++) {
        struct lb_span payload;
        uint8_t next;
        uint8_t copy[128];
        memcpy(copy, room, esp.len);
        if (lb_ipsec_open_payload(&b->pairs[i], lb_span(copy, esp.len), &payload, &next))
            return payload.len == 4 && memcmp(payload.p, "data", 4) == 0;
    }
    return false;
}

#endif
