#include "server/rights.h"
#include "tests/tap.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Runs it in a process of its own, behind the filter; gives that process's end. 99: there is no
 * filter to be had. */
static int behind_the_filter(int (*run)(void)) {
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        struct lb_server_error error = {0};
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || !lb_server_rights_filter(&error) ||
            lb_server_rights_text()[0] == '\0')
            _exit(99);
        _exit(run());
    }
    waitpid(child, &status, 0);
    return status;
}

static bool is_missing(int status) {
    bool missing = WIFEXITED(status) && WEXITSTATUS(status) == 99;
    if (missing)
        tap_note("built without libseccomp, or a kernel without it");
    return missing;
}

static int start_a_program(void) {
    char *arguments[] = {(char[]){"true"}, NULL};
    execve("/bin/true", arguments, arguments + 1);
    return 1;
}

static int ask_what_is_not_needed(void) {
    return personality(0xffffffff) == -1 && errno == EPERM ? 0 : 1;
}

static int work(void) {
    char path[] = "/tmp/lunboot-rights-XXXXXX", *more = malloc(1 << 20);
    int fd = mkstemp(path);
    bool is_done = more != NULL && fd >= 0 && write(fd, "x", 1) == 1 && fsync(fd) == 0 &&
                   unlink(path) == 0 && close(fd) == 0;
    free(more);
    return is_done ? 0 : 1;
}

static void a_program_cannot_be_started(void) {
    int status = behind_the_filter(start_a_program);
    if (!is_missing(status))
        CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
}

static void a_call_that_is_not_needed_fails(void) {
    int status = behind_the_filter(ask_what_is_not_needed);
    if (!is_missing(status))
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void files_are_written_as_before(void) {
    int status = behind_the_filter(work);
    if (!is_missing(status))
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void) {
    TEST(a_program_cannot_be_started);
    TEST(a_call_that_is_not_needed_fails);
    TEST(files_are_written_as_before);
    return tap_done();
}
