#include "hosts/linux/spare.h"
#include "core/base/mem.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

static const uint8_t over = 1; /* as a message: the first ends as it meant to */

static void set_signals(void (*handler)(int)) {
    signal(SIGTERM, handler);
    signal(SIGINT, handler);
    signal(SIGHUP, handler);
}

enum lb_spare_role lb_spare_fork(int *fd) {
    int ends[2];
    *fd = -1;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return LB_SPARE_NONE;
    pid_t pid = fork();
    if (pid < 0) {
        int refused = errno;
        close(ends[0]);
        close(ends[1]);
        errno = refused;
        return LB_SPARE_NONE;
    }
    *fd = ends[pid == 0];
    close(ends[pid != 0]);
    return pid == 0 ? LB_SPARE_SECOND : LB_SPARE_FIRST;
}

void lb_spare_wait(int fd, const char *name, const char *first, struct lb_span state) {
    lb_assert(state.len > sizeof(over));
    prctl(PR_SET_NAME, name);
    set_signals(SIG_IGN);
    for (;;) {
        ssize_t got = recv(fd, state.p, state.len, 0);
        if (got == sizeof(over))
            _exit(0);
        if (got <= 0 && (got == 0 || errno != EINTR))
            break;
    }
    close(fd);
    set_signals(SIG_DFL);
    prctl(PR_SET_NAME, first);
}

bool lb_spare_tell(int fd, struct lb_bytes state) {
    return send(fd, state.p, state.len, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)state.len;
}

bool lb_spare_is_there(int fd) {
    struct pollfd at = {.fd = fd};
    return fd >= 0 && (poll(&at, 1, 0) == 0 || (at.revents & (POLLHUP | POLLERR)) == 0);
}

void lb_spare_end(int *fd) {
    if (*fd < 0)
        return;
    (void)lb_spare_tell(*fd, lb_bytes(&over, sizeof(over)));
    close(*fd);
    *fd = -1;
}
