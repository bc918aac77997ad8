/* A network with SLP agents and an iSNS server, beside the scripted host of the engine's tests. */
#ifndef LB_TEST_BOOT_DISCOVERY_H
#define LB_TEST_BOOT_DISCOVERY_H

#include "core/boot/test_boot_host.h"
#include "core/isns/isns_server.h"
#include "core/slp/slp_wire.h"

#define WORLD_ME "iqn.2026-11.org.lunboot:mac:020000000001"

enum { WORLD_SERVICES = 12, WORLD_REPLIES = 64, WORLD_NODES = 64 };

/* What an SLP agent has to say. */
struct service {
    uint8_t agent; /* 192.0.2.AGENT */
    const char *type, *url, *attributes;
    uint64_t delay_us;
};

static struct world {
    /* SLP */
    struct service services[WORLD_SERVICES];
    size_t service_count;
    struct reply {
        uint64_t at_us;
        uint32_t slot;
        struct lb_endpoint from;
        uint8_t bytes[LB_SLP_DATAGRAM_MAX];
        size_t len;
    } replies[WORLD_REPLIES];
    size_t reply_count;
    unsigned slp_sent[LB_BOOT_SLOTS_MAX];
    char last_predicate[512], last_scopes[128];
    struct lb_endpoint last_to;

    /* iSNS */
    struct lb_isns_server isns;
    struct lb_isns_entity entities[WORLD_NODES];
    struct lb_isns_node nodes[WORLD_NODES];
    struct lb_isns_node_portal portals[WORLD_NODES];
    struct lb_isns_group groups[8];
    struct lb_isns_dd domains[8];
    struct lb_isns_member members[WORLD_NODES];
    struct lb_endpoint isns_at;
    enum answer isns_answer;
    bool isns_open;
    unsigned isns_connects;
    uint8_t request[8192], answer[65536];
    size_t request_len, answer_len;
    struct lb_endpoint isns_to; /* whereto the last connection went */
} world;

/* ---- SLP ------------------------------------------------------------------------------------ */

static inline void world_service(uint8_t agent, const char *type, const char *url,
                                 const char *attributes) {
    lb_assert(world.service_count < WORLD_SERVICES);
    world.services[world.service_count++] =
        (struct service){.agent = agent, .type = type, .url = url, .attributes = attributes};
}

static inline bool world_answers(const struct service *service,
                                 const struct lb_slp_request *request) {
    struct lb_addr agent = lb_addr_v4(192, 0, 2, service->agent);
    return lb_slp_same(request->type, lb_bytes_of_text(service->type)) &&
           !lb_slp_is_listed(request->responders, agent) &&
           lb_slp_filter(request->predicate, lb_bytes_of_text(service->attributes)) ==
               LB_SLP_MATCH_YES;
}

static inline void world_reply(const struct lb_boot_action *action, const struct service *service,
                               const struct lb_slp_header *header) {
    struct reply *reply = &world.replies[world.reply_count];
    lb_assert(world.reply_count < WORLD_REPLIES);
    struct lb_wr wr = lb_wr(lb_span(reply->bytes, sizeof reply->bytes));
    lb_slp_begin(&wr, LB_SLP_SRV_RPLY, 0, header->xid, lb_bytes_of_text("en"));
    lb_wr_u16(&wr, 0);
    lb_wr_u16(&wr, 1);
    lb_slp_put_entry(&wr, 300, lb_bytes_of_text(service->url));
    reply->len = lb_slp_finish(&wr).len;
    reply->slot = action->slot;
    reply->from = (struct lb_endpoint){v4(192, 0, 2, service->agent), LB_SLP_PORT};
    reply->at_us = host.now + service->delay_us;
    world.reply_count++;
}

static inline void world_hear_slp(const struct lb_boot_action *action) {
    struct lb_slp_header header;
    struct lb_slp_request request;
    struct lb_bytes body;
    const char *why;
    if (!CHECK(lb_slp_decode(action->bytes, &header, &body, &why)) ||
        header.function != LB_SLP_SRV_RQST || !CHECK(lb_slp_decode_request(body, &request)))
        return;
    world.slp_sent[action->slot]++;
    if (!lb_slp_same(request.type, lb_bytes_of_text(LB_SLP_TYPE_DIRECTORY)))
        lb_text_copy(world.last_predicate, sizeof world.last_predicate, request.predicate);
    lb_text_copy(world.last_scopes, sizeof world.last_scopes, request.scopes);
    world.last_to = action->to;
    for (size_t i = 0; i < world.service_count; i++)
        if (action->slot == LB_BOOT_SLOT_SLP4 && world_answers(&world.services[i], &request))
            world_reply(action, &world.services[i], &header);
}

static inline bool world_deliver(void) {
    for (size_t i = 0; i < world.reply_count; i++) {
        struct reply reply = world.replies[i];
        if (reply.at_us > host.now)
            continue;
        world.replies[i] = world.replies[--world.reply_count];
        lb_boot_datagram(&host.boot, host.now, reply.slot, reply.from,
                         lb_bytes(reply.bytes, reply.len));
        return true;
    }
    return false;
}

/* ---- iSNS ----------------------------------------------------------------------------------- */

static inline void world_isns_serve(void) {
    for (;;) {
        size_t len = lb_isns_message_len(lb_bytes(world.request, world.request_len));
        if (len == 0 || len == SIZE_MAX)
            return;
        struct lb_span room =
            lb_span(world.answer + world.answer_len, sizeof world.answer - world.answer_len);
        world.answer_len +=
            lb_isns_server_input(&world.isns, host.now, lb_bytes(world.request, len), room).len;
        memmove(world.request, world.request + len, world.request_len - len);
        world.request_len -= len;
    }
}

static inline bool world_isns_move(void) {
    struct lb_bytes piece[4];
    struct lb_span span[2];
    bool moved = false;
    if (!world.isns_open)
        return false;
    if (lb_boot_gather(&host.boot, LB_BOOT_SLOT_ISNS, piece, 4) > 0) {
        lb_assert(piece[0].len <= sizeof world.request - world.request_len);
        memcpy(world.request + world.request_len, piece[0].p, piece[0].len);
        world.request_len += piece[0].len;
        lb_boot_sent(&host.boot, host.now, LB_BOOT_SLOT_ISNS, piece[0].len);
        world_isns_serve();
        moved = true;
    }
    if (world.answer_len > 0 && lb_boot_where(&host.boot, LB_BOOT_SLOT_ISNS, span) > 0) {
        size_t len = LB_MIN(span[0].len, world.answer_len);
        memcpy(span[0].p, world.answer, len);
        memmove(world.answer, world.answer + len, world.answer_len - len);
        world.answer_len -= len;
        lb_boot_got(&host.boot, host.now, LB_BOOT_SLOT_ISNS, len);
        moved = true;
    }
    return moved;
}

static inline void world_connect(const struct lb_boot_action *action) {
    bool is_there = lb_endpoint_equal(action->to, world.isns_at);
    if (action->slot != LB_BOOT_SLOT_ISNS)
        return;
    world.isns_connects++;
    world.isns_to = action->to;
    world.request_len = world.answer_len = 0;
    bool is_reached = !host.setup.has_ipv6 || host.setup.network_is_up;
    if (!is_reached && !lb_net_has_family(&host.net, action->to.addr.family)) {
        lb_boot_lost(&host.boot, host.now, action->slot, LB_LOST_UNREACHABLE);
    } else if (!is_there || world.isns_answer == REFUSES) {
        lb_boot_lost(&host.boot, host.now, action->slot, LB_LOST_REFUSED);
    } else if (world.isns_answer == ACCEPTS) {
        world.isns_open = true;
        lb_boot_connected(&host.boot, host.now, action->slot);
    }
}

static inline void world_close(uint32_t slot) {
    if (slot == LB_BOOT_SLOT_ISNS)
        world.isns_open = false;
}

/* A target node at its portals; 0 ends them. */
static inline uint32_t world_node(const char *name, uint8_t portal, uint8_t second) {
    uint32_t entity = lb_isns_server_add_entity(&world.isns, name + 17, LB_NEVER);
    if (portal != 0)
        lb_isns_server_add_portal(&world.isns, entity,
                                  (struct lb_endpoint){v4(192, 0, 2, portal), 3260});
    if (second != 0)
        lb_isns_server_add_portal(&world.isns, entity,
                                  (struct lb_endpoint){v4(192, 0, 2, second), 3260});
    return lb_isns_server_add_node(&world.isns, entity, name, LB_ISNS_TARGET, "");
}

static inline void world_domain(uint32_t id, uint32_t features, const char *target) {
    uint32_t domain = lb_isns_server_add_domain(&world.isns, id, "domain", features);
    lb_isns_server_add_member(&world.isns, domain, WORLD_ME);
    lb_isns_server_add_member(&world.isns, domain, target);
}

/* ---- all of it ------------------------------------------------------------------------------ */

static inline bool world_pump(void) {
    return world_deliver() || world_isns_move();
}

/* Nobody is there yet; the DHCP server names no disk. */
static inline void world_init(void) {
    struct lb_isns_server_config config = {.period_s = 3600};
    struct lb_isns_tables tables = {
        .entities = world.entities,
        .nodes = world.nodes,
        .portals = world.portals,
        .groups = world.groups,
        .domains = world.domains,
        .members = world.members,
        .entity_cap = LB_COUNT(world.entities),
        .node_cap = LB_COUNT(world.nodes),
        .portal_cap = LB_COUNT(world.portals),
        .group_cap = LB_COUNT(world.groups),
        .domain_cap = LB_COUNT(world.domains),
        .member_cap = LB_COUNT(world.members),
    };
    memset(&world, 0, sizeof world);
    lb_isns_server_init(&world.isns, &config, &tables);
    world.isns_at = (struct lb_endpoint){v4(192, 0, 2, 9), LB_ISNS_PORT};
    host_init();
    host_offers("");
    host_set("lun", "1");
    host_set("attempts", "1");
    host.on_send = world_hear_slp;
    host.on_connect = world_connect;
    host.on_close = world_close;
    host.on_pump = world_pump;
}

#endif
