/* Disks copied: by sharing their blocks where the file system can (FICLONE), else in the kernel
 * (copy_file_range), else through memory. Holes stay holes. */
#ifndef LB_SERVER_COPY_H
#define LB_SERVER_COPY_H

#include "server/overlay.h"
#include <stdatomic.h>

/* Shared with the thread that copies. */
struct lb_copy_progress {
    _Atomic uint64_t done; /* bytes */
    atomic_bool is_cancelled;
};

/* Copies the first `bytes` bytes of a file or block device into an empty file, which gets this
 * length. 0, or an errno; ECANCELED. */
int lb_copy_disk(int from, int to, uint64_t bytes, struct lb_copy_progress *progress);
/* After it: writes all that the overlay has over that disk, its base, and makes the copy durable,
 * so that it can be given its name. overlay: NULL for none; nobody writes it meanwhile. 0, or an
 * errno; ECANCELED. */
int lb_copy_finish(struct lb_overlay *overlay, int to, struct lb_copy_progress *progress);

#endif
