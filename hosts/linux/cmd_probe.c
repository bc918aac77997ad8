/* lunboot probe: a dry run. */
#include "hosts/linux/commands.h"
#include "hosts/linux/loader.h"
#include "hosts/linux/machine.h"
#include "hosts/linux/show.h"
#include <stdio.h>

static struct lb_run run;
static struct lb_loader loader;
static const char *config_file;
static bool has_offers, has_targets, has_disk, has_esp, has_loader;

static const struct lb_option options[] = {
    {"config", "FILE", "read `key = value` lines from FILE", NULL, &config_file},
    {"json", NULL, "print all of it as one JSON object", &run.json, NULL},
};
static const struct lb_usage usage = {
    .command = "probe",
    .synopsis = "[--interface=IF] [--rootpath=STRING] [--server=HOST] [--KEY=VALUE ...] [--json]",
    .purpose =
        "Says what a boot would meet, and changes nothing. With --interface it asks the\n"
        "DHCP servers there what they would offer, and takes no lease. With --rootpath it goes\n"
        "over this machine's own network to the disk, its partitions and its loader; so it does\n"
        "with the Root Path of an offer where the interface has an address already. With\n"
        "--server alone it lists the targets of that server (SendTargets).",
    .options = options,
    .option_count = LB_COUNT(options),
    .takes_keys = true,
};

static void print_json(void) {
    static char output[1 << 18];
    struct lb_text text = lb_text(output, sizeof(output));

    lb_text_add(&text, "{\"offers\":");
    if (has_offers)
        lb_json_offers(&text, &run);
    else
        lb_text_add(&text, "null");
    lb_text_add(&text, ",\"offers6\":");
    if (has_offers)
        lb_json_offers6(&text, &run);
    else
        lb_text_add(&text, "null");
    lb_text_add(&text, ",\"routers6\":");
    if (has_offers)
        lb_json_routers6(&text, &run);
    else
        lb_text_add(&text, "null");
    lb_text_add(&text, ",\"targets\":");
    if (has_targets)
        lb_json_targets(&text, &run);
    else
        lb_text_add(&text, "null");
    lb_text_add(&text, ",\"disk\":");
    if (has_disk)
        lb_json_disk(&text, &run);
    else
        lb_text_add(&text, "null");
    lb_text_add(&text, ",\"partitions\":");
    if (has_esp)
        lb_json_partitions(&text, &loader);
    else
        lb_text_add(&text, "null");
    lb_text_add(&text, ",\"loader\":");
    if (has_loader) {
        lb_text_add(&text, "{\"path\":");
        lb_json_string(&text, lb_run_loader_path(&run.config));
        lb_text_add(&text, ",\"partition\":%u,\"fat_bits\":%u,\"bytes\":%llu}",
                    loader.partitions[loader.at].number, loader.fat_bits,
                    (unsigned long long)loader.file_bytes);
    } else {
        lb_text_add(&text, "null");
    }
    lb_text_add(&text, ",\"report\":");
    if (run.has_loop)
        lb_report_json(lb_boot_report(&run.boot), &text);
    else
        lb_text_add(&text, "null");
    lb_text_add(&text, ",\"error\":");
    lb_error_json(&text, &run.error);
    lb_text_add(&text, "}");
    puts(output);
}

static void print_plain(void) {
    if (run.has_loop)
        lb_show_report(&run);
    if (has_offers)
        lb_show_offers(&run);
    if (has_targets)
        lb_show_targets(&run);
    if (has_disk)
        lb_show_disk(&run);
    if (has_esp)
        lb_show_partitions(&loader);
    if (has_loader)
        printf("loader\n  %s on partition %u (FAT%u): %llu bytes\n",
               lb_run_loader_path(&run.config), loader.partitions[loader.at].number,
               loader.fat_bits, (unsigned long long)loader.file_bytes);
}

/* Until the disk is there, or there is nowhere to go on to after the offers. */
static bool reach_disk(void) {
    for (;;) {
        switch (lb_run_step(&run, LB_NEVER)) {
        case LB_LOOP_WORK:
            break;
        case LB_LOOP_OFFERS:
            has_offers = true;
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

static void look_at_disk(void) {
    if (run.boot.setup.goal == LB_GOAL_TARGETS) {
        has_targets = true;
        return;
    }
    has_disk = has_esp = true;
    has_loader = lb_run_loader_find(&run, &loader, lb_run_loader_path(&run.config));
}

static bool open_run(void) {
    const char *interface = lb_config_text(&run.config, LB_KEY_INTERFACE);
    bool lists = lb_config_is_set(&run.config, LB_KEY_SERVER) && !interface[0];
    bool has_target = lb_config_is_set(&run.config, LB_KEY_ROOTPATH) ||
                      lb_config_is_set(&run.config, LB_KEY_TARGET);

    if (!interface[0] && !has_target && !lists) {
        fprintf(stderr, "lunboot probe: give --interface, --rootpath or --server\n"
                        "  try: lunboot probe --help\n");
        return false;
    }
    lb_run_open(&run, has_target || !lists ? LB_GOAL_PROBE : LB_GOAL_TARGETS, interface[0] != 0,
                has_target || lists || lb_machine_has_address(interface));
    return true;
}

int lb_cmd_probe(int argc, char **argv) {
    enum lb_parsed parsed = lb_options_parse(&usage, argc, argv, &run.config, NULL);

    if (parsed != LB_PARSED)
        return parsed == LB_PARSED_HELP ? LB_EXIT_OK : LB_EXIT_USAGE;
    if (lb_run_configure(&run, config_file, NULL)) {
        lb_run_try_once(&run);
        if (!open_run())
            return LB_EXIT_USAGE;
    }
    if (lb_is_ok(&run.error) && reach_disk())
        look_at_disk();
    if (run.has_loop)
        lb_run_stop(&run, false);
    if (run.json)
        print_json();
    else
        print_plain();
    lb_run_print_error(&run);
    lb_run_close(&run, true);
    return lb_run_exit_code(&run);
}
