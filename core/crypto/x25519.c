/* X25519: RFC 7748 5, the Montgomery ladder. Mbed TLS has two of its own: one allocates, the other
 * needs headers that firmware does not have.
 *
 * A number modulo p = 2^255 - 19 is five limbs of 51 bits, lowest first, each of which may be a
 * little longer in between. No branch and no address depends on a secret. */
#include "core/crypto/dh.h"

__extension__ typedef unsigned __int128 wide; /* a product of two limbs; ISO C has no name for it */

#define LIMBS 5
#define MASK  ((uint64_t)0x7ffffffffffff)

struct number {
    uint64_t limb[LIMBS];
};

static struct number from_bytes(const uint8_t bytes[32]) {
    struct lb_rd rd = lb_rd(lb_bytes(bytes, 32));
    uint64_t word[4];
    for (size_t i = 0; i < 4; i++)
        word[i] = lb_rd_u64le(&rd);
    return (struct number){{
        word[0] & MASK, (word[0] >> 51 | word[1] << 13) & MASK,
        (word[1] >> 38 | word[2] << 26) & MASK, (word[2] >> 25 | word[3] << 39) & MASK,
        word[3] >> 12 & MASK, /* the highest bit of the bytes does not count */
    }};
}

/* What goes beyond 51 bits goes to the next limb, beyond 255 bits back to the first, times 19. */
static void carry(struct number *a) {
    uint64_t over = 0;
    for (size_t i = 0; i < LIMBS; i++) {
        a->limb[i] += over;
        over = a->limb[i] >> 51;
        a->limb[i] &= MASK;
    }
    a->limb[0] += over * 19;
}

static struct number add(const struct number *a, const struct number *b) {
    struct number sum;
    for (size_t i = 0; i < LIMBS; i++)
        sum.limb[i] = a->limb[i] + b->limb[i];
    carry(&sum);
    return sum;
}

/* Twice p is added first, so that no limb becomes negative. */
static struct number subtract(const struct number *a, const struct number *b) {
    struct number difference;
    for (size_t i = 0; i < LIMBS; i++) {
        uint64_t twice_p = 2 * (i == 0 ? MASK - 18 : MASK);
        difference.limb[i] = a->limb[i] + twice_p - b->limb[i];
    }
    carry(&difference);
    return difference;
}

/* The second half of the factors is b; the first half is what goes round: 2^255 is 19. */
static struct number multiply(const struct number *a, const struct number *b) {
    uint64_t factors[2 * LIMBS];
    struct number product;
    wide sum = 0;
    for (size_t i = 0; i < LIMBS; i++) {
        factors[i] = b->limb[i] * 19;
        factors[LIMBS + i] = b->limb[i];
    }
    for (size_t k = 0; k < LIMBS; k++) {
        for (size_t i = 0; i < LIMBS; i++)
            sum += (wide)a->limb[i] * factors[LIMBS + k - i];
        product.limb[k] = (uint64_t)sum & MASK;
        sum >>= 51;
    }
    sum = product.limb[0] + sum * 19;
    product.limb[0] = (uint64_t)sum & MASK;
    product.limb[1] += (uint64_t)(sum >> 51);
    return product;
}

/* a^(2^times) */
static struct number square_often(const struct number *a, unsigned times) {
    struct number result = *a;
    for (unsigned i = 0; i < times; i++)
        result = multiply(&result, &result);
    return result;
}

/* 1/a = a^(p-2), p - 2 = 2^255 - 21: its bits are 250 ones, then 01011. A row of ones becomes twice
 * as long, and one longer where 250 has a bit. */
static struct number invert(const struct number *a) {
    static const uint8_t tail[] = {0, 1, 0, 1, 1};
    struct number ones = *a, twice;
    for (unsigned len = 1, bit = 1 << 6; bit > 0; bit >>= 1) {
        twice = square_often(&ones, len);
        ones = multiply(&twice, &ones);
        len *= 2;
        if (250 & bit) {
            ones = square_often(&ones, 1);
            ones = multiply(&ones, a);
            len++;
        }
    }
    for (size_t i = 0; i < sizeof tail; i++) {
        ones = square_often(&ones, 1);
        if (tail[i]) /* of the exponent, which is no secret */
            ones = multiply(&ones, a);
    }
    return ones;
}

static void to_bytes(struct number a, uint8_t bytes[32]) {
    carry(&a);
    carry(&a);
    /* Below 2^255 now; once p less where it is p or more: then a + 19 is 2^255 or more. */
    struct number less = a;
    uint64_t over = 19;
    for (size_t i = 0; i < LIMBS; i++) {
        less.limb[i] += over;
        over = less.limb[i] >> 51;
        less.limb[i] &= MASK;
    }
    uint64_t is_more = (uint64_t)0 - over;
    for (size_t i = 0; i < LIMBS; i++)
        a.limb[i] = (a.limb[i] & ~is_more) | (less.limb[i] & is_more);
    struct lb_wr wr = lb_wr(lb_span(bytes, 32));
    lb_wr_u64le(&wr, a.limb[0] | a.limb[1] << 51);
    lb_wr_u64le(&wr, a.limb[1] >> 13 | a.limb[2] << 38);
    lb_wr_u64le(&wr, a.limb[2] >> 26 | a.limb[3] << 25);
    lb_wr_u64le(&wr, a.limb[3] >> 39 | a.limb[4] << 12);
}

static void swap_if(uint64_t condition, struct number *a, struct number *b) {
    uint64_t mask = (uint64_t)0 - condition;
    for (size_t i = 0; i < LIMBS; i++) {
        uint64_t differ = (a->limb[i] ^ b->limb[i]) & mask;
        a->limb[i] ^= differ;
        b->limb[i] ^= differ;
    }
}

/* x2:z2 and x3:z3 of RFC 7748 5. */
struct ladder {
    struct number x1, x2, z2, x3, z3;
};

static void step(struct ladder *l) {
    static const struct number a24 = {{121665}};
    struct number a = add(&l->x2, &l->z2), b = subtract(&l->x2, &l->z2);
    struct number c = add(&l->x3, &l->z3), d = subtract(&l->x3, &l->z3);
    struct number da = multiply(&d, &a), cb = multiply(&c, &b);
    struct number aa = multiply(&a, &a), bb = multiply(&b, &b);
    struct number e = subtract(&aa, &bb), sum = add(&da, &cb), difference = subtract(&da, &cb);
    l->x3 = multiply(&sum, &sum);
    difference = multiply(&difference, &difference);
    l->z3 = multiply(&l->x1, &difference);
    l->x2 = multiply(&aa, &bb);
    struct number more = multiply(&a24, &e);
    more = add(&aa, &more);
    l->z2 = multiply(&e, &more);
}

void lb_x25519(const uint8_t scalar[32], const uint8_t point[32], uint8_t result[32]) {
    uint8_t k[32];
    uint64_t swapped = 0;
    struct ladder l = {.x1 = from_bytes(point), .x2 = {{1}}, .z3 = {{1}}};
    l.x3 = l.x1;
    memcpy(k, scalar, sizeof k);
    k[0] &= 248;
    k[31] = (k[31] & 127) | 64;
    for (unsigned i = 255; i-- > 0;) {
        uint64_t bit = k[i / 8] >> i % 8 & 1;
        swap_if(swapped ^ bit, &l.x2, &l.x3);
        swap_if(swapped ^ bit, &l.z2, &l.z3);
        swapped = bit;
        step(&l);
    }
    swap_if(swapped, &l.x2, &l.x3);
    swap_if(swapped, &l.z2, &l.z3);
    l.z2 = invert(&l.z2);
    l.x2 = multiply(&l.x2, &l.z2);
    to_bytes(l.x2, result);
    lb_wipe(k, sizeof k);
    lb_wipe(&l, sizeof l);
}
