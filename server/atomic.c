#include "server/atomic.h"
#include "core/base/bytes.h"
#include "core/crypto/crypto.h"
#include "server/blockfile.h"
#include <errno.h>
#include <stdlib.h>

#define MAGIC UINT64_C(0x4c422d41544f4d31)

struct head {
    uint64_t offset;
    uint32_t len, crc;
};

static void encode(const struct head *head, uint8_t bytes[LB_ATOMIC_HEAD]) {
    struct lb_wr wr = lb_wr(lb_span(bytes, LB_ATOMIC_HEAD));
    memset(bytes, 0, LB_ATOMIC_HEAD);
    lb_wr_u64(&wr, MAGIC);
    lb_wr_u64(&wr, head->offset);
    lb_wr_u32(&wr, head->len);
    lb_wr_u32(&wr, head->crc);
    lb_wr_u32(&wr, lb_crc32c(0, bytes, wr.len));
}

/* False: there is none, or it is not whole. */
static bool decode(const uint8_t bytes[LB_ATOMIC_HEAD], uint64_t disk_bytes, struct head *head) {
    struct lb_rd rd = lb_rd(lb_bytes(bytes, LB_ATOMIC_HEAD));
    uint64_t magic = lb_rd_u64(&rd);
    head->offset = lb_rd_u64(&rd);
    head->len = lb_rd_u32(&rd);
    head->crc = lb_rd_u32(&rd);
    uint32_t crc = lb_crc32c(0, bytes, LB_ATOMIC_HEAD - rd.left);
    return magic == MAGIC && lb_rd_u32(&rd) == crc && head->len <= LB_ATOMIC_MAX &&
           head->offset <= disk_bytes && head->len <= disk_bytes - head->offset;
}

int lb_atomic_forget(int journal) {
    static const uint8_t nothing[LB_ATOMIC_HEAD];
    int error = lb_blockfile_write(journal, nothing, sizeof nothing, 0, false);
    return error == 0 ? lb_blockfile_sync(journal) : error;
}

/* Once the overlay has it, durably, there is nothing to do again. */
static int carry_out(struct lb_overlay *overlay, int journal, const uint8_t *from, size_t len,
                     uint64_t offset) {
    int error = lb_overlay_write(overlay, from, len, offset);
    if (error == 0)
        error = lb_overlay_flush(overlay);
    return error == 0 ? lb_atomic_forget(journal) : error;
}

static int redo(struct lb_overlay *overlay, int journal, const struct head *head) {
    uint8_t *bytes = malloc(LB_ATOMIC_MAX);
    int error = bytes == NULL ? ENOMEM : 0;
    if (error == 0)
        error = lb_blockfile_read(journal, bytes, head->len, LB_ATOMIC_HEAD);
    if (error == 0 && lb_crc32c(0, bytes, head->len) == head->crc)
        error = carry_out(overlay, journal, bytes, head->len, head->offset);
    free(bytes);
    return error;
}

int lb_atomic_recover(struct lb_overlay *overlay, int journal) {
    uint8_t bytes[LB_ATOMIC_HEAD];
    struct head head;
    int error = lb_blockfile_read(journal, bytes, sizeof bytes, 0);
    if (error == EIO) /* it is new */
        return lb_blockfile_clear(journal, LB_ATOMIC_HEAD + LB_ATOMIC_MAX);
    if (error != 0 || !decode(bytes, overlay->bytes, &head))
        return error;
    return redo(overlay, journal, &head);
}

static int note(int journal, const uint8_t *from, size_t len, uint64_t offset) {
    uint8_t bytes[LB_ATOMIC_HEAD];
    const struct head head = {
        .offset = offset, .len = (uint32_t)len, .crc = lb_crc32c(0, from, len)};
    encode(&head, bytes);
    int error = lb_blockfile_write(journal, from, len, LB_ATOMIC_HEAD, false);
    if (error == 0)
        error = lb_blockfile_write(journal, bytes, sizeof bytes, 0, false);
    return error == 0 ? lb_blockfile_sync(journal) : error;
}

int lb_atomic_write(struct lb_overlay *overlay, int journal, const uint8_t *from, size_t len,
                    uint64_t offset) {
    lb_assert(len > 0 && len <= LB_ATOMIC_MAX);
    if (overlay->broken != 0)
        return overlay->broken;
    if (!lb_overlay_has_room(overlay, len, offset))
        return ENOSPC;
    int error = lb_blockfile_allocate(overlay->data, len, offset);
    if (error != 0)
        return error; /* nothing has changed */
    error = note(journal, from, len, offset);
    if (error == 0)
        error = carry_out(overlay, journal, from, len, offset);
    overlay->broken = error; /* what the journal has may be done again, over later writes */
    return error;
}
