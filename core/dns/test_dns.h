/* What the tests and fuzz targets of core/dns share: building an answer to a query. */
#ifndef LB_TEST_DNS_H
#define LB_TEST_DNS_H

#include "core/dns/dns_client.h"

enum { RESPONSE = 0x8180, TRUNCATED = 0x0200 }; /* flags: a recursive server's answer */

static inline void test_write_name(struct lb_wr *wr, const char *name) {
    struct lb_bytes rest = lb_bytes_of_text(name), label;
    while (lb_list_next(&rest, '.', &label)) {
        lb_wr_u8(wr, (uint8_t)label.len);
        lb_wr_bytes(wr, label);
    }
    lb_wr_u8(wr, 0);
}

/* The head of an answer: id and question of the query, with these flags and so many records. */
static inline struct lb_wr test_answer(struct lb_bytes query, unsigned flags, unsigned records,
                                       struct lb_span room) {
    struct lb_wr wr = lb_wr(room);
    lb_wr_bytes(&wr, query);
    lb_wr_u16_at(&wr, 2, (uint16_t)flags);
    lb_wr_u16_at(&wr, 6, (uint16_t)records);
    return wr;
}

static inline void test_record(struct lb_wr *wr, const char *owner, unsigned type,
                               struct lb_bytes data) {
    test_write_name(wr, owner);
    lb_wr_u16(wr, (uint16_t)type);
    lb_wr_u16(wr, 1);
    lb_wr_u32(wr, 60);
    lb_wr_u16(wr, (uint16_t)data.len);
    lb_wr_bytes(wr, data);
}

static inline void test_address(struct lb_wr *wr, const char *owner, const char *address) {
    struct lb_addr addr = {0};
    lb_addr_parse(lb_bytes_of_text(address), &addr);
    test_record(wr, owner, addr.family == LB_V4 ? LB_DNS_A : LB_DNS_AAAA,
                lb_bytes(addr.bytes, addr.family == LB_V4 ? 4 : 16));
}

static inline void test_alias(struct lb_wr *wr, const char *owner, const char *target) {
    uint8_t room[300];
    struct lb_wr data = lb_wr(lb_span(room, sizeof room));
    test_write_name(&data, target);
    test_record(wr, owner, LB_DNS_CNAME, lb_wr_done(&data));
}

#endif
