/* The simulator itself: that its runs are what their seeds say, and that its checks can be
 * trusted. */
#include "hosts/sim/sim.h"
#include "tests/tap.h"

#define SEEDS 400

static struct sim_coverage coverage;

static void the_same_seed_gives_the_same_trace(void) {
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct sim_outcome first = sim_run(seed, false, false, &coverage);
        struct sim_outcome second = sim_run(seed, false, false, &coverage);
        if (!CHECK_EQ(first.hash, second.hash) || !CHECK_EQ(first.booted, second.booted))
            tap_note("seed %llu", (unsigned long long)seed);
    }
}

static void other_seeds_give_other_traces(void) {
    uint64_t before = 0;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        uint64_t hash = sim_run(seed, false, false, &coverage).hash;
        CHECK(hash != before);
        before = hash;
    }
}

static void without_faults_every_boot_ends_with_a_disk(void) {
    unsigned clean = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct sim_outcome outcome = sim_run(seed, false, false, &coverage);
        if (!outcome.is_clean || outcome.wrong != SIM_WRONG_NONE || outcome.is_probe)
            continue;
        clean++;
        if (!CHECK(outcome.booted))
            tap_note("seed %llu", (unsigned long long)seed);
    }
    CHECK(clean > SEEDS / 40);
}

static void what_is_wrong_for_good_never_boots(void) {
    unsigned wrong = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct sim_outcome outcome = sim_run(seed, false, false, &coverage);
        wrong += outcome.wrong != SIM_WRONG_NONE;
        CHECK(outcome.wrong == SIM_WRONG_NONE || !outcome.booted);
    }
    CHECK(wrong > SEEDS / 40);
}

static void both_outcomes_occur_and_nothing_is_violated(void) {
    CHECK(coverage.booted > 0);
    CHECK(coverage.failed > 0);
    CHECK(coverage.ops > 0);
    CHECK_EQ(coverage.violations, 0);
}

/* ---- the model of the disk ------------------------------------------------------------------- */

static struct sim_world world;
static struct sim_disk disk;

static void begin(void) {
    sim_world_init(&world, 1, false);
    sim_disk_init(&disk, &world, 16, 512);
}

static void a_read_may_give_what_was_there_at_some_moment_of_it(void) {
    begin();
    world.now_us = 100;
    sim_disk_write(&disk, 3, 1, false);
    world.now_us = 200;
    sim_disk_write(&disk, 3, 2, false);
    CHECK(sim_disk_had(&disk, 3, 0, 50, 90));
    CHECK(sim_disk_had(&disk, 3, 1, 150, 160));
    CHECK(sim_disk_had(&disk, 3, 1, 150, 300));
    CHECK(sim_disk_had(&disk, 3, 2, 150, 300));
    CHECK(!sim_disk_had(&disk, 3, 1, 201, 300));
    CHECK(!sim_disk_had(&disk, 3, 2, 150, 199));
    CHECK(!sim_disk_had(&disk, 3, 0, 101, 300));
    sim_disk_free(&disk);
}

static void a_flushed_write_is_safe_and_a_lost_one_is_not(void) {
    begin();
    sim_disk_write(&disk, 3, 1, false);
    uint64_t seq = sim_disk_written(&disk, 3, 1, 0, world.now_us);
    CHECK(seq != 0);
    sim_disk_flush(&disk);
    CHECK(sim_disk_is_safe(&disk, 3, seq));
    for (uint32_t version = 2; disk.lost_unflushed == 0; version++) {
        sim_disk_write(&disk, 3, version, false);
        seq = sim_disk_written(&disk, 3, version, 0, world.now_us);
        sim_disk_power_cut(&disk);
    }
    CHECK(!sim_disk_is_safe(&disk, 3, seq));
    sim_disk_flush(&disk);
    CHECK(!sim_disk_is_safe(&disk, 3, seq));
    sim_disk_free(&disk);
}

static void a_block_tells_its_write_and_damage_is_seen(void) {
    uint8_t block[512];
    uint32_t version = 0;
    sim_block_fill(block, sizeof block, 77, 5);
    CHECK(sim_block_version(block, sizeof block, 5, &version));
    CHECK_EQ(version, 77);
    CHECK(!sim_block_version(block, sizeof block, 6, &version));
    for (size_t i = 0; i < sizeof block; i++) {
        block[i] ^= 1;
        CHECK(!sim_block_version(block, sizeof block, 5, &version) || version != 77);
        block[i] ^= 1;
    }
}

static void events_come_by_time_and_then_in_the_order_they_were_planned(void) {
    struct sim_event event;
    begin();
    sim_after(&world, 30, SIM_WORK, 3, 0);
    sim_after(&world, 10, SIM_WORK, 1, 0);
    sim_after(&world, 30, SIM_WORK, 4, 0);
    sim_after(&world, 20, SIM_WORK, 2, 0);
    CHECK(!sim_take(&world, &event));
    world.now_us += 30;
    for (uint32_t i = 1; i <= 4; i++) {
        CHECK(sim_take(&world, &event));
        CHECK_EQ(event.a, i);
    }
    CHECK_EQ(sim_next_us(&world), LB_NEVER);
    sim_world_free(&world);
}

static void worlds_with_ipsec_are_others_and_keep_their_secrets(void) {
    uint64_t booted = 0, failed = 0;
    for (uint64_t seed = 1; seed <= 100; seed++) {
        struct sim_coverage own = {0};
        struct sim_outcome outcome = sim_run(seed, true, false, &own);
        if (!CHECK_EQ(outcome.violations, 0))
            tap_note("seed %u: %s", (unsigned)seed, outcome.violation);
        booted += own.booted;
        failed += own.failed;
        if (seed <= 5) {
            CHECK_EQ(sim_run(seed, true, false, &own).hash, outcome.hash);
            CHECK(sim_run(seed, false, false, &own).hash != outcome.hash);
        }
    }
    CHECK(booted > 30 && failed > 10);
}

int main(void) {
    TEST(events_come_by_time_and_then_in_the_order_they_were_planned);
    TEST(a_block_tells_its_write_and_damage_is_seen);
    TEST(a_read_may_give_what_was_there_at_some_moment_of_it);
    TEST(a_flushed_write_is_safe_and_a_lost_one_is_not);
    TEST(the_same_seed_gives_the_same_trace);
    TEST(other_seeds_give_other_traces);
    TEST(without_faults_every_boot_ends_with_a_disk);
    TEST(what_is_wrong_for_good_never_boots);
    TEST(both_outcomes_occur_and_nothing_is_violated);
    TEST(worlds_with_ipsec_are_others_and_keep_their_secrets);
    return tap_done();
}
