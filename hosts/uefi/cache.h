/* A small coherent cache of the disk, with read-ahead. Firmware's partition and FAT drivers ask for
 * one sector at a time, and again and again for the same ones; each would be a round trip.
 *
 * Pure bookkeeping over the owner's memory: the owner does the reading. A line is a run of blocks
 * that begins at a multiple of its length. Writes go past the cache and empty the lines they touch;
 * a line that was being read at that moment is dropped when its data comes, so nobody sees old
 * data. Tested on Linux. */
#ifndef LB_UEFI_CACHE_H
#define LB_UEFI_CACHE_H

#include "core/base/mem.h"

#define CACHE_LINES_MAX 160

/* Reads that find nothing, follow no other and come near none: after so many in a row no more is
 * read ahead, and after so many more only what was asked for is read. */
#define CACHE_STRAYS_NO_AHEAD 3
#define CACHE_STRAYS_DIRECT   6
#define CACHE_STRAYS_MAX      8
#define CACHE_STRAY_NUMBERS   16 /* of the last of them: a second one at the same place is none */

enum cache_state {
    CACHE_EMPTY,
    CACHE_LOADING,
    CACHE_VALID,
};

struct cache_line {
    enum cache_state state;
    bool is_stale;   /* LOADING: a write came between */
    uint64_t number; /* of the line: its first block divided by line_blocks */
    uint64_t used;   /* when last used, counted in uses */
};

struct cache {
    uint8_t *memory; /* line_count * line_blocks * block_bytes */
    size_t line_count;
    uint32_t line_blocks, block_bytes;
    uint64_t disk_blocks;
    uint64_t uses;
    size_t last; /* the line that was found last: who waits for one asks for it again and again */
    struct cache_line lines[CACHE_LINES_MAX];

    /* Sequential readers get more and more read-ahead. */
    uint64_t next_block; /* where the last read ended */
    unsigned ahead;      /* lines */
    uint64_t edge;       /* the row's lines before this one were claimed */

    unsigned strays;
    uint64_t stray_numbers[CACHE_STRAY_NUMBERS]; /* lines */
    unsigned stray_at;
};

/* Lines ahead of a reader: behind the first read at a place, so that small files come whole, and in
 * a row, where the owner knows how fast they come. */
#define CACHE_AHEAD_FIRST 3
#define CACHE_AHEAD_LEAST 8
#define CACHE_AHEAD_MAX   64
/* A read of so many is of a file that is read whole: its second read in a row asks as far ahead as
 * the wire is fast, its first for twice its own length. */
#define CACHE_LONG_LINES 4

/* An empty cache. memory stays the caller's; lines beyond CACHE_LINES_MAX are not used. */
void cache_init(struct cache *cache, uint8_t *memory, size_t line_count, uint32_t line_blocks,
                uint32_t block_bytes, uint64_t disk_blocks);
/* Copies blocks from the beginning of the range as long as they are there; gives how many. */
uint32_t cache_read(struct cache *cache, uint64_t lba, uint32_t blocks, void *buffer);
/* Says that [lba, lba + blocks) is about to be read; gives how many lines behind it are worth
 * having on their way. pace: how many lines a reader in a row should be ahead of. */
unsigned cache_plan(struct cache *cache, uint64_t lba, uint32_t blocks, unsigned pace);
/* How many blocks at the end of the range lie in lines that are neither there nor on their way. */
uint32_t cache_missing(struct cache *cache, uint64_t lba, uint32_t blocks);
/* Whether the reads come from all over the disk, so that a line each would be waste. As of the last
 * cache_plan. */
bool cache_is_scattered(const struct cache *cache);
/* Whether the line that holds lba is there or on its way. */
bool cache_has(struct cache *cache, uint64_t lba);
/* Takes a line for loading: its index, first block, number of blocks (fewer at the disk's end) and
 * memory. False: it is there or on its way, beyond the end, or every line is on its way. */
bool cache_claim(struct cache *cache, uint64_t lba, size_t *index, uint64_t *first,
                 uint32_t *blocks, uint8_t **to);
/* The read of a claimed line has ended. */
void cache_loaded(struct cache *cache, size_t index, bool ok);
/* These blocks are about to be written, or were just now: said at both ends, for a target may read
 * a line before it carries out a write that it was told of earlier. */
void cache_forget(struct cache *cache, uint64_t lba, uint64_t blocks);

#endif
