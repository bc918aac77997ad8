/* What tells `lunboot initramfs` of the disk: the words of dracut and open-iscsi on the kernel
 * command line, and the firmware's table. */
#include "hosts/linux/dracut.h"
#include "hosts/linux/ibft_source.h"
#include "tests/tap.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct lb_config config;
static struct lb_error error;

static bool given(const char *cmdline) {
    memset(&config, 0, sizeof(config));
    memset(&error, 0, sizeof(error));
    return lb_dracut_configure(lb_bytes_of_text(cmdline), &config, &error);
}

static const char *text(enum lb_key key) {
    return lb_config_text(&config, key);
}

static bool secret_is(enum lb_key key, const char *want) {
    return lb_bytes_equal(lb_config_secret(&config, key), lb_bytes_of_text(want));
}

/* ---- netroot ----------------------------------------------------------------------------------
 */

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
    CHECK_EQ(error.code, LB_E_CONFIG_VALUE);
    CHECK(strstr(error.facts, "netroot=192.0.2.1") != NULL);
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
        "netroot=iscsi:@192.0.2.1::::iqn.2026-11.test:disk",
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

static void another_network_root_is_somebody_elses(void) {
    CHECK(given("root=nfs:192.0.2.1:/srv netroot=nbd:192.0.2.1:x root=LABEL=a"));
    CHECK(!lb_config_is_set(&config, LB_KEY_ENABLE));
}

/* ---- rd.iscsi and iscsi_ ------------------------------------------------------------------------
 */

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
    CHECK(given("rd.iscsi.firmware=1") && lb_config_bool(&config, LB_KEY_ENABLE));
    CHECK(given("rd.iscsi.firmware") && lb_config_bool(&config, LB_KEY_ENABLE));
    CHECK(given("iscsi_auto") && lb_config_bool(&config, LB_KEY_ENABLE));
    CHECK(given("ip=ibft") && lb_config_bool(&config, LB_KEY_ENABLE));
    CHECK(given("rd.iscsi.firmware=1") && lb_config_bool(&config, LB_KEY_IBFT));
    CHECK(given("rd.iscsi.firmware=0") && !lb_config_is_set(&config, LB_KEY_ENABLE));
    CHECK(!lb_config_bool(&config, LB_KEY_IBFT));
    CHECK(given("rd.iscsi.ibft=no") && !lb_config_bool(&config, LB_KEY_IBFT));
}

/* ---- ip ---------------------------------------------------------------------------------------
 */

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

static void ip_with_nonsense_is_an_error(void) {
    CHECK(!given("ip=nonsense"));
    CHECK(!given("ip=192.0.2.5::192.0.2.1:255.0.255.0::eth0:none"));
    CHECK_EQ(error.code, LB_E_CONFIG_VALUE);
}

static void an_unknown_cards_bootif_is_passed_over_and_a_wrong_one_is_not(void) {
    CHECK(given("BOOTIF=01-52-54-00-fe-dc-ba"));
    CHECK(!lb_config_is_set(&config, LB_KEY_INTERFACE));
    CHECK(!given("BOOTIF=01-52-54"));
}

/* ---- the firmware's table -----------------------------------------------------------------------
 */

static struct lb_ibft a_table(void) {
    struct lb_ibft ibft = {.pair_count = 1};
    struct lb_ibft_target *target = &ibft.targets[0];
    strcpy(ibft.initiator, "iqn.2026-11.test:me");
    strcpy(target->name, "iqn.2026-11.test:disk");
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

static void a_later_source_stands_above_it(void) {
    struct lb_ibft ibft = a_table();
    CHECK(told(&ibft));
    CHECK(lb_config_cmdline(&config, lb_bytes_of_text("lunboot.enable=no lunboot.lun=9"), &error));
    CHECK(!lb_config_bool(&config, LB_KEY_ENABLE));
    CHECK_STR(text(LB_KEY_LUN), "9");
}

static void a_table_is_read_where_the_kernel_shows_it(void) {
    char folder[] = "/tmp/lb-test-XXXXXX", path[128];
    uint8_t bytes[LB_IBFT_MAX];
    struct lb_ibft ibft = a_table(), read;
    size_t len;
    CHECK(mkdtemp(folder) != NULL);
    CHECK(!lb_ibft_read(folder, &read));
    CHECK(lb_ibft_encode(&ibft, lb_span(bytes, sizeof(bytes)), &len));
    snprintf(path, sizeof(path), "mkdir -p %s/sys/firmware/acpi/tables", folder);
    CHECK_EQ(system(path), 0);
    snprintf(path, sizeof(path), "%s/sys/firmware/acpi/tables/iBFT", folder);
    FILE *file = fopen(path, "wb");
    CHECK(file != NULL && fwrite(bytes, 1, len, file) == len && fclose(file) == 0);
    CHECK(lb_ibft_read(folder, &read));
    CHECK_STR(read.targets[0].name, "iqn.2026-11.test:disk");
    snprintf(path, sizeof(path), "rm -rf %s", folder);
    CHECK_EQ(system(path), 0);
}

int main(void) {
    TEST(netroot_names_the_disk);
    TEST(netroot_with_ipv6_and_credentials);
    TEST(netroot_with_iscsids_interface_and_device);
    TEST(netroot_that_is_too_short_is_an_error_that_shows_it);
    TEST(credentials_by_halves_are_an_error_that_shows_none_of_them);
    TEST(another_network_root_is_somebody_elses);
    TEST(rd_iscsi_words);
    TEST(open_iscsis_words_are_the_same);
    TEST(the_firmwares_table_is_asked_for);
    TEST(ip_with_a_method_alone);
    TEST(ip_with_everything);
    TEST(ip_of_ipv6);
    TEST(ip_with_nonsense_is_an_error);
    TEST(an_unknown_cards_bootif_is_passed_over_and_a_wrong_one_is_not);
    TEST(a_table_enables_and_names_the_disk);
    TEST(a_leased_address_is_asked_for_again);
    TEST(its_secrets_may_be_of_any_bytes);
    TEST(its_chap_is_required_of_its_target);
    TEST(a_later_source_stands_above_it);
    TEST(a_table_is_read_where_the_kernel_shows_it);
    return tap_done();
}
