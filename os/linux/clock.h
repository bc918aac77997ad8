/* The clock of the loops. */
#ifndef LB_OS_CLOCK_H
#define LB_OS_CLOCK_H

#include <stdint.h>

/* The monotonic clock, in microseconds. */
uint64_t lb_now_us(void);

#endif
