/* What the kernel alone takes for the packets of a login and logout: a connection, a request of 432
 * bytes and an answer of 356, a request and an answer of 48, and the server closes. One process
 * serves them, with as few system calls as that takes; another asks, so many at once.
 * lunboot-bench-tcp-logins CLIENT-CORE SERVER-CORE SECONDS prints a JSON object. */
#include "bench.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { AT_ONCE = 8, EVENTS_MAX = 64, FILES_MAX = 1024, PORT = 3269 };
enum { LOGIN = 432, LOGIN_ANSWER = 356, LOGOUT = 48 };

static char room[65536];
static bool is_in[FILES_MAX]; /* by file descriptor */

static void settle(const char *core) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)atoi(core), &set);
    (void)sched_setaffinity(0, sizeof set, &set);
}

static void watch(int epoll, int fd) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (fd >= FILES_MAX)
        bench_die("too many files");
    is_in[fd] = false;
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0)
        bench_die("epoll");
}

static void answer(int fd) {
    bool was_in = is_in[fd];
    is_in[fd] = true;
    if (recv(fd, room, sizeof room, 0) <= 0 ||
        send(fd, room, was_in ? LOGOUT : LOGIN_ANSWER, MSG_NOSIGNAL) < 0 || was_in)
        close(fd);
}

_Noreturn static void serve(int listener) {
    struct epoll_event events[EVENTS_MAX];
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    watch(epoll, listener);
    for (;;) {
        int count = epoll_wait(epoll, events, EVENTS_MAX, -1);
        for (int i = 0; i < count; i++) {
            if (events[i].data.fd != listener) {
                answer(events[i].data.fd);
                continue;
            }
            for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0;)
                watch(epoll, fd);
        }
    }
}

static void connect_one(struct bench *b, int epoll) {
    int fd = bench_connect(b);
    watch(epoll, fd);
    if (send(fd, room, LOGIN, 0) < 0)
        bench_die("send");
}

/* True: a logout is over. */
static bool go_on(int fd) {
    bool was_in = is_in[fd];
    is_in[fd] = true;
    if (recv(fd, room, sizeof room, 0) <= 0 || (!was_in && send(fd, room, LOGOUT, 0) < 0))
        bench_die("the server");
    if (was_in)
        close(fd);
    return was_in;
}

static void ask(struct bench *b) {
    struct epoll_event events[EVENTS_MAX];
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    bench_begin(b, 0);
    for (int i = 0; i < AT_ONCE; i++)
        connect_one(b, epoll);
    for (;;) {
        int count = epoll_wait(epoll, events, EVENTS_MAX, 5000);
        uint64_t over = 0;
        for (int i = 0; i < count; i++) {
            if (!go_on(events[i].data.fd))
                continue;
            over++;
            connect_one(b, epoll);
        }
        if (count <= 0)
            bench_die("nothing came");
        if (over > 0 && !bench_completed(b, over))
            return;
    }
}

int main(int argc, char **argv) {
    struct bench b = {.host = "127.0.0.1", .port = PORT};
    if (argc != 4)
        bench_die("CLIENT-CORE SERVER-CORE SECONDS");
    b.seconds = strtod(argv[3], NULL);
    int listener = bench_listen(&b);
    int on = 1;
    (void)setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    (void)fcntl(listener, F_SETFL, O_NONBLOCK);
    b.server = fork();
    settle(argv[b.server == 0 ? 2 : 1]);
    if (b.server == 0)
        serve(listener);
    ask(&b);
    bench_print(&b, "tcp-logins");
    kill(b.server, SIGKILL);
    waitpid(b.server, NULL, 0);
    return 0;
}
