#include "hosts/uefi/pace.h"

void pace_init(struct pace *pace, uint64_t now_us, uint64_t trip_us) {
    *pace =
        (struct pace){.trip_us = LB_MAX(trip_us, (uint64_t)PACE_TRIP_MIN_US), .since_us = now_us};
}

void pace_trip(struct pace *pace, uint64_t trip_us) {
    pace->trip_us = LB_MIN(pace->trip_us, LB_MAX(trip_us, (uint64_t)PACE_TRIP_MIN_US));
}

void pace_came(struct pace *pace, uint64_t now_us, uint64_t bytes) {
    uint64_t passed_us = now_us - pace->since_us;
    pace->came += bytes;
    if (passed_us < pace->trip_us)
        return;
    /* A trip in which the reader asked for nothing says nothing of the way. */
    if (passed_us < 2 * pace->trip_us) {
        pace->is_steady = pace->came <= pace->best + pace->best / 8;
        pace->best = LB_MAX(pace->came, pace->best - pace->best / 4);
    }
    pace->since_us = now_us;
    pace->came = 0;
}

uint64_t pace_bytes(const struct pace *pace) {
    uint64_t trip = LB_MAX(pace->best, pace->came);
    return pace->is_steady ? trip + trip / 4 : 2 * trip;
}
