/* By which names those who speak IKE on one machine find each other. */
#include "core/base/text.h"
#include "hosts/linux/ike_names.h"
#include "tests/tap.h"
#include <errno.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

static int list_fd;

static struct lb_addr addr(const char *text) {
    struct lb_addr parsed = {0};
    CHECK(lb_addr_parse(lb_bytes_of_text(text), &parsed));
    return parsed;
}

static struct lb_ike_name name(const char *remote, const char *peer_id, bool in_kernel) {
    return (struct lb_ike_name){.local = addr("192.0.2.100"),
                                .remote = addr(remote),
                                .in_kernel = in_kernel,
                                .ids = lb_ike_names_ids("me.example", peer_id)};
}

static void a_name_is_had_by_one_alone_until_it_is_closed(void) {
    struct lb_ike_name own = name("192.0.2.1", "disk.example", true);
    int fd = lb_ike_names_take(&own);
    CHECK(fd >= 0);
    CHECK_EQ(lb_ike_names_take(&own), -1);
    CHECK_EQ(errno, EADDRINUSE);
    CHECK(lb_ike_names_in_kernel());
    close(fd);
    CHECK(!lb_ike_names_in_kernel());
    fd = lb_ike_names_take(&own);
    CHECK(fd >= 0);
    close(fd);
}

static void others_are_told_apart(void) {
    static const struct {
        const char *remote, *peer_id;
        bool in_kernel;
        enum lb_ike_others others, beside;
    } cases[] = {
        {"192.0.2.1", "disk.example", true, LB_IKE_OTHERS_KERNEL, LB_IKE_OTHERS_NONE},
        {"192.0.2.1", "other.example", true, LB_IKE_OTHERS_STRANGE, LB_IKE_OTHERS_NONE},
        {"192.0.2.1", "disk.example", false, LB_IKE_OTHERS_USER, LB_IKE_OTHERS_NONE},
        {"192.0.2.2", "disk.example", true, LB_IKE_OTHERS_SAME_IDS, LB_IKE_OTHERS_SAME_IDS},
        {"192.0.2.2", "disk.example", false, LB_IKE_OTHERS_SAME_IDS, LB_IKE_OTHERS_SAME_IDS},
        {"192.0.2.2", "other.example", true, LB_IKE_OTHERS_ELSEWHERE, LB_IKE_OTHERS_ELSEWHERE},
    };
    struct lb_ike_name own = name("192.0.2.1", "disk.example", true);
    CHECK_EQ(lb_ike_names_look(-1, &own), LB_IKE_OTHERS_NONE);
    for (size_t i = 0; i < LB_COUNT(cases); i++) {
        struct lb_ike_name other = name(cases[i].remote, cases[i].peer_id, cases[i].in_kernel);
        CHECK_EQ(lb_ike_names_look(list_fd, &own), LB_IKE_OTHERS_NONE);
        int fd = lb_ike_names_take(&other);
        CHECK_EQ(lb_ike_names_look(list_fd, &own), cases[i].others);
        CHECK_EQ(lb_ike_names_beside(list_fd, &own), cases[i].beside);
        close(fd);
    }
}

static void addresses_of_both_families_are_found(void) {
    struct lb_ike_name own = name("192.0.2.1", "disk.example", true);
    own.local = addr("2001:db8::50");
    own.remote = addr("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff");
    int fd = lb_ike_names_take(&own);
    CHECK(fd >= 0);
    CHECK_EQ(lb_ike_names_look(list_fd, &own), LB_IKE_OTHERS_KERNEL);
    close(fd);
}

/* Anybody can have any name; who is not of our user is nobody. */
static void names_of_another_user_do_not_count(void) {
    struct lb_ike_name own = name("192.0.2.1", "disk.example", true);
    int ready[2], end[2];
    char byte = 0;
    if (!CHECK(pipe(ready) == 0 && pipe(end) == 0))
        return;
    pid_t pid = fork();
    if (pid == 0) {
        close(end[1]);
        int fd = setuid(65534) == 0 ? lb_ike_names_take(&own) : -1;
        (void)!write(ready[1], fd >= 0 ? "y" : "n", 1);
        (void)!read(end[0], &byte, 1);
        _exit(0);
    }
    CHECK_EQ(read(ready[0], &byte, 1), 1);
    CHECK_EQ(byte, 'y');
    CHECK_EQ(lb_ike_names_look(list_fd, &own), LB_IKE_OTHERS_NONE);
    CHECK(!lb_ike_names_in_kernel());
    close(end[1]);
    waitpid(pid, NULL, 0);
}

static void other_lines_are_no_names(void) {
    static const char *const lines[] = {
        "",
        "@",
        "00000000: 00000002 00000000 00010000 0005 01 999 /run/lunboot-ike/k/00000000/c0000264/",
        "00000000: 00000002 00000000 00010000 0005 01 999 @lunboot-ike/",
        "00000000: 00000002 00000000 00010000 0005 01 999 "
        "@lunboot-ike/x/00000000/c0000264/c0000201",
        "00000000: 00000002 00000000 00010000 0005 01 999 "
        "@lunboot-ike/k/0000000g/c0000264/c0000201",
        "00000000: 00000002 00000000 00010000 0005 01 999 @lunboot-ike/k/00000000/c00002/c0000201",
        "00000000: 00000002 00000000 00010000 0005 01 999 "
        "@lunboot-ike/k/00000000/c0000264/c0000201/",
    };
    struct lb_ike_name read;
    char text[LB_IKE_NAME_MAX];
    for (size_t i = 0; i < LB_COUNT(lines); i++)
        CHECK(!lb_ike_names_read(lb_bytes_of_text(lines[i]), &read, text));
    CHECK(lb_ike_names_read(lb_bytes_of_text("00000000: 00000002 00000000 00010000 0005 01 999 "
                                             "@lunboot-ike/u/0000abcd/c0000264/c0000201"),
                            &read, text));
    CHECK(!read.in_kernel);
    CHECK_EQ(read.ids, 0xabcd);
    CHECK(lb_addr_equal(read.local, addr("192.0.2.100")));
    CHECK(lb_addr_equal(read.remote, addr("192.0.2.1")));
    CHECK_STR(text, "lunboot-ike/u/0000abcd/c0000264/c0000201");
}

int main(void) {
    TEST(other_lines_are_no_names);
    bool is_root = geteuid() == 0 && unshare(CLONE_NEWNET) == 0;
    list_fd = lb_ike_names_open();
    if (list_fd < 0) {
        tap_skip("the names", "no /proc/net/unix");
        return tap_done();
    }
    TEST(a_name_is_had_by_one_alone_until_it_is_closed);
    TEST(others_are_told_apart);
    TEST(addresses_of_both_families_are_found);
    if (is_root)
        TEST(names_of_another_user_do_not_count);
    else
        tap_skip("another user's names", "needs root");
    return tap_done();
}
