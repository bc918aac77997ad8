/* What a console shows of a report while the boot runs: a line for each step, when it has ended,
 * and for each fact that a person should see at once.
 *
 * A boot may try for a day. Once its lines repeat, the pause between two of them grows with the
 * time that the boot has taken, up to a minute; what is new is shown at once. While nothing ends,
 * a line a minute says which step takes so long. Where a host cannot show the running step in
 * another way, it has a line once it lasts for two seconds. */
#ifndef LB_BASE_CONSOLE_H
#define LB_BASE_CONSOLE_H

#include "core/base/report.h"

/* Zeroed: nothing has been shown. */
struct lb_console {
    bool says_waits;  /* the host's: a step that lasts has a line while it runs */
    size_t waits_for; /* the number, plus 1, of the last step that had such a line */
    uint32_t waited;  /* the stages that had one: 1 << stage */
    size_t looked_at; /* steps that have ended, up to this one of lb_step.ended */
    size_t told;      /* facts, up to this one of lb_fact.told */
    size_t left_out;  /* repeated lines since the last line */
    size_t lines;     /* that were given */
    uint64_t last_us; /* when the last was given */
};

/* Adds the next line to `line`, without a line end; false: there is none now. Call it until it
 * gives false, after each change of the report and every few seconds. is_over: the boot has ended;
 * the last step is then shown in any case. */
bool lb_console_next(struct lb_console *console, const struct lb_report *report, uint64_t now_us,
                     bool is_over, struct lb_text *line);

#endif
