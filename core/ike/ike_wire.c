/* IKEv2 messages to and from bytes. */
#include "core/ike/ike_wire.h"
#include "core/base/text.h"

enum {
    VERSION = 0x20,
    CRITICAL = 0x80,
    MORE_PROPOSALS = 2,
    MORE_TRANSFORMS = 3,
    T_ENCR = 1,
    T_PRF = 2,
    T_INTEG = 3,
    T_DH = 4,
    T_ESN = 5,
    ENCR_GCM_16 = 20,
    PRF_SHA256 = 5,
    KEY_LENGTH = 0x800e, /* the attribute, in its short form */
    ID_FQDN = 2,
    ID_RFC822 = 3,
    TS_IPV4 = 7,
    TS_IPV6 = 8,
    NONCE_MIN = 16,
    NONCE_MAX = 256,
};

const char *lb_ike_notify_word(unsigned type) {
    switch (type) {
    case LB_IKE_N_INVALID_SYNTAX:
        return "INVALID_SYNTAX";
    case LB_IKE_N_NO_PROPOSAL:
        return "NO_PROPOSAL_CHOSEN";
    case LB_IKE_N_INVALID_KE:
        return "INVALID_KE_PAYLOAD";
    case LB_IKE_N_AUTH_FAILED:
        return "AUTHENTICATION_FAILED";
    case LB_IKE_N_NO_ADDITIONAL_SAS:
        return "NO_ADDITIONAL_SAS";
    case LB_IKE_N_TS_UNACCEPTABLE:
        return "TS_UNACCEPTABLE";
    case LB_IKE_N_TEMPORARY:
        return "TEMPORARY_FAILURE";
    case LB_IKE_N_CHILD_NOT_FOUND:
        return "CHILD_SA_NOT_FOUND";
    default: /* a number of the wire, not an enum */
        return "an error";
    }
}

/* ---- reading ---- */

bool lb_ike_read_header(struct lb_bytes message, struct lb_ike_header *header) {
    struct lb_rd rd = lb_rd(message);
    struct lb_ike_header read;
    lb_rd_copy(&rd, read.spi_i, 8);
    lb_rd_copy(&rd, read.spi_r, 8);
    read.next = lb_rd_u8(&rd);
    uint8_t version = lb_rd_u8(&rd);
    read.exchange = lb_rd_u8(&rd);
    read.flags = lb_rd_u8(&rd);
    read.id = lb_rd_u32(&rd);
    read.len = lb_rd_u32(&rd);
    if (!lb_rd_ok(&rd) || version >> 4 != VERSION >> 4 || read.len != message.len)
        return false;
    *header = read;
    return true;
}

static void read_notify(struct lb_bytes body, struct lb_ike_parsed *parsed) {
    struct lb_rd rd = lb_rd(body);
    uint8_t protocol = lb_rd_u8(&rd), spi_len = lb_rd_u8(&rd);
    uint16_t type = lb_rd_u16(&rd);
    struct lb_bytes spi = lb_rd_bytes(&rd, spi_len), data = lb_rd_rest(&rd);
    struct lb_rd data_rd = lb_rd(data), spi_rd = lb_rd(spi);
    if (!lb_rd_ok(&rd))
        return;
    if (type < LB_IKE_N_STATUS && parsed->error == 0)
        parsed->error = type;
    if (type == LB_IKE_N_INVALID_KE && data.len == 2)
        parsed->wanted_group = lb_rd_u16(&data_rd);
    if (type == LB_IKE_N_COOKIE && data.len >= 1 && data.len <= LB_IKE_COOKIE_MAX)
        parsed->cookie = data;
    parsed->transport = parsed->transport || type == LB_IKE_N_TRANSPORT;
    parsed->initial_contact = parsed->initial_contact || type == LB_IKE_N_INITIAL_CONTACT;
    if (type == LB_IKE_N_REKEY_SA && protocol == LB_IKE_PROTO_ESP && spi.len == 4)
        parsed->rekey_spi = lb_rd_u32(&spi_rd);
    if (type == LB_IKE_N_NAT_SOURCE && parsed->nat_source_count < LB_IKE_NAT_HASHES)
        parsed->nat_source[parsed->nat_source_count++] = data;
    if (type == LB_IKE_N_NAT_DESTINATION)
        parsed->nat_destination = data;
}

static void read_delete(struct lb_bytes body, struct lb_ike_parsed *parsed) {
    struct lb_rd rd = lb_rd(body);
    uint8_t protocol = lb_rd_u8(&rd), spi_len = lb_rd_u8(&rd);
    uint16_t count = lb_rd_u16(&rd);
    if (protocol == LB_IKE_PROTO_IKE && spi_len == 0)
        parsed->deletes_ike = lb_rd_ok(&rd);
    if (protocol == LB_IKE_PROTO_ESP && spi_len == 4 && count > 0)
        parsed->deletes_spi = lb_rd_u32(&rd);
}

/* A payload that may be there once. */
static bool keep(struct lb_bytes *field, struct lb_bytes body) {
    bool is_first = field->len == 0;
    *field = body;
    return is_first && body.len > 0;
}

static bool read_ke(struct lb_bytes body, struct lb_ike_parsed *parsed) {
    struct lb_rd rd = lb_rd(body);
    parsed->ke_group = lb_rd_u16(&rd);
    lb_rd_skip(&rd, 2);
    return keep(&parsed->ke, lb_rd_rest(&rd)) && lb_rd_ok(&rd);
}

static bool read_payload(uint8_t type, bool is_critical, struct lb_bytes body,
                         struct lb_ike_parsed *parsed) {
    switch (type) {
    case LB_IKE_P_SA:
        return keep(&parsed->sa, body);
    case LB_IKE_P_KE:
        return read_ke(body, parsed);
    case LB_IKE_P_IDI:
        return keep(&parsed->id_i, body);
    case LB_IKE_P_IDR:
        return keep(&parsed->id_r, body);
    case LB_IKE_P_AUTH:
        return keep(&parsed->auth, body);
    case LB_IKE_P_NONCE:
        return keep(&parsed->nonce, body) && body.len >= NONCE_MIN && body.len <= NONCE_MAX;
    case LB_IKE_P_NOTIFY:
        read_notify(body, parsed);
        return true;
    case LB_IKE_P_DELETE:
        read_delete(body, parsed);
        return true;
    case LB_IKE_P_TSI:
        return keep(&parsed->ts_i, body);
    case LB_IKE_P_TSR:
        return keep(&parsed->ts_r, body);
    default: /* a byte of the wire, not an enum */
        return !is_critical;
    }
}

bool lb_ike_parse(uint8_t next, struct lb_bytes bytes, struct lb_ike_parsed *parsed) {
    struct lb_ike_parsed read = {.error = 0};
    struct lb_rd rd = lb_rd(bytes);
    while (next != LB_IKE_NONE) {
        uint8_t type = next;
        next = lb_rd_u8(&rd);
        bool is_critical = lb_rd_u8(&rd) & CRITICAL;
        uint16_t len = lb_rd_u16(&rd);
        if (!lb_rd_ok(&rd) || len < LB_IKE_GENERIC_BYTES)
            return false;
        struct lb_bytes body = lb_rd_bytes(&rd, len - LB_IKE_GENERIC_BYTES);
        if (!lb_rd_ok(&rd) || !read_payload(type, is_critical, body, &read))
            return false;
    }
    if (!lb_rd_done(&rd))
        return false;
    *parsed = read;
    return true;
}

/* ---- proposals ---- */

/* What a proposal has of what we do. */
struct has {
    unsigned counts[T_ESN + 1];
    bool gcm256, gcm128, prf, group_wanted, esn, no_esn, odd;
    uint16_t group; /* the first that we do */
};

static void read_transform(struct lb_rd *rd, uint16_t wanted, struct has *has) {
    lb_rd_skip(rd, 2); /* last or not, and a reserved byte */
    uint16_t len = lb_rd_u16(rd);
    uint8_t type = lb_rd_u8(rd);
    lb_rd_skip(rd, 1);
    uint16_t id = lb_rd_u16(rd), bits = 0;
    struct lb_rd attributes = lb_rd(lb_rd_bytes(rd, len < 8 ? 0 : len - 8u));
    while (lb_rd_ok(&attributes) && attributes.left >= 4) {
        uint16_t name = lb_rd_u16(&attributes), value = lb_rd_u16(&attributes);
        if (name == KEY_LENGTH)
            bits = value;
        else if ((name & 0x8000) == 0)
            lb_rd_skip(&attributes, value);
    }
    if (len < 8 || type < T_ENCR || type > T_ESN) {
        has->odd = true;
        return;
    }
    has->counts[type]++;
    has->gcm256 = has->gcm256 || (type == T_ENCR && id == ENCR_GCM_16 && bits == 256);
    has->gcm128 = has->gcm128 || (type == T_ENCR && id == ENCR_GCM_16 && bits == 128);
    has->prf = has->prf || (type == T_PRF && id == PRF_SHA256);
    has->esn = has->esn || (type == T_ESN && id == 1);
    has->no_esn = has->no_esn || (type == T_ESN && id == 0);
    bool is_ours = type == T_DH && (id == LB_DH_P256 || id == LB_DH_X25519);
    if (is_ours && has->group == 0)
        has->group = id;
    has->group_wanted = has->group_wanted || (is_ours && id == wanted);
}

static bool fits(const struct has *has, uint8_t protocol, bool needs_group, bool is_answer) {
    bool is_ike = protocol == LB_IKE_PROTO_IKE;
    if (has->odd || (!has->gcm256 && !has->gcm128) || (needs_group && has->group == 0) ||
        (is_ike && !has->prf) || (!is_ike && !has->esn && !has->no_esn))
        return false;
    if (!is_answer)
        return true;
    return has->counts[T_ENCR] == 1 && has->counts[T_PRF] == (is_ike ? 1u : 0u) &&
           has->counts[T_INTEG] == 0 && has->counts[T_DH] == (needs_group ? 1u : 0u) &&
           has->counts[T_ESN] == (is_ike ? 0u : 1u);
}

bool lb_ike_choose(struct lb_bytes sa, uint8_t protocol, bool needs_group, uint16_t wanted,
                   bool is_answer, struct lb_ike_choice *choice) {
    struct lb_rd rd = lb_rd(sa);
    while (rd.left > 0) {
        struct lb_ike_choice found = {.number = 0};
        struct has has = {.odd = false};
        uint8_t more = lb_rd_u8(&rd);
        lb_rd_skip(&rd, 1);
        uint16_t len = lb_rd_u16(&rd);
        struct lb_rd inner = lb_rd(lb_rd_bytes(&rd, len < 4 ? 0 : len - 4u));
        found.number = lb_rd_u8(&inner);
        uint8_t proto = lb_rd_u8(&inner);
        found.spi_len = lb_rd_u8(&inner);
        uint8_t count = lb_rd_u8(&inner);
        if (len < 4 || found.spi_len > sizeof found.spi)
            return false;
        lb_rd_copy(&inner, found.spi, found.spi_len);
        for (unsigned i = 0; i < count && lb_rd_ok(&inner); i++)
            read_transform(&inner, wanted, &has);
        if (!lb_rd_ok(&rd) || !lb_rd_done(&inner) || (is_answer && more != 0))
            return false;
        if (proto != protocol || !fits(&has, protocol, needs_group, is_answer))
            continue;
        found.key_bytes = has.gcm256 ? 32 : 16;
        found.group = !needs_group ? 0 : has.group_wanted ? wanted : has.group;
        found.has_esn = has.esn;
        *choice = found;
        return true;
    }
    return false;
}

/* ---- writing ---- */

struct lb_ike_out lb_ike_begin(struct lb_span room, const struct lb_ike_header *header) {
    struct lb_ike_out out = {.wr = lb_wr(room), .next_at = 16};
    lb_wr_bytes(&out.wr, lb_bytes(header->spi_i, 8));
    lb_wr_bytes(&out.wr, lb_bytes(header->spi_r, 8));
    lb_wr_u8(&out.wr, LB_IKE_NONE);
    lb_wr_u8(&out.wr, VERSION);
    lb_wr_u8(&out.wr, header->exchange);
    lb_wr_u8(&out.wr, header->flags);
    lb_wr_u32(&out.wr, header->id);
    lb_wr_u32(&out.wr, 0);
    return out;
}

size_t lb_ike_open_payload(struct lb_ike_out *out, uint8_t type) {
    size_t at = out->wr.len;
    if (!lb_wr_ok(&out->wr))
        return 0;
    lb_wr_u8_at(&out->wr, out->next_at, type);
    out->next_at = at;
    lb_wr_u32(&out->wr, 0);
    return at;
}

void lb_ike_close_payload(struct lb_ike_out *out, size_t opened) {
    if (lb_wr_ok(&out->wr))
        lb_wr_u16_at(&out->wr, opened + 2, (uint16_t)(out->wr.len - opened));
}

void lb_ike_put(struct lb_ike_out *out, uint8_t type, struct lb_bytes body) {
    size_t opened = lb_ike_open_payload(out, type);
    lb_wr_bytes(&out->wr, body);
    lb_ike_close_payload(out, opened);
}

void lb_ike_put_notify(struct lb_ike_out *out, uint16_t type, uint32_t spi_or_0,
                       struct lb_bytes data) {
    size_t opened = lb_ike_open_payload(out, LB_IKE_P_NOTIFY);
    lb_wr_u8(&out->wr, spi_or_0 != 0 ? LB_IKE_PROTO_ESP : 0);
    lb_wr_u8(&out->wr, spi_or_0 != 0 ? 4 : 0);
    lb_wr_u16(&out->wr, type);
    if (spi_or_0 != 0)
        lb_wr_u32(&out->wr, spi_or_0);
    lb_wr_bytes(&out->wr, data);
    lb_ike_close_payload(out, opened);
}

void lb_ike_put_ke(struct lb_ike_out *out, const struct lb_dh *dh) {
    size_t opened = lb_ike_open_payload(out, LB_IKE_P_KE);
    lb_wr_u16(&out->wr, (uint16_t)dh->group);
    lb_wr_u16(&out->wr, 0);
    lb_wr_bytes(&out->wr, lb_bytes(dh->value, dh->value_len));
    lb_ike_close_payload(out, opened);
}

/* Transforms of one proposal, counted. */
struct transforms {
    struct lb_wr *wr;
    size_t last_at;
    unsigned count;
};

static void put_transform(struct transforms *t, uint8_t type, uint16_t id, uint16_t bits) {
    if (t->count > 0 && lb_wr_ok(t->wr))
        lb_wr_u8_at(t->wr, t->last_at, MORE_TRANSFORMS);
    t->last_at = t->wr->len;
    t->count++;
    lb_wr_u16(t->wr, 0);
    lb_wr_u16(t->wr, bits != 0 ? 12 : 8);
    lb_wr_u8(t->wr, type);
    lb_wr_u8(t->wr, 0);
    lb_wr_u16(t->wr, id);
    if (bits != 0) {
        lb_wr_u16(t->wr, KEY_LENGTH);
        lb_wr_u16(t->wr, bits);
    }
}

/* What a proposal is made of: an offer has several of a kind. */
struct offer {
    uint8_t number, protocol;
    struct lb_bytes spi;
    uint16_t bits[2], groups[2];
    uint8_t esn[2];
    size_t bit_count, group_count, esn_count;
};

static void put_proposal(struct lb_ike_out *out, const struct offer *offer) {
    size_t opened = lb_ike_open_payload(out, LB_IKE_P_SA), at = out->wr.len;
    bool is_ike = offer->protocol == LB_IKE_PROTO_IKE;
    struct transforms t = {.wr = &out->wr};
    lb_wr_u32(&out->wr, 0);
    lb_wr_u8(&out->wr, offer->number);
    lb_wr_u8(&out->wr, offer->protocol);
    lb_wr_u8(&out->wr, (uint8_t)offer->spi.len);
    lb_wr_u8(&out->wr, 0);
    lb_wr_bytes(&out->wr, offer->spi);
    for (size_t i = 0; i < offer->bit_count; i++)
        put_transform(&t, T_ENCR, ENCR_GCM_16, offer->bits[i]);
    if (is_ike)
        put_transform(&t, T_PRF, PRF_SHA256, 0);
    for (size_t i = 0; i < offer->group_count; i++)
        put_transform(&t, T_DH, offer->groups[i], 0);
    for (size_t i = 0; !is_ike && i < offer->esn_count; i++)
        put_transform(&t, T_ESN, offer->esn[i], 0);
    if (lb_wr_ok(&out->wr)) {
        lb_wr_u16_at(&out->wr, at + 2, (uint16_t)(out->wr.len - at));
        lb_wr_u8_at(&out->wr, at + 7, (uint8_t)t.count);
    }
    lb_ike_close_payload(out, opened);
}

struct lb_bytes lb_ike_spi(uint32_t spi, uint8_t room[4]) {
    struct lb_wr wr = lb_wr(lb_span(room, 4));
    lb_wr_u32(&wr, spi);
    return lb_wr_done(&wr);
}

void lb_ike_put_offer(struct lb_ike_out *out, uint8_t protocol, struct lb_bytes spi,
                      uint16_t group) {
    uint16_t other = group == LB_DH_P256 ? LB_DH_X25519 : LB_DH_P256;
    struct offer offer = {.number = 1,
                          .protocol = protocol,
                          .spi = spi,
                          .bits = {256, 128},
                          .bit_count = 2,
                          .groups = {group, other},
                          .group_count = group != 0 ? 2 : 0,
                          .esn = {1, 0},
                          .esn_count = 2};
    put_proposal(out, &offer);
}

void lb_ike_put_choice(struct lb_ike_out *out, uint8_t protocol, struct lb_bytes spi,
                       const struct lb_ike_choice *choice) {
    struct offer offer = {.number = choice->number,
                          .protocol = protocol,
                          .spi = spi,
                          .bits = {(uint16_t)(choice->key_bytes * 8)},
                          .bit_count = 1,
                          .groups = {choice->group},
                          .group_count = choice->group != 0 ? 1 : 0,
                          .esn = {choice->has_esn},
                          .esn_count = 1};
    put_proposal(out, &offer);
}

/* ---- traffic selectors ---- */

struct side {
    struct lb_addr addr;
    uint16_t first, last;
};

static struct side side_of(const struct lb_ipsec_selector *selector, bool is_local) {
    if (is_local)
        return (struct side){selector->local, selector->local_first, selector->local_last};
    return (struct side){selector->remote, selector->remote_first, selector->remote_last};
}

void lb_ike_put_ts(struct lb_ike_out *out, uint8_t type, const struct lb_ipsec_selector *selector,
                   bool is_local) {
    struct side side = side_of(selector, is_local);
    bool is_v4 = side.addr.family == LB_V4;
    size_t opened = lb_ike_open_payload(out, type);
    lb_wr_u32(&out->wr, (uint32_t)1 << 24);
    lb_wr_u8(&out->wr, is_v4 ? TS_IPV4 : TS_IPV6);
    lb_wr_u8(&out->wr, selector->protocol);
    lb_wr_u16(&out->wr, is_v4 ? 16 : 40);
    lb_wr_u16(&out->wr, side.first);
    lb_wr_u16(&out->wr, side.last);
    lb_wr_addr(&out->wr, side.addr);
    lb_wr_addr(&out->wr, side.addr);
    lb_ike_close_payload(out, opened);
}

/* A selector of the wire. */
struct ts {
    uint8_t protocol;
    uint16_t first, last;
    struct lb_bytes low, high;
};

/* The next selector. False: there is none more, or it is malformed; the rest then means nothing. */
static bool read_ts(struct lb_rd *rd, struct ts *ts) {
    uint8_t type = lb_rd_u8(rd);
    ts->protocol = lb_rd_u8(rd);
    uint16_t len = lb_rd_u16(rd);
    ts->first = lb_rd_u16(rd);
    ts->last = lb_rd_u16(rd);
    size_t addr_len = type == TS_IPV4 ? 4 : 16;
    ts->low = lb_rd_bytes(rd, addr_len);
    ts->high = lb_rd_bytes(rd, addr_len);
    return lb_rd_ok(rd) && (type == TS_IPV4 || type == TS_IPV6) && len == 8 + 2 * addr_len;
}

/* Whether the selector has all of the side and the protocol within. */
static bool holds(const struct ts *ts, const struct side *side, uint8_t protocol) {
    size_t len = side->addr.family == LB_V4 ? 4 : 16;
    return ts->low.len == len && (ts->protocol == 0 || ts->protocol == protocol) &&
           ts->first <= side->first && ts->last >= side->last &&
           memcmp(ts->low.p, side->addr.bytes, len) <= 0 &&
           memcmp(ts->high.p, side->addr.bytes, len) >= 0;
}

/* Whether the selector lies within the side and the protocol (0: any). */
static bool lies_in(const struct ts *ts, const struct side *side, uint8_t protocol) {
    struct lb_bytes addr = lb_bytes(side->addr.bytes, side->addr.family == LB_V4 ? 4 : 16);
    return lb_bytes_equal(ts->low, addr) && lb_bytes_equal(ts->high, addr) &&
           ts->first >= side->first && ts->last <= side->last &&
           (protocol == 0 || ts->protocol == protocol);
}

/* RFC 7296 2.23.1: one address stands for the address that this end knows. */
static void undo_nat(struct ts *ts, const struct side *side) {
    struct lb_bytes addr = lb_bytes(side->addr.bytes, side->addr.family == LB_V4 ? 4 : 16);
    if (ts->low.len == addr.len && lb_bytes_equal(ts->low, ts->high))
        ts->low = ts->high = addr;
}

bool lb_ike_has_ts(struct lb_bytes body, const struct lb_ipsec_selector *selector, bool is_local,
                   bool has_nat) {
    struct side side = side_of(selector, is_local);
    struct lb_rd rd = lb_rd(body);
    uint8_t count = lb_rd_u8(&rd);
    struct ts ts;
    lb_rd_skip(&rd, 3);
    for (; count > 0 && read_ts(&rd, &ts); count--) {
        if (has_nat)
            undo_nat(&ts, &side);
        if (holds(&ts, &side, selector->protocol))
            return true;
    }
    return false;
}

bool lb_ike_narrow_ts(struct lb_bytes body, const struct lb_ipsec_selector *asked,
                      const struct lb_ipsec_selector *need, bool is_local, bool has_nat,
                      struct lb_ipsec_selector *agreed) {
    struct side side = side_of(asked, is_local), core = side_of(need, is_local);
    struct lb_rd rd = lb_rd(body);
    uint8_t count = lb_rd_u8(&rd);
    struct ts ts;
    lb_rd_skip(&rd, 3);
    for (; count > 0 && read_ts(&rd, &ts); count--) {
        if (has_nat)
            undo_nat(&ts, &side);
        if (!lies_in(&ts, &side, asked->protocol) || !holds(&ts, &core, need->protocol))
            continue;
        agreed->protocol = ts.protocol;
        *(is_local ? &agreed->local_first : &agreed->remote_first) = ts.first;
        *(is_local ? &agreed->local_last : &agreed->remote_last) = ts.last;
        return true;
    }
    return false;
}

void lb_ike_put_id(struct lb_wr *wr, const char *id) {
    bool has_user = false;
    for (size_t i = 0; id[i] != '\0'; i++)
        has_user = has_user || id[i] == '@';
    lb_wr_u8(wr, has_user ? ID_RFC822 : ID_FQDN);
    lb_wr_zero(wr, 3);
    lb_wr_text(wr, id);
}
