#include "core/nd6/nd6_wire.h"

static struct lb_addr all_nodes(void) {
    static const uint8_t bytes[16] = {0xff, 2, [15] = 1};
    return lb_addr_v6_bytes(bytes);
}

/* RFC 4861 6.2.6: the answer MAY go to who asked alone, where it has an address. */
struct lb_nd6_reply lb_nd6_server_input(const struct lb_nd6_ra *ra, struct lb_addr from,
                                        struct lb_bytes message, struct lb_span room) {
    const char *why;
    struct lb_nd6_reply reply = {.to = lb_addr_is_zero(from) ? all_nodes() : from};
    if (lb_nd6_rs_decode(message, from, &why))
        reply.bytes = lb_nd6_ra_encode(ra, room);
    return reply;
}

struct lb_nd6_reply lb_nd6_server_advertise(const struct lb_nd6_ra *ra, struct lb_span room) {
    return (struct lb_nd6_reply){.to = all_nodes(), .bytes = lb_nd6_ra_encode(ra, room)};
}
