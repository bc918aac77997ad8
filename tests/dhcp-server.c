/* lunboot-test-dhcp: the server half of core/dhcp4 behind a socket, for other people's clients and
 * for authentication, which no DHCPv4 server of Debian has. For tests/interop/dhcp-auth.sh; no
 * server for use: that is lunbootd. Serves until it is ended by a signal, and says each answer in a
 * line.
 *
 *   lunboot-test-dhcp INTERFACE ADDRESS ROOTPATH KEYS [SECONDS]
 *
 * SECONDS: so much is its clock, and with it its replay values, behind. */
#include "core/dhcp4/dhcp4_wire.h"
#include "os/linux/clock.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static struct lb_dhcp4_server server;
static struct lb_binding bindings[16];
static struct lb_dhcp_seen seen;

_Noreturn void lb_assert_failed(const char *file, int line, const char *what) {
    fprintf(stderr, "%s:%d: %s\n", file, line, what);
    abort();
}

_Noreturn static void die(const char *what) {
    perror(what);
    exit(1);
}

static int open_socket(const char *interface) {
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), on = 1;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(LB_DHCP4_SERVER_PORT)};
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof on) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface, (socklen_t)strlen(interface)) != 0 ||
        bind(fd, (struct sockaddr *)&at, sizeof at) != 0)
        die(interface);
    return fd;
}

/* A client without an address hears broadcasts; the kernel would ask for its address by ARP. */
static void send_answer(int fd, const struct lb_dhcp4_reply *reply, bool has_address) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(reply->to.port)};
    if (has_address)
        memcpy(&to.sin_addr, reply->to.addr.bytes, 4);
    else
        to.sin_addr.s_addr = htonl(INADDR_BROADCAST);
    if (sendto(fd, reply->bytes.p, reply->bytes.len, 0, (struct sockaddr *)&to, sizeof to) < 0)
        perror("sendto");
}

static void serve_one(int fd) {
    uint8_t in[LB_DHCP4_PACKET_MAX], out[LB_DHCP4_PACKET_MAX];
    struct sockaddr_in from = {0};
    socklen_t from_len = sizeof from;
    struct lb_dhcp4_message request, answer;
    const char *why = "no answer";
    ssize_t len = recvfrom(fd, in, sizeof in, 0, (struct sockaddr *)&from, &from_len);
    if (len < 0)
        die("recvfrom");
    struct lb_endpoint sender = {.addr = lb_addr_v4(0, 0, 0, 0), .port = ntohs(from.sin_port)};
    memcpy(sender.addr.bytes, &from.sin_addr, 4);
    struct lb_bytes payload = lb_bytes(in, (size_t)len);
    struct lb_dhcp4_reply reply =
        lb_dhcp4_server_input(&server, lb_now_us(), sender, payload, lb_span(out, sizeof out));
    if (!lb_dhcp4_decode(payload, &request, &why))
        return;
    if (reply.bytes.len == 0 || !lb_dhcp4_decode(reply.bytes, &answer, &why)) {
        printf("%s -> nothing\n", lb_dhcp4_type_word(request.type));
        return;
    }
    struct lb_bytes option;
    printf("%s -> %s%s\n", lb_dhcp4_type_word(request.type), lb_dhcp4_type_word(answer.type),
           lb_dhcp4_option(&answer, LB_OPT_AUTH, &option) ? " authenticated" : "");
    send_answer(fd, &reply, !lb_addr_is_zero(request.header.ciaddr));
}

int main(int argc, char **argv) {
    struct lb_dhcp4_server_config config = {.lease_s = 600, .require_auth = true, .seen = &seen};
    if (argc < 5 || argc > 6 || !lb_addr_parse(lb_bytes_of_text(argv[2]), &config.server)) {
        fprintf(stderr, "usage: lunboot-test-dhcp INTERFACE ADDRESS ROOTPATH KEYS [SECONDS]\n");
        return 2;
    }
    config.network = (struct lb_prefix){.addr = config.server, .len = 24};
    config.first = config.last = config.server;
    config.first.bytes[3] = 100;
    config.last.bytes[3] = 110;
    config.root_path = lb_bytes_of_text(argv[3]);
    config.keys = lb_bytes_of_text(argv[4]);
    uint64_t behind_s = argc == 6 ? strtoull(argv[5], NULL, 10) : 0;
    config.replay = ((uint64_t)time(NULL) - behind_s) << 32;
    setvbuf(stdout, NULL, _IOLBF, 0);
    lb_dhcp4_server_init(&server, &config, bindings, LB_COUNT(bindings));
    int fd = open_socket(argv[1]);
    printf("ready\n");
    for (;;)
        serve_one(fd);
}
