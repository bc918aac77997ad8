/* Names, without an engine: what is looked up, in which order, and what is asked of the host. */
#include "core/boot/names.h"
#include "tests/tap.h"

#define SEC LB_US_SEC

static struct {
    struct lb_config config;
    struct lb_boot_setup setup;
    struct lb_boot_machine machine;
    struct lb_plan plan;
    struct lb_rand rand;
    struct lb_trace trace;
    struct lb_common common;
    struct lb_boot_net net;
    struct lb_names names;
    struct lb_names_answer answer;
    struct lb_boot_action action;
    bool has_answer;
} t;

static uint64_t now;

static void begin(void) {
    const uint8_t seed[LB_RAND_SEED_BYTES] = {1};
    now = 1000 * SEC;
    memset(&t, 0, sizeof t);
    t.setup.config = &t.config;
    t.plan = lb_plan_of(&t.setup);
    t.common = (struct lb_common){.plan = &t.plan, .rand = &t.rand, .trace = &t.trace};
    lb_rand_init(&t.rand, seed);
    t.machine.hosts = lb_bytes_of_text("192.0.2.7 disk.example\n2001:db8::7 disk.example\n");
    lb_names_init(&t.names, &t.common, &t.machine);
}

/* Turns until there is an answer, an action or nothing to do. */
static enum lb_turn turn(void) {
    for (;;) {
        t.has_answer = false;
        if (lb_ask_take(&t.common, &t.action))
            return LB_TURN_ACT;
        t.common.until_us = LB_NEVER;
        enum lb_turn did =
            lb_names_turn(&t.names, now, &t.net, &t.action, &t.answer, &t.has_answer);
        if (did != LB_TURN_AGAIN || t.has_answer)
            return did;
    }
}

static void the_hosts_file_answers_without_a_server(void) {
    begin();
    CHECK_EQ(turn(), LB_TURN_IDLE);
    lb_names_ask(&t.names, LB_REQUESTER_SESSION, "disk.example");
    CHECK_EQ(turn(), LB_TURN_AGAIN);
    CHECK(t.has_answer && t.answer.requester == LB_REQUESTER_SESSION);
    CHECK_EQ(t.answer.count, 2);
    CHECK_STR(lb_addr_text(t.answer.addrs[0]).s, "192.0.2.7");
    CHECK_STR(t.answer.why, "in the hosts file");
    CHECK_EQ(turn(), LB_TURN_IDLE);
}

static void names_are_looked_up_in_the_order_of_asking(void) {
    begin();
    lb_names_ask(&t.names, LB_REQUESTER_ISNS, "disk.example");
    lb_names_ask(&t.names, LB_REQUESTER_SESSION, "disk.example");
    turn();
    CHECK_EQ(t.answer.requester, LB_REQUESTER_ISNS);
    turn();
    CHECK_EQ(t.answer.requester, LB_REQUESTER_SESSION);
}

static void a_second_name_of_one_requester_replaces_the_first(void) {
    begin();
    lb_names_ask(&t.names, LB_REQUESTER_ISNS, "other.example");
    lb_names_ask(&t.names, LB_REQUESTER_ISNS, "disk.example");
    turn();
    CHECK_EQ(t.answer.count, 2);
    CHECK_EQ(turn(), LB_TURN_IDLE);
    CHECK(!t.has_answer);
}

static void the_network_s_server_is_asked_after_its_slot_was_opened(void) {
    begin();
    t.net.dns[0] = lb_addr_v4(192, 0, 2, 53);
    t.net.dns_count = 1;
    lb_names_ask(&t.names, LB_REQUESTER_SESSION, "far.example");
    CHECK_EQ(turn(), LB_TURN_ACT);
    CHECK_EQ(t.action.event, LB_BOOT_OPEN);
    CHECK_EQ(t.action.slot, LB_BOOT_SLOT_DNS4);
    CHECK_EQ(turn(), LB_TURN_ACT);
    CHECK_EQ(t.action.event, LB_BOOT_SEND);
    CHECK_STR(lb_addr_text(t.action.to.addr).s, "192.0.2.53");
    CHECK(lb_names_has_slot(t.action.slot));
}

static void a_name_that_is_given_up_closes_its_slot_and_has_no_answer(void) {
    the_network_s_server_is_asked_after_its_slot_was_opened();
    lb_names_cancel(&t.names, LB_REQUESTER_ISNS); /* which asked for nothing */
    CHECK_EQ(t.common.asks.count, 0);
    lb_names_cancel(&t.names, LB_REQUESTER_SESSION);
    CHECK_EQ(turn(), LB_TURN_ACT);
    CHECK_EQ(t.action.event, LB_BOOT_CLOSE);
    CHECK_EQ(t.action.slot, LB_BOOT_SLOT_DNS4);
    CHECK_EQ(turn(), LB_TURN_IDLE);
}

static void without_a_server_the_answer_says_so(void) {
    begin();
    lb_names_ask(&t.names, LB_REQUESTER_SESSION, "far.example");
    CHECK_EQ(turn(), LB_TURN_AGAIN);
    CHECK(t.has_answer && t.answer.count == 0 && t.answer.why[0] != '\0');
}

int main(void) {
    TEST(the_hosts_file_answers_without_a_server);
    TEST(names_are_looked_up_in_the_order_of_asking);
    TEST(a_second_name_of_one_requester_replaces_the_first);
    TEST(the_network_s_server_is_asked_after_its_slot_was_opened);
    TEST(a_name_that_is_given_up_closes_its_slot_and_has_no_answer);
    TEST(without_a_server_the_answer_says_so);
    return tap_done();
}
