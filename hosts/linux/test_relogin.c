/* The keeper, and a session of the kernel's that logs in again: a fake kernel at the other end of
 * the socket, and behind it a target, which sees the kernel's own CmdSN and tag and not ours. */
#include "core/iscsi/iscsi_wire.h"
#include "core/target/target_rooms.h"
#include "hosts/linux/alone.h"
#include "hosts/linux/ike_watch.h"
#include "hosts/linux/keeper.h"
#include "hosts/linux/loop.h"
#include "hosts/linux/test_kernel.h"
#include <arpa/inet.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define EXP_STAT_SN 14 /* a parameter */

static const uint8_t kernel_cmd_sn[4] = {0xff, 0xff, 0xff, 0xf0};
static const uint8_t kernel_tag[4] = {0x10, 0, 0, 0x81};

/* ---- the target ------------------------------------------------------------------------------ */

static struct lb_target node;
static struct lb_scsi_unit lun;
static struct lb_target_server server;

static void make_target(bool has_chap) {
    static struct lb_target_account account;
    lun = (struct lb_scsi_unit){.blocks = 100};
    node = (struct lb_target){.name = "iqn.2026-11.test:disk", .luns[0] = &lun};
    if (has_chap) {
        lb_format(account.name, sizeof(account.name), "boot");
        memcpy(account.secret, "boot-secret-0123", account.secret_len = 16);
        node.accounts = &account;
        node.account_count = 1;
        lb_format(node.own.name, sizeof(node.own.name), "disk");
        memcpy(node.own.secret, "disk-secret-4567", node.own.secret_len = 16);
    }
    server = (struct lb_target_server){.nodes = &node, .node_count = 1};
}

struct far_end {
    struct lb_target_conn conn;
    struct lb_rand rand;
    struct lb_trace trace;
    struct lb_target_rooms rooms;
};

static void open_far_end(struct far_end *far) {
    uint8_t seed[LB_RAND_SEED_BYTES] = {1};
    memset(far, 0, sizeof(*far));
    lb_rand_init(&far->rand, seed);
    lb_target_conn_init(&far->conn, 0, &server, (struct lb_endpoint){lb_addr_v4(127, 0, 0, 1), 1},
                        &far->rand, &far->trace);
    for (int role = 0; role < LB_TARGET_ROLES; role++)
        lb_target_rooms_lend(&far->rooms, &far->conn, 0, (enum lb_target_role)role);
}

static void far_takes(struct far_end *far, struct lb_bytes bytes) {
    while (bytes.len > 0) {
        struct lb_span spans[2];
        size_t len = lb_target_where(&far->conn, spans) > 0 ? LB_MIN(spans[0].len, bytes.len) : 0;
        if (len == 0)
            _exit(3);
        memcpy(spans[0].p, bytes.p, len);
        lb_target_got(&far->conn, 0, len);
        bytes = lb_bytes_after(bytes, len);
    }
}

/* One answer, as it would be on the wire. */
static size_t far_says(struct far_end *far, uint8_t *to, size_t cap) {
    size_t len = 0;
    while (lb_target_poll(&far->conn, 0).event == LB_TARGET_SEND) {
        struct lb_bytes pieces[4];
        size_t count = lb_target_gather(&far->conn, pieces, LB_COUNT(pieces)), took = 0;
        for (size_t i = 0; i < count && len + pieces[i].len <= cap; i++) {
            memcpy(to + len, pieces[i].p, pieces[i].len);
            len += pieces[i].len;
            took += pieces[i].len;
        }
        lb_target_sent(&far->conn, 0, took);
    }
    return len;
}

/* ---- the target, for whoever connects to it -------------------------------------------------- */

static void talk(int fd) {
    static struct far_end far;
    static uint8_t room[65536];
    ssize_t got;
    open_far_end(&far);
    while ((got = read(fd, room, sizeof(room))) > 0) {
        size_t len;
        far_takes(&far, lb_bytes(room, (size_t)got));
        len = far_says(&far, room, sizeof(room));
        if (write(fd, room, len) != (ssize_t)len || far.conn.phase >= LB_TARGET_CLOSING)
            break;
    }
    lb_target_conn_end(&far.conn);
    close(fd);
}

/* The disk that it has; what we bind to the kernel says nothing, and holds nobody up. */
static pid_t serve_disk(int fd, uint64_t naa) {
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    lun.naa = naa;
    for (;;) {
        int end = accept(fd, NULL, NULL);
        if (end < 0)
            _exit(1);
        if (fork() == 0) {
            talk(end);
            _exit(0);
        }
        close(end);
    }
}

/* ---- the kernel ------------------------------------------------------------------------------ */

static bool answers_at_once; /* the target's answer comes before the kernel's own */
static bool hangs_up;        /* so does the end of the connection; or the target says nothing */

/* What the kernel gives to user space has no padding. */
static void pass_on(struct far_end *far, int fd, struct event *request) {
    struct event answer = {.type = PDU, .out = {7, 0}};
    struct lb_bytes pdu;
    size_t len, data_len = request->in[3];
    memcpy(request->bytes + 16, kernel_tag, 4);
    memcpy(request->bytes + 24, kernel_cmd_sn, 4);
    pdu = lb_bytes(request->bytes, LB_STREAM_BHS + ((data_len + 3) & ~(size_t)3));
    far_takes(far, pdu);
    len = far_says(far, answer.bytes, sizeof(answer.bytes));
    if (len < LB_STREAM_BHS)
        return;
    data_len = (size_t)answer.bytes[5] << 16 | (size_t)answer.bytes[6] << 8 | answer.bytes[7];
    tell(fd, &answer, LB_STREAM_BHS + data_len);
}

static const struct event lost_connection = {.type = CONNECTION_ERROR, .out = {7, 0, 1020}};

static void answer(int fd, struct event *e) {
    static struct far_end far;
    struct event reply = *e;
    if (e->type == BIND)
        open_far_end(&far);
    if (e->type == SEND && answers_at_once)
        pass_on(&far, fd, e);
    if (e->type == SEND && hangs_up)
        tell(fd, &lost_connection, 0);
    if (is_refused(e))
        refuse(&reply);
    tell(fd, &reply, 0);
    if (e->type == SEND && !answers_at_once && !hangs_up && !is_refused(e))
        pass_on(&far, fd, e);
}

static void lose_the_connection(void) {
    start_kernel(answer);
    lb_kernel_iscsi_own(&kernel, 7);
}

static size_t times_asked(uint32_t type) {
    size_t count = 0;
    for (size_t i = 0; i < seen.count; i++)
        count += seen.events[i].type == type;
    return count;
}

/* ---- the session ----------------------------------------------------------------------------- */

static struct lb_login_again again;
static struct lb_error error;
static uint64_t took_us; /* the last login, with the look at the disk */

/* The connection itself is the kernel's affair: it is enough that somebody listens. */
static int listen_somewhere(uint16_t *port) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&at, len) == 0 && listen(fd, 4) == 0 &&
          getsockname(fd, (struct sockaddr *)&at, &len) == 0);
    *port = ntohs(at.sin_port);
    return fd;
}

static void configure(uint16_t port, const char *target_secret) {
    struct lb_initiator_config *config = &again.config;
    again =
        (struct lb_login_again){.settings = {.recovery_s = 90, .queue_depth = 16, .ping_s = 10}};
    *config = (struct lb_initiator_config){.target = "iqn.2026-11.test:disk",
                                           .initiator = "iqn.2026-11.test:me",
                                           .isid = {0x80, 1, 2, 3, 0, 0},
                                           .portal = {lb_addr_v4(127, 0, 0, 1), port}};
    error = (struct lb_error){0};
    if (!target_secret)
        return;
    lb_format(config->chap_name, sizeof(config->chap_name), "boot");
    memcpy(config->chap_secret, "boot-secret-0123", config->chap_secret_len = 16);
    memcpy(config->chap_target_secret, target_secret, config->chap_target_secret_len = 16);
    config->require_mutual = true;
}

static bool log_in(const char *target_secret) {
    static uint8_t room[LB_ISCSI_RX_MIN];
    uint16_t port;
    bool is_back;
    int fd = listen_somewhere(&port);
    make_target(target_secret != NULL);
    configure(port, target_secret);
    lose_the_connection();
    is_back = lb_relogin(&kernel, &again, lb_span(room, sizeof(room)), &error);
    close(fd);
    return is_back;
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void the_kernels_session_is_back_after_a_login_through_it(void) {
    CHECK(log_in(NULL));
    stop_kernel();
    CHECK_EQ(seen.events[0].type, STOP);
    CHECK_EQ(seen.events[0].in[0], 7);
    CHECK_EQ(seen.events[0].in[4], 3); /* for recovery: the disk's commands wait */
    CHECK_EQ(seen.events[1].type, BIND);
    CHECK_EQ(seen.events[2].type, SEND);
    CHECK_EQ(seen.events[2].in[2], LB_STREAM_BHS);
    CHECK_EQ(times_asked(STOP), 1);
    CHECK_EQ(times_asked(START), 1);
    CHECK_EQ(seen.events[seen.count - 1].type, START);
    CHECK(param(EXP_STAT_SN) && strtoul(param(EXP_STAT_SN), NULL, 10) > 0);
    CHECK_STR(param(31), "10"); /* pings */
    CHECK_EQ(times_asked(CREATE_SESSION) + times_asked(CREATE_CONNECTION),
             0); /* no new session, no new connection */
}

static void the_login_names_the_same_session_at_the_target(void) {
    CHECK(log_in(NULL));
    stop_kernel();
    CHECK_BYTES(lb_bytes(seen.events[2].bytes + 8, 6), tap_hex("80 01 02 03 00 00"));
    CHECK_BYTES(lb_bytes(seen.events[2].bytes + 14, 2), tap_hex("00 00")); /* TSIH: reinstated */
}

static void an_answer_may_come_before_the_kernels_own(void) {
    answers_at_once = true;
    CHECK(log_in(NULL));
    answers_at_once = false;
    stop_kernel();
    CHECK_EQ(times_asked(START), 1);
}

/* The target that nobody may use hangs up. Who has lost a connection has nothing to wait for. */
static enum lb_code refused_by_a_target_that_hangs_up(bool says_why) {
    static uint8_t room[LB_ISCSI_RX_MIN];
    uint16_t port;
    int fd = listen_somewhere(&port);
    make_target(false);
    node.login_status = LB_LOGIN_NOT_AUTHORISED;
    configure(port, NULL);
    answers_at_once = says_why;
    hangs_up = true;
    lose_the_connection();
    took_us = lb_now_us();
    CHECK(!lb_relogin(&kernel, &again, lb_span(room, sizeof(room)), &error));
    took_us = lb_now_us() - took_us;
    answers_at_once = hangs_up = false;
    stop_kernel();
    close(fd);
    return error.code;
}

static void why_the_target_hangs_up_is_heard(void) {
    CHECK_EQ(refused_by_a_target_that_hangs_up(true), LB_E_NOT_AUTHORISED);
    CHECK(took_us < 5 * LB_US_SEC);
    CHECK_EQ(refused_by_a_target_that_hangs_up(false), LB_E_LOGIN_CLOSED);
    CHECK(took_us < 5 * LB_US_SEC);
}

static void mutual_chap_goes_through_the_kernel(void) {
    CHECK(log_in("disk-secret-4567"));
    stop_kernel();
    CHECK(times_asked(SEND) >= 3);
    CHECK_EQ(times_asked(START), 1);
    CHECK_STR(param(24), "boot-secret-0123");
}

static void an_impostor_gets_no_session(void) {
    CHECK(!log_in("not-its-secret-1"));
    CHECK_EQ(error.code, LB_E_AUTH_TARGET);
    stop_kernel();
    CHECK_EQ(times_asked(START), 0);
    CHECK_EQ(seen.events[seen.count - 1].type, STOP);
}

static void where_nobody_listens_nothing_is_bound(void) {
    static uint8_t room[LB_ISCSI_RX_MIN];
    uint16_t port;
    close(listen_somewhere(&port));
    configure(port, NULL);
    lose_the_connection();
    CHECK(!lb_relogin(&kernel, &again, lb_span(room, sizeof(room)), &error));
    CHECK_EQ(error.code, LB_E_CONNECT_REFUSED);
    stop_kernel();
    CHECK_EQ(times_asked(BIND) + times_asked(START), 0);
}

static void each_refusal_of_the_kernels_ends_the_attempt(void) {
    static const struct {
        uint32_t type;
        const char *facts;
    } refusals[] = {{STOP, "stopping"},
                    {BIND, "giving the connection"},
                    {SEND, "sending a PDU"},
                    {SET_PARAM, "setting parameter"},
                    {START, "starting"}};
    for (size_t i = 0; i < LB_COUNT(refusals); i++) {
        fake.refuse_type = refusals[i].type;
        CHECK(!log_in(NULL));
        CHECK_EQ(error.code, LB_E_HAND_OVER);
        CHECK_HAS(error.facts, refusals[i].facts);
        stop_kernel();
    }
}

/* ---- the same disk --------------------------------------------------------------------------- */

#define FIRST  UINT64_C(0x6001405000000001)
#define SECOND UINT64_C(0x6001405000000002)

static void know(uint64_t naa) {
    again.identity = (struct lb_disk_identity){
        .is_known = true, .name_type = 3, .name_len = 8, .blocks = 100, .block_bytes = 512};
    for (unsigned i = 0; i < 8; i++)
        again.identity.name[i] = (uint8_t)(naa >> (56 - 8 * i));
}

/* The kernel has the first disk, and the target this one. */
static bool log_in_to(uint64_t naa, const char *target_secret) {
    static uint8_t room[LB_ISCSI_RX_MIN];
    uint16_t port;
    bool is_back;
    int status, fd = listen_somewhere(&port);
    pid_t pid;
    signal(SIGCHLD, SIG_DFL);
    make_target(target_secret != NULL);
    configure(port, target_secret);
    know(FIRST);
    lose_the_connection();
    pid = serve_disk(fd, naa);
    took_us = lb_now_us();
    is_back = lb_relogin(&kernel, &again, lb_span(room, sizeof(room)), &error);
    took_us = lb_now_us() - took_us;
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    close(fd);
    return is_back;
}

static void the_kernel_gets_the_disk_that_it_had(void) {
    static const char *const secrets[] = {NULL, "disk-secret-4567"};
    for (size_t i = 0; i < LB_COUNT(secrets); i++) {
        CHECK(log_in_to(FIRST, secrets[i]));
        CHECK(took_us < 5 * LB_US_SEC); /* not until the next ping */
        stop_kernel();
        CHECK_EQ(times_asked(START), 1);
    }
}

static void another_disk_never_reaches_the_kernel(void) {
    CHECK(!log_in_to(SECOND, NULL));
    CHECK(took_us < 2 * LB_US_SEC);
    CHECK_STR(lb_code_word(error.code), "disk-changed");
    CHECK_HAS(error.facts, "it was naa.6001405000000001, and is naa.6001405000000002");
    stop_kernel();
    CHECK_EQ(times_asked(BIND) + times_asked(SEND) + times_asked(START), 0);
}

static bool has_other(const char *line) {
    return lb_keeper_has_other(lb_bytes_of_text(line), 127);
}

/* ---- what an administrator allows ------------------------------------------------------------ */

/* Another portal of 127.0.0.0/8, at the port. */
static int listen_at(const char *address, uint16_t port) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    CHECK(inet_pton(AF_INET, address, &at.sin_addr) == 1 && fd >= 0 &&
          bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0 && listen(fd, 4) == 0);
    return fd;
}

static void allow(const char *key, const char *value) {
    CHECK(lb_config_set(&again.policy, LB_SOURCE_FILE, lb_bytes_of_text(key),
                        lb_bytes_of_text(value), &error));
}

static bool was_connected_to(int fd) {
    int got = accept(fd, NULL, NULL);
    if (got >= 0)
        close(got);
    return got >= 0;
}

/* The target leads to `address`, which nobody allowed. */
static void a_redirect_is_refused(const char *address, const char *bind_to, const char *list) {
    static uint8_t room[LB_ISCSI_RX_MIN];
    uint16_t port;
    int first = listen_somewhere(&port), second = listen_at(bind_to, port);
    make_target(false);
    node.login_status = LB_LOGIN_MOVED_TEMPORARILY;
    lb_format(node.redirect, sizeof(node.redirect), "%s:%u", address, port);
    configure(port, NULL);
    if (list)
        allow("allow-server", list);
    lose_the_connection();
    CHECK(!lb_relogin(&kernel, &again, lb_span(room, sizeof(room)), &error));
    CHECK_EQ(error.code, LB_E_SERVER_NOT_ALLOWED);
    CHECK_HAS(error.facts, "named by a redirect");
    CHECK(!was_connected_to(second));
    stop_kernel();
    CHECK_EQ(times_asked(START), 0);
    close(first);
    close(second);
}

static void a_redirect_to_this_machine_is_not_followed(void) {
    a_redirect_is_refused("127.0.0.9", "127.0.0.9", NULL);
    a_redirect_is_refused("[::1]", "127.0.0.9", NULL);
    a_redirect_is_refused("[::ffff:127.0.0.9]", "127.0.0.9", NULL);
}

static void a_redirect_off_the_list_is_not_followed(void) {
    a_redirect_is_refused("198.51.100.9", "127.0.0.9", "127.0.0.1,192.0.2.0/24");
    a_redirect_is_refused("[2001:db8::9]", "127.0.0.9", "127.0.0.1,2001:db8:1::/64");
}

static bool log_in_with(const char *key, const char *value, const char *target_secret) {
    static uint8_t room[LB_ISCSI_RX_MIN];
    uint16_t port;
    bool is_back;
    int fd = listen_somewhere(&port);
    make_target(target_secret != NULL);
    configure(port, target_secret);
    allow(key, value);
    lose_the_connection();
    is_back = lb_relogin(&kernel, &again, lb_span(room, sizeof(room)), &error);
    close(fd);
    stop_kernel();
    return is_back;
}

static void what_is_required_is_required_again(void) {
    static const char *const words[] = {"chap", "mutual-chap", "header-digest", "data-digest"};
    for (size_t i = 0; i < LB_COUNT(words); i++) {
        CHECK(!log_in_with("require", words[i], NULL));
        CHECK_EQ(error.code, LB_E_REQUIRE_NOT_MET);
        CHECK_HAS(error.facts, words[i]);
        CHECK_EQ(times_asked(START), 0);
    }
    CHECK(log_in_with("require", "mutual-chap", "disk-secret-4567"));
}

/* ---- what the kernel protects ---------------------------------------------------------------- */

/* How many policies of the kernel block what goes to this address, or comes from it. */
static int count_blocks(const char *remote) {
    char command[160];
    lb_format(command, sizeof(command),
              "exit $(ip xfrm policy | grep -A1 -w %s | grep -c 'action block')", remote);
    int status = system(command);
    return status < 0 ? -1 : status >> 8;
}

static void a_login_goes_between_the_two_protected_ends_alone(void) {
    static uint8_t room[LB_ISCSI_RX_MIN];
    uint16_t port;
    int fd = listen_somewhere(&port);
    struct sockaddr_in from = {0};
    socklen_t len = sizeof(from);
    make_target(false);
    configure(port, NULL);
    again.guarded = (struct lb_guarded){lb_addr_v4(127, 0, 0, 5), lb_addr_v4(127, 0, 0, 1)};
    allow("require", "ipsec");
    lose_the_connection();
    CHECK_EQ(count_blocks("127.0.0.1"), 0); /* somebody took the guards away */
    CHECK(lb_relogin(&kernel, &again, lb_span(room, sizeof(room)), &error));
    stop_kernel();
    int came = accept(fd, (struct sockaddr *)&from, &len);
    CHECK(came >= 0);
    CHECK_EQ(ntohl(from.sin_addr.s_addr), 0x7f000005);
    CHECK_EQ(count_blocks("127.0.0.1"), 2);
    close(came);
    configure(port, NULL);
    again.guarded = (struct lb_guarded){lb_addr_v4(127, 0, 0, 5), lb_addr_v4(127, 0, 0, 2)};
    lose_the_connection();
    CHECK(!lb_relogin(&kernel, &again, lb_span(room, sizeof(room)), &error));
    CHECK_EQ(error.code, LB_E_CONNECT_UNREACHABLE);
    stop_kernel();
    CHECK_EQ(times_asked(BIND), 0);
    CHECK_EQ(count_blocks("127.0.0.2"), 0);
    close(fd);
}

static void without_protected_ends_what_is_required_is_not_met(void) {
    CHECK(!log_in_with("require", "ipsec", NULL));
    CHECK_EQ(error.code, LB_E_REQUIRE_NOT_MET);
    CHECK_HAS(error.facts, "ipsec");
    CHECK_EQ(times_asked(STOP) + times_asked(BIND), 0);
}

/* ---- what lunboot-ike sees ------------------------------------------------------------------- */

static bool is_daemon(const char *line) {
    return lb_ike_watch_is_daemon(lb_bytes_of_text(line));
}

static void an_ike_daemon_is_known_by_its_port(void) {
    CHECK(
        is_daemon("  128: 00000000:01F4 00000000:0000 07 00000000:00000000 00:00000000 00000000"));
    CHECK(is_daemon(" 2: 00000000000000000000000000000000:01F4 0000000000000000:0000 07"));
    CHECK(!is_daemon("  128: 00000000:1194 00000000:01F4 07 00000000:00000000 00:00000000"));
    CHECK(
        !is_daemon("   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt"));
    CHECK(!is_daemon("  128: 000001F4"));
    CHECK(!is_daemon("  128:"));
    CHECK(!is_daemon(""));
}

/* Of /proc/net/tcp on a little-endian machine; 192.0.2.1:3260. */
static bool is_speaker(const char *line) {
    return lb_ike_watch_is_speaker(lb_bytes_of_text(line),
                                   (struct lb_endpoint){lb_addr_v4(192, 0, 2, 1), 3260});
}

static void what_may_still_speak_to_the_peer_is_known_by_its_connection(void) {
    if (__BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__)
        return;
    CHECK(is_speaker("   1: 640200C0:D431 010200C0:0CBC 01 00000000:00000000 00:00000000 0"));
    CHECK(is_speaker("   1: 640200C0:D431 010200C0:0CBC 02 00000000:00000000")); /* SYN-SENT */
    CHECK(is_speaker("   1: 640200C0:D431 010200C0:0CBC 04 00000000:00000000")); /* FIN-WAIT-1 */
    CHECK(!is_speaker("   1: 640200C0:D431 010200C0:0CBC 06 00000000:00000000"));
    CHECK(!is_speaker("   1: 640200C0:D431 010200C0:0016 01 00000000:00000000"));
    CHECK(!is_speaker("   1: 010200C0:0CBC 640200C0:D431 01 00000000:00000000"));
    CHECK(is_speaker(" 9: 0000000000000000FFFF0000640200C0:D431 0000000000000000FFFF0000010200C0:"
                     "0CBC 01 00000000:00000000"));
    CHECK(!is_speaker("  sl  local_address rem_address   st tx_queue rx_queue tr tm->when"));
    CHECK(!is_speaker("   1: 640200C0:D431 010200C0:0CBC"));
    CHECK(!is_speaker("   1: 640200C0:D431 0102:0CBC 01"));
    struct lb_addr remote;
    CHECK(lb_addr_parse(lb_bytes_of_text("2001:db8::1"), &remote));
    CHECK(lb_ike_watch_is_speaker(
        lb_bytes_of_text(
            " 0: 00000000000000000000000000000000:D431 B80D0120000000000000000001000000"
            ":0CBC 01 00000000:00000000"),
        (struct lb_endpoint){remote, 3260}));
}

/* ---- a process that stays -------------------------------------------------------------------- */

struct alone {
    int dumpable;
    rlim_t core_bytes;
    int other_fd; /* of a descriptor that was open: -1 */
    char mark, name[16];
};

static void tell_of_process(int fd, int other) {
    struct alone told = {0};
    struct rlimit limit = {0, 0};
    (void)!getrlimit(RLIMIT_CORE, &limit);
    limit.rlim_cur = limit.rlim_max;
    (void)!setrlimit(RLIMIT_CORE, &limit);
    lb_alone_begin("lunboot-test", fd);
    told.dumpable = prctl(PR_GET_DUMPABLE);
    told.core_bytes = getrlimit(RLIMIT_CORE, &limit) == 0 ? limit.rlim_cur : RLIM_INFINITY;
    told.other_fd = fcntl(other, F_GETFD);
    told.mark = program_invocation_name[0];
    prctl(PR_GET_NAME, told.name);
    (void)!write(fd, &told, sizeof(told));
    _exit(0);
}

static void a_process_that_stays_leaves_its_secrets_in_no_core_and_is_known(void) {
    struct alone told = {.dumpable = -1, .other_fd = 0};
    int ends[2], status = -1;
    CHECK(pipe(ends) == 0);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        tell_of_process(ends[1], ends[0]);
    close(ends[1]);
    CHECK_EQ(read(ends[0], &told, sizeof(told)), sizeof(told));
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    close(ends[0]);
    CHECK_EQ(told.dumpable, 0);
    CHECK_EQ(told.core_bytes, 0);
    CHECK_EQ(told.other_fd, -1);
    CHECK_EQ(told.mark, '@'); /* systemd ends no such process */
    CHECK_STR(told.name, "lunboot-test");
}

static void lines_come_whole_however_long_the_file_is(void) {
    static struct lb_lines lines;
    static char text[20000];
    struct lb_text all = lb_text(text, sizeof(text));
    struct lb_bytes line;
    char path[] = "/tmp/lunboot-lines-XXXXXX", expected[32];
    int fd = mkstemp(path);
    CHECK(fd >= 0 && unlink(path) == 0);
    for (unsigned i = 0; i < 900; i++)
        lb_text_add(&all, "line number %u\n", i);
    CHECK_EQ(write(fd, text, all.len), all.len);
    for (unsigned again_too = 0; again_too < 2; again_too++) {
        lines = (struct lb_lines){.fd = fd};
        for (unsigned i = 0; i < 900; i++) {
            lb_format(expected, sizeof(expected), "line number %u", i);
            if (!CHECK(lb_lines_next(&lines, &line)) ||
                !CHECK_BYTES(line, lb_bytes_of_text(expected)))
                break;
        }
        CHECK(!lb_lines_next(&lines, &line));
    }
    close(fd);
}

static void a_target_off_the_list_is_not_logged_in_to(void) {
    CHECK(!log_in_with("allow-target", "iqn.2026-11.test:other", NULL));
    CHECK_EQ(error.code, LB_E_TARGET_NOT_ALLOWED);
    CHECK_EQ(times_asked(BIND), 0);
    CHECK(log_in_with("allow-target", "iqn.2026-11.test:*", NULL));
}

static void the_time_until_the_next_login_is_that_of_this_one(void) {
    static uint8_t room[LB_ISCSI_RX_MIN];
    uint16_t port;
    int fd = listen_somewhere(&port);
    make_target(false);
    configure(port, NULL);
    again.time2wait_s = 77; /* of the one before */
    lose_the_connection();
    CHECK(lb_relogin(&kernel, &again, lb_span(room, sizeof(room)), &error));
    stop_kernel();
    close(fd);
    CHECK_EQ(again.time2wait_s, 0); /* as the target has it */
}

/* ---- what the target says on its own --------------------------------------------------------- */

static struct lb_keeper_asked hear(uint8_t event, uint16_t parameter2, uint16_t parameter3) {
    uint8_t bhs[LB_ISCSI_BHS_BYTES];
    struct lb_iscsi_pdu pdu = {.opcode = LB_OP_ASYNC, .final = true, .itt = LB_ISCSI_NO_TAG};
    pdu.async.event = event;
    pdu.async.parameter2 = parameter2;
    pdu.async.parameter3 = parameter3;
    lb_iscsi_encode(&pdu, bhs);
    return lb_keeper_hear(bhs);
}

static void what_the_target_asks_for_is_heard(void) {
    CHECK_EQ(hear(1, 0, 7).ask, LB_KEEPER_LOGOUT);
    CHECK_EQ(hear(1, 0, 7).within_s, 7);
    CHECK_EQ(hear(4, 0, 3).ask, LB_KEEPER_LOGOUT);
    CHECK_EQ(hear(2, 5, 9).ask, LB_KEEPER_AGAIN);
    CHECK_EQ(hear(2, 5, 9).wait_s, 5);
    CHECK_EQ(hear(3, 6, 9).ask, LB_KEEPER_AGAIN);
    CHECK_EQ(hear(3, 6, 9).wait_s, 6);
    CHECK_EQ(hear(5, 0, 0).ask, LB_KEEPER_AGAIN);
    CHECK_EQ(hear(0, 1, 1).ask, LB_KEEPER_NOTHING); /* a SCSI event: the kernel's own affair */
    CHECK_EQ(hear(248, 1, 1).ask, LB_KEEPER_NOTHING);
    CHECK_EQ(hear(255, 1, 1).ask, LB_KEEPER_NOTHING);
}

static void the_answer_to_a_logout_says_how_long_to_wait(void) {
    uint8_t bhs[LB_ISCSI_BHS_BYTES];
    struct lb_iscsi_pdu pdu = {.opcode = LB_OP_LOGOUT_RESPONSE, .final = true};
    unsigned wait_s = 0;
    pdu.logout_response.time2wait_s = 4;
    lb_iscsi_encode(&pdu, bhs);
    CHECK(lb_keeper_is_logged_out(bhs, &wait_s));
    CHECK_EQ(wait_s, 4);
    CHECK_EQ(lb_keeper_hear(bhs).ask, LB_KEEPER_NOTHING);
    pdu = (struct lb_iscsi_pdu){.opcode = LB_OP_ASYNC, .final = true, .itt = LB_ISCSI_NO_TAG};
    lb_iscsi_encode(&pdu, bhs);
    CHECK(!lb_keeper_is_logged_out(bhs, &wait_s));
}

static void keepers_know_each_other(void) {
    CHECK(lb_kernel_iscsi_is_ours(0x6b000000 | 430));
    CHECK(!lb_kernel_iscsi_is_ours(430));        /* a process's number: iscsid */
    CHECK(!lb_kernel_iscsi_is_ours(4194304));    /* the highest of them */
    CHECK(!lb_kernel_iscsi_is_ours(2621355155)); /* the kernel's choice, for a second socket */
    CHECK(!lb_kernel_iscsi_is_ours(UINT32_MAX - 4095));
    CHECK(!lb_keeper_has_other(lb_bytes_of_text("00000000ebfb441c 8   1795162542 00000001 0 0\n"),
                               127));
}

static void who_else_listens_is_seen(void) {
    CHECK(!has_other("sk               Eth Pid        Groups   Rmem     Wmem\n"));
    CHECK(!has_other("00000000ebfb441c 8   127        00000001 0        0\n")); /* ourselves */
    CHECK(has_other("00000000ebfb441c 8   2621355155 00000001 0        0\n"));
    CHECK(has_other("ffff888003c1a800 8   430        00000003 0        0\n"));
    CHECK(!has_other("0000000064036c89 8   0          00000000 0        0\n")); /* the kernel */
    CHECK(!has_other("0000000064036c89 8   431        00000002 0        0\n")); /* iscsiuio */
    CHECK(!has_other("000000003ad8065c 15  1          00000001 0        0\n"));
    CHECK(!has_other(""));
}

int main(void) {
    /* Policies of IPsec are the namespace's. */
    bool is_apart = geteuid() == 0 && unshare(CLONE_NEWNET) == 0 &&
                    system("ip link set lo up && ip xfrm policy") == 0;
    TEST(the_kernels_session_is_back_after_a_login_through_it);
    TEST(the_login_names_the_same_session_at_the_target);
    TEST(an_answer_may_come_before_the_kernels_own);
    TEST(why_the_target_hangs_up_is_heard);
    TEST(mutual_chap_goes_through_the_kernel);
    TEST(an_impostor_gets_no_session);
    TEST(where_nobody_listens_nothing_is_bound);
    TEST(each_refusal_of_the_kernels_ends_the_attempt);
    TEST(a_redirect_to_this_machine_is_not_followed);
    TEST(a_redirect_off_the_list_is_not_followed);
    TEST(what_is_required_is_required_again);
    TEST(a_target_off_the_list_is_not_logged_in_to);
    TEST(the_time_until_the_next_login_is_that_of_this_one);
    TEST(what_the_target_asks_for_is_heard);
    TEST(the_answer_to_a_logout_says_how_long_to_wait);
    TEST(keepers_know_each_other);
    if (is_apart)
        TEST(a_login_goes_between_the_two_protected_ends_alone);
    else
        tap_skip("a login goes between the two protected ends alone", "needs root and XFRM");
    TEST(without_protected_ends_what_is_required_is_not_met);
    TEST(a_process_that_stays_leaves_its_secrets_in_no_core_and_is_known);
    TEST(an_ike_daemon_is_known_by_its_port);
    TEST(what_may_still_speak_to_the_peer_is_known_by_its_connection);
    TEST(lines_come_whole_however_long_the_file_is);
    TEST(the_kernel_gets_the_disk_that_it_had);
    TEST(another_disk_never_reaches_the_kernel);
    TEST(who_else_listens_is_seen);
    return tap_done();
}
