#include "core/base/addr.h"
#include "tests/tap.h"

static struct lb_addr addr(const char *text) {
    struct lb_addr result = {0};
    CHECK(lb_addr_parse(lb_bytes_of_text(text), &result));
    return result;
}

/* Parses; gives the text of what was parsed, or "invalid" where the output was left alone. */
static const char *canonical(const char *text) {
    static struct lb_addr_text result;
    struct lb_addr parsed = lb_addr_v4(1, 2, 3, 4);
    if (lb_addr_parse(lb_bytes_of_text(text), &parsed))
        result = lb_addr_text(parsed);
    else
        lb_format(result.s, sizeof(result.s), "%s",
                  lb_addr_equal(parsed, lb_addr_v4(1, 2, 3, 4)) ? "invalid" : "touched");
    return result.s;
}

static void ipv4_text_is_four_decimal_octets(void) {
    CHECK_STR(canonical("192.0.2.1"), "192.0.2.1");
    CHECK_STR(canonical("0.0.0.0"), "0.0.0.0");
    CHECK_STR(canonical("255.255.255.255"), "255.255.255.255");
    static const char *const wrong[] = {
        "",         "1",        "1.2.3",     "1.2.3.",    "1.2.3.4.",  "1.2.3.4.5",
        ".1.2.3.4", "1..2.3",   "256.1.1.1", "1.2.3.999", "01.2.3.4",  "1.2.3.00",
        "1.2.3.4 ", " 1.2.3.4", "1.2.3.-4",  "0x1.2.3.4", "1.2.3.4/8", "1234.1.1.1",
    };
    for (size_t i = 0; i < LB_COUNT(wrong); i++)
        CHECK_STR(canonical(wrong[i]), "invalid");
}

/* The examples of RFC 4291 2.2 and 2.3. */
static void ipv6_text_is_read_as_in_rfc_4291(void) {
    CHECK_STR(canonical("ABCD:EF01:2345:6789:ABCD:EF01:2345:6789"),
              "abcd:ef01:2345:6789:abcd:ef01:2345:6789");
    CHECK_STR(canonical("2001:DB8:0:0:8:800:200C:417A"), "2001:db8::8:800:200c:417a");
    CHECK_STR(canonical("2001:DB8::8:800:200C:417A"), "2001:db8::8:800:200c:417a");
    CHECK_STR(canonical("FF01:0:0:0:0:0:0:101"), "ff01::101");
    CHECK_STR(canonical("0:0:0:0:0:0:0:1"), "::1");
    CHECK_STR(canonical("0:0:0:0:0:0:0:0"), "::");
    CHECK_STR(canonical("::"), "::");
    CHECK_STR(canonical("0:0:0:0:0:0:13.1.68.3"), "::d01:4403");
    CHECK_STR(canonical("0:0:0:0:0:FFFF:129.144.52.38"), "::ffff:129.144.52.38");
    CHECK_STR(canonical("::13.1.68.3"), "::d01:4403");
    CHECK_STR(canonical("::FFFF:129.144.52.38"), "::ffff:129.144.52.38");
    CHECK_STR(canonical("2001:0DB8:0000:CD30::"), "2001:db8:0:cd30::");
    CHECK_STR(canonical("64:ff9b::192.0.2.33"), "64:ff9b::c000:221");
    CHECK_STR(canonical("1:2:3:4:5:6:7::"), "1:2:3:4:5:6:7:0");
    CHECK_STR(canonical("::2:3:4:5:6:7:8"), "0:2:3:4:5:6:7:8");
}

static void ipv6_text_with_a_fault_is_refused(void) {
    static const char *const wrong[] = {
        ":",
        ":::",
        "1",
        "1:",
        ":1",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9",
        "1:2:3:4:5:6:7:8:",
        ":1:2:3:4:5:6:7:8",
        "1::2::3",
        "1:::2",
        "::1::",
        "12345::",
        "g::",
        "::1%eth0",
        "[::1]",
        "::1.2.3",
        "::1.2.3.4.5",
        "::256.1.1.1",
        "1.2.3.4::",
        "::1.2.3.4:1",
        "1:2:3:4:5:6:7:1.2.3.4",
        "1:2:3:4:5:6:7:8::",
        "::1:2:3:4:5:6:7:8",
        "1:2:3:4::5:6:7:8",
        "::1 ",
        " ::1",
    };
    for (size_t i = 0; i < LB_COUNT(wrong); i++) {
        if (!CHECK_STR(canonical(wrong[i]), "invalid"))
            tap_note("of: %s", wrong[i]);
    }
}

/* The examples of RFC 5952 4. */
static void ipv6_text_is_written_as_in_rfc_5952(void) {
    CHECK_STR(canonical("2001:0db8::0001"), "2001:db8::1");
    CHECK_STR(canonical("2001:db8:0:0:0:0:2:1"), "2001:db8::2:1");
    CHECK_STR(canonical("2001:db8::1:1:1:1:1"), "2001:db8:0:1:1:1:1:1");
    CHECK_STR(canonical("2001:db8:0:1:1:1:1:1"), "2001:db8:0:1:1:1:1:1");
    CHECK_STR(canonical("2001:0:0:1:0:0:0:1"), "2001:0:0:1::1");
    CHECK_STR(canonical("2001:db8:0:0:1:0:0:1"), "2001:db8::1:0:0:1");
    CHECK_STR(canonical("2001:DB8::ABCD"), "2001:db8::abcd");
    CHECK_STR(canonical("fe80:0:0:0:0:0:0:0"), "fe80::");
}

static void every_truncation_of_an_address_is_another_address_or_none(void) {
    const char *whole = "2001:db8::8:800:192.168.100.200";
    struct lb_bytes bytes = lb_bytes_of_text(whole);
    for (size_t len = 0; len <= bytes.len; len++) {
        struct lb_addr parsed = {0}, again = {0};
        if (!lb_addr_parse(lb_bytes(bytes.p, len), &parsed))
            continue;
        CHECK(lb_addr_parse(lb_bytes_of_text(lb_addr_text(parsed).s), &again));
        CHECK(lb_addr_equal(parsed, again));
    }
}

static void every_address_survives_its_own_text(void) {
    uint32_t random = 1;
    for (unsigned i = 0; i < 2000; i++) {
        uint8_t bytes[16];
        for (unsigned j = 0; j < 16; j++) {
            random = random * 1664525 + 1013904223;
            bytes[j] = (random >> 24) & 1 ? (uint8_t)(random >> 16) : 0;
        }
        struct lb_addr before = lb_addr_v6_bytes(bytes), after = {0};
        if (!CHECK(lb_addr_parse(lb_bytes_of_text(lb_addr_text(before).s), &after)) ||
            !CHECK(lb_addr_equal(before, after)))
            tap_note("%s", lb_addr_text(before).s);
    }
}

static void endpoints_and_macs_have_text(void) {
    CHECK_STR(lb_endpoint_text((struct lb_endpoint){addr("192.0.2.1"), 3260}).s, "192.0.2.1:3260");
    CHECK_STR(lb_endpoint_text((struct lb_endpoint){addr("::1"), 3260}).s, "[::1]:3260");
    CHECK_STR(lb_addr_text((struct lb_addr){0}).s, "none");
    CHECK_STR(lb_mac_text(tap_hex("52 54 00 ab cd ef").p).s, "52:54:00:ab:cd:ef");
    CHECK(lb_mac_is_set(tap_hex("00 00 00 00 00 01").p));
    CHECK(!lb_mac_is_set(tap_hex("00 00 00 00 00 00").p));
    struct lb_endpoint longest = {addr("1111:2222:3333:4444:5555:6666:7777:8888"), 65535};
    CHECK_STR(lb_endpoint_text(longest).s, "[1111:2222:3333:4444:5555:6666:7777:8888]:65535");
}

static const char *prefix(const char *text) {
    static struct lb_addr_text result;
    struct lb_prefix parsed = {0};
    if (!lb_prefix_parse(lb_bytes_of_text(text), &parsed))
        return "invalid";
    result = lb_prefix_text(parsed);
    return result.s;
}

static void prefixes_have_a_length_of_their_family(void) {
    CHECK_STR(prefix("192.0.2.1/24"), "192.0.2.1/24");
    CHECK_STR(prefix("192.0.2.1"), "192.0.2.1/32");
    CHECK_STR(prefix("0.0.0.0/0"), "0.0.0.0/0");
    CHECK_STR(prefix("2001:db8::/128"), "2001:db8::/128");
    CHECK_STR(prefix("2001:db8::"), "2001:db8::/128");
    CHECK_STR(prefix("192.0.2.1/33"), "invalid");
    CHECK_STR(prefix("2001:db8::/129"), "invalid");
    CHECK_STR(prefix("192.0.2.1/"), "invalid");
    CHECK_STR(prefix("192.0.2.1/-1"), "invalid");
    CHECK_STR(prefix("192.0.2.1/0024"), "invalid");
    CHECK_STR(prefix("192.0.2.1/24/24"), "invalid");
    CHECK_STR(prefix("/24"), "invalid");
}

static void a_prefix_has_the_addresses_that_share_its_bits(void) {
    struct lb_prefix net = {addr("192.0.2.77"), 24};
    CHECK(lb_prefix_has(net, addr("192.0.2.1")));
    CHECK(!lb_prefix_has(net, addr("192.0.3.1")));
    CHECK(!lb_prefix_has(net, addr("::1")));
    CHECK(!lb_prefix_has(net, (struct lb_addr){0}));
    struct lb_prefix odd = {addr("10.0.0.128"), 25}, all = {addr("0.0.0.0"), 0};
    CHECK(lb_prefix_has(odd, addr("10.0.0.255")));
    CHECK(!lb_prefix_has(odd, addr("10.0.0.127")));
    CHECK(lb_prefix_has(all, addr("255.255.255.255")));
    CHECK(!lb_prefix_has(all, addr("::")));
    struct lb_prefix six = {addr("2001:db8::"), 33};
    CHECK(lb_prefix_has(six, addr("2001:db8:7fff::1")));
    CHECK(!lb_prefix_has(six, addr("2001:db8:8000::1")));
    CHECK_STR(lb_addr_text(lb_addr_mask(addr("ffff:ffff:ffff::"), 20)).s, "ffff:f000::");
}

static void a_bit_counts_only_within_the_prefix(void) {
    struct lb_addr one = addr("2001:db8:1234:5678:9abc:def0:1357:9bdf");
    for (unsigned len = 0; len <= 130; len++) {
        struct lb_prefix net = {one, (uint8_t)len};
        CHECK(lb_prefix_has(net, one)); /* a length beyond the address is that of all its bits */
        for (unsigned bit = 0; bit < 128; bit++) {
            struct lb_addr other = one;
            other.bytes[bit / 8] ^= (uint8_t)(0x80u >> bit % 8);
            CHECK_EQ(lb_prefix_has(net, other), bit >= len);
        }
    }
}

static void a_netmask_is_a_run_of_ones(void) {
    uint8_t len = 99;
    CHECK(lb_mask_len(addr("255.255.255.0"), &len));
    CHECK_EQ(len, 24);
    CHECK(lb_mask_len(addr("255.255.255.255"), &len));
    CHECK_EQ(len, 32);
    CHECK(lb_mask_len(addr("255.255.254.0"), &len));
    CHECK_EQ(len, 23);
    CHECK(lb_mask_len(addr("0.0.0.0"), &len));
    CHECK_EQ(len, 0);
    CHECK(!lb_mask_len(addr("255.0.255.0"), &len));
    CHECK(!lb_mask_len(addr("0.0.0.1"), &len));
    CHECK(!lb_mask_len(addr("ffff::"), &len));
    CHECK_EQ(len, 0);
}

static void addresses_know_their_kind(void) {
    CHECK(lb_addr_is_loopback(addr("127.1.2.3")));
    CHECK(lb_addr_is_loopback(addr("::1")));
    CHECK(!lb_addr_is_loopback(addr("::2")));
    CHECK(lb_addr_is_multicast(addr("224.0.0.1")));
    CHECK(lb_addr_is_multicast(addr("239.255.255.255")));
    CHECK(lb_addr_is_multicast(addr("255.255.255.255")));
    CHECK(lb_addr_is_multicast(addr("ff02::1")));
    CHECK(!lb_addr_is_multicast(addr("240.0.0.1")));
    CHECK(lb_addr_is_link_local(addr("169.254.0.1")));
    CHECK(lb_addr_is_link_local(addr("febf::1")));
    CHECK(!lb_addr_is_link_local(addr("fec0::1")));
    CHECK(lb_addr_is_zero(addr("0.0.0.0")));
    CHECK(lb_addr_is_zero(addr("::")));
    CHECK(lb_addr_is_zero((struct lb_addr){0}));
    CHECK(!lb_addr_is_set((struct lb_addr){0}));
    CHECK(lb_addr_is_set(addr("::")));
}

static void a_host_address_can_be_spoken_to(void) {
    CHECK(lb_addr_is_host(addr("192.0.2.1")));
    CHECK(lb_addr_is_host(addr("2001:db8::1")));
    CHECK(lb_addr_is_host(addr("fe80::1")));
    CHECK(!lb_addr_is_host(addr("0.0.0.0")));
    CHECK(!lb_addr_is_host(addr("255.255.255.255")));
    CHECK(!lb_addr_is_host(addr("224.0.0.1")));
    CHECK(!lb_addr_is_host(addr("127.0.0.1")));
    CHECK(!lb_addr_is_host(addr("::1")));
    CHECK(!lb_addr_is_host((struct lb_addr){0}));
}

static void addresses_pass_through_the_cursors(void) {
    uint8_t room[24];
    struct lb_wr wr = lb_wr(lb_span(room, sizeof(room)));
    lb_wr_addr(&wr, addr("192.0.2.1"));
    lb_wr_addr(&wr, addr("2001:db8::1"));
    lb_wr_addr(&wr, (struct lb_addr){0});
    CHECK_BYTES(lb_wr_done(&wr), tap_hex("c0000201 20010db8 00000000 00000000 00000001 00000000"));
    struct lb_rd rd = lb_rd(lb_wr_done(&wr));
    CHECK(lb_addr_equal(lb_rd_v4(&rd), addr("192.0.2.1")));
    CHECK(lb_addr_equal(lb_rd_v6(&rd), addr("2001:db8::1")));
    CHECK(!lb_addr_is_set(lb_rd_v6(&rd)));
    CHECK(!lb_rd_ok(&rd));
    CHECK(!lb_addr_is_set(lb_rd_v4(&rd)));
}

static void addresses_of_two_families_are_never_equal(void) {
    CHECK(!lb_addr_equal(addr("0.0.0.0"), addr("::")));
    CHECK(!lb_addr_equal(addr("0.0.0.0"), (struct lb_addr){0}));
    struct lb_endpoint a = {addr("192.0.2.1"), 1}, b = {addr("192.0.2.1"), 2};
    CHECK(!lb_endpoint_equal(a, b));
    CHECK(lb_endpoint_equal(a, a));
}

static void a_route_is_a_network_and_perhaps_a_router(void) {
    static const char *const wrong[] = {
        "",
        "via 192.0.2.1",
        "198.51.100.1/24",
        "198.51.100.0/33",
        "198.51.100.0/24 via",
        "198.51.100.0/24 192.0.2.1",
        "198.51.100.0/24 via x",
        "198.51.100.0/24 via 192.0.2.1 192.0.2.2",
        "198.51.100.0/24 via 192.0.2.1 dev eth0",
        "198.51.100.0/24 via fe80::1",
        "2001:db8::/32 via 192.0.2.1",
        "198.51.100.0/24 via 0.0.0.0",
        "198.51.100.0/24 via 224.0.0.1",
    };
    struct lb_route route;
    CHECK(lb_route_parse(lb_bytes_of_text("198.51.100.0/24  via   192.0.2.1"), &route));
    CHECK_STR(lb_prefix_text(route.to).s, "198.51.100.0/24");
    CHECK_STR(lb_addr_text(route.via).s, "192.0.2.1");
    CHECK(lb_route_parse(lb_bytes_of_text("::/0 via fe80::1"), &route));
    CHECK_EQ(route.to.len, 0);
    CHECK(lb_route_parse(lb_bytes_of_text("203.0.113.7/32"), &route));
    CHECK(!lb_addr_is_set(route.via));
    for (size_t i = 0; i < LB_COUNT(wrong); i++) {
        if (!CHECK(!lb_route_parse(lb_bytes_of_text(wrong[i]), &route)))
            tap_note("%s", wrong[i]);
    }
}

int main(void) {
    TEST(ipv4_text_is_four_decimal_octets);
    TEST(ipv6_text_is_read_as_in_rfc_4291);
    TEST(ipv6_text_with_a_fault_is_refused);
    TEST(ipv6_text_is_written_as_in_rfc_5952);
    TEST(every_truncation_of_an_address_is_another_address_or_none);
    TEST(every_address_survives_its_own_text);
    TEST(endpoints_and_macs_have_text);
    TEST(prefixes_have_a_length_of_their_family);
    TEST(a_prefix_has_the_addresses_that_share_its_bits);
    TEST(a_route_is_a_network_and_perhaps_a_router);
    TEST(a_bit_counts_only_within_the_prefix);
    TEST(a_netmask_is_a_run_of_ones);
    TEST(addresses_know_their_kind);
    TEST(a_host_address_can_be_spoken_to);
    TEST(addresses_pass_through_the_cursors);
    TEST(addresses_of_two_families_are_never_equal);
    return tap_done();
}
