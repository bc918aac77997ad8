/* lunboot: finds its disk on the network, and says what it met on the way. */
#include "hosts/linux/commands.h"
#include "hosts/linux/options.h"
#include "hosts/linux/secrets.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *meaning;
} commands[] = {
    {"boot", lb_cmd_boot, "bring an interface up from nothing, and find the disk"},
    {"probe", lb_cmd_probe, "a dry run: what would a boot meet?"},
    {"discover", lb_cmd_discover, "who on this network has disks, and what would be booted"},
    {"read", lb_cmd_read, "copy from a network disk"},
    {"rootpath", lb_cmd_rootpath, "decode a Root Path, or say what is wrong with it"},
    {"initramfs", lb_cmd_initramfs, "for an initramfs: boot if somebody said so, attach the disk"},
    {"explain", lb_cmd_explain, "what an error code means, and what to try"},
    {"keys", lb_cmd_keys, "the keys of the configuration"},
};

_Noreturn void lb_assert_failed(const char *file, int line, const char *what) {
    fprintf(stderr, "lunboot: a mistake in this program: %s:%d: %s\n", file, line, what);
    abort();
}

static void print_help(FILE *to) {
    fprintf(to, "usage: lunboot COMMAND [--OPTION=VALUE ...]\n\n");
    for (size_t i = 0; i < LB_COUNT(commands); i++)
        fprintf(to, "  %-10s %s\n", commands[i].name, commands[i].meaning);
    fprintf(to, "\nlunboot COMMAND --help says more; so does lunboot(8).\n\n"
                "exit codes:\n"
                "  0    it is done\n"
                "  1    it failed, for the reason given on standard error\n"
                "  2    the command line is wrong\n"
                "  130  ended by SIGINT, SIGTERM or SIGHUP; what was configured is undone\n"
                "  boot --then=PROGRAM ends with the exit code of PROGRAM\n");
}

int main(int argc, char **argv) {
    signal(SIGPIPE, SIG_IGN);
    lb_secrets_guard();
    if (argc < 2) {
        print_help(stderr);
        return LB_EXIT_USAGE;
    }
    for (size_t i = 0; i < LB_COUNT(commands); i++) {
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
        print_help(stdout);
        return LB_EXIT_OK;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("lunboot %s\n", LUNBOOT_VERSION);
        return LB_EXIT_OK;
    }
    lb_complain("lunboot: there is no command ", argv[1], "\n  try: lunboot --help\n");
    return LB_EXIT_USAGE;
}
