/* lunboot discover: who on this network has disks, and which of them would be booted. */
#include "hosts/linux/commands.h"
#include "hosts/linux/machine.h"
#include "hosts/linux/show.h"
#include <stdio.h>

static struct lb_run run;
static const char *config_file;

static const struct lb_option options[] = {
    {"config", "FILE", "read `key = value` lines from FILE", NULL, &config_file},
    {"json", NULL, "print all of it as one JSON object", &run.json, NULL},
};
static const struct lb_usage usage = {
    .command = "discover",
    .synopsis = "[--interface=IF] [--target=NAME] [--isns-server=ADDRESS] [--KEY=VALUE ...] "
                "[--json]",
    .purpose =
        "Asks the network for disks, and changes nothing: SLP by multicast or its directory\n"
        "agents, iSNS servers, and with --server that server (SendTargets). Lists what there is,\n"
        "who said so, and what a boot would try, in order. With --target it asks for that target\n"
        "alone. With --interface DHCP servers are asked for offers first, for they may know more;\n"
        "one without an address is brought up for it, as by a boot, and put back.",
    .options = options,
    .option_count = LB_COUNT(options),
    .takes_keys = true,
};

/* ---- what was found -------------------------------------------------------------------------- */

static uint16_t port_of(const struct lb_candidate *candidate) {
    return candidate->at.port ? candidate->at.port : LB_ISCSI_PORT;
}

static const char *verdict(const struct lb_candidate *candidate) {
    return candidate->refused == LB_OK ? "may be booted" : lb_code_word(candidate->refused);
}

static void print_one(const struct lb_candidate *candidate) {
    struct lb_endpoint at = {candidate->at.addr, port_of(candidate)};
    printf("  %s\n    ", candidate->at.target);
    if (candidate->at.host == LB_HOST_NAME)
        printf("%s:%u", candidate->at.name, (unsigned)port_of(candidate));
    else
        printf("%s", lb_endpoint_text(at).s);
    if (candidate->portal_group >= 0)
        printf(", portal group %d", (int)candidate->portal_group);
    printf(", LUN %s%s\n    %s: %s\n", lb_lun_text(candidate->at.lun).s,
           candidate->boot_list ? ", named for booting" : "", candidate->source,
           verdict(candidate));
}

static void print_service(enum lb_service service) {
    size_t count, dropped;
    const struct lb_candidate *candidates = lb_boot_candidates(&run.boot, &count, &dropped);
    bool has_title = false;
    for (size_t i = 0; i < count; i++) {
        if (candidates[i].service != service)
            continue;
        if (!has_title)
            printf("%s\n", lb_service_word(service));
        has_title = true;
        print_one(&candidates[i]);
    }
}

static const struct lb_candidate *first_allowed(size_t *number) {
    size_t count, dropped;
    const struct lb_candidate *candidates = lb_boot_candidates(&run.boot, &count, &dropped);
    for (*number = 0; *number < count; (*number)++)
        if (candidates[*number].refused == LB_OK)
            return &candidates[*number];
    return NULL;
}

static void print_plain(void) {
    size_t count, dropped, number;
    if (!run.has_loop)
        return;
    lb_show_report(&run);
    for (enum lb_service service = LB_BY_CONFIG; service <= LB_BY_SENDTARGETS; service++)
        print_service(service);
    lb_boot_candidates(&run.boot, &count, &dropped);
    if (dropped > 0)
        printf("  and %zu more\n", dropped);
    const struct lb_candidate *best = first_allowed(&number);
    if (best != NULL)
        printf("a boot would try first\n  %s\n", best->at.target);
    else if (count > 0)
        printf("a boot would try none of them\n");
}

static void json_one(struct lb_text *text, const struct lb_candidate *candidate) {
    const struct lb_rootpath *at = &candidate->at;
    lb_text_add(text, "{\"service\":\"%s\",\"source\":", lb_service_word(candidate->service));
    lb_json_string(text, candidate->source);
    lb_text_add(text, ",\"targetname\":");
    lb_json_string(text, at->target);
    lb_text_add(text, ",\"server\":");
    lb_json_string(text, at->host == LB_HOST_NAME ? at->name : lb_addr_text(at->addr).s);
    lb_text_add(text, ",\"port\":%u,\"lun\":\"", (unsigned)port_of(candidate));
    lb_text_hex(text, lb_bytes(at->lun, sizeof(at->lun)));
    lb_text_add(text, "\",\"group\":");
    if (candidate->portal_group >= 0)
        lb_text_add(text, "%d", (int)candidate->portal_group);
    else
        lb_text_add(text, "null");
    lb_text_add(text, ",\"boot_list\":%s,\"refused\":", candidate->boot_list ? "true" : "false");
    if (candidate->refused == LB_OK)
        lb_text_add(text, "null}");
    else
        lb_text_add(text, "\"%s\"}", lb_code_word(candidate->refused));
}

static void json_candidates(struct lb_text *text) {
    size_t count, dropped, number;
    const struct lb_candidate *candidates = lb_boot_candidates(&run.boot, &count, &dropped);
    for (size_t i = 0; i < count; i++) {
        lb_text_add(text, i ? "," : "");
        json_one(text, &candidates[i]);
    }
    lb_text_add(text, "],\"dropped\":%zu,\"first\":", dropped);
    if (first_allowed(&number) != NULL)
        lb_text_add(text, "%zu", number);
    else
        lb_text_add(text, "null");
}

static void print_json(void) {
    static char output[1 << 18];
    struct lb_text text = lb_text(output, sizeof(output));

    lb_text_add(&text, "{\"candidates\":[");
    if (run.has_loop)
        json_candidates(&text);
    else
        lb_text_add(&text, "],\"dropped\":0,\"first\":null");
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

/* ---- the command ----------------------------------------------------------------------------- */

/* An interface without an address is brought up for this, like in a boot, and put back. */
static void discover(void) {
    const char *interface = lb_config_text(&run.config, LB_KEY_INTERFACE);
    bool is_up = !interface[0] || lb_machine_has_address(interface);
    if (lb_run_open(&run, LB_GOAL_DISCOVER, interface[0] != 0, is_up) && lb_run_until_ready(&run))
        lb_run_stop(&run, !is_up);
}

int lb_cmd_discover(int argc, char **argv) {
    enum lb_parsed parsed = lb_options_parse(&usage, argc, argv, &run.config, NULL);

    if (parsed != LB_PARSED)
        return parsed == LB_PARSED_HELP ? LB_EXIT_OK : LB_EXIT_USAGE;
    if (lb_run_configure(&run, config_file, NULL)) {
        lb_run_try_once(&run);
        discover();
    }
    if (run.json)
        print_json();
    else
        print_plain();
    lb_run_print_error(&run);
    lb_run_close(&run, true);
    return lb_run_exit_code(&run);
}
