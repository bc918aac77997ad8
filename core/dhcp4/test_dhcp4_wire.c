/* DHCPv4 bytes: other people's messages read, ours written and read again, broken ones refused. */
#include "core/dhcp4/test_dhcp4.h"
#include "tests/tap.h"

#define X50  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define A60  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B60  "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define X199 X50 X50 X50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define LONG "iscsi:" A60 "." B60 ".example.com:6:3260:1:iqn.2001-04.com.example:" X199
#define X190 X50 X50 X50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static const struct {
    const char *name, *hex;
} vectors[] = {
#define VECTOR(name, hex) {#name, hex},
#include "tests/vectors/dhcp4.inc"
#undef VECTOR
};

static struct lb_bytes vector(const char *name) {
    for (size_t i = 0; i < LB_COUNT(vectors); i++) {
        if (lb_streq(vectors[i].name, name))
            return tap_hex(vectors[i].hex);
    }
    CHECK(false);
    return lb_bytes(name, 0);
}

static struct lb_dhcp4_message message;
static struct lb_dhcp4_lease lease;

static bool decode(struct lb_bytes bytes) {
    const char *why = NULL;
    bool is_good = lb_dhcp4_decode(bytes, &message, &why);
    if (!is_good)
        CHECK(why != NULL);
    return is_good;
}

static void read_vector(const char *name) {
    memset(&lease, 0, sizeof lease);
    if (!CHECK(decode(vector(name))))
        return;
    lb_dhcp4_read_lease(&message, v4(192, 0, 2, 1), &lease);
}

static const char *root_path(void) {
    static char text[LB_ROOTPATH_MAX + 1];
    memcpy(text, lease.root_path, lease.root_path_len);
    text[lease.root_path_len] = 0;
    return text;
}

#define CHECK_ADDR(addr, text) CHECK_STR(lb_addr_text(addr).s, text)

/* ---- other people's servers ---- */

static void an_offer_of_dnsmasq_is_read(void) {
    read_vector("dnsmasq_offer");
    CHECK_EQ(message.type, LB_DHCP4_OFFER);
    CHECK_EQ(message.header.op, LB_BOOTREPLY);
    CHECK_EQ(message.header.xid, 0x1a2b3c4d);
    CHECK(memcmp(message.header.chaddr, test_mac, 6) == 0);
    CHECK_STR(lb_prefix_text(lease.address).s, "192.0.2.184/24");
    CHECK_ADDR(lease.server, "192.0.2.1");
    CHECK_EQ(lease.lease_s, 3600);
    CHECK_EQ(lease.t1_s, 1800);
    CHECK_EQ(lease.t2_s, 3150);
    CHECK_EQ(lease.mtu, 9000);
    CHECK_STR(root_path(), TEST_ROOT_PATH);
    CHECK_ADDR(lease.root_path_from, "192.0.2.1");
    CHECK_STR(lease.initiator, "iqn.2026-11.test:host1");
    CHECK_STR(lease.domain, "example.com");
    CHECK_STR(lease.search, "eng.example.com example.com");
    CHECK_STR(lease.tftp_server, "tftp.example.com");
    CHECK_STR(lease.bootfile, "boot.efi");
    CHECK_EQ(lease.dns_count, 2);
    CHECK_ADDR(lease.dns[1], "192.0.2.54");
    CHECK(!lease.bootp);
}

static void classless_routes_of_dnsmasq_stand_before_options_3_and_33(void) {
    read_vector("dnsmasq_offer");
    if (!CHECK_EQ(lease.route_count, 2))
        return;
    CHECK_STR(lb_prefix_text(lease.routes[0].to).s, "198.51.100.0/24");
    CHECK_ADDR(lease.routes[0].via, "192.0.2.253");
    CHECK_STR(lb_prefix_text(lease.routes[1].to).s, "0.0.0.0/0");
    CHECK_ADDR(lease.routes[1].via, "192.0.2.254");
    CHECK_EQ(lease.router_count, 1);
    CHECK_ADDR(lease.routers[0], "192.0.2.254");
}

static void a_rapid_commit_ack_of_dnsmasq_is_read(void) {
    read_vector("dnsmasq_rapid");
    CHECK_EQ(message.type, LB_DHCP4_ACK);
    CHECK(lease.rapid_commit);
    CHECK_STR(root_path(), TEST_ROOT_PATH);
}

static void a_proxy_offer_of_dnsmasq_is_read(void) {
    read_vector("dnsmasq_proxy");
    CHECK_EQ(message.type, LB_DHCP4_OFFER);
    CHECK(lb_addr_is_zero(message.header.yiaddr));
    CHECK_STR(lease.vendor_class, "PXEClient");
    CHECK_ADDR(lease.server, "192.0.2.1");
}

static void naks_are_read(void) {
    read_vector("dnsmasq_nak");
    CHECK_EQ(message.type, LB_DHCP4_NAK);
    read_vector("kea_nak");
    CHECK_EQ(message.type, LB_DHCP4_NAK);
    CHECK_EQ(message.header.xid, 0x1a2b3c4e);
    CHECK_ADDR(lease.server, "192.0.2.1");
}

static void an_offer_of_dhcpd_is_read(void) {
    read_vector("dhcpd_offer");
    CHECK_ADDR(lease.next_server, "192.0.2.9");
    CHECK_STR(lease.bootfile, "boot.efi");
    CHECK_STR(lease.hostname, "host1");
    CHECK_STR(lease.search, "eng.example.com example.com corp.example.org");
    CHECK_STR(root_path(), "iscsi:192.0.2.1:6:3260:1:iqn.2001-04.com.example:" X190);
    CHECK_EQ(lease.route_count, 1); /* 121 names no default route, and 3 does not count */
    CHECK_EQ(lease.router_count, 0);
}

static void a_bootp_reply_of_dhcpd_is_read(void) {
    read_vector("dhcpd_bootp");
    CHECK_EQ(message.type, LB_DHCP4_BOOTP);
    CHECK(lease.bootp);
    CHECK_EQ(lease.lease_s, LB_DHCP4_INFINITE);
    CHECK_ADDR(lease.server, "192.0.2.9"); /* siaddr */
    CHECK_STR(root_path(), "iscsi:192.0.2.1:6:3260:1:iqn.2001-04.com.example:" X190);
}

static void a_root_path_of_dhcpd_goes_on_from_options_into_file_and_sname(void) {
    read_vector("dhcpd_overload");
    CHECK_STR(root_path(), LONG);
    CHECK_EQ(lease.mtu, 1500);
    CHECK_STR(lease.search, "eng.example.com example.com corp.example.org");
    CHECK_STR(lease.bootfile, "");
    CHECK_STR(lease.tftp_server, "");
}

static void long_options_of_dhcpd_and_kea_are_joined_wherever_cut(void) {
    read_vector("dhcpd_long");
    CHECK_STR(root_path(), LONG);
    read_vector("kea_long");
    CHECK_STR(root_path(), LONG);
    CHECK_EQ(lease.root_path_len, 372);
}

static void an_ack_of_kea_echoes_our_identifier(void) {
    struct lb_bytes id;
    read_vector("kea_ack");
    CHECK_EQ(message.type, LB_DHCP4_ACK);
    CHECK_EQ(lease.lease_s, 4000);
    CHECK_EQ(lease.t1_s, 1000);
    CHECK_EQ(lease.t2_s, 2000);
    if (CHECK(lb_dhcp4_option(&message, LB_OPT_CLIENT_ID, &id)))
        CHECK_BYTES(id, tap_hex("01 020000000001"));
    CHECK_STR(lease.bootfile, "boot.efi");
}

/* A message cut in its options is malformed, or has lost what was behind the cut; where the cut
 * falls between two options no receiver could tell. What is left is as it was in the whole. */
static void check_truncation(struct lb_bytes whole, size_t len) {
    static struct lb_dhcp4_message full;
    const char *why = NULL;
    CHECK(lb_dhcp4_decode(whole, &full, &why));
    if (!decode(lb_bytes(whole.p, len)))
        return;
    CHECK(len >= LB_DHCP4_FIXED_BYTES);
    for (unsigned code = 1; code < LB_OPT_END; code++) {
        struct lb_bytes part, all;
        if (!lb_dhcp4_option(&message, (uint8_t)code, &part))
            continue;
        if (CHECK(lb_dhcp4_option(&full, (uint8_t)code, &all)) && part.len == all.len)
            CHECK_BYTES(part, all);
    }
    lb_dhcp4_read_lease(&message, v4(192, 0, 2, 1), &lease);
}

static void every_truncation_of_every_vector_fails_cleanly(void) {
    for (size_t i = 0; i < LB_COUNT(vectors); i++) {
        struct lb_bytes whole = tap_hex(vectors[i].hex);
        for (size_t len = 0; len < whole.len; len++)
            check_truncation(whole, len);
    }
}

/* ---- broken messages ---- */

/* A message with these options, given as they stand on the wire. */
static struct lb_bytes with_options(const char *hex) {
    static uint8_t bytes[LB_DHCP4_PACKET_MAX];
    struct lb_bytes options = tap_hex(hex);
    struct lb_wr wr = lb_wr(lb_span(bytes, sizeof bytes));
    lb_wr_u32(&wr, 0x02010600);
    lb_wr_zero(&wr, 12);
    lb_wr_u32(&wr, 0xc0000264); /* yiaddr 192.0.2.100 */
    lb_wr_zero(&wr, LB_DHCP4_HEADER_BYTES - 20);
    lb_wr_u32(&wr, 0x63825363);
    lb_wr_bytes(&wr, options);
    return lb_wr_done(&wr);
}

static void read_options(const char *hex) {
    memset(&lease, 0, sizeof lease);
    if (CHECK(decode(with_options(hex))))
        lb_dhcp4_read_lease(&message, v4(192, 0, 2, 1), &lease);
}

static void a_packet_shorter_than_its_header_is_refused(void) {
    struct lb_bytes whole = with_options("3501 02 ff");
    CHECK(decode(whole));
    for (size_t len = 0; len < LB_DHCP4_FIXED_BYTES; len++)
        CHECK(!decode(lb_bytes(whole.p, len)));
    CHECK(decode(lb_bytes(whole.p, LB_DHCP4_FIXED_BYTES)));
}

static void a_packet_longer_than_we_take_is_refused(void) {
    static uint8_t bytes[LB_DHCP4_PACKET_MAX + 1];
    struct lb_bytes whole = with_options("350102 ff");
    memcpy(bytes, whole.p, whole.len);
    CHECK(decode(lb_bytes(bytes, LB_DHCP4_PACKET_MAX)));
    CHECK(!decode(lb_bytes(bytes, LB_DHCP4_PACKET_MAX + 1)));
}

static void an_option_past_the_end_of_the_packet_is_left_out(void) {
    static const char *const tails[] = {"03", "0304", "0304c00002", "03ffc0000201"};
    struct lb_bytes value;
    for (size_t i = 0; i < LB_COUNT(tails); i++) {
        char hex[64];
        lb_format(hex, sizeof hex, "350102 0304c0000201 0604c0000205 %s", tails[i]);
        read_options(hex);
        CHECK_EQ(message.type, LB_DHCP4_OFFER);
        CHECK(!lb_dhcp4_option(&message, LB_OPT_ROUTERS, &value)); /* not the part that came, too */
        CHECK_EQ(lease.dns_count, 1);
        CHECK_EQ(lease.left_out_count, 1);
        CHECK_EQ(lease.left_out[0], LB_OPT_ROUTERS);
    }
    CHECK(!decode(with_options("03"))); /* a DHCP message of which the type was lost? */
    CHECK(!decode(with_options("3501")));
    CHECK(decode(with_options("350102 0304c0000201")));
}

/* Options of one field may not reach into the next, however long the packet is. */
static void an_option_past_the_end_of_file_or_sname_is_left_out(void) {
    static uint8_t bytes[300];
    struct lb_bytes whole = with_options("350102 340103 ff 000000000000000000000000000000");
    memcpy(bytes, whole.p, whole.len);
    CHECK(decode(lb_bytes(bytes, whole.len)));
    bytes[108 + 125] = LB_OPT_ROOT_PATH;
    bytes[108 + 126] = 1;
    struct lb_bytes value;
    CHECK(decode(lb_bytes(bytes, whole.len)));
    CHECK(lb_dhcp4_option(&message, LB_OPT_ROOT_PATH, &value) && !message.is_cut);
    bytes[108 + 126] = 2;
    CHECK(decode(lb_bytes(bytes, whole.len)));
    CHECK(!lb_dhcp4_option(&message, LB_OPT_ROOT_PATH, &value) && message.is_cut);
    bytes[108 + 125] = 0;
    bytes[108 + 126] = 0;
    bytes[44 + 63] = LB_OPT_ROOT_PATH; /* not even a length */
    CHECK(decode(lb_bytes(bytes, whole.len)));
    CHECK(message.is_cut);
    CHECK_EQ(message.cut_code, LB_OPT_ROOT_PATH);
}

static void pads_and_a_missing_end_are_harmless(void) {
    read_options("0000 350102 00 3604c0000201 0000");
    CHECK_EQ(message.type, LB_DHCP4_OFFER);
    CHECK_ADDR(lease.server, "192.0.2.1");
}

static void nothing_behind_the_end_is_read(void) {
    read_options("350102 ff 3604c0000209 03ff");
    CHECK_ADDR(lease.server, "192.0.2.1"); /* the sender */
    CHECK(lease.no_server_id && !message.is_cut);
}

static void a_message_type_that_is_none_is_refused(void) {
    CHECK(!decode(with_options("350100 ff")));
    CHECK(!decode(with_options("35010a ff")));
    CHECK(!decode(with_options("3500 ff")));
    CHECK(!decode(with_options("35020202 ff")));
}

static void of_several_message_types_the_first_good_one_counts(void) {
    CHECK(decode(with_options("350102 350105 ff")));
    CHECK_EQ(message.type, LB_DHCP4_OFFER);
    CHECK(decode(with_options("350102 350102 ff")));
    CHECK_EQ(message.type, LB_DHCP4_OFFER);
    CHECK(decode(with_options("3502 0202 35010a 350105 ff")));
    CHECK_EQ(message.type, LB_DHCP4_ACK);
}

static void option_52_inside_file_means_nothing(void) {
    static uint8_t bytes[300];
    struct lb_bytes whole = with_options("350102 340101 ff");
    memcpy(bytes, whole.p, whole.len);
    bytes[108] = LB_OPT_OVERLOAD;
    bytes[109] = 1;
    bytes[110] = 3;
    bytes[44] = LB_OPT_ROOT_PATH; /* would be malformed if it were read */
    bytes[45] = 200;
    CHECK(decode(lb_bytes(bytes, whole.len)));
    CHECK_EQ(message.sname.len, 2);
}

static void a_reply_without_cookie_has_no_options(void) {
    static uint8_t bytes[300];
    struct lb_bytes value, whole = with_options("350102 ff");
    memcpy(bytes, whole.p, whole.len);
    bytes[236] = 0;
    CHECK(decode(lb_bytes(bytes, whole.len)));
    CHECK(!message.has_cookie);
    CHECK_EQ(message.type, LB_DHCP4_BOOTP);
    CHECK(!lb_dhcp4_option(&message, LB_OPT_TYPE, &value));
}

/* The decoder takes what it read apart into what it was given room for: 255 options of one byte,
 * and as many instances as a packet can hold. */
static void as_many_options_as_fit_are_kept_apart(void) {
    static uint8_t bytes[LB_DHCP4_PACKET_MAX];
    struct lb_bytes value, whole = with_options("");
    memcpy(bytes, whole.p, whole.len);
    struct lb_wr wr = lb_wr(lb_span(bytes, sizeof bytes));
    wr.len = whole.len;
    for (unsigned code = 1; code < 255; code++) {
        if (code == LB_OPT_TYPE || code == LB_OPT_OVERLOAD)
            continue;
        lb_wr_u8(&wr, (uint8_t)code);
        lb_wr_u8(&wr, 1);
        lb_wr_u8(&wr, (uint8_t)~code);
    }
    while (wr.cap - wr.len >= 3) {
        lb_wr_u8(&wr, 200);
        lb_wr_u8(&wr, 1);
        lb_wr_u8(&wr, 'x');
    }
    CHECK(decode(lb_wr_done(&wr)));
    for (unsigned code = 1; code < 255; code++) {
        if (lb_dhcp4_option(&message, (uint8_t)code, &value))
            CHECK_EQ(value.p[0], (uint8_t)~code);
    }
    CHECK(lb_dhcp4_option(&message, 200, &value));
    CHECK(value.len > 150);
    CHECK_EQ(value.p[value.len - 1], 'x');
}

/* ---- single options ---- */

/* The class of CVE-2023-45229 and 45234 (PixieFail): each option, at every length that is too short
 * or no multiple of what it should be. Only that option is ignored. */
static void options_of_a_wrong_length_are_ignored_by_themselves(void) {
    static const struct {
        uint8_t code;
        uint8_t good[4];
    } options[] = {
        {LB_OPT_MASK, {4}},
        {LB_OPT_ROUTERS, {4, 8}},
        {LB_OPT_DNS, {4, 8}},
        {LB_OPT_MTU, {2}},
        {LB_OPT_STATIC_ROUTES, {8}},
        {LB_OPT_LEASE_TIME, {4}},
        {LB_OPT_SERVER_ID, {4}},
        {LB_OPT_T1, {4}},
        {LB_OPT_T2, {4}},
    };
    static const struct lb_dhcp4_lease zero;
    for (size_t i = 0; i < LB_COUNT(options); i++) {
        for (unsigned len = 0; len <= 9; len++) {
            char hex[128];
            struct lb_text text = lb_text(hex, sizeof hex);
            lb_text_add(&text, "350102 1100 %02x%02x", options[i].code, len);
            for (unsigned n = 0; n < len; n++)
                lb_text_add(&text, "%02x", n == 0 ? 0x40u : 0x01u);
            read_options(hex);
            bool is_good = len == options[i].good[0] || (len > 0 && len == options[i].good[1]);
            if (is_good)
                continue;
            CHECK_EQ(lease.address.len, 24);
            CHECK_EQ(lease.router_count + lease.dns_count + lease.route_count, 0);
            CHECK_EQ(lease.mtu, 0);
            CHECK_EQ(lease.lease_s, LB_DHCP4_INFINITE);
            CHECK_ADDR(lease.server, "192.0.2.1"); /* the sender */
            CHECK_EQ(lease.left_out_count, 1);
            CHECK_EQ(lease.left_out[0], options[i].code);
            CHECK_EQ(lease.t1_s, zero.t1_s);
            CHECK_EQ(lease.t2_s, zero.t2_s);
        }
    }
}

static void an_absent_mask_is_that_of_the_class(void) {
    read_options("350102 ff");
    CHECK_STR(lb_prefix_text(lease.address).s, "192.0.2.100/24");
    read_options("350102 0104ffff0000 ff");
    CHECK_EQ(lease.address.len, 16);
    read_options("350102 010400000000 ff"); /* of nothing */
    CHECK_EQ(lease.address.len, 24);
    read_options("350102 0104ff00ff00 ff"); /* with a hole */
    CHECK_EQ(lease.address.len, 24);
}

static void static_routes_and_routers_make_routes_without_option_121(void) {
    read_options("350102 0308c00002fec00002fd 2110 c6336400c00002fc cb007107c00002fb ff");
    if (!CHECK_EQ(lease.route_count, 3))
        return;
    CHECK_STR(lb_prefix_text(lease.routes[0].to).s, "198.51.100.0/24");
    CHECK_STR(lb_prefix_text(lease.routes[1].to).s, "203.0.113.7/32");
    CHECK_STR(lb_prefix_text(lease.routes[2].to).s, "0.0.0.0/0");
    CHECK_ADDR(lease.routes[2].via, "192.0.2.254");
    CHECK_EQ(lease.router_count, 2);
}

static void the_default_route_is_no_static_route(void) {
    read_options("350102 2110 00000000c00002fc c6336400c00002fb ff");
    CHECK_EQ(lease.route_count, 1);
    CHECK_STR(lb_prefix_text(lease.routes[0].to).s, "198.51.100.0/24");
}

static void a_relay_is_no_router(void) {
    static uint8_t bytes[300];
    struct lb_bytes whole = with_options("350102 ff");
    memcpy(bytes, whole.p, whole.len);
    memcpy(bytes + 24, "\xc0\x00\x02\xfa", 4); /* giaddr */
    if (!CHECK(decode(lb_bytes(bytes, whole.len))))
        return;
    lb_dhcp4_read_lease(&message, v4(192, 0, 2, 250), &lease);
    CHECK_ADDR(lease.relay, "192.0.2.250");
    CHECK_EQ(lease.router_count + lease.route_count, 0);
}

static void an_mtu_below_68_is_ignored(void) {
    read_options("350102 1a02 0043 ff");
    CHECK_EQ(lease.mtu, 0);
    read_options("350102 1a02 0044 ff");
    CHECK_EQ(lease.mtu, 68);
}

static void classless_routes_are_read_at_every_width(void) {
    read_options("350102 791d 000a000001 080a0a000001 190a0000800a000001 200a0000010a000002 ff");
    if (!CHECK_EQ(lease.route_count, 4))
        return;
    CHECK_STR(lb_prefix_text(lease.routes[0].to).s, "0.0.0.0/0");
    CHECK_STR(lb_prefix_text(lease.routes[1].to).s, "10.0.0.0/8");
    CHECK_STR(lb_prefix_text(lease.routes[2].to).s, "10.0.0.128/25");
    CHECK_STR(lb_prefix_text(lease.routes[3].to).s, "10.0.0.1/32");
    CHECK_ADDR(lease.routers[0], "10.0.0.1");
}

static void host_bits_of_a_classless_route_are_masked_off(void) {
    read_options("350102 7908 09 ffff c0000201 00 ff");
    CHECK_EQ(lease.route_count, 0); /* 7 bytes and one too many: malformed as a whole */
    read_options("350102 7907 09 ffff c0000201 ff");
    CHECK_STR(lb_prefix_text(lease.routes[0].to).s, "255.128.0.0/9");
}

static void a_route_on_the_link_has_no_router(void) {
    read_options("350102 7908 18c63364 00000000 ff");
    CHECK_EQ(lease.route_count, 1);
    CHECK(lb_addr_is_zero(lease.routes[0].via));
}

/* The class of Qualys 2017 (59ede2c): a width that is none. */
static void a_classless_route_wider_than_an_address_is_ignored_with_its_option(void) {
    read_options("350102 0304c00002fe 7909 21 c0000201 c0000201 ff");
    CHECK_EQ(lease.route_count, 1);
    CHECK_ADDR(lease.routes[0].via, "192.0.2.254");        /* as if 121 were absent */
    read_options("350102 790a 21 c000020180 c0000201 ff"); /* all its bytes are there */
    CHECK_EQ(lease.route_count, 0);
    read_options("350102 7909 ff c0000201 c0000201 ff");
    CHECK_EQ(lease.route_count, 0);
}

static void more_routes_than_we_keep_are_left_out(void) {
    char hex[2048];
    struct lb_text text = lb_text(hex, sizeof hex);
    lb_text_add(&text, "350102");
    for (unsigned i = 0; i < 3 * LB_ROUTES_MAX; i++)
        lb_text_add(&text, " 7906 080a c00002%02x", i);
    read_options(hex);
    CHECK_EQ(lease.route_count, LB_ROUTES_MAX);
}

static void names_that_no_host_can_have_are_ignored(void) {
    read_options("350102 0c05686f737431 0f0b6578616d706c652e636f6d ff");
    CHECK_STR(lease.hostname, "host1");
    CHECK_STR(lease.domain, "example.com");
    read_options("350102 0c06686f73743100 ff"); /* trailing NUL */
    CHECK_STR(lease.hostname, "host1");
    read_options("350102 0c0668003b726d20 ff");
    CHECK_STR(lease.hostname, "");
    read_options("350102 0c0424287829 0f052d2d682d61 ff"); /* $(x), --h-a */
    CHECK_STR(lease.hostname, "");
    CHECK_STR(lease.domain, "");
}

/* The class of CVE-2026-44943: text of a server that would drive a terminal or end a line in a
 * log. */
static void text_with_control_characters_is_ignored(void) {
    read_options("350102 4305 622e656669 cb05 69716e2e61 ff");
    CHECK_STR(lease.bootfile, "b.efi");
    CHECK_STR(lease.initiator, "iqn.a");
    read_options("350102 4305 620a656669 cb05 69711b2e61 4203 61ff62 ff");
    CHECK_STR(lease.bootfile, "");
    CHECK_STR(lease.initiator, "");
    CHECK_STR(lease.tftp_server, "");
}

static void text_longer_than_we_keep_is_ignored(void) {
    char hex[2048];
    struct lb_text text = lb_text(hex, sizeof hex);
    lb_text_add(&text, "350102 cbe0"); /* 224 bytes: one more than an iSCSI name has */
    for (unsigned i = 0; i < 224; i++)
        lb_text_add(&text, "61");
    read_options(hex);
    CHECK_STR(lease.initiator, "");
}

static void a_root_path_longer_than_we_keep_is_cut_and_can_be_explained(void) {
    static char hex[3000];
    struct lb_text text = lb_text(hex, sizeof hex);
    lb_text_add(&text, "350102");
    for (unsigned i = 0; i < 5; i++) {
        lb_text_add(&text, " 11f0");
        for (unsigned n = 0; n < 240; n++)
            lb_text_add(&text, "61");
    }
    read_options(hex);
    CHECK_EQ(lease.root_path_len, LB_ROOTPATH_MAX);
}

static void trailing_nuls_of_a_root_path_are_removed(void) {
    read_options("350102 1108 69736373693a0000 ff");
    CHECK_STR(root_path(), "iscsi:");
    read_options("350102 1104 00000000 ff");
    CHECK_EQ(lease.root_path_len, 0);
    CHECK(!lb_addr_is_set(lease.root_path_from));
}

/* ---- 119 ---- */

static void search_names_are_decompressed(void) {
    read_options("350102 7713 03656e67 076578616d706c65 03636f6d 00 c004 ff");
    CHECK_STR(lease.search, "eng.example.com example.com");
    read_options("350102 770a 03656e67076578616d70 770c 6c6503636f6d00 026161c004 ff"); /* in two */
    CHECK_STR(lease.search, "eng.example.com aa.example.com");
}

/* The class of CVE-2023-45232 and 45233: a walk that never ends. */
static void search_names_that_point_at_themselves_are_ignored(void) {
    static const char *const bad[] = {
        "350102 7702 c000 ff",            /* at itself */
        "350102 7704 c002c000 ff",        /* forward, and back */
        "350102 7706 0161c00002c000 ff",  /* cut, too */
        "350102 7704 0161c000 ff",        /* at the beginning of its own name */
        "350102 7707 016100 0162c003 ff", /* at itself, behind a good one */
        "350102 7702 c0ff ff",            /* past the end */
        "350102 7701 c0 ff",              /* half a pointer */
        "350102 7703 0161 05 ff",         /* a label past the end */
        "350102 7702 0161 ff",            /* no end of the name */
        "350102 7703 400000 ff",          /* neither label nor pointer */
        "350102 7701 00 ff",              /* no name */
        "350102 7700 ff",                 /* nothing */
        "350102 7704 02610a00 ff",        /* a line feed */
    };
    for (size_t i = 0; i < LB_COUNT(bad); i++) {
        read_options(bad[i]);
        CHECK_STR(lease.search, "");
    }
}

static void a_search_name_longer_than_any_domain_is_ignored(void) {
    static char hex[2048];
    struct lb_text text = lb_text(hex, sizeof hex);
    lb_text_add(&text, "350102");
    for (unsigned i = 0; i < 5; i++) { /* one name of five labels of 60 bytes */
        lb_text_add(&text, " 773d3c");
        for (unsigned n = 0; n < 60; n++)
            lb_text_add(&text, "61");
    }
    lb_text_add(&text, " 770100");
    read_options(hex);
    CHECK_STR(lease.search, "");
}

/* ---- SLP and iSNS ---- */

static void slp_options_are_read(void) {
    read_options("350102 4e09 01 c000020a c000020b 4f05 00 612c62 00 ff");
    CHECK(lease.slp_da_mandatory);
    CHECK_EQ(lease.slp_da_count, 2);
    CHECK_ADDR(lease.slp_da[1], "192.0.2.11");
    CHECK(!lease.slp_scope_mandatory);
    CHECK_STR(lease.slp_scopes, "a,b");
    read_options("350102 4e04 01c00002 4f00 ff");
    CHECK_EQ(lease.slp_da_count, 0);
    read_options("350102 4e05 81c000020a ff"); /* the older form */
    CHECK_EQ(lease.slp_da_count, 0);
    CHECK(!lease.slp_da_mandatory);
}

static void isns_servers_are_read(void) {
    read_options("350102 530e 0001 0009 0000 00000000 c0000214 ff");
    CHECK_ADDR(lease.isns_server, "192.0.2.20");
    CHECK(!lb_addr_is_set(lease.isns_backup));
    CHECK_EQ(lease.isns_functions, 1);
    CHECK_EQ(lease.isns_dd_access, 9);
    read_options("350102 5312 0001 0008 0000 00000001 c0000214 c0000215 ff");
    CHECK_ADDR(lease.isns_backup, "192.0.2.21");
    CHECK_EQ(lease.isns_dd_access, 0); /* not enabled */
    CHECK_EQ(lease.isns_security, 1);
}

static void an_isns_heartbeat_comes_before_the_server(void) {
    read_options("350102 5312 0001 0001 0003 00000000 e0000105 c0000214 ff");
    CHECK_ADDR(lease.isns_server, "192.0.2.20");
    read_options("350102 5312 0001 0001 0002 00000000 c0000213 c0000214 ff"); /* not enabled */
    CHECK_ADDR(lease.isns_server, "192.0.2.19");
    read_options("350102 530e 0001 0001 0003 00000000 e0000105 ff"); /* no server */
    CHECK(!lb_addr_is_set(lease.isns_server));
}

static void isns_options_of_a_wrong_length_are_ignored(void) {
    for (unsigned len = 0; len <= 17; len++) {
        char hex[128];
        struct lb_text text = lb_text(hex, sizeof hex);
        lb_text_add(&text, "350102 53%02x", len);
        for (unsigned n = 0; n < len; n++)
            lb_text_add(&text, "%02x", n < 10 ? 0u : 10u);
        read_options(hex);
        CHECK_EQ(lb_addr_is_set(lease.isns_server), len == 14);
    }
}

/* RFC 3118 is not ours yet; RFC 3046 is never ours. */
static void options_82_and_90_are_passed_over(void) {
    read_options("350102 5a0b0001000000000000000000 5206 0104 61626364 3604c0000201 ff");
    CHECK_ADDR(lease.server, "192.0.2.1");
}

/* ---- writing ---- */

static struct lb_bytes encode_root_path(size_t root_path_len, struct lb_dhcp4_layout layout,
                                        struct lb_span room) {
    static uint8_t memory[2048];
    static char text[1024];
    struct lb_wr list = lb_wr(lb_span(memory, sizeof memory));
    struct lb_dhcp4_header header = {.op = LB_BOOTREPLY, .htype = 1, .hlen = 6, .xid = 7};
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)('a' + i % 23);
    lb_dhcp4_put_u8(&list, LB_OPT_TYPE, LB_DHCP4_OFFER);
    lb_dhcp4_put(&list, LB_OPT_ROOT_PATH, lb_bytes(text, root_path_len));
    lb_dhcp4_put_u16(&list, LB_OPT_MTU, 1500);
    return lb_dhcp4_encode(&header, &list, layout, room);
}

static void check_encoded(size_t len, struct lb_dhcp4_layout layout) {
    uint8_t room[LB_DHCP4_PACKET_MAX];
    struct lb_bytes value, bytes = encode_root_path(len, layout, lb_span(room, sizeof room));
    uint16_t mtu;
    if (!CHECK(bytes.len > 0) || !CHECK(decode(bytes)))
        return;
    CHECK(bytes.len <= layout.max_bytes);
    CHECK_EQ(message.type, LB_DHCP4_OFFER);
    CHECK_EQ(message.header.xid, 7);
    CHECK(lb_dhcp4_option_u16(&message, LB_OPT_MTU, &mtu));
    CHECK_EQ(mtu, 1500);
    if (!CHECK(lb_dhcp4_option(&message, LB_OPT_ROOT_PATH, &value)))
        return;
    CHECK_EQ(value.len, len);
    for (size_t i = 0; i < value.len; i++)
        CHECK_EQ(value.p[i], 'a' + i % 23);
}

static void what_is_written_is_read_again_at_every_length(void) {
    for (size_t len = 1; len <= 1024; len += len < 530 ? 1 : 61) {
        check_encoded(len, (struct lb_dhcp4_layout){.max_bytes = LB_DHCP4_PACKET_MAX});
        if (len <= 470)
            check_encoded(len, (struct lb_dhcp4_layout){.max_bytes = 548, .overload = true});
    }
}

static void an_option_that_fits_is_never_split(void) {
    uint8_t room[LB_DHCP4_PACKET_MAX];
    /* 60 bytes of options: 1 for `end`, 3 for 52, 3 for 53: 51 fit there, 126 into file. */
    struct lb_dhcp4_layout layout = {.max_bytes = 300, .overload = true};
    CHECK_EQ(encode_root_path(51, layout, lb_span(room, sizeof room)).len, 300);
    CHECK_EQ(room[240 + 3], LB_OPT_ROOT_PATH);
    encode_root_path(52, layout, lb_span(room, sizeof room));
    CHECK_EQ(room[240 + 3], LB_OPT_MTU);
    CHECK_EQ(room[108], LB_OPT_ROOT_PATH);
    CHECK_EQ(room[109], 52);
    encode_root_path(126, layout, lb_span(room, sizeof room)); /* now in pieces */
    CHECK_EQ(room[240 + 3], LB_OPT_ROOT_PATH);
    CHECK_EQ(room[108], LB_OPT_ROOT_PATH);
}

static void what_does_not_fit_is_not_written(void) {
    uint8_t room[LB_DHCP4_PACKET_MAX];
    struct lb_dhcp4_layout layout = {.max_bytes = 300};
    CHECK_EQ(encode_root_path(50, layout, lb_span(room, sizeof room)).len, 300);
    CHECK_EQ(encode_root_path(55, layout, lb_span(room, sizeof room)).len, 0);
    CHECK_EQ(encode_root_path(10, layout, lb_span(room, 299)).len, 0);
    layout.overload = true;
    CHECK_EQ(encode_root_path(400, layout, lb_span(room, sizeof room)).len, 0);
}

static void short_messages_are_padded_to_those_of_bootp(void) {
    uint8_t room[LB_DHCP4_PACKET_MAX];
    memset(room, 0xee, sizeof room);
    struct lb_bytes bytes = make((struct made){.type = LB_DHCP4_NAK}, lb_span(room, sizeof room));
    CHECK_EQ(bytes.len, 300);
    CHECK_EQ(room[299], 0);
}

static void an_overload_that_is_none_is_ignored(void) {
    CHECK(decode(with_options("350102 340105 ff 00000000000000000000")));
    CHECK_EQ(message.file.len, 0);
    static uint8_t bytes[300];
    struct lb_bytes value, whole = with_options("350102 340105 ff");
    memcpy(bytes, whole.p, whole.len);
    memcpy(bytes + 108, "\x11\x01x\xff", 4);
    CHECK(decode(lb_bytes(bytes, whole.len)));
    CHECK(!lb_dhcp4_option(&message, LB_OPT_ROOT_PATH, &value));
}

static void a_search_label_of_more_than_63_bytes_is_ignored(void) {
    for (unsigned len = 63; len <= 64; len++) {
        char hex[256];
        struct lb_text text = lb_text(hex, sizeof hex);
        lb_text_add(&text, "350102 77%02x%02x", len + 2, len);
        for (unsigned n = 0; n < len; n++)
            lb_text_add(&text, "61");
        lb_text_add(&text, "00");
        read_options(hex);
        CHECK_EQ(lb_strlen(lease.search), len == 63 ? 63 : 0);
    }
}

int main(void) {
    TEST(an_offer_of_dnsmasq_is_read);
    TEST(classless_routes_of_dnsmasq_stand_before_options_3_and_33);
    TEST(a_rapid_commit_ack_of_dnsmasq_is_read);
    TEST(a_proxy_offer_of_dnsmasq_is_read);
    TEST(naks_are_read);
    TEST(an_offer_of_dhcpd_is_read);
    TEST(a_bootp_reply_of_dhcpd_is_read);
    TEST(a_root_path_of_dhcpd_goes_on_from_options_into_file_and_sname);
    TEST(long_options_of_dhcpd_and_kea_are_joined_wherever_cut);
    TEST(an_ack_of_kea_echoes_our_identifier);
    TEST(every_truncation_of_every_vector_fails_cleanly);
    TEST(a_packet_shorter_than_its_header_is_refused);
    TEST(a_packet_longer_than_we_take_is_refused);
    TEST(an_option_past_the_end_of_the_packet_is_left_out);
    TEST(an_option_past_the_end_of_file_or_sname_is_left_out);
    TEST(pads_and_a_missing_end_are_harmless);
    TEST(nothing_behind_the_end_is_read);
    TEST(a_message_type_that_is_none_is_refused);
    TEST(of_several_message_types_the_first_good_one_counts);
    TEST(option_52_inside_file_means_nothing);
    TEST(a_reply_without_cookie_has_no_options);
    TEST(as_many_options_as_fit_are_kept_apart);
    TEST(options_of_a_wrong_length_are_ignored_by_themselves);
    TEST(an_absent_mask_is_that_of_the_class);
    TEST(static_routes_and_routers_make_routes_without_option_121);
    TEST(the_default_route_is_no_static_route);
    TEST(a_relay_is_no_router);
    TEST(an_mtu_below_68_is_ignored);
    TEST(classless_routes_are_read_at_every_width);
    TEST(host_bits_of_a_classless_route_are_masked_off);
    TEST(a_route_on_the_link_has_no_router);
    TEST(a_classless_route_wider_than_an_address_is_ignored_with_its_option);
    TEST(more_routes_than_we_keep_are_left_out);
    TEST(names_that_no_host_can_have_are_ignored);
    TEST(text_with_control_characters_is_ignored);
    TEST(text_longer_than_we_keep_is_ignored);
    TEST(a_root_path_longer_than_we_keep_is_cut_and_can_be_explained);
    TEST(trailing_nuls_of_a_root_path_are_removed);
    TEST(search_names_are_decompressed);
    TEST(search_names_that_point_at_themselves_are_ignored);
    TEST(a_search_name_longer_than_any_domain_is_ignored);
    TEST(slp_options_are_read);
    TEST(isns_servers_are_read);
    TEST(an_isns_heartbeat_comes_before_the_server);
    TEST(isns_options_of_a_wrong_length_are_ignored);
    TEST(options_82_and_90_are_passed_over);
    TEST(what_is_written_is_read_again_at_every_length);
    TEST(an_option_that_fits_is_never_split);
    TEST(what_does_not_fit_is_not_written);
    TEST(short_messages_are_padded_to_those_of_bootp);
    TEST(an_overload_that_is_none_is_ignored);
    TEST(a_search_label_of_more_than_63_bytes_is_ignored);
    return tap_done();
}
