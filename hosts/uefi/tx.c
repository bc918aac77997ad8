#include "hosts/uefi/tx.h"

void tx_init(struct tx *tx, uint8_t *room) {
    *tx = (struct tx){.room = room};
}

static void free_at(struct tx *tx, size_t at) {
    tx->is_busy[at] = false;
    tx->busy--;
}

uint8_t *tx_take(struct tx *tx, uint64_t now_us, const uint8_t *frame, size_t *len) {
    size_t at = 0;
    while (at < TX_FRAMES && tx->is_busy[at])
        at++;
    if (at == TX_FRAMES || *len > TX_FRAME)
        return NULL;
    uint8_t *room = tx->room + at * TX_FRAME;
    memcpy(room, frame, *len);
    if (*len < TX_LEAST) {
        memset(room + *len, 0, TX_LEAST - *len);
        *len = TX_LEAST;
    }
    tx->is_busy[at] = true;
    tx->since_us[at] = now_us;
    tx->busy++;
    return room;
}

/* TX_FRAMES: none is busy. */
static size_t oldest(const struct tx *tx) {
    size_t best = TX_FRAMES;
    for (size_t i = 0; i < TX_FRAMES; i++)
        if (tx->is_busy[i] && (best == TX_FRAMES || tx->since_us[i] < tx->since_us[best]))
            best = i;
    return best;
}

void tx_given(struct tx *tx, const void *frame) {
    uintptr_t from = (uintptr_t)tx->room, to = (uintptr_t)frame;
    size_t at = to < from ? TX_FRAMES : (size_t)(to - from) / TX_FRAME;
    if (at >= TX_FRAMES)
        at = oldest(tx);
    if (at < TX_FRAMES && tx->is_busy[at])
        free_at(tx, at);
}

void tx_expire(struct tx *tx, uint64_t now_us) {
    for (size_t i = 0; i < TX_FRAMES && tx->busy > 0; i++) {
        if (!tx->is_busy[i] || now_us - tx->since_us[i] < TX_KEPT_US)
            continue;
        free_at(tx, i);
        tx->kept++;
    }
}
