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

static unsigned status_with(const char *name, uint32_t number) {
    char text[200];
    struct lb_text keys = lb_text(text, sizeof text);
    lb_text_add(&keys, "InitiatorName=iqn.2026-11.test:a|TargetName=iqn.2026-11.test:disk|");
    lb_text_add(&keys, "%s=%u|", name, number);
    for (size_t i = 0; i < keys.len; i++)
        text[i] = text[i] == '|' ? '\0' : text[i];
    connect();
    give(login_pdu(1, 3, true), lb_bytes((const uint8_t *)text, keys.len));
    return login_status();
}

/* RFC 7143 13: each number has a range. */
static void a_number_outside_of_its_range_ends_the_login(void) {
    static const struct {
        const char *name;
        uint32_t min, max;
    } keys[] = {
        {"MaxConnections", 1, 65535},      {"MaxRecvDataSegmentLength", 512, 16777215},
        {"MaxBurstLength", 512, 16777215}, {"FirstBurstLength", 512, 16777215},
        {"DefaultTime2Wait", 0, 3600},     {"DefaultTime2Retain", 0, 3600},
        {"MaxOutstandingR2T", 1, 65535},   {"ErrorRecoveryLevel", 0, 2},
        {"iSCSIProtocolLevel", 0, 31},
    };
    for (size_t i = 0; i < LB_COUNT(keys); i++) {
        if (!CHECK_EQ(status_with(keys[i].name, keys[i].min), LB_LOGIN_OK) ||
            !CHECK_EQ(status_with(keys[i].name, keys[i].max), LB_LOGIN_OK) ||
            !CHECK_EQ(status_with(keys[i].name, keys[i].max + 1), LB_LOGIN_INITIATOR_ERROR) ||
            !CHECK(keys[i].min == 0 ||
                   status_with(keys[i].name, keys[i].min - 1) == LB_LOGIN_INITIATOR_ERROR))
            tap_note("%s", keys[i].name);
    }
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

/* libiscsi says its names in the security stage, and again after it. */
static void names_that_are_said_again_are_the_same_ones(void) {
    const struct {
        struct lb_bytes text;
        unsigned status;
    } cases[] = {
        {TEXT(NAMES), LB_LOGIN_OK},
        {TEXT("SessionType=Discovery\0"), LB_LOGIN_INITIATOR_ERROR},
        {TEXT("InitiatorName=iqn.2026-11.test:you\0"), LB_LOGIN_INITIATOR_ERROR},
        {TEXT("TargetName=iqn.2026-11.test:other\0"), LB_LOGIN_INITIATOR_ERROR},
        {TEXT("AuthMethod=None\0"), LB_LOGIN_INITIATOR_ERROR},
    };
    for (size_t i = 0; i < LB_COUNT(cases); i++) {
        connect();
        give(login_pdu(0, 1, true), TEXT(NAMES "AuthMethod=CHAP,None\0"));
        CHECK_EQ(login_status(), LB_LOGIN_OK);
        give(login_pdu(1, 3, true), cases[i].text);
        CHECK_EQ(login_status(), cases[i].status);
    }
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

static void ask_for_chap_both_ways(void) {
    connect();
    raw.account =
        (struct lb_target_account){.name = "me", .secret = "secret-of-them", .secret_len = 14};
    raw.node.accounts = &raw.account;
    raw.node.account_count = 1;
    raw.node.own =
        (struct lb_target_account){.name = "t", .secret = "secret-of-ours", .secret_len = 14};
}

/* Answers the challenge of the connection at hand, and asks it with this one; gives the status. */
static unsigned answer_and_ask(struct lb_chap_challenge asked) {
    char text[512];
    struct lb_text keys = lb_text(text, sizeof text);
    struct lb_chap_response response;
    lb_chap_respond(raw.to->alg, lb_bytes(raw.account.secret, raw.account.secret_len),
                    &raw.to->challenge, &response);
    lb_text_add(&keys, "CHAP_N=me%cCHAP_R=", 0);
    lb_chap_format_hex(&keys, lb_bytes(response.data, response.len));
    lb_text_add(&keys, "%cCHAP_I=%u%cCHAP_C=", 0, (unsigned)asked.id, 0);
    lb_chap_format_hex(&keys, lb_bytes(asked.data, asked.len));
    lb_text_add(&keys, "%c", 0);
    give(login_pdu(0, 1, true), lb_bytes(text, keys.len));
    return login_status();
}

static void begin_chap(void) {
    give(login_pdu(0, 1, false), TEXT(NAMES "AuthMethod=CHAP\0CHAP_A=7\0"));
    CHECK_EQ(login_status(), LB_LOGIN_OK);
    CHECK_EQ(raw.to->challenge.len, LB_CHAP_CHALLENGE_BYTES);
}

static void a_challenge_of_our_own_is_not_answered(void) {
    ask_for_chap_both_ways();
    begin_chap();
    CHECK_EQ(answer_and_ask(raw.conn.challenge), LB_LOGIN_AUTH_FAILED);
    CHECK(raw.is_closed);
}

/* One whose login is over, of a server on another thread. */
static void nor_one_of_another_server_of_the_same_host(void) {
    static struct lb_target_conn other;
    static struct lb_target_rooms other_rooms;
    ask_for_chap_both_ways();
    raw.server.hash_key = (struct lb_hash_key){7, 11};
    begin_chap();
    struct lb_chap_challenge first = raw.conn.challenge, changed = first, shorter = first;
    struct lb_target_server server = raw.server;
    lb_target_conn_end(&raw.conn);
    server.logins = NULL;
    for (unsigned i = 0; i < 4; i++) {
        struct lb_endpoint local = {lb_addr_v4(192, 0, 2, 1), 3260};
        const struct lb_chap_challenge asked[] = {first, changed, shorter, first};
        changed.data[3] ^= 1;
        shorter.len--;
        raw.to = &other;
        raw.numbers.of = NULL;
        raw.to_rooms = &other_rooms;
        raw.is_closed = false;
        server.hash_key.k0 = i == 3 ? 8 : 7; /* of another host */
        lb_target_conn_init(&other, raw.now, &server, local, &raw.rand, NULL);
        begin_chap();
        CHECK_EQ(answer_and_ask(asked[i]), i == 0 ? LB_LOGIN_AUTH_FAILED : LB_LOGIN_OK);
        lb_target_conn_end(&other);
    }
}

/* ---- how many sessions: each ISID of an initiator is one (RFC 7143 4.4.2) ---- */

enum { PATHS = 20 };
static struct lb_target_conn paths[PATHS];
static struct lb_target_rooms rooms;

/* One more connection, which is from now on the one at hand. What it was lent is taken back. */
static unsigned log_in_from(unsigned path, const char *initiator, uint8_t isid) {
    struct lb_iscsi_pdu pdu = login_pdu(1, 3, true);
    char keys[256];
    struct lb_text text = lb_text(keys, sizeof keys);
    pdu.login.isid[5] = isid;
    lb_text_add(&text, "InitiatorName=%s%cTargetName=iqn.2026-11.test:disk%c", initiator, 0, 0);
    accept_at(&paths[path], &rooms);
    give(pdu, lb_bytes(keys, text.len));
    unsigned status = login_status();
    CHECK_EQ(lb_target_rooms_take_back(&paths[path]), 0);
    if (status != LB_LOGIN_OK)
        lb_target_conn_end(&paths[path]);
    return status;
}

static size_t count_sessions(void) {
    size_t count = 0;
    for (size_t i = 0; i < LB_TARGET_BUCKETS; i++)
        for (const struct lb_target_conn *c = raw.server.sessions[i]; c != NULL; c = c->next)
            count += lb_target_is_full_feature(c);
    CHECK_EQ(count, raw.server.session_count);
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
    CHECK(raw.server.logins == NULL); /* who has logged in is none of those who are about to */
    CHECK_EQ(raw.server.session_count, 2);
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
    CHECK_EQ(log_in_from(0, "iqn.2026-11.test:you", 1), LB_LOGIN_OK);
    raw.to = &raw.conn;
    raw.to_rooms = &raw.rooms;
    give(login_pdu(1, 3, true), nothing);
    CHECK_EQ(login_status(), LB_LOGIN_NO_RESOURCES);
    CHECK(raw.is_closed);
}

/* RFC 7143 11.13.5: the session is there, and may have one connection. */
static void a_second_connection_of_a_session_is_one_too_many(void) {
    struct lb_iscsi_pdu pdu = login_pdu(1, 3, true);
    listen_alone();
    CHECK_EQ(log_in_from(0, "iqn.2026-11.test:me", 5), LB_LOGIN_OK);
    pdu.login.tsih = paths[0].tsih;
    pdu.login.cid = 1;
    for (unsigned wrong = 0; wrong < 3; wrong++) {
        struct lb_iscsi_pdu join = pdu;
        join.login.tsih = (uint16_t)(join.login.tsih + (wrong == 1));
        join.login.isid[5] = wrong == 2 ? 6 : 5;
        accept_at(&raw.conn, &raw.rooms);
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
    listen_alone();
    CHECK_EQ(log_in_from(0, "iqn.2026-11.test:me", 4), LB_LOGIN_OK);
    CHECK_EQ(log_in_from(1, "iqn.2026-11.test:me", 5), LB_LOGIN_OK); /* another port: both stay */
    CHECK(lb_target_is_full_feature(&paths[0]));
    CHECK_EQ(log_in_from(2, "iqn.2026-11.test:me", 4), LB_LOGIN_OK);
    CHECK_EQ(lb_target_poll(&paths[0], raw.now).event, LB_TARGET_CLOSE);
    CHECK(raw.server.stirred);
    for (unsigned i = 0; i < 3; i++)
        lb_target_conn_end(&paths[i]);
    CHECK_EQ(count_sessions(), 0);
    CHECK(raw.unit.nexuses == NULL);
}

/* ---- a host that is asked who may have what ---- */

static struct lb_target mine, yours;
static struct lb_scsi_unit my_disk, your_disk;
static struct lb_target *my_list[] = {&mine};

static void listen_and_ask(void) {
    listen_alone();
    raw.server.asks_who = true;
    my_disk = (struct lb_scsi_unit){.blocks = 100};
    your_disk = (struct lb_scsi_unit){.blocks = 200};
    mine = yours = (struct lb_target){.name = "iqn.2026-11.test:disk"};
    mine.luns[0] = &my_disk;
    yours.luns[0] = &your_disk;
}

static uint32_t last_block(void) {
    struct lb_iscsi_pdu pdu = command(false, 0, 1);
    uint32_t last = 0;
    lb_scsi_cdb_read_capacity_10(pdu.command.cdb);
    give(pdu, nothing);
    if (take_op(LB_OP_DATA_IN)) {
        struct lb_rd rd = lb_rd(raw.data);
        last = lb_rd_u32(&rd);
    }
    return last;
}

static void each_initiator_sees_its_own_disk_as_lun_0(void) {
    struct lb_target_admission i_am = {.node = &mine}, you_are = {.node = &yours};
    listen_and_ask();
    raw.admits = &i_am;
    raw.cmd_sn = 7;
    CHECK_EQ(log_in_from(0, "iqn.2026-11.test:me", 1), LB_LOGIN_OK);
    CHECK_EQ(last_block(), 99);
    raw.admits = &you_are;
    raw.cmd_sn = 7;
    CHECK_EQ(log_in_from(1, "iqn.2026-11.test:you", 1), LB_LOGIN_OK);
    CHECK_EQ(last_block(), 199);
    CHECK(lb_target_node(&paths[0]) == &mine && lb_target_node(&paths[1]) == &yours);
}

/* As a host of several threads does. */
static void a_connection_moves_to_another_server_before_it_is_answered(void) {
    static struct lb_target_server other;
    struct lb_target_admission i_am = {.node = &mine};
    listen_and_ask();
    other = raw.server;
    other.logins = NULL;
    other.last_tsih = 40;
    raw.cmd_sn = 7;
    accept_at(&raw.conn, &raw.rooms);
    give(login_pdu(1, 3, true), TEXT(NAMES));
    CHECK_EQ(lb_target_poll(&raw.conn, raw.now).event, LB_TARGET_WHO);
    lb_target_move(&raw.conn, &other, &raw.rand);
    CHECK(raw.server.logins == NULL && other.logins == &raw.conn);
    CHECK_EQ(lb_target_poll(&raw.conn, raw.now).event, LB_TARGET_WHO);
    lb_target_admit(&raw.conn, raw.now, &i_am);
    serve();
    CHECK_EQ(login_status(), LB_LOGIN_OK);
    CHECK_EQ(raw.pdu.login.tsih, 41);
    CHECK_EQ(raw.server.session_count, 0);
    CHECK_EQ(other.session_count, 1);
    CHECK_EQ(last_block(), 99);
    lb_target_conn_end(&raw.conn);
    CHECK_EQ(other.session_count, 0);
    CHECK(other.logins == NULL);
}

static void the_host_is_asked_by_name_and_may_take_its_time(void) {
    struct lb_target_admission i_am = {.node = &mine};
    listen_and_ask();
    accept_at(&raw.conn, &raw.rooms);
    give(login_pdu(1, 3, true), TEXT(NAMES));
    CHECK(!take());
    CHECK_EQ(lb_target_poll(&raw.conn, raw.now).event, LB_TARGET_WHO);
    struct lb_target_who who = lb_target_who(&raw.conn);
    CHECK_STR(who.initiator, "iqn.2026-11.test:me");
    CHECK_STR(who.target, "iqn.2026-11.test:disk");
    CHECK_EQ(who.isid[5], 5);
    raw.now += LB_US_SEC;
    lb_target_admit(&raw.conn, raw.now, &i_am);
    serve();
    CHECK_EQ(login_status(), LB_LOGIN_OK);
    CHECK(lb_target_is_full_feature(&raw.conn));
}

static void whom_the_host_does_not_know_is_told_so(void) {
    static const struct {
        uint16_t status;
        unsigned expected;
    } cases[] = {{0, LB_LOGIN_NOT_FOUND},
                 {LB_LOGIN_NOT_AUTHORISED, LB_LOGIN_NOT_AUTHORISED},
                 {LB_LOGIN_UNAVAILABLE, LB_LOGIN_UNAVAILABLE}};
    for (size_t i = 0; i < LB_COUNT(cases); i++) {
        struct lb_target_admission admission = {.status = cases[i].status};
        listen_and_ask();
        raw.admits = &admission;
        CHECK_EQ(log_in_from(0, "iqn.2026-11.test:me", 1), cases[i].expected);
    }
}

static void who_waits_for_the_host_does_not_wait_for_ever(void) {
    listen_and_ask();
    accept_at(&raw.conn, &raw.rooms);
    give(login_pdu(1, 3, true), TEXT(NAMES));
    raw.now += 15 * LB_US_SEC;
    serve();
    CHECK(raw.is_closed);
    lb_target_admit(&raw.conn, raw.now, &(struct lb_target_admission){.node = &mine});
    CHECK(!lb_target_is_full_feature(&raw.conn));
}

static void a_discovery_session_is_told_what_the_host_lists(void) {
    struct lb_target_admission lists = {.listed = my_list, .listed_count = 1};
    struct lb_iscsi_pdu pdu = {
        .opcode = LB_OP_TEXT_REQUEST, .final = true, .itt = 5, .ttt = LB_ISCSI_NO_TAG, .cmd_sn = 7};
    listen_and_ask();
    accept_at(&raw.conn, &raw.rooms);
    raw.admits = &lists;
    log_in_with(TEXT("InitiatorName=iqn.2026-11.test:a\0SessionType=Discovery\0"));
    give(pdu, TEXT("SendTargets=All\0"));
    CHECK(take_op(LB_OP_TEXT_RESPONSE));
    CHECK(lb_bytes_equal(
        raw.data, TEXT("TargetName=iqn.2026-11.test:disk\0TargetAddress=192.0.2.1:3260,1\0")));
}

/* ---- memory on loan ---- */

_Static_assert(sizeof(struct lb_target_conn) <= LB_TARGET_IDLE_MAX, "a session that is idle");

static void what_was_lent_comes_back_when_the_work_is_done(void) {
    log_in();
    CHECK_EQ(lb_target_rooms_take_back(&raw.conn), 0);
    raw.holds = true;
    give(command(false, 0, 8), nothing);
    give(command(true, 8, 8), nothing);
    CHECK_EQ(lb_target_take_back(&raw.conn, LB_TARGET_WORK).len, 0); /* ios are out */
    release_held();
    CHECK(take_op(LB_OP_DATA_IN));
    CHECK(take_op(LB_OP_DATA_IN));
    CHECK(take_op(LB_OP_R2T));
    CHECK_EQ(lb_target_take_back(&raw.conn, LB_TARGET_WORK).len, 0); /* its data is awaited */
    give(data_out(raw.pdu.ttt, 0, 0, true), lb_bytes(pattern, 4096));
    CHECK(take_op(LB_OP_SCSI_RESPONSE));
    CHECK_EQ(lb_target_rooms_take_back(&raw.conn), 0);
    CHECK(!lb_target_has(&raw.conn, LB_TARGET_STAGING));
}

/* A header that is half there stays where it is. */
static void a_part_of_a_pdu_keeps_its_room(void) {
    uint8_t bhs[LB_ISCSI_BHS_BYTES];
    log_in();
    struct lb_iscsi_pdu pdu = command(false, 0, 1);
    (void)lb_target_rooms_take_back(&raw.conn);
    lb_iscsi_encode(&pdu, bhs);
    give_bytes(lb_bytes(bhs, 20));
    CHECK_EQ(lb_target_take_back(&raw.conn, LB_TARGET_STAGING).len, 0);
    give_bytes(lb_bytes(bhs + 20, sizeof bhs - 20));
    CHECK(take_op(LB_OP_DATA_IN));
    CHECK_EQ(lb_target_rooms_take_back(&raw.conn), 0);
}

/* Nothing of it is answered before there is memory, and nothing is lost. */
static void a_session_waits_until_the_host_has_memory(void) {
    uint8_t bhs[LB_ISCSI_BHS_BYTES];
    struct lb_span spans[2];
    log_in();
    struct lb_iscsi_pdu pdu = command(false, 0, 1);
    (void)lb_target_rooms_take_back(&raw.conn);
    CHECK_EQ(lb_target_where(&raw.conn, spans), 0);
    lb_target_rooms_lend(&raw.rooms, &raw.conn, raw.now, LB_TARGET_STAGING);
    if (!CHECK(lb_target_where(&raw.conn, spans) > 0))
        return;
    lb_iscsi_encode(&pdu, bhs);
    memcpy(spans[0].p, bhs, sizeof bhs);
    lb_target_got(&raw.conn, raw.now, sizeof bhs);
    struct lb_target_action action = lb_target_poll(&raw.conn, raw.now);
    CHECK_EQ(action.event, LB_TARGET_LEND);
    CHECK_EQ(action.role, LB_TARGET_WORK);
    CHECK(!take());
    serve();
    CHECK(take_op(LB_OP_DATA_IN));
}

static void an_idle_session_is_pinged_with_memory_that_it_asks_for(void) {
    log_in();
    (void)lb_target_rooms_take_back(&raw.conn);
    lb_target_ping(&raw.conn, raw.now);
    CHECK_EQ(lb_target_poll(&raw.conn, raw.now).event, LB_TARGET_LEND);
    serve();
    CHECK(take_op(LB_OP_NOP_IN));
    (void)lb_target_rooms_take_back(&raw.conn);
    lb_target_ask_logout(&raw.conn, raw.now, 3);
    serve();
    CHECK(take_op(LB_OP_ASYNC));
}

/* With room for a few commands a few run, and the others wait in the socket. */
static void less_memory_is_fewer_commands_at_once(void) {
    static uint64_t small[(LB_TARGET_WORK_BYTES(0) + 7) / 8];
    connect();
    raw.node.window = 64;
    log_in_with(TEXT(NAMES));
    CHECK(lb_target_take_back(&raw.conn, LB_TARGET_WORK).len > 0);
    lb_target_lend(&raw.conn, raw.now, LB_TARGET_WORK, lb_span((uint8_t *)small, sizeof small));
    raw.holds = true;
    for (int i = 0; i < 41; i++)
        give(command(false, 0, 1), nothing);
    CHECK(raw.conn.tasks_used <= 40);
    for (int round = 0; round < 41; round++) {
        while (raw.held_count > 0)
            answer(raw.held[--raw.held_count]);
        serve();
    }
    for (int i = 0; i < 40; i++)
        CHECK(take_op(LB_OP_DATA_IN));
}

static void a_window_is_64_where_none_is_set_and_never_more_than_there_is_memory_for(void) {
    static const struct {
        uint32_t set, is;
    } cases[] = {{0, 64},
                 {1, 1},
                 {LB_TARGET_WINDOW_MAX, LB_TARGET_WINDOW_MAX},
                 {LB_TARGET_WINDOW_MAX + 1, LB_TARGET_WINDOW_MAX}};
    for (size_t i = 0; i < LB_COUNT(cases); i++) {
        connect();
        raw.node.window = cases[i].set;
        log_in_with(TEXT(NAMES));
        CHECK_EQ(raw.pdu.max_cmd_sn, 7 + cases[i].is - 1);
    }
}

int main(void) {
    TEST(the_answer_has_every_key_that_was_asked);
    TEST(a_number_outside_of_its_range_ends_the_login);
    TEST(time2wait_is_the_longer_of_both_ends);
    TEST(a_login_that_is_not_right_gets_its_status);
    TEST(stages_go_forward_alone);
    TEST(names_that_are_said_again_are_the_same_ones);
    TEST(a_session_that_is_not_there_cannot_be_joined);
    TEST(text_that_goes_on_is_joined);
    TEST(text_without_end_is_cut_off);
    TEST(a_login_without_end_is_cut_off);
    TEST(who_does_not_log_in_is_dropped);
    TEST(chap_cannot_be_left_out);
    TEST(the_same_initiator_takes_the_place_of_its_old_session);
    TEST(a_challenge_of_our_own_is_not_answered);
    TEST(nor_one_of_another_server_of_the_same_host);
    TEST(two_paths_of_one_initiator_are_both_let_in);
    TEST(an_initiator_with_twenty_paths_has_no_more_sessions_than_there_may_be);
    TEST(one_initiator_leaves_room_for_others);
    TEST(who_comes_again_takes_the_place_of_its_own_session_alone);
    TEST(of_two_logins_at_once_the_slower_one_finds_no_room);
    TEST(a_second_connection_of_a_session_is_one_too_many);
    TEST(discovery_can_be_switched_off);
    TEST(keys_of_a_disk_are_irrelevant_in_discovery);
    TEST(each_initiator_sees_its_own_disk_as_lun_0);
    TEST(a_connection_moves_to_another_server_before_it_is_answered);
    TEST(the_host_is_asked_by_name_and_may_take_its_time);
    TEST(whom_the_host_does_not_know_is_told_so);
    TEST(who_waits_for_the_host_does_not_wait_for_ever);
    TEST(a_discovery_session_is_told_what_the_host_lists);
    TEST(what_was_lent_comes_back_when_the_work_is_done);
    TEST(a_part_of_a_pdu_keeps_its_room);
    TEST(a_session_waits_until_the_host_has_memory);
    TEST(an_idle_session_is_pinged_with_memory_that_it_asks_for);
    TEST(less_memory_is_fewer_commands_at_once);
    TEST(a_window_is_64_where_none_is_set_and_never_more_than_there_is_memory_for);
    return tap_done();
}
