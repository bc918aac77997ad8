/* Random numbers: ChaCha20 in D. J. Bernstein's "fast-key-erasure" arrangement (2017). */
#include "core/crypto/crypto.h"
#include "mbedtls/chacha20.h"

void lb_rand_init(struct lb_rand *r, const uint8_t seed[LB_RAND_SEED_BYTES]) {
    memcpy(r->key, seed, sizeof(r->key));
    memset(r->pool, 0, sizeof(r->pool));
    r->used = sizeof(r->pool);
}

/* The key makes the next key and a pool of bytes, and is gone. No key serves twice, so the nonce
 * and the counter may begin at 0 each time. */
static void refill(struct lb_rand *r) {
    static const uint8_t nonce[12];
    uint8_t stream[LB_RAND_SEED_BYTES + LB_RAND_POOL_BYTES] = {0};
    int result = mbedtls_chacha20_crypt(r->key, nonce, 0, sizeof(stream), stream, stream);
    lb_assert(result == 0);
    memcpy(r->key, stream, sizeof(r->key));
    memcpy(r->pool, stream + sizeof(r->key), sizeof(r->pool));
    lb_wipe(stream, sizeof(stream));
    r->used = 0;
}

void lb_rand_fill(struct lb_rand *r, struct lb_span out) {
    size_t done = 0;
    while (done < out.len) {
        if (r->used == sizeof(r->pool))
            refill(r);
        size_t len = LB_MIN(out.len - done, sizeof(r->pool) - r->used);
        memcpy(out.p + done, r->pool + r->used, len);
        memset(r->pool + r->used, 0, len);
        r->used += len;
        done += len;
    }
}

uint32_t lb_rand_u32(struct lb_rand *r) {
    uint8_t b[4];
    lb_rand_fill(r, lb_span(b, sizeof(b)));
    struct lb_rd rd = lb_rd(lb_bytes(b, sizeof(b)));
    return lb_rd_u32(&rd);
}

uint64_t lb_rand_u64(struct lb_rand *r) {
    uint64_t high = lb_rand_u32(r);
    return high << 32 | lb_rand_u32(r);
}

uint32_t lb_rand_below(struct lb_rand *r, uint32_t n) {
    lb_assert(n != 0);
    /* The high half of a 64-bit product is below n; the few low halves that would favour some
     * results are drawn again (D. Lemire, "Fast random integer generation in an interval"). */
    uint64_t product = (uint64_t)lb_rand_u32(r) * n;
    if ((uint32_t)product < n) {
        uint32_t unfair = -n % n; /* 2^32 mod n */
        while ((uint32_t)product < unfair)
            product = (uint64_t)lb_rand_u32(r) * n;
    }
    return (uint32_t)(product >> 32);
}
