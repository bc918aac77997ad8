/* The answering end of the plain TCP limit: for every 48 bytes received, 48 + size bytes sent.
 * One connection at a time, as --one-by-one says: a receive and a send a request, or as many
 * requests as one large receive brings, all answered by one gathered send. */
#include "bench.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* Answers come from as much memory as the null target's disk has, one part after the other: what is
 * already in a core's cache would be sent faster than any disk's contents. */
struct server {
    struct bench bench;
    unsigned char header[BENCH_HEADER_BYTES];
    unsigned char *memory; /* BENCH_PATTERN_BYTES and one answer more */
    size_t next;
};

static bool send_all(int fd, struct iovec *iov, size_t count) {
    while (count > 0) {
        ssize_t n = writev(fd, iov, (int)count);
        if (n < 0)
            return false;
        size_t left = (size_t)n;
        while (count > 0 && left >= iov->iov_len) {
            left -= iov->iov_len;
            iov++;
            count--;
        }
        if (left > 0) {
            iov->iov_base = (unsigned char *)iov->iov_base + left;
            iov->iov_len -= left;
        }
    }
    return true;
}

static bool send_answers(int fd, struct server *s, size_t count) {
    struct iovec iov[2 * BENCH_DEPTH_MAX];
    for (size_t i = 0; i < count; i++) {
        iov[2 * i] = (struct iovec){s->header, sizeof s->header};
        iov[2 * i + 1] = (struct iovec){s->memory + s->next, s->bench.size};
        s->next = (s->next + s->bench.size) % BENCH_PATTERN_BYTES;
    }
    return send_all(fd, iov, 2 * count);
}

/* Tries for a moment before it sleeps: a server that is slow to wake would be what is measured. */
static ssize_t receive(int fd, void *to, size_t len) {
    uint64_t until = bench_now_us() + BENCH_SPIN_US;
    ssize_t n;
    do
        n = recv(fd, to, len, MSG_DONTWAIT);
    while (n < 0 && errno == EAGAIN && bench_now_us() < until);
    return n < 0 && errno == EAGAIN ? recv(fd, to, len, 0) : n;
}

static void serve(int fd, struct server *s) {
    unsigned char requests[BENCH_DEPTH_MAX * BENCH_HEADER_BYTES];
    size_t want = s->bench.one_by_one ? BENCH_HEADER_BYTES : sizeof requests, have = 0;
    for (;;) {
        ssize_t n = receive(fd, requests, want - have);
        if (n <= 0)
            return;
        have += (size_t)n;
        size_t count = have / BENCH_HEADER_BYTES;
        have %= BENCH_HEADER_BYTES;
        if (!send_answers(fd, s, count))
            return;
    }
}

int main(int argc, char **argv) {
    static struct server s;
    bench_options(&s.bench, argc, argv);
    s.memory = malloc(BENCH_PATTERN_BYTES + s.bench.size);
    bench_fill_pattern(s.memory, 0, BENCH_PATTERN_BYTES + s.bench.size);
    int listener = bench_listen(&s.bench);
    for (;;) {
        int on = 1, fd = accept(listener, NULL, NULL);
        if (fd < 0)
            bench_die("accept");
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        serve(fd, &s);
        close(fd);
    }
}
