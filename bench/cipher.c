/* What AES-GCM costs as ESP uses it: packets of one size, each with a nonce of its own, sealed and
 * opened in place. One thread; CPU time. Prints MB/s (10^6 bytes, as `openssl speed` counts):
 * seal, open, and ESP whole: a TCP packet sealed by one end and opened by the other.
 *
 *   lunboot-bench-cipher [--portable] [BYTES [KEY_BITS [MILLISECONDS]]] */
#include "core/ipsec/ipsec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BYTES_MAX = 16384, ROOM = BYTES_MAX + LB_IPSEC_OVERHEAD_MAX, BATCH = 64, V4_BYTES = 20 };

static struct {
    size_t bytes, key_bytes;
    double ns;
    struct lb_gcm gcm;
    struct lb_ipsec client, server;
} bench;

static uint8_t text[BYTES_MAX];

_Noreturn void lb_assert_failed(const char *file, int line, const char *what) {
    fprintf(stderr, "%s:%d: %s\n", file, line, what);
    abort();
}

static double cpu_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void count_up(uint8_t nonce[LB_GCM_NONCE_BYTES]) {
    for (size_t i = LB_GCM_NONCE_BYTES; i-- > 4 && ++nonce[i] == 0;)
        continue;
}

/* Each of these works on one packet; false: it failed. */
static bool seal_one(void) {
    static uint8_t nonce[LB_GCM_NONCE_BYTES], tag[LB_GCM_TAG_BYTES];
    count_up(nonce);
    lb_gcm_seal(&bench.gcm, nonce, lb_bytes(nonce, 8), lb_span(text, bench.bytes), tag);
    return true;
}

/* A tag that is wrong costs what a right one costs, and the zeros that the text becomes. */
static bool open_one(void) {
    static uint8_t nonce[LB_GCM_NONCE_BYTES], tag[LB_GCM_TAG_BYTES];
    count_up(nonce);
    (void)lb_gcm_open(&bench.gcm, nonce, lb_bytes(nonce, 8), lb_span(text, bench.bytes), tag);
    return true;
}

static bool pass_one(void) {
    static uint8_t packet[ROOM], room[ROOM];
    size_t len = bench.bytes;
    memset(packet, 0, V4_BYTES);
    packet[0] = 0x45;
    packet[2] = (uint8_t)(len >> 8);
    packet[3] = (uint8_t)len;
    packet[9] = 6;
    memcpy(packet + 12, (uint8_t[]){192, 0, 2, 1, 192, 0, 2, 100}, 8);
    struct lb_bytes sealed =
        lb_ipsec_seal(&bench.server, lb_bytes(packet, len), lb_span(room, sizeof room));
    return lb_ipsec_open(&bench.client, lb_span(room, sealed.len)).len == len;
}

static double rate(bool (*work)(void)) {
    double start = cpu_ns(), now = start, packets = 0;
    do {
        for (unsigned i = 0; i < BATCH; i++)
            if (!work()) {
                fprintf(stderr, "lunboot-bench-cipher: a packet did not come through\n");
                exit(1);
            }
        packets += BATCH;
        now = cpu_ns();
    } while (now - start < bench.ns);
    return packets * (double)bench.bytes * 1e3 / (now - start);
}

static void set_up(bool is_portable) {
    static const uint8_t key[LB_GCM_KEY_MAX] = {4, 1, 7, 3};
    struct lb_ipsec_selector client = {.local = lb_addr_v4(192, 0, 2, 100),
                                       .remote = lb_addr_v4(192, 0, 2, 1),
                                       .local_last = UINT16_MAX,
                                       .remote_last = UINT16_MAX};
    struct lb_ipsec_selector server = client;
    server.local = client.remote;
    server.remote = client.local;
    struct lb_ipsec_terms terms = {.out_spi = 1000,
                                   .in_spi = 2000,
                                   .has_esn = true,
                                   .key_len = bench.key_bytes + 4,
                                   .local = {client.local, 4500},
                                   .remote = {client.remote, 4500},
                                   .in_udp = true,
                                   .selector = client};
    memcpy(terms.out_key, key, bench.key_bytes);
    memcpy(terms.in_key, key, bench.key_bytes);
    struct lb_bytes key_bytes = lb_bytes(key, bench.key_bytes);
    lb_ipsec_begin(&bench.client, &terms);
    terms.local.addr = server.local;
    terms.remote.addr = server.remote;
    terms.selector = server;
    terms.out_spi = 2000;
    terms.in_spi = 1000;
    lb_ipsec_begin(&bench.server, &terms);
    if (!is_portable) {
        lb_gcm_init(&bench.gcm, key_bytes);
        return;
    }
    lb_gcm_init_portable(&bench.gcm, key_bytes);
    bench.client.in.gcm = bench.server.out.gcm = bench.gcm;
}

int main(int argc, char **argv) {
    bool is_portable = argc > 1 && strcmp(argv[1], "--portable") == 0;
    argv += is_portable;
    argc -= is_portable;
    bench.bytes = argc > 1 ? strtoul(argv[1], NULL, 10) : 1448;
    bench.key_bytes = argc > 2 ? strtoul(argv[2], NULL, 10) / 8 : 16;
    bench.ns = (argc > 3 ? strtod(argv[3], NULL) : 300) * 1e6;
    if (bench.bytes < 64 || bench.bytes > BYTES_MAX ||
        (bench.key_bytes != 16 && bench.key_bytes != LB_GCM_KEY_MAX)) {
        fprintf(stderr, "lunboot-bench-cipher: 64 to %d bytes, and a key of 128 or 256 bits\n",
                BYTES_MAX);
        return 2;
    }
    set_up(is_portable);
    printf("%s seal %.0f open %.0f esp %.0f\n", is_portable ? "portable" : lb_gcm_method(),
           rate(seal_one), rate(open_one), rate(pass_one));
    return 0;
}
