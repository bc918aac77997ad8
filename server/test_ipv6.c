/* Tests of what lunbootd does of IPv6: settings, addresses, who asks, and router advertisements. */
#include "core/dhcp6/dhcp6_wire.h"
#include "core/nd6/nd6_wire.h"
#include "server/boot_file.h"
#include "server/dhcp6.h"
#include "server/routers.h"
#include "tests/tap.h"
#include <string.h>

static struct lb_server_settings settings;
static struct lb_server_error error;

static struct lb_addr v6(const char *text) {
    struct lb_addr addr = {0};
    CHECK(lb_addr_parse_v6(lb_bytes_of_text(text), &addr));
    return addr;
}

/* Sets a key on fresh settings that are complete otherwise. */
static bool set(const char *word, const char *value) {
    error = (struct lb_server_error){0};
    lb_server_settings_init(&settings);
    lb_text_copy(settings.interface, sizeof settings.interface, lb_bytes_of_text("eth0"));
    lb_text_copy(settings.disk, sizeof settings.disk, lb_bytes_of_text("disk.img"));
    return lb_server_settings_set(&settings, lb_bytes_of_text(word), lb_bytes_of_text(value),
                                  "here", &error) &&
           lb_server_settings_check(&settings, &error);
}

/* ---- settings ---- */

static void ipv6_is_served_where_it_is_asked_for(void) {
    CHECK(set("dhcp", "off"));
    CHECK(!lb_server_settings_has_ipv6(&settings));
    CHECK_EQ(settings.dhcp6, LB_SERVER_DHCP6_OFF);
    CHECK_EQ(settings.router_lifetime_s, 0);
    CHECK(set("ipv6", "yes") && lb_server_settings_has_ipv6(&settings));
    CHECK(set("dhcp6", "stateless") && lb_server_settings_has_ipv6(&settings));
    CHECK(set("router-advertisements", "yes") && lb_server_settings_has_ipv6(&settings));
}

static void wrong_values_of_ipv6_are_told(void) {
    static const struct {
        const char *word, *value, *hint;
    } cases[] = {
        {"dhcp6-range", "192.0.2.1-192.0.2.9", "two IPv6 addresses"},
        {"dhcp6-range", "2001:db8::9-2001:db8::1", "the lower one first"},
        {"dhcp6-range", "2001:db8::1-2001:db8:0:1::1", "first 64 bits are the same"},
        {"dhcp6-range", "2001:db8::1-2001:db8::9", "dhcp6 = server"},
        {"dns6", "192.0.2.53", "an IPv6 address"},
        {"dns6", "fe80::53", "none that begins with fe80"},
        {"router-lifetime", "9001", "a number from 0 to 9000"},
        {"router-lifetime", "60", "router-advertisements = yes"},
        {"dhcp6", "proxy", "one of off|server|stateless"},
    };
    for (size_t i = 0; i < LB_COUNT(cases); i++) {
        CHECK(!set(cases[i].word, cases[i].value));
        CHECK_HAS(error.hint, cases[i].hint);
    }
}

static void the_default_range_is_not_the_links_own(void) {
    struct lb_server_link link = {
        .address6 = v6("2001:db8::1"),
        .network6 = {.addr = v6("2001:db8::"), .len = 64},
    };
    struct lb_server_range range = lb_server_link_range6(&link, 4096);
    CHECK_STR(lb_addr_text(range.first).s, "2001:db8::1000");
    CHECK_STR(lb_addr_text(range.last).s, "2001:db8::1fff");
    link.address6 = v6("2001:db8::1fff");
    CHECK_STR(lb_addr_text(lb_server_link_range6(&link, 4096).first).s, "2001:db8::2000");
    link.address6 = v6("2001:db8::1:1fff");
    CHECK_STR(lb_addr_text(lb_server_link_range6(&link, 16).last).s, "2001:db8::100f");
    link.network6.len = 113;
    CHECK(!lb_addr_is_set(lb_server_link_range6(&link, 4096).first));
}

/* ---- who asks ---- */

static const uint8_t mac[6] = {0x52, 0x54, 0, 0x12, 0x34, 0x56};
static const uint8_t uuid[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

static void a_card_is_known_by_its_link_local_address(void) {
    struct lb_duid duid = lb_duid_uuid(uuid);
    struct lb_addr from = lb_nd6_eui64(v6("fe80::"), mac);
    struct lb_server_identity who = lb_server_identity(&duid, from);
    CHECK_BYTES(lb_bytes(who.mac, 6), lb_bytes(mac, 6));
    /* Option 97 has the first three fields turned round. */
    CHECK_BYTES(lb_bytes(who.uuid, 16), tap_hex("03020100 0504 0706 08090a0b0c0d0e0f"));
    who = lb_server_identity(&duid, v6("fe80::1"));
    CHECK(!lb_mac_is_set(who.mac));
    who = lb_server_identity(&duid, lb_nd6_eui64(v6("2001:db8::"), mac));
    CHECK(!lb_mac_is_set(who.mac));
}

static void a_card_is_known_by_its_duid(void) {
    static const uint8_t other[6] = {2, 0, 0, 0, 0, 1};
    struct lb_duid duid = lb_duid_ll(mac);
    struct lb_server_identity who = lb_server_identity(&duid, v6("fe80::1"));
    CHECK_BYTES(lb_bytes(who.mac, 6), lb_bytes(mac, 6));
    duid = lb_duid_llt(mac, 77);
    who = lb_server_identity(&duid, v6("2001:db8::9"));
    CHECK_BYTES(lb_bytes(who.mac, 6), lb_bytes(mac, 6));
    who = lb_server_identity(&duid, lb_nd6_eui64(v6("fe80::"), other)); /* of two cards */
    CHECK_BYTES(lb_bytes(who.mac, 6), lb_bytes(other, 6));
    for (size_t len = 0; len < duid.len; len++) {
        struct lb_duid cut = duid;
        cut.len = len;
        CHECK(!lb_mac_is_set(lb_server_identity(&cut, v6("fe80::1")).mac));
    }
}

/* ---- what it boots ---- */

static struct lb_server_boot_file boot_file(const char *vendor_class, int arch,
                                            const char *user_class) {
    static uint8_t packet[600];
    static struct lb_dhcp6_message message;
    struct lb_wr wr = lb_wr(lb_span(packet, sizeof packet));
    const char *why;
    lb_dhcp6_put_header(&wr, LB_DHCP6_SOLICIT, 1);
    if (vendor_class) {
        size_t opened = lb_dhcp6_open(&wr, LB_OPT6_VENDOR_CLASS);
        lb_wr_u32(&wr, 343);
        lb_wr_u16(&wr, (uint16_t)strlen(vendor_class));
        lb_wr_bytes(&wr, lb_bytes_of_text(vendor_class));
        lb_dhcp6_close(&wr, opened);
    }
    if (arch >= 0)
        lb_dhcp6_put_u16(&wr, LB_OPT6_ARCH, (uint16_t)arch);
    if (user_class) {
        size_t opened = lb_dhcp6_open(&wr, LB_OPT6_USER_CLASS);
        lb_wr_u16(&wr, (uint16_t)strlen(user_class));
        lb_wr_bytes(&wr, lb_bytes_of_text(user_class));
        lb_dhcp6_close(&wr, opened);
    }
    CHECK(lb_dhcp6_decode(lb_wr_done(&wr), &message, &why));
    return lb_server_boot_file6(&message);
}

static void firmware_gets_the_loader_of_its_architecture(void) {
    struct lb_server_boot_file boot = boot_file("PXEClient:Arch:00007:UNDI:003001", 7, NULL);
    CHECK_EQ(boot.requester, LB_REQUESTER_PXE);
    CHECK_STR(boot.file, "lunbootx64.efi");
    CHECK_STR(boot_file("PXEClient", 11, NULL).file, "lunbootaa64.efi");
    boot = boot_file("HTTPClient:Arch:00016:UNDI:003001", 16, NULL);
    CHECK_EQ(boot.requester, LB_REQUESTER_HTTP);
    CHECK_STR(boot.file, "lunbootx64.efi");
    CHECK(boot_file(NULL, 7, "Lunboot").file == NULL);
    CHECK(boot_file("PXEClient", 0, "iPXE").is_ipxe);
    CHECK(boot_file("", -1, "").file == NULL);
}

static void a_class_that_runs_past_its_option_is_none(void) {
    uint8_t packet[] = {
        1, 0,  0, 1,  0, 16, 0,   8,   /* Solicit, option 16 of 8 bytes */
        0, 0,  1, 87, 0, 9,  'P', 'X', /* a class of 9 bytes, of which 2 are there */
        0, 61, 0, 2,  0, 7};
    struct lb_dhcp6_message message;
    const char *why;
    CHECK(lb_dhcp6_decode(lb_bytes(packet, sizeof packet), &message, &why));
    CHECK_EQ(lb_server_boot_file6(&message).requester, LB_REQUESTER_OTHER);
    CHECK_STR(lb_server_boot_file6(&message).machine, "UEFI x64");
}

/* ---- router advertisements ---- */

static struct lb_nd6_ra advertised(const char *dhcp6) {
    struct lb_server_link link = {.network6 = {.addr = v6("2001:db8::"), .len = 64}};
    struct lb_nd6_ra sent, ra = {0};
    uint8_t room[LB_ND6_PACKET_MAX];
    const char *why;
    CHECK(set("dhcp6", dhcp6));
    sent = lb_server_routers_ra(&settings, &link);
    CHECK(lb_nd6_ra_decode(lb_nd6_ra_encode(&sent, lb_span(room, sizeof room)), &ra, &why));
    return ra;
}

static void an_advertisement_says_how_addresses_are_given(void) {
    struct lb_nd6_ra ra = advertised("server");
    CHECK(ra.managed && ra.other);
    CHECK_EQ(ra.prefix_count, 1);
    CHECK(ra.prefixes[0].on_link && !ra.prefixes[0].autonomous);
    ra = advertised("stateless");
    CHECK(!ra.managed && ra.other && ra.prefixes[0].autonomous);
    ra = advertised("off");
    CHECK(!ra.managed && !ra.other && ra.prefixes[0].autonomous);
    CHECK_STR(lb_prefix_text(ra.prefixes[0].prefix).s, "2001:db8::/64");
}

static void nobody_is_a_router_unless_it_is_asked_for(void) {
    struct lb_server_link link = {.network6 = {.addr = v6("2001:db8::"), .len = 64}};
    CHECK_EQ(advertised("server").lifetime_s, 0);
    settings.router_lifetime_s = 1800;
    CHECK_EQ(lb_server_routers_ra(&settings, &link).lifetime_s, 1800);
}

/* The sockets are those of no link: what is sent is lost. */
static void advertisements_come_at_the_times_of_the_rfc(void) {
    struct lb_server_link link = {.network6 = {.addr = v6("2001:db8::"), .len = 64}};
    struct lb_server_routers routers = {.source = {.fd = 1000000}, .link = &link};
    static const uint8_t seed[LB_RAND_SEED_BYTES] = {7};
    uint64_t now_us = 1000, last_us = 0;
    lb_rand_init(&routers.rand, seed);
    for (unsigned i = 0; i < 50; i++) {
        uint64_t next_us = lb_server_routers_poll(&routers, now_us);
        uint64_t wait_us = next_us - now_us;
        CHECK(i < 2 ? wait_us == 16 * LB_US_SEC
                    : wait_us >= 200 * LB_US_SEC && wait_us < 600 * LB_US_SEC);
        CHECK_EQ(lb_server_routers_poll(&routers, now_us + 1), next_us);
        last_us = now_us;
        now_us = next_us;
    }
    /* A change is told soon, and three seconds after the last time at the earliest. */
    now_us = last_us + 1;
    lb_server_routers_reload(&routers, &settings, now_us);
    CHECK_EQ(lb_server_routers_poll(&routers, now_us), last_us + 3 * LB_US_SEC);
    now_us = last_us + 100 * LB_US_SEC;
    CHECK_EQ(routers.sent, 50);
    (void)lb_server_routers_poll(&routers, now_us);
    CHECK_EQ(routers.sent, 51);
}

/* ---- keys ---- */

static void keys_of_dhcp_are_checked_and_never_shown(void) {
    CHECK(set("dhcp-keys", "7:0123456789abcdef,1@boot.example:0x0123456789abcdef"));
    CHECK(!set("dhcp-keys", "7:very-secret-key,7:very-secret-key"));
    CHECK_STR(error.what, "here: this dhcp-keys cannot be used");
    CHECK_HAS(error.hint, "ID@REALM:SECRET");
    CHECK(!set("dhcp-keys", "7:short") && !set("dhcp-keys", ""));
    CHECK(!set("dhcp-auth", "require"));
    CHECK_HAS(error.hint, "give dhcp-keys = ID:SECRET");
    CHECK(set("dhcp-keys", "1@boot.example:0123456789abcdef"));
    settings.dhcp_auth = LB_DHCP_AUTH_REQUIRE;
    settings.dhcp6 = LB_SERVER_DHCP6_SERVER;
    CHECK(!lb_server_settings_check(&settings, &error)); /* DHCPv4 would answer without */
    error = (struct lb_server_error){0};
    settings.dhcp = LB_SERVER_DHCP_OFF;
    CHECK(lb_server_settings_check(&settings, &error));
}

static void a_file_with_keys_is_its_owners_alone(void) {
    CHECK(set("dhcp-keys", "7:0123456789abcdef"));
    CHECK(lb_server_settings_is_closed(&settings, "conf", 0600, 0, 0, &error));
    CHECK(!lb_server_settings_is_closed(&settings, "conf", 0640, 0, 0, &error));
    CHECK_HAS(error.what, "has secrets");
}

int main(void) {
    TEST(ipv6_is_served_where_it_is_asked_for);
    TEST(wrong_values_of_ipv6_are_told);
    TEST(the_default_range_is_not_the_links_own);
    TEST(a_card_is_known_by_its_link_local_address);
    TEST(a_card_is_known_by_its_duid);
    TEST(firmware_gets_the_loader_of_its_architecture);
    TEST(a_class_that_runs_past_its_option_is_none);
    TEST(an_advertisement_says_how_addresses_are_given);
    TEST(nobody_is_a_router_unless_it_is_asked_for);
    TEST(advertisements_come_at_the_times_of_the_rfc);
    TEST(keys_of_dhcp_are_checked_and_never_shown);
    TEST(a_file_with_keys_is_its_owners_alone);
    return tap_done();
}
