#include "hosts/uefi/cache.h"

void cache_init(struct cache *cache, uint8_t *memory, size_t line_count, uint32_t line_blocks,
                uint32_t block_bytes, uint64_t disk_blocks) {
    *cache = (struct cache){
        .memory = memory,
        .line_count = LB_MIN(line_count, (size_t)CACHE_LINES_MAX),
        .line_blocks = line_blocks,
        .block_bytes = block_bytes,
        .disk_blocks = disk_blocks,
        .next_block = LB_NEVER,
    };
    for (size_t i = 0; i < LB_COUNT(cache->stray_numbers); i++)
        cache->stray_numbers[i] = LB_NEVER;
}

static bool is_of(const struct cache_line *line, uint64_t number) {
    return line->number == number && line->state != CACHE_EMPTY && !line->is_stale;
}

static struct cache_line *find(struct cache *cache, uint64_t lba) {
    uint64_t number = lba / cache->line_blocks;
    if (is_of(&cache->lines[cache->last], number))
        return &cache->lines[cache->last];
    for (size_t i = 0; i < cache->line_count; i++)
        if (is_of(&cache->lines[i], number)) {
            cache->last = i;
            return &cache->lines[i];
        }
    return NULL;
}

static uint8_t *memory_of(const struct cache *cache, const struct cache_line *line) {
    size_t index = (size_t)(line - cache->lines);
    return cache->memory + index * cache->line_blocks * cache->block_bytes;
}

bool cache_has(struct cache *cache, uint64_t lba) {
    return find(cache, lba) != NULL;
}

uint32_t cache_read(struct cache *cache, uint64_t lba, uint32_t blocks, void *buffer) {
    uint32_t done = 0;
    uint8_t *to = buffer;
    while (done < blocks) {
        struct cache_line *line = find(cache, lba + done);
        if (line == NULL || line->state != CACHE_VALID)
            break;
        uint32_t offset = (uint32_t)((lba + done) % cache->line_blocks);
        uint32_t run = LB_MIN(blocks - done, cache->line_blocks - offset);
        memcpy(to, memory_of(cache, line) + (size_t)offset * cache->block_bytes,
               (size_t)run * cache->block_bytes);
        line->used = ++cache->uses;
        done += run;
        to += (size_t)run * cache->block_bytes;
    }
    return done;
}

static bool was_strayed_to(const struct cache *cache, uint64_t number) {
    for (size_t i = 0; i < LB_COUNT(cache->stray_numbers); i++)
        if (cache->stray_numbers[i] == number)
            return true;
    return false;
}

static void count_stray(struct cache *cache, uint64_t lba, bool sequential) {
    uint64_t number = lba / cache->line_blocks;
    if (sequential || was_strayed_to(cache, number)) {
        cache->strays = 0;
    } else if (cache_has(cache, lba)) {
        cache->strays -= cache->strays > 0;
    } else {
        cache->strays = LB_MIN(cache->strays + 1, (unsigned)CACHE_STRAYS_MAX);
        cache->stray_numbers[cache->stray_at++ % CACHE_STRAY_NUMBERS] = number;
    }
}

bool cache_is_scattered(const struct cache *cache) {
    return cache->strays >= CACHE_STRAYS_DIRECT;
}

unsigned cache_plan(struct cache *cache, uint64_t lba, uint32_t blocks, unsigned pace) {
    bool sequential = lba == cache->next_block;
    uint64_t last = (lba + blocks - 1) / cache->line_blocks;
    bool is_new_line = lba % cache->line_blocks == 0 || lba / cache->line_blocks != last;
    unsigned wanted = (unsigned)(last - lba / cache->line_blocks) + 1;
    unsigned room = (unsigned)cache->line_count * 3 / 4;
    unsigned most = LB_MIN(LB_MAX(pace, (unsigned)CACHE_AHEAD_LEAST), (unsigned)CACHE_AHEAD_MAX);
    cache->next_block = lba + blocks;
    count_stray(cache, lba, sequential);
    bool is_long = wanted >= CACHE_LONG_LINES;
    if (sequential && is_new_line)
        cache->ahead = is_long ? most : LB_MIN(LB_MAX(cache->ahead, wanted) * 2, most);
    else if (!sequential)
        cache->ahead =
            cache->strays >= CACHE_STRAYS_NO_AHEAD
                ? 0
                : LB_MAX((unsigned)CACHE_AHEAD_FIRST, LB_MIN(is_long ? 2 * wanted : wanted, most));
    return wanted >= room ? 0 : LB_MIN(cache->ahead, room - wanted);
}

uint32_t cache_missing(struct cache *cache, uint64_t lba, uint32_t blocks) {
    uint32_t missing = 0;
    while (missing < blocks && !cache_has(cache, lba + blocks - missing - 1))
        missing += LB_MIN(blocks - missing,
                          (uint32_t)((lba + blocks - missing - 1) % cache->line_blocks) + 1);
    return missing;
}

/* An empty line, or the one whose last use is the longest ago. */
static struct cache_line *victim(struct cache *cache) {
    struct cache_line *best = NULL;
    for (size_t i = 0; i < cache->line_count; i++) {
        struct cache_line *line = &cache->lines[i];
        if (line->state == CACHE_EMPTY)
            return line;
        if (line->state == CACHE_VALID && (best == NULL || line->used < best->used))
            best = line;
    }
    return best;
}

bool cache_claim(struct cache *cache, uint64_t lba, size_t *index, uint64_t *first,
                 uint32_t *blocks, uint8_t **to) {
    if (lba >= cache->disk_blocks || cache_has(cache, lba))
        return false;
    struct cache_line *line = victim(cache);
    if (line == NULL)
        return false;
    uint64_t number = lba / cache->line_blocks;
    *line = (struct cache_line){.state = CACHE_LOADING, .number = number, .used = ++cache->uses};
    *index = (size_t)(line - cache->lines);
    *first = number * cache->line_blocks;
    *blocks = (uint32_t)LB_MIN((uint64_t)cache->line_blocks, cache->disk_blocks - *first);
    *to = memory_of(cache, line);
    return true;
}

void cache_loaded(struct cache *cache, size_t index, bool ok) {
    struct cache_line *line = &cache->lines[index];
    line->state = ok && !line->is_stale ? CACHE_VALID : CACHE_EMPTY;
    line->is_stale = false;
}

void cache_forget(struct cache *cache, uint64_t lba, uint64_t blocks) {
    if (blocks == 0)
        return;
    uint64_t first = lba / cache->line_blocks, last = (lba + blocks - 1) / cache->line_blocks;
    for (size_t i = 0; i < cache->line_count; i++) {
        struct cache_line *line = &cache->lines[i];
        if (line->state == CACHE_EMPTY || line->number < first || line->number > last)
            continue;
        if (line->state == CACHE_VALID)
            line->state = CACHE_EMPTY;
        else
            line->is_stale = true;
    }
}
