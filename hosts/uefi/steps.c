#include "hosts/uefi/steps.h"
#include "hosts/uefi/loop.h"

/* Stages overlap: one that is still running does not hold back those that have ended. */
static bool shown[LB_REPORT_STEPS_MAX];

void steps_begin(void) {
    memset(shown, 0, sizeof shown);
}

void steps_show(void) {
    const struct lb_report *report = lb_boot_report(loop_engine());
    for (size_t i = 0; i < report->step_count; i++) {
        char line[200];
        struct lb_text text = lb_text(line, sizeof line);
        if (shown[i] || report->steps[i].outcome == LB_RUNNING)
            continue;
        shown[i] = true;
        lb_step_line(report, &report->steps[i], &text);
        say("  %s\n", line);
    }
}
