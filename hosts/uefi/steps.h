/* One line a step of the report, as it ends: core/base/console.h has the rules. */
#ifndef LB_UEFI_STEPS_H
#define LB_UEFI_STEPS_H

/* A new boot begins: nothing of its report has been shown. */
void steps_begin(void);
/* Shows the steps of the engine's report that have ended since. */
void steps_show(void);

#endif
