/* ECDSA over P-256 (FIPS 186-5, SEC 1): verifying alone. Nothing here allocates. */
#ifndef LB_CRYPTO_P256_H
#define LB_CRYPTO_P256_H

#include "core/crypto/crypto.h"

enum { LB_P256_POINT_BYTES = 64, LB_P256_SIGNATURE_BYTES = 64 };

/* Whether the signature (r, s) of these bytes, hashed by SHA-256, is by the key whose public point
 * is (x, y); all four are 32 bytes, highest byte first. False also where the point is not on the
 * curve. The time depends on the arguments: none of them is a secret. */
bool lb_p256_verify(const uint8_t point[LB_P256_POINT_BYTES], struct lb_bytes bytes,
                    const uint8_t signature[LB_P256_SIGNATURE_BYTES]);

#endif
