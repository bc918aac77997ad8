/* Tags of VLANs. On Linux. */
#include "hosts/uefi/frame.h"
#include "tests/tap.h"

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

int main(void) {
    TEST(a_frame_without_a_tag_stays_as_it_is);
    TEST(a_tag_of_vlan_0_is_taken_away_whatever_its_priority);
    TEST(frames_of_another_vlan_are_nobodys);
    TEST(a_frame_that_is_cut_is_nobodys);
    return tap_done();
}
