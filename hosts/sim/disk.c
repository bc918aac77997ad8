#include "hosts/sim/disk.h"
#include <stdlib.h>

/* ---- contents -------------------------------------------------------------------------------- */

static uint64_t word_at(uint32_t version, uint64_t lba, uint32_t i) {
    uint64_t z = ((uint64_t)version << 32 ^ lba << 12 ^ i) * UINT64_C(0x9e3779b97f4a7c15);
    return (z ^ (z >> 29)) * UINT64_C(0xbf58476d1ce4e5b9);
}

void sim_block_fill(uint8_t *block, uint32_t block_bytes, uint32_t version, uint64_t lba) {
    uint64_t head[2] = {version, lba};
    memcpy(block, head, sizeof head);
    for (uint32_t i = 16; i < block_bytes; i += 8) {
        uint64_t word = word_at(version, lba, i);
        memcpy(block + i, &word, 8);
    }
}

bool sim_block_version(const uint8_t *block, uint32_t block_bytes, uint64_t lba,
                       uint32_t *version) {
    uint64_t head[2], word;
    memcpy(head, block, sizeof head);
    if (head[1] != lba || head[0] > UINT32_MAX)
        return false;
    for (uint32_t i = 16; i < block_bytes; i += 8) {
        memcpy(&word, block + i, 8);
        if (word != word_at((uint32_t)head[0], lba, i))
            return false;
    }
    *version = (uint32_t)head[0];
    return true;
}

/* ---- changes --------------------------------------------------------------------------------- */

static void change(struct sim_disk *disk, uint64_t lba, uint32_t version, bool is_loss) {
    if (disk->change_count == disk->change_cap) {
        disk->change_cap = disk->change_cap == 0 ? 1024 : disk->change_cap * 2;
        disk->changes = realloc(disk->changes, disk->change_cap * sizeof *disk->changes);
        if (disk->changes == NULL)
            abort();
    }
    disk->changes[disk->change_count++] = (struct sim_change){
        .at_us = disk->world->now_us,
        .seq = ++disk->seq,
        .version = version,
        .before = disk->latest[lba],
        .is_loss = is_loss,
    };
    disk->latest[lba] = (uint32_t)disk->change_count;
    disk->version[lba] = version;
    disk->version_seq[lba] = disk->seq;
}

static void make_durable(struct sim_disk *disk, uint64_t lba) {
    disk->durable[lba] = disk->version[lba];
    disk->durable_seq[lba] = disk->version_seq[lba];
}

void sim_disk_write(struct sim_disk *disk, uint64_t lba, uint32_t version, bool durable) {
    change(disk, lba, version, false);
    if (durable || sim_one_in(disk->world, 8)) /* the cache writes back when it likes */
        make_durable(disk, lba);
}

void sim_disk_flush(struct sim_disk *disk) {
    for (uint64_t lba = 0; lba < disk->blocks; lba++)
        make_durable(disk, lba);
}

void sim_disk_power_cut(struct sim_disk *disk) {
    uint32_t keeps = sim_below(disk->world, 3);
    for (uint64_t lba = 0; lba < disk->blocks; lba++) {
        if (disk->durable_seq[lba] == disk->version_seq[lba])
            continue;
        if (keeps == 2 || (keeps == 1 && sim_one_in(disk->world, 2))) {
            make_durable(disk, lba);
            continue;
        }
        disk->lost_from[lba] = disk->durable_seq[lba];
        disk->lost_to[lba] = disk->version_seq[lba];
        disk->lost_unflushed++;
        change(disk, lba, disk->durable[lba], true);
        disk->durable_seq[lba] = disk->version_seq[lba];
        sim_saw(disk->world, SIM_CACHE_LOST);
    }
}

void sim_disk_read(struct sim_disk *disk, uint64_t lba, uint32_t blocks, uint8_t *to) {
    for (uint32_t i = 0; i < blocks; i++)
        sim_block_fill(to + (size_t)i * disk->block_bytes, disk->block_bytes,
                       disk->version[lba + i], lba + i);
}

/* ---- questions ------------------------------------------------------------------------------- */

bool sim_disk_had(const struct sim_disk *disk, uint64_t lba, uint32_t version, uint64_t from_us,
                  uint64_t to_us) {
    uint32_t at = disk->latest[lba];
    uint64_t until_us = LB_NEVER;
    while (at != 0) {
        const struct sim_change *made = &disk->changes[at - 1];
        if (until_us < from_us)
            return false;
        if (made->version == version && made->at_us <= to_us)
            return true;
        until_us = made->at_us;
        at = made->before;
    }
    return version == 0 && until_us >= from_us;
}

uint64_t sim_disk_written(const struct sim_disk *disk, uint64_t lba, uint32_t version,
                          uint64_t from_us, uint64_t to_us) {
    for (uint32_t at = disk->latest[lba]; at != 0; at = disk->changes[at - 1].before) {
        const struct sim_change *made = &disk->changes[at - 1];
        if (made->at_us < from_us)
            return 0;
        if (made->version == version && made->at_us <= to_us && !made->is_loss)
            return made->seq;
    }
    return 0;
}

bool sim_disk_is_safe(const struct sim_disk *disk, uint64_t lba, uint64_t seq) {
    bool lost = seq > disk->lost_from[lba] && seq <= disk->lost_to[lba];
    return disk->durable_seq[lba] >= seq && !lost;
}

void sim_disk_init(struct sim_disk *disk, struct sim_world *world, uint32_t blocks,
                   uint32_t block_bytes) {
    memset(disk, 0, sizeof *disk);
    disk->world = world;
    disk->blocks = blocks;
    disk->block_bytes = block_bytes;
}

void sim_disk_free(struct sim_disk *disk) {
    free(disk->changes);
    disk->changes = NULL;
}
