#include "core/initiator/initiator_targets.h"
#include "core/initiator/test_initiator_peer.h"

static struct lb_initiator_found found[8];
static struct lb_initiator_targets targets;
static struct lb_bytes none;

static void setup(void) {
    memset(found, 0, sizeof found);
    targets = (struct lb_initiator_targets){.found = found, .cap = LB_COUNT(found)};
    peer_configure();
    peer.config.target[0] = 0;
    peer_connect();
    peer_log_in_with(TEXT("DefaultTime2Wait=0\0"));
    lb_initiator_send_targets(&peer.session, peer.now, NULL, &targets);
    CHECK(peer_take_op(LB_OP_TEXT_REQUEST));
}

static void answer(struct lb_bytes text, bool final, bool more) {
    struct lb_iscsi_pdu pdu = {
        .opcode = LB_OP_TEXT_RESPONSE,
        .final = final,
        .lun = {0, 5},
        .itt = peer.pdu.itt,
        .ttt = final ? LB_ISCSI_NO_TAG : 0x99,
        .text = {.more = more},
    };
    peer_give(&pdu, text);
}

static int32_t count(void) {
    size_t dropped;
    return lb_initiator_targets_count(&targets, &dropped);
}

static void all_targets_are_asked_for(void) {
    setup();
    CHECK(peer.pdu.final && peer.pdu.immediate);
    CHECK_EQ(peer.pdu.ttt, LB_ISCSI_NO_TAG);
    CHECK_BYTES(peer.data, TEXT("SendTargets=All\0"));
    CHECK_EQ(count(), -1);
}

static void one_target_can_be_asked_for(void) {
    setup();
    answer(none, true, false);
    lb_initiator_send_targets(&peer.session, peer.now, PEER_TARGET, &targets);
    CHECK(peer_take());
    CHECK_BYTES(peer.data, TEXT("SendTargets=" PEER_TARGET "\0"));
}

static void each_address_of_each_target_is_found(void) {
    setup();
    answer(TEXT("TargetName=iqn.2026-11.test:a\0TargetAddress=192.0.2.7:3261,1\0"
                "TargetAddress=[2001:db8::7],2\0TargetName=eui.0123456789abcdef\0"
                "TargetAddress=store.example.com:860,3\0"),
           true, false);
    CHECK_EQ(count(), 3);
    CHECK_STR(found[0].target, "iqn.2026-11.test:a");
    CHECK_STR(lb_endpoint_text(found[0].portal).s, "192.0.2.7:3261");
    CHECK_EQ(found[0].tpgt, 1);
    CHECK_STR(found[1].target, "iqn.2026-11.test:a");
    CHECK_STR(lb_endpoint_text(found[1].portal).s, "[2001:db8::7]:3260");
    CHECK_EQ(found[1].tpgt, 2);
    CHECK_STR(found[2].target, "eui.0123456789abcdef");
    CHECK_STR(found[2].host, "store.example.com");
    CHECK(!lb_addr_is_set(found[2].portal.addr));
    CHECK_EQ(found[2].portal.port, 860);
}

static void blanks_around_a_value_are_none_of_it(void) {
    setup();
    answer(TEXT("TargetName= iqn.2026-11.test:a \0TargetAddress= 192.0.2.7:3261,1 \0"), true,
           false);
    CHECK_EQ(count(), 1);
    CHECK_STR(found[0].target, "iqn.2026-11.test:a");
    CHECK_STR(lb_endpoint_text(found[0].portal).s, "192.0.2.7:3261");
    CHECK_EQ(found[0].tpgt, 1);
}

static void a_target_without_an_address_is_where_we_asked(void) {
    setup();
    answer(TEXT("TargetName=iqn.2026-11.test:a.b\0TargetName=iqn.2026-11.test:c.d\0"), true, false);
    CHECK_EQ(count(), 2);
    CHECK_STR(lb_endpoint_text(found[0].portal).s, "192.0.2.1:3260");
    CHECK_STR(found[1].target, "iqn.2026-11.test:c.d");
}

static void an_address_of_zeroes_is_where_we_asked(void) {
    setup();
    answer(TEXT("TargetName=iqn.2026-11.test:a.b\0TargetAddress=0.0.0.0:3270,1\0TargetAddress=[::]:"
                "3271,1\0"),
           true, false);
    CHECK_EQ(count(), 2);
    CHECK_STR(lb_endpoint_text(found[0].portal).s, "192.0.2.1:3270");
    CHECK_STR(lb_endpoint_text(found[1].portal).s, "192.0.2.1:3271");
}

static void pairs_may_straddle_answers_anywhere(void) {
    struct lb_bytes text = TEXT("TargetName=iqn.2026-11.test:a\0TargetAddress=192.0.2.7:3261,1\0");
    for (size_t cut = 0; cut <= text.len; cut++) {
        setup();
        answer(lb_bytes(text.p, cut), false, true);
        if (!peer_take_op(LB_OP_TEXT_REQUEST))
            return;
        CHECK_EQ(peer.data.len, 0);
        CHECK_EQ(peer.pdu.ttt, 0x99);
        CHECK_EQ(peer.pdu.lun[1], 5);
        CHECK(!peer.pdu.final);
        CHECK_EQ(count(), -1);
        answer(lb_bytes_after(text, cut), false, false);
        CHECK(peer_take_op(LB_OP_TEXT_REQUEST));
        CHECK(peer.pdu.final);
        answer(none, true, false);
        CHECK_EQ(count(), 1);
        CHECK_STR(found[0].target, "iqn.2026-11.test:a");
        CHECK_STR(lb_endpoint_text(found[0].portal).s, "192.0.2.7:3261");
    }
}

/* CVE-2026-44943: a name that is a path, or writes lines into a file. */
static void names_that_could_do_harm_are_left_out(void) {
    setup();
    answer(TEXT("TargetName=iqn.../../etc/passwd\0TargetAddress=192.0.2.7,1\0"
                "TargetName=iqn.2026-11.test:a\nnode.x=1\0TargetName=iqn.2026-11.test:a\x1b["
                "2J\0TargetName=iqn.2026-11.test:a b\0"
                "TargetName=../"
                "iqn.2026-11.test:x\0TargetName=\0TargetName=iqn.\xff\xfe\0TargetName=iqn.\"x\0"
                "TargetName=iqn.2026-11.test:good\0"),
           true, false);
    CHECK_EQ(count(), 1);
    CHECK_STR(found[0].target, "iqn.2026-11.test:good");
}

static void names_that_are_too_long_are_left_out(void) {
    char text[400] = "TargetName=iqn.2026-11.test:";
    memset(text + 28, 'x', 223 - 17);
    setup();
    answer(lb_bytes(text, 28 + 206 + 1), true, false);
    CHECK_EQ(count(), 1);
    memset(text + 28, 'x', 224 - 17);
    setup();
    answer(lb_bytes(text, 28 + 207 + 1), true, false);
    CHECK_EQ(count(), 0);
}

static void addresses_that_are_wrong_are_left_out(void) {
    setup();
    answer(
        TEXT("TargetName=iqn.2026-11.test:a.b\0TargetAddress=192.0.2.7:0,1\0TargetAddress=[::1,1\0"
             "TargetAddress=224.0.0.5,1\0TargetAddress=a/b,1\0TargetAddress=192.0.2.7:x,1\0"
             "TargetAddress=\0TargetAddress=192.0.2.8,1\0"),
        true, false);
    CHECK_EQ(count(), 1);
    CHECK_STR(lb_endpoint_text(found[0].portal).s, "192.0.2.8:3260");
}

/* Nothing depends on the tag: openebs-archive/jiva#28 has -1. */
static void a_tag_that_is_none_is_not_known(void) {
    setup();
    answer(TEXT("TargetName=iqn.2026-11.test:a.b\0TargetAddress=192.0.2.7,-1\0TargetAddress=[::5]:"
                "860,65536\0"
                "TargetAddress=192.0.2.8,x\0TargetAddress=192.0.2.9\0TargetAddress=192.0.2.10,\0"),
           true, false);
    CHECK_EQ(count(), 5);
    for (int i = 0; i < 5; i++)
        CHECK_EQ(found[i].tpgt, -1);
    CHECK_STR(lb_endpoint_text(found[0].portal).s, "192.0.2.7:3260");
    CHECK_STR(lb_endpoint_text(found[1].portal).s, "[::5]:860");
}

static void blanks_and_the_case_of_keys_do_not_matter(void) {
    setup();
    answer(TEXT("targetname= iqn.2026-11.test:a.b \0TARGETADDRESS = 192.0.2.7:860,2 \0\0\0"), true,
           false);
    CHECK_EQ(count(), 1);
    CHECK_STR(found[0].target, "iqn.2026-11.test:a.b");
    CHECK_STR(lb_endpoint_text(found[0].portal).s, "192.0.2.7:860");
    CHECK_EQ(found[0].tpgt, 2);
}

static void the_last_pair_may_lack_its_nul(void) {
    setup();
    answer(TEXT("TargetName=iqn.2026-11.test:a.b\0TargetAddress=192.0.2.7:860,2"), true, false);
    CHECK_EQ(count(), 1);
    CHECK_STR(lb_endpoint_text(found[0].portal).s, "192.0.2.7:860");
}

static void an_address_before_any_target_is_left_out(void) {
    setup();
    answer(TEXT("TargetAddress=192.0.2.7,1\0"), true, false);
    CHECK_EQ(count(), 0);
}

/* iscsiuio 0c032f5: more than 250 targets overran a buffer. */
static void a_very_long_list_is_counted(void) {
    size_t dropped = 0;
    setup();
    for (int i = 0; i < 100; i++) {
        answer(TEXT("TargetName=iqn.2026-11.test:a\0TargetName=iqn.2026-11.test:b\0TargetName=iqn."
                    "2026-11.test:c\0"),
               false, true);
        if (!CHECK(peer_take()))
            return;
    }
    answer(none, true, false);
    CHECK_EQ(lb_initiator_targets_count(&targets, &dropped), LB_COUNT(found));
    CHECK_EQ(dropped, 300 - LB_COUNT(found));
}

static void a_pair_without_an_end_is_passed_over(void) {
    static char text[6000];
    memset(text, 'a', sizeof text - 1);
    setup();
    answer(lb_bytes(text, sizeof text - 1), false, true);
    CHECK(peer_take());
    answer(TEXT("\0TargetName=iqn.2026-11.test:a\0"), true, false);
    CHECK_EQ(count(), 1);
    CHECK_STR(found[0].target, "iqn.2026-11.test:a");
}

static void an_endless_answer_is_given_up(void) {
    setup();
    for (unsigned i = 0; i < LB_INITIATOR_TEXT_ROUNDS_MAX + 5; i++) {
        answer(none, false, false);
        if (!peer_take())
            break;
    }
    CHECK_EQ(lb_initiator_state(&peer.session), LB_INITIATOR_RECOVERING);
    CHECK_HAS(peer.session.last_error.facts, "256");
}

static void flags_that_contradict_drop_the_connection(void) {
    setup();
    answer(none, true, true);
    CHECK_EQ(lb_initiator_state(&peer.session), LB_INITIATOR_RECOVERING);
    setup();
    struct lb_iscsi_pdu pdu = {
        .opcode = LB_OP_TEXT_RESPONSE, .itt = peer.pdu.itt, .ttt = LB_ISCSI_NO_TAG};
    peer_give(&pdu, none);
    CHECK_EQ(lb_initiator_state(&peer.session), LB_INITIATOR_RECOVERING);
}

static void a_question_that_was_lost_is_asked_again(void) {
    setup();
    answer(TEXT("TargetName=iqn.2026-11.test:a\0"), false, true);
    lb_initiator_lost(&peer.session, peer.now, LB_LOST_CLOSED);
    CHECK_EQ(peer_poll().event, LB_INITIATOR_CONNECT);
    peer_accept();
    peer_log_in_with(none);
    CHECK(peer_take_op(LB_OP_TEXT_REQUEST));
    CHECK_BYTES(peer.data, TEXT("SendTargets=All\0"));
    answer(TEXT("TargetName=iqn.2026-11.test:b\0"), true, false);
    CHECK_EQ(count(), 1);
    CHECK_STR(found[0].target, "iqn.2026-11.test:b");
}

static void a_question_waits_for_a_negotiation_to_end(void) {
    struct lb_iscsi_pdu event = {
        .opcode = LB_OP_ASYNC, .final = true, .itt = LB_ISCSI_NO_TAG, .async = {.event = 4}};
    setup();
    answer(none, true, false);
    peer_give(&event, none);
    CHECK(peer_take_op(LB_OP_TEXT_REQUEST));
    CHECK_EQ(peer.data.len, 0);
    lb_initiator_send_targets(&peer.session, peer.now, NULL, &targets);
    CHECK(!peer_take());
    answer(none, true, false);
    CHECK_EQ(count(), -1);
    CHECK(peer_take_op(LB_OP_TEXT_REQUEST));
    CHECK_BYTES(peer.data, TEXT("SendTargets=All\0"));
    answer(TEXT("TargetName=iqn.2026-11.test:a\0"), true, false);
    CHECK_EQ(count(), 1);
}

static void a_question_without_an_answer_makes_a_new_session(void) {
    setup();
    for (int i = 0; i < 5 && lb_initiator_state(&peer.session) == LB_INITIATOR_FULL_FEATURE; i++) {
        (void)peer_wait();
        if (peer_take() && peer.pdu.opcode == LB_OP_NOP_OUT) {
            struct lb_iscsi_pdu pdu = {
                .opcode = LB_OP_NOP_IN, .final = true, .itt = peer.pdu.itt, .ttt = LB_ISCSI_NO_TAG};
            peer_give(&pdu, none);
        }
    }
    CHECK_HAS(peer.session.last_error.facts, "text request");
}

int main(void) {
    TEST(all_targets_are_asked_for);
    TEST(one_target_can_be_asked_for);
    TEST(each_address_of_each_target_is_found);
    TEST(blanks_around_a_value_are_none_of_it);
    TEST(a_target_without_an_address_is_where_we_asked);
    TEST(an_address_of_zeroes_is_where_we_asked);
    TEST(pairs_may_straddle_answers_anywhere);
    TEST(names_that_could_do_harm_are_left_out);
    TEST(names_that_are_too_long_are_left_out);
    TEST(addresses_that_are_wrong_are_left_out);
    TEST(a_tag_that_is_none_is_not_known);
    TEST(blanks_and_the_case_of_keys_do_not_matter);
    TEST(the_last_pair_may_lack_its_nul);
    TEST(an_address_before_any_target_is_left_out);
    TEST(a_very_long_list_is_counted);
    TEST(a_pair_without_an_end_is_passed_over);
    TEST(an_endless_answer_is_given_up);
    TEST(flags_that_contradict_drop_the_connection);
    TEST(a_question_that_was_lost_is_asked_again);
    TEST(a_question_waits_for_a_negotiation_to_end);
    TEST(a_question_without_an_answer_makes_a_new_session);
    return tap_done();
}
