#include "core/nd6/nd6_client.h"

#define TWO_HOURS_US (7200 * LB_US_SEC) /* RFC 4862 5.5.3 e */
/* The flags of a router that is no default router count as long as those of one that advertises
 * itself with RFC 4861's usual lifetime. */
#define HEARD_US (1800 * LB_US_SEC)

uint32_t lb_nd6_left_s(uint64_t now_us, uint64_t until_us) {
    if (until_us == LB_NEVER)
        return LB_ND6_FOREVER;
    if (until_us <= now_us)
        return 0;
    return (uint32_t)LB_MIN((until_us - now_us - 1) / LB_US_SEC + 1, (uint64_t)LB_ND6_FOREVER - 1);
}

struct lb_addr lb_nd6_eui64(struct lb_addr prefix, const uint8_t mac[6]) {
    struct lb_addr addr = lb_addr_mask(prefix, 64);
    addr.bytes[8] = mac[0] ^ 2; /* RFC 4291 appendix A */
    addr.bytes[9] = mac[1];
    addr.bytes[10] = mac[2];
    addr.bytes[11] = 0xff;
    addr.bytes[12] = 0xfe;
    addr.bytes[13] = mac[3];
    addr.bytes[14] = mac[4];
    addr.bytes[15] = mac[5];
    return addr;
}

static uint64_t until(uint64_t now_us, uint32_t seconds) {
    return seconds == LB_ND6_FOREVER ? LB_NEVER : now_us + seconds * LB_US_SEC;
}

static uint64_t left_us(uint64_t now_us, uint64_t until_us) {
    return until_us == LB_NEVER ? LB_NEVER : until_us - LB_MIN(now_us, until_us);
}

static bool is_same_prefix(struct lb_prefix a, struct lb_prefix b) {
    return a.len == b.len && lb_addr_equal(a.addr, b.addr);
}

/* ---- routers -------------------------------------------------------------------------------- */

static struct lb_nd6_speaker *find_speaker(struct lb_nd6_client *client, struct lb_addr addr) {
    for (size_t i = 0; i < client->speaker_count; i++) {
        if (lb_addr_equal(client->speakers[i].addr, addr))
            return &client->speakers[i];
    }
    return NULL;
}

/* Room for one more: the least of those that are there gives way to a better one. */
static struct lb_nd6_speaker *add_speaker(struct lb_nd6_client *client,
                                          const struct lb_nd6_ra *ra) {
    struct lb_nd6_speaker *least = &client->speakers[0];
    if (client->speaker_count < LB_COUNT(client->speakers))
        return &client->speakers[client->speaker_count++];
    for (size_t i = 1; i < client->speaker_count; i++) {
        if (client->speakers[i].preference < least->preference)
            least = &client->speakers[i];
    }
    return least->preference < ra->preference ? least : NULL;
}

/* False: there are enough routers as it is, and this one is not to be heard. */
static bool take_router(struct lb_nd6_client *client, uint64_t now_us, struct lb_addr from,
                        const struct lb_nd6_ra *ra) {
    uint32_t link_mtu = client->config.link_mtu ? client->config.link_mtu : 1500;
    struct lb_nd6_speaker *speaker = find_speaker(client, from);
    if (!speaker)
        speaker = add_speaker(client, ra);
    if (!speaker)
        return false;
    *speaker = (struct lb_nd6_speaker){
        .addr = from,
        .preference = ra->preference,
        .until_us = until(now_us, ra->lifetime_s),
        .heard_until_us = now_us + LB_MAX(ra->lifetime_s * LB_US_SEC, HEARD_US),
        .managed = ra->managed,
        .other = ra->other,
    };
    if (ra->mtu >= LB_ND6_MTU_LEAST && ra->mtu <= link_mtu)
        speaker->mtu = (uint16_t)ra->mtu;
    return true;
}

static void take_route(struct lb_nd6_client *client, uint64_t now_us, struct lb_addr from,
                       const struct lb_nd6_ra_route *given) {
    struct lb_nd6_route *route = NULL;
    for (size_t i = 0; i < client->route_count && !route; i++) {
        struct lb_nd6_route *one = &client->routes[i];
        if (is_same_prefix(one->route.to, given->to) && lb_addr_equal(one->route.via, from))
            route = one;
    }
    if (!route && given->lifetime_s > 0 && client->route_count < LB_COUNT(client->routes))
        route = &client->routes[client->route_count++];
    if (route)
        *route = (struct lb_nd6_route){.route = {.to = given->to, .via = from},
                                       .preference = given->preference,
                                       .until_us = until(now_us, given->lifetime_s)};
}

/* ---- prefixes ------------------------------------------------------------------------------- */

static void take_on_link(struct lb_nd6_client *client, uint64_t now_us,
                         const struct lb_nd6_ra_prefix *given) {
    struct lb_nd6_prefix *prefix = NULL;
    for (size_t i = 0; i < client->on_link_count && !prefix; i++) {
        if (is_same_prefix(client->on_link[i].prefix, given->prefix))
            prefix = &client->on_link[i];
    }
    if (!prefix && given->valid_s > 0 && client->on_link_count < LB_COUNT(client->on_link))
        prefix = &client->on_link[client->on_link_count++];
    if (prefix)
        *prefix = (struct lb_nd6_prefix){given->prefix, until(now_us, given->valid_s)};
}

static struct lb_nd6_claim *find_claim(struct lb_nd6_client *client, struct lb_prefix prefix) {
    for (size_t i = 0; i < client->claim_count; i++) {
        if (lb_prefix_has(prefix, client->claims[i].addr))
            return &client->claims[i];
    }
    return NULL;
}

/* RFC 4862 5.5.3 e: nobody may end an address within two hours by one forged advertisement. */
static uint64_t next_valid_us(uint64_t now_us, uint64_t valid_until_us, uint32_t valid_s) {
    uint64_t had_us = left_us(now_us, valid_until_us);
    uint64_t given_us = left_us(now_us, until(now_us, valid_s));
    if (given_us > TWO_HOURS_US || given_us > had_us)
        return until(now_us, valid_s);
    return had_us <= TWO_HOURS_US ? valid_until_us : now_us + TWO_HOURS_US;
}

static void take_autonomous(struct lb_nd6_client *client, uint64_t now_us,
                            const struct lb_nd6_ra_prefix *given) {
    struct lb_nd6_claim *claim = find_claim(client, given->prefix);
    struct lb_addr addr = lb_nd6_eui64(given->prefix.addr, client->config.mac);

    if (claim) {
        claim->valid_until_us = next_valid_us(now_us, claim->valid_until_us, given->valid_s);
    } else {
        if (given->valid_s == 0 || !lb_addr_is_host(addr) ||
            client->claim_count == LB_COUNT(client->claims))
            return;
        claim = &client->claims[client->claim_count++];
        *claim =
            (struct lb_nd6_claim){.addr = addr, .valid_until_us = until(now_us, given->valid_s)};
    }
    claim->preferred_until_us = LB_MIN(until(now_us, given->preferred_s), claim->valid_until_us);
}

static void take_prefix(struct lb_nd6_client *client, uint64_t now_us,
                        const struct lb_nd6_ra_prefix *given) {
    if (given->on_link)
        take_on_link(client, now_us, given);
    /* RFC 4862 5.5.3 c, d. */
    if (given->autonomous && given->preferred_s <= given->valid_s && given->prefix.len == 64)
        take_autonomous(client, now_us, given);
    else if (given->autonomous && given->prefix.len != 64)
        client->odd_prefix = given->prefix;
}

/* ---- names ---------------------------------------------------------------------------------- */

static void take_dns(struct lb_nd6_client *client, uint64_t now_us,
                     const struct lb_nd6_ra_dns *given) {
    struct lb_nd6_resolver *resolver = NULL;
    for (size_t i = 0; i < client->resolver_count && !resolver; i++) {
        if (lb_addr_equal(client->resolvers[i].addr, given->addr))
            resolver = &client->resolvers[i];
    }
    if (!resolver && given->lifetime_s > 0 && client->resolver_count < LB_COUNT(client->resolvers))
        resolver = &client->resolvers[client->resolver_count++];
    if (resolver)
        *resolver = (struct lb_nd6_resolver){given->addr, until(now_us, given->lifetime_s)};
}

static void take_domain(struct lb_nd6_client *client, uint64_t now_us,
                        const struct lb_nd6_ra_domain *given) {
    struct lb_nd6_domain *domain = NULL;
    for (size_t i = 0; i < client->domain_count && !domain; i++) {
        if (lb_streq(client->domains[i].name, given->name))
            domain = &client->domains[i];
    }
    if (!domain && given->lifetime_s > 0 && client->domain_count < LB_COUNT(client->domains))
        domain = &client->domains[client->domain_count++];
    if (!domain)
        return;
    memcpy(domain->name, given->name, sizeof(domain->name));
    domain->until_us = until(now_us, given->lifetime_s);
}

/* ---- all of it ------------------------------------------------------------------------------ */

void lb_nd6_tables_take(struct lb_nd6_client *client, uint64_t now_us, struct lb_addr from,
                        const struct lb_nd6_ra *ra) {
    if (!take_router(client, now_us, from, ra))
        return;
    for (size_t i = 0; i < ra->prefix_count; i++)
        take_prefix(client, now_us, &ra->prefixes[i]);
    for (size_t i = 0; i < ra->route_count; i++)
        take_route(client, now_us, from, &ra->routes[i]);
    for (size_t i = 0; i < ra->dns_count; i++)
        take_dns(client, now_us, &ra->dns[i]);
    for (size_t i = 0; i < ra->domain_count; i++)
        take_domain(client, now_us, &ra->domains[i]);
}

/* Takes the entries for which `is_over` out of table[0..count), the others in their order. */
#define DROP(table, count, entry, is_over)                                                         \
    do {                                                                                           \
        size_t kept_ = 0;                                                                          \
        for (size_t i_ = 0; i_ < (count); i_++) {                                                  \
            const struct entry *one = &(table)[i_];                                                \
            if (is_over)                                                                           \
                changed = true;                                                                    \
            else                                                                                   \
                (table)[kept_++] = *one;                                                           \
        }                                                                                          \
        (count) = kept_;                                                                           \
    } while (0)

bool lb_nd6_tables_expire(struct lb_nd6_client *client, uint64_t now_us) {
    bool changed = false;
    for (size_t i = 0; i < client->speaker_count; i++) {
        struct lb_nd6_speaker *speaker = &client->speakers[i];
        if (speaker->until_us != 0 && now_us >= speaker->until_us) {
            speaker->until_us = 0; /* no default router any more, but its flags still count */
            changed = true;
        }
    }
    DROP(client->speakers, client->speaker_count, lb_nd6_speaker, now_us >= one->heard_until_us);
    DROP(client->on_link, client->on_link_count, lb_nd6_prefix, now_us >= one->until_us);
    DROP(client->claims, client->claim_count, lb_nd6_claim, now_us >= one->valid_until_us);
    DROP(client->routes, client->route_count, lb_nd6_route, now_us >= one->until_us);
    DROP(client->resolvers, client->resolver_count, lb_nd6_resolver, now_us >= one->until_us);
    DROP(client->domains, client->domain_count, lb_nd6_domain, now_us >= one->until_us);
    return changed;
}

uint64_t lb_nd6_tables_until_us(const struct lb_nd6_client *client) {
    uint64_t at_us = LB_NEVER;
    for (size_t i = 0; i < client->speaker_count; i++) {
        at_us = LB_MIN(at_us, client->speakers[i].heard_until_us);
        if (client->speakers[i].until_us != 0)
            at_us = LB_MIN(at_us, client->speakers[i].until_us);
    }
    for (size_t i = 0; i < client->on_link_count; i++)
        at_us = LB_MIN(at_us, client->on_link[i].until_us);
    for (size_t i = 0; i < client->claim_count; i++)
        at_us = LB_MIN(at_us, client->claims[i].valid_until_us);
    for (size_t i = 0; i < client->route_count; i++)
        at_us = LB_MIN(at_us, client->routes[i].until_us);
    for (size_t i = 0; i < client->resolver_count; i++)
        at_us = LB_MIN(at_us, client->resolvers[i].until_us);
    for (size_t i = 0; i < client->domain_count; i++)
        at_us = LB_MIN(at_us, client->domains[i].until_us);
    return at_us;
}

/* ---- what a caller sees --------------------------------------------------------------------- */

/* RFC 4191 3.2: by preference; among equals the one that was heard first. */
static void show_router(const struct lb_nd6_speaker *speaker, struct lb_nd6_info *info) {
    size_t at = info->router_count++;
    for (; at > 0 && info->routers[at - 1].preference < speaker->preference; at--)
        info->routers[at] = info->routers[at - 1];
    info->routers[at] =
        (struct lb_nd6_router){speaker->addr, speaker->preference, speaker->until_us};
}

static void show_speakers(const struct lb_nd6_client *client, struct lb_nd6_info *info) {
    for (size_t i = 0; i < client->speaker_count; i++) {
        const struct lb_nd6_speaker *speaker = &client->speakers[i];
        info->advertised = true;
        info->managed = info->managed || speaker->managed;
        info->other = info->other || speaker->other;
        if (speaker->mtu && (!info->mtu || speaker->mtu < info->mtu))
            info->mtu = speaker->mtu;
        if (speaker->until_us != 0)
            show_router(speaker, info);
    }
}

static void show_claims(const struct lb_nd6_client *client, struct lb_nd6_info *info) {
    if (client->link_local.phase == LB_ND6_CLAIM_OURS)
        info->link_local = client->link_local.addr;
    for (size_t i = 0; i < client->claim_count; i++) {
        const struct lb_nd6_claim *claim = &client->claims[i];
        if (claim->phase == LB_ND6_CLAIM_OURS)
            info->addresses[info->address_count++] = (struct lb_nd6_address){
                {claim->addr, 64}, claim->preferred_until_us, claim->valid_until_us};
        else if (claim->phase != LB_ND6_CLAIM_REFUSED)
            info->pending++;
    }
}

/* Of two routes to the same network the preferred one is shown, and ::/0 is as good as a router. */
static void show_routes(const struct lb_nd6_client *client, struct lb_nd6_info *info) {
    for (size_t i = 0; i < client->route_count; i++) {
        const struct lb_nd6_route *route = &client->routes[i];
        size_t at = 0;
        while (at < info->route_count &&
               !is_same_prefix(info->routes[at].route.to, route->route.to))
            at++;
        if (at < info->route_count && info->routes[at].preference >= route->preference)
            continue;
        info->routes[at] = *route;
        info->route_count = LB_MAX(info->route_count, at + 1);
    }
}

static void show_names(const struct lb_nd6_client *client, struct lb_nd6_info *info) {
    struct lb_text search = lb_text(info->search, sizeof(info->search));
    for (size_t i = 0; i < client->resolver_count; i++)
        info->dns[info->dns_count++] = client->resolvers[i].addr;
    for (size_t i = 0; i < client->domain_count; i++) {
        const char *name = client->domains[i].name;
        if (search.len + 1 + lb_strlen(name) < sizeof(info->search))
            lb_text_add(&search, "%s%s", search.len > 0 ? " " : "", name);
    }
}

void lb_nd6_tables_show(const struct lb_nd6_client *client, struct lb_nd6_info *info) {
    memset(info, 0, sizeof(*info));
    show_claims(client, info);
    show_speakers(client, info);
    show_routes(client, info);
    show_names(client, info);
    memcpy(info->on_link, client->on_link, sizeof(info->on_link));
    info->on_link_count = client->on_link_count;
    info->odd_prefix = client->odd_prefix;
}

static bool is_same_head(const struct lb_nd6_info *a, const struct lb_nd6_info *b) {
    return lb_addr_equal(a->link_local, b->link_local) && a->pending == b->pending &&
           a->mtu == b->mtu && a->advertised == b->advertised && a->managed == b->managed &&
           a->other == b->other && a->address_count == b->address_count &&
           a->on_link_count == b->on_link_count && a->router_count == b->router_count &&
           a->route_count == b->route_count && a->dns_count == b->dns_count &&
           lb_streq(a->search, b->search);
}

static bool is_same_route(const struct lb_nd6_route *a, const struct lb_nd6_route *b) {
    return is_same_prefix(a->route.to, b->route.to) && lb_addr_equal(a->route.via, b->route.via);
}

bool lb_nd6_info_is_same(const struct lb_nd6_info *a, const struct lb_nd6_info *b) {
    bool same = is_same_head(a, b);
    for (size_t i = 0; same && i < a->address_count; i++)
        same = is_same_prefix(a->addresses[i].address, b->addresses[i].address);
    for (size_t i = 0; same && i < a->on_link_count; i++)
        same = is_same_prefix(a->on_link[i].prefix, b->on_link[i].prefix);
    for (size_t i = 0; same && i < a->router_count; i++)
        same = lb_addr_equal(a->routers[i].addr, b->routers[i].addr);
    for (size_t i = 0; same && i < a->route_count; i++)
        same = is_same_route(&a->routes[i], &b->routes[i]);
    for (size_t i = 0; same && i < a->dns_count; i++)
        same = lb_addr_equal(a->dns[i], b->dns[i]);
    return same;
}
