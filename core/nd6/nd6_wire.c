#include "core/nd6/nd6_wire.h"

#define UNIT 8 /* lengths of options are counted in eights, and include type and length */

#define FLAG_MANAGED    0x80
#define FLAG_OTHER      0x40
#define FLAG_ON_LINK    0x80
#define FLAG_AUTONOMOUS 0x40

#define LABEL_MAX 63 /* RFC 1035 2.3.4 */

/* ---- options -------------------------------------------------------------------------------- */

struct option {
    uint8_t code;
    size_t bytes;      /* whole */
    struct lb_rd body; /* behind type and length */
};

/* The next option; false at the end, or, with rd bad, where there is none. An option takes at least
 * eight bytes of what is there, so that every walk comes to its end. */
static bool next_option(struct lb_rd *rd, struct option *option) {
    if (rd->left == 0)
        return false;
    option->code = lb_rd_u8(rd);
    option->bytes = lb_rd_u8(rd) * (size_t)UNIT;
    if (option->bytes == 0) {
        rd->bad = true;
        return false;
    }
    option->body = lb_rd(lb_rd_bytes(rd, option->bytes - 2));
    return lb_rd_ok(rd);
}

/* RFC 4191 2.1: two bits at 0x18. False: the reserved value. */
static bool take_preference(uint8_t flags, enum lb_nd6_preference *preference) {
    static const enum lb_nd6_preference meanings[4] = {LB_ND6_MEDIUM, LB_ND6_HIGH, LB_ND6_MEDIUM,
                                                       LB_ND6_LOW};
    unsigned bits = flags >> 3 & 3u;
    *preference = meanings[bits];
    return bits != 2;
}

static uint8_t preference_bits(enum lb_nd6_preference preference) {
    unsigned bits = preference == LB_ND6_HIGH ? 1 : preference == LB_ND6_LOW ? 3 : 0;
    return (uint8_t)(bits << 3);
}

static void take_mac(struct lb_nd6_ra *ra, struct option *option) {
    if (option->bytes != UNIT || ra->has_mac)
        return;
    lb_rd_copy(&option->body, ra->mac, sizeof(ra->mac));
    ra->has_mac = true;
}

/* RFC 4861 4.6.2, 6.3.4: the link-local prefix is not a router's to talk of. */
static void take_prefix(struct lb_nd6_ra *ra, struct option *option) {
    struct lb_nd6_ra_prefix prefix = {0};
    uint8_t flags;

    prefix.prefix.len = lb_rd_u8(&option->body);
    flags = lb_rd_u8(&option->body);
    prefix.on_link = flags & FLAG_ON_LINK;
    prefix.autonomous = flags & FLAG_AUTONOMOUS;
    prefix.valid_s = lb_rd_u32(&option->body);
    prefix.preferred_s = lb_rd_u32(&option->body);
    lb_rd_skip(&option->body, 4);
    prefix.prefix.addr = lb_addr_mask(lb_rd_v6(&option->body), LB_MIN(prefix.prefix.len, 128));
    if (option->bytes != 4 * UNIT || prefix.prefix.len > 128 ||
        lb_addr_is_link_local(prefix.prefix.addr) || lb_addr_is_multicast(prefix.prefix.addr) ||
        ra->prefix_count == LB_COUNT(ra->prefixes))
        return;
    ra->prefixes[ra->prefix_count++] = prefix;
}

static void take_mtu(struct lb_nd6_ra *ra, struct option *option) {
    lb_rd_skip(&option->body, 2);
    if (option->bytes == UNIT)
        ra->mtu = lb_rd_u32(&option->body);
}

/* RFC 4191 2.3: 0, 8 or 16 bytes of the prefix, as many as its length needs at least. */
static void take_route(struct lb_nd6_ra *ra, struct option *option) {
    struct lb_nd6_ra_route route = {0};
    uint8_t prefix[16] = {0};
    bool is_known;

    route.to.len = lb_rd_u8(&option->body);
    is_known = take_preference(lb_rd_u8(&option->body), &route.preference);
    route.lifetime_s = lb_rd_u32(&option->body);
    if (option->bytes > 3 * UNIT || route.to.len > 128 || !is_known ||
        option->body.left * 8 < route.to.len || ra->route_count == LB_COUNT(ra->routes))
        return;
    lb_rd_copy(&option->body, prefix, option->body.left);
    route.to.addr = lb_addr_mask(lb_addr_v6_bytes(prefix), route.to.len);
    if (lb_addr_is_link_local(route.to.addr) || lb_addr_is_multicast(route.to.addr))
        return;
    ra->routes[ra->route_count++] = route;
}

/* RFC 8106 5.1, 5.3.1: an option of a wrong length is left out whole. */
static void take_dns(struct lb_nd6_ra *ra, struct option *option) {
    uint32_t lifetime_s;
    if (option->bytes < 3 * UNIT || (option->bytes - UNIT) % 16 != 0)
        return;
    lb_rd_skip(&option->body, 2);
    lifetime_s = lb_rd_u32(&option->body);
    while (option->body.left > 0 && ra->dns_count < LB_COUNT(ra->dns)) {
        struct lb_addr addr = lb_rd_v6(&option->body);
        if (lb_addr_is_host(addr))
            ra->dns[ra->dns_count++] = (struct lb_nd6_ra_dns){addr, lifetime_s};
    }
}

/* What may be in a name that goes into resolv.conf and an environment. */
static bool is_label(struct lb_bytes label) {
    for (size_t i = 0; i < label.len; i++) {
        uint8_t c = lb_ascii_lower(label.p[i]);
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-' && c != '_')
            return false;
    }
    return label.len > 0 && label.len <= LABEL_MAX;
}

/* One name, RFC 1035 3.1, without compression (RFC 8106 5.2): an empty one is padding. False: no
 * name that could be used, and the rest cannot be read. */
static bool read_name(struct lb_rd *rd, struct lb_text *name) {
    for (;;) {
        uint8_t len = lb_rd_u8(rd);
        struct lb_bytes label;
        if (len == 0)
            return lb_rd_ok(rd);
        label = lb_rd_bytes(rd, len);
        if (!lb_rd_ok(rd) || !is_label(label))
            return false;
        lb_text_add(name, "%s%.*s", name->len > 0 ? "." : "", (int)label.len,
                    (const char *)label.p);
        if (name->cut)
            return false;
    }
}

/* RFC 8106 5.2: names, and zeros up to a multiple of eight. */
static void take_search(struct lb_nd6_ra *ra, struct option *option) {
    uint32_t lifetime_s;
    if (option->bytes < 2 * UNIT)
        return;
    lb_rd_skip(&option->body, 2);
    lifetime_s = lb_rd_u32(&option->body);
    while (option->body.left > 0 && ra->domain_count < LB_COUNT(ra->domains)) {
        struct lb_nd6_ra_domain *domain = &ra->domains[ra->domain_count];
        struct lb_text name = lb_text(domain->name, sizeof(domain->name));
        if (!read_name(&option->body, &name)) {
            memset(domain, 0, sizeof(*domain));
            return;
        }
        if (name.len == 0)
            continue;
        domain->lifetime_s = lifetime_s;
        ra->domain_count++;
    }
}

static void take_option(struct lb_nd6_ra *ra, struct option *option) {
    switch (option->code) {
    case LB_ND6_OPT_SOURCE_MAC:
        take_mac(ra, option);
        return;
    case LB_ND6_OPT_PREFIX:
        take_prefix(ra, option);
        return;
    case LB_ND6_OPT_MTU:
        take_mtu(ra, option);
        return;
    case LB_ND6_OPT_ROUTE:
        take_route(ra, option);
        return;
    case LB_ND6_OPT_DNS:
        take_dns(ra, option);
        return;
    case LB_ND6_OPT_SEARCH:
        take_search(ra, option);
        return;
    default: /* RFC 4861 4.6: others are skipped */
        return;
    }
}

/* ---- Router Advertisement ------------------------------------------------------------------- */

static const char *decode(struct lb_rd *rd, struct lb_nd6_ra *ra) {
    struct option option;
    uint8_t type = lb_rd_u8(rd), code = lb_rd_u8(rd), flags;

    lb_rd_skip(rd, 2);
    ra->hop_limit = lb_rd_u8(rd);
    flags = lb_rd_u8(rd);
    ra->lifetime_s = lb_rd_u16(rd);
    ra->reachable_ms = lb_rd_u32(rd);
    ra->retrans_ms = lb_rd_u32(rd);
    if (!lb_rd_ok(rd))
        return "shorter than an advertisement";
    if (type != LB_ND6_ROUTER_ADVERTISEMENT || code != 0)
        return "not a router advertisement";
    ra->managed = flags & FLAG_MANAGED;
    ra->other = flags & FLAG_OTHER;
    if (ra->lifetime_s > 0) /* RFC 4191 2.2: else it says nothing; the reserved one is Medium */
        take_preference(flags, &ra->preference);
    while (next_option(rd, &option))
        take_option(ra, &option);
    return lb_rd_ok(rd) ? NULL : "an option of length 0, or longer than the message";
}

bool lb_nd6_ra_decode(struct lb_bytes message, struct lb_nd6_ra *ra, const char **why) {
    struct lb_rd rd = lb_rd(message);
    struct lb_nd6_ra found = {0};
    const char *wrong = decode(&rd, &found);
    if (wrong) {
        *why = wrong;
        return false;
    }
    *ra = found;
    return true;
}

static void put_head(struct lb_wr *wr, enum lb_nd6_code code, size_t bytes) {
    lb_assert(bytes % UNIT == 0 && bytes / UNIT <= UINT8_MAX);
    lb_wr_u8(wr, (uint8_t)code);
    lb_wr_u8(wr, (uint8_t)(bytes / UNIT));
}

static void put_mac(struct lb_wr *wr, const uint8_t mac[6]) {
    put_head(wr, LB_ND6_OPT_SOURCE_MAC, UNIT);
    lb_wr_bytes(wr, lb_bytes(mac, 6));
}

static void put_prefix(struct lb_wr *wr, const struct lb_nd6_ra_prefix *prefix) {
    unsigned flags =
        (prefix->on_link ? FLAG_ON_LINK : 0u) | (prefix->autonomous ? FLAG_AUTONOMOUS : 0u);
    put_head(wr, LB_ND6_OPT_PREFIX, 4 * UNIT);
    lb_wr_u8(wr, prefix->prefix.len);
    lb_wr_u8(wr, (uint8_t)flags);
    lb_wr_u32(wr, prefix->valid_s);
    lb_wr_u32(wr, prefix->preferred_s);
    lb_wr_u32(wr, 0);
    lb_wr_bytes(wr, lb_bytes(prefix->prefix.addr.bytes, 16));
}

static void put_mtu(struct lb_wr *wr, uint32_t mtu) {
    put_head(wr, LB_ND6_OPT_MTU, UNIT);
    lb_wr_u16(wr, 0);
    lb_wr_u32(wr, mtu);
}

static void put_route(struct lb_wr *wr, const struct lb_nd6_ra_route *route) {
    size_t bytes = route->to.len > 64 ? 16 : route->to.len > 0 ? 8 : 0;
    put_head(wr, LB_ND6_OPT_ROUTE, UNIT + bytes);
    lb_wr_u8(wr, route->to.len);
    lb_wr_u8(wr, preference_bits(route->preference));
    lb_wr_u32(wr, route->lifetime_s);
    lb_wr_bytes(wr, lb_bytes(route->to.addr.bytes, bytes));
}

/* An option each, for each has its own lifetime. */
static void put_dns(struct lb_wr *wr, const struct lb_nd6_ra_dns *dns) {
    put_head(wr, LB_ND6_OPT_DNS, 3 * UNIT);
    lb_wr_u16(wr, 0);
    lb_wr_u32(wr, dns->lifetime_s);
    lb_wr_bytes(wr, lb_bytes(dns->addr.bytes, 16));
}

static void put_search(struct lb_wr *wr, const struct lb_nd6_ra_domain *domain) {
    struct lb_bytes rest = lb_bytes_of_text(domain->name), label;
    size_t bytes = UNIT + rest.len + 2; /* a length more than there are dots, and the end */
    size_t padding = (UNIT - bytes % UNIT) % UNIT;

    put_head(wr, LB_ND6_OPT_SEARCH, bytes + padding);
    lb_wr_u16(wr, 0);
    lb_wr_u32(wr, domain->lifetime_s);
    while (lb_list_next(&rest, '.', &label)) {
        lb_wr_u8(wr, (uint8_t)label.len);
        lb_wr_bytes(wr, label);
    }
    lb_wr_zero(wr, 1 + padding);
}

struct lb_bytes lb_nd6_ra_encode(const struct lb_nd6_ra *ra, struct lb_span room) {
    struct lb_wr wr = lb_wr(room);
    unsigned flags = (ra->managed ? FLAG_MANAGED : 0u) | (ra->other ? FLAG_OTHER : 0u) |
                     preference_bits(ra->preference);

    lb_wr_u8(&wr, LB_ND6_ROUTER_ADVERTISEMENT);
    lb_wr_u8(&wr, 0);
    lb_wr_u16(&wr, 0);
    lb_wr_u8(&wr, ra->hop_limit);
    lb_wr_u8(&wr, (uint8_t)flags);
    lb_wr_u16(&wr, ra->lifetime_s);
    lb_wr_u32(&wr, ra->reachable_ms);
    lb_wr_u32(&wr, ra->retrans_ms);
    if (ra->has_mac)
        put_mac(&wr, ra->mac);
    if (ra->mtu)
        put_mtu(&wr, ra->mtu);
    for (size_t i = 0; i < ra->prefix_count; i++)
        put_prefix(&wr, &ra->prefixes[i]);
    for (size_t i = 0; i < ra->route_count; i++)
        put_route(&wr, &ra->routes[i]);
    for (size_t i = 0; i < ra->dns_count; i++)
        put_dns(&wr, &ra->dns[i]);
    for (size_t i = 0; i < ra->domain_count; i++)
        put_search(&wr, &ra->domains[i]);
    return lb_wr_done(&wr);
}

/* ---- Router Solicitation -------------------------------------------------------------------- */

struct lb_bytes lb_nd6_rs_encode(const uint8_t mac[6], struct lb_span room) {
    struct lb_wr wr = lb_wr(room);
    lb_wr_u8(&wr, LB_ND6_ROUTER_SOLICITATION);
    lb_wr_zero(&wr, LB_ND6_RS_BYTES - 1);
    if (mac)
        put_mac(&wr, mac);
    return lb_wr_done(&wr);
}

bool lb_nd6_rs_decode(struct lb_bytes message, struct lb_addr from, const char **why) {
    struct lb_rd rd = lb_rd(message);
    struct option option;
    uint8_t type = lb_rd_u8(&rd), code = lb_rd_u8(&rd);
    bool has_mac = false;

    lb_rd_skip(&rd, 6);
    while (next_option(&rd, &option))
        has_mac = has_mac || option.code == LB_ND6_OPT_SOURCE_MAC;
    if (!lb_rd_ok(&rd))
        *why = "cut short, or an option of length 0";
    else if (type != LB_ND6_ROUTER_SOLICITATION || code != 0)
        *why = "not a router solicitation";
    else if (has_mac && lb_addr_is_zero(from))
        *why = "a link-layer address of nobody";
    else
        return true;
    return false;
}
