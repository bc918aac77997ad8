/* Interface, packet socket, ARP and names, in a network namespace of this process alone: ta0 and
 * tb0 are the ends of one cable. Needs root; else every test is skipped. */
#include "hosts/linux/arp.h"
#include "hosts/linux/iface.h"
#include "hosts/linux/loop.h"
#include "hosts/linux/machine.h"
#include "os/linux/packet.h"
#include "tests/tap.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static struct lb_iface iface;
static struct lb_error error;

static bool run(const char *command) {
    return system(command) == 0;
}

static struct lb_boot_net usual_net(void) {
    return (struct lb_boot_net){
        .address = {lb_addr_v4(192, 0, 2, 50), 24},
        .routes = {{{lb_addr_v4(0, 0, 0, 0), 0}, lb_addr_v4(192, 0, 2, 254)},
                   {{lb_addr_v4(198, 51, 100, 0), 24}, lb_addr_v4(0, 0, 0, 0)},
                   {{lb_addr_v4(203, 0, 113, 0), 24}, lb_addr_v4(10, 9, 8, 7)}},
        .route_count = 3,
        .mtu = 1400,
        .lease_s = 600,
    };
}

static void open_iface(void) {
    error = (struct lb_error){0};
    CHECK(lb_iface_open(&iface, "ta0", NULL, &error));
}

/* ---- the interface --------------------------------------------------------------------------- */

static void an_interface_that_is_not_there_is_named(void) {
    error = (struct lb_error){0};
    CHECK(!lb_iface_open(&iface, "nope0", NULL, &error));
    CHECK_EQ(error.code, LB_E_NO_INTERFACE);
    CHECK_HAS(error.facts, "nope0");
}

static void a_loopback_is_no_interface_to_boot_from(void) {
    error = (struct lb_error){0};
    CHECK(!lb_iface_open(&iface, "lo", NULL, &error));
    CHECK_EQ(error.code, LB_E_NO_INTERFACE);
    CHECK_HAS(error.facts, "Ethernet");
}

static void an_overlong_name_is_no_interface(void) {
    error = (struct lb_error){0};
    CHECK(!lb_iface_open(&iface, "a-name-of-more-than-15-bytes", NULL, &error));
    CHECK_EQ(error.code, LB_E_NO_INTERFACE);
}

/* The kernel tells of a carrier when it has a moment, not within the call that changed it. */
static bool comes_to(bool has_carrier) {
    struct pollfd events = {.fd = iface.netlink.events_fd, .events = POLLIN};
    while (poll(&events, 1, 3000) == 1)
        if (lb_iface_changed(&iface) && iface.link.has_carrier == has_carrier)
            return true;
    return false;
}

static void carrier_comes_and_goes_with_the_other_end(void) {
    open_iface();
    CHECK(!iface.found.is_up);
    CHECK(lb_iface_raise(&iface, &error));
    CHECK(iface.link.is_up && !iface.link.has_carrier);
    lb_iface_changed(&iface);
    CHECK(run("ip link set tb0 up"));
    CHECK(comes_to(true));
    CHECK_EQ(lb_iface_changed(&iface) & LB_NETLINK_LINK, 0);
    CHECK(run("ip link set tb0 down"));
    CHECK(comes_to(false));
    lb_iface_restore(&iface);
    CHECK(run("ip -o link show ta0 | grep -qv '[<,]UP[,>]'"));
    lb_iface_close(&iface);
}

static void address_routes_and_mtu_are_set_and_taken_back(void) {
    struct lb_boot_net net = usual_net();
    open_iface();
    CHECK(run("ip link set tb0 up"));
    CHECK(lb_iface_raise(&iface, &error));
    CHECK_STR(lb_iface_configure(&iface, &net), NULL);
    CHECK_STR(iface.remark, "");
    CHECK(
        run("ip -4 -o addr show ta0 | grep -q '192.0.2.50/24 brd 192.0.2.255.*valid_lft 600sec'"));
    CHECK(run("ip route show | grep -q '^default via 192.0.2.254 dev ta0 proto dhcp metric 1024'"));
    CHECK(run("ip route show | grep -q '^198.51.100.0/24 dev ta0'"));
    CHECK(run("ip route show | grep -q '^203.0.113.0/24 via 10.9.8.7 dev ta0 proto dhcp metric "
              "1026 onlink'"));
    CHECK(run("ip link show ta0 | grep -q 'mtu 1400'"));
    CHECK(lb_machine_has_address("ta0"));
    lb_iface_restore(&iface);
    CHECK(run("test -z \"$(ip -4 -o addr show ta0)\""));
    CHECK(run("test -z \"$(ip route show)\""));
    CHECK(run("ip link show ta0 | grep -q 'mtu 1500.*state DOWN'"));
    CHECK(!lb_machine_has_address("ta0"));
    lb_iface_close(&iface);
}

static void another_lease_takes_the_place_of_the_first(void) {
    struct lb_boot_net net = usual_net();
    open_iface();
    CHECK(lb_iface_raise(&iface, &error));
    CHECK_STR(lb_iface_configure(&iface, &net), NULL);
    net.lease_s = 1200; /* a renewal, with one route less */
    net.route_count = 1;
    CHECK_STR(lb_iface_configure(&iface, &net), NULL);
    CHECK(run("ip -4 -o addr show ta0 | grep -q 'valid_lft 1[12][0-9][0-9]sec'"));
    CHECK(run("test \"$(ip route show | wc -l)\" = 2"));
    net.address.addr = lb_addr_v4(192, 0, 2, 51);
    CHECK_STR(lb_iface_configure(&iface, &net), NULL);
    CHECK(run("ip -4 -o addr show ta0 | grep -q 192.0.2.51"));
    CHECK(run("test \"$(ip -4 -o addr show ta0 | wc -l)\" = 1"));
    lb_iface_clear(&iface);
    CHECK(run("test -z \"$(ip -4 -o addr show ta0)\""));
    lb_iface_restore(&iface);
    lb_iface_close(&iface);
}

static void what_was_up_before_stays_up(void) {
    CHECK(run("ip link set ta0 up && ip addr add 198.51.100.1/24 dev ta0"));
    struct lb_boot_net net = usual_net();
    net.route_count = 0;
    open_iface();
    CHECK(lb_iface_raise(&iface, &error));
    CHECK_STR(lb_iface_configure(&iface, &net), NULL);
    lb_iface_restore(&iface);
    CHECK(run("ip -o link show ta0 | grep -q '[<,]UP[,>]'"));
    CHECK(run("ip -4 -o addr show ta0 | grep -q 198.51.100.1"));
    CHECK(run("ip addr flush dev ta0 && ip link set ta0 down"));
    lb_iface_close(&iface);
}

/* ---- what is others' ------------------------------------------------------------------------- */

/* Runs a boot's life on ta0 while `before` is what others have done, and `meanwhile` what they do
 * in its course; `after` must hold while the boot is configured, and when it is undone. */
static void boots_beside(const char *before, const char *meanwhile, const char *after) {
    struct lb_boot_net net = usual_net();
    CHECK(run(before));
    open_iface();
    CHECK(lb_iface_raise(&iface, &error));
    CHECK_STR(lb_iface_configure(&iface, &net), NULL);
    CHECK(run(meanwhile));
    CHECK(run(after));
    CHECK_STR(lb_iface_configure(&iface, &net), NULL); /* a renewal */
    CHECK(run(after));
    lb_iface_restore(&iface);
    CHECK(run(after));
    lb_iface_close(&iface);
}

static void another_interfaces_routes_stay_whatever_their_metric(void) {
    static const char *const metrics[] = {"", "metric 100", "metric 1024", "metric 1025"};
    CHECK(run("ip link add up0 type veth peer name up1; ip link set up1 up; ip link set up0 up; "
              "ip addr add 10.9.9.2/24 dev up0"));
    for (size_t i = 0; i < LB_COUNT(metrics); i++) {
        char before[160], after[160];
        lb_format(before, sizeof(before),
                  "ip route add default via 10.9.9.1 %s && ip route add 198.51.100.0/24 via "
                  "10.9.9.1 %s",
                  metrics[i], metrics[i]);
        lb_format(after, sizeof(after),
                  "ip route show dev up0 | grep -q '^default via 10.9.9.1 *%s *$' && "
                  "ip route show dev up0 | grep -q '^198.51.100.0/24 via 10.9.9.1 *%s *$'",
                  metrics[i], metrics[i]);
        boots_beside(before, "ip route show dev ta0 | grep -q '^default via 192.0.2.254 '", after);
        CHECK(run("test -z \"$(ip route show dev ta0)\""));
        CHECK(run("ip route flush dev up0 proto boot"));
    }
    CHECK(run("ip link del up0"));
}

static void our_own_interfaces_routes_of_others_stay(void) {
    boots_beside("ip link set ta0 up; ip addr add 192.0.2.9/24 dev ta0; "
                 "ip route add default via 192.0.2.1 dev ta0 metric 1024",
                 "ip route show dev ta0 | grep -q 'default via 192.0.2.254'",
                 "ip route show dev ta0 | grep -q '^default via 192.0.2.1 metric 1024'");
    CHECK(run("ip addr flush dev ta0; ip link set ta0 down"));
}

static void the_same_address_of_another_stays_with_its_lifetime(void) {
    boots_beside("ip link set ta0 up; ip addr add 192.0.2.50/24 dev ta0", "true",
                 "ip -o addr show dev ta0 | grep -q '192.0.2.50/24 .*valid_lft forever'");
    CHECK(run("ip addr flush dev ta0; ip link set ta0 down"));
}

static void an_address_that_others_add_meanwhile_stays_and_so_does_the_interface(void) {
    boots_beside("true",
                 "ip addr show dev ta0 | grep -q 192.0.2.77 || ip addr add 192.0.2.77/24 dev ta0",
                 "ip -o addr show dev ta0 | grep -q 192.0.2.77/24 && "
                 "ip -o link show ta0 | grep -q '[<,]UP[,>]'");
    CHECK(run("test \"$(ip -4 -o addr show ta0 | wc -l)\" = 1"));
    CHECK(run("ip addr flush dev ta0; ip link set ta0 down"));
}

static void what_was_down_with_an_address_is_down_again(void) {
    boots_beside("ip addr add 198.51.100.1/24 dev ta0", "true",
                 "ip -o addr show dev ta0 | grep -q 198.51.100.1/24");
    CHECK(run("ip -o link show ta0 | grep -qv '[<,]UP[,>]'"));
    CHECK(run("ip addr flush dev ta0"));
}

static void an_mtu_that_others_set_meanwhile_stays(void) {
    struct lb_boot_net net = usual_net();
    open_iface();
    CHECK(lb_iface_raise(&iface, &error));
    CHECK_STR(lb_iface_configure(&iface, &net), NULL);
    CHECK(run("ip link set ta0 mtu 1300"));
    lb_iface_restore(&iface);
    CHECK(run("ip link show ta0 | grep -q 'mtu 1300'"));
    CHECK(run("ip link set ta0 mtu 1500"));
    lb_iface_close(&iface);
}

/* Strict: what a target says from behind our router would be thrown away, for the other interface
 * has the default route. */
static void the_check_of_where_packets_come_from_is_loose_meanwhile(void) {
    CHECK(run("sysctl -qw net.ipv4.conf.ta0.rp_filter=1"));
    open_iface();
    CHECK(lb_iface_raise(&iface, &error));
    CHECK(lb_sysctl_is("ipv4/conf", "ta0", "rp_filter", "2"));
    lb_iface_restore(&iface);
    CHECK(lb_sysctl_is("ipv4/conf", "ta0", "rp_filter", "1"));
    CHECK(lb_iface_raise(&iface, &error));
    CHECK(run("sysctl -qw net.ipv4.conf.ta0.rp_filter=0"));
    lb_iface_restore(&iface);
    CHECK(lb_sysctl_is("ipv4/conf", "ta0", "rp_filter", "0"));
    lb_iface_close(&iface);
}

static void an_address_is_pinned_to_our_interface_where_another_would_be_taken(void) {
    struct lb_boot_net net = usual_net();
    net.route_count = 1;
    CHECK(run("ip link add up0 type veth peer name up1; ip link set up1 up; ip link set up0 up; "
              "ip addr add 10.9.9.2/24 dev up0; ip route add default via 10.9.9.1"));
    open_iface();
    CHECK(lb_iface_raise(&iface, &error));
    CHECK_STR(lb_iface_configure(&iface, &net), NULL);
    CHECK(run("ip route get 203.0.113.7 | grep -q 'dev up0'"));
    lb_iface_pin(&iface, lb_addr_v4(203, 0, 113, 7));
    lb_iface_pin(&iface, lb_addr_v4(203, 0, 113, 7)); /* it is there */
    lb_iface_pin(&iface, lb_addr_v4(192, 0, 2, 1));   /* ours anyway */
    CHECK(run("ip route get 203.0.113.7 | grep -q 'via 192.0.2.254 dev ta0'"));
    CHECK(run("ip route get 203.0.113.8 | grep -q 'dev up0'"));
    CHECK(run("test \"$(ip route show dev ta0 | wc -l)\" = 3"));
    lb_iface_restore(&iface);
    CHECK(run("test -z \"$(ip route show dev ta0)\""));
    CHECK(run("ip link del up0"));
    lb_iface_close(&iface);
}

static void an_address_behind_our_router_is_pinned_before_another_default_route_comes(void) {
    struct lb_boot_net net = usual_net();
    net.route_count = 1;
    open_iface();
    CHECK(lb_iface_raise(&iface, &error));
    CHECK_STR(lb_iface_configure(&iface, &net), NULL);
    lb_iface_pin(&iface, lb_addr_v4(203, 0, 113, 7));
    lb_iface_pin(&iface, lb_addr_v4(192, 0, 2, 1)); /* it is on our link */
    CHECK_EQ(iface.pins.count, 1);
    CHECK(run("ip link add up0 type veth peer name up1; ip link set up1 up; ip link set up0 up; "
              "ip addr add 10.9.9.2/24 dev up0; ip route add default via 10.9.9.1"));
    CHECK(run("ip route get 203.0.113.7 | grep -q 'via 192.0.2.254 dev ta0'"));
    CHECK(run("ip link del up0"));
    lb_iface_restore(&iface);
    lb_iface_close(&iface);
}

static void what_is_kept_is_not_taken_back(void) {
    struct lb_boot_net net = usual_net();
    open_iface();
    CHECK(lb_iface_raise(&iface, &error));
    CHECK_STR(lb_iface_configure(&iface, &net), NULL);
    lb_iface_keep(&iface);
    lb_iface_restore(&iface);
    CHECK(run("ip -4 -o addr show ta0 | grep -q 192.0.2.50"));
    CHECK(run("ip addr flush dev ta0 && ip link set ta0 down mtu 1500"));
    lb_iface_close(&iface);
}

static void an_mtu_that_the_card_refuses_is_remarked(void) {
    struct lb_boot_net net = usual_net();
    net.mtu = 65535; /* veth takes 65535, less its header */
    net.route_count = 0;
    CHECK(run("ip link set tb0 up"));
    open_iface();
    CHECK(lb_iface_raise(&iface, &error));
    CHECK_STR(lb_iface_configure(&iface, &net), NULL);
    if (iface.link.mtu != 65535)
        CHECK_HAS(iface.remark, "MTU 65535");
    lb_iface_restore(&iface);
    CHECK(run("ip link show ta0 | grep -q 'mtu 1500'"));
    lb_iface_close(&iface);
}

/* ---- packets --------------------------------------------------------------------------------- */

static int index_of(const char *name) {
    struct lb_netlink netlink;
    struct lb_link link = {0};
    lb_netlink_open(&netlink);
    lb_netlink_find(&netlink, name, &link);
    lb_netlink_close(&netlink);
    return link.index;
}

static bool can_read(int fd, int wait_ms) {
    struct pollfd one = {.fd = fd, .events = POLLIN};
    return poll(&one, 1, wait_ms) == 1;
}

static int udp_socket(const char *interface, const char *addr, uint16_t port) {
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
    int one = 1, fd = socket(AF_INET, SOCK_DGRAM, 0);
    inet_pton(AF_INET, addr, &in.sin_addr);
    setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &one, sizeof(one));
    if (interface)
        setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface, (socklen_t)strlen(interface));
    CHECK_EQ(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
    return fd;
}

static void send_to(int fd, const char *addr, uint16_t port, const char *text) {
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
    inet_pton(AF_INET, addr, &in.sin_addr);
    CHECK_EQ(sendto(fd, text, strlen(text), 0, (struct sockaddr *)&in, sizeof(in)), strlen(text));
}

/* A virtual cable leaves the checksum to be computed by a card that does not exist. */
static void a_broadcast_is_received_without_an_address(void) {
    uint8_t room[LB_PACKET_MAX];
    struct lb_endpoint from;
    struct lb_bytes payload;
    int fd = -1, server;

    CHECK(run("ip link set ta0 up && ip link set tb0 up && ip addr add 192.0.2.1/24 dev tb0"));
    CHECK_EQ(lb_packet_open(index_of("ta0"), 68, &fd), 0);
    server = udp_socket("tb0", "192.0.2.1", 67);
    send_to(server, "255.255.255.255", 69, "for another port");
    send_to(server, "255.255.255.255", 68, "an offer");
    CHECK(can_read(fd, 2000));
    CHECK(lb_packet_receive(fd, 68, lb_span(room, sizeof(room)), &from, &payload));
    CHECK_BYTES(payload, lb_bytes_of_text("an offer"));
    CHECK_STR(lb_endpoint_text(from).s, "192.0.2.1:67");
    CHECK(!lb_packet_receive(fd, 68, lb_span(room, sizeof(room)), &from, &payload));
    close(fd);
    close(server);
}

static void a_broadcast_is_sent_without_an_address(void) {
    static const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};
    struct lb_endpoint from = {lb_addr_v4(0, 0, 0, 0), 68},
                       to = {lb_addr_v4(255, 255, 255, 255), 67};
    uint8_t room[LB_PACKET_MAX], got[64];
    int fd = -1, server = udp_socket("tb0", "0.0.0.0", 67);
    struct lb_bytes frame =
        lb_packet_build(mac, from, to, lb_bytes_of_text("a discover"), lb_span(room, sizeof(room)));

    CHECK_EQ(lb_packet_open(index_of("ta0"), 68, &fd), 0);
    CHECK_EQ(lb_packet_send(fd, index_of("ta0"), frame), 0);
    CHECK(can_read(server, 2000)); /* the kernel has checked our checksums */
    CHECK_EQ(recv(server, got, sizeof(got), MSG_DONTWAIT), 10);
    close(fd);
    close(server);
}

/* Puts a frame on the cable at tb0, with a tag between the addresses and the type. */
static void send_tagged(struct lb_bytes frame, uint16_t tag) {
    struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = index_of("tb0")};
    uint8_t room[256];
    struct lb_wr wr = lb_wr(lb_span(room, sizeof(room)));
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    lb_wr_bytes(&wr, lb_bytes(frame.p, 12));
    lb_wr_u16(&wr, ETH_P_8021Q);
    lb_wr_u16(&wr, tag);
    lb_wr_bytes(&wr, lb_bytes_after(frame, 12));
    CHECK(lb_wr_ok(&wr));
    CHECK_EQ(sendto(fd, room, wr.len, 0, (struct sockaddr *)&to, sizeof(to)), wr.len);
    close(fd);
}

static void a_tag_of_vlan_0_is_a_priority_and_other_vlans_are_not_heard(void) {
    static const uint8_t mac[6] = {2, 0, 0, 0, 0, 9};
    struct lb_endpoint from = {lb_addr_v4(192, 0, 2, 1), 67},
                       to = {lb_addr_v4(255, 255, 255, 255), 68};
    uint8_t room[LB_PACKET_MAX];
    struct lb_bytes frame = lb_packet_build(mac, from, to, lb_bytes_of_text("offer"),
                                            lb_span(room, sizeof(room))),
                    payload;
    uint8_t got[LB_PACKET_MAX];
    int fd = -1;
    CHECK_EQ(lb_packet_open(index_of("ta0"), 68, &fd), 0);
    send_tagged(frame, 100);
    send_tagged(frame, 3 << 13 | 100);
    CHECK(!can_read(fd, 200) ||
          !lb_packet_receive(fd, 68, lb_span(got, sizeof(got)), &from, &payload));
    send_tagged(frame, 3 << 13);
    CHECK(can_read(fd, 2000));
    CHECK(lb_packet_receive(fd, 68, lb_span(got, sizeof(got)), &from, &payload));
    CHECK_BYTES(payload, lb_bytes_of_text("offer"));
    close(fd);
}

/* Whether an ARP packet with this tag, in which somebody else has the address, is a conflict. */
static bool conflicts_with_tag(uint16_t tag) {
    static const uint8_t mac[6] = {2, 0, 0, 0, 0, 9};
    struct lb_addr addr = lb_addr_v4(192, 0, 2, 98);
    uint8_t frame[LB_ARP_FRAME];
    struct lb_arp_socket arp;
    open_iface();
    CHECK_EQ(lb_arp_socket_open(&arp, iface.link.index, iface.link.mac), 0);
    lb_arp_start(&arp.probe, lb_now_us(), addr);
    lb_arp_build(frame, mac, addr, addr);
    send_tagged(lb_bytes(frame, sizeof(frame)), tag);
    can_read(arp.fd, 200);
    enum lb_arp_event answer = lb_arp_socket_poll(&arp, lb_now_us());
    lb_arp_socket_close(&arp);
    lb_iface_close(&iface);
    return answer == LB_ARP_TAKEN;
}

static void who_has_the_address_in_another_vlan_is_no_conflict(void) {
    CHECK(conflicts_with_tag(5 << 13));
    CHECK(!conflicts_with_tag(100));
}

static enum lb_arp_event ask(struct lb_addr addr, uint64_t *took_us) {
    struct lb_arp_socket arp;
    uint64_t start_us = lb_now_us(), now_us = start_us;
    enum lb_arp_event answer;
    open_iface();
    CHECK_EQ(lb_arp_socket_open(&arp, iface.link.index, iface.link.mac), 0);
    lb_arp_start(&arp.probe, start_us, addr);
    while ((answer = lb_arp_socket_poll(&arp, now_us)) == LB_ARP_WAIT) {
        can_read(arp.fd, (int)((arp.probe.until_us - now_us) / 1000) + 1);
        now_us = lb_now_us();
    }
    *took_us = lb_now_us() - start_us;
    lb_arp_socket_close(&arp);
    lb_iface_close(&iface);
    return answer;
}

static void arp_finds_who_has_an_address(void) {
    uint64_t took_us;
    CHECK_EQ(ask(lb_addr_v4(192, 0, 2, 1), &took_us), LB_ARP_TAKEN);
    CHECK(took_us < 90 * LB_US_MS);
}

static void arp_takes_an_address_for_free_after_100_ms(void) {
    uint64_t took_us;
    CHECK_EQ(ask(lb_addr_v4(192, 0, 2, 99), &took_us), LB_ARP_FREE);
    CHECK(took_us >= 100 * LB_US_MS && took_us < 2000 * LB_US_MS);
}

static const struct {
    const char *name;
    void (*function)(void);
} tests[] = {
#define T(name)                                                                                    \
    { #name, name }
    T(an_interface_that_is_not_there_is_named),
    T(a_loopback_is_no_interface_to_boot_from),
    T(an_overlong_name_is_no_interface),
    T(carrier_comes_and_goes_with_the_other_end),
    T(address_routes_and_mtu_are_set_and_taken_back),
    T(another_lease_takes_the_place_of_the_first),
    T(what_was_up_before_stays_up),
    T(another_interfaces_routes_stay_whatever_their_metric),
    T(our_own_interfaces_routes_of_others_stay),
    T(the_same_address_of_another_stays_with_its_lifetime),
    T(an_address_that_others_add_meanwhile_stays_and_so_does_the_interface),
    T(what_was_down_with_an_address_is_down_again),
    T(an_mtu_that_others_set_meanwhile_stays),
    T(the_check_of_where_packets_come_from_is_loose_meanwhile),
    T(an_address_is_pinned_to_our_interface_where_another_would_be_taken),
    T(an_address_behind_our_router_is_pinned_before_another_default_route_comes),
    T(what_is_kept_is_not_taken_back),
    T(an_mtu_that_the_card_refuses_is_remarked),
    T(a_broadcast_is_received_without_an_address),
    T(a_broadcast_is_sent_without_an_address),
    T(a_tag_of_vlan_0_is_a_priority_and_other_vlans_are_not_heard),
    T(who_has_the_address_in_another_vlan_is_no_conflict),
    T(arp_finds_who_has_an_address),
    T(arp_takes_an_address_for_free_after_100_ms),
};

int main(void) {
    const char *reason = geteuid() != 0              ? "network namespaces need root"
                         : unshare(CLONE_NEWNET) < 0 ? "no network namespace can be made here"
                         : !run("ip link add ta0 type veth peer name tb0") ? "no virtual cable"
                                                                           : NULL;
    for (size_t i = 0; i < LB_COUNT(tests); i++) {
        if (reason)
            tap_skip(tests[i].name, reason);
        else
            tap_run(tests[i].name, tests[i].function);
    }
    return tap_done();
}
