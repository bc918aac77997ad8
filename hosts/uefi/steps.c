#include "hosts/uefi/steps.h"
#include "core/base/console.h"
#include "hosts/uefi/loop.h"

static struct lb_console console;

void steps_begin(void) {
    console = (struct lb_console){.says_waits = true};
}

void steps_show(void) {
    const struct lb_report *report = lb_boot_report(loop_engine());
    bool is_over = loop_state() != LOOP_RUNS;
    char line[256];
    struct lb_text text = lb_text(line, sizeof line);
    while (lb_console_next(&console, report, clock_us(), is_over, &text)) {
        say("  %s\n", line);
        text = lb_text(line, sizeof line);
    }
}
