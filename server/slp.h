/* SLP (RFC 2608, RFC 4018): core/slp's server half by UDP and TCP. A service agent tells of
 * lunbootd's targets and of its iSNS server; a directory agent takes others' registrations, too. */
#ifndef LB_SERVER_SLP_H
#define LB_SERVER_SLP_H

#include "core/slp/slp_server.h"
#include "server/link.h"
#include "server/machines.h"
#include "server/rate.h"
#include "server/source.h"

#define LB_SERVER_SLP_SERVICES    (LB_SERVER_DIRECTORY_MAX + 1) /* with the iSNS server */
#define LB_SERVER_SLP_SLOTS       256                           /* registrations of others */
#define LB_SERVER_SLP_CONNECTIONS 16 /* at once; then the one that is idle for longest goes */
#define LB_SERVER_SLP_EACH        4  /* of one address; who comes later is turned away */

struct lb_server_slp_service {
    char url[400], attributes[LB_SLP_REG_BYTES];
};

struct lb_server_slp_connection {
    struct lb_server_source source; /* fd -1: free */
    struct lb_addr client;
    uint64_t until_us;
    struct lb_slp_connection connection;
};

struct lb_server_slp {
    struct lb_server_source udp, tcp; /* of portal's family */
    int epoll;
    int index;                 /* of the interface */
    struct lb_endpoint portal; /* of our targets */
    struct lb_rate rate;       /* of answers by UDP */
    bool has_isns;
    const struct lb_server_machines *machines;
    struct lb_slp_server server;
    uint64_t stamp; /* of the targets as they are told */
    struct lb_server_slp_service *texts;
    struct lb_slp_registration services[LB_SERVER_SLP_SERVICES];
    struct lb_slp_slot *slots;
    struct lb_server_slp_connection connections[LB_SERVER_SLP_CONNECTIONS];
};

/* Opens its port by UDP, with SLP's groups, and by TCP. portal: of the iSCSI target, whose family
 * is served. The pointers stay the caller's and outlive it. */
bool lb_server_slp_open(struct lb_server_slp *slp, int epoll, const struct lb_server_link *link,
                        const struct lb_server_settings *settings, struct lb_endpoint portal,
                        const struct lb_server_machines *machines, struct lb_server_error *error);
/* One of its sockets or connections is readable or writable. */
void lb_server_slp_ready(struct lb_server_slp *slp, struct lb_server_source *source,
                         uint32_t events, uint64_t now_us);
/* Ends connections that are idle. Gives when it wants to be polled again. */
uint64_t lb_server_slp_poll(struct lb_server_slp *slp, uint64_t now_us);
void lb_server_slp_close(struct lb_server_slp *slp); /* harmless where it is closed */

#endif
