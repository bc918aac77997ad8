#include "core/base/trace.h"

void lb_trace_init(struct lb_trace *trace, uint64_t start_us, struct lb_span ring) {
    lb_assert(ring.len >= LB_TRACE_LINE_MAX);
    *trace = (struct lb_trace){.ring = (char *)ring.p, .cap = ring.len, .start_us = start_us};
}

static void store(struct lb_trace *trace, const char *from, size_t len) {
    size_t at = (size_t)(trace->head % trace->cap);
    size_t first = LB_MIN(len, trace->cap - at);
    memcpy(trace->ring + at, from, first);
    memcpy(trace->ring, from + first, len - first);
    trace->head += len;
}

void lb_trace(struct lb_trace *trace, uint64_t now_us, const char *machine, const char *format,
              ...) {
    if (!trace || trace->cap == 0)
        return;
    char raw[LB_TRACE_LINE_MAX], line[LB_TRACE_LINE_MAX];
    struct lb_text text = lb_text(raw, sizeof(raw));
    va_list arguments;
    va_start(arguments, format);
    lb_text_addv(&text, format, arguments);
    va_end(arguments);

    uint64_t since_us = now_us > trace->start_us ? now_us - trace->start_us : 0;
    text = lb_text(line, sizeof(line));
    lb_text_add(&text, "%llu.%06llu %s ", (unsigned long long)(since_us / LB_US_SEC),
                (unsigned long long)(since_us % LB_US_SEC), machine);
    lb_text_untrusted(&text, lb_bytes_of_text(raw));
    line[text.len] = '\n'; /* in the place of the NUL */
    store(trace, line, text.len + 1);
}

static char ring_char(const struct lb_trace *trace, uint64_t at) {
    return trace->ring[at % trace->cap];
}

/* The start of the oldest line that is whole. */
static uint64_t oldest(const struct lb_trace *trace) {
    if (trace->head <= trace->cap)
        return 0;
    uint64_t at = trace->head - trace->cap;
    while (at < trace->head && ring_char(trace, at) != '\n')
        at++;
    return at < trace->head ? at + 1 : at;
}

bool lb_trace_next(struct lb_trace *trace, char line[LB_TRACE_LINE_MAX]) {
    if (trace->head > trace->cap && trace->read < trace->head - trace->cap)
        trace->read = oldest(trace);
    if (trace->read >= trace->head)
        return false;
    size_t len = 0;
    while (trace->read < trace->head) {
        char c = ring_char(trace, trace->read++);
        if (c == '\n')
            break;
        if (len < LB_TRACE_LINE_MAX - 1)
            line[len++] = c;
    }
    line[len] = 0;
    return true;
}

void lb_trace_rewind(struct lb_trace *trace) {
    trace->read = oldest(trace);
}
