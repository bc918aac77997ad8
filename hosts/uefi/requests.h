/* Requests of the network disk that are under way, and reads through the cache in front of it. No
 * EFI types: tested on Linux.
 *
 * The caller has the engine. It gives a request to the disk in requests_submit, lets time pass in
 * requests_turn, and calls requests_ended for each that has ended meanwhile. */
#ifndef LB_UEFI_REQUESTS_H
#define LB_UEFI_REQUESTS_H

#include "core/disk/disk.h"

#define REQUESTS_MAX        224 /* the cache's lines and those of callers who do not wait */
#define REQUESTS_LINE_BYTES 65536

struct request {
    struct lb_disk_op op;
    void *token; /* whom its end is told; NULL: somebody waits, or it fills a line of the cache */
    bool busy, done, is_line;
    size_t line;
};

/* The caller's: lb_boot_submit, and a turn of the loop. */
void requests_submit(struct lb_disk_op *op);
void requests_turn(void); /* see above */

/* A disk of so many blocks; none under way. memory is the cache's lines and stays the caller's:
 * CACHE_LINES_MAX of REQUESTS_LINE_BYTES; NULL: no cache. Asks for the blocks that everybody reads
 * first. */
void requests_init(uint8_t *memory, uint32_t block_bytes, uint64_t blocks);
/* Begins a request; a write drops what the cache has of it. Where all are busy it turns until one
 * is not. */
struct request *requests_begin(enum lb_disk_kind kind, uint64_t lba, uint32_t blocks, void *buffer,
                               void *token);
/* One has ended. Gives the token of one that had one, whose request is free again, or NULL. */
void *requests_ended(struct lb_disk_op *op);
/* Turns until it has ended, frees it, and says how it ended. */
enum lb_code requests_wait(struct request *request);
/* Reads: what the cache has or is getting is copied, much more than that comes straight into the
 * buffer, and what is behind it is asked for in the same breath. pace: the bytes that a reader in a
 * row should be ahead of. The first failure, or LB_OK. */
enum lb_code requests_read(uint64_t lba, uint32_t blocks, uint8_t *buffer, uint64_t pace);

bool requests_are_busy(void);    /* one is under way */
bool requests_are_writing(void); /* a write or a flush is */
/* Takes the token of one that is under way, which goes on without; NULL: there is none any more. */
void *requests_forsake(void);
uint64_t requests_bytes_read(void); /* from the disk, by requests that have ended; never reset */

#endif
