/* Answers that could not be used and were passed over: counted, told in the report, and remembered
 * for the end, which they may explain. */
#ifndef LB_BOOT_PASSED_H
#define LB_BOOT_PASSED_H

#include "core/boot/stage.h"

#define LB_PASSED_SHOWN_MAX 8 /* in the report, because a server may repeat a bad answer */

struct lb_passed {
    struct lb_common *common;
    unsigned count, before; /* in all; and before this attempt */
    unsigned shown;         /* in the report, of the whole boot */
    struct lb_error error;  /* what was wrong with the last */
};

/* Its start: nothing was passed over. common outlives it. */
void lb_passed_init(struct lb_passed *passed, struct lb_common *common);
/* An attempt begins. */
void lb_passed_begin(struct lb_passed *passed);
/* Counts an answer that cannot be used, and reports it with who gave it; but not one that is the
 * same as the last of this attempt. */
void lb_passed_note(struct lb_passed *passed, uint64_t now_us, const char *source,
                    const struct lb_error *why);
/* Whether there were any in this attempt. */
bool lb_passed_has_any(const struct lb_passed *passed);
/* Adds them to the error that a boot ends with, if they explain it. */
void lb_passed_explain(const struct lb_passed *passed, struct lb_error *error);

#endif
