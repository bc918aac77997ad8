/* What lunbootd waits for: each socket is a source, first in the struct that it belongs to. */
#ifndef LB_SERVER_SOURCE_H
#define LB_SERVER_SOURCE_H

#include "core/base/mem.h"

enum lb_server_source_kind {
    LB_SOURCE_DHCP,
    LB_SOURCE_DHCP6,
    LB_SOURCE_ROUTERS,
    LB_SOURCE_TFTP,
    LB_SOURCE_TFTP6,
    LB_SOURCE_TRANSFER, /* of TFTP */
    LB_SOURCE_HTTP,
    LB_SOURCE_PAGE,    /* and the metrics */
    LB_SOURCE_PORTAL,  /* of iSCSI: new connections */
    LB_SOURCE_SESSION, /* of iSCSI */
    LB_SOURCE_WAKEUP,  /* another thread has done something: see workers.h */
    LB_SOURCE_KEPT,    /* the store has written */
    LB_SOURCE_CONTROL, /* new connections of lunbootctl */
    LB_SOURCE_CONTROL_CLIENT,
    LB_SOURCE_JOB,  /* a version of an image is made */
    LB_SOURCE_ISNS, /* ports and connections */
    LB_SOURCE_SLP,  /* ports and connections */
    LB_SOURCE_SLP6,
    LB_SOURCE_SIGNAL,
    LB_SOURCE_LINK, /* some interface has changed */
};

struct lb_server_source {
    enum lb_server_source_kind kind;
    int fd; /* -1: closed */
    uint32_t events;
};

/* Begins to wait for events (EPOLLIN, EPOLLOUT) of it, or changes which. epoll: the loop's. False:
 * errno. The source stays the caller's, and is waited for until its fd is closed. */
bool lb_server_watch(int epoll, struct lb_server_source *source, uint32_t events);
/* How long epoll_wait may wait, in milliseconds, for what is due at until_us; LB_NEVER: an hour. */
int lb_server_wait_ms(uint64_t until_us, uint64_t now_us);
/* Closes it; harmless where it is closed. */
void lb_server_source_close(struct lb_server_source *source);

#endif
