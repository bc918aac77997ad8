#include "hosts/linux/run.h"
#include "core/dhcp4/dhcp4_client.h"
#include "core/trust/trust.h"
#include "hosts/linux/ike_names.h"
#include "hosts/linux/machine.h"
#include "hosts/linux/netfiles.h"
#include "hosts/linux/secrets.h"
#include "hosts/linux/seed.h"
#include "os/linux/files.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LOOK_US      (200 * LB_US_MS)
#define STOP_US      (3 * LB_US_SEC) /* for the logout and the DHCP release */
#define SEED_WAIT_MS 5000            /* for a kernel that has no random numbers yet */

/* ---- configuration --------------------------------------------------------------------------- */

static bool has_secret(struct lb_bytes text) {
    static struct lb_config config;
    struct lb_error error = {.code = LB_OK};
    memset(&config, 0, sizeof(config));
    (void)lb_config_file(&config, LB_SOURCE_FILE, text, &error);
    bool has = false;
    for (size_t i = 0; i < LB_KEY_COUNT; i++)
        has = has || (lb_key_info((enum lb_key)i)->type == LB_TYPE_SECRET &&
                      lb_config_is_set(&config, (enum lb_key)i));
    lb_wipe(&config, sizeof(config));
    return has;
}

/* Who can write to it can say `enable`, and whom to trust. A user's own files may be their group's,
 * which often has no one else in it. */
static bool is_open(const struct stat *status) {
    mode_t others = geteuid() == 0 ? S_IWGRP | S_IWOTH : S_IWOTH;
    return (status->st_uid != 0 && status->st_uid != geteuid()) || (status->st_mode & others) != 0;
}

/* "640" */
static void add_mode(struct lb_text *text, mode_t mode) {
    lb_text_add(text, "%u%u%u", mode >> 6 & 7, mode >> 3 & 7, mode & 7);
}

/* Whether others can see or change what they should not. */
static bool check_open(struct lb_run *run, const char *path, const struct stat *status,
                       struct lb_bytes contents) {
    char mode[8];
    struct lb_text text = lb_text(mode, sizeof(mode));
    add_mode(&text, status->st_mode);
    if (is_open(status)) {
        lb_fail(&run->error, LB_E_CONFIG_OPEN, "%s: others can change it (mode %s, user %u)", path,
                mode, (unsigned)status->st_uid);
        return false;
    }
    if ((status->st_mode & (S_IRGRP | S_IROTH)) == 0 || !has_secret(contents))
        return true;
    if (run->is_alone) {
        lb_complain("lunboot: ", path, ": it has secrets, and others can read it: chmod 600\n");
        return true;
    }
    lb_fail(&run->error, LB_E_CONFIG_OPEN, "%s: it has secrets, and others can read it (mode %s)",
            path, mode);
    return false;
}

/* With config-signer only a signed file counts; one without a signature is as one that is not
 * there, and a wrong signature is somebody's change. False: run->error. */
static bool judge_file(struct lb_run *run, const char *path, struct lb_bytes text,
                       enum lb_config_source *source) {
    uint8_t signer[LB_TRUST_SIGNER_BYTES], signature[LB_TRUST_SIGNATURE_MAX + 1];
    char name[PATH_MAX];
    *source = LB_SOURCE_FILE;
    if (!lb_config_bytes(&run->config, LB_KEY_CONFIG_SIGNER, lb_span(signer, sizeof(signer)))) {
        if (!lb_config_is_locked(&run->config, LB_SOURCE_FILE))
            return true;
        *source = LB_SOURCE_NONE;
        lb_complain("lunboot: ", path, " is passed over: it is not signed, and lock is yes\n");
        return true;
    }
    lb_format(name, sizeof(name), "%s.sig", path);
    long len = lb_file_read(name, lb_span(signature, sizeof(signature)));
    if (len == -ENOENT) {
        *source = LB_SOURCE_NONE;
        lb_complain("lunboot: ", path,
                    " is passed over: it has no signature, and config-signer is set\n");
        return true;
    }
    *source = LB_SOURCE_VERIFIED;
    if (len >= 0 && lb_trust_verify(signer, text, lb_bytes(signature, (size_t)len)))
        return true;
    lb_fail(&run->error, LB_E_CONFIG_SIGNATURE, "%s: %s", name,
            len < 0 ? lb_file_reason((int)-len) : "it is not config-signer's for this file");
    return false;
}

static bool take_text(struct lb_run *run, const char *path, enum lb_config_source source,
                      struct lb_bytes text) {
    struct lb_error error = {0};
    run->config.name[source] = path;
    if (source == LB_SOURCE_KERNEL ? lb_config_cmdline(&run->config, text, &error)
                                   : lb_config_file(&run->config, source, text, &error))
        return true;
    lb_fail(&run->error, error.code, "%s: %s", path, error.facts);
    return false;
}

static bool take_file(struct lb_run *run, const char *path, const struct stat *status,
                      struct lb_bytes text) {
    enum lb_config_source source;
    return check_open(run, path, status, text) && judge_file(run, path, text, &source) &&
           (source == LB_SOURCE_NONE || take_text(run, path, source, text));
}

/* What is done with a file's bytes. */
enum step { TRUST, TAKE_LINE, TAKE_FILE };

bool lb_run_read_config(const char *path, struct lb_span room, struct stat *status,
                        struct lb_bytes *text, struct lb_error *error) {
    int fd = lb_file_open(path, status);
    long len = fd < 0 ? fd : lb_file_read_all(fd, room);
    if (len < 0) {
        lb_fail(error, LB_E_CONFIG_FILE, "%s: %s", path, lb_file_reason((int)-len));
        return false;
    }
    *text = lb_bytes(room.p, (size_t)len);
    return true;
}

static bool configure_from(struct lb_run *run, const char *path, enum step step) {
    static uint8_t room[LB_RUN_CONFIG_MAX];
    struct stat status;
    struct lb_bytes text;
    bool good = true;
    if (!lb_run_read_config(path, lb_span(room, sizeof(room)), &status, &text, &run->error))
        return false;
    lb_secrets_guard_memory(&run->config, sizeof(run->config));
    if (step == TRUST)
        lb_config_cmdline_trust(&run->config, text);
    else if (step == TAKE_LINE)
        good = take_text(run, path, LB_SOURCE_KERNEL, text);
    else
        good = take_file(run, path, &status, text);
    lb_wipe(room, sizeof(room));
    return good;
}

bool lb_run_configure(struct lb_run *run, const char *config_file, const char *cmdline_file) {
    if (config_file && cmdline_file && !configure_from(run, cmdline_file, TRUST))
        return false;
    if (config_file && !configure_from(run, config_file, TAKE_FILE))
        return false;
    return !cmdline_file || configure_from(run, cmdline_file, TAKE_LINE);
}

void lb_run_try_once(struct lb_run *run) {
    if (!lb_config_is_set(&run->config, LB_KEY_ATTEMPTS))
        lb_config_set(&run->config, LB_SOURCE_FILE, lb_bytes_of_text("attempts"),
                      lb_bytes_of_text("1"), &run->error);
}

/* ---- what must not be played again ----------------------------------------------------------- */

/* The file of replay values; NULL: none is kept. */
static const char *state_file(const struct lb_run *run) {
    const char *path = lb_config_text(&run->config, LB_KEY_DHCP_STATE);
    return lb_config_is_set(&run->config, LB_KEY_DHCP_KEYS) && path[0] != 0 ? path : NULL;
}

/* Below --root, where one is given. */
static const char *state_root(const struct lb_run *run, const char *path) {
    if (path[0] != '/')
        return ".";
    return run->root ? run->root : "/";
}

static void load_seen(struct lb_run *run) {
    uint8_t room[LB_DHCP_SEEN_BYTES + 1];
    const char *path = state_file(run);
    struct stat status;
    char whole[PATH_MAX];
    if (path)
        lb_format(whole, sizeof(whole), "%s/%s", state_root(run, path), path);
    int fd = path ? lb_file_open(whole, &status) : -ENOENT;
    if (fd == -ENOENT)
        return;
    long len = fd < 0 ? fd : lb_file_read_all(fd, lb_span(room, sizeof(room)));
    if (len < 0 || is_open(&status) ||
        !lb_dhcp_seen_decode(lb_bytes(room, (size_t)len), &run->seen))
        lb_complain("lunboot: ", path,
                    ": it cannot be read, or is not ours alone: replay values begin anew\n");
}

/* Where an answer was taken: other values than those that are stored. */
static void store_seen(struct lb_run *run) {
    const struct lb_dhcp_seen *seen = lb_boot_seen(&run->boot);
    uint8_t room[LB_DHCP_SEEN_BYTES];
    const char *path = state_file(run);
    if (!path || memcmp(seen, &run->seen, sizeof(*seen)) == 0)
        return;
    size_t len = lb_dhcp_seen_encode(seen, room);
    const char *root = state_root(run, path);
    while (path[0] == '/')
        path++;
    int why = lb_file_write(root, path, 0600, lb_bytes(room, len));
    if (why != 0)
        fprintf(stderr, "lunboot: %s: %s: answers of today may be played again\n", path,
                lb_file_reason(why));
    run->seen = *seen;
}

/* ---- opening --------------------------------------------------------------------------------- */

static bool open_interface(struct lb_run *run) {
    const char *name = lb_config_text(&run->config, LB_KEY_INTERFACE);
    char found[IF_NAMESIZE], there[128];
    struct lb_text text = lb_text(there, sizeof(there));
    uint8_t mac[6];
    if (name[0] == 0) {
        lb_machine_list_interfaces(&text);
        lb_fail(&run->error, LB_E_NO_INTERFACE, "none is named; those that there are: %s", there);
        return false;
    }
    if (lb_machine_parse_mac(lb_bytes_of_text(name), mac) &&
        lb_machine_interface_of(mac, found, sizeof(found)))
        name = found;
    run->has_iface = lb_iface_open(&run->iface, name, run->root, &run->error);
    return run->has_iface;
}

bool lb_run_open(struct lb_run *run, enum lb_boot_goal goal, bool with_interface,
                 bool network_is_up) {
    struct lb_boot_setup setup = {.config = &run->config,
                                  .goal = goal,
                                  .network_is_up = network_is_up,
                                  .has_esp = true,
                                  /* who takes over; and what it has taken is shared */
                                  .esp_in_kernel = goal == LB_GOAL_DISK || lb_ike_names_in_kernel(),
                                  .unix_s = (uint64_t)time(NULL),
                                  .report = run->report_before,
                                  .seen = &run->seen,
                                  .machine = &run->names.machine,
                                  .rx = lb_span(run->rx, sizeof(run->rx)),
                                  .trace_ring = lb_span(run->trace, sizeof(run->trace))};

    if (with_interface && !open_interface(run))
        return false;
    enum lb_seed seed = lb_seed_fill(setup.seed, SEED_WAIT_MS);
    if (seed == LB_SEED_NONE) {
        lb_fail(&run->error, LB_E_INTERNAL, "random numbers: %s", strerror(errno));
        return false;
    }
    if (run->has_iface) {
        setup.interface = run->iface.name;
        memcpy(setup.mac, run->iface.found.mac, sizeof(setup.mac));
        setup.has_ipv6 = lb_iface6_is_possible(run->iface.name);
        run->iface.has_ipv6 = setup.has_ipv6 && !network_is_up;
    } else {
        lb_machine_mac(setup.mac);
    }
    load_seen(run);
    lb_machine_uuid(setup.uuid);
    lb_names_read(&run->names, NULL, NULL);
    run->has_loop =
        lb_loop_open(&run->loop, &run->boot, run->has_iface ? &run->iface : NULL, &run->error);
    run->loop.in_kernel = setup.esp_in_kernel;
    run->loop.is_bound = run->has_iface && !network_is_up;
    lb_boot_init(&run->boot, lb_now_us(), &setup);
    lb_wipe(setup.seed, sizeof(setup.seed));
    lb_report_learned(lb_boot_report(&run->boot), lb_now_us(), LB_STAGE_CONFIG, "random numbers",
                      "this machine", "%s", lb_seed_word(seed));
    return run->has_loop;
}

/* ---- running --------------------------------------------------------------------------------- */

static void show_trace(struct lb_run *run) {
    char line[LB_TRACE_LINE_MAX];
    if (!lb_config_bool(&run->config, LB_KEY_TRACE))
        return;
    while (lb_trace_next(lb_boot_trace(&run->boot), line))
        fprintf(stderr, "%s\n", line);
}

/* The step that is being taken stands on a line that is written over. */
static void show_running(struct lb_run *run, bool is_over) {
    const struct lb_report *report = lb_boot_report(&run->boot);
    const struct lb_step *step = is_over ? NULL : lb_report_running(report);
    char line[256];
    struct lb_text text = lb_text(line, sizeof(line));

    if (is_over && run->running_shown > 0)
        fputs("\n", stderr);
    if (step && run->running_shown != step->number + 1) {
        lb_step_line(report, step, &text);
        fprintf(stderr, "\r%s\033[K", line);
    }
    run->running_shown = step ? step->number + 1 : 0;
}

/* Lines that stay: core/base/console.h has the rules. */
static void show_steps(struct lb_run *run, bool is_over) {
    char line[256];
    struct lb_text text = lb_text(line, sizeof(line));

    if (!run->shows_steps)
        return;
    while (
        lb_console_next(&run->console, lb_boot_report(&run->boot), lb_now_us(), is_over, &text)) {
        fprintf(stderr, "\r%s\033[K\n", line);
        run->running_shown = 0;
        text = lb_text(line, sizeof(line));
    }
    show_running(run, is_over);
}

enum lb_loop_event lb_run_step(struct lb_run *run, uint64_t until_us) {
    enum lb_loop_event event = lb_loop_run(&run->loop, until_us);
    struct lb_report *report = lb_boot_report(&run->boot);

    show_trace(run);
    show_steps(run, event != LB_LOOP_WORK && event != LB_LOOP_OFFERS);
    if (event != LB_LOOP_WORK)
        store_seen(run);
    if (event == LB_LOOP_FAILED)
        lb_fail(&run->error, report->error.code, "%s", report->error.facts);
    if (event == LB_LOOP_INTERRUPTED) {
        run->is_interrupted = true;
        lb_fail(&run->error, LB_E_CANCELLED, "by a signal");
    }
    return event;
}

/* While somebody watches, the loop comes back now and then also where nothing happens on a
 * connection. */
static uint64_t looks_again_us(const struct lb_run *run) {
    bool is_watched = run->shows_steps || lb_config_bool(&run->config, LB_KEY_TRACE);
    return is_watched ? lb_now_us() + LOOK_US : LB_NEVER;
}

bool lb_run_until_ready(struct lb_run *run) {
    for (;;) {
        switch (lb_run_step(run, looks_again_us(run))) {
        case LB_LOOP_WORK:
        case LB_LOOP_OFFERS:
            break;
        case LB_LOOP_READY:
            return true;
        case LB_LOOP_FAILED:
        case LB_LOOP_OUT:
        case LB_LOOP_INTERRUPTED:
            return false;
        }
    }
}

bool lb_run_operation(struct lb_run *run, struct lb_disk_op *op) {
    lb_boot_submit(&run->boot, lb_now_us(), op);
    while (lb_boot_completed(&run->boot) != op) {
        enum lb_loop_event event = lb_run_step(run, LB_NEVER);
        if (event != LB_LOOP_WORK && event != LB_LOOP_READY)
            return false;
    }
    if (!lb_is_ok(&op->error))
        lb_fail(&run->error, op->error.code, "%s", op->error.facts);
    return lb_is_ok(&op->error);
}

bool lb_run_read(struct lb_run *run, uint64_t lba, uint32_t blocks, uint8_t *buffer) {
    static struct lb_disk_op op; /* stays in place where a read is given up by an interruption */
    op = (struct lb_disk_op){.kind = LB_DISK_READ, .lba = lba, .blocks = blocks, .buffer = buffer};
    return lb_run_operation(run, &op);
}

/* ---- for the running system ------------------------------------------------------------------ */

/* An interface that we configured. */
static bool has_network(const struct lb_run *run) {
    return run->has_iface && run->loop.is_bound;
}

void lb_run_pin(struct lb_run *run) {
    const struct lb_initiator *session = lb_boot_session(&run->boot);
    struct lb_initiator_standing standing;
    if (!has_network(run))
        return;
    lb_iface_pin(&run->iface, lb_initiator_peer(session).addr);
    if (lb_initiator_is_at_rest(session, &standing)) /* a redirect led from there */
        lb_iface_pin(&run->iface, standing.home.addr);
}

void lb_run_hold(struct lb_run *run) {
    if (has_network(run))
        lb_iface_hold(&run->iface);
}

bool lb_run_write_network(struct lb_run *run, const char *folder) {
    uint8_t room[LB_DHCP4_BLOB_MAX];
    char rootpath[LB_ROOTPATH_MAX];
    struct lb_text text = lb_text(rootpath, sizeof(rootpath));
    struct lb_netfiles from = {.interface = run->iface.name,
                               .index = run->iface.link.index,
                               .kind = run->iface.found.kind,
                               .net = lb_boot_net(&run->boot),
                               .pins = &run->iface.pins,
                               .rootpath = rootpath};
    if (!has_network(run))
        return true;
    lb_rootpath_format(&text, lb_boot_target(&run->boot));
    memcpy(from.mac, run->iface.found.mac, sizeof(from.mac));
    if (lb_boot_lease4(&run->boot))
        from.client_id = lb_dhcp4_client_id(&run->boot.network.dhcp, room);
    return lb_netfiles_write(&from, folder, &run->error);
}

/* ---- the end --------------------------------------------------------------------------------- */

void lb_run_stop(struct lb_run *run, bool release) {
    uint64_t until_us = lb_now_us() + STOP_US;
    if (!run->has_loop)
        return;
    lb_boot_stop(&run->boot, lb_now_us(), release);
    while (lb_now_us() < until_us) {
        enum lb_loop_event event = lb_loop_run(&run->loop, until_us);
        show_trace(run);
        if (event == LB_LOOP_OUT || event == LB_LOOP_FAILED || event == LB_LOOP_INTERRUPTED)
            return;
    }
}

/* A signal that came meanwhile ends the process when the loop is closed, and not before all is as
 * it was found. */
void lb_run_close(struct lb_run *run, bool undo) {
    if (run->has_iface && undo)
        lb_iface_restore(&run->iface);
    else if (run->has_iface)
        lb_iface_keep(&run->iface);
    if (run->has_loop)
        lb_loop_close(&run->loop);
    if (run->has_iface)
        lb_iface_close(&run->iface);
    lb_config_wipe_secrets(&run->config);
    run->has_loop = run->has_iface = false;
}

void lb_run_print_error(const struct lb_run *run) {
    char buffer[1024];
    struct lb_text text = lb_text(buffer, sizeof(buffer));
    if (lb_is_ok(&run->error))
        return;
    lb_error_format(&text, &run->error);
    fflush(stdout);
    fprintf(stderr, "lunboot: %s", buffer);
}

int lb_run_exit_code(const struct lb_run *run) {
    if (run->is_interrupted)
        return LB_EXIT_INTERRUPTED;
    return lb_is_ok(&run->error) ? LB_EXIT_OK : LB_EXIT_FAILED;
}
