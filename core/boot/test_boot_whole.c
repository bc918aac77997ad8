/* Whole boots: all that is traced and reported, with its times, is what it was. So a step, a reason
 * or a deadline that changes is seen, also where no test asks for it by name. Where the change is
 * meant: read the difference, then
 *
 *     build/tests/test_boot_whole --renew >core/boot/test_boot_whole.txt
 *
 * The file is included as C. */
#include "core/boot/test_boot_host.h"
#include <stdio.h>
#include <stdlib.h>

static const char *const was[] = {
#include "core/boot/test_boot_whole.txt"
};

static size_t at; /* of the next line of was */
static bool renews;

static void line(const char *text) {
    if (renews) {
        printf("    \"");
        for (; *text != '\0'; text++)
            printf(*text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
        printf("\",\n");
        return;
    }
    if (!CHECK(at < LB_COUNT(was)))
        return;
    CHECK_STR(text, was[at]);
    at++;
}

static void lines(char *text) {
    for (char *end; text[0] != '\0'; text = end) {
        for (end = text; *end != '\0' && *end != '\n'; end++)
            ;
        if (*end == '\n')
            *end++ = '\0';
        line(text);
    }
}

/* The lines of a boot that fails the test are found by its name. */
static void begin(const char *name) {
    char head[100];
    lb_format(head, sizeof head, "== %s", name);
    while (!renews && at < LB_COUNT(was) && !lb_streq(was[at], head))
        at++;
    line(head);
    host_init();
    host.dhcp_us[0] = 12345;
    host.dhcp_us[1] = 45678;
    host_set("attempts", "2");
}

/* What the waterfall and the facts do not show: when. */
static void times(const struct lb_report *report) {
    char room[2000];
    struct lb_text text = lb_text(room, sizeof room);
    lb_text_add(&text, "steps");
    for (size_t i = 0; i < report->step_count; i++)
        lb_text_add(&text, " %llu-%llu",
                    (unsigned long long)(report->steps[i].start_us - report->start_us),
                    (unsigned long long)(report->steps[i].end_us - report->start_us));
    lb_text_add(&text, "\nfacts");
    for (size_t i = 0; i < report->fact_count; i++)
        lb_text_add(&text, " %llu",
                    (unsigned long long)(report->facts[i].at_us - report->start_us));
    CHECK(!text.cut);
    lines(room);
}

static void show(void) {
    static char room[1 << 16];
    char traced[LB_TRACE_LINE_MAX];
    struct lb_text text = lb_text(room, sizeof room);
    lb_trace_rewind(lb_boot_trace(&host.boot));
    while (lb_trace_next(lb_boot_trace(&host.boot), traced))
        line(traced);
    lb_report_waterfall(lb_boot_report(&host.boot), &text, 100, false);
    lb_report_facts(lb_boot_report(&host.boot), &text);
    CHECK(!text.cut);
    lines(room);
    times(lb_boot_report(&host.boot));
    if (!lb_is_ok(host_error())) {
        line(lb_code_word(host_error()->code));
        line(host_error()->facts);
    }
}

/* Boots; a minute with the disk; the end. */
static void run(void) {
    host_begin();
    if (host_until(LB_BOOT_READY)) {
        host_pass(60 * SEC);
        lb_boot_stop(&host.boot, host.now, true);
        (void)host_until(LB_BOOT_OUT);
    }
    show();
}

/* ---- the boots ------------------------------------------------------------------------------ */

static void by_root_path(void) {
    begin("by_root_path");
    run();
}

static void by_a_name(void) {
    begin("by_a_name");
    host_offers("iscsi:storage.example.com:::1:" HOST_TARGET);
    run();
}

static void by_a_name_that_nobody_knows(void) {
    begin("by_a_name_that_nobody_knows");
    host_offers("iscsi:storage.example.com:::1:" HOST_TARGET);
    host.resolved_count = 0;
    run();
}

static void by_configuration(void) {
    begin("by_configuration");
    host_set("address", "192.0.2.77/24");
    host_set("gateway", "192.0.2.254");
    host_set("rootpath", HOST_ROOT_PATH);
    run();
}

static void without_a_link(void) {
    begin("without_a_link");
    host.has_link = false;
    run();
}

static void without_dhcp(void) {
    begin("without_dhcp");
    host_dhcp_is_silent();
    run();
}

static void with_two_dhcp_servers(void) {
    begin("with_two_dhcp_servers");
    host_offers("");
    host_dhcp(1, host_dhcp_config(3, HOST_ROOT_PATH));
    run();
}

static void with_a_nak_and_a_taken_address(void) {
    begin("with_a_nak_and_a_taken_address");
    host.dhcp_naks = true;
    host.conflicts = 1;
    host_dhcp(1, host_dhcp_config(3, HOST_ROOT_PATH));
    run();
}

static void without_a_root_path(void) {
    begin("without_a_root_path");
    host_offers("");
    run();
}

static void with_a_broken_root_path(void) {
    begin("with_a_broken_root_path");
    host_offers("iscsi:192.0.2.1:::0x1:" HOST_TARGET);
    run();
}

static void against_the_policy(void) {
    begin("against_the_policy");
    host_set("allow-target", "iqn.2026-11.test:other");
    run();
}

static void by_ipv6(void) {
    begin("by_ipv6");
    host_ipv6();
    host.ra.managed = true;
    host_offers("");
    host_offers6(HOST_ROOT_PATH6);
    host_portal(1, v6("2001:db8::1"), 3260);
    run();
}

static void by_ipv4_beside_routers(void) {
    begin("by_ipv4_beside_routers");
    host_ipv6();
    run();
}

static void by_both(void) {
    begin("by_both");
    host_ipv6();
    host.ra.other = true;
    host_offers6(HOST_ROOT_PATH6);
    host.portals[0].answer = REFUSES;
    host_portal(1, v6("2001:db8::1"), 3260);
    run();
}

static void by_discovery_that_is_silent(void) {
    begin("by_discovery_that_is_silent");
    host_offers("");
    host_set("discovery", "isns,slp");
    host_set("isns-server", "192.0.2.20");
    run();
}

static void refused(void) {
    begin("refused");
    host.portals[0].answer = REFUSES;
    run();
}

static void silent(void) {
    begin("silent");
    host.portals[0].answer = IS_SILENT;
    run();
}

static void without_its_lun(void) {
    begin("without_its_lun");
    host.portals[0].node.luns[1] = NULL;
    run();
}

static void not_ready_for_long(void) {
    begin("not_ready_for_long");
    host.portals[0].units[1].state = LB_SCSI_UNIT_BECOMING_READY;
    host_set("ready-timeout", "2s");
    run();
}

static void without_a_secret(void) {
    static const struct lb_target_account account = {.name = "me", .secret_len = 3};
    begin("without_a_secret");
    host.portals[0].node.accounts = &account;
    host.portals[0].node.account_count = 1;
    run();
}

static void redirected_in_a_loop(void) {
    begin("redirected_in_a_loop");
    host.portals[0].node.login_status = LB_LOGIN_MOVED_TEMPORARILY;
    lb_format(host.portals[0].node.redirect, sizeof host.portals[0].node.redirect,
              "192.0.2.1:3260");
    run();
}

static void cut_and_recovered(void) {
    begin("cut_and_recovered");
    host_begin();
    if (host_until(LB_BOOT_READY)) {
        host_pass(10 * SEC);
        host_cut();
        host_pass(60 * SEC);
        lb_boot_stop(&host.boot, host.now, false);
        (void)host_until(LB_BOOT_OUT);
    }
    show();
}

static void cut_for_good(void) {
    begin("cut_for_good");
    host_set("recovery-time", "20s");
    host_begin();
    if (host_until(LB_BOOT_READY)) {
        host.portals[0].answer = REFUSES;
        host_cut();
        (void)host_until(LB_BOOT_FAILED);
    }
    show();
}

static void dry(void) {
    begin("dry");
    host.setup.goal = LB_GOAL_PROBE;
    host_dhcp(1, host_dhcp_config(3, ""));
    run();
}

static void lists_targets(void) {
    begin("lists_targets");
    host.setup.goal = LB_GOAL_TARGETS;
    run();
}

/* As TEST does, or for the file. */
static void boot(const char *name, void (*function)(void)) {
    if (renews)
        function();
    else
        tap_run(name, function);
}

int main(int argc, char **argv) {
    renews = argc == 2 && lb_streq(argv[1], "--renew");
    boot("by root path", by_root_path);
    boot("by a name", by_a_name);
    boot("by a name that nobody knows", by_a_name_that_nobody_knows);
    boot("by configuration", by_configuration);
    boot("without a link", without_a_link);
    boot("without dhcp", without_dhcp);
    boot("with two dhcp servers", with_two_dhcp_servers);
    boot("with a nak and a taken address", with_a_nak_and_a_taken_address);
    boot("without a root path", without_a_root_path);
    boot("with a broken root path", with_a_broken_root_path);
    boot("against the policy", against_the_policy);
    boot("by ipv6", by_ipv6);
    boot("by ipv4 beside routers", by_ipv4_beside_routers);
    boot("by both", by_both);
    boot("by discovery that is silent", by_discovery_that_is_silent);
    boot("refused", refused);
    boot("silent", silent);
    boot("without its lun", without_its_lun);
    boot("not ready for long", not_ready_for_long);
    boot("without a secret", without_a_secret);
    boot("redirected in a loop", redirected_in_a_loop);
    boot("cut and recovered", cut_and_recovered);
    boot("cut for good", cut_for_good);
    boot("dry", dry);
    boot("lists targets", lists_targets);
    return renews ? 0 : tap_done();
}
