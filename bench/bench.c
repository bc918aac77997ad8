#include "bench.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

void bench_die(const char *what) {
    if (errno)
        fprintf(stderr, "%s: %s\n", what, strerror(errno));
    else
        fprintf(stderr, "%s\n", what);
    exit(1);
}

static const char *value_of(const char *arg, const char *name) {
    size_t len = strlen(name);
    return strncmp(arg, name, len) == 0 && arg[len] == '=' ? arg + len + 1 : NULL;
}

static bool parse_value(struct bench *b, const char *arg) {
    const char *value;
    if ((value = value_of(arg, "--host")))
        b->host = value;
    else if ((value = value_of(arg, "--target")))
        b->target = value;
    else if ((value = value_of(arg, "--port")))
        b->port = atoi(value);
    else if ((value = value_of(arg, "--lun")))
        b->lun = atoi(value);
    else if ((value = value_of(arg, "--size")))
        b->size = (uint32_t)strtoul(value, NULL, 0);
    else if ((value = value_of(arg, "--depth")))
        b->depth = (uint32_t)strtoul(value, NULL, 0);
    else if ((value = value_of(arg, "--seconds")))
        b->seconds = strtod(value, NULL);
    else if ((value = value_of(arg, "--server")))
        b->server = atoi(value);
    else
        return false;
    return true;
}

static bool parse_flag(struct bench *b, const char *arg) {
    if (strcmp(arg, "--random") == 0)
        b->random = true;
    else if (strcmp(arg, "--one-by-one") == 0)
        b->one_by_one = true;
    else if (strcmp(arg, "--spin") == 0)
        b->spin = true;
    else if (strcmp(arg, "--sleeps") == 0)
        b->sleeps = true;
    else if (strcmp(arg, "--verify") == 0)
        b->verify = true;
    else
        return false;
    return true;
}

void bench_options(struct bench *b, int argc, char **argv) {
    *b = (struct bench){.host = "127.0.0.1",
                        .target = "iqn.2026-11.test:null",
                        .port = 3260,
                        .size = 4096,
                        .depth = 1,
                        .seconds = 1,
                        .random_state = 0x9e3779b97f4a7c15};
    for (int i = 1; i < argc; i++)
        if (!parse_value(b, argv[i]) && !parse_flag(b, argv[i])) {
            errno = 0;
            bench_die(argv[i]);
        }
    errno = 0;
    if (b->size < 512 || b->size > 16 << 20 || b->size % 512)
        bench_die("--size: 512 bytes to 16 MiB, whole blocks");
    if (b->depth < 1 || b->depth > BENCH_DEPTH_MAX)
        bench_die("--depth: 1 to 256");
}

uint64_t bench_now_us(void) {
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static uint64_t timeval_us(struct timeval tv) {
    return (uint64_t)tv.tv_sec * 1000000 + (uint64_t)tv.tv_usec;
}

static void cpu_us(uint64_t *all, uint64_t *user) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    *user = timeval_us(usage.ru_utime);
    *all = *user + timeval_us(usage.ru_stime);
}

/* All threads that it has now. */
static uint64_t server_ns(const struct bench *b) {
    char path[64];
    uint64_t sum = 0;
    snprintf(path, sizeof path, "/proc/%d/task", b->server);
    DIR *folder = b->server > 0 ? opendir(path) : NULL;
    struct dirent *entry;
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        unsigned long long ns = 0;
        char name[400];
        snprintf(name, sizeof name, "%s/%s/schedstat", path, entry->d_name);
        FILE *file = entry->d_name[0] != '.' ? fopen(name, "re") : NULL;
        if (file == NULL)
            continue;
        if (fscanf(file, "%llu", &ns) == 1)
            sum += ns;
        fclose(file);
    }
    if (folder != NULL)
        closedir(folder);
    return sum;
}

static void restart(struct bench *b, uint64_t now) {
    b->ios = b->receives = b->sends = b->waits = 0;
    b->begin_us = now;
    cpu_us(&b->cpu_begin_us, &b->user_begin_us);
    b->server_begin_ns = server_ns(b);
}

void bench_begin(struct bench *b, uint64_t disk_bytes) {
    b->disk_bytes = disk_bytes;
    b->warm = false;
    restart(b, bench_now_us());
}

uint64_t bench_next_offset(struct bench *b) {
    uint64_t slots = b->disk_bytes / b->size;
    if (b->random) {
        b->random_state ^= b->random_state << 13;
        b->random_state ^= b->random_state >> 7;
        b->random_state ^= b->random_state << 17;
        return b->random_state % slots * b->size;
    }
    uint64_t offset = b->next_byte;
    b->next_byte = offset + 2 * (uint64_t)b->size > b->disk_bytes ? 0 : offset + b->size;
    return offset;
}

bool bench_completed(struct bench *b, uint64_t ios) {
    b->ios += ios;
    b->end_us = bench_now_us();
    double ran = (double)(b->end_us - b->begin_us) / 1e6;
    double warm_up = b->seconds / 5 < 0.2 ? b->seconds / 5 : 0.2;
    if (b->warm)
        return ran < b->seconds - warm_up;
    if (ran >= warm_up) {
        restart(b, b->end_us);
        b->warm = true;
    }
    return true;
}

enum { SPIN_FAILURES_MAX = 6 };

static ssize_t try_receive(struct bench *b, int fd, struct msghdr *message) {
    b->receives++;
    ssize_t n = recvmsg(fd, message, MSG_DONTWAIT);
    if (n == 0 || (n < 0 && errno != EAGAIN))
        bench_die(n == 0 ? "the connection was closed" : "receive");
    return n;
}

/* A busy server needs time, not attention; and each vain spin doubles the waits that do not. */
static bool spin_is_worthwhile(struct bench *b, uint64_t answers) {
    if (!b->spin || answers * 16 < b->depth)
        return false;
    if (b->spins_to_skip == 0)
        return true;
    b->spins_to_skip--;
    return false;
}

static ssize_t spin_receive(struct bench *b, int fd, struct msghdr *message) {
    uint64_t until = bench_now_us() + BENCH_SPIN_US;
    ssize_t n;
    do
        n = try_receive(b, fd, message);
    while (n < 0 && bench_now_us() < until);
    if (n > 0) {
        b->spin_failures -= b->spin_failures > 0;
        return n;
    }
    b->spin_failures += b->spin_failures < SPIN_FAILURES_MAX;
    b->spins_to_skip = (1U << b->spin_failures) - 1;
    return n;
}

size_t bench_receive(struct bench *b, int fd, struct iovec *pieces, size_t count,
                     uint64_t answers) {
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = count};
    ssize_t n = try_receive(b, fd, &message);
    if (n < 0 && spin_is_worthwhile(b, answers))
        n = spin_receive(b, fd, &message);
    while (n < 0) {
        struct pollfd pfd = {.fd = fd, .events = POLLIN};
        b->waits++;
        errno = 0;
        if (poll(&pfd, 1, 5000) <= 0)
            bench_die("nothing came for 5 s");
        n = try_receive(b, fd, &message);
    }
    return (size_t)n;
}

void bench_print(const struct bench *b, const char *program) {
    uint64_t all, user;
    cpu_us(&all, &user);
    double wall = (double)(b->end_us - b->begin_us) / 1e6;
    printf("{\"program\": \"%s\", \"size\": %u, \"depth\": %u, \"random\": %s, \"ios\": %llu, "
           "\"wall_s\": %.6f, \"cpu_s\": %.6f, \"user_s\": %.6f, "
           "\"receives\": %llu, \"sends\": %llu, \"waits\": %llu, \"server_s\": %.6f}\n",
           program, b->size, b->depth, b->random ? "true" : "false", (unsigned long long)b->ios,
           wall, (double)(all - b->cpu_begin_us) / 1e6, (double)(user - b->user_begin_us) / 1e6,
           (unsigned long long)b->receives, (unsigned long long)b->sends,
           (unsigned long long)b->waits, (double)(server_ns(b) - b->server_begin_ns) / 1e9);
}

void bench_fill_pattern(void *memory, uint64_t offset, size_t bytes) {
    for (size_t i = 0; i < bytes; i += 8) {
        uint64_t word = (offset + i) % BENCH_PATTERN_BYTES;
        memcpy((unsigned char *)memory + i, &word, 8);
    }
}

bool bench_is_pattern(const void *memory, uint64_t offset, size_t bytes) {
    for (size_t i = 0; i < bytes; i += 8) {
        uint64_t word = (offset + i) % BENCH_PATTERN_BYTES;
        if (memcmp((const unsigned char *)memory + i, &word, 8) != 0)
            return false;
    }
    return true;
}

static struct sockaddr_in address_of(const struct bench *b) {
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons((uint16_t)b->port)};
    if (inet_pton(AF_INET, b->host, &addr.sin_addr) != 1)
        bench_die("--host: not an IPv4 address");
    return addr;
}

int bench_connect(const struct bench *b) {
    struct sockaddr_in addr = address_of(b);
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof addr) < 0)
        bench_die("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

int bench_listen(const struct bench *b) {
    struct sockaddr_in addr = address_of(b);
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    signal(SIGPIPE, SIG_IGN); /* a client that leaves in the middle of an answer */
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof addr) < 0 || listen(fd, 8) < 0)
        bench_die("listen");
    return fd;
}
