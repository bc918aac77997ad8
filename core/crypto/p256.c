/* P-256 is p256-m's, which comes with Mbed TLS. */
#include "core/crypto/p256.h"
#include "p256-m/p256-m/p256-m.h"

/* What p256-m would draw random numbers by. Keys are given to it instead (dh.c), and nothing is
 * signed here: nobody calls this. */
int psa_generate_random(uint8_t *output, size_t output_size);
int psa_generate_random(uint8_t *output, size_t output_size) {
    lb_wipe(output, output_size);
    return -1;
}

bool lb_p256_verify(const uint8_t point[LB_P256_POINT_BYTES], struct lb_bytes bytes,
                    const uint8_t signature[LB_P256_SIGNATURE_BYTES]) {
    uint8_t digest[LB_HASH_MAX_BYTES];
    size_t len = lb_hash_parts(LB_HASH_SHA256, &bytes, 1, digest);
    return p256_ecdsa_verify(signature, point, digest, len) == P256_SUCCESS;
}
