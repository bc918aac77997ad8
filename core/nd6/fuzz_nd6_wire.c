/* An ICMPv6 message. What was decoded can be written and decoded again, and is fit for use. */
#include "core/nd6/nd6_wire.h"
#include "tests/fuzz.h"

static void check(const struct lb_nd6_ra *ra) {
    lb_assert(ra->prefix_count <= LB_COUNT(ra->prefixes));
    lb_assert(ra->route_count <= LB_COUNT(ra->routes));
    lb_assert(ra->dns_count <= LB_COUNT(ra->dns));
    lb_assert(ra->domain_count <= LB_COUNT(ra->domains));
    for (size_t i = 0; i < ra->prefix_count; i++) {
        struct lb_prefix prefix = ra->prefixes[i].prefix;
        lb_assert(lb_addr_equal(prefix.addr, lb_addr_mask(prefix.addr, prefix.len)));
    }
    for (size_t i = 0; i < ra->dns_count; i++)
        lb_assert(lb_addr_is_host(ra->dns[i].addr));
    for (size_t i = 0; i < ra->domain_count; i++) {
        const char *name = ra->domains[i].name;
        size_t len = lb_strlen(name);
        lb_assert(len > 0 && len <= LB_DOMAIN_MAX);
        for (size_t at = 0; at < len; at++)
            lb_assert(name[at] > ' ' && name[at] < 0x7f);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static uint8_t room[4 * LB_ND6_PACKET_MAX];
    static struct lb_nd6_ra ra, again;
    static const uint8_t unspecified[16];
    struct lb_bytes bytes;
    const char *why;

    lb_nd6_rs_decode(lb_bytes(data, size), lb_addr_v6_bytes(unspecified), &why);
    if (!lb_nd6_ra_decode(lb_bytes(data, size), &ra, &why))
        return 0;
    check(&ra);
    bytes = lb_nd6_ra_encode(&ra, lb_span(room, sizeof(room)));
    lb_assert(bytes.len > 0);
    lb_assert(lb_nd6_ra_decode(bytes, &again, &why));
    lb_assert(lb_bytes_equal(lb_bytes(&ra, sizeof(ra)), lb_bytes(&again, sizeof(again))));
    return 0;
}
