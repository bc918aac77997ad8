/* Frames with ESP, and what must not pass in clear. On Linux. */
#include "hosts/uefi/esp.h"
#include "hosts/uefi/frame.h"
#include "tests/tap.h"

#define MACS "020000000001 020000000002 "

static uint8_t room[256];

static struct lb_span frame_of(const char *hex) {
    struct lb_bytes bytes = tap_hex(hex);
    memcpy(room, bytes.p, bytes.len);
    return lb_span(room, bytes.len);
}

static struct lb_bytes esp_of(const char *hex) {
    struct lb_endpoint from;
    struct lb_span esp = esp_of_frame(frame_of(hex), &from);
    return lb_bytes(esp.p, esp.len);
}

/* 192.0.2.1:4500 to 192.0.2.100:4500, eight bytes of ESP, two of padding behind the packet. */
#define ESP4                                                                                       \
    MACS "0800 4500 0024 0000 4000 40110000 c0000201 c0000264 "                                    \
         "1194 1194 0010 0000 c0ffee01 00000001 eeee"
#define ESP6                                                                                       \
    MACS "86dd 60000000 0010 1140 20010db8000000000000000000000001 "                               \
         "20010db8000000000000000000000002 1194 1194 0010 beef c0ffee01 00000001"

static void esp_is_found_in_both_families(void) {
    struct lb_endpoint from;
    struct lb_span esp = esp_of_frame(frame_of(ESP4), &from);
    CHECK_BYTES(lb_bytes(esp.p, esp.len), tap_hex("c0ffee01 00000001"));
    CHECK(esp.p == room + 42);
    CHECK_STR(lb_endpoint_text(from).s, "192.0.2.1:4500");
    esp = esp_of_frame(frame_of(ESP6), &from);
    CHECK_BYTES(lb_bytes(esp.p, esp.len), tap_hex("c0ffee01 00000001"));
    CHECK_STR(lb_endpoint_text(from).s, "[2001:db8::1]:4500");
}

static void what_is_no_esp_is_left_to_the_stack(void) {
    const char *others[] = {
        /* IKE; a keepalive; another port; TCP; a fragment; ARP; IPv6 behind a header more */
        MACS
        "0800 4500 0024 0000 4000 40110000 c0000201 c0000264 1194 1194 0010 0000 00000000 00000001",
        MACS "0800 4500 001d 0000 4000 40110000 c0000201 c0000264 1194 1194 0009 0000 ff",
        MACS
        "0800 4500 0024 0000 4000 40110000 c0000201 c0000264 1194 0044 0010 0000 c0ffee01 00000001",
        MACS
        "0800 4500 0024 0000 4000 40060000 c0000201 c0000264 1194 1194 0010 0000 c0ffee01 00000001",
        MACS
        "0800 4500 0024 0000 2000 40110000 c0000201 c0000264 1194 1194 0010 0000 c0ffee01 00000001",
        MACS "0806 0001 0800 0604 0001 020000000002 c0000201 000000000000 c0000264",
        MACS
        "86dd 60000000 0018 3c40 20010db8000000000000000000000001 "
        "20010db8000000000000000000000002 1100010400000000 1194 1194 0010 0000 c0ffee01 00000001",
    };
    for (size_t i = 0; i < LB_COUNT(others); i++)
        CHECK_EQ(esp_of(others[i]).len, 0);
}

static void lengths_that_lie_find_nothing(void) {
    struct lb_endpoint from;
    struct lb_bytes whole = tap_hex(ESP4);
    for (size_t len = 0; len < whole.len - 2; len++)
        CHECK_EQ(esp_of_frame(lb_span(frame_of(ESP4).p, len), &from).len, 0);
    for (unsigned udp = 0; udp < 0x100; udp++) {
        struct lb_span frame = frame_of(ESP4);
        frame.p[39] = (uint8_t)udp;
        size_t found = esp_of_frame(frame, &from).len;
        CHECK_EQ(found, udp >= 12 && udp <= 16 ? udp - 8 : 0);
    }
    for (unsigned words = 0; words < 16; words++) {
        struct lb_span frame = frame_of(ESP4);
        frame.p[14] = (uint8_t)(0x40 | words);
        CHECK(words == 5 || esp_of_frame(frame, &from).len == 0);
    }
}

static void a_packet_that_came_out_is_a_frame_of_the_same_sender(void) {
    struct lb_span frame = frame_of(ESP4);
    frame.p[46] = 0x60;
    struct lb_span out = esp_frame_of(frame, lb_bytes(room + 46, 4));
    CHECK(out.p == room + 32 && out.len == FRAME_HEADER + 4);
    CHECK_BYTES(lb_bytes(out.p, 15), tap_hex(MACS "86dd 60"));
    out.p[14] = 0x45;
    out = esp_frame_of(lb_span(out.p, out.len), lb_bytes(out.p + 14, 4));
    CHECK_BYTES(lb_bytes(out.p, 15), tap_hex(MACS "0800 45"));
}

static struct lb_endpoint at(uint8_t last, uint16_t port) {
    return (struct lb_endpoint){.addr = lb_addr_v4(192, 0, 2, last), .port = port};
}

static void a_guard_is_of_one_port_and_protocol(void) {
    struct esp_guards guards = {0};
    CHECK(!esp_is_guarded(&guards, ESP_TCP, at(1, 3260)));
    CHECK(esp_guard(&guards, ESP_TCP, at(1, 3260)) && esp_guard(&guards, ESP_TCP, at(1, 3260)));
    CHECK_EQ(guards.count, 1);
    CHECK(esp_is_guarded(&guards, ESP_TCP, at(1, 3260)));
    CHECK(!esp_is_guarded(&guards, ESP_UDP, at(1, 3260)));
    CHECK(!esp_is_guarded(&guards, ESP_TCP, at(1, 3261)));
    CHECK(!esp_is_guarded(&guards, ESP_TCP, at(2, 3260)));
}

static void there_is_room_for_some_and_no_more(void) {
    struct esp_guards guards = {0};
    for (unsigned i = 0; i < ESP_GUARDS_MAX; i++)
        CHECK(esp_guard(&guards, ESP_TCP, at((uint8_t)i, 3260)));
    CHECK(!esp_guard(&guards, ESP_TCP, at(99, 3260)));
    CHECK(!esp_is_guarded(&guards, ESP_TCP, at(99, 3260)));
    CHECK(esp_guard(&guards, ESP_TCP, at(3, 3260)));
}

static bool is_kept_back(const struct esp_guards *guards, const char *hex) {
    return esp_guards_packet(guards, tap_hex(hex));
}

static void packets_to_a_guarded_port_are_kept_back(void) {
    struct esp_guards guards = {0};
    const char *segment =
        "4500 0028 0000 4000 40060000 c0000264 c0000201 c000 0cbc 00000001 00000000 "
        "50022000 00000000";
    const char *segment6 = "60000000 0014 0640 20010db8000000000000000000000002 "
                           "20010db8000000000000000000000001 c000 0cbc 00000001 00000000 50022000 "
                           "00000000";
    struct lb_endpoint peer6 = {.port = 3260};
    CHECK(lb_addr_parse(lb_bytes_of_text("2001:db8::1"), &peer6.addr));
    CHECK(!is_kept_back(&guards, segment));
    esp_guard(&guards, ESP_TCP, at(1, 3260));
    CHECK(is_kept_back(&guards, segment) && !is_kept_back(&guards, segment6));
    esp_guard(&guards, ESP_TCP, peer6);
    CHECK(is_kept_back(&guards, segment6));
    /* from that port, to another, another protocol */
    CHECK(!is_kept_back(&guards,
                        "4500 0028 0000 4000 40060000 c0000201 c0000264 0cbc c000 00000001 "
                        "00000000 50022000 00000000"));
    CHECK(!is_kept_back(&guards,
                        "4500 0028 0000 4000 40060000 c0000264 c0000201 c000 0cbd 00000001 "
                        "00000000 50022000 00000000"));
    CHECK(!is_kept_back(&guards,
                        "4500 001c 0000 4000 40110000 c0000264 c0000201 c000 0cbc 0008 0000"));
}

int main(void) {
    TEST(esp_is_found_in_both_families);
    TEST(what_is_no_esp_is_left_to_the_stack);
    TEST(lengths_that_lie_find_nothing);
    TEST(a_packet_that_came_out_is_a_frame_of_the_same_sender);
    TEST(a_guard_is_of_one_port_and_protocol);
    TEST(there_is_room_for_some_and_no_more);
    TEST(packets_to_a_guarded_port_are_kept_back);
    return tap_done();
}
