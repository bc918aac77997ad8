/* Negotiation on the target's side: each key of a login's text gets its answer. RFC 7143 6.2, 13.
 * Security keys are put aside here and dealt with at the end, together. */
#include "core/names/rootpath.h"
#include "core/target/target_state.h"

enum kind {
    NAMES,    /* declared once, and read elsewhere */
    SECURITY, /* read at the end */
    MIN,      /* the smaller of both */
    MAX,      /* the larger of both */
    AND,
    OR,
    DIGEST,      /* the first of the list that we do */
    DECLARATION, /* MaxRecvDataSegmentLength: no answer */
    TASK_REPORTING,
    REFUSED, /* obsolete, or not for a login */
};

static const struct rule {
    enum lb_iscsi_key key;
    enum kind kind;
    uint32_t min, max;
    bool not_in_discovery;
} rules[] = {
    {.key = LB_ISCSI_KEY_INITIATOR_NAME, .kind = NAMES},
    {.key = LB_ISCSI_KEY_INITIATOR_ALIAS, .kind = NAMES},
    {.key = LB_ISCSI_KEY_TARGET_NAME, .kind = NAMES},
    {.key = LB_ISCSI_KEY_SESSION_TYPE, .kind = NAMES},
    {.key = LB_ISCSI_KEY_NODE_ARCHITECTURE, .kind = NAMES},
    {.key = LB_ISCSI_KEY_AUTH_METHOD, .kind = SECURITY},
    {.key = LB_ISCSI_KEY_CHAP_A, .kind = SECURITY},
    {.key = LB_ISCSI_KEY_CHAP_I, .kind = SECURITY},
    {.key = LB_ISCSI_KEY_CHAP_C, .kind = SECURITY},
    {.key = LB_ISCSI_KEY_CHAP_N, .kind = SECURITY},
    {.key = LB_ISCSI_KEY_CHAP_R, .kind = SECURITY},
    {.key = LB_ISCSI_KEY_HEADER_DIGEST, .kind = DIGEST},
    {.key = LB_ISCSI_KEY_DATA_DIGEST, .kind = DIGEST},
    {LB_ISCSI_KEY_MAX_CONNECTIONS, MIN, 1, 65535, true},
    {LB_ISCSI_KEY_INITIAL_R2T, OR, 0, 0, true},
    {LB_ISCSI_KEY_IMMEDIATE_DATA, AND, 0, 0, true},
    {LB_ISCSI_KEY_MAX_RECV_DATA_SEGMENT_LENGTH, DECLARATION, 512, 16777215, false},
    {LB_ISCSI_KEY_MAX_BURST_LENGTH, MIN, 512, 16777215, true},
    {LB_ISCSI_KEY_FIRST_BURST_LENGTH, MIN, 512, 16777215, true},
    {LB_ISCSI_KEY_DEFAULT_TIME2WAIT, MAX, 0, 3600, false},
    {LB_ISCSI_KEY_DEFAULT_TIME2RETAIN, MIN, 0, 3600, false},
    {LB_ISCSI_KEY_MAX_OUTSTANDING_R2T, MIN, 1, 65535, true},
    {LB_ISCSI_KEY_DATA_PDU_IN_ORDER, OR, 0, 0, true},
    {LB_ISCSI_KEY_DATA_SEQUENCE_IN_ORDER, OR, 0, 0, true},
    {LB_ISCSI_KEY_ERROR_RECOVERY_LEVEL, MIN, 0, 2, false},
    {LB_ISCSI_KEY_ISCSI_PROTOCOL_LEVEL, MIN, 0, 31, false},
    {.key = LB_ISCSI_KEY_TASK_REPORTING, .kind = TASK_REPORTING},
};

static const struct rule *find_rule(enum lb_iscsi_key key) {
    static const struct rule refused = {.kind = REFUSED};
    for (size_t i = 0; i < LB_COUNT(rules); i++)
        if (rules[i].key == key)
            return &rules[i];
    return &refused;
}

/* ---- numbers and booleans ---- */

static uint32_t our_number(const struct lb_target_conn *conn, enum lb_iscsi_key key) {
    const struct lb_target *node = conn->node;
    switch ((unsigned)key) {
    case LB_ISCSI_KEY_MAX_CONNECTIONS:
    case LB_ISCSI_KEY_MAX_OUTSTANDING_R2T:
    case LB_ISCSI_KEY_ISCSI_PROTOCOL_LEVEL:
        return 1;
    case LB_ISCSI_KEY_MAX_BURST_LENGTH:
        return node == NULL || node->max_burst == 0 ? 262144 : node->max_burst;
    case LB_ISCSI_KEY_FIRST_BURST_LENGTH:
        return node == NULL || node->first_burst == 0 ? 65536 : node->first_burst;
    case LB_ISCSI_KEY_DEFAULT_TIME2WAIT:
        return node == NULL ? 0 : node->time2wait_s;
    default:
        return 0; /* Time2Retain, ErrorRecoveryLevel */
    }
}

static void keep_number(struct lb_target_conn *conn, enum lb_iscsi_key key, uint32_t value) {
    if (key == LB_ISCSI_KEY_MAX_BURST_LENGTH)
        conn->max_burst = value;
    else if (key == LB_ISCSI_KEY_FIRST_BURST_LENGTH)
        conn->first_burst = value;
}

static bool answer_number(struct lb_target_conn *conn, const struct rule *rule,
                          struct lb_bytes value, struct lb_wr *wr) {
    uint64_t theirs;
    if (!lb_iscsi_parse_number(value, rule->min, rule->max, &theirs))
        return false;
    uint32_t ours = our_number(conn, rule->key);
    uint32_t agreed =
        rule->kind == MIN ? LB_MIN((uint32_t)theirs, ours) : LB_MAX((uint32_t)theirs, ours);
    keep_number(conn, rule->key, agreed);
    lb_iscsi_put_number(wr, rule->key, agreed);
    return true;
}

static bool answer_bool(struct lb_target_conn *conn, const struct rule *rule, struct lb_bytes value,
                        struct lb_wr *wr) {
    bool theirs;
    if (!lb_iscsi_parse_bool(value, &theirs))
        return false;
    bool agreed = true; /* DataPDUInOrder, DataSequenceInOrder: Yes */
    if (rule->key == LB_ISCSI_KEY_INITIAL_R2T)
        agreed = conn->initial_r2t = theirs || (conn->node != NULL && conn->node->insist_r2t);
    else if (rule->key == LB_ISCSI_KEY_IMMEDIATE_DATA)
        agreed = conn->immediate_data =
            theirs && !(conn->node != NULL && conn->node->refuse_immediate);
    lb_iscsi_put_bool(wr, rule->key, agreed);
    return true;
}

static bool answer_digest(struct lb_target_conn *conn, enum lb_iscsi_key key, struct lb_bytes value,
                          struct lb_wr *wr) {
    static const char *const names[] = {"None", "CRC32C"};
    enum lb_digest_want want = LB_DIGEST_PREFER;
    size_t index;
    if (conn->node != NULL)
        want =
            key == LB_ISCSI_KEY_HEADER_DIGEST ? conn->node->header_digest : conn->node->data_digest;
    size_t first = want == LB_DIGEST_CRC32C ? 1 : 0;
    size_t count = want == LB_DIGEST_PREFER ? 2 : 1;
    if (!lb_iscsi_list_choose(value, names + first, count, &index)) {
        lb_iscsi_put_text(wr, key, "Reject");
        return true; /* the lack of it is seen at the end of the login */
    }
    bool is_on = first + index == 1;
    if (key == LB_ISCSI_KEY_HEADER_DIGEST)
        conn->header_digest = is_on;
    else
        conn->data_digest = is_on;
    lb_iscsi_put_text(wr, key, names[first + index]);
    return true;
}

static bool take_declaration(struct lb_target_conn *conn, const struct rule *rule,
                             struct lb_bytes value) {
    uint64_t theirs;
    if (!lb_iscsi_parse_number(value, rule->min, rule->max, &theirs))
        return false;
    conn->max_send_data = (uint32_t)theirs;
    return true;
}

static bool answer(struct lb_target_conn *conn, const struct rule *rule,
                   const struct lb_iscsi_pair *pair, struct lb_wr *wr) {
    if (rule->not_in_discovery && conn->is_discovery) {
        lb_iscsi_put_text(wr, pair->key, "Irrelevant");
        return true;
    }
    switch (rule->kind) {
    case NAMES:
    case SECURITY:
        return true;
    case MIN:
    case MAX:
        return answer_number(conn, rule, pair->value, wr);
    case AND:
    case OR:
        return answer_bool(conn, rule, pair->value, wr);
    case DIGEST:
        return answer_digest(conn, rule->key, pair->value, wr);
    case DECLARATION:
        return take_declaration(conn, rule, pair->value);
    case TASK_REPORTING:
        lb_iscsi_put_text(wr, pair->key,
                          lb_iscsi_list_has(pair->value, "RFC3720") ? "RFC3720" : "Reject");
        return true;
    case REFUSED:
        lb_iscsi_put_text(wr, pair->key, "Reject");
        return true;
    }
    return false;
}

/* ---- CHAP: RFC 7143 12.1.3 ---- */

struct security {
    struct lb_bytes method, a, i, c, n, r;
};

static void put_aside(struct security *security, const struct lb_iscsi_pair *pair) {
    switch ((unsigned)pair->key) {
    case LB_ISCSI_KEY_AUTH_METHOD:
        security->method = pair->value;
        break;
    case LB_ISCSI_KEY_CHAP_A:
        security->a = pair->value;
        break;
    case LB_ISCSI_KEY_CHAP_I:
        security->i = pair->value;
        break;
    case LB_ISCSI_KEY_CHAP_C:
        security->c = pair->value;
        break;
    case LB_ISCSI_KEY_CHAP_N:
        security->n = pair->value;
        break;
    case LB_ISCSI_KEY_CHAP_R:
        security->r = pair->value;
        break;
    default:
        break;
    }
}

static bool needs_chap(const struct lb_target_conn *conn) {
    return conn->node != NULL && conn->node->account_count > 0;
}

static bool choose_method(struct lb_target_conn *conn, struct lb_bytes list, struct lb_wr *wr) {
    const char *method = needs_chap(conn) ? "CHAP" : "None";
    if (!lb_iscsi_list_has(list, method)) {
        lb_iscsi_put_text(wr, LB_ISCSI_KEY_AUTH_METHOD, "Reject");
        return false;
    }
    lb_iscsi_put_text(wr, LB_ISCSI_KEY_AUTH_METHOD, method);
    conn->auth = needs_chap(conn) ? LB_AUTH_CHAP : LB_AUTH_DONE;
    return true;
}

/* The last bytes of a challenge are a hash of the others, with the host's secret: so each thread of
 * the host knows those of all, also when their logins are over. To others they are random. */
static uint64_t mark_of(const struct lb_target_conn *conn, const uint8_t *random) {
    return lb_siphash(&conn->server->hash_key,
                      lb_bytes(random, LB_CHAP_CHALLENGE_BYTES - sizeof(uint64_t)));
}

static void issue(struct lb_target_conn *conn) {
    uint8_t *bytes = conn->challenge.data;
    struct lb_wr wr = lb_wr(lb_span(bytes + LB_CHAP_CHALLENGE_BYTES - sizeof(uint64_t), 8));
    lb_chap_issue(&conn->challenge, conn->rand, LB_CHAP_CHALLENGE_BYTES);
    lb_wr_u64(&wr, mark_of(conn, bytes));
}

static bool challenge(struct lb_target_conn *conn, struct lb_bytes algs, struct lb_wr *wr) {
    char hex[2 + 2 * LB_CHAP_CHALLENGE_BYTES + 1];
    struct lb_text text = lb_text(hex, sizeof hex);
    const struct lb_chap_algs *known =
        conn->node->chap_algs.count > 0 ? &conn->node->chap_algs : &lb_chap_default_algs;
    if (!lb_chap_choose_alg(known, algs, &conn->alg))
        return false;
    issue(conn);
    lb_chap_format_hex(&text, lb_bytes(conn->challenge.data, conn->challenge.len));
    lb_iscsi_put_number(wr, LB_ISCSI_KEY_CHAP_A, conn->alg.number);
    lb_iscsi_put_number(wr, LB_ISCSI_KEY_CHAP_I, conn->challenge.id);
    lb_iscsi_put_text(wr, LB_ISCSI_KEY_CHAP_C, hex);
    conn->auth = LB_AUTH_CHALLENGED;
    return true;
}

static const struct lb_target_account *find_account(const struct lb_target *node,
                                                    struct lb_bytes name) {
    for (size_t i = 0; i < node->account_count; i++)
        if (lb_text_is(name, node->accounts[i].name))
            return &node->accounts[i];
    return NULL;
}

static bool verify(struct lb_target_conn *conn, const struct security *security) {
    uint8_t response[LB_CHAP_BINARY_MAX];
    size_t len;
    const struct lb_target_account *own = &conn->node->own;
    const struct lb_target_account *account = find_account(conn->node, security->n);
    if (account == NULL || lb_chap_parse_binary(security->r, lb_span(response, sizeof response),
                                                &len) != LB_CHAP_BINARY_OK)
        return false;
    return lb_chap_verify(conn->alg, lb_bytes(account->secret, account->secret_len),
                          lb_bytes(own->secret, own->secret_len), &conn->challenge,
                          lb_bytes(response, len)) == LB_CHAP_GOOD;
}

/* An initiator that gives us back a challenge of ours wants us to answer it for ourselves. */
static bool is_reflected(const struct lb_target_conn *conn,
                         const struct lb_chap_challenge *received) {
    struct lb_rd rd = lb_rd(lb_bytes(received->data, received->len));
    lb_rd_skip(&rd, LB_CHAP_CHALLENGE_BYTES - sizeof(uint64_t));
    uint64_t mark = lb_rd_u64(&rd);
    return received->len == LB_CHAP_CHALLENGE_BYTES && mark == mark_of(conn, received->data);
}

/* Mutual: the initiator's challenge is answered. */
static bool prove(struct lb_target_conn *conn, const struct security *security, struct lb_wr *wr) {
    struct lb_chap_challenge received = {0};
    struct lb_chap_response response;
    char hex[2 + 2 * LB_HASH_MAX_BYTES + 1];
    struct lb_text text = lb_text(hex, sizeof hex);
    const struct lb_target_account *own = &conn->node->own;
    size_t len;
    if (own->name[0] == 0 || !lb_chap_parse_id(security->i, &received.id) ||
        lb_chap_parse_binary(security->c, lb_span(received.data, sizeof received.data), &len) !=
            LB_CHAP_BINARY_OK)
        return false;
    received.len = (uint16_t)len;
    if (is_reflected(conn, &received))
        return false;
    lb_chap_respond(conn->alg, lb_bytes(own->secret, own->secret_len), &received, &response);
    lb_chap_format_hex(&text, lb_bytes(response.data, response.len));
    lb_iscsi_put_text(wr, LB_ISCSI_KEY_CHAP_N, own->name);
    lb_iscsi_put_text(wr, LB_ISCSI_KEY_CHAP_R, hex);
    return true;
}

static bool secure(struct lb_target_conn *conn, const struct security *security, struct lb_wr *wr) {
    if (conn->auth == LB_AUTH_OPEN && security->method.p != NULL &&
        !choose_method(conn, security->method, wr))
        return false;
    if (conn->auth == LB_AUTH_CHAP && security->a.p != NULL)
        return challenge(conn, security->a, wr);
    if (conn->auth != LB_AUTH_CHALLENGED || security->r.p == NULL)
        return true; /* nothing to decide yet; without it, the login does not end */
    if (!verify(conn, security))
        return false;
    if ((security->i.p != NULL || security->c.p != NULL) && !prove(conn, security, wr))
        return false;
    conn->auth = LB_AUTH_DONE;
    return true;
}

/* ---- all of them ---- */

/* 6.3: a key is declared or negotiated once. libiscsi says its names in both stages; where they are
 * the same, nothing is declared anew. */
static bool is_same_again(const struct lb_target_conn *conn, const struct lb_iscsi_pair *pair) {
    char name[LB_NAME_MAX + 1];
    if (pair->key == LB_ISCSI_KEY_SESSION_TYPE)
        return lb_text_is(pair->value, conn->is_discovery ? "Discovery" : "Normal");
    if (!lb_text_copy(name, sizeof name, pair->value))
        return false;
    if (pair->key == LB_ISCSI_KEY_INITIATOR_NAME)
        return lb_iscsi_names_equal(name, conn->port.name);
    return pair->key == LB_ISCSI_KEY_TARGET_NAME && conn->node != NULL &&
           lb_iscsi_names_equal(name, conn->node->name);
}

enum lb_iscsi_login_status lb_target_keys(struct lb_target_conn *conn, struct lb_bytes text,
                                          struct lb_wr *wr) {
    struct security security = {0};
    struct lb_iscsi_pair pair;
    while (lb_iscsi_text_next(&text, &pair)) {
        if (pair.problem != LB_PAIR_OK)
            return LB_LOGIN_INITIATOR_ERROR;
        if (pair.key == LB_ISCSI_KEY_UNKNOWN) {
            lb_iscsi_put_named(wr, pair.name, "NotUnderstood");
            continue;
        }
        if (conn->keys_seen & UINT64_C(1) << pair.key) {
            if (!is_same_again(conn, &pair))
                return LB_LOGIN_INITIATOR_ERROR;
            continue;
        }
        conn->keys_seen |= UINT64_C(1) << pair.key;
        if (!answer(conn, find_rule(pair.key), &pair, wr))
            return LB_LOGIN_INITIATOR_ERROR;
        put_aside(&security, &pair);
    }
    return secure(conn, &security, wr) ? LB_LOGIN_OK : LB_LOGIN_AUTH_FAILED;
}
