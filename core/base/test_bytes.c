#include "core/base/bytes.h"
#include "tests/tap.h"

static void integers_are_read_in_network_order(void) {
    struct lb_rd rd = lb_rd(tap_hex("01 0203 040506 0708090a 0b0c0d0e0f101112"));
    CHECK_EQ(lb_rd_u8(&rd), 1);
    CHECK_EQ(lb_rd_u16(&rd), 0x0203);
    CHECK_EQ(lb_rd_u24(&rd), 0x040506);
    CHECK_EQ(lb_rd_u32(&rd), 0x0708090a);
    CHECK_EQ(lb_rd_u64(&rd), 0x0b0c0d0e0f101112);
    CHECK(lb_rd_done(&rd));
}

static void names_that_end_in_le_are_read_in_little_endian_order(void) {
    struct lb_rd rd = lb_rd(tap_hex("0203 0708090a 0b0c0d0e0f101112"));
    CHECK_EQ(lb_rd_u16le(&rd), 0x0302);
    CHECK_EQ(lb_rd_u32le(&rd), 0x0a090807);
    CHECK_EQ(lb_rd_u64le(&rd), 0x1211100f0e0d0c0b);
    CHECK(lb_rd_done(&rd));
}

static void the_first_read_that_does_not_fit_makes_the_cursor_bad_for_good(void) {
    struct lb_rd rd = lb_rd(tap_hex("01 02 03"));
    CHECK_EQ(lb_rd_u8(&rd), 1);
    CHECK_EQ(lb_rd_u32(&rd), 0);
    CHECK(!lb_rd_ok(&rd));
    CHECK_EQ(lb_rd_u8(&rd), 0);
    CHECK_EQ(lb_rd_rest(&rd).len, 0);
    CHECK(!lb_rd_ok(&rd));
    CHECK(!lb_rd_done(&rd));
}

static void a_huge_length_does_not_wrap_around(void) {
    struct lb_rd rd = lb_rd(tap_hex("01 02 03"));
    lb_rd_skip(&rd, 1);
    CHECK_EQ(lb_rd_bytes(&rd, SIZE_MAX).len, 0);
    CHECK(!lb_rd_ok(&rd));
    uint8_t room[4];
    struct lb_wr wr = lb_wr(lb_span(room, sizeof(room)));
    lb_wr_u16(&wr, 1);
    lb_wr_zero(&wr, SIZE_MAX);
    CHECK(!lb_wr_ok(&wr));
}

static void a_copy_that_does_not_fit_leaves_zeros(void) {
    uint8_t to[4] = {9, 9, 9, 9};
    struct lb_rd rd = lb_rd(tap_hex("01 02"));
    lb_rd_copy(&rd, to, 4);
    CHECK_BYTES(lb_bytes(to, 4), tap_hex("00 00 00 00"));
    CHECK(!lb_rd_ok(&rd));
}

static void bytes_are_taken_without_a_copy(void) {
    struct lb_bytes all = tap_hex("01 02 03 04");
    struct lb_rd rd = lb_rd(all);
    struct lb_bytes two = lb_rd_bytes(&rd, 2);
    CHECK(two.p == all.p);
    CHECK_BYTES(two, tap_hex("01 02"));
    CHECK_BYTES(lb_rd_rest(&rd), tap_hex("03 04"));
    CHECK(lb_rd_done(&rd));
}

static void an_empty_span_is_done_at_once(void) {
    struct lb_rd rd = lb_rd(lb_bytes(NULL, 0));
    CHECK(lb_rd_done(&rd));
    CHECK_EQ(lb_rd_rest(&rd).len, 0);
    CHECK(lb_rd_done(&rd));
    CHECK_EQ(lb_rd_u8(&rd), 0);
    CHECK(!lb_rd_ok(&rd));
}

static void what_is_written_is_read_back(void) {
    uint8_t room[64];
    struct lb_wr wr = lb_wr(lb_span(room, sizeof(room)));
    lb_wr_u8(&wr, 1);
    lb_wr_u16(&wr, 0x0203);
    lb_wr_u24(&wr, 0x040506);
    lb_wr_u32(&wr, 0x0708090a);
    lb_wr_u64(&wr, 0x0b0c0d0e0f101112);
    lb_wr_u16le(&wr, 0x0302);
    lb_wr_u32le(&wr, 0x07060504);
    lb_wr_u64le(&wr, 0x0f0e0d0c0b0a0908);
    lb_wr_text(&wr, "ab");
    lb_wr_zero(&wr, 2);
    lb_wr_bytes(&wr, tap_hex("ff"));
    CHECK_BYTES(lb_wr_done(&wr), tap_hex("01 0203 040506 0708090a 0b0c0d0e0f101112"
                                         "0203 04050607 08090a0b0c0d0e0f 6162 0000 ff"));
}

static void a_writer_without_room_writes_nothing_more(void) {
    uint8_t room[4] = {9, 9, 9, 9};
    struct lb_wr wr = lb_wr(lb_span(room, 3));
    lb_wr_u16(&wr, 0x0102);
    lb_wr_u16(&wr, 0x0304);
    CHECK(!lb_wr_ok(&wr));
    lb_wr_u8(&wr, 5);
    CHECK_BYTES(lb_bytes(room, 4), tap_hex("01 02 09 09"));
    CHECK_EQ(lb_wr_done(&wr).len, 0);
}

static void a_writer_corrects_only_what_it_has_written(void) {
    uint8_t room[8] = {0};
    struct lb_wr wr = lb_wr(lb_span(room, sizeof(room)));
    lb_wr_zero(&wr, 6);
    lb_wr_u8_at(&wr, 5, 0xff);
    lb_wr_u16_at(&wr, 0, 0x0102);
    lb_wr_u32_at(&wr, 1, 0xa1a2a3a4);
    CHECK_BYTES(lb_wr_done(&wr), tap_hex("01 a1 a2 a3 a4 ff"));
    lb_wr_u16_at(&wr, 5, 1);
    CHECK(!lb_wr_ok(&wr));
    wr.bad = false;
    lb_wr_u8_at(&wr, SIZE_MAX, 1);
    CHECK(!lb_wr_ok(&wr));
}

static void spans_compare_and_shrink(void) {
    struct lb_bytes abc = lb_bytes_of_text("abc");
    CHECK_EQ(abc.len, 3);
    CHECK(lb_bytes_equal(abc, lb_bytes("abcd", 3)));
    CHECK(!lb_bytes_equal(abc, lb_bytes("abcd", 4)));
    CHECK(lb_bytes_equal(lb_bytes(NULL, 0), lb_bytes("", 0)));
    CHECK(lb_bytes_start_with(abc, lb_bytes("ab", 2)));
    CHECK(lb_bytes_start_with(abc, lb_bytes(NULL, 0)));
    CHECK(!lb_bytes_start_with(abc, lb_bytes("abcd", 4)));
    CHECK_BYTES(lb_bytes_after(abc, 1), lb_bytes("bc", 2));
    CHECK_EQ(lb_bytes_after(abc, 3).len, 0);
    CHECK_EQ(lb_bytes_after(abc, SIZE_MAX).len, 0);
    CHECK_EQ(lb_bytes_trim_nul(lb_bytes("a\0b\0\0", 5)).len, 3);
    CHECK_EQ(lb_bytes_trim_nul(lb_bytes("\0\0", 2)).len, 0);
}

int main(void) {
    TEST(integers_are_read_in_network_order);
    TEST(names_that_end_in_le_are_read_in_little_endian_order);
    TEST(the_first_read_that_does_not_fit_makes_the_cursor_bad_for_good);
    TEST(a_huge_length_does_not_wrap_around);
    TEST(a_copy_that_does_not_fit_leaves_zeros);
    TEST(bytes_are_taken_without_a_copy);
    TEST(an_empty_span_is_done_at_once);
    TEST(what_is_written_is_read_back);
    TEST(a_writer_without_room_writes_nothing_more);
    TEST(a_writer_corrects_only_what_it_has_written);
    TEST(spans_compare_and_shrink);
    return tap_done();
}
