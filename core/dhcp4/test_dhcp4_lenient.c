/* Servers that do not keep to the RFCs, and what is made of their answers; and what is sent to
 * those that ask for more than a DHCP client sends. */
#include "core/dhcp4/test_dhcp4_client.h"

static struct lb_dhcp4_message message;
static struct lb_dhcp4_lease lease;

/* A message with these options, given as they stand on the wire. */
static struct lb_bytes with_options(const char *hex) {
    static uint8_t bytes[LB_DHCP4_PACKET_MAX];
    struct lb_wr wr = lb_wr(lb_span(bytes, sizeof bytes));
    memset(bytes, 0, sizeof bytes);
    lb_wr_u32(&wr, 0x02010600);
    lb_wr_zero(&wr, 12);
    lb_wr_u32(&wr, 0xc0000264); /* yiaddr 192.0.2.100 */
    lb_wr_zero(&wr, LB_DHCP4_HEADER_BYTES - 20);
    lb_wr_u32(&wr, 0x63825363);
    lb_wr_bytes(&wr, tap_hex(hex));
    return lb_wr_done(&wr);
}

static void read_from(struct lb_bytes bytes, struct lb_addr from) {
    const char *why;
    if (CHECK(lb_dhcp4_decode(bytes, &message, &why)))
        lb_dhcp4_read_lease(&message, from, &lease);
}

static void read_options(const char *hex) {
    read_from(with_options(hex), v4(192, 0, 2, 1));
}

/* ---- what is missing ---- */

/* A cloud's DHCP server, among others (RFC 2131 4.3.1 wants one). */
static void a_server_without_an_identifier_is_its_sender(void) {
    start((struct lb_dhcp4_config){.no_arp_probe = true});
    CHECK(GIVE(LB_DHCP4_OFFER, .no_server_id = true, ISCSI));
    CHECK_STATE("REQUESTING");
    CHECK_STR(sent_addr(LB_OPT_SERVER_ID), "192.0.2.1");
    CHECK(GIVE(LB_DHCP4_ACK, .no_server_id = true, ISCSI));
    CHECK_STATE("BOUND");
    CHECK_ADDR(t.client.lease.server, "192.0.2.1");
    CHECK(t.client.lease.no_server_id);
}

static void an_ack_alone_may_lack_the_identifier(void) {
    reach_requesting((struct lb_dhcp4_config){.no_arp_probe = true});
    /* From another address of the server than the offer says. */
    CHECK(GIVE(LB_DHCP4_ACK, .no_server_id = true, .server = v4(192, 0, 2, 3), ISCSI));
    CHECK_STATE("BOUND");
    CHECK_ADDR(t.client.lease.server, "192.0.2.1");
}

static void a_lease_of_no_time_is_one_of_an_hour(void) {
    static const char zero[] = "3304 00000000";
    reach_requesting((struct lb_dhcp4_config){.no_arp_probe = true});
    CHECK(GIVE(LB_DHCP4_ACK, .no_lease_time = true, .options = tap_hex(zero), ISCSI));
    CHECK_STATE("BOUND");
    CHECK_EQ(t.client.lease.lease_s, 3600);
    CHECK_EQ(t.client.lease.left_out[0], LB_OPT_LEASE_TIME);
}

/* RFC 6842 3: others come before it. */
static void one_that_echoes_another_identifier_is_the_last_choice(void) {
    start((struct lb_dhcp4_config){0});
    CHECK(GIVE(LB_DHCP4_OFFER, .client_id = tap_hex("01 020000000002"), ISCSI));
    CHECK_STATE("SELECTING");
    CHECK(GIVE(LB_DHCP4_OFFER, .server = v4(192, 0, 2, 7), ISCSI));
    CHECK_STATE("REQUESTING");
    CHECK_ADDR(t.client.lease.server, "192.0.2.7");
    start((struct lb_dhcp4_config){0});
    CHECK(GIVE(LB_DHCP4_OFFER, .client_id = tap_hex("01 020000000002"), ISCSI));
    advance(900 * LB_US_MS);
    CHECK_STATE("REQUESTING");
    CHECK_HAS(t.client.lease.flaw, "another client");
}

/* ---- what cannot be used ---- */

static void answers_that_cannot_be_used_are_not_silence(void) {
    static uint8_t broken[260];
    struct lb_dhcp4_config config = {.give_up_ms = 30000};
    start(config);
    CHECK(!GIVE(LB_DHCP4_OFFER, .yiaddr = v4(224, 0, 0, 5)));
    CHECK(!GIVE(LB_DHCP4_ACK, .server = v4(192, 0, 2, 7)));
    give_up_after(config, LB_E_DHCP_UNUSABLE);
    CHECK_HAS(t.client.error.facts,
              "2 answers that cannot be used, the last from 192.0.2.7: an ACK that nobody");
    start(config); /* one that cannot be read, and is ours by its header */
    struct lb_wr wr = lb_wr(lb_span(broken, sizeof broken));
    lb_wr_u32(&wr, 0x02010600);
    lb_wr_u32(&wr, t.client.xid);
    lb_wr_zero(&wr, 20);
    lb_wr_bytes(&wr, lb_bytes(test_mac, 6));
    memcpy(broken + LB_DHCP4_HEADER_BYTES, tap_hex("63825363 350142").p, 7);
    CHECK(!lb_dhcp4_client_input(&t.client, t.now, test_from(v4(192, 0, 2, 1)),
                                 lb_bytes(broken, sizeof broken)));
    give_up_after(config, LB_E_DHCP_UNUSABLE);
    CHECK_HAS(t.client.error.facts,
              "1 answer that cannot be used, the last from 192.0.2.1: option 53");
}

static void an_ack_that_cannot_be_used_is_told(void) {
    struct lb_dhcp4_config config = {.give_up_ms = 30000};
    reach_requesting(config);
    CHECK(!GIVE(LB_DHCP4_ACK, .yiaddr = v4(224, 0, 0, 5)));
    give_up_after(config, LB_E_DHCP_NO_ACK);
    CHECK_HAS(t.client.error.facts, "an address that no host can have");
}

static void an_ack_has_the_last_word_on_the_address(void) {
    reach_requesting((struct lb_dhcp4_config){0});
    CHECK(GIVE(LB_DHCP4_ACK, .yiaddr = v4(192, 0, 2, 199)));
    CHECK(lb_addr_equal(t.client.lease.address.addr, v4(192, 0, 2, 199)));
}

/* ---- what is sent ---- */

static bool sent_is(uint8_t code, const char *hex) {
    struct lb_bytes value;
    return lb_dhcp4_option(&t.sent, code, &value) && lb_bytes_equal(value, tap_hex(hex));
}

static void what_a_sites_server_asks_for_is_sent(void) {
    struct lb_dhcp4_config config = {.user_class = "iPXE", .has_arch = true, .arch = 7};
    static const uint8_t extra[] = {175, 2, 0xb1, 0x01, 43, 0};
    start((struct lb_dhcp4_config){0});
    CHECK(!has(LB_OPT_USER_CLASS) && !has(LB_OPT_ARCH) && !has(LB_OPT_MACHINE) && !has(175));
    start(config);
    CHECK(sent_is(LB_OPT_USER_CLASS, "69505845"));
    CHECK(sent_is(LB_OPT_ARCH, "0007"));
    CHECK(sent_is(LB_OPT_UNDI, "010310"));
    CHECK(!has(LB_OPT_MACHINE));
    for (size_t i = 0; i < sizeof config.uuid; i++)
        config.uuid[i] = (uint8_t)(0x10 + i);
    config.extra = lb_bytes(extra, sizeof extra);
    start(config);
    CHECK(sent_is(LB_OPT_MACHINE, "00 13121110 1514 1716 18191a1b1c1d1e1f"));
    CHECK(sent_is(175, "b101"));
    CHECK(sent_is(43, ""));
    CHECK(GIVE(LB_DHCP4_OFFER, ISCSI));
    CHECK_EQ(t.sent.type, LB_DHCP4_REQUEST);
    CHECK(sent_is(LB_OPT_USER_CLASS, "69505845") && sent_is(175, "b101"));
}

static void what_a_person_sends_stands_above_the_architecture_we_know(void) {
    static const uint8_t extra[] = {93, 2, 0x00, 0x10, 97, 1, 0xff};
    struct lb_dhcp4_config config = {
        .has_arch = true, .arch = 7, .uuid = {1}, .extra = lb_bytes(extra, sizeof extra)};
    start(config);
    CHECK(sent_is(LB_OPT_ARCH, "0010")); /* two of the same code would be joined: RFC 3396 */
    CHECK(sent_is(LB_OPT_UNDI, "010310"));
    CHECK(sent_is(LB_OPT_MACHINE, "ff"));
}

static void the_longest_options_all_fit(void) {
    static char longest[256], class[129];
    static uint8_t extra[128] = {175, 126};
    struct lb_dhcp4_config config = {.hostname = longest,
                                     .vendor_class = longest,
                                     .user_class = class,
                                     .has_arch = true,
                                     .uuid = {1},
                                     .client_id_len = LB_DHCP4_BLOB_MAX,
                                     .extra = {.p = extra, .len = sizeof extra}};
    memset(longest, 'a', sizeof longest - 1);
    memset(class, 'b', sizeof class - 1);
    start(config);
    CHECK_EQ(seen.sends, 1);
    CHECK(GIVE(LB_DHCP4_OFFER, ISCSI));
    CHECK_EQ(t.sent.type, LB_DHCP4_REQUEST);
}

/* ---- text ---- */

/* Option 15 has one domain, and many servers send several. */
static void several_domains_are_searched(void) {
    static const struct {
        const char *hex, *domain, *search;
        bool is_told;
    } cases[] = {
        {"0f13 612e6578616d706c6520622e6578616d706c65", "a.example", "a.example b.example", false},
        {"0f13 612e6578616d706c652c622e6578616d706c65", "a.example", "a.example b.example", false},
        {"0f14 612e6578616d706c652c20622e6578616d706c65", "a.example", "a.example b.example",
         false},
        {"0f0b 20612e6578616d706c650a", "a.example", "", false},
        {"0f0a 612e6578616d706c6500", "a.example", "", false},
        {"0f0d 612e6578616d706c6520215f21", "a.example", "", true},
        {"0f03 215f21", "", "", true},
        {"0f03 20 20 20", "", "", false},
    };
    for (size_t i = 0; i < LB_COUNT(cases); i++) {
        char hex[120];
        lb_format(hex, sizeof hex, "350102 %s ff", cases[i].hex);
        read_options(hex);
        CHECK_STR(lease.domain, cases[i].domain);
        CHECK_STR(lease.search, cases[i].search);
        CHECK_EQ(lease.left_out_count, cases[i].is_told);
    }
    read_options("350102 0f13 612e6578616d706c6520622e6578616d706c65 7703 016300 ff");
    CHECK_STR(lease.search, "c"); /* what is said as a list stands above it */
}

/* The list has room for 512 bytes. */
static void a_domain_that_does_not_fit_into_the_list_is_left_out_whole(void) {
    for (unsigned last = 109; last <= 112; last++) {
        static const unsigned before[] = {200, 200};
        char names[LB_SEARCH_MAX + 200], hex[1400];
        struct lb_text text = lb_text(names, sizeof names), options = lb_text(hex, sizeof hex);
        for (size_t i = 0; i < 3; i++) {
            unsigned len = i < 2 ? before[i] : last;
            for (unsigned n = 1; n <= len; n++)
                lb_text_add(&text, "%s", n % 50 == 0 && n < len ? "." : "a");
            lb_text_add(&text, i < 2 ? " " : "");
        }
        lb_text_add(&options, "350102");
        for (size_t at = 0; at < text.len; at += 250) { /* RFC 3396 */
            size_t len = LB_MIN(text.len - at, 250);
            lb_text_add(&options, "0f%02x", (unsigned)len);
            for (size_t i = 0; i < len; i++)
                lb_text_add(&options, "%02x", (unsigned)(uint8_t)names[at + i]);
        }
        lb_text_add(&options, "ff");
        read_options(hex);
        CHECK_EQ(lb_strlen(lease.search), last <= 110 ? 402 + last : 401);
    }
}

static void blanks_and_line_ends_around_text_are_left_out(void) {
    read_options("350102 0c06 686f7374 0d0a cb0a 69716e2e782079200a00 ff");
    CHECK_STR(lease.hostname, "host");
    CHECK_STR(lease.initiator, "iqn.x y");
    read_options("350102 1104 6162200a ff"); /* those of a Root Path are its reader's to tell */
    CHECK_EQ(lease.root_path_len, 4);
}

/* HBAs' place, and DHCPv6's. */
static void a_disk_that_is_named_elsewhere_is_noted(void) {
    static const struct {
        const char *hex, *where;
    } cases[] = {
        {"2b0d c90b 69736373693a3a3a3a3a78", "option 43, sub-option 201"},
        {"2b0d ca0b 49534353493a3a3a3a3a78", "option 43, sub-option 202"},
        {"2b10 000103 010761 c90b 69736373693a3a3a3a3a78", NULL}, /* not whole */
        {"c90b 69736373693a3a3a3a3a78", "option 201"},
        {"430b 69736373693a3a3a3a3a78", "option 67 (bootfile)"},
        {"2b0d c90b 6e667363693a3a3a3a3a78", NULL},
        {"4303 616263", NULL},
    };
    for (size_t i = 0; i < LB_COUNT(cases); i++) {
        char hex[120];
        lb_format(hex, sizeof hex, "350102 %s ff", cases[i].hex);
        read_options(hex);
        CHECK_STR(lease.elsewhere == NULL ? "" : lease.elsewhere,
                  cases[i].where == NULL ? "" : cases[i].where);
    }
    read_options("350102 2b0d c90b 69736373693a3a3a3a3a78 ff");
    CHECK_STR(lease.elsewhere_text, "iscsi:::::x");
}

static void of_a_disk_that_is_named_elsewhere_100_bytes_are_shown(void) {
    for (size_t len = 99; len <= 101; len++) {
        char name[120], shown[120], hex[300];
        struct lb_text options = lb_text(hex, sizeof hex);
        memset(name, 'x', len);
        memcpy(name, "iscsi:", 6);
        lb_text_copy(shown, sizeof shown, lb_bytes((const uint8_t *)name, LB_MIN(len, 100)));
        lb_text_add(&options, "350102 c9 %02zx ", len);
        lb_text_hex(&options, lb_bytes((const uint8_t *)name, len));
        lb_text_add(&options, " ff");
        read_options(hex);
        CHECK_STR(lease.elsewhere_text, shown);
    }
}

static void a_root_path_that_is_cut_is_noted(void) {
    read_options("350102 1120 69736373693a");
    CHECK_EQ(lease.root_path_len, 0);
    CHECK(lease.has_cut_root_path);
    read_options("350102 110b 69736373693a3a3a3a3a78 0f20 6578");
    CHECK_EQ(lease.root_path_len, 11);
    CHECK(!lease.has_cut_root_path);
    CHECK_EQ(lease.left_out_count, 1);
    CHECK_EQ(lease.left_out[0], LB_OPT_DOMAIN);
}

static void a_router_that_option_121_puts_out_is_noted(void) {
    read_options("350102 0304 c00002fe 7908 18cb0071 c00002fd ff");
    CHECK_EQ(lease.router_count, 0);
    CHECK_ADDR(lease.ignored_router, "192.0.2.254");
    read_options("350102 0304 c00002fe 7905 00 c00002fd ff");
    CHECK(!lb_addr_is_set(lease.ignored_router));
}

/* Of 192.0.2.100. */
static void what_cannot_be_right_about_a_network_is_noted(void) {
    static const struct {
        const char *options, *flaw;
    } cases[] = {
        {"350102", ""},
        {"350102 0104 ffffff00 0304 c00002fe", ""},
        {"350102 0104 ffffff00 0308 0a000001 c00002fe", ""}, /* one of them is near */
        {"350102 0104 ffffff00 0304 0a000001", "its router is not on its network"},
        {"350102 0104 ffffff00 0308 0a000001 0a000002", "its router is not on its network"},
        {"350102 0104 ffffffff 0304 0a000001", ""}, /* a /32 has a route to it */
        {"350102 0104 ff00ff00", "a netmask that is none"},
        {"350102 0104 00000000", "a netmask that is none"},
        {"350102 0104 fffffffc", "its address is that of the whole network"},
        {"350102 0104 fffffffe", ""}, /* RFC 3021 */
    };
    for (size_t i = 0; i < LB_COUNT(cases); i++) {
        read_options(cases[i].options);
        CHECK_STR(lease.flaw ? lease.flaw : "", cases[i].flaw);
    }
}

static void behind_a_relay_siaddr_is_the_server_that_has_no_identifier(void) {
    struct lb_bytes whole = with_options("350102 ff");
    uint8_t bytes[300] = {0};
    memcpy(bytes, whole.p, whole.len);
    memcpy(bytes + 20, tap_hex("c0000209").p, 4); /* siaddr */
    read_from(lb_bytes(bytes, whole.len), v4(192, 0, 2, 1));
    CHECK_ADDR(lease.server, "192.0.2.1");
    memcpy(bytes + 24, tap_hex("c00002fe").p, 4); /* giaddr */
    read_from(lb_bytes(bytes, whole.len), v4(192, 0, 2, 254));
    CHECK_ADDR(lease.server, "192.0.2.9");
}

/* RFC 2131 4.1: option 52 says that file, sname or both go on with options. */
static void the_message_type_may_stand_in_file_or_sname(void) {
    static const size_t places[] = {108, 44};
    static uint8_t bytes[LB_DHCP4_PACKET_MAX];
    for (size_t i = 0; i < LB_COUNT(places); i++) {
        struct lb_bytes whole = with_options("340103 ff");
        const char *why;
        memcpy(bytes, whole.p, whole.len);
        bytes[108] = bytes[44] = 255;
        memcpy(bytes + places[i], tap_hex("350105 ff").p, 4);
        CHECK(lb_dhcp4_decode(lb_bytes(bytes, whole.len), &message, &why));
        CHECK_EQ(message.type, LB_DHCP4_ACK);
    }
}

int main(void) {
    TEST(a_server_without_an_identifier_is_its_sender);
    TEST(an_ack_alone_may_lack_the_identifier);
    TEST(a_lease_of_no_time_is_one_of_an_hour);
    TEST(one_that_echoes_another_identifier_is_the_last_choice);
    TEST(answers_that_cannot_be_used_are_not_silence);
    TEST(an_ack_that_cannot_be_used_is_told);
    TEST(an_ack_has_the_last_word_on_the_address);
    TEST(what_a_sites_server_asks_for_is_sent);
    TEST(what_a_person_sends_stands_above_the_architecture_we_know);
    TEST(the_longest_options_all_fit);
    TEST(several_domains_are_searched);
    TEST(blanks_and_line_ends_around_text_are_left_out);
    TEST(a_disk_that_is_named_elsewhere_is_noted);
    TEST(of_a_disk_that_is_named_elsewhere_100_bytes_are_shown);
    TEST(a_root_path_that_is_cut_is_noted);
    TEST(a_router_that_option_121_puts_out_is_noted);
    TEST(what_cannot_be_right_about_a_network_is_noted);
    TEST(behind_a_relay_siaddr_is_the_server_that_has_no_identifier);
    TEST(the_message_type_may_stand_in_file_or_sname);
    TEST(a_domain_that_does_not_fit_into_the_list_is_left_out_whole);
    return tap_done();
}
