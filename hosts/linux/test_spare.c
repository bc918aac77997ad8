/* Two processes: the second steps in when the first has died, and knows what it was told. */
#include "hosts/linux/spare.h"
#include "tests/tap.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
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

static bool ignores(pid_t pid, int number) {
    char path[64], line[256];
    unsigned long long mask = 0;
    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    FILE *file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL)
        if (strncmp(line, "SigIgn:", 7) == 0)
            mask = strtoull(line + 7, NULL, 16);
    if (file != NULL)
        fclose(file);
    return mask >> (number - 1) & 1;
}

/* A terminal's Ctrl-C and a stop of the service reach both: the second one waits on. */
static void signals_that_end_the_first_do_not_end_the_second(void) {
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP};
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        char state[8] = "nothing";
        struct said said;
        int fd, status;
        enum lb_spare_role role = lb_spare_fork(&fd);
        if (role == LB_SPARE_SECOND) {
            say("waiting");
            lb_spare_wait(fd, "the second", "stepped in", lb_span(state, sizeof(state)));
            raise(signals[i]); /* once it has stepped in it ends as any process does */
            _exit(9);
        }
        CHECK(hear(&said, 5000));
        for (int ms = 0; ms < 5000 && !ignores(said.pid, signals[i]); ms++)
            poll(NULL, 0, 1);
        CHECK(ignores(said.pid, signals[i]));
        CHECK(kill(said.pid, signals[i]) == 0);
        poll(NULL, 0, 50);
        CHECK(waitpid(said.pid, &status, WNOHANG) == 0);
        close(fd);
        CHECK(waitpid(said.pid, &status, 0) == said.pid);
        CHECK(WIFSIGNALED(status));
        CHECK_EQ(WIFSIGNALED(status) ? WTERMSIG(status) : 0, signals[i]);
    }
}

int main(void) {
    if (pipe(pipe_fds) != 0)
        return 1;
    TEST(the_second_steps_in_when_the_first_is_killed);
    TEST(it_has_what_it_was_born_with_where_it_was_told_nothing);
    TEST(it_ends_with_a_first_that_means_to_end);
    TEST(the_first_sees_that_the_second_is_gone);
    TEST(signals_that_end_the_first_do_not_end_the_second);
    return tap_done();
}
