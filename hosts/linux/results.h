/* What a boot that attached its disk leaves for the running system, under /run: facts of the
 * session as shell variables and as JSON. */
#ifndef LB_LINUX_RESULTS_H
#define LB_LINUX_RESULTS_H

#include "hosts/linux/takeover.h"

/* The whole of a boot as one JSON object, without a line end: report, disk, error, and what was
 * attached (NULL: nothing). */
void lb_results_json(struct lb_text *text, struct lb_run *run, const struct lb_attached *attached);
/* FOLDER/lunboot/session: NAME='value' lines, the environment's LUNBOOT_* (lb_environment_set) and
 * LUNBOOT_DEVICE, LUNBOOT_SESSION, LUNBOOT_HOST, LUNBOOT_LOGINS. FOLDER/lunboot/report.json. Each
 * appears whole or not at all. False: run->error is OUTPUT. */
bool lb_results_write(struct lb_run *run, const struct lb_attached *attached, const char *folder);

/* The whole of attaching: lb_takeover, the interface held for whoever has it next, and what the
 * running system is to find in FOLDER: lb_results_write, lb_run_write_network. False: there is no
 * disk, run->error says why; what could not be written only is said on standard error. */
bool lb_results_attach(struct lb_run *run, bool is_kept, struct lb_attached *attached,
                       const char *folder);

#endif
