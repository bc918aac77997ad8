/* What the policy lets a boot do, without an engine. */
#include "core/boot/policy.h"
#include "tests/tap.h"

#define TARGET "iqn.2026-11.test:disk"

static struct lb_config config;
static struct lb_plan plan;
static struct lb_choice choice;
static struct lb_error error;

static void set_from(enum lb_config_source source, const char *key, const char *value) {
    error = (struct lb_error){.code = LB_OK};
    CHECK(lb_config_set(&config, source, lb_bytes_of_text(key), lb_bytes_of_text(value), &error));
    struct lb_boot_setup setup = {.config = &config};
    plan = lb_plan_of(&setup);
}

static void set(const char *key, const char *value) {
    set_from(LB_SOURCE_OPTION, key, value);
}

static void begin(void) {
    struct lb_boot_setup setup = {.config = &config};
    memset(&config, 0, sizeof config);
    plan = lb_plan_of(&setup);
    choice = (struct lb_choice){.target = {.host = LB_HOST_ADDR}, .source = "a test"};
    lb_text_copy(choice.target.target, sizeof choice.target.target, lb_bytes_of_text(TARGET));
    error = (struct lb_error){.code = LB_OK};
}

static struct lb_policy_session session(bool was_redirected) {
    return (struct lb_policy_session){.choice = &choice, .was_redirected = was_redirected};
}

static struct lb_endpoint peer(uint8_t last) {
    return (struct lb_endpoint){lb_addr_v4(192, 0, 2, last), 3260};
}

static void a_disk_is_booted_only_where_it_is_enabled(void) {
    begin();
    CHECK(!lb_policy_enabled(&plan, &error));
    CHECK_EQ(error.code, LB_E_NOT_ENABLED);
    CHECK_STR(error.facts, "enable is not set");
    set("enable", "yes");
    CHECK(lb_policy_enabled(&plan, &error));
    begin();
    plan.goal = LB_GOAL_PROBE;
    CHECK(lb_policy_enabled(&plan, &error));
}

static void a_candidate_off_the_lists_is_refused_with_who_named_it(void) {
    struct lb_candidate candidate = {
        .service = LB_BY_ISNS, .source = "iSNS server 192.0.2.9", .at = {.host = LB_HOST_ADDR}};
    begin();
    candidate.at = choice.target;
    candidate.at.addr = lb_addr_v4(192, 0, 2, 1);
    CHECK(lb_policy_candidate(&plan, &candidate, "", false, &error));
    set("allow-server", "198.51.100.0/24");
    CHECK(!lb_policy_candidate(&plan, &candidate, "", false, &error));
    CHECK_EQ(error.code, LB_E_SERVER_NOT_ALLOWED);
    CHECK_STR(error.facts, "192.0.2.1:3260 for " TARGET ", named by iSNS server 192.0.2.9");
    set("allow-target", "iqn.2026-11.test:other");
    CHECK(!lb_policy_candidate(&plan, &candidate, "", false, &error));
    CHECK_EQ(error.code, LB_E_TARGET_NOT_ALLOWED);
}

static void only_a_person_may_name_a_server_by_its_name_where_an_address_is_required(void) {
    struct lb_candidate candidate = {.service = LB_BY_SLP, .source = "a test"};
    begin();
    candidate.at = choice.target;
    candidate.at.host = LB_HOST_NAME;
    set("require", "address");
    CHECK(lb_policy_candidate(&plan, &candidate, "", true, &error));
    CHECK(!lb_policy_candidate(&plan, &candidate, "", false, &error));
    CHECK_EQ(error.code, LB_E_NAME_NOT_ALLOWED);
}

static void a_listed_name_stands_for_its_addresses_and_not_for_a_redirect(void) {
    begin();
    set("allow-server", "san.example");
    choice.target.host = LB_HOST_NAME;
    lb_text_copy(choice.target.name, sizeof choice.target.name, lb_bytes_of_text("san.example"));
    struct lb_policy_session straight = session(false), redirected = session(true);
    CHECK(lb_policy_portal(&plan, &straight, peer(1), &error));
    CHECK(lb_policy_address(&plan, &straight, peer(1).addr, &error));
    CHECK(!lb_policy_portal(&plan, &redirected, peer(1), &error));
    CHECK_EQ(error.code, LB_E_SERVER_NOT_ALLOWED);
    CHECK_STR(error.facts, "192.0.2.1:3260 for " TARGET ", named by a test");
}

static void an_address_is_dns_word_alone_where_the_network_gave_the_name(void) {
    begin();
    struct lb_policy_session straight = session(false), redirected = session(true);
    choice.from_network = true;
    CHECK(!lb_policy_is_of_dns(&straight)); /* an address was given */
    choice.target.host = LB_HOST_NAME;
    CHECK(lb_policy_is_of_dns(&straight));
    CHECK(!lb_policy_is_of_dns(&redirected));
    choice.from_network = false;
    CHECK(!lb_policy_is_of_dns(&straight));
}

static void a_redirect_to_a_name_needs_that_no_address_is_required(void) {
    begin();
    struct lb_policy_session straight = session(false), redirected = session(true);
    CHECK(lb_policy_redirect_name(&plan, &redirected, "other.example", &error));
    set("require", "address");
    CHECK(lb_policy_redirect_name(&plan, &straight, "san.example", &error));
    CHECK(!lb_policy_redirect_name(&plan, &redirected, "other.example", &error));
    CHECK_STR(error.facts, "other.example for " TARGET ", where a redirect leads");
}

static void the_firmwares_table_asks_for_chap_of_its_own_target_alone(void) {
    begin();
    lb_text_copy(config.table.target, sizeof config.table.target, lb_bytes_of_text(TARGET));
    config.table.chap = true;
    CHECK(lb_policy_requires_chap(&plan, TARGET, false));
    CHECK(!lb_policy_requires_chap(&plan, TARGET, true));
    CHECK(!lb_policy_requires_chap(&plan, "iqn.2026-11.test:other", false));
    set_from(LB_SOURCE_IBFT, "chap-name", "me");
    CHECK(lb_policy_has_chap(&plan, TARGET, LB_KEY_CHAP_NAME));
    CHECK(!lb_policy_has_chap(&plan, "iqn.2026-11.test:other", LB_KEY_CHAP_NAME));
    set("chap-name", "me"); /* of a person: for any target */
    CHECK(lb_policy_has_chap(&plan, "iqn.2026-11.test:other", LB_KEY_CHAP_NAME));
}

static void what_a_session_lacks_is_named(void) {
    struct lb_initiator_agreed agreed = {.chap = true};
    begin();
    CHECK(lb_policy_unmet(&plan, TARGET, &agreed, true) == NULL);
    CHECK_STR(lb_policy_unmet(&plan, TARGET, &agreed, false), "ipsec");
    set("require", "mutual-chap,data-digest");
    CHECK_STR(lb_policy_unmet(&plan, TARGET, &agreed, true), "mutual-chap");
    agreed.mutual = true;
    CHECK_STR(lb_policy_unmet(&plan, TARGET, &agreed, true), "data-digest");
    agreed.data_digest = true;
    CHECK(lb_policy_unmet(&plan, TARGET, &agreed, true) == NULL);
    agreed.mutual = false;
    begin();
    lb_text_copy(config.table.target, sizeof config.table.target, lb_bytes_of_text(TARGET));
    config.table.mutual = true;
    CHECK_STR(lb_policy_unmet(&plan, TARGET, &agreed, true), "mutual-chap");
}

static void a_short_secret_is_used_and_pointed_out_and_one_for_both_ways_is_not(void) {
    bool is_short = true;
    begin();
    CHECK(lb_policy_secrets(&plan, &is_short, &error));
    CHECK(!is_short);
    set("chap-name", "me");
    set("chap-secret", "short");
    CHECK(lb_policy_secrets(&plan, &is_short, &error));
    CHECK(is_short);
    set("chap-secret", "twelve bytes at least");
    set("chap-target-name", "it");
    set("chap-target-secret", "twelve bytes at least");
    CHECK(!lb_policy_secrets(&plan, &is_short, &error));
    CHECK(!is_short);
    CHECK_EQ(error.code, LB_E_CONFIG_VALUE);
}

/* Of a long name of a file there is room for 159 bytes, with the key. */
static void who_disabled_it_is_named_as_far_as_there_is_room(void) {
    static const char head[] = "enable (";
    char name[200], wanted[200];
    begin();
    set("enable", "no");
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = 0;
    config.name[LB_SOURCE_OPTION] = name;
    CHECK(!lb_policy_enabled(&plan, &error));
    lb_format(wanted, sizeof wanted, "%s%.*s is no", head, (int)(159 - (sizeof head - 1)), name);
    CHECK_STR(error.facts, wanted);
    config.name[LB_SOURCE_OPTION] = NULL;
}

int main(void) {
    TEST(a_disk_is_booted_only_where_it_is_enabled);
    TEST(a_candidate_off_the_lists_is_refused_with_who_named_it);
    TEST(only_a_person_may_name_a_server_by_its_name_where_an_address_is_required);
    TEST(a_listed_name_stands_for_its_addresses_and_not_for_a_redirect);
    TEST(an_address_is_dns_word_alone_where_the_network_gave_the_name);
    TEST(a_redirect_to_a_name_needs_that_no_address_is_required);
    TEST(the_firmwares_table_asks_for_chap_of_its_own_target_alone);
    TEST(what_a_session_lacks_is_named);
    TEST(a_short_secret_is_used_and_pointed_out_and_one_for_both_ways_is_not);
    TEST(who_disabled_it_is_named_as_far_as_there_is_room);
    return tap_done();
}
