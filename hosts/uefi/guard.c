#include "hosts/uefi/guard.h"

#define HEADER_BYTES   40
#define NEXT_HEADER_AT 6
#define HEADERS_MAX    8 /* extension headers in a row; RFC 8200 4.1 names six */
#define ICMP_HOP_LIMIT 255
#define MTU_MIN        1280
#define OPTION_UNIT    8 /* bytes: RFC 4861 4.6 */
#define SOLICITED_FLAG 0x40

enum { /* next headers */
       HOP_BY_HOP = 0,
       TCP = 6,
       ROUTING = 43,
       FRAGMENT = 44,
       ICMP6 = 58,
       NOTHING = 59,
       DESTINATION = 60,
};

enum { /* types of ICMPv6 */
       PACKET_TOO_BIG = 2,
       ROUTER_SOLICITATION = 133,
       ROUTER_ADVERTISEMENT = 134,
       NEIGHBOUR_SOLICITATION = 135,
       NEIGHBOUR_ADVERTISEMENT = 136,
       REDIRECT = 137,
};

enum { /* options of neighbour discovery */
       SOURCE_LINK_ADDRESS = 1,
       TARGET_LINK_ADDRESS = 2,
};

struct packet {
    struct lb_addr from, to;
    uint8_t hop_limit, next;
    unsigned extensions;
    struct lb_bytes whole, payload; /* whole: from the IPv6 header on */
};

/* RFC 1071 2 B: what is carried out at the top is added at the bottom. Two instructions. */
static inline __attribute__((always_inline)) uint64_t add(uint64_t sum, uint64_t word) {
    bool carry = __builtin_add_overflow(sum, word, &sum);
    return sum + carry;
}

uint16_t guard_sum(const void *data, size_t len) {
    const uint8_t *at = data;
    uint64_t sum = 0;
    uint16_t last = 0;
    for (; len >= 32; at += 32, len -= 32) { /* most of the work on a frame: four in a turn */
        uint64_t words[4];
        __builtin_memcpy(words, at, 32);
        sum = add(add(add(add(sum, words[0]), words[1]), words[2]), words[3]);
    }
    sum = (sum & UINT32_MAX) + (sum >> 32);
    for (; len >= 2; at += 2, len -= 2) {
        __builtin_memcpy(&last, at, 2);
        sum += last;
    }
    if (len > 0)
        sum += *at; /* as the first byte of a word: both processors are little-endian */
    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

/* RFC 8200 8.1: over the addresses, the length, the next header, and the message. */
static bool checksum_is_right(const struct packet *packet) {
    uint8_t pseudo[HEADER_BYTES];
    struct lb_wr wr = lb_wr(lb_span(pseudo, sizeof pseudo));
    lb_wr_addr(&wr, packet->from);
    lb_wr_addr(&wr, packet->to);
    lb_wr_u32(&wr, (uint32_t)packet->payload.len);
    lb_wr_u32(&wr, packet->next);
    uint32_t sum = (uint32_t)guard_sum(pseudo, sizeof pseudo) +
                   guard_sum(packet->payload.p, packet->payload.len);
    sum = (sum & 0xffff) + (sum >> 16);
    return sum == 0xffff;
}

static bool is_unspecified(struct lb_addr addr) {
    return lb_addr_is_zero(addr);
}

/* RFC 4291 2.7.1: ff02::1:ff00:0/104 */
static bool is_solicited_node(struct lb_addr addr) {
    static const uint8_t prefix[13] = {0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff};
    return memcmp(addr.bytes, prefix, sizeof prefix) == 0;
}

/* ---- extension headers ----------------------------------------------------------------------- */

/* The options of a hop-by-hop or destination header lie within it. */
static bool options_fit(struct lb_rd options) {
    while (lb_rd_ok(&options) && options.left > 0)
        if (lb_rd_u8(&options) != 0) /* Pad1 is the one without a length */
            lb_rd_skip(&options, lb_rd_u8(&options));
    return lb_rd_ok(&options);
}

/* One header off; false: the packet is not wanted. */
static bool take_extension(struct packet *packet, struct lb_rd *rd) {
    uint8_t kind = packet->next;
    packet->next = lb_rd_u8(rd);
    size_t len = (size_t)OPTION_UNIT * (1 + lb_rd_u8(rd));
    struct lb_rd body = lb_rd(lb_rd_bytes(rd, len - 2));
    if (!lb_rd_ok(rd) || kind == FRAGMENT || (kind == HOP_BY_HOP && packet->extensions > 0))
        return false;
    packet->extensions++;
    if (kind != ROUTING)
        return options_fit(body);
    lb_rd_skip(&body, 1);
    return lb_rd_u8(&body) == 0; /* segments left: we route for nobody */
}

static bool is_extension(uint8_t next) {
    return next == HOP_BY_HOP || next == ROUTING || next == FRAGMENT || next == DESTINATION;
}

static bool take_headers(struct packet *packet, struct lb_rd *rd) {
    lb_rd_skip(rd, 4);
    size_t len = lb_rd_u16(rd);
    packet->next = lb_rd_u8(rd);
    packet->hop_limit = lb_rd_u8(rd);
    packet->from = lb_rd_v6(rd);
    packet->to = lb_rd_v6(rd);
    if (!lb_rd_ok(rd) || len > rd->left || lb_addr_is_multicast(packet->from))
        return false;
    struct lb_rd rest = lb_rd(lb_rd_bytes(rd, len)); /* what is behind it is padding */
    while (is_extension(packet->next))
        if (packet->extensions == HEADERS_MAX || !take_extension(packet, &rest))
            return false;
    packet->payload = lb_bytes(rest.at, rest.left);
    return true;
}

/* ---- neighbour discovery --------------------------------------------------------------------- */

/* Every option is as long as it says and says more than nothing; an address of the link is one of
 * Ethernet's. */
static bool discovery_options_fit(struct lb_rd rd, bool *has_source) {
    *has_source = false;
    while (rd.left > 0) {
        uint8_t type = lb_rd_u8(&rd), units = lb_rd_u8(&rd);
        bool is_link_address = type == SOURCE_LINK_ADDRESS || type == TARGET_LINK_ADDRESS;
        if (!lb_rd_ok(&rd) || units == 0 || (is_link_address && units != 1))
            return false;
        *has_source = *has_source || type == SOURCE_LINK_ADDRESS;
        lb_rd_skip(&rd, (size_t)OPTION_UNIT * units - 2);
        if (!lb_rd_ok(&rd))
            return false;
    }
    return true;
}

/* RFC 4861 6.1.2. It is the engine that listens to routers: the stack does not hear them. */
static void look_at_router(const struct packet *packet, struct guard_view *view) {
    struct lb_rd rd = lb_rd(packet->payload);
    bool has_source;
    lb_rd_skip(&rd, 16);
    if (!lb_rd_ok(&rd) || !lb_addr_is_link_local(packet->from) ||
        !discovery_options_fit(rd, &has_source))
        return;
    view->advert = packet->payload;
    view->from = packet->from;
}

/* RFC 4861 7.1.1, 7.1.2 */
static void look_at_neighbour(const struct packet *packet, uint8_t type, bool is_ours,
                              struct guard_view *view) {
    struct lb_rd rd = lb_rd(packet->payload);
    bool has_source, nameless = is_unspecified(packet->from);
    lb_rd_skip(&rd, 4);
    uint8_t flags = lb_rd_u8(&rd);
    lb_rd_skip(&rd, 3);
    struct lb_addr target = lb_rd_v6(&rd);
    if (!lb_rd_ok(&rd) || lb_addr_is_multicast(target) || !discovery_options_fit(rd, &has_source))
        return;
    bool is_solicitation = type == NEIGHBOUR_SOLICITATION;
    if (is_solicitation && nameless && (!is_solicited_node(packet->to) || has_source))
        return;
    if (!is_solicitation && (flags & SOLICITED_FLAG) != 0 && lb_addr_is_multicast(packet->to))
        return;
    view->drop = false;
    if (!is_ours && (nameless || !is_solicitation))
        view->claimed = target;
}

static bool is_discovery(uint8_t type) {
    return type >= ROUTER_SOLICITATION && type <= REDIRECT;
}

static void look_at_icmp(const struct packet *packet, bool is_ours, struct guard_view *view) {
    struct lb_rd rd = lb_rd(packet->payload);
    uint8_t type = lb_rd_u8(&rd), code = lb_rd_u8(&rd);
    lb_rd_skip(&rd, 2);
    uint32_t mtu = lb_rd_u32(&rd);
    view->drop = true;
    if (!lb_rd_ok(&rd) || !checksum_is_right(packet))
        return;
    if (!is_discovery(type)) {
        view->drop = type == PACKET_TOO_BIG && mtu < MTU_MIN;
        return;
    }
    if (code != 0 || packet->hop_limit != ICMP_HOP_LIMIT || packet->extensions > 0)
        return;
    if (type == ROUTER_ADVERTISEMENT)
        look_at_router(packet, view);
    else if (type == NEIGHBOUR_SOLICITATION || type == NEIGHBOUR_ADVERTISEMENT)
        look_at_neighbour(packet, type, is_ours, view);
}

struct guard_view guard_look(struct lb_bytes frame, const uint8_t mac[6]) {
    struct guard_view view = {.drop = false};
    struct packet packet = {.next = NOTHING};
    struct lb_rd rd = lb_rd(frame);
    lb_rd_skip(&rd, 6);
    struct lb_bytes sender = lb_rd_bytes(&rd, 6);
    if (lb_rd_u16(&rd) != 0x86dd)
        return view;
    if (rd.left > NEXT_HEADER_AT && rd.at[NEXT_HEADER_AT] == TCP)
        return view; /* as nearly all frames: the stack looks at those well enough */
    if (!take_headers(&packet, &rd))
        view.drop = true;
    else if (packet.next == ICMP6)
        look_at_icmp(&packet, memcmp(sender.p, mac, 6) == 0, &view);
    return view;
}
