/* lunboot read: copies from a network disk. */
#include "hosts/linux/commands.h"
#include "hosts/linux/copy.h"
#include "hosts/linux/loader.h"
#include "os/linux/files.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct lb_run run;
static struct lb_copy copy;
static struct lb_loader loader;
static const char *config_file, *offset_text, *length_text, *output, *file;
static bool with_sum;
static uint64_t offset, length;

static const struct lb_option options[] = {
    {"offset", "BYTES", "where to begin (default: 0); K, M, G, T may follow the number", NULL,
     &offset_text},
    {"length", "BYTES", "how much (default: to the end of the disk)", NULL, &length_text},
    {"file", "PATH", "a file of the EFI system partition instead, \\EFI\\BOOT\\BOOTX64.EFI", NULL,
     &file},
    {"output", "FILE", "where to (default: standard output, if that is no terminal)", NULL,
     &output},
    {"sha256", NULL, "print the SHA-256 of what was copied on standard error", &with_sum, NULL},
    {"config", "FILE", "read `key = value` lines from FILE", NULL, &config_file},
};
static const struct lb_usage usage = {
    .command = "read",
    .synopsis = "--rootpath=STRING [--offset=BYTES] [--length=BYTES] [--output=FILE]",
    .purpose = "Copies from a disk over this machine's own network, with many commands in flight.\n"
               "When the target goes away and comes back, the copy pauses and goes on.",
    .options = options,
    .option_count = LB_COUNT(options),
    .takes_keys = true,
};

static bool parse_numbers(void) {
    if ((!offset_text || lb_parse_bytes(offset_text, &offset)) &&
        (!length_text || lb_parse_bytes(length_text, &length)))
        return true;
    fprintf(stderr, "lunboot read: --offset and --length are numbers of bytes\n");
    return false;
}

static bool is_usable(void) {
    if (!parse_numbers())
        return false;
    if (file && (offset_text || length_text)) {
        fprintf(stderr, "lunboot read: --file reads the whole file\n");
        return false;
    }
    if (output || !isatty(STDOUT_FILENO))
        return true;
    fprintf(stderr, "lunboot read: standard output is a terminal; give --output=FILE\n");
    return false;
}

static struct lb_output file_output;

static int open_output(void) {
    int refused = output ? lb_output_open(&file_output, output) : 0;
    if (refused == 0)
        return output ? file_output.fd : STDOUT_FILENO;
    lb_fail(&run.error, LB_E_OUTPUT, "%s: %s", output, lb_file_reason(refused));
    lb_output_close(&file_output, false);
    return -1;
}

static void close_output(bool is_whole) {
    int refused = output ? lb_output_close(&file_output, is_whole) : 0;
    if (refused)
        lb_fail(&run.error, LB_E_OUTPUT, "%s: %s", output, lb_file_reason(refused));
}

/* The range within the disk, or an error. */
static bool choose_range(void) {
    const struct lb_disk_info *disk = lb_boot_disk(&run.boot);
    uint64_t end = disk->blocks * disk->block_bytes;
    if (!length_text && offset <= end)
        length = end - offset;
    if (offset <= end && length <= end - offset)
        return true;
    lb_fail(&run.error, LB_E_OUT_OF_RANGE, "bytes %llu to %llu of a disk of %llu bytes",
            (unsigned long long)offset, (unsigned long long)(offset + length),
            (unsigned long long)end);
    return false;
}

static bool copy_file(void) {
    for (;;) {
        for (size_t i = 0; i < loader.extent_count; i++) {
            if (!lb_copy_range(&copy, loader.extents[i].offset, loader.extents[i].len))
                return false;
        }
        if (!loader.more)
            return true;
        if (!lb_run_loader_more(&run, &loader))
            return false;
    }
}

static bool copy_to(int fd) {
    char sha256[65];
    bool good = lb_copy_open(&copy, &run, fd, file ? loader.file_bytes : length, with_sum);
    if (!good)
        return false;
    good = file ? copy_file() : lb_copy_range(&copy, offset, length);
    lb_copy_close(&copy, sha256);
    if (good && with_sum)
        fprintf(stderr, "sha256 %s\n", sha256);
    return good;
}

static void copy_all(void) {
    int fd;
    if (file ? !lb_run_loader_find(&run, &loader, file) : !choose_range())
        return;
    fd = open_output();
    if (fd < 0)
        return;
    close_output(copy_to(fd));
}

int lb_cmd_read(int argc, char **argv) {
    enum lb_parsed parsed = lb_options_parse(&usage, argc, argv, &run.config, NULL);

    if (parsed != LB_PARSED)
        return parsed == LB_PARSED_HELP ? LB_EXIT_OK : LB_EXIT_USAGE;
    if (!is_usable())
        return LB_EXIT_USAGE;
    if (lb_run_configure(&run, config_file, NULL)) {
        lb_run_try_once(&run);
        if (lb_run_open(&run, LB_GOAL_PROBE, false, true) && lb_run_until_ready(&run))
            copy_all();
    }
    lb_run_stop(&run, false);
    lb_run_print_error(&run);
    lb_run_close(&run, false);
    return lb_run_exit_code(&run);
}
