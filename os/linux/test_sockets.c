/* Sockets of servers, on the loopback interface. */
#include "os/linux/clock.h"
#include "os/linux/datagram.h"
#include "os/linux/os_address.h"
#include "os/linux/tcp.h"
#include "tests/tap.h"
#include <poll.h>
#include <unistd.h>

static const struct lb_addr loopback = {.family = LB_V4, .bytes = {127, 0, 0, 1}};

/* Bound to the loopback address, at a port of the kernel's choice. */
static struct lb_endpoint bind_one(int fd) {
    struct lb_os_address at = lb_os_address((struct lb_endpoint){.addr = loopback}, 0);
    CHECK_EQ(bind(fd, &at.any, at.len), 0);
    CHECK_EQ(getsockname(fd, &at.any, &at.len), 0);
    return lb_os_endpoint(&at.any);
}

static void wait_for(int fd) {
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    CHECK_EQ(poll(&wait, 1, 2000), 1);
}

static void a_datagram_says_who_sent_it_and_one_that_does_not_fit_is_empty(void) {
    int server = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int client = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct lb_endpoint at = bind_one(server), from = bind_one(client);
    struct lb_udp_received in = {.is_to_group = true};
    uint8_t room[8];
    CHECK(lb_udp_tell_groups(server, LB_V4));
    CHECK(!lb_udp_receive(server, lb_span(room, sizeof room), &in)); /* it does not wait */
    lb_udp_send(client, 0, at, lb_bytes("eight..8", 8));
    lb_udp_send(client, 0, at, lb_bytes("nine....9", 9));
    wait_for(server);
    CHECK(lb_udp_receive(server, lb_span(room, sizeof room), &in));
    CHECK(lb_endpoint_equal(in.from, from));
    CHECK_BYTES(in.payload, lb_bytes("eight..8", 8));
    CHECK(!in.is_to_group);
    wait_for(server);
    CHECK(lb_udp_receive(server, lb_span(room, sizeof room), &in));
    CHECK_EQ(in.payload.len, 0);
    CHECK(!lb_udp_receive(-1, lb_span(room, sizeof room), &in));
    close(server);
    close(client);
}

/* Port unreachable comes back to the socket that sent, and does no harm there. */
static void a_refusal_is_passed_over(void) {
    int gone = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int client = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct lb_os_address at = lb_os_address(bind_one(gone), 0);
    struct lb_udp_received in;
    struct pollfd wait = {.fd = client, .events = POLLIN};
    uint8_t room[8];
    close(gone);
    CHECK_EQ(connect(client, &at.any, at.len), 0);
    CHECK_EQ(send(client, "x", 1, 0), 1);
    CHECK_EQ(poll(&wait, 1, 2000), 1);
    CHECK(!lb_udp_receive(client, lb_span(room, sizeof room), &in));
    close(client);
}

static void a_connection_is_accepted_with_its_sender(void) {
    int listener = lb_tcp_open(LB_V4), client = lb_tcp_open(LB_V4);
    struct lb_endpoint at = bind_one(listener), from = bind_one(client), who = {0};
    CHECK_EQ(listen(listener, 1), 0);
    CHECK_EQ(lb_tcp_accept(listener, &who), -1); /* nobody has come; it does not wait */
    CHECK_EQ(lb_tcp_connect(client, at, 0), 0);
    wait_for(listener);
    int fd = lb_tcp_accept(listener, &who);
    CHECK(fd >= 0);
    CHECK(lb_endpoint_equal(who, from));
    close(fd);
    close(client);
    close(listener);
}

static void the_clock_goes_forward(void) {
    uint64_t before_us = lb_now_us();
    usleep(2000);
    CHECK(lb_now_us() >= before_us + 2000);
}

int main(void) {
    TEST(a_datagram_says_who_sent_it_and_one_that_does_not_fit_is_empty);
    TEST(a_refusal_is_passed_over);
    TEST(a_connection_is_accepted_with_its_sender);
    TEST(the_clock_goes_forward);
    return tap_done();
}
