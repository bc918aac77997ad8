#include "hosts/uefi/requests.h"
#include "hosts/uefi/cache.h"

#define DIRECT_BYTES 262144 /* so much that is not in the cache goes past it */

static struct {
    struct request all[REQUESTS_MAX], *free[REQUESTS_MAX];
    size_t free_count;
    struct cache cache;
    bool has_cache;
    uint32_t block_bytes;
    uint64_t bytes_read;
} requests;

uint64_t requests_bytes_read(void) {
    return requests.bytes_read;
}

/* ---- one request ----------------------------------------------------------------------------- */

static void release(struct request *request) {
    request->busy = false;
    requests.free[requests.free_count++] = request;
}

struct request *requests_begin(enum lb_disk_kind kind, uint64_t lba, uint32_t blocks, void *buffer,
                               void *token) {
    if (kind == LB_DISK_WRITE)
        cache_forget(&requests.cache, lba, blocks);
    while (requests.free_count == 0)
        requests_turn();
    struct request *request = requests.free[--requests.free_count];
    *request = (struct request){.busy = true, .token = token};
    request->op = (struct lb_disk_op){.kind = kind,
                                      .lba = lba,
                                      .blocks = blocks,
                                      .buffer = buffer,
                                      .user = (uint64_t)(uintptr_t)request};
    requests_submit(&request->op);
    return request;
}

void *requests_ended(struct lb_disk_op *op) {
    struct request *request = (struct request *)(uintptr_t)op->user;
    void *token = request->token;
    request->done = true;
    if (op->kind == LB_DISK_WRITE)
        cache_forget(&requests.cache, op->lba, op->blocks);
    if (op->kind == LB_DISK_READ)
        requests.bytes_read += (uint64_t)op->blocks * requests.block_bytes;
    if (request->is_line)
        cache_loaded(&requests.cache, request->line, lb_is_ok(&op->error));
    if (request->is_line || token != NULL)
        release(request);
    return token;
}

/* The engine gives every request an end: data, or an error when recovery-time is over. */
enum lb_code requests_wait(struct request *request) {
    while (!request->done)
        requests_turn();
    release(request);
    return request->op.error.code;
}

/* ---- reads through the cache ----------------------------------------------------------------- */

/* False: there is no room for it now. */
static bool load_line(uint64_t lba) {
    size_t index;
    uint64_t first;
    uint32_t blocks;
    uint8_t *to;
    if (requests.free_count == 0)
        return false;
    if (!cache_claim(&requests.cache, lba, &index, &first, &blocks, &to))
        return cache_has(&requests.cache, lba);
    struct request *request = requests_begin(LB_DISK_READ, first, blocks, to, NULL);
    request->is_line = true;
    request->line = index;
    return true;
}

static void load_lines(uint64_t first, uint64_t end) {
    uint32_t line_blocks = requests.cache.line_blocks;
    for (uint64_t at = first - first % line_blocks; at < end; at += line_blocks)
        load_line(at);
}

/* In a row, what was asked for before is not looked at again. */
static void load_ahead(uint64_t lba, unsigned count) {
    struct cache *cache = &requests.cache;
    uint64_t first = (lba - 1) / cache->line_blocks + 1, end = first + count;
    if (cache->edge < first || cache->edge > end)
        cache->edge = first;
    while (cache->edge < end && load_line(cache->edge * cache->line_blocks))
        cache->edge++;
}

/* Straight into the caller's buffer. */
static enum lb_code read_direct(uint64_t lba, uint32_t blocks, uint8_t *buffer) {
    return requests_wait(requests_begin(LB_DISK_READ, lba, blocks, buffer, NULL));
}

/* Out of lines that are there or on their way. */
static enum lb_code read_lines(uint64_t lba, uint32_t blocks, uint8_t *buffer) {
    for (uint32_t done = 0; done < blocks;) {
        uint32_t got = cache_read(&requests.cache, lba + done, blocks - done, buffer);
        done += got;
        buffer += (size_t)got * requests.block_bytes;
        if (done == blocks || got > 0)
            continue;
        if (!cache_has(&requests.cache, lba + done)) /* it failed to load, or there was no line */
            return read_direct(lba + done, blocks - done, buffer);
        requests_turn();
    }
    return LB_OK;
}

enum lb_code requests_read(uint64_t lba, uint32_t blocks, uint8_t *buffer, uint64_t pace) {
    struct cache *cache = &requests.cache;
    unsigned ahead =
        cache_plan(cache, lba, blocks, (unsigned)LB_MIN(pace / REQUESTS_LINE_BYTES, 1000u));
    if (!requests.has_cache || (cache_is_scattered(cache) && !cache_has(cache, lba)))
        return read_direct(lba, blocks, buffer);
    uint32_t direct = cache_missing(cache, lba, blocks);
    if ((uint64_t)direct * requests.block_bytes < DIRECT_BYTES)
        direct = 0;
    uint32_t lines = blocks - direct;
    struct request *request = NULL;
    if (lines > 0)
        load_lines(lba, lba + lines);
    if (direct > 0)
        request = requests_begin(LB_DISK_READ, lba + lines, direct,
                                 buffer + (size_t)lines * requests.block_bytes, NULL);
    load_ahead(lba + blocks, ahead);
    enum lb_code of_lines = read_lines(lba, lines, buffer);
    enum lb_code of_direct = request == NULL ? LB_OK : requests_wait(request);
    return of_lines != LB_OK ? of_lines : of_direct;
}

/* ---- all of them ----------------------------------------------------------------------------- */

void requests_init(uint8_t *memory, uint32_t block_bytes, uint64_t blocks) {
    requests.free_count = 0;
    for (size_t i = 0; i < REQUESTS_MAX; i++)
        release(&requests.all[i]);
    requests.block_bytes = block_bytes;
    requests.has_cache = memory != NULL;
    cache_init(&requests.cache, memory, CACHE_LINES_MAX, REQUESTS_LINE_BYTES / block_bytes,
               block_bytes, blocks);
    if (memory == NULL)
        return;
    /* The head and the tail of the disk, where partition tables are, come in one flight. */
    load_line(0);
    load_line(blocks - 1);
    load_ahead(0x100000 / block_bytes, 1 + CACHE_AHEAD_FIRST); /* where most ESPs begin */
}

bool requests_are_busy(void) {
    return requests.free_count < REQUESTS_MAX;
}

bool requests_are_writing(void) {
    for (size_t i = 0; i < REQUESTS_MAX; i++)
        if (requests.all[i].busy && requests.all[i].op.kind != LB_DISK_READ)
            return true;
    return false;
}

void *requests_forsake(void) {
    for (size_t i = 0; i < REQUESTS_MAX; i++) {
        void *token = requests.all[i].busy ? requests.all[i].token : NULL;
        requests.all[i].token = NULL;
        if (token != NULL)
            return token;
    }
    return NULL;
}
