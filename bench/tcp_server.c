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

static bool send_answers(int fd, unsigned char *answer, size_t answer_len, size_t count) {
    struct iovec iov[BENCH_DEPTH_MAX];
    size_t first = 0;
    for (size_t i = 0; i < count; i++)
        iov[i] = (struct iovec){answer, answer_len};
    while (first < count) {
        ssize_t n = writev(fd, iov + first, (int)(count - first));
        if (n < 0)
            return false;
        size_t left = (size_t)n;
        while (first < count && left >= iov[first].iov_len)
            left -= iov[first++].iov_len;
        if (left > 0) {
            iov[first].iov_base = (unsigned char *)iov[first].iov_base + left;
            iov[first].iov_len -= left;
        }
    }
    return true;
}

static void serve(int fd, const struct bench *b, unsigned char *answer) {
    unsigned char requests[BENCH_DEPTH_MAX * BENCH_HEADER_BYTES];
    size_t want = b->one_by_one ? BENCH_HEADER_BYTES : sizeof requests, have = 0;
    for (;;) {
        ssize_t n = recv(fd, requests, want - have, 0);
        if (n <= 0)
            return;
        have += (size_t)n;
        size_t count = have / BENCH_HEADER_BYTES;
        have %= BENCH_HEADER_BYTES;
        if (!send_answers(fd, answer, BENCH_HEADER_BYTES + b->size, count))
            return;
    }
}

int main(int argc, char **argv) {
    struct bench b;
    bench_options(&b, argc, argv);
    unsigned char *answer = calloc(1, BENCH_HEADER_BYTES + b.size);
    int listener = bench_listen(&b);
    for (;;) {
        int on = 1, fd = accept(listener, NULL, NULL);
        if (fd < 0)
            bench_die("accept");
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        serve(fd, &b, answer);
        close(fd);
    }
}
