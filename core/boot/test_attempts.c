/* When a boot is tried again, without an engine. */
#include "core/boot/attempts.h"
#include "core/boot/test_stage.h"

static struct lb_rand rand_;
static struct lb_common common;
static struct lb_attempts attempts;

static void begin(void) {
    static const uint8_t seed[LB_RAND_SEED_BYTES] = {3};
    clear_plan();
    lb_rand_init(&rand_, seed);
    common = (struct lb_common){.plan = &plan, .rand = &rand_};
    lb_attempts_init(&attempts, 7 * LB_US_SEC, &common);
}

static void begin_attempts(unsigned count) {
    for (unsigned i = 0; i < count; i++)
        lb_attempts_begin(&attempts);
}

/* The pause itself: up to a quarter of it is added by chance. */
static void pauses(enum lb_code why, uint64_t us) {
    for (unsigned i = 0; i < 50; i++) {
        uint64_t delay_us = lb_attempts_delay_us(&attempts, why);
        CHECK(delay_us >= us && delay_us <= us + us / 4);
    }
}

static void the_first_is_the_first(void) {
    begin();
    CHECK(!lb_attempts_is_first(&attempts));
    begin_attempts(1);
    CHECK(lb_attempts_is_first(&attempts));
    begin_attempts(1);
    CHECK(!lb_attempts_is_first(&attempts));
}

static void the_pause_doubles_up_to_half_a_minute(void) {
    static const uint64_t seconds[] = {1, 2, 4, 8, 16, 30, 30};
    begin();
    set("retry-delay", "1s");
    for (size_t i = 0; i < LB_COUNT(seconds); i++) {
        begin_attempts(1);
        pauses(LB_E_CONNECT_TIMEOUT, seconds[i] * LB_US_SEC);
    }
}

static void it_stays_short_while_storage_starts_but_not_for_ever(void) {
    begin();
    set("retry-delay", "1s");
    begin_attempts(10);
    pauses(LB_E_CONNECT_REFUSED, 4 * LB_US_SEC);
    pauses(LB_E_LUN_MISSING, 4 * LB_US_SEC);
    begin_attempts(20);
    pauses(LB_E_CONNECT_REFUSED, 4 * LB_US_SEC);
    begin_attempts(1);
    pauses(LB_E_CONNECT_REFUSED, 30 * LB_US_SEC);
}

static void machines_do_not_march_in_step(void) {
    uint64_t first_us;
    begin();
    begin_attempts(5);
    first_us = lb_attempts_delay_us(&attempts, LB_E_CONNECT_TIMEOUT);
    CHECK(lb_attempts_delay_us(&attempts, LB_E_CONNECT_TIMEOUT) != first_us);
}

static void the_number_of_attempts_is_bounded_where_it_is_set(void) {
    begin();
    set("retry-time", "3600s");
    begin_attempts(100);
    CHECK(lb_attempts_are_left(&attempts, 8 * LB_US_SEC, 0));
    begin();
    set("attempts", "3");
    begin_attempts(2);
    CHECK(lb_attempts_are_left(&attempts, 8 * LB_US_SEC, 0));
    begin_attempts(1);
    CHECK(!lb_attempts_are_left(&attempts, 8 * LB_US_SEC, 0));
}

static void the_time_counts_from_the_boots_start_to_the_end_of_the_pause(void) {
    begin();
    set("retry-time", "60s");
    begin_attempts(1);
    CHECK(lb_attempts_are_left(&attempts, 57 * LB_US_SEC, 10 * LB_US_SEC));
    CHECK(!lb_attempts_are_left(&attempts, 57 * LB_US_SEC, 10 * LB_US_SEC + 1));
}

int main(void) {
    TEST(the_first_is_the_first);
    TEST(the_pause_doubles_up_to_half_a_minute);
    TEST(it_stays_short_while_storage_starts_but_not_for_ever);
    TEST(machines_do_not_march_in_step);
    TEST(the_number_of_attempts_is_bounded_where_it_is_set);
    TEST(the_time_counts_from_the_boots_start_to_the_end_of_the_pause);
    return tap_done();
}
