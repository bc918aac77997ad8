#include "hosts/uefi/window.h"

#define OWED_BY_ONE (32 * WINDOW_SEGMENT)
#define OWED_MOST   (4 * OWED_BY_ONE)

void window_init(struct window *window, uint64_t most) {
    *window = (struct window){
        .bytes = LB_MIN((uint64_t)WINDOW_BEGIN, most),
        .most = most,
        .limit = most,
        .hold_us = WINDOW_HOLD_US,
    };
}

static void grow_slowly(struct window *window, uint64_t bytes) {
    window->came += bytes;
    if (window->came < window->bytes)
        return;
    window->came = 0;
    window->bytes += LB_MAX(window->bytes / 8, (uint64_t)WINDOW_SEGMENT);
}

void window_came(struct window *window, uint64_t now_us, uint64_t bytes) {
    window->owed -= LB_MIN(window->owed, bytes);
    if (window->bytes < window->limit)
        window->bytes = LB_MIN(window->bytes + bytes, window->limit);
    else if (now_us - window->lost_us >= window->hold_us)
        grow_slowly(window, bytes);
    window->bytes = LB_MIN(window->bytes, window->most);
}

/* False: it is one of the single losses that pass. */
static bool is_too_much(struct window *window, uint64_t gap_bytes) {
    window->owed += gap_bytes < 2 * WINDOW_SEGMENT ? OWED_BY_ONE : OWED_MOST;
    if (window->owed < OWED_MOST)
        return false;
    window->owed = 0;
    return true;
}

void window_lost(struct window *window, uint64_t now_us, uint64_t gap_bytes, uint64_t held_bytes) {
    if (!is_too_much(window, gap_bytes))
        return;
    bool is_soon = window->lost_us != 0 && now_us - window->lost_us < 2 * window->hold_us;
    uint64_t less = is_soon ? window->bytes / 2 : window->bytes / 4 * 3;
    uint64_t least = LB_MAX(held_bytes / 4 * 3, (uint64_t)WINDOW_LEAST);
    window->hold_us =
        is_soon ? LB_MIN(window->hold_us * 2, (uint64_t)WINDOW_HOLD_MAX_US) : WINDOW_HOLD_US;
    window->bytes = LB_MIN(LB_MAX(less, least), window->bytes);
    window->limit = window->bytes;
    window->lost_us = now_us;
    window->came = 0;
}

void window_stopped(struct window *window, uint64_t held_bytes) {
    uint64_t held = LB_MAX(held_bytes / 4 * 3, (uint64_t)WINDOW_LEAST);
    window->most = LB_MIN(window->most, LB_MIN(held, window->bytes / 2));
    window->most = LB_MAX(window->most, (uint64_t)WINDOW_LEAST);
    window->bytes = window->limit = window->most;
}
