/* The machine: what it wants to see, and which step it takes when it sees it.
 *
 *   TABLE --GPT--> ENTRIES --checksum wrong--> BACKUP --> ENTRIES
 *     |               |                           |
 *     |               v                           +--> FAILED (GPT_BROKEN)
 *     +--MBR,---> PARTITION --none left--> FAILED (DISK_EMPTY, NO_ESP, NO_LOADER)
 *        bare       |    ^
 *                   v    | not a FAT, or no such file
 *               BOOT_SECTOR --> DIRECTORY <--> NEXT_CLUSTER
 *                                   |
 *                                   v
 *                               EXTENTS --> FOUND --lb_loader_continue--> EXTENTS */
#include "core/loader/loader_internal.h"

const char *lb_loader_table_word(enum lb_loader_table table) {
    switch (table) {
    case LB_TABLE_NONE:
        return "none";
    case LB_TABLE_MBR:
        return "MBR";
    case LB_TABLE_GPT:
        return "GPT";
    case LB_TABLE_GPT_BACKUP:
        return "GPT (its copy at the end of the disk)";
    }
    return "";
}

void lb_loader_enter(struct lb_loader *loader, enum lb_loader_state state) {
    loader->state = state;
}

bool lb_loader_has(const struct lb_loader *loader, uint64_t offset, size_t len) {
    return offset >= loader->room_offset && len <= loader->room_len &&
           offset - loader->room_offset <= loader->room_len - len;
}

struct lb_rd lb_loader_view(const struct lb_loader *loader, uint64_t offset, size_t len) {
    lb_assert(lb_loader_has(loader, offset, len));
    return lb_rd(lb_bytes(loader->room.p + (offset - loader->room_offset), len));
}

static bool is_on_disk(const struct lb_loader *loader, uint64_t offset, size_t len) {
    return len <= loader->disk_bytes && offset <= loader->disk_bytes - len;
}

static struct lb_loader_want want(const struct lb_loader *loader) {
    switch (loader->state) {
    case LB_LOADER_TABLE:
    case LB_LOADER_ENTRIES:
    case LB_LOADER_BACKUP:
        return lb_loader_want_table(loader);
    case LB_LOADER_BOOT_SECTOR:
    case LB_LOADER_DIRECTORY:
    case LB_LOADER_NEXT_CLUSTER:
    case LB_LOADER_EXTENTS:
        return lb_loader_want_fat(loader);
    case LB_LOADER_PARTITION:
    case LB_LOADER_AT_FOUND:
    case LB_LOADER_AT_FAILED:
        break;
    }
    return (struct lb_loader_want){0};
}

/* The blocks around what is wanted, as many as are of use and fit. */
static struct lb_loader_action read_action(struct lb_loader *loader, struct lb_loader_want what) {
    uint64_t end, first = what.offset - what.offset % loader->block_bytes;
    uint64_t most = first + (loader->room.len - loader->room.len % loader->block_bytes);

    if (most < first || most > loader->disk_bytes)
        most = loader->disk_bytes;
    end = what.offset + LB_MIN(LB_MAX(what.ahead, what.len), (uint64_t)loader->room.len);
    end = LB_MIN((end + loader->block_bytes - 1) / loader->block_bytes * loader->block_bytes, most);
    lb_assert(end >= what.offset + what.len);
    loader->read_offset = first;
    loader->read_len = (size_t)(end - first);
    loader->room_len = 0;
    return (struct lb_loader_action){.event = LB_LOADER_READ,
                                     .lba = first / loader->block_bytes,
                                     .blocks = (uint32_t)(loader->read_len / loader->block_bytes),
                                     .buffer = loader->room.p};
}

static struct lb_error no_loader(const struct lb_loader *loader) {
    struct lb_error error = {0};
    if (loader->partition_count == 0) {
        lb_fail(&error, LB_E_DISK_EMPTY, "%llu bytes, no GPT, no MBR partition, no FAT",
                (unsigned long long)loader->disk_bytes);
        return error;
    }
    for (size_t i = 0; i < loader->partition_count; i++) {
        if (loader->partitions[i].is_esp)
            lb_fail(&error, LB_E_NO_LOADER, "%s is not on partition %u", loader->path,
                    loader->partitions[i].number);
    }
    lb_fail(&error, LB_E_NO_ESP, "%s with %zu partitions", lb_loader_table_word(loader->table),
            loader->partition_count + loader->partitions_dropped);
    return error;
}

/* The next system partition; where none is left, the first thing that was wrong with one counts. */
static void step_partition(struct lb_loader *loader) {
    for (size_t i = loader->at; i < loader->partition_count; i++) {
        if (!loader->partitions[i].is_esp)
            continue;
        loader->at = i;
        lb_loader_enter(loader, LB_LOADER_BOOT_SECTOR);
        return;
    }
    if (lb_is_ok(&loader->error))
        loader->error = no_loader(loader);
    lb_loader_enter(loader, LB_LOADER_AT_FAILED);
}

static void step(struct lb_loader *loader) {
    switch (loader->state) {
    case LB_LOADER_TABLE:
        lb_loader_step_table(loader);
        return;
    case LB_LOADER_ENTRIES:
        lb_loader_step_entry(loader);
        return;
    case LB_LOADER_BACKUP:
        lb_loader_step_backup(loader);
        return;
    case LB_LOADER_PARTITION:
        step_partition(loader);
        return;
    case LB_LOADER_BOOT_SECTOR:
        lb_loader_step_boot_sector(loader);
        return;
    case LB_LOADER_DIRECTORY:
        lb_loader_step_directory(loader);
        return;
    case LB_LOADER_NEXT_CLUSTER:
        lb_loader_step_next_cluster(loader);
        return;
    case LB_LOADER_EXTENTS:
        lb_loader_step_extent(loader);
        return;
    case LB_LOADER_AT_FOUND:
    case LB_LOADER_AT_FAILED:
        return;
    }
}

void lb_loader_init(struct lb_loader *loader, uint64_t blocks, uint32_t block_bytes,
                    const char *path, struct lb_span room) {
    lb_assert(block_bytes >= 512 && (block_bytes & (block_bytes - 1)) == 0);
    lb_assert(room.len >= LB_LOADER_ROOM_MIN(block_bytes));
    *loader = (struct lb_loader){
        .disk_bytes = LB_MIN(blocks, (UINT64_MAX >> 1) / block_bytes) * block_bytes,
        .block_bytes = block_bytes,
        .path = path,
        .room = room,
        .state = LB_LOADER_TABLE,
    };
    if (blocks == 0) {
        lb_fail(&loader->error, LB_E_DISK_EMPTY, "it has no blocks");
        lb_loader_enter(loader, LB_LOADER_AT_FAILED);
    }
}

struct lb_loader_action lb_loader_poll(struct lb_loader *loader) {
    while (loader->state != LB_LOADER_AT_FOUND && loader->state != LB_LOADER_AT_FAILED) {
        struct lb_loader_want what = want(loader);
        /* Steps check their offsets against the disk before they lead to a state that wants
         * them. */
        lb_assert(is_on_disk(loader, what.offset, what.len));
        if (what.len > 0 && !lb_loader_has(loader, what.offset, what.len))
            return read_action(loader, what);
        step(loader);
    }
    return (struct lb_loader_action){
        .event = loader->state == LB_LOADER_AT_FOUND ? LB_LOADER_FOUND : LB_LOADER_FAILED};
}

void lb_loader_input(struct lb_loader *loader, const struct lb_error *error_or_null) {
    if (error_or_null) {
        loader->error = *error_or_null;
        lb_loader_enter(loader, LB_LOADER_AT_FAILED);
        return;
    }
    loader->room_offset = loader->read_offset;
    loader->room_len = loader->read_len;
}

void lb_loader_continue(struct lb_loader *loader) {
    lb_assert(loader->state == LB_LOADER_AT_FOUND && loader->more);
    loader->extent_count = 0;
    loader->more = false;
    lb_loader_enter(loader, LB_LOADER_EXTENTS);
}
