#include "hosts/linux/alone.h"
#include "hosts/linux/secrets.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#define STACK_BYTES (256 << 10)
#define FIRST_FD    3

static void reopen(int fd, const char *path) {
    int opened = open(path, O_RDWR | O_CLOEXEC);
    if (opened >= 0)
        dup2(opened, fd);
}

static void close_others(int keep_fd) {
    if (keep_fd < FIRST_FD) {
        close_range(FIRST_FD, ~0u, 0);
        return;
    }
    if (keep_fd > FIRST_FD)
        close_range(FIRST_FD, (unsigned)keep_fd - 1, 0);
    close_range((unsigned)keep_fd + 1, ~0u, 0);
}

void lb_alone_begin(const char *name, int keep_fd) {
    sigset_t none;
    setsid();
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    reopen(STDIN_FILENO, "/dev/null");
    reopen(STDOUT_FILENO, "/dev/null");
    reopen(STDERR_FILENO, "/dev/kmsg");
    close_others(keep_fd);
    (void)!chdir("/");
    program_invocation_name[0] = '@';
    prctl(PR_SET_NAME, name);
    prctl(PR_SET_DUMPABLE, 0);
    lb_secrets_guard();
}

static void write_to(const char *path, const char *value) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    (void)!write(fd, value, strlen(value));
    close(fd);
}

/* The stack that the deepest call needs. */
__attribute__((noinline)) static void fill_stack(void) {
    volatile uint8_t room[STACK_BYTES];
    for (size_t i = 0; i < sizeof(room); i += 1024)
        room[i] = 0;
}

void lb_alone_hold_memory(void) {
    fill_stack();
    (void)!mlockall(MCL_CURRENT | MCL_FUTURE);
    (void)!prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0);
    write_to("/proc/self/oom_score_adj", "-1000");
}

/* ---- lines ----------------------------------------------------------------------------------- */

/* More of the text after what is left of it. False: there is none, or a line is too long. */
static bool read_more(struct lb_lines *lines) {
    memmove(lines->text, lines->text + lines->start, lines->end - lines->start);
    lines->end -= lines->start;
    lines->start = 0;
    ssize_t got =
        pread(lines->fd, lines->text + lines->end, sizeof(lines->text) - lines->end, lines->at);
    if (got <= 0)
        return false;
    lines->end += (size_t)got;
    lines->at += got;
    return true;
}

bool lb_lines_next(struct lb_lines *lines, struct lb_bytes *line) {
    for (;;) {
        const char *from = lines->text + lines->start;
        const char *end = memchr(from, '\n', lines->end - lines->start);
        if (end != NULL) {
            *line = lb_bytes(from, (size_t)(end - from));
            lines->start += line->len + 1;
            return true;
        }
        if (!read_more(lines))
            return false;
    }
}
