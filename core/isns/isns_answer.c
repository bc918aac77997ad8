/* What the answers say. An attribute is taken as it comes, so that an answer may be of any length;
 * what is known of one target is gathered until its answer is complete, and then given out. */
#include "core/isns/isns_client.h"

bool lb_isns_add_target(struct lb_isns_client *client, const char *name, bool in_boot_list) {
    size_t len = lb_strlen(name) + 1;
    for (size_t i = 0; i < client->target_count; i++) {
        if (lb_iscsi_names_equal(lb_isns_target_name(client, i), name)) {
            client->targets[i].in_boot_list |= in_boot_list;
            return true;
        }
    }
    if (client->target_count == LB_COUNT(client->targets) ||
        sizeof client->names - client->names_len < len)
        return false;
    client->targets[client->target_count++] = (struct lb_isns_target){
        .name_at = (uint16_t)client->names_len,
        .in_boot_list = in_boot_list,
    };
    memcpy(client->names + client->names_len, name, len);
    client->names_len += len;
    return true;
}

/* ---- Discovery Domains ---- */

static void take_domain(struct lb_isns_client *client, struct lb_isns_attribute attribute) {
    uint32_t id;
    if (attribute.tag != LB_ISNS_DOMAIN_ID || !lb_isns_value_u32(attribute, &id) || id == 0)
        return;
    for (size_t i = 0; i < client->domain_count; i++)
        if (client->domains[i].id == id)
            return;
    if (client->domain_count == LB_COUNT(client->domains)) {
        client->counts.dropped++;
        return;
    }
    /* No members are asked for before the features say so. */
    client->domains[client->domain_count++] =
        (struct lb_isns_domain){.id = id, .members = LB_ISNS_ANSWERED};
    client->counts.domains++;
}

static void take_features(struct lb_isns_client *client, struct lb_isns_domain *domain,
                          struct lb_isns_attribute attribute) {
    uint32_t bits;
    if (attribute.tag != LB_ISNS_DOMAIN_FEATURES || !lb_isns_value_u32(attribute, &bits))
        return;
    if ((bits & LB_ISNS_BOOT_LIST) && !domain->in_boot_list) {
        domain->in_boot_list = true;
        client->counts.boot_domains++;
    }
}

/* One domain, and its features. */
static void take_walked(struct lb_isns_client *client, struct lb_isns_attribute attribute) {
    size_t before = client->domain_count;
    take_domain(client, attribute);
    if (client->domain_count > before)
        client->walking = LB_ISNS_TO_ASK; /* and the next, after this answer */
    if (client->walking == LB_ISNS_TO_ASK)
        take_features(client, &client->domains[client->domain_count - 1], attribute);
}

static void take_member(struct lb_isns_client *client, struct lb_isns_domain *domain,
                        struct lb_isns_attribute attribute) {
    char name[LB_NAME_MAX + 1];
    if (attribute.tag != LB_ISNS_DOMAIN_MEMBER)
        return;
    bool is_member = lb_isns_value_name(attribute, name) &&
                     !lb_iscsi_names_equal(name, client->config.initiator);
    unsigned place = domain->seen++;
    if (place >= domain->member_count) {
        domain->member_count = place + 1;
        if (is_member)
            client->counts.members++;
    }
    if (place != domain->taken)
        return; /* had before, or there was no room for one before it */
    if (!is_member || lb_isns_add_target(client, name, domain->in_boot_list))
        domain->taken++;
}

/* ---- a target ---- */

static void take_portal(struct lb_isns_client *client, struct lb_isns_attribute attribute) {
    struct lb_isns_answer *answer = &client->answer;
    struct lb_addr addr;
    answer->portal = LB_PORTALS_MAX;
    answer->group_addr = (struct lb_addr){0};
    if (!lb_isns_value_address(attribute, &addr))
        return;
    if (answer->portal_count == LB_PORTALS_MAX) {
        client->counts.dropped++;
        return;
    }
    answer->portal = answer->portal_count++;
    /* 3260 and portal group 1 unless the next attributes say otherwise. */
    answer->portals[answer->portal] =
        (struct lb_isns_portal){.at = {.addr = addr, .port = LB_ISCSI_PORT}, .group = 1};
}

static void take_group_tag(struct lb_isns_portal *portal, struct lb_isns_attribute attribute) {
    uint32_t tag;
    if (attribute.len == 0)
        portal->is_barred = true; /* RFC 4171 6.5.4: NULL, no access */
    if (lb_isns_value_u32(attribute, &tag)) {
        portal->group = (uint16_t)tag;
        portal->is_barred = false;
    }
}

/* A portal group object names the portal that its tag belongs to. */
static void take_group_port(struct lb_isns_answer *answer, struct lb_isns_attribute attribute) {
    struct lb_endpoint at = {.addr = answer->group_addr};
    bool is_udp;
    answer->portal = LB_PORTALS_MAX;
    if (!lb_isns_value_port(attribute, &at.port, &is_udp))
        return;
    for (size_t i = 0; i < answer->portal_count; i++)
        if (lb_endpoint_equal(answer->portals[i].at, at) && answer->portals[i].is_udp == is_udp)
            answer->portal = i;
}

static void take_of_portal(struct lb_isns_answer *answer, struct lb_isns_attribute attribute) {
    if (answer->portal >= answer->portal_count)
        return;
    struct lb_isns_portal *portal = &answer->portals[answer->portal];
    if (attribute.tag == LB_ISNS_PORTAL_PORT)
        lb_isns_value_port(attribute, &portal->at.port, &portal->is_udp);
    else if (attribute.tag == LB_ISNS_PORTAL_SECURITY)
        portal->has_security = lb_isns_value_u32(attribute, &portal->security) &&
                               (portal->security & LB_ISNS_SECURITY_VALID);
    else
        take_group_tag(portal, attribute);
}

static void take_alias(struct lb_isns_answer *answer, struct lb_isns_attribute attribute) {
    struct lb_bytes bytes;
    struct lb_text text = lb_text(answer->alias, sizeof answer->alias);
    if (lb_isns_value_text(attribute, &bytes))
        lb_text_untrusted(&text, bytes);
}

static void take_node(struct lb_isns_answer *answer, struct lb_isns_attribute attribute,
                      const char *asked) {
    char name[LB_NAME_MAX + 1];
    answer->is_other = !lb_isns_value_name(attribute, name) || !lb_iscsi_names_equal(name, asked);
    if (!answer->is_other)
        answer->has_node = true;
}

static void take_of_target(struct lb_isns_client *client, size_t index,
                           struct lb_isns_attribute attribute) {
    struct lb_isns_answer *answer = &client->answer;
    if (attribute.tag == LB_ISNS_NAME)
        take_node(answer, attribute, lb_isns_target_name(client, index));
    if (answer->is_other)
        return;
    switch (attribute.tag) {
    case LB_ISNS_NODE_TYPE:
        lb_isns_value_u32(attribute, &answer->node_type);
        break;
    case LB_ISNS_ALIAS:
        take_alias(answer, attribute);
        break;
    case LB_ISNS_PORTAL_ADDRESS:
        take_portal(client, attribute);
        break;
    case LB_ISNS_GROUP_ADDRESS:
        lb_isns_value_address(attribute, &answer->group_addr);
        break;
    case LB_ISNS_GROUP_PORT:
        take_group_port(answer, attribute);
        break;
    case LB_ISNS_PORTAL_PORT:
    case LB_ISNS_PORTAL_SECURITY:
    case LB_ISNS_GROUP_TAG:
        take_of_portal(answer, attribute);
        break;
    default:
        break;
    }
}

/* ---- requests of the server ---- */

/* RFC 4171 5.6.5.13, 5.7.5.8: who keeps the connection open answers. We asked for neither. */
static void begin_notice(struct lb_isns_client *client) {
    const struct lb_isns_header *header = &client->reader.header;
    bool is_known = header->function == LB_ISNS_ESI || header->function == LB_ISNS_SCN;
    client->notice = lb_isns_writer(lb_span(client->notice_room, sizeof client->notice_room), 0,
                                    (uint16_t)(header->function | LB_ISNS_ANSWER),
                                    LB_ISNS_FROM_CLIENT, header->xid);
    lb_isns_put_status(&client->notice, is_known ? LB_ISNS_OK : LB_ISNS_MESSAGE_UNSUPPORTED);
}

/* An ESI is given back whole; of an SCN the destination, which comes first. */
static void take_of_notice(struct lb_isns_client *client, struct lb_isns_attribute attribute) {
    uint16_t function = client->reader.header.function;
    bool is_destination = attribute.tag == LB_ISNS_NAME && !client->answer.past_key;
    client->answer.past_key = true;
    if (function == LB_ISNS_ESI || (function == LB_ISNS_SCN && is_destination))
        lb_isns_put(&client->notice, attribute.tag, attribute.value);
}

static void end_notice(struct lb_isns_client *client) {
    struct lb_bytes bytes = lb_isns_written(&client->notice);
    if (client->config.udp || bytes.len == 0 || bytes.len > sizeof client->tx - client->tx_len)
        return;
    memcpy(client->tx + client->tx_len, bytes.p, bytes.len);
    client->tx_len += bytes.len;
}

/* ---- an answer as a whole ---- */

static size_t find_request(const struct lb_isns_client *client, uint16_t xid) {
    for (size_t i = 0; i < LB_ISNS_WINDOW; i++)
        if (client->requests[i].ask != LB_ISNS_ASK_NOTHING && client->requests[i].xid == xid)
            return i;
    return LB_ISNS_WINDOW;
}

static void begin_answer(struct lb_isns_client *client, uint64_t now_us) {
    const struct lb_isns_header *header = &client->reader.header;
    struct lb_isns_answer *answer = &client->answer;
    *answer = (struct lb_isns_answer){.request = LB_ISNS_WINDOW, .portal = LB_PORTALS_MAX};
    answer->is_notice = !(header->function & LB_ISNS_ANSWER);
    if (answer->is_notice) {
        begin_notice(client);
        return;
    }
    answer->request = find_request(client, header->xid);
    if (answer->request == LB_ISNS_WINDOW) {
        client->ignored++;
        lb_trace(client->trace, now_us, "isns", "an answer to nothing that was asked: %u",
                 header->xid);
        return;
    }
    struct lb_isns_request *request = &client->requests[answer->request];
    if (header->function != (lb_isns_ask_function(request->ask) | LB_ISNS_ANSWER)) {
        answer->request = LB_ISNS_WINDOW;
        lb_fail(&client->error, LB_E_ISNS_PROTOCOL, "%s: an answer of kind %x to a request of %x",
                lb_endpoint_text(client->config.server).s, header->function,
                (unsigned)lb_isns_ask_function(request->ask));
    } else if (request->ask == LB_ISNS_ASK_MEMBERS) {
        client->domains[request->index].seen = 0;
    }
}

/* What stands before the delimiter. Some leave the delimiter out. */
static uint32_t key_of(enum lb_isns_ask ask) {
    bool is_domain = ask == LB_ISNS_ASK_FEATURES || ask == LB_ISNS_ASK_MEMBERS;
    return is_domain ? LB_ISNS_DOMAIN_ID : LB_ISNS_NAME;
}

static void take_attribute(struct lb_isns_client *client, struct lb_isns_attribute attribute) {
    struct lb_isns_answer *answer = &client->answer;
    struct lb_bytes entity;
    if (answer->is_notice)
        take_of_notice(client, attribute);
    if (answer->request == LB_ISNS_WINDOW || client->reader.status != LB_ISNS_OK)
        return;
    struct lb_isns_request *request = &client->requests[answer->request];
    if (request->ask == LB_ISNS_ASK_REGISTER && attribute.tag == LB_ISNS_ENTITY &&
        lb_isns_value_text(attribute, &entity))
        lb_text_copy(client->entity, sizeof client->entity, entity);
    if (request->ask == LB_ISNS_ASK_WALK)
        take_walked(client, attribute);
    if (!answer->past_key) {
        answer->past_key = attribute.tag != key_of(request->ask);
        if (!answer->past_key || attribute.tag == LB_ISNS_DELIMITER)
            return;
    }
    if (request->ask == LB_ISNS_ASK_DOMAINS)
        take_domain(client, attribute);
    else if (request->ask == LB_ISNS_ASK_FEATURES)
        take_features(client, &client->domains[request->index], attribute);
    else if (request->ask == LB_ISNS_ASK_MEMBERS)
        take_member(client, &client->domains[request->index], attribute);
    else if (request->ask == LB_ISNS_ASK_PORTALS)
        take_of_target(client, request->index, attribute);
}

static void end_domain(struct lb_isns_client *client, struct lb_isns_domain *domain,
                       enum lb_isns_ask ask) {
    if (ask == LB_ISNS_ASK_FEATURES && (domain->in_boot_list || client->config.all_domains))
        domain->members = LB_ISNS_TO_ASK;
    if (ask != LB_ISNS_ASK_MEMBERS)
        return;
    /* A list that became shorter while it was read has no more to give. */
    domain->member_count = LB_MAX(domain->seen, domain->taken);
}

/* The domain that the answer named is the last one; its features are known. */
static void end_walked(struct lb_isns_client *client) {
    if (client->walking != LB_ISNS_TO_ASK)
        return;
    struct lb_isns_domain *domain = &client->domains[client->domain_count - 1];
    domain->features = LB_ISNS_ANSWERED;
    end_domain(client, domain, LB_ISNS_ASK_FEATURES);
}

static void end_target(struct lb_isns_client *client, size_t index) {
    struct lb_isns_answer *answer = &client->answer;
    bool is_known = answer->has_node || answer->portal_count > 0;
    if (!is_known)
        client->counts.unregistered++;
    else if (answer->node_type != 0 && !(answer->node_type & LB_ISNS_TARGET))
        client->counts.not_targets++;
    else
        client->gives = true;
    client->given = 0;
    client->found = (struct lb_isns_found){.in_boot_list = client->targets[index].in_boot_list};
    lb_text_copy(client->found.target, sizeof client->found.target,
                 lb_bytes_of_text(lb_isns_target_name(client, index)));
    memcpy(client->found.alias, answer->alias, sizeof answer->alias);
    if (client->gives && answer->portal_count > 0)
        client->targets_found++;
}

static void answered(struct lb_isns_client *client, struct lb_isns_request *request) {
    enum lb_isns_ask ask = request->ask;
    enum lb_isns_progress *progress = lb_isns_progress(client, request);
    if (*progress == LB_ISNS_ASKED)
        *progress = LB_ISNS_ANSWERED;
    request->ask = LB_ISNS_ASK_NOTHING;
    request->send_due = false;
    if (ask == LB_ISNS_ASK_REGISTER)
        client->is_registered = true;
    else if (ask == LB_ISNS_ASK_WITHDRAW)
        client->is_registered = false;
    else if (ask == LB_ISNS_ASK_DOMAINS && client->domain_count == 0)
        client->walking = LB_ISNS_TO_ASK;
    else if (ask == LB_ISNS_ASK_WALK)
        end_walked(client);
    else if (ask == LB_ISNS_ASK_FEATURES || ask == LB_ISNS_ASK_MEMBERS)
        end_domain(client, &client->domains[request->index], ask);
    else if (ask == LB_ISNS_ASK_PORTALS)
        end_target(client, request->index);
}

static void refused(struct lb_isns_client *client, uint64_t now_us, struct lb_isns_request *request,
                    uint32_t status) {
    bool is_unknown = status == LB_ISNS_SOURCE_UNKNOWN || status == LB_ISNS_SOURCE_ABSENT;
    if (is_unknown && !client->is_registered && request->ask != LB_ISNS_ASK_REGISTER &&
        client->config.registration != LB_ISNS_REGISTER_NEVER) {
        client->needs_registration = true;
        client->tries_registration = false;
        lb_isns_put_back(client, request);
        return;
    }
    /* An address that DHCP gave to another machine before may be registered by that one still. */
    if (request->ask == LB_ISNS_ASK_REGISTER && status == LB_ISNS_INVALID_REGISTRATION &&
        lb_addr_is_set(client->config.own_address)) {
        client->config.own_address = (struct lb_addr){0};
        lb_isns_put_back(client, request);
        return;
    }
    if (request->ask == LB_ISNS_ASK_REGISTER && client->tries_registration) {
        client->registering = LB_ISNS_ANSWERED;
        request->ask = LB_ISNS_ASK_NOTHING;
        return;
    }
    if (is_unknown || status == LB_ISNS_SOURCE_UNAUTHORIZED)
        lb_fail(&client->error, LB_E_ISNS_SOURCE, "%s to %s: %s",
                lb_endpoint_text(client->config.server).s, client->config.initiator,
                lb_isns_status_word(status));
    else
        lb_fail(&client->error, LB_E_ISNS_REFUSED, "%s: status %u, %s",
                lb_endpoint_text(client->config.server).s, (unsigned)status,
                lb_isns_status_word(status));
    lb_trace(client->trace, now_us, "isns", "refused: status %u", (unsigned)status);
}

static void end_answer(struct lb_isns_client *client, uint64_t now_us) {
    uint32_t status = client->reader.status;
    client->counts.answer_bytes += client->reader.message_bytes;
    if (client->answer.is_notice)
        end_notice(client);
    if (client->answer.request == LB_ISNS_WINDOW)
        return;
    struct lb_isns_request *request = &client->requests[client->answer.request];
    bool is_withdrawal = request->ask == LB_ISNS_ASK_WITHDRAW;
    bool is_unknown = status == LB_ISNS_SOURCE_UNKNOWN || status == LB_ISNS_SOURCE_ABSENT;
    /* 5.6.5.2: no match is an empty answer; open-isns says NO_SUCH_ENTRY. A server that does not
     * have the attribute has no boot lists, and one that does not walk has nothing to add. */
    bool is_empty =
        status == LB_ISNS_NO_SUCH_ENTRY ||
        (request->ask == LB_ISNS_ASK_WALK && status != LB_ISNS_OK && !is_unknown) ||
        (status == LB_ISNS_ATTRIBUTE_UNSUPPORTED && request->ask == LB_ISNS_ASK_FEATURES);
    client->resends = 0;
    if (status == LB_ISNS_BUSY) { /* first: it may be the answer to any of them */
        lb_isns_put_back(client, request);
        lb_isns_pause(client, now_us);
    } else if (status == LB_ISNS_OK || is_empty || is_withdrawal) {
        client->pauses = 0;
        answered(client, request);
    } else {
        refused(client, now_us, request, status);
    }
}

static bool is_ended(const struct lb_isns_client *client) {
    return client->state == LB_ISNS_ENDED;
}

static void fail_stream(struct lb_isns_client *client) {
    lb_fail(&client->error, LB_E_ISNS_PROTOCOL, "%s: %s", lb_endpoint_text(client->config.server).s,
            client->reader.why);
}

void lb_isns_read_answers(struct lb_isns_client *client, uint64_t now_us, struct lb_bytes *input) {
    enum lb_isns_read got = LB_ISNS_READ_ATTRIBUTE;
    while (got != LB_ISNS_READ_MORE && !client->gives && !is_ended(client)) {
        got = lb_isns_reader_next(&client->reader, input);
        if (got == LB_ISNS_READ_MESSAGE)
            begin_answer(client, now_us);
        else if (got == LB_ISNS_READ_ATTRIBUTE)
            take_attribute(client, client->reader.attribute);
        else if (got == LB_ISNS_READ_END)
            end_answer(client, now_us);
        else if (got == LB_ISNS_READ_BROKEN)
            fail_stream(client);
        if (!lb_is_ok(&client->error))
            lb_isns_enter_failed(client, now_us);
    }
}

bool lb_isns_next_found(struct lb_isns_client *client) {
    struct lb_isns_answer *answer = &client->answer;
    while (client->gives && client->given < answer->portal_count) {
        const struct lb_isns_portal *portal = &answer->portals[client->given++];
        if (portal->is_udp || portal->is_barred) {
            client->counts.unusable++;
            continue;
        }
        client->found.portal = portal->at;
        client->found.portal_group = portal->group;
        client->found.has_security = portal->has_security;
        client->found.security = portal->security;
        client->counts.found++;
        return true;
    }
    client->gives = false;
    return false;
}
