/* Tags of VLANs, and what ARP says of addresses. On Linux. */
#include "hosts/uefi/frame.h"
#include "tests/tap.h"

static const uint8_t ours[6] = {2, 0, 0, 0, 0, 1};
static uint8_t room[128];

static struct lb_bytes untagged(const char *hex) {
    struct lb_bytes frame = tap_hex(hex);
    memcpy(room, frame.p, frame.len);
    return lb_bytes(room, frame_untag(room, frame.len));
}

#define MACS "020000000001 020000000002 "

static void a_frame_without_a_tag_stays_as_it_is(void) {
    CHECK_BYTES(untagged(MACS "0800 45000102"), tap_hex(MACS "0800 45000102"));
    CHECK_EQ(untagged(MACS "0800").len, 14);
}

static void a_tag_of_vlan_0_is_taken_away_whatever_its_priority(void) {
    CHECK_BYTES(untagged(MACS "8100 0000 0800 45000102"), tap_hex(MACS "0800 45000102"));
    CHECK_BYTES(untagged(MACS "8100 6000 0800 45000102"), tap_hex(MACS "0800 45000102"));
    CHECK_BYTES(untagged(MACS "8100 f000 86dd 60"), tap_hex(MACS "86dd 60"));
    CHECK_BYTES(untagged(MACS "88a8 0000 8100 e000 0806 00"), tap_hex(MACS "0806 00"));
}

static void frames_of_another_vlan_are_nobodys(void) {
    CHECK_EQ(untagged(MACS "8100 0001 0800 45000102").len, 0);
    CHECK_EQ(untagged(MACS "8100 6fff 0800 45000102").len, 0);
    CHECK_EQ(untagged(MACS "8100 0000 8100 0064 0800 45000102").len, 0);
}

static void a_frame_that_is_cut_is_nobodys(void) {
    struct lb_bytes whole = tap_hex(MACS "8100 0000 0800");
    for (size_t len = 0; len < whole.len; len++) {
        memcpy(room, whole.p, len);
        CHECK_EQ(frame_untag(room, len), 0);
    }
    memcpy(room, whole.p, whole.len);
    CHECK_EQ(frame_untag(room, whole.len), 14);
}

static const char *claimed(const char *operation, const char *mac, const char *sender,
                           const char *target) {
    static struct lb_addr_text text;
    char hex[200];
    lb_format(hex, sizeof hex, "ffffffffffff %s 0806 0001 0800 06 04 %s %s %s 000000000000 %s", mac,
              operation, mac, sender, target);
    struct lb_addr addr = frame_claimed(tap_hex(hex), ours);
    text = lb_addr_text(addr);
    return lb_addr_is_set(addr) ? text.s : "";
}

#define OTHER "020000000002"

static void who_sends_arp_from_an_address_has_it(void) {
    CHECK_STR(claimed("0002", OTHER, "c000024d", "00000000"), "192.0.2.77");
    CHECK_STR(claimed("0001", OTHER, "c000024d", "c0000201"), "192.0.2.77");
    CHECK_STR(claimed("0001", OTHER, "c0000201", "c000024d"), "192.0.2.1");
}

static void who_probes_for_an_address_is_about_to_use_it(void) {
    CHECK_STR(claimed("0001", OTHER, "00000000", "c000024d"), "192.0.2.77");
    CHECK_STR(claimed("0002", OTHER, "00000000", "c000024d"), "");
}

static void our_own_frames_say_nothing(void) {
    CHECK_STR(claimed("0001", "020000000001", "00000000", "c000024d"), "");
    CHECK_STR(claimed("0002", "020000000001", "c000024d", "c000024d"), "");
}

static void other_operations_and_truncations_say_nothing(void) {
    struct lb_bytes frame = tap_hex("ffffffffffff 020000000002 0806 0001 0800 06 04 0002"
                                    "020000000002 c000024d 000000000000 c000024d");
    CHECK_STR(claimed("0003", OTHER, "c000024d", "c000024d"), "");
    CHECK(lb_addr_is_set(frame_claimed(frame, ours)));
    for (size_t len = 0; len < frame.len; len++)
        CHECK(!lb_addr_is_set(frame_claimed(lb_bytes(frame.p, len), ours)));
}

int main(void) {
    TEST(a_frame_without_a_tag_stays_as_it_is);
    TEST(a_tag_of_vlan_0_is_taken_away_whatever_its_priority);
    TEST(frames_of_another_vlan_are_nobodys);
    TEST(a_frame_that_is_cut_is_nobodys);
    TEST(who_sends_arp_from_an_address_has_it);
    TEST(who_probes_for_an_address_is_about_to_use_it);
    TEST(our_own_frames_say_nothing);
    TEST(other_operations_and_truncations_say_nothing);
    return tap_done();
}
