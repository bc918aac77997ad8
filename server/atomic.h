/* Writes to an overlay that a power cut leaves whole or undone: WRITE ATOMIC (SBC-4 4.29).
 *
 * A third file beside `data` and `map`, `atomic`, has the write that is under way: a sector of head
 * (what, offset, length and CRCs) and the bytes. It is durable before the first byte goes to the
 * overlay, which is flushed then, and the head is cleared, durably, before the write is answered. A
 * start finds the head whole, with all bytes, and does the write again; or it finds none, and the
 * overlay has not been touched. So no later write is ever undone by it. */
#ifndef LB_SERVER_ATOMIC_H
#define LB_SERVER_ATOMIC_H

#include "server/overlay.h"

#define LB_ATOMIC_MAX  131072 /* bytes of one write */
#define LB_ATOMIC_HEAD 512 /* bytes before them: a sector, which is written whole or not at all */

/* An overlay has been loaded: does what a power cut has interrupted. journal: the file, which may
 * be empty. 0, or an errno. */
int lb_atomic_recover(struct lb_overlay *overlay, int journal);
/* At most LB_ATOMIC_MAX bytes (not 0), within the disk; durable when it returns. 0, or an errno;
 * ENOSPC: nothing has changed. After another failure the overlay is broken: lb_overlay_flush. */
int lb_atomic_write(struct lb_overlay *overlay, int journal, const uint8_t *from, size_t len,
                    uint64_t offset);
/* There is nothing to do again: of an overlay that is about to be reset. 0, or an errno. */
int lb_atomic_forget(int journal);

#endif
