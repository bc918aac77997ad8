/* What we offer in the operational stage and what we accept as its answer (RFC 7143 13).
 *
 * Every key is stated, also where it has its default: there are targets that take a missing key for
 * something else. Of the answers, what bounds us is taken strictly; what no boot client needs
 * (number of connections, Time2Retain) is not looked at. */
#include "core/iscsi/iscsi_session.h"

enum {
    OFFER_MAX_BURST = 16776192, /* one R2T for nearly every write; the target's value decides */
    OFFER_FIRST_BURST = 262144,
    OFFER_OUTSTANDING_R2T = 1,
    MIN_SEGMENT = 512, /* 13.12, 13.13, 13.14 */
    MAX_SEGMENT = (1 << 24) - 1,
    DEFAULT_MAX_BURST = 262144,  /* 13.13 */
    DEFAULT_FIRST_BURST = 65536, /* 13.14 */
    DEFAULT_TIME2WAIT = 2,       /* 13.15 */
};

static bool is_discovery(const struct lb_iscsi *session) {
    return session->config.target[0] == 0;
}

void lb_iscsi_login_put_names(struct lb_iscsi *session, struct lb_wr *wr) {
    if (session->login.names_sent)
        return;
    session->login.names_sent = true;
    lb_iscsi_put_text(wr, LB_ISCSI_KEY_INITIATOR_NAME, session->config.initiator);
    if (!is_discovery(session))
        lb_iscsi_put_text(wr, LB_ISCSI_KEY_TARGET_NAME, session->config.target);
    lb_iscsi_put_text(wr, LB_ISCSI_KEY_SESSION_TYPE,
                      is_discovery(session) ? "Discovery" : "Normal");
}

static const char *digest_offer(enum lb_digest_want want) {
    switch (want) {
    case LB_DIGEST_NONE:
        break;
    case LB_DIGEST_PREFER:
        return "CRC32C,None";
    case LB_DIGEST_CRC32C:
        return "CRC32C";
    }
    return "None";
}

void lb_iscsi_login_put_keys(struct lb_iscsi *session, struct lb_wr *wr) {
    const struct lb_iscsi_config *c = &session->config;
    lb_iscsi_put_text(wr, LB_ISCSI_KEY_HEADER_DIGEST, digest_offer(c->header_digest));
    lb_iscsi_put_text(wr, LB_ISCSI_KEY_DATA_DIGEST, digest_offer(c->data_digest));
    lb_iscsi_put_number(wr, LB_ISCSI_KEY_MAX_RECV_DATA_SEGMENT_LENGTH, c->max_recv_data);
    lb_iscsi_put_number(wr, LB_ISCSI_KEY_DEFAULT_TIME2WAIT,
                        0); /* the larger one counts: the target's */
    lb_iscsi_put_number(wr, LB_ISCSI_KEY_DEFAULT_TIME2RETAIN, 0);
    lb_iscsi_put_number(wr, LB_ISCSI_KEY_ERROR_RECOVERY_LEVEL, 0);
    /* 13: of no meaning in a discovery session. */
    if (is_discovery(session))
        return;
    lb_iscsi_put_bool(wr, LB_ISCSI_KEY_INITIAL_R2T, false);
    lb_iscsi_put_bool(wr, LB_ISCSI_KEY_IMMEDIATE_DATA, true);
    lb_iscsi_put_number(wr, LB_ISCSI_KEY_MAX_BURST_LENGTH, OFFER_MAX_BURST);
    lb_iscsi_put_number(wr, LB_ISCSI_KEY_FIRST_BURST_LENGTH, OFFER_FIRST_BURST);
    lb_iscsi_put_number(wr, LB_ISCSI_KEY_MAX_OUTSTANDING_R2T, OFFER_OUTSTANDING_R2T);
    lb_iscsi_put_number(wr, LB_ISCSI_KEY_MAX_CONNECTIONS, 1);
    lb_iscsi_put_bool(wr, LB_ISCSI_KEY_DATA_PDU_IN_ORDER, true);
    lb_iscsi_put_bool(wr, LB_ISCSI_KEY_DATA_SEQUENCE_IN_ORDER, true);
}

/* ---- answers ----------------------------------------------------------------------------------
 */

static bool wrong(struct lb_iscsi *session, uint64_t now_us, const struct lb_iscsi_pair *pair,
                  const char *why) {
    char name[80], value[80];
    struct lb_text name_text = lb_text(name, sizeof name);
    struct lb_text value_text = lb_text(value, sizeof value);
    lb_text_untrusted(&name_text, pair->name);
    lb_text_untrusted(&value_text, pair->value);
    lb_iscsi_break(session, now_us, LB_E_LOGIN_PROTOCOL, "\"%s=%s\" %s", name, value, why);
    return false;
}

static bool take_number(struct lb_iscsi *session, uint64_t now_us, const struct lb_iscsi_pair *pair,
                        uint32_t min, uint32_t max, uint32_t *out) {
    uint64_t number;
    if (!lb_iscsi_parse_number(pair->value, min, max, &number))
        return wrong(session, now_us, pair, "is not within what was offered");
    *out = (uint32_t)number;
    return true;
}

static bool take_bool(struct lb_iscsi *session, uint64_t now_us, const struct lb_iscsi_pair *pair,
                      bool *out) {
    if (!lb_iscsi_parse_bool(pair->value, out))
        return wrong(session, now_us, pair, "is neither Yes nor No");
    return true;
}

/* DataPDUInOrder, DataSequenceInOrder: the result is Yes when one side says so (13.18, 13.19). */
static bool take_in_order(struct lb_iscsi *session, uint64_t now_us,
                          const struct lb_iscsi_pair *pair) {
    bool yes = false;
    if (!take_bool(session, now_us, pair, &yes))
        return false;
    return yes || wrong(session, now_us, pair, "although we said Yes");
}

static bool take_digest(struct lb_iscsi *session, uint64_t now_us, const struct lb_iscsi_pair *pair,
                        enum lb_digest_want want, bool *on) {
    bool crc = lb_text_is(pair->value, "CRC32C"), none = lb_text_is(pair->value, "None");
    if ((!crc && !none) || (crc && want == LB_DIGEST_NONE))
        return wrong(session, now_us, pair, "was not offered");
    *on = crc;
    return true;
}

/* 13.9: two bytes. */
static bool take_tpgt(struct lb_iscsi *session, uint64_t now_us, const struct lb_iscsi_pair *pair) {
    uint32_t tpgt = 0;
    if (!take_number(session, now_us, pair, 0, UINT16_MAX, &tpgt))
        return false;
    session->agreed.tpgt = (uint16_t)tpgt;
    if (session->config.expected_tpgt != 0 && tpgt != (uint32_t)(session->config.expected_tpgt - 1))
        return wrong(session, now_us, pair, "is not the portal group that was expected");
    return true;
}

static void reply(struct lb_iscsi *session, struct lb_bytes name, const char *value) {
    struct lb_iscsi_login *login = &session->login;
    size_t left = sizeof login->replies - login->replies_len;
    struct lb_wr wr = lb_wr(lb_span(login->replies + login->replies_len, left));
    lb_iscsi_put_named(&wr, name, value);
    login->replies_len += lb_wr_done(&wr).len; /* 0 when it does not fit */
}

/* Keys that we do not offer: the target's own, to be answered (6.2). */
static bool take_foreign(struct lb_iscsi *session, const struct lb_iscsi_pair *pair) {
    if (lb_iscsi_is_refusal(pair->value))
        return true;
    if (pair->key == LB_ISCSI_KEY_UNKNOWN)
        reply(session, pair->name, "NotUnderstood");
    else if (pair->key == LB_ISCSI_KEY_IF_MARKER || pair->key == LB_ISCSI_KEY_OF_MARKER)
        reply(session, pair->name, "No");
    else if (pair->key == LB_ISCSI_KEY_IF_MARK_INT || pair->key == LB_ISCSI_KEY_OF_MARK_INT)
        reply(session, pair->name, "Reject");
    else if (pair->key == LB_ISCSI_KEY_TASK_REPORTING)
        reply(session, pair->name,
              lb_iscsi_list_has(pair->value, "RFC3720") ? "RFC3720" : "Reject");
    else if (pair->key == LB_ISCSI_KEY_ISCSI_PROTOCOL_LEVEL)
        reply(session, pair->name, lb_text_is(pair->value, "0") ? "0" : "1");
    return true; /* the others are declarations: TargetName, NodeArchitecture */
}

static bool take_key(struct lb_iscsi *session, uint64_t now_us, const struct lb_iscsi_pair *pair) {
    struct lb_iscsi_agreed *a = &session->agreed;
    const struct lb_iscsi_config *c = &session->config;
    uint32_t unused = 0;
    switch (pair->key) {
    case LB_ISCSI_KEY_HEADER_DIGEST:
        return take_digest(session, now_us, pair, c->header_digest, &a->header_digest);
    case LB_ISCSI_KEY_DATA_DIGEST:
        return take_digest(session, now_us, pair, c->data_digest, &a->data_digest);
    case LB_ISCSI_KEY_INITIAL_R2T:
        return take_bool(session, now_us, pair, &a->initial_r2t);
    case LB_ISCSI_KEY_IMMEDIATE_DATA:
        return take_bool(session, now_us, pair, &a->immediate_data);
    case LB_ISCSI_KEY_MAX_RECV_DATA_SEGMENT_LENGTH:
        return take_number(session, now_us, pair, MIN_SEGMENT, MAX_SEGMENT, &a->max_send_data);
    case LB_ISCSI_KEY_MAX_BURST_LENGTH:
        return take_number(session, now_us, pair, MIN_SEGMENT, OFFER_MAX_BURST, &a->max_burst);
    case LB_ISCSI_KEY_FIRST_BURST_LENGTH:
        return take_number(session, now_us, pair, MIN_SEGMENT, OFFER_FIRST_BURST, &a->first_burst);
    case LB_ISCSI_KEY_MAX_OUTSTANDING_R2T:
        return take_number(session, now_us, pair, 1, OFFER_OUTSTANDING_R2T,
                           &a->max_outstanding_r2t);
    case LB_ISCSI_KEY_DEFAULT_TIME2WAIT:
        return take_number(session, now_us, pair, 0, 3600, &a->time2wait_s);
    case LB_ISCSI_KEY_DEFAULT_TIME2RETAIN:
        return take_number(session, now_us, pair, 0, 3600, &a->time2retain_s);
    case LB_ISCSI_KEY_ERROR_RECOVERY_LEVEL:
        return take_number(session, now_us, pair, 0, 0, &unused);
    case LB_ISCSI_KEY_DATA_PDU_IN_ORDER:
    case LB_ISCSI_KEY_DATA_SEQUENCE_IN_ORDER:
        return take_in_order(session, now_us, pair);
    case LB_ISCSI_KEY_TARGET_PORTAL_GROUP_TAG:
        return take_tpgt(session, now_us, pair);
    case LB_ISCSI_KEY_TARGET_ALIAS:
        if (lb_utf8_is_valid(pair->value))
            lb_text_copy(a->target_alias, sizeof a->target_alias, pair->value);
        return true;
    case LB_ISCSI_KEY_MAX_CONNECTIONS:
    case LB_ISCSI_KEY_INITIATOR_NAME:
    case LB_ISCSI_KEY_INITIATOR_ALIAS:
    case LB_ISCSI_KEY_TARGET_NAME:
    case LB_ISCSI_KEY_TARGET_ADDRESS:
    case LB_ISCSI_KEY_SESSION_TYPE:
    case LB_ISCSI_KEY_SEND_TARGETS:
        return true;
    case LB_ISCSI_KEY_AUTH_METHOD:
    case LB_ISCSI_KEY_CHAP_A:
    case LB_ISCSI_KEY_CHAP_I:
    case LB_ISCSI_KEY_CHAP_C:
    case LB_ISCSI_KEY_CHAP_N:
    case LB_ISCSI_KEY_CHAP_R:
        return lb_iscsi_login_take_auth(session, now_us, pair);
    case LB_ISCSI_KEY_UNKNOWN:
    case LB_ISCSI_KEY_TASK_REPORTING:
    case LB_ISCSI_KEY_ISCSI_PROTOCOL_LEVEL:
    case LB_ISCSI_KEY_NODE_ARCHITECTURE:
    case LB_ISCSI_KEY_IF_MARKER:
    case LB_ISCSI_KEY_OF_MARKER:
    case LB_ISCSI_KEY_IF_MARK_INT:
    case LB_ISCSI_KEY_OF_MARK_INT:
    case LB_ISCSI_KEY_COUNT:
        break;
    }
    return take_foreign(session, pair);
}

/* Declarations may come once more in the next stage. */
static bool may_repeat(enum lb_iscsi_key key) {
    return key == LB_ISCSI_KEY_UNKNOWN || key == LB_ISCSI_KEY_TARGET_ADDRESS ||
           key == LB_ISCSI_KEY_TARGET_ALIAS || key == LB_ISCSI_KEY_TARGET_NAME ||
           key == LB_ISCSI_KEY_TARGET_PORTAL_GROUP_TAG ||
           key == LB_ISCSI_KEY_MAX_RECV_DATA_SEGMENT_LENGTH ||
           key == LB_ISCSI_KEY_NODE_ARCHITECTURE;
}

static bool is_auth(enum lb_iscsi_key key) {
    return key == LB_ISCSI_KEY_AUTH_METHOD || key == LB_ISCSI_KEY_CHAP_A ||
           key == LB_ISCSI_KEY_CHAP_I || key == LB_ISCSI_KEY_CHAP_C || key == LB_ISCSI_KEY_CHAP_N ||
           key == LB_ISCSI_KEY_CHAP_R;
}

bool lb_iscsi_login_take(struct lb_iscsi *session, uint64_t now_us,
                         const struct lb_iscsi_pair *pair) {
    struct lb_iscsi_login *login = &session->login;
    uint64_t bit = UINT64_C(1) << pair->key;
    if (pair->problem != LB_PAIR_OK)
        return wrong(session, now_us, pair, lb_iscsi_pair_explain(pair->problem));
    /* 6.2: no key is negotiated twice. */
    if ((login->answered & bit) != 0 && !may_repeat(pair->key))
        return wrong(session, now_us, pair, "comes a second time");
    login->answered |= bit;
    if (pair->key == LB_ISCSI_KEY_UNKNOWN || is_auth(pair->key) ||
        !lb_iscsi_is_refusal(pair->value))
        return take_key(session, now_us, pair);
    /* 6.2: the keys of the RFC are understood by everybody. */
    if (lb_text_is(pair->value, "NotUnderstood"))
        return wrong(session, now_us, pair, "answers a key that every target must know");
    login->answered &= ~bit; /* Reject, Irrelevant: as if it had not been offered */
    return true;
}

static bool settle_digest(struct lb_iscsi *session, uint64_t now_us, const char *key,
                          enum lb_digest_want want, bool on) {
    if (on || want != LB_DIGEST_CRC32C)
        return true;
    lb_iscsi_break(session, now_us, LB_E_REQUIRE_NOT_MET, "the target does not agree to %s=CRC32C",
                   key);
    return false;
}

/* 6.2: a key without an answer has its default; ImmediateData is not used unless it was agreed. */
static void settle_defaults(struct lb_iscsi_agreed *a, uint64_t answered) {
    if ((answered & UINT64_C(1) << LB_ISCSI_KEY_INITIAL_R2T) == 0)
        a->initial_r2t = true;
    if ((answered & UINT64_C(1) << LB_ISCSI_KEY_DEFAULT_TIME2WAIT) == 0)
        a->time2wait_s = DEFAULT_TIME2WAIT;
    a->max_send_data = lb_iscsi_or(a->max_send_data, LB_STREAM_LOGIN_DATA);
    a->max_burst = lb_iscsi_or(a->max_burst, DEFAULT_MAX_BURST);
    a->first_burst = lb_iscsi_or(a->first_burst, DEFAULT_FIRST_BURST);
    a->first_burst = LB_MIN(a->first_burst, a->max_burst);
    a->max_outstanding_r2t = lb_iscsi_or(a->max_outstanding_r2t, 1);
}

bool lb_iscsi_login_settle(struct lb_iscsi *session, uint64_t now_us) {
    const struct lb_iscsi_config *c = &session->config;
    struct lb_iscsi_agreed *a = &session->agreed;
    settle_defaults(a, session->login.answered);
    a->chap = session->login.chap;
    a->mutual = session->login.target_proved;
    a->chap_alg = a->chap ? session->login.alg.hash : LB_HASH_NONE;
    if ((c->require_chap && !a->chap) || (c->require_mutual && !a->mutual)) {
        lb_iscsi_break(session, now_us, LB_E_REQUIRE_NOT_MET, "the target lets us in without %s",
                       c->require_mutual ? "mutual CHAP" : "CHAP");
        return false;
    }
    return settle_digest(session, now_us, "HeaderDigest", c->header_digest, a->header_digest) &&
           settle_digest(session, now_us, "DataDigest", c->data_digest, a->data_digest);
}
