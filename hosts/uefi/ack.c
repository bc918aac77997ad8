#include "hosts/uefi/ack.h"

#define TCP_BYTES 20
#define FLAGS_AT  13 /* in the TCP header */
#define ACK_FLAG  0x10

/* Where the TCP header is; 0: there is none, or IP has options. */
static size_t tcp_at(struct lb_bytes frame) {
    const uint8_t *f = frame.p;
    if (frame.len >= 34 + TCP_BYTES && f[12] == 0x08 && f[13] == 0x00 && f[14] == 0x45 &&
        f[23] == 6)
        return 34;
    return frame.len >= 54 + TCP_BYTES && f[12] == 0x86 && f[13] == 0xdd && f[20] == 6 ? 54 : 0;
}

static uint32_t acknowledged(const uint8_t *frame, size_t tcp) {
    struct lb_rd rd = lb_rd(lb_bytes(frame + tcp + 8, 4));
    return lb_rd_u32(&rd);
}

/* Of the connection that the held one is of: the peer's address, which stands before the TCP
 * header, and the ports. */
static bool is_of_held(const struct ack *ack, const uint8_t *frame, size_t tcp) {
    return ack->len == tcp + TCP_BYTES && memcmp(ack->frame + tcp - 4, frame + tcp - 4, 8) == 0 &&
           memcmp(ack->frame, frame, 6) == 0;
}

/* Neither the number nor the window is another than the held one's. */
static bool is_no_news(const struct ack *ack, const uint8_t *frame, size_t tcp) {
    return memcmp(ack->frame + tcp + 8, frame + tcp + 8, 4) == 0 &&
           memcmp(ack->frame + tcp + 14, frame + tcp + 14, 2) == 0;
}

struct lb_bytes ack_take(struct ack *ack) {
    size_t len = ack->len;
    memcpy(ack->given, ack->frame, len);
    ack->len = 0;
    return lb_bytes(ack->given, len);
}

struct lb_bytes ack_due(struct ack *ack, uint64_t now_us) {
    uint32_t most = ack->most != 0 ? ack->most : ACK_HELD_BYTES;
    if (ack->len == 0 || (now_us - ack->since_us < ACK_HELD_US &&
                          acknowledged(ack->frame, ack->len - TCP_BYTES) - ack->from < most))
        return lb_bytes(NULL, 0);
    return ack_take(ack);
}

bool ack_offer(struct ack *ack, uint64_t now_us, struct lb_bytes frame, struct lb_bytes *before) {
    size_t tcp = tcp_at(frame);
    bool is_same = tcp != 0 && is_of_held(ack, frame.p, tcp);
    bool is_mere = tcp != 0 && frame.len == tcp + TCP_BYTES && frame.p[tcp + 12] == 0x50 &&
                   frame.p[tcp + FLAGS_AT] == ACK_FLAG;
    *before = lb_bytes(NULL, 0);
    if (is_same && !is_mere && (frame.p[tcp + FLAGS_AT] & ACK_FLAG) != 0)
        ack->len = 0; /* carried along */
    if (!is_mere || (is_same && is_no_news(ack, frame.p, tcp))) {
        *before = ack_take(ack);
        return false;
    }
    if (!is_same) {
        *before = ack_take(ack);
        ack->since_us = now_us;
        ack->from = acknowledged(frame.p, tcp);
    }
    memcpy(ack->frame, frame.p, frame.len);
    ack->len = frame.len;
    return true;
}
