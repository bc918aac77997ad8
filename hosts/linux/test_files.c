/* Files: what is read and what is not, how they are written below a root, and what their syntaxes
 * hold. */
#include "hosts/linux/machine.h"
#include "hosts/linux/netfiles.h"
#include "hosts/linux/resolvconf.h"
#include "hosts/linux/syntax.h"
#include "os/linux/files.h"
#include "tests/tap.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64], root[80];

static const char *at(const char *name) {
    static char paths[4][256];
    static unsigned next;
    char *path = paths[next++ % 4];
    lb_format(path, sizeof(paths[0]), "%s/%s", folder, name);
    return path;
}

static void begin(void) {
    strcpy(folder, "/tmp/lb-files-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
    lb_format(root, sizeof(root), "%s/root", folder);
    CHECK_EQ(mkdir(root, 0755), 0);
    CHECK_EQ(mkdir(at("outside"), 0755), 0);
    CHECK_EQ(lb_file_write(folder, "outside/victim", 0600, lb_bytes_of_text("precious")), 0);
}

static void end(void) {
    char command[100];
    lb_format(command, sizeof(command), "rm -rf %s", folder);
    CHECK_EQ(system(command), 0);
}

static const char *content(const char *name) {
    static char text[4096];
    long len = lb_file_read(at(name), lb_span(text, sizeof(text)));
    text[len > 0 ? len : 0] = 0;
    return len < 0 ? NULL : text;
}

static unsigned mode_of(const char *name) {
    struct stat status;
    return lstat(at(name), &status) < 0 ? 0 : status.st_mode & 07777;
}

static int write_in_root(const char *name) {
    return lb_file_write(root, name, 0644, lb_bytes_of_text("new"));
}

/* ---- writing --------------------------------------------------------------------------------- */

static void a_file_appears_whole_or_not_at_all(void) {
    int fd;
    begin();
    CHECK_EQ(lb_file_write(root, "file", 0600, lb_bytes_of_text("old")), 0);
    fd = open(at("root/file"), O_RDONLY);
    CHECK_EQ(lb_file_write(root, "file", 0600, lb_bytes_of_text("new\n")), 0);
    CHECK_EQ(lseek(fd, 0, SEEK_END), 3); /* who had the old one open still has it */
    CHECK_STR(content("root/file"), "new\n");
    close(fd);
    end();
}

static void modes_are_as_given_whatever_the_umask(void) {
    static const mode_t masks[] = {0, 022, 077};
    for (size_t i = 0; i < LB_COUNT(masks); i++) {
        begin();
        mode_t before = umask(masks[i]);
        CHECK_EQ(lb_file_write(root, "a/b/open", 0644, lb_bytes_of_text("x")), 0);
        CHECK_EQ(lb_file_write(root, "a/b/secret", 0600, lb_bytes_of_text("x")), 0);
        umask(before);
        CHECK_EQ(mode_of("root/a"), 0755);
        CHECK_EQ(mode_of("root/a/b"), 0755);
        CHECK_EQ(mode_of("root/a/b/open"), 0644);
        CHECK_EQ(mode_of("root/a/b/secret"), 0600);
        end();
    }
}

static void a_link_in_the_place_of_a_file_is_replaced_and_not_followed(void) {
    begin();
    CHECK_EQ(symlink("../outside/victim", at("root/file")), 0);
    CHECK_EQ(symlink("../outside/victim", at("root/.file.lunboot")), 0);
    CHECK_EQ(write_in_root("file"), 0);
    CHECK_STR(content("outside/victim"), "precious");
    CHECK_STR(content("root/file"), "new");
    end();
}

/* By an absolute way, a relative one, and one that leads to nothing. */
static void a_link_that_leads_out_of_the_root_leads_nowhere(void) {
    char absolute[128];
    const char *const ways[] = {absolute, "../outside", "../../../../../../tmp", "none"};
    for (size_t i = 0; i < LB_COUNT(ways); i++) {
        begin();
        lb_format(absolute, sizeof(absolute), "%s/outside", folder);
        CHECK_EQ(symlink(ways[i], at("root/network")), 0);
        CHECK(write_in_root("network/victim") != 0);
        CHECK(write_in_root("network/deeper/victim") != 0);
        CHECK_STR(content("outside/victim"), "precious");
        CHECK(access(at("outside/deeper"), F_OK) < 0);
        end();
    }
}

static void a_link_within_the_root_is_followed(void) {
    begin();
    CHECK_EQ(mkdir(at("root/usr"), 0755), 0);
    CHECK_EQ(symlink("/usr", at("root/etc")), 0);
    CHECK_EQ(write_in_root("etc/file"), 0);
    CHECK_STR(content("root/usr/file"), "new");
    end();
}

/* ---- resolv.conf ----------------------------------------------------------------------------- */

static struct lb_boot_net a_net(void) {
    struct lb_boot_net net = {.domain = "lab.test", .dns_count = 1};
    net.dns[0] = lb_addr_v4(192, 0, 2, 53);
    return net;
}

static void links_do_not_lead_resolv_conf_out_of_its_root(void) {
    static const char *const places[] = {"root/etc/.resolv.conf.lunboot",
                                         "root/etc/resolv.conf.before-lunboot",
                                         "root/etc/resolv.conf", "root/etc"};
    struct lb_boot_net net = a_net();
    for (size_t i = 0; i < LB_COUNT(places); i++) {
        struct lb_resolvconf file = {0};
        bool is_folder = lb_streq(places[i], "root/etc");
        begin();
        if (!is_folder)
            CHECK_EQ(mkdir(at("root/etc"), 0755), 0);
        CHECK_EQ(symlink(is_folder ? at("outside") : at("outside/victim"), at(places[i])), 0);
        CHECK_EQ(lb_resolvconf_write(&file, root, "eth0", &net) == 0, !is_folder);
        CHECK_STR(content("outside/victim"), "precious");
        CHECK(access(at("outside/resolv.conf"), F_OK) < 0);
        lb_resolvconf_restore(&file);
        CHECK_STR(content("outside/victim"), "precious");
        end();
    }
}

/* A boot that was killed leaves its file and the copy. The next one must not take the first for
 * what a person had. */
static void what_a_killed_boot_left_is_put_back_in_the_end(void) {
    struct lb_resolvconf killed = {0}, next = {0};
    struct lb_boot_net net = a_net();
    begin();
    CHECK_EQ(lb_file_write(root, "etc/resolv.conf", 0644, lb_bytes_of_text("a person's\n")), 0);
    CHECK_EQ(lb_resolvconf_write(&killed, root, "eth0", &net), 0);
    CHECK_EQ(lb_resolvconf_write(&next, root, "eth0", &net), 0);
    lb_resolvconf_restore(&next);
    CHECK_STR(content("root/etc/resolv.conf"), "a person's\n");
    CHECK(access(at("root/etc/resolv.conf.before-lunboot"), F_OK) < 0);
    end();
}

static void only_names_stand_in_a_search_list(void) {
    static char text[256];
    struct lb_text made = lb_text(text, sizeof(text));
    struct lb_boot_net net = {.search = "a.test $(id) b\nnameserver 203.0.113.66 c_d.test -x"};
    lb_resolvconf_format(&made, "eth0", &net);
    CHECK_STR(text, "# written by lunboot\nsearch a.test 203.0.113.66 c_d.test\n");
}

/* ---- a shell --------------------------------------------------------------------------------- */

static const char *const hostile[] = {
    "x';touch PWNED;'",
    "$(touch PWNED)",
    "`touch PWNED`",
    "a b",
    "a\nb",
    "\"",
    "\\",
    "''",
    "'",
    "$HOME",
    "a#b",
    "*",
    "a\tb",
    "\\'",
    "!",
    "\xc3\xbc",
    "end\\",
};

static void a_real_shell_reads_what_was_written(void) {
    begin();
    for (size_t i = 0; i < LB_COUNT(hostile); i++) {
        static char text[1024];
        char command[512];
        struct lb_text made = lb_text(text, sizeof(text));
        CHECK(lb_syntax_shell(&made, "VALUE", hostile[i]));
        CHECK_EQ(lb_file_write(root, "env", 0600, lb_bytes_of_text(text)), 0);
        lb_format(command, sizeof(command),
                  "cd %s && sh -c '. ./env && printf %%s \"$VALUE\"' > value && test ! -e PWNED",
                  root);
        CHECK_EQ(system(command), 0);
        CHECK_STR(content("root/value"), hostile[i]);
    }
    end();
}

static void klibcs_file_holds_any_host_name(void) {
    begin();
    for (size_t i = 0; i < LB_COUNT(hostile); i++) {
        struct lb_boot_net net = a_net();
        struct lb_netfiles from = {.interface = "eth0", .net = &net, .rootpath = ""};
        static char text[2048];
        char command[512];
        struct lb_text made = lb_text(text, sizeof(text));
        lb_format(net.hostname, sizeof(net.hostname), "%s", hostile[i]);
        lb_format(net.search, sizeof(net.search), "%s", hostile[i]);
        lb_netfiles_klibc(&made, &from);
        CHECK_EQ(lb_file_write(root, "net-eth0.conf", 0600, lb_bytes_of_text(text)), 0);
        lb_format(
            command, sizeof(command),
            "cd %s && sh -c '. ./net-eth0.conf && printf %%s \"$HOSTNAME$DOMAINSEARCH\"' > value "
            "&& test ! -e PWNED",
            root);
        CHECK_EQ(system(command), 0);
        lb_format(command, sizeof(command), "%s%s", hostile[i], hostile[i]);
        CHECK_STR(content("root/value"), command);
    }
    end();
}

static void names_of_variables_are_names(void) {
    static const char *const wrong[] = {"", "1A", "A B", "A;reboot", "A'", "A=B", "A\n"};
    char text[64];
    struct lb_text made = lb_text(text, sizeof(text));
    for (size_t i = 0; i < LB_COUNT(wrong); i++)
        CHECK(!lb_syntax_shell(&made, wrong[i], "x"));
    CHECK_STR(text, "");
}

/* ---- other syntaxes -------------------------------------------------------------------------- */

static void a_setting_has_one_line_and_no_meaning_of_its_own(void) {
    static const char *const wrong[] = {"",   "a\nb", " a",    "a ", "a\\",
                                        "%n", "$a",   "\"a\"", "'",  "a\tb"};
    char text[64];
    struct lb_text made = lb_text(text, sizeof(text));
    for (size_t i = 0; i < LB_COUNT(wrong); i++)
        CHECK(!lb_syntax_setting(&made, "Domains", wrong[i]));
    CHECK_STR(text, "");
    CHECK(lb_syntax_setting(&made, "Domains", "a.test b.test"));
    CHECK_STR(text, "Domains=a.test b.test\n");
}

static void kernel_words_are_quoted_as_the_kernel_reads_them(void) {
    static const struct {
        const char *value, *word;
    } rows[] = {{"plain", "k=plain"},
                {"a b", "k=\"a b\""},
                {"\xc3\xa0", "k=\"\xc3\xa0\""}, /* its second byte is a blank to the kernel */
                {"$(id);'", "k=$(id);'"}};
    static const char *const wrong[] = {"a\"b", "\"a b\"", "a\nb", "a\tb", "\x7f"};
    char text[64];
    for (size_t i = 0; i < LB_COUNT(rows); i++) {
        struct lb_text made = lb_text(text, sizeof(text));
        CHECK(lb_syntax_kernel_word(&made, "k=", rows[i].value));
        CHECK_STR(text, rows[i].word);
    }
    struct lb_text made = lb_text(text, sizeof(text));
    for (size_t i = 0; i < LB_COUNT(wrong); i++)
        CHECK(!lb_syntax_kernel_word(&made, "k=", wrong[i]));
    CHECK(lb_syntax_kernel_words_are_whole("ro a=\"b c\" quiet"));
    CHECK(!lb_syntax_kernel_words_are_whole("ro a=\"b c quiet"));
}

static void a_line_of_lunboot_conf_is_read_as_it_was_meant(void) {
    char text[64];
    struct lb_text made = lb_text(text, sizeof(text));
    CHECK(!lb_syntax_conf(&made, "chap-name", " a"));
    CHECK(!lb_syntax_conf(&made, "chap-name", "a\nenable = yes"));
    CHECK(!lb_syntax_conf(&made, "chap-name", "a\xc2\x9b"));
    CHECK(lb_syntax_conf(&made, "chap-name", "a = b # c"));
    CHECK_STR(text, "chap-name = a = b # c\n");
}

static void the_environment_has_nothing_that_a_terminal_obeys(void) {
    lb_syntax_environment("LUNBOOT_TEST", "one");
    CHECK_STR(getenv("LUNBOOT_TEST"), "one");
    lb_syntax_environment("LUNBOOT_TEST", "\x1b[2J");
    CHECK_STR(getenv("LUNBOOT_TEST"), NULL);
    lb_syntax_environment("LUNBOOT_TEST", "a\xe2\x80\xae"
                                          "b");
    CHECK_STR(getenv("LUNBOOT_TEST"), NULL);
}

/* ---- a copy ---------------------------------------------------------------------------------- */

static int copy_to(const char *name, bool is_whole) {
    struct lb_output output;
    int refused = lb_output_open(&output, at(name));
    if (refused == 0)
        CHECK_EQ(write(output.fd, "copy", 4), 4);
    return lb_output_close(&output, is_whole) ? -1 : refused;
}

static void a_copy_is_its_owners_alone_and_whole(void) {
    begin();
    mode_t before = umask(0);
    CHECK_EQ(copy_to("image", true), 0);
    umask(before);
    CHECK_STR(content("image"), "copy");
    CHECK_EQ(mode_of("image"), 0600);
    CHECK_EQ(copy_to("outside/victim", false), 0); /* it failed half-way */
    CHECK_STR(content("outside/victim"), "precious");
    CHECK_EQ(chmod(at("outside/victim"), 0640), 0);
    CHECK_EQ(copy_to("outside/victim", true), 0);
    CHECK_STR(content("outside/victim"), "copy");
    CHECK_EQ(mode_of("outside/victim"), 0640);
    end();
}

static void a_copy_follows_no_link_and_fills_no_folder(void) {
    struct lb_output output;
    begin();
    CHECK_EQ(symlink("outside/victim", at("link")), 0);
    CHECK_EQ(copy_to("link", true), LB_FILE_LINK);
    CHECK_EQ(copy_to("outside", true), EISDIR);
    CHECK_STR(content("outside/victim"), "precious");
    CHECK_EQ(lb_output_open(&output, "/dev/null"), 0);
    CHECK_EQ(lb_output_close(&output, true), 0);
    CHECK_EQ(access("/dev/null", W_OK), 0);
    end();
}

int main(void) {
    TEST(a_file_appears_whole_or_not_at_all);
    TEST(modes_are_as_given_whatever_the_umask);
    TEST(a_link_in_the_place_of_a_file_is_replaced_and_not_followed);
    TEST(a_link_that_leads_out_of_the_root_leads_nowhere);
    TEST(a_link_within_the_root_is_followed);
    TEST(links_do_not_lead_resolv_conf_out_of_its_root);
    TEST(what_a_killed_boot_left_is_put_back_in_the_end);
    TEST(only_names_stand_in_a_search_list);
    TEST(a_real_shell_reads_what_was_written);
    TEST(klibcs_file_holds_any_host_name);
    TEST(names_of_variables_are_names);
    TEST(a_setting_has_one_line_and_no_meaning_of_its_own);
    TEST(kernel_words_are_quoted_as_the_kernel_reads_them);
    TEST(a_line_of_lunboot_conf_is_read_as_it_was_meant);
    TEST(the_environment_has_nothing_that_a_terminal_obeys);
    TEST(a_copy_is_its_owners_alone_and_whole);
    TEST(a_copy_follows_no_link_and_fills_no_folder);
    return tap_done();
}
