/* How much is worth asking for ahead: twice what came within one round trip lately, for as long as
 * that grows, then a quarter more than it. Asked for less, the server's congestion window has no
 * reason to grow and the wire runs dry; asked for more, a reader that turns elsewhere waits for
 * what nobody wants. Tested on Linux: test_pace.c. */
#ifndef LB_UEFI_PACE_H
#define LB_UEFI_PACE_H

#include "core/base/mem.h"

#define PACE_TRIP_MIN_US 4000 /* on a short way it is what our own turns and the server's take */

struct pace {
    uint64_t trip_us;    /* the shortest round trip seen, or PACE_TRIP_MIN_US */
    uint64_t since_us;   /* of the round trip that is being counted */
    uint64_t came, best; /* bytes: since then; in one trip, fading */
    bool is_steady;      /* the last trip brought no more than those before */
};

/* trip_us: the round trip seen so far, such as the connection's. Nothing has come yet. */
void pace_init(struct pace *pace, uint64_t now_us, uint64_t trip_us);
/* A question had its answer after so long. */
void pace_trip(struct pace *pace, uint64_t trip_us);
void pace_came(struct pace *pace, uint64_t now_us, uint64_t bytes); /* so many bytes came, now */
/* How many bytes to have asked for ahead: a trip's worth and a quarter, twice that while it still
 * grows. */
uint64_t pace_bytes(const struct pace *pace);

#endif
