#include "hosts/linux/keeper.h"
#include "hosts/linux/loop.h"
#include "hosts/linux/machine.h"
#include "hosts/linux/relogin.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define LOOK_MS      2000 /* without a report, too: iscsid may be stopped in a login */
#define PAUSE_MIN_MS 250
#define PAUSE_MAX_MS 4000
#define FIRST_FD     3
#define GROUP_ISCSID 1 /* of the kernel's reports, as a bit */

struct keeper {
    struct lb_kernel_iscsi kernel;
    struct lb_login_again again;
    uint32_t port_id; /* ours, of the netlink socket */
    int state_fd;     /* the session's state in sysfs */
    int listeners_fd; /* /proc/net/netlink */
    uint8_t room[LB_ISCSI_RX_MIN];
};

/* ---- what it knows ----------------------------------------------------------------------------
 */

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

bool lb_keeper_has_rival(struct lb_bytes line, uint32_t our_port) {
    uint64_t address, protocol, port, groups;
    return next_number(&line, true, &address) && next_number(&line, false, &protocol) &&
           next_number(&line, false, &port) && next_number(&line, true, &groups) &&
           protocol == NETLINK_ISCSI && port != our_port && (groups & GROUP_ISCSID) != 0;
}

/* Who is told when a connection is lost, besides us. Without stdio, which would give again what it
 * has read before. */
static bool has_other_listener(const struct keeper *k) {
    char text[4096];
    size_t len = 0;
    ssize_t got;
    for (off_t at = 0; (got = pread(k->listeners_fd, text + len, sizeof(text) - len, at)) > 0;
         at += got) {
        struct lb_bytes rest = lb_bytes(text, len + (size_t)got);
        const char *end;
        while ((end = memchr(rest.p, '\n', rest.len)) != NULL) {
            size_t line_len = (size_t)(end - (const char *)rest.p);
            if (lb_keeper_has_rival(lb_bytes(rest.p, line_len), k->port_id))
                return true;
            rest = lb_bytes_after(rest, line_len + 1);
        }
        len = rest.len;
        memmove(text, rest.p, len);
    }
    return false;
}

/* ---- a session that is lost -------------------------------------------------------------------
 */

static void log_in_again(struct keeper *k) {
    unsigned pause_ms = PAUSE_MIN_MS, attempts = 0;
    say(k, "the connection is lost; logging in again");
    for (;;) {
        struct lb_error error = {0};
        if (lb_relogin(&k->kernel, &k->again, lb_span(k->room, sizeof(k->room)), &error)) {
            say(k, "logged in again");
            return;
        }
        if (attempts++ == 0)
            say(k, "%s: %s; trying until it is back", lb_code_word(error.code), error.facts);
        (void)poll(NULL, 0, (int)pause_ms);
        pause_ms = LB_MIN(pause_ms * 2, PAUSE_MAX_MS);
        if (session_state(k) != STATE_LOST || has_other_listener(k))
            return;
    }
}

/* Until the session is gone. A report comes sooner than the state in sysfs. */
static void watch(struct keeper *k) {
    enum state state = session_state(k);
    while (state != STATE_GONE) {
        struct pollfd events = {.fd = k->kernel.fd, .events = POLLIN};
        bool is_told = !lb_kernel_iscsi_look(&k->kernel);
        if ((state == STATE_LOST || is_told) && !has_other_listener(k))
            log_in_again(k);
        k->kernel.broken = 0;
        (void)poll(&events, 1, LOOK_MS);
        state = session_state(k);
    }
}

/* ---- the process ------------------------------------------------------------------------------
 */

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

static void reopen(int fd, const char *path) {
    int opened = open(path, O_RDWR | O_CLOEXEC);
    if (opened >= 0)
        dup2(opened, fd);
}

/* Nobody waits for it, no terminal stops it, and memory that it needs is not put on the disk that
 * is lost. Standard error is the kernel's log. */
static void stand_alone(void) {
    sigset_t none;
    setsid();
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    reopen(STDIN_FILENO, "/dev/null");
    reopen(STDOUT_FILENO, "/dev/null");
    reopen(STDERR_FILENO, "/dev/kmsg");
    close_range(FIRST_FD, ~0u, 0);
    (void)!chdir("/");
    program_invocation_name[0] = '@';
    prctl(PR_SET_NAME, "lunboot-keeper");
    (void)!mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT);
}

_Noreturn static void be_keeper(const struct lb_attached *attached) {
    static struct keeper k;
    stand_alone();
    k.again = attached->again;
    if (open_files(&k, attached))
        watch(&k);
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
