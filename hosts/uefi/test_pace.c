/* How far ahead a reader of the network disk asks, on Linux. */
#include "hosts/uefi/pace.h"
#include "tests/tap.h"

enum { TRIP = 50000, MB = 1 << 20 };

static struct pace pace;
static uint64_t now_us;

/* So many bytes each trip, in a hundred parts. */
static void trips(unsigned count, uint64_t bytes) {
    for (unsigned i = 0; i < count * 100; i++)
        pace_came(&pace, now_us += TRIP / 100, bytes / 100);
}

static void begin(uint64_t trip_us) {
    now_us = 1000000;
    pace_init(&pace, now_us, trip_us);
}

static bool is_near(uint64_t found, uint64_t wanted) {
    return found > wanted - wanted / 20 && found < wanted + wanted / 20;
}

static void twice_what_came_in_a_round_trip_is_asked_ahead_until_it_grows_no_more(void) {
    begin(TRIP);
    CHECK_EQ(pace_bytes(&pace), 0);
    trips(1, MB);
    CHECK(is_near(pace_bytes(&pace), 2 * MB));
    trips(2, MB);
    CHECK(is_near(pace_bytes(&pace), MB + MB / 4));
    trips(1, MB + MB / 4); /* the quarter is enough to see that more comes */
    CHECK(is_near(pace_bytes(&pace), 2 * (MB + MB / 4)));
}

static void what_doubles_each_trip_is_kept_up_with(void) {
    begin(TRIP);
    for (uint64_t bytes = MB / 64; bytes <= 2 * MB; bytes *= 2) {
        trips(1, bytes);
        CHECK(is_near(pace_bytes(&pace), 2 * bytes));
    }
}

static void a_slower_reader_is_followed_within_a_few_trips(void) {
    begin(TRIP);
    trips(3, 4 * MB);
    trips(1, MB);
    CHECK(pace_bytes(&pace) >= 3 * MB); /* one slow trip is chance */
    trips(8, MB);
    CHECK(is_near(pace_bytes(&pace), MB + MB / 4));
}

static void a_pause_says_nothing_of_the_wire(void) {
    begin(TRIP);
    trips(3, 4 * MB);
    for (unsigned i = 0; i < 20; i++)
        pace_came(&pace, now_us += 10 * TRIP, 4096);
    CHECK(is_near(pace_bytes(&pace), 5 * MB));
}

static void a_round_trip_is_as_short_as_the_shortest_and_no_shorter_than_our_turns(void) {
    begin(3 * TRIP);
    pace_trip(&pace, TRIP);
    pace_trip(&pace, 2 * TRIP);
    CHECK_EQ(pace.trip_us, TRIP);
    pace_trip(&pace, 100);
    CHECK_EQ(pace.trip_us, PACE_TRIP_MIN_US);
    begin(200);
    CHECK_EQ(pace.trip_us, PACE_TRIP_MIN_US);
}

int main(void) {
    TEST(twice_what_came_in_a_round_trip_is_asked_ahead_until_it_grows_no_more);
    TEST(what_doubles_each_trip_is_kept_up_with);
    TEST(a_slower_reader_is_followed_within_a_few_trips);
    TEST(a_pause_says_nothing_of_the_wire);
    TEST(a_round_trip_is_as_short_as_the_shortest_and_no_shorter_than_our_turns);
    return tap_done();
}
