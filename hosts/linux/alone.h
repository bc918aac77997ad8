/* A process that lives beside the disk, and must not need it: between the initramfs and the end.
 *
 * Its program is the initramfs's, which stays in memory as long as it runs; what it reads (/sys,
 * /proc) it has opened before the root is switched. */
#ifndef LB_LINUX_ALONE_H
#define LB_LINUX_ALONE_H

#include "core/base/text.h"
#include <sys/types.h>

/* The forked process stands alone: nobody waits for it, no terminal stops it, no core has its
 * secrets, all descriptors but the standard ones and keep_fd (-1: none) are closed. Standard error
 * is the kernel's log. Its name begins with '@', by which systemd knows the processes that storage
 * needs; name is what the kernel shows. */
void lb_alone_begin(const char *name, int keep_fd);
/* Memory that it needs is there, and stays: it may be short when the disk is lost that would take
 * what can be written out, and everything that waits for memory then waits for us. Where one of
 * these is refused, the process is as good as it can be. */
void lb_alone_hold_memory(void);

/* The lines of a file of /proc, read without stdio, which would give again what it has read
 * before. Start with its descriptor alone. */
struct lb_lines {
    int fd;
    off_t at;
    size_t start, end; /* of what is there of the text */
    char text[4096];
};
/* The next one, without its end; valid until the next call. False: there is none. */
bool lb_lines_next(struct lb_lines *lines, struct lb_bytes *line);

#endif
