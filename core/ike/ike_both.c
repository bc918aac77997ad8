/* Both ends ask for new keys at once: RFC 7296 2.8.1, 2.25. Each answers the other, and so two
 * exchanges make one thing twice. The one that has the lowest of the four nonces is closed, by the
 * end that asked for it; the end that asked for the other one deletes what both replace. Until our
 * own answer is there the peer's is only held, for nobody knows which one it will be. */
#include "core/ike/ike_state.h"

/* Byte by byte; of two of which one begins the other, the shorter is lower. */
static bool is_lower(struct lb_bytes a, struct lb_bytes b) {
    int order = memcmp(a.p, b.p, LB_MIN(a.len, b.len));
    return order != 0 ? order < 0 : a.len < b.len;
}

void lb_ike_hold_rival(struct lb_ike *ike, struct lb_bytes nonce_i, struct lb_bytes nonce_r) {
    struct lb_ike_rival *rival = &ike->rival;
    struct lb_bytes lower = is_lower(nonce_i, nonce_r) ? nonce_i : nonce_r;
    lb_assert(lower.len <= sizeof rival->nonce);
    rival->is_there = true;
    memcpy(rival->nonce, lower.p, lower.len);
    rival->nonce_len = lower.len;
}

void lb_ike_hold_rival_child(struct lb_ike *ike, const struct lb_ike_child *child) {
    ike->rival.child = *child;
    ike->rival.terms = ike->terms;
    lb_wipe(ike->terms.out_key, sizeof ike->terms.out_key);
    lb_wipe(ike->terms.in_key, sizeof ike->terms.in_key);
}

bool lb_ike_is_lowest(const struct lb_ike *ike, struct lb_bytes nonce_r) {
    struct lb_bytes ours = lb_bytes(ike->child_nonce, sizeof ike->child_nonce);
    struct lb_bytes rivals = lb_bytes(ike->rival.nonce, ike->rival.nonce_len);
    return is_lower(ours, rivals) || is_lower(nonce_r, rivals);
}

void lb_ike_rival_child_wins(struct lb_ike *ike, uint64_t now_us) {
    ike->terms = ike->rival.terms;
    lb_ike_replace_child(ike, now_us);
    lb_wipe(&ike->rival, sizeof ike->rival);
}

void lb_ike_rival_sa_wins(struct lb_ike *ike, uint64_t now_us) {
    struct lb_ike_sa sa = ike->spare;
    bool is_due = ike->due & DUE_SPARE_ANSWER;
    lb_ike_forget_spare(ike);
    lb_ike_replace_sa(ike, now_us, &sa);
    ike->due |= is_due ? DUE_ANSWER : 0;
    lb_wipe(&sa, sizeof sa);
    lb_wipe(&ike->rival, sizeof ike->rival);
}

void lb_ike_rival_loses(struct lb_ike *ike) {
    struct lb_ike_child child = ike->rival.child;
    lb_wipe(&ike->rival, sizeof ike->rival);
    ike->rival.child = child;
}
