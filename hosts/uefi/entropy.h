/* The seed of all random numbers: from the firmware, from the processor, and from what there is
 * besides. */
#ifndef LB_UEFI_ENTROPY_H
#define LB_UEFI_ENTROPY_H

#include "core/base/mem.h"

/* Which sources gave something that nobody can guess. All that there is goes into the seed. */
enum entropy_source {
    ENTROPY_FIRMWARE = 1,  /* EFI_RNG_PROTOCOL */
    ENTROPY_PROCESSOR = 2, /* RDSEED, RDRAND, RNDR */
};

/* What is hashed to a seed. */
struct entropy {
    unsigned sources; /* of enum entropy_source */
    uint8_t firmware[32];
    uint64_t processor[8];
    uint64_t moments[8]; /* a counter of the processor, between waits */
    uint8_t time[16];
    uint8_t machine[24]; /* its UUID and a counter of such seeds */
};

/* Whether a source that reported success gave anything: bytes or words that are all alike are of
 * one that is stuck (processors have given the same word for ever). */
bool entropy_bytes_are_good(const uint8_t *bytes, size_t len);
/* No two of the words are the same; none at all are not good. */
bool entropy_words_are_good(const uint64_t *words, size_t count);
/* Hashes all of it, and wipes it. */
void entropy_to_seed(struct entropy *entropy, uint8_t seed[32]);
struct lb_text;
/* "from the firmware (EFI_RNG) and the processor (RDSEED)". method is the processor's. */
void entropy_say(struct lb_text *text, unsigned sources, const char *method);

/* gather.c */
/* Asks every source for a seed; gives those that answered, of enum entropy_source. *method is the
 * word of the processor's instruction; NULL: it has none. */
unsigned seed_fill(uint8_t seed[32], const uint8_t uuid[16], const char **method);
/* The firmware's clock in seconds since 1970, whatever its time zone; 0: it has none. */
uint64_t unix_seconds(void);

#endif
