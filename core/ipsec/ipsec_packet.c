/* ESP with its IP headers: which packets are protected, tunnel and transport mode (RFC 4301 5,
 * RFC 4303 3.1), ESP in UDP (RFC 3948). */
#include "core/base/checksum.h"
#include "core/ipsec/ipsec.h"

enum {
    PROTOCOL_IPV4 = 4,
    PROTOCOL_TCP = 6,
    PROTOCOL_UDP = 17,
    PROTOCOL_IPV6 = 41,
    PROTOCOL_ESP = 50,
    V4_BYTES = 20,
    V6_BYTES = 40,
    UDP_BYTES = 8,
    TTL = 64,
    DONT_FRAGMENT = 0x4000,
    FRAGMENT_BITS = 0x3fff, /* more fragments, and the offset */
};

/* An IP packet taken apart. */
struct parts {
    enum lb_family family;
    struct lb_addr from, to;
    uint8_t protocol;
    bool is_fragment;
    struct lb_bytes header, payload;
    uint16_t from_port, to_port;
    bool has_ports;
};

static bool take_v4(struct lb_bytes packet, struct parts *parts) {
    struct lb_rd rd = lb_rd(packet);
    size_t header_len = (size_t)(lb_rd_u8(&rd) & 15) * 4;
    lb_rd_skip(&rd, 1);
    size_t len = lb_rd_u16(&rd);
    lb_rd_skip(&rd, 2);
    parts->is_fragment = lb_rd_u16(&rd) & FRAGMENT_BITS;
    lb_rd_skip(&rd, 1);
    parts->protocol = lb_rd_u8(&rd);
    lb_rd_skip(&rd, 2);
    parts->from = lb_rd_v4(&rd);
    parts->to = lb_rd_v4(&rd);
    if (!lb_rd_ok(&rd) || header_len < V4_BYTES || len < header_len || len > packet.len)
        return false;
    parts->family = LB_V4;
    parts->header = lb_bytes(packet.p, header_len);
    parts->payload = lb_bytes(packet.p + header_len, len - header_len);
    return true;
}

/* Extension headers are taken for an unknown protocol: who protects TCP does not let them pass. */
static bool take_v6(struct lb_bytes packet, struct parts *parts) {
    struct lb_rd rd = lb_rd(packet);
    lb_rd_skip(&rd, 4);
    size_t len = lb_rd_u16(&rd);
    parts->protocol = lb_rd_u8(&rd);
    lb_rd_skip(&rd, 1);
    parts->from = lb_rd_v6(&rd);
    parts->to = lb_rd_v6(&rd);
    if (!lb_rd_ok(&rd) || len > rd.left)
        return false;
    parts->family = LB_V6;
    parts->header = lb_bytes(packet.p, V6_BYTES);
    parts->payload = lb_bytes(packet.p + V6_BYTES, len);
    return true;
}

static bool take_apart(struct lb_bytes packet, struct parts *parts) {
    *parts = (struct parts){.family = LB_FAMILY_NONE};
    uint8_t version = packet.len > 0 ? packet.p[0] >> 4 : 0;
    if (!(version == 4 && take_v4(packet, parts)) && !(version == 6 && take_v6(packet, parts)))
        return false;
    bool has_ports = parts->protocol == PROTOCOL_TCP || parts->protocol == PROTOCOL_UDP;
    struct lb_rd rd = lb_rd(parts->payload);
    parts->from_port = lb_rd_u16(&rd);
    parts->to_port = lb_rd_u16(&rd);
    parts->has_ports = has_ports && !parts->is_fragment && lb_rd_ok(&rd);
    return true;
}

/* ---- selectors ---- */

static bool selects(const struct lb_ipsec_selector *selector, const struct parts *parts,
                    bool is_out) {
    struct lb_addr local = is_out ? parts->from : parts->to;
    struct lb_addr remote = is_out ? parts->to : parts->from;
    uint16_t local_port = is_out ? parts->from_port : parts->to_port;
    uint16_t remote_port = is_out ? parts->to_port : parts->from_port;
    if (!lb_addr_equal(selector->local, local) || !lb_addr_equal(selector->remote, remote))
        return false;
    if (selector->protocol != 0 && selector->protocol != parts->protocol)
        return false;
    return !parts->has_ports ||
           (local_port >= selector->local_first && local_port <= selector->local_last &&
            remote_port >= selector->remote_first && remote_port <= selector->remote_last);
}

bool lb_ipsec_selects(const struct lb_ipsec_selector *selector, struct lb_bytes packet,
                      bool is_out) {
    struct parts parts;
    return take_apart(packet, &parts) && selects(selector, &parts, is_out);
}

/* ---- out ---- */

/* An outer header in front of len bytes. */
static void put_header(struct lb_wr *wr, struct lb_addr from, struct lb_addr to, uint8_t protocol,
                       size_t len, uint16_t id) {
    size_t at = wr->len;
    if (from.family == LB_V6) {
        lb_wr_u32(wr, (uint32_t)6 << 28);
        lb_wr_u16(wr, (uint16_t)len);
        lb_wr_u8(wr, protocol);
        lb_wr_u8(wr, TTL);
        lb_wr_addr(wr, from);
        lb_wr_addr(wr, to);
        return;
    }
    lb_wr_u16(wr, 0x4500);
    lb_wr_u16(wr, (uint16_t)(len + V4_BYTES));
    lb_wr_u16(wr, id);
    lb_wr_u16(wr, DONT_FRAGMENT);
    lb_wr_u8(wr, TTL);
    lb_wr_u8(wr, protocol);
    lb_wr_u16(wr, 0);
    lb_wr_addr(wr, from);
    lb_wr_addr(wr, to);
    if (lb_wr_ok(wr))
        lb_wr_u16_at(wr, at + 10, lb_checksum(lb_bytes(wr->start + at, V4_BYTES)));
}

/* Transport mode keeps the packet's own addresses; here that is a new header with the same, for
 * what lwIP and kernels put into one beside them is not for the other end. */
struct lb_bytes lb_ipsec_seal(struct lb_ipsec *ipsec, struct lb_bytes packet, struct lb_span room) {
    const struct lb_ipsec_terms *terms = &ipsec->terms;
    struct parts parts;
    struct lb_bytes none = lb_bytes(room.p, 0);
    if (!take_apart(packet, &parts) || parts.is_fragment ||
        !selects(&terms->selector, &parts, true))
        return none;
    bool is_tunnel = terms->mode == LB_IPSEC_TUNNEL;
    struct lb_bytes payload =
        is_tunnel ? lb_bytes(packet.p, parts.header.len + parts.payload.len) : parts.payload;
    uint8_t next =
        !is_tunnel ? parts.protocol : (parts.family == LB_V4 ? PROTOCOL_IPV4 : PROTOCOL_IPV6);
    size_t before = (terms->local.addr.family == LB_V4 ? V4_BYTES : V6_BYTES) +
                    (terms->in_udp ? UDP_BYTES : 0u);
    if (room.len < before)
        return none;
    struct lb_bytes esp = lb_ipsec_seal_payload(
        ipsec, payload, next, lb_span(room.p + before, LB_MIN(room.len, 65535u) - before));
    if (esp.len == 0)
        return none;
    struct lb_wr wr = lb_wr(lb_span(room.p, before));
    size_t len = esp.len + (terms->in_udp ? UDP_BYTES : 0u);
    put_header(&wr, terms->local.addr, terms->remote.addr,
               terms->in_udp ? PROTOCOL_UDP : PROTOCOL_ESP, len, ipsec->next_id++);
    if (terms->in_udp) {
        lb_wr_u16(&wr, terms->local.port);
        lb_wr_u16(&wr, terms->remote.port);
        lb_wr_u16(&wr, (uint16_t)len);
        lb_wr_u16(&wr, 0); /* RFC 3948 2.1 */
    }
    if (terms->in_udp &&
        terms->local.addr.family == LB_V6) { /* RFC 8200 8.1: none is not allowed */
        struct lb_bytes udp = lb_bytes(room.p + V6_BYTES, len);
        uint16_t sum =
            lb_checksum_payload(terms->local.addr, terms->remote.addr, PROTOCOL_UDP, udp);
        lb_wr_u16_at(&wr, V6_BYTES + 6, sum != 0 ? sum : 0xffff);
    }
    return lb_bytes(room.p, before + esp.len);
}

/* ---- in ---- */

/* The ESP within a packet of the other end; false: there is none for us. */
static bool find_esp(const struct lb_ipsec *ipsec, struct lb_bytes packet, struct parts *parts,
                     struct lb_bytes *esp) {
    const struct lb_ipsec_terms *terms = &ipsec->terms;
    if (!take_apart(packet, parts) || parts->is_fragment ||
        !lb_addr_equal(parts->to, terms->local.addr))
        return false;
    *esp = parts->payload;
    if (terms->in_udp) {
        if (parts->protocol != PROTOCOL_UDP || parts->to_port != terms->local.port ||
            esp->len < UDP_BYTES)
            return false;
        *esp = lb_bytes_after(*esp, UDP_BYTES);
    } else if (parts->protocol != PROTOCOL_ESP) {
        return false;
    }
    struct lb_rd rd = lb_rd(*esp);
    return lb_rd_u32(&rd) == ipsec->in.spi && lb_rd_ok(&rd);
}

bool lb_ipsec_is_ours(const struct lb_ipsec *ipsec, struct lb_bytes packet) {
    struct parts parts;
    struct lb_bytes esp;
    return find_esp(ipsec, packet, &parts, &esp);
}

/* A NAT changed the address that the sender's checksum covered (RFC 3948 3.1.2). ESP has proved the
 * rest. */
static void mend_checksum(const struct lb_ipsec_selector *selector, uint8_t protocol,
                          struct lb_span payload) {
    size_t at = protocol == PROTOCOL_TCP ? 16 : 6;
    bool has_one = protocol == PROTOCOL_TCP || protocol == PROTOCOL_UDP;
    if (!has_one || payload.len < at + 2)
        return;
    payload.p[at] = payload.p[at + 1] = 0;
    uint16_t sum = lb_checksum_payload(selector->remote, selector->local, protocol,
                                       lb_bytes(payload.p, payload.len));
    if (protocol == PROTOCOL_UDP && sum == 0)
        sum = 0xffff;
    payload.p[at] = (uint8_t)(sum >> 8);
    payload.p[at + 1] = (uint8_t)sum;
}

/* The packet's own header before its payload again, in the room that ESP's header leaves. */
static struct lb_bytes rebuild(struct lb_ipsec *ipsec, struct lb_span payload, uint8_t protocol) {
    const struct lb_ipsec_selector *selector = &ipsec->terms.selector;
    size_t header_len = selector->local.family == LB_V4 ? V4_BYTES : V6_BYTES;
    uint8_t *start = payload.p - header_len;
    struct lb_wr wr = lb_wr(lb_span(start, header_len));
    if (ipsec->terms.in_udp)
        mend_checksum(selector, protocol, payload);
    put_header(&wr, selector->remote, selector->local, protocol, payload.len, ipsec->next_id++);
    return lb_bytes(start, header_len + payload.len);
}

/* RFC 4301 5.2: what comes out must be what the selector names; who has keys for one thing must not
 * send another. */
struct lb_bytes lb_ipsec_open_esp(struct lb_ipsec *ipsec, struct lb_span esp) {
    struct lb_bytes inner, none = lb_bytes(esp.p, 0);
    struct lb_span payload;
    uint8_t next;
    if (!lb_ipsec_open_payload(ipsec, esp, &payload, &next))
        return none;
    bool is_tunnel = ipsec->terms.mode == LB_IPSEC_TUNNEL;
    bool is_whole = next == PROTOCOL_IPV4 || next == PROTOCOL_IPV6;
    if (is_tunnel != is_whole) {
        ipsec->odd++;
        return none;
    }
    inner = is_tunnel ? lb_bytes(payload.p, payload.len) : rebuild(ipsec, payload, next);
    if (lb_ipsec_selects(&ipsec->terms.selector, inner, false))
        return inner;
    ipsec->odd++;
    return none;
}

struct lb_bytes lb_ipsec_open(struct lb_ipsec *ipsec, struct lb_span packet) {
    struct parts parts;
    struct lb_bytes esp;
    if (!find_esp(ipsec, lb_bytes(packet.p, packet.len), &parts, &esp)) {
        ipsec->odd++;
        return lb_bytes(packet.p, 0);
    }
    return lb_ipsec_open_esp(ipsec, lb_span(packet.p + (esp.p - packet.p), esp.len));
}
