/* lunbootd: all that a machine without a disk needs of a network, in one process. */
#include "server/output.h"
#include "server/say.h"
#include "server/serve.h"
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Noreturn void lb_assert_failed(const char *file, int line, const char *what) {
    lb_output_end(LB_OUTPUT_END_MS);
    fprintf(stderr, "lunbootd: a mistake in this program: %s:%d: %s\n", file, line, what);
    abort();
}

static int print_help(void) {
    static char room[16384], machine[8192], subnet[4096];
    struct lb_text text = lb_text(room, sizeof room), more = lb_text(machine, sizeof machine);
    lb_server_settings_help(&text);
    struct lb_text behind = lb_text(subnet, sizeof subnet);
    lb_server_settings_help_machine(&more);
    lb_server_settings_help_subnet(&behind);
    printf("usage: lunbootd --interface=NAME [--config=FILE] [--KEY=VALUE ...] [DISK]\n\n"
           "Serves DISK to the machines of a network: gives them addresses, a boot loader and the\n"
           "disk by iSCSI, and prints what happens to whom.\n\n%s\n"
           "FILE has the same keys, as KEY = VALUE, and sections [machine NAME] with these:\n\n%s\n"
           "and sections [subnet NAME], of networks behind DHCP relays, with these:\n\n%s",
           room, machine, subnet);
    return 0;
}

/* Memory that was used for a moment is used again a moment later: the kernel does not get it back
 * each time. */
static void keep_memory(void) {
    mallopt(M_MMAP_THRESHOLD, 4 << 20);
    mallopt(M_TRIM_THRESHOLD, 32 << 20);
}

static bool has_word(int argc, char **argv, const char *word) {
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], word) == 0)
            return true;
    return false;
}

int main(int argc, char **argv) {
    static struct lb_server server;
    static struct lb_server_settings settings;
    struct lb_server_error error = {0};
    signal(SIGPIPE, SIG_IGN);
    keep_memory();
    if (has_word(argc, argv, "--help") || has_word(argc, argv, "-h"))
        return print_help();
    if (has_word(argc, argv, "--version")) {
        printf("lunbootd %s\n", LUNBOOT_VERSION);
        return 0;
    }
    lb_server_settings_init(&settings);
    if (!lb_server_settings_take(&settings, argc, argv, &error) ||
        !lb_server_settings_check(&settings, &error)) {
        lb_server_complain(&error);
        return 2;
    }
    if (!lb_server_has_http())
        settings.http = false;
    bool is_open = lb_server_open(&server, argc, argv, &settings, &error);
    if (is_open)
        lb_server_run(&server);
    else
        lb_server_complain(&error);
    lb_server_close(&server);
    lb_output_end(LB_OUTPUT_END_MS);
    lb_wipe(&server.settings, sizeof server.settings);
    lb_wipe(&server.machines, sizeof server.machines);
    lb_wipe(&settings, sizeof settings);
    return is_open ? 0 : 1;
}
