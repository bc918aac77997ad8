/* How many tasks at once, tasks that nobody waits for any more, and answers by their tag. */
#include "core/initiator/test_initiator_peer.h"

static const struct lb_bytes none = {NULL, 0};
static struct lb_initiator_task tasks[32];
static uint8_t buffer[32][512];
static uint32_t itts[32], cmd_sns[32];

/* Logs in and has `count` reads sent. */
static void flight(unsigned count, uint32_t depth) {
    peer_configure();
    peer.config.queue_depth = depth;
    peer_log_in();
    for (unsigned i = 0; i < count; i++) {
        peer_read(&tasks[i], lb_span(buffer[i], 512));
        if (!peer_take())
            continue;
        itts[i] = peer.pdu.itt;
        cmd_sns[i] = peer.pdu.cmd_sn;
    }
}

static unsigned sent(void) {
    unsigned count = 0;
    while (peer_take())
        count += peer.pdu.opcode == LB_OP_SCSI_COMMAND;
    return count;
}

/* TrueNAS: TASK SET FULL to all but two. */
static void a_target_that_is_full_gets_as_many_as_it_took(void) {
    flight(8, 8);
    for (unsigned i = 2; i < 8; i++) {
        peer_respond(itts[i], 0x28, none);
        struct lb_initiator_task *task = lb_initiator_completed(&peer.session);
        CHECK(task == &tasks[i]);
        lb_initiator_submit(&peer.session, peer.now, task);
    }
    CHECK_EQ(peer.session.depth, 2);
    CHECK_EQ(sent(), 0);
    peer_respond(itts[0], 0, none);
    CHECK_EQ(sent(), 1); /* the one that there is room for */
    CHECK_EQ(lb_initiator_in_flight(&peer.session), 2);
    CHECK_EQ(lb_initiator_room(&peer.session), 0);
}

static void a_target_that_refuses_the_only_command_is_busy_with_something_else(void) {
    flight(1, 8);
    peer_respond(itts[0], 0x08, none);
    CHECK(lb_initiator_completed(&peer.session) != NULL);
    CHECK_EQ(peer.session.depth, 1);
}

static void one_command_after_the_other(unsigned count) {
    for (unsigned i = 0; i < count; i++) {
        peer_read(&tasks[0], lb_span(buffer[0], 512));
        CHECK(peer_take());
        peer_respond(peer.pdu.itt, 0, none);
        CHECK(lb_initiator_completed(&peer.session) == &tasks[0]);
    }
}

static void the_depth_grows_back(void) {
    flight(1, 8);
    peer_respond(itts[0], 0x28, none);
    CHECK(lb_initiator_completed(&peer.session) != NULL);
    one_command_after_the_other(2);
    CHECK_EQ(peer.session.depth, 2);
    one_command_after_the_other(200);
    CHECK_EQ(peer.session.depth, 8);
    one_command_after_the_other(200);
    CHECK_EQ(peer.session.depth, 8); /* and not beyond what is configured */
}

/* Where it is wrong again and again to let it grow, that is tried less often. */
static void growing_in_vain_is_tried_less_often(void) {
    unsigned before = 0;
    flight(1, 8);
    peer_respond(itts[0], 0x28, none);
    CHECK(lb_initiator_completed(&peer.session) != NULL);
    for (int i = 0; i < 4; i++) {
        unsigned needed = 0;
        while (peer.session.depth == 1 && needed < 1000) {
            one_command_after_the_other(1);
            needed++;
        }
        CHECK(needed > before);
        before = needed;
        peer_read(&tasks[0], lb_span(buffer[0], 512));
        CHECK(peer_take());
        peer_respond(peer.pdu.itt, 0x28, none);
        CHECK(lb_initiator_completed(&peer.session) == &tasks[0]);
    }
}

/* ---- given up ------------------------------------------------------------------------------- */

static void what_is_given_up_is_aborted_and_ends_silent(void) {
    flight(2, 8);
    CHECK(lb_initiator_give_up(&peer.session, peer.now, &tasks[0]));
    CHECK(peer_take_op(LB_OP_TMF_REQUEST));
    CHECK_EQ(peer.pdu.tmf.function, LB_TMF_ABORT_TASK);
    CHECK_EQ(peer.pdu.tmf.ref_task_tag, itts[0]);
    CHECK_EQ(peer.pdu.tmf.ref_cmd_sn, cmd_sns[0]);
    CHECK(lb_initiator_completed(&peer.session) == &tasks[0]);
    CHECK_EQ(tasks[0].state, LB_TASK_SILENT);
    peer_read(&tasks[0], lb_span(buffer[0], 512));
    CHECK_EQ(sent(), 1); /* others are not kept waiting by the abort */
}

/* Its answers come late: data, status, and what became of the abort. */
static void late_answers_to_what_was_given_up_are_passed_over(void) {
    static const uint8_t late[512] = {1, 2, 3};
    flight(2, 8);
    memset(buffer, 0x77, sizeof buffer);
    CHECK(lb_initiator_give_up(&peer.session, peer.now, &tasks[0]));
    CHECK(peer_take_op(LB_OP_TMF_REQUEST));
    struct lb_iscsi_pdu done = {.opcode = LB_OP_TMF_RESPONSE, .final = true, .itt = peer.pdu.itt};
    CHECK(lb_initiator_completed(&peer.session) == &tasks[0]);
    unsigned missed = peer.session.missed;
    peer_data_in(itts[0], 0, 0, false, lb_bytes(late, sizeof late));
    CHECK_EQ(peer.session.missed, missed);
    peer_respond(itts[0], 0, none);
    CHECK_EQ(peer.session.missed, missed + 1);
    peer_give(&done, none);
    CHECK_EQ(peer.session.missed, missed + 2); /* an answer to either may have told something */
    CHECK_EQ(lb_initiator_state(&peer.session), LB_INITIATOR_FULL_FEATURE);
    CHECK_EQ(buffer[0][0], 0x77);
    peer_respond(itts[1], 0, none);
    CHECK(lb_initiator_completed(&peer.session) == &tasks[1]);
}

/* Simulator, seed 1019: one after the other, where the target takes one at a time. */
static void late_answers_to_several_that_were_given_up_are_passed_over(void) {
    static const uint8_t late[512];
    flight(1, 1);
    for (unsigned i = 1; i < 4; i++) {
        CHECK(lb_initiator_give_up(&peer.session, peer.now, &tasks[i - 1]));
        CHECK(peer_take_op(LB_OP_TMF_REQUEST));
        peer_read(&tasks[i], lb_span(buffer[i], 512));
        CHECK(peer_take_op(LB_OP_SCSI_COMMAND));
        itts[i] = peer.pdu.itt;
    }
    for (unsigned i = 0; i < 3; i++) {
        peer_data_in(itts[i], 0, 0, false, lb_bytes(late, sizeof late));
        peer_respond(itts[i], 0, none);
    }
    CHECK_EQ(lb_initiator_state(&peer.session), LB_INITIATOR_FULL_FEATURE);
}

/* What is queued behind takes its place at once. */
static void what_waits_behind_what_is_given_up_is_sent(void) {
    flight(2, 1);
    CHECK_EQ(tasks[1].state, LB_TASK_QUEUED);
    CHECK(lb_initiator_give_up(&peer.session, peer.now, &tasks[0]));
    CHECK_EQ(tasks[1].state, LB_TASK_SENT);
}

/* Many at once, as flushes that one LUN never answers. */
static void many_may_be_given_up_at_once(void) {
    uint32_t aborts[LB_COUNT(tasks)];
    flight(LB_COUNT(tasks), LB_COUNT(tasks));
    for (unsigned i = 0; i < LB_COUNT(tasks); i++) {
        CHECK(lb_initiator_give_up(&peer.session, peer.now, &tasks[i]));
        CHECK(peer_take_op(LB_OP_TMF_REQUEST));
        aborts[i] = peer.pdu.itt;
    }
    for (unsigned i = 0; i < LB_COUNT(tasks); i++) {
        struct lb_iscsi_pdu done = {.opcode = LB_OP_TMF_RESPONSE, .final = true, .itt = aborts[i]};
        peer_respond(itts[i], 0, none);
        peer_give(&done, none);
    }
    CHECK_EQ(lb_initiator_state(&peer.session), LB_INITIATOR_FULL_FEATURE);
    struct lb_iscsi_pdu again = {.opcode = LB_OP_TMF_RESPONSE, .final = true, .itt = aborts[0]};
    peer_give(&again, none); /* it was answered already */
    CHECK(lb_initiator_state(&peer.session) != LB_INITIATOR_FULL_FEATURE);
}

/* Silent for so long that its abort is out: that will do, and its answer is not waited for. */
static void what_is_being_aborted_is_given_up_without_a_second_abort(void) {
    flight(2, 8);
    peer.session.config.ping_ms = UINT32_MAX;
    peer.session.config.task_ms = 6000;
    peer.now += 6 * LB_US_SEC;
    (void)lb_initiator_poll(&peer.session, peer.now);
    CHECK(peer_take_op(LB_OP_TMF_REQUEST));
    CHECK_EQ(peer.pdu.tmf.ref_task_tag, itts[0]);
    struct lb_iscsi_pdu done = {.opcode = LB_OP_TMF_RESPONSE, .final = true, .itt = peer.pdu.itt};
    CHECK(lb_initiator_give_up(&peer.session, peer.now, &tasks[0]));
    CHECK(!peer_take());
    CHECK_EQ(tasks[0].state, LB_TASK_SILENT);
    peer_give(&done, none);
    CHECK_EQ(lb_initiator_state(&peer.session), LB_INITIATOR_FULL_FEATURE);
    CHECK(lb_initiator_completed(&peer.session) == &tasks[0]);
}

static void what_is_just_coming_is_not_given_up(void) {
    static const uint8_t data[512];
    struct lb_iscsi_pdu pdu = {
        .opcode = LB_OP_DATA_IN, .final = true, .ttt = LB_ISCSI_NO_TAG, .data_in.has_status = true};
    flight(1, 8);
    pdu.itt = itts[0];
    pdu.stat_sn = peer.stat_sn;
    struct lb_bytes whole = peer_make(&pdu, lb_bytes(data, sizeof data));
    peer_feed(lb_bytes(whole.p, 100));
    CHECK(!lb_initiator_give_up(&peer.session, peer.now, &tasks[0]));
    peer_feed(lb_bytes_after(whole, 100));
    CHECK(lb_initiator_completed(&peer.session) == &tasks[0]);
    CHECK_EQ(tasks[0].state, LB_TASK_DONE);
}

static void what_waits_to_be_sent_is_given_up_without_a_word(void) {
    flight(2, 1);
    CHECK_EQ(tasks[1].state, LB_TASK_QUEUED);
    CHECK(lb_initiator_give_up(&peer.session, peer.now, &tasks[1]));
    CHECK(!peer_take());
    CHECK(lb_initiator_completed(&peer.session) == &tasks[1]);
    CHECK_EQ(tasks[1].state, LB_TASK_SILENT);
}

/* What is given up at last makes another task the oldest, whose time was up long ago. */
static void a_host_that_polls_in_time_is_not_late_where_more_is_due(void) {
    peer_configure();
    peer.config.task_ms = 6000;
    peer.config.ping_ms = 10000;
    peer_log_in();
    peer_read(&tasks[0], lb_span(buffer[0], 512));
    peer_read(&tasks[1], lb_span(buffer[1], 512));
    tasks[0].is_alone = true;
    uint64_t start = peer.now;
    struct lb_initiator_action action = lb_initiator_poll(&peer.session, peer.now);
    while (action.event == LB_INITIATOR_WAIT && peer.now < start + 60 * LB_US_SEC) {
        peer_drain();
        peer.now = LB_MAX(peer.now, action.until_us);
        action = lb_initiator_poll(&peer.session, peer.now);
    }
    CHECK_EQ(tasks[0].state, LB_TASK_SILENT);
    CHECK_EQ(action.event, LB_INITIATOR_CLOSE);
    CHECK_EQ(peer.now - start, 20 * LB_US_SEC); /* a ping after 10 s, and as long for its answer */
}

/* ---- answers by their tag ------------------------------------------------------------------- */

/* spdk before 767df1289a: an asynchronous message does not count, and the next answer has its
 * number. */
static void an_answer_with_an_old_number_is_taken_by_its_tag(void) {
    flight(1, 8);
    struct lb_iscsi_pdu event = {
        .opcode = LB_OP_ASYNC, .final = true, .itt = LB_ISCSI_NO_TAG, .async = {.event = 255}};
    peer_give(&event, none);
    peer.stat_sn--;
    peer_respond(itts[0], 0, none);
    CHECK(lb_initiator_completed(&peer.session) == &tasks[0]);
    CHECK_EQ(tasks[0].state, LB_TASK_DONE);
    CHECK_EQ(lb_initiator_state(&peer.session), LB_INITIATOR_FULL_FEATURE);
    one_command_after_the_other(3);
}

static void a_task_that_is_over_is_given_up_already(void) {
    static const enum lb_initiator_task_state over[] = {LB_TASK_IDLE, LB_TASK_DONE, LB_TASK_LOST};
    flight(2, 8);
    for (size_t i = 0; i < LB_COUNT(over); i++) {
        struct lb_initiator_task task = {.state = over[i]};
        CHECK(lb_initiator_give_up(&peer.session, peer.now, &task));
        CHECK_EQ(task.state, over[i]);
        CHECK(!peer_take()); /* nothing is aborted */
    }
}

int main(void) {
    TEST(a_target_that_is_full_gets_as_many_as_it_took);
    TEST(a_target_that_refuses_the_only_command_is_busy_with_something_else);
    TEST(the_depth_grows_back);
    TEST(growing_in_vain_is_tried_less_often);
    TEST(what_is_given_up_is_aborted_and_ends_silent);
    TEST(late_answers_to_what_was_given_up_are_passed_over);
    TEST(late_answers_to_several_that_were_given_up_are_passed_over);
    TEST(what_waits_behind_what_is_given_up_is_sent);
    TEST(many_may_be_given_up_at_once);
    TEST(what_is_being_aborted_is_given_up_without_a_second_abort);
    TEST(what_is_just_coming_is_not_given_up);
    TEST(what_waits_to_be_sent_is_given_up_without_a_word);
    TEST(a_host_that_polls_in_time_is_not_late_where_more_is_due);
    TEST(an_answer_with_an_old_number_is_taken_by_its_tag);
    TEST(a_task_that_is_over_is_given_up_already);
    return tap_done();
}
