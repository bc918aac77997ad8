/* Trace: what happened, in order, in a ring that the owner provides; the oldest lines give way.
 *
 * Every state machine takes a `struct lb_trace *` that may be NULL. Lines hold no secrets. A line
 * is `SECONDS.MICROSECONDS MACHINE text`. */
#ifndef LB_BASE_TRACE_H
#define LB_BASE_TRACE_H

#include "core/base/text.h"

#define LB_TRACE_LINE_MAX 200

struct lb_trace {
    char *ring;    /* the owner's memory */
    size_t cap;    /* its size, at least LB_TRACE_LINE_MAX */
    uint64_t head; /* bytes ever written; head % cap is the next place */
    uint64_t read; /* bytes ever taken out by lb_trace_next */
    uint64_t start_us;
};

/* Lines show the time since start_us. The ring is the owner's, at least LB_TRACE_LINE_MAX bytes. */
void lb_trace_init(struct lb_trace *trace, uint64_t start_us, struct lb_span ring);
/* A trace of NULL takes nothing. What is added may hold a peer's text: it is made fit for a
 * terminal. Lines longer than LB_TRACE_LINE_MAX are cut. */
void lb_trace(struct lb_trace *trace, uint64_t now_us, const char *machine, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Takes the oldest line not taken yet, NUL-terminated; false when there is none. Lines that were
 * overwritten before they were taken are passed over. */
bool lb_trace_next(struct lb_trace *trace, char line[LB_TRACE_LINE_MAX]);
/* Goes back to the oldest line still in the ring: the last lines for an error page. */
void lb_trace_rewind(struct lb_trace *trace);

#endif
