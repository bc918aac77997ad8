/* lunboot boot: from an interface with nothing to a disk; then a report, or the next program. */
#include "hosts/linux/commands.h"
#include "hosts/linux/environment.h"
#include "hosts/linux/kexec.h"
#include "hosts/linux/machine.h"
#include "hosts/linux/results.h"
#include "hosts/linux/secrets.h"
#include "hosts/linux/show.h"
#include "hosts/linux/takeover.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct lb_run run;
static struct lb_attached attached;
static const char *config_file, *cmdline_file, *then = "report", *run_folder;
static bool with_cmdline;

static const struct lb_option options[] = {
    {"then", "report|attach|kexec|PROGRAM", "what to do with the disk: see above", NULL, &then},
    {"config", "FILE", "read `key = value` lines from FILE", NULL, &config_file},
    {"kernel-cmdline", "[FILE]", "read lunboot.key=value from /proc/cmdline, or from FILE",
     &with_cmdline, &cmdline_file},
    {"root", "DIR", "write DIR/etc/resolv.conf", NULL, &run.root},
    {"run", "DIR",
     "write what the running system's network needs under DIR; with --then=attach /run", NULL,
     &run_folder},
    {"json", NULL, "print the report as one JSON object", &run.json, NULL},
};
static const struct lb_usage usage = {
    .command = "boot",
    .synopsis =
        "--interface=IF --enable=yes [--KEY=VALUE ...] [--then=report|attach|kexec|PROGRAM]",
    .purpose = "Brings the interface up, gets an address, finds the disk and logs in to it.\n"
               "With --then=report it logs out, and prints what was done and found.\n"
               "With --then=attach the kernel's own initiator goes on with the session, without a\n"
               "second login: the disk's device is printed, /run/lunboot/session and\n"
               "/run/lunboot/report.json say the rest, and systemd-networkd, NetworkManager and\n"
               "ifupdown find files under /run by which they keep the interface as it is.\n"
               "With --then=kexec the kernel of the disk's default boot entry takes this one's\n"
               "place.\n"
               "With --then=PROGRAM it logs out and runs PROGRAM, which finds the results in its\n"
               "environment (LUNBOOT_*) and the interface configured.\n"
               "The lease is not renewed any more afterwards. A boot that fails or is interrupted\n"
               "leaves the interface as it was found.\n"
               "Later sources of a key win: --config, the kernel command line (read by itself in\n"
               "an initramfs), the command line.",
    .options = options,
    .option_count = LB_COUNT(options),
    .takes_keys = true,
};

static void print_json(void) {
    static char output[1 << 17];
    struct lb_text text = lb_text(output, sizeof(output));
    lb_results_json(&text, &run, attached.device[0] ? &attached : NULL);
    puts(output);
}

static void print_report(void) {
    if (run.json) {
        print_json();
        return;
    }
    if (run.has_loop)
        lb_show_report(&run);
    if (lb_is_ok(&run.error))
        lb_show_disk(&run);
}

static bool read_configuration(void) {
    if (!cmdline_file && (with_cmdline || lb_machine_is_initramfs()))
        cmdline_file = "/proc/cmdline";
    return lb_run_configure(&run, config_file, cmdline_file);
}

/* A boot that ended without a disk. */
static int fail(void) {
    if (run.is_interrupted)
        lb_run_stop(&run, true);
    if (run.has_loop)
        lb_fail(&lb_boot_report(&run.boot)->error, run.error.code, "%s", run.error.facts);
    print_report();
    lb_run_print_error(&run);
    lb_run_close(&run, true);
    return lb_run_exit_code(&run);
}

static int run_program(void) {
    lb_environment_set(&run);
    lb_run_close(&run, false);
    fflush(stdout);
    lb_secrets_release();
    execlp(then, then, (char *)NULL);
    int refused = errno;
    lb_complain("lunboot: ", then, ": ");
    fprintf(stderr, "%s\n", strerror(refused));
    return LB_EXIT_FAILED;
}

static int attach(void) {
    if (!lb_results_attach(&run, false, &attached, run_folder ? run_folder : "/run"))
        return fail();
    if (run.json)
        print_json();
    else
        puts(attached.device);
    lb_run_stop(&run, false);
    lb_run_close(&run, false);
    return LB_EXIT_OK;
}

/* Does not come back, unless it fails. */
static int kexec(void) {
    if (!lb_takeover(&run, false, &attached))
        return fail();
    lb_kexec(&run, &attached);
    attached.device[0] = 0;
    return fail();
}

int lb_cmd_boot(int argc, char **argv) {
    enum lb_parsed parsed = lb_options_parse(&usage, argc, argv, &run.config, NULL);

    if (parsed != LB_PARSED)
        return parsed == LB_PARSED_HELP ? LB_EXIT_OK : LB_EXIT_USAGE;
    run.shows_steps = isatty(STDERR_FILENO) && !lb_config_bool(&run.config, LB_KEY_TRACE);
    if (!read_configuration() || !lb_run_open(&run, LB_GOAL_DISK, true, false) ||
        !lb_run_until_ready(&run))
        return fail();
    if (strcmp(then, "attach") == 0)
        return attach();
    if (strcmp(then, "kexec") == 0)
        return kexec();
    lb_run_pin(&run);
    if (run_folder && !lb_run_write_network(&run, run_folder))
        return fail();
    lb_run_stop(&run, false);
    if (strcmp(then, "report") != 0)
        return run_program();
    print_report();
    lb_run_close(&run, false);
    return LB_EXIT_OK;
}
