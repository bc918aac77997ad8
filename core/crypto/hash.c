/* Hashes and HMAC: crypto.h's names over Mbed TLS's functions. */
#include "core/crypto/crypto.h"
#include "mbedtls/md5.h"
#include "mbedtls/sha1.h"
#include "mbedtls/sha256.h"
#include "mbedtls/sha3.h"

union context {
    mbedtls_md5_context md5;
    mbedtls_sha1_context sha1;
    mbedtls_sha256_context sha256;
    mbedtls_sha3_context sha3;
};

_Static_assert(sizeof(union context) <= sizeof(((struct lb_hash *)0)->state), "state is too small");
_Static_assert(_Alignof(union context) <= 8, "state is not aligned for Mbed TLS");

static union context *context(struct lb_hash *h) {
    return (union context *)(void *)h->state;
}

/* Mbed TLS reports misuse and failing hardware; there is neither here. */
static void done(int result) {
    lb_assert(result == 0);
}

static size_t block_bytes(enum lb_hash_alg alg) {
    return alg == LB_HASH_SHA3_256 ? 136 : 64;
}

size_t lb_hash_bytes(enum lb_hash_alg alg) {
    switch (alg) {
    case LB_HASH_NONE:
        return 0;
    case LB_HASH_MD5:
        return 16;
    case LB_HASH_SHA1:
        return 20;
    case LB_HASH_SHA256:
    case LB_HASH_SHA3_256:
        return 32;
    }
    return 0;
}

const char *lb_hash_name(enum lb_hash_alg alg) {
    switch (alg) {
    case LB_HASH_NONE:
        return "none";
    case LB_HASH_MD5:
        return "md5";
    case LB_HASH_SHA1:
        return "sha1";
    case LB_HASH_SHA256:
        return "sha256";
    case LB_HASH_SHA3_256:
        return "sha3-256";
    }
    return "none";
}

void lb_hash_init(struct lb_hash *h, enum lb_hash_alg alg) {
    lb_assert(lb_hash_bytes(alg) != 0);
    memset(h, 0, sizeof(*h)); /* what Mbed TLS's own init functions do */
    h->alg = alg;
    switch (alg) {
    case LB_HASH_NONE:
        break;
    case LB_HASH_MD5:
        done(mbedtls_md5_starts(&context(h)->md5));
        break;
    case LB_HASH_SHA1:
        done(mbedtls_sha1_starts(&context(h)->sha1));
        break;
    case LB_HASH_SHA256:
        done(mbedtls_sha256_starts(&context(h)->sha256, 0));
        break;
    case LB_HASH_SHA3_256:
        done(mbedtls_sha3_starts(&context(h)->sha3, MBEDTLS_SHA3_256));
        break;
    }
}

void lb_hash_update(struct lb_hash *h, struct lb_bytes bytes) {
    if (bytes.len == 0)
        return;
    switch (h->alg) {
    case LB_HASH_NONE:
        lb_assert(h->alg != LB_HASH_NONE);
        break;
    case LB_HASH_MD5:
        done(mbedtls_md5_update(&context(h)->md5, bytes.p, bytes.len));
        break;
    case LB_HASH_SHA1:
        done(mbedtls_sha1_update(&context(h)->sha1, bytes.p, bytes.len));
        break;
    case LB_HASH_SHA256:
        done(mbedtls_sha256_update(&context(h)->sha256, bytes.p, bytes.len));
        break;
    case LB_HASH_SHA3_256:
        done(mbedtls_sha3_update(&context(h)->sha3, bytes.p, bytes.len));
        break;
    }
}

size_t lb_hash_finish(struct lb_hash *h, uint8_t out[LB_HASH_MAX_BYTES]) {
    size_t len = lb_hash_bytes(h->alg);
    switch (h->alg) {
    case LB_HASH_NONE:
        lb_assert(h->alg != LB_HASH_NONE);
        break;
    case LB_HASH_MD5:
        done(mbedtls_md5_finish(&context(h)->md5, out));
        break;
    case LB_HASH_SHA1:
        done(mbedtls_sha1_finish(&context(h)->sha1, out));
        break;
    case LB_HASH_SHA256:
        done(mbedtls_sha256_finish(&context(h)->sha256, out));
        break;
    case LB_HASH_SHA3_256:
        done(mbedtls_sha3_finish(&context(h)->sha3, out, len));
        break;
    }
    lb_wipe(h, sizeof(*h));
    return len;
}

static void update_parts(struct lb_hash *h, const struct lb_bytes *parts, size_t count) {
    for (size_t i = 0; i < count; i++)
        lb_hash_update(h, parts[i]);
}

size_t lb_hash_parts(enum lb_hash_alg alg, const struct lb_bytes *parts, size_t count,
                     uint8_t out[LB_HASH_MAX_BYTES]) {
    struct lb_hash h;
    lb_hash_init(&h, alg);
    update_parts(&h, parts, count);
    return lb_hash_finish(&h, out);
}

/* RFC 2104 section 2: H(K xor opad, H(K xor ipad, text)). */
size_t lb_hmac(enum lb_hash_alg alg, struct lb_bytes key, const struct lb_bytes *parts,
               size_t count, uint8_t out[LB_HASH_MAX_BYTES]) {
    uint8_t pad[LB_HASH_MAX_BLOCK_BYTES] = {0};
    size_t block = block_bytes(alg);
    if (key.len > block)
        lb_hash_parts(alg, &key, 1, pad);
    else if (key.len > 0)
        memcpy(pad, key.p, key.len);
    for (size_t i = 0; i < block; i++)
        pad[i] ^= 0x36;

    struct lb_hash h;
    lb_hash_init(&h, alg);
    lb_hash_update(&h, lb_bytes(pad, block));
    update_parts(&h, parts, count);
    uint8_t inner[LB_HASH_MAX_BYTES];
    size_t len = lb_hash_finish(&h, inner);

    for (size_t i = 0; i < block; i++)
        pad[i] ^= 0x36 ^ 0x5c;
    lb_hash_parts(alg, (struct lb_bytes[]){lb_bytes(pad, block), lb_bytes(inner, len)}, 2, out);
    lb_wipe(pad, sizeof(pad));
    lb_wipe(inner, sizeof(inner));
    return len;
}
