/* How a session logs in, without an engine. */
#include "core/boot/login.h"
#include "tests/tap.h"

#define ME   "iqn.2026-11.test:me"
#define DISK "iqn.2026-11.test:disk"

static struct lb_config config;
static struct lb_boot_setup setup;
static struct lb_choice choice;
static struct lb_initiator_config made;
static struct lb_error error;

static void set_from(enum lb_config_source source, const char *key, const char *value) {
    struct lb_error why = {.code = LB_OK};
    CHECK(lb_config_set(&config, source, lb_bytes_of_text(key), lb_bytes_of_text(value), &why));
}

static void set(const char *key, const char *value) {
    set_from(LB_SOURCE_OPTION, key, value);
}

static void begin(void) {
    memset(&config, 0, sizeof config);
    setup = (struct lb_boot_setup){.config = &config, .mac = {2, 0, 0, 0x11, 0x22, 0x33}};
    choice = (struct lb_choice){
        .target = {.host = LB_HOST_ADDR, .addr = lb_addr_v4(192, 0, 2, 1), .port = 860}};
    lb_text_copy(choice.target.target, sizeof choice.target.target, lb_bytes_of_text(DISK));
    error = (struct lb_error){.code = LB_OK};
}

static bool make(void) {
    struct lb_plan plan = lb_plan_of(&setup);
    return lb_login_config(&plan, &choice, ME, &made, &error);
}

static void it_goes_to_what_is_chosen_as_who_we_are(void) {
    begin();
    CHECK(make());
    CHECK_STR(lb_endpoint_text(made.portal).s, "192.0.2.1:860");
    CHECK_STR(made.host, "");
    CHECK_STR(made.initiator, ME);
    CHECK_STR(made.target, DISK);
    CHECK(made.recover);
    choice.target.host = LB_HOST_NAME;
    choice.target.port = 0;
    lb_text_copy(choice.target.name, sizeof choice.target.name, lb_bytes_of_text("san.example"));
    CHECK(make());
    CHECK_STR(made.host, "san.example");
    CHECK_EQ(made.portal.port, 3260);
}

static void the_isid_is_the_machines_and_another_one_beside_its_root_disk(void) {
    static const uint8_t fresh[6] = {0x80, 0x11, 0x22, 0x33, 0, 0};
    static const uint8_t up[6] = {0x80, 0x11, 0x22, 0x33, 0, 1};
    static const uint8_t given[6] = {0x00, 0x02, 0x3d, 0, 0, 7};
    begin();
    CHECK(make());
    CHECK_BYTES(lb_bytes(made.isid, 6), lb_bytes(fresh, 6));
    setup.network_is_up = true;
    CHECK(make());
    CHECK_BYTES(lb_bytes(made.isid, 6), lb_bytes(up, 6));
    set("isid", "00023d000007");
    CHECK(make());
    CHECK_BYTES(lb_bytes(made.isid, 6), lb_bytes(given, 6));
}

static void a_digest_that_is_required_is_wanted_whatever_else_is_said(void) {
    begin();
    set("header-digest", "prefer");
    set("data-digest", "none");
    CHECK(make());
    CHECK_EQ(made.header_digest, LB_DIGEST_PREFER);
    CHECK_EQ(made.data_digest, LB_DIGEST_NONE);
    set("require", "data-digest");
    CHECK(make());
    CHECK_EQ(made.data_digest, LB_DIGEST_CRC32C);
}

static void secrets_go_to_any_target_or_to_the_tables_alone(void) {
    begin();
    set("chap-name", "me");
    set("chap-secret", "twelve bytes at least");
    set("require", "chap");
    CHECK(make());
    CHECK_STR(made.chap_name, "me");
    CHECK_BYTES(lb_bytes(made.chap_secret, made.chap_secret_len),
                lb_bytes_of_text("twelve bytes at least"));
    CHECK(made.require_chap && !made.require_mutual);
    begin();
    set_from(LB_SOURCE_IBFT, "chap-name", "me");
    set_from(LB_SOURCE_IBFT, "chap-secret", "twelve bytes at least");
    lb_text_copy(config.table.target, sizeof config.table.target,
                 lb_bytes_of_text("iqn.2026-11.test:other"));
    CHECK(make());
    CHECK_STR(made.chap_name, "");
    CHECK_EQ(made.chap_secret_len, 0);
}

static void one_who_must_prove_itself_must_be_logged_in_to_by_chap(void) {
    begin();
    set("require", "mutual-chap");
    CHECK(make());
    CHECK(made.require_mutual && made.require_chap);
}

int main(void) {
    TEST(it_goes_to_what_is_chosen_as_who_we_are);
    TEST(the_isid_is_the_machines_and_another_one_beside_its_root_disk);
    TEST(a_digest_that_is_required_is_wanted_whatever_else_is_said);
    TEST(secrets_go_to_any_target_or_to_the_tables_alone);
    TEST(one_who_must_prove_itself_must_be_logged_in_to_by_chap);
    return tap_done();
}
