/* lunboot initramfs: what an initramfs calls, whatever made it. Decides whether there is something
 * to do, finds the interface, and has the kernel attach the disk. */
#include "hosts/linux/commands.h"
#include "hosts/linux/ibft_source.h"
#include "hosts/linux/keeper.h"
#include "hosts/linux/kexec.h"
#include "hosts/linux/machine.h"
#include "hosts/linux/results.h"
#include "hosts/linux/secrets.h"
#include "hosts/linux/turns.h"
#include "hosts/linux/words.h"
#include "os/linux/files.h"
#include <dirent.h>
#include <errno.h>
#include <net/if.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static struct lb_run run;
static struct lb_attached attached;
static struct lb_ibft ibft;
static enum lb_ibft_found ibft_found;
static struct lb_words words;
static bool interface_is_hint, only_asks;
static const char *cmdline_file = "/proc/cmdline", *config_file = "/etc/lunboot.conf";
static const char *run_folder = "/run", *sysfs_root = "", *then = "attach";

static const struct lb_option options[] = {
    {"is-asked", NULL, "boot nothing: exit with 0 if somebody asked for a disk, else with 1",
     &only_asks, NULL},
    {"then", "attach|kexec", "what to do with the disk, as in lunboot boot", NULL, &then},
    {"kernel-cmdline", "FILE", "read FILE for /proc/cmdline", NULL, &cmdline_file},
    {"config", "FILE", "read FILE for /etc/lunboot.conf, if it is there", NULL, &config_file},
    {"run", "DIR", "the running system's /run (default /run)", NULL, &run_folder},
    {"root", "DIR", "read open-iscsi's files in DIR/etc, write DIR/etc/resolv.conf", NULL,
     &run.root},
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
        "ibft=no, open-iscsi's iscsi.initramfs and initiatorname.iscsi, /etc/lunboot.conf, the\n"
        "kernel command line: dracut's and open-iscsi's words (netroot=, rd.iscsi.*, ip=, "
        "iscsi_*,\n"
        "ISCSI_*, BOOTIF=, ...), then lunboot.KEY=VALUE, then options.\n"
        "Where no interface is named, the cards that have a link take turns.",
    .options = options,
    .option_count = LB_COUNT(options),
    .takes_keys = true,
};

/* ---- configuration --------------------------------------------------------------------------- */

/* The table of BIOS firmware is found by the kernel's module alone. */
static void load_ibft_module(void) {
    char text[3][12] = {"modprobe", "-qa", "iscsi_ibft"};
    char *const arguments[] = {text[0], text[1], text[2], NULL};
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
        ibft_found = lb_ibft_is_ours(&ibft) ? LB_IBFT_OURS_BROKEN : LB_IBFT_BROKEN;
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

/* open-iscsi's own hook copies its files into /etc, ours into /etc/iscsi. Gives its length; 0:
 * there is none. */
static size_t read_open_iscsi(const char *name, struct lb_span room) {
    static const char *const folders[] = {"etc/iscsi", "etc"};
    char path[256];
    for (size_t i = 0; i < LB_COUNT(folders); i++) {
        lb_format(path, sizeof(path), "%s/%s/%s", run.root ? run.root : "", folders[i], name);
        long len = lb_file_read(path, room);
        if (len >= 0)
            return (size_t)len;
        if (len != -ENOENT && len != -ENOTDIR)
            fprintf(stderr, "lunboot: %s: %s\n", path, lb_file_reason((int)-len));
    }
    return 0;
}

/* Files of dracut: what /etc/cmdline.d and /etc/cmdline have stands before the kernel's line. They
 * have its syntax, and lines that are comments. */
static char early_lines[8192];

static void add_lines(struct lb_text *text, const char *path) {
    char room[4096];
    long len = lb_file_read(path, lb_span(room, sizeof(room)));
    struct lb_bytes rest = lb_bytes(room, len > 0 ? (size_t)len : 0), line;
    if (len < 0 && len != -ENOENT && len != -ENOTDIR)
        fprintf(stderr, "lunboot: %s: %s\n", path, lb_file_reason((int)-len));
    while (lb_list_next(&rest, '\n', &line)) {
        if (line.len > 0 && line.p[0] != '#')
            lb_text_add(text, "%.*s ", (int)line.len, (const char *)line.p);
    }
    lb_wipe(room, sizeof(room));
}

static int is_conf(const struct dirent *entry) {
    size_t len = strlen(entry->d_name);
    return entry->d_name[0] != '.' && len > 5 && strcmp(entry->d_name + len - 5, ".conf") == 0;
}

static void read_early_lines(void) {
    const char *root = run.root ? run.root : "";
    struct lb_text text = lb_text(early_lines, sizeof(early_lines));
    struct dirent **files = NULL;
    char folder[256], path[600];
    lb_format(folder, sizeof(folder), "%s/etc/cmdline.d", root);
    int count = scandir(folder, &files, is_conf, alphasort);
    for (int i = 0; i < count; i++) {
        lb_format(path, sizeof(path), "%s/%s", folder, files[i]->d_name);
        add_lines(&text, path);
        free(files[i]);
    }
    free(files);
    lb_format(path, sizeof(path), "%s/etc/cmdline", root);
    add_lines(&text, path);
    if (text.cut)
        fprintf(stderr, "lunboot: %s: so much that it does not all count\n", folder);
    lb_words_read_line(&words, lb_bytes(early_lines, text.len));
}

static void read_words(struct lb_bytes line) {
    char room[4096];
    size_t len = read_open_iscsi("iscsi.initramfs", lb_span(room, sizeof(room)));
    lb_words_read_file(&words, lb_bytes(room, len));
    lb_wipe(room, sizeof(room));
    read_early_lines();
    lb_words_read_line(&words, line);
}

/* That of the firmware's table, and what anybody says elsewhere, stand above it. */
static void read_initiator_name(void) {
    char room[4096];
    struct lb_error error = {.code = LB_OK};
    if (lb_config_is_set(&run.config, LB_KEY_INITIATOR))
        return;
    size_t len = read_open_iscsi("initiatorname.iscsi", lb_span(room, sizeof(room)));
    struct lb_bytes name = lb_words_initiator_name(lb_bytes(room, len));
    if (name.len > 0 && !lb_config_set(&run.config, LB_SOURCE_OPEN_ISCSI,
                                       lb_bytes_of_text("initiator"), name, &error))
        fprintf(stderr, "lunboot: initiatorname.iscsi: %s\n", error.facts);
}

/* Words that name the table's target and no LUN mean the LUN that the firmware booted. */
static bool use_lun_of_table(struct lb_error *error) {
    char lun[32];
    struct lb_text text = lb_text(lun, sizeof(lun));
    const char *given = lb_config_text(&run.config, LB_KEY_LUN);
    if (ibft_found != LB_IBFT_READ_WELL || (!lb_streq(given, "any") && !lb_streq(given, "first")) ||
        !lb_list_has_name(lb_bytes_of_text(lb_config_text(&run.config, LB_KEY_TARGET)),
                          lb_ibft_boot_target(&ibft)->name))
        return true;
    lb_lun_format(&text, lb_ibft_boot_target(&ibft)->lun);
    return lb_config_set(&run.config, lb_config_source(&run.config, LB_KEY_LUN),
                         lb_bytes_of_text("lun"), lb_bytes_of_text(lun), error);
}

/* Where neither the words nor root= say which of several LUNs it is, the boot loader does, if it
 * came from one of them: systemd-boot and GRUB leave the partition in this variable. */
static bool heed_boot_loader(struct lb_error *error) {
    uint8_t variable[128];
    char path[300], holds[LB_WORDS_HOLDS_BYTES];
    const char *given = lb_config_text(&run.config, LB_KEY_LUN);
    if ((!lb_streq(given, "any") && !lb_streq(given, "first")) ||
        lb_config_is_set(&run.config, LB_KEY_LUN_HOLDS))
        return true;
    lb_format(path, sizeof(path), "%s/sys/firmware/efi/efivars/%s", sysfs_root,
              "LoaderDevicePartUUID-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f");
    long len = lb_file_read(path, lb_span(variable, sizeof(variable)));
    if (len < 0 || !lb_words_loader_partition(lb_bytes(variable, (size_t)len), holds))
        return true;
    return lb_config_set(&run.config, lb_config_source(&run.config, LB_KEY_LUN),
                         lb_bytes_of_text("lun-holds"), lb_bytes_of_text(holds), error);
}

/* An interface that words would have made: it is there, or never will be. */
static bool check_made(void) {
    const char *name = lb_config_text(&run.config, LB_KEY_INTERFACE);
    bool is_it =
        lb_streq(name, words.not_made_name) || (name[0] == 0 && ibft_found != LB_IBFT_READ_WELL);
    if (words.not_made_name[0] == 0 || !is_it)
        return true;
    if (if_nametoindex(words.not_made_name) != 0)
        return lb_config_set(&run.config, LB_SOURCE_KERNEL, lb_bytes_of_text("interface"),
                             lb_bytes_of_text(words.not_made_name), &run.error);
    lb_fail(&run.error, LB_E_NOT_MADE, "%s", words.not_made);
    return false;
}

/* What is wrong with the words, or passed over, counts where somebody wants a boot. */
static bool judge_words(const struct lb_error *error) {
    if (!lb_config_bool(&run.config, LB_KEY_ENABLE) || only_asks)
        return true;
    for (size_t i = 0; i < words.note_count; i++)
        fprintf(stderr, "lunboot: %s\n", words.notes[i]);
    if (!lb_is_ok(error)) {
        lb_fail(&run.error, error->code, "%s", error->facts);
        return false;
    }
    return check_made();
}

/* dracut's words stand under our own of the same line: the first of them is taken back by it. The
 * table comes last, for the other sources say whether it is used. */
static bool configure_from(struct lb_bytes line) {
    const char *file = is_there(config_file) ? config_file : NULL;
    struct lb_error error = {.code = LB_OK}, wrong = {.code = LB_OK};
    bool wants_ibft;
    run.config.name[LB_SOURCE_KERNEL] = cmdline_file;
    run.is_alone = true;
    lb_secrets_guard_memory(&ibft, sizeof(ibft));
    lb_secrets_guard_memory(&words, sizeof(words));
    lb_secrets_guard_memory(early_lines, sizeof(early_lines));
    lb_config_cmdline_trust(&run.config, line);
    if (!lb_run_configure(&run, file, NULL))
        return false;
    read_words(line);
    (void)lb_words_configure(&words, &run.config, &wrong);
    if (!lb_config_cmdline(&run.config, line, &run.error))
        return false;
    wants_ibft = lb_config_bool(&run.config, LB_KEY_IBFT) && words.asks_ibft;
    read_ibft(wants_ibft, &error);
    read_initiator_name();
    return is_ibft_enough(wants_ibft, &error) && use_lun_of_table(&run.error) &&
           heed_boot_loader(&run.error) && judge_words(&wrong);
}

static bool configure(void) {
    static char text[8192];
    long len = lb_file_read(cmdline_file, lb_span(text, sizeof(text)));
    if (len < 0) {
        lb_fail(&run.error, LB_E_CONFIG_FILE, "%s: %s", cmdline_file, lb_file_reason((int)-len));
        return false;
    }
    bool good = configure_from(lb_bytes(text, (size_t)len));
    interface_is_hint = words.interface_is_hint;
    lb_wipe(&words, sizeof(words));
    lb_wipe(early_lines, sizeof(early_lines));
    lb_wipe(text, sizeof(text));
    return good;
}

static struct lb_card_choice choice(void) {
    static uint8_t mac[6];
    const char *word = lb_config_text(&run.config, LB_KEY_INTERFACE);
    struct lb_card_choice by = {
        .name = word[0] ? word : NULL, .sysfs = sysfs_root, .run = run_folder};
    if (lb_machine_parse_mac(lb_bytes_of_text(word), mac) && if_nametoindex(word) == 0) {
        by.name = NULL;
        by.mac = mac;
        by.is_hint = interface_is_hint;
    }
    if (word[0] == 0 && ibft_found == LB_IBFT_READ_WELL)
        by.mac = lb_ibft_nic_of(&ibft, lb_ibft_boot_target(&ibft))->mac;
    return by;
}

/* ---- the boot -------------------------------------------------------------------------------- */

static int fail(void) {
    if (run.has_loop)
        lb_run_stop(&run, true);
    lb_run_print_error(&run);
    lb_run_close(&run, true);
    lb_wipe(&ibft, sizeof(ibft));
    return lb_run_exit_code(&run);
}

/* Whether there is a boot to come, for scripts that would leave the network to it: what is wrong is
 * told by that boot. */
static int answer(void) {
    lb_run_close(&run, true);
    lb_wipe(&ibft, sizeof(ibft));
    return lb_config_bool(&run.config, LB_KEY_ENABLE) ? LB_EXIT_OK : LB_EXIT_FAILED;
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
    bool is_good = configure();
    if (only_asks)
        return answer();
    if (!is_good)
        return fail();
    if (!lb_config_bool(&run.config, LB_KEY_ENABLE))
        return LB_EXIT_OK;
    run.shows_steps = true;
    struct lb_card_choice by = choice();
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
