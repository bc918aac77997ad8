/* The web page of the board, and the metrics: libmicrohttpd at an address of its own, on loopback
 * unless the settings say otherwise. Everything is refused alike without a token (token.h).
 *
 * `/` is the page, one file (page.html), which shows what `/events` sends: server-sent events (the
 * HTML standard, 9.2), `row` with a machine as JSON, and `now` with the time. First come all rows,
 * then those that have changed. `/metrics` is for Prometheus. */
#ifndef LB_SERVER_PAGE_H
#define LB_SERVER_PAGE_H

#include "server/board.h"
#include "server/source.h"
#include "server/token.h"

struct MHD_Daemon;
struct lb_page_client;

struct lb_page {
    struct lb_server_source source; /* the daemon's own epoll */
    int listener;                   /* -1: none, see code */
    int code;                       /* an errno */
    struct MHD_Daemon *daemon;      /* NULL: not open */
    struct lb_board *board;
    const struct lb_server_settings *settings;
    struct lb_token token, metrics_token;
    struct lb_page_client *clients; /* a list: who reads /events */
    size_t client_count;
    bool is_ready;     /* its epoll has something */
    uint64_t until_us; /* when the daemon wants to run */
    uint64_t beat_us;  /* when clients were told the time */
    uint64_t told_us;  /* when a wrong token was told; 0: never */
};

/* Opens the port, where the settings ask for the page: while there are rights to do so. What fails
 * is told by lb_page_open. */
void lb_page_listen(struct lb_page *page, const struct lb_server_settings *settings);
/* Serves from here on. The pointers stay the caller's and outlive it. A port that could not be had
 * is told and is no error: machines boot without the page. False: a token cannot be had. */
bool lb_page_open(struct lb_page *page, int epoll, struct lb_board *board,
                  const struct lb_server_settings *settings, struct lb_server_error *error);
/* Whether somebody looks at it, so that the board is to be refreshed. */
bool lb_page_is_watched(const struct lb_page *page);
/* Does what is due. Gives when it wants to be called again. */
uint64_t lb_page_poll(struct lb_page *page, uint64_t now_us);
/* Adds its address with the token in it, for a browser. Nothing where it is not open. */
void lb_page_url(const struct lb_page *page, struct lb_text *text);
void lb_page_close(struct lb_page *page); /* harmless where it is closed */

#endif
