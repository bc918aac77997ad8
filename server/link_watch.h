/* Whether machines can reach lunbootd: its interface is looked at when the kernel says that one has
 * changed, and what has become of it is said. */
#ifndef LB_SERVER_LINK_WATCH_H
#define LB_SERVER_LINK_WATCH_H

#include "server/link.h"
#include "server/source.h"

struct lb_server_link_watch {
    struct lb_server_source source; /* rtnetlink; fd -1: closed */
    const struct lb_server_link *link;
    enum lb_server_link_state state; /* as it was said last */
    uint64_t due_us;                 /* when it is looked at; LB_NEVER: when it changes */
};

/* Says what is wrong with it now, if something is. link is the caller's and outlives the watch.
 * Where rtnetlink cannot be had, later changes are not told, and this is said. */
void lb_server_link_watch_open(struct lb_server_link_watch *watch, int epoll,
                               const struct lb_server_link *link);
/* Some interface has changed. It is looked at a little later: much changes at once. */
void lb_server_link_watch_ready(struct lb_server_link_watch *watch, uint64_t now_us);
/* Gives when to poll next. */
uint64_t lb_server_link_watch_poll(struct lb_server_link_watch *watch, uint64_t now_us);
/* Harmless where it is closed. */
void lb_server_link_watch_close(struct lb_server_link_watch *watch);

#endif
