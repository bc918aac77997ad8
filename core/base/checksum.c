#include "core/base/checksum.h"

/* Four bytes at a time, in this machine's order: of the folded sum the two bytes change places
 * with it (RFC 1071 2). What is odd is followed by zeros. */
static uint32_t sum_of(uint32_t sum, struct lb_bytes bytes) {
    uint64_t total = 0;
    uint32_t word;
    size_t at = 0;
    for (; bytes.len - at >= sizeof word; at += sizeof word) {
        memcpy(&word, bytes.p + at, sizeof word);
        total += word;
    }
    uint8_t last[sizeof word] = {0}, pair[2];
    for (size_t i = 0; at + i < bytes.len; i++)
        last[i] = bytes.p[at + i];
    memcpy(&word, last, sizeof word);
    total += word;
    while (total >> 16 != 0)
        total = (total & 0xffff) + (total >> 16);
    uint16_t half = (uint16_t)total;
    memcpy(pair, &half, sizeof pair);
    return sum + ((uint32_t)pair[0] << 8 | pair[1]);
}

static uint16_t fold(uint32_t sum) {
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

uint16_t lb_checksum(struct lb_bytes bytes) {
    return fold(sum_of(0, bytes));
}

uint16_t lb_checksum_payload(struct lb_addr from, struct lb_addr to, uint8_t protocol,
                             struct lb_bytes payload) {
    size_t len = to.family == LB_V6 ? 16 : 4;
    uint32_t sum = sum_of(0, lb_bytes(from.bytes, len));
    sum = sum_of(sum, lb_bytes(to.bytes, len));
    return fold(sum_of(sum + protocol + (uint32_t)payload.len, payload));
}
