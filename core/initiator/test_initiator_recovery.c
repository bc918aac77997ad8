/* Full feature phase beyond commands: recovery, NOP, asynchronous messages, rejects, logout. */
#include "core/initiator/test_initiator_recovery.h"

/* ---- recovery ---- */

static void unanswered_commands_are_issued_again_in_order(void) {
    setup();
    peer_read(&task, lb_span(buffer, 2048));
    peer_write(&other, lb_bytes(disk, 512));
    CHECK(peer_take());
    uint32_t old = peer.pdu.itt;
    peer_data_in(old, 0, 0, false, lb_bytes("garbage!", 8)); /* half an answer */
    lose_connection();
    CHECK(lb_initiator_completed(&peer.session) == NULL);
    peer_come_back();
    CHECK_EQ(lb_initiator_logins(&peer.session), 2);
    if (!peer_take_op(LB_OP_SCSI_COMMAND))
        return;
    CHECK(peer.pdu.command.read);
    CHECK(peer.pdu.itt != old);
    uint32_t itt = peer.pdu.itt;
    CHECK(peer_take());
    CHECK(peer.pdu.command.write);
    peer_data_in(itt, 0, 0, true, lb_bytes(disk, 2048)); /* from its start */
    CHECK(lb_initiator_completed(&peer.session) == &task);
    CHECK_BYTES(lb_bytes(buffer, 2048), lb_bytes(disk, 2048));
    CHECK_EQ(task.reissues, 1);
}

static void the_new_session_takes_the_place_of_the_old_one(void) {
    setup();
    lose_connection();
    for (int i = 0; i < 5 && lb_initiator_state(&peer.session) != LB_INITIATOR_CONNECTING; i++)
        (void)peer_wait();
    (void)peer_poll();
    peer_accept();
    CHECK(peer_take());
    CHECK_EQ(peer.pdu.login.tsih, 0); /* RFC 7143 6.3.5: same name, same ISID, TSIH 0 */
    CHECK_EQ(peer.pdu.login.isid[5], 9);
}

/* Keys of IPsec are asked for first: the connection's time begins behind that. */
static void the_time_of_a_connection_begins_when_the_host_says(void) {
    peer_configure();
    peer.config.connect_ms = 3000;
    lb_initiator_init(&peer.session, peer.now, &peer.config, lb_span(peer.rx, sizeof peer.rx),
                      &peer.rand, &peer.trace);
    lb_initiator_start(&peer.session, peer.now);
    lb_initiator_connects_at(&peer.session, peer.now + 60 * LB_US_SEC); /* not asked for yet */
    CHECK_EQ(peer_poll().event, LB_INITIATOR_CONNECT);
    CHECK_EQ(peer.session.deadline_us, peer.now + 3 * LB_US_SEC);
    lb_initiator_connects_at(&peer.session, peer.now + 7 * LB_US_SEC);
    CHECK_EQ(peer.session.deadline_us, peer.now + 10 * LB_US_SEC);
    setup();
    uint64_t deadline_us = peer.session.deadline_us;
    lb_initiator_connects_at(&peer.session, peer.now + 60 * LB_US_SEC); /* it is there */
    CHECK_EQ(peer.session.deadline_us, deadline_us);
}

static void time2wait_passes_before_the_first_attempt(void) {
    setup();
    lose_connection();
    uint64_t lost = peer.now;
    CHECK_EQ(peer_poll().event, LB_INITIATOR_WAIT);
    struct lb_initiator_action action = peer_wait();
    CHECK_EQ(action.event, LB_INITIATOR_CONNECT);
    CHECK_EQ(peer.now, lost + 2 * LB_US_SEC);

    peer_configure();
    peer_connect();
    peer_log_in_with(TEXT("DefaultTime2Wait=0\0"));
    lose_connection();
    CHECK_EQ(peer_poll().event, LB_INITIATOR_CONNECT); /* at once */
}

/* After failed attempts the pause is drawn: the longer one of both counts, whatever was drawn. */
static void time2wait_passes_also_after_many_attempts(void) {
    for (uint8_t i = 0; i < 100; i++) {
        uint8_t seed[LB_RAND_SEED_BYTES] = {i};
        peer_configure();
        lb_rand_init(&peer.rand, seed);
        peer_connect();
        peer_log_in_with(TEXT("DefaultTime2Wait=5\0"));
        peer.session.attempts = 9;
        lose_connection();
        uint64_t lost = peer.now;
        CHECK_EQ(peer_poll().event, LB_INITIATOR_WAIT);
        CHECK_EQ(peer_wait().event, LB_INITIATOR_CONNECT);
        CHECK(peer.now >= lost + 5 * LB_US_SEC);
    }
}

static void attempts_come_less_and_less_often_until_time_is_over(void) {
    unsigned attempts = 0;
    uint64_t last = 0, longest = 0;
    setup();
    peer_configure();
    peer.config.recovery_ms = 60000;
    peer_log_in();
    peer_read(&task, lb_span(buffer, 512));
    lose_connection();
    uint64_t lost = peer.now;
    for (int i = 0; i < 500 && lb_initiator_state(&peer.session) != LB_INITIATOR_ENDED; i++) {
        struct lb_initiator_action action = peer_wait();
        if (action.event != LB_INITIATOR_CONNECT)
            continue;
        attempts++;
        longest = LB_MAX(longest, peer.now - last);
        last = peer.now;
        lb_initiator_lost(&peer.session, peer.now, LB_LOST_REFUSED);
    }
    peer_check_failed(LB_E_CONNECTION_LOST, "connect-refused");
    CHECK(lb_code_may_pass(lb_initiator_error(&peer.session)->code));
    CHECK(peer.now - lost >= 60 * LB_US_SEC && peer.now - lost < 70 * LB_US_SEC);
    CHECK(attempts >= 10 && attempts <= 30);
    CHECK(longest <= 6 * LB_US_SEC || attempts == 1);
    CHECK(lb_initiator_completed(&peer.session) == &task);
    CHECK_EQ(task.state, LB_TASK_LOST);
}

static void a_target_that_restarts_may_not_know_its_disks_yet(void) {
    setup();
    peer_read(&task, lb_span(buffer, 512));
    CHECK(peer_take());
    lose_connection();
    for (int i = 0; i < 3; i++) {
        while (lb_initiator_state(&peer.session) != LB_INITIATOR_CONNECTING)
            (void)peer_wait();
        (void)peer_poll();
        peer_accept();
        CHECK(peer_take());
        peer_refuse_login(LB_LOGIN_NOT_FOUND, none);
        CHECK_EQ(lb_initiator_state(&peer.session), LB_INITIATOR_RECOVERING);
    }
    peer_come_back();
    serve_read(&task);
}

static void a_target_that_refuses_our_secret_now_is_not_asked_again(void) {
    setup();
    lose_connection();
    while (lb_initiator_state(&peer.session) != LB_INITIATOR_CONNECTING)
        (void)peer_wait();
    (void)peer_poll();
    peer_accept();
    CHECK(peer_take());
    peer_refuse_login(LB_LOGIN_VERSION, none);
    peer_check_failed(LB_E_LOGIN_VERSION, "0x0205");
}

static void without_recovery_the_first_loss_is_the_end(void) {
    peer_configure();
    peer.config.recover = false;
    peer_log_in();
    peer_read(&task, lb_span(buffer, 512));
    lose_connection();
    peer_check_failed(LB_E_LOGIN_CLOSED, "closed 1 time right after the login");
    CHECK(lb_initiator_completed(&peer.session) == &task);
    CHECK_EQ(task.state, LB_TASK_LOST);
    peer_read(&other, lb_span(buffer, 512));
    CHECK(lb_initiator_completed(&peer.session) == &other);
    CHECK_EQ(other.state, LB_TASK_LOST);
}

static void after_a_temporary_redirect_recovery_begins_at_home(void) {
    peer_configure();
    peer_connect();
    CHECK(peer_take());
    peer_refuse_login(LB_LOGIN_MOVED_TEMPORARILY, TEXT("TargetAddress=192.0.2.2\0"));
    CHECK_EQ(peer_poll().event, LB_INITIATOR_CONNECT);
    peer_accept();
    peer_log_in_with(TEXT("DefaultTime2Wait=0\0"));
    CHECK_STR(lb_endpoint_text(lb_initiator_peer(&peer.session)).s, "192.0.2.2:3260");
    lose_connection();
    CHECK_STR(lb_endpoint_text(peer_poll().peer).s, "192.0.2.1:3260");

    peer_configure();
    peer_connect();
    CHECK(peer_take());
    peer_refuse_login(LB_LOGIN_MOVED_PERMANENTLY, TEXT("TargetAddress=192.0.2.2\0"));
    CHECK_EQ(peer_poll().event, LB_INITIATOR_CONNECT);
    peer_accept();
    peer_log_in_with(TEXT("DefaultTime2Wait=0\0"));
    lose_connection();
    CHECK_STR(lb_endpoint_text(peer_poll().peer).s, "192.0.2.2:3260");
}

static void damage_again_and_again_is_told_as_such(void) {
    setup();
    peer_configure();
    peer.config.header_digest = LB_DIGEST_CRC32C;
    peer_connect();
    peer_read(&task, lb_span(buffer, 512));
    for (int i = 0; i < LB_INITIATOR_DIGEST_ERRORS_MAX; i++) {
        uint8_t bad[52] = {LB_OP_NOP_IN};
        peer_log_in_with(TEXT("HeaderDigest=CRC32C\0DefaultTime2Wait=0\0"));
        peer_feed(lb_bytes(bad, sizeof bad));
        if (i == LB_INITIATOR_DIGEST_ERRORS_MAX - 1)
            break;
        CHECK_EQ(lb_initiator_state(&peer.session), LB_INITIATOR_RECOVERING);
        while (lb_initiator_state(&peer.session) != LB_INITIATOR_CONNECTING)
            (void)peer_wait();
        (void)peer_poll();
        peer_accept();
    }
    peer_check_failed(LB_E_DIGEST, "header");
}

static void a_target_that_breaks_the_rules_again_and_again_is_left(void) {
    setup();
    for (int i = 0; i < LB_INITIATOR_PROTOCOL_ERRORS_MAX - 1; i++) {
        peer_respond(0x77, 0, none);
        check_recovering(LB_E_PROTOCOL, "0x00000077");
        peer_come_back();
    }
    peer_respond(0x77, 0, none);
    peer_check_failed(LB_E_PROTOCOL, "0x00000077");
}

static void a_command_that_breaks_every_session_is_given_up(void) {
    setup();
    peer_configure();
    peer.config.recovery_ms = 1000000000;
    peer_log_in();
    peer_read(&task, lb_span(buffer, 512));
    CHECK(peer_take());
    peer_respond(peer.pdu.itt, 0, none); /* it is no target that closes after each login */
    CHECK(lb_initiator_completed(&peer.session) == &task);
    peer_read(&task, lb_span(buffer, 512));
    for (int i = 0; i < 100 && lb_initiator_state(&peer.session) != LB_INITIATOR_ENDED; i++) {
        lose_connection();
        if (lb_initiator_state(&peer.session) != LB_INITIATOR_ENDED)
            peer_come_back();
    }
    peer_check_failed(LB_E_CONNECTION_LOST, "full feature");
    CHECK_EQ(lb_initiator_logins(&peer.session), 1 + LB_INITIATOR_REISSUES_MAX);
}

static void dropping_is_like_losing(void) {
    setup();
    peer_read(&task, lb_span(buffer, 512));
    lb_initiator_drop(&peer.session, peer.now);
    CHECK_EQ(peer_poll().event, LB_INITIATOR_CLOSE);
    peer_come_back();
    serve_read(&task);
}

/* As where the address goes, and then something else of the network changes. */
static void dropped_twice_it_is_lost_once(void) {
    setup();
    uint64_t wait_us = lb_initiator_agreed(&peer.session)->time2wait_s * LB_US_SEC;
    CHECK(wait_us > 0);
    lb_initiator_drop(&peer.session, peer.now);
    lb_initiator_drop(&peer.session, peer.now);
    CHECK_EQ(peer_poll().event, LB_INITIATOR_CLOSE);
    lb_initiator_drop(&peer.session, peer.now);
    struct lb_initiator_action action = lb_initiator_poll(&peer.session, peer.now);
    CHECK_EQ(action.event, LB_INITIATOR_WAIT);
    CHECK_EQ(action.until_us, peer.now + wait_us); /* no attempt has failed: there is no pause */
}

/* ---- counters ---- */

static void a_gap_in_stat_sn_drops_the_connection(void) {
    setup();
    peer_read(&task, lb_span(buffer, 512));
    CHECK(peer_take());
    peer.stat_sn++;
    peer_respond(peer.pdu.itt, 0, none);
    check_recovering(LB_E_PROTOCOL, "StatSN");
    CHECK(lb_initiator_completed(&peer.session) == NULL);
}

static void an_answer_that_comes_twice_is_passed_over(void) {
    setup();
    peer_read(&task, lb_span(buffer, 512));
    CHECK(peer_take());
    uint32_t itt = peer.pdu.itt;
    peer_data_in(itt, 0, 0, true, lb_bytes(disk, 512));
    peer.stat_sn--;
    peer_data_in(itt, 0, 0, true, lb_bytes(disk, 512));
    peer.stat_sn--;
    peer_respond(itt, 2, none);
    CHECK_EQ(lb_initiator_state(&peer.session), LB_INITIATOR_FULL_FEATURE);
    CHECK(lb_initiator_completed(&peer.session) == &task);
    CHECK(lb_initiator_completed(&peer.session) == NULL);
}

/* ---- NOP ---- */

static void give_nop(uint32_t itt, uint32_t ttt) {
    struct lb_iscsi_pdu pdu = {
        .opcode = LB_OP_NOP_IN, .final = true, .lun = {0, 3}, .itt = itt, .ttt = ttt};
    peer_give(&pdu, none);
}

/* iPXE does not, and targets drop it. */
static void a_ping_of_the_target_is_answered(void) {
    setup();
    give_nop(LB_ISCSI_NO_TAG, 0x55);
    if (!peer_take_op(LB_OP_NOP_OUT))
        return;
    CHECK(peer.pdu.immediate && peer.pdu.final);
    CHECK_EQ(peer.pdu.itt, LB_ISCSI_NO_TAG);
    CHECK_EQ(peer.pdu.ttt, 0x55);
    CHECK_EQ(peer.pdu.lun[1], 3);
    CHECK_EQ(peer.pdu.data_len, 0);
    CHECK_EQ(peer.pdu.exp_stat_sn, peer.stat_sn); /* it does not count */
}

static void a_ping_that_wants_no_answer_gets_none(void) {
    setup();
    give_nop(LB_ISCSI_NO_TAG, LB_ISCSI_NO_TAG);
    CHECK(!peer_take());
}

static void a_ping_with_data_is_answered_without(void) {
    struct lb_iscsi_pdu pdu = {
        .opcode = LB_OP_NOP_IN, .final = true, .itt = LB_ISCSI_NO_TAG, .ttt = 9};
    setup();
    peer_give(&pdu, lb_bytes(disk, 5000));
    CHECK(peer_take_op(LB_OP_NOP_OUT));
    CHECK_EQ(peer.data.len, 0);
}

static void a_flood_of_pings_is_answered_while_it_can_be(void) {
    setup();
    for (int i = 0; i < 1000 && lb_initiator_state(&peer.session) == LB_INITIATOR_FULL_FEATURE; i++)
        give_nop(LB_ISCSI_NO_TAG, (uint32_t)i); /* and nothing of ours is taken */
    check_recovering(LB_E_PROTOCOL, "does not take our answers");
}

static void silence_is_ended_by_a_ping_of_ours(void) {
    setup();
    uint64_t start = peer.now;
    CHECK_EQ(peer_wait().event, LB_INITIATOR_WAIT);
    CHECK_EQ(peer.now, start + 10 * LB_US_SEC);
    if (!peer_take_op(LB_OP_NOP_OUT))
        return;
    CHECK(peer.pdu.immediate);
    CHECK(peer.pdu.itt != LB_ISCSI_NO_TAG);
    CHECK_EQ(peer.pdu.ttt, LB_ISCSI_NO_TAG);
    give_nop(peer.pdu.itt, LB_ISCSI_NO_TAG);
    CHECK_EQ(peer_wait().event, LB_INITIATOR_WAIT);
    CHECK_EQ(lb_initiator_state(&peer.session), LB_INITIATOR_FULL_FEATURE);
    CHECK_EQ(peer.now, start + 20 * LB_US_SEC);
}

static void a_ping_of_ours_without_an_answer_ends_the_connection(void) {
    setup();
    (void)peer_wait();
    CHECK(peer_take_op(LB_OP_NOP_OUT));
    CHECK_EQ(peer_wait().event, LB_INITIATOR_CLOSE);
    CHECK_EQ(lb_initiator_state(&peer.session), LB_INITIATOR_RECOVERING);
    CHECK_HAS(peer.session.last_error.facts, "ping");
}

/* Silent after each login, half-open: it is we who close, and that is no access list. */
static void a_target_that_is_silent_after_each_login_does_not_close_early(void) {
    setup();
    for (int i = 0; i < 5; i++) {
        (void)peer_wait();
        CHECK(peer_take_op(LB_OP_NOP_OUT));
        CHECK_EQ(peer_wait().event, LB_INITIATOR_CLOSE);
        CHECK_EQ(lb_initiator_state(&peer.session), LB_INITIATOR_RECOVERING);
        CHECK_HAS(peer.session.last_error.facts, "a ping was not answered");
        peer_come_back();
    }
}

static void pings_can_be_switched_off(void) {
    peer_configure();
    peer.config.ping_ms = UINT32_MAX;
    peer_log_in();
    CHECK_EQ(lb_initiator_poll(&peer.session, peer.now).until_us, LB_NEVER);
}

/* ---- asynchronous messages ---- */

static void give_async(uint8_t event, uint16_t p1, uint16_t p2, uint16_t p3) {
    struct lb_iscsi_pdu pdu = {
        .opcode = LB_OP_ASYNC,
        .final = true,
        .itt = LB_ISCSI_NO_TAG,
        .async = {.event = event, .parameter1 = p1, .parameter2 = p2, .parameter3 = p3},
    };
    peer_give(&pdu, none);
}

static void asked_to_log_out_we_do_so_when_idle_and_come_back(void) {
    setup();
    peer_read(&task, lb_span(buffer, 512));
    CHECK(peer_take());
    uint32_t itt = peer.pdu.itt;
    give_async(LB_ASYNC_LOGOUT_REQUEST, 0, 0, 10);
    peer_read(&other, lb_span(buffer + 512, 512)); /* not issued any more */
    CHECK(!peer_take());
    CHECK_EQ(lb_initiator_room(&peer.session), 0);
    peer_data_in(itt, 0, 0, true, lb_bytes(disk, 512));
    CHECK(lb_initiator_completed(&peer.session) == &task);
    if (!peer_take_op(LB_OP_LOGOUT_REQUEST))
        return;
    CHECK(peer.pdu.immediate);
    CHECK_EQ(peer.pdu.logout.reason, LB_LOGOUT_SESSION);
    struct lb_iscsi_pdu pdu = {
        .opcode = LB_OP_LOGOUT_RESPONSE,
        .final = true,
        .itt = peer.pdu.itt,
        .logout_response = {.time2wait_s = 5},
    };
    peer_give(&pdu, none);
    check_recovering(LB_E_TARGET_LOGOUT, "log out");
    uint64_t closed = peer.now;
    peer_come_back();
    CHECK_EQ(peer.now, closed + 5 * LB_US_SEC);
    serve_read(&other);
}

static void asked_to_log_out_we_do_not_wait_for_ever_for_commands(void) {
    setup();
    peer_read(&task, lb_span(buffer, 512));
    CHECK(peer_take());
    give_async(LB_ASYNC_LOGOUT_REQUEST, 0, 0, 2);
    uint64_t asked = peer.now;
    (void)peer_wait();
    CHECK(peer_take_op(LB_OP_LOGOUT_REQUEST));
    CHECK(peer.now - asked <= 2 * LB_US_SEC);
    CHECK_EQ(peer_wait().event, LB_INITIATOR_CLOSE); /* no answer: closed all the same */
    CHECK_EQ(lb_initiator_state(&peer.session), LB_INITIATOR_RECOVERING);
    peer_come_back();
    serve_read(&task);
}

static void a_dropped_connection_waits_as_long_as_the_target_says(void) {
    setup();
    give_async(LB_ASYNC_CONNECTION_DROP, 0, 7, 20);
    check_recovering(LB_E_TARGET_LOGOUT, "announced");
    uint64_t closed = peer.now;
    (void)peer_wait();
    CHECK_EQ(peer.now, closed + 7 * LB_US_SEC);
    setup();
    give_async(LB_ASYNC_SESSION_DROP, 0, 0, 20);
    CHECK_EQ(lb_initiator_poll(&peer.session, peer.now).event, LB_INITIATOR_CLOSE);
    CHECK_EQ(lb_initiator_poll(&peer.session, peer.now).event,
             LB_INITIATOR_CONNECT); /* 0: at once */
}

static void a_wait_that_the_target_named_counts_once(void) {
    setup();
    give_async(LB_ASYNC_CONNECTION_DROP, 0, 7, 20);
    CHECK_EQ(peer_poll().event, LB_INITIATOR_CLOSE);
    CHECK_EQ(peer_wait().event, LB_INITIATOR_CONNECT);
    uint64_t asked = peer.now;
    lb_initiator_lost(&peer.session, peer.now, LB_LOST_REFUSED);
    CHECK_EQ(peer_wait().event, LB_INITIATOR_CONNECT);
    CHECK(peer.now - asked < LB_US_SEC); /* nobody had a session: no Time2Wait */
    peer_accept();
    peer_log_in_with(TEXT(PEER_KEYS));
    lose_connection();
    CHECK_EQ(peer_poll().event, LB_INITIATOR_WAIT);
    uint64_t lost = peer.now;
    CHECK_EQ(peer_wait().event, LB_INITIATOR_CONNECT);
    CHECK_EQ(peer.now, lost + 2 * LB_US_SEC); /* the default, not 7 s */
}

static void a_target_that_names_hours_is_asked_when_recovery_ends(void) {
    setup();
    give_async(LB_ASYNC_CONNECTION_DROP, 0, 0xffff, 0);
    check_recovering(LB_E_TARGET_LOGOUT, "announced");
    uint64_t closed = peer.now;
    CHECK_EQ(peer_wait().event, LB_INITIATOR_CONNECT);
    CHECK_EQ(peer.now, closed + 120 * LB_US_SEC);
    lb_initiator_lost(&peer.session, peer.now, LB_LOST_TIMEOUT);
    peer_check_failed(LB_E_CONNECTION_LOST, "120 s");
}

static void without_recovery_a_drop_is_the_end(void) {
    peer_configure();
    peer_log_in();
    peer.session.config.recover = false;
    give_async(LB_ASYNC_SESSION_DROP, 0, 0, 0);
    peer_check_failed(LB_E_TARGET_LOGOUT, "announced");
}

static void asked_to_negotiate_we_send_an_empty_text_request(void) {
    setup();
    give_async(LB_ASYNC_NEGOTIATE, 0, 0, 5);
    if (!peer_take_op(LB_OP_TEXT_REQUEST))
        return;
    CHECK(peer.pdu.final);
    CHECK_EQ(peer.data.len, 0);
    struct lb_iscsi_pdu pdu = {
        .opcode = LB_OP_TEXT_RESPONSE, .final = true, .itt = peer.pdu.itt, .ttt = LB_ISCSI_NO_TAG};
    peer_give(&pdu, TEXT("MaxRecvDataSegmentLength=4096\0"));
    CHECK_EQ(lb_initiator_agreed(&peer.session)->max_send_data, 4096);
    CHECK_EQ(lb_initiator_state(&peer.session), LB_INITIATOR_FULL_FEATURE);
}

static void other_events_change_nothing(void) {
    setup();
    give_async(LB_ASYNC_SCSI, 0, 0, 0);
    give_async(255, 1, 2, 3);
    CHECK_EQ(lb_initiator_state(&peer.session), LB_INITIATOR_FULL_FEATURE);
    peer_read(&task, lb_span(buffer, 512));
    serve_read(&task);
}

/* ---- rejects ---- */

static void a_rejected_command_makes_a_new_session(void) {
    setup();
    peer_read(&task, lb_span(buffer, 512));
    CHECK(peer_take());
    struct lb_iscsi_pdu bad = peer.pdu;
    give_reject(LB_REJECT_PROTOCOL, &bad);
    check_recovering(LB_E_PROTOCOL, "rejected our SCSI Command, reason 0x04");
    peer_come_back();
    serve_read(&task);
}

static void data_that_arrived_damaged_makes_a_new_session(void) {
    setup();
    peer_write(&task, lb_bytes(disk, 512));
    CHECK(peer_take());
    struct lb_iscsi_pdu bad = peer.pdu;
    give_reject(LB_REJECT_DATA_DIGEST, &bad);
    check_recovering(LB_E_DIGEST, "0x02");
}

static void a_rejected_ping_is_an_answer(void) {
    setup();
    (void)peer_wait();
    CHECK(peer_take_op(LB_OP_NOP_OUT));
    struct lb_iscsi_pdu bad = peer.pdu;
    give_reject(LB_REJECT_NOT_SUPPORTED, &bad);
    CHECK_EQ(lb_initiator_state(&peer.session), LB_INITIATOR_FULL_FEATURE);
    CHECK_EQ(lb_initiator_poll(&peer.session, peer.now).until_us,
             LB_NEVER); /* and not asked again */
}

static void a_reject_without_a_header_is_survived(void) {
    struct lb_iscsi_pdu pdu = {
        .opcode = LB_OP_REJECT, .final = true, .itt = LB_ISCSI_NO_TAG, .reject = {.reason = 9}};
    setup();
    peer_give(&pdu, lb_bytes(disk, 47));
    check_recovering(LB_E_PROTOCOL, "0x09");
}

static void a_target_that_waits_for_a_logout_gets_it(void) {
    struct lb_iscsi_pdu bad = {.opcode = LB_OP_SCSI_COMMAND};
    setup();
    give_reject(LB_REJECT_WAITING_LOGOUT, &bad);
    CHECK(peer_take_op(LB_OP_LOGOUT_REQUEST));
}

static void pdus_that_only_initiators_send_drop_the_connection(void) {
    static const uint8_t opcodes[] = {0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x10, 0x23};
    for (size_t i = 0; i < LB_COUNT(opcodes); i++) {
        uint8_t bhs[48] = {opcodes[i]};
        setup();
        bhs[24] = (uint8_t)(peer.stat_sn >> 24);
        bhs[27] = (uint8_t)peer.stat_sn;
        peer_feed(lb_bytes(bhs, sizeof bhs));
        CHECK_EQ(lb_initiator_state(&peer.session), LB_INITIATOR_RECOVERING);
        CHECK_EQ(peer.session.last_error.code, LB_E_PROTOCOL);
    }
}

static void responses_without_requests_drop_the_connection(void) {
    static const enum lb_iscsi_opcode opcodes[] = {LB_OP_TMF_RESPONSE, LB_OP_TEXT_RESPONSE,
                                                   LB_OP_LOGOUT_RESPONSE};
    for (size_t i = 0; i < LB_COUNT(opcodes); i++) {
        struct lb_iscsi_pdu pdu = {.opcode = opcodes[i], .final = true, .itt = 0};
        setup();
        peer_give(&pdu, none);
        check_recovering(LB_E_PROTOCOL, "without a request");
    }
}

static void a_pdu_over_our_limit_drops_the_connection(void) {
    uint8_t bhs[48] = {LB_OP_NOP_IN, 0x80, 0, 0, 0, 0x04, 0x00, 0x01};
    setup();
    peer_feed(lb_bytes(bhs, sizeof bhs));
    check_recovering(LB_E_PROTOCOL, "262145 bytes of data, where 262144 are allowed");
}

/* ---- logout ---- */

static void logging_out_waits_for_commands_and_closes(void) {
    setup();
    peer_read(&task, lb_span(buffer, 512));
    CHECK(peer_take());
    uint32_t itt = peer.pdu.itt;
    lb_initiator_logout(&peer.session, peer.now);
    CHECK(!peer_take());
    peer_data_in(itt, 0, 0, true, lb_bytes(disk, 512));
    CHECK(lb_initiator_completed(&peer.session) == &task);
    if (!peer_take_op(LB_OP_LOGOUT_REQUEST))
        return;
    struct lb_iscsi_pdu pdu = {.opcode = LB_OP_LOGOUT_RESPONSE, .final = true, .itt = peer.pdu.itt};
    peer_give(&pdu, none);
    CHECK_EQ(lb_initiator_poll(&peer.session, peer.now).event, LB_INITIATOR_CLOSE);
    CHECK_EQ(lb_initiator_poll(&peer.session, peer.now).event, LB_INITIATOR_OUT);
    CHECK(lb_is_ok(lb_initiator_error(&peer.session)));
}

static void a_logout_without_an_answer_ends_all_the_same(void) {
    setup();
    lb_initiator_logout(&peer.session, peer.now);
    CHECK(peer_take_op(LB_OP_LOGOUT_REQUEST));
    CHECK_EQ(peer_wait().event, LB_INITIATOR_CLOSE);
    CHECK_EQ(lb_initiator_poll(&peer.session, peer.now).event, LB_INITIATOR_OUT);
}

static void a_logout_during_recovery_needs_no_connection(void) {
    setup();
    lose_connection();
    lb_initiator_logout(&peer.session, peer.now);
    CHECK_EQ(peer_poll().event, LB_INITIATOR_OUT);
}

static void a_logout_wanted_before_the_login_ends_at_once(void) {
    peer_configure();
    peer_connect();
    lb_initiator_logout(&peer.session, peer.now);
    CHECK_EQ(lb_initiator_poll(&peer.session, peer.now).event, LB_INITIATOR_CLOSE);
    CHECK_EQ(lb_initiator_poll(&peer.session, peer.now).event, LB_INITIATOR_OUT);
}

int main(void) {
    TEST(unanswered_commands_are_issued_again_in_order);
    TEST(the_new_session_takes_the_place_of_the_old_one);
    TEST(the_time_of_a_connection_begins_when_the_host_says);
    TEST(time2wait_passes_before_the_first_attempt);
    TEST(time2wait_passes_also_after_many_attempts);
    TEST(attempts_come_less_and_less_often_until_time_is_over);
    TEST(a_target_that_restarts_may_not_know_its_disks_yet);
    TEST(a_target_that_refuses_our_secret_now_is_not_asked_again);
    TEST(without_recovery_the_first_loss_is_the_end);
    TEST(after_a_temporary_redirect_recovery_begins_at_home);
    TEST(damage_again_and_again_is_told_as_such);
    TEST(a_target_that_breaks_the_rules_again_and_again_is_left);
    TEST(a_command_that_breaks_every_session_is_given_up);
    TEST(dropping_is_like_losing);
    TEST(dropped_twice_it_is_lost_once);
    TEST(a_gap_in_stat_sn_drops_the_connection);
    TEST(an_answer_that_comes_twice_is_passed_over);
    TEST(a_ping_of_the_target_is_answered);
    TEST(a_ping_that_wants_no_answer_gets_none);
    TEST(a_ping_with_data_is_answered_without);
    TEST(a_flood_of_pings_is_answered_while_it_can_be);
    TEST(silence_is_ended_by_a_ping_of_ours);
    TEST(a_ping_of_ours_without_an_answer_ends_the_connection);
    TEST(a_target_that_is_silent_after_each_login_does_not_close_early);
    TEST(pings_can_be_switched_off);
    TEST(asked_to_log_out_we_do_so_when_idle_and_come_back);
    TEST(asked_to_log_out_we_do_not_wait_for_ever_for_commands);
    TEST(a_dropped_connection_waits_as_long_as_the_target_says);
    TEST(a_wait_that_the_target_named_counts_once);
    TEST(a_target_that_names_hours_is_asked_when_recovery_ends);
    TEST(without_recovery_a_drop_is_the_end);
    TEST(asked_to_negotiate_we_send_an_empty_text_request);
    TEST(other_events_change_nothing);
    TEST(a_rejected_command_makes_a_new_session);
    TEST(data_that_arrived_damaged_makes_a_new_session);
    TEST(a_rejected_ping_is_an_answer);
    TEST(a_reject_without_a_header_is_survived);
    TEST(a_target_that_waits_for_a_logout_gets_it);
    TEST(pdus_that_only_initiators_send_drop_the_connection);
    TEST(responses_without_requests_drop_the_connection);
    TEST(a_pdu_over_our_limit_drops_the_connection);
    TEST(logging_out_waits_for_commands_and_closes);
    TEST(a_logout_without_an_answer_ends_all_the_same);
    TEST(a_logout_during_recovery_needs_no_connection);
    TEST(a_logout_wanted_before_the_login_ends_at_once);
    return tap_done();
}
