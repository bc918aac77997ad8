/* The asking end of the plain TCP limit: depth requests of 48 bytes in flight, each answered by
 * 48 + size bytes. What any initiator on sockets can at best reach.
 *
 * --one-by-one: a receive an answer, then a send for the next request. Otherwise one receive takes
 * as much as has come, and one send asks for as many answers as it completed; with --spin it does
 * not sleep at once when nothing has come. The answers go around a ring of depth answers, so that
 * memory is touched as a reader's own buffers would be. */
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

static void run_one_by_one(int fd, struct bench *b, unsigned char *ring) {
    size_t answer_len = BENCH_HEADER_BYTES + b->size;
    for (size_t slot = 0;; slot = (slot + 1) % b->depth) {
        b->receives++;
        if (recv(fd, ring + slot * answer_len, answer_len, MSG_WAITALL) != (ssize_t)answer_len)
            bench_die("recv");
        if (!bench_completed(b, 1))
            return;
        ask(fd, b, 1);
    }
}

static void run_many(int fd, struct bench *b, unsigned char *ring) {
    size_t answer_len = BENCH_HEADER_BYTES + b->size, ring_len = answer_len * b->depth;
    size_t at = 0, partial = 0, answers = b->depth;
    for (;;) {
        struct iovec room = {ring + at, ring_len - at};
        size_t n = bench_receive(b, fd, &room, 1, answers);
        at = (at + n) % ring_len;
        partial += n;
        if (partial < answer_len)
            continue;
        answers = partial / answer_len;
        partial %= answer_len;
        if (!bench_completed(b, answers))
            return;
        ask(fd, b, answers);
    }
}

int main(int argc, char **argv) {
    struct bench b;
    bench_options(&b, argc, argv);
    unsigned char *ring = malloc((BENCH_HEADER_BYTES + (size_t)b.size) * b.depth);
    int fd = bench_connect(&b);
    bench_begin(&b, 0);
    ask(fd, &b, b.depth);
    if (b.one_by_one)
        run_one_by_one(fd, &b, ring);
    else
        run_many(fd, &b, ring);
    bench_print(&b, b.one_by_one ? "tcp-one-by-one" : b.spin ? "tcp-many-spin" : "tcp-many");
    close(fd);
    free(ring);
    return 0;
}
