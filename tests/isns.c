/* lunboot-test-isns: both halves of core/isns behind sockets, for tests/interop/isns-*.sh and
 * bench/discovery. No program for use: that is lunboot discover.
 *
 *   lunboot-test-isns ask ADDRESS[ PORT] OPTIONS   asks, prints what is found, a line a portal, and
 *                                                  how it ended; exit code 0 when there was any
 *     --initiator=NAME  --target=NAME (else: the boot list)  --own=ADDRESS  --udp  --all
 *     --register=auto|never|always  --withdraw  --time
 *   lunboot-test-isns serve PORT OPTIONS           a server of our own until it is ended
 *     --node=NAME,TYPE[,ADDRESS]  --boot=NAME,NAME...  --domain=NAME,NAME...  --others=N
 *     --others-boot (they are in the first domain, too)  --strict (only who is registered)
 *     --pdu=BYTES */
#include "core/isns/isns_client.h"
#include "core/isns/isns_server.h"
#include "os/linux/clock.h"
#include "os/linux/datagram.h"
#include "os/linux/os_address.h"
#include "os/linux/tcp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNS_MAX = 32, REQUEST_MAX = 65536, ANSWER_MAX = 16 << 20, TABLE_MAX = 30000 };

_Noreturn void lb_assert_failed(const char *file, int line, const char *what) {
    fprintf(stderr, "%s:%d: %s\n", file, line, what);
    abort();
}

_Noreturn static void die(const char *what) {
    perror(what);
    exit(2);
}

/* The value of an option of the form NAME=VALUE, or NULL. */
static const char *option(const char *argument, const char *name) {
    size_t len = strlen(name);
    return strncmp(argument, name, len) == 0 && argument[len] == '=' ? argument + len + 1 : NULL;
}

static struct lb_addr parse_address(const char *text) {
    struct lb_addr addr;
    if (!lb_addr_parse(lb_bytes_of_text(text), &addr)) {
        fprintf(stderr, "no address: %s\n", text);
        exit(2);
    }
    return addr;
}

/* ---- ask ---- */

static struct {
    struct lb_isns_client client;
    struct lb_isns_config config;
    struct lb_rand rand;
    int fd;
    bool is_connecting, withdraws, tells_time;
} ask = {.fd = -1};

static void open_socket(struct lb_endpoint to) {
    struct lb_os_address address = lb_os_address(to, 0);
    ask.fd = socket(address.any.sa_family,
                    (ask.config.udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK, 0);
    if (ask.fd < 0)
        die("socket");
    if (connect(ask.fd, &address.any, address.len) == 0 || errno == EINPROGRESS)
        ask.is_connecting = !ask.config.udp;
    else
        lb_isns_client_lost(&ask.client, lb_now_us(), "unreachable");
}

static void shut_socket(void) {
    if (ask.fd >= 0)
        close(ask.fd);
    ask.fd = -1;
    ask.is_connecting = false;
}

static void lose(const char *why) {
    shut_socket();
    lb_isns_client_lost(&ask.client, lb_now_us(), why);
}

static void on_connected(void) {
    int error = 0;
    socklen_t len = sizeof error;
    getsockopt(ask.fd, SOL_SOCKET, SO_ERROR, &error, &len);
    ask.is_connecting = false;
    if (error)
        lose(error == ECONNREFUSED ? "refused" : "unreachable");
    else
        lb_isns_client_connected(&ask.client, lb_now_us());
}

static void receive_datagram(void) {
    static uint8_t room[65536];
    ssize_t n = recv(ask.fd, room, sizeof room, 0);
    if (n > 0)
        lb_isns_client_input(&ask.client, lb_now_us(), ask.client.config.server,
                             lb_bytes(room, (size_t)n));
}

static void receive(void) {
    struct lb_span span = lb_isns_client_where(&ask.client);
    if (ask.config.udp) {
        receive_datagram();
        return;
    }
    ssize_t n = recv(ask.fd, span.p, span.len, 0);
    if (n > 0)
        lb_isns_client_got(&ask.client, lb_now_us(), (size_t)n);
    else if (n == 0 || errno != EAGAIN)
        lose(NULL);
}

static void wait_until(uint64_t until_us) {
    struct lb_bytes out = lb_isns_client_gather(&ask.client);
    if (out.len > 0) {
        ssize_t n = send(ask.fd, out.p, out.len, MSG_NOSIGNAL);
        if (n > 0)
            lb_isns_client_sent(&ask.client, lb_now_us(), (size_t)n);
    }
    uint64_t now = lb_now_us();
    int wait_ms = until_us <= now ? 0 : (int)LB_MIN((until_us - now) / 1000 + 1, 60000u);
    struct pollfd poll_fd = {.fd = ask.fd, .events = ask.is_connecting ? POLLOUT : POLLIN};
    if (poll(&poll_fd, 1, wait_ms) < 1)
        return;
    if (ask.is_connecting)
        on_connected();
    else
        receive();
}

static void print_found(const struct lb_isns_found *found) {
    printf("found %s %s group %u%s%s%s\n", found->target, lb_endpoint_text(found->portal).s,
           found->portal_group, found->in_boot_list ? " boot-list" : "",
           found->alias[0] ? " alias " : "", found->alias);
}

/* Until DONE or FAILED. */
static enum lb_isns_event ask_until_end(void) {
    for (;;) {
        struct lb_isns_action action = lb_isns_client_poll(&ask.client, lb_now_us());
        switch (action.event) {
        case LB_ISNS_CONNECT:
            open_socket(action.to);
            break;
        case LB_ISNS_CLOSE:
            shut_socket();
            break;
        case LB_ISNS_SEND:
            if (ask.fd < 0)
                open_socket(action.to);
            send(ask.fd, action.bytes.p, action.bytes.len, 0);
            break;
        case LB_ISNS_FOUND:
            print_found(action.found);
            break;
        case LB_ISNS_DONE:
        case LB_ISNS_FAILED:
            return action.event;
        case LB_ISNS_WAIT:
            wait_until(action.until_us);
            break;
        }
    }
}

static void ask_option(const char *argument) {
    struct lb_isns_config *config = &ask.config;
    const char *value;
    if ((value = option(argument, "--initiator")))
        lb_text_copy(config->initiator, sizeof config->initiator, lb_bytes_of_text(value));
    else if ((value = option(argument, "--target")))
        lb_text_copy(config->target, sizeof config->target, lb_bytes_of_text(value));
    else if ((value = option(argument, "--own")))
        config->own_address = parse_address(value);
    else if ((value = option(argument, "--register")))
        config->registration = strcmp(value, "never") == 0    ? LB_ISNS_REGISTER_NEVER
                               : strcmp(value, "always") == 0 ? LB_ISNS_REGISTER_ALWAYS
                                                              : LB_ISNS_REGISTER_AUTO;
    else if (strcmp(argument, "--udp") == 0)
        config->udp = true;
    else if (strcmp(argument, "--all") == 0)
        config->all_domains = true;
    else if (strcmp(argument, "--withdraw") == 0)
        ask.withdraws = true;
    else if (strcmp(argument, "--time") == 0)
        ask.tells_time = true;
    else
        config->server.port = (uint16_t)atoi(argument);
}

static void print_end(enum lb_isns_event end, uint64_t began) {
    char explained[1000], error[1000];
    struct lb_text text = lb_text(explained, sizeof explained);
    const struct lb_isns_counts *counts = lb_isns_client_counts(&ask.client);
    lb_isns_client_explain(&ask.client, &text);
    puts(explained);
    if (end == LB_ISNS_FAILED) {
        text = lb_text(error, sizeof error);
        lb_error_format(&text, lb_isns_client_error(&ask.client));
        puts(error);
    }
    if (ask.tells_time)
        printf("time %llu us, %u requests, %llu bytes of answers, %zu bytes of memory\n",
               (unsigned long long)(lb_now_us() - began), counts->requests,
               (unsigned long long)counts->answer_bytes, sizeof ask.client);
}

static int run_ask(int count, char **arguments) {
    uint8_t seed[LB_RAND_SEED_BYTES];
    if (count < 1 || getrandom(seed, sizeof seed, 0) != sizeof seed)
        return 2;
    ask.config.server.addr = parse_address(arguments[0]);
    lb_text_copy(ask.config.initiator, sizeof ask.config.initiator,
                 lb_bytes_of_text("iqn.2026-11.test:host1"));
    for (int i = 1; i < count; i++)
        ask_option(arguments[i]);
    lb_rand_init(&ask.rand, seed);
    uint64_t began = lb_now_us();
    lb_isns_client_init(&ask.client, began, &ask.config, &ask.rand, NULL);
    enum lb_isns_event end = ask_until_end();
    print_end(end, began);
    if (lb_isns_client_is_registered(&ask.client))
        puts("registered");
    if (ask.withdraws) {
        lb_isns_client_withdraw(&ask.client, lb_now_us());
        puts(ask_until_end() == LB_ISNS_DONE ? "withdrawn" : "not withdrawn");
    }
    return end == LB_ISNS_DONE && lb_isns_client_counts(&ask.client)->found > 0 ? 0 : 1;
}

/* ---- serve ---- */

struct conn {
    int fd; /* -1: free */
    struct lb_isns_connection connection;
    uint8_t *memory; /* for answers; kept */
};

static struct {
    struct lb_isns_server server;
    struct lb_isns_server_config config;
    struct lb_isns_entity entities[TABLE_MAX];
    struct lb_isns_node nodes[TABLE_MAX];
    struct lb_isns_node_portal portals[TABLE_MAX];
    struct lb_isns_group groups[64];
    struct lb_isns_dd domains[64];
    struct lb_isns_member members[2 * TABLE_MAX];
    struct conn conns[CONNS_MAX];
    uint8_t room[ANSWER_MAX];
} host;

static void init_server(void) {
    struct lb_isns_tables tables = {
        .entities = host.entities,
        .nodes = host.nodes,
        .portals = host.portals,
        .groups = host.groups,
        .domains = host.domains,
        .members = host.members,
        .entity_cap = LB_COUNT(host.entities),
        .node_cap = LB_COUNT(host.nodes),
        .portal_cap = LB_COUNT(host.portals),
        .group_cap = LB_COUNT(host.groups),
        .domain_cap = LB_COUNT(host.domains),
        .member_cap = LB_COUNT(host.members),
    };
    lb_isns_server_init(&host.server, &host.config, &tables);
}

static void add_node(char *value) {
    const char *name = strtok(value, ","), *type = strtok(NULL, ","), *at = strtok(NULL, ",");
    uint32_t entity = lb_isns_server_add_entity(&host.server, name, LB_NEVER);
    lb_isns_server_add_node(&host.server, entity, name, (uint32_t)atoi(type), "");
    if (at)
        lb_isns_server_add_portal(&host.server, entity,
                                  (struct lb_endpoint){.addr = parse_address(at), .port = 3260});
}

static void add_domain(char *value, uint32_t features) {
    uint32_t id = (uint32_t)host.server.tables.domain_count + 1;
    uint32_t domain = lb_isns_server_add_domain(&host.server, id, "domain", features);
    for (char *name = strtok(value, ","); name; name = strtok(NULL, ","))
        lb_isns_server_add_member(&host.server, domain, name);
}

/* Targets that share our first domain's server, not our boot list; all of them are also in a domain
 * with the first node of the first domain, without a boot list. */
static void add_others(unsigned count, bool in_boot_list) {
    uint32_t domain = lb_isns_server_add_domain(&host.server, 4173, "others", 0);
    if (host.server.tables.member_count > 0)
        lb_isns_server_add_member(&host.server, domain, host.members[0].name);
    for (unsigned i = 0; i < count; i++) {
        char name[64];
        lb_format(name, sizeof name, "iqn.2026-11.test:other.%u", i);
        uint32_t entity = lb_isns_server_add_entity(&host.server, name, LB_NEVER);
        lb_isns_server_add_node(&host.server, entity, name, LB_ISNS_TARGET, "");
        lb_isns_server_add_portal(
            &host.server, entity,
            (struct lb_endpoint){.addr = lb_addr_v4(198, 51, (uint8_t)(i >> 8), (uint8_t)i),
                                 .port = 3260});
        lb_isns_server_add_member(&host.server, domain, name);
        if (in_boot_list)
            lb_isns_server_add_member(&host.server, 0, name);
    }
}

static int listen_at(uint16_t port, int type) {
    struct sockaddr_in6 at = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    int fd = socket(AF_INET6, type | SOCK_NONBLOCK, 0), yes = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) != 0 ||
        (type == SOCK_STREAM && listen(fd, 16) != 0))
        die("listen");
    return fd;
}

static void lend(struct conn *conn) {
    if (conn->memory == NULL)
        conn->memory = malloc(ANSWER_MAX);
    if (conn->memory == NULL)
        die("malloc");
    lb_isns_connection_lend(&conn->connection, lb_span(conn->memory, ANSWER_MAX));
}

static void accept_conn(int listener) {
    int fd = lb_tcp_accept(listener, NULL);
    for (size_t i = 0; i < CONNS_MAX && fd >= 0; i++) {
        if (host.conns[i].fd < 0) {
            host.conns[i].fd = fd;
            lb_isns_connection_init(&host.conns[i].connection);
            lend(&host.conns[i]);
            return;
        }
    }
    if (fd >= 0)
        close(fd);
}

static void hang_up(struct conn *conn) {
    close(conn->fd);
    conn->fd = -1;
}

static struct lb_bytes to_send(struct conn *conn) {
    return lb_isns_connection_gather(&conn->connection, lb_now_us(), &host.server);
}

static void push_answers(struct conn *conn) {
    struct lb_bytes piece;
    ssize_t n = 1;
    while (n > 0 && (piece = to_send(conn)).len > 0) {
        n = send(conn->fd, piece.p, piece.len, MSG_NOSIGNAL);
        if (n > 0)
            lb_isns_connection_sent(&conn->connection, (size_t)n);
    }
    if (conn->connection.is_over)
        hang_up(conn);
}

static void serve_conn(struct conn *conn, short events) {
    struct lb_span room = lb_isns_connection_where(&conn->connection);
    if (!(events & POLLOUT)) {
        ssize_t n = recv(conn->fd, room.p, room.len, 0);
        if (n > 0) {
            lb_isns_connection_got(&conn->connection, (size_t)n);
        } else if (n == 0 || errno != EAGAIN) {
            hang_up(conn);
            return;
        }
    }
    push_answers(conn);
}

static void serve_datagram(int fd) {
    static uint8_t request[REQUEST_MAX];
    struct lb_udp_received in;
    if (!lb_udp_receive(fd, lb_span(request, sizeof request), &in))
        return;
    struct lb_bytes answer =
        lb_isns_server_input(&host.server, lb_now_us(), in.payload, lb_span(host.room, 60000));
    if (answer.len > 0)
        lb_udp_send(fd, 0, in.from, answer);
}

static int run_serve(int count, char **arguments) {
    struct pollfd fds[CONNS_MAX + 2];
    const char *value;
    bool others_boot = false;
    if (count < 1)
        return 2;
    for (int i = 1; i < count; i++) {
        if (strcmp(arguments[i], "--strict") == 0)
            host.config.knows_registered_only = true;
        else if (strcmp(arguments[i], "--others-boot") == 0)
            others_boot = true;
        else if ((value = option(arguments[i], "--pdu")))
            host.config.pdu_max = (size_t)atoi(value);
    }
    init_server();
    for (int i = 1; i < count; i++) {
        if ((value = option(arguments[i], "--node")))
            add_node(arguments[i] + (value - arguments[i]));
        else if ((value = option(arguments[i], "--boot")))
            add_domain(arguments[i] + (value - arguments[i]), LB_ISNS_BOOT_LIST);
        else if ((value = option(arguments[i], "--domain")))
            add_domain(arguments[i] + (value - arguments[i]), 0);
        else if ((value = option(arguments[i], "--others")))
            add_others((unsigned)atoi(value), others_boot);
    }
    uint16_t port = (uint16_t)atoi(arguments[0]);
    fds[0] = (struct pollfd){.fd = listen_at(port, SOCK_STREAM), .events = POLLIN};
    fds[1] = (struct pollfd){.fd = listen_at(port, SOCK_DGRAM), .events = POLLIN};
    for (size_t i = 0; i < CONNS_MAX; i++)
        host.conns[i].fd = -1;
    puts("ready");
    fflush(stdout);
    for (;;) {
        for (size_t i = 0; i < CONNS_MAX; i++)
            fds[i + 2] = (struct pollfd){
                .fd = host.conns[i].fd,
                .events =
                    (short)(host.conns[i].fd >= 0 && to_send(&host.conns[i]).len > 0 ? POLLOUT
                                                                                     : POLLIN)};
        if (poll(fds, CONNS_MAX + 2, -1) < 0)
            die("poll");
        for (size_t i = 0; i < CONNS_MAX; i++)
            if (fds[i + 2].fd >= 0 && fds[i + 2].revents)
                serve_conn(&host.conns[i], fds[i + 2].revents);
        if (fds[0].revents)
            accept_conn(fds[0].fd);
        if (fds[1].revents)
            serve_datagram(fds[1].fd);
    }
}

int main(int argc, char **argv) {
    if (argc > 2 && strcmp(argv[1], "ask") == 0)
        return run_ask(argc - 2, argv + 2);
    if (argc > 2 && strcmp(argv[1], "serve") == 0)
        return run_serve(argc - 2, argv + 2);
    fputs("lunboot-test-isns ask ADDRESS ...; serve PORT ...: see tests/isns.c\n", stderr);
    return 2;
}
