/* What the firmware and the processor have of randomness. */
#include "hosts/uefi/entropy.h"
#include "hosts/uefi/uefi.h"

#define TRIES 64 /* of an instruction that may fail for a moment: Intel asks for 10 of RDRAND */

#if defined(__x86_64__)
static uint32_t cpuid(uint32_t leaf, uint32_t *b, uint32_t *c) {
    uint32_t a = leaf, d;
    *c = 0;
    __asm__ volatile("cpuid" : "+a"(a), "=b"(*b), "+c"(*c), "=d"(d));
    return a;
}

static bool has_rdrand(void) {
    uint32_t b, c;
    cpuid(1, &b, &c);
    return (c >> 30 & 1) != 0;
}

static bool has_rdseed(void) {
    uint32_t b, c;
    if (cpuid(0, &b, &c) < 7)
        return false;
    cpuid(7, &b, &c);
    return (b >> 18 & 1) != 0;
}

static bool rdrand(uint64_t *word) {
    uint8_t ok;
    __asm__ volatile("rdrand %0; setc %1" : "=r"(*word), "=qm"(ok) : : "cc");
    return ok != 0;
}

static bool rdseed(uint64_t *word) {
    uint8_t ok;
    __asm__ volatile("rdseed %0; setc %1" : "=r"(*word), "=qm"(ok) : : "cc");
    return ok != 0;
}

static bool fill(uint64_t *words, size_t count, bool seeds) {
    for (size_t i = 0; i < count; i++) {
        unsigned tries = 0;
        while (!(seeds ? rdseed(&words[i]) : rdrand(&words[i]))) {
            if (++tries == TRIES)
                return false;
            __asm__ volatile("pause");
        }
    }
    return entropy_words_are_good(words, count);
}

/* RDSEED is the source itself, and may be used up; RDRAND is a generator behind it. */
static const char *ask_processor(uint64_t *words, size_t count) {
    if (has_rdseed() && fill(words, count, true))
        return "RDSEED";
    return has_rdrand() && fill(words, count, false) ? "RDRAND" : NULL;
}

#else
/* RNDR, of FEAT_RNG: ID_AA64ISAR0_EL1 has it in its highest four bits. Z is set where it failed. */
static bool has_rndr(void) {
    uint64_t features;
    __asm__ volatile("mrs %0, id_aa64isar0_el1" : "=r"(features));
    return features >> 60 != 0;
}

static bool rndr(uint64_t *word) {
    uint32_t ok;
    __asm__ volatile("mrs %0, s3_3_c2_c4_0; cset %w1, ne" : "=r"(*word), "=r"(ok) : : "cc");
    return ok != 0;
}

static const char *ask_processor(uint64_t *words, size_t count) {
    if (!has_rndr())
        return NULL;
    for (size_t i = 0; i < count; i++) {
        unsigned tries = 0;
        while (!rndr(&words[i]))
            if (++tries == TRIES)
                return NULL;
    }
    return entropy_words_are_good(words, count) ? "RNDR" : NULL;
}
#endif

struct rng {
    EFI_STATUS(EFIAPI *get_info)(struct rng *, UINTN *, EFI_GUID *);
    EFI_STATUS(EFIAPI *get)(struct rng *, EFI_GUID *, UINTN, UINT8 *);
};

/* Each generator of the firmware is asked until one has given bytes. */
static bool ask_firmware(uint8_t *room, size_t len) {
    EFI_GUID rng_guid = {
        0x3152bca5, 0xeade, 0x433d, {0x86, 0x2e, 0xc0, 0x1c, 0xdc, 0x29, 0x1f, 0x44}};
    EFI_HANDLE *handles = NULL;
    UINTN count = 0;
    bool has = false;
    if (EFI_ERROR(bs->LocateHandleBuffer(ByProtocol, &rng_guid, NULL, &count, &handles)))
        return false;
    for (UINTN i = 0; i < count && !has; i++) {
        struct rng *rng = NULL;
        memset(room, 0, len);
        has = !EFI_ERROR(bs->HandleProtocol(handles[i], &rng_guid, (void **)&rng)) &&
              !EFI_ERROR(rng->get(rng, NULL, len, room)) && entropy_bytes_are_good(room, len);
    }
    pool_free(handles);
    return has;
}

/* The days of the Gregorian calendar, counted from a March, so that a leap day is a year's last. */
static uint64_t days_since_1970(unsigned year, unsigned month, unsigned day) {
    unsigned months = (month + 9) % 12; /* since March */
    uint64_t y = year - (month <= 2);
    return y * 365 + y / 4 - y / 100 + y / 400 + (months * 153 + 2) / 5 + day - 1 - 719468;
}

uint64_t unix_seconds(void) {
    EFI_TIME time = {0};
    if (EFI_ERROR(st->RuntimeServices->GetTime(&time, NULL)) || time.Year < 1970 ||
        time.Month < 1 || time.Month > 12)
        return 0;
    return days_since_1970(time.Year, time.Month, time.Day) * 86400 + time.Hour * 3600u +
           time.Minute * 60u + time.Second;
}

/* Without any such source a boot must still be possible (the peers that refuse leave whole fleets
 * dark); the time of day and a counter between waits are then all there is. */
unsigned seed_fill(uint8_t seed[32], const uint8_t uuid[16], const char **method) {
    static uint64_t seeds;
    struct entropy entropy = {0};
    EFI_TIME time = {0};
    *method = ask_processor(entropy.processor, LB_COUNT(entropy.processor));
    if (*method != NULL)
        entropy.sources |= ENTROPY_PROCESSOR;
    if (ask_firmware(entropy.firmware, sizeof entropy.firmware))
        entropy.sources |= ENTROPY_FIRMWARE;
    st->RuntimeServices->GetTime(&time, NULL);
    memcpy(entropy.time, &time, LB_MIN(sizeof time, sizeof entropy.time));
    for (size_t i = 0; i < LB_COUNT(entropy.moments); i++) {
        bs->Stall(50);
        entropy.moments[i] = clock_ticks();
    }
    memcpy(entropy.machine, uuid, 16);
    seeds++;
    memcpy(entropy.machine + 16, &seeds, sizeof seeds);
    unsigned sources = entropy.sources;
    entropy_to_seed(&entropy, seed);
    return sources;
}
