/* Time from the processor's counter; randomness from the firmware. */
#include "core/crypto/crypto.h"
#include "hosts/uefi/uefi.h"

static uint64_t ticks_per_ms = 1;
static uint64_t start_ticks;

static uint64_t ticks(void) {
#if defined(__x86_64__)
    uint32_t low, high;
    __asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
#else
    uint64_t value;
    __asm__ volatile("isb; mrs %0, cntvct_el0" : "=r"(value));
    return value;
#endif
}

void clock_init(void) {
#if defined(__x86_64__)
    uint64_t least = UINT64_MAX; /* a virtual machine may be held up: the shortest was the least */
    for (unsigned i = 0; i < 4; i++) {
        uint64_t before = ticks();
        bs->Stall(2500);
        least = LB_MIN(least, ticks() - before);
    }
    ticks_per_ms = least * 2 / 5;
#else
    uint64_t hz;
    __asm__ volatile("mrs %0, cntfrq_el0" : "=r"(hz));
    ticks_per_ms = hz / 1000;
#endif
    if (ticks_per_ms == 0)
        ticks_per_ms = 1;
    start_ticks = ticks();
}

uint64_t clock_us(void) {
    uint64_t passed = ticks() - start_ticks;
    return passed / ticks_per_ms * 1000 + passed % ticks_per_ms * 1000 / ticks_per_ms;
}

/* Without a random number generator a boot must still be possible (the peers that refuse leave
 * whole fleets dark); counters, the time of day and addresses are then all there is to hash. */
void seed_fill(uint8_t seed[32]) {
    EFI_GUID rng_guid = {
        0x3152bca5, 0xeade, 0x433d, {0x86, 0x2e, 0xc0, 0x1c, 0xdc, 0x29, 0x1f, 0x44}};
    struct rng {
        EFI_STATUS(EFIAPI *get_info)(struct rng *, UINTN *, EFI_GUID *);
        EFI_STATUS(EFIAPI *get)(struct rng *, EFI_GUID *, UINTN, UINT8 *);
    } *rng = NULL;
    uint8_t pool[96] = {0};
    EFI_TIME time = {0};
    if (bs->LocateProtocol(&rng_guid, NULL, (void **)&rng) == EFI_SUCCESS)
        rng->get(rng, NULL, 32, pool);
    st->RuntimeServices->GetTime(&time, NULL);
    memcpy(pool + 32, &time, LB_MIN(sizeof time, (size_t)16));
    for (size_t i = 0; i < 4; i++) {
        uint64_t now = ticks() ^ (uint64_t)(uintptr_t)&pool[i];
        memcpy(pool + 48 + 8 * i, &now, sizeof now);
        bs->Stall(50);
    }
    struct lb_bytes part = lb_bytes(pool, sizeof pool);
    lb_hash_parts(LB_HASH_SHA256, &part, 1, seed);
}
