/* The targets of a server, without an engine: over a scripted target. */
#include "core/boot/listing.h"
#include "core/initiator/test_initiator_peer.h"

static struct lb_config config;
static struct lb_plan plan;
static struct lb_report report;
static struct lb_common common;
static struct lb_listing listing;

static void begin(void) {
    memset(&config, 0, sizeof config);
    plan = (struct lb_plan){.config = &config};
    peer_configure();
    peer.config.target[0] = 0;
    peer_connect();
    peer_log_in_with(TEXT("DefaultTime2Wait=0\0"));
    lb_report_init(&report, peer.now);
    common = (struct lb_common){.plan = &plan, .report = &report};
    lb_listing_init(&listing, &common);
}

static void answer(struct lb_bytes text) {
    struct lb_iscsi_pdu pdu = {
        .opcode = LB_OP_TEXT_RESPONSE, .final = true, .itt = peer.pdu.itt, .ttt = LB_ISCSI_NO_TAG};
    peer_give(&pdu, text);
}

static void what_is_shown_is_a_step_that_ends_with_the_list(void) {
    begin();
    lb_listing_show(&listing, peer.now, &peer.session);
    CHECK(peer_take_op(LB_OP_TEXT_REQUEST));
    CHECK(!lb_listing_is_shown(&listing, peer.now));
    CHECK_EQ(report.step_count, 1);
    CHECK_EQ(report.steps[0].stage, LB_STAGE_DISCOVERY);
    answer(TEXT("TargetName=iqn.2026-11.test:a\0TargetName=iqn.2026-11.test:b\0"));
    CHECK(lb_listing_is_shown(&listing, peer.now));
    CHECK_EQ(report.steps[0].outcome, LB_DONE_OK);
    CHECK_STR(report.steps[0].note, "2 found");
    CHECK_STR(listing.found[1].target, "iqn.2026-11.test:b");
}

static void a_list_that_is_too_long_keeps_what_is_allowed(void) {
    struct lb_error error = {.code = LB_OK};
    uint8_t room[4096];
    char line[80];
    struct lb_wr wr = lb_wr(lb_span(room, sizeof room));
    for (unsigned i = 0; i < LB_BOOT_TARGETS_MAX + 5; i++) {
        lb_format(line, sizeof line, "TargetName=iqn.2026-11.test:%u", i);
        lb_wr_bytes(&wr, lb_bytes((const uint8_t *)line, lb_strlen(line) + 1));
    }
    begin();
    CHECK(lb_config_set(&config, LB_SOURCE_FILE, lb_bytes_of_text("allow-target"),
                        lb_bytes_of_text("iqn.2026-11.test:36"), &error));
    lb_listing_ask(&listing, peer.now, &peer.session);
    CHECK(peer_take_op(LB_OP_TEXT_REQUEST));
    answer(lb_bytes(room, wr.len));
    bool is_kept = false;
    for (size_t i = 0; i < LB_BOOT_TARGETS_MAX; i++)
        is_kept = is_kept || lb_streq(listing.found[i].target, "iqn.2026-11.test:36");
    CHECK(is_kept);
    CHECK_EQ(report.step_count, 0); /* the finder has its own */
}

static void a_new_session_has_an_empty_list(void) {
    size_t dropped;
    begin();
    lb_listing_show(&listing, peer.now, &peer.session);
    CHECK(peer_take_op(LB_OP_TEXT_REQUEST));
    answer(TEXT("TargetName=iqn.2026-11.test:a\0"));
    CHECK_EQ(lb_initiator_targets_count(&listing.targets, &dropped), 1);
    lb_listing_clear(&listing);
    CHECK_EQ(lb_initiator_targets_count(&listing.targets, &dropped), -1);
    lb_listing_end_step(&listing, peer.now, "cancelled");
    CHECK_EQ(report.steps[0].outcome, LB_DONE_FAILED);
}

int main(void) {
    TEST(what_is_shown_is_a_step_that_ends_with_the_list);
    TEST(a_list_that_is_too_long_keeps_what_is_allowed);
    TEST(a_new_session_has_an_empty_list);
    return tap_done();
}
