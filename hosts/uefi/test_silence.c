/* When a silent card is started anew, on Linux. */
#include "hosts/uefi/silence.h"
#include "tests/tap.h"

enum { STEP_US = 10000 };

static struct silence silence;
static uint64_t now_us, heard_us;
static unsigned asked, started;
static uint64_t first_ask_us, start_us; /* since run() began */

static void begin(void) {
    silence = (struct silence){0};
    now_us = heard_us = 100 * LB_US_SEC;
}

static void run(uint64_t for_us, bool is_due, bool is_heard) {
    uint64_t from_us = now_us;
    asked = started = 0;
    first_ask_us = start_us = 0;
    while (now_us - from_us < for_us) {
        now_us += STEP_US;
        heard_us = is_heard ? now_us : heard_us;
        enum silence_advice advice = silence_judge(&silence, now_us, is_due, heard_us);
        if (advice == SILENCE_ASK && asked++ == 0)
            first_ask_us = now_us - from_us;
        if (advice == SILENCE_START && started++ == 0)
            start_us = now_us - from_us;
    }
}

static bool is_about(uint64_t got_us, uint64_t wanted_us) {
    return got_us + 3 * STEP_US >= wanted_us && got_us <= wanted_us + 3 * STEP_US;
}

static void a_card_of_which_nothing_is_due_may_be_silent(void) {
    begin();
    run(1000 * LB_US_SEC, false, false);
    CHECK_EQ(asked + started, 0);
}

static void a_card_that_gives_frames_is_left_alone(void) {
    begin();
    run(100 * LB_US_SEC, true, true);
    CHECK_EQ(asked + started, 0);
}

static void a_silent_one_is_started_anew_after_the_server_was_asked_in_vain(void) {
    begin();
    run(1500 * LB_US_MS, true, false);
    CHECK(is_about(first_ask_us, SILENCE_ASK_US));
    CHECK(is_about(start_us, SILENCE_START_US));
    CHECK(asked >= 3);
    CHECK_EQ(started, 1);
}

static void an_answer_to_the_question_is_a_sign_of_life(void) {
    begin();
    for (unsigned i = 0; i < 100; i++) { /* a disk that spins up: its server answers each time */
        run(SILENCE_ASK_US + 100 * LB_US_MS, true, false);
        CHECK_EQ(started, 0);
        run(STEP_US, true, true);
    }
}

static void the_next_start_waits_four_times_as_long(void) {
    begin();
    run(2 * LB_US_SEC, true, false);
    CHECK_EQ(started, 1);
    run(3 * LB_US_SEC, true, false);
    CHECK_EQ(started, 0);
    run(2 * LB_US_SEC, true, false);
    CHECK_EQ(started, 1);
    run(1000 * LB_US_SEC, true, false);
    CHECK(started >= 13 && started <= 17); /* one a minute */
}

static void after_a_sign_of_life_the_next_silence_is_as_short_as_the_first(void) {
    begin();
    run(20 * LB_US_SEC, true, false);
    run(STEP_US, true, true);
    run(1500 * LB_US_MS, true, false);
    CHECK_EQ(started, 1);
}

static void silence_is_counted_from_the_question_that_is_not_answered(void) {
    begin();
    run(60 * LB_US_SEC, false, false);
    run(SILENCE_ASK_US / 2, true, false);
    CHECK_EQ(asked + started, 0);
}

/* To the microsecond: when it is asked, asked again, and started anew. */
static void each_time_is_reached_and_not_passed(void) {
    const uint64_t from_us = 1000 * LB_US_SEC;
    struct silence one = {0};
    CHECK_EQ(silence_judge(&one, from_us, true, 5), SILENCE_NOTHING);
    CHECK_EQ(silence_judge(&one, from_us + SILENCE_ASK_US - 1, true, 5), SILENCE_NOTHING);
    CHECK_EQ(silence_judge(&one, from_us + SILENCE_ASK_US, true, 5), SILENCE_ASK);
    uint64_t asked_us = from_us + SILENCE_ASK_US;
    CHECK_EQ(silence_judge(&one, asked_us + SILENCE_AGAIN_US - 1, true, 5), SILENCE_NOTHING);
    CHECK_EQ(silence_judge(&one, asked_us + SILENCE_AGAIN_US, true, 5), SILENCE_ASK);
    CHECK(silence_judge(&one, from_us + SILENCE_START_US - 1, true, 5) != SILENCE_START);
    CHECK_EQ(silence_judge(&one, from_us + SILENCE_START_US, true, 5), SILENCE_START);
}

int main(void) {
    TEST(a_card_of_which_nothing_is_due_may_be_silent);
    TEST(a_card_that_gives_frames_is_left_alone);
    TEST(a_silent_one_is_started_anew_after_the_server_was_asked_in_vain);
    TEST(an_answer_to_the_question_is_a_sign_of_life);
    TEST(the_next_start_waits_four_times_as_long);
    TEST(after_a_sign_of_life_the_next_silence_is_as_short_as_the_first);
    TEST(silence_is_counted_from_the_question_that_is_not_answered);
    TEST(each_time_is_reached_and_not_passed);
    return tap_done();
}
