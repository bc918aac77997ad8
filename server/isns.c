#include "server/isns.h"
#include "core/names/rootpath.h"
#include "os/linux/datagram.h"
#include "os/linux/tcp.h"
#include "server/say.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER_MAX   (1 << 20)        /* all nodes with all that is known of them */
#define IDLE_US      (60 * LB_US_SEC) /* of a connection that says nothing */
#define DATAGRAM_MAX 1472             /* more than an answer of this size comes by TCP */

struct lb_server_isns_connection {
    struct lb_server_source source;
    struct lb_server_isns_connection *next;
    struct lb_addr client;
    uint64_t until_us;
    struct lb_isns_connection connection;
};

/* ---- the database ---- */

static struct lb_isns_tables tables_of(struct lb_server_isns_tables *tables) {
    return (struct lb_isns_tables){
        .entities = tables->entities,
        .nodes = tables->nodes,
        .portals = tables->portals,
        .groups = tables->groups,
        .domains = tables->domains,
        .members = tables->members,
        .entity_cap = LB_COUNT(tables->entities),
        .node_cap = LB_COUNT(tables->nodes),
        .portal_cap = LB_COUNT(tables->portals),
        .group_cap = LB_COUNT(tables->groups),
        .domain_cap = LB_COUNT(tables->domains),
        .member_cap = LB_COUNT(tables->members),
    };
}

static void add_machine(struct lb_server_isns *isns, uint32_t entity, uint32_t number,
                        const struct lb_server_machine *machine) {
    char name[LB_NAME_MAX + 1];
    const char *title = machine->name[0] != '\0' ? machine->name : "all";
    uint32_t node =
        lb_isns_server_add_node(&isns->server, entity, machine->node->name, LB_ISNS_TARGET, title);
    if (machine->name[0] == '\0' && machine->initiator_name[0] == '\0')
        lb_isns_server_publish(&isns->server, node); /* it is everybody's */
    uint32_t domain = lb_isns_server_add_domain(&isns->server, number, title, LB_ISNS_BOOT_LIST);
    lb_isns_server_add_member(&isns->server, domain, machine->node->name);
    for (unsigned i = 0; i < LB_SERVER_INITIATORS_MAX; i++)
        if (lb_server_machine_initiator(machine, i, name))
            lb_isns_server_add_member(&isns->server, domain, name);
}

/* Keeps what others have registered in the last database. */
static void take_over(struct lb_isns_server *server, const struct lb_isns_tables *before) {
    for (uint32_t i = 0; i < before->entity_count; i++) {
        if (before->entities[i].id[0] == '\0' || before->entities[i].until_us == LB_NEVER)
            continue;
        uint32_t entity =
            lb_isns_server_add_entity(server, before->entities[i].id, before->entities[i].until_us);
        for (size_t k = 0; entity != LB_ISNS_NONE && k < before->node_count; k++)
            if (before->nodes[k].name[0] != '\0' && before->nodes[k].entity == i)
                lb_isns_server_add_node(server, entity, before->nodes[k].name,
                                        before->nodes[k].type, before->nodes[k].alias);
        for (size_t k = 0; entity != LB_ISNS_NONE && k < before->portal_count; k++)
            if (lb_addr_is_set(before->portals[k].at.addr) && before->portals[k].entity == i)
                lb_isns_server_add_portal(server, entity, before->portals[k].at);
    }
}

/* The database begins anew where the targets have changed. */
static void refresh(struct lb_server_isns *isns) {
    const struct lb_server_machines *machines = isns->machines;
    uint64_t stamp = lb_server_machines_stamp(machines);
    if (stamp == isns->stamp)
        return;
    struct lb_isns_tables before = isns->server.tables, tables = tables_of(isns->spare);
    struct lb_isns_server_config config = isns->server.config;
    config.no_domains = isns->is_open;
    lb_isns_server_init(&isns->server, &config, &tables);
    uint32_t entity = lb_isns_server_add_entity(&isns->server, "lunbootd", LB_NEVER);
    if (lb_addr_is_set(isns->portal.addr))
        lb_isns_server_add_portal(&isns->server, entity, isns->portal);
    if (lb_addr_is_set(isns->portal6.addr))
        lb_isns_server_add_portal(&isns->server, entity, isns->portal6);
    for (size_t i = 0; i < LB_MIN(machines->count, LB_SERVER_DIRECTORY_MAX); i++)
        if (!machines->list[i].is_gone)
            add_machine(isns, entity, (uint32_t)i + 1, &machines->list[i]);
    take_over(&isns->server, &before);
    struct lb_server_isns_tables *spare = isns->tables;
    isns->tables = isns->spare;
    isns->spare = spare;
    isns->stamp = stamp;
}

/* ---- UDP ---- */

static void answer_datagram(struct lb_server_isns *isns, int fd, uint64_t now_us) {
    uint8_t request[DATAGRAM_MAX], room[DATAGRAM_MAX];
    struct lb_udp_received in;
    if (!lb_udp_receive(fd, lb_span(request, sizeof request), &in) ||
        !lb_rate_may_answer(&isns->rate, now_us, in.from.addr))
        return;
    refresh(isns);
    struct lb_bytes reply =
        lb_isns_server_input(&isns->server, now_us, in.payload, lb_span(room, sizeof room));
    if (reply.len > 0)
        lb_udp_send(fd, isns->index, in.from, reply);
}

/* ---- TCP ---- */

/* Ends the one that has said nothing for longest. */
static void make_room(struct lb_server_isns *isns) {
    struct lb_server_isns_connection *idle = isns->connections;
    for (struct lb_server_isns_connection *at = idle; at != NULL; at = at->next)
        if (at->until_us < idle->until_us)
            idle = at;
    if (idle != NULL)
        idle->connection.is_over = true;
}

static unsigned count_of(const struct lb_server_isns *isns, struct lb_addr client) {
    unsigned count = 0;
    for (const struct lb_server_isns_connection *at = isns->connections; at; at = at->next)
        count += lb_addr_equal(at->client, client);
    return count;
}

static void take_connection(struct lb_server_isns *isns, int listener, uint64_t now_us) {
    struct lb_server_isns_connection *connection = NULL;
    struct lb_endpoint from;
    if (isns->count == LB_SERVER_ISNS_CONNECTIONS) { /* this one waits until that one has gone */
        make_room(isns);
        return;
    }
    int fd = lb_tcp_accept(listener, &from);
    if (fd >= 0 && count_of(isns, from.addr) < LB_SERVER_ISNS_EACH)
        connection = calloc(1, sizeof *connection);
    if (connection == NULL) {
        if (fd >= 0)
            close(fd);
        return;
    }
    connection->source = (struct lb_server_source){.kind = LB_SOURCE_ISNS, .fd = fd};
    connection->client = from.addr;
    connection->until_us = now_us + IDLE_US;
    connection->next = isns->connections;
    isns->connections = connection;
    isns->count++;
    lb_isns_connection_init(&connection->connection);
    connection->connection.is_over = !lb_server_watch(isns->epoll, &connection->source, EPOLLIN);
}

static void end(struct lb_server_isns *isns, struct lb_server_isns_connection *connection) {
    lb_server_source_close(&connection->source);
    free(connection->connection.memory.p);
    free(connection);
    isns->count--;
}

static void receive(struct lb_server_isns_connection *at) {
    struct lb_span room = lb_isns_connection_where(&at->connection);
    ssize_t n = room.len == 0 ? 1 : recv(at->source.fd, room.p, room.len, MSG_DONTWAIT);
    if (n > 0 && room.len > 0)
        lb_isns_connection_got(&at->connection, (size_t)n);
    else if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        at->connection.is_over = true;
}

/* Sends until there is nothing more, or no room for it. */
static void send_out(struct lb_server_isns *isns, uint64_t now_us,
                     struct lb_server_isns_connection *at) {
    struct lb_bytes piece;
    ssize_t n = 0;
    while ((piece = lb_isns_connection_gather(&at->connection, now_us, &isns->server)).len > 0 &&
           (n = send(at->source.fd, piece.p, piece.len, MSG_NOSIGNAL | MSG_DONTWAIT)) > 0)
        lb_isns_connection_sent(&at->connection, (size_t)n);
    if (n < 0 && errno != EAGAIN && errno != EINTR)
        at->connection.is_over = true;
    at->connection.is_over |=
        !lb_server_watch(isns->epoll, &at->source, piece.len > 0 ? EPOLLOUT : (uint32_t)EPOLLIN);
}

/* Memory for answers is there while one is. Without any the client asks again. */
static void serve(struct lb_server_isns *isns, uint64_t now_us,
                  struct lb_server_isns_connection *at) {
    at->until_us = now_us + IDLE_US;
    if (at->connection.memory.len == 0)
        receive(at);
    if (at->connection.memory.len == 0 && at->connection.has_request) {
        uint8_t *memory = malloc(ANSWER_MAX);
        at->connection.is_over |= memory == NULL;
        lb_isns_connection_lend(&at->connection, lb_span(memory, memory != NULL ? ANSWER_MAX : 0));
    }
    refresh(isns);
    send_out(isns, now_us, at);
    free(lb_isns_connection_take_back(&at->connection).p);
}

void lb_server_isns_ready(struct lb_server_isns *isns, struct lb_server_source *source,
                          uint64_t now_us) {
    if (source == &isns->udp || source == &isns->udp6)
        answer_datagram(isns, source->fd, now_us);
    else if (source == &isns->tcp || source == &isns->tcp6)
        take_connection(isns, source->fd, now_us);
    else
        serve(isns, now_us, (struct lb_server_isns_connection *)(void *)source);
}

uint64_t lb_server_isns_poll(struct lb_server_isns *isns, uint64_t now_us) {
    uint64_t until_us = LB_NEVER;
    for (struct lb_server_isns_connection **at = &isns->connections; *at != NULL;) {
        struct lb_server_isns_connection *connection = *at;
        if (connection->connection.is_over || now_us >= connection->until_us) {
            *at = connection->next;
            end(isns, connection);
            continue;
        }
        until_us = LB_MIN(until_us, connection->until_us);
        at = &connection->next;
    }
    return until_us;
}

/* ---- begin and end ---- */

static bool open_family(struct lb_server_isns *isns, enum lb_family family,
                        struct lb_server_source *tcp, struct lb_server_source *udp,
                        const struct lb_server_link *link, struct lb_server_error *error) {
    tcp->fd = lb_server_link_listen(link, family, LB_ISNS_PORT, "iSNS", error);
    if (tcp->fd >= 0)
        udp->fd = lb_server_link_udp(link, family, false, LB_ISNS_PORT, error);
    return udp->fd >= 0 && lb_server_watch(isns->epoll, tcp, EPOLLIN) &&
           lb_server_watch(isns->epoll, udp, EPOLLIN);
}

bool lb_server_isns_open(struct lb_server_isns *isns, int epoll, const struct lb_server_link *link,
                         const struct lb_server_settings *settings, struct lb_endpoint portal,
                         struct lb_endpoint portal6, const struct lb_server_machines *machines,
                         struct lb_server_error *error) {
    *isns = (struct lb_server_isns){
        .tcp = {.kind = LB_SOURCE_ISNS, .fd = -1},
        .udp = {.kind = LB_SOURCE_ISNS, .fd = -1},
        .tcp6 = {.kind = LB_SOURCE_ISNS, .fd = -1},
        .udp6 = {.kind = LB_SOURCE_ISNS, .fd = -1},
        .epoll = epoll,
        .index = link->index,
        .portal = portal,
        .portal6 = portal6,
        .is_open = settings->isns == LB_SERVER_ISNS_OPEN,
        .machines = machines,
        .tables = calloc(1, sizeof *isns->tables),
        .spare = calloc(1, sizeof *isns->spare),
    };
    struct lb_isns_server_config config = {
        .is_closed = !isns->is_open,
        .keeps_fixed = true,
    };
    if (isns->tables == NULL || isns->spare == NULL || !lb_rate_init(&isns->rate) ||
        getrandom(&config.hash_key, sizeof config.hash_key, 0) != sizeof config.hash_key)
        return lb_server_fail(error, "", "there is no memory for iSNS");
    struct lb_isns_tables tables = tables_of(isns->tables);
    lb_isns_server_init(&isns->server, &config, &tables);
    return (!lb_addr_is_set(portal.addr) ||
            open_family(isns, LB_V4, &isns->tcp, &isns->udp, link, error)) &&
           (!lb_addr_is_set(portal6.addr) ||
            open_family(isns, LB_V6, &isns->tcp6, &isns->udp6, link, error));
}

void lb_server_isns_close(struct lb_server_isns *isns) {
    while (isns->connections != NULL) {
        struct lb_server_isns_connection *connection = isns->connections;
        isns->connections = connection->next;
        end(isns, connection);
    }
    lb_server_source_close(&isns->tcp);
    lb_server_source_close(&isns->udp);
    lb_server_source_close(&isns->tcp6);
    lb_server_source_close(&isns->udp6);
    free(isns->tables);
    free(isns->spare);
    isns->tables = isns->spare = NULL;
}
