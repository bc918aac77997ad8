/* The null target: core's target half over sockets, with a disk that is a pattern in memory, read
 * only in effect: what is written goes to a place of no consequence. Any initiator can be measured
 * against it. It receives all that has come, answers with as few gathered sends as it can, and
 * waits a moment before it sleeps, so that its own waking is not what is measured. */
#include "bench.h"
#include "core/target/target.h"
#include "core/target/target_rooms.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    RX_BYTES = 256 << 10,
    PIECES_MAX = 256,
    BLOCK_BYTES = 512,
    IO_MAX_BYTES = 16 << 20, /* the longest transfer that iSCSI has */
    TURN_US = 10000,         /* of one connection, before another has its turn */
};

#define DISK_BYTES (UINT64_C(1) << 40)

struct peer {
    struct lb_target_conn conn;
    int fd;
    bool is_blocked; /* the socket takes no more: wait until it does */
    uint64_t sent;   /* bytes */
    unsigned char rx[RX_BYTES];
    struct lb_target_rooms rooms;
};

struct null_target {
    struct lb_target node;
    struct lb_scsi_unit lun;
    struct lb_target_server server;
    struct lb_rand rand;
    struct lb_endpoint local;
    unsigned char *disk;    /* the pattern, and IO_MAX_BYTES more of it */
    unsigned char *written; /* IO_MAX_BYTES for what nobody wants */
    int epoll;
    unsigned peers;
    uint64_t spin_us;
};

_Noreturn void lb_assert_failed(const char *file, int line, const char *what) {
    fprintf(stderr, "%s:%d: %s\n", file, line, what);
    abort();
}

static struct lb_target_answer answer_io(const struct null_target *t,
                                         const struct lb_target_io *io) {
    struct lb_target_answer answer = {0};
    if (io->kind == LB_IO_READ)
        answer.memory = lb_span(t->disk + io->lba * BLOCK_BYTES % BENCH_PATTERN_BYTES, io->len);
    else if (io->kind == LB_IO_BUFFER) /* also apart: nobody reads it again */
        answer.memory = lb_span(t->written, io->len);
    return answer;
}

/* Sends what waits; false when the connection is gone. */
static bool send_gathered(struct peer *p, uint64_t now_us) {
    struct lb_bytes pieces[PIECES_MAX];
    struct iovec iov[PIECES_MAX];
    size_t count = lb_target_gather(&p->conn, pieces, PIECES_MAX);
    if (count == 0)
        return true;
    for (size_t i = 0; i < count; i++)
        iov[i] = (struct iovec){(void *)(uintptr_t)pieces[i].p, pieces[i].len};
    struct msghdr message = {.msg_iov = iov, .msg_iovlen = count};
    ssize_t n = sendmsg(p->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    p->is_blocked = n < 0 && errno == EAGAIN;
    if (n > 0) {
        lb_target_sent(&p->conn, now_us, (size_t)n);
        p->sent += (uint64_t)n;
    }
    return n >= 0 || p->is_blocked;
}

/* Does what the machine asks for, until it waits; false when the connection is over. */
static bool serve_conn(struct null_target *t, struct peer *p, uint64_t now_us) {
    while (!p->is_blocked) {
        struct lb_target_action action = lb_target_poll(&p->conn, now_us);
        switch (action.event) {
        case LB_TARGET_WAIT:
            return true;
        case LB_TARGET_LEND:
            lb_target_rooms_lend(&p->rooms, &p->conn, now_us, action.role);
            break;
        case LB_TARGET_WHO: /* nodes are in a table */
            return false;
        case LB_TARGET_IO:
            if (action.io->kind != LB_IO_RELEASE)
                lb_target_io_done(&p->conn, now_us, action.io, answer_io(t, action.io));
            break;
        case LB_TARGET_SEND:
            if (!send_gathered(p, now_us))
                return false;
            break;
        case LB_TARGET_CLOSE:
            return false;
        }
    }
    return true;
}

/* One receive. 0: the connection is over; less: nothing has come. */
static ssize_t receive(struct peer *p, uint64_t now_us) {
    struct lb_span spans[2];
    struct iovec iov[2];
    size_t count = lb_target_where(&p->conn, spans);
    if (count == 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        iov[i] = (struct iovec){spans[i].p, spans[i].len};
    struct msghdr message = {.msg_iov = iov, .msg_iovlen = count};
    ssize_t n = recvmsg(p->fd, &message, MSG_DONTWAIT);
    if (n > 0)
        lb_target_got(&p->conn, now_us, (size_t)n);
    return n < 0 && errno != EAGAIN ? 0 : n;
}

/* One pass: does what is to do, then receives. False when the connection is over; *moved: bytes
 * went or came. */
static bool turn(struct null_target *t, struct peer *p, uint64_t now_us, bool *moved) {
    uint64_t sent = p->sent;
    p->is_blocked = false;
    if (!serve_conn(t, p, now_us))
        return false;
    ssize_t n = p->is_blocked ? -1 : receive(p, now_us);
    *moved = n > 0 || p->sent != sent;
    return n != 0;
}

/* Serves the connection while something moves, and, where it is the only one, a moment longer.
 * False when it is over. */
static bool serve_peer(struct null_target *t, struct peer *p) {
    uint64_t now_us = bench_now_us(), moved_us = now_us, end_us = now_us + TURN_US;
    while (now_us < end_us) {
        bool moved;
        if (!turn(t, p, now_us, &moved))
            return false;
        now_us = bench_now_us();
        if (moved)
            moved_us = now_us;
        else if (t->peers > 1 || now_us - moved_us >= t->spin_us)
            return true;
    }
    return serve_conn(t, p, now_us);
}

static void watch(struct null_target *t, struct peer *p, int operation) {
    struct epoll_event event = {.events = p->is_blocked ? EPOLLOUT : EPOLLIN, .data.ptr = p};
    epoll_ctl(t->epoll, operation, p->fd, &event);
}

static void accept_peer(struct null_target *t, int listener) {
    int on = 1, fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    struct peer *p = fd < 0 ? NULL : calloc(1, sizeof *p);
    if (!p)
        return;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    p->fd = fd;
    lb_target_conn_init(&p->conn, bench_now_us(), &t->server, t->local, &t->rand, NULL);
    lb_target_lend(&p->conn, bench_now_us(), LB_TARGET_STAGING, lb_span(p->rx, sizeof p->rx));
    watch(t, p, EPOLL_CTL_ADD);
    t->peers++;
}

static void drop_peer(struct null_target *t, struct peer *p) {
    t->peers--;
    lb_target_conn_end(&p->conn);
    close(p->fd);
    free(p);
}

static void run(struct null_target *t, int listener) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    epoll_ctl(t->epoll, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int count = epoll_wait(t->epoll, &event, 1, -1);
        if (count < 0 && errno == EINTR)
            continue;
        if (count != 1)
            bench_die("epoll_wait");
        struct peer *p = event.data.ptr;
        if (!p) {
            accept_peer(t, listener);
            continue;
        }
        bool was_blocked = p->is_blocked;
        if (!serve_peer(t, p))
            drop_peer(t, p);
        else if (p->is_blocked != was_blocked)
            watch(t, p, EPOLL_CTL_MOD);
    }
}

static void set_up(struct null_target *t, const struct bench *b) {
    uint8_t seed[LB_RAND_SEED_BYTES];
    if (getrandom(seed, sizeof seed, 0) != sizeof seed)
        bench_die("getrandom");
    lb_rand_init(&t->rand, seed);
    snprintf(t->node.name, sizeof t->node.name, "%s", b->target);
    t->node.window = LB_TARGET_WINDOW_MAX;
    t->node.max_burst = (1 << 24) - 512;
    t->lun = (struct lb_scsi_unit){.blocks = DISK_BYTES / BLOCK_BYTES, .block_bytes = BLOCK_BYTES};
    t->node.luns[b->lun] = &t->lun;
    t->server = (struct lb_target_server){.nodes = &t->node, .node_count = 1, .keeps_memory = true};
    t->local = (struct lb_endpoint){lb_addr_v4(127, 0, 0, 1), (uint16_t)b->port};
    t->disk = malloc(BENCH_PATTERN_BYTES + IO_MAX_BYTES);
    t->written = malloc(IO_MAX_BYTES);
    t->epoll = epoll_create1(EPOLL_CLOEXEC);
    t->spin_us = b->sleeps ? 0 : BENCH_SPIN_US;
    if (!t->disk || !t->written || t->epoll < 0)
        bench_die("set up");
    bench_fill_pattern(t->disk, 0, BENCH_PATTERN_BYTES + IO_MAX_BYTES);
}

int main(int argc, char **argv) {
    static struct null_target t;
    struct bench b;
    bench_options(&b, argc, argv);
    set_up(&t, &b);
    run(&t, bench_listen(&b));
}
