/* What a compiler needs where there is no C library, and memory from the firmware. */
#include "hosts/uefi/uefi.h"

#define RESTART_S 5

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

#if defined(__aarch64__)
/* clang probes the stack of functions with frames over 4 KiB; firmware's stack (128 KiB by the UEFI
 * specification) is mapped whole. The probe keeps every register. */
__asm__(".globl __chkstk\n__chkstk:\n    ret\n");
#endif

/* The loader, or the firmware's driver of a timer, may be what runs: nothing but a restart ends
 * this in a way in which the machine comes back. */
_Noreturn void restart(const char *why) {
    say("%s; the machine restarts in %u s\n", why, RESTART_S);
    bs->Stall(RESTART_S * 1000000);
    st->RuntimeServices->ResetSystem(EfiResetCold, EFI_ABORTED, 0, NULL);
    for (;;)
        ;
}

/* What fails while that is being told is not told. */
static _Noreturn void give_up(void) {
    static bool again;
    if (again)
        st->RuntimeServices->ResetSystem(EfiResetCold, EFI_ABORTED, 0, NULL);
    again = true;
    restart("this is a defect of lunboot");
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

/* ---- memory ---- */

/* The firmware does not know whose memory is whose: what a program leaves is lost until the machine
 * restarts. */
#define BLOCK_ALIGN 16 /* a cipher's state needs it; pools are aligned to 8: UEFI 2.10 7.2 */
struct block {
    _Alignas(BLOCK_ALIGN) struct block *next, *before;
    size_t len;
    void *pool; /* what the firmware gave */
};

static struct block blocks = {.next = &blocks, .before = &blocks}; /* a ring */

void *uefi_alloc(size_t len) {
    void *pool = NULL;
    if (bs->AllocatePool(EfiBootServicesData, sizeof(struct block) + len + BLOCK_ALIGN - 1,
                         &pool) != EFI_SUCCESS)
        return NULL;
    struct block *block =
        (void *)(((uintptr_t)pool + BLOCK_ALIGN - 1) & ~(uintptr_t)(BLOCK_ALIGN - 1));
    memset(block, 0, sizeof *block + len);
    *block = (struct block){.next = blocks.next, .before = &blocks, .len = len, .pool = pool};
    blocks.next->before = block;
    blocks.next = block;
    return block + 1;
}

static void wipe(struct block *block) {
    memset(block + 1, 0, block->len);
    __asm__ volatile("" : : "r"(block) : "memory");
}

void uefi_free(void *p) {
    struct block *block = (struct block *)p - 1;
    if (p == NULL)
        return;
    block->next->before = block->before;
    block->before->next = block->next;
    wipe(block);
    bs->FreePool(block->pool);
}

void uefi_free_all(void) {
    while (blocks.next != &blocks)
        uefi_free(blocks.next + 1);
}

void uefi_wipe_all(void) {
    for (struct block *block = blocks.next; block != &blocks; block = block->next)
        wipe(block);
}

void pool_free(void *p) {
    if (p != NULL)
        bs->FreePool(p);
}

/* ---- the firmware's watchdog ---- */

#define WATCHDOG_S    300     /* UEFI 2.10 3.1.2: what a boot manager sets */
#define WATCHDOG_CODE 0x1b007 /* 0x10000 and above are ours */
#define FEED_US       (5 * LB_US_SEC)

static bool is_fed;
static uint64_t fed_us;

void watchdog_begin(void) {
    is_fed = true;
    fed_us = clock_us();
    bs->SetWatchdogTimer(WATCHDOG_S, WATCHDOG_CODE, 0, NULL);
}

void watchdog_feed(void) {
    if (is_fed && clock_us() - fed_us >= FEED_US)
        watchdog_begin();
}

void watchdog_leave(void) {
    watchdog_begin();
    is_fed = false;
}

void watchdog_end(void) {
    is_fed = false;
    bs->SetWatchdogTimer(0, 0, 0, NULL);
}

/* ---- the rest ---- */

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
    case EFI_INVALID_PARAMETER:
        return "invalid parameter";
    case EFI_TIMEOUT:
        return "nobody answered in time";
    case EFI_TFTP_ERROR:
        return "the TFTP server answered with an error";
    case EFI_WRITE_PROTECTED:
        return "write protected";
    case EFI_ABORTED:
        return "aborted";
    case EFI_LOAD_ERROR:
        return "load error";
    default:
        return "error";
    }
}
