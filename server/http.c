#include "server/http.h"
#include "os/linux/os_address.h"
#include "server/range.h"
#include "server/say.h"
#include <microhttpd.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS_MAX  256
#define CONNECTIONS_EACH 16
#define SILENCE_S        30

bool lb_server_has_http(void) {
    return true;
}

static enum MHD_Result answer_empty(struct MHD_Connection *connection, unsigned status,
                                    const char *header, const char *value) {
    struct MHD_Response *response =
        MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    if (response == NULL)
        return MHD_NO;
    if (header != NULL)
        MHD_add_response_header(response, header, value);
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

/* The bytes of a file; its fd is the response's from here on. */
static struct MHD_Response *file_response(struct lb_server_file *file, uint64_t offset,
                                          uint64_t len) {
    if (file->fd < 0)
        return MHD_create_response_from_buffer(
            (size_t)len, (void *)(uintptr_t)(file->text.p + offset), MHD_RESPMEM_PERSISTENT);
    struct MHD_Response *response = MHD_create_response_from_fd_at_offset64(len, file->fd, offset);
    if (response == NULL)
        close(file->fd);
    file->fd = -1;
    return response;
}

static enum MHD_Result answer_file(struct MHD_Connection *connection, struct lb_server_file *file) {
    const char *header =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_RANGE);
    uint64_t offset, len, bytes = file->bytes;
    char place[80];
    enum lb_server_range_kind kind =
        lb_server_range_parse(lb_bytes_of_text(header ? header : ""), bytes, &offset, &len);
    if (kind == LB_RANGE_OUTSIDE) {
        lb_server_file_close(file);
        lb_format(place, sizeof place, "bytes */%llu", (unsigned long long)bytes);
        return answer_empty(connection, MHD_HTTP_RANGE_NOT_SATISFIABLE,
                            MHD_HTTP_HEADER_CONTENT_RANGE, place);
    }
    struct MHD_Response *response = file_response(file, offset, len);
    if (response == NULL)
        return MHD_NO;
    MHD_add_response_header(response, MHD_HTTP_HEADER_ACCEPT_RANGES, "bytes");
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/octet-stream");
    lb_format(place, sizeof place, "bytes %llu-%llu/%llu", (unsigned long long)offset,
              (unsigned long long)(offset + len - 1), (unsigned long long)bytes);
    if (kind == LB_RANGE_PART)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_RANGE, place);
    enum MHD_Result result = MHD_queue_response(
        connection, kind == LB_RANGE_PART ? MHD_HTTP_PARTIAL_CONTENT : MHD_HTTP_OK, response);
    MHD_destroy_response(response);
    return result;
}

static struct lb_addr client_of(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    return info != NULL ? lb_os_endpoint(info->client_addr).addr : (struct lb_addr){0};
}

/* RFC 9112 3.2.2: a request may name the server, too, as those to a proxy do. */
static const char *path_of(const char *target) {
    static const char scheme[] = "http://";
    if (strncmp(target, scheme, sizeof scheme - 1) != 0)
        return target;
    const char *path = strchr(target + sizeof scheme - 1, '/');
    return path != NULL ? path : "/";
}

bool lb_server_http_is_whole(size_t *data_len, void **state) {
    static char begun;
    bool is_whole = *state != NULL && *data_len == 0;
    *state = &begun;
    *data_len = 0;
    return is_whole;
}

/* Called by libmicrohttpd: see lb_server_http_is_whole. */
static enum MHD_Result on_request(void *closure, struct MHD_Connection *connection,
                                  const char *target, const char *method, const char *version,
                                  const char *data, size_t *data_len, void **state) {
    const struct lb_server_http *http = closure;
    bool is_head = strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
    struct lb_server_file file;
    struct lb_event event = {.kind = LB_EVENT_TROUBLE, .address = client_of(connection)};
    const char *why, *path = path_of(target);
    char name[80];
    struct lb_text text = lb_text(name, sizeof name);
    (void)version, (void)data;
    lb_text_untrusted(&text, lb_bytes_of_text(path));
    if (!is_head && strcmp(method, MHD_HTTP_METHOD_GET) != 0)
        return answer_empty(connection, MHD_HTTP_METHOD_NOT_ALLOWED, MHD_HTTP_HEADER_ALLOW,
                            "GET, HEAD");
    if (!lb_server_http_is_whole(data_len, state))
        return MHD_YES;
    if (!lb_server_files_find(http->files, lb_bytes_of_text(path), &file, &why)) {
        lb_server_tell(&event, "asked for %s by HTTP: %s", name, why);
        return answer_empty(connection, MHD_HTTP_NOT_FOUND, NULL, NULL);
    }
    event.kind = LB_EVENT_FILE;
    event.file = name;
    if (!is_head)
        lb_server_tell(&event, "fetches %s by HTTP: %s", name, lb_size_text(file.bytes).s);
    return answer_file(connection, &file);
}

bool lb_server_http_open(struct lb_server_http *http, int epoll, enum lb_family family,
                         const struct lb_server_link *link, const struct lb_server_files *files,
                         uint16_t port, struct lb_server_error *error) {
    *http = (struct lb_server_http){.source = {.kind = LB_SOURCE_HTTP, .fd = -1}, .files = files};
    int fd = lb_server_link_listen(link, family, port, "HTTP", error);
    if (fd < 0)
        return false;
    http->daemon = MHD_start_daemon(
        MHD_USE_EPOLL | (family == LB_V6 ? MHD_USE_IPv6 : 0U), port, NULL, NULL, on_request, http,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)CONNECTIONS_EACH,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)SILENCE_S, MHD_OPTION_END);
    if (http->daemon == NULL) {
        close(fd);
        return lb_server_fail(error, "leave it off: --http=no", "HTTP cannot be started");
    }
    http->is_ready = true;
    http->source.fd = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    return lb_server_watch(epoll, &http->source, EPOLLIN);
}

void lb_server_http_ready(struct lb_server_http *http) {
    http->is_ready = true;
}

uint64_t lb_server_http_poll(struct lb_server_http *http, uint64_t now_us) {
    MHD_UNSIGNED_LONG_LONG wait_ms;
    if (http->daemon == NULL)
        return LB_NEVER;
    if (http->is_ready || now_us >= http->until_us) {
        http->is_ready = false;
        MHD_run(http->daemon);
        http->until_us = MHD_get_timeout(http->daemon, &wait_ms) == MHD_YES
                             ? now_us + wait_ms * LB_US_MS
                             : LB_NEVER;
    }
    return http->until_us;
}

void lb_server_http_close(struct lb_server_http *http) {
    if (http->daemon != NULL)
        MHD_stop_daemon(http->daemon); /* and its epoll */
    http->daemon = NULL;
    http->source.fd = -1;
}
