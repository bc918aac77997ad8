/* DevAttrQry: RFC 4171 5.6.5.2. Key: an iSCSI name, a node type, a Discovery Domain, or nothing. */
#include "core/isns/isns_server_state.h"

struct query {
    struct lb_isns_server *server;
    struct lb_isns_writer *writer; /* NULL: only count */
    unsigned objects;
    bool is_control;
};

static bool names(const struct query *query, uint32_t tag) {
    const struct lb_isns_server *server = query->server;
    for (size_t i = server->delimiter + 1; i < server->attribute_count; i++)
        if (server->attributes[i].tag == tag)
            return true;
    return false;
}

/* Who names no attribute, as isnsadm does, gets all of the node, its entity and its portals. */
static bool wants(const struct query *query, uint32_t tag) {
    const struct lb_isns_server *server = query->server;
    return server->delimiter + 1 == server->attribute_count || names(query, tag);
}

static void put_u32(struct query *query, uint32_t tag, uint32_t value) {
    if (query->writer && wants(query, tag))
        lb_isns_put_u32(query->writer, tag, value);
}

static void put_text(struct query *query, uint32_t tag, const char *text) {
    if (query->writer && text[0] && wants(query, tag))
        lb_isns_put_text(query->writer, tag, text);
}

static void put_tag(struct query *query, uint32_t node, uint32_t portal) {
    const struct lb_isns_tables *tables = &query->server->tables;
    if (!query->writer || !names(query, LB_ISNS_GROUP_TAG))
        return;
    for (size_t i = 0; i < tables->group_count; i++) {
        const struct lb_isns_group *group = &tables->groups[i];
        if (group->node != node || group->portal != portal)
            continue;
        if (group->is_null)
            lb_isns_put_empty(query->writer, LB_ISNS_GROUP_TAG);
        else
            lb_isns_put_u32(query->writer, LB_ISNS_GROUP_TAG, group->tag);
        return;
    }
    lb_isns_put_u32(query->writer, LB_ISNS_GROUP_TAG, 1); /* 6.5.4: the default */
}

static void put_portals(struct query *query, uint32_t node) {
    const struct lb_isns_tables *tables = &query->server->tables;
    for (uint32_t i = 0; i < tables->portal_count; i++) {
        const struct lb_isns_node_portal *portal = &tables->portals[i];
        if (portal->entity != tables->nodes[node].entity || !lb_addr_is_set(portal->at.addr))
            continue;
        if (query->writer && wants(query, LB_ISNS_PORTAL_ADDRESS))
            lb_isns_put_address(query->writer, LB_ISNS_PORTAL_ADDRESS, portal->at.addr);
        put_u32(query, LB_ISNS_PORTAL_PORT,
                portal->at.port | (portal->is_udp ? LB_ISNS_PORT_IS_UDP : 0u));
        if (portal->security)
            put_u32(query, LB_ISNS_PORTAL_SECURITY, portal->security);
        put_tag(query, node, i);
    }
}

static bool is_visible(const struct query *query, const struct lb_isns_node *node) {
    const struct lb_isns_server *server = query->server;
    return query->is_control || server->config.no_domains || node->is_public ||
           lb_iscsi_names_equal(node->name, server->source) ||
           lb_isns_shares_domain(server, node->name);
}

/* A node, its entity and its portals, as far as they are asked for. */
static void put_node(struct query *query, uint32_t at) {
    const struct lb_isns_node *node = &query->server->tables.nodes[at];
    if (!is_visible(query, node))
        return;
    query->objects++;
    if (!query->writer)
        return;
    put_text(query, LB_ISNS_ENTITY, query->server->tables.entities[node->entity].id);
    put_text(query, LB_ISNS_NAME, node->name);
    put_u32(query, LB_ISNS_NODE_TYPE, node->type);
    put_text(query, LB_ISNS_ALIAS, node->alias);
    if (wants(query, LB_ISNS_PORTAL_ADDRESS) || wants(query, LB_ISNS_PORTAL_PORT) ||
        names(query, LB_ISNS_GROUP_TAG))
        put_portals(query, at);
}

static void put_members(struct query *query, const struct lb_isns_dd *domain) {
    const struct lb_isns_tables *tables = &query->server->tables;
    if (!query->writer || !wants(query, LB_ISNS_DOMAIN_MEMBER))
        return;
    for (uint32_t i = domain->first; i != LB_ISNS_NONE; i = tables->members[i].next_in_domain)
        lb_isns_put_text(query->writer, LB_ISNS_DOMAIN_MEMBER, tables->members[i].name);
}

static void put_domain(struct query *query, const struct lb_isns_dd *domain) {
    if (!domain->is_mine && !query->is_control)
        return;
    query->objects++;
    put_u32(query, LB_ISNS_DOMAIN_ID, domain->id);
    put_text(query, LB_ISNS_DOMAIN_NAME, domain->name);
    if (domain->features)
        put_u32(query, LB_ISNS_DOMAIN_FEATURES, domain->features);
    put_members(query, domain);
}

/* The domains of a node, of those that the source may see. */
static void put_domains_of(struct query *query, const char *name) {
    const struct lb_isns_tables *tables = &query->server->tables;
    if (!lb_iscsi_names_equal(name, query->server->source) || !names(query, LB_ISNS_DOMAIN_ID))
        return;
    for (size_t i = 0; i < tables->domain_count; i++)
        put_domain(query, &tables->domains[i]);
}

static uint32_t by_name(struct query *query, struct lb_isns_attribute key) {
    char name[LB_NAME_MAX + 1];
    if (!lb_isns_value_name(key, name))
        return LB_ISNS_INVALID_QUERY;
    uint32_t at = lb_isns_server_find_node(query->server, name);
    bool wants_domains = names(query, LB_ISNS_DOMAIN_ID);
    if (at != LB_ISNS_NONE && !wants_domains)
        put_node(query, at);
    put_domains_of(query, name);
    return LB_ISNS_OK;
}

static uint32_t by_type(struct query *query, uint32_t type) {
    const struct lb_isns_tables *tables = &query->server->tables;
    for (uint32_t i = 0; i < tables->node_count; i++)
        if (tables->nodes[i].name[0] && (!type || (tables->nodes[i].type & type)))
            put_node(query, i);
    return LB_ISNS_OK;
}

static uint32_t by_domain(struct query *query, struct lb_isns_attribute key) {
    const struct lb_isns_tables *tables = &query->server->tables;
    uint32_t id;
    if (!lb_isns_value_u32(key, &id))
        return LB_ISNS_INVALID_QUERY;
    for (size_t i = 0; i < tables->domain_count; i++)
        if (tables->domains[i].id == id)
            put_domain(query, &tables->domains[i]);
    return LB_ISNS_OK;
}

static uint32_t by_key(struct query *query) {
    const struct lb_isns_server *server = query->server;
    uint32_t type;
    if (server->delimiter == 1)
        return by_type(query, 0);
    struct lb_isns_attribute key = server->attributes[1];
    if (server->delimiter != 2)
        return LB_ISNS_INVALID_QUERY;
    switch (key.tag) {
    case LB_ISNS_NAME:
        return by_name(query, key);
    case LB_ISNS_NODE_TYPE:
        return lb_isns_value_u32(key, &type) ? by_type(query, type) : LB_ISNS_INVALID_QUERY;
    case LB_ISNS_DOMAIN_ID:
        return by_domain(query, key);
    default:
        return LB_ISNS_INVALID_QUERY;
    }
}

uint32_t lb_isns_query(struct lb_isns_server *server, struct lb_isns_writer *writer) {
    struct query query = {.server = server, .writer = writer};
    uint32_t self = lb_isns_server_find_node(server, server->source);
    query.is_control = self != LB_ISNS_NONE && (server->tables.nodes[self].type & LB_ISNS_CONTROL);
    lb_isns_mark_domains(server, server->source);
    uint32_t status = by_key(&query);
    if (status == LB_ISNS_OK && query.objects == 0 && server->config.says_no_such_entry)
        return LB_ISNS_NO_SUCH_ENTRY;
    return status;
}
