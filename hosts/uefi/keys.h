/* What a person types, told from what a line makes up. A serial line may be noisy, a terminal
 * answers questions that the firmware asked it, a key may be stuck, and nobody may be there.
 *
 * Keys that come in one go are one burst; a pause ends it. A burst with anything in it that is no
 * key of ours does not count, nor does one without an end. Where bytes come that no keyboard sends,
 * nothing counts until they have stopped for a while. A key that is held down counts as stuck. */
#ifndef LB_UEFI_KEYS_H
#define LB_UEFI_KEYS_H

#include "core/base/mem.h"

/* As the firmware gives them (console.c): Unicode, or 0x1000 + scan code. */
#define KEY_ENTER     '\r'
#define KEY_LINE_FEED '\n' /* counts as Enter: in a pasted text */
#define KEY_BACKSPACE '\b'
#define KEY_SCAN      0x1000U
#define KEY_DELETE    0x1008U
#define KEY_ESC       0x1017U
#define KEY_PAGE      0x02U
#define KEY_PAGE_WORD "Ctrl-B"

#define KEYS_BURST_MAX 256 /* a pasted value is shorter */
#define KEYS_PAUSE_US  (80 * LB_US_MS)
#define KEYS_QUIET_US  (5 * LB_US_SEC) /* between noise and a key that counts */
#define KEYS_SAME_MAX  24              /* so often in a row a person presses the same key */
#define KEYS_SAME_US   LB_US_SEC       /* a longer pause ends that row */

/* Zeroed: no key has come. */
struct keys {
    uint16_t burst[KEYS_BURST_MAX];
    size_t count;
    bool is_bad;       /* the burst does not count */
    bool has_come;     /* any key */
    bool was_noise;    /* at noise_us */
    uint64_t last_us;  /* when the latest key came */
    uint64_t noise_us; /* and the latest that no keyboard sends */
    unsigned last;     /* the latest key, and how often it came in a row */
    unsigned same;
};

/* A key came. */
void keys_input(struct keys *keys, uint64_t now_us, unsigned key);
/* True: a burst of *count keys ended that counts; *burst is valid until the next call. */
bool keys_burst(struct keys *keys, uint64_t now_us, const uint16_t **burst, size_t *count);
/* The one key that a burst is made of, which may have come several times; 0: it is made of more. */
unsigned keys_only(const uint16_t *burst, size_t count);

/* How long a page waits for a person: IDLE_US without a key that counts, and TOTAL_US without a
 * value that was typed to its end. */
#define PATIENCE_IDLE_US  (60 * LB_US_SEC)
#define PATIENCE_TOTAL_US (600 * LB_US_SEC)

struct patience {
    uint64_t key_us, value_us;
};

void patience_begin(struct patience *patience, uint64_t now_us); /* the page is opened */
void patience_key(struct patience *patience, uint64_t now_us);   /* a key came that counts */
void patience_value(struct patience *patience, uint64_t now_us); /* a value was typed to its end */
/* The page has waited long enough for a person. */
bool patience_is_over(const struct patience *patience, uint64_t now_us);

#endif
