#include "hosts/linux/arp.h"
#include "tests/tap.h"

static const uint8_t ours[6] = {2, 0, 0, 0, 0, 1};

static bool conflicts(const char *operation, const char *sender_mac, const char *sender,
                      const char *target) {
    char hex[200];
    lb_format(hex, sizeof(hex), "ffffffffffff %s 0806 0001 0800 06 04 %s %s %s 000000000000 %s",
              sender_mac, operation, sender_mac, sender, target);
    return lb_arp_is_conflict(tap_hex(hex), ours, lb_addr_v4(192, 0, 2, 77));
}

static void a_probe_is_a_request_without_a_sender_address(void) {
    uint8_t frame[LB_ARP_FRAME];
    lb_arp_build(frame, ours, lb_addr_v4(0, 0, 0, 0), lb_addr_v4(192, 0, 2, 77));
    CHECK_BYTES(lb_bytes(frame, sizeof(frame)),
                tap_hex("ffffffffffff 020000000001 0806 0001 0800 06 04 0001"
                        "020000000001 00000000 000000000000 c000024d"));
}

static void an_announcement_has_the_address_twice(void) {
    uint8_t frame[LB_ARP_FRAME];
    lb_arp_build(frame, ours, lb_addr_v4(192, 0, 2, 77), lb_addr_v4(192, 0, 2, 77));
    CHECK_BYTES(lb_bytes(frame + 28, 4), tap_hex("c000024d"));
    CHECK_BYTES(lb_bytes(frame + 38, 4), tap_hex("c000024d"));
}

static void who_answers_has_the_address(void) {
    CHECK(conflicts("0002", "020000000002", "c000024d", "00000000"));
}

static void who_asks_others_from_the_address_has_it(void) {
    CHECK(conflicts("0001", "020000000002", "c000024d", "c0000201"));
}

static void who_probes_for_it_too_is_a_conflict(void) {
    CHECK(conflicts("0001", "020000000002", "00000000", "c000024d"));
}

static void who_only_wants_to_speak_to_it_is_none(void) {
    CHECK(!conflicts("0001", "020000000002", "c0000201", "c000024d"));
}

static void our_own_frames_are_none(void) {
    CHECK(!conflicts("0001", "020000000001", "00000000", "c000024d"));
    CHECK(!conflicts("0002", "020000000001", "c000024d", "c000024d"));
}

static void other_addresses_and_other_operations_are_none(void) {
    CHECK(!conflicts("0002", "020000000002", "c000024e", "00000000"));
    CHECK(!conflicts("0003", "020000000002", "c000024d", "00000000"));
}

static void every_truncation_is_none(void) {
    struct lb_bytes frame = tap_hex("ffffffffffff 020000000002 0806 0001 0800 06 04 0002"
                                    "020000000002 c000024d 000000000000 c000024d");
    CHECK(lb_arp_is_conflict(frame, ours, lb_addr_v4(192, 0, 2, 77)));
    for (size_t len = 0; len < frame.len; len++)
        CHECK(!lb_arp_is_conflict(lb_bytes(frame.p, len), ours, lb_addr_v4(192, 0, 2, 77)));
}

int main(void) {
    TEST(a_probe_is_a_request_without_a_sender_address);
    TEST(an_announcement_has_the_address_twice);
    TEST(who_answers_has_the_address);
    TEST(who_asks_others_from_the_address_has_it);
    TEST(who_probes_for_it_too_is_a_conflict);
    TEST(who_only_wants_to_speak_to_it_is_none);
    TEST(our_own_frames_are_none);
    TEST(other_addresses_and_other_operations_are_none);
    TEST(every_truncation_is_none);
    return tap_done();
}
