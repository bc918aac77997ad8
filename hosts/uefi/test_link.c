/* Whether a card has a link, on Linux: drivers whose word is right, late and wrong. */
#include "hosts/uefi/link.h"
#include "tests/tap.h"

enum { STEP_US = 100000 };

static struct link link_;
static struct link_signs signs;
static uint64_t now_us;
static unsigned starts;
static uint64_t first_start_us, last_start_us, tried_us; /* tried_us: for how long */

static void begin(bool is_told, bool is_present) {
    link_ = (struct link){0};
    signs = (struct link_signs){.is_told = is_told, .is_present = is_present, .is_in_turn = true};
    now_us = 1000 * LB_US_SEC;
    starts = 0;
    first_start_us = last_start_us = tried_us = 0;
}

static enum link_word step(void) {
    now_us += STEP_US;
    enum link_word word = link_judge(&link_, now_us, &signs);
    if (word == LINK_START) {
        first_start_us = starts++ == 0 ? now_us : first_start_us;
        last_start_us = now_us;
        word = link_judge(&link_, now_us, &signs);
        CHECK(word != LINK_START);
    }
    tried_us += word == LINK_TRIED ? STEP_US : 0;
    return word;
}

/* The last word after so long. */
static enum link_word run(uint64_t for_us) {
    enum link_word word = LINK_DOWN;
    for (uint64_t until_us = now_us + for_us; now_us < until_us;)
        word = step();
    return word;
}

static void a_driver_that_cannot_tell_has_a_link(void) {
    begin(false, false);
    CHECK_EQ(step(), LINK_UP);
    CHECK_EQ(run(1000 * LB_US_SEC), LINK_UP);
    CHECK_EQ(starts, 0);
}

static void a_link_that_the_driver_sees_is_there(void) {
    begin(true, true);
    CHECK_EQ(step(), LINK_UP);
    CHECK_EQ(run(1000 * LB_US_SEC), LINK_UP);
    CHECK_EQ(starts, 0);
}

static void a_link_that_takes_8_s_is_waited_for_without_a_start(void) {
    begin(true, false);
    CHECK_EQ(run(8 * LB_US_SEC), LINK_DOWN);
    CHECK_EQ(starts, 0);
    CHECK_EQ(tried_us, 0);
    signs.is_present = true;
    CHECK_EQ(step(), LINK_UP);
}

static void after_10_s_the_card_is_started_anew(void) {
    begin(true, false);
    uint64_t from_us = now_us;
    run(11 * LB_US_SEC);
    CHECK_EQ(starts, 1);
    CHECK_EQ(first_start_us - from_us, LINK_WAIT_US + STEP_US);
}

static void a_driver_that_looks_at_its_start_alone_sees_the_link_then(void) {
    begin(true, false);
    run(LINK_WAIT_US);
    now_us += STEP_US;
    CHECK_EQ(link_judge(&link_, now_us, &signs), LINK_START);
    signs.is_present = true;
    CHECK_EQ(link_judge(&link_, now_us, &signs), LINK_UP);
    CHECK_EQ(run(100 * LB_US_SEC), LINK_UP);
}

static void a_card_that_never_says_it_has_a_link_is_tried(void) {
    begin(true, false);
    run(LINK_WAIT_US);
    CHECK_EQ(tried_us, 0);
    CHECK_EQ(run(1 * LB_US_SEC), LINK_TRIED);
    CHECK_EQ(run(LINK_TRY_US), LINK_DOWN); /* nothing came: there is none */
    CHECK_EQ(tried_us, LINK_TRY_US);
}

static void it_is_tried_again_after_each_start_and_each_comes_later(void) {
    begin(true, false);
    run(LINK_WAIT_US + 1 * LB_US_SEC);
    run(LINK_TRY_US + 20 * LB_US_SEC);
    CHECK_EQ(starts, 2);
    CHECK_EQ(last_start_us - first_start_us, LINK_TRY_US + 2 * LINK_WAIT_US);
    CHECK_EQ(run(LINK_TRY_US), LINK_DOWN);
    CHECK_EQ(tried_us, 2 * LINK_TRY_US);
    run(39 * LB_US_SEC);
    CHECK_EQ(starts, 2);
    run(2 * LB_US_SEC);
    CHECK_EQ(starts, 3);
}

static void a_card_is_tried_in_its_turn(void) {
    begin(true, false);
    signs.is_in_turn = false;
    CHECK_EQ(run(25 * LB_US_SEC), LINK_DOWN);
    CHECK_EQ(starts, 1);
    CHECK_EQ(tried_us, 0);
    signs.is_in_turn = true;
    CHECK_EQ(step(), LINK_TRIED); /* at once */
    CHECK_EQ(run(LINK_TRY_US), LINK_DOWN);
    CHECK_EQ(tried_us, LINK_TRY_US);
    CHECK_EQ(run(1 * LB_US_SEC), LINK_DOWN); /* once a start */
}

static void no_start_disturbs_a_try(void) {
    begin(true, false);
    signs.is_in_turn = false;
    run(LINK_WAIT_US + 19 * LB_US_SEC);
    signs.is_in_turn = true;
    CHECK_EQ(run(11 * LB_US_SEC), LINK_TRIED); /* the next start was due after a second of it */
    CHECK_EQ(run(20 * LB_US_SEC), LINK_DOWN);  /* and now waits again */
    CHECK_EQ(starts, 1);
    run(2 * LB_US_SEC);
    CHECK_EQ(starts, 2);
}

static void a_card_that_gives_frames_has_a_link_whatever_it_says(void) {
    begin(true, false);
    run(LINK_WAIT_US + 2 * LB_US_SEC);
    signs.heard_us = now_us; /* an answer to what it was tried with */
    CHECK_EQ(step(), LINK_UP);
    CHECK_EQ(run(1000 * LB_US_SEC), LINK_UP); /* also while nobody sends it anything */
    CHECK_EQ(starts, 1);
}

static void what_was_in_the_ring_when_the_cable_came_out_proves_nothing(void) {
    begin(true, true);
    run(1 * LB_US_SEC);
    signs.is_present = false;
    step();
    signs.heard_us = now_us + LINK_LATE_US / 2;
    now_us += LINK_LATE_US / 2;
    CHECK_EQ(step(), LINK_UP); /* a moment's loss is none */
    CHECK_EQ(run(LINK_HEARD_US), LINK_DOWN);
    CHECK_EQ(run(5 * LB_US_SEC), LINK_DOWN);
    CHECK_EQ(starts, 0);
}

static void a_driver_that_sees_a_link_is_believed_again(void) {
    begin(true, false);
    run(LINK_WAIT_US + 2 * LB_US_SEC);
    signs.heard_us = now_us;
    CHECK_EQ(run(10 * LB_US_SEC), LINK_UP);
    signs.is_present = true;
    step();
    signs.is_present = false;
    CHECK_EQ(step(), LINK_DOWN);
    CHECK_EQ(run(9 * LB_US_SEC), LINK_DOWN);
    CHECK_EQ(starts, 1);
    run(2 * LB_US_SEC); /* and the wait for a start is as short as the first */
    CHECK_EQ(starts, 2);
}

static void a_loss_begins_the_wait_anew(void) {
    begin(true, true);
    run(100 * LB_US_SEC);
    signs.is_present = false;
    CHECK_EQ(run(9 * LB_US_SEC), LINK_DOWN);
    CHECK_EQ(starts, 0);
    run(2 * LB_US_SEC);
    CHECK_EQ(starts, 1);
}

int main(void) {
    TEST(a_driver_that_cannot_tell_has_a_link);
    TEST(a_link_that_the_driver_sees_is_there);
    TEST(a_link_that_takes_8_s_is_waited_for_without_a_start);
    TEST(after_10_s_the_card_is_started_anew);
    TEST(a_driver_that_looks_at_its_start_alone_sees_the_link_then);
    TEST(a_card_that_never_says_it_has_a_link_is_tried);
    TEST(it_is_tried_again_after_each_start_and_each_comes_later);
    TEST(a_card_is_tried_in_its_turn);
    TEST(no_start_disturbs_a_try);
    TEST(a_card_that_gives_frames_has_a_link_whatever_it_says);
    TEST(what_was_in_the_ring_when_the_cable_came_out_proves_nothing);
    TEST(a_driver_that_sees_a_link_is_believed_again);
    TEST(a_loss_begins_the_wait_anew);
    return tap_done();
}
