/* Nothing boots unless an administrator said so, from nobody and to nothing that was not allowed,
 * and not without the protection that was required. */
#include "core/boot/test_boot_host.h"

/* ---- enable --------------------------------------------------------------------------------- */

static void without_enable_nothing_is_sent(void) {
    host_init();
    memset(&host.config, 0, sizeof host.config);
    host_fails(LB_E_NOT_ENABLED, "enable is not set");
    CHECK_EQ(host.seen[LB_BOOT_LINK], 0);
    CHECK_EQ(host.seen[LB_BOOT_SEND], 0);
    CHECK_EQ(host.seen[LB_BOOT_CONNECT], 0);
}

static void enable_no_is_told_as_such(void) {
    host_init();
    host_fails_with("enable", "no", LB_E_NOT_ENABLED, "enable (command line) is no");
}

static void each_source_of_configuration_may_enable(void) {
    static const enum lb_config_source sources[] = {
        LB_SOURCE_FILE, LB_SOURCE_FIRMWARE, LB_SOURCE_KERNEL, LB_SOURCE_OPTION, LB_SOURCE_PERSON,
    };
    for (size_t i = 0; i < LB_COUNT(sources); i++) {
        struct lb_error error = {.code = LB_OK};
        host_init();
        memset(&host.config, 0, sizeof host.config);
        CHECK(lb_config_set(&host.config, sources[i], lb_bytes_of_text("enable"),
                            lb_bytes_of_text("yes"), &error));
        host_boots();
    }
}

static void nothing_the_network_says_enables(void) {
    static const uint8_t options[] = {
        43,  12, 'e', 'n', 'a', 'b', 'l', 'e', '=', 'y', 'e', 's', '\n', 0, /* vendor's own */
        224, 3,  'y', 'e', 's',                                             /* site's own */
    };
    host_init();
    memset(&host.config, 0, sizeof host.config);
    host.dhcp[0].config.options = lb_bytes(options, sizeof options);
    host_offers("iscsi:192.0.2.1:::1:" HOST_TARGET);
    host.setup.goal = LB_GOAL_PROBE; /* which asks without permission */
    host_begin();
    host_pass(5 * SEC);
    CHECK_EQ(host.seen[LB_BOOT_OFFERS], 1);
    host.setup.goal = LB_GOAL_DISK;
    memset(host.seen, 0, sizeof host.seen);
    host_fails(LB_E_NOT_ENABLED, "not set");
    CHECK(!lb_config_is_set(&host.config, LB_KEY_ENABLE));
}

/* ---- allow-server --------------------------------------------------------------------------- */

static void a_server_on_a_listed_network_is_used(void) {
    host_init();
    host_set("allow-server", "198.51.100.0/24, 192.0.2.0/28");
    host_boots();
}

static void a_server_off_the_list_is_not_connected_to(void) {
    host_init();
    host_set("allow-server", "198.51.100.0/24, 192.0.2.2");
    host_fails(LB_E_SERVER_NOT_ALLOWED, "192.0.2.1:3260 for iqn.");
    CHECK_HAS(host_error()->facts, "DHCP server");
    CHECK_EQ(host.seen[LB_BOOT_CONNECT], 0);
    CHECK_EQ(host_steps_running(), 0);
}

/* The host of these tests cannot carry protected packets. */
static void without_ipsec_nothing_is_sent_to_what_it_must_protect(void) {
    host_init();
    host_set("ipsec-psk", "a secret of 16 bytes or more");
    host_set("ipsec-id", "client.example");
    host_set("ipsec-peer-id", "server.example");
    host_fails(LB_E_IPSEC_MISSING, "192.0.2.1");
    CHECK_EQ(host.seen[LB_BOOT_CONNECT], 0);
    CHECK_EQ(host.seen[LB_BOOT_SOURCE], 0);
    CHECK_EQ(host_steps_running(), 0);
    host_init();
    host_set("require", "ipsec");
    host_fails(LB_E_CONFIG_HALF, "ipsec needs ipsec-psk");
    CHECK_EQ(host.seen[LB_BOOT_CONNECT] + host.seen[LB_BOOT_SEND], 0);
}

static void a_listed_name_stands_for_what_it_resolves_to(void) {
    host_init();
    host_set("allow-server", "Storage.Example.com");
    host_offers("iscsi:storage.example.com:::1:" HOST_TARGET);
    host_boots();
    CHECK_STR(host.name, "storage.example.com");
}

static void a_name_off_the_list_is_refused_whatever_it_resolves_to(void) {
    host_init();
    host_set("allow-server", "storage.example.com");
    host_offers("iscsi:storage.example.org:::1:" HOST_TARGET);
    host_fails(LB_E_SERVER_NOT_ALLOWED, "192.0.2.1");
    CHECK_EQ(host.seen[LB_BOOT_CONNECT], 0);
}

static void an_address_is_not_a_listed_name(void) {
    host_init();
    host_set("allow-server", "storage.example.com");
    host_fails(LB_E_SERVER_NOT_ALLOWED, "192.0.2.1");
}

static void each_address_of_a_name_is_checked_by_itself(void) {
    host_init();
    host_set("allow-server", "192.0.2.0/24");
    host_offers("iscsi:storage.example.com:::1:" HOST_TARGET);
    host.portals[0].answer = REFUSES;
    host.resolved[1] = v4(203, 0, 113, 1);
    host.resolved_count = 2;
    host_set("attempts", "1");
    host_fails(LB_E_CONNECT_REFUSED, "1 answer passed over (server-not-allowed)");
    CHECK_EQ(host.connect_count, 1);
}

static void redirect_to(const char *where) {
    host.portals[0].node.login_status = LB_LOGIN_MOVED_TEMPORARILY;
    lb_text_copy(host.portals[0].node.redirect, sizeof host.portals[0].node.redirect,
                 lb_bytes_of_text(where));
}

static void a_redirect_leads_to_a_listed_server(void) {
    host_init();
    host_portal(1, v4(192, 0, 2, 7), 3261);
    redirect_to("192.0.2.7:3261");
    host_set("allow-server", "192.0.2.1,192.0.2.7");
    host_boots();
    CHECK_EQ(host.connect_count, 2);
}

static void a_redirect_off_the_list_is_not_followed(void) {
    host_init();
    redirect_to("203.0.113.7:3260");
    host_set("allow-server", "192.0.2.0/24");
    host_fails(LB_E_SERVER_NOT_ALLOWED, "203.0.113.7:3260");
    CHECK_EQ(host.connect_count, 1);
    CHECK_EQ(host_steps_running(), 0);
}

static void a_listed_name_does_not_vouch_for_a_redirect(void) {
    host_init();
    host_portal(1, v4(203, 0, 113, 7), 3260);
    redirect_to("203.0.113.7:3260");
    host_set("allow-server", "storage.example.com");
    host_offers("iscsi:storage.example.com:::1:" HOST_TARGET);
    host_fails(LB_E_SERVER_NOT_ALLOWED, "203.0.113.7:3260");
    CHECK_EQ(host.connect_count, 1);
}

static void a_listed_name_still_stands_after_a_temporary_redirect(void) {
    host_init();
    host_portal(1, v4(192, 0, 2, 7), 3260);
    redirect_to("192.0.2.7:3260");
    host_set("allow-server", "storage.example.com,192.0.2.7");
    host_offers("iscsi:storage.example.com:::1:" HOST_TARGET);
    if (!host_boots())
        return;
    CHECK_EQ(host.connect_count, 2);
    host_cut(); /* RFC 7143 11.13.5: a temporary redirect is for that login alone */
    host_pass(30 * SEC);
    CHECK_EQ(host.connect_count, 4);
    CHECK_EQ(lb_initiator_logins(lb_boot_session(&host.boot)), 2);
    CHECK(!host_is_over());
}

/* ---- addresses that no server has ----------------------------------------------------------- */

static void the_network_cannot_name_a_server_that_no_host_can_be(void) {
    static const char *const paths[] = {
        "iscsi:127.0.0.1:::1:" HOST_TARGET,
        "iscsi:224.0.0.1:::1:" HOST_TARGET,
        "iscsi:0.0.0.0:::1:" HOST_TARGET,
        "iscsi:255.255.255.255:::1:" HOST_TARGET,
        "iscsi:[::1]:::1:" HOST_TARGET,
        "iscsi:[ff02::1]:::1:" HOST_TARGET,
        "iscsi:[::]:::1:" HOST_TARGET,
        "iscsi:[::ffff:127.0.0.1]:::1:" HOST_TARGET,
        "iscsi:[::ffff:224.0.0.1]:::1:" HOST_TARGET,
    };
    for (size_t i = 0; i < LB_COUNT(paths); i++) {
        host_init();
        host_offers(paths[i]);
        if (!host_fails(LB_E_SERVER_NOT_ALLOWED, "named by DHCP server"))
            tap_note("%s", paths[i]);
        CHECK_EQ(host.connect_count, 0);
    }
}

static void nor_can_a_redirect(void) {
    host_init();
    redirect_to("127.0.0.1:3260");
    host_fails(LB_E_SERVER_NOT_ALLOWED, "127.0.0.1:3260");
    CHECK_EQ(host.connect_count, 1);
}

static void nor_can_a_name_of_the_network(void) {
    host_init();
    host.resolved[0] = v4(127, 0, 0, 1);
    host_offers("iscsi:storage.example.com:::1:" HOST_TARGET);
    host_fails(LB_E_SERVER_NOT_ALLOWED, "127.0.0.1:3260");
    CHECK_EQ(host.connect_count, 0);
}

static void a_person_may_name_the_loopback(void) {
    host_init();
    host_portal(0, v4(127, 0, 0, 1), 3260);
    host_set("rootpath", "iscsi:127.0.0.1:::1:" HOST_TARGET);
    host_boots();
}

static void a_person_may_name_the_loopback_for_the_networks_target(void) {
    host_init();
    host_portal(0, v4(127, 0, 0, 1), 3260);
    host_set("server", "127.0.0.1");
    host_boots();
}

static void a_person_cannot_name_a_multicast_address_either(void) {
    host_init();
    host_set("server", "224.0.0.1");
    host_fails(LB_E_SERVER_NOT_ALLOWED, "224.0.0.1");
    host_init();
    host_set("server", "0.0.0.0");
    host_fails(LB_E_SERVER_NOT_ALLOWED, "0.0.0.0");
}

/* ---- allow-target --------------------------------------------------------------------------- */

static void a_listed_target_is_used(void) {
    static const char *const lists[] = {
        HOST_TARGET,
        "iqn.2026-11.test:other,iqn.2026-11.test:disk",
        "iqn.2026-11.TEST:Disk",
        "iqn.2026-11.test:*",
        "*",
    };
    for (size_t i = 0; i < LB_COUNT(lists); i++) {
        host_init();
        host_set("allow-target", lists[i]);
        if (!host_boots())
            tap_note("%s", lists[i]);
    }
}

static void a_target_off_the_list_is_not_connected_to(void) {
    static const char *const lists[] = {
        "iqn.2026-11.test:other",
        "iqn.2026-11.test:dis",
        "iqn.2026-11.test:disk0",
        "iqn.2026-11.test:other:*",
    };
    for (size_t i = 0; i < LB_COUNT(lists); i++) {
        host_init();
        host_set("allow-target", lists[i]);
        if (!host_fails(LB_E_TARGET_NOT_ALLOWED, HOST_TARGET ", named by DHCP server"))
            tap_note("%s", lists[i]);
        CHECK_EQ(host.connect_count, 0);
    }
}

static void a_configured_target_must_be_listed_too(void) {
    host_init();
    host_set("allow-target", "iqn.2026-11.test:other");
    host_set("rootpath", HOST_ROOT_PATH);
    host_fails(LB_E_TARGET_NOT_ALLOWED, HOST_TARGET ", named by configuration");
}

/* ---- require -------------------------------------------------------------------------------- */

static struct lb_target_account account;

static void secure_target(bool mutual) {
    account = (struct lb_target_account){.name = "me", .secret_len = 14};
    memcpy(account.secret, "fourteen bytes", 14);
    host.portals[0].node.accounts = &account;
    host.portals[0].node.account_count = 1;
    host_set("chap-name", "me");
    host_set("chap-secret", "fourteen bytes");
    if (!mutual)
        return;
    struct lb_target_account *own = &host.portals[0].node.own;
    *own = (struct lb_target_account){.name = "target", .secret_len = 14};
    memcpy(own->secret, "other fourteen", 14);
    host_set("chap-target-secret", "other fourteen");
}

static void what_is_required_is_had(void) {
    host_init();
    secure_target(true);
    host.portals[0].node.header_digest = host.portals[0].node.data_digest = LB_DIGEST_PREFER;
    host_set("require", "mutual-chap,chap,header-digest,data-digest");
    if (!host_boots())
        return;
    const struct lb_initiator_agreed *agreed = lb_initiator_agreed(lb_boot_session(&host.boot));
    CHECK(agreed->chap && agreed->mutual && agreed->header_digest && agreed->data_digest);
    CHECK_HAS(host_fact("authentication").value, "mutual CHAP");
    CHECK_STR(host_fact("digests").value, "header and data");
}

static void chap_is_required_of_a_target_without(void) {
    host_init();
    host_set("chap-name", "me");
    host_set("chap-secret", "fourteen bytes");
    host_set("require", "chap");
    host_fails(LB_E_AUTH_METHOD, "0x0201");
}

static void chap_is_required_and_not_configured(void) {
    host_init();
    host_set("require", "chap");
    host_fails(LB_E_CONFIG_HALF, "chap needs chap-name");
}

static void mutual_chap_is_required_of_a_target_that_proves_nothing(void) {
    host_init();
    secure_target(true);
    host.portals[0].node.own = (struct lb_target_account){.secret_len = 0};
    host_set("require", "mutual-chap");
    host_begin();
    CHECK(!host_until(LB_BOOT_READY));
    CHECK(!lb_is_ok(host_error()));
    CHECK_EQ(lb_initiator_logins(lb_boot_session(&host.boot)), 0);
}

static void one_secret_for_both_directions_is_refused(void) {
    host_init();
    secure_target(true);
    host_set("chap-target-secret", "fourteen bytes");
    host_fails(LB_E_CONFIG_VALUE, "they must differ");
    CHECK_EQ(host.seen[LB_BOOT_SEND], 0);
}

static void chap_by_halves_is_an_error_before_anything_is_sent(void) {
    static const struct {
        const char *keys[3], *facts;
    } cases[] = {
        {{"chap-secret"}, "chap-secret (command line) needs chap-name"},
        {{"chap-name"}, "chap-name (command line) needs chap-secret"},
        {{"chap-target-secret"}, "chap-target-secret (command line) needs chap-name"},
        {{"chap-target-name"}, "chap-target-name (command line) needs chap-target-secret"},
        {{"chap-secret", "chap-target-secret"}, "needs chap-name"},
        {{"chap-name", "chap-target-secret"}, "needs chap-secret"},
        {{"chap-name", "chap-target-name"}, "needs chap-secret"},
        {{"chap-name", "chap-secret", "chap-target-name"}, "needs chap-target-secret"},
    };
    for (size_t i = 0; i < LB_COUNT(cases); i++) {
        host_init();
        for (size_t j = 0; j < LB_COUNT(cases[i].keys) && cases[i].keys[j] != NULL; j++)
            host_set(cases[i].keys[j], j == 0 ? "fourteen bytes" : "another fourteen");
        if (!host_fails(LB_E_CONFIG_HALF, cases[i].facts))
            tap_note("case %zu", i);
        CHECK_EQ(host.seen[LB_BOOT_LINK] + host.seen[LB_BOOT_SEND], 0);
    }
}

static void an_algorithm_twice_is_an_error_before_anything_is_sent(void) {
    host_init();
    host_fails_with("chap-algorithms", "sha256,tgt-sha1", LB_E_CONFIG_VALUE, "sha256,tgt-sha1");
    CHECK_EQ(host.seen[LB_BOOT_SEND], 0);
}

static void a_short_secret_is_used_with_a_warning(void) {
    host_init();
    secure_target(false);
    if (host_boots())
        CHECK_STR(host_fact("warning").value, "");
    host_init();
    secure_target(false);
    host_set("chap-secret", "eleven byte");
    memcpy(account.secret, "eleven byte", 11);
    account.secret_len = 11;
    if (host_boots())
        CHECK_HAS(host_fact("warning").value, "less than 12 bytes");
}

static void mutual_chap_is_required_and_one_way_configured(void) {
    host_init();
    secure_target(false);
    host_set("require", "mutual-chap");
    host_fails(LB_E_CONFIG_HALF, "mutual-chap needs chap-target-secret");
}

static void digests_are_required_of_a_target_without(void) {
    host_init();
    host_fails_with("require", "header-digest", LB_E_REQUIRE_NOT_MET, "HeaderDigest");
    host_init();
    host_fails_with("require", "data-digest", LB_E_REQUIRE_NOT_MET, "DataDigest");
}

int main(void) {
    TEST(without_enable_nothing_is_sent);
    TEST(enable_no_is_told_as_such);
    TEST(each_source_of_configuration_may_enable);
    TEST(nothing_the_network_says_enables);
    TEST(a_server_on_a_listed_network_is_used);
    TEST(a_server_off_the_list_is_not_connected_to);
    TEST(without_ipsec_nothing_is_sent_to_what_it_must_protect);
    TEST(a_listed_name_stands_for_what_it_resolves_to);
    TEST(a_name_off_the_list_is_refused_whatever_it_resolves_to);
    TEST(an_address_is_not_a_listed_name);
    TEST(each_address_of_a_name_is_checked_by_itself);
    TEST(a_redirect_leads_to_a_listed_server);
    TEST(a_redirect_off_the_list_is_not_followed);
    TEST(a_listed_name_does_not_vouch_for_a_redirect);
    TEST(a_listed_name_still_stands_after_a_temporary_redirect);
    TEST(the_network_cannot_name_a_server_that_no_host_can_be);
    TEST(nor_can_a_redirect);
    TEST(nor_can_a_name_of_the_network);
    TEST(a_person_may_name_the_loopback);
    TEST(a_person_may_name_the_loopback_for_the_networks_target);
    TEST(a_person_cannot_name_a_multicast_address_either);
    TEST(a_listed_target_is_used);
    TEST(a_target_off_the_list_is_not_connected_to);
    TEST(a_configured_target_must_be_listed_too);
    TEST(what_is_required_is_had);
    TEST(chap_is_required_of_a_target_without);
    TEST(chap_is_required_and_not_configured);
    TEST(mutual_chap_is_required_of_a_target_that_proves_nothing);
    TEST(mutual_chap_is_required_and_one_way_configured);
    TEST(one_secret_for_both_directions_is_refused);
    TEST(chap_by_halves_is_an_error_before_anything_is_sent);
    TEST(an_algorithm_twice_is_an_error_before_anything_is_sent);
    TEST(a_short_secret_is_used_with_a_warning);
    TEST(digests_are_required_of_a_target_without);
    return tap_done();
}
