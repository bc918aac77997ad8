/* What we accept as the target's answers in a login (RFC 7143 6.2, 13).
 *
 * Three kinds of answers that break the rules:
 *
 *   what nothing depends on   the meaning is clear, or the default or the smaller number is safe
 * for both sides: taken, with a warning what protects something   digests, authentication, order of
 * data, the error recovery level, and MaxRecvDataSegmentLength without a number: the login ends
 *   digests that are refused  offered again, see insist()
 *
 * libiscsi, iPXE and open-iscsi log in where there is a warning here. */
#include "core/initiator/initiator_session.h"

enum {
    SEGMENT_MAX = (1 << 24) - 1, /* 13.12, 13.13, 13.14 */
    SEGMENT_MIN = 512,
    SECONDS_MAX = 3600, /* 13.15, 13.16 */
};

/* ---- words ---------------------------------------------------------------------------------- */

static void show_pair(char *line, size_t cap, const struct lb_iscsi_pair *pair) {
    struct lb_text text = lb_text(line, cap);
    lb_text_untrusted(&text, pair->name);
    if (pair->problem != LB_PAIR_NO_EQUALS)
        lb_text_add(&text, "=");
    lb_text_untrusted(&text, pair->value);
}

static bool wrong(struct lb_initiator *session, uint64_t now_us, const struct lb_iscsi_pair *pair,
                  const char *why) {
    char shown[160];
    show_pair(shown, sizeof shown, pair);
    lb_initiator_break(session, now_us, LB_E_LOGIN_PROTOCOL, "\"%s\" %s", shown, why);
    return false;
}

void lb_initiator_login_warn(struct lb_initiator *session, uint64_t now_us, const char *format,
                             ...) {
    char line[LB_INITIATOR_WARNING_MAX];
    struct lb_text text = lb_text(line, sizeof line);
    va_list arguments;
    va_start(arguments, format);
    lb_text_addv(&text, format, arguments);
    va_end(arguments);
    lb_trace(session->trace, now_us, "iscsi", "warning: %s", line);
    if (session->warning_count < LB_INITIATOR_WARNINGS_MAX)
        memcpy(session->warnings[session->warning_count++], line, sizeof line);
}

/* A line for each key. */
static void warn(struct lb_initiator *session, uint64_t now_us, const struct lb_iscsi_pair *pair,
                 const char *what) {
    uint64_t bit = UINT64_C(1) << pair->key;
    char shown[80];
    if (pair->key != LB_ISCSI_KEY_UNKNOWN && (session->login.warned & bit) != 0)
        return;
    session->login.warned |= bit;
    show_pair(shown, sizeof shown, pair);
    lb_initiator_login_warn(session, now_us, "the target's \"%s\" %s", shown, what);
}

static void warn_number(struct lb_initiator *session, uint64_t now_us,
                        const struct lb_iscsi_pair *pair, uint32_t counts) {
    char what[60];
    lb_format(what, sizeof what, "is not what the RFC allows: %u counts", counts);
    warn(session, now_us, pair, what);
}

/* ---- numbers -------------------------------------------------------------------------------- */

struct number_rule {
    uint32_t min, max; /* what the RFC allows as an answer to our offer */
    uint32_t none;     /* what counts when the target's word is no number, or 0 where 0 is none */
    bool is_larger;    /* of two answers the larger counts, not the smaller */
};

/* A number below the minimum is respected as it is: it costs speed, and nothing else. */
static uint32_t within(const struct number_rule *rule, uint64_t number) {
    if (number == 0 && rule->min > 0)
        return rule->none;
    return (uint32_t)LB_MIN(number, rule->max);
}

static uint32_t of_both(const struct number_rule *rule, uint32_t before, uint32_t now) {
    return rule->is_larger ? LB_MAX(before, now) : LB_MIN(before, now);
}

static void take_number(struct lb_initiator *session, uint64_t now_us,
                        const struct lb_iscsi_pair *pair, bool again,
                        const struct number_rule *rule, uint32_t *out) {
    uint64_t number = 0;
    bool is_number = lb_iscsi_parse_number(pair->value, 0, UINT64_MAX, &number);
    bool is_good = is_number && number >= rule->min && number <= rule->max;
    uint32_t counts = is_number ? within(rule, number) : rule->none;
    if (again && *out != counts)
        is_good = false;
    if (again)
        counts = of_both(rule, *out, counts);
    *out = counts;
    if (!is_good)
        warn_number(session, now_us, pair, counts);
}

/* 13.12: we must not send more at once, so it has to be a number. 0 is what targets say that do not
 * want to tell. */
static bool take_segment(struct lb_initiator *session, uint64_t now_us,
                         const struct lb_iscsi_pair *pair, bool again) {
    static const struct number_rule rule = {
        .min = SEGMENT_MIN, .max = SEGMENT_MAX, .none = LB_STREAM_LOGIN_DATA};
    uint64_t number;
    if (!lb_iscsi_parse_number(pair->value, 0, UINT64_MAX, &number))
        return wrong(session, now_us, pair, "is not a number");
    take_number(session, now_us, pair, again, &rule, &session->agreed.max_send_data);
    return true;
}

/* 0 is no unsolicited data at all. */
static void take_first_burst(struct lb_initiator *session, uint64_t now_us,
                             const struct lb_iscsi_pair *pair, bool again) {
    static const struct number_rule rule = {
        .min = SEGMENT_MIN, .max = LB_INITIATOR_OFFER_FIRST_BURST, .none = SEGMENT_MIN};
    uint64_t number;
    take_number(session, now_us, pair, again, &rule, &session->agreed.first_burst);
    if (!lb_iscsi_parse_number(pair->value, 1, UINT64_MAX, &number))
        session->login.no_unsolicited = true;
}

/* 13.9: two bytes, which no boot depends on. Some targets say -1. */
static bool take_tpgt(struct lb_initiator *session, uint64_t now_us,
                      const struct lb_iscsi_pair *pair) {
    uint64_t tpgt;
    int32_t expected = session->config.expected_tpgt - 1;
    if (!lb_iscsi_parse_number(pair->value, 0, UINT16_MAX, &tpgt)) {
        warn(session, now_us, pair, "is not a tag: it is not used");
        return true;
    }
    session->agreed.tpgt = (uint16_t)tpgt;
    if (expected >= 0 && tpgt != (uint64_t)expected)
        return wrong(session, now_us, pair, "is not the portal group that was expected");
    return true;
}

/* ---- words with a meaning ------------------------------------------------------------------- */

static bool take_bool(struct lb_initiator *session, uint64_t now_us,
                      const struct lb_iscsi_pair *pair, bool again, bool *out) {
    bool before = *out;
    if (!lb_iscsi_parse_bool(pair->value, out))
        return wrong(session, now_us, pair, "is neither Yes nor No");
    if (again && *out != before)
        return wrong(session, now_us, pair, "comes a second time, with another value");
    return true;
}

/* DataPDUInOrder, DataSequenceInOrder: the result is Yes when one side says so (13.18, 13.19). */
static bool take_in_order(struct lb_initiator *session, uint64_t now_us,
                          const struct lb_iscsi_pair *pair) {
    bool yes = false;
    if (!take_bool(session, now_us, pair, false, &yes))
        return false;
    return yes || wrong(session, now_us, pair, "although we said Yes");
}

static bool take_level(struct lb_initiator *session, uint64_t now_us,
                       const struct lb_iscsi_pair *pair) {
    uint64_t level;
    return lb_iscsi_parse_number(pair->value, 0, 0, &level) ||
           wrong(session, now_us, pair, "is not within what was offered");
}

/* ---- digests -------------------------------------------------------------------------------- */

static enum lb_digest_want want_of(const struct lb_initiator *session, enum lb_iscsi_key key) {
    return key == LB_ISCSI_KEY_HEADER_DIGEST ? session->config.header_digest
                                             : session->config.data_digest;
}

/* The target refuses to go without digests. The login begins again and offers CRC32C, too. A target
 * that refuses that as well would be silent after the login (stgt). */
static bool insist(struct lb_initiator *session, uint64_t now_us,
                   const struct lb_iscsi_pair *pair) {
    char shown[80];
    show_pair(shown, sizeof shown, pair);
    if (session->offers_digests) {
        lb_initiator_break(session, now_us, LB_E_DIGEST_REFUSED,
                           "\"%s\" to None, and to CRC32C,None: see %s-digest", shown,
                           pair->key == LB_ISCSI_KEY_HEADER_DIGEST ? "header" : "data");
        return false;
    }
    lb_trace(session->trace, now_us, "iscsi", "\"%s\": again, with CRC32C on offer", shown);
    session->offers_digests = true;
    lb_initiator_again(session, now_us);
    return false;
}

static bool take_digest(struct lb_initiator *session, uint64_t now_us,
                        const struct lb_iscsi_pair *pair, bool again, bool *on) {
    enum lb_digest_want want = want_of(session, pair->key);
    bool crc = lb_text_is(pair->value, "CRC32C"), none = lb_text_is(pair->value, "None");
    if (crc && want == LB_DIGEST_NONE && !session->offers_digests)
        return insist(session, now_us, pair);
    if (!crc && !none)
        return wrong(session, now_us, pair, "was not offered");
    if (again && *on != crc)
        return wrong(session, now_us, pair, "comes a second time, with another value");
    *on = crc;
    return true;
}

/* ---- the target's own offers ---------------------------------------------------------------- */

static void reply(struct lb_initiator *session, struct lb_bytes name, const char *value) {
    struct lb_initiator_login *login = &session->login;
    size_t left = sizeof login->replies - login->replies_len;
    struct lb_wr wr = lb_wr(lb_span(login->replies + login->replies_len, left));
    lb_iscsi_put_named(&wr, name, value);
    login->replies_len += lb_wr_done(&wr).len; /* 0 when it does not fit */
}

/* Keys that we do not offer: to be answered (6.2), once. */
static bool take_foreign(struct lb_initiator *session, const struct lb_iscsi_pair *pair,
                         bool again) {
    if (lb_iscsi_is_refusal(pair->value) || (again && pair->key != LB_ISCSI_KEY_UNKNOWN))
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

/* ---- one pair ------------------------------------------------------------------------------- */

/* Numbers that only bound us. */
static void take_bound(struct lb_initiator *session, uint64_t now_us,
                       const struct lb_iscsi_pair *pair, bool again) {
    static const struct number_rule burst = {.min = SEGMENT_MIN,
                                             .max = LB_INITIATOR_OFFER_MAX_BURST,
                                             .none = LB_INITIATOR_DEFAULT_MAX_BURST};
    static const struct number_rule r2ts = {
        .min = 1, .max = LB_INITIATOR_OFFER_OUTSTANDING_R2T, .none = 1};
    static const struct number_rule wait = {
        .max = SECONDS_MAX, .none = LB_INITIATOR_DEFAULT_TIME2WAIT, .is_larger = true};
    static const struct number_rule retain = {.max = SECONDS_MAX};
    struct lb_initiator_agreed *a = &session->agreed;
    if (pair->key == LB_ISCSI_KEY_MAX_BURST_LENGTH)
        take_number(session, now_us, pair, again, &burst, &a->max_burst);
    else if (pair->key == LB_ISCSI_KEY_MAX_OUTSTANDING_R2T)
        take_number(session, now_us, pair, again, &r2ts, &a->max_outstanding_r2t);
    else if (pair->key == LB_ISCSI_KEY_DEFAULT_TIME2WAIT)
        take_number(session, now_us, pair, again, &wait, &a->time2wait_s);
    else if (pair->key == LB_ISCSI_KEY_DEFAULT_TIME2RETAIN)
        take_number(session, now_us, pair, again, &retain, &a->time2retain_s);
    else
        take_first_burst(session, now_us, pair, again);
}

static bool take_key(struct lb_initiator *session, uint64_t now_us,
                     const struct lb_iscsi_pair *pair, bool again) {
    struct lb_initiator_agreed *a = &session->agreed;
    switch (pair->key) {
    case LB_ISCSI_KEY_HEADER_DIGEST:
        return take_digest(session, now_us, pair, again, &a->header_digest);
    case LB_ISCSI_KEY_DATA_DIGEST:
        return take_digest(session, now_us, pair, again, &a->data_digest);
    case LB_ISCSI_KEY_INITIAL_R2T:
        return take_bool(session, now_us, pair, again, &a->initial_r2t);
    case LB_ISCSI_KEY_IMMEDIATE_DATA:
        return take_bool(session, now_us, pair, again, &a->immediate_data);
    case LB_ISCSI_KEY_MAX_RECV_DATA_SEGMENT_LENGTH:
        return take_segment(session, now_us, pair, again);
    case LB_ISCSI_KEY_MAX_BURST_LENGTH:
    case LB_ISCSI_KEY_FIRST_BURST_LENGTH:
    case LB_ISCSI_KEY_MAX_OUTSTANDING_R2T:
    case LB_ISCSI_KEY_DEFAULT_TIME2WAIT:
    case LB_ISCSI_KEY_DEFAULT_TIME2RETAIN:
        take_bound(session, now_us, pair, again);
        return true;
    case LB_ISCSI_KEY_ERROR_RECOVERY_LEVEL:
        return take_level(session, now_us, pair);
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
        return lb_initiator_login_take_auth(session, now_us, pair, again);
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
    return take_foreign(session, pair, again);
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

/* Reject, Irrelevant, NotUnderstood: the key has its default, as if it had not been offered. Only
 * the second of them is an answer that a target may give to these keys (6.2). */
static bool take_refusal(struct lb_initiator *session, uint64_t now_us,
                         const struct lb_iscsi_pair *pair, bool again) {
    bool is_digest =
        pair->key == LB_ISCSI_KEY_HEADER_DIGEST || pair->key == LB_ISCSI_KEY_DATA_DIGEST;
    bool is_reject = lb_text_is(pair->value, "Reject");
    if (is_digest && is_reject && want_of(session, pair->key) == LB_DIGEST_NONE)
        return insist(session, now_us, pair);
    if (!again)
        session->login.answered &= ~(UINT64_C(1) << pair->key);
    if (!lb_text_is(pair->value, "Irrelevant"))
        warn(session, now_us, pair, "is no answer to this key: its default counts");
    return true;
}

/* Blanks around a key or a value, and letters of the wrong case. Names and CHAP's values stay as
 * they are. False: it was well written. */
static bool straighten(struct lb_iscsi_pair *pair) {
    struct lb_iscsi_pair was = *pair;
    if (pair->key == LB_ISCSI_KEY_UNKNOWN)
        pair->key = lb_iscsi_key_guess(pair->name);
    if (pair->key == LB_ISCSI_KEY_UNKNOWN || pair->key == LB_ISCSI_KEY_TARGET_ALIAS ||
        pair->key == LB_ISCSI_KEY_CHAP_N)
        return pair->key != was.key;
    pair->value = lb_iscsi_straighten_value(pair->value);
    return pair->key != was.key || pair->value.p != was.value.p || pair->value.len != was.value.len;
}

/* The last pair may lack its NUL: the header says that the text ends there. */
static bool is_whole(const struct lb_iscsi_pair *pair) {
    return pair->problem == LB_PAIR_OK || (pair->problem == LB_PAIR_NO_NUL && !is_auth(pair->key));
}

bool lb_initiator_login_take(struct lb_initiator *session, uint64_t now_us,
                             const struct lb_iscsi_pair *given) {
    struct lb_initiator_login *login = &session->login;
    struct lb_iscsi_pair pair = *given;
    if (pair.problem == LB_PAIR_NO_EQUALS && lb_bytes_trim(pair.name).len == 0)
        return true;
    bool is_bent = straighten(&pair);
    if (!is_whole(&pair))
        return wrong(session, now_us, given, lb_iscsi_pair_explain(pair.problem));
    uint64_t bit = UINT64_C(1) << pair.key;
    bool again = (login->answered & bit) != 0;
    login->answered |= bit;
    bool is_refusal =
        pair.key != LB_ISCSI_KEY_UNKNOWN && !is_auth(pair.key) && lb_iscsi_is_refusal(pair.value);
    if (is_refusal ? !take_refusal(session, now_us, &pair, again)
                   : !take_key(session, now_us, &pair, again))
        return false;
    if (again && !may_repeat(pair.key))
        warn(session, now_us, &pair, "comes twice");
    if (pair.problem == LB_PAIR_NO_NUL)
        warn(session, now_us, &pair, "has no NUL at its end");
    if (is_bent) {
        pair.name = given->name;
        pair.value = given->value;
        warn(session, now_us, &pair, "is not written as the RFC has it");
    }
    return true;
}
