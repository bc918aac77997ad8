#include "core/base/addr.h"

struct lb_addr lb_addr_v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d) {
    return (struct lb_addr){.family = LB_V4, .bytes = {a, b, c, d}};
}

struct lb_addr lb_addr_v4_bytes(const uint8_t bytes[4]) {
    return lb_addr_v4(bytes[0], bytes[1], bytes[2], bytes[3]);
}

struct lb_addr lb_addr_v6_bytes(const uint8_t bytes[16]) {
    struct lb_addr addr = {.family = LB_V6};
    memcpy(addr.bytes, bytes, 16);
    return addr;
}

struct lb_addr lb_rd_v4(struct lb_rd *rd) {
    struct lb_bytes bytes = lb_rd_bytes(rd, 4);
    return bytes.len == 4 ? lb_addr_v4_bytes(bytes.p) : (struct lb_addr){0};
}

struct lb_addr lb_rd_v6(struct lb_rd *rd) {
    struct lb_bytes bytes = lb_rd_bytes(rd, 16);
    return bytes.len == 16 ? lb_addr_v6_bytes(bytes.p) : (struct lb_addr){0};
}

void lb_wr_addr(struct lb_wr *wr, struct lb_addr addr) {
    lb_wr_bytes(wr, lb_bytes(addr.bytes, addr.family == LB_V6 ? 16 : 4));
}

bool lb_addr_equal(struct lb_addr a, struct lb_addr b) {
    return a.family == b.family && memcmp(a.bytes, b.bytes, sizeof(a.bytes)) == 0;
}

bool lb_endpoint_equal(struct lb_endpoint a, struct lb_endpoint b) {
    return a.port == b.port && lb_addr_equal(a.addr, b.addr);
}

bool lb_addr_is_set(struct lb_addr addr) {
    return addr.family != LB_FAMILY_NONE;
}

bool lb_addr_is_zero(struct lb_addr addr) {
    static const uint8_t zeros[16];
    return memcmp(addr.bytes, zeros, sizeof(zeros)) == 0;
}

bool lb_addr_is_loopback(struct lb_addr addr) {
    static const uint8_t loopback6[16] = {[15] = 1};
    if (addr.family == LB_V4)
        return addr.bytes[0] == 127;
    return addr.family == LB_V6 && memcmp(addr.bytes, loopback6, sizeof(loopback6)) == 0;
}

bool lb_addr_is_multicast(struct lb_addr addr) {
    if (addr.family == LB_V4)
        return (addr.bytes[0] & 0xf0) == 0xe0 ||
               lb_addr_equal(addr, lb_addr_v4(255, 255, 255, 255));
    return addr.family == LB_V6 && addr.bytes[0] == 0xff;
}

bool lb_addr_is_link_local(struct lb_addr addr) {
    if (addr.family == LB_V4)
        return addr.bytes[0] == 169 && addr.bytes[1] == 254;
    return addr.family == LB_V6 && addr.bytes[0] == 0xfe && (addr.bytes[1] & 0xc0) == 0x80;
}

/* RFC 4291 2.5.5.2 */
static bool is_mapped(struct lb_addr addr) {
    static const uint8_t prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    return addr.family == LB_V6 && memcmp(addr.bytes, prefix, sizeof prefix) == 0;
}

bool lb_addr_is_host(struct lb_addr addr) {
    return lb_addr_is_set(addr) && !lb_addr_is_zero(addr) && !lb_addr_is_loopback(addr) &&
           !lb_addr_is_multicast(addr) && !is_mapped(addr);
}

struct lb_addr lb_addr_mask(struct lb_addr addr, uint8_t len) {
    for (unsigned i = 0; i < sizeof(addr.bytes); i++) {
        unsigned bits = len > 8 * i ? LB_MIN(len - 8 * i, 8u) : 0;
        addr.bytes[i] &= (uint8_t)(0xff00u >> bits);
    }
    return addr;
}

bool lb_prefix_has(struct lb_prefix prefix, struct lb_addr addr) {
    unsigned len = LB_MIN(prefix.len, 8u * sizeof(addr.bytes)), bits = len % 8;
    size_t whole = len / 8;
    if (!lb_addr_is_set(addr) || prefix.addr.family != addr.family ||
        memcmp(prefix.addr.bytes, addr.bytes, whole) != 0)
        return false;
    return bits == 0 || (prefix.addr.bytes[whole] ^ addr.bytes[whole]) >> (8 - bits) == 0;
}

bool lb_mask_len(struct lb_addr mask, uint8_t *len) {
    uint8_t ones = 0;
    if (mask.family != LB_V4)
        return false;
    while (ones < 32 && (mask.bytes[ones / 8] & (0x80u >> (ones % 8))))
        ones++;
    if (!lb_addr_equal(mask, lb_addr_mask(mask, ones)))
        return false;
    *len = ones;
    return true;
}

/* Takes 1 to 3 decimal digits without leading zeros, up to 255, off the text. */
static bool take_octet(struct lb_bytes *text, uint8_t *octet) {
    unsigned value = 0;
    size_t digits = 0;
    while (digits < text->len && digits < 3 && text->p[digits] >= '0' && text->p[digits] <= '9')
        value = value * 10 + (unsigned)(text->p[digits++] - '0');
    if (digits == 0 || value > 255 || (digits > 1 && text->p[0] == '0'))
        return false;
    *octet = (uint8_t)value;
    *text = lb_bytes_after(*text, digits);
    return true;
}

static bool take_char(struct lb_bytes *text, char c) {
    if (text->len == 0 || text->p[0] != (uint8_t)c)
        return false;
    *text = lb_bytes_after(*text, 1);
    return true;
}

bool lb_addr_parse_v4(struct lb_bytes text, struct lb_addr *addr) {
    uint8_t octets[4] = {0};
    for (unsigned i = 0; i < 4; i++) {
        if ((i > 0 && !take_char(&text, '.')) || !take_octet(&text, &octets[i]))
            return false;
    }
    if (text.len > 0)
        return false;
    *addr = lb_addr_v4_bytes(octets);
    return true;
}

/* Takes 1 to 4 hex digits off the text. */
static bool take_group(struct lb_bytes *text, uint16_t *group) {
    unsigned value = 0;
    size_t digits = 0;
    while (digits < text->len && digits < 4 && lb_hex_digit(text->p[digits]) >= 0)
        value = value << 4 | (unsigned)lb_hex_digit(text->p[digits++]);
    *group = (uint16_t)value;
    *text = lb_bytes_after(*text, digits);
    return digits > 0;
}

/* The groups of an IPv6 address as they are read: RFC 4291 2.2. */
struct groups {
    uint16_t group[8];
    size_t count;
    size_t gap; /* where `::` stands; 9: nowhere */
};

enum { NO_GAP = 9 };

/* The dotted quad at the end makes two groups. */
static bool take_quad(struct lb_bytes *text, struct groups *groups) {
    struct lb_addr quad;
    if (groups->count > 6 || !lb_addr_parse_v4(*text, &quad))
        return false;
    groups->group[groups->count++] = (uint16_t)(quad.bytes[0] << 8 | quad.bytes[1]);
    groups->group[groups->count++] = (uint16_t)(quad.bytes[2] << 8 | quad.bytes[3]);
    *text = lb_bytes(NULL, 0);
    return true;
}

/* One group, or the quad, and the colons behind it. */
static bool take_piece(struct lb_bytes *text, struct groups *groups) {
    if (take_quad(text, groups))
        return true;
    if (groups->count == 8 || !take_group(text, &groups->group[groups->count]))
        return false;
    groups->count++;
    if (text->len == 0)
        return true;
    if (!take_char(text, ':') || text->len == 0)
        return false;
    if (take_char(text, ':')) {
        if (groups->gap != NO_GAP)
            return false;
        groups->gap = groups->count;
    }
    return true;
}

bool lb_addr_parse_v6(struct lb_bytes text, struct lb_addr *addr) {
    struct groups groups = {.gap = NO_GAP};
    if (lb_bytes_start_with(text, lb_bytes_of_text("::"))) {
        groups.gap = 0;
        text = lb_bytes_after(text, 2);
    }
    while (text.len > 0) {
        if (!take_piece(&text, &groups))
            return false;
    }
    bool has_gap = groups.gap != NO_GAP;
    if (has_gap ? groups.count > 7 : groups.count != 8)
        return false;
    struct lb_addr result = {.family = LB_V6};
    for (size_t i = 0; i < groups.count; i++) {
        size_t at = has_gap && i >= groups.gap ? i + 8 - groups.count : i;
        result.bytes[2 * at] = (uint8_t)(groups.group[i] >> 8);
        result.bytes[2 * at + 1] = (uint8_t)groups.group[i];
    }
    *addr = result;
    return true;
}

bool lb_addr_parse(struct lb_bytes text, struct lb_addr *addr) {
    return lb_addr_parse_v4(text, addr) || lb_addr_parse_v6(text, addr);
}

bool lb_prefix_parse(struct lb_bytes text, struct lb_prefix *prefix) {
    struct lb_prefix result = {0};
    struct lb_bytes addr, digits;
    bool has_len = lb_split_at(text, '/', &addr, &digits);
    if (!lb_addr_parse(addr, &result.addr))
        return false;
    uint64_t max = result.addr.family == LB_V4 ? 32 : 128, len = max;
    if (has_len && (digits.len > 3 || !lb_parse_u64(digits, max, &len)))
        return false;
    result.len = (uint8_t)len;
    *prefix = result;
    return true;
}

bool lb_route_parse(struct lb_bytes text, struct lb_route *route) {
    struct lb_route result = {.via = {.family = LB_FAMILY_NONE}};
    struct lb_bytes to, via;
    if (!lb_list_next(&text, ' ', &to) || !lb_prefix_parse(to, &result.to) ||
        !lb_addr_equal(lb_addr_mask(result.to.addr, result.to.len), result.to.addr))
        return false;
    text = lb_bytes_trim(text);
    if (text.len > 0 && (!lb_list_next(&text, ' ', &via) || !lb_text_is(via, "via") ||
                         !lb_addr_parse(lb_bytes_trim(text), &result.via) ||
                         result.via.family != result.to.addr.family ||
                         lb_addr_is_zero(result.via) || lb_addr_is_multicast(result.via)))
        return false;
    *route = result;
    return true;
}

static uint16_t group_at(struct lb_addr addr, size_t i) {
    return (uint16_t)(addr.bytes[2 * i] << 8 | addr.bytes[2 * i + 1]);
}

/* RFC 5952 4.2: `::` stands for the first of the longest runs of two or more zero groups. */
static size_t longest_run(struct lb_addr addr, size_t *len) {
    size_t best = 8, run = 0;
    *len = 1;
    for (size_t i = 0; i < 8; i++) {
        run = group_at(addr, i) == 0 ? run + 1 : 0;
        if (run > *len) {
            *len = run;
            best = i + 1 - run;
        }
    }
    return best;
}

static void add_v6(struct lb_text *text, struct lb_addr addr) {
    /* RFC 5952 5: an IPv4-mapped address shows its IPv4 address. */
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    if (memcmp(addr.bytes, mapped, sizeof(mapped)) == 0) {
        lb_text_add(text, "::ffff:%u.%u.%u.%u", addr.bytes[12], addr.bytes[13], addr.bytes[14],
                    addr.bytes[15]);
        return;
    }
    size_t run_len, run = longest_run(addr, &run_len);
    for (size_t i = 0; i < 8; i++) {
        if (i == run) {
            lb_text_add(text, "::");
            i += run_len - 1;
        } else {
            bool colon = i > 0 && !(run < 8 && i == run + run_len);
            lb_text_add(text, "%s%x", colon ? ":" : "", group_at(addr, i));
        }
    }
}

static void add_addr(struct lb_text *text, struct lb_addr addr) {
    if (addr.family == LB_V6)
        add_v6(text, addr);
    else if (addr.family == LB_V4)
        lb_text_add(text, "%u.%u.%u.%u", addr.bytes[0], addr.bytes[1], addr.bytes[2],
                    addr.bytes[3]);
    else
        lb_text_add(text, "none");
}

struct lb_addr_text lb_addr_text(struct lb_addr addr) {
    struct lb_addr_text result;
    struct lb_text text = lb_text(result.s, sizeof(result.s));
    add_addr(&text, addr);
    return result;
}

struct lb_addr_text lb_endpoint_text(struct lb_endpoint endpoint) {
    struct lb_addr_text result;
    struct lb_text text = lb_text(result.s, sizeof(result.s));
    bool brackets = endpoint.addr.family == LB_V6;
    lb_text_add(&text, "%s", brackets ? "[" : "");
    add_addr(&text, endpoint.addr);
    lb_text_add(&text, "%s:%u", brackets ? "]" : "", endpoint.port);
    return result;
}

struct lb_addr_text lb_prefix_text(struct lb_prefix prefix) {
    struct lb_addr_text result;
    struct lb_text text = lb_text(result.s, sizeof(result.s));
    add_addr(&text, prefix.addr);
    lb_text_add(&text, "/%u", prefix.len);
    return result;
}

bool lb_mac_is_set(const uint8_t mac[6]) {
    static const uint8_t zeros[6] = {0};
    return memcmp(mac, zeros, sizeof zeros) != 0;
}

struct lb_addr_text lb_mac_text(const uint8_t mac[6]) {
    struct lb_addr_text result;
    lb_format(result.s, sizeof(result.s), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
              mac[3], mac[4], mac[5]);
    return result;
}
