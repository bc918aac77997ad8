/* The login phase on the target's side: RFC 7143 6.3, 11.12, 11.13.
 *
 *   SECURITY --T, NSG 1--> OPERATIONAL --T, NSG 3--> FULL_FEATURE
 *       `----------------T, NSG 3-----------------------^
 *
 * A login that fails gets its status, and then the connection is closed. */
#include "core/names/rootpath.h"
#include "core/target/target_state.h"

#define LOG(conn, ...) lb_trace((conn)->trace, (conn)->now_us, "target", __VA_ARGS__)

static void respond(struct lb_target_conn *conn, struct lb_iscsi_pdu *pdu, struct lb_bytes text) {
    uint8_t bhs[LB_ISCSI_BHS_BYTES];
    pdu->opcode = LB_OP_LOGIN_RESPONSE;
    pdu->itt = conn->pdu.itt;
    memcpy(pdu->login.isid, conn->pdu.login.isid, sizeof pdu->login.isid);
    lb_target_number(conn, pdu, true, bhs);
    lb_target_queue_text(conn, bhs, text);
}

static void fail(struct lb_target_conn *conn, enum lb_iscsi_login_status status) {
    struct lb_iscsi_pdu pdu = {.final = false};
    struct lb_wr wr = lb_wr(lb_span(conn->text->out, LB_STREAM_LOGIN_DATA));
    pdu.login.status_class = (uint8_t)((unsigned)status >> 8);
    pdu.login.status_detail = (uint8_t)status;
    if (pdu.login.status_class == 1 && conn->node != NULL)
        lb_iscsi_put_text(&wr, LB_ISCSI_KEY_TARGET_ADDRESS, conn->node->redirect);
    respond(conn, &pdu, lb_wr_done(&wr));
    lb_target_close(conn, lb_iscsi_login_status_word(status));
}

/* ---- who it is: the first request ---- */

/* RFC 3722: names are compared without regard to case. */
static bool is_name(struct lb_bytes given, const char *name) {
    char text[LB_NAME_MAX + 1];
    return lb_text_copy(text, sizeof text, given) && lb_iscsi_names_equal(text, name);
}

static struct lb_target *find_node(const struct lb_target_server *server, struct lb_bytes name) {
    for (size_t i = 0; i < server->node_count; i++)
        if (is_name(name, server->nodes[i].name))
            return &server->nodes[i];
    return NULL;
}

static bool may_log_in(const struct lb_target *node, const char *initiator) {
    for (size_t i = 0; i < node->initiator_count; i++)
        if (lb_iscsi_names_equal(node->initiators[i], initiator))
            return true;
    return node->initiator_count == 0;
}

/* The same initiator port at the same target: RFC 7143 4.4.2 (I_T nexus). */
static bool is_same_nexus(const struct lb_target_conn *a, const struct lb_target_conn *b) {
    return a->node == b->node && memcmp(a->port.isid, b->port.isid, sizeof a->port.isid) == 0 &&
           lb_iscsi_names_equal(a->port.name, b->port.name);
}

/* The session whose place this login takes (6.3.5); NULL: none. */
static struct lb_target_conn *find_session(const struct lb_target_conn *conn) {
    for (struct lb_target_conn *c = conn->server->sessions[conn->bucket]; c != NULL; c = c->next)
        if (c->phase == LB_TARGET_FULL_FEATURE && is_same_nexus(c, conn))
            return c;
    return NULL;
}

/* Sessions of this initiator, whatever its ISIDs. */
static size_t count_own(const struct lb_target_conn *conn) {
    size_t count = 0;
    for (const struct lb_target_conn *c = conn->server->sessions[conn->bucket]; c; c = c->next)
        count += c->phase == LB_TARGET_FULL_FEATURE &&
                 lb_iscsi_names_equal(c->port.name, conn->port.name);
    return count;
}

/* Whether there is room for a session beside the others. The one whose place it takes is none of
 * them; other ISIDs of the same initiator are. */
static bool has_room(const struct lb_target_conn *conn) {
    const struct lb_target_server *server = conn->server;
    size_t old = find_session(conn) != NULL;
    return (server->conns_max == 0 || server->session_count - old < server->conns_max) &&
           (server->initiator_max == 0 || count_own(conn) - old < server->initiator_max);
}

static enum lb_iscsi_login_status identify_node(struct lb_target_conn *conn, struct lb_bytes text) {
    struct lb_bytes name;
    if (!lb_iscsi_text_find(text, LB_ISCSI_KEY_TARGET_NAME, &name))
        return LB_LOGIN_MISSING_PARAMETER;
    if (!conn->server->asks_who)
        conn->node = find_node(conn->server, name);
    else if (conn->admission != LB_LOGIN_OK)
        return (enum lb_iscsi_login_status)conn->admission;
    if (conn->node == NULL)
        return LB_LOGIN_NOT_FOUND;
    if (conn->node->login_status != LB_LOGIN_OK)
        return (enum lb_iscsi_login_status)conn->node->login_status;
    return may_log_in(conn->node, conn->port.name) ? LB_LOGIN_OK : LB_LOGIN_NOT_AUTHORISED;
}

/* Names are hashed as they are compared: without regard to case. */
static uint8_t bucket_of(const struct lb_target_server *server, const char *name) {
    char folded[LB_NAME_MAX + 1];
    size_t len = 0;
    for (; name[len] != 0; len++)
        folded[len] = name[len] >= 'A' && name[len] <= 'Z' ? (char)(name[len] + 32) : name[len];
    return (uint8_t)(lb_siphash(&server->hash_key, lb_bytes(folded, len)) % LB_TARGET_BUCKETS);
}

/* Who logs in, and for what kind of session. */
static enum lb_iscsi_login_status introduce_itself(struct lb_target_conn *conn,
                                                   struct lb_bytes text) {
    struct lb_bytes name, type;
    if (!lb_iscsi_text_find(text, LB_ISCSI_KEY_INITIATOR_NAME, &name))
        return LB_LOGIN_MISSING_PARAMETER;
    if (!lb_iscsi_is_name(name) || !lb_text_copy(conn->port.name, sizeof conn->port.name, name))
        return LB_LOGIN_INITIATOR_ERROR;
    conn->bucket = bucket_of(conn->server, conn->port.name);
    bool has_type = lb_iscsi_text_find(text, LB_ISCSI_KEY_SESSION_TYPE, &type);
    conn->is_discovery = has_type && lb_text_is(type, "Discovery");
    if (has_type && !conn->is_discovery && !lb_text_is(type, "Normal"))
        return LB_LOGIN_SESSION_TYPE;
    if (conn->is_discovery && conn->server->no_discovery)
        return LB_LOGIN_SESSION_TYPE;
    memcpy(conn->port.isid, conn->pdu.login.isid, sizeof conn->port.isid);
    conn->cid = conn->pdu.login.cid;
    return LB_LOGIN_OK;
}

static enum lb_iscsi_login_status identify(struct lb_target_conn *conn, struct lb_bytes text) {
    enum lb_iscsi_login_status status = conn->is_discovery
                                            ? (enum lb_iscsi_login_status)conn->admission
                                            : identify_node(conn, text);
    if (status == LB_LOGIN_OK && conn->pdu.login.tsih != 0) { /* one connection a session */
        const struct lb_target_conn *c = find_session(conn);
        return c != NULL && c->tsih == conn->pdu.login.tsih ? LB_LOGIN_TOO_MANY_CONNECTIONS
                                                            : LB_LOGIN_NO_SESSION;
    }
    if (status == LB_LOGIN_OK && !has_room(conn))
        return LB_LOGIN_NO_RESOURCES;
    return status;
}

static void set_defaults(struct lb_target_conn *conn) {
    conn->initial_r2t = conn->immediate_data = true; /* RFC 7143 13: until agreed otherwise */
    conn->max_burst = 262144;
    conn->first_burst = 65536;
}

/* What comes with the first answer: 13.9 TargetPortalGroupTag, 13.7 TargetAlias. */
static void introduce(const struct lb_target_conn *conn, struct lb_wr *wr) {
    if (conn->node == NULL)
        return;
    if (conn->node->alias[0] != 0)
        lb_iscsi_put_text(wr, LB_ISCSI_KEY_TARGET_ALIAS, conn->node->alias);
    lb_iscsi_put_number(wr, LB_ISCSI_KEY_TARGET_PORTAL_GROUP_TAG,
                        conn->node->tpgt == 0 ? 1 : conn->node->tpgt);
}

static uint32_t our_max_recv(const struct lb_target_conn *conn) {
    return conn->node == NULL || conn->node->max_recv_data == 0 ? 262144
                                                                : conn->node->max_recv_data;
}

/* ---- each request ---- */

static enum lb_iscsi_login_status check_header(const struct lb_target_conn *conn) {
    const struct lb_iscsi_pdu *pdu = &conn->pdu;
    uint8_t csg = pdu->login.csg, nsg = pdu->login.nsg;
    bool is_first = conn->exchanges == 1;
    if (pdu->login.version_min > 0)
        return LB_LOGIN_VERSION;
    if (pdu->login.tsih != 0 && conn->has_first)
        return LB_LOGIN_NO_SESSION; /* it had none in the first request: see identify */
    if (csg > LB_LOGIN_STAGE_OPERATIONAL || (pdu->final && (nsg == 2 || nsg <= csg)))
        return LB_LOGIN_INITIATOR_ERROR;
    if (pdu->final && pdu->login.more)
        return LB_LOGIN_INITIATOR_ERROR;
    bool is_security = conn->phase == LB_TARGET_SECURITY;
    if (!is_first && is_security != (csg == LB_LOGIN_STAGE_SECURITY))
        return LB_LOGIN_INVALID_DURING_LOGIN;
    if (!is_first && memcmp(pdu->login.isid, conn->port.isid, sizeof conn->port.isid) != 0 &&
        conn->has_first)
        return LB_LOGIN_INVALID_DURING_LOGIN;
    return LB_LOGIN_OK;
}

static bool is_authenticated(const struct lb_target_conn *conn) {
    return conn->node == NULL || conn->node->account_count == 0 || conn->auth == LB_AUTH_DONE;
}

/* RFC 7143 6.3.5: the same initiator port logs in again, so its old session is over. */
static void reinstate(struct lb_target_conn *conn) {
    struct lb_target_conn *old = find_session(conn);
    if (old == NULL)
        return;
    LOG(conn, "takes the place of session %u", old->tsih);
    lb_target_drop(old);
    conn->server->stirred = true;
}

static void enter_full_feature(struct lb_target_conn *conn) {
    bool has_window = conn->node != NULL && conn->node->window != 0;
    reinstate(conn);
    conn->phase = LB_TARGET_FULL_FEATURE;
    lb_target_enlist(conn);
    if (++conn->server->last_tsih == 0)
        conn->server->last_tsih = 1;
    conn->tsih = conn->server->last_tsih;
    conn->window = has_window ? LB_MIN(conn->node->window, LB_TARGET_WINDOW_MAX) : 64;
    conn->first_burst = LB_MIN(conn->first_burst, conn->max_burst);
    lb_wipe(&conn->challenge, sizeof conn->challenge);
    for (unsigned i = 0; conn->node != NULL && i < LB_TARGET_LUNS_MAX; i++) {
        if (conn->node->attention_at_start || conn->node->was_reset)
            lb_scsi_nexus_attention(&conn->nexuses[i], 0x29, conn->node->was_reset ? 0x01 : 0x00);
        lb_scsi_nexus_begin(&conn->nexuses[i], conn->node->luns[i], &conn->port, conn);
    }
    LOG(conn, "session %u: %s", conn->tsih, conn->port.name);
}

/* Where the answer leads: T with the initiator's NSG, if it wants to go on and may. */
static void transit(struct lb_target_conn *conn, struct lb_iscsi_pdu *pdu) {
    if (!conn->pdu.final || !is_authenticated(conn))
        return;
    pdu->final = true;
    pdu->login.nsg = conn->pdu.login.nsg;
    if (pdu->login.nsg == LB_LOGIN_STAGE_OPERATIONAL)
        conn->phase = LB_TARGET_OPERATIONAL;
    else
        enter_full_feature(conn);
}

static bool lacks_digest(const struct lb_target_conn *conn) {
    return conn->node != NULL &&
           ((conn->node->header_digest == LB_DIGEST_CRC32C && !conn->header_digest) ||
            (conn->node->data_digest == LB_DIGEST_CRC32C && !conn->data_digest));
}

/* Whether the host is to say who this is before the login goes on. */
static bool asks_who(struct lb_target_conn *conn, struct lb_bytes text) {
    struct lb_bytes name = lb_bytes(NULL, 0);
    if (!conn->server->asks_who || conn->is_admitted)
        return false;
    bool has_name = lb_iscsi_text_find(text, LB_ISCSI_KEY_TARGET_NAME, &name);
    if (conn->is_discovery || !has_name ||
        !lb_text_copy(conn->text->wanted, sizeof conn->text->wanted, name))
        conn->text->wanted[0] = 0;
    conn->who_waits = conn->is_discovery || conn->text->wanted[0] != 0;
    return conn->who_waits; /* who names no target, or none that can be, is told so at once */
}

static enum lb_iscsi_login_status negotiate(struct lb_target_conn *conn, struct lb_wr *wr) {
    struct lb_bytes text = lb_bytes(conn->text->in, conn->text_in_len);
    enum lb_iscsi_login_status status = LB_LOGIN_OK;
    bool is_operational = conn->pdu.login.csg == LB_LOGIN_STAGE_OPERATIONAL;
    if (!conn->has_first && !conn->is_admitted)
        status = introduce_itself(conn, text);
    if (status == LB_LOGIN_OK && !conn->has_first && asks_who(conn, text))
        return LB_LOGIN_OK;
    conn->text_in_len = 0;
    if (status != LB_LOGIN_OK)
        return status;
    if (!conn->has_first) {
        status = identify(conn, text);
        if (status != LB_LOGIN_OK)
            return status;
        conn->has_first = true;
        set_defaults(conn);
        introduce(conn, wr);
    }
    status = lb_target_keys(conn, text, wr);
    if (status != LB_LOGIN_OK)
        return status;
    if (is_operational && !is_authenticated(conn))
        return LB_LOGIN_AUTH_FAILED; /* it left security out */
    bool is_last = conn->pdu.final && conn->pdu.login.nsg == LB_LOGIN_STAGE_FULL_FEATURE;
    if (is_last && lacks_digest(conn))
        return LB_LOGIN_INITIATOR_ERROR;
    if (is_last && !has_room(conn))
        return LB_LOGIN_NO_RESOURCES; /* others were faster */
    if (is_operational && !conn->is_declared) {
        lb_iscsi_put_number(wr, LB_ISCSI_KEY_MAX_RECV_DATA_SEGMENT_LENGTH, our_max_recv(conn));
        conn->is_declared = true;
    }
    return lb_wr_ok(wr) ? LB_LOGIN_OK : LB_LOGIN_NO_RESOURCES;
}

/* The first request's CmdSN is where the session starts; all of a login carry it: 11.12.8. */
static void take_first_numbers(struct lb_target_conn *conn) {
    conn->exp_cmd_sn = conn->pdu.cmd_sn;
    if (conn->pdu.login.csg == LB_LOGIN_STAGE_OPERATIONAL)
        conn->phase = LB_TARGET_OPERATIONAL;
}

static void answer(struct lb_target_conn *conn) {
    struct lb_wr wr = lb_wr(lb_span(conn->text->out, LB_STREAM_LOGIN_DATA));
    struct lb_iscsi_pdu pdu = {.final = false};
    enum lb_iscsi_login_status status = negotiate(conn, &wr);
    if (conn->who_waits)
        return; /* lb_target_login_admitted */
    if (status != LB_LOGIN_OK) {
        fail(conn, status);
        return;
    }
    pdu.login.csg = conn->pdu.login.csg;
    transit(conn, &pdu);
    pdu.login.tsih = conn->tsih;
    respond(conn, &pdu, lb_wr_done(&wr));
    if (conn->phase != LB_TARGET_FULL_FEATURE)
        return;
    lb_stream_set_digests(&conn->stream, conn->header_digest, conn->data_digest);
    if (conn->is_declared)
        lb_stream_set_max_data(&conn->stream, our_max_recv(conn));
}

void lb_target_login_admitted(struct lb_target_conn *conn) {
    conn->who_waits = false;
    conn->is_admitted = true;
    answer(conn);
}

void lb_target_login(struct lb_target_conn *conn, struct lb_bytes data) {
    if (++conn->exchanges > LB_TARGET_EXCHANGES) {
        lb_target_close(conn, "a login without end");
        return;
    }
    enum lb_iscsi_login_status status = check_header(conn);
    if (conn->exchanges == 1)
        take_first_numbers(conn);
    if (status == LB_LOGIN_OK && !lb_target_text_add(conn, data))
        status = LB_LOGIN_NO_RESOURCES;
    if (status != LB_LOGIN_OK) {
        fail(conn, status);
        return;
    }
    if (!conn->pdu.login.more) {
        answer(conn);
        return;
    }
    struct lb_iscsi_pdu pdu = {.final = false};
    pdu.login.csg = conn->pdu.login.csg;
    respond(conn, &pdu, lb_bytes(NULL, 0)); /* 6.2: an empty answer asks for the rest */
}
