/* A fake kernel for the tests of its iSCSI interface: it answers at the other end of the socket, in
 * a process of its own, and what it was asked is known when it has ended. */
#ifndef LB_LINUX_TEST_KERNEL_H
#define LB_LINUX_TEST_KERNEL_H

#include "hosts/linux/kernel_iscsi.h"
#include "tests/tap.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    CREATE_SESSION = 11,
    DESTROY_SESSION = 12,
    CREATE_CONNECTION = 13,
    DESTROY_CONNECTION = 14,
    BIND = 15,
    SET_PARAM = 16,
    START = 17,
    STOP = 18,
    SEND = 19,
    PDU = 101,
    CONNECTION_ERROR = 102,
    REFUSED = 103,
    LOG_MAX = 64,
};

/* As the kernel has it: scsi/iscsi_if.h, struct iscsi_uevent. */
struct event {
    struct nlmsghdr header;
    uint32_t type, refused;
    uint64_t transport;
    uint32_t in[6], out[4];
    union {
        char text[LB_STREAM_BHS + LB_STREAM_LOGIN_DATA];
        uint8_t bytes[LB_STREAM_BHS + LB_STREAM_LOGIN_DATA];
    };
};

static struct {
    pid_t pid;
    int log_fd;
    uint32_t refuse_type, refuse_param; /* this request fails; param 0: any */
} fake;

/* What it was asked: it says it through a pipe. */
static struct {
    struct event events[LOG_MAX];
    size_t count;
} seen;

static struct lb_kernel_iscsi kernel;

static inline bool is_refused(const struct event *e) {
    return e->type == fake.refuse_type && (fake.refuse_param == 0 || e->in[2] == fake.refuse_param);
}

static inline void refuse(struct event *e) {
    e->type = REFUSED;
    e->refused = (uint32_t)-EINVAL;
}

/* With so many bytes behind the event. */
static inline void tell(int fd, const struct event *e, size_t bytes) {
    struct event out = *e;
    out.header.nlmsg_len = (uint32_t)(offsetof(struct event, bytes) + bytes);
    if (send(fd, &out, out.header.nlmsg_len, 0) < 0)
        _exit(1);
}

static inline void serve(int fd, int log_fd, void (*answer)(int fd, struct event *request)) {
    for (;;) {
        struct event e = {0};
        ssize_t got = recv(fd, &e, sizeof(e), 0);
        if (got <= 0)
            _exit(0);
        if (write(log_fd, &e, sizeof(e)) != sizeof(e))
            _exit(1);
        answer(fd, &e);
    }
}

static inline void start_kernel(void (*answer)(int fd, struct event *request)) {
    int ends[2], log[2];
    if (!CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0) || !CHECK_EQ(pipe(log), 0))
        exit(1);
    (void)!fcntl(log[1], F_SETPIPE_SZ, (int)(LOG_MAX * sizeof(struct event)));
    fake.pid = fork();
    if (fake.pid == 0) {
        close(ends[0]);
        serve(ends[1], log[1], answer);
    }
    close(ends[1]);
    close(log[1]);
    fake.log_fd = log[0];
    kernel = (struct lb_kernel_iscsi){.fd = ends[0], .transport = 0x1122334455667788};
}

static inline bool read_event(int fd, struct event *to) {
    size_t got = 0;
    while (got < sizeof(*to)) {
        ssize_t more = read(fd, (char *)to + got, sizeof(*to) - got);
        if (more <= 0)
            return false;
        got += (size_t)more;
    }
    return true;
}

/* Ends it, and reads what it was asked. */
static inline void stop_kernel(void) {
    int status;
    lb_kernel_iscsi_close(&kernel);
    seen.count = 0;
    while (seen.count < LOG_MAX && read_event(fake.log_fd, &seen.events[seen.count]))
        seen.count++;
    waitpid(fake.pid, &status, 0);
    CHECK_EQ(status, 0);
    close(fake.log_fd);
    memset(&fake, 0, sizeof(fake));
}

/* The value that a parameter was set to; NULL: it was not. */
static inline const char *param(uint32_t number) {
    for (size_t i = 0; i < seen.count; i++) {
        if (seen.events[i].type == SET_PARAM && seen.events[i].in[2] == number)
            return seen.events[i].text;
    }
    return NULL;
}

#endif
