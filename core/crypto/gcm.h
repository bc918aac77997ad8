/* AES-GCM (NIST SP 800-38D) with 128 or 256-bit keys, 12-byte nonces and 16-byte tags: what ESP
 * (RFC 4106) and IKEv2 (RFC 5282) use. Mbed TLS computes, with the processor's AES instructions
 * where it has them. A nonce must not be used twice with one key: that is the caller's to see to.
 * */
#ifndef LB_CRYPTO_GCM_H
#define LB_CRYPTO_GCM_H

#include "core/crypto/crypto.h"

enum { LB_GCM_NONCE_BYTES = 12, LB_GCM_TAG_BYTES = 16, LB_GCM_KEY_MAX = 32 };

/* A key, prepared. Opaque; holds the key: wipe it with lb_wipe. */
struct lb_gcm {
    _Alignas(16) unsigned char state[1024];
};

/* key: 16 or 32 bytes; another length asserts. */
void lb_gcm_init(struct lb_gcm *gcm, struct lb_bytes key);
/* Encrypts `text` in place and writes the tag over it and `extra`. */
void lb_gcm_seal(struct lb_gcm *gcm, const uint8_t nonce[LB_GCM_NONCE_BYTES], struct lb_bytes extra,
                 struct lb_span text, uint8_t tag[LB_GCM_TAG_BYTES]);
/* Decrypts `text` in place. False: text, extra or tag is not what was sealed, and `text` is zeros.
 * */
bool lb_gcm_open(struct lb_gcm *gcm, const uint8_t nonce[LB_GCM_NONCE_BYTES], struct lb_bytes extra,
                 struct lb_span text, const uint8_t tag[LB_GCM_TAG_BYTES]);

#endif
