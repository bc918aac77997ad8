/* What comes after IKE_AUTH: new keys for the child (RFC 7296 1.3.3, 2.8), Delete, signs of life.
 * */
#include "core/ike/ike_state.h"

/* ---- asking ---- */

static struct lb_ike_sealed begin(struct lb_ike *ike, uint8_t exchange) {
    return lb_ike_begin_sealed(&ike->sa, &ike->request, exchange, false, ++ike->sa.out_id);
}

void lb_ike_ask_rekey(struct lb_ike *ike, uint64_t now_us) {
    const struct lb_ipsec_selector *selector = &ike->config.selector;
    enum lb_dh_group group = ike->config.group ? ike->config.group : LB_DH_X25519;
    uint8_t spi[4];
    struct lb_ike_sealed sealed = begin(ike, LB_IKE_CREATE_CHILD_SA);
    lb_dh_init(&ike->dh, group, ike->rand);
    lb_rand_fill(ike->rand, lb_span(ike->child_nonce, sizeof ike->child_nonce));
    ike->next = (struct lb_ike_child){.in_spi = lb_ike_new_spi(ike)};
    lb_ike_put_notify(&sealed.out, LB_IKE_N_REKEY_SA, ike->child.in_spi, lb_bytes(NULL, 0));
    if (ike->config.mode == LB_IPSEC_TRANSPORT)
        lb_ike_put_notify(&sealed.out, LB_IKE_N_TRANSPORT, 0, lb_bytes(NULL, 0));
    lb_ike_put_offer(&sealed.out, LB_IKE_PROTO_ESP, lb_ike_spi(ike->next.in_spi, spi),
                     (uint16_t)group);
    lb_ike_put(&sealed.out, LB_IKE_P_NONCE, lb_bytes(ike->child_nonce, sizeof ike->child_nonce));
    lb_ike_put_ke(&sealed.out, &ike->dh);
    lb_ike_put_ts(&sealed.out, LB_IKE_P_TSI, selector, true);
    lb_ike_put_ts(&sealed.out, LB_IKE_P_TSR, selector, false);
    lb_ike_end_sealed(&ike->sa, &ike->request, &sealed);
    lb_ike_enter(ike, now_us, LB_IKE_REKEYING);
}

void lb_ike_put_delete(struct lb_ike_out *out, uint32_t spi_or_0) {
    size_t opened = lb_ike_open_payload(out, LB_IKE_P_DELETE);
    lb_wr_u8(&out->wr, spi_or_0 != 0 ? LB_IKE_PROTO_ESP : LB_IKE_PROTO_IKE);
    lb_wr_u8(&out->wr, spi_or_0 != 0 ? 4 : 0);
    lb_wr_u16(&out->wr, spi_or_0 != 0 ? 1 : 0);
    if (spi_or_0 != 0)
        lb_wr_u32(&out->wr, spi_or_0);
    lb_ike_close_payload(out, opened);
}

void lb_ike_ask_delete(struct lb_ike *ike, uint64_t now_us, uint32_t spi_or_0) {
    struct lb_ike_sealed sealed = begin(ike, LB_IKE_INFORMATIONAL);
    lb_ike_put_delete(&sealed.out, spi_or_0);
    lb_ike_end_sealed(&ike->sa, &ike->request, &sealed);
    lb_ike_enter(ike, now_us, spi_or_0 != 0 ? LB_IKE_DELETING : LB_IKE_CLOSING);
}

void lb_ike_ask_probe(struct lb_ike *ike, uint64_t now_us) {
    struct lb_ike_sealed sealed = begin(ike, LB_IKE_INFORMATIONAL);
    lb_ike_end_sealed(&ike->sa, &ike->request, &sealed);
    lb_ike_enter(ike, now_us, LB_IKE_PROBING);
}

/* ---- answers ---- */

static bool take_spi(struct lb_ike *ike, const struct lb_ike_choice *choice) {
    struct lb_rd rd = lb_rd(lb_bytes(choice->spi, choice->spi_len));
    ike->next.out_spi = lb_rd_u32(&rd);
    return lb_rd_done(&rd) && ike->next.out_spi > 255;
}

bool lb_ike_agree_ts(struct lb_ike *ike, const struct lb_ike_parsed *parsed) {
    const struct lb_ipsec_selector *asked = &ike->config.selector;
    const struct lb_ipsec_selector *need =
        ike->config.need.local.family != LB_FAMILY_NONE ? &ike->config.need : asked;
    struct lb_ipsec_selector agreed = *asked;
    if (!lb_ike_narrow_ts(parsed->ts_i, asked, need, true, &agreed))
        return false;
    uint8_t protocol = agreed.protocol;
    if (!lb_ike_narrow_ts(parsed->ts_r, asked, need, false, &agreed) || agreed.protocol != protocol)
        return false;
    ike->agreed = agreed;
    return true;
}

/* What the peer asks for must have what we use within; it is given that (RFC 7296 2.9.2). */
static bool has_ours(const struct lb_ike *ike, const struct lb_ike_parsed *parsed) {
    return lb_ike_has_ts(parsed->ts_i, &ike->agreed, false) &&
           lb_ike_has_ts(parsed->ts_r, &ike->agreed, true) &&
           (ike->config.mode == LB_IPSEC_TRANSPORT) == parsed->transport;
}

static bool new_child(struct lb_ike *ike, uint64_t now_us, const struct lb_ike_choice *choice,
                      struct lb_bytes value, struct lb_bytes nonce_i, struct lb_bytes nonce_r,
                      bool we_asked) {
    uint8_t shared[LB_DH_SECRET_BYTES];
    bool ok = lb_dh_agree(&ike->dh, value, shared);
    if (ok) {
        uint32_t old = ike->child.in_spi;
        ike->old_out_spi = ike->child.out_spi;
        lb_ike_child_keys(ike, lb_bytes(shared, sizeof shared), nonce_i, nonce_r, we_asked,
                          choice->key_bytes);
        lb_ike_child_up(ike, now_us, choice->has_esn);
        ike->next.in_spi = old; /* which is to be deleted, by whoever asked for the new one */
    }
    lb_wipe(shared, sizeof shared);
    lb_wipe(&ike->dh, sizeof ike->dh);
    return ok;
}

/* Refused for now (both may have asked at once), or for good: the old keys go on, and it is tried
 * again a while later. */
static const char *rekey_refused(struct lb_ike *ike, uint64_t now_us, uint16_t error) {
    lb_trace(ike->trace, now_us, "ike", "no new keys: %s (%u)", lb_ike_notify_word(error),
             (unsigned)error);
    lb_ike_enter(ike, now_us, LB_IKE_READY);
    ike->rekey_us = now_us + (5 + lb_rand_below(ike->rand, 10)) * LB_US_SEC;
    lb_wipe(&ike->dh, sizeof ike->dh);
    return NULL;
}

bool lb_ike_takes_group(struct lb_ike *ike, const struct lb_ike_parsed *parsed) {
    uint16_t wanted = parsed->wanted_group;
    bool is_ours = wanted == LB_DH_P256 || wanted == LB_DH_X25519;
    if (parsed->error != LB_IKE_N_INVALID_KE || !is_ours || wanted == (uint16_t)ike->dh.group)
        return false;
    ike->config.group = (enum lb_dh_group)wanted; /* RFC 7296 1.3 */
    return true;
}

const char *lb_ike_rekey_answer(struct lb_ike *ike, uint64_t now_us,
                                const struct lb_ike_parsed *parsed) {
    struct lb_ike_choice choice;
    uint16_t group = (uint16_t)ike->dh.group;
    if (lb_ike_takes_group(ike, parsed)) {
        lb_ike_ask_rekey(ike, now_us);
        return NULL;
    }
    if (parsed->error == LB_IKE_N_CHILD_NOT_FOUND) { /* RFC 7296 2.25.1: it has lost the child */
        lb_ike_fail(ike, now_us, LB_E_IPSEC_LOST, "the peer does not know the keys any more");
        return NULL;
    }
    if (parsed->error != 0)
        return rekey_refused(ike, now_us, parsed->error);
    if (!lb_ike_choose(parsed->sa, LB_IKE_PROTO_ESP, true, group, true, &choice) ||
        choice.group != group || parsed->ke_group != group || !take_spi(ike, &choice) ||
        parsed->nonce.len == 0)
        return rekey_refused(ike, now_us, LB_IKE_N_NO_PROPOSAL);
    if ((ike->config.mode == LB_IPSEC_TRANSPORT) != parsed->transport ||
        !lb_ike_agree_ts(ike, parsed))
        return rekey_refused(ike, now_us, LB_IKE_N_TS_UNACCEPTABLE);
    if (!new_child(ike, now_us, &choice, parsed->ke,
                   lb_bytes(ike->child_nonce, sizeof ike->child_nonce), parsed->nonce, true))
        return rekey_refused(ike, now_us, LB_IKE_N_INVALID_SYNTAX);
    lb_ike_ask_delete(ike, now_us, ike->next.in_spi);
    return NULL;
}

/* ---- the peer's requests ---- */

static struct lb_ike_sealed begin_answer(struct lb_ike_sa *sa, uint8_t exchange) {
    return lb_ike_begin_sealed(sa, &sa->answer, exchange, true, sa->in_id);
}

static const char *end_answer(struct lb_ike *ike, struct lb_ike_sa *sa,
                              struct lb_ike_sealed *sealed) {
    lb_ike_end_sealed(sa, &sa->answer, sealed);
    lb_ike_answered(ike, sa);
    return NULL;
}

const char *lb_ike_refuse(struct lb_ike *ike, struct lb_ike_sa *sa, uint16_t error,
                          uint16_t group) {
    uint8_t wanted[2] = {(uint8_t)(group >> 8), (uint8_t)group};
    struct lb_ike_sealed sealed = begin_answer(sa, LB_IKE_CREATE_CHILD_SA);
    lb_ike_put_notify(&sealed.out, error, 0, lb_bytes(wanted, group != 0 ? 2 : 0));
    return end_answer(ike, sa, &sealed);
}

static const char *refuse(struct lb_ike *ike, uint16_t error, uint16_t group) {
    return lb_ike_refuse(ike, &ike->sa, error, group);
}

/* New keys for the child, asked for by the peer. Other children there are not. */
static const char *on_create_child(struct lb_ike *ike, uint64_t now_us,
                                   const struct lb_ike_parsed *parsed) {
    struct lb_ike_choice choice;
    bool needs_group = parsed->ke.len > 0;
    uint8_t spi[4];
    if (parsed->rekey_spi == 0)
        return refuse(ike, LB_IKE_N_NO_ADDITIONAL_SAS, 0);
    if (!ike->child.is_there || parsed->rekey_spi != ike->child.out_spi)
        return refuse(ike, LB_IKE_N_CHILD_NOT_FOUND, 0);
    if (ike->state == LB_IKE_REKEYING || ike->state == LB_IKE_DELETING ||
        ike->state == LB_IKE_REKEYING_IKE || ike->state == LB_IKE_CLOSING)
        return refuse(ike, LB_IKE_N_TEMPORARY, 0);
    if (!needs_group || parsed->nonce.len == 0 ||
        !lb_ike_choose(parsed->sa, LB_IKE_PROTO_ESP, true, parsed->ke_group, false, &choice) ||
        !take_spi(ike, &choice))
        return refuse(ike, LB_IKE_N_NO_PROPOSAL, 0);
    if (choice.group != parsed->ke_group)
        return refuse(ike, LB_IKE_N_INVALID_KE, choice.group);
    if (!has_ours(ike, parsed))
        return refuse(ike, LB_IKE_N_TS_UNACCEPTABLE, 0);
    lb_dh_init(&ike->dh, (enum lb_dh_group)choice.group, ike->rand);
    struct lb_dh ours = ike->dh;
    lb_rand_fill(ike->rand, lb_span(ike->child_nonce, sizeof ike->child_nonce));
    struct lb_bytes nonce = lb_bytes(ike->child_nonce, sizeof ike->child_nonce);
    uint32_t in_spi = ike->next.in_spi = lb_ike_new_spi(ike);
    bool ok = new_child(ike, now_us, &choice, parsed->ke, parsed->nonce, nonce, false);
    if (!ok) {
        lb_wipe(&ours, sizeof ours);
        return refuse(ike, LB_IKE_N_INVALID_SYNTAX, 0);
    }
    struct lb_ike_sealed sealed = begin_answer(&ike->sa, LB_IKE_CREATE_CHILD_SA);
    if (ike->config.mode == LB_IPSEC_TRANSPORT)
        lb_ike_put_notify(&sealed.out, LB_IKE_N_TRANSPORT, 0, lb_bytes(NULL, 0));
    lb_ike_put_choice(&sealed.out, LB_IKE_PROTO_ESP, lb_ike_spi(in_spi, spi), &choice);
    lb_ike_put(&sealed.out, LB_IKE_P_NONCE, nonce);
    lb_ike_put_ke(&sealed.out, &ours);
    lb_ike_put_ts(&sealed.out, LB_IKE_P_TSI, &ike->agreed, false);
    lb_ike_put_ts(&sealed.out, LB_IKE_P_TSR, &ike->agreed, true);
    lb_wipe(&ours, sizeof ours);
    return end_answer(ike, &ike->sa, &sealed);
}

/* The peer names its own inbound SPI, which is what we send with; the answer names ours. */
static const char *on_informational(struct lb_ike *ike, uint64_t now_us, struct lb_ike_sa *sa,
                                    const struct lb_ike_parsed *parsed) {
    struct lb_ike_sealed sealed = begin_answer(sa, LB_IKE_INFORMATIONAL);
    uint32_t spi = parsed->deletes_spi;
    bool is_old = spi != 0 && spi == ike->old_out_spi;
    bool is_child = spi != 0 && ike->child.is_there && spi == ike->child.out_spi;
    if (is_old && !parsed->deletes_ike) {
        ike->gone_spi = ike->next.in_spi;
        ike->old_out_spi = 0;
        ike->due |= DUE_GONE;
        lb_ike_put_delete(&sealed.out, ike->gone_spi);
    } else if (is_child && !parsed->deletes_ike) {
        lb_ike_put_delete(&sealed.out, ike->child.in_spi);
    }
    end_answer(ike, sa, &sealed);
    if (parsed->deletes_ike && sa == &ike->old)
        lb_ike_old_deleted(ike, now_us);
    else if (parsed->deletes_ike || is_child)
        lb_ike_fail(ike, now_us, LB_E_IPSEC_LOST, "the peer has deleted the association");
    return NULL;
}

const char *lb_ike_request(struct lb_ike *ike, uint64_t now_us, struct lb_ike_sa *sa,
                           uint8_t exchange, const struct lb_ike_parsed *parsed) {
    bool is_new_sa = parsed->rekey_spi == 0 && parsed->ts_i.len == 0;
    if (exchange == LB_IKE_CREATE_CHILD_SA && sa == &ike->old)
        return lb_ike_refuse(ike, sa, LB_IKE_N_TEMPORARY, 0); /* it is only there to be deleted */
    if (exchange == LB_IKE_CREATE_CHILD_SA && is_new_sa)
        return lb_ike_rekey_ike_request(ike, now_us, parsed);
    if (exchange == LB_IKE_CREATE_CHILD_SA)
        return on_create_child(ike, now_us, parsed);
    if (exchange == LB_IKE_INFORMATIONAL)
        return on_informational(ike, now_us, sa, parsed);
    return "an exchange that has no place here";
}
