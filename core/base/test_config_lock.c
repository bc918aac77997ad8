/* A signed configuration stands above the others, and locks them out. */
#include "core/base/config.h"
#include "core/base/text.h"
#include "tests/tap.h"

static struct lb_config config;
static struct lb_error error;

static bool set(enum lb_config_source source, const char *key, const char *value) {
    error = (struct lb_error){.code = LB_OK};
    return lb_config_set(&config, source, lb_bytes_of_text(key), lb_bytes_of_text(value), &error);
}

static void begin(void) {
    memset(&config, 0, sizeof config);
}

static const char *text_of(enum lb_key key) {
    return lb_config_text(&config, key);
}

static const enum lb_config_source unsigned_sources[] = {LB_SOURCE_OPEN_ISCSI, LB_SOURCE_FILE,
                                                         LB_SOURCE_FIRMWARE,   LB_SOURCE_KERNEL,
                                                         LB_SOURCE_OPTION,     LB_SOURCE_PERSON};

static void a_signed_program_stands_above_a_signed_file_and_that_above_the_rest(void) {
    begin();
    CHECK(set(LB_SOURCE_SIGNED, "allow-server", "192.0.2.1"));
    CHECK(set(LB_SOURCE_VERIFIED, "allow-server", "192.0.2.2"));
    CHECK(set(LB_SOURCE_VERIFIED, "allow-target", "iqn.2026-11.test:a"));
    for (size_t i = 0; i < LB_COUNT(unsigned_sources); i++) {
        CHECK(set(unsigned_sources[i], "allow-server", "192.0.2.3"));
        CHECK(set(unsigned_sources[i], "allow-target", "*"));
    }
    CHECK_STR(text_of(LB_KEY_ALLOW_SERVER), "192.0.2.1");
    CHECK_STR(text_of(LB_KEY_ALLOW_TARGET), "iqn.2026-11.test:a");
}

static void a_lock_shuts_out_what_nobody_signed(void) {
    begin();
    CHECK(set(LB_SOURCE_SIGNED, "lock", "yes"));
    for (size_t i = 0; i < LB_COUNT(unsigned_sources); i++) {
        CHECK(lb_config_is_locked(&config, unsigned_sources[i]));
        CHECK(set(unsigned_sources[i], "server", "192.0.2.66"));
        CHECK(set(unsigned_sources[i], "enable", "no"));
        CHECK(set(unsigned_sources[i], "require", "chap"));
        CHECK_EQ(config.locked_out[unsigned_sources[i]], 3);
    }
    CHECK(!lb_config_is_set(&config, LB_KEY_SERVER) && !lb_config_is_set(&config, LB_KEY_ENABLE));
    CHECK(!lb_config_is_set(&config, LB_KEY_REQUIRE));
    CHECK_STR(text_of(LB_KEY_SERVER), "");
}

static void a_lock_leaves_signed_files_and_how_it_was_started(void) {
    begin();
    CHECK(set(LB_SOURCE_SIGNED, "lock", "yes"));
    CHECK(!lb_config_is_locked(&config, LB_SOURCE_VERIFIED));
    CHECK(!lb_config_is_locked(&config, LB_SOURCE_START));
    CHECK(!lb_config_is_locked(&config, LB_SOURCE_IBFT));
    CHECK(set(LB_SOURCE_VERIFIED, "server", "192.0.2.1"));
    CHECK(set(LB_SOURCE_START, "enable", "yes"));
    CHECK_STR(text_of(LB_KEY_SERVER), "192.0.2.1");
    CHECK(lb_config_bool(&config, LB_KEY_ENABLE));
}

static void what_is_unlocked_is_left_to_the_others(void) {
    begin();
    CHECK(set(LB_SOURCE_SIGNED, "lock", "yes"));
    CHECK(set(LB_SOURCE_SIGNED, "unlocked", "chap-*, initiator"));
    CHECK(!lb_config_is_locked(&config, LB_SOURCE_FIRMWARE));
    CHECK(set(LB_SOURCE_FIRMWARE, "chap-name", "machine1"));
    CHECK(set(LB_SOURCE_FIRMWARE, "server", "192.0.2.66"));
    CHECK(set(LB_SOURCE_FIRMWARE, "unlocked", "*"));
    CHECK_STR(text_of(LB_KEY_CHAP_NAME), "machine1");
    CHECK_STR(text_of(LB_KEY_SERVER), "");
    CHECK_STR(text_of(LB_KEY_UNLOCKED), "chap-*, initiator");
    CHECK_EQ(config.locked_out[LB_SOURCE_FIRMWARE], 2);
}

/* On Linux the kernel's command line may say it: of a unified kernel image, it is signed. */
static void a_lock_of_the_kernel_line_shuts_out_what_is_below_it(void) {
    begin();
    lb_config_cmdline_trust(&config, lb_bytes_of_text("quiet lunboot.server=192.0.2.1 "
                                                      "lunboot.lock lunboot.unlocked=\"mtu\""));
    CHECK_STR(text_of(LB_KEY_UNLOCKED), "mtu");
    CHECK_STR(text_of(LB_KEY_SERVER), ""); /* not yet */
    CHECK(set(LB_SOURCE_FILE, "server", "192.0.2.66"));
    CHECK(set(LB_SOURCE_FILE, "mtu", "1400"));
    CHECK(set(LB_SOURCE_OPTION, "port", "3261"));
    CHECK_STR(text_of(LB_KEY_SERVER), "");
    CHECK_EQ(lb_config_u32(&config, LB_KEY_MTU), 1400);
    CHECK_EQ(lb_config_u32(&config, LB_KEY_PORT), 3261);
}

static void no_file_says_whom_to_trust(void) {
    static const char signer[] =
        "04eeb79085241bc80078f8a9d7289be6b85b7d97568c0a4112fa928ca57e3db685"
        "5b41288340db4a6535eb5ee3648b43e7a904ef624044025b14ef2c15cda54120";
    begin();
    CHECK(!set(LB_SOURCE_FILE, "lock", "yes"));
    CHECK_EQ(error.code, LB_E_CONFIG_SIGNATURE);
    CHECK_HAS(error.facts, "`lock` cannot be set in a file that nobody has signed");
    CHECK(!set(LB_SOURCE_FILE, "unlocked", "mtu"));
    CHECK(!set(LB_SOURCE_FILE, "config-signer", signer));
    CHECK(!set(LB_SOURCE_VERIFIED, "config-signer", signer));
    CHECK_HAS(error.facts, "the file that it verifies");
    CHECK(set(LB_SOURCE_VERIFIED, "lock", "yes"));
    CHECK(set(LB_SOURCE_FIRMWARE, "config-signer", signer)); /* locked out */
    CHECK(!lb_config_is_set(&config, LB_KEY_CONFIG_SIGNER));
    CHECK(set(LB_SOURCE_SIGNED, "config-signer", signer));
    CHECK(lb_config_is_set(&config, LB_KEY_CONFIG_SIGNER));
    CHECK(!set(LB_SOURCE_SIGNED, "config-signer", "04ee"));
}

static void beside_a_signed_source_only_signed_ones_widen_what_is_allowed(void) {
    begin();
    config.name[LB_SOURCE_VERIFIED] = "lunboot.conf";
    CHECK(set(LB_SOURCE_FIRMWARE, "trust-open-slp", "yes"));
    CHECK(set(LB_SOURCE_OPTION, "allow-initiator", "*"));
    CHECK(set(LB_SOURCE_OPTION, "mtu", "1400"));
    CHECK(!lb_config_bool(&config, LB_KEY_TRUST_OPEN_SLP));
    CHECK_STR(text_of(LB_KEY_ALLOW_INITIATOR), "");
    CHECK_EQ(lb_config_u32(&config, LB_KEY_MTU), 1400);
    CHECK(set(LB_SOURCE_VERIFIED, "trust-open-slp", "yes"));
    CHECK(lb_config_bool(&config, LB_KEY_TRUST_OPEN_SLP));
}

static void what_is_required_adds_up(void) {
    begin();
    CHECK(set(LB_SOURCE_FILE, "require", "chap"));
    CHECK(set(LB_SOURCE_SIGNED, "require", "mutual-chap,address"));
    CHECK(set(LB_SOURCE_PERSON, "require", "chap, data-digest"));
    CHECK_STR(text_of(LB_KEY_REQUIRE), "chap,mutual-chap,address,data-digest");
    CHECK_EQ(lb_config_source(&config, LB_KEY_REQUIRE), LB_SOURCE_SIGNED);
    CHECK(!set(LB_SOURCE_PERSON, "require", "nothing"));
    CHECK_STR(text_of(LB_KEY_REQUIRE), "chap,mutual-chap,address,data-digest");
    CHECK(set(LB_SOURCE_KERNEL, "require",
              "chap,mutual-chap,header-digest,data-digest,address,dhcp-auth,signed-config"));
    CHECK(lb_config_requires(&config, "signed-config"));
}

static void a_signed_file_that_is_required_must_be_there(void) {
    begin();
    CHECK(set(LB_SOURCE_SIGNED, "require", "signed-config"));
    error = (struct lb_error){.code = LB_OK};
    CHECK(!lb_config_check(&config, &error));
    CHECK_EQ(error.code, LB_E_CONFIG_SIGNATURE);
    CHECK_HAS(error.facts, "require (signed program): signed-config, and no signed lunboot.conf");
    config.name[LB_SOURCE_VERIFIED] = "lunboot.conf by TFTP";
    CHECK(lb_config_check(&config, &error));
}

int main(void) {
    TEST(a_signed_program_stands_above_a_signed_file_and_that_above_the_rest);
    TEST(a_lock_shuts_out_what_nobody_signed);
    TEST(a_lock_leaves_signed_files_and_how_it_was_started);
    TEST(what_is_unlocked_is_left_to_the_others);
    TEST(a_lock_of_the_kernel_line_shuts_out_what_is_below_it);
    TEST(no_file_says_whom_to_trust);
    TEST(beside_a_signed_source_only_signed_ones_widen_what_is_allowed);
    TEST(what_is_required_adds_up);
    TEST(a_signed_file_that_is_required_must_be_there);
    return tap_done();
}
