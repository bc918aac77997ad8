/* iSNS (RFC 4171): core/isns's server half by TCP and UDP, which knows lunbootd's own targets, and
 * with isns = open those that others register.
 *
 * Each machine's target is in a Discovery Domain with the machine, whose boot list it is; a machine
 * is known there by `initiator`, or by the names that lunboot makes of its card and its UUID. */
#ifndef LB_SERVER_ISNS_H
#define LB_SERVER_ISNS_H

#include "core/isns/isns_server.h"
#include "server/link.h"
#include "server/machines.h"
#include "server/rate.h"
#include "server/source.h"

#define LB_SERVER_ISNS_NODES       1024 /* ours and others' */
#define LB_SERVER_ISNS_MEMBERS     1536 /* a target and up to four names of its machine, each */
#define LB_SERVER_ISNS_CONNECTIONS 64   /* at once; then the one that is idle for longest goes */
#define LB_SERVER_ISNS_EACH        16   /* of one address; who comes later is turned away */

/* The memory of one database. */
struct lb_server_isns_tables {
    struct lb_isns_entity entities[LB_SERVER_ISNS_NODES];
    struct lb_isns_node nodes[LB_SERVER_ISNS_NODES];
    struct lb_isns_node_portal portals[LB_SERVER_ISNS_NODES];
    struct lb_isns_group groups[16];
    struct lb_isns_dd domains[LB_SERVER_DIRECTORY_MAX];
    struct lb_isns_member members[LB_SERVER_ISNS_MEMBERS];
};

struct lb_server_isns_connection;

struct lb_server_isns {
    struct lb_server_source tcp, udp, tcp6, udp6;
    int epoll;
    int index;                          /* of the interface */
    struct lb_endpoint portal, portal6; /* of our targets */
    struct lb_rate rate;                /* of answers by UDP */
    bool is_open;                       /* others may register */
    const struct lb_server_machines *machines;
    struct lb_isns_server server;
    struct lb_server_isns_tables *tables, *spare;  /* the database's, and the next one's */
    uint64_t stamp;                                /* of the targets as they are in it */
    struct lb_server_isns_connection *connections; /* a list */
    unsigned count;
};

/* Opens its port by TCP and UDP, in each family whose portal of the iSCSI target is given. The
 * pointers stay the caller's and outlive it. */
bool lb_server_isns_open(struct lb_server_isns *isns, int epoll, const struct lb_server_link *link,
                         const struct lb_server_settings *settings, struct lb_endpoint portal,
                         struct lb_endpoint portal6, const struct lb_server_machines *machines,
                         struct lb_server_error *error);
/* One of its sockets, or of its connections, is readable or writable. */
void lb_server_isns_ready(struct lb_server_isns *isns, struct lb_server_source *source,
                          uint64_t now_us);
/* Ends what is over or idle. Gives when it wants to be polled again. */
uint64_t lb_server_isns_poll(struct lb_server_isns *isns, uint64_t now_us);
void lb_server_isns_close(struct lb_server_isns *isns); /* harmless where it is closed */

#endif
