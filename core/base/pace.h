/* The one arithmetic of pauses that grow: between repetitions, attempts, questions. Each protocol
 * has its own first and longest pause, and its own spread by chance, which the caller adds:
 * machines that start together must not repeat in step. */
#ifndef LB_BASE_PACE_H
#define LB_BASE_PACE_H

#include "core/base/bytes.h"

/* first doubled `times` times, but no longer than most, in any unit; it never wraps. */
uint64_t lb_pace(uint64_t first, uint64_t most, unsigned times);

#endif
