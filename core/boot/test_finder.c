/* Discovery, without an engine: what is asked of the host, and what is told to the engine. */
#include "core/boot/finder.h"
#include "core/boot/finder_state.h"
#include "core/isns/isns_server.h"
#include "tests/tap.h"

#define SEC    LB_US_SEC
#define OURS   "iqn.2026-11.test:machine"
#define TARGET "iqn.2026-11.test:disk"

static struct {
    struct lb_config config;
    struct lb_boot_setup setup;
    struct lb_plan plan;
    struct lb_rand rand;
    struct lb_trace trace;
    struct lb_report report;
    struct lb_common common;
    struct lb_network network;
    struct lb_shield shield;
    struct lb_finder finder;
    struct lb_finder_news news;
    struct lb_boot_action action;
} t;

static uint64_t now;

static void configure(const char *key, const char *value) {
    struct lb_error why = {.code = LB_OK};
    CHECK(lb_config_set(&t.config, LB_SOURCE_OPTION, lb_bytes_of_text(key), lb_bytes_of_text(value),
                        &why));
    t.plan = lb_plan_of(&t.setup);
}

static void begin(enum lb_boot_goal goal) {
    const uint8_t seed[LB_RAND_SEED_BYTES] = {1};
    now = 1000 * SEC;
    memset(&t, 0, sizeof t);
    t.setup = (struct lb_boot_setup){.config = &t.config, .interface = "eth0", .goal = goal};
    t.plan = lb_plan_of(&t.setup);
    t.common = (struct lb_common){.plan = &t.plan,
                                  .interface = "eth0",
                                  .rand = &t.rand,
                                  .trace = &t.trace,
                                  .report = &t.report};
    lb_rand_init(&t.rand, seed);
    lb_report_init(&t.report, now);
    lb_network_init(&t.network, &t.common);
    t.network.net.address = (struct lb_prefix){lb_addr_v4(192, 0, 2, 100), 24};
    lb_shield_init(&t.shield, &t.common, false, false);
    lb_finder_init(&t.finder, &t.common, &t.network, &t.shield);
}

static void start(const char *target, bool lists) {
    const struct lb_finder_question question = {
        .initiator = OURS, .target = target, .lists = lists, .most_us = 10 * SEC};
    lb_finder_start(&t.finder, now, &question);
}

/* Until there is news or an action for the host; else waits, for at most `us`. */
static enum lb_turn run(uint64_t us) {
    uint64_t end = now + us;
    t.news = (struct lb_finder_news){.what = LB_FINDER_SAME};
    for (;;) {
        if (lb_ask_take(&t.common, &t.action))
            return LB_TURN_ACT;
        t.common.until_us = end;
        enum lb_turn did = lb_finder_turn(&t.finder, now, false, &t.action, &t.news);
        if (did == LB_TURN_ACT || t.news.what != LB_FINDER_SAME || now >= end)
            return did;
        if (did == LB_TURN_IDLE)
            now = LB_MAX(now + 1, t.common.until_us);
    }
}

/* The actions until there is news; gives how many had this event on this slot. */
static unsigned run_to_news(uint64_t us, enum lb_boot_event event, uint32_t slot) {
    uint64_t end = now + us;
    unsigned seen = 0;
    do {
        if (run(end - now) == LB_TURN_ACT)
            seen += t.action.event == event && t.action.slot == slot;
    } while (now < end && t.news.what == LB_FINDER_SAME);
    return seen;
}

static void without_a_start_nothing_happens(void) {
    begin(LB_GOAL_DISK);
    CHECK_EQ(run(SEC), LB_TURN_IDLE);
    lb_finder_stop(&t.finder, now);
    CHECK_EQ(t.common.asks.count, 0);
    CHECK_EQ(lb_finder_where(&t.finder, LB_BOOT_SLOT_ISNS, (struct lb_span[2]){{0}}), 0);
}

static void slp_asks_for_the_target_on_its_own_slot(void) {
    begin(LB_GOAL_DISK);
    configure("discovery", "slp");
    start(TARGET, false);
    CHECK_EQ(run(SEC), LB_TURN_ACT);
    CHECK_EQ(t.action.event, LB_BOOT_OPEN);
    CHECK_EQ(t.action.slot, LB_BOOT_SLOT_SLP4);
    CHECK_EQ(run(5 * SEC), LB_TURN_ACT);
    CHECK_EQ(t.action.event, LB_BOOT_SEND);
    CHECK_EQ(t.action.slot, LB_BOOT_SLOT_SLP4);
    CHECK(!lb_finder_awaits_boot_list(&t.finder));
}

static void a_service_that_the_plan_leaves_out_is_not_asked(void) {
    begin(LB_GOAL_DISK);
    configure("discovery", "isns");
    start(TARGET, false);
    CHECK_EQ(run(SEC), LB_TURN_AGAIN); /* no iSNS server is known */
    CHECK_EQ(t.news.what, LB_FINDER_OVER);
    CHECK_EQ(t.common.asks.count, 0);
}

static void the_time_for_all_services_has_an_end(void) {
    begin(LB_GOAL_DISK);
    configure("discovery", "slp");
    start(TARGET, false);
    uint64_t from = now;
    CHECK(run_to_news(60 * SEC, LB_BOOT_SEND, LB_BOOT_SLOT_SLP4) > 1);
    CHECK_EQ(t.news.what, LB_FINDER_OVER);
    CHECK(now - from <= 10 * SEC);
    lb_finder_stop(&t.finder, now);
    CHECK_EQ(run(SEC), LB_TURN_ACT);
    CHECK_EQ(t.action.event, LB_BOOT_CLOSE);
    CHECK_EQ(t.action.slot, LB_BOOT_SLOT_SLP4);
    CHECK(!t.finder.runs && !t.finder.has_answer && t.finder.has_expectation);
}

static void an_isns_server_by_name_is_resolved_and_then_asked(void) {
    begin(LB_GOAL_DISK);
    configure("discovery", "isns");
    configure("isns-server", "isns.example");
    start("", false);
    CHECK_EQ(run(SEC), LB_TURN_AGAIN);
    CHECK_EQ(t.news.what, LB_FINDER_RESOLVE);
    CHECK_STR(t.news.name, "isns.example");
    const struct lb_addr addr = lb_addr_v4(192, 0, 2, 9);
    lb_finder_resolved(&t.finder, now, &addr, 1, "");
    CHECK_EQ(run(SEC), LB_TURN_ACT);
    CHECK_EQ(t.action.event, LB_BOOT_CONNECT);
    CHECK_EQ(t.action.slot, LB_BOOT_SLOT_ISNS);
    CHECK_STR(lb_endpoint_text(t.action.to).s, "192.0.2.9:3205");
    CHECK(lb_finder_awaits_boot_list(&t.finder));
}

static void a_name_that_does_not_resolve_is_the_failure(void) {
    begin(LB_GOAL_DISK);
    configure("discovery", "isns");
    configure("isns-server", "isns.example");
    start("", false);
    run(SEC);
    lb_finder_resolved(&t.finder, now, NULL, 0, "no such name");
    CHECK_EQ(run(SEC), LB_TURN_AGAIN);
    CHECK_EQ(t.news.what, LB_FINDER_OVER);
    CHECK_EQ(t.finder.failure.code, LB_E_RESOLVE);
    CHECK_STR(t.finder.failure.facts, "iSNS server isns.example: no such name");
}

static void the_next_isns_server_is_asked_when_the_first_is_lost(void) {
    begin(LB_GOAL_DISK);
    configure("discovery", "isns");
    configure("isns-server", "192.0.2.8, 192.0.2.9");
    start("", false);
    CHECK_EQ(run(SEC), LB_TURN_ACT);
    CHECK_STR(lb_endpoint_text(t.action.to).s, "192.0.2.8:3205");
    for (unsigned i = 0; i < 20 && !lb_addr_equal(t.action.to.addr, lb_addr_v4(192, 0, 2, 9));
         i++) {
        if (t.action.event == LB_BOOT_CONNECT)
            lb_finder_lost(&t.finder, now, LB_BOOT_SLOT_ISNS, LB_LOST_REFUSED);
        CHECK_EQ(run(10 * SEC), LB_TURN_ACT);
    }
    CHECK_STR(lb_endpoint_text(t.action.to).s, "192.0.2.9:3205");
    CHECK_EQ(t.finder.failure.code, LB_E_ISNS_CONNECT);
}

static void the_family_of_isns_servers_is_known_where_all_have_the_same(void) {
    begin(LB_GOAL_DISK);
    CHECK_EQ(lb_finder_isns_family(&t.plan), LB_FAMILY_NONE);
    configure("discovery", "isns");
    configure("isns-server", "2001:db8::9");
    CHECK_EQ(lb_finder_isns_family(&t.plan), LB_V6);
    configure("isns-server", "2001:db8::9, 192.0.2.9");
    CHECK_EQ(lb_finder_isns_family(&t.plan), LB_FAMILY_NONE);
}

/* ---- SendTargets ---------------------------------------------------------------------------- */

static struct lb_initiator session;
static struct lb_initiator_found found[4];
static struct lb_initiator_targets targets;

static void begin_list(void) {
    begin(LB_GOAL_DISK);
    configure("discovery", "sendtargets");
    memset(&session, 0, sizeof session);
    targets = (struct lb_initiator_targets){.found = found, .cap = LB_COUNT(found)};
    start("", true);
    lb_finder_list_begun(&t.finder, &session, &targets);
    CHECK(lb_finder_is_listing(&t.finder));
}

static void a_list_without_a_target_is_a_step_that_failed(void) {
    begin_list();
    targets.is_done = true;
    CHECK_EQ(lb_finder_list_turn(&t.finder, now), LB_TURN_AGAIN);
    const struct lb_step *step = &t.report.steps[t.report.step_count - 1];
    CHECK_EQ(step->outcome, LB_DONE_FAILED);
    CHECK_STR(step->note, "0 found");
    CHECK_HAS(t.finder.asked, "0 found");
}

static void each_target_of_a_list_is_news(void) {
    begin_list();
    for (uint8_t i = 0; i < 2; i++) {
        found[i] = (struct lb_initiator_found){.portal = {lb_addr_v4(192, 0, 2, i), 3260}};
        lb_format(found[i].target, sizeof found[i].target, "iqn.2026-11.test:%u", (unsigned)i);
    }
    targets.is_done = true;
    targets.count = 2;
    targets.dropped = 3;
    for (uint8_t i = 0; i < 2; i++) {
        t.finder.news = (struct lb_finder_news){.what = LB_FINDER_SAME};
        CHECK_EQ(lb_finder_list_turn(&t.finder, now), LB_TURN_AGAIN);
        CHECK_EQ(t.finder.news.what, LB_FINDER_FOUND);
        CHECK_STR(t.finder.found.at.target, found[i].target);
    }
    CHECK_EQ(lb_finder_list_turn(&t.finder, now), LB_TURN_AGAIN);
    const struct lb_step *step = &t.report.steps[t.report.step_count - 1];
    CHECK_EQ(step->outcome, LB_DONE_OK);
    CHECK_STR(step->note, "5 found");
}

static void a_list_that_fails_is_noted_and_the_stage_is_over(void) {
    const struct lb_error why = {.code = LB_E_LOGIN_REJECTED, .facts = "status 0300"};
    begin_list();
    lb_finder_list_failed(&t.finder, now, &why);
    CHECK(!lb_finder_is_listing(&t.finder));
    CHECK_EQ(t.finder.failure.code, LB_E_LOGIN_REJECTED);
    CHECK_STR(t.finder.failure.facts, "SendTargets: status 0300");
    CHECK_EQ(run(SEC), LB_TURN_AGAIN);
    CHECK_EQ(t.news.what, LB_FINDER_OVER);
}

static void a_list_that_does_not_come_ends_with_the_time(void) {
    begin_list();
    CHECK_EQ(run_to_news(60 * SEC, LB_BOOT_SEND, LB_BOOT_SLOT_TARGETS), 0);
    CHECK_EQ(t.news.what, LB_FINDER_OVER);
    lb_finder_stop(&t.finder, now);
    CHECK(!lb_finder_is_listing(&t.finder));
    CHECK_STR(t.finder.asked, "SendTargets: no answer in time");
}

/* With IPsec on: nobody sends the keys, or no address of ours leads there. */
static void ask_without_keys(const char *service, const char *key, bool has_address) {
    static const struct lb_addr agent = {.family = LB_V4, .bytes = {192, 0, 2, 1}};
    struct lb_boot_action action;
    begin(LB_GOAL_DISK);
    lb_shield_init(&t.shield, &t.common, true, false);
    configure("ipsec", "all");
    configure("ipsec-psk", "a key of more than thirty-two bytes, for a test");
    configure("ipsec-id", "me.example");
    configure("ipsec-peer-id", "disk.example");
    configure("discovery", service);
    configure(key, "192.0.2.1");
    start(TARGET, false);
    do {
        if (run(SEC / 10) == LB_TURN_ACT && t.action.event == LB_BOOT_SOURCE)
            lb_shield_source(&t.shield, now, agent,
                             has_address ? lb_addr_v4(192, 0, 2, 100) : (struct lb_addr){0});
        CHECK(t.action.event != LB_BOOT_SEND && t.action.event != LB_BOOT_CONNECT);
        while (lb_shield_turn(&t.shield, now, &action) != LB_TURN_IDLE)
            ;
    } while (t.news.what == LB_FINDER_SAME && now < 1030 * SEC);
    CHECK_EQ(t.news.what, LB_FINDER_OVER);
    lb_finder_stop(&t.finder, now);
    lb_shield_stop(&t.shield, now);
}

/* Both services tell the same. */
static void check_without_keys(bool has_address, enum lb_code code, const char *why) {
    static const struct {
        const char *service, *key, *who;
    } cases[] = {{"isns", "isns-server", "iSNS server"}, {"slp", "slp-agent", "SLP agent"}};
    for (size_t i = 0; i < LB_COUNT(cases); i++) {
        char facts[LB_FACTS_MAX];
        lb_format(facts, sizeof facts, "%s %s", cases[i].who, why);
        ask_without_keys(cases[i].service, cases[i].key, has_address);
        CHECK_EQ(t.finder.failure.code, code);
        CHECK_HAS(t.finder.failure.facts, facts);
    }
}

static void a_service_that_has_no_keys_by_its_end_is_told_as_that(void) {
    check_without_keys(true, LB_E_IPSEC_SILENT, "192.0.2.1");
}

static void why_there_are_no_keys_is_told_of_both_services(void) {
    check_without_keys(false, LB_E_CONNECT_UNREACHABLE, "no address of ours leads to 192.0.2.1");
}

static unsigned closes_of(uint32_t slot) {
    unsigned count = 0;
    for (size_t i = 0; i < t.common.asks.count; i++)
        count += t.common.asks.asks[i].event == LB_BOOT_CLOSE && t.common.asks.asks[i].slot == slot;
    return count;
}

/* What is open is closed once, and nothing else. */
static void the_end_closes_what_is_open_and_that_once(void) {
    static const uint32_t slots[] = {LB_BOOT_SLOT_SLP4, LB_BOOT_SLOT_SLP6, LB_BOOT_SLOT_SLP_TCP};
    for (unsigned open = 0; open < 8; open++) {
        begin(LB_GOAL_DISK);
        configure("discovery", "slp");
        start(TARGET, false);
        t.common.asks.count = 0;
        t.finder.slp4_open = open & 1;
        t.finder.slp6_open = open >> 1 & 1;
        t.finder.slp_tcp_owner = open >> 2 & 1 ? 0 : LB_FINDER_SLP_QUESTIONS;
        for (unsigned stops = 0; stops < 2; stops++) {
            lb_finder_stop(&t.finder, now);
            for (size_t i = 0; i < LB_COUNT(slots); i++)
                CHECK_EQ(closes_of(slots[i]), open >> i & 1);
            t.finder.runs = true; /* as if it had begun anew */
        }
        CHECK(!t.finder.slp4_open && !t.finder.slp6_open);
        CHECK(lb_finder_slp_stream(&t.finder) == NULL);
    }
}

/* A person's agents, else those of DHCP's option 78 that can be a host's address. */
static void the_agents_of_slp_are_a_persons_or_those_of_dhcp(void) {
    static const struct {
        const char *configured;
        bool has_lease, is_mandatory;
        size_t of_lease;
        const char *agents;
        bool only;
    } rows[] = {
        {"", false, true, 3, "", false},
        {"", true, false, 0, "", false},
        {"", true, true, 0, "", false},
        {"", true, false, 3, "192.0.2.1 192.0.2.3", false},
        {"", true, true, 1, "192.0.2.1", true},
        {"", true, true, 3, "192.0.2.1 192.0.2.3", true},
        {"192.0.2.9,192.0.2.8", true, true, 3, "192.0.2.9 192.0.2.8", false},
        {"192.0.2.9", false, false, 0, "192.0.2.9", false},
    };
    for (size_t i = 0; i < LB_COUNT(rows); i++) {
        char shown[200];
        struct lb_text text = lb_text(shown, sizeof shown);
        begin(LB_GOAL_DISK);
        configure("discovery", "slp");
        if (rows[i].configured[0] != '\0')
            configure("slp-agent", rows[i].configured);
        struct lb_dhcp4_lease *lease = &t.network.dhcp.lease;
        t.network.has_lease = rows[i].has_lease;
        lease->slp_da_mandatory = rows[i].is_mandatory;
        lease->slp_da_count = rows[i].of_lease;
        for (uint8_t j = 0; j < LB_COUNT(lease->slp_da); j++)
            lease->slp_da[j] = j == 1 ? lb_addr_v4(0, 0, 0, 0) : lb_addr_v4(192, 0, 2, 1 + j);
        start(TARGET, false);
        const struct lb_slp_config *got = &t.finder.slp[LB_FINDER_SLP_DISK4].client.config;
        for (size_t j = 0; j < got->agent_count; j++)
            lb_text_add(&text, "%s%s", j > 0 ? " " : "", lb_addr_text(got->agents[j]).s);
        CHECK_STR(shown, rows[i].agents);
        CHECK_EQ(got->agents_only, rows[i].only);
        CHECK_EQ(got->family, LB_V4);
    }
}

int main(void) {
    TEST(without_a_start_nothing_happens);
    TEST(slp_asks_for_the_target_on_its_own_slot);
    TEST(a_service_that_the_plan_leaves_out_is_not_asked);
    TEST(the_time_for_all_services_has_an_end);
    TEST(an_isns_server_by_name_is_resolved_and_then_asked);
    TEST(a_name_that_does_not_resolve_is_the_failure);
    TEST(the_next_isns_server_is_asked_when_the_first_is_lost);
    TEST(the_family_of_isns_servers_is_known_where_all_have_the_same);
    TEST(a_list_that_fails_is_noted_and_the_stage_is_over);
    TEST(a_list_that_does_not_come_ends_with_the_time);
    TEST(a_list_without_a_target_is_a_step_that_failed);
    TEST(each_target_of_a_list_is_news);
    TEST(a_service_that_has_no_keys_by_its_end_is_told_as_that);
    TEST(why_there_are_no_keys_is_told_of_both_services);
    TEST(the_end_closes_what_is_open_and_that_once);
    TEST(the_agents_of_slp_are_a_persons_or_those_of_dhcp);
    return tap_done();
}
