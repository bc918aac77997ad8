/* What the policy allows, without an engine: whoever logs in again after the boot asks these. */
#include "core/boot/boot_rules.h"
#include "tests/tap.h"

static struct lb_config config;

static void set(const char *key, const char *value) {
    struct lb_error error = {.code = LB_OK};
    CHECK(lb_config_set(&config, LB_SOURCE_FILE, lb_bytes_of_text(key), lb_bytes_of_text(value),
                        &error));
}

static struct lb_addr addr(const char *text) {
    struct lb_addr parsed = lb_addr_v4(0, 0, 0, 0);
    CHECK(lb_addr_parse(lb_bytes_of_text(text), &parsed));
    return parsed;
}

static bool redirect_to(const char *text) {
    struct lb_rules_portal portal = {
        .peer = {addr(text), 3260}, .was_redirected = true, .by_person = true};
    return lb_rules_portal(&config, &portal);
}

static void nobody_is_led_to_an_address_that_no_server_has(void) {
    static const char *const refused[] = {
        "127.0.0.1", "127.0.0.9", "0.0.0.0",          "224.0.0.1",         "255.255.255.255",
        "::1",       "::",        "::ffff:127.0.0.1", "::ffff:192.0.2.66", "ff02::1",
    };
    config = (struct lb_config){0};
    for (size_t i = 0; i < LB_COUNT(refused); i++) {
        if (!CHECK(!redirect_to(refused[i])))
            tap_note("%s", refused[i]);
    }
    CHECK(redirect_to("192.0.2.66"));
    CHECK(redirect_to("2001:db8::66"));
}

static void a_redirect_keeps_to_the_list(void) {
    config = (struct lb_config){0};
    set("allow-server", "192.0.2.1,198.51.100.0/24,2001:db8::/64,storage.test");
    CHECK(redirect_to("192.0.2.1"));
    CHECK(redirect_to("198.51.100.77"));
    CHECK(redirect_to("2001:db8::5"));
    CHECK(!redirect_to("192.0.2.2"));
    CHECK(!redirect_to("2001:db8:1::5"));
}

static void a_name_on_the_list_stands_for_what_it_resolves_to_but_for_no_redirect(void) {
    struct lb_rules_portal portal = {.peer = {addr("192.0.2.7"), 3260}, .name = "storage.test"};
    config = (struct lb_config){0};
    set("allow-server", "storage.test");
    CHECK(lb_rules_portal(&config, &portal));
    portal.was_redirected = true;
    CHECK(!lb_rules_portal(&config, &portal));
    portal.was_redirected = false;
    portal.name = "other.test";
    CHECK(!lb_rules_portal(&config, &portal));
}

static void a_person_may_name_this_machine_itself(void) {
    config = (struct lb_config){0};
    CHECK(lb_rules_server(&config, addr("127.0.0.1"), true));
    CHECK(!lb_rules_server(&config, addr("127.0.0.1"), false));
    CHECK(!lb_rules_server(&config, addr("224.0.0.1"), true));
    CHECK(!redirect_to("127.0.0.1"));
}

static void targets_keep_to_their_list(void) {
    config = (struct lb_config){0};
    CHECK(lb_rules_target(&config, "iqn.2026-11.test:disk1"));
    set("allow-target", "iqn.2026-11.test:disk*");
    CHECK(lb_rules_target(&config, "iqn.2026-11.test:disk1"));
    CHECK(!lb_rules_target(&config, "iqn.2026-11.evil:disk1"));
}

static void what_is_missing_of_the_protection_is_named(void) {
    struct lb_initiator_agreed agreed = {.chap = true, .header_digest = true};
    config = (struct lb_config){0};
    CHECK(lb_rules_unmet(&config, &agreed) == NULL);
    set("require", "chap,header-digest");
    CHECK(lb_rules_unmet(&config, &agreed) == NULL);
    set("require", "mutual-chap,data-digest");
    CHECK_STR(lb_rules_unmet(&config, &agreed), "mutual-chap");
    agreed.mutual = true;
    CHECK_STR(lb_rules_unmet(&config, &agreed), "data-digest");
    agreed.data_digest = true;
    CHECK(lb_rules_unmet(&config, &agreed) == NULL);
}

/* RFC 1034 3.1: a dot at the end is the root. */
static void a_host_of_the_list_is_compared_whole_and_without_case(void) {
    static const struct {
        const char *list, *name;
        bool is_allowed;
    } rows[] = {
        {"storage.test", "storage.test", true},
        {"storage.test", "STORAGE.Test", true},
        {"storage.test", "storage.test.", true},
        {"storage.test.", "storage.test", true},
        {"storage.test.", "storage.test.", true},
        {"storage.test", "storage.tesx", false},
        {"storage.test", "storage.tes", false},
        {"storage.test", "storage.test1", false},
        {"storage.test", "xtorage.test", false},
        {"storage.test", "", false},
        {"storage.test", ".", false},
        {"a.test,b.test", "a.test", true},
        {"a.test,b.test", "b.test", true},
        {"a.test,b.test", "c.test", false},
        {"192.0.2.1,storage.test", "192.0.2", false},
    };
    for (size_t i = 0; i < LB_COUNT(rows); i++) {
        config = (struct lb_config){0};
        set("allow-server", rows[i].list);
        if (!CHECK_EQ(lb_rules_host(&config, rows[i].name), rows[i].is_allowed))
            tap_note("%s of %s", rows[i].name, rows[i].list);
    }
}

int main(void) {
    TEST(nobody_is_led_to_an_address_that_no_server_has);
    TEST(a_redirect_keeps_to_the_list);
    TEST(a_name_on_the_list_stands_for_what_it_resolves_to_but_for_no_redirect);
    TEST(a_person_may_name_this_machine_itself);
    TEST(targets_keep_to_their_list);
    TEST(what_is_missing_of_the_protection_is_named);
    TEST(a_host_of_the_list_is_compared_whole_and_without_case);
    return tap_done();
}
