/* The DHCPv4 server with a client of a few lines, for its tests. */
#ifndef LB_TEST_DHCP4_SERVER_H
#define LB_TEST_DHCP4_SERVER_H

#include "core/dhcp4/test_dhcp4.h"
#include "tests/tap.h"

#define SEC      LB_US_SEC
#define BINDINGS 4
#define OTHER    "iscsi:192.0.2.1::::iqn.2001-04.com.example:other"

static struct {
    struct lb_dhcp4_server server;
    struct lb_binding bindings[BINDINGS];
    uint64_t now;
    struct lb_dhcp4_reply reply;
    uint8_t room[LB_DHCP4_PACKET_MAX];
    struct lb_dhcp4_message answer;
    struct lb_dhcp4_lease lease;
} t;

static inline struct lb_dhcp4_server_config plain(void) {
    return (struct lb_dhcp4_server_config){
        .server = v4(192, 0, 2, 1),
        .network = {.addr = v4(192, 0, 2, 0), .len = 24},
        .first = v4(192, 0, 2, 100),
        .last = v4(192, 0, 2, 109),
        .router = v4(192, 0, 2, 254),
        .dns = v4(192, 0, 2, 53),
        .mtu = 1500,
        .root_path = lb_bytes_of_text(TEST_ROOT_PATH),
    };
}

static inline void start(struct lb_dhcp4_server_config config) {
    memset(&t, 0, sizeof t);
    t.now = 1000 * SEC;
    lb_dhcp4_server_init(&t.server, &config, t.bindings, BINDINGS);
}

/* With so many addresses in the pool: others' come to be given only when none is fresh. */
static inline void start_with(uint8_t addresses) {
    struct lb_dhcp4_server_config config = plain();
    config.last = v4(192, 0, 2, (uint8_t)(99 + addresses));
    start(config);
}

/* A client's message to order; machines differ in the last byte of their hardware address. */
struct asked {
    enum lb_dhcp4_type type;
    uint8_t machine; /* 0: 1 */
    struct lb_addr ciaddr, giaddr, requested, server_id;
    uint16_t flags, max_size;
    bool rapid_commit, ask_root_path, at_boot_port;
    struct lb_bytes client_id, relay_agent, machine_id;
    struct lb_bytes parameters, root_path; /* options 55 and 17 */
    struct lb_addr subnet;
};

static inline void asked_options(const struct asked *asked, struct lb_wr *list) {
    if (asked->type != LB_DHCP4_BOOTP)
        lb_dhcp4_put_u8(list, LB_OPT_TYPE, (uint8_t)asked->type);
    if (lb_addr_is_set(asked->requested))
        lb_dhcp4_put_addr(list, LB_OPT_REQUESTED_ADDRESS, asked->requested);
    if (lb_addr_is_set(asked->server_id))
        lb_dhcp4_put_addr(list, LB_OPT_SERVER_ID, asked->server_id);
    if (asked->max_size)
        lb_dhcp4_put_u16(list, LB_OPT_MAX_SIZE, asked->max_size);
    if (asked->rapid_commit)
        lb_dhcp4_put(list, LB_OPT_RAPID_COMMIT, lb_bytes(asked, 0));
    if (asked->ask_root_path)
        lb_dhcp4_put_u8(list, LB_OPT_PARAMETERS, LB_OPT_ROOT_PATH);
    if (asked->parameters.p)
        lb_dhcp4_put(list, LB_OPT_PARAMETERS, asked->parameters);
    if (asked->root_path.p)
        lb_dhcp4_put(list, LB_OPT_ROOT_PATH, asked->root_path);
    if (asked->client_id.p)
        lb_dhcp4_put(list, LB_OPT_CLIENT_ID, asked->client_id);
    if (asked->machine_id.p)
        lb_dhcp4_put(list, LB_OPT_MACHINE, asked->machine_id);
    if (lb_addr_is_set(asked->subnet))
        lb_dhcp4_put_addr(list, LB_OPT_SUBNET, asked->subnet);
    if (asked->relay_agent.p)
        lb_dhcp4_put(list, LB_OPT_RELAY_AGENT, asked->relay_agent);
}

/* Gives the type of the answer; BOOTP (0) where it has none, -1 where there is no answer. */
static inline int ask(struct asked asked) {
    uint8_t room[LB_DHCP4_PACKET_MAX], memory[512];
    struct lb_wr list = lb_wr(lb_span(memory, sizeof memory));
    struct lb_dhcp4_header header = {
        .op = LB_BOOTREQUEST,
        .htype = 1,
        .hlen = 6,
        .xid = 7,
        .flags = asked.flags,
        .ciaddr = asked.ciaddr,
        .giaddr = asked.giaddr,
        .chaddr = {2, 0, 0, 0, 0, asked.machine ? asked.machine : 1},
    };
    asked_options(&asked, &list);
    struct lb_dhcp4_layout layout = {.max_bytes = sizeof room};
    struct lb_bytes request = lb_dhcp4_encode(&header, &list, layout, lb_span(room, sizeof room));
    struct lb_endpoint from = {.addr = v4(192, 0, 2, 77), .port = 68};
    struct lb_span answer = lb_span(t.room, sizeof t.room);
    t.reply = asked.at_boot_port
                  ? lb_dhcp4_server_input_boot(&t.server, t.now, from, request, answer)
                  : lb_dhcp4_server_input(&t.server, t.now, from, request, answer);
    if (t.reply.bytes.len == 0)
        return -1;
    const char *why = NULL;
    CHECK(lb_dhcp4_decode(t.reply.bytes, &t.answer, &why));
    CHECK_EQ(t.answer.header.op, LB_BOOTREPLY);
    CHECK_EQ(t.answer.header.xid, 7);
    CHECK_EQ(t.answer.header.chaddr[5], header.chaddr[5]);
    lb_dhcp4_read_lease(&t.answer, v4(192, 0, 2, 1), &t.lease);
    return (int)t.answer.type;
}

#define ASK(...)               ask((struct asked){.type = __VA_ARGS__})
#define CHECK_ADDR(addr, text) CHECK_STR(lb_addr_text(addr).s, text)
#define US                     .server_id = v4(192, 0, 2, 1)
#define SILENCE                -1

/* DISCOVER and REQUEST of a machine; gives its address. */
static inline struct lb_addr take_lease(uint8_t machine) {
    CHECK_EQ(ASK(LB_DHCP4_DISCOVER, .machine = machine), LB_DHCP4_OFFER);
    struct lb_addr address = t.answer.header.yiaddr;
    CHECK_EQ(ASK(LB_DHCP4_REQUEST, .machine = machine, US, .requested = address), LB_DHCP4_ACK);
    return address;
}

static inline bool root_path_is(const char *text) {
    return lb_bytes_equal(lb_bytes(t.lease.root_path, t.lease.root_path_len),
                          lb_bytes_of_text(text));
}

#endif
