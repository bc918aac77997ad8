/* What the tests and fuzz targets of core/dhcp6 share: identifiers, a seeded generator, and
 * servers' messages made to order. */
#ifndef LB_TEST_DHCP6_H
#define LB_TEST_DHCP6_H

#include "core/dhcp6/dhcp6_wire.h"

#define TEST_ROOT_PATH "iscsi:[2001:db8::1]:6:3260:1:iqn.2001-04.com.example:disk"
#define TEST_IAID      0x00000001

static const uint8_t test_mac[6] = {2, 0, 0, 0, 0, 1};

static inline struct lb_addr v6(const char *text) {
    struct lb_addr addr = {0};
    bool is_address = lb_addr_parse(lb_bytes_of_text(text), &addr);
    lb_assert(is_address);
    return addr;
}

static inline struct lb_endpoint test_from(void) {
    return (struct lb_endpoint){.addr = v6("fe80::1"), .port = LB_DHCP6_SERVER_PORT};
}

static inline struct lb_rand test_rand(uint8_t seed) {
    uint8_t bytes[LB_RAND_SEED_BYTES] = {seed};
    struct lb_rand rand;
    lb_rand_init(&rand, bytes);
    return rand;
}

static inline struct lb_duid test_client_duid(void) {
    return lb_duid_ll(test_mac);
}

static inline struct lb_duid test_server_duid(uint8_t number) {
    uint8_t mac[6] = {2, 0, 0, 0, 1, number};
    return lb_duid_ll(mac);
}

/* A server's message to order. Zero fields: not sent, or a default that suits. */
struct made {
    uint8_t type;
    uint32_t xid;
    uint8_t server; /* which one; 0: 1 */
    bool no_server_id, no_client_id, other_client, rapid_commit, no_ia, no_addr;
    uint32_t iaid;                 /* 0: TEST_IAID */
    const char *addr, *addr2;      /* NULL: 2001:db8::100, and no second one */
    uint32_t preferred_s, valid_s; /* 0: 3600, 7200 */
    bool is_over;                  /* both lifetimes 0; of addr alone */
    uint32_t t1_s, t2_s;
    uint16_t status, ia_status;
    const char *root_path;
    uint8_t preference;
    uint32_t sol_max_rt_s, refresh_s;
    struct lb_bytes options; /* more, as on the wire */
};

static inline void made_ia(const struct made *made, struct lb_wr *wr) {
    uint32_t valid_s = made->valid_s ? made->valid_s : 7200;
    uint32_t preferred_s = made->preferred_s ? made->preferred_s : LB_MIN(3600, valid_s);
    size_t opened =
        lb_dhcp6_open_ia(wr, made->iaid ? made->iaid : TEST_IAID, made->t1_s, made->t2_s);
    if (made->ia_status)
        lb_dhcp6_put_status(wr, made->ia_status, "not you");
    else if (!made->no_addr)
        lb_dhcp6_put_iaaddr(wr, v6(made->addr ? made->addr : "2001:db8::100"),
                            made->is_over ? 0 : preferred_s, made->is_over ? 0 : valid_s);
    if (made->addr2)
        lb_dhcp6_put_iaaddr(wr, v6(made->addr2), preferred_s, valid_s);
    lb_dhcp6_close(wr, opened);
}

static inline struct lb_bytes make(struct made made, struct lb_span room) {
    struct lb_wr wr = lb_wr(room);
    struct lb_duid server = test_server_duid(made.server ? made.server : 1);
    struct lb_duid client = made.other_client ? test_server_duid(99) : test_client_duid();
    lb_dhcp6_put_header(&wr, made.type, made.xid);
    if (!made.no_client_id)
        lb_dhcp6_put_duid(&wr, LB_OPT6_CLIENT_ID, &client);
    if (!made.no_server_id)
        lb_dhcp6_put_duid(&wr, LB_OPT6_SERVER_ID, &server);
    if (made.status)
        lb_dhcp6_put_status(&wr, made.status, "no\nway");
    if (!made.no_ia)
        made_ia(&made, &wr);
    if (made.rapid_commit)
        lb_dhcp6_put(&wr, LB_OPT6_RAPID_COMMIT, lb_bytes(room.p, 0));
    if (made.preference)
        lb_dhcp6_put_u8(&wr, LB_OPT6_PREFERENCE, made.preference);
    if (made.root_path)
        lb_dhcp6_put(&wr, LB_OPT6_BOOT_URL, lb_bytes_of_text(made.root_path));
    if (made.sol_max_rt_s)
        lb_dhcp6_put_u32(&wr, LB_OPT6_SOL_MAX_RT, made.sol_max_rt_s);
    if (made.refresh_s)
        lb_dhcp6_put_u32(&wr, LB_OPT6_REFRESH, made.refresh_s);
    lb_wr_bytes(&wr, made.options);
    lb_assert(lb_wr_ok(&wr));
    return lb_wr_done(&wr);
}

#endif
