/* The small parts of the host: options, sizes, progress, resolv.conf, what errno means. */
#include "hosts/linux/loop.h"
#include "hosts/linux/names.h"
#include "hosts/linux/options.h"
#include "hosts/linux/progress.h"
#include "hosts/linux/resolvconf.h"
#include "hosts/linux/secrets.h"
#include "hosts/linux/show.h"
#include "os/linux/netlink.h"
#include "os/linux/tcp.h"
#include "tests/tap.h"
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- options --------------------------------------------------------------------------------- */

static struct lb_config config;
static bool flag;
static const char *value, *word;
static const struct lb_option own[] = {
    {"flag", NULL, "", &flag, NULL},
    {"value", "TEXT", "", NULL, &value},
    {"maybe", "[TEXT]", "", &flag, &value},
};
static const struct lb_usage usage = {.command = "test",
                                      .synopsis = "",
                                      .purpose = "",
                                      .options = own,
                                      .option_count = LB_COUNT(own),
                                      .takes_keys = true};

static enum lb_parsed parse(char *first, char *second) {
    char name[] = "test";
    char *argv[] = {name, first, second, NULL};
    config = (struct lb_config){0};
    flag = false;
    value = word = NULL;
    return lb_options_parse(&usage, second ? 3 : 2, argv, &config, &word);
}

static void own_options_and_keys_are_told_apart(void) {
    char first[] = "--value=a=b", second[] = "--port=860";
    CHECK_EQ(parse(first, second), LB_PARSED);
    CHECK_STR(value, "a=b");
    CHECK_EQ(lb_config_u32(&config, LB_KEY_PORT), 860);
    CHECK_EQ(lb_config_source(&config, LB_KEY_PORT), LB_SOURCE_OPTION);
}

static void an_optional_value_may_be_left_out(void) {
    char without[] = "--maybe", with[] = "--maybe=x";
    CHECK_EQ(parse(without, NULL), LB_PARSED);
    CHECK(flag && !value);
    CHECK_EQ(parse(with, NULL), LB_PARSED);
    CHECK(flag);
    CHECK_STR(value, "x");
}

static void a_key_of_yes_or_no_needs_no_value(void) {
    char first[] = "--enable";
    CHECK_EQ(parse(first, NULL), LB_PARSED);
    CHECK(lb_config_bool(&config, LB_KEY_ENABLE));
}

static void after_two_dashes_everything_is_a_word(void) {
    char first[] = "--", second[] = "--flag";
    CHECK_EQ(parse(first, second), LB_PARSED);
    CHECK_STR(word, "--flag");
    CHECK(!flag);
}

static void what_is_wrong_is_refused(void) {
    char unknown[] = "--no-such-thing=1", flagged[] = "--flag=1", empty[] = "--value";
    char bare[] = "--port", bad[] = "--port=0", one[] = "one", two[] = "two";
    CHECK_EQ(parse(unknown, NULL), LB_PARSED_WRONG);
    CHECK_EQ(parse(flagged, NULL), LB_PARSED_WRONG);
    CHECK_EQ(parse(empty, NULL), LB_PARSED_WRONG);
    CHECK_EQ(parse(bare, NULL), LB_PARSED_WRONG);
    CHECK_EQ(parse(bad, NULL), LB_PARSED_WRONG);
    CHECK_EQ(parse(one, two), LB_PARSED_WRONG);
}

static void a_secret_does_not_stay_on_the_command_line(void) {
    char first[] = "--chap-secret=my-own-secret";
    CHECK_EQ(parse(first, NULL), LB_PARSED);
    CHECK_STR(first, "--chap-secret=*************");
    CHECK_BYTES(lb_config_secret(&config, LB_KEY_CHAP_SECRET), lb_bytes_of_text("my-own-secret"));
}

static void an_option_with_two_values_is_refused(void) {
    char first[] = "--lun=1", other[] = "--lun=2", same[] = "--lun=1";
    char secret[] = "--chap-secret=my-own-secret", twice[] = "--chap-secret=my-own-secret";
    CHECK_EQ(parse(first, other), LB_PARSED_WRONG);
    CHECK_EQ(parse(first, same), LB_PARSED);
    CHECK_EQ(parse(secret, twice), LB_PARSED);
    CHECK_STR(secret, "--chap-secret=*************");
    CHECK_STR(twice, "--chap-secret=*************");
}

static void bytes_take_units_and_nothing_else(void) {
    static const struct {
        const char *text;
        bool good;
        uint64_t bytes;
    } rows[] = {{"0", true, 0},
                {"4096", true, 4096},
                {"3K", true, 3072},
                {"2M", true, 2097152},
                {"1G", true, 1073741824},
                {"8388607T", true, UINT64_C(8388607) << 40},
                {"16777216T", false, 0},
                {"18446744073709551615", true, UINT64_MAX},
                {"18446744073709551616", false, 0},
                {"", false, 0},
                {"K", false, 0},
                {"1KB", false, 0},
                {"-1", false, 0},
                {"0x10", false, 0},
                {"1.5M", false, 0}};
    for (size_t i = 0; i < LB_COUNT(rows); i++) {
        uint64_t bytes = 0;
        if (!CHECK_EQ(lb_parse_bytes(rows[i].text, &bytes), rows[i].good))
            tap_note("%s", rows[i].text);
        CHECK_EQ(bytes, rows[i].bytes);
    }
}

/* ---- what people see ------------------------------------------------------------------------- */

static void the_progress_says_how_far_how_fast_and_how_long(void) {
    char line[160];
    struct lb_text text = lb_text(line, sizeof(line));
    struct lb_progress progress = {.start_us = 0, .done = 1 << 20, .total = 4 << 20};
    lb_progress_format(&text, &progress, 2 * LB_US_SEC, false);
    CHECK_STR(line, "[======>                 ]  25%  1.0 MiB of 4.0 MiB  512.0 KiB/s, 6 s left");
}

static void the_progress_says_that_it_waits_for_the_target(void) {
    char line[160];
    struct lb_text text = lb_text(line, sizeof(line));
    struct lb_progress progress = {.start_us = 0, .done = 0, .total = 0};
    lb_progress_format(&text, &progress, 0, true);
    CHECK_HAS(line, "connection lost, trying again");
}

/* ---- resolv.conf ----------------------------------------------------------------------------- */

static char root[64];
static struct lb_boot_net net = {.dns_count = 2, .domain = "boot.example"};

static void new_root(void) {
    lb_format(root, sizeof(root), "%s", "/tmp/lb-test-XXXXXX");
    if (!mkdtemp(root))
        abort();
    net.dns[0] = lb_addr_v4(192, 0, 2, 53);
    net.dns[1] = lb_addr_v4(192, 0, 2, 54);
}

static const char *path(const char *name) {
    static char buffer[128];
    lb_format(buffer, sizeof(buffer), "%s/etc/%s", root, name);
    return buffer;
}

static const char *content(const char *name) {
    static char buffer[512];
    FILE *file = fopen(path(name), "r");
    size_t len = file ? fread(buffer, 1, sizeof(buffer) - 1, file) : 0;
    if (file)
        fclose(file);
    buffer[len] = 0;
    return file ? buffer : NULL;
}

static void remove_root(void) {
    static const char *const names[] = {"resolv.conf", "real", "resolv.conf.before-lunboot"};
    for (size_t i = 0; i < LB_COUNT(names); i++)
        unlink(path(names[i]));
    CHECK_EQ(rmdir(path("")), 0); /* nothing else was left there */
    rmdir(root);
}

static void resolv_conf_is_written_and_taken_away_again(void) {
    struct lb_resolvconf file = {0};
    new_root();
    CHECK_EQ(lb_resolvconf_write(&file, root, "eth0", &net), 0);
    CHECK_STR(content("resolv.conf"),
              "# written by lunboot\nsearch boot.example\nnameserver 192.0.2.53\n"
              "nameserver 192.0.2.54\n");
    lb_resolvconf_restore(&file);
    CHECK_STR(content("resolv.conf"), NULL);
    remove_root();
}

static void what_was_there_before_comes_back(void) {
    struct lb_resolvconf file = {0};
    struct stat status;
    char target[128];
    new_root();
    lb_format(target, sizeof(target), "%s/etc", root);
    mkdir(target, 0755);
    CHECK_EQ(symlink("real", path("resolv.conf")), 0);
    CHECK_EQ(lb_resolvconf_write(&file, root, "eth0", &net), 0);
    CHECK_EQ(lb_resolvconf_write(&file, root, "eth0", &net), 0); /* a renewed lease */
    CHECK_HAS(content("resolv.conf"), "192.0.2.53");
    CHECK_STR(content("real"), NULL);
    lb_resolvconf_restore(&file);
    CHECK(lstat(path("resolv.conf"), &status) == 0 && S_ISLNK(status.st_mode));
    remove_root();
}

static void write_other(const char *text) {
    FILE *file = fopen(path("resolv.conf"), "w");
    if (CHECK(file != NULL)) {
        fputs(text, file);
        fclose(file);
    }
}

static void what_others_have_written_meanwhile_stays(void) {
    struct lb_resolvconf file = {0};
    new_root();
    CHECK_EQ(lb_resolvconf_write(&file, root, "eth0", &net), 0);
    write_other("nameserver 198.51.100.53\n");
    CHECK_EQ(lb_resolvconf_write(&file, root, "eth0", &net), 0); /* a renewed lease */
    CHECK_STR(content("resolv.conf"), "nameserver 198.51.100.53\n");
    lb_resolvconf_restore(&file);
    CHECK_STR(content("resolv.conf"), "nameserver 198.51.100.53\n");
    unlink(path("resolv.conf"));
    remove_root();
}

static void what_others_have_put_in_its_place_stays(void) {
    struct lb_resolvconf file = {0};
    char target[128];
    new_root();
    lb_format(target, sizeof(target), "%s/etc", root);
    mkdir(target, 0755);
    write_other("nameserver 198.51.100.1\n");
    CHECK_EQ(lb_resolvconf_write(&file, root, "eth0", &net), 0);
    unlink(path("resolv.conf"));
    CHECK_EQ(symlink("real", path("resolv.conf")), 0);
    lb_resolvconf_restore(&file);
    CHECK_STR(content("resolv.conf.before-lunboot"), NULL);
    CHECK(readlink(path("resolv.conf"), target, sizeof(target)) == 4);
    remove_root();
}

static void what_is_kept_leaves_no_copy_of_the_old(void) {
    struct lb_resolvconf file = {0};
    struct lb_boot_net other = net;
    new_root();
    CHECK_EQ(lb_resolvconf_write(&file, root, "eth0", &net), 0);
    lb_resolvconf_keep(&file);
    other.dns_count = 1;
    CHECK_EQ(lb_resolvconf_write(&file, root, "eth0", &other), 0);
    lb_resolvconf_keep(&file);
    CHECK_STR(content("resolv.conf.before-lunboot"), NULL);
    CHECK_HAS(content("resolv.conf"), "192.0.2.53");
    remove_root();
}

static void a_lease_without_name_servers_writes_nothing(void) {
    struct lb_resolvconf file = {0};
    struct lb_boot_net bare = {0};
    new_root();
    CHECK_EQ(lb_resolvconf_write(&file, root, "eth0", &bare), 0);
    CHECK_STR(content("resolv.conf"), NULL);
    rmdir(root);
}

static void a_root_that_is_not_there_is_an_error(void) {
    struct lb_resolvconf file = {0};
    CHECK_EQ(lb_resolvconf_write(&file, "/tmp/lb-no-such-folder/deeper", "eth0", &net), ENOENT);
}

/* ---- connections ----------------------------------------------------------------------------- */

static void errno_says_how_a_connection_ended(void) {
    CHECK_EQ(lb_loop_lost(ECONNREFUSED, false), LB_LOST_REFUSED);
    CHECK_EQ(lb_loop_lost(ECONNRESET, false), LB_LOST_REFUSED);
    CHECK_EQ(lb_loop_lost(ETIMEDOUT, false), LB_LOST_TIMEOUT);
    CHECK_EQ(lb_loop_lost(EHOSTUNREACH, false), LB_LOST_UNREACHABLE);
    CHECK_EQ(lb_loop_lost(ENETUNREACH, false), LB_LOST_UNREACHABLE);
    CHECK_EQ(lb_loop_lost(ENETDOWN, false), LB_LOST_UNREACHABLE);
    CHECK_EQ(lb_loop_lost(ECONNRESET, true), LB_LOST_CLOSED);
    CHECK_EQ(lb_loop_lost(ETIMEDOUT, true), LB_LOST_CLOSED);
    CHECK_EQ(lb_loop_lost(0, true), LB_LOST_CLOSED);
}

/* The peer accepts and resets at once: the connection was open. */
static void a_reset_of_what_was_accepted_is_no_refusal(void) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof at;
    struct linger hard = {.l_onoff = 1};
    char byte;
    int listener = socket(AF_INET, SOCK_STREAM, 0), fd = lb_tcp_open(LB_V4);
    CHECK(bind(listener, (struct sockaddr *)&at, len) == 0 && listen(listener, 1) == 0 &&
          getsockname(listener, (struct sockaddr *)&at, &len) == 0);
    struct lb_endpoint to = {lb_addr_v4(127, 0, 0, 1), ntohs(at.sin_port)};
    CHECK(lb_tcp_connect(fd, to, 0) == 0);
    int accepted = accept(listener, NULL, NULL);
    CHECK(setsockopt(accepted, SOL_SOCKET, SO_LINGER, &hard, sizeof hard) == 0);
    close(accepted);
    CHECK_EQ(lb_tcp_outcome(fd), 0);
    CHECK(recv(fd, &byte, 1, 0) <= 0);
    close(fd);
    close(listener);
    fd = lb_tcp_open(LB_V4);
    if (lb_tcp_connect(fd, to, 0) == 0) { /* nobody listens now */
        struct pollfd wait = {.fd = fd, .events = POLLOUT};
        CHECK_EQ(poll(&wait, 1, 5000), 1);
        CHECK_EQ(lb_tcp_outcome(fd), ECONNREFUSED);
    }
    close(fd);
}

/* ---- links ----------------------------------------------------------------------------------- */

static bool passes(unsigned flags, const char *queue) {
    return lb_link_passes(flags, lb_bytes(queue, strlen(queue) + 1));
}

static void a_link_passes_packets_before_it_is_called_running(void) {
    const unsigned lower_up = 0x10000, dormant = 0x20000, running = 0x40; /* IFF_ of linux/if.h */
    CHECK(passes(lower_up, "fq_codel"));
    CHECK(passes(lower_up | running, "noqueue"));
    CHECK(lb_link_passes(lower_up | running, (struct lb_bytes){0})); /* nothing is said of it */
    CHECK(!passes(running, "fq_codel"));
    CHECK(!passes(lower_up, "noop"));
    CHECK(!passes(lower_up | dormant, "fq_codel")); /* 802.1X has not let it in yet */
}

/* ---- secrets --------------------------------------------------------------------------------- */

static void variables_with_secrets_are_known_by_name_or_form(void) {
    static const struct {
        const char *name, *value;
        bool is_one;
    } rows[] = {
        {"iscsi_password", "x", true},
        {"ISCSI_IN_PASSWORD", "x", true},
        {"rd.iscsi.password", "x", true},
        {"LUNBOOT_CHAP_SECRET", "x", true},
        {"netroot", "iscsi:user:secret@192.0.2.1::::iqn.2026-11.test:disk", true},
        {"netroot", "iscsi:192.0.2.1::::iqn.2026-11.test:disk", false},
        {"PASSWORD_STORE_DIR", "/home/me/.password-store", false},
        {"EMAIL", "me@example.com", false},
        {"PATH", "/bin", false},
    };
    for (size_t i = 0; i < LB_COUNT(rows); i++) {
        if (!CHECK_EQ(
                lb_secrets_is_one(lb_bytes_of_text(rows[i].name), lb_bytes_of_text(rows[i].value)),
                rows[i].is_one))
            tap_note("%s", rows[i].name);
    }
}

/* ---- names ---- */

static void a_resolv_conf_gives_servers_and_the_last_search_list(void) {
    struct lb_boot_machine machine = {.dns_count = 0};
    lb_names_resolv_conf(lb_bytes_of_text("# made by hand\nnameserver 192.0.2.53\n"
                                          "search a.example\n  nameserver\t2001:db8::53 # two\n"
                                          "nameserver fe80::1%eth0\noptions edns0\r\n"
                                          "domain b.example\nsearch c.example  d.example"),
                         &machine);
    CHECK_EQ(machine.dns_count, 2);
    CHECK_STR(lb_addr_text(machine.dns[0]).s, "192.0.2.53");
    CHECK_STR(lb_addr_text(machine.dns[1]).s, "2001:db8::53");
    CHECK_STR(machine.search, "c.example d.example");
}

static void more_servers_and_domains_than_there_is_room_for_are_left_out(void) {
    struct lb_boot_machine machine = {.dns_count = 0};
    char text[2000], label[300];
    struct lb_text all = lb_text(text, sizeof(text));
    for (unsigned i = 1; i <= LB_DNS_MAX + 2; i++)
        lb_text_add(&all, "nameserver 192.0.2.%u\n", i);
    memset(label, 'a', sizeof(label));
    lb_text_add(&all, "search %.*s %.*s c.example\n", 250, label, 300, label);
    lb_names_resolv_conf(lb_bytes_of_text(text), &machine);
    CHECK_EQ(machine.dns_count, LB_DNS_MAX);
    CHECK_EQ(lb_strlen(machine.search), 250);
}

static void files_that_are_not_there_are_empty(void) {
    static struct lb_names_here here;
    lb_names_read(&here, "/nowhere/hosts", "/nowhere/resolv.conf");
    CHECK_EQ(here.machine.dns_count, 0);
    CHECK_EQ(here.machine.hosts.len, 0);
}

int main(void) {
    TEST(own_options_and_keys_are_told_apart);
    TEST(an_optional_value_may_be_left_out);
    TEST(a_key_of_yes_or_no_needs_no_value);
    TEST(after_two_dashes_everything_is_a_word);
    TEST(what_is_wrong_is_refused);
    TEST(a_secret_does_not_stay_on_the_command_line);
    TEST(an_option_with_two_values_is_refused);
    TEST(bytes_take_units_and_nothing_else);
    TEST(the_progress_says_how_far_how_fast_and_how_long);
    TEST(the_progress_says_that_it_waits_for_the_target);
    TEST(resolv_conf_is_written_and_taken_away_again);
    TEST(what_was_there_before_comes_back);
    TEST(what_others_have_written_meanwhile_stays);
    TEST(what_others_have_put_in_its_place_stays);
    TEST(what_is_kept_leaves_no_copy_of_the_old);
    TEST(a_lease_without_name_servers_writes_nothing);
    TEST(a_root_that_is_not_there_is_an_error);
    TEST(errno_says_how_a_connection_ended);
    TEST(a_reset_of_what_was_accepted_is_no_refusal);
    TEST(a_link_passes_packets_before_it_is_called_running);
    TEST(variables_with_secrets_are_known_by_name_or_form);
    TEST(a_resolv_conf_gives_servers_and_the_last_search_list);
    TEST(more_servers_and_domains_than_there_is_room_for_are_left_out);
    TEST(files_that_are_not_there_are_empty);
    return tap_done();
}
