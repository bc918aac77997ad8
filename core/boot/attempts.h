/* How often a boot is tried: counts the attempts, and says when the next one begins, if there is
 * one. */
#ifndef LB_BOOT_ATTEMPTS_H
#define LB_BOOT_ATTEMPTS_H

#include "core/boot/stage.h"

struct lb_attempts {
    struct lb_common *common;
    uint64_t start_us; /* of the boot */
    unsigned begun;    /* so far */
};

/* The boot starts: no attempt has begun. common outlives it. */
void lb_attempts_init(struct lb_attempts *attempts, uint64_t now_us, struct lb_common *common);
/* An attempt begins. */
void lb_attempts_begin(struct lb_attempts *attempts);
/* Whether it is the first one: then a person still waits for the result. */
bool lb_attempts_is_first(const struct lb_attempts *attempts);
/* The pause after an attempt that ended so: retry-delay, doubled with each attempt up to 30 s, and
 * up to a quarter more by chance. Shorter while storage starts. */
uint64_t lb_attempts_delay_us(struct lb_attempts *attempts, enum lb_code why);
/* Whether another attempt after this delay is within the keys `attempts` and `retry-time`. */
bool lb_attempts_are_left(const struct lb_attempts *attempts, uint64_t now_us, uint64_t delay_us);

#endif
