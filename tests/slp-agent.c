/* lunboot-slp-agent: the server half of core/slp behind sockets, as a service agent or a directory
 * agent, honest or not. For tests/interop/slp-*.sh. No server for use: that is lunbootd. Serves
 * until it is ended by a signal.
 *
 *   lunboot-slp-agent --interface=IF [--ipv4=ADDR] [--ipv6=ADDR] [--services=FILE] [OPTION...]
 *
 *   --directory       a directory agent; else a service agent
 *   --open            takes registrations (SrvReg) of anybody
 *   --scopes=LIST     its scopes (default: DEFAULT)
 *   --mtu=N           its longest datagram
 *   --many=N          N targets of others besides those of the file
 *   --lie=HOW         truncate, length, xid, count, repeat, late, garbage: what it does to replies
 *   --tcp=HOW         refuse, stall, garbage: what becomes of connections
 *
 * A line of FILE is a service: URL SCOPES ATTRIBUTES, separated by blanks. */
#include "core/slp/slp_server.h"
#include "core/slp/slp_wire.h"
#include "os/linux/clock.h"
#include "os/linux/datagram.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    SERVICES_MAX = 20000,
    SLOTS_MAX = 64,
    CONNECTIONS_MAX = 8,
    DATAGRAM_MAX = 65536,
    TEXT_BYTES = 8 << 20,
    REPEATS = 50,
    LATE_US = 3000000,
};

struct peer {
    int fd; /* -1: free */
    struct lb_slp_server *server;
    struct lb_slp_connection connection;
};

static struct {
    struct lb_slp_server_config config;
    struct lb_slp_server v4, v6;
    struct lb_addr address4, address6;
    struct lb_slp_registration services[SERVICES_MAX];
    struct lb_slp_slot slots4[SLOTS_MAX], slots6[SLOTS_MAX];
    char *text; /* of the services */
    size_t text_len;
    size_t many;
    const char *interface, *file, *lie, *tcp;
    int udp4, udp6, listener, index;
    struct peer peers[CONNECTIONS_MAX];
} host = {.lie = "", .tcp = "", .udp4 = -1, .udp6 = -1, .listener = -1};

_Noreturn void lb_assert_failed(const char *file, int line, const char *what) {
    fprintf(stderr, "%s:%d: %s\n", file, line, what);
    abort();
}

_Noreturn static void die(const char *what) {
    perror(what);
    exit(1);
}

/* ---- services ---- */

/* Keeps a text for good. */
static struct lb_bytes keep(const char *text, size_t len) {
    char *at = host.text + host.text_len;
    if (host.text_len + len > TEXT_BYTES)
        die("too many services");
    memcpy(at, text, len);
    host.text_len += len;
    return lb_bytes(at, len);
}

static struct lb_bytes keep_text(const char *text) {
    return keep(text, strlen(text));
}

static void add_service(const char *url, const char *scopes, const char *attributes) {
    const char *end = strstr(url, "://");
    if (end == NULL || host.config.service_count == SERVICES_MAX)
        die(url);
    host.services[host.config.service_count++] = (struct lb_slp_registration){
        .url = keep_text(url),
        .type = keep(url, (size_t)(end - url)),
        .scopes = keep_text(scopes),
        .attributes = keep_text(attributes),
        .lifetime_s = 300,
    };
}

static void read_services(const char *path) {
    char line[4096], url[1025], scopes[257];
    FILE *file = fopen(path, "r");
    if (file == NULL)
        die(path);
    while (fgets(line, sizeof line, file)) {
        int at = 0;
        line[strcspn(line, "\n")] = 0;
        if (line[0] == '#' || sscanf(line, "%1024s %256s %n", url, scopes, &at) < 2)
            continue;
        add_service(url, scopes, line + at);
    }
    fclose(file);
}

static void add_many(size_t count) {
    char url[256], attributes[512];
    for (size_t i = 0; i < count; i++) {
        snprintf(url, sizeof url,
                 "service:iscsi:target://198.51.100.%zu:3260/"
                 "iqn.2001-04.com.example:other%zu",
                 i % 250 + 1, i);
        snprintf(attributes, sizeof attributes,
                 "(iscsi-name=iqn.2001-04.com.example:other%zu),(portal-group=1),"
                 "(auth-name=iqn.2001-04.com.example:host%zu),"
                 "(boot-list=iqn.2001-04.com.example:host%zu)",
                 i, i, i);
        add_service(url, host.config.scopes ? host.config.scopes : "DEFAULT", attributes);
    }
}

/* ---- sockets ---- */

static void set(int fd, int level, int option, int value) {
    if (setsockopt(fd, level, option, &value, sizeof value) < 0)
        die("setsockopt");
}

static void open_udp4(void) {
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(LB_SLP_PORT)};
    struct ip_mreqn group = {.imr_ifindex = host.index};
    inet_pton(AF_INET, "239.255.255.253", &group.imr_multiaddr);
    host.udp4 = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    set(host.udp4, SOL_SOCKET, SO_REUSEADDR, 1);
    if (!lb_udp_tell_groups(host.udp4, LB_V4) ||
        bind(host.udp4, (struct sockaddr *)&any, sizeof any) < 0)
        die("bind");
    if (setsockopt(host.udp4, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof group) < 0)
        die("join");
}

/* RFC 3111 4: a group for each service type, and those of agents and attributes, on the link and on
 * the site. */
static void open_udp6(void) {
    static const char *const types[] = {LB_SLP_TYPE_TARGET, LB_SLP_TYPE_SMS, "service:iscsi",
                                        LB_SLP_TYPE_DIRECTORY, LB_SLP_TYPE_SERVICE};
    struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(LB_SLP_PORT)};
    host.udp6 = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    set(host.udp6, SOL_SOCKET, SO_REUSEADDR, 1);
    set(host.udp6, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    if (!lb_udp_tell_groups(host.udp6, LB_V6) ||
        bind(host.udp6, (struct sockaddr *)&any, sizeof any) < 0)
        die("bind");
    for (size_t i = 0; i < 2 * LB_COUNT(types); i++) {
        struct ipv6_mreq group = {.ipv6mr_interface = (unsigned)host.index};
        struct lb_addr addr = lb_slp_group(LB_V6, LB_SLP_SRV_RQST, types[i / 2], i % 2 ? 2 : 5);
        memcpy(&group.ipv6mr_multiaddr, addr.bytes, 16);
        if (setsockopt(host.udp6, IPPROTO_IPV6, IPV6_JOIN_GROUP, &group, sizeof group) < 0)
            die("join");
    }
}

static void open_tcp(void) {
    struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(LB_SLP_PORT)};
    host.listener = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    set(host.listener, SOL_SOCKET, SO_REUSEADDR, 1);
    set(host.listener, IPPROTO_IPV6, IPV6_V6ONLY, 0);
    if (bind(host.listener, (struct sockaddr *)&any, sizeof any) < 0 ||
        listen(host.listener, CONNECTIONS_MAX) < 0)
        die("listen");
}

/* ---- datagrams ---- */

/* What a liar makes of a reply; gives its length. */
static size_t lie(uint8_t *reply, size_t len) {
    if (strcmp(host.lie, "truncate") == 0)
        return len - 5;
    if (strcmp(host.lie, "length") == 0)
        reply[4] ^= 1;
    if (strcmp(host.lie, "xid") == 0)
        reply[11] ^= 1;
    if (strcmp(host.lie, "count") == 0 && len > 20)
        reply[18] = 0xff;
    if (strcmp(host.lie, "garbage") == 0)
        memset(reply + 14, 0xff, len - 14);
    if (strcmp(host.lie, "late") == 0)
        usleep(LATE_US);
    return len;
}

static void answer_datagram(int fd, struct lb_slp_server *server) {
    static uint8_t bytes[DATAGRAM_MAX], reply[DATAGRAM_MAX];
    struct lb_udp_received in;
    if (!lb_udp_receive(fd, lb_span(bytes, sizeof bytes), &in))
        return;
    struct lb_bytes out = lb_slp_server_input(server, lb_now_us(), in.payload, in.is_to_group,
                                              lb_span(reply, sizeof reply));
    printf("%s %s of %zu bytes, reply %zu\n", in.is_to_group ? "multicast" : "unicast",
           lb_slp_function_word(in.payload.len > 1 ? bytes[1] : 0), in.payload.len, out.len);
    if (out.len == 0)
        return;
    size_t len = lie(reply, out.len);
    unsigned times = strcmp(host.lie, "repeat") == 0 ? REPEATS : 1;
    for (unsigned i = 0; i < times; i++)
        lb_udp_send(fd, host.index, in.from, lb_bytes(reply, len));
}

/* ---- connections ---- */

static void take_connection(void) {
    struct sockaddr_in6 from;
    socklen_t from_len = sizeof from;
    int fd = accept(host.listener, (struct sockaddr *)&from, &from_len);
    for (size_t i = 0; fd >= 0 && i < CONNECTIONS_MAX; i++) {
        struct peer *peer = &host.peers[i];
        if (peer->fd >= 0)
            continue;
        bool is_v4 = IN6_IS_ADDR_V4MAPPED(&from.sin6_addr);
        set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
        *peer = (struct peer){.fd = fd, .server = is_v4 ? &host.v4 : &host.v6};
        lb_slp_connection_init(&peer->connection);
        printf("connection\n");
        return;
    }
    if (fd >= 0)
        close(fd);
}

static void hang_up(struct peer *peer) {
    close(peer->fd);
    peer->fd = -1;
}

static struct lb_bytes to_send(struct peer *peer) {
    if (strcmp(host.tcp, "stall") == 0)
        return lb_bytes(NULL, 0);
    return lb_slp_connection_gather(&peer->connection, lb_now_us(), peer->server);
}

static void receive(struct peer *peer) {
    struct lb_span room = lb_slp_connection_where(&peer->connection);
    ssize_t n = recv(peer->fd, room.p, room.len, 0);
    if (n <= 0) {
        hang_up(peer);
        return;
    }
    lb_slp_connection_got(&peer->connection, (size_t)n);
    if (strcmp(host.tcp, "garbage") == 0) {
        static const char garbage[] = "HTTP/1.0 400 Bad Request\r\n\r\n";
        send(peer->fd, garbage, sizeof garbage - 1, MSG_NOSIGNAL);
        hang_up(peer);
    }
}

static void send_out(struct peer *peer) {
    struct lb_bytes piece = to_send(peer);
    ssize_t n = send(peer->fd, piece.p, piece.len, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0)
        lb_slp_connection_sent(&peer->connection, (size_t)n);
    else if (errno != EAGAIN)
        hang_up(peer);
}

static void serve_peer(struct peer *peer, short revents) {
    if (peer->fd >= 0 && revents & (POLLIN | POLLHUP | POLLERR))
        receive(peer);
    if (peer->fd >= 0 && peer->connection.is_over)
        hang_up(peer);
    if (peer->fd >= 0 && revents & POLLOUT)
        send_out(peer);
}

_Noreturn static void run(void) {
    for (;;) {
        struct pollfd fds[3 + CONNECTIONS_MAX] = {{.fd = host.udp4, .events = POLLIN},
                                                  {.fd = host.udp6, .events = POLLIN},
                                                  {.fd = host.listener, .events = POLLIN}};
        for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
            struct peer *peer = &host.peers[i];
            fds[3 + i].fd = peer->fd;
            if (peer->fd >= 0)
                fds[3 + i].events = to_send(peer).len > 0 ? POLLIN | POLLOUT : POLLIN;
        }
        if (poll(fds, LB_COUNT(fds), -1) < 0 && errno != EINTR)
            die("poll");
        if (fds[0].revents)
            answer_datagram(host.udp4, &host.v4);
        if (fds[1].revents)
            answer_datagram(host.udp6, &host.v6);
        for (size_t i = 0; i < CONNECTIONS_MAX; i++)
            serve_peer(&host.peers[i], fds[3 + i].revents);
        if (fds[2].revents)
            take_connection();
    }
}

/* ---- options ---- */

static void take_option(const char *option) {
    const char *equals = strchr(option, '=');
    const char *value = equals == NULL ? "" : equals + 1;
    struct lb_bytes name = lb_bytes(option, equals ? (size_t)(equals - option) : strlen(option));
    if (lb_text_is(name, "--interface"))
        host.interface = value;
    else if (lb_text_is(name, "--ipv4"))
        lb_addr_parse(lb_bytes_of_text(value), &host.address4);
    else if (lb_text_is(name, "--ipv6"))
        lb_addr_parse(lb_bytes_of_text(value), &host.address6);
    else if (lb_text_is(name, "--services"))
        host.file = value;
    else if (lb_text_is(name, "--directory"))
        host.config.is_directory = true;
    else if (lb_text_is(name, "--open"))
        host.config.takes_registrations = true;
    else if (lb_text_is(name, "--scopes"))
        host.config.scopes = value;
    else if (lb_text_is(name, "--mtu"))
        host.config.mtu = (uint16_t)atoi(value);
    else if (lb_text_is(name, "--many"))
        host.many = (size_t)atoi(value);
    else if (lb_text_is(name, "--lie"))
        host.lie = value;
    else if (lb_text_is(name, "--tcp"))
        host.tcp = value;
    else {
        fprintf(stderr, "unknown option %s\n", option);
        exit(2);
    }
}

static void start_servers(void) {
    host.config.boot_s = (uint32_t)time(NULL);
    host.config.services = host.services;
    host.config.address = host.address4;
    lb_slp_server_init(&host.v4, &host.config, host.slots4, SLOTS_MAX);
    host.config.address = host.address6;
    lb_slp_server_init(&host.v6, &host.config, host.slots6, SLOTS_MAX);
}

int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++)
        take_option(argv[i]);
    host.index = host.interface != NULL ? (int)if_nametoindex(host.interface) : 0;
    if (host.index == 0)
        die("--interface");
    host.text = malloc(TEXT_BYTES);
    if (host.text == NULL)
        die("malloc");
    for (size_t i = 0; i < CONNECTIONS_MAX; i++)
        host.peers[i].fd = -1;
    add_many(host.many);
    if (host.file != NULL)
        read_services(host.file);
    start_servers();
    if (lb_addr_is_set(host.address4))
        open_udp4();
    if (lb_addr_is_set(host.address6))
        open_udp6();
    if (strcmp(host.tcp, "refuse") != 0)
        open_tcp();
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("ready: %zu services\n", host.config.service_count);
    run();
}
