#include "server/overlay.h"
#include "server/blockfile.h"
#include "server/live.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK         LB_OVERLAY_BLOCK
#define BLOCKS_A_BYTE LB_OVERLAY_BLOCKS_A_BYTE
#define BLOCKS_A_PAGE (LB_OVERLAY_MAP_PAGE * BLOCKS_A_BYTE)
#define RUN_BYTES_MAX (UINT64_C(1) << 30) /* one read; a size_t on every machine */

/* ---- the map ---- */

static enum lb_overlay_state state_of(const struct lb_overlay *overlay, uint64_t block) {
    return (enum lb_overlay_state)(
        overlay->bits[block / BLOCKS_A_BYTE] >> (2 * (block % BLOCKS_A_BYTE)) & 3);
}

bool lb_overlay_has(const struct lb_overlay *overlay, uint64_t block) {
    return state_of(overlay, block) != LB_OVERLAY_BASE;
}

static void set_state(struct lb_overlay *overlay, uint64_t block, enum lb_overlay_state state) {
    uint8_t *byte = &overlay->bits[block / BLOCKS_A_BYTE];
    unsigned shift = 2 * (unsigned)(block % BLOCKS_A_BYTE);
    enum lb_overlay_state before = state_of(overlay, block);
    if (before == state)
        return;
    *byte = (uint8_t)((*byte & ~(3u << shift)) | (unsigned)state << shift);
    overlay->here += state == LB_OVERLAY_HERE;
    overlay->here -= before == LB_OVERLAY_HERE;
    overlay->changed[block / BLOCKS_A_PAGE] = 1;
    overlay->freed[block / BLOCKS_A_PAGE] |= before == LB_OVERLAY_HERE;
    overlay->has_changed = true;
}

/* Sets the state of blocks first to last, in memory and in the file of live.h. */
static int set_states(struct lb_overlay *overlay, uint64_t first, uint64_t last,
                      enum lb_overlay_state state) {
    bool is_same = true;
    for (uint64_t block = first; block <= last; block++) {
        is_same = is_same && state_of(overlay, block) == state;
        set_state(overlay, block, state);
    }
    return is_same ? 0 : lb_live_note(overlay, first, last);
}

static uint64_t count_here(const struct lb_overlay *overlay) {
    uint64_t count = 0;
    for (uint64_t block = 0; block < overlay->blocks; block++) {
        if (block % BLOCKS_A_BYTE == 0 && overlay->bits[block / BLOCKS_A_BYTE] == 0)
            block += BLOCKS_A_BYTE - 1;
        else
            count += state_of(overlay, block) == LB_OVERLAY_HERE;
    }
    return count;
}

/* ---- load ---- */

static int read_map(struct lb_overlay *overlay) {
    size_t bytes = overlay->page_count * LB_OVERLAY_MAP_PAGE;
    int error = lb_blockfile_read(overlay->map, overlay->bits, bytes, 0);
    if (error != EIO) /* else it is shorter: new, or a reset was cut off */
        return error;
    memset(overlay->bits, 0, bytes);
    overlay->is_new = true;
    return lb_overlay_reset(overlay);
}

void lb_overlay_map_replaced(struct lb_overlay *overlay) {
    memset(overlay->changed, 1, overlay->page_count);
    memset(overlay->freed, 1, overlay->page_count);
    overlay->has_changed = true;
    overlay->here = count_here(overlay);
}

int lb_overlay_load(struct lb_overlay *overlay, int base, int data, int map, uint64_t bytes,
                    uint64_t limit) {
    *overlay = (struct lb_overlay){
        .base = base,
        .data = data,
        .map = map,
        .live = -1,
        .bytes = bytes,
        .blocks = bytes / BLOCK + (bytes % BLOCK != 0),
    };
    overlay->limit = limit ? LB_MIN(limit, overlay->blocks) : overlay->blocks;
    overlay->page_count = (size_t)(overlay->blocks / BLOCKS_A_PAGE + 1);
    overlay->bits = calloc(overlay->page_count, LB_OVERLAY_MAP_PAGE);
    overlay->changed = calloc(overlay->page_count, 1);
    overlay->freed = calloc(overlay->page_count, 1);
    int error = overlay->bits && overlay->changed && overlay->freed ? read_map(overlay) : ENOMEM;
    if (error != 0)
        lb_overlay_free(overlay);
    else
        overlay->here = count_here(overlay);
    return error;
}

void lb_overlay_free(struct lb_overlay *overlay) {
    free(overlay->bits);
    free(overlay->changed);
    free(overlay->freed);
    overlay->bits = overlay->changed = overlay->freed = NULL;
}

/* ---- read ---- */

/* How many of these bytes are in blocks of one state. */
static size_t run_of(const struct lb_overlay *overlay, uint64_t offset, size_t len) {
    uint64_t first = offset / BLOCK, last = (offset + len - 1) / BLOCK, block = first + 1;
    while (block <= last && state_of(overlay, block) == state_of(overlay, first))
        block++;
    return (size_t)LB_MIN(LB_MIN(block * BLOCK - offset, len), RUN_BYTES_MAX);
}

bool lb_overlay_is_base(const struct lb_overlay *overlay, uint64_t offset, size_t len) {
    return state_of(overlay, offset / BLOCK) == LB_OVERLAY_BASE &&
           run_of(overlay, offset, len) == len;
}

int lb_overlay_read(struct lb_overlay *overlay, uint8_t *to, size_t len, uint64_t offset) {
    lb_assert(offset <= overlay->bytes && len <= overlay->bytes - offset);
    while (len > 0) {
        size_t run = run_of(overlay, offset, len);
        enum lb_overlay_state state = state_of(overlay, offset / BLOCK);
        int error = 0;
        if (state == LB_OVERLAY_ZERO)
            memset(to, 0, run);
        else
            error = lb_blockfile_read(state == LB_OVERLAY_HERE ? overlay->data : overlay->base, to,
                                      run, offset);
        if (error != 0)
            return error;
        to += run;
        offset += run;
        len -= run;
    }
    return 0;
}

/* ---- write ---- */

static uint64_t count_new(const struct lb_overlay *overlay, uint64_t offset, size_t len) {
    uint64_t count = 0;
    for (uint64_t block = offset / BLOCK; block <= (offset + len - 1) / BLOCK; block++)
        count += state_of(overlay, block) != LB_OVERLAY_HERE;
    return count;
}

bool lb_overlay_has_room(const struct lb_overlay *overlay, size_t len, uint64_t offset) {
    uint64_t left = overlay->limit - LB_MIN(overlay->here, overlay->limit);
    return count_new(overlay, offset, len) <= left;
}

/* A part of one block: the rest of it is what it was. */
static int write_part(struct lb_overlay *overlay, const uint8_t *from, size_t len,
                      uint64_t offset) {
    uint8_t whole[BLOCK];
    uint64_t start = offset / BLOCK * BLOCK;
    size_t bytes = (size_t)LB_MIN(BLOCK, overlay->bytes - start);
    if (state_of(overlay, offset / BLOCK) == LB_OVERLAY_HERE)
        return lb_blockfile_write(overlay->data, from, len, offset, false);
    int error = lb_overlay_read(overlay, whole, bytes, start);
    if (error != 0)
        return error;
    memcpy(whole + (offset - start), from, len);
    return lb_blockfile_write(overlay->data, whole, bytes, start, false);
}

int lb_overlay_write(struct lb_overlay *overlay, const uint8_t *from, size_t len, uint64_t offset) {
    lb_assert(offset <= overlay->bytes && len <= overlay->bytes - offset);
    if (len == 0)
        return 0;
    if (!lb_overlay_has_room(overlay, len, offset))
        return ENOSPC;
    while (len > 0) {
        uint64_t in_block = offset % BLOCK;
        bool is_part = in_block != 0 || len < BLOCK;
        size_t piece = is_part ? (size_t)LB_MIN(BLOCK - in_block, len) : len / BLOCK * BLOCK;
        int error = is_part ? write_part(overlay, from, piece, offset)
                            : lb_blockfile_write(overlay->data, from, piece, offset, false);
        if (error != 0)
            return error;
        error = set_states(overlay, offset / BLOCK, (offset + piece - 1) / BLOCK, LB_OVERLAY_HERE);
        if (error != 0)
            return error;
        from += piece;
        offset += piece;
        len -= piece;
    }
    return 0;
}

/* ---- unmap ---- */

static int write_zeros(struct lb_overlay *overlay, uint64_t from, uint64_t to) {
    static const uint8_t zeros[BLOCK];
    lb_assert(to - from <= BLOCK);
    return from == to ? 0 : lb_overlay_write(overlay, zeros, (size_t)(to - from), from);
}

/* The last block of the disk is whole where it is given back up to the disk's end. */
int lb_overlay_unmap(struct lb_overlay *overlay, uint64_t len, uint64_t offset) {
    uint64_t end = offset + len, first = offset / BLOCK + (offset % BLOCK != 0);
    uint64_t last = end == overlay->bytes ? overlay->blocks : end / BLOCK; /* one behind it */
    int error = 0;
    lb_assert(offset <= overlay->bytes && len <= overlay->bytes - offset);
    if (first >= last) { /* within one block, or over the border of two */
        uint64_t border = LB_MIN(LB_MAX(first * BLOCK, offset), end);
        error = write_zeros(overlay, offset, border);
        return error != 0 ? error : write_zeros(overlay, border, end);
    }
    error = write_zeros(overlay, offset, first * BLOCK);
    if (error == 0 && end > last * BLOCK)
        error = write_zeros(overlay, last * BLOCK, end);
    return error == 0 ? set_states(overlay, first, last - 1, LB_OVERLAY_ZERO) : error;
}

uint64_t lb_overlay_status(const struct lb_overlay *overlay, uint64_t len, uint64_t offset,
                           bool *is_unmapped) {
    uint64_t block = offset / BLOCK, last = (offset + len - 1) / BLOCK;
    *is_unmapped = state_of(overlay, block) == LB_OVERLAY_ZERO;
    while (block <= last && (state_of(overlay, block) == LB_OVERLAY_ZERO) == *is_unmapped)
        block++;
    return LB_MIN(block * BLOCK - offset, len);
}

/* The map says so durably. That it fails costs room alone. */
static void punch_page(struct lb_overlay *overlay, size_t page) {
    uint64_t block = (uint64_t)page * BLOCKS_A_PAGE;
    uint64_t end = LB_MIN(block + BLOCKS_A_PAGE, overlay->blocks);
    while (block < end) {
        uint64_t first = block;
        while (block < end && state_of(overlay, block) == LB_OVERLAY_ZERO)
            block++;
        if (block > first)
            (void)lb_blockfile_punch(overlay->data,
                                     LB_MIN(block * BLOCK, overlay->bytes) - first * BLOCK,
                                     first * BLOCK);
        else
            block++;
    }
    overlay->freed[page] = 0;
}

/* ---- flush and reset ---- */

static int write_map(struct lb_overlay *overlay) {
    for (size_t page = 0; page < overlay->page_count; page++) {
        uint64_t at = (uint64_t)page * LB_OVERLAY_MAP_PAGE;
        if (!overlay->changed[page])
            continue;
        int error =
            lb_blockfile_write(overlay->map, overlay->bits + at, LB_OVERLAY_MAP_PAGE, at, false);
        if (error != 0)
            return error;
    }
    int error = lb_blockfile_sync(overlay->map);
    if (error != 0)
        return error;
    memset(overlay->changed, 0, overlay->page_count);
    overlay->has_changed = false;
    for (size_t page = 0; page < overlay->page_count; page++)
        if (overlay->freed[page])
            punch_page(overlay, page);
    return 0;
}

int lb_overlay_flush(struct lb_overlay *overlay) {
    if (overlay->broken == 0)
        overlay->broken = lb_blockfile_sync(overlay->data);
    if (overlay->broken == 0 && overlay->has_changed)
        overlay->broken = write_map(overlay);
    return overlay->broken;
}

int lb_overlay_reset(struct lb_overlay *overlay) {
    int error = lb_live_forget(overlay);
    if (error == 0)
        error =
            lb_blockfile_clear(overlay->map, (uint64_t)overlay->page_count * LB_OVERLAY_MAP_PAGE);
    if (error == 0)
        error = lb_blockfile_sync(overlay->map);
    if (error != 0)
        return error;
    memset(overlay->bits, 0, overlay->page_count * LB_OVERLAY_MAP_PAGE);
    memset(overlay->changed, 0, overlay->page_count);
    memset(overlay->freed, 0, overlay->page_count);
    overlay->has_changed = false;
    overlay->here = 0;
    error = lb_blockfile_clear(overlay->data, overlay->bytes);
    return error == 0 ? lb_live_write(overlay) : error;
}
