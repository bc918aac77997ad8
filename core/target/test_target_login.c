#include "core/target/test_target_raw.h"

/* ---- login: 6.3, 11.12 ---- */

static void the_answer_has_every_key_that_was_asked(void) {
    struct lb_bytes value;
    connect();
    log_in_with(TEXT(NAMES "HeaderDigest=CRC32C,None\0MaxConnections=8\0InitialR2T=No\0"
                           "MaxBurstLength=1000000\0DefaultTime2Wait=5\0ErrorRecoveryLevel=2\0"
                           "IFMarker=Yes\0X-org.test=1\0"));
    CHECK(lb_iscsi_text_find(raw.data, LB_ISCSI_KEY_HEADER_DIGEST, &value) &&
          lb_text_is(value, "None"));
    CHECK(lb_iscsi_text_find(raw.data, LB_ISCSI_KEY_MAX_CONNECTIONS, &value) &&
          lb_text_is(value, "1"));
    CHECK(lb_iscsi_text_find(raw.data, LB_ISCSI_KEY_INITIAL_R2T, &value) &&
          lb_text_is(value, "No"));
    CHECK(lb_iscsi_text_find(raw.data, LB_ISCSI_KEY_MAX_BURST_LENGTH, &value) &&
          lb_text_is(value, "262144"));
    CHECK(lb_iscsi_text_find(raw.data, LB_ISCSI_KEY_DEFAULT_TIME2WAIT, &value) &&
          lb_text_is(value, "5"));
    CHECK(lb_iscsi_text_find(raw.data, LB_ISCSI_KEY_ERROR_RECOVERY_LEVEL, &value) &&
          lb_text_is(value, "0"));
    CHECK(lb_iscsi_text_find(raw.data, LB_ISCSI_KEY_IF_MARKER, &value) &&
          lb_text_is(value, "Reject"));
    CHECK(lb_iscsi_text_find(raw.data, LB_ISCSI_KEY_UNKNOWN, &value) &&
          lb_text_is(value, "NotUnderstood"));
    CHECK(lb_iscsi_text_find(raw.data, LB_ISCSI_KEY_TARGET_PORTAL_GROUP_TAG, &value) &&
          lb_text_is(value, "1"));
    CHECK_EQ(raw.pdu.exp_cmd_sn, 7);
    CHECK_EQ(raw.pdu.max_cmd_sn, 10); /* a window of 4 */
}

/* RFC 7143 13.15: the larger of both. */
static void time2wait_is_the_longer_of_both_ends(void) {
    static const struct {
        uint16_t ours;
        const char *agreed;
    } cases[] = {{0, "3"}, {2, "3"}, {7, "7"}};
    for (size_t i = 0; i < LB_COUNT(cases); i++) {
        struct lb_bytes value;
        connect();
        raw.node.time2wait_s = cases[i].ours;
        log_in_with(TEXT(NAMES "DefaultTime2Wait=3\0"));
        CHECK(lb_iscsi_text_find(raw.data, LB_ISCSI_KEY_DEFAULT_TIME2WAIT, &value) &&
              lb_text_is(value, cases[i].agreed));
    }
}

static void a_login_that_is_not_right_gets_its_status(void) {
    const struct {
        struct lb_bytes text;
        unsigned status;
    } cases[] = {
        {TEXT("SessionType=Normal\0"), LB_LOGIN_MISSING_PARAMETER},
        {TEXT("InitiatorName=iqn.2026-11.test:a\0"), LB_LOGIN_MISSING_PARAMETER},
        {TEXT("InitiatorName=iqn.2026-11.test:a\0TargetName=iqn.2026-11.test:nothing\0"),
         LB_LOGIN_NOT_FOUND},
        {TEXT("InitiatorName=iqn.2026-11.test:a\0SessionType=Odd\0"), LB_LOGIN_SESSION_TYPE},
        {TEXT("InitiatorName=\0SessionType=Discovery\0"), LB_LOGIN_INITIATOR_ERROR},
        {TEXT("InitiatorName=iqn.2026-11.test:a\n0.1 root: hello\0"), LB_LOGIN_INITIATOR_ERROR},
        {TEXT(NAMES "MaxBurstLength=511\0"), LB_LOGIN_INITIATOR_ERROR},
        {TEXT(NAMES "InitialR2T=Maybe\0"), LB_LOGIN_INITIATOR_ERROR},
        {TEXT(NAMES "InitialR2T=No\0InitialR2T=No\0"), LB_LOGIN_INITIATOR_ERROR},
        {TEXT(NAMES "nonsense\0"), LB_LOGIN_INITIATOR_ERROR},
        {TEXT(NAMES "MaxConnections=1"), LB_LOGIN_INITIATOR_ERROR},
    };
    for (size_t i = 0; i < LB_COUNT(cases); i++) {
        connect();
        give(login_pdu(1, 3, true), cases[i].text);
        CHECK_EQ(login_status(), cases[i].status);
        CHECK(raw.is_closed && !lb_target_is_full_feature(&raw.conn));
    }
}

static void stages_go_forward_alone(void) {
    static const struct {
        uint8_t csg, nsg;
        unsigned status;
    } cases[] = {{2, 3, LB_LOGIN_INITIATOR_ERROR},
                 {3, 3, LB_LOGIN_INITIATOR_ERROR},
                 {1, 1, LB_LOGIN_INITIATOR_ERROR},
                 {1, 0, LB_LOGIN_INITIATOR_ERROR},
                 {0, 2, LB_LOGIN_INITIATOR_ERROR},
                 {0, 3, LB_LOGIN_OK},
                 {0, 1, LB_LOGIN_OK}};
    for (size_t i = 0; i < LB_COUNT(cases); i++) {
        connect();
        give(login_pdu(cases[i].csg, cases[i].nsg, true), TEXT(NAMES));
        CHECK_EQ(login_status(), cases[i].status);
    }
    connect();
    give(login_pdu(1, 3, false), TEXT(NAMES));
    CHECK_EQ(login_status(), LB_LOGIN_OK);
    give(login_pdu(0, 1, true), nothing); /* back to the security stage */
    CHECK_EQ(login_status(), LB_LOGIN_INVALID_DURING_LOGIN);
}

static void a_session_that_is_not_there_cannot_be_joined(void) {
    struct lb_iscsi_pdu pdu = login_pdu(1, 3, true);
    connect();
    pdu.login.tsih = 9;
    give(pdu, TEXT(NAMES));
    CHECK_EQ(login_status(), LB_LOGIN_NO_SESSION);
    pdu = login_pdu(1, 3, true);
    pdu.login.version_min = 1;
    connect();
    give(pdu, TEXT(NAMES));
    CHECK_EQ(login_status(), LB_LOGIN_VERSION);
}

static void text_that_goes_on_is_joined(void) {
    struct lb_iscsi_pdu pdu = login_pdu(1, 3, false);
    connect();
    pdu.login.more = true;
    give(pdu, TEXT("InitiatorName=iqn.2026-11.test:me\0SessionType=Normal\0Target"));
    CHECK_EQ(login_status(), LB_LOGIN_OK);
    CHECK(!raw.pdu.final && raw.data.len == 0);
    log_in_with(TEXT("Name=iqn.2026-11.test:disk\0"));
}

static void text_without_end_is_cut_off(void) {
    struct lb_iscsi_pdu pdu = login_pdu(1, 3, false);
    connect();
    pdu.login.more = true;
    give(pdu, lb_bytes(pattern, 8192));
    CHECK_EQ(login_status(), LB_LOGIN_OK);
    give(pdu, lb_bytes(pattern, 8192));
    CHECK_EQ(login_status(), LB_LOGIN_OK);
    give(pdu, lb_bytes(pattern, 8192));
    CHECK_EQ(login_status(), LB_LOGIN_NO_RESOURCES);
    CHECK(raw.is_closed);
}

static void a_login_without_end_is_cut_off(void) {
    connect();
    give(login_pdu(1, 3, false), TEXT(NAMES));
    for (int i = 0; i < 100 && !raw.is_closed; i++)
        give(login_pdu(1, 3, false), nothing);
    CHECK_STR(lb_target_reason(&raw.conn), "a login without end");
}

static void who_does_not_log_in_is_dropped(void) {
    struct lb_iscsi_pdu pdu = {.opcode = LB_OP_NOP_OUT, .immediate = true, .final = true};
    connect();
    give(pdu, nothing);
    CHECK(raw.is_closed);
    connect();
    for (int i = 0; i < 8; i++) /* as a header, it announces 188 bytes more */
        give_bytes(TEXT("GET / HTTP/1.1\r\nHost: target\r\nUser-Agent: somebody\r\n\r\n"));
    CHECK(raw.is_closed);
    connect();
    raw.now += 15 * LB_US_SEC;
    serve();
    CHECK(raw.is_closed);
    CHECK_STR(lb_target_reason(&raw.conn), "no login in time");
}

static void chap_cannot_be_left_out(void) {
    connect();
    raw.account = (struct lb_target_account){.name = "me", .secret_len = 16};
    raw.node.accounts = &raw.account;
    raw.node.account_count = 1;
    give(login_pdu(1, 3, true), TEXT(NAMES));
    CHECK_EQ(login_status(), LB_LOGIN_AUTH_FAILED);
    connect();
    raw.node.accounts = &raw.account;
    raw.node.account_count = 1;
    give(login_pdu(0, 3, true), TEXT(NAMES)); /* no AuthMethod, and straight through */
    CHECK_EQ(login_status(), LB_LOGIN_OK);
    CHECK(!raw.pdu.final && !lb_target_is_full_feature(&raw.conn));
    give(login_pdu(0, 3, true), TEXT("CHAP_N=me\0CHAP_R=0x00\0")); /* an answer to no challenge */
    CHECK(!lb_target_is_full_feature(&raw.conn));
    give(login_pdu(0, 3, true), TEXT("AuthMethod=None\0"));
    CHECK(!lb_target_is_full_feature(&raw.conn));
}

static void a_challenge_of_our_own_is_not_answered(void) {
    char text[512];
    struct lb_text keys = lb_text(text, sizeof text);
    struct lb_chap_response response;
    connect();
    raw.account =
        (struct lb_target_account){.name = "me", .secret = "secret-of-them", .secret_len = 14};
    raw.node.accounts = &raw.account;
    raw.node.account_count = 1;
    raw.node.own =
        (struct lb_target_account){.name = "t", .secret = "secret-of-ours", .secret_len = 14};
    give(login_pdu(0, 1, false), TEXT(NAMES "AuthMethod=CHAP\0CHAP_A=7\0"));
    CHECK_EQ(login_status(), LB_LOGIN_OK);
    CHECK_EQ(raw.conn.challenge.len, LB_CHAP_CHALLENGE_BYTES);
    lb_chap_respond(raw.conn.alg, lb_bytes(raw.account.secret, raw.account.secret_len),
                    &raw.conn.challenge, &response);
    lb_text_add(&keys, "CHAP_N=me%cCHAP_R=", 0);
    lb_chap_format_hex(&keys, lb_bytes(response.data, response.len));
    lb_text_add(&keys, "%cCHAP_I=%u%cCHAP_C=", 0, (unsigned)raw.conn.challenge.id, 0);
    lb_chap_format_hex(&keys, lb_bytes(raw.conn.challenge.data, raw.conn.challenge.len));
    lb_text_add(&keys, "%c", 0);
    give(login_pdu(0, 1, true), lb_bytes(text, keys.len));
    CHECK_EQ(login_status(), LB_LOGIN_AUTH_FAILED);
    CHECK(raw.is_closed);
}

/* ---- how many sessions: each ISID of an initiator is one (RFC 7143 4.4.2) ---- */

enum { PATHS = 20 };
static struct lb_target_conn paths[PATHS];
static uint8_t paths_rx[PATHS][LB_ISCSI_RX_MIN];

/* One more connection; it takes the place of raw.conn's in what give() and take() speak to. */
static unsigned log_in_from(unsigned path, const char *initiator, uint8_t isid) {
    struct lb_endpoint local = {lb_addr_v4(192, 0, 2, 1), 3260};
    struct lb_iscsi_pdu pdu = login_pdu(1, 3, true);
    char keys[256];
    struct lb_text text = lb_text(keys, sizeof keys);
    struct lb_target_conn *conn = &paths[path], *next;
    pdu.login.isid[5] = isid;
    lb_text_add(&text, "InitiatorName=%s%cTargetName=iqn.2026-11.test:disk%c", initiator, 0, 0);
    lb_target_conn_init(&raw.conn, raw.now, &raw.server, local, lb_span(raw.rx, sizeof raw.rx),
                        &raw.rand, NULL);
    give(pdu, lb_bytes(keys, text.len));
    unsigned status = login_status();
    /* What is left of it lives on elsewhere, as it would in a host with many. */
    next = raw.conn.next;
    lb_target_conn_end(&raw.conn);
    if (status != LB_LOGIN_OK)
        return status;
    lb_target_conn_init(conn, raw.now, &raw.server, local, lb_span(paths_rx[path], LB_ISCSI_RX_MIN),
                        &raw.rand, NULL);
    CHECK(conn->next == next);
    conn->phase = LB_TARGET_FULL_FEATURE;
    conn->node = &raw.node;
    conn->tsih = raw.pdu.login.tsih;
    memcpy(conn->isid, pdu.login.isid, sizeof conn->isid);
    lb_text_copy(conn->initiator, sizeof conn->initiator, lb_bytes_of_text(initiator));
    return status;
}

static size_t count_sessions(void) {
    size_t count = 0;
    for (const struct lb_target_conn *c = raw.server.conns; c != NULL; c = c->next)
        count += lb_target_is_full_feature(c);
    return count;
}

/* A server that has nobody yet. */
static void listen_alone(void) {
    connect();
    lb_target_conn_end(&raw.conn);
}

static void two_paths_of_one_initiator_are_both_let_in(void) {
    listen_alone();
    raw.server.conns_max = 2;
    CHECK_EQ(log_in_from(0, "iqn.2026-11.test:me", 1), LB_LOGIN_OK);
    CHECK_EQ(log_in_from(1, "iqn.2026-11.test:me", 2), LB_LOGIN_OK);
    CHECK(paths[0].tsih != paths[1].tsih);
    CHECK_EQ(count_sessions(), 2);
}

static void an_initiator_with_twenty_paths_has_no_more_sessions_than_there_may_be(void) {
    listen_alone();
    raw.server.conns_max = 2;
    for (uint8_t i = 0; i < PATHS; i++)
        CHECK_EQ(log_in_from(i, "iqn.2026-11.test:me", i),
                 i < 2 ? LB_LOGIN_OK : LB_LOGIN_NO_RESOURCES);
    CHECK_EQ(count_sessions(), 2);
    CHECK_EQ(log_in_from(2, "iqn.2026-11.test:you", 0), LB_LOGIN_NO_RESOURCES);
    lb_target_conn_end(&paths[1]);
    CHECK_EQ(log_in_from(2, "iqn.2026-11.test:you", 0), LB_LOGIN_OK);
}

static void one_initiator_leaves_room_for_others(void) {
    listen_alone();
    raw.server.conns_max = 4;
    raw.server.initiator_max = 2;
    for (uint8_t i = 0; i < 3; i++)
        CHECK_EQ(log_in_from(i, "iqn.2026-11.test:me", i),
                 i < 2 ? LB_LOGIN_OK : LB_LOGIN_NO_RESOURCES);
    CHECK_EQ(log_in_from(2, "iqn.2026-11.test:you", 0), LB_LOGIN_OK);
    CHECK_EQ(log_in_from(3, "iqn.2026-11.test:you", 1), LB_LOGIN_OK);
    CHECK_EQ(count_sessions(), 4);
}

static void who_comes_again_takes_the_place_of_its_own_session_alone(void) {
    listen_alone();
    raw.server.conns_max = 2;
    CHECK_EQ(log_in_from(0, "iqn.2026-11.test:me", 1), LB_LOGIN_OK);
    CHECK_EQ(log_in_from(1, "iqn.2026-11.test:me", 2), LB_LOGIN_OK);
    CHECK_EQ(log_in_from(2, "IQN.2026-11.test:Me", 1), LB_LOGIN_OK); /* RFC 3722: the same name */
    CHECK(!lb_target_is_full_feature(&paths[0]));
    CHECK(lb_target_is_full_feature(&paths[1]));
    CHECK_EQ(count_sessions(), 2);
}

/* Both passed the first request while there was room. */
static void of_two_logins_at_once_the_slower_one_finds_no_room(void) {
    struct lb_iscsi_pdu pdu = login_pdu(0, 1, true);
    connect();
    raw.server.conns_max = 1;
    give(pdu, TEXT(NAMES "AuthMethod=None\0"));
    CHECK_EQ(login_status(), LB_LOGIN_OK);
    lb_target_conn_init(&paths[0], raw.now, &raw.server, (struct lb_endpoint){0},
                        lb_span(paths_rx[0], LB_ISCSI_RX_MIN), &raw.rand, NULL);
    paths[0].phase = LB_TARGET_FULL_FEATURE; /* as if it had logged in meanwhile */
    give(login_pdu(1, 3, true), nothing);
    CHECK_EQ(login_status(), LB_LOGIN_NO_RESOURCES);
    CHECK(raw.is_closed);
}

/* RFC 7143 11.13.5: the session is there, and may have one connection. */
static void a_second_connection_of_a_session_is_one_too_many(void) {
    struct lb_endpoint local = {lb_addr_v4(192, 0, 2, 1), 3260};
    struct lb_iscsi_pdu pdu = login_pdu(1, 3, true);
    listen_alone();
    CHECK_EQ(log_in_from(0, "iqn.2026-11.test:me", 5), LB_LOGIN_OK);
    pdu.login.tsih = paths[0].tsih;
    pdu.login.cid = 1;
    for (unsigned wrong = 0; wrong < 3; wrong++) {
        struct lb_iscsi_pdu join = pdu;
        join.login.tsih = (uint16_t)(join.login.tsih + (wrong == 1));
        join.login.isid[5] = wrong == 2 ? 6 : 5;
        lb_target_conn_init(&raw.conn, raw.now, &raw.server, local, lb_span(raw.rx, sizeof raw.rx),
                            &raw.rand, NULL);
        give(join, TEXT(NAMES));
        CHECK_EQ(login_status(), wrong ? LB_LOGIN_NO_SESSION : LB_LOGIN_TOO_MANY_CONNECTIONS);
        lb_target_conn_end(&raw.conn);
    }
    CHECK(lb_target_is_full_feature(&paths[0]));
}

static void discovery_can_be_switched_off(void) {
    connect();
    raw.server.no_discovery = true;
    give(login_pdu(1, 3, true), TEXT("InitiatorName=iqn.2026-11.test:a\0SessionType=Discovery\0"));
    CHECK_EQ(login_status(), LB_LOGIN_SESSION_TYPE);
}

static void keys_of_a_disk_are_irrelevant_in_discovery(void) {
    struct lb_bytes value;
    connect();
    log_in_with(TEXT("InitiatorName=iqn.2026-11.test:a\0SessionType=Discovery\0InitialR2T=No\0"
                     "TaskReporting=FastAbort,RFC3720\0HeaderDigest=None\0"));
    CHECK(lb_iscsi_text_find(raw.data, LB_ISCSI_KEY_INITIAL_R2T, &value) &&
          lb_text_is(value, "Irrelevant"));
    CHECK(lb_iscsi_text_find(raw.data, LB_ISCSI_KEY_TASK_REPORTING, &value) &&
          lb_text_is(value, "RFC3720"));
    CHECK(!lb_iscsi_text_find(raw.data, LB_ISCSI_KEY_TARGET_PORTAL_GROUP_TAG, &value));
}

/* ---- session: 6.3.5, 13.6 ---- */

static void the_same_initiator_takes_the_place_of_its_old_session(void) {
    static struct lb_target_conn old;
    static uint8_t old_rx[LB_ISCSI_RX_MIN];
    struct lb_endpoint local = {lb_addr_v4(192, 0, 2, 1), 3260};
    connect();
    lb_target_conn_init(&old, raw.now, &raw.server, local, lb_span(old_rx, sizeof old_rx),
                        &raw.rand, NULL);
    old.phase = LB_TARGET_FULL_FEATURE; /* as if it had logged in */
    old.node = &raw.node;
    lb_text_copy(old.initiator, LB_NAME_MAX, TEXT("iqn.2026-11.test:me"));
    memcpy(old.isid, login_pdu(1, 3, true).login.isid, 6);
    old.isid[5]++; /* another port of the same initiator: both stay */
    log_in_with(TEXT(NAMES));
    CHECK(lb_target_is_full_feature(&old));
    lb_target_conn_end(&raw.conn);
    old.isid[5]--;
    lb_target_conn_init(&raw.conn, raw.now, &raw.server, local, lb_span(raw.rx, sizeof raw.rx),
                        &raw.rand, NULL);
    log_in_with(TEXT(NAMES));
    CHECK_EQ(lb_target_poll(&old, raw.now).event, LB_TARGET_CLOSE);
    lb_target_conn_end(&old);
    CHECK(raw.server.conns == &raw.conn && raw.conn.next == NULL);
}

int main(void) {
    TEST(the_answer_has_every_key_that_was_asked);
    TEST(time2wait_is_the_longer_of_both_ends);
    TEST(a_login_that_is_not_right_gets_its_status);
    TEST(stages_go_forward_alone);
    TEST(a_session_that_is_not_there_cannot_be_joined);
    TEST(text_that_goes_on_is_joined);
    TEST(text_without_end_is_cut_off);
    TEST(a_login_without_end_is_cut_off);
    TEST(who_does_not_log_in_is_dropped);
    TEST(chap_cannot_be_left_out);
    TEST(the_same_initiator_takes_the_place_of_its_old_session);
    TEST(a_challenge_of_our_own_is_not_answered);
    TEST(two_paths_of_one_initiator_are_both_let_in);
    TEST(an_initiator_with_twenty_paths_has_no_more_sessions_than_there_may_be);
    TEST(one_initiator_leaves_room_for_others);
    TEST(who_comes_again_takes_the_place_of_its_own_session_alone);
    TEST(of_two_logins_at_once_the_slower_one_finds_no_room);
    TEST(a_second_connection_of_a_session_is_one_too_many);
    TEST(discovery_can_be_switched_off);
    TEST(keys_of_a_disk_are_irrelevant_in_discovery);
    return tap_done();
}
