/* The threads that serve sessions, with real sockets: which of them gets a session, that none
 * sleeps while it has something to do, that a disk which does not answer delays its own machine
 * alone, and that they end in the middle of their work. */
#include "os/linux/clock.h"
#include "server/lock.h"
#include "server/session.h"
#include "server/workers.h"
#include "tests/tap.h"
#include <netinet/in.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define WAIT_MS   5000 /* for what is due at once: a computer may be busy */
#define BHS       48
#define LOGIN_OUT 0x43 /* immediate (RFC 7143 11.12) */
#define NOP_OUT   0x40
#define ROUNDS    2000
#define COMMAND   0x01
#define SOON_MS   1000 /* in time, on a busy computer; a disk is held for longer */

static struct lb_server_settings settings;
static struct lb_server_machines machines;
static struct lb_server_target target; /* the main thread's: the test's own */
static struct lb_server_error error;
static struct sockaddr_in portal;
static char disk[] = "/tmp/lb-test-workers-XXXXXX", other_disk[] = "/tmp/lb-test-workers-XXXXXX",
            third_disk[] = "/tmp/lb-test-workers-XXXXXX";

/* ---- a disk that does not answer: the linker has its calls come here ---- */

static atomic_int held_fd = -1;
static atomic_uint held_calls; /* so many wait */

static void wait_for_disk(int fd) {
    if (atomic_load(&held_fd) != fd)
        return;
    atomic_fetch_add(&held_calls, 1);
    while (atomic_load(&held_fd) == fd)
        usleep(200);
    atomic_fetch_sub(&held_calls, 1);
}

ssize_t __real_pread64(int fd, void *to, size_t len, off64_t offset);
ssize_t __wrap_pread64(int fd, void *to, size_t len, off64_t offset);
int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);

ssize_t __wrap_pread64(int fd, void *to, size_t len, off64_t offset) {
    wait_for_disk(fd);
    return __real_pread64(fd, to, len, offset);
}

int __wrap_fdatasync(int fd) {
    wait_for_disk(fd);
    return __real_fdatasync(fd);
}

/* ---- the server's side ---- */

static void make_disk(char *path) {
    static const uint8_t block[4096];
    strcpy(strchr(path, 0) - 6, "XXXXXX");
    int fd = mkstemp(path);
    CHECK(fd >= 0 && write(fd, block, sizeof block) == sizeof block);
    close(fd);
}

static void open_portal(void) {
    socklen_t len = sizeof portal;
    portal = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    CHECK(bind(fd, (struct sockaddr *)&portal, sizeof portal) == 0 && listen(fd, 64) == 0);
    CHECK(getsockname(fd, (struct sockaddr *)&portal, &len) == 0);
    target.source.fd = fd;
    CHECK(lb_server_watch(target.epoll, &target.source, EPOLLIN));
}

static void open_all(unsigned threads) {
    char text[1000];
    make_disk(disk);
    make_disk(other_disk);
    make_disk(third_disk);
    snprintf(text, sizeof text,
             "interface=lo\ntarget=iqn.x:t\nwrites=direct\nunknown=ignore\n"
             "[machine anna]\nmac=02:00:00:00:00:01\ndisk=%s\n"
             "[machine bert]\nmac=02:00:00:00:00:02\ndisk=%s\n"
             "[machine carl]\nmac=02:00:00:00:00:03\ndisk=%s\n",
             disk, other_disk, third_disk);
    error = (struct lb_server_error){0};
    lb_server_settings_init(&settings);
    CHECK(lb_server_settings_read(&settings, lb_bytes_of_text(text), "test", &error));
    CHECK(lb_server_machines_open(&machines, &settings, NULL, &error));
    CHECK(lb_server_target_begin(&target, epoll_create1(EPOLL_CLOEXEC), NULL, &error));
    target.machines = &machines;
    target.portal = (struct lb_endpoint){.addr = lb_addr_v4(127, 0, 0, 1), .port = 3260};
    lb_budget_init(&target.budget, 64 << 20, LB_SERVER_SESSIONS_MAX);
    CHECK(lb_server_workers_open(&target, threads, &error));
    CHECK_STR(error.what, "");
    CHECK_EQ(target.worker_count, threads > 1 ? threads : 0);
    open_portal();
}

static void close_all(void) {
    int epoll = target.epoll;
    lb_server_target_close(&target);
    CHECK_EQ(target.worker_count, 0);
    CHECK(target.sessions == NULL);
    close(epoll);
    lb_server_machines_close(&machines);
    unlink(disk);
    unlink(other_disk);
    unlink(third_disk);
}

/* A turn of the main thread: waits for at most so long. */
static void turn(int wait_ms) {
    struct epoll_event events[16];
    int count = epoll_wait(target.epoll, events, 16, wait_ms);
    lb_lock_exclusive();
    for (int i = 0; i < count; i++) {
        struct lb_server_source *source = events[i].data.ptr;
        if (source == &target.source)
            lb_server_target_ready(&target, source, lb_now_us());
        else if (source == &target.wakeup)
            lb_server_workers_woken(&target);
        else
            lb_server_session_ready(source, events[i].events, lb_now_us());
    }
    (void)lb_server_target_poll(&target, lb_now_us());
    lb_lock_release();
}

static unsigned count_of(unsigned worker) {
    lb_lock_exclusive();
    unsigned count = target.workers[worker].target.count;
    lb_lock_release();
    return count;
}

/* ---- a client's side ---- */

static int connect_client(void) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(connect(fd, (struct sockaddr *)&portal, sizeof portal) == 0);
    return fd;
}

static uint8_t port; /* the last byte of the ISID */

static void send_pdu(int fd, uint8_t opcode, uint8_t flags, const char *text, size_t len) {
    uint8_t pdu[BHS + 400] = {opcode, flags};
    CHECK(len <= 400);
    pdu[6] = (uint8_t)(len >> 8);
    pdu[7] = (uint8_t)len;
    pdu[8] = 0x80; /* the ISID, and the task's tag below */
    pdu[13] = port;
    pdu[19] = 1;
    if (opcode == NOP_OUT)
        memset(pdu + 8, 0, 8), memset(pdu + 20, 0xff, 4);
    memcpy(pdu + BHS, text, len);
    size_t whole = BHS + (len + 3) / 4 * 4;
    CHECK(send(fd, pdu, whole, MSG_NOSIGNAL) == (ssize_t)whole);
}

/* Names: NUL-terminated each, as they are sent. */
static void send_login(int fd, const char *names, size_t len) {
    send_pdu(fd, LOGIN_OUT, 0x87, names, len);
}
#define NAMES(machine) "InitiatorName=iqn.y:i\0TargetName=iqn.x:t:" machine "\0SessionType=Normal"

/* The next header; false: the connection is over, or nothing came. */
static bool receive_header(int fd, uint8_t header[BHS]) {
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    uint8_t rest[8192];
    if (poll(&wait, 1, WAIT_MS) != 1 || recv(fd, header, BHS, MSG_WAITALL) != BHS)
        return false;
    size_t len = ((size_t)header[6] << 8 | header[7]) + 3;
    return len < 4 || recv(fd, rest, len / 4 * 4, MSG_WAITALL) == (ssize_t)(len / 4 * 4);
}

/* Its status; -1: there is no answer. */
static int login_status(int fd) {
    uint8_t header[BHS];
    return receive_header(fd, header) && header[0] == 0x23 ? header[36] << 8 | header[37] : -1;
}

/* Logs in: the main thread's part of it is the test's. */
static int log_in(const char *names, size_t len) {
    int fd = connect_client();
    send_login(fd, names, len);
    turn(WAIT_MS);
    return fd;
}
#define LOG_IN(machine) log_in(NAMES(machine), sizeof NAMES(machine))

/* ---- hand-over ---- */

static void a_login_goes_on_in_a_worker(void) {
    open_all(2);
    int fd = LOG_IN("anna");
    CHECK_EQ(target.count, 0);
    CHECK_EQ(login_status(fd), 0); /* nobody polls the main thread: the worker was woken */
    CHECK_EQ(count_of(0) + count_of(1), 1);
    close(fd);
    close_all();
}

static void sessions_of_a_machine_meet_and_others_spread(void) {
    open_all(2);
    int fds[4] = {LOG_IN("anna"), LOG_IN("bert"), LOG_IN("anna"), -1};
    for (int i = 0; i < 3; i++)
        CHECK(login_status(fds[i]) == 0 || i == 0); /* the third ends the first: RFC 7143 6.3.5 */
    lb_lock_exclusive();
    for (unsigned w = 0; w < 2; w++)
        for (const struct lb_server_session *at = target.workers[w].target.sessions; at != NULL;
             at = at->next)
            CHECK(at->machine == NULL || at->home->worker == w);
    CHECK(machines.list[0].disk->home.worker != machines.list[1].disk->home.worker);
    lb_lock_release();
    for (int i = 0; i < 3; i++)
        close(fds[i]);
    close_all();
}

static void discovery_and_what_is_not_there_stay(void) {
    static const char discovery[] = "InitiatorName=iqn.y:i\0SessionType=Discovery";
    open_all(2);
    int fd = log_in(discovery, sizeof discovery);
    CHECK_EQ(login_status(fd), 0);
    CHECK_EQ(target.count, 1);
    int none = LOG_IN("nobody");
    CHECK_EQ(login_status(none), 0x0203); /* not found */
    CHECK_EQ(count_of(0) + count_of(1), 0);
    close(fd);
    close(none);
    close_all();
}

/* ---- all places are taken ---- */

/* From this address of the loopback interface. */
static int connect_from(uint8_t last) {
    struct sockaddr_in from = {.sin_family = AF_INET,
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + last)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(bind(fd, (struct sockaddr *)&from, sizeof from) == 0);
    CHECK(connect(fd, (struct sockaddr *)&portal, sizeof portal) == 0);
    return fd;
}

/* Whether something came, or the connection has ended, within this time. */
static bool hears(int fd, unsigned turns) {
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    while (poll(&wait, 1, 0) == 0 && turns-- > 0)
        turn(1);
    return poll(&wait, 1, 0) == 1;
}

static bool is_closed(int fd, unsigned turns) {
    uint8_t byte;
    return hears(fd, turns) && recv(fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) <= 0;
}

/* Logs in from there, whatever it takes; its connection. */
static int log_in_late(uint8_t last, const char *names, size_t len, int want) {
    int fd = connect_from(last);
    send_login(fd, names, len);
    CHECK(hears(fd, WAIT_MS));
    CHECK_EQ(login_status(fd), want);
    return fd;
}
#define LOG_IN_LATE(last, machine, want)                                                           \
    log_in_late(last, NAMES(machine), sizeof NAMES(machine), want)

static void check_that_strangers_give_way(unsigned threads) {
    int fds[8];
    open_all(threads);
    target.budget.sessions_max = LB_COUNT(fds);
    fds[0] = connect_from(2); /* the first of all, but the only one from there */
    turn(WAIT_MS);
    for (unsigned i = 1; i < LB_COUNT(fds); i++) {
        fds[i] = connect_from(1);
        turn(WAIT_MS);
    }
    CHECK(!is_closed(fds[1], 5)); /* nobody wants its place */
    int late = LOG_IN_LATE(3, "anna", 0);
    CHECK(is_closed(fds[1], WAIT_MS));
    CHECK(!is_closed(fds[0], 5) && !is_closed(fds[2], 5));
    for (unsigned i = 0; i < LB_COUNT(fds); i++)
        close(fds[i]);
    close(late);
    close_all();
}

static void strangers_give_way(void) {
    check_that_strangers_give_way(1);
    check_that_strangers_give_way(2);
}

static void a_list_of_targets_is_no_place_for_ever(void) {
    static const char discovery[] = "InitiatorName=iqn.y:i\0SessionType=Discovery";
    int fds[4];
    open_all(1);
    target.budget.sessions_max = LB_COUNT(fds);
    for (unsigned i = 0; i < LB_COUNT(fds); i++, port++)
        fds[i] = log_in_late(1, discovery, sizeof discovery, 0);
    int late = LOG_IN_LATE(2, "anna", 0);
    CHECK(is_closed(fds[0], WAIT_MS) && !is_closed(fds[3], 5));
    for (unsigned i = 0; i < LB_COUNT(fds); i++)
        close(fds[i]);
    close(late);
    port = 0;
    close_all();
}

static void check_that_one_machine_leaves_places(unsigned threads) {
    int fds[29], bert[4];
    open_all(threads);
    target.budget.sessions_max = 32; /* four are few, and four places are kept */
    for (port = 1; port < LB_COUNT(fds); port++)
        fds[port] = LOG_IN_LATE(1, "anna", 0);
    fds[0] = LOG_IN_LATE(1, "anna", 0x0302); /* out of resources */
    CHECK(is_closed(fds[0], WAIT_MS));
    for (unsigned i = 0; i < LB_COUNT(bert); i++, port++)
        bert[i] = LOG_IN_LATE(1, "bert", 0);
    int full = connect_from(2);
    CHECK(is_closed(full, WAIT_MS)); /* all are logged in: nobody gives way */
    CHECK(!is_closed(fds[1], 5) && !is_closed(bert[0], 5));
    for (unsigned i = 0; i < LB_COUNT(fds); i++)
        close(fds[i]);
    for (unsigned i = 0; i < LB_COUNT(bert); i++)
        close(bert[i]);
    close(full);
    port = 0;
    close_all();
}

static void one_machine_leaves_places_for_others(void) {
    check_that_one_machine_leaves_places(1);
    check_that_one_machine_leaves_places(2);
}

/* ---- wake-ups ---- */

static atomic_bool is_over;

/* Wakes all workers without need, so that a needed one falls in all parts of their loops. */
static void *disturb(void *argument) {
    (void)argument;
    for (unsigned i = 0; !atomic_load(&is_over); i++) {
        lb_lock_shared();
        lb_server_workers_wake(&target.workers[i % 2].target);
        lb_lock_release();
        if (i % 7 == 0)
            usleep(50);
    }
    return NULL;
}

static void no_wakeup_is_lost(void) {
    pthread_t thread;
    unsigned late = 0;
    open_all(2);
    atomic_store(&is_over, false);
    CHECK_EQ(pthread_create(&thread, NULL, disturb, NULL), 0);
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint64_t begin_us = lb_now_us();
        bool have_seen = false;
        while (!have_seen && lb_now_us() < begin_us + WAIT_MS * LB_US_MS) {
            lb_lock_exclusive();
            lb_server_workers_settle(&target); /* it gives up after a while, where a core is busy */
            have_seen = target.workers[0].done == target.workers[0].asked &&
                        target.workers[1].done == target.workers[1].asked;
            lb_server_workers_go_on(&target);
            lb_lock_release();
        }
        late += !have_seen;
        if (i % 3 == 0)
            usleep(i % 101);
    }
    CHECK_EQ(late, 0);
    atomic_store(&is_over, true);
    pthread_join(thread, NULL);
    close_all();
}

static void what_a_session_is_sent_is_answered_each_time(void) {
    uint8_t header[BHS];
    open_all(2);
    int fd = LOG_IN("anna");
    CHECK_EQ(login_status(fd), 0);
    unsigned answered = 0;
    for (unsigned i = 0; i < ROUNDS; i++) {
        send_pdu(fd, NOP_OUT, 0x80, "ping", 4);
        if (!receive_header(fd, header))
            break;
        answered += header[0] == 0x20;
        if (i % 5 == 0)
            usleep(i % 89);
    }
    CHECK_EQ(answered, ROUNDS);
    close(fd);
    close_all();
}

static void who_is_dropped_by_the_main_thread_is_gone_at_once(void) {
    uint8_t header[BHS];
    open_all(2);
    int fd = LOG_IN("anna");
    CHECK_EQ(login_status(fd), 0);
    send_pdu(fd, NOP_OUT, 0x80, "ping", 4); /* it is full-feature in the worker, too */
    CHECK(receive_header(fd, header));
    lb_lock_exclusive();
    lb_server_target_eject(&target, &machines.list[0]);
    lb_lock_release();
    while (receive_header(fd, header))
        CHECK_EQ(header[0] & 0x3f, 0x32); /* at most an asynchronous message */
    CHECK_EQ(recv(fd, header, 1, MSG_DONTWAIT), 0);
    close(fd);
    close_all();
}

/* ---- a disk that does not answer ---- */

#define ANNA 0
#define CARL 2

static void hold_disk(unsigned machine) {
    atomic_store(&held_fd, machines.list[machine].disk->storage.fd);
}

static void release_disk(void) {
    atomic_store(&held_fd, -1);
}

static bool comes_to_be_held(unsigned calls) {
    for (unsigned i = 0; i < WAIT_MS && atomic_load(&held_calls) != calls; i++)
        usleep(1000);
    return atomic_load(&held_calls) == calls;
}

/* READ (10) of the first block, or SYNCHRONIZE CACHE (10); number: of the session's commands. */
static void send_command(int fd, unsigned number, bool is_flush) {
    uint8_t pdu[BHS] = {COMMAND,
                        is_flush ? 0x80 : 0xc0,
                        [19] = 9,
                        [22] = is_flush ? 0 : 2,
                        [27] = 0,
                        [32] = is_flush ? 0x35 : 0x28,
                        [40] = is_flush ? 0 : 1};
    pdu[27] = (uint8_t)number;
    CHECK(send(fd, pdu, BHS, MSG_NOSIGNAL) == BHS);
}

/* The SCSI status that the command ends with; -1: there is none. */
static int command_status(int fd) {
    uint8_t header[BHS];
    while (receive_header(fd, header))
        if (header[0] == 0x21 || (header[0] == 0x25 && header[1] & 1))
            return header[3];
    return -1;
}

static bool says_anything(int fd, int wait_ms) {
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    return poll(&wait, 1, wait_ms) == 1;
}

/* On the same worker: bert has the other one. */
struct trio {
    int anna, bert, carl;
};

static struct trio log_in_three(void) {
    struct trio fds = {.anna = LOG_IN("anna"), .bert = LOG_IN("bert"), .carl = LOG_IN("carl")};
    CHECK(login_status(fds.anna) == 0 && login_status(fds.bert) == 0 &&
          login_status(fds.carl) == 0);
    CHECK_EQ(machines.list[ANNA].disk->home.worker, machines.list[CARL].disk->home.worker);
    return fds;
}

static void close_three(const struct trio *fds) {
    close(fds->anna);
    close(fds->bert);
    close(fds->carl);
    close_all();
}

static void one_thread_has_no_workers(void) {
    open_all(1);
    int fd = LOG_IN("anna");
    CHECK_EQ(login_status(fd), 0);
    CHECK_EQ(target.count, 1);
    send_command(fd, 0, false);
    turn(WAIT_MS);
    CHECK_EQ(command_status(fd), 0);
    close(fd);
    close_all();
}

/* What its client sees of a session whose disk answers. */
static void check_in_time(int fd, unsigned *number) {
    uint64_t begin_us = lb_now_us();
    for (unsigned i = 0; i < 5; i++) {
        send_command(fd, (*number)++, i % 2 == 1);
        CHECK_EQ(command_status(fd), 0);
    }
    CHECK(lb_now_us() < begin_us + SOON_MS * LB_US_MS);
}

/* All three are logged in, and the first command of one waits for its disk. */
static struct trio hang_disk_of_anna(bool is_flush) {
    open_all(2);
    struct trio fds = log_in_three();
    hold_disk(ANNA);
    send_command(fds.anna, 0, is_flush);
    CHECK(comes_to_be_held(1));
    return fds;
}

static void a_disk_that_does_not_answer_delays_its_machine_alone(void) {
    for (unsigned is_flush = 0; is_flush < 2; is_flush++) {
        struct trio fds = hang_disk_of_anna(is_flush);
        unsigned of_bert = 0, of_carl = 0;
        check_in_time(fds.carl, &of_carl);
        check_in_time(fds.bert, &of_bert);
        send_command(fds.anna, 1, is_flush);
        CHECK(!says_anything(fds.anna, 50));
        release_disk();
        for (unsigned i = 0; i < 2; i++)
            CHECK_EQ(command_status(fds.anna), 0);
        check_in_time(fds.carl, &of_carl);
        CHECK_EQ(machines.list[ANNA].disk->waiting, 0);
        close_three(&fds);
    }
}

static void who_logs_in_again_waits_and_then_is_refused(void) {
    struct trio fds = hang_disk_of_anna(false);
    unsigned number = 0;
    check_in_time(fds.carl, &number); /* another thread has taken over */
    int again = LOG_IN("anna");
    CHECK(!says_anything(again, 50));
    lb_lock_exclusive();
    CHECK(machines.list[ANNA].disk->home.waits_since_us != 0);
    machines.list[ANNA].disk->home.waits_since_us = 1; /* long ago */
    lb_lock_release();
    int late = LOG_IN("anna");
    CHECK_EQ(login_status(late), 0x0301); /* service unavailable */
    release_disk();
    CHECK_EQ(login_status(again), 0);
    while (command_status(fds.anna) >= 0) /* answered or not, its place is taken: RFC 7143 6.3.5 */
        ;
    close(again);
    close(late);
    close_three(&fds);
}

static void who_goes_while_its_disk_is_waited_for_is_gone_when_it_answers(void) {
    struct trio fds = hang_disk_of_anna(false);
    unsigned number = 0;
    check_in_time(fds.carl, &number);
    shutdown(fds.anna, SHUT_RDWR);
    check_in_time(fds.carl, &number);
    CHECK_EQ(count_of(0) + count_of(1), 3);
    release_disk();
    for (unsigned i = 0; i < WAIT_MS && count_of(0) + count_of(1) > 2; i++)
        usleep(1000);
    CHECK_EQ(count_of(0) + count_of(1), 2);
    close_three(&fds);
}

static void several_disks_may_be_waited_for_at_once(void) {
    open_all(2);
    for (unsigned round = 0; round < 20; round++) {
        struct trio fds = log_in_three();
        unsigned of_carl = 0;
        for (unsigned i = 0; i < 3; i++) {
            hold_disk(ANNA);
            send_command(fds.anna, i, true);
            CHECK(comes_to_be_held(1));
            check_in_time(fds.carl, &of_carl);
            hold_disk(CARL); /* and anna's answers */
            send_command(fds.carl, of_carl++, true);
            CHECK_EQ(command_status(fds.anna), 0);
            usleep(round * 1000);
            release_disk();
            CHECK_EQ(command_status(fds.carl), 0);
        }
        close(fds.anna);
        close(fds.bert);
        close(fds.carl);
        for (unsigned i = 0; i < WAIT_MS && count_of(0) + count_of(1) > 0; i++)
            usleep(1000);
    }
    close_all();
}

/* ---- the end ---- */

struct flood {
    int fd;
    atomic_uint answers;
    bool has_ended;
};

static void *flood(void *argument) {
    struct flood *client = argument;
    static const uint8_t ping[BHS] = {
        [0] = NOP_OUT, [1] = 0x80, [19] = 1, [20] = 0xff, [21] = 0xff, [22] = 0xff, [23] = 0xff};
    uint8_t header[BHS];
    while (send(client->fd, ping, sizeof ping, MSG_NOSIGNAL) == BHS &&
           recv(client->fd, header, BHS, MSG_WAITALL) == BHS)
        atomic_fetch_add(&client->answers, 1);
    client->has_ended = true;
    return NULL;
}

static void they_end_in_the_middle_of_their_work(void) {
    for (unsigned round = 0; round < 10; round++) {
        struct flood clients[2] = {{.fd = -1}, {.fd = -1}};
        pthread_t threads[2];
        open_all(2);
        clients[0].fd = LOG_IN("anna");
        clients[1].fd = LOG_IN("bert");
        for (int i = 0; i < 2; i++) {
            CHECK_EQ(login_status(clients[i].fd), 0);
            CHECK_EQ(pthread_create(&threads[i], NULL, flood, &clients[i]), 0);
        }
        for (int i = 0; i < 2; i++)
            while (atomic_load(&clients[i].answers) < 20)
                usleep(100);
        lb_server_workers_stop(&target);
        CHECK(target.threads == NULL);
        lb_server_workers_close(&target); /* again, and their sessions */
        for (int i = 0; i < 2; i++) {
            pthread_join(threads[i], NULL);
            CHECK(clients[i].has_ended);
            close(clients[i].fd);
        }
        close_all();
    }
}

int main(void) {
    TEST(a_login_goes_on_in_a_worker);
    TEST(sessions_of_a_machine_meet_and_others_spread);
    TEST(discovery_and_what_is_not_there_stay);
    TEST(one_thread_has_no_workers);
    TEST(strangers_give_way);
    TEST(a_list_of_targets_is_no_place_for_ever);
    TEST(one_machine_leaves_places_for_others);
    TEST(no_wakeup_is_lost);
    TEST(what_a_session_is_sent_is_answered_each_time);
    TEST(who_is_dropped_by_the_main_thread_is_gone_at_once);
    TEST(a_disk_that_does_not_answer_delays_its_machine_alone);
    TEST(who_logs_in_again_waits_and_then_is_refused);
    TEST(who_goes_while_its_disk_is_waited_for_is_gone_when_it_answers);
    TEST(several_disks_may_be_waited_for_at_once);
    TEST(they_end_in_the_middle_of_their_work);
    return tap_done();
}
