#include "core/crypto/crypto.h"
#include "core/iscsi/iscsi_stream.h"
#include "tests/tap.h"

enum { RX = 16384 };

static struct lb_stream in, out;
static struct lb_stream_tx in_tx, out_tx;
static uint8_t in_rx[RX], out_rx[RX];
static uint8_t wire[1 << 20], data[1 << 18], place[1 << 18];
static size_t wire_len;

static void setup(bool header_digest, bool data_digest) {
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 2654435761u >> 9);
    memset(place, 0xee, sizeof place);
    lb_stream_init(&in, lb_span(in_rx, sizeof in_rx), &in_tx);
    lb_stream_init(&out, lb_span(out_rx, sizeof out_rx), &out_tx);
    lb_stream_set_digests(&in, header_digest, data_digest);
    lb_stream_set_digests(&out, header_digest, data_digest);
    lb_stream_set_max_data(&in, 1 << 18);
    wire_len = 0;
}

/* Queues a PDU whose header is filled with `mark` and moves it to the wire. */
static void put(uint8_t mark, size_t len) {
    uint8_t bhs[LB_STREAM_BHS];
    struct lb_bytes pieces[4];
    memset(bhs, mark, sizeof bhs);
    lb_stream_queue(&out, bhs, lb_bytes(data, len));
    size_t count = lb_stream_gather(&out, pieces, 4), sent = 0;
    for (size_t i = 0; i < count; i++) {
        memcpy(wire + wire_len, pieces[i].p, pieces[i].len);
        wire_len += pieces[i].len;
        sent += pieces[i].len;
    }
    lb_stream_sent(&out, sent);
    CHECK(!lb_stream_has_unsent(&out));
}

/* At most `limit` bytes from the wire; how many were taken. */
static size_t feed(size_t at, size_t limit) {
    struct lb_span spans[2];
    size_t count = lb_stream_where(&in, spans), got = 0;
    for (size_t i = 0; i < count; i++) {
        size_t len = LB_MIN(LB_MIN(spans[i].len, limit - got), wire_len - at - got);
        memcpy(spans[i].p, wire + at + got, len);
        got += len;
        if (len < spans[i].len)
            break;
    }
    lb_stream_got(&in, got);
    return got;
}

/* Receives everything, placing PDUs marked 1 and keeping the others; gives their marks. */
static size_t receive(size_t split, uint8_t *marks, size_t cap) {
    size_t at = 0, count = 0, offset = 0;
    for (;;) {
        enum lb_stream_event event = lb_stream_next(&in);
        if (event == LB_STREAM_HEADER && in.bhs[0] == 1) {
            lb_stream_place(&in, lb_span(place + offset, in.data_len));
            offset += in.data_len;
        } else if (event == LB_STREAM_HEADER) {
            lb_stream_keep(&in);
        } else if (event == LB_STREAM_PDU) {
            if (in.bhs[0] != 1 && in.data_len > 0)
                CHECK_BYTES(in.data, lb_bytes(data, in.data_len));
            lb_assert(count < cap);
            marks[count++] = in.bhs[0];
        } else if (event != LB_STREAM_MORE || at == wire_len) {
            return count;
        } else {
            at += feed(at, split);
        }
    }
}

static void any_split_gives_the_same_pdus(void) {
    static const size_t splits[] = {1,  2,   3,   7,   47,   48,    49,
                                    51, 100, 512, 513, 4096, 16384, 1 << 20};
    for (int digests = 0; digests < 4; digests++)
        for (size_t i = 0; i < LB_COUNT(splits); i++) {
            uint8_t marks[16] = {0};
            setup(digests & 1, digests & 2);
            put(2, 0);
            put(1, 100001);
            put(1, 3);
            put(3, 8192);
            put(4, 1);
            put(1, 20000);
            put(5, 0);
            put(6, 333);
            CHECK_EQ(receive(splits[i], marks, 16), 8);
            static const uint8_t expected[] = {2, 1, 1, 3, 4, 1, 5, 6};
            CHECK_BYTES(lb_bytes(marks, 8), lb_bytes(expected, 8));
            CHECK_BYTES(lb_bytes(place, 100001), lb_bytes(data, 100001));
            CHECK_BYTES(lb_bytes(place + 100001, 3), lb_bytes(data, 3));
            CHECK_BYTES(lb_bytes(place + 100004, 20000), lb_bytes(data, 20000));
            CHECK_EQ(place[120004], 0xee);
        }
}

static void one_read_brings_many_pdus(void) {
    setup(false, false);
    for (int i = 0; i < 100; i++)
        put(9, 0);
    CHECK_EQ(feed(0, wire_len), wire_len);
    for (int i = 0; i < 100; i++)
        CHECK_EQ(lb_stream_next(&in), LB_STREAM_PDU);
    CHECK_EQ(lb_stream_next(&in), LB_STREAM_MORE);
}

static void large_data_is_received_in_place_with_little_staged_behind_it(void) {
    struct lb_span spans[2];
    setup(false, false);
    put(1, 200000);
    CHECK_EQ(feed(0, 148), 148);
    CHECK_EQ(lb_stream_next(&in), LB_STREAM_HEADER);
    CHECK_EQ(in.data_len, 200000);
    CHECK_EQ(lb_stream_where(&in, spans), 0); /* until it is decided */
    lb_stream_place(&in, lb_span(place, 200000));
    CHECK_EQ(lb_stream_next(&in), LB_STREAM_MORE);
    CHECK_EQ(lb_stream_where(&in, spans), 2);
    CHECK(spans[0].p == place + 100);
    CHECK_EQ(spans[0].len, 199900);
    CHECK(spans[1].p == in_rx && spans[1].len <= 1024);
}

static size_t staged_behind(uint32_t len) {
    struct lb_span spans[2];
    setup(false, false);
    put(1, len);
    CHECK_EQ(feed(0, 148), 148);
    CHECK_EQ(lb_stream_next(&in), LB_STREAM_HEADER);
    lb_stream_place(&in, lb_span(place, len));
    CHECK_EQ(lb_stream_next(&in), LB_STREAM_MORE);
    CHECK_EQ(lb_stream_where(&in, spans), 2);
    return spans[1].len;
}

static void large_begins_at_128_kib(void) {
    CHECK_EQ(staged_behind(131072), 128);
    CHECK_EQ(staged_behind(131071), RX);
}

static void small_data_leaves_the_staging_buffer_open(void) {
    struct lb_span spans[2];
    setup(false, false);
    put(1, 4096);
    CHECK_EQ(feed(0, 148), 148);
    CHECK_EQ(lb_stream_next(&in), LB_STREAM_HEADER);
    lb_stream_place(&in, lb_span(place, 4096));
    CHECK_EQ(lb_stream_next(&in), LB_STREAM_MORE);
    CHECK_EQ(lb_stream_where(&in, spans), 2);
    CHECK_EQ(spans[1].len, RX);
}

static void what_does_not_fit_the_place_is_thrown_away(void) {
    setup(true, true);
    put(7, 5000);
    put(8, 0);
    size_t at = 0;
    enum lb_stream_event event;
    while ((event = lb_stream_next(&in)) != LB_STREAM_PDU) {
        if (event == LB_STREAM_HEADER)
            lb_stream_place(&in, lb_span(place, 10));
        at += feed(at, 100);
    }
    CHECK_BYTES(lb_bytes(place, 10), lb_bytes(data, 10));
    CHECK_EQ(place[10], 0xee);
    while ((event = lb_stream_next(&in)) == LB_STREAM_MORE)
        at += feed(at, 100);
    CHECK_EQ(event, LB_STREAM_PDU);
    CHECK_EQ(in.bhs[0], 8);
}

/* Wherever the wire was cut, what is behind the place stays as it was. */
static void a_place_that_ends_within_a_piece_is_not_overrun(void) {
    static const size_t lens[] = {0, 1, 59, 60, 99, 100};
    for (size_t i = 0; i < LB_COUNT(lens); i++)
        for (size_t split = 1; split < 160; split++) {
            enum lb_stream_event event;
            setup(false, true);
            put(1, 100);
            for (size_t at = 0; (event = lb_stream_next(&in)) != LB_STREAM_PDU;) {
                if (event == LB_STREAM_HEADER)
                    lb_stream_place(&in, lb_span(place, lens[i]));
                else if (event == LB_STREAM_MORE && at < wire_len)
                    at += feed(at, split);
                else
                    break;
            }
            CHECK_EQ(event, LB_STREAM_PDU);
            CHECK_BYTES(lb_bytes(place, lens[i]), lb_bytes(data, lens[i]));
            CHECK(place[lens[i]] == 0xee && place[99 + 1] == 0xee);
        }
}

static void data_over_the_limit_breaks_the_stream(void) {
    setup(false, false);
    lb_stream_set_max_data(&in, 8192);
    put(1, 8193);
    (void)feed(0, 48);
    CHECK_EQ(lb_stream_next(&in), LB_STREAM_TOO_LONG);
    CHECK_EQ(lb_stream_next(&in), LB_STREAM_TOO_LONG);
    struct lb_span spans[2];
    CHECK_EQ(lb_stream_where(&in, spans), 0);
}

static void data_to_keep_over_the_staging_buffer_breaks_the_stream(void) {
    setup(false, false);
    put(2, 16384);
    (void)feed(0, 48);
    CHECK_EQ(lb_stream_next(&in), LB_STREAM_HEADER);
    lb_stream_keep(&in);
    CHECK_EQ(lb_stream_next(&in), LB_STREAM_TOO_LONG);
}

static void additional_headers_are_passed_over(void) {
    setup(true, false);
    memset(wire, 0, 300);
    wire[4] = 255 / 4; /* 252 bytes */
    wire_len = 48 + 252 + 4;
    struct lb_wr wr = lb_wr(lb_span(wire + 300, 4));
    lb_wr_u32le(&wr, lb_crc32c(0, wire, 300));
    (void)feed(0, wire_len);
    CHECK_EQ(lb_stream_next(&in), LB_STREAM_PDU);
    CHECK_EQ(in.ahs_len, 252);
    CHECK_EQ(lb_stream_next(&in), LB_STREAM_MORE);
}

static size_t damage_found(uint8_t mark) {
    size_t found = 0;
    for (size_t bit = 0; bit < (48 + 4 + 12 + 4) * 8; bit++) {
        uint8_t marks[4];
        setup(true, true);
        put(mark, 9);
        wire[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (receive(1 << 20, marks, 4) == 0)
            found++;
    }
    return found;
}

static void every_damaged_bit_is_found(void) {
    CHECK_EQ(damage_found(1), (48 + 4 + 12 + 4) * 8); /* placed */
    CHECK_EQ(damage_found(2), (48 + 4 + 12 + 4) * 8); /* kept */
}

static void a_reset_forgets_everything(void) {
    uint8_t bhs[LB_STREAM_BHS] = {0}, marks[4];
    setup(true, true);
    put(2, 100);
    (void)feed(0, 70);
    (void)lb_stream_next(&in);
    uint64_t position = lb_stream_queue(&in, bhs, lb_bytes(data, 50));
    CHECK(!lb_stream_is_sent(&in, position));
    lb_stream_reset(&in);
    CHECK(lb_stream_is_sent(&in, position)); /* nothing points there any more */
    CHECK(!lb_stream_has_unsent(&in));
    setup(false, false);
    put(3, 100);
    CHECK_EQ(receive(10, marks, 4), 1);
}

static void what_is_queued_is_gathered_once_and_in_order(void) {
    uint8_t bhs[LB_STREAM_BHS], all[20000];
    struct lb_bytes pieces[3];
    struct lb_wr wr = lb_wr(lb_span(all, sizeof all));
    setup(false, false);
    for (uint8_t round = 0; round < 100; round++) { /* far around the ring */
        size_t sent = 0;
        wr.len = 0;
        for (uint8_t i = 0; i < 5; i++) {
            memset(bhs, i, sizeof bhs);
            lb_stream_queue(&out, bhs, lb_bytes(data + i, i * 30U));
        }
        for (size_t n = 1; lb_stream_has_unsent(&out); n = n % 61 + 1) {
            size_t count = lb_stream_gather(&out, pieces, 3), left = n, len = 0;
            for (size_t i = 0; i < count && left > 0; i++) {
                size_t take = LB_MIN(left, pieces[i].len);
                lb_wr_bytes(&wr, lb_bytes(pieces[i].p, take));
                left -= take;
                len += take;
            }
            lb_stream_sent(&out, len);
            sent += len;
        }
        CHECK_EQ(sent, 5 * 48 + 32 + 60 + 92 + 120);
        CHECK_EQ(all[4 * 48 + 32 + 60 + 92], 4);
        CHECK_BYTES(lb_bytes(all + 48 + 48, 30), lb_bytes(data + 1, 30));
    }
}

static void the_queue_says_when_it_is_full(void) {
    uint8_t bhs[LB_STREAM_BHS] = {0};
    size_t count = 0;
    setup(true, true);
    for (; lb_stream_can_queue(&out); count++)
        lb_stream_queue(&out, bhs, lb_bytes(data, 1 + count % 4));
    CHECK(count > 60);
    lb_stream_sent(&out, 48 + 4 + 1 + 3 + 4);
    CHECK(lb_stream_room(&out) <= 1);
}

static void copied_data_is_free_at_once(void) {
    uint8_t bhs[LB_STREAM_BHS] = {0}, text[] = "abc";
    struct lb_bytes pieces[4];
    setup(false, false);
    lb_stream_queue_copy(&out, bhs, lb_bytes(text, 3));
    memset(text, 0, sizeof text);
    CHECK_EQ(lb_stream_gather(&out, pieces, 4), 1);
    CHECK_EQ(pieces[0].len, 52);
    CHECK_BYTES(lb_bytes(pieces[0].p + 48, 4), lb_bytes("abc\0", 4));
}

int main(void) {
    TEST(any_split_gives_the_same_pdus);
    TEST(one_read_brings_many_pdus);
    TEST(large_data_is_received_in_place_with_little_staged_behind_it);
    TEST(large_begins_at_128_kib);
    TEST(small_data_leaves_the_staging_buffer_open);
    TEST(what_does_not_fit_the_place_is_thrown_away);
    TEST(data_over_the_limit_breaks_the_stream);
    TEST(data_to_keep_over_the_staging_buffer_breaks_the_stream);
    TEST(additional_headers_are_passed_over);
    TEST(every_damaged_bit_is_found);
    TEST(a_reset_forgets_everything);
    TEST(what_is_queued_is_gathered_once_and_in_order);
    TEST(the_queue_says_when_it_is_full);
    TEST(copied_data_is_free_at_once);
    TEST(a_place_that_ends_within_a_piece_is_not_overrun);
    return tap_done();
}
