/* gcm.h's names over Mbed TLS's functions. */
#include "core/crypto/gcm.h"
#include "mbedtls/gcm.h"

_Static_assert(sizeof(mbedtls_gcm_context) <= sizeof(struct lb_gcm), "state is too small");
_Static_assert(_Alignof(mbedtls_gcm_context) <= 16, "state is not aligned for Mbed TLS");

static mbedtls_gcm_context *context(struct lb_gcm *gcm) {
    return (mbedtls_gcm_context *)(void *)gcm->state;
}

void lb_gcm_init(struct lb_gcm *gcm, struct lb_bytes key) {
    lb_assert(key.len == 16 || key.len == LB_GCM_KEY_MAX);
    mbedtls_gcm_init(context(gcm));
    int result =
        mbedtls_gcm_setkey(context(gcm), MBEDTLS_CIPHER_ID_AES, key.p, (unsigned)key.len * 8);
    lb_assert(result == 0); /* it fails by wrong lengths alone */
}

void lb_gcm_seal(struct lb_gcm *gcm, const uint8_t nonce[LB_GCM_NONCE_BYTES], struct lb_bytes extra,
                 struct lb_span text, uint8_t tag[LB_GCM_TAG_BYTES]) {
    int result = mbedtls_gcm_crypt_and_tag(context(gcm), MBEDTLS_GCM_ENCRYPT, text.len, nonce,
                                           LB_GCM_NONCE_BYTES, extra.p, extra.len, text.p, text.p,
                                           LB_GCM_TAG_BYTES, tag);
    lb_assert(result == 0);
}

bool lb_gcm_open(struct lb_gcm *gcm, const uint8_t nonce[LB_GCM_NONCE_BYTES], struct lb_bytes extra,
                 struct lb_span text, const uint8_t tag[LB_GCM_TAG_BYTES]) {
    return mbedtls_gcm_auth_decrypt(context(gcm), text.len, nonce, LB_GCM_NONCE_BYTES, extra.p,
                                    extra.len, tag, LB_GCM_TAG_BYTES, text.p, text.p) == 0;
}
