/* What an answer of our DHCPv4 server costs with so many known clients: a DISCOVER and a REQUEST
 * each, in memory. Prints nanoseconds of CPU an answer, and the bytes that a client takes. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/dhcp4/dhcp4_wire.h"

static struct lb_dhcp4_server server;

_Noreturn void lb_assert_failed(const char *file, int line, const char *what) {
    fprintf(stderr, "%s:%d: %s\n", file, line, what);
    abort();
}

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static struct lb_addr ask(uint32_t machine, enum lb_dhcp4_type type, struct lb_addr address) {
    uint8_t room[LB_DHCP4_PACKET_MAX], answer[LB_DHCP4_PACKET_MAX], memory[64];
    struct lb_wr list = lb_wr(lb_span(memory, sizeof memory));
    struct lb_dhcp4_layout layout = {.max_bytes = sizeof room};
    struct lb_dhcp4_header header = {.op = LB_BOOTREQUEST, .htype = 1, .hlen = 6};
    struct lb_wr mac = lb_wr(lb_span(header.chaddr + 2, 4));
    lb_wr_u32(&mac, machine);
    lb_dhcp4_put_u8(&list, LB_OPT_TYPE, (uint8_t)type);
    if (type == LB_DHCP4_REQUEST) {
        lb_dhcp4_put_addr(&list, LB_OPT_REQUESTED_ADDRESS, address);
        lb_dhcp4_put_addr(&list, LB_OPT_SERVER_ID, server.config.server);
    }
    struct lb_bytes request = lb_dhcp4_encode(&header, &list, layout, lb_span(room, sizeof room));
    struct lb_dhcp4_reply reply =
        lb_dhcp4_server_input(&server, LB_US_SEC, (struct lb_endpoint){.port = 68}, request,
                              lb_span(answer, sizeof answer));
    if (reply.bytes.len < 20)
        abort();
    return lb_addr_v4_bytes(answer + 16); /* yiaddr */
}

static void measure(uint32_t clients) {
    struct lb_binding *bindings = calloc(clients, sizeof *bindings);
    struct lb_dhcp4_server_config config = {
        .server = lb_addr_v4(10, 1, 0, 1),
        .network = {.addr = lb_addr_v4(10, 0, 0, 0), .len = 8},
        .first = lb_addr_v4(10, 2, 0, 0),
        .last = lb_addr_v4(10, 2, 255, 255),
        .root_path = lb_bytes_of_text("iscsi:10.1.0.1::::iqn.2026-11.test:disk"),
        .hash_key = {1, 2},
    };
    if (bindings == NULL)
        abort();
    lb_dhcp4_server_init(&server, &config, bindings, clients);
    for (uint32_t i = 0; i < clients; i++)
        ask(i, LB_DHCP4_REQUEST, ask(i, LB_DHCP4_DISCOVER, lb_addr_v4(0, 0, 0, 0)));
    uint32_t answers = 0;
    double began = seconds(), took;
    do {
        for (uint32_t i = 0; i < 10000; i++, answers += 2)
            ask(i % clients, LB_DHCP4_REQUEST,
                ask(i % clients, LB_DHCP4_DISCOVER, lb_addr_v4(0, 0, 0, 0)));
        took = seconds() - began;
    } while (took < 0.5);
    printf("%6u known clients: %5.0f ns an answer, %zu bytes a client\n", clients,
           took / answers * 1e9, sizeof *bindings);
    free(bindings);
}

int main(void) {
    static const uint32_t clients[] = {10, 1000, 10000};
    for (size_t i = 0; i < LB_COUNT(clients); i++)
        measure(clients[i]);
    return 0;
}
