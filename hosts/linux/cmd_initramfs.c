/* lunboot initramfs: what an initramfs calls, whatever made it. Decides whether there is something
 * to do, finds the interface, and has the kernel attach the disk. */
#include "hosts/linux/commands.h"
#include "hosts/linux/dracut.h"
#include "hosts/linux/files.h"
#include "hosts/linux/ibft_source.h"
#include "hosts/linux/keeper.h"
#include "hosts/linux/kexec.h"
#include "hosts/linux/machine.h"
#include "hosts/linux/results.h"
#include "hosts/linux/secrets.h"
#include "hosts/linux/turns.h"
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static struct lb_run run;
static struct lb_attached attached;
static struct lb_ibft ibft;
static enum lb_ibft_found ibft_found;
static const char *cmdline_file = "/proc/cmdline", *config_file = "/etc/lunboot.conf";
static const char *run_folder = "/run", *sysfs_root = "", *then = "attach";

static const struct lb_option options[] = {
    {"then", "attach|kexec", "what to do with the disk, as in lunboot boot", NULL, &then},
    {"kernel-cmdline", "FILE", "read FILE for /proc/cmdline", NULL, &cmdline_file},
    {"config", "FILE", "read FILE for /etc/lunboot.conf, if it is there", NULL, &config_file},
    {"run", "DIR", "the running system's /run (default /run)", NULL, &run_folder},
    {"root", "DIR", "write DIR/etc/resolv.conf", NULL, &run.root},
    {"sysfs", "DIR", "read DIR/sys for the firmware's table", NULL, &sysfs_root},
};
static const struct lb_usage usage = {
    .command = "initramfs",
    .synopsis = "[--KEY=VALUE ...]",
    .purpose =
        "For the scripts of an initramfs: boots if somebody said so, and has the kernel attach\n"
        "the disk as `lunboot boot --then=attach` does; prints the disk's device. Does nothing,\n"
        "silently, if nobody said so.\n"
        "Sources of the configuration, the later winning: DHCP, the firmware's table (iBFT) "
        "unless\n"
        "ibft=no, /etc/lunboot.conf, the kernel command line: dracut's and open-iscsi's words\n"
        "(netroot=, rd.iscsi.*, ip=, iscsi_*, BOOTIF=), then lunboot.KEY=VALUE, then options.\n"
        "Where no interface is named, the cards that have a link take turns.",
    .options = options,
    .option_count = LB_COUNT(options),
    .takes_keys = true,
};

/* ---- configuration ----------------------------------------------------------------------------
 */

/* The table of BIOS firmware is found by the kernel's module alone. */
static void load_ibft_module(void) {
    char words[3][12] = {"modprobe", "-qa", "iscsi_ibft"};
    char *const arguments[] = {words[0], words[1], words[2], NULL};
    pid_t pid;
    int status;
    if (posix_spawnp(&pid, "modprobe", NULL, NULL, arguments, environ) == 0)
        (void)!waitpid(pid, &status, 0); /* whether it helped is seen by what follows */
}

/* What is wrong with it is said when all sources are known: another may name the disk. */
static void read_ibft(bool is_asked_for, struct lb_error *error) {
    if (!lb_config_bool(&run.config, LB_KEY_IBFT))
        return;
    ibft_found = lb_ibft_read(sysfs_root, &ibft);
    if (ibft_found == LB_IBFT_ABSENT && is_asked_for && sysfs_root[0] == 0) {
        load_ibft_module();
        ibft_found = lb_ibft_read(sysfs_root, &ibft);
    }
    if (ibft_found == LB_IBFT_READ_WELL && !lb_ibft_configure(&ibft, &run.config, error))
        ibft_found = LB_IBFT_BROKEN;
}

static bool is_ibft_enough(bool is_asked_for, struct lb_error *error) {
    if (lb_ibft_is_enough(ibft_found, &ibft, is_asked_for, &run.config, error))
        return true;
    lb_fail(&run.error, error->code, "%s", error->facts);
    return false;
}

/* A file that is there and cannot be read, or a link to nowhere, is an error: it may forbid. */
static bool is_there(const char *path) {
    struct stat info;
    return lstat(path, &info) == 0 || errno != ENOENT;
}

/* dracut's words stand under our own of the same line: the first of them is taken back by it. The
 * table comes last, for the other sources say whether it is used. */
static bool configure_from(struct lb_bytes line) {
    const char *file = is_there(config_file) ? config_file : NULL;
    struct lb_error error = {.code = LB_OK};
    bool wants_ibft;
    run.config.name[LB_SOURCE_KERNEL] = cmdline_file;
    run.is_alone = true;
    lb_secrets_guard_memory(&ibft, sizeof(ibft));
    if (!lb_run_configure(&run, file, NULL) ||
        !lb_dracut_configure(line, &run.config, &run.error) ||
        !lb_config_cmdline(&run.config, line, &run.error))
        return false;
    wants_ibft = lb_config_bool(&run.config, LB_KEY_IBFT) && lb_dracut_wants_ibft(line);
    read_ibft(wants_ibft, &error);
    return is_ibft_enough(wants_ibft, &error);
}

static bool configure(void) {
    static char text[8192];
    long len = lb_machine_read_file(cmdline_file, lb_span(text, sizeof(text)));
    if (len < 0) {
        lb_fail(&run.error, LB_E_CONFIG_FILE, "%s: %s", cmdline_file, lb_file_reason((int)-len));
        return false;
    }
    bool good = configure_from(lb_bytes(text, (size_t)len));
    lb_wipe(text, sizeof(text));
    return good;
}

static struct lb_choice choice(void) {
    const char *word = lb_config_text(&run.config, LB_KEY_INTERFACE);
    struct lb_choice by = {.name = word[0] ? word : NULL, .sysfs = sysfs_root, .run = run_folder};
    if (!by.name && ibft_found == LB_IBFT_READ_WELL)
        by.mac = lb_ibft_nic_of(&ibft, lb_ibft_boot_target(&ibft))->mac;
    return by;
}

/* ---- the boot ---------------------------------------------------------------------------------
 */

static int fail(void) {
    if (run.has_loop)
        lb_run_stop(&run, true);
    lb_run_print_error(&run);
    lb_run_close(&run, true);
    lb_wipe(&ibft, sizeof(ibft));
    return lb_run_exit_code(&run);
}

/* The disk is there: where nobody can keep it so, that is said, and the boot goes on. */
static void keep(void) {
    struct lb_error error = {0};
    if (!lb_keeper_start(&attached, &error))
        fprintf(stderr, "lunboot: the session has no keeper: %s\n", error.facts);
    lb_wipe(&attached.again, sizeof(attached.again));
}

/* Does not come back, unless it fails. */
static int kexec(void) {
    if (lb_takeover(&run, false, &attached))
        lb_kexec(&run, &attached);
    return fail();
}

int lb_cmd_initramfs(int argc, char **argv) {
    enum lb_parsed parsed = lb_options_parse(&usage, argc, argv, &run.config, NULL);
    if (parsed != LB_PARSED)
        return parsed == LB_PARSED_HELP ? LB_EXIT_OK : LB_EXIT_USAGE;
    if (!configure())
        return fail();
    if (!lb_config_bool(&run.config, LB_KEY_ENABLE))
        return LB_EXIT_OK;
    run.shows_steps = true;
    struct lb_choice by = choice();
    if (!lb_turns_boot(&run, &by))
        return fail();
    lb_wipe(&ibft, sizeof(ibft));
    if (lb_streq(then, "kexec"))
        return kexec();
    bool is_kept = lb_config_bool(&run.config, LB_KEY_KEEP_SESSION);
    if (!lb_results_attach(&run, is_kept, &attached, run_folder))
        return fail();
    if (is_kept)
        keep();
    puts(attached.device);
    lb_run_stop(&run, false);
    lb_run_close(&run, false);
    return LB_EXIT_OK;
}
