/* Router advertisements (RFC 4861 6.2): they tell machines the link's IPv6 network, and to ask
 * DHCPv6. With a lifetime of 0 they make nobody a router. */
#ifndef LB_SERVER_ROUTERS_H
#define LB_SERVER_ROUTERS_H

#include "core/crypto/crypto.h"
#include "core/nd6/nd6.h"
#include "server/link.h"
#include "server/source.h"

/* The times of RFC 4861 6.2.1 and 10. */
struct lb_server_routers {
    struct lb_server_source source;
    const struct lb_server_link *link;
    struct lb_rand rand;
    struct lb_nd6_ra ra;
    unsigned sent;      /* to all; the first ones follow each other soon */
    uint64_t next_us;   /* when all are told again */
    uint64_t before_us; /* not before: 3 seconds after the last time */
    uint64_t tokens_us; /* answers to one machine: each takes a part of a second */
};

/* What is advertised by these settings. */
struct lb_nd6_ra lb_server_routers_ra(const struct lb_server_settings *settings,
                                      const struct lb_server_link *link);
/* Opens its socket. link stays the caller's and outlives it. */
bool lb_server_routers_open(struct lb_server_routers *routers, int epoll,
                            const struct lb_server_settings *settings,
                            const struct lb_server_link *link, struct lb_server_error *error);
/* The settings have changed: all are told. */
void lb_server_routers_reload(struct lb_server_routers *routers,
                              const struct lb_server_settings *settings, uint64_t now_us);
/* Somebody has asked. */
void lb_server_routers_ready(struct lb_server_routers *routers, uint64_t now_us);
/* Advertises when it is time. Gives when it wants to be called again. */
uint64_t lb_server_routers_poll(struct lb_server_routers *routers, uint64_t now_us);
/* Says that this is no router any more, where it was one; harmless where it is closed. */
void lb_server_routers_close(struct lb_server_routers *routers);

#endif
