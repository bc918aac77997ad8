#include "server/ending.h"
#include "server/workers.h"
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define FIRST_FD 3
#define FDS_MAX  65536

/* The kernel keeps a process, and all that it has open, until the last call of its threads returns.
 * Files are left alone, for to close one may wait, too. */
static void close_sockets(void) {
    struct rlimit limit = {.rlim_cur = FDS_MAX};
    (void)getrlimit(RLIMIT_NOFILE, &limit);
    for (int fd = FIRST_FD; fd < (int)LB_MIN(limit.rlim_cur, FDS_MAX); fd++) {
        int type;
        socklen_t len = sizeof type;
        if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0)
            close(fd);
    }
}

static void *end(void *argument) {
    static const char why[] = "lunbootd: a disk does not answer; ends without waiting for it\n"
                              "  try: mend the disk: what was not flushed to it may be lost\n";
    struct pollfd errors = {.fd = STDERR_FILENO, .events = POLLOUT};
    struct timespec left = {.tv_sec = (time_t)(uintptr_t)argument};
    while (nanosleep(&left, &left) != 0)
        ;
    close_sockets();
    if (poll(&errors, 1, 0) == 1 && errors.revents == POLLOUT) /* a terminal may be stopped */
        (void)!write(STDERR_FILENO, why, sizeof why - 1);
    _exit(1);
}

void lb_server_ending_begin(unsigned seconds) {
    struct lb_server_error unsaid = {0};
    pthread_t thread;
    if (lb_server_workers_thread(&thread, end, (void *)(uintptr_t)seconds, &unsaid))
        pthread_detach(thread);
}
