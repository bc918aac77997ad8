/* The iSNS server's TCP connections: a request is read whole, and one answer goes out at a time. */
#include "core/isns/isns_server.h"

void lb_isns_connection_init(struct lb_isns_connection *connection) {
    *connection = (struct lb_isns_connection){0};
}

void lb_isns_connection_lend(struct lb_isns_connection *connection, struct lb_span memory) {
    lb_assert(connection->memory.len == 0);
    connection->memory = memory;
}

struct lb_span lb_isns_connection_take_back(struct lb_isns_connection *connection) {
    struct lb_span memory = connection->memory;
    if (connection->sent < connection->answer_len && !connection->is_over)
        return lb_span(NULL, 0);
    connection->memory = lb_span(NULL, 0);
    connection->sent = connection->answer_len = 0;
    return memory;
}

struct lb_span lb_isns_connection_where(struct lb_isns_connection *connection) {
    size_t len = connection->request_len;
    return lb_span(connection->request + len, sizeof connection->request - len);
}

void lb_isns_connection_got(struct lb_isns_connection *connection, size_t len) {
    lb_assert(len <= sizeof connection->request - connection->request_len);
    connection->request_len += len;
    connection->has_request = false;
    size_t whole = lb_isns_message_len(lb_bytes(connection->request, connection->request_len));
    if (whole == SIZE_MAX || (whole == 0 && connection->request_len == sizeof connection->request))
        connection->is_over = true;
    else
        connection->has_request = whole > 0;
}

/* One request after the other, until one has an answer. */
static void answer(struct lb_isns_connection *connection, uint64_t now_us,
                   struct lb_isns_server *server) {
    connection->sent = connection->answer_len = 0;
    while (connection->has_request && connection->answer_len == 0 && !connection->is_over) {
        struct lb_bytes stream = lb_bytes(connection->request, connection->request_len);
        size_t len = lb_isns_message_len(stream);
        connection->answer_len =
            lb_isns_server_input(server, now_us, lb_bytes(stream.p, len), connection->memory).len;
        connection->request_len -= len;
        memmove(connection->request, connection->request + len, connection->request_len);
        lb_isns_connection_got(connection, 0);
    }
}

struct lb_bytes lb_isns_connection_gather(struct lb_isns_connection *connection, uint64_t now_us,
                                          struct lb_isns_server *server) {
    if (connection->sent == connection->answer_len && connection->memory.len > 0)
        answer(connection, now_us, server);
    if (connection->sent == connection->answer_len)
        return lb_bytes(NULL, 0);
    return lb_bytes(connection->memory.p + connection->sent,
                    connection->answer_len - connection->sent);
}

void lb_isns_connection_sent(struct lb_isns_connection *connection, size_t len) {
    lb_assert(len <= connection->answer_len - connection->sent);
    connection->sent += len;
}
