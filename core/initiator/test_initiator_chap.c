/* The security stage against a scripted target. The answers of the vectors were computed by another
 * program (Python's hashlib). */
#include "core/initiator/test_initiator_peer.h"

#define SECRET        "boot-secret-0123"
#define TARGET_SECRET "target-secret-99"
#define CHALLENGE     "0x000102030405060708090a0b0c0d0e0f"

static void use_chap(const char *algs) {
    struct lb_initiator_config *c = &peer.config;
    peer_configure();
    lb_text_copy(c->chap_name, sizeof c->chap_name, TEXT("me"));
    memcpy(c->chap_secret, SECRET, sizeof SECRET - 1);
    c->chap_secret_len = sizeof SECRET - 1;
    CHECK(lb_chap_parse_algs(lb_bytes_of_text(algs), &c->chap_algs));
}

static void use_mutual(void) {
    struct lb_initiator_config *c = &peer.config;
    use_chap("sha256,md5");
    memcpy(c->chap_target_secret, TARGET_SECRET, sizeof TARGET_SECRET - 1);
    c->chap_target_secret_len = sizeof TARGET_SECRET - 1;
}

/* An answer without a transition: pairs with a line each, the last one in two halves. */
static void say(const char *pairs, const char *last_value) {
    static char text[8192];
    struct lb_text line = lb_text(text, sizeof text);
    lb_text_add(&line, "%s%s\n", pairs, last_value);
    for (size_t i = 0; i < line.len; i++)
        if (text[i] == '\n')
            text[i] = 0;
    peer_answer_login(false, 0, lb_bytes(text, line.len));
}

static struct lb_bytes value_of(enum lb_iscsi_key key) {
    struct lb_bytes value = {NULL, 0};
    CHECK(lb_iscsi_text_find(peer.data, key, &value));
    return value;
}

/* Up to the target's question, which the caller gives; then our answer is in peer.data. */
static bool ask_with(const char *question) {
    peer_connect();
    if (!peer_take_op(LB_OP_LOGIN_REQUEST))
        return false;
    CHECK_EQ(peer.pdu.login.csg, LB_LOGIN_STAGE_SECURITY);
    CHECK(!peer.pdu.final);
    say("AuthMethod=", "CHAP");
    if (!CHECK(peer_take()))
        return false;
    CHECK(!peer.pdu.final);
    say(question, "");
    return peer_take();
}

static void ask(const char *number) {
    char question[200];
    lb_format(question, sizeof question, "CHAP_A=%s\nCHAP_I=42\nCHAP_C=" CHALLENGE "\n", number);
    CHECK(ask_with(question));
    CHECK(peer.pdu.final);
    CHECK_EQ(peer.pdu.login.nsg, LB_LOGIN_STAGE_OPERATIONAL);
}

static void fails_at_question(enum lb_code code, const char *question, const char *facts) {
    use_chap("sha256,md5");
    CHECK(!ask_with(question));
    peer_check_failed(code, facts);
}

/* ---- one way ---- */

static void our_answer_is_right_for_each_algorithm(void) {
    static const struct {
        const char *alg, *number, *answer;
    } cases[] = {
        {"md5", "5", "0xdd53008e50bde0952280cb3e230c6046"},
        {"sha1", "6", "0x777c40f14a553bb7f3b062d05f9af0e21c1f8ca7"},
        {"tgt-sha1", "7", "0x777c40f14a553bb7f3b062d05f9af0e21c1f8ca7"},
        {"sha256", "7", "0x31cc0e7953a65a2a04959bfd93f76dc5d7bafb8e61b854260c56d62b315e5451"},
        {"sha3-256", "8", "0x9f34017286bd5ead61e6bfa16be660ff803582e7020e55797f5619fb247e0fda"},
    };
    for (size_t i = 0; i < LB_COUNT(cases); i++) {
        use_chap(cases[i].alg);
        ask(cases[i].number);
        CHECK(lb_text_is(value_of(LB_ISCSI_KEY_CHAP_N), "me"));
        CHECK(lb_text_is(value_of(LB_ISCSI_KEY_CHAP_R), cases[i].answer));
        struct lb_bytes unused;
        CHECK(!lb_iscsi_text_find(peer.data, LB_ISCSI_KEY_CHAP_I, &unused));
        peer_answer_login(true, LB_LOGIN_STAGE_OPERATIONAL, lb_bytes(NULL, 0));
        peer_log_in_with(TEXT(PEER_KEYS));
        CHECK(lb_initiator_agreed(&peer.session)->chap);
        CHECK(!lb_initiator_agreed(&peer.session)->mutual);
    }
}

static void algorithms_are_offered_as_configured(void) {
    use_chap("md5,sha3-256");
    peer_connect();
    CHECK(peer_take());
    CHECK(lb_text_is(value_of(LB_ISCSI_KEY_AUTH_METHOD), "CHAP,None"));
    say("AuthMethod=", "CHAP");
    CHECK(peer_take());
    CHECK(lb_text_is(value_of(LB_ISCSI_KEY_CHAP_A), "5,8"));
}

static void a_target_that_stays_in_the_stage_is_asked_again(void) {
    use_chap("md5");
    ask("5");
    peer_answer_login(false, 0, lb_bytes(NULL, 0));
    CHECK(peer_take());
    CHECK(peer.pdu.final);
    CHECK_EQ(peer.data.len, 0);
    peer_answer_login(true, LB_LOGIN_STAGE_OPERATIONAL, lb_bytes(NULL, 0));
    peer_log_in_with(TEXT(PEER_KEYS));
}

static void a_challenge_in_base64_and_an_identifier_in_hex_are_read(void) {
    use_chap("md5");
    CHECK(ask_with("CHAP_A=5\nCHAP_I=0x2A\nCHAP_C=0bAAECAwQFBgcICQoLDA0ODw==\n"));
    CHECK(lb_text_is(value_of(LB_ISCSI_KEY_CHAP_R), "0xdd53008e50bde0952280cb3e230c6046"));
}

/* libiscsi#189: FreeNAS sends more than 255 bytes. */
static void a_challenge_of_1024_bytes_is_read(void) {
    static char question[2200];
    struct lb_text text = lb_text(question, sizeof question);
    lb_text_add(&text, "CHAP_A=5\nCHAP_I=1\nCHAP_C=0x");
    for (int i = 0; i < 1024; i++)
        lb_text_add(&text, "%02x", i & 0xff);
    lb_text_add(&text, "\n");
    use_chap("md5");
    CHECK(ask_with(question));
    CHECK_EQ(value_of(LB_ISCSI_KEY_CHAP_R).len, 2 + 32);
}

/* CVE-2021-38575 and what followed it: each of these once wrote over or ran past a buffer. */
static void challenges_that_are_not_binary_values_end_the_login(void) {
    static char question[2300];
    struct lb_text text = lb_text(question, sizeof question);
    lb_text_add(&text, "CHAP_A=5\nCHAP_I=1\nCHAP_C=0x");
    for (int i = 0; i < 1025; i++)
        lb_text_add(&text, "00");
    lb_text_add(&text, "\n");
    fails_at_question(LB_E_LOGIN_PROTOCOL, question, "CHAP_C");
    fails_at_question(LB_E_LOGIN_PROTOCOL, "CHAP_A=5\nCHAP_I=1\nCHAP_C=0x\n", "CHAP_C");
    fails_at_question(LB_E_LOGIN_PROTOCOL, "CHAP_A=5\nCHAP_I=1\nCHAP_C=0xABC\n", "CHAP_C");
    fails_at_question(LB_E_LOGIN_PROTOCOL, "CHAP_A=5\nCHAP_I=1\nCHAP_C=0xzz\n", "CHAP_C");
    fails_at_question(LB_E_LOGIN_PROTOCOL, "CHAP_A=5\nCHAP_I=1\nCHAP_C=abcd\n", "CHAP_C");
    fails_at_question(LB_E_LOGIN_PROTOCOL, "CHAP_A=5\nCHAP_I=1\nCHAP_C=\n", "CHAP_C");
}

/* LIO bc704fb58f: an identifier over 255. */
static void identifiers_that_are_no_byte_end_the_login(void) {
    fails_at_question(LB_E_LOGIN_PROTOCOL, "CHAP_A=5\nCHAP_I=256\nCHAP_C=0x00\n", "CHAP_I");
    fails_at_question(LB_E_LOGIN_PROTOCOL, "CHAP_A=5\nCHAP_I=-1\nCHAP_C=0x00\n", "CHAP_I");
    fails_at_question(LB_E_LOGIN_PROTOCOL, "CHAP_A=5\nCHAP_I=\nCHAP_C=0x00\n", "CHAP_I");
}

static void a_question_without_all_its_keys_ends_the_login(void) {
    fails_at_question(LB_E_LOGIN_PROTOCOL, "CHAP_I=1\nCHAP_C=0x00\n", "does not send");
    fails_at_question(LB_E_LOGIN_PROTOCOL, "CHAP_A=5\nCHAP_C=0x00\n", "does not send");
    fails_at_question(LB_E_LOGIN_PROTOCOL, "CHAP_A=5\nCHAP_I=1\n", "does not send");
}

static void an_algorithm_that_was_not_offered_ends_the_login(void) {
    fails_at_question(LB_E_AUTH_METHOD, "CHAP_A=6\nCHAP_I=1\nCHAP_C=0x00\n", "CHAP_A=6");
    fails_at_question(LB_E_AUTH_METHOD, "CHAP_A=7,5\nCHAP_I=1\nCHAP_C=0x00\n", "CHAP_A=7,5");
    use_chap("md5");
    CHECK(!ask_with("CHAP_A=Reject\n"));
    peer_check_failed(LB_E_AUTH_METHOD, "CHAP_A=Reject");
}

static void a_question_that_is_said_twice_is_one(void) {
    use_chap("md5");
    CHECK(ask_with("AuthMethod=CHAP\nCHAP_A=5\nCHAP_A=5\nCHAP_I=42\nCHAP_I=0x2a\nCHAP_C=" CHALLENGE
                   "\nCHAP_C=" CHALLENGE "\n"));
    CHECK(lb_text_is(value_of(LB_ISCSI_KEY_CHAP_R), "0xdd53008e50bde0952280cb3e230c6046"));
    peer_answer_login(true, LB_LOGIN_STAGE_OPERATIONAL, TEXT("AuthMethod=chap\0"));
    peer_log_in_with(TEXT(PEER_KEYS));
    CHECK_HAS(lb_initiator_warning(&peer.session, 0), "AuthMethod=CHAP");
}

static void a_question_that_contradicts_itself_ends_the_login(void) {
    fails_at_question(LB_E_LOGIN_PROTOCOL, "CHAP_A=5\nCHAP_A=7\n", "CHAP_A comes a second time");
    fails_at_question(LB_E_LOGIN_PROTOCOL, "CHAP_I=5\nCHAP_I=7\n", "CHAP_I comes a second time");
    fails_at_question(LB_E_LOGIN_PROTOCOL, "CHAP_C=0x05\nCHAP_C=0x0500\n", "CHAP_C comes a");
    fails_at_question(LB_E_LOGIN_PROTOCOL, "AuthMethod=None\n", "AuthMethod comes a second time");
}

/* ---- MD5 alone ---- */

/* Linux before 3.15 and what is built on it: only a list that begins with 5 is taken. */
enum refusal { BY_0201, BY_0200, BY_0207, BY_KEY, BY_REJECT, BY_SILENCE, BY_CLOSING, REFUSALS };

static void refuse_list(enum refusal how) {
    struct lb_iscsi_pdu reject = {
        .opcode = LB_OP_REJECT, .final = true, .itt = LB_ISCSI_NO_TAG, .reject = {.reason = 4}};
    switch (how) {
    case BY_0201:
        peer_refuse_login(LB_LOGIN_AUTH_FAILED, lb_bytes(NULL, 0));
        return;
    case BY_0200:
        peer_refuse_login(LB_LOGIN_INITIATOR_ERROR, lb_bytes(NULL, 0));
        return;
    case BY_0207:
        peer_refuse_login(LB_LOGIN_MISSING_PARAMETER, lb_bytes(NULL, 0));
        return;
    case BY_KEY:
        say("CHAP_A=", "Reject");
        return;
    case BY_REJECT:
        peer_give(&reject, lb_bytes(NULL, 0));
        return;
    case BY_SILENCE:
        peer_answer_login(false, 0, lb_bytes(NULL, 0));
        return;
    case BY_CLOSING:
        lb_initiator_lost(&peer.session, peer.now, LB_LOST_CLOSED);
        return;
    case REFUSALS:
        return;
    }
}

static bool ask_after_refusal(enum refusal how, const char *algs) {
    use_chap(algs);
    peer_connect();
    CHECK(peer_take());
    say("AuthMethod=", "CHAP");
    CHECK(peer_take());
    refuse_list(how);
    if (!CHECK_EQ(peer_poll().event, LB_INITIATOR_CONNECT))
        return false;
    peer_accept();
    CHECK(peer_take());
    say("AuthMethod=", "CHAP");
    CHECK(peer_take());
    return CHECK(lb_text_is(value_of(LB_ISCSI_KEY_CHAP_A), "5"));
}

static void a_list_that_is_refused_is_followed_by_md5_alone(void) {
    for (enum refusal how = BY_0201; how < REFUSALS; how++) {
        if (!ask_after_refusal(how, "sha3-256,sha256,md5"))
            return;
        say("CHAP_A=5\nCHAP_I=42\nCHAP_C=", CHALLENGE);
        CHECK(peer_take());
        CHECK(lb_text_is(value_of(LB_ISCSI_KEY_CHAP_R), "0xdd53008e50bde0952280cb3e230c6046"));
        peer_answer_login(true, LB_LOGIN_STAGE_OPERATIONAL, lb_bytes(NULL, 0));
        peer_log_in_with(TEXT(PEER_KEYS));
        CHECK_EQ(lb_initiator_agreed(&peer.session)->chap_alg, LB_HASH_MD5);
        CHECK_HAS(lb_initiator_warning(&peer.session, 0), "chap-algorithms=md5");
    }
}

/* It is told with the second refusal. A secret was never shown, and is not shown twice. */
static void md5_is_proposed_once(void) {
    CHECK(ask_after_refusal(BY_0201, "sha256,md5"));
    peer_refuse_login(LB_LOGIN_AUTH_FAILED, lb_bytes(NULL, 0));
    peer_check_failed(LB_E_AUTH_METHOD, "0x0201");

    CHECK(ask_after_refusal(BY_0201, "sha256,md5"));
    say("CHAP_A=5\nCHAP_I=42\nCHAP_C=", CHALLENGE);
    CHECK(peer_take());
    peer_refuse_login(LB_LOGIN_AUTH_FAILED, lb_bytes(NULL, 0));
    peer_check_failed(LB_E_AUTH_FAILED, "0x0201");
}

static void md5_is_not_proposed_where_it_is_not_allowed(void) {
    for (enum refusal how = BY_0201; how <= BY_REJECT; how++) {
        use_chap("sha3-256,sha256");
        peer_connect();
        CHECK(peer_take());
        say("AuthMethod=", "CHAP");
        CHECK(peer_take());
        refuse_list(how);
        CHECK_EQ(peer_poll().event, LB_INITIATOR_FAILED);
    }
}

/* An account is locked after a few wrong proofs. */
static void a_proof_that_is_refused_is_not_followed_by_another(void) {
    use_chap("sha3-256,md5");
    ask("8");
    peer_refuse_login(LB_LOGIN_AUTH_FAILED, lb_bytes(NULL, 0));
    peer_check_failed(LB_E_AUTH_FAILED, "0x0201");
}

static void a_wrong_secret_is_told_as_such(void) {
    use_chap("md5");
    ask("5");
    peer_refuse_login(LB_LOGIN_AUTH_FAILED, lb_bytes(NULL, 0));
    peer_check_failed(LB_E_AUTH_FAILED, "0x0201");
    CHECK_HAS(lb_initiator_error(&peer.session)->facts, ", CHAP name ");
    CHECK_HAS(lb_initiator_error(&peer.session)->facts, peer.config.chap_name);
}

static void a_refusal_before_any_secret_is_about_the_algorithms(void) {
    use_chap("md5");
    peer_connect();
    CHECK(peer_take());
    say("AuthMethod=", "CHAP");
    CHECK(peer_take());
    CHECK(lb_text_is(value_of(LB_ISCSI_KEY_CHAP_A), "5"));
    peer_refuse_login(LB_LOGIN_AUTH_FAILED, lb_bytes(NULL, 0));
    peer_check_failed(LB_E_AUTH_METHOD, "0x0201");
    /* tgt says it so. */
    use_chap("md5");
    peer_connect();
    CHECK(peer_take());
    say("AuthMethod=", "CHAP");
    CHECK(peer_take());
    peer_refuse_login(LB_LOGIN_INITIATOR_ERROR, lb_bytes(NULL, 0));
    peer_check_failed(LB_E_AUTH_METHOD, "0x0200");
}

static void a_method_that_was_not_offered_ends_the_login(void) {
    use_chap("md5");
    peer_connect();
    CHECK(peer_take());
    say("AuthMethod=", "SRP");
    peer_check_failed(LB_E_LOGIN_PROTOCOL, "not offered");
    use_chap("md5");
    peer_connect();
    CHECK(peer_take());
    say("AuthMethod=", "Reject");
    peer_check_failed(LB_E_AUTH_METHOD, "CHAP");
}

/* A target that waves us through before anything was asked or proved. */
static void a_transition_that_was_not_asked_for_ends_the_login(void) {
    use_mutual();
    peer_connect();
    CHECK(peer_take());
    peer_answer_login(true, LB_LOGIN_STAGE_OPERATIONAL, TEXT("AuthMethod=CHAP\0"));
    peer_check_failed(LB_E_LOGIN_PROTOCOL, "not asked for");

    use_mutual();
    peer_connect();
    CHECK(peer_take());
    say("AuthMethod=", "CHAP");
    CHECK(peer_take());
    peer_answer_login(true, LB_LOGIN_STAGE_OPERATIONAL,
                      TEXT("CHAP_A=7\0CHAP_I=1\0CHAP_C=" CHALLENGE "\0"));
    peer_check_failed(LB_E_LOGIN_PROTOCOL, "not asked for");
}

/* SHA-1 and MD5 are what their numbers say everywhere: a proof was refused. */
static void another_number_is_not_left_out(void) {
    use_chap("sha256,md5");
    ask("5");
    peer_refuse_login(LB_LOGIN_INITIATOR_ERROR, lb_bytes(NULL, 0));
    peer_check_failed(LB_E_LOGIN_REJECTED, "0x0200");
}

/* tgt means SHA-1 by 7, and calls the longer answer an initiator error. */
static void number_7_is_left_out_when_the_target_means_something_else(void) {
    use_chap("sha256,md5");
    ask("7");
    peer_refuse_login(LB_LOGIN_INITIATOR_ERROR, lb_bytes(NULL, 0));
    CHECK_EQ(peer_poll().event, LB_INITIATOR_CONNECT);
    peer_accept();
    CHECK(peer_take());
    say("AuthMethod=", "CHAP");
    CHECK(peer_take());
    CHECK(lb_text_is(value_of(LB_ISCSI_KEY_CHAP_A), "5"));
}

/* ---- none ---- */

static void none_is_taken_where_nothing_requires_chap(void) {
    use_chap("md5");
    peer_connect();
    CHECK(peer_take());
    say("AuthMethod=", "None");
    CHECK(peer_take());
    CHECK(peer.pdu.final);
    peer_answer_login(true, LB_LOGIN_STAGE_OPERATIONAL, lb_bytes(NULL, 0));
    peer_log_in_with(TEXT(PEER_KEYS));
    CHECK(!lb_initiator_agreed(&peer.session)->chap);
}

static void a_downgrade_to_none_is_refused_where_chap_is_required(void) {
    use_chap("md5");
    peer.config.require_chap = true;
    peer_connect();
    CHECK(peer_take());
    CHECK(lb_text_is(value_of(LB_ISCSI_KEY_AUTH_METHOD), "CHAP"));
    say("AuthMethod=", "None");
    peer_check_failed(LB_E_REQUIRE_NOT_MET, "AuthMethod=None");

    use_chap("md5");
    peer.config.require_chap = true;
    peer_connect();
    CHECK(peer_take());
    say("TargetAlias=", "silent");
    peer_check_failed(LB_E_REQUIRE_NOT_MET, "no answer to AuthMethod");

    peer_configure();
    peer.config.require_chap = true; /* and no secret to do it with */
    peer_connect();
    CHECK(peer_take());
    peer_answer_login(true, LB_LOGIN_STAGE_FULL_FEATURE, lb_bytes(NULL, 0));
    peer_check_failed(LB_E_REQUIRE_NOT_MET, "without CHAP");
}

/* ---- both ways ---- */

/* Our question, as the target gets it. */
static struct lb_chap_challenge our_question(void) {
    struct lb_chap_challenge question = {.len = 0};
    size_t len = 0;
    CHECK(lb_chap_parse_id(value_of(LB_ISCSI_KEY_CHAP_I), &question.id));
    CHECK_EQ(lb_chap_parse_binary(value_of(LB_ISCSI_KEY_CHAP_C),
                                  lb_span(question.data, sizeof question.data), &len),
             LB_CHAP_BINARY_OK);
    question.len = (uint16_t)len;
    return question;
}

static void prove_with(const char *secret, const char *name, bool transition) {
    char text[400];
    struct lb_text line = lb_text(text, sizeof text);
    struct lb_chap_alg alg = {.number = 7, .hash = LB_HASH_SHA256};
    struct lb_chap_challenge question = our_question();
    struct lb_chap_response response;
    lb_chap_respond(alg, lb_bytes_of_text(secret), &question, &response);
    lb_text_add(&line, "CHAP_N=%s\nCHAP_R=", name);
    lb_chap_format_hex(&line, lb_bytes(response.data, response.len));
    lb_text_add(&line, "\n");
    for (size_t i = 0; i < line.len; i++)
        if (text[i] == '\n')
            text[i] = 0;
    peer_answer_login(transition, LB_LOGIN_STAGE_OPERATIONAL, lb_bytes(text, line.len));
}

static void a_target_that_proves_itself_is_let_through(void) {
    use_mutual();
    ask("7");
    CHECK_EQ(our_question().len, LB_CHAP_CHALLENGE_BYTES);
    prove_with(TARGET_SECRET, "disk", true);
    peer_log_in_with(TEXT(PEER_KEYS));
    CHECK(lb_initiator_agreed(&peer.session)->mutual);
}

/* LIO sends its proof without T and waits to be asked again (ipxe#1444). */
static void a_proof_without_a_transition_is_enough(void) {
    use_mutual();
    ask("7");
    prove_with(TARGET_SECRET, "disk", false);
    CHECK(peer_take());
    CHECK(peer.pdu.final);
    peer_answer_login(true, LB_LOGIN_STAGE_OPERATIONAL, lb_bytes(NULL, 0));
    peer_log_in_with(TEXT(PEER_KEYS));
    CHECK(lb_initiator_agreed(&peer.session)->mutual);
}

static void a_target_with_a_wrong_secret_is_left(void) {
    use_mutual();
    ask("7");
    prove_with("some-other-secret", "disk", true);
    peer_check_failed(LB_E_AUTH_TARGET, "chap-target-secret");
    CHECK(!lb_code_may_pass(lb_initiator_error(&peer.session)->code));
}

static void a_target_with_another_name_is_left(void) {
    use_mutual();
    lb_text_copy(peer.config.chap_target_name, sizeof peer.config.chap_target_name, TEXT("disk"));
    ask("7");
    prove_with(TARGET_SECRET, "disc", true);
    peer_check_failed(LB_E_AUTH_TARGET, "chap-target-name");
}

static void a_target_that_skips_its_proof_is_left(void) {
    use_mutual();
    ask("7");
    peer_answer_login(true, LB_LOGIN_STAGE_OPERATIONAL, lb_bytes(NULL, 0));
    peer_check_failed(LB_E_AUTH_TARGET, "CHAP_R");
}

static void none_is_not_offered_to_a_target_that_must_prove_itself(void) {
    use_mutual();
    peer_connect();
    CHECK(peer_take());
    CHECK(lb_text_is(value_of(LB_ISCSI_KEY_AUTH_METHOD), "CHAP"));
    say("AuthMethod=", "None");
    peer_check_failed(LB_E_REQUIRE_NOT_MET, "AuthMethod=None");
}

/* RFC 7143 12.1.3: the answer that we ourselves would give. */
static void a_proof_by_our_own_secret_is_a_reflection(void) {
    use_mutual();
    ask("7");
    prove_with(SECRET, "disk", true);
    peer_check_failed(LB_E_AUTH_REFLECTED, "our own secret");

    use_mutual(); /* also where somebody configured one secret for both */
    memcpy(peer.config.chap_target_secret, SECRET, sizeof SECRET - 1);
    peer.config.chap_target_secret_len = sizeof SECRET - 1;
    ask("7");
    prove_with(SECRET, "disk", true);
    peer_check_failed(LB_E_AUTH_REFLECTED, "our own secret");
}

/* The target lets us ask on one connection, and asks us the same on the next. */
static void our_own_question_is_not_answered(void) {
    char question[200];
    struct lb_text text = lb_text(question, sizeof question);
    use_mutual();
    ask("7");
    struct lb_chap_challenge ours = our_question();
    peer_refuse_login(LB_LOGIN_MOVED_TEMPORARILY, TEXT("TargetAddress=192.0.2.66\0"));
    CHECK_EQ(peer_poll().event, LB_INITIATOR_CONNECT);
    peer_accept();
    CHECK(peer_take());
    say("AuthMethod=", "CHAP");
    CHECK(peer_take());
    lb_text_add(&text, "CHAP_A=7\nCHAP_I=%u\nCHAP_C=", ours.id);
    lb_chap_format_hex(&text, lb_bytes(ours.data, ours.len));
    lb_text_add(&text, "\n");
    say(question, "");
    CHECK(!peer_take());
    peer_check_failed(LB_E_AUTH_REFLECTED, "CHAP_C");
}

/* tgt abd8e0d: questions must differ. */
static void our_questions_differ_from_login_to_login(void) {
    struct lb_chap_challenge first, second;
    use_mutual();
    ask("7");
    first = our_question();
    peer_refuse_login(LB_LOGIN_MOVED_TEMPORARILY, TEXT("TargetAddress=192.0.2.66\0"));
    CHECK_EQ(peer_poll().event, LB_INITIATOR_CONNECT);
    peer_accept();
    CHECK(peer_take());
    say("AuthMethod=", "CHAP");
    CHECK(peer_take());
    say("CHAP_A=7\nCHAP_I=42\nCHAP_C=", CHALLENGE);
    CHECK(peer_take());
    second = our_question();
    CHECK(memcmp(first.data, second.data, first.len) != 0);
}

/* CVE-2021-38575, second half: a response longer than the digest. */
static void proofs_of_a_wrong_length_are_refused(void) {
    char long_answer[2 + 2 * 64 + 1] = "0x";
    for (size_t i = 2; i < sizeof long_answer - 1; i++)
        long_answer[i] = 'a';
    use_mutual();
    ask("7");
    say("CHAP_N=disk\nCHAP_R=", long_answer);
    peer_check_failed(LB_E_AUTH_TARGET, "length");
    use_mutual();
    ask("7");
    say("CHAP_N=disk\nCHAP_R=", "0xdd53008e50bde0952280cb3e230c6046");
    peer_check_failed(LB_E_AUTH_TARGET, "length");
    use_mutual();
    ask("7");
    say("CHAP_N=disk\nCHAP_R=", "0x");
    peer_check_failed(LB_E_LOGIN_PROTOCOL, "CHAP_R");
}

static void a_name_over_255_bytes_ends_the_login(void) {
    char name[257];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = 0;
    use_mutual();
    ask("7");
    say("CHAP_R=0x00\nCHAP_N=", name);
    peer_check_failed(LB_E_LOGIN_PROTOCOL, "CHAP_N");
}

/* ---- secrets ---- */

static bool is_in(const void *where, size_t len, const char *what) {
    size_t n = lb_strlen(what);
    for (size_t i = 0; i + n <= len; i++)
        if (memcmp((const char *)where + i, what, n) == 0)
            return true;
    return false;
}

static void secrets_are_not_in_the_trace_and_are_wiped_at_the_end(void) {
    use_mutual();
    ask("7");
    prove_with(TARGET_SECRET, "disk", true);
    peer_log_in_with(TEXT(PEER_KEYS));
    CHECK(is_in(&peer.session, sizeof peer.session, SECRET)); /* recovery needs them */
    lb_initiator_logout(&peer.session, peer.now);
    lb_initiator_lost(&peer.session, peer.now, LB_LOST_CLOSED);
    CHECK_EQ(peer_poll().event, LB_INITIATOR_OUT);
    CHECK(!is_in(&peer.session, sizeof peer.session, SECRET));
    CHECK(!is_in(&peer.session, sizeof peer.session, TARGET_SECRET));
    CHECK(!is_in(peer.ring, sizeof peer.ring, SECRET));
    CHECK(!is_in(peer.ring, sizeof peer.ring, TARGET_SECRET));
    CHECK(is_in(peer.ring, sizeof peer.ring, "CHAP_R"));
}

int main(void) {
    TEST(our_answer_is_right_for_each_algorithm);
    TEST(algorithms_are_offered_as_configured);
    TEST(a_target_that_stays_in_the_stage_is_asked_again);
    TEST(a_challenge_in_base64_and_an_identifier_in_hex_are_read);
    TEST(a_challenge_of_1024_bytes_is_read);
    TEST(challenges_that_are_not_binary_values_end_the_login);
    TEST(identifiers_that_are_no_byte_end_the_login);
    TEST(a_question_without_all_its_keys_ends_the_login);
    TEST(an_algorithm_that_was_not_offered_ends_the_login);
    TEST(a_question_that_is_said_twice_is_one);
    TEST(a_question_that_contradicts_itself_ends_the_login);
    TEST(a_list_that_is_refused_is_followed_by_md5_alone);
    TEST(md5_is_proposed_once);
    TEST(md5_is_not_proposed_where_it_is_not_allowed);
    TEST(a_proof_that_is_refused_is_not_followed_by_another);
    TEST(a_wrong_secret_is_told_as_such);
    TEST(a_refusal_before_any_secret_is_about_the_algorithms);
    TEST(a_method_that_was_not_offered_ends_the_login);
    TEST(a_transition_that_was_not_asked_for_ends_the_login);
    TEST(number_7_is_left_out_when_the_target_means_something_else);
    TEST(another_number_is_not_left_out);
    TEST(none_is_taken_where_nothing_requires_chap);
    TEST(a_downgrade_to_none_is_refused_where_chap_is_required);
    TEST(a_target_that_proves_itself_is_let_through);
    TEST(a_proof_without_a_transition_is_enough);
    TEST(a_target_with_a_wrong_secret_is_left);
    TEST(a_target_with_another_name_is_left);
    TEST(a_target_that_skips_its_proof_is_left);
    TEST(none_is_not_offered_to_a_target_that_must_prove_itself);
    TEST(a_proof_by_our_own_secret_is_a_reflection);
    TEST(our_own_question_is_not_answered);
    TEST(our_questions_differ_from_login_to_login);
    TEST(proofs_of_a_wrong_length_are_refused);
    TEST(a_name_over_255_bytes_ends_the_login);
    TEST(secrets_are_not_in_the_trace_and_are_wiped_at_the_end);
    return tap_done();
}
