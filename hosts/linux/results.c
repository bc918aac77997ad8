#include "hosts/linux/results.h"
#include "hosts/linux/environment.h"
#include "hosts/linux/secrets.h"
#include "hosts/linux/show.h"
#include "hosts/linux/syntax.h"
#include "os/linux/files.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_BYTES (1 << 17)

extern char **environ;

/* ---- JSON ------------------------------------------------------------------------------------ */

static void json_attached(struct lb_text *text, const struct lb_attached *attached) {
    lb_text_add(text, "{\"device\":");
    lb_json_string(text, attached->device);
    lb_text_add(text, ",\"session\":\"session%u\",\"host\":\"host%u\",\"logins\":%u}",
                attached->sid, attached->host, attached->logins);
}

void lb_results_json(struct lb_text *text, struct lb_run *run, const struct lb_attached *attached) {
    lb_text_add(text, "{\"report\":");
    lb_report_json(lb_boot_report(&run->boot), text);
    lb_text_add(text, ",\"disk\":");
    if (lb_is_ok(&run->error))
        lb_json_disk(text, run);
    else
        lb_text_add(text, "null");
    if (attached) {
        lb_text_add(text, ",\"attached\":");
        json_attached(text, attached);
    }
    lb_text_add(text, ",\"error\":");
    lb_error_json(text, &run->error);
    lb_text_add(text, "}");
}

/* ---- shell ----------------------------------------------------------------------------------- */

static void add_environment(struct lb_text *text) {
    for (char **one = environ; *one; one++) {
        char name[64];
        const char *value = strchr(*one, '=');
        if (strncmp(*one, "LUNBOOT_", 8) != 0 || !value ||
            !lb_text_copy(name, sizeof(name), lb_bytes(*one, (size_t)(value - *one))))
            continue;
        (void)lb_syntax_shell(text, name, value + 1);
    }
}

static void add_attached(struct lb_text *text, const struct lb_attached *attached) {
    char session[32];
    (void)lb_syntax_shell(text, "LUNBOOT_DEVICE", attached->device);
    lb_format(session, sizeof(session), "session%u", attached->sid);
    (void)lb_syntax_shell(text, "LUNBOOT_SESSION", session);
    lb_format(session, sizeof(session), "host%u", attached->host);
    (void)lb_syntax_shell(text, "LUNBOOT_HOST", session);
    lb_format(session, sizeof(session), "%u", attached->logins);
    (void)lb_syntax_shell(text, "LUNBOOT_LOGINS", session);
}

/* ---- files ----------------------------------------------------------------------------------- */

static bool write_text(struct lb_run *run, const char *folder, const char *name,
                       const struct lb_text *text) {
    char path[64];
    int refused = text->cut ? LB_FILE_LONG : 0;
    lb_format(path, sizeof(path), "lunboot/%s", name);
    if (refused == 0)
        refused = lb_file_write(folder, path, 0644, lb_bytes(text->at, text->len));
    if (refused)
        lb_fail(&run->error, LB_E_OUTPUT, "%s/%s: %s", folder, path, lb_file_reason(refused));
    return refused == 0;
}

bool lb_results_write(struct lb_run *run, const struct lb_attached *attached, const char *folder) {
    static char buffer[TEXT_BYTES];
    struct lb_text text = lb_text(buffer, sizeof(buffer));
    bool good;

    add_environment(&text);
    add_attached(&text, attached);
    good = write_text(run, folder, "session", &text);
    text = lb_text(buffer, sizeof(buffer));
    lb_results_json(&text, run, attached);
    lb_text_add(&text, "\n");
    return write_text(run, folder, "report.json", &text) && good;
}

/* Where nobody can speak IKE, the keys are good until they are used up. */
static void keep_association(struct lb_run *run, struct lb_attached *attached) {
    struct lb_error error = {0};
    lb_secrets_guard_memory(&attached->ike, sizeof(attached->ike));
    attached->again.guarded = (struct lb_guarded){0};
    if (!lb_ike_keeper_take(run, attached->peer, &attached->ike))
        return;
    attached->again.guarded = lb_ike_keeper_guarded(&attached->ike);
    if (!lb_ike_keeper_start(&attached->ike, attached->sid, &error))
        fprintf(stderr, "lunboot: the IPsec association has no keeper: %s\n", error.facts);
}

/* The disk is the kernel's then, so nothing is undone any more, whatever fails. */
bool lb_results_attach(struct lb_run *run, bool is_kept, struct lb_attached *attached,
                       const char *folder) {
    if (!lb_takeover(run, is_kept, attached))
        return false;
    keep_association(run, attached);
    lb_environment_set(run);
    lb_run_hold(run);
    if (!lb_results_write(run, attached, folder) || !lb_run_write_network(run, folder))
        lb_run_print_error(run);
    return true;
}
