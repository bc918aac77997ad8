/* The login exchange (RFC 7143 6.3, 11.12, 11.13). One request is out at a time; each answer is
 * joined over its C bits, taken pair by pair, and decides the next step:
 *
 *   security:     NAMES --AuthMethod=CHAP--> CHAP_A --C--> CHAP_R --T--> KEYS
 *                   `-----AuthMethod=None--> AGREE --T-----------------> KEYS
 *   operational:  KEYS --T--> full feature          (without CHAP it begins here, with the names)
 *                   `-- no T yet --> AGREE --T--> full feature */
#include "core/initiator/initiator_session.h"

static void put_step(struct lb_initiator *session, struct lb_wr *wr) {
    switch (session->login.step) {
    case LB_LOGIN_NAMES:
        lb_initiator_login_put_names(session, wr);
        lb_initiator_login_put_auth(session, wr);
        return;
    case LB_LOGIN_CHAP_A:
        lb_initiator_login_put_chap_a(session, wr);
        return;
    case LB_LOGIN_CHAP_R:
        lb_initiator_login_put_chap_r(session, wr);
        return;
    case LB_LOGIN_KEYS:
        lb_initiator_login_put_names(session, wr);
        lb_initiator_login_put_keys(session, wr);
        return;
    case LB_LOGIN_AGREE:
        return;
    }
}

/* The names of the keys that go out: values stay out of the trace, some are answers to secrets. */
static void trace_keys(struct lb_initiator *session, uint64_t now_us) {
    char line[LB_TRACE_LINE_MAX];
    struct lb_text text = lb_text(line, sizeof line);
    struct lb_bytes rest = lb_bytes(session->login.out, session->login.out_len);
    struct lb_iscsi_pair pair;
    while (lb_iscsi_text_next(&rest, &pair))
        lb_text_add(&text, " %.*s", (int)pair.name.len, (const char *)pair.name.p);
    lb_trace(session->trace, now_us, "iscsi", "login request %u, stage %u%s:%s",
             session->login.exchanges + 1, session->login.csg,
             session->login.transition ? ", T" : "", line);
}

static bool step_asks_transition(const struct lb_initiator_login *login, bool chap) {
    switch (login->step) {
    case LB_LOGIN_NAMES:
        return !chap;
    case LB_LOGIN_CHAP_A:
        return false;
    case LB_LOGIN_CHAP_R:
    case LB_LOGIN_KEYS:
    case LB_LOGIN_AGREE:
        return true;
    }
    return true;
}

static void send_request(struct lb_initiator *session, uint64_t now_us, size_t len, bool more,
                         bool transition) {
    struct lb_initiator_login *login = &session->login;
    if (++login->exchanges > LB_LOGIN_EXCHANGES_MAX) {
        lb_initiator_break(session, now_us, LB_E_LOGIN_PROTOCOL,
                           "no agreement after %u requests, in stage %u", LB_LOGIN_EXCHANGES_MAX,
                           login->csg);
        return;
    }
    struct lb_iscsi_pdu pdu = {
        .opcode = LB_OP_LOGIN_REQUEST,
        .immediate = true,
        .final = transition,
        .itt = login->itt,
        .login = {.more = more, .csg = login->csg, .nsg = transition ? login->nsg : 0},
    };
    memcpy(pdu.login.isid, session->config.isid, sizeof pdu.login.isid);
    login->transition_is_out = transition;
    lb_initiator_send(session, &pdu, lb_bytes(login->out + login->out_sent, len));
    login->out_sent += len;
}

/* Sends the next part of `out`: all of it, unless it is longer than one request may be. */
static void send_part(struct lb_initiator *session, uint64_t now_us) {
    const struct lb_initiator_login *login = &session->login;
    size_t left = login->out_len - login->out_sent;
    bool more = left > session->login_part_max;
    send_request(session, now_us, more ? session->login_part_max : left, more,
                 login->transition && !more);
}

static void send_step(struct lb_initiator *session, uint64_t now_us, enum lb_login_step step) {
    struct lb_initiator_login *login = &session->login;
    struct lb_wr wr = lb_wr(lb_span(login->out, sizeof login->out));
    lb_wr_bytes(&wr, lb_bytes(login->replies, login->replies_len));
    login->replies_len = 0;
    login->step = step;
    login->nsg = login->csg == LB_LOGIN_STAGE_SECURITY ? LB_LOGIN_STAGE_OPERATIONAL
                                                       : LB_LOGIN_STAGE_FULL_FEATURE;
    login->transition = step_asks_transition(login, lb_initiator_wants_chap(session));
    put_step(session, &wr);
    if (!lb_wr_ok(&wr)) {
        lb_initiator_break(session, now_us, LB_E_INTERNAL, "a login request of more than %u bytes",
                           LB_LOGIN_REQUEST_MAX);
        return;
    }
    login->out_len = wr.len;
    login->out_sent = 0;
    trace_keys(session, now_us);
    send_part(session, now_us);
}

void lb_initiator_login_start(struct lb_initiator *session, uint64_t now_us) {
    struct lb_initiator_login *login = &session->login;
    bool security = lb_initiator_wants_chap(session) || session->use_security;
    memset(login, 0, sizeof *login); /* holds no secret: an answer to a challenge is none */
    login->csg = security ? LB_LOGIN_STAGE_SECURITY : LB_LOGIN_STAGE_OPERATIONAL;
    login->itt = lb_initiator_new_tag(session, LB_SLOT_LOGIN);
    memset(&session->agreed, 0, sizeof session->agreed);
    session->warning_count = 0;
    session->exp_stat_sn = 0;
    lb_initiator_enter(session, now_us,
                       security ? LB_INITIATOR_LOGIN_SECURITY : LB_INITIATOR_LOGIN_OPERATIONAL,
                       now_us + session->config.login_ms * LB_US_MS);
    send_step(session, now_us, security ? LB_LOGIN_NAMES : LB_LOGIN_KEYS);
}

/* ---- the answer ----------------------------------------------------------------------------- */

static enum lb_code status_code(unsigned status) {
    switch (status) {
    case LB_LOGIN_AUTH_FAILED:
        return LB_E_AUTH_FAILED;
    case LB_LOGIN_NOT_AUTHORISED:
        return LB_E_NOT_AUTHORISED;
    case LB_LOGIN_NOT_FOUND:
        return LB_E_TARGET_NOT_FOUND;
    case LB_LOGIN_REMOVED:
        return LB_E_TARGET_REMOVED;
    case LB_LOGIN_VERSION:
        return LB_E_LOGIN_VERSION;
    case LB_LOGIN_TOO_MANY_CONNECTIONS:
        return LB_E_TARGET_BUSY;
    default:
        /* RFC 7143 11.13.5: class 3 may be tried again. */
        return status >> 8 == 3 ? LB_E_TARGET_BUSY : LB_E_LOGIN_REJECTED;
    }
}

/* "wants security": we began in the operational stage and it lets nobody in that way. Once more
 * with the security stage and AuthMethod=None, which some targets insist on. */
static bool wants_security(const struct lb_initiator *session, unsigned status) {
    return status == LB_LOGIN_AUTH_FAILED && !lb_initiator_wants_chap(session);
}

/* Refused before it has seen a proof of ours: it is the method or the algorithm it does not
 * like. */
static bool is_before_proof(const struct lb_initiator *session, unsigned status) {
    const struct lb_initiator_login *login = &session->login;
    bool by_tgt = status == LB_LOGIN_INITIATOR_ERROR && login->step == LB_LOGIN_CHAP_A;
    /* tgt, too: it takes 7 for SHA-1, and our answer is too long for it. */
    bool by_length = status == LB_LOGIN_INITIATOR_ERROR && login->step == LB_LOGIN_CHAP_R &&
                     login->alg.hash == LB_HASH_SHA256;
    bool early = status == LB_LOGIN_AUTH_FAILED && login->step < LB_LOGIN_CHAP_R;
    return lb_initiator_wants_chap(session) && (early || by_tgt || by_length);
}

static void refused(struct lb_initiator *session, uint64_t now_us, unsigned status) {
    const struct lb_initiator_config *c = &session->config;
    enum lb_code code = status_code(status);
    if (wants_security(session, status) && !session->use_security) {
        lb_trace(session->trace, now_us, "iscsi", "status 0201: again, from the security stage");
        session->use_security = true;
        lb_initiator_again(session, now_us);
        return;
    }
    bool is_of_list = status == LB_LOGIN_INITIATOR_ERROR || status == LB_LOGIN_AUTH_FAILED ||
                      status == LB_LOGIN_MISSING_PARAMETER;
    if (is_of_list && lb_initiator_login_offer_md5(session)) {
        lb_trace(session->trace, now_us, "iscsi", "status %04x after CHAP_A: again, MD5 alone",
                 status);
        lb_initiator_again(session, now_us);
        return;
    }
    if (status == LB_LOGIN_INITIATOR_ERROR && lb_initiator_login_drop_alg(session)) {
        lb_trace(session->trace, now_us, "iscsi", "status 0200 after CHAP_A=7: again, without it");
        lb_initiator_again(session, now_us);
        return;
    }
    if (wants_security(session, status))
        code = LB_E_AUTH_NEEDED;
    if (is_before_proof(session, status))
        code = LB_E_AUTH_METHOD;
    bool names_user = lb_initiator_wants_chap(session) &&
                      (code == LB_E_AUTH_FAILED || session->login.step == LB_LOGIN_CHAP_R);
    /* A target that has no proof of its own to give says 0201 as well. */
    const char *with = c->chap_target_secret_len > 0 ? ", mutual CHAP, name " : ", CHAP name ";
    lb_initiator_break(session, now_us, code, "status 0x%04x (%s) for %s from %s%s%s", status,
                       lb_iscsi_login_status_word(status),
                       c->target[0] != 0 ? c->target : "discovery", c->initiator,
                       names_user ? with : "", names_user ? c->chap_name : "");
}

/* RFC 7143 11.13.5: class 1. */
static void moved(struct lb_initiator *session, uint64_t now_us, unsigned status) {
    struct lb_iscsi_pair pair;
    struct lb_bytes rest = session->stream.data;
    uint32_t count = 0; /* of several one by chance: another attempt may find the one that is up */
    session->login.redirect[0] = 0;
    while (lb_iscsi_text_next(&rest, &pair))
        if (lb_iscsi_key_guess(pair.name) == LB_ISCSI_KEY_TARGET_ADDRESS &&
            lb_utf8_is_valid(pair.value) &&
            (count++ == 0 || lb_rand_below(session->rand, count) == 0))
            lb_text_copy(session->login.redirect, sizeof session->login.redirect,
                         lb_bytes_trim(pair.value));
    lb_initiator_redirect(session, now_us, status == LB_LOGIN_MOVED_PERMANENTLY);
}

static bool protocol(struct lb_initiator *session, uint64_t now_us, const char *what) {
    lb_initiator_break(session, now_us, LB_E_LOGIN_PROTOCOL, "%s", what);
    return false;
}

/* RFC 7143 6.3, 11.13: what may stand in an answer to this request. */
static bool header_is_right(struct lb_initiator *session, uint64_t now_us) {
    const struct lb_initiator_login *login = &session->login;
    const struct lb_iscsi_pdu *pdu = &session->pdu;
    if (pdu->login.csg != login->csg)
        return protocol(session, now_us, "the answer is of another stage than the request");
    if (pdu->final && pdu->login.more)
        return protocol(session, now_us, "T and C are both set");
    if (pdu->final && !login->transition_is_out)
        return protocol(session, now_us, "a transition that was not asked for");
    if (pdu->final &&
        (pdu->login.nsg <= login->csg || pdu->login.nsg > login->nsg || pdu->login.nsg == 2))
        return protocol(session, now_us, "a transition to a stage that was not asked for");
    if (pdu->login.version_min != 0)
        return protocol(session, now_us, "version-active is not 0");
    return true;
}

static bool append_text(struct lb_initiator *session, uint64_t now_us) {
    struct lb_initiator_login *login = &session->login;
    struct lb_bytes data = session->stream.data;
    login->bytes += data.len;
    if (data.len > sizeof login->in - login->in_len)
        return protocol(session, now_us, "an answer of more than 16384 bytes of text");
    if (login->bytes > LB_LOGIN_BYTES_MAX)
        return protocol(session, now_us, "more than 65536 bytes of text");
    if (data.len > 0)
        memcpy(login->in + login->in_len, data.p, data.len);
    login->in_len += data.len;
    return true;
}

static bool take_text(struct lb_initiator *session, uint64_t now_us) {
    struct lb_bytes rest = lb_bytes(session->login.in, session->login.in_len);
    struct lb_iscsi_pair pair;
    while (lb_iscsi_text_next(&rest, &pair))
        if (!lb_initiator_login_take(session, now_us, &pair))
            return false;
    session->login.in_len = 0;
    return true;
}

static void full_feature(struct lb_initiator *session, uint64_t now_us) {
    const struct lb_iscsi_pdu *pdu = &session->pdu;
    if (!lb_initiator_login_settle(session, now_us))
        return;
    if (pdu->login.tsih == 0) /* 11.12.5; it names the session to further connections: none comes */
        lb_initiator_login_warn(session, now_us,
                                "the target's last answer has TSIH 0: it is not used");
    session->agreed.tsih = pdu->login.tsih;
    session->exp_cmd_sn = pdu->exp_cmd_sn;
    session->max_cmd_sn = pdu->max_cmd_sn;
    lb_initiator_full_start(session, now_us);
}

static void operational(struct lb_initiator *session, uint64_t now_us) {
    session->login.csg = LB_LOGIN_STAGE_OPERATIONAL;
    lb_initiator_enter(session, now_us, LB_INITIATOR_LOGIN_OPERATIONAL, session->deadline_us);
    send_step(session, now_us, LB_LOGIN_KEYS);
}

/* A whole answer has been taken. */
static void answered(struct lb_initiator *session, uint64_t now_us) {
    struct lb_initiator_login *login = &session->login;
    const struct lb_iscsi_pdu *pdu = &session->pdu;
    enum lb_login_step next = LB_LOGIN_AGREE;
    if (login->csg == LB_LOGIN_STAGE_SECURITY &&
        !lb_initiator_login_judge(session, now_us, pdu->final, &next))
        return;
    if (!pdu->final)
        send_step(session, now_us, next);
    else if (pdu->login.nsg == LB_LOGIN_STAGE_FULL_FEATURE)
        full_feature(session, now_us);
    else
        operational(session, now_us);
}

static void rejected(struct lb_initiator *session, uint64_t now_us) {
    if (lb_initiator_login_offer_md5(session)) {
        lb_trace(session->trace, now_us, "iscsi", "Reject after CHAP_A: again, with MD5 alone");
        lb_initiator_again(session, now_us);
        return;
    }
    lb_initiator_break(session, now_us, LB_E_LOGIN_REJECTED, "Reject, reason 0x%02x (%s)",
                       session->pdu.reject.reason,
                       lb_iscsi_reject_word(session->pdu.reject.reason));
}

void lb_initiator_login_pdu(struct lb_initiator *session, uint64_t now_us) {
    struct lb_initiator_login *login = &session->login;
    const struct lb_iscsi_pdu *pdu = &session->pdu;
    if (pdu->opcode == LB_OP_REJECT) {
        rejected(session, now_us);
        return;
    }
    if (pdu->opcode != LB_OP_LOGIN_RESPONSE || pdu->itt != login->itt) {
        lb_initiator_break(session, now_us, LB_E_LOGIN_PROTOCOL, "%s (tag 0x%08x) during login",
                           lb_iscsi_opcode_word(pdu->opcode), pdu->itt);
        return;
    }
    unsigned status = (unsigned)pdu->login.status_class << 8 | pdu->login.status_detail;
    if (status == LB_LOGIN_MOVED_TEMPORARILY || status == LB_LOGIN_MOVED_PERMANENTLY) {
        moved(session, now_us, status);
        return;
    }
    if (pdu->login.status_class != 0) {
        refused(session, now_us, status);
        return;
    }
    session->exp_stat_sn = pdu->stat_sn + 1;
    if (!header_is_right(session, now_us) || !append_text(session, now_us))
        return;
    /* RFC 7143 6.2: our own next part goes out, or an empty request asks for theirs. */
    if (login->out_sent < login->out_len) {
        send_part(session, now_us);
        return;
    }
    if (pdu->login.more) {
        send_request(session, now_us, 0, false, false);
        return;
    }
    if (take_text(session, now_us))
        answered(session, now_us);
}
