/* When a card that says nothing is started anew. There are cards that stop for good when their ring
 * overflows, and what they lose nobody tells us. A frame is due when a server owes us an answer.
 * After a second in which none came, of anybody, the server is asked for a sign of life, which
 * costs it nothing; after another the card is started anew. A start may take down the link, and a
 * switch may then hold the port for 30 s (IEEE 802.1D): so the next start waits four times as long.
 * No EFI types: tested on Linux, test_silence.c. */
#ifndef LB_UEFI_SILENCE_H
#define LB_UEFI_SILENCE_H

#include "core/base/mem.h"

#define SILENCE_ASK_US       (400 * LB_US_MS)
#define SILENCE_AGAIN_US     (200 * LB_US_MS) /* between two questions */
#define SILENCE_START_US     (1200 * LB_US_MS)
#define SILENCE_START_MAX_US (64 * LB_US_SEC)

enum silence_advice {
    SILENCE_NOTHING,
    SILENCE_ASK,   /* the server for a sign of life */
    SILENCE_START, /* the card anew */
};

struct silence {
    uint64_t since_us; /* a frame is due since then, and none came; 0: none is due */
    uint64_t asked_us;
    uint64_t wait_us; /* before the card is started anew; 0: SILENCE_START_US */
};

/* is_due: somebody owes us an answer. heard_us: when the card gave us the last frame. */
enum silence_advice silence_judge(struct silence *silence, uint64_t now_us, bool is_due,
                                  uint64_t heard_us);

#endif
