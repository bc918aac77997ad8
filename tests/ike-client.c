/* lunboot-test-ike: the initiator of core/ike and core/ipsec behind sockets, against other people's
 * daemons. Brings a tunnel up, sends pings through it, renews the keys of the child and of the IKE
 * SA, asks for a sign of life, sends pings again, and closes. ESP is in UDP, so it needs nothing of
 * the kernel. Exit code 0: each step went well. For tests/interop/ike-strongswan.sh.
 *
 * With SECONDS it only pings for so long, while the other end renews keys as it likes, and this one
 * each RENEW seconds.
 *
 *   lunboot-test-ike LOCAL REMOTE INNER-LOCAL INNER-REMOTE ID PEER-ID PSK
 *                    [x25519|p256 [SECONDS [RENEW]]] */
#include "core/base/text.h"
#include "core/ike/ike.h"
#include "os/linux/clock.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PAIRS = 4, PINGS = 5, STEP_S = 15 };

static struct {
    struct lb_ike ike;
    struct lb_ipsec pairs[PAIRS];
    size_t pair_count;
    unsigned ups, gones, pongs;
    struct lb_trace trace;
    char ring[65536];
    struct lb_rand rand;
    int udp500, udp4500;
    struct lb_addr local, remote;             /* outer */
    struct lb_addr inner_local, inner_remote; /* within the tunnel */
    bool is_over;
} t;

_Noreturn void lb_assert_failed(const char *file, int line, const char *what) {
    fprintf(stderr, "%s:%d: %s\n", file, line, what);
    abort();
}

_Noreturn static void die(const char *what) {
    char line[LB_TRACE_LINE_MAX];
    lb_trace_rewind(&t.trace);
    while (lb_trace_next(&t.trace, line))
        fprintf(stderr, "%s\n", line);
    fprintf(stderr, "failed: %s (%s: %s)\n", what, lb_code_word(t.ike.error.code),
            t.ike.error.facts);
    exit(1);
}

static int open_port(uint16_t port) {
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
    memcpy(&at.sin_addr, t.local.bytes, 4);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) != 0)
        die("bind");
    return fd;
}

static void send_to(uint16_t port, uint16_t to_port, struct lb_bytes bytes) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(to_port)};
    memcpy(&to.sin_addr, t.remote.bytes, 4);
    if (sendto(port == LB_IKE_PORT ? t.udp500 : t.udp4500, bytes.p, bytes.len, 0,
               (struct sockaddr *)&to, sizeof to) < 0)
        perror("sendto");
}

static uint16_t checksum(const uint8_t *p, size_t len) {
    uint32_t sum = 0;
    for (size_t i = 0; i < len; i += 2)
        sum += (uint32_t)p[i] << 8 | (i + 1 < len ? p[i + 1] : 0);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

/* An echo request in its IP packet, through the newest pair, as ESP in UDP. */
static void ping(uint16_t number) {
    uint8_t packet[28] = {0x45, 0, 0, 28, 0, 0, 0x40, 0, 64, 1};
    uint8_t room[256];
    memcpy(packet + 12, t.inner_local.bytes, 4);
    memcpy(packet + 16, t.inner_remote.bytes, 4);
    uint16_t sum = checksum(packet, 20);
    packet[10] = (uint8_t)(sum >> 8);
    packet[11] = (uint8_t)sum;
    packet[20] = 8;
    packet[27] = (uint8_t)number;
    sum = checksum(packet + 20, 8);
    packet[22] = (uint8_t)(sum >> 8);
    packet[23] = (uint8_t)sum;
    struct lb_bytes esp = lb_ipsec_seal_payload(
        &t.pairs[t.pair_count - 1], lb_bytes(packet, sizeof packet), 4, lb_span(room, sizeof room));
    send_to(LB_IKE_NAT_PORT, LB_IKE_NAT_PORT, esp);
}

static void take_esp(struct lb_span bytes) {
    uint8_t copy[2048];
    for (size_t i = 0; i < t.pair_count; i++) {
        struct lb_span payload;
        uint8_t next;
        memcpy(copy, bytes.p, bytes.len);
        if (!lb_ipsec_open_payload(&t.pairs[i], lb_span(copy, bytes.len), &payload, &next))
            continue;
        if (next == 4 && payload.len >= 28 && payload.p[9] == 1 && payload.p[20] == 0)
            t.pongs++;
        return;
    }
}

static void receive(int fd, uint16_t port) {
    uint8_t bytes[2048];
    struct sockaddr_in from = {0};
    socklen_t from_len = sizeof from;
    ssize_t len = recvfrom(fd, bytes, sizeof bytes, 0, (struct sockaddr *)&from, &from_len);
    struct lb_endpoint sender = {.addr = t.remote, .port = ntohs(from.sin_port)};
    struct lb_endpoint to = {.addr = t.local, .port = port};
    struct lb_span payload = lb_span(bytes, len > 0 ? (size_t)len : 0);
    bool is_esp = port == LB_IKE_NAT_PORT && len >= 4 && memcmp(bytes, "\0\0\0\0", 4) != 0;
    if (is_esp)
        take_esp(payload);
    else if (len > 0)
        lb_ike_input(&t.ike, lb_now_us(), sender, to, payload);
}

static void gone(uint32_t spi) {
    size_t kept = 0;
    for (size_t i = 0; i < t.pair_count; i++)
        if (t.pairs[i].in.spi != spi)
            t.pairs[kept++] = t.pairs[i];
    t.pair_count = kept;
    t.gones++;
}

static uint64_t turn(void) {
    for (;;) {
        struct lb_ike_action action = lb_ike_poll(&t.ike, lb_now_us());
        switch (action.event) {
        case LB_IKE_WAIT:
            return action.until_us;
        case LB_IKE_SEND:
            send_to(action.from.port, action.to.port, action.bytes);
            break;
        case LB_IKE_UP:
            if (t.pair_count == PAIRS)
                die("too many pairs");
            lb_ipsec_begin(&t.pairs[t.pair_count++], action.terms);
            t.ups++;
            printf("up: %08x out, %08x in, %zu-bit key%s%s\n", action.terms->out_spi,
                   action.terms->in_spi, (action.terms->key_len - 4) * 8,
                   action.terms->has_esn ? ", long numbers" : "",
                   action.terms->in_udp ? ", in UDP" : "");
            break;
        case LB_IKE_GONE:
            gone(action.spi);
            break;
        case LB_IKE_FAILED:
            t.is_over = true;
            break;
        }
    }
}

/* Runs until a counter has come so far, or fails. */
static void reach(const unsigned *counter, unsigned goal, const char *what) {
    uint64_t end_us = lb_now_us() + STEP_S * LB_US_SEC, ping_us = 0;
    unsigned number = 0;
    while (*counter < goal) {
        uint64_t until_us = turn(), now = lb_now_us();
        if ((t.is_over && counter != &t.ike.due) || now > end_us)
            die(what);
        if (counter == &t.pongs && now >= ping_us) {
            ping((uint16_t)number++);
            ping_us = now + LB_US_SEC / 10;
        }
        struct pollfd fds[] = {{.fd = t.udp500, .events = POLLIN},
                               {.fd = t.udp4500, .events = POLLIN}};
        uint64_t wait_us = until_us > now ? LB_MIN(until_us - now, LB_US_SEC / 20) : 0;
        poll(fds, 2, (int)(wait_us / LB_US_MS) + 1);
        if (fds[0].revents & POLLIN)
            receive(t.udp500, LB_IKE_PORT);
        if (fds[1].revents & POLLIN)
            receive(t.udp4500, LB_IKE_NAT_PORT);
    }
}

static void run_until(const unsigned *counter, unsigned goal, const char *what) {
    reach(counter, goal, what);
    printf("ok: %s\n", what);
}

/* Pings for so long, while both ends renew their keys; says how long an answer was missing. */
static void hold(unsigned seconds) {
    uint64_t start_us = lb_now_us(), last_us = start_us, gap_us = 0;
    unsigned ike_sas = 0;
    uint8_t spi[8] = {0};
    while (lb_now_us() < start_us + seconds * LB_US_SEC) {
        reach(&t.pongs, t.pongs + 1, "pings while keys are renewed");
        gap_us = LB_MAX(gap_us, lb_now_us() - last_us);
        last_us = lb_now_us();
        ike_sas += memcmp(spi, t.ike.sa.spi_i, sizeof spi) != 0;
        memcpy(spi, t.ike.sa.spi_i, sizeof spi);
    }
    printf("ok: held; %u pongs, %u children, %u IKE SAs, %u ms without\n", t.pongs, t.ups, ike_sas,
           (unsigned)(gap_us / LB_US_MS));
}

/* Until the IKE SA has other names than before. */
static void run_ike_renewed(const char *what) {
    uint64_t end_us = lb_now_us() + STEP_S * LB_US_SEC;
    uint8_t before[8];
    memcpy(before, t.ike.sa.spi_i, sizeof before);
    lb_ike_rekey_ike(&t.ike, lb_now_us());
    while (memcmp(before, t.ike.sa.spi_i, sizeof before) == 0 || t.ike.state != LB_IKE_READY) {
        reach(&t.pongs, t.pongs + 1, "pings");
        if (lb_now_us() > end_us)
            die(what);
    }
    printf("ok: %s\n", what);
}

/* Until nothing is asked any more. */
static void run_quiet(const char *what) {
    uint64_t end_us = lb_now_us() + STEP_S * LB_US_SEC;
    do {
        unsigned before = t.pongs;
        run_until(&t.pongs, before + 1, what);
        if (lb_now_us() > end_us)
            die(what);
    } while (t.ike.state != LB_IKE_READY);
}

int main(int argc, char **argv) {
    uint8_t seed[LB_RAND_SEED_BYTES];
    if (argc < 8 || !lb_addr_parse(lb_bytes_of_text(argv[1]), &t.local) ||
        !lb_addr_parse(lb_bytes_of_text(argv[2]), &t.remote) ||
        !lb_addr_parse(lb_bytes_of_text(argv[3]), &t.inner_local) ||
        !lb_addr_parse(lb_bytes_of_text(argv[4]), &t.inner_remote)) {
        fprintf(stderr, "usage: lunboot-test-ike LOCAL REMOTE INNER-LOCAL INNER-REMOTE ID PEER-ID "
                        "PSK [x25519|p256 [SECONDS [RENEW]]]\n");
        return 2;
    }
    struct lb_ike_config config = {
        .psk = lb_bytes_of_text(argv[7]),
        .id = argv[5],
        .peer_id = argv[6],
        .local = t.local,
        .remote = t.remote,
        .selector = {.local = t.inner_local,
                     .remote = t.inner_remote,
                     .local_last = 65535,
                     .remote_last = 65535},
        .group = argc > 8 && strcmp(argv[8], "p256") == 0 ? LB_DH_P256 : LB_DH_X25519,
    };
    unsigned hold_s = argc > 9 ? (unsigned)strtoul(argv[9], NULL, 10) : 0;
    config.rekey_s = argc > 10 ? (uint32_t)strtoul(argv[10], NULL, 10) : 0;
    config.rekey_ike_s = config.rekey_s;
    if (getrandom(seed, sizeof seed, 0) != (ssize_t)sizeof seed)
        die("getrandom");
    setvbuf(stdout, NULL, _IOLBF, 0);
    lb_rand_init(&t.rand, seed);
    lb_trace_init(&t.trace, lb_now_us(), lb_span(t.ring, sizeof t.ring));
    t.udp500 = open_port(LB_IKE_PORT);
    t.udp4500 = open_port(LB_IKE_NAT_PORT);
    lb_ike_init(&t.ike, lb_now_us(), &config, &t.rand, &t.trace);
    run_until(&t.ups, 1, "INIT and AUTH");
    run_until(&t.pongs, PINGS, "pings through the tunnel");
    if (hold_s > 0) {
        hold(hold_s);
        return 0;
    }
    lb_ike_rekey(&t.ike, lb_now_us());
    run_until(&t.ups, 2, "new keys, with a Diffie-Hellman of their own");
    run_until(&t.gones, 1, "the old ones are deleted");
    run_until(&t.pongs, t.pongs + PINGS, "pings with the new keys");
    run_ike_renewed("new keys of the IKE SA");
    lb_ike_rekey(&t.ike, lb_now_us());
    run_until(&t.ups, 3, "the child's new keys by the new IKE SA");
    run_until(&t.pongs, t.pongs + PINGS, "pings with those");
    lb_ike_probe(&t.ike, lb_now_us());
    turn();
    run_quiet("a sign of life");
    lb_ike_close(&t.ike, lb_now_us());
    turn();
    for (unsigned i = 0; i < 200 && !t.is_over; i++) {
        struct pollfd fds = {.fd = t.udp4500, .events = POLLIN};
        poll(&fds, 1, 20);
        if (fds.revents & POLLIN)
            receive(t.udp4500, LB_IKE_NAT_PORT);
        turn();
    }
    if (!t.is_over)
        die("the end");
    printf("ok: the end\n");
    return 0;
}
