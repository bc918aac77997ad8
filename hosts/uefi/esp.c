#include "hosts/uefi/esp.h"
#include "hosts/uefi/frame.h"

#define PORT          4500
#define MACS_BYTES    12
#define UDP_BYTES     8
#define FRAGMENT_BITS 0x3fff /* more fragments, and the offset */
#define TYPE_IPV4     0x0800
#define TYPE_IPV6     0x86dd

/* ---- guards ---------------------------------------------------------------------------------- */

bool esp_is_guarded(const struct esp_guards *guards, uint8_t protocol, struct lb_endpoint peer) {
    for (size_t i = 0; i < guards->count; i++)
        if (guards->all[i].protocol == protocol && lb_endpoint_equal(guards->all[i].peer, peer))
            return true;
    return false;
}

bool esp_guard(struct esp_guards *guards, uint8_t protocol, struct lb_endpoint peer) {
    if (esp_is_guarded(guards, protocol, peer))
        return true;
    if (guards->count == ESP_GUARDS_MAX)
        return false;
    guards->all[guards->count].protocol = protocol;
    guards->all[guards->count++].peer = peer;
    return true;
}

/* ---- packets --------------------------------------------------------------------------------- */

/* An IP packet taken apart, without options and extension headers. */
struct parts {
    uint8_t protocol; /* 0: it has such, or is a fragment */
    struct lb_addr from, to;
    struct lb_rd rest; /* behind the IP header, without padding */
};

static void take_v4(struct parts *parts, struct lb_rd *rd) {
    bool has_options = lb_rd_u16(rd) >> 8 != 0x45;
    size_t len = lb_rd_u16(rd);
    lb_rd_skip(rd, 2);
    bool is_fragment = lb_rd_u16(rd) & FRAGMENT_BITS;
    lb_rd_skip(rd, 1);
    parts->protocol = lb_rd_u8(rd);
    lb_rd_skip(rd, 2);
    parts->from = lb_rd_v4(rd);
    parts->to = lb_rd_v4(rd);
    parts->rest = lb_rd(lb_rd_bytes(rd, len - 20));
    if (has_options || is_fragment)
        parts->protocol = 0;
}

static void take_v6(struct parts *parts, struct lb_rd *rd) {
    lb_rd_skip(rd, 4);
    size_t len = lb_rd_u16(rd);
    parts->protocol = lb_rd_u8(rd);
    lb_rd_skip(rd, 1);
    parts->from = lb_rd_v6(rd);
    parts->to = lb_rd_v6(rd);
    parts->rest = lb_rd(lb_rd_bytes(rd, len));
}

static bool take(struct parts *parts, struct lb_bytes packet) {
    struct lb_rd rd = lb_rd(packet);
    *parts = (struct parts){0};
    if (packet.len > 0 && packet.p[0] >> 4 == 6)
        take_v6(parts, &rd);
    else
        take_v4(parts, &rd);
    return lb_rd_ok(&rd) && parts->protocol != 0;
}

bool esp_guards_packet(const struct esp_guards *guards, struct lb_bytes packet) {
    struct parts parts;
    if (guards->count == 0 || !take(&parts, packet))
        return false;
    lb_rd_skip(&parts.rest, 2);
    struct lb_endpoint to = {.addr = parts.to, .port = lb_rd_u16(&parts.rest)};
    return esp_is_guarded(guards, parts.protocol, to);
}

/* ---- frames ---------------------------------------------------------------------------------- */

struct lb_span esp_of_frame(struct lb_span frame, struct lb_endpoint *from) {
    struct lb_span none = lb_span(frame.p, 0);
    struct parts parts;
    if (frame.len < FRAME_HEADER ||
        !take(&parts, lb_bytes(frame.p + FRAME_HEADER, frame.len - FRAME_HEADER)) ||
        parts.protocol != ESP_UDP)
        return none;
    from->addr = parts.from;
    from->port = lb_rd_u16(&parts.rest);
    bool is_ours = lb_rd_u16(&parts.rest) == PORT;
    size_t len = lb_rd_u16(&parts.rest);
    lb_rd_skip(&parts.rest, 2);
    struct lb_bytes esp = lb_rd_bytes(&parts.rest, len - UDP_BYTES);
    struct lb_rd rd = lb_rd(esp);
    bool is_esp = lb_rd_u32(&rd) != 0;
    if (!is_ours || !is_esp || !lb_rd_ok(&rd) || !lb_rd_ok(&parts.rest))
        return none;
    return lb_span(frame.p + (esp.p - frame.p), esp.len);
}

struct lb_span esp_frame_of(struct lb_span frame, struct lb_bytes packet) {
    uint8_t *start = frame.p + (packet.p - frame.p) - FRAME_HEADER;
    uint16_t type = packet.p[0] >> 4 == 4 ? TYPE_IPV4 : TYPE_IPV6;
    memmove(start, frame.p, MACS_BYTES);
    start[MACS_BYTES] = (uint8_t)(type >> 8);
    start[MACS_BYTES + 1] = (uint8_t)type;
    return lb_span(start, FRAME_HEADER + packet.len);
}
