/* CRC32C: by the processor's instructions where it has them, else by tables, eight bytes a step.
 *
 * All functions here but the entry points work on the inverted checksum. Polynomials are
 * "reflected" as usual for this CRC: the lowest bit has the highest power. */
#include "core/crypto/crypto.h"
#include "core/crypto/small.h"

/* ---- Tables ---- */

/* Entry n of table k is the CRC of byte n and k zero bytes. That is linear in the bits of n, so
 * each table follows from eight entries; the compiler works out the rest. Row k below is table k at
 * 0x80, 0x40, ... 0x01; it is one sequence, starting with the polynomial and dividing by x each
 * time. */
#define ROW_0                                                                                      \
    0x82f63b78, 0x417b1dbc, 0x20bd8ede, 0x105ec76f, 0x8ad958cf, 0xc79a971f, 0xe13b70f7, 0xf26b8303
#define ROW_1                                                                                      \
    0xfbc3faf9, 0xff17c604, 0x7f8be302, 0x3fc5f181, 0x9d14c3b8, 0x4e8a61dc, 0x274530ee, 0x13a29877
#define ROW_2                                                                                      \
    0x8b277743, 0xc76580d9, 0xe144fb14, 0x70a27d8a, 0x38513ec5, 0x9edea41a, 0x4f6f520d, 0xa541927e
#define ROW_3                                                                                      \
    0x52a0c93f, 0xaba65fe7, 0xd725148b, 0xe964b13d, 0xf64463e6, 0x7b2231f3, 0xbf672381, 0xdd45aab8
#define ROW_4                                                                                      \
    0x6ea2d55c, 0x37516aae, 0x1ba8b557, 0x8f2261d3, 0xc5670b91, 0xe045beb0, 0x7022df58, 0x38116fac
#define ROW_5                                                                                      \
    0x1c08b7d6, 0x0e045beb, 0x85f4168d, 0xc00c303e, 0x6006181f, 0xb2f53777, 0xdb8ca0c3, 0xef306b19
#define ROW_6                                                                                      \
    0xf56e0ef4, 0x7ab7077a, 0x3d5b83bd, 0x9c5bfaa6, 0x4e2dfd53, 0xa5e0c5d1, 0xd0065990, 0x68032cc8
#define ROW_7                                                                                      \
    0x34019664, 0x1a00cb32, 0x0d006599, 0x847609b4, 0x423b04da, 0x211d826d, 0x9278fa4e, 0x493c7d27

#define TABLE(row)         BITS_8(0U, row)
#define BITS_8(x, b7, ...) BITS_7(x, __VA_ARGS__), BITS_7((x) ^ b7, __VA_ARGS__)
#define BITS_7(x, b6, ...) BITS_6(x, __VA_ARGS__), BITS_6((x) ^ b6, __VA_ARGS__)
#define BITS_6(x, b5, ...) BITS_5(x, __VA_ARGS__), BITS_5((x) ^ b5, __VA_ARGS__)
#define BITS_5(x, b4, ...) BITS_4(x, __VA_ARGS__), BITS_4((x) ^ b4, __VA_ARGS__)
#define BITS_4(x, b3, ...) BITS_3(x, __VA_ARGS__), BITS_3((x) ^ b3, __VA_ARGS__)
#define BITS_3(x, b2, ...) BITS_2(x, __VA_ARGS__), BITS_2((x) ^ b2, __VA_ARGS__)
#define BITS_2(x, b1, ...) BITS_1(x, __VA_ARGS__), BITS_1((x) ^ b1, __VA_ARGS__)
#define BITS_1(x, b0)      (x), ((x) ^ b0)

#ifdef LB_SMALL /* firmware: 8 KiB less for processors older than 2008 */

static uint32_t by_tables(uint32_t crc, const uint8_t *p, size_t len) {
    return lb_small_crc32c(crc, p, len);
}

#else

static const uint32_t table[8][256] = {
    {TABLE(ROW_0)}, {TABLE(ROW_1)}, {TABLE(ROW_2)}, {TABLE(ROW_3)},
    {TABLE(ROW_4)}, {TABLE(ROW_5)}, {TABLE(ROW_6)}, {TABLE(ROW_7)},
};

static uint32_t load_le32(const uint8_t *p) {
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint32_t by_tables(uint32_t crc, const uint8_t *p, size_t len) {
    for (; len >= 8; p += 8, len -= 8) {
        uint32_t low = crc ^ load_le32(p);
        uint32_t high = load_le32(p + 4);
        crc = table[7][low & 0xff] ^ table[6][low >> 8 & 0xff] ^ table[5][low >> 16 & 0xff] ^
              table[4][low >> 24] ^ table[3][high & 0xff] ^ table[2][high >> 8 & 0xff] ^
              table[1][high >> 16 & 0xff] ^ table[0][high >> 24];
    }
    for (; len > 0; p++, len--)
        crc = crc >> 8 ^ table[0][(crc ^ *p) & 0xff];
    return crc;
}

#endif

/* ---- Instructions ---- */

#if defined(__x86_64__) || defined(__aarch64__)

static uint64_t load_64(const uint8_t *p) {
    uint64_t value;
    memcpy(&value, p,
           sizeof(value)); /* both machines are little-endian, as the instructions want */
    return value;
}

#endif

#if defined(__x86_64__)

#define INSTRUCTIONS "sse4.2"
/* No intrinsics' headers: they draw in a C library's. */
#define TARGET __attribute__((target("sse4.2,pclmul")))
typedef long long two_words __attribute__((vector_size(16))); /* as the builtin wants it */

static bool has_instructions(void) {
    uint32_t eax = 1, ebx, ecx = 0, edx;
    __asm__("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
    return (ecx >> 20 & 1) && (ecx >> 1 & 1); /* SSE4.2, PCLMULQDQ */
}

TARGET static uint32_t step_8(uint32_t crc, const uint8_t *p) {
    return (uint32_t)__builtin_ia32_crc32di(crc, load_64(p));
}

TARGET static uint32_t step_1(uint32_t crc, uint8_t byte) {
    return __builtin_ia32_crc32qi(crc, byte);
}

/* The CRC instruction takes three cycles but one can start in each: three streams side by side,
 * then joined. To move a CRC over n zero bytes is to multiply it by x^(8n); with the product of the
 * two in reflected order being one place too low, and the CRC instruction that reduces it
 * multiplying by x^32, the factor is x^(8n-33) modulo the polynomial. */
TARGET static uint32_t move(uint32_t crc, uint32_t factor) {
    two_words product = __builtin_ia32_pclmulqdq128((two_words){crc, 0}, (two_words){factor, 0}, 0);
    return (uint32_t)__builtin_ia32_crc32di(0, (uint64_t)product[0]);
}

/* One block of three times `each` bytes. */
TARGET static inline uint32_t block(uint32_t crc, const uint8_t *p, size_t each, uint32_t move_2,
                                    uint32_t move_1) {
    uint32_t second = 0, third = 0;
    for (size_t i = 0; i < each; i += 8) {
        crc = step_8(crc, p + i);
        second = step_8(second, p + each + i);
        third = step_8(third, p + 2 * each + i);
    }
    return move(crc, move_2) ^ move(second, move_1) ^ third;
}

TARGET static uint32_t by_instructions(uint32_t crc, const uint8_t *p, size_t len) {
    for (; len >= 3 * 1024; p += 3 * 1024, len -= 3 * 1024)
        crc = block(crc, p, 1024, 0xa51b6135, 0x170076fa);
    for (; len >= 3 * 128; p += 3 * 128, len -= 3 * 128)
        crc = block(crc, p, 128, 0xb9e02b86, 0x0d3b6092);
    for (; len >= 8; p += 8, len -= 8)
        crc = step_8(crc, p);
    for (; len > 0; p++, len--)
        crc = step_1(crc, *p);
    return crc;
}

#elif defined(__aarch64__)

#define INSTRUCTIONS "armv8"

/* ID_AA64ISAR0_EL1, bits 16 to 19. Firmware may read it; Linux (4.11 and later) answers
 * programs. */
static bool has_instructions(void) {
    uint64_t isar0;
    __asm__("mrs %0, ID_AA64ISAR0_EL1" : "=r"(isar0));
    return (isar0 >> 16 & 0xf) != 0;
}

static uint32_t step_8(uint32_t crc, const uint8_t *p) {
    __asm__(".arch_extension crc\n\tcrc32cx %w0, %w0, %x1" : "+r"(crc) : "r"(load_64(p)));
    return crc;
}

static uint32_t step_1(uint32_t crc, uint8_t byte) {
    __asm__(".arch_extension crc\n\tcrc32cb %w0, %w0, %w1" : "+r"(crc) : "r"((uint32_t)byte));
    return crc;
}

static uint32_t by_instructions(uint32_t crc, const uint8_t *p, size_t len) {
    for (; len >= 8; p += 8, len -= 8)
        crc = step_8(crc, p);
    for (; len > 0; p++, len--)
        crc = step_1(crc, *p);
    return crc;
}

#endif

/* ---- Entry points ---- */

#if defined(INSTRUCTIONS)

/* The one thing in core that is written after the program was loaded: what the processor can do. To
 * ask it takes longer than to sum a header (in a virtual machine, by a thousand times). Who asks
 * first writes it; who asks at the same time writes the same. */
static bool use_instructions(void) {
    static uint8_t known; /* 0 not asked yet, 1 no, 2 yes */
    uint8_t answer = __atomic_load_n(&known, __ATOMIC_RELAXED);
    if (answer == 0) {
        answer = has_instructions() ? 2 : 1;
        __atomic_store_n(&known, answer, __ATOMIC_RELAXED);
    }
    return answer == 2;
}

uint32_t lb_crc32c(uint32_t crc, const void *data, size_t len) {
    return use_instructions() ? ~by_instructions(~crc, data, len) : ~by_tables(~crc, data, len);
}

const char *lb_crc32c_method(void) {
    return use_instructions() ? INSTRUCTIONS : "tables";
}

#else

uint32_t lb_crc32c(uint32_t crc, const void *data, size_t len) {
    return ~by_tables(~crc, data, len);
}

const char *lb_crc32c_method(void) {
    return "tables";
}

#endif

uint32_t lb_crc32c_portable(uint32_t crc, const void *data, size_t len) {
    return ~by_tables(~crc, data, len);
}
