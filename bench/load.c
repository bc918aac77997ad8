/* Load for a target: so many sessions at once, from one process and one thread, each core's
 * initiator over a socket. What they do is the first word:
 *
 *   read     depth reads in flight in each session
 *   login    log in and out again, for as long as the run is; an I/O is a login
 *   hold     log in, print a line, and do nothing until standard input ends
 *   write    one session: --count random writes, the same ones with the same --seed; a flush after
 *            each 64, and at the end
 *   slow     as hold, with depth reads in flight in each session whose answers nobody takes
 *   storm    as machines that boot at once: each session, to the target that --target= and its
 *            number name, logs in, reads --bytes= of its disk, writes 64 KiB, and logs out
 */
#include "bench.h"
#include "core/initiator/initiator.h"
#include "core/initiator/initiator_session.h"
#include "core/scsi/scsi.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { RX_BYTES = 64 << 10, PIECES_MAX = 256, EVENTS_MAX = 64, FLUSH_EACH = 64 };

struct load;

struct reader {
    struct load *load;
    struct lb_initiator session;
    int fd;
    bool is_ready, is_out;
    uint8_t isid[6];
    struct lb_initiator_task *tasks; /* depth of them */
    uint64_t next_byte;              /* of a storm */
    unsigned reads_left, tries;
};

struct load {
    struct bench bench;
    const char *what;
    unsigned sessions, count;
    uint64_t seed, bytes; /* bytes: that each machine of a storm reads */
    struct lb_rand rand;
    uint32_t block_bytes;
    int epoll;
    struct reader *readers;
};

_Noreturn void lb_assert_failed(const char *file, int line, const char *what) {
    fprintf(stderr, "%s:%d: %s\n", file, line, what);
    abort();
}

_Noreturn static void die(const char *what) {
    errno = 0;
    bench_die(what);
}

static bool does(const struct load *load, const char *what) {
    return strcmp(load->what, what) == 0;
}

/* ---- a session ---- */

static void start_session(struct reader *r, uint64_t now_us) {
    const struct bench *b = &r->load->bench;
    static uint8_t *rooms;
    struct lb_initiator_config config = {.queue_depth = b->depth, .ping_ms = UINT32_MAX};
    size_t number = (size_t)(r - r->load->readers);
    if (rooms == NULL)
        rooms = malloc((size_t)r->load->sessions * RX_BYTES);
    if (rooms == NULL)
        bench_die("memory");
    memcpy(config.isid, r->isid, sizeof config.isid);
    snprintf(config.initiator, sizeof config.initiator, "iqn.2026-11.test:load");
    if (does(r->load, "storm"))
        snprintf(config.target, sizeof config.target, "%s%zu", b->target, number);
    else
        snprintf(config.target, sizeof config.target, "%s", b->target);
    config.portal.addr = lb_addr_v4(127, 0, 0, 1); /* bench_connect knows better */
    config.portal.port = (uint16_t)b->port;
    r->is_ready = r->is_out = false;
    lb_initiator_init(&r->session, now_us, &config, lb_span(rooms + number * RX_BYTES, RX_BYTES),
                      &r->load->rand, NULL);
    lb_initiator_start(&r->session, now_us);
}

static void connect_session(struct reader *r, uint64_t now_us) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = r};
    r->fd = bench_connect(&r->load->bench);
    epoll_ctl(r->load->epoll, EPOLL_CTL_ADD, r->fd, &event);
    lb_initiator_connected(&r->session, now_us);
}

/* Carries out what the session asks for, until it waits; then sends. */
static void serve_session(struct reader *r, uint64_t now_us) {
    for (;;) {
        struct lb_initiator_action action = lb_initiator_poll(&r->session, now_us);
        if (action.event == LB_INITIATOR_WAIT)
            break;
        if (action.event == LB_INITIATOR_CONNECT)
            connect_session(r, now_us);
        else if (action.event == LB_INITIATOR_READY)
            r->is_ready = true;
        else if (action.event == LB_INITIATOR_CLOSE)
            close(r->fd);
        else if (action.event == LB_INITIATOR_OUT) {
            r->is_out = true;
            return;
        } else
            die(lb_initiator_error(&r->session)->facts);
    }
    struct lb_bytes pieces[PIECES_MAX];
    struct iovec iov[PIECES_MAX];
    size_t count;
    while ((count = lb_initiator_gather(&r->session, pieces, PIECES_MAX)) > 0) {
        for (size_t i = 0; i < count; i++)
            iov[i] = (struct iovec){(void *)(uintptr_t)pieces[i].p, pieces[i].len};
        struct msghdr message = {.msg_iov = iov, .msg_iovlen = count};
        ssize_t n = sendmsg(r->fd, &message, MSG_NOSIGNAL);
        if (n < 0)
            bench_die("send");
        lb_initiator_sent(&r->session, now_us, (size_t)n);
    }
}

static void receive(struct reader *r, uint64_t now_us) {
    struct lb_span spans[2];
    struct iovec iov[2];
    size_t count = lb_initiator_where(&r->session, spans);
    for (size_t i = 0; i < count; i++)
        iov[i] = (struct iovec){spans[i].p, spans[i].len};
    struct msghdr message = {.msg_iov = iov, .msg_iovlen = count};
    ssize_t n = count > 0 ? recvmsg(r->fd, &message, MSG_DONTWAIT) : -1;
    if (n > 0)
        lb_initiator_got(&r->session, now_us, (size_t)n);
    else if (n == 0)
        lb_initiator_lost(&r->session, now_us, LB_LOST_CLOSED);
}

static struct lb_initiator_task *take_completed(struct reader *r) {
    struct lb_initiator_task *task = lb_initiator_completed(&r->session);
    if (task != NULL && (task->state != LB_TASK_DONE || task->response != 0))
        die(lb_initiator_error(&r->session)->facts);
    return task;
}

/* One pass over all sessions that have something. */
static uint64_t turn(struct load *load) {
    struct epoll_event events[EVENTS_MAX];
    int count = epoll_wait(load->epoll, events, EVENTS_MAX, 10000);
    uint64_t now_us = bench_now_us();
    if (count <= 0)
        die("nothing came for 10 s");
    for (int i = 0; i < count; i++) {
        struct reader *r = events[i].data.ptr;
        receive(r, now_us);
        serve_session(r, now_us);
    }
    return now_us;
}

/* ---- commands ---- */

/* Runs one command on its own. The first may meet a UNIT ATTENTION. */
static void run_command(struct reader *r, struct lb_initiator_task *task) {
    memset(task->lun, 0, sizeof task->lun);
    task->lun[1] = (uint8_t)r->load->bench.lun;
    for (int tries = 0; tries < 5; tries++) {
        uint64_t now_us = bench_now_us();
        lb_initiator_submit(&r->session, now_us, task);
        serve_session(r, now_us);
        while (take_completed(r) == NULL)
            turn(r->load);
        if (task->status == LB_SCSI_GOOD)
            return;
    }
    die("a command failed");
}

static uint64_t disk_bytes(struct reader *r) {
    uint8_t reply[LB_SCSI_CAPACITY_16_BYTES];
    struct lb_scsi_capacity capacity;
    struct lb_initiator_task *task = &r->tasks[0];
    lb_scsi_cdb_read_capacity_16(task->cdb, sizeof reply);
    task->in = lb_span(reply, sizeof reply);
    run_command(r, task);
    if (!lb_scsi_decode_capacity_16(lb_bytes(reply, task->in_len), &capacity))
        die("READ CAPACITY");
    r->load->block_bytes = capacity.block_bytes;
    task->in = lb_span(NULL, 0);
    return capacity.blocks * capacity.block_bytes;
}

static void submit_read(struct reader *r, uint64_t now_us, struct lb_initiator_task *task) {
    struct bench *b = &r->load->bench;
    memset(task->lun, 0, sizeof task->lun);
    task->lun[1] = (uint8_t)b->lun;
    task->user = bench_next_offset(b);
    lb_scsi_cdb_read(task->cdb, task->user / r->load->block_bytes, b->size / r->load->block_bytes);
    lb_initiator_submit(&r->session, now_us, task);
}

static void log_all_in(struct load *load) {
    uint64_t now_us = bench_now_us();
    for (unsigned i = 0; i < load->sessions; i++) {
        start_session(&load->readers[i], now_us);
        serve_session(&load->readers[i], now_us);
        while (!load->readers[i].is_ready)
            turn(load);
    }
}

/* ---- what is done ---- */

static void begin_reads(struct load *load) {
    static uint8_t *room; /* of all: nobody looks at what was read */
    struct bench *b = &load->bench;
    room = room != NULL ? room : malloc(b->size);
    for (unsigned i = 0; i < load->sessions; i++)
        (void)disk_bytes(&load->readers[i]); /* its unit attention is over */
    for (unsigned i = 0; i < load->sessions; i++) {
        struct reader *r = &load->readers[i];
        for (uint32_t k = 0; k < b->depth; k++) {
            r->tasks[k].in = lb_span(room, b->size);
            submit_read(r, bench_now_us(), &r->tasks[k]);
        }
        serve_session(r, bench_now_us());
    }
}

static void take_reads(struct reader *r, uint64_t now_us, uint64_t *completed) {
    struct lb_initiator_task *task;
    while ((task = take_completed(r)) != NULL) {
        if (task->status != LB_SCSI_GOOD || task->in_len != r->load->bench.size)
            die("a read failed");
        submit_read(r, now_us, task);
        ++*completed;
    }
}

static void run_reads(struct load *load) {
    struct epoll_event events[EVENTS_MAX];
    begin_reads(load);
    for (;;) {
        uint64_t completed = 0, now_us;
        int count = epoll_wait(load->epoll, events, EVENTS_MAX, 10000);
        if (count <= 0)
            die("nothing came for 10 s");
        now_us = bench_now_us();
        for (int i = 0; i < count; i++) {
            struct reader *r = events[i].data.ptr;
            receive(r, now_us);
            serve_session(r, now_us);
            take_reads(r, now_us, &completed);
            serve_session(r, now_us);
        }
        if (completed > 0 && !bench_completed(&load->bench, completed))
            return;
    }
}

static void run_logins(struct load *load) {
    uint64_t now_us = bench_now_us();
    bench_begin(&load->bench, 0);
    for (unsigned i = 0; i < load->sessions; i++) {
        start_session(&load->readers[i], now_us);
        serve_session(&load->readers[i], now_us);
    }
    for (;;) {
        uint64_t completed = 0;
        now_us = turn(load);
        for (unsigned i = 0; i < load->sessions; i++) {
            struct reader *r = &load->readers[i];
            if (r->is_ready) {
                r->is_ready = false;
                lb_initiator_logout(&r->session, now_us);
                serve_session(r, now_us);
            }
            if (r->is_out) {
                start_session(r, now_us);
                serve_session(r, now_us);
                completed++;
            }
        }
        if (completed > 0 && !bench_completed(&load->bench, completed))
            return;
    }
}

static void hold(void) {
    char byte;
    printf("held\n");
    fflush(stdout);
    while (read(STDIN_FILENO, &byte, 1) > 0)
        ;
}

static void flush(struct reader *r) {
    struct lb_initiator_task *task = &r->tasks[0];
    task->out = lb_bytes(NULL, 0);
    lb_scsi_cdb_synchronize_cache(task->cdb, false);
    run_command(r, task);
}

static void run_writes(struct load *load) {
    struct reader *r = &load->readers[0];
    struct bench *b = &load->bench;
    uint8_t *bytes = malloc(b->size);
    b->random = true;
    b->random_state = load->seed;
    for (unsigned i = 0; i < load->count; i++) {
        struct lb_initiator_task *task = &r->tasks[0];
        memset(bytes, (int)(i & 0xff), b->size);
        lb_scsi_cdb_write(task->cdb, bench_next_offset(b) / load->block_bytes,
                          b->size / load->block_bytes, false);
        task->out = lb_bytes(bytes, b->size);
        run_command(r, task);
        if (i % FLUSH_EACH == FLUSH_EACH - 1 || i + 1 == load->count)
            flush(r);
        (void)bench_completed(b, 1);
    }
    free(bytes);
}

/* ---- a storm ---- */

enum { STORM_BLOCK = 512, STORM_WRITE = 65536, STORM_TRIES = 10 };

static void submit_next(struct reader *r, uint64_t now_us, struct lb_initiator_task *task) {
    static uint8_t *room; /* of all: nobody looks at what was read */
    struct bench *b = &r->load->bench;
    room = room != NULL ? room : malloc(b->size);
    task->in = lb_span(room, b->size);
    lb_scsi_cdb_read(task->cdb, r->next_byte / STORM_BLOCK, b->size / STORM_BLOCK);
    r->next_byte += b->size;
    lb_initiator_submit(&r->session, now_us, task);
}

static void submit_own(struct reader *r, uint64_t now_us, struct lb_initiator_task *task) {
    static uint8_t own[STORM_WRITE];
    task->in = lb_span(NULL, 0);
    task->out = lb_bytes(own, sizeof own);
    lb_scsi_cdb_write(task->cdb, 0, STORM_WRITE / STORM_BLOCK, false);
    lb_initiator_submit(&r->session, now_us, task);
}

static void begin_boot(struct reader *r, uint64_t now_us) {
    r->is_ready = false;
    r->reads_left = (unsigned)(r->load->bytes / r->load->bench.size);
    for (uint32_t k = 0; k < r->load->bench.depth && r->next_byte < r->load->bytes; k++) {
        r->tasks[k].lun[1] = (uint8_t)r->load->bench.lun;
        submit_next(r, now_us, &r->tasks[k]);
    }
}

static void go_on_booting(struct reader *r, uint64_t now_us) {
    struct lb_initiator_task *task;
    while ((task = take_completed(r)) != NULL) {
        if (task->status != LB_SCSI_GOOD) { /* a unit attention, at first */
            if (++r->tries > STORM_TRIES)
                die("a command failed");
            lb_initiator_submit(&r->session, now_us, task);
        } else if (task->out.len > 0) {
            lb_initiator_logout(&r->session, now_us);
        } else if (r->next_byte < r->load->bytes) {
            r->reads_left--;
            submit_next(r, now_us, task);
        } else if (--r->reads_left == 0) {
            submit_own(r, now_us, task);
        }
    }
}

static void run_storm(struct load *load) {
    struct epoll_event events[EVENTS_MAX];
    unsigned left = load->sessions;
    bench_begin(&load->bench, 0);
    load->bench.warm = true; /* all of it counts */
    for (unsigned i = 0; i < load->sessions; i++) {
        start_session(&load->readers[i], bench_now_us());
        serve_session(&load->readers[i], bench_now_us());
    }
    while (left > 0) {
        int count = epoll_wait(load->epoll, events, EVENTS_MAX, 20000);
        uint64_t now_us = bench_now_us();
        if (count <= 0)
            die("nothing came for 20 s");
        for (int i = 0; i < count; i++) {
            struct reader *r = events[i].data.ptr;
            receive(r, now_us);
            serve_session(r, now_us);
            if (r->is_ready)
                begin_boot(r, now_us);
            go_on_booting(r, now_us);
            if (!r->is_out)
                serve_session(r, now_us);
            left -= r->is_out;
        }
    }
    (void)bench_completed(&load->bench, load->sessions);
}

/* ---- begin ---- */

static unsigned number_of(const char *arg, const char *name, unsigned otherwise) {
    size_t len = strlen(name);
    return strncmp(arg, name, len) == 0 ? (unsigned)strtoul(arg + len, NULL, 0) : otherwise;
}

/* Options of this program; the rest is bench_options'. */
static void take_options(struct load *load, int argc, char **argv) {
    char *rest[32];
    int count = 0;
    rest[count++] = argv[0];
    load->what = argc > 1 ? argv[1] : "";
    load->sessions = 1;
    load->count = 8192;
    load->seed = 1;
    for (int i = 2; i < argc && count < 31; i++) {
        load->sessions = number_of(argv[i], "--sessions=", load->sessions);
        load->count = number_of(argv[i], "--count=", load->count);
        load->seed = number_of(argv[i], "--seed=", (unsigned)load->seed);
        load->bytes = number_of(argv[i], "--bytes=", (unsigned)load->bytes);
        if (number_of(argv[i], "--sessions=", 0) == 0 && number_of(argv[i], "--count=", 0) == 0 &&
            number_of(argv[i], "--seed=", 0) == 0 && number_of(argv[i], "--bytes=", 0) == 0)
            rest[count++] = argv[i];
    }
    bench_options(&load->bench, count, rest);
}

static void set_up(struct load *load) {
    uint8_t seed[LB_RAND_SEED_BYTES];
    struct rlimit files = {16384, 16384};
    (void)setrlimit(RLIMIT_NOFILE, &files);
    if (getrandom(seed, sizeof seed, 0) != sizeof seed)
        bench_die("getrandom");
    lb_rand_init(&load->rand, seed);
    load->epoll = epoll_create1(EPOLL_CLOEXEC);
    load->readers = calloc(load->sessions, sizeof *load->readers);
    if (load->readers == NULL || load->epoll < 0)
        bench_die("set up");
    for (unsigned i = 0; i < load->sessions; i++) {
        struct reader *r = &load->readers[i];
        r->load = load;
        r->tasks = calloc(load->bench.depth, sizeof *r->tasks);
        r->isid[0] = 0x80;
        r->isid[3] = seed[0]; /* of this run */
        r->isid[4] = (uint8_t)(i >> 8);
        r->isid[5] = (uint8_t)i;
    }
}

int main(int argc, char **argv) {
    static struct load load;
    take_options(&load, argc, argv);
    set_up(&load);
    bool logs_in = does(&load, "login") || does(&load, "storm");
    if (!logs_in)
        log_all_in(&load);
    if (!logs_in && !does(&load, "hold"))
        bench_begin(&load.bench, disk_bytes(&load.readers[0]));
    if (does(&load, "read"))
        run_reads(&load);
    else if (does(&load, "login"))
        run_logins(&load);
    else if (does(&load, "storm"))
        run_storm(&load);
    else if (does(&load, "write"))
        run_writes(&load);
    else if (does(&load, "slow") || does(&load, "hold")) {
        if (does(&load, "slow"))
            begin_reads(&load);
        hold();
        return 0;
    } else
        die("what: read, login, hold, write, slow or storm");
    bench_print(&load.bench, load.what);
    return 0;
}
