/* Numbers that somebody off the path would have to guess. */
#include "core/base/mem.h"
#include "hosts/uefi/guard.h"
#include "hosts/uefi/numbers.h"
#include "tests/tap.h"

static struct lb_rand rand_of(uint8_t first) {
    uint8_t seed[LB_RAND_SEED_BYTES] = {first};
    struct lb_rand rand;
    lb_rand_init(&rand, seed);
    return rand;
}

static struct numbers numbers_of(uint8_t first) {
    struct lb_rand rand = rand_of(first);
    struct numbers numbers;
    numbers_init(&numbers, &rand);
    return numbers;
}

static struct lb_endpoint end(const char *addr, uint16_t port) {
    struct lb_endpoint endpoint = {.port = port};
    CHECK(lb_addr_parse(lb_bytes_of_text(addr), &endpoint.addr));
    return endpoint;
}

static bool is_far(uint32_t a, uint32_t b) {
    return a - b > 0x10000 && b - a > 0x10000;
}

static void one_connection_after_the_other_goes_by_the_clock(void) {
    struct numbers numbers = numbers_of(1);
    struct lb_endpoint local = end("192.0.2.50", 50000), peer = end("192.0.2.1", 3260);
    uint32_t first = numbers_isn(&numbers, 0, local, peer);
    CHECK_EQ(numbers_isn(&numbers, 4, local, peer) - first, 1);
    CHECK_EQ(numbers_isn(&numbers, 4000000, local, peer) - first, 1000000);
    CHECK_EQ(numbers_isn(&numbers, UINT64_C(4) << 32, local, peer), first);
}

static void another_end_port_or_secret_says_nothing_of_it(void) {
    struct numbers numbers = numbers_of(1), other = numbers_of(2);
    struct lb_endpoint local = end("192.0.2.50", 50000), peer = end("192.0.2.1", 3260);
    uint32_t isn = numbers_isn(&numbers, 1000, local, peer);
    CHECK(is_far(isn, numbers_isn(&other, 1000, local, peer)));
    CHECK(is_far(isn, numbers_isn(&numbers, 1000, end("192.0.2.51", 50000), peer)));
    CHECK(is_far(isn, numbers_isn(&numbers, 1000, end("192.0.2.50", 50001), peer)));
    CHECK(is_far(isn, numbers_isn(&numbers, 1000, local, end("192.0.2.2", 3260))));
    CHECK(is_far(isn, numbers_isn(&numbers, 1000, local, end("192.0.2.1", 3261))));
    CHECK(is_far(isn, numbers_isn(&numbers, 1000, peer, local)));
}

static void both_families_have_numbers_of_their_own(void) {
    struct numbers numbers = numbers_of(1);
    struct lb_endpoint local = end("2001:db8::50", 50000), peer = end("2001:db8::1", 3260);
    uint32_t isn = numbers_isn(&numbers, 1000, local, peer);
    CHECK(is_far(isn, numbers_isn(&numbers, 1000, local, end("2001:db8::2", 3260))));
    CHECK(
        is_far(isn, numbers_isn(&numbers, 1000, end("192.0.2.50", 50000), end("192.0.2.1", 3260))));
}

static void no_identification_comes_twice_in_65536_packets(void) {
    static uint8_t seen[65536];
    struct numbers numbers = numbers_of(3);
    unsigned twice = 0, in_order = 0;
    for (uint32_t i = 0; i < 65536; i++) {
        uint16_t id = numbers_ip4_id(&numbers, (uint16_t)i);
        twice += seen[id]++;
        in_order += id == (uint16_t)(numbers_ip4_id(&numbers, (uint16_t)(i + 1)) - 1);
    }
    CHECK_EQ(twice, 0);
    CHECK(in_order < 16); /* one, by chance */
}

static void fragments_of_a_packet_share_an_identification_that_others_do_not_tell(void) {
    struct numbers numbers = numbers_of(4), other = numbers_of(5);
    CHECK_EQ(numbers_ip6_id(&numbers, 7), numbers_ip6_id(&numbers, 7));
    CHECK(is_far(numbers_ip6_id(&numbers, 7), numbers_ip6_id(&numbers, 8)));
    CHECK(is_far(numbers_ip6_id(&numbers, 7), numbers_ip6_id(&other, 7)));
}

/* A DHCPDISCOVER's headers, with the identification 1. */
static const uint8_t ip4_frame[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x52, 0x54,
                                    0,    0x12, 0x34, 0x56, 0x08, 0x00, /* Ethernet */
                                    0x45, 0x00, 0x00, 0x1c, 0x00, 0x01, 0x00, 0x00,
                                    0xff, 0x11, 0xbb, 0xd0, /* IP */
                                    0,    0,    0,    0,    255,  255,  255,  255,
                                    0,    68,   0,    67,   0,    8,    0,    0};

static void the_identification_of_a_frame_is_hidden_and_its_checksum_is_right(void) {
    struct numbers numbers = numbers_of(6);
    uint8_t frame[sizeof ip4_frame];
    memcpy(frame, ip4_frame, sizeof frame);
    CHECK_EQ(guard_sum(frame + 14, 20), 0xffff); /* the vector's own */
    numbers_hide_id(&numbers, lb_span(frame, sizeof frame));
    CHECK_EQ(frame[18] << 8 | frame[19], numbers_ip4_id(&numbers, 1));
    CHECK_EQ(guard_sum(frame + 14, 20), 0xffff);
    memcpy(frame + 18, ip4_frame + 18, 2);
    memcpy(frame + 24, ip4_frame + 24, 2);
    CHECK_BYTES(lb_bytes(frame, sizeof frame),
                lb_bytes(ip4_frame, sizeof frame)); /* nothing else has changed */
}

static void a_fragment_of_ipv6_is_hidden_and_a_whole_packet_is_not_touched(void) {
    struct numbers numbers = numbers_of(7);
    uint8_t frame[14 + 40 + 8 + 8] = {[12] = 0x86, [13] = 0xdd, [14] = 0x60, [20] = 44}, before[70];
    frame[61] = 9;
    numbers_hide_id(&numbers, lb_span(frame, sizeof frame));
    struct lb_rd rd = lb_rd(lb_bytes(frame + 58, 4));
    CHECK_EQ(lb_rd_u32(&rd), numbers_ip6_id(&numbers, 9));
    frame[20] = 6;
    memcpy(before, frame, sizeof frame);
    numbers_hide_id(&numbers, lb_span(frame, sizeof frame));
    CHECK_BYTES(lb_bytes(frame, sizeof frame), lb_bytes(before, sizeof frame));
}

static void frames_of_any_length_are_survived(void) {
    struct numbers numbers = numbers_of(8);
    uint8_t room[70];
    for (unsigned type = 0; type < 2; type++)
        for (size_t len = 0; len <= sizeof room; len++) {
            memset(room, 0xff, sizeof room);
            room[12] = type == 0 ? 0x08 : 0x86;
            room[13] = type == 0 ? 0x00 : 0xdd;
            room[20] = 44;
            numbers_hide_id(&numbers, lb_span(room, len));
            for (size_t i = len; i < sizeof room; i++)
                CHECK(room[i] == 0xff || i == 12 || i == 13 || i == 20);
        }
}

static void ports_are_dynamic_and_come_in_no_order(void) {
    struct lb_rand rand = rand_of(9);
    unsigned next = 0, high = 0;
    uint16_t last = 0;
    for (unsigned i = 0; i < 1000; i++) {
        uint16_t port = numbers_port(&rand);
        CHECK(port >= NUMBERS_PORT_FIRST);
        next += port == last + 1;
        high += port >= 57344;
        last = port;
    }
    CHECK(next < 3);
    CHECK(high > 400 && high < 600);
}

int main(void) {
    TEST(one_connection_after_the_other_goes_by_the_clock);
    TEST(another_end_port_or_secret_says_nothing_of_it);
    TEST(both_families_have_numbers_of_their_own);
    TEST(no_identification_comes_twice_in_65536_packets);
    TEST(fragments_of_a_packet_share_an_identification_that_others_do_not_tell);
    TEST(the_identification_of_a_frame_is_hidden_and_its_checksum_is_right);
    TEST(a_fragment_of_ipv6_is_hidden_and_a_whole_packet_is_not_touched);
    TEST(frames_of_any_length_are_survived);
    TEST(ports_are_dynamic_and_come_in_no_order);
    return tap_done();
}
