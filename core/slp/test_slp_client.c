/* The SLP user agent: what it asks, of whom, when, and when it is done. */
#include "core/slp/test_slp_client.h"

#define URL(host)   "service:iscsi:target://" host "/" TEST_TARGET
#define DA_TYPE     LB_SLP_TYPE_DIRECTORY
#define CONFIG(...) ((struct lb_slp_config){__VA_ARGS__})
#define AGENT(a)    .agents = {addr(a)}, .agent_count = 1

/* ---- the queries of RFC 4018 5.2 ---- */

static const char *predicate(struct lb_slp_config config) {
    static char room[LB_SLP_PREDICATE_MAX];
    struct lb_text out = lb_text(room, sizeof room);
    config.initiator = TEST_INITIATOR;
    config.target = TEST_TARGET;
    lb_slp_predicate(&out, &config);
    return room;
}

static void a_target_is_asked_for_by_its_name(void) {
    CHECK_STR(predicate(CONFIG(.query = LB_SLP_BY_TARGET)), "(iscsi-name=" TEST_TARGET ")");
    start(CONFIG(.query = LB_SLP_BY_TARGET));
    const struct sent *sent = sent_to(GROUP, TEST_TYPE);
    if (!CHECK(sent->len > 0))
        return;
    CHECK_EQ(sent->to.port, 427);
    uint8_t expected[96];
    memcpy(expected, tap_hex(VECTOR_REQUEST).p, sizeof expected);
    expected[10] = (uint8_t)(sent->header.xid >> 8);
    expected[11] = (uint8_t)sent->header.xid;
    CHECK_BYTES(lb_bytes(sent->bytes, sent->len), lb_bytes(expected, sizeof expected));
}

static void targets_are_asked_for_by_initiator(void) {
    CHECK_STR(predicate(CONFIG(.query = LB_SLP_BY_INITIATOR)), "(auth-name=" TEST_INITIATOR ")");
    CHECK_STR(predicate(CONFIG(.query = LB_SLP_ANYBODYS)), "(auth-name=any)");
    CHECK_STR(predicate(CONFIG(.query = LB_SLP_OURS)),
              "(|(auth-name=" TEST_INITIATOR ")(auth-name=any))");
}

static void targets_are_asked_for_by_chap_user(void) {
    CHECK_STR(predicate(CONFIG(.query = LB_SLP_BY_CHAP_USER, .chap_user = "my-user-name")),
              "(auth-cred=chap/my-user-name)");
}

static void targets_are_asked_for_by_all_we_are(void) {
    CHECK_STR(
        predicate(CONFIG(.query = LB_SLP_BY_ALL, .chap_user = "foo", .address = addr("192.0.2.3"))),
        "(&(|(auth-name=" TEST_INITIATOR ")(auth-name=any))"
        "(|(auth-addr=192.0.2.3)(auth-addr=any))"
        "(|(auth-cred=chap/foo)(auth-cred=any)))");
    CHECK_STR(predicate(CONFIG(.query = LB_SLP_BY_ALL)),
              "(&(|(auth-name=" TEST_INITIATOR ")(auth-name=any))(auth-addr=any)(auth-cred=any))");
}

static void boot_disks_are_asked_for(void) {
    CHECK_STR(predicate(CONFIG(.query = LB_SLP_BOOT_LIST)),
              "(|(boot-list=" TEST_INITIATOR ")(boot-list=iscsi)(boot-list=any))");
}

static void everything_is_asked_for_without_a_predicate(void) {
    CHECK_STR(predicate(CONFIG(.query = LB_SLP_EVERYTHING)), "");
}

static void isns_servers_are_asked_for(void) {
    CHECK_STR(predicate(CONFIG(.query = LB_SLP_ISNS)), "(protocols=isns)");
    start(CONFIG(.query = LB_SLP_ISNS, .extra_scope = "initiator-scope-list"));
    const struct sent *sent = sent_to(GROUP, LB_SLP_TYPE_SMS);
    if (CHECK(sent->len > 0))
        CHECK_BYTES(sent->request.scopes, text("DEFAULT,initiator-scope-list"));
}

static void what_a_name_holds_is_escaped(void) {
    CHECK_STR(predicate(CONFIG(.query = LB_SLP_BY_CHAP_USER, .chap_user = "a,(b)*\\=\x01")),
              "(auth-cred=chap/a\\2c\\28b\\29\\2a\\5c\\3d\\01)");
}

static void access_lists_are_policy(void) {
    for (unsigned query = LB_SLP_BY_TARGET; query <= LB_SLP_ISNS; query++) {
        bool is_policy = query >= 2 && query <= 7;
        CHECK_EQ(lb_slp_query_is_policy((enum lb_slp_query)query), is_policy);
        CHECK(lb_strlen(lb_slp_query_word((enum lb_slp_query)query)) > 1);
    }
}

/* ---- scopes ---- */

static void scopes_follow_rfc_2610(void) {
    CHECK_STR(lb_slp_choose_scopes(NULL, NULL, false), NULL);
    CHECK_STR(lb_slp_choose_scopes("mine", NULL, false), "mine");
    CHECK_STR(lb_slp_choose_scopes("mine", "net", false), "mine");
    CHECK_STR(lb_slp_choose_scopes("mine", "net", true), "net");
    CHECK_STR(lb_slp_choose_scopes(NULL, "net", false), "net");
    CHECK_STR(lb_slp_choose_scopes("mine", "", true), "");
}

static void configured_scopes_are_asked_for(void) {
    start(CONFIG(.scopes = "eng,lab"));
    const struct sent *sent = sent_to(GROUP, TEST_TYPE);
    if (CHECK(sent->len > 0))
        CHECK_BYTES(sent->request.scopes, text("eng,lab"));
}

static void scopes_of_a_directory_agent_are_learned(void) {
    start(CONFIG(AGENT("192.0.2.5"), .scopes = ""));
    const struct sent *sent = sent_to("192.0.2.5", DA_TYPE);
    if (!CHECK(sent->len > 0 && t.send_count == 1))
        return;
    CHECK_EQ(sent->request.scopes.len, 0);
    CHECK(give_da_advert("192.0.2.5", (struct advert){.xid = sent->header.xid,
                                                      .url = DA_TYPE "://192.0.2.5",
                                                      .scopes = "east,west"}));
    sent = sent_to("192.0.2.5", TEST_TYPE);
    if (CHECK(sent->len > 0))
        CHECK_BYTES(sent->request.scopes, text("east,west"));
}

/* An empty list asks for everything; with one more scope it would ask for that one alone. */
static void a_scope_more_is_no_scope_where_none_is_known(void) {
    start(CONFIG(AGENT("192.0.2.5"), .scopes = "", .query = LB_SLP_ISNS, .extra_scope = "more"));
    const struct sent *sent = sent_to("192.0.2.5", DA_TYPE);
    if (!CHECK(sent->len > 0))
        return;
    CHECK_EQ(sent->request.scopes.len, 0);
    CHECK(give_da_advert(
        "192.0.2.5",
        (struct advert){.xid = sent->header.xid, .url = DA_TYPE "://192.0.2.5", .scopes = "east"}));
    sent = sent_to("192.0.2.5", LB_SLP_TYPE_SMS);
    if (CHECK(sent->len > 0))
        CHECK_BYTES(sent->request.scopes, text("east,more"));
}

static bool give_sa_advert(const char *sender, uint16_t xid, const char *scopes) {
    uint8_t room[200];
    struct lb_wr wr = lb_wr(lb_span(room, sizeof room));
    lb_slp_begin(&wr, LB_SLP_SA_ADVERT, 0, xid, text("en"));
    lb_slp_put_text(&wr, "service:service-agent://192.0.2.9");
    lb_slp_put_text(&wr, scopes);
    lb_slp_put_text(&wr, "");
    lb_wr_u8(&wr, 0);
    return give(sender, lb_slp_finish(&wr));
}

static void scopes_of_service_agents_are_learned(void) {
    start(CONFIG(.scopes = ""));
    uint16_t xid = xid_to(GROUP, LB_SLP_TYPE_SERVICE);
    CHECK(!was_sent(GROUP, TEST_TYPE));
    CHECK(give_sa_advert("192.0.2.9", xid, "east"));
    const struct sent *sent = sent_to(GROUP, TEST_TYPE);
    if (CHECK(sent->len > 0))
        CHECK_BYTES(sent->request.scopes, text("east"));
    CHECK(give_sa_advert("192.0.2.10", xid, "EAST,west"));
    advance(2 * SEC);
    sent = sent_to(GROUP, TEST_TYPE);
    CHECK_BYTES(sent->request.scopes, text("east,west"));
}

/* ---- multicast ---- */

static void without_agents_both_questions_go_out_at_once(void) {
    start(CONFIG(0));
    CHECK_EQ(t.send_count, 2);
    const struct sent *sent = sent_to(GROUP, DA_TYPE);
    if (!CHECK(sent->len > 0))
        return;
    CHECK_EQ(sent->header.flags, LB_SLP_MCAST);
    CHECK_BYTES(sent->request.scopes, text("DEFAULT"));
    CHECK_EQ(sent->request.predicate.len, 0);
    CHECK_EQ(sent_to(GROUP, TEST_TYPE)->header.flags, LB_SLP_MCAST);
    CHECK(sent_to(GROUP, TEST_TYPE)->header.xid != sent->header.xid);
}

static void two_questions_at_once_have_no_xid_in_common(void) {
    for (uint8_t seed = 1; seed < 40; seed++) {
        start_with(CONFIG(0), seed);
        for (size_t i = 0; i < t.send_count; i++)
            CHECK_EQ(t.sends[i].header.xid % 2, 0);
        start_with(CONFIG(.query = LB_SLP_ISNS), seed);
        CHECK(t.send_count > 0);
        for (size_t i = 0; i < t.send_count; i++)
            CHECK_EQ(t.sends[i].header.xid % 2, 1);
    }
}

static struct lb_rand rand_that_gives(uint16_t xid) {
    struct lb_rand rand = test_rand(1), before;
    do {
        before = rand;
    } while ((uint16_t)lb_rand_u32(&rand) != xid);
    return before;
}

static uint16_t drawn_after(uint16_t xid) {
    t.rand = rand_that_gives(xid);
    return lb_slp_client_new_xid(&t.client);
}

static void an_xid_in_use_is_not_drawn_again(void) {
    start(CONFIG(0));
    uint16_t xid = 0x1234;
    CHECK_EQ(drawn_after(xid), xid);
    for (size_t i = 0; i < LB_COUNT(t.client.casts); i++) {
        t.client.casts[i].xid = xid;
        CHECK(drawn_after(xid) != xid);
        t.client.casts[i].xid = 0;
    }
    t.client.agent_count = 2;
    t.client.agents[1].xid = xid;
    CHECK(drawn_after(xid) != xid);
    t.client.agent_count = 0;
    struct lb_slp_attr *last = &t.client.attrs[LB_SLP_ATTRS_MAX - 1];
    *last = (struct lb_slp_attr){.is_busy = true, .xid = xid};
    CHECK(drawn_after(xid) != xid);
    last->is_busy = false;
    CHECK_EQ(drawn_after(xid), xid);
}

static void ipv6_asks_the_groups_of_its_types(void) {
    start(CONFIG(.family = LB_V6));
    CHECK(was_sent("ff05::123", DA_TYPE));
    CHECK(was_sent("ff05::1:13e7", TEST_TYPE));
    start(CONFIG(.family = LB_V6, .group_scope = 2));
    CHECK(was_sent("ff02::1:13e7", TEST_TYPE));
    CHECK(give_reply("2001:db8::3", (struct reply){.xid = xid_to("ff02::1:13e7", TEST_TYPE),
                                                   .urls = {URL("[2001:db8::3]")}}));
    CHECK_EQ(t.found_count, 1);
    CHECK_STR(lb_addr_text(t.found[0].addr).s, "2001:db8::3");
    advance(2 * SEC);
    CHECK_EQ(sent_to("ff02::1:13e7", TEST_TYPE)->request.responders.len, 0);
}

static void silence_is_asked_again_with_the_same_xid(void) {
    start(CONFIG(0));
    uint16_t xid = xid_to(GROUP, TEST_TYPE);
    size_t sends = 0;
    run_out();
    static const uint64_t times[] = {0, 2, 6, 14};
    for (size_t i = 0; i < t.send_count; i++) {
        if (!lb_text_is(t.sends[i].request.type, TEST_TYPE))
            continue;
        CHECK_EQ(t.sends[i].header.xid, xid);
        if (CHECK(sends < LB_COUNT(times)))
            CHECK_EQ(t.sends[i].at - t.began, times[sends] * SEC);
        sends++;
    }
    CHECK_EQ(sends, 4);
}

static void nobody_answers_in_fifteen_seconds(void) {
    start(CONFIG(0));
    CHECK_EQ(run_out(), 15 * SEC);
    CHECK_EQ(t.end, LB_SLP_FAILED);
    CHECK_EQ(t.client.error.code, LB_E_SLP_NO_ANSWER);
    CHECK_HAS(t.client.error.facts, "everybody by IPv4 multicast");
}

static void a_boot_may_be_less_patient(void) {
    start(CONFIG(.retry_ms = 300, .total_ms = 1500));
    CHECK_EQ(run_out(), 1500 * MS);
}

static void the_start_may_be_put_off_by_chance(void) {
    bool differs = false;
    uint64_t first = 0;
    for (uint8_t seed = 1; seed < 10; seed++) {
        start_with(CONFIG(.start_wait_ms = 3000), seed);
        if (t.send_count == 0)
            advance(3 * SEC);
        CHECK(t.send_count >= 2);
        uint64_t wait = t.sends[0].at - t.began;
        differs |= seed > 1 && wait != first;
        first = wait;
    }
    CHECK(differs);
}

static void answers_are_given_out_as_they_come(void) {
    start(CONFIG(0));
    CHECK(ANSWER("192.0.2.9", URL("192.0.2.9"), URL("192.0.2.10:3261")));
    CHECK(ANSWER("192.0.2.11", URL("san.example.com")));
    CHECK_EQ(t.found_count, 3);
    CHECK_STR(lb_addr_text(t.found[0].addr).s, "192.0.2.9");
    CHECK_EQ(t.found[0].port, 3260);
    CHECK_STR(t.found[0].target, TEST_TARGET);
    CHECK_EQ(t.found[0].lifetime_s, 300);
    CHECK_EQ(t.found[0].portal_group, -1);
    CHECK_STR(lb_addr_text(t.found[0].agent).s, "192.0.2.9");
    CHECK_EQ(t.found[1].port, 3261);
    CHECK_STR(t.found[2].name, "san.example.com");
    CHECK_EQ(t.end, LB_SLP_WAIT);
}

static void those_who_answered_are_named_in_the_next_round(void) {
    start(CONFIG(0));
    ANSWER("192.0.2.9", URL("192.0.2.9"));
    ANSWER("192.0.2.10", URL("192.0.2.10"));
    advance(2 * SEC);
    const struct sent *sent = sent_to(GROUP, TEST_TYPE);
    CHECK_BYTES(sent->request.responders, text("192.0.2.9,192.0.2.10"));
    CHECK_EQ(sent_to(GROUP, DA_TYPE)->request.responders.len, 0);
}

static void a_round_that_brings_nobody_new_is_the_last(void) {
    start(CONFIG(0));
    ANSWER("192.0.2.9", URL("192.0.2.9"));
    CHECK_EQ(run_out(), 6 * SEC);
    CHECK_EQ(t.end, LB_SLP_DONE);
    CHECK_EQ(t.client.responder_count, 1);
}

/* RFC 2608 6.3: an agent that does not look for itself in the list of responders is heard once. */
static void an_agent_that_answers_every_round_is_new_once(void) {
    start(CONFIG(0));
    ANSWER("192.0.2.9", URL("192.0.2.9"));
    advance(3 * SEC);
    CHECK(ANSWER("192.0.2.9", URL("192.0.2.9")));
    ANSWER("192.0.2.9", URL("192.0.2.9"));
    CHECK_EQ(run_out(), 6 * SEC);
    CHECK_EQ(t.found_count, 1);
    CHECK_EQ(t.client.responder_count, 1);
}

static void a_round_that_brings_somebody_new_is_not_the_last(void) {
    start(CONFIG(0));
    ANSWER("192.0.2.9", URL("192.0.2.9"));
    advance(3 * SEC);
    ANSWER("192.0.2.10", URL("192.0.2.10"));
    CHECK_EQ(run_out(), 14 * SEC);
    CHECK_EQ(t.found_count, 2);
}

static void a_request_that_grows_too_long_is_the_last(void) {
    start(CONFIG(.mtu = 200));
    for (uint8_t i = 1; i <= 20; i++) {
        struct lb_addr_text who = lb_addr_text(lb_addr_v4(192, 0, 2, i));
        ANSWER(who.s, URL("192.0.2.9"));
    }
    size_t sends = t.send_count;
    CHECK_EQ(run_out(), 2 * SEC);
    CHECK_EQ(t.send_count, sends + 1); /* for directory agents, once more */
}

static void the_first_answer_may_be_enough(void) {
    start(CONFIG(.linger_ms = 100));
    advance(50 * MS);
    ANSWER("192.0.2.9", URL("192.0.2.9"));
    ANSWER("192.0.2.10", URL("192.0.2.10"));
    CHECK_EQ(t.found_count, 2);
    CHECK_EQ(run_out(), 150 * MS);
    CHECK_EQ(t.end, LB_SLP_DONE);
}

static void what_comes_after_the_end_is_not_read(void) {
    start(CONFIG(.linger_ms = 100));
    ANSWER("192.0.2.9", URL("192.0.2.9"));
    run_out();
    CHECK(!ANSWER("192.0.2.10", URL("192.0.2.10")));
    CHECK_EQ(t.found_count, 1);
}

static void an_answer_is_given_out_once(void) {
    start(CONFIG(0));
    ANSWER("192.0.2.9", URL("192.0.2.9"), URL("192.0.2.9:3260"));
    ANSWER("192.0.2.10", URL("192.0.2.9"));
    CHECK_EQ(t.found_count, 1);
    CHECK_EQ(t.client.responder_count, 2);
}

/* ---- directory agents ---- */

static void a_configured_agent_is_asked_alone(void) {
    start(CONFIG(AGENT("192.0.2.5")));
    CHECK_EQ(t.send_count, 1);
    const struct sent *sent = sent_to("192.0.2.5", TEST_TYPE);
    if (!CHECK(sent->len > 0))
        return;
    CHECK_EQ(sent->header.flags, 0);
    CHECK_EQ(sent->request.responders.len, 0);
    CHECK(AGENT_ANSWER("192.0.2.5", URL("192.0.2.9")));
    CHECK_EQ(t.found_count, 1);
    CHECK_EQ(t.end, LB_SLP_DONE);
    CHECK_EQ(t.now, t.began);
}

static void an_agent_that_knows_of_none_is_an_answer(void) {
    start(CONFIG(AGENT("192.0.2.5")));
    CHECK(AGENT_ANSWER("192.0.2.5", NULL));
    CHECK_EQ(t.end, LB_SLP_DONE);
    CHECK_EQ(t.found_count, 0);
    CHECK_EQ(t.client.responder_count, 1);
}

static void agents_of_the_other_family_are_passed_over(void) {
    start(CONFIG(.family = LB_V6, AGENT("192.0.2.5"), .agents_only = true));
    CHECK_EQ(t.send_count, 0);
    CHECK_EQ(t.end, LB_SLP_FAILED);
    CHECK_HAS(t.client.error.facts, "nobody, as no IPv6 directory agent is known");
}

static void a_silent_agent_is_backed_by_multicast(void) {
    start(CONFIG(AGENT("192.0.2.5")));
    advance(2 * SEC);
    CHECK_EQ(t.send_count, 4); /* once more, and the two multicasts */
    CHECK(ANSWER("192.0.2.9", URL("192.0.2.9")));
    CHECK_EQ(t.found_count, 1);
}

static void multicast_may_be_forbidden(void) {
    start(CONFIG(AGENT("192.0.2.5"), .agents_only = true));
    CHECK_EQ(run_out(), 15 * SEC);
    CHECK_EQ(t.send_count, 4);
    CHECK(!was_sent(GROUP, TEST_TYPE) && !was_sent(GROUP, DA_TYPE));
    CHECK_EQ(t.end, LB_SLP_FAILED);
    CHECK_EQ(t.client.error.code, LB_E_SLP_NO_ANSWER);
}

static void an_agents_refusal_is_told(void) {
    start(CONFIG(AGENT("192.0.2.5"), .agents_only = true));
    CHECK(give_reply("192.0.2.5", (struct reply){.xid = xid_to("192.0.2.5", TEST_TYPE),
                                                 .error = LB_SLP_SCOPE_NOT_SUPPORTED}));
    CHECK_EQ(t.end, LB_SLP_FAILED);
    CHECK_EQ(t.client.error.code, LB_E_SLP_REFUSED);
    CHECK_HAS(t.client.error.facts, "192.0.2.5 says SCOPE_NOT_SUPPORTED");
}

static void an_agents_refusal_leads_to_multicast_at_once(void) {
    start(CONFIG(AGENT("192.0.2.5")));
    give_reply("192.0.2.5", (struct reply){.xid = xid_to("192.0.2.5", TEST_TYPE),
                                           .error = LB_SLP_SCOPE_NOT_SUPPORTED});
    CHECK_EQ(t.send_count, 3);
    CHECK(was_sent(GROUP, TEST_TYPE));
}

static void a_busy_agent_is_asked_again_later(void) {
    start(CONFIG(AGENT("192.0.2.5"), .agents_only = true));
    CHECK(!give_reply("192.0.2.5",
                      (struct reply){.xid = xid_to("192.0.2.5", TEST_TYPE), .error = LB_SLP_BUSY}));
    CHECK_EQ(t.end, LB_SLP_WAIT);
    advance(2 * SEC);
    CHECK_EQ(t.send_count, 2);
    CHECK(AGENT_ANSWER("192.0.2.5", URL("192.0.2.9")));
    CHECK_EQ(t.end, LB_SLP_DONE);
}

static void all_agents_are_asked_and_one_is_enough(void) {
    start(CONFIG(.agents = {addr("192.0.2.5"), addr("192.0.2.6")}, .agent_count = 2));
    CHECK_EQ(t.send_count, 2);
    CHECK(AGENT_ANSWER("192.0.2.6", URL("192.0.2.9")));
    CHECK_EQ(run_out(), 2 * SEC);
    CHECK_EQ(t.end, LB_SLP_DONE);
    CHECK_EQ(t.send_count, 2);
}

static void an_agent_that_is_found_is_asked(void) {
    start(CONFIG(0));
    CHECK(ADVERT("192.0.2.5", .error = 0));
    CHECK(was_sent("192.0.2.5", TEST_TYPE));
    CHECK(AGENT_ANSWER("192.0.2.5", URL("192.0.2.9")));
    CHECK_EQ(t.end, LB_SLP_DONE);
    CHECK_EQ(t.now, t.began);
}

static void multicast_rests_while_an_agent_is_asked(void) {
    start(CONFIG(0));
    advance(1900 * MS);
    ADVERT("192.0.2.5", .error = 0);
    CHECK_EQ(t.send_count, 3);
    advance(1900 * MS);
    CHECK_EQ(t.send_count, 3);
    advance(100 * MS); /* the agent is silent */
    CHECK_EQ(t.send_count, 6);
}

static void an_agent_of_other_scopes_is_not_asked(void) {
    start(CONFIG(0));
    CHECK(!ADVERT("192.0.2.5", .scopes = "other"));
    CHECK(!was_sent("192.0.2.5", TEST_TYPE));
    CHECK(ADVERT("192.0.2.6", .scopes = "other,default"));
    CHECK(was_sent("192.0.2.6", TEST_TYPE));
}

static void an_agent_of_any_scopes_is_asked_where_none_is_known(void) {
    start(CONFIG(.query = LB_SLP_ISNS, .scopes = "", .extra_scope = "more"));
    CHECK(ADVERT("192.0.2.5", .scopes = "other"));
}

static void an_agent_that_goes_down_is_not_asked(void) {
    start(CONFIG(0));
    CHECK(!ADVERT("192.0.2.5", .goes_down = true));
    CHECK(!ADVERT("192.0.2.5", .error = 10));
    CHECK_EQ(t.send_count, 2);
}

/* ---- portal groups ---- */

static bool give_attributes(const char *sender, uint16_t xid, uint16_t error, const char *list) {
    uint8_t room[300];
    struct lb_wr wr = lb_wr(lb_span(room, sizeof room));
    lb_slp_begin(&wr, LB_SLP_ATTR_RPLY, 0, xid, text("en"));
    lb_wr_u16(&wr, error);
    lb_slp_put_text(&wr, list);
    lb_wr_u8(&wr, 0);
    return give(sender, lb_slp_finish(&wr));
}

static void the_portal_group_is_asked_for(void) {
    start(CONFIG(AGENT("192.0.2.5"), .ask_portal_group = true));
    AGENT_ANSWER("192.0.2.5", TEST_URL);
    CHECK_EQ(t.found_count, 0);
    const struct sent *sent = &t.sends[1];
    CHECK_EQ(t.send_count, 2);
    CHECK_EQ(sent->header.function, LB_SLP_ATTR_RQST);
    CHECK_STR(lb_addr_text(sent->to.addr).s, "192.0.2.5");
    CHECK_BYTES(sent->request.type, text(TEST_URL));
    CHECK_BYTES(sent->request.predicate, text("portal-group"));
    CHECK(give_attributes("192.0.2.5", sent->header.xid, 0, "(portal-group=2),(transports=tcp)"));
    CHECK_EQ(t.found_count, 1);
    CHECK_EQ(t.found[0].portal_group, 2);
    CHECK_EQ(t.end, LB_SLP_DONE);
}

static void a_portal_group_that_nobody_tells_is_unknown(void) {
    start(CONFIG(AGENT("192.0.2.5"), .ask_portal_group = true));
    AGENT_ANSWER("192.0.2.5", TEST_URL);
    CHECK_EQ(run_out(), 4 * SEC);
    CHECK_EQ(t.send_count, 3);
    CHECK_EQ(t.found_count, 1);
    CHECK_EQ(t.found[0].portal_group, -1);
}

static void a_portal_group_that_is_no_number_is_unknown(void) {
    static const char *const lists[] = {"(portal-group=65536)",
                                        "(portal-group=x)",
                                        "(portal-group=-1)",
                                        "portal-group",
                                        "(portal-group=",
                                        "(other=1)",
                                        ""};
    for (size_t i = 0; i < LB_COUNT(lists); i++) {
        start(CONFIG(AGENT("192.0.2.5"), .ask_portal_group = true));
        AGENT_ANSWER("192.0.2.5", TEST_URL);
        CHECK(give_attributes("192.0.2.5", t.sends[1].header.xid, 0, lists[i]));
        CHECK_EQ(t.found_count, 1);
        CHECK_EQ(t.found[0].portal_group, -1);
    }
}

static void attributes_of_somebody_else_are_ignored(void) {
    start(CONFIG(AGENT("192.0.2.5"), .ask_portal_group = true));
    AGENT_ANSWER("192.0.2.5", TEST_URL);
    uint16_t xid = t.sends[1].header.xid;
    CHECK(!give_attributes("192.0.2.6", xid, 0, "(portal-group=2)"));
    CHECK(!give_attributes("192.0.2.5", (uint16_t)(xid + 2), 0, "(portal-group=2)"));
    CHECK_EQ(t.found_count, 0);
    CHECK(give_attributes("192.0.2.5", xid, LB_SLP_PARSE_ERROR, ""));
    CHECK_EQ(t.found_count, 1);
}

/* ---- the whole ---- */

static void what_was_asked_is_told(void) {
    char room[300];
    struct lb_text told = lb_text(room, sizeof room);
    start(CONFIG(AGENT("192.0.2.5"), .scopes = "lab"));
    lb_slp_client_asked(&t.client, &told);
    CHECK_STR(room, "asked for service:iscsi:target (boot list) in scope lab: directory agent "
                    "192.0.2.5");
    advance(2 * SEC);
    told = lb_text(room, sizeof room);
    lb_slp_client_asked(&t.client, &told);
    CHECK_HAS(room, "192.0.2.5, everybody by IPv4 multicast");
}

static void it_ends_within_four_times_its_time(void) {
    for (uint8_t seed = 1; seed < 40; seed++) {
        start_with(CONFIG(AGENT("192.0.2.5"), .total_ms = 1000, .retry_ms = 100), seed);
        while (t.end == LB_SLP_WAIT) {
            /* Agents appear all the time, and none of them answers. */
            struct lb_addr_text who = lb_addr_text(lb_addr_v4(192, 0, 2, (uint8_t)(t.now % 251)));
            if (was_sent(GROUP, DA_TYPE))
                give_da_advert(who.s,
                               (struct advert){.xid = xid_to(GROUP, DA_TYPE),
                                               .url = "service:directory-agent://198.51.100.7"});
            t.send_count = LB_MIN(t.send_count, 16);
            advance(97 * MS);
        }
        CHECK(t.now - t.began <= 4100 * MS);
    }
}

int main(void) {
    TEST(a_target_is_asked_for_by_its_name);
    TEST(targets_are_asked_for_by_initiator);
    TEST(targets_are_asked_for_by_chap_user);
    TEST(targets_are_asked_for_by_all_we_are);
    TEST(boot_disks_are_asked_for);
    TEST(everything_is_asked_for_without_a_predicate);
    TEST(isns_servers_are_asked_for);
    TEST(what_a_name_holds_is_escaped);
    TEST(access_lists_are_policy);
    TEST(scopes_follow_rfc_2610);
    TEST(configured_scopes_are_asked_for);
    TEST(scopes_of_a_directory_agent_are_learned);
    TEST(scopes_of_service_agents_are_learned);
    TEST(without_agents_both_questions_go_out_at_once);
    TEST(two_questions_at_once_have_no_xid_in_common);
    TEST(an_xid_in_use_is_not_drawn_again);
    TEST(ipv6_asks_the_groups_of_its_types);
    TEST(silence_is_asked_again_with_the_same_xid);
    TEST(nobody_answers_in_fifteen_seconds);
    TEST(a_boot_may_be_less_patient);
    TEST(the_start_may_be_put_off_by_chance);
    TEST(answers_are_given_out_as_they_come);
    TEST(those_who_answered_are_named_in_the_next_round);
    TEST(a_round_that_brings_nobody_new_is_the_last);
    TEST(an_agent_that_answers_every_round_is_new_once);
    TEST(a_round_that_brings_somebody_new_is_not_the_last);
    TEST(a_request_that_grows_too_long_is_the_last);
    TEST(the_first_answer_may_be_enough);
    TEST(what_comes_after_the_end_is_not_read);
    TEST(an_answer_is_given_out_once);
    TEST(a_configured_agent_is_asked_alone);
    TEST(an_agent_that_knows_of_none_is_an_answer);
    TEST(agents_of_the_other_family_are_passed_over);
    TEST(a_silent_agent_is_backed_by_multicast);
    TEST(multicast_may_be_forbidden);
    TEST(an_agents_refusal_is_told);
    TEST(an_agents_refusal_leads_to_multicast_at_once);
    TEST(a_busy_agent_is_asked_again_later);
    TEST(all_agents_are_asked_and_one_is_enough);
    TEST(an_agent_that_is_found_is_asked);
    TEST(multicast_rests_while_an_agent_is_asked);
    TEST(an_agent_of_other_scopes_is_not_asked);
    TEST(an_agent_that_goes_down_is_not_asked);
    TEST(the_portal_group_is_asked_for);
    TEST(a_portal_group_that_nobody_tells_is_unknown);
    TEST(a_portal_group_that_is_no_number_is_unknown);
    TEST(attributes_of_somebody_else_are_ignored);
    TEST(what_was_asked_is_told);
    TEST(it_ends_within_four_times_its_time);
    TEST(a_scope_more_is_no_scope_where_none_is_known);
    TEST(an_agent_of_any_scopes_is_asked_where_none_is_known);
    return tap_done();
}
