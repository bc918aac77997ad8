/* A second file of an overlay's map, which is read after lunbootd was killed.
 *
 * A machine's kernel does not write again what a disk had taken before its server died: a disk's
 * cache does not forget while the disk has power. Without a file of this kind an overlay would: the
 * map of what was not flushed is in memory. The data is in the page cache, which outlives the
 * process, so the map goes there, too: each change of it is written to `live` before the write is
 * answered. It is never made durable. So it counts only in the same boot of this computer; after a
 * power cut `map` alone does, see overlay.h.
 *
 * The file: a head of LB_LIVE_HEAD bytes, then the map. The head has the magic number, the size of
 * the disk, and the boot by its id; it is written last, and taken away first. */
#ifndef LB_SERVER_LIVE_H
#define LB_SERVER_LIVE_H

#include "server/overlay.h"

#define LB_LIVE_HEAD 4096

/* Takes the map of an overlay that was just loaded from `live`, where that is of this boot and
 * `map` is not new; else writes it there. Without room for it the overlay goes on without. 0, or an
 * errno. The file stays the caller's. */
int lb_live_begin(struct lb_overlay *overlay, int live, const char boot[LB_OVERLAY_BOOT]);
/* These blocks may have another state. 0, or an errno; then the write is not done. */
int lb_live_note(const struct lb_overlay *overlay, uint64_t first, uint64_t last);
/* Before the map is cleared: from now on `map` counts. */
int lb_live_forget(const struct lb_overlay *overlay);
/* The whole map, and that it counts. */
int lb_live_write(const struct lb_overlay *overlay);
/* Which boot of this computer it is; all zeros: it cannot be told. */
void lb_live_boot(char boot[LB_OVERLAY_BOOT]);

#endif
