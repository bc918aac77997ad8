#include "core/base/pace.h"

uint64_t lb_pace(uint64_t first, uint64_t most, unsigned times) {
    uint64_t pause = LB_MIN(first, most);
    for (; times > 0 && pause > 0 && pause < most; times--)
        pause = pause > most / 2 ? most : 2 * pause;
    return pause;
}
