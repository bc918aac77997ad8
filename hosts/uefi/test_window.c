/* How the receive window grows, and what a loss does to it, on Linux. */
#include "hosts/uefi/window.h"
#include "tests/tap.h"

enum { SEGMENT = WINDOW_SEGMENT, MB = 1 << 20 };

static struct window window;
static uint64_t now_us;

static void begin(uint64_t most) {
    now_us = 10 * LB_US_SEC;
    window_init(&window, most);
}

/* So many windows' worth of bytes, each in a millisecond. */
static void windows(unsigned count) {
    for (unsigned i = 0; i < count; i++)
        for (uint64_t left = window.bytes; left >= SEGMENT; left -= SEGMENT)
            window_came(&window, now_us += SEGMENT * 1000 / window.bytes, SEGMENT);
}

static void lose(uint64_t held) {
    window_lost(&window, now_us, 2 * SEGMENT, held);
}

static void it_begins_small_and_doubles_while_nothing_is_lost(void) {
    begin(4 * MB);
    CHECK_EQ(window.bytes, 16 * SEGMENT);
    windows(1);
    CHECK_EQ(window.bytes, 32 * SEGMENT);
    windows(1);
    CHECK_EQ(window.bytes, 64 * SEGMENT);
    windows(10);
    CHECK_EQ(window.bytes, 4 * MB);
}

static void it_never_exceeds_what_the_way_holds(void) {
    begin(8 * SEGMENT);
    CHECK_EQ(window.bytes, 8 * SEGMENT);
    windows(4);
    CHECK_EQ(window.bytes, 8 * SEGMENT);
}

static void a_loss_that_stands_alone_takes_a_quarter_and_it_grows_again_soon(void) {
    begin(64 * SEGMENT);
    windows(4);
    lose(0);
    CHECK_EQ(window.bytes, 48 * SEGMENT);
    windows(200);
    CHECK_EQ(window.bytes, 48 * SEGMENT);
    now_us += WINDOW_HOLD_US;
    windows(1);
    CHECK_EQ(window.bytes, 54 * SEGMENT);
    windows(100);
    CHECK_EQ(window.bytes, 64 * SEGMENT);
}

static void losses_that_follow_each_other_halve_it_and_hold_it_longer(void) {
    begin(64 * SEGMENT);
    windows(4);
    lose(0);
    CHECK_EQ(window.hold_us, WINDOW_HOLD_US);
    now_us += WINDOW_HOLD_US;
    lose(0);
    CHECK_EQ(window.bytes, 24 * SEGMENT);
    CHECK_EQ(window.hold_us, 2 * WINDOW_HOLD_US);
    for (unsigned i = 0; i < 10; i++)
        lose(0);
    CHECK_EQ(window.hold_us, WINDOW_HOLD_MAX_US);
    now_us += 2 * WINDOW_HOLD_MAX_US;
    lose(0);
    CHECK_EQ(window.hold_us, WINDOW_HOLD_US);
}

/* A single frame of each `every` is lost. */
static void lose_single(unsigned count, unsigned every) {
    for (unsigned i = 0; i < count; i++) {
        window_came(&window, now_us += 1000, (every - 1) * SEGMENT);
        window_lost(&window, now_us, SEGMENT, 0);
    }
}

static void single_frames_that_are_lost_here_and_there_change_nothing(void) {
    begin(64 * SEGMENT);
    windows(4);
    lose_single(1000, 100);
    CHECK_EQ(window.bytes, 64 * SEGMENT);
    lose_single(2, 1);
    CHECK_EQ(window.bytes, 64 * SEGMENT);
}

static void more_than_one_in_32_is_too_much(void) {
    begin(64 * SEGMENT);
    windows(4);
    lose_single(100, 20);
    CHECK_EQ(window.bytes, WINDOW_LEAST);
}

static void it_stays_above_four_segments_whatever_is_lost(void) {
    begin(64 * SEGMENT);
    for (unsigned i = 0; i < 20; i++)
        lose(0);
    CHECK_EQ(window.bytes, WINDOW_LEAST);
}

static void what_the_card_has_held_at_a_time_is_no_cause_of_losses(void) {
    begin(64 * SEGMENT);
    windows(4);
    for (unsigned i = 0; i < 20; i++)
        lose(48 * SEGMENT);
    CHECK_EQ(window.bytes, 36 * SEGMENT);
    begin(64 * SEGMENT);
    lose(1000 * SEGMENT); /* and a loss never widens it */
    CHECK_EQ(window.bytes, 16 * SEGMENT);
}

static void a_card_that_stopped_is_never_asked_for_as_much_again(void) {
    begin(256 * SEGMENT);
    windows(8);
    window_stopped(&window, 16 * SEGMENT);
    CHECK_EQ(window.bytes, 12 * SEGMENT);
    now_us += 100 * LB_US_SEC;
    windows(100);
    CHECK_EQ(window.bytes, 12 * SEGMENT);
    window_stopped(&window, 16 * SEGMENT); /* it was still too much */
    CHECK_EQ(window.bytes, 6 * SEGMENT);
    window_stopped(&window, 0);
    window_stopped(&window, 0);
    CHECK_EQ(window.bytes, WINDOW_LEAST);
}

int main(void) {
    TEST(it_begins_small_and_doubles_while_nothing_is_lost);
    TEST(it_never_exceeds_what_the_way_holds);
    TEST(a_loss_that_stands_alone_takes_a_quarter_and_it_grows_again_soon);
    TEST(losses_that_follow_each_other_halve_it_and_hold_it_longer);
    TEST(single_frames_that_are_lost_here_and_there_change_nothing);
    TEST(more_than_one_in_32_is_too_much);
    TEST(it_stays_above_four_segments_whatever_is_lost);
    TEST(what_the_card_has_held_at_a_time_is_no_cause_of_losses);
    TEST(a_card_that_stopped_is_never_asked_for_as_much_again);
    return tap_done();
}
