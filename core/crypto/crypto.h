/*
 * crypto: hashes, HMAC, comparing and wiping of secrets, random numbers, CRC32C.
 *
 * The hashes and the cipher inside the random numbers are Mbed TLS's; no header of it is needed to
 * use this one. Nothing here allocates, blocks, or keeps state outside the structs given to it, and
 * nothing here can fail: a wrong argument is the caller's mistake and asserts.
 *
 *     struct lb_hash h;                         uint32_t crc = lb_crc32c(0, header, 48);
 *     lb_hash_init(&h, LB_HASH_SHA256);         crc = lb_crc32c(crc, more, more_len);
 *     lb_hash_update(&h, bytes);
 *     lb_hash_finish(&h, digest);
 */
#ifndef LB_CRYPTO_CRYPTO_H
#define LB_CRYPTO_CRYPTO_H

#include "core/base/bytes.h"

/* ---- Hashes: RFC 1321, FIPS 180-4, FIPS 202 ---- */

enum lb_hash_alg {
    LB_HASH_NONE, /* "not chosen yet"; no function takes it except lb_hash_bytes */
    LB_HASH_MD5,
    LB_HASH_SHA1,
    LB_HASH_SHA256,
    LB_HASH_SHA3_256,
};

enum {
    LB_HASH_MAX_BYTES = 32,       /* the longest digest of the list above */
    LB_HASH_MAX_BLOCK_BYTES = 136 /* the longest input block (SHA3-256), what HMAC pads a key to */
};

/* A hash under way. Opaque; may be copied with = to hash several endings of one beginning. It holds
 * traces of what went in: lb_hash_finish wipes it; wipe it yourself if you give up half-way. */
struct lb_hash {
    enum lb_hash_alg alg;
    _Alignas(8) unsigned char state[208];
};

/* Digest length in bytes: 16, 20, 32, 32; 0 for LB_HASH_NONE. */
size_t lb_hash_bytes(enum lb_hash_alg alg);

/* "md5", "sha1", "sha256", "sha3-256"; "none". */
const char *lb_hash_name(enum lb_hash_alg alg);

/* Starts a hash; LB_HASH_NONE asserts. */
void lb_hash_init(struct lb_hash *h, enum lb_hash_alg alg);
/* Hashes more bytes; may be called any number of times before lb_hash_finish. */
void lb_hash_update(struct lb_hash *h, struct lb_bytes bytes);

/* Writes lb_hash_bytes(alg) bytes to out, wipes h and returns that length. */
size_t lb_hash_finish(struct lb_hash *h, uint8_t out[LB_HASH_MAX_BYTES]);

/* All at once over the parts, in order. Returns the digest's length. */
size_t lb_hash_parts(enum lb_hash_alg alg, const struct lb_bytes *parts, size_t count,
                     uint8_t out[LB_HASH_MAX_BYTES]);

/* ---- HMAC (RFC 2104), with any hash above ---- */

/* Over the parts, in order, with a key of any length. Used with MD5 by RFC 3118 (authenticated
 * DHCP). Returns the MAC's length. */
size_t lb_hmac(enum lb_hash_alg alg, struct lb_bytes key, const struct lb_bytes *parts,
               size_t count, uint8_t out[LB_HASH_MAX_BYTES]);

/* ---- Secrets ---- */

/* Whether they are equal in length and content, in a time that depends on the lengths alone. */
bool lb_equal_secret(struct lb_bytes a, struct lb_bytes b);

/* Zeroes memory in a way that no compiler leaves out. p may be NULL if len is 0. */
void lb_wipe(void *p, size_t len);

/* ---- Random numbers ---- */

enum { LB_RAND_SEED_BYTES = 32, LB_RAND_POOL_BYTES = 224 };

/*
 * A generator seeded once by the host (getrandom, EFI_RNG_PROTOCOL, a simulator's seed) and from
 * then on a pure function of that seed: the same calls give the same bytes, on every machine.
 * ChaCha20 (RFC 8439) with "fast key erasure": each refill makes the next key first, and bytes are
 * erased as they are handed out, so who reads the struct learns nothing about what it gave before.
 * Fit for challenges, ISNs, transaction ids and IKE keys as far as the seed is.
 */
struct lb_rand {
    uint8_t key[LB_RAND_SEED_BYTES];
    uint8_t pool[LB_RAND_POOL_BYTES];
    size_t used; /* bytes of pool already given away */
};

/* Copies the seed; the caller wipes its own copy. */
void lb_rand_init(struct lb_rand *r, const uint8_t seed[LB_RAND_SEED_BYTES]);

/* Fills all of `out` with random bytes. */
void lb_rand_fill(struct lb_rand *r, struct lb_span out);
uint32_t lb_rand_u32(struct lb_rand *r); /* a number of 32 random bits */
uint64_t lb_rand_u64(struct lb_rand *r); /* a number of 64 random bits */

/* A number from 0 to n-1, each equally likely. n must not be 0. */
uint32_t lb_rand_below(struct lb_rand *r, uint32_t n);

/* ---- CRC32C (Castagnoli; RFC 3385, RFC 7143 section 13.1) ---- */

/*
 * Start with crc = 0 and feed the result of each call to the next; the last result is the finished
 * checksum (the initial and final inversion happen inside, so pieces may be split anywhere).
 * iSCSI puts it on the wire least significant byte first: "123456789" is 0xe3069283, sent as
 * 83 92 06 e3. Uses the processor's CRC instructions where there are any.
 */
uint32_t lb_crc32c(uint32_t crc, const void *data, size_t len);

/* The same by tables alone: what lb_crc32c falls back to. Public for tests and benchmarks. */
uint32_t lb_crc32c_portable(uint32_t crc, const void *data, size_t len);

/* How lb_crc32c computes on this machine: "sse4.2", "armv8", "tables". For reports. */
const char *lb_crc32c_method(void);

#endif
