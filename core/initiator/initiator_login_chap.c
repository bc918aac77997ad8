/* The security stage (RFC 7143 12.1): AuthMethod, then CHAP one way or both.
 *
 * "None" is offered beside CHAP only where nothing says that CHAP is required: a secret for the
 * target is such a saying, because a target that may choose None need not prove anything. */
#include "core/initiator/initiator_session.h"

bool lb_initiator_wants_chap(const struct lb_initiator *session) {
    return session->config.chap_name[0] != 0;
}

bool lb_initiator_wants_mutual(const struct lb_initiator *session) {
    return lb_initiator_wants_chap(session) && session->config.chap_target_secret_len > 0;
}

static bool must_chap(const struct lb_initiator *session) {
    const struct lb_initiator_config *c = &session->config;
    return c->require_chap || c->require_mutual || lb_initiator_wants_mutual(session);
}

/* Targets that know MD5 alone, and refuse a list in which anything else stands first (Linux before
 * 3.15, Synology). MD5 is what every target must know (RFC 7143 12.1.3). No proof was given yet, so
 * nothing counts as a wrong one. False: there is no such list, or it was said already. */
bool lb_initiator_login_offer_md5(struct lb_initiator *session) {
    struct lb_chap_algs *algs = &session->algs;
    if (session->login.step != LB_LOGIN_CHAP_A || algs->count < 2)
        return false;
    for (size_t i = 0; i < algs->count; i++) {
        if (algs->alg[i].hash != LB_HASH_MD5)
            continue;
        algs->alg[0] = algs->alg[i];
        algs->count = 1;
        session->offers_md5_alone = true;
        return true;
    }
    return false;
}

/* tgt means SHA-1 by 7 and takes it first; it finds our answer too long and says "initiator error".
 * What is left of the list is tried once. */
bool lb_initiator_login_drop_alg(struct lb_initiator *session) {
    struct lb_chap_algs *algs = &session->algs;
    const struct lb_initiator_login *login = &session->login;
    if (login->step != LB_LOGIN_CHAP_R || login->alg.number != 7 ||
        login->alg.hash != LB_HASH_SHA256 || algs->count < 2)
        return false;
    size_t kept = 0;
    for (size_t i = 0; i < algs->count; i++)
        if (algs->alg[i].number != 7)
            algs->alg[kept++] = algs->alg[i];
    algs->count = kept;
    return true;
}

static struct lb_bytes our_secret(const struct lb_initiator *session) {
    return lb_bytes(session->config.chap_secret, session->config.chap_secret_len);
}

/* ---- what we say ---------------------------------------------------------------------------- */

void lb_initiator_login_put_auth(struct lb_initiator *session, struct lb_wr *wr) {
    const char *chap = must_chap(session) ? "CHAP" : "CHAP,None";
    lb_iscsi_put_text(wr, LB_ISCSI_KEY_AUTH_METHOD,
                      lb_initiator_wants_chap(session) ? chap : "None");
}

void lb_initiator_login_put_chap_a(struct lb_initiator *session, struct lb_wr *wr) {
    char list[2 * LB_CHAP_ALGS_MAX * 2];
    struct lb_text text = lb_text(list, sizeof list);
    lb_chap_format_algs(&text, &session->algs);
    lb_iscsi_put_text(wr, LB_ISCSI_KEY_CHAP_A, list);
}

static void put_binary(struct lb_wr *wr, enum lb_iscsi_key key, struct lb_bytes bytes) {
    char hex[2 + 2 * LB_CHAP_CHALLENGE_BYTES + 1];
    struct lb_text text = lb_text(hex, sizeof hex);
    _Static_assert((int)LB_HASH_MAX_BYTES <= (int)LB_CHAP_CHALLENGE_BYTES, "both fit");
    lb_chap_format_hex(&text, bytes);
    lb_iscsi_put_text(wr, key, hex);
}

void lb_initiator_login_put_chap_r(struct lb_initiator *session, struct lb_wr *wr) {
    struct lb_initiator_login *login = &session->login;
    struct lb_chap_response response;
    /* RFC 7143 9.2.1 says SHOULD NOT; whoever gave us the secret knows how long it is. */
    if (!lb_chap_secret_is_long_enough(our_secret(session)))
        lb_trace(session->trace, session->state_us, "iscsi",
                 "chap-secret is shorter than 12 bytes: fit for a protected network alone");
    lb_chap_respond(login->alg, our_secret(session), &login->received, &response);
    lb_iscsi_put_text(wr, LB_ISCSI_KEY_CHAP_N, session->config.chap_name);
    put_binary(wr, LB_ISCSI_KEY_CHAP_R, lb_bytes(response.data, response.len));
    lb_wipe(&response, sizeof response);
    if (!lb_initiator_wants_mutual(session))
        return;
    lb_chap_issue(&session->issued, session->rand, LB_CHAP_CHALLENGE_BYTES);
    lb_iscsi_put_number(wr, LB_ISCSI_KEY_CHAP_I, session->issued.id);
    put_binary(wr, LB_ISCSI_KEY_CHAP_C, lb_bytes(session->issued.data, session->issued.len));
}

/* ---- what the target says ------------------------------------------------------------------- */

static bool fail(struct lb_initiator *session, uint64_t now_us, enum lb_code code,
                 const char *what) {
    lb_initiator_break(session, now_us, code, "%s", what);
    return false;
}

static bool take_method(struct lb_initiator *session, uint64_t now_us, struct lb_bytes value) {
    struct lb_initiator_login *login = &session->login;
    if (lb_text_is(value, "None") && !must_chap(session))
        return true;
    if (lb_text_is(value, "None"))
        return fail(session, now_us, LB_E_REQUIRE_NOT_MET,
                    "AuthMethod=None, where CHAP is required");
    if (!lb_initiator_wants_chap(session))
        return fail(session, now_us, LB_E_AUTH_NEEDED, "AuthMethod=None was not accepted");
    if (lb_iscsi_is_refusal(value))
        return fail(session, now_us, LB_E_AUTH_METHOD, "the target does not do CHAP");
    if (!lb_text_is(value, "CHAP"))
        return fail(session, now_us, LB_E_LOGIN_PROTOCOL, "an AuthMethod that was not offered");
    login->chap = true;
    return true;
}

static bool take_alg(struct lb_initiator *session, uint64_t now_us, struct lb_bytes value) {
    struct lb_initiator_login *login = &session->login;
    char offered[2 * LB_CHAP_ALGS_MAX * 2], answer[32];
    struct lb_text offered_text = lb_text(offered, sizeof offered);
    struct lb_text answer_text = lb_text(answer, sizeof answer);
    login->has_alg = lb_chap_accept_alg(&session->algs, value, &login->alg);
    if (login->has_alg)
        return true;
    if (lb_iscsi_is_refusal(value) && lb_initiator_login_offer_md5(session)) {
        lb_trace(session->trace, now_us, "iscsi", "CHAP_A refused: again, with MD5 alone");
        lb_initiator_again(session, now_us);
        return false;
    }
    lb_chap_format_algs(&offered_text, &session->algs);
    lb_text_untrusted(&answer_text, value);
    lb_initiator_break(session, now_us, LB_E_AUTH_METHOD, "CHAP_A=%s, where %s was offered", answer,
                       offered);
    return false;
}

static bool binary_is_right(struct lb_initiator *session, uint64_t now_us, const char *key,
                            enum lb_chap_binary result) {
    if (result == LB_CHAP_BINARY_OK)
        return true;
    lb_initiator_break(session, now_us, LB_E_LOGIN_PROTOCOL, "%s %s", key,
                       lb_chap_binary_explain(result));
    return false;
}

static bool take_challenge(struct lb_initiator *session, uint64_t now_us, struct lb_bytes value) {
    struct lb_chap_challenge *received = &session->login.received;
    size_t len = 0;
    enum lb_chap_binary result =
        lb_chap_parse_binary(value, lb_span(received->data, sizeof received->data), &len);
    if (!binary_is_right(session, now_us, "CHAP_C", result))
        return false;
    received->len = (uint16_t)len;
    session->login.has_challenge = true;
    /* RFC 7143 12.1.3: whoever gives us our own question wants our answer to it. */
    if (session->issued.len > 0 && lb_chap_is_reflected(received, &session->issued))
        return fail(session, now_us, LB_E_AUTH_REFLECTED, "CHAP_C is the challenge that we sent");
    return true;
}

static bool take_response(struct lb_initiator *session, uint64_t now_us, struct lb_bytes value) {
    struct lb_initiator_login *login = &session->login;
    enum lb_chap_binary result = lb_chap_parse_binary(
        value, lb_span(login->response, sizeof login->response), &login->response_len);
    login->has_response = true;
    return binary_is_right(session, now_us, "CHAP_R", result);
}

static bool challenge_is_same(const struct lb_initiator *session, struct lb_bytes value) {
    const struct lb_chap_challenge *received = &session->login.received;
    uint8_t room[LB_CHAP_BINARY_MAX];
    size_t len = 0;
    return lb_chap_parse_binary(value, lb_span(room, sizeof room), &len) == LB_CHAP_BINARY_OK &&
           len == received->len && memcmp(room, received->data, len) == 0;
}

static bool response_is_same(const struct lb_initiator *session, struct lb_bytes value) {
    const struct lb_initiator_login *login = &session->login;
    uint8_t room[LB_CHAP_BINARY_MAX];
    size_t len = 0;
    return lb_chap_parse_binary(value, lb_span(room, sizeof room), &len) == LB_CHAP_BINARY_OK &&
           len == login->response_len && memcmp(room, login->response, len) == 0;
}

/* A key that comes once more. */
static bool is_same(const struct lb_initiator *session, const struct lb_iscsi_pair *pair) {
    const struct lb_initiator_login *login = &session->login;
    struct lb_chap_alg alg;
    uint8_t id;
    if (pair->key == LB_ISCSI_KEY_AUTH_METHOD)
        return lb_text_is(pair->value, login->chap ? "CHAP" : "None");
    if (pair->key == LB_ISCSI_KEY_CHAP_A)
        return login->has_alg && lb_chap_accept_alg(&session->algs, pair->value, &alg) &&
               alg.number == login->alg.number;
    if (pair->key == LB_ISCSI_KEY_CHAP_I)
        return login->has_id && lb_chap_parse_id(pair->value, &id) && id == login->received.id;
    if (pair->key == LB_ISCSI_KEY_CHAP_C)
        return login->has_challenge && challenge_is_same(session, pair->value);
    if (pair->key == LB_ISCSI_KEY_CHAP_R)
        return login->has_response && response_is_same(session, pair->value);
    return lb_text_is(pair->value, login->target_name);
}

static bool is_expected(const struct lb_initiator *session, enum lb_iscsi_key key) {
    enum lb_login_step step = session->login.step;
    if (session->login.csg != LB_LOGIN_STAGE_SECURITY)
        return false;
    if (key == LB_ISCSI_KEY_AUTH_METHOD)
        return step == LB_LOGIN_NAMES;
    if (key == LB_ISCSI_KEY_CHAP_A || key == LB_ISCSI_KEY_CHAP_I || key == LB_ISCSI_KEY_CHAP_C)
        return step == LB_LOGIN_CHAP_A;
    return lb_initiator_wants_mutual(session) &&
           (step == LB_LOGIN_CHAP_R || step == LB_LOGIN_AGREE);
}

bool lb_initiator_login_take_auth(struct lb_initiator *session, uint64_t now_us,
                                  const struct lb_iscsi_pair *pair, bool again) {
    struct lb_initiator_login *login = &session->login;
    bool is_none = pair->key == LB_ISCSI_KEY_AUTH_METHOD && lb_text_is(pair->value, "None");
    if (is_none && login->csg != LB_LOGIN_STAGE_SECURITY)
        return true; /* what the stage means anyway */
    if (again && is_same(session, pair))
        return true;
    if (again || !is_expected(session, pair->key)) {
        lb_initiator_break(session, now_us, LB_E_LOGIN_PROTOCOL,
                           again ? "%s comes a second time, with another value"
                                 : "%s where it has no place",
                           lb_iscsi_key_name(pair->key));
        return false;
    }
    if (pair->key == LB_ISCSI_KEY_AUTH_METHOD)
        return take_method(session, now_us, pair->value);
    if (pair->key == LB_ISCSI_KEY_CHAP_A)
        return take_alg(session, now_us, pair->value);
    if (pair->key == LB_ISCSI_KEY_CHAP_C)
        return take_challenge(session, now_us, pair->value);
    if (pair->key == LB_ISCSI_KEY_CHAP_R)
        return take_response(session, now_us, pair->value);
    if (pair->key == LB_ISCSI_KEY_CHAP_I) {
        login->has_id = lb_chap_parse_id(pair->value, &login->received.id);
        return login->has_id ||
               fail(session, now_us, LB_E_LOGIN_PROTOCOL, "CHAP_I is not a number from 0 to 255");
    }
    return lb_text_copy(login->target_name, sizeof login->target_name, pair->value) ||
           fail(session, now_us, LB_E_LOGIN_PROTOCOL, "CHAP_N is longer than 255 bytes");
}

/* ---- the judgement -------------------------------------------------------------------------- */

static bool verify(struct lb_initiator *session, uint64_t now_us) {
    const struct lb_initiator_config *c = &session->config;
    struct lb_initiator_login *login = &session->login;
    struct lb_bytes peer = lb_bytes(c->chap_target_secret, c->chap_target_secret_len);
    if (c->chap_target_name[0] != 0 && !lb_streq(c->chap_target_name, login->target_name))
        return fail(session, now_us, LB_E_AUTH_TARGET,
                    "it gives another name than chap-target-name");
    switch (lb_chap_verify(login->alg, peer, our_secret(session), &session->issued,
                           lb_bytes(login->response, login->response_len))) {
    case LB_CHAP_GOOD:
        login->target_proved = true;
        return true;
    case LB_CHAP_WRONG:
        return fail(session, now_us, LB_E_AUTH_TARGET,
                    "its answer is not made with chap-target-secret");
    case LB_CHAP_WRONG_LENGTH:
        return fail(session, now_us, LB_E_AUTH_TARGET,
                    "its answer has not the length of the algorithm that was agreed on");
    case LB_CHAP_REFLECTED:
        break;
    }
    return fail(session, now_us, LB_E_AUTH_REFLECTED, "its answer is made with our own secret");
}

static bool judge_proof(struct lb_initiator *session, uint64_t now_us, bool transition) {
    struct lb_initiator_login *login = &session->login;
    if (!login->chap || !lb_initiator_wants_mutual(session) || login->target_proved)
        return true;
    if (login->has_response)
        return verify(session, now_us);
    return !transition || fail(session, now_us, LB_E_AUTH_TARGET, "it gave no answer (CHAP_R)");
}

bool lb_initiator_login_judge(struct lb_initiator *session, uint64_t now_us, bool transition,
                              enum lb_login_step *next) {
    const struct lb_initiator_login *login = &session->login;
    *next = LB_LOGIN_AGREE;
    switch (login->step) {
    case LB_LOGIN_NAMES:
        if (login->chap)
            *next = LB_LOGIN_CHAP_A;
        else if (must_chap(session))
            return fail(session, now_us, LB_E_REQUIRE_NOT_MET, "no answer to AuthMethod=CHAP");
        return true;
    case LB_LOGIN_CHAP_A:
        *next = LB_LOGIN_CHAP_R;
        if (!login->has_alg && !login->has_id && !login->has_challenge &&
            lb_initiator_login_offer_md5(session)) {
            lb_trace(session->trace, now_us, "iscsi", "no CHAP_A: again, with MD5 alone");
            lb_initiator_again(session, now_us);
            return false;
        }
        return (login->has_alg && login->has_id && login->has_challenge) ||
               fail(session, now_us, LB_E_LOGIN_PROTOCOL,
                    "the target chose CHAP and does not send CHAP_A, CHAP_I and CHAP_C");
    case LB_LOGIN_CHAP_R:
    case LB_LOGIN_AGREE:
        return judge_proof(session, now_us, transition);
    case LB_LOGIN_KEYS:
        break;
    }
    return true;
}
