/* How much the server may send before we acknowledge it: TCP's receive window. Firmware's drivers
 * have rings of 8 to 256 frames, and nobody tells us of how many. What does not fit is lost, and
 * some cards stop at that. So the window begins small and grows with what comes, as long as nothing
 * is lost. A loss that stands alone takes a quarter of it; one that follows another soon halves it,
 * but not below what the card has held at a time; then it stays for a while, and grows slowly. No
 * lwIP: tested on Linux, test_window.c. */
#ifndef LB_UEFI_WINDOW_H
#define LB_UEFI_WINDOW_H

#include "core/base/mem.h"

#define WINDOW_SEGMENT 1460
#define WINDOW_BEGIN   (16 * WINDOW_SEGMENT) /* the server itself begins with ten: RFC 6928 */
#define WINDOW_LEAST   (4 * WINDOW_SEGMENT)  /* the ring of an RTL8139 holds five frames */
/* Without a loss for so long it grows again; doubled by each loss that comes soon after. */
#define WINDOW_HOLD_US     (2 * LB_US_SEC)
#define WINDOW_HOLD_MAX_US (32 * LB_US_SEC)

struct window {
    uint64_t bytes; /* the window */
    uint64_t most;  /* it never exceeds that */
    uint64_t limit; /* up to that it doubles with each window that comes; above, by an eighth */
    uint64_t came;  /* since it grew last above the limit */
    uint64_t lost_us, hold_us;
    uint64_t owed; /* bytes that must come without a loss until single losses are forgotten */
};

/* Starts with WINDOW_BEGIN bytes, or with most where that is less. most: bytes, a fixed limit. */
void window_init(struct window *window, uint64_t most);
/* Bytes have come, and none is missing. */
void window_came(struct window *window, uint64_t now_us, uint64_t bytes);
/* So much is missing, in one place. held_bytes: so much lay in the card at one time, lately. A
 * caller says it once a window. */
void window_lost(struct window *window, uint64_t now_us, uint64_t gap_bytes, uint64_t held_bytes);
/* The card has stopped, as some do when more comes than they hold: the window becomes as small as
 * it was when it began, or smaller, and stays so. */
void window_stopped(struct window *window, uint64_t held_bytes);

#endif
