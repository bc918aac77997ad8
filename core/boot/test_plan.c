/* The plan: what it reads from the configuration and the setup, without an engine. */
#include "core/boot/plan.h"
#include "tests/tap.h"

static struct lb_config config;
static struct lb_boot_setup setup;

static void begin(void) {
    config = (struct lb_config){0};
    setup = (struct lb_boot_setup){.config = &config, .goal = LB_GOAL_DISK};
}

static void set(const char *key, const char *value) {
    struct lb_error why = {.code = LB_OK};
    CHECK(lb_config_set(&config, LB_SOURCE_OPTION, lb_bytes_of_text(key), lb_bytes_of_text(value),
                        &why));
}

/* ---- client-arch ---------------------------------------------------------------------------- */

/* The architecture that is sent; -1: none. */
static int arch(void) {
    struct lb_plan plan = lb_plan_of(&setup);
    return plan.has_arch ? plan.arch : -1;
}

static void a_host_without_an_architecture_sends_none(void) {
    begin();
    CHECK_EQ(arch(), -1);
    set("client-arch", "auto");
    CHECK_EQ(arch(), -1);
}

static void a_host_that_has_one_sends_it_unless_a_person_says_otherwise(void) {
    static const struct {
        const char *value;
        int arch;
    } cases[] = {{"auto", 11}, {"none", -1}, {"", -1}, {"0", 0}, {"7", 7}, {"65535", 65535}};
    begin();
    setup.has_arch = true;
    setup.arch = 11;
    CHECK_EQ(arch(), 11);
    for (size_t i = 0; i < LB_COUNT(cases); i++) {
        set("client-arch", cases[i].value);
        CHECK_EQ(arch(), cases[i].arch);
    }
}

/* ---- families ------------------------------------------------------------------------------- */

static unsigned asked(void) {
    struct lb_plan plan = lb_plan_of(&setup);
    return (lb_plan_asks(&plan, LB_V4) ? 4 : 0) + (lb_plan_asks(&plan, LB_V6) ? 6 : 0);
}

static void ipv6_is_asked_for_where_the_host_can(void) {
    begin();
    CHECK_EQ(asked(), 4);
    setup.has_ipv6 = true;
    CHECK_EQ(asked(), 4 + 6);
    set("family", "4");
    CHECK_EQ(asked(), 4);
    set("family", "6");
    CHECK_EQ(asked(), 6);
}

static void a_configured_address_is_of_its_own_family_alone(void) {
    begin();
    setup.has_ipv6 = true;
    set("address", "192.0.2.7/24");
    struct lb_plan plan = lb_plan_of(&setup);
    CHECK(lb_plan_is_static(&plan, LB_V4) && !lb_plan_is_static(&plan, LB_V6));
    set("address", "2001:db8::7/64");
    plan = lb_plan_of(&setup);
    CHECK(!lb_plan_is_static(&plan, LB_V4) && lb_plan_is_static(&plan, LB_V6));
}

static void a_dry_run_takes_no_configured_address(void) {
    begin();
    setup.goal = LB_GOAL_PROBE;
    set("address", "192.0.2.7/24");
    struct lb_plan plan = lb_plan_of(&setup);
    CHECK(plan.is_dry);
    CHECK(!lb_plan_is_static(&plan, LB_V4));
}

/* ---- targets -------------------------------------------------------------------------------- */

static void a_target_is_named_by_its_name_alone(void) {
    begin();
    set("allow-target", "iqn.2026-11.test:a,iqn.2026-11.test:b*");
    struct lb_plan plan = lb_plan_of(&setup);
    CHECK(plan.names_any_target);
    CHECK(lb_plan_names_target(&plan, "iqn.2026-11.test:a"));
    CHECK(!lb_plan_names_target(&plan, "iqn.2026-11.test:b")); /* one of a family */
    CHECK(!lb_plan_names_target(&plan, "iqn.2026-11.test:c"));
    set("allow-target", "iqn.2026-11.test:b*");
    plan = lb_plan_of(&setup);
    CHECK(!plan.names_any_target);
}

int main(void) {
    TEST(a_host_without_an_architecture_sends_none);
    TEST(a_host_that_has_one_sends_it_unless_a_person_says_otherwise);
    TEST(ipv6_is_asked_for_where_the_host_can);
    TEST(a_configured_address_is_of_its_own_family_alone);
    TEST(a_dry_run_takes_no_configured_address);
    TEST(a_target_is_named_by_its_name_alone);
    return tap_done();
}
