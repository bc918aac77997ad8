#include "os/linux/packet.h"
#include "tests/tap.h"

static const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};
static uint8_t room[LB_PACKET_MAX];

static struct lb_endpoint endpoint(uint8_t last, uint16_t port) {
    struct lb_addr addr = last == 0     ? lb_addr_v4(0, 0, 0, 0)
                          : last == 255 ? lb_addr_v4(255, 255, 255, 255)
                                        : lb_addr_v4(192, 0, 2, last);
    return (struct lb_endpoint){addr, port};
}

/* A server's answer to port 68, as a frame in `room`. */
static struct lb_bytes answer(const char *payload) {
    return lb_packet_build(mac, endpoint(1, 67), endpoint(255, 68), lb_bytes_of_text(payload),
                           lb_span(room, sizeof(room)));
}

static bool parses(struct lb_bytes frame, bool is_checked) {
    struct lb_endpoint from;
    struct lb_bytes payload;
    return lb_packet_parse(frame, is_checked, 68, &from, &payload);
}

static void a_frame_has_its_headers_byte_for_byte(void) {
    struct lb_bytes frame = lb_packet_build(mac, endpoint(0, 68), endpoint(255, 67),
                                            lb_bytes("abc", 3), lb_span(room, sizeof(room)));
    /* The checksums were computed by hand: RFC 1071 over the header, and over RFC 768's pseudo
     * header, header and data with one byte of padding. */
    CHECK_BYTES(frame, tap_hex("ffffffffffff 020000000001 0800"
                               "4500 001f 0000 4000 4011 3acf 00000000 ffffffff"
                               "0044 0043 000b 3aef 616263"));
}

static void what_was_built_parses_again(void) {
    struct lb_endpoint from;
    struct lb_bytes payload, frame = answer("an answer of odd length");
    CHECK(lb_packet_parse(frame, true, 68, &from, &payload));
    CHECK(lb_endpoint_equal(from, endpoint(1, 67)));
    CHECK_BYTES(payload, lb_bytes_of_text("an answer of odd length"));
}

static void what_does_not_fit_into_the_room_is_not_built(void) {
    static uint8_t large[1600];
    CHECK_EQ(lb_packet_build(mac, endpoint(0, 68), endpoint(255, 67), lb_bytes(large, 1501),
                             lb_span(room, sizeof(room)))
                 .len,
             0);
    CHECK_EQ(lb_packet_build(mac, endpoint(0, 68), endpoint(255, 67), lb_bytes(large, 1500),
                             lb_span(room, sizeof(room)))
                 .len,
             1542);
}

static void every_truncation_is_refused(void) {
    struct lb_bytes frame = answer("payload");
    for (size_t len = 0; len < frame.len; len++)
        CHECK(!parses(lb_bytes(frame.p, len), true));
    CHECK(parses(frame, true));
}

static void every_damaged_byte_behind_the_link_header_is_noticed(void) {
    struct lb_bytes frame = answer("payload");
    for (size_t i = 14; i < frame.len; i++) {
        room[i] ^= 0x10;
        CHECK(!parses(frame, true));
        room[i] ^= 0x10;
    }
}

static void ethernet_padding_is_not_payload(void) {
    struct lb_endpoint from;
    struct lb_bytes payload, frame = answer("x");
    memset(room + frame.len, 0, 60 - frame.len);
    CHECK(lb_packet_parse(lb_bytes(room, 60), true, 68, &from, &payload));
    CHECK_BYTES(payload, lb_bytes("x", 1));
}

static void a_checksum_left_to_hardware_is_not_checked(void) {
    struct lb_bytes frame = answer("payload");
    room[14 + 20 + 6] ^= 0xff;
    CHECK(!parses(frame, true));
    CHECK(parses(frame, false));
}

static void a_sender_may_leave_out_the_checksum(void) {
    struct lb_bytes frame = answer("payload");
    room[14 + 20 + 6] = room[14 + 20 + 7] = 0;
    CHECK(parses(frame, true));
}

static void another_port_is_not_ours(void) {
    struct lb_endpoint from;
    struct lb_bytes payload;
    CHECK(!lb_packet_parse(answer("payload"), true, 69, &from, &payload));
}

/* Changes a byte of the IP header, and mends its checksum. */
static void change_ip(size_t offset, uint8_t value) {
    uint32_t sum = 0;
    room[14 + offset] = value;
    room[14 + 10] = room[14 + 11] = 0;
    for (size_t i = 0; i < 20; i += 2)
        sum += (uint32_t)room[14 + i] << 8 | room[14 + i + 1];
    sum = (sum & 0xffff) + (sum >> 16);
    sum = ~((sum & 0xffff) + (sum >> 16));
    room[14 + 10] = (uint8_t)(sum >> 8);
    room[14 + 11] = (uint8_t)sum;
}

static void fragments_other_protocols_and_other_versions_are_refused(void) {
    static const struct {
        size_t offset;
        uint8_t value;
    } rows[] = {{6, 0x20}, {7, 1}, {9, 6}, {0, 0x65}, {0, 0x44}, {0, 0x4f}, {2, 0x40}, {3, 10}};
    for (size_t i = 0; i < LB_COUNT(rows); i++) {
        struct lb_bytes frame = answer("payload");
        change_ip(rows[i].offset, rows[i].value);
        CHECK(!parses(frame, false));
    }
}

static void a_udp_length_beyond_the_datagram_is_refused(void) {
    struct lb_bytes frame = answer("payload");
    room[14 + 20 + 5]++;
    CHECK(!parses(frame, false));
    room[14 + 20 + 5] = 7;
    CHECK(!parses(frame, false));
}

/* Both checksums by RFC 1071: the sums of the other words, folded, inverted. */
static void a_packet_is_ipv4_and_udp_without_ethernet(void) {
    struct lb_endpoint from = endpoint(1, 67), to = endpoint(2, 68);
    struct lb_bytes payload = lb_bytes("DHCP", 4);
    CHECK_BYTES(lb_packet_build_ipv4(from, to, payload, lb_span(room, sizeof(room))),
                tap_hex("4500 0020 0000 4000 4011 b6c9 c000 0201 c000 0202"
                        "0043 0044 000c f3b2 44484350"));
    CHECK_EQ(lb_packet_build_ipv4(from, to, payload, lb_span(room, 31)).len, 0);
}

int main(void) {
    TEST(a_frame_has_its_headers_byte_for_byte);
    TEST(what_was_built_parses_again);
    TEST(what_does_not_fit_into_the_room_is_not_built);
    TEST(every_truncation_is_refused);
    TEST(every_damaged_byte_behind_the_link_header_is_noticed);
    TEST(ethernet_padding_is_not_payload);
    TEST(a_checksum_left_to_hardware_is_not_checked);
    TEST(a_sender_may_leave_out_the_checksum);
    TEST(another_port_is_not_ours);
    TEST(fragments_other_protocols_and_other_versions_are_refused);
    TEST(a_udp_length_beyond_the_datagram_is_refused);
    TEST(a_packet_is_ipv4_and_udp_without_ethernet);
    return tap_done();
}
