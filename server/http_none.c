/* A build without libmicrohttpd. */
#include "server/http.h"

bool lb_server_has_http(void) {
    return false;
}

bool lb_server_http_open(struct lb_server_http *http, int epoll, enum lb_family family,
                         const struct lb_server_link *link, const struct lb_server_files *files,
                         uint16_t port, struct lb_server_error *error) {
    (void)epoll, (void)link, (void)files, (void)port;
    *http = (struct lb_server_http){.source = {.kind = LB_SOURCE_HTTP, .fd = -1}};
    return lb_server_fail(error, "leave it off (--http=no), or build with libmicrohttpd",
                          "this lunbootd has been built without HTTP");
}

void lb_server_http_ready(struct lb_server_http *http) {
    (void)http;
}

uint64_t lb_server_http_poll(struct lb_server_http *http, uint64_t now_us) {
    (void)http, (void)now_us;
    return LB_NEVER;
}

void lb_server_http_close(struct lb_server_http *http) {
    (void)http;
}
