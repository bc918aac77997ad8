/* One run of the engine, as boot, probe, read and the tests need it: configuration, interface,
 * loop, and how it ends. There is one struct lb_run a process. */
#ifndef LB_LINUX_RUN_H
#define LB_LINUX_RUN_H

#include "core/base/console.h"
#include "hosts/linux/loop.h"
#include "hosts/linux/names.h"
#include "hosts/linux/options.h"
#include <sys/stat.h>

#define LB_RUN_RX_BYTES    (UINT32_C(256) << 10) /* best: bench/NOTES.md */
#define LB_RUN_TRACE_BYTES (UINT32_C(256) << 10)
#define LB_RUN_CONFIG_MAX  65536 /* bytes of a file of the configuration */

struct lb_run {
    struct lb_config config;
    bool json;
    bool is_alone;    /* in an initramfs: there are no other users yet */
    const char *root; /* where resolv.conf goes; NULL: nowhere */

    struct lb_boot boot;
    struct lb_iface iface;
    struct lb_loop loop;
    struct lb_names_here names;
    bool has_iface, has_loop, is_interrupted;
    const struct lb_report *report_before; /* goes on in this one; NULL: a new one */
    bool shows_steps; /* on standard error, as they are taken: for a person who waits */
    struct lb_console console;
    size_t running_shown; /* 1 + the number of the running step that the last line shows; 0: none */
    struct lb_error error;    /* how it ended */
    struct lb_dhcp_seen seen; /* as it is stored: dhcp-state */
    uint8_t rx[LB_RUN_RX_BYTES];
    uint8_t trace[LB_RUN_TRACE_BYTES];
};

/* The bytes of a file of the configuration, in room (LB_RUN_CONFIG_MAX), and what the kernel says
 * of the file. False: see the error. */
bool lb_run_read_config(const char *path, struct lb_span room, struct stat *status,
                        struct lb_bytes *text, struct lb_error *error);

/* A configuration file that other users could change is refused (CONFIG_OPEN), and so is one with
 * secrets that they can read; while there are no others (is_alone), the latter is only told. */
/* After the program's options: a file, and the kernel's command line. config_file may be NULL.
 * Lines of a file come first, then /proc/cmdline or what cmdline_file names (NULL: not read); but
 * what the options and that line say of `config-signer` and `lock` holds for the file. */
bool lb_run_configure(struct lb_run *run, const char *config_file, const char *cmdline_file);

/* One attempt, and not a boot's five minutes of them, unless the configuration has a number: for a
 * person who waits for the answer. */
void lb_run_try_once(struct lb_run *run);

/* The machine's identity, the interface (where the key `interface` is set and with_interface), the
 * loop, the engine. False: run->error. */
bool lb_run_open(struct lb_run *run, enum lb_boot_goal goal, bool with_interface,
                 bool network_is_up);
/* Passes of the loop until the engine or a person has something to say, shown on the way: the trace
 * where it is asked for. FAILED and INTERRUPTED set run->error. */
enum lb_loop_event lb_run_step(struct lb_run *run, uint64_t until_us);
/* Until READY: true. */
bool lb_run_until_ready(struct lb_run *run);
/* Reads blocks of the disk into buffer; at once, for small things. False: run->error. */
bool lb_run_read(struct lb_run *run, uint64_t lba, uint32_t blocks, uint8_t *buffer);
/* Submits an operation, and waits for it. */
bool lb_run_operation(struct lb_run *run, struct lb_disk_op *op);
/* While the session is there: whoever binds to no interface (the kernel, a keeper, iscsid, the next
 * program) reaches its target by our interface, too, also where another has the default route. */
void lb_run_pin(struct lb_run *run);
/* The addresses stay, also when nobody renews the lease: without them the root disk were gone. */
void lb_run_hold(struct lb_run *run);
/* The interface for the running system: netfiles.h. False: run->error. */
bool lb_run_write_network(struct lb_run *run, const char *folder);
/* Logs out. Then, or where that takes too long, everything is closed. */
void lb_run_stop(struct lb_run *run, bool release);
/* Closes; undo: the interface is put back as it was found. */
void lb_run_close(struct lb_run *run, bool undo);

/* The four parts of run->error on standard error, or with --json nothing (the report has it). */
void lb_run_print_error(const struct lb_run *run);
/* LB_EXIT_ of run->error. */
int lb_run_exit_code(const struct lb_run *run);

#endif
