/* Copy on write: what one machine has written, over a base that all share and nobody writes.
 *
 * Two files. `data` is sparse and as long as the base: block n, of 4096 bytes, lies at n * 4096.
 * `map` has 2 bits a block, the lowest first: 0 the block is the base's, 1 it is in `data`, 2 it is
 * all zeros, by UNMAP.
 *
 * What a power cut leaves. A write goes to `data`, and its bit into memory. A flush makes `data`
 * durable, then writes the pages of the map that have changed, and makes these durable. So a bit is
 * on stable storage only after its block: after a cut each block is as of the last flush, or newer.
 * A block that is not in `data` yet is always written whole, so what an earlier cut left there is
 * never read. A block that UNMAP gave back is punched out of `data` only when the map that says so
 * is durable; after a cut between the two its room stays taken until its page of the map is written
 * again. A reset clears the map, durably, before it clears `data`.
 *
 * What a killed lunbootd leaves is more: see live.h. */
#ifndef LB_SERVER_OVERLAY_H
#define LB_SERVER_OVERLAY_H

#include "core/base/bytes.h"

#define LB_OVERLAY_BLOCK         4096
#define LB_OVERLAY_BLOCKS_A_BYTE 4  /* of the map */
#define LB_OVERLAY_BOOT          40 /* bytes of a boot's id, with zeros behind it */
#ifndef LB_OVERLAY_MAP_PAGE         /* the test has small ones */
#define LB_OVERLAY_MAP_PAGE 4096    /* bytes of the map that are written at a time */
#endif

enum lb_overlay_state { LB_OVERLAY_BASE, LB_OVERLAY_HERE, LB_OVERLAY_ZERO };

struct lb_overlay {
    int base, data, map; /* file descriptors, the caller's */
    uint64_t bytes;      /* of the disk */
    uint64_t blocks;     /* the last may be cut */
    uint64_t here;       /* blocks in `data`: an exact count */
    uint64_t limit;      /* as many may be */
    uint8_t *bits;       /* the map in memory */
    uint8_t *changed;    /* a byte a page of the map: not written yet */
    uint8_t *freed;      /* the same: it has blocks that are to be punched out of `data` */
    size_t page_count;
    bool has_changed;
    bool is_new;                /* its map was made by the last load */
    int live;                   /* another file with the map, see live.h; -1: none. The caller's */
    char boot[LB_OVERLAY_BOOT]; /* which boot of this computer it is: see live.h */
    int broken; /* an errno: data could not be made durable, and nobody knows which */
};

/* Reads the map; an empty one is made as long as it has to be. limit: blocks that may be written;
 * 0: as many as the disk has. 0, or an errno; then there is nothing to free. */
int lb_overlay_load(struct lb_overlay *overlay, int base, int data, int map, uint64_t bytes,
                    uint64_t limit);
/* Whether a block, by its number, is not the base's. */
bool lb_overlay_has(const struct lb_overlay *overlay, uint64_t block);
/* Whether these bytes (len not 0) are all the base's. */
bool lb_overlay_is_base(const struct lb_overlay *overlay, uint64_t offset, size_t len);
/* Within the disk, any offset and length. 0, or an errno. */
int lb_overlay_read(struct lb_overlay *overlay, uint8_t *to, size_t len, uint64_t offset);
/* Whether the limit allows a write of these bytes (len not 0). */
bool lb_overlay_has_room(const struct lb_overlay *overlay, size_t len, uint64_t offset);
/* ENOSPC: it needs more blocks than the limit allows, or than the file system has; of the former
 * nothing is written. */
int lb_overlay_write(struct lb_overlay *overlay, const uint8_t *from, size_t len, uint64_t offset);
/* These bytes are zeros from now on. The room of whole blocks among them is given back with the
 * next flush; the rest is written. Errors are those of write. */
int lb_overlay_unmap(struct lb_overlay *overlay, uint64_t len, uint64_t offset);
/* How many bytes from offset on, at most len (not 0), are like the first: in blocks that UNMAP gave
 * back (*is_unmapped), or not. */
uint64_t lb_overlay_status(const struct lb_overlay *overlay, uint64_t len, uint64_t offset,
                           bool *is_unmapped);
/* What was written before survives a power cut. Once that has failed it fails until the next load:
 * Linux forgets what it could not write, and a later success would be a lie. */
int lb_overlay_flush(struct lb_overlay *overlay);
/* `bits` was replaced as a whole: counts its blocks, and marks all of it to be written. */
void lb_overlay_map_replaced(struct lb_overlay *overlay);
/* The disk is the base again. */
int lb_overlay_reset(struct lb_overlay *overlay);
/* Frees its memory; the file descriptors stay open. Harmless where it is freed. */
void lb_overlay_free(struct lb_overlay *overlay);

#endif
