#include "hosts/linux/copy.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A pipe whose reader is slow must not keep the session from being served. A file on a disk can be
 * neither waited for nor made non-blocking. */
static void open_output(struct lb_copy *copy) {
    struct stat status;
    copy->can_block = copy->fd >= 0 && fstat(copy->fd, &status) == 0 &&
                      (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode));
    if (!copy->can_block)
        return;
    copy->flags = fcntl(copy->fd, F_GETFL);
    fcntl(copy->fd, F_SETFL, copy->flags | O_NONBLOCK);
}

bool lb_copy_open(struct lb_copy *copy, struct lb_run *run, int fd, uint64_t total,
                  bool with_hash) {
    uint32_t block_bytes = lb_boot_disk(&run->boot)->block_bytes;
    size_t chunk_bytes = LB_MAX(LB_COPY_CHUNK_BYTES, block_bytes);

    *copy = (struct lb_copy){.run = run, .fd = fd, .with_hash = with_hash};
    copy->depth = LB_MIN(lb_config_u32(&run->config, LB_KEY_QUEUE_DEPTH), LB_COPY_DEPTH_MAX);
    copy->memory = aligned_alloc(4096, copy->depth * chunk_bytes);
    if (!copy->memory) {
        lb_fail(&run->error, LB_E_INTERNAL, "out of memory");
        return false;
    }
    for (size_t i = 0; i < copy->depth; i++)
        copy->chunks[i].buffer = copy->memory + i * chunk_bytes;
    open_output(copy);
    lb_hash_init(&copy->hash, LB_HASH_SHA256);
    lb_progress_start(&copy->progress, lb_now_us(), total);
    return true;
}

void lb_copy_close(struct lb_copy *copy, char sha256[65]) {
    uint8_t digest[LB_HASH_MAX_BYTES];
    struct lb_text text = lb_text(sha256, 65);

    lb_progress_end(&copy->progress, lb_now_us());
    lb_text_hex(&text, lb_bytes(digest, lb_hash_finish(&copy->hash, digest)));
    if (copy->can_block)
        fcntl(copy->fd, F_SETFL, copy->flags);
    /* Where the copy was given up, commands may still point into the memory: it is not freed. */
    if (copy->count == 0)
        free(copy->memory);
}

/* ---- writing --------------------------------------------------------------------------------- */

enum wrote {
    WROTE_ALL,
    WROTE_BLOCKED,
    WROTE_FAILED,
};

static enum wrote write_chunk(struct lb_copy *copy, const struct lb_copy_chunk *chunk) {
    while (copy->fd >= 0 && copy->written < chunk->len) {
        ssize_t wrote = write(copy->fd, chunk->buffer + chunk->skip + copy->written,
                              chunk->len - copy->written);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0 && errno == EAGAIN)
            return WROTE_BLOCKED;
        if (wrote < 0) {
            lb_fail(&copy->run->error, LB_E_OUTPUT, "%s", strerror(errno));
            return WROTE_FAILED;
        }
        copy->written += (size_t)wrote;
    }
    if (copy->with_hash)
        lb_hash_update(&copy->hash, lb_bytes(chunk->buffer + chunk->skip, chunk->len));
    copy->written = 0;
    return WROTE_ALL;
}

/* Writes what is complete, in order. */
static enum wrote write_ready(struct lb_copy *copy) {
    while (copy->count > 0 && copy->chunks[copy->head].is_done) {
        struct lb_copy_chunk *chunk = &copy->chunks[copy->head];
        enum wrote wrote;
        if (!lb_is_ok(&chunk->op.error)) {
            lb_fail(&copy->run->error, chunk->op.error.code, "%s", chunk->op.error.facts);
            return WROTE_FAILED;
        }
        wrote = write_chunk(copy, chunk);
        if (wrote != WROTE_ALL)
            return wrote;
        copy->progress.done += chunk->len;
        copy->head = (copy->head + 1) % copy->depth;
        copy->count--;
    }
    return WROTE_ALL;
}

/* ---- reading --------------------------------------------------------------------------------- */

/* The next piece of the range, up to the end of its chunk; *offset and *len move on. */
static void submit_chunk(struct lb_copy *copy, uint64_t *offset, uint64_t *len) {
    struct lb_copy_chunk *chunk = &copy->chunks[(copy->head + copy->count) % copy->depth];
    uint32_t block_bytes = lb_boot_disk(&copy->run->boot)->block_bytes;
    uint64_t chunk_bytes = LB_MAX(LB_COPY_CHUNK_BYTES, block_bytes);

    chunk->skip = (size_t)(*offset % block_bytes);
    chunk->len = (size_t)LB_MIN(*len, chunk_bytes - chunk->skip);
    chunk->is_done = false;
    chunk->op = (struct lb_disk_op){
        .kind = LB_DISK_READ,
        .lba = *offset / block_bytes,
        .blocks = (uint32_t)((chunk->skip + chunk->len + block_bytes - 1) / block_bytes),
        .buffer = chunk->buffer,
        .user = (uint64_t)(uintptr_t)chunk,
    };
    copy->count++;
    *offset += chunk->len;
    *len -= chunk->len;
    lb_boot_submit(&copy->run->boot, lb_now_us(), &chunk->op);
}

static void take_completions(struct lb_copy *copy) {
    struct lb_disk_op *op;
    while ((op = lb_boot_completed(&copy->run->boot)))
        ((struct lb_copy_chunk *)(uintptr_t)op->user)->is_done = true;
}

/* One pass of the loop; false: it ended. */
static bool step(struct lb_copy *copy) {
    uint64_t until_us = lb_progress_show(&copy->progress, lb_now_us(), &copy->run->boot);
    enum lb_loop_event event = lb_run_step(copy->run, until_us);
    return event == LB_LOOP_WORK || event == LB_LOOP_READY;
}

bool lb_copy_range(struct lb_copy *copy, uint64_t offset, uint64_t len) {
    bool is_watched = false, is_good = true;

    while (is_good && (len > 0 || copy->count > 0)) {
        enum wrote wrote;
        while (len > 0 && copy->count < copy->depth)
            submit_chunk(copy, &offset, &len);
        take_completions(copy);
        wrote = write_ready(copy);
        if ((wrote == WROTE_BLOCKED) != is_watched) {
            is_watched = wrote == WROTE_BLOCKED;
            if (is_watched)
                lb_loop_watch(&copy->run->loop, copy->fd);
            else
                lb_loop_unwatch(&copy->run->loop, copy->fd);
        }
        if (wrote == WROTE_FAILED)
            is_good = false;
        else if (copy->count == copy->depth || (len == 0 && copy->count > 0))
            is_good = step(copy);
    }
    if (is_watched)
        lb_loop_unwatch(&copy->run->loop, copy->fd);
    return is_good;
}
