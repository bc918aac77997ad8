/* New keys of the IKE SA: RFC 7296 1.3.2, 2.8, 2.18 and 2.25. The child goes on with the new one;
 * the end that asked for it deletes the old one, by a request in the old one. */
#include "core/ike/ike_state.h"

static const uint8_t none[8];

/* ---- asking ---- */

void lb_ike_ask_rekey_ike(struct lb_ike *ike, uint64_t now_us) {
    enum lb_dh_group group = ike->config.group ? ike->config.group : LB_DH_X25519;
    struct lb_ike_sealed sealed = lb_ike_begin_sealed(
        &ike->sa, &ike->request, LB_IKE_CREATE_CHILD_SA, false, ++ike->sa.out_id);
    lb_dh_init(&ike->dh, group, ike->rand);
    lb_rand_fill(ike->rand, lb_span(ike->child_nonce, sizeof ike->child_nonce));
    lb_rand_fill(ike->rand, lb_span(ike->next_spi, sizeof ike->next_spi));
    lb_ike_put_offer(&sealed.out, LB_IKE_PROTO_IKE, lb_bytes(ike->next_spi, 8), (uint16_t)group);
    lb_ike_put(&sealed.out, LB_IKE_P_NONCE, lb_bytes(ike->child_nonce, sizeof ike->child_nonce));
    lb_ike_put_ke(&sealed.out, &ike->dh);
    lb_ike_end_sealed(&ike->sa, &ike->request, &sealed);
    lb_ike_enter(ike, now_us, LB_IKE_REKEYING_IKE);
}

/* The peer's own new keys are taken, if it asked for some; else the old keys go on. For now, or for
 * long: a peer that has no such exchange is not asked all the time. */
static const char *refused(struct lb_ike *ike, uint64_t now_us, uint16_t error) {
    lb_trace(ike->trace, now_us, "ike", "no new keys of the IKE SA: %s (%u)",
             lb_ike_notify_word(error), (unsigned)error);
    lb_wipe(&ike->dh, sizeof ike->dh);
    lb_ike_enter(ike, now_us, LB_IKE_READY);
    lb_ike_set_rekey_ike(ike, now_us);
    if (ike->rival.is_there)
        lb_ike_rival_sa_wins(ike, now_us);
    else if (error == LB_IKE_N_TEMPORARY)
        ike->rekey_ike_us = now_us + (5 + lb_rand_below(ike->rand, 10)) * LB_US_SEC;
    return NULL;
}

/* Its keys, once both values are known. False: the peer's is no point. */
static bool make_sa(struct lb_ike *ike, struct lb_ike_sa *sa, const struct lb_dh *dh,
                    struct lb_bytes value, struct lb_bytes nonce_i, struct lb_bytes nonce_r) {
    uint8_t shared[LB_DH_SECRET_BYTES];
    bool ok = lb_dh_agree(dh, value, shared);
    sa->out_id = UINT32_MAX; /* counted up before each request */
    if (ok)
        lb_ike_derive_again(sa, &ike->sa, shared, nonce_i, nonce_r);
    lb_wipe(shared, sizeof shared);
    return ok;
}

void lb_ike_ask_retire(struct lb_ike *ike, uint64_t now_us, bool is_spare) {
    struct lb_ike_sa *sa = is_spare ? &ike->spare : &ike->old;
    struct lb_ike_sealed sealed =
        lb_ike_begin_sealed(sa, &ike->request, LB_IKE_INFORMATIONAL, false, ++sa->out_id);
    lb_ike_put_delete(&sealed.out, 0);
    lb_ike_end_sealed(sa, &ike->request, &sealed);
    ike->retires_spare = is_spare;
    lb_ike_enter(ike, now_us, LB_IKE_RETIRING);
}

static bool is_whole(const struct lb_ike_choice *choice) {
    return choice->spi_len == 8 && memcmp(choice->spi, none, 8) != 0;
}

const char *lb_ike_rekey_ike_answer(struct lb_ike *ike, uint64_t now_us,
                                    const struct lb_ike_parsed *parsed) {
    struct lb_ike_choice choice;
    uint16_t group = (uint16_t)ike->dh.group;
    if (lb_ike_takes_group(ike, parsed) && !ike->rival.is_there) {
        lb_ike_ask_rekey_ike(ike, now_us);
        return NULL;
    }
    if (parsed->error != 0)
        return refused(ike, now_us, parsed->error);
    if (!lb_ike_choose(parsed->sa, LB_IKE_PROTO_IKE, true, group, true, &choice) ||
        !is_whole(&choice) || choice.group != group || parsed->ke_group != group ||
        parsed->nonce.len == 0)
        return refused(ike, now_us, LB_IKE_N_NO_PROPOSAL);
    struct lb_ike_sa sa = {.is_initiator = true, .key_bytes = choice.key_bytes};
    memcpy(sa.spi_i, ike->next_spi, 8);
    memcpy(sa.spi_r, choice.spi, 8);
    struct lb_bytes nonce = lb_bytes(ike->child_nonce, sizeof ike->child_nonce);
    if (!make_sa(ike, &sa, &ike->dh, parsed->ke, nonce, parsed->nonce))
        return refused(ike, now_us, LB_IKE_N_INVALID_SYNTAX);
    lb_wipe(&ike->dh, sizeof ike->dh);
    bool has_rival = ike->rival.is_there, loses = has_rival && lb_ike_is_lowest(ike, parsed->nonce);
    if (loses) {
        lb_trace(ike->trace, now_us, "ike", "both made new keys of the IKE SA: ours are deleted");
        lb_ike_rival_sa_wins(ike, now_us);
        ike->spare = sa;
    } else {
        lb_ike_replace_sa(ike, now_us, &sa);
        lb_ike_rival_loses(ike);
    }
    if (has_rival) /* its Delete is answered */
        ike->spare_us = now_us + 2 * lb_ike_give_up_us(ike);
    lb_wipe(&sa, sizeof sa);
    lb_ike_ask_retire(ike, now_us, loses);
    return NULL;
}

/* ---- the peer asks ---- */

static void answer(struct lb_ike *ike, const struct lb_ike_choice *choice, const struct lb_dh *dh,
                   struct lb_bytes nonce, const uint8_t spi[8]) {
    struct lb_ike_sealed sealed =
        lb_ike_begin_sealed(&ike->sa, &ike->sa.answer, LB_IKE_CREATE_CHILD_SA, true, ike->sa.in_id);
    lb_ike_put_choice(&sealed.out, LB_IKE_PROTO_IKE, lb_bytes(spi, 8), choice);
    lb_ike_put(&sealed.out, LB_IKE_P_NONCE, nonce);
    lb_ike_put_ke(&sealed.out, dh);
    lb_ike_end_sealed(&ike->sa, &ike->sa.answer, &sealed);
    lb_ike_answered(ike, &ike->sa);
}

/* A request of ours that is out has the old numbers: the peer is asked to wait for its end, unless
 * it is the same one; and so it is while an IKE SA before this one is not gone. */
const char *lb_ike_rekey_ike_request(struct lb_ike *ike, uint64_t now_us,
                                     const struct lb_ike_parsed *parsed) {
    struct lb_ike_choice choice;
    uint8_t room[LB_IKE_NONCE_BYTES] = {0};
    struct lb_bytes nonce = lb_bytes(room, sizeof room);
    bool is_rival = ike->state == LB_IKE_REKEYING_IKE && !ike->spare.is_there;
    if ((ike->state != LB_IKE_READY && !is_rival) || lb_ike_is_replacing(ike))
        return lb_ike_refuse(ike, &ike->sa, LB_IKE_N_TEMPORARY, 0);
    if (parsed->ke.len == 0 || parsed->nonce.len == 0 ||
        !lb_ike_choose(parsed->sa, LB_IKE_PROTO_IKE, true, parsed->ke_group, false, &choice) ||
        !is_whole(&choice))
        return lb_ike_refuse(ike, &ike->sa, LB_IKE_N_NO_PROPOSAL, 0);
    if (choice.group != parsed->ke_group)
        return lb_ike_refuse(ike, &ike->sa, LB_IKE_N_INVALID_KE, choice.group);
    struct lb_ike_sa sa = {.key_bytes = choice.key_bytes};
    struct lb_dh dh;
    memcpy(sa.spi_i, choice.spi, 8);
    lb_rand_fill(ike->rand, lb_span(sa.spi_r, 8));
    lb_dh_init(&dh, (enum lb_dh_group)choice.group, ike->rand);
    lb_rand_fill(ike->rand, lb_span(room, sizeof room));
    if (!make_sa(ike, &sa, &dh, parsed->ke, parsed->nonce, nonce)) {
        lb_ike_refuse(ike, &ike->sa, LB_IKE_N_INVALID_SYNTAX, 0);
    } else {
        answer(ike, &choice, &dh, nonce, sa.spi_r);
        if (is_rival) {
            lb_ike_hold_rival(ike, parsed->nonce, nonce);
            ike->spare = sa;
        } else {
            lb_ike_replace_sa(ike, now_us, &sa);
        }
    }
    lb_wipe(&sa, sizeof sa);
    lb_wipe(&dh, sizeof dh);
    return NULL;
}

/* The answer may be lost: the old one stays until it is no more asked for. */
void lb_ike_old_deleted(struct lb_ike *ike, uint64_t now_us) {
    ike->old.is_deleted = true;
    ike->old_us = now_us + lb_ike_give_up_us(ike);
}

void lb_ike_spare_deleted(struct lb_ike *ike, uint64_t now_us) {
    ike->spare.is_deleted = true;
    ike->spare_us = now_us + lb_ike_give_up_us(ike);
    lb_ike_rival_loses(ike);
}
