/* The functions that a compiler calls on its own. Without the EFI headers: they switch off
 * __attribute__ for compilers with Microsoft's extensions. */
#include "core/base/mem.h"

typedef unsigned long long two_u64 __attribute__((vector_size(16)));
typedef two_u64 lane __attribute__((aligned(1), may_alias));
typedef unsigned long long word __attribute__((aligned(1), may_alias));

/* Four registers at a time: emulated and old processors are slow at string instructions. */
void *memcpy(void *restrict to, const void *restrict from, size_t len) {
    uint8_t *t = to;
    const uint8_t *f = from;
    for (; len >= 64; t += 64, f += 64, len -= 64) {
        two_u64 a = ((const lane *)f)[0], b = ((const lane *)f)[1];
        two_u64 c = ((const lane *)f)[2], d = ((const lane *)f)[3];
        ((lane *)t)[0] = a;
        ((lane *)t)[1] = b;
        ((lane *)t)[2] = c;
        ((lane *)t)[3] = d;
    }
    for (; len >= 8; t += 8, f += 8, len -= 8)
        *(word *)t = *(const word *)f;
    for (; len > 0; len--)
        *(volatile uint8_t *)t++ = *f++; /* volatile: else the compiler sees memcpy in it */
    return to;
}

void *memset(void *to, int byte, size_t len) {
    uint64_t eight = 0x0101010101010101 * (uint8_t)byte;
    two_u64 all = {eight, eight};
    uint8_t *t = to;
    for (; len >= 16; t += 16, len -= 16)
        *(lane *)t = all;
    for (; len > 0; len--)
        *(volatile uint8_t *)t++ = (uint8_t)byte;
    return to;
}

/* volatile: else the compiler sees memmove in it, and calls itself. */
void *memmove(void *to, const void *from, size_t len) {
    volatile uint8_t *t = to;
    const uint8_t *f = from;
    if ((uintptr_t)to < (uintptr_t)from)
        for (size_t i = 0; i < len; i++)
            t[i] = f[i];
    else
        for (size_t i = len; i > 0; i--)
            t[i - 1] = f[i - 1];
    return to;
}

int memcmp(const void *a, const void *b, size_t len) {
    const volatile uint8_t *x = a, *y = b;
    for (size_t i = 0; i < len; i++)
        if (x[i] != y[i])
            return x[i] < y[i] ? -1 : 1;
    return 0;
}
