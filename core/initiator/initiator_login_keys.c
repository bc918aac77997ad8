/* What we offer in the operational stage, and what holds in the end (RFC 7143 13).
 *
 * Every key is stated, also where it has its default: there are targets that take a missing key for
 * something else. */
#include "core/initiator/initiator_session.h"

static bool is_discovery(const struct lb_initiator *session) {
    return session->config.target[0] == 0;
}

void lb_initiator_login_put_names(struct lb_initiator *session, struct lb_wr *wr) {
    if (session->login.names_sent)
        return;
    session->login.names_sent = true;
    lb_iscsi_put_text(wr, LB_ISCSI_KEY_INITIATOR_NAME, session->config.initiator);
    if (!is_discovery(session))
        lb_iscsi_put_text(wr, LB_ISCSI_KEY_TARGET_NAME, session->config.target);
    lb_iscsi_put_text(wr, LB_ISCSI_KEY_SESSION_TYPE,
                      is_discovery(session) ? "Discovery" : "Normal");
}

static const char *digest_offer(const struct lb_initiator *session, enum lb_digest_want want) {
    switch (want) {
    case LB_DIGEST_NONE:
        return session->offers_digests ? "CRC32C,None" : "None";
    case LB_DIGEST_PREFER:
        return "CRC32C,None";
    case LB_DIGEST_CRC32C:
        return "CRC32C";
    }
    return "None";
}

void lb_initiator_login_put_keys(struct lb_initiator *session, struct lb_wr *wr) {
    const struct lb_initiator_config *c = &session->config;
    lb_iscsi_put_text(wr, LB_ISCSI_KEY_HEADER_DIGEST, digest_offer(session, c->header_digest));
    lb_iscsi_put_text(wr, LB_ISCSI_KEY_DATA_DIGEST, digest_offer(session, c->data_digest));
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
    lb_iscsi_put_number(wr, LB_ISCSI_KEY_MAX_BURST_LENGTH, LB_INITIATOR_OFFER_MAX_BURST);
    lb_iscsi_put_number(wr, LB_ISCSI_KEY_FIRST_BURST_LENGTH, LB_INITIATOR_OFFER_FIRST_BURST);
    lb_iscsi_put_number(wr, LB_ISCSI_KEY_MAX_OUTSTANDING_R2T, LB_INITIATOR_OFFER_OUTSTANDING_R2T);
    lb_iscsi_put_number(wr, LB_ISCSI_KEY_MAX_CONNECTIONS, 1);
    lb_iscsi_put_bool(wr, LB_ISCSI_KEY_DATA_PDU_IN_ORDER, true);
    lb_iscsi_put_bool(wr, LB_ISCSI_KEY_DATA_SEQUENCE_IN_ORDER, true);
}

/* ---- the end -------------------------------------------------------------------------------- */

static bool settle_digest(struct lb_initiator *session, uint64_t now_us, const char *key,
                          enum lb_digest_want want, bool on) {
    if (on || want != LB_DIGEST_CRC32C)
        return true;
    lb_initiator_break(session, now_us, LB_E_REQUIRE_NOT_MET,
                       "the target does not agree to %s=CRC32C", key);
    return false;
}

/* 6.2: a key without an answer has its default; ImmediateData is not used unless it was agreed. */
static void settle_defaults(struct lb_initiator_agreed *a, const struct lb_initiator_login *login) {
    uint64_t answered = login->answered;
    if ((answered & UINT64_C(1) << LB_ISCSI_KEY_INITIAL_R2T) == 0)
        a->initial_r2t = true;
    if (login->no_unsolicited) {
        a->initial_r2t = true;
        a->immediate_data = false;
    }
    if ((answered & UINT64_C(1) << LB_ISCSI_KEY_DEFAULT_TIME2WAIT) == 0)
        a->time2wait_s = LB_INITIATOR_DEFAULT_TIME2WAIT;
    a->max_send_data = lb_initiator_or(a->max_send_data, LB_STREAM_LOGIN_DATA);
    a->max_burst = lb_initiator_or(a->max_burst, LB_INITIATOR_DEFAULT_MAX_BURST);
    a->first_burst = lb_initiator_or(a->first_burst, LB_INITIATOR_DEFAULT_FIRST_BURST);
    a->first_burst = LB_MIN(a->first_burst, a->max_burst);
    a->max_outstanding_r2t = lb_initiator_or(a->max_outstanding_r2t, 1);
}

/* What cost a login more each time: the configuration can say it at once. */
static void warn_of_second_proposals(struct lb_initiator *session, uint64_t now_us) {
    const struct lb_initiator_agreed *a = &session->agreed;
    if (session->offers_digests && (a->header_digest || a->data_digest))
        lb_initiator_login_warn(session, now_us,
                                "the target insists on digests: header-digest=prefer and "
                                "data-digest=prefer save a login");
    if (session->offers_md5_alone)
        lb_initiator_login_warn(
            session, now_us,
            "the target takes CHAP with MD5 alone: chap-algorithms=md5 saves a login");
}

bool lb_initiator_login_settle(struct lb_initiator *session, uint64_t now_us) {
    const struct lb_initiator_config *c = &session->config;
    struct lb_initiator_agreed *a = &session->agreed;
    settle_defaults(a, &session->login);
    a->chap = session->login.chap;
    a->mutual = session->login.target_proved;
    a->chap_alg = a->chap ? session->login.alg.hash : LB_HASH_NONE;
    if ((c->require_chap && !a->chap) || (c->require_mutual && !a->mutual)) {
        lb_initiator_break(session, now_us, LB_E_REQUIRE_NOT_MET,
                           "the target lets us in without %s",
                           c->require_mutual ? "mutual CHAP" : "CHAP");
        return false;
    }
    if (!settle_digest(session, now_us, "HeaderDigest", c->header_digest, a->header_digest) ||
        !settle_digest(session, now_us, "DataDigest", c->data_digest, a->data_digest))
        return false;
    warn_of_second_proposals(session, now_us);
    return true;
}
