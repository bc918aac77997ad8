/* What the hand-over to the kernel decides, keeps, reads and writes: with a folder for sysfs. */
#include "hosts/linux/takeover_rules.h"
#include "tests/tap.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static struct lb_config config;
static struct lb_error error;

/* ---- what follows ---------------------------------------------------------------------------- */

static void a_step_of_the_loop_ends_the_wait_or_does_not(void) {
    CHECK_EQ(lb_takeover_wait(LB_LOOP_WORK, 99, 100), LB_TAKEOVER_WAITS);
    CHECK_EQ(lb_takeover_wait(LB_LOOP_WORK, 100, 100), LB_TAKEOVER_LATE);
    CHECK_EQ(lb_takeover_wait(LB_LOOP_READY, 0, 100), LB_TAKEOVER_WAITS);
    CHECK_EQ(lb_takeover_wait(LB_LOOP_READY, 101, 100), LB_TAKEOVER_LATE);
    CHECK_EQ(lb_takeover_wait(LB_LOOP_OFFERS, 0, 100), LB_TAKEOVER_WAITS);
    CHECK_EQ(lb_takeover_wait(LB_LOOP_FAILED, 0, 100), LB_TAKEOVER_ENDED);
    CHECK_EQ(lb_takeover_wait(LB_LOOP_OUT, 0, 100), LB_TAKEOVER_ENDED);
    CHECK_EQ(lb_takeover_wait(LB_LOOP_INTERRUPTED, 101, 100), LB_TAKEOVER_ENDED);
}

static void a_refused_connection_is_followed_by_one_fresh_login(void) {
    CHECK_EQ(lb_takeover_next(1, true, false, false), LB_TAKEOVER_DONE);
    CHECK_EQ(lb_takeover_next(1, false, false, false), LB_TAKEOVER_AGAIN);
    CHECK_EQ(lb_takeover_next(2, false, false, false), LB_TAKEOVER_FAILED);
    CHECK_EQ(lb_takeover_next(2, true, false, false), LB_TAKEOVER_DONE);
}

static void nothing_is_tried_again_after_the_end_of_the_boot_or_a_signal(void) {
    CHECK_EQ(lb_takeover_next(1, false, true, false), LB_TAKEOVER_FAILED);
    CHECK_EQ(lb_takeover_next(1, false, false, true), LB_TAKEOVER_FAILED);
}

/* ---- what is told, and what is kept ---------------------------------------------------------- */

static void set(const char *key, const char *value) {
    CHECK(lb_config_set(&config, LB_SOURCE_OPTION, lb_bytes_of_text(key), lb_bytes_of_text(value),
                        &error));
}

static void the_kernel_is_told_what_is_configured(void) {
    struct lb_kernel_iscsi_settings settings;
    memset(&config, 0, sizeof(config));
    settings = lb_takeover_settings(&config, false);
    CHECK_EQ(settings.recovery_s, 120);
    CHECK_EQ(settings.queue_depth, 64);
    set("recovery-time", "2999ms");
    set("queue-depth", "7");
    settings = lb_takeover_settings(&config, true);
    CHECK_EQ(settings.recovery_s, 2);
    CHECK_EQ(settings.queue_depth, 7);
}

static void only_what_is_kept_is_pinged_in_whole_seconds(void) {
    memset(&config, 0, sizeof(config));
    CHECK_EQ(lb_takeover_settings(&config, false).ping_s, 0);
    CHECK_EQ(lb_takeover_settings(&config, true).ping_s, 10);
    set("ping-interval", "100ms");
    CHECK_EQ(lb_takeover_settings(&config, true).ping_s, 1);
    set("ping-interval", "1000ms");
    CHECK_EQ(lb_takeover_settings(&config, true).ping_s, 1);
    set("ping-interval", "1001ms");
    CHECK_EQ(lb_takeover_settings(&config, true).ping_s, 2);
    CHECK_EQ(lb_takeover_settings(&config, false).ping_s, 0);
}

static struct lb_login_again again;

static void note(const char *table_target) {
    static struct lb_initiator_config login;
    static const struct lb_initiator_agreed agreed = {.time2wait_s = 5};
    const struct lb_initiator_standing standing = {
        .config = &login, .agreed = &agreed, .home = {lb_addr_v4(192, 0, 2, 9), 3261}};
    login = (struct lb_initiator_config){.target = "iqn.2026-11.test:disk",
                                         .initiator = "iqn.2026-11.test:me",
                                         .portal = {lb_addr_v4(192, 0, 2, 1), 3260},
                                         .recover = true};
    memset(&config, 0, sizeof(config));
    memset(&again, 0, sizeof(again));
    set("chap-name", "boot");
    set("chap-secret", "boot-secret-0123");
    lb_format(config.table.target, sizeof(config.table.target), "%s", table_target);
    config.table.chap = true;
    lb_takeover_note(&standing, &config, &again);
}

static void a_later_login_goes_where_the_session_would_come_back_to(void) {
    note("");
    CHECK_STR(again.config.target, "iqn.2026-11.test:disk");
    CHECK_STR(again.config.initiator, "iqn.2026-11.test:me");
    CHECK(lb_addr_equal(again.config.portal.addr, lb_addr_v4(192, 0, 2, 9)));
    CHECK_EQ(again.config.portal.port, 3261);
    CHECK(!again.config.recover);
    CHECK_EQ(again.time2wait_s, 5);
}

static void its_policy_has_no_secrets_and_what_the_table_requires(void) {
    note("");
    CHECK_STR(lb_config_text(&again.policy, LB_KEY_CHAP_NAME), "boot");
    CHECK_EQ(lb_config_secret(&again.policy, LB_KEY_CHAP_SECRET).len, 0);
    CHECK_EQ(lb_config_secret(&config, LB_KEY_CHAP_SECRET).len, 16);
    CHECK(!lb_config_requires(&again.policy, "chap"));
    note("iqn.2026-11.test:disk");
    CHECK(lb_config_requires(&again.policy, "chap"));
    CHECK(!lb_config_requires(&config, "chap"));
    note("iqn.2026-11.test:other");
    CHECK(!lb_config_requires(&again.policy, "chap"));
}

/* ---- sysfs ----------------------------------------------------------------------------------- */

static char sysfs[] = "/tmp/test_takeover_rules.XXXXXX";

/* A folder below sysfs, with those above it. */
static void make_folder(const char *name) {
    char path[256];
    lb_format(path, sizeof(path), "%s/%s/", sysfs, name);
    for (char *slash = path + strlen(sysfs) + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
        *slash = '\0';
        CHECK(mkdir(path, 0700) == 0 || errno == EEXIST);
        *slash = '/';
    }
}

static void make_file(const char *name) {
    char path[256];
    int fd;
    lb_format(path, sizeof(path), "%s/%s", sysfs, name);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    CHECK(fd >= 0);
    close(fd);
}

static const char *content(const char *name) {
    static char text[100];
    char path[256];
    FILE *file;
    lb_format(path, sizeof(path), "%s/%s", sysfs, name);
    memset(text, 0, sizeof(text));
    file = fopen(path, "re");
    if (!CHECK(file != NULL))
        return "";
    (void)!fread(text, 1, sizeof(text) - 1, file);
    (void)fclose(file);
    return text;
}

static void the_scan_is_that_of_the_sessions_host(void) {
    int fd;
    error = (struct lb_error){0};
    make_folder("class/scsi_host/host3");
    make_file("class/scsi_host/host3/scan");
    fd = lb_takeover_open_scan(sysfs, 3, &error);
    CHECK(fd >= 0);
    CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(write(fd, "x", 1), 1);
    close(fd);
    CHECK_STR(content("class/scsi_host/host3/scan"), "x");
    CHECK(lb_is_ok(&error));
    CHECK_EQ(lb_takeover_open_scan(sysfs, 4, &error), -1);
    CHECK_EQ(error.code, LB_E_HAND_OVER);
    CHECK_HAS(error.facts, "/class/scsi_host/host4/scan: No such file");
}

static void the_disk_that_is_booted_is_asked_for_before_all_others(void) {
    int ends[2];
    char got[32] = "";
    CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    lb_takeover_scan(ends[0], 16384);
    close(ends[0]);
    CHECK_EQ(read(ends[1], got, sizeof(got)), 9);
    CHECK_STR(got, "0 0 16384");
    memset(got, 0, sizeof(got));
    CHECK_EQ(read(ends[1], got, sizeof(got)), 5);
    CHECK_STR(got, "- - -");
    CHECK_EQ(read(ends[1], got, sizeof(got)), 0);
    close(ends[1]);
}

static void a_disk_is_found_below_its_session_host_and_lun(void) {
    static const struct lb_kernel_iscsi kernel = {.sid = 7, .host = 3};
    char device[LB_TAKEOVER_DEVICE] = "before";
    CHECK(!lb_takeover_look(sysfs, &kernel, 1, device));
    make_folder("class/iscsi_session/session7/device/target3:0:0/3:0:0:1/block");
    CHECK(!lb_takeover_look(sysfs, &kernel, 1, device)); /* the kernel has not named it yet */
    CHECK_STR(device, "before");
    make_folder("class/iscsi_session/session7/device/target3:0:0/3:0:0:1/block/sdc");
    CHECK(!lb_takeover_look(sysfs, &kernel, 2, device));
    CHECK(lb_takeover_look(sysfs, &kernel, 1, device));
    CHECK_STR(device, "sdc");
}

static void a_disk_is_taken_away_by_its_file(void) {
    make_folder("class/block/sdc/device");
    make_file("class/block/sdc/device/delete");
    CHECK(!lb_takeover_delete(sysfs, "sdd"));
    CHECK_STR(content("class/block/sdc/device/delete"), "");
    CHECK(lb_takeover_delete(sysfs, "sdc"));
    CHECK_STR(content("class/block/sdc/device/delete"), "1");
}

static void remove_all(void) {
    char command[100];
    lb_format(command, sizeof(command), "rm -r '%s'", sysfs);
    (void)!system(command);
}

int main(void) {
    if (!mkdtemp(sysfs))
        return 1;
    TEST(a_step_of_the_loop_ends_the_wait_or_does_not);
    TEST(a_refused_connection_is_followed_by_one_fresh_login);
    TEST(nothing_is_tried_again_after_the_end_of_the_boot_or_a_signal);
    TEST(the_kernel_is_told_what_is_configured);
    TEST(only_what_is_kept_is_pinged_in_whole_seconds);
    TEST(a_later_login_goes_where_the_session_would_come_back_to);
    TEST(its_policy_has_no_secrets_and_what_the_table_requires);
    TEST(the_scan_is_that_of_the_sessions_host);
    TEST(the_disk_that_is_booted_is_asked_for_before_all_others);
    TEST(a_disk_is_found_below_its_session_host_and_lun);
    TEST(a_disk_is_taken_away_by_its_file);
    remove_all();
    return tap_done();
}
