/* Hosts: RFC 2396 3.2.2 names and IPv4 addresses, RFC 2732 [IPv6]; and HOST:PORT. */
#include "core/names/rootpath.h"

static bool is_digit(uint8_t c) {
    return c >= '0' && c <= '9';
}

/* Four decimal octets. False sets *offset to the octet or the byte that spoils them. */
static bool check_v4(struct lb_bytes text, size_t *offset) {
    size_t at = 0;
    for (unsigned octet = 0;; octet++, at++) {
        unsigned value = 0;
        size_t start = at;
        for (; at < text.len && is_digit(text.p[at]) && at - start < 3; at++)
            value = value * 10 + (text.p[at] - '0');
        bool is_octet = value <= 255 && !(at - start > 1 && text.p[start] == '0');
        *offset = at == start || is_octet ? at : start;
        if (at == start || !is_octet)
            return false;
        if (octet == 3)
            return at == text.len;
        if (at == text.len || text.p[at] != '.')
            return false;
    }
}

/* The first byte that stands in no IPv6 address, else where it begins. */
static size_t wrong_v6(struct lb_bytes text) {
    for (size_t at = 0; at < text.len; at++) {
        uint8_t c = text.p[at];
        if (lb_hex_digit(c) < 0 && c != ':' && c != '.')
            return at;
    }
    return 0;
}

/* RFC 4007 11: %eth0 behind an address. */
static size_t find_zone(struct lb_bytes text) {
    size_t at = 0;
    while (at < text.len && text.p[at] != '%')
        at++;
    return at;
}

/* The interface is the boot's own, so a zone says nothing; only a link-local address has one. */
static bool parse_v6(struct lb_bytes text, enum lb_host_kind *kind, struct lb_addr *addr,
                     size_t *offset) {
    size_t zone = find_zone(text);
    struct lb_addr parsed = {0};
    if (!lb_addr_parse_v6(lb_bytes(text.p, zone), &parsed)) {
        *offset = wrong_v6(text);
        return false;
    }
    if (zone < text.len && (!lb_addr_is_link_local(parsed) ||
                            !lb_interface_name_is_plain(lb_bytes_after(text, zone + 1)))) {
        *offset = zone;
        return false;
    }
    *addr = parsed;
    *kind = LB_HOST_ADDR;
    return true;
}

static bool parse_bracketed(struct lb_bytes text, enum lb_host_kind *kind, struct lb_addr *addr,
                            size_t *offset) {
    size_t end = 0;
    while (end < text.len && text.p[end] != ']')
        end++;
    *offset = end == text.len ? 0 : end + 1; /* no bracket that closes, or something after it */
    if (end + 1 != text.len)
        return false;
    if (parse_v6(lb_bytes(text.p + 1, end - 1), kind, addr, offset))
        return true;
    *offset += 1;
    return false;
}

static size_t find_colon(struct lb_bytes text) {
    size_t at = 0;
    while (at < text.len && text.p[at] != ':')
        at++;
    return at;
}

bool lb_host_parse(struct lb_bytes text, bool bare, enum lb_host_kind *kind, struct lb_addr *addr,
                   char name[LB_HOST_MAX + 1], size_t *offset) {
    if (text.len == 0) {
        *kind = LB_HOST_NONE;
        return true;
    }
    if (text.p[0] == '[')
        return parse_bracketed(text, kind, addr, offset);
    *offset = find_colon(text);
    if (*offset < text.len)
        return bare && parse_v6(text, kind, addr, offset);
    if (lb_host_name_check(text, offset)) {
        lb_text_copy(name, LB_HOST_MAX + 1, text);
        *kind = LB_HOST_NAME;
        return true;
    }
    size_t last = lb_host_name_last_label(text);
    if (last == text.len || !is_digit(text.p[last]) || !check_v4(text, offset) ||
        !lb_addr_parse_v4(text, addr))
        return false;
    *kind = LB_HOST_ADDR;
    return true;
}

static bool parse_host(struct lb_bytes text, bool bare, struct lb_host_port *out) {
    size_t offset;
    return lb_host_parse(text, bare, &out->kind, &out->at.addr, out->name, &offset) &&
           out->kind != LB_HOST_NONE;
}

bool lb_host_port_parse(struct lb_bytes text, struct lb_host_port *host_port) {
    struct lb_host_port got = {0};
    uint64_t port = 0;
    size_t colon = text.len;
    if (!parse_host(text, true, &got)) {
        while (colon > 0 && text.p[colon - 1] != ':')
            colon--;
        got = (struct lb_host_port){0};
        if (colon < 2 || !lb_parse_u64(lb_bytes_after(text, colon), UINT16_MAX, &port) ||
            port == 0 || !parse_host(lb_bytes(text.p, colon - 1), false, &got))
            return false;
    }
    got.at.port = (uint16_t)port;
    *host_port = got;
    return true;
}
