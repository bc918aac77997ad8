/* DHCPv6 bytes: other people's messages read, ours written and read again, broken ones refused. */
#include "core/dhcp6/test_dhcp6.h"
#include "tests/tap.h"

static const struct {
    const char *name, *hex;
} vectors[] = {
#define VECTOR(name, hex) {#name, hex},
#include "tests/vectors/dhcp6.inc"
#undef VECTOR
};

static struct lb_dhcp6_message message;
static struct lb_dhcp6_lease lease;
static struct lb_dhcp6_ia ia;
static bool has_ia;

static struct lb_bytes vector(const char *name) {
    for (size_t i = 0; i < LB_COUNT(vectors); i++) {
        if (lb_streq(vectors[i].name, name))
            return tap_hex(vectors[i].hex);
    }
    CHECK(false);
    return lb_bytes(name, 0);
}

static void read_bytes(struct lb_bytes bytes) {
    const char *why = NULL;
    memset(&lease, 0, sizeof lease);
    if (!CHECK(lb_dhcp6_decode(bytes, &message, &why)))
        return;
    lb_dhcp6_read_lease(&message, v6("fe80::1"), &lease);
    has_ia = lb_dhcp6_find_ia(message.options, 1, &ia);
}

static const char *root_path(void) {
    static char text[LB_ROOTPATH_MAX + 1];
    memcpy(text, lease.root_path, lease.root_path_len);
    text[lease.root_path_len] = 0;
    return text;
}

static unsigned status(void) {
    struct lb_bytes text;
    return lb_dhcp6_find_status(message.options, &text);
}

static bool is_for(uint8_t client) {
    uint8_t mac[6] = {2, 0, 0, 0, 0, client};
    struct lb_duid duid, wanted = lb_duid_ll(mac);
    return lb_dhcp6_find_duid(message.options, LB_OPT6_CLIENT_ID, &duid) &&
           lb_duid_equal(&duid, &wanted);
}

/* ---- other people's servers ---- */

static void check_offer(const char *name, uint8_t type) {
    read_bytes(vector(name));
    CHECK_EQ(message.type, type);
    CHECK(is_for(1));
    CHECK(lease.server_id.len > 2);
    CHECK(has_ia);
    CHECK_EQ(ia.addr_count, 1);
    CHECK(ia.addrs[0].addr.bytes[14] == 1 && ia.addrs[0].addr.bytes[15] <= 1);
    CHECK(ia.addrs[0].valid_s >= 3600);
    CHECK_STR(root_path(), "iscsi:[2001:db8::1]:6:3260:1:iqn.2001-04.com.example:disk");
    CHECK_EQ(lease.dns_count, 2);
    CHECK_STR(lb_addr_text(lease.dns[1]).s, "2001:db8::54");
    CHECK_STR(lease.search, "eng.example.com example.com");
}

static void advertises_and_replies_of_kea_are_read(void) {
    uint32_t seconds = 0;
    check_offer("kea_advertise", LB_DHCP6_ADVERTISE);
    CHECK_EQ(message.xid, 0x1a2b3c);
    check_offer("kea_reply", LB_DHCP6_REPLY);
    CHECK_EQ(ia.t1_s, 1000);
    CHECK_EQ(ia.t2_s, 2000);
    CHECK_EQ(ia.addrs[0].preferred_s, 3600);
    CHECK_EQ(ia.addrs[0].valid_s, 7200);
    CHECK_EQ(lease.boot_params_len, 7);
    CHECK(lb_dhcp6_find_u32(message.options, LB_OPT6_SOL_MAX_RT, &seconds));
    CHECK_EQ(seconds, 120);
    check_offer("kea_renew", LB_DHCP6_REPLY);
}

static void advertises_and_replies_of_dhcpd_are_read(void) {
    check_offer("isc_advertise", LB_DHCP6_ADVERTISE);
    CHECK_EQ(lease.preference, 9);
    check_offer("isc_reply", LB_DHCP6_REPLY);
    CHECK_EQ(ia.addrs[0].preferred_s, 3600);
    check_offer("isc_renew", LB_DHCP6_REPLY);
}

static void advertises_and_replies_of_dnsmasq_are_read(void) {
    check_offer("dnsmasq_advertise", LB_DHCP6_ADVERTISE);
    check_offer("dnsmasq_reply", LB_DHCP6_REPLY);
    CHECK_EQ(ia.addrs[0].valid_s, 3600);
}

static void information_of_each_is_read(void) {
    static const char *const names[] = {"kea_information", "isc_information",
                                        "dnsmasq_information"};
    for (size_t i = 0; i < LB_COUNT(names); i++) {
        read_bytes(vector(names[i]));
        CHECK_EQ(message.type, LB_DHCP6_REPLY);
        CHECK(!has_ia);
        CHECK_EQ(lease.refresh_s, 7200);
        CHECK_STR(root_path(), "iscsi:[2001:db8::1]:6:3260:1:iqn.2001-04.com.example:disk");
    }
}

static void rapid_commits_of_each_are_read(void) {
    static const char *const names[] = {"kea_rapid", "isc_rapid", "dnsmasq_rapid"};
    for (size_t i = 0; i < LB_COUNT(names); i++) {
        read_bytes(vector(names[i]));
        CHECK_EQ(message.type, LB_DHCP6_REPLY);
        CHECK(lease.rapid_commit && has_ia && is_for(2));
    }
}

static void refusals_of_each_are_read(void) {
    static const char *const unknown[] = {"isc_no_binding", "dnsmasq_no_binding"};
    for (size_t i = 0; i < LB_COUNT(unknown); i++) {
        read_bytes(vector(unknown[i]));
        CHECK_EQ(has_ia ? ia.status : 99, LB_DHCP6_NO_BINDING);
        CHECK(ia.status_text.len > 0);
    }
    read_bytes(vector("kea_no_addrs"));
    CHECK_EQ(ia.status, LB_DHCP6_NO_ADDRS_AVAIL);
    read_bytes(vector("isc_no_addrs"));
    CHECK_EQ(ia.status, LB_DHCP6_NO_ADDRS_AVAIL);
    read_bytes(vector("dnsmasq_no_addrs"));
    CHECK_EQ(status(), LB_DHCP6_NO_ADDRS_AVAIL);
}

static void answers_to_confirm_of_each_are_read(void) {
    static const char *const yes[] = {"kea_confirm", "isc_confirm", "dnsmasq_confirm"};
    static const char *const no[] = {"kea_not_on_link", "isc_not_on_link", "dnsmasq_not_on_link"};
    for (size_t i = 0; i < LB_COUNT(yes); i++) {
        read_bytes(vector(yes[i]));
        CHECK_EQ(status(), LB_DHCP6_SUCCESS);
        read_bytes(vector(no[i]));
        CHECK_EQ(status(), LB_DHCP6_NOT_ON_LINK);
    }
}

static void every_truncation_of_every_vector_fails_cleanly_or_is_shorter(void) {
    for (size_t i = 0; i < LB_COUNT(vectors); i++) {
        uint8_t whole[1500], exact[1500];
        struct lb_bytes bytes = tap_hex(vectors[i].hex);
        memcpy(whole, bytes.p, bytes.len);
        unsigned good = 0;
        for (size_t len = 0; len < bytes.len; len++) {
            const char *why = NULL;
            memcpy(exact + sizeof exact - len, whole, len);
            struct lb_bytes cut = lb_bytes(exact + sizeof exact - len, len);
            bool is_good = lb_dhcp6_decode(cut, &message, &why);
            CHECK(is_good || why != NULL);
            if (is_good)
                lb_dhcp6_read_lease(&message, v6("fe80::1"), &lease);
            good += is_good;
        }
        CHECK(good < 12); /* between options alone */
    }
}

/* ---- option by option ---- */

static void read_option(uint16_t code, const char *hex) {
    static uint8_t room[2000];
    struct lb_wr wr = lb_wr(lb_span(room, sizeof room));
    lb_dhcp6_put_header(&wr, LB_DHCP6_REPLY, 1);
    lb_dhcp6_put(&wr, code, tap_hex(hex));
    read_bytes(lb_wr_done(&wr));
}

static void a_root_path_may_end_in_nuls_and_no_more(void) {
    read_option(LB_OPT6_BOOT_URL, "69736373693a 0000");
    CHECK_STR(root_path(), "iscsi:");
    read_option(LB_OPT6_BOOT_URL, "69736373 00 693a");
    CHECK_EQ(lease.root_path_len, 7);
}

static void a_root_path_that_is_too_long_is_cut_and_still_told(void) {
    static uint8_t room[3000];
    struct lb_wr wr = lb_wr(lb_span(room, sizeof room));
    lb_dhcp6_put_header(&wr, LB_DHCP6_REPLY, 1);
    size_t opened = lb_dhcp6_open(&wr, LB_OPT6_BOOT_URL);
    for (unsigned i = 0; i < 1100; i++)
        lb_wr_u8(&wr, 'x');
    lb_dhcp6_close(&wr, opened);
    read_bytes(lb_wr_done(&wr));
    CHECK_EQ(lease.root_path_len, LB_ROOTPATH_MAX);
}

/* RFC 5970 3.2. */
static void boot_parameters_fill_their_option_exactly(void) {
    read_option(LB_OPT6_BOOT_PARAMS, "0001 61 0000 0002 6263");
    CHECK_EQ(lease.boot_params_len, 9);
    static const char *const bad[] = {"00", "0001", "0002 61", "0001 61 00"};
    for (size_t i = 0; i < LB_COUNT(bad); i++) {
        read_option(LB_OPT6_BOOT_PARAMS, bad[i]);
        CHECK_EQ(lease.boot_params_len, 0);
    }
}

static void dns_servers_that_cannot_be_are_left_out(void) {
    read_option(LB_OPT6_DNS, "00000000000000000000000000000000 ff020000000000000000000000000001"
                             "20010db8000000000000000000000053");
    CHECK_EQ(lease.dns_count, 1);
    CHECK_STR(lb_addr_text(lease.dns[0]).s, "2001:db8::53");
}

static void search_names_end_with_their_option(void) {
    read_option(LB_OPT6_SEARCH, "0161 0162 00 0163 00");
    CHECK_STR(lease.search, "a.b c");
    read_option(LB_OPT6_SEARCH, "0161 00 0163");
    CHECK_STR(lease.search, "");
}

static void the_first_of_two_equal_options_counts(void) {
    struct lb_bytes bytes = tap_hex("07 000001 0007 0001 05 0007 0001 06");
    read_bytes(bytes);
    CHECK_EQ(lease.preference, 5);
}

static void messages_between_relays_and_servers_are_none_for_us(void) {
    const char *why = NULL;
    CHECK(!lb_dhcp6_decode(tap_hex("0c 000001"), &message, &why));
    CHECK_STR(why, "between relays and servers");
    CHECK(!lb_dhcp6_decode(tap_hex("0d 000001"), &message, &why));
    CHECK(lb_dhcp6_decode(tap_hex("01 000001"), &message, &why));
}

/* ---- who we are ---- */

static void check_duid(struct lb_duid duid, const char *hex) {
    CHECK_BYTES(lb_bytes(duid.bytes, duid.len), tap_hex(hex));
}

/* RFC 8415 11.2, 11.4; RFC 6355 4. */
static void duids_are_made_as_the_rfcs_say(void) {
    static const uint8_t mac[6] = {2, 0, 0x5e, 1, 2, 3};
    static const uint8_t uuid[16] = {0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17,
                                     0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f};
    check_duid(lb_duid_llt(mac, 0x01020304), "0001 0001 01020304 02005e010203");
    check_duid(lb_duid_ll(mac), "0003 0001 02005e010203");
    check_duid(lb_duid_uuid(uuid), "0004 101112131415161718191a1b1c1d1e1f");
    CHECK_EQ(lb_dhcp6_iaid(mac), 0x5e010203);
}

static void a_lifetime_counts_down_and_an_endless_one_does_not(void) {
    struct lb_dhcp6_lease old = {.start_us = 10 * LB_US_SEC};
    CHECK_EQ(lb_dhcp6_left_s(&old, 5 * LB_US_SEC, 100), 100);
    CHECK_EQ(lb_dhcp6_left_s(&old, 40 * LB_US_SEC, 100), 70);
    CHECK_EQ(lb_dhcp6_left_s(&old, 200 * LB_US_SEC, 100), 0);
    CHECK_EQ(lb_dhcp6_left_s(&old, 200 * LB_US_SEC, LB_DHCP6_INFINITE), LB_DHCP6_INFINITE);
}

/* ---- RFC 8415 20.4 ---- */

#define RECONFIGURE                                                                                \
    "0a000000 0001000a00030001020000000001 0002000a00030001020000000002 0013000105 000b001c "      \
    "030100 0000000000000001 02 9cd3084bae3d85974a201a6c522d0a69"

/* The MAC was computed by another program. */
static void the_mac_of_a_reconfigure_is_hmac_md5_over_all_of_it(void) {
    struct lb_dhcp6_key key = {.is_set = true};
    static const uint8_t server_mac[6] = {2, 0, 0, 0, 0, 2};
    key.server = lb_duid_ll(server_mac);
    for (uint8_t i = 0; i < sizeof key.bytes; i++)
        key.bytes[i] = i;
    read_bytes(tap_hex(RECONFIGURE));
    CHECK(lb_dhcp6_is_authentic(&message, &key));
    CHECK_EQ(key.replay, 1);
    CHECK(!lb_dhcp6_is_authentic(&message, &key));
}

static void what_we_write_as_mac_is_that_vector(void) {
    uint8_t room[200], key[LB_DHCP6_KEY_BYTES];
    static const uint8_t server_mac[6] = {2, 0, 0, 0, 0, 2};
    struct lb_duid client = test_client_duid(), server = lb_duid_ll(server_mac);
    struct lb_wr wr = lb_wr(lb_span(room, sizeof room));
    for (uint8_t i = 0; i < sizeof key; i++)
        key[i] = i;
    lb_dhcp6_put_header(&wr, LB_DHCP6_RECONFIGURE, 0);
    lb_dhcp6_put_duid(&wr, LB_OPT6_CLIENT_ID, &client);
    lb_dhcp6_put_duid(&wr, LB_OPT6_SERVER_ID, &server);
    lb_dhcp6_put_u8(&wr, LB_OPT6_RECONF_MSG, LB_DHCP6_RENEW);
    lb_dhcp6_put_mac(&wr, 1, lb_bytes(key, sizeof key));
    CHECK_BYTES(lb_wr_done(&wr), tap_hex(RECONFIGURE));
}

static void two_authentication_options_are_none(void) {
    uint8_t room[200];
    static const uint8_t key[LB_DHCP6_KEY_BYTES] = {1};
    struct lb_dhcp6_key taken = {0};
    struct lb_duid server = test_server_duid(1);
    struct lb_wr wr = lb_wr(lb_span(room, sizeof room));
    lb_dhcp6_put_header(&wr, LB_DHCP6_REPLY, 1);
    lb_dhcp6_put_duid(&wr, LB_OPT6_SERVER_ID, &server);
    lb_dhcp6_put_key(&wr, 1, lb_bytes(key, sizeof key));
    read_bytes(lb_wr_done(&wr));
    CHECK(lb_dhcp6_take_key(&message, &taken));
    lb_dhcp6_put_key(&wr, 2, lb_bytes(key, sizeof key));
    read_bytes(lb_wr_done(&wr));
    CHECK(!lb_dhcp6_take_key(&message, &taken));
}

/* RFC 8415 20.4.3: a Reply with a server's identifier and the key, of which type 2 is a MAC. */
static void a_key_is_taken_of_a_server_that_says_who_it_is(void) {
    static const uint8_t key[LB_DHCP6_KEY_BYTES] = {1, 2, 3};
    struct lb_duid server = test_server_duid(1);
    for (unsigned type = 0; type <= 3; type++) {
        for (unsigned has_server = 0; has_server < 2; has_server++) {
            uint8_t room[200];
            struct lb_dhcp6_key taken = {0};
            struct lb_wr wr = lb_wr(lb_span(room, sizeof room));
            lb_dhcp6_put_header(&wr, LB_DHCP6_REPLY, 1);
            if (has_server)
                lb_dhcp6_put_duid(&wr, LB_OPT6_SERVER_ID, &server);
            size_t at = wr.len;
            lb_dhcp6_put_key(&wr, 9, lb_bytes(key, sizeof key));
            room[at + 4 + 11] = (uint8_t)type; /* behind protocol, algorithm, RDM and counter */
            read_bytes(lb_wr_done(&wr));
            CHECK_EQ(lb_dhcp6_take_key(&message, &taken), has_server && type == 1);
            CHECK_EQ(taken.is_set, has_server && type == 1);
            CHECK_EQ(taken.replay, taken.is_set ? 9 : 0);
            CHECK(!taken.is_set || (lb_duid_equal(&taken.server, &server) &&
                                    memcmp(taken.bytes, key, sizeof key) == 0));
        }
    }
}

static void without_authentication_there_is_no_key(void) {
    uint8_t room[200];
    struct lb_dhcp6_key taken = {0};
    struct lb_duid server = test_server_duid(1);
    struct lb_wr wr = lb_wr(lb_span(room, sizeof room));
    lb_dhcp6_put_header(&wr, LB_DHCP6_REPLY, 1);
    lb_dhcp6_put_duid(&wr, LB_OPT6_SERVER_ID, &server);
    read_bytes(lb_wr_done(&wr));
    CHECK(!lb_dhcp6_take_key(&message, &taken));
    CHECK(!taken.is_set);
}

int main(void) {
    TEST(advertises_and_replies_of_kea_are_read);
    TEST(advertises_and_replies_of_dhcpd_are_read);
    TEST(advertises_and_replies_of_dnsmasq_are_read);
    TEST(information_of_each_is_read);
    TEST(rapid_commits_of_each_are_read);
    TEST(refusals_of_each_are_read);
    TEST(answers_to_confirm_of_each_are_read);
    TEST(every_truncation_of_every_vector_fails_cleanly_or_is_shorter);
    TEST(a_root_path_may_end_in_nuls_and_no_more);
    TEST(a_root_path_that_is_too_long_is_cut_and_still_told);
    TEST(boot_parameters_fill_their_option_exactly);
    TEST(dns_servers_that_cannot_be_are_left_out);
    TEST(search_names_end_with_their_option);
    TEST(the_first_of_two_equal_options_counts);
    TEST(messages_between_relays_and_servers_are_none_for_us);
    TEST(duids_are_made_as_the_rfcs_say);
    TEST(a_lifetime_counts_down_and_an_endless_one_does_not);
    TEST(the_mac_of_a_reconfigure_is_hmac_md5_over_all_of_it);
    TEST(what_we_write_as_mac_is_that_vector);
    TEST(two_authentication_options_are_none);
    TEST(a_key_is_taken_of_a_server_that_says_who_it_is);
    TEST(without_authentication_there_is_no_key);
    return tap_done();
}
