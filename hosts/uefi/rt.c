/* What a compiler needs where there is no C library, and memory from the firmware. */
#include "hosts/uefi/uefi.h"

EFI_SYSTEM_TABLE *st;
EFI_BOOT_SERVICES *bs;
EFI_HANDLE self;

#if defined(__x86_64__)
void *memcpy(void *restrict to, const void *restrict from, size_t len) {
    void *at = to;
    __asm__ volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(len) : : "memory");
    return to;
}

void *memset(void *to, int byte, size_t len) {
    void *at = to;
    __asm__ volatile("rep stosb" : "+D"(at), "+c"(len) : "a"(byte) : "memory");
    return to;
}
#else
void *memcpy(void *restrict to, const void *restrict from, size_t len) {
    uint8_t *t = to;
    const uint8_t *f = from;
    while (len >= 8 && ((uintptr_t)t & 7) == 0 && ((uintptr_t)f & 7) == 0) {
        *(volatile uint64_t *)(void *)t = *(const uint64_t *)(const void *)f;
        t += 8;
        f += 8;
        len -= 8;
    }
    while (len-- > 0)
        *(volatile uint8_t *)t++ = *f++;
    return to;
}

void *memset(void *to, int byte, size_t len) {
    volatile uint8_t *t = to;
    while (len-- > 0)
        *t++ = (uint8_t)byte;
    return to;
}
#endif

#if defined(__aarch64__)
/* clang probes the stack of functions with frames over 4 KiB; firmware's stack (128 KiB by the UEFI
 * specification) is mapped whole. The probe keeps every register. */
__asm__(".globl __chkstk\n__chkstk:\n    ret\n");
#endif

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

size_t strlen(const char *text) {
    return lb_strlen(text);
}

int strcmp(const char *a, const char *b) {
    while (*a != '\0' && *a == *b) {
        a++;
        b++;
    }
    return (uint8_t)*a - (uint8_t)*b;
}

int strncmp(const char *a, const char *b, size_t len) {
    for (size_t i = 0; i < len; i++)
        if (a[i] != b[i] || a[i] == '\0')
            return (uint8_t)a[i] - (uint8_t)b[i];
    return 0;
}

int atoi(const char *text) {
    int value = 0;
    while (*text >= '0' && *text <= '9')
        value = value * 10 + (*text++ - '0');
    return value;
}

_Noreturn void lb_assert_failed(const char *file, int line, const char *what) {
    say("\nlunboot: internal error at %s:%d: %s\n", file, line, what);
    bs->Stall(5000000);
    bs->Exit(self, EFI_ABORTED, 0, NULL);
    for (;;)
        ;
}

void *uefi_alloc(size_t len) {
    void *p = NULL;
    if (bs->AllocatePool(EfiBootServicesData, len, &p) != EFI_SUCCESS)
        return NULL;
    memset(p, 0, len);
    return p;
}

void uefi_free(void *p) {
    if (p != NULL)
        bs->FreePool(p);
}

bool guid_equal(const EFI_GUID *a, const EFI_GUID *b) {
    return memcmp(a, b, sizeof *a) == 0;
}

const char *status_word(EFI_STATUS status) {
    switch (status) {
    case EFI_SUCCESS:
        return "success";
    case EFI_NOT_FOUND:
        return "not found";
    case EFI_ACCESS_DENIED:
        return "access denied";
    case EFI_SECURITY_VIOLATION:
        return "security violation";
    case EFI_UNSUPPORTED:
        return "unsupported";
    case EFI_OUT_OF_RESOURCES:
        return "out of resources";
    case EFI_DEVICE_ERROR:
        return "device error";
    case EFI_NO_MEDIA:
        return "no media";
    case EFI_ABORTED:
        return "aborted";
    case EFI_LOAD_ERROR:
        return "load error";
    default:
        return "error";
    }
}
