/* Diffie-Hellman over the two curves that IKEv2 peers have: P-256 (RFC 5903) and X25519 (RFC 7748,
 * RFC 8031). Public values are as IKEv2 puts them on the wire. Nothing here allocates. */
#ifndef LB_CRYPTO_DH_H
#define LB_CRYPTO_DH_H

#include "core/crypto/crypto.h"

/* By the numbers of IKEv2. */
enum lb_dh_group { LB_DH_NONE = 0, LB_DH_P256 = 19, LB_DH_X25519 = 31 };

enum { LB_DH_SECRET_BYTES = 32, LB_DH_PUBLIC_MAX = 64 };

/* A pair of keys. Holds a secret: wipe it with lb_wipe. */
struct lb_dh {
    enum lb_dh_group group;
    uint8_t secret[LB_DH_SECRET_BYTES];
    uint8_t value[LB_DH_PUBLIC_MAX]; /* ours, to send */
    size_t value_len;                /* 64 or 32 */
};

/* A fresh pair. The generator must have been seeded well. */
void lb_dh_init(struct lb_dh *dh, enum lb_dh_group group, struct lb_rand *rand);
/* The shared secret, from the other side's value. False: the value is no point of the curve that
 * could be used, or of another length, and shared is zeros. */
bool lb_dh_agree(const struct lb_dh *dh, struct lb_bytes value, uint8_t shared[LB_DH_SECRET_BYTES]);
/* RFC 7748 5: the function itself. scalar, point and result are 32 bytes, lowest byte first. */
void lb_x25519(const uint8_t scalar[32], const uint8_t point[32], uint8_t result[32]);

#endif
