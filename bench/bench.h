/* What the measuring programs share: options, the clock, one line of JSON as the result.
 *
 * A program opens its connection, calls bench_begin(), then bench_completed() after each batch of
 * answers until that returns false, then bench_print(). The first fifth of a second, at most a
 * fifth of the run, warms up and is not counted. CPU time is that of this process alone. */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

enum {
    BENCH_HEADER_BYTES = 48,
    BENCH_DEPTH_MAX = 256,
    BENCH_SPIN_US = 50, /* how long a receive is tried again before it sleeps: see NOTES.md */
};

struct bench {
    /* Options. */
    const char *host;   /* --host=, 127.0.0.1 */
    const char *target; /* --target=, an iSCSI name */
    int port;           /* --port= */
    int lun;            /* --lun= */
    uint32_t size;      /* --size=, bytes an I/O */
    uint32_t depth;     /* --depth=, I/Os in flight */
    double seconds;     /* --seconds= */
    bool random;        /* --random: else sequential */
    bool one_by_one;    /* --one-by-one: a system call each way; else many requests a call */
    bool spin;          /* --spin: try again for a while before sleeping (NOTES.md) */
    bool sleeps;        /* --sleeps: the null target does not spin */
    bool verify;        /* --verify: compare what was read with the null target's pattern */
    int server;         /* --server=: its process, whose CPU time is counted, too; 0: not */
    /* Counted by the program while it runs, for the printed result. */
    uint64_t receives, sends, waits;
    /* Private. */
    uint64_t disk_bytes, next_byte, random_state;
    uint64_t ios, begin_us, cpu_begin_us, user_begin_us, server_begin_ns, end_us;
    bool warm;
    unsigned spin_failures, spins_to_skip;
};

/* Exits with a message when an option is unknown or out of range. */
void bench_options(struct bench *b, int argc, char **argv);

/* The monotonic clock. */
uint64_t bench_now_us(void);

/* Starts the clock of the run. disk_bytes: offsets lie below it; 0 where there is no disk. */
void bench_begin(struct bench *b, uint64_t disk_bytes);

/* The byte where the next I/O begins, a multiple of size. */
uint64_t bench_next_offset(struct bench *b);

/* Counts ios answers; false when the time is over. */
bool bench_completed(struct bench *b, uint64_t ios);

/* Receives into the pieces what has come; where nothing has, sleeps until something does, or, with
 * --spin, first tries again for BENCH_SPIN_US when that promises to be short: answers is how many
 * the last read completed. Exits with a message when the connection is gone. */
size_t bench_receive(struct bench *b, int fd, struct iovec *pieces, size_t count, uint64_t answers);

/* The result, a JSON object on one line. */
void bench_print(const struct bench *b, const char *program);

/* The null target's disk: each eight bytes hold their own offset on the disk, modulo the size of
 * its memory, BENCH_PATTERN_BYTES. bytes is a multiple of 8. */
enum { BENCH_PATTERN_BYTES = 16 << 20 };
/* Writes what the null target's disk holds at this offset. */
void bench_fill_pattern(void *memory, uint64_t offset, size_t bytes);
/* Whether memory is what the disk holds at this offset. */
bool bench_is_pattern(const void *memory, uint64_t offset, size_t bytes);

/* A connected socket with TCP_NODELAY; exits with a message when there is none. */
int bench_connect(const struct bench *b);

/* A listening socket on host and port; exits with a message when there is none. */
int bench_listen(const struct bench *b);

/* Prints the message, with errno's where errno is set, and exits with 1. */
_Noreturn void bench_die(const char *what);

#endif
