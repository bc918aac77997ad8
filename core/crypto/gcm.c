/* AES-GCM. Two things are done by instructions or in plain C: four blocks of AES side by side, and
 * the sum of four products without carries.
 *
 * In plain C the S-box of AES is a table, so that time depends on the key (caches); products are
 * made without tables. */
#include "core/crypto/gcm.h"

#define AT_ONCE     LB_GCM_AT_ONCE
#define BLOCK_BYTES 16

#define INLINE static inline __attribute__((always_inline))

/* Two words, the lower one first. */
typedef uint64_t vector __attribute__((vector_size(16)));

/* ---- instructions ---- */

/* One instruction a statement, and no intrinsics, whose headers draw in a C library's. */
#if defined(__x86_64__)

#define INSTRUCTIONS "aes-ni"
#define TARGET       /* the assembler knows them all */

static bool has_instructions(void) {
    uint32_t eax = 1, ebx, ecx = 0, edx;
    __asm__("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
    return (ecx >> 25 & 1) && (ecx >> 1 & 1); /* AES, PCLMULQDQ */
}

INLINE vector first_round(vector state, vector key) {
    return state ^ key;
}

INLINE vector middle_round(vector state, vector key, vector next) {
    (void)key;
    __asm__("aesenc %1, %0" : "+x"(state) : "x"(next));
    return state;
}

INLINE vector last_round(vector state, vector key, vector last) {
    (void)key;
    __asm__("aesenclast %1, %0" : "+x"(state) : "x"(last));
    return state;
}

INLINE vector multiply_fast(uint64_t x, uint64_t y) {
    vector a = {x, 0}, b = {y, 0};
    __asm__("pclmulqdq $0, %1, %0" : "+x"(a) : "x"(b));
    return a;
}

#elif defined(__aarch64__)

#define INSTRUCTIONS "armv8"
#ifdef __clang__
#define TARGET __attribute__((target("crypto")))
#else
#define TARGET __attribute__((target("+crypto")))
#endif

/* ID_AA64ISAR0_EL1, bits 4 to 7: 2 is AES with PMULL. Firmware may read it; Linux (4.11 and later)
 * answers programs. */
static bool has_instructions(void) {
    uint64_t isar0;
    __asm__("mrs %0, ID_AA64ISAR0_EL1" : "=r"(isar0));
    return (isar0 >> 4 & 0xf) >= 2;
}

/* AESE adds the key first, and the last one is added by itself. */
INLINE vector first_round(vector state, vector key) {
    (void)key;
    return state;
}

INLINE vector middle_round(vector state, vector key, vector next) {
    (void)next;
    __asm__("aese %0.16b, %1.16b\n\taesmc %0.16b, %0.16b" : "+w"(state) : "w"(key));
    return state;
}

INLINE vector last_round(vector state, vector key, vector last) {
    __asm__("aese %0.16b, %1.16b" : "+w"(state) : "w"(key));
    return state ^ last;
}

INLINE vector multiply_fast(uint64_t x, uint64_t y) {
    vector a = {x, 0}, b = {y, 0};
    __asm__("pmull %0.1q, %0.1d, %1.1d" : "+w"(a) : "w"(b));
    return a;
}

#endif

#if defined(INSTRUCTIONS)

INLINE vector load(const void *p) {
    vector x;
    __builtin_memcpy(&x, p, sizeof x);
    return x;
}

INLINE void store(void *p, vector x) {
    __builtin_memcpy(p, &x, sizeof x);
}

/* The four blocks that count up from `start`. Not a loop over them, which would keep them in
 * memory. */
TARGET static void encrypt_fast(const struct lb_gcm *gcm, const uint8_t start[BLOCK_BYTES],
                                uint8_t blocks[AT_ONCE][BLOCK_BYTES]) {
    const vector one = {0, (uint64_t)1 << 56};
    vector key = load(gcm->keys[0]), last = load(gcm->keys[gcm->rounds]);
    vector a = load(start), b = a + one, c = b + one, d = c + one;
    a = first_round(a, key);
    b = first_round(b, key);
    c = first_round(c, key);
    d = first_round(d, key);
    for (unsigned round = 1; round < gcm->rounds; round++) {
        vector next = load(gcm->keys[round]);
        a = middle_round(a, key, next);
        b = middle_round(b, key, next);
        c = middle_round(c, key, next);
        d = middle_round(d, key, next);
        key = next;
    }
    store(blocks[0], last_round(a, key, last));
    store(blocks[1], last_round(b, key, last));
    store(blocks[2], last_round(c, key, last));
    store(blocks[3], last_round(d, key, last));
}

#else

#define INSTRUCTIONS "portable"
#define TARGET

static bool has_instructions(void) {
    return false;
}

static void encrypt_fast(const struct lb_gcm *gcm, const uint8_t start[BLOCK_BYTES],
                         uint8_t blocks[AT_ONCE][BLOCK_BYTES]) {
    (void)gcm;
    (void)start;
    (void)blocks;
}

INLINE vector multiply_fast(uint64_t x, uint64_t y) {
    return (vector){x, y};
}

#endif

/* ---- AES in plain C (FIPS 197) ---- */

static const uint8_t sbox[256] = {
    0x63, 0x7c, 0x77, 0x7b, 0xf2, 0x6b, 0x6f, 0xc5, 0x30, 0x01, 0x67, 0x2b, 0xfe, 0xd7, 0xab, 0x76,
    0xca, 0x82, 0xc9, 0x7d, 0xfa, 0x59, 0x47, 0xf0, 0xad, 0xd4, 0xa2, 0xaf, 0x9c, 0xa4, 0x72, 0xc0,
    0xb7, 0xfd, 0x93, 0x26, 0x36, 0x3f, 0xf7, 0xcc, 0x34, 0xa5, 0xe5, 0xf1, 0x71, 0xd8, 0x31, 0x15,
    0x04, 0xc7, 0x23, 0xc3, 0x18, 0x96, 0x05, 0x9a, 0x07, 0x12, 0x80, 0xe2, 0xeb, 0x27, 0xb2, 0x75,
    0x09, 0x83, 0x2c, 0x1a, 0x1b, 0x6e, 0x5a, 0xa0, 0x52, 0x3b, 0xd6, 0xb3, 0x29, 0xe3, 0x2f, 0x84,
    0x53, 0xd1, 0x00, 0xed, 0x20, 0xfc, 0xb1, 0x5b, 0x6a, 0xcb, 0xbe, 0x39, 0x4a, 0x4c, 0x58, 0xcf,
    0xd0, 0xef, 0xaa, 0xfb, 0x43, 0x4d, 0x33, 0x85, 0x45, 0xf9, 0x02, 0x7f, 0x50, 0x3c, 0x9f, 0xa8,
    0x51, 0xa3, 0x40, 0x8f, 0x92, 0x9d, 0x38, 0xf5, 0xbc, 0xb6, 0xda, 0x21, 0x10, 0xff, 0xf3, 0xd2,
    0xcd, 0x0c, 0x13, 0xec, 0x5f, 0x97, 0x44, 0x17, 0xc4, 0xa7, 0x7e, 0x3d, 0x64, 0x5d, 0x19, 0x73,
    0x60, 0x81, 0x4f, 0xdc, 0x22, 0x2a, 0x90, 0x88, 0x46, 0xee, 0xb8, 0x14, 0xde, 0x5e, 0x0b, 0xdb,
    0xe0, 0x32, 0x3a, 0x0a, 0x49, 0x06, 0x24, 0x5c, 0xc2, 0xd3, 0xac, 0x62, 0x91, 0x95, 0xe4, 0x79,
    0xe7, 0xc8, 0x37, 0x6d, 0x8d, 0xd5, 0x4e, 0xa9, 0x6c, 0x56, 0xf4, 0xea, 0x65, 0x7a, 0xae, 0x08,
    0xba, 0x78, 0x25, 0x2e, 0x1c, 0xa6, 0xb4, 0xc6, 0xe8, 0xdd, 0x74, 0x1f, 0x4b, 0xbd, 0x8b, 0x8a,
    0x70, 0x3e, 0xb5, 0x66, 0x48, 0x03, 0xf6, 0x0e, 0x61, 0x35, 0x57, 0xb9, 0x86, 0xc1, 0x1d, 0x9e,
    0xe1, 0xf8, 0x98, 0x11, 0x69, 0xd9, 0x8e, 0x94, 0x9b, 0x1e, 0x87, 0xe9, 0xce, 0x55, 0x28, 0xdf,
    0x8c, 0xa1, 0x89, 0x0d, 0xbf, 0xe6, 0x42, 0x68, 0x41, 0x99, 0x2d, 0x0f, 0xb0, 0x54, 0xbb, 0x16};

static uint32_t load_le32(const uint8_t *p) {
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void store_le32(uint8_t *p, uint32_t word) {
    for (unsigned i = 0; i < 4; i++)
        p[i] = (uint8_t)(word >> 8 * i);
}

static uint32_t turned(uint32_t word, unsigned bits) {
    return word >> bits | word << (32 - bits);
}

/* One byte of each of four columns, through the S-box. */
static uint32_t substitute(uint32_t a, uint32_t b, uint32_t c, uint32_t d) {
    return (uint32_t)sbox[a & 255] | (uint32_t)sbox[b >> 8 & 255] << 8 |
           (uint32_t)sbox[c >> 16 & 255] << 16 | (uint32_t)sbox[d >> 24] << 24;
}

/* MixColumns of one column: each byte twice itself, three times the next, and the two others. */
static uint32_t mixed(uint32_t column) {
    uint32_t twice = (column & 0x7f7f7f7f) << 1 ^ (column >> 7 & 0x01010101) * 0x1b;
    return twice ^ turned(twice ^ column, 8) ^ turned(column, 16) ^ turned(column, 24);
}

static void encrypt_one(const struct lb_gcm *gcm, uint8_t block[BLOCK_BYTES]) {
    uint32_t s[4], t[4];
    for (unsigned i = 0; i < 4; i++)
        s[i] = load_le32(block + 4 * i) ^ load_le32(gcm->keys[0] + 4 * i);
    for (unsigned round = 1; round <= gcm->rounds; round++) {
        for (unsigned i = 0; i < 4; i++) {
            t[i] = substitute(s[i], s[(i + 1) % 4], s[(i + 2) % 4], s[(i + 3) % 4]);
            t[i] = (round < gcm->rounds ? mixed(t[i]) : t[i]) ^ load_le32(gcm->keys[round] + 4 * i);
        }
        memcpy(s, t, sizeof s);
    }
    for (unsigned i = 0; i < 4; i++)
        store_le32(block + 4 * i, s[i]);
}

static void expand(struct lb_gcm *gcm, struct lb_bytes key) {
    uint8_t *bytes = gcm->keys[0];
    unsigned words = (unsigned)key.len / 4, all = 4 * (words + 7);
    uint32_t constant = 1;
    gcm->rounds = (uint8_t)(words + 6);
    memcpy(bytes, key.p, key.len);
    for (unsigned i = words; i < all; i++) {
        uint32_t last = load_le32(bytes + 4 * (i - 1));
        if (i % words == 0) {
            last = turned(last, 8);
            last = substitute(last, last, last, last) ^ constant;
            constant = constant << 1 ^ (constant >> 7) * 0x11b;
        } else if (words == 8 && i % 8 == 4) {
            last = substitute(last, last, last, last);
        }
        store_le32(bytes + 4 * i, last ^ load_le32(bytes + 4 * (i - words)));
    }
}

/* ---- products in plain C ---- */

/* The low half. Ones that are four bits apart do not carry into each other: at most fifteen of them
 * meet in one place; sixteen in the highest alone, whose carry is beyond the result. */
static uint64_t multiply_low(uint64_t x, uint64_t y) {
    const uint64_t every_fourth = UINT64_C(0x1111111111111111);
    uint64_t result = 0;
    for (unsigned i = 0; i < 4; i++) {
        uint64_t part = 0;
        for (unsigned k = 0; k < 4; k++)
            part ^= (x & every_fourth << k) * (y & every_fourth << ((i - k) & 3));
        result |= part & every_fourth << i;
    }
    return result;
}

static uint64_t swapped(uint64_t x, uint64_t mask, unsigned bits) {
    return (x & mask) << bits | (x >> bits & mask);
}

static uint64_t reversed(uint64_t x) {
    x = swapped(x, UINT64_C(0x5555555555555555), 1);
    x = swapped(x, UINT64_C(0x3333333333333333), 2);
    x = swapped(x, UINT64_C(0x0f0f0f0f0f0f0f0f), 4);
    return __builtin_bswap64(x);
}

static vector multiply_plainly(uint64_t x, uint64_t y) {
    return (vector){multiply_low(x, y), reversed(multiply_low(reversed(x), reversed(y))) >> 1};
}

/* ---- GHASH (SP 800-38D 6.4) ---- */

/* Bits of a block are counted from its first byte's highest, and stand for rising powers: as a
 * number of 128 bits with the first byte highest it is the polynomial, reversed. A product of two
 * is one place too low then: the key's powers are kept one place higher. */
struct hash {
    uint64_t low, high;
};

static uint64_t load_be64(const uint8_t *p) {
    uint64_t word;
    __builtin_memcpy(&word, p, sizeof word);
    return __builtin_bswap64(word); /* all our machines are little-endian */
}

static void store_be64(uint8_t *p, uint64_t word) {
    word = __builtin_bswap64(word);
    __builtin_memcpy(p, &word, sizeof word);
}

/* Modulo x^128 + x^7 + x^2 + x + 1, reversed. */
INLINE struct hash reduced(vector low, vector high, vector middle) {
    middle ^= low ^ high;
    uint64_t v0 = low[0], v1 = low[1] ^ middle[0], v2 = high[0] ^ middle[1], v3 = high[1];
    v2 ^= v0 ^ v0 >> 1 ^ v0 >> 2 ^ v0 >> 7;
    v1 ^= v0 << 63 ^ v0 << 62 ^ v0 << 57;
    v3 ^= v1 ^ v1 >> 1 ^ v1 >> 2 ^ v1 >> 7;
    v2 ^= v1 << 63 ^ v1 << 62 ^ v1 << 57;
    return (struct hash){v2, v3};
}

/* Whole blocks, at most AT_ONCE: the sum of their products with the key's powers, as Karatsuba's
 * three parts, and one reduction. */
INLINE void hash_either(bool fast, const struct lb_gcm *gcm, struct hash *hash, const uint8_t *p,
                        size_t count) {
    vector low = {0}, high = {0}, middle = {0};
    struct hash before = *hash;
    for (; count > 0; p += BLOCK_BYTES) {
        const uint64_t *power = gcm->powers[--count];
        uint64_t x = load_be64(p + 8) ^ before.low, y = load_be64(p) ^ before.high;
        low ^= fast ? multiply_fast(x, power[0]) : multiply_plainly(x, power[0]);
        high ^= fast ? multiply_fast(y, power[1]) : multiply_plainly(y, power[1]);
        x ^= y;
        y = power[0] ^ power[1];
        middle ^= fast ? multiply_fast(x, y) : multiply_plainly(x, y);
        before = (struct hash){0};
    }
    *hash = reduced(low, high, middle);
}

TARGET static void hash_fast(const struct lb_gcm *gcm, struct hash *hash, const uint8_t *p,
                             size_t count) {
    hash_either(true, gcm, hash, p, count);
}

static void hash_plainly(const struct lb_gcm *gcm, struct hash *hash, const uint8_t *p,
                         size_t count) {
    hash_either(false, gcm, hash, p, count);
}

static void hash_blocks(const struct lb_gcm *gcm, struct hash *hash, const uint8_t *p,
                        size_t count) {
    if (gcm->has_instructions)
        hash_fast(gcm, hash, p, count);
    else
        hash_plainly(gcm, hash, p, count);
}

/* The last block is filled up with zeros. */
static void hash_some(const struct lb_gcm *gcm, struct hash *hash, const uint8_t *p, size_t len) {
    size_t whole = len / BLOCK_BYTES, rest = len % BLOCK_BYTES;
    uint8_t last[BLOCK_BYTES] = {0};
    if (whole > 0)
        hash_blocks(gcm, hash, p, whole);
    if (rest > 0) {
        memcpy(last, p + len - rest, rest);
        hash_blocks(gcm, hash, last, 1);
    }
}

static void find_powers(struct lb_gcm *gcm, const uint8_t key[BLOCK_BYTES]) {
    static const uint8_t zeros[BLOCK_BYTES];
    uint64_t low = load_be64(key + 8), high = load_be64(key);
    uint64_t over = 0 - (high >> 63);
    struct hash power = {low << 1 ^ (over & 1),
                         high << 1 ^ low >> 63 ^ (over & UINT64_C(0xc2) << 56)};
    for (unsigned i = 0; i < AT_ONCE; i++) {
        gcm->powers[i][0] = power.low;
        gcm->powers[i][1] = power.high;
        hash_blocks(gcm, &power, zeros, 1); /* times the key */
    }
}

/* ---- counting (SP 800-38D 6.5) ---- */

static void encrypt_plainly(const struct lb_gcm *gcm, const uint8_t start[BLOCK_BYTES],
                            uint8_t blocks[AT_ONCE][BLOCK_BYTES]) {
    for (size_t i = 0; i < AT_ONCE; i++) {
        memcpy(blocks[i], start, BLOCK_BYTES);
        blocks[i][BLOCK_BYTES - 1] += (uint8_t)i;
        encrypt_one(gcm, blocks[i]);
    }
}

/* The stream of the blocks whose counters begin with this one, a multiple of AT_ONCE: so the last
 * byte alone counts. */
static void make_stream(const struct lb_gcm *gcm, const uint8_t *nonce, uint32_t counter,
                        uint8_t blocks[AT_ONCE][BLOCK_BYTES]) {
    uint8_t start[BLOCK_BYTES];
    uint32_t word = __builtin_bswap32(counter);
    __builtin_memcpy(start, nonce, LB_GCM_NONCE_BYTES);
    __builtin_memcpy(start + LB_GCM_NONCE_BYTES, &word, sizeof word);
    if (gcm->has_instructions)
        encrypt_fast(gcm, start, blocks);
    else
        encrypt_plainly(gcm, start, blocks);
}

static void add_stream(uint8_t *p, const uint8_t *stream, size_t len) {
    for (; len >= BLOCK_BYTES; p += BLOCK_BYTES, stream += BLOCK_BYTES, len -= BLOCK_BYTES) {
        uint64_t x[2], y[2];
        __builtin_memcpy(x, p, sizeof x);
        __builtin_memcpy(y, stream, sizeof y);
        x[0] ^= y[0];
        x[1] ^= y[1];
        __builtin_memcpy(p, x, sizeof x);
    }
    for (size_t i = 0; i < len; i++)
        p[i] ^= stream[i];
}

/* Text in place, and its tag. Of the stream, block 1 is for the tag, and the text's begins with
 * block 2. */
static void run(const struct lb_gcm *gcm, const uint8_t *nonce, struct lb_bytes extra,
                struct lb_span text, bool seals, uint8_t tag[BLOCK_BYTES]) {
    enum { STEP = AT_ONCE * BLOCK_BYTES };
    uint8_t blocks[AT_ONCE][BLOCK_BYTES], lengths[BLOCK_BYTES];
    struct hash hash = {0};
    uint32_t counter = 0;
    size_t used = 2 * BLOCK_BYTES;
    for (size_t at = 0; at < extra.len; at += STEP)
        hash_some(gcm, &hash, extra.p + at, LB_MIN(extra.len - at, (size_t)STEP));
    store_be64(lengths, (uint64_t)extra.len * 8);
    store_be64(lengths + 8, (uint64_t)text.len * 8);
    make_stream(gcm, nonce, counter, blocks);
    memcpy(tag, blocks[1], BLOCK_BYTES);
    while (text.len > 0) {
        size_t len = LB_MIN(text.len, STEP - used);
        if (!seals)
            hash_some(gcm, &hash, text.p, len);
        add_stream(text.p, (const uint8_t *)blocks + used, len);
        if (seals)
            hash_some(gcm, &hash, text.p, len);
        text = lb_span(text.p + len, text.len - len);
        used = 0;
        if (text.len > 0)
            make_stream(gcm, nonce, counter += AT_ONCE, blocks);
    }
    hash_some(gcm, &hash, lengths, sizeof lengths);
    store_be64(lengths, hash.high);
    store_be64(lengths + 8, hash.low);
    add_stream(tag, lengths, BLOCK_BYTES);
    lb_wipe(blocks, sizeof blocks);
}

/* ---- entry points ---- */

static void init(struct lb_gcm *gcm, struct lb_bytes key, bool fast) {
    uint8_t zeros[BLOCK_BYTES] = {0};
    lb_assert(key.len == 16 || key.len == LB_GCM_KEY_MAX);
    memset(gcm, 0, sizeof *gcm);
    gcm->has_instructions = fast;
    expand(gcm, key);
    encrypt_one(gcm, zeros);
    find_powers(gcm, zeros);
    lb_wipe(zeros, sizeof zeros);
}

void lb_gcm_init(struct lb_gcm *gcm, struct lb_bytes key) {
    init(gcm, key, has_instructions());
}

void lb_gcm_init_portable(struct lb_gcm *gcm, struct lb_bytes key) {
    init(gcm, key, false);
}

void lb_gcm_seal(const struct lb_gcm *gcm, const uint8_t nonce[LB_GCM_NONCE_BYTES],
                 struct lb_bytes extra, struct lb_span text, uint8_t tag[LB_GCM_TAG_BYTES]) {
    run(gcm, nonce, extra, text, true, tag);
}

bool lb_gcm_open(const struct lb_gcm *gcm, const uint8_t nonce[LB_GCM_NONCE_BYTES],
                 struct lb_bytes extra, struct lb_span text, const uint8_t tag[LB_GCM_TAG_BYTES]) {
    uint8_t expected[LB_GCM_TAG_BYTES];
    run(gcm, nonce, extra, text, false, expected);
    bool is_right =
        lb_equal_secret(lb_bytes(expected, sizeof expected), lb_bytes(tag, LB_GCM_TAG_BYTES));
    lb_wipe(expected, sizeof expected);
    if (!is_right && text.len > 0)
        memset(text.p, 0, text.len);
    return is_right;
}

const char *lb_gcm_method(void) {
    return has_instructions() ? INSTRUCTIONS : "portable";
}
