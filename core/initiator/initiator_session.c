/* The life of a session:
 *
 *   IDLE -> RESOLVING -> CONNECTING -> LOGIN_SECURITY -> LOGIN_OPERATIONAL -> FULL_FEATURE
 *              ^  (has a name)  ^ next address     `-------- redirect ----.       |   |
 *              |________________|_________________________________________|       |   |
 *              |________________|______ RECOVERING <-------- lost ----------------'   |
 *                                            | recovery_ms                            |
 *                                            v                                        v
 *                                          ENDED <------------------------------ LOGGING_OUT */
#include "core/initiator/initiator_session.h"

uint32_t lb_initiator_or(uint32_t value, uint32_t fallback) {
    return value != 0 ? value : fallback;
}

const char *lb_initiator_state_word(enum lb_initiator_state state) {
    switch (state) {
    case LB_INITIATOR_IDLE:
        return "idle";
    case LB_INITIATOR_RESOLVING:
        return "resolving";
    case LB_INITIATOR_CONNECTING:
        return "connecting";
    case LB_INITIATOR_LOGIN_SECURITY:
        return "login: security";
    case LB_INITIATOR_LOGIN_OPERATIONAL:
        return "login: operational";
    case LB_INITIATOR_FULL_FEATURE:
        return "full feature";
    case LB_INITIATOR_LOGGING_OUT:
        return "logging out";
    case LB_INITIATOR_RECOVERING:
        return "recovering";
    case LB_INITIATOR_ENDED:
        return "ended";
    }
    return "";
}

void lb_initiator_enter(struct lb_initiator *session, uint64_t now_us,
                        enum lb_initiator_state state, uint64_t deadline_us) {
    session->state = state;
    session->state_us = now_us;
    session->deadline_us = deadline_us;
    lb_trace(session->trace, now_us, "iscsi", "%s", lb_initiator_state_word(state));
}

bool lb_initiator_is_in_login(const struct lb_initiator *session) {
    return session->state == LB_INITIATOR_LOGIN_SECURITY ||
           session->state == LB_INITIATOR_LOGIN_OPERATIONAL;
}

bool lb_initiator_is_receiving(const struct lb_initiator *session) {
    return lb_initiator_is_in_login(session) || session->state == LB_INITIATOR_FULL_FEATURE ||
           session->state == LB_INITIATOR_LOGGING_OUT;
}

bool lb_initiator_may_end(const struct lb_initiator *session) {
    return session->logout_wanted && session->queued.count + session->in_flight.count == 0;
}

uint32_t lb_initiator_new_tag(struct lb_initiator *session, unsigned slot) {
    session->generation++;
    return session->generation << LB_SLOT_BITS | slot;
}

uint64_t lb_initiator_send(struct lb_initiator *session, struct lb_iscsi_pdu *pdu,
                           struct lb_bytes data) {
    uint8_t bhs[LB_ISCSI_BHS_BYTES];
    pdu->cmd_sn = session->cmd_sn;
    pdu->exp_stat_sn = session->exp_stat_sn;
    lb_iscsi_encode(pdu, bhs);
    return lb_stream_queue(&session->stream, bhs, data);
}

bool lb_initiator_send_control(struct lb_initiator *session, uint64_t now_us,
                               struct lb_iscsi_pdu *pdu, struct lb_bytes data) {
    if (!lb_stream_can_queue(&session->stream)) {
        lb_initiator_break(session, now_us, LB_E_PROTOCOL, "the target does not take our answers");
        return false;
    }
    lb_initiator_send(session, pdu, data);
    return true;
}

/* ---- beginning ------------------------------------------------------------------------------ */

void lb_initiator_init(struct lb_initiator *session, uint64_t now_us,
                       const struct lb_initiator_config *config, struct lb_span rx,
                       struct lb_rand *rand, struct lb_trace *trace) {
    lb_assert(rx.len >= LB_ISCSI_RX_MIN && config->queue_depth <= LB_INITIATOR_TASKS_MAX);
    lb_assert(config->chap_secret_len <= LB_SECRET_MAX &&
              config->chap_target_secret_len <= LB_SECRET_MAX);
    memset(session, 0, sizeof *session);
    session->config = *config;
    struct lb_initiator_config *c = &session->config;
    c->max_recv_data = lb_initiator_or(c->max_recv_data, 262144);
    c->max_recv_data = LB_MIN(LB_MAX(c->max_recv_data, 512), (UINT32_C(1) << 24) - 1);
    c->queue_depth = lb_initiator_or(c->queue_depth, 32);
    c->connect_ms = lb_initiator_or(c->connect_ms, 5000);
    c->login_ms = lb_initiator_or(c->login_ms, 10000);
    c->task_ms = lb_initiator_or(c->task_ms, 30000);
    c->ping_ms = lb_initiator_or(c->ping_ms, 10000);
    c->recovery_ms = lb_initiator_or(c->recovery_ms, 120000);
    session->algs = c->chap_algs.count > 0 ? c->chap_algs : lb_chap_default_algs;
    /* Text answers are kept whole in the staging buffer. */
    if (c->target[0] == 0)
        c->max_recv_data =
            LB_MIN(c->max_recv_data, (uint32_t)LB_MIN(rx.len - LB_STREAM_KEEP_OVERHEAD, 65536));
    session->rand = rand;
    session->trace = trace;
    session->home = config->portal;
    memcpy(session->home_host, config->host, sizeof session->home_host);
    session->outage_us = LB_NEVER;
    session->promised_us = LB_NEVER;
    session->cmd_sn = 1;
    session->depth = c->queue_depth;
    lb_initiator_forget_orphans(session);
    session->login_part_max = LB_STREAM_LOGIN_DATA;
    lb_stream_init(&session->stream, rx, &session->tx);
    lb_stream_refuse_ahs(&session->stream);
    lb_initiator_tasks_init(session);
    lb_initiator_enter(session, now_us, LB_INITIATOR_IDLE, LB_NEVER);
}

void lb_initiator_start(struct lb_initiator *session, uint64_t now_us) {
    lb_assert(session->state == LB_INITIATOR_IDLE);
    lb_initiator_begin(session, now_us);
}

void lb_initiator_resolved(struct lb_initiator *session, uint64_t now_us,
                           const struct lb_addr *addrs, size_t count, const char *why) {
    if (session->state != LB_INITIATOR_RESOLVING)
        return;
    session->addr_count = session->addr_next = 0;
    for (size_t i = 0; i < count && session->addr_count < LB_PORTALS_MAX; i++)
        if (lb_addr_is_set(addrs[i]))
            session->addrs[session->addr_count++] = addrs[i];
    if (session->addr_count == 0)
        lb_initiator_break(session, now_us, LB_E_RESOLVE, "%s", why != NULL ? why : session->host);
    else
        lb_initiator_next_address(session, now_us);
}

void lb_initiator_connected(struct lb_initiator *session, uint64_t now_us) {
    if (session->state != LB_INITIATOR_CONNECTING || session->say_connect)
        return;
    session->last_rx_us = now_us;
    lb_stream_reset(&session->stream);
    lb_initiator_login_start(session, now_us);
}

void lb_initiator_unprepared(struct lb_initiator *session, uint64_t now_us,
                             const struct lb_error *why) {
    if (session->state != LB_INITIATOR_CONNECTING || session->say_connect)
        return;
    session->is_open = false;
    lb_initiator_break(session, now_us, why->code, "%s", why->facts);
}

static enum lb_code connect_code(enum lb_initiator_lost why) {
    switch (why) {
    case LB_LOST_REFUSED:
    case LB_LOST_CLOSED:
        break;
    case LB_LOST_TIMEOUT:
        return LB_E_CONNECT_TIMEOUT;
    case LB_LOST_UNREACHABLE:
        return LB_E_CONNECT_UNREACHABLE;
    }
    return LB_E_CONNECT_REFUSED;
}

void lb_initiator_lost(struct lb_initiator *session, uint64_t now_us, enum lb_initiator_lost why) {
    if (!session->is_open)
        return;
    bool is_old = session->say_connect; /* this was the last connection; the next is not made yet */
    /* LIO: 0201 to a login without security, and then hangs up on AuthMethod=None. */
    bool wants_chap = session->state == LB_INITIATOR_LOGIN_SECURITY && session->use_security &&
                      !lb_initiator_wants_chap(session) && session->logins == 0;
    session->is_open = session->say_close = false;
    if (session->state == LB_INITIATOR_LOGIN_SECURITY && lb_initiator_login_offer_md5(session)) {
        lb_trace(session->trace, now_us, "iscsi", "closed after CHAP_A: again, with MD5 alone");
        lb_initiator_again(session, now_us);
    } else if (session->state == LB_INITIATOR_CONNECTING && !is_old)
        lb_initiator_break(session, now_us, connect_code(why), "no connection");
    else if (session->state == LB_INITIATOR_LOGGING_OUT && lb_initiator_may_end(session))
        lb_initiator_end(session, now_us, NULL);
    else if (lb_initiator_is_receiving(session) && wants_chap)
        lb_initiator_break(session, now_us, LB_E_AUTH_NEEDED,
                           "status 0x0201, and AuthMethod=None closed the connection, for %s",
                           session->config.target[0] != 0 ? session->config.target : "discovery");
    else if (lb_initiator_is_in_login(session) && session->logins == 0)
        lb_initiator_break(session, now_us, LB_E_LOGIN_CLOSED,
                           "closed in the %s, after %u request%s of ours",
                           lb_initiator_state_word(session->state), session->login.exchanges,
                           session->login.exchanges == 1 ? "" : "s");
    else if (lb_initiator_is_receiving(session))
        lb_initiator_break(session, now_us, LB_E_CONNECTION_LOST,
                           "the connection was closed in state %s",
                           lb_initiator_state_word(session->state));
}

void lb_initiator_drop(struct lb_initiator *session, uint64_t now_us) {
    bool is_lost = session->say_close; /* already: it is about to be closed */
    if (session->is_open && !is_lost)
        lb_initiator_break(session, now_us, LB_E_CONNECTION_LOST,
                           "the connection was dropped here");
}

/* ---- time ----------------------------------------------------------------------------------- */

static void deadline_passed(struct lb_initiator *session, uint64_t now_us) {
    switch (session->state) {
    case LB_INITIATOR_RESOLVING:
        lb_initiator_break(session, now_us, LB_E_RESOLVE, "%s: no answer", session->host);
        return;
    case LB_INITIATOR_CONNECTING:
        lb_initiator_break(session, now_us, LB_E_CONNECT_TIMEOUT, "no answer within %u ms",
                           session->config.connect_ms);
        return;
    case LB_INITIATOR_LOGIN_SECURITY:
    case LB_INITIATOR_LOGIN_OPERATIONAL:
        lb_initiator_break(session, now_us, LB_E_LOGIN_TIMEOUT, "%u requests answered within %u ms",
                           session->login.exchanges - 1, session->config.login_ms);
        return;
    case LB_INITIATOR_LOGGING_OUT:
        if (lb_initiator_may_end(session))
            lb_initiator_end(session, now_us, NULL);
        else
            lb_initiator_reconnect(session, now_us, "the logout was not answered");
        return;
    case LB_INITIATOR_RECOVERING:
        lb_initiator_begin(session, now_us);
        return;
    case LB_INITIATOR_IDLE:
    case LB_INITIATOR_FULL_FEATURE:
    case LB_INITIATOR_ENDED:
        return;
    }
}

/* A firmware that runs a loader, or a machine that was suspended. */
static void forgive_late_poll(struct lb_initiator *session, uint64_t now_us) {
    if (now_us <= session->promised_us ||
        now_us - session->promised_us < LB_INITIATOR_LATE_MS * LB_US_MS)
        return;
    uint64_t late_us = now_us - session->promised_us;
    lb_trace(session->trace, now_us, "iscsi", "polled %u ms late", (unsigned)(late_us / LB_US_MS));
    if (late_us >= LB_INITIATOR_SLEPT_MS * LB_US_MS && session->holds_logins)
        session->is_held = true; /* much may have happened, and been said to nobody */
    late_us += LB_INITIATOR_LATE_MS * LB_US_MS; /* and time to read what lies there */
    if (lb_initiator_is_in_login(session) || session->state == LB_INITIATOR_LOGGING_OUT)
        session->deadline_us += late_us;
    lb_initiator_full_forgive(session, now_us, late_us);
}

static void tick(struct lb_initiator *session, uint64_t now_us) {
    forgive_late_poll(session, now_us);
    session->promised_us = now_us;
    if (now_us >= session->deadline_us)
        deadline_passed(session, now_us);
    if (session->state == LB_INITIATOR_FULL_FEATURE)
        lb_initiator_full_tick(session, now_us);
    if (session->state == LB_INITIATOR_FULL_FEATURE)
        lb_initiator_pump(session, now_us);
}

static uint64_t next_deadline(const struct lb_initiator *session) {
    if (session->state == LB_INITIATOR_FULL_FEATURE)
        return LB_MIN(session->deadline_us, lb_initiator_full_deadline(session));
    return session->deadline_us;
}

/* Clears the flag and tells whether it was set. */
static bool take(bool *flag) {
    bool was = *flag;
    *flag = false;
    return was;
}

struct lb_initiator_action lb_initiator_poll(struct lb_initiator *session, uint64_t now_us) {
    struct lb_initiator_action action = {.event = LB_INITIATOR_WAIT, .until_us = LB_NEVER};
    tick(session, now_us);
    action.peer = session->peer;
    if (take(&session->say_close)) {
        session->is_open = false;
        action.event = LB_INITIATOR_CLOSE;
    } else if (take(&session->say_resolve)) {
        action.event = LB_INITIATOR_RESOLVE;
        action.host = session->host;
    } else if (take(&session->say_connect)) {
        session->is_open = true;
        action.event = LB_INITIATOR_CONNECT;
    } else if (take(&session->say_ready)) {
        action.event = LB_INITIATOR_READY;
    } else if (take(&session->say_end)) {
        action.event = session->ended_well ? LB_INITIATOR_OUT : LB_INITIATOR_FAILED;
    } else {
        action.until_us = next_deadline(session);
        session->promised_us = LB_MAX(action.until_us, now_us); /* due at once is not late */
    }
    return action;
}

/* ---- bytes ---------------------------------------------------------------------------------- */

size_t lb_initiator_where(struct lb_initiator *session, struct lb_span spans[2]) {
    return lb_initiator_is_receiving(session) ? lb_stream_where(&session->stream, spans) : 0;
}

static void broken_stream(struct lb_initiator *session, uint64_t now_us,
                          enum lb_stream_event event) {
    const struct lb_stream *stream = &session->stream;
    const char *word = lb_iscsi_opcode_word(stream->bhs[0] & 0x3f);
    enum lb_code code = lb_initiator_is_in_login(session) ? LB_E_LOGIN_PROTOCOL : LB_E_PROTOCOL;
    if (event == LB_STREAM_BAD_HEADER_DIGEST)
        lb_initiator_break(session, now_us, LB_E_DIGEST, "the digest of a header does not match");
    else if (event == LB_STREAM_BAD_DATA_DIGEST)
        lb_initiator_break(session, now_us, LB_E_DIGEST,
                           "%s: the digest of %u bytes does not match", word, stream->data_len);
    else if (stream->ahs_len != 0) /* RFC 7143 11.2.1.5: no PDU of a target has one */
        lb_initiator_break(session, now_us, code, "%s with %u bytes of additional header", word,
                           stream->ahs_len);
    else
        lb_initiator_break(session, now_us, code, "%s with %u bytes of data, where %u are allowed",
                           word, stream->data_len, stream->max_data);
}

/* Decodes the PDU at hand. False: the session was told. */
static bool decode(struct lb_initiator *session, uint64_t now_us) {
    const struct lb_stream *stream = &session->stream;
    enum lb_code code = lb_initiator_is_in_login(session) ? LB_E_LOGIN_PROTOCOL : LB_E_PROTOCOL;
    if (!lb_iscsi_decode(stream->bhs, &session->pdu)) {
        lb_initiator_break(session, now_us, code, "a PDU with the unknown opcode 0x%02x",
                           stream->bhs[0] & 0x3fU);
        return false;
    }
    /* RFC 7143 11.2.1.5: no PDU of a target has an additional header. */
    if (stream->ahs_len != 0) {
        lb_initiator_break(session, now_us, code, "%s with %u bytes of additional header",
                           lb_iscsi_opcode_word(session->pdu.opcode), stream->ahs_len);
        return false;
    }
    return true;
}

static void handle(struct lb_initiator *session, uint64_t now_us, enum lb_stream_event event) {
    bool has_data = session->stream.data_len > 0;
    if (event != LB_STREAM_HEADER && event != LB_STREAM_PDU) {
        broken_stream(session, now_us, event);
        return;
    }
    if ((event == LB_STREAM_HEADER || !has_data) && !decode(session, now_us))
        return;
    if (event == LB_STREAM_HEADER && lb_initiator_is_in_login(session))
        lb_stream_keep(&session->stream);
    else if (event == LB_STREAM_HEADER)
        lb_initiator_full_header(session, now_us);
    else if (lb_initiator_is_in_login(session))
        lb_initiator_login_pdu(session, now_us);
    else
        lb_initiator_full_pdu(session, now_us);
}

void lb_initiator_got(struct lb_initiator *session, uint64_t now_us, size_t len) {
    if (!lb_initiator_is_receiving(session) || len == 0)
        return;
    session->last_rx_us = now_us;
    lb_stream_got(&session->stream, len);
    while (lb_initiator_is_receiving(session)) {
        enum lb_stream_event event = lb_stream_next(&session->stream);
        if (event == LB_STREAM_MORE)
            break;
        handle(session, now_us, event);
    }
    lb_initiator_pump(session, now_us);
}

size_t lb_initiator_gather(struct lb_initiator *session, struct lb_bytes *pieces, size_t cap) {
    return lb_initiator_is_receiving(session) ? lb_stream_gather(&session->stream, pieces, cap) : 0;
}

void lb_initiator_sent(struct lb_initiator *session, uint64_t now_us, size_t len) {
    if (!lb_initiator_is_receiving(session))
        return;
    lb_stream_sent(&session->stream, len);
    lb_initiator_pump(session, now_us);
}

/* ---- the end, and what is known ------------------------------------------------------------- */

void lb_initiator_logout(struct lb_initiator *session, uint64_t now_us) {
    if (session->state == LB_INITIATOR_ENDED || session->logout_wanted)
        return;
    session->logout_wanted = true;
    if (session->state != LB_INITIATOR_FULL_FEATURE && session->queued.count == 0) {
        if (session->state != LB_INITIATOR_LOGGING_OUT)
            lb_initiator_end(session, now_us, NULL);
        return;
    }
    lb_initiator_pump(session, now_us);
}

enum lb_initiator_state lb_initiator_state(const struct lb_initiator *session) {
    return session->state;
}

const struct lb_error *lb_initiator_error(const struct lb_initiator *session) {
    return &session->error;
}

const struct lb_error *lb_initiator_last_error(const struct lb_initiator *session) {
    return &session->last_error;
}

const struct lb_initiator_agreed *lb_initiator_agreed(const struct lb_initiator *session) {
    return &session->agreed;
}

struct lb_endpoint lb_initiator_peer(const struct lb_initiator *session) {
    return session->peer;
}

size_t lb_initiator_in_flight(const struct lb_initiator *session) {
    return session->in_flight.count;
}

unsigned lb_initiator_logins(const struct lb_initiator *session) {
    return session->logins;
}

const char *lb_initiator_warning(const struct lb_initiator *session, size_t index) {
    return index < session->warning_count ? session->warnings[index] : NULL;
}

bool lb_initiator_was_redirected(const struct lb_initiator *session, bool *permanent) {
    *permanent = session->redirected_for_good;
    return session->was_redirected;
}

struct lb_endpoint lb_initiator_home(const struct lb_initiator *session) {
    return (struct lb_endpoint){.addr = session->home_addr, .port = session->home.port};
}
