/* The firmware's block cache, on Linux: against a model disk, with writes and failed reads
 * between. */
#include "core/base/mem.h"
#include "hosts/uefi/cache.h"
#include "tests/tap.h"

enum { LINES = 8, LINE_BLOCKS = 4, BLOCK = 16, DISK_BLOCKS = 203 };

static uint8_t disk[DISK_BLOCKS * BLOCK], memory[LINES * LINE_BLOCKS * BLOCK];
static struct cache cache;

static void begin(void) {
    for (size_t i = 0; i < sizeof disk; i++)
        disk[i] = (uint8_t)(i * 7 + i / 251);
    cache_init(&cache, memory, LINES, LINE_BLOCKS, BLOCK, DISK_BLOCKS);
}

static bool load(uint64_t lba) {
    size_t index;
    uint64_t first;
    uint32_t blocks;
    uint8_t *to;
    if (!cache_claim(&cache, lba, &index, &first, &blocks, &to))
        return false;
    memcpy(to, disk + first * BLOCK, (size_t)blocks * BLOCK);
    cache_loaded(&cache, index, true);
    return true;
}

static bool reads_right(uint64_t lba, uint32_t blocks) {
    uint8_t found[64 * BLOCK];
    return cache_read(&cache, lba, blocks, found) == blocks &&
           memcmp(found, disk + lba * BLOCK, (size_t)blocks * BLOCK) == 0;
}

static void what_was_loaded_is_read_and_nothing_else(void) {
    uint8_t found[64 * BLOCK];
    begin();
    CHECK_EQ(cache_read(&cache, 5, 2, found), 0);
    CHECK(load(5));
    CHECK(!load(5)); /* there already */
    CHECK(reads_right(5, 2));
    CHECK(reads_right(4, 4));
    CHECK_EQ(cache_read(&cache, 6, 4, found), 2); /* as far as it is there */
}

static void the_last_line_of_the_disk_is_shorter(void) {
    size_t index;
    uint64_t first;
    uint32_t blocks;
    uint8_t *to;
    begin();
    CHECK(cache_claim(&cache, DISK_BLOCKS - 1, &index, &first, &blocks, &to));
    CHECK_EQ(first, 200);
    CHECK_EQ(blocks, 3);
    CHECK(!cache_claim(&cache, DISK_BLOCKS, &index, &first, &blocks, &to));
}

static void a_write_empties_the_lines_it_touches(void) {
    begin();
    CHECK(load(0) && load(4) && load(8));
    disk[7 * BLOCK] ^= 1;
    cache_forget(&cache, 7, 1);
    CHECK(cache_has(&cache, 0) && !cache_has(&cache, 7) && cache_has(&cache, 8));
    CHECK(load(7) && reads_right(4, 4));
}

static void a_line_that_was_written_to_while_it_came_is_dropped(void) {
    size_t index;
    uint64_t first;
    uint32_t blocks;
    uint8_t *to, found[BLOCK];
    begin();
    CHECK(cache_claim(&cache, 4, &index, &first, &blocks, &to));
    memcpy(to, disk + first * BLOCK, (size_t)blocks * BLOCK); /* old data, on its way */
    disk[5 * BLOCK] ^= 1;
    cache_forget(&cache, 5, 1);
    CHECK(!cache_has(&cache, 5));
    CHECK(load(5)); /* anew, while the old read is still out */
    cache_loaded(&cache, index, true);
    CHECK(reads_right(5, 1));
    CHECK_EQ(cache_read(&cache, 5, 1, found), 1);
    CHECK_BYTES(lb_bytes(found, BLOCK), lb_bytes(disk + 5 * BLOCK, BLOCK));
}

static void a_line_that_came_during_a_write_is_dropped_at_its_end(void) {
    size_t index;
    uint64_t first;
    uint32_t blocks;
    uint8_t *to;
    begin();
    cache_forget(&cache, 5, 1); /* the write begins */
    CHECK(load(5));             /* what was there before it */
    CHECK(cache_claim(&cache, 8, &index, &first, &blocks, &to));
    disk[5 * BLOCK] ^= 1;
    cache_forget(&cache, 5, 4); /* and ends */
    CHECK(!cache_has(&cache, 5) && !cache_has(&cache, 8));
    CHECK(load(5) && reads_right(5, 1));
}

static void a_failed_read_leaves_nothing(void) {
    size_t index;
    uint64_t first;
    uint32_t blocks;
    uint8_t *to;
    begin();
    CHECK(cache_claim(&cache, 4, &index, &first, &blocks, &to));
    cache_loaded(&cache, index, false);
    CHECK(!cache_has(&cache, 4));
}

static void the_line_not_used_for_longest_gives_way(void) {
    begin();
    for (uint64_t i = 0; i < LINES; i++)
        CHECK(load(i * LINE_BLOCKS));
    CHECK(reads_right(0, 1)); /* used just now */
    CHECK(load(100));
    CHECK(cache_has(&cache, 0) && !cache_has(&cache, LINE_BLOCKS));
}

static void with_every_line_on_its_way_nothing_is_claimed(void) {
    size_t index;
    uint64_t first;
    uint32_t blocks;
    uint8_t *to;
    begin();
    for (uint64_t i = 0; i < LINES; i++)
        CHECK(cache_claim(&cache, i * LINE_BLOCKS, &index, &first, &blocks, &to));
    CHECK(!cache_claim(&cache, 100, &index, &first, &blocks, &to));
}

static void readers_in_a_row_get_more_ahead_and_others_do_not(void) {
    begin();
    unsigned first = cache_plan(&cache, 0, 4, 64), second = cache_plan(&cache, 4, 4, 64);
    unsigned third = cache_plan(&cache, 8, 4, 64), elsewhere = cache_plan(&cache, 100, 4, 64);
    CHECK(second > first && third >= second);
    CHECK_EQ(elsewhere, first);
    CHECK(third <= LINES); /* never more than there is room for */
}

static void nobody_is_further_ahead_than_the_wire_is_fast(void) {
    static uint8_t room[64 * LINE_BLOCKS * BLOCK];
    unsigned slow = 0, fast = 0;
    cache_init(&cache, room, 64, LINE_BLOCKS, BLOCK, 100000);
    for (uint64_t at = 0; at < 40 * LINE_BLOCKS; at += LINE_BLOCKS)
        slow = cache_plan(&cache, at, LINE_BLOCKS, 1);
    for (uint64_t at = 40 * LINE_BLOCKS; at < 80 * LINE_BLOCKS; at += LINE_BLOCKS)
        fast = cache_plan(&cache, at, LINE_BLOCKS, 30);
    CHECK_EQ(slow, CACHE_AHEAD_LEAST);
    CHECK_EQ(fast, 30);
}

static void a_long_read_asks_twice_its_length_ahead_and_the_next_all_that_the_wire_holds(void) {
    static uint8_t room[64 * LINE_BLOCKS * BLOCK];
    cache_init(&cache, room, 64, LINE_BLOCKS, BLOCK, 100000);
    unsigned lines = CACHE_LONG_LINES;
    CHECK_EQ(cache_plan(&cache, 1000, lines * LINE_BLOCKS, 40), 2 * lines);
    CHECK_EQ(cache_plan(&cache, 1000 + lines * LINE_BLOCKS, lines * LINE_BLOCKS, 40), 40);
    CHECK_EQ(cache_plan(&cache, 2000, (lines - 1) * LINE_BLOCKS, 40), lines - 1);
    CHECK_EQ(cache_plan(&cache, 2000 + (lines - 1) * LINE_BLOCKS, LINE_BLOCKS, 40),
             2 * (lines - 1));
}

static void the_first_long_read_at_a_place_asks_twice_as_much_unless_many_stray(void) {
    static uint8_t room[64 * LINE_BLOCKS * BLOCK];
    cache_init(&cache, room, 64, LINE_BLOCKS, BLOCK, 100000);
    CHECK_EQ(cache_plan(&cache, 1000, 16 * LINE_BLOCKS, 64), 32);
    CHECK_EQ(cache_plan(&cache, 3000, 16 * LINE_BLOCKS, 10), 10);
    for (unsigned i = 0; i < CACHE_STRAYS_NO_AHEAD; i++)
        cache_plan(&cache, 5000 + i * 1000, 16 * LINE_BLOCKS, 64);
    CHECK_EQ(cache_plan(&cache, 20000, 16 * LINE_BLOCKS, 64), 0);
    CHECK(cache_plan(&cache, 20000 + 16 * LINE_BLOCKS, LINE_BLOCKS, 64) > 0); /* in a row again */
}

/* What comes straight into the reader's buffer: the end of the range, from a line's beginning
 * on. */
static void what_is_missing_at_the_end_of_a_range_is_known(void) {
    begin();
    CHECK_EQ(cache_missing(&cache, 5, 10), 10);
    CHECK(load(8));
    CHECK_EQ(cache_missing(&cache, 5, 10), 3); /* 12 to 14 */
    CHECK_EQ(cache_missing(&cache, 5, 6), 0);
    CHECK_EQ(cache_missing(&cache, 12, 4), 4);
    CHECK(load(4));
    cache_forget(&cache, 9, 1);
    CHECK_EQ(cache_missing(&cache, 5, 10), 7); /* 8 to 14 */
}

static void scattered_reads_cost_no_more_than_themselves(void) {
    begin();
    CHECK(!cache_is_scattered(&cache));
    for (unsigned i = 0; i < CACHE_STRAYS_DIRECT; i++)
        cache_plan(&cache, i * 20, 1, 64);
    CHECK(cache_is_scattered(&cache));
    cache_plan(&cache, 150, 1, 64);
    cache_plan(&cache, 151, 1, 64); /* in a row again */
    CHECK(!cache_is_scattered(&cache));
}

static void a_second_read_of_a_place_brings_the_line_back(void) {
    begin();
    for (unsigned i = 0; i < CACHE_STRAYS_MAX; i++)
        cache_plan(&cache, i * 20, 1, 64);
    CHECK(cache_is_scattered(&cache));
    CHECK(cache_plan(&cache, 40, 1, 64) > 0);
    CHECK(!cache_is_scattered(&cache));
}

static void a_row_within_a_line_is_no_further_ahead_at_its_end(void) {
    begin();
    unsigned first = cache_plan(&cache, 4, 1, 64);
    CHECK(load(4));
    CHECK_EQ(cache_plan(&cache, 5, 1, 64), first);
    CHECK_EQ(cache_plan(&cache, 6, 1, 64), first);
    CHECK_EQ(cache_plan(&cache, 7, 1, 64), first);
    CHECK(cache_plan(&cache, 8, 1, 64) > first);
}

/* Ten thousand steps of claims, ends in any order, failures and writes: nobody reads old data. */
static void nobody_reads_old_data(void) {
    struct flight {
        bool is_out;
        size_t index;
        uint8_t data[LINE_BLOCKS * BLOCK];
        uint32_t blocks;
        uint8_t *to;
    } flights[LINES] = {0};
    uint32_t state = 4173;
    begin();
    for (unsigned step = 0; step < 10000; step++) {
        state = state * 1664525 + 1013904223;
        uint64_t lba = (state >> 8) % DISK_BLOCKS, first;
        struct flight *flight = &flights[(state >> 20) % LINES];
        uint8_t found[BLOCK];
        switch (state >> 30) {
        case 0: /* a write */
            disk[lba * BLOCK] ^= (uint8_t)step;
            cache_forget(&cache, lba, 1);
            break;
        case 1: /* a read begins: what the disk has now is what will come */
            if (!flight->is_out &&
                cache_claim(&cache, lba, &flight->index, &first, &flight->blocks, &flight->to)) {
                flight->is_out = true;
                memcpy(flight->data, disk + first * BLOCK, (size_t)flight->blocks * BLOCK);
            }
            break;
        case 2: /* and ends */
            if (flight->is_out) {
                memcpy(flight->to, flight->data, (size_t)flight->blocks * BLOCK);
                cache_loaded(&cache, flight->index, step % 5 != 0);
                flight->is_out = false;
            }
            break;
        default:
            if (cache_read(&cache, lba, 1, found) == 1 &&
                !CHECK(memcmp(found, disk + lba * BLOCK, BLOCK) == 0))
                return;
            break;
        }
    }
}

/* A quarter of the lines stays with what was read before; a read that needs more asks for nothing
 * ahead. */
static void what_is_ahead_leaves_a_quarter_of_the_lines(void) {
    enum { ROOM = LINES * 3 / 4 };
    for (unsigned wanted = 1; wanted <= LINES + 1; wanted++) {
        for (unsigned pace = 0; pace <= 64; pace += 16) {
            begin();
            for (uint64_t at = 0; at + wanted * LINE_BLOCKS <= DISK_BLOCKS;
                 at += wanted * LINE_BLOCKS) {
                unsigned ahead = cache_plan(&cache, at, wanted * LINE_BLOCKS, pace);
                if (!CHECK(wanted >= ROOM ? ahead == 0 : wanted + ahead <= ROOM))
                    tap_note("%u lines, %u ahead", wanted, ahead);
                CHECK(at == 0 || wanted >= ROOM || wanted + ahead == ROOM);
            }
        }
    }
}

int main(void) {
    TEST(what_was_loaded_is_read_and_nothing_else);
    TEST(the_last_line_of_the_disk_is_shorter);
    TEST(a_write_empties_the_lines_it_touches);
    TEST(a_line_that_was_written_to_while_it_came_is_dropped);
    TEST(a_line_that_came_during_a_write_is_dropped_at_its_end);
    TEST(a_failed_read_leaves_nothing);
    TEST(the_line_not_used_for_longest_gives_way);
    TEST(with_every_line_on_its_way_nothing_is_claimed);
    TEST(readers_in_a_row_get_more_ahead_and_others_do_not);
    TEST(nobody_is_further_ahead_than_the_wire_is_fast);
    TEST(a_long_read_asks_twice_its_length_ahead_and_the_next_all_that_the_wire_holds);
    TEST(the_first_long_read_at_a_place_asks_twice_as_much_unless_many_stray);
    TEST(what_is_missing_at_the_end_of_a_range_is_known);
    TEST(scattered_reads_cost_no_more_than_themselves);
    TEST(a_second_read_of_a_place_brings_the_line_back);
    TEST(a_row_within_a_line_is_no_further_ahead_at_its_end);
    TEST(nobody_reads_old_data);
    TEST(what_is_ahead_leaves_a_quarter_of_the_lines);
    return tap_done();
}
