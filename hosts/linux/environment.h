/* What a boot found out, as environment variables LUNBOOT_* for the program that comes next. They
 * are listed in docs/lunboot.8. */
#ifndef LB_LINUX_ENVIRONMENT_H
#define LB_LINUX_ENVIRONMENT_H

#include "hosts/linux/run.h"

/* Sets them all; what is not known is not set. */
void lb_environment_set(const struct lb_run *run);

#endif
