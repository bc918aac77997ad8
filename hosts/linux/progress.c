#include "hosts/linux/progress.h"
#include "hosts/linux/show.h"
#include <stdio.h>
#include <unistd.h>

#define INTERVAL_US (100 * LB_US_MS)
#define BAR_WIDTH   24

void lb_progress_start(struct lb_progress *progress, uint64_t now_us, uint64_t total) {
    *progress = (struct lb_progress){
        .is_shown = isatty(STDERR_FILENO), .start_us = now_us, .next_us = now_us, .total = total};
}

static void add_bar(struct lb_text *text, const struct lb_progress *progress) {
    uint64_t whole = LB_MAX(progress->total, 1);
    unsigned filled = (unsigned)((double)progress->done / (double)whole * BAR_WIDTH);
    lb_text_add(text, "[");
    for (unsigned i = 0; i < BAR_WIDTH; i++)
        lb_text_add(text, "%c", i < filled ? '=' : i == filled ? '>' : ' ');
    lb_text_add(text, "] %3u%%", (unsigned)((double)progress->done / (double)whole * 100));
}

void lb_progress_format(struct lb_text *text, const struct lb_progress *progress, uint64_t now_us,
                        bool is_waiting) {
    double seconds = (double)(now_us - progress->start_us) / 1e6;
    double speed = seconds > 0 ? (double)progress->done / seconds : 0;

    add_bar(text, progress);
    lb_text_add(text, "  %s of", lb_size_text(progress->done).s);
    lb_text_add(text, " %s", lb_size_text(progress->total).s);
    if (is_waiting)
        lb_text_add(text, "  connection lost, trying again");
    else if (speed > 0)
        lb_text_add(text, "  %s/s, %u s left", lb_size_text((uint64_t)speed).s,
                    (unsigned)((double)(progress->total - progress->done) / speed + 0.5));
}

static void draw(const struct lb_progress *progress, uint64_t now_us, bool is_waiting) {
    char line[160];
    struct lb_text text = lb_text(line, sizeof(line));
    lb_progress_format(&text, progress, now_us, is_waiting);
    fprintf(stderr, "\r%s\033[K", line);
}

uint64_t lb_progress_show(struct lb_progress *progress, uint64_t now_us, struct lb_boot *boot) {
    if (!progress->is_shown)
        return LB_NEVER;
    if (now_us >= progress->next_us) {
        draw(progress, now_us,
             lb_initiator_state(lb_boot_session(boot)) != LB_INITIATOR_FULL_FEATURE);
        progress->next_us = now_us + INTERVAL_US;
    }
    return progress->next_us;
}

void lb_progress_end(struct lb_progress *progress, uint64_t now_us) {
    if (!progress->is_shown)
        return;
    draw(progress, now_us, false);
    fprintf(stderr, "\n");
    progress->is_shown = false;
}
