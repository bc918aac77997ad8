#include "core/nd6/test_nd6.h"

static bool decode(const char *hex, struct lb_nd6_ra *ra) {
    const char *why = NULL;
    bool good = lb_nd6_ra_decode(tap_hex(hex), ra, &why);
    CHECK(good == (why == NULL));
    return good;
}

/* A whole header and these options. */
static bool decode_options(const char *options, struct lb_nd6_ra *ra) {
    static const char head[] = "8600 0000 4000 0708 00000000 00000000";
    char hex[2048];
    lb_format(hex, sizeof(hex), "%s %s", head, options);
    return decode(hex, ra);
}

static void an_advertisement_of_radvd_is_read(void) {
    struct lb_nd6_ra ra;
    if (!CHECK(decode(RADVD, &ra)))
        return;
    CHECK_EQ(ra.hop_limit, 64);
    CHECK(ra.managed && ra.other);
    CHECK_EQ(ra.preference, LB_ND6_HIGH);
    CHECK_EQ(ra.lifetime_s, 1800);
    CHECK_EQ(ra.prefix_count, 2);
    CHECK_STR(lb_prefix_text(ra.prefixes[0].prefix).s, "2001:db8:1::/64");
    CHECK(ra.prefixes[0].on_link && ra.prefixes[0].autonomous);
    CHECK_EQ(ra.prefixes[0].valid_s, 86400);
    CHECK_EQ(ra.prefixes[0].preferred_s, 14400);
    CHECK(!ra.prefixes[1].on_link && ra.prefixes[1].autonomous);
    CHECK_EQ(ra.prefixes[1].valid_s, LB_ND6_FOREVER);
    CHECK_EQ(ra.route_count, 1);
    CHECK_STR(lb_prefix_text(ra.routes[0].to).s, "2001:db8:ff00::/40");
    CHECK_EQ(ra.routes[0].preference, LB_ND6_LOW);
    CHECK_EQ(ra.routes[0].lifetime_s, 600);
    CHECK_EQ(ra.dns_count, 2);
    CHECK_STR(lb_addr_text(ra.dns[1].addr).s, "2001:db8:1::54");
    CHECK_EQ(ra.domain_count, 2);
    CHECK_STR(ra.domains[0].name, "boot.example.org");
    CHECK_STR(ra.domains[1].name, "example.org");
    CHECK_EQ(ra.domains[1].lifetime_s, 300);
    CHECK_EQ(ra.mtu, 1400);
    CHECK(ra.has_mac);
    CHECK_STR(lb_mac_text(ra.mac).s, "02:00:00:00:00:01");
}

static void an_advertisement_of_dnsmasq_is_read(void) {
    struct lb_nd6_ra ra;
    if (!CHECK(decode(DNSMASQ, &ra)))
        return;
    CHECK_EQ(ra.preference, LB_ND6_MEDIUM);
    CHECK_EQ(ra.prefix_count, 1);
    CHECK_EQ(ra.prefixes[0].preferred_s, 3600);
    CHECK_EQ(ra.mtu, 1500);
    CHECK_EQ(ra.dns_count, 1);
    CHECK_STR(ra.domains[0].name, "example.org");
}

/* In our order of options, which is not theirs, and an option for each resolver and domain. */
static void what_is_written_is_read_again(void) {
    static const char *const whole[] = {RADVD, DNSMASQ};
    for (size_t i = 0; i < LB_COUNT(whole); i++) {
        uint8_t room[LB_ND6_PACKET_MAX];
        struct lb_nd6_ra ra, again;
        const char *why;
        CHECK(decode(whole[i], &ra));
        struct lb_bytes bytes = lb_nd6_ra_encode(&ra, lb_span(room, sizeof(room)));
        if (!CHECK(lb_nd6_ra_decode(bytes, &again, &why)))
            continue;
        CHECK_BYTES(lb_bytes(&ra, sizeof(ra)), lb_bytes(&again, sizeof(again)));
    }
}

/* An advertisement may end between two options; anywhere else it is cut. */
static void every_truncation_is_refused(void) {
    struct lb_bytes whole = tap_hex(RADVD);
    static const size_t ends[] = {16, 48, 80, 104, 144, 184, 192};
    for (size_t len = 0; len < whole.len; len++) {
        struct lb_nd6_ra ra = {.hop_limit = 99};
        const char *why;
        bool may_end = false;
        for (size_t i = 0; i < LB_COUNT(ends); i++)
            may_end = may_end || ends[i] == len;
        CHECK_EQ(lb_nd6_ra_decode(lb_bytes(whole.p, len), &ra, &why), may_end);
        CHECK(may_end || ra.hop_limit == 99);
    }
}

/* CVE-2023-45231: EDK2 walked the options of a Redirect without asking how much was left. RFC 4861
 * 6.1.2: the whole message goes. */
static void pixiefail_45231_an_option_of_length_zero_ends_the_message(void) {
    struct lb_nd6_ra ra;
    CHECK(!decode_options("0100 0000 0000 0000", &ra));
    CHECK(!decode_options("ff00 0000 0000 0000", &ra)); /* an unknown one, too */
    CHECK(!decode_options("0501 0000 0000 05dc 1900", &ra));
}

static void pixiefail_45231_an_option_longer_than_the_message_ends_it(void) {
    struct lb_nd6_ra ra;
    CHECK(!decode_options("01", &ra)); /* one byte: not even a length */
    CHECK(!decode_options("0101 0200 0000 00", &ra));
    CHECK(!decode_options("ffff 0000 0000 0000", &ra));
    CHECK(!decode_options("0304 40c0 0000 0e10 0000 0e10 0000 0000 2001 0db8", &ra));
}

/* CVE-2023-45232, 45233: an 8-bit offset that came round again made an endless loop of unknown
 * options. Lengths here are multiples of 8 up to 2040: each is passed over in one step. */
static void pixiefail_45232_45233_options_nobody_knows_are_passed_over(void) {
    uint8_t message[16 + 2040 + 8 + 8] = {134};
    struct lb_nd6_ra ra;
    const char *why;
    message[16] = 200;
    message[17] = 255;
    message[16 + 2040] = 201;
    message[16 + 2040 + 1] = 1;
    message[16 + 2048] = LB_ND6_OPT_MTU;
    message[16 + 2048 + 1] = 1;
    message[16 + 2048 + 6] = 5;
    CHECK(lb_nd6_ra_decode(lb_bytes(message, sizeof(message)), &ra, &why));
    CHECK_EQ(ra.mtu, 1280);
}

/* CVE-2023-45234 was a list of resolvers whose length is no multiple of 16 and more than there is
 * room for; RDNSS is where an advertisement could do the same. */
static void pixiefail_45234_resolvers_of_a_wrong_length_are_left_out(void) {
    struct lb_nd6_ra ra;
    CHECK(decode_options("1901 0000 0000 012c", &ra)); /* none */
    CHECK_EQ(ra.dns_count, 0);
    CHECK(decode_options("1902 0000 0000 012c 2001 0db8 0001 0000", &ra));
    CHECK_EQ(ra.dns_count, 0);
    CHECK(decode_options("1904 0000 0000 012c 2001 0db8 0001 0000 0000 0000 0000 0053"
                         "2001 0db8 0001 0000",
                         &ra));
    CHECK_EQ(ra.dns_count, 0);
}

static void pixiefail_45234_more_resolvers_than_there_is_room_for_are_left_out(void) {
    uint8_t message[16 + 8 + 127 * 16] = {134, [16] = LB_ND6_OPT_DNS, 255};
    struct lb_nd6_ra ra;
    const char *why;
    for (unsigned i = 0; i < 127; i++) {
        message[24 + 16 * i] = 0x20;
        message[24 + 16 * i + 15] = (uint8_t)(i + 1);
    }
    CHECK(lb_nd6_ra_decode(lb_bytes(message, sizeof(message)), &ra, &why));
    CHECK_EQ(ra.dns_count, LB_DNS_MAX);
    CHECK_STR(lb_addr_text(ra.dns[3].addr).s, "2000::4");
}

/* CVE-2026-18726 and its kin: uIP took lengths of advertisements at their word. */
static void uip_18726_more_prefixes_than_there_is_room_for_are_left_out(void) {
    uint8_t message[16 + 32 * 46] = {134};
    struct lb_nd6_ra ra;
    const char *why;
    for (unsigned i = 0; i < 46; i++) {
        uint8_t *option = message + 16 + 32 * (size_t)i;
        option[0] = LB_ND6_OPT_PREFIX;
        option[1] = 4;
        option[2] = 64;
        option[16] = 0x20;
        option[17] = (uint8_t)i;
    }
    CHECK(lb_nd6_ra_decode(lb_bytes(message, sizeof(message)), &ra, &why));
    CHECK_EQ(ra.prefix_count, LB_ND6_PREFIXES_MAX);
}

/* CVE-2026-18727's class: a length that is less than what the option has to have. */
static void uip_18727_options_shorter_than_their_fields_are_left_out(void) {
    struct lb_nd6_ra ra;
    CHECK(decode_options("0301 40c0 0000 0e10", &ra));
    CHECK(decode_options("0303 40c0 0000 0e10 0000 0e10 0000 0000 2001 0db8 0001 0000", &ra));
    CHECK_EQ(ra.prefix_count, 0);
    CHECK(decode_options("1801 2818 0000 0258", &ra)); /* /40 without a bit of it */
    CHECK(decode_options("1802 4118 0000 0258 2001 0db8 ff00 0000", &ra)); /* /65 of 64 bits */
    CHECK_EQ(ra.route_count, 0);
    CHECK(decode_options("1f01 0000 0000 012c", &ra));
    CHECK_EQ(ra.domain_count, 0);
    CHECK(decode_options("0502 0000 0000 0578 0000 0000 0000 0000", &ra));
    CHECK_EQ(ra.mtu, 0);
}

static void prefixes_that_make_no_sense_are_left_out(void) {
    struct lb_nd6_ra ra;
    CHECK(decode_options("0304 81c0 0000 0e10 0000 0e10 0000 0000" /* /129 */
                         "2001 0db8 0001 0000 0000 0000 0000 0000"
                         "0304 40c0 0000 0e10 0000 0e10 0000 0000" /* link-local */
                         "fe80 0000 0000 0000 0000 0000 0000 0000"
                         "0304 40c0 0000 0e10 0000 0e10 0000 0000" /* multicast */
                         "ff02 0000 0000 0000 0000 0000 0000 0000"
                         "0304 09c0 0000 0e10 0000 0e10 0000 0000" /* link-local once it is cut */
                         "feff 0000 0000 0000 0000 0000 0000 0000",
                         &ra));
    CHECK_EQ(ra.prefix_count, 0);
}

static void bits_behind_a_prefix_are_cleared(void) {
    struct lb_nd6_ra ra;
    CHECK(decode_options("0304 30c0 0000 0e10 0000 0e10 0000 0000"
                         "2001 0db8 0001 ffff ffff ffff ffff ffff"
                         "1803 2800 0000 0258 2001 0db8 ffff ffff ffff ffff ffff ffff",
                         &ra));
    CHECK_STR(lb_prefix_text(ra.prefixes[0].prefix).s, "2001:db8:1::/48");
    CHECK_STR(lb_prefix_text(ra.routes[0].to).s, "2001:db8:ff00::/40");
}

static void a_default_route_needs_no_bytes_of_a_prefix(void) {
    struct lb_nd6_ra ra;
    CHECK(decode_options("1801 0008 0000 0258", &ra));
    CHECK_EQ(ra.route_count, 1);
    CHECK_EQ(ra.routes[0].to.len, 0);
    CHECK_EQ(ra.routes[0].preference, LB_ND6_HIGH);
}

static void the_reserved_preference_is_medium_for_a_router_and_ends_a_route(void) {
    struct lb_nd6_ra ra;
    CHECK(decode("8600 0000 4010 0708 00000000 00000000 1801 0010 0000 0258", &ra));
    CHECK_EQ(ra.preference, LB_ND6_MEDIUM);
    CHECK_EQ(ra.route_count, 0);
    CHECK(decode("8600 0000 4008 0000 00000000 00000000", &ra)); /* High, but no default router */
    CHECK_EQ(ra.preference, LB_ND6_MEDIUM);
}

static void resolvers_that_are_no_hosts_are_left_out(void) {
    struct lb_nd6_ra ra;
    CHECK(decode_options("1907 0000 0000 012c ff02 0000 0000 0000 0000 0000 0000 00fb"
                         "0000 0000 0000 0000 0000 0000 0000 0001"
                         "fe80 0000 0000 0000 0000 0000 0000 0053",
                         &ra));
    CHECK_EQ(ra.dns_count, 1);
    CHECK_STR(lb_addr_text(ra.dns[0].addr).s, "fe80::53");
}

static void names_that_would_not_be_safe_in_a_file_end_their_list(void) {
    struct lb_nd6_ra ra;
    CHECK(decode_options("1f03 0000 0000 012c 0161 0003 620a 6300 0161 0000 0000 0000", &ra));
    CHECK_EQ(ra.domain_count, 1); /* "a"; then "b\nc" */
    CHECK_STR(ra.domains[0].name, "a");
    CHECK(decode_options("1f02 0000 0000 012c c00c 0000 0000 0000", &ra)); /* compressed */
    CHECK_EQ(ra.domain_count, 0);
    CHECK(decode_options("1f02 0000 0000 012c 0761 6263 6465 6667", &ra)); /* without an end */
    CHECK_EQ(ra.domain_count, 0);
}

static void a_name_of_more_than_255_bytes_is_left_out(void) {
    uint8_t message[16 + 8 * 40] = {134, [16] = LB_ND6_OPT_SEARCH, 40};
    struct lb_nd6_ra ra;
    const char *why;
    for (size_t at = 24; at + 2 < 16 + 300; at += 2) {
        message[at] = 1;
        message[at + 1] = 'a';
    }
    CHECK(lb_nd6_ra_decode(lb_bytes(message, sizeof(message)), &ra, &why));
    CHECK_EQ(ra.domain_count, 0);
}

static void other_messages_are_told_apart(void) {
    struct lb_nd6_ra ra;
    CHECK(!decode("8500 0000 0000 0000 00000000 00000000", &ra));
    CHECK(!decode("8601 0000 4000 0708 00000000 00000000", &ra)); /* code: RFC 4861 6.1.2 */
    CHECK(!decode("8900 0000 4000 0708 00000000 00000000", &ra)); /* a Redirect */
}

static void an_advertisement_that_does_not_fit_is_not_written(void) {
    struct lb_nd6_ra ra;
    uint8_t room[LB_ND6_PACKET_MAX];
    CHECK(decode(RADVD, &ra));
    size_t whole = lb_nd6_ra_encode(&ra, lb_span(room, sizeof(room))).len;
    for (size_t len = 0; len < whole; len++)
        CHECK_EQ(lb_nd6_ra_encode(&ra, lb_span(room, len)).len, 0);
}

/* As Linux 6.1 sends it, captured, but for the checksum. */
static void a_solicitation_is_the_kernels(void) {
    uint8_t room[32];
    CHECK_BYTES(lb_nd6_rs_encode(test_mac, lb_span(room, sizeof(room))),
                tap_hex("8500 0000 0000 0000 0101 0200 0000 0002"));
    CHECK_BYTES(lb_nd6_rs_encode(NULL, lb_span(room, sizeof(room))),
                tap_hex("8500 0000 0000 0000"));
    CHECK_EQ(lb_nd6_rs_encode(test_mac, lb_span(room, 15)).len, 0);
}

static void a_router_answers_good_solicitations_alone(void) {
    uint8_t room[LB_ND6_PACKET_MAX];
    struct lb_nd6_ra ra = test_ra();
    struct lb_span all = lb_span(room, sizeof(room));
    struct lb_bytes with_mac = tap_hex("8500 0000 0000 0000 0101 0200 0000 0002");
    struct lb_bytes bare = tap_hex("8500 0000 0000 0000");
    struct lb_nd6_reply reply = lb_nd6_server_input(&ra, v6(LINK_LOCAL), with_mac, all);
    CHECK_STR(lb_addr_text(reply.to).s, LINK_LOCAL);
    CHECK_EQ(reply.bytes.len, 48);
    reply = lb_nd6_server_input(&ra, v6("::"), bare, all);
    CHECK_STR(lb_addr_text(reply.to).s, "ff02::1");
    CHECK_EQ(reply.bytes.len, 48);
    CHECK_EQ(lb_nd6_server_input(&ra, v6("::"), with_mac, all).bytes.len, 0); /* RFC 4861 6.1.1 */
    CHECK_EQ(lb_nd6_server_input(&ra, v6(LINK_LOCAL), tap_hex("8500 0000 0000 00"), all).bytes.len,
             0);
    CHECK_EQ(lb_nd6_server_input(&ra, v6(LINK_LOCAL), tap_hex("8500 0000 0000 0000 0100"), all)
                 .bytes.len,
             0);
    CHECK_EQ(lb_nd6_server_input(&ra, v6(LINK_LOCAL), tap_hex(DNSMASQ), all).bytes.len, 0);
    CHECK_STR(lb_addr_text(lb_nd6_server_advertise(&ra, all).to).s, "ff02::1");
}

int main(void) {
    TEST(an_advertisement_of_radvd_is_read);
    TEST(an_advertisement_of_dnsmasq_is_read);
    TEST(what_is_written_is_read_again);
    TEST(every_truncation_is_refused);
    TEST(pixiefail_45231_an_option_of_length_zero_ends_the_message);
    TEST(pixiefail_45231_an_option_longer_than_the_message_ends_it);
    TEST(pixiefail_45232_45233_options_nobody_knows_are_passed_over);
    TEST(pixiefail_45234_resolvers_of_a_wrong_length_are_left_out);
    TEST(pixiefail_45234_more_resolvers_than_there_is_room_for_are_left_out);
    TEST(uip_18726_more_prefixes_than_there_is_room_for_are_left_out);
    TEST(uip_18727_options_shorter_than_their_fields_are_left_out);
    TEST(prefixes_that_make_no_sense_are_left_out);
    TEST(bits_behind_a_prefix_are_cleared);
    TEST(a_default_route_needs_no_bytes_of_a_prefix);
    TEST(the_reserved_preference_is_medium_for_a_router_and_ends_a_route);
    TEST(resolvers_that_are_no_hosts_are_left_out);
    TEST(names_that_would_not_be_safe_in_a_file_end_their_list);
    TEST(a_name_of_more_than_255_bytes_is_left_out);
    TEST(other_messages_are_told_apart);
    TEST(an_advertisement_that_does_not_fit_is_not_written);
    TEST(a_solicitation_is_the_kernels);
    TEST(a_router_answers_good_solicitations_alone);
    return tap_done();
}
