/* The asking end of the plain TCP limit: depth requests of 48 bytes in flight, each answered by
 * 48 + size bytes. What any initiator on sockets can at best reach.
 *
 * --one-by-one: a receive an answer, then a send for the next request. Otherwise one receive takes
 * as much as has come, and one send asks for as many answers as it completed. The answers go
 * around a ring of depth answers, so that memory is touched as a reader's own buffers would be. */
#include "bench.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static unsigned char requests[BENCH_DEPTH_MAX * BENCH_HEADER_BYTES];

static void ask(int fd, struct bench *b, size_t count) {
    size_t len = count * BENCH_HEADER_BYTES;
    b->sends++;
    if (send(fd, requests, len, MSG_NOSIGNAL) != (ssize_t)len)
        bench_die("send");
}

static void run(int fd, struct bench *b, unsigned char *ring) {
    size_t answer_len = BENCH_HEADER_BYTES + b->size, ring_len = answer_len * b->depth;
    size_t at = 0, partial = 0;
    ask(fd, b, b->depth);
    for (;;) {
        size_t room = b->one_by_one ? answer_len : ring_len - at;
        b->receives++;
        ssize_t n = recv(fd, ring + at, room, b->one_by_one ? MSG_WAITALL : 0);
        if (n <= 0)
            bench_die("recv");
        at = (at + (size_t)n) % ring_len;
        partial += (size_t)n;
        size_t answers = partial / answer_len;
        partial %= answer_len;
        if (!bench_completed(b, answers))
            return;
        if (answers > 0)
            ask(fd, b, answers);
    }
}

int main(int argc, char **argv) {
    struct bench b;
    bench_options(&b, argc, argv);
    unsigned char *ring = malloc((BENCH_HEADER_BYTES + (size_t)b.size) * b.depth);
    int fd = bench_connect(&b);
    bench_begin(&b, 0);
    run(fd, &b, ring);
    bench_print(&b, b.one_by_one ? "tcp-one-by-one" : "tcp-many");
    close(fd);
    free(ring);
    return 0;
}
