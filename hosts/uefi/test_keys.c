/* A person's keys, and what is none. */
#include "core/base/mem.h"
#include "core/crypto/crypto.h"
#include "hosts/uefi/keys.h"
#include "tests/tap.h"

static struct keys keys;
static uint64_t now_us;
static const uint16_t *burst;
static size_t count;

static void nobody_was_there(void) {
    keys = (struct keys){0};
    now_us = 5 * LB_US_SEC;
}

/* A key, and what comes of it when the pause after it is over. */
static bool press(unsigned key) {
    keys_input(&keys, now_us, key);
    now_us += KEYS_PAUSE_US;
    bool did = keys_burst(&keys, now_us, &burst, &count);
    now_us += 100 * LB_US_MS;
    return did;
}

/* The text at 9600 baud, and what comes of it. */
static bool line_says(const char *text) {
    for (size_t i = 0; text[i] != '\0'; i++, now_us += LB_US_MS) {
        keys_input(&keys, now_us, (uint8_t)text[i]);
        CHECK(!keys_burst(&keys, now_us, &burst, &count));
    }
    now_us += KEYS_PAUSE_US;
    return keys_burst(&keys, now_us, &burst, &count);
}

static void a_key_counts_when_a_pause_follows(void) {
    nobody_was_there();
    CHECK(!keys_burst(&keys, now_us, &burst, &count));
    keys_input(&keys, now_us, KEY_PAGE);
    CHECK(!keys_burst(&keys, now_us + KEYS_PAUSE_US - 1, &burst, &count));
    CHECK(keys_burst(&keys, now_us + KEYS_PAUSE_US, &burst, &count));
    CHECK_EQ(keys_only(burst, count), KEY_PAGE);
    CHECK(!keys_burst(&keys, now_us + 2 * KEYS_PAUSE_US, &burst, &count));
}

static void a_key_that_is_pressed_again_in_haste_is_that_key(void) {
    nobody_was_there();
    CHECK(line_says("\x02\x02\x02"));
    CHECK_EQ(keys_only(burst, count), KEY_PAGE);
}

static void a_pasted_value_is_one_burst(void) {
    nobody_was_there();
    CHECK(line_says("iqn.2026-11.test:disk1\r\n"));
    CHECK_EQ(count, 24);
    CHECK_EQ(burst[0], 'i');
    CHECK_EQ(burst[22], KEY_ENTER);
    CHECK_EQ(keys_only(burst, count), 0);
}

static void a_terminals_answer_is_no_key(void) {
    nobody_was_there();
    keys_input(&keys, now_us, KEY_ESC); /* ESC [ ? 1 ; 2 c: "I am a VT100" */
    CHECK(line_says("[?1;2c"));
    CHECK_EQ(keys_only(burst, count), 0); /* not Esc */
}

static void a_key_among_garbage_is_garbage(void) {
    nobody_was_there();
    CHECK(!line_says("\x80\xff\x02\x02\xfe"));
    CHECK(!press(KEY_PAGE)); /* nor soon after */
    now_us += KEYS_QUIET_US;
    CHECK(press(KEY_PAGE));
}

static void noise_at_any_speed_opens_nothing_as_long_as_it_goes_on(void) {
    uint8_t seed[LB_RAND_SEED_BYTES] = {4};
    struct lb_rand rand;
    lb_rand_init(&rand, seed);
    for (uint64_t gap_us = LB_US_MS; gap_us < LB_US_SEC; gap_us = gap_us * 3 / 2) {
        unsigned opened = 0;
        nobody_was_there();
        keys_input(&keys, now_us, 0xfe);
        for (unsigned i = 0; i < 100000; i++, now_us += gap_us) {
            keys_input(&keys, now_us, lb_rand_below(&rand, 256));
            opened += keys_burst(&keys, now_us + gap_us - 1, &burst, &count) &&
                      keys_only(burst, count) == KEY_PAGE;
        }
        CHECK(opened <= 20); /* of 390 that were in it, where one comes each second */
        CHECK(gap_us > 300 * LB_US_MS || opened == 0);
    }
}

static void arrows_do_nothing_and_keep_nobody_waiting(void) {
    nobody_was_there();
    CHECK(!press(KEY_SCAN + 1));
    CHECK(!press(KEY_SCAN + 12));
    CHECK(press(KEY_ENTER));
}

static void a_key_that_is_held_down_stops_counting(void) {
    unsigned counted = 0;
    nobody_was_there();
    for (unsigned i = 0; i < 1000; i++) {
        keys_input(&keys, now_us, 'd'); /* a keyboard's 10 in a second */
        counted += keys_burst(&keys, now_us + 90 * LB_US_MS, &burst, &count);
        now_us += 92 * LB_US_MS;
    }
    CHECK_EQ(counted, KEYS_SAME_MAX);
    CHECK(press('e'));
    now_us += KEYS_SAME_US;
    CHECK(press('d'));
}

static void a_burst_that_never_ends_is_none(void) {
    nobody_was_there();
    for (unsigned i = 0; i < 10000; i++, now_us += 30 * LB_US_MS) {
        keys_input(&keys, now_us, i % 2 == 0 ? 'a' : 'b');
        CHECK(!keys_burst(&keys, now_us + 29 * LB_US_MS, &burst, &count));
    }
    now_us += KEYS_PAUSE_US;
    CHECK(!keys_burst(&keys, now_us, &burst, &count));
}

static void a_page_waits_a_minute_from_the_last_key(void) {
    struct patience patience;
    patience_begin(&patience, 1000);
    CHECK(!patience_is_over(&patience, 1000 + PATIENCE_IDLE_US - 1));
    CHECK(patience_is_over(&patience, 1000 + PATIENCE_IDLE_US));
    patience_key(&patience, PATIENCE_IDLE_US);
    CHECK(!patience_is_over(&patience, 2 * PATIENCE_IDLE_US - 1));
    CHECK(patience_is_over(&patience, 2 * PATIENCE_IDLE_US));
}

static void and_ten_from_the_last_value(void) {
    struct patience patience;
    patience_begin(&patience, 0);
    for (uint64_t at_us = 0; at_us < PATIENCE_TOTAL_US; at_us += LB_US_SEC) {
        patience_key(&patience, at_us);
        CHECK(!patience_is_over(&patience, at_us));
    }
    CHECK(patience_is_over(&patience, PATIENCE_TOTAL_US));
    patience_value(&patience, PATIENCE_TOTAL_US);
    CHECK(!patience_is_over(&patience, PATIENCE_TOTAL_US));
}

int main(void) {
    TEST(a_key_counts_when_a_pause_follows);
    TEST(a_key_that_is_pressed_again_in_haste_is_that_key);
    TEST(a_pasted_value_is_one_burst);
    TEST(a_terminals_answer_is_no_key);
    TEST(a_key_among_garbage_is_garbage);
    TEST(noise_at_any_speed_opens_nothing_as_long_as_it_goes_on);
    TEST(arrows_do_nothing_and_keep_nobody_waiting);
    TEST(a_key_that_is_held_down_stops_counting);
    TEST(a_burst_that_never_ends_is_none);
    TEST(a_page_waits_a_minute_from_the_last_key);
    TEST(and_ten_from_the_last_value);
    return tap_done();
}
