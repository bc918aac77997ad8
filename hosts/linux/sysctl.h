/* One of the kernel's settings for IPv6 on an interface, changed for a while. */
#ifndef LB_LINUX_SYSCTL_H
#define LB_LINUX_SYSCTL_H

#include <stdbool.h>

struct lb_sysctl {
    char path[128];
    char before[24]; /* what stood there; empty: nothing was changed */
};

/* Of net.ipv6.conf.INTERFACE or net.ipv6.neigh.INTERFACE (table: "conf" or "neigh"). 0, or an
 * errno; 0 also where the value is there already. */
int lb_sysctl_set(struct lb_sysctl *sysctl, const char *table, const char *interface,
                  const char *name, const char *value);
/* Whether it is there and has this value. */
bool lb_sysctl_is(const char *table, const char *interface, const char *name, const char *value);
/* As it was before lb_sysctl_set; harmless where nothing was changed. */
void lb_sysctl_restore(struct lb_sysctl *sysctl);

#endif
