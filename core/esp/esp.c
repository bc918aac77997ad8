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
 *                               EXTENTS --> FOUND --lb_esp_continue--> EXTENTS */
#include "core/esp/esp_internal.h"

const char *lb_esp_table_word(enum lb_esp_table table) {
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

void lb_esp_enter(struct lb_esp *esp, enum lb_esp_state state) {
    esp->state = state;
}

bool lb_esp_has(const struct lb_esp *esp, uint64_t offset, size_t len) {
    return offset >= esp->room_offset && len <= esp->room_len &&
           offset - esp->room_offset <= esp->room_len - len;
}

struct lb_rd lb_esp_view(const struct lb_esp *esp, uint64_t offset, size_t len) {
    lb_assert(lb_esp_has(esp, offset, len));
    return lb_rd(lb_bytes(esp->room.p + (offset - esp->room_offset), len));
}

static bool is_on_disk(const struct lb_esp *esp, uint64_t offset, size_t len) {
    return len <= esp->disk_bytes && offset <= esp->disk_bytes - len;
}

static struct lb_esp_want want(const struct lb_esp *esp) {
    switch (esp->state) {
    case LB_ESP_TABLE:
    case LB_ESP_ENTRIES:
    case LB_ESP_BACKUP:
        return lb_esp_want_table(esp);
    case LB_ESP_BOOT_SECTOR:
    case LB_ESP_DIRECTORY:
    case LB_ESP_NEXT_CLUSTER:
    case LB_ESP_EXTENTS:
        return lb_esp_want_fat(esp);
    case LB_ESP_PARTITION:
    case LB_ESP_AT_FOUND:
    case LB_ESP_AT_FAILED:
        break;
    }
    return (struct lb_esp_want){0};
}

/* The blocks around what is wanted, as many as are of use and fit. */
static struct lb_esp_action read_action(struct lb_esp *esp, struct lb_esp_want what) {
    uint64_t end, first = what.offset - what.offset % esp->block_bytes;
    uint64_t most = first + (esp->room.len - esp->room.len % esp->block_bytes);

    if (most < first || most > esp->disk_bytes)
        most = esp->disk_bytes;
    end = what.offset + LB_MIN(LB_MAX(what.ahead, what.len), (uint64_t)esp->room.len);
    end = LB_MIN((end + esp->block_bytes - 1) / esp->block_bytes * esp->block_bytes, most);
    lb_assert(end >= what.offset + what.len);
    esp->read_offset = first;
    esp->read_len = (size_t)(end - first);
    esp->room_len = 0;
    return (struct lb_esp_action){.event = LB_ESP_READ,
                                  .lba = first / esp->block_bytes,
                                  .blocks = (uint32_t)(esp->read_len / esp->block_bytes),
                                  .buffer = esp->room.p};
}

static struct lb_error no_loader(const struct lb_esp *esp) {
    struct lb_error error = {0};
    if (esp->partition_count == 0) {
        lb_fail(&error, LB_E_DISK_EMPTY, "%llu bytes, no GPT, no MBR partition, no FAT",
                (unsigned long long)esp->disk_bytes);
        return error;
    }
    for (size_t i = 0; i < esp->partition_count; i++) {
        if (esp->partitions[i].is_esp)
            lb_fail(&error, LB_E_NO_LOADER, "%s is not on partition %u", esp->path,
                    esp->partitions[i].number);
    }
    lb_fail(&error, LB_E_NO_ESP, "%s with %zu partitions", lb_esp_table_word(esp->table),
            esp->partition_count + esp->partitions_dropped);
    return error;
}

/* The next system partition; where none is left, the first thing that was wrong with one counts. */
static void step_partition(struct lb_esp *esp) {
    for (size_t i = esp->at; i < esp->partition_count; i++) {
        if (!esp->partitions[i].is_esp)
            continue;
        esp->at = i;
        lb_esp_enter(esp, LB_ESP_BOOT_SECTOR);
        return;
    }
    if (lb_is_ok(&esp->error))
        esp->error = no_loader(esp);
    lb_esp_enter(esp, LB_ESP_AT_FAILED);
}

static void step(struct lb_esp *esp) {
    switch (esp->state) {
    case LB_ESP_TABLE:
        lb_esp_step_table(esp);
        return;
    case LB_ESP_ENTRIES:
        lb_esp_step_entry(esp);
        return;
    case LB_ESP_BACKUP:
        lb_esp_step_backup(esp);
        return;
    case LB_ESP_PARTITION:
        step_partition(esp);
        return;
    case LB_ESP_BOOT_SECTOR:
        lb_esp_step_boot_sector(esp);
        return;
    case LB_ESP_DIRECTORY:
        lb_esp_step_directory(esp);
        return;
    case LB_ESP_NEXT_CLUSTER:
        lb_esp_step_next_cluster(esp);
        return;
    case LB_ESP_EXTENTS:
        lb_esp_step_extent(esp);
        return;
    case LB_ESP_AT_FOUND:
    case LB_ESP_AT_FAILED:
        return;
    }
}

void lb_esp_init(struct lb_esp *esp, uint64_t blocks, uint32_t block_bytes, const char *path,
                 struct lb_span room) {
    lb_assert(block_bytes >= 512 && (block_bytes & (block_bytes - 1)) == 0);
    lb_assert(room.len >= LB_ESP_ROOM_MIN(block_bytes));
    *esp = (struct lb_esp){
        .disk_bytes = LB_MIN(blocks, (UINT64_MAX >> 1) / block_bytes) * block_bytes,
        .block_bytes = block_bytes,
        .path = path,
        .room = room,
        .state = LB_ESP_TABLE,
    };
    if (blocks == 0) {
        lb_fail(&esp->error, LB_E_DISK_EMPTY, "it has no blocks");
        lb_esp_enter(esp, LB_ESP_AT_FAILED);
    }
}

struct lb_esp_action lb_esp_poll(struct lb_esp *esp) {
    while (esp->state != LB_ESP_AT_FOUND && esp->state != LB_ESP_AT_FAILED) {
        struct lb_esp_want what = want(esp);
        /* Steps check their offsets against the disk before they lead to a state that wants
         * them. */
        lb_assert(is_on_disk(esp, what.offset, what.len));
        if (what.len > 0 && !lb_esp_has(esp, what.offset, what.len))
            return read_action(esp, what);
        step(esp);
    }
    return (struct lb_esp_action){.event =
                                      esp->state == LB_ESP_AT_FOUND ? LB_ESP_FOUND : LB_ESP_FAILED};
}

void lb_esp_input(struct lb_esp *esp, const struct lb_error *error_or_null) {
    if (error_or_null) {
        esp->error = *error_or_null;
        lb_esp_enter(esp, LB_ESP_AT_FAILED);
        return;
    }
    esp->room_offset = esp->read_offset;
    esp->room_len = esp->read_len;
}

void lb_esp_continue(struct lb_esp *esp) {
    lb_assert(esp->state == LB_ESP_AT_FOUND && esp->more);
    esp->extent_count = 0;
    esp->more = false;
    lb_esp_enter(esp, LB_ESP_EXTENTS);
}
