/* Lists of the configuration, item by item. For config.c, config_check.c, and who brings lists of
 * an earlier stage. */
#ifndef LB_BASE_CONFIG_LISTS_H
#define LB_BASE_CONFIG_LISTS_H

#include "core/base/config.h"
#include "core/base/limits.h"

/* What is wrong in a list. */
struct lb_config_item {
    size_t number;        /* from 1 */
    struct lb_bytes text; /* the caller's memory */
    const char *why;      /* "is no host name"; a constant; NULL: nothing is wrong */
};

/* Whether the key's type is a list with commas. */
bool lb_config_is_list(const struct lb_key_info *info);
/* Whether each item of the list can be what the key takes; an empty list and empty items cannot.
 * False: *wrong is the first that cannot. */
bool lb_config_list_check(const struct lb_key_info *info, struct lb_bytes list,
                          struct lb_config_item *wrong);
/* Of a list of iSCSI names that lb_config_list_check has passed: whether each has a form of RFC
 * 7143 4.2.7, or begins one before a *. */
bool lb_config_forms_check(struct lb_bytes list, struct lb_config_item *wrong);

#endif
