#include "core/crypto/small.h"
#include "core/crypto/crypto.h"
#include "mbedtls/md5.h"
#include "mbedtls/sha1.h"

static uint32_t rotate(uint32_t word, unsigned bits) {
    return word << bits | word >> (32 - bits);
}

static uint32_t sha1_mix(unsigned quarter, uint32_t b, uint32_t c, uint32_t d) {
    switch (quarter) {
    case 0:
        return (d ^ (b & (c ^ d))) + 0x5a827999;
    case 1:
        return (b ^ c ^ d) + 0x6ed9eba1;
    case 2:
        return ((b & c) | (d & (b | c))) + 0x8f1bbcdc;
    default:
        return (b ^ c ^ d) + 0xca62c1d6;
    }
}

void lb_small_sha1(uint32_t state[5], const uint8_t block[64]) {
    uint32_t w[80], s[5];
    struct lb_rd rd = lb_rd(lb_bytes(block, 64));
    for (unsigned t = 0; t < 80; t++)
        w[t] = t < 16 ? lb_rd_u32(&rd) : rotate(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
    memcpy(s, state, sizeof s);
    for (unsigned t = 0; t < 80; t++) {
        uint32_t next = rotate(s[0], 5) + sha1_mix(t / 20, s[1], s[2], s[3]) + s[4] + w[t];
        s[4] = s[3];
        s[3] = s[2];
        s[2] = rotate(s[1], 30);
        s[1] = s[0];
        s[0] = next;
    }
    for (unsigned i = 0; i < 5; i++)
        state[i] += s[i];
    lb_wipe(w, sizeof w);
    lb_wipe(s, sizeof s);
}

/* RFC 1321 3.4: the integer part of 2^32 times |sin(i)|, i from 1. */
static const uint32_t md5_sines[64] = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
};
static const uint8_t md5_turns[4][4] = {
    {7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};

/* Returns which word of the block the step takes, too. */
static uint32_t md5_mix(unsigned step, uint32_t b, uint32_t c, uint32_t d, unsigned *word) {
    switch (step / 16) {
    case 0:
        *word = step;
        return d ^ (b & (c ^ d));
    case 1:
        *word = (5 * step + 1) % 16;
        return c ^ (d & (b ^ c));
    case 2:
        *word = (3 * step + 5) % 16;
        return b ^ c ^ d;
    default:
        *word = 7 * step % 16;
        return c ^ (b | ~d);
    }
}

void lb_small_md5(uint32_t state[4], const uint8_t block[64]) {
    uint32_t w[16], s[4];
    struct lb_rd rd = lb_rd(lb_bytes(block, 64));
    for (unsigned i = 0; i < 16; i++)
        w[i] = lb_rd_u32le(&rd);
    memcpy(s, state, sizeof s);
    for (unsigned i = 0; i < 64; i++) {
        unsigned word;
        uint32_t mix = md5_mix(i, s[1], s[2], s[3], &word) + s[0] + md5_sines[i] + w[word];
        s[0] = s[3];
        s[3] = s[2];
        s[2] = s[1];
        s[1] += rotate(mix, md5_turns[i / 16][i % 4]);
    }
    for (unsigned i = 0; i < 4; i++)
        state[i] += s[i];
    lb_wipe(w, sizeof w);
    lb_wipe(s, sizeof s);
}

/* Entry n is what n becomes when its four bits are shifted out. */
static const uint32_t crc32c_steps[16] = {
    0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
    0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
};

uint32_t lb_small_crc32c(uint32_t crc, const uint8_t *p, size_t len) {
    for (; len > 0; p++, len--) {
        crc ^= *p;
        crc = crc >> 4 ^ crc32c_steps[crc & 15];
        crc = crc >> 4 ^ crc32c_steps[crc & 15];
    }
    return crc;
}

#ifdef MBEDTLS_SHA1_PROCESS_ALT
int mbedtls_internal_sha1_process(mbedtls_sha1_context *context, const unsigned char block[64]) {
    lb_small_sha1(context->MBEDTLS_PRIVATE(state), block);
    return 0;
}
#endif

#ifdef MBEDTLS_MD5_PROCESS_ALT
int mbedtls_internal_md5_process(mbedtls_md5_context *context, const unsigned char block[64]) {
    lb_small_md5(context->MBEDTLS_PRIVATE(state), block);
    return 0;
}
#endif
