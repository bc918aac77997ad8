/* Two processes: the second steps in when the first has died, and knows what it was told. */
#include "hosts/linux/spare.h"
#include "tests/tap.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct said {
    pid_t pid;
    char told[8], name[16];
};

static int pipe_fds[2];

static void say(const char *told) {
    struct said said = {.pid = getpid()};
    memcpy(said.told, told, sizeof(said.told));
    prctl(PR_GET_NAME, said.name);
    (void)!write(pipe_fds[1], &said, sizeof(said));
}

/* False: nobody says anything within the time. */
static bool hear(struct said *said, int wait_ms) {
    struct pollfd at = {.fd = pipe_fds[0], .events = POLLIN};
    return poll(&at, 1, wait_ms) == 1 && read(pipe_fds[0], said, sizeof(*said)) == sizeof(*said);
}

/* A first process that tells its second one `told`, and then waits for its end, or means to end.
 * It says what it is; so does the second one when it steps in. */
static pid_t start(const char told[8], bool means_to_end) {
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    char state[8] = "nothing";
    int fd;
    if (lb_spare_fork(&fd) == LB_SPARE_SECOND) {
        lb_spare_wait(fd, "the second", "stepped in", lb_span(state, sizeof(state)));
        say(state);
        pause();
    }
    if (told != NULL && !lb_spare_tell(fd, lb_bytes(told, sizeof(state))))
        _exit(1);
    say("started");
    if (means_to_end) {
        lb_spare_end(&fd);
        _exit(fd == -1 ? 0 : 1);
    }
    pause();
    _exit(1);
}

static void kill_and_wait(pid_t pid) {
    int status;
    CHECK(kill(pid, SIGKILL) == 0);
    CHECK(waitpid(pid, &status, 0) == pid);
}

static void the_second_steps_in_when_the_first_is_killed(void) {
    struct said said;
    pid_t first = start("tidings", false);
    CHECK(hear(&said, 5000));
    CHECK_STR(said.told, "started");
    CHECK(!hear(&said, 100));
    kill_and_wait(first);
    CHECK(hear(&said, 5000));
    CHECK_STR(said.told, "tidings");
    CHECK_STR(said.name, "stepped in");
    CHECK(said.pid != first);
    CHECK(kill(said.pid, SIGKILL) == 0);
}

static void it_has_what_it_was_born_with_where_it_was_told_nothing(void) {
    struct said said;
    pid_t first = start(NULL, false);
    CHECK(hear(&said, 5000));
    kill_and_wait(first);
    CHECK(hear(&said, 5000));
    CHECK_STR(said.told, "nothing");
    CHECK(kill(said.pid, SIGKILL) == 0);
}

static void it_ends_with_a_first_that_means_to_end(void) {
    struct said said;
    int status;
    pid_t first = start("tidings", true);
    CHECK(hear(&said, 5000));
    CHECK(waitpid(first, &status, 0) == first);
    CHECK_EQ(status, 0);
    CHECK(!hear(&said, 300));
}

static void the_first_sees_that_the_second_is_gone(void) {
    char state[8];
    int fd;
    enum lb_spare_role role = lb_spare_fork(&fd);
    if (role == LB_SPARE_SECOND)
        lb_spare_wait(fd, "the second", "stepped in", lb_span(state, sizeof(state)));
    CHECK_EQ(role, LB_SPARE_FIRST);
    CHECK(lb_spare_is_there(fd));
    int copy = dup(fd);
    lb_spare_end(&fd);
    CHECK_EQ(fd, -1);
    CHECK(!lb_spare_is_there(fd));
    CHECK(waitpid(-1, NULL, 0) > 0);
    CHECK(!lb_spare_is_there(copy));
    CHECK(!lb_spare_tell(copy, lb_bytes("nothing", 8)));
    close(copy);
    lb_spare_end(&fd);
}

int main(void) {
    if (pipe(pipe_fds) != 0)
        return 1;
    TEST(the_second_steps_in_when_the_first_is_killed);
    TEST(it_has_what_it_was_born_with_where_it_was_told_nothing);
    TEST(it_ends_with_a_first_that_means_to_end);
    TEST(the_first_sees_that_the_second_is_gone);
    return tap_done();
}
