/* ARP: what a frame claims, and the probe for an address (RFC 826, 5227). */
#include "core/arp/arp.h"
#include "tests/tap.h"

#define OTHER "020000000002"

static const uint8_t ours[6] = {2, 0, 0, 0, 0, 1};

static struct lb_bytes frame(const char *operation, const char *mac, const char *sender,
                             const char *target) {
    char hex[200];
    lb_format(hex, sizeof hex, "ffffffffffff %s 0806 0001 0800 06 04 %s %s %s 000000000000 %s", mac,
              operation, mac, sender, target);
    return tap_hex(hex);
}

static const char *claimed(const char *operation, const char *mac, const char *sender,
                           const char *target) {
    static struct lb_addr_text text;
    struct lb_addr addr = lb_arp_claimed(frame(operation, mac, sender, target), ours);
    text = lb_addr_text(addr);
    return lb_addr_is_set(addr) ? text.s : "";
}

/* ---- the wire -------------------------------------------------------------------------------- */

static void a_probe_is_a_request_without_a_sender_address(void) {
    uint8_t made[LB_ARP_FRAME];
    lb_arp_build(made, ours, lb_addr_v4(0, 0, 0, 0), lb_addr_v4(192, 0, 2, 77));
    CHECK_BYTES(lb_bytes(made, sizeof made),
                tap_hex("ffffffffffff 020000000001 0806 0001 0800 06 04 0001"
                        "020000000001 00000000 000000000000 c000024d"));
}

static void an_announcement_has_the_address_twice(void) {
    uint8_t made[LB_ARP_FRAME];
    lb_arp_build(made, ours, lb_addr_v4(192, 0, 2, 77), lb_addr_v4(192, 0, 2, 77));
    CHECK_BYTES(lb_bytes(made + 28, 4), tap_hex("c000024d"));
    CHECK_BYTES(lb_bytes(made + 38, 4), tap_hex("c000024d"));
}

static void a_machine_that_sends_arp_from_an_address_has_it(void) {
    CHECK_STR(claimed("0002", OTHER, "c000024d", "00000000"), "192.0.2.77");
    CHECK_STR(claimed("0001", OTHER, "c000024d", "c0000201"), "192.0.2.77");
}

static void a_machine_that_asks_for_an_address_to_speak_to_it_claims_its_own(void) {
    CHECK_STR(claimed("0001", OTHER, "c0000201", "c000024d"), "192.0.2.1");
}

static void a_machine_that_probes_for_an_address_is_about_to_use_it(void) {
    CHECK_STR(claimed("0001", OTHER, "00000000", "c000024d"), "192.0.2.77");
    CHECK_STR(claimed("0002", OTHER, "00000000", "c000024d"), "");
}

static void our_own_frames_claim_nothing(void) {
    CHECK_STR(claimed("0001", "020000000001", "00000000", "c000024d"), "");
    CHECK_STR(claimed("0002", "020000000001", "c000024d", "c000024d"), "");
}

static void other_operations_and_protocols_claim_nothing(void) {
    struct lb_bytes good = frame("0002", OTHER, "c000024d", "c000024d");
    uint8_t bytes[LB_ARP_FRAME];
    CHECK_STR(claimed("0003", OTHER, "c000024d", "00000000"), "");
    CHECK(lb_addr_is_set(lb_arp_claimed(good, ours)));
    for (size_t at = 12; at < 20; at++) { /* type, hardware, protocol, lengths */
        memcpy(bytes, good.p, sizeof bytes);
        bytes[at] ^= 0x10;
        CHECK(!lb_addr_is_set(lb_arp_claimed(lb_bytes(bytes, sizeof bytes), ours)));
    }
}

static void every_truncation_claims_nothing(void) {
    struct lb_bytes good = frame("0002", OTHER, "c000024d", "c000024d");
    for (size_t len = 0; len < good.len; len++)
        CHECK(!lb_addr_is_set(lb_arp_claimed(lb_bytes(good.p, len), ours)));
}

/* ---- the probe ------------------------------------------------------------------------------- */

static struct lb_arp_probe probe;
static struct lb_addr wanted;

static void start(void) {
    wanted = lb_addr_v4(192, 0, 2, 77);
    lb_arp_start(&probe, 1000, wanted);
}

static void an_address_that_nobody_claims_is_free_after_two_probes(void) {
    start();
    CHECK_EQ(lb_arp_poll(&probe, 1000), LB_ARP_SEND);
    CHECK_EQ(lb_arp_poll(&probe, 1000), LB_ARP_WAIT);
    CHECK_EQ(probe.until_us, 1000 + LB_ARP_INTERVAL_US);
    CHECK_EQ(lb_arp_poll(&probe, 999 + LB_ARP_INTERVAL_US), LB_ARP_WAIT);
    CHECK_EQ(lb_arp_poll(&probe, 1000 + LB_ARP_INTERVAL_US), LB_ARP_SEND);
    CHECK_EQ(lb_arp_poll(&probe, 999 + 2 * LB_ARP_INTERVAL_US), LB_ARP_WAIT);
    CHECK_EQ(lb_arp_poll(&probe, 1000 + 2 * LB_ARP_INTERVAL_US), LB_ARP_FREE);
    CHECK_EQ(lb_arp_poll(&probe, 1000 + 3 * LB_ARP_INTERVAL_US), LB_ARP_WAIT); /* said once */
    CHECK_EQ(probe.until_us, LB_NEVER);
}

static void an_address_that_somebody_claims_is_taken_at_once(void) {
    start();
    CHECK_EQ(lb_arp_poll(&probe, 1000), LB_ARP_SEND);
    lb_arp_heard(&probe, frame("0002", OTHER, "c000024d", "00000000"), ours);
    CHECK_EQ(lb_arp_poll(&probe, 1001), LB_ARP_TAKEN);
    CHECK_EQ(lb_arp_poll(&probe, 1002), LB_ARP_WAIT);
}

static void a_claim_of_another_address_changes_nothing(void) {
    start();
    CHECK_EQ(lb_arp_poll(&probe, 1000), LB_ARP_SEND);
    lb_arp_heard(&probe, frame("0002", OTHER, "c000024e", "00000000"), ours);
    lb_arp_heard(&probe, frame("0001", "020000000001", "00000000", "c000024d"), ours);
    CHECK_EQ(lb_arp_poll(&probe, 1001), LB_ARP_WAIT);
}

static void a_claim_that_comes_before_the_question_or_after_the_answer_is_no_answer(void) {
    probe = (struct lb_arp_probe){0};
    lb_arp_heard(&probe, frame("0002", OTHER, "c000024d", "00000000"), ours);
    CHECK_EQ(lb_arp_poll(&probe, 1000), LB_ARP_WAIT);
    start();
    CHECK_EQ(lb_arp_poll(&probe, 1000), LB_ARP_SEND);
}

int main(void) {
    TEST(a_probe_is_a_request_without_a_sender_address);
    TEST(an_announcement_has_the_address_twice);
    TEST(a_machine_that_sends_arp_from_an_address_has_it);
    TEST(a_machine_that_asks_for_an_address_to_speak_to_it_claims_its_own);
    TEST(a_machine_that_probes_for_an_address_is_about_to_use_it);
    TEST(our_own_frames_claim_nothing);
    TEST(other_operations_and_protocols_claim_nothing);
    TEST(every_truncation_claims_nothing);
    TEST(an_address_that_nobody_claims_is_free_after_two_probes);
    TEST(an_address_that_somebody_claims_is_taken_at_once);
    TEST(a_claim_of_another_address_changes_nothing);
    TEST(a_claim_that_comes_before_the_question_or_after_the_answer_is_no_answer);
    return tap_done();
}
