#include "core/initiator/test_initiator_peer.h"

static bool request_has(const char *pair) {
    struct lb_bytes rest = peer.data;
    struct lb_iscsi_pair got;
    while (lb_iscsi_text_next(&rest, &got)) {
        struct lb_bytes whole = lb_bytes(got.name.p, got.name.len + 1 + got.value.len);
        if (lb_text_is(whole, pair))
            return true;
    }
    tap_note("missing: %s", pair);
    return false;
}

static bool request_has_key(enum lb_iscsi_key key) {
    struct lb_bytes value;
    return lb_iscsi_text_find(peer.data, key, &value);
}

/* ---- the exchange ---- */

static void without_chap_one_exchange_is_enough(void) {
    peer_configure();
    peer_connect();
    if (!peer_take_op(LB_OP_LOGIN_REQUEST))
        return;
    CHECK(peer.pdu.immediate && peer.pdu.final);
    CHECK_EQ(peer.pdu.login.csg, LB_LOGIN_STAGE_OPERATIONAL);
    CHECK_EQ(peer.pdu.login.nsg, LB_LOGIN_STAGE_FULL_FEATURE);
    CHECK_EQ(peer.pdu.login.tsih, 0);
    CHECK_EQ(peer.pdu.login.isid[0], 0x80);
    CHECK(request_has("InitiatorName=iqn.2026-11.test:me"));
    CHECK(request_has("TargetName=" PEER_TARGET));
    CHECK(request_has("SessionType=Normal"));
    peer_answer_login(true, LB_LOGIN_STAGE_FULL_FEATURE, TEXT(PEER_KEYS));
    CHECK_EQ(peer_poll().event, LB_INITIATOR_READY);
    CHECK_EQ(lb_initiator_state(&peer.session), LB_INITIATOR_FULL_FEATURE);
    CHECK_EQ(lb_initiator_logins(&peer.session), 1);
    CHECK_EQ(lb_initiator_agreed(&peer.session)->tsih, 0x1234);
    CHECK(!peer_take());
}

static void every_key_is_stated_even_at_its_default(void) {
    peer_configure();
    peer_connect();
    CHECK(peer_take());
    CHECK(request_has("HeaderDigest=None"));
    CHECK(request_has("DataDigest=None"));
    CHECK(request_has("ErrorRecoveryLevel=0"));
    CHECK(request_has("InitialR2T=No"));
    CHECK(request_has("ImmediateData=Yes"));
    CHECK(request_has("MaxRecvDataSegmentLength=262144"));
    CHECK(request_has("MaxBurstLength=16776192"));
    CHECK(request_has("FirstBurstLength=262144"));
    CHECK(request_has("MaxOutstandingR2T=1"));
    CHECK(request_has("MaxConnections=1"));
    CHECK(request_has("DataPDUInOrder=Yes"));
    CHECK(request_has("DataSequenceInOrder=Yes"));
    CHECK(request_has("DefaultTime2Wait=0"));
    CHECK(request_has("DefaultTime2Retain=0"));
    CHECK(!request_has_key(LB_ISCSI_KEY_IF_MARKER));
}

static void a_discovery_session_names_no_target(void) {
    peer_configure();
    peer.config.target[0] = 0;
    peer_connect();
    CHECK(peer_take());
    CHECK(request_has("SessionType=Discovery"));
    CHECK(!request_has_key(LB_ISCSI_KEY_TARGET_NAME));
    CHECK(!request_has_key(LB_ISCSI_KEY_MAX_BURST_LENGTH));
}

static void any_split_of_the_answer_gives_the_same_session(void) {
    for (size_t split = 1; split < 500; split++) {
        peer_configure();
        peer.split = split;
        peer_log_in();
        CHECK_EQ(lb_initiator_agreed(&peer.session)->max_burst, 65536);
        CHECK_EQ(lb_initiator_agreed(&peer.session)->tsih, 0x1234);
    }
}

static void a_target_that_does_not_move_on_is_asked_again(void) {
    peer_configure();
    peer_connect();
    CHECK(peer_take());
    peer_answer_login(false, 0, TEXT(PEER_KEYS));
    if (!peer_take_op(LB_OP_LOGIN_REQUEST))
        return;
    CHECK(peer.pdu.final);
    CHECK_EQ(peer.data.len, 0);
    peer_answer_login(true, LB_LOGIN_STAGE_FULL_FEATURE, lb_bytes(NULL, 0));
    CHECK_EQ(peer_poll().event, LB_INITIATOR_READY);
}

static void a_target_that_never_moves_on_is_given_up(void) {
    peer_configure();
    peer_connect();
    for (unsigned i = 0; i < LB_LOGIN_EXCHANGES_MAX; i++) {
        if (!CHECK(peer_take()))
            return;
        peer_answer_login(false, 0, lb_bytes(NULL, 0));
    }
    peer_check_failed(LB_E_LOGIN_PROTOCOL, "no agreement after 16 requests");
}

static void keys_may_be_missing(void) {
    peer_configure();
    peer_connect();
    peer_log_in_with(lb_bytes(NULL, 0));
    const struct lb_initiator_agreed *agreed = lb_initiator_agreed(&peer.session);
    CHECK_EQ(agreed->max_send_data, 8192);
    CHECK_EQ(agreed->max_burst, 262144);
    CHECK_EQ(agreed->first_burst, 65536);
    CHECK_EQ(agreed->time2wait_s, 2);
    CHECK(agreed->initial_r2t);
    CHECK(!agreed->immediate_data);
}

static void what_the_target_says_counts(void) {
    peer_configure();
    peer_connect();
    peer_log_in_with(TEXT("MaxRecvDataSegmentLength=0x4000\0MaxBurstLength=32768\0"
                          "FirstBurstLength=65536\0InitialR2T=No\0ImmediateData=Yes\0"
                          "DefaultTime2Wait=0\0TargetPortalGroupTag=7\0TargetAlias=Boot\0"));
    const struct lb_initiator_agreed *agreed = lb_initiator_agreed(&peer.session);
    CHECK_EQ(agreed->max_send_data, 16384);
    CHECK_EQ(agreed->max_burst, 32768);
    CHECK_EQ(agreed->first_burst, 32768); /* never over MaxBurstLength */
    CHECK(!agreed->initial_r2t && agreed->immediate_data);
    CHECK_EQ(agreed->time2wait_s, 0);
    CHECK_EQ(agreed->tpgt, 7);
    CHECK_STR(agreed->target_alias, "Boot");
}

static void rejected_and_irrelevant_keys_keep_their_defaults(void) {
    peer_configure();
    peer_connect();
    peer_log_in_with(
        TEXT("FirstBurstLength=Irrelevant\0MaxBurstLength=Reject\0InitialR2T=Reject\0"));
    CHECK_EQ(lb_initiator_agreed(&peer.session)->max_burst, 262144);
    CHECK(lb_initiator_agreed(&peer.session)->initial_r2t);
}

static void the_targets_own_offers_are_answered(void) {
    peer_configure();
    peer_connect();
    CHECK(peer_take());
    peer_answer_login(false, 0,
                      TEXT("X-com.vendor.speed=11\0IFMarker=Yes\0OFMarkInt=1~2\0"
                           "TaskReporting=ResponseFence,RFC3720\0iSCSIProtocolLevel=2\0"
                           "X-com.vendor.other=NotUnderstood\0"));
    CHECK(peer_take());
    CHECK(request_has("X-com.vendor.speed=NotUnderstood"));
    CHECK(request_has("IFMarker=No"));
    CHECK(request_has("OFMarkInt=Reject"));
    CHECK(request_has("TaskReporting=RFC3720"));
    CHECK(request_has("iSCSIProtocolLevel=1"));
    struct lb_bytes rest = peer.data;
    struct lb_iscsi_pair pair;
    while (lb_iscsi_text_next(&rest, &pair))
        CHECK(!lb_text_is(pair.name, "X-com.vendor.other"));
}

static void login_fails_with(const char *what, struct lb_bytes text, const char *facts) {
    peer_configure();
    peer_connect();
    CHECK(peer_take());
    peer_answer_login(true, LB_LOGIN_STAGE_FULL_FEATURE, text);
    tap_note("%s", what);
    peer_check_failed(LB_E_LOGIN_PROTOCOL, facts);
}

static void answers_that_would_endanger_data_end_the_login(void) {
    login_fails_with("segment", TEXT("MaxRecvDataSegmentLength=-1\0"), "is not a number");
    login_fails_with("segment", TEXT("MaxRecvDataSegmentLength=64k\0"), "is not a number");
    login_fails_with("segment", TEXT("MaxRecvDataSegmentLength=\0"), "is not a number");
    login_fails_with("erl", TEXT("ErrorRecoveryLevel=1\0"), "ErrorRecoveryLevel=1");
    login_fails_with("erl", TEXT("ErrorRecoveryLevel=2\0"), "ErrorRecoveryLevel=2");
    login_fails_with("digest", TEXT("DataDigest=MD5\0"), "was not offered");
    login_fails_with("digest", TEXT("DataDigest=CRC32C,None\0"), "was not offered");
    login_fails_with("order", TEXT("DataPDUInOrder=No\0"), "although we said Yes");
    login_fails_with("order", TEXT("DataSequenceInOrder=no\0"), "although we said Yes");
    login_fails_with("bool", TEXT("ImmediateData=1\0"), "neither Yes nor No");
    login_fails_with("bool", TEXT("InitialR2T=\0"), "neither Yes nor No");
    login_fails_with("chap", TEXT("CHAP_A=5\0"), "has no place");
}

static void a_key_that_contradicts_itself_ends_the_login(void) {
    login_fails_with("twice", TEXT("InitialR2T=Yes\0InitialR2T=No\0"), "a second time");
    login_fails_with("twice", TEXT("ImmediateData=No\0immediatedata=yes\0"), "a second time");
}

static void text_that_is_not_pairs_ends_the_login(void) {
    login_fails_with("no equals", TEXT("InitialR2T\0"), "has no '='");
    login_fails_with("no key", TEXT("=Yes\0"), "has no key");
    login_fails_with("control", TEXT("DataDigest=\x1b[31m\0"), "\\x1b");
}

static void the_portal_group_is_checked_where_it_is_known(void) {
    peer_configure();
    peer.config.expected_tpgt = 2 + 1;
    peer_connect();
    CHECK(peer_take());
    peer_answer_login(true, LB_LOGIN_STAGE_FULL_FEATURE, TEXT("TargetPortalGroupTag=1\0"));
    peer_check_failed(LB_E_LOGIN_PROTOCOL, "portal group");

    peer_configure();
    peer.config.expected_tpgt = 2 + 1;
    peer_connect();
    peer_log_in_with(TEXT("TargetPortalGroupTag=2\0"));
    peer_configure();
    peer.config.expected_tpgt = 2 + 1;
    peer_connect();
    peer_log_in_with(lb_bytes(NULL, 0)); /* old targets do not send it */
}

/* ---- headers ---- */

static struct lb_iscsi_pdu good_answer(void) {
    struct lb_iscsi_pdu pdu = {
        .opcode = LB_OP_LOGIN_RESPONSE,
        .final = true,
        .itt = peer.pdu.itt,
        .login = {.csg = 1, .nsg = 3, .tsih = 5},
    };
    return pdu;
}

static void answer_fails(struct lb_iscsi_pdu pdu, const char *facts) {
    peer_give(&pdu, lb_bytes(NULL, 0));
    peer_check_failed(LB_E_LOGIN_PROTOCOL, facts);
    peer_configure();
    peer_connect();
    CHECK(peer_take());
}

static void headers_that_contradict_the_request_end_the_login(void) {
    struct lb_iscsi_pdu pdu;
    peer_configure();
    peer_connect();
    CHECK(peer_take());
    pdu = good_answer();
    pdu.login.csg = 0;
    answer_fails(pdu, "another stage");
    pdu = good_answer();
    pdu.login.nsg = 1;
    answer_fails(pdu, "not asked for");
    pdu = good_answer();
    pdu.login.nsg = 2;
    answer_fails(pdu, "not asked for");
    pdu = good_answer();
    pdu.login.more = true;
    answer_fails(pdu, "T and C");
    pdu = good_answer();
    pdu.login.version_min = 1;
    answer_fails(pdu, "version-active");
    pdu = good_answer();
    pdu.itt++;
    answer_fails(pdu, "Login Response (tag");
    pdu = (struct lb_iscsi_pdu){.opcode = LB_OP_SCSI_RESPONSE, .itt = peer.pdu.itt};
    answer_fails(pdu, "SCSI Response");
}

static void an_unknown_opcode_ends_the_login(void) {
    uint8_t bhs[48] = {0x3c};
    peer_configure();
    peer_connect();
    CHECK(peer_take());
    peer_feed(lb_bytes(bhs, sizeof bhs));
    peer_check_failed(LB_E_LOGIN_PROTOCOL, "unknown opcode 0x3c");
}

/* As soon as it is announced: what else would come may never come. */
static void an_additional_header_ends_the_login(void) {
    peer_configure();
    peer_connect();
    CHECK(peer_take());
    struct lb_iscsi_pdu pdu = good_answer();
    pdu.ahs_len = 8;
    peer_give(&pdu, lb_bytes(NULL, 0));
    peer_check_failed(LB_E_LOGIN_PROTOCOL, "8 bytes of additional header");
}

static void a_mail_server_is_not_waited_for(void) {
    peer_configure();
    peer_connect();
    CHECK(peer_take());
    peer_feed(TEXT("220 mail.example ESMTP at your service, and a good day\r\n"));
    peer_check_failed(LB_E_LOGIN_PROTOCOL, "additional header");
}

/* tgt 093d2bf: what comes before login is bounded, too. */
static void a_login_answer_over_8192_bytes_ends_the_login(void) {
    static uint8_t big[8193];
    peer_configure();
    peer_connect();
    CHECK(peer_take());
    struct lb_iscsi_pdu pdu = good_answer();
    peer_give(&pdu, lb_bytes(big, sizeof big));
    peer_check_failed(LB_E_LOGIN_PROTOCOL, "8193 bytes of data, where 8192 are allowed");
}

static void a_reject_ends_the_login(void) {
    peer_configure();
    peer_connect();
    CHECK(peer_take());
    struct lb_iscsi_pdu pdu = {
        .opcode = LB_OP_REJECT, .final = true, .itt = LB_ISCSI_NO_TAG, .reject = {.reason = 0x0b}};
    peer_give(&pdu, lb_bytes(NULL, 0));
    peer_check_failed(LB_E_LOGIN_REJECTED, "0x0b");
}

/* ---- continuation ---- */

static void give_part(struct lb_bytes text, bool more) {
    struct lb_iscsi_pdu pdu = {
        .opcode = LB_OP_LOGIN_RESPONSE,
        .itt = peer.pdu.itt,
        .login = {.csg = peer.pdu.login.csg, .more = more, .tsih = 0},
    };
    peer.exp_cmd_sn = peer.pdu.cmd_sn;
    peer_give(&pdu, text);
}

static void an_answer_in_parts_is_joined_even_within_a_pair(void) {
    struct lb_bytes text = TEXT("MaxBurstLength=32768\0TargetAlias=Somebody\0");
    for (size_t cut = 1; cut < text.len; cut++) {
        peer_configure();
        peer_connect();
        CHECK(peer_take());
        give_part(lb_bytes(text.p, cut), true);
        if (!CHECK(peer_take()))
            return;
        CHECK_EQ(peer.data.len, 0);
        CHECK(!peer.pdu.final && !peer.pdu.login.more);
        give_part(lb_bytes_after(text, cut), false);
        CHECK(peer_take());
        CHECK(peer.pdu.final);
        peer_answer_login(true, LB_LOGIN_STAGE_FULL_FEATURE, lb_bytes(NULL, 0));
        CHECK_EQ(peer_poll().event, LB_INITIATOR_READY);
        CHECK_EQ(lb_initiator_agreed(&peer.session)->max_burst, 32768);
        CHECK_STR(lb_initiator_agreed(&peer.session)->target_alias, "Somebody");
    }
}

static void endless_continuation_is_given_up(void) {
    static uint8_t text[8192];
    memset(text, 'a', sizeof text);
    peer_configure();
    peer_connect();
    for (int i = 0; i < 20 && peer_take(); i++)
        give_part(lb_bytes(text, sizeof text), true);
    peer_check_failed(LB_E_LOGIN_PROTOCOL, "16384 bytes");
    peer_configure();
    peer_connect();
    for (int i = 0; i < 20 && peer_take(); i++)
        give_part(lb_bytes(NULL, 0), true);
    peer_check_failed(LB_E_LOGIN_PROTOCOL, "16 requests");
}

static void our_own_long_request_goes_out_in_parts(void) {
    uint8_t joined[2048];
    struct lb_wr wr = lb_wr(lb_span(joined, sizeof joined));
    peer_configure();
    lb_initiator_init(&peer.session, peer.now, &peer.config, lb_span(peer.rx, sizeof peer.rx),
                      &peer.rand, &peer.trace);
    peer.session.login_part_max = 100;
    lb_initiator_start(&peer.session, peer.now);
    (void)peer_poll();
    peer_accept();
    CHECK(peer_take());
    while (peer.pdu.login.more) {
        CHECK(!peer.pdu.final);
        CHECK_EQ(peer.data.len, 100);
        lb_wr_bytes(&wr, peer.data);
        peer_answer_login(false, 0, lb_bytes(NULL, 0));
        if (!CHECK(peer_take()))
            return;
    }
    CHECK(peer.pdu.final);
    lb_wr_bytes(&wr, peer.data);
    peer.data = lb_wr_done(&wr);
    CHECK(request_has("SessionType=Normal"));
    CHECK(request_has("DataSequenceInOrder=Yes"));
    peer_answer_login(true, LB_LOGIN_STAGE_FULL_FEATURE, TEXT(PEER_KEYS));
    CHECK_EQ(peer_poll().event, LB_INITIATOR_READY);
}

/* ---- statuses ---- */

static void each_status_has_its_error(void) {
    static const struct {
        uint16_t status;
        enum lb_code code;
        bool may_pass;
    } cases[] = {
        {0x0200, LB_E_LOGIN_REJECTED, false},  {0x0202, LB_E_NOT_AUTHORISED, true},
        {0x0203, LB_E_TARGET_NOT_FOUND, true}, {0x0204, LB_E_TARGET_REMOVED, false},
        {0x0205, LB_E_LOGIN_VERSION, false},   {0x0206, LB_E_TARGET_BUSY, true},
        {0x0207, LB_E_LOGIN_REJECTED, false},  {0x0208, LB_E_LOGIN_REJECTED, false},
        {0x0209, LB_E_LOGIN_REJECTED, false},  {0x020a, LB_E_LOGIN_REJECTED, false},
        {0x020b, LB_E_LOGIN_REJECTED, false},  {0x0300, LB_E_TARGET_BUSY, true},
        {0x0301, LB_E_TARGET_BUSY, true},      {0x0302, LB_E_TARGET_BUSY, true},
        {0x0105, LB_E_LOGIN_REJECTED, false},  {0x7f01, LB_E_LOGIN_REJECTED, false},
    };
    for (size_t i = 0; i < LB_COUNT(cases); i++) {
        char facts[16];
        lb_format(facts, sizeof facts, "0x%04x", cases[i].status);
        peer_configure();
        peer_connect();
        CHECK(peer_take());
        peer_refuse_login(cases[i].status, lb_bytes(NULL, 0));
        peer_check_failed(cases[i].code, facts);
        CHECK_HAS(lb_initiator_error(&peer.session)->facts, "192.0.2.1:3260");
        CHECK_HAS(lb_initiator_error(&peer.session)->facts, PEER_TARGET);
        CHECK_HAS(lb_initiator_error(&peer.session)->facts, "iqn.2026-11.test:me");
        CHECK_EQ(lb_code_may_pass(lb_initiator_error(&peer.session)->code), cases[i].may_pass);
    }
}

static void a_target_that_wants_security_gets_it_once(void) {
    peer_configure();
    peer_connect();
    CHECK(peer_take());
    peer_refuse_login(LB_LOGIN_AUTH_FAILED, lb_bytes(NULL, 0));
    CHECK_EQ(lb_initiator_poll(&peer.session, peer.now).event, LB_INITIATOR_CLOSE);
    CHECK_EQ(lb_initiator_poll(&peer.session, peer.now).event, LB_INITIATOR_CONNECT);
    peer_accept();
    CHECK(peer_take());
    CHECK_EQ(peer.pdu.login.csg, LB_LOGIN_STAGE_SECURITY);
    CHECK(request_has("AuthMethod=None"));
    CHECK(peer.pdu.final);
    peer_answer_login(true, LB_LOGIN_STAGE_OPERATIONAL, TEXT("AuthMethod=None\0"));
    CHECK(peer_take());
    CHECK_EQ(peer.pdu.login.csg, LB_LOGIN_STAGE_OPERATIONAL);
    CHECK(!request_has_key(LB_ISCSI_KEY_INITIATOR_NAME));
    peer_answer_login(true, LB_LOGIN_STAGE_FULL_FEATURE, TEXT(PEER_KEYS));
    CHECK_EQ(peer_poll().event, LB_INITIATOR_READY);
}

static void a_target_that_wants_chap_is_named_as_such(void) {
    peer_configure();
    peer_connect();
    CHECK(peer_take());
    peer_refuse_login(LB_LOGIN_AUTH_FAILED, lb_bytes(NULL, 0));
    CHECK_EQ(peer_poll().event, LB_INITIATOR_CONNECT);
    peer_accept();
    CHECK(peer_take());
    peer_refuse_login(LB_LOGIN_AUTH_FAILED, lb_bytes(NULL, 0));
    peer_check_failed(LB_E_AUTH_NEEDED, "0x0201");

    peer_configure();
    peer_connect();
    CHECK(peer_take());
    peer_refuse_login(LB_LOGIN_AUTH_FAILED, lb_bytes(NULL, 0));
    CHECK_EQ(peer_poll().event, LB_INITIATOR_CONNECT);
    peer_accept();
    CHECK(peer_take());
    peer_answer_login(false, 0, TEXT("AuthMethod=CHAP\0"));
    peer_check_failed(LB_E_AUTH_NEEDED, "AuthMethod");
}

/* ---- redirects ---- */

static void redirect_to(const char *address, uint16_t status) {
    char text[200];
    struct lb_text line = lb_text(text, sizeof text);
    lb_text_add(&line, "TargetAddress=%s", address);
    CHECK(peer_take());
    peer_refuse_login(status, lb_bytes(text, line.len + 1));
}

static void a_redirect_is_followed(void) {
    bool permanent = true;
    peer_configure();
    peer_connect();
    redirect_to("192.0.2.2:3261", LB_LOGIN_MOVED_TEMPORARILY);
    CHECK_EQ(lb_initiator_poll(&peer.session, peer.now).event, LB_INITIATOR_CLOSE);
    struct lb_initiator_action action = lb_initiator_poll(&peer.session, peer.now);
    CHECK_EQ(action.event, LB_INITIATOR_CONNECT);
    CHECK_STR(lb_endpoint_text(action.peer).s, "192.0.2.2:3261");
    peer_accept();
    CHECK(peer_take());
    CHECK(request_has("TargetName=" PEER_TARGET));
    CHECK(lb_initiator_was_redirected(&peer.session, &permanent));
    CHECK(!permanent);
}

static void a_redirect_may_be_ipv6_or_have_no_port_or_a_tag(void) {
    peer_configure();
    peer_connect();
    redirect_to("[2001:db8::5]", LB_LOGIN_MOVED_PERMANENTLY);
    struct lb_initiator_action action = peer_poll();
    CHECK_STR(lb_endpoint_text(action.peer).s, "[2001:db8::5]:3260");
    peer_accept();
    redirect_to("[2001:db8::6]:860,3", LB_LOGIN_MOVED_PERMANENTLY);
    CHECK_STR(lb_endpoint_text(peer_poll().peer).s, "[2001:db8::6]:860");
    peer_accept();
    redirect_to(" 192.0.2.6:861,3 ", LB_LOGIN_MOVED_PERMANENTLY);
    CHECK_STR(lb_endpoint_text(peer_poll().peer).s, "192.0.2.6:861");
}

/* Nothing depends on the tag: openebs-archive/jiva#28 has -1. */
static void a_redirects_tag_may_be_anything(void) {
    static const char *const values[] = {"192.0.2.9:860,-1", "192.0.2.9:860,99999",
                                         "192.0.2.9:860,", "192.0.2.9:860,x", " 192.0.2.9:860 "};
    for (size_t i = 0; i < LB_COUNT(values); i++) {
        peer_configure();
        peer_connect();
        redirect_to(values[i], LB_LOGIN_MOVED_TEMPORARILY);
        CHECK_STR(lb_endpoint_text(peer_poll().peer).s, "192.0.2.9:860");
    }
}

static void a_redirect_to_a_name_is_resolved(void) {
    struct lb_addr addrs[2];
    peer_configure();
    peer_connect();
    redirect_to("store.example.com:3262", LB_LOGIN_MOVED_TEMPORARILY);
    struct lb_initiator_action action = peer_poll();
    CHECK_EQ(action.event, LB_INITIATOR_RESOLVE);
    CHECK_STR(action.host, "store.example.com");
    addrs[0] = lb_addr_v4(192, 0, 2, 8);
    addrs[1] = lb_addr_v4(192, 0, 2, 9);
    lb_initiator_resolved(&peer.session, peer.now, addrs, 2, NULL);
    CHECK_STR(lb_endpoint_text(peer_poll().peer).s, "192.0.2.8:3262");
    lb_initiator_lost(&peer.session, peer.now, LB_LOST_REFUSED);
    CHECK_STR(lb_endpoint_text(peer_poll().peer).s, "192.0.2.9:3262");
    lb_initiator_lost(&peer.session, peer.now, LB_LOST_UNREACHABLE);
    peer_check_failed(LB_E_REDIRECT_DEAD, "192.0.2.9:3262");
}

/* Where the next login goes, as text. */
static const char *home(void) {
    static struct lb_addr_text text;
    text = lb_endpoint_text(lb_initiator_home(&peer.session));
    return text.s;
}

static void after_a_redirect_for_now_the_next_login_goes_where_the_first_went(void) {
    struct lb_addr group = lb_addr_v4(192, 0, 2, 10);
    peer_configure();
    peer_connect();
    CHECK_STR(home(), "192.0.2.1:3260");
    redirect_to("192.0.2.2:3261", LB_LOGIN_MOVED_TEMPORARILY);
    CHECK_EQ(peer_poll().event, LB_INITIATOR_CONNECT);
    CHECK_STR(home(), "192.0.2.1:3260");
    peer_accept();
    redirect_to("192.0.2.3:3262", LB_LOGIN_MOVED_PERMANENTLY);
    CHECK_EQ(peer_poll().event, LB_INITIATOR_CONNECT);
    CHECK_STR(home(), "192.0.2.3:3262");
    peer_accept();
    redirect_to("group.example.com:3263", LB_LOGIN_MOVED_PERMANENTLY);
    CHECK_EQ(peer_poll().event, LB_INITIATOR_RESOLVE);
    lb_initiator_resolved(&peer.session, peer.now, &group, 1, NULL);
    CHECK_EQ(peer_poll().event, LB_INITIATOR_CONNECT);
    peer_accept();
    redirect_to("192.0.2.4", LB_LOGIN_MOVED_TEMPORARILY);
    CHECK_EQ(peer_poll().event, LB_INITIATOR_CONNECT);
    CHECK_STR(home(), "192.0.2.10:3263"); /* the name's address, not the member's */
}

/* open-iscsi#117: "not possible to understand to which node IP". */
static void where_a_redirect_leads_is_told_with_who_sent_us(void) {
    static const struct {
        enum lb_initiator_lost why;
        const char *facts;
    } cases[] = {{LB_LOST_REFUSED, "connect-refused"},
                 {LB_LOST_TIMEOUT, "connect-timeout"},
                 {LB_LOST_UNREACHABLE, "connect-unreachable"}};
    for (size_t i = 0; i < LB_COUNT(cases); i++) {
        peer_configure();
        peer_connect();
        redirect_to("192.0.2.99", LB_LOGIN_MOVED_TEMPORARILY);
        CHECK_EQ(peer_poll().event, LB_INITIATOR_CONNECT);
        lb_initiator_lost(&peer.session, peer.now, cases[i].why);
        peer_check_failed(LB_E_REDIRECT_DEAD, cases[i].facts);
        CHECK_HAS(lb_initiator_error(&peer.session)->facts,
                  "192.0.2.1:3260 sent us on to 192.0.2.99:3260");
        CHECK(lb_code_may_pass(lb_initiator_error(&peer.session)->code));
    }
    peer_configure();
    peer_connect();
    redirect_to("nowhere.example", LB_LOGIN_MOVED_TEMPORARILY);
    CHECK_EQ(peer_poll().event, LB_INITIATOR_RESOLVE);
    lb_initiator_resolved(&peer.session, peer.now, NULL, 0, NULL);
    peer_check_failed(LB_E_REDIRECT_DEAD, "192.0.2.1:3260 sent us on to nowhere.example");
}

static void what_fails_after_a_redirect_is_told_with_who_sent_us(void) {
    peer_configure();
    peer_connect();
    redirect_to("192.0.2.7", LB_LOGIN_MOVED_TEMPORARILY);
    CHECK_EQ(peer_poll().event, LB_INITIATOR_CONNECT);
    peer_accept();
    CHECK(peer_take());
    peer_refuse_login(LB_LOGIN_NOT_FOUND, lb_bytes(NULL, 0));
    peer_check_failed(LB_E_TARGET_NOT_FOUND, "192.0.2.7:3260, where 192.0.2.1:3260 sent us");
}

/* open-iscsi PR#555: A sends to B and B to A, for ever. */
static void a_redirect_loop_ends(void) {
    peer_configure();
    peer_connect();
    for (int i = 0; i < LB_INITIATOR_REDIRECTS_MAX; i++) {
        redirect_to(i & 1 ? "192.0.2.1" : "192.0.2.2", LB_LOGIN_MOVED_TEMPORARILY);
        if (!CHECK_EQ(peer_poll().event, LB_INITIATOR_CONNECT))
            return;
        peer_accept();
    }
    redirect_to("192.0.2.2", LB_LOGIN_MOVED_TEMPORARILY);
    peer_check_failed(LB_E_REDIRECT_LOOP, "5 times");
}

static void redirects_to_nowhere_are_refused(void) {
    static const char *const bad[] = {
        "",         "0.0.0.0",      "[::]:3260",   "224.0.0.1", "1.2.3.4:0", "1.2.3.4:99999",
        "1.2.3.4:", "[2001:db8::1", "a b.example", "[::1]x",    ":3260",     "../etc",
        "[host]:1"};
    for (size_t i = 0; i < LB_COUNT(bad); i++) {
        peer_configure();
        peer_connect();
        redirect_to(bad[i], LB_LOGIN_MOVED_TEMPORARILY);
        peer_check_failed(LB_E_REDIRECT_INVALID, bad[i]);
    }
    peer_configure();
    peer_connect();
    CHECK(peer_take());
    peer_refuse_login(LB_LOGIN_MOVED_PERMANENTLY, lb_bytes(NULL, 0));
    peer_check_failed(LB_E_REDIRECT_INVALID, "\"\"");
}

/* ---- connecting ---- */

static void a_host_name_is_resolved_first(void) {
    peer_configure();
    peer.config.portal.addr = (struct lb_addr){.family = LB_FAMILY_NONE};
    lb_text_copy(peer.config.host, sizeof peer.config.host, TEXT("disks.example.com"));
    lb_initiator_init(&peer.session, peer.now, &peer.config, lb_span(peer.rx, sizeof peer.rx),
                      &peer.rand, NULL);
    lb_initiator_start(&peer.session, peer.now);
    struct lb_initiator_action action = peer_poll();
    CHECK_EQ(action.event, LB_INITIATOR_RESOLVE);
    CHECK_STR(action.host, "disks.example.com");
    lb_initiator_resolved(&peer.session, peer.now, NULL, 0, NULL);
    peer_check_failed(LB_E_RESOLVE, "disks.example.com");
}

static void each_way_not_to_connect_has_its_error(void) {
    static const struct {
        enum lb_initiator_lost why;
        enum lb_code code;
    } cases[] = {{LB_LOST_REFUSED, LB_E_CONNECT_REFUSED},
                 {LB_LOST_TIMEOUT, LB_E_CONNECT_TIMEOUT},
                 {LB_LOST_UNREACHABLE, LB_E_CONNECT_UNREACHABLE},
                 {LB_LOST_CLOSED, LB_E_CONNECT_REFUSED}};
    for (size_t i = 0; i < LB_COUNT(cases); i++) {
        peer_configure();
        lb_initiator_init(&peer.session, peer.now, &peer.config, lb_span(peer.rx, sizeof peer.rx),
                          &peer.rand, NULL);
        lb_initiator_start(&peer.session, peer.now);
        CHECK_EQ(peer_poll().event, LB_INITIATOR_CONNECT);
        lb_initiator_lost(&peer.session, peer.now, cases[i].why);
        peer_check_failed(cases[i].code, "192.0.2.1:3260");
        CHECK(lb_code_may_pass(lb_initiator_error(&peer.session)->code));
    }
}

static void a_connection_that_hangs_is_given_up(void) {
    peer_configure();
    lb_initiator_init(&peer.session, peer.now, &peer.config, lb_span(peer.rx, sizeof peer.rx),
                      &peer.rand, NULL);
    lb_initiator_start(&peer.session, peer.now);
    CHECK_EQ(peer_poll().event, LB_INITIATOR_CONNECT);
    CHECK_EQ(peer_wait().event, LB_INITIATOR_CLOSE);
    CHECK_EQ(peer.now, 1000000 + 5000 * LB_US_MS);
    peer_check_failed(LB_E_CONNECT_TIMEOUT, "5000 ms");
}

static void a_server_that_says_nothing_is_given_up(void) {
    peer_configure();
    peer_connect();
    CHECK(peer_take());
    CHECK_EQ(peer_wait().event, LB_INITIATOR_CLOSE);
    peer_check_failed(LB_E_LOGIN_TIMEOUT, "10000 ms");
}

/* ctld, tgt's initiator-address, SCST without targets: they close whom they do not like. */
static void a_connection_that_closes_during_login_is_a_refusal(void) {
    peer_configure();
    peer_connect();
    CHECK(peer_take());
    lb_initiator_lost(&peer.session, peer.now, LB_LOST_CLOSED);
    peer_check_failed(LB_E_LOGIN_CLOSED, "login: operational");
    CHECK_HAS(lb_initiator_error(&peer.session)->facts, "192.0.2.1:3260");
    CHECK(lb_code_may_pass(lb_initiator_error(&peer.session)->code));
}

static void a_target_that_closes_after_each_login_is_given_up(void) {
    peer_configure();
    peer_log_in();
    for (int i = 1; i < LB_INITIATOR_EARLY_ENDS_MAX; i++) {
        lb_initiator_lost(&peer.session, peer.now, LB_LOST_CLOSED);
        peer_come_back();
    }
    lb_initiator_lost(&peer.session, peer.now, LB_LOST_CLOSED);
    peer_check_failed(LB_E_LOGIN_CLOSED, "3 times right after the login");
}

/* LIO does so: 0201 at first, and then it hangs up on AuthMethod=None. */
static void a_target_that_wants_chap_and_hangs_up_is_named_as_such(void) {
    peer_configure();
    peer_connect();
    CHECK(peer_take());
    peer_refuse_login(LB_LOGIN_AUTH_FAILED, lb_bytes(NULL, 0));
    CHECK_EQ(peer_poll().event, LB_INITIATOR_CONNECT);
    peer_accept();
    CHECK(peer_take());
    lb_initiator_lost(&peer.session, peer.now, LB_LOST_CLOSED);
    peer_check_failed(LB_E_AUTH_NEEDED, PEER_TARGET);
}

static void late_and_doubled_calls_are_harmless(void) {
    peer_configure();
    peer_connect();
    lb_initiator_connected(&peer.session, peer.now);
    lb_initiator_resolved(&peer.session, peer.now, NULL, 0, NULL);
    peer_log_in_with(TEXT(PEER_KEYS));
    lb_initiator_connected(&peer.session, peer.now);
    CHECK_EQ(lb_initiator_state(&peer.session), LB_INITIATOR_FULL_FEATURE);
    lb_initiator_logout(&peer.session, peer.now);
    lb_initiator_logout(&peer.session, peer.now);
    lb_initiator_lost(&peer.session, peer.now, LB_LOST_CLOSED);
    lb_initiator_lost(&peer.session, peer.now, LB_LOST_CLOSED);
    lb_initiator_drop(&peer.session, peer.now);
    CHECK_EQ(peer_poll().event, LB_INITIATOR_OUT);
    CHECK_EQ(lb_initiator_poll(&peer.session, peer.now).event, LB_INITIATOR_WAIT);
    CHECK(lb_is_ok(lb_initiator_error(&peer.session)));
}

int main(void) {
    TEST(without_chap_one_exchange_is_enough);
    TEST(every_key_is_stated_even_at_its_default);
    TEST(a_discovery_session_names_no_target);
    TEST(any_split_of_the_answer_gives_the_same_session);
    TEST(a_target_that_does_not_move_on_is_asked_again);
    TEST(a_target_that_never_moves_on_is_given_up);
    TEST(keys_may_be_missing);
    TEST(what_the_target_says_counts);
    TEST(rejected_and_irrelevant_keys_keep_their_defaults);
    TEST(the_targets_own_offers_are_answered);
    TEST(answers_that_would_endanger_data_end_the_login);
    TEST(a_key_that_contradicts_itself_ends_the_login);
    TEST(text_that_is_not_pairs_ends_the_login);
    TEST(the_portal_group_is_checked_where_it_is_known);
    TEST(headers_that_contradict_the_request_end_the_login);
    TEST(an_unknown_opcode_ends_the_login);
    TEST(an_additional_header_ends_the_login);
    TEST(a_mail_server_is_not_waited_for);
    TEST(a_login_answer_over_8192_bytes_ends_the_login);
    TEST(a_reject_ends_the_login);
    TEST(an_answer_in_parts_is_joined_even_within_a_pair);
    TEST(endless_continuation_is_given_up);
    TEST(our_own_long_request_goes_out_in_parts);
    TEST(each_status_has_its_error);
    TEST(a_target_that_wants_security_gets_it_once);
    TEST(a_target_that_wants_chap_is_named_as_such);
    TEST(a_redirect_is_followed);
    TEST(a_redirect_may_be_ipv6_or_have_no_port_or_a_tag);
    TEST(a_redirects_tag_may_be_anything);
    TEST(a_redirect_to_a_name_is_resolved);
    TEST(after_a_redirect_for_now_the_next_login_goes_where_the_first_went);
    TEST(where_a_redirect_leads_is_told_with_who_sent_us);
    TEST(what_fails_after_a_redirect_is_told_with_who_sent_us);
    TEST(a_redirect_loop_ends);
    TEST(redirects_to_nowhere_are_refused);
    TEST(a_host_name_is_resolved_first);
    TEST(each_way_not_to_connect_has_its_error);
    TEST(a_connection_that_hangs_is_given_up);
    TEST(a_server_that_says_nothing_is_given_up);
    TEST(a_connection_that_closes_during_login_is_a_refusal);
    TEST(a_target_that_closes_after_each_login_is_given_up);
    TEST(a_target_that_wants_chap_and_hangs_up_is_named_as_such);
    TEST(late_and_doubled_calls_are_harmless);
    return tap_done();
}
