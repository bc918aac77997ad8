/* The SLP user agent among liars: whatever comes is counted, and does no harm. */
#include "core/slp/test_slp_client.h"

#define URL(host)   "service:iscsi:target://" host "/" TEST_TARGET
#define CONFIG(...) ((struct lb_slp_config){__VA_ARGS__})
#define AGENT(a)    .agents = {addr(a)}, .agent_count = 1

static struct lb_bytes good_reply(void) {
    static uint8_t room[LB_SLP_DATAGRAM_MAX];
    return make_reply((struct reply){.xid = xid_to(GROUP, TEST_TYPE),
                                     .urls = {URL("192.0.2.9"), URL("192.0.2.10")}},
                      lb_span(room, sizeof room));
}

/* Bytes that are ignored, for this reason. */
static void check_ignored(const char *sender, struct lb_bytes bytes, const char *why) {
    size_t found = t.found_count;
    uint64_t ignored = t.client.ignored;
    CHECK(!give(sender, bytes));
    CHECK_EQ(t.client.ignored, ignored + 1);
    CHECK_STR(t.client.ignored_why, why);
    CHECK_EQ(t.found_count, found);
}

static void a_truncated_reply_is_ignored(void) {
    start(CONFIG(0));
    struct lb_bytes whole = good_reply();
    for (size_t len = 0; len < whole.len; len++)
        CHECK(!give("192.0.2.9", lb_bytes(whole.p, len)));
    CHECK_EQ(t.client.ignored, whole.len);
    CHECK(give("192.0.2.9", whole));
    CHECK_EQ(t.found_count, 2);
}

static void a_reply_that_is_cut_off_inside_gives_what_is_whole(void) {
    struct lb_bytes whole = (start(CONFIG(0)), good_reply());
    for (size_t len = 16; len < whole.len; len++) {
        uint8_t bytes[LB_SLP_DATAGRAM_MAX];
        start(CONFIG(0));
        whole = good_reply();
        memcpy(bytes, whole.p, len);
        bytes[3] = 0;
        bytes[4] = (uint8_t)len; /* it says that it is that long */
        give("192.0.2.9", lb_bytes(bytes, len));
        size_t entry_bytes = lb_slp_entry_bytes(text(URL("192.0.2.10")));
        CHECK_EQ(t.found_count, whole.len - len >= entry_bytes + 1 ? 0 : 1);
    }
}

static void a_count_beyond_the_end_is_not_believed(void) {
    start(CONFIG(0));
    give_reply(
        "192.0.2.9",
        (struct reply){.xid = xid_to(GROUP, TEST_TYPE), .urls = {URL("192.0.2.9")}, .more = 65000});
    CHECK_EQ(t.found_count, 1);
    CHECK_EQ(t.end, LB_SLP_WAIT);
}

static void entries_beyond_the_count_are_not_read(void) {
    uint8_t bytes[LB_SLP_DATAGRAM_MAX];
    start(CONFIG(0));
    struct lb_bytes whole = good_reply();
    memcpy(bytes, whole.p, whole.len);
    bytes[19] = 1;
    CHECK(give("192.0.2.9", lb_bytes(bytes, whole.len)));
    CHECK_EQ(t.found_count, 1);
}

static void a_reply_to_another_question_is_ignored(void) {
    uint8_t room[LB_SLP_DATAGRAM_MAX];
    start(CONFIG(0));
    struct reply reply = {.xid = (uint16_t)(xid_to(GROUP, TEST_TYPE) + 1),
                          .urls = {URL("192.0.2.9")}};
    check_ignored("192.0.2.9", make_reply(reply, lb_span(room, sizeof room)),
                  "an answer to nothing that was asked");
    reply.xid = xid_to(GROUP, LB_SLP_TYPE_DIRECTORY);
    check_ignored("192.0.2.9", make_reply(reply, lb_span(room, sizeof room)),
                  "an answer to nothing that was asked");
}

static void somebody_else_does_not_answer_for_a_directory_agent(void) {
    uint8_t room[LB_SLP_DATAGRAM_MAX];
    start(CONFIG(AGENT("192.0.2.5"), .agents_only = true));
    struct reply reply = {.xid = xid_to("192.0.2.5", TEST_TYPE), .urls = {URL("192.0.2.9")}};
    check_ignored("192.0.2.6", make_reply(reply, lb_span(room, sizeof room)),
                  "an answer to nothing that was asked");
}

static void a_sender_that_cannot_be_is_ignored(void) {
    start(CONFIG(0));
    static const char *const senders[] = {"127.0.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255",
                                          "2001:db8::1"};
    for (size_t i = 0; i < LB_COUNT(senders); i++)
        check_ignored(senders[i], good_reply(), "its sender cannot be");
}

static void a_request_is_not_answered(void) {
    start(CONFIG(0));
    check_ignored("192.0.2.9", tap_hex(VECTOR_REQUEST), "no reply");
    check_ignored("192.0.2.9", lb_bytes(t.sends[0].bytes, t.sends[0].len), "no reply");
}

static void errors_and_empty_answers_to_a_multicast_are_ignored(void) {
    uint8_t room[LB_SLP_DATAGRAM_MAX];
    start(CONFIG(0));
    struct reply reply = {.xid = xid_to(GROUP, TEST_TYPE)};
    check_ignored("192.0.2.9", make_reply(reply, lb_span(room, sizeof room)),
                  "an empty answer to a multicast");
    reply.error = LB_SLP_INTERNAL_ERROR;
    check_ignored("192.0.2.9", make_reply(reply, lb_span(room, sizeof room)),
                  "an error in answer to a multicast");
    CHECK_EQ(t.client.responder_count, 0);
}

static void an_extension_that_has_to_be_understood_spoils_a_reply(void) {
    uint8_t bytes[LB_SLP_DATAGRAM_MAX] = {0};
    start(CONFIG(0));
    struct lb_bytes whole = good_reply();
    memcpy(bytes, whole.p, whole.len);
    size_t len = whole.len + 5;
    bytes[9] = (uint8_t)whole.len;
    bytes[4] = (uint8_t)len;
    bytes[whole.len] = 0x40;
    check_ignored("192.0.2.9", lb_bytes(bytes, len),
                  "it has an extension that has to be understood");
    bytes[whole.len] = 0x80;
    CHECK(give("192.0.2.9", lb_bytes(bytes, len)));
    CHECK_EQ(t.found_count, 2);
}

static void urls_that_are_none_are_passed_over(void) {
    start(CONFIG(0));
    give_reply("192.0.2.9",
               (struct reply){.xid = xid_to(GROUP, TEST_TYPE),
                              .urls = {"http://192.0.2.9/", "\xff\xfe", URL("192.0.2.9")}});
    CHECK_EQ(t.found_count, 1);
    CHECK_EQ(t.client.ignored, 2);
}

static void a_url_of_another_service_is_passed_over(void) {
    start(CONFIG(0));
    give_reply("192.0.2.9", (struct reply){.xid = xid_to(GROUP, TEST_TYPE),
                                           .urls = {"service:iscsi:sms://192.0.2.9"}});
    CHECK_EQ(t.found_count, 0);
    start(CONFIG(.query = LB_SLP_ISNS));
    give_reply("192.0.2.9",
               (struct reply){.xid = xid_to(GROUP, LB_SLP_TYPE_SMS),
                              .urls = {"service:iscsi:sms://192.0.2.9", URL("192.0.2.9")}});
    CHECK_EQ(t.found_count, 1);
    CHECK(t.found[0].isns);
}

static void another_target_than_asked_for_is_passed_over(void) {
    start(CONFIG(.query = LB_SLP_BY_TARGET, .target = "IQN.2001-04.com.example:SN.456"));
    ANSWER("192.0.2.9", URL("192.0.2.9"),
           "service:iscsi:target://192.0.2.9/iqn.2001-04.com.evil:x");
    CHECK_EQ(t.found_count, 1);
    CHECK_STR(t.found[0].target, TEST_TARGET);
    CHECK_STR(t.client.ignored_why, "another target than was asked for");
}

static void the_same_answer_again_and_again_ends_all_the_same(void) {
    start(CONFIG(0));
    struct lb_bytes reply = good_reply();
    for (unsigned i = 0; i < 1000; i++)
        give("192.0.2.9", reply);
    CHECK_EQ(t.found_count, 2);
    CHECK_EQ(run_out(), 6 * SEC);
}

static void hundreds_of_responders_are_heard_and_end(void) {
    start(CONFIG(0));
    uint16_t xid = xid_to(GROUP, TEST_TYPE);
    for (unsigned i = 0; i < 600; i++) {
        char url[100];
        struct lb_addr_text who =
            lb_addr_text(lb_addr_v4(198, 51, (uint8_t)(i / 200), (uint8_t)(i % 200 + 1)));
        lb_format(url, sizeof url, "service:iscsi:target://%s/" TEST_TARGET, who.s);
        give_reply(who.s, (struct reply){.xid = xid, .urls = {url}});
    }
    CHECK_EQ(t.found_count, 600);
    CHECK_EQ(t.client.listed_count, LB_SLP_RESPONDERS_MAX);
    CHECK(run_out() <= 15 * SEC);
    CHECK_EQ(t.end, LB_SLP_DONE);
}

static void hundreds_of_directory_agents_are_not_all_asked(void) {
    start(CONFIG(0));
    uint16_t xid = xid_to(GROUP, LB_SLP_TYPE_DIRECTORY);
    for (uint8_t i = 1; i <= 200; i++) {
        char url[100];
        struct lb_addr_text who = lb_addr_text(lb_addr_v4(192, 0, 2, i));
        lb_format(url, sizeof url, "service:directory-agent://%s", who.s);
        give_da_advert(who.s, (struct advert){.xid = xid, .url = url});
    }
    CHECK_EQ(t.client.agent_count, LB_SLP_AGENTS_MAX);
    CHECK(run_out() <= 60 * SEC);
}

/* Such as 127.0.1.1, which its machine's hosts file has for its name. */
static void of_an_agent_that_names_no_usable_address_the_senders_is_taken(void) {
    static const char *const urls[] = {
        "service:directory-agent://127.0.1.1",       "service:directory-agent://0.0.0.0",
        "service:directory-agent://[2001:db8::1]",   "service:directory-agent://a.example.",
        "Service:Directory-Agent://255.255.255.255", "service:directory-agent://",
    };
    for (size_t i = 0; i < LB_COUNT(urls); i++) {
        start(CONFIG(0));
        uint16_t xid = xid_to(GROUP, LB_SLP_TYPE_DIRECTORY);
        CHECK(give_da_advert("192.0.2.9", (struct advert){.xid = xid, .url = urls[i]}));
        if (CHECK_EQ(t.client.agent_count, 1))
            CHECK_STR(lb_addr_text(t.client.agents[0].agent).s, "192.0.2.9");
    }
}

static void adverts_of_others_are_ignored(void) {
    start(CONFIG(0));
    uint16_t xid = xid_to(GROUP, LB_SLP_TYPE_DIRECTORY);
    static const char *const urls[] = {"service:iscsi:target://192.0.2.9/x",
                                       "service:service-agent://", "", "service:directory-agent"};
    for (size_t i = 0; i < LB_COUNT(urls); i++)
        CHECK(!give_da_advert("192.0.2.9", (struct advert){.xid = xid, .url = urls[i]}));
    CHECK(!give_da_advert("192.0.2.9",
                          (struct advert){.xid = 0, .url = "service:directory-agent://192.0.2.9"}));
    CHECK_EQ(t.client.agent_count, 0);
}

static void long_scope_lists_are_not_all_learned(void) {
    static char scopes[1200];
    struct lb_text list = lb_text(scopes, sizeof scopes);
    for (unsigned i = 0; i < 150; i++)
        lb_text_add(&list, "%sscope%u", i ? "," : "", i);
    start(CONFIG(.scopes = ""));
    CHECK(ADVERT("192.0.2.5", .scopes = scopes));
    CHECK(lb_strlen(t.client.learned_scopes) < LB_SLP_SCOPES_MAX);
    CHECK(lb_strlen(t.client.learned_scopes) > LB_SLP_SCOPES_MAX - 12);
    CHECK(run_out() <= 60 * SEC);
}

static void an_overlong_datagram_is_ignored(void) {
    static uint8_t bytes[LB_SLP_DATAGRAM_MAX + 1] = {2, 2, 0, (LB_SLP_DATAGRAM_MAX + 1) >> 8,
                                                     (LB_SLP_DATAGRAM_MAX + 1) & 0xff};
    start(CONFIG(0));
    check_ignored("192.0.2.9", lb_bytes(bytes, sizeof bytes), "too long");
}

static void answers_that_come_together_are_all_read(void) {
    start(CONFIG(0));
    struct lb_bytes reply = good_reply();
    for (uint8_t i = 1; i <= LB_SLP_QUEUE_MAX; i++) {
        struct lb_endpoint sender = {.addr = lb_addr_v4(192, 0, 2, i), .port = LB_SLP_PORT};
        CHECK(lb_slp_client_input(&t.client, t.now, sender, reply));
    }
    CHECK(!lb_slp_client_input(&t.client, t.now, from("192.0.2.99"), reply));
    run();
    CHECK_EQ(t.client.responder_count, LB_SLP_QUEUE_MAX);
    CHECK(lb_slp_client_input(&t.client, t.now, from("192.0.2.99"), reply));
}

static void a_datagram_may_be_as_long_as_there_is_room(void) {
    static uint8_t room[LB_SLP_DATAGRAM_MAX + 1];
    start(CONFIG(0));
    check_ignored("192.0.2.9", lb_bytes(room, sizeof room), "too long");
    CHECK(!give("192.0.2.9", lb_bytes(room, LB_SLP_DATAGRAM_MAX)));
    CHECK(!lb_streq(t.client.ignored_why, "too long"));
}

int main(void) {
    TEST(a_truncated_reply_is_ignored);
    TEST(a_reply_that_is_cut_off_inside_gives_what_is_whole);
    TEST(a_count_beyond_the_end_is_not_believed);
    TEST(entries_beyond_the_count_are_not_read);
    TEST(a_reply_to_another_question_is_ignored);
    TEST(somebody_else_does_not_answer_for_a_directory_agent);
    TEST(a_sender_that_cannot_be_is_ignored);
    TEST(a_request_is_not_answered);
    TEST(errors_and_empty_answers_to_a_multicast_are_ignored);
    TEST(an_extension_that_has_to_be_understood_spoils_a_reply);
    TEST(urls_that_are_none_are_passed_over);
    TEST(a_url_of_another_service_is_passed_over);
    TEST(another_target_than_asked_for_is_passed_over);
    TEST(the_same_answer_again_and_again_ends_all_the_same);
    TEST(hundreds_of_responders_are_heard_and_end);
    TEST(hundreds_of_directory_agents_are_not_all_asked);
    TEST(of_an_agent_that_names_no_usable_address_the_senders_is_taken);
    TEST(adverts_of_others_are_ignored);
    TEST(long_scope_lists_are_not_all_learned);
    TEST(an_overlong_datagram_is_ignored);
    TEST(a_datagram_may_be_as_long_as_there_is_room);
    TEST(answers_that_come_together_are_all_read);
    return tap_done();
}
