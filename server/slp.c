#include "server/slp.h"
#include "core/isns/isns.h"
#include "core/names/rootpath.h"
#include "core/slp/slp_wire.h"
#include "os/linux/datagram.h"
#include "os/linux/tcp.h"
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define DATAGRAM_MAX 1472
#define LIFETIME_S   300 /* of what we tell: a target's name may change with a boot */
#define LINK_SCOPE   2   /* RFC 4291 2.7 */
#define SITE_SCOPE   5
#define IDLE_US      (15 * LB_US_SEC) /* RFC 2608 13: CONFIG_CLOSE_CONN is 5 minutes at most */

/* ---- what we tell ---- */

/* Who may boot from it; "iscsi" stands for everybody (RFC 4018 3.2). */
static void add_boot_list(struct lb_text *text, const struct lb_server_machine *machine) {
    char name[LB_NAME_MAX + 1];
    const char *between = ",(boot-list=", *end = "";
    if (machine->name[0] == '\0' && machine->initiator_name[0] == '\0')
        lb_text_add(text, ",(boot-list=iscsi)");
    for (unsigned i = 0; i < LB_SERVER_INITIATORS_MAX; i++) {
        if (!lb_server_machine_initiator(machine, i, name))
            continue;
        lb_text_add(text, "%s%s", between, name);
        between = ",";
        end = ")";
    }
    lb_text_add(text, "%s", end);
}

static void add_service(struct lb_server_slp *slp, const char *type) {
    size_t count = slp->server.config.service_count;
    const struct lb_server_slp_service *text = &slp->texts[count];
    slp->services[count] = (struct lb_slp_registration){
        .url = lb_bytes_of_text(text->url),
        .type = lb_bytes_of_text(type),
        .scopes = lb_bytes_of_text("DEFAULT"),
        .attributes = lb_bytes_of_text(text->attributes),
        .lifetime_s = LIFETIME_S,
    };
    slp->server.config.service_count++;
}

static void add_target(struct lb_server_slp *slp, const struct lb_server_machine *machine) {
    struct lb_server_slp_service *text = &slp->texts[slp->server.config.service_count];
    struct lb_text attributes = lb_text(text->attributes, sizeof text->attributes);
    lb_format(text->url, sizeof text->url, "%s://%s/%s", LB_SLP_TYPE_TARGET,
              lb_endpoint_text(slp->portal).s, machine->node->name);
    lb_text_add(&attributes, "(iscsi-name=%s),(portal-group=1)", machine->node->name);
    add_boot_list(&attributes, machine);
    add_service(slp, LB_SLP_TYPE_TARGET);
}

static void add_isns(struct lb_server_slp *slp) {
    struct lb_server_slp_service *text = &slp->texts[slp->server.config.service_count];
    struct lb_endpoint at = {.addr = slp->portal.addr, .port = LB_ISNS_PORT};
    lb_format(text->url, sizeof text->url, "%s://%s", LB_SLP_TYPE_SMS, lb_endpoint_text(at).s);
    lb_format(text->attributes, sizeof text->attributes,
              "(protocols=isns),(transports=tcp,udp),(server-priority=0)");
    add_service(slp, LB_SLP_TYPE_SMS);
}

static void refresh(struct lb_server_slp *slp) {
    const struct lb_server_machines *machines = slp->machines;
    uint64_t stamp = lb_server_machines_stamp(machines);
    if (stamp == slp->stamp)
        return;
    slp->stamp = stamp;
    slp->server.config.service_count = 0;
    slp->server.changes++; /* a reply by TCP that is under way ends */
    for (size_t i = 0; i < LB_MIN(machines->count, LB_SERVER_DIRECTORY_MAX); i++)
        if (!machines->list[i].is_gone)
            add_target(slp, &machines->list[i]);
    if (slp->has_isns)
        add_isns(slp);
}

/* ---- UDP ---- */

static void answer_datagram(struct lb_server_slp *slp, uint64_t now_us) {
    uint8_t request[DATAGRAM_MAX], room[DATAGRAM_MAX];
    struct lb_udp_received in;
    if (!lb_udp_receive(slp->udp.fd, lb_span(request, sizeof request), &in))
        return;
    if (!lb_rate_may_answer(&slp->rate, now_us, in.from.addr))
        return;
    refresh(slp);
    struct lb_bytes reply = lb_slp_server_input(&slp->server, now_us, in.payload, in.is_to_group,
                                                lb_span(room, sizeof room));
    if (reply.len > 0)
        lb_udp_send(slp->udp.fd, slp->index, in.from, reply);
}

/* ---- TCP ---- */

/* A free place, or that of the one that has said nothing for longest. */
static struct lb_server_slp_connection *find_place(struct lb_server_slp *slp) {
    struct lb_server_slp_connection *idle = &slp->connections[0];
    for (size_t i = 0; i < LB_SERVER_SLP_CONNECTIONS; i++) {
        struct lb_server_slp_connection *at = &slp->connections[i];
        if (at->source.fd < 0)
            return at;
        if (at->until_us < idle->until_us)
            idle = at;
    }
    lb_server_source_close(&idle->source);
    return idle;
}

static unsigned count_of(const struct lb_server_slp *slp, struct lb_addr client) {
    unsigned count = 0;
    for (size_t i = 0; i < LB_SERVER_SLP_CONNECTIONS; i++)
        count +=
            slp->connections[i].source.fd >= 0 && lb_addr_equal(slp->connections[i].client, client);
    return count;
}

static void take_connection(struct lb_server_slp *slp, uint64_t now_us) {
    struct lb_endpoint from;
    int fd = lb_tcp_accept(slp->tcp.fd, &from);
    if (fd < 0)
        return;
    if (count_of(slp, from.addr) == LB_SERVER_SLP_EACH) {
        close(fd);
        return;
    }
    struct lb_server_slp_connection *at = find_place(slp);
    at->source = (struct lb_server_source){.kind = slp->tcp.kind, .fd = fd};
    at->client = from.addr;
    at->until_us = now_us + IDLE_US;
    lb_slp_connection_init(&at->connection);
    if (!lb_server_watch(slp->epoll, &at->source, EPOLLIN))
        lb_server_source_close(&at->source);
}

static bool receive(struct lb_server_slp_connection *at) {
    struct lb_span room = lb_slp_connection_where(&at->connection);
    ssize_t n = room.len == 0 ? -1 : recv(at->source.fd, room.p, room.len, MSG_DONTWAIT);
    if (n > 0)
        lb_slp_connection_got(&at->connection, (size_t)n);
    return n > 0 || (n < 0 && (room.len == 0 || errno == EAGAIN || errno == EINTR));
}

/* Sends until there is nothing more, or no room for it. False: it is over. */
static bool send_out(struct lb_server_slp *slp, struct lb_server_slp_connection *at,
                     uint64_t now_us) {
    struct lb_bytes piece;
    while ((piece = lb_slp_connection_gather(&at->connection, now_us, &slp->server)).len > 0) {
        ssize_t n = send(at->source.fd, piece.p, piece.len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EAGAIN)
            return lb_server_watch(slp->epoll, &at->source, EPOLLIN | EPOLLOUT);
        if (n <= 0)
            return false;
        lb_slp_connection_sent(&at->connection, (size_t)n);
    }
    return !at->connection.is_over && lb_server_watch(slp->epoll, &at->source, EPOLLIN);
}

void lb_server_slp_ready(struct lb_server_slp *slp, struct lb_server_source *source,
                         uint32_t events, uint64_t now_us) {
    if (source == &slp->udp) {
        answer_datagram(slp, now_us);
        return;
    }
    if (source == &slp->tcp) {
        take_connection(slp, now_us);
        return;
    }
    struct lb_server_slp_connection *at = (struct lb_server_slp_connection *)(void *)source;
    refresh(slp);
    at->until_us = now_us + IDLE_US;
    bool is_alive = !(events & (EPOLLHUP | EPOLLERR)) && (!(events & EPOLLIN) || receive(at));
    if (!is_alive || !send_out(slp, at, now_us))
        lb_server_source_close(source);
}

uint64_t lb_server_slp_poll(struct lb_server_slp *slp, uint64_t now_us) {
    uint64_t until_us = LB_NEVER;
    for (size_t i = 0; slp->tcp.fd >= 0 && i < LB_SERVER_SLP_CONNECTIONS; i++) {
        struct lb_server_slp_connection *at = &slp->connections[i];
        if (at->source.fd >= 0 && now_us >= at->until_us)
            lb_server_source_close(&at->source);
        if (at->source.fd >= 0)
            until_us = LB_MIN(until_us, at->until_us);
    }
    return until_us;
}

/* ---- begin and end ---- */

static bool join_ipv4(const struct lb_server_slp *slp, const struct lb_server_link *link) {
    struct lb_addr group = lb_slp_group(LB_V4, LB_SLP_SRV_RQST, LB_SLP_TYPE_TARGET, 0);
    struct ip_mreqn join = {.imr_ifindex = link->index};
    memcpy(&join.imr_multiaddr, group.bytes, 4);
    return setsockopt(slp->udp.fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &join, sizeof join) == 0;
}

/* RFC 3111 4.1: a group for each type of service, on the link and on the site. */
static bool join_ipv6(const struct lb_server_slp *slp, const struct lb_server_link *link) {
    static const char *const types[] = {LB_SLP_TYPE_TARGET, LB_SLP_TYPE_SMS, "service:iscsi",
                                        LB_SLP_TYPE_DIRECTORY, LB_SLP_TYPE_SERVICE};
    bool did = true;
    for (size_t i = 0; did && i < LB_COUNT(types); i++)
        did = lb_server_link_join(link, slp->udp.fd,
                                  lb_slp_group(LB_V6, LB_SLP_SRV_RQST, types[i], LINK_SCOPE)) &&
              lb_server_link_join(link, slp->udp.fd,
                                  lb_slp_group(LB_V6, LB_SLP_SRV_RQST, types[i], SITE_SCOPE));
    return did;
}

static bool open_sockets(struct lb_server_slp *slp, const struct lb_server_link *link,
                         struct lb_server_error *error) {
    enum lb_family family = slp->portal.addr.family;
    slp->udp.fd = lb_server_link_udp(link, family, true, LB_SLP_PORT, error);
    if (slp->udp.fd < 0)
        return false;
    if (!lb_udp_tell_groups(slp->udp.fd, family) ||
        (family == LB_V6 ? !join_ipv6(slp, link) : !join_ipv4(slp, link)))
        return lb_server_fail(error, "give --slp=off", "SLP: its groups cannot be joined: %s",
                              strerror(errno));
    slp->tcp.fd = lb_server_link_listen(link, family, LB_SLP_PORT, "SLP", error);
    return slp->tcp.fd >= 0 && lb_server_watch(slp->epoll, &slp->udp, EPOLLIN) &&
           lb_server_watch(slp->epoll, &slp->tcp, EPOLLIN);
}

bool lb_server_slp_open(struct lb_server_slp *slp, int epoll, const struct lb_server_link *link,
                        const struct lb_server_settings *settings, struct lb_endpoint portal,
                        const struct lb_server_machines *machines, struct lb_server_error *error) {
    bool is_directory = settings->slp == LB_SERVER_SLP_DIRECTORY;
    enum lb_server_source_kind kind = portal.addr.family == LB_V6 ? LB_SOURCE_SLP6 : LB_SOURCE_SLP;
    *slp = (struct lb_server_slp){
        .udp = {.kind = kind, .fd = -1},
        .tcp = {.kind = kind, .fd = -1},
        .epoll = epoll,
        .index = link->index,
        .portal = portal,
        .has_isns = settings->isns != LB_SERVER_ISNS_OFF,
        .machines = machines,
        .texts = calloc(LB_SERVER_SLP_SERVICES, sizeof *slp->texts),
        .slots = calloc(LB_SERVER_SLP_SLOTS, sizeof *slp->slots),
    };
    for (size_t i = 0; i < LB_SERVER_SLP_CONNECTIONS; i++)
        slp->connections[i].source.fd = -1;
    if (slp->texts == NULL || slp->slots == NULL || !lb_rate_init(&slp->rate))
        return lb_server_fail(error, "", "there is no memory for SLP");
    struct lb_slp_server_config config = {
        .is_directory = is_directory,
        .takes_registrations = is_directory,
        .address = portal.addr,
        .boot_s = (uint32_t)time(NULL),
        .services = slp->services,
    };
    lb_slp_server_init(&slp->server, &config, slp->slots, is_directory ? LB_SERVER_SLP_SLOTS : 0);
    return open_sockets(slp, link, error);
}

void lb_server_slp_close(struct lb_server_slp *slp) {
    for (size_t i = 0; slp->texts != NULL && i < LB_SERVER_SLP_CONNECTIONS; i++)
        lb_server_source_close(&slp->connections[i].source);
    lb_server_source_close(&slp->udp);
    lb_server_source_close(&slp->tcp);
    free(slp->texts);
    free(slp->slots);
    slp->texts = NULL;
    slp->slots = NULL;
}
