#include "hosts/linux/takeover.h"
#include "hosts/linux/slot.h"
#include "hosts/linux/takeover_rules.h"
#include "hosts/linux/uevent.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define REST_US     (10 * LB_US_SEC) /* for answers that the target still owes us */
#define LOGIN_US    (30 * LB_US_SEC) /* for the fresh login */
#define EVENT_BYTES 16384            /* the kernel's own limit is 2 KiB of values */

extern char **environ;

/* One attempt. */
struct takeover {
    struct lb_run *run;
    struct lb_kernel_iscsi kernel;
    bool is_kept;
    int events_fd;
    pid_t scan_pid; /* 0: none */
    uint64_t lun;
    char device[LB_TAKEOVER_DEVICE]; /* without /dev/ */
};

/* ---- modules --------------------------------------------------------------------------------- */

static void load_modules(void) {
    char words[4][16] = {"modprobe", "-qa", "iscsi_tcp", "sd_mod"};
    char *const arguments[] = {words[0], words[1], words[2], words[3], NULL};
    pid_t pid;
    int status;
    if (access("/sys/class/iscsi_transport/tcp", F_OK) == 0 &&
        access("/sys/bus/scsi/drivers/sd", F_OK) == 0)
        return;
    if (posix_spawnp(&pid, "modprobe", NULL, NULL, arguments, environ) == 0)
        (void)!waitpid(pid, &status, 0); /* whether it helped is seen by what follows */
}

/* ---- until the session is at rest ------------------------------------------------------------ */

static bool step_until(struct lb_run *run, uint64_t until_us, const char *what) {
    enum lb_loop_event event = lb_run_step(run, until_us);
    enum lb_takeover_wait wait = lb_takeover_wait(event, lb_now_us(), until_us);
    if (wait == LB_TAKEOVER_LATE)
        lb_fail(&run->error, LB_E_HAND_OVER, "%s", what);
    return wait == LB_TAKEOVER_WAITS;
}

static bool wait_for_rest(struct lb_run *run, struct lb_initiator_standing *standing) {
    uint64_t until_us = lb_now_us() + REST_US;
    while (!lb_initiator_is_at_rest(lb_boot_session(&run->boot), standing)) {
        if (!step_until(run, until_us, "the target still owes answers"))
            return false;
    }
    return true;
}

/* The session goes on by itself: closes, connects, logs in with the same ISID. */
static bool log_in_again(struct lb_run *run) {
    struct lb_initiator *session = lb_boot_session(&run->boot);
    unsigned logins = lb_initiator_logins(session);
    uint64_t until_us = lb_now_us() + LOGIN_US;
    lb_initiator_drop(session, lb_now_us());
    while (lb_initiator_logins(session) == logins) {
        if (!step_until(run, until_us, "no fresh login"))
            return false;
    }
    return true;
}

/* ---- the scan -------------------------------------------------------------------------------- */

/* In a process of its own, for the kernel scans within this write, and would wait there for a
 * target that is gone. The disk that is booted comes first, then what else the target has. */
static bool start_scan(struct takeover *t, struct lb_error *error) {
    int fd = lb_takeover_open_scan("/sys", t->kernel.host, error);
    if (fd < 0)
        return false;
    t->scan_pid = fork();
    if (t->scan_pid == 0) {
        lb_takeover_scan(fd, t->lun);
        _exit(0);
    }
    close(fd);
    if (t->scan_pid > 0)
        return true;
    lb_fail(error, LB_E_HAND_OVER, "a process for the scan: %s", strerror(errno));
    t->scan_pid = 0;
    return false;
}

/* ---- until the disk is there ----------------------------------------------------------------- */

/* Where the kernel had more events than there was room for, the disk is looked for. */
static bool take_disk_event(struct takeover *t) {
    static uint8_t room[EVENT_BYTES];
    struct lb_uevent event;
    bool lost = false;
    while (lb_uevent_next(t->events_fd, lb_span(room, sizeof(room)), &event, &lost)) {
        if (!lb_uevent_is_disk(&event, t->kernel.sid, t->kernel.host, t->lun))
            continue;
        lb_format(t->device, sizeof(t->device), "%s", event.name);
        return true;
    }
    return lost && lb_takeover_look("/sys", &t->kernel, t->lun, t->device);
}

/* One wait; false: it will not come. */
static bool wait_for_event(struct takeover *t, uint64_t until_us, struct lb_error *error) {
    uint64_t now_us = lb_now_us();
    struct pollfd fds[] = {{.fd = t->events_fd, .events = POLLIN},
                           {.fd = t->kernel.fd, .events = POLLIN},
                           {.fd = t->run->loop.signal_fd, .events = POLLIN}};
    if (now_us >= until_us) {
        lb_fail(error, LB_E_HAND_OVER, "the kernel has the session, but LUN %s did not appear",
                lb_lun_text(lb_boot_target(&t->run->boot)->lun).s);
        return false;
    }
    (void)poll(fds, LB_COUNT(fds), (int)((until_us - now_us) / LB_US_MS) + 1);
    if (!lb_kernel_iscsi_look(&t->kernel)) {
        lb_fail(error, LB_E_HAND_OVER, "the kernel lost the connection (its error %u)",
                t->kernel.broken);
        return false;
    }
    if (!(fds[2].revents & POLLIN))
        return true;
    t->run->is_interrupted = true;
    lb_fail(error, LB_E_CANCELLED, "by a signal");
    return false;
}

static bool wait_for_disk(struct takeover *t, struct lb_error *error) {
    uint64_t patience_ms = lb_config_u32(&t->run->config, LB_KEY_READY_TIMEOUT);
    uint64_t until_us = lb_now_us() + patience_ms * LB_US_MS;
    while (!take_disk_event(t)) {
        if (!wait_for_event(t, until_us, error))
            return false;
    }
    return true;
}

/* ---- one attempt ----------------------------------------------------------------------------- */

static void give_up(struct takeover *t) {
    int status;
    lb_kernel_iscsi_undo(&t->kernel);
    if (t->scan_pid > 0 && kill(t->scan_pid, SIGKILL) == 0)
        (void)!waitpid(t->scan_pid, &status, 0);
    t->scan_pid = 0;
}

/* The connection leaves our loop before the kernel gets it; the engine learns of it at the end. */
static bool attempt(struct takeover *t, const struct lb_initiator_standing *standing,
                    struct lb_error *error) {
    struct lb_kernel_iscsi_settings s = lb_takeover_settings(&t->run->config, t->is_kept);
    int fd = lb_slot_release(&t->run->loop, LB_BOOT_SLOT_SESSION);
    bool is_there = fd >= 0 && lb_kernel_iscsi_take(&t->kernel, fd, standing, &s, error) &&
                    start_scan(t, error) && wait_for_disk(t, error);
    if (!is_there)
        give_up(t);
    if (fd >= 0)
        close(fd);
    return is_there;
}

static bool open_all(struct takeover *t) {
    if (!lb_kernel_iscsi_open(&t->kernel, "/sys", &t->run->error))
        return false;
    t->events_fd = lb_uevent_open();
    if (t->events_fd >= 0)
        return true;
    lb_fail(&t->run->error, LB_E_HAND_OVER, "listening for devices: %s", strerror(errno));
    return false;
}

static void close_all(struct takeover *t) {
    lb_kernel_iscsi_close(&t->kernel);
    if (t->events_fd >= 0)
        close(t->events_fd);
}

/* ---- all of it ------------------------------------------------------------------------------- */

static bool try_once(struct takeover *t, struct lb_error *error) {
    struct lb_report *report = lb_boot_report(&t->run->boot);
    struct lb_initiator_standing standing;
    size_t step;
    bool is_there;

    if (!wait_for_rest(t->run, &standing))
        return false;
    step = lb_report_begin(report, lb_now_us(), LB_STAGE_HAND_OVER,
                           lb_initiator_peer(lb_boot_session(&t->run->boot)), "to the kernel");
    is_there = attempt(t, &standing, error);
    lb_report_end(report, lb_now_us(), step, is_there ? LB_DONE_OK : LB_DONE_FAILED, "%s",
                  is_there ? t->device : "refused; logging in anew");
    if (!is_there)
        lb_report_learned(report, lb_now_us(), LB_STAGE_HAND_OVER, "refused", "kernel", "%s",
                          error->facts);
    return is_there;
}

static bool take_over(struct takeover *t) {
    for (unsigned attempts = 1;; attempts++) {
        struct lb_error error = {0};
        bool is_there = try_once(t, &error), has_ended = !lb_is_ok(&t->run->error);
        enum lb_takeover_next next =
            lb_takeover_next(attempts, is_there, has_ended, t->run->is_interrupted);
        if (next == LB_TAKEOVER_DONE)
            return true;
        if (next == LB_TAKEOVER_FAILED && !has_ended)
            lb_fail(&t->run->error, error.code, "%s", error.facts);
        if (next == LB_TAKEOVER_FAILED || !log_in_again(t->run))
            return false;
    }
}

static void note_login(const struct takeover *t, struct lb_attached *attached) {
    struct lb_initiator_standing standing;
    struct lb_login_again *again = &attached->again;
    again->settings = lb_takeover_settings(&t->run->config, t->is_kept);
    if (!lb_initiator_is_at_rest(lb_boot_session(&t->run->boot), &standing))
        return;
    lb_takeover_note(&standing, &t->run->config, again);
    again->interface = t->run->has_iface ? t->run->iface.link.index : 0;
    again->identity = *lb_boot_identity(&t->run->boot);
    memcpy(again->lun, lb_boot_target(&t->run->boot)->lun, sizeof(again->lun));
}

bool lb_takeover(struct lb_run *run, bool is_kept, struct lb_attached *attached) {
    struct takeover t = {.run = run, .is_kept = is_kept, .events_fd = -1};
    unsigned logins;
    bool is_there;

    load_modules();
    t.lun = lb_kernel_lun(lb_boot_target(&run->boot)->lun);
    is_there = open_all(&t) && take_over(&t);
    close_all(&t);
    if (!is_there)
        return false;
    logins = lb_initiator_logins(lb_boot_session(&run->boot));
    *attached = (struct lb_attached){.sid = t.kernel.sid, .host = t.kernel.host, .logins = logins};
    lb_format(attached->device, sizeof(attached->device), "/dev/%s", t.device);
    attached->peer = lb_initiator_peer(lb_boot_session(&run->boot));
    if (is_kept)
        note_login(&t, attached);
    lb_run_pin(run);
    lb_boot_hand_over(&run->boot, lb_now_us());
    return true;
}

/* The device goes first, while it can still flush what it has written. */
void lb_takeover_end(const struct lb_attached *attached) {
    struct lb_kernel_iscsi kernel;
    struct lb_error error = {0};
    lb_takeover_delete("/sys", attached->device + strlen("/dev/"));
    if (lb_kernel_iscsi_open(&kernel, "/sys", &error)) {
        lb_kernel_iscsi_own(&kernel, attached->sid);
        lb_kernel_iscsi_undo(&kernel);
    }
    lb_kernel_iscsi_close(&kernel);
}
