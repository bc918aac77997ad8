/* The SLP server's TCP connections. A list of services is counted first, for its header says its
 * length, and then written piece by piece. */
#include "core/slp/slp_server_state.h"

#define U24_MAX 0xffffff

void lb_slp_connection_init(struct lb_slp_connection *connection) {
    memset(connection, 0, sizeof *connection);
}

struct lb_span lb_slp_connection_where(struct lb_slp_connection *connection) {
    size_t len = connection->request_len;
    return lb_span(connection->request + len, sizeof connection->request - len);
}

void lb_slp_connection_got(struct lb_slp_connection *connection, size_t len) {
    lb_assert(len <= sizeof connection->request - connection->request_len);
    connection->request_len += len;
}

/* The request at the front; empty: it is not there whole. */
static struct lb_bytes whole_request(struct lb_slp_connection *connection) {
    struct lb_bytes bytes = lb_bytes(connection->request, connection->request_len);
    struct lb_slp_header header;
    const char *why;
    switch (lb_slp_peek(bytes, &header, &why)) {
    case LB_SLP_PEEK_GOOD:
        connection->is_over = header.length > sizeof connection->request;
        return lb_bytes(bytes.p, header.length <= bytes.len ? header.length : 0);
    case LB_SLP_PEEK_BAD:
        connection->is_over = true;
        return lb_bytes(NULL, 0);
    case LB_SLP_PEEK_MORE:
        return lb_bytes(NULL, 0);
    }
    return lb_bytes(NULL, 0);
}

static void drop_request(struct lb_slp_connection *connection, size_t len) {
    connection->request_len -= len;
    memmove(connection->request, connection->request + len, connection->request_len);
}

/* Header, count and all: the length of the whole list. Entries beyond what a message can hold are
 * left out. */
static void begin_list(struct lb_slp_connection *connection, uint64_t now_us,
                       const struct lb_slp_server *server, const struct lb_slp_asked *asked) {
    struct lb_wr wr = lb_wr(lb_span(connection->piece, sizeof connection->piece));
    const struct lb_slp_registration *service;
    uint16_t lifetime_s, count = 0;
    size_t index = 0;
    lb_slp_begin(&wr, LB_SLP_SRV_RPLY, 0, asked->header.xid, asked->header.language);
    lb_wr_u16(&wr, LB_SLP_OK);
    size_t count_at = wr.len, length = wr.len + 2;
    while ((service = lb_slp_server_next(server, now_us, &asked->request, &index, &lifetime_s))) {
        size_t entry_bytes = lb_slp_entry_bytes(service->url);
        if (length + entry_bytes > U24_MAX || count == UINT16_MAX)
            break;
        length += entry_bytes;
        count++;
    }
    lb_slp_finish(&wr);
    lb_wr_u16(&wr, count);
    lb_wr_u8_at(&wr, 2, (uint8_t)(length >> 16));
    lb_wr_u16_at(&wr, 3, (uint16_t)length);
    lb_assert(lb_wr_ok(&wr) && wr.len == count_at + 2);
    connection->piece_len = wr.len;
    connection->is_answering = true;
    connection->left = count;
    connection->next = 0;
    connection->changes = server->changes;
}

/* The entries that come next, as many as fit into a piece. A list that changed cannot be what its
 * header says. */
static void go_on(struct lb_slp_connection *connection, uint64_t now_us,
                  const struct lb_slp_server *server, const struct lb_slp_asked *asked) {
    struct lb_wr wr = lb_wr(lb_span(connection->piece, sizeof connection->piece));
    const struct lb_slp_registration *service = NULL;
    uint16_t lifetime_s;
    while (connection->left > 0) {
        size_t index = connection->next;
        service = lb_slp_server_next(server, now_us, &asked->request, &index, &lifetime_s);
        if (!service || wr.len + lb_slp_entry_bytes(service->url) > wr.cap)
            break;
        lb_slp_put_entry(&wr, lifetime_s, service->url);
        connection->next = index;
        connection->left--;
    }
    connection->piece_len = wr.len;
    connection->is_over =
        connection->changes != server->changes || (connection->left > 0 && wr.len == 0);
}

static void answer(struct lb_slp_connection *connection, uint64_t now_us,
                   struct lb_slp_server *server, struct lb_bytes request) {
    struct lb_slp_asked asked;
    struct lb_span room = lb_span(connection->piece, sizeof connection->piece);
    bool is_listing = lb_slp_server_is_listing(server, request, &asked);
    connection->piece_len = 0;
    connection->sent = 0;
    if (is_listing && !connection->is_answering)
        begin_list(connection, now_us, server, &asked);
    else if (is_listing)
        go_on(connection, now_us, server, &asked);
    else
        connection->piece_len = lb_slp_server_answer(server, now_us, request, false, room).len;
    if (connection->left == 0) {
        connection->is_answering = false;
        drop_request(connection, request.len);
    }
}

struct lb_bytes lb_slp_connection_gather(struct lb_slp_connection *connection, uint64_t now_us,
                                         struct lb_slp_server *server) {
    if (connection->sent == connection->piece_len && !connection->is_over) {
        struct lb_bytes request = whole_request(connection);
        if (request.len > 0 && !connection->is_over)
            answer(connection, now_us, server, request);
    }
    if (connection->is_over)
        return lb_bytes(NULL, 0);
    return lb_bytes(connection->piece + connection->sent, connection->piece_len - connection->sent);
}

void lb_slp_connection_sent(struct lb_slp_connection *connection, size_t len) {
    lb_assert(len <= connection->piece_len - connection->sent);
    connection->sent += len;
}
