/* Diffie-Hellman that costs nothing and protects nothing: for fuzz targets of machines that agree
 * on keys. A real agreement takes most of their time. Linked before the core's (core/crypto/dh.c),
 * it takes its place. Both ends come to the same secret, and some values are refused, as those that
 * are no points of the curve. */
#include "core/crypto/dh.h"

enum { MARK = 0x5a };

static size_t value_bytes(enum lb_dh_group group) {
    return group == LB_DH_X25519 ? 32 : LB_DH_PUBLIC_MAX;
}

void lb_dh_init(struct lb_dh *dh, enum lb_dh_group group, struct lb_rand *rand) {
    lb_assert(group == LB_DH_P256 || group == LB_DH_X25519);
    *dh = (struct lb_dh){.group = group, .value_len = value_bytes(group)};
    lb_rand_fill(rand, lb_span(dh->secret, sizeof dh->secret));
    for (size_t i = 0; i < dh->value_len; i++)
        dh->value[i] = dh->secret[i % LB_DH_SECRET_BYTES] ^ MARK;
}

bool lb_dh_agree(const struct lb_dh *dh, struct lb_bytes value,
                 uint8_t shared[LB_DH_SECRET_BYTES]) {
    uint8_t any = 0;
    memset(shared, 0, LB_DH_SECRET_BYTES);
    if (value.len != value_bytes(dh->group))
        return false;
    for (size_t i = 0; i < value.len; i++)
        any |= value.p[i] ^ value.p[i % LB_DH_SECRET_BYTES]; /* not on the curve */
    if (any)
        return false;
    for (size_t i = 0; i < LB_DH_SECRET_BYTES; i++)
        shared[i] = dh->secret[i] ^ value.p[i] ^ MARK;
    return true;
}
