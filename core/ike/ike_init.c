/* IKE_SA_INIT and IKE_AUTH, both sides: RFC 7296 1.2. */
#include "core/ike/ike_state.h"

enum { AUTH_SHARED_KEY = 2, AUTH_BYTES = 36, ID_MAX = 4 + 255, GROUP_TRIES = 2, COOKIE_TRIES = 8 };

/* ---- what both sides do ---- */

static void keep_message(struct lb_ike_buffer *buffer, struct lb_bytes message) {
    memcpy(buffer->bytes + 4, message.p, message.len);
    buffer->len = message.len;
}

static struct lb_bytes id_body(const char *id, uint8_t room[ID_MAX]) {
    struct lb_wr wr = lb_wr(lb_span(room, ID_MAX));
    lb_ike_put_id(&wr, id);
    return lb_wr_done(&wr);
}

static void put_nat(struct lb_ike *ike, struct lb_ike_out *out, bool with_spi_r) {
    uint8_t hash[20];
    lb_ike_nat_hash(ike, with_spi_r, ike->local, hash);
    if (ike->config.in_udp) /* no hash of any address: the peer sees a NAT before us */
        memset(hash, 0, sizeof hash);
    lb_ike_put_notify(out, LB_IKE_N_NAT_SOURCE, 0, lb_bytes(hash, sizeof hash));
    lb_ike_nat_hash(ike, with_spi_r, ike->remote, hash);
    lb_ike_put_notify(out, LB_IKE_N_NAT_DESTINATION, 0, lb_bytes(hash, sizeof hash));
}

/* RFC 7296 2.23: addresses that are not what the other side sees were changed on the way. */
static bool has_nat(const struct lb_ike *ike, const struct lb_ike_parsed *parsed, bool with_spi_r) {
    uint8_t ours[20], theirs[20];
    bool is_same = parsed->nat_source_count == 0;
    if (parsed->nat_destination.len == 0)
        return false; /* the peer does not traverse NATs */
    lb_ike_nat_hash(ike, with_spi_r, ike->local, ours);
    lb_ike_nat_hash(ike, with_spi_r, ike->remote, theirs);
    for (size_t i = 0; i < parsed->nat_source_count; i++)
        is_same = is_same || lb_bytes_equal(parsed->nat_source[i], lb_bytes(theirs, 20));
    return ike->config.in_udp || !is_same ||
           !lb_bytes_equal(parsed->nat_destination, lb_bytes(ours, 20));
}

static void use_nat_ports(struct lb_ike *ike) {
    ike->in_udp = true;
    ike->local.port = ike->remote.port = LB_IKE_NAT_PORT;
}

static bool keep_nonce(uint8_t *to, size_t *len, struct lb_bytes nonce) {
    if (nonce.len == 0)
        return false;
    memcpy(to, nonce.p, nonce.len);
    *len = nonce.len;
    return true;
}

static bool agree(struct lb_ike *ike, struct lb_bytes value) {
    uint8_t shared[LB_DH_SECRET_BYTES];
    bool ok = lb_dh_agree(&ike->dh, value, shared);
    if (ok)
        lb_ike_derive(ike, shared);
    lb_wipe(shared, sizeof shared);
    lb_wipe(&ike->dh, sizeof ike->dh);
    return ok;
}

/* IDi or IDr, and AUTH over it. */
static void put_proof(struct lb_ike *ike, struct lb_ike_out *out) {
    uint8_t room[ID_MAX], mac[32];
    struct lb_bytes id = id_body(ike->config.id, room);
    lb_ike_put(out, lb_ike_asks(ike) ? LB_IKE_P_IDI : LB_IKE_P_IDR, id);
    lb_ike_auth_value(ike, lb_ike_asks(ike), id, mac);
    size_t opened = lb_ike_open_payload(out, LB_IKE_P_AUTH);
    lb_wr_u32(&out->wr, (uint32_t)AUTH_SHARED_KEY << 24);
    lb_wr_bytes(&out->wr, lb_bytes(mac, sizeof mac));
    lb_ike_close_payload(out, opened);
    lb_wipe(mac, sizeof mac);
}

static bool is_proved(const struct lb_ike *ike, struct lb_bytes id, struct lb_bytes auth) {
    uint8_t expected[AUTH_BYTES] = {AUTH_SHARED_KEY};
    lb_ike_auth_value(ike, !lb_ike_asks(ike), id, expected + 4);
    return lb_equal_secret(auth, lb_bytes(expected, sizeof expected));
}

static bool is_wanted_id(const struct lb_ike *ike, struct lb_bytes id) {
    uint8_t room[ID_MAX];
    return lb_bytes_equal(id, id_body(ike->config.peer_id, room));
}

static void put_selectors(struct lb_ike *ike, struct lb_ike_out *out) {
    const struct lb_ipsec_selector *selector = &ike->config.selector;
    lb_ike_put_ts(out, LB_IKE_P_TSI, selector, lb_ike_asks(ike));
    lb_ike_put_ts(out, LB_IKE_P_TSR, selector, !lb_ike_asks(ike));
    if (ike->config.mode == LB_IPSEC_TRANSPORT)
        lb_ike_put_notify(out, LB_IKE_N_TRANSPORT, 0, lb_bytes(NULL, 0));
}

/* The keys of the first child: RFC 7296 2.17. */
static void first_child(struct lb_ike *ike, uint64_t now_us, const struct lb_ike_choice *choice) {
    lb_ike_child_keys(ike, lb_bytes(NULL, 0), lb_bytes(ike->nonce_i, ike->nonce_i_len),
                      lb_bytes(ike->nonce_r, ike->nonce_r_len), lb_ike_asks(ike),
                      choice->key_bytes);
    lb_ike_set_terms(ike, &ike->next, choice->has_esn);
    lb_ike_child_up(ike, now_us);
    lb_ike_set_rekey_ike(ike, now_us);
}

/* ---- initiator ---- */

void lb_ike_ask_init(struct lb_ike *ike, uint64_t now_us) {
    struct lb_ike_header header = {.exchange = LB_IKE_SA_INIT, .flags = LB_IKE_FLAG_INITIATOR};
    memcpy(header.spi_i, ike->sa.spi_i, 8);
    struct lb_ike_out out =
        lb_ike_begin(lb_span(ike->request.bytes + 4, LB_IKE_MESSAGE_MAX), &header);
    if (ike->cookie_len > 0)
        lb_ike_put_notify(&out, LB_IKE_N_COOKIE, 0, lb_bytes(ike->cookie, ike->cookie_len));
    lb_ike_put_offer(&out, LB_IKE_PROTO_IKE, lb_bytes(NULL, 0), (uint16_t)ike->dh.group);
    lb_ike_put_ke(&out, &ike->dh);
    lb_ike_put(&out, LB_IKE_P_NONCE, lb_bytes(ike->nonce_i, ike->nonce_i_len));
    put_nat(ike, &out, false);
    lb_assert(lb_wr_ok(&out.wr));
    lb_wr_u32_at(&out.wr, 24, (uint32_t)out.wr.len);
    ike->request.len = out.wr.len;
    keep_message(&ike->init_i, lb_bytes(ike->request.bytes + 4, ike->request.len));
    lb_ike_enter(ike, now_us, LB_IKE_INIT_SENT);
}

static void ask_auth(struct lb_ike *ike, uint64_t now_us) {
    uint8_t room[ID_MAX], spi[4];
    ike->next = (struct lb_ike_child){.in_spi = lb_ike_new_spi(ike)};
    struct lb_ike_sealed sealed =
        lb_ike_begin_sealed(&ike->sa, &ike->request, LB_IKE_AUTH, false, ++ike->sa.out_id);
    put_proof(ike, &sealed.out);
    lb_ike_put(&sealed.out, LB_IKE_P_IDR, id_body(ike->config.peer_id, room));
    if (!ike->config.is_second)
        lb_ike_put_notify(&sealed.out, LB_IKE_N_INITIAL_CONTACT, 0, lb_bytes(NULL, 0));
    lb_ike_put_offer(&sealed.out, LB_IKE_PROTO_ESP, lb_ike_spi(ike->next.in_spi, spi), 0);
    put_selectors(ike, &sealed.out);
    lb_ike_end_sealed(&ike->sa, &ike->request, &sealed);
    lb_ike_enter(ike, now_us, LB_IKE_AUTH_SENT);
}

/* RFC 7296 2.6, 1.2: asked again, with what the peer wants beside it. */
static const char *ask_again(struct lb_ike *ike, uint64_t now_us,
                             const struct lb_ike_parsed *parsed) {
    uint16_t group = parsed->wanted_group;
    if (parsed->cookie.len > 0 && ike->cookie_tries++ < COOKIE_TRIES) {
        memcpy(ike->cookie, parsed->cookie.p, parsed->cookie.len);
        ike->cookie_len = parsed->cookie.len;
    } else if ((group == LB_DH_P256 || group == LB_DH_X25519) && group != ike->dh.group &&
               ike->group_tries++ < GROUP_TRIES) {
        lb_dh_init(&ike->dh, (enum lb_dh_group)group, ike->rand);
    } else {
        if (parsed->error == 0)
            return "a cookie once more";
        if (group == ike->dh.group)
            return "the answer to a question before"; /* which somebody has repeated */
        /* Anybody can say this: only silence after it makes it the reason. */
        lb_error_clear(&ike->error);
        lb_fail(&ike->error, LB_E_IPSEC_PROPOSAL, "%s says %s (%u)",
                lb_endpoint_text(ike->remote).s, lb_ike_notify_word(parsed->error),
                (unsigned)parsed->error);
        return "it refuses";
    }
    lb_ike_ask_init(ike, now_us);
    return NULL;
}

const char *lb_ike_init_answer(struct lb_ike *ike, uint64_t now_us,
                               const struct lb_ike_header *header, struct lb_bytes message) {
    static const uint8_t none[8] = {0};
    struct lb_ike_parsed parsed;
    struct lb_ike_choice choice;
    if (!lb_ike_parse(header->next, lb_bytes_after(message, LB_IKE_HEADER_BYTES), &parsed))
        return "malformed";
    if (parsed.cookie.len > 0 || parsed.error != 0)
        return ask_again(ike, now_us, &parsed);
    if (memcmp(header->spi_r, none, 8) == 0 || parsed.ke.len == 0 || parsed.nonce.len == 0 ||
        message.len > LB_IKE_MESSAGE_MAX)
        return "not a whole answer";
    if (!lb_ike_choose(parsed.sa, LB_IKE_PROTO_IKE, true, 0, true, &choice) ||
        choice.group != ike->dh.group || parsed.ke_group != ike->dh.group)
        return "a proposal that is none of ours";
    memcpy(ike->sa.spi_r, header->spi_r, 8);
    keep_message(&ike->init_r, message);
    keep_nonce(ike->nonce_r, &ike->nonce_r_len, parsed.nonce);
    ike->sa.key_bytes = choice.key_bytes;
    if (!agree(ike, parsed.ke)) {
        lb_ike_fail(ike, now_us, LB_E_IPSEC_PROPOSAL, "a public value that is no point");
        return NULL;
    }
    if (has_nat(ike, &parsed, true))
        use_nat_ports(ike);
    if (ike->config.in_udp && !ike->in_udp) {
        lb_ike_fail(ike, now_us, LB_E_IPSEC_PROPOSAL, "the peer has no ESP in UDP (RFC 3948)");
        return NULL;
    }
    ask_auth(ike, now_us);
    return NULL;
}

static void fail_auth(struct lb_ike *ike, uint64_t now_us, uint16_t error) {
    bool is_selector = error == LB_IKE_N_TS_UNACCEPTABLE;
    bool is_proposal = error == LB_IKE_N_NO_PROPOSAL;
    lb_ike_fail(ike, now_us,
                is_selector   ? LB_E_IPSEC_SELECTOR
                : is_proposal ? LB_E_IPSEC_PROPOSAL
                              : LB_E_IPSEC_AUTH,
                lb_ike_notify_word(error));
}

const char *lb_ike_auth_answer(struct lb_ike *ike, uint64_t now_us,
                               const struct lb_ike_parsed *parsed) {
    struct lb_ike_choice choice;
    if (parsed->auth.len == 0) {
        fail_auth(ike, now_us, parsed->error != 0 ? parsed->error : LB_IKE_N_AUTH_FAILED);
    } else if (!is_wanted_id(ike, parsed->id_r)) {
        lb_ike_fail(ike, now_us, LB_E_IPSEC_AUTH, "the peer has another identity");
    } else if (!is_proved(ike, parsed->id_r, parsed->auth)) {
        lb_ike_fail(ike, now_us, LB_E_IPSEC_AUTH, "the peer does not have our key");
    } else if (parsed->error != 0) {
        fail_auth(ike, now_us, parsed->error);
    } else if (!lb_ike_choose(parsed->sa, LB_IKE_PROTO_ESP, false, 0, true, &choice) ||
               !lb_ike_take_spi(&ike->next, &choice)) {
        lb_ike_fail(ike, now_us, LB_E_IPSEC_PROPOSAL, "a proposal for ESP that is none of ours");
    } else if (!lb_ike_agree_ts(ike, parsed)) {
        lb_ike_fail(ike, now_us, LB_E_IPSEC_SELECTOR, "other traffic selectors than asked for");
    } else if ((ike->config.mode == LB_IPSEC_TRANSPORT) != parsed->transport) {
        lb_ike_fail(ike, now_us, LB_E_IPSEC_SELECTOR, "another mode than asked for");
    } else {
        first_child(ike, now_us, &choice);
        lb_ike_enter(ike, now_us, LB_IKE_READY);
    }
    return NULL;
}

/* ---- responder ---- */

static const char *answer_init(struct lb_ike *ike, uint64_t now_us,
                               const struct lb_ike_choice *choice) {
    struct lb_ike_header header = {.exchange = LB_IKE_SA_INIT, .flags = LB_IKE_FLAG_RESPONSE};
    memcpy(header.spi_i, ike->sa.spi_i, 8);
    memcpy(header.spi_r, ike->sa.spi_r, 8);
    struct lb_ike_out out =
        lb_ike_begin(lb_span(ike->sa.answer.bytes + 4, LB_IKE_MESSAGE_MAX), &header);
    lb_ike_put_choice(&out, LB_IKE_PROTO_IKE, lb_bytes(NULL, 0), choice);
    lb_ike_put_ke(&out, &ike->dh);
    lb_ike_put(&out, LB_IKE_P_NONCE, lb_bytes(ike->nonce_r, ike->nonce_r_len));
    put_nat(ike, &out, true);
    lb_assert(lb_wr_ok(&out.wr));
    lb_wr_u32_at(&out.wr, 24, (uint32_t)out.wr.len);
    ike->sa.answer.len = out.wr.len;
    keep_message(&ike->init_r, lb_bytes(ike->sa.answer.bytes + 4, out.wr.len));
    lb_ike_enter(ike, now_us, LB_IKE_INIT_DONE);
    ike->sa.in_id = 0;
    lb_ike_answered(ike, &ike->sa);
    return NULL;
}

/* An answer without anything kept: COOKIE, INVALID_KE_PAYLOAD or NO_PROPOSAL_CHOSEN. */
static const char *refuse_init(struct lb_ike *ike, const struct lb_ike_header *request,
                               uint16_t notify, struct lb_bytes data) {
    struct lb_ike_header header = {.exchange = LB_IKE_SA_INIT, .flags = LB_IKE_FLAG_RESPONSE};
    memcpy(header.spi_i, request->spi_i, 8);
    struct lb_ike_out out =
        lb_ike_begin(lb_span(ike->refusal.bytes + 4, LB_IKE_MESSAGE_MAX), &header);
    lb_ike_put_notify(&out, notify, 0, data);
    lb_wr_u32_at(&out.wr, 24, (uint32_t)out.wr.len);
    ike->refusal.len = out.wr.len;
    ike->due |= DUE_REFUSAL;
    return NULL;
}

/* A new IKE SA with the initiator at this address. */
static void begin_sa(struct lb_ike *ike, const struct lb_ike_header *header,
                     struct lb_endpoint from, struct lb_endpoint to) {
    lb_wipe(&ike->sa, sizeof ike->sa);
    ike->sa.out_id = UINT32_MAX;
    memcpy(ike->sa.spi_i, header->spi_i, 8);
    lb_rand_fill(ike->rand, lb_span(ike->sa.spi_r, 8));
    lb_rand_fill(ike->rand, lb_span(ike->nonce_r, LB_IKE_NONCE_BYTES));
    ike->nonce_r_len = LB_IKE_NONCE_BYTES;
    ike->remote = from;
    ike->local.port = to.port;
}

const char *lb_ike_init_request(struct lb_ike *ike, uint64_t now_us,
                                const struct lb_ike_header *header, struct lb_endpoint from,
                                struct lb_endpoint to, struct lb_bytes message) {
    struct lb_ike_parsed parsed;
    struct lb_ike_choice choice;
    uint8_t cookie[32];
    uint16_t wanted = (uint16_t)(ike->config.group ? ike->config.group : LB_DH_X25519);
    if (!lb_ike_parse(header->next, lb_bytes_after(message, LB_IKE_HEADER_BYTES), &parsed) ||
        parsed.sa.len == 0 || parsed.ke.len == 0 || parsed.nonce.len == 0 ||
        message.len > LB_IKE_MESSAGE_MAX)
        return "malformed";
    ike->stranger = from;
    ike->stranger_port = to.port;
    lb_ike_cookie(ike, parsed.nonce, header->spi_i, from, cookie);
    bool needs_cookie = ike->config.asks_cookie || ike->state == LB_IKE_INIT_DONE;
    if (needs_cookie && !lb_equal_secret(parsed.cookie, lb_bytes(cookie, sizeof cookie)))
        return refuse_init(ike, header, LB_IKE_N_COOKIE, lb_bytes(cookie, sizeof cookie));
    if (!lb_ike_choose(parsed.sa, LB_IKE_PROTO_IKE, true, wanted, false, &choice))
        return refuse_init(ike, header, LB_IKE_N_NO_PROPOSAL, lb_bytes(NULL, 0));
    uint8_t group[2] = {(uint8_t)(choice.group >> 8), (uint8_t)choice.group};
    if (parsed.ke_group != choice.group)
        return refuse_init(ike, header, LB_IKE_N_INVALID_KE, lb_bytes(group, sizeof group));
    begin_sa(ike, header, from, to);
    keep_nonce(ike->nonce_i, &ike->nonce_i_len, parsed.nonce);
    keep_message(&ike->init_i, message);
    ike->sa.key_bytes = choice.key_bytes;
    lb_dh_init(&ike->dh, (enum lb_dh_group)choice.group, ike->rand);
    struct lb_dh ours = ike->dh;
    if (!agree(ike, parsed.ke))
        return "a public value that is no point";
    ike->dh = ours;
    ike->in_udp = has_nat(ike, &parsed, false);
    const char *why = answer_init(ike, now_us, &choice);
    lb_wipe(&ours, sizeof ours);
    lb_wipe(&ike->dh, sizeof ike->dh);
    return why;
}

static const char *refuse_auth(struct lb_ike *ike, uint64_t now_us, uint16_t error,
                               enum lb_code code) {
    struct lb_ike_sealed sealed =
        lb_ike_begin_sealed(&ike->sa, &ike->sa.answer, LB_IKE_AUTH, true, ike->sa.in_id);
    lb_ike_put_notify(&sealed.out, error, 0, lb_bytes(NULL, 0));
    lb_ike_end_sealed(&ike->sa, &ike->sa.answer, &sealed);
    lb_ike_answered(ike, &ike->sa);
    lb_ike_fail(ike, now_us, code, "the peer's identity, key, proposal or selectors");
    return NULL;
}

const char *lb_ike_auth_request(struct lb_ike *ike, uint64_t now_us,
                                const struct lb_ike_parsed *parsed) {
    const struct lb_ipsec_selector *selector = &ike->config.selector;
    bool has_nat = lb_ike_translates(ike);
    struct lb_ike_choice choice;
    uint8_t spi[4];
    if (!is_wanted_id(ike, parsed->id_i) || !is_proved(ike, parsed->id_i, parsed->auth))
        return refuse_auth(ike, now_us, LB_IKE_N_AUTH_FAILED, LB_E_IPSEC_AUTH);
    if (!lb_ike_choose(parsed->sa, LB_IKE_PROTO_ESP, false, 0, false, &choice) ||
        !lb_ike_take_spi(&ike->next, &choice))
        return refuse_auth(ike, now_us, LB_IKE_N_NO_PROPOSAL, LB_E_IPSEC_PROPOSAL);
    if (!lb_ike_has_ts(parsed->ts_i, selector, false, has_nat) ||
        !lb_ike_has_ts(parsed->ts_r, selector, true, has_nat) ||
        (ike->config.mode == LB_IPSEC_TRANSPORT) != parsed->transport)
        return refuse_auth(ike, now_us, LB_IKE_N_TS_UNACCEPTABLE, LB_E_IPSEC_SELECTOR);
    ike->next.in_spi = lb_ike_new_spi(ike);
    struct lb_ike_sealed sealed =
        lb_ike_begin_sealed(&ike->sa, &ike->sa.answer, LB_IKE_AUTH, true, ike->sa.in_id);
    put_proof(ike, &sealed.out);
    lb_ike_put_choice(&sealed.out, LB_IKE_PROTO_ESP, lb_ike_spi(ike->next.in_spi, spi), &choice);
    put_selectors(ike, &sealed.out);
    lb_ike_end_sealed(&ike->sa, &ike->sa.answer, &sealed);
    lb_ike_answered(ike, &ike->sa);
    first_child(ike, now_us, &choice);
    lb_ike_enter(ike, now_us, LB_IKE_READY);
    return NULL;
}
