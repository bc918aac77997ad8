/* Ours: core's initiator over a socket, depth reads in flight, each into a buffer of its own. The
 * loop is the one that NOTES.md recommends: one send for all requests, one receive for what has
 * come, no wait before a receive that succeeds. */
#include "bench.h"
#include "core/initiator/initiator.h"
#include "core/initiator/initiator_session.h"
#include "core/scsi/scsi.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

enum { RX_BYTES = 256 << 10, PIECES_MAX = 256 };

struct reader {
    struct bench bench;
    struct lb_initiator session;
    struct lb_rand rand;
    uint32_t block_bytes;
    int fd;
    struct lb_initiator_task tasks[BENCH_DEPTH_MAX];
};

_Noreturn void lb_assert_failed(const char *file, int line, const char *what) {
    fprintf(stderr, "%s:%d: %s\n", file, line, what);
    abort();
}

_Noreturn static void die_of(const struct lb_error *error) {
    errno = 0;
    bench_die(error->facts);
}

/* Carries out what the session asks for, until it waits. */
static void serve_session(struct reader *r, uint64_t now_us) {
    for (;;) {
        struct lb_initiator_action action = lb_initiator_poll(&r->session, now_us);
        switch (action.event) {
        case LB_INITIATOR_WAIT:
            return;
        case LB_INITIATOR_CONNECT:
            r->fd = bench_connect(&r->bench);
            lb_initiator_connected(&r->session, now_us);
            break;
        case LB_INITIATOR_READY:
            break;
        case LB_INITIATOR_CLOSE:
            close(r->fd);
            break;
        case LB_INITIATOR_RESOLVE:
        case LB_INITIATOR_OUT:
        case LB_INITIATOR_FAILED:
            die_of(lb_initiator_error(&r->session));
        }
    }
}

static void send_gathered(struct reader *r, uint64_t now_us) {
    for (;;) {
        struct lb_bytes pieces[PIECES_MAX];
        struct iovec iov[PIECES_MAX];
        size_t count = lb_initiator_gather(&r->session, pieces, PIECES_MAX);
        if (count == 0)
            return;
        for (size_t i = 0; i < count; i++)
            iov[i] = (struct iovec){(void *)(uintptr_t)pieces[i].p, pieces[i].len};
        struct msghdr message = {.msg_iov = iov, .msg_iovlen = count};
        r->bench.sends++;
        ssize_t n = sendmsg(r->fd, &message, MSG_NOSIGNAL);
        if (n < 0)
            bench_die("send");
        lb_initiator_sent(&r->session, now_us, (size_t)n);
    }
}

/* One pass of the loop: sends, receives, and gives the time of the next. */
static uint64_t turn(struct reader *r, uint64_t now_us, uint64_t answers) {
    struct lb_span spans[2];
    struct iovec iov[2];
    serve_session(r, now_us);
    send_gathered(r, now_us);
    size_t count = lb_initiator_where(&r->session, spans);
    if (count == 0)
        return bench_now_us();
    for (size_t i = 0; i < count; i++)
        iov[i] = (struct iovec){spans[i].p, spans[i].len};
    size_t n = bench_receive(&r->bench, r->fd, iov, count, answers);
    now_us = bench_now_us();
    lb_initiator_got(&r->session, now_us, n);
    return now_us;
}

static struct lb_initiator_task *take_completed(struct reader *r) {
    struct lb_initiator_task *task = lb_initiator_completed(&r->session);
    if (!task)
        return NULL;
    if (task->state != LB_TASK_DONE || task->response != 0)
        die_of(lb_initiator_error(&r->session));
    return task;
}

/* Runs one command on its own. The first may meet a UNIT ATTENTION. */
static void run_command(struct reader *r, struct lb_initiator_task *task) {
    for (int tries = 0; tries < 5; tries++) {
        uint64_t now_us = bench_now_us();
        lb_initiator_submit(&r->session, now_us, task);
        do
            now_us = turn(r, now_us, 1);
        while (!take_completed(r));
        if (task->status == LB_SCSI_GOOD)
            return;
    }
    errno = 0;
    bench_die("a command failed");
}

static void set_lun(struct lb_initiator_task *task, const struct bench *b) {
    memset(task->lun, 0, sizeof task->lun);
    task->lun[1] = (uint8_t)b->lun;
}

static uint64_t disk_bytes(struct reader *r) {
    uint8_t reply[LB_SCSI_CAPACITY_16_BYTES];
    struct lb_scsi_capacity capacity;
    struct lb_initiator_task *task = &r->tasks[0];
    set_lun(task, &r->bench);
    lb_scsi_cdb_read_capacity_16(task->cdb, sizeof reply);
    task->in = lb_span(reply, sizeof reply);
    run_command(r, task);
    if (!lb_scsi_decode_capacity_16(lb_bytes(reply, task->in_len), &capacity))
        bench_die("READ CAPACITY");
    r->block_bytes = capacity.block_bytes;
    return capacity.blocks * capacity.block_bytes;
}

static void submit_read(struct reader *r, uint64_t now_us, struct lb_initiator_task *task) {
    task->user = bench_next_offset(&r->bench);
    lb_scsi_cdb_read(task->cdb, task->user / r->block_bytes, r->bench.size / r->block_bytes);
    lb_initiator_submit(&r->session, now_us, task);
}

static void check_read(struct reader *r, const struct lb_initiator_task *task) {
    errno = 0;
    if (task->status != LB_SCSI_GOOD || task->in_len != r->bench.size)
        bench_die("a read failed");
    if (r->bench.verify && !bench_is_pattern(task->in.p, task->user, task->in_len))
        bench_die("a read brought wrong data");
}

static void run(struct reader *r) {
    uint64_t now_us = bench_now_us(), answers = r->bench.depth;
    for (uint32_t i = 0; i < r->bench.depth; i++) {
        set_lun(&r->tasks[i], &r->bench);
        r->tasks[i].in = lb_span(malloc(r->bench.size), r->bench.size);
        submit_read(r, now_us, &r->tasks[i]);
    }
    for (;;) {
        struct lb_initiator_task *task;
        uint64_t completed = 0;
        now_us = turn(r, now_us, answers);
        while ((task = take_completed(r))) {
            check_read(r, task);
            submit_read(r, now_us, task);
            completed++;
        }
        if (completed == 0)
            continue;
        answers = completed;
        if (!bench_completed(&r->bench, completed))
            return;
    }
}

static void start_session(struct reader *r) {
    uint8_t seed[LB_RAND_SEED_BYTES];
    struct lb_initiator_config config = {
        .isid = {0x80, 1, 2, 3, 4, 5},
        .queue_depth = r->bench.depth,
    };
    if (getrandom(seed, sizeof seed, 0) != sizeof seed)
        bench_die("getrandom");
    snprintf(config.initiator, sizeof config.initiator, "iqn.2026-11.test:ours");
    snprintf(config.target, sizeof config.target, "%s", r->bench.target);
    config.portal.addr = lb_addr_v4(127, 0, 0, 1); /* bench_connect knows better */
    config.portal.port = (uint16_t)r->bench.port;
    lb_rand_init(&r->rand, seed);
    lb_initiator_init(&r->session, bench_now_us(), &config, lb_span(malloc(RX_BYTES), RX_BYTES),
                      &r->rand, NULL);
    lb_initiator_start(&r->session, bench_now_us());
}

int main(int argc, char **argv) {
    static struct reader r;
    bench_options(&r.bench, argc, argv);
    start_session(&r);
    bench_begin(&r.bench, disk_bytes(&r));
    run(&r);
    bench_print(&r.bench, "lunboot");
    return 0;
}
