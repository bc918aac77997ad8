/* The SLP user agent: replies by UDP. What is not for us, or malformed, is counted and ignored. */
#include "core/slp/slp_client.h"

/* ---- SrvRply ---- */

/* Keeps the entries to be handed out; there is room. */
static void keep(struct lb_slp_client *client, struct lb_addr from, bool is_cut, unsigned count,
                 struct lb_bytes entries) {
    size_t last = (client->datagram_first + client->datagram_count++) % LB_SLP_QUEUE_MAX;
    struct lb_slp_datagram *datagram = &client->datagrams[last];
    lb_assert(client->datagram_count <= LB_SLP_QUEUE_MAX);
    lb_assert(entries.len <= sizeof datagram->bytes);
    datagram->from = from;
    datagram->is_cut = is_cut;
    datagram->count = count;
    datagram->at = 0;
    datagram->len = entries.len;
    if (entries.len > 0)
        memcpy(datagram->bytes, entries.p, entries.len);
}

struct reply {
    struct lb_addr from;
    const struct lb_slp_header *header;
    uint16_t error, count;
    struct lb_bytes entries;
};

/* A directory agent's answer, be it empty. */
static const char *agent_reply(struct lb_slp_client *client, uint64_t now_us,
                               struct lb_slp_exchange *agent, const struct reply *reply) {
    bool overflows = reply->header->flags & LB_SLP_OVERFLOW;
    if (agent->state != LB_SLP_ASKING)
        return "a directory agent's second answer";
    if (reply->error == LB_SLP_BUSY)
        return "the directory agent is busy"; /* asked again when its time comes */
    if (reply->error != LB_SLP_OK) {
        lb_slp_client_refused(client, reply->from, reply->error);
        lb_slp_client_end_agent(client, now_us, agent, LB_SLP_ENDED);
        return NULL;
    }
    lb_slp_client_end_agent(client, now_us, agent, LB_SLP_ANSWERED);
    keep(client, reply->from, overflows, reply->count, reply->entries);
    if (overflows)
        lb_slp_client_overflowed(client, reply->from, reply->header->xid);
    return NULL;
}

/* A service agent's. RFC 2608 7, 8.2: errors and empty answers to a multicast are ignored. */
static const char *cast_reply(struct lb_slp_client *client, const struct reply *reply) {
    bool overflows = reply->header->flags & LB_SLP_OVERFLOW;
    if (reply->error != LB_SLP_OK)
        return "an error in answer to a multicast";
    if (reply->count == 0 && !overflows)
        return "an empty answer to a multicast";
    bool is_first = lb_slp_client_note(client, LB_SLP_ASK_ALL, reply->from);
    if (is_first)
        client->responder_count++;
    keep(client, reply->from, overflows, reply->count, reply->entries);
    if (overflows && is_first)
        lb_slp_client_overflowed(client, reply->from, reply->header->xid);
    return NULL;
}

static const char *service_reply(struct lb_slp_client *client, uint64_t now_us, struct lb_addr from,
                                 const struct lb_slp_header *header, struct lb_bytes body) {
    const struct lb_slp_exchange *all = &client->casts[LB_SLP_ASK_ALL];
    struct lb_slp_exchange *agent = lb_slp_client_find(client, header->xid, from);
    if (!agent && !(all->state == LB_SLP_ASKING && all->sends > 0 && all->xid == header->xid))
        return "an answer to nothing that was asked";
    if (client->datagram_count == LB_SLP_QUEUE_MAX)
        return "too many answers at a time";
    struct lb_rd rd = lb_rd(body);
    struct reply reply = {.from = from, .header = header, .error = lb_rd_u16(&rd)};
    if (!lb_rd_ok(&rd))
        return "malformed SrvRply";
    if (reply.error == LB_SLP_OK) {
        reply.count = lb_rd_u16(&rd);
        reply.entries = lb_rd_rest(&rd);
        if (!lb_rd_ok(&rd))
            return "malformed SrvRply";
    }
    return agent ? agent_reply(client, now_us, agent, &reply) : cast_reply(client, &reply);
}

/* ---- adverts ---- */

/* Adds scopes that are not there yet. */
static void learn_scopes(struct lb_slp_client *client, struct lb_bytes scopes) {
    struct lb_bytes scope;
    while (lb_list_next(&scopes, ',', &scope)) {
        size_t len = lb_strlen(client->learned_scopes);
        struct lb_bytes known = lb_bytes(client->learned_scopes, len);
        bool fits = len + scope.len + 2 <= sizeof client->learned_scopes;
        if (scope.len == 0 || !fits || lb_slp_scopes_meet(scope, known))
            continue;
        struct lb_text text = lb_text(client->learned_scopes + len, LB_SLP_SCOPES_MAX - len);
        lb_text_add(&text, "%s%.*s", len ? "," : "", (int)scope.len, (const char *)scope.p);
    }
}

static bool has_our_scopes(const struct lb_slp_client *client, struct lb_bytes scopes) {
    char ours_text[LB_SLP_SCOPES_MAX * 2];
    struct lb_text ours = lb_text(ours_text, sizeof ours_text);
    lb_slp_client_scopes(client, &(struct lb_slp_exchange){0}, &ours);
    return ours.len == 0 || lb_slp_scopes_meet(scopes, lb_bytes(ours.at, ours.len));
}

/* The answer to our search for directory agents, or to a question for an agent's scopes. */
static const char *directory_advert(struct lb_slp_client *client, uint64_t now_us,
                                    struct lb_addr from, const struct lb_slp_header *header,
                                    struct lb_bytes body) {
    const struct lb_slp_exchange *search = &client->casts[LB_SLP_FIND_AGENTS];
    struct lb_slp_exchange *agent = lb_slp_client_find(client, header->xid, from);
    bool is_learning = agent && agent->state == LB_SLP_LEARNING;
    bool is_found =
        search->state == LB_SLP_ASKING && search->sends > 0 && search->xid == header->xid;
    struct lb_slp_da_advert advert;
    if (!is_learning && !is_found)
        return "an advert that nobody asked for";
    if (!lb_slp_decode_da_advert(body, &advert))
        return "malformed DAAdvert";
    if (advert.error != LB_SLP_OK)
        return "a DAAdvert with an error";
    if (advert.boot_s == 0)
        return "a directory agent that goes down"; /* RFC 2608 8.5 */
    learn_scopes(client, advert.scopes);
    if (is_learning) {
        lb_text_copy(agent->scopes, sizeof agent->scopes, advert.scopes);
        lb_slp_client_ask_agent(client, now_us, agent);
        return NULL;
    }
    struct lb_addr addr = lb_slp_agent_url(advert.url);
    bool is_usable = addr.family == client->config.family && lb_addr_is_host(addr);
    if (!is_usable && !lb_text_begins(advert.url, LB_SLP_TYPE_DIRECTORY "://"))
        return "a DAAdvert whose URL has no address for us";
    if (!is_usable) /* a name, or what the agent takes for its address: 127.0.1.1 */
        addr = from;
    if (!has_our_scopes(client, advert.scopes))
        return "a directory agent of other scopes";
    lb_slp_client_note(client, LB_SLP_FIND_AGENTS, from);
    lb_slp_client_add_agent(client, now_us, addr);
    return NULL;
}

static const char *service_advert(struct lb_slp_client *client, struct lb_addr from,
                                  const struct lb_slp_header *header, struct lb_bytes body) {
    const struct lb_slp_exchange *search = &client->casts[LB_SLP_FIND_SCOPES];
    struct lb_slp_sa_advert advert;
    if (search->state != LB_SLP_ASKING || search->sends == 0 || search->xid != header->xid)
        return "an advert that nobody asked for";
    if (!lb_slp_decode_sa_advert(body, &advert))
        return "malformed SAAdvert";
    lb_slp_client_note(client, LB_SLP_FIND_SCOPES, from);
    learn_scopes(client, advert.scopes);
    return NULL;
}

/* ---- all of them ---- */

static const char *reply(struct lb_slp_client *client, uint64_t now_us, struct lb_addr from,
                         struct lb_bytes payload) {
    struct lb_slp_header header;
    struct lb_bytes body;
    const char *why;
    if (client->is_over)
        return "it came after the end";
    if (from.family != client->config.family || !lb_addr_is_host(from))
        return "its sender cannot be";
    if (payload.len > LB_SLP_DATAGRAM_MAX)
        return "too long";
    if (!lb_slp_decode(payload, &header, &body, &why))
        return why;
    if (header.must_understand)
        return "it has an extension that has to be understood"; /* RFC 2608 9.1 */
    switch (header.function) {
    case LB_SLP_SRV_RPLY:
        return service_reply(client, now_us, from, &header, body);
    case LB_SLP_DA_ADVERT:
        return directory_advert(client, now_us, from, &header, body);
    case LB_SLP_SA_ADVERT:
        return service_advert(client, from, &header, body);
    case LB_SLP_ATTR_RPLY:
        lb_slp_client_attr_reply(client, now_us, from, header.xid, body);
        return NULL;
    default:
        return "no reply";
    }
}

bool lb_slp_client_input(struct lb_slp_client *client, uint64_t now_us, struct lb_endpoint from,
                         struct lb_bytes payload) {
    uint64_t ignored = client->ignored;
    const char *why = reply(client, now_us, from.addr, payload);
    if (why)
        lb_slp_client_ignore(client, now_us, from.addr, why);
    return client->ignored == ignored;
}
