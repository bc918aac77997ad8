/* The frames that a card has, and cards that do not give them back, on Linux. */
#include "hosts/uefi/tx.h"
#include "tests/tap.h"

static struct tx tx;
static uint8_t room[TX_FRAMES * TX_FRAME];
static const uint8_t data[TX_FRAME + 1] = {1, 2, 3};

static void begin(void) {
    memset(room, 0xee, sizeof room);
    tx_init(&tx, room);
}

static uint8_t *take(uint64_t now_us, size_t len) {
    return tx_take(&tx, now_us, data, &len);
}

static void fill(uint64_t now_us) {
    for (unsigned i = 0; i < TX_FRAMES; i++)
        CHECK(take(now_us, 100) != NULL);
    CHECK(take(now_us, 100) == NULL);
}

static void short_frames_are_padded_with_zeros_to_60_bytes(void) {
    size_t len = 42; /* ARP */
    begin();
    uint8_t *frame = tx_take(&tx, 1, data, &len);
    CHECK_EQ(len, 60);
    CHECK_EQ(memcmp(frame, data, 42), 0);
    for (size_t i = 42; i < 60; i++)
        CHECK_EQ(frame[i], 0);
    CHECK_EQ(frame[60], 0xee);
    len = 60;
    CHECK(tx_take(&tx, 1, data, &len) != NULL && len == 60);
    len = 61;
    CHECK(tx_take(&tx, 1, data, &len) != NULL && len == 61);
}

static void a_frame_is_the_cards_until_it_gives_it_back(void) {
    begin();
    fill(1);
    tx_given(&tx, room + 5 * TX_FRAME);
    CHECK_EQ(tx.busy, TX_FRAMES - 1);
    CHECK(take(2, 100) == room + 5 * TX_FRAME);
    CHECK(take(2, 100) == NULL);
}

static void a_frame_that_is_too_long_is_not_taken(void) {
    begin();
    CHECK(take(1, TX_FRAME) != NULL);
    CHECK(take(1, TX_FRAME + 1) == NULL);
}

static void what_a_card_never_gives_back_is_free_after_two_seconds(void) {
    begin();
    fill(1000);
    tx_expire(&tx, 1000 + TX_KEPT_US - 1);
    CHECK(take(1001, 100) == NULL);
    tx_expire(&tx, 1000 + TX_KEPT_US);
    CHECK_EQ(tx.busy, 0);
    CHECK_EQ(tx.kept, TX_FRAMES);
    CHECK(take(1001, 100) != NULL);
}

static void a_pointer_that_is_not_ours_stands_for_the_oldest_frame(void) {
    uint8_t copy[64];
    begin();
    take(30, 100);
    take(10, 100);
    take(20, 100);
    tx_given(&tx, copy);
    CHECK(!tx.is_busy[1] && tx.is_busy[0] && tx.is_busy[2]);
    tx_given(&tx, copy);
    CHECK(!tx.is_busy[2] && tx.is_busy[0]);
    tx_given(&tx, copy);
    tx_given(&tx, copy);
    CHECK_EQ(tx.busy, 0);
}

static void a_pointer_into_a_frame_is_that_frame(void) {
    begin();
    take(1, 100);
    take(1, 100);
    tx_given(&tx, room + TX_FRAME + 14);
    CHECK(tx.is_busy[0] && !tx.is_busy[1]);
}

static void a_frame_that_is_given_back_twice_is_one(void) {
    begin();
    take(1, 100);
    take(1, 100);
    tx_given(&tx, room);
    tx_given(&tx, room);
    CHECK_EQ(tx.busy, 1);
}

int main(void) {
    TEST(short_frames_are_padded_with_zeros_to_60_bytes);
    TEST(a_frame_is_the_cards_until_it_gives_it_back);
    TEST(a_frame_that_is_too_long_is_not_taken);
    TEST(what_a_card_never_gives_back_is_free_after_two_seconds);
    TEST(a_pointer_that_is_not_ours_stands_for_the_oldest_frame);
    TEST(a_pointer_into_a_frame_is_that_frame);
    TEST(a_frame_that_is_given_back_twice_is_one);
    return tap_done();
}
