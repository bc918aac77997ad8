/* The report: what each stage did, when, with whom, what was learned and what was decided. It is
 * data; a console line, JSON, a waterfall and a bug report are made from it.
 *
 * The owner provides the struct; nothing in it points elsewhere. Of a boot with very many attempts
 * the first and the last steps and facts are kept; those between them are counted. */
#ifndef LB_BASE_REPORT_H
#define LB_BASE_REPORT_H

#include "core/base/addr.h"
#include "core/base/error.h"

#define LB_REPORT_STEPS_MAX 48       /* a boot has about ten; each further attempt adds four */
#define LB_REPORT_FACTS_MAX 96       /* about thirty a boot */
#define LB_NO_STEP          SIZE_MAX /* the number of no step */

enum lb_outcome {
    LB_RUNNING,
    LB_DONE_OK,
    LB_BYPASSED, /* a person's configuration made the step unnecessary: RFC 4173 3 */
    LB_DONE_FAILED,
};

/* One step of a stage, such as one login attempt. */
struct lb_step {
    size_t number; /* of all steps, in the order in which they began; from 0 */
    size_t ended;  /* of all steps, in the order in which they ended; from 1; 0: it runs */
    enum lb_stage stage;
    enum lb_outcome outcome;
    uint64_t start_us;
    uint64_t end_us;         /* valid unless running */
    struct lb_endpoint peer; /* zero where there is none */
    char note[80];           /* one phrase: what it was about, or why it failed */
};

/* One thing that was learned or decided. */
struct lb_fact {
    enum lb_stage stage;
    bool decided; /* false: learned */
    size_t told;  /* of those that a console shows at once, from 1; 0: it does not */
    uint64_t at_us;
    const char *key; /* a constant: "address", "root-path", "lun" */
    char value[240]; /* made fit for a terminal */
    char source[48]; /* who said so: "DHCP server 192.0.2.1", "command line" */
};

struct lb_report {
    uint64_t start_us;
    size_t step_count, fact_count;   /* those that are kept */
    size_t dropped;                  /* steps and facts that are not kept */
    size_t steps_begun, steps_ended; /* all of them */
    size_t facts_told;               /* for the console */
    struct lb_step steps[LB_REPORT_STEPS_MAX];
    struct lb_fact facts[LB_REPORT_FACTS_MAX];
    struct lb_error error; /* how it ended; LB_OK for a disk */
};

/* Makes the report empty; the times that are shown count from now_us. */
void lb_report_init(struct lb_report *report, uint64_t now_us);
/* Starts a step; gives its number for lb_report_end. */
size_t lb_report_begin(struct lb_report *report, uint64_t now_us, enum lb_stage stage,
                       struct lb_endpoint peer, const char *note, ...)
    __attribute__((format(printf, 5, 6)));
/* Ends a step that runs. One that has ended stays as it was, one that is not kept any more and
 * LB_NO_STEP are ignored. An empty note keeps the first one. */
void lb_report_end(struct lb_report *report, uint64_t now_us, size_t step, enum lb_outcome outcome,
                   const char *note, ...) __attribute__((format(printf, 5, 6)));
/* Adds a fact that was learned. key must be a constant; source (who said so) and value are copied:
 * made fit for a terminal, and cut where they are too long. */
void lb_report_learned(struct lb_report *report, uint64_t now_us, enum lb_stage stage,
                       const char *key, const char *source, const char *value, ...)
    __attribute__((format(printf, 6, 7)));
/* As lb_report_learned, for what a person should see at once: a console has a line of it. */
void lb_report_told(struct lb_report *report, uint64_t now_us, enum lb_stage stage, const char *key,
                    const char *source, const char *value, ...)
    __attribute__((format(printf, 6, 7)));
/* As lb_report_learned, for what we decided; source says by what. */
void lb_report_decided(struct lb_report *report, uint64_t now_us, enum lb_stage stage,
                       const char *key, const char *source, const char *value, ...)
    __attribute__((format(printf, 6, 7)));

/* The step that runs, and began before the others that do; NULL: none does. */
const struct lb_step *lb_report_running(const struct lb_report *report);

/* Renderings. Text is cut where the buffer ends: 16 KiB hold any picture, 64 KiB any JSON. Times
 * are shown since start_us.
 *
 * The waterfall is `width` columns wide (60 to 250) and shows each step as a bar on a common time
 * line, with its duration and note: `=` done, `x` failed, `.` bypassed, `>` running; colour adds
 * ANSI colours. */
void lb_report_waterfall(const struct lb_report *report, struct lb_text *text, unsigned width,
                         bool colour);
/* A line a fact: stage, key, value, who said so. */
void lb_report_facts(const struct lb_report *report, struct lb_text *text);
/* One object: steps, facts, dropped, error (null for a disk); no line end. */
void lb_report_json(const struct lb_report *report, struct lb_text *text);
void lb_error_json(struct lb_text *text, const struct lb_error *error); /* an object, or null */
/* A step on one console line, without a line end: when it ended (or began, while it runs), stage,
 * note, duration. */
void lb_step_line(const struct lb_report *report, const struct lb_step *step, struct lb_text *text);
/* A fact on one console line, without a line end: when it was learned, stage, key, value. */
void lb_fact_line(const struct lb_report *report, const struct lb_fact *fact, struct lb_text *text);

#endif
