/* P-256 is p256-m's, which comes with Mbed TLS and allocates nothing; X25519 is x25519.c's. */
#include "core/crypto/dh.h"
#include "p256-m/p256-m/p256-m.h"

static const uint8_t base_point[32] = {9};

void lb_dh_init(struct lb_dh *dh, enum lb_dh_group group, struct lb_rand *rand) {
    lb_assert(group == LB_DH_P256 || group == LB_DH_X25519);
    *dh = (struct lb_dh){.group = group};
    if (group == LB_DH_X25519) {
        lb_rand_fill(rand, lb_span(dh->secret, sizeof dh->secret));
        lb_x25519(dh->secret, base_point, dh->value);
        dh->value_len = 32;
        return;
    }
    do /* one draw in 2^32 is not below the order of the curve */
        lb_rand_fill(rand, lb_span(dh->secret, sizeof dh->secret));
    while (p256_public_from_private(dh->value, dh->secret) != P256_SUCCESS);
    dh->value_len = 64;
}

static bool agree_x25519(const struct lb_dh *dh, struct lb_bytes value, uint8_t *shared) {
    uint8_t any = 0;
    if (value.len != 32)
        return false;
    lb_x25519(dh->secret, value.p, shared);
    for (size_t i = 0; i < LB_DH_SECRET_BYTES; i++)
        any |= shared[i];
    return any != 0; /* RFC 7748 6.1: a point of small order */
}

bool lb_dh_agree(const struct lb_dh *dh, struct lb_bytes value,
                 uint8_t shared[LB_DH_SECRET_BYTES]) {
    bool ok = false;
    memset(shared, 0, LB_DH_SECRET_BYTES);
    if (dh->group == LB_DH_X25519)
        ok = agree_x25519(dh, value, shared);
    else if (dh->group == LB_DH_P256 && value.len == 64)
        ok = p256_ecdh_shared_secret(shared, dh->secret, value.p) == P256_SUCCESS;
    if (!ok)
        memset(shared, 0, LB_DH_SECRET_BYTES);
    return ok;
}
