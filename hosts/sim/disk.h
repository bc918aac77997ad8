/* The disk behind the targets, and what may be seen on it.
 *
 * A block is not stored: its contents follow from its LBA and a version, the number of the write
 * that wrote it (0: as it was at first). So each block that is read says which write it comes from.
 * The disk has a volatile write cache: a restart may lose what was not flushed.
 *
 * Every change of a block is kept in its history. What a read gave must have been there at some
 * moment between its start and its end; that takes concurrent writes into account, whatever their
 * order was. */
#ifndef SIM_DISK_H
#define SIM_DISK_H

#include "hosts/sim/world.h"

#define SIM_BLOCKS_MAX 2048 /* 8 MiB of 4 KiB blocks */

struct sim_change {
    uint64_t at_us, seq;
    uint32_t version;
    uint32_t before; /* index + 1 of the block's change before; 0: none */
    bool is_loss;    /* the cache was lost: the durable version is there again */
};

struct sim_disk {
    struct sim_world *world;
    uint32_t blocks, block_bytes;
    uint64_t seq;
    uint32_t latest[SIM_BLOCKS_MAX];      /* index + 1 into changes */
    uint32_t version[SIM_BLOCKS_MAX];     /* as a read would find it */
    uint64_t version_seq[SIM_BLOCKS_MAX]; /* of the change that made it so */
    uint32_t durable[SIM_BLOCKS_MAX];
    uint64_t durable_seq[SIM_BLOCKS_MAX];
    /* Changes after lost_from up to lost_to were lost in the last restart that lost any. */
    uint64_t lost_from[SIM_BLOCKS_MAX], lost_to[SIM_BLOCKS_MAX];
    uint64_t lost_unflushed;
    bool distrusted; /* an enemy sits on the wire: contents prove nothing */
    struct sim_change *changes;
    size_t change_count, change_cap;
};

/* A disk of this size, at most SIM_BLOCKS_MAX blocks, whose blocks have version 0. */
void sim_disk_init(struct sim_disk *disk, struct sim_world *world, uint32_t blocks,
                   uint32_t block_bytes);
void sim_disk_free(struct sim_disk *disk); /* frees the record of its changes */

/* The contents of one block of this version. */
void sim_block_fill(uint8_t *block, uint32_t block_bytes, uint32_t version, uint64_t lba);
/* The version that these contents are; false: they are no block of this LBA. */
bool sim_block_version(const uint8_t *block, uint32_t block_bytes, uint64_t lba, uint32_t *version);

/* The contents now, durable or not; `to` has room for all of it. */
void sim_disk_read(struct sim_disk *disk, uint64_t lba, uint32_t blocks, uint8_t *to);
/* Writes one block; the caller knows that the contents are this version's. */
void sim_disk_write(struct sim_disk *disk, uint64_t lba, uint32_t version, bool durable);
void sim_disk_flush(struct sim_disk *disk); /* everything that was written is durable now */
/* A power cut: each block that was not durable is lost or not. */
void sim_disk_power_cut(struct sim_disk *disk);

/* Whether the block had this version at some moment of [from_us, to_us]. */
bool sim_disk_had(const struct sim_disk *disk, uint64_t lba, uint32_t version, uint64_t from_us,
                  uint64_t to_us);
/* The last change of the block that wrote this version in [from_us, to_us]; 0: there is none. */
uint64_t sim_disk_written(const struct sim_disk *disk, uint64_t lba, uint32_t version,
                          uint64_t from_us, uint64_t to_us);
/* Whether this change was not lost, and it or a later one is durable. */
bool sim_disk_is_safe(const struct sim_disk *disk, uint64_t lba, uint64_t seq);

#endif
