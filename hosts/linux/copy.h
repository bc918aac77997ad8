/* Copying from the disk of a run: many commands in flight, written in order.
 *
 * A lost session is recovered below this: the copy pauses, and goes on. */
#ifndef LB_LINUX_COPY_H
#define LB_LINUX_COPY_H

#include "core/crypto/crypto.h"
#include "hosts/linux/progress.h"
#include "hosts/linux/run.h"

#define LB_COPY_CHUNK_BYTES (UINT32_C(128) << 10)
#define LB_COPY_DEPTH_MAX   32

struct lb_copy_chunk {
    struct lb_disk_op op;
    bool is_done;
    size_t skip, len; /* which bytes of the buffer are wanted */
    uint8_t *buffer;
};

struct lb_copy {
    struct lb_run *run;
    int fd;         /* where the bytes go; -1: nowhere */
    bool can_block; /* a pipe or a socket, made non-blocking meanwhile */
    int flags;      /* of fd before */
    bool with_hash;
    struct lb_hash hash; /* SHA-256 of all that was written */
    struct lb_progress progress;
    struct lb_copy_chunk chunks[LB_COPY_DEPTH_MAX]; /* a ring: head is the next to be written */
    size_t depth, head, count;
    size_t written; /* of the head chunk */
    uint8_t *memory;
};

/* total: bytes that will be copied in all, for the progress bar. with_hash: the SHA-256 is wanted,
 * which takes longer than the reading. False: run->error. */
bool lb_copy_open(struct lb_copy *copy, struct lb_run *run, int fd, uint64_t total, bool with_hash);
/* Bytes [offset, offset + len) of the disk, any alignment. False: run->error. */
bool lb_copy_range(struct lb_copy *copy, uint64_t offset, uint64_t len);
/* Ends the progress bar; gives the SHA-256 of what was copied as hex digits, if it was wanted. */
void lb_copy_close(struct lb_copy *copy, char sha256[65]);

#endif
