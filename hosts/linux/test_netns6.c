/* IPv6 on the interface, and datagrams, in a network namespace of this process alone: ta0 and tb0
 * are the ends of one cable. Needs root and IPv6; else every test is skipped. */
#include "hosts/linux/iface.h"
#include "hosts/linux/loop.h"
#include "os/linux/datagram.h"
#include "tests/tap.h"
#include <arpa/inet.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct lb_iface iface;
static struct lb_error error;

static bool run(const char *command) {
    return system(command) == 0;
}

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

static void open_iface(void) {
    error = (struct lb_error){0};
    CHECK(lb_iface_open(&iface, "ta0", NULL, &error));
}

static struct lb_addr v6(const char *text) {
    struct lb_addr addr = {0};
    CHECK(lb_addr_parse_v6(lb_bytes_of_text(text), &addr));
    return addr;
}

static struct lb_prefix prefix6(const char *text) {
    struct lb_prefix prefix = {0};
    CHECK(lb_prefix_parse(lb_bytes_of_text(text), &prefix));
    return prefix;
}

/* ta0 is ours and has a carrier, tb0 is somebody else's. */
static void open_iface6(void) {
    CHECK(run("ip link set tb0 up; ip link set ta0 down"));
    open_iface();
    iface.has_ipv6 = true;
    CHECK(lb_iface_raise(&iface, &error));
    CHECK_STR(iface.v6.remark, "");
}

static void close_iface6(void) {
    lb_iface_restore(&iface);
    lb_iface_close(&iface);
    CHECK(run("test -z \"$(ip -6 -o addr show dev ta0)\""));
}

struct answers6 {
    size_t count, conflicts;
    struct lb_addr last;
    uint64_t took_us;
};

/* Waits until `count` of the addresses that were probed are answered. */
static struct answers6 answers6(size_t count) {
    struct pollfd events = {.fd = iface.netlink.events_fd, .events = POLLIN};
    struct answers6 seen = {0};
    uint64_t start_us = lb_now_us();
    while (seen.count < count && lb_now_us() < start_us + 5 * LB_US_SEC) {
        bool conflict;
        while (lb_iface6_next(&iface.v6, &iface.netlink, &seen.last, &conflict)) {
            seen.count++;
            seen.conflicts += conflict ? 1 : 0;
        }
        if (seen.count < count && poll(&events, 1, 1000) == 1)
            lb_iface_changed(&iface);
    }
    seen.took_us = lb_now_us() - start_us;
    CHECK_EQ(seen.count, count);
    return seen;
}

static bool setting_is(const char *name, const char *value) {
    return lb_sysctl_is("ipv6/conf", "ta0", name, value);
}

static void the_kernels_own_autoconfiguration_is_off_meanwhile(void) {
    open_iface6();
    CHECK(setting_is("accept_ra", "0") && setting_is("autoconf", "0"));
    CHECK(run("test -z \"$(ip -6 -o addr show dev ta0)\"")); /* not even a link-local one */
    close_iface6();
    CHECK(setting_is("accept_ra", "1") && setting_is("autoconf", "1"));
    CHECK(setting_is("addr_gen_mode", "0") && setting_is("dad_transmits", "1"));
    CHECK(lb_sysctl_is("ipv6/neigh", "ta0", "retrans_time_ms", "1000"));
}

static void without_ipv6_the_kernels_settings_are_left_alone(void) {
    open_iface();
    CHECK(lb_iface_raise(&iface, &error));
    CHECK(setting_is("accept_ra", "1"));
    lb_iface_restore(&iface);
    lb_iface_close(&iface);
}

static void ipv6_that_is_switched_off_is_switched_on_meanwhile(void) {
    struct lb_sysctl off;
    CHECK_EQ(lb_sysctl_set(&off, "ipv6/conf", "ta0", "disable_ipv6", "1"), 0);
    open_iface6();
    CHECK(setting_is("disable_ipv6", "0"));
    close_iface6();
    CHECK(setting_is("disable_ipv6", "1"));
    lb_sysctl_restore(&off);
}

static void several_addresses_are_probed_at_once_in_a_tenth_of_a_second(void) {
    struct answers6 seen;
    open_iface6();
    lb_iface6_probe(&iface.v6, &iface.netlink, prefix6("fe80::77/64"));
    lb_iface6_probe(&iface.v6, &iface.netlink, prefix6("2001:db8:1::77/64"));
    lb_iface6_probe(&iface.v6, &iface.netlink, prefix6("2001:db8:2::77/128"));
    CHECK(!lb_sysctl_is("ipv6/neigh", "ta0", "retrans_time_ms", "1000"));
    seen = answers6(3);
    CHECK_EQ(seen.conflicts, 0);
    CHECK(seen.took_us >= 90 * LB_US_MS && seen.took_us < 900 * LB_US_MS);
    tap_note("%u ms", (unsigned)(seen.took_us / LB_US_MS));
    CHECK(lb_sysctl_is("ipv6/neigh", "ta0", "retrans_time_ms", "1000"));
    CHECK(run("ip -6 -o addr show dev ta0 | grep -q '2001:db8:2::77/128'"));
    lb_iface6_probe(&iface.v6, &iface.netlink,
                    prefix6("fe80::77/64")); /* it is there: no second wait */
    CHECK(answers6(1).took_us < 50 * LB_US_MS);
    close_iface6();
}

static void an_address_that_another_machine_has_is_a_conflict(void) {
    struct answers6 seen;
    CHECK(
        run("ip addr add 2001:db8:1::78/64 dev tb0 nodad; ip addr add fe80::78/64 dev tb0 nodad"));
    open_iface6();
    lb_iface6_probe(&iface.v6, &iface.netlink, prefix6("2001:db8:1::78/64"));
    seen = answers6(1);
    CHECK_EQ(seen.conflicts, 1);
    CHECK(seen.took_us < 90 * LB_US_MS);
    CHECK(run("test -z \"$(ip -6 -o addr show dev ta0)\""));
    close_iface6();
}

/* RFC 4429: routers and servers may be asked from it meanwhile, without our link-layer address. */
static void a_link_local_address_is_used_while_it_is_probed(void) {
    struct lb_prefix address = prefix6("fe80::79/64");
    open_iface6();
    lb_iface6_probe(&iface.v6, &iface.netlink, address);
    CHECK(answers6(1).took_us < 50 * LB_US_MS);
    CHECK(lb_iface6_is_optimistic(&iface.v6, address.addr));
    for (unsigned i = 0; i < 50 && iface.v6.probing > 0; i++) {
        bool conflict;
        CHECK(!lb_iface6_next(&iface.v6, &iface.netlink, &address.addr, &conflict));
        usleep(20000);
    }
    CHECK(!lb_iface6_is_optimistic(&iface.v6, address.addr));
    CHECK(run("ip -6 -o addr show dev ta0 | grep 'fe80::79/64' | grep -qv tentative"));
    close_iface6();
}

static void a_link_local_address_may_be_a_conflict_after_all(void) {
    struct answers6 seen;
    open_iface6();
    lb_iface6_probe(&iface.v6, &iface.netlink, prefix6("fe80::78/64"));
    seen = answers6(1); /* that it is ours, unless the other machine was faster */
    if (seen.conflicts == 0)
        seen = answers6(1);
    CHECK_EQ(seen.conflicts, 1);
    CHECK(run("test -z \"$(ip -6 -o addr show dev ta0)\""));
    CHECK(run("ip -6 addr flush dev tb0 scope global; ip addr del fe80::78/64 dev tb0"));
    close_iface6();
}

static struct lb_boot_net usual_net6(void) {
    return (struct lb_boot_net){
        .addrs6 = {{prefix6("2001:db8:1::77/64"), 1800, 3600},
                   {prefix6("2001:db8:1::1d/128"), LB_FOREVER, LB_FOREVER}},
        .addr6_count = 2,
        .routes6 = {{prefix6("2001:db8:1::/64"), {0}},
                    {prefix6("::/0"), v6("fe80::1")},
                    {prefix6("::/0"), v6("fe80::2")}},
        .route6_count = 3,
        .dns = {v6("fe80::53")},
        .dns_count = 1,
    };
}

static void addresses_lifetimes_and_routes_of_ipv6_are_set_and_taken_back(void) {
    struct lb_boot_net net = usual_net6();
    open_iface6();
    lb_iface6_probe(&iface.v6, &iface.netlink, prefix6("fe80::77/64"));
    answers6(1);
    CHECK_STR(lb_iface_configure(&iface, &net), NULL);
    CHECK_STR(iface.remark, "");
    CHECK(run("ip -6 -o addr show ta0 | grep -q '2001:db8:1::77/64 .*valid_lft 3600sec "
              "preferred_lft 1800sec'"));
    CHECK(run("ip -6 -o addr show ta0 | grep -q '2001:db8:1::1d/128 .*valid_lft forever'"));
    CHECK(run("ip -6 route show dev ta0 | grep -q '^2001:db8:1::/64 proto dhcp'"));
    CHECK(run("ip -6 route show dev ta0 | grep -q '^default via fe80::1 .*metric 1025'"));
    CHECK(run("ip -6 route show dev ta0 | grep -q '^default via fe80::2 .*metric 1026'"));
    CHECK(run("ip -6 route get 2001:db8:9::9 | grep -q 'via fe80::1 '"));
    lb_iface_clear(&iface);
    CHECK(run("test -z \"$(ip -6 -o addr show dev ta0 scope global)\""));
    CHECK(run("ip -6 -o addr show dev ta0 | grep -q fe80::77"));
    CHECK(run("test -z \"$(ip -6 route show dev ta0 proto dhcp)\""));
    close_iface6();
}

static void an_address_that_is_set_without_a_probe_hears_at_once(void) {
    struct lb_boot_net net = usual_net6();
    open_iface6();
    CHECK(!lb_netlink_is_local(&iface.netlink, net.addrs6[0].address.addr));
    for (unsigned i = 0; i < 20; i++) {
        CHECK_STR(lb_iface_configure(&iface, &net), NULL);
        CHECK(lb_netlink_is_local(&iface.netlink, net.addrs6[0].address.addr));
        CHECK(lb_netlink_is_local(&iface.netlink, net.addrs6[1].address.addr));
        lb_iface_clear(&iface);
    }
    close_iface6();
}

static void a_renewal_changes_lifetimes_and_routers_in_place(void) {
    struct lb_boot_net net = usual_net6();
    open_iface6();
    CHECK_STR(lb_iface_configure(&iface, &net), NULL);
    net.addrs6[0].valid_s = 7200;
    net.addrs6[0].preferred_s = 0; /* deprecated */
    net.addr6_count = 1;
    net.route6_count = 2;
    net.routes6[1].via = v6("fe80::2"); /* the first router has gone */
    CHECK_STR(lb_iface_configure(&iface, &net), NULL);
    CHECK(
        run("ip -6 -o addr show ta0 | grep -q '2001:db8:1::77/64 .*deprecated.* valid_lft 7200sec "
            "preferred_lft 0sec'"));
    CHECK(run("test \"$(ip -6 -o addr show dev ta0 | wc -l)\" = 1"));
    CHECK(run("test \"$(ip -6 route show default dev ta0)\" = "
              "\"default via fe80::2 proto dhcp metric 1025 pref medium\""));
    close_iface6();
}

static void both_families_are_configured_and_each_may_go(void) {
    struct lb_boot_net net = usual_net6();
    net.address = (struct lb_prefix){lb_addr_v4(192, 0, 2, 50), 24};
    net.routes[0] = (struct lb_route){{lb_addr_v4(0, 0, 0, 0), 0}, lb_addr_v4(192, 0, 2, 254)};
    net.route_count = 1;
    open_iface6();
    CHECK_STR(lb_iface_configure(&iface, &net), NULL);
    CHECK(run("ip -o addr show ta0 | grep -q 192.0.2.50/24"));
    CHECK(run("ip -o addr show ta0 | grep -q 2001:db8:1::77"));
    net.address = (struct lb_prefix){0};
    net.route_count = 0;
    CHECK_STR(lb_iface_configure(&iface, &net), NULL);
    CHECK(run("test -z \"$(ip -4 -o addr show ta0; ip -4 route show)\""));
    CHECK(run("ip -o addr show ta0 | grep -q 2001:db8:1::77"));
    net = (struct lb_boot_net){.address = {lb_addr_v4(192, 0, 2, 50), 24}};
    CHECK_STR(lb_iface_configure(&iface, &net), NULL);
    CHECK(run("test -z \"$(ip -6 -o addr show dev ta0)\""));
    close_iface6();
}

/* Routes of router advertisements have the metric that ours begin with. */
static void another_interfaces_routes_stay(void) {
    static const char *const metrics[] = {"1024", "1025", "100"};
    struct lb_boot_net net = usual_net6();
    CHECK(run("ip link add up0 type veth peer name up1; ip link set up1 up; ip link set up0 up; "
              "ip addr add 2001:db8:9::2/64 dev up0 nodad"));
    for (size_t i = 0; i < LB_COUNT(metrics); i++) {
        char before[160], after[160];
        lb_format(before, sizeof(before),
                  "ip -6 route add default via 2001:db8:9::1 dev up0 metric %s", metrics[i]);
        lb_format(after, sizeof(after),
                  "ip -6 route show dev up0 | grep -q '^default via 2001:db8:9::1 metric %s'",
                  metrics[i]);
        CHECK(run(before));
        open_iface6();
        CHECK_STR(lb_iface_configure(&iface, &net), NULL);
        CHECK(run(after));
        CHECK(run("test \"$(ip -6 route show default dev ta0 | wc -l)\" = 2"));
        CHECK_STR(lb_iface_configure(&iface, &net), NULL);
        close_iface6();
        CHECK(run(after));
        CHECK(run("ip -6 route flush default dev up0"));
    }
    CHECK(run("ip link del up0"));
}

static void the_same_address_of_another_keeps_lifetime_and_route(void) {
    struct lb_boot_net net = usual_net6();
    CHECK(
        run("ip link set tb0 up; ip link set ta0 up; ip addr add 2001:db8:1::77/64 dev ta0 nodad"));
    open_iface();
    iface.has_ipv6 = true;
    CHECK(lb_iface_raise(&iface, &error));
    CHECK_STR(lb_iface_configure(&iface, &net), NULL);
    lb_iface_hold(&iface);
    lb_iface_restore(&iface);
    lb_iface_close(&iface);
    CHECK(run("ip -6 -o addr show dev ta0 | grep -q '2001:db8:1::77/64 .*valid_lft forever'"));
    CHECK(run("ip -6 route show dev ta0 | grep -q '^2001:db8:1::/64 proto kernel'"));
    CHECK(run("ip addr flush dev ta0 scope global; ip link set ta0 down"));
}

static void a_setting_that_others_change_meanwhile_stays(void) {
    open_iface6();
    CHECK(setting_is("accept_ra", "0"));
    CHECK(run("sysctl -qw net.ipv6.conf.ta0.accept_ra=2"));
    close_iface6();
    CHECK(setting_is("accept_ra", "2"));
    CHECK(run("sysctl -qw net.ipv6.conf.ta0.accept_ra=1"));
}

static void an_address_that_was_there_before_stays(void) {
    struct lb_boot_net net = usual_net6();
    CHECK(
        run("ip link set tb0 up; ip link set ta0 up; ip addr add 2001:db8:1::77/64 dev ta0 nodad"));
    open_iface();
    iface.has_ipv6 = true;
    CHECK(lb_iface_raise(&iface, &error));
    lb_iface6_probe(&iface.v6, &iface.netlink, prefix6("2001:db8:1::77/64"));
    CHECK_EQ(answers6(1).conflicts, 0);
    CHECK_STR(lb_iface_configure(&iface, &net), NULL);
    lb_iface_restore(&iface);
    lb_iface_close(&iface);
    CHECK(run("test \"$(ip -6 -o addr show dev ta0 scope global | wc -l)\" = 1"));
    CHECK(run("ip -6 -o addr show dev ta0 | grep -q 2001:db8:1::77/64"));
    CHECK(run("ip addr flush dev ta0 scope global; ip link set ta0 down"));
}

/* ---- datagrams ------------------------------------------------------------------------------- */

static int icmp6_socket(const char *interface, int hops) {
    int fd = socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6);
    setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface, (socklen_t)strlen(interface));
    setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hops, sizeof(hops));
    return fd;
}

static void send_advertisement(int hops, uint8_t type) {
    uint8_t bytes[16] = {type, 0, 0, 0, (uint8_t)hops};
    struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_scope_id = (unsigned)index_of("tb0")};
    int fd = icmp6_socket("tb0", hops);
    inet_pton(AF_INET6, "ff02::1", &to.sin6_addr);
    CHECK_EQ(sendto(fd, bytes, sizeof(bytes), 0, (struct sockaddr *)&to, sizeof(to)), 16);
    close(fd);
}

static uint8_t room6[LB_DATAGRAM_MAX];

static bool next_datagram(struct lb_datagram *datagram, struct lb_endpoint *from,
                          struct lb_bytes *payload) {
    can_read(datagram->fd, 1000);
    return lb_datagram_receive(datagram, lb_span(room6, sizeof(room6)), from, payload);
}

/* Whatever else comes before it. */
static bool hears(struct lb_datagram *datagram, const char *text, struct lb_endpoint *from) {
    struct lb_bytes payload;
    for (unsigned i = 0; i < 5 && next_datagram(datagram, from, &payload); i++) {
        if (lb_text_is(payload, text))
            return true;
    }
    return false;
}

static void raise_both(void) {
    CHECK(run("ip link set ta0 up; ip link set tb0 up; ip addr replace fe80::1/64 dev tb0 nodad"));
}

static void advertisements_with_hop_limit_255_alone_are_heard(void) {
    static const uint8_t mac[6] = {2, 0, 0, 0, 0, 2};
    struct lb_datagram routers;
    struct lb_endpoint from;
    struct lb_bytes payload;
    raise_both();
    CHECK_EQ(lb_datagram_open_routers(&routers, "ta0", index_of("ta0"), mac), 0);
    send_advertisement(254, 134); /* routed: of another link */
    send_advertisement(255, 136); /* a neighbour's, no router's */
    send_advertisement(255, 134);
    CHECK(next_datagram(&routers, &from, &payload));
    CHECK_EQ(payload.len, 16);
    CHECK_EQ(payload.p[0], 134);
    CHECK_EQ(payload.p[4], 255);
    CHECK(lb_addr_is_link_local(from.addr));
    CHECK(!lb_datagram_receive(&routers, lb_span(room6, sizeof(room6)), &from, &payload));
    lb_datagram_close(&routers);
}

static void a_solicitation_leaves_from_nowhere_and_the_kernel_finds_it_good(void) {
    static const uint8_t mac[6] = {2, 0, 0, 0, 0, 2};
    uint8_t bytes[8] = {133}, got[64];
    struct lb_endpoint from = {.addr = v6("::")}, to = {.addr = v6("ff02::2")};
    struct ipv6_mreq group = {.ipv6mr_interface = (unsigned)index_of("tb0")};
    struct lb_datagram routers;
    struct sockaddr_in6 source = {0};
    socklen_t len = sizeof(source);
    int fd = icmp6_socket("tb0", 255);

    raise_both();
    inet_pton(AF_INET6, "ff02::2", &group.ipv6mr_multiaddr);
    CHECK_EQ(setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &group, sizeof(group)), 0);
    CHECK_EQ(lb_datagram_open_routers(&routers, "ta0", index_of("ta0"), mac), 0);
    lb_datagram_send(&routers, from, to, lb_bytes(bytes, sizeof(bytes)));
    do { /* listener reports come by here, too */
        if (!CHECK(can_read(fd, 2000)))
            break;
        CHECK(recvfrom(fd, got, sizeof(got), 0, (struct sockaddr *)&source, &len) > 0);
    } while (got[0] != 133); /* the kernel has looked at its checksum */
    CHECK(IN6_IS_ADDR_UNSPECIFIED(&source.sin6_addr));
    close(fd);
    lb_datagram_close(&routers);
}

/* Ends of tb0, by our own functions. */
static void what_is_sent_to_a_group_is_answered(enum lb_family family, const char *group,
                                                const char *us) {
    struct lb_datagram here, there;
    struct lb_endpoint to = {.port = 1427}, from = {0}, seen = {0};
    CHECK(lb_addr_parse(lb_bytes_of_text(group), &to.addr));
    CHECK_EQ(lb_datagram_open_udp(&here, "ta0", index_of("ta0"), family, 0), 0);
    CHECK_EQ(lb_datagram_open_udp(&there, "tb0", index_of("tb0"), family, 1427), 0);
    lb_datagram_send(&there, from, to, lb_bytes_of_text("joins")); /* nobody hears it */
    lb_datagram_send(&here, from, to, lb_bytes_of_text("a question"));
    CHECK(hears(&there, "a question", &seen));
    CHECK_STR(lb_addr_text(seen.addr).s, us);
    struct lb_endpoint asker = seen;
    bool is_heard = false; /* nobody repeats what is lost while an address is resolved */
    for (unsigned i = 0; i < 3 && !is_heard; i++) {
        lb_datagram_send(&there, from, asker, lb_bytes_of_text("an answer"));
        is_heard = hears(&here, "an answer", &seen);
    }
    CHECK(is_heard);
    CHECK_EQ(seen.port, 1427);
    lb_datagram_close(&here);
    lb_datagram_close(&there);
}

/* Both ends are this machine, which would be odd for IPv4. */
static void groups_of_both_families_are_reached_without_a_route(void) {
    raise_both();
    CHECK(run("for i in all ta0 tb0; do echo 1 >/proc/sys/net/ipv4/conf/$i/accept_local; "
              "echo 0 >/proc/sys/net/ipv4/conf/$i/rp_filter; done"));
    CHECK(run("ip -6 addr flush dev ta0; ip addr add fe80::60/64 dev ta0 nodad"));
    CHECK(run("ip addr add 192.0.2.60/24 dev ta0; ip addr add 192.0.2.61/24 dev tb0"));
    what_is_sent_to_a_group_is_answered(LB_V4, "239.255.255.253", "192.0.2.60");
    what_is_sent_to_a_group_is_answered(LB_V6, "ff02::116", "fe80::60");
    CHECK(run("ip addr flush dev ta0; ip addr flush dev tb0; ip link set ta0 down"));
}

/* DHCPv6: from the link-local address, whatever others there are. */
static void a_datagram_leaves_from_the_address_that_is_named(void) {
    struct lb_datagram client, server;
    struct lb_endpoint seen = {0}, to = {v6("ff02::1:2"), 547};
    struct lb_endpoint from = {v6("2001:db8:1::60"), 546};
    CHECK(
        run("ip link set ta0 up; ip link set tb0 down; ip link set tb0 up; "
            "ip addr add 2001:db8:1::60/64 dev ta0 nodad; ip addr add fe80::60/64 dev ta0 nodad"));
    CHECK_EQ(lb_datagram_open_udp(&client, "ta0", index_of("ta0"), LB_V6, 546), 0);
    CHECK_EQ(lb_datagram_open_udp(&server, "tb0", index_of("tb0"), LB_V6, 547), 0);
    lb_datagram_send(&server, (struct lb_endpoint){0}, to, lb_bytes_of_text("joins"));
    for (unsigned i = 0; i < 2; i++) {
        lb_datagram_send(&client, from, to, lb_bytes_of_text("solicit"));
        CHECK(hears(&server, "solicit", &seen));
        CHECK_EQ(seen.port, 546);
        CHECK_STR(lb_addr_text(seen.addr).s, lb_addr_text(from.addr).s);
        from.addr = v6("fe80::60");
    }
    lb_datagram_close(&client);
    lb_datagram_close(&server);
    CHECK(run("ip addr flush dev ta0; ip link set ta0 down"));
}

static const struct {
    const char *name;
    void (*function)(void);
} tests[] = {
#define T(name)                                                                                    \
    { #name, name }
    T(the_kernels_own_autoconfiguration_is_off_meanwhile),
    T(without_ipv6_the_kernels_settings_are_left_alone),
    T(ipv6_that_is_switched_off_is_switched_on_meanwhile),
    T(several_addresses_are_probed_at_once_in_a_tenth_of_a_second),
    T(an_address_that_another_machine_has_is_a_conflict),
    T(a_link_local_address_is_used_while_it_is_probed),
    T(a_link_local_address_may_be_a_conflict_after_all),
    T(addresses_lifetimes_and_routes_of_ipv6_are_set_and_taken_back),
    T(an_address_that_is_set_without_a_probe_hears_at_once),
    T(a_renewal_changes_lifetimes_and_routers_in_place),
    T(both_families_are_configured_and_each_may_go),
    T(another_interfaces_routes_stay),
    T(the_same_address_of_another_keeps_lifetime_and_route),
    T(a_setting_that_others_change_meanwhile_stays),
    T(an_address_that_was_there_before_stays),
    T(advertisements_with_hop_limit_255_alone_are_heard),
    T(a_solicitation_leaves_from_nowhere_and_the_kernel_finds_it_good),
    T(groups_of_both_families_are_reached_without_a_route),
    T(a_datagram_leaves_from_the_address_that_is_named),
};

int main(void) {
    const char *reason = geteuid() != 0              ? "network namespaces need root"
                         : unshare(CLONE_NEWNET) < 0 ? "no network namespace can be made here"
                         : !run("ip link add ta0 type veth peer name tb0") ? "no virtual cable"
                         : !lb_iface6_is_possible("ta0")                   ? "no IPv6 here"
                                                                           : NULL;
    for (size_t i = 0; i < LB_COUNT(tests); i++) {
        if (reason)
            tap_skip(tests[i].name, reason);
        else
            tap_run(tests[i].name, tests[i].function);
    }
    return tap_done();
}
