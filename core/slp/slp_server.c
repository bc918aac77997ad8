/* The SLP server: what it answers to a request. RFC 2608 7 to 10.
 *
 * A multicast gets an answer where there is something to say, and nothing else: no errors, no empty
 * lists (RFC 2608 7). Whoever is asked directly answers always. */
#include "core/slp/slp_server_state.h"

#define FOREVER_S UINT16_MAX

void lb_slp_server_init(struct lb_slp_server *server, const struct lb_slp_server_config *config,
                        struct lb_slp_slot *slots, size_t slot_cap) {
    *server = (struct lb_slp_server){.config = *config, .slots = slots, .slot_cap = slot_cap};
    for (size_t i = 0; i < slot_cap; i++)
        slots[i].is_used = false;
}

static struct lb_bytes our_scopes(const struct lb_slp_server *server) {
    return lb_bytes_of_text(server->config.scopes ? server->config.scopes : "DEFAULT");
}

/* ---- services ---- */

/* RFC 2608 4.1, 8.1: `service:iscsi` asks for service:iscsi:target, too. */
static bool is_type(struct lb_bytes asked, struct lb_bytes type) {
    if (asked.len > type.len || (asked.len < type.len && type.p[asked.len] != ':'))
        return false;
    return lb_slp_same(asked, lb_bytes(type.p, asked.len));
}

static bool is_live(const struct lb_slp_slot *slot, uint64_t now_us) {
    return slot->is_used && now_us < slot->until_us;
}

/* The service of this number, or NULL: expired. */
static const struct lb_slp_registration *service_at(const struct lb_slp_server *server,
                                                    uint64_t now_us, size_t index,
                                                    uint16_t *lifetime_s) {
    if (index < server->config.service_count) {
        const struct lb_slp_registration *service = &server->config.services[index];
        *lifetime_s = service->lifetime_s ? service->lifetime_s : FOREVER_S;
        return service;
    }
    const struct lb_slp_slot *slot = &server->slots[index - server->config.service_count];
    if (!is_live(slot, now_us))
        return NULL;
    uint64_t left_s = (slot->until_us - now_us + LB_US_SEC - 1) / LB_US_SEC;
    *lifetime_s = (uint16_t)LB_MIN(left_s, FOREVER_S);
    return &slot->service;
}

static size_t count_of(const struct lb_slp_server *server) {
    return server->config.service_count + server->slot_cap;
}

const struct lb_slp_registration *lb_slp_server_next(const struct lb_slp_server *server,
                                                     uint64_t now_us,
                                                     const struct lb_slp_request *request,
                                                     size_t *index, uint16_t *lifetime_s) {
    while (*index < count_of(server)) {
        const struct lb_slp_registration *service =
            service_at(server, now_us, (*index)++, lifetime_s);
        if (service && is_type(request->type, service->type) &&
            lb_slp_scopes_meet(request->scopes, service->scopes) &&
            lb_slp_filter(request->predicate, service->attributes) == LB_SLP_MATCH_YES)
            return service;
    }
    return NULL;
}

/* ---- replies ---- */

struct reply {
    const struct lb_slp_server *server;
    uint64_t now_us;
    const struct lb_slp_asked *asked;
    bool is_multicast;
    struct lb_span room;
};

static void begin(const struct reply *reply, struct lb_wr *wr, enum lb_slp_function function,
                  unsigned flags) {
    lb_slp_begin(wr, function, flags, reply->asked->header.xid, reply->asked->header.language);
}

/* An error alone, without the rest (RFC 2608 7); to a multicast nothing. */
static struct lb_bytes error_reply(const struct reply *reply, enum lb_slp_function function,
                                   enum lb_slp_code code) {
    struct lb_wr wr = lb_wr(reply->room);
    if (reply->is_multicast)
        return lb_bytes(NULL, 0);
    begin(reply, &wr, function, 0);
    lb_wr_u16(&wr, (uint16_t)code);
    return lb_slp_finish(&wr);
}

/* As many entries as fit. */
static struct lb_bytes list_services(const struct reply *reply) {
    struct lb_wr wr = lb_wr(reply->room);
    const struct lb_slp_registration *service;
    uint16_t lifetime_s, count = 0;
    size_t index = 0;
    bool overflows = false;
    begin(reply, &wr, LB_SLP_SRV_RPLY, 0);
    lb_wr_u16(&wr, LB_SLP_OK);
    size_t count_at = wr.len;
    lb_wr_u16(&wr, 0);
    while (!overflows &&
           (service = lb_slp_server_next(reply->server, reply->now_us, &reply->asked->request,
                                         &index, &lifetime_s))) {
        overflows = wr.len + lb_slp_entry_bytes(service->url) > wr.cap || count == UINT16_MAX;
        if (overflows)
            break;
        lb_slp_put_entry(&wr, lifetime_s, service->url);
        count++;
    }
    if (reply->is_multicast && count == 0 && !overflows)
        return lb_bytes(NULL, 0);
    lb_wr_u16_at(&wr, count_at, count);
    lb_wr_u8_at(&wr, 5, overflows ? LB_SLP_OVERFLOW >> 8 : 0);
    return lb_slp_finish(&wr);
}

static void put_agent_url(struct lb_wr *wr, const struct lb_slp_server *server, const char *type) {
    char url[128];
    bool is_v6 = server->config.address.family == LB_V6;
    lb_format(url, sizeof url, is_v6 ? "%s://[%s]" : "%s://%s", type,
              lb_addr_text(server->config.address).s);
    lb_slp_put_text(wr, url);
}

static struct lb_bytes da_advert(const struct reply *reply) {
    struct lb_wr wr = lb_wr(reply->room);
    begin(reply, &wr, LB_SLP_DA_ADVERT, 0);
    lb_wr_u16(&wr, LB_SLP_OK);
    lb_wr_u32(&wr, reply->server->config.boot_s);
    put_agent_url(&wr, reply->server, LB_SLP_TYPE_DIRECTORY);
    lb_slp_put(&wr, our_scopes(reply->server));
    lb_slp_put_text(&wr, ""); /* attributes */
    lb_slp_put_text(&wr, ""); /* SPIs */
    lb_wr_u8(&wr, 0);
    return lb_slp_finish(&wr);
}

static struct lb_bytes sa_advert(const struct reply *reply) {
    struct lb_wr wr = lb_wr(reply->room);
    begin(reply, &wr, LB_SLP_SA_ADVERT, 0);
    put_agent_url(&wr, reply->server, LB_SLP_TYPE_SERVICE);
    lb_slp_put(&wr, our_scopes(reply->server));
    lb_slp_put_text(&wr, "");
    lb_wr_u8(&wr, 0);
    return lb_slp_finish(&wr);
}

/* What is wrong with a request that could be read. */
static enum lb_slp_code check_request(const struct lb_slp_server *server,
                                      const struct lb_slp_asked *asked) {
    const struct lb_slp_request *request = &asked->request;
    bool is_attributes = asked->header.function == LB_SLP_ATTR_RQST;
    if (asked->header.must_understand)
        return LB_SLP_OPTION_NOT_UNDERSTOOD;
    if (request->type.len == 0)
        return LB_SLP_PARSE_ERROR;
    if (request->spi.len > 0)
        return LB_SLP_AUTHENTICATION_UNKNOWN;
    if (!lb_slp_scopes_meet(request->scopes, our_scopes(server)))
        return LB_SLP_SCOPE_NOT_SUPPORTED;
    /* Whether it is well formed does not depend on attributes. */
    if (!is_attributes &&
        lb_slp_filter(request->predicate, lb_bytes(NULL, 0)) == LB_SLP_MATCH_MALFORMED)
        return LB_SLP_PARSE_ERROR;
    return LB_SLP_OK;
}

/* RFC 2608 8.5, 8.6, 11.2: agents are found without a scope, too. */
static struct lb_bytes advert(const struct reply *reply) {
    const struct lb_slp_request *request = &reply->asked->request;
    bool asks_directory = lb_text_is(request->type, LB_SLP_TYPE_DIRECTORY);
    if (request->scopes.len > 0 && !lb_slp_scopes_meet(request->scopes, our_scopes(reply->server)))
        return error_reply(reply, asks_directory ? LB_SLP_DA_ADVERT : LB_SLP_SRV_RPLY,
                           LB_SLP_SCOPE_NOT_SUPPORTED);
    if (asks_directory != reply->server->config.is_directory)
        return lb_bytes(NULL, 0);
    return asks_directory ? da_advert(reply) : sa_advert(reply);
}

static bool asks_for_agents(const struct lb_slp_request *request) {
    return lb_text_is(request->type, LB_SLP_TYPE_DIRECTORY) ||
           lb_text_is(request->type, LB_SLP_TYPE_SERVICE);
}

static struct lb_bytes service_request(const struct reply *reply) {
    if (asks_for_agents(&reply->asked->request))
        return advert(reply);
    enum lb_slp_code code = check_request(reply->server, reply->asked);
    return code == LB_SLP_OK ? list_services(reply) : error_reply(reply, LB_SLP_SRV_RPLY, code);
}

/* ---- attributes ---- */

/* RFC 2608 10.3: no tags are all of them; a tag may end in `*`. */
static bool is_wanted(struct lb_bytes tag, struct lb_bytes tags) {
    struct lb_bytes one;
    bool is_any = tags.len == 0;
    while (!is_any && lb_list_next(&tags, ',', &one)) {
        bool is_prefix = one.len > 0 && one.p[one.len - 1] == '*';
        size_t len = is_prefix ? one.len - 1 : one.len;
        is_any = (is_prefix ? tag.len >= len : tag.len == len) &&
                 lb_slp_same(lb_bytes(tag.p, len), lb_bytes(one.p, len));
    }
    return is_any;
}

static void put_attributes(struct lb_wr *wr, size_t start, struct lb_bytes list,
                           struct lb_bytes tags) {
    struct lb_bytes tag, values;
    while (lb_slp_attribute_next(&list, &tag, &values)) {
        if (!is_wanted(tag, tags))
            continue;
        lb_wr_text(wr, wr->len > start ? "," : "");
        lb_wr_text(wr, values.p ? "(" : "");
        lb_wr_bytes(wr, tag);
        lb_wr_text(wr, values.p ? "=" : "");
        lb_wr_bytes(wr, values);
        lb_wr_text(wr, values.p ? ")" : "");
    }
}

/* Whether AttrRqst means this service: by its URL, or by its type. */
static bool is_meant(const struct lb_slp_request *request,
                     const struct lb_slp_registration *service) {
    return lb_slp_scopes_meet(request->scopes, service->scopes) &&
           (lb_bytes_equal(request->type, service->url) || is_type(request->type, service->type));
}

static struct lb_bytes list_attributes(const struct reply *reply) {
    const struct lb_slp_request *request = &reply->asked->request;
    struct lb_wr wr = lb_wr(lb_span(reply->room.p, LB_MIN(reply->room.len, UINT16_MAX)));
    begin(reply, &wr, LB_SLP_ATTR_RPLY, 0);
    lb_wr_u16(&wr, LB_SLP_OK);
    lb_wr_u16(&wr, 0);
    size_t start = wr.len;
    for (size_t i = 0; i < count_of(reply->server); i++) {
        uint16_t lifetime_s;
        const struct lb_slp_registration *service =
            service_at(reply->server, reply->now_us, i, &lifetime_s);
        if (service && is_meant(request, service))
            put_attributes(&wr, start, service->attributes, request->predicate);
    }
    bool is_found = wr.len > start;
    lb_wr_u16_at(&wr, start - 2, (uint16_t)(wr.len - start));
    lb_wr_u8(&wr, 0);
    if (lb_wr_ok(&wr))
        return reply->is_multicast && !is_found ? lb_bytes(NULL, 0) : lb_slp_finish(&wr);
    wr = lb_wr(reply->room);
    begin(reply, &wr, LB_SLP_ATTR_RPLY, LB_SLP_OVERFLOW);
    lb_wr_u16(&wr, LB_SLP_OK);
    lb_wr_u16(&wr, 0);
    lb_wr_u8(&wr, 0);
    return lb_slp_finish(&wr);
}

static struct lb_bytes attribute_request(const struct reply *reply) {
    enum lb_slp_code code = check_request(reply->server, reply->asked);
    return code == LB_SLP_OK ? list_attributes(reply) : error_reply(reply, LB_SLP_ATTR_RPLY, code);
}

/* ---- registrations ---- */

static bool are_attributes(struct lb_bytes list) {
    struct lb_bytes tag, values;
    while (lb_slp_attribute_next(&list, &tag, &values))
        ;
    return list.len == 0;
}

static struct lb_slp_slot *find_slot(struct lb_slp_server *server, uint64_t now_us,
                                     struct lb_bytes url) {
    for (size_t i = 0; i < server->slot_cap; i++) {
        struct lb_slp_slot *slot = &server->slots[i];
        if (is_live(slot, now_us) && lb_bytes_equal(slot->service.url, url))
            return slot;
    }
    return NULL;
}

static struct lb_slp_slot *free_slot(struct lb_slp_server *server, uint64_t now_us) {
    for (size_t i = 0; i < server->slot_cap; i++) {
        if (!is_live(&server->slots[i], now_us))
            return &server->slots[i];
    }
    return NULL;
}

/* RFC 2608 9.3: the URL is one of the type, which lives, in a scope of ours. */
static enum lb_slp_code check_reg(const struct lb_slp_server *server,
                                  const struct lb_slp_reg *reg) {
    size_t text_bytes = reg->entry.url.len + reg->type.len + reg->scopes.len + reg->attributes.len;
    if (!server->config.takes_registrations)
        return LB_SLP_AUTHENTICATION_ABSENT;
    if (!lb_slp_scopes_meet(reg->scopes, our_scopes(server)))
        return LB_SLP_SCOPE_NOT_SUPPORTED;
    if (reg->entry.lifetime_s == 0 || reg->type.len == 0 || !is_type(reg->type, reg->entry.url) ||
        !are_attributes(reg->attributes) || text_bytes > LB_SLP_REG_BYTES)
        return LB_SLP_INVALID_REGISTRATION;
    return LB_SLP_OK;
}

static struct lb_bytes keep_text(struct lb_wr *wr, struct lb_bytes string) {
    size_t at = wr->len;
    lb_wr_bytes(wr, string);
    return lb_bytes(wr->start + at, string.len);
}

static void fill_slot(struct lb_slp_slot *slot, uint64_t now_us, const struct lb_slp_reg *reg) {
    struct lb_wr wr = lb_wr(lb_span(slot->text, sizeof slot->text));
    slot->is_used = true;
    slot->until_us = now_us + reg->entry.lifetime_s * LB_US_SEC;
    slot->service.url = keep_text(&wr, reg->entry.url);
    slot->service.type = keep_text(&wr, reg->type);
    slot->service.scopes = keep_text(&wr, reg->scopes);
    slot->service.attributes = keep_text(&wr, reg->attributes);
    lb_assert(lb_wr_ok(&wr)); /* check_reg */
}

static enum lb_slp_code take_reg(struct lb_slp_server *server, uint64_t now_us, bool is_fresh,
                                 const struct lb_slp_reg *reg) {
    enum lb_slp_code code = check_reg(server, reg);
    if (code != LB_SLP_OK)
        return code;
    struct lb_slp_slot *slot = find_slot(server, now_us, reg->entry.url);
    if (!slot && !is_fresh)
        return LB_SLP_INVALID_UPDATE;
    if (!slot)
        slot = free_slot(server, now_us);
    if (!slot)
        return LB_SLP_BUSY;
    fill_slot(slot, now_us, reg);
    server->changes++;
    return LB_SLP_OK;
}

static enum lb_slp_code take_dereg(struct lb_slp_server *server, uint64_t now_us,
                                   const struct lb_slp_reg *reg) {
    struct lb_slp_slot *slot = find_slot(server, now_us, reg->entry.url);
    if (!server->config.takes_registrations)
        return LB_SLP_AUTHENTICATION_ABSENT;
    if (!slot || !lb_slp_scopes_meet(reg->scopes, slot->service.scopes))
        return LB_SLP_INVALID_REGISTRATION;
    if (reg->attributes.len > 0)
        return LB_SLP_INVALID_UPDATE; /* a service goes as a whole */
    slot->is_used = false;
    server->changes++;
    return LB_SLP_OK;
}

/* SrvReg and SrvDeReg: for directory agents, and never by multicast. */
static struct lb_bytes registration(struct lb_slp_server *server, const struct reply *reply,
                                    struct lb_bytes body) {
    bool is_reg = reply->asked->header.function == LB_SLP_SRV_REG;
    struct lb_slp_reg reg;
    enum lb_slp_code code;
    if (!server->config.is_directory || reply->is_multicast)
        return lb_bytes(NULL, 0);
    if (is_reg ? !lb_slp_decode_reg(body, &reg) : !lb_slp_decode_dereg(body, &reg))
        code = LB_SLP_PARSE_ERROR;
    else if (reply->asked->header.must_understand)
        code = LB_SLP_OPTION_NOT_UNDERSTOOD;
    else if (is_reg)
        code = take_reg(server, reply->now_us, reply->asked->header.flags & LB_SLP_FRESH, &reg);
    else
        code = take_dereg(server, reply->now_us, &reg);
    struct lb_wr wr = lb_wr(reply->room);
    begin(reply, &wr, LB_SLP_SRV_ACK, 0);
    lb_wr_u16(&wr, (uint16_t)code);
    return lb_slp_finish(&wr);
}

/* ---- all of them ---- */

static struct lb_bytes request(const struct reply *reply, struct lb_slp_asked *asked,
                               struct lb_bytes body) {
    bool is_services = asked->header.function == LB_SLP_SRV_RQST;
    if (!lb_slp_decode_request(body, &asked->request))
        return error_reply(reply, is_services ? LB_SLP_SRV_RPLY : LB_SLP_ATTR_RPLY,
                           LB_SLP_PARSE_ERROR);
    /* RFC 2608 6.3: who is listed has been heard. */
    if (lb_slp_is_listed(asked->request.responders, reply->server->config.address))
        return lb_bytes(NULL, 0);
    return is_services ? service_request(reply) : attribute_request(reply);
}

struct lb_bytes lb_slp_server_answer(struct lb_slp_server *server, uint64_t now_us,
                                     struct lb_bytes payload, bool is_multicast,
                                     struct lb_span room) {
    struct lb_slp_asked asked = {0};
    struct lb_bytes body;
    const char *why;
    if (!lb_slp_decode(payload, &asked.header, &body, &why)) {
        lb_trace(server->config.trace, now_us, "slp-server", "ignored: %s", why);
        return lb_bytes(NULL, 0);
    }
    struct reply reply = {
        .server = server,
        .now_us = now_us,
        .asked = &asked,
        .is_multicast = is_multicast || asked.header.flags & LB_SLP_MCAST,
        .room = room,
    };
    lb_trace(server->config.trace, now_us, "slp-server", "%s xid %u",
             lb_slp_function_word(asked.header.function), asked.header.xid);
    switch (asked.header.function) {
    case LB_SLP_SRV_RQST:
    case LB_SLP_ATTR_RQST:
        return request(&reply, &asked, body);
    case LB_SLP_SRV_REG:
    case LB_SLP_SRV_DEREG:
        return registration(server, &reply, body);
    case LB_SLP_SRV_TYPE_RQST:
        return error_reply(&reply, LB_SLP_SRV_TYPE_RPLY, LB_SLP_MESSAGE_NOT_SUPPORTED);
    default:
        return lb_bytes(NULL, 0); /* replies are nobody's request */
    }
}

struct lb_bytes lb_slp_server_input(struct lb_slp_server *server, uint64_t now_us,
                                    struct lb_bytes payload, bool is_multicast,
                                    struct lb_span room) {
    uint16_t mtu = server->config.mtu ? server->config.mtu : LB_SLP_MTU;
    return lb_slp_server_answer(server, now_us, payload, is_multicast,
                                lb_span(room.p, LB_MIN(room.len, mtu)));
}

bool lb_slp_server_is_listing(const struct lb_slp_server *server, struct lb_bytes payload,
                              struct lb_slp_asked *asked) {
    struct lb_bytes body;
    const char *why;
    return lb_slp_decode(payload, &asked->header, &body, &why) &&
           asked->header.function == LB_SLP_SRV_RQST &&
           lb_slp_decode_request(body, &asked->request) && !asks_for_agents(&asked->request) &&
           check_request(server, asked) == LB_SLP_OK;
}
