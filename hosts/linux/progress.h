/* A progress bar on standard error, where that is a terminal. */
#ifndef LB_LINUX_PROGRESS_H
#define LB_LINUX_PROGRESS_H

#include "core/boot/boot.h"

struct lb_progress {
    bool is_shown;
    uint64_t start_us, next_us;
    uint64_t done, total; /* bytes; done is the caller's to set */
};

/* Shows nothing yet. total in bytes; 0: not known. */
void lb_progress_start(struct lb_progress *progress, uint64_t now_us, uint64_t total);
/* Draws it where that is due; gives the time of the next drawing (LB_NEVER: it is not shown). boot:
 * whether its session is there at the moment is shown too. */
uint64_t lb_progress_show(struct lb_progress *progress, uint64_t now_us, struct lb_boot *boot);
/* Draws it a last time and ends the line; harmless where it is not shown. */
void lb_progress_end(struct lb_progress *progress, uint64_t now_us);
/* The line, without colours and without a line end: for tests. */
void lb_progress_format(struct lb_text *text, const struct lb_progress *progress, uint64_t now_us,
                        bool is_waiting);

#endif
