#include "core/base/trace.h"
#include "tests/tap.h"

static uint8_t ring[256];
static struct lb_trace trace;
static char line[LB_TRACE_LINE_MAX];

static void begin(void) {
    lb_trace_init(&trace, 5 * LB_US_SEC, lb_span(ring, sizeof(ring)));
}

static void lines_come_out_in_order_with_their_time(void) {
    begin();
    lb_trace(&trace, 5 * LB_US_SEC, "dhcp4", "to %s", "SELECTING");
    lb_trace(&trace, 17 * LB_US_SEC + 34, "login", "C=%d", 1);
    CHECK(lb_trace_next(&trace, line));
    CHECK_STR(line, "0.000000 dhcp4 to SELECTING");
    CHECK(lb_trace_next(&trace, line));
    CHECK_STR(line, "12.000034 login C=1");
    CHECK(!lb_trace_next(&trace, line));
}

static void no_trace_is_no_work(void) {
    lb_trace(NULL, 0, "x", "%d", 1);
    begin();
    CHECK(!lb_trace_next(&trace, line));
    lb_trace_rewind(&trace);
    CHECK(!lb_trace_next(&trace, line));
}

static void the_oldest_lines_give_way(void) {
    begin();
    for (int i = 0; i < 100; i++)
        lb_trace(&trace, 5 * LB_US_SEC, "m", "line %02d", i);
    unsigned lines = 0;
    char want[40];
    while (lb_trace_next(&trace, line))
        lines++;
    CHECK(lines >= 12 && lines <= 13); /* of 19 bytes each, in 256 bytes */
    lb_trace_rewind(&trace);
    for (unsigned i = 100 - lines; i < 100; i++) {
        CHECK(lb_trace_next(&trace, line));
        lb_format(want, sizeof(want), "0.000000 m line %02u", i);
        CHECK_STR(line, want);
    }
    CHECK(!lb_trace_next(&trace, line));
}

static void a_reader_that_fell_behind_goes_on_with_a_whole_line(void) {
    begin();
    lb_trace(&trace, 0, "m", "first");
    CHECK(lb_trace_next(&trace, line));
    for (int i = 0; i < 50; i++)
        lb_trace(&trace, 0, "m", "%*d", i % 17 + 2, i);
    CHECK(lb_trace_next(&trace, line));
    CHECK(lb_bytes_start_with(lb_bytes_of_text(line), lb_bytes_of_text("0.000000 m ")));
}

static void a_line_stays_one_line(void) {
    begin();
    lb_trace(&trace, 0, "m", "a\nb\x1b");
    CHECK(lb_trace_next(&trace, line));
    CHECK_STR(line, "0.000000 m a\\x0ab\\x1b");
    lb_trace(&trace, 0, "m", "%0500d", 7);
    CHECK(lb_trace_next(&trace, line));
    CHECK_EQ(lb_strlen(line), LB_TRACE_LINE_MAX - 1);
    CHECK(!lb_trace_next(&trace, line));
}

int main(void) {
    TEST(lines_come_out_in_order_with_their_time);
    TEST(no_trace_is_no_work);
    TEST(the_oldest_lines_give_way);
    TEST(a_reader_that_fell_behind_goes_on_with_a_whole_line);
    TEST(a_line_stays_one_line);
    return tap_done();
}
