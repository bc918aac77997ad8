/* The machine of IKEv2: its states, its clock, what comes in and goes out.
 *
 *   initiator:  INIT-SENT --> AUTH-SENT --> READY <------------------------+
 *   responder:  IDLE --> INIT-DONE -------> READY                          |
 *                                             | time                       |
 *                      REKEYING <-------------+----------> REKEYING-IKE    |
 *                         | a new child       |                 | a new SA |
 *                      DELETING --> READY     +--> PROBING   RETIRING -----+
 *   Any -> CLOSING (told to) -> OVER; any -> OVER: silence, a refusal, the peer's Delete */
#include "core/ike/ike_state.h"

#define RETRY_US     (500 * LB_US_MS) /* doubled with each repetition */
#define RETRY_MAX_US (8 * LB_US_SEC)
#define KEEPALIVE_US (20 * LB_US_SEC) /* RFC 3948 4 */
#define GIVE_UP_S    30
#define REKEY_S      3600
#define REKEY_IKE_S  14400
#define PROBE_S      30

const char *lb_ike_state_word(enum lb_ike_state state) {
    static const char *const words[] = {
        [LB_IKE_IDLE] = "IDLE",           [LB_IKE_INIT_SENT] = "INIT-SENT",
        [LB_IKE_INIT_DONE] = "INIT-DONE", [LB_IKE_AUTH_SENT] = "AUTH-SENT",
        [LB_IKE_READY] = "READY",         [LB_IKE_REKEYING] = "REKEYING",
        [LB_IKE_DELETING] = "DELETING",   [LB_IKE_PROBING] = "PROBING",
        [LB_IKE_CLOSING] = "CLOSING",     [LB_IKE_OVER] = "OVER",
        [LB_IKE_RETIRING] = "RETIRING",   [LB_IKE_REKEYING_IKE] = "REKEYING-IKE",
    };
    return words[state];
}

static uint64_t or_else_us(uint32_t seconds, uint32_t otherwise_s) {
    return (seconds != 0 ? seconds : otherwise_s) * LB_US_SEC;
}

uint64_t lb_ike_give_up_us(const struct lb_ike *ike) {
    return or_else_us(ike->config.give_up_s, GIVE_UP_S);
}

static bool is_asking(const struct lb_ike *ike) {
    switch (ike->state) {
    case LB_IKE_INIT_SENT:
    case LB_IKE_AUTH_SENT:
    case LB_IKE_REKEYING:
    case LB_IKE_DELETING:
    case LB_IKE_REKEYING_IKE:
    case LB_IKE_RETIRING:
    case LB_IKE_PROBING:
    case LB_IKE_CLOSING:
        return true;
    case LB_IKE_IDLE:
    case LB_IKE_INIT_DONE:
    case LB_IKE_READY:
    case LB_IKE_OVER:
        return false;
    }
    return false;
}

static void wait_for_answer(struct lb_ike *ike, uint64_t now_us) {
    uint64_t wait_us = lb_pace(RETRY_US, RETRY_MAX_US, ike->tries);
    ike->deadline_us =
        now_us + wait_us - wait_us / 8 + lb_rand_below(ike->rand, (uint32_t)(wait_us / 4));
}

void lb_ike_enter(struct lb_ike *ike, uint64_t now_us, enum lb_ike_state state) {
    if (state != ike->state)
        lb_trace(ike->trace, now_us, "ike", "%s -> %s", lb_ike_state_word(ike->state),
                 lb_ike_state_word(state));
    ike->state = state;
    ike->tries = 0;
    ike->due &= ~(unsigned)DUE_REQUEST;
    ike->deadline_us = ike->give_up_us = LB_NEVER;
    if (state == LB_IKE_INIT_DONE) /* a peer that never proved itself is forgotten */
        ike->give_up_us = now_us + lb_ike_give_up_us(ike);
    if (!is_asking(ike))
        return;
    ike->due |= DUE_REQUEST;
    ike->give_up_us = now_us + lb_ike_give_up_us(ike);
    wait_for_answer(ike, now_us);
}

void lb_ike_fail(struct lb_ike *ike, uint64_t now_us, enum lb_code code, const char *what) {
    if (lb_is_ok(&ike->error))
        lb_fail(&ike->error, code, "%s: %s", lb_endpoint_text(ike->remote).s, what);
    lb_trace(ike->trace, now_us, "ike", "over: %s: %s", lb_code_word(ike->error.code),
             ike->error.facts);
    lb_ike_enter(ike, now_us, LB_IKE_OVER);
    ike->due &= (unsigned)(DUE_ANSWER | DUE_OLD_ANSWER | DUE_SPARE_ANSWER);
    ike->due |= DUE_FAILED;
}

static unsigned due_answer(const struct lb_ike *ike, const struct lb_ike_sa *sa) {
    return sa == &ike->old ? DUE_OLD_ANSWER : sa == &ike->spare ? DUE_SPARE_ANSWER : DUE_ANSWER;
}

void lb_ike_answered(struct lb_ike *ike, struct lb_ike_sa *sa) {
    sa->has_answer = true;
    sa->in_id++;
    ike->due |= due_answer(ike, sa);
}

void lb_ike_replace_sa(struct lb_ike *ike, uint64_t now_us, const struct lb_ike_sa *sa) {
    ike->old = ike->sa;
    ike->sa = *sa;
    if (ike->due & DUE_ANSWER)
        ike->due = (ike->due & ~(unsigned)DUE_ANSWER) | DUE_OLD_ANSWER;
    /* Who asked for the new one deletes the old one; when that never comes, it goes without. */
    ike->old_us = now_us + 2 * lb_ike_give_up_us(ike);
    lb_ike_set_rekey_ike(ike, now_us);
    lb_trace(ike->trace, now_us, "ike", "new keys of the IKE SA");
}

bool lb_ike_is_replacing(const struct lb_ike *ike) {
    return ike->old.is_there && !ike->old.is_deleted;
}

/* Up to a tenth earlier, so that both ends seldom ask at once. */
static uint64_t about_us(struct lb_ike *ike, uint64_t now_us, uint64_t in_us) {
    return now_us + in_us -
           lb_rand_below(ike->rand, (uint32_t)(in_us / 10 / LB_US_MS) + 1) * LB_US_MS;
}

void lb_ike_set_rekey_ike(struct lb_ike *ike, uint64_t now_us) {
    ike->rekey_ike_us = about_us(ike, now_us, or_else_us(ike->config.rekey_ike_s, REKEY_IKE_S));
}

uint32_t lb_ike_new_spi(struct lb_ike *ike) {
    uint32_t spi;
    do
        spi = lb_rand_u32(ike->rand);
    while (spi < 256);
    return spi;
}

void lb_ike_set_terms(struct lb_ike *ike, const struct lb_ike_child *child, bool has_esn) {
    struct lb_ipsec_terms *terms = &ike->terms;
    terms->mode = ike->config.mode;
    terms->has_esn = has_esn;
    terms->out_spi = child->out_spi;
    terms->in_spi = child->in_spi;
    terms->local = ike->local;
    terms->remote = ike->remote;
    terms->in_udp = ike->in_udp;
    terms->selector = ike->agreed;
}

void lb_ike_child_up(struct lb_ike *ike, uint64_t now_us) {
    const struct lb_ipsec_terms *terms = &ike->terms;
    ike->child = (struct lb_ike_child){terms->in_spi, terms->out_spi, true};
    ike->rekey_us = about_us(ike, now_us, or_else_us(ike->config.rekey_s, REKEY_S));
    ike->due |= DUE_UP;
    lb_trace(ike->trace, now_us, "ike", "SAs %08x out, %08x in%s%s", terms->out_spi, terms->in_spi,
             terms->has_esn ? ", long numbers" : "", ike->in_udp ? ", in UDP" : "");
}

/* ---- from outside ---- */

static bool is_id(const char *id) {
    size_t len = id == NULL ? 0 : lb_strlen(id);
    return len > 0 && len <= 255;
}

static void make_key_pair(struct lb_ike *ike, struct lb_dh *made_or_null) {
    ike->config.key_pair = NULL; /* it is the caller's */
    if (made_or_null == NULL || made_or_null->value_len == 0) {
        lb_dh_init(&ike->dh, ike->config.group ? ike->config.group : LB_DH_X25519, ike->rand);
        return;
    }
    ike->dh = *made_or_null;
    lb_wipe(made_or_null, sizeof *made_or_null);
}

void lb_ike_init(struct lb_ike *ike, uint64_t now_us, const struct lb_ike_config *config,
                 struct lb_rand *rand, struct lb_trace *trace) {
    memset(ike, 0, sizeof *ike);
    ike->config = *config;
    ike->rand = rand;
    ike->trace = trace;
    ike->is_initiator = !config->is_responder;
    ike->local = (struct lb_endpoint){.addr = config->local, .port = LB_IKE_PORT};
    ike->remote = (struct lb_endpoint){.addr = config->remote, .port = LB_IKE_PORT};
    if (config->no_ports)
        ike->local.port = ike->remote.port = LB_IKE_NAT_PORT;
    ike->deadline_us = ike->give_up_us = ike->rekey_us = ike->rekey_ike_us = LB_NEVER;
    ike->old_us = ike->spare_us = LB_NEVER;
    ike->agreed = config->selector;
    ike->sa.is_initiator = ike->is_initiator;
    ike->heard_us = ike->sent_us = now_us;
    ike->sa.out_id = config->is_responder ? UINT32_MAX : 0; /* counted up before each request */
    if (config->psk.len < LB_IKE_PSK_MIN || !is_id(config->id) || !is_id(config->peer_id)) {
        lb_ike_fail(ike, now_us, LB_E_IPSEC_AUTH, "a key under 16 bytes, or no identities");
        return;
    }
    if (!lb_ike_asks(ike)) {
        lb_rand_fill(rand, lb_span(ike->cookie_key, sizeof ike->cookie_key));
        return;
    }
    lb_rand_fill(rand, lb_span(ike->sa.spi_i, 8));
    lb_rand_fill(rand, lb_span(ike->nonce_i, LB_IKE_NONCE_BYTES));
    ike->nonce_i_len = LB_IKE_NONCE_BYTES;
    make_key_pair(ike, config->key_pair);
    lb_ike_ask_init(ike, now_us);
}

void lb_ike_adopt(struct lb_ike *ike, struct lb_bytes psk, const char *id, const char *peer_id,
                  struct lb_rand *rand, struct lb_trace *trace) {
    ike->config.psk = psk;
    ike->config.id = id;
    ike->config.peer_id = peer_id;
    ike->rand = rand;
    ike->trace = trace;
}

void lb_ike_rekey(struct lb_ike *ike, uint64_t now_us) {
    (void)now_us;
    if (ike->state != LB_IKE_OVER)
        ike->due |= DUE_REKEY;
}

void lb_ike_rekey_ike(struct lb_ike *ike, uint64_t now_us) {
    (void)now_us;
    if (ike->state != LB_IKE_OVER)
        ike->due |= DUE_REKEY_IKE;
}

void lb_ike_probe(struct lb_ike *ike, uint64_t now_us) {
    (void)now_us;
    if (ike->state != LB_IKE_OVER)
        ike->due |= DUE_PROBE;
}

void lb_ike_close(struct lb_ike *ike, uint64_t now_us) {
    if (ike->state == LB_IKE_OVER)
        return;
    if (ike->child.is_there)
        ike->due |= DUE_CLOSE;
    else
        lb_ike_fail(ike, now_us, LB_E_CANCELLED, "closed");
}

void lb_ike_end(struct lb_ike *ike) {
    lb_wipe(ike, sizeof *ike);
}

/* ---- input ---- */

void lb_ike_forget_old(struct lb_ike *ike) {
    lb_wipe(&ike->old, sizeof ike->old);
    ike->old_us = LB_NEVER;
    ike->due &= ~(unsigned)DUE_OLD_ANSWER;
}

void lb_ike_forget_spare(struct lb_ike *ike) {
    lb_wipe(&ike->spare, sizeof ike->spare);
    ike->spare_us = LB_NEVER;
    ike->due &= ~(unsigned)DUE_SPARE_ANSWER;
}

/* Its end was answered, or nobody answers. */
static void retired(struct lb_ike *ike, uint64_t now_us) {
    if (ike->retires_spare)
        lb_ike_forget_spare(ike);
    else
        lb_ike_forget_old(ike);
    lb_ike_enter(ike, now_us, LB_IKE_READY);
}

static const char *on_answer(struct lb_ike *ike, uint64_t now_us, uint8_t exchange,
                             const struct lb_ike_parsed *parsed) {
    switch (ike->state) {
    case LB_IKE_AUTH_SENT:
        return exchange == LB_IKE_AUTH ? lb_ike_auth_answer(ike, now_us, parsed) : "out of place";
    case LB_IKE_REKEYING:
        if (exchange != LB_IKE_CREATE_CHILD_SA)
            return "out of place";
        return lb_ike_rekey_answer(ike, now_us, parsed);
    case LB_IKE_REKEYING_IKE:
        if (exchange != LB_IKE_CREATE_CHILD_SA)
            return "out of place";
        return lb_ike_rekey_ike_answer(ike, now_us, parsed);
    case LB_IKE_DELETING:
        if (ike->deleted_spi != 0) {
            ike->gone_spi = ike->deleted_spi;
            ike->due |= DUE_GONE;
            ike->last = (struct lb_ike_child){0};
        }
        lb_ike_enter(ike, now_us, LB_IKE_READY);
        return NULL;
    case LB_IKE_RETIRING:
        retired(ike, now_us);
        return NULL;
    case LB_IKE_PROBING:
        lb_ike_enter(ike, now_us, LB_IKE_READY);
        return NULL;
    case LB_IKE_CLOSING:
        lb_ike_fail(ike, now_us, LB_E_CANCELLED, "closed");
        return NULL;
    case LB_IKE_IDLE:
    case LB_IKE_INIT_SENT:
    case LB_IKE_INIT_DONE:
    case LB_IKE_READY:
    case LB_IKE_OVER:
        break;
    }
    return "nothing was asked";
}

/* The IKE SA in which our request was asked. */
static const struct lb_ike_sa *asked_in(const struct lb_ike *ike) {
    if (ike->state != LB_IKE_RETIRING)
        return &ike->sa;
    return ike->retires_spare ? &ike->spare : &ike->old;
}

/* A message that only the peer could make. */
static const char *on_sealed(struct lb_ike *ike, uint64_t now_us, struct lb_ike_sa *sa,
                             const struct lb_ike_header *header, struct lb_span message) {
    struct lb_ike_parsed parsed;
    bool is_answer = header->flags & LB_IKE_FLAG_RESPONSE;
    bool was_answered = !is_answer && sa->has_answer && header->id + 1 == sa->in_id;
    bool is_expected = is_answer ? is_asking(ike) && sa == asked_in(ike) && header->id == sa->out_id
                                 : header->id == sa->in_id;
    if (!is_expected && !was_answered)
        return "another message ID";
    if (!lb_ike_unseal(sa, header, message, &parsed))
        return "not authentic, or malformed";
    ike->heard_us = now_us;
    if (was_answered) { /* RFC 7296 2.1: the answer was lost, and is sent again */
        ike->due |= due_answer(ike, sa);
        return NULL;
    }
    if (is_answer)
        return on_answer(ike, now_us, header->exchange, &parsed);
    if (!lb_ike_asks(ike) && ike->state == LB_IKE_INIT_DONE)
        return header->exchange == LB_IKE_AUTH ? lb_ike_auth_request(ike, now_us, &parsed)
                                               : "out of place";
    return lb_ike_request(ike, now_us, sa, header->exchange, &parsed);
}

static bool is_init_again(const struct lb_ike *ike, struct lb_bytes message) {
    return !lb_ike_asks(ike) && ike->state == LB_IKE_INIT_DONE &&
           lb_bytes_equal(message, lb_bytes(ike->init_i.bytes + 4, ike->init_i.len));
}

static const char *on_init(struct lb_ike *ike, uint64_t now_us, const struct lb_ike_header *header,
                           struct lb_endpoint from, struct lb_endpoint to,
                           struct lb_bytes message) {
    bool is_answer = header->flags & LB_IKE_FLAG_RESPONSE;
    if (is_answer)
        return ike->state == LB_IKE_INIT_SENT && memcmp(header->spi_i, ike->sa.spi_i, 8) == 0
                   ? lb_ike_init_answer(ike, now_us, header, message)
                   : "nothing was asked";
    if (is_init_again(ike, message)) {
        ike->due |= DUE_ANSWER;
        return NULL;
    }
    if (lb_ike_asks(ike) || (ike->state != LB_IKE_IDLE && ike->state != LB_IKE_INIT_DONE))
        return "not a responder, or busy";
    return lb_ike_init_request(ike, now_us, header, from, to, message);
}

static bool is_of(const struct lb_ike_sa *sa, const struct lb_ike_header *header) {
    bool of_initiator = header->flags & LB_IKE_FLAG_INITIATOR;
    return sa->is_there && of_initiator != sa->is_initiator &&
           memcmp(header->spi_i, sa->spi_i, 8) == 0 && memcmp(header->spi_r, sa->spi_r, 8) == 0;
}

static const char *take(struct lb_ike *ike, uint64_t now_us, struct lb_endpoint from,
                        struct lb_endpoint to, struct lb_span message) {
    struct lb_ike_header header;
    struct lb_bytes bytes = lb_bytes(message.p, message.len);
    if (ike->state == LB_IKE_OVER)
        return "it is over";
    if (!lb_ike_read_header(bytes, &header))
        return "no message of IKEv2";
    if (header.exchange == LB_IKE_SA_INIT) {
        if (((header.flags & LB_IKE_FLAG_INITIATOR) != 0) == lb_ike_asks(ike))
            return "of our own side";
        return header.id == 0 ? on_init(ike, now_us, &header, from, to, bytes)
                              : "another message ID";
    }
    struct lb_ike_sa *sa = is_of(&ike->sa, &header)      ? &ike->sa
                           : is_of(&ike->spare, &header) ? &ike->spare
                                                         : &ike->old;
    if (!is_of(sa, &header))
        return "of another association";
    const char *why = on_sealed(ike, now_us, sa, &header, message);
    if (why == NULL && !lb_ike_asks(ike)) { /* RFC 7296 2.23: a NAT may have moved the peer */
        ike->remote = from;
        ike->local.port = to.port;
    }
    return why;
}

bool lb_ike_input(struct lb_ike *ike, uint64_t now_us, struct lb_endpoint from,
                  struct lb_endpoint to, struct lb_span payload) {
    const char *why = "on port 4500 without the four zeros";
    struct lb_rd rd = lb_rd(lb_bytes(payload.p, payload.len));
    bool has_mark = to.port == LB_IKE_NAT_PORT;
    if (!has_mark || (lb_rd_u32(&rd) == 0 && lb_rd_ok(&rd))) {
        size_t mark = has_mark ? 4 : 0;
        why = take(ike, now_us, from, to, lb_span(payload.p + mark, payload.len - mark));
    }
    if (why == NULL)
        return true;
    ike->ignored++;
    ike->ignored_why = why;
    lb_trace(ike->trace, now_us, "ike", "ignored in %s, from %s: %s", lb_ike_state_word(ike->state),
             lb_endpoint_text(from).s, why);
    return false;
}

/* ---- poll ---- */

static void give_up(struct lb_ike *ike, uint64_t now_us) {
    switch (ike->state) {
    case LB_IKE_INIT_DONE:
        lb_wipe(&ike->sa, sizeof ike->sa); /* its initiator has not proved itself */
        lb_ike_enter(ike, now_us, LB_IKE_IDLE);
        return;
    case LB_IKE_INIT_SENT:
        lb_ike_fail(ike, now_us, LB_E_IPSEC_SILENT, "no answer to IKE_SA_INIT");
        return;
    case LB_IKE_AUTH_SENT:
        lb_ike_fail(ike, now_us, LB_E_IPSEC_SILENT, "no answer to IKE_AUTH");
        return;
    case LB_IKE_CLOSING:
        lb_ike_fail(ike, now_us, LB_E_CANCELLED, "closed");
        return;
    case LB_IKE_RETIRING: /* the new one will show whether the peer is there */
        retired(ike, now_us);
        return;
    case LB_IKE_IDLE:
    case LB_IKE_READY:
    case LB_IKE_REKEYING:
    case LB_IKE_REKEYING_IKE:
    case LB_IKE_DELETING:
    case LB_IKE_PROBING:
    case LB_IKE_OVER:
        lb_ike_fail(ike, now_us, LB_E_IPSEC_LOST, "the peer does not answer any more");
        return;
    }
}

/* What is asked of a peer that is asked nothing else: one request at a time. */
static void ask_next(struct lb_ike *ike, uint64_t now_us) {
    if (ike->state != LB_IKE_READY)
        return;
    if (ike->due & DUE_CLOSE)
        lb_ike_ask_delete(ike, now_us, 0);
    else if ((ike->due & DUE_REKEY) || now_us >= ike->rekey_us)
        lb_ike_ask_rekey(ike, now_us);
    else if (((ike->due & DUE_REKEY_IKE) || now_us >= ike->rekey_ike_us) &&
             !lb_ike_is_replacing(ike))
        lb_ike_ask_rekey_ike(ike, now_us);
    else if ((ike->due & DUE_PROBE) ||
             now_us >= ike->heard_us + or_else_us(ike->config.probe_s, PROBE_S))
        lb_ike_ask_probe(ike, now_us);
    else
        return;
    ike->due &= ~(unsigned)(ike->state == LB_IKE_CLOSING        ? DUE_CLOSE
                            : ike->state == LB_IKE_REKEYING     ? DUE_REKEY
                            : ike->state == LB_IKE_REKEYING_IKE ? DUE_REKEY_IKE
                                                                : DUE_PROBE);
}

static uint64_t next_deadline(const struct lb_ike *ike) {
    uint64_t at_us =
        LB_MIN(LB_MIN(ike->deadline_us, ike->give_up_us), LB_MIN(ike->old_us, ike->spare_us));
    if (ike->state != LB_IKE_READY)
        return at_us;
    at_us = LB_MIN(at_us, ike->rekey_us);
    at_us = LB_MIN(at_us, lb_ike_is_replacing(ike) ? LB_NEVER : ike->rekey_ike_us);
    at_us = LB_MIN(at_us, ike->heard_us + or_else_us(ike->config.probe_s, PROBE_S));
    return ike->in_udp ? LB_MIN(at_us, ike->sent_us + KEEPALIVE_US) : at_us;
}

static struct lb_ike_action send(struct lb_ike *ike, uint64_t now_us, struct lb_bytes bytes) {
    ike->sent_us = now_us;
    return (struct lb_ike_action){
        .event = LB_IKE_SEND, .bytes = bytes, .from = ike->local, .to = ike->remote};
}

/* With the four zeros before it, where they belong. */
static struct lb_ike_action send_message(struct lb_ike *ike, uint64_t now_us,
                                         struct lb_ike_buffer *buffer) {
    size_t mark = ike->local.port == LB_IKE_NAT_PORT ? 4 : 0;
    memset(buffer->bytes, 0, 4);
    return send(ike, now_us, lb_bytes(buffer->bytes + 4 - mark, buffer->len + mark));
}

/* To an initiator of which no state is kept. */
static struct lb_ike_action send_refusal(struct lb_ike *ike) {
    bool on_nat_port = ike->stranger_port == LB_IKE_NAT_PORT;
    struct lb_endpoint from = {.addr = ike->local.addr, .port = ike->stranger_port};
    size_t mark = on_nat_port ? 4 : 0;
    memset(ike->refusal.bytes, 0, 4);
    return (struct lb_ike_action){
        .event = LB_IKE_SEND,
        .bytes = lb_bytes(ike->refusal.bytes + 4 - mark, ike->refusal.len + mark),
        .from = from,
        .to = ike->stranger};
}

static bool take_due(struct lb_ike *ike, enum due due) {
    bool is_due = ike->due & due;
    ike->due &= ~(unsigned)due;
    return is_due;
}

/* What is being asked in is still needed. */
static void forget_in_time(struct lb_ike *ike, uint64_t now_us) {
    if (now_us >= ike->old_us && asked_in(ike) != &ike->old)
        lb_ike_forget_old(ike);
    if (now_us >= ike->spare_us && asked_in(ike) != &ike->spare)
        lb_ike_forget_spare(ike);
}

struct lb_ike_action lb_ike_poll(struct lb_ike *ike, uint64_t now_us) {
    static const uint8_t keepalive = 0xff;
    if (now_us >= ike->give_up_us) {
        give_up(ike, now_us);
    } else if (now_us >= ike->deadline_us) {
        ike->tries++;
        ike->due |= DUE_REQUEST;
        wait_for_answer(ike, now_us);
    }
    forget_in_time(ike, now_us);
    if (take_due(ike, DUE_REFUSAL))
        return send_refusal(ike);
    if (take_due(ike, DUE_OLD_ANSWER))
        return send_message(ike, now_us, &ike->old.answer);
    if (take_due(ike, DUE_SPARE_ANSWER))
        return send_message(ike, now_us, &ike->spare.answer);
    if (take_due(ike, DUE_ANSWER))
        return send_message(ike, now_us, &ike->sa.answer);
    if (take_due(ike, DUE_UP))
        return (struct lb_ike_action){.event = LB_IKE_UP, .terms = &ike->terms};
    lb_wipe(ike->terms.out_key, sizeof ike->terms.out_key); /* the host has them now */
    lb_wipe(ike->terms.in_key, sizeof ike->terms.in_key);
    if (take_due(ike, DUE_GONE))
        return (struct lb_ike_action){.event = LB_IKE_GONE, .spi = ike->gone_spi};
    if (take_due(ike, DUE_FAILED))
        return (struct lb_ike_action){.event = LB_IKE_FAILED};
    ask_next(ike, now_us);
    if (take_due(ike, DUE_REQUEST))
        return send_message(ike, now_us, &ike->request);
    if (ike->state == LB_IKE_READY && ike->in_udp && now_us >= ike->sent_us + KEEPALIVE_US)
        return send(ike, now_us, lb_bytes(&keepalive, 1));
    return (struct lb_ike_action){.event = LB_IKE_WAIT, .until_us = next_deadline(ike)};
}
