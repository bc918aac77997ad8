#include "core/base/report.h"

static const char *outcome_word(enum lb_outcome outcome) {
    static const char *const words[] = {
        [LB_RUNNING] = "running",
        [LB_DONE_OK] = "ok",
        [LB_BYPASSED] = "bypassed",
        [LB_DONE_FAILED] = "failed",
    };
    return words[outcome];
}

/* ---- filling -------------------------------------------------------------------------------- */

/* Formats into a fixed array; what a peer said comes out fit for a terminal. */
__attribute__((format(printf, 3, 0))) static void fill(char *to, size_t cap, const char *format,
                                                       va_list arguments) {
    char raw[256];
    struct lb_text text = lb_text(raw, sizeof raw);
    lb_text_addv(&text, format, arguments);
    text = lb_text(to, cap);
    lb_text_untrusted(&text, lb_bytes_of_text(raw));
}

void lb_report_init(struct lb_report *report, uint64_t now_us) {
    memset(report, 0, sizeof *report);
    report->start_us = now_us;
}

/* Makes room for one more by leaving out the oldest of the second half that has ended. */
static void drop_step(struct lb_report *report) {
    size_t at = LB_REPORT_STEPS_MAX / 2;
    while (at + 1 < report->step_count && report->steps[at].outcome == LB_RUNNING)
        at++;
    if (report->steps[at].outcome == LB_RUNNING)
        at = LB_REPORT_STEPS_MAX / 2;
    report->dropped++;
    report->step_count--;
    memmove(&report->steps[at], &report->steps[at + 1],
            (report->step_count - at) * sizeof report->steps[0]);
}

size_t lb_report_begin(struct lb_report *report, uint64_t now_us, enum lb_stage stage,
                       struct lb_endpoint peer, const char *note, ...) {
    if (report->step_count == LB_REPORT_STEPS_MAX)
        drop_step(report);
    struct lb_step *step = &report->steps[report->step_count++];
    *step = (struct lb_step){
        .number = report->steps_begun++, .stage = stage, .start_us = now_us, .peer = peer};
    va_list arguments;
    va_start(arguments, note);
    fill(step->note, sizeof step->note, note, arguments);
    va_end(arguments);
    return step->number;
}

static struct lb_step *find_step(struct lb_report *report, size_t number) {
    for (size_t i = report->step_count; i > 0; i--) {
        if (report->steps[i - 1].number == number)
            return &report->steps[i - 1];
    }
    return NULL;
}

void lb_report_end(struct lb_report *report, uint64_t now_us, size_t number,
                   enum lb_outcome outcome, const char *note, ...) {
    lb_assert(outcome != LB_RUNNING);
    struct lb_step *step = find_step(report, number);
    if (!step || step->outcome != LB_RUNNING)
        return;
    step->outcome = outcome;
    step->ended = ++report->steps_ended;
    step->end_us = LB_MAX(now_us, step->start_us);
    char ending[sizeof step->note];
    va_list arguments;
    va_start(arguments, note);
    fill(ending, sizeof ending, note, arguments);
    va_end(arguments);
    if (ending[0])
        memcpy(step->note, ending, sizeof ending);
}

const struct lb_step *lb_report_running(const struct lb_report *report) {
    for (size_t i = 0; i < report->step_count; i++) {
        if (report->steps[i].outcome == LB_RUNNING)
            return &report->steps[i];
    }
    return NULL;
}

static void drop_fact(struct lb_report *report) {
    size_t at = LB_REPORT_FACTS_MAX / 2;
    report->dropped++;
    report->fact_count--;
    memmove(&report->facts[at], &report->facts[at + 1],
            (report->fact_count - at) * sizeof report->facts[0]);
}

static struct lb_fact *add_fact(struct lb_report *report, uint64_t now_us, enum lb_stage stage,
                                const char *key, const char *source) {
    if (report->fact_count == LB_REPORT_FACTS_MAX)
        drop_fact(report);
    struct lb_fact *fact = &report->facts[report->fact_count++];
    *fact = (struct lb_fact){.stage = stage, .at_us = now_us, .key = key};
    struct lb_text text = lb_text(fact->source, sizeof fact->source);
    lb_text_untrusted(&text, lb_bytes_of_text(source));
    return fact;
}

void lb_report_learned(struct lb_report *report, uint64_t now_us, enum lb_stage stage,
                       const char *key, const char *source, const char *value, ...) {
    struct lb_fact *fact = add_fact(report, now_us, stage, key, source);
    va_list arguments;
    va_start(arguments, value);
    fill(fact->value, sizeof fact->value, value, arguments);
    va_end(arguments);
}

void lb_report_told(struct lb_report *report, uint64_t now_us, enum lb_stage stage, const char *key,
                    const char *source, const char *value, ...) {
    struct lb_fact *fact = add_fact(report, now_us, stage, key, source);
    va_list arguments;
    fact->told = ++report->facts_told;
    va_start(arguments, value);
    fill(fact->value, sizeof fact->value, value, arguments);
    va_end(arguments);
}

void lb_report_decided(struct lb_report *report, uint64_t now_us, enum lb_stage stage,
                       const char *key, const char *source, const char *value, ...) {
    struct lb_fact *fact = add_fact(report, now_us, stage, key, source);
    va_list arguments;
    fact->decided = true;
    va_start(arguments, value);
    fill(fact->value, sizeof fact->value, value, arguments);
    va_end(arguments);
}

/* ---- text ----------------------------------------------------------------------------------- */

/* Three digits that matter: "1.23 ms", "45.6 ms", "812 ms", "1.24 s". */
static void add_duration(struct lb_text *text, uint64_t us) {
    const char *unit = us < LB_US_SEC ? "ms" : "s";
    uint64_t hundredths = us / (us < LB_US_SEC ? LB_US_MS / 100 : LB_US_SEC / 100);
    unsigned long long whole = hundredths / 100;
    unsigned rest = (unsigned)(hundredths % 100);
    if (whole < 10)
        lb_text_add(text, "%llu.%02u %s", whole, rest, unit);
    else if (whole < 100)
        lb_text_add(text, "%llu.%u %s", whole, rest / 10, unit);
    else
        lb_text_add(text, "%llu %s", whole, unit);
}

/* The last moment the report knows of; where a running step ends in a picture. */
static uint64_t last_us(const struct lb_report *report) {
    uint64_t last = report->start_us;
    for (size_t i = 0; i < report->step_count; i++) {
        const struct lb_step *step = &report->steps[i];
        last = LB_MAX(last, step->outcome == LB_RUNNING ? step->start_us : step->end_us);
    }
    for (size_t i = 0; i < report->fact_count; i++)
        last = LB_MAX(last, report->facts[i].at_us);
    return last;
}

static uint64_t end_of(const struct lb_report *report, const struct lb_step *step) {
    return step->outcome == LB_RUNNING ? LB_MAX(last_us(report), step->start_us) : step->end_us;
}

/* The note, and the peer where the note does not name it. */
static void add_note(struct lb_text *text, const struct lb_step *step) {
    if (step->outcome == LB_DONE_FAILED || step->outcome == LB_BYPASSED)
        lb_text_add(text, "%s: ", outcome_word(step->outcome));
    lb_text_add(text, "%s", step->note);
    if (lb_addr_is_set(step->peer.addr))
        lb_text_add(text, "%s(%s)", step->note[0] ? " " : "", lb_endpoint_text(step->peer).s);
}

static void add_line_head(struct lb_text *text, const struct lb_report *report, uint64_t at_us,
                          enum lb_stage stage) {
    lb_text_add(
        text, "%4llu.%03llu  %-10s", (unsigned long long)((at_us - report->start_us) / LB_US_SEC),
        (unsigned long long)((at_us - report->start_us) / LB_US_MS % 1000), lb_stage_word(stage));
}

void lb_fact_line(const struct lb_report *report, const struct lb_fact *fact,
                  struct lb_text *text) {
    add_line_head(text, report, fact->at_us, fact->stage);
    lb_text_add(text, "%s: %s", fact->key, fact->value);
}

void lb_step_line(const struct lb_report *report, const struct lb_step *step,
                  struct lb_text *text) {
    uint64_t end_us = end_of(report, step);
    uint64_t at_us = step->outcome == LB_RUNNING ? step->start_us : end_us;
    add_line_head(text, report, at_us, step->stage);
    add_note(text, step);
    if (step->outcome == LB_RUNNING) {
        lb_text_add(text, " ...");
    } else if (step->outcome != LB_BYPASSED) {
        lb_text_add(text, ", ");
        add_duration(text, end_us - step->start_us);
    }
}

/* ---- the waterfall -------------------------------------------------------------------------- */

/* How the columns of a line are shared out: stage, bar, duration, note. */
struct layout {
    uint64_t start_us, total_us;
    unsigned bar, note;
    bool colour;
};

enum { STAGE_COLUMNS = 11, DURATION_COLUMNS = 10, WIDTH_MIN = 60, WIDTH_MAX = 250 };

/* `=` done, `x` failed, `.` bypassed, `>` still running: the same on a serial console. */
static char bar_char(enum lb_outcome outcome) {
    return outcome == LB_DONE_OK       ? '='
           : outcome == LB_DONE_FAILED ? 'x'
           : outcome == LB_BYPASSED    ? '.'
                                       : '>';
}

static const char *bar_colour(enum lb_outcome outcome) {
    return outcome == LB_DONE_OK       ? "\x1b[32m"
           : outcome == LB_DONE_FAILED ? "\x1b[31m"
           : outcome == LB_BYPASSED    ? "\x1b[2m"
                                       : "\x1b[33m";
}

static unsigned column(const struct layout *layout, uint64_t us) {
    uint64_t since_us = us > layout->start_us ? us - layout->start_us : 0;
    return layout->total_us ? (unsigned)(since_us * layout->bar / layout->total_us) : 0;
}

/* A bar is at least one column wide, and inside the frame. */
static void add_bar(struct lb_text *text, const struct layout *layout, const struct lb_step *step,
                    uint64_t end_us) {
    unsigned from = LB_MIN(column(layout, step->start_us), layout->bar - 1);
    unsigned to = LB_MIN(LB_MAX(column(layout, end_us), from + 1), layout->bar);
    lb_text_add(text, "%*s%s", (int)from, "", layout->colour ? bar_colour(step->outcome) : "");
    for (unsigned i = from; i < to; i++)
        lb_text_add(text, "%c", bar_char(step->outcome));
    lb_text_add(text, "%s%*s", layout->colour ? "\x1b[0m" : "", (int)(layout->bar - to), "");
}

/* As much of the text as columns allow; a multi-byte character counts as one. */
static void add_columns(struct lb_text *text, struct lb_bytes bytes, unsigned columns) {
    size_t len = 0;
    for (unsigned used = 0; len < bytes.len; len++) {
        if ((bytes.p[len] & 0xc0) != 0x80 && used++ == columns)
            break;
    }
    lb_text_add(text, "%.*s", (int)len, (const char *)bytes.p);
}

static void add_waterfall_line(const struct lb_report *report, struct lb_text *text,
                               const struct layout *layout, const struct lb_step *step) {
    char buffer[160];
    struct lb_text piece = lb_text(buffer, sizeof buffer);
    uint64_t end_us = end_of(report, step);
    lb_text_add(text, "%-*s", STAGE_COLUMNS, lb_stage_word(step->stage));
    add_bar(text, layout, step, end_us);
    if (step->outcome != LB_BYPASSED)
        add_duration(&piece, end_us - step->start_us);
    lb_text_add(text, "%*s  ", DURATION_COLUMNS, buffer);
    piece = lb_text(buffer, sizeof buffer);
    add_note(&piece, step);
    add_columns(text, lb_bytes_of_text(buffer), layout->note);
    lb_text_add(text, "\n");
}

void lb_report_waterfall(const struct lb_report *report, struct lb_text *text, unsigned width,
                         bool colour) {
    char total[32];
    struct lb_text total_text = lb_text(total, sizeof total);
    width = LB_MIN(LB_MAX(width, (unsigned)WIDTH_MIN), (unsigned)WIDTH_MAX);
    struct layout layout = {
        .start_us = report->start_us,
        .total_us = last_us(report) - report->start_us,
        .bar = (width - STAGE_COLUMNS - DURATION_COLUMNS) * 2 / 5,
        .colour = colour,
    };
    layout.note = width - STAGE_COLUMNS - layout.bar - DURATION_COLUMNS - 2;
    add_duration(&total_text, layout.total_us);
    lb_text_add(text, "%*s0%*s\n", STAGE_COLUMNS, "", (int)layout.bar - 1, total);
    for (size_t i = 0; i < report->step_count; i++) {
        if (i == LB_REPORT_STEPS_MAX / 2 && report->steps_begun > report->step_count)
            lb_text_add(text, "(%zu steps are left out here)\n",
                        report->steps_begun - report->step_count);
        add_waterfall_line(report, text, &layout, &report->steps[i]);
    }
    if (report->dropped > 0)
        lb_text_add(text, "(%zu more steps and facts were not kept)\n", report->dropped);
}

void lb_report_facts(const struct lb_report *report, struct lb_text *text) {
    for (size_t i = 0; i < report->fact_count; i++) {
        const struct lb_fact *fact = &report->facts[i];
        lb_text_add(text, "%-*s%-14s %s", STAGE_COLUMNS, lb_stage_word(fact->stage), fact->key,
                    fact->value);
        if (fact->source[0])
            lb_text_add(text, "  [%s: %s]", fact->decided ? "decided by" : "from", fact->source);
        lb_text_add(text, "\n");
    }
}

/* ---- JSON ----------------------------------------------------------------------------------- */

static void add_member(struct lb_text *text, const char *name, const char *value) {
    lb_text_add(text, "\"%s\":", name);
    lb_text_json(text, lb_bytes_of_text(value));
}

static void add_number(struct lb_text *text, const char *name, uint64_t value) {
    lb_text_add(text, ",\"%s\":%llu", name, (unsigned long long)value);
}

static void add_step(const struct lb_report *report, struct lb_text *text,
                     const struct lb_step *step) {
    lb_text_add(text, "{");
    add_member(text, "stage", lb_stage_word(step->stage));
    lb_text_add(text, ",");
    add_member(text, "outcome", outcome_word(step->outcome));
    add_number(text, "start_us", step->start_us - report->start_us);
    if (step->outcome != LB_RUNNING)
        add_number(text, "end_us", step->end_us - report->start_us);
    if (lb_addr_is_set(step->peer.addr)) {
        lb_text_add(text, ",");
        add_member(text, "peer", lb_endpoint_text(step->peer).s);
    }
    lb_text_add(text, ",");
    add_member(text, "note", step->note);
    lb_text_add(text, "}");
}

static void add_fact_object(const struct lb_report *report, struct lb_text *text,
                            const struct lb_fact *fact) {
    lb_text_add(text, "{");
    add_member(text, "stage", lb_stage_word(fact->stage));
    lb_text_add(text, ",");
    add_member(text, "kind", fact->decided ? "decided" : "learned");
    lb_text_add(text, ",");
    add_member(text, "key", fact->key);
    lb_text_add(text, ",");
    add_member(text, "value", fact->value);
    lb_text_add(text, ",");
    add_member(text, "source", fact->source);
    add_number(text, "at_us", fact->at_us - report->start_us);
    lb_text_add(text, "}");
}

void lb_error_json(struct lb_text *text, const struct lb_error *error) {
    if (lb_is_ok(error)) {
        lb_text_add(text, "null");
        return;
    }
    lb_text_add(text, "{");
    add_member(text, "code", lb_code_word(error->code));
    lb_text_add(text, ",");
    add_member(text, "stage", lb_stage_word(lb_code_stage(error->code)));
    lb_text_add(text, ",");
    add_member(text, "what", lb_code_what(error->code));
    lb_text_add(text, ",");
    add_member(text, "facts", error->facts);
    lb_text_add(text, ",");
    add_member(text, "hint", lb_code_hint(error->code));
    lb_text_add(text, "}");
}

void lb_report_json(const struct lb_report *report, struct lb_text *text) {
    lb_text_add(text, "{\"steps\":[");
    for (size_t i = 0; i < report->step_count; i++) {
        lb_text_add(text, "%s", i > 0 ? "," : "");
        add_step(report, text, &report->steps[i]);
    }
    lb_text_add(text, "],\"facts\":[");
    for (size_t i = 0; i < report->fact_count; i++) {
        lb_text_add(text, "%s", i > 0 ? "," : "");
        add_fact_object(report, text, &report->facts[i]);
    }
    lb_text_add(text, "]");
    add_number(text, "dropped", report->dropped);
    lb_text_add(text, ",\"error\":");
    lb_error_json(text, &report->error);
    lb_text_add(text, "}");
}
