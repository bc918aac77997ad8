/* What is booted, and as whom: a person's configuration stands above the network's word, field by
 * field, and bypasses the stage that would have found the field out (RFC 4173 3). */
#include "core/boot/test_boot_host.h"

static const struct lb_rootpath *target(void) {
    return lb_boot_target(&host.boot);
}

static struct lb_endpoint last_connect(void) {
    return host.connects[host.connect_count - 1];
}

/* ---- the Root Path -------------------------------------------------------------------------- */

static void the_networks_root_path_is_used_as_it_is(void) {
    host_init();
    if (!host_boots())
        return;
    CHECK_STR(target()->target, HOST_TARGET);
    CHECK_STR(lb_endpoint_text(last_connect()).s, "192.0.2.1:3260");
    CHECK_EQ(target()->lun[1], 1);
    CHECK_STR(host_fact("root-path").value, HOST_ROOT_PATH);
    CHECK_STR(host_fact("root-path").source, "DHCP server 192.0.2.2");
    CHECK_STR(host_fact("target").source, "DHCP server 192.0.2.2");
}

static void a_configured_root_path_takes_the_place_of_the_networks(void) {
    host_init();
    host_portal(0, v4(192, 0, 2, 9), 3261);
    host_set("rootpath", "iscsi:192.0.2.9::3261:1:" HOST_TARGET);
    host_offers("iscsi:192.0.2.1:::5:iqn.2026-11.test:other");
    if (!host_boots())
        return;
    CHECK_STR(lb_endpoint_text(last_connect()).s, "192.0.2.9:3261");
    CHECK_STR(host_fact("target").source, "configuration");
}

static void with_a_configured_root_path_the_network_needs_none(void) {
    host_init();
    host_set("rootpath", HOST_ROOT_PATH);
    host_offers("");
    host_boots();
}

static void a_bad_root_path_of_the_network_does_not_matter_then(void) {
    host_init();
    host_set("rootpath", HOST_ROOT_PATH);
    host_offers("iscsi:192.0.2.1:17:::x");
    host_boots();
}

static void a_configured_root_path_without_server_is_not_mixed_with_the_networks(void) {
    host_init();
    host_set("rootpath", "iscsi::::1:iqn.2026-11.test:mine");
    host_fails(LB_E_NO_SERVER, "iqn.2026-11.test:mine, named by configuration");
    CHECK_EQ(host.connect_count, 0);
}

/* ---- the firmware's table ------------------------------------------------------------------- */

static void table_says(const char *key, const char *value) {
    struct lb_error error = {.code = LB_OK};
    CHECK(lb_config_set(&host.config, LB_SOURCE_IBFT, lb_bytes_of_text(key),
                        lb_bytes_of_text(value), &error));
}

static void table_names(const char *server, const char *name) {
    table_says("server", server);
    table_says("target", name);
    table_says("lun", "1");
    lb_text_copy(host.config.table.target, sizeof host.config.table.target, lb_bytes_of_text(name));
}

/* An account of the table's target, which the firmware used. */
static void table_has_chap(bool mutual) {
    host.config.table.chap = true;
    host.config.table.mutual = mutual;
    table_says("chap-name", "of-the-table");
    table_says("chap-secret", "secret-of-the-table");
    if (mutual)
        table_says("chap-target-secret", "secret-of-the-target");
}

static struct lb_target_account account;

static void target_wants_chap(struct portal *portal) {
    account = (struct lb_target_account){.name = "of-the-table", .secret_len = 19};
    memcpy(account.secret, "secret-of-the-table", 19);
    portal->node.accounts = &account;
    portal->node.account_count = 1;
}

static void check_connect(const char *where) {
    CHECK_EQ(host.connect_count, 1);
    CHECK_STR(lb_endpoint_text(last_connect()).s, where);
}

static void the_firmwares_disk_is_booted_when_the_network_names_none(void) {
    host_init();
    host_portal(0, v4(192, 0, 2, 9), 3260);
    table_names("192.0.2.9", HOST_TARGET);
    host_offers("");
    if (host_boots())
        check_connect("192.0.2.9:3260");
}

static void what_the_network_names_does_not_replace_the_firmwares_disk(void) {
    static const char of_another_server[] = "iscsi:192.0.2.66:::1:" HOST_TARGET;
    static const char *const root_paths[] = {"iscsi:192.0.2.66:::1:iqn.2026-11.evil:disk",
                                             of_another_server, "iscsi:::::iqn.2026-11.evil:disk",
                                             "iscsi:x", "192.0.2.66:/nfs"};
    for (size_t i = 0; i < LB_COUNT(root_paths); i++) {
        host_init();
        host_portal(0, v4(192, 0, 2, 9), 3260);
        host_portal(1, v4(192, 0, 2, 66), 3260);
        table_names("192.0.2.9", HOST_TARGET);
        host_offers(root_paths[i]);
        if (!host_boots())
            continue;
        check_connect("192.0.2.9:3260");
        CHECK_STR(target()->target, HOST_TARGET);
        CHECK_STR(host_fact("target").source, "firmware's table (iBFT)");
    }
    host_init();
    host_portal(0, v4(192, 0, 2, 9), 3260);
    table_names("192.0.2.9", HOST_TARGET);
    host_offers("iscsi:192.0.2.66:::1:iqn.2026-11.evil:disk");
    if (host_boots())
        CHECK_HAS(host_fact("root-path").value, "of DHCP server 192.0.2.2 is not used");
}

static void nor_does_the_other_family_or_a_disk_that_cannot_be_had(void) {
    host_init();
    host_ipv6();
    host.ra.managed = true;
    host_offers6("iscsi:[2001:db8::1]:::1:iqn.2026-11.evil:disk");
    host_portal(1, v6("2001:db8::1"), 3260);
    host_portal(0, v4(192, 0, 2, 9), 3260);
    host.portals[0].answer = REFUSES;
    table_names("192.0.2.9", HOST_TARGET);
    host_set("attempts", "2");
    host_fails(LB_E_CONNECT_REFUSED, "192.0.2.9");
    for (unsigned i = 0; i < host.connect_count; i++)
        CHECK_STR(lb_endpoint_text(host.connects[i]).s, "192.0.2.9:3260");
}

static void the_firmwares_chap_is_required_and_not_lowered_by_the_network(void) {
    host_init();
    host_portal(0, v4(192, 0, 2, 9), 3260);
    table_names("192.0.2.9", HOST_TARGET);
    table_has_chap(false);
    host_fails(LB_E_AUTH_METHOD, ""); /* a target that wants none is not logged in to */
    host_init();
    host_portal(0, v4(192, 0, 2, 9), 3260);
    target_wants_chap(&host.portals[0]);
    table_names("192.0.2.9", HOST_TARGET);
    table_has_chap(false);
    if (host_boots())
        CHECK_HAS(host_fact("authentication").value, "one-way CHAP");
}

static void the_firmwares_mutual_chap_is_required(void) {
    host_init();
    host_portal(0, v4(192, 0, 2, 9), 3260);
    target_wants_chap(&host.portals[0]); /* which proves nothing of itself */
    table_names("192.0.2.9", HOST_TARGET);
    table_has_chap(true);
    host_begin();
    CHECK(!host_until(LB_BOOT_READY));
    CHECK_EQ(lb_initiator_logins(lb_boot_session(&host.boot)), 0);
}

static void a_persons_own_account_does_not_lower_it_either(void) {
    host_init();
    host_portal(0, v4(192, 0, 2, 9), 3260);
    target_wants_chap(&host.portals[0]);
    table_names("192.0.2.9", HOST_TARGET);
    table_has_chap(true);
    host_set("chap-name", "of-the-table");
    host_set("chap-secret", "secret-of-the-table");
    host_fails(LB_E_CONFIG_HALF, "wants mutual CHAP, and there is no chap-target-secret");
}

static void secrets_of_the_firmwares_target_go_to_no_other(void) {
    static const char *const keys[][2] = {
        {"rootpath", "iscsi:192.0.2.1:::1:iqn.2026-11.test:other"},
        {"target", "iqn.2026-11.test:other"},
    };
    for (size_t i = 0; i < LB_COUNT(keys); i++) {
        host_init();
        lb_text_copy(host.portals[0].node.name, sizeof host.portals[0].node.name,
                     lb_bytes_of_text("iqn.2026-11.test:other"));
        table_names("192.0.2.1", HOST_TARGET);
        table_has_chap(true);
        host_set(keys[i][0], keys[i][1]);
        if (!host_boots())
            continue;
        CHECK_EQ(lb_boot_session(&host.boot)->config.chap_name[0], 0);
        CHECK_EQ(lb_boot_session(&host.boot)->config.chap_secret_len, 0);
        CHECK_EQ(lb_boot_session(&host.boot)->config.chap_target_secret_len, 0);
        CHECK(!lb_boot_has_chap(&host.boot));
        CHECK_STR(host_fact("authentication").value, "none");
    }
    host_init();
    target_wants_chap(&host.portals[0]);
    table_names("192.0.2.1", HOST_TARGET);
    table_has_chap(false);
    host_set("target", "iqn.2026-11.TEST:disk"); /* the same, in a person's words */
    if (host_boots())
        CHECK_HAS(host_fact("authentication").value, "one-way CHAP");
}

static void a_persons_word_stands_above_both_field_by_field(void) {
    host_init();
    host_portal(0, v4(192, 0, 2, 9), 3260);
    table_names("192.0.2.8", HOST_TARGET);
    host_set("server", "192.0.2.9");
    if (host_boots())
        check_connect("192.0.2.9:3260");
    CHECK_STR(target()->target, HOST_TARGET);
}

static void a_persons_root_path_is_whole_beside_the_firmwares_table(void) {
    host_init();
    host_portal(0, v4(192, 0, 2, 9), 3260);
    table_names("192.0.2.8", "iqn.2026-11.test:of-the-table");
    table_says("port", "3333");
    host_set("rootpath", "iscsi:192.0.2.9:::1:" HOST_TARGET);
    if (host_boots())
        check_connect("192.0.2.9:3260");
    CHECK_STR(target()->target, HOST_TARGET);
}

static void a_later_root_path_is_not_changed_by_fields_of_an_earlier_source(void) {
    struct lb_error error = {.code = LB_OK};
    host_init();
    CHECK(lb_config_file(&host.config, LB_SOURCE_FILE,
                         lb_bytes_of_text("server = 192.0.2.66\ntarget = iqn.2026-11.test:old\n"),
                         &error));
    host_set("rootpath", HOST_ROOT_PATH);
    if (host_boots())
        check_connect("192.0.2.1:3260");
}

static void the_table_is_no_person_who_may_name_this_machine(void) {
    host_init();
    host_portal(0, v4(127, 0, 0, 1), 3260);
    table_names("127.0.0.1", HOST_TARGET);
    host_fails(LB_E_SERVER_NOT_ALLOWED, "127.0.0.1:3260");
    CHECK_EQ(host.connect_count, 0);
}

static void the_lists_hold_for_the_table(void) {
    host_init();
    table_names("192.0.2.1", HOST_TARGET);
    host_fails_with("allow-target", "iqn.2026-11.test:other", LB_E_TARGET_NOT_ALLOWED,
                    "named by firmware's table (iBFT)");
}

/* ---- single keys ---------------------------------------------------------------------------- */

static void a_configured_server_completes_a_configured_root_path(void) {
    host_init();
    host_set("rootpath", "iscsi::::1:" HOST_TARGET);
    host_set("server", "192.0.2.1");
    host_offers("");
    host_boots();
}

static void a_configured_server_stands_above_the_networks(void) {
    host_init();
    host_portal(0, v4(192, 0, 2, 9), 3260);
    host_set("server", "192.0.2.9");
    if (host_boots())
        CHECK_STR(lb_endpoint_text(last_connect()).s, "192.0.2.9:3260");
}

static void a_configured_server_may_be_a_name(void) {
    host_init();
    host_set("server", "storage.example.com");
    if (!host_boots())
        return;
    CHECK_STR(host.name, "storage.example.com");
    CHECK_STR(host_last_step(LB_STAGE_RESOLVE).note, "storage.example.com");
    CHECK_EQ(host_last_step(LB_STAGE_RESOLVE).outcome, LB_DONE_OK);
}

static void a_configured_server_may_have_an_ipv6_address(void) {
    struct lb_addr addr;
    host_init();
    host_ipv6();
    CHECK(lb_addr_parse(lb_bytes_of_text("2001:db8::1"), &addr));
    host_portal(0, addr, 3260);
    host_set("server", "2001:db8::1");
    if (host_boots())
        CHECK_STR(lb_endpoint_text(last_connect()).s, "[2001:db8::1]:3260");
}

static void a_configured_port_stands_above_the_networks(void) {
    host_init();
    host_portal(0, v4(192, 0, 2, 1), 860);
    host_offers("iscsi:192.0.2.1::3333:1:" HOST_TARGET);
    host_set("port", "860");
    if (host_boots())
        CHECK_STR(lb_endpoint_text(last_connect()).s, "192.0.2.1:860");
}

static void a_configured_lun_stands_above_the_networks(void) {
    host_init();
    host.portals[0].node.luns[5] = host.portals[0].node.luns[1];
    host.portals[0].node.luns[1] = NULL;
    host_set("lun", "5");
    if (host_boots())
        CHECK_EQ(target()->lun[1], 5);
}

static void a_configured_target_stands_above_the_networks(void) {
    host_init();
    host_offers("iscsi:192.0.2.1:::1:iqn.2026-11.test:other");
    host_set("target", HOST_TARGET);
    if (host_boots())
        CHECK_STR(target()->target, HOST_TARGET);
}

static void server_and_target_together_are_a_root_path(void) {
    host_init();
    host_offers("");
    host_set("server", "192.0.2.1");
    host_set("target", HOST_TARGET);
    host_set("lun", "1");
    host_boots();
}

static void a_target_alone_that_nobody_knows_is_told_as_such(void) {
    host_init();
    host_offers("");
    host_set("target", HOST_TARGET);
    host_fails(LB_E_NO_SERVER, HOST_TARGET);
}

static void a_root_path_without_server_is_told_as_such(void) {
    host_init();
    host_offers("iscsi::::1:" HOST_TARGET);
    host_fails(LB_E_NO_SERVER, HOST_TARGET ", named by DHCP server 192.0.2.2");
}

static void wrong_values_are_told_before_anything_is_sent(void) {
    static const struct {
        const char *key, *value;
        enum lb_code code;
    } cases[] = {
        {"server", "a b", LB_E_CONFIG_VALUE},
        {"lun", "0x1", LB_E_CONFIG_VALUE},
        {"target", "my disk", LB_E_CONFIG_VALUE},
        {"rootpath", "192.0.2.1:/nfs", LB_E_ROOTPATH_PREFIX},
        {"rootpath", "iscsi:192.0.2.1:17::1:" HOST_TARGET, LB_E_ROOTPATH_PROTOCOL},
        {"initiator", "iqn.2026-11.test:not allowed", LB_E_NAME_INVALID},
        {"initiator", "me;you", LB_E_NAME_INVALID},
    };
    for (size_t i = 0; i < LB_COUNT(cases); i++) {
        host_init();
        host_fails_with(cases[i].key, cases[i].value, cases[i].code,
                        lb_streq(cases[i].key, "rootpath") ? "" : cases[i].value);
        CHECK_EQ(host.seen[LB_BOOT_LINK], 0);
        CHECK_EQ(host.seen[LB_BOOT_SEND], 0);
    }
}

/* ---- a Root Path that is not good ----------------------------------------------------------- */

static void an_answer_without_root_path_is_told_with_its_server(void) {
    host_init();
    host_offers("");
    host_fails(LB_E_NO_ROOT_PATH, "from DHCP server 192.0.2.2");
}

static void somebody_elses_root_path_is_shown(void) {
    host_init();
    host_offers("192.0.2.1:/srv/nfs,v3");
    host_fails(LB_E_NO_ROOT_PATH, "192.0.2.1:/srv/nfs,v3");
}

static void a_root_path_that_is_wrong_names_field_and_server(void) {
    static const struct {
        const char *root_path;
        enum lb_code code;
    } cases[] = {
        {"iscsi:192.0.2.1:x", LB_E_ROOTPATH_FIELDS},
        {"iscsi:a..b::::" HOST_TARGET, LB_E_ROOTPATH_SERVER},
        {"iscsi:192.0.2.1:17:::" HOST_TARGET, LB_E_ROOTPATH_PROTOCOL},
        {"iscsi:192.0.2.1::0::" HOST_TARGET, LB_E_ROOTPATH_PORT},
        {"iscsi:192.0.2.1:::0x1:" HOST_TARGET, LB_E_ROOTPATH_LUN},
        {"iscsi:192.0.2.1::::disk", LB_E_ROOTPATH_TARGET},
        {"iscsi:192.0.2.1::::iqn.2026-11.test:\xc3\x28", LB_E_ROOTPATH_BYTES},
    };
    for (size_t i = 0; i < LB_COUNT(cases); i++) {
        host_init();
        host_offers(cases[i].root_path);
        host_fails(cases[i].code, "from DHCP server 192.0.2.2");
        CHECK_EQ(host.connect_count, 0);
    }
}

static void a_wrong_field_of_the_network_is_not_mended_by_another_key(void) {
    host_init();
    host_offers("iscsi:192.0.2.1:::0x1:" HOST_TARGET);
    host_fails_with("port", "3260", LB_E_ROOTPATH_LUN, "");
}

static void an_underscore_is_accepted_with_a_warning(void) {
    host_init();
    host_offers("iscsi:192.0.2.1:::1:iqn.2026-11.test:a_b");
    lb_text_copy(host.portals[0].node.name, sizeof host.portals[0].node.name,
                 lb_bytes_of_text("iqn.2026-11.test:a_b"));
    if (host_boots())
        CHECK_HAS(host_fact("warning").value, "_");
}

static void an_underscore_is_refused_where_it_is_not_accepted(void) {
    host_init();
    host_offers("iscsi:192.0.2.1:::1:iqn.2026-11.test:a_b");
    host_fails_with("accept-underscore", "no", LB_E_ROOTPATH_TARGET, "");
    host_init();
    host_set("accept-underscore", "no");
    host_fails_with("target", "iqn.2026-11.test:a_b", LB_E_CONFIG_VALUE, "a_b");
}

static void rename_target(const char *name) {
    lb_text_copy(host.portals[0].node.name, sizeof host.portals[0].node.name,
                 lb_bytes_of_text(name));
}

/* Boots from the Root Path of the network, with this warning. */
static void boots_with_warning(const char *root_path, const char *warning) {
    host_offers(root_path);
    if (host_boots())
        CHECK_HAS(host_fact("warning").value, warning);
    else
        tap_note("%s", root_path);
}

static void a_name_goes_on_the_wire_as_it_was_given(void) {
    static const char name[] = "iqn.2000-01.com.synology:DS918.Target-1.0123456789";
    host_init();
    rename_target(name);
    boots_with_warning("iscsi:192.0.2.1:::1:iqn.2000-01.com.synology:DS918.Target-1.0123456789",
                       "capitals");
    CHECK_STR(host.boot.path.session.config.target, name);
    host_init();
    rename_target(name);
    host_set("allow-target", "iqn.2000-01.com.synology:ds918.target-1.*");
    boots_with_warning("iscsi:192.0.2.1:::1:IQN.2000-01.com.synology:ds918.Target-1.0123456789",
                       "capitals");
}

static const char *const odd_names[] = {"kumo-img37", "iqn.com.example-10", "iqn.h1:cluster",
                                        "iqn.2025.net.example:image-default"};

static void an_odd_name_of_the_network_needs_an_administrators_word(void) {
    for (size_t i = 0; i < LB_COUNT(odd_names); i++) {
        char root_path[120];
        lb_format(root_path, sizeof root_path, "iscsi:192.0.2.1:::1:%s", odd_names[i]);
        host_init();
        rename_target(odd_names[i]);
        host_offers(root_path);
        host_fails(LB_E_ROOTPATH_TARGET, "accept-names=lenient");
        CHECK_EQ(host.connect_count, 0);
        host_init();
        rename_target(odd_names[i]);
        host_set("accept-names", "lenient");
        boots_with_warning(root_path, "no form of RFC 7143");
    }
}

static void an_odd_name_that_a_person_gives_is_used(void) {
    for (size_t i = 0; i < LB_COUNT(odd_names); i++) {
        host_init();
        rename_target(odd_names[i]);
        host_set("server", "192.0.2.1");
        host_set("lun", "1");
        host_set("target", odd_names[i]);
        if (host_boots())
            CHECK_HAS(host_fact("warning").value, "no form of RFC 7143");
        host_init();
        host_set("accept-names", "rfc");
        host_fails_with("target", odd_names[i], LB_E_CONFIG_VALUE, odd_names[i]);
    }
    host_init();
    host_fails_with("target", "a$(reboot)", LB_E_CONFIG_VALUE, "target=");
}

static void what_is_nearly_a_root_path_boots_with_a_warning(void) {
    static const struct {
        const char *root_path, *warning;
    } cases[] = {
        {"\"iscsi:192.0.2.1:::1:" HOST_TARGET "\"", "quotes"},
        {"iscsi:192.0.2.1:::1:" HOST_TARGET "\r\n", "line ends"},
        {"ISCSI:192.0.2.1:::1:" HOST_TARGET, "lower case"},
        {"iscsi:192.0.2.1:tcp:3260:1:" HOST_TARGET, "protocol"},
    };
    for (size_t i = 0; i < LB_COUNT(cases); i++) {
        host_init();
        boots_with_warning(cases[i].root_path, cases[i].warning);
    }
}

static uint64_t first_passed_over_us(void) {
    const struct lb_report *report = lb_boot_report(&host.boot);
    for (size_t i = 0; i < report->fact_count; i++)
        if (lb_streq(report->facts[i].key, "passed-over"))
            return report->facts[i].at_us - report->start_us;
    return LB_NEVER;
}

/* Without any discovery, and without a connection. */
static void a_near_miss_is_told_at_once(void) {
    static const struct {
        const char *root_path;
        enum lb_code code;
        const char *why;
    } cases[] = {
        {"iscsi:192.0.2.1:::" HOST_TARGET, LB_E_ROOTPATH_FIELDS, "a colon is missing"},
        {HOST_TARGET, LB_E_ROOTPATH_PREFIX, "a target name alone"},
        {"\"iscsi:192.0.2.1:::1:" HOST_TARGET, LB_E_ROOTPATH_PREFIX, "a quote"},
        {"iscsi://192.0.2.1/" HOST_TARGET, LB_E_ROOTPATH_FIELDS, "URL"},
        {"iscsi:2001:db8::1::::" HOST_TARGET, LB_E_ROOTPATH_SERVER, "[brackets]"},
    };
    for (size_t i = 0; i < LB_COUNT(cases); i++) {
        host_init();
        host_set("discovery", "auto");
        host_set("attempts", "1");
        host_offers(cases[i].root_path);
        host_fails(cases[i].code, cases[i].why);
        CHECK_STR(host_fact("passed-over").source, "DHCP server 192.0.2.2");
        CHECK(first_passed_over_us() < 100 * LB_US_MS);
    }
}

/* ---- the initiator's name ------------------------------------------------------------------- */

static void name_in_option_203(const char *name) {
    static uint8_t option[64];
    size_t len = lb_strlen(name);
    option[0] = LB_OPT_INITIATOR;
    option[1] = (uint8_t)len;
    memcpy(option + 2, name, len);
    host.dhcp[0].config.options = lb_bytes(option, len + 2);
}

/* What the target heard is what the engine says. */
static void check_initiator(const char *name, const char *source) {
    if (!host_boots())
        return;
    CHECK_STR(lb_boot_initiator(&host.boot), name);
    CHECK_STR(lb_target_initiator(&host.conn), name);
    CHECK_STR(host_fact("initiator").value, name);
    CHECK_STR(host_fact("initiator").source, source);
}

static void a_configured_name_comes_first(void) {
    host_init();
    name_in_option_203("iqn.2026-11.test:by-dhcp");
    memset(host.setup.uuid, 0x1b, 16);
    host_set("initiator", "iqn.2026-11.TEST:Mine");
    check_initiator("iqn.2026-11.TEST:Mine", "command line");
}

static void an_odd_name_of_our_own_is_used_as_it_is(void) {
    static const char *const names[] = {"maas-enlist", "initiator", "iqn.h1:client", "my_host"};
    for (size_t i = 0; i < LB_COUNT(names); i++) {
        host_init();
        host_set("initiator", names[i]);
        check_initiator(names[i], "command line");
        host_init();
        name_in_option_203(names[i]);
        check_initiator("iqn.2026-11.org.lunboot:mac:020000000001",
                        "made from the machine's identity");
        host_init();
        name_in_option_203(names[i]);
        host_set("accept-names", "lenient");
        check_initiator(names[i], "DHCP option 203");
    }
    host_init();
    host_set("accept-names", "rfc");
    host_fails_with("initiator", "maas-enlist", LB_E_NAME_INVALID, "maas-enlist");
}

static void then_the_name_of_option_203(void) {
    host_init();
    name_in_option_203("iqn.2026-11.test:by-dhcp");
    memset(host.setup.uuid, 0x1b, 16);
    check_initiator("iqn.2026-11.test:by-dhcp", "DHCP option 203");
}

static void a_bad_name_in_option_203_is_passed_over(void) {
    host_init();
    name_in_option_203("by dhcp");
    check_initiator("iqn.2026-11.org.lunboot:mac:020000000001", "made from the machine's identity");
}

static void a_server_cannot_lend_another_machines_name_past_the_lists(void) {
    static const struct {
        const char *key, *value;
        bool may;
    } cases[] = {
        {"allow-server", "192.0.2.0/24", false},
        {"allow-target", HOST_TARGET, false},
        {"allow-initiator", "iqn.2026-11.test:other", false},
        {"allow-initiator", "iqn.2026-11.test:by-*", true},
        {"allow-initiator", "IQN.2026-11.test:By-DHCP", true},
        {"allow-initiator", "*", true},
    };
    for (size_t i = 0; i < LB_COUNT(cases); i++) {
        host_init();
        name_in_option_203("iqn.2026-11.test:by-dhcp");
        host_set(cases[i].key, cases[i].value);
        if (cases[i].may)
            check_initiator("iqn.2026-11.test:by-dhcp", "DHCP option 203");
        else
            check_initiator("iqn.2026-11.org.lunboot:mac:020000000001",
                            "made from the machine's identity");
    }
    host_init();
    name_in_option_203("iqn.2026-11.test:by-dhcp");
    host_set("allow-server", "192.0.2.0/24");
    host_set("allow-initiator", "iqn.2026-11.test:*");
    check_initiator("iqn.2026-11.test:by-dhcp", "DHCP option 203");
}

static void then_one_made_of_the_uuid(void) {
    host_init();
    memset(host.setup.uuid, 0x1b, 16);
    check_initiator("iqn.2026-11.org.lunboot:uuid:1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b",
                    "made from the machine's identity");
}

static void then_one_made_of_the_mac(void) {
    host_init();
    check_initiator("iqn.2026-11.org.lunboot:mac:020000000001", "made from the machine's identity");
}

/* And another on a machine that is up, whose root disk may be a session with the first. */
static void the_isid_is_the_same_at_each_boot_of_a_machine(void) {
    static const uint8_t made[6] = {0x80, 0, 0, 1, 0, 0}, another[6] = {0x80, 0, 0, 1, 0, 1},
                         set[6] = {0x40, 1, 2, 3, 4, 5};
    host_init();
    if (host_boots())
        CHECK(memcmp(host.conn.port.isid, made, 6) == 0);
    host_init();
    host.setup.network_is_up = true;
    host_set("rootpath", HOST_ROOT_PATH);
    if (host_boots())
        CHECK(memcmp(host.conn.port.isid, another, 6) == 0);
    host_init();
    host_set("isid", "40:01:02:03:04:05");
    if (host_boots())
        CHECK(memcmp(host.conn.port.isid, set, 6) == 0);
}

int main(void) {
    TEST(the_networks_root_path_is_used_as_it_is);
    TEST(a_configured_root_path_takes_the_place_of_the_networks);
    TEST(with_a_configured_root_path_the_network_needs_none);
    TEST(a_bad_root_path_of_the_network_does_not_matter_then);
    TEST(a_configured_root_path_without_server_is_not_mixed_with_the_networks);
    TEST(the_firmwares_disk_is_booted_when_the_network_names_none);
    TEST(what_the_network_names_does_not_replace_the_firmwares_disk);
    TEST(nor_does_the_other_family_or_a_disk_that_cannot_be_had);
    TEST(the_firmwares_chap_is_required_and_not_lowered_by_the_network);
    TEST(the_firmwares_mutual_chap_is_required);
    TEST(a_persons_own_account_does_not_lower_it_either);
    TEST(secrets_of_the_firmwares_target_go_to_no_other);
    TEST(a_persons_word_stands_above_both_field_by_field);
    TEST(a_persons_root_path_is_whole_beside_the_firmwares_table);
    TEST(a_later_root_path_is_not_changed_by_fields_of_an_earlier_source);
    TEST(the_table_is_no_person_who_may_name_this_machine);
    TEST(the_lists_hold_for_the_table);
    TEST(a_configured_server_completes_a_configured_root_path);
    TEST(a_configured_server_stands_above_the_networks);
    TEST(a_configured_server_may_be_a_name);
    TEST(a_configured_server_may_have_an_ipv6_address);
    TEST(a_configured_port_stands_above_the_networks);
    TEST(a_configured_lun_stands_above_the_networks);
    TEST(a_configured_target_stands_above_the_networks);
    TEST(server_and_target_together_are_a_root_path);
    TEST(a_target_alone_that_nobody_knows_is_told_as_such);
    TEST(a_root_path_without_server_is_told_as_such);
    TEST(wrong_values_are_told_before_anything_is_sent);
    TEST(an_answer_without_root_path_is_told_with_its_server);
    TEST(somebody_elses_root_path_is_shown);
    TEST(a_root_path_that_is_wrong_names_field_and_server);
    TEST(a_wrong_field_of_the_network_is_not_mended_by_another_key);
    TEST(an_underscore_is_accepted_with_a_warning);
    TEST(an_underscore_is_refused_where_it_is_not_accepted);
    TEST(a_name_goes_on_the_wire_as_it_was_given);
    TEST(an_odd_name_of_the_network_needs_an_administrators_word);
    TEST(an_odd_name_that_a_person_gives_is_used);
    TEST(what_is_nearly_a_root_path_boots_with_a_warning);
    TEST(a_near_miss_is_told_at_once);
    TEST(a_configured_name_comes_first);
    TEST(an_odd_name_of_our_own_is_used_as_it_is);
    TEST(then_the_name_of_option_203);
    TEST(a_bad_name_in_option_203_is_passed_over);
    TEST(a_server_cannot_lend_another_machines_name_past_the_lists);
    TEST(then_one_made_of_the_uuid);
    TEST(then_one_made_of_the_mac);
    TEST(the_isid_is_the_same_at_each_boot_of_a_machine);
    return tap_done();
}
