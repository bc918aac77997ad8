/* What is asked next, and how it is written.
 *
 *   [REGISTER] -> by name:   PORTALS
 *              -> boot list: DOMAINS -> [WALK -> WALK ...] -> FEATURES of each
 *                            -> MEMBERS of those with a boot list -> PORTALS of each member
 *                            -> MEMBERS again, where there was no room
 *              -> where nothing was found: REGISTER, and all of it again
 *              -> [WITHDRAW]
 *
 * WALK is for open-isns, which does not tell a node its domains (DevAttrQry), but goes through them
 * one after the other (DevGetNext), though RFC 4171 5.6.5.3 does not list that key. */
#include "core/isns/isns_client.h"

const char *lb_isns_target_name(const struct lb_isns_client *client, size_t index) {
    lb_assert(index < client->target_count);
    return client->names + client->targets[index].name_at;
}

enum lb_isns_function lb_isns_ask_function(enum lb_isns_ask ask) {
    if (ask == LB_ISNS_ASK_REGISTER)
        return LB_ISNS_DEV_ATTR_REG;
    if (ask == LB_ISNS_ASK_WALK)
        return LB_ISNS_DEV_GET_NEXT;
    return ask == LB_ISNS_ASK_WITHDRAW ? LB_ISNS_DEV_DEREG : LB_ISNS_DEV_ATTR_QRY;
}

/* ---- the requests ---- */

static void put_query(struct lb_isns_writer *writer, const uint32_t *tags, size_t count) {
    lb_isns_put_empty(writer, LB_ISNS_DELIMITER);
    for (size_t i = 0; i < count; i++)
        lb_isns_put_empty(writer, tags[i]);
}

static void put_portals_query(struct lb_isns_writer *writer, const char *target) {
    static const uint32_t tags[] = {
        LB_ISNS_NAME,        LB_ISNS_NODE_TYPE,       LB_ISNS_ALIAS,     LB_ISNS_PORTAL_ADDRESS,
        LB_ISNS_PORTAL_PORT, LB_ISNS_PORTAL_SECURITY, LB_ISNS_GROUP_TAG,
    };
    lb_isns_put_text(writer, LB_ISNS_NAME, target);
    put_query(writer, tags, LB_COUNT(tags));
}

static void put_domains_query(struct lb_isns_writer *writer, const char *initiator) {
    static const uint32_t tags[] = {LB_ISNS_DOMAIN_ID};
    lb_isns_put_text(writer, LB_ISNS_NAME, initiator);
    put_query(writer, tags, LB_COUNT(tags));
}

static void put_walk(struct lb_isns_writer *writer, const struct lb_isns_client *client) {
    static const uint32_t tags[] = {LB_ISNS_DOMAIN_ID, LB_ISNS_DOMAIN_FEATURES};
    if (client->domain_count == 0)
        lb_isns_put_empty(writer, LB_ISNS_DOMAIN_ID);
    else
        lb_isns_put_u32(writer, LB_ISNS_DOMAIN_ID, client->domains[client->domain_count - 1].id);
    put_query(writer, tags, LB_COUNT(tags));
}

static void put_domain_query(struct lb_isns_writer *writer, uint32_t id, uint32_t tag) {
    const uint32_t tags[] = {LB_ISNS_DOMAIN_ID, tag};
    lb_isns_put_u32(writer, LB_ISNS_DOMAIN_ID, id);
    put_query(writer, tags, LB_COUNT(tags));
}

/* RFC 4171 5.6.5.1: the entity first (without a name: the server gives it one), then its portals,
 * then its nodes. No SCN or ESI port is registered: nobody would listen there. */
static void put_registration(struct lb_isns_writer *writer, const struct lb_isns_config *config) {
    lb_isns_put_empty(writer, LB_ISNS_ENTITY);
    lb_isns_put_empty(writer, LB_ISNS_DELIMITER);
    lb_isns_put_empty(writer, LB_ISNS_ENTITY);
    lb_isns_put_u32(writer, LB_ISNS_ENTITY_PROTOCOL, LB_ISNS_PROTOCOL_ISCSI);
    if (lb_addr_is_set(config->own_address)) {
        lb_isns_put_address(writer, LB_ISNS_PORTAL_ADDRESS, config->own_address);
        lb_isns_put_u32(writer, LB_ISNS_PORTAL_PORT, 0);
    }
    lb_isns_put_text(writer, LB_ISNS_NAME, config->initiator);
    lb_isns_put_u32(writer, LB_ISNS_NODE_TYPE, LB_ISNS_INITIATOR);
}

static void put_withdrawal(struct lb_isns_writer *writer, const struct lb_isns_client *client) {
    lb_isns_put_empty(writer, LB_ISNS_DELIMITER);
    if (client->entity[0])
        lb_isns_put_text(writer, LB_ISNS_ENTITY, client->entity);
    else
        lb_isns_put_text(writer, LB_ISNS_NAME, client->config.initiator);
}

struct lb_bytes lb_isns_request_write(const struct lb_isns_client *client,
                                      const struct lb_isns_request *request, struct lb_span room) {
    const struct lb_isns_config *config = &client->config;
    struct lb_isns_writer writer = lb_isns_writer(
        room, 0, (uint16_t)lb_isns_ask_function(request->ask), LB_ISNS_FROM_CLIENT, request->xid);
    lb_isns_put_text(&writer, LB_ISNS_NAME, config->initiator); /* the source */
    switch (request->ask) {
    case LB_ISNS_ASK_NOTHING:
        break;
    case LB_ISNS_ASK_REGISTER:
        put_registration(&writer, config);
        break;
    case LB_ISNS_ASK_DOMAINS:
        put_domains_query(&writer, config->initiator);
        break;
    case LB_ISNS_ASK_WALK:
        put_walk(&writer, client);
        break;
    case LB_ISNS_ASK_FEATURES:
        put_domain_query(&writer, client->domains[request->index].id, LB_ISNS_DOMAIN_FEATURES);
        break;
    case LB_ISNS_ASK_MEMBERS:
        put_domain_query(&writer, client->domains[request->index].id, LB_ISNS_DOMAIN_MEMBER);
        break;
    case LB_ISNS_ASK_PORTALS:
        put_portals_query(&writer, lb_isns_target_name(client, request->index));
        break;
    case LB_ISNS_ASK_WITHDRAW:
        put_withdrawal(&writer, client);
        break;
    }
    struct lb_bytes bytes = lb_isns_written(&writer);
    lb_assert(bytes.len > 0);
    return bytes;
}

/* ---- what is next ---- */

enum lb_isns_progress *lb_isns_progress(struct lb_isns_client *client,
                                        const struct lb_isns_request *request) {
    switch (request->ask) {
    case LB_ISNS_ASK_REGISTER:
        return &client->registering;
    case LB_ISNS_ASK_DOMAINS:
        return &client->domains_asked;
    case LB_ISNS_ASK_WALK:
        return &client->walking;
    case LB_ISNS_ASK_FEATURES:
        return &client->domains[request->index].features;
    case LB_ISNS_ASK_MEMBERS:
        return &client->domains[request->index].members;
    case LB_ISNS_ASK_PORTALS:
        return &client->targets[request->index].portals;
    case LB_ISNS_ASK_WITHDRAW:
    case LB_ISNS_ASK_NOTHING:
        break;
    }
    return &client->withdrawing;
}

void lb_isns_put_back(struct lb_isns_client *client, struct lb_isns_request *request) {
    *lb_isns_progress(client, request) = LB_ISNS_TO_ASK;
    request->ask = LB_ISNS_ASK_NOTHING;
    request->send_due = false;
}

/* The first of those that are TO_ASK; what waits for an answer holds up what comes after it. */
static bool find_domain(const struct lb_isns_client *client, bool members, size_t *index,
                        bool *waits) {
    for (size_t i = 0; i < client->domain_count; i++) {
        enum lb_isns_progress progress =
            members ? client->domains[i].members : client->domains[i].features;
        *index = i;
        if (progress == LB_ISNS_TO_ASK)
            return true;
        if (progress == LB_ISNS_ASKED)
            *waits = true;
    }
    return false;
}

static enum lb_isns_ask next_of_boot_list(const struct lb_isns_client *client, size_t *index) {
    bool waits = client->domains_asked == LB_ISNS_ASKED || client->walking == LB_ISNS_ASKED;
    if (client->domains_asked == LB_ISNS_TO_ASK)
        return LB_ISNS_ASK_DOMAINS;
    if (!waits && client->walking == LB_ISNS_TO_ASK)
        return LB_ISNS_ASK_WALK;
    if (!waits && find_domain(client, false, index, &waits))
        return LB_ISNS_ASK_FEATURES;
    if (!waits && find_domain(client, true, index, &waits))
        return LB_ISNS_ASK_MEMBERS;
    return waits ? LB_ISNS_ASK_NOTHING : LB_ISNS_ASK_PORTALS;
}

static enum lb_isns_ask next_ask(const struct lb_isns_client *client, size_t *index) {
    *index = 0;
    if (client->withdraws)
        return client->withdrawing == LB_ISNS_TO_ASK ? LB_ISNS_ASK_WITHDRAW : LB_ISNS_ASK_NOTHING;
    if (client->needs_registration && client->registering == LB_ISNS_TO_ASK)
        return LB_ISNS_ASK_REGISTER;
    if (client->needs_registration && client->registering == LB_ISNS_ASKED)
        return LB_ISNS_ASK_NOTHING;
    if (!client->config.target[0]) {
        enum lb_isns_ask ask = next_of_boot_list(client, index);
        if (ask != LB_ISNS_ASK_PORTALS)
            return ask;
    }
    if (client->targets_found >= LB_ISNS_TARGETS_MAX)
        return LB_ISNS_ASK_NOTHING;
    for (*index = 0; *index < client->target_count; ++*index)
        if (client->targets[*index].portals == LB_ISNS_TO_ASK)
            return LB_ISNS_ASK_PORTALS;
    return LB_ISNS_ASK_NOTHING;
}

static struct lb_isns_request *free_request(struct lb_isns_client *client) {
    for (size_t i = 0; i < LB_ISNS_WINDOW; i++)
        if (client->requests[i].ask == LB_ISNS_ASK_NOTHING)
            return &client->requests[i];
    return NULL;
}

static void send_request(struct lb_isns_client *client, struct lb_isns_request *request) {
    struct lb_span room = {.p = client->tx + client->tx_len,
                           .len = sizeof client->tx - client->tx_len};
    if (client->config.udp)
        request->send_due = true;
    else
        client->tx_len += lb_isns_request_write(client, request, room).len;
}

/* Not one in use; hard to guess, for UDP. */
static uint16_t new_xid(struct lb_isns_client *client) {
    for (;;) {
        uint16_t xid = (uint16_t)lb_rand_u32(client->rand);
        size_t i = 0;
        while (i < LB_ISNS_WINDOW && client->requests[i].xid != xid)
            i++;
        if (i == LB_ISNS_WINDOW)
            return xid;
    }
}

void lb_isns_ask(struct lb_isns_client *client, uint64_t now_us) {
    for (;;) {
        struct lb_isns_request *request = free_request(client);
        size_t index;
        enum lb_isns_ask ask = next_ask(client, &index);
        if (!request || ask == LB_ISNS_ASK_NOTHING ||
            sizeof client->tx - client->tx_len < LB_ISNS_REQUEST_BYTES)
            return;
        *request = (struct lb_isns_request){.ask = ask, .index = index, .xid = new_xid(client)};
        enum lb_isns_progress *progress = lb_isns_progress(client, request);
        *progress = LB_ISNS_ASKED;
        client->counts.requests++;
        lb_trace(client->trace, now_us, "isns", "asks %u of %zu as %u", (unsigned)ask, index,
                 request->xid);
        send_request(client, request);
    }
}

bool lb_isns_is_answered(const struct lb_isns_client *client) {
    size_t index;
    for (size_t i = 0; i < LB_ISNS_WINDOW; i++)
        if (client->requests[i].ask != LB_ISNS_ASK_NOTHING)
            return false;
    return next_ask(client, &index) == LB_ISNS_ASK_NOTHING;
}

void lb_isns_start_over(struct lb_isns_client *client) {
    for (size_t i = 0; i < client->target_count; i++)
        client->targets[i].portals = LB_ISNS_TO_ASK;
    client->counts.members = client->counts.unregistered = client->counts.not_targets = 0;
    client->counts.domains = client->counts.boot_domains = client->counts.unusable = 0;
    client->counts.dropped = 0;
    if (client->config.target[0])
        return;
    client->domains_asked = LB_ISNS_TO_ASK;
    client->walking = LB_ISNS_ANSWERED; /* unless there are none */
    client->domain_count = client->target_count = client->names_len = 0;
}

/* Enough is found when a boot could not try more. */
bool lb_isns_ask_more(struct lb_isns_client *client) {
    for (size_t i = 0; i < client->domain_count; i++) {
        struct lb_isns_domain *domain = &client->domains[i];
        if (domain->taken >= domain->member_count || client->withdraws ||
            client->targets_found >= LB_ISNS_TARGETS_MAX)
            continue;
        client->target_count = 0;
        client->names_len = 0;
        domain->members = LB_ISNS_TO_ASK;
        return true;
    }
    return false;
}
