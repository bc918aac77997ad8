/* The board as metrics of Prometheus, in its text format 0.0.4. */
#ifndef LB_SERVER_METRICS_H
#define LB_SERVER_METRICS_H

#include "server/board.h"

/* Adds them all: counters since the start of lunbootd, and gauges as of the last refresh. A text
 * with 4096 bytes and 1024 for each row has room for it. */
void lb_metrics_format(struct lb_text *text, const struct lb_board *board);

#endif
