/* The server's tables: adding, finding, removing. Nodes and members are found by a hash. */
#include "core/isns/isns_server_state.h"

/* Peers choose the names that they register; without the key they cannot fill one bucket. */
static uint32_t hash(const struct lb_isns_server *server, const char *name) {
    return (uint32_t)(lb_siphash(&server->config.hash_key, lb_bytes_of_text(name)) %
                      LB_ISNS_BUCKETS);
}

void lb_isns_server_init(struct lb_isns_server *server, const struct lb_isns_server_config *config,
                         const struct lb_isns_tables *tables) {
    memset(server, 0, sizeof *server);
    server->config = *config;
    server->tables = *tables;
    memset(server->node_buckets, 0xff, sizeof server->node_buckets); /* LB_ISNS_NONE */
    memset(server->member_buckets, 0xff, sizeof server->member_buckets);
}

uint32_t lb_isns_server_find_node(const struct lb_isns_server *server, const char *name) {
    uint32_t at = server->node_buckets[hash(server, name)];
    while (at != LB_ISNS_NONE && !lb_iscsi_names_equal(server->tables.nodes[at].name, name))
        at = server->tables.nodes[at].next;
    return at;
}

uint32_t lb_isns_find_entity(const struct lb_isns_server *server, const char *id) {
    for (uint32_t i = 0; i < server->tables.entity_count; i++)
        if (lb_streq(server->tables.entities[i].id, id))
            return i;
    return LB_ISNS_NONE;
}

uint32_t lb_isns_server_add_entity(struct lb_isns_server *server, const char *id,
                                   uint64_t until_us) {
    struct lb_isns_tables *tables = &server->tables;
    uint32_t at = lb_isns_find_entity(server, id);
    if (at == LB_ISNS_NONE)
        at = lb_isns_find_entity(server, ""); /* one that became free */
    if (at == LB_ISNS_NONE && tables->entity_count < tables->entity_cap)
        at = (uint32_t)tables->entity_count++;
    if (at == LB_ISNS_NONE || !id[0])
        return LB_ISNS_NONE;
    if (!lb_text_copy(tables->entities[at].id, sizeof tables->entities[at].id,
                      lb_bytes_of_text(id)))
        return LB_ISNS_NONE;
    tables->entities[at].until_us = until_us;
    return at;
}

static uint32_t free_node(struct lb_isns_tables *tables) {
    if (tables->node_count < tables->node_cap)
        return (uint32_t)tables->node_count++;
    for (uint32_t i = 0; i < tables->node_count; i++)
        if (!tables->nodes[i].name[0])
            return i;
    return LB_ISNS_NONE;
}

uint32_t lb_isns_server_add_node(struct lb_isns_server *server, uint32_t entity, const char *name,
                                 uint32_t type, const char *alias) {
    struct lb_isns_node node = {.type = type, .entity = entity};
    if (!lb_isns_name(lb_bytes_of_text(name), node.name) || entity >= server->tables.entity_count)
        return LB_ISNS_NONE;
    uint32_t bucket = hash(server, node.name), at = lb_isns_server_find_node(server, node.name);
    bool is_new = at == LB_ISNS_NONE;
    if (is_new)
        at = free_node(&server->tables);
    if (at == LB_ISNS_NONE)
        return LB_ISNS_NONE;
    lb_text_copy(node.alias, sizeof node.alias, lb_bytes_of_text(alias));
    node.next = is_new ? server->node_buckets[bucket] : server->tables.nodes[at].next;
    server->tables.nodes[at] = node;
    if (is_new)
        server->node_buckets[bucket] = at;
    return at;
}

void lb_isns_server_publish(struct lb_isns_server *server, uint32_t node) {
    if (node != LB_ISNS_NONE)
        server->tables.nodes[node].is_public = true;
}

uint32_t lb_isns_server_add_portal(struct lb_isns_server *server, uint32_t entity,
                                   struct lb_endpoint at) {
    struct lb_isns_tables *tables = &server->tables;
    uint32_t place = LB_ISNS_NONE;
    if (!lb_addr_is_set(at.addr))
        return LB_ISNS_NONE;
    for (uint32_t i = 0; i < tables->portal_count; i++) {
        bool is_same = lb_endpoint_equal(tables->portals[i].at, at);
        if (is_same || !lb_addr_is_set(tables->portals[i].at.addr))
            place = i;
        if (is_same)
            break;
    }
    if (place == LB_ISNS_NONE && tables->portal_count < tables->portal_cap)
        place = (uint32_t)tables->portal_count++;
    if (place != LB_ISNS_NONE)
        tables->portals[place] = (struct lb_isns_node_portal){.at = at, .entity = entity};
    return place;
}

uint32_t lb_isns_server_add_group(struct lb_isns_server *server, uint32_t node, uint32_t portal,
                                  uint32_t tag, bool is_null) {
    struct lb_isns_tables *tables = &server->tables;
    uint32_t at = 0;
    while (at < tables->group_count &&
           (tables->groups[at].node != node || tables->groups[at].portal != portal))
        at++;
    if (at == tables->group_count && tables->group_count == tables->group_cap)
        return LB_ISNS_NONE;
    if (at == tables->group_count)
        tables->group_count++;
    tables->groups[at] =
        (struct lb_isns_group){.node = node, .portal = portal, .tag = tag, .is_null = is_null};
    return at;
}

uint32_t lb_isns_server_add_domain(struct lb_isns_server *server, uint32_t id, const char *name,
                                   uint32_t features) {
    struct lb_isns_tables *tables = &server->tables;
    struct lb_isns_dd domain = {
        .id = id, .features = features, .first = LB_ISNS_NONE, .last = LB_ISNS_NONE};
    if (tables->domain_count == tables->domain_cap || id == 0)
        return LB_ISNS_NONE;
    lb_text_copy(domain.name, sizeof domain.name, lb_bytes_of_text(name));
    tables->domains[tables->domain_count] = domain;
    return (uint32_t)tables->domain_count++;
}

uint32_t lb_isns_server_add_member(struct lb_isns_server *server, uint32_t domain,
                                   const char *name) {
    struct lb_isns_tables *tables = &server->tables;
    struct lb_isns_member member = {.domain = domain, .next_in_domain = LB_ISNS_NONE};
    if (tables->member_count == tables->member_cap || domain >= tables->domain_count ||
        !lb_isns_name(lb_bytes_of_text(name), member.name))
        return LB_ISNS_NONE;
    uint32_t at = (uint32_t)tables->member_count++, bucket = hash(server, member.name);
    struct lb_isns_dd *dd = &tables->domains[domain];
    member.next = server->member_buckets[bucket];
    server->member_buckets[bucket] = at;
    tables->members[at] = member;
    if (dd->first == LB_ISNS_NONE)
        dd->first = at;
    else
        tables->members[dd->last].next_in_domain = at;
    dd->last = at;
    return at;
}

/* ---- removing ---- */

void lb_isns_remove_node(struct lb_isns_server *server, uint32_t node) {
    struct lb_isns_tables *tables = &server->tables;
    uint32_t *link = &server->node_buckets[hash(server, tables->nodes[node].name)];
    while (*link != node)
        link = &tables->nodes[*link].next;
    *link = tables->nodes[node].next;
    tables->nodes[node] = (struct lb_isns_node){0};
    for (size_t i = tables->group_count; i > 0; i--)
        if (tables->groups[i - 1].node == node)
            tables->groups[i - 1] = tables->groups[--tables->group_count];
}

void lb_isns_remove_entity(struct lb_isns_server *server, uint32_t entity) {
    struct lb_isns_tables *tables = &server->tables;
    for (uint32_t i = 0; i < tables->node_count; i++)
        if (tables->nodes[i].name[0] && tables->nodes[i].entity == entity)
            lb_isns_remove_node(server, i);
    for (size_t i = 0; i < tables->portal_count; i++)
        if (tables->portals[i].entity == entity)
            tables->portals[i] = (struct lb_isns_node_portal){.entity = LB_ISNS_NONE};
    tables->entities[entity] = (struct lb_isns_entity){0};
}

void lb_isns_expire(struct lb_isns_server *server, uint64_t now_us) {
    struct lb_isns_tables *tables = &server->tables;
    for (uint32_t i = 0; i < tables->entity_count; i++)
        if (tables->entities[i].id[0] && now_us >= tables->entities[i].until_us)
            lb_isns_remove_entity(server, i);
}

/* ---- who sees whom ---- */

void lb_isns_mark_domains(struct lb_isns_server *server, const char *name) {
    struct lb_isns_tables *tables = &server->tables;
    for (size_t i = 0; i < tables->domain_count; i++)
        tables->domains[i].is_mine = false;
    uint32_t at = server->member_buckets[hash(server, name)];
    for (; at != LB_ISNS_NONE; at = tables->members[at].next) {
        struct lb_isns_dd *dd = &tables->domains[tables->members[at].domain];
        if (lb_iscsi_names_equal(tables->members[at].name, name) && !dd->is_disabled)
            dd->is_mine = true;
    }
}

bool lb_isns_shares_domain(const struct lb_isns_server *server, const char *name) {
    const struct lb_isns_tables *tables = &server->tables;
    uint32_t at = server->member_buckets[hash(server, name)];
    for (; at != LB_ISNS_NONE; at = tables->members[at].next)
        if (tables->domains[tables->members[at].domain].is_mine &&
            lb_iscsi_names_equal(tables->members[at].name, name))
            return true;
    return false;
}
