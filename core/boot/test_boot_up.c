/* The disk in use, the end of it, and the end that a person wants. */
#include "core/boot/test_boot_host.h"

#define OPS 300

static struct lb_disk_op ops[OPS];
static uint8_t buffers[OPS][512];
static unsigned completions[OPS];

static void clear_ops(void) {
    memset(ops, 0, sizeof ops);
    memset(completions, 0, sizeof completions);
}

static void submit(unsigned number, enum lb_disk_kind kind) {
    ops[number] = (struct lb_disk_op){
        .kind = kind, .lba = number, .blocks = 1, .buffer = buffers[number], .user = number};
    lb_boot_submit(&host.boot, host.now, &ops[number]);
}

/* Takes what is complete, and gives how many. */
static unsigned take_completed(void) {
    struct lb_disk_op *op;
    unsigned count = 0;
    while ((op = lb_boot_completed(&host.boot)) != NULL) {
        completions[op->user]++;
        count++;
    }
    return count;
}

/* Each of the first `count` requests has had one end, with this error. */
static void check_ends(unsigned count, enum lb_code code) {
    unsigned once = 0, with_code = 0;
    for (unsigned i = 0; i < count; i++) {
        once += completions[i] == 1;
        with_code += ops[i].error.code == code;
    }
    CHECK_EQ(once, count);
    if (!CHECK_EQ(with_code, count))
        tap_note("%s: %s", lb_code_word(ops[0].error.code), ops[0].error.facts);
}

static bool up(void) {
    host_init();
    clear_ops();
    for (size_t i = 0; i < HOST_DISK_BYTES; i++)
        host.disk[i] = (uint8_t)(i / 512 * 7 + i % 512);
    return host_boots();
}

/* ---- reading and writing -------------------------------------------------------------------- */

static void the_disk_is_read_and_written_through_the_engine(void) {
    if (!up())
        return;
    CHECK_EQ(lb_boot_disk(&host.boot)->blocks, HOST_DISK_BYTES / 512);
    submit(3, LB_DISK_READ);
    host_pass(SEC);
    CHECK_EQ(take_completed(), 1);
    CHECK_BYTES(lb_bytes(buffers[3], 512), lb_bytes(host.disk + 3 * 512, 512));
    memset(buffers[4], 0xa5, 512);
    submit(4, LB_DISK_WRITE);
    submit(5, LB_DISK_FLUSH);
    host_pass(SEC);
    CHECK_EQ(take_completed(), 2);
    CHECK_BYTES(lb_bytes(host.disk + 4 * 512, 512), lb_bytes(buffers[4], 512));
    CHECK_EQ(host.flushes, 1);
}

static void a_cut_connection_is_a_pause_for_the_reader(void) {
    if (!up())
        return;
    for (unsigned i = 0; i < 64; i++)
        submit(i, LB_DISK_READ);
    host_cut();
    host_pass(20 * SEC);
    CHECK_EQ(take_completed(), 64);
    check_ends(64, LB_OK);
    CHECK_EQ(lb_initiator_logins(lb_boot_session(&host.boot)), 2);
    CHECK_EQ(host.seen[LB_BOOT_READY], 1);
}

static void a_target_that_asks_us_to_log_out_gets_us_back(void) {
    if (!up())
        return;
    lb_target_ask_logout(&host.conn, host.now, 3);
    submit(0, LB_DISK_READ);
    host_pass(20 * SEC);
    CHECK_EQ(take_completed(), 1);
    check_ends(1, LB_OK);
    CHECK_EQ(lb_initiator_logins(lb_boot_session(&host.boot)), 2);
}

/* ---- the session is lost for good ----------------------------------------------------------- */

static void a_lost_session_ends_each_request_once_and_then_the_boot(void) {
    if (!up())
        return;
    for (unsigned i = 0; i < OPS; i++)
        submit(i, LB_DISK_READ);
    host.portals[0].answer = REFUSES;
    uint64_t start = host.now;
    host_cut();
    host_ends(LB_E_CONNECTION_LOST, "connect-refused");
    CHECK(host.now - start >= 100 * SEC && host.now - start <= 130 * SEC); /* recovery-time */
    CHECK_EQ(take_completed(), OPS);
    check_ends(OPS, LB_E_CONNECTION_LOST);
    CHECK_EQ(host.boot.attempts.begun, 1); /* what was read may belong to another disk by now */
    CHECK_EQ(host.seen[LB_BOOT_READY], 1);
}

static void a_request_after_the_end_fails_at_once(void) {
    if (!up())
        return;
    host.portals[0].answer = REFUSES;
    host_cut();
    host_ends(LB_E_CONNECTION_LOST, "");
    submit(0, LB_DISK_READ);
    submit(1, LB_DISK_FLUSH);
    CHECK_EQ(take_completed(), 2);
    check_ends(2, LB_E_CONNECTION_LOST);
}

static void a_target_that_is_gone_after_its_restart_is_told_as_such(void) {
    if (!up())
        return;
    submit(0, LB_DISK_READ);
    host.portals[0].node.login_status = LB_LOGIN_NOT_FOUND;
    host_cut();
    host_ends(LB_E_TARGET_NOT_FOUND, HOST_TARGET);
    CHECK_EQ(take_completed(), 1);
    check_ends(1, LB_E_TARGET_NOT_FOUND);
}

static void a_redirect_off_the_list_ends_the_disk_too(void) {
    host_init();
    clear_ops();
    host_set("allow-server", "192.0.2.0/24");
    if (!host_boots())
        return;
    submit(0, LB_DISK_READ);
    host.portals[0].node.login_status = LB_LOGIN_MOVED_TEMPORARILY;
    lb_text_copy(host.portals[0].node.redirect, sizeof host.portals[0].node.redirect,
                 lb_bytes_of_text("203.0.113.1:3260"));
    host_cut();
    host_ends(LB_E_SERVER_NOT_ALLOWED, "203.0.113.1");
    CHECK_EQ(take_completed(), 1);
    check_ends(1, LB_E_SERVER_NOT_ALLOWED);
}

static void a_session_that_lost_its_protection_ends_the_disk(void) {
    host_init();
    clear_ops();
    host_set("require", "header-digest");
    host.portals[0].node.header_digest = LB_DIGEST_PREFER;
    if (!host_boots())
        return;
    submit(0, LB_DISK_READ);
    host.portals[0].node.header_digest = LB_DIGEST_NONE;
    host_cut();
    host_ends(LB_E_REQUIRE_NOT_MET, "HeaderDigest");
    CHECK_EQ(take_completed(), 1);
    check_ends(1, LB_E_REQUIRE_NOT_MET);
}

/* ---- stop ----------------------------------------------------------------------------------- */

static void stop(bool release) {
    lb_boot_stop(&host.boot, host.now, release);
    CHECK(host_until(LB_BOOT_OUT));
    CHECK(host.peer == NULL);
    CHECK_EQ(host_steps_running(), 0);
}

static void stop_logs_out_and_keeps_the_lease(void) {
    if (!up())
        return;
    uint64_t start = host.now;
    stop(false);
    CHECK(host.now - start < 100 * LB_US_MS);
    CHECK_STR(lb_target_reason(&host.conn), "logged out");
    CHECK_EQ(host.dhcp_sent[LB_DHCP4_RELEASE], 0);
    CHECK_EQ(host.seen[LB_BOOT_CLEAR_ADDRESS], 0);
    CHECK(host.has_address);
    CHECK(lb_is_ok(host_error()));
}

static void stop_with_release_gives_the_address_back_after_the_logout(void) {
    if (!up())
        return;
    lb_boot_stop(&host.boot, host.now, true);
    CHECK(host_until(LB_BOOT_SEND));
    CHECK_EQ(host.dhcp_last.type, LB_DHCP4_RELEASE);
    CHECK(host.peer == NULL); /* nothing uses it any more */
    CHECK(host.has_address);
    CHECK(host_until(LB_BOOT_OUT));
    CHECK(!host.has_address);
    CHECK_EQ(host.dhcp_sent[LB_DHCP4_RELEASE], 1);
    CHECK(!host.bindings[0][0].leased || host.bindings[0][0].until_us <= host.now);
}

static void stop_lets_requests_end_first(void) {
    if (!up())
        return;
    for (unsigned i = 0; i < 64; i++)
        submit(i, LB_DISK_READ);
    stop(false);
    CHECK_EQ(take_completed(), 64);
    check_ends(64, LB_OK);
}

static void stop_does_not_wait_for_ever_for_a_silent_target(void) {
    if (!up())
        return;
    submit(0, LB_DISK_READ);
    host.peer = NULL; /* nothing comes and nothing is taken */
    uint64_t start = host.now;
    stop(false);
    CHECK(host.now - start <= 2 * SEC);
    CHECK_EQ(take_completed(), 1);
    check_ends(1, LB_E_CANCELLED);
}

static void stop_while_the_session_is_away_ends_its_requests(void) {
    if (!up())
        return;
    submit(0, LB_DISK_READ);
    host.portals[0].answer = REFUSES;
    host_cut();
    host_pass(5 * SEC);
    stop(false);
    CHECK_EQ(take_completed(), 1);
    check_ends(1, LB_E_CANCELLED);
}

static void stop_works_in_every_state(void) {
    static const struct {
        bool has_link, dhcp;
        enum answer answer;
        enum lb_boot_state state;
    } cases[] = {
        {false, true, ACCEPTS, LB_AT_LINK},
        {true, false, ACCEPTS, LB_AT_DHCP},
        {true, true, IS_SILENT, LB_AT_SESSION},
        {true, true, REFUSES, LB_AT_BACKOFF},
    };
    for (size_t i = 0; i < LB_COUNT(cases); i++) {
        host_init();
        host.has_link = cases[i].has_link;
        host.portals[0].answer = cases[i].answer;
        if (!cases[i].dhcp)
            host_dhcp_is_silent();
        host_begin();
        host_pass(900 * LB_US_MS);
        CHECK_EQ(host.boot.state, cases[i].state);
        uint64_t start = host.now;
        stop(true);
        CHECK(host.now - start < 10 * LB_US_MS);
        CHECK_EQ(host.dhcp_sent[LB_DHCP4_RELEASE], cases[i].answer != ACCEPTS);
    }
}

static void stop_before_the_first_poll_sends_nothing(void) {
    host_init();
    host_begin();
    stop(true);
    CHECK_EQ(host.seen[LB_BOOT_SEND] + host.seen[LB_BOOT_LINK] + host.seen[LB_BOOT_CONNECT], 0);
}

static void stop_twice_is_stop_once(void) {
    if (!up())
        return;
    lb_boot_stop(&host.boot, host.now, false);
    lb_boot_stop(&host.boot, host.now, true);
    host_pass(10 * SEC);
    lb_boot_stop(&host.boot, host.now, false);
    host_pass(10 * SEC);
    CHECK_EQ(host.seen[LB_BOOT_OUT], 1);
    CHECK_EQ(host.seen[LB_BOOT_FAILED], 0);
}

static void what_has_failed_is_out_as_soon_as_it_is_stopped(void) {
    host_init();
    host_set("enable", "no");
    host_begin();
    CHECK(host_until(LB_BOOT_FAILED));
    lb_boot_stop(&host.boot, host.now, true);
    CHECK_EQ(lb_boot_poll(&host.boot, host.now).event, LB_BOOT_OUT);
    CHECK_EQ(lb_boot_poll(&host.boot, host.now).event, LB_BOOT_WAIT);
}

static void after_the_end_nothing_is_waited_for(void) {
    if (!up())
        return;
    stop(false);
    struct lb_boot_action action = lb_boot_poll(&host.boot, host.now);
    CHECK_EQ(action.event, LB_BOOT_WAIT);
    CHECK_EQ(action.until_us, LB_NEVER);
}

static void secrets_are_wiped_when_the_boot_ends(void) {
    struct lb_bytes secret = lb_bytes_of_text("fourteen bytes");
    host_init();
    host_set("chap-name", "me");
    host_set("chap-secret", "fourteen bytes");
    if (!host_boots())
        return;
    stop(false);
    const uint8_t *at = (const uint8_t *)&host.boot;
    size_t copies = 0;
    for (size_t i = 0; i + secret.len <= sizeof host.boot; i++)
        copies += at[i] == 'f' && memcmp(at + i, secret.p, secret.len) == 0;
    CHECK_EQ(copies, 0);
}

/* ---- another owner -------------------------------------------------------------------------- */

static void a_session_that_changed_hands_is_let_go_without_a_word(void) {
    struct lb_initiator_standing standing;
    if (!up())
        return;
    host_pass(SEC);
    if (!CHECK(lb_initiator_is_at_rest(lb_boot_session(&host.boot), &standing)))
        return;
    lb_boot_hand_over(&host.boot, host.now);
    host.peer = NULL; /* the connection is the kernel's */
    unsigned acks = host.dhcp_sent[LB_DHCP4_REQUEST];
    host_pass(45 * 60 * SEC);
    CHECK(!host_is_over());
    CHECK_EQ(host.seen[LB_BOOT_CLOSE], 0);
    CHECK(host.dhcp_sent[LB_DHCP4_REQUEST] > acks); /* the lease is still ours to renew */
    submit(0, LB_DISK_READ);                        /* but the disk is not */
    CHECK_EQ(take_completed(), 1);
    CHECK(!lb_is_ok(&ops[0].error));
    stop(false);
    CHECK_EQ(host.dhcp_sent[LB_DHCP4_RELEASE], 0);
}

/* ---- strays --------------------------------------------------------------------------------- */

static void calls_about_what_is_not_there_do_nothing(void) {
    struct lb_span spans[2];
    struct lb_bytes pieces[2];
    struct lb_endpoint from = {v4(192, 0, 2, 66), 67};
    struct lb_addr addr = v4(192, 0, 2, 66);
    host_init();
    host_begin();
    for (uint32_t slot = 0; slot < LB_BOOT_SLOTS_MAX; slot++) {
        lb_boot_connected(&host.boot, host.now, slot);
        lb_boot_lost(&host.boot, host.now, slot, LB_LOST_CLOSED);
        lb_boot_got(&host.boot, host.now, slot, 5);
        lb_boot_sent(&host.boot, host.now, slot, 5);
        lb_boot_datagram(&host.boot, host.now, slot, from, lb_bytes_of_text("hello"));
        CHECK_EQ(lb_boot_where(&host.boot, slot, spans), 0);
        CHECK_EQ(lb_boot_gather(&host.boot, slot, pieces, 2), 0);
    }
    lb_boot_probed(&host.boot, host.now, addr, true);
    lb_boot_address_set(&host.boot, host.now, "not asked for");
    CHECK(lb_boot_completed(&host.boot) == NULL);
    CHECK(host_until(LB_BOOT_READY));
}

int main(void) {
    TEST(the_disk_is_read_and_written_through_the_engine);
    TEST(a_cut_connection_is_a_pause_for_the_reader);
    TEST(a_target_that_asks_us_to_log_out_gets_us_back);
    TEST(a_lost_session_ends_each_request_once_and_then_the_boot);
    TEST(a_request_after_the_end_fails_at_once);
    TEST(a_target_that_is_gone_after_its_restart_is_told_as_such);
    TEST(a_redirect_off_the_list_ends_the_disk_too);
    TEST(a_session_that_lost_its_protection_ends_the_disk);
    TEST(a_session_that_changed_hands_is_let_go_without_a_word);
    TEST(stop_logs_out_and_keeps_the_lease);
    TEST(stop_with_release_gives_the_address_back_after_the_logout);
    TEST(stop_lets_requests_end_first);
    TEST(stop_does_not_wait_for_ever_for_a_silent_target);
    TEST(stop_while_the_session_is_away_ends_its_requests);
    TEST(stop_works_in_every_state);
    TEST(stop_before_the_first_poll_sends_nothing);
    TEST(stop_twice_is_stop_once);
    TEST(what_has_failed_is_out_as_soon_as_it_is_stopped);
    TEST(after_the_end_nothing_is_waited_for);
    TEST(secrets_are_wiped_when_the_boot_ends);
    TEST(calls_about_what_is_not_there_do_nothing);
    return tap_done();
}
