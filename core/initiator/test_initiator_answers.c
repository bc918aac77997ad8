/* Answers of targets that break the rules of RFC 7143 6.2 and 13, where the meaning is clear or the
 * default is safe: the initiator logs in, and the report has a warning with the key. Each kind was
 * met in the field; libiscsi, iPXE and open-iscsi log in to these. */
#include "core/initiator/test_initiator_peer.h"

/* Logs in with this one answer. */
static const struct lb_initiator_agreed *answer(struct lb_bytes text) {
    tap_note("%.*s", (int)text.len, (const char *)text.p);
    peer_configure();
    peer_connect();
    peer_log_in_with(text);
    return lb_initiator_agreed(&peer.session);
}

static bool warns(const char *about) {
    const char *warning = lb_initiator_warning(&peer.session, 0);
    return CHECK(warning != NULL) && CHECK_HAS(warning, about);
}

static bool is_silent(void) {
    return CHECK(lb_initiator_warning(&peer.session, 0) == NULL);
}

static void an_answer_by_the_rules_has_no_warning(void) {
    answer(TEXT(PEER_KEYS));
    is_silent();
    answer(TEXT("FirstBurstLength=Irrelevant\0MaxConnections=Irrelevant\0X-y.z=NotUnderstood\0"));
    is_silent();
    answer(TEXT("TargetPortalGroupTag=1\0TargetPortalGroupTag=1\0TargetAlias=A\0TargetAlias=A\0"
                "MaxRecvDataSegmentLength=8192\0MaxRecvDataSegmentLength=8192\0"));
    is_silent();
    answer(TEXT("\0\0TargetAlias=odd\0\0\0"));
    is_silent();
}

static void of_the_targets_own_number_the_smaller_counts(void) {
    CHECK_EQ(answer(TEXT("MaxBurstLength=16777215\0"))->max_burst, 16776192);
    warns("MaxBurstLength=16777215");
    CHECK_EQ(answer(TEXT("MaxBurstLength=16777216\0"))->max_burst, 16776192);
    CHECK_EQ(answer(TEXT("MaxBurstLength=4294967296\0"))->max_burst, 16776192);
    CHECK_EQ(answer(TEXT("FirstBurstLength=262145\0"))->first_burst, 262144);
    warns("FirstBurstLength=262145");
    CHECK_EQ(answer(TEXT("FirstBurstLength=0xffffffff\0"))->first_burst, 262144);
    CHECK_EQ(answer(TEXT("MaxOutstandingR2T=16\0"))->max_outstanding_r2t, 1);
    warns("MaxOutstandingR2T=16");
    CHECK_EQ(answer(TEXT("MaxRecvDataSegmentLength=16777216\0"))->max_send_data, 16777215);
    warns("MaxRecvDataSegmentLength=16777216");
    CHECK_EQ(answer(TEXT("DefaultTime2Wait=3601\0"))->time2wait_s, 3600);
    warns("DefaultTime2Wait=3601");
    answer(TEXT("DefaultTime2Retain=86400\0"));
    warns("DefaultTime2Retain");
    answer(TEXT("MaxConnections=64\0"));
    is_silent();
}

static void a_number_below_the_minimum_is_respected(void) {
    CHECK_EQ(answer(TEXT("MaxRecvDataSegmentLength=511\0"))->max_send_data, 511);
    warns("MaxRecvDataSegmentLength=511");
    CHECK_EQ(answer(TEXT("MaxBurstLength=256\0"))->max_burst, 256);
    CHECK_EQ(answer(TEXT("FirstBurstLength=1\0"))->first_burst, 1);
}

/* open-iscsi bfb0624: 0 is not told. */
static void zero_is_the_default_where_a_minimum_is(void) {
    CHECK_EQ(answer(TEXT("MaxRecvDataSegmentLength=0\0"))->max_send_data, 8192);
    warns("MaxRecvDataSegmentLength=0");
    CHECK_EQ(answer(TEXT("MaxBurstLength=0\0"))->max_burst, 262144);
    warns("MaxBurstLength=0");
    CHECK_EQ(answer(TEXT("MaxOutstandingR2T=0\0"))->max_outstanding_r2t, 1);
}

/* No unsolicited data at all is what is safe. */
static void a_first_burst_of_nothing_is_nothing_unsolicited(void) {
    const struct lb_initiator_agreed *agreed =
        answer(TEXT("InitialR2T=No\0ImmediateData=Yes\0FirstBurstLength=0\0"));
    CHECK(agreed->initial_r2t && !agreed->immediate_data);
    warns("FirstBurstLength=0");
    agreed = answer(TEXT("FirstBurstLength=none\0InitialR2T=No\0ImmediateData=Yes\0"));
    CHECK(agreed->initial_r2t && !agreed->immediate_data);
}

static void what_is_no_number_is_the_default(void) {
    CHECK_EQ(answer(TEXT("DefaultTime2Wait=-1\0"))->time2wait_s, 2);
    warns("DefaultTime2Wait=-1");
    CHECK_EQ(answer(TEXT("DefaultTime2Wait=\0"))->time2wait_s, 2);
    CHECK_EQ(answer(TEXT("MaxBurstLength=-1\0"))->max_burst, 262144);
    CHECK_EQ(answer(TEXT("MaxOutstandingR2T=many\0"))->max_outstanding_r2t, 1);
    answer(TEXT("DefaultTime2Retain=never\0"));
}

/* openebs-archive/jiva#28. */
static void a_portal_group_that_is_none_is_not_used(void) {
    static const struct lb_bytes values[] = {
        {(const uint8_t *)"TargetPortalGroupTag=-1", 24},
        {(const uint8_t *)"TargetPortalGroupTag=65536", 27},
        {(const uint8_t *)"TargetPortalGroupTag=", 22},
        {(const uint8_t *)"TargetPortalGroupTag=one", 25},
    };
    for (size_t i = 0; i < LB_COUNT(values); i++) {
        CHECK_EQ(answer(values[i])->tpgt, 0);
        warns("TargetPortalGroupTag");
    }
}

/* u-root/iscsinl#12. */
static void a_key_that_is_not_understood_has_its_default(void) {
    const struct lb_initiator_agreed *agreed =
        answer(TEXT("InitialR2T=NotUnderstood\0ImmediateData=NotUnderstood\0"
                    "MaxBurstLength=NotUnderstood\0FirstBurstLength=Reject\0"
                    "DefaultTime2Wait=NotUnderstood\0MaxRecvDataSegmentLength=Reject\0"
                    "MaxOutstandingR2T=NotUnderstood\0ErrorRecoveryLevel=NotUnderstood\0"
                    "DataPDUInOrder=NotUnderstood\0DataSequenceInOrder=Reject\0"
                    "HeaderDigest=NotUnderstood\0DataDigest=Irrelevant\0"));
    CHECK(agreed->initial_r2t && !agreed->immediate_data);
    CHECK(!agreed->header_digest && !agreed->data_digest);
    CHECK_EQ(agreed->max_burst, 262144);
    CHECK_EQ(agreed->first_burst, 65536);
    CHECK_EQ(agreed->time2wait_s, 2);
    CHECK_EQ(agreed->max_send_data, 8192);
    warns("InitialR2T=NotUnderstood");
    CHECK_HAS(lb_initiator_warning(&peer.session, 1), "ImmediateData");
}

static void a_key_may_come_twice_with_the_same_meaning(void) {
    CHECK_EQ(answer(TEXT("MaxBurstLength=65536\0MaxBurstLength=0x10000\0"))->max_burst, 65536);
    warns("MaxBurstLength");
    CHECK(lb_initiator_warning(&peer.session, 1) == NULL);
    CHECK(!answer(TEXT("InitialR2T=No\0InitialR2T=No\0"))->initial_r2t);
    warns("InitialR2T=No");
    answer(TEXT("HeaderDigest=None\0HeaderDigest=None\0ErrorRecoveryLevel=0\0ErrorRecoveryLevel=0\0"
                "DataPDUInOrder=Yes\0DataPDUInOrder=Yes\0"));
    warns("HeaderDigest=None");
    CHECK(answer(TEXT("ImmediateData=Yes\0ImmediateData=Irrelevant\0"))->immediate_data);
}

/* Of two numbers the one that is safe for both sides. */
static void of_two_numbers_the_careful_one_counts(void) {
    CHECK_EQ(answer(TEXT("MaxBurstLength=65536\0MaxBurstLength=131072\0"))->max_burst, 65536);
    warns("MaxBurstLength=131072");
    CHECK_EQ(answer(TEXT("MaxBurstLength=131072\0MaxBurstLength=65536\0"))->max_burst, 65536);
    CHECK_EQ(answer(TEXT("MaxRecvDataSegmentLength=4096\0MaxRecvDataSegmentLength=8192\0"))
                 ->max_send_data,
             4096);
    CHECK_EQ(answer(TEXT("DefaultTime2Wait=5\0DefaultTime2Wait=1\0"))->time2wait_s, 5);
}

/* gotgt#7: said again in the answer to the next request. */
static void a_key_may_come_again_in_the_next_answer(void) {
    peer_configure();
    peer_connect();
    CHECK(peer_take());
    peer_answer_login(false, 0, TEXT("MaxBurstLength=65536\0ImmediateData=Yes\0"));
    CHECK(peer_take());
    peer_answer_login(true, LB_LOGIN_STAGE_FULL_FEATURE,
                      TEXT("ImmediateData=Yes\0MaxBurstLength=65536\0TargetAlias=x\0"));
    CHECK_EQ(peer_poll().event, LB_INITIATOR_READY);
    CHECK_EQ(lb_initiator_agreed(&peer.session)->max_burst, 65536);
    warns("ImmediateData=Yes");
}

static void letters_of_the_wrong_case_are_read(void) {
    const struct lb_initiator_agreed *agreed =
        answer(TEXT("InitialR2T=no\0ImmediateData=YES\0HeaderDigest=none\0DataDigest=NONE\0"
                    "maxburstlength=65536\0MAXRECVDATASEGMENTLENGTH=4096\0datapduinorder=yes\0"));
    CHECK(!agreed->initial_r2t && agreed->immediate_data);
    CHECK_EQ(agreed->max_burst, 65536);
    CHECK_EQ(agreed->max_send_data, 4096);
    warns("InitialR2T=no");
    answer(TEXT("FirstBurstLength=irrelevant\0MaxOutstandingR2T=notunderstood\0"));
    warns("FirstBurstLength=irrelevant");
}

static void blanks_do_not_matter(void) {
    const struct lb_initiator_agreed *agreed = answer(
        TEXT("InitialR2T = No\0 ImmediateData=Yes \0\tMaxBurstLength=\t65536\r\n\0 \0\r\n\0"));
    CHECK(!agreed->initial_r2t && agreed->immediate_data);
    CHECK_EQ(agreed->max_burst, 65536);
    warns("InitialR2T = No");
}

static void the_last_pair_may_lack_its_nul(void) {
    CHECK_EQ(answer(TEXT("ImmediateData=Yes\0MaxBurstLength=65536"))->max_burst, 65536);
    warns("no NUL");
}

static void a_session_without_a_handle_is_one(void) {
    peer_configure();
    peer_connect();
    CHECK(peer_take());
    struct lb_iscsi_pdu pdu = {.opcode = LB_OP_LOGIN_RESPONSE,
                               .final = true,
                               .itt = peer.pdu.itt,
                               .login = {.csg = 1, .nsg = 3, .tsih = 0}};
    peer_give(&pdu, TEXT(PEER_KEYS));
    CHECK_EQ(peer_poll().event, LB_INITIATOR_READY);
    warns("TSIH 0");
}

static void warnings_are_bounded_and_each_key_has_one(void) {
    static char text[8000];
    struct lb_text line = lb_text(text, sizeof text);
    for (int i = 0; i < 40; i++)
        lb_text_add(&line, "MaxBurstLength=%d\n maxconnections =\x1b%d\n x-%d =1\n", i, i, i);
    for (size_t i = 0; i < line.len; i++)
        if (text[i] == '\n')
            text[i] = 0;
    answer(lb_bytes(text, line.len));
    warns("MaxBurstLength=0");
    CHECK_HAS(lb_initiator_warning(&peer.session, 1), "maxconnections =\\x1b0");
    CHECK(lb_initiator_warning(&peer.session, 2) == NULL);
}

/* What was passed over is of this login, not of the one before. */
static void a_new_login_has_its_own_warnings(void) {
    answer(TEXT("MaxBurstLength=16777215\0"));
    warns("MaxBurstLength");
    lb_initiator_drop(&peer.session, peer.now);
    peer_come_back();
    is_silent();
}

/* ---- digests ---- */

static const char *offer_of(enum lb_iscsi_key key) {
    static char shown[40];
    struct lb_bytes value = {NULL, 0};
    CHECK(lb_iscsi_text_find(peer.data, key, &value));
    CHECK(lb_text_copy(shown, sizeof shown, value));
    return shown;
}

static void refuse_digest(struct lb_bytes text) {
    peer_answer_login(true, LB_LOGIN_STAGE_FULL_FEATURE, text);
    CHECK_EQ(lb_initiator_poll(&peer.session, peer.now).event, LB_INITIATOR_CLOSE);
    CHECK_EQ(lb_initiator_poll(&peer.session, peer.now).event, LB_INITIATOR_CONNECT);
    peer_accept();
    CHECK(peer_take_op(LB_OP_LOGIN_REQUEST));
    CHECK_STR(offer_of(LB_ISCSI_KEY_HEADER_DIGEST), "CRC32C,None");
    CHECK_STR(offer_of(LB_ISCSI_KEY_DATA_DIGEST), "CRC32C,None");
}

/* stgt that is set up for digests: ipxe bd718b211. */
static void a_target_that_insists_on_digests_gets_them(void) {
    static const struct lb_bytes refusals[] = {
        {(const uint8_t *)"HeaderDigest=Reject", 20},
        {(const uint8_t *)"DataDigest=Reject", 18},
        {(const uint8_t *)"HeaderDigest=CRC32C\0DataDigest=CRC32C", 38},
    };
    for (size_t i = 0; i < LB_COUNT(refusals); i++) {
        peer_configure();
        peer_connect();
        CHECK(peer_take());
        refuse_digest(refusals[i]);
        peer_answer_login(true, LB_LOGIN_STAGE_FULL_FEATURE,
                          TEXT("HeaderDigest=CRC32C\0DataDigest=None\0"));
        CHECK_EQ(peer_poll().event, LB_INITIATOR_READY);
        CHECK(lb_initiator_agreed(&peer.session)->header_digest);
        warns("header-digest=prefer");
    }
}

static void a_target_that_refuses_each_digest_is_left(void) {
    peer_configure();
    peer_connect();
    CHECK(peer_take());
    refuse_digest(TEXT("HeaderDigest=Reject\0DataDigest=Reject\0"));
    peer_answer_login(true, LB_LOGIN_STAGE_FULL_FEATURE, TEXT("HeaderDigest=reject\0"));
    peer_check_failed(LB_E_DIGEST_REFUSED, "HeaderDigest=Reject");
    CHECK_HAS(lb_initiator_error(&peer.session)->facts, "header-digest");
    CHECK(!lb_code_may_pass(lb_initiator_error(&peer.session)->code));

    peer_configure();
    peer_connect();
    CHECK(peer_take());
    refuse_digest(TEXT("DataDigest=Reject\0"));
    peer_answer_login(true, LB_LOGIN_STAGE_FULL_FEATURE,
                      TEXT("HeaderDigest=None\0DataDigest=Reject\0"));
    peer_check_failed(LB_E_DIGEST_REFUSED, "data-digest");
}

static void digests_that_were_preferred_may_be_refused(void) {
    peer_configure();
    peer.config.header_digest = peer.config.data_digest = LB_DIGEST_PREFER;
    peer_connect();
    peer_log_in_with(TEXT("HeaderDigest=Reject\0DataDigest=NotUnderstood\0"));
    CHECK(!lb_initiator_agreed(&peer.session)->header_digest);
    warns("HeaderDigest=Reject");
}

static void digests_that_were_required_may_not(void) {
    static const struct lb_bytes refusals[] = {
        {(const uint8_t *)"HeaderDigest=Reject", 20},
        {(const uint8_t *)"HeaderDigest=NotUnderstood", 27},
        {(const uint8_t *)"HeaderDigest=none", 18},
        {(const uint8_t *)"DataDigest=None", 16},
    };
    for (size_t i = 0; i < LB_COUNT(refusals); i++) {
        peer_configure();
        peer.config.header_digest = LB_DIGEST_CRC32C;
        peer_connect();
        CHECK(peer_take());
        peer_answer_login(true, LB_LOGIN_STAGE_FULL_FEATURE, refusals[i]);
        peer_check_failed(LB_E_REQUIRE_NOT_MET, "HeaderDigest=CRC32C");
    }
}

static void digests_that_were_asked_for_cost_no_second_login(void) {
    peer_configure();
    peer.config.header_digest = peer.config.data_digest = LB_DIGEST_PREFER;
    peer_connect();
    CHECK(peer_take());
    peer_answer_login(true, LB_LOGIN_STAGE_FULL_FEATURE,
                      TEXT("HeaderDigest=CRC32C\0DataDigest=CRC32C\0"));
    CHECK_EQ(peer_poll().event, LB_INITIATOR_READY);
    CHECK(lb_initiator_agreed(&peer.session)->header_digest);
    CHECK(lb_initiator_agreed(&peer.session)->data_digest);
    is_silent();
}

/* RFC 7143 13.12: 512 to 2^24-1, whatever is configured. */
static void what_we_take_at_once_is_within_the_bounds_of_the_rfc(void) {
    static const struct {
        uint32_t configured;
        const char *offered;
    } rows[] = {{0, "262144"},          {1, "512"},
                {511, "512"},           {512, "512"},
                {513, "513"},           {16777214, "16777214"},
                {16777215, "16777215"}, {16777216, "16777215"},
                {16777217, "16777215"}, {UINT32_MAX, "16777215"}};
    for (size_t i = 0; i < LB_COUNT(rows); i++) {
        struct lb_bytes offered = {0};
        peer_configure();
        peer.config.max_recv_data = rows[i].configured;
        peer_connect();
        CHECK(peer_take());
        CHECK(lb_iscsi_text_find(peer.data, LB_ISCSI_KEY_MAX_RECV_DATA_SEGMENT_LENGTH, &offered));
        CHECK_BYTES(offered, lb_bytes_of_text(rows[i].offered));
    }
}

int main(void) {
    TEST(an_answer_by_the_rules_has_no_warning);
    TEST(of_the_targets_own_number_the_smaller_counts);
    TEST(a_number_below_the_minimum_is_respected);
    TEST(zero_is_the_default_where_a_minimum_is);
    TEST(a_first_burst_of_nothing_is_nothing_unsolicited);
    TEST(what_is_no_number_is_the_default);
    TEST(a_portal_group_that_is_none_is_not_used);
    TEST(a_key_that_is_not_understood_has_its_default);
    TEST(a_key_may_come_twice_with_the_same_meaning);
    TEST(of_two_numbers_the_careful_one_counts);
    TEST(a_key_may_come_again_in_the_next_answer);
    TEST(letters_of_the_wrong_case_are_read);
    TEST(blanks_do_not_matter);
    TEST(the_last_pair_may_lack_its_nul);
    TEST(a_session_without_a_handle_is_one);
    TEST(warnings_are_bounded_and_each_key_has_one);
    TEST(a_new_login_has_its_own_warnings);
    TEST(a_target_that_insists_on_digests_gets_them);
    TEST(a_target_that_refuses_each_digest_is_left);
    TEST(digests_that_were_preferred_may_be_refused);
    TEST(digests_that_were_required_may_not);
    TEST(digests_that_were_asked_for_cost_no_second_login);
    TEST(what_we_take_at_once_is_within_the_bounds_of_the_rfc);
    return tap_done();
}
