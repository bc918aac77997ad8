/* The SLP user agent: replies that did not fit into a datagram, by TCP (RFC 2608 6.1, 6.2).
 *
 *   NONE --> CONNECTING --> OPEN --> CLOSING --> NONE
 *                 |           |
 *                 `-----------`---> LOST: what came is handed out, then NONE
 *
 * A reply of any length goes through a buffer of 4 KiB: each URL entry is handed out as soon as it
 * is there whole. */
#include "core/slp/slp_client.h"

static void enter(struct lb_slp_client *client, uint64_t now_us, enum lb_slp_tcp_state state) {
    static const char *const words[] = {"none", "connecting", "open", "closing", "lost"};
    client->tcp.state = state;
    lb_trace(client->trace, now_us, "slp", "tcp %s %s", lb_addr_text(client->tcp.agent).s,
             words[state]);
}

void lb_slp_client_want_tcp(struct lb_slp_client *client, struct lb_addr agent, uint16_t xid) {
    if (client->overflow_count == LB_SLP_AGENTS_MAX)
        return; /* what came by UDP has to do */
    client->overflowed[client->overflow_count] = agent;
    client->overflowed_xid[client->overflow_count++] = xid;
}

/* Whether its whole answer is waited for, comes, or came last. */
static bool is_fetched_from(const struct lb_slp_client *client, struct lb_addr agent) {
    const struct lb_slp_tcp *tcp = &client->tcp;
    if ((tcp->state != LB_SLP_TCP_NONE || tcp->is_complete) && lb_addr_equal(tcp->agent, agent))
        return true;
    for (size_t i = 0; i < client->overflow_count; i++)
        if (lb_addr_equal(client->overflowed[i], agent))
            return true;
    return false;
}

void lb_slp_client_overflowed(struct lb_slp_client *client, struct lb_addr agent, uint16_t xid) {
    if (!is_fetched_from(client, agent))
        lb_slp_client_want_tcp(client, agent, xid);
}

/* The exchange whose reply this is. */
static struct lb_slp_exchange *exchange_of(struct lb_slp_client *client) {
    struct lb_slp_exchange *agent = lb_slp_client_find(client, client->tcp.xid, client->tcp.agent);
    return agent ? agent : &client->casts[LB_SLP_ASK_ALL];
}

static void connect_next(struct lb_slp_client *client, uint64_t now_us,
                         struct lb_slp_action *action) {
    struct lb_slp_tcp *tcp = &client->tcp;
    tcp->agent = client->overflowed[0];
    tcp->xid = client->overflowed_xid[0];
    client->overflow_count--;
    for (size_t i = 0; i < client->overflow_count; i++) {
        client->overflowed[i] = client->overflowed[i + 1];
        client->overflowed_xid[i] = client->overflowed_xid[i + 1];
    }
    tcp->end_us = now_us + lb_slp_client_total_ms(client) * LB_US_MS;
    tcp->has_header = tcp->is_complete = false;
    tcp->at = tcp->len = tcp->sent = 0;
    tcp->tx_len =
        lb_slp_client_compose(client, exchange_of(client), true, lb_span(tcp->tx, sizeof tcp->tx))
            .len;
    lb_assert(tcp->tx_len > 0);
    action->event = LB_SLP_CONNECT;
    action->to = (struct lb_endpoint){.addr = tcp->agent, .port = LB_SLP_PORT};
    enter(client, now_us, LB_SLP_TCP_CONNECTING);
}

/* ---- the reply ---- */

/* The reply is complete, or cannot come any more. */
static void finish(struct lb_slp_client *client, uint64_t now_us, const char *why) {
    struct lb_slp_tcp *tcp = &client->tcp;
    struct lb_slp_exchange *exchange = exchange_of(client);
    tcp->is_complete = why == NULL;
    if (why)
        lb_slp_client_ignore(client, now_us, tcp->agent, why);
    if (exchange->state == LB_SLP_BY_TCP)
        lb_slp_client_end_agent(client, now_us, exchange, LB_SLP_ENDED);
    tcp->at = tcp->len = 0;
    enter(client, now_us, tcp->state == LB_SLP_TCP_LOST ? LB_SLP_TCP_NONE : LB_SLP_TCP_CLOSING);
}

/* The header, error code and count. False: there is no more to come. */
static bool read_header(struct lb_slp_client *client, const char **why) {
    struct lb_slp_tcp *tcp = &client->tcp;
    struct lb_bytes bytes = lb_bytes(tcp->rx, tcp->len);
    struct lb_slp_header header;
    enum lb_slp_peek peek = lb_slp_peek(bytes, &header, why);
    if (peek != LB_SLP_PEEK_GOOD)
        return peek == LB_SLP_PEEK_MORE;
    if (header.function != LB_SLP_SRV_RPLY || header.xid != tcp->xid) {
        *why = "an answer to nothing that was asked";
        return false;
    }
    if (header.extension != 0) {
        *why = "extensions in a reply by TCP";
        return false;
    }
    size_t at = LB_SLP_HEADER_BYTES + header.language.len;
    struct lb_rd rd = lb_rd(lb_bytes_after(bytes, at));
    uint16_t error = lb_rd_u16(&rd);
    tcp->count = lb_rd_u16(&rd);
    if (lb_rd_ok(&rd) && error == LB_SLP_OK) {
        if (header.length < at + LB_SLP_COUNT_BYTES) {
            *why = "malformed SrvRply";
            return false;
        }
        tcp->at = at + LB_SLP_COUNT_BYTES;
        tcp->left = header.length - (uint32_t)tcp->at;
        tcp->has_header = true;
        return true;
    }
    bool has_error = bytes.len >= at + 2 && error != LB_SLP_OK;
    if (has_error)
        lb_slp_client_refused(client, tcp->agent, error);
    return !has_error;
}

/* What is left of the message and did come. */
static struct lb_bytes waiting(const struct lb_slp_tcp *tcp) {
    return lb_bytes(tcp->rx + tcp->at, LB_MIN(tcp->len - tcp->at, tcp->left));
}

/* The next answer; false: more bytes are needed, or the reply is over (*is_over). */
static bool next_entry(struct lb_slp_client *client, uint64_t now_us, bool *is_over,
                       const char **why) {
    struct lb_slp_tcp *tcp = &client->tcp;
    while (tcp->count > 0 && tcp->left > 0) {
        struct lb_bytes bytes = waiting(tcp);
        struct lb_rd rd = lb_rd(bytes);
        struct lb_slp_entry entry = lb_slp_rd_entry(&rd);
        if (!lb_rd_ok(&rd)) {
            bool is_all = bytes.len == tcp->left;
            *is_over = is_all || bytes.len == sizeof tcp->rx;
            *why = is_all ? "a URL entry is cut off" : "a URL entry is too long";
            return false;
        }
        size_t used = bytes.len - rd.left;
        tcp->at += used;
        tcp->left -= (uint32_t)used;
        tcp->count--;
        if (lb_slp_client_take(client, now_us, tcp->agent, &entry))
            return true;
    }
    *is_over = true;
    *why = NULL;
    return false;
}

/* The first entry, or none at all, is an answer. */
static void note_answer(struct lb_slp_client *client, uint64_t now_us) {
    struct lb_slp_exchange *exchange = exchange_of(client);
    if (exchange->state == LB_SLP_BY_TCP)
        lb_slp_client_end_agent(client, now_us, exchange, LB_SLP_ANSWERED);
}

/* Takes what came apart; true: an answer is in client->found. */
static bool read_reply(struct lb_slp_client *client, uint64_t now_us) {
    struct lb_slp_tcp *tcp = &client->tcp;
    const char *why = NULL;
    bool is_over = false;
    if (!tcp->has_header && !read_header(client, &why)) {
        finish(client, now_us, why);
        return false;
    }
    if (tcp->has_header) {
        note_answer(client, now_us);
        if (next_entry(client, now_us, &is_over, &why))
            return true;
    }
    if (is_over)
        finish(client, now_us, why);
    else if (tcp->state == LB_SLP_TCP_LOST)
        finish(client, now_us, "the connection was lost");
    return false;
}

/* ---- the connection ---- */

bool lb_slp_client_poll_tcp(struct lb_slp_client *client, uint64_t now_us,
                            struct lb_slp_action *action) {
    struct lb_slp_tcp *tcp = &client->tcp;
    bool is_open = tcp->state == LB_SLP_TCP_OPEN;
    if ((is_open || tcp->state == LB_SLP_TCP_LOST) && read_reply(client, now_us)) {
        action->event = LB_SLP_FOUND;
        return true;
    }
    if ((tcp->state == LB_SLP_TCP_OPEN || tcp->state == LB_SLP_TCP_CONNECTING) &&
        now_us >= tcp->end_us)
        finish(client, now_us, "a reply by TCP did not come in time");
    if (tcp->state == LB_SLP_TCP_CLOSING) {
        enter(client, now_us, LB_SLP_TCP_NONE);
        action->event = LB_SLP_CLOSE;
        return true;
    }
    if (tcp->state != LB_SLP_TCP_NONE || client->overflow_count == 0)
        return false;
    connect_next(client, now_us, action);
    return true;
}

bool lb_slp_client_tcp_is_idle(const struct lb_slp_client *client) {
    return client->tcp.state == LB_SLP_TCP_NONE && client->overflow_count == 0;
}

uint64_t lb_slp_client_tcp_deadline(const struct lb_slp_client *client) {
    return client->tcp.state == LB_SLP_TCP_NONE ? LB_NEVER : client->tcp.end_us;
}

void lb_slp_client_drop_tcp(struct lb_slp_client *client) {
    client->overflow_count = 0;
    if (client->tcp.state != LB_SLP_TCP_NONE)
        client->tcp.end_us = 0;
}

void lb_slp_client_connected(struct lb_slp_client *client, uint64_t now_us) {
    if (client->tcp.state == LB_SLP_TCP_CONNECTING)
        enter(client, now_us, LB_SLP_TCP_OPEN);
}

void lb_slp_client_lost(struct lb_slp_client *client, uint64_t now_us) {
    if (client->tcp.state == LB_SLP_TCP_CLOSING)
        enter(client, now_us, LB_SLP_TCP_NONE);
    else if (client->tcp.state != LB_SLP_TCP_NONE)
        enter(client, now_us, LB_SLP_TCP_LOST);
}

struct lb_span lb_slp_client_where(struct lb_slp_client *client) {
    struct lb_slp_tcp *tcp = &client->tcp;
    if (tcp->state != LB_SLP_TCP_OPEN)
        return lb_span(tcp->rx, 0);
    if (tcp->at > 0) {
        tcp->len -= tcp->at;
        memmove(tcp->rx, tcp->rx + tcp->at, tcp->len);
        tcp->at = 0;
    }
    return lb_span(tcp->rx + tcp->len, sizeof tcp->rx - tcp->len);
}

void lb_slp_client_got(struct lb_slp_client *client, uint64_t now_us, size_t len) {
    struct lb_slp_tcp *tcp = &client->tcp;
    (void)now_us;
    if (tcp->state != LB_SLP_TCP_OPEN)
        return;
    lb_assert(len <= sizeof tcp->rx - tcp->len);
    tcp->len += len;
}

struct lb_bytes lb_slp_client_gather(const struct lb_slp_client *client) {
    const struct lb_slp_tcp *tcp = &client->tcp;
    if (tcp->state != LB_SLP_TCP_OPEN)
        return lb_bytes(NULL, 0);
    return lb_bytes(tcp->tx + tcp->sent, tcp->tx_len - tcp->sent);
}

void lb_slp_client_sent(struct lb_slp_client *client, size_t len) {
    lb_assert(len <= client->tcp.tx_len - client->tcp.sent);
    client->tcp.sent += len;
}
