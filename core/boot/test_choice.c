/* Choosing what is booted, without an engine: configuration and answers in, a choice out. */
#include "core/boot/choice.h"
#include "tests/tap.h"

#define DISK  "iqn.2026-11.test:disk"
#define OTHER "iqn.2026-11.test:other"

static struct lb_config config;
static struct lb_boot_setup setup;
static struct lb_choice choice;
static struct lb_error error;

static void begin(void) {
    memset(&config, 0, sizeof config);
    memset(&choice, 0, sizeof choice);
    setup = (struct lb_boot_setup){.config = &config, .mac = {2, 0, 0, 0, 0, 1}, .uuid = {1}};
    error = (struct lb_error){.code = LB_OK};
}

static void set_by(enum lb_config_source source, const char *key, const char *value) {
    struct lb_error why = {.code = LB_OK};
    CHECK(lb_config_set(&config, source, lb_bytes_of_text(key), lb_bytes_of_text(value), &why));
}

static void set(const char *key, const char *value) {
    set_by(LB_SOURCE_OPTION, key, value);
}

static struct lb_boot_answer answer_with(const char *root_path) {
    return (struct lb_boot_answer){
        .family = LB_V4,
        .from = "DHCP server 192.0.2.2",
        .root_path = lb_bytes_of_text(root_path),
        .root_path_from = "DHCP server 192.0.2.3",
        .root_path_option = 17,
    };
}

static bool make(const char *root_path) {
    struct lb_plan plan = lb_plan_of(&setup);
    struct lb_boot_answer answer = answer_with(root_path);
    return lb_choice_make(&plan, &answer, &choice, &error);
}

/* ---- the target ----------------------------------------------------------------------------- */

static void the_networks_root_path_is_taken_with_its_giver(void) {
    begin();
    CHECK(make("iscsi:192.0.2.10::3261:1:" DISK));
    CHECK(choice.has_target && choice.from_network);
    CHECK_STR(choice.target.target, DISK);
    CHECK_EQ(choice.target.port, 3261);
    CHECK_STR(choice.source, "DHCP server 192.0.2.3");
    CHECK(lb_is_ok(&choice.unnamed));
}

static void a_persons_field_stands_above_the_networks(void) {
    begin();
    set("server", "192.0.2.99");
    CHECK(make("iscsi:192.0.2.10::::" DISK));
    CHECK(lb_addr_equal(choice.target.addr, lb_addr_v4(192, 0, 2, 99)));
    CHECK_STR(choice.target.target, DISK);
    CHECK(!choice.from_network);
}

static void a_persons_root_path_leaves_nothing_to_the_network(void) {
    begin();
    set("rootpath", "iscsi:192.0.2.20::::" OTHER);
    CHECK(make("iscsi:192.0.2.10::::" DISK));
    CHECK_STR(choice.target.target, OTHER);
    CHECK_STR(choice.source, "configuration");
    CHECK(!choice.from_network);
}

static void the_firmwares_disk_stands_and_no_person_named_its_server(void) {
    begin();
    set_by(LB_SOURCE_IBFT, "server", "192.0.2.20");
    set_by(LB_SOURCE_IBFT, "target", OTHER);
    CHECK(make("iscsi:192.0.2.10::::" DISK));
    CHECK_STR(choice.target.target, OTHER);
    CHECK(choice.has_target && choice.from_network);
}

static void the_same_answer_gives_the_same_choice_each_time(void) {
    begin();
    CHECK(make("iscsi:192.0.2.10::::" DISK));
    struct lb_choice first = choice;
    CHECK(make("iscsi:192.0.2.11::::" OTHER));
    CHECK(make("iscsi:192.0.2.10::::" DISK));
    CHECK_STR(choice.target.target, first.target.target);
    CHECK(lb_addr_equal(choice.target.addr, first.target.addr));
    CHECK_STR(choice.source, first.source);
}

/* ---- what is missing ------------------------------------------------------------------------ */

static void what_nobody_names_is_left_to_discovery(void) {
    begin();
    CHECK(make(""));
    CHECK(!choice.has_target);
    CHECK_EQ(choice.unnamed.code, LB_E_NO_ROOT_PATH);
    CHECK_HAS(choice.unnamed.facts, "192.0.2.2");
    CHECK(lb_is_ok(&error));
}

static void a_disk_of_dhcpv6_in_the_wrong_place_is_pointed_out(void) {
    begin();
    struct lb_plan plan = lb_plan_of(&setup);
    struct lb_boot_answer answer = {
        .family = LB_V6,
        .from = "DHCPv6 server fe80::1",
        .root_path_option = 59,
        .other_url = lb_bytes_of_text("tftp://[2001:db8::1]/boot.efi"),
        .elsewhere = "option 17 (of a vendor)",
        .elsewhere_text = "iscsi:::::" DISK,
    };
    CHECK(lb_choice_make(&plan, &answer, &choice, &error));
    CHECK_EQ(choice.unnamed.code, LB_E_NO_ROOT_PATH);
    CHECK_HAS(choice.unnamed.facts, "its option 59 is tftp://[2001:db8::1]/boot.efi");
    CHECK_HAS(choice.unnamed.facts, "option 17 (of a vendor) has one: put it into option 59");
}

static void where_routers_alone_answer_the_failure_of_dhcpv6_is_told(void) {
    begin();
    struct lb_plan plan = lb_plan_of(&setup);
    const struct lb_error failed = {.code = LB_E_DHCP6_REFUSED, .facts = "NoAddrsAvail none left"};
    struct lb_boot_answer answer = {.family = LB_V6, .from = "router fe80::1", .failed = &failed};
    CHECK(lb_choice_make(&plan, &answer, &choice, &error));
    CHECK_EQ(choice.unnamed.code, LB_E_NO_ROOT_PATH);
    CHECK_STR(choice.unnamed.facts,
              "from router fe80::1; DHCPv6: dhcp6-refused, NoAddrsAvail none left");
}

static void without_discovery_what_is_missing_is_the_error(void) {
    begin();
    set("discovery", "off");
    CHECK(!make(""));
    CHECK_EQ(error.code, LB_E_NO_ROOT_PATH);
}

static void a_target_without_its_server_is_named_in_the_error(void) {
    begin();
    set("discovery", "off");
    CHECK(!make("iscsi:::::" DISK));
    CHECK_EQ(error.code, LB_E_NO_SERVER);
    CHECK_HAS(error.facts, DISK);
    CHECK_HAS(error.facts, "192.0.2.3");
}

static void a_malformed_root_path_is_an_error_with_its_giver(void) {
    begin();
    CHECK(!make("iscsi:192.0.2.10:17:::" DISK));
    CHECK_EQ(error.code, LB_E_ROOTPATH_PROTOCOL);
    CHECK_HAS(error.facts, "from DHCP server 192.0.2.3");
}

static void a_key_that_is_no_value_is_named(void) {
    begin();
    struct lb_plan plan = lb_plan_of(&setup);
    set("other-rootpaths", "iscsi:192.0.2.10::::" DISK " iscsi:::::" OTHER);
    CHECK(!lb_choice_of_config(&plan, &choice, &error));
    CHECK_EQ(error.code, LB_E_NO_SERVER);
    CHECK_HAS(error.facts, "other-rootpaths: target " OTHER);
}

/* 80 bytes of a value are enough to know it by. */
static void of_a_long_value_that_is_wrong_the_beginning_is_shown(void) {
    static const char *const keys[] = {"server", "lun-holds"};
    for (size_t i = 0; i < LB_COUNT(keys); i++) {
        for (size_t len = 80; len <= 81; len++) {
            char value[90] = "", shown[90];
            memset(value, '!', len);
            memcpy(shown, value, 80);
            lb_text_copy(shown + 80, 10, lb_bytes_of_text(len > 80 ? "..." : ""));
            begin();
            struct lb_plan plan = lb_plan_of(&setup);
            set("server", "192.0.2.10");
            set("target", DISK);
            set("lun", "any");
            set(keys[i], value);
            CHECK(!lb_choice_of_config(&plan, &choice, &error));
            CHECK_EQ(error.code, LB_E_CONFIG_VALUE);
            CHECK_HAS(error.facts, shown);
        }
    }
}

static void targets_are_listed_where_the_server_alone_is_known(void) {
    begin();
    set("server", "192.0.2.10");
    struct lb_plan plan = lb_plan_of(&setup);
    CHECK(lb_choice_of_config(&plan, &choice, &error));
    CHECK(lb_choice_may_list(&plan, &choice.target));
    set("target", DISK);
    CHECK(lb_choice_of_config(&plan, &choice, &error));
    CHECK(!lb_choice_may_list(&plan, &choice.target));
}

static void a_dry_run_without_a_network_searches_for_nothing(void) {
    begin();
    setup.goal = LB_GOAL_PROBE;
    struct lb_plan plan = lb_plan_of(&setup);
    CHECK(!lb_choice_may_search(&plan, &choice.target));
    setup.network_is_up = true;
    plan = lb_plan_of(&setup);
    CHECK(lb_choice_may_search(&plan, &choice.target));
}

/* ---- our own name --------------------------------------------------------------------------- */

static struct lb_own_name name_by(const char *option203) {
    struct lb_plan plan = lb_plan_of(&setup);
    struct lb_boot_answer answer = answer_with("");
    struct lb_own_name own;
    answer.initiator = option203;
    CHECK(lb_choice_own_name(&plan, &answer, &own, &error));
    return own;
}

static void a_configured_name_stands_above_the_networks(void) {
    begin();
    set("initiator", "iqn.2026-11.test:me");
    struct lb_own_name own = name_by("iqn.2026-11.test:given");
    CHECK_STR(own.name, "iqn.2026-11.test:me");
    CHECK(own.unused == NULL);
}

static void the_networks_name_is_borrowed(void) {
    begin();
    struct lb_own_name own = name_by("iqn.2026-11.test:given");
    CHECK_STR(own.name, "iqn.2026-11.test:given");
    CHECK_STR(own.source, "DHCP option 203");
}

static void a_name_that_may_not_be_borrowed_is_told_and_replaced(void) {
    begin();
    set("allow-initiator", "iqn.2026-11.test:me");
    struct lb_own_name own = name_by("iqn.2026-11.test:given");
    CHECK_HAS(own.unused, "allow-initiator");
    CHECK_STR(own.source, "made from the machine's identity");
    own = name_by("a b");
    CHECK_HAS(own.unused, "accept-names");
}

static void a_wrong_configured_name_is_an_error(void) {
    begin();
    set("accept-names", "rfc");
    set("initiator", "disk 1");
    struct lb_plan plan = lb_plan_of(&setup);
    struct lb_own_name own;
    CHECK(!lb_choice_own_name(&plan, NULL, &own, &error));
    CHECK_EQ(error.code, LB_E_NAME_INVALID);
}

/* ---- the plan ------------------------------------------------------------------------------- */

static void discovery_is_a_list_and_an_order(void) {
    begin();
    struct lb_plan plan = lb_plan_of(&setup);
    CHECK(plan.services[LB_BY_SLP].is_on && !plan.services[LB_BY_SLP].is_chosen);
    set("discovery", "isns,slp");
    plan = lb_plan_of(&setup);
    CHECK(plan.services[LB_BY_ISNS].is_chosen && plan.services[LB_BY_SLP].is_chosen);
    CHECK(plan.services[LB_BY_ISNS].before < plan.services[LB_BY_SLP].before);
    CHECK(!plan.services[LB_BY_SENDTARGETS].is_on);
    set("discovery", "off");
    plan = lb_plan_of(&setup);
    CHECK(!plan.services[LB_BY_SLP].is_on && !plan.services[LB_BY_ISNS].is_on);
}

static void a_configured_address_says_which_family_is_used(void) {
    begin();
    setup.has_ipv6 = true;
    struct lb_plan plan = lb_plan_of(&setup);
    CHECK(lb_plan_asks(&plan, LB_V4) && lb_plan_asks(&plan, LB_V6));
    set("address", "2001:db8::5/64");
    plan = lb_plan_of(&setup);
    CHECK(!lb_plan_asks(&plan, LB_V4) && lb_plan_asks(&plan, LB_V6));
    CHECK(lb_plan_is_static(&plan, LB_V6) && !lb_plan_is_static(&plan, LB_V4));
    setup.goal = LB_GOAL_PROBE; /* which takes nothing */
    plan = lb_plan_of(&setup);
    CHECK(plan.is_dry && !lb_plan_is_static(&plan, LB_V6) && lb_plan_asks(&plan, LB_V4));
}

static void ipv6_is_not_asked_for_on_a_host_without_it(void) {
    begin();
    set("family", "6");
    struct lb_plan plan = lb_plan_of(&setup);
    CHECK(!lb_plan_asks(&plan, LB_V4) && !lb_plan_asks(&plan, LB_V6));
}

static void a_family_of_targets_names_none(void) {
    begin();
    set("allow-target", "iqn.2026-11.test:*");
    struct lb_plan plan = lb_plan_of(&setup);
    CHECK(!plan.names_any_target && !lb_plan_names_target(&plan, DISK));
    set("allow-target", "iqn.2026-11.test:*," DISK);
    plan = lb_plan_of(&setup);
    CHECK(lb_plan_names_target(&plan, DISK) && !lb_plan_names_target(&plan, OTHER));
}

static void another_root_path_without_a_lun_has_that_of_the_configuration(void) {
    static const struct {
        const char *lun, *string;
        enum lb_lun_choice is;
    } rows[] = {
        {"any", "iscsi:192.0.2.7::::" DISK, LB_LUN_ANY},
        {"first", "iscsi:192.0.2.7::::" DISK, LB_LUN_FIRST},
        {"3", "iscsi:192.0.2.7::::" DISK, LB_LUN_AS_GIVEN},
        {"any", "iscsi:192.0.2.7:::3:" DISK, LB_LUN_AS_GIVEN},
        {"first", "iscsi:192.0.2.7:::3:" DISK, LB_LUN_AS_GIVEN},
        {"any", "iscsi:192.0.2.7:::0:" DISK, LB_LUN_AS_GIVEN},
    };
    for (size_t i = 0; i < LB_COUNT(rows); i++) {
        struct lb_rootpath target;
        begin();
        set("lun", rows[i].lun);
        struct lb_plan plan = lb_plan_of(&setup);
        CHECK(lb_choice_parse_other(&plan, lb_bytes_of_text(rows[i].string), &target, &error));
        CHECK_EQ(target.lun_choice, rows[i].is);
    }
}

int main(void) {
    TEST(the_networks_root_path_is_taken_with_its_giver);
    TEST(a_persons_field_stands_above_the_networks);
    TEST(a_persons_root_path_leaves_nothing_to_the_network);
    TEST(the_firmwares_disk_stands_and_no_person_named_its_server);
    TEST(the_same_answer_gives_the_same_choice_each_time);
    TEST(what_nobody_names_is_left_to_discovery);
    TEST(a_disk_of_dhcpv6_in_the_wrong_place_is_pointed_out);
    TEST(where_routers_alone_answer_the_failure_of_dhcpv6_is_told);
    TEST(without_discovery_what_is_missing_is_the_error);
    TEST(a_target_without_its_server_is_named_in_the_error);
    TEST(a_malformed_root_path_is_an_error_with_its_giver);
    TEST(a_key_that_is_no_value_is_named);
    TEST(of_a_long_value_that_is_wrong_the_beginning_is_shown);
    TEST(targets_are_listed_where_the_server_alone_is_known);
    TEST(a_dry_run_without_a_network_searches_for_nothing);
    TEST(a_configured_name_stands_above_the_networks);
    TEST(the_networks_name_is_borrowed);
    TEST(a_name_that_may_not_be_borrowed_is_told_and_replaced);
    TEST(a_wrong_configured_name_is_an_error);
    TEST(discovery_is_a_list_and_an_order);
    TEST(a_configured_address_says_which_family_is_used);
    TEST(ipv6_is_not_asked_for_on_a_host_without_it);
    TEST(a_family_of_targets_names_none);
    TEST(another_root_path_without_a_lun_has_that_of_the_configuration);
    return tap_done();
}
