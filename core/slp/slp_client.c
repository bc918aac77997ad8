/* The SLP user agent: who is asked, and when. RFC 2608 6.3, 8.1, 12.1; RFC 2610; RFC 3111.
 *
 * An exchange is a request that is sent again, with the same XID, after 2, 4, 8 s.
 *
 *   directory agent   LEARNING ----> ASKING -----> ANSWERED
 *                     (its scopes)     |  |  `---> ENDED: silence for 15 s, or an error
 *                                      |  too long for a datagram
 *                                      `---------> BY_TCP ---> ANSWERED or ENDED
 *
 *   multicast         IDLE ----> ASKING ---> ENDED: a round brought nobody new, or 15 s
 *
 * There are three multicasts: for directory agents, for the scopes of service agents (where scopes
 * are to be learned), and for the query itself. They begin when there is no directory agent, or
 * when those that there are did not answer the first transmission; they rest while one has
 * answered, or is about to. Who comes first is first: the RFC's order (directory agents for 15 s,
 * and only then service agents) would be a quarter of a minute of silence in most networks. */
#include "core/slp/slp_client.h"
#include "core/base/pace.h"

#define RETRY_MS     2000  /* CONFIG_RETRY, RFC 2608 13 */
#define TOTAL_MS     15000 /* CONFIG_RETRY_MAX, CONFIG_MC_MAX */
#define LIMIT_TOTALS 4     /* directory agents, multicast, TCP: each one total, and then one more */
#define SITE_SCOPE   5
#define PRLIST_BYTES (LB_SLP_RESPONDERS_MAX * 16) /* "255.255.255.255," */

uint32_t lb_slp_client_retry_ms(const struct lb_slp_client *client) {
    return client->config.retry_ms ? client->config.retry_ms : RETRY_MS;
}

uint32_t lb_slp_client_total_ms(const struct lb_slp_client *client) {
    return client->config.total_ms ? client->config.total_ms : TOTAL_MS;
}

void lb_slp_client_ignore(struct lb_slp_client *client, uint64_t now_us, struct lb_addr from,
                          const char *why) {
    client->ignored++;
    client->ignored_why = why;
    lb_trace(client->trace, now_us, "slp", "ignored, from %s: %s", lb_addr_text(from).s, why);
}

static const char *type_of_query(const struct lb_slp_client *client) {
    return client->config.query == LB_SLP_ISNS ? LB_SLP_TYPE_SMS : LB_SLP_TYPE_TARGET;
}

/* ---- what is sent ---- */

static bool learns_scopes(const struct lb_slp_client *client) {
    return client->config.scopes && client->config.scopes[0] == 0;
}

void lb_slp_client_scopes(const struct lb_slp_client *client,
                          const struct lb_slp_exchange *exchange, struct lb_text *text) {
    const struct lb_slp_config *config = &client->config;
    const char *scopes = config->scopes ? config->scopes : "DEFAULT";
    if (learns_scopes(client))
        scopes = exchange->scopes[0] ? exchange->scopes : client->learned_scopes;
    lb_text_add(text, "%s", scopes);
    if (config->extra_scope && text->len > 0)
        lb_text_add(text, ",%s", config->extra_scope);
}

/* RFC 2608 6.3: those who answered need not again. RFC 3111 has no such list for IPv6. */
static void put_responders(const struct lb_slp_client *client, enum lb_slp_cast cast,
                           struct lb_text *text) {
    for (size_t i = 0; i < client->listed_count; i++) {
        const struct lb_slp_responder *responder = &client->responders[i];
        if (responder->addr.family == LB_V4 && responder->heard & (1u << cast))
            lb_text_add(text, "%s%s", text->len ? "," : "", lb_addr_text(responder->addr).s);
    }
}

static bool is_cast(const struct lb_slp_exchange *exchange) {
    return !lb_addr_is_set(exchange->agent);
}

static enum lb_slp_cast cast_of(const struct lb_slp_client *client,
                                const struct lb_slp_exchange *exchange) {
    return (enum lb_slp_cast)(exchange - client->casts);
}

static const char *type_of(const struct lb_slp_client *client,
                           const struct lb_slp_exchange *exchange) {
    if (is_cast(exchange) && cast_of(client, exchange) == LB_SLP_FIND_SCOPES)
        return LB_SLP_TYPE_SERVICE;
    bool finds = is_cast(exchange) ? cast_of(client, exchange) == LB_SLP_FIND_AGENTS
                                   : exchange->state == LB_SLP_LEARNING;
    return finds ? LB_SLP_TYPE_DIRECTORY : type_of_query(client);
}

struct lb_bytes lb_slp_client_compose(struct lb_slp_client *client,
                                      const struct lb_slp_exchange *exchange, bool by_tcp,
                                      struct lb_span room) {
    char scopes_text[LB_SLP_SCOPES_MAX * 2], responders_text[PRLIST_BYTES];
    struct lb_text scopes = lb_text(scopes_text, sizeof scopes_text);
    struct lb_text responders = lb_text(responders_text, sizeof responders_text);
    const char *type = type_of(client, exchange);
    bool is_query = lb_streq(type, type_of_query(client));
    bool casts = is_cast(exchange) && !by_tcp;
    /* RFC 2608 8.1, 11.2: to find agents, the scopes may be left empty. */
    if (is_query || !learns_scopes(client))
        lb_slp_client_scopes(client, exchange, &scopes);
    if (casts)
        put_responders(client, cast_of(client, exchange), &responders);
    struct lb_slp_request request = {
        .responders = lb_bytes(responders.at, responders.len),
        .type = lb_bytes_of_text(type),
        .scopes = lb_bytes(scopes.at, scopes.len),
        .predicate = lb_bytes_of_text(is_query ? client->predicate : ""),
    };
    struct lb_wr wr = lb_wr(room);
    lb_slp_begin(&wr, LB_SLP_SRV_RQST, casts ? LB_SLP_MCAST : 0, exchange->xid,
                 lb_bytes_of_text(LB_SLP_LANGUAGE));
    lb_slp_put_request(&wr, &request);
    return responders.cut || scopes.cut ? lb_bytes(NULL, 0) : lb_slp_finish(&wr);
}

static struct lb_endpoint destination(const struct lb_slp_client *client,
                                      const struct lb_slp_exchange *exchange) {
    struct lb_endpoint to = {.addr = exchange->agent, .port = LB_SLP_PORT};
    uint8_t scope = client->config.group_scope ? client->config.group_scope : SITE_SCOPE;
    if (is_cast(exchange))
        to.addr =
            lb_slp_group(client->config.family, LB_SLP_SRV_RQST, type_of(client, exchange), scope);
    return to;
}

/* One transmission; false when the request does not fit into a datagram. */
static bool transmit(struct lb_slp_client *client, uint64_t now_us,
                     struct lb_slp_exchange *exchange, struct lb_slp_action *action) {
    uint16_t mtu = client->config.mtu ? client->config.mtu : LB_SLP_MTU;
    struct lb_span room = lb_span(client->packet, LB_MIN(mtu, sizeof client->packet));
    action->bytes = lb_slp_client_compose(client, exchange, false, room);
    if (action->bytes.len == 0)
        return false;
    action->event = LB_SLP_SEND;
    action->to = destination(client, exchange);
    exchange->sends++;
    exchange->is_new = false;
    exchange->due_us = LB_MIN(now_us + exchange->interval_us, exchange->end_us);
    exchange->interval_us = lb_pace(exchange->interval_us, LB_NEVER, 1);
    lb_trace(client->trace, now_us, "slp", "send SrvRqst %s xid %u to %s",
             type_of(client, exchange), exchange->xid, lb_endpoint_text(action->to).s);
    return true;
}

/* ---- exchanges ---- */

static void enter(struct lb_slp_exchange *exchange, enum lb_slp_phase phase) {
    exchange->state = phase;
}

static bool is_in_use(const struct lb_slp_client *client, uint16_t xid) {
    for (size_t i = 0; i < LB_COUNT(client->casts); i++)
        if (client->casts[i].xid == xid)
            return true;
    for (size_t i = 0; i < client->agent_count; i++)
        if (client->agents[i].xid == xid)
            return true;
    for (size_t i = 0; i < LB_COUNT(client->attrs); i++)
        if (client->attrs[i].is_busy && client->attrs[i].xid == xid)
            return true;
    return false;
}

uint16_t lb_slp_client_new_xid(const struct lb_slp_client *client) {
    uint16_t parity = client->config.query == LB_SLP_ISNS, xid;
    do
        xid = (uint16_t)((lb_rand_u32(client->rand) & ~1U) | parity);
    while (xid == 0 || is_in_use(client, xid)); /* 0: RFC 2608 8.5, that of unsolicited adverts */
    return xid;
}

static void begin(struct lb_slp_client *client, uint64_t now_us, struct lb_slp_exchange *exchange,
                  enum lb_slp_phase phase) {
    enter(exchange, phase);
    exchange->xid = lb_slp_client_new_xid(client);
    exchange->sends = 0;
    exchange->due_us = now_us;
    exchange->interval_us = lb_slp_client_retry_ms(client) * LB_US_MS;
    exchange->end_us = now_us + lb_slp_client_total_ms(client) * LB_US_MS;
}

static bool is_asking(const struct lb_slp_exchange *exchange) {
    return exchange->state == LB_SLP_LEARNING || exchange->state == LB_SLP_ASKING;
}

void lb_slp_client_add_agent(struct lb_slp_client *client, uint64_t now_us, struct lb_addr addr) {
    for (size_t i = 0; i < client->agent_count; i++) {
        if (lb_addr_equal(client->agents[i].agent, addr))
            return;
    }
    if (client->agent_count == LB_SLP_AGENTS_MAX) {
        lb_slp_client_ignore(client, now_us, addr, "too many directory agents");
        return;
    }
    struct lb_slp_exchange *agent = &client->agents[client->agent_count++];
    *agent = (struct lb_slp_exchange){.agent = addr};
    begin(client, now_us, agent, learns_scopes(client) ? LB_SLP_LEARNING : LB_SLP_ASKING);
}

void lb_slp_client_ask_agent(struct lb_slp_client *client, uint64_t now_us,
                             struct lb_slp_exchange *agent) {
    begin(client, now_us, agent, LB_SLP_ASKING);
}

void lb_slp_client_end_agent(struct lb_slp_client *client, uint64_t now_us,
                             struct lb_slp_exchange *agent, enum lb_slp_phase phase) {
    enter(agent, phase);
    if (phase == LB_SLP_ANSWERED) {
        client->agent_answered = true;
        client->responder_count++;
    }
    lb_trace(client->trace, now_us, "slp", "directory agent %s %s", lb_addr_text(agent->agent).s,
             phase == LB_SLP_ANSWERED ? "answered" : "is given up");
}

void lb_slp_client_refused(struct lb_slp_client *client, struct lb_addr by, uint16_t code) {
    client->refusal = code;
    client->refused_by = by;
}

bool lb_slp_client_note(struct lb_slp_client *client, enum lb_slp_cast cast, struct lb_addr from) {
    struct lb_slp_responder *responder = client->responders;
    struct lb_slp_responder *end = responder + client->listed_count;
    while (responder < end && !lb_addr_equal(responder->addr, from))
        responder++;
    bool is_new = responder == end || !(responder->heard & (1u << cast));
    if (responder == end && client->listed_count < LB_SLP_RESPONDERS_MAX) {
        *responder = (struct lb_slp_responder){.addr = from};
        client->listed_count++;
        end++;
    }
    if (responder < end)
        responder->heard |= 1u << cast;
    else if (client->casts[cast].answers > 0)
        is_new = false; /* no room to remember more: the convergence may end without them */
    if (is_new) {
        client->casts[cast].is_new = true;
        client->casts[cast].answers++;
    }
    return is_new;
}

struct lb_slp_exchange *lb_slp_client_find(struct lb_slp_client *client, uint16_t xid,
                                           struct lb_addr agent) {
    for (size_t i = 0; i < client->agent_count; i++) {
        struct lb_slp_exchange *exchange = &client->agents[i];
        if (exchange->xid == xid && lb_addr_equal(exchange->agent, agent))
            return exchange;
    }
    return NULL;
}

/* ---- multicast ---- */

/* Whether a directory agent has answered or may be expected to: nothing goes by multicast then. */
static bool is_agent_at_work(const struct lb_slp_client *client) {
    bool is_at_work = client->agent_answered;
    for (size_t i = 0; i < client->agent_count; i++) {
        const struct lb_slp_exchange *agent = &client->agents[i];
        is_at_work |= agent->state == LB_SLP_BY_TCP || (is_asking(agent) && agent->sends < 2);
    }
    return is_at_work;
}

static void begin_casts(struct lb_slp_client *client, uint64_t now_us) {
    uint32_t wait_ms = client->config.start_wait_ms;
    uint64_t wait_us = wait_ms ? lb_rand_below(client->rand, wait_ms) * LB_US_MS : 0;
    enum lb_slp_cast other = learns_scopes(client) ? LB_SLP_FIND_SCOPES : LB_SLP_ASK_ALL;
    client->casts_began = true;
    begin(client, now_us + wait_us, &client->casts[LB_SLP_FIND_AGENTS], LB_SLP_ASKING);
    begin(client, now_us + wait_us, &client->casts[other], LB_SLP_ASKING);
}

/* After a rest: from the beginning of a round. */
static void resume_casts(struct lb_slp_client *client, uint64_t now_us) {
    for (size_t i = 0; i < LB_SLP_CASTS; i++) {
        struct lb_slp_exchange *cast = &client->casts[i];
        cast->due_us = now_us;
        cast->end_us = now_us + lb_slp_client_total_ms(client) * LB_US_MS;
        cast->is_new = true;
    }
}

/* Begins, stops and resumes the multicasts as the directory agents fare. */
static void update_casts(struct lb_slp_client *client, uint64_t now_us) {
    struct lb_slp_exchange *all = &client->casts[LB_SLP_ASK_ALL];
    bool rest = is_agent_at_work(client);
    if (client->config.agents_only || client->linger_us == 0)
        return;
    if (!client->casts_began && !rest)
        begin_casts(client, now_us);
    else if (client->casts_rest && !rest)
        resume_casts(client, now_us);
    client->casts_rest = rest;
    if (all->state == LB_SLP_IDLE && client->learned_scopes[0] && !rest)
        begin(client, now_us, all, LB_SLP_ASKING);
}

/* When service agents have answered and all is heard, a directory agent would have answered,
 * too. */
static void end_searches(struct lb_slp_client *client) {
    const struct lb_slp_exchange *all = &client->casts[LB_SLP_ASK_ALL];
    if (all->state == LB_SLP_ENDED && all->answers > 0) {
        enter(&client->casts[LB_SLP_FIND_AGENTS], LB_SLP_ENDED);
        enter(&client->casts[LB_SLP_FIND_SCOPES], LB_SLP_ENDED);
    }
}

static bool poll_casts(struct lb_slp_client *client, uint64_t now_us,
                       struct lb_slp_action *action) {
    for (size_t i = 0; i < LB_SLP_CASTS && !client->casts_rest; i++) {
        struct lb_slp_exchange *cast = &client->casts[i];
        if (!is_asking(cast) || now_us < cast->due_us)
            continue;
        /* RFC 2608 6.3: until a round brings nobody new. */
        bool is_complete = cast->answers > 0 && cast->sends > 0 && !cast->is_new;
        if (!is_complete && now_us < cast->end_us && transmit(client, now_us, cast, action))
            return true;
        enter(cast, LB_SLP_ENDED);
    }
    end_searches(client);
    return false;
}

/* ---- directory agents ---- */

static bool poll_agents(struct lb_slp_client *client, uint64_t now_us,
                        struct lb_slp_action *action) {
    for (size_t i = 0; i < client->agent_count; i++) {
        struct lb_slp_exchange *agent = &client->agents[i];
        if (!is_asking(agent) || now_us < agent->due_us)
            continue;
        /* One that answers is enough: the others get no second chance. */
        bool is_spare = client->agent_answered && agent->sends > 0;
        if (is_spare || now_us >= agent->end_us) {
            lb_slp_client_end_agent(client, now_us, agent, LB_SLP_ENDED);
            continue;
        }
        if (transmit(client, now_us, agent, action))
            return true;
        /* RFC 2608 6.1: what is too long for a datagram goes by TCP. */
        enter(agent, LB_SLP_BY_TCP);
        lb_slp_client_want_tcp(client, agent->agent, agent->xid);
    }
    return false;
}

/* ---- the whole ---- */

/* Nobody is asked any more; what is under way may come to its end. */
static void stop_asking(struct lb_slp_client *client) {
    client->linger_us = 0;
    client->overflow_count = 0;
    for (size_t i = 0; i < client->agent_count; i++) {
        if (is_asking(&client->agents[i]))
            enter(&client->agents[i], LB_SLP_ENDED);
    }
    for (size_t i = 0; i < LB_SLP_CASTS; i++)
        enter(&client->casts[i], LB_SLP_ENDED);
}

static void check_time(struct lb_slp_client *client, uint64_t now_us) {
    if (client->linger_us != 0 && now_us >= client->linger_us)
        stop_asking(client);
    if (now_us < client->limit_us)
        return;
    stop_asking(client);
    client->limit_us = LB_NEVER;
    lb_slp_client_drop_tcp(client);
    lb_slp_client_end_attrs(client);
}

static bool has_work(const struct lb_slp_client *client) {
    bool works =
        !lb_slp_client_tcp_is_idle(client) || lb_slp_client_attr_deadline(client) != LB_NEVER;
    for (size_t i = 0; i < client->agent_count; i++)
        works |= is_asking(&client->agents[i]);
    for (size_t i = 0; i < LB_SLP_CASTS && !client->casts_rest; i++)
        works |= is_asking(&client->casts[i]);
    return works;
}

static void fail(struct lb_slp_client *client) {
    char asked[LB_FACTS_MAX];
    struct lb_text text = lb_text(asked, sizeof asked);
    lb_slp_client_asked(client, &text);
    if (client->refusal)
        lb_fail(&client->error, LB_E_SLP_REFUSED, "%s says %s; %s",
                lb_addr_text(client->refused_by).s, lb_slp_code_word(client->refusal), asked);
    else
        lb_fail(&client->error, LB_E_SLP_NO_ANSWER, "%s", asked);
}

static struct lb_slp_action end(struct lb_slp_client *client, uint64_t now_us) {
    if (!client->is_over) {
        client->is_over = true;
        if (client->responder_count == 0)
            fail(client);
        lb_trace(client->trace, now_us, "slp", "end: %zu answers of %zu agents",
                 client->found_count, client->responder_count);
    }
    return (struct lb_slp_action){
        .event = lb_is_ok(&client->error) ? LB_SLP_DONE : LB_SLP_FAILED,
        .until_us = LB_NEVER,
    };
}

static struct lb_slp_action found(struct lb_slp_client *client, uint64_t now_us) {
    uint32_t linger_ms = client->config.linger_ms;
    client->found_count++;
    if (linger_ms && client->found_count == 1 && client->linger_us != 0)
        client->linger_us = now_us + linger_ms * LB_US_MS;
    return (struct lb_slp_action){.event = LB_SLP_FOUND, .found = &client->found};
}

static uint64_t deadline(const struct lb_slp_client *client) {
    uint64_t until_us = LB_MIN(client->limit_us, lb_slp_client_tcp_deadline(client));
    until_us = LB_MIN(until_us, lb_slp_client_attr_deadline(client));
    if (client->linger_us != 0)
        until_us = LB_MIN(until_us, client->linger_us);
    for (size_t i = 0; i < client->agent_count; i++) {
        if (is_asking(&client->agents[i]))
            until_us = LB_MIN(until_us, client->agents[i].due_us);
    }
    for (size_t i = 0; i < LB_SLP_CASTS && !client->casts_rest; i++) {
        if (is_asking(&client->casts[i]))
            until_us = LB_MIN(until_us, client->casts[i].due_us);
    }
    return until_us;
}

struct lb_slp_action lb_slp_client_poll(struct lb_slp_client *client, uint64_t now_us) {
    struct lb_slp_action action = {.until_us = LB_NEVER};
    if (client->is_over)
        return end(client, now_us);
    check_time(client, now_us);
    if (lb_slp_client_next(client, now_us))
        return found(client, now_us);
    action.bytes = lb_slp_client_ask_attr(client, now_us, &action.to.addr);
    if (action.bytes.len > 0) {
        action.event = LB_SLP_SEND;
        action.to.port = LB_SLP_PORT;
        return action;
    }
    if (lb_slp_client_next_attr(client, now_us))
        return found(client, now_us);
    if (poll_agents(client, now_us, &action))
        return action;
    if (lb_slp_client_poll_tcp(client, now_us, &action))
        return action.event == LB_SLP_FOUND ? found(client, now_us) : action;
    update_casts(client, now_us);
    if (poll_casts(client, now_us, &action))
        return action;
    if (!has_work(client))
        return end(client, now_us);
    action.until_us = deadline(client);
    return action;
}

/* The name that answers are held against. One that is no name matches nothing. */
static void set_target(struct lb_slp_client *client) {
    struct lb_bytes given = lb_bytes_of_text(client->config.target);
    unsigned warnings;
    size_t offset;
    if (!lb_iscsi_name_parse(given, LB_ROOTPATH_ANY_NAMES, client->target, &warnings, &offset))
        client->target[0] = 0;
}

/* What the query needs is there. */
static void check_config(const struct lb_slp_config *config) {
    enum lb_slp_query query = config->query;
    bool needs_initiator = query == LB_SLP_BY_INITIATOR || query == LB_SLP_OURS ||
                           query == LB_SLP_BY_ALL || query == LB_SLP_BOOT_LIST;
    lb_assert(config->family == LB_V4 || config->family == LB_V6);
    lb_assert(query >= LB_SLP_BY_TARGET && query <= LB_SLP_ISNS);
    lb_assert(config->initiator || !needs_initiator);
    lb_assert(config->target || query != LB_SLP_BY_TARGET);
    lb_assert(config->chap_user || query != LB_SLP_BY_CHAP_USER);
    lb_assert(config->agent_count <= LB_SLP_AGENTS_MAX);
}

void lb_slp_client_init(struct lb_slp_client *client, uint64_t now_us,
                        const struct lb_slp_config *config, struct lb_rand *rand,
                        struct lb_trace *trace) {
    check_config(config);
    memset(client, 0, sizeof *client);
    client->config = *config;
    client->rand = rand;
    client->trace = trace;
    client->linger_us = LB_NEVER;
    uint64_t limit_ms = (uint64_t)LIMIT_TOTALS * lb_slp_client_total_ms(client);
    client->limit_us = now_us + (limit_ms + config->start_wait_ms) * LB_US_MS;
    lb_rand_fill(rand, lb_span(client->seen_key, sizeof client->seen_key));
    struct lb_text predicate = lb_text(client->predicate, sizeof client->predicate);
    lb_slp_predicate(&predicate, config);
    lb_assert(!predicate.cut);
    if (config->query == LB_SLP_BY_TARGET)
        set_target(client);
    for (size_t i = 0; i < config->agent_count; i++) {
        if (config->agents[i].family == config->family)
            lb_slp_client_add_agent(client, now_us, config->agents[i]);
    }
}

void lb_slp_client_asked(const struct lb_slp_client *client, struct lb_text *text) {
    const char *family = client->config.family == LB_V4 ? "IPv4" : "IPv6";
    lb_text_add(text, "asked for %s (%s) in scope %s:", type_of_query(client),
                lb_slp_query_word(client->config.query),
                client->config.scopes && client->config.scopes[0] ? client->config.scopes
                : learns_scopes(client)                           ? "of the agents"
                                                                  : "DEFAULT");
    for (size_t i = 0; i < client->agent_count; i++)
        lb_text_add(text, " directory agent %s,", lb_addr_text(client->agents[i].agent).s);
    if (client->casts_began)
        lb_text_add(text, " everybody by %s multicast", family);
    else if (client->agent_count == 0)
        lb_text_add(text, " nobody, as no %s directory agent is known", family);
    else
        text->at[--text->len] = 0;
}
