/* A build without libmicrohttpd. */
#include "server/page.h"

void lb_page_listen(struct lb_page *page, const struct lb_server_settings *settings) {
    (void)page, (void)settings;
}

bool lb_page_open(struct lb_page *page, int epoll, struct lb_board *board,
                  const struct lb_server_settings *settings, struct lb_server_error *error) {
    (void)epoll, (void)error;
    page->board = board;
    page->settings = settings;
    return true;
}

bool lb_page_is_watched(const struct lb_page *page) {
    (void)page;
    return false;
}

uint64_t lb_page_poll(struct lb_page *page, uint64_t now_us) {
    (void)page, (void)now_us;
    return LB_NEVER;
}

void lb_page_url(const struct lb_page *page, struct lb_text *text) {
    (void)page, (void)text;
}

void lb_page_close(struct lb_page *page) {
    (void)page;
}
