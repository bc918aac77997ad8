/* The computations of IKEv2: RFC 7296 2.13 to 2.17 and 2.23, RFC 5282. */
#include "core/ike/ike_state.h"

enum { PRF_BYTES = 32, SALT_BYTES = 4, KEYS_MAX = 3 * PRF_BYTES + 2 * LB_IPSEC_KEY_MAX };

static void prf(struct lb_bytes key, const struct lb_bytes *parts, size_t count,
                uint8_t out[PRF_BYTES]) {
    lb_hmac(LB_HASH_SHA256, key, parts, count, out);
}

void lb_ike_prf_plus(struct lb_bytes key, const struct lb_bytes *parts, size_t count,
                     struct lb_span out) {
    uint8_t block[PRF_BYTES], number = 0;
    struct lb_bytes all[8];
    lb_assert(count + 2 <= LB_COUNT(all) && out.len <= 255 * PRF_BYTES);
    for (size_t i = 0; i < count; i++)
        all[i + 1] = parts[i];
    for (size_t done = 0; done < out.len; done += LB_MIN(out.len - done, PRF_BYTES)) {
        number++;
        all[0] = lb_bytes(block, number == 1 ? 0 : PRF_BYTES);
        all[count + 1] = lb_bytes(&number, 1);
        prf(key, all, count + 2, block);
        memcpy(out.p + done, block, LB_MIN(out.len - done, PRF_BYTES));
    }
    lb_wipe(block, sizeof block);
}

static void begin_way(struct lb_ike_way *way, const uint8_t *key, size_t key_bytes) {
    *way = (struct lb_ike_way){.iv = 0};
    lb_gcm_init(&way->gcm, lb_bytes(key, key_bytes));
    memcpy(way->salt, key + key_bytes, SALT_BYTES);
}

/* SK_d | SK_ei | SK_er | SK_pi | SK_pr from SKEYSEED; ciphers that authenticate have no SK_a. The
 * last two, for AUTH, go to sk_p. */
static void expand(struct lb_ike_sa *sa, const uint8_t seed[PRF_BYTES], struct lb_bytes nonce_i,
                   struct lb_bytes nonce_r, uint8_t sk_p[2 * PRF_BYTES]) {
    uint8_t keys[KEYS_MAX];
    size_t part = sa->key_bytes + SALT_BYTES;
    struct lb_bytes parts[] = {nonce_i, nonce_r, lb_bytes(sa->spi_i, 8), lb_bytes(sa->spi_r, 8)};
    lb_ike_prf_plus(lb_bytes(seed, PRF_BYTES), parts, LB_COUNT(parts),
                    lb_span(keys, 3 * PRF_BYTES + 2 * part));
    memcpy(sa->sk_d, keys, PRF_BYTES);
    begin_way(sa->is_initiator ? &sa->out : &sa->in, keys + PRF_BYTES, sa->key_bytes);
    begin_way(sa->is_initiator ? &sa->in : &sa->out, keys + PRF_BYTES + part, sa->key_bytes);
    memcpy(sk_p, keys + PRF_BYTES + 2 * part, 2 * (size_t)PRF_BYTES);
    sa->is_there = true;
    lb_wipe(keys, sizeof keys);
}

void lb_ike_derive(struct lb_ike *ike, const uint8_t shared[LB_DH_SECRET_BYTES]) {
    uint8_t seed[PRF_BYTES], nonces[512], sk_p[2 * PRF_BYTES];
    memcpy(nonces, ike->nonce_i, ike->nonce_i_len);
    memcpy(nonces + ike->nonce_i_len, ike->nonce_r, ike->nonce_r_len);
    struct lb_bytes secret = lb_bytes(shared, LB_DH_SECRET_BYTES);
    prf(lb_bytes(nonces, ike->nonce_i_len + ike->nonce_r_len), &secret, 1, seed);
    expand(&ike->sa, seed, lb_bytes(ike->nonce_i, ike->nonce_i_len),
           lb_bytes(ike->nonce_r, ike->nonce_r_len), sk_p);
    memcpy(ike->sk_pi, sk_p, PRF_BYTES);
    memcpy(ike->sk_pr, sk_p + PRF_BYTES, PRF_BYTES);
    lb_wipe(seed, sizeof seed);
    lb_wipe(sk_p, sizeof sk_p);
}

void lb_ike_derive_again(struct lb_ike_sa *sa, const struct lb_ike_sa *old,
                         const uint8_t shared[LB_DH_SECRET_BYTES], struct lb_bytes nonce_i,
                         struct lb_bytes nonce_r) {
    uint8_t seed[PRF_BYTES], sk_p[2 * PRF_BYTES];
    struct lb_bytes parts[] = {lb_bytes(shared, LB_DH_SECRET_BYTES), nonce_i, nonce_r};
    prf(lb_bytes(old->sk_d, PRF_BYTES), parts, LB_COUNT(parts), seed);
    expand(sa, seed, nonce_i, nonce_r, sk_p);
    lb_wipe(seed, sizeof seed);
    lb_wipe(sk_p, sizeof sk_p);
}

void lb_ike_auth_value(const struct lb_ike *ike, bool of_initiator, struct lb_bytes id,
                       uint8_t out[32]) {
    static const char pad[] = "Key Pad for IKEv2";
    const struct lb_ike_buffer *message = of_initiator ? &ike->init_i : &ike->init_r;
    uint8_t key[PRF_BYTES], id_mac[PRF_BYTES];
    struct lb_bytes text = lb_bytes(pad, sizeof pad - 1);
    prf(ike->config.psk, &text, 1, key);
    prf(lb_bytes(of_initiator ? ike->sk_pi : ike->sk_pr, PRF_BYTES), &id, 1, id_mac);
    struct lb_bytes nonce = of_initiator ? lb_bytes(ike->nonce_r, ike->nonce_r_len)
                                         : lb_bytes(ike->nonce_i, ike->nonce_i_len);
    struct lb_bytes parts[] = {lb_bytes(message->bytes + 4, message->len), nonce,
                               lb_bytes(id_mac, PRF_BYTES)};
    prf(lb_bytes(key, PRF_BYTES), parts, LB_COUNT(parts), out);
    lb_wipe(key, sizeof key);
}

void lb_ike_child_keys(struct lb_ike *ike, struct lb_bytes shared, struct lb_bytes nonce_i,
                       struct lb_bytes nonce_r, bool we_asked, size_t key_bytes) {
    uint8_t keys[2 * LB_IPSEC_KEY_MAX];
    size_t part = key_bytes + SALT_BYTES;
    struct lb_bytes parts[] = {shared, nonce_i, nonce_r};
    lb_ike_prf_plus(lb_bytes(ike->sa.sk_d, PRF_BYTES), parts, LB_COUNT(parts),
                    lb_span(keys, 2 * part));
    ike->terms.key_len = part;
    memcpy(we_asked ? ike->terms.out_key : ike->terms.in_key, keys, part);
    memcpy(we_asked ? ike->terms.in_key : ike->terms.out_key, keys + part, part);
    lb_wipe(keys, sizeof keys);
}

void lb_ike_nat_hash(const struct lb_ike *ike, bool with_spi_r, struct lb_endpoint at,
                     uint8_t out[20]) {
    static const uint8_t zeros[8] = {0};
    uint8_t digest[LB_HASH_MAX_BYTES];
    uint8_t port[2] = {(uint8_t)(at.port >> 8), (uint8_t)at.port};
    struct lb_bytes parts[] = {
        lb_bytes(ike->sa.spi_i, 8),
        lb_bytes(with_spi_r ? ike->sa.spi_r : zeros, 8),
        lb_bytes(at.addr.bytes, at.addr.family == LB_V4 ? 4 : 16),
        lb_bytes(port, 2),
    };
    lb_hash_parts(LB_HASH_SHA1, parts, LB_COUNT(parts), digest);
    memcpy(out, digest, 20);
}

void lb_ike_cookie(const struct lb_ike *ike, struct lb_bytes nonce, const uint8_t spi_i[8],
                   struct lb_endpoint from, uint8_t out[32]) {
    struct lb_bytes parts[] = {nonce, lb_bytes(spi_i, 8),
                               lb_bytes(from.addr.bytes, from.addr.family == LB_V4 ? 4 : 16)};
    prf(lb_bytes(ike->cookie_key, sizeof ike->cookie_key), parts, LB_COUNT(parts), out);
}

/* ---- the encrypted payload ---- */

struct lb_ike_sealed lb_ike_begin_sealed(struct lb_ike_sa *sa, struct lb_ike_buffer *buffer,
                                         uint8_t exchange, bool is_answer, uint32_t id) {
    struct lb_ike_header header = {
        .exchange = exchange,
        .flags = (uint8_t)((sa->is_initiator ? LB_IKE_FLAG_INITIATOR : 0) |
                           (is_answer ? LB_IKE_FLAG_RESPONSE : 0)),
        .id = id,
    };
    memcpy(header.spi_i, sa->spi_i, 8);
    memcpy(header.spi_r, sa->spi_r, 8);
    struct lb_ike_sealed sealed = {
        .out = lb_ike_begin(lb_span(buffer->bytes + 4, LB_IKE_MESSAGE_MAX), &header)};
    sealed.opened = lb_ike_open_payload(&sealed.out, LB_IKE_P_SK);
    lb_wr_u64(&sealed.out.wr, sa->out.iv++);
    return sealed;
}

void lb_ike_end_sealed(struct lb_ike_sa *sa, struct lb_ike_buffer *buffer,
                       struct lb_ike_sealed *sealed) {
    struct lb_wr *wr = &sealed->out.wr;
    size_t extra = sealed->opened + LB_IKE_GENERIC_BYTES, text_at = extra + LB_IKE_IV_BYTES;
    uint8_t nonce[LB_GCM_NONCE_BYTES], *start = buffer->bytes + 4;
    lb_wr_u8(wr, 0); /* no padding: the cipher is one of streams */
    size_t text_end = wr->len;
    lb_wr_zero(wr, LB_GCM_TAG_BYTES);
    lb_assert(lb_wr_ok(wr)); /* all that we send is bounded */
    lb_ike_close_payload(&sealed->out, sealed->opened);
    lb_wr_u32_at(wr, 24, (uint32_t)wr->len);
    memcpy(nonce, sa->out.salt, SALT_BYTES);
    memcpy(nonce + SALT_BYTES, start + extra, LB_IKE_IV_BYTES);
    lb_gcm_seal(&sa->out.gcm, nonce, lb_bytes(start, extra),
                lb_span(start + text_at, text_end - text_at), start + text_end);
    buffer->len = wr->len;
}

bool lb_ike_unseal(struct lb_ike_sa *sa, const struct lb_ike_header *header, struct lb_span message,
                   struct lb_ike_parsed *parsed) {
    size_t extra = LB_IKE_HEADER_BYTES + LB_IKE_GENERIC_BYTES, text_at = extra + LB_IKE_IV_BYTES;
    struct lb_rd rd = lb_rd(lb_bytes(message.p, message.len));
    lb_rd_skip(&rd, LB_IKE_HEADER_BYTES);
    uint8_t first = lb_rd_u8(&rd), nonce[LB_GCM_NONCE_BYTES];
    lb_rd_skip(&rd, 1);
    uint16_t len = lb_rd_u16(&rd);
    if (header->next != LB_IKE_P_SK || message.len < text_at + 1 + LB_GCM_TAG_BYTES ||
        len != message.len - LB_IKE_HEADER_BYTES)
        return false;
    memcpy(nonce, sa->in.salt, SALT_BYTES);
    lb_rd_copy(&rd, nonce + SALT_BYTES, LB_IKE_IV_BYTES);
    struct lb_span text = lb_span(message.p + text_at, message.len - text_at - LB_GCM_TAG_BYTES);
    if (!lb_gcm_open(&sa->in.gcm, nonce, lb_bytes(message.p, extra), text, text.p + text.len))
        return false;
    size_t pad = text.p[text.len - 1];
    if (pad > text.len - 1)
        return false;
    return lb_ike_parse(first, lb_bytes(text.p, text.len - 1 - pad), parsed);
}
