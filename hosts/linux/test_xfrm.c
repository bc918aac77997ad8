/* The kernel's guards, in a network namespace of this process alone: what a peer that is guarded
 * does not get. Needs root and a kernel with XFRM; else every test is skipped. Whether the kernel
 * has ESP as well is seen here, and either will do: tests/vm has the rest. */
#include "core/base/text.h"
#include "hosts/linux/xfrm.h"
#include "os/linux/os_address.h"
#include "tests/tap.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct lb_xfrm xfrm;
static struct lb_addr ours, theirs;
static int tap_fd; /* a packet socket at the other end of the cable */

static struct lb_addr addr(const char *text) {
    struct lb_addr parsed = {0};
    CHECK(lb_addr_parse(lb_bytes_of_text(text), &parsed));
    return parsed;
}

static struct lb_ipsec_terms terms(uint32_t spi) {
    struct lb_ipsec_terms t = {.has_esn = true, .key_len = 36, .in_spi = spi, .out_spi = spi + 1};
    t.local = (struct lb_endpoint){ours, 4500};
    t.remote = (struct lb_endpoint){theirs, 4500};
    memset(t.in_key, 1, sizeof(t.in_key));
    memset(t.out_key, 2, sizeof(t.out_key));
    return t;
}

/* How many lines of ip's answer have this word. */
static int count(const char *what, const char *word) {
    char command[128];
    lb_format(command, sizeof(command), "exit $(ip xfrm %s | grep -c '%s')", what, word);
    int status = system(command);
    return status < 0 ? -1 : status >> 8;
}

/* Without those that admit what is not guarded. */
static int count_guards(void) {
    return count("policy", "priority") - count("policy", "priority 4294967294");
}

/* Whether packets that no policy is for are blocked, and whether policies admit all others. */
static bool is_denied(void) {
    return count("policy getdefault", "block") == 2;
}

static bool is_admitted(void) {
    return count("policy", "priority 4294967294") == 4;
}

/* How many datagrams have come in clear to the cable's other end. */
static int count_clear(void) {
    uint8_t packet[256];
    ssize_t got;
    int clear = 0;
    while ((got = recv(tap_fd, packet, sizeof(packet), MSG_DONTWAIT)) > 0)
        if (got > 20 && packet[packet[0] >> 4 == 4 ? 9 : 6] == IPPROTO_UDP)
            clear++;
    return clear;
}

/* Whether a datagram from `from` goes to the peer in clear. is_ike: of a socket that lb_xfrm_pass
 * lets. */
static bool goes(struct lb_addr from, bool is_ike) {
    struct lb_os_address own = lb_os_address((struct lb_endpoint){.addr = from}, 0);
    struct lb_os_address to = lb_os_address((struct lb_endpoint){theirs, 9}, 0);
    int fd = socket(own.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0);
    CHECK(bind(fd, &own.any, own.len) == 0);
    if (is_ike)
        CHECK_EQ(lb_xfrm_pass(fd, from.family), 0);
    (void)count_clear();
    (void)!sendto(fd, "x", 1, 0, &to.any, to.len); /* refused, or taken and dropped */
    close(fd);
    return count_clear() > 0;
}

static void protect(uint32_t spi) {
    struct lb_ipsec_terms t = terms(spi);
    int refused = lb_xfrm_protect(&xfrm, &t);
    CHECK(refused == 0 || refused == EPROTONOSUPPORT || refused == ENOSYS);
    CHECK_EQ(xfrm.pair_count, refused == 0);
    tap_note("ESP: %s", refused == 0 ? "yes" : strerror(refused));
}

static void check_guard(const char *own, const char *other, const char *peer, int policies) {
    CHECK_EQ(lb_xfrm_open(&xfrm), 0);
    ours = addr(own);
    theirs = addr(peer);
    CHECK(goes(ours, false));
    protect(0x1000);
    CHECK(lb_xfrm_is_guarded(&xfrm, ours, theirs));
    CHECK_EQ(count_guards(), policies);
    CHECK_EQ(count("policy", "action block"), 2);
    CHECK(!goes(addr(other), false)); /* whatever address of ours it is from */
    CHECK(!goes(ours, false));
    CHECK(goes(ours, true));
    lb_xfrm_drop_all(&xfrm, theirs);
    CHECK_EQ(count("state", "proto esp"), 0);
    CHECK(!goes(ours, false)); /* the guard stays */
    lb_xfrm_close(&xfrm);
    CHECK_EQ(count_guards(), 0);
    CHECK(goes(ours, false));
}

static void nothing_goes_to_a_guarded_peer_in_clear(void) {
    check_guard("192.0.2.50", "192.0.2.51", "192.0.2.1", 4);
}

static void nor_over_ipv6_but_neighbours(void) {
    check_guard("2001:db8::50", "2001:db8::51", "2001:db8::1", 8);
}

static void a_peer_that_is_split_off_is_left_alone_by_the_others_end(void) {
    struct lb_xfrm other;
    ours = addr("192.0.2.50");
    theirs = addr("192.0.2.1");
    CHECK_EQ(lb_xfrm_open(&xfrm), 0);
    CHECK_EQ(lb_xfrm_open(&other), 0);
    protect(0x2000);
    lb_xfrm_split(&xfrm, theirs, &other);
    CHECK_EQ(xfrm.guard_count, 0);
    CHECK_EQ(other.guard_count, 1);
    lb_xfrm_close(&xfrm);
    CHECK_EQ(count_guards(), 4);
    CHECK_EQ(count("state", "proto esp"), 2 * (int)other.pair_count);
    lb_xfrm_close(&other);
    CHECK_EQ(count_guards(), 0);
}

static void what_another_process_guards_is_used_and_left(void) {
    struct lb_xfrm other;
    ours = addr("192.0.2.50");
    theirs = addr("192.0.2.1");
    CHECK_EQ(lb_xfrm_open(&xfrm), 0);
    CHECK_EQ(lb_xfrm_open(&other), 0);
    CHECK(!lb_xfrm_share(&other, ours, theirs)); /* nobody guards it */
    CHECK_EQ(other.guard_count, 0);
    protect(0x2100);
    CHECK(!lb_xfrm_share(&other, addr("192.0.2.51"), theirs));
    CHECK(lb_xfrm_share(&other, ours, theirs));
    CHECK(lb_xfrm_share(&other, ours, theirs));
    CHECK_EQ(other.guard_count, 1);
    CHECK(lb_xfrm_is_guarded(&other, ours, theirs));
    lb_xfrm_close(&other);
    CHECK_EQ(count_guards(), 4);
    CHECK_EQ(count("state", "proto esp"), 2 * (int)xfrm.pair_count);
    CHECK(is_denied());
    /* Without the first one it is the second's own. */
    CHECK_EQ(lb_xfrm_open(&other), 0);
    CHECK(lb_xfrm_share(&other, ours, theirs));
    lb_xfrm_close(&xfrm);
    xfrm = other;
    protect(0x2200);
    CHECK_EQ(xfrm.guard_count, 1);
    CHECK(!xfrm.guards[0].is_anothers);
    lb_xfrm_close(&xfrm);
    CHECK_EQ(count_guards(), 0);
    CHECK(!is_denied());
}

static void what_another_took_away_is_guarded_again(void) {
    ours = addr("192.0.2.50");
    theirs = addr("192.0.2.1");
    CHECK_EQ(lb_xfrm_open(&xfrm), 0);
    protect(0x3000);
    CHECK_EQ(system("ip xfrm policy flush"), 0);
    lb_xfrm_drop_all(&xfrm, theirs);
    protect(0x4000);
    CHECK_EQ(count_guards(), 4);
    CHECK(!goes(ours, false));
    lb_xfrm_close(&xfrm);
}

static void check_block(const char *own, const char *peer, int neighbours) {
    ours = addr(own);
    theirs = addr(peer);
    CHECK(goes(ours, false));
    CHECK_EQ(lb_xfrm_block(theirs), 0);
    CHECK(!goes(ours, false));
    CHECK_EQ(lb_xfrm_block(theirs), 0); /* harmless where it is blocked */
    CHECK_EQ(count("policy", "action block"), 2);
    CHECK_EQ(count_guards(), 2 + neighbours);
    CHECK_EQ(system("ip xfrm policy deleteall dir out"), 0);
    CHECK(goes(ours, false));
    CHECK_EQ(lb_xfrm_block(theirs), 0); /* one way alone was missing */
    CHECK(!goes(ours, false));
    CHECK_EQ(system("ip xfrm policy flush"), 0);
}

static void a_peer_is_blocked_where_nobody_guards_it_any_more(void) {
    check_block("192.0.2.50", "192.0.2.1", 0);
    check_block("2001:db8::50", "2001:db8::1", 4);
}

static void what_another_takes_away_is_reported_and_put_back(void) {
    int watch = lb_xfrm_watch();
    ours = addr("192.0.2.50");
    theirs = addr("192.0.2.1");
    CHECK(watch >= 0);
    CHECK_EQ(lb_xfrm_open(&xfrm), 0);
    protect(0x5000);
    CHECK(!lb_xfrm_taken(watch).policies); /* what is set is not taken */
    CHECK(!lb_xfrm_restore(&xfrm, false));
    CHECK_EQ(system("ip xfrm policy flush"), 0);
    CHECK(!goes(ours, false)); /* nothing goes until they are back */
    CHECK(lb_xfrm_taken(watch).policies);
    CHECK(lb_xfrm_restore(&xfrm, false));
    CHECK_EQ(count_guards(), 4);
    CHECK(!goes(ours, false));
    CHECK(!lb_xfrm_taken(watch).policies);
    if (xfrm.pair_count > 0) {
        CHECK(lb_xfrm_has_keys(&xfrm, theirs));
        CHECK_EQ(system("ip xfrm state flush"), 0);
        CHECK(lb_xfrm_taken(watch).sas);
        CHECK(!lb_xfrm_has_keys(&xfrm, theirs));
    }
    lb_xfrm_close(&xfrm);
    close(watch);
}

static struct lb_addr third;

/* Whether a datagram goes to a machine that nobody guards. */
static bool goes_to_others(void) {
    struct lb_addr guarded = theirs;
    theirs = third;
    bool went = goes(ours, false);
    theirs = guarded;
    return went;
}

static void check_no_gap(const char *own, const char *peer, const char *other) {
    ours = addr(own);
    theirs = addr(peer);
    third = addr(other);
    CHECK(!is_denied());
    CHECK_EQ(lb_xfrm_open(&xfrm), 0);
    protect(0x9000);
    CHECK(is_denied() && is_admitted());
    for (int i = 0; i < 5; i++) {
        CHECK(goes_to_others());
        CHECK_EQ(system("ip xfrm policy flush"), 0);
        CHECK(!goes(ours, false));
        CHECK(!goes(addr(own), false));
        CHECK(goes(ours, true)); /* IKE does */
        CHECK(!goes_to_others());
        CHECK(lb_xfrm_restore(&xfrm, i == 0));
        CHECK(!goes(ours, false));
    }
    CHECK(goes_to_others());
    lb_xfrm_close(&xfrm);
    CHECK(!is_denied());
    CHECK_EQ(count("policy", "priority"), 0);
    CHECK(goes(ours, false));
}

static void nothing_goes_in_clear_between_a_flush_and_the_return_of_the_guards(void) {
    check_no_gap("192.0.2.50", "192.0.2.1", "192.0.2.2");
    check_no_gap("2001:db8::50", "2001:db8::1", "2001:db8::2");
}

/* The first is lunboot-ike's, the second that of a boot to the same peer that fails. */
static void who_guards_still_has_no_gap_either_when_another_ends(void) {
    struct lb_xfrm first;
    ours = addr("192.0.2.50");
    theirs = addr("192.0.2.1");
    third = addr("192.0.2.2");
    CHECK_EQ(lb_xfrm_open(&xfrm), 0);
    protect(0xa000);
    first = xfrm;
    CHECK_EQ(lb_xfrm_open(&xfrm), 0);
    protect(0xa100);
    CHECK(!xfrm.denied_before || xfrm.denies);
    lb_xfrm_close(&xfrm);
    CHECK(is_denied() && is_admitted());
    CHECK_EQ(lb_xfrm_open(&xfrm), 0); /* to another peer, until its end: the first looks again */
    theirs = third;
    protect(0xa200);
    lb_xfrm_rest(&xfrm, 3260);
    CHECK(!is_denied());
    theirs = addr("192.0.2.1");
    (void)lb_xfrm_restore(&first, false);
    CHECK(is_denied() && is_admitted());
    lb_xfrm_close(&first);
    CHECK(!is_denied() && !is_admitted());
    CHECK_EQ(system("ip xfrm policy flush"), 0);
}

static void a_default_that_an_administrator_has_set_is_left_alone(void) {
    ours = addr("192.0.2.50");
    theirs = addr("192.0.2.1");
    CHECK_EQ(system("ip xfrm policy setdefault in block out block"), 0);
    CHECK_EQ(lb_xfrm_open(&xfrm), 0);
    protect(0xb000);
    CHECK_EQ(count("policy", "priority 4294967294"), 0);
    lb_xfrm_close(&xfrm);
    CHECK(is_denied());
    CHECK_EQ(system("ip xfrm policy setdefault in accept out accept"), 0);
}

/* A daemon's own policy for the same packets, as strongSwan's: another number, another reqid. */
static void set_daemon_policy(const char *dir, const char *from, const char *to) {
    char command[256];
    lb_format(command, sizeof(command),
              "ip xfrm policy update src %s/32 dst %s/32 dir %s priority 367231 tmpl src %s dst %s "
              "proto esp reqid 1 mode tunnel",
              from, to, dir, from, to);
    CHECK_EQ(system(command), 0);
}

static void a_daemons_policy_is_neither_replaced_nor_taken_away(void) {
    ours = addr("192.0.2.50");
    theirs = addr("192.0.2.1");
    CHECK_EQ(lb_xfrm_open(&xfrm), 0);
    protect(0x6000);
    CHECK_EQ(system("ip xfrm policy flush"), 0);
    set_daemon_policy("out", "192.0.2.50", "192.0.2.1");
    set_daemon_policy("in", "192.0.2.1", "192.0.2.50");
    CHECK(lb_xfrm_restore(&xfrm, true));
    CHECK_EQ(count("policy", "priority 367231"), 2);
    CHECK_EQ(count("policy", "action block"), 2);
    CHECK(!goes(addr("192.0.2.51"), false));
    lb_xfrm_close(&xfrm);
    CHECK_EQ(count("policy", "priority 367231"), 2);
    CHECK_EQ(count_guards(), 2);
    CHECK_EQ(system("ip xfrm policy flush"), 0);
}

/* A boot that fails, to the peer of a session that is there already. */
static void guards_of_another_are_left_by_the_end_of_a_boot(void) {
    struct lb_xfrm first;
    ours = addr("192.0.2.50");
    theirs = addr("192.0.2.1");
    CHECK_EQ(lb_xfrm_open(&xfrm), 0);
    protect(0x7000);
    first = xfrm;
    ours = addr("192.0.2.51");
    CHECK_EQ(lb_xfrm_open(&xfrm), 0);
    protect(0x7100);
    lb_xfrm_close(&xfrm);
    CHECK(!goes(addr("192.0.2.50"), false));
    CHECK(!goes(addr("192.0.2.51"), false));
    xfrm = first;
    lb_xfrm_rest(&xfrm, 3260);
    CHECK_EQ(system("ip xfrm policy flush"), 0);
}

static bool tcp_goes(uint16_t port) {
    struct lb_os_address to = lb_os_address((struct lb_endpoint){theirs, port}, 0);
    int fd = socket(to.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    uint8_t packet[256];
    ssize_t got;
    bool went = false;
    CHECK(fd >= 0);
    (void)count_clear();
    (void)!connect(fd, &to.any, to.len);
    while ((got = recv(tap_fd, packet, sizeof(packet), MSG_DONTWAIT)) > 0)
        went = went || (got > 20 && packet[packet[0] >> 4 == 4 ? 9 : 6] == IPPROTO_TCP);
    close(fd);
    return went;
}

static void check_rest(const char *own, const char *peer) {
    ours = addr(own);
    theirs = addr(peer);
    CHECK_EQ(lb_xfrm_open(&xfrm), 0);
    CHECK(tcp_goes(3260));
    protect(0x8000);
    CHECK(!tcp_goes(3260));
    CHECK(!tcp_goes(22));
    lb_xfrm_rest(&xfrm, 3260);
    CHECK_EQ(count("state", "proto esp"), 0);
    CHECK_EQ(count_guards(), 2);
    CHECK(!tcp_goes(3260));
    CHECK(tcp_goes(22));
    CHECK(goes(ours, false));
    CHECK_EQ(lb_xfrm_open(&xfrm), 0); /* the next boot, and its end */
    protect(0x8100);
    lb_xfrm_close(&xfrm);
    CHECK(!tcp_goes(3260));
    CHECK(tcp_goes(22));
    CHECK_EQ(system("ip xfrm policy flush"), 0);
}

static void at_rest_the_port_of_the_disk_is_blocked_and_nothing_else(void) {
    check_rest("192.0.2.50", "192.0.2.1");
    check_rest("2001:db8::50", "2001:db8::1");
}

static void skip_all(const char *why) {
    tap_skip("the kernel's guards", why);
}

static bool open_tap(void) {
    struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
    tap_fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(ETH_P_ALL));
    at.sll_ifindex = (int)if_nametoindex("tb0");
    return tap_fd >= 0 && bind(tap_fd, (struct sockaddr *)&at, sizeof(at)) == 0;
}

int main(void) {
    static const char setup[] =
        "ip link add ta0 type veth peer name tb0 && ip link set ta0 up && ip link set tb0 up && ip "
        "link set lo up && "
        "ip addr add 192.0.2.50/24 dev ta0 && ip addr add 192.0.2.51/24 dev ta0 && "
        "ip addr add 2001:db8::50/64 dev ta0 nodad && ip addr add 2001:db8::51/64 dev ta0 nodad && "
        "ip neigh add 192.0.2.1 lladdr 02:00:00:00:00:01 dev ta0 && "
        "ip neigh add 192.0.2.2 lladdr 02:00:00:00:00:02 dev ta0 && "
        "ip neigh add 2001:db8::2 lladdr 02:00:00:00:00:02 dev ta0 && "
        "ip neigh add 2001:db8::1 lladdr 02:00:00:00:00:01 dev ta0 && ip xfrm policy";
    if (geteuid() != 0 || unshare(CLONE_NEWNET) != 0)
        skip_all("needs root");
    else if (system(setup) != 0)
        skip_all("no ip, no veth, or a kernel without XFRM");
    else if (!open_tap())
        skip_all("no packet socket");
    else {
        TEST(nothing_goes_to_a_guarded_peer_in_clear);
        TEST(nor_over_ipv6_but_neighbours);
        TEST(what_another_process_guards_is_used_and_left);
        TEST(what_another_took_away_is_guarded_again);
        TEST(a_peer_is_blocked_where_nobody_guards_it_any_more);
        TEST(what_another_takes_away_is_reported_and_put_back);
        TEST(nothing_goes_in_clear_between_a_flush_and_the_return_of_the_guards);
        TEST(who_guards_still_has_no_gap_either_when_another_ends);
        TEST(a_default_that_an_administrator_has_set_is_left_alone);
        TEST(a_daemons_policy_is_neither_replaced_nor_taken_away);
        TEST(guards_of_another_are_left_by_the_end_of_a_boot);
        TEST(at_rest_the_port_of_the_disk_is_blocked_and_nothing_else);
        TEST(a_peer_that_is_split_off_is_left_alone_by_the_others_end);
    }
    return tap_done();
}
