/* TFTP requests, and transfers against a client that loses, repeats, lies and falls silent. The
 * messages are those of RFC 1350 5, RFC 2347 and RFC 7440 3. */
#include "core/tftp/tftp.h"
#include "tests/tap.h"

static struct lb_tftp_sender sender;
static uint64_t now;

/* ---- requests ---- */

static struct lb_tftp_request request(const char *bytes, size_t len) {
    struct lb_tftp_request got = {0};
    const char *why = NULL;
    CHECK(lb_tftp_decode_request(lb_bytes(bytes, len), &got, &why));
    return got;
}
#define REQUEST(text) request(text, sizeof text) /* the literal's NUL ends the last word */

static void a_plain_request_names_a_file(void) {
    struct lb_tftp_request got = REQUEST("\0\1boot/lunbootx64.efi\0octet");
    CHECK(lb_text_is(got.name, "boot/lunbootx64.efi"));
    CHECK(got.is_octet && !got.is_write && !got.asks_size);
    CHECK_EQ(got.block_bytes + got.window + got.timeout_s, 0);
    CHECK(REQUEST("\0\2x\0octet").is_write);
    CHECK(!REQUEST("\0\1x\0netascii").is_octet);
    CHECK(REQUEST("\0\1x\0OcTeT").is_octet);
}

static void options_are_read_in_any_case_and_order(void) {
    struct lb_tftp_request got =
        REQUEST("\0\1f\0octet\0TSIZE\0000\0blkSize\0001468\0x\0y\0windowsize\0004\0timeout\0003");
    CHECK(got.asks_size);
    CHECK_EQ(got.block_bytes, 1468);
    CHECK_EQ(got.window, 4);
    CHECK_EQ(got.timeout_s, 3);
}

static void options_with_forbidden_values_count_as_absent(void) {
    struct lb_tftp_request got =
        REQUEST("\0\1f\0octet\0blksize\0007\0windowsize\0000\0timeout\000256\0tsize\0000");
    CHECK_EQ(got.block_bytes + got.window + got.timeout_s, 0);
    CHECK(got.asks_size);
}

static void a_request_that_is_cut_is_refused_or_has_fewer_options(void) {
    static const char whole[] = "\0\1file\0octet\0blksize\0001468";
    for (size_t len = 0; len < sizeof whole; len++) {
        struct lb_tftp_request got = {.window = 77};
        const char *why = NULL;
        bool is_request = lb_tftp_decode_request(lb_bytes(whole, len), &got, &why);
        CHECK_EQ(is_request, len >= 13); /* op, "file", "octet" and their NULs */
        CHECK_EQ(got.window, is_request ? 0 : 77);
        CHECK(is_request || why != NULL);
        CHECK_EQ(got.block_bytes, 0);
    }
}

static void what_is_no_request_is_refused(void) {
    struct lb_tftp_request got;
    const char *why = NULL;
    CHECK(!lb_tftp_decode_request(lb_bytes("\0\3\0\1", 4), &got, &why));
    CHECK_STR(why, "neither a read request nor a write request");
    CHECK(!lb_tftp_decode_request(lb_bytes("\0\1\0octet\0", 9), &got, &why));
    CHECK_STR(why, "a request without a file name and a mode");
}

static void an_error_has_its_code_and_text(void) {
    uint8_t room[16];
    CHECK_BYTES(lb_tftp_encode_error(LB_TFTP_NOT_FOUND, "no", lb_span(room, sizeof room)),
                tap_hex("0005 0001 6e6f 00"));
    CHECK_EQ(lb_tftp_encode_error(LB_TFTP_NOT_FOUND, "far too long", lb_span(room, 16)).len, 0);
}

/* ---- transfers ---- */

static void begin(uint64_t file_bytes, struct lb_tftp_request asked) {
    now = LB_US_SEC;
    lb_tftp_sender_init(&sender, now, &asked, file_bytes, 1468);
}

static struct lb_tftp_action poll_now(void) {
    return lb_tftp_sender_poll(&sender, now);
}

static void ack(uint16_t block) {
    uint8_t bytes[4] = {0, LB_TFTP_ACK, (uint8_t)(block >> 8), (uint8_t)block};
    lb_tftp_sender_input(&sender, now, lb_bytes(bytes, sizeof bytes));
}

/* The next is this block. */
static void expect_block(uint16_t block, uint64_t offset, uint32_t len) {
    struct lb_tftp_action action = poll_now();
    uint8_t head[4] = {0, LB_TFTP_DATA, (uint8_t)(block >> 8), (uint8_t)block};
    CHECK_EQ(action.event, LB_TFTP_SEND);
    CHECK_BYTES(action.head, lb_bytes(head, sizeof head));
    CHECK_EQ(action.offset, offset);
    CHECK_EQ(action.len, len);
}

static void expect_event(enum lb_tftp_event event) {
    CHECK_EQ(poll_now().event, event);
}

/* Time passes until its deadline. */
static void fall_silent(void) {
    struct lb_tftp_action action = poll_now();
    CHECK_EQ(action.event, LB_TFTP_WAIT);
    now = action.until_us;
}

static void without_options_blocks_of_512_bytes_go_one_by_one(void) {
    begin(1000, (struct lb_tftp_request){0});
    expect_block(1, 0, 512);
    expect_event(LB_TFTP_WAIT);
    ack(1);
    expect_block(2, 512, 488);
    ack(2);
    expect_event(LB_TFTP_DONE);
    expect_event(LB_TFTP_DONE);
}

static void a_file_of_whole_blocks_ends_with_an_empty_one(void) {
    begin(512, (struct lb_tftp_request){0});
    expect_block(1, 0, 512);
    ack(1);
    expect_block(2, 512, 0);
    ack(2);
    expect_event(LB_TFTP_DONE);
    begin(0, (struct lb_tftp_request){0});
    expect_block(1, 0, 0);
}

static void options_are_agreed_to_within_our_limits(void) {
    begin(5000, (struct lb_tftp_request){
                    .block_bytes = 8192, .window = 500, .timeout_s = 2, .asks_size = true});
    struct lb_tftp_action action = poll_now();
    static const char oack[] = "\0\6blksize\0001468\0windowsize\00064\0timeout\0002\0tsize\0005000";
    CHECK_EQ(action.event, LB_TFTP_SEND);
    CHECK_BYTES(action.head, lb_bytes(oack, sizeof oack));
    CHECK_EQ(action.len, 0);
    expect_event(LB_TFTP_WAIT); /* nothing before the ACK of the options */
    ack(0);
    for (uint16_t block = 1; block <= 4; block++)
        expect_block(block, (block - 1) * 1468, block < 4 ? 1468 : 596);
    ack(4);
    expect_event(LB_TFTP_DONE);
}

static void a_client_that_wanted_the_size_alone_is_no_failure_of_ours(void) {
    static const uint8_t error[] = {0, 5, 0, 8, 0};
    begin(5000, (struct lb_tftp_request){.asks_size = true});
    poll_now();
    lb_tftp_sender_input(&sender, now, lb_bytes(error, sizeof error));
    expect_event(LB_TFTP_FAILED);
    CHECK(sender.is_cancelled);
    CHECK_STR(sender.why, "the client ended the transfer");
}

static void an_ack_within_the_window_sends_again_from_the_gap(void) {
    begin(100 * 512, (struct lb_tftp_request){.window = 4});
    poll_now();
    ack(0);
    for (uint16_t block = 1; block <= 4; block++)
        expect_block(block, (block - 1) * 512, 512);
    expect_event(LB_TFTP_WAIT);
    ack(2); /* 3 was lost */
    for (uint16_t block = 3; block <= 6; block++)
        expect_block(block, (block - 1) * 512, 512);
    expect_event(LB_TFTP_WAIT);
}

static void the_windows_first_block_is_sent_again_once_for_a_repeated_ack(void) {
    begin(100 * 512, (struct lb_tftp_request){.window = 2});
    poll_now();
    ack(0);
    expect_block(1, 0, 512);
    expect_block(2, 512, 512);
    ack(0);
    expect_block(1, 0, 512);
    expect_block(2, 512, 512);
    ack(0); /* once more: the sorcerer's apprentice (RFC 1123 4.2.3.1) */
    expect_event(LB_TFTP_WAIT);
}

/* As a client that says each ACK twice: the second one made us go back. */
static void an_ack_of_blocks_that_are_sent_again_is_heard(void) {
    begin(100 * 512, (struct lb_tftp_request){.window = 4});
    poll_now();
    ack(0);
    for (uint16_t block = 1; block <= 4; block++)
        expect_block(block, (block - 1) * 512, 512);
    ack(0);
    expect_block(1, 0, 512);
    ack(4); /* of the first time */
    expect_block(5, 4 * 512, 512);
    ack(9); /* never sent */
    expect_block(6, 5 * 512, 512);
}

static void a_repeated_ack_without_a_window_sends_nothing(void) {
    begin(2000, (struct lb_tftp_request){0});
    expect_block(1, 0, 512);
    ack(1);
    expect_block(2, 512, 512);
    ack(1);
    ack(1);
    expect_event(LB_TFTP_WAIT);
    ack(3); /* of what was never sent */
    expect_event(LB_TFTP_WAIT);
}

static void silence_sends_again_with_longer_waits_and_then_gives_up(void) {
    begin(2000, (struct lb_tftp_request){0});
    expect_block(1, 0, 512);
    ack(1);
    expect_block(2, 512, 512);
    uint64_t began = now;
    for (int i = 1; i < LB_TFTP_TRIES; i++) {
        fall_silent();
        expect_block(2, 512, 512);
    }
    fall_silent();
    expect_event(LB_TFTP_FAILED);
    CHECK_EQ(now - began, (1 + 2 + 4 + 8 + 8) * LB_US_SEC);
    CHECK_STR(sender.why, "the client does not answer any more");
}

/* A forged request of 20 bytes must not bring much to whom it names. */
static void a_client_that_was_never_heard_gets_one_packet_three_times(void) {
    for (int has_options = 0; has_options < 2; has_options++) {
        unsigned packets = 0, bytes = 0;
        begin(1 << 20,
              (struct lb_tftp_request){.block_bytes = has_options ? 1468 : 0, .window = 64});
        for (;;) {
            struct lb_tftp_action action = poll_now();
            if (action.event == LB_TFTP_FAILED)
                break;
            if (action.event == LB_TFTP_WAIT)
                now = action.until_us;
            packets += action.event == LB_TFTP_SEND;
            bytes += (unsigned)action.head.len + action.len;
        }
        CHECK_EQ(packets, LB_TFTP_FIRST);
        CHECK(bytes <= LB_TFTP_FIRST * (LB_TFTP_BLOCK + LB_TFTP_HEAD_BYTES));
    }
}

static void the_block_number_begins_again_after_65535(void) {
    begin(UINT64_C(70000) * 8, (struct lb_tftp_request){.block_bytes = 8, .window = 64});
    poll_now();
    ack(0);
    uint64_t sent = 0;
    for (;;) {
        struct lb_tftp_action action = poll_now();
        if (action.event != LB_TFTP_SEND)
            break;
        if (!CHECK_EQ(action.offset, sent * 8))
            return;
        sent++;
        if (sent % 64 == 0 || action.len < 8)
            ack((uint16_t)sent);
    }
    CHECK_EQ(sent, 70001);
    expect_event(LB_TFTP_DONE);
}

static void nonsense_from_the_client_is_ignored(void) {
    static const uint8_t data[] = {0, 3, 0, 1, 9};
    begin(2000, (struct lb_tftp_request){0});
    expect_block(1, 0, 512);
    lb_tftp_sender_input(&sender, now, lb_bytes(data, 0));
    lb_tftp_sender_input(&sender, now, lb_bytes(data, 3));
    lb_tftp_sender_input(&sender, now, lb_bytes(data, 5));
    expect_event(LB_TFTP_WAIT);
    ack(1);
    expect_block(2, 512, 512);
}

int main(void) {
    TEST(a_plain_request_names_a_file);
    TEST(options_are_read_in_any_case_and_order);
    TEST(options_with_forbidden_values_count_as_absent);
    TEST(a_request_that_is_cut_is_refused_or_has_fewer_options);
    TEST(what_is_no_request_is_refused);
    TEST(an_error_has_its_code_and_text);
    TEST(without_options_blocks_of_512_bytes_go_one_by_one);
    TEST(a_file_of_whole_blocks_ends_with_an_empty_one);
    TEST(options_are_agreed_to_within_our_limits);
    TEST(a_client_that_wanted_the_size_alone_is_no_failure_of_ours);
    TEST(an_ack_within_the_window_sends_again_from_the_gap);
    TEST(the_windows_first_block_is_sent_again_once_for_a_repeated_ack);
    TEST(an_ack_of_blocks_that_are_sent_again_is_heard);
    TEST(a_repeated_ack_without_a_window_sends_nothing);
    TEST(silence_sends_again_with_longer_waits_and_then_gives_up);
    TEST(a_client_that_was_never_heard_gets_one_packet_three_times);
    TEST(the_block_number_begins_again_after_65535);
    TEST(nonsense_from_the_client_is_ignored);
    return tap_done();
}
