/* The firmware's reads and writes, on Linux: over a model disk that answers late, out of order, and
 * at times with an error. */
#include "hosts/uefi/cache.h"
#include "hosts/uefi/requests.h"
#include "tests/tap.h"

enum { BLOCK = 512, BLOCKS = 16384, READ_MAX = 2048 };

static uint8_t disk[BLOCKS * BLOCK], memory[CACHE_LINES_MAX * REQUESTS_LINE_BYTES];
static uint8_t buffer[READ_MAX * BLOCK], wrote[64 * BLOCK];
static uint32_t chance;

static struct {
    struct lb_disk_op *ops[REQUESTS_MAX];
    size_t count, most;
    unsigned reads, turns;
    uint64_t bad_lba; /* this block cannot be read; LB_NEVER: all can */
    void *told[REQUESTS_MAX];
    size_t told_count;
} model;

/* Numerical Recipes' generator: each run is the same. */
static uint32_t draw(uint32_t below) {
    chance = chance * 1664525u + 1013904223u;
    return (chance >> 8) % below;
}

/* ---- the disk -------------------------------------------------------------------------------- */

void requests_submit(struct lb_disk_op *op) {
    CHECK(op->lba + op->blocks <= BLOCKS);
    model.reads += op->kind == LB_DISK_READ;
    model.ops[model.count++] = op;
    model.most = LB_MAX(model.most, model.count);
}

static bool is_bad(const struct lb_disk_op *op) {
    return op->kind == LB_DISK_READ && model.bad_lba >= op->lba &&
           model.bad_lba < op->lba + op->blocks;
}

static void end(size_t number) {
    struct lb_disk_op *op = model.ops[number];
    size_t at = (size_t)op->lba * BLOCK, len = (size_t)op->blocks * BLOCK;
    model.ops[number] = model.ops[--model.count];
    if (is_bad(op))
        lb_fail(&op->error, LB_E_MEDIUM, "a test");
    else if (op->kind == LB_DISK_READ)
        memcpy(op->buffer, disk + at, len);
    else if (op->kind == LB_DISK_WRITE)
        memcpy(disk + at, op->buffer, len);
    void *token = requests_ended(op);
    if (token != NULL)
        model.told[model.told_count++] = token;
}

void requests_turn(void) {
    model.turns++;
    for (uint32_t n = draw(4); n > 0 && model.count > 0; n--)
        end(draw((uint32_t)model.count));
}

static void begin(bool has_cache) {
    memset(&model, 0, sizeof model);
    model.bad_lba = LB_NEVER;
    chance = 7;
    for (size_t i = 0; i < sizeof disk; i++)
        disk[i] = (uint8_t)(i / BLOCK * 13 + i);
    requests_init(has_cache ? memory : NULL, BLOCK, BLOCKS);
}

static void settle(void) {
    while (requests_are_busy())
        requests_turn();
}

static bool reads_right(uint64_t lba, uint32_t blocks, uint64_t pace) {
    memset(buffer, 0xee, sizeof buffer);
    return CHECK_EQ(requests_read(lba, blocks, buffer, pace), LB_OK) &&
           CHECK(memcmp(buffer, disk + lba * BLOCK, (size_t)blocks * BLOCK) == 0) &&
           CHECK(blocks == READ_MAX || buffer[(size_t)blocks * BLOCK] == 0xee);
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void partition_tables_are_on_their_way_before_anybody_asks(void) {
    begin(true);
    CHECK_EQ(model.count, 2 + 1 + CACHE_AHEAD_FIRST);
    settle();
    unsigned reads = model.reads;
    CHECK(reads_right(0, 34, 0));
    CHECK(reads_right(BLOCKS - 33, 33, 0));
    CHECK(model.reads <= reads + CACHE_AHEAD_FIRST + 1); /* what was read ahead, alone */
}

static void a_reader_in_a_row_finds_what_it_asks_for_next(void) {
    begin(true);
    settle();
    for (uint64_t lba = 2048; lba + 128 <= 8192; lba += 128) {
        if (!reads_right(lba, 128, 4 << 20))
            return;
        CHECK(model.most <= REQUESTS_MAX);
    }
    /* A line each, once. */
    CHECK(model.reads <= 6 + (8192 - 2048) / 128 + CACHE_AHEAD_MAX);
}

static void a_large_read_goes_past_the_cache(void) {
    begin(true);
    settle();
    unsigned reads = model.reads;
    requests_read(9000, READ_MAX, buffer, 0);
    CHECK(model.reads - reads <= 2 + CACHE_AHEAD_MAX);
    CHECK(memcmp(buffer, disk + 9000 * BLOCK, sizeof buffer) == 0);
    CHECK(reads_right(8900, READ_MAX, 0));
}

static void reads_and_writes_of_all_kinds_agree_with_the_disk(void) {
    for (unsigned cached = 0; cached < 2; cached++) {
        begin(cached == 1);
        for (unsigned i = 0; i < 1500; i++) {
            uint32_t blocks = 1 + draw(draw(8) == 0 ? READ_MAX : 200);
            uint64_t lba = draw(BLOCKS - blocks + 1);
            uint32_t written = 1 + draw(64);
            if (!reads_right(lba, blocks, draw(3) * 1000000))
                return;
            if (draw(3) > 0)
                continue;
            lba = draw(BLOCKS - written + 1);
            for (size_t n = 0; n < sizeof wrote; n++)
                wrote[n] = (uint8_t)draw(256);
            CHECK_EQ(requests_wait(requests_begin(LB_DISK_WRITE, lba, written, wrote, NULL)),
                     LB_OK);
            CHECK(memcmp(disk + lba * BLOCK, wrote, (size_t)written * BLOCK) == 0);
        }
        settle();
        CHECK(!requests_are_writing());
    }
}

static void a_block_that_cannot_be_read_fails_its_own_readers(void) {
    begin(true);
    settle();
    model.bad_lba = 5000;
    CHECK_EQ(requests_read(4990, 20, buffer, 0), LB_E_MEDIUM);
    CHECK_EQ(requests_read(5000, 1, buffer, 0), LB_E_MEDIUM);
    CHECK(reads_right(4900, 100, 0)); /* the same lines, without it */
    CHECK(reads_right(5001, 100, 0));
    CHECK_EQ(requests_read(4000, READ_MAX, buffer, 0), LB_E_MEDIUM);
    model.bad_lba = LB_NEVER;
    CHECK(reads_right(4990, 20, 0)); /* nothing of the failure is kept */
}

static void more_requests_than_there_are_wait_for_their_turn(void) {
    static int tokens[2 * REQUESTS_MAX];
    begin(false);
    for (size_t i = 0; i < LB_COUNT(tokens); i++)
        requests_begin(LB_DISK_READ, i, 1, buffer + i * BLOCK, &tokens[i]);
    CHECK_EQ(model.most, REQUESTS_MAX);
    CHECK(model.turns > 0);
    CHECK(model.told_count >= REQUESTS_MAX);
}

static void each_token_is_told_once(void) {
    static int tokens[REQUESTS_MAX];
    size_t told = 0;
    begin(false);
    for (size_t i = 0; i < LB_COUNT(tokens); i++)
        requests_begin(LB_DISK_FLUSH, 0, 0, NULL, &tokens[i]);
    CHECK(requests_are_writing());
    end(5);
    while (requests_forsake() != NULL)
        told++;
    CHECK_EQ(told, REQUESTS_MAX - 1);
    while (model.count > 0)
        end(0);
    CHECK_EQ(model.told_count, 1);
    CHECK(model.told[0] == &tokens[5]);
}

static void bytes_are_counted_when_they_have_come(void) {
    begin(false);
    uint64_t before = requests_bytes_read();
    CHECK(reads_right(100, 9, 0));
    CHECK_EQ(requests_bytes_read() - before, 9 * BLOCK);
}

int main(void) {
    TEST(partition_tables_are_on_their_way_before_anybody_asks);
    TEST(a_reader_in_a_row_finds_what_it_asks_for_next);
    TEST(a_large_read_goes_past_the_cache);
    TEST(reads_and_writes_of_all_kinds_agree_with_the_disk);
    TEST(a_block_that_cannot_be_read_fails_its_own_readers);
    TEST(more_requests_than_there_are_wait_for_their_turn);
    TEST(each_token_is_told_once);
    TEST(bytes_are_counted_when_they_have_come);
    return tap_done();
}
