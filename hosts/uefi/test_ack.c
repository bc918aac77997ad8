/* Acknowledgements that are held, on Linux. */
#include "core/base/mem.h"
#include "hosts/uefi/ack.h"
#include "tests/tap.h"

enum { ACK = 0x10, PUSH = 0x18, FIN = 0x11 };

static struct ack ack;
static uint8_t made[128];

static struct lb_bytes frame(bool is_v6, uint16_t port, uint8_t flags, uint32_t number,
                             size_t data_len) {
    size_t tcp = is_v6 ? 54 : 34;
    memset(made, 0, sizeof made);
    memcpy(made + 12, is_v6 ? "\x86\xdd\x60" : "\x08\x00\x45", 3);
    made[is_v6 ? 20 : 23] = 6;
    struct lb_wr wr = lb_wr(lb_span(made + tcp, 20));
    lb_wr_u16(&wr, port);
    lb_wr_u16(&wr, 3260);
    lb_wr_u32(&wr, 1);
    lb_wr_u32(&wr, number);
    lb_wr_u8(&wr, 0x50);
    lb_wr_u8(&wr, flags);
    lb_wr_u16(&wr, 4096);
    return lb_bytes(made, tcp + 20 + data_len);
}

/* Whether it is held; what goes before it is in `before`. */
static struct lb_bytes before;
static bool offer(uint64_t now_us, struct lb_bytes bytes) {
    return ack_offer(&ack, now_us, bytes, &before);
}

static void begin(void) {
    ack = (struct ack){.len = 0};
}

static void the_newest_goes_out_when_it_is_old_enough(void) {
    begin();
    CHECK(offer(0, frame(false, 5000, ACK, 100, 0)));
    CHECK(offer(100, frame(false, 5000, ACK, 200, 0)));
    CHECK_EQ(before.len, 0);
    CHECK_EQ(ack_due(&ack, ACK_HELD_US - 1).len, 0);
    struct lb_bytes due = ack_due(&ack, ACK_HELD_US);
    CHECK_BYTES(due, frame(false, 5000, ACK, 200, 0));
    CHECK_EQ(ack_due(&ack, 10 * ACK_HELD_US).len, 0);
}

static void one_that_says_enough_is_due_at_once(void) {
    begin();
    CHECK(offer(0, frame(true, 5000, ACK, UINT32_MAX - 100, 0)));
    CHECK(offer(1, frame(true, 5000, ACK, ACK_HELD_BYTES - 102, 0))); /* a byte less */
    CHECK_EQ(ack_due(&ack, 1).len, 0);
    CHECK(offer(1, frame(true, 5000, ACK, ACK_HELD_BYTES - 101, 0)));
    CHECK_BYTES(ack_due(&ack, 1), frame(true, 5000, ACK, ACK_HELD_BYTES - 101, 0));
}

static void data_of_the_same_connection_carries_it_along(void) {
    begin();
    CHECK(offer(0, frame(false, 5000, ACK, 100, 0)));
    CHECK(!offer(1, frame(false, 5000, PUSH, 100, 48)));
    CHECK_EQ(before.len, 0);
    CHECK_EQ(ack_due(&ack, ACK_HELD_US).len, 0);
    CHECK(offer(0, frame(false, 5000, ACK, 200, 0)));
    CHECK(!offer(1, frame(false, 5000, FIN, 200, 0)));
    CHECK_EQ(before.len, 0);
}

static void anything_else_goes_out_behind_it(void) {
    static const uint8_t arp[42] = {[12] = 0x08, [13] = 0x06};
    begin();
    CHECK(offer(0, frame(false, 5000, ACK, 100, 0)));
    CHECK(!offer(1, lb_bytes(arp, sizeof arp)));
    CHECK_BYTES(before, frame(false, 5000, ACK, 100, 0));
    CHECK(offer(2, frame(false, 5000, ACK, 100, 0)));
    CHECK(!offer(3, frame(false, 5001, PUSH, 7, 48))); /* another connection's */
    CHECK_BYTES(before, frame(false, 5000, ACK, 100, 0));
}

static void of_two_connections_one_is_held(void) {
    begin();
    CHECK(offer(0, frame(false, 5000, ACK, 100, 0)));
    CHECK(offer(1, frame(false, 5001, ACK, 7, 0)));
    CHECK_BYTES(before, frame(false, 5000, ACK, 100, 0));
    CHECK_BYTES(ack_take(&ack), frame(false, 5001, ACK, 7, 0));
}

static void duplicates_are_counted_by_the_sender_and_all_go_out(void) {
    begin();
    CHECK(offer(0, frame(false, 5000, ACK, 100, 0)));
    CHECK(!offer(1, frame(false, 5000, ACK, 100, 0)));
    CHECK_BYTES(before, frame(false, 5000, ACK, 100, 0));
    CHECK(offer(2, frame(false, 5000, ACK, 100, 0)));
}

static void a_window_that_opens_is_news(void) {
    begin();
    CHECK(offer(0, frame(false, 5000, ACK, 100, 0)));
    struct lb_bytes wider = frame(false, 5000, ACK, 100, 0);
    made[34 + 14] ^= 1;
    CHECK(offer(1, wider));
    CHECK_EQ(before.len, 0);
}

static void one_with_options_is_not_held(void) {
    begin();
    struct lb_bytes selective = frame(false, 5000, ACK, 100, 12);
    made[34 + 12] = 0x80;
    CHECK(!offer(0, selective));
    CHECK_EQ(ack.len, 0);
}

static void short_and_foreign_frames_pass(void) {
    begin();
    for (size_t len = 0; len < 54; len++)
        CHECK(!offer(0, lb_bytes(frame(false, 5000, ACK, 100, 0).p, len)));
    for (size_t len = 0; len < 74; len++)
        CHECK(!offer(0, lb_bytes(frame(true, 5000, ACK, 100, 0).p, len)));
}

/* Each byte by which a frame is known as one of TCP is asked for, in long frames too. */
static void what_is_no_tcp_is_not_held(void) {
    static const size_t of_v4[] = {12, 13, 14, 23}, of_v6[] = {12, 13, 20};
    for (size_t i = 0; i < LB_COUNT(of_v4); i++) {
        begin();
        struct lb_bytes other = frame(false, 5000, ACK, 100, 60);
        made[of_v4[i]] ^= 1;
        CHECK(!offer(0, other));
        CHECK_EQ(ack.len, 0);
    }
    for (size_t i = 0; i < LB_COUNT(of_v6); i++) {
        begin();
        struct lb_bytes other = frame(true, 5000, ACK, 100, 0);
        made[of_v6[i]] ^= 1;
        CHECK(!offer(0, other));
        CHECK_EQ(ack.len, 0);
    }
}

int main(void) {
    TEST(the_newest_goes_out_when_it_is_old_enough);
    TEST(one_that_says_enough_is_due_at_once);
    TEST(data_of_the_same_connection_carries_it_along);
    TEST(anything_else_goes_out_behind_it);
    TEST(of_two_connections_one_is_held);
    TEST(duplicates_are_counted_by_the_sender_and_all_go_out);
    TEST(a_window_that_opens_is_news);
    TEST(one_with_options_is_not_held);
    TEST(short_and_foreign_frames_pass);
    TEST(what_is_no_tcp_is_not_held);
    return tap_done();
}
