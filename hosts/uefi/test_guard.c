/* What is let in of IPv6, on Linux: neighbour discovery as RFC 4861 wants it, and the packets on
 * which other stacks of firmware have choked. */
#include "core/base/mem.h"
#include "hosts/uefi/guard.h"
#include "tests/tap.h"

#define OURS   "fe80::5054:ff:fe12:3456"
#define THEIRS "fe80::1"
#define GROUP  "ff02::1:ff12:3456" /* the solicited-node group of OURS */
#define TARGET "00000000 fe80000000000000 505400fffe123456"

static const uint8_t our_mac[6] = {0x52, 0x54, 0, 0x12, 0x34, 0x56};
static const uint8_t their_mac[6] = {2, 0, 0, 0, 0, 1};

static uint8_t frame[1514];
static size_t frame_len;
static struct guard_view view;

static struct lb_addr addr(const char *text) {
    struct lb_addr parsed = {0};
    CHECK(lb_addr_parse(lb_bytes_of_text(text), &parsed));
    return parsed;
}

/* A frame from `mac` with these headers after IPv6's own, as hex. */
static void make(const uint8_t mac[6], const char *from, const char *to, uint8_t next,
                 uint8_t hop_limit, const char *payload) {
    struct lb_bytes rest = tap_hex(payload);
    struct lb_wr wr = lb_wr(lb_span(frame, sizeof frame));
    lb_wr_bytes(&wr, lb_bytes(our_mac, 6));
    lb_wr_bytes(&wr, lb_bytes(mac, 6));
    lb_wr_u16(&wr, 0x86dd);
    lb_wr_u32(&wr, 0x60000000);
    lb_wr_u16(&wr, (uint16_t)rest.len);
    lb_wr_u8(&wr, next);
    lb_wr_u8(&wr, hop_limit);
    lb_wr_addr(&wr, addr(from));
    lb_wr_addr(&wr, addr(to));
    lb_wr_bytes(&wr, rest);
    CHECK(lb_wr_ok(&wr));
    frame_len = 54 + rest.len;
}

/* RFC 1071, the plain way, over the pseudo header and the message at `at`; its checksum is zero. */
static void put_checksum(size_t at) {
    uint32_t sum = (uint32_t)(frame_len - at) + 58;
    for (size_t i = 22; i < 54; i += 2)
        sum += (uint32_t)(frame[i] << 8 | frame[i + 1]);
    for (size_t i = at; i < frame_len; i++)
        sum += (i - at) % 2 == 0 ? (uint32_t)frame[i] << 8 : frame[i];
    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    frame[at + 2] = (uint8_t)(~sum >> 8);
    frame[at + 3] = (uint8_t)~sum;
}

static void look(void) {
    view = guard_look(lb_bytes(frame, frame_len), our_mac);
}

/* ICMPv6 right behind the header. */
static void icmp_from(const uint8_t mac[6], const char *from, const char *to, uint8_t hop_limit,
                      const char *message) {
    make(mac, from, to, 58, hop_limit, message);
    put_checksum(54);
    look();
}

static void icmp(const char *from, const char *to, const char *message) {
    icmp_from(their_mac, from, to, 255, message);
}

static bool is_let_in(void) {
    return !view.drop;
}

#define ADVERT        "86000000 40c00708 00000000 00000000"
#define SOURCE_OPTION "0101 020000000001"
#define MTU_OPTION    "0501 0000 000005dc"

static void what_is_not_ipv6_is_let_in(void) {
    make(their_mac, THEIRS, OURS, 59, 64, "");
    frame[12] = 0x08;
    frame[13] = 0x00;
    look();
    CHECK(is_let_in());
    frame_len = 10;
    look();
    CHECK(is_let_in());
}

static void a_router_advertisement_is_for_the_engine_alone(void) {
    icmp(THEIRS, "ff02::1", ADVERT SOURCE_OPTION MTU_OPTION);
    CHECK(!is_let_in());
    CHECK_EQ(view.advert.len, 32);
    CHECK(view.advert.p == frame + 54);
    CHECK(lb_addr_equal(view.from, addr(THEIRS)));
}

static void a_router_advertisement_from_beyond_the_link_is_dropped(void) {
    icmp_from(their_mac, THEIRS, "ff02::1", 64, ADVERT);
    CHECK(!is_let_in() && view.advert.len == 0);
    icmp("2001:db8::1", "ff02::1", ADVERT);
    CHECK(!is_let_in() && view.advert.len == 0);
}

static void a_wrong_checksum_is_dropped(void) {
    icmp(THEIRS, "ff02::1", ADVERT);
    CHECK(view.advert.len > 0);
    frame[60] ^= 1;
    look();
    CHECK(!is_let_in() && view.advert.len == 0);
}

/* CVE-2023-45231: options of a truncated message; an option of no length never ends. */
static void an_option_longer_than_the_message_or_of_no_length_is_dropped(void) {
    icmp(THEIRS, "ff02::1", ADVERT "0102 020000000001");
    CHECK(!is_let_in() && view.advert.len == 0);
    icmp(THEIRS, "ff02::1", ADVERT "0100 020000000001");
    CHECK(!is_let_in() && view.advert.len == 0);
    icmp(THEIRS, GROUP, "87000000" TARGET "0100 020000000001");
    CHECK(!is_let_in());
    icmp(THEIRS, GROUP, "87000000" TARGET "01");
    CHECK(!is_let_in());
    icmp(THEIRS, GROUP, "87000000" TARGET "0102 020000000001 0000000000000000");
    CHECK(!is_let_in()); /* no address of Ethernet's has ten bytes or more */
}

static void redirects_are_dropped(void) {
    icmp(THEIRS, OURS,
         "89000000 00000000 fe80000000000000 0000000000000002 20010db800000000 0000000000000009");
    CHECK(!is_let_in());
}

static void a_neighbour_may_ask_for_us(void) {
    icmp(THEIRS, GROUP, "87000000" TARGET SOURCE_OPTION);
    CHECK(is_let_in());
    CHECK(!lb_addr_is_set(view.claimed)); /* it asks where the address is: it does not want it */
    icmp_from(their_mac, THEIRS, GROUP, 254, "87000000" TARGET SOURCE_OPTION);
    CHECK(!is_let_in());
    icmp(THEIRS, GROUP, "87010000" TARGET SOURCE_OPTION); /* code 1 */
    CHECK(!is_let_in());
    icmp(THEIRS, GROUP, "87000000 00000000 ff020000000000000000000000000001");
    CHECK(!is_let_in()); /* a group has no neighbours */
}

/* RFC 4862 5.4.3, 5.4.4 */
static void another_that_probes_or_has_an_address_claims_it(void) {
    icmp("::", GROUP, "87000000" TARGET);
    CHECK(is_let_in() && lb_addr_equal(view.claimed, addr(OURS)));
    icmp(OURS, "ff02::1",
         "88000000 20000000 fe80000000000000 505400fffe123456"
         "0201 020000000001");
    CHECK(is_let_in() && lb_addr_equal(view.claimed, addr(OURS)));
    icmp(OURS, "ff02::1",
         "88000000 60000000 fe80000000000000 505400fffe123456"
         "0201 020000000001");
    CHECK(!is_let_in()); /* solicited, and to a group: RFC 4861 7.1.2 */
}

static void our_own_probe_that_comes_back_claims_nothing(void) {
    icmp_from(our_mac, "::", GROUP, 255, "87000000" TARGET);
    CHECK(!lb_addr_is_set(view.claimed));
}

/* RFC 4861 7.1.1 */
static void a_probe_to_no_solicited_node_group_or_with_a_link_address_is_dropped(void) {
    icmp("::", OURS, "87000000" TARGET);
    CHECK(!is_let_in() && !lb_addr_is_set(view.claimed));
    icmp("::", GROUP, "87000000" TARGET SOURCE_OPTION);
    CHECK(!is_let_in() && !lb_addr_is_set(view.claimed));
}

static void a_path_mtu_below_the_least_of_ipv6_is_dropped(void) {
    icmp_from(their_mac, "2001:db8::1", OURS, 64, "02000000 00000500");
    CHECK(is_let_in());
    icmp_from(their_mac, "2001:db8::1", OURS, 64, "02000000 000004ff");
    CHECK(!is_let_in());
    icmp_from(their_mac, "2001:db8::1", OURS, 64, "02000000 00000000");
    CHECK(!is_let_in());
}

static void pings_are_let_in(void) {
    icmp_from(their_mac, "2001:db8::1", OURS, 60, "80000000 00010001 6869");
    CHECK(is_let_in());
}

/* CVE-2023-45232, CVE-2023-45233: a header of destination options in which the reader goes round
 * and round, on an unknown option or on PadN. */
static void options_in_extension_headers_lie_within_them(void) {
    make(their_mac, THEIRS, OURS, 60, 64, "3b00 0104 00000000");
    look();
    CHECK(is_let_in());
    make(their_mac, THEIRS, OURS, 60, 64, "3b00 01ff 00000000");
    look();
    CHECK(!is_let_in());
    make(their_mac, THEIRS, OURS, 60, 64, "3b00 1eff 00000000");
    look();
    CHECK(!is_let_in());
    make(their_mac, THEIRS, OURS, 60, 64, "3b01 0104 00000000"); /* longer than the packet */
    look();
    CHECK(!is_let_in());
    make(their_mac, THEIRS, OURS, 60, 64, "3b");
    look();
    CHECK(!is_let_in());
}

static void extension_headers_have_an_end(void) {
    make(their_mac, THEIRS, OURS, 60, 64,
         "3c00010400000000 3c00010400000000 3c00010400000000 3c00010400000000"
         "3c00010400000000 3c00010400000000 3c00010400000000 3b00010400000000");
    look();
    CHECK(is_let_in());
    make(their_mac, THEIRS, OURS, 60, 64,
         "3c00010400000000 3c00010400000000 3c00010400000000 3c00010400000000 3c00010400000000"
         "3c00010400000000 3c00010400000000 3c00010400000000 3b00010400000000");
    look();
    CHECK(!is_let_in());
    make(their_mac, THEIRS, OURS, 60, 64, "0000010400000000 3b00010400000000");
    look();
    CHECK(!is_let_in()); /* hop-by-hop options come first, RFC 8200 4.1 */
}

/* RFC 6980, RFC 7113: that is how filters of switches are passed by. */
static void discovery_behind_an_extension_header_is_dropped(void) {
    make(their_mac, THEIRS, "ff02::1", 60, 255, "3a00010400000000" ADVERT);
    put_checksum(62);
    look();
    CHECK(!is_let_in() && view.advert.len == 0);
}

static void a_query_of_multicast_routers_is_let_in(void) {
    make(their_mac, THEIRS, "ff02::1", 0, 1,
         "3a00050200000100 82000000 03e80000 00000000000000000000000000000000");
    put_checksum(62);
    look();
    CHECK(is_let_in());
}

static void fragments_and_source_routes_are_dropped(void) {
    make(their_mac, THEIRS, OURS, 44, 64, "1100000000000001 0044022200080000");
    look();
    CHECK(!is_let_in());
    make(their_mac, THEIRS, OURS, 43, 64, "3b00040100000000");
    look();
    CHECK(!is_let_in());
    make(their_mac, THEIRS, OURS, 43, 64, "3b00040000000000"); /* no segments left */
    look();
    CHECK(is_let_in());
}

static void a_packet_from_a_group_or_longer_than_its_frame_is_dropped(void) {
    make(their_mac, "ff02::1", OURS, 17, 64, "0044022200080000");
    look();
    CHECK(!is_let_in());
    make(their_mac, THEIRS, OURS, 17, 64, "0044022200080000");
    look();
    CHECK(is_let_in());
    frame[19]++;
    look();
    CHECK(!is_let_in());
}

static void no_truncation_of_a_discovery_message_is_let_in(void) {
    icmp(THEIRS, GROUP, "87000000" TARGET SOURCE_OPTION);
    CHECK(is_let_in());
    for (frame_len--; frame_len >= 14; frame_len--) {
        look();
        CHECK(!is_let_in() && view.advert.len == 0 && !lb_addr_is_set(view.claimed));
    }
}

/* RFC 1071, two bytes at a time. */
static uint32_t plain_sum(const uint8_t *bytes, size_t len) {
    uint32_t sum = 0;
    for (size_t i = 0; i < len; i++)
        sum += (uint32_t)bytes[i] << (i % 2 == 0 ? 0 : 8);
    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

static void the_sum_is_that_of_rfc_1071(void) {
    uint8_t bytes[1500], full[1500], empty[1500] = {0};
    memset(full, 0xff, sizeof full); /* each addition is carried over */
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 37 + i / 7 + 11);
    for (size_t len = 0; len <= sizeof bytes; len += len < 99 ? 1 : 97) {
        CHECK_EQ(guard_sum(bytes, len), plain_sum(bytes, len));
        CHECK_EQ(guard_sum(full, len), plain_sum(full, len));
        CHECK_EQ(guard_sum(empty, len), 0);
    }
}

int main(void) {
    TEST(what_is_not_ipv6_is_let_in);
    TEST(a_router_advertisement_is_for_the_engine_alone);
    TEST(a_router_advertisement_from_beyond_the_link_is_dropped);
    TEST(a_wrong_checksum_is_dropped);
    TEST(an_option_longer_than_the_message_or_of_no_length_is_dropped);
    TEST(redirects_are_dropped);
    TEST(a_neighbour_may_ask_for_us);
    TEST(another_that_probes_or_has_an_address_claims_it);
    TEST(our_own_probe_that_comes_back_claims_nothing);
    TEST(a_probe_to_no_solicited_node_group_or_with_a_link_address_is_dropped);
    TEST(a_path_mtu_below_the_least_of_ipv6_is_dropped);
    TEST(pings_are_let_in);
    TEST(options_in_extension_headers_lie_within_them);
    TEST(extension_headers_have_an_end);
    TEST(discovery_behind_an_extension_header_is_dropped);
    TEST(a_query_of_multicast_routers_is_let_in);
    TEST(fragments_and_source_routes_are_dropped);
    TEST(a_packet_from_a_group_or_longer_than_its_frame_is_dropped);
    TEST(no_truncation_of_a_discovery_message_is_let_in);
    TEST(the_sum_is_that_of_rfc_1071);
    return tap_done();
}
