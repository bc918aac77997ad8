/* What the tests and fuzz targets of core/dhcp4 share: addresses, a seeded generator, servers'
 * messages made to order, and other people's (tests/vectors/dhcp4.inc). */
#ifndef LB_TEST_DHCP4_H
#define LB_TEST_DHCP4_H

#include "core/dhcp4/dhcp4_wire.h"

#define TEST_ROOT_PATH "iscsi:192.0.2.1:6:3260:1:iqn.2001-04.com.example:disk"

static const uint8_t test_mac[6] = {2, 0, 0, 0, 0, 1};

static inline struct lb_addr v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d) {
    return lb_addr_v4(a, b, c, d);
}

static inline struct lb_endpoint test_from(struct lb_addr server) {
    return (struct lb_endpoint){.addr = server, .port = LB_DHCP4_SERVER_PORT};
}

static inline struct lb_rand test_rand(uint8_t seed) {
    uint8_t bytes[LB_RAND_SEED_BYTES] = {seed};
    struct lb_rand rand;
    lb_rand_init(&rand, bytes);
    return rand;
}

/* A server's message to order. Zero fields: not sent, or a default that suits. */
struct made {
    enum lb_dhcp4_type type;
    uint32_t xid;
    struct lb_addr yiaddr;
    struct lb_addr server; /* none: 192.0.2.1 */
    bool no_server_id, no_cookie, no_lease_time, rapid_commit;
    uint8_t op;       /* 0: BOOTREPLY */
    uint8_t mac_last; /* 0: as test_mac */
    uint32_t lease_s, t1_s, t2_s;
    const char *root_path;
    struct lb_bytes client_id; /* echoed when p is set */
    struct lb_bytes options;   /* more, as on the wire */
};

static inline void made_options(const struct made *made, struct lb_wr *list) {
    struct lb_addr server = lb_addr_is_set(made->server) ? made->server : v4(192, 0, 2, 1);
    if (made->type != LB_DHCP4_BOOTP)
        lb_dhcp4_put_u8(list, LB_OPT_TYPE, (uint8_t)made->type);
    if (made->type != LB_DHCP4_BOOTP && !made->no_server_id)
        lb_dhcp4_put_addr(list, LB_OPT_SERVER_ID, server);
    if (made->lease_s)
        lb_dhcp4_put_u32(list, LB_OPT_LEASE_TIME, made->lease_s);
    if (made->t1_s)
        lb_dhcp4_put_u32(list, LB_OPT_T1, made->t1_s);
    if (made->t2_s)
        lb_dhcp4_put_u32(list, LB_OPT_T2, made->t2_s);
    if (made->root_path)
        lb_dhcp4_put_text(list, LB_OPT_ROOT_PATH, made->root_path);
    if (made->client_id.p)
        lb_dhcp4_put(list, LB_OPT_CLIENT_ID, made->client_id);
    if (made->rapid_commit)
        lb_dhcp4_put(list, LB_OPT_RAPID_COMMIT, lb_bytes(made, 0));
    for (struct lb_rd rd = lb_rd(made->options); rd.left > 0;) {
        uint8_t code = lb_rd_u8(&rd);
        lb_dhcp4_put(list, code, lb_rd_bytes(&rd, lb_rd_u8(&rd)));
    }
}

static inline struct lb_bytes make(struct made made, struct lb_span room) {
    uint8_t memory[2048];
    struct lb_wr list = lb_wr(lb_span(memory, sizeof memory));
    struct lb_dhcp4_header header = {
        .op = made.op ? made.op : LB_BOOTREPLY,
        .htype = 1,
        .hlen = 6,
        .xid = made.xid,
        .yiaddr = made.yiaddr,
    };
    memcpy(header.chaddr, test_mac, sizeof test_mac);
    if (made.mac_last)
        header.chaddr[5] = made.mac_last;
    made_options(&made, &list);
    struct lb_dhcp4_layout layout = {.max_bytes = room.len, .overload = true};
    struct lb_bytes message = lb_dhcp4_encode(&header, &list, layout, room);
    if (made.no_cookie)
        room.p[LB_DHCP4_HEADER_BYTES] ^= 0xff;
    return message;
}

#endif
