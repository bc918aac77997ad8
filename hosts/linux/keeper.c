#include "hosts/linux/keeper.h"
#include "core/iscsi/iscsi_wire.h"
#include "hosts/linux/alone.h"
#include "hosts/linux/loop.h"
#include "hosts/linux/machine.h"
#include "hosts/linux/relogin.h"
#include "hosts/linux/secrets.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LOOK_MS      2000 /* without a report, too: iscsid may be stopped in a login */
#define PAUSE_MIN_MS 250
#define PAUSE_MAX_MS 4000
#define LOGOUT_S     10 /* for the answer to a logout; as core/iscsi has it */
#define GROUP_ISCSID 1  /* of the kernel's reports, as a bit */

struct keeper {
    struct lb_kernel_iscsi kernel;
    struct lb_login_again again;
    uint32_t port_id; /* ours, of the netlink socket */
    int state_fd;     /* the session's state in sysfs */
    int listeners_fd; /* /proc/net/netlink */
    struct lb_kernel_pdu pdu;
    uint8_t room[LB_ISCSI_RX_MIN];
};

/* ---- what it knows --------------------------------------------------------------------------- */

__attribute__((format(printf, 2, 3))) static void say(const struct keeper *k, const char *format,
                                                      ...) {
    char line[512];
    struct lb_text text = lb_text(line, sizeof(line));
    va_list arguments;
    lb_text_add(&text, "<5>lunboot: session%u: ", k->kernel.sid);
    va_start(arguments, format);
    lb_text_addv(&text, format, arguments);
    va_end(arguments);
    lb_text_add(&text, "\n"); /* without it the kernel shows it when the next one comes */
    (void)!write(STDERR_FILENO, line, text.len);
}

enum state { STATE_LOGGED_IN, STATE_LOST, STATE_GONE };

static enum state session_state(const struct keeper *k) {
    char text[32];
    ssize_t got = pread(k->state_fd, text, sizeof(text), 0);
    if (got <= 0)
        return STATE_GONE;
    return lb_bytes_equal(lb_bytes_trim(lb_bytes(text, (size_t)got)), lb_bytes_of_text("LOGGED_IN"))
               ? STATE_LOGGED_IN
               : STATE_LOST;
}

static bool next_number(struct lb_bytes *line, bool is_hex, uint64_t *value) {
    struct lb_bytes word = {0};
    while (word.len == 0) {
        if (!lb_list_next(line, ' ', &word))
            return false;
    }
    return is_hex ? lb_parse_hex_u64(word, value) : lb_parse_u64(word, UINT64_MAX, value);
}

bool lb_keeper_has_other(struct lb_bytes line, uint32_t our_port) {
    uint64_t address, protocol, port, groups;
    return next_number(&line, true, &address) && next_number(&line, false, &protocol) &&
           next_number(&line, false, &port) && next_number(&line, true, &groups) &&
           protocol == NETLINK_ISCSI && (groups & GROUP_ISCSID) != 0 && port != our_port &&
           !lb_kernel_iscsi_is_ours((uint32_t)port);
}

/* Who is told when a connection is lost, besides us. */
static bool has_other_listener(const struct keeper *k) {
    struct lb_lines lines = {.fd = k->listeners_fd};
    struct lb_bytes line;
    while (lb_lines_next(&lines, &line))
        if (lb_keeper_has_other(line, k->port_id))
            return true;
    return false;
}

/* ---- what the target says -------------------------------------------------------------------- */

struct lb_keeper_asked lb_keeper_hear(const uint8_t bhs[LB_STREAM_BHS]) {
    struct lb_iscsi_pdu pdu;
    if (!lb_iscsi_decode(bhs, &pdu) || pdu.opcode != LB_OP_ASYNC)
        return (struct lb_keeper_asked){.ask = LB_KEEPER_NOTHING};
    switch (pdu.async.event) {
    case LB_ASYNC_LOGOUT_REQUEST:
    case LB_ASYNC_NEGOTIATE: /* a logout is a permitted answer, and a login negotiates */
        return (struct lb_keeper_asked){.ask = LB_KEEPER_LOGOUT, .within_s = pdu.async.parameter3};
    case LB_ASYNC_CONNECTION_DROP:
    case LB_ASYNC_SESSION_DROP:
        return (struct lb_keeper_asked){.ask = LB_KEEPER_AGAIN, .wait_s = pdu.async.parameter2};
    case LB_ASYNC_TASKS_TERMINATED: /* of which the kernel would wait for each */
        return (struct lb_keeper_asked){.ask = LB_KEEPER_AGAIN};
    default:
        return (struct lb_keeper_asked){.ask = LB_KEEPER_NOTHING};
    }
}

bool lb_keeper_is_logged_out(const uint8_t bhs[LB_STREAM_BHS], unsigned *wait_s) {
    struct lb_iscsi_pdu pdu;
    if (!lb_iscsi_decode(bhs, &pdu) || pdu.opcode != LB_OP_LOGOUT_RESPONSE)
        return false;
    *wait_s = pdu.logout_response.time2wait_s;
    return true;
}

/* ---- a session that is lost ------------------------------------------------------------------ */

static bool is_to_be_left(const struct keeper *k) {
    return session_state(k) != STATE_LOST || has_other_listener(k);
}

/* The commands of the disk wait from now on. A target may name hours: half of the time in which the
 * kernel expects the session back is left for the login. */
static void wait_for_target(struct keeper *k, unsigned wait_s) {
    struct lb_error ignored = {0};
    wait_s = LB_MIN(wait_s, k->again.settings.recovery_s / 2);
    (void)lb_kernel_iscsi_stop(&k->kernel, &ignored);
    for (unsigned i = 0; i < wait_s && !is_to_be_left(k); i++)
        (void)poll(NULL, 0, 1000);
}

/* A reason is said once, as long as it stays the same. */
static void log_in_again(struct keeper *k, unsigned wait_s) {
    enum lb_code said = LB_OK;
    unsigned pause_ms = PAUSE_MIN_MS;
    wait_for_target(k, wait_s);
    for (;;) {
        struct lb_error error = {0};
        if (lb_relogin(&k->kernel, &k->again, lb_span(k->room, sizeof(k->room)), &error)) {
            say(k, "logged in again");
            return;
        }
        if (error.code != said)
            say(k, "%s: %s; trying until it is back", lb_code_word(error.code), error.facts);
        said = error.code;
        (void)poll(NULL, 0, (int)pause_ms);
        pause_ms = LB_MIN(pause_ms * 2, PAUSE_MAX_MS);
        if (is_to_be_left(k))
            return;
    }
}

static bool send_logout(struct keeper *k) {
    const struct lb_iscsi_pdu pdu = {.opcode = LB_OP_LOGOUT_REQUEST,
                                     .immediate = true,
                                     .final = true,
                                     .logout = {.reason = LB_LOGOUT_SESSION}};
    uint8_t bhs[LB_ISCSI_BHS_BYTES];
    struct lb_error error = {0};
    lb_iscsi_encode(&pdu, bhs);
    if (lb_kernel_iscsi_send(&k->kernel, bhs, lb_bytes(NULL, 0), &error))
        return true;
    say(k, "%s", error.facts);
    return false;
}

/* RFC 7143 11.9.1: as early as possible, and within the time that the target gives. What its answer
 * says of the time until the next login is kept to; without an answer, what the login said. */
static unsigned log_out(struct keeper *k, unsigned within_s) {
    uint64_t until_us = lb_now_us() + LB_MIN(within_s, (unsigned)LOGOUT_S) * LB_US_SEC;
    unsigned wait_s = k->again.time2wait_s;
    if (!send_logout(k))
        return wait_s;
    while (lb_now_us() < until_us) {
        struct pollfd events = {.fd = k->kernel.fd, .events = POLLIN};
        bool is_open = lb_kernel_iscsi_look(&k->kernel);
        if (k->pdu.is_there && lb_keeper_is_logged_out(k->pdu.bhs, &wait_s))
            return wait_s;
        k->pdu.is_there = false;
        if (!is_open)
            return wait_s;
        (void)poll(&events, 1, (int)((until_us - lb_now_us()) / LB_US_MS) + 1);
    }
    return wait_s;
}

/* What the target said, or the kernel, or the session's state. */
static void look(struct keeper *k, enum state state) {
    bool is_lost = !lb_kernel_iscsi_look(&k->kernel) || state == STATE_LOST;
    struct lb_keeper_asked asked = {.ask = LB_KEEPER_NOTHING};
    if (k->pdu.is_there)
        asked = lb_keeper_hear(k->pdu.bhs);
    k->pdu.is_there = false;
    if ((!is_lost && asked.ask == LB_KEEPER_NOTHING) || has_other_listener(k))
        return;
    if (asked.ask == LB_KEEPER_LOGOUT && !is_lost) {
        say(k, "the target asks for a logout within %u s; logging out and in again",
            asked.within_s);
        log_in_again(k, log_out(k, asked.within_s));
        return;
    }
    if (asked.ask == LB_KEEPER_AGAIN) {
        say(k, "the target drops the connection; logging in again in %u s", asked.wait_s);
        log_in_again(k, asked.wait_s);
        return;
    }
    say(k, "the connection is lost; logging in again");
    log_in_again(k, k->again.time2wait_s);
}

/* Until the session is gone. A report comes sooner than the state in sysfs. */
static void watch(struct keeper *k) {
    enum state state = session_state(k);
    k->kernel.pdu = &k->pdu;
    while (state != STATE_GONE) {
        struct pollfd events = {.fd = k->kernel.fd, .events = POLLIN};
        look(k, state);
        k->kernel.broken = 0;
        (void)poll(&events, 1, LOOK_MS);
        state = session_state(k);
    }
}

/* ---- the process ----------------------------------------------------------------------------- */

static bool open_files(struct keeper *k, const struct lb_attached *attached) {
    struct lb_error error = {0};
    struct sockaddr_nl address = {0};
    socklen_t len = sizeof(address);
    char path[64];
    if (!lb_kernel_iscsi_open(&k->kernel, "/sys", &error) ||
        getsockname(k->kernel.fd, (struct sockaddr *)&address, &len) < 0)
        return false;
    lb_kernel_iscsi_own(&k->kernel, attached->sid);
    k->port_id = address.nl_pid;
    lb_format(path, sizeof(path), "/sys/class/iscsi_session/session%u/state", attached->sid);
    k->state_fd = open(path, O_RDONLY | O_CLOEXEC);
    k->listeners_fd = open("/proc/net/netlink", O_RDONLY | O_CLOEXEC);
    return k->state_fd >= 0 && k->listeners_fd >= 0;
}

_Noreturn static void be_keeper(const struct lb_attached *attached) {
    static struct keeper k;
    lb_alone_begin("lunboot-keeper", -1);
    lb_secrets_guard_memory(&k, sizeof(k));
    k.again = attached->again;
    if (open_files(&k, attached)) {
        lb_alone_hold_memory();
        watch(&k);
    }
    lb_wipe(&k, sizeof(k));
    _exit(0);
}

bool lb_keeper_start(const struct lb_attached *attached, struct lb_error *error) {
    pid_t pid;
    if (!lb_addr_is_set(attached->again.config.portal.addr)) {
        lb_fail(error, LB_E_HAND_OVER, "the target's address is not known");
        return false;
    }
    fflush(NULL);
    pid = fork();
    if (pid == 0)
        be_keeper(attached);
    if (pid < 0)
        lb_fail(error, LB_E_HAND_OVER, "a process for it: %s", strerror(errno));
    return pid > 0;
}
