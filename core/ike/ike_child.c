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
    ike->asked_spi = ike->child.in_spi;
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

bool lb_ike_take_spi(struct lb_ike_child *child, const struct lb_ike_choice *choice) {
    struct lb_rd rd = lb_rd(lb_bytes(choice->spi, choice->spi_len));
    child->out_spi = lb_rd_u32(&rd);
    return lb_rd_done(&rd) && child->out_spi > 255;
}

/* In transport mode a packet has no addresses but those that the NAT changes. */
bool lb_ike_translates(const struct lb_ike *ike) {
    return ike->in_udp && ike->config.mode == LB_IPSEC_TRANSPORT;
}

bool lb_ike_agree_ts(struct lb_ike *ike, const struct lb_ike_parsed *parsed) {
    const struct lb_ipsec_selector *asked = &ike->config.selector;
    const struct lb_ipsec_selector *need =
        ike->config.need.local.family != LB_FAMILY_NONE ? &ike->config.need : asked;
    struct lb_ipsec_selector agreed = *asked;
    bool has_nat = lb_ike_translates(ike);
    if (!lb_ike_narrow_ts(parsed->ts_i, asked, need, true, has_nat, &agreed))
        return false;
    uint8_t protocol = agreed.protocol;
    if (!lb_ike_narrow_ts(parsed->ts_r, asked, need, false, has_nat, &agreed) ||
        agreed.protocol != protocol)
        return false;
    ike->agreed = agreed;
    return true;
}

/* What the peer asks for must have what we use within; it is given that (RFC 7296 2.9.2). */
static bool has_ours(const struct lb_ike *ike, const struct lb_ike_parsed *parsed) {
    bool has_nat = lb_ike_translates(ike);
    return lb_ike_has_ts(parsed->ts_i, &ike->agreed, false, has_nat) &&
           lb_ike_has_ts(parsed->ts_r, &ike->agreed, true, has_nat) &&
           (ike->config.mode == LB_IPSEC_TRANSPORT) == parsed->transport;
}

void lb_ike_replace_child(struct lb_ike *ike, uint64_t now_us) {
    ike->last = ike->child;
    lb_ike_child_up(ike, now_us);
}

/* The terms of a child, into ike->terms. False: the peer's value is no point. */
static bool make_child(struct lb_ike *ike, const struct lb_ike_child *child,
                       const struct lb_ike_choice *choice, const struct lb_dh *dh,
                       const struct lb_ike_parsed *parsed, struct lb_bytes nonce, bool we_asked) {
    uint8_t shared[LB_DH_SECRET_BYTES];
    bool ok = lb_dh_agree(dh, parsed->ke, shared);
    if (ok) {
        lb_ike_child_keys(ike, lb_bytes(shared, sizeof shared), we_asked ? nonce : parsed->nonce,
                          we_asked ? parsed->nonce : nonce, we_asked, choice->key_bytes);
        lb_ike_set_terms(ike, child, choice->has_esn);
    }
    lb_wipe(shared, sizeof shared);
    return ok;
}

/* Refused for now, or for good: the peer's own new keys are taken, if it asked for some; else the
 * old keys go on, and it is tried again a while later. */
static const char *rekey_refused(struct lb_ike *ike, uint64_t now_us, uint16_t error) {
    bool is_moot = ike->child.in_spi != ike->asked_spi; /* the peer has renewed it before */
    lb_trace(ike->trace, now_us, "ike", "no new keys: %s (%u)", lb_ike_notify_word(error),
             (unsigned)error);
    lb_wipe(&ike->dh, sizeof ike->dh);
    if (ike->rival.is_there) {
        lb_ike_rival_child_wins(ike, now_us);
    } else if (error == LB_IKE_N_CHILD_NOT_FOUND && !is_moot) { /* RFC 7296 2.25.1 */
        lb_ike_fail(ike, now_us, LB_E_IPSEC_LOST, "the peer does not know the keys any more");
        return NULL;
    } else if (!is_moot) {
        ike->rekey_us = now_us + (5 + lb_rand_below(ike->rand, 10)) * LB_US_SEC;
    }
    lb_ike_enter(ike, now_us, LB_IKE_READY);
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

/* Of two that were made at once the one with the lowest nonce is closed without being used. */
static const char *take_rekeyed(struct lb_ike *ike, uint64_t now_us,
                                const struct lb_ike_choice *choice,
                                const struct lb_ike_parsed *parsed) {
    struct lb_bytes nonce = lb_bytes(ike->child_nonce, sizeof ike->child_nonce);
    bool is_moot = ike->child.in_spi != ike->asked_spi;
    bool loses = ike->rival.is_there && lb_ike_is_lowest(ike, parsed->nonce);
    if (loses)
        lb_ike_rival_child_wins(ike, now_us);
    if (loses || is_moot) {
        lb_trace(ike->trace, now_us, "ike", "both made new keys: ours are deleted");
        lb_wipe(&ike->dh, sizeof ike->dh);
        ike->deleted_spi = 0;
        lb_ike_ask_delete(ike, now_us, ike->next.in_spi);
        return NULL;
    }
    if (!make_child(ike, &ike->next, choice, &ike->dh, parsed, nonce, true))
        return rekey_refused(ike, now_us, LB_IKE_N_INVALID_SYNTAX);
    lb_wipe(&ike->dh, sizeof ike->dh);
    lb_ike_rival_loses(ike);
    lb_ike_replace_child(ike, now_us);
    ike->deleted_spi = ike->last.in_spi;
    lb_ike_ask_delete(ike, now_us, ike->last.in_spi);
    return NULL;
}

const char *lb_ike_rekey_answer(struct lb_ike *ike, uint64_t now_us,
                                const struct lb_ike_parsed *parsed) {
    struct lb_ike_choice choice;
    uint16_t group = (uint16_t)ike->dh.group;
    if (lb_ike_takes_group(ike, parsed) && !ike->rival.is_there) {
        lb_ike_ask_rekey(ike, now_us);
        return NULL;
    }
    if (parsed->error != 0)
        return rekey_refused(ike, now_us, parsed->error);
    if (!lb_ike_choose(parsed->sa, LB_IKE_PROTO_ESP, true, group, true, &choice) ||
        choice.group != group || parsed->ke_group != group ||
        !lb_ike_take_spi(&ike->next, &choice) || parsed->nonce.len == 0)
        return rekey_refused(ike, now_us, LB_IKE_N_NO_PROPOSAL);
    if ((ike->config.mode == LB_IPSEC_TRANSPORT) != parsed->transport ||
        !lb_ike_agree_ts(ike, parsed))
        return rekey_refused(ike, now_us, LB_IKE_N_TS_UNACCEPTABLE);
    return take_rekeyed(ike, now_us, &choice, parsed);
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

static const char *answer_child(struct lb_ike *ike, const struct lb_ike_child *child,
                                const struct lb_ike_choice *choice, const struct lb_dh *dh,
                                struct lb_bytes nonce) {
    uint8_t spi[4];
    struct lb_ike_sealed sealed = begin_answer(&ike->sa, LB_IKE_CREATE_CHILD_SA);
    if (ike->config.mode == LB_IPSEC_TRANSPORT)
        lb_ike_put_notify(&sealed.out, LB_IKE_N_TRANSPORT, 0, lb_bytes(NULL, 0));
    lb_ike_put_choice(&sealed.out, LB_IKE_PROTO_ESP, lb_ike_spi(child->in_spi, spi), choice);
    lb_ike_put(&sealed.out, LB_IKE_P_NONCE, nonce);
    lb_ike_put_ke(&sealed.out, dh);
    lb_ike_put_ts(&sealed.out, LB_IKE_P_TSI, &ike->agreed, false);
    lb_ike_put_ts(&sealed.out, LB_IKE_P_TSR, &ike->agreed, true);
    return end_answer(ike, &ike->sa, &sealed);
}

/* RFC 7296 2.25: what is being closed, or has a rival, is to be asked for later. */
static bool is_closing(const struct lb_ike *ike) {
    return ike->state == LB_IKE_DELETING || ike->state == LB_IKE_REKEYING_IKE ||
           ike->state == LB_IKE_CLOSING || ike->rival.is_there;
}

/* New keys for the child, asked for by the peer. Other children there are not. */
static const char *on_create_child(struct lb_ike *ike, uint64_t now_us,
                                   const struct lb_ike_parsed *parsed) {
    struct lb_ike_choice choice;
    struct lb_ike_child child = {.in_spi = lb_ike_new_spi(ike)};
    uint8_t room[LB_IKE_NONCE_BYTES] = {0};
    struct lb_bytes nonce = lb_bytes(room, sizeof room);
    struct lb_dh dh;
    if (parsed->rekey_spi == 0)
        return refuse(ike, LB_IKE_N_NO_ADDITIONAL_SAS, 0);
    if (is_closing(ike))
        return refuse(ike, LB_IKE_N_TEMPORARY, 0);
    if (!ike->child.is_there || parsed->rekey_spi != ike->child.out_spi)
        return refuse(ike, LB_IKE_N_CHILD_NOT_FOUND, 0);
    if (parsed->ke.len == 0 || parsed->nonce.len == 0 ||
        !lb_ike_choose(parsed->sa, LB_IKE_PROTO_ESP, true, parsed->ke_group, false, &choice) ||
        !lb_ike_take_spi(&child, &choice))
        return refuse(ike, LB_IKE_N_NO_PROPOSAL, 0);
    if (choice.group != parsed->ke_group)
        return refuse(ike, LB_IKE_N_INVALID_KE, choice.group);
    if (!has_ours(ike, parsed))
        return refuse(ike, LB_IKE_N_TS_UNACCEPTABLE, 0);
    lb_dh_init(&dh, (enum lb_dh_group)choice.group, ike->rand);
    lb_rand_fill(ike->rand, lb_span(room, sizeof room));
    bool ok = make_child(ike, &child, &choice, &dh, parsed, nonce, false);
    if (ok && ike->state == LB_IKE_REKEYING) {
        lb_ike_hold_rival(ike, parsed->nonce, nonce);
        lb_ike_hold_rival_child(ike, &child);
    } else if (ok) {
        lb_ike_replace_child(ike, now_us);
    }
    const char *why = ok ? answer_child(ike, &child, &choice, &dh, nonce)
                         : refuse(ike, LB_IKE_N_INVALID_SYNTAX, 0);
    lb_wipe(&dh, sizeof dh);
    return why;
}

/* What the peer deletes, as our inbound SPI; 0: it is nothing of ours. */
static uint32_t delete_child(struct lb_ike *ike, uint64_t now_us, uint32_t spi) {
    uint32_t gone = 0;
    if (spi == 0)
        return 0;
    if (spi == ike->rival.child.out_spi) { /* it has seen before us that it loses */
        gone = ike->rival.child.in_spi;
        lb_wipe(&ike->rival, sizeof ike->rival);
        return gone;
    }
    if (spi == ike->child.out_spi && ike->rival.is_there) /* and here that it wins */
        lb_ike_rival_child_wins(ike, now_us);
    if (spi == ike->last.out_spi) {
        gone = ike->gone_spi = ike->last.in_spi;
        ike->last = (struct lb_ike_child){0};
        ike->due |= DUE_GONE;
        return gone;
    }
    return spi == ike->child.out_spi ? ike->child.in_spi : 0;
}

static void delete_sa(struct lb_ike *ike, uint64_t now_us, struct lb_ike_sa *sa) {
    if (sa == &ike->spare) {
        lb_ike_spare_deleted(ike, now_us);
    } else if (sa == &ike->old) {
        lb_ike_old_deleted(ike, now_us);
    } else if (ike->state == LB_IKE_REKEYING_IKE && ike->rival.is_there) {
        lb_ike_rival_sa_wins(ike, now_us); /* RFC 7296 2.25.2: our own request is forgotten */
        lb_ike_old_deleted(ike, now_us);
        lb_ike_enter(ike, now_us, LB_IKE_READY);
    } else {
        lb_ike_fail(ike, now_us, LB_E_IPSEC_LOST, "the peer has deleted the association");
    }
}

/* The peer names its own inbound SPI, which is what we send with; the answer names ours. */
static const char *on_informational(struct lb_ike *ike, uint64_t now_us, struct lb_ike_sa *sa,
                                    const struct lb_ike_parsed *parsed) {
    struct lb_ike_sealed sealed = begin_answer(sa, LB_IKE_INFORMATIONAL);
    uint32_t gone = parsed->deletes_ike ? 0 : delete_child(ike, now_us, parsed->deletes_spi);
    bool is_child = gone != 0 && ike->child.is_there && gone == ike->child.in_spi;
    if (gone != 0)
        lb_ike_put_delete(&sealed.out, gone);
    end_answer(ike, sa, &sealed);
    if (parsed->deletes_ike)
        delete_sa(ike, now_us, sa);
    else if (is_child)
        lb_ike_fail(ike, now_us, LB_E_IPSEC_LOST, "the peer has deleted the association");
    return NULL;
}

const char *lb_ike_request(struct lb_ike *ike, uint64_t now_us, struct lb_ike_sa *sa,
                           uint8_t exchange, const struct lb_ike_parsed *parsed) {
    bool is_new_sa = parsed->rekey_spi == 0 && parsed->ts_i.len == 0;
    if (exchange == LB_IKE_CREATE_CHILD_SA && sa != &ike->sa)
        return lb_ike_refuse(ike, sa, LB_IKE_N_TEMPORARY, 0); /* it is only there to be deleted */
    if (exchange == LB_IKE_CREATE_CHILD_SA && is_new_sa)
        return lb_ike_rekey_ike_request(ike, now_us, parsed);
    if (exchange == LB_IKE_CREATE_CHILD_SA)
        return on_create_child(ike, now_us, parsed);
    if (exchange == LB_IKE_INFORMATIONAL)
        return on_informational(ike, now_us, sa, parsed);
    return "an exchange that has no place here";
}
