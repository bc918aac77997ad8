/* What tells `lunboot initramfs` of the disk: the words of dracut and open-iscsi on the kernel
 * command line, and the firmware's table. */
#include "hosts/linux/ibft_source.h"
#include "hosts/linux/kexec.h"
#include "hosts/linux/words.h"
#include "tests/tap.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct lb_config config;
static struct lb_error error;

static struct lb_words words;

static bool given(const char *cmdline) {
    memset(&config, 0, sizeof(config));
    memset(&error, 0, sizeof(error));
    memset(&words, 0, sizeof(words));
    lb_words_read_line(&words, lb_bytes_of_text(cmdline));
    return lb_words_configure(&words, &config, &error);
}

static const char *text(enum lb_key key) {
    return lb_config_text(&config, key);
}

static bool secret_is(enum lb_key key, const char *want) {
    return lb_bytes_equal(lb_config_secret(&config, key), lb_bytes_of_text(want));
}

/* ---- netroot --------------------------------------------------------------------------------- */

static void netroot_names_the_disk(void) {
    CHECK(given("quiet netroot=iscsi:192.0.2.1::3261:4:iqn.2009-06.org.example:disk:a ro"));
    CHECK(lb_config_bool(&config, LB_KEY_ENABLE));
    CHECK_STR(text(LB_KEY_SERVER), "192.0.2.1");
    CHECK_EQ(lb_config_u32(&config, LB_KEY_PORT), 3261);
    CHECK_STR(text(LB_KEY_LUN), "4");
    CHECK_STR(text(LB_KEY_TARGET), "iqn.2009-06.org.example:disk:a");
}

static void netroot_with_ipv6_and_credentials(void) {
    CHECK(given(
        "netroot=iscsi:u1:secret567890:u2:secret098765@[2001:db8::1]::::eui.0123456789abcdef"));
    CHECK_STR(text(LB_KEY_SERVER), "2001:db8::1");
    CHECK_STR(text(LB_KEY_CHAP_NAME), "u1");
    CHECK(secret_is(LB_KEY_CHAP_SECRET, "secret567890"));
    CHECK_STR(text(LB_KEY_CHAP_TARGET_NAME), "u2");
    CHECK(secret_is(LB_KEY_CHAP_TARGET_SECRET, "secret098765"));
    CHECK_STR(text(LB_KEY_TARGET), "eui.0123456789abcdef");
    CHECK(!lb_config_is_set(&config, LB_KEY_PORT));
}

static void netroot_with_iscsids_interface_and_device(void) {
    CHECK(given("netroot=iscsi:192.0.2.1:6:3260:default:eth3:1:iqn.2009-06.org.example:d"));
    CHECK_STR(text(LB_KEY_INTERFACE), "eth3");
    CHECK_STR(text(LB_KEY_LUN), "1");
    CHECK_STR(text(LB_KEY_TARGET), "iqn.2009-06.org.example:d");
}

static void netroot_that_is_too_short_is_an_error_that_shows_it(void) {
    CHECK(!given("netroot=iscsi:192.0.2.1"));
    CHECK_EQ(error.code, LB_E_ROOTPATH_FIELDS);
    CHECK(strstr(error.facts, "netroot=iscsi:") != NULL);
    CHECK(strstr(error.facts, "iscsi:192.0.2.1") != NULL);
}

static void credentials_by_halves_are_an_error_that_shows_none_of_them(void) {
    static const char *const lines[] = {
        "netroot=iscsi:user@192.0.2.1::::iqn.2026-11.test:disk",
        "netroot=iscsi:user:@192.0.2.1::::iqn.2026-11.test:disk",
        "netroot=iscsi::sesame-sesame@192.0.2.1::::iqn.2026-11.test:disk",
        "netroot=iscsi:user:sesame-sesame:other@192.0.2.1::::iqn.2026-11.test:disk",
        "netroot=iscsi:user:sesame-sesame:other:@192.0.2.1::::iqn.2026-11.test:disk",
        "netroot=iscsi:user:sesame-sesame::sesame-other@192.0.2.1::::iqn.2026-11.test:disk",
        "netroot=iscsi:a:b:c:d:sesame@192.0.2.1::::iqn.2026-11.test:disk",
        "rd.iscsi.username= rd.iscsi.password=sesame-sesame",
        "rd.iscsi.username=user rd.iscsi.password=",
        "iscsi_in_password=",
    };
    for (size_t i = 0; i < LB_COUNT(lines); i++) {
        if (!CHECK(!given(lines[i])) || !CHECK_EQ(error.code, LB_E_CONFIG_HALF) ||
            !CHECK(strstr(error.facts, "sesame") == NULL))
            tap_note("%s: %s", lines[i], error.facts);
    }
    CHECK(!given("netroot=iscsi:user:ses@me-sesame:x@192.0.2.1::::iqn.2026-11.test:disk"));
    CHECK(strstr(error.facts, "sesame") == NULL);
    CHECK(given("rd.iscsi.password=sesame-sesame") && !lb_config_check(&config, &error));
    CHECK(given("netroot=iscsi:user:s@same-sesame@192.0.2.1::::iqn.2026-11.test:disk"));
    CHECK(secret_is(LB_KEY_CHAP_SECRET, "s@same-sesame"));
}

/* Wherever a secret with odd characters is split: it works, or the error shows nothing of it. */
/* "ame" of "sesame", and not of "name". */
static bool has_rest_of_secret(const char *facts) {
    for (const char *at = strstr(facts, "ame"); at != NULL; at = strstr(at + 1, "ame"))
        if (at == facts || at[-1] != 'n')
            return true;
    return false;
}

static void a_secret_is_split_rightly_or_not_shown(void) {
    static const char *const secrets[] = {"sesame@sesame", "@sesame@",  "ses[ame",
                                          "sesame]",       "s/e#sam?e", "sesame@iqn.sesame"};
    static const char *const wrong[] = {
        "netroot=iscsi:user:p@sesame",
        "netroot=iscsi:user:p@sesame@",
        "netroot=iscsi:user:p@ses@ame:x:y",
        "netroot=iscsi:user:p@192.0.2.1::port-sesame::iqn.2026-11.test:disk",
        "netroot=iscsi:user:p@192.0.2.1:::lun-sesame:iqn.2026-11.test:disk",
        "netroot=iscsi:user:p@ses!ame::::iqn.2026-11.test:disk",
        "netroot=iscsi:user:sesame:192.0.2.1:iqn.2026-11.test:disk",
        "netroot=iscsi:user:sesame",
        "root=iscsi:user:sesame@@192.0.2.1",
        "lunboot.chap-secret:sesame-sesame",
        "lunboot.chap-sekret=sesame-sesame",
        "lunboot.server=user:sesame@192.0.2.1 lunboot.port=sesame@192.0.2.1",
    };
    for (size_t i = 0; i < LB_COUNT(secrets); i++) {
        char line[160];
        snprintf(line, sizeof(line), "netroot=iscsi:user:%s@192.0.2.1::::iqn.2026-11.test:disk",
                 secrets[i]);
        if (!CHECK(given(line)) || !CHECK(secret_is(LB_KEY_CHAP_SECRET, secrets[i])) ||
            !CHECK_STR(text(LB_KEY_SERVER), "192.0.2.1"))
            tap_note("%s: %s", line, error.facts);
    }
    for (size_t i = 0; i < LB_COUNT(wrong); i++) {
        bool good =
            given(wrong[i]) && lb_config_cmdline(&config, lb_bytes_of_text(wrong[i]), &error);
        if (!CHECK(!good) || !CHECK(strstr(error.facts, "sesame") == NULL) ||
            !CHECK(!has_rest_of_secret(error.facts)))
            tap_note("%s: %s", wrong[i], error.facts);
    }
}

static void another_network_root_is_somebody_elses(void) {
    CHECK(given("root=nfs:192.0.2.1:/srv netroot=nbd:192.0.2.1:x root=LABEL=a"));
    CHECK(!lb_config_is_set(&config, LB_KEY_ENABLE));
}

/* ---- rd.iscsi and iscsi_ --------------------------------------------------------------------- */

static void rd_iscsi_words(void) {
    CHECK(given("rd.iscsi.initiator=iqn.2026-11.test:me rd.iscsi.target.name=iqn.2026-11.test:disk "
                "rd.iscsi.target.ip=[2001:db8::2] rd.iscsi.target.port=3333 rd.iscsi.username=u "
                "rd.iscsi.password=abcdefghijkl rd.iscsi.in.username=t "
                "rd.iscsi.in.password=mnopqrstuvwx"));
    CHECK(lb_config_bool(&config, LB_KEY_ENABLE));
    CHECK_STR(text(LB_KEY_INITIATOR), "iqn.2026-11.test:me");
    CHECK_STR(text(LB_KEY_TARGET), "iqn.2026-11.test:disk");
    CHECK_STR(text(LB_KEY_SERVER), "2001:db8::2");
    CHECK_EQ(lb_config_u32(&config, LB_KEY_PORT), 3333);
    CHECK_STR(text(LB_KEY_CHAP_NAME), "u");
    CHECK(secret_is(LB_KEY_CHAP_TARGET_SECRET, "mnopqrstuvwx"));
}

static void open_iscsis_words_are_the_same(void) {
    CHECK(given(
        "iscsi_target_name=iqn.2026-11.test:disk iscsi_target_ip=192.0.2.9 iscsi_in_username=x"));
    CHECK_STR(text(LB_KEY_TARGET), "iqn.2026-11.test:disk");
    CHECK_STR(text(LB_KEY_SERVER), "192.0.2.9");
    CHECK_STR(text(LB_KEY_CHAP_TARGET_NAME), "x");
}

static void the_firmwares_table_is_asked_for(void) {
    static const char *const asks[] = {
        "rd.iscsi.firmware=1", "rd.iscsi.firmware",     "quiet rd.iscsi.ibft=1 ro",
        "iscsi_auto",          "rd.iscsi.ibft ip=dhcp", "ip=ibft",
        "ip=eth0:ibft",        "ip=::::h:eth0:ibft",
    };
    static const char *const does_not[] = {"", "rd.iscsi.firmware=0", "ip=dhcp", "iscsi_automatic",
                                           "rd.iscsi.firmware=1 rd.iscsi.firmware=0"};
    for (size_t i = 0; i < LB_COUNT(asks); i++) {
        CHECK(given(asks[i]) && !lb_config_bool(&config, LB_KEY_ENABLE));
        if (!CHECK(words.asks_ibft))
            tap_note("%s", asks[i]);
    }
    for (size_t i = 0; i < LB_COUNT(does_not); i++) {
        if (!CHECK(given(does_not[i]) && !words.asks_ibft))
            tap_note("%s", does_not[i]);
    }
    CHECK(given("rd.iscsi.firmware=1") && lb_config_bool(&config, LB_KEY_IBFT));
    CHECK(given("rd.iscsi.firmware=0") && !lb_config_bool(&config, LB_KEY_IBFT));
    CHECK(given("rd.iscsi.ibft=no") && !lb_config_bool(&config, LB_KEY_IBFT));
}

/* ---- ip -------------------------------------------------------------------------------------- */

static void ip_with_a_method_alone(void) {
    CHECK(given("ip=dhcp") && !lb_config_is_set(&config, LB_KEY_ADDRESS));
    CHECK(given("ip=dhcp6"));
    CHECK_STR(text(LB_KEY_FAMILY), "6");
    CHECK(given("ip=eth1:auto6:1400"));
    CHECK_STR(text(LB_KEY_INTERFACE), "eth1");
    CHECK_STR(text(LB_KEY_FAMILY), "6");
    CHECK_EQ(lb_config_u32(&config, LB_KEY_MTU), 1400);
}

static void ip_with_everything(void) {
    CHECK(given("ip=192.0.2.5::192.0.2.1:255.255.255.0:host1:eth0:none:192.0.2.53:192.0.2.54"));
    CHECK_STR(lb_prefix_text(lb_config_prefix(&config, LB_KEY_ADDRESS)).s, "192.0.2.5/24");
    CHECK_STR(lb_addr_text(lb_config_addr(&config, LB_KEY_GATEWAY)).s, "192.0.2.1");
    CHECK_STR(text(LB_KEY_HOSTNAME), "host1");
    CHECK_STR(text(LB_KEY_INTERFACE), "eth0");
    CHECK_STR(text(LB_KEY_DNS), "192.0.2.53,192.0.2.54");
}

static void ip_of_ipv6(void) {
    CHECK(given("ip=[2001:db8::5]::[2001:db8::1]:64:host1:eth0:none nameserver=2001:db8::53"));
    CHECK_STR(lb_prefix_text(lb_config_prefix(&config, LB_KEY_ADDRESS)).s, "2001:db8::5/64");
    CHECK_STR(lb_addr_text(lb_config_addr(&config, LB_KEY_GATEWAY)).s, "2001:db8::1");
    CHECK_STR(text(LB_KEY_DNS), "2001:db8::53");
}

static void a_static_address_that_is_wrong_is_an_error(void) {
    CHECK(!given("ip=192.0.2.5::192.0.2.1:255.0.255.0::eth0:none"));
    CHECK_EQ(error.code, LB_E_CONFIG_VALUE);
}

/* ---- the firmware's table -------------------------------------------------------------------- */

static struct lb_ibft a_table(void) {
    struct lb_ibft ibft = {.nic_count = 1, .target_count = 1};
    struct lb_ibft_target *target = &ibft.targets[0];
    strcpy(ibft.initiator, "iqn.2026-11.test:me");
    strcpy(target->name, "iqn.2026-11.test:disk");
    target->is_selected = true;
    target->portal = (struct lb_endpoint){lb_addr_v4(192, 0, 2, 1), 3261};
    target->lun[1] = 3;
    ibft.nics[0].address = lb_addr_v4(192, 0, 2, 7);
    ibft.nics[0].prefix_len = 24;
    ibft.nics[0].gateway = lb_addr_v4(192, 0, 2, 254);
    ibft.nics[0].origin = LB_IBFT_MANUAL;
    memcpy(ibft.nics[0].mac, "\x52\x54\x00\x12\x34\x56", 6);
    return ibft;
}

static bool told(const struct lb_ibft *ibft) {
    memset(&config, 0, sizeof(config));
    memset(&error, 0, sizeof(error));
    return lb_ibft_configure(ibft, &config, &error);
}

static void a_table_enables_and_names_the_disk(void) {
    struct lb_ibft ibft = a_table();
    CHECK(told(&ibft));
    CHECK(lb_config_bool(&config, LB_KEY_ENABLE));
    CHECK_EQ(lb_config_source(&config, LB_KEY_ENABLE), LB_SOURCE_IBFT);
    CHECK_STR(text(LB_KEY_INITIATOR), "iqn.2026-11.test:me");
    CHECK_STR(text(LB_KEY_TARGET), "iqn.2026-11.test:disk");
    CHECK_STR(text(LB_KEY_SERVER), "192.0.2.1");
    CHECK_STR(text(LB_KEY_LUN), "3");
    CHECK_EQ(lb_config_u32(&config, LB_KEY_PORT), 3261);
    CHECK_STR(lb_prefix_text(lb_config_prefix(&config, LB_KEY_ADDRESS)).s, "192.0.2.7/24");
}

static void a_leased_address_is_asked_for_again(void) {
    struct lb_ibft ibft = a_table();
    ibft.nics[0].origin = LB_IBFT_DHCP;
    CHECK(told(&ibft));
    CHECK(!lb_config_is_set(&config, LB_KEY_ADDRESS));
    CHECK(!lb_config_is_set(&config, LB_KEY_GATEWAY));
}

static void its_secrets_may_be_of_any_bytes(void) {
    struct lb_ibft ibft = a_table();
    ibft.targets[0].chap = LB_IBFT_CHAP;
    strcpy(ibft.targets[0].chap_name, "user");
    memcpy(ibft.targets[0].chap_secret, "\x01\xff abcdefghij", 13);
    ibft.targets[0].chap_secret_len = 13;
    CHECK(told(&ibft));
    CHECK_STR(text(LB_KEY_CHAP_NAME), "user");
    CHECK(secret_is(LB_KEY_CHAP_SECRET, "\x01\xff abcdefghij"));
    CHECK(!lb_config_is_set(&config, LB_KEY_CHAP_TARGET_SECRET));
}

static void its_chap_is_required_of_its_target(void) {
    struct lb_ibft ibft = a_table();
    CHECK(told(&ibft));
    CHECK_STR(config.table.target, "iqn.2026-11.test:disk");
    CHECK(!config.table.chap && !config.table.mutual);
    ibft.targets[0].chap = LB_IBFT_CHAP;
    CHECK(told(&ibft) && config.table.chap && !config.table.mutual);
    CHECK(!lb_config_check(&config, &error)); /* without name and secret it is half */
    CHECK_EQ(error.code, LB_E_CONFIG_HALF);
    strcpy(ibft.targets[0].chap_name, "user");
    CHECK(told(&ibft) && !lb_config_check(&config, &error));
    memcpy(ibft.targets[0].chap_secret, "twelve-bytes", 12);
    ibft.targets[0].chap_secret_len = 12;
    CHECK(told(&ibft) && lb_config_check(&config, &error));
    ibft.targets[0].chap = LB_IBFT_MUTUAL;
    strcpy(ibft.targets[0].reverse_name, "target");
    CHECK(told(&ibft) && config.table.mutual && !lb_config_check(&config, &error));
    memcpy(ibft.targets[0].reverse_secret, "other-secret", 12);
    ibft.targets[0].reverse_secret_len = 12;
    CHECK(told(&ibft) && lb_config_check(&config, &error));
}

static void required_of(struct lb_config *next, const char *target) {
    struct lb_error none = {0};
    *next = config;
    lb_ibft_require(next, target, &none);
    CHECK(lb_is_ok(&none));
}

/* The next kernel and a later login have no table. */
static void its_chap_is_required_by_the_stages_after_it(void) {
    static struct lb_config next;
    struct lb_ibft ibft = a_table();
    char conf[512];
    struct lb_text lines = lb_text(conf, sizeof(conf));
    CHECK(told(&ibft));
    required_of(&next, "iqn.2026-11.test:disk");
    CHECK_STR(lb_config_text(&next, LB_KEY_REQUIRE), "");
    ibft.targets[0].chap = LB_IBFT_CHAP;
    CHECK(told(&ibft));
    required_of(&next, "iqn.2026-11.test:other");
    CHECK_STR(lb_config_text(&next, LB_KEY_REQUIRE), "");
    required_of(&next, "iqn.2026-11.test:disk");
    CHECK_STR(lb_config_text(&next, LB_KEY_REQUIRE), "chap");
    ibft.targets[0].chap = LB_IBFT_MUTUAL;
    ibft.ipsec.is_there = true;
    CHECK(told(&ibft));
    required_of(&next, "iqn.2026-11.test:disk");
    CHECK(lb_config_requires(&next, "mutual-chap") && lb_config_requires(&next, "ipsec"));
    lb_kexec_conf(&lines, &next, false);
    CHECK_HAS(conf, "mutual-chap");
    CHECK_HAS(conf, "ipsec");
}

static void what_it_was_read_through_is_required_again(void) {
    struct lb_ibft ibft = a_table();
    CHECK(told(&ibft) && !lb_config_requires(&config, "ipsec"));
    CHECK(!lb_config_is_set(&config, LB_KEY_IPSEC_PSK));
    ibft.ipsec.is_there = ibft.ipsec.is_transport = true;
    memcpy(ibft.ipsec.psk, "\x01\xff of sixteen bytes", 20);
    ibft.ipsec.psk_len = 20;
    strcpy(ibft.ipsec.id, "client.example");
    CHECK(told(&ibft) && lb_config_requires(&config, "ipsec"));
    CHECK(!lb_config_check(&config, &error)); /* whose is the other end? */
    strcpy(ibft.ipsec.peer_id, "server.example");
    CHECK(told(&ibft) && lb_config_check(&config, &error));
    CHECK_BYTES(lb_config_secret(&config, LB_KEY_IPSEC_PSK),
                lb_bytes((const uint8_t *)"\x01\xff of sixteen bytes", 20));
    CHECK_STR(text(LB_KEY_IPSEC_ID), "client.example");
    CHECK_STR(text(LB_KEY_IPSEC_PEER_ID), "server.example");
    CHECK_STR(text(LB_KEY_IPSEC_MODE), "transport");
    ibft.ipsec.is_transport = false;
    CHECK(told(&ibft));
    CHECK_STR(text(LB_KEY_IPSEC_MODE), "tunnel");
    CHECK(!lb_config_cmdline(&config, lb_bytes_of_text("lunboot.require="), &error) ||
          lb_config_requires(&config, "ipsec"));
}

static void what_else_the_firmware_required_is_required_again(void) {
    struct lb_ibft ibft = a_table();
    ibft.policy.is_there = true;
    strcpy(ibft.policy.require, "data-digest,address");
    strcpy(ibft.policy.allow_server, "192.0.2.1,disks.example");
    strcpy(ibft.policy.allow_target, "iqn.2026-11.test:*,disk1"); /* by accept-names there */
    CHECK(told(&ibft) && lb_config_check(&config, &error));
    CHECK(lb_config_requires(&config, "data-digest") && lb_config_requires(&config, "address"));
    CHECK(!lb_config_requires(&config, "header-digest"));
    CHECK_STR(text(LB_KEY_DATA_DIGEST), "crc32c"); /* it has to be offered */
    CHECK_STR(text(LB_KEY_HEADER_DIGEST), "none");
    CHECK_STR(text(LB_KEY_ALLOW_SERVER), "192.0.2.1,disks.example");
    CHECK_STR(text(LB_KEY_ALLOW_TARGET), "iqn.2026-11.test:*,disk1");
    CHECK(lb_config_cmdline(&config, lb_bytes_of_text("lunboot.require=chap"), &error));
    CHECK(lb_config_requires(&config, "data-digest")); /* words add up */
    strcpy(ibft.policy.require, "data-digset");
    CHECK(!told(&ibft)); /* a word that is not known may be one of a later version */
}

static struct lb_ibft a_table_of_proved_dhcp(void) {
    struct lb_ibft ibft = a_table();
    ibft.nics[0].origin = LB_IBFT_DHCP;
    ibft.nics[0].dhcp = lb_addr_v4(192, 0, 2, 253);
    ibft.nics[0].dns[0] = lb_addr_v4(192, 0, 2, 252);
    ibft.policy.is_there = true;
    strcpy(ibft.policy.require, "dhcp-auth,address");
    return ibft;
}

/* The firmware took authenticated DHCP alone: without a key DHCP is not asked again. */
static void without_a_key_the_address_that_was_proved_is_kept(void) {
    struct lb_ibft ibft = a_table_of_proved_dhcp();
    CHECK(told(&ibft) && lb_config_check(&config, &error));
    CHECK_STR(lb_prefix_text(lb_config_prefix(&config, LB_KEY_ADDRESS)).s, "192.0.2.7/24");
    CHECK_STR(text(LB_KEY_DNS), "192.0.2.252");
    CHECK(lb_addr_is_set(lb_config_addr(&config, LB_KEY_GATEWAY)));
    CHECK(lb_config_requires(&config, "address"));
    CHECK(!lb_config_requires(&config, "dhcp-auth")); /* nothing of DHCP is believed */
    CHECK(config.table.is_address_kept);
}

static void with_a_key_authenticated_dhcp_is_required_again(void) {
    struct lb_ibft ibft = a_table_of_proved_dhcp();
    memset(&config, 0, sizeof(config));
    memset(&error, 0, sizeof(error));
    CHECK(lb_config_set(&config, LB_SOURCE_FILE, lb_bytes_of_text("dhcp-keys"),
                        lb_bytes_of_text("7:0123456789abcdef"), &error));
    CHECK(lb_ibft_configure(&ibft, &config, &error) && lb_config_check(&config, &error));
    CHECK(!lb_config_is_set(&config, LB_KEY_ADDRESS));
    CHECK(lb_config_requires(&config, "dhcp-auth"));
}

static void without_a_key_and_an_address_nothing_boots(void) {
    struct lb_ibft ibft = a_table_of_proved_dhcp();
    ibft.nics[0].address = lb_addr_v4(0, 0, 0, 0);
    CHECK(told(&ibft) && !lb_config_check(&config, &error));
    CHECK_EQ(error.code, LB_E_CONFIG_HALF);
    CHECK_HAS(error.facts, "dhcp-auth needs dhcp-keys");
}

static void a_later_source_stands_above_it(void) {
    struct lb_ibft ibft = a_table();
    CHECK(told(&ibft));
    CHECK(lb_config_cmdline(&config, lb_bytes_of_text("lunboot.enable=no lunboot.lun=9"), &error));
    CHECK(!lb_config_bool(&config, LB_KEY_ENABLE));
    CHECK_STR(text(LB_KEY_LUN), "9");
}

/* ---- tables of others ------------------------------------------------------------------------ */

static void a_host_name_that_is_none_is_left_out(void) {
    static const char *const names[] = {"x';id;'", "$(id)", "`id`", "a b", "a\nb", ""};
    for (size_t i = 0; i < LB_COUNT(names); i++) {
        struct lb_ibft ibft = a_table();
        strcpy(ibft.nics[0].hostname, names[i]);
        CHECK(told(&ibft));
        CHECK(!lb_config_is_set(&config, LB_KEY_HOSTNAME));
    }
    struct lb_ibft ibft = a_table();
    strcpy(ibft.nics[0].hostname, "node7");
    CHECK(told(&ibft));
    CHECK_STR(text(LB_KEY_HOSTNAME), "node7");
    CHECK(given("ip=192.0.2.5::192.0.2.1:255.255.255.0:$(id):eth0:none"));
    CHECK(!lb_config_is_set(&config, LB_KEY_HOSTNAME));
    CHECK(!given("ip=192.0.2.5::192.0.2.1:255.255.255.0:h:eth0;id:none"));
}

static void the_nic_is_the_one_that_the_target_names(void) {
    struct lb_ibft ibft = a_table();
    ibft.nics[0].index = 1; /* the second port: its pair is the only one */
    ibft.targets[0].nic = 1;
    CHECK(told(&ibft));
    CHECK_STR(lb_prefix_text(lb_config_prefix(&config, LB_KEY_ADDRESS)).s, "192.0.2.7/24");
}

static void a_nic_that_is_not_there_is_an_error_and_nothing_is_set(void) {
    static const uint8_t wrong[] = {1, 2, 110, 200, 255};
    for (size_t i = 0; i < sizeof(wrong); i++) {
        struct lb_ibft ibft = a_table();
        ibft.targets[0].nic = wrong[i];
        CHECK(told(&ibft)); /* there is one alone */
        ibft.nic_count = 2;
        ibft.nics[1] = ibft.nics[0];
        CHECK(!told(&ibft));
        CHECK_EQ(error.code, LB_E_IBFT);
        CHECK_HAS(error.facts, "which is not in the table");
        CHECK(!lb_config_is_set(&config, LB_KEY_ENABLE));
    }
}

static void without_a_boot_selected_target_there_is_an_error(void) {
    struct lb_ibft ibft = a_table();
    ibft.targets[0].is_selected = false;
    CHECK(!told(&ibft));
    CHECK_HAS(error.facts, "none of its 1 valid targets is boot-selected");
}

static void of_several_targets_the_selected_one_counts(void) {
    struct lb_ibft ibft = a_table();
    ibft.targets[1] = ibft.targets[0];
    ibft.target_count = 2;
    ibft.targets[0].is_selected = false;
    strcpy(ibft.targets[1].name, "iqn.2026-11.test:second");
    CHECK(told(&ibft));
    CHECK_STR(text(LB_KEY_TARGET), "iqn.2026-11.test:second");
}

static void a_value_that_is_not_valid_sets_nothing(void) {
    struct lb_ibft ibft = a_table();
    ibft.targets[0].portal.addr = lb_addr_v4(192, 0, 2, 1);
    strcpy(ibft.targets[0].name, "iqn.2026-11.test:\x01");
    CHECK(!told(&ibft));
    CHECK(!lb_config_is_set(&config, LB_KEY_SERVER));
}

/* Of IPv4 some count from the beginning of ::ffff:0:0/96. */
static void the_prefix_of_a_fixed_address_is_told_if_it_cannot_be(void) {
    static const struct {
        uint8_t shown, len;
    } good[] = {{0, 0}, {24, 24}, {32, 32}, {96, 0}, {120, 24}, {128, 32}};
    static const uint8_t wrong[] = {33, 64, 95, 129, 188, 255};
    struct lb_ibft ibft = a_table();
    for (size_t i = 0; i < LB_COUNT(good); i++) {
        ibft.nics[0].prefix_len = good[i].shown;
        CHECK(told(&ibft));
        CHECK_EQ(lb_config_prefix(&config, LB_KEY_ADDRESS).len, good[i].len);
    }
    for (size_t i = 0; i < sizeof(wrong); i++) {
        ibft.nics[0].prefix_len = wrong[i];
        CHECK(!told(&ibft));
        CHECK_EQ(error.code, LB_E_IBFT);
        CHECK_HAS(error.facts, "192.0.2.7");
        CHECK(!lb_config_is_set(&config, LB_KEY_TARGET));
    }
    ibft.nics[0].origin = LB_IBFT_DHCP; /* it is asked for again */
    CHECK(told(&ibft));
}

static bool is_enough(enum lb_ibft_found found, const struct lb_ibft *ibft, bool is_asked_for,
                      const char *line) {
    memset(&error, 0, sizeof(error));
    CHECK(lb_config_cmdline(&config, lb_bytes_of_text(line), &error));
    return lb_ibft_is_enough(found, ibft, is_asked_for, &config, &error);
}

static void a_missing_table_is_told_where_nothing_else_names_the_disk(void) {
    memset(&config, 0, sizeof(config));
    CHECK(is_enough(LB_IBFT_ABSENT, NULL, false, ""));
    CHECK(!is_enough(LB_IBFT_ABSENT, NULL, true, ""));
    CHECK_EQ(error.code, LB_E_NO_IBFT);
    CHECK(is_enough(LB_IBFT_ABSENT, NULL, true, "lunboot.enable=no"));
    CHECK(is_enough(LB_IBFT_ABSENT, NULL, true, "lunboot.enable=yes"));
    memset(&config, 0, sizeof(config));
    CHECK(is_enough(LB_IBFT_ABSENT, NULL, true, "lunboot.server=192.0.2.1"));
}

static void a_broken_table_is_told_unless_another_source_names_the_disk(void) {
    memset(&config, 0, sizeof(config));
    CHECK(!is_enough(LB_IBFT_BROKEN, NULL, false, "lunboot.enable=yes"));
    CHECK_EQ(error.code, LB_E_IBFT);
    CHECK(is_enough(LB_IBFT_BROKEN, NULL, false, "lunboot.target=iqn.2026-11.test:disk"));
    CHECK(lb_is_ok(&error));
}

/* It may have required IPsec, or DHCP with a proof: nobody knows. */
static void a_broken_table_of_ours_is_told_whoever_names_the_disk(void) {
    memset(&config, 0, sizeof(config));
    CHECK(!is_enough(LB_IBFT_OURS_BROKEN, NULL, false, "lunboot.target=iqn.2026-11.test:disk"));
    CHECK_EQ(error.code, LB_E_IBFT);
    CHECK(is_enough(LB_IBFT_OURS_BROKEN, NULL, false, "lunboot.enable=no"));
}

static void a_vlan_is_told_unless_the_interface_is_named(void) {
    struct lb_ibft ibft = a_table();
    ibft.nics[0].vlan = 42;
    CHECK(told(&ibft));
    CHECK(!is_enough(LB_IBFT_READ_WELL, &ibft, false, ""));
    CHECK_EQ(error.code, LB_E_IBFT);
    CHECK_HAS(error.facts, "VLAN 42");
    CHECK(is_enough(LB_IBFT_READ_WELL, &ibft, false, "lunboot.interface=eth0.42"));
}

/* ---- where it is read ------------------------------------------------------------------------ */

static char folder[32];

static void make_folder(void) {
    strcpy(folder, "/tmp/lb-test-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
}

static void remove_folder(void) {
    char command[64];
    snprintf(command, sizeof(command), "rm -rf %s", folder);
    CHECK_EQ(system(command), 0);
}

/* FOLDER/sys/firmware/NAME. */
static void put_file(const char *name, const void *bytes, size_t len) {
    char path[160], command[200];
    snprintf(path, sizeof(path), "%s/sys/firmware/%s", folder, name);
    snprintf(command, sizeof(command), "mkdir -p $(dirname %s)", path);
    CHECK_EQ(system(command), 0);
    FILE *file = fopen(path, "wb");
    CHECK(file != NULL && fwrite(bytes, 1, len, file) == len && fclose(file) == 0);
}

static void show(const char *name, const char *value) {
    char path[80];
    snprintf(path, sizeof(path), "ibft/%s", name);
    put_file(path, value, strlen(value));
}

static void a_table_is_read_where_the_kernel_shows_it(void) {
    uint8_t bytes[LB_IBFT_MAX];
    struct lb_ibft ibft = a_table(), read;
    size_t len;
    make_folder();
    CHECK_EQ(lb_ibft_read(folder, &read), LB_IBFT_ABSENT);
    CHECK(lb_ibft_encode(&ibft, lb_span(bytes, sizeof(bytes)), &len));
    put_file("acpi/tables/iBFT", bytes, len);
    CHECK_EQ(lb_ibft_read(folder, &read), LB_IBFT_READ_WELL);
    CHECK_STR(read.targets[0].name, "iqn.2026-11.test:disk");
    bytes[60] ^= 1;
    put_file("acpi/tables/iBFT", bytes, len);
    CHECK_EQ(lb_ibft_read(folder, &read), LB_IBFT_OURS_BROKEN);
    remove_folder();
}

static void put_table(const char *name, const char *oem, const char *target, bool is_whole) {
    uint8_t bytes[LB_IBFT_MAX];
    char path[40];
    struct lb_ibft ibft = a_table();
    size_t len;
    snprintf(ibft.oem_id, sizeof(ibft.oem_id), "%s", oem);
    snprintf(ibft.targets[0].name, sizeof(ibft.targets[0].name), "%s", target);
    CHECK(lb_ibft_encode(&ibft, lb_span(bytes, sizeof(bytes)), &len));
    bytes[60] ^= !is_whole;
    snprintf(path, sizeof(path), "acpi/tables/%s", name);
    put_file(path, bytes, len);
}

/* EDK2's initiator, say, has made one for a disk of its own. */
static void of_several_tables_ours_counts(void) {
    struct lb_ibft read = {.nic_count = 0};
    make_folder();
    put_table("iBFT1", "INTEL", "iqn.2026-11.test:first", true);
    put_table("iBFT2", "HP", "iqn.2026-11.test:second", true);
    CHECK_EQ(lb_ibft_read(folder, &read), LB_IBFT_READ_WELL);
    CHECK_STR(read.targets[0].name, "iqn.2026-11.test:first");
    put_table("iBFT2", "", "iqn.2026-11.test:ours", true);
    CHECK_EQ(lb_ibft_read(folder, &read), LB_IBFT_READ_WELL);
    CHECK_STR(read.targets[0].name, "iqn.2026-11.test:ours");
    put_table("iBFT1", "INTEL", "iqn.2026-11.test:first", false);
    CHECK_EQ(lb_ibft_read(folder, &read), LB_IBFT_READ_WELL);
    CHECK_STR(read.targets[0].name, "iqn.2026-11.test:ours");
    put_table("iBFT2", "", "iqn.2026-11.test:ours", false);
    CHECK_EQ(lb_ibft_read(folder, &read), LB_IBFT_OURS_BROKEN);
    put_table("iBFT1", "INTEL", "iqn.2026-11.test:first", true);
    CHECK_EQ(lb_ibft_read(folder, &read), LB_IBFT_OURS_BROKEN);
    put_table("iBFT2", "HP", "iqn.2026-11.test:second", false);
    CHECK_EQ(lb_ibft_read(folder, &read), LB_IBFT_READ_WELL);
    CHECK_STR(read.targets[0].name, "iqn.2026-11.test:first");
    remove_folder();
}

/* As the module of Linux 6.1 writes them for BIOS firmware's table (iPXE): two targets. */
static void show_a_table(void) {
    make_folder();
    show("initiator/index", "0\n");
    show("initiator/flags", "3\n");
    show("initiator/initiator-name", "iqn.2026-11.test:me\n");
    show("ethernet1/index", "1\n");
    show("ethernet1/flags", "3\n");
    show("ethernet1/ip-addr", "192.0.2.7\n");
    show("ethernet1/subnet-mask", "255.255.255.128\n");
    show("ethernet1/origin", "1\n");
    show("ethernet1/gateway", "192.0.2.126\n");
    show("ethernet1/primary-dns", "192.0.2.53\n");
    show("ethernet1/vlan", "0\n");
    show("ethernet1/mac", "52:54:00:12:34:56\n");
    show("ethernet1/hostname", "node7\n");
    show("target0/index", "0\n");
    show("target0/flags", "1\n");
    show("target0/target-name", "iqn.2026-11.test:other\n");
    show("target1/index", "1\n");
    show("target1/flags", "3\n");
    show("target1/ip-addr", "192.0.2.1\n");
    show("target1/port", "3261\n");
    show("target1/lun", "03000000\n");
    show("target1/chap-type", "1\n");
    show("target1/nic-assoc", "1\n");
    show("target1/target-name", "iqn.2026-11.test:disk\n");
    show("target1/chap-name", "user\n");
    show("target1/chap-secret", "secret567890\n");
}

static void without_an_acpi_table_the_modules_files_are_read(void) {
    struct lb_ibft read;
    show_a_table();
    CHECK_EQ(lb_ibft_read(folder, &read), LB_IBFT_READ_WELL);
    CHECK_EQ(read.nic_count, 1);
    CHECK(told(&read));
    CHECK_STR(text(LB_KEY_INITIATOR), "iqn.2026-11.test:me");
    CHECK_STR(text(LB_KEY_TARGET), "iqn.2026-11.test:disk");
    CHECK_STR(text(LB_KEY_SERVER), "192.0.2.1");
    CHECK_EQ(lb_config_u32(&config, LB_KEY_PORT), 3261);
    CHECK_STR(text(LB_KEY_LUN), "3");
    CHECK_STR(lb_prefix_text(lb_config_prefix(&config, LB_KEY_ADDRESS)).s, "192.0.2.7/25");
    CHECK(secret_is(LB_KEY_CHAP_SECRET, "secret567890"));
    CHECK_STR(lb_mac_text(lb_ibft_nic_of(&read, lb_ibft_boot_target(&read))->mac).s,
              "52:54:00:12:34:56");
    remove_folder();
}

/* Linux shows a mask beside the length for IPv6, too, in either order: it is of a wrong shift. */
static void the_length_of_the_module_stands_above_its_mask(void) {
    static const char *const orders[][2] = {{"subnet-mask", "prefix-len"},
                                            {"prefix-len", "subnet-mask"}};
    for (size_t i = 0; i < LB_COUNT(orders); i++) {
        struct lb_ibft_shown shown = {0};
        struct lb_bytes nic = lb_bytes_of_text("ethernet0");
        for (size_t k = 0; k < 2; k++) {
            bool is_mask = orders[i][k][0] == 's';
            CHECK(lb_ibft_shown_add(&shown, nic, orders[i][k],
                                    lb_bytes_of_text(is_mask ? "255.255.255.240" : "60")));
        }
        CHECK_EQ(shown.ibft.nics[0].prefix_len, 60);
    }
}

static void what_the_module_shows_as_selected_alone_is_used(void) {
    struct lb_ibft read;
    show_a_table();
    show("target0/flags", "0\n");
    show("target1/flags", "2\n");
    show("ethernet1/flags", "2\n");
    CHECK_EQ(lb_ibft_read(folder, &read), LB_IBFT_READ_WELL);
    CHECK_EQ(read.target_count, 1);
    CHECK(told(&read));
    CHECK_STR(text(LB_KEY_TARGET), "iqn.2026-11.test:disk");
    remove_folder();
}

static void a_value_of_the_module_that_makes_no_sense_breaks_the_table(void) {
    static const char *const wrong[][2] = {
        {"ethernet1/mac", "52:54:00\n"},        {"target1/port", "99999\n"},
        {"target1/nic-assoc", "256\n"},         {"target1/lun", "0300000g\n"},
        {"target1/lun", "12345678901234567\n"}, {"ethernet1/subnet-mask", "255.0.255.0\n"},
    };
    for (size_t i = 0; i < LB_COUNT(wrong); i++) {
        struct lb_ibft read;
        show_a_table();
        show(wrong[i][0], wrong[i][1]);
        if (!CHECK_EQ(lb_ibft_read(folder, &read), LB_IBFT_BROKEN))
            tap_note("%s", wrong[i][0]);
        remove_folder();
    }
}

/* Linux prints each byte of a LUN as a number of its own. */
static void luns_of_the_module_are_told_apart(void) {
    static const struct {
        const char *shown;
        uint8_t high, low;
    } rows[] = {{"00000000", 0, 0},        {"01000000", 0, 1},     {"0f000000", 0, 0x0f},
                {"010000000", 0, 16},      {"0ff000000", 0, 0xff}, {"401000000", 0x40, 1},
                {"4110000000", 0x41, 0x10}};
    for (size_t i = 0; i < LB_COUNT(rows); i++) {
        struct lb_ibft_shown shown = {0};
        struct lb_bytes target = lb_bytes_of_text("target0");
        CHECK(lb_ibft_shown_add(&shown, target, "lun", lb_bytes_of_text(rows[i].shown)));
        CHECK_EQ(shown.ibft.targets[0].lun[0], rows[i].high);
        CHECK_EQ(shown.ibft.targets[0].lun[1], rows[i].low);
    }
}

int main(void) {
    TEST(netroot_names_the_disk);
    TEST(netroot_with_ipv6_and_credentials);
    TEST(netroot_with_iscsids_interface_and_device);
    TEST(netroot_that_is_too_short_is_an_error_that_shows_it);
    TEST(credentials_by_halves_are_an_error_that_shows_none_of_them);
    TEST(a_secret_is_split_rightly_or_not_shown);
    TEST(another_network_root_is_somebody_elses);
    TEST(rd_iscsi_words);
    TEST(open_iscsis_words_are_the_same);
    TEST(the_firmwares_table_is_asked_for);
    TEST(ip_with_a_method_alone);
    TEST(ip_with_everything);
    TEST(ip_of_ipv6);
    TEST(a_static_address_that_is_wrong_is_an_error);
    TEST(a_table_enables_and_names_the_disk);
    TEST(a_leased_address_is_asked_for_again);
    TEST(its_secrets_may_be_of_any_bytes);
    TEST(its_chap_is_required_of_its_target);
    TEST(its_chap_is_required_by_the_stages_after_it);
    TEST(what_it_was_read_through_is_required_again);
    TEST(what_else_the_firmware_required_is_required_again);
    TEST(without_a_key_the_address_that_was_proved_is_kept);
    TEST(with_a_key_authenticated_dhcp_is_required_again);
    TEST(without_a_key_and_an_address_nothing_boots);
    TEST(a_later_source_stands_above_it);
    TEST(a_host_name_that_is_none_is_left_out);
    TEST(the_nic_is_the_one_that_the_target_names);
    TEST(the_prefix_of_a_fixed_address_is_told_if_it_cannot_be);
    TEST(the_length_of_the_module_stands_above_its_mask);
    TEST(what_the_module_shows_as_selected_alone_is_used);
    TEST(a_nic_that_is_not_there_is_an_error_and_nothing_is_set);
    TEST(without_a_boot_selected_target_there_is_an_error);
    TEST(of_several_targets_the_selected_one_counts);
    TEST(a_value_that_is_not_valid_sets_nothing);
    TEST(a_missing_table_is_told_where_nothing_else_names_the_disk);
    TEST(a_broken_table_is_told_unless_another_source_names_the_disk);
    TEST(a_broken_table_of_ours_is_told_whoever_names_the_disk);
    TEST(a_vlan_is_told_unless_the_interface_is_named);
    TEST(a_table_is_read_where_the_kernel_shows_it);
    TEST(of_several_tables_ours_counts);
    TEST(without_an_acpi_table_the_modules_files_are_read);
    TEST(a_value_of_the_module_that_makes_no_sense_breaks_the_table);
    TEST(luns_of_the_module_are_told_apart);
    return tap_done();
}
