/* What the tests and fuzz targets of core/isns share: a server with tables, a client, and the wire
 * between them, in memory. */
#ifndef LB_TEST_ISNS_H
#define LB_TEST_ISNS_H

#include "core/isns/isns_client.h"
#include "core/isns/isns_server.h"

#define ME         "iqn.1998-03.com.example:hostid.045a7b"
#define TARGET     "iqn.2001-04.com.example:disk"
#define OTHER      "iqn.2001-04.com.example:other"
#define TARGETS    10000
#define ANSWER_MAX (4u << 20)
#define FOUND_MAX  128

static inline struct lb_endpoint test_at(uint8_t last, uint16_t port) {
    return (struct lb_endpoint){.addr = lb_addr_v4(192, 0, 2, last), .port = port};
}

/* A server, its tables and the client that asks it. */
static struct {
    struct lb_isns_server server;
    struct lb_isns_entity entities[TARGETS + 100];
    struct lb_isns_node nodes[TARGETS + 100];
    struct lb_isns_node_portal portals[TARGETS + 100];
    struct lb_isns_group groups[16];
    struct lb_isns_dd domains[100];
    struct lb_isns_member members[2 * TARGETS + 200];

    struct lb_isns_client client;
    struct lb_isns_config config;
    struct lb_rand rand;
    struct lb_trace trace;
    char ring[2000];
    uint64_t now;
    struct lb_isns_found found[FOUND_MAX];
    size_t found_count;
    enum lb_isns_event end; /* WAIT: none yet */

    /* The wire. */
    size_t chunk; /* bytes given to the client at a time; 0: all */
    unsigned connects, closes, datagrams;
    unsigned lose_datagrams; /* the next ones do not arrive */
    unsigned close_after;    /* the server closes after so many answers; 0: never */
    unsigned answers;        /* of this connection */
    unsigned busy;           /* the next answers say so */
    size_t cut_answer;       /* the server closes after so many bytes of an answer; 0: never */
    unsigned cuts;           /* how often; each time less */
    bool is_silent, is_refused, is_open;
    uint8_t request[8192];
    size_t request_len;
    uint8_t answer[ANSWER_MAX];
    size_t answer_len, answer_at;
} t;

static inline struct lb_rand test_rand(uint8_t seed) {
    uint8_t bytes[LB_RAND_SEED_BYTES] = {seed};
    struct lb_rand rand;
    lb_rand_init(&rand, bytes);
    return rand;
}

/* A server with empty tables. */
static inline void test_server(struct lb_isns_server_config config) {
    struct lb_isns_tables tables = {
        .entities = t.entities,
        .nodes = t.nodes,
        .portals = t.portals,
        .groups = t.groups,
        .domains = t.domains,
        .members = t.members,
        .entity_cap = LB_COUNT(t.entities),
        .node_cap = LB_COUNT(t.nodes),
        .portal_cap = LB_COUNT(t.portals),
        .group_cap = LB_COUNT(t.groups),
        .domain_cap = LB_COUNT(t.domains),
        .member_cap = LB_COUNT(t.members),
    };
    memset(&t, 0, sizeof t);
    t.now = LB_US_SEC;
    t.rand = test_rand(1);
    t.config = (struct lb_isns_config){.server = test_at(9, 0)};
    lb_text_copy(t.config.initiator, sizeof t.config.initiator, lb_bytes_of_text(ME));
    lb_trace_init(&t.trace, t.now, lb_span(t.ring, sizeof t.ring));
    config.trace = &t.trace;
    lb_isns_server_init(&t.server, &config, &tables);
}

/* A node in an entity of its own, at 192.0.2.LAST:3260; last 0: without a portal. */
static inline uint32_t test_node(const char *name, uint32_t type, uint8_t last) {
    uint32_t entity = lb_isns_server_add_entity(&t.server, name + 17, LB_NEVER);
    if (last)
        lb_isns_server_add_portal(&t.server, entity, test_at(last, 3260));
    return lb_isns_server_add_node(&t.server, entity, name, type, "");
}

static inline void test_domain(uint32_t id, uint32_t features, const char *a, const char *b) {
    uint32_t domain = lb_isns_server_add_domain(&t.server, id, "domain", features);
    if (a)
        lb_isns_server_add_member(&t.server, domain, a);
    if (b)
        lb_isns_server_add_member(&t.server, domain, b);
}

static inline void test_target(const char *target) {
    lb_text_copy(t.config.target, sizeof t.config.target, lb_bytes_of_text(target));
}

/* A request is answered; the answer waits on the wire. */
static inline void test_serve(struct lb_bytes request) {
    struct lb_bytes answer =
        lb_isns_server_input(&t.server, t.now, request,
                             lb_span(t.answer + t.answer_len, sizeof t.answer - t.answer_len));
    if (t.busy > 0) { /* status word, and the rest stays */
        t.busy--;
        t.answer[t.answer_len + 15] = LB_ISNS_BUSY;
    }
    t.answers++;
    t.answer_len += answer.len;
}

static inline void test_stream_in(struct lb_bytes bytes) {
    memcpy(t.request + t.request_len, bytes.p, bytes.len);
    t.request_len += bytes.len;
    for (;;) {
        size_t len = lb_isns_message_len(lb_bytes(t.request, t.request_len));
        if (len == 0 || len == SIZE_MAX || t.is_silent)
            return;
        test_serve(lb_bytes(t.request, len));
        memmove(t.request, t.request + len, t.request_len - len);
        t.request_len -= len;
    }
}

static inline void test_lose(const char *why) {
    t.is_open = false;
    t.request_len = t.answer_len = t.answer_at = 0;
    t.answers = 0;
    lb_isns_client_lost(&t.client, t.now, why);
}

/* Moves bytes both ways; false: nothing moved. */
static inline bool test_move(void) {
    struct lb_bytes out = lb_isns_client_gather(&t.client);
    struct lb_span in = lb_isns_client_where(&t.client);
    size_t n = LB_MIN(in.len, t.answer_len - t.answer_at);
    if (!t.is_open)
        return false;
    if (n == 0 && t.close_after && t.answers >= t.close_after) {
        test_lose(NULL);
        return true;
    }
    if (out.len > 0) {
        test_stream_in(out);
        lb_isns_client_sent(&t.client, t.now, out.len);
        return true;
    }
    if (t.chunk)
        n = LB_MIN(n, t.chunk);
    if (t.cut_answer && t.cuts > 0 && t.answer_at >= t.cut_answer) {
        t.cuts--;
        test_lose(NULL);
        return true;
    }
    if (n == 0)
        return false;
    memcpy(in.p, t.answer + t.answer_at, n);
    t.answer_at += n;
    if (t.answer_at == t.answer_len)
        t.answer_at = t.answer_len = 0;
    lb_isns_client_got(&t.client, t.now, n);
    return true;
}

static inline void test_datagram(struct lb_bytes bytes) {
    t.datagrams++;
    if (t.lose_datagrams > 0) {
        t.lose_datagrams--;
        return;
    }
    if (t.is_silent)
        return;
    memcpy(t.request + t.request_len + 2, bytes.p, bytes.len);
    t.request[t.request_len] = (uint8_t)(bytes.len >> 8);
    t.request[t.request_len + 1] = (uint8_t)bytes.len;
    t.request_len += bytes.len + 2;
}

/* Delivers what was sent by UDP. */
static inline bool test_deliver(void) {
    struct lb_rd rd = lb_rd(lb_bytes(t.request, t.request_len));
    if (!t.config.udp || t.request_len == 0)
        return false;
    size_t len = lb_rd_u16(&rd);
    test_serve(lb_rd_bytes(&rd, len));
    memmove(t.request, t.request + len + 2, t.request_len - len - 2);
    t.request_len -= len + 2;
    size_t answer_len = t.answer_len;
    t.answer_len = 0;
    lb_isns_client_input(&t.client, t.now, t.client.config.server, lb_bytes(t.answer, answer_len));
    return true;
}

static inline void test_event(struct lb_isns_action action) {
    switch (action.event) {
    case LB_ISNS_CONNECT:
        t.connects++;
        t.is_open = !t.is_refused;
        if (t.is_refused)
            lb_isns_client_lost(&t.client, t.now, "refused");
        else
            lb_isns_client_connected(&t.client, t.now);
        break;
    case LB_ISNS_CLOSE:
        t.closes++;
        t.is_open = false;
        t.request_len = t.answer_len = t.answer_at = 0;
        break;
    case LB_ISNS_SEND:
        test_datagram(action.bytes);
        break;
    case LB_ISNS_FOUND:
        if (t.found_count < FOUND_MAX)
            t.found[t.found_count] = *action.found;
        t.found_count++;
        break;
    case LB_ISNS_DONE:
    case LB_ISNS_FAILED:
        t.end = action.event;
        break;
    case LB_ISNS_WAIT:
        break;
    }
}

/* From where it is to the end. */
static inline void test_go_on(void) {
    t.end = LB_ISNS_WAIT;
    for (unsigned i = 0; i < 10000000 && t.end == LB_ISNS_WAIT; i++) {
        struct lb_isns_action action = lb_isns_client_poll(&t.client, t.now);
        test_event(action);
        if (action.event != LB_ISNS_WAIT || test_move() || test_deliver())
            continue;
        lb_assert(action.until_us > t.now);
        if (action.until_us == LB_NEVER)
            return;
        t.now = action.until_us;
    }
}

static inline void test_run(void) {
    lb_isns_client_init(&t.client, t.now, &t.config, &t.rand, &t.trace);
    test_go_on();
}

static inline const char *test_explain(void) {
    static char room[1000];
    struct lb_text text = lb_text(room, sizeof room);
    lb_isns_client_explain(&t.client, &text);
    return room;
}

#endif
