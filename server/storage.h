/* Where a disk's bytes lie: the seam between the iSCSI target and what stores them.
 *
 * A storage is one disk as one owner has it: opening it takes a lock, closing it gives it back, so
 * that two servers never write one disk. Its size does not change while it is open.
 *
 *   lb_storage_open -> lb_storage_submit(ask) -> the ask is answered -> lb_storage_close
 *
 * An ask, and its memory, are the storage's from submit until it is answered: at once, which is
 * what a file does today, or later. */
#ifndef LB_SERVER_STORAGE_H
#define LB_SERVER_STORAGE_H

#include "server/overlay.h"
#include "server/settings.h"
#include "server/window.h"

enum lb_storage_op {
    LB_STORAGE_READ,
    LB_STORAGE_WRITE,
    LB_STORAGE_UNMAP, /* it reads as zeros from now on, and its room is free; or it stays as it is,
                         where a raw disk cannot do that */
    LB_STORAGE_ZERO,  /* the same; EOPNOTSUPP where a raw disk cannot */
    LB_STORAGE_FLUSH, /* every write answered before is durable */
};

struct lb_storage_ask {
    enum lb_storage_op op;
    uint64_t offset; /* bytes; all but FLUSH: within the disk */
    uint32_t len;
    uint8_t *memory; /* READ: to be filled; WRITE: what is written */
    bool is_atomic;  /* WRITE to an overlay: whole or not at all, and durable; LB_ATOMIC_MAX */
    bool is_durable; /* WRITE, ZERO: durable before it is answered */
    int error;       /* the answer: 0, or an errno */
};

struct lb_storage {
    int fd; /* the disk, or an overlay's base, which is another storage's; -1: closed */
    uint64_t bytes;
    uint32_t left_out;    /* bytes behind them, which are no whole block */
    uint32_t block_bytes; /* of its partition table, or of the device: 512 or 4096 */
    bool read_only;
    bool is_overlay;
    int broken;                   /* an errno: see lb_overlay_flush */
    int data, map, journal, live; /* an overlay's: see overlay.h, atomic.h, live.h */
    struct lb_overlay overlay;
    struct lb_window *window; /* of the disk, or of the base; NULL: none, all is copied */
};

/* Opens a raw image or a block device. Who only reads shares it with others that do. */
bool lb_storage_open(struct lb_storage *storage, const char *path, bool read_only,
                     struct lb_server_error *error);
/* The folder of the overlays is there, made where it was not, and takes files. */
bool lb_storage_check_folder(const char *folder, struct lb_server_error *error);
/* Opens the overlay in this folder, which is made where there is none. base outlives it. limit:
 * blocks of LB_OVERLAY_BLOCK; 0: none. */
bool lb_storage_open_overlay(struct lb_storage *storage, const struct lb_storage *base,
                             const char *folder, uint64_t limit, struct lb_server_error *error);
/* True: it is answered, see ask->error. */
bool lb_storage_submit(struct lb_storage *storage, struct lb_storage_ask *ask);
/* READ without an ask, where no copy is needed: these bytes (len not 0, within the disk), in
 * storage->window, which gets them back from the caller. Only the kernel may look at them: see
 * window.h. NULL: they must be asked for. */
const uint8_t *lb_storage_view(struct lb_storage *storage, uint64_t offset, uint32_t len);
/* How many bytes from offset on, at most len (not 0), are like the first: given back by UNMAP, or
 * not. */
uint64_t lb_storage_status(const struct lb_storage *storage, uint64_t len, uint64_t offset,
                           bool *is_unmapped);
/* An overlay that is its base again. 0, or an errno. */
int lb_storage_reset(struct lb_storage *storage);
void lb_storage_close(struct lb_storage *storage); /* harmless where it is closed */

#endif
