/* An answer that does not fit into a datagram comes by TCP: RFC 7766. Two bytes of length stand
 * before each message (RFC 1035 4.2.2). One question has the connection at a time; the others
 * wait. */
#include "core/dns/dns_client.h"

#define STREAM_MS 2000 /* from CONNECT to the answer */

/* ---- who has the connection ---- */

void lb_dns_stream_end(struct lb_dns_client *client, size_t question) {
    struct lb_dns_stream *stream = &client->stream;
    if (stream->has_socket && stream->question == question)
        stream->close_due = true;
}

static void prepare(struct lb_dns_client *client) {
    struct lb_dns_stream *stream = &client->stream;
    const struct lb_dns_question *question = &client->questions[stream->question];
    struct lb_bytes query = lb_dns_query_encode(question->id, question->name, question->type,
                                                lb_span(stream->tx + 2, sizeof stream->tx - 2));
    struct lb_wr wr = lb_wr(lb_span(stream->tx, 2));
    lb_wr_u16(&wr, (uint16_t)query.len);
    stream->tx_len = 2 + query.len;
    stream->tx_sent = 0;
    stream->rx_len = 0;
}

static bool find_question(const struct lb_dns_client *client, size_t *question) {
    for (size_t i = 0; i < LB_DNS_QUESTIONS; i++) {
        if (client->state == LB_DNS_ASKING && client->questions[i].state == LB_DNS_BY_TCP) {
            *question = i;
            return true;
        }
    }
    return false;
}

static void fail(struct lb_dns_client *client, uint64_t now_us) {
    struct lb_dns_stream *stream = &client->stream;
    lb_trace(client->trace, now_us, "dns", "TCP with %s failed",
             lb_endpoint_text(client->config.servers[stream->server]).s);
    if (client->questions[stream->question].state == LB_DNS_BY_TCP)
        lb_dns_server_failed(client, now_us, stream->question, stream->server);
}

bool lb_dns_stream_poll(struct lb_dns_client *client, uint64_t now_us,
                        struct lb_dns_action *action) {
    struct lb_dns_stream *stream = &client->stream;
    if (stream->has_socket && !stream->close_due && now_us >= stream->deadline_us)
        fail(client, now_us); /* which asks for CLOSE */
    if (stream->close_due) {
        stream->close_due = stream->has_socket = stream->is_open = false;
        action->event = LB_DNS_CLOSE;
        return true;
    }
    if (stream->has_socket || !find_question(client, &stream->question))
        return false;
    stream->server = client->questions[stream->question].next;
    stream->has_socket = true;
    stream->deadline_us = now_us + STREAM_MS * LB_US_MS;
    prepare(client);
    action->event = LB_DNS_CONNECT;
    action->to = client->config.servers[stream->server];
    return true;
}

uint64_t lb_dns_stream_until(const struct lb_dns_client *client) {
    return client->stream.has_socket ? client->stream.deadline_us : LB_NEVER;
}

/* ---- bytes ---- */

void lb_dns_client_connected(struct lb_dns_client *client, uint64_t now_us) {
    (void)now_us;
    client->stream.is_open = client->stream.has_socket;
}

void lb_dns_client_lost(struct lb_dns_client *client, uint64_t now_us) {
    if (!client->stream.has_socket)
        return;
    client->stream.has_socket = client->stream.is_open = client->stream.close_due = false;
    fail(client, now_us);
}

struct lb_span lb_dns_client_where(struct lb_dns_client *client) {
    struct lb_dns_stream *stream = &client->stream;
    if (!stream->is_open || stream->close_due)
        return (struct lb_span){0};
    return lb_span(stream->rx + stream->rx_len, sizeof stream->rx - stream->rx_len);
}

void lb_dns_client_got(struct lb_dns_client *client, uint64_t now_us, size_t len) {
    struct lb_dns_stream *stream = &client->stream;
    lb_assert(len <= sizeof stream->rx - stream->rx_len);
    stream->rx_len += len;
    struct lb_rd rd = lb_rd(lb_bytes(stream->rx, stream->rx_len));
    size_t message_len = lb_rd_u16(&rd);
    if (stream->close_due || !lb_rd_ok(&rd))
        return;
    if (message_len > sizeof stream->rx - 2) {
        fail(client, now_us);
        return;
    }
    struct lb_bytes message = lb_rd_bytes(&rd, message_len);
    if (!lb_rd_ok(&rd))
        return;
    if (!lb_dns_take_message(client, now_us, stream->server, message) ||
        client->questions[stream->question].state == LB_DNS_BY_TCP) /* cut by TCP, too */
        fail(client, now_us);
}

struct lb_bytes lb_dns_client_gather(const struct lb_dns_client *client) {
    const struct lb_dns_stream *stream = &client->stream;
    if (!stream->is_open || stream->close_due)
        return (struct lb_bytes){0};
    return lb_bytes(stream->tx + stream->tx_sent, stream->tx_len - stream->tx_sent);
}

void lb_dns_client_sent(struct lb_dns_client *client, uint64_t now_us, size_t len) {
    (void)now_us;
    lb_assert(len <= client->stream.tx_len - client->stream.tx_sent);
    client->stream.tx_sent += len;
}
