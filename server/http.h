/* Boot files by HTTP: libmicrohttpd on the link's address. GET and HEAD, and ranges. */
#ifndef LB_SERVER_HTTP_H
#define LB_SERVER_HTTP_H

#include "server/files.h"
#include "server/link.h"
#include "server/source.h"

struct MHD_Daemon;

struct lb_server_http {
    struct lb_server_source source; /* the daemon's own epoll */
    struct MHD_Daemon *daemon;      /* NULL: not open */
    const struct lb_server_files *files;
    bool is_ready;     /* the daemon's epoll has something */
    uint64_t until_us; /* when the daemon wants to run anyway */
};

/* Whether this build has it. */
bool lb_server_has_http(void);
/* Opens the port at one family's address. The pointers stay the caller's and outlive it. */
bool lb_server_http_open(struct lb_server_http *http, int epoll, enum lb_family family,
                         const struct lb_server_link *link, const struct lb_server_files *files,
                         uint16_t port, struct lb_server_error *error);
/* For what libmicrohttpd calls when a request's header is there, and again when all of it is:
 * whether all is. Else it returns MHD_YES, and answers later: an answer before then ends the
 * connection. Of a body nothing is kept. data_len, state: as libmicrohttpd gives them. */
bool lb_server_http_is_whole(size_t *data_len, void **state);
/* Its source has something: the next poll runs the daemon. */
void lb_server_http_ready(struct lb_server_http *http);
/* Does what is due, and else asks the kernel nothing. Gives when it wants to be called again. */
uint64_t lb_server_http_poll(struct lb_server_http *http, uint64_t now_us);
void lb_server_http_close(struct lb_server_http *http); /* harmless where it is closed */

#endif
