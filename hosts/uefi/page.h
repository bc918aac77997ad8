/* The page on which a person looks at what would be used, types values and boots with them. */
#ifndef LB_UEFI_PAGE_H
#define LB_UEFI_PAGE_H

#include "core/base/config.h"
#include "hosts/uefi/uefi.h"

enum page_end {
    PAGE_BOOT,     /* with what was typed, set as by LB_SOURCE_PERSON */
    PAGE_LEFT,     /* nobody was there (keys.h: patience): as if it had not been opened */
    PAGE_FIRMWARE, /* the person gave up: back to the firmware */
};

/* Forgets what was typed before, and says by which key the page is opened: unless the page is
 * locked. */
void page_begin(const struct lb_config *config);
/* Whether a person has asked for the page: waits so long at most. Never where it is locked. */
bool page_is_wanted(const struct lb_config *config, uint32_t wait_ms);
struct lb_report;
/* Shows the page until it ends. Secrets are not echoed. report may be NULL. */
enum page_end page_show(struct lb_config *config, const struct lb_report *report);

#endif
