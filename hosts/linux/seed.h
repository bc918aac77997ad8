/* The seed of all random numbers, from the kernel. */
#ifndef LB_LINUX_SEED_H
#define LB_LINUX_SEED_H

#include "core/crypto/crypto.h"

/* Where a seed came from. */
enum lb_seed {
    LB_SEED_NONE,  /* the kernel gave nothing; errno says why */
    LB_SEED_READY, /* getrandom, from a pool that is ready */
    LB_SEED_EARLY, /* the machine has just begun, and its pool was not ready within wait_ms */
};

/* Fills the seed. A kernel that has just begun may have no randomness yet, and getrandom would wait
 * as long as that takes: in an initramfs on an old kernel for minutes. So it waits for wait_ms at
 * most, and then takes what the kernel has. NONE: the seed is not to be used. */
enum lb_seed lb_seed_fill(uint8_t seed[LB_RAND_SEED_BYTES], unsigned wait_ms);
/* "the kernel", ...: for the report. */
const char *lb_seed_word(enum lb_seed from);

#endif
