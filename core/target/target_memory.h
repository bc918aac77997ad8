/* A disk in memory, for the hosts of tests: what LB_IO asks beyond reading and writing. */
#ifndef LB_TARGET_MEMORY_H
#define LB_TARGET_MEMORY_H

#include "core/target/target.h"

/* Compares io->buffer with the blocks at `disk`, which is where io->lba lies. */
static inline struct lb_target_answer lb_target_memory_compare(const struct lb_target_io *io,
                                                               const uint8_t *disk) {
    uint32_t block_bytes = lb_scsi_unit_block_bytes(io->lun);
    for (uint32_t i = 0; i < io->blocks * block_bytes; i++) {
        uint32_t at = io->is_repeated ? i % block_bytes : i;
        if (disk[i] != io->buffer.p[at])
            return (struct lb_target_answer){
                .status = LB_SCSI_CHECK_CONDITION, .key = 0x0e, .asc = 0x1d, .differs_at = at};
    }
    return (struct lb_target_answer){0};
}

/* Copies between the two disks, each by its first block; they may be one. */
static inline struct lb_target_answer lb_target_memory_copy(const struct lb_target_io *io,
                                                            uint8_t *disk, const uint8_t *source) {
    size_t block_bytes = lb_scsi_unit_block_bytes(io->lun);
    memmove(disk + io->lba * block_bytes, source + io->source_lba * block_bytes,
            io->blocks * block_bytes);
    return (struct lb_target_answer){0};
}

/* OR, COMPARE, COMPARE AND WRITE, UNMAP, STATUS, KEEP, and WRITE with is_repeated. */
static inline struct lb_target_answer lb_target_memory_do(const struct lb_target_io *io,
                                                          uint8_t *disk) {
    struct lb_target_answer answer = {0};
    size_t block_bytes = lb_scsi_unit_block_bytes(io->lun), len = io->blocks * block_bytes;
    if (io->kind == LB_IO_COMPARE || io->kind == LB_IO_COMPARE_AND_WRITE)
        answer = lb_target_memory_compare(io, disk);
    if (io->kind == LB_IO_COMPARE_AND_WRITE && answer.status == LB_SCSI_GOOD)
        memcpy(disk, io->buffer.p + len, len);
    for (size_t i = 0; io->kind == LB_IO_OR && i < len; i++)
        disk[i] |= io->buffer.p[i];
    if (io->kind == LB_IO_UNMAP)
        memset(disk, 0, len);
    for (size_t at = 0; io->kind == LB_IO_WRITE && io->is_repeated && at < len; at += block_bytes)
        if (io->buffer.p == NULL)
            memset(disk + at, 0, block_bytes);
        else
            memcpy(disk + at, io->buffer.p, block_bytes);
    return answer;
}

/* SANITIZE, all of it at once; its passes are not told apart in memory. */
static inline void lb_target_memory_sanitize(const struct lb_target_io *io, uint8_t *disk) {
    struct lb_scsi_overwrite overwrite = {0};
    size_t block_bytes = lb_scsi_unit_block_bytes(io->lun), len = io->lun->blocks * block_bytes;
    memset(disk, 0, len);
    if (io->sanitize != LB_SCSI_OVERWRITE)
        return;
    bool is_sound = lb_scsi_overwrite_read(lb_bytes(io->buffer.p, io->buffer.len),
                                           (uint32_t)block_bytes, &overwrite);
    lb_assert(is_sound);
    for (size_t i = 0; i < len; i++)
        disk[i] = overwrite.pattern.p[i % block_bytes % overwrite.pattern.len];
}

#endif
