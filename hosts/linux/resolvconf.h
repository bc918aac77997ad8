/* resolv.conf under a root folder: written while a boot needs it, put back when the boot is
 * undone. */
#ifndef LB_LINUX_RESOLVCONF_H
#define LB_LINUX_RESOLVCONF_H

#include "core/boot/boot.h"
#include <sys/stat.h>

struct lb_resolvconf {
    char root[4096]; /* empty: nothing was written */
    bool is_written;
    bool has_before;  /* what was there is kept beside it */
    struct stat ours; /* what we wrote: a file that others have put there or changed stays */
};

/* Writes ROOT/etc/resolv.conf with net's name servers and search list (link-local ones are meant on
 * the interface); without any of both it writes nothing. The file appears whole or not at all, and
 * no symbolic link leads out of ROOT. 0, or an errno. */
int lb_resolvconf_write(struct lb_resolvconf *resolvconf, const char *root, const char *interface,
                        const struct lb_boot_net *net);
/* As it was before the first write; what others have written since stays. */
void lb_resolvconf_restore(struct lb_resolvconf *resolvconf);
/* It stays: forgets what was there before. */
void lb_resolvconf_keep(struct lb_resolvconf *resolvconf);
/* The file's text; what it would be, for tests. */
void lb_resolvconf_format(struct lb_text *text, const char *interface,
                          const struct lb_boot_net *net);

#endif
