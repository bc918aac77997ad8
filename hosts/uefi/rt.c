/* What a compiler needs where there is no C library, and memory from the firmware. */
#include "hosts/uefi/uefi.h"

EFI_SYSTEM_TABLE *st;
EFI_BOOT_SERVICES *bs;
EFI_HANDLE self;

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

static _Noreturn void give_up(void) {
    bs->Stall(5000000);
    bs->Exit(self, EFI_ABORTED, 0, NULL);
    for (;;)
        ;
}

extern const char __ImageBase[]; /* the linker's */
_Noreturn void stack_assert_failed(void);
_Noreturn void stack_assert_failed(void) {
    say("\nlunboot: internal error in the network stack at +0x%llx\n",
        (unsigned long long)((const char *)__builtin_return_address(0) - __ImageBase));
    give_up();
}

_Noreturn void lb_assert_failed_at(const char *file, int line) {
    say("\nlunboot: internal error at %s:%d\n", file, line);
    give_up();
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
