#include "os/linux/clock.h"
#include "core/base/bytes.h"
#include <time.h>

uint64_t lb_now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * LB_US_SEC + (uint64_t)now.tv_nsec / 1000;
}
