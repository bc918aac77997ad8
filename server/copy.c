#include "server/copy.h"
#include "server/blockfile.h"
#include <errno.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define PIECE_BYTES (UINT64_C(4) << 20) /* between two looks at is_cancelled */

/* Through memory; zeros make holes. */
static int copy_piece(int from, int to, uint8_t *room, size_t len, uint64_t offset) {
    int error = lb_blockfile_read(from, room, len, offset);
    for (size_t at = 0; error == 0 && at < len; at += LB_OVERLAY_BLOCK) {
        size_t block = LB_MIN(LB_OVERLAY_BLOCK, len - at), i = 0;
        while (i < block && room[at + i] == 0)
            i++;
        if (i < block)
            error = lb_blockfile_write(to, room + at, block, offset + at, false);
    }
    return error;
}

static int copy_range(int from, int to, size_t len, uint64_t offset) {
    off_t in = (off_t)offset, out = (off_t)offset;
    while (len > 0) {
        ssize_t n = copy_file_range(from, &in, to, &out, len, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n == 0 ? EIO : errno;
        len -= (size_t)n;
    }
    return 0;
}

/* Where data begins at or after offset, and where it ends; at the latest at `bytes`. */
static void find_data(int from, uint64_t bytes, uint64_t *offset, uint64_t *end) {
    off_t data = lseek(from, (off_t)*offset, SEEK_DATA);
    *end = bytes;
    if (data < 0 && errno == ENXIO)
        *offset = bytes;
    if (data < 0)
        return; /* a block device, or a file system that does not know */
    off_t hole = lseek(from, data, SEEK_HOLE);
    *offset = LB_MIN((uint64_t)data, bytes);
    if (hole > data)
        *end = LB_MIN((uint64_t)hole, bytes);
}

static int copy_data(int from, int to, uint64_t bytes, uint8_t *room,
                     struct lb_copy_progress *progress) {
    bool in_kernel = true;
    for (uint64_t offset = 0, end; offset < bytes;) {
        find_data(from, bytes, &offset, &end);
        while (offset < end) {
            size_t len = (size_t)LB_MIN(PIECE_BYTES, end - offset);
            int error = in_kernel ? copy_range(from, to, len, offset) : EXDEV;
            if (error != 0 && in_kernel && error != ENOSPC && error != EDQUOT)
                in_kernel = false; /* of two file systems, a device, an old kernel */
            if (error != 0 && !in_kernel)
                error = copy_piece(from, to, room, len, offset);
            if (error != 0 || atomic_load(&progress->is_cancelled))
                return error != 0 ? error : ECANCELED;
            offset += len;
            atomic_store(&progress->done, offset);
        }
    }
    return 0;
}

int lb_copy_disk(int from, int to, uint64_t bytes, struct lb_copy_progress *progress) {
    if (ioctl(to, FICLONE, from) == 0)
        return ftruncate(to, (off_t)bytes) == 0 ? 0 : errno;
    if (ftruncate(to, (off_t)bytes) < 0)
        return errno;
    uint8_t *room = malloc(PIECE_BYTES);
    int error = room == NULL ? ENOMEM : copy_data(from, to, bytes, room, progress);
    free(room);
    return error;
}

static int copy_overlay(struct lb_overlay *overlay, int to, struct lb_copy_progress *progress) {
    uint8_t block[LB_OVERLAY_BLOCK];
    for (uint64_t number = 0; number < overlay->blocks; number++) {
        uint64_t offset = number * LB_OVERLAY_BLOCK;
        size_t len = (size_t)LB_MIN(LB_OVERLAY_BLOCK, overlay->bytes - offset);
        if (!lb_overlay_has(overlay, number))
            continue;
        int error = lb_overlay_read(overlay, block, len, offset);
        if (error == 0)
            error = lb_blockfile_write(to, block, len, offset, false);
        if (error != 0 || atomic_load(&progress->is_cancelled))
            return error != 0 ? error : ECANCELED;
        atomic_fetch_add(&progress->done, len);
    }
    return 0;
}

int lb_copy_finish(struct lb_overlay *overlay, int to, struct lb_copy_progress *progress) {
    int error = overlay != NULL ? copy_overlay(overlay, to, progress) : 0;
    return error == 0 ? lb_blockfile_sync(to) : error;
}
