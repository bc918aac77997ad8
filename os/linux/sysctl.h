/* One of the kernel's settings for an interface, changed for a while. */
#ifndef LB_OS_SYSCTL_H
#define LB_OS_SYSCTL_H

#include <stdbool.h>

struct lb_sysctl {
    char path[128];
    char before[24]; /* what stood there; empty: nothing was changed */
    char after[24];  /* what stands there since, as the kernel says it */
};

/* Of net.TABLE.INTERFACE, where table is "ipv4/conf", "ipv6/conf" or "ipv6/neigh". 0, or an errno;
 * 0 also where the value is there already. */
int lb_sysctl_set(struct lb_sysctl *sysctl, const char *table, const char *interface,
                  const char *name, const char *value);
/* Whether it is there and has this value. */
bool lb_sysctl_is(const char *table, const char *interface, const char *name, const char *value);
/* As it was before lb_sysctl_set; harmless where nothing was changed. What others have changed
 * since stays. */
void lb_sysctl_restore(struct lb_sysctl *sysctl);

#endif
