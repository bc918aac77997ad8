#include "hosts/uefi/numbers.h"
#include "hosts/uefi/guard.h"

#define ETHERNET_BYTES 14
#define IP4_ID_AT      4
#define IP4_SUM_AT     10
#define IP6_BYTES      40
#define IP6_NEXT_AT    6
#define IP6_FRAGMENT   44
#define FRAGMENT_BYTES 8
#define FRAGMENT_ID_AT 4

void numbers_init(struct numbers *numbers, struct lb_rand *rand) {
    lb_rand_fill(rand, lb_span((uint8_t *)numbers, sizeof *numbers));
}

static uint32_t keyed(const struct numbers *numbers, struct lb_bytes input) {
    uint8_t digest[LB_HASH_MAX_BYTES];
    lb_hmac(LB_HASH_SHA256, lb_bytes(numbers->secret, sizeof numbers->secret), &input, 1, digest);
    struct lb_rd rd = lb_rd(lb_bytes(digest, sizeof digest));
    return lb_rd_u32(&rd);
}

static void put_end(struct lb_wr *wr, struct lb_endpoint end) {
    lb_wr_u8(wr, (uint8_t)end.addr.family);
    lb_wr_addr(wr, end.addr);
    lb_wr_u16(wr, end.port);
}

uint32_t numbers_isn(const struct numbers *numbers, uint64_t now_us, struct lb_endpoint local,
                     struct lb_endpoint peer) {
    uint8_t input[64];
    struct lb_wr wr = lb_wr(lb_span(input, sizeof input));
    put_end(&wr, local);
    put_end(&wr, peer);
    return (uint32_t)(now_us / 4) + keyed(numbers, lb_wr_done(&wr));
}

/* M. Luby, C. Rackoff, 1988: four rounds of a Feistel network are a random permutation. */
uint16_t numbers_ip4_id(const struct numbers *numbers, uint16_t count) {
    uint8_t left = (uint8_t)(count >> 8), right = (uint8_t)count;
    for (size_t i = 0; i < LB_COUNT(numbers->rounds); i++) {
        uint8_t mixed = left ^ numbers->rounds[i][right];
        left = right;
        right = mixed;
    }
    return (uint16_t)(left << 8 | right);
}

uint32_t numbers_ip6_id(const struct numbers *numbers, uint32_t count) {
    uint8_t input[4];
    struct lb_wr wr = lb_wr(lb_span(input, sizeof input));
    lb_wr_u32(&wr, count);
    return keyed(numbers, lb_bytes(input, sizeof input));
}

static uint16_t get16(const uint8_t *at) {
    struct lb_rd rd = lb_rd(lb_bytes(at, 2));
    return lb_rd_u16(&rd);
}

static void put16(uint8_t *at, uint16_t value) {
    struct lb_wr wr = lb_wr(lb_span(at, 2));
    lb_wr_u16(&wr, value);
}

static void hide4(const struct numbers *numbers, struct lb_span packet) {
    size_t header = packet.len == 0 ? 0 : (size_t)(packet.p[0] & 0x0f) * 4;
    if (header < 20 || header > packet.len)
        return;
    put16(packet.p + IP4_ID_AT, numbers_ip4_id(numbers, get16(packet.p + IP4_ID_AT)));
    memset(packet.p + IP4_SUM_AT, 0, 2);
    uint16_t sum = (uint16_t)~guard_sum(packet.p, header);
    memcpy(packet.p + IP4_SUM_AT, &sum, sizeof sum); /* guard_sum is in the processor's order */
}

static void hide6(const struct numbers *numbers, struct lb_span packet) {
    if (packet.len < IP6_BYTES + FRAGMENT_BYTES || packet.p[IP6_NEXT_AT] != IP6_FRAGMENT)
        return;
    struct lb_rd rd = lb_rd(lb_bytes(packet.p + IP6_BYTES + FRAGMENT_ID_AT, 4));
    struct lb_wr wr = lb_wr(lb_span(packet.p + IP6_BYTES + FRAGMENT_ID_AT, 4));
    lb_wr_u32(&wr, numbers_ip6_id(numbers, lb_rd_u32(&rd)));
}

void numbers_hide_id(const struct numbers *numbers, struct lb_span frame) {
    if (frame.len <= ETHERNET_BYTES)
        return;
    uint16_t type = get16(frame.p + ETHERNET_BYTES - 2);
    struct lb_span packet = lb_span(frame.p + ETHERNET_BYTES, frame.len - ETHERNET_BYTES);
    if (type == 0x0800)
        hide4(numbers, packet);
    else if (type == 0x86dd)
        hide6(numbers, packet);
}

uint16_t numbers_port(struct lb_rand *rand) {
    return (uint16_t)(NUMBERS_PORT_FIRST + lb_rand_below(rand, 65536 - NUMBERS_PORT_FIRST));
}
