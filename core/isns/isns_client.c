/* The life of one question.
 *
 *               connected            nothing is left to ask
 *   CONNECTING -----------> ASKING ------------------------> ENDED (DONE)
 *    |  ^   (UDP: at once)   |  ^                              ^
 *    |  |                    |  | the pause is over            | withdraw: CONNECTING again
 *    |  |             busy,  v  |                              |
 *    |  +--- closed --- PAUSING                                |
 *    |       before the answer                                 |
 *    +--- refused, silent, broken, too long: FAILED -----------+ */
#include "core/isns/isns_client.h"
#include "core/base/pace.h"

#define CONNECT_MS     5000
#define ANSWER_MS      8000
#define GIVE_UP_MS     30000
#define PAUSE_MS       250 /* doubled each time, up to: */
#define PAUSE_MAX_MS   4000
#define RECONNECTS_MAX 2 /* a server that closes before it answered is asked three times */
#define RESEND_PART    8 /* of answer_ms: the first wait of UDP */

static uint64_t us(uint32_t ms, uint32_t default_ms) {
    return (ms ? ms : default_ms) * LB_US_MS;
}

static struct lb_addr_text server_text(const struct lb_isns_client *client) {
    return lb_endpoint_text(client->config.server);
}

/* ---- states ---- */

static void drop_connection(struct lb_isns_client *client) {
    client->connect_due = false;
    client->is_lost = false;
    client->is_open = false;
    client->rx_start = client->rx_len = 0;
    client->tx_start = client->tx_len = 0;
    lb_isns_reader_init(&client->reader);
    for (size_t i = 0; i < LB_ISNS_WINDOW; i++)
        if (client->requests[i].ask != LB_ISNS_ASK_NOTHING)
            lb_isns_put_back(client, &client->requests[i]);
}

static void close_connection(struct lb_isns_client *client) {
    client->close_due |= client->has_socket;
    client->has_socket = false;
    drop_connection(client);
}

static void enter_ended(struct lb_isns_client *client, uint64_t now_us) {
    close_connection(client);
    client->state = LB_ISNS_ENDED;
    client->deadline_us = LB_NEVER;
    client->resend_us = LB_NEVER;
    client->end_due = true;
    lb_trace(client->trace, now_us, "isns", "%s: %u found",
             lb_is_ok(&client->error) ? "done" : lb_code_word(client->error.code),
             client->counts.found);
}

void lb_isns_enter_failed(struct lb_isns_client *client, uint64_t now_us) {
    lb_assert(!lb_is_ok(&client->error));
    if (client->state != LB_ISNS_ENDED)
        enter_ended(client, now_us);
}

static void set_silence_deadline(struct lb_isns_client *client, uint64_t now_us) {
    uint64_t silence_us = us(client->config.answer_ms, ANSWER_MS);
    client->deadline_us = now_us + silence_us;
    client->resend_us = client->config.udp ? now_us + silence_us / RESEND_PART : LB_NEVER;
    client->resends = 0;
}

static void enter_asking(struct lb_isns_client *client, uint64_t now_us) {
    client->state = LB_ISNS_ASKING;
    set_silence_deadline(client, now_us);
}

static void enter_connecting(struct lb_isns_client *client, uint64_t now_us) {
    if (client->config.udp) {
        client->is_open = true;
        enter_asking(client, now_us);
        return;
    }
    client->state = LB_ISNS_CONNECTING;
    client->deadline_us = now_us + us(client->config.connect_ms, CONNECT_MS);
    client->resend_us = LB_NEVER;
    client->connect_due = true;
}

static void enter_pausing(struct lb_isns_client *client, uint64_t now_us) {
    uint64_t pause_ms = lb_pace(PAUSE_MS, PAUSE_MAX_MS, client->pauses);
    client->pauses++;
    client->state = LB_ISNS_PAUSING;
    client->deadline_us = now_us + pause_ms * LB_US_MS;
    client->resend_us = LB_NEVER;
    lb_trace(client->trace, now_us, "isns", "a pause of %u ms", (unsigned)pause_ms);
}

/* Answers to what else was asked may still come meanwhile. */
void lb_isns_pause(struct lb_isns_client *client, uint64_t now_us) {
    client->was_busy = true;
    if (client->state == LB_ISNS_ASKING)
        enter_pausing(client, now_us);
}

/* ---- init ---- */

void lb_isns_client_init(struct lb_isns_client *client, uint64_t now_us,
                         const struct lb_isns_config *config, struct lb_rand *rand,
                         struct lb_trace *trace) {
    lb_assert(config->initiator[0] && lb_addr_is_set(config->server.addr));
    memset(client, 0, sizeof *client);
    client->config = *config;
    client->rand = rand;
    client->trace = trace;
    client->give_up_us = now_us + us(config->give_up_ms, GIVE_UP_MS);
    client->needs_registration = config->registration == LB_ISNS_REGISTER_ALWAYS;
    if (client->config.server.port == 0)
        client->config.server.port = LB_ISNS_PORT;
    if (config->target[0])
        lb_isns_add_target(client, config->target, false);
    lb_isns_start_over(client);
    lb_isns_reader_init(&client->reader);
    enter_connecting(client, now_us);
}

void lb_isns_client_withdraw(struct lb_isns_client *client, uint64_t now_us) {
    lb_assert(client->state == LB_ISNS_ENDED && !client->end_due);
    client->error = (struct lb_error){0};
    client->withdraws = true;
    client->withdrawing = client->is_registered ? LB_ISNS_TO_ASK : LB_ISNS_ANSWERED;
    client->pauses = client->reconnects = 0;
    client->give_up_us = now_us + us(client->config.give_up_ms, GIVE_UP_MS);
    if (client->is_registered)
        enter_connecting(client, now_us);
    else
        enter_ended(client, now_us);
}

/* ---- the connection ---- */

void lb_isns_client_connected(struct lb_isns_client *client, uint64_t now_us) {
    if (client->state != LB_ISNS_CONNECTING || client->connect_due)
        return;
    client->is_open = true;
    enter_asking(client, now_us);
}

void lb_isns_client_lost(struct lb_isns_client *client, uint64_t now_us, const char *why) {
    if (client->state == LB_ISNS_CONNECTING && !client->connect_due) {
        lb_fail(&client->error, LB_E_ISNS_CONNECT, "%s: %s", server_text(client).s,
                why ? why : "closed");
        client->has_socket = false;
        enter_ended(client, now_us);
    } else if (client->is_open) {
        client->is_lost = true;
        client->is_open = false;
        client->has_socket = false;
        client->lost_why = why ? why : "closed";
    }
}

static void count_left_out(struct lb_isns_client *client) {
    for (size_t i = 0; i < client->domain_count; i++)
        client->counts.dropped += client->domains[i].member_count - client->domains[i].taken;
    for (size_t i = 0; i < client->target_count; i++)
        client->counts.dropped += client->targets[i].portals == LB_ISNS_TO_ASK;
}

/* Some servers show an unknown node an empty list instead of saying that they do not know it. */
static bool may_register(const struct lb_isns_client *client) {
    return client->config.registration == LB_ISNS_REGISTER_AUTO && !client->needs_registration &&
           client->counts.found == 0;
}

/* Nothing is left to ask. Who leaves with nothing takes its registration along. */
static void on_answered(struct lb_isns_client *client, uint64_t now_us) {
    if (lb_isns_ask_more(client))
        return;
    if (!client->withdraws && may_register(client)) {
        client->needs_registration = client->tries_registration = true;
        lb_isns_start_over(client);
        return;
    }
    if (!client->withdraws) {
        count_left_out(client);
        client->withdraws = client->is_registered && client->counts.found == 0;
        if (client->withdraws)
            return;
    }
    enter_ended(client, now_us);
}

/* What it had brought has been read. */
static void on_lost(struct lb_isns_client *client, uint64_t now_us) {
    drop_connection(client);
    if (lb_isns_is_answered(client))
        on_answered(client, now_us);
    if (client->state == LB_ISNS_ENDED)
        return;
    if (client->reconnects == RECONNECTS_MAX) {
        lb_fail(&client->error, LB_E_ISNS_CLOSED, "%s: %s %u times", server_text(client).s,
                client->lost_why, client->reconnects + 1);
        enter_ended(client, now_us);
        return;
    }
    client->reconnects++;
    enter_pausing(client, now_us);
}

struct lb_span lb_isns_client_where(struct lb_isns_client *client) {
    if (!client->is_open || client->config.udp)
        return lb_span(NULL, 0);
    if (client->rx_start > 0) {
        memmove(client->rx, client->rx + client->rx_start, client->rx_len);
        client->rx_start = 0;
    }
    return lb_span(client->rx + client->rx_len, sizeof client->rx - client->rx_len);
}

void lb_isns_client_got(struct lb_isns_client *client, uint64_t now_us, size_t len) {
    if (!client->is_open)
        return;
    lb_assert(len <= sizeof client->rx - client->rx_start - client->rx_len);
    client->rx_len += len;
    if (client->state == LB_ISNS_ASKING)
        set_silence_deadline(client, now_us);
}

struct lb_bytes lb_isns_client_gather(const struct lb_isns_client *client) {
    if (!client->is_open || client->config.udp)
        return lb_bytes(NULL, 0);
    return lb_bytes(client->tx + client->tx_start, client->tx_len - client->tx_start);
}

void lb_isns_client_sent(struct lb_isns_client *client, uint64_t now_us, size_t len) {
    if (!client->is_open)
        return;
    lb_assert(len <= client->tx_len - client->tx_start);
    client->tx_start += len;
    if (client->tx_start == client->tx_len)
        client->tx_start = client->tx_len = 0;
    if (len > 0 && client->state == LB_ISNS_ASKING)
        set_silence_deadline(client, now_us);
}

static void read_stream(struct lb_isns_client *client, uint64_t now_us) {
    struct lb_bytes input = lb_bytes(client->rx + client->rx_start, client->rx_len);
    lb_isns_read_answers(client, now_us, &input);
    if (client->state == LB_ISNS_ENDED)
        return; /* all of it was forgotten */
    client->rx_start += client->rx_len - input.len;
    client->rx_len = input.len;
}

/* ---- datagrams ---- */

/* RFC 4171 2.9.2: one message a datagram. */
static bool is_one_message(struct lb_bytes datagram) {
    struct lb_isns_reader reader;
    enum lb_isns_read got;
    lb_isns_reader_init(&reader);
    do {
        got = lb_isns_reader_next(&reader, &datagram);
    } while (got == LB_ISNS_READ_MESSAGE || got == LB_ISNS_READ_ATTRIBUTE);
    return got == LB_ISNS_READ_END && datagram.len == 0 &&
           (reader.header.flags & LB_ISNS_LAST_PDU) && (reader.header.function & LB_ISNS_ANSWER);
}

bool lb_isns_client_input(struct lb_isns_client *client, uint64_t now_us, struct lb_endpoint from,
                          struct lb_bytes datagram) {
    bool is_awaited = client->config.udp && !client->gives &&
                      (client->state == LB_ISNS_ASKING || client->state == LB_ISNS_PAUSING);
    if (!is_awaited || !lb_endpoint_equal(from, client->config.server) ||
        !is_one_message(datagram)) {
        client->ignored++;
        return false;
    }
    uint64_t ignored = client->ignored;
    lb_isns_reader_init(&client->reader);
    lb_isns_read_answers(client, now_us, &datagram);
    if (client->ignored != ignored)
        return false;
    if (client->state == LB_ISNS_ASKING)
        set_silence_deadline(client, now_us);
    return true;
}

static void resend(struct lb_isns_client *client, uint64_t now_us) {
    uint64_t wait_us = us(client->config.answer_ms, ANSWER_MS) / RESEND_PART;
    for (size_t i = 0; i < LB_ISNS_WINDOW; i++)
        client->requests[i].send_due = client->requests[i].ask != LB_ISNS_ASK_NOTHING;
    client->resends++;
    client->resend_us = now_us + lb_pace(wait_us, wait_us << 8, client->resends);
}

static struct lb_isns_request *next_to_send(struct lb_isns_client *client) {
    for (size_t i = 0; i < LB_ISNS_WINDOW; i++)
        if (client->requests[i].send_due)
            return &client->requests[i];
    return NULL;
}

/* ---- poll ---- */

static uint64_t next_deadline(const struct lb_isns_client *client) {
    if (client->state == LB_ISNS_ENDED)
        return LB_NEVER;
    return LB_MIN(LB_MIN(client->deadline_us, client->resend_us), client->give_up_us);
}

static void on_silence(struct lb_isns_client *client, uint64_t now_us) {
    lb_fail(&client->error, LB_E_ISNS_TIMEOUT, "%s: no answer for %u ms", server_text(client).s,
            (unsigned)(us(client->config.answer_ms, ANSWER_MS) / LB_US_MS));
    enter_ended(client, now_us);
}

static void on_give_up(struct lb_isns_client *client, uint64_t now_us) {
    enum lb_code code = client->was_busy ? LB_E_ISNS_BUSY : LB_E_ISNS_TIMEOUT;
    lb_fail(&client->error, code, "%s: not answered within %u ms, after %u requests",
            server_text(client).s, (unsigned)(us(client->config.give_up_ms, GIVE_UP_MS) / LB_US_MS),
            client->counts.requests);
    enter_ended(client, now_us);
}

static void on_deadline(struct lb_isns_client *client, uint64_t now_us) {
    if (now_us >= client->give_up_us) {
        on_give_up(client, now_us);
        return;
    }
    if (now_us < client->deadline_us) {
        resend(client, now_us);
        return;
    }
    switch (client->state) {
    case LB_ISNS_CONNECTING:
        lb_fail(&client->error, LB_E_ISNS_CONNECT, "%s: no answer", server_text(client).s);
        enter_ended(client, now_us);
        break;
    case LB_ISNS_ASKING:
        on_silence(client, now_us);
        break;
    case LB_ISNS_PAUSING:
        if (client->is_open)
            enter_asking(client, now_us);
        else
            enter_connecting(client, now_us);
        break;
    case LB_ISNS_ENDED:
        break;
    }
}

/* As far as it goes without the host. */
static void work(struct lb_isns_client *client, uint64_t now_us) {
    while (now_us >= next_deadline(client))
        on_deadline(client, now_us);
    if (!client->config.udp && client->state != LB_ISNS_ENDED && !client->gives)
        read_stream(client, now_us);
    while (client->state == LB_ISNS_ASKING && !client->gives && client->is_open) {
        lb_isns_ask(client, now_us);
        if (!lb_isns_is_answered(client))
            break;
        on_answered(client, now_us);
    }
}

static struct lb_isns_action give_end(struct lb_isns_client *client) {
    client->end_due = false;
    return (struct lb_isns_action){.event =
                                       lb_is_ok(&client->error) ? LB_ISNS_DONE : LB_ISNS_FAILED};
}

static struct lb_isns_action give_datagram(struct lb_isns_client *client,
                                           struct lb_isns_request *request) {
    request->send_due = false;
    return (struct lb_isns_action){
        .event = LB_ISNS_SEND,
        .to = client->config.server,
        .bytes = lb_isns_request_write(client, request, lb_span(client->tx, sizeof client->tx)),
    };
}

struct lb_isns_action lb_isns_client_poll(struct lb_isns_client *client, uint64_t now_us) {
    for (;;) {
        work(client, now_us);
        if (!client->gives)
            break;
        if (lb_isns_next_found(client))
            return (struct lb_isns_action){.event = LB_ISNS_FOUND, .found = &client->found};
    }
    if (client->is_lost && client->state != LB_ISNS_ENDED)
        on_lost(client, now_us);
    if (client->close_due) {
        client->close_due = false;
        return (struct lb_isns_action){.event = LB_ISNS_CLOSE};
    }
    if (client->connect_due) {
        client->connect_due = false;
        client->has_socket = true;
        return (struct lb_isns_action){.event = LB_ISNS_CONNECT, .to = client->config.server};
    }
    struct lb_isns_request *request = next_to_send(client);
    if (request)
        return give_datagram(client, request);
    if (client->end_due)
        return give_end(client);
    return (struct lb_isns_action){.event = LB_ISNS_WAIT, .until_us = next_deadline(client)};
}

/* ---- afterwards ---- */

bool lb_isns_client_is_registered(const struct lb_isns_client *client) {
    return client->is_registered;
}

const struct lb_error *lb_isns_client_error(const struct lb_isns_client *client) {
    return &client->error;
}

const struct lb_isns_counts *lb_isns_client_counts(const struct lb_isns_client *client) {
    return &client->counts;
}

static void explain_boot_list(const struct lb_isns_counts *counts, struct lb_text *text) {
    if (counts->domains == 0) {
        lb_text_add(text, "in no Discovery Domain");
        return;
    }
    lb_text_add(text, "in %u Discovery Domain%s, ", counts->domains,
                counts->domains == 1 ? "" : "s");
    if (counts->boot_domains == 0)
        lb_text_add(text, "none with the boot list enabled");
    else
        lb_text_add(text, "%u with the boot list enabled, %u other member%s", counts->boot_domains,
                    counts->members, counts->members == 1 ? "" : "s");
}

void lb_isns_client_explain(const struct lb_isns_client *client, struct lb_text *text) {
    const struct lb_isns_counts *counts = &client->counts;
    const struct lb_isns_config *config = &client->config;
    lb_text_add(text, "iSNS server %s, asked as %s", server_text(client).s, config->initiator);
    if (config->target[0]) {
        lb_text_add(text, " for %s", config->target);
    } else {
        lb_text_add(text, " for a boot list: ");
        explain_boot_list(counts, text);
    }
    lb_text_add(text, ": %u portal%s", counts->found, counts->found == 1 ? "" : "s");
    if (counts->unregistered > 0)
        lb_text_add(text, ", %u not registered or not shown to us", counts->unregistered);
    if (counts->not_targets > 0)
        lb_text_add(text, ", %u no target%s", counts->not_targets,
                    counts->not_targets == 1 ? "" : "s");
    if (counts->unusable > 0)
        lb_text_add(text, ", %u not to be used", counts->unusable);
    if (counts->dropped > 0)
        lb_text_add(text, ", %llu left out", (unsigned long long)counts->dropped);
}
