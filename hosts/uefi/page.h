/* The page on which a person looks at what would be used, types values and boots with them. */
#ifndef LB_UEFI_PAGE_H
#define LB_UEFI_PAGE_H

#include "core/base/config.h"
#include "hosts/uefi/uefi.h"

/* Shows the page until the person boots (true) or gives up (false: back to the firmware). What was
 * typed is set as by LB_SOURCE_PERSON. Secrets are not echoed. report may be NULL. */
struct lb_report;
bool page_show(struct lb_config *config, const struct lb_report *report);

#endif
