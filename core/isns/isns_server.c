#include "core/isns/isns_server_state.h"

#define PERIOD_S 3600

size_t lb_isns_message_len(struct lb_bytes stream) {
    struct lb_rd rd = lb_rd(stream);
    while (rd.left >= LB_ISNS_HEADER_BYTES) {
        struct lb_isns_header header;
        const char *why;
        if (!lb_isns_header_decode(lb_rd_bytes(&rd, LB_ISNS_HEADER_BYTES), &header, &why))
            return SIZE_MAX;
        lb_rd_skip(&rd, header.length);
        if (!lb_rd_ok(&rd))
            return 0;
        if (header.flags & LB_ISNS_LAST_PDU)
            return stream.len - rd.left;
    }
    return 0;
}

/* ---- a request read ---- */

static bool keep_attribute(struct lb_isns_server *server, struct lb_isns_attribute attribute) {
    struct lb_bytes value = attribute.value;
    if (server->attribute_count == LB_COUNT(server->attributes) || value.len != attribute.len ||
        value.len > sizeof server->values - server->values_len)
        return false;
    if (value.len > 0)
        memcpy(server->values + server->values_len, value.p, value.len);
    attribute.value = lb_bytes(server->values + server->values_len, value.len);
    server->values_len += value.len;
    server->attributes[server->attribute_count++] = attribute;
    return true;
}

static void find_delimiter(struct lb_isns_server *server) {
    server->delimiter = 0;
    while (server->delimiter < server->attribute_count &&
           server->attributes[server->delimiter].tag != LB_ISNS_DELIMITER)
        server->delimiter++;
}

/* Gives the status; FORMAT_ERROR leaves the header of the request in *header where it had one. */
static uint32_t read_request(struct lb_isns_server *server, struct lb_bytes message,
                             struct lb_isns_header *header, bool *has_header) {
    struct lb_isns_reader reader;
    enum lb_isns_read got;
    bool fits = true;
    lb_isns_reader_init(&reader);
    server->attribute_count = server->values_len = 0;
    *has_header = false;
    do {
        got = lb_isns_reader_next(&reader, &message);
        if (got == LB_ISNS_READ_MESSAGE) {
            *header = reader.header;
            *has_header = true;
        } else if (got == LB_ISNS_READ_ATTRIBUTE) {
            fits = fits && keep_attribute(server, reader.attribute);
        }
    } while (got == LB_ISNS_READ_MESSAGE || got == LB_ISNS_READ_ATTRIBUTE);
    find_delimiter(server);
    if (got != LB_ISNS_READ_END || message.len > 0)
        return LB_ISNS_FORMAT_ERROR;
    return fits ? LB_ISNS_OK : LB_ISNS_INTERNAL_ERROR;
}

/* ---- registration ---- */

static bool is_of_entity(const struct lb_isns_server *server, const char *name, uint32_t entity) {
    uint32_t node = lb_isns_server_find_node(server, name);
    return node != LB_ISNS_NONE && (server->tables.nodes[node].entity == entity ||
                                    (server->tables.nodes[node].type & LB_ISNS_CONTROL));
}

static bool is_kept(const struct lb_isns_server *server, uint32_t entity) {
    return server->config.keeps_fixed && entity != LB_ISNS_NONE &&
           server->tables.entities[entity].until_us == LB_NEVER;
}

/* Whether a portal belongs to an entity that requests do not change. */
static bool is_kept_portal(const struct lb_isns_server *server, struct lb_endpoint at) {
    for (size_t i = 0; i < server->tables.portal_count; i++)
        if (lb_endpoint_equal(server->tables.portals[i].at, at))
            return is_kept(server, server->tables.portals[i].entity);
    return false;
}

/* The entity that is registered: named by the key or the operating attributes, or one of our own
 * making. Somebody else's is not touched. */
static uint32_t find_registrant(struct lb_isns_server *server, uint64_t until_us) {
    char id[LB_ISNS_ENTITY_MAX + 1];
    struct lb_bytes text;
    for (size_t i = 1; i < server->attribute_count; i++) {
        if (server->attributes[i].tag != LB_ISNS_ENTITY || server->attributes[i].len == 0)
            continue;
        if (!lb_isns_value_text(server->attributes[i], &text) || !lb_text_copy(id, sizeof id, text))
            return LB_ISNS_NONE;
        uint32_t entity = lb_isns_find_entity(server, id);
        if (entity != LB_ISNS_NONE && !is_of_entity(server, server->source, entity))
            return LB_ISNS_NONE;
        return is_kept(server, entity) ? LB_ISNS_NONE
                                       : lb_isns_server_add_entity(server, id, until_us);
    }
    uint32_t self = lb_isns_server_find_node(server, server->source);
    if (self != LB_ISNS_NONE) {
        uint32_t entity = server->tables.nodes[self].entity;
        if (server->tables.entities[entity].until_us != LB_NEVER)
            server->tables.entities[entity].until_us = until_us;
        return entity;
    }
    lb_format(id, sizeof id, "isns:%u", ++server->assigned);
    return lb_isns_server_add_entity(server, id, until_us);
}

static bool take_node(struct lb_isns_server *server, uint32_t entity,
                      struct lb_isns_attribute attribute, uint32_t *node) {
    char name[LB_NAME_MAX + 1];
    *node = LB_ISNS_NONE;
    if (!lb_isns_value_name(attribute, name))
        return false;
    uint32_t there = lb_isns_server_find_node(server, name);
    if (there != LB_ISNS_NONE && server->tables.nodes[there].entity != entity)
        return false; /* 5.6.5.1: a node belongs to one entity */
    *node = there != LB_ISNS_NONE
                ? there
                : lb_isns_server_add_node(server, entity, name, LB_ISNS_INITIATOR, "");
    return *node != LB_ISNS_NONE;
}

static void take_alias(struct lb_isns_server *server, uint32_t node,
                       struct lb_isns_attribute attribute) {
    struct lb_bytes text;
    struct lb_isns_node *to = &server->tables.nodes[node];
    if (lb_isns_value_text(attribute, &text))
        lb_text_copy(to->alias, sizeof to->alias, text);
}

/* Nobody makes himself a control node where the owner's entries are to be kept. */
static bool take_type(struct lb_isns_server *server, uint32_t node,
                      struct lb_isns_attribute attribute) {
    uint32_t *type = &server->tables.nodes[node].type;
    if (!lb_isns_value_u32(attribute, type))
        return false;
    if (server->config.keeps_fixed)
        *type &= ~(uint32_t)LB_ISNS_CONTROL;
    return true;
}

/* One of the operating attributes; address and node are those that it belongs to. */
static bool take_registered(struct lb_isns_server *server, uint32_t entity,
                            struct lb_isns_attribute attribute, struct lb_addr *address,
                            uint32_t *node) {
    struct lb_endpoint at = {.addr = *address};
    bool is_udp;
    switch (attribute.tag) {
    case LB_ISNS_PORTAL_ADDRESS:
        return lb_isns_value_address(attribute, address);
    case LB_ISNS_PORTAL_PORT:
        return lb_isns_value_port(attribute, &at.port, &is_udp) && !is_kept_portal(server, at) &&
               lb_isns_server_add_portal(server, entity, at) != LB_ISNS_NONE;
    case LB_ISNS_NAME:
        return take_node(server, entity, attribute, node);
    case LB_ISNS_NODE_TYPE:
        return *node != LB_ISNS_NONE && take_type(server, *node, attribute);
    case LB_ISNS_ALIAS:
        if (*node != LB_ISNS_NONE)
            take_alias(server, *node, attribute);
        return *node != LB_ISNS_NONE;
    default:
        return true; /* kept by nobody */
    }
}

static uint32_t take_registration(struct lb_isns_server *server, uint64_t now_us,
                                  uint32_t *entity) {
    uint32_t period_s = server->config.period_s ? server->config.period_s : PERIOD_S;
    uint32_t node = LB_ISNS_NONE;
    struct lb_addr address = {0};
    if (server->config.is_closed)
        return LB_ISNS_SOURCE_UNAUTHORIZED;
    *entity = find_registrant(server, now_us + period_s * LB_US_SEC);
    if (*entity == LB_ISNS_NONE || is_kept(server, *entity))
        return LB_ISNS_INVALID_REGISTRATION;
    for (size_t i = server->delimiter + 1; i < server->attribute_count; i++)
        if (!take_registered(server, *entity, server->attributes[i], &address, &node))
            return LB_ISNS_INVALID_REGISTRATION;
    return LB_ISNS_OK;
}

static void put_registration(const struct lb_isns_server *server, struct lb_isns_writer *writer,
                             uint32_t entity) {
    const char *id = server->tables.entities[entity].id;
    lb_isns_put_text(writer, LB_ISNS_ENTITY, id);
    lb_isns_put_empty(writer, LB_ISNS_DELIMITER);
    lb_isns_put_text(writer, LB_ISNS_ENTITY, id);
    for (size_t i = server->delimiter + 1; i < server->attribute_count; i++)
        if (server->attributes[i].tag != LB_ISNS_ENTITY)
            lb_isns_put(writer, server->attributes[i].tag, server->attributes[i].value);
}

/* ---- deregistration ---- */

static void remove_named(struct lb_isns_server *server, struct lb_isns_attribute attribute) {
    char name[LB_NAME_MAX + 1], id[LB_ISNS_ENTITY_MAX + 1];
    struct lb_bytes text;
    if (attribute.tag == LB_ISNS_NAME && lb_isns_value_name(attribute, name)) {
        uint32_t node = lb_isns_server_find_node(server, name);
        if (node != LB_ISNS_NONE && !is_kept(server, server->tables.nodes[node].entity) &&
            is_of_entity(server, server->source, server->tables.nodes[node].entity))
            lb_isns_remove_node(server, node);
    } else if (attribute.tag == LB_ISNS_ENTITY && lb_isns_value_text(attribute, &text) &&
               lb_text_copy(id, sizeof id, text)) {
        uint32_t entity = lb_isns_find_entity(server, id);
        if (id[0] && entity != LB_ISNS_NONE && !is_kept(server, entity) &&
            is_of_entity(server, server->source, entity))
            lb_isns_remove_entity(server, entity);
    }
}

/* ---- requests ---- */

static uint32_t check_source(struct lb_isns_server *server, uint16_t function) {
    if (server->attribute_count == 0 || server->attributes[0].tag != LB_ISNS_NAME)
        return LB_ISNS_SOURCE_ABSENT;
    if (!lb_isns_value_name(server->attributes[0], server->source))
        return LB_ISNS_SOURCE_ABSENT;
    if (server->delimiter == server->attribute_count)
        return LB_ISNS_FORMAT_ERROR;
    if (function != LB_ISNS_DEV_ATTR_REG && server->config.knows_registered_only &&
        lb_isns_server_find_node(server, server->source) == LB_ISNS_NONE)
        return LB_ISNS_SOURCE_UNKNOWN;
    return LB_ISNS_OK;
}

static void put_key(const struct lb_isns_server *server, struct lb_isns_writer *writer) {
    for (size_t i = 1; i <= server->delimiter; i++)
        lb_isns_put(writer, server->attributes[i].tag, server->attributes[i].value);
}

static uint32_t serve(struct lb_isns_server *server, uint64_t now_us, uint16_t function,
                      uint32_t *entity) {
    switch (function) {
    case LB_ISNS_DEV_ATTR_REG:
        return take_registration(server, now_us, entity);
    case LB_ISNS_DEV_ATTR_QRY:
        return lb_isns_query(server, NULL);
    case LB_ISNS_DEV_DEREG:
        for (size_t i = server->delimiter + 1; i < server->attribute_count; i++)
            remove_named(server, server->attributes[i]);
        return LB_ISNS_OK;
    default:
        return LB_ISNS_MESSAGE_UNSUPPORTED;
    }
}

struct lb_bytes lb_isns_server_input(struct lb_isns_server *server, uint64_t now_us,
                                     struct lb_bytes message, struct lb_span room) {
    struct lb_isns_header header = {0};
    bool has_header;
    uint32_t entity = LB_ISNS_NONE, status = read_request(server, message, &header, &has_header);
    if (!has_header || (header.flags & LB_ISNS_FROM_SERVER) || (header.function & LB_ISNS_ANSWER))
        return lb_bytes(NULL, 0);
    server->requests++;
    lb_isns_expire(server, now_us);
    if (status == LB_ISNS_OK)
        status = check_source(server, header.function);
    if (status == LB_ISNS_OK)
        status = serve(server, now_us, header.function, &entity);
    lb_trace(server->config.trace, now_us, "isnsd", "request %x of %s: %s", header.function,
             server->source, lb_isns_status_word(status));
    struct lb_isns_writer writer =
        lb_isns_writer(room, server->config.pdu_max, (uint16_t)(header.function | LB_ISNS_ANSWER),
                       LB_ISNS_FROM_SERVER, header.xid);
    lb_isns_put_status(&writer, status);
    if (status == LB_ISNS_OK && header.function == LB_ISNS_DEV_ATTR_REG) {
        put_registration(server, &writer, entity);
    } else if (status == LB_ISNS_OK && header.function == LB_ISNS_DEV_ATTR_QRY) {
        put_key(server, &writer);
        lb_isns_query(server, &writer);
    }
    return lb_isns_written(&writer);
}
