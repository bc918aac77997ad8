/* The life of a lookup:
 *
 *              answer CUT: by TCP
 *   ASKING <------------------------- ASKING          one name of the search, two questions:
 *     | both questions are settled,                   UNASKED -> ASKED <-> BY_TCP
 *     | none with an address: next name                            |-> ANSWERED | DENIED | FAILED
 *     | an address, and grace_ms are over or both are settled; or no name is left; or give_up_ms
 *     v
 *   ENDED (DONE or FAILED is told once) */
#include "core/dns/dns_client.h"

#define NEXT_SERVER_MS 400
#define GRACE_MS       50 /* RFC 8305 3: the Resolution Delay */
#define GIVE_UP_MS     5000
#define ROUNDS_MAX     4 /* the wait does not double further */
#define DOUBTED_SENDS  2 /* of a question whose name does not exist, as the other one was told */

static uint64_t or_default_us(uint32_t ms, uint32_t otherwise_ms) {
    return (uint64_t)(ms != 0 ? ms : otherwise_ms) * LB_US_MS;
}

static const char *type_word(enum lb_dns_type type) {
    return type == LB_DNS_A ? "A" : "AAAA";
}

/* ---- the names that are tried ---- */

static bool is_absolute(const char *name) {
    size_t len = lb_strlen(name);
    return len > 0 && name[len - 1] == '.';
}

static bool has_dot(const char *name) {
    struct lb_bytes bytes = lb_bytes_of_text(name);
    for (size_t i = 0; i < bytes.len; i++)
        if (bytes.p[i] == '.')
            return true;
    return false;
}

static unsigned count_domains(const struct lb_dns_config *config) {
    struct lb_bytes list = lb_bytes_of_text(config->search), item;
    unsigned count = 0;
    while (lb_list_next(&list, ' ', &item))
        count += item.len > 0;
    return count;
}

/* The name with the domain at index of the search list. */
static bool join_domain(const struct lb_dns_client *client, unsigned index,
                        char name[LB_DNS_NAME_MAX + 1]) {
    struct lb_bytes list = lb_bytes_of_text(client->config.search), item;
    struct lb_text text = lb_text(name, LB_DNS_NAME_MAX + 1);
    unsigned at = 0;
    while (lb_list_next(&list, ' ', &item))
        if (item.len > 0 && at++ == index)
            break;
    lb_text_add(&text, "%s.%.*s", client->asked, (int)item.len, (const char *)item.p);
    return !text.cut && lb_dns_name_is_valid(name);
}

/* The name at index of the search: as it is first, if it has a dot, else last. */
static bool candidate_name(const struct lb_dns_client *client, unsigned index,
                           char name[LB_DNS_NAME_MAX + 1]) {
    unsigned plain = has_dot(client->asked) ? 0 : client->candidate_count - 1;
    if (index == plain) {
        struct lb_bytes bytes = lb_bytes_of_text(client->asked);
        bytes.len -= is_absolute(client->asked);
        return lb_text_copy(name, LB_DNS_NAME_MAX + 1, bytes);
    }
    return join_domain(client, index < plain ? index : index - 1, name);
}

/* ---- questions ---- */

static bool is_settled(const struct lb_dns_question *question) {
    return question->state != LB_DNS_ASKED && question->state != LB_DNS_BY_TCP;
}

static void enter_question(struct lb_dns_client *client, uint64_t now_us, size_t index,
                           enum lb_dns_question_state state) {
    static const char *const words[] = {
        "unasked", "asked", "by TCP", "answered", "no such name or address", "failed"};
    struct lb_dns_question *question = &client->questions[index];
    if (question->state == LB_DNS_BY_TCP && state != LB_DNS_BY_TCP)
        lb_dns_stream_end(client, index);
    question->state = state;
    lb_trace(client->trace, now_us, "dns", "%s %s: %s", question->name, type_word(question->type),
             words[state]);
}

static void ask(struct lb_dns_client *client, uint64_t now_us, size_t index, const char *name) {
    struct lb_dns_question *question = &client->questions[index];
    lb_text_copy(question->name, sizeof question->name, lb_bytes_of_text(name));
    question->id = (uint16_t)lb_rand_u32(client->rand);
    question->sends = 0;
    question->next = 0;
    question->given_up = 0;
    question->is_doubted = false;
    question->addr_count = 0;
    question->resend_us = now_us;
    enter_question(client, now_us, index, LB_DNS_ASKED);
}

static bool is_wanted(const struct lb_dns_client *client, size_t index) {
    enum lb_family family = index == LB_DNS_Q4 ? LB_V4 : LB_V6;
    return client->config.family == LB_FAMILY_NONE || client->config.family == family;
}

/* The next name of the search that can be one. False: there is none. */
static bool ask_next_name(struct lb_dns_client *client, uint64_t now_us) {
    char name[LB_DNS_NAME_MAX + 1];
    while (client->candidate < client->candidate_count) {
        if (!candidate_name(client, client->candidate++, name))
            continue;
        for (size_t i = 0; i < LB_DNS_QUESTIONS; i++) {
            client->questions[i].aliases = 0;
            if (is_wanted(client, i))
                ask(client, now_us, i, name);
        }
        return true;
    }
    return false;
}

/* ---- servers ---- */

static bool is_given_up(const struct lb_dns_question *question, size_t server) {
    return question->given_up & 1u << server;
}

static bool has_server(const struct lb_dns_client *client, const struct lb_dns_question *question) {
    for (size_t i = 0; i < client->config.server_count; i++)
        if (!is_given_up(question, i))
            return true;
    return false;
}

static size_t count_servers(const struct lb_dns_client *client,
                            const struct lb_dns_question *question) {
    size_t count = 0;
    for (size_t i = 0; i < client->config.server_count; i++)
        count += !is_given_up(question, i);
    return count;
}

static bool has_host(const struct lb_dns_question *question) {
    for (size_t i = 0; i < question->addr_count; i++)
        if (lb_addr_is_host(question->addrs[i]))
            return true;
    return false;
}

/* It has the addresses that are used. Beside those that no host has (::, a loopback's) the other
 * family is waited for as if there were none. */
static void end_question(struct lb_dns_client *client, uint64_t now_us, size_t index) {
    enter_question(client, now_us, index, LB_DNS_ANSWERED);
    if (client->grace_us == LB_NEVER && has_host(&client->questions[index]))
        client->grace_us = now_us + or_default_us(client->config.grace_ms, GRACE_MS);
}

void lb_dns_server_failed(struct lb_dns_client *client, uint64_t now_us, size_t index,
                          size_t server) {
    struct lb_dns_question *question = &client->questions[index];
    client->words[server] = LB_DNS_SAID_FAILED;
    question->given_up |= 1u << server;
    question->resend_us = now_us;
    if (has_server(client, question))
        enter_question(client, now_us, index, LB_DNS_ASKED);
    else if (question->addr_count > 0) /* the rest of what was cut is not to be had */
        end_question(client, now_us, index);
    else
        enter_question(client, now_us, index, LB_DNS_FAILED_BY_ALL);
}

/* How long the servers asked so far have for themselves: it doubles with each round, and an eighth
 * more by chance keeps a room full of machines out of step. */
static uint64_t wait_us(struct lb_dns_client *client, const struct lb_dns_question *question) {
    uint64_t us = or_default_us(client->config.next_server_ms, NEXT_SERVER_MS);
    size_t round = question->sends / count_servers(client, question);
    us <<= LB_MIN(round, ROUNDS_MAX);
    return us + lb_rand_below(client->rand, (uint32_t)(us / 8) + 1);
}

static struct lb_dns_action send(struct lb_dns_client *client, uint64_t now_us, size_t index) {
    struct lb_dns_question *question = &client->questions[index];
    while (is_given_up(question, question->next))
        question->next = (question->next + 1) % client->config.server_count;
    size_t server = question->next;
    question->resend_us = now_us + wait_us(client, question);
    question->sends++;
    question->next = (server + 1) % client->config.server_count;
    if (client->words[server] == LB_DNS_NOT_ASKED)
        client->words[server] = LB_DNS_SILENT;
    return (struct lb_dns_action){
        .event = LB_DNS_SEND,
        .bytes = lb_dns_query_encode(question->id, question->name, question->type,
                                     lb_span(client->query, sizeof client->query)),
        .to = client->config.servers[server],
    };
}

/* ---- answers ---- */

/* RFC 5452 9.1: an answer counts only if all of it is what was asked. A failure may be told without
 * the question. */
static bool answers(const struct lb_dns_question *question, const struct lb_dns_message *message) {
    return !is_settled(question) && message->is_response && message->is_query_opcode &&
           message->id == question->id &&
           (message->name[0] == '\0' || (message->type == (unsigned)question->type &&
                                         lb_dns_name_equal(message->name, question->name)));
}

static void keep_addresses(struct lb_dns_question *question, const struct lb_dns_answer *answer) {
    memcpy(question->addrs, answer->addrs, sizeof question->addrs);
    question->addr_count = answer->addr_count;
}

static void follow_alias(struct lb_dns_client *client, uint64_t now_us, size_t index,
                         const char *alias) {
    struct lb_dns_question *question = &client->questions[index];
    if (question->aliases++ == LB_DNS_ALIASES_MAX)
        enter_question(client, now_us, index, LB_DNS_DENIED);
    else
        ask(client, now_us, index, alias);
}

/* RFC 8020: a name that does not exist has no address of either family. But some servers say so of
 * the type that a name does not have (RFC 4074 4.2), so that the other answer is waited for. */
static void doubt_others(struct lb_dns_client *client, const char *name) {
    for (size_t i = 0; i < LB_DNS_QUESTIONS; i++)
        if (lb_dns_name_equal(client->questions[i].name, name))
            client->questions[i].is_doubted = true;
}

static void take_answer(struct lb_dns_client *client, uint64_t now_us, size_t index, size_t server,
                        const struct lb_dns_answer *answer) {
    struct lb_dns_question *question = &client->questions[index];
    if (client->words[server] == LB_DNS_SILENT)
        client->words[server] = LB_DNS_SAID_NO;
    switch (answer->verdict) {
    case LB_DNS_FOUND:
        keep_addresses(question, answer);
        end_question(client, now_us, index);
        break;
    case LB_DNS_ALIAS:
        follow_alias(client, now_us, index, answer->alias);
        break;
    case LB_DNS_NO_NAME:
        doubt_others(client, question->name);
        enter_question(client, now_us, index, LB_DNS_DENIED);
        break;
    case LB_DNS_EMPTY:
        enter_question(client, now_us, index, LB_DNS_DENIED);
        break;
    case LB_DNS_CUT:
        if (question->state == LB_DNS_ASKED) {
            keep_addresses(question, answer);
            question->next = server; /* the connection goes to the one that has the answer */
            enter_question(client, now_us, index, LB_DNS_BY_TCP);
        }
        break;
    case LB_DNS_NO_ANSWER:
        lb_dns_server_failed(client, now_us, index, server);
        break;
    }
}

bool lb_dns_take_message(struct lb_dns_client *client, uint64_t now_us, size_t server,
                         struct lb_bytes bytes) {
    struct lb_dns_message message;
    struct lb_dns_answer answer;
    if (client->state == LB_DNS_ENDED || !lb_dns_decode(bytes, &message))
        return false;
    for (size_t i = 0; i < LB_DNS_QUESTIONS; i++) {
        if (!answers(&client->questions[i], &message))
            continue;
        lb_dns_answer_read(&message, &answer);
        take_answer(client, now_us, i, server, &answer);
        return true;
    }
    return false;
}

bool lb_dns_client_input(struct lb_dns_client *client, uint64_t now_us, struct lb_endpoint from,
                         struct lb_bytes datagram) {
    for (size_t i = 0; i < client->config.server_count; i++)
        if (lb_endpoint_equal(client->config.servers[i], from) &&
            lb_dns_take_message(client, now_us, i, datagram))
            return true;
    client->ignored++;
    return false;
}

/* ---- the end ---- */

static void enter_ended(struct lb_dns_client *client, uint64_t now_us) {
    client->state = LB_DNS_ENDED;
    client->end_due = true;
    for (size_t i = 0; i < LB_DNS_QUESTIONS; i++) {
        const struct lb_dns_question *question = &client->questions[i];
        lb_dns_stream_end(client, i);
        for (size_t a = 0; a < question->addr_count; a++)
            if (client->addr_count < LB_COUNT(client->addrs))
                client->addrs[client->addr_count++] = question->addrs[a];
    }
    lb_trace(client->trace, now_us, "dns", "%s: %zu addresses", client->asked, client->addr_count);
}

static bool all_are_settled(const struct lb_dns_client *client) {
    for (size_t i = 0; i < LB_DNS_QUESTIONS; i++)
        if (!is_settled(&client->questions[i]))
            return false;
    return true;
}

/* Those that were asked DOUBTED_SENDS times after the name was said not to exist. */
static void deny_doubted(struct lb_dns_client *client, uint64_t now_us) {
    for (size_t i = 0; i < LB_DNS_QUESTIONS; i++) {
        const struct lb_dns_question *question = &client->questions[i];
        if (question->state == LB_DNS_ASKED && question->is_doubted &&
            question->sends >= DOUBTED_SENDS && now_us >= question->resend_us)
            enter_question(client, now_us, i, LB_DNS_DENIED);
    }
}

/* Goes on to the next name, or to the end, if nothing is left to wait for. */
static void judge(struct lb_dns_client *client, uint64_t now_us) {
    if (client->state == LB_DNS_ENDED)
        return;
    deny_doubted(client, now_us);
    bool is_answered =
        client->questions[LB_DNS_Q4].addr_count > 0 || client->questions[LB_DNS_Q6].addr_count > 0;
    if (now_us >= LB_MIN(client->give_up_us, client->grace_us))
        enter_ended(client, now_us);
    else if (all_are_settled(client) && (is_answered || !ask_next_name(client, now_us)))
        enter_ended(client, now_us);
}

/* ---- the caller's calls ---- */

static void init_config(struct lb_dns_client *client, const struct lb_dns_config *config) {
    client->config = *config;
    lb_assert(config->server_count <= LB_COUNT(config->servers));
    for (size_t i = 0; i < config->server_count; i++) {
        client->words[i] = LB_DNS_NOT_ASKED;
        if (config->servers[i].port == 0)
            client->config.servers[i].port = LB_DNS_PORT;
    }
}

void lb_dns_client_init(struct lb_dns_client *client, uint64_t now_us,
                        const struct lb_dns_config *config, const char *name, struct lb_rand *rand,
                        struct lb_trace *trace) {
    memset(client, 0, sizeof *client);
    init_config(client, config);
    client->rand = rand;
    client->trace = trace;
    client->questions[LB_DNS_Q4].type = LB_DNS_A;
    client->questions[LB_DNS_Q6].type = LB_DNS_AAAA;
    client->give_up_us = now_us + or_default_us(config->give_up_ms, GIVE_UP_MS);
    client->grace_us = LB_NEVER;
    bool can_be_asked = lb_dns_name_is_valid(name) && config->server_count > 0 &&
                        lb_text_copy(client->asked, sizeof client->asked, lb_bytes_of_text(name));
    if (can_be_asked)
        client->candidate_count = 1 + (is_absolute(name) ? 0 : count_domains(config));
    judge(client, now_us); /* asks for the first name */
}

static uint64_t next_deadline(const struct lb_dns_client *client) {
    uint64_t until = LB_MIN(client->give_up_us, client->grace_us);
    for (size_t i = 0; i < LB_DNS_QUESTIONS; i++)
        if (client->questions[i].state == LB_DNS_ASKED)
            until = LB_MIN(until, client->questions[i].resend_us);
    return LB_MIN(until, lb_dns_stream_until(client));
}

struct lb_dns_action lb_dns_client_poll(struct lb_dns_client *client, uint64_t now_us) {
    struct lb_dns_action action = {.event = LB_DNS_WAIT, .until_us = LB_NEVER};
    judge(client, now_us);
    if (lb_dns_stream_poll(client, now_us, &action))
        return action;
    judge(client, now_us); /* the connection's time may have been up */
    if (client->state == LB_DNS_ENDED) {
        if (client->end_due)
            action.event = client->addr_count > 0 ? LB_DNS_DONE : LB_DNS_FAILED;
        client->end_due = false;
        return action;
    }
    for (size_t i = 0; i < LB_DNS_QUESTIONS; i++)
        if (client->questions[i].state == LB_DNS_ASKED && now_us >= client->questions[i].resend_us)
            return send(client, now_us, i);
    action.until_us = next_deadline(client);
    return action;
}

const struct lb_addr *lb_dns_client_addrs(const struct lb_dns_client *client, size_t *count) {
    *count = client->addr_count;
    return client->addrs;
}

/* ---- in words ---- */

static void explain_names(const struct lb_dns_client *client, struct lb_text *text) {
    char name[LB_DNS_NAME_MAX + 1];
    const char *comma = "";
    for (unsigned i = 0; i < client->candidate; i++) {
        if (!candidate_name(client, i, name))
            continue;
        lb_text_add(text, "%s%s", comma, name);
        comma = ", ";
    }
}

void lb_dns_client_explain(const struct lb_dns_client *client, struct lb_text *text) {
    static const char *const words[] = {" (no answer)", " (it failed)", " (it knows no address)",
                                        ""};
    if (client->config.server_count == 0) {
        lb_text_add(text, "there is no DNS server to ask");
        return;
    }
    if (client->candidate_count == 0) {
        lb_text_add(text, "this cannot be a host name");
        return;
    }
    explain_names(client, text);
    const char *before = "; asked ";
    for (size_t i = 0; i < client->config.server_count; i++) {
        if (client->words[i] == LB_DNS_NOT_ASKED)
            continue;
        lb_text_add(text, "%s%s%s", before, lb_addr_text(client->config.servers[i].addr).s,
                    words[client->words[i]]);
        before = ", ";
    }
}
