/* What this machine knows of names: its hosts file, and the servers and domains of its
 * resolv.conf(5). The engine uses the latter where neither a person nor the network names any. */
#ifndef LB_LINUX_NAMES_H
#define LB_LINUX_NAMES_H

#include "core/boot/boot.h"

#define LB_HOSTS_FILE_MAX 65536 /* bytes; a longer file is not read */

struct lb_names_here {
    struct lb_boot_machine machine; /* points into `hosts` */
    char hosts[LB_HOSTS_FILE_MAX];
};

/* Reads both files; NULL: /etc/hosts and /etc/resolv.conf. A file that is not there is empty. */
void lb_names_read(struct lb_names_here *here, const char *hosts_path, const char *resolv_path);

/* Takes the `nameserver`, `search` and `domain` lines of a resolv.conf; the last `search` or
 * `domain` counts. Other lines, and addresses that cannot be read, are passed over. */
void lb_names_resolv_conf(struct lb_bytes text, struct lb_boot_machine *machine);

#endif
