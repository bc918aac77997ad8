#include "core/base/pace.h"
#include "tests/tap.h"

static void a_pause_doubles_up_to_the_longest(void) {
    static const uint64_t pauses[] = {250, 500, 1000, 2000, 3000, 3000};
    for (unsigned i = 0; i < LB_COUNT(pauses); i++)
        CHECK_EQ(lb_pace(250, 3000, i), pauses[i]);
}

static void the_longest_holds_for_the_first_too(void) {
    CHECK_EQ(lb_pace(5000, 3000, 0), 3000);
    CHECK_EQ(lb_pace(5000, 3000, 7), 3000);
}

static void it_neither_wraps_nor_runs_for_ever(void) {
    CHECK_EQ(lb_pace(1, UINT64_MAX, 63), (uint64_t)1 << 63);
    CHECK_EQ(lb_pace(1, UINT64_MAX, 64), UINT64_MAX);
    CHECK_EQ(lb_pace(3, UINT64_MAX, UINT32_MAX), UINT64_MAX);
    CHECK_EQ(lb_pace(0, 3000, UINT32_MAX), 0);
}

int main(void) {
    TEST(a_pause_doubles_up_to_the_longest);
    TEST(the_longest_holds_for_the_first_too);
    TEST(it_neither_wraps_nor_runs_for_ever);
    return tap_done();
}
