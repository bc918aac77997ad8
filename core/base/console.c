#include "core/base/console.h"

#define PAUSE_MAX_US (60 * LB_US_SEC)
#define LASTS_US     (2 * LB_US_SEC)
#define PAUSE_PART   4 /* of the time since the boot began: the pause between repeated lines */

/* The step that ended after `ended` others; NULL: none, or it is not kept. */
static const struct lb_step *next_ended(const struct lb_report *report, size_t ended) {
    const struct lb_step *next = NULL;
    for (size_t i = 0; i < report->step_count; i++) {
        const struct lb_step *step = &report->steps[i];
        if (step->ended > ended && (!next || step->ended < next->ended))
            next = step;
    }
    return next;
}

/* Many servers in turn may be more than the report keeps: then their addresses do not count. */
static bool is_same(const struct lb_console *console, const struct lb_step *a,
                    const struct lb_step *b) {
    bool is_same_peer = lb_addr_equal(a->peer.addr, b->peer.addr) && a->peer.port == b->peer.port;
    return a->stage == b->stage && a->outcome == b->outcome && lb_streq(a->note, b->note) &&
           (is_same_peer || console->lines >= LB_REPORT_STEPS_MAX);
}

static bool is_repeated(const struct lb_console *console, const struct lb_report *report,
                        const struct lb_step *step) {
    for (size_t i = 0; i < report->step_count; i++) {
        const struct lb_step *other = &report->steps[i];
        if (other->ended != 0 && other->ended < step->ended && is_same(console, other, step))
            return true;
    }
    return false;
}

static bool is_pausing(const struct lb_console *console, const struct lb_report *report,
                       uint64_t now_us) {
    uint64_t pause_us = LB_MIN((now_us - report->start_us) / PAUSE_PART, PAUSE_MAX_US);
    return now_us - LB_MAX(console->last_us, report->start_us) < pause_us;
}

static void give(struct lb_console *console, const struct lb_report *report,
                 const struct lb_step *step, uint64_t now_us, struct lb_text *line) {
    lb_step_line(report, step, line);
    if (step->ended == 0)
        lb_text_add(line, " for %llu s",
                    (unsigned long long)((now_us - step->start_us) / LB_US_SEC));
    if (console->left_out > 0)
        lb_text_add(line, " (%zu repeated lines left out)", console->left_out);
    console->left_out = 0;
    console->last_us = now_us;
    console->lines++;
}

static bool give_ended(struct lb_console *console, const struct lb_report *report, uint64_t now_us,
                       bool is_over, struct lb_text *line) {
    const struct lb_step *step, *last = NULL;
    while ((step = next_ended(report, console->looked_at)) != NULL) {
        console->looked_at = step->ended;
        if (!is_repeated(console, report, step) || !is_pausing(console, report, now_us)) {
            give(console, report, step, now_us, line);
            return true;
        }
        console->left_out++;
    }
    if (is_over && console->left_out > 0)
        last = next_ended(report, console->looked_at - 1);
    if (!last)
        return false;
    console->left_out--;
    give(console, report, last, now_us, line);
    return true;
}

/* A step that lasts, and had no line yet; of a stage that had one, not too often. */
static bool is_news(const struct lb_console *console, const struct lb_report *report,
                    const struct lb_step *step, uint64_t now_us) {
    bool is_first = (console->waited >> step->stage & 1) == 0;
    return console->says_waits && console->waits_for != step->number + 1 &&
           now_us - step->start_us >= LASTS_US &&
           (is_first || !is_pausing(console, report, now_us));
}

static bool give_running(struct lb_console *console, const struct lb_report *report,
                         uint64_t now_us, struct lb_text *line) {
    const struct lb_step *step = lb_report_running(report);
    if (!step || (!is_news(console, report, step, now_us) &&
                  now_us - LB_MAX(console->last_us, report->start_us) < PAUSE_MAX_US))
        return false;
    console->waits_for = step->number + 1;
    console->waited |= UINT32_C(1) << step->stage;
    give(console, report, step, now_us, line);
    return true;
}

static bool give_told(struct lb_console *console, const struct lb_report *report, uint64_t now_us,
                      struct lb_text *line) {
    for (size_t i = 0; i < report->fact_count; i++) {
        if (report->facts[i].told <= console->told)
            continue;
        console->told = report->facts[i].told;
        console->last_us = now_us;
        lb_fact_line(report, &report->facts[i], line);
        return true;
    }
    return false;
}

bool lb_console_next(struct lb_console *console, const struct lb_report *report, uint64_t now_us,
                     bool is_over, struct lb_text *line) {
    return give_told(console, report, now_us, line) ||
           give_ended(console, report, now_us, is_over, line) ||
           (!is_over && give_running(console, report, now_us, line));
}
