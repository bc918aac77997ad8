/* lunboot initramfs: what an initramfs calls, whatever made it. Decides whether there is something
 * to do, finds the interface, and has the kernel attach the disk. */
#include "hosts/linux/choose.h"
#include "hosts/linux/commands.h"
#include "hosts/linux/dracut.h"
#include "hosts/linux/ibft_source.h"
#include "hosts/linux/keeper.h"
#include "hosts/linux/kexec.h"
#include "hosts/linux/machine.h"
#include "hosts/linux/results.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct lb_run run;
static struct lb_attached attached;
static struct lb_ibft ibft;
static bool has_ibft;
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
        "Where no interface is named, the first with a link is taken.",
    .options = options,
    .option_count = LB_COUNT(options),
    .takes_keys = true,
};

/* ---- configuration ----------------------------------------------------------------------------
 */

static bool read_ibft(void) {
    if (!lb_config_bool(&run.config, LB_KEY_IBFT))
        return true;
    has_ibft = lb_ibft_read(sysfs_root, &ibft);
    return !has_ibft || lb_ibft_configure(&ibft, &run.config, &run.error);
}

/* dracut's words stand under our own of the same line: the first of them is taken back by it. */
static bool read_cmdline(void) {
    static char text[8192];
    long len = lb_machine_read_file(cmdline_file, lb_span(text, sizeof(text)));
    if (len < 0) {
        lb_fail(&run.error, LB_E_CONFIG_FILE, "%s: %s", cmdline_file, strerror((int)-len));
        return false;
    }
    struct lb_bytes line = lb_bytes(text, (size_t)len);
    run.config.name[LB_SOURCE_KERNEL] = cmdline_file;
    bool good = lb_dracut_configure(line, &run.config, &run.error) &&
                lb_config_cmdline(&run.config, line, &run.error);
    lb_wipe(text, sizeof(text));
    return good;
}

/* A file that is there and cannot be read, or a link to nowhere, is an error: it may forbid. */
static bool is_there(const char *path) {
    struct stat info;
    return lstat(path, &info) == 0 || errno != ENOENT;
}

/* The table comes last, for the other sources say whether it is used. */
static bool configure(void) {
    const char *file = is_there(config_file) ? config_file : NULL;
    return lb_run_configure(&run, file, NULL) && read_cmdline() && read_ibft();
}

static bool choose_interface(void) {
    const char *word = lb_config_text(&run.config, LB_KEY_INTERFACE);
    struct lb_choice choice = {.name = word[0] ? word : NULL};
    char name[32];
    if (!choice.name && has_ibft)
        choice.mac = ibft.nics[ibft.targets[0].nic].mac;
    return lb_choose_interface(&choice, lb_config_u32(&run.config, LB_KEY_LINK_TIMEOUT), name,
                               sizeof(name), &run.error) &&
           lb_config_set(&run.config, LB_SOURCE_OPTION, lb_bytes_of_text("interface"),
                         lb_bytes_of_text(name), &run.error);
}

/* ---- the boot ---------------------------------------------------------------------------------
 */

static int fail(void) {
    if (run.has_loop)
        lb_run_stop(&run, true);
    lb_run_print_error(&run);
    lb_run_close(&run, true);
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
    if (!choose_interface() || !lb_run_open(&run, LB_GOAL_DISK, true, false) ||
        !lb_run_until_ready(&run))
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
