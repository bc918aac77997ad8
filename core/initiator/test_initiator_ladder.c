/* Tasks that the target is silent about: abort, reset, new session, the end. */
#include "core/initiator/test_initiator_recovery.h"

static void answer_tmf(uint8_t response) {
    struct lb_iscsi_pdu pdu = {.opcode = LB_OP_TMF_RESPONSE,
                               .final = true,
                               .itt = peer.pdu.itt,
                               .tmf_response = {.response = response}};
    peer_give(&pdu, none);
}

static uint32_t stalled_sn; /* the CmdSN of the command that is stalled */

/* A read and a write to other LUNs beside it, all taken and not answered. */
static uint32_t stall(void) {
    setup();
    peer_read(&task, lb_span(buffer, 512));
    CHECK(peer_take());
    uint32_t itt = peer.pdu.itt;
    stalled_sn = peer.pdu.cmd_sn;
    (void)peer_wait(); /* 3 s */
    return itt;
}

/* A machine that slept: each command has the time that it had left, and some to read what came. */
static void after_a_late_poll_each_command_has_its_own_time(void) {
    setup();
    peer_read(&task, lb_span(buffer, 512));
    CHECK(peer_take());
    (void)peer_poll();
    peer.now += 2 * LB_US_SEC;
    peer_read(&other, lb_span(buffer + 512, 512));
    CHECK(peer_take());
    (void)peer_poll();
    peer.now += 60 * LB_US_SEC;
    (void)peer_poll();
    CHECK_EQ(other.active_us - task.active_us, 2 * LB_US_SEC);
    CHECK_EQ(task.active_us + peer.session.config.task_ms * LB_US_MS,
             peer.now + LB_INITIATOR_LATE_MS * LB_US_MS);
}

static void a_silent_command_is_aborted_and_issued_again(void) {
    uint32_t itt = stall();
    if (!peer_take_op(LB_OP_TMF_REQUEST))
        return;
    CHECK(peer.pdu.immediate);
    CHECK_EQ(peer.pdu.tmf.function, LB_TMF_ABORT_TASK);
    CHECK_EQ(peer.pdu.tmf.ref_task_tag, itt);
    CHECK_EQ(peer.pdu.tmf.ref_cmd_sn, stalled_sn);
    CHECK_EQ(peer.pdu.lun[1], 1);
    answer_tmf(LB_TMF_COMPLETE);
    serve_read(&task);
}

static void an_answer_that_crosses_the_abort_counts(void) {
    uint32_t itt = stall();
    CHECK(peer_take_op(LB_OP_TMF_REQUEST));
    peer_data_in(itt, 0, 0, true, lb_bytes(disk, 512));
    CHECK(lb_initiator_completed(&peer.session) == &task);
    answer_tmf(LB_TMF_NO_TASK);
    CHECK_EQ(lb_initiator_state(&peer.session), LB_INITIATOR_FULL_FEATURE);
    CHECK(!peer_take());
}

static void a_refused_abort_leads_to_a_reset_of_the_lun(void) {
    static struct lb_initiator_task elsewhere;
    setup();
    peer_read(&task, lb_span(buffer, 512));
    peer_read(&other, lb_span(buffer + 512, 512));
    memset(&elsewhere, 0, sizeof elsewhere);
    elsewhere.lun[1] = 2;
    lb_initiator_submit(&peer.session, peer.now, &elsewhere);
    CHECK(peer_take());
    CHECK(peer_take());
    CHECK(peer_take());
    uint32_t third = peer.pdu.itt;
    (void)peer_wait();
    CHECK(peer_take_op(LB_OP_TMF_REQUEST));
    answer_tmf(LB_TMF_NOT_SUPPORTED);
    if (!peer_take_op(LB_OP_TMF_REQUEST))
        return;
    CHECK_EQ(peer.pdu.tmf.function, LB_TMF_LUN_RESET);
    CHECK_EQ(peer.pdu.tmf.ref_task_tag, LB_ISCSI_NO_TAG);
    CHECK_EQ(peer.pdu.lun[1], 1);
    answer_tmf(LB_TMF_COMPLETE);
    serve_read(&task); /* both of the LUN, in order */
    serve_read(&other);
    CHECK(!peer_take());
    peer_respond(third, 0, none); /* the other LUN was not touched */
    CHECK(lb_initiator_completed(&peer.session) == &elsewhere);
}

/* RFC 7143 11.6: a response is to the request of its tag, and to no other. */
static void a_task_management_response_of_another_tag_drops_the_connection(void) {
    for (uint32_t off = 1; off != 0; off <<= 1) {
        (void)stall();
        if (!peer_take_op(LB_OP_TMF_REQUEST))
            return;
        peer.pdu.itt ^= off;
        answer_tmf(LB_TMF_COMPLETE);
        check_recovering(LB_E_PROTOCOL, "without a request");
    }
}

/* Its tag is over with its answer: a second one would abort what was issued since. */
static void a_task_management_response_that_comes_twice_drops_the_connection(void) {
    (void)stall();
    CHECK(peer_take_op(LB_OP_TMF_REQUEST));
    uint32_t tag = peer.pdu.itt;
    answer_tmf(LB_TMF_COMPLETE);
    CHECK(peer_take_op(LB_OP_SCSI_COMMAND));
    peer.pdu.itt = tag;
    answer_tmf(LB_TMF_COMPLETE);
    check_recovering(LB_E_PROTOCOL, "without a request");
}

/* Only the oldest command is watched. The time of the one behind it was over, too; but while the
 * host was away its answer came. */
static void after_an_absence_no_command_is_aborted_before_answers_are_read(void) {
    setup();
    peer_read(&task, lb_span(buffer, 512));
    peer_read(&other, lb_span(buffer + 512, 512));
    CHECK(peer_take());
    CHECK(peer_take());
    uint32_t second = peer.pdu.itt;
    (void)peer_wait();
    CHECK(peer_take_op(LB_OP_TMF_REQUEST));
    peer.now += 20 * LB_US_SEC;
    (void)peer_poll();
    answer_tmf(LB_TMF_COMPLETE);
    (void)peer_poll();
    CHECK(peer_take_op(LB_OP_SCSI_COMMAND)); /* the first, again */
    CHECK(!peer_take());
    peer_data_in(second, 0, 0, true, lb_bytes(disk, 512));
    CHECK(lb_initiator_completed(&peer.session) == &other);
}

static void a_refused_reset_leads_to_a_new_session(void) {
    (void)stall();
    CHECK(peer_take_op(LB_OP_TMF_REQUEST));
    answer_tmf(LB_TMF_REJECTED);
    CHECK(peer_take_op(LB_OP_TMF_REQUEST));
    answer_tmf(LB_TMF_NO_LUN);
    check_recovering(LB_E_TASK_TIMEOUT, "3000 ms");
    peer_come_back();
    serve_read(&task);
}

static void an_abort_without_an_answer_leads_to_a_new_session(void) {
    (void)stall();
    CHECK(peer_take_op(LB_OP_TMF_REQUEST));
    CHECK_EQ(peer_wait().event, LB_INITIATOR_CLOSE);
    CHECK_EQ(lb_initiator_state(&peer.session), LB_INITIATOR_RECOVERING);
    peer_come_back();
    serve_read(&task);
}

/* It was told another number at the login, say. Abort and reset would each be waited for. */
static void a_target_that_expects_later_commands_gets_a_new_session_at_once(void) {
    struct lb_iscsi_pdu news = {
        .opcode = LB_OP_NOP_IN, .final = true, .itt = LB_ISCSI_NO_TAG, .ttt = LB_ISCSI_NO_TAG};
    setup();
    peer_read(&task, lb_span(buffer, 512));
    CHECK(peer_take());
    peer.exp_cmd_sn = peer.session.cmd_sn + 1;
    peer_give(&news, none);
    CHECK_EQ(lb_initiator_state(&peer.session), LB_INITIATOR_FULL_FEATURE);
    CHECK_EQ(peer_wait().event, LB_INITIATOR_CLOSE); /* after 3 s */
    CHECK_EQ(peer.session.last_error.code, LB_E_TASK_TIMEOUT);
    CHECK_HAS(peer.session.last_error.facts, "expects command");
    peer_come_back();
    serve_read(&task);
}

static void a_command_that_is_never_answered_ends_the_session(void) {
    setup();
    peer_read(&task, lb_span(buffer, 512));
    for (int i = 0; i < 60 && lb_initiator_state(&peer.session) != LB_INITIATOR_ENDED; i++) {
        while (peer_take())
            if (peer.pdu.opcode == LB_OP_TMF_REQUEST)
                answer_tmf(LB_TMF_COMPLETE);
        if (lb_initiator_state(&peer.session) == LB_INITIATOR_RECOVERING)
            peer_come_back();
        else
            (void)peer_wait();
    }
    peer_check_failed(LB_E_TASK_TIMEOUT, "3000 ms");
    CHECK(lb_initiator_completed(&peer.session) == &task);
    CHECK_EQ(task.state, LB_TASK_LOST);
}

static void a_read_that_goes_on_is_not_silent(void) {
    setup();
    peer_read(&task, lb_span(buffer, 10 * 512));
    CHECK(peer_take());
    uint32_t itt = peer.pdu.itt;
    for (uint32_t i = 0; i < 10; i++) {
        peer.now += 2900 * LB_US_MS;
        CHECK_EQ(lb_initiator_poll(&peer.session, peer.now).event, LB_INITIATOR_WAIT);
        CHECK(!peer_take());
        peer_data_in(itt, i, i * 512, i == 9, lb_bytes(disk + (size_t)i * 512, 512));
    }
    CHECK(lb_initiator_completed(&peer.session) == &task);
}

static void a_window_that_stays_closed_leads_to_a_new_session(void) {
    peer_configure();
    peer.config.task_ms = 3000;
    peer.window = 0;
    peer_log_in();
    peer_read(&task, lb_span(buffer, 512));
    CHECK(!peer_take());
    CHECK_EQ(peer_wait().event, LB_INITIATOR_CLOSE);
    CHECK_HAS(peer.session.last_error.facts, "window");
    peer.window = 32;
    peer_come_back();
    serve_read(&task);
}

static void a_rejected_abort_is_a_refused_one(void) {
    (void)stall();
    CHECK(peer_take_op(LB_OP_TMF_REQUEST));
    struct lb_iscsi_pdu bad = peer.pdu;
    give_reject(LB_REJECT_NOT_SUPPORTED, &bad);
    CHECK(peer_take_op(LB_OP_TMF_REQUEST));
    CHECK_EQ(peer.pdu.tmf.function, LB_TMF_LUN_RESET);
}

int main(void) {
    TEST(after_a_late_poll_each_command_has_its_own_time);
    TEST(a_silent_command_is_aborted_and_issued_again);
    TEST(an_answer_that_crosses_the_abort_counts);
    TEST(a_refused_abort_leads_to_a_reset_of_the_lun);
    TEST(a_task_management_response_of_another_tag_drops_the_connection);
    TEST(a_task_management_response_that_comes_twice_drops_the_connection);
    TEST(after_an_absence_no_command_is_aborted_before_answers_are_read);
    TEST(a_refused_reset_leads_to_a_new_session);
    TEST(an_abort_without_an_answer_leads_to_a_new_session);
    TEST(a_target_that_expects_later_commands_gets_a_new_session_at_once);
    TEST(a_command_that_is_never_answered_ends_the_session);
    TEST(a_read_that_goes_on_is_not_silent);
    TEST(a_window_that_stays_closed_leads_to_a_new_session);
    TEST(a_rejected_abort_is_a_refused_one);
    return tap_done();
}
