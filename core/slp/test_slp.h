/* What the SLP tests share: the names of their world, and messages made by hand. */
#ifndef LB_TEST_SLP_H
#define LB_TEST_SLP_H

#include "core/slp/slp_wire.h"

#define TEST_TARGET    "iqn.2001-04.com.example:sn.456"
#define TEST_INITIATOR "iqn.1998-03.com.example:hostid.045a7b"
#define TEST_URL       "service:iscsi:target://192.0.2.3:3260/" TEST_TARGET
#define TEST_TYPE      "service:iscsi:target"

/* Multicast SrvRqst, RFC 4018's query 1, computed apart from this code. */
#define VECTOR_REQUEST                                                                             \
    "0201000060 2000 000000 1234 0002656e 0000 0014736572766963653a69736373693a746172676574"       \
    "000744454641554c54 002b2869736373692d6e616d653d69716e2e323030312d30342e636f6d2e6578616d706c6" \
    "53a736e2e34353629 0000"
/* SrvRply with one URL and a lifetime of 300 s. */
#define VECTOR_REPLY                                                                               \
    "020200005e 0000 000000 1234 0002656e 0000 0001 00 012c "                                      \
    "0044736572766963653a69736373693a746172"                                                       \
    "6765743a2f2f3139322e302e322e333a333236302f69716e2e323030312d30342e636f6d2e6578616d706c653a73" \
    "6"                                                                                            \
    "e2e343536 00"

static inline struct lb_bytes text(const char *s) {
    return lb_bytes_of_text(s);
}

static inline struct lb_rand test_rand(uint8_t seed) {
    uint8_t bytes[LB_RAND_SEED_BYTES] = {seed};
    struct lb_rand rand;
    lb_rand_init(&rand, bytes);
    return rand;
}

static inline struct lb_addr addr(const char *s) {
    struct lb_addr a = {0};
    lb_addr_parse(lb_bytes_of_text(s), &a);
    return a;
}

static inline struct lb_endpoint from(const char *s) {
    return (struct lb_endpoint){.addr = addr(s), .port = LB_SLP_PORT};
}

#endif
