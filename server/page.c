#include "server/page.h"
#include "os/linux/clock.h"
#include "os/linux/os_address.h"
#include "page_html.h"
#include "server/http.h"
#include "server/metrics.h"
#include <errno.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS_MAX  64
#define CONNECTIONS_EACH 32
#define CLIENTS_MAX      32 /* of them, who read /events */
#define SILENCE_S        30
#define BACKLOG          16
#define BEAT_US          (15 * LB_US_SEC)
#define TELL_US          (60 * LB_US_SEC) /* between two words of wrong tokens */
#define BLOCK_BYTES      16384            /* of events at a time */
#define ROW_BYTES        (LB_BOARD_JSON_MAX + 64)

/* Who reads /events: rows newer than `seen` go to it, from row `at` on. */
struct lb_page_client {
    struct lb_page *page;
    struct lb_page_client *next;
    struct MHD_Connection *connection;
    uint64_t seen, until; /* serials of the board: all rows were sent up to seen; now up to until */
    size_t at;
    bool is_suspended, is_due; /* due: it is told the time */
};

/* ---- events ---- */

static void add_now(struct lb_text *text, const struct lb_page *page) {
    lb_text_add(text, "event: now\ndata: {\"time\":%llu,\"version\":\"%s\",\"usual\":%llu,",
                (unsigned long long)lb_server_time_ms(), LUNBOOT_VERSION,
                (unsigned long long)page->board->usual_bytes);
    lb_text_add(text, "\"memory\":%llu,\"used\":%llu,\"waits\":%llu}\n\n",
                (unsigned long long)page->board->memory,
                (unsigned long long)page->board->memory_used,
                (unsigned long long)page->board->memory_waits);
}

static void add_rows(struct lb_page_client *client, struct lb_text *text) {
    const struct lb_board *board = client->page->board;
    for (; client->at < board->count && text->cap - text->len > ROW_BYTES; client->at++) {
        if (board->rows[client->at].serial <= client->seen)
            continue;
        lb_text_add(text, "event: row\ndata: ");
        lb_board_json(board, client->at, text);
        lb_text_add(text, "\n\n");
        client->is_due = true;
    }
}

/* Called by libmicrohttpd when the connection takes more. */
static ssize_t on_room(void *closure, uint64_t at, char *room, size_t room_len) {
    struct lb_page_client *client = closure;
    const struct lb_board *board = client->page->board;
    struct lb_text text = lb_text(room, room_len);
    (void)at;
    if (client->at == 0)
        client->until = board->serial; /* what changes meanwhile is sent in the next round */
    add_rows(client, &text);
    if (client->at >= board->count) {
        client->seen = client->until;
        client->at = 0;
        if (client->is_due)
            add_now(&text, client->page);
        client->is_due = false;
    }
    if (text.len > 0)
        return (ssize_t)text.len;
    client->is_suspended = true;
    MHD_suspend_connection(client->connection);
    return 0;
}

static void on_end(void *closure) {
    struct lb_page_client *client = closure, **at = &client->page->clients;
    while (*at != client)
        at = &(*at)->next;
    *at = client->next;
    client->page->client_count--;
    free(client);
}

static void resume(struct lb_page *page, bool is_beat) {
    for (struct lb_page_client *at = page->clients; at != NULL; at = at->next) {
        at->is_due |= is_beat;
        if (!at->is_suspended || (!at->is_due && at->seen >= page->board->serial))
            continue;
        at->is_suspended = false;
        MHD_resume_connection(at->connection);
        page->is_ready = true;
    }
}

/* ---- answers ---- */

/* Adds what every answer has, and sends it. */
static enum MHD_Result send_answer(struct MHD_Connection *connection, unsigned status,
                                   struct MHD_Response *response, const char *type) {
    static const char *const headers[][2] = {
        {MHD_HTTP_HEADER_CACHE_CONTROL, "no-store"},
        {"Content-Security-Policy", LB_PAGE_POLICY},
        {"X-Content-Type-Options", "nosniff"},
        {"X-Frame-Options", "DENY"},
        {"Referrer-Policy", "no-referrer"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
        {"Cross-Origin-Opener-Policy", "same-origin"},
    };
    if (response == NULL)
        return MHD_NO;
    for (size_t i = 0; i < LB_COUNT(headers); i++)
        MHD_add_response_header(response, headers[i][0], headers[i][1]);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    if (status == MHD_HTTP_UNAUTHORIZED)
        MHD_add_response_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE,
                                "Basic realm=\"lunbootd\", charset=\"UTF-8\"");
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

/* text: a constant. */
static enum MHD_Result answer_text(struct MHD_Connection *connection, unsigned status,
                                   struct lb_bytes text, const char *type) {
    return send_answer(connection, status,
                       MHD_create_response_from_buffer(text.len, (void *)(uintptr_t)text.p,
                                                       MHD_RESPMEM_PERSISTENT),
                       type);
}

static enum MHD_Result answer_events(struct lb_page *page, struct MHD_Connection *connection) {
    static const char busy[] = "Too many pages are open.\n";
    struct lb_page_client *client = calloc(1, sizeof *client);
    if (client == NULL || page->client_count >= CLIENTS_MAX) {
        free(client);
        return answer_text(connection, MHD_HTTP_SERVICE_UNAVAILABLE, lb_bytes_of_text(busy),
                           "text/plain");
    }
    *client = (struct lb_page_client){
        .page = page, .connection = connection, .next = page->clients, .is_due = true};
    struct MHD_Response *response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_BYTES, on_room, client, on_end);
    if (response == NULL) {
        free(client);
        return MHD_NO;
    }
    if (page->clients == NULL)
        page->beat_us = lb_now_us();
    page->clients = client;
    page->client_count++;
    return send_answer(connection, MHD_HTTP_OK, response, "text/event-stream");
}

static enum MHD_Result answer_metrics(const struct lb_page *page,
                                      struct MHD_Connection *connection) {
    size_t cap = 8192 + page->board->count * 1024;
    char *room = malloc(cap);
    if (room == NULL)
        return MHD_NO;
    struct lb_text text = lb_text(room, cap);
    lb_metrics_format(&text, page->board);
    struct MHD_Response *response =
        MHD_create_response_from_buffer(text.len, room, MHD_RESPMEM_MUST_FREE);
    if (response == NULL)
        free(room);
    return send_answer(connection, MHD_HTTP_OK, response, "text/plain; version=0.0.4");
}

/* ---- requests ---- */

static struct lb_addr client_of(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    return info != NULL ? lb_os_endpoint(info->client_addr).addr : (struct lb_addr){0};
}

static bool has_token(const struct lb_page *page, struct MHD_Connection *connection,
                      bool is_metrics) {
    const char *header =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_AUTHORIZATION);
    char *password = NULL, *user = MHD_basic_auth_get_username_password(connection, &password);
    struct lb_bytes shown = lb_bytes_of_text(header != NULL ? header : "");
    bool opens = lb_token_opens(&page->token, shown, password);
    opens |= is_metrics & lb_token_opens(&page->metrics_token, shown, password);
    if (password != NULL)
        lb_wipe(password, strlen(password));
    MHD_free(password);
    MHD_free(user);
    return opens;
}

/* Once a minute; not the first request of a browser, which has no token yet. */
static void tell_refusal(struct lb_page *page, struct MHD_Connection *connection) {
    uint64_t now_us = lb_now_us();
    if (MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_AUTHORIZATION) ==
            NULL ||
        (page->told_us != 0 && now_us - page->told_us < TELL_US))
        return;
    page->told_us = now_us;
    lb_server_say(lb_addr_text(client_of(connection)).s, "was refused the page: a wrong token");
}

/* Called by libmicrohttpd when the request's header is there. */
static enum MHD_Result on_request(void *closure, struct MHD_Connection *connection,
                                  const char *path, const char *method, const char *version,
                                  const char *data, size_t *data_len, void **state) {
    static const char refused[] = "A token opens this page. See: lunbootctl page\n";
    static const char missing[] = "There is no such page.\n", wrong[] = "Only GET is answered.\n";
    struct lb_page *page = closure;
    bool is_metrics = strcmp(path, "/metrics") == 0;
    (void)version, (void)data;
    if (!has_token(page, connection, is_metrics)) {
        tell_refusal(page, connection);
        return answer_text(connection, MHD_HTTP_UNAUTHORIZED, lb_bytes_of_text(refused),
                           "text/plain");
    }
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
        return answer_text(connection, MHD_HTTP_METHOD_NOT_ALLOWED, lb_bytes_of_text(wrong),
                           "text/plain");
    if (!lb_server_http_is_whole(data_len, state))
        return MHD_YES;
    if (is_metrics)
        return answer_metrics(page, connection);
    if (strcmp(path, "/events") == 0)
        return answer_events(page, connection);
    if (strcmp(path, "/") == 0)
        return answer_text(connection, MHD_HTTP_OK, lb_bytes(page_html, sizeof page_html),
                           "text/html; charset=utf-8");
    return answer_text(connection, MHD_HTTP_NOT_FOUND, lb_bytes_of_text(missing), "text/plain");
}

/* ---- begin and end ---- */

static struct lb_endpoint place_of(const struct lb_server_settings *settings) {
    return (struct lb_endpoint){settings->page_address, (uint16_t)settings->page_port};
}

void lb_page_listen(struct lb_page *page, const struct lb_server_settings *settings) {
    struct lb_os_address at = lb_os_address(place_of(settings), 0);
    int on = 1;
    if (!settings->page)
        return;
    page->listener = socket(at.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (page->listener >= 0 &&
        setsockopt(page->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        bind(page->listener, &at.any, at.len) == 0 && listen(page->listener, BACKLOG) == 0)
        return;
    page->code = errno;
    if (page->listener >= 0)
        close(page->listener);
    page->listener = -1;
}

static bool load_tokens(struct lb_page *page, struct lb_server_error *error) {
    const struct lb_server_settings *settings = page->settings;
    char own[LB_SERVER_STATE_MAX + 16];
    bool is_given = settings->page_token[0] != '\0';
    lb_format(own, sizeof own, "%s/page-token", settings->state);
    return lb_token_load(&page->token, is_given ? settings->page_token : own, !is_given, error) &&
           (settings->metrics_token[0] == '\0' ||
            lb_token_load(&page->metrics_token, settings->metrics_token, false, error));
}

static void tell_address(const struct lb_page *page) {
    struct lb_endpoint at = place_of(page->settings);
    if (page->listener < 0 && page->daemon == NULL)
        lb_server_say("", "has no page: %s cannot be served: %s; try: %s, or --page=no",
                      lb_endpoint_text(at).s, strerror(page->code),
                      page->code == EADDRNOTAVAIL
                          ? "--page-address= with an address of this computer"
                          : "--page-port=NUMBER");
    else
        lb_server_say(
            "", "shows its state at http://%s/; lunbootctl page opens it%s", lb_endpoint_text(at).s,
            lb_addr_is_loopback(at.addr) ? "" : " (over the network it is not encrypted)");
}

bool lb_page_open(struct lb_page *page, int epoll, struct lb_board *board,
                  const struct lb_server_settings *settings, struct lb_server_error *error) {
    page->board = board;
    page->settings = settings;
    page->until_us = LB_NEVER;
    if (!settings->page)
        return true;
    if (!load_tokens(page, error))
        return false;
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME |
                     (settings->page_address.family == LB_V6 ? MHD_USE_IPv6 : 0U);
    if (page->listener >= 0)
        page->daemon =
            MHD_start_daemon(flags, (uint16_t)settings->page_port, NULL, NULL, on_request, page,
                             MHD_OPTION_LISTEN_SOCKET, page->listener, MHD_OPTION_CONNECTION_LIMIT,
                             (unsigned)CONNECTIONS_MAX, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
                             (unsigned)CONNECTIONS_EACH, MHD_OPTION_CONNECTION_TIMEOUT,
                             (unsigned)SILENCE_S, MHD_OPTION_END);
    tell_address(page);
    if (page->daemon == NULL)
        return true;
    page->listener = -1; /* the daemon's */
    page->source.fd = MHD_get_daemon_info(page->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    page->is_ready = true;
    return lb_server_watch(epoll, &page->source, EPOLLIN) ||
           lb_server_fail(error, "", "the page cannot be waited for: %s", strerror(errno));
}

bool lb_page_is_watched(const struct lb_page *page) {
    return page->client_count > 0;
}

uint64_t lb_page_poll(struct lb_page *page, uint64_t now_us) {
    MHD_UNSIGNED_LONG_LONG wait_ms;
    bool is_beat = page->client_count > 0 && now_us - page->beat_us >= BEAT_US;
    if (page->daemon == NULL)
        return LB_NEVER;
    if (is_beat)
        page->beat_us = now_us;
    resume(page, is_beat);
    if (page->is_ready || now_us >= page->until_us) {
        page->is_ready = false;
        MHD_run(page->daemon);
        page->until_us = MHD_get_timeout(page->daemon, &wait_ms) == MHD_YES
                             ? now_us + wait_ms * LB_US_MS
                             : LB_NEVER;
    }
    return page->client_count > 0 ? LB_MIN(page->until_us, page->beat_us + BEAT_US)
                                  : page->until_us;
}

void lb_page_url(const struct lb_page *page, struct lb_text *text) {
    if (page->daemon != NULL)
        lb_text_add(text, "http://lunbootd:%s@%s/", page->token.text,
                    lb_endpoint_text(place_of(page->settings)).s);
}

void lb_page_close(struct lb_page *page) {
    for (struct lb_page_client *at = page->clients; at != NULL; at = at->next) {
        if (at->is_suspended)
            MHD_resume_connection(at->connection);
        at->is_suspended = false;
    }
    if (page->daemon != NULL)
        MHD_stop_daemon(page->daemon); /* and its epoll */
    if (page->listener >= 0)
        close(page->listener);
    page->daemon = NULL;
    page->source.fd = page->listener = -1;
    lb_wipe(&page->token, sizeof page->token);
    lb_wipe(&page->metrics_token, sizeof page->metrics_token);
}
