/* The thread that writes what lunbootd says. */
#include "os/linux/clock.h"
#include "server/output.h"
#include "server/say.h"
#include "tests/tap.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PIPE_BYTES 4096
#define LINE_BYTES 1024

static int ends[2];
static struct lb_server_error error;

/* A pipe with little room, to which lines are written from now on. */
static bool begin(void) {
    error = (struct lb_server_error){0};
    return CHECK_EQ(pipe2(ends, O_CLOEXEC), 0) && CHECK(fcntl(ends[1], F_SETPIPE_SZ, PIPE_BYTES)) &&
           CHECK(lb_output_begin(ends[1], &error));
}

static void end_pipe(void) {
    close(ends[0]);
    close(ends[1]);
}

/* A line that tells its number in its first bytes, and its length by its end. */
static struct lb_bytes line(unsigned number) {
    static char room[LINE_BYTES + 1];
    memset(room, '.', LINE_BYTES);
    lb_format(room, sizeof room, "%08u", number);
    room[8] = ' ';
    room[LINE_BYTES - 1] = '\n';
    return lb_bytes(room, LINE_BYTES);
}

/* Reads this line, which comes within moments. */
static bool reads_line(unsigned number) {
    char got[LINE_BYTES];
    size_t have = 0;
    struct pollfd wait = {.fd = ends[0], .events = POLLIN};
    while (have < LINE_BYTES && poll(&wait, 1, 5000) == 1) {
        ssize_t n = read(ends[0], got + have, LINE_BYTES - have);
        if (n <= 0)
            return false;
        have += (size_t)n;
    }
    return have == LINE_BYTES && memcmp(got, line(number).p, LINE_BYTES) == 0;
}

static void what_is_added_comes_out_in_order(void) {
    if (!begin())
        return;
    for (unsigned i = 0; i < 3000; i++) { /* round the ring more than ten times */
        CHECK(lb_output_add(line(i)));
        if (!CHECK(reads_line(i)))
            break;
    }
    CHECK(lb_output_settle(5000));
    lb_output_end(0);
    end_pipe();
}

/* How many lines find room while nobody reads. */
static unsigned fill(void) {
    unsigned count = 0;
    for (unsigned misses = 0; misses < 20;) {
        if (lb_output_add(line(count)))
            count++;
        else {
            misses++; /* the pipe takes its part a moment later */
            poll(NULL, 0, 1);
        }
    }
    return count;
}

static void nobody_waits_for_a_pipe_that_is_not_read(void) {
    if (!begin())
        return;
    uint64_t began_us = lb_now_us();
    unsigned count = fill();
    CHECK(lb_now_us() - began_us < 5 * LB_US_SEC);
    CHECK(count >= LB_OUTPUT_BYTES / LINE_BYTES);
    CHECK(count <= (LB_OUTPUT_BYTES + PIPE_BYTES) / LINE_BYTES);
    CHECK(!lb_output_has_room(1));
    CHECK(!lb_output_settle(10));
    for (unsigned i = 0; i < count; i++)
        if (!CHECK(reads_line(i)))
            break;
    CHECK(lb_output_settle(5000));
    CHECK(lb_output_has_room(LB_OUTPUT_BYTES) && !lb_output_has_room(LB_OUTPUT_BYTES + 1));
    lb_output_end(0);
    end_pipe();
}

static void an_end_does_not_wait_longer_than_it_is_told(void) {
    if (!begin())
        return;
    (void)fill();
    uint64_t began_us = lb_now_us();
    lb_output_end(50);
    uint64_t took_us = lb_now_us() - began_us;
    CHECK(took_us >= 50 * LB_US_MS && took_us < 5 * LB_US_SEC);
}

static void an_end_waits_for_what_is_being_read(void) {
    if (!begin())
        return;
    for (unsigned i = 0; i < 3; i++)
        CHECK(lb_output_add(line(i)));
    lb_output_end(5000);
    for (unsigned i = 0; i < 3; i++)
        CHECK(reads_line(i));
    end_pipe();
}

static void a_descriptor_that_does_not_block_is_waited_for(void) {
    if (!begin())
        return;
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    unsigned count = fill();
    for (unsigned i = 0; i < count; i++)
        if (!CHECK(reads_line(i)))
            break;
    lb_output_end(5000);
    end_pipe();
}

static void a_reader_that_has_gone_stops_nothing(void) {
    if (!begin())
        return;
    close(ends[0]);
    for (unsigned i = 0; i < 1000; i++) {
        if (!lb_output_add(line(i)))
            CHECK(lb_output_settle(5000));
    }
    CHECK(lb_output_settle(5000));
    lb_output_end(0);
    close(ends[1]);
}

/* All that comes until nothing has come for a moment. */
static size_t read_rest(struct lb_span room) {
    size_t have = 0;
    struct pollfd wait = {.fd = ends[0], .events = POLLIN};
    while (have < room.len && poll(&wait, 1, 300) == 1) {
        ssize_t n = read(ends[0], room.p + have, room.len - have);
        if (n <= 0)
            break;
        have += (size_t)n;
    }
    return have;
}

static unsigned count_of(const char *text, const char *what) {
    unsigned count = 0;
    for (const char *at = text; (at = strstr(at, what)) != NULL; at++)
        count++;
    return count;
}

/* The sum of what all such lines tell. */
static unsigned left_out(const char *text) {
    unsigned sum = 0;
    for (const char *at = text; (at = strstr(at, "left out ")) != NULL; at++)
        sum += (unsigned)strtoul(at + strlen("left out "), NULL, 10);
    return sum;
}

static void the_next_line_tells_how_many_were_left_out(void) {
    static char room[2 * LB_OUTPUT_BYTES];
    enum { SAID = 20000 };
    if (!begin())
        return;
    for (unsigned i = 0; i < SAID; i++)
        lb_server_say("192.0.2.9", "says something that fills %u of many lines", i);
    size_t len = read_rest(lb_span(room, sizeof room / 2));
    lb_server_say("192.0.2.9", "is the next");
    len += read_rest(lb_span(room + len, sizeof room - len - 1));
    room[len] = '\0';
    unsigned kept = count_of(room, "says something that fills ");
    CHECK(kept > 1000 && kept < SAID);
    CHECK_EQ(kept + left_out(room), SAID);
    CHECK_EQ(count_of(room, "\n"), kept + count_of(room, "left out ") + 1);
    CHECK(strstr(room, " lines, which nobody read in time\n") != NULL);
    CHECK(strstr(room, "  is the next\n") != NULL);
    lb_server_say("192.0.2.9", "is the one after");
    len = read_rest(lb_span(room, sizeof room - 1));
    room[len] = '\0';
    CHECK_EQ(count_of(room, "\n"), 1);
    CHECK(strstr(room, "is the one after\n") != NULL);
    lb_output_end(0);
    end_pipe();
}

int main(void) {
    signal(SIGPIPE, SIG_IGN);
    TEST(what_is_added_comes_out_in_order);
    TEST(nobody_waits_for_a_pipe_that_is_not_read);
    TEST(an_end_waits_for_what_is_being_read);
    TEST(a_descriptor_that_does_not_block_is_waited_for);
    TEST(a_reader_that_has_gone_stops_nothing);
    TEST(the_next_line_tells_how_many_were_left_out);
    TEST(an_end_does_not_wait_longer_than_it_is_told); /* the last: its thread is in a write */
    return tap_done();
}
