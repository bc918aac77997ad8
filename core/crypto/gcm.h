/* AES-GCM (NIST SP 800-38D) with 128 or 256-bit keys, 12-byte nonces and 16-byte tags: what ESP
 * (RFC 4106) and IKEv2 (RFC 5282) use. By the processor's instructions for AES and for products
 * without carries where it has them (x86: AES-NI and PCLMULQDQ; ARMv8: AESE and PMULL), else in
 * plain C. A nonce must not be used twice with one key: that is the caller's to see to. */
#ifndef LB_CRYPTO_GCM_H
#define LB_CRYPTO_GCM_H

#include "core/crypto/crypto.h"

enum {
    LB_GCM_NONCE_BYTES = 12,
    LB_GCM_TAG_BYTES = 16,
    LB_GCM_KEY_MAX = 32,
    LB_GCM_AT_ONCE = 4 /* blocks that are worked on side by side */
};

/* A key, prepared. Opaque; holds the key: wipe it with lb_wipe. */
struct lb_gcm {
    _Alignas(16) uint8_t keys[15][16];  /* of AES, a round each */
    uint64_t powers[LB_GCM_AT_ONCE][2]; /* of the hash key: power n is at n - 1; low, high half */
    uint8_t rounds;                     /* 10 or 14 */
    bool has_instructions;
};

/* key: 16 or 32 bytes; another length asserts. */
void lb_gcm_init(struct lb_gcm *gcm, struct lb_bytes key);
/* The same without the processor's instructions. Public for tests and benchmarks. */
void lb_gcm_init_portable(struct lb_gcm *gcm, struct lb_bytes key);
/* Encrypts `text` in place and writes the tag over it and `extra`. */
void lb_gcm_seal(const struct lb_gcm *gcm, const uint8_t nonce[LB_GCM_NONCE_BYTES],
                 struct lb_bytes extra, struct lb_span text, uint8_t tag[LB_GCM_TAG_BYTES]);
/* Decrypts `text` in place. False: text, extra or tag is not what was sealed, and `text` is zeros.
 * */
bool lb_gcm_open(const struct lb_gcm *gcm, const uint8_t nonce[LB_GCM_NONCE_BYTES],
                 struct lb_bytes extra, struct lb_span text, const uint8_t tag[LB_GCM_TAG_BYTES]);
/* How lb_gcm_init computes on this machine: "aes-ni", "armv8", "portable". For reports. */
const char *lb_gcm_method(void);

#endif
