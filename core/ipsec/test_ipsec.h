/* What the test and the fuzz target of core/ipsec share: a pair of ends, and packets. */
#ifndef LB_TEST_IPSEC_H
#define LB_TEST_IPSEC_H

#include "core/base/text.h"
#include "core/ipsec/ipsec.h"

static inline struct lb_addr test_addr(const char *text) {
    struct lb_addr addr = {.family = LB_FAMILY_NONE};
    bool is_address = lb_addr_parse(lb_bytes_of_text(text), &addr);
    lb_assert(is_address);
    return addr;
}

/* The client's terms; the other end's are turned round. */
static inline struct lb_ipsec_terms test_terms(enum lb_ipsec_mode mode, bool is_v6, bool in_udp,
                                               bool has_esn) {
    struct lb_addr local = test_addr(is_v6 ? "2001:db8::64" : "192.0.2.100");
    struct lb_addr remote = test_addr(is_v6 ? "2001:db8::3" : "192.0.2.3");
    struct lb_ipsec_terms terms = {
        .mode = mode,
        .has_esn = has_esn,
        .out_spi = 0xc0ffee01,
        .in_spi = 0xc0ffee02,
        .key_len = 36,
        .local = {local, 4500},
        .remote = {remote, 4500},
        .in_udp = in_udp,
        .selector = {.local = local,
                     .remote = remote,
                     .protocol = 6,
                     .local_last = 65535,
                     .remote_first = 3260,
                     .remote_last = 3260},
    };
    static const char out[] = "2b9b2f8d7f6469c5053114fe8b9f093e4c8d1156c64f995b9b6455e3a98772fa"
                              "1f7a4aac";
    static const char in[] = "e2fe2358d4a4ce9eeb031a0a46eb7d740081ef5fef0f164d899155a8e69520c0"
                             "e5aac2f4";
    size_t len;
    lb_parse_hex_bytes(lb_bytes_of_text(out), lb_span(terms.out_key, 36), &len);
    lb_parse_hex_bytes(lb_bytes_of_text(in), lb_span(terms.in_key, 36), &len);
    return terms;
}

static inline struct lb_ipsec_terms test_turned(struct lb_ipsec_terms terms) {
    struct lb_ipsec_terms turned = terms;
    turned.out_spi = terms.in_spi;
    turned.in_spi = terms.out_spi;
    memcpy(turned.out_key, terms.in_key, sizeof turned.out_key);
    memcpy(turned.in_key, terms.out_key, sizeof turned.in_key);
    turned.local = terms.remote;
    turned.remote = terms.local;
    turned.selector.local = terms.selector.remote;
    turned.selector.remote = terms.selector.local;
    turned.selector.local_first = terms.selector.remote_first;
    turned.selector.local_last = terms.selector.remote_last;
    turned.selector.remote_first = terms.selector.local_first;
    turned.selector.remote_last = terms.selector.local_last;
    return turned;
}

/* A TCP segment from here to there, in its IP packet, without checksums. */
static inline struct lb_bytes test_packet(const struct lb_ipsec_terms *terms, uint16_t remote_port,
                                          size_t data_len, struct lb_span room) {
    struct lb_wr wr = lb_wr(room);
    uint16_t len = (uint16_t)(20 + data_len);
    if (terms->local.addr.family == LB_V4) {
        lb_wr_u16(&wr, 0x4500);
        lb_wr_u16(&wr, (uint16_t)(len + 20));
        lb_wr_u32(&wr, 0x00004000);
        lb_wr_u32(&wr, 0x40060000);
    } else {
        lb_wr_u32(&wr, 0x60000000);
        lb_wr_u16(&wr, len);
        lb_wr_u16(&wr, 0x0640);
    }
    lb_wr_addr(&wr, terms->selector.local);
    lb_wr_addr(&wr, terms->selector.remote);
    lb_wr_u16(&wr, 49152);
    lb_wr_u16(&wr, remote_port);
    lb_wr_u64(&wr, 0x0000000100000000);
    lb_wr_u64(&wr, 0x5002200000000000);
    for (size_t i = 0; i < data_len; i++)
        lb_wr_u8(&wr, (uint8_t)i);
    lb_assert(lb_wr_ok(&wr));
    return lb_wr_done(&wr);
}

#endif
